"""The register 名单: titles are given, change hands or names, and end. Each of it is an event that stays."""

from datetime import date, datetime, timedelta
from typing import Any

from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction

from wufei.catalogue.working_days import YearNotLoaded, nth_working_day
from wufei.paper.attachments import examine
from wufei.policies import queries as policy_queries
from wufei.registry.access import Permission
from wufei.registry.models import Organisation, User
from wufei.registry.queries import name_on, require
from wufei.registry.services import audit
from wufei.reviews.models import Application, ChangeReport, PublicNotice, Title, TitleEvent
from wufei.reviews.queries import register
from wufei.reviews.queries.register import Cause
from wufei.reviews.reevaluation import whole_years_after
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.stages import Action, Outcome
from wufei.terms.day import local_day

ENDS = {"revokes": TitleEvent.Kind.REVOKED, "removes": TitleEvent.Kind.REMOVED}
BAR_PARAMETERS = {TitleEvent.Kind.REVOKED: "bar_years", TitleEvent.Kind.REMOVED: "removed_bar_years"}


@transaction.atomic
def grant_title(
    *, application: Application, number: str, granted_on: date, document: str, by: User, now: datetime
) -> Title:
    """
    Enter the title of a recognised application; its number is given once.

    :raises NotPermitted, ReviewRefused:
    """
    rows = Application.objects.select_for_update(of=("self",)).select_related(
        "round__authority", "organisation"
    )
    locked = rows.get(pk=application.pk)
    round_ = locked.round
    require(user=by, permission=Permission.RUN_ROUND, organisation=round_.authority, on=local_day(now))
    edition = policy_queries.edition(round_.edition)
    if locked.outcome != Outcome.RECOGNISED:
        raise ReviewRefused("not_recognised", locked.code)
    if edition.title_given is None:
        raise ReviewRefused("edition_gives_no_title", edition.id)
    if Title.objects.filter(application=locked).exists():
        raise ReviewRefused("already_decided", locked.code)
    number = number.strip()
    if not number:
        raise ReviewRefused("number_missing")
    _refuse_early(locked, granted_on, now)
    given, years = edition.title_given, edition.title_given.validity_years
    name = name_on(organisation=locked.organisation, day=granted_on)
    try:
        with transaction.atomic():
            title = Title.objects.create(
                edition=edition.id, name=given.name, level=given.level, year=round_.year, number=number[:60],
                organisation=locked.organisation, name_given=name, authority=round_.authority,
                application=locked, granted_on=granted_on, document=document.strip()[:60],
                valid_to=whole_years_after(granted_on, years) if years else None,
            )  # fmt: skip
    except IntegrityError as taken:
        raise ReviewRefused("number_taken", number) from taken
    _happened(
        title, TitleEvent.Kind.GRANTED, granted_on, locked.organisation, name, by, now, document=document
    )
    return title


def _refuse_early(application: Application, granted_on: date, now: datetime) -> None:
    """A title is given when it was decided, and the public notice before it was over; never ahead of today."""
    if granted_on > local_day(now):
        raise ReviewRefused("granted_in_future", granted_on.isoformat())
    decided = application.acts.filter(action=Action.RECOGNISE).order_by("-seq").first()
    notice = PublicNotice.objects.filter(items__application=application, items__removed_at=None)
    last = notice.order_by("-ends_on").first()
    earliest = [local_day(decided.at)] if decided else []
    earliest += [last.ends_on + timedelta(days=1)] if last else []
    if earliest and granted_on < max(earliest):
        raise ReviewRefused("granted_too_early", max(earliest).isoformat())


def _not_ahead(day: date, now: datetime) -> None:
    if day > local_day(now):
        raise ReviewRefused("day_ahead", day.isoformat())


def _happened(
    title: Title,
    kind: str,
    on: date,
    holder: Organisation,
    holder_name: str,
    by: User,
    now: datetime,
    *,
    document: str = "",
    **said: Any,
) -> TitleEvent:
    event = TitleEvent.objects.create(
        title=title, kind=kind, on=on, holder=holder, holder_name=holder_name, document=document.strip()[:60],
        at=now, by=by, **said,
    )  # fmt: skip
    audit(
        by=by, now=now, organisation=holder, action=f"reviews.title_{kind.lower()}",
        object_ref=f"title:{title.number}", detail={"on": str(on), "name": holder_name},
    )  # fmt: skip
    return event


