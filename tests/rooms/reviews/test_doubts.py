"""Doubts of real submissions: each planted in a ledger, a file or an earlier year, and its control without."""

import copy
import io
from datetime import date, timedelta
from functools import cache

import docx
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.conftest import NOW
from tests.pure.cases.test_differences import PLAN
from tests.rooms.reviews import world as worlds
from tests.rooms.reviews.world import CHONGQING, World
from wufei.cases import freezing, narrative
from wufei.cases import services as case_services
from wufei.cases.models import EvidenceCategory, Submission, SubmittedEvidence
from wufei.cases.services.comparing import keep_comparable
from wufei.ledger import services as ledger_services
from wufei.ledger.kinds import Kind
from wufei.ledger.models import Movement, Stream
from wufei.ledger.posting import Draft
from wufei.registry.models import Organisation
from wufei.reviews.doubts import Doubt, Severity
from wufei.reviews.models import Application
from wufei.reviews.queries.doubts import doubts_before, doubts_of
from wufei.reviews.services.applying import submit
from wufei.terms.mass import Mass

PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\nstartxref\n9\n%%EOF\n"


@pytest.fixture(autouse=True)
def files(tmp_path, settings):
    described = {**settings.STORAGES["default"], "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = {**settings.STORAGES, "default": described}
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)


@pytest.fixture
def world(db, monkeypatch) -> World:
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    built = worlds.build(experts=0, second_officers=False)
    worlds.keep_ledger(built, built.works, tonnes=100)
    return built


@pytest.fixture
def round_(world):
    return worlds.round_of(world, CHONGQING)


@cache  # an archive bears the second in which it was written
def document(text: str) -> bytes:
    out, made = io.BytesIO(), docx.Document()
    made.add_paragraph(text)
    made.save(out)
    return out.getvalue()


def case_of(world: World, works: Organisation, *, evidence: bytes | None = None, name="方案.docx", year=2025):
    by = world.applicant_of(works)
    case = case_services.open_case(organisation=works, edition_id=CHONGQING, year=year, by=by, now=NOW)
    if evidence:
        case_services.attach_evidence(
            case=case, category=EvidenceCategory.PLAN, file_name=name, content=evidence, by=by, now=NOW
        )
    return worlds.ready_case(world, works, edition_id=CHONGQING, year=year)


def handed_in(world: World, round_, works: Organisation, **said) -> Application:
    case = case_of(world, works, **said)
    return submit(round_=round_, case=case, by=world.applicant_of(works), now=NOW)


def another(world: World, name: str, division: str = worlds.DISTRICT) -> Organisation:
    """Make another applicant of the same industry, with a ledger of its own."""
    works = worlds.applicant(world, name, division, industry_code="3012")
    worlds.keep_ledger(world, works)
    return works


def told(application: Application) -> list[tuple[str, str]]:
    """Return what should be looked at; not what could not be compared."""
    fresh = Application.objects.select_related("submission__organisation").get(pk=application.pk)
    return [
        (d.kind.value, d.severity.value)
        for d in doubts_of(application=fresh)
        if d.severity is not Severity.UNKNOWN
    ]


def the(application: Application, kind: str) -> Doubt:
    fresh = Application.objects.get(pk=application.pk)
    return next(
        d for d in doubts_of(application=fresh) if d.kind == kind and d.severity is not Severity.UNKNOWN
    )


def rewritten(application: Application, change) -> None:
    """Put a submission with another content in the place of the one that is judged: as a forger would send it."""
    old = Submission.objects.get(pk=application.submission_id)
    content = copy.deepcopy(old.content)
    change(content)
    heads = copy.deepcopy(old.ledger_heads)
    new = Submission.objects.create(
        case=old.case, organisation=old.organisation, name_given=old.name_given, edition=old.edition, year=old.year,
        number=old.number + 1, content=content, ledger_heads=heads, submitted_at=old.submitted_at,
        content_sha256=freezing.digest(content, heads), submitted_by=old.submitted_by,
    )  # fmt: skip
    keep_comparable(submissions=[new])
    Application.objects.filter(pk=application.pk).update(submission=new)


