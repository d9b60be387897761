"""
May these movements be posted?

Pure: takes what is known, returns every reason against, for each draft. The service asks
under a lock; the import screen asks beforehand, so that a person sees all faults at once.

No store holds less than nothing at the end of any day: what came in on a day counts before
what went out.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum, auto
from typing import NamedTuple
from uuid import UUID

from wufei.ledger.kinds import INTERNAL, INTO_STORE, PLACE_NAMES, ROUTES, TRANSFORMING, Kind, PlaceKind
from wufei.terms.mass import Mass

# Above this a mass is a slip of the unit, not a fact: 10⁸ 吨.
ABSURD_MASS = Mass.of("100000000", "吨")
BULK_PREFIX = "散堆-"
TRANSIT_PREFIX = "transit:"
# How many characters a movement keeps of what people write.
TEXT_LIMITS = {"method": 60, "counterparty": 200, "handler": 60, "note": 300, "lot_code": 80}
# What brings a labelled lot into being.
CREATES_LOT = frozenset({Kind.OPENING_STOCK, Kind.GENERATION, Kind.RECEIPT, Kind.TRANSFORMATION_OUTPUT})


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong in what is stored: which movement (None: the organisation), what kind, in words."""

    movement: int | None
    kind: str
    message: str


class Draft(NamedTuple):
    """
    A movement that somebody wants posted.

    A tuple, since an import makes a hundred thousand of them: a frozen dataclass takes three times as long.
    """

    kind: Kind
    moved_on: date
    stream_code: str
    mass: Mass
    store_code: str | None = None  # None: the organisation's first store; or what is on the road: transit:…
    lot_code: str | None = None  # None: the stream's bulk
    method: str = ""
    counterparty: str = ""
    handler: str = ""
    note: str = ""
    client_id: UUID | None = None  # made by the client, so that a retry never counts twice
    fingerprint: str = ""  # of an imported row
    # Where a RELOCATION or DISPATCH goes to, and a RETURN comes from: the code of a store, or transit:<manifest>.
    other_place: str | None = None


class Code(StrEnum):
    """Why a movement is refused, in order of precedence."""

    MASS_NOT_POSITIVE = auto()
    MASS_ABSURD = auto()
    MOVED_ON_IN_FUTURE = auto()
    MONTH_CLOSED = auto()
    STREAM_UNKNOWN = auto()
    STORE_UNKNOWN = auto()
    STORE_MISSING = auto()  # the organisation has declared none
    GOES_NOWHERE = auto()  # relocated to where it is
    NOT_BY_ITSELF = auto()  # a part of a manifest or of a transformation
    TEXT_NOT_STORABLE = auto()  # too long, or with characters that no ledger keeps
    LOT_CODE_RESERVED = auto()
    LOT_CODE_USED = auto()
    LOT_UNKNOWN = auto()
    LOT_OF_ANOTHER_STREAM = auto()
    SOURCE_OVERDRAWN = auto()
    TARGET_OVER_CAPACITY = auto()


@dataclass(frozen=True, slots=True)
class Refusal:
    code: Code
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """
    What is known of an organisation's ledger, as far as the drafts touch it.

    `held` is what a store holds of a lot at the end of the first draft's day; `later` is what moved
    after that day, net, by day. Under the lot "" stands what a store of limited capacity holds of all
    lots that the drafts don't name.
    """

    today: date
    stores: Mapping[str, int | None]  # code -> capacity in grams, in the order of declaration
    streams: frozenset[str]
    lots: Mapping[str, str] = field(default_factory=dict)  # labelled lot -> its stream
    # Labelled lots whose coming into being was reversed: -> (stream, kind, year); the label may be used
    # again for the same thing.
    undone_lots: Mapping[str, tuple[str, str, int]] = field(default_factory=dict)
    held: Mapping[tuple[str, str], int] = field(default_factory=dict)  # (store, lot) -> grams
    later: Mapping[tuple[str, str], Sequence[tuple[date, int]]] = field(default_factory=dict)
    closed_through: date | None = None

    @property
    def first_store(self) -> str | None:
        return next((code for code in self.stores if not is_transit(code)), None)


def bulk_code(stream_code: str) -> str:
    """Return the code of the lot that is a stream's bulk."""
    return BULK_PREFIX + stream_code


