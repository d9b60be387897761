"""Registrations that wait or were decided, and the collectors with their points and contracts."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date

from django.db.models import Q, QuerySet

from wufei.collection.models import CollectionPoint, Registration
from wufei.registry.models import Contract, Organisation, OrganisationKind
from wufei.registry.queries import jurisdiction_prefix


def registrations_for(*, organisation: Organisation) -> QuerySet[Registration]:
    """Return the registrations that the organisation may confirm or has decided, the newest first."""
    mine = Q(decided_for=organisation)
    if organisation.kind == OrganisationKind.AUTHORITY:
        prefix = jurisdiction_prefix(organisation.division_code)
        mine |= Q(division_code__startswith=prefix)
    elif organisation.kind == OrganisationKind.PARK:
        mine |= Q(park=organisation)
    else:
        mine |= Q(collector=organisation)
    rows = Registration.objects.filter(mine).select_related("collector", "park", "decided_by", "decided_for")
    return rows.order_by("-pk")


def pending_for(*, organisations: Iterable[Organisation]) -> QuerySet[Registration]:
    """Return the registrations that wait for one of the organisations."""
    mine = Q(pk__in=[])
    for each in organisations:
        if each.kind == OrganisationKind.AUTHORITY:
            mine |= Q(division_code__startswith=jurisdiction_prefix(each.division_code))
        else:
            mine |= Q(park=each) | Q(collector=each)
    return Registration.objects.filter(mine, state=Registration.State.PENDING)


# --- collectors and their points


def points_of(*, organisation: Organisation, on: date) -> QuerySet[CollectionPoint]:
    rows = CollectionPoint.objects.filter(Q(ended_on=None) | Q(ended_on__gt=on), organisation=organisation)
    return rows.select_related("store").order_by("store__code")


def is_collector(*, organisation: Organisation, on: date) -> bool:
    return points_of(organisation=organisation, on=on).exists()


def collectors(*, on: date) -> list[tuple[Organisation, tuple[str, ...]]]:
    """Return who collects, with the divisions of all its points, by name: what a registrant chooses from."""
    rows = CollectionPoint.objects.filter(
        Q(ended_on=None) | Q(ended_on__gt=on), organisation__closed_on=None
    ).select_related("organisation")
    found: dict[Organisation, list[str]] = {}
    for row in rows.order_by("organisation__name", "store__code"):
        found.setdefault(row.organisation, []).extend(row.divisions)
    return [(organisation, tuple(dict.fromkeys(codes))) for organisation, codes in found.items()]


def serves(divisions: Iterable[str], division_code: str) -> bool:
    """Return whether one of the divisions is the one, or holds it."""
    return any(division_code.startswith(jurisdiction_prefix(each)) for each in divisions)


def contracts_with(*, collector: Organisation, on: date) -> dict[int, list[list[str]]]:
    """Return which wastes each generator hands to the collector by contract on the day; an empty list: all."""
    rows = Contract.objects.filter(
        Q(ended_on=None) | Q(ended_on__gt=on), counterparty=collector, purpose=Contract.Purpose.RECEIVING,
        signed_on__lte=on, valid_through__gte=on,
    )  # fmt: skip
    found: dict[int, list[list[str]]] = defaultdict(list)
    for key, codes in rows.values_list("organisation_id", "waste_codes"):
        found[key].append(codes)
    return found
