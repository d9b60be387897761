"""Collection points: which store of the collector it is, and for which districts."""

from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction

from wufei.catalogue.divisions import division_of_code
from wufei.collection.models import CollectionPoint
from wufei.collection.refusals import Code, CollectionRefused
from wufei.ledger.kinds import PlaceKind
from wufei.ledger.models import Place
from wufei.registry.access import Permission
from wufei.registry.models import Organisation, User
from wufei.registry.queries import require
from wufei.registry.services import audit
from wufei.terms.day import local_day
from wufei.transfers.services.drafting import RECEIVERS


@transaction.atomic
def record_point(
    *,
    organisation: Organisation,
    store_code: str,
    address: str,
    divisions: Sequence[str],
    emergency_phone: str,
    emergency_measures: str,
    by: User,
    now: datetime,
) -> CollectionPoint:
    """
    Record a collection point, or change what is said of it.

    :raises CollectionRefused, NotPermitted:
    """
    require(user=by, permission=Permission.KEEP_PERMITS, organisation=organisation, on=local_day(now))
    if organisation.kind not in RECEIVERS:
        raise CollectionRefused(Code.POINT_MALFORMED, "单位类型应为企业或利用处置单位", "organisation")
    store = Place.objects.filter(organisation=organisation, code=store_code, kind=PlaceKind.STORE).first()
    if store is None:
        raise CollectionRefused(Code.STORE_UNKNOWN, where="store")
    said = {
        "address": address.strip(), "emergency_phone": emergency_phone.strip(),
        "emergency_measures": emergency_measures.strip(),
    }  # fmt: skip
    most = {"address": 300, "emergency_phone": 30, "emergency_measures": 500}
    for name, text in said.items():
        if not text or len(text) > most[name] or not text.isprintable():
            raise CollectionRefused(Code.POINT_MALFORMED, where=name)
    codes = list(dict.fromkeys(each.strip() for each in divisions if each.strip()))
    for code in codes:
        if len(code) != 6 or division_of_code(code) is None:
            raise CollectionRefused(Code.DIVISION_UNKNOWN, code[:6], "divisions")
    if not codes:
        raise CollectionRefused(Code.POINT_MALFORMED, where="divisions")
    point, _made = CollectionPoint.objects.update_or_create(
        store=store,
        defaults={
            **said, "divisions": codes, "organisation": organisation, "recorded_at": now, "recorded_by": by,
            "ended_on": None,
        },
    )  # fmt: skip
    audit(
        by=by, now=now, organisation=organisation, action="collection.record_point", object_ref=store.code,
        detail={**said, "divisions": codes},
    )  # fmt: skip
    return point


@transaction.atomic
def close_point(*, point: CollectionPoint, on: date, by: User, now: datetime) -> CollectionPoint:
    """Put on record that the point takes no more from the day on; what stands there stays in its store."""
    organisation = point.organisation
    require(user=by, permission=Permission.KEEP_PERMITS, organisation=organisation, on=local_day(now))
    point.ended_on = on
    point.save(update_fields=["ended_on"])
    audit(
        by=by, now=now, organisation=organisation, action="collection.close_point", object_ref=point.store.code,
        detail={"on": on.isoformat()},
    )  # fmt: skip
    return point
