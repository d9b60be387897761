"""The pages of inspections: the list, one done in the store on a phone, its record, and what is put right."""

import io
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.db.models import F
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from wufei.ledger.queries import stores_of
from wufei.ledger.views.desk import Desk, desk
from wufei.registry.access import Permission
from wufei.registry.views.listing import export, filters, listing, sorted_rows
from wufei.storage import inspection_paper, photos, queries, services
from wufei.storage.checklists import Confidence, Facility, Interval, known_checklists
from wufei.storage.forms import (
    ActionFilter,
    CorrectionForm,
    InspectionChoice,
    InspectionFilter,
    InspectionForm,
)
from wufei.storage.models import CorrectiveAction, Inspection, InspectionPhoto
from wufei.storage.photos import MOST_PHOTOS, Photo
from wufei.storage.queries import LineFound, StoreDue
from wufei.storage.refusals import Code, StorageRefused
from wufei.storage.wording import CONFIDENCE_TEXT, FACILITY_TEXT, words

SORTS = {"number": ("number",), "at": ("inspected_at",), "store": ("store__code", "-number")}
ACTION_SORTS = {"number": ("number",), "due": ("due_on",)}
# Which field of a requirement each refusal is about.
FIELD_OF = {
    Code.WHAT_IS_WRONG_MISSING: "remark",
    Code.DUE_DAY_WRONG: "due",
}
OF_THE_MOMENT = (Code.INSPECTED_IN_FUTURE, Code.INSPECTED_LONG_AGO)


@require_safe
def inspections(request: HttpRequest, uscc: str) -> HttpResponse:
    """List the stores by when they are due, and the inspections."""
    at = desk(request, uscc)
    stores = queries.stores_due(organisation=at.organisation, today=at.today)
    form = InspectionFilter(request.GET, stores=[each.store for each in stores])
    said = filters(form)
    rows = queries.narrowed(
        queries.inspections(organisation=at.organisation), store=said.get("store", ""), state=said.get("state", ""),
        text=said.get("q", "").strip(),
    )  # fmt: skip
    if request.GET.get("export") == "xlsx":
        ordered, _sort = sorted_rows(request=request, rows=rows, sorts=SORTS, default="-at")
        return export(title=_("贮存设施检查"), columns=_columns(), rows=ordered)
    shown = listing(request=request, rows=rows, sorts=SORTS, default_sort="-at", form=form)
    open_ = queries.actions_narrowed(
        queries.corrective_actions(organisation=at.organisation), state="open", today=at.today
    )
    context = at.context(
        stores=stores, late=sum(each.is_overdue for each in stores), listing=shown,
        rows=[(row, FACILITY_TEXT[Facility(row.facility)]) for row in shown.page],
        intervals=_intervals(), open_actions=open_.count(), overdue=open_.filter(due_on__lt=at.today).count(),
    )  # fmt: skip
    return render(request, "storage/inspections.html", context)


def _intervals() -> list[tuple[Interval, str]]:
    found = dict.fromkeys(each.interval for each in known_checklists().values())
    return [(each, CONFIDENCE_TEXT[each.confidence]) for each in found]


def _columns() -> list[tuple[str, Any]]:
    return [
        (_("检查"), lambda row: row.name),
        (_("贮存设施"), lambda row: f"{row.store.code} {row.store.name}"),
        (_("设施类别"), lambda row: FACILITY_TEXT[Facility(row.facility)]),
        (_("检查时间"), lambda row: timezone.localtime(row.inspected_at)),
        (_("登记时间"), lambda row: timezone.localtime(row.recorded_at)),
        (_("检查人"), lambda row: str(row.inspected_by)),
        (_("不符合项"), lambda row: row.not_met),
        (_("未办结整改"), lambda row: row.to_correct),
        (_("备注"), lambda row: row.remark),
    ]


# --- inspecting


