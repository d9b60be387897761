"""
What is ready at which generator, how long has it stood there, and may the collector take it?

A collector sees of a generator what a contract gives it: what it declared to be there, and nothing else of its ledger.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Exists, Max, OuterRef, Q

from wufei.collection import months, rules
from wufei.collection.models import Declaration, SmallGenerator, Stop
from wufei.collection.months import Word
from wufei.collection.queries.declared import small_generators, words_of
from wufei.collection.queries.registered import contracts_with, points_of, serves
from wufei.ledger.kinds import PlaceKind
from wufei.ledger.models import Balance, Stream, WasteClass
from wufei.ledger.queries.inventory import standing_since
from wufei.registry import permits
from wufei.registry.access import Permission
from wufei.registry.models import Organisation, ParkMembership, PermitUse, User
from wufei.registry.queries import jurisdiction_prefix, require, waste_permits
from wufei.storage import time_limits, zoning
from wufei.storage.time_limits import Due, known_time_limits
from wufei.storage.zoning import Fullness
from wufei.transfers.models import ManifestLine
from wufei.transfers.states import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Part of what is ready: a labelled lot, or of the bulk ("")."""

    store_code: str
    lot_code: str
    grams: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A waste at a generator. `mass_g` is None where nothing is known of it: silence is not none."""

    generator: Organisation
    stream: Stream | None  # None: it never said anything
    parts: tuple[Held, ...]
    mass_g: int | None
    planned_g: int  # on a round or a signed manifest already
    since: date | None
    days: int | None
    last: date | None
    due: Due
    level: Fullness  # of what may stand at a storage point
    declared_for: date | None  # the newest month of which it spoke
    word: Word  # on the newest month whose day has passed
    park: str
    lacks: str  # contract, missing, not_in_date, code, area; "": it may be collected
    left_g: int | None  # of the permit's capacity of the year

    @property
    def is_unknown(self) -> bool:
        return self.word is Word.SILENT

    @property
    def may_be_collected(self) -> bool:
        return bool(self.mass_g) and not self.lacks


LACK_TEXT: Mapping[str, str] = {
    "contract": "合同不包括这种废物",
    "missing": "没有危险废物经营许可证",
    "not_in_date": "许可证不在有效期",
    "code": "许可证不包括这种废物",
    "area": "不在收集范围",
    "capacity": "许可证年度能力已用完",
}


@dataclass
class _Ground:
    """All that a list of what is ready is judged by, read once."""

    collector: Organisation
    today: date
    contracts: dict[int, list[list[str]]]
    divisions: list[str]
    known: list[permits.Permit]
    used: dict[int, int]
    parks: dict[int, str]
    words: dict[int, tuple[Word, Declaration | None]]
    newest: dict[int, date]


def ready(*, collector: Organisation, user: User, on: date) -> list[Ready]:
    """
    Return what the generators that have a contract with the collector have ready, what is due first on top.

    The same few queries however many generators there are.

    :raises NotPermitted: to who may not sign manifests for the collector
    """
    require(user=user, permission=Permission.SIGN_MANIFESTS, organisation=collector, on=on)
    contracts = contracts_with(collector=collector, on=on)
    generators = list(
        small_generators(on=on).filter(organisation__in=list(contracts)).select_related("organisation")
    )
    keys = [each.organisation_id for each in generators]
    ground = _ground(collector, generators, contracts, on)
    streams: dict[int, list[Stream]] = defaultdict(list)
    for stream in Stream.objects.filter(organisation__in=keys).order_by("code"):
        streams[stream.organisation_id].append(stream)
    held, since = _held(keys)
    planned, on_the_way = _planned(keys)
    rows: list[Ready] = []
    for each in generators:
        own = [
            _ready(ground, each.organisation, stream, held, since, planned, on_the_way)
            for stream in streams[each.organisation_id]
        ]
        shown = [row for row in own if row is not None]
        rows += shown or _unknown(ground, each.organisation)
    return sorted(rows, key=lambda row: (row.last or date.max, row.since or date.max, row.generator.name))


def _ground(
    collector: Organisation,
    generators: Sequence[SmallGenerator],
    contracts: dict[int, list[list[str]]],
    on: date,
) -> _Ground:
    keys = [each.organisation_id for each in generators]
    month = months.latest_due(on, rules.declaration_due_day())
    known = waste_permits(organisation=collector)
    groups = [group.key for permit in known for group in permit.groups]
    members = ParkMembership.objects.filter(
        Q(left_on=None) | Q(left_on__gte=on), member__in=keys, joined_on__lte=on
    )
    newest = Declaration.objects.filter(organisation__in=keys).values_list("organisation")
    return _Ground(
        collector=collector, today=on, contracts=contracts,
        divisions=[
            code
            for codes in points_of(organisation=collector, on=on).values_list("divisions", flat=True)
            for code in codes
        ],
        known=known,
        used=dict(PermitUse.objects.filter(group__in=groups, year=on.year).values_list("group", "used_g")),
        parks=dict(members.values_list("member_id", "park__name")),
        words=words_of(generators=generators, month=month, on=on),
        newest=dict(newest.annotate(month=Max("month")).order_by()),
    )  # fmt: skip


def _held(
    keys: Sequence[int],
) -> tuple[dict[int, list[tuple[Held, tuple[int, int]]]], dict[tuple[int, int], date]]:
    rows = Balance.objects.filter(
        place__organisation__in=keys, place__kind=PlaceKind.STORE, mass_g__gt=0
    ).values_list(
        "lot__stream_id", "place_id", "lot_id", "place__code", "lot__code", "lot__is_bulk", "mass_g"
    )
    held: dict[int, list[tuple[Held, tuple[int, int]]]] = defaultdict(list)
    for stream, place, lot, store_code, lot_code, is_bulk, grams in rows.order_by("pk"):
        part = Held(store_code=store_code, lot_code="" if is_bulk else lot_code, grams=grams)
        held[stream].append((part, (place, lot)))
    pairs = [pair for parts in held.values() for _part, pair in parts]
    return held, standing_since(held=pairs)


def _planned(keys: Sequence[int]) -> tuple[dict[tuple[int, str], int], set[str]]:
    """Return what waits on a round or a signed manifest: of bulk how much, by stream and store; which labelled lots."""
    waiting = Exists(Stop.objects.filter(manifest=OuterRef("manifest"), state=Stop.State.WAITING))
    rows = ManifestLine.objects.filter(
        Q(manifest__state=State.ISSUED) | (Q(manifest__state=State.DRAFT) & waiting),
        manifest__generator__in=keys,
    )
    bulk: dict[tuple[int, str], int] = defaultdict(int)
    lots: set[str] = set()
    for generator, stream, store_code, lot_code, grams in rows.values_list(
        "manifest__generator_id", "stream_id", "store_code", "lot_code", "declared_g"
    ):
        if lot_code:
            lots.add(f"{generator}/{lot_code}")
        else:
            bulk[stream, store_code] += grams
    return bulk, lots


def _ready(
    ground: _Ground,
    generator: Organisation,
    stream: Stream,
    held: Mapping[int, list[tuple[Held, tuple[int, int]]]],
    since: Mapping[tuple[int, int], date],
    planned: Mapping[tuple[int, str], int],
    on_the_way: set[str],
) -> Ready | None:
    """Return what is ready of the stream; None where the books have nothing and the generator spoke in time."""
    own = held.get(stream.pk, [])
    word = ground.words[generator.pk][0]
    if not own:
        return None
    total = sum(part.grams for part, _pair in own)
    parts, taken = _left(generator, stream, [part for part, _pair in own], planned, on_the_way)
    begun = min(since[pair] for _part, pair in own)
    limit = time_limits.limit_for(
        limits=known_time_limits(), is_operator=False, waste_class=stream.waste_class,
        division=generator.division_code,
    )  # fmt: skip
    last = time_limits.last_day(begun, limit.months) if limit else None
    is_hazardous = stream.waste_class == WasteClass.HAZARDOUS
    lacks, left_g = _lacking(ground, generator, stream)
    return Ready(
        generator=generator, stream=stream, parts=tuple(parts), mass_g=total - taken, planned_g=taken, since=begun,
        days=(ground.today - begun).days, last=last, due=time_limits.due(last=last, today=ground.today),
        level=zoning.level(used=total, limit=rules.point_limit().grams if is_hazardous else None),
        declared_for=ground.newest.get(generator.pk), word=word, park=ground.parks.get(generator.pk, ""),
        lacks=lacks, left_g=left_g,
    )  # fmt: skip


def _left(
    generator: Organisation,
    stream: Stream,
    parts: Sequence[Held],
    planned: Mapping[tuple[int, str], int],
    on_the_way: set[str],
) -> tuple[list[Held], int]:
    """Return what of the parts is not on its way yet, and how much is."""
    left, taken = [], 0
    for part in parts:
        if part.lot_code:
            gone = part.grams if f"{generator.pk}/{part.lot_code}" in on_the_way else 0
        else:
            gone = min(part.grams, planned.get((stream.pk, part.store_code), 0))
        taken += gone
        if part.grams > gone:
            left.append(Held(store_code=part.store_code, lot_code=part.lot_code, grams=part.grams - gone))
    return left, taken


def _unknown(ground: _Ground, generator: Organisation) -> list[Ready]:
    """Return the one row of who has nothing in the books because it said nothing; none of who said so."""
    word = ground.words[generator.pk][0]
    if word is not Word.SILENT:
        return []
    return [
        Ready(
            generator=generator, stream=None, parts=(), mass_g=None, planned_g=0, since=None, days=None, last=None,
            due=Due.NO_LIMIT, level=Fullness.FREE, declared_for=ground.newest.get(generator.pk), word=word,
            park=ground.parks.get(generator.pk, ""), lacks="", left_g=None,
        )
    ]  # fmt: skip


def _lacking(ground: _Ground, generator: Organisation, stream: Stream) -> tuple[str, int | None]:
    """Return what keeps the collector from taking the waste, and what is left of its capacity of the year."""
    listed = ground.contracts[generator.pk]
    if not any(not codes or permits.covers(codes, stream.waste_code) for codes in listed):
        return "contract", None
    if not serves(ground.divisions, generator.division_code):
        return "area", None
    if stream.waste_class != WasteClass.HAZARDOUS:
        return "", None
    found = permits.cover(ground.known, waste_code=stream.waste_code, on=ground.today)
    if found.group is None:
        return found.lacks, None
    left = found.group.capacity_g - ground.used.get(found.group.key, 0)
    return ("" if left > 0 else "capacity"), left


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """How a list of what is ready is narrowed."""

    text: str = ""
    division: str = ""
    park: str = ""
    waste: str = ""  # a code or a category
    at_least_g: int = 0
    at_least_days: int = 0
    standing: str = ""  # collectable, unknown, due


def narrowed(rows: Iterable[Ready], wanted: Wanted) -> list[Ready]:
    """Return the rows that are wanted; what is unknown stays in unless something is asked that it can't answer."""
    return [row for row in rows if _fits(row, wanted)]


def _fits(row: Ready, wanted: Wanted) -> bool:
    code = row.stream.waste_code if row.stream else ""
    of_waste = not wanted.waste or (bool(code) and permits.covers([wanted.waste], code))
    standing = {
        "": True, "collectable": row.may_be_collected, "unknown": row.is_unknown,
        "due": row.due in (Due.SOON, Due.OVERDUE) or row.level is not Fullness.FREE,
    }  # fmt: skip
    return (
        (not wanted.text or wanted.text in row.generator.name or wanted.text in row.generator.uscc)
        and row.generator.division_code.startswith(jurisdiction_prefix(wanted.division or "000000"))
        and (not wanted.park or wanted.park == row.park)
        and of_waste
        and (row.mass_g or 0) >= wanted.at_least_g
        and (row.days or 0) >= wanted.at_least_days
        and standing[wanted.standing]
    )
