"""What is done with an application: one append-only act at a time, and the standing that follows from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import F

from wufei.cases.evidence import examine
from wufei.cases.models import Submission
from wufei.catalogue.working_days import nth_working_day, working_days_between
from wufei.policies import queries as policy_queries
from wufei.policies.edition import Edition
from wufei.registry.models import Organisation, User
from wufei.registry.services import audit
from wufei.reviews import clock, stages
from wufei.reviews.clock import local_day
from wufei.reviews.duties import Duty, duty_of
from wufei.reviews.models import (
    Act,
    ActDocument,
    AgencyReport,
    Application,
    Assignment,
    QuotaUse,
    Round,
)
from wufei.reviews.queries.acting import unmet_before
from wufei.reviews.queries.roles import principals_of, roles_on
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services import messages
from wufei.reviews.services.rounds import quota_number, quota_of
from wufei.reviews.stages import Action, Outcome, Standing

NEEDS_WORDS = frozenset(
    {
        Action.RETURN, Action.DISAGREE, Action.SETTLE_FOR, Action.SETTLE_AGAINST, Action.REMOVE,
        Action.REFUSE, Action.WITHDRAW, Action.PASS_ON,
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a person says with an act: words, comments on single fields, files as (name, content)."""

    words: str = ""
    comments: Mapping[str, str] | None = None
    documents: Sequence[tuple[str, bytes]] = ()
    details: Mapping[str, Any] | None = None


@transaction.atomic
def decide(
    *,
    application: Application,
    version: int,
    action: Action,
    said: Said = Said(),
    role: str = "",
    by: User,
    now: datetime,
) -> Application:
    """
    Do what the stage offers, and put the application where it stands after it.

    `role` says in which of several roles the person acts; it may be left out where only one can. A deputy acts
    for its principal, and both stand in the act.

    :raises ReviewRefused: `stale` where somebody acted since `version` was seen; `not_permitted`;
        `stage_moved_on` where the stage offers no such action
    """
    locked = lock(application)
    if locked.version != version:
        raise ReviewRefused("stale", str(locked.version))
    edition = policy_queries.edition(locked.round.edition)
    standing = standing_of(locked, edition)
    role, acted_for, principal = _role(locked, edition, standing, action, role, by, now)
    _check(locked, edition, standing, action, said, (by, principal), now)
    then = stages.after(edition.stages, standing, action=action, role=role)
    return record(
        locked, edition, standing, then, action=action, role=role, acted_for=acted_for, said=said, by=by,
        now=now, principal=principal,
    )  # fmt: skip


def lock(application: Application) -> Application:
    """Return the application, kept from others until the transaction ends."""
    rows = Application.objects.select_for_update(of=("self",))
    return rows.select_related("round__authority", "organisation", "submission").get(pk=application.pk)


def standing_of(application: Application, edition: Edition) -> Standing:
    """Return where the application stands by its acts."""
    return stages.replay(
        edition.stages, application.acts.order_by("seq"), starts_at=starts_at(application, edition)
    )


def starts_at(application: Application, edition: Edition) -> str:
    """Return the stage at which a package from below put the application; "" where it came from its applicant."""
    if application.is_direct:
        return ""
    return next(stage.id for stage in edition.stages if stage.kind in ("experts", "decision"))


def _role(
    application: Application,
    edition: Edition,
    standing: Standing,
    action: Action,
    role: str,
    by: User,
    now: datetime,
) -> tuple[str, Organisation, User | None]:
    """Return in which role the person acts, for whom, and as whose deputy."""
    today = local_day(now)
    candidates: list[tuple[str, Organisation, User | None]] = []
    for person in (by, *principals_of(user=by, on=today)):
        held = roles_on(user=person, application=application, on=today)
        candidates += [(r, o, None if person == by else person) for r, o in held.items() if role in ("", r)]
    if not candidates:
        raise ReviewRefused("not_permitted")
    acting = stages.roles_that_act(edition.stages) | {stages.APPLICANT}
    if not any(r in acting for r, _, _ in candidates):
        raise ReviewRefused("not_permitted")
    for candidate in candidates:
        if action in stages.offers(edition.stages, standing, role=candidate[0]):
            return candidate
    if action in (Action.RELEASE, Action.PASS_ON):
        for candidate in candidates:
            if candidate[1] == application.round.authority:
                return candidate
        raise ReviewRefused("not_permitted")
    offered = [c for c in candidates if stages.offers(edition.stages, standing, role=c[0])]
    raise ReviewRefused("stage_moved_on" if offered or standing.outcome else "not_your_stage", standing.stage)


