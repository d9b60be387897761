"""Evidence: upload, list, download, remove; each with type, size and content hash."""

from urllib.parse import quote

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from wufei.cases import amounts, queries, services
from wufei.cases.evidence import MAX_CASE_BYTES
from wufei.cases.forms import EvidenceForm
from wufei.cases.models import Evidence, EvidenceCategory
from wufei.cases.refusals import sentence
from wufei.cases.views.desks import CaseDesk, case_desk
from wufei.paper.attachments import EvidenceRefused, check_size
from wufei.registry.access import Permission


@require_http_methods(["GET", "POST"])
def evidence(request: HttpRequest, uscc: str, case_id: int) -> HttpResponse:
    """List what is handed in with the case, and take another file."""
    may = Permission.EDIT_CASE if request.method == "POST" else Permission.VIEW_CASE
    of = case_desk(request, uscc, case_id, may)
    form = EvidenceForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid() and _attached(request, of, form):
        return redirect("cases:evidence", uscc, case_id)
    rows = list(queries.evidence_of(case=of.case))
    total = sum(row.size for row in rows)
    context = of.context(
        form=form, tab="evidence", rows=[(row, amounts.file_size(row.size)) for row in rows],
        total=amounts.file_size(total), most=amounts.file_size(MAX_CASE_BYTES),
    )  # fmt: skip
    return render(request, "cases/evidence.html", context, status=422 if form.errors else 200)


def _attached(request: HttpRequest, of: CaseDesk, form: EvidenceForm) -> bool:
    file = form.cleaned_data["file"]
    try:
        check_size(file.size or 0)
        attached = services.attach_evidence(
            case=of.case, category=EvidenceCategory(form.cleaned_data["category"]), file_name=file.name or "",
            content=file.read(), by=of.at.user, now=of.at.now,
        )  # fmt: skip
    except EvidenceRefused as refused:
        form.add_error("file", sentence(refused.code))
        return False
    said = {"name": attached.evidence.file_name}
    if attached.is_duplicate:
        messages.info(request, _("内容相同的文件已在：“%(name)s”，没有再存一份。") % said)
    else:
        messages.success(request, _("已上传“%(name)s”。") % said)
    return True


def _one(of: CaseDesk, evidence_id: int) -> Evidence:
    row = (
        queries.evidence_of(case=of.case).select_related("case__organisation").filter(pk=evidence_id).first()
    )
    if row is None:
        raise Http404
    return row


@require_safe
def download(request: HttpRequest, uscc: str, case_id: int, evidence_id: int) -> HttpResponseBase:
    """Hand a file out as it came in, always as a download."""
    row = _one(case_desk(request, uscc, case_id), evidence_id)
    response = FileResponse(row.stored.open("rb"), content_type=row.media_type)
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(row.file_name)}"
    response["X-Content-Type-Options"] = "nosniff"
    return response


@require_POST
def remove(request: HttpRequest, uscc: str, case_id: int, evidence_id: int) -> HttpResponse:
    """Take a file off the case; its row and content are kept."""
    of = case_desk(request, uscc, case_id, Permission.EDIT_CASE)
    row = _one(of, evidence_id)
    try:
        services.remove_evidence(evidence=row, by=of.at.user, now=of.at.now)
    except EvidenceRefused as refused:
        messages.error(request, sentence(refused.code))
    else:
        messages.success(request, _("已移除“%(name)s”。") % {"name": row.file_name})
    return redirect("cases:evidence", uscc, case_id)
