"""What the verdicts mean: exceptions, windows, overall, scores, words."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

import wufei.policies
from tests.pure.policies.dossiers import (
    EDITIONS,
    empty,
    figure,
    judged,
    making,
    ranges,
    wholly_met,
    with_facts,
)
from wufei.policies.criteria import judge
from wufei.policies.dossier import EXCEPTION, DeclaredAnswer, Requirements, Stated
from wufei.policies.edition import Kind
from wufei.policies.explanations import as_json
from wufei.terms.truth import Truth

ENTERPRISE = EDITIONS["miit-2025-539-enterprise"]
FACTORY = EDITIONS["chongqing-2026-green-factory"]


def finding(evaluation, id_):
    return next(f for f in evaluation.findings if f.criterion.id == id_)


def criterion(edition, id_):
    return next(c for c in edition.criteria if c.id == id_)


@pytest.mark.parametrize("edition", EDITIONS.values(), ids=EDITIONS)
def test_the_whole_is_met_where_everything_that_decides_is(edition):
    assert judge(edition, wholly_met(edition)).verdict == Truth.MET


@pytest.mark.parametrize("edition", EDITIONS.values(), ids=EDITIONS)
def test_one_miss_vetoes_the_whole_and_one_unknown_leaves_it_open(edition):
    whole = wholly_met(edition)
    for rule in edition.criteria:
        if rule.decides:
            assert judge(edition, making(whole, edition, rule, rule.test, False)).verdict == Truth.NOT_MET
    assert judge(edition, empty()).verdict == Truth.UNKNOWN


@pytest.mark.parametrize("edition", EDITIONS.values(), ids=EDITIONS)
def test_preferences_and_rules_of_a_titles_life_decide_nothing(edition):
    whole = wholly_met(edition)
    shared = {leaf for rule in edition.criteria if rule.decides for leaf in [str(rule.test)]}
    for rule in edition.criteria:
        if rule.kind == Kind.SELECTION and str(rule.test) not in shared:
            assert judge(edition, making(whole, edition, rule, rule.test, False)).verdict == Truth.MET


def test_a_miss_in_principle_needs_an_exception_that_only_an_officer_grants():
    rule = criterion(ENTERPRISE, "basic-4")
    missed = making(wholly_met(ENTERPRISE), ENTERPRISE, rule, rule.test, False)
    granted = with_facts(missed, judgements={("basic-4", EXCEPTION): judged("YES")})
    refused = with_facts(missed, judgements={("basic-4", EXCEPTION): judged("NO")})

    seen = [judge(ENTERPRISE, d) for d in (missed, refused, granted)]

    assert [e.verdict for e in seen] == [Truth.NOT_MET, Truth.NOT_MET, Truth.MET]
    assert [finding(e, "basic-4").verdict for e in seen] == [Truth.NOT_MET] * 3
    assert [finding(e, "basic-4").exception_required for e in seen] == [True] * 3
    assert [finding(e, "basic-4").exception_granted for e in seen] == [False, False, True]


def test_a_mandatory_miss_takes_no_exception():
    rule = criterion(ENTERPRISE, "eligible-established")
    missed = making(wholly_met(ENTERPRISE), ENTERPRISE, rule, rule.test, False)
    asked = with_facts(missed, judgements={("eligible-established", EXCEPTION): judged("YES")})

    assert judge(ENTERPRISE, asked).verdict == Truth.NOT_MET


def test_an_event_vetoes_at_once_and_silence_names_the_register():
    event = {("行政处罚", 2024): DeclaredAnswer(answer="YES", basis="信用中国")}
    vetoed = finding(judge(ENTERPRISE, with_facts(empty(), declarations=event)), "basic-3")
    silent = finding(judge(ENTERPRISE, empty()), "basic-3")

    assert (vetoed.verdict, silent.verdict) == (Truth.NOT_MET, Truth.UNKNOWN)
    asked = {m.label for m in silent.node.supply}
    assert "2023 年“行政处罚”的结论（查询“信用中国”和国家企业信用信息公示系统）" in asked
    assert len(asked) == 12


def test_an_explanation_names_figure_year_unit_threshold_and_its_day():
    held = with_facts(
        empty(), figures={("utilisation_rate_pct", 2025): figure("utilisation_rate_pct", "81.2")}
    )
    told = finding(judge(ENTERPRISE, held), "basic-1").node.children[0].explanation

    assert told == (
        "2025 年工业固体废物综合利用率为 81.2%，要求不低于 80%（自 2025-12-18 起，二、（二）1），满足。"
    )


def test_a_threshold_of_anything_at_all_reads_as_more_than_nothing():
    held = with_facts(
        empty(),
        figures={("output_value_10k_yuan", 2025): figure("output_value_10k_yuan", "3")},
        facts={"kind": "ENTERPRISE"},
    )
    judged = judge(ENTERPRISE, held)

    operating = finding(judged, "eligible-operating").node.children[0]
    assert operating.explanation.endswith("，要求大于 0（自 2025-12-18 起，一、（二），我们的读法），满足。")
    assert operating.operands["bound"] == "0.000001"
    assert finding(judged, "eligible-kind").node.explanation == (
        "单位类型为企业，须为企业、利用处置单位、运输单位，满足。"
    )


def test_an_explanation_never_rounds_across_the_threshold():
    held = with_facts(
        empty(), figures={("utilisation_rate_pct", 2025): figure("utilisation_rate_pct", "79.99999999")}
    )
    told = finding(judge(ENTERPRISE, held), "basic-1").node.children[0].explanation

    assert "为 79.99999999%" in told


def test_a_question_to_a_person_shows_the_benchmark():
    held = with_facts(
        empty(), figures={("generation_per_product", 2025): figure("generation_per_product", "0.33")}
    )
    told = finding(judge(ENTERPRISE, held), "basic-2").node.children[1].explanation

    assert "供判断：2025 年单位产品工业固体废物产生量 0.33 吨/单位产品" in told


def test_another_number_of_years_back_is_one_line_of_data():
    dated = ENTERPRISE.parameters["compare_years_back"]
    two = dated.model_copy(update={"values": (dated.values[0].model_copy(update={"value": Decimal(2)}),)})
    other = ENTERPRISE.model_copy(update={"parameters": {**ENTERPRISE.parameters, "compare_years_back": two}})
    held = with_facts(
        empty(), figures={("utilisation_rate_gain_pp", 2025): figure("utilisation_rate_gain_pp", "25")}
    )

    assert (ENTERPRISE.years_back(held.on), other.years_back(held.on)) == (3, 2)
    assert finding(judge(ENTERPRISE, held), "basic-1").verdict == Truth.MET
    # A change over three years says nothing about one over two.
    assert finding(judge(other, held), "basic-1").verdict == Truth.UNKNOWN
    assert finding(judge(other, replace(held, years_back=2)), "basic-1").verdict == Truth.MET


def test_an_edition_asked_before_its_first_day_is_judged_as_of_that_day_and_says_so():
    found = judge(ENTERPRISE, empty(on=date(2025, 6, 1)))

    assert found.judged_as_of == date(2025, 12, 18)
    assert "本版本自 2025-12-18 起施行，按该日的参数判定。" in found.notes


def test_what_has_been_established_three_years_counts_from_its_anniversary():
    for on, verdict in [(date(2026, 2, 28), "not_met"), (date(2026, 3, 1), "met")]:
        held = with_facts(empty(on=on), facts={"established_on": date(2023, 3, 1)})
        assert finding(judge(ENTERPRISE, held), "eligible-established").verdict == verdict


def test_a_score_with_gaps_is_a_range_and_no_score():
    held = replace(wholly_met(FACTORY), requirements=illustrative())
    gap = judge(FACTORY, held)
    stated = {
        c.score.stated: Stated(value=Decimal(60)) for c in FACTORY.criteria if c.score and c.score.stated
    }
    full = with_facts(
        held,
        stated={(item, 2025): value for item, value in stated.items()},
        figures={("general_utilisation_rate_pct", 2025): figure("general_utilisation_rate_pct", "40")},
        judgements={("score-12-green-design", "green_design"): judged("YES")},
    )

    found = judge(FACTORY, full)

    assert (gap.score, gap.score_min, gap.score_max) == (None, 0, 100)
    # higher-is-better at the leading value, lower-is-better at the baseline, solid waste half way
    assert found.score == Decimal(100) - 8 * 4 - 3
    assert as_json(found)["score"] == "65"
    assert found.verdict == Truth.MET
    assert any("示意数据" in note for note in found.notes)
    assert any("没有规定合格分数线" in note for note in found.notes)


def illustrative() -> Requirements:
    return Requirements(
        name="水泥制造", industry_code="301", in_force_from=date(2026, 1, 1), source="演示", is_illustrative=True,
        ranges=ranges(FACTORY),
    )  # fmt: skip


def test_without_an_industrys_requirements_nothing_is_scored():
    held = with_facts(empty(), stated={("water_reuse", 2025): Stated(value=Decimal(99))})
    found = finding(judge(FACTORY, held), "score-07-water-reuse")

    assert (found.verdict, found.score_min, found.score_max) == (Truth.UNKNOWN, 0, 8)
    assert [m.where for m in found.node.supply] == ["主管部门维护的行业要求"]


def test_vetoes_are_all_evaluated_though_one_already_decides():
    rule = criterion(FACTORY, "exclusion-tax")
    found = judge(FACTORY, making(wholly_met(FACTORY), FACTORY, rule, rule.test, False))

    assert found.verdict == Truth.NOT_MET
    assert all(f.node.explanation for f in found.findings)
    assert [
        f.criterion.id for f in found.findings if f.criterion.kind == Kind.VETO and f.verdict == "not_met"
    ] == ["exclusion-tax"]


def test_what_was_not_found_is_asked_of_a_person_and_marked_unverified():
    park = EDITIONS["chongqing-2026-green-park"]
    unverified = {c.id for c in park.criteria if c.unverified and c.decides}

    assert unverified == {"evaluation-2026"}
    assert all(not c.decides for c in park.criteria if c.id.startswith("reference-"))


def test_basic_requirements_stand_at_the_top_of_the_list_in_order():
    for id_ in ("miit-2025-539-enterprise", "miit-2025-539-park"):
        ids = [row["id"] for row in as_json(judge(EDITIONS[id_], empty()))["criteria"]]
        assert [i for i in ids if i.startswith("basic-")] == [f"basic-{n}" for n in range(1, 6)]


def test_no_programmes_name_and_no_document_number_stands_in_python():
    room = Path(wufei.policies.__file__).parent
    for path in room.rglob("*.py"):
        text = path.read_text()
        for name in (
            "无废企业",
            "无废园区",
            "绿色工厂",
            "绿色工业园区",
            "36132",
            "miit-",
            "chongqing",
            "guangdong",
        ):
            assert name not in text, f"{path.name} names {name}"


def dated_threshold(*values):
    """Return the enterprise edition with the values of basic-1's threshold replaced."""
    rule = criterion(ENTERPRISE, "basic-1")
    [was] = rule.parameters["utilisation_rate_min"].values
    made = tuple(
        was.model_copy(
            update={
                "start": date.fromisoformat(start),
                "to": to and date.fromisoformat(to),
                "value": Decimal(v),
            }
        )
        for start, to, v in values
    )
    parameter = rule.parameters["utilisation_rate_min"].model_copy(update={"values": made})
    changed = rule.model_copy(update={"parameters": {**rule.parameters, "utilisation_rate_min": parameter}})
    criteria = tuple(changed if c.id == "basic-1" else c for c in ENTERPRISE.criteria)
    return ENTERPRISE.model_copy(update={"criteria": criteria})