def lot_code_of(draft: Draft) -> str:
    """Return the code of the lot that the draft moves."""
    return draft.lot_code or bulk_code(draft.stream_code)


def place_code(kind: PlaceKind, name: str) -> str:
    """Return the code of a place that comes into being when it is first named: a process, an outside party."""
    return f"{kind.lower()}:{name}"


def place_name(kind: PlaceKind, name: str, code: str) -> str:
    """
    Return what people call a place that comes into being when it is first named.

    >>> place_name(PlaceKind.TRANSIT, "", "transit:20265001000001"), place_name(PlaceKind.OPENING, "", "opening:")
    ('在途（20265001000001）', '期初')
    """
    if kind is PlaceKind.TRANSIT:
        return f"{PLACE_NAMES[kind]}（{code.removeprefix(TRANSIT_PREFIX)}）"
    return name or PLACE_NAMES[kind]


def transit_code(manifest_number: str) -> str:
    """Return the code of the place that is a manifest's load on the road."""
    return TRANSIT_PREFIX + manifest_number


def is_transit(code: str | None) -> bool:
    return code is not None and code.startswith(TRANSIT_PREFIX)


def other_end(kind: Kind) -> PlaceKind:
    """Return what is at the end of the movement that the draft doesn't call its store."""
    source, target = ROUTES[kind]
    return source if kind in INTO_STORE else target


def other_code(kind: Kind, counterparty: str, other_place: str | None = None) -> str | None:
    """Return the code of the draft's other end; None where that is the stream's own process."""
    if kind in INTERNAL:
        return other_place
    end = other_end(kind)
    if end is PlaceKind.PROCESS:
        return None
    return place_code(end, counterparty if end is PlaceKind.OUTSIDE else "")


@dataclass(frozen=True, slots=True)
class Codes:
    """The codes of all that the drafts name."""

    streams: frozenset[str]
    lots: frozenset[str]
    labelled: frozenset[str]
    others: frozenset[str]
    into: frozenset[str | None]  # stores that something comes into; None: the first one

    def filled(self, stores: Mapping[str, int | None]) -> frozenset[str]:
        """Return which of the stores something comes into."""
        first = next((code for code in stores if not is_transit(code)), None)
        named = {code or first for code in self.into}
        return frozenset(code for code in stores if code in named)


def codes_of(drafts: Sequence[Draft]) -> Codes:
    """Return the codes of all that the drafts name, each looked at once however many drafts name it."""
    named = {(d.kind, d.stream_code, d.store_code, d.lot_code, d.counterparty, d.other_place) for d in drafts}
    streams: set[str] = set()
    lots: set[str] = set()
    labelled: set[str] = set()
    others: set[str] = set()
    into: set[str | None] = set()
    for kind, stream, store, lot, counterparty, other_place in named:
        streams.add(stream)
        lots.add(lot or bulk_code(stream))
        if lot:
            labelled.add(lot)
        if (other := other_code(kind, counterparty, other_place)) is not None:
            others.add(other)
        if store is not None and is_transit(store):
            others.add(store)
        if kind in INTO_STORE:
            into.add(store)
        elif kind is Kind.RELOCATION:
            into.add(other_place)
    return Codes(frozenset(streams), frozenset(lots), frozenset(labelled), frozenset(others), frozenset(into))


def examine(
    drafts: Sequence[Draft], book: Book, *, capacity_binds: bool = True, is_of_a_whole: bool = False
) -> list[tuple[Refusal, ...]]:
    """
    Return, for each draft, every reason why it may not be posted, in the order of `Code`.

    Drafts are taken together: what one puts into a store, another may take out. An
    import of what has already happened passes `capacity_binds=False`, for a store
    that stood fuller than it may is a fact, not a slip (`overfull` names it). What is on the road, and what is
    transformed, moves only as part of a whole: a manifest, a transformation.
    """
    found = _by_themselves(drafts, book)
    if not is_of_a_whole:
        _refuse_parts(drafts, found)
    _check_lots(drafts, book, found)
    _check_stock(drafts, book, found)
    if capacity_binds:
        for index, refusal in overfull(drafts, book, found):
            found[index].append(refusal)
    return [tuple(refusals) for refusals in found]


