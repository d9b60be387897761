"""The pages of the register: an authority's, and a holder's own."""

import io
from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook

from tests.rooms.reviews import world as worlds
from tests.rooms.reviews.titles import answered, given, happened
from wufei.reviews.models import ChangeReport, Message, Reevaluation, Title

F2024, F2026 = worlds.CHONGQING_FACTORY_2024, worlds.CHONGQING_FACTORY
UNATTENDED = "revocation-1-unattended"


@pytest.fixture(autouse=True)
def _on_the_first_of_july(monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: worlds.NOW)


@pytest.fixture
def world(db):
    return worlds.build(experts=0)


@pytest.fixture
def as_(world):
    """A browser of a person, and the addresses under its organisation: `as_("CITY_INDUSTRY")`."""

    def sign_in(key):
        client = Client()
        client.force_login(world.people[key])
        own = world.works if key == "applicant" else world.authorities[key.removesuffix("_2")]
        return client, f"/o/{own.uscc}"

    return sign_in


def text(response) -> str:
    return response.content.decode()


# ---- the authority's


def test_the_list_is_of_a_day_narrowed_searched_and_exported(world, as_):
    title = given(world, number="编号甲")
    given(world, worlds.applicant(world, "渝北公司", worlds.OTHER_DISTRICT), "编号乙", edition=F2026)
    happened(world, title, "RENAMED", date(2025, 1, 1), holder_name="新名称公司")
    client, own = as_("CITY_INDUSTRY")

    everything = text(client.get(f"{own}/register/"))
    before = text(client.get(f"{own}/register/", {"at": "2024-12-31"}))
    found = text(client.get(f"{own}/register/", {"q": "新名称"}))
    narrowed = text(client.get(f"{own}/register/", {"edition": F2026, "state": "IN_FORCE", "level": "CITY"}))
    sheet = load_workbook(io.BytesIO(client.get(f"{own}/register/", {"export": "xlsx"}).content)).active

    assert "新名称公司" in everything
    assert "编号乙" in everything
    assert "新名称公司" not in before
    assert world.works.name in before
    assert "编号甲" in found
    assert "编号乙" not in found
    assert "编号乙" in narrowed
    assert "编号甲" not in narrowed
    assert [row[0].value for row in sheet.iter_rows()] == ["编号", "编号乙", "编号甲"]
    assert [row[3].value for row in sheet.iter_rows()] == ["持有人", "渝北公司", "新名称公司"]


def test_a_district_sees_the_titles_of_its_own_and_ends_none(world, as_):
    mine = given(world, number="编号甲")
    other = given(world, worlds.applicant(world, "渝北公司", worlds.OTHER_DISTRICT), "编号乙")
    client, own = as_("DISTRICT_INDUSTRY")

    listed = text(client.get(f"{own}/register/"))
    page = client.get(f"{own}/register/titles/{mine.pk}/")

    assert "编号甲" in listed
    assert "编号乙" not in listed
    assert page.status_code == 200
    assert "移出或撤销" not in text(page)
    assert client.get(f"{own}/register/titles/{other.pk}/").status_code == 404
    assert client.get(f"{own}/register/titles/{mine.pk}/end/").status_code == 404
    assert client.get(f"{own}/register/titles/{mine.pk}/warn/2026/").status_code == 404


def test_nobody_opens_another_authoritys_register(world, as_):
    given(world)
    client, _ = as_("DISTRICT_INDUSTRY")
    city = world.authorities["CITY_INDUSTRY"].uscc

    for page in ("register/", "register/changes/", "register/reevaluation/", "cultivation/", "credit-facts/"):
        assert client.get(f"/o/{city}/{page}").status_code in (403, 404), page


def test_a_title_is_entered_for_what_was_recognised(world, as_):
    world.experts = [worlds.add_expert(world, at) for at in (1, 2, 3)]
    application = worlds.advance(world, worlds.handed_in(world, worlds.round_of(world, F2024)))
    client, own = as_("CITY_INDUSTRY")
    address = f"{own}/register/grant/{application.pk}/"
    said = {"number": "CQ-1", "granted_on": "2026-07-01", "document": "渝经信〔2026〕1号"}

    assert address in text(client.get(f"{own}/register/"))
    assert client.post(address, said | {"number": ""}).status_code == 422
    assert client.post(address, said).status_code == 302
    assert Title.objects.get().number == "CQ-1"
    assert client.get(address).status_code == 404


