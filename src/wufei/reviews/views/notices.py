"""Public notices as the officer works with them: put up, put off, objections decided, cleared."""

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from wufei.catalogue.working_days import YearNotLoaded
from wufei.policies.edition import Stage
from wufei.registry.access import Permission
from wufei.registry.queries import require
from wufei.registry.views.listing import page_at
from wufei.reviews.clock import end_of
from wufei.reviews.forms.notices import DecideForm, ExtendForm, NoticeForm, RemoveForm
from wufei.reviews.models import Application, Objection, PublicNotice
from wufei.reviews.queries import notices as queries
from wufei.reviews.queries.targets import programmes_with_targets
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services import notices as services
from wufei.reviews.views.rounds import attached
from wufei.reviews.views.rounds_desk import Desk, RoundDesk, desk, round_desk
from wufei.reviews.wording import words_of

ITEMS = 100
NAMED = 500  # by name in the preview


def run_by(request: HttpRequest, round_id: int) -> RoundDesk:
    """
    Return the round for who runs it.

    :raises Http404: for who doesn't see it
    :raises NotPermitted: for others who do
    """
    of = round_desk(request, round_id)
    require(user=of.at.user, permission=Permission.RUN_ROUND, organisation=of.round.authority, on=of.at.today)
    return of


@require_safe
def notices(request: HttpRequest, round_id: int) -> HttpResponse:
    """List the notices of a round."""
    of = run_by(request, round_id)
    stage = queries.notice_stage(of.edition)
    waiting = queries.to_be_listed(round_=of.round, stage=stage).count() if stage else 0
    context = of.context(rows=queries.notices_of(round_=of.round), stage=stage, waiting=waiting)
    return render(request, "reviews/notices_list.html", context)


# ---- put up ----------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
def put_up(request: HttpRequest, round_id: int) -> HttpResponse:
    """Choose what is listed, look at it, and put it up."""
    of = run_by(request, round_id)
    stage = queries.notice_stage(of.edition)
    if stage is None:
        raise Http404
    candidates = queries.to_be_listed(round_=of.round, stage=stage)
    first = {"title": _("关于%(round)s拟认定名单的公示") % {"round": of.round.title}}
    form = NoticeForm(request.POST or None, initial=first)
    if request.method == "POST" and form.is_valid():
        chosen = _chosen(request, candidates)
        if _sound(request, form, chosen):
            if request.POST.get("step") != "publish":
                return _preview(request, of, stage, form, chosen)
            if (notice := _published(of, form, chosen)) is not None:
                messages.success(request, _("已发布公示，至 %(day)s。") % {"day": notice.ends_on.isoformat()})
                return redirect("reviews:notice", notice.pk)
    return _form_page(request, of, stage, form, candidates)


def _form_page(
    request: HttpRequest, of: RoundDesk, stage: Stage, form: NoticeForm, candidates: QuerySet[Application]
) -> HttpResponse:
    """A page of what waits; before anything was said, all of it is ticked."""
    page = page_at(Paginator(candidates, ITEMS), request.GET.get("page"))
    left_out = set(request.POST.getlist("shown")) - set(request.POST.getlist("code"))
    context = of.context(
        form=form, rows=[(row, row.code not in left_out) for row in page], stage=stage, page=page,
        which=request.POST.get("which", "page"),
    )  # fmt: skip
    return render(request, "reviews/notices_form.html", context, status=422 if form.errors else 200)


def _chosen(request: HttpRequest, candidates: QuerySet[Application]) -> list[Application]:
    """Return what was ticked on the page; or all that waits, without what was shown and not ticked."""
    ticked = set(request.POST.getlist("code"))
    if request.POST.get("which") != "all":
        return list(candidates.filter(code__in=ticked))
    left_out = set(request.POST.getlist("shown")) - ticked
    return [row for row in candidates if row.code not in left_out]


