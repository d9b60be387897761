"""The register: the list of any day, a title with its history, its giving and its end."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from wufei.ledger.views.desk import Desk, desk
from wufei.policies.edition import Edition
from wufei.policies.queries import known_editions
from wufei.registry.access import Permission
from wufei.registry.views.listing import export, filters, listing, sorted_rows
from wufei.reviews import announcing
from wufei.reviews.forms.register import EVENT_WORDS, EndForm, GrantForm, TitleFilter
from wufei.reviews.models import ChangeReport, Title, TitleEvent
from wufei.reviews.queries import register as queries
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services import register as services
from wufei.reviews.wording import words_of

SORTS = {
    "number": ("number",),
    "holder": ("holder_name", "number"),
    "year": ("year", "number"),
    "granted_on": ("granted_on", "number"),
    "state": ("standing", "number"),
}


def authority_desk(request: HttpRequest, uscc: str) -> Desk:
    """Return the desk of an authority that keeps the register."""
    return desk(request, uscc, Permission.RUN_ROUND)


def editions_with_titles() -> list[Edition]:
    """Return the editions that give a title, by name."""
    found = [each for each in known_editions().values() if each.title_given]
    return sorted(found, key=lambda each: each.title)


@require_safe
def register(request: HttpRequest, uscc: str) -> HttpResponse:
    """List the titles that the authority works with, as of a day."""
    at = authority_desk(request, uscc)
    form = TitleFilter(request.GET, editions=editions_with_titles())
    asked = filters(form)
    day = asked.get("at") or at.today
    rows = queries.titles_seen_by(
        authority=at.organisation, at=day, edition=asked.get("edition", ""), level=asked.get("level", ""),
        state=asked.get("state", ""), text=asked.get("q", ""),
    )  # fmt: skip
    if request.GET.get("export") == "xlsx":
        ordered, _sort = sorted_rows(request=request, rows=rows, sorts=SORTS, default="number")
        return export(title=_("名单"), columns=_columns(), rows=ordered.iterator(chunk_size=2000))
    shown = listing(
        request=request, rows=rows, sorts=SORTS, default_sort="number", form=form, keys_first=True
    )
    known = known_editions()
    context = at.context(
        listing=shown, day=day,
        rows=[(row, queries.STANDINGS[row.standing], known.get(row.edition)) for row in shown.page],
        to_enter=queries.recognised_without_title(authority=at.organisation)[:50],
        changes_open=queries.changes_seen_by(authority=at.organisation)
        .filter(state__in=(ChangeReport.State.REPORTED, ChangeReport.State.DISTRICT_AGREED))
        .count(),
    )  # fmt: skip
    return render(request, "reviews/register_list.html", context)


def _columns() -> list[tuple[str, Any]]:
    return [
        (_("编号"), lambda row: row.number),
        (_("称号"), lambda row: row.name),
        (_("级别"), lambda row: str(row.get_level_display())),
        (_("持有人"), lambda row: row.holder_name),
        (_("统一社会信用代码"), lambda row: row.holder_uscc),
        (_("认定时名称"), lambda row: row.name_given),
        (_("年度"), lambda row: row.year),
        (_("认定日期"), lambda row: row.granted_on),
        (_("有效期至"), lambda row: row.valid_to),
        (_("文号"), lambda row: row.document),
        (_("状态"), lambda row: str(queries.STANDINGS[row.standing])),
        (_("移出或撤销日期"), lambda row: row.ended_on),
        (_("认定单位"), lambda row: row.authority.name),
    ]


def one_title(at: Desk, title_id: int) -> Any:
    """
    Return the title as it stands today, with what `titles` knows of it.

    :raises Http404: if the authority has nothing to do with it
    """
    found = queries.titles_seen_by(authority=at.organisation, at=at.today).filter(pk=title_id).first()
    if found is None:
        raise Http404
    return found


@require_safe
def title(request: HttpRequest, uscc: str, title_id: int) -> HttpResponse:
    """Show a title with all that happened to it."""
    at = authority_desk(request, uscc)
    found = one_title(at, title_id)
    return render(request, "reviews/register_title.html", at.context(**title_context(found, at)))


def title_context(found: Any, at: Desk) -> dict[str, Any]:
    """Return what the page of a title shows, to an authority and to its holder alike."""
    past = queries.history(found)
    causes = {each.ref: each.says for each in queries.causes(title=found)}
    return {
        "title": found,
        "standing": queries.STANDINGS[found.standing],
        "is_standing": found.standing == queries.IN_FORCE,
        "edition": known_editions().get(found.edition),
        "events": [(each, EVENT_WORDS[each.kind], causes.get(each.cause.partition("#")[0], each.cause))
                   for each in past.events],
        "changes": [(each, services.is_late(each)) for each in past.changes],
        "reevaluations": [(each, each.evaluation.get("score_min"), each.evaluation.get("score_max"))
                          for each in past.reevaluations],
        "is_ours": found.authority_id == at.organisation.pk,
    }  # fmt: skip


@require_http_methods(["GET", "POST"])
def grant(request: HttpRequest, uscc: str, application_id: int) -> HttpResponse:
    """Enter the title of a recognised application."""
    at = authority_desk(request, uscc)
    rows = queries.recognised_without_title(authority=at.organisation)
    application = rows.filter(pk=application_id).first()
    if application is None:
        raise Http404
    form = GrantForm(request.POST or None, initial={"granted_on": at.today})
    if request.method == "POST" and form.is_valid():
        try:
            made = services.grant_title(application=application, by=at.user, now=at.now, **form.cleaned_data)
        except ReviewRefused as refused:
            fields = {
                "number_taken": "number", "granted_too_early": "granted_on", "granted_in_future": "granted_on",
            }  # fmt: skip
            form.add_error(fields.get(refused.code), words_of(refused))
        else:
            messages.success(request, _("已登记称号“%(number)s”。") % {"number": made.number})
            return redirect("reviews:title", uscc, made.pk)
    context = at.context(form=form, application=application, form_title=_("登记称号"))
    return render(request, "reviews/register_grant.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def end(request: HttpRequest, uscc: str, title_id: int) -> HttpResponse:
    """Remove or revoke a title: first the announcement is shown as it will stand, then it is made."""
    at = authority_desk(request, uscc)
    found = one_title(at, title_id)
    if found.authority_id != at.organisation.pk:
        raise Http404
    causes = queries.ending_causes(title=found)
    initial = {
        "seen": found.events.count(), "on": at.today, "kind": request.GET.get("kind", ""),
        "cause": request.GET.get("cause", ""),
    }  # fmt: skip
    form = EndForm(request.POST or None, causes=causes, initial=initial)
    preview, status = "", 200
    if request.method == "POST" and form.is_valid():
        try:
            proposed = _proposed(found, form.cleaned_data, causes)
            if "announce" in request.POST and form.cleaned_data["words"].strip():
                _end(found, form.cleaned_data, at)
                messages.success(request, _("已公告。"))
                return redirect("reviews:title", uscc, found.pk)
            preview = form.cleaned_data["words"].strip() or proposed
            shown = request.POST.copy()
            shown["words"] = preview
            form.data = shown
        except ReviewRefused as refused:
            form.add_error(None, words_of(refused))
            status = 409 if refused.is_conflict else 422
    elif request.method == "POST":
        status = 422
    heading = ""
    if preview:
        kind = form.cleaned_data["kind"]
        heading = announcing.heading(kind=kind, holder=found.holder_name, title=found.name)
    context = at.context(form=form, title=found, preview=preview, heading=heading)
    return render(request, "reviews/register_end.html", context, status=status)


def _proposed(found: Any, said: dict[str, Any], causes: list[queries.Cause]) -> str:
    cause = next(each for each in causes if each.ref == said["cause"])
    bars_until = services.bar_of(kind=said["kind"], cause=cause, on=said["on"])
    return announcing.announcement(
        kind=said["kind"], holder=found.holder_name, title=found.name, number=found.number,
        authority=found.authority.name, on=said["on"], cause=cause.says, bars_until=bars_until,
    )  # fmt: skip


def _end(found: Title, said: dict[str, Any], at: Desk) -> None:
    revokes = said["kind"] == TitleEvent.Kind.REVOKED
    call = services.revoke_title if revokes else services.remove_title
    call(
        title=found, cause=said["cause"], on=said["on"], words=said["words"], document=said["document"],
        events_seen=said["seen"], by=at.user, now=at.now,
    )  # fmt: skip
