"""Anybody can object to what stands in a running notice, and learn what became of it; no flood, no forgery."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.rooms.portal.conftest import EVE, words_of
from tests.rooms.reviews.world import PDF
from wufei.portal.models import AttemptCount
from wufei.portal.services import LIMITS, TooOften, note_attempt
from wufei.reviews.clock import end_of
from wufei.reviews.models import Objection, ObjectionEvidence
from wufei.reviews.services import notices

SAID = {"name": "李四", "contact": "138 0000-0000", "words": "该厂去年受过处罚。"}


def address(notice, position=1) -> str:
    return f"/public/notices/{notice.pk}/{position}/objection/"


def test_an_objection_is_taken_in_with_its_files_and_gets_a_number(client, notice):
    files = [SimpleUploadedFile(f"{n}.pdf", PDF, "application/pdf") for n in (1, 2)]

    response = client.post(address(notice), SAID | {"papers": files}, follow=True)

    objection = Objection.objects.get()
    assert objection.code in words_of(response)
    assert (objection.objector_name, objection.objector_contact, objection.words) == tuple(SAID.values())
    assert objection.item.name_shown == "綦江建材有限公司"
    assert sorted(ObjectionEvidence.objects.values_list("file_name", flat=True)) == ["1.pdf", "2.pdf"]
    assert "李四" not in words_of(response)


def test_a_receipt_is_shown_only_to_who_handed_it_in(client, notice):
    client.post(address(notice), SAID)

    assert client.get("/public/objections/received/").status_code == 404
    forged = f"/public/objections/received/?t={Objection.objects.get().code}"
    assert client.get(forged).status_code == 404


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"name": ""}, "必填"),
        ({"contact": ""}, "必填"),
        ({"words": ""}, "必填"),
        ({"words": "长" * 5001}, "5000"),
        ({"website": "http://spam.example"}, "请不要使用自动填写"),
    ],
)
def test_an_unsound_objection_is_refused_and_the_form_says_why(client, notice, changed, words):
    response = client.post(address(notice), SAID | changed)

    assert response.status_code == 422
    assert words in words_of(response)
    assert not Objection.objects.exists()


def test_files_that_may_not_be_kept_are_refused_with_the_reason_and_nothing_stays(client, notice):
    wrong = SimpleUploadedFile("a.pdf", b"MZ\x90", "application/pdf")
    many = [SimpleUploadedFile(f"{n}.pdf", PDF) for n in range(6)]

    assert "文件内容与扩展名不符" in words_of(client.post(address(notice), SAID | {"papers": [wrong]}))
    assert "最多 5 个文件" in words_of(client.post(address(notice), SAID | {"papers": many}))
    assert not Objection.objects.exists()
    assert not ObjectionEvidence.objects.exists()


def test_a_body_that_is_too_long_is_refused_before_it_is_read(notice):
    class Unread:
        def read(self, *_):
            raise AssertionError("the body was read")

        readline = read

    response = Client(enforce_csrf_checks=True).generic(
        "POST", address(notice), b"", content_type="multipart/form-data; boundary=x",
        CONTENT_LENGTH=str(42 * 1024 * 1024), **{"wsgi.input": Unread()},
    )  # fmt: skip

    assert response.status_code == 413
    assert "40 MB" in words_of(response)


def test_another_site_cannot_object_in_a_visitors_name(notice):
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(address(notice), SAID).status_code == 403
    assert strict.post("/public/objections/", {"code": "x", "contact": "y"}).status_code == 403
    assert not Objection.objects.exists()

    page = strict.get(address(notice))
    token = page.context["csrf_token"]
    assert strict.post(address(notice), SAID | {"csrfmiddlewaretoken": str(token)}).status_code == 302


def test_an_address_objects_only_so_often_in_an_hour(client, notice, monkeypatch):
    for _ in range(LIMITS["objection"]):
        assert client.post(address(notice), SAID | {"words": ""}).status_code == 422
    refused = client.post(address(notice), SAID)

    assert (refused.status_code, Objection.objects.count()) == (429, 0)
    assert "提交过于频繁" in words_of(refused)
    assert client.post(address(notice), SAID, REMOTE_ADDR="192.0.2.7").status_code == 302
    monkeypatch.setattr("django.utils.timezone.now", lambda: EVE + timedelta(hours=1))
    assert client.post(address(notice), SAID).status_code == 302


def test_who_forges_the_passing_on_of_an_address_is_counted_as_itself(client, notice):
    for n in range(LIMITS["objection"]):
        client.post(address(notice), SAID | {"words": ""}, HTTP_X_FORWARDED_FOR=f"192.0.2.{n}")

    assert client.post(address(notice), SAID, HTTP_X_FORWARDED_FOR="192.0.2.99").status_code == 429


def test_addresses_are_kept_as_digests_and_not_for_long(client, notice, db):
    client.post(address(notice), SAID)
    assert "127.0.0.1" not in str(list(AttemptCount.objects.values()))

    note_attempt(kind="lookup", address_digest="x", now=EVE + timedelta(days=3))
    assert AttemptCount.objects.count() == 1


def test_the_limit_is_reached_exactly(db):
    for _ in range(LIMITS["lookup"]):
        note_attempt(kind="lookup", address_digest="x", now=EVE)

    with pytest.raises(TooOften):
        note_attempt(kind="lookup", address_digest="x", now=EVE)
    note_attempt(kind="lookup", address_digest="y", now=EVE)


def test_what_became_of_it_is_told_to_who_knows_number_and_contact(client, world, notice):
    client.post(address(notice), SAID)
    objection = Objection.objects.get()
    asked = {"code": objection.code.lower(), "contact": "13800000000"}  # written another way

    before = client.post("/public/objections/", asked)
    notices.decide_objection(
        objection=objection,
        is_upheld=False,
        words="经核实不属实。",
        by=world.people["CITY_INDUSTRY"],
        now=EVE,
    )
    after = client.post("/public/objections/", asked)

    assert "正在核实" in words_of(before)
    assert "异议不成立" in words_of(after)
    assert "经核实不属实。" in words_of(after)
    assert "李四" not in words_of(after)


@pytest.mark.parametrize(
    "wrong", [{"contact": "13900000000"}, {"code": "YY20260929-FFFFFF"}, {"contact": " -"}]
)
def test_without_the_right_contact_not_even_its_being_there_is_told(client, notice, wrong):
    client.post(address(notice), SAID)
    objection = Objection.objects.get()

    response = client.post("/public/objections/", {"code": objection.code, "contact": "13800000000"} | wrong)

    assert response.status_code == 422
    assert "綦江建材有限公司" not in words_of(response)


def test_guessing_numbers_comes_to_an_end(client, notice):
    for n in range(LIMITS["lookup"]):
        client.post("/public/objections/", {"code": f"YY20260929-{n:06d}", "contact": "1"})

    assert client.post("/public/objections/", {"code": "YY", "contact": "1"}).status_code == 429


def test_on_the_last_day_it_is_taken_in_and_after_it_no_more(client, notice, monkeypatch):
    last = end_of(notice.ends_on)
    monkeypatch.setattr("django.utils.timezone.now", lambda: last - timedelta(seconds=1))
    assert client.post(address(notice), SAID).status_code == 302

    monkeypatch.setattr("django.utils.timezone.now", lambda: last)
    late = client.post(address(notice, 2), SAID)

    assert "公示已经结束" in words_of(late)
    assert Objection.objects.count() == 1


def test_nobody_can_object_to_what_is_not_in_a_notice(client, notice):
    assert client.get(address(notice, 3)).status_code == 404
    assert client.post(f"/public/notices/{notice.pk + 1}/1/objection/", SAID).status_code == 404
