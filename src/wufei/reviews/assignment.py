"""
Which expert scores which case?

Every case gets k different experts, none of them in conflict with it; the loads of the experts differ by
at most one; within that as many as can be are experts of the case's own fields. A minimum-cost flow, whose
linear programme is totally unimodular, so that its vertices are whole numbers; HiGHS solves it.

Twenty thousand cases and three hundred experts would make six million arcs. Cases that want the same fields
are alike, so the flow runs between *classes* of cases and experts; a class is then dealt out in a circle
(McNaughton's wrap-around rule), which gives each of its cases k different experts, because no expert has
more of a class than it has cases. Conflicts are few: they are first left out of the flow and mended by
exchanges that change neither load nor cost – what remains is optimal, for the flow without conflicts costs
no more than any with them. Where no exchange helps, the flow is solved again over classes that are alike in
their conflicts too, which is exact.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import highspy
import numpy as np

Fields = frozenset[str]
MAX_EXACT_ARCS = 100_000


class CannotAssign(Exception):
    """No assignment exists; `cases` are those that too few experts may score."""

    def __init__(self, code: str, cases: Sequence[int] = ()):
        self.code = code  # "too_few_experts", "too_few_without_conflict", "loads_too_uneven"
        self.cases = tuple(cases)
        super().__init__(f"{code} {self.cases[:10]}")


@dataclass(frozen=True, slots=True)
class CaseToAssign:
    """A case, the fields it is about, and the experts that may not score it."""

    key: int
    fields: Fields = frozenset()  # empty: any expert suits
    forbidden: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class ExpertToAssign:
    key: int
    fields: Fields = frozenset()
    load: int = 0  # what the expert has already


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    panels: Mapping[int, tuple[int, ...]]  # case → its experts
    loads: Mapping[int, int]  # expert → cases, with what it had before
    mismatches: int  # experts on cases of none of their fields
    spread: int  # the largest load less the smallest
    is_even: bool  # within one of even; else conflicts or earlier loads allow no better


@dataclass(frozen=True, slots=True)
class _Class:
    """Cases that are alike."""

    fields: Fields
    forbidden: frozenset[int]
    cases: tuple[int, ...]


def assign(
    cases: Sequence[CaseToAssign],
    experts: Sequence[ExpertToAssign],
    *,
    per_case: int,
    seed: str,
    is_exact: bool = False,
) -> Assigned:
    """
    Return the assignment; the same for the same input and seed, on every machine.

    `is_exact` skips the mending and solves over the classes of conflicts at once, for the tests.

    :raises CannotAssign:
    """
    _refuse_impossible(cases, experts, per_case)
    cases = sorted(cases, key=lambda each: _shuffled(seed, "case", each.key))
    experts = sorted(experts, key=lambda each: _shuffled(seed, "expert", each.key))
    low, high = _even(experts, len(cases) * per_case)
    panels = None if is_exact else _without_conflicts_first(cases, experts, per_case, low, high)
    if panels is None:
        classes = _classes(cases, with_conflicts=True)
        panels = _dealt(classes, _widened(classes, experts, per_case, low, high), experts, per_case)
    return _checked(panels, cases, experts, per_case)


def _without_conflicts_first(
    cases: Sequence[CaseToAssign], experts: Sequence[ExpertToAssign], per_case: int, low: int, high: int
) -> dict[int, list[int]] | None:
    """Return panels by the flow without conflicts, mended; None: the flow with them has to say."""
    classes = _classes(cases, with_conflicts=False)
    flow = _flow(classes, experts, per_case, low, high)
    if flow is None:
        return None
    panels = _mended(_dealt(classes, flow, experts, per_case), cases, is_within_fields=True)
    if panels is None and len(_classes(cases, with_conflicts=True)) * len(experts) > MAX_EXACT_ARCS:
        # Too many patterns of conflicts to be exact in time: an exchange may then cost a match of fields.
        panels = _mended(_dealt(classes, flow, experts, per_case), cases, is_within_fields=False)
    return panels


def _shuffled(seed: str, kind: str, key: int) -> str:
    return hashlib.sha256(f"{seed}|{kind}|{key}".encode()).hexdigest()


def _refuse_impossible(
    cases: Sequence[CaseToAssign], experts: Sequence[ExpertToAssign], per_case: int
) -> None:
    known = {expert.key for expert in experts}
    if len(known) < per_case:
        raise CannotAssign("too_few_experts")
    hopeless = [case.key for case in cases if len(known - case.forbidden) < per_case]
    if hopeless:
        raise CannotAssign("too_few_without_conflict", sorted(hopeless))


def _even(experts: Sequence[ExpertToAssign], new: int) -> tuple[int, int]:
    """Return the loads that even ones lie between; who has more already gets nothing new."""
    loads = sorted(expert.load for expert in experts)
    low = 0
    for place, load in enumerate(loads, start=1):
        room = sum(load - each for each in loads[:place])
        if room > new:
            break
        level, rest = divmod(new - room, place)
        ceiling = loads[place] if place < len(loads) else None
        if ceiling is None or load + level < ceiling or (load + level == ceiling and not rest):
            return load + level, load + level + bool(rest)
        low = ceiling
    return low, low + 1


def _classes(cases: Iterable[CaseToAssign], *, with_conflicts: bool) -> list[_Class]:
    nobody: frozenset[int] = frozenset()
    found: dict[tuple[Fields, frozenset[int]], list[int]] = defaultdict(list)
    for case in cases:
        found[case.fields, case.forbidden if with_conflicts else nobody].append(case.key)
    return [_Class(fields, forbidden, tuple(keys)) for (fields, forbidden), keys in found.items()]


def _suits(wanted: Fields, expert: ExpertToAssign) -> bool:
    return not wanted or bool(wanted & expert.fields)


# ---- the flow ---------------------------------------------------------------------------


def _flow(
    classes: Sequence[_Class], experts: Sequence[ExpertToAssign], per_case: int, low: int, high: int
) -> list[Counter[int]] | None:
    """
    Return how many cases of each class each expert gets, at the least cost; None: there is no such flow.

    One row for each class (its cases times k) and each expert (its load); one column for each arc.
    """
    if not classes:
        return []
    arcs = [
        (at, place)
        for at, each in enumerate(classes)
        for place, expert in enumerate(experts)
        if expert.key not in each.forbidden
    ]
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = len(arcs), len(classes) + len(experts)
    model.col_cost_ = np.array(
        [0.0 if _suits(classes[at].fields, experts[place]) else 1.0 for at, place in arcs]
    )
    model.col_lower_ = np.zeros(len(arcs))
    model.col_upper_ = np.array([float(len(classes[at].cases)) for at, _ in arcs])
    needs = [float(len(each.cases) * per_case) for each in classes]
    model.row_lower_ = np.array([*needs, *(float(max(0, low - e.load)) for e in experts)])
    model.row_upper_ = np.array([*needs, *(float(max(0, high - e.load)) for e in experts)])
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_ = np.arange(0, 2 * len(arcs) + 1, 2, dtype=np.int32)
    rows = np.array([(at, len(classes) + place) for at, place in arcs], dtype=np.int32)
    model.a_matrix_.index_ = rows.ravel()
    model.a_matrix_.value_ = np.ones(2 * len(arcs))
    values = _solved(model)
    if values is None:
        return None
    flow: list[Counter[int]] = [Counter() for _ in classes]
    for (at, place), value in zip(arcs, values, strict=True):
        whole = round(value)
        assert abs(value - whole) < 1e-6, "the programme is totally unimodular: its vertices are whole"
        if whole:
            flow[at][place] = whole
    return flow


def _solved(model: highspy.HighsLp) -> Sequence[float] | None:
    """Return the values of the columns at an optimal vertex; None where there is none."""
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("solver", "simplex")  # a vertex, and the same one every time
    solver.setOptionValue("threads", 1)
    solver.setOptionValue("random_seed", 0)
    assert solver.passModel(model) != highspy.HighsStatus.kError, "the model is well formed"
    ran = solver.run()
    status = solver.getModelStatus()
    if status in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible):
        return None
    if ran != highspy.HighsStatus.kOk or status != highspy.HighsModelStatus.kOptimal:
        raise RuntimeError(f"The solver gave up: {solver.modelStatusToString(status)}.")
    return list(solver.getSolution().col_value)


def _widened(
    classes: Sequence[_Class], experts: Sequence[ExpertToAssign], per_case: int, low: int, high: int
) -> list[Counter[int]]:
    """
    Return the flow within even loads; where conflicts allow none, with the smallest largest load, then
    the largest smallest.
    """
    flow = _flow(classes, experts, per_case, low, high)
    if flow is not None:
        return flow
    most = max((e.load for e in experts), default=0) + sum(len(each.cases) for each in classes)
    top, found = high, None
    while found is None:  # doubling, then halving
        found = _flow(classes, experts, per_case, 0, min(top, most))
        if found is None and top >= most:
            raise CannotAssign("loads_too_uneven")
        top = top if found is not None else min(most, max(top + 1, 2 * top - low))
    below, top = high - 1, min(top, most)
    while top - below > 1:
        middle = (top + below) // 2
        if _flow(classes, experts, per_case, 0, middle) is None:
            below = middle
        else:
            top = middle
    bottom, above = 0, low + 1
    while above - bottom > 1:
        middle = (bottom + above) // 2
        if _flow(classes, experts, per_case, middle, top) is None:
            above = middle
        else:
            bottom = middle
    best = _flow(classes, experts, per_case, bottom, top)
    assert best is not None, "was solved a moment ago"
    return best


# ---- from classes to cases --------------------------------------------------------------


def _dealt(
    classes: Sequence[_Class],
    flow: Sequence[Counter[int]],
    experts: Sequence[ExpertToAssign],
    per_case: int,
) -> dict[int, list[int]]:
    """Deal each class out in a circle: an expert's turns lie beside each other, fewer than once around."""
    panels: dict[int, list[int]] = {}
    for each, shares in zip(classes, flow, strict=True):
        for case in each.cases:
            panels[case] = []
        turns = (experts[place].key for place in sorted(shares) for _ in range(shares[place]))
        for turn, expert in enumerate(turns):
            panels[each.cases[turn % len(each.cases)]].append(expert)
    return panels


