"""
How does each stream stand with its hazard identification?

One query for an organisation, however many of its streams a page shows.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from wufei.ledger.identifying import (
    DUE_SOON_DAYS,
    IDENTIFIED_PREFIX,
    Basis,
    Finding,
    Identified,
    Result,
    Waste,
    identified,
)
from wufei.ledger.models import HazardIdentification, Stream, WasteClass
from wufei.registry.models import Organisation


def records_of(*, organisation: Organisation) -> QuerySet[HazardIdentification]:
    """Return all that was recorded, the latest first, those that were replaced too."""
    rows = HazardIdentification.objects.filter(organisation=organisation)
    return rows.select_related("stream", "recorded_by", "replaced_by").order_by("-judged_on", "-pk")


def records_that_hold(*, organisation: Organisation) -> dict[int, HazardIdentification]:
    """Return the record that holds for each stream that has one, by the stream's key."""
    rows = HazardIdentification.objects.filter(organisation=organisation, replaced_by=None)
    return {row.stream_id: row for row in rows.order_by("judged_on", "pk")}


def standing_of(stream: Stream, record: HazardIdentification | None, *, on: date) -> Identified:
    """Return how a stream stands by the record that holds for it."""
    waste = Waste(is_hazardous=stream.waste_class == WasteClass.HAZARDOUS.value, waste_code=stream.waste_code)
    finding = None if record is None else Finding(
        basis=Basis(record.basis), result=Result(record.result), judged_on=record.judged_on,
        valid_through=record.valid_through, waste_code=record.waste_code,
    )  # fmt: skip
    return identified(waste, finding, on)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamStanding:
    """A stream, the record that holds for it, and how it stands."""

    stream: Stream
    record: HazardIdentification | None
    identified: Identified


def standings(
    *, organisation: Organisation, on: date, streams: Iterable[Stream] | None = None
) -> list[StreamStanding]:
    """Return how each of the organisation's streams stands, or each of those given, in their order."""
    if streams is None:
        rows = Stream.objects.filter(organisation=organisation)
        streams = rows.select_related("process").order_by("code")
    held = records_that_hold(organisation=organisation)
    return [
        StreamStanding(
            stream=each, record=held.get(each.pk), identified=standing_of(each, held.get(each.pk), on=on)
        )
        for each in streams
    ]


def unidentified(*, organisation: Organisation, on: date) -> list[StreamStanding]:
    """Return the streams that warn: without a valid identification, or kept as what they are not."""
    return [each for each in standings(organisation=organisation, on=on) if each.identified.warns]


def ending_records(*, organisations: Collection[int], on: date) -> QuerySet[HazardIdentification]:
    """
    Return the records that hold and end soon, or have ended, of streams that the catalogue doesn't list.

    For the list of what is to be done, which counts them in one statement: it goes by what the records say.
    """
    later = HazardIdentification.objects.filter(
        Q(judged_on__gt=OuterRef("judged_on")) | Q(judged_on=OuterRef("judged_on"), pk__gt=OuterRef("pk")),
        stream=OuterRef("stream"), replaced_by=None,
    )  # fmt: skip
    unlisted = Q(stream__waste_class=WasteClass.GENERAL.value) | Q(
        stream__waste_code__startswith=IDENTIFIED_PREFIX
    )
    return HazardIdentification.objects.filter(
        ~Exists(later), unlisted, organisation__in=organisations, replaced_by=None,
        valid_through__lte=on + timedelta(days=DUE_SOON_DAYS),
    )  # fmt: skip