def _fingerprint(chosen: Sequence[Application]) -> str:
    return sha256("\n".join(row.code for row in chosen).encode()).hexdigest()


def _sound(request: HttpRequest, form: NoticeForm, chosen: list[Application]) -> bool:
    """Return whether what was chosen is still there to be listed, and is what was looked at."""
    ticked, previewed = set(request.POST.getlist("code")), request.POST.get("chosen")
    if request.POST.get("which") == "all":
        is_publishing = request.POST.get("step") == "publish"
        has_changed = is_publishing and previewed != _fingerprint(chosen)
    else:
        has_changed = len(chosen) != len(ticked)
    if has_changed:
        form.add_error(None, _("有单位已不在公示环节，或有新的单位进入，请核对后重新选择。"))
    elif not chosen:
        form.add_error(None, words_of(ReviewRefused("notice_empty")))
    return not form.errors


def _preview(
    request: HttpRequest, of: RoundDesk, stage: Stage, form: NoticeForm, chosen: list[Application]
) -> HttpResponse:
    try:
        dates = queries.foreseen(stage=stage, on=of.at.today)
    except YearNotLoaded as missing:
        form.add_error(None, words_of(ReviewRefused("year_not_loaded", str(missing))))
        return _form_page(request, of, stage, form, queries.to_be_listed(round_=of.round, stage=stage))
    is_all = request.POST.get("which") == "all"
    ticked = request.POST.getlist("code")
    context = of.context(
        form=form, rows=chosen[:NAMED], more=max(0, len(chosen) - NAMED), total=len(chosen), said=form.cleaned_data,
        dates=dates, is_all=is_all, chosen=_fingerprint(chosen) if is_all else "", codes=ticked,
        shown=request.POST.getlist("shown") if is_all else [],
    )  # fmt: skip
    return render(request, "reviews/notices_preview.html", context)


def _published(of: RoundDesk, form: NoticeForm, chosen: list[Application]) -> PublicNotice | None:
    said = form.cleaned_data
    try:
        return services.publish_notice(
            round_=of.round, applications=chosen, title=said["title"], text=said["text"], contact=said["contact"],
            by=of.at.user, now=of.at.now,
        )  # fmt: skip
    except ReviewRefused as refused:
        form.add_error(None, words_of(refused))
    except YearNotLoaded as missing:
        form.add_error(None, words_of(ReviewRefused("year_not_loaded", str(missing))))
    return None


# ---- one notice ------------------------------------------------------------------------------


def _notice(request: HttpRequest, notice_id: int) -> tuple[Desk, PublicNotice]:
    at = desk(request)
    try:
        return at, queries.notice_for(user=at.user, pk=notice_id, on=at.today)
    except PublicNotice.DoesNotExist as error:
        raise Http404 from error


@require_safe
def notice(request: HttpRequest, notice_id: int) -> HttpResponse:
    """Show a notice with its list, its objections and what may be done now."""
    at, found = _notice(request, notice_id)
    page = page_at(Paginator(queries.items_of(notice=found), ITEMS), request.GET.get("page"))
    objections = list(queries.objections_to(notice=found))
    is_over = at.now >= end_of(found.ends_on)
    undecided = sum(not each.decision for each in objections)
    waiting = sum(
        row.removed_at is None and not row.application.outcome and row.application.stage == found.stage
        for row in page
    )
    context = at.context(
        notice=found, page=page, objections=objections, is_over=is_over, undecided=undecided, waiting=waiting,
        extend=ExtendForm(), working_days=queries.working_days_of(found), listing={"is_filtered": False},
    )  # fmt: skip
    return render(request, "reviews/notices_page.html", context)


def _done(request: HttpRequest, notice: PublicNotice, words: str, act: Callable[[], Any]) -> HttpResponse:
    try:
        act()
        messages.success(request, words)
    except ReviewRefused as refused:
        messages.error(request, words_of(refused))
    return redirect("reviews:notice", notice.pk)


