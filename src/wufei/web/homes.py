"""The home pages of enterprise, park and authority, and the diagram of flows."""

from dataclasses import replace
from datetime import date
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from wufei.cases.models import Case
from wufei.indicators import queries as indicator_queries
from wufei.ledger import queries as ledger_queries
from wufei.ledger.kinds import LABELS
from wufei.ledger.models import MonthlyFlow
from wufei.ledger.views.standing import by_store
from wufei.registry import queries
from wufei.registry.access import Permission
from wufei.registry.models import Organisation, OrganisationKind, User
from wufei.registry.views.listing import page_at
from wufei.terms.day import local_day
from wufei.web import flows as flow_diagram
from wufei.web import overview

LEDGER_KINDS = frozenset(
    {OrganisationKind.ENTERPRISE.value, OrganisationKind.UTILISER.value, OrganisationKind.CARRIER.value}
)
GAPS_SHOWN = 8
ROWS_PER_PAGE = 50
PARK_FIGURES = (
    "park_generation_t", "park_utilisation_t", "park_disposal_t", "park_stock_t", "park_utilisation_rate_pct",
    "park_disposal_rate_pct", "park_value_added_10k_yuan", "park_generation_intensity_t_per_10k_yuan",
)  # fmt: skip


@require_safe
def organisation_home(request: HttpRequest, uscc: str) -> HttpResponse:
    """Show the home of an organisation: what its kind of work needs to see first."""
    user, today = _reader(request)
    organisation = queries.organisation_for(
        user=user, uscc=uscc, permission=Permission.VIEW_ORGANISATION, on=today
    )
    held = queries.permissions_for(user=user, organisation=organisation, on=today)
    context = {
        "organisation": organisation, "today": today, "may": {each.name: True for each in held},
    }  # fmt: skip
    if organisation.kind == OrganisationKind.PARK and Permission.VIEW_FIGURES in held:
        return render(request, "web/home_park.html", context | _park(request, organisation, held, today))
    if organisation.kind == OrganisationKind.AUTHORITY:
        return render(request, "web/home_authority.html", context | _authority(request, user, today))
    if organisation.kind in LEDGER_KINDS and Permission.VIEW_LEDGER in held:
        return render(request, "web/home_enterprise.html", context | _enterprise(organisation, held, today))
    return redirect("registry:organisation", organisation.uscc)


def _reader(request: HttpRequest) -> tuple[User, date]:
    assert isinstance(request.user, User), "LoginRequiredMiddleware saw to it"
    return request.user, local_day(timezone.now())


def _enterprise(organisation: Organisation, held: frozenset[Permission], today: date) -> dict[str, Any]:
    stores = by_store(
        ledger_queries.stores_of(organisation=organisation), ledger_queries.stock(organisation=organisation)
    )
    context: dict[str, Any] = {"stores": stores, **_due(organisation, today)}
    if Permission.VIEW_FIGURES in held:
        programme = _programme(organisation, held)
        found = overview.gaps(organisation=organisation, today=today, programme=programme)
        gaps = _offered(found, held)
        context |= {
            "so_far": overview.year_so_far(organisation=organisation, today=today),
            "gaps": gaps[:GAPS_SHOWN], "more_gaps": gaps[GAPS_SHOWN:],
        }  # fmt: skip
    return context


def _programme(organisation: Organisation, held: frozenset[Permission]) -> str:
    """Return the edition of the case that is being written; nothing of it for who may not see cases."""
    if Permission.VIEW_CASE not in held:
        return ""
    cases = Case.objects.filter(organisation=organisation).order_by("-year", "-updated_at", "-pk")
    return cases.values_list("edition", flat=True).first() or ""


def _offered(gaps: list[overview.Gap], held: frozenset[Permission]) -> list[overview.Gap]:
    """Return the gaps, with an address only where the reader may go there."""
    return [gap if gap.needs in held else replace(gap, address="") for gap in gaps]


def _due(organisation: Organisation, today: date) -> dict[str, Any]:
    coming, last = overview.deadlines(organisation=organisation, today=today)
    return {"coming": coming, "last_due": last}


