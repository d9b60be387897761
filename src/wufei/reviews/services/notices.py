"""Public notices: put up for their working days, objected to, put off, cleared or thinned."""

import secrets
from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction

from wufei.catalogue.working_days import YearNotLoaded, is_working_day, nth_working_day
from wufei.paper.attachments import examine
from wufei.policies import queries as policy_queries
from wufei.registry.models import User
from wufei.registry.services import audit
from wufei.registry.services.storing import store
from wufei.reviews.clock import end_of
from wufei.reviews.models import (
    Application,
    Extension,
    NoticeItem,
    Objection,
    ObjectionEvidence,
    PublicNotice,
    Round,
)
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services.deciding import Said, act_in_notice, carry_out
from wufei.reviews.services.rounds import locked_round
from wufei.reviews.stages import Action
from wufei.terms.day import local_day

MAX_FILES = 5
MAX_WORDS = 5_000
MIN_REASON = 10  # characters; "不符合" is no reason to take an application off a list


@transaction.atomic
def publish_notice(
    *,
    round_: Round,
    applications: Sequence[Application],
    title: str,
    text: str,
    contact: str = "",
    by: User,
    now: datetime,
) -> PublicNotice:
    """
    Put up the list: it runs for the stage's working days, counted from the day after.

    :raises ReviewRefused: `notice_empty`, `words_missing`, or what `decide` refuses of one of them: then none is
        put up
    :raises NotPermitted, YearNotLoaded:
    """
    locked = locked_round(round_, by, now)
    if not applications:
        raise ReviewRefused("notice_empty")
    if not title.strip() or not text.strip():
        raise ReviewRefused("words_missing")
    _refuse_unlistable(applications, locked)
    edition = policy_queries.edition(locked.edition)
    stage = next((s for s in edition.stages if s.kind == "notice"), None)
    if stage is None:
        raise ReviewRefused("stage_moved_on", locked.edition)
    assert stage.working_days, "an edition's notice says for how many working days it runs"
    today = local_day(now)
    notice = PublicNotice.objects.create(
        round=locked, stage=stage.id, title=title.strip(), text=text.strip(), contact=contact.strip(),
        working_days=stage.working_days, begins_on=today, ends_on=nth_working_day(today, stage.working_days),
        published_at=now, published_by=by,
    )  # fmt: skip
    listed = act_in_notice(round_=locked, applications=applications, action=Action.PUBLISH, by=by, now=now)
    NoticeItem.objects.bulk_create(
        NoticeItem(
            notice=notice, application=application, position=position, name_shown=application.organisation.name
        )
        for position, application in enumerate(listed, start=1)
    )  # fmt: skip
    _audit(notice, "reviews.publish_notice", by, now, {"items": len(applications), "ends_on": notice.ends_on})
    return notice


def _refuse_unlistable(applications: Sequence[Application], round_: Round) -> None:
    for application in applications:
        if application.round_id != round_.pk:
            raise ReviewRefused("application_of_another_round", application.code)
    if len({application.pk for application in applications}) < len(applications):
        raise ReviewRefused("listed_twice")


@transaction.atomic
def extend_notice(
    *, notice: PublicNotice, ends_on: date, reason: str, by: User, now: datetime
) -> PublicNotice:
    """
    Put the end of a running notice off.

    :raises ReviewRefused: `notice_over`, `deadline_in_past` where the new end is no later, `words_missing`;
        `not_a_working_day`, or `year_not_loaded` where that can't be known
    """
    locked = _locked(notice, by, now)
    if not reason.strip():
        raise ReviewRefused("words_missing")
    if local_day(now) > locked.ends_on:
        raise ReviewRefused("notice_over", locked.ends_on.isoformat())
    if ends_on <= locked.ends_on:
        raise ReviewRefused("deadline_in_past", ends_on.isoformat())
    try:
        if not is_working_day(ends_on):
            raise ReviewRefused("not_a_working_day", ends_on.isoformat())
    except YearNotLoaded as unknown:
        raise ReviewRefused("year_not_loaded", str(unknown.year)) from unknown
    Extension.objects.create(notice=locked, ends_on=ends_on, reason=reason.strip(), at=now, by=by)
    locked.ends_on = ends_on
    locked.version += 1
    locked.save(update_fields=["ends_on", "version"])
    _audit(locked, "reviews.extend_notice", by, now, {"ends_on": ends_on, "reason": reason})
    return locked


@transaction.atomic
def object_to(
    *,
    item: NoticeItem,
    name: str,
    contact: str,
    words: str,
    files: Sequence[tuple[str, bytes]] = (),
    now: datetime,
) -> Objection:
    """
    Take in what somebody says against an application in a running notice; nobody has to sign in for it.

    :raises ReviewRefused: `notice_over`, `not_in_notice`, `contact_missing`, `words_missing`, `words_too_long`,
        `too_many_files`
    :raises EvidenceRefused: if a file may not be kept
    """
    locked = NoticeItem.objects.select_for_update(of=("self",)).select_related("notice").get(pk=item.pk)
    if now >= end_of(locked.notice.ends_on):
        raise ReviewRefused("notice_over", locked.notice.ends_on.isoformat())
    if locked.removed_at is not None:
        raise ReviewRefused("not_in_notice", locked.name_shown)
    if not name.strip() or not contact.strip():
        raise ReviewRefused("contact_missing")
    if not words.strip():
        raise ReviewRefused("words_missing")
    if len(words) > MAX_WORDS:
        raise ReviewRefused("words_too_long", str(MAX_WORDS))
    if len(files) > MAX_FILES:
        raise ReviewRefused("too_many_files", str(MAX_FILES))
    objection = Objection.objects.create(
        item=locked, code=f"YY{local_day(now):%Y%m%d}-{secrets.token_hex(3).upper()}", words=words.strip(),
        objector_name=name.strip()[:60], objector_contact=contact.strip()[:120], received_at=now,
    )  # fmt: skip
    for file_name, content in files:
        _keep(objection, file_name, content)
    return objection


