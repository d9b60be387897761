"""
May this management plan be filed, and what should its author look at again?

Pure. A fault keeps the plan from being filed; a doubt is said and left to the author. Each names table, row and column.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from wufei.catalogue.disposal_modes import disposal_mode
from wufei.filings.plan import BY_ID, Cell, Content, Row, control_class_of, tables_for, tonnes
from wufei.ledger.books.waste_reports import ControlClass
from wufei.registry.permits import Permit, cover
from wufei.terms.period import Period

TOLERANCE = Decimal("0.01")  # of what there is to plan for: below it a difference is rounding


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Something wrong, or doubtful, in the plan."""

    table: str  # of TABLES
    row: int  # from 1; 0: the table as a whole
    column: str
    words: str
    is_fault: bool = True

    @property
    def where(self) -> str:
        table = BY_ID[self.table]
        label = next((c.label for c in table.columns if c.key == self.column), "")
        row = f"第 {self.row} 行" if self.row and not table.is_one else ""
        return f"{table.number}{row}{'“' + label + '”' if label else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the ledger and the registry know that the plan is compared with."""

    year: int
    stock_g: Mapping[str, int] = field(default_factory=dict)  # by stream, when the year began
    generated_g: Mapping[str, int] = field(default_factory=dict)  # by stream, in the year before
    names: Mapping[str, str] = field(default_factory=dict)  # of the hazardous streams
    codes: Mapping[str, str] = field(default_factory=dict)
    capacity_g: Mapping[str, int] = field(default_factory=dict)  # of the stores, where it is known
    permits: Mapping[str, Sequence[Permit]] = field(default_factory=dict)  # of known receivers, by uscc
    computed_class: str = ""  # "" where it is not known


def found(content: Content, known: Known) -> list[Found]:
    """Return all faults and doubts, in the order of the tables."""
    every = [
        *_blanks(content), *_generation(content, known), *_streams(content, known), *_classes(content, known),
        *_storage(content, known), *_modes(content), *_transfers(content, known), *_balances(content, known),
    ]  # fmt: skip
    order = {table: place for place, table in enumerate(BY_ID)}
    return sorted(every, key=lambda each: (not each.is_fault, order[each.table], each.row))


def _blanks(content: Content) -> Iterator[Found]:
    """What the tables of the class ask for and is not there."""
    for table in tables_for(control_class_of(content)):
        for number, row in enumerate(content[table.id], 1):
            for column in table.entered:
                value = row.get(column.key)
                if column.is_required and (value is None or value == ""):
                    yield Found(
                        table=table.id, row=number, column=column.key,
                        words="没有填写；请填写。" if column.cell is not Cell.MASS else "没有填写；没有的填 0。",
                    )  # fmt: skip


def _generation(content: Content, known: Known) -> Iterator[Found]:
    rows = content["generation"]
    if not rows:
        yield Found(
            table="generation", row=0, column="", words="没有列任何危险废物；请列出本年度预计产生的每一种。"
        )
    said = {row["stream"] for row in rows}
    for stream, name in known.names.items():
        before, held = known.generated_g.get(stream, 0), known.stock_g.get(stream, 0)
        if stream not in said and (before or held):
            why = (
                f"{known.year - 1} 年产生了 {tonnes(before)} 吨"
                if before
                else f"年初还存有 {tonnes(held)} 吨"
            )
            yield Found(
                table="generation", row=0, column="stream",
                words=f"没有列“{name}”（{stream}），台账中{why}；请补列，本年不再产生的预计产生量填 0。",
            )  # fmt: skip
    seen: set[str] = set()
    for number, row in enumerate(rows, 1):
        if row["stream"] in seen:
            yield Found(
                table="generation", row=number, column="stream", words="这种废物已经列过；每种列一行。"
            )
        seen.add(row["stream"])


def _streams(content: Content, known: Known) -> Iterator[Found]:
    """Every row is of a hazardous stream, and of one that table A.3 has."""
    listed = {row["stream"] for row in content["generation"]}
    for table in tables_for(control_class_of(content)):
        if not any(column.cell is Cell.STREAM for column in table.columns):
            continue
        for number, row in enumerate(content[table.id], 1):
            stream = row["stream"]
            if stream and stream not in known.names:
                yield Found(
                    table=table.id, row=number, column="stream",
                    words=f"“{stream}”不是本单位废物清单里的危险废物；请先申报，或改正编号。",
                )  # fmt: skip
            elif stream and stream not in listed:
                yield Found(
                    table=table.id, row=number, column="stream", words="表A.3 没有列这种废物；请先在表A.3 列出。"
                )  # fmt: skip


