"""Promises R1 to R4, each with the control that must fail, over every edition that we ship."""

import json
import random
from dataclasses import replace
from decimal import Decimal

import pytest

from tests.pure.policies.dossiers import (
    EDITIONS,
    ON,
    TINY,
    empty,
    figure,
    judged,
    making,
    ranges,
    value_of,
    with_facts,
    with_number,
)
from wufei.policies.criteria import judge, linear_score
from wufei.policies.dossier import DeclaredAnswer, Dossier, Requirements, Stated
from wufei.policies.edition import (
    Declared,
    FigureThreshold,
    Judged,
    Kind,
    OneOf,
    StartsWith,
    StatedThreshold,
    YearsSince,
    leaves,
)
from wufei.policies.explanations import as_json
from wufei.policies.recomputation import contradictions, recompute, recompute_score
from wufei.terms.truth import Truth

CRITERIA = [(edition, criterion) for edition in EDITIONS.values() for criterion in edition.criteria]
TESTED = [(edition, criterion) for edition, criterion in CRITERIA if criterion.test]
SCORED = [(edition, criterion) for edition, criterion in CRITERIA if criterion.score]


def named(pairs):
    return [f"{edition.id}-{criterion.id}" for edition, criterion in pairs]


def verdict_of(edition, criterion, dossier) -> Truth:
    return next(f.verdict for f in judge(edition, dossier).findings if f.criterion.id == criterion.id)


# ---- R3 -------------------------------------------------------------------------------


@pytest.mark.parametrize(("edition", "criterion"), CRITERIA, ids=named(CRITERIA))
def test_every_rule_is_cited_and_every_parameter_dated_and_cited(edition, criterion):
    assert criterion.document
    assert criterion.clause
    assert criterion.says
    for parameter in [*criterion.parameters.values(), *edition.parameters.values()]:
        assert all(dated.start and dated.source for dated in parameter.values)


@pytest.mark.parametrize(("edition", "criterion"), TESTED, ids=named(TESTED))
def test_every_rule_has_a_met_a_not_met_and_an_unknown_case(edition, criterion):
    met = making(empty(), edition, criterion, criterion.test, True)
    not_met = making(empty(), edition, criterion, criterion.test, False)

    assert verdict_of(edition, criterion, met) == Truth.MET
    assert verdict_of(edition, criterion, not_met) == Truth.NOT_MET
    assert verdict_of(edition, criterion, empty()) == Truth.UNKNOWN


def test_every_unknown_says_what_to_supply():
    for edition in EDITIONS.values():
        for finding in judge(edition, empty()).findings:
            assert finding.node.supply, f"{edition.id} {finding.criterion.id}"


# ---- R2 -------------------------------------------------------------------------------

THRESHOLDS = [
    (edition, criterion, leaf)
    for edition, criterion in TESTED
    for leaf in leaves(criterion.test)
    if isinstance(leaf, FigureThreshold | StatedThreshold)
]


@pytest.mark.parametrize(
    ("edition", "criterion", "leaf"),
    THRESHOLDS,
    ids=[f"{e.id}-{c.id}-{getattr(leaf, 'figure', None) or leaf.stated}" for e, c, leaf in THRESHOLDS],
)
def test_every_threshold_is_exact_just_below_on_and_just_above(edition, criterion, leaf):
    bound = value_of(edition, criterion, leaf.at_least or leaf.at_most)
    of = getattr(leaf, "figure", None) or leaf.stated
    alone = edition.model_copy(update={"criteria": (criterion.model_copy(update={"test": leaf}),)})

    got = [
        verdict_of(alone, criterion, with_number(empty(), leaf, bound + step)) for step in (-TINY, 0, TINY)
    ]

    expected = [Truth.NOT_MET, Truth.MET, Truth.MET]
    assert got == (expected if leaf.at_least else expected[::-1]), of


def test_twenty_points_from_56_1_to_76_1_are_enough_though_binary_floats_say_no():
    assert 76.1 - 56.1 < 20  # the control
    edition = EDITIONS["miit-2025-539-enterprise"]
    gain = figure("utilisation_rate_gain_pp", Decimal("76.1") - Decimal("56.1"))
    dossier = with_facts(empty(), figures={("utilisation_rate_gain_pp", 2025): gain})

    assert {f.criterion.id: f.verdict for f in judge(edition, dossier).findings}["basic-1"] == Truth.MET