@pytest.mark.parametrize(
    ("on", "verdict"),
    [("2026-06-30", "met"), ("2026-07-01", "unknown"), ("2026-07-02", "not_met"), ("2030-01-01", "not_met")],
)
def test_the_threshold_of_the_day_counts_and_a_day_without_one_is_unknown(on, verdict):
    edition = dated_threshold(("2025-12-18", "2026-06-30", "80"), ("2026-07-02", None, "85"))
    figures = {
        ("utilisation_rate_pct", 2025): figure("utilisation_rate_pct", "82"),
        ("utilisation_rate_gain_pp", 2025): figure("utilisation_rate_gain_pp", "0"),
    }
    held = with_facts(empty(on=date.fromisoformat(on)), figures=figures)

    assert finding(judge(edition, held), "basic-1").verdict == verdict


def test_requirements_the_wrong_way_round_score_nothing_and_say_so():
    held = illustrative()
    turned = {k: type(r)(baseline=r.leading, leading=r.baseline) for k, r in held.ranges.items()}
    dossier = with_facts(
        replace(empty(), requirements=replace(held, ranges=turned)),
        stated={("water_reuse", 2025): Stated(value=Decimal(99))},
    )
    found = finding(judge(FACTORY, dossier), "score-07-water-reuse")

    assert (found.verdict, found.score_max) == (Truth.UNKNOWN, 8)
    assert "方向相反" in found.node.explanation


def test_a_reference_value_that_is_not_verified_says_so():
    park = EDITIONS["chongqing-2026-green-park"]
    held = with_facts(empty(), stated={("green_coverage", 2025): Stated(value=Decimal(31))})

    assert "未核实" in finding(judge(park, held), "reference-green-coverage").node.explanation
