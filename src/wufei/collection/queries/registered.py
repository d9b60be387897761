"""Registrations that wait or were decided, and the collectors with their points and contracts."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date

from django.db.models import Q, QuerySet

from wufei.collection.models import CollectionPoint, Registration, SmallGenerator
from wufei.collection.queries.declared import small_generators
from wufei.registry.access import Permission
from wufei.registry.models import Contract, OperatingPermit, Organisation, OrganisationKind, User
from wufei.registry.queries import WASTE_PERMITS, jurisdiction_prefix, members_of, require


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


def permits_shown(*, organisations: Iterable[Organisation], on: date) -> dict[int, list[OperatingPermit]]:
    """Return the waste permits of each that are in date on the day, for who has to look at them."""
    wanted = [each.pk for each in organisations]
    rows = OperatingPermit.objects.filter(
        Q(revoked_on=None) | Q(revoked_on__gt=on), organisation__in=wanted, kind__in=WASTE_PERMITS,
        valid_from__lte=on, valid_through__gte=on,
    )  # fmt: skip
    found: dict[int, list[OperatingPermit]] = {key: [] for key in wanted}
    for row in rows.prefetch_related("groups").order_by("number"):
        found[row.organisation_id].append(row)
    return found


def within(*, organisation: Organisation, on: date) -> QuerySet[Organisation]:
    """Return who is a park's, or lies in an authority's division; of another only itself."""
    if organisation.kind == OrganisationKind.PARK:
        return members_of(park=organisation, on=on)
    if organisation.kind == OrganisationKind.AUTHORITY:
        prefix = jurisdiction_prefix(organisation.division_code)
        return Organisation.objects.filter(division_code__startswith=prefix)
    return Organisation.objects.filter(pk=organisation.pk)


def contracted(*, collector: Organisation, user: User, on: date) -> QuerySet[SmallGenerator]:
    """
    Return the small generators that have a contract with the collector on the day.

    :raises NotPermitted: to who may not sign manifests for the collector
    """
    require(user=user, permission=Permission.SIGN_MANIFESTS, organisation=collector, on=on)
    keys = list(contracts_with(collector=collector, on=on))
    return small_generators(on=on).filter(organisation__in=keys).select_related("organisation")


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