def _park(
    request: HttpRequest, park: Organisation, held: frozenset[Permission], today: date
) -> dict[str, Any]:
    years = range(today.year, today.year - 6, -1)
    year = _chosen_year(request, years, today.year - 1)
    figures = {
        figure.indicator: figure
        for figure in indicator_queries.park_figures(park=park, from_year=year, to_year=year)
        if figure.dimension is None
    }
    everybody = indicator_queries.top_generators(park=park, year=year, limit=10_000)
    by_code = {row.uscc: row for row in everybody.rows}
    members = queries.memberships(park=park, on=today).order_by("member__name")
    page = page_at(Paginator(members, ROWS_PER_PAGE), request.GET.get("page"))
    gaps = _offered(
        [
            *(overview.Gap(says=f"缺 {each.label}。", where=each.where) for each in everybody.missing),
            *overview.stated_gaps(figures.values(), park),
            *overview.declaration_gaps(organisation=park, today=today, programme=_programme(park, held)),
        ],
        held,
    )
    return {
        "years": years, "year": year, "top": everybody.rows[:10],
        "figures": [figures[each] for each in PARK_FIGURES if each in figures],
        "page": page, "members": [(row, by_code.get(row.member.uscc)) for row in page],
        "gaps": gaps[:GAPS_SHOWN], "more_gaps": gaps[GAPS_SHOWN:], **_due(park, today),
    }  # fmt: skip


def _authority(request: HttpRequest, user: User, today: date) -> dict[str, Any]:
    years = range(today.year, today.year - 6, -1)
    year = _chosen_year(request, years, today.year - 1)
    visible = queries.visible_organisations(user=user, permission=Permission.VIEW_LEDGER, on=today)
    within = visible.filter(kind__in=sorted(LEDGER_KINDS | {OrganisationKind.PARK.value}))
    text = request.GET.get("text", "").strip()[:80]
    found = queries.found_organisations(among=within, text=text).order_by("-kind", "name", "pk")
    page = page_at(Paginator(found, ROWS_PER_PAGE), request.GET.get("page"))
    return {
        "years": years, "year": year, "text": text, "page": page,
        "rows": overview.overseen(organisations=page.object_list, year=year),
        "generated_g": overview.generated_by(organisations=within, year=year),
        "enterprise_count": within.filter(kind__in=sorted(LEDGER_KINDS)).count(),
        "park_count": within.filter(kind=OrganisationKind.PARK).count(),
    }  # fmt: skip


def _chosen_year(request: HttpRequest, years: range, default: int) -> int:
    asked = request.GET.get("year", "")
    return int(asked) if asked in {str(year) for year in years} else default


@require_safe
def flows(request: HttpRequest, uscc: str) -> HttpResponse:
    """Show where waste came from and went in a year, a quarter or a month."""
    user, today = _reader(request)
    organisation = queries.organisation_for(user=user, uscc=uscc, permission=Permission.VIEW_LEDGER, on=today)
    recorded = MonthlyFlow.objects.filter(organisation=organisation).dates("month", "year", order="DESC")
    years = [day.year for day in recorded] or [today.year]
    complete = next((year for year in years if year < today.year), years[0])
    asked = request.GET.get("year", "")
    year = int(asked) if asked in {str(each) for each in years} else complete
    asked_part = request.GET.get("part", "")
    part = asked_part if asked_part in dict(flow_diagram.PARTS) else ""
    period = flow_diagram.period_of(year=year, part=part)
    moved = indicator_queries.flows(organisation=organisation, period=period)
    came, went = flow_diagram.table(moved)
    context = {
        "organisation": organisation, "years": years, "year": year, "parts": flow_diagram.PARTS, "part": part,
        "period": period, "option": flow_diagram.option(moved), "labels": LABELS,
        "came": [(LABELS[flow.kind], flow) for flow in came], "went": [(LABELS[flow.kind], flow) for flow in went],
        "came_g": sum(flow.mass_g for flow in came), "went_g": sum(flow.mass_g for flow in went),
    }  # fmt: skip
    return render(request, "web/flows.html", context)