def _classes(content: Content, known: Known) -> Iterator[Found]:
    said = control_class_of(content)
    if content["own"] and said and said != ControlClass.KEY:
        yield Found(
            table="basic", row=1, column="control_class",
            words="有自行利用、处置的，应为重点监管单位（4.2.1 第二项）；请改正管理类别，或删去表A.5 的行。",
        )  # fmt: skip
    if said and known.computed_class and said != known.computed_class:
        yield Found(
            table="basic", row=1, column="control_class", is_fault=False,
            words="与台账和许可证算出的类别不同；生态环境主管部门另行确定的（4.2.2）以其为准。",
        )  # fmt: skip


def _storage(content: Content, known: Known) -> Iterator[Found]:
    held: dict[str, int] = {}
    for number, row in enumerate(content["storage"], 1):
        capacity = known.capacity_g.get(row["store"])
        held[row["store"]] = held.get(row["store"], 0) + (row["remaining_g"] or 0)
        if capacity is not None and held[row["store"]] > capacity:
            yield Found(
                table="storage", row=number, column="remaining_g",
                words=f"贮存设施 {row['store']} 年底合计 {tonnes(held[row['store']])} 吨，超过贮存能力 {tonnes(capacity)} 吨；"
                "请减少剩余量或更正能力。",
            )  # fmt: skip


def _modes(content: Content) -> Iterator[Found]:
    for table in ("own", "transfers"):
        for number, row in enumerate(content[table], 1):
            if row["mode"] and disposal_mode(row["mode"]) is None:
                yield Found(
                    table=table, row=number, column="mode",
                    words=f"没有方式代码“{row['mode']}”；请填 R1、D10 一类的代码（HJ 1033 附录F）。",
                )  # fmt: skip


def _transfers(content: Content, known: Known) -> Iterator[Found]:
    seen: set[tuple[str, str, str]] = set()
    for number, row in enumerate(content["transfers"], 1):
        key = (row["stream"], row["receiver_uscc"] or row["receiver"], row["mode"])
        if all(key) and key in seen:
            yield Found(
                table="transfers", row=number, column="receiver",
                words="同一种废物、同一接收单位、同一方式已经列过；请合并成一行。",
            )  # fmt: skip
        seen.add(key)
        if row["receiver_kind"] == "PERMIT" and not row["permit_number"]:
            yield Found(
                table="transfers", row=number, column="permit_number", words="接收单位持有经营许可证的，须填许可证编码。"
            )  # fmt: skip
        if row["receiver_kind"] == "PERMIT":
            yield from _uncovered(number, row, known)
        if row["reach"] == "ACROSS":
            yield Found(
                table="transfers", row=number, column="reach", is_fault=False,
                words="跨省转移须经批准；批准之前不能转移，批准有效期十二个月（转移管理办法）。",
            )  # fmt: skip


def _uncovered(number: int, row: Row, known: Known) -> Iterator[Found]:
    permits = known.permits.get(row["receiver_uscc"], ())
    code = known.codes.get(row["stream"])
    if not permits or code is None:
        yield Found(
            table="transfers", row=number, column="receiver", is_fault=False,
            words="本平台没有该单位的许可证，不能核对；请自行核实许可范围。",
        )  # fmt: skip
        return
    year = Period.year(known.year)
    days = (year.first_day, year.last_day)
    if not any(cover(permits, waste_code=code, on=day).permit for day in days):
        yield Found(
            table="transfers", row=number, column="receiver",
            words=f"本平台登记的许可证在 {known.year} 年不包含 {code}；请改选接收单位，或请其更新许可证。",
        )  # fmt: skip


def _balances(content: Content, known: Known) -> Iterator[Found]:
    """Stock when the year began + generation = used and disposed of + transferred + what remains."""
    if not content["storage"]:
        return  # what remains is not asked of the class, or not said yet
    goes: dict[str, int] = {}
    for table, key in (("own", "planned_g"), ("transfers", "planned_g"), ("storage", "remaining_g")):
        for row in content[table]:
            goes[row["stream"]] = goes.get(row["stream"], 0) + (row[key] or 0)
    for number, row in enumerate(content["generation"], 1):
        comes = known.stock_g.get(row["stream"], 0) + (row["planned_g"] or 0)
        gone = goes.get(row["stream"], 0)
        if abs(comes - gone) > TOLERANCE * max(comes, gone):
            yield Found(
                table="generation", row=number, column="planned_g", is_fault=False,
                words=f"数量不平：年初存量加预计产生共 {tonnes(comes)} 吨，自行利用处置、转移和年底剩余共 {tonnes(gone)} 吨。",
            )  # fmt: skip


def faults(content: Content, known: Known) -> list[Found]:
    return [each for each in found(content, known) if each.is_fault]