# ---- the control -----------------------------------------------------------------------------


def test_an_honest_case_raises_no_doubt(world, round_):
    """The control of all below."""
    application = handed_in(world, round_, world.works, evidence=document(PLAN))
    assert told(application) == []


def test_what_could_not_be_compared_is_said(world, round_):
    application = handed_in(world, round_, world.works, evidence=PDF, name="证明.pdf")
    says = [d.says for d in doubts_of(application=application) if d.severity is Severity.UNKNOWN]

    assert any("0 家，不足 5 家" in said for said in says)
    assert any("PDF" in said for said in says)
    assert any("不足 20 条" in said for said in says)


# ---- the ledger -------------------------------------------------------------------------------


def test_a_forged_number_does_not_follow_from_the_ledger(world, round_):
    application = handed_in(world, round_, world.works)

    def forge(content):
        number = next(
            n for n in content["numbers"] if n["indicator"] == "utilisation_t" and n["year"] == 2025
        )
        [leaf] = [p for p in number["basis"]["basis"][1]["basis"] if p["type"] == "movements"]
        leaf["mass_g"] += 10_000_000  # ten tonnes more used

    rewritten(application, forge)
    found = [
        d for d in doubts_of(application=Application.objects.get(pk=application.pk)) if d.severity == "HIGH"
    ]
    assert {d.kind.value for d in found} == {"UNFOUNDED"}
    assert any(b.value == "所列 90 吨，台账 80 吨" for d in found for b in d.basis)


def test_a_number_above_its_own_basis_is_found(world, round_):
    application = handed_in(world, round_, world.works)

    def forge(content):
        for number in content["numbers"]:
            if number["indicator"] == "utilisation_rate_pct" and number["year"] == 2025:
                number |= {"value": "95", "text": "95.00"}

    rewritten(application, forge)
    assert ("UNFOUNDED", "HIGH") in told(application)


def test_a_ledger_made_anew_is_found_by_its_head(world, round_):
    application = handed_in(world, round_, world.works)
    old = Submission.objects.get(pk=application.submission_id)
    head = [[old.ledger_heads[0][0], old.ledger_heads[0][1], "f" * 64]]
    new = Submission.objects.create(
        case=old.case, organisation=old.organisation, name_given=old.name_given, edition=old.edition, year=old.year,
        number=2, content=old.content, ledger_heads=head, content_sha256="0" * 64, submitted_at=NOW,
        submitted_by=old.submitted_by,
    )  # fmt: skip
    Application.objects.filter(pk=application.pk).update(submission=new)
    assert "链值" in the(application, "UNFOUNDED").says


def test_a_reversal_behind_the_numbers_is_told_with_the_record(world, round_):
    application = handed_in(world, round_, world.works)
    row = Movement.objects.get(organisation=world.works, kind="CONTRACTED_UTILISATION", moved_on__year=2025)
    ledger_services.reverse(movement=row, reason="填错", by=world.people["applicant"], now=NOW)

    assert told(application) == [("LEDGER_CHANGED", "HIGH"), ("LEDGER_CHANGED", "MEDIUM")]
    found = the(application, "LEDGER_CHANGED")
    assert [b.value for b in found.basis] == ["80 吨，原因：填错"]


def test_what_is_posted_for_another_year_changes_nothing_that_was_claimed(world, round_):
    """The control: the ledger went on, with a reversal of its own; the numbers didn't."""
    application = handed_in(world, round_, world.works)
    draft = Draft(kind=Kind.GENERATION, moved_on=date(2026, 3, 1), stream_code="S1", mass=Mass.of("5", "吨"))
    by = world.people["applicant"]
    ledger_services.post(organisation=world.works, drafts=[draft], by=by, now=NOW)
    posted = Movement.objects.get(organisation=world.works, moved_on__year=2026)
    ledger_services.reverse(movement=posted, reason="填错", by=by, now=NOW)
    assert told(application) == []


