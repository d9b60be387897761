"""
The monthly declaration: what is new is posted as generation, what stands there is compared with the books.

All is posted through the ledger's services, which refuse what can't be. Said anew, the difference is posted, or what
was posted is taken back: the ledger keeps both. A closed month takes no posting; what is said of it then is posted on
the first day that is open, as the ledger has it with reversals.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

from django.db import transaction

from wufei.collection import declared, months
from wufei.collection.models import Declaration, DeclarationLine, DeclaredMovement, SmallGenerator
from wufei.collection.queries.declared import held_by_stream, small_generators
from wufei.collection.refusals import Code, CollectionRefused
from wufei.ledger import queries as ledger_queries
from wufei.ledger import services as ledger
from wufei.ledger.kinds import Kind
from wufei.ledger.models import Movement, Stream
from wufei.ledger.posting import ABSURD_MASS, Draft
from wufei.ledger.wording import REFUSAL_TEXT as LEDGER_TEXT
from wufei.ledger.wording import REVERSAL_TEXT
from wufei.registry.access import Permission
from wufei.registry.models import Organisation, User
from wufei.registry.queries import require
from wufei.registry.services import audit
from wufei.terms.day import local_day
from wufei.terms.mass import Mass

LONGEST_REASON = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What is said of one waste: how much is new this month; how much stands there, where that was looked at."""

    stream_code: str
    new: Mass
    standing: Mass | None = None  # None: as the books have it
    reason: str = ""  # why it is another mass than the books'
    containers: Decimal | None = None  # so many …
    usual: Mass | None = None  # … of this weight


@dataclass
class _Declaring:
    """A declaration that is being made."""

    organisation: Organisation
    month: date
    day: date  # on which it is posted
    client_id: UUID
    by: User
    now: datetime

    @property
    def note(self) -> str:
        return f"{self.month:%Y-%m} 月度申报"

    @property
    def today(self) -> date:
        return local_day(self.now)

    def draft(self, kind: Kind, stream: Stream, grams: int, what: str, **more: Any) -> Draft:
        said: dict[str, Any] = {"moved_on": self.day, "note": self.note} | more
        return Draft(
            kind=kind, stream_code=stream.code, mass=Mass(grams), handler=str(self.by)[:60],
            client_id=uuid5(self.client_id, f"{what}:{stream.code}"), **said,
        )  # fmt: skip


@transaction.atomic
def declare(
    *,
    organisation: Organisation,
    month: date,
    lines: Sequence[Said] = (),
    is_nothing: bool = False,
    client_id: UUID,
    by: User,
    now: datetime,
) -> Declaration:
    """
    Declare a month, or correct what was declared of it; the same client id again brings what stands.

    :raises CollectionRefused, NotPermitted:
    """
    require(user=by, permission=Permission.POST_MOVEMENTS, organisation=organisation, on=local_day(now))
    row = SmallGenerator.objects.select_for_update(of=("self",)).filter(organisation=organisation).first()
    if row is None or not small_generators(on=local_day(now)).filter(pk=row.pk).exists():
        raise CollectionRefused(Code.NOT_A_SMALL_GENERATOR)
    lines = _every(organisation, lines, is_nothing)
    if stands := Declaration.objects.filter(organisation=organisation, client_id=client_id).first():
        return _the_same(stands, month, lines)
    if not months.may_be_declared(month, began_on=row.began_on, today=local_day(now)):
        raise CollectionRefused(Code.MONTH_OUT_OF_RANGE, f"{month:%Y-%m}", "month")
    before = Declaration.objects.filter(organisation=organisation, month=month).order_by("-number").first()
    making = _Declaring(organisation, month, _day_of(organisation, month, now), client_id, by, now)
    streams = {each.code: each for each in Stream.objects.filter(organisation=organisation)}
    moved = _post_new(making, before, lines, streams)
    for code, rows in _post_difference(making, lines, streams).items():
        moved.setdefault(code, []).extend(rows)
    if before is not None and not moved and _says(before) == _content(lines):
        raise CollectionRefused(Code.SAID_THE_SAME)
    made = _keep(making, before, lines, streams, moved)
    audit(
        by=by, now=now, organisation=organisation, action="collection.declare",
        object_ref=f"{month:%Y-%m}#{made.number}", detail={"movements": sum(map(len, moved.values()))},
    )  # fmt: skip
    return made


