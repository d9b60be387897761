"""What reads scales and their readings; each question is narrowed to one organisation, or to the scale that asks."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery

from wufei.ledger.kinds import PlaceKind
from wufei.ledger.models import Balance, Lot, Place, Stream
from wufei.registry.models import Organisation
from wufei.shopfloor.models import AbandonedEntry, Reading, ReadingUse, Scale
from wufei.shopfloor.reading import Known

# How long a reading is offered to a worker: what stands on the scale now, not what stood there yesterday.
OFFERED_FOR = timedelta(minutes=15)
SOON = timedelta(days=30)


def scales(*, organisation: Organisation) -> QuerySet[Scale]:
    """Return the organisation's scales with their last reading and how many wait, in one query."""
    used = ReadingUse.objects.filter(reading=OuterRef("pk"))
    mine = Reading.objects.filter(scale=OuterRef("pk"))
    waiting = mine.filter(refusal="").exclude(Exists(used)).order_by().values("scale")
    return (
        Scale.objects.filter(organisation=organisation)
        .select_related("store", "stream", "ruled_by")
        .annotate(
            last_received_at=Subquery(mine.order_by("-received_at", "-pk").values("received_at")[:1]),
            waiting=Subquery(waiting.annotate(n=Count("pk")).values("n")),
        )
    )


def scale_of(*, organisation: Organisation, code: str) -> Scale | None:
    return (
        Scale.objects.filter(organisation=organisation, code=code).select_related("store", "stream").first()
    )


def readings(*, scale: Scale) -> QuerySet[Reading]:
    """Return all that the scale said, with what became of it, in one query; order is the caller's."""
    return Reading.objects.filter(scale=scale).select_related("use", "use__movement", "use__by")


def waiting(*, organisation: Organisation) -> QuerySet[Reading]:
    """Return the accepted readings that nobody took yet."""
    return Reading.objects.filter(scale__organisation=organisation, refusal="", use=None)


def offered(*, scale: Scale, now: datetime) -> Reading | None:
    """Return the reading that a worker at the scale would take: the last one that waits, if it is of now."""
    mine = Reading.objects.filter(scale=scale, refusal="", use=None, taken_at__gte=now - OFFERED_FOR)
    return mine.order_by("-sequence").first()


def last_said(*, scale: Scale, now: datetime) -> Reading | None:
    """Return the last reading of now, whatever became of it: why a scale that was pressed shows nothing."""
    mine = Reading.objects.filter(scale=scale, received_at__gte=now - OFFERED_FOR)
    return mine.order_by("-received_at", "-pk").first()


def known_of(*, scale: Scale, sequence: int) -> Known:
    """Return what the reading with this number is to be held against; the caller has the scale locked."""
    mine = Reading.objects.filter(scale=scale)
    accepted = mine.filter(refusal="").values_list("taken_at", flat=True)
    return Known(
        capacity_g=scale.capacity_g,
        calibrated_until=scale.calibrated_until,
        is_retired=scale.retired_at is not None,
        is_reused=mine.filter(sequence=sequence).exists(),
        before=accepted.filter(sequence__lt=sequence).order_by("-sequence").first(),
        after=accepted.filter(sequence__gt=sequence).order_by("sequence").first(),
    )


def next_sequence(*, scale: Scale) -> int:
    last = (
        Reading.objects.filter(scale=scale).order_by("-sequence").values_list("sequence", flat=True).first()
    )
    return (last or 0) + 1


def calibration(*, scale: Scale, on: date) -> str:
    """Return the state of the calibration on the day: "valid", "soon" to end, or "over"."""
    if scale.calibrated_until < on:
        return "over"
    return "soon" if scale.calibrated_until - on <= SOON else "valid"


# --- the worker's page


def streams_of(*, organisation: Organisation) -> list[Stream]:
    """Return the streams by process, as a worker looks for them."""
    mine = Stream.objects.filter(organisation=organisation).select_related("process")
    return list(mine.order_by("process__name", "code"))


def scales_in_use(*, organisation: Organisation) -> list[Scale]:
    mine = Scale.objects.filter(organisation=organisation, retired_at=None).select_related("store")
    return list(mine.order_by("name", "pk"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a labelled lot stands now."""

    lot: Lot
    store: Place | None  # None: it stands in no store of ours
    mass_g: int


def standing_of(*, organisation: Organisation, lot_code: str) -> Standing | None:
    """Return where the lot stands; None where there is no such lot. In several stores: where most of it is."""
    lot = (
        Lot.objects.filter(organisation=organisation, code=lot_code, is_bulk=False)
        .select_related("stream")
        .first()
    )
    if lot is None:
        return None
    held = (
        Balance.objects.filter(lot=lot, place__kind=PlaceKind.STORE, mass_g__gt=0)
        .select_related("place")
        .order_by("-mass_g", "pk")
        .first()
    )
    return Standing(lot=lot, store=held.place if held else None, mass_g=held.mass_g if held else 0)


def abandoned(*, organisation: Organisation) -> QuerySet[AbandonedEntry]:
    return AbandonedEntry.objects.filter(organisation=organisation).select_related("abandoned_by")


STATES: dict[str, Q] = {
    "waiting": Q(refusal="", use=None),
    "taken": Q(use__movement__isnull=False),
    "set_aside": Q(use__isnull=False, use__movement=None),
    "refused": ~Q(refusal=""),
    "not_posted": ~Q(waits_because="") & Q(use=None),
}


def in_state(rows: QuerySet[Reading], state: str) -> QuerySet[Reading]:
    return rows.filter(STATES[state]) if state in STATES else rows
