"""
What about a submission should somebody look at again?

Pure. A doubt is never a verdict: it says what was seen, of which values, and asks a person to check. What can't
be compared is listed as such, so that an empty list means that it was looked at. Limits that no norm sets are
our reading, stand here with names, and are told on the page.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from itertools import groupby
from statistics import median
from typing import Any

from wufei.cases import freezing
from wufei.cases.differences import number_text
from wufei.cases.likeness import likeness
from wufei.indicators.figure import plain

CHECK = "请核实。"
# Our reading, all of them.
ALIKE = Decimal("0.8")  # which share of two texts makes them near-duplicates
PEERS = 5  # fewer say nothing
SPREADS = Decimal(3)  # how many scaled median deviations from the median are far out
SPREAD_SCALE = Decimal("1.4826")  # makes the median deviation of a normal distribution its standard deviation
LEAST_SPREAD = Decimal("0.05")  # of the median: peers that are all alike don't make a small difference great
ROUND_RECORDS = 20  # fewer records say nothing of roundness
ROUND_SHARE = Decimal("0.5")  # of records in whole tonnes
DIGIT_RECORDS = 50  # each digit is expected at least five times
CHI_SQUARED = Decimal("27.88")  # of nine degrees of freedom, exceeded by chance once in a thousand
MOST_NAMED = 10  # values in one doubt; the others are counted


class Kind(StrEnum):
    RESTATED = "RESTATED"
    UNFOUNDED = "UNFOUNDED"
    LEDGER_CHANGED = "LEDGER_CHANGED"
    EVIDENCE_REUSED = "EVIDENCE_REUSED"
    NARRATIVE_ALIKE = "NARRATIVE_ALIKE"
    IMPOSSIBLE = "IMPOSSIBLE"
    OUTLIER = "OUTLIER"
    ROUND_NUMBERS = "ROUND_NUMBERS"


KIND_WORDS: Mapping[Kind, str] = {
    Kind.RESTATED: "历史数据前后不一",
    Kind.UNFOUNDED: "数据与台账不符",
    Kind.LEDGER_CHANGED: "报送后台账有变化",
    Kind.EVIDENCE_REUSED: "材料与其他单位雷同",
    Kind.NARRATIVE_ALIKE: "申报书文字与其他单位相近",
    Kind.IMPOSSIBLE: "数据不合常理",
    Kind.OUTLIER: "与同行业相差较大",
    Kind.ROUND_NUMBERS: "记录数值过于规整",
}


class Severity(StrEnum):
    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"
    UNKNOWN = "UNKNOWN"  # it could not be compared


SEVERITY_WORDS: Mapping[Severity, str] = {
    Severity.HIGH: "重点核实",
    Severity.MEDIUM: "建议核实",
    Severity.LOW: "提请留意",
    Severity.UNKNOWN: "未能核对",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """A value that a doubt rests on; where it is looked up, and whose it is where it is another's."""

    label: str
    value: str
    leads_to: tuple[
        str | int, ...
    ] = ()  # ("number", submission, index), ("movement", uscc, seq), ("file", key)
    whose: str = ""  # 统一社会信用代码: shown to those only who may look into that organisation's cases


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    kind: Kind
    says: str
    basis: tuple[Basis, ...]
    severity: Severity

    @property
    def title(self) -> str:
        return KIND_WORDS[self.kind]


def doubt(kind: Kind, severity: Severity, says: str, basis: Iterable[Basis] = ()) -> Doubt:
    """Return the doubt with the first of what it rests on; how many more there are is said."""
    rows = tuple(basis)
    if (more := len(rows) - MOST_NAMED) > 0:
        rows = rows[:MOST_NAMED]
        says = f"{says}（下列前 {MOST_NAMED} 项，另有 {more} 项。）"
    return Doubt(kind=kind, severity=severity, says=says, basis=rows)