@pytest.mark.parametrize(("edition", "criterion"), SCORED, ids=named(SCORED))
def test_every_score_is_exact_at_baseline_and_leading_value(edition, criterion):
    scored, weight = criterion.score, criterion.weight
    if scored.judged:
        cases = {"YES": weight, "NO": Decimal(0)}
        for answer, points in cases.items():
            dossier = with_facts(empty(), judgements={(criterion.id, scored.key): judged(answer)})
            assert points_of(edition, criterion, dossier) == (points, points)
        return
    held = requirements(edition)
    if scored.baseline:
        low, high = (value_of(edition, criterion, name) for name in (scored.baseline, scored.leading))
    else:
        low, high = held.ranges[scored.key].baseline, held.ranges[scored.key].leading
    inward = TINY if high > low else -TINY
    for value, points in [
        (low - inward, Decimal(0)),
        (low, Decimal(0)),
        (low + inward, weight * TINY / abs(high - low)),
        ((low + high) / 2, weight / 2),
        (high, weight),
        (high + inward, weight),
    ]:
        dossier = replace(with_score(empty(), scored, value), requirements=held)
        assert points_of(edition, criterion, dossier) == (points, points), value
    without = replace(empty(), requirements=held)
    assert points_of(edition, criterion, without) == (0, weight)


def points_of(edition, criterion, dossier):
    finding = next(f for f in judge(edition, dossier).findings if f.criterion.id == criterion.id)
    return finding.score_min, finding.score_max


def requirements(edition) -> Requirements:
    return Requirements(
        name="行业要求", industry_code="301", in_force_from=ON, source="测试", is_illustrative=True,
        ranges=ranges(edition),
    )  # fmt: skip


def with_score(dossier, scored, value):
    if scored.figure:
        return with_facts(dossier, figures={(scored.figure, 2025): figure(scored.figure, value)})
    return with_facts(dossier, stated={(scored.stated, 2025): Stated(value=value)})


def test_a_range_of_no_width_gives_all_or_nothing():
    at = {"baseline": Decimal(5), "leading": Decimal(5), "weight": Decimal(8)}

    assert [linear_score(Decimal(v), **at) for v in (4, 5, 6)] == [0, 8, 8]


# ---- R1 -------------------------------------------------------------------------------


def random_dossier(edition, draw: random.Random, kept: float) -> Dossier:
    """Return a dossier in which each fact that the edition asks for is present by chance."""
    figures, declarations, judgements, stated, facts = {}, {}, {}, {}, {}
    for criterion in edition.criteria:
        for leaf in leaves(criterion.test) if criterion.test else ():
            match leaf:
                case FigureThreshold() | StatedThreshold():
                    bound = value_of(edition, criterion, leaf.at_least or leaf.at_most)
                    value = bound + draw.choice([-TINY, Decimal(0), TINY, Decimal(-30), Decimal(5)])
                    if isinstance(leaf, FigureThreshold):
                        figures[leaf.figure, 2025] = figure(leaf.figure, value)
                    else:
                        stated[leaf.stated, 2025] = Stated(value=value)
                case Declared():
                    window = int(value_of(edition, criterion, leaf.window)) if leaf.window else 1
                    for year in range(2026 - window, 2026):
                        answer = draw.choice(["YES", "NO", "NO", "NO", "NOT_APPLICABLE"])
                        basis = draw.choice(["信用中国", ""])
                        declarations[leaf.declaration, year] = DeclaredAnswer(answer=answer, basis=basis)
                case Judged():
                    judgements[criterion.id, leaf.judgement] = judged(
                        draw.choice(["YES", "NO", "NOT_APPLICABLE"])
                    )
                case OneOf() | StartsWith():
                    facts[leaf.fact] = draw.choice(["ENTERPRISE", "PARK", "500110", "440100"])
                case YearsSince():
                    facts[leaf.fact] = ON.replace(year=ON.year - draw.choice([1, 3, 9]))
        if criterion.score:
            score = criterion.score
            value = Decimal(draw.randrange(0, 80))
            if score.figure:
                figures[score.figure, 2025] = figure(score.figure, value)
            elif score.stated:
                stated[score.stated, 2025] = Stated(value=value)
    whole = Dossier(
        subject="x", year=2025, on=ON, figures=figures, declarations=declarations, judgements=judgements,
        stated=stated, facts=facts,
    )  # fmt: skip
    return part_of(whole, draw, kept)


