"""
What phones send: one entry at a time, each in its own transaction, each counted once.

A phone may send an entry again, since it can't know whether an answer that it didn't hear was given: the client
id that it made decides.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from wufei.labels import services as labels
from wufei.labels.digital_id import DigitalId
from wufei.labels.refusals import LabelRefused
from wufei.ledger import services as ledger
from wufei.ledger.kinds import Kind
from wufei.ledger.models import Movement
from wufei.ledger.posting import Draft
from wufei.registry.access import Permission
from wufei.registry.models import Organisation, User
from wufei.registry.queries import require
from wufei.registry.services import audit
from wufei.shopfloor import queries
from wufei.shopfloor.models import AbandonedEntry, Phone, Reading, ReadingUse
from wufei.shopfloor.refusals import Code, ShopfloorRefused
from wufei.shopfloor.scanned import lot_code_of
from wufei.shopfloor.services.readings import locked, take
from wufei.terms.day import local_day
from wufei.terms.mass import Mass

# A phone's clock may be ahead of ours by so much.
CLOCK_TOLERANCE = timedelta(minutes=10)
# No container weighs more; what does is a slip of the keypad.
MOST = Mass.of("100", "吨")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """What a phone is told of an entry that stands in the ledger."""

    seq: int
    lot: str
    store: str
    mass_g: int
    is_replay: bool
    digital_id: str = ""
    label_refusal: str = ""  # a code of the labels: why the container has no number


@transaction.atomic
def register_phone(*, organisation: Organisation, client_id: UUID, by: User, now: datetime) -> Phone:
    """Give a phone the number that its lot codes begin with; asked again, the same."""
    require(user=by, permission=Permission.POST_MOVEMENTS, organisation=organisation, on=local_day(now))
    Organisation.objects.select_for_update().get(pk=organisation.pk)  # one number at a time
    mine = Phone.objects.filter(organisation=organisation)
    if (found := mine.filter(client_id=client_id).first()) is not None:
        return found
    last = mine.aggregate(last=Max("number"))["last"] or 0
    phone = mine.create(
        organisation=organisation, number=last + 1, client_id=client_id, registered_at=now, registered_by=by
    )
    audit(
        by=by, now=now, organisation=organisation, action="shopfloor.register_phone",
        object_ref=str(phone.number), detail={},
    )  # fmt: skip
    return phone


@transaction.atomic
def enter_generation(
    *,
    organisation: Organisation,
    client_id: UUID,
    made_at: datetime,
    stream: str,
    lot: str,
    mass: Mass,
    store: str | None = None,
    reading: tuple[str, int] | None = None,
    packaging: str = "",
    digital_id: DigitalId | None = None,
    handler: str = "",
    by: User,
    now: datetime,
) -> Entered:
    """
    Post a new labelled lot, of the mass that was typed or that the scale's reading says.

    :param reading: the scale's code and the reading's sequence number
    :param digital_id: a 数字识别码 that the phone had reserved; without one, a hazardous container is given the next
    :raises ShopfloorRefused: reading_unknown, reading_taken, reading_differs, made_in_future, mass_too_large,
        client_id_reused
    :raises ledger.MovementsRefused: as the ledger says
    :raises labels.LabelRefused: if the phone's number is not its own, or used
    """
    require(user=by, permission=Permission.POST_MOVEMENTS, organisation=organisation, on=local_day(now))
    _refuse_impossible(made_at, mass, now)
    weighed = _reading_for(organisation, reading, mass, client_id) if reading is not None else None
    draft = Draft(
        kind=Kind.GENERATION, moved_on=local_day(made_at), stream_code=stream, mass=mass, store_code=store,
        lot_code=lot, handler=handler, note=f"{reading[0]} #{reading[1]}" if reading else "",
        client_id=client_id,
    )  # fmt: skip
    entered = _post(organisation, draft, by, now)
    if weighed is not None and not entered.is_replay:
        movement = Movement.objects.get(organisation=organisation, seq=entered.seq)
        take(reading=weighed, movement=movement, by=by, now=now)
    if not packaging:
        return entered
    said: dict[str, Any] = {
        "organisation": organisation,
        "lot_code": lot,
        "packaging": packaging,
        "by": by,
        "now": now,
    }
    if digital_id is not None:
        labels.use_number(digital_id=digital_id, **said)
        return replace(entered, digital_id=str(digital_id))
    try:
        container = labels.number_container(volume_ml=None, client_id=client_id, **said)
    except LabelRefused as refused:  # weighed is weighed: it stands in the ledger, and waits for its number
        ledger.describe_container(**said)
        return replace(entered, label_refusal=refused.code)
    return replace(entered, digital_id=container.digital_id or "")


def _reading_for(
    organisation: Organisation, reading: tuple[str, int], mass: Mass, client_id: UUID
) -> Reading:
    """Return the reading that the entry is of, unless it is another's, or says something else."""
    row = locked(organisation=organisation, scale_code=reading[0], sequence=reading[1])
    use = ReadingUse.objects.filter(reading=row).select_related("movement").first()
    if use is not None and (use.movement is None or use.movement.client_id != client_id):
        raise ShopfloorRefused(Code.READING_TAKEN, str(row.sequence))
    if row.net_g != mass.grams:
        raise ShopfloorRefused(Code.READING_DIFFERS, str(row.net_g))
    return row