def _mended(
    panels: dict[int, list[int]], cases: Sequence[CaseToAssign], *, is_within_fields: bool
) -> dict[int, list[int]] | None:
    """
    Exchange experts between cases until no conflict is left; None: it could not be.

    Loads stay what they are, and between cases that want the same fields so does the cost.
    """
    forbidden = {case.key: case.forbidden for case in cases}
    alike: dict[Fields, list[int]] = defaultdict(list)
    for case in cases:
        alike[case.fields].append(case.key)
    everything = [case.key for case in cases]
    for case in cases:
        among = alike[case.fields] if is_within_fields else everything
        for expert in [e for e in panels[case.key] if e in case.forbidden]:
            if not _exchanged(panels, forbidden, case.key, expert, among):
                return None
    return panels


def _exchanged(
    panels: dict[int, list[int]],
    forbidden: Mapping[int, Collection[int]],
    case: int,
    expert: int,
    among: Sequence[int],
) -> bool:
    for other in among:
        if other == case or expert in panels[other] or expert in forbidden[other]:
            continue
        for instead in panels[other]:
            if instead in panels[case] or instead in forbidden[case]:
                continue
            panels[case][panels[case].index(expert)] = instead
            panels[other][panels[other].index(instead)] = expert
            return True
    return False


def _checked(
    panels: Mapping[int, Sequence[int]],
    cases: Sequence[CaseToAssign],
    experts: Sequence[ExpertToAssign],
    per_case: int,
) -> Assigned:
    """Hold the result against what was promised, whatever made it."""
    by_key = {expert.key: expert for expert in experts}
    loads = Counter({expert.key: expert.load for expert in experts})
    mismatches = 0
    for case in cases:
        panel = panels[case.key]
        assert len(panel) == len(set(panel)) == per_case, "every case has k different experts"
        assert not case.forbidden.intersection(panel), "nobody scores in conflict"
        loads.update(panel)
        mismatches += sum(not _suits(case.fields, by_key[expert]) for expert in panel)
    low, high = _even(experts, len(cases) * per_case)
    is_even = all(low <= loads[e.key] <= high or (e.load > high and loads[e.key] == e.load) for e in experts)
    return Assigned(
        panels={case: tuple(panel) for case, panel in sorted(panels.items())},
        loads=dict(sorted(loads.items())),
        mismatches=mismatches,
        spread=max(loads.values(), default=0) - min(loads.values(), default=0),
        is_even=is_even,
    )


def replacements(
    case: CaseToAssign, experts: Iterable[ExpertToAssign], *, panel: Collection[int], seed: str
) -> Iterator[int]:
    """Yield who may step in, the best first: of the case's fields, then with the least load."""
    free = [e for e in experts if e.key not in panel and e.key not in case.forbidden]
    free.sort(key=lambda e: (not _suits(case.fields, e), e.load, _shuffled(seed, f"case {case.key}", e.key)))
    yield from (expert.key for expert in free)
