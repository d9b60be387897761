"""Permits, contracts, due diligence, vehicles and drivers of one organisation."""

from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from wufei.registry import queries
from wufei.registry.access import Permission
from wufei.registry.forms import (
    ContractForm,
    DriverForm,
    DueDiligenceForm,
    PermitForm,
    VehicleForm,
    read_codes,
)
from wufei.registry.models import Contract, Driver, OperatingPermit, Organisation, User, Vehicle
from wufei.registry.services import permits as services
from wufei.registry.services.permits import GroupSaid, PermitRefused
from wufei.registry.views.listing import reader
from wufei.registry.wording import PERMIT_REFUSALS
from wufei.terms.day import local_day
from wufei.terms.mass import Mass

# What can be recorded: its form, what it is called, and who may.
KINDS: dict[str, tuple[type[forms.Form], Any, Permission]] = {
    "permit": (PermitForm, gettext_lazy("许可证"), Permission.KEEP_PERMITS),
    "contract": (ContractForm, gettext_lazy("合同"), Permission.HANDLE_MANIFESTS),
    "due-diligence": (DueDiligenceForm, gettext_lazy("核实记录"), Permission.HANDLE_MANIFESTS),
    "vehicle": (VehicleForm, gettext_lazy("车辆"), Permission.KEEP_PERMITS),
    "driver": (DriverForm, gettext_lazy("驾驶员"), Permission.KEEP_PERMITS),
}


@require_safe
def permits(request: HttpRequest, uscc: str) -> HttpResponse:
    """Show what the organisation may take, with whom it has contracts, what it drives."""
    user, now = reader(request), timezone.now()
    today = local_day(now)
    organisation = queries.organisation_for(
        user=user, uscc=uscc, permission=Permission.VIEW_MANIFESTS, on=today
    )
    held = queries.permissions_for(user=user, organisation=organisation, on=today)
    said = {"organisation": organisation}
    rows = queries.permits_of(organisation=organisation).prefetch_related("groups__uses")
    context = {
        "organisation": organisation,
        "may": {permission.name: True for permission in held},
        "permits": [(row, _standing(row, today), _groups(row, today.year)) for row in rows],
        "contracts": queries.contracts_of(**said),
        "diligence": queries.due_diligence_of(**said),
        "vehicles": queries.vehicles_of(**said),
        "drivers": queries.drivers_of(**said),
        "today": today,
    }
    return render(request, "registry/permits.html", context)


def _standing(row: OperatingPermit, today: Any) -> str:
    if row.revoked_on is not None and row.revoked_on <= today:
        return str(_("已终止"))
    if row.valid_through < today:
        return str(_("已过期"))
    return str(_("未生效")) if row.valid_from > today else ""


def _groups(row: OperatingPermit, year: int) -> list[dict[str, Any]]:
    """Return the groups with what this year has taken of each."""
    found = []
    for group in row.groups.all():
        used = next((use.used_g for use in group.uses.all() if use.year == year), 0)
        found.append({"group": group, "used_g": used, "left_g": group.capacity_g - used})
    return found


