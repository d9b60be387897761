"""What an organisation declares: its stores and its waste streams."""

from datetime import datetime
from typing import Any

from django.db import transaction

from wufei.catalogue.waste_codes import read_waste_code
from wufei.ledger.kinds import PlaceKind
from wufei.ledger.models import (
    Place,
    Stream,
)
from wufei.ledger.posting import place_code, place_name
from wufei.registry.access import Permission
from wufei.registry.models import Organisation, User
from wufei.registry.queries import require
from wufei.registry.services import audit
from wufei.terms.day import local_day
from wufei.terms.mass import Mass


class DeclarationRefused(Exception):
    """The store or stream was not written; `code` says why, `detail` in Chinese where the catalogue said it."""

    def __init__(self, code: str, detail: str = ""):
        self.code = code  # waste_code_unknown, code_reserved, stale_edit
        self.detail = detail
        super().__init__(f"{code} {detail}")


@transaction.atomic
def declare_store(
    *,
    organisation: Organisation,
    code: str,
    name: str,
    store_type: str = "",
    capacity: Mass | None = None,
    by: User,
    now: datetime,
) -> bool:
    """Declare a store, or change its name, type and capacity; return whether anything was written."""
    require(user=by, permission=Permission.EDIT_ORGANISATION, organisation=organisation, on=local_day(now))
    if ":" in code:
        raise DeclarationRefused("code_reserved", code)
    said = {"name": name, "store_type": store_type, "capacity_g": capacity.grams if capacity else None}
    return _declare(Place, organisation, code, {"kind": PlaceKind.STORE.value, **said}, by, now)


@transaction.atomic
def declare_stream(
    *,
    organisation: Organisation,
    code: str,
    name: str,
    waste_code: str,
    process_name: str,
    physical_form: str = "",
    main_components: str = "",
    by: User,
    now: datetime,
) -> bool:
    """
    Declare a waste stream, or change what is said of it; return whether anything was written.

    :raises DeclarationRefused: if the waste code is not understood
    """
    require(user=by, permission=Permission.EDIT_ORGANISATION, organisation=organisation, on=local_day(now))
    reading = read_waste_code(waste_code)
    if reading.fault:
        raise DeclarationRefused("waste_code_unknown", reading.message)
    process = place_of(organisation, PlaceKind.PROCESS, process_name)
    said = {
        "name": name,
        "waste_code": reading.code,
        "waste_category": reading.category,
        "waste_class": reading.waste_class,
        "process_id": process.pk,
        "physical_form": physical_form,
        "main_components": main_components,
    }
    return _declare(Stream, organisation, code, said, by, now)


def _declare(
    model: Any, organisation: Organisation, code: str, said: dict[str, Any], by: User, now: datetime
) -> bool:
    row, created = model.objects.select_for_update().get_or_create(
        organisation=organisation, code=code, defaults=said
    )
    changed = {key: value for key, value in said.items() if getattr(row, key) != value}
    if not created and not changed:
        return False
    if changed:
        model.objects.filter(pk=row.pk).update(**changed, version=row.version + 1)
    audit(
        by=by,
        now=now,
        organisation=organisation,
        action=f"ledger.declare_{model.__name__.lower()}",
        object_ref=code,
        detail={key: str(value) for key, value in (changed or said).items()},
    )
    return True


def place_of(organisation: Organisation, kind: PlaceKind, name: str) -> Place:
    """Return a place that comes into being when it is first named."""
    code = place_code(kind, name)
    said = {"kind": kind.value, "name": place_name(kind, name, code)}
    return Place.objects.get_or_create(organisation=organisation, code=code, defaults=said)[0]