@transaction.atomic
def enter_relocation(
    *,
    organisation: Organisation,
    client_id: UUID,
    made_at: datetime,
    scanned: str,
    to_store: str,
    seen_in: str | None = None,
    handler: str = "",
    by: User,
    now: datetime,
) -> Entered:
    """
    Move the whole of a scanned lot to another store.

    :param scanned: the label's QR code, or the lot's code
    :param seen_in: the store in which the phone believed it to stand
    :raises ShopfloorRefused: code_unknown, not_in_store, container_moved, already_there, made_in_future,
        client_id_reused
    :raises ledger.MovementsRefused: as the ledger says
    """
    require(user=by, permission=Permission.POST_MOVEMENTS, organisation=organisation, on=local_day(now))
    _refuse_impossible(made_at, None, now)
    lot_code = lot_code_of(scanned)
    standing = queries.standing_of(organisation=organisation, lot_code=lot_code) if lot_code else None
    if standing is None:
        raise ShopfloorRefused(Code.CODE_UNKNOWN, scanned[:80])
    before = Movement.objects.filter(organisation=organisation, client_id=client_id)
    if (done := before.select_related("lot", "source", "target").first()) is not None:
        if (done.kind, done.lot.code, done.target.code) != (Kind.RELOCATION, lot_code, to_store):
            raise ShopfloorRefused(Code.CLIENT_ID_REUSED)
        return _entered(done, is_replay=True)
    if standing.store is None:
        raise ShopfloorRefused(Code.NOT_IN_STORE, lot_code)
    if standing.store.code == to_store:
        raise ShopfloorRefused(Code.ALREADY_THERE, to_store)
    if seen_in is not None and seen_in != standing.store.code:
        raise ShopfloorRefused(Code.CONTAINER_MOVED, standing.store.code)
    draft = Draft(
        kind=Kind.RELOCATION, moved_on=local_day(made_at), stream_code=standing.lot.stream.code,
        mass=Mass(standing.mass_g), store_code=standing.store.code, other_place=to_store, lot_code=lot_code,
        handler=handler, client_id=client_id,
    )  # fmt: skip
    return _post(organisation, draft, by, now)


def _refuse_impossible(made_at: datetime, mass: Mass | None, now: datetime) -> None:
    if made_at > now + CLOCK_TOLERANCE:
        raise ShopfloorRefused(Code.MADE_IN_FUTURE, made_at.isoformat())
    if mass is not None and mass > MOST:
        raise ShopfloorRefused(Code.MASS_TOO_LARGE)


def _post(organisation: Organisation, draft: Draft, by: User, now: datetime) -> Entered:
    assert draft.client_id is not None, "the phone made one"
    is_replay = Movement.objects.filter(organisation=organisation, client_id=draft.client_id).exists()
    try:
        posted = ledger.post(organisation=organisation, drafts=[draft], by=by, now=now)
    except ledger.ClientIdReused:
        raise ShopfloorRefused(Code.CLIENT_ID_REUSED) from None
    [movement] = posted.select_related("lot", "source", "target")
    return _entered(movement, is_replay=is_replay)


def _entered(movement: Movement, *, is_replay: bool) -> Entered:
    return Entered(
        seq=movement.seq, lot=movement.lot.code, store=movement.target.code, mass_g=movement.mass_g,
        is_replay=is_replay,
    )  # fmt: skip


@transaction.atomic
def abandon(
    *,
    organisation: Organisation,
    client_id: UUID,
    content: dict[str, Any],
    refusal: str,
    reason: str,
    made_at: datetime,
    by: User,
    now: datetime,
) -> AbandonedEntry:
    """
    Keep what a worker gives up, with the reason; given up again, it is the same.

    :raises ShopfloorRefused: reason_missing; client_id_reused where the entry stands in the ledger
    """
    require(user=by, permission=Permission.POST_MOVEMENTS, organisation=organisation, on=local_day(now))
    reason = reason.strip()[:200]
    if not reason:
        raise ShopfloorRefused(Code.REASON_MISSING)
    if Movement.objects.filter(organisation=organisation, client_id=client_id).exists():
        raise ShopfloorRefused(Code.CLIENT_ID_REUSED)
    row, created = AbandonedEntry.objects.get_or_create(
        organisation=organisation,
        client_id=client_id,
        defaults={
            "content": content, "refusal": refusal[:300], "reason": reason, "made_at": made_at,
            "abandoned_at": now, "abandoned_by": by,
        },
    )  # fmt: skip
    if created:
        audit(
            by=by, now=now, organisation=organisation, action="shopfloor.abandon", object_ref=str(client_id),
            detail={"reason": reason, "refusal": refusal[:300]},
        )  # fmt: skip
    return row