def _refuse_parts(drafts: Sequence[Draft], found: list[list[Refusal]]) -> None:
    parts = TRANSFORMING | {Kind.DISPATCH, Kind.RETURN}
    for index, draft in enumerate(drafts):
        if draft.kind in parts or is_transit(draft.store_code) or is_transit(draft.other_place):
            found[index].append(Refusal(Code.NOT_BY_ITSELF, draft.kind))


def _by_themselves(drafts: Sequence[Draft], book: Book) -> list[list[Refusal]]:
    """Return what is wrong with each draft whatever the others are; what many name alike is looked at once."""
    named: dict[tuple[str | bool | None, ...], list[Refusal]] = {}
    found = []
    for draft in drafts:
        key = (
            draft.stream_code, draft.store_code, draft.method, draft.counterparty, draft.handler, draft.note,
            draft.lot_code, draft.other_place, draft.kind in INTERNAL,
        )  # fmt: skip
        if key not in named:
            named[key] = list(_named_wrongly(draft, book))
        found.append([*_out_of_bounds(draft, book), *named[key]])
    return found


def _out_of_bounds(draft: Draft, book: Book) -> Iterator[Refusal]:
    if draft.mass.grams <= 0:
        yield Refusal(Code.MASS_NOT_POSITIVE, f"{draft.mass.grams} g")
    elif draft.mass.grams > ABSURD_MASS.grams:
        yield Refusal(Code.MASS_ABSURD, f"{draft.mass.tonnes} t")
    if draft.moved_on > book.today:
        yield Refusal(Code.MOVED_ON_IN_FUTURE, draft.moved_on.isoformat())
    if book.closed_through is not None and draft.moved_on <= book.closed_through:
        yield Refusal(Code.MONTH_CLOSED, book.closed_through.isoformat())


def _named_wrongly(draft: Draft, book: Book) -> Iterator[Refusal]:
    if draft.stream_code not in book.streams:
        yield Refusal(Code.STREAM_UNKNOWN, draft.stream_code)
    if draft.store_code is not None and draft.store_code not in book.stores:
        yield Refusal(Code.STORE_UNKNOWN, draft.store_code)
    elif draft.store_code is None and not book.stores:
        yield Refusal(Code.STORE_MISSING, "")
    if draft.kind is Kind.RELOCATION and draft.other_place not in book.stores:
        yield Refusal(Code.STORE_UNKNOWN, draft.other_place or "")
    if draft.kind in INTERNAL and draft.other_place == (draft.store_code or book.first_store):
        yield Refusal(Code.GOES_NOWHERE, draft.other_place or "")
    for name, limit in TEXT_LIMITS.items():
        text = getattr(draft, name)
        if text and (len(text) > limit or not text.isprintable()):
            yield Refusal(Code.TEXT_NOT_STORABLE, f"{name} {limit}")


def _check_lots(drafts: Sequence[Draft], book: Book, found: list[list[Refusal]]) -> None:
    """A labelled lot comes into being once, and is moved only as the stream that it is of."""
    made: dict[str, str] = {}
    for index, draft in enumerate(drafts):
        if draft.lot_code is None or draft.kind not in CREATES_LOT:
            continue
        if draft.lot_code.startswith(BULK_PREFIX):
            found[index].append(Refusal(Code.LOT_CODE_RESERVED, BULK_PREFIX))
        elif (
            draft.lot_code in book.lots
            or draft.lot_code in made
            or book.undone_lots.get(draft.lot_code, _origin_of(draft)) != _origin_of(draft)
        ):
            found[index].append(Refusal(Code.LOT_CODE_USED, draft.lot_code))
        elif not found[index]:
            made[draft.lot_code] = draft.stream_code
    for index, draft in enumerate(drafts):
        if draft.lot_code is None or draft.kind in CREATES_LOT:
            continue
        stream = book.lots.get(draft.lot_code) or made.get(draft.lot_code)
        if stream is None:
            found[index].append(Refusal(Code.LOT_UNKNOWN, draft.lot_code))
        elif stream != draft.stream_code:
            found[index].append(Refusal(Code.LOT_OF_ANOTHER_STREAM, stream))


def _legs(draft: Draft, book: Book) -> tuple[str | None, str | None]:
    """Return where the draft takes from and where it puts to, as far as waste waits there."""
    store = draft.store_code or book.first_store or ""
    other = draft.other_place if draft.kind in INTERNAL else None
    return (other, store) if draft.kind in INTO_STORE else (store, other)


