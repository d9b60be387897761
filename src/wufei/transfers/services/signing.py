"""
What every act on a manifest has in common: take it for ourselves, see whose turn it is, sign, keep the version.

A retry under the same client id finds the signature that stands, and does nothing.
"""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from wufei.ledger import services as ledger
from wufei.ledger.models import Movement
from wufei.ledger.posting import Draft
from wufei.ledger.wording import REFUSAL_TEXT
from wufei.registry.access import Permission
from wufei.registry.models import Organisation, User
from wufei.registry.queries import lineage_of, may, require
from wufei.registry.services import audit, operator
from wufei.terms.day import local_day
from wufei.transfers import fields, queries
from wufei.transfers.content import content_hash
from wufei.transfers.fields import Part, Signing
from wufei.transfers.models import Flag, Leg, Manifest, ManifestLine, ManifestVersion, Revision, Signature
from wufei.transfers.refusals import Code, Reason, TransferRefused, refused
from wufei.transfers.states import ACT_LABELS, ENDED, LABELS, Act, Move, Party, move_of
from wufei.transfers.wording import FAULT_TEXT


@dataclass
class Held:
    """A manifest that is ours until the transaction ends, and who acts on it for whom."""

    manifest: Manifest
    lines: list[ManifestLine]
    legs: list[Leg]
    organisation: Organisation
    by: User
    now: datetime
    client_id: uuid.UUID
    is_done: bool = False  # it was signed so before: nothing is left to do

    @property
    def uid(self) -> uuid.UUID:
        return self.manifest.uid


def hold(
    *,
    manifest: Manifest,
    organisation: Organisation,
    permission: Permission,
    by: User,
    now: datetime,
    client_id: uuid.UUID | None = None,
) -> Held:
    """
    Lock the manifest and read what stands on it.

    :raises NotPermitted: if the person may not act so for the organisation
    """
    require(user=by, permission=permission, organisation=organisation, on=local_day(now))
    row = (
        Manifest.objects.select_for_update(of=("self",))
        .select_related("generator", "receiver")
        .get(pk=manifest.pk)
    )
    held = Held(
        row, queries.lines_of(row), queries.legs_of(row), organisation, by, now, client_id or uuid.uuid4()
    )
    if client_id is not None:
        before = Signature.objects.filter(manifest=row, client_id=client_id).first()
        if before is not None and before.organisation_id != organisation.pk:
            raise refused(Code.CLIENT_ID_REUSED, str(client_id))
        held.is_done = before is not None
    return held


def turn(held: Held, act: Act, *, leg: Leg | None = None) -> Move:
    """
    Return where the act leads, if it is the organisation's turn.

    :raises TransferRefused: act_not_now, wrong_party
    """
    state = held.manifest.now_in
    move = move_of(state, act)
    if move is None:
        raise refused(Code.ACT_NOT_NOW, f"现在是“{LABELS[state]}”，不能{ACT_LABELS[act]}")
    if move.party is Party.CARRIER:
        wanted = {leg.carrier_id} if leg else set()
        names = [leg.carrier.name] if leg else []
    else:
        wanted = queries.party_keys(held.manifest, move.party, held.legs)
        names = [
            each.name
            for each in (held.manifest.generator, held.manifest.receiver)
            if each is not None and each.pk in wanted
        ]
    if held.organisation.pk not in wanted and not wanted & lineage_of(organisation=held.organisation):
        raise refused(Code.WRONG_PARTY, f"{ACT_LABELS[act]}由{'、'.join(names) or '尚未写明的单位'}办理")
    return move


def sign(held: Held, move: Move, *, words: str = "", place: str = "") -> Signature:
    """Bring the manifest into its new state, under a signature over its content as it then stands."""
    manifest = held.manifest
    last = Signature.objects.filter(manifest=manifest).order_by("-seq").first()
    if last is not None and held.now < last.signed_at:
        raise refused(Code.CLOCK_BACKWARDS, f"{last.signed_at.isoformat()}")
    manifest.state = move.target.value
    manifest.version += 1
    manifest.save()
    if move.target in ENDED:
        ManifestLine.objects.filter(manifest=manifest, holds_lot=True).update(holds_lot=False)
    version = keep_version(held)
    signature = Signature.objects.create(
        manifest=manifest, seq=last.seq + 1 if last else 1, act=move.act.value, party=move.party.value,
        organisation=held.organisation, organisation_name=held.organisation.name, signed_by=held.by,
        signer_name=str(held.by)[:60], signed_at=held.now, words=words, place=place, version=version,
        content_sha256=version.sha256, client_id=held.client_id,
    )  # fmt: skip
    if move.act is not Act.ISSUE and _has_closed_party(held):
        flag(held, "party_closed_on_the_road")
    audit(
        by=held.by, now=held.now, organisation=held.organisation, action=f"transfers.{move.act.value.lower()}",
        object_ref=manifest.reference, detail={"state": manifest.state, "version": version.number},
    )  # fmt: skip
    return signature