def by_weight(found: Iterable[Doubt]) -> list[Doubt]:
    """Return the doubts, the gravest first and what could not be compared last."""
    return sorted(found, key=lambda each: (list(Severity).index(each.severity), list(Kind).index(each.kind)))


# ---- restated history -------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """An earlier submission of the same organisation, or of whom it came from."""

    pk: int
    name: str  # what it is called: 2024 年度 …（第 1 版）
    content: Mapping[str, Any]
    is_same_case: bool


FigureKey = tuple[str, int, str, str]


def figures_in(content: Mapping[str, Any]) -> dict[FigureKey, tuple[int, Mapping[str, Any]]]:
    """Return the known numbers by what they are of – indicator or statement, year, cut –, with their index."""
    found: dict[FigureKey, tuple[int, Mapping[str, Any]]] = {}
    for index, row in enumerate(content.get("numbers") or ()):
        of = row.get("indicator") or _statement(row)
        if of and row.get("value") is not None and row.get("year") is not None:
            key = (of, int(row["year"]), row.get("stream") or "", row.get("dimension") or "")
            found.setdefault(key, (index, row))
    return found


def _statement(row: Mapping[str, Any]) -> str:
    inputs = (row.get("basis") or {}).get("inputs") or ()
    items = [f"{said['organisation']}:{said['item']}" for said in inputs]
    return "stated:" + "+".join(items) if items else ""


def restated(pk: int | None, content: Mapping[str, Any], earlier: Iterable[Earlier]) -> list[Doubt]:
    """Return in which figures the submission differs from what was handed in before of the same year."""
    now, found = figures_in(content), []
    for before in earlier:
        said = figures_in(before.content)
        basis = []
        for key, (index, row) in now.items():
            if key in said and not _same(row, said[key][1]):
                was_index, was = said[key]
                place = freezing.spoken(freezing.place_of(row))
                basis.append(
                    Basis(label=f"{place}：本次", value=number_text(row), leads_to=_number(pk, index))
                )
                basis.append(
                    Basis(
                        label=f"{place}：{before.name}",
                        value=number_text(was),
                        leads_to=_number(before.pk, was_index),
                    )
                )
        if basis:
            severity = Severity.LOW if before.is_same_case else Severity.MEDIUM
            count = len(basis) // 2
            says = f"同一年份的 {count} 个数与“{before.name}”所报不同。{CHECK}"
            found.append(doubt(Kind.RESTATED, severity, says, basis))
    return found


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return one["unit"] == other["unit"] and Decimal(one["value"]) == Decimal(other["value"])


def _number(pk: int | None, index: int) -> tuple[str | int, ...]:
    return () if pk is None else ("number", pk, index)


# ---- figures that don't follow from the ledger -------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class LeafSum:
    """What the ledger gives for a leaf of a number, as it stood at the frozen head."""

    index: int  # of the number
    label: str  # where the number stands
    organisation: str
    claimed_g: int
    found_g: int
    missing_seqs: tuple[int, ...]  # listed by the number, not among what its question finds


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadCheck:
    """A frozen chain head, and the hash that the movement there has now; None: there is no such movement."""

    uscc: str
    seq: int
    frozen_hash: str
    found_hash: str | None
    is_kept_here: bool


def unfounded(
    pk: int | None, content: Mapping[str, Any], sums: Sequence[LeafSum], heads: Sequence[HeadCheck]
) -> list[Doubt]:
    """Return which claimed numbers their own basis, or the ledger at the frozen heads, doesn't give."""
    return [*_broken_heads(heads), *_wrong_sums(pk, sums), *_wrong_figures(pk, content)]


