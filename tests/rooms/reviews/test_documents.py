"""
The official papers: each says what is stored, reaches only who may see it, and opens in LibreOffice.

All of them go through one run of LibreOffice; one that needs repair is not opened.
"""

import io
import re
import zipfile
from datetime import date
from decimal import Decimal
from pathlib import Path

import docx
import pytest
from django.test import Client

from tests.conftest import NOW
from tests.office import Opened, opened, soffice
from tests.rooms.reviews import world as worlds
from wufei.policies import queries as policy_queries
from wufei.reviews import draw as drawing
from wufei.reviews import stages
from wufei.reviews.models import Assignment, Consultation, Discussion, Draw, ScoreSheet
from wufei.reviews.official_paper import LAYOUT, layout
from wufei.reviews.queries.rounds_recommending import recommending_stage
from wufei.reviews.services import notices
from wufei.reviews.services.register import grant_title
from wufei.reviews.stages import Action

FACTORY = worlds.CHONGQING_FACTORY_2024  # its stages have everything: consultation, experts, notice, decision
NAMES = ("綦江建材有限公司", "綦江<铝业> & =1+1有限公司")


@pytest.fixture(autouse=True)
def today(monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


@pytest.fixture
def world(db):
    return worlds.build()


def scores(world, application, stage):
    rubric = policy_queries.edition(FACTORY).scoring.rubric
    for at, expert in enumerate(world.experts[:3]):
        assignment = Assignment.objects.create(
            application=application, expert=expert, stage=stage.id, assigned_at=NOW,
            assigned_by=world.people["CITY_INDUSTRY"],
        )  # fmt: skip
        given = {item.id: str(item.max - at) for item in rubric}
        ScoreSheet.objects.create(
            assignment=assignment, scores=given, total=sum(map(Decimal, given.values())), saved_at=NOW,
            comments={rubric[0].id: "水平较高"}, words="总体较好。", submitted_at=NOW,
        )  # fmt: skip
    Discussion.objects.create(
        application=application, stage=stage.id, speaker="Z001", words="建议复核能耗。", at=NOW,
        by=world.people["expert1"],
    )  # fmt: skip


@pytest.fixture
def played(world):
    """A round in which two were recognised and one is on its way; everything that papers speak of is there."""
    round_ = worlds.round_of(world, FACTORY, deadline=date(2026, 12, 1))
    edition = policy_queries.edition(FACTORY)
    experts = next(s for s in edition.stages if s.kind == "experts")
    works = [world.works, worlds.applicant(world, NAMES[1])]
    found = []
    for each in works:
        application = worlds.advance(world, worlds.handed_in(world, round_, each), experts.id)
        scores(world, application, experts)
        application = worlds.act(world, application, stages.deciders(experts)[0], Action.CONCLUDE)
        found.append(worlds.advance(world, application, "public-notice"))
    Consultation.objects.filter(application=found[0], department="税务部门").update(
        opinion="", answered_at=None, answered_by=None, closed_unanswered_at=NOW
    )
    candidates = [drawing.Candidate(e.number, tuple(e.fields)) for e in world.experts]
    Draw.objects.create(
        round=round_, stage=experts.id, number=3, candidates=drawing.published(candidates), seed="种子",
        excluded=[{"number": "Z009", "reason": "ADVISER", "uscc": world.works.uscc}],
        commitment=drawing.commitment("种子"), drawn=["Z001", "Z002", "Z003"], committed_at=NOW,
        committed_by=world.people["CITY_INDUSTRY"], revealed_at=NOW, revealed_by=world.people["CITY_INDUSTRY"],
    )  # fmt: skip
    return round_, found


@pytest.fixture
def finished(world, played):
    round_, found = played
    for number, application in enumerate(found, start=1):
        done = worlds.advance(world, application)
        grant_title(
            application=done, number=f"CQ-2026-{number:03d}", granted_on=date(2026, 7, 1),
            document="渝经信〔2026〕8号", by=world.people["CITY_INDUSTRY"], now=NOW,
        )  # fmt: skip
    return round_, found


def client_of(world, person: str) -> Client:
    client = Client()
    client.force_login(world.people[person])
    return client


def paper(client: Client, address: str) -> bytes:
    response = client.get(address)
    assert response.status_code == 200, (address, response.status_code)
    assert response["Content-Disposition"].startswith("attachment")
    return response.content


@pytest.fixture
def papers(world, finished) -> dict[str, bytes]:
    """Every paper, by name."""
    round_, found = finished
    officer, of_round = client_of(world, "CITY_INDUSTRY"), f"/reviews/rounds/{round_.pk}/papers/"
    recommending = world.authorities["CITY_INDUSTRY"].uscc
    notice = found[0].notice_items.get().notice
    sheet = Assignment.objects.filter(application=found[0]).first()
    district = client_of(world, "DISTRICT_INDUSTRY")
    return {
        "call.docx": paper(officer, f"{of_round}call/"),
        "minutes.docx": paper(officer, f"{of_round}minutes/"),
        "list.docx": paper(officer, f"{of_round}list/"),
        "summary.xlsx": paper(officer, f"{of_round}summary/"),
        "decision.docx": paper(officer, f"{of_round}decision/"),
        "city-letter.docx": paper(officer, f"{of_round}recommendation/{recommending}/"),
        "letter.docx": paper(
            district, f"{of_round}recommendation/{world.authorities['DISTRICT_INDUSTRY'].uscc}/"
        ),
        "notice.docx": paper(officer, f"/reviews/notices/{notice.pk}/paper/"),
        "opinions.docx": paper(district, f"/reviews/applications/{found[0].code}/opinions/"),
        "sheet.docx": paper(client_of(world, "expert1"), f"/reviews/assignments/{sheet.pk}/paper/"),
    }


@pytest.mark.slow
def test_libreoffice_opens_every_paper_and_each_says_what_is_stored(world, papers, tmp_path):
    soffice()
    shown = opened(papers | {"damaged.docx": papers["call.docx"][:-200]}, tmp_path)

    assert set(shown) == set(papers)  # and not the damaged one
    for name, said in {
        "call.docx": ("重庆市经信委文件", "区县", "2026年12月1日前报送", "2026年7月1日"),
        "minutes.docx": (
            "专家评审会议纪要",
            "Z001",
            "种子",
            "建议复核能耗。",
            "共评审2件，收到评分表6份",
            "抽取时回避专家Z009：曾为申报单位提供咨询或评价",
        ),
        "list.docx": ("重庆市绿色工厂名单", *NAMES, "CQ-2026-001", "重庆市綦江区"),
        "summary.xlsx": ("附件3", "典型案例汇总表", *NAMES, "重庆", "企业"),
        "decision.docx": (
            "关于公布2026年度重庆市绿色工厂名单的通知",
            "渝经信〔2026〕8号",
            *NAMES,
            "CQ-2026-002",
        ),
        "letter.docx": ("綦江区经信委", "重庆市经信委：", "现推荐2家", *NAMES),
        "city-letter.docx": ("重庆市经信委", "推荐名单"),
        "notice.docx": ("公示名单", "共5个工作日", NAMES[0]),
        "opinions.docx": ("部门意见表", NAMES[0], "税务部门", "逾期未答复", "无意见"),
        "sheet.docx": ("专家评分表", "Z001（首次评分）", "水平较高", "总体较好。"),
    }.items():
        missing = [text for text in said if "".join(text.split()) not in shown[name].text]
        assert missing == [], (name, shown[name].text[:400])
    _check_sums(shown)


def _check_sums(shown: dict[str, Opened]) -> None:
    given = shown["sheet.docx"].column("得分")
    assert sum(map(Decimal, given[:-1])) == Decimal(given[-1]) == Decimal(100)
    means = shown["minutes.docx"].column("平均分")
    assert means == ["96.00", "96.00"]  # 100, 96 and 92


def test_an_experts_sheet_knows_no_names_not_even_in_its_properties(world, papers):
    with zipfile.ZipFile(io.BytesIO(papers["sheet.docx"])) as archive:
        parts = {part: archive.read(part).decode("utf-8", "replace") for part in archive.namelist()}
    secrets = [world.works.name, world.works.uscc, "第1研究院", "expert1", "綦江", "重庆市经信委"]
    for part, text in parts.items():
        assert [secret for secret in secrets if secret in text] == [], part


def test_every_papers_properties_are_clean_and_the_same_at_every_making(world, papers, finished):
    for name, content in papers.items():
        if name.endswith(".docx"):
            properties = docx.Document(io.BytesIO(content)).core_properties
            assert (properties.author, properties.last_modified_by, properties.comments) == ("", "", "")
            assert properties.modified.year == 1980
    officer = client_of(world, "CITY_INDUSTRY")
    assert paper(officer, f"/reviews/rounds/{finished[0].pk}/papers/list/") == papers["list.docx"]


def test_what_people_typed_stays_text(papers):
    with zipfile.ZipFile(io.BytesIO(papers["summary.xlsx"])) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert "&lt;铝业&gt; &amp; =1+1" in zipfile.ZipFile(io.BytesIO(papers["list.docx"])).read("word/document.xml").decode()  # fmt: skip


def test_papers_of_what_is_not_there_yet_are_refused_in_words(world):
    round_ = worlds.round_of(world, worlds.CHONGQING, deadline=date(2026, 12, 1))
    officer, at = client_of(world, "CITY_INDUSTRY"), f"/reviews/rounds/{round_.pk}/papers/"
    for key, words in (
        ("list", "没有可以上报的推荐"), ("summary", "没有可以上报的推荐"), ("decision", "不授予称号"),
        (f"recommendation/{world.authorities['CITY_INDUSTRY'].uscc}", "没有可以上报的推荐"),
    ):  # fmt: skip
        response = officer.get(f"{at}{key}/", follow=True)
        assert words in re.sub(r"<[^>]+>", "", response.content.decode()), key
    assert officer.get(f"{at}nothing/").status_code == 404


@pytest.mark.parametrize(
    "person", ["applicant", "CITY_ENVIRONMENT", "PROVINCE_INDUSTRY", "expert1", "nobody"]
)
def test_papers_of_a_round_reach_only_who_runs_it(world, played, person):
    round_, _found = played
    client, at = client_of(world, person), f"/reviews/rounds/{round_.pk}/papers/"

    for key in ("call", "minutes", "list", "summary", "decision"):
        assert client.get(f"{at}{key}/").status_code == 403
    uscc = world.authorities["CITY_INDUSTRY"].uscc
    assert client.get(f"{at}recommendation/{uscc}/").status_code == 404


def test_opinions_reach_officers_who_see_the_case_and_never_its_applicant(world, played):
    _round, found = played
    address = f"/reviews/applications/{found[0].code}/opinions/"

    for person, status in (
        ("CITY_INDUSTRY", 200), ("DISTRICT_INDUSTRY", 200), ("applicant", 404), ("expert1", 404),
        ("OTHER_DISTRICT_INDUSTRY", 404), ("PROVINCE_INDUSTRY", 404), ("nobody", 404),
    ):  # fmt: skip
        assert client_of(world, person).get(address).status_code == status, person


def test_a_sheet_reaches_its_expert_and_who_runs_the_round(world, played):
    _round, found = played
    sheet = Assignment.objects.get(application=found[0], expert=world.experts[0])
    address = f"/reviews/assignments/{sheet.pk}/paper/"

    for person, status in (
        ("expert1", 200), ("CITY_INDUSTRY", 200), ("expert2", 404), ("applicant", 404),
        ("DISTRICT_INDUSTRY", 404), ("nobody", 404),
    ):  # fmt: skip
        assert client_of(world, person).get(address).status_code == status, person
    assert client_of(world, "expert1").get("/reviews/assignments/999999/paper/").status_code == 404


def test_a_notice_stays_as_it_was_published_and_a_removal_is_added(world, played):
    _round, found = played
    by = world.people["CITY_INDUSTRY"]
    notice = notices.publish_notice(
        round_=found[0].round, applications=found, title="公示", text="现予公示。", by=by, now=NOW
    )
    notices.remove_item(item=notice.items.get(position=1), words="经核实不再符合申报条件", by=by, now=NOW)

    content = paper(client_of(world, "CITY_INDUSTRY"), f"/reviews/notices/{notice.pk}/paper/")

    cells = [cell.text for row in docx.Document(io.BytesIO(content)).tables[0].rows for cell in row.cells]
    assert [name for name in cells if name in NAMES] == list(NAMES)
    text = "\n".join(p.text for p in docx.Document(io.BytesIO(content)).paragraphs)
    assert f"移出第1号{NAMES[0]}：经核实不再符合申报条件" in text


def test_who_recommends_together_signs_together(world):
    round_ = worlds.round_of(world, worlds.CHONGQING)
    stage = recommending_stage(
        edition=policy_queries.edition(round_.edition), authority=world.authorities["CITY_INDUSTRY"]
    )
    assert {"CITY_INDUSTRY", "CITY_ENVIRONMENT"} & set(stages.deciders(stage))
    application = worlds.handed_in(world, round_)
    worlds.advance(world, application, "ministry-decision")
    address = f"/reviews/rounds/{round_.pk}/papers/recommendation/{world.authorities['CITY_INDUSTRY'].uscc}/"

    content = paper(client_of(world, "CITY_INDUSTRY"), address)

    lines = [p.text for p in docx.Document(io.BytesIO(content)).paragraphs]
    assert lines[0] == "重庆市经信委"  # a letter: no 文件 behind the name
    assert [world.authorities[f"CITY_{b}"].name for b in ("INDUSTRY", "ENVIRONMENT")] == [
        line for line in lines[1:] if line in {a.name for a in world.authorities.values()}
    ]


def test_the_measures_are_shown_in_the_docs_as_not_verified():
    shown = (Path(__file__).parents[3] / "docs/reference/official-layout.md").read_text()

    assert layout().source == "unverified"
    assert "unverified" in shown
    for line in LAYOUT.read_text().splitlines():
        if line and not line.startswith("#"):
            assert line in shown
