"""An authority's pool of experts: who is in it, what they know, what ties them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from wufei.registry.access import Permission, Role
from wufei.registry.models import Organisation, RoleAssignment, User
from wufei.registry.queries import may, require
from wufei.registry.rules import read_uscc
from wufei.registry.services import audit
from wufei.reviews.models import Expert, ExpertTie
from wufei.reviews.refusals import ReviewRefused
from wufei.terms.day import local_day

EDITABLE = frozenset({"number", "fields", "title", "employer_name", "employer_uscc", "is_active"})


@transaction.atomic
def enter_expert(
    *,
    pool: Organisation,
    user: User,
    number: str,
    fields: Sequence[str],
    employer_name: str,
    employer_uscc: str = "",
    title: str = "",
    by: User,
    now: datetime,
) -> Expert:
    """
    Enter a person in the authority's pool; with it comes the role of an expert.

    :raises NotPermitted, ReviewRefused: `number_missing`, `number_taken`, `expert_there`, `field_missing`, …
    """
    require(user=by, permission=Permission.MAINTAIN_EXPERTS, organisation=pool, on=local_day(now))
    if not user.is_active or user.is_superuser:
        raise ReviewRefused("user_unknown")
    if Expert.objects.filter(pool=pool, user=user).exists():
        raise ReviewRefused("expert_there")
    expert = Expert(pool=pool, user=user, entered_at=now, entered_by=by)
    said = {
        "number": number, "fields": fields, "title": title, "employer_name": employer_name,
        "employer_uscc": employer_uscc,
    }  # fmt: skip
    _keep(expert, said)
    RoleAssignment.objects.get_or_create(user=user, organisation=pool, role=Role.EXPERT)
    _audit("reviews.enter_expert", expert, by, now, {"user": user.username, "fields": list(expert.fields)})
    return expert


@transaction.atomic
def change_expert(
    *, expert: Expert, version: int, changes: Mapping[str, Any], by: User, now: datetime
) -> Expert:
    """
    Change what is known of an expert, or take the expert out of the pool (`is_active`).

    :raises NotPermitted, ReviewRefused: `stale` where somebody else was first
    """
    require(user=by, permission=Permission.MAINTAIN_EXPERTS, organisation=expert.pool, on=local_day(now))
    locked = Expert.objects.select_for_update(of=("self",)).select_related("pool", "user").get(pk=expert.pk)
    if locked.version != version:
        raise ReviewRefused("stale", str(locked.version))
    if unknown := set(changes) - EDITABLE:
        raise ReviewRefused("field_unknown", ", ".join(sorted(unknown)))
    before = {name: getattr(locked, name) for name in changes}
    locked.version += 1
    _keep(locked, changes)
    changed = {n: [before[n], getattr(locked, n)] for n in changes if before[n] != getattr(locked, n)}
    _audit("reviews.change_expert", locked, by, now, changed)
    return locked


def _keep(expert: Expert, said: Mapping[str, Any]) -> None:
    for name, value in said.items():
        setattr(expert, name, value.strip() if isinstance(value, str) else value)
    expert.fields = sorted({field.strip() for field in expert.fields if field.strip()})
    if not expert.number or "|" in expert.number:
        raise ReviewRefused("number_missing")
    if not expert.fields:
        raise ReviewRefused("field_missing")
    if not expert.employer_name:
        raise ReviewRefused("employer_missing")
    if expert.employer_uscc:
        expert.employer_uscc = _code(expert.employer_uscc)
    try:
        with transaction.atomic():
            expert.save()
    except IntegrityError as error:
        raise ReviewRefused("number_taken", expert.number) from error


def _code(uscc: str) -> str:
    try:
        return read_uscc(uscc)
    except ValueError as error:
        raise ReviewRefused("uscc_wrong", uscc) from error


@transaction.atomic
def declare_tie(
    *, expert: Expert, uscc: str, kind: str, note: str = "", by: User, now: datetime
) -> ExpertTie:
    """
    Note what ties an expert to an organisation; the expert may, and who maintains the pool.

    :raises ReviewRefused: `not_permitted`, `uscc_wrong`, `tie_unknown`, `tie_there`
    """
    _require_own_or_maintainer(expert, by, now)
    if kind not in ExpertTie.Kind.values:
        raise ReviewRefused("tie_unknown", kind)
    uscc = _code(uscc)
    if ExpertTie.objects.filter(expert=expert, uscc=uscc, kind=kind, ended_at=None).exists():
        raise ReviewRefused("tie_there")
    tie = ExpertTie.objects.create(
        expert=expert, uscc=uscc, kind=kind, note=note.strip(), declared_at=now, declared_by=by
    )
    _audit("reviews.declare_tie", expert, by, now, {"uscc": uscc, "kind": kind})
    return tie


@transaction.atomic
def end_tie(*, tie: ExpertTie, by: User, now: datetime) -> ExpertTie:
    """
    End a tie that is no more. Only who maintains the pool may: nobody lifts a bar from himself.

    :raises NotPermitted, ReviewRefused:
    """
    require(user=by, permission=Permission.MAINTAIN_EXPERTS, organisation=tie.expert.pool, on=local_day(now))
    locked = ExpertTie.objects.select_for_update(of=("self",)).select_related("expert__pool").get(pk=tie.pk)
    if locked.ended_at is not None:
        raise ReviewRefused("already_decided")
    locked.ended_at = now
    locked.save(update_fields=["ended_at"])
    _audit("reviews.end_tie", locked.expert, by, now, {"uscc": locked.uscc, "kind": locked.kind})
    return locked


def _require_own_or_maintainer(expert: Expert, by: User, now: datetime) -> None:
    own = expert.user_id == by.pk
    if not own and not may(
        user=by, permission=Permission.MAINTAIN_EXPERTS, organisation=expert.pool, on=local_day(now)
    ):
        raise ReviewRefused("not_permitted")


def _audit(action: str, expert: Expert, by: User, now: datetime, detail: dict[str, Any]) -> None:
    audit(
        by=by, now=now, organisation=expert.pool, action=action, object_ref=f"expert:{expert.number}",
        detail=detail,
    )  # fmt: skip
