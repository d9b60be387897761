"""
How does a movement read as a line of an official ledger?

Pure: takes movements with their record numbers and returns one `Row` for each line, by the keys of the
table's columns.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from wufei.ledger.books.codes import RecordCode, Series
from wufei.ledger.books.layouts import Row
from wufei.ledger.kinds import Kind, PlaceKind

TONNE = "吨"
PERMIT_HOLDER = "危险废物经营许可证持有单位"
GOES_OUT: Mapping[Kind, str] = {
    Kind.OWN_UTILISATION: "自行利用",
    Kind.OWN_DISPOSAL: "自行处置",
    Kind.CONTRACTED_UTILISATION: "委外利用",
    Kind.CONTRACTED_DISPOSAL: "委外处置",
    Kind.TRANSFORMATION_INPUT: "分装、合并或预处理",
}


@dataclass(frozen=True, slots=True)
class End:
    """A place at one end of a movement."""

    kind: str
    code: str
    name: str
    store_type: str

    @property
    def facility(self) -> str | None:
        """
        Return the code of the facility; the name of a process that has none, None where there is neither.

        >>> End("PROCESS", "process:1#锅炉", "1#锅炉", "").facility
        '1#锅炉'
        """
        return self.code if ":" not in self.code else self.name or None


@dataclass(frozen=True, slots=True)
class Move:
    """A movement of an official ledger, with all that any of its tables says of it."""

    key: int
    kind: Kind
    moved_on: date
    mass_g: int
    method: str
    counterparty: str
    handler: str
    stream_name: str
    waste_code: str
    waste_category: str
    process: str
    lot_code: str
    is_bulk: bool
    source: End
    target: End
    packaging: str  # "" without a container, as is the next
    digital_id: str
    before_key: int | None = None  # the movement that the record before this one is of
    before_on: date | None = None
    driver: str = ""  # of what left under a manifest

    @property
    def tonnes(self) -> Decimal:
        return Decimal(self.mass_g).scaleb(-6)


@dataclass(frozen=True, slots=True)
class Numbered:
    """A movement as a record of one series."""

    move: Move
    code: RecordCode
    before: RecordCode | None


# The series of each table, and which series the record before is of.
SERIES: Mapping[str, tuple[Series, ...]] = {
    "general-3": (Series.LEFT,),
    "general-4": (Series.GENERATED,),
    "general-5": (Series.STORED, Series.TAKEN_OUT),
    "general-6": (Series.OWN_UTILISED,),
    "general-7": (Series.OWN_DISPOSED,),
    "hw-1": (Series.GENERATED,),
    "hw-2": (Series.STORED,),
    "hw-3": (Series.TAKEN_OUT,),
    "hw-4": (Series.OWN_UTILISED, Series.OWN_DISPOSED),
    "hw-5": (Series.CONTRACTED_UTILISED, Series.CONTRACTED_DISPOSED),
}
BEFORE: Mapping[Series, Series] = {
    Series.STORED: Series.GENERATED,
    Series.TAKEN_OUT: Series.STORED,
    Series.OWN_UTILISED: Series.TAKEN_OUT,
    Series.OWN_DISPOSED: Series.TAKEN_OUT,
    Series.CONTRACTED_UTILISED: Series.TAKEN_OUT,
    Series.CONTRACTED_DISPOSED: Series.TAKEN_OUT,
}


def is_before_itself(series: Series, move: Move) -> bool:
    """Return whether one movement is also the record before: 产生 puts into store, and what is used is taken out."""
    if series is Series.STORED:
        return move.kind is Kind.GENERATION
    return BEFORE.get(series) is Series.TAKEN_OUT and move.source.kind == PlaceKind.STORE


def before_of(series: Series, move: Move) -> tuple[Series, int, date] | None:
    """Return of which record the one before is: its series, movement and day; None where nobody knows."""
    if series not in BEFORE:
        return None
    if is_before_itself(series, move):
        return BEFORE[series], move.key, move.moved_on
    if move.before_key is None or move.before_on is None:
        return None
    return BEFORE[series], move.before_key, move.before_on


def numbered(
    form: str, moves: Iterable[Move], serials: Mapping[tuple[Series, int], int], *, is_hazardous: bool
) -> Iterator[Numbered]:
    """Yield the records of a table; a 移库 of 附表5 is two, out of one store and into the other."""
    for move in moves:
        for series in SERIES[form]:
            if (serial := serials.get((series, move.key))) is None:
                continue
            before = None
            if (found := before_of(series, move)) and (earlier := serials.get(found[:2])):
                before = RecordCode(found[0], is_hazardous, found[2], earlier)
            yield Numbered(move, RecordCode(series, is_hazardous, move.moved_on, serial), before)


def rows(
    form: str,
    records: Iterable[Numbered],
    listed_names: Mapping[str, str],
    *,
    start: int,
    permits: Mapping[int, str] | None = None,
) -> list[Row]:
    """
    Return the lines of a table, numbered from `start`.

    `listed_names` says what the national list calls a waste code; `permits`, by movement, under which permit
    the receiver took the waste.
    """
    line = LINES[form]
    found = []
    for number, record in enumerate(records, start):
        row = line(record)
        if form.startswith("hw-"):
            name = listed_names.get(record.move.waste_code)
            row |= {"number": number, "unit": TONNE, "listed_name": name, **_hazardous(record.move)}
        if permits and (permit := permits.get(record.move.key)):
            row |= {"receiver_type": PERMIT_HOLDER, "permit_number": permit}
        found.append(row)
    return found


# --- what several tables say


def _waste(move: Move) -> Row:
    return {"waste_code": move.waste_code, "name": move.stream_name}


def _hazardous(move: Move) -> Row:
    has_container = bool(move.packaging or move.digital_id)
    return {
        **_waste(move),
        "waste_category": move.waste_category,
        "mass": move.tonnes,
        "container_code": move.digital_id or (move.lot_code if has_container else None),
        "packaging": move.packaging or None,
        "container_count": 1 if has_container else None,
    }


def _text(said: str) -> str | None:
    return said or None


def _code(code: RecordCode | None) -> str | None:
    return str(code) if code else None


def goes_to(move: Move) -> str | None:
    """Return where what leaves a store goes."""
    if move.kind is Kind.RELOCATION:
        return f"移入 {move.target.code}"
    if move.kind is Kind.DISPATCH:
        manifest = move.target.code.partition(":")[2]
        where = f"发运 {move.counterparty}".strip()
        return f"{where}（联单 {manifest}）" if manifest else where
    way = GOES_OUT[move.kind]
    if move.kind in (Kind.CONTRACTED_UTILISATION, Kind.CONTRACTED_DISPOSAL):
        return f"{way} {move.counterparty}" if move.counterparty else None
    return way


def comes_from(move: Move) -> str | None:
    """Return where what is put into a store comes from."""
    if move.kind is Kind.GENERATION:
        return move.process
    if move.kind is Kind.RECEIPT:
        return f"外单位 {move.counterparty}".strip()
    if move.kind is Kind.RELOCATION:
        return f"移自 {move.source.code}"
    if move.kind is Kind.RETURN:
        return f"退回（联单 {move.source.code.partition(':')[2]}）"
    return "分装、合并或预处理"


def left_on(move: Move) -> date | None:
    """Return the day on which the waste left the plant: of its dispatch, where it went under a manifest."""
    return move.moved_on if move.source.kind == PlaceKind.STORE else move.before_on


# --- the lines


def _left(record: Numbered) -> Row:
    move = record.move
    return {
        **_waste(move), "code": str(record.code), "left_on": move.moved_on, "mass": move.tonnes,
        "handler": _text(move.handler), "carrier": None, "vehicle": None, "transport": None,
        "receiver": _text(move.counterparty), "reach": None,
    }  # fmt: skip


def _generated_general(record: Numbered) -> Row:
    move = record.move
    return {
        **_waste(move), "code": str(record.code), "facility": move.source.facility, "head": None,
        "generated_on": move.moved_on, "mass": move.tonnes, "moved_on": move.moved_on,
        "goes_to": move.target.code, "handler": _text(move.handler), "carrier_handler": None,
    }  # fmt: skip


def _kept(record: Numbered) -> Row:
    move = record.move
    row: Row = {**_waste(move), "code": str(record.code), "head": None}
    if record.code.series is Series.STORED:
        return row | {
            "facility": move.target.code, "comes_from": comes_from(move), "before": _code(record.before),
            "in_on": move.moved_on, "in_mass": move.tonnes, "in_carrier": None,
            "in_handler": _text(move.handler),
        }  # fmt: skip
    return row | {
        "facility": move.source.code, "out_on": move.moved_on, "out_mass": move.tonnes,
        "goes_to": goes_to(move), "out_handler": _text(move.handler), "out_carrier": _text(move.driver),
    }  # fmt: skip


def _treated_general(record: Numbered) -> Row:
    move = record.move
    return {
        **_waste(move), "code": str(record.code), "facility": move.target.facility, "head": None,
        "comes_from": move.source.code, "before": _code(record.before), "done_on": move.moved_on,
        "mass": move.tonnes, "method": _text(move.method), "handler": _text(move.handler),
    }  # fmt: skip


def _generated(record: Numbered) -> Row:
    move = record.move
    return {
        "code": str(record.code), "generated_on": move.moved_on, "facility": move.source.facility,
        "handler": _text(move.handler), "goes_to": f"贮存 {move.target.code}",
    }  # fmt: skip


def _stored(record: Numbered) -> Row:
    move = record.move
    return {
        "code": str(record.code), "in_on": move.moved_on, "facility": move.target.code,
        "store_type": _text(move.target.store_type), "carrier_handler": None,
        "handler": _text(move.handler), "before": _code(record.before),
    }  # fmt: skip


def _taken_out(record: Numbered) -> Row:
    move = record.move
    return {
        "code": str(record.code), "out_on": move.moved_on, "facility": move.source.code,
        "store_type": _text(move.source.store_type), "handler": _text(move.handler),
        "carrier_handler": _text(move.driver), "before": _code(record.before), "goes_to": goes_to(move),
    }  # fmt: skip


def _treated(record: Numbered) -> Row:
    move = record.move
    return {
        "code": str(record.code), "done_on": move.moved_on, "facility": move.target.facility,
        "method": _text(move.method), "finished_on": None, "handler": _text(move.handler),
        "before": _code(record.before),
    }  # fmt: skip


def _contracted(record: Numbered) -> Row:
    move = record.move
    return {
        "code": str(record.code), "left_on": left_on(move), "method": _text(move.method),
        "receiver_type": None, "permit_holder": _text(move.counterparty), "permit_number": None,
        "before": _code(record.before),
    }  # fmt: skip


LINES: Mapping[str, Callable[[Numbered], Row]] = {
    "general-3": _left,
    "general-4": _generated_general,
    "general-5": _kept,
    "general-6": _treated_general,
    "general-7": _treated_general,
    "hw-1": _generated,
    "hw-2": _stored,
    "hw-3": _taken_out,
    "hw-4": _treated,
    "hw-5": _contracted,
}
