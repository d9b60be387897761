"""
Acting on many applications at once.

Planned first: each act is tried in its turn and taken back, so that the preview says exactly what would happen
to each, with the quota as it would then stand. Confirmed, they are done one by one, each in a transaction of its
own; whoever acted on one in between keeps it, and whoever stops the batch stops it before the next one.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from django.db import transaction

from wufei.registry.access import Permission
from wufei.registry.models import User
from wufei.registry.queries import NotPermitted
from wufei.registry.services import audit
from wufei.reviews.models import Application, Batch, BatchItem, Round
from wufei.reviews.queries.applications_seen import visible
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services import deciding
from wufei.reviews.services.deciding import Said
from wufei.reviews.stages import Action
from wufei.terms.day import local_day

MOST = 500
ACTIONS = frozenset(
    {Action.AGREE, Action.DISAGREE, Action.RETURN, Action.CONCLUDE, Action.REFUSE, Action.RELEASE}
)


@transaction.atomic
def plan_batch(
    *, round_: Round, codes: Sequence[str], action: Action, role: str, words: str, by: User, now: datetime
) -> Batch:
    """
    Say what would happen to each of the applications; nothing is done yet.

    :raises ReviewRefused:
    """
    if action not in ACTIONS:
        raise ReviewRefused("batch_action_unknown", action)
    wanted = list(dict.fromkeys(codes))
    if not wanted:
        raise ReviewRefused("nothing_chosen")
    if len(wanted) > MOST:
        raise ReviewRefused("too_many_chosen", str(MOST))
    rows = visible(user=by, on=local_day(now)).filter(round=round_, code__in=wanted)
    by_code = {row.code: row for row in rows.select_related("round", "organisation")}
    if len(by_code) != len(wanted):
        raise ReviewRefused("not_permitted")
    applications = [by_code[code] for code in wanted]
    foreseen = _tried(applications, action, role, words, by, now)
    batch = Batch.objects.create(
        round=round_, action=action.value, role=role, words=words.strip(), made_at=now, made_by=by
    )
    BatchItem.objects.bulk_create(
        BatchItem(
            batch=batch, position=at, application=application, version=application.version,
            foreseen_stage=then.stage if then else "", foreseen_outcome=then.outcome if then else "",
            foreseen_refusal=refusal, detail=detail[:200],
        )
        for at, (application, (then, refusal, detail)) in enumerate(
            zip(applications, foreseen, strict=True), start=1
        )
    )  # fmt: skip
    return batch


def _tried(
    applications: Sequence[Application], action: Action, role: str, words: str, by: User, now: datetime
) -> list[tuple[Application | None, str, str]]:
    """Do it to each in its turn, note what came of it, and take everything back."""
    found: list[tuple[Application | None, str, str]] = []
    with transaction.atomic():
        for application in applications:
            try:
                then = deciding.decide(
                    application=application, version=application.version, action=action, said=Said(words=words),
                    role=role, by=by, now=now,
                )  # fmt: skip
                found.append((then, "", ""))
            except ReviewRefused as refused:
                found.append((None, refused.code, refused.detail))
        transaction.set_rollback(True)
    return found


@transaction.atomic
def confirm_batch(*, batch: Batch, by: User, now: datetime) -> Batch:
    """
    Say that the batch is to be done as it was shown.

    :raises NotPermitted, ReviewRefused:
    """
    _require_own(batch, by)
    if not Batch.objects.filter(pk=batch.pk, confirmed_at=None, stopped_at=None).update(confirmed_at=now):
        raise ReviewRefused("already_decided")
    audit(
        by=by, now=now, action="reviews.confirm_batch", organisation=None, object_ref=f"batch:{batch.pk}",
        detail={"action": batch.action, "items": batch.items.count()},
    )  # fmt: skip
    batch.refresh_from_db()
    return batch


@transaction.atomic
def stop_batch(*, batch: Batch, by: User, now: datetime) -> Batch:
    """
    Have no more of the batch done; what is done stays.

    :raises NotPermitted, ReviewRefused:
    """
    _require_own(batch, by)
    if not Batch.objects.filter(pk=batch.pk, stopped_at=None, ended_at=None).update(stopped_at=now):
        raise ReviewRefused("already_decided")
    audit(by=by, now=now, action="reviews.stop_batch", object_ref=f"batch:{batch.pk}")
    batch.refresh_from_db()
    return batch


def _require_own(batch: Batch, by: User) -> None:
    if batch.made_by_id != by.pk:
        raise NotPermitted(Permission.REVIEW_CASE)


def run_batch(*, batch: Batch, clock: Callable[[], datetime]) -> Batch:
    """
    Do what was confirmed, one application after the other, until it is done or stopped.

    Run again it goes on where it was interrupted. `clock` says when each act is done.
    """
    batch = Batch.objects.select_related("made_by", "round").get(pk=batch.pk)
    assert batch.confirmed_at is not None, "only what somebody confirmed is run"
    keys = list(
        batch.items.filter(state=BatchItem.State.PLANNED).order_by("position").values_list("pk", flat=True)
    )
    for key in keys:
        if Batch.objects.filter(pk=batch.pk, stopped_at__isnull=False).exists():
            break
        _handle(batch, key, clock())
    Batch.objects.filter(pk=batch.pk, ended_at=None).update(ended_at=clock())
    batch.refresh_from_db()
    return batch


@transaction.atomic
def _handle(batch: Batch, key: int, now: datetime) -> None:
    """Do one; a refusal is noted and keeps the next from nothing."""
    item = BatchItem.objects.select_for_update(of=("self",)).select_related("application").get(pk=key)
    if item.state != BatchItem.State.PLANNED:
        return
    try:
        with transaction.atomic():
            deciding.decide(
                application=item.application, version=item.version, action=Action(batch.action),
                said=Said(words=batch.words, details={"batch": batch.pk}), role=batch.role, by=batch.made_by, now=now,
            )  # fmt: skip
        item.state = BatchItem.State.DONE
    except ReviewRefused as refused:
        item.state, item.refusal, item.detail = (
            BatchItem.State.REFUSED,
            refused.code[:40],
            refused.detail[:200],
        )
    item.handled_at = now
    item.save(update_fields=["state", "refusal", "detail", "handled_at"])