# --- what was said


def _every(organisation: Organisation, lines: Sequence[Said], is_nothing: bool) -> list[Said]:
    """Return what was said of each waste; every one has to be spoken of, or nothing at all was generated."""
    codes = list(
        Stream.objects.filter(organisation=organisation).order_by("code").values_list("code", flat=True)
    )
    by_code = {each.stream_code: each for each in lines}
    for code, each in by_code.items():
        if code not in codes:
            raise CollectionRefused(Code.STREAM_UNKNOWN, code[:60], "lines")
        _refuse_impossible(each)
    if is_nothing and any(each.new.grams for each in by_code.values()):
        raise CollectionRefused(Code.NOTHING_AND_SOMETHING, where="is_nothing")
    if not is_nothing and (left_out := [code for code in codes if code not in by_code]):
        raise CollectionRefused(Code.STREAM_LEFT_OUT, "、".join(left_out), "lines")
    return [by_code.get(code, Said(stream_code=code, new=Mass(0))) for code in codes]


def _refuse_impossible(each: Said) -> None:
    where = f"lines.{each.stream_code}"
    masses = [each.new, *filter(None, (each.standing, each.usual))]
    if any(not 0 <= mass.grams <= ABSURD_MASS.grams for mass in masses):
        raise CollectionRefused(Code.MASS_OUT_OF_RANGE, where=where)
    if each.containers is not None and not 0 <= each.containers < 10**6:
        raise CollectionRefused(Code.MASS_OUT_OF_RANGE, where=where)
    if len(each.reason) > LONGEST_REASON or not each.reason.isprintable():
        raise CollectionRefused(Code.TEXT_NOT_STORABLE, where=where)


def _content(lines: Sequence[Said]) -> list[tuple[Any, ...]]:
    return sorted((each.stream_code, each.new.grams) for each in lines)


def _says(row: Declaration) -> list[tuple[Any, ...]]:
    return sorted(row.lines.values_list("stream__code", "new_g"))


def _the_same(stands: Declaration, month: date, lines: Sequence[Said]) -> Declaration:
    if stands.month != month or _says(stands) != _content(lines):
        raise CollectionRefused(Code.CLIENT_ID_REUSED, str(stands.client_id))
    return stands


def _day_of(organisation: Organisation, month: date, now: datetime) -> date:
    """Return the day on which it is posted: the month's last, or today, or the first after what is closed."""
    day = min(months.last_day_of(month), local_day(now))
    head = ledger_queries.locked_head(organisation=organisation)
    if head is not None and head.closed_through is not None and day <= head.closed_through:
        day = head.closed_through + timedelta(days=1)
    return day


# --- what it posts


def _standing(before: Declaration | None) -> dict[int, list[Movement]]:
    """Return the generations of the month that stand, by stream."""
    if before is None:
        return {}
    rows = Movement.objects.filter(
        pk__in=DeclaredMovement.objects.filter(
            line__declaration__organisation=before.organisation, line__declaration__month=before.month
        ).values("movement"),
        kind=Kind.GENERATION,
        reversal=None,
    )
    found: dict[int, list[Movement]] = {}
    for row in rows.order_by("seq"):
        found.setdefault(row.stream_id, []).append(row)
    return found


def _post_new(
    making: _Declaring, before: Declaration | None, lines: Sequence[Said], streams: Mapping[str, Stream]
) -> dict[str, list[Movement]]:
    """Post what makes the month's generation what is said of it now."""
    standing = _standing(before)
    drafts: list[Draft] = []
    back: list[Movement] = []
    for each in lines:
        stream = streams[each.stream_code]
        own = standing.get(stream.pk, [])
        steps = declared.steps(
            wanted_g=each.new.grams,
            stands=[declared.Posted(seq=row.seq, grams=row.mass_g) for row in own],
        )
        if steps.generate_g:
            drafts.append(making.draft(Kind.GENERATION, stream, steps.generate_g, "new"))
        back += [row for row in own if row.seq in steps.take_back]
    posted = _post(making, drafts)
    for row in back:
        _take_back(making, row)
    return posted


