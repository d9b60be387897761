"""The register for everybody: the list of any day, and a title's history."""

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from wufei.policies.queries import known_editions
from wufei.portal import queries
from wufei.portal.forms import RegisterFilter
from wufei.portal.views.visiting import today
from wufei.registry.views.listing import export, filters, listing, sorted_rows
from wufei.registry.views.organisations import division_name
from wufei.reviews.queries.register import STANDINGS

SORTS = {
    "number": ("number",), "holder": ("holder_name", "number"), "year": ("year", "number"),
    "granted_on": ("granted_on", "number"), "state": ("standing", "number"),
}  # fmt: skip


@login_not_required
@require_safe
def register(request: HttpRequest) -> HttpResponse:
    """List the titles as of a day; a day to come is today."""
    editions = sorted((e for e in known_editions().values() if e.title_given), key=lambda e: e.title)
    form = RegisterFilter(request.GET, editions=editions)
    asked = filters(form)
    day = min(asked.get("at") or today(), today())
    rows = queries.titles(
        at=day, edition=asked.get("edition", ""), level=asked.get("level", ""), state=asked.get("state", ""),
        text=asked.get("q", ""),
    )  # fmt: skip
    if request.GET.get("export") == "xlsx":
        ordered, _sort = sorted_rows(request=request, rows=rows, sorts=SORTS, default="number")
        title = _("名单（截至%(day)s）") % {"day": day.isoformat()}
        return export(title=title, columns=_columns(), rows=ordered.iterator(chunk_size=2000))
    shown = listing(
        request=request, rows=rows, sorts=SORTS, default_sort="number", form=form, keys_first=True
    )
    context = {
        "listing": shown, "day": day,
        "rows": [(row, STANDINGS[row.standing], division_name(row.holder_division)) for row in shown.page],
    }  # fmt: skip
    return render(request, "portal/register.html", context)


def _columns() -> list[tuple[str, Any]]:
    return [
        (_("编号"), lambda row: row.number),
        (_("称号"), lambda row: row.name),
        (_("级别"), lambda row: str(row.get_level_display())),
        (_("持有单位"), lambda row: row.holder_name),
        (_("认定时名称"), lambda row: row.name_given),
        (_("统一社会信用代码"), lambda row: row.holder_uscc),
        (_("所在地"), lambda row: division_name(row.holder_division)),
        (_("年度"), lambda row: row.year),
        (_("认定日期"), lambda row: row.granted_on),
        (_("有效期至"), lambda row: row.valid_to),
        (_("认定单位"), lambda row: row.authority.name),
        (_("文号"), lambda row: row.document),
        (_("状态"), lambda row: str(STANDINGS[row.standing])),
        (_("移出或撤销日期"), lambda row: row.ended_on),
    ]


@login_not_required
@require_safe
def title(request: HttpRequest, title_id: int) -> HttpResponse:
    """Show a title: who held it, under which names, and how it ended."""
    found = queries.titles(at=today()).filter(pk=title_id).first()
    if found is None:
        raise Http404
    context = {
        "title": found, "standing": STANDINGS[found.standing], "history": queries.history(found),
        "edition": known_editions().get(found.edition), "place": division_name(found.holder_division),
    }  # fmt: skip
    return render(request, "portal/title.html", context)


@login_not_required
@require_safe
def ended(request: HttpRequest) -> HttpResponse:
    """List the announced removals and revocations."""
    shown = listing(
        request=request, rows=queries.ended(on=today()), sorts={"on": ("-on",)}, default_sort="on"
    )
    return render(request, "portal/ended.html", {"listing": shown, "rows": shown.page})