def _broken_heads(heads: Sequence[HeadCheck]) -> Iterator[Doubt]:
    away = [head for head in heads if not head.is_kept_here]
    if away:
        says = f"{len(away)} 本台账不在本系统，所报数据未能与台账核对。"
        basis = (Basis(label="台账所属单位", value=head.uscc, whose=head.uscc) for head in away)
        yield doubt(Kind.UNFOUNDED, Severity.UNKNOWN, says, basis)
    broken = [head for head in heads if head.is_kept_here and head.found_hash != head.frozen_hash]
    if broken:
        says = f"报送时的台账链值在现在的台账中找不到，台账可能被整体改写过。{CHECK}"
        basis = (
            Basis(
                label=f"{head.uscc} 第 {head.seq} 号记录的链值",
                value=f"报送时 {head.frozen_hash[:16]}…，现为 {head.found_hash[:16] + '…' if head.found_hash else '无此记录'}",
                leads_to=("movement", head.uscc, head.seq) if head.found_hash else (),
            )
            for head in broken
        )
        yield doubt(Kind.UNFOUNDED, Severity.HIGH, says, basis)


def _wrong_sums(pk: int | None, sums: Sequence[LeafSum]) -> Iterator[Doubt]:
    wrong = [each for each in sums if each.claimed_g != each.found_g or each.missing_seqs]
    if wrong:
        says = (
            f"{len({each.index for each in wrong})} 个数所列的台账记录与台账（截至报送时）汇总不一致。{CHECK}"
        )
        basis = (
            Basis(
                label=each.label,
                value=f"所列 {_tonnes(each.claimed_g)} 吨，台账 {_tonnes(each.found_g)} 吨"
                + (f"，{len(each.missing_seqs)} 条所列记录对不上" if each.missing_seqs else ""),
                leads_to=_number(pk, each.index),
            )
            for each in wrong
        )
        yield doubt(Kind.UNFOUNDED, Severity.HIGH, says, basis)


def _tonnes(grams: int) -> str:
    return str(plain(Decimal(grams) / freezing.GRAMS_PER_TONNE))


def _wrong_figures(pk: int | None, content: Mapping[str, Any]) -> Iterator[Doubt]:
    basis = []
    for index, row in enumerate(content.get("numbers") or ()):
        of = row.get("basis") or {}
        place = freezing.spoken(freezing.place_of(row)) if isinstance(row.get("where"), dict) else ""
        if of.get("type") == "figure" and row.get("value") != of.get("value"):
            told = f"表中 {row.get('value')}，依据 {of.get('value')} {of.get('unit')}"
            basis.append(Basis(label=place, value=told, leads_to=_number(pk, index)))
        basis += [
            Basis(
                label=f"{place}：{each.year} 年{each.name}", value=f"所报 {each.claimed}，按依据重算 {each.found}",
                leads_to=_number(pk, index),
            )
            for each in freezing.not_following(of)
        ]  # fmt: skip
    if basis:
        says = f"{len(basis)} 处数值按其所列依据重算不出来。{CHECK}"
        yield doubt(Kind.UNFOUNDED, Severity.HIGH, says, basis)


# ---- the ledger changed since ------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversed:
    """A movement behind the numbers that was reversed after the submission."""

    uscc: str
    seq: int
    by_seq: int
    mass_g: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rereading:
    """A claimed number that would read differently today."""

    index: int
    label: str
    claimed: str
    now: str


def ledger_changed(
    pk: int | None, reversed_: Sequence[Reversed], rereadings: Sequence[Rereading]
) -> list[Doubt]:
    """Return what happened since to the ledgers behind the numbers."""
    found = []
    if reversed_:
        says = f"报送后，所报数据依据的 {len(reversed_)} 条台账记录被冲正。{CHECK}"
        basis = (
            Basis(
                label=f"第 {each.seq} 号记录（由第 {each.by_seq} 号冲正）",
                value=f"{_tonnes(each.mass_g)} 吨，原因：{each.reason}",
                leads_to=("movement", each.uscc, each.by_seq),
            )
            for each in reversed_
        )
        found.append(doubt(Kind.LEDGER_CHANGED, Severity.HIGH, says, basis))
    if rereadings:
        says = f"报送后台账或填报有变动，{len(rereadings)} 个数今天会是另外的值。{CHECK}"
        basis = (
            Basis(
                label=each.label,
                value=f"所报 {each.claimed}，今天 {each.now}",
                leads_to=_number(pk, each.index),
            )
            for each in rereadings
        )
        found.append(doubt(Kind.LEDGER_CHANGED, Severity.MEDIUM, says, basis))
    return found


