"""Consulted departments: asked with a term, heard, or on record as silent. Silence is no consent."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction

from wufei.catalogue.working_days import nth_working_day
from wufei.paper.attachments import examine
from wufei.policies import queries as policy_queries
from wufei.policies.edition import Department, Stage
from wufei.registry.models import Organisation, OrganisationKind, User
from wufei.registry.queries import jurisdiction_prefix, levels_of
from wufei.registry.services import audit
from wufei.registry.services.storing import store
from wufei.reviews import stages
from wufei.reviews.models import Application, Consultation
from wufei.reviews.queries.consultations import concludes
from wufei.reviews.queries.roles import authority_roles, roles_on
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services.deciding import lock
from wufei.reviews.stages import Outcome
from wufei.terms.day import local_day

TERM = 5  # working days, where the edition sets none


@transaction.atomic
def consult(
    *, application: Application, names: Iterable[str] | None = None, by: User, now: datetime
) -> list[Consultation]:
    """
    Ask the stage's departments, or those named, for their opinion; who was asked already is not asked twice.

    :raises ReviewRefused: `not_permitted`; `stage_moved_on` where the case is not there to be asked about;
        `department_unknown`
    """
    locked = lock(application)
    stage = _consulting_stage(locked, by, now)
    chosen = {d.name: d for d in stage.departments}
    wanted = list(chosen) if names is None else list(names)
    if unknown := [name for name in wanted if name not in chosen]:
        raise ReviewRefused("department_unknown", "、".join(unknown))
    asked = set(locked.consultations.filter(stage=stage.id).values_list("department", flat=True))
    due_on = nth_working_day(local_day(now), stage.due_working_days or TERM)
    level = stages.deciders(stage)[0].rpartition("_")[0]
    authorities = _authorities(locked, level)
    made = [
        Consultation(
            application=locked, stage=stage.id, department=name, authority=_of(authorities, chosen[name]),
            asked_at=now, asked_by=by, due_on=due_on,
        )
        for name in wanted if name not in asked
    ]  # fmt: skip
    Consultation.objects.bulk_create(made)
    if made:
        _audit(locked, "reviews.consult", by, now, {"departments": [row.department for row in made]})
    return made


def _consulting_stage(application: Application, by: User, now: datetime) -> Stage:
    """Return the stage that the application is at, if it asks departments and the person may ask them."""
    edition = policy_queries.edition(application.round.edition)
    stage = stages.stage_of(edition.stages, application.stage)
    held = roles_on(user=by, application=application, on=local_day(now))
    if not set(held) & set(stages.deciders(stage)):
        raise ReviewRefused("not_permitted")
    if application.outcome or stage.kind != "consultation":
        raise ReviewRefused("stage_moved_on", stage.label)
    return stage


def _authorities(application: Application, level: str) -> list[Organisation]:
    rows = Organisation.objects.filter(kind=OrganisationKind.AUTHORITY, closed_on=None).exclude(branch="")
    return [
        row for row in rows.order_by("pk")
        if level in levels_of(row.division_code)
        and application.district_code.startswith(jurisdiction_prefix(row.division_code))
    ]  # fmt: skip


def _of(authorities: list[Organisation], department: Department) -> Organisation | None:
    return next((row for row in authorities if row.branch == department.branch), None)


@transaction.atomic
def reply(
    *,
    consultation: Consultation,
    opinion: str,
    words: str,
    document: tuple[str, bytes] | None = None,
    by: User,
    now: datetime,
) -> Consultation:
    """
    Keep a department's opinion: its own officer's, or, with the sealed paper, entered by who asked.

    A reply that comes after its term is still a reply; one that comes when the stage is done is kept on file as
    late, and moves nothing.

    :raises ReviewRefused:
    """
    locked = _locked(consultation)
    application = locked.application
    if locked.answered_at is not None:
        raise ReviewRefused("already_decided", locked.department)
    if application.outcome == Outcome.WITHDRAWN:
        raise ReviewRefused("stage_moved_on")
    if application.round.closed_at is not None:
        raise ReviewRefused("round_closed")
    if opinion not in Consultation.Opinion.values:
        raise ReviewRefused("opinion_unknown", opinion)
    if opinion != Consultation.Opinion.NO_OBJECTION and not words.strip():
        raise ReviewRefused("words_missing")
    if not _is_own(locked, by):
        if not concludes(user=by, application=application, stage_id=locked.stage, on=local_day(now)):
            raise ReviewRefused("not_permitted")
        if document is None:
            raise ReviewRefused("scan_missing", locked.department)
    if document is not None:
        _keep(locked, *document)
    locked.opinion, locked.words = opinion, words.strip()
    locked.answered_at, locked.answered_by = now, by
    locked.closed_unanswered_at = None
    locked.save()
    is_after = application.stage != locked.stage or bool(application.outcome)
    said = {"department": locked.department, "opinion": opinion, "after_stage": is_after}
    _audit(application, "reviews.reply", by, now, said)
    return locked


def _is_own(consultation: Consultation, by: User) -> bool:
    held = authority_roles(user=by, division_code=consultation.application.district_code)
    return consultation.authority is not None and any(own == consultation.authority for _, own in held)


def _keep(consultation: Consultation, name: str, content: bytes) -> None:
    examined = examine(name=name, content=content)
    consultation.file_name, consultation.sha256 = examined.file_name, examined.sha256
    consultation.stored = store(
        folder=f"reviews/{consultation.application_id}", content=content, kind=examined.kind
    )


@transaction.atomic
def close_unanswered(*, consultation: Consultation, by: User, now: datetime) -> Consultation:
    """
    Put on record that a department did not reply in its term: no reply, not a consent.

    :raises ReviewRefused: `term_running` before the term is over
    """
    locked = _locked(consultation)
    _consulting_stage(locked.application, by, now)
    if locked.answered_at is not None or locked.closed_unanswered_at is not None:
        raise ReviewRefused("already_decided", locked.department)
    if local_day(now) <= locked.due_on:
        raise ReviewRefused("term_running", locked.due_on.isoformat())
    locked.closed_unanswered_at = now
    locked.save(update_fields=["closed_unanswered_at"])
    _audit(locked.application, "reviews.no_reply", by, now, {"department": locked.department})
    return locked


def _locked(consultation: Consultation) -> Consultation:
    application = lock(consultation.application)
    row = Consultation.objects.select_for_update(of=("self",)).select_related("authority")
    found = row.get(pk=consultation.pk)
    found.application = application
    return found


def _audit(application: Application, action: str, by: User, now: datetime, detail: dict[str, Any]) -> None:
    audit(
        by=by, now=now, organisation=application.organisation, action=action,
        object_ref=f"application:{application.code}", detail=detail,
    )  # fmt: skip