def _keep(objection: Objection, file_name: str, content: bytes) -> None:
    examined = examine(name=file_name, content=content)
    path = store(folder=f"objections/{objection.pk}", content=content, kind=examined.kind)
    ObjectionEvidence.objects.create(
        objection=objection,
        file_name=examined.file_name,
        size=examined.size,
        sha256=examined.sha256,
        stored=path,
    )


@transaction.atomic
def decide_objection(
    *, objection: Objection, is_upheld: bool, words: str, removes: bool = False, by: User, now: datetime
) -> Objection:
    """
    Decide an objection once; where it is upheld the application may be taken off the list with it.

    :raises ReviewRefused: `already_decided`, `words_missing`, `removal_without_cause`
    """
    item = NoticeItem.objects.select_related("notice__round__authority").get(pk=objection.item_id)
    _locked(item.notice, by, now)
    row = Objection.objects.select_for_update().get(pk=objection.pk)
    if row.decision:
        raise ReviewRefused("already_decided", row.code)
    if not words.strip():
        raise ReviewRefused("words_missing")
    if removes and not is_upheld:
        raise ReviewRefused("removal_without_cause")
    row.decision = Objection.Decision.UPHELD if is_upheld else Objection.Decision.DISMISSED
    row.decision_words = words.strip()
    row.decided_at, row.decided_by = now, by
    row.save()
    if removes:
        remove_item(item=item, words=words, upheld=row, by=by, now=now)
    _audit(
        item.notice, "reviews.decide_objection", by, now, {"objection": row.code, "decision": row.decision}
    )
    return row


@transaction.atomic
def remove_item(
    *, item: NoticeItem, words: str, upheld: Objection | None = None, by: User, now: datetime
) -> NoticeItem:
    """
    Take an application off the list, for an objection that was `upheld` or for the officer's own reason.

    Its line stays on record with the reason.

    :raises ReviewRefused: `words_missing`, `words_too_short` where they are no reason, `already_decided`, …
    """
    notice = _locked(item.notice, by, now)
    check_reason(words)
    row = NoticeItem.objects.select_for_update(of=("self",)).select_related("application").get(pk=item.pk)
    if row.removed_at is not None:
        raise ReviewRefused("already_decided", row.name_shown)
    carry_out(
        application=row.application, version=row.application.version, action=Action.REMOVE,
        said=Said(words=words), by=by, now=now,
    )  # fmt: skip
    reason = f"异议成立：{words.strip()}" if upheld else words.strip()
    row.removed_at, row.removed_reason = now, reason[:200]
    row.save(update_fields=["removed_at", "removed_reason"])
    detail: dict[str, object] = {"application": row.application.code}
    if upheld:
        detail["objection"] = upheld.code
    _audit(notice, "reviews.remove_item", by, now, detail)
    return row


def check_reason(words: str) -> None:
    """
    Let only a reason through that says something.

    :raises ReviewRefused: `words_missing`, `words_too_short`
    """
    if not words.strip():
        raise ReviewRefused("words_missing")
    if len("".join(words.split())) < MIN_REASON:
        raise ReviewRefused("words_too_short", str(MIN_REASON))


@transaction.atomic
def clear_notice(*, notice: PublicNotice, by: User, now: datetime) -> list[Application]:
    """
    After its end, let all go on against whom nothing is open.

    :raises ReviewRefused: `notice_running` before the end, `objection_open` while one is: nothing is done then
    """
    locked = _locked(notice, by, now)
    if local_day(now) <= locked.ends_on:
        raise ReviewRefused("notice_running", locked.ends_on.isoformat())
    items = locked.items.filter(removed_at=None, application__stage=locked.stage, application__outcome="")
    applications = [item.application for item in items.select_related("application").order_by("position")]
    cleared = act_in_notice(
        round_=locked.round, applications=applications, action=Action.CONFIRM, by=by, now=now
    )
    _audit(locked, "reviews.clear_notice", by, now, {"applications": len(cleared)})
    return cleared


def _locked(notice: PublicNotice, by: User, now: datetime) -> PublicNotice:
    locked_round(notice.round, by, now)
    rows = PublicNotice.objects.select_for_update(of=("self",)).select_related("round__authority")
    return rows.get(pk=notice.pk)


def _audit(notice: PublicNotice, action: str, by: User, now: datetime, detail: dict[str, object]) -> None:
    audit(
        by=by, now=now, organisation=notice.round.authority, action=action, object_ref=f"notice:{notice.pk}",
        detail={key: str(value) for key, value in detail.items()},
    )  # fmt: skip
