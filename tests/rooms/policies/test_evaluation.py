"""From a ledger to a verdict, and the commands."""

import json
import shutil
from datetime import date
from decimal import Decimal

import pytest
from click.testing import CliRunner
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.conftest import NOW
from wufei.indicators import services as indicators
from wufei.policies import loading, queries, services
from wufei.policies.cli import editions, evaluate
from wufei.policies.recomputation import contradictions

EDITION = "miit-2025-539-enterprise"
EVENTS = ("较大及以上污染事故或生态破坏事件", "安全生产事故", "行政处罚", "列入失信企业名单")


@pytest.fixture
def enterprise(organisation, officer, ledger):
    """70% used in 2022 and 95% in 2025; 1.0 t for each unit in 2022 and 0.8 t in 2025."""
    organisation.established_on = date(2015, 5, 1)
    organisation.save()
    ledger.stores(库1=None)
    ledger.streams("S1")
    ledger.post(
        "2022-12-31 S1 产生 1000 吨 库1 -",
        "2022-12-31 S1 自行利用 700 吨 库1 -",
        "2022-12-31 S1 自行处置 300 吨 库1 -",
        "2025-12-31 S1 产生 800 吨 库1 -",
        "2025-12-31 S1 自行利用 760 吨 库1 -",
    )
    ledger.post("2025-12-31 S1 委外处置 40 吨 库1 -", counterparty="某处置公司", method="填埋")
    for year in (2022, 2025):
        indicators.state_product(
            organisation=organisation, year=year, name="水泥", capacity=None, output=Decimal(1000), unit="吨",
            is_main=True, source="测试", by=officer, now=NOW,
        )  # fmt: skip
    said = {"organisation": organisation, "source": "测试", "by": officer, "now": NOW}
    for item in EVENTS:
        for year in (2023, 2024, 2025):
            services.declare(item=item, year=year, answer="NO", basis="信用中国", **said)
    for item in ("贮存处置设施符合标准", "独立法人资格"):
        services.declare(item=item, year=2025, answer="YES", basis="", **said)
    return organisation


def run(command, *arguments):
    return CliRunner().invoke(command, [str(a) for a in arguments])


def test_an_enterprise_that_meets_everything_is_told_so(enterprise):
    result = run(evaluate, enterprise.uscc, "--edition", EDITION, "--year", 2025, "--json")
    said = json.loads(result.stdout)

    assert result.exit_code == 0
    assert {c["id"]: c["verdict"] for c in said["criteria"] if c["decides"]} == {
        "eligible-kind": "met", "eligible-established": "met", "eligible-legal-person": "met",
        "eligible-operating": "met", "basic-1": "met", "basic-2": "met", "basic-3": "met", "basic-4": "met",
        "basic-5": "met",
    }  # fmt: skip
    assert (said["edition"], said["subject"], said["year"]) == (EDITION, enterprise.uscc, 2025)
    assert (said["verdict"], said["score"]) == ("met", None)
    assert contradictions(said) == []


def test_a_criterion_names_the_figures_it_was_judged_by(enterprise):
    said = json.loads(run(evaluate, enterprise.uscc, "--edition", EDITION, "--year", 2025, "--json").stdout)
    basic = {c["id"]: c for c in said["criteria"]}

    rate, gain = basic["basic-1"]["children"]
    assert [(f["id"], f["year"], f["value"]) for f in rate["figures"]] == [
        ("utilisation_rate_pct", 2025, "95")
    ]
    assert "（2022 年 70%，2025 年 95%）" in gain["explanation"]
    assert "2022 年 1 吨/吨，2025 年 0.8 吨/吨" in basic["basic-2"]["children"][0]["explanation"]
    assert basic["basic-2"]["children"][0]["operands"]["value"] == "20"


def test_an_unnamed_receiver_leaves_the_fifth_requirement_open(enterprise, ledger):
    ledger.post("2025-12-31 S1 产生 1 吨 库1 -", "2025-12-31 S1 委外处置 1 吨 库1 -")

    found = queries.evaluation(organisation=enterprise, edition_id=EDITION, year=2025, on=NOW.date())

    assert {f.criterion.id: f.verdict for f in found.findings}["basic-5"] == "unknown"
    assert found.verdict == "unknown"


def test_a_year_without_data_is_unknown_or_missed_but_never_met(enterprise):
    said = json.loads(run(evaluate, enterprise.uscc, "--edition", EDITION, "--year", 2021, "--json").stdout)
    verdicts = {c["id"]: c["verdict"] for c in said["criteria"]}

    assert [verdicts[f"basic-{n}"] for n in (1, 2, 3, 4)] == ["unknown"] * 4
    assert said["verdict"] != "met"


