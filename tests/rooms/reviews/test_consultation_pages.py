"""Consulted departments on their pages: asked, heard for themselves alone, and on record where they are silent."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.template import Context, Template
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.rooms.reviews import world as worlds
from wufei.reviews.models import Consultation
from wufei.reviews.services import consultations

# Held here, and not in the table of every route: who may follows from who is asked.
ROUTES = frozenset(
    f"reviews:{name}"
    for name in ("consultations", "consultation", "close-consultation", "consultation-document", "consult")
)


@pytest.fixture
def world(db):
    made = worlds.build(experts=0)
    made.now = timezone.now()
    return made


@pytest.fixture
def round_(world):
    return worlds.round_of(world, worlds.CHONGQING_FACTORY, now=world.now)


@pytest.fixture
def application(world, round_):
    return at_consultation(world, round_)


def at_consultation(world, round_, works=None):
    handed = worlds.handed_in(world, round_, works, now=world.now)
    return worlds.advance(world, handed, "consultation", now=world.now)


def asked(world, application, *, now=None):
    rows = consultations.consult(
        application=application, by=world.people["DISTRICT_INDUSTRY"], now=now or world.now
    )
    return {row.department: row for row in rows}


def overdue(world, application):
    """Ask long ago, so that the term is over by the clock of the pages."""
    return asked(world, application, now=world.now - timedelta(days=60))


def reply(client, world, row, *, by, **said):
    client.force_login(world.people[by])
    return client.post(reverse("reviews:consultation", args=[row.pk]), {"opinion": "NO_OBJECTION"} | said)


def partial(world, application, person) -> str:
    request = RequestFactory().get("/")
    request.user = world.people[person]
    template = Template('{% include "reviews/_consultations.html" %}')
    return template.render(Context({"application": application, "request": request}))


def scan():
    return SimpleUploadedFile("复函.pdf", worlds.PDF, "application/pdf")


# ---- who asks --------------------------------------------------------------------------------


def test_the_chosen_departments_are_asked_and_the_others_not_yet(client, world, application):
    client.force_login(world.people["DISTRICT_INDUSTRY"])

    client.post(reverse("reviews:consult", args=[application.code]), {"departments": ["税务部门"]})

    assert list(Consultation.objects.values_list("department", flat=True)) == ["税务部门"]
    body = partial(world, application, "DISTRICT_INDUSTRY")
    assert body.count('name="departments"') == 4
    assert "不视为同意" in body


@pytest.mark.parametrize("person", ["CITY_INDUSTRY", "OTHER_DISTRICT_INDUSTRY", "applicant", "nobody"])
def test_nobody_else_asks(client, world, application, person):
    client.force_login(world.people[person])

    client.post(reverse("reviews:consult", args=[application.code]), {"departments": ["税务部门"]})

    assert not Consultation.objects.exists()


# ---- the department --------------------------------------------------------------------------


def test_a_department_s_officer_sees_what_is_asked_of_it_with_the_deadline(client, world, application):
    row = asked(world, application)["税务部门"]
    client.force_login(world.people["DISTRICT_TAX"])

    body = client.get(reverse("reviews:consultations")).content.decode()

    assert reverse("reviews:consultation", args=[row.pk]) in body
    assert row.due_on.isoformat() in body
    assert body.count("綦江建材有限公司") == 1
    client.force_login(world.people["CITY_TAX"])
    assert "綦江建材有限公司" not in client.get(reverse("reviews:consultations")).content.decode()


def test_the_page_shows_what_was_claimed_and_not_what_others_said(client, world, application):
    rows = asked(world, application)
    reply(
        client, world, rows["市场监管部门"], by="DISTRICT_MARKET", opinion="OBJECTION", words="有行政处罚。"
    )
    client.force_login(world.people["DISTRICT_TAX"])

    body = client.get(reverse("reviews:consultation", args=[rows["税务部门"].pk])).content.decode()

    assert "炉渣制砖。" in body
    assert "有行政处罚。" not in body
    assert "不视为同意" in body


def test_a_reply_with_its_file_is_kept(client, world, application):
    row = asked(world, application)["税务部门"]

    answer = reply(client, world, row, by="DISTRICT_TAX", opinion="REMARKS", words="请核实。", file=scan())

    assert answer.status_code == 302
    row.refresh_from_db()
    assert (row.opinion, row.words, row.file_name) == ("REMARKS", "请核实。", "复函.pdf")
    document = reverse("reviews:consultation-document", args=[row.pk])
    got = {}
    for person in (
        "DISTRICT_TAX",
        "DISTRICT_INDUSTRY",
        "DISTRICT_MARKET",
        "OTHER_DISTRICT_INDUSTRY",
        "applicant",
    ):
        client.force_login(world.people[person])
        got[person] = client.get(document).status_code
    assert got == {
        "DISTRICT_TAX": 200,
        "DISTRICT_INDUSTRY": 200,
        "DISTRICT_MARKET": 404,
        "OTHER_DISTRICT_INDUSTRY": 404,
        "applicant": 404,
    }


def test_a_reply_that_is_refused_keeps_what_was_typed(client, world, application):
    row = asked(world, application)["税务部门"]

    answer = reply(client, world, row, by="DISTRICT_TAX", opinion="OBJECTION", words=" ")

    assert answer.status_code == 422
    assert "请填写意见或理由" in answer.content.decode()
    row.refresh_from_db()
    assert row.opinion == ""


def test_who_comes_second_is_told_with_409(client, world, application):
    row = asked(world, application)["税务部门"]
    assert reply(client, world, row, by="DISTRICT_TAX").status_code == 302

    assert reply(client, world, row, by="DISTRICT_TAX").status_code == 409


@pytest.mark.parametrize(
    "person", ["DISTRICT_MARKET", "CITY_INDUSTRY", "OTHER_DISTRICT_INDUSTRY", "applicant", "nobody"]
)
def test_nobody_else_opens_the_page(client, world, application, person):
    row = asked(world, application)["税务部门"]

    assert reply(client, world, row, by=person).status_code == 404
    assert client.get(reverse("reviews:consultation", args=[row.pk])).status_code == 404


def test_who_asked_enters_a_paper_reply_with_its_scan_only(client, world, application):
    row = asked(world, application)["税务部门"]

    assert reply(client, world, row, by="DISTRICT_INDUSTRY").status_code == 422
    assert reply(client, world, row, by="DISTRICT_INDUSTRY", file=scan()).status_code == 302

    row.refresh_from_db()
    assert (row.opinion, row.answered_by) == ("NO_OBJECTION", world.people["DISTRICT_INDUSTRY"])


# ---- silence ---------------------------------------------------------------------------------


def test_silence_goes_on_record_after_the_term_and_is_shown_as_no_consent(client, world, application):
    row = overdue(world, application)["税务部门"]
    assert "登记为未答复" in partial(world, application, "DISTRICT_INDUSTRY")
    client.force_login(world.people["DISTRICT_INDUSTRY"])

    client.post(reverse("reviews:close-consultation", args=[row.pk]))

    row.refresh_from_db()
    assert row.closed_unanswered_at is not None
    assert row.opinion == ""
    assert "登记，不视为同意" in partial(world, application, "DISTRICT_INDUSTRY")


def test_before_the_term_is_over_nothing_goes_on_record(client, world, application):
    row = asked(world, application)["税务部门"]
    assert "登记为未答复</button>" not in partial(world, application, "DISTRICT_INDUSTRY")
    client.force_login(world.people["DISTRICT_INDUSTRY"])

    client.post(reverse("reviews:close-consultation", args=[row.pk]))

    row.refresh_from_db()
    assert row.closed_unanswered_at is None


def test_a_department_does_not_close_its_own_silence(client, world, application):
    row = overdue(world, application)["税务部门"]
    client.force_login(world.people["DISTRICT_TAX"])

    client.post(reverse("reviews:close-consultation", args=[row.pk]))

    row.refresh_from_db()
    assert row.closed_unanswered_at is None


# ---- the partial of the application's page ---------------------------------------------------


def test_those_who_decide_read_every_opinion_and_a_department_its_own(client, world, application):
    rows = asked(world, application)
    reply(client, world, rows["税务部门"], by="DISTRICT_TAX", opinion="REMARKS", words="税务说的。")
    reply(client, world, rows["市场监管部门"], by="DISTRICT_MARKET", opinion="OBJECTION", words="市场说的。")

    for person in ("DISTRICT_INDUSTRY", "CITY_INDUSTRY"):
        body = partial(world, application, person)
        assert "税务说的。" in body
        assert "市场说的。" in body
    body = partial(world, application, "DISTRICT_TAX")
    assert "税务说的。" in body
    assert "市场说的。" not in body
    assert "市场监管部门" not in body


def test_the_list_asks_the_database_as_often_for_three_as_for_one(
    client, world, round_, application, django_assert_num_queries
):
    asked(world, application)
    client.force_login(world.people["DISTRICT_TAX"])
    page = reverse("reviews:consultations")
    client.get(page)
    with CaptureQueriesContext(connection) as one:
        client.get(page)
    for name in ("乙厂", "丙厂"):
        asked(world, at_consultation(world, round_, worlds.applicant(world, name)))
    with django_assert_num_queries(len(one)):
        assert client.get(page).content.decode().count("待答复</td>") == 3


@pytest.mark.parametrize(("state", "shown"), [("open", 0), ("answered", 1), ("silent", 0), ("", 1)])
def test_the_list_is_narrowed_by_what_became_of_it(client, world, application, state, shown):
    reply(client, world, asked(world, application)["税务部门"], by="DISTRICT_TAX")

    body = client.get(reverse("reviews:consultations"), {"state": state}).content.decode()

    assert body.count("綦江建材有限公司") == shown