def _check(
    application: Application,
    edition: Edition,
    standing: Standing,
    action: Action,
    said: Said,
    people: Sequence[User | None],
    now: datetime,
) -> None:
    """Refuse what may not be done now, or not by these people: a deputy answers for its principal and itself."""
    if application.round.closed_at is not None:
        raise ReviewRefused("round_closed")
    if action in NEEDS_WORDS and not said.words.strip():
        raise ReviewRefused("words_missing")
    stage = stages.stage_of(edition.stages, standing.stage)
    duty = duty_of(stage.kind, action)
    for person in people:
        if person and duty and (other := other_duty(application, edition, person, duty)):
            raise ReviewRefused("acted_before", other)
    if code := unmet_before(application=application, stage=stage, action=action, on=local_day(now)):
        raise ReviewRefused(code)


def other_duty(application: Application, edition: Edition, person: User, duty: Duty) -> Duty | None:
    """Return the other duty that the person has in the case already, if any."""
    kinds = {stage.id: stage.kind for stage in edition.stages}
    done = Act.objects.filter(application=application, by=person) | Act.objects.filter(
        application=application, on_behalf_of=person
    )
    for stage_id, action in done.values_list("stage", "action").distinct():
        had = duty_of(kinds[stage_id], Action(action))
        if had is not None and had is not duty:
            return had
    scores = Assignment.objects.filter(application=application, expert__user=person, withdrawn_at=None)
    if duty is not Duty.SCORE and scores.exists():
        return Duty.SCORE
    # Who handed in the agency's report recommended, whoever of the agency passed the case on.
    reported = AgencyReport.objects.filter(application=application, submitted_by=person)
    return Duty.RECOMMEND if duty is not Duty.RECOMMEND and reported.exists() else None


def record(
    application: Application,
    edition: Edition,
    before: Standing,
    then: Standing,
    *,
    action: Action,
    role: str,
    acted_for: Organisation,
    said: Said,
    by: User,
    now: datetime,
    principal: User | None = None,
) -> Application:
    """Write the act, move the application, count quotas, and note it in the audit log. Locked before."""
    stage = stages.stage_of(edition.stages, before.stage)
    left = then.stage != before.stage or then.outcome is not None
    details = dict(said.details or {})
    if action is Action.RETURN:
        details["remaining_working_days"] = clock.remaining(
            local_day(now), application.due_on, between=working_days_between
        )
    is_forward = action not in (Action.RETURN, Action.SUBMIT)  # who hands in again passes nothing
    if left and is_forward and stage.quota and then.outcome is None:
        use_quota(application.round, edition, stage.quota, application.district_code)
    if action is Action.WITHDRAW:
        _give_back_quotas(application, edition, before)
    act = Act.objects.create(
        application=application, seq=application.version + 1, stage=before.stage, action=action.value, role=role,
        acted_for=acted_for, submission=application.submission, words=said.words.strip(),
        comments=dict(said.comments or {}), details=details,
        is_pending=stage.is_held and action in stages.HELD_BACK, at=now, by=by, on_behalf_of=principal,
    )  # fmt: skip
    attach(act, said.documents)
    messages.tell_of_act(application=application, edition=edition, before=before, then=then, act=act, now=now)
    _move(application, edition, before, then, now)
    # In the log of who acted: the applicant reads its own, and is told of a held decision by its release only.
    audit(
        by=by, now=now, organisation=acted_for, action=f"reviews.{action.lower()}",
        object_ref=f"application:{application.code}", detail={"stage": before.stage, "seq": act.seq, "role": role},
    )  # fmt: skip
    return application


def _move(
    application: Application, edition: Edition, before: Standing, then: Standing, now: datetime
) -> None:
    application.version += 1
    application.contested = then.is_contested
    application.stage = then.stage
    application.outcome = then.outcome.value if then.outcome else ""
    if then.outcome is not None:
        application.due_on = None
    elif then.stage != before.stage:
        application.stage_since = now
        application.due_on = _due(application, edition, before, then, now)
    application.save(
        update_fields=[
            "version", "contested", "stage", "outcome", "stage_since", "due_on", "submission", "organisation",
        ]
    )  # fmt: skip


def _due(application: Application, edition: Edition, before: Standing, then: Standing, now: datetime) -> Any:
    """Return until when the stage is to be done; a clock that a return had suspended goes on."""
    stage = stages.stage_of(edition.stages, then.stage)
    if before.returned_from == then.stage and before.stage == edition.stages[0].id:
        returned = application.acts.filter(action=Action.RETURN).order_by("-seq").first()
        left = returned.details.get("remaining_working_days") if returned else None
        return clock.due(local_day(now), left, nth=nth_working_day)
    return clock.due(local_day(now), stage.due_working_days, nth=nth_working_day)