def _post_difference(
    making: _Declaring, lines: Sequence[Said], streams: Mapping[str, Stream]
) -> dict[str, list[Movement]]:
    """Post what brings the books to what stands there, where that was looked at."""
    held = held_by_stream(organisations=[making.organisation.pk])
    has_spoken = set(
        DeclarationLine.objects.filter(declaration__organisation=making.organisation).values_list(
            "stream_id", flat=True
        )
    )
    drafts: list[Draft] = []
    for each in lines:
        stream = streams[each.stream_code]
        if each.standing is None:
            continue
        difference = each.standing.grams - held.get(stream.pk, 0)
        if difference > 0 and stream.pk not in has_spoken:
            # What was there before the first declaration is stock of before.
            first = making.draft(Kind.OPENING_STOCK, stream, difference, "opening", moved_on=making.day)
            drafts.append(first)
        elif difference:
            if not each.reason.strip():
                detail = f"{stream.name}：账面 {_kg(held.get(stream.pk, 0))} 千克，现存 {_kg(each.standing.grams)} 千克"
                raise CollectionRefused(Code.REASON_MISSING, detail, f"lines.{stream.code}")
            kind = Kind.STOCKTAKE_GAIN if difference > 0 else Kind.STOCKTAKE_LOSS
            note = f"{making.note}：{each.reason.strip()}"
            drafts.append(
                making.draft(kind, stream, abs(difference), "difference", moved_on=making.today, note=note)
            )
    return _post(making, drafts)


def _kg(grams: int) -> str:
    return f"{(Decimal(grams) / 1000).normalize():f}"


def _post(making: _Declaring, drafts: Sequence[Draft]) -> dict[str, list[Movement]]:
    if not drafts:
        return {}
    try:
        posted = list(
            ledger.post(
                organisation=making.organisation, drafts=drafts, by=making.by, now=making.now
            ).select_related("stream")
        )
    except ledger.MovementsRefused as why:
        at, [first, *_more] = why.refusals[0]
        stream_code = drafts[at].stream_code
        raise CollectionRefused(Code.LEDGER_REFUSED, LEDGER_TEXT[first.code], f"lines.{stream_code}") from why
    except ledger.ClientIdReused as why:
        raise CollectionRefused(Code.CLIENT_ID_REUSED, str(why.client_id)) from why
    found: dict[str, list[Movement]] = {}
    for row in posted:
        found.setdefault(row.stream.code, []).append(row)
    return found


def _take_back(making: _Declaring, row: Movement) -> None:
    day = max(making.day, row.moved_on)
    try:
        ledger.reverse(movement=row, reason=f"{making.note}更正", by=making.by, now=making.now, moved_on=day)
    except ledger.ReversalRefused as why:
        raise CollectionRefused(Code.LEDGER_REFUSED, REVERSAL_TEXT[why.code], "lines") from why


def _keep(
    making: _Declaring,
    before: Declaration | None,
    lines: Sequence[Said],
    streams: Mapping[str, Stream],
    moved: Mapping[str, Sequence[Movement]],
) -> Declaration:
    made = Declaration.objects.create(
        organisation=making.organisation, month=making.month, number=before.number + 1 if before else 1,
        is_nothing=not any(each.new.grams for each in lines), posted_on=making.day, client_id=making.client_id,
        declared_at=making.now, declared_by=making.by,
    )  # fmt: skip
    rows = DeclarationLine.objects.bulk_create(
        DeclarationLine(
            declaration=made, stream=streams[each.stream_code], new_g=each.new.grams, containers=each.containers,
            usual_g=each.usual.grams if each.usual else None,
            standing_g=each.standing.grams if each.standing is not None else None, reason=each.reason.strip(),
        )
        for each in lines
    )  # fmt: skip
    DeclaredMovement.objects.bulk_create(
        DeclaredMovement(line=line, movement=movement)
        for line, each in zip(rows, lines, strict=True)
        for movement in moved.get(each.stream_code, ())
    )
    return made
