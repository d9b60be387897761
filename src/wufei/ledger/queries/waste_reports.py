"""What there is to report of an organisation's hazardous waste, and what was reported before."""

from datetime import date, timedelta
from typing import Any

from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import ExtractYear

from wufei.ledger.books.waste_reports import Classification, Flow, Waste, classify, content
from wufei.ledger.kinds import Kind, PlaceKind
from wufei.ledger.models import MonthlyFlow, Movement, Stream, WasteClass, WasteReport
from wufei.ledger.queries.books import TAKES_WASTE
from wufei.ledger.queries.inventory import held_by_stream
from wufei.ledger.queries.verifying import SIGNED_MASS
from wufei.registry.models import OperatingPermit, Organisation
from wufei.terms.period import Period

_HAZARDOUS = WasteClass.HAZARDOUS.value


def report_content(*, organisation: Organisation, period: Period) -> list[dict[str, Any]]:
    """Return what the ledger says now of the period's hazardous waste, stream by stream."""
    streams = Stream.objects.filter(organisation=organisation, waste_class=_HAZARDOUS).order_by("code")
    before, after = (
        held_by_stream(organisation=organisation, on=day, waste_class=_HAZARDOUS)
        for day in (period.first_day - timedelta(days=1), period.last_day)
    )
    wastes = [
        Waste(code, name, waste_code, category, before.get(code, 0), after.get(code, 0))
        for code, name, waste_code, category in streams.values_list(
            "code", "name", "waste_code", "waste_category"
        )
    ]
    moved = (
        Movement.objects.within(period.first_day, period.last_day)
        .filter(organisation=organisation, stream__waste_class=_HAZARDOUS)
        .values_list("stream__code", "kind", "method", "counterparty")
        .annotate(grams=Sum(SIGNED_MASS))
        .order_by()
    )
    return content(wastes, (Flow(*row) for row in moved))


def control_class(*, organisation: Organisation, year: int, on: date) -> Classification:
    """Return of which class the organisation is in the year, by its ledger and its permits."""
    flows = MonthlyFlow.objects.filter(
        organisation=organisation, stream__waste_class=_HAZARDOUS, month__lt=date(year, 1, 1)
    )
    generated = (
        flows.annotate(year=ExtractYear("month"))
        .values_list("year")
        .annotate(grams=Sum("mass_g", filter=Q(kind=Kind.GENERATION.value), default=0))
        .order_by()
    )
    own = Movement.objects.filter(
        organisation=organisation, stream__waste_class=_HAZARDOUS, moved_on__gte=date(year - 3, 1, 1),
        target__kind__in=[PlaceKind.OWN_UTILISATION.value, PlaceKind.OWN_DISPOSAL.value],
    ).effective()  # fmt: skip
    permits = OperatingPermit.objects.filter(
        Q(revoked_on=None) | Q(revoked_on__gt=on), organisation=organisation, kind__in=TAKES_WASTE,
        valid_from__lte=on, valid_through__gte=on,
    )  # fmt: skip
    return classify(
        generated={int(each): int(grams) for each, grams in generated}, year=year,
        has_own_facility=own.exists(), holds_permit=permits.exists(),
    )  # fmt: skip


def waste_reports(*, organisation: Organisation, period: Period) -> QuerySet[WasteReport]:
    """Return what was reported of the period, the latest first."""
    found = WasteReport.objects.filter(
        organisation=organisation, first_day=period.first_day, last_day=period.last_day
    )
    return found.order_by("-number")
