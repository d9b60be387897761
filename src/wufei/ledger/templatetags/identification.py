"""
Does a waste stand on the page whose hazard identification is missing or no longer holds? Then the page says so.

Whatever a page shows, and however many rows: one query for each organisation on it.
"""

from typing import Any

from django import template
from django.template.context import Context
from django.utils import timezone

from wufei.ledger.identifying import Identified
from wufei.ledger.models import HazardIdentification, Stream
from wufei.ledger.queries.identifying import StreamStanding, records_that_hold, standing_of, unidentified
from wufei.registry.models import Organisation
from wufei.terms.day import local_day

register = template.Library()
KEPT = "_identifications"
NAMED = 5


@register.inclusion_tag("ledger/_identification.html", takes_context=True)
def identification(context: Context, stream: Stream | None) -> dict[str, Any]:
    """Mark a stream that warns: {% identification row.stream %}. Nothing where nothing is wrong."""
    return {"identified": _identified(context, stream) if stream else None, "stream": stream}


@register.inclusion_tag("ledger/_unidentified.html", takes_context=True)
def unidentified_streams(context: Context, organisation: Organisation, short: bool = False) -> dict[str, Any]:
    """Name the organisation's streams that warn, above a form that lets one choose among them."""
    rows: list[StreamStanding] = unidentified(organisation=organisation, on=local_day(timezone.now()))
    return {
        "organisation": organisation, "rows": rows[:NAMED], "more": max(0, len(rows) - NAMED), "count": len(rows),
        "short": short,
    }  # fmt: skip


def _identified(context: Context, stream: Stream) -> Identified:
    record = _records(context, stream.organisation_id).get(stream.pk)
    return standing_of(stream, record, on=local_day(timezone.now()))


def _records(context: Context, organisation_id: int) -> dict[int, HazardIdentification]:
    """Return the organisation's records, asked for once in a request."""
    request = context.get("request")
    kept: dict[int, dict[int, HazardIdentification]] = getattr(request, KEPT, {})
    if organisation_id not in kept:
        kept[organisation_id] = records_that_hold(organisation=Organisation(pk=organisation_id))
        if request is not None:
            setattr(request, KEPT, kept)
    return kept[organisation_id]
