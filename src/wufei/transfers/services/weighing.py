"""Many small loads under one weighing: each has its share of it, and the shares sum to it to the gram."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction

from wufei.registry.access import Permission
from wufei.registry.models import Organisation, User
from wufei.registry.queries import require
from wufei.registry.services import audit
from wufei.terms.day import local_day
from wufei.terms.mass import Mass
from wufei.transfers import queries
from wufei.transfers.models import Manifest, ManifestLine, WeighedLoad
from wufei.transfers.refusals import Code, refused
from wufei.transfers.services.receiving import LineReceived, lock_ledgers, receive
from wufei.transfers.shares import shares
from wufei.transfers.states import Act


@transaction.atomic
def receive_load(
    *,
    manifests: Sequence[Manifest],
    organisation: Organisation,
    received: Mass,
    mode: str,
    said: Mapping[str, str],
    store_code: str = "",
    is_reweighed: bool = False,
    by: User,
    now: datetime,
    client_id: uuid.UUID | None = None,
) -> WeighedLoad:
    """
    Accept the manifests of one vehicle under one weighing: each line has its share of it, to the gram.

    :raises TransferRefused, NotPermitted: nothing is received then, of none of them
    """
    require(user=by, permission=Permission.SIGN_MANIFESTS, organisation=organisation, on=local_day(now))
    keys = [each.pk for each in manifests]
    if client_id is not None and (standing := WeighedLoad.objects.filter(client_id=client_id).first()):
        return _weighed_before(standing, organisation, keys)
    if received.grams <= 0:
        raise refused(Code.MASS_NOT_POSITIVE, where="mass_g")
    locked = Manifest.objects.select_for_update(of=("self",)).select_related("generator").order_by("pk")
    rows = list(locked.filter(pk__in=keys))
    lock_ledgers({*(each.generator for each in rows), organisation})
    lines = list(
        ManifestLine.objects.filter(manifest__in=keys)
        .select_related("manifest")
        .order_by("manifest__number", "position")
    )
    if not lines:
        raise refused(Code.LINES_MISSING)
    parts: dict[int, list[LineReceived]] = {}
    shared = list(zip(lines, shares_of(lines, received), strict=True))
    for line, grams in shared:
        found = LineReceived(position=line.position, received=Mass(grams), mode=mode)
        parts.setdefault(line.manifest_id, []).append(found)
    for each in rows:
        receive(
            manifest=each, organisation=organisation, act=Act.ACCEPT, lines=parts.get(each.pk, []), said=said,
            store_code=store_code, is_reweighed=is_reweighed, by=by, now=now,
        )  # fmt: skip
    load = WeighedLoad.objects.create(
        client_id=client_id or uuid.uuid4(), organisation=organisation, received_g=received.grams,
        declared_g=sum(line.declared_g for line in lines),
        shares=[[line.manifest.number, line.position, grams] for line, grams in shared], mode=mode.strip().upper(),
        plate=queries.plate_of(manifests=rows), weighed_at=now, weighed_by=by,
    )  # fmt: skip
    Manifest.objects.filter(pk__in=keys).update(weighed_load=load)
    audit(
        by=by, now=now, organisation=organisation, action="transfers.receive_load", object_ref=str(load.pk),
        detail={"manifests": [each.number for each in rows], "received_g": received.grams},
    )  # fmt: skip
    return load


def shares_of(lines: Sequence[ManifestLine], received: Mass) -> list[int]:
    """Return each line's share of the weighing in grams, by what it declared; in the order of the lines."""
    return shares(received.grams, [line.declared_g for line in lines])


def _weighed_before(standing: WeighedLoad, organisation: Organisation, keys: Sequence[int]) -> WeighedLoad:
    known = set(standing.manifests.values_list("pk", flat=True))
    if standing.organisation_id != organisation.pk or known != set(keys):
        raise refused(Code.CLIENT_ID_REUSED, str(standing.client_id))
    return standing