# ---- evidence ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file handed in: whose, called what, with its content's hash and its text's sketch."""

    file_name: str
    kind: str
    sha256: str
    shingles: Sequence[int]
    whose: str = ""  # of another's
    owner: str = ""  # its name
    key: int | None = None


def reused(own: Sequence[File], others: Sequence[File]) -> list[Doubt]:
    """Return which files another applicant handed in too: the same content, or nearly the same text."""
    by_hash: dict[str, list[File]] = {}
    for other in others:
        by_hash.setdefault(other.sha256, []).append(other)
    found = []
    for file in own:
        if same := by_hash.get(file.sha256):
            found.append(_reused(file, same, "的内容与另一申报单位所报文件完全相同", Severity.HIGH, {}))
        elif file.shingles:
            shares = {id(other): likeness(file.shingles, other.shingles) for other in others}
            alike = [other for other in others if shares[id(other)] >= ALIKE]
            if alike:
                alike.sort(key=lambda other: -shares[id(other)])
                says = "的文字与另一申报单位所报文件高度相近"
                found.append(_reused(file, alike, says, Severity.MEDIUM, shares))
    return [*found, *_not_read(own)]


def _reused(
    file: File, others: Sequence[File], says: str, severity: Severity, shares: Mapping[int, Decimal]
) -> Doubt:
    own = Basis(label="本单位文件", value=file.file_name, leads_to=("file", file.key) if file.key else ())
    theirs = (
        Basis(
            label="另一申报单位文件", value=f"{other.owner}：{other.file_name}{_share(shares.get(id(other)))}",
            leads_to=("file", other.key) if other.key else (), whose=other.whose,
        )
        for other in others
    )  # fmt: skip
    return doubt(Kind.EVIDENCE_REUSED, severity, f"“{file.file_name}”{says}。{CHECK}", (own, *theirs))


def _share(share: Decimal | None) -> str:
    return "" if share is None else f"（文字相近度约 {percent(share * 100)}%）"


def _not_read(own: Sequence[File]) -> Iterator[Doubt]:
    silent = [file for file in own if not file.shingles]
    if silent:
        says = (
            f"{len(silent)} 个文件（PDF、图片或文字很少）没有可比对的文字，只核对了内容是否与他人完全相同。"
        )
        basis = (Basis(label="文件", value=file.file_name) for file in silent)
        yield doubt(Kind.EVIDENCE_REUSED, Severity.UNKNOWN, says, basis)


# ---- what can't be -----------------------------------------------------------------------


def impossible(pk: int | None, content: Mapping[str, Any]) -> list[Doubt]:
    """Return numbers that can't be: shares outside 0 to 100 %, more used and disposed of than there was."""
    return [*_impossible_shares(pk, content), *_impossible_balances(content), *_negative(pk, content)]


def _impossible_shares(pk: int | None, content: Mapping[str, Any]) -> Iterator[Doubt]:
    basis = [
        Basis(label=freezing.spoken(freezing.place_of(row)), value=f"{row['text']}%", leads_to=_number(pk, index))
        for index, row in enumerate(content.get("numbers") or ())
        if row.get("unit") == "%" and row.get("value") is not None and not 0 <= Decimal(row["value"]) <= 100
    ]  # fmt: skip
    if basis:
        says = f"{len(basis)} 个比率不在 0 至 100% 之间。{CHECK}"
        yield doubt(Kind.IMPOSSIBLE, Severity.HIGH, says, basis)