def end_it(client, own, title, **said):
    defaults = {
        "kind": "REVOKED",
        "cause": UNATTENDED,
        "on": "2026-03-10",
        "document": "",
        "words": "",
        "seen": 1,
    }
    return client.post(f"{own}/register/titles/{title.pk}/end/", defaults | said)


def test_an_end_is_first_shown_as_it_will_be_announced_and_then_made(world, as_):
    title = given(world, number="CQ-1")
    client, own = as_("CITY_INDUSTRY")

    assert client.get(f"{own}/register/titles/{title.pk}/end/").status_code == 200
    preview = end_it(client, own, title, preview="1")
    assert title.events.count() == 1
    assert f"关于撤销{title.name_given}重庆市绿色工厂称号的公告" in text(preview)
    assert "2029年3月10日及以前不得重新申报" in text(preview)
    words = preview.context["form"]["words"].value()
    done = end_it(client, own, title, words=words, announce="1")

    assert done.status_code == 302
    event = title.events.get(kind="REVOKED")
    assert event.words == words
    shown = text(client.get(f"{own}/register/titles/{title.pk}/"))
    assert "2029-03-10 及以前不得申报" in shown
    assert "未按规定参加复审" in shown
    again = end_it(client, own, title, words=words, announce="1")
    assert again.status_code == 409
    assert "已有人先作出处理" in text(again)


def test_an_end_decided_on_what_has_changed_since_is_refused(world, as_):
    title = given(world, number="CQ-1")
    client, own = as_("CITY_INDUSTRY")
    happened(world, title, "RENAMED", date(2026, 1, 1), holder_name="新名称公司")

    stale = end_it(client, own, title, words="公告。", announce="1", seen=1)

    assert stale.status_code == 409
    assert not title.events.filter(kind="REVOKED").exists()


def test_a_revocation_is_not_offered_by_a_call_that_only_removes(world, as_):
    title = given(world, edition=F2026)
    client, own = as_("CITY_INDUSTRY")

    refused = end_it(client, own, title, cause="lifecycle-false-data", preview="1")

    assert refused.status_code == 422
    assert "请办理移出" in text(refused)


# ---- changes


def test_a_change_goes_from_the_holder_over_the_district_to_the_city(world, as_):
    title = given(world, number="CQ-1")
    holder, works = as_("applicant")
    district, district_own = as_("DISTRICT_INDUSTRY")
    city, city_own = as_("CITY_INDUSTRY")
    said = {
        "kind": "RENAME",
        "completed_on": "2026-06-01",
        "new_name": "新名称公司",
        "successor": "",
        "words": "",
    }
    address = f"{works}/titles/{title.pk}/change/"

    assert "30 个工作日内" in text(holder.get(address))
    wrong = holder.post(address, said | {"new_name": ""})
    assert wrong.status_code == 422
    assert "请填写与现名称不同的新名称" in text(wrong)
    bad = holder.post(address, said | {"file": SimpleUploadedFile("a.exe", b"MZ")})
    assert bad.status_code == 422
    assert not ChangeReport.objects.exists()
    assert (
        holder.post(address, said | {"file": SimpleUploadedFile("通知书.pdf", worlds.PDF)}).status_code == 302
    )
    report = ChangeReport.objects.get()

    before = city.post(f"{city_own}/register/changes/{report.pk}/", {"answer": "YES", "version": 1})
    assert before.status_code == 404  # the district comes first
    assert "CQ-1" in text(
        district.get(f"{district_own}/register/changes/", {"state": "REPORTED", "q": "新名称"})
    )
    page = f"{district_own}/register/changes/{report.pk}/"
    assert "区县审核" in text(district.get(page))
    assert b"".join(district.get(f"{page}file/").streaming_content) == worlds.PDF
    assert b"".join(holder.get(f"{address}{report.pk}/file/").streaming_content) == worlds.PDF
    assert district.post(page, {"answer": "NO", "words": "", "version": 1}).status_code == 422
    assert district.post(page, {"answer": "YES", "words": "属实", "version": 9}).status_code == 409
    assert district.post(page, {"answer": "YES", "words": "属实", "version": 1}).status_code == 302
    page = f"{city_own}/register/changes/{report.pk}/"
    assert "调整名单" in text(city.get(page))
    assert city.post(page, {"answer": "YES", "words": "", "document": "文", "version": 2}).status_code == 302

    assert "新名称公司" in text(city.get(f"{city_own}/register/"))
    assert "已调整" in text(holder.get(f"{works}/titles/{title.pk}/"))