def locked_title(pk: int) -> tuple[Title, list[TitleEvent]]:
    """Return the title, kept from others until the transaction ends, with its events, the latest last."""
    found = Title.objects.select_for_update(of=("self",)).select_related("authority").get(pk=pk)
    return found, list(found.events.select_related("holder").order_by("on", "pk"))


def holding_event(events: list[TitleEvent]) -> TitleEvent:
    """Return the event by which the present holder holds the title, under the name that the register has."""
    return [event for event in events if event.kind in register.HOLDING][-1]


def refuse_ended(events: list[TitleEvent]) -> None:
    """
    Let the caller go on while the title stands.

    :raises ReviewRefused: `already_decided`
    """
    if ended := next((event for event in events if event.kind in register.ENDING), None):
        raise ReviewRefused("already_decided", ended.on.isoformat())


# ---- changes of the holder --------------------------------------------------------------------


@transaction.atomic
def report_change(
    *,
    title: Title,
    kind: str,
    completed_on: date,
    new_name: str = "",
    successor: Organisation | None = None,
    words: str = "",
    file_name: str = "",
    content: bytes = b"",
    by: User,
    now: datetime,
) -> ChangeReport:
    """
    Report that the holder was renamed, reorganised or closed; late is on record as late, and not refused.

    :raises NotPermitted, EvidenceRefused, ReviewRefused: `year_not_loaded` where the day it is due can't be known
    """
    locked, events = locked_title(title.pk)
    holding = holding_event(events)
    require(user=by, permission=Permission.EDIT_CASE, organisation=holding.holder, on=local_day(now))
    refuse_ended(events)
    _not_ahead(completed_on, now)
    new_name = new_name.strip()
    _check_change(locked, holding, kind, completed_on, new_name, successor)
    open_states = (ChangeReport.State.REPORTED, ChangeReport.State.DISTRICT_AGREED)
    if locked.change_reports.filter(state__in=open_states).exists():
        raise ReviewRefused("change_open")
    kept: dict[str, Any] = {}
    if content:
        examined = examine(name=file_name, content=content)
        stored = ContentFile(content, f"changes/{examined.sha256}.{examined.kind}")
        kept = {"file_name": examined.file_name, "sha256": examined.sha256, "stored": stored}
    report = ChangeReport.objects.create(
        title=locked, kind=kind, completed_on=completed_on, due_on=_due(locked, completed_on), new_name=new_name,
        successor=successor, words=words.strip(), reported_at=now, reported_by=by, **kept,
    )  # fmt: skip
    _audit_change("reviews.report_change", report, holding.holder, by, now)
    return report


def _check_change(
    title: Title,
    holding: TitleEvent,
    kind: str,
    completed_on: date,
    new_name: str,
    successor: Organisation | None,
) -> None:
    if kind not in ChangeReport.Kind.values:
        raise ReviewRefused("change_unknown", kind)
    if completed_on < holding.on:
        raise ReviewRefused("before_last_change", holding.on.isoformat())
    if kind == ChangeReport.Kind.RENAME and (not new_name or new_name == holding.holder_name):
        raise ReviewRefused("new_name_missing")
    if kind == ChangeReport.Kind.REORGANISATION and (successor is None or successor == holding.holder):
        raise ReviewRefused("successor_missing")


def _due(title: Title, completed_on: date) -> date:
    days, _ = register.report_in_working_days(title=title, on=completed_on)
    try:
        return nth_working_day(completed_on, days)
    except YearNotLoaded as unknown:
        raise ReviewRefused("year_not_loaded", str(unknown.year)) from unknown


def is_late(report: ChangeReport) -> bool:
    """Return whether the change was reported after it was due."""
    return local_day(report.reported_at) > report.due_on


@transaction.atomic
def review_change(
    *, report: ChangeReport, version: int, agree: bool, words: str, by: User, now: datetime
) -> ChangeReport:
    """
    Review a reported change as the district's authority for industry, before the city records it.

    :raises ReviewRefused: `not_permitted`, `stale`, `stage_moved_on`, `words_missing`, `acted_before`
    """
    locked, holding = _locked_report(report, version, ChangeReport.State.REPORTED)
    if register.reviews_changes(user=by, division_code=holding.holder.division_code) is None:
        raise ReviewRefused("not_permitted")
    _check_words(locked, agree, words, by)
    state = ChangeReport.State.DISTRICT_AGREED if agree else ChangeReport.State.REFUSED
    locked.state = state
    locked.district_words, locked.district_at, locked.district_by = words.strip(), now, by
    return _saved(locked, "reviews.review_change", holding.holder, by, now)