def test_a_stream_renamed_later_is_no_doubt_about_the_ledger(world, round_):
    application = handed_in(world, round_, world.works)
    Stream.objects.filter(organisation=world.works).update(name="锅炉渣")
    assert "UNFOUNDED" not in {kind for kind, _ in told(application)}


# ---- earlier years ----------------------------------------------------------------------------


def test_history_that_was_told_otherwise_before_is_found_across_cases(world, round_):
    before = handed_in(world, worlds.round_of(world, CHONGQING, 2025), world.works, year=2024)
    row = Movement.objects.get(organisation=world.works, kind="CONTRACTED_UTILISATION", moved_on__year=2024)
    ledger_services.reverse(movement=row, reason="填错", by=world.people["applicant"], now=NOW)
    application = handed_in(world, round_, world.works)

    found = the(application, "RESTATED")
    assert "2024 年度" in found.says
    assert {b.leads_to[1] for b in found.basis} == {before.submission_id, application.submission_id}


def test_the_same_history_told_twice_is_no_doubt(world, round_):
    handed_in(world, worlds.round_of(world, CHONGQING, 2025), world.works, year=2024)
    assert told(handed_in(world, round_, world.works)) == []


# ---- others -----------------------------------------------------------------------------------


def test_a_file_that_another_applicant_handed_in_too_is_found_by_both(world, round_):
    content = document(PLAN)
    mine = handed_in(world, round_, world.works, evidence=content)
    other = another(world, "乙建材厂")
    theirs = handed_in(world, round_, other, evidence=content, name="本厂方案.docx")

    assert told(mine) == told(theirs) == [("EVIDENCE_REUSED", "HIGH")]
    assert [b.value for b in the(mine, "EVIDENCE_REUSED").basis] == ["方案.docx", "乙建材厂：本厂方案.docx"]


def test_a_text_with_another_name_put_in_is_found(world, round_):
    handed_in(world, round_, another(world, "乙建材厂"), evidence=document(f"乙建材厂方案。{PLAN}"))
    mine = handed_in(world, round_, world.works, evidence=document(f"綦江建材有限公司方案。{PLAN}"))
    assert told(mine) == [("EVIDENCE_REUSED", "MEDIUM")]


def test_ones_own_file_handed_in_again_is_no_doubt(world, round_):
    handed_in(world, worlds.round_of(world, CHONGQING, 2025), world.works, evidence=document(PLAN), year=2024)
    assert told(handed_in(world, round_, world.works, evidence=document(PLAN))) == []


NARRATIVE = (
    "本公司从原料进厂起分类收集铸造废砂和炉渣，废砂经破碎、磁选、筛分后回到造型线，炉渣送相邻建材厂做透水砖；"
    "每批出厂都有磅单和去向凭证，车间主任每周核对一次台账与库存，差额超过百分之一即停线查找原因。"
)
OTHER = (
    "企业把制浆白泥和锅炉灰渣分线贮存，白泥烘干后作脱硫剂使用，灰渣供应水泥企业作混合材；"
    "去年新建了密闭输送和喷淋设施，减少扬尘，并与三家下游企业签订了长期供应协议，约定含水率和粒径的验收办法。"
)


def written(application: Application, name: str, *, practices: str, **more: str) -> None:
    """Put other texts in the place of those handed in, with the sketch that freezing would have made of them."""

    def change(content):
        content["texts"] = {"practices": practices, **more}
        content["narrative"] = narrative.sketch(content["texts"], name)

    rewritten(application, change)


def pair(world: World, round_, mine: str, theirs: str, **more) -> tuple[Application, Application]:
    other = another(world, "重庆乙建材有限公司")
    first, second = handed_in(world, round_, world.works), handed_in(world, round_, other)
    written(first, world.works.name, practices=mine.format(world.works.name))
    written(second, other.name, practices=theirs.format(other.name), **more)
    return first, second