def part_of(dossier: Dossier, draw: random.Random, kept: float) -> Dossier:
    parts = {}
    for field in ("figures", "declarations", "judgements", "stated", "facts"):
        rows = getattr(dossier, field)
        parts[field] = {key: row for key, row in rows.items() if draw.random() < kept}
    return replace(dossier, **parts)


def missing_taken_for_zero(edition, less: Dossier) -> Dossier:
    """The broken variant: what is missing counts as 0, and as 'it did not happen'."""
    filled = with_facts(empty())
    for criterion in edition.criteria:
        for leaf in leaves(criterion.test) if criterion.test else ():
            if isinstance(leaf, FigureThreshold):
                filled = with_facts(filled, figures={(leaf.figure, 2025): figure(leaf.figure, 0)})
            elif isinstance(leaf, Declared):
                rows = {
                    (leaf.declaration, y): DeclaredAnswer(answer="NO", basis="-") for y in (2023, 2024, 2025)
                }
                filled = with_facts(filled, declarations=rows)
    return replace(
        less,
        figures={**filled.figures, **less.figures},
        declarations={**filled.declarations, **less.declarations},
    )


def contradicted(editions, rounds: int, seed: int, before=lambda edition, less: less) -> int:
    """Return how many dossiers had a verdict that the same dossier with more facts contradicts."""
    draw, found = random.Random(seed), 0
    for number in range(rounds):
        edition = editions[number % len(editions)]
        more = random_dossier(edition, draw, 0.9)
        less = part_of(more, draw, draw.choice([0.2, 0.5, 0.8, 0.95]))
        first, later = judge(edition, before(edition, less)), judge(edition, more)
        pairs = [(first.verdict, later.verdict)]
        pairs += [(a.verdict, b.verdict) for a, b in zip(first.findings, later.findings, strict=True)]
        found += any(a != Truth.UNKNOWN and a != b for a, b in pairs)
    return found


BASIC = [EDITIONS[id_] for id_ in ("miit-2025-539-enterprise", "miit-2025-539-park")]


@pytest.mark.slow
def test_a_verdict_is_never_contradicted_by_facts_that_come_later():
    assert contradicted([*BASIC, *EDITIONS.values()], rounds=20_000, seed=539) == 0


def test_a_variant_that_takes_missing_for_zero_is_caught_contradicting_itself():
    assert contradicted(BASIC, rounds=300, seed=539, before=missing_taken_for_zero) > 100


# ---- R4 -------------------------------------------------------------------------------


def written(edition, dossier) -> dict:
    return json.loads(json.dumps(as_json(judge(edition, dossier))))


@pytest.mark.parametrize("edition", EDITIONS.values(), ids=EDITIONS)
def test_an_explanation_is_recomputed_offline_from_its_own_leaves(edition):
    draw = random.Random(2025)
    for kept in (0, 0.3, 0.6, 0.9, 1):
        for _ in range(8):
            dossier = random_dossier(edition, draw, kept)
            if edition.industry_requirements:
                dossier = replace(dossier, requirements=requirements(edition))
            said = written(edition, dossier)

            assert contradictions(said) == []
            if said["score_min"] is not None:
                low, high = recompute_score(said)
                assert abs(low - Decimal(said["score_min"])) < Decimal("1e-20")
                assert abs(high - Decimal(said["score_max"])) < Decimal("1e-20")


def test_a_forged_leaf_or_verdict_is_found():
    edition = EDITIONS["miit-2025-539-enterprise"]
    dossier = with_facts(
        empty(), figures={("utilisation_rate_pct", 2025): figure("utilisation_rate_pct", "79")}
    )
    said = written(edition, dossier)
    basic = next(row for row in said["criteria"] if row["id"] == "basic-1")
    basic["children"][0]["operands"]["value"] = "81"

    assert contradictions(said) == ["basic-1", "basic-1.1"]
    assert recompute(basic) == "met"


def test_a_forged_overall_verdict_is_found():
    said = written(BASIC[0], empty())

    assert contradictions(said | {"verdict": "met"}) == [""]


def test_weights_of_every_scored_edition_sum_to_100():
    for edition in EDITIONS.values():
        weights = [c.weight for c in edition.criteria if c.kind == Kind.SCORE]
        assert sum(weights) in (0, 100)