@transaction.atomic
def record_change(
    *,
    report: ChangeReport,
    version: int,
    accept: bool,
    words: str,
    document: str = "",
    cause: str = "",
    by: User,
    now: datetime,
) -> ChangeReport:
    """
    Record the change in the register, or refuse it, as the authority that gave the title.

    What the registry knows of the organisation stays untouched: that is recorded there. A closure ends the
    title for the `cause` that the edition gives it.

    :raises NotPermitted, ReviewRefused: `stale`, `stage_moved_on`, `words_missing`, `acted_before`, …
    """
    locked, holding = _locked_report(report, version, ChangeReport.State.DISTRICT_AGREED)
    title = locked.title
    require(user=by, permission=Permission.RUN_ROUND, organisation=title.authority, on=local_day(now))
    _check_words(locked, accept, words, by)
    if accept:
        refuse_ended(list(title.events.order_by("on", "pk")))
        if locked.completed_on < holding.on:
            raise ReviewRefused("before_last_change", holding.on.isoformat())
        _carry_out(locked, holding, words.strip(), document, cause, by, now)
    locked.state = ChangeReport.State.RECORDED if accept else ChangeReport.State.REFUSED
    locked.city_words, locked.city_at, locked.city_by = words.strip(), now, by
    return _saved(locked, "reviews.record_change", holding.holder, by, now)


def _carry_out(
    report: ChangeReport,
    holding: TitleEvent,
    words: str,
    document: str,
    cause: str,
    by: User,
    now: datetime,
) -> None:
    title, on = report.title, report.completed_on
    if report.kind == ChangeReport.Kind.CLOSURE:
        found = _cause(title, cause)
        kind = ENDS[found.criterion.ends_title]
        _end(title, holding, kind, found, on, words or found.says, document, by, now)
        return
    if report.kind == ChangeReport.Kind.RENAME:
        kind, holder, name = TitleEvent.Kind.RENAMED, holding.holder, report.new_name
    else:
        assert report.successor is not None, "a reorganisation has a successor"
        kind, holder = TitleEvent.Kind.REORGANISED, report.successor
        name = report.new_name or name_on(organisation=holder, day=on)
    _happened(title, kind, on, holder, name, by, now, document=document, words=words)


def _locked_report(report: ChangeReport, version: int, state: str) -> tuple[ChangeReport, TitleEvent]:
    """Return the report where it stands as the person saw it. The title is locked before its reports: one order."""
    title, events = locked_title(report.title_id)
    locked = (
        ChangeReport.objects.select_for_update(of=("self",)).select_related("successor").get(pk=report.pk)
    )
    if locked.version != version:
        raise ReviewRefused("stale", str(locked.version))
    if locked.state != state:
        raise ReviewRefused("stage_moved_on", locked.get_state_display())
    locked.title = title
    return locked, holding_event(events)


def _check_words(report: ChangeReport, agree: bool, words: str, by: User) -> None:
    if not agree and not words.strip():
        raise ReviewRefused("words_missing")
    if by.pk in (report.reported_by_id, report.district_by_id):
        raise ReviewRefused("acted_before")


def _saved(report: ChangeReport, action: str, holder: Organisation, by: User, now: datetime) -> ChangeReport:
    report.version += 1
    report.save()
    _audit_change(action, report, holder, by, now)
    return report


def _audit_change(action: str, report: ChangeReport, holder: Organisation, by: User, now: datetime) -> None:
    audit(
        by=by, now=now, organisation=holder, action=action, object_ref=f"title:{report.title.number}",
        detail={"kind": report.kind, "state": report.state, "is_late": is_late(report)},
    )  # fmt: skip


# ---- the end of a title -----------------------------------------------------------------------


@transaction.atomic
def remove_title(
    *,
    title: Title,
    cause: str,
    on: date,
    words: str,
    document: str = "",
    events_seen: int | None = None,
    by: User,
    now: datetime,
) -> TitleEvent:
    """
    Take the title off the register for a cause that the programme's editions give, and announce it.

    :param events_seen: how many events the title had when the decision was made; None where that is no matter
    :raises NotPermitted, ReviewRefused: `already_decided`, `stale`, `cause_unknown`, `words_missing`
    """
    return _ended(TitleEvent.Kind.REMOVED, title, cause, on, words, document, events_seen, by, now)