def test_a_narrative_in_which_only_the_name_was_swapped_is_found_by_both_with_its_basis(world, round_):
    mine, theirs = pair(world, round_, "{}：" + NARRATIVE, "{}：" + NARRATIVE)

    assert told(mine) == told(theirs) == [("NARRATIVE_ALIKE", "MEDIUM")]
    found = the(mine, "NARRATIVE_ALIKE")
    assert "“主要做法”" in found.says
    assert [(b.label, b.value) for b in found.basis] == [
        ("另一申报单位", f"重庆乙建材有限公司：2025 年度“{CHONGQING}”第 2 版"),
        ("主要做法：两者共有的五字片段", "占两者全部片段的 100%"),
    ]
    assert found.basis[0].whose


def test_one_field_copied_among_others_that_are_ones_own_is_found(world, round_):
    mine, _ = pair(world, round_, NARRATIVE, NARRATIVE, results=OTHER)

    assert [b.label for b in the(mine, "NARRATIVE_ALIKE").basis] == [
        "另一申报单位",
        "主要做法：两者共有的五字片段",
    ]


def test_narratives_of_ones_own_are_no_doubt(world, round_):
    assert told(pair(world, round_, NARRATIVE, OTHER)[0]) == []


def test_ones_own_narrative_of_the_year_before_is_no_doubt(world, round_):
    before = handed_in(world, worlds.round_of(world, CHONGQING, 2025), world.works, year=2024)
    written(before, world.works.name, practices=NARRATIVE)
    now = handed_in(world, round_, world.works)
    written(now, world.works.name, practices=NARRATIVE)
    assert told(now) == []


def test_texts_too_short_to_compare_are_listed_as_such(world, round_):
    mine = handed_in(world, round_, world.works)
    fresh = Application.objects.get(pk=mine.pk)
    [found] = [d for d in doubts_of(application=fresh) if d.kind == "NARRATIVE_ALIKE"]
    assert found.severity is Severity.UNKNOWN


def test_the_sketch_of_the_narrative_is_frozen_with_the_case(world, round_):
    case = case_of(world, world.works)
    by = world.people["applicant"]
    case = case_services.save_draft(
        case=case, version=case.version, changes={"practices": NARRATIVE}, by=by, now=NOW
    )
    case = case_services.mark_ready(case=case, version=case.version, by=by, now=NOW)
    content = submit(round_=round_, case=case, by=by, now=NOW).submission.content
    assert content["narrative"] == narrative.sketch(content["texts"], world.works.name) != []


def test_the_narratives_are_looked_at_in_the_same_few_questions_however_many_there_are(world, round_):
    mine, _ = pair(world, round_, NARRATIVE, NARRATIVE)

    def asked():
        with CaptureQueriesContext(connection) as captured:
            doubts_of(application=Application.objects.get(pk=mine.pk))
        return len(captured)

    few = asked()
    for n in range(3):
        other = another(world, f"重庆第{n}砖瓦有限公司")
        written(handed_in(world, round_, other), other.name, practices=NARRATIVE)
    assert asked() == few


def test_a_rate_far_from_five_peers_is_found_and_four_are_too_few(world, round_):
    application = handed_in(world, round_, world.works)
    for at in range(4):
        _peer(world, at)
    assert told(application) == []
    _peer(world, 4)
    found = the(application, "OUTLIER")

    assert "n=5" in found.says
    assert "“301 水泥、石灰和石膏制造”行业" in found.says


def _peer(world: World, at: int) -> None:
    works = worlds.applicant(world, f"同行{at}", industry_code="3011")
    headline = {"utilisation_rate_pct": {"2025": str(30 + at)}}
    by = world.applicant_of(works)
    worlds.submission_as_if_frozen(
        None, works, edition_id=CHONGQING, by=by, content={"numbers": [], "headline": headline}
    )


