"""A holder's own titles: what is due, its yearly answer, its report of a change."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from wufei.cases.refusals import sentence
from wufei.ledger.views.desk import Desk, desk
from wufei.paper.attachments import EvidenceRefused, check_size
from wufei.policies.edition import Edition
from wufei.policies.queries import known_editions
from wufei.registry.access import Permission
from wufei.reviews.forms.register import ChangeForm
from wufei.reviews.models import ChangeReport, Reevaluation
from wufei.reviews.queries import register as queries
from wufei.reviews.queries.reevaluations import deadline_of
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services import reevaluations
from wufei.reviews.services import register as services
from wufei.reviews.views.register import title_context
from wufei.reviews.views.register_changes import as_download
from wufei.reviews.wording import words_of


def _desk(request: HttpRequest, uscc: str) -> Desk:
    return desk(request, uscc, Permission.EDIT_CASE)


def _one(at: Desk, title_id: int) -> Any:
    found = queries.titles_held_by(organisation=at.organisation, at=at.today).filter(pk=title_id).first()
    if found is None:
        raise Http404
    return found


def _asks(title: Any) -> Edition | None:
    """Return the edition of the title's programme that asks for the yearly answer: the newest that does."""
    own = known_editions().get(title.edition)
    asking = (
        [each for each in queries.editions_of(own) if "bottom_share_pct" in each.parameters] if own else []
    )
    return max(asking, key=lambda each: each.in_force_from, default=None)


@require_safe
def titles(request: HttpRequest, uscc: str) -> HttpResponse:
    """List the titles that the organisation holds, each with what is due."""
    at = _desk(request, uscc)
    held = list(queries.titles_held_by(organisation=at.organisation, at=at.today).order_by("-year", "number"))
    answered = set(
        Reevaluation.objects.filter(title__in=[each.pk for each in held], year=at.today.year).values_list(
            "title_id", flat=True
        )
    )
    rows = [(each, queries.STANDINGS[each.standing], _due(each, at, answered)) for each in held]
    bars = _bars(at)
    return render(request, "reviews/titles_list.html", at.context(rows=rows, bars=bars))


def _due(title: Any, at: Desk, answered: set[int]) -> dict[str, Any] | None:
    """Return what the holder has to do with the title this year."""
    edition = _asks(title)
    if edition is None or title.standing != queries.IN_FORCE:
        return None
    deadline = deadline_of(edition, at.today.year)
    is_answered = title.pk in answered
    return {
        "edition": edition, "year": at.today.year, "deadline": deadline, "is_answered": is_answered,
        "is_late": not is_answered and deadline is not None and deadline < at.today,
    }  # fmt: skip


def _bars(at: Desk) -> list[queries.Bar]:
    found = {
        (bar.until, bar.title): bar
        for edition in known_editions().values()
        if edition.title_given
        for bar in queries.bars(organisation=at.organisation, edition=edition, on=at.today)
    }
    return sorted(found.values(), key=lambda bar: bar.until)


@require_safe
def own_title(request: HttpRequest, uscc: str, title_id: int) -> HttpResponse:
    """Show one of the organisation's titles with all that happened to it."""
    at = _desk(request, uscc)
    found = _one(at, title_id)
    answered = set(found.reevaluations.filter(year=at.today.year).values_list("title_id", flat=True))
    context = at.context(**title_context(found, at), due=_due(found, at, answered))
    return render(request, "reviews/titles_one.html", context)


@require_http_methods(["GET", "POST"])
def answer(request: HttpRequest, uscc: str, title_id: int) -> HttpResponse:
    """Show how the holder stands against the new requirements, and take that as the year's answer."""
    at = _desk(request, uscc)
    found = _one(at, title_id)
    edition, year, error = _asks(found), at.today.year, ""
    if edition is None:
        raise Http404
    status = 200
    if request.method == "POST":
        try:
            reevaluations.record_reevaluation(
                title=found, edition_id=edition.id, year=year, by=at.user, now=at.now
            )
        except ReviewRefused as refused:
            error, status = words_of(refused), 409 if refused.is_conflict else 422
        else:
            messages.success(request, _("已提交本年度自评价对标，评价结果已留存。"))
            return redirect("reviews:own-title", uscc, found.pk)
    evaluation = reevaluations.evaluated(
        title=found, holder=at.organisation, edition_id=edition.id, year=year, now=at.now
    )
    context = at.context(
        title=found, edition=edition, year=year, evaluation=evaluation, error=error,
        deadline=deadline_of(edition, year),
    )  # fmt: skip
    return render(request, "reviews/titles_answer.html", context, status=status)


@require_http_methods(["GET", "POST"])
def report(request: HttpRequest, uscc: str, title_id: int) -> HttpResponse:
    """Report a change of name, a reorganisation or a closure."""
    at = _desk(request, uscc)
    found = _one(at, title_id)
    form = ChangeForm(request.POST or None, request.FILES or None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid() and (made := _reported(form, found, at)) is not None:
            if services.is_late(made):
                messages.warning(request, _("已上报，但已超过上报期限，记录为逾期。"))
            else:
                messages.success(request, _("已上报，待区县审核。"))
            return redirect("reviews:own-title", uscc, found.pk)
    days, is_our_reading = queries.report_in_working_days(title=found, on=at.today)
    context = at.context(form=form, title=found, days=days, is_our_reading=is_our_reading)
    return render(request, "reviews/titles_change.html", context, status=status)


def _reported(form: ChangeForm, title: Any, at: Desk) -> ChangeReport | None:
    said = dict(form.cleaned_data)
    file = said.pop("file")
    try:
        if file:
            check_size(file.size or 0)
        return services.report_change(
            title=title, by=at.user, now=at.now, file_name=file.name if file else "",
            content=file.read() if file else b"", **said,
        )  # fmt: skip
    except EvidenceRefused as refused:
        form.add_error("file", sentence(refused.code))
    except ReviewRefused as refused:
        fields = {
            "new_name_missing": "new_name",
            "successor_missing": "successor",
            "day_ahead": "completed_on",
        }
        form.add_error(fields.get(refused.code), words_of(refused))
    return None


@require_safe
def own_change_file(request: HttpRequest, uscc: str, title_id: int, change_id: int) -> HttpResponseBase:
    """Hand out what the organisation put with its own report."""
    found = _one(_desk(request, uscc), title_id)
    row = found.change_reports.filter(pk=change_id).first()
    if row is None:
        raise Http404
    return as_download(row)
