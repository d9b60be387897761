"""
A generator signs its manifest: on its own phone, or with its own code on the driver's.

A code of six digits or more is kept as a slow salted hash only; five wrong ones lock it for a quarter of an hour. Whose
code and whose phone it was is kept for good.
"""

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction

from wufei.collection.models import CollectionRound, SigningCode, SpotSignature, Stop
from wufei.collection.refusals import Code, CollectionRefused
from wufei.collection.services.rounds import held, named, note, waiting
from wufei.registry.access import Permission
from wufei.registry.models import Organisation, User, Vehicle
from wufei.registry.queries import require
from wufei.registry.services import audit
from wufei.terms.day import local_day
from wufei.terms.mass import Mass
from wufei.transfers import queries as transfer_queries
from wufei.transfers import services as transfers
from wufei.transfers.models import Manifest, ManifestLine
from wufei.transfers.refusals import TransferRefused
from wufei.transfers.services import LegSaid, LineSaid
from wufei.transfers.states import State

MOST_FAILURES, LOCKED_FOR = 5, timedelta(minutes=15)


@transaction.atomic
def set_signing_code(*, organisation: Organisation, code: str, by: User, now: datetime) -> SigningCode:
    """
    Set one's own code for the organisation; a new one ends the old.

    :raises CollectionRefused: signing_code_malformed
    """
    require(user=by, permission=Permission.HANDLE_MANIFESTS, organisation=organisation, on=local_day(now))
    if not _is_good(code):
        raise CollectionRefused(Code.SIGNING_CODE_MALFORMED, where="code")
    row, _made = SigningCode.objects.update_or_create(
        organisation=organisation,
        defaults={
            "user": by,
            "code_hash": make_password(code),
            "set_at": now,
            "failures": 0,
            "locked_until": None,
        },
    )
    audit(by=by, now=now, organisation=organisation, action="collection.set_signing_code")
    return row


def _is_good(code: str) -> bool:
    """
    >>> _is_good("380417"), _is_good("111111"), _is_good("123456"), _is_good("987654"), _is_good("12345")
    (True, False, False, False, False)
    """
    if not (code.isascii() and code.isdecimal() and 6 <= len(code) <= 12):
        return False
    steps = {int(after) - int(before) for before, after in pairwise(code)}
    return steps not in ({0}, {1}, {-1})


@transaction.atomic
def sign_as_generator(
    *, stop: Stop, organisation: Organisation, client_id: uuid.UUID | None = None, by: User, now: datetime
) -> Manifest:
    """
    Sign, as the generator on its own phone, what it will hand over.

    :raises CollectionRefused, NotPermitted:
    """
    if stop.generator_id != organisation.pk:
        raise CollectionRefused(Code.STOP_UNKNOWN)
    _refuse_ended(stop)
    try:
        return transfers.issue(
            manifest=stop.manifest, organisation=organisation, by=by, now=now, client_id=client_id
        )
    except TransferRefused as why:
        raise named(why) from why


def _refuse_ended(stop: Stop) -> None:
    row = CollectionRound.objects.get(pk=stop.round_id)
    if row.state not in (CollectionRound.State.PLANNED, CollectionRound.State.UNDER_WAY):
        raise CollectionRefused(Code.ROUND_NOT_NOW, str(row.get_state_display()))


@transaction.atomic
def load_signed(*, stop: Stop, by: User, now: datetime) -> Stop:
    """Load, as the driver, what the generator has signed itself."""
    row = _under_way(stop, by, now)
    found = waiting(row, stop)
    if State(found.manifest.state) is not State.ISSUED:
        raise CollectionRefused(Code.NOT_SIGNED)
    _load(row, found, by, now)
    return found