def _negative(pk: int | None, content: Mapping[str, Any]) -> Iterator[Doubt]:
    basis = [
        Basis(label=freezing.spoken(freezing.place_of(row)), value=number_text(row), leads_to=_number(pk, index))
        for index, row in enumerate(content.get("numbers") or ())
        if row.get("unit") != "%" and row.get("value") is not None and Decimal(row["value"]) < 0
    ]  # fmt: skip
    if basis:
        yield doubt(Kind.IMPOSSIBLE, Severity.HIGH, f"{len(basis)} 个数量为负。{CHECK}", basis)


def _impossible_balances(content: Mapping[str, Any]) -> Iterator[Doubt]:
    headline = content.get("headline") or {}
    for year in sorted(headline.get("generation_t") or {}):
        generated, used, disposed = (
            _known(headline, name, year) for name in ("generation_t", "utilisation_t", "disposal_t")
        )
        before = _known(headline, "stock_t", str(int(year) - 1))
        if generated is None or used is None or disposed is None or before is None:
            continue
        if used + disposed > generated + before:
            says = f"{year} 年利用量与处置量之和大于产生量与上年末贮存量之和。{CHECK}"
            named = (
                ("产生量", generated), ("上年末贮存量", before), ("综合利用量", used), ("处置量", disposed),
            )  # fmt: skip
            basis = (Basis(label=f"{year} 年{label}", value=f"{plain(value)} 吨") for label, value in named)
            yield doubt(Kind.IMPOSSIBLE, Severity.HIGH, says, basis)


def _known(headline: Mapping[str, Any], indicator: str, year: str) -> Decimal | None:
    said = (headline.get(indicator) or {}).get(year)
    return None if said is None else Decimal(said)


# ---- peers -------------------------------------------------------------------------------


COMPARED: Mapping[str, tuple[str, str]] = {
    "utilisation_rate_pct": ("综合利用率", "%"),
    "disposal_rate_pct": ("处置率", "%"),
    "generation_intensity_t_per_10k_yuan": ("产生强度", "吨/万元"),
}


def outliers(
    content: Mapping[str, Any], year: int, peers: Sequence[Mapping[str, Any]], group: str
) -> list[Doubt]:
    """Return which headline figures of the year lie far from those of the peers of the industry group."""
    if not group:
        says = "没有登记行业，未与同行业比较。"
        return [doubt(Kind.OUTLIER, Severity.UNKNOWN, says)]
    found = []
    for indicator, (name, unit) in COMPARED.items():
        value = _known(content.get("headline") or {}, indicator, str(year))
        if value is None:
            continue
        known = [v for peer in peers if (v := _known(peer, indicator, str(year))) is not None]
        if len(known) < PEERS:
            says = f"{group}有{name}可比的其他申报单位只有 {len(known)} 家，不足 {PEERS} 家，未作比较。"
            found.append(doubt(Kind.OUTLIER, Severity.UNKNOWN, says))
        elif (far := _far_out(value, known)) is not None:
            found.append(_outlier(name, unit, year, value, known, far, group))
    return found


def _far_out(value: Decimal, peers: Sequence[Decimal]) -> tuple[Decimal, Decimal] | None:
    """Return median and scaled median deviation where the value lies too many of these away."""
    middle = median(peers)
    spread = max(SPREAD_SCALE * median([abs(peer - middle) for peer in peers]), LEAST_SPREAD * abs(middle))
    return (middle, spread) if abs(value - middle) > SPREADS * spread else None


def _outlier(
    name: str, unit: str, year: int, value: Decimal, peers: Sequence[Decimal],
    far: tuple[Decimal, Decimal], group: str,
) -> Doubt:  # fmt: skip
    middle, spread = (_short(each) for each in far)
    side = "高于" if value > far[0] else "低于"
    says = (
        f"{year} 年{name}明显{side}{group}其他申报单位（n={len(peers)}，中位数 {middle}±{spread}；"
        f"离中位数超过 {SPREADS} 倍离散度，我们的读法）。{CHECK}"
    )
    basis = (
        Basis(label=f"本单位{name}", value=f"{_short(value)} {unit}"),
        Basis(label="同行业中位数", value=f"{middle} {unit}"),
        Basis(label="离散度（1.4826×中位绝对偏差）", value=f"{spread} {unit}"),
        Basis(label="可比单位", value=f"{len(peers)} 家"),
    )
    return doubt(Kind.OUTLIER, Severity.LOW, says, basis)


