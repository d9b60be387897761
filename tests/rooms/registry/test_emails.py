"""The address to which what one is told is mailed: set by oneself after proof, or by an administrator."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from wufei.registry import services
from wufei.registry.models import AuditEntry, User
from wufei.registry.queries import NotPermitted
from wufei.registry.services import emails
from wufei.registry.tasks import mail_confirmation
from wufei.reviews.models import Message
from wufei.reviews.tasks import mail_messages

PASSWORD = "a-good-pass-phrase-9"
NEW = "lin@example.invalid"


@pytest.fixture
def person(officer):
    officer.set_password(PASSWORD)
    officer.save()
    return officer


@pytest.fixture
def posted(monkeypatch):
    """What the pages hand to the worker, which mails it at once."""
    given = []

    class Worker:
        @staticmethod
        def enqueue(*arguments):
            given.append(arguments)
            mail_confirmation.call(*arguments)

    monkeypatch.setattr("wufei.registry.views.account.mail_confirmation", Worker)
    return given


def email_of(user) -> str:
    return User.objects.get(pk=user.pk).email


def sent_link() -> str:
    [message] = mail.outbox
    return re.search(r"/account/email/confirm/\S+", message.body).group()


def told(user) -> int:
    message = Message.objects.create(
        to=user, subject="待办", text="请办理。", link="/reviews/tasks/", sent_at=timezone.now()
    )
    return mail_messages.call([message.pk])


def test_the_address_counts_once_the_link_sent_to_it_was_opened_by_its_owner(
    client_of, person, settings, posted
):
    settings.MAIL_IS_ON, settings.SITE_ADDRESS = True, "https://wufei.example"
    client = client_of(person)

    client.post("/account/email/", {"email": f" {NEW} ", "password": PASSWORD})

    assert email_of(person) == ""
    assert [message.to for message in mail.outbox] == [[NEW]]
    link = sent_link()
    assert f"https://wufei.example{link}" in mail.outbox[0].body
    assert NEW in client.get(link).content.decode()
    assert email_of(person) == "", "looking at the link, as mail scanners do, changes nothing"
    assert client.post(link).status_code == 302
    assert email_of(person) == NEW
    assert AuditEntry.objects.latest("pk").action == "registry.set_email"
    mail.outbox.clear()
    assert told(person) == 1
    assert mail.outbox[0].to == [NEW]


def test_where_no_mail_goes_out_the_password_is_enough(client_of, person, settings):
    settings.MAIL_IS_ON = False
    client = client_of(person)

    assert client.post("/account/email/", {"email": NEW, "password": PASSWORD}).status_code == 302

    assert email_of(person) == NEW
    assert NEW in client.get("/account/").content.decode()
    assert client.post("/account/email/", {"email": "", "password": PASSWORD}).status_code == 302
    assert email_of(person) == ""


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"password": "wrong"}, "密码不对"),
        ({"email": "不是邮箱"}, "邮箱"),
        ({"email": "a@b"}, "邮箱"),
        ({"email": "a@example.invalid\nBcc: all@example.invalid"}, "邮箱"),
        ({"email": f"{'x' * 250}@example.invalid"}, "邮箱"),
    ],
)
def test_a_wrong_password_or_address_changes_and_sends_nothing(
    client_of, person, settings, posted, said, words
):
    for settings.MAIL_IS_ON in (True, False):
        response = client_of(person).post("/account/email/", {"email": NEW, "password": PASSWORD} | said)
        assert words in str(response.context["form"].errors)
    assert email_of(person) == ""
    assert mail.outbox == posted == []


def test_a_link_of_another_changed_too_old_or_used_is_refused(client_of, person, make_user, organisation):
    other = make_user("WORKER", organisation, username="other")
    now = timezone.now()
    token = emails.confirmation(user=person, email=NEW, now=now)

    def refused(user, token, now=now):
        with pytest.raises(services.AccountRefused) as caught:
            emails.confirm_email(user=user, token=token, by=user, now=now)
        return caught.value.code

    assert refused(other, token) == "email_unconfirmed"
    assert refused(person, token[:-1] + ("A" if token[-1] != "A" else "B")) == "email_unconfirmed"
    assert refused(person, token, now + timedelta(days=2)) == "email_unconfirmed"
    emails.confirm_email(user=person, token=token, by=person, now=now)
    assert refused(person, token) == "email_unconfirmed"
    client = client_of(person)
    assert client.get(f"/account/email/confirm/?token={token}").status_code == 302
    assert "已失效" in client.get("/account/").content.decode()


def test_an_administrator_sets_it_when_making_an_account_and_later(client_of, administrator, person):
    client = client_of(administrator)
    said = {"username": "new-one", "full_name": "新人", "password": "quite-another-77", "email": NEW}
    assert client.post("/users/new/", said).status_code == 302
    assert User.objects.get(username="new-one").email == NEW

    assert client.post(f"/users/{person.pk}/email/", {"email": "bad"}).context["email_form"].errors
    assert email_of(person) == ""
    assert client.post(f"/users/{person.pk}/email/", {"email": NEW}).status_code == 302
    assert email_of(person) == NEW
    assert NEW in client.get(f"/users/{person.pk}/").content.decode()
    assert AuditEntry.objects.latest("pk").detail == {"before": "", "after": NEW}
    assert told(person) == 1


def test_nobody_else_sets_it_and_what_is_the_same_is_not_recorded(person, make_user, organisation):
    other = make_user("WORKER", organisation, username="other")
    with pytest.raises(NotPermitted):
        emails.set_email(user=person, email=NEW, by=other, now=timezone.now())
    emails.set_email(user=person, email=NEW, by=person, now=timezone.now())
    before = AuditEntry.objects.count()
    emails.set_email(user=person, email=NEW, by=person, now=timezone.now())
    assert AuditEntry.objects.count() == before
