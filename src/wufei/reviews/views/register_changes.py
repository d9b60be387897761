"""Changes of a title's holder: what was reported, and what the district and the city do with it."""

from typing import Any
from urllib.parse import quote

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from wufei.ledger.views.desk import Desk
from wufei.registry.views.listing import filters, listing
from wufei.reviews.forms.register import ChangeFilter, HandleForm
from wufei.reviews.models import ChangeReport
from wufei.reviews.queries import register as queries
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services import register as services
from wufei.reviews.views.register import authority_desk, one_title
from wufei.reviews.wording import words_of

SORTS = {"reported": ("reported_at",), "due": ("due_on",), "number": ("title__number",)}


@require_safe
def changes(request: HttpRequest, uscc: str) -> HttpResponse:
    """List the reported changes that the authority works with."""
    at = authority_desk(request, uscc)
    form = ChangeFilter(request.GET)
    asked = filters(form)
    rows = queries.changes_seen_by(
        authority=at.organisation, state=asked.get("state", ""), text=asked.get("q", "")
    )
    shown = listing(request=request, rows=rows, sorts=SORTS, default_sort="-reported", form=form)
    context = at.context(listing=shown, rows=[(row, services.is_late(row)) for row in shown.page])
    return render(request, "reviews/register_changes.html", context)


def _one(at: Desk, change_id: int) -> ChangeReport:
    found = queries.changes_seen_by(authority=at.organisation).filter(pk=change_id).first()
    if found is None:
        raise Http404
    return found


@require_http_methods(["GET", "POST"])
def change(request: HttpRequest, uscc: str, change_id: int) -> HttpResponse:
    """Show a reported change, and take what the district or the city says to it."""
    at = authority_desk(request, uscc)
    report = _one(at, change_id)
    title = one_title(at, report.title_id)
    part = _part(at, report, title)
    causes = (
        queries.ending_causes(title=title)
        if report.kind == ChangeReport.Kind.CLOSURE and part == "city"
        else []
    )
    form = HandleForm(
        request.POST or None, causes=causes, records=part == "city", initial={"version": report.version}
    )
    status = 200
    if request.method == "POST":
        if not part:
            raise Http404
        status = 422
        if form.is_valid():
            try:
                _handle(part, report, form.cleaned_data, at)
            except ReviewRefused as refused:
                form.add_error(None, words_of(refused))
                status = 409 if refused.is_conflict else 422
            else:
                messages.success(request, _("已办理。"))
                return redirect("reviews:changes", uscc)
    context = at.context(
        report=report, title=title, form=form if part else None, part=part, is_late=services.is_late(report)
    )
    return render(request, "reviews/register_change.html", context, status=status)


def _part(at: Desk, report: ChangeReport, title: Any) -> str:
    """Return in which part the reader handles the report now: "district", "city", or in none."""
    if report.state == ChangeReport.State.REPORTED:
        acts_for = queries.reviews_changes(user=at.user, division_code=title.holder_division)
        return "district" if acts_for == at.organisation else ""
    is_ours = title.authority_id == at.organisation.pk
    return "city" if is_ours and report.state == ChangeReport.State.DISTRICT_AGREED else ""


def _handle(part: str, report: ChangeReport, said: dict[str, Any], at: Desk) -> None:
    agreed = said["answer"] == "YES"
    who = {"report": report, "version": said["version"], "words": said["words"], "by": at.user, "now": at.now}
    if part == "district":
        services.review_change(agree=agreed, **who)
    else:
        services.record_change(accept=agreed, document=said["document"], cause=said.get("cause", ""), **who)


@require_safe
def change_file(request: HttpRequest, uscc: str, change_id: int) -> HttpResponseBase:
    """Hand out what the holder put with its report, always as a download."""
    return as_download(_one(authority_desk(request, uscc), change_id))


def as_download(report: ChangeReport) -> FileResponse:
    """
    Return the report's file.

    :raises Http404: if there is none
    """
    if not report.stored:
        raise Http404
    response = FileResponse(report.stored.open("rb"), content_type="application/octet-stream")
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(report.file_name)}"
    response["X-Content-Type-Options"] = "nosniff"
    return response