def test_a_closure_is_recorded_for_a_cause(world, as_):
    title = given(world)
    report = ChangeReport.objects.create(
        title=title, kind="CLOSURE", completed_on=date(2026, 6, 1), due_on=date(2026, 7, 14),
        state="DISTRICT_AGREED", reported_at=worlds.NOW, reported_by=world.people["applicant"],
    )  # fmt: skip
    client, own = as_("CITY_INDUSTRY")
    said = {"answer": "YES", "words": "依法终止。", "document": "", "version": 1}

    client.post(f"{own}/register/changes/{report.pk}/", said | {"cause": "revocation-3-terminated"})

    assert title.events.get(kind="REVOKED").cause == "revocation-3-terminated"


def test_a_change_of_another_district_is_not_there(world, as_):
    title = given(world, worlds.applicant(world, "渝北公司", worlds.OTHER_DISTRICT))
    report = ChangeReport.objects.create(
        title=title, kind="RENAME", completed_on=date(2026, 6, 1), due_on=date(2026, 7, 14), new_name="乙",
        reported_at=worlds.NOW, reported_by=world.people["applicant"],
    )  # fmt: skip
    client, own = as_("DISTRICT_INDUSTRY")

    for page in ("", "file/"):
        assert client.get(f"{own}/register/changes/{report.pk}/{page}").status_code == 404
    holder, works = as_("applicant")
    for page in ("", "change/", "answer/", f"change/{report.pk}/file/"):
        assert holder.get(f"{works}/titles/{title.pk}/{page}").status_code == 404


# ---- the yearly life


@pytest.fixture
def years(world):
    titles = [
        given(world, worlds.organisation(f"企业{n:02d}"), f"T{n:02d}", on=date(2022, 5, 10))
        for n in range(1, 22)
    ]
    for year in (2024, 2025, 2026):
        for n, title in enumerate(titles[:20], 1):
            answered(world, title, year, str(60 + n))
    return titles


def test_a_year_is_shown_with_its_proof_and_exported(world, as_, years):
    client, own = as_("CITY_INDUSTRY")
    asked = {"edition": F2026, "year": 2026}

    page = text(client.get(f"{own}/register/reevaluation/", asked))
    sheet = load_workbook(
        io.BytesIO(client.get(f"{own}/register/reevaluation/", asked | {"export": "xlsx"}).content)
    ).active

    assert "2024 年得分 61，20 个中第 20，末位最高分 61" in page
    assert "连续 3 年" in page
    assert "我们的读法" in page
    assert "2026-07-24" in page
    assert f"/register/titles/{years[20].pk}/warn/2026/" in page  # has not answered
    last = [cell.value for cell in list(sheet.iter_rows())[-1]]
    assert last == [20, "T01", "企业01", years[0].organisation.uscc, "61", "是", 3, "是"]


def test_who_has_not_answered_is_reminded_and_warned(world, as_, years):
    worlds.person("officer21", "ENVIRONMENT_OFFICER", years[20].organisation)
    client, own = as_("CITY_INDUSTRY")

    reminded = client.post(f"{own}/register/reevaluation/{F2026}/2026/remind/")
    address = f"{own}/register/titles/{years[20].pk}/warn/2026/"
    said = {"cause": f"{F2026}/lifecycle-re-evaluation", "words": "请于7月31日前完成。"}

    assert reminded.status_code == 302
    assert Message.objects.count() == 1
    assert client.get(address).status_code == 200
    assert client.post(address, said | {"words": ""}).status_code == 422
    assert client.post(address, said).status_code == 302
    assert client.post(address, said).status_code == 409
    page = text(client.get(f"{own}/register/reevaluation/", {"edition": F2026, "year": 2026}))
    assert "发出限期整改，仍未开展" in page
    assert client.post(f"{own}/register/reevaluation/{worlds.MIIT}/2026/remind/").status_code == 404


def test_a_district_sees_the_scores_of_its_own_only(world, as_, years):
    given(world, worlds.organisation("渝北公司", division=worlds.OTHER_DISTRICT), "别区", on=date(2022, 1, 1))
    client, own = as_("DISTRICT_INDUSTRY")

    page = text(client.get(f"{own}/register/reevaluation/", {"edition": F2026, "year": 2026}))

    assert "T01" in page
    assert "别区" not in page
    assert "限期整改</" not in page


