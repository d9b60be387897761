"""Consulted departments: asking them, their own list and reply, and putting silence on record."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from wufei.cases.models import Case
from wufei.cases.queries import label_of
from wufei.cases.refusals import sentence
from wufei.paper.attachments import EvidenceRefused
from wufei.policies import queries as policy_queries
from wufei.registry.views.listing import ROWS_PER_PAGE, filters, page_at
from wufei.registry.views.organisations import division_name
from wufei.reviews import claims
from wufei.reviews.forms.consultations import ConsultationFilter, ReplyForm
from wufei.reviews.models import Consultation
from wufei.reviews.queries import consultations as queries
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services import consultations as services
from wufei.reviews.views.rounds import attached
from wufei.reviews.views.rounds_desk import Desk, desk, one_application
from wufei.reviews.wording import words_of


@require_safe
def consultations(request: HttpRequest) -> HttpResponse:
    """List what is asked of the reader's departments, the most urgent first."""
    at = desk(request)
    said = request.GET.copy()
    said.setdefault("state", "open")
    form = ConsultationFilter(said)
    wanted = filters(form)
    rows = queries.narrowed(
        among=queries.own_consultations(user=at.user), text=wanted.get("q", ""), state=wanted.get("state", "")
    ).order_by("due_on", "pk")
    page = page_at(Paginator(rows, ROWS_PER_PAGE), request.GET.get("page"))
    shown = [(row, row.answered_at is None and row.due_on < at.today) for row in page]
    listing = {"is_filtered": bool(request.GET.get("q")) or "state" in request.GET}
    context = at.context(form=form, page=page, rows=shown, listing=listing, rule=queries.RULE)
    return render(request, "reviews/consultations_list.html", context)


@require_http_methods(["GET", "POST"])
def consultation(request: HttpRequest, key: int) -> HttpResponse:
    """Show what was claimed, and take the department's reply: its own, or on paper with the sealed scan."""
    at = desk(request)
    row, is_own = _one(at, key)
    if request.method == "GET":
        return _page(request, at, row, is_own, ReplyForm(needs_file=not is_own))
    form = ReplyForm(request.POST, request.FILES, needs_file=not is_own)
    if form.is_valid():
        said = form.cleaned_data
        document = (said["file"].name or "", said["file"].read()) if said["file"] else None
        try:
            services.reply(
                consultation=row, opinion=said["opinion"], words=said["words"], document=document, by=at.user,
                now=at.now,
            )  # fmt: skip
        except EvidenceRefused as refused_file:
            form.add_error("file", sentence(refused_file.code))
        except ReviewRefused as refused:
            form.add_error("words" if refused.code == "words_missing" else None, words_of(refused))
            return _page(request, at, row, is_own, form, 409 if refused.is_conflict else 422)
        else:
            messages.success(request, _("已登记%(name)s的意见。") % {"name": row.department})
            if is_own:
                return redirect("reviews:consultations")
            return redirect("reviews:application", row.application.code)
    return _page(request, at, row, is_own, form, 422)


def _one(at: Desk, key: int) -> tuple[Consultation, bool]:
    try:
        return queries.consultation_for(user=at.user, key=key, on=at.today)
    except Consultation.DoesNotExist as error:
        raise Http404 from error


def _page(
    request: HttpRequest, at: Desk, row: Consultation, is_own: bool, form: ReplyForm, status: int = 200
) -> HttpResponse:
    application = row.application
    content = application.submission.content
    edition = policy_queries.edition(application.round.edition)
    is_stage_over = application.stage != row.stage or bool(application.outcome)
    known = {field.name for field in Case._meta.get_fields()}
    context = at.context(
        row=row, application=application, round=application.round, edition=edition, form=form, is_own=is_own,
        is_open=queries.is_open(row), is_stage_over=is_stage_over, is_late=bool(queries.late_among([row])),
        is_overdue=at.today > row.due_on, rule=queries.RULE,
        district=division_name(application.district_code), claims=claims.claims(content, edition),
        texts=[(label_of(n) if n in known else n, text) for n, text in claims.texts(content)],
    )  # fmt: skip
    return render(request, "reviews/consultations_page.html", context, status=status)


@require_POST
def consult(request: HttpRequest, code: str) -> HttpResponse:
    """Ask the chosen departments."""
    at = desk(request)
    application = one_application(at, code)
    names = request.POST.getlist("departments")
    if not names:
        messages.error(request, _("请勾选要征求意见的部门。"))
        return redirect("reviews:application", code)

    def act() -> Any:
        made = services.consult(application=application, names=names, by=at.user, now=at.now)
        words = _("已向%(names)s征求意见。") % {"names": "、".join(row.department for row in made)}
        if application.due_on and any(row.due_on > application.due_on for row in made):
            words += _("答复期限晚于本环节的办理期限 %(due)s，请留意。") % {
                "due": application.due_on.isoformat()
            }
        return words

    return _done(request, code, act)


@require_POST
def close(request: HttpRequest, key: int) -> HttpResponse:
    """Put on record that a department did not reply."""
    at = desk(request)
    row, _is_own = _one(at, key)

    def act() -> Any:
        services.close_unanswered(consultation=row, by=at.user, now=at.now)
        return _("已登记%(name)s未答复，不视为同意。") % {"name": row.department}

    return _done(request, row.application.code, act)


def _done(request: HttpRequest, code: str, act: Any) -> HttpResponse:
    try:
        messages.success(request, act())
    except ReviewRefused as refused:
        messages.error(request, words_of(refused))
    return redirect("reviews:application", code)


@require_safe
def document(request: HttpRequest, key: int) -> HttpResponseBase:
    """Hand out a department's sealed reply."""
    at = desk(request)
    try:
        row = queries.document_for(user=at.user, key=key, on=at.today)
    except Consultation.DoesNotExist as error:
        raise Http404 from error
    return attached(row.stored, row.file_name)
