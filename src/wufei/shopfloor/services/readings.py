"""
Readings are received, and used once: taken by a movement, or set aside with the reason.

A reading and what the scale's rule makes of it are written in one transaction, under a lock on the scale: who
sends it again, through whichever door, is answered what was answered before.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from wufei.ledger import services as ledger
from wufei.ledger.kinds import Kind
from wufei.ledger.models import Movement
from wufei.ledger.posting import Draft
from wufei.registry.access import Permission
from wufei.registry.models import Organisation, User
from wufei.registry.queries import NotPermitted, require
from wufei.registry.services import audit
from wufei.shopfloor import queries
from wufei.shopfloor.models import Reading, ReadingUse, Rule, Scale
from wufei.shopfloor.reading import Message, Refused, Unreadable, Weighing, parsed, refusal, weighing_of
from wufei.shopfloor.refusals import Code, ShopfloorRefused
from wufei.shopfloor.signing import client_id, digest, is_signed
from wufei.terms.day import local_day
from wufei.terms.mass import Mass

# Why a rule could not post, beside the ledger's own codes.
MAY_NOT_POST, USED_BEFORE = "may_not_post", "client_id_reused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a scale is told of a reading; the same however often it asks."""

    scale: str
    sequence: int
    refusal: str  # a code of `reading.Refused`; "" where it was accepted
    waits_because: str  # a code of the ledger, where the rule could not post it
    movement: int | None  # as which it was posted by rule
    received_at: datetime
    is_replay: bool = False


def receive(*, body: bytes, now: datetime) -> Answer:
    """
    Take a reading as it came in, with its signature in it.

    :raises ShopfloorRefused: not_readable, scale_unknown, signature_wrong: then it is nobody's reading
    """
    try:
        message, signature = parsed(body)
    except Unreadable as why:
        raise ShopfloorRefused(Code.NOT_READABLE, why.field) from None
    return accept(message=message, signature=signature, now=now)


def is_from(*, scale: Scale, message: Message, signature: str) -> bool:
    """Return whether the scale itself said so."""
    return is_signed(message, scale.secret, signature)


@transaction.atomic
def accept(*, message: Message, signature: str, now: datetime) -> Answer:
    """
    Keep a signed reading, and do with it what the scale's rule says.

    :raises ShopfloorRefused: scale_unknown, signature_wrong: then it is nobody's reading
    """
    scales = Scale.objects.select_for_update(of=("self",)).filter(code=message.scale)
    scale = scales.select_related("organisation", "ruled_by").first()
    if scale is None:
        raise ShopfloorRefused(Code.SCALE_UNKNOWN, message.scale)
    if not is_from(scale=scale, message=message, signature=signature):
        raise ShopfloorRefused(Code.SIGNATURE_WRONG, scale.code)
    said = digest(message)
    kept = queries.readings(scale=scale).filter(digest=said).first()
    if kept is not None:
        return _answer(scale, kept, is_replay=True)
    return _answer(scale, _keep(scale, message, said, now))


def _keep(scale: Scale, message: Message, said: str, now: datetime) -> Reading:
    known = queries.known_of(scale=scale, sequence=message.sequence)
    found = weighing_of(message)
    row = Reading(scale=scale, sequence=message.sequence, digest=said, said=message.said(), received_at=now)
    if isinstance(found, Weighing):
        row.gross_g, row.tare_g, row.net_g = found.gross_g, found.tare_g, found.net_g
        row.taken_at = found.taken_at
        row.refusal = refusal(found, known, now) or ""
    else:
        row.refusal = Refused.SEQUENCE_REUSED if known.is_reused else found
    movement = None
    if not row.refusal and scale.rule == Rule.POST:
        movement, row.waits_because = _post(scale, row, now)
    row.save(force_insert=True)
    if movement is not None:
        row.use = ReadingUse.objects.create(
            reading=row, movement=movement, by_rule=True, at=now, by=scale.ruled_by
        )
    return row


def _post(scale: Scale, row: Reading, now: datetime) -> tuple[Movement | None, str]:
    """Post the reading as its rule says, or return why it waits for a person instead."""
    assert scale.stream is not None, "a constraint holds it"
    assert row.taken_at is not None, "it was accepted"
    assert row.net_g is not None, "it was accepted"
    draft = Draft(
        kind=Kind.GENERATION, moved_on=local_day(row.taken_at), stream_code=scale.stream.code,
        mass=Mass(row.net_g), store_code=scale.store.code, handler=scale.name,
        note=f"{scale.code} #{row.sequence}", client_id=client_id(scale.code, row.sequence),
    )  # fmt: skip
    try:
        posted = ledger.post(organisation=scale.organisation, drafts=[draft], by=scale.ruled_by, now=now)
        return posted[0], ""
    except ledger.MovementsRefused as refused:
        [(_, reasons)] = refused.refusals
        return None, reasons[0].code
    except ledger.ClientIdReused:
        return None, USED_BEFORE
    except NotPermitted:
        return None, MAY_NOT_POST


def _answer(scale: Scale, row: Reading, *, is_replay: bool = False) -> Answer:
    use = getattr(row, "use", None)
    return Answer(
        scale=scale.code, sequence=row.sequence, refusal=row.refusal, waits_because=row.waits_because,
        movement=use.movement.seq if use is not None and use.by_rule else None, received_at=row.received_at,
        is_replay=is_replay,
    )  # fmt: skip


def take(*, reading: Reading, movement: Movement, by: User, now: datetime) -> ReadingUse:
    """
    Note that the movement took the reading; the caller has it locked, in its own transaction.

    :raises ShopfloorRefused: reading_taken
    """
    if ReadingUse.objects.filter(reading=reading).exists():
        raise ShopfloorRefused(Code.READING_TAKEN, str(reading.sequence))
    return ReadingUse.objects.create(reading=reading, movement=movement, at=now, by=by)


def locked(*, organisation: Organisation, scale_code: str, sequence: int) -> Reading:
    """
    Return an accepted reading, kept from others until the transaction ends.

    :raises ShopfloorRefused: reading_unknown
    """
    scale = Scale.objects.select_for_update().filter(organisation=organisation, code=scale_code).first()
    row = (
        queries.readings(scale=scale).filter(sequence=sequence, refusal="").first()
        if scale is not None
        else None
    )
    if row is None:
        raise ShopfloorRefused(Code.READING_UNKNOWN, f"{scale_code} #{sequence}")
    return row


@transaction.atomic
def set_aside(
    *, organisation: Organisation, scale_code: str, sequence: int, reason: str, by: User, now: datetime
) -> ReadingUse:
    """
    Say that a waiting reading weighed no waste: a test, an empty pallet, somebody standing on the scale.

    :raises ShopfloorRefused: reading_unknown, reading_taken, reason_missing
    """
    require(user=by, permission=Permission.POST_MOVEMENTS, organisation=organisation, on=local_day(now))
    reason = reason.strip()[:200]
    if not reason:
        raise ShopfloorRefused(Code.REASON_MISSING)
    row = locked(organisation=organisation, scale_code=scale_code, sequence=sequence)
    if ReadingUse.objects.filter(reading=row).exists():
        raise ShopfloorRefused(Code.READING_TAKEN, str(sequence))
    use = ReadingUse.objects.create(reading=row, reason=reason, at=now, by=by)
    audit(
        by=by, now=now, organisation=organisation, action="shopfloor.set_aside",
        object_ref=f"{scale_code} #{sequence}", detail={"reason": reason},
    )  # fmt: skip
    return use