@require_http_methods(["GET", "POST"])
def inspect(request: HttpRequest, uscc: str) -> HttpResponse:
    """Do an inspection by the checklist, standing in the store."""
    at = desk(request, uscc, Permission.POST_MOVEMENTS)
    due = _chosen_store(request, at)
    if due is None:
        return render(request, "storage/inspect.html", at.context(due=None))
    facility = _chosen_facility(request, due)
    people = queries.who_can_correct(organisation=at.organisation)
    form = InspectionForm(
        request.POST if request.method == "POST" else None, checklist=known_checklists()[facility], people=people,
        by=at.user, now=at.now,
    )  # fmt: skip
    if request.method == "POST" and form.is_valid():
        made = _record(request, at, due, facility, form)
        if made is not None:
            messages.success(request, _("已保存%(name)s。") % {"name": made.name})
            return redirect("storage:inspection", uscc, made.number)
    stores = stores_of(organisation=at.organisation)
    chosen = {"store": due.store.code, "facility": facility.value}
    checklist = known_checklists()[facility]
    context = at.context(
        due=due, form=form, rows=_form_rows(form), choice=InspectionChoice(chosen, stores=stores), chosen=chosen,
        checklist=checklist, most_photos=MOST_PHOTOS, had_photos=bool(request.FILES),
        interval_doubt=CONFIDENCE_TEXT[checklist.interval.confidence],
    )  # fmt: skip
    return render(request, "storage/inspect.html", context, status=422 if form.errors else 200)


def _chosen_store(request: HttpRequest, at: Desk) -> StoreDue | None:
    """Return the store that the address names, else the one that is due first; None if there is none at all."""
    rows = queries.stores_due(organisation=at.organisation, today=at.today)
    code = request.GET.get("store", "")
    if not code:
        return rows[0] if rows else None
    for row in rows:
        if row.store.code == code:
            return row
    raise Http404


def _chosen_facility(request: HttpRequest, due: StoreDue) -> Facility:
    asked = request.GET.get("facility", "")
    return Facility(asked) if asked in frozenset(Facility) else due.facility


def _form_rows(form: InspectionForm) -> list[dict[str, Any]]:
    return [
        {
            "requirement": each, "source": queries.source_of(each.standard, each.clause),
            "doubt": CONFIDENCE_TEXT[each.confidence], "photos": f"photos-{each.id}",
            **{name: form[f"{name}-{each.id}"] for name in ("result", "remark", "due", "responsible")},
        }
        for each in form.checklist.requirements
    ]  # fmt: skip


def _record(
    request: HttpRequest, at: Desk, due: StoreDue, facility: Facility, form: InspectionForm
) -> Inspection | None:
    """Record what was found; None where it was refused, and the form says why."""
    try:
        pictures = {
            each.id: _examined(request.FILES.getlist(f"photos-{each.id}"))
            for each in form.checklist.requirements
        }
        return services.record_inspection(
            organisation=at.organisation, client_id=form.cleaned_data["client_id"], by=at.user, now=at.now,
            said=form.said(
                store_code=due.store.code, facility=facility, pictures=pictures,
                photos=_examined(request.FILES.getlist("photos")),
            ),
        )  # fmt: skip
    except StorageRefused as refused:
        name = f"{FIELD_OF.get(refused.code, '')}-{refused.detail}"
        name = "inspected_at" if refused.code in OF_THE_MOMENT else name
        form.add_error(name if name in form.fields else None, words(StorageRefused(refused.code)))
        return None


def _examined(files: Sequence[UploadedFile]) -> list[Photo]:
    """
    Return what is kept of the pictures.

    :raises StorageRefused: if one may not be kept
    """
    if len(files) > MOST_PHOTOS:
        raise StorageRefused(Code.TOO_MANY_PHOTOS)
    found = []
    for file in files:
        if (file.size or 0) > photos.LARGEST_BYTES:  # before it is read
            raise StorageRefused(Code.PHOTO_TOO_LARGE)
        found.append(photos.examined(file.read()))
    return found


# --- the record


