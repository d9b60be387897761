"""The pages of policies: which editions, why a verdict, what is declared, judged and maintained."""

import re
from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.conftest import NOW
from wufei.indicators import services as indicators
from wufei.policies import services
from wufei.policies.forms import STATEMENT_REFUSALS
from wufei.policies.models import Declaration, Judgement, RequirementSet, StatedValue
from wufei.policies.services import Code

EDITION = "miit-2025-539-enterprise"
FACTORY = "gbt-36132-2025-green-factory"
BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture(autouse=True)
def today(monkeypatch, settings):
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


@pytest.fixture
def works(organisation, officer, ledger):
    """70 % used in 2022 and 95 % in 2025; no product of 2022 is stated."""
    organisation.established_on = date(2015, 5, 1)
    organisation.industry_code = "301"
    organisation.save()
    ledger.stores(库1=None)
    ledger.streams("S1")
    ledger.post(
        "2022-12-31 S1 产生 1000 吨 库1 -",
        "2022-12-31 S1 自行利用 700 吨 库1 -",
        "2025-12-31 S1 产生 800 吨 库1 -",
        "2025-12-31 S1 自行利用 760 吨 库1 -",
    )
    indicators.state_product(
        organisation=organisation, year=2025, name="水泥", capacity=None, output=Decimal(1000), unit="吨",
        is_main=True, source="测试", by=officer, now=NOW,
    )  # fmt: skip
    return organisation


@pytest.fixture
def authority(make_organisation):
    return make_organisation("綦江区经信委", kind="AUTHORITY", division_code="500110")


@pytest.fixture
def judge(make_user, authority):
    return make_user("AUTHORITY_OFFICER", authority)