def _has_closed_party(held: Held) -> bool:
    parties = [held.manifest.generator, held.manifest.receiver, *(leg.carrier for leg in held.legs)]
    return any(each is not None and each.closed_on is not None for each in parties)


def keep_version(held: Held, revision: Revision | None = None) -> ManifestVersion:
    """Keep what the manifest says now."""
    manifest = held.manifest
    document = queries.document_of(manifest, held.lines, held.legs)
    count = ManifestVersion.objects.filter(manifest=manifest).count()
    return ManifestVersion.objects.create(
        manifest=manifest, number=count + 1, document=document, sha256=content_hash(document), revision=revision,
        made_at=held.now,
    )  # fmt: skip


def flag(held: Held, code: str, detail: str = "") -> None:
    """Raise a flag, once."""
    if not Flag.objects.filter(manifest=held.manifest, code=code, detail=detail).exists():
        Flag.objects.create(manifest=held.manifest, code=code, detail=detail, raised_at=held.now)


# --- what must be filled in


def faults_in(
    part: Part, said: Mapping[str, Any], where: str = "", only: Party | None = None
) -> list[Reason]:
    """Return what is wrong with what was filled in, by itself: a field that isn't there, a value that can't be."""
    known = {each.name: each for each in fields.FIELDS if each.part is part}
    found = []
    for name, value in said.items():
        at = f"{where}{name}"
        field = known.get(name)
        if field is None:
            found.append(Reason(Code.FIELD_UNKNOWN, at, name))
        elif only is not None and field.filled_by is not only and not fields.is_empty(value):
            found.append(Reason(Code.FIELD_OF_ANOTHER_PARTY, at, field.label))
        elif wrong := fields.fault(field, value):
            code = Code.MASS_NOT_POSITIVE if wrong == "not_positive" else Code.FIELD_MALFORMED
            found.append(Reason(code, at, f"{field.label}：{FAULT_TEXT[wrong]}"))
    return found


def lacking(held: Held, at: Signing, *, leg: Leg | None = None) -> list[Reason]:
    """Return what must be filled in before the signature and isn't; of the legs, the one that is signed."""
    manifest = held.manifest
    asked: dict[str, Any] = {
        "at": at, "on": manifest.issued_on or local_day(held.now), "is_hazardous": manifest.is_hazardous,
    }  # fmt: skip
    parts = [("", Part.MANIFEST, queries.manifest_values(manifest))]
    parts += [(f"lines.{line.position}.", Part.LINE, queries.line_values(line)) for line in held.lines]
    if leg is not None:
        parts.append((f"legs.{leg.position}.", Part.LEG, queries.leg_values(leg)))
    return [
        Reason(Code.FIELD_MISSING, f"{where}{field.name}", field.label)
        for where, part, values in parts
        for field in fields.missing(part, values, **asked)
    ]


def refuse(reasons: Iterable[Reason]) -> None:
    """
    Let the caller go on only where there is no reason against.

    :raises TransferRefused: otherwise
    """
    found = list(reasons)
    if found:
        raise TransferRefused(*found)


# --- the ledger


def post(held: Held, organisation: Organisation, drafts: list[Draft], by: User) -> list[Movement]:
    """
    Post what the manifest moves.

    :raises TransferRefused: if the ledger refuses
    """
    if not drafts:
        return []
    try:
        posted = ledger.post(
            organisation=organisation, drafts=drafts, by=by, now=held.now, is_of_a_whole=True
        )
    except ledger.MovementsRefused as why:
        raise refused_by_ledger(organisation, why) from why
    return list(posted)


def refused_by_ledger(
    organisation: Organisation, why: ledger.MovementsRefused, *, is_by_line: bool = True
) -> TransferRefused:
    """Return the refusal that says what the ledger of which organisation said."""
    return TransferRefused(
        *(
            Reason(
                Code.LEDGER_REFUSED, f"lines.{at + 1}" if is_by_line else "",
                f"{organisation.name}：{REFUSAL_TEXT[each.code]}",
            )
            for at, refusals in why.refusals
            for each in refusals
        )
    )  # fmt: skip


def poster_for(held: Held) -> User:
    """
    Return who posts in the generator's ledger: whoever issued the manifest, who thereby ordered what follows.

    Where that person no longer may, the platform itself does; the signature under the act is kept anyway.
    """
    issued = (
        Signature.objects.filter(manifest=held.manifest, act=Act.ISSUE).select_related("signed_by").first()
    )
    generator, today = held.manifest.generator, local_day(held.now)
    if issued is not None and may(
        user=issued.signed_by, permission=Permission.POST_MOVEMENTS, organisation=generator, on=today
    ):
        return issued.signed_by
    return operator()


def movement_id(held: Held, what: str) -> uuid.UUID:
    """Return the client id of a movement that the manifest makes: the same at every retry."""
    return uuid.uuid5(held.uid, what)