@require_POST
def extend(request: HttpRequest, notice_id: int) -> HttpResponse:
    """Put the end of a notice off."""
    at, found = _notice(request, notice_id)
    form = ExtendForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("请填写延至的日期和理由。"))
        return redirect("reviews:notice", notice_id)
    said = form.cleaned_data
    return _done(request, found, _("已延期。"), lambda: services.extend_notice(
        notice=found, ends_on=said["ends_on"], reason=said["reason"], by=at.user, now=at.now,
    ))  # fmt: skip


@require_POST
def clear(request: HttpRequest, notice_id: int) -> HttpResponse:
    """After the end, let all go on against whom nothing is open."""
    at, found = _notice(request, notice_id)
    return _done(
        request,
        found,
        _("公示办结，名单进入下一环节。"),
        lambda: services.clear_notice(notice=found, by=at.user, now=at.now),
    )


@require_http_methods(["GET", "POST"])
def remove(request: HttpRequest, notice_id: int, position: int) -> HttpResponse:
    """Take an application off the list: what will happen is shown with the reason first, and done then."""
    at, found = _notice(request, notice_id)
    item = queries.items_of(notice=found).filter(position=position).first()
    if item is None:
        raise Http404
    form = RemoveForm(request.POST or None)
    preview = ""
    if request.method == "POST" and form.is_valid():
        words = form.cleaned_data["words"]
        try:
            services.check_reason(words)
        except ReviewRefused as refused:
            form.add_error("words", words_of(refused))
        else:
            if "confirm" in request.POST:
                return _done(request, found, _("已移出公示名单。"),
                             lambda: services.remove_item(item=item, words=words, by=at.user, now=at.now))  # fmt: skip
            preview = words.strip()
    undecided = item.objections.filter(decision="").order_by("pk")
    context = at.context(form=form, notice=found, item=item, preview=preview, undecided=undecided)
    return render(request, "reviews/notices_remove.html", context, status=422 if form.errors else 200)


# ---- objections ------------------------------------------------------------------------------


def _objection(request: HttpRequest, code: str) -> tuple[Desk, Objection]:
    at = desk(request)
    try:
        return at, queries.objection_for(user=at.user, code=code, on=at.today)
    except Objection.DoesNotExist as error:
        raise Http404 from error


@require_http_methods(["GET", "POST"])
def objection(request: HttpRequest, code: str) -> HttpResponse:
    """Show an objection with its files, and decide it."""
    at, found = _objection(request, code)
    form = DecideForm(request.POST or None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            said = form.cleaned_data
            try:
                services.decide_objection(
                    objection=found, is_upheld=said["decision"] != "DISMISSED", words=said["words"],
                    removes=said["decision"] == "REMOVE", by=at.user, now=at.now,
                )  # fmt: skip
                messages.success(request, _("已作出处理，异议人可凭受理编号查到。"))
                return redirect("reviews:notice", found.item.notice_id)
            except ReviewRefused as refused:
                form.add_error(None, words_of(refused))
                status = 409 if refused.is_conflict else 422
    context = at.context(form=form, objection=found, notice=found.item.notice)
    return render(request, "reviews/notices_objection.html", context, status=status)


@require_safe
def objection_file(request: HttpRequest, code: str, file_id: int) -> HttpResponseBase:
    """Hand out a file that came with an objection, always as a download."""
    _at, found = _objection(request, code)
    row = queries.evidence_of(objection=found, pk=file_id)
    if row is None:
        raise Http404
    return attached(row.stored, row.file_name)


# ---- progress --------------------------------------------------------------------------------


@require_safe
def targets(request: HttpRequest) -> HttpResponse:
    """Show how far the programmes are from their targets: what is public, for who works here."""
    at = desk(request)
    context = at.context(programmes=programmes_with_targets(on=at.today))
    return render(request, "reviews/notices_targets.html", context)