def test_a_holder_sees_what_is_due_and_answers(world, as_):
    title = given(world, number="CQ-1")
    client, own = as_("applicant")

    listed = text(client.get(f"{own}/titles/"))
    shown = client.get(f"{own}/titles/{title.pk}/answer/")
    done = client.post(f"{own}/titles/{title.pk}/answer/")
    twice = client.post(f"{own}/titles/{title.pk}/answer/")

    assert "CQ-1" in listed
    assert "年度自评价对标" in listed
    assert shown.status_code == 200
    assert "材料不全" in text(shown)
    assert (done.status_code, twice.status_code) == (302, 409)
    assert Reevaluation.objects.get().title == title
    assert "年度自评价对标已提交" in text(client.get(f"{own}/titles/{title.pk}/"))


def test_a_holder_sees_until_when_it_is_barred(world, as_):
    happened(
        world, given(world), "REVOKED", date(2026, 3, 10), cause=UNATTENDED, bars_until=date(2029, 3, 10)
    )  # fmt: skip
    client, own = as_("applicant")

    assert "2029-03-10 及以前不得申报" in text(client.get(f"{own}/titles/"))


# ---- counted


@pytest.mark.parametrize(
    ("who", "page"),
    [
        ("CITY_INDUSTRY", "register/"), ("CITY_INDUSTRY", "register/changes/"),
        ("CITY_INDUSTRY", "register/reevaluation/"), ("applicant", "titles/"),
    ],
)  # fmt: skip
def test_a_list_asks_the_same_number_of_queries_for_one_row_and_for_three(world, as_, who, page):
    client, own = as_(who)
    client.get(f"{own}/{page}")
    counts = []
    for number in range(1, 4):
        title = given(world, number=f"T{number}")
        answered(world, title, 2025, "70")
        ChangeReport.objects.create(
            title=title, kind="RENAME", completed_on=date(2026, 6, 1), due_on=date(2026, 7, 14), new_name="乙",
            reported_at=worlds.NOW, reported_by=world.people["applicant"],
        )  # fmt: skip
        if number != 2:
            with CaptureQueriesContext(connection) as asked:
                assert client.get(f"{own}/{page}").status_code == 200
            counts.append(len(asked))
    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    "page", ["register/", "register/changes/", "register/reevaluation/", "cultivation/", "credit-facts/"]
)
def test_an_empty_page_says_what_will_stand_there(world, as_, page):
    client, own = as_("CITY_INDUSTRY")

    assert 'class="empty-state"' in text(client.get(f"{own}/{page}"))


def test_every_refusal_of_the_register_has_words():
    import re
    from pathlib import Path

    import wufei.reviews
    from wufei.reviews.wording import WORDS

    room = Path(wufei.reviews.__file__).parent
    for name in (
        "services/register.py",
        "services/reevaluations.py",
        "services/cultivation.py",
        "queries/reevaluations.py",
    ):
        codes = set(re.findall(r'ReviewRefused\(\s*"(\w+)"', (room / name).read_text()))
        assert codes <= set(WORDS), name


def test_the_causes_offered_say_what_they_lead_to_and_duties_are_none(world, as_):
    title = given(world)
    client, own = as_("CITY_INDUSTRY")

    page = text(client.get(f"{own}/register/titles/{title.pk}/end/"))

    assert page.count("撤销 · 渝经信规范〔2024〕4号第十七条") == 7
    assert page.count("移出 · ") == 3
    assert "第十六条" not in page
    assert "第十九条" not in page
    wrong = end_it(client, own, title, kind="REMOVED", preview="1")
    assert (wrong.status_code, "请办理撤销" in text(wrong)) == (422, True)


def test_the_yearly_page_opens_on_an_edition_with_titles_and_claims_nothing_without(world, as_):
    client, own = as_("CITY_INDUSTRY")
    address = f"{own}/register/reevaluation/"
    empty = text(client.get(address))
    assert "都已开展" not in empty
    assert "没有在册的称号需要开展" in empty

    given(world, number="P-1", edition="chongqing-2024-4-green-park", on=date(2025, 3, 1))
    opened = client.get(address)
    assert opened.context["chosen"].id == "chongqing-2026-green-park"
    assert "P-1" in text(opened)

    given(world, number="F-1", on=date(2025, 3, 1))
    other = client.get(address + "?edition=chongqing-2026-green-factory&year=2026")
    assert "F-1" in text(other)
