"""The import's pages: hand in, see what would post and what is wrong, confirm, watch, read the result."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import quote

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from wufei.capture import queries, services, tasks
from wufei.capture.faults import WorkbookRefused
from wufei.capture.forms import UploadForm
from wufei.capture.layout import LEDGER, SHEETS
from wufei.capture.models import Upload, UploadState
from wufei.capture.services import ImportResult
from wufei.capture.template import template
from wufei.ledger.kinds import LABELS
from wufei.registry import queries as registry_queries
from wufei.registry.access import Permission
from wufei.registry.models import Organisation, User
from wufei.registry.views.listing import page_at
from wufei.terms.day import local_day

PAGE_SIZE = 20
ROWS_SHOWN = 30
FAULTS_SHOWN = 200
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PHASES = {"reading": "读取工作簿", "checking": "检查台账", "posting": "记账"}


@dataclass(frozen=True, slots=True)
class Desk:
    """Who imports, for whom, when."""

    organisation: Organisation
    user: User
    now: datetime
    today: date


def _desk(request: HttpRequest, uscc: str) -> Desk:
    assert request.user.is_authenticated  # LoginRequiredMiddleware saw to it
    now = timezone.now()
    today = local_day(now)
    organisation = registry_queries.organisation_for(
        user=request.user, uscc=uscc, permission=Permission.IMPORT_WORKBOOK, on=today
    )
    return Desk(organisation, request.user, now, today)


def _upload(at: Desk, key: int) -> Upload:
    mine = queries.uploads(user=at.user, on=at.today).filter(organisation=at.organisation, pk=key)
    if (found := mine.first()) is None:
        raise Http404
    return found


@require_http_methods(["GET", "POST"])
def uploads(request: HttpRequest, uscc: str) -> HttpResponse:
    """Take a workbook, and list those that were handed in before."""
    at = _desk(request, uscc)
    form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            upload = services.stage_upload(
                organisation=at.organisation, file_name=file.name, content=file.read(), by=at.user, now=at.now
            )
        except WorkbookRefused as refused:
            form.add_error("file", refused.fault.message)
        else:
            return redirect("capture:upload", uscc, upload.pk)
    rows = queries.uploads(user=at.user, on=at.today).filter(organisation=at.organisation)
    page = page_at(Paginator(rows, PAGE_SIZE), request.GET.get("page"))
    context = {"organisation": at.organisation, "form": form, "page": page, "sheets": SHEETS}
    is_refused = request.method == "POST"
    return render(request, "capture/uploads.html", context, status=422 if is_refused else 200)


@require_safe
def empty_workbook(request: HttpRequest, uscc: str) -> HttpResponse:
    """Hand out the empty workbook."""
    _desk(request, uscc)
    return _attached(template(), _("无废数据工作簿") + ".xlsx")


def _attached(content: bytes, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
    return HttpResponse(content, content_type=XLSX, headers=headers)


@require_safe
def upload(request: HttpRequest, uscc: str, key: int) -> HttpResponse:
    """Show an upload as it stands: its preview, its progress, or its result."""
    at = _desk(request, uscc)
    found = _upload(at, key)
    context = {"organisation": at.organisation, "upload": found}
    if found.state == UploadState.STAGED:
        previewed = services.preview(upload=found, by=at.user, now=at.now)
        return render(request, "capture/preview.html", context | _previewed(previewed))
    if found.state in (UploadState.QUEUED, UploadState.RUNNING):
        return render(request, "capture/progress.html", context | _progress(found))
    result: dict[str, Any] = found.result or {}
    return render(
        request, "capture/result.html", context | {"result": result} | _faults(result.get("errors", []))
    )


def _previewed(result: ImportResult) -> dict[str, Any]:
    wrong = Counter(fault.sheet for fault in result.errors)
    wrong_rows = len({fault.row for fault in result.errors if fault.sheet == LEDGER.name})
    return {
        "result": result,
        "wrong_rows": wrong_rows,
        "sheets": [(sheet.name, wrong[sheet.name]) for sheet in SHEETS],
        "of_file": [fault for fault in result.errors if fault.sheet is None],
        "rows": [
            {"number": r.number, "day": r.moved_on, "kind": LABELS[r.kind], "stream": r.stream_code,
             "mass_g": r.mass.grams, "store": r.store_code, "lot": r.lot_code, "party": r.counterparty,
             "method": r.method}
            for r in result.rows[:ROWS_SHOWN]
        ],
        "rows_left": max(len(result.rows) - ROWS_SHOWN, 0),
        "other_notices": [n for n in result.notices if not n.startswith("试运行")],
    } | _faults([fault.as_dict() for fault in result.errors])  # fmt: skip


def _faults(errors: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "faults": errors[:FAULTS_SHOWN],
        "fault_count": len(errors),
        "faults_left": max(len(errors) - FAULTS_SHOWN, 0),
    }


def _progress(found: Upload) -> dict[str, Any]:
    step = services.progress_of(upload=found)
    if step is None:
        return {"phase": found.get_state_display(), "pct": None}
    pct = step.done * 100 // step.total if step.total else 0
    return {"phase": _(PHASES[step.phase]), "done": step.done, "total": step.total, "pct": pct}


@require_safe
def progress(request: HttpRequest, uscc: str, key: int) -> HttpResponse:
    """Say how far the import is; when it is over, have the page show the result."""
    at = _desk(request, uscc)
    found = _upload(at, key)
    context = {"organisation": at.organisation, "upload": found} | _progress(found)
    response = render(request, "capture/_progress.html", context)
    if found.state in (UploadState.DONE, UploadState.REFUSED):
        response["HX-Refresh"] = "true"
    return response


@require_POST
def confirm(request: HttpRequest, uscc: str, key: int) -> HttpResponse:
    """Have a staged workbook imported: all of it, or what is sound."""
    at = _desk(request, uscc)
    found = _upload(at, key)
    try:
        tasks.confirm_and_enqueue(
            upload=found, accept_valid=request.POST.get("accept") == "valid", by=at.user, now=at.now
        )
    except services.UploadRefused:
        messages.warning(request, _("这份工作簿已经确认过，没有再导入一次。"))
    return redirect("capture:upload", uscc, key)


@require_safe
def rejects(request: HttpRequest, uscc: str, key: int) -> HttpResponse:
    """Hand out the rows at fault, each with what is wrong, to be corrected and imported again."""
    at = _desk(request, uscc)
    found = _upload(at, key)
    if found.rejects:
        content = found.rejects.open("rb").read()
    elif found.state == UploadState.STAGED:
        content = services.preview(upload=found, by=at.user, now=at.now).rejects
    else:
        content = None
    if content is None:
        raise Http404
    stem = found.file_name.rsplit(".", 1)[0]
    return _attached(content, f"{stem}-{_('错误行')}.xlsx")
