"""
What a manifest moved, corrected: each movement is reversed, and posted again as it shall be, in one transaction.

Other than a reversal by hand it may touch what is on the road, for it leaves the whole as sound as it was.
"""

from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction

from wufei.ledger import correcting, posting, queries
from wufei.ledger.kinds import INTERNAL, INTO_STORE, Kind, PlaceKind
from wufei.ledger.models import Movement, Place
from wufei.ledger.posting import ABSURD_MASS, Code, Draft, Refusal
from wufei.ledger.queries import Named
from wufei.ledger.services.moving import Entry, MovementsRefused, Route, append, entries, lock_head
from wufei.registry.access import Permission
from wufei.registry.models import Organisation, User
from wufei.registry.queries import require
from wufei.registry.services import audit_row
from wufei.terms.day import local_day
from wufei.terms.mass import Mass


@transaction.atomic
def correct(
    *,
    organisation: Organisation,
    standing: Sequence[Movement],
    instead: Sequence[Draft],
    reason: str,
    by: User,
    now: datetime,
) -> None:
    """
    Reverse what stands, and post the drafts instead; each of them names its store.

    All is done on its own day or, where one of the months is closed, today.

    :raises MovementsRefused: if the ledger would no longer be true
    """
    today = local_day(now)
    for permission in (Permission.POST_MOVEMENTS, Permission.REVERSE_MOVEMENTS):
        require(user=by, permission=permission, organisation=organisation, on=today)
    assert reason.strip(), "a correction has a reason"
    head = lock_head(organisation)
    rows = [row for row in _read(organisation, standing) if not hasattr(row, "reversal")]
    assert len(rows) == len(standing), "each is taken back once"
    days = [*(row.moved_on for row in rows), *(draft.moved_on for draft in instead)]
    if not days:
        return
    day = correcting.day_for(days, closed_through=head.closed_through, today=today)
    back = [drafted(row, on=day or row.moved_on) for row in rows]
    again = [draft._replace(moved_on=day or draft.moved_on) for draft in instead]
    codes = posting.codes_of([*back, *again])
    ground = queries.ground_of(
        organisation=organisation, drafts=[*back, *again], codes=codes, today=today,
        closed_through=head.closed_through,
    )  # fmt: skip
    _refuse(ground.book, back, again)
    made = [_reversal(row, draft, reason) for row, draft in zip(rows, back, strict=True)]
    made += entries(organisation, again, ground) if again else []
    made = _in_turn(made)
    note = audit_row(
        by=by, now=now, organisation=organisation, action="ledger.correct",
        object_ref=f"{head.seq + 1}-{head.seq + len(made)}",
        detail={"reason": reason, "reversed": [row.seq for row in rows]},
    )  # fmt: skip
    append(organisation, head, made, by, now, note)


def drafted(row: Movement, *, on: date, mass: Mass | None = None) -> Draft:
    """Return the movement as somebody would draft it, of another mass where one is given."""
    kind = Kind(row.kind)
    store, other = (row.target, row.source) if kind in INTO_STORE else (row.source, row.target)
    return Draft(
        kind=kind, moved_on=on, stream_code=row.stream.code, mass=mass or Mass(row.mass_g),
        store_code=store.code, lot_code=None if row.lot.is_bulk else row.lot.code, method=row.method,
        counterparty=row.counterparty, handler=row.handler, note=row.note,
        other_place=other.code if kind in INTERNAL else None,
    )  # fmt: skip


def _read(organisation: Organisation, standing: Sequence[Movement]) -> list[Movement]:
    keys = [row.pk for row in standing]
    return list(queries.movements(organisation=organisation).filter(pk__in=keys).order_by("seq"))


def _refuse(book: posting.Book, back: Sequence[Draft], again: Sequence[Draft]) -> None:
    absurd = [
        (at, (Refusal(Code.MASS_ABSURD, f"{draft.mass.tonnes} t"),))
        for at, draft in enumerate(again)
        if draft.mass.grams > ABSURD_MASS.grams
    ]
    if absurd:
        raise MovementsRefused(absurd)
    short = [
        (at, (Refusal(Code.SOURCE_OVERDRAWN, f"{each.lot}: {each.grams} g short on {each.on}"),))
        for at, each in enumerate(correcting.shortfalls(book, correcting.changes(back, again)))
    ]
    if short:
        raise MovementsRefused(short)


def _reversal(row: Movement, draft: Draft, reason: str) -> Entry:
    ends = (row.stream, row.lot, row.target, row.source)
    return Entry(draft, Route(row.kind, *(Named(end.pk, end.code) for end in ends)), row, reason)


def _in_turn(made: Sequence[Entry]) -> list[Entry]:
    """Put the entries in an order in which no balance dips."""
    keys = {end.pk for entry in made for end in (entry.route.source, entry.route.target)}
    kinds = {pk: PlaceKind(kind) for pk, kind in Place.objects.filter(pk__in=keys).values_list("pk", "kind")}

    def turn(entry: Entry) -> tuple[int, bool]:
        source, target = kinds[entry.route.source.pk], kinds[entry.route.target.pk]
        return correcting.turn(source, target, is_reversal=entry.reverses is not None)

    return sorted(made, key=turn)
