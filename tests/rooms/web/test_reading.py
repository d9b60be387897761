"""What people read on a page: names instead of keys, numbers as they are written, no button that is refused."""

import hashlib
import re
from datetime import date
from decimal import Decimal

import pytest

from tests.conftest import NOW
from tests.rooms.reviews.titles import answered, given
from tests.rooms.reviews.world import (
    CHONGQING,
    CHONGQING_FACTORY,
    CHONGQING_FACTORY_2024,
    advance,
    build,
    handed_in,
    round_of,
)
from wufei.cases import services as case_services
from wufei.indicators import services as indicators
from wufei.ledger import services as ledger_services
from wufei.ledger.kinds import Kind
from wufei.ledger.posting import Draft
from wufei.reviews.models import Application
from wufei.terms.mass import Mass
from wufei.web.templatetags.wufei import amount, edition_title, rounded

BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture(autouse=True)
def today(monkeypatch, settings):
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


@pytest.fixture
def world(db):
    return build()


def words_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Decimal("186000.000000"), "186,000"),
        (Decimal("0.0476190476"), "0.047619"),
        (Decimal("0.0000005"), "0.000001"),  # half up
        (Decimal("-12.50"), "-12.5"),
        (Decimal("12345678901234567890.1234565"), "12,345,678,901,234,567,890.123457"),
        (None, "—"),
    ],
)
def test_a_number_is_rounded_without_zeros_at_its_end(value, expected):
    assert amount(rounded(value, 6)) == expected


def test_an_edition_is_called_by_its_title():
    assert edition_title(CHONGQING_FACTORY_2024) == "重庆市绿色工厂认定"
    assert edition_title("gone-2020") == "版本已撤下（gone-2020）"


@pytest.mark.parametrize("known", [True, False])
def test_the_pages_of_a_title_name_the_edition(client, world, known):
    title = given(world, edition=CHONGQING_FACTORY_2024 if known else "gone-2020")
    answered(world, title, 2025, "88")
    uscc = {
        who: org.uscc for who, org in (("city", world.authorities["CITY_INDUSTRY"]), ("own", world.works))
    }
    pages = {}
    for who, address in (
        (None, f"/public/register/{title.pk}/"),
        ("CITY_INDUSTRY", f"/o/{uscc['city']}/register/titles/{title.pk}/"),
        ("applicant", f"/o/{uscc['own']}/titles/{title.pk}/"),
    ):
        if who:
            client.force_login(world.people[who], backend=BACKEND)
        pages[who] = words_of(client.get(address).content.decode())

    name = "重庆市绿色工厂认定" if known else "版本已撤下（gone-2020）"
    assert all(CHONGQING_FACTORY_2024 not in page for page in pages.values())
    assert (
        pages["CITY_INDUSTRY"].count(name) == pages["applicant"].count(name) == 2
    )  # the facts, and the answer
    assert ("重庆市绿色园区和绿色工厂认定管理办法" if known else name) in pages[None]


def test_the_page_of_a_judgement_writes_amounts_as_people_do(client, world):
    works, by = world.works, world.people["applicant"]
    said = {"organisation": works, "by": by, "now": NOW}
    ledger_services.declare_store(code="库1", name="一号库", **said)
    ledger_services.declare_stream(
        code="S1", name="炉渣", waste_code="900-002-S03", process_name="工序1", **said
    )
    drafts = [
        Draft(
            kind=Kind.GENERATION,
            moved_on=date(2025, 1, 10),
            stream_code="S1",
            mass=Mass.of("100", "吨"),
            store_code="库1",
        )
    ]
    ledger_services.post(drafts=drafts, **said)
    indicators.state_operation(
        year=2025, output_value_10k_yuan=Decimal(186_000), sales_10k_yuan=None, value_added_10k_yuan=Decimal(71_000),
        source="测试", **said,
    )  # fmt: skip
    client.force_login(world.people["DISTRICT_INDUSTRY"], backend=BACKEND)

    page = client.get(
        f"/o/{works.uscc}/evaluation/chongqing-2026-6-enterprise/2025/judge/quality-scale/scale/"
    )

    assert "186,000 万元" in words_of(page.content.decode())


# ---- S7: who recommends does not approve ------------------------------------------------------


@pytest.fixture
def to_be_decided(world) -> Application:
    """A case at the last decision, where `CITY_INDUSTRY` passed the stages before."""
    return advance(world, handed_in(world, round_of(world, CHONGQING_FACTORY)), "decision")


def buttons(client, user, application) -> dict[str, bool]:
    """Return the acts that the page offers, and whether each can be pressed."""
    client.force_login(user, backend=BACKEND)
    page = client.get(f"/reviews/applications/{application.code}/").content.decode()
    found = re.findall(r'<button[^>]* name="act" value="(\w+):CITY_INDUSTRY"([^>]*)>', page)
    return {action: "disabled" not in rest for action, rest in found}


def test_who_recommended_is_told_why_not_to_approve(client, world, to_be_decided):
    who = world.people["CITY_INDUSTRY"]

    offered = buttons(client, who, to_be_decided)

    assert offered["RECOGNISE"] is False
    assert offered["REFUSE"] is False
    page = client.get(f"/reviews/applications/{to_be_decided.code}/").content.decode()
    assert "请由他人办理" in words_of(page)
    assert 'id="words"' not in page  # there is nothing to write an opinion for
    refused = client.post(
        f"/reviews/applications/{to_be_decided.code}/decide/",
        {"act": "RECOGNISE:CITY_INDUSTRY", "version": to_be_decided.version, "words": "同意"},
    )
    assert refused.status_code == 422  # the button told the truth


def test_a_colleague_approves(client, world, to_be_decided):
    assert buttons(client, world.people["CITY_INDUSTRY_2"], to_be_decided)["RECOGNISE"] is True
    page = client.get(f"/reviews/applications/{to_be_decided.code}/").content.decode()
    assert 'id="words"' in page
    assert "请由他人办理" not in page


# ---- the editor of a case, pressed while an autosave is on its way ----------------------------


def test_saving_all_goes_on_where_an_autosave_of_another_text_came_between(client, world, monkeypatch):
    works, by = world.works, world.people["applicant"]
    case = case_services.open_case(organisation=works, edition_id=CHONGQING, year=2025, by=by, now=NOW)
    save_draft, came = case_services.save_draft, []

    def with_an_autosave_between(**said):
        if not came:
            came.append(1)
            save_draft(case=case, version=case.version, changes={"plan": "计划"}, by=by, now=NOW)
        return save_draft(**said)

    monkeypatch.setattr(case_services, "save_draft", with_an_autosave_between)
    client.force_login(by, backend=BACKEND)
    empty = hashlib.sha256(b"").hexdigest()[:16]
    said = {"plan": "计划", "base-plan": empty, "results": "成效", "base-results": empty}

    answer = client.post(f"/o/{works.uscc}/cases/{case.pk}/", said)

    case.refresh_from_db()
    assert (answer.status_code, case.plan, case.results) == (302, "计划", "成效")
