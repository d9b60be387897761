"""
After a signature nothing is changed but by a revision: one party proposes, another agrees, every version is kept.

Masses too are revised, between generator and receiver: what that moves in their ledgers is `correcting`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from wufei.registry.access import Permission
from wufei.registry.models import Organisation, User
from wufei.registry.queries import lineage_of
from wufei.registry.services import audit
from wufei.transfers import fields, queries
from wufei.transfers.fields import SIGNED_IN, Field, Part, Shape
from wufei.transfers.models import Manifest, Revision
from wufei.transfers.refusals import Code, Reason, refused
from wufei.transfers.services.correcting import MASSES, correct_masses, mass_faults, masses_of
from wufei.transfers.services.signing import Held, faults_in, hold, keep_version, refuse
from wufei.transfers.states import Party, State

# What a permit or another signature stands on is not revised: cancel and issue anew.
NEVER = frozenset({"receiver", "stream", "lot", "received_count", "mode", "carrier", "plate"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One field that shall say something else; `position` is that of the line or leg."""

    part: Part
    field: str
    to: Any
    position: int = 0


@transaction.atomic
def propose_revision(
    *,
    manifest: Manifest,
    organisation: Organisation,
    changes: Sequence[Change],
    reason: str,
    is_reweighed: bool = False,
    by: User,
    now: datetime,
) -> Revision:
    """
    Propose to change what was signed.

    :param is_reweighed: a mass that is ten times the other was weighed again, and is so
    :raises TransferRefused, NotPermitted:
    """
    held = _held(manifest, organisation, by, now)
    if held.manifest.now_in in (State.DRAFT, State.CANCELLED):
        raise refused(Code.ACT_NOT_NOW)
    if not reason.strip():
        raise refused(Code.REASON_MISSING)
    if Revision.objects.filter(manifest=held.manifest, state=Revision.State.PROPOSED).exists():
        raise refused(Code.REVISION_OPEN)
    parties = queries.parties_of(held.manifest, organisation, held.legs)
    said = []
    for change in changes:
        field = _field(change, parties)
        if not fields.is_sealed(field, SIGNED_IN[held.manifest.now_in]):
            raise refused(Code.NOT_SEALED, field.label, change.field)
        values = _values(held, change)
        refuse(faults_in(change.part, {change.field: change.to}))
        if field.required_from is not None and fields.is_empty(change.to):
            raise refused(Code.FIELD_MISSING, field.label, change.field)
        if values.get(change.field) != change.to:
            said.append(
                {
                    "part": change.part.value, "position": change.position, "field": change.field,
                    "from": values.get(change.field), "to": change.to,
                }
            )  # fmt: skip
    if not said:
        raise refused(Code.REVISION_EMPTY)
    refuse(mass_faults(held, masses_of(said), is_reweighed=is_reweighed))
    row = Revision.objects.create(
        manifest=held.manifest, changes=said, reason=reason.strip()[:300], proposed_for=organisation,
        proposed_by=by, proposed_at=now,
    )  # fmt: skip
    _audit(held, "propose_revision", {"revision": row.pk})
    return row


def _field(change: Change, parties: Sequence[Party]) -> Field:
    found = next(
        (each for each in fields.FIELDS if each.part is change.part and each.name == change.field), None
    )
    if found is None:
        raise refused(Code.FIELD_UNKNOWN, change.field)
    if change.field in NEVER or found.shape is Shape.ORGANISATION:
        raise refused(Code.NOT_REVISABLE, found.label, change.field)
    if found.filled_by not in parties:
        raise refused(Code.FIELD_OF_ANOTHER_PARTY, found.label, change.field)
    return found


def _values(held: Held, change: Change) -> dict[str, Any]:
    if change.part is Part.MANIFEST:
        return queries.manifest_values(held.manifest)
    if change.part is Part.LINE:
        line = next((each for each in held.lines if each.position == change.position), None)
        if line is None:
            raise refused(Code.LINE_UNKNOWN, str(change.position))
        return queries.line_values(line)
    leg = next((each for each in held.legs if each.position == change.position), None)
    if leg is None or leg.signed_at is None:
        raise refused(Code.LINE_UNKNOWN, f"第 {change.position} 段")
    return queries.leg_values(leg)