def _origin_of(draft: Draft) -> tuple[str, str, int]:
    return (draft.stream_code, draft.kind, draft.moved_on.year)


def _check_stock(drafts: Sequence[Draft], book: Book, found: list[list[Refusal]]) -> None:
    """What goes out of a store on a day may not leave it short on that day or on any later one."""
    coming: dict[tuple[str, str], dict[date, int]] = defaultdict(lambda: defaultdict(int))
    going: dict[tuple[str, str], list[int]] = defaultdict(list)
    for index, draft in enumerate(drafts):
        if found[index]:
            continue
        source, target = _legs(draft, book)
        if target is not None:
            coming[target, lot_code_of(draft)][draft.moved_on] += draft.mass.grams
        if source is not None:
            going[source, lot_code_of(draft)].append(index)
    for key, indexes in going.items():
        indexes.sort(key=lambda i: drafts[i].moved_on)
        lowest = _lowest_from(book.held.get(key, 0), book.later.get(key, ()), coming[key], drafts, indexes)
        taken = 0
        for index in indexes:
            mass, free = drafts[index].mass.grams, lowest[drafts[index].moved_on]
            if taken + mass > free:
                short = taken + mass - free
                found[index].append(Refusal(Code.SOURCE_OVERDRAWN, f"{short} g short"))
            else:
                taken += mass


def can_be_taken(*, book: Book, store_code: str, lot_code: str, on: date) -> int:
    """Return how many grams of the lot may leave the store on the day without leaving it short later."""
    key = (store_code, lot_code)
    net: dict[date, int] = defaultdict(int)  # what came in on a day counts before what went out
    for day, grams in book.later.get(key, ()):
        net[day] += grams
    running = book.held.get(key, 0) + sum(grams for day, grams in net.items() if day <= on)
    least = running
    for day in sorted(day for day in net if day > on):
        running += net[day]
        least = min(least, running)
    return least


def _lowest_from(
    held: int,
    later: Sequence[tuple[date, int]],
    coming: Mapping[date, int],
    drafts: Sequence[Draft],
    indexes: Sequence[int],
) -> dict[date, int]:
    """Return, for each day on which something would go out, the least that stands there from then on."""
    net: dict[date, int] = defaultdict(int)
    for day, grams in later:
        net[day] += grams
    for day, grams in coming.items():
        net[day] += grams
    for index in indexes:
        net[drafts[index].moved_on] += 0
    days = sorted(net)
    standing, running = [], held
    for day in days:
        running += net[day]
        standing.append(running)
    lowest: dict[date, int] = {}
    least: int | None = None
    for day, grams in zip(reversed(days), reversed(standing), strict=True):
        least = grams if least is None else min(least, grams)
        lowest[day] = least
    return lowest


def overfull(
    drafts: Sequence[Draft], book: Book, found: Sequence[Sequence[Refusal]]
) -> list[tuple[int, Refusal]]:
    """Return the sound drafts that bring a store above its capacity, by (index, reason)."""
    # By store and day: (comes in, index, grams), what goes out first.
    moves: dict[str, dict[date, list[tuple[bool, int, int]]]] = defaultdict(lambda: defaultdict(list))
    for index, draft in enumerate(drafts):
        if found[index]:
            continue
        source, target = _legs(draft, book)
        for store, grams in ((target, draft.mass.grams), (source, -draft.mass.grams)):
            if store is not None and book.stores.get(store) is not None:
                moves[store][draft.moved_on].append((grams > 0, index, grams))
    over: list[tuple[int, Refusal]] = []
    for store, by_day in moves.items():
        capacity = book.stores[store]
        assert capacity is not None, "only limited stores were taken"
        running = sum(grams for (code, _), grams in book.held.items() if code == store)
        net: dict[date, int] = defaultdict(int)
        for (code, _), nets in book.later.items():
            if code == store:
                for day, grams in nets:
                    net[day] += grams
        for day in sorted({*net, *by_day}):
            running += net[day]
            for comes_in, index, grams in sorted(by_day.get(day, ())):
                running += grams
                if comes_in and running > capacity:
                    over.append((index, Refusal(Code.TARGET_OVER_CAPACITY, f"{running - capacity} g over")))
    return over