@require_http_methods(["GET", "POST"])
def record(request: HttpRequest, uscc: str, what: str) -> HttpResponse:
    """Record a permit, a contract, what was found of a receiver, a vehicle or a driver."""
    if what not in KINDS:
        raise Http404
    form_class, label, permission = KINDS[what]
    user, now = reader(request), timezone.now()
    organisation = queries.organisation_for(user=user, uscc=uscc, permission=permission, on=local_day(now))
    form = form_class(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            WRITERS[what](organisation, user, now, form.cleaned_data)
        except PermitRefused as refused:
            text = PERMIT_REFUSALS[refused.code]
            form.add_error(None, f"{text}（{refused.detail}）" if refused.detail else text)
        else:
            return redirect("registry:permits", organisation.uscc)
    context = {"organisation": organisation, "form": form, "label": label}
    return render(request, "registry/record_permit.html", context, status=422 if form.errors else 200)


def _write_permit(organisation: Organisation, by: User, now: Any, said: dict[str, Any]) -> None:
    codes, capacity = read_codes(said["waste_codes"]), said["capacity"]
    groups = []
    if codes or capacity:
        mass = Mass.of(capacity or Decimal(0), "吨")
        groups = [GroupSaid(waste_codes=codes, capacity=mass, modes=read_codes(said["modes"]))]
    services.record_permit(
        organisation=organisation, kind=said["kind"], number=said["number"], issued_by=said["issued_by"],
        valid_from=said["valid_from"], valid_through=said["valid_through"], groups=groups, by=by, now=now,
    )  # fmt: skip


def _write_contract(organisation: Organisation, by: User, now: Any, said: dict[str, Any]) -> None:
    services.record_contract(
        organisation=organisation, counterparty=said["other"], purpose=said["purpose"], number=said["number"],
        signed_on=said["signed_on"], valid_through=said["valid_through"],
        waste_codes=read_codes(said["waste_codes"]), by=by, now=now,
    )  # fmt: skip


def _write_diligence(organisation: Organisation, by: User, now: Any, said: dict[str, Any]) -> None:
    facts = {name: value for name, value in said.items() if name != "other"}
    services.record_due_diligence(organisation=organisation, subject=said["other"], by=by, now=now, **facts)


def _write_vehicle(organisation: Organisation, by: User, now: Any, said: dict[str, Any]) -> None:
    load = said.pop("load")
    mass = None if load is None else Mass.of(load, "吨")
    services.record_vehicle(organisation=organisation, load=mass, by=by, now=now, **said)


def _write_driver(organisation: Organisation, by: User, now: Any, said: dict[str, Any]) -> None:
    services.record_driver(organisation=organisation, by=by, now=now, **said)


WRITERS: dict[str, Callable[[Organisation, User, Any, dict[str, Any]], None]] = {
    "permit": _write_permit,
    "contract": _write_contract,
    "due-diligence": _write_diligence,
    "vehicle": _write_vehicle,
    "driver": _write_driver,
}


# What can be ended by who keeps it, beside a permit: who may, and how.
ENDINGS: dict[str, tuple[type[Contract | Vehicle | Driver], Permission, Callable[..., Any], str]] = {
    "contract": (Contract, Permission.HANDLE_MANIFESTS, services.end_contract, "contract"),
    "vehicle": (Vehicle, Permission.KEEP_PERMITS, services.end_vehicle, "vehicle"),
    "driver": (Driver, Permission.KEEP_PERMITS, services.end_driver, "driver"),
}


@require_POST
def end(request: HttpRequest, uscc: str, what: str, key: int) -> HttpResponse:
    """Put on record that a contract ended before its time, a vehicle is out of use, a driver has left: today."""
    if what not in ENDINGS:
        raise Http404
    model, permission, ending, name = ENDINGS[what]
    user, now = reader(request), timezone.now()
    today = local_day(now)
    organisation = queries.organisation_for(user=user, uscc=uscc, permission=permission, on=today)
    row = get_object_or_404(model, pk=key, organisation=organisation)
    with suppress(PermitRefused):  # it was ended before: done
        ending(**{name: row}, on=today, by=user, now=now)
    return redirect("registry:permits", organisation.uscc)


@require_POST
def verify(request: HttpRequest, uscc: str, key: int) -> HttpResponse:
    """Put on record that the authority looked at the permit."""
    user, now = reader(request), timezone.now()
    organisation = queries.organisation_for(
        user=user, uscc=uscc, permission=Permission.VERIFY_PERMITS, on=local_day(now)
    )
    permit = get_object_or_404(OperatingPermit, pk=key, organisation=organisation)
    with suppress(PermitRefused):  # it was verified before: done
        services.verify_permit(permit=permit, by=user, now=now)
    return redirect("registry:permits", organisation.uscc)


@require_POST
def revoke(request: HttpRequest, uscc: str, key: int) -> HttpResponse:
    """Put on record that the permit ended before its time, today."""
    user, now = reader(request), timezone.now()
    today = local_day(now)
    organisation = queries.organisation_for(
        user=user, uscc=uscc, permission=Permission.VIEW_MANIFESTS, on=today
    )
    held = queries.permissions_for(user=user, organisation=organisation, on=today)
    if not held & {Permission.KEEP_PERMITS, Permission.VERIFY_PERMITS}:
        raise queries.NotPermitted(Permission.KEEP_PERMITS)
    permit = get_object_or_404(OperatingPermit, pk=key, organisation=organisation)
    with suppress(PermitRefused):  # it was ended before: done
        services.revoke_permit(permit=permit, on=today, by=user, now=now)
    return redirect("registry:permits", organisation.uscc)
