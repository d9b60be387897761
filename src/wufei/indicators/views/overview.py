"""The years side by side, and the months of one year."""

from decimal import Decimal
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from wufei.indicators import queries
from wufei.indicators.forms import YearsFilter
from wufei.indicators.services import FIRST_YEAR
from wufei.indicators.views import tables
from wufei.ledger.models import Stream
from wufei.ledger.views.desk import Desk, desk
from wufei.registry.access import Permission
from wufei.registry.models import OrganisationKind
from wufei.registry.views.listing import export, filters
from wufei.terms.period import Period

WITHOUT_FIGURES = (OrganisationKind.AUTHORITY, OrganisationKind.AGENCY)
MOST_GAPS = 50  # of all figures of a table; each figure's own page names all of its


def _streams(at: Desk) -> list[tuple[str, str]]:
    if at.organisation.kind == OrganisationKind.PARK:
        return []
    rows = Stream.objects.filter(organisation=at.organisation).order_by("code")
    return [(code, f"{code} {name}") for code, name in rows.values_list("code", "name")]


@require_safe
def figures(request: HttpRequest, uscc: str) -> HttpResponse:
    """Show the figures of several years as a table and as trends."""
    at = desk(request, uscc, Permission.VIEW_FIGURES)
    if at.organisation.kind in WITHOUT_FIGURES:
        return render(request, "indicators/figures.html", at.context(has_none=True))
    streams = _streams(at)
    asked = filters(YearsFilter(request.GET, streams=streams))
    years = tables.years_shown(since=asked.get("since"), through=asked.get("through"), today=at.today)
    stream = asked.get("stream") or None
    said = {"since": years[0], "through": years[-1], "stream": stream or ""}
    form = YearsFilter(said, streams=streams)
    found = queries.figures(
        organisation=at.organisation,
        from_year=years[0],
        to_year=years[-1],
        streams=[stream] if stream else [],
    )
    columns = [tables.Column(_("%d 年") % year, Period.year(year)) for year in years]
    kind = at.organisation.kind
    shown = tables.sections(found, kind=kind, uscc=uscc, columns=columns, stream=stream)
    if request.GET.get("export") == "xlsx":
        return _exported(_("指标"), shown, columns)
    in_table = [cell.figure for part in shown for row in part.rows for cell in row.cells if cell.figure]
    trends = tables.charts(found, kind=kind, years=years, stream=stream)
    gaps = tables.gaps(in_table, uscc=uscc, held=at.held)
    context = at.context(
        form=form, years=years, columns=columns, sections=shown, charts=trends,
        gaps=gaps[:MOST_GAPS], gaps_left=max(0, len(gaps) - MOST_GAPS),
        stream_label=dict(streams).get(stream) if stream else "",
    )  # fmt: skip
    return render(request, "indicators/figures.html", context)


@require_safe
def months(request: HttpRequest, uscc: str, year: int) -> HttpResponse:
    """Show the months of a year; rates accumulate from January on."""
    at = desk(request, uscc, Permission.VIEW_FIGURES)
    if not FIRST_YEAR <= year <= at.today.year or at.organisation.kind in WITHOUT_FIGURES:
        raise Http404
    form = YearsFilter(request.GET, streams=_streams(at))
    del form.fields["since"], form.fields["through"]
    stream = filters(form).get("stream") or None
    last = at.today.month if year == at.today.year else 12
    columns = [
        tables.Column(_("%d 月") % month, Period.month(year, month), month) for month in range(1, last + 1)
    ]
    found = queries.figures(
        organisation=at.organisation,
        from_year=year,
        to_year=year,
        months=True,
        streams=[stream] if stream else [],
    )
    shown = tables.with_months(
        tables.sections(
            found, kind=at.organisation.kind, uscc=uscc, columns=[*columns, _whole(year)], stream=stream
        )
    )
    if request.GET.get("export") == "xlsx":
        return _exported(_("%d 年逐月指标") % year, shown, [*columns, _whole(year)])
    context = at.context(form=form, year=year, sections=shown, columns=[*columns, _whole(year)])
    return render(request, "indicators/months.html", context)


def _whole(year: int) -> tables.Column:
    return tables.Column(_("全年"), Period.year(year))


def _exported(title: str, sections: list[tables.Section], columns: list[tables.Column]) -> HttpResponse:
    """Return the table as a workbook: numbers as numbers, in full; what is not known in words."""
    rows = [(section, row) for section in sections for row in section.rows]
    head = [
        (_("类别"), lambda row: str(row[0].title)),
        (_("指标"), lambda row: row[1].name),
        (_("单位"), lambda row: row[1].unit),
    ]
    of_periods = [(column.heading, _cell(at)) for at, column in enumerate(columns)]
    return export(title=title, columns=[*head, *of_periods], rows=rows)


def _cell(at: int) -> Any:
    def written(row: tuple[tables.Section, tables.Row]) -> Decimal | str | None:
        figure = row[1].cells[at].figure
        if figure is None:
            return None
        return _("未知") if figure.value is None else figure.value

    return written