@transaction.atomic
def revoke_title(
    *,
    title: Title,
    cause: str,
    on: date,
    words: str,
    document: str = "",
    events_seen: int | None = None,
    by: User,
    now: datetime,
) -> TitleEvent:
    """
    Revoke the title, announce it, and bar its holder and who comes from it for the years that the edition says.

    :raises NotPermitted, ReviewRefused: `edition_revokes_nothing` besides those of `remove_title`
    """
    return _ended(TitleEvent.Kind.REVOKED, title, cause, on, words, document, events_seen, by, now)


def _ended(
    kind: str,
    title: Title,
    cause: str,
    on: date,
    words: str,
    document: str,
    events_seen: int | None,
    by: User,
    now: datetime,
) -> TitleEvent:
    locked, events = locked_title(title.pk)
    require(user=by, permission=Permission.RUN_ROUND, organisation=locked.authority, on=local_day(now))
    refuse_ended(events)
    if events_seen is not None and events_seen != len(events):
        raise ReviewRefused("stale", str(len(events)))
    _not_ahead(on, now)
    holding = holding_event(events)
    if on < holding.on:
        raise ReviewRefused("before_last_change", holding.on.isoformat())
    if not words.strip():
        raise ReviewRefused("words_missing")
    return _end(locked, holding, kind, _cause(locked, cause), on, words, document, by, now)


def _cause(title: Title, ref: str) -> Cause:
    found = _rule(title, ref)
    if not found.criterion.ends_title:
        raise ReviewRefused("cause_unknown", ref)
    return found


def _rule(title: Title, ref: str) -> Cause:
    """Return the rule of the title's life that is written so, whether a title ends for it or not."""
    found = register.cause_of(title=title, ref=ref)
    if found is None or found.ref != ref or len(ref) > 80:
        raise ReviewRefused("cause_unknown", ref)
    return found


def bar_of(*, kind: str, cause: Cause, on: date) -> date | None:
    """
    Return until when the end of the title bars its holder; None: the edition bars it not.

    :raises ReviewRefused: `cause_revokes`, `cause_removes` where the edition has another end for the cause;
        `edition_revokes_nothing` where it says for how long it bars nowhere
    """
    if kind != ENDS.get(cause.criterion.ends_title, kind):
        raise ReviewRefused(f"cause_{cause.criterion.ends_title}", cause.criterion.clause)
    years = register.number(cause.edition, BAR_PARAMETERS[TitleEvent.Kind(kind)], on=on)
    if years is None and kind == TitleEvent.Kind.REVOKED:
        raise ReviewRefused("edition_revokes_nothing", cause.edition.norm.number)
    return whole_years_after(on, years) if years else None


def _end(
    title: Title,
    holding: TitleEvent,
    kind: str,
    cause: Cause,
    on: date,
    words: str,
    document: str,
    by: User,
    now: datetime,
) -> TitleEvent:
    return _happened(
        title, kind, on, holding.holder, holding.holder_name, by, now, document=document, cause=cause.ref,
        words=words.strip(), bars_until=bar_of(kind=kind, cause=cause, on=on), announced_at=now,
    )  # fmt: skip


@transaction.atomic
def warn_holder(*, title: Title, cause: str, year: int, words: str, by: User, now: datetime) -> TitleEvent:
    """
    Warn the holder of a title of what it has not done in a year, with the time it has left to do it.

    :raises NotPermitted, ReviewRefused:
    """
    locked, events = locked_title(title.pk)
    require(user=by, permission=Permission.RUN_ROUND, organisation=locked.authority, on=local_day(now))
    refuse_ended(events)
    if not words.strip():
        raise ReviewRefused("words_missing")
    ref = f"{_rule(locked, cause).ref}#{year}"
    if any(event.kind == TitleEvent.Kind.WARNED and event.cause == ref for event in events):
        raise ReviewRefused("already_decided", ref)
    holding = holding_event(events)
    return _happened(
        locked, TitleEvent.Kind.WARNED, local_day(now), holding.holder, holding.holder_name, by, now, cause=ref,
        words=words.strip(),
    )  # fmt: skip