def words_of(response) -> str:
    html = re.sub(r"<(script|style|svg)\b.*?</\1>", "", response.content.decode(), flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


@pytest.fixture
def as_officer(client, officer):
    client.force_login(officer, backend=BACKEND)
    return client


@pytest.fixture
def as_judge(client, judge):
    client.force_login(judge, backend=BACKEND)
    return client


def criterion(response, id_: str) -> str:
    found = re.search(
        rf'<article class="criterion" id="{id_}".*?</article>', response.content.decode(), re.DOTALL
    )
    assert found, id_
    return found[0]


def test_editions_are_offered_with_document_dates_and_quota(as_officer, works):
    shown = as_officer.get(f"/o/{works.uscc}/evaluation/")

    titles = [card["edition"].id for card in shown.context["cards"]]
    assert {EDITION, "chongqing-2026-6-enterprise", FACTORY} <= set(titles)
    assert "miit-2025-539-park" not in titles
    words = words_of(shown)
    assert "工信厅联节函〔2025〕539号" in words
    assert "2026-05-01 已过 61 天" in words
    assert "每个省（区、市）推荐的案例原则上不超过5个。" in words


def test_a_park_is_offered_the_editions_of_parks(client, make_organisation, make_user):
    park = make_organisation("园区", kind="PARK")
    client.force_login(make_user("PARK_OFFICER", park), backend=BACKEND)

    shown = client.get(f"/o/{park.uscc}/evaluation/")

    assert {card["edition"].subject_kind.value for card in shown.context["cards"]} == {"PARK"}
    assert client.get(f"/o/{park.uscc}/evaluation/miit-2025-539-park/2025/").status_code == 200


def test_each_criterion_has_clause_verdict_reason_figures_and_what_to_supply(as_officer, works):
    shown = as_officer.get(f"/o/{works.uscc}/evaluation/{EDITION}/2025/")
    said = criterion(shown, "basic-1")

    assert 'class="badge-truth met"' in said
    assert "<use " in said  # an icon beside the word
    assert "工业固体废物综合利用率为 95%" in said
    assert f'href="/o/{works.uscc}/figures/utilisation_rate_pct/2025/"' in said
    unknown = criterion(shown, "basic-3")
    assert 'class="badge-truth unknown"' in unknown
    assert f'href="/o/{works.uscc}/declarations/2023/?edition={EDITION}"' in unknown
    assert shown.context["tally"]["unknown"] > 0
    assert "我们的读法" in words_of(shown)


def test_the_print_view_has_every_reason_open_and_no_links_to_act_on(as_officer, works):
    shown = as_officer.get(f"/o/{works.uscc}/evaluation/{EDITION}/2025/?print").content.decode()

    assert shown.count('<details class="why" open') == shown.count('<article class="criterion"')
    assert "declarations/2023" not in shown


def test_a_scored_edition_shows_a_range_until_nothing_is_missing(as_officer, works):
    shown = as_officer.get(f"/o/{works.uscc}/evaluation/{FACTORY}/2025/")

    assert "得分区间" in words_of(shown)
    assert shown.context["score"]["low"] < shown.context["score"]["high"] <= 100


def test_unknown_editions_and_years_are_not_found(as_officer, works):
    for path in ("no-such/2025/", f"{EDITION}/1900/", f"{EDITION}/2027/", f"{EDITION}/2025/values/"):
        assert as_officer.get(f"/o/{works.uscc}/evaluation/{path}").status_code == 404


def test_others_are_refused(client, works, make_user, make_organisation):
    paths = [f"/o/{works.uscc}/evaluation/", f"/o/{works.uscc}/evaluation/{EDITION}/2025/",
             f"/o/{works.uscc}/declarations/2025/"]  # fmt: skip
    client.force_login(make_user("ENVIRONMENT_OFFICER", make_organisation()), backend=BACKEND)
    assert [client.get(path).status_code for path in paths] == [404] * 3
    client.force_login(make_user("WORKER", works), backend=BACKEND)
    assert [client.get(path).status_code for path in paths] == [403] * 3


# ---- judgement ------------------------------------------------------------------------


def test_an_officer_of_the_authority_answers_a_question_by_name(as_judge, judge, works):
    address = f"/o/{works.uscc}/evaluation/{EDITION}/2025/"
    page = as_judge.get(address).content.decode()
    [link] = {
        found for found in re.findall(r'href="([^"]+/judge/basic-2/[^"]+)"', page) if "exception" not in found
    }
    assert "显著低于" in words_of(as_judge.get(link))

    assert as_judge.post(link, {"answer": "YES", "reason": "比对行业平均值"}).status_code == 302

    row = Judgement.objects.get()
    assert (row.judged_by, row.answer, row.reason) == (judge, "YES", "比对行业平均值")
    assert "比对行业平均值" in criterion(as_judge.get(address), "basic-2")


def test_a_judgement_without_a_reason_is_refused(as_judge, works):
    link = f"/o/{works.uscc}/evaluation/{EDITION}/2025/judge/basic-2/"
    page = as_judge.get(f"/o/{works.uscc}/evaluation/{EDITION}/2025/").content.decode()
    link = next(found for found in re.findall(r'href="([^"]+/judge/basic-2/[^"]+)"', page))

    refused = as_judge.post(link, {"answer": "YES", "reason": " "})

    assert refused.status_code == 422
    assert not Judgement.objects.exists()


def test_an_exception_is_granted_with_a_reason_and_shown(as_judge, works, officer):
    declared = {"organisation": works, "source": "测试", "by": officer, "now": NOW}
    shown = as_judge.get(f"/o/{works.uscc}/evaluation/{EDITION}/2025/")
    in_principle = [f for f in shown.context["evaluation"].findings if f.criterion.severity == "in_principle"]
    assert in_principle, "the edition has requirements that hold in principle"
    for event in ("较大及以上污染事故或生态破坏事件", "安全生产事故", "行政处罚", "列入失信企业名单"):
        services.declare(item=event, year=2024, answer="YES", basis="某决定书", **declared)
    shown = as_judge.get(f"/o/{works.uscc}/evaluation/{EDITION}/2025/")
    required = [f.criterion.id for f in shown.context["evaluation"].findings if f.exception_required]
    links = re.findall(r'href="([^"]+/judge/([^/"]+)/exception/)"', shown.content.decode())
    assert [id_ for _, id_ in links] == required
    assert links
    link, id_ = links[0]
    assert as_judge.post(link, {"answer": "YES", "reason": "情节轻微，已整改"}).status_code == 302

    assert "已准予例外" in criterion(as_judge.get(f"/o/{works.uscc}/evaluation/{EDITION}/2025/"), id_)


def test_the_enterprise_does_not_judge_itself(as_officer, works):
    page = as_officer.get(f"/o/{works.uscc}/evaluation/{EDITION}/2025/").content.decode()

    assert "/judge/" not in page
    address = f"/o/{works.uscc}/evaluation/{EDITION}/2025/judge/basic-2/exception/"
    assert as_officer.get(address).status_code == 403
    assert as_officer.post(address, {"answer": "YES", "reason": "x"}).status_code == 403


def test_what_the_edition_does_not_ask_is_no_question(as_judge, works):
    for path in ("basic-1/no-such/", "no-such/exception/", "eligible-kind/exception/"):
        assert as_judge.get(f"/o/{works.uscc}/evaluation/{EDITION}/2025/judge/{path}").status_code == 404


# ---- declarations and stated values ---------------------------------------------------


def test_an_item_is_declared_and_the_line_says_so(as_officer, works):
    address = f"/o/{works.uscc}/declarations/2025/"
    said = {"item": "行政处罚", "version": 0, "answer": "NO", "basis": "信用中国"}

    line = as_officer.post(address, said, headers={"HX-Request": "true"})

    assert line.status_code == 200
    assert "已保存" in words_of(line)
    assert "<html" not in line.content.decode()
    row = Declaration.objects.get()
    assert (row.item, row.answer, row.basis) == ("行政处罚", "NO", "信用中国")
    assert as_officer.post(address, said | {"version": 1, "basis": "信用中国，2026-06"}).status_code == 302


def test_a_stale_declaration_is_refused_and_shows_what_is_kept(as_officer, works, officer):
    services.declare(organisation=works, item="行政处罚", year=2025, answer="YES", basis="决定书", source="测试",
                     by=officer, now=NOW)  # fmt: skip
    said = {"item": "行政处罚", "version": 0, "answer": "NO", "basis": "信用中国"}

    refused = as_officer.post(f"/o/{works.uscc}/declarations/2025/", said, headers={"HX-Request": "true"})

    assert refused.status_code == 409
    assert "现存：是（决定书）" in words_of(refused)
    assert 'value="信用中国"' in refused.content.decode()
    assert Declaration.objects.get().answer == "YES"


def test_a_line_without_an_answer_is_refused(as_officer, works):
    said = {"item": "行政处罚", "version": 0, "answer": "", "basis": ""}

    refused = as_officer.post(f"/o/{works.uscc}/declarations/2025/", said)

    assert refused.status_code == 422
    assert not Declaration.objects.exists()
    assert (
        as_officer.post(f"/o/{works.uscc}/declarations/2025/", said | {"item": "没有这项"}).status_code == 404
    )


def test_only_what_an_edition_asks_is_listed_when_asked_so(as_officer, works):
    every = as_officer.get(f"/o/{works.uscc}/declarations/2025/").context["lines"]
    some = as_officer.get(f"/o/{works.uscc}/declarations/2025/?edition={EDITION}").context["lines"]

    assert {line.item for line in some} < {line.item for line in every}


def test_a_number_of_the_self_assessment_is_stated(as_officer, works):
    address = f"/o/{works.uscc}/evaluation/{FACTORY}/2025/values/"
    assert "工业用水重复利用率（%）" in words_of(as_officer.get(address))

    refused = as_officer.post(address, {"item": "water_reuse", "version": 0, "value": "八十"})
    assert refused.status_code == 422
    assert as_officer.post(address, {"item": "water_reuse", "version": 0, "value": "80.5"}).status_code == 302
    assert StatedValue.objects.get().value == Decimal("80.5")


def test_who_may_not_edit_reads_only(as_judge, works):
    address = f"/o/{works.uscc}/declarations/2025/"

    assert '<form class="statement"' not in as_judge.get(address).content.decode()
    assert as_judge.post(address, {"item": "行政处罚", "version": 0, "answer": "NO"}).status_code == 403


# ---- requirement sets -----------------------------------------------------------------

SET = {
    "industry_code": "301", "name": "水泥制造要求", "in_force_from": "2026-01-01", "source": "渝经信〔2026〕号（示意）",
    "is_illustrative": "on", "baseline_water_reuse": "60", "leading_water_reuse": "90",
}  # fmt: skip


def test_an_authority_maintains_the_values_of_an_industry(as_judge, authority):
    address = f"/o/{authority.uscc}/requirements/"
    assert as_judge.post(f"{address}{FACTORY}/new/", SET).status_code == 302

    row = RequirementSet.objects.get()
    assert (row.industry_code, row.values) == ("301", {"water_reuse": {"baseline": "60", "leading": "90"}})
    words = words_of(as_judge.get(address))
    assert "水泥制造要求" in words
    assert "示意数据" in words
    copied = as_judge.get(f"{address}{FACTORY}/new/?from={row.pk}").context["form"]
    assert copied["leading_water_reuse"].value() == "90"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"leading_water_reuse": "50"}, "基准值与引领值方向反了"),
        ({"leading_water_reuse": ""}, "要么都填，要么都不填"),
        ({"industry_code": "999"}, "行业代码"),
        ({"leading_water_reuse": "九十"}, "输入一个数字"),
    ],
)
def test_values_that_can_not_be_are_refused(as_judge, authority, said, words):
    refused = as_judge.post(f"/o/{authority.uscc}/requirements/{FACTORY}/new/", SET | said)

    assert refused.status_code == 422
    assert words in words_of(refused)
    assert not RequirementSet.objects.exists()


def test_only_an_authority_maintains_requirements(as_officer, works, authority):
    assert as_officer.get(f"/o/{works.uscc}/requirements/").status_code == 403
    assert as_officer.get(f"/o/{authority.uscc}/requirements/").status_code == 404


def test_every_refusal_has_words():
    assert list(STATEMENT_REFUSALS) == list(Code)


def test_the_number_of_queries_does_not_grow_with_the_rows(as_officer, works, officer):
    def asked(path: str) -> int:
        as_officer.get(path)
        with CaptureQueriesContext(connection) as captured:
            as_officer.get(path)
        return len(captured)

    paths = [f"/o/{works.uscc}/evaluation/{EDITION}/2025/", f"/o/{works.uscc}/declarations/2025/"]
    before = [asked(path) for path in paths]
    for year in (2023, 2024, 2025):
        for number in range(20):
            services.declare(organisation=works, item=f"事项{number}", year=year, answer="NO", basis="x", source="测试",
                             by=officer, now=NOW)  # fmt: skip

    assert [asked(path) for path in paths] == before
