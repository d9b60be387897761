"""
Does the subject meet what the edition asks, and why?

Each operand is judged in three values and explains itself in Chinese; an explanation
keeps its raw operands, so that `recomputation.py` can judge it again without us.
Comparisons are made in Decimal on unrounded values.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from wufei.indicators.definitions import in_words
from wufei.indicators.figure import Figure, Missing, plain
from wufei.policies.dossier import EXCEPTION, Dossier, JudgedAnswer
from wufei.policies.edition import (
    All,
    Any_,
    Criterion,
    DatedValue,
    Declared,
    Edition,
    FigureThreshold,
    Judged,
    Kind,
    Not,
    OneOf,
    Scored,
    Severity,
    StartsWith,
    StatedThreshold,
    Threshold,
    YearsSince,
)
from wufei.terms.truth import Truth, all_of, any_of, negation

WORDS = {Truth.MET: "满足", Truth.NOT_MET: "不满足", Truth.UNKNOWN: "未知"}
DECLARATIONS = "数据工作簿“声明”"
KINDS = {"ENTERPRISE": "企业", "PARK": "园区", "UTILISER": "利用处置单位", "CARRIER": "运输单位"}
KINDS |= {"AUTHORITY": "主管部门", "AGENCY": "第三方机构"}
ANSWERS = {"YES": "是", "NO": "否", "NOT_APPLICABLE": "不适用"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A node of the tree: what was asked, what came out, and from what."""

    id: str
    clause: str
    says: str
    verdict: Truth
    explanation: str
    op: str
    operands: Mapping[str, Any]
    figures: tuple[Figure, ...] = ()
    supply: tuple[Missing, ...] = ()  # what to hand in where the verdict is unknown
    children: tuple["Explanation", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A criterion's verdict with its explanation; the score where it is weighted."""

    criterion: Criterion
    node: Explanation
    exception: JudgedAnswer | None = None
    score_min: Decimal = Decimal(0)
    score_max: Decimal = Decimal(0)

    @property
    def verdict(self) -> Truth:
        return self.node.verdict

    @property
    def exception_required(self) -> bool:
        return self.verdict == Truth.NOT_MET and self.criterion.severity == Severity.IN_PRINCIPLE

    @property
    def exception_granted(self) -> bool:
        return self.exception_required and self.exception is not None and self.exception.answer == "YES"

    @property
    def counts_as(self) -> Truth:
        """Return what the criterion contributes to the overall verdict."""
        return Truth.MET if self.exception_granted else self.verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    edition: Edition
    subject: str
    year: int
    on: date
    judged_as_of: date  # the day whose parameters were used
    verdict: Truth
    findings: tuple[Finding, ...]
    is_scored: bool
    score_min: Decimal
    score_max: Decimal
    notes: tuple[str, ...]

    @property
    def score(self) -> Decimal | None:
        """Return the score where nothing is missing for it; else there is only a range."""
        return self.score_min if self.is_scored and self.score_min == self.score_max else None


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the edition we are, for what the operands need to know around them."""

    edition: Edition
    criterion: Criterion
    dossier: Dossier
    day: date
    id: str

    def child(self, number: int) -> "_Place":
        return _Place(self.edition, self.criterion, self.dossier, self.day, f"{self.id}.{number}")

    def parameter(self, name: str) -> DatedValue | None:
        return self.edition.parameter(self.criterion, name).on(self.day)

    def node(
        self,
        verdict: Truth,
        explanation: str,
        op: str,
        operands: Mapping[str, Any],
        figures: tuple[Figure, ...] = (),
        supply: tuple[Missing, ...] = (),
        children: tuple[Explanation, ...] = (),
    ) -> Explanation:
        return Explanation(
            id=self.id, clause=self.criterion.clause, says=self.criterion.says, verdict=verdict,
            explanation=explanation, op=op, operands=operands, figures=figures, supply=supply,
            children=children,
        )  # fmt: skip


def judge(edition: Edition, dossier: Dossier) -> Evaluation:
    """
    Return the verdict on every criterion of the edition, and on the whole.

    The whole is met where every gate, veto and threshold is; scores, preferences and
    rules of a title's life stand beside it. An edition asked before its first day is
    judged by the parameters of that day.
    """
    day = max(dossier.on, edition.in_force_from)
    findings = tuple(_finding(edition, criterion, dossier, day) for criterion in edition.criteria)
    scored = [f for f in findings if f.criterion.kind == Kind.SCORE]
    return Evaluation(
        edition=edition,
        subject=dossier.subject,
        year=dossier.year,
        on=dossier.on,
        judged_as_of=day,
        verdict=all_of(f.counts_as for f in findings if f.criterion.decides),
        findings=findings,
        is_scored=bool(scored),
        score_min=sum((f.score_min for f in scored), Decimal(0)),
        score_max=sum((f.score_max for f in scored), Decimal(0)),
        notes=(*edition.notes, *_notes(edition, dossier, day)),
    )


def _notes(edition: Edition, dossier: Dossier, day: date) -> list[str]:
    notes = []
    if day != dossier.on:
        notes.append(f"本版本自 {edition.in_force_from} 起施行，按该日的参数判定。")
    if edition.industry_requirements:
        held = dossier.requirements
        if held is None:
            notes.append("所属行业尚无基准值和引领值，须由主管部门维护行业要求后才能评分。")
        else:
            mark = "（示意数据，不作依据）" if held.is_illustrative else ""
            notes.append(
                f"基准值和引领值取自“{held.name}”{mark}，自 {held.in_force_from} 起，{held.source}。"
            )
    return notes


def _finding(edition: Edition, criterion: Criterion, dossier: Dossier, day: date) -> Finding:
    place = _Place(edition, criterion, dossier, day, criterion.id)
    if criterion.score is not None:
        return _scored(place, criterion.score)
    node = judge_operand(criterion.test, place)
    exception = dossier.judgements.get((criterion.id, EXCEPTION))
    return Finding(criterion=criterion, node=node, exception=exception)


def judge_operand(operand: Any, place: _Place) -> Explanation:
    """Return the operand's verdict with its explanation."""
    match operand:
        case All() | Any_():
            return _group(operand, place)
        case Not():
            child = judge_operand(operand.leg, place.child(1))
            truth = negation(child.verdict)
            told = f"{WORDS[truth]}：与下列条件相反。"
            return place.node(truth, told, "not", {}, child.figures, child.supply, (child,))
        case Threshold():
            return _threshold(operand, place)
        case Declared():
            return _declared(operand, place)
        case Judged():
            return _judged(operand, place)
        case OneOf() | StartsWith():
            return _stated_fact(operand, place)
        case YearsSince():
            return _years_since(operand, place)
        case _:
            raise AssertionError(f"no such operand: {operand!r}")


def _group(operand: All | Any_, place: _Place) -> Explanation:
    children = tuple(judge_operand(leg, place.child(i)) for i, leg in enumerate(operand.legs, 1))
    is_all = isinstance(operand, All)
    truth = (all_of if is_all else any_of)(child.verdict for child in children)
    lead = "须全部满足" if is_all else "满足其一即可"
    told = f"{WORDS[truth]}（{lead}）：" + "".join(
        f"（{i}）{c.explanation}" for i, c in enumerate(children, 1)
    )
    figures = tuple({(f.indicator, f.year): f for child in children for f in child.figures}.values())
    supply: tuple[Missing, ...] = ()
    if truth == Truth.UNKNOWN:
        supply = tuple(dict.fromkeys(m for child in children for m in child.supply))
    return place.node(truth, told, "all" if is_all else "any", {}, figures, supply, children)


# ---- numbers against parameters -------------------------------------------------------


def shown(value: Decimal, bound: Decimal | None = None) -> str:
    """
    Write a value for a sentence: to six decimals, or in full where rounding would blur the verdict.

    >>> shown(Decimal("81.20000000")), shown(Decimal("79.99999999"), Decimal(80))
    ('81.2', '79.99999999')
    """
    short = round(value, 6)
    blurred = bound is not None and (short > bound) - (short < bound) != (value > bound) - (value < bound)
    return str(plain(value if blurred else short))


# What is kept of an amount: who asks for at least this asks for more than nothing.
SMALLEST = Decimal("0.000001")


def _with_unit(value: str, unit: str) -> str:
    return f"{value}{unit}" if unit in ("%", "") else f"{value} {unit}"


def _threshold(operand: Threshold, place: _Place) -> Explanation:
    is_least = operand.at_least is not None
    name = operand.at_least or operand.at_most
    assert name is not None, "the loader sees to a bound"
    year = place.dossier.year + operand.year_offset
    value, unit, figures, missing = _number(operand, place, year)
    bound = place.parameter(name)
    if bound is None:
        missing = (Missing(code=name, label=f"参数“{name}”在 {place.day} 的取值", where="政策版本"),)
    relation = "不低于" if is_least else "不高于"
    of: str = getattr(operand, "figure", "") or getattr(operand, "stated", "")
    asked = relation
    if bound:
        amount = _with_unit(shown(bound.value), bound.unit)
        is_anything = is_least and bound.value == SMALLEST
        asked = in_words(of, bound.value) or ("大于 0" if is_anything else f"{relation} {amount}")
    since = _dated(bound) if bound else ""
    operands = {
        "value": plain(value),
        "bound": plain(bound.value) if bound else None,
        "bound_from": bound.start.isoformat() if bound else None,
        "bound_source": bound.source if bound else None,
        "year": year,
        "of": of,
    }
    if value is None or bound is None:
        told = f"{year} 年{operand.name}未知，要求{asked}{since}；须补充：{_listed(missing)}。"
        return place.node(Truth.UNKNOWN, told, _op(is_least), operands, figures, missing)
    holds = value >= bound.value if is_least else value <= bound.value
    truth = Truth.MET if holds else Truth.NOT_MET
    compared = _compared(figures, operand)
    said = in_words(of, value) or f"为 {_with_unit(shown(value, bound.value), unit or bound.unit)}{compared}"
    told = f"{year} 年{operand.name}{said}，要求{asked}{since}，{WORDS[truth]}。"
    return place.node(truth, told, _op(is_least), operands, figures)


def _dated(bound: DatedValue) -> str:
    ours = "，我们的读法" if bound.our_reading else ""
    unverified = "，未核实" if bound.unverified else ""
    return f"（自 {bound.start} 起，{bound.source}{ours}{unverified}）"


def _op(is_least: bool) -> str:
    return "at_least" if is_least else "at_most"


def _listed(missing: tuple[Missing, ...]) -> str:
    return "；".join(f"{m.label}（{m.where}）" if m.where else m.label for m in missing) or "相关数据"


def _number(
    operand: Threshold, place: _Place, year: int
) -> tuple[Decimal | None, str, tuple[Figure, ...], tuple[Missing, ...]]:
    """Return the value that the operand speaks of, its unit, the figures behind it and what is missing."""
    if isinstance(operand, FigureThreshold) and operand.years_back is not None:
        dated = place.parameter(operand.years_back)
        if dated is None or dated.value != place.dossier.years_back:
            back = plain(dated.value) if dated else "若干"
            label = f"{operand.name}（与 {back} 年前相比）"
            return None, "", (), (Missing(code=operand.figure, label=label, where="指标"),)
    if isinstance(operand, FigureThreshold):
        return _level(place, operand.figure, operand.name, year)
    assert isinstance(operand, StatedThreshold), "the only other kind of threshold"
    return _stated_level(place, operand.stated, operand.name, year)


def _level(
    place: _Place, indicator: str, name: str, year: int
) -> tuple[Decimal | None, str, tuple[Figure, ...], tuple[Missing, ...]]:
    figure = place.dossier.figures.get((indicator, year))
    if figure is None:
        lacking = Missing(
            code=indicator,
            label=f"{year} 年{name}所需的数据",
            where="台账和数据工作簿",
            subject=place.dossier.subject,
        )
        return None, "", (), (lacking,)
    return figure.value, figure.unit, (figure,), figure.missing if figure.value is None else ()


def _stated_level(
    place: _Place, item: str, name: str, year: int
) -> tuple[Decimal | None, str, tuple[Figure, ...], tuple[Missing, ...]]:
    stated = place.dossier.stated.get((item, year))
    unit = next((row.unit for row in place.edition.stated_items if row.id == item), "")
    if stated is None:
        lacking = Missing(
            code=item, label=f"{year} 年{name}及其证明材料", where="自评价填报", subject=place.dossier.subject
        )
        return None, unit, (), (lacking,)
    return stated.value, unit, (), ()


def _compared(figures: tuple[Figure, ...], operand: Threshold) -> str:
    """Return in words which two levels a change compares."""
    if not isinstance(operand, FigureThreshold) or operand.change_of is None:
        return ""
    levels = [
        p for f in figures for p in f.basis if isinstance(p, Figure) and p.indicator == operand.change_of
    ]
    known = sorted((level.year, level.value, level.unit) for level in levels if level.value is not None)
    told = "，".join(f"{year} 年 {_with_unit(shown(value), unit)}" for year, value, unit in known)
    return f"（{told}）" if told else ""


# ---- what was declared, judged and registered -----------------------------------------


def _declared(operand: Declared, place: _Place) -> Explanation:
    last = place.dossier.year
    window = 1
    if operand.window is not None:
        dated = place.parameter(operand.window)
        window = int(dated.value) if dated else 1
    years = range(last - window + 1, last + 1)
    rows = [_declared_year(operand, place, year) for year in years]
    truth = all_of(truth for truth, _, _, _ in rows)
    span = f"{years[0]}—{last} 年" if window > 1 else f"{last} 年"
    by_words: dict[str, list[int]] = {}
    for year, (_, words, _, _) in zip(years, rows, strict=True):
        by_words.setdefault(words, []).append(year)
    told = f"{span}“{operand.declaration}”："
    told += "；".join(f"{_years(of)}{words}" for words, of in by_words.items()) + f"，{WORDS[truth]}。"
    supply: tuple[Missing, ...] = ()
    if truth == Truth.UNKNOWN:
        supply = tuple(m for _, _, lacking, _ in rows for m in lacking)
        asks = f"，并写明查询{operand.register_to_ask}的依据" if operand.register_to_ask else ""
        lacks = [year for year, (_, _, lacking, _) in zip(years, rows, strict=True) if lacking]
        told += f"须补充：{_years(lacks)}的结论{asks}（{DECLARATIONS}）。"
    operands = {
        "item": operand.declaration,
        "expects": operand.expects,
        "needs_basis": bool(operand.register_to_ask),
        "not_applicable": operand.not_applicable,
        "answers": [answer for _, _, _, answer in rows],
    }
    return place.node(truth, told, "declared", operands, (), supply)


def _years(years: list[int]) -> str:
    return "、".join(map(str, years)) + " 年"


def _declared_year(
    operand: Declared, place: _Place, year: int
) -> tuple[Truth, str, tuple[Missing, ...], dict[str, Any]]:
    given = place.dossier.declarations.get((operand.declaration, year))
    where = DECLARATIONS
    subject = place.dossier.subject
    asks = f"（查询{operand.register_to_ask}）" if operand.register_to_ask else ""
    lacking = Missing(
        code=operand.declaration,
        label=f"{year} 年“{operand.declaration}”的结论{asks}",
        where=where,
        subject=subject,
    )
    if given is None:
        return Truth.UNKNOWN, "未声明", (lacking,), {"year": year, "answer": None, "basis": ""}
    raw = {"year": year, "answer": given.answer, "basis": given.basis}
    words = f"为“{ANSWERS[given.answer]}”" + (f"（依据：{given.basis}）" if given.basis else "")
    if given.answer == "NOT_APPLICABLE":
        met = operand.not_applicable == "met"
        return (Truth.MET, words, (), raw) if met else (Truth.UNKNOWN, words, (lacking,), raw)
    if given.answer != operand.expects:
        return Truth.NOT_MET, words, (), raw
    if operand.register_to_ask and not given.basis.strip():
        label = f"{year} 年“{operand.declaration}”的依据：须查询{operand.register_to_ask}并写明"
        basis = Missing(code=operand.declaration, label=label, where=where, subject=subject)
        return Truth.UNKNOWN, f"{words}但未写依据", (basis,), raw
    return Truth.MET, words, (), raw


def _judged(operand: Judged, place: _Place) -> Explanation:
    given = place.dossier.judgements.get((place.criterion.id, operand.judgement))
    figures = tuple(
        figure
        for name in operand.benchmark
        if (figure := place.dossier.figures.get((name, place.dossier.year))) is not None
    )
    seen = "；".join(
        f"{f.year} 年{f.name} {_with_unit(shown(f.value), f.unit)}" for f in figures if f.value is not None
    )
    beside = f"（供判断：{seen}）" if seen else ""
    operands = {
        "question": operand.judgement,
        "expects": operand.expects,
        "answer": given.answer if given else None,
    }
    if given is None or given.answer == "NOT_APPLICABLE":
        label = f"{operand.who}对“{operand.asks}”的判断"
        lacking = Missing(code=operand.judgement, label=label, where="评价页“判断”")
        told = f"“{operand.asks}”须由{operand.who}判断{beside}，尚无结论。"
        return place.node(Truth.UNKNOWN, told, "judged", operands, figures, (lacking,))
    truth = Truth.MET if given.answer == operand.expects else Truth.NOT_MET
    told = (
        f"“{operand.asks}”：{given.judged_by}于 {given.judged_on} 判断为“{ANSWERS[given.answer]}”"
        f"（理由：{given.reason}）{beside}，{WORDS[truth]}。"
    )
    return place.node(truth, told, "judged", operands, figures)


def _stated_fact(operand: OneOf | StartsWith, place: _Place) -> Explanation:
    value = place.dossier.facts.get(operand.fact)
    is_one_of = isinstance(operand, OneOf)
    wanted = operand.one_of if isinstance(operand, OneOf) else operand.starts_with
    op = "one_of" if is_one_of else "starts_with"
    operands = {"fact": operand.fact, "value": str(value) if value else None, "wanted": list(wanted)}
    asked = f"须{'为' if is_one_of else '以此开头：'}{'、'.join(KINDS.get(w, w) for w in wanted)}"
    if not value:
        lacking = Missing(
            code=operand.fact, label=operand.name, where="数据工作簿“单位信息”", subject=place.dossier.subject
        )
        return place.node(Truth.UNKNOWN, f"{operand.name}未知，{asked}。", op, operands, (), (lacking,))
    holds = value in wanted if is_one_of else str(value).startswith(wanted)
    truth = Truth.MET if holds else Truth.NOT_MET
    words = KINDS.get(str(value)) or f" {value}"
    return place.node(truth, f"{operand.name}为{words}，{asked}，{WORDS[truth]}。", op, operands)


def years_after(day: date, years: int) -> date:
    """
    Return the same day so many years later; 29 February becomes 1 March.

    >>> years_after(date(2024, 2, 29), 3).isoformat()
    '2027-03-01'
    """
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


def _years_since(operand: YearsSince, place: _Place) -> Explanation:
    since = place.dossier.facts.get(operand.fact)
    dated = place.parameter(operand.years_at_least)
    on = place.dossier.on
    operands = {
        "fact": operand.fact,
        "value": since.isoformat() if isinstance(since, date) else None,
        "years": int(dated.value) if dated else None,
        "on": on.isoformat(),
    }
    if not isinstance(since, date) or dated is None:
        lacking = Missing(
            code=operand.fact, label=operand.name, where="数据工作簿“单位信息”", subject=place.dossier.subject
        )
        asked = f"要求至 {on} 满 {dated.value if dated else '若干'} 年"
        return place.node(
            Truth.UNKNOWN, f"{operand.name}未知，{asked}。", "years_since", operands, (), (lacking,)
        )
    truth = Truth.MET if years_after(since, int(dated.value)) <= on else Truth.NOT_MET
    told = (
        f"{operand.name}为 {since}，要求至 {on} 满 {dated.value} 年（自 {dated.start} 起），{WORDS[truth]}。"
    )
    return place.node(truth, told, "years_since", operands)


# ---- scores ---------------------------------------------------------------------------


def linear_score(value: Decimal, *, baseline: Decimal, leading: Decimal, weight: Decimal) -> Decimal:
    """
    Return 0 short of the baseline, the weight at or beyond the leading value, linear in between.

    >>> linear_score(Decimal(25), baseline=Decimal(30), leading=Decimal(20), weight=Decimal(8))
    Decimal('4')
    """
    if baseline > leading:  # lower is better
        value, baseline, leading = -value, -baseline, -leading
    if value >= leading:
        return weight
    if value < baseline:
        return Decimal(0)
    return (value - baseline) * weight / (leading - baseline)


def _scored(place: _Place, scored: Scored) -> Finding:
    weight = place.criterion.weight
    assert weight is not None, "the loader sees to a weight"
    if scored.judged is not None:
        question = Judged(judgement=scored.key, asks=scored.judged)
        node = _judged(question, place)
        points = {Truth.MET: (weight, weight), Truth.NOT_MET: (Decimal(0), Decimal(0))}
        lowest, highest = points.get(node.verdict, (Decimal(0), weight))
        return _with_points(place, node, lowest, highest)
    if scored.figure is not None:
        value, unit, figures, missing = _level(place, scored.figure, scored.name, place.dossier.year)
    else:
        assert scored.stated is not None, "the loader sees to one source"
        value, unit, figures, missing = _stated_level(place, scored.stated, scored.name, place.dossier.year)
    baseline, leading, from_where, lacking = _range(place, scored)
    operands = {
        "value": plain(value),
        "baseline": plain(baseline),
        "leading": plain(leading),
        "better": scored.better,
    }
    if value is None or baseline is None or leading is None:
        lacking = missing + lacking
        told = f"{place.dossier.year} 年{scored.name}尚不能评分（权重 {plain(weight)}）；须补充：{_listed(lacking)}。"
        node = place.node(Truth.UNKNOWN, told, "linear", operands, figures, lacking)
        return _with_points(place, node, Decimal(0), weight)
    points_ = linear_score(value, baseline=baseline, leading=leading, weight=weight)
    reaches = value >= baseline if scored.better == "higher" else value <= baseline
    told = (
        f"{place.dossier.year} 年{scored.name}为 {_with_unit(shown(value), unit or scored.unit)}，基准值 "
        f"{shown(baseline)}，引领值 {shown(leading)}（{from_where}），得 {shown(points_)} 分（权重 {plain(weight)}）。"
    )
    node = place.node(Truth.MET if reaches else Truth.NOT_MET, told, "linear", operands, figures)
    return _with_points(place, node, points_, points_)


def _with_points(place: _Place, node: Explanation, lowest: Decimal, highest: Decimal) -> Finding:
    return Finding(criterion=place.criterion, node=node, score_min=lowest, score_max=highest)


def _range(place: _Place, scored: Scored) -> tuple[Decimal | None, Decimal | None, str, tuple[Missing, ...]]:
    if scored.baseline is not None and scored.leading is not None:
        low, high = place.parameter(scored.baseline), place.parameter(scored.leading)
        if low is not None and high is not None:
            return low.value, high.value, f"{low.source}，自 {low.start} 起", ()
    held = place.dossier.requirements
    found = held.ranges.get(scored.key) if held else None
    if held is None or found is None:
        label = f"所属行业“{scored.name}”的基准值和引领值"
        return None, None, "", (Missing(code=scored.key, label=label, where="主管部门维护的行业要求"),)
    wrong_way = (
        found.baseline > found.leading if scored.better == "higher" else found.baseline < found.leading
    )
    if wrong_way:
        label = f"行业要求中“{scored.name}”的基准值与引领值方向相反，须更正"
        return None, None, "", (Missing(code=scored.key, label=label, where="主管部门维护的行业要求"),)
    mark = "，示意数据" if held.is_illustrative else ""
    return found.baseline, found.leading, f"{held.name}，自 {held.in_force_from} 起{mark}", ()