@transaction.atomic
def answer_revision(
    *, revision: Revision, organisation: Organisation, agrees: bool, answer: str = "", by: User, now: datetime
) -> Revision:
    """
    Agree to a revision that another party proposed, whereby it stands, or don't.

    :raises TransferRefused, NotPermitted:
    """
    held = _held(revision.manifest, organisation, by, now)
    row = Revision.objects.select_for_update().get(pk=revision.pk)
    if row.state != Revision.State.PROPOSED:
        raise refused(Code.REVISION_NOT_OPEN)
    if not queries.parties_of(held.manifest, organisation, held.legs):
        raise refused(Code.WRONG_PARTY)
    own = lineage_of(organisation=organisation)
    if row.proposed_for_id in own or organisation.pk in lineage_of(organisation=row.proposed_for):
        raise refused(Code.OWN_REVISION)
    if agrees and not queries.may_agree(revision=row, manifest=held.manifest, organisation=organisation):
        raise refused(Code.WRONG_PARTY, "数量的更正由移出人和接受人商定")
    if not agrees and not answer.strip():
        raise refused(Code.REASON_MISSING)
    row.state = Revision.State.AGREED if agrees else Revision.State.REJECTED
    row.answered_for, row.answered_by, row.answered_at, row.answer = (
        organisation,
        by,
        now,
        answer.strip()[:300],
    )
    row.save()
    if agrees:
        _apply(held, row)
        keep_version(held, row)
    _audit(held, "agree_to_revision" if agrees else "reject_revision", {"revision": row.pk})
    return row


@transaction.atomic
def withdraw_revision(*, revision: Revision, organisation: Organisation, by: User, now: datetime) -> Revision:
    """Take back what one proposed oneself, before it is answered."""
    held = _held(revision.manifest, organisation, by, now)
    row = Revision.objects.select_for_update().get(pk=revision.pk)
    if row.state != Revision.State.PROPOSED:
        raise refused(Code.REVISION_NOT_OPEN)
    if row.proposed_for_id not in lineage_of(organisation=organisation):
        raise refused(Code.WRONG_PARTY, row.proposed_for.name)
    row.state, row.answered_for, row.answered_by, row.answered_at = (
        Revision.State.WITHDRAWN, organisation, by, now,
    )  # fmt: skip
    row.save()
    _audit(held, "withdraw_revision", {"revision": row.pk})
    return row


def _held(manifest: Manifest, organisation: Organisation, by: User, now: datetime) -> Held:
    held = hold(
        manifest=manifest, organisation=organisation, permission=Permission.HANDLE_MANIFESTS, by=by, now=now
    )
    if not queries.parties_of(held.manifest, organisation, held.legs):
        raise refused(Code.WRONG_PARTY)
    return held


def _apply(held: Held, row: Revision) -> None:
    """Let the manifest say what was agreed; what somebody changed meanwhile would be a contradiction."""
    stale: list[Reason] = []
    for each in row.changes:
        change = Change(
            part=Part(each["part"]), field=each["field"], to=each["to"], position=each["position"]
        )
        if _values(held, change).get(change.field) != each["from"]:
            stale.append(Reason(Code.STALE_EDIT, change.field))
            continue
        if change.part is Part.MANIFEST:
            held.manifest.said[change.field] = change.to
        elif change.part is Part.LINE:
            if change.field in MASSES:  # below, all together
                continue
            line = next(one for one in held.lines if one.position == change.position)
            if change.field == "package_count":
                line.package_count = change.to
            else:
                line.said[change.field] = change.to
            line.save(update_fields=["said", "package_count"])
        else:
            leg = next(one for one in held.legs if one.position == change.position)
            leg.said[change.field] = change.to
            leg.save(update_fields=["said"])
    refuse(stale)
    held.manifest.version += 1
    held.manifest.save(update_fields=["said", "version"])
    correct_masses(held, row)


def _audit(held: Held, what: str, detail: dict[str, Any]) -> None:
    audit(
        by=held.by, now=held.now, organisation=held.organisation, action=f"transfers.{what}",
        object_ref=held.manifest.reference, detail=detail,
    )  # fmt: skip
