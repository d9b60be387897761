"""Facts of credit and penalties: import, the list of an authority, and those of one organisation."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from wufei.ledger.views.desk import Desk, desk
from wufei.registry.access import Permission
from wufei.registry.views.listing import export, filters, listing, sorted_rows
from wufei.reviews.credit_files import MOST_BYTES, FileRefused
from wufei.reviews.forms.credit import CreditFileForm, CreditFilter
from wufei.reviews.queries import credit as queries
from wufei.reviews.services.credit import import_credit_facts
from wufei.reviews.views.register import authority_desk

SORTS = {"on": ("on",), "uscc": ("uscc", "-on"), "kind": ("kind", "-on"), "imported_at": ("imported_at",)}
MOST_FAULTS_SHOWN = 100


@require_http_methods(["GET", "POST"])
def facts(request: HttpRequest, uscc: str) -> HttpResponse:
    """List the facts of those whom the authority reviews, and take in a file."""
    at = authority_desk(request, uscc)
    upload = CreditFileForm(request.POST or None, request.FILES or None)
    faults: list[Any] = []
    if request.method == "POST" and upload.is_valid():
        try:
            _import(request, upload, at)
            return redirect("reviews:credit-facts", uscc)
        except FileRefused as refused:
            faults = list(refused.faults)
            upload.add_error("file", _("文件有错，一条也没有导入。请按下面的提示改正后重新上传。"))
    form = CreditFilter(request.GET, kinds=queries.kinds_seen_by(user=at.user, on=at.today))
    asked = filters(form)
    rows = queries.facts_seen_by(
        user=at.user,
        on=at.today,
        text=asked.get("q", ""),
        kind=asked.get("kind", ""),
        since=asked.get("since"),
    )
    if request.GET.get("export") == "xlsx":
        ordered, _sort = sorted_rows(request=request, rows=rows, sorts=SORTS, default="-on")
        return export(title=_("信用信息"), columns=_columns(), rows=ordered.iterator(chunk_size=2000))
    shown = listing(request=request, rows=rows, sorts=SORTS, default_sort="-on", form=form, keys_first=True)
    context = at.context(
        listing=shown, upload=upload, faults=faults[:MOST_FAULTS_SHOWN], fault_count=len(faults)
    )
    return render(request, "reviews/credit_list.html", context, status=422 if upload.errors else 200)


def _import(request: HttpRequest, upload: CreditFileForm, at: Desk) -> None:
    file = upload.cleaned_data["file"]
    content = file.read(MOST_BYTES + 1)
    made = import_credit_facts(
        authority=at.organisation, name=file.name or "", content=content, by=at.user, now=at.now
    )
    said = {"fresh": made.fresh, "known": made.known, "unregistered": made.unregistered}
    messages.success(
        request,
        _("已导入 %(fresh)d 条，%(known)d 条原已在库；新导入的有 %(unregistered)d 条所属单位尚未在平台登记。")
        % said,
    )


def _columns() -> list[tuple[str, Any]]:
    return [
        (_("统一社会信用代码"), lambda row: row.uscc),
        (_("单位名称"), lambda row: row.name or ""),
        (_("类别"), lambda row: row.kind),
        (_("来源"), lambda row: row.source),
        (_("文号"), lambda row: row.reference),
        (_("日期"), lambda row: row.on),
        (_("内容"), lambda row: row.words),
        (_("导入时间"), lambda row: row.imported_at),
    ]


@require_safe
def of_organisation(request: HttpRequest, uscc: str) -> HttpResponse:
    """Show a reviewer the facts of an organisation and of all that it came from."""
    at = desk(request, uscc, Permission.REVIEW_CASE)
    rows = queries.facts_of(organisation=at.organisation)
    return render(request, "reviews/credit_one.html", at.context(rows=rows))