@require_safe
def inspection(request: HttpRequest, uscc: str, number: int) -> HttpResponse:
    """Show what was found, and what became of it."""
    at = desk(request, uscc)
    row = _inspection(at, number)
    lines = queries.lines_of(inspection=row)
    context = at.context(
        inspection=row, facility=FACILITY_TEXT[Facility(row.facility)], photos=queries.photos_of_store(inspection=row),
        looked=[each for each in lines if each.line.result != "NOT_LOOKED_AT"],
        left_out=[each for each in lines if each.line.result == "NOT_LOOKED_AT"],
        is_late_entry=timezone.localtime(row.recorded_at).date() != row.inspected_on,
    )  # fmt: skip
    return render(request, "storage/inspection.html", context)


def _inspection(at: Desk, number: int) -> Inspection:
    return get_object_or_404(queries.inspections(organisation=at.organisation), number=number)


@require_safe
def record(request: HttpRequest, uscc: str, number: int) -> HttpResponse:
    """Hand out the record as PDF."""
    at = desk(request, uscc)
    row = _inspection(at, number)
    out = io.BytesIO()
    inspection_paper.write_record(out, _on_paper(at, row))
    response = HttpResponse(out.getvalue(), content_type="application/pdf")
    name = quote(f"{row.store.name}-{row.name}.pdf")
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{name}"
    return response


def _on_paper(at: Desk, row: Inspection) -> inspection_paper.Record:
    lines = [
        inspection_paper.Row(
            says=each.line.says, source=each.source, doubt=each.doubt, result=each.label, remark=each.line.remark,
            photos=[photo.sha256 for photo in each.photos], action=_action_words(each),
        )
        for each in queries.lines_of(inspection=row)
    ]  # fmt: skip
    local = timezone.localtime
    return inspection_paper.Record(
        name=row.name, remark=row.remark, rows=lines,
        photos=[photo.sha256 for photo in queries.photos_of_store(inspection=row)],
        facts=[
            ("单位名称", row.organisation.name), ("统一社会信用代码", row.organisation.uscc),
            ("贮存设施", f"{row.store.code} {row.store.name}"), ("设施类别", FACILITY_TEXT[Facility(row.facility)]),
            ("检查时间", f"{local(row.inspected_at):%Y-%m-%d %H:%M}"), ("检查人", str(row.inspected_by)),
            ("登记时间", f"{local(row.recorded_at):%Y-%m-%d %H:%M}"),
        ],
        pictures=_pictures(row),
        made=f"由{at.user}于 {local(at.now):%Y-%m-%d %H:%M} 从无废系统打印",
    )  # fmt: skip


def _pictures(row: Inspection) -> list[tuple[str, str, bytes]]:
    """Return every picture with what it is of, those of corrections too."""
    found = []
    for each in row.photos.select_related("line", "correction").order_by(
        F("line__position").asc(nulls_first=True), "pk"
    ):
        of = each.line.says if each.line else "全景"
        with each.stored.open("rb") as kept:
            found.append((f"{of}（整改后）" if each.correction else of, each.sha256, kept.read()))
    return found


def _action_words(found: LineFound) -> str:
    if found.action is None:
        return ""
    said = f"{found.action.name}：{found.action.due_on} 前，{found.action.responsible}"
    if not hasattr(found.action, "correction"):
        return f"{said}；未办结"
    correction = found.action.correction
    return f"{said}；{correction.corrected_on} 办结：{' '.join(correction.words.split())}"


@require_safe
def photo(request: HttpRequest, uscc: str, photo_id: int) -> HttpResponseBase:
    """Show a picture to who may read the organisation's ledger."""
    at = desk(request, uscc)
    own = InspectionPhoto.objects.filter(inspection__organisation=at.organisation)
    row = get_object_or_404(own, pk=photo_id)
    response = FileResponse(row.stored.open("rb"), content_type="image/jpeg")
    response["Content-Disposition"] = "inline"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, max-age=86400"
    return response


# --- putting right