def sign_on_the_spot(
    *, stop: Stop, code: str, masses: Mapping[int, Mass] | None = None, by: User, now: datetime
) -> Stop:
    """
    Sign for the generator with its own code on the driver's phone, at the masses that both look at; then load.

    :param masses: what was weighed of each line of bulk, by its position; else what the draft says
    :raises CollectionRefused, NotPermitted:
    """
    require(
        user=by, permission=Permission.SIGN_MANIFESTS, organisation=stop.round.collector, on=local_day(now)
    )
    holder = _holder(stop.generator, code, now)  # a wrong code is counted, so nothing is rolled back
    with transaction.atomic():
        row = _under_way(stop, by, now)
        found = waiting(row, stop)
        manifest = found.manifest
        try:
            if State(manifest.state) is State.DRAFT:
                manifest = _as_weighed(found, masses or {}, holder, now)
                manifest = transfers.issue(
                    manifest=manifest, organisation=found.generator, by=holder, now=now,
                    client_id=uuid.uuid5(manifest.uid, "issue on the spot"),
                )  # fmt: skip
        except TransferRefused as why:
            raise named(why, found.generator.name) from why
        signed = transfer_queries.signatures_of(manifest).last()
        assert signed is not None, "it was issued just now"
        SpotSignature.objects.create(
            stop=found, holder=holder, driver=by, content_sha256=signed.content_sha256, signed_at=now
        )
        found.manifest = manifest
        _load(row, found, by, now)
    return found


def _holder(generator: Organisation, code: str, now: datetime) -> User:
    """Return whose code it is; a wrong one is counted at once."""
    with transaction.atomic():
        row = (
            SigningCode.objects.select_for_update(of=("self",))
            .select_related("user")
            .filter(organisation=generator)
            .first()
        )
        if row is None:
            raise CollectionRefused(Code.SIGNING_CODE_MISSING)
        if row.locked_until is not None and now < row.locked_until:
            raise CollectionRefused(Code.SIGNING_CODE_LOCKED)
        if is_right := check_password(code.strip(), row.code_hash):
            row.failures, row.locked_until = 0, None
        else:
            row.failures += 1
            if row.failures >= MOST_FAILURES:
                row.failures, row.locked_until = 0, now + LOCKED_FOR
        row.save(update_fields=["failures", "locked_until"])
    if not is_right:
        raise CollectionRefused(Code.SIGNING_CODE_WRONG, where="code")
    # Whoever left the generator since signs no more.
    require(user=row.user, permission=Permission.HANDLE_MANIFESTS, organisation=generator, on=local_day(now))
    return row.user


def _as_weighed(stop: Stop, masses: Mapping[int, Mass], holder: User, now: datetime) -> Manifest:
    """Let the draft say what was weighed; labelled lots stay as they are."""
    manifest = stop.manifest
    lines = transfer_queries.lines_of(manifest)
    if all(masses.get(line.position, Mass(line.declared_g)).grams == line.declared_g for line in lines):
        return manifest
    return transfers.edit_draft(
        manifest=manifest, organisation=stop.generator, version=manifest.version, receiver=stop.round.collector.uscc,
        legs=[LegSaid(carrier=leg.carrier.uscc, said=leg.said) for leg in transfer_queries.legs_of(manifest)],
        lines=[_said(line, masses) for line in lines], said=manifest.said, by=holder, now=now,
    )  # fmt: skip


def _said(line: ManifestLine, masses: Mapping[int, Mass]) -> LineSaid:
    said: dict[str, Any] = {
        "store": line.store_code, "package_count": line.package_count, "said": line.said,
    }  # fmt: skip
    if line.lot_code:
        return LineSaid(lot=line.lot_code, **said)
    return LineSaid(stream=line.stream.code, mass=masses.get(line.position, Mass(line.declared_g)), **said)


def _under_way(stop: Stop, by: User, now: datetime) -> CollectionRound:
    row = held(stop.round, by, now)
    if row.state != CollectionRound.State.UNDER_WAY:
        raise CollectionRefused(Code.ROUND_NOT_NOW, str(row.get_state_display()))
    return row


def _load(round_: CollectionRound, stop: Stop, by: User, now: datetime) -> None:
    vehicle = Vehicle.objects.filter(organisation=round_.collector, plate=round_.plate).first()
    said = {
        "plate": round_.plate, "driver": round_.driver, "driver_phone": round_.driver_phone,
        "vehicle_permit": vehicle.permit_number if vehicle else "",
        "starts_at": stop.generator.address[:200], "ends_at": round_.point.address[:200],
    }  # fmt: skip
    try:
        transfers.load(
            manifest=stop.manifest, organisation=round_.collector, said={k: v for k, v in said.items() if v}, by=by,
            now=now, client_id=uuid.uuid5(round_.uid, f"load:{stop.pk}"),
        )  # fmt: skip
    except TransferRefused as why:
        raise named(why, stop.generator.name) from why
    stop.state, stop.settled_at, stop.settled_by = Stop.State.LOADED, now, by
    stop.save(update_fields=["state", "settled_at", "settled_by"])
    note(round_, "collection.load", by, now, stop=stop)
