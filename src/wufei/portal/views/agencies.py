"""Third-party agencies for everybody: who is recommended, and who may not evaluate any more."""

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from wufei.portal import queries
from wufei.portal.forms import AgencyFilter
from wufei.registry.views.listing import export, filters, listing, sorted_rows
from wufei.reviews.queries.agencies import mean_of

RECOMMENDED_SORTS = {
    "year": ("year", "sum"), "agency": ("agency__name", "-year"), "authority": ("authority__name", "-year", "-sum"),
    "mean": ("sum", "agency__name"),
}  # fmt: skip
EXCLUDED_SORTS = {
    "on": ("on",), "agency": ("agency__name", "-on"), "authority": ("authority__name", "-on"),
}  # fmt: skip


def _narrowed_by(form: AgencyFilter) -> dict[str, Any]:
    asked = filters(form)
    return {
        "text": asked.get("q", ""), "authority": asked.get("authority", ""), "year": asked.get("year"),
    }  # fmt: skip


@login_not_required
@require_safe
def recommended(request: HttpRequest) -> HttpResponse:
    """List the agencies that the authorities recommend, the newest year and the best first."""
    all_ = queries.recommended_agencies()
    years = all_.order_by("-year").values_list("year", flat=True).distinct()
    form = AgencyFilter(request.GET, authorities=queries.issuers(all_), years=years)
    rows = queries.recommended_agencies(**_narrowed_by(form))
    if request.GET.get("export") == "xlsx":
        ordered, _sort = sorted_rows(request=request, rows=rows, sorts=RECOMMENDED_SORTS, default="-year")
        return export(title=_("第三方机构推荐名单"), columns=_recommended_columns(), rows=ordered)
    shown = listing(request=request, rows=rows, sorts=RECOMMENDED_SORTS, default_sort="-year", form=form)
    context = {"listing": shown, "rows": shown.page, "lines": [(row, mean_of(row)) for row in shown.page]}
    return render(request, "portal/agencies.html", context)


def _recommended_columns() -> list[tuple[str, Any]]:
    return [
        (_("年度"), lambda row: row.year),
        (_("公布单位"), lambda row: row.authority.name),
        (_("机构名称"), lambda row: row.agency.name),
        (_("统一社会信用代码"), lambda row: row.agency.uscc),
        (_("评估得分"), mean_of),
    ]


@login_not_required
@require_safe
def excluded(request: HttpRequest) -> HttpResponse:
    """List the agencies whose leave to evaluate was taken, the latest first."""
    all_ = queries.excluded_agencies()
    years = [day.year for day in all_.dates("on", "year", order="DESC")]
    form = AgencyFilter(request.GET, authorities=queries.issuers(all_), years=years)
    rows = queries.excluded_agencies(**_narrowed_by(form))
    if request.GET.get("export") == "xlsx":
        ordered, _sort = sorted_rows(request=request, rows=rows, sorts=EXCLUDED_SORTS, default="-on")
        return export(title=_("第三方机构取消资格公告"), columns=_excluded_columns(), rows=ordered)
    shown = listing(request=request, rows=rows, sorts=EXCLUDED_SORTS, default_sort="-on", form=form)
    return render(request, "portal/agencies_excluded.html", {"listing": shown, "rows": shown.page})


def _excluded_columns() -> list[tuple[str, Any]]:
    return [
        (_("机构名称"), lambda row: row.agency.name),
        (_("统一社会信用代码"), lambda row: row.agency.uscc),
        (_("公布单位"), lambda row: row.authority.name),
        (_("日期"), lambda row: row.on),
        (_("事由"), lambda row: row.cause),
        (_("文号"), lambda row: row.document),
    ]