def test_a_park_is_judged_by_its_members(make_organisation):
    park = make_organisation("某园区", kind="PARK")

    found = queries.evaluation(organisation=park, edition_id="miit-2025-539-park", year=2025, on=NOW.date())

    assert {f.criterion.id: f.verdict for f in found.findings}["eligible-kind"] == "met"
    assert found.verdict != "met"


def test_a_park_is_no_enterprise(make_organisation):
    park = make_organisation("某园区", kind="PARK")

    found = queries.evaluation(organisation=park, edition_id=EDITION, year=2025, on=NOW.date())

    assert {f.criterion.id: f.verdict for f in found.findings}["eligible-kind"] == "not_met"


def test_an_evaluation_takes_a_handful_of_queries_however_much_was_declared(enterprise, officer):
    def count():
        with CaptureQueriesContext(
            connection,
        ) as seen:
            queries.evaluation(organisation=enterprise, edition_id=EDITION, year=2025, on=NOW.date())
        return len(seen)

    queries.evaluation(organisation=enterprise, edition_id=EDITION, year=2025, on=NOW.date())
    before = count()
    for year in range(2000, 2020):
        services.declare(
            organisation=enterprise,
            item="行政处罚",
            year=year,
            answer="NO",
            basis="x",
            source="",
            by=officer,
            now=NOW,
        )

    assert count() == before
    assert before <= 20


def test_evaluate_says_what_is_wrong_with_its_arguments(enterprise):
    nobody = run(evaluate, "91500110MA5U99999X", "--edition", EDITION, "--year", 2025, "--json")
    nothing = run(evaluate, enterprise.uscc, "--edition", "no-such", "--year", 2025, "--json")

    assert (nobody.exit_code, nothing.exit_code) == (1, 1)
    assert "没有统一社会信用代码为 91500110MA5U99999X 的单位" in nobody.stderr
    assert "没有版本“no-such”。现有：" in nothing.stderr
    assert run(evaluate, enterprise.uscc).exit_code == 2


def test_evaluate_tells_people_what_to_supply(organisation):
    result = run(evaluate, organisation.uscc, "--edition", EDITION, "--year", 2025)

    assert result.exit_code == 0
    assert "basic-3 未知，须补充：2023 年“行政处罚”的结论" in result.stdout.replace("\n", "")


def test_editions_lists_every_edition(db):
    said = json.loads(run(editions, "--json").stdout)

    assert {e["id"] for e in said} == set(queries.known_editions())
    ministry = next(e for e in said if e["id"] == EDITION)
    assert ministry["document"] == "工信厅联节函〔2025〕539号"
    assert run(editions).exit_code == 0


def test_editions_check_passes_a_sound_file_and_names_file_line_and_reason_of_a_broken_one(tmp_path):
    sound = run(editions, "check", loading.OURS / f"{EDITION}.yaml")
    copy = tmp_path / "copy.yaml"
    shutil.copy(loading.OURS / f"{EDITION}.yaml", copy)
    lines = copy.read_text().splitlines()
    number = next(i for i, line in enumerate(lines, 1) if 'value: "80"' in line)
    copy.write_text(copy.read_text().replace('value: "80"', 'value: "八十"'))
    broken = run(editions, "check", copy)

    assert (sound.exit_code, broken.exit_code) == (0, 1)
    assert broken.stderr == f"{copy}:{number}: “八十”不是十进制数（不写千分位、百分号、指数）\n"
    assert broken.stdout == ""
    assert run(editions, "check", tmp_path / "none.yaml").exit_code == 1


def test_a_folder_of_editions_adds_to_ours_and_is_read_again_when_it_changes(
    tmp_path, settings, organisation
):
    settings.EDITION_FOLDERS = [tmp_path]
    before = set(queries.known_editions())
    text = (loading.OURS / "guangdong-2026-4-enterprise.yaml").read_text()
    own = tmp_path / "sichuan.yaml"
    own.write_text(text.replace("id: guangdong-2026-4-enterprise", "id: sichuan-2026-enterprise"))

    assert set(queries.known_editions()) == before | {"sichuan-2026-enterprise"}
    result = run(
        evaluate, organisation.uscc, "--edition", "sichuan-2026-enterprise", "--year", 2025, "--json"
    )
    assert result.exit_code == 0

    own.unlink()
    assert set(queries.known_editions()) == before


def test_every_item_that_an_edition_asks_for_is_known_to_the_workbook():
    assert set(EVENTS) <= set(queries.declaration_items())