@require_safe
def corrective_actions(request: HttpRequest, uscc: str) -> HttpResponse:
    """List what is to be put right, and what was."""
    at = desk(request, uscc)
    form = ActionFilter(request.GET)
    said = filters(form)
    rows = queries.actions_narrowed(
        queries.corrective_actions(organisation=at.organisation), state=said.get("state", ""),
        text=said.get("q", "").strip(), today=at.today,
    )  # fmt: skip
    if request.GET.get("export") == "xlsx":
        ordered, _sort = sorted_rows(request=request, rows=rows, sorts=ACTION_SORTS, default="due")
        return export(title=_("整改"), columns=_action_columns(), rows=ordered)
    context = at.context(
        listing=listing(request=request, rows=rows, sorts=ACTION_SORTS, default_sort="due", form=form)
    )
    return render(request, "storage/corrective_actions.html", context)


def _action_columns() -> list[tuple[str, Any]]:
    def done(row: CorrectiveAction, name: str) -> Any:
        found = getattr(row, "correction", None)
        return getattr(found, name) if found else None

    return [
        (_("整改"), lambda row: row.name),
        (_("检查"), lambda row: row.line.inspection.name),
        (_("贮存设施"), lambda row: f"{row.line.inspection.store.code} {row.line.inspection.store.name}"),
        (_("要求"), lambda row: row.line.says),
        (_("依据"), lambda row: queries.source_of(row.line.standard, row.line.clause)),
        (_("问题"), lambda row: row.line.remark),
        (_("责任人"), lambda row: str(row.responsible)),
        (_("期限"), lambda row: row.due_on),
        (_("整改日期"), lambda row: done(row, "corrected_on")),
        (_("整改情况"), lambda row: done(row, "words")),
        (_("办结人"), lambda row: str(done(row, "closed_by") or "")),
    ]


@require_http_methods(["GET", "POST"])
def corrective_action(request: HttpRequest, uscc: str, number: int) -> HttpResponse:
    """Show one, and close it."""
    is_post = request.method == "POST"
    at = desk(request, uscc, Permission.POST_MOVEMENTS if is_post else Permission.VIEW_LEDGER)
    row = get_object_or_404(queries.corrective_actions(organisation=at.organisation), number=number)
    form = CorrectionForm(request.POST if is_post else None, today=at.today)
    if is_post and form.is_valid() and _close(request, at, row, form):
        messages.success(request, _("%(name)s已办结。") % {"name": row.name})
        return redirect("storage:corrective-action", uscc, number)
    inspected = row.line.inspection
    pictures = list(InspectionPhoto.objects.filter(line=row.line_id).order_by("pk"))
    is_meant = row.responsible_id == at.user.pk or Permission.EDIT_ORGANISATION in at.held
    may_close = is_meant and Permission.POST_MOVEMENTS in at.held
    context = at.context(
        action=row, inspection=inspected, form=form, may_close=may_close and not hasattr(row, "correction"),
        before=[each for each in pictures if each.correction_id is None],
        after=[each for each in pictures if each.correction_id is not None],
        source=queries.source_of(row.line.standard, row.line.clause), had_photos=bool(request.FILES),
        doubt=CONFIDENCE_TEXT[Confidence(row.line.confidence)], is_overdue=not hasattr(row, "correction") and row.due_on < at.today,
    )  # fmt: skip
    return render(request, "storage/corrective_action.html", context, status=422 if form.errors else 200)


def _close(request: HttpRequest, at: Desk, row: CorrectiveAction, form: CorrectionForm) -> bool:
    said = form.cleaned_data
    try:
        services.close_corrective_action(
            action=row, words=said["words"], corrected_on=said["corrected_on"], client_id=said["client_id"],
            photos=_examined(request.FILES.getlist("photos")), by=at.user, now=at.now,
        )  # fmt: skip
    except StorageRefused as refused:
        form.add_error("corrected_on" if refused.code is Code.CORRECTED_ON_WRONG else None, words(refused))
        return False
    return True