def use_quota(round_: Round, edition: Edition, quota_id: str, division_code: str) -> None:
    """
    Count one more towards the quota, where there is room: one conditional statement, whoever else writes.

    :raises ReviewRefused: `quota_used_up`
    """
    scope = quota_scope(edition, quota_id, division_code)
    QuotaUse.objects.get_or_create(
        round=round_, quota=quota_id, scope=scope, defaults={"cap": quota_number(round_, quota_id)}
    )
    free = QuotaUse.objects.filter(round=round_, quota=quota_id, scope=scope, used__lt=F("cap"))
    if not free.update(used=F("used") + 1):
        raise ReviewRefused("quota_used_up", quota_id)


def quota_scope(edition: Edition, quota_id: str, division_code: str) -> str:
    """Return for which division the quota counts."""
    digits = {"province": 2, "city": 4, "district": 6, "country": 0}[quota_of(edition, quota_id).per]
    return division_code[:digits].ljust(6, "0") if digits else ""


def _give_back_quotas(application: Application, edition: Edition, standing: Standing) -> None:
    """Whoever withdraws gives back what it counted towards, and counts anew when it is handed in again."""
    ids = [stage.id for stage in edition.stages]
    began = ids.index(starts_at(application, edition) or ids[0])
    for stage in edition.stages[began : ids.index(standing.returned_from or standing.stage)]:
        if stage.quota:
            give_back_quota(application, edition, stage.id)


def give_back_quota(application: Application, edition: Edition, stage_id: str) -> None:
    """Count one less: the case left after it had counted."""
    stage = stages.stage_of(edition.stages, stage_id)
    assert stage.quota is not None, "only a stage with a quota counted"
    scope = quota_scope(edition, stage.quota, application.district_code)
    QuotaUse.objects.filter(round=application.round, quota=stage.quota, scope=scope, used__gt=0).update(
        used=F("used") - 1
    )


def attach(act: Act, documents: Sequence[tuple[str, bytes]]) -> None:
    """Keep the files that stand with an act; each is looked into before it is kept."""
    for name, content in documents:
        examined = examine(name=name, content=content)
        path = f"reviews/{act.application_id}/{examined.sha256}.{examined.kind}"
        if not default_storage.exists(path):
            path = default_storage.save(path, ContentFile(content))
        ActDocument.objects.create(
            act=act, file_name=examined.file_name, size=examined.size, sha256=examined.sha256, stored=path
        )


@transaction.atomic
def pass_on(
    *, application: Application, successor: Organisation, words: str, by: User, now: datetime
) -> Application:
    """
    Let the successor of a renamed, merged or closed applicant go on with the open case.

    :raises ReviewRefused:
    """
    locked = lock(application)
    edition = policy_queries.edition(locked.round.edition)
    standing = standing_of(locked, edition)
    if standing.outcome is not None:
        raise ReviewRefused("stage_moved_on", standing.stage)
    role, acted_for, principal = _role(locked, edition, standing, Action.PASS_ON, "", by, now)
    _check(locked, edition, standing, Action.PASS_ON, Said(words=words), (by, principal), now)
    details = {"from": locked.organisation.uscc, "to": successor.uscc}
    locked.organisation = successor
    return record(
        locked, edition, standing, standing, action=Action.PASS_ON, role=role, acted_for=acted_for,
        said=Said(words=words, details=details), by=by, now=now, principal=principal,
    )  # fmt: skip


def submit_again(
    application: Application, submission: Submission, edition: Edition, by: User, now: datetime
) -> Application:
    """Record that the case was handed in, first or again; locked before."""
    standing = standing_of(application, edition)
    if Action.SUBMIT not in stages.offers(edition.stages, standing, role=stages.APPLICANT):
        raise ReviewRefused("stage_moved_on", standing.stage)
    if other := other_duty(application, edition, by, Duty.SUBMIT):
        raise ReviewRefused("acted_before", other)
    application.submission = submission
    then = stages.after(edition.stages, standing, action=Action.SUBMIT, role=stages.APPLICANT)
    return record(
        application, edition, standing, then, action=Action.SUBMIT, role=stages.APPLICANT,
        acted_for=application.organisation, said=Said(), by=by, now=now,
    )  # fmt: skip


OPEN_OUTCOME = ""
WITHDRAWN = Outcome.WITHDRAWN