def test_a_year_of_whole_tonnes_is_found_and_one_that_was_weighed_is_not(world, round_):
    estimated, weighed = another(world, "估计厂"), another(world, "称重厂")
    for works, grams in ((estimated, 0), (weighed, 137_000)):
        drafts = [
            Draft(
                kind=Kind.GENERATION, moved_on=date(2025, 2, 1) + timedelta(days=at), stream_code="S1",
                mass=Mass(12_000_000 + at * grams),
            )
            for at in range(60)
        ]  # fmt: skip
        ledger_services.post(organisation=works, drafts=drafts, by=world.applicant_of(works), now=NOW)
    assert [kind for kind, _ in told(handed_in(world, round_, estimated))] == [
        "ROUND_NUMBERS",
        "ROUND_NUMBERS",
    ]
    assert told(handed_in(world, round_, weighed)) == []


# ---- before handing in ------------------------------------------------------------------------


def test_the_applicant_is_told_beforehand_what_a_reviewer_would_be_told(world, round_):
    handed_in(world, round_, another(world, "乙建材厂"), evidence=document(PLAN))
    case = case_of(world, world.works, evidence=document(PLAN))
    ahead = doubts_before(case=case, on=NOW.date())
    application = submit(round_=round_, case=case, by=world.people["applicant"], now=NOW)

    after = doubts_of(application=application)
    assert [(d.kind, d.severity) for d in ahead] == [(d.kind, d.severity) for d in after]
    assert any(d.kind == "EVIDENCE_REUSED" and d.severity == "HIGH" for d in ahead)


# ---- pages ------------------------------------------------------------------------------------


@pytest.fixture
def page(world, round_, client):
    content = document(PLAN)
    other = another(world, "渝北建材厂", worlds.OTHER_DISTRICT)
    handed_in(world, round_, other, evidence=content, name="渝北方案.docx")
    application = handed_in(world, round_, world.works, evidence=content)

    def get(person: str):
        client.force_login(world.people[person])
        return client.get(reverse("reviews:doubts", args=[application.code]))

    get.application = application
    return get


def test_a_reviewer_reads_the_doubts_with_links_and_another_districts_file_is_not_named(page, world):
    answer = page("DISTRICT_INDUSTRY")
    html = answer.content.decode()

    assert answer.status_code == 200
    assert "与另一申报单位所报文件完全相同" in html
    assert "渝北方案.docx" not in html
    assert "不在您的管辖范围内" in html
    file = SubmittedEvidence.objects.get(submission=page.application.submission)
    submission = page.application.submission
    assert reverse("cases:submitted-file", args=[world.works.uscc, submission.case_id, 1, file.pk]) in html


def test_whoever_supervises_both_is_told_both_names(page):
    """The control: the city's officer, once the case is there, sees the other file by name."""
    Application.objects.filter(pk=page.application.pk).update(stage="city-experts")
    html = page("CITY_INDUSTRY").content.decode()
    assert "渝北建材厂：渝北方案.docx" in html
    assert "不在您的管辖范围内" not in html


@pytest.mark.parametrize("person", ["applicant", "nobody", "OTHER_DISTRICT_INDUSTRY"])
def test_the_reviewers_page_is_not_there_for_others(page, person):
    assert page(person).status_code == 404


def test_the_self_check_names_no_other_applicant(page, world, client):
    case = page.application.case
    client.force_login(world.people["applicant"])
    answer = client.get(reverse("reviews:self-check", args=[world.works.uscc, case.pk]))

    assert answer.status_code == 200
    assert "与另一申报单位所报文件完全相同" in answer.content.decode()
    assert "渝北" not in answer.content.decode()
    client.force_login(world.people["DISTRICT_INDUSTRY"])
    assert client.get(reverse("reviews:self-check", args=[world.works.uscc, case.pk])).status_code == 403


def test_the_page_asks_as_many_questions_for_one_other_as_for_three(page, world, round_, client):
    assert page("DISTRICT_INDUSTRY").status_code == 200
    with CaptureQueriesContext(connection) as few:
        page("DISTRICT_INDUSTRY")
    for at in range(2):
        handed_in(world, round_, another(world, f"又一家{at}"), evidence=document(PLAN))
    with CaptureQueriesContext(connection) as many:
        page("DISTRICT_INDUSTRY")
    assert len(many) == len(few)