def _short(value: Decimal) -> str:
    """Write a value for a sentence, to four significant digits where it is small and two decimals else."""
    places = 2 if abs(value) >= 1 or not value else 3 - value.adjusted()
    return str(plain(value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)))


def percent(value: Decimal) -> str:
    return str(value.quantize(Decimal(1), ROUND_HALF_UP))


# ---- round numbers -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The records of the year: how many, how many in whole tonnes, and the 0.1-tonne digits of those from 1 t on."""

    count: int
    whole_tonnes: int
    digits: Mapping[int, int]


def round_numbers(year: int, tally: Tally) -> list[Doubt]:
    """Return whether the year's records are rounder, or their digits less even, than weighing gives."""
    return [*_whole_tonnes(year, tally), *_digits(year, tally)]


def _whole_tonnes(year: int, tally: Tally) -> Iterator[Doubt]:
    if tally.count < ROUND_RECORDS:
        says = f"{year} 年台账只有 {tally.count} 条记录，不足 {ROUND_RECORDS} 条，未看数值是否规整。"
        yield doubt(Kind.ROUND_NUMBERS, Severity.UNKNOWN, says)
        return
    share = Decimal(tally.whole_tonnes) / tally.count
    if share > ROUND_SHARE:
        says = (
            f"{year} 年台账 {percent(share * 100)}% 的记录是整吨数（超过 {percent(ROUND_SHARE * 100)}%，我们的读法），"
            f"可能是估计而非称重。{CHECK}"
        )
        basis = (
            Basis(label=f"{year} 年记录", value=f"{tally.count} 条"),
            Basis(label="其中整吨数", value=f"{tally.whole_tonnes} 条"),
        )
        yield doubt(Kind.ROUND_NUMBERS, Severity.LOW, says, basis)


def _digits(year: int, tally: Tally) -> Iterator[Doubt]:
    count = sum(tally.digits.values())
    if count < DIGIT_RECORDS:
        says = f"{year} 年 1 吨以上的记录只有 {count} 条，不足 {DIGIT_RECORDS} 条，未看尾数分布。"
        yield doubt(Kind.ROUND_NUMBERS, Severity.UNKNOWN, says)
        return
    found = chi_squared([tally.digits.get(digit, 0) for digit in range(10)])
    if found > CHI_SQUARED:
        says = (
            f"{year} 年记录在 0.1 吨位上的尾数分布不均匀（χ²={_short(found)}，超过 {CHI_SQUARED}，"
            f"偶然出现的可能约千分之一，我们的读法），可能是估计而非称重。{CHECK}"
        )
        digits = "，".join(f"{digit}：{tally.digits.get(digit, 0)}" for digit in range(10))
        basis = (
            Basis(label="1 吨以上的记录", value=f"{count} 条"),
            Basis(label="各尾数的条数", value=digits),
        )
        yield doubt(Kind.ROUND_NUMBERS, Severity.LOW, says, basis)


def chi_squared(counts: Sequence[int]) -> Decimal:
    """
    Return how far counts are from being even.

    >>> chi_squared([10] * 10), chi_squared([100] + [0] * 9)
    (Decimal('0'), Decimal('900'))
    """
    expected = Decimal(sum(counts)) / len(counts)
    return sum(((count - expected) ** 2 / expected for count in counts), Decimal(0))


def grouped(found: Sequence[Doubt]) -> list[tuple[str, list[Doubt]]]:
    """Return the doubts under the words of their severity, in the order of weight."""
    return [
        (SEVERITY_WORDS[severity], list(rows))
        for severity, rows in groupby(by_weight(found), key=lambda each: each.severity)
    ]
