"""What reads inspections: what was found, when each store is due again, what is still to be put right."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from wufei.ledger.models import Balance, Place
from wufei.ledger.queries import stores_of
from wufei.registry.access import Permission, Relation, granting
from wufei.registry.models import Organisation, RoleAssignment, User
from wufei.storage import checklists
from wufei.storage.checklists import Facility, Interval, ItemResult
from wufei.storage.models import CorrectiveAction, Inspection, InspectionLine, InspectionPhoto
from wufei.storage.wording import CONFIDENCE_TEXT, FACILITY_TEXT, RESULT_TEXT


def inspections(*, organisation: Organisation) -> QuerySet[Inspection]:
    """Return the organisation's inspections with how many requirements weren't met, and aren't put right yet."""
    lines = InspectionLine.objects.filter(inspection=OuterRef("pk")).order_by().values("inspection")
    not_met = lines.filter(result=ItemResult.NOT_MET).annotate(n=Count("pk")).values("n")
    waiting = (
        lines.filter(corrective_action__isnull=False, corrective_action__correction=None)
        .annotate(n=Count("pk"))
        .values("n")
    )
    return (
        Inspection.objects.filter(organisation=organisation)
        .select_related("organisation", "store", "inspected_by")
        .annotate(not_met=Coalesce(Subquery(not_met), 0), to_correct=Coalesce(Subquery(waiting), 0))
    )


def narrowed(rows: QuerySet[Any], *, store: str = "", state: str = "", text: str = "") -> QuerySet[Any]:
    """Return those of `inspections` of the store and state (waiting, clean) in whose words the text stands."""
    if store:
        rows = rows.filter(store__code=store)
    if state == "waiting":
        rows = rows.filter(to_correct__gt=0)
    elif state == "clean":
        rows = rows.filter(not_met=0)
    if text:
        said = InspectionLine.objects.filter(inspection=OuterRef("pk"), remark__icontains=text)
        rows = rows.filter(
            Q(remark__icontains=text) | Q(inspected_by__full_name__icontains=text) | Exists(said)
        )
    return rows


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFound:
    """What was found of one requirement, with its pictures and what became of it."""

    line: InspectionLine
    photos: tuple[InspectionPhoto, ...]
    action: CorrectiveAction | None

    @property
    def label(self) -> str:
        return RESULT_TEXT[ItemResult(self.line.result)]

    @property
    def source(self) -> str:
        """Return standard and clause as they are cited."""
        return source_of(self.line.standard, self.line.clause)

    @property
    def doubt(self) -> str:
        return CONFIDENCE_TEXT[checklists.Confidence(self.line.confidence)]


def source_of(standard: str, clause: str) -> str:
    """
    >>> source_of("GB 18599-2020", "6.4"), source_of("GB 18599-2020", "")
    ('GB 18599-2020 第 6.4 条', 'GB 18599-2020')
    """
    return f"{standard} 第 {clause} 条" if clause else standard


def lines_of(*, inspection: Inspection) -> list[LineFound]:
    """Return all that was looked at and not, in the order of the checklist."""
    photos = InspectionPhoto.objects.filter(correction=None).order_by("pk")
    rows = (
        inspection.lines.select_related(
            "corrective_action__responsible", "corrective_action__correction__closed_by"
        )
        .prefetch_related(Prefetch("photos", queryset=photos))
        .order_by("position")
    )
    return [
        LineFound(line=row, photos=tuple(row.photos.all()), action=getattr(row, "corrective_action", None))
        for row in rows
    ]


def photos_of_store(*, inspection: Inspection) -> list[InspectionPhoto]:
    """Return the pictures that show the store as a whole."""
    return list(inspection.photos.filter(line=None).order_by("pk"))


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreDue:
    """A store with its last inspection, and until when the next one is in time."""

    store: Place
    last: Inspection | None
    facility: Facility
    interval: Interval
    due_on: date | None
    is_overdue: bool

    @property
    def facility_label(self) -> str:
        return FACILITY_TEXT[self.facility]

    @property
    def doubt(self) -> str:
        return CONFIDENCE_TEXT[self.interval.confidence]


def stores_due(*, organisation: Organisation, today: date) -> list[StoreDue]:
    """
    Return every store, first what was never inspected, then what is overdue longest.

    Of what kind a store is, its last inspection says; before the first, what stands in it.
    """
    stores = stores_of(organisation=organisation)
    of_store = Inspection.objects.filter(store=OuterRef("store")).order_by("-inspected_at", "-pk")
    newest = Inspection.objects.filter(
        organisation=organisation, pk=Subquery(of_store.values("pk")[:1])
    ).select_related("inspected_by")
    last = {row.store_id: row for row in newest}
    classes: dict[int, set[str]] = {}
    held = Balance.objects.filter(place__in=[store.pk for store in stores], mass_g__gt=0)
    for place, waste_class in held.values_list("place_id", "lot__stream__waste_class").distinct():
        classes.setdefault(place, set()).add(waste_class)
    rows = [_due(store, last.get(store.pk), classes.get(store.pk, set()), today) for store in stores]
    return sorted(rows, key=lambda row: (row.due_on or date.min, row.store.pk))


def _due(store: Place, last: Inspection | None, classes: set[str], today: date) -> StoreDue:
    facility = Facility(last.facility) if last else checklists.likely_facility(classes)
    due_on = checklists.next_due(last=last.inspected_on, facility=facility) if last else None
    return StoreDue(
        store=store, last=last, facility=facility, interval=checklists.known_checklists()[facility].interval,
        due_on=due_on, is_overdue=due_on is None or due_on < today,
    )  # fmt: skip


# --- corrective actions


def corrective_actions(*, organisation: Organisation) -> QuerySet[CorrectiveAction]:
    """Return the organisation's corrective actions with all that a list shows."""
    return CorrectiveAction.objects.filter(organisation=organisation).select_related(
        "organisation", "line__inspection__store", "responsible", "correction__closed_by"
    )


def actions_narrowed(
    rows: QuerySet[CorrectiveAction], *, state: str = "", text: str = "", today: date
) -> QuerySet[CorrectiveAction]:
    """Return those that are open, overdue, closed or closed late, in whose words the text stands."""
    open_, closed = Q(correction=None), Q(correction__isnull=False)
    in_state = {
        "open": open_, "overdue": open_ & Q(due_on__lt=today), "closed": closed,
        "late": closed & Q(correction__corrected_on__gt=F("due_on")),
    }  # fmt: skip
    if state in in_state:
        rows = rows.filter(in_state[state])
    if text:
        said = ("line__says", "line__remark", "line__inspection__store__name", "responsible__full_name")
        condition = Q(pk__in=[])
        for name in said:
            condition |= Q(**{f"{name}__icontains": text})
        rows = rows.filter(condition)
    return rows


def actions_waiting_for(*, user: User, officer_of: Collection[int], on: date) -> QuerySet[CorrectiveAction]:
    """Return what the person is to put right, and, where it is an officer, what is overdue whoever's it is."""
    # Who has left the organisation has nothing to do there any more.
    still_there = RoleAssignment.objects.filter(user=user).values("organisation_id")
    own = Q(responsible=user, organisation__in=still_there)
    overdue = Q(organisation__in=officer_of, due_on__lt=on)
    return CorrectiveAction.objects.filter(own | overdue, correction=None)


def who_can_correct(*, organisation: Organisation) -> list[User]:
    """Return the people of the organisation who may close a corrective action."""
    roles = [
        role for role, relation in granting(Permission.POST_MOVEMENTS) if relation is Relation.OWN
    ]  # fmt: skip
    held = RoleAssignment.objects.filter(organisation=organisation, role__in=roles).values("user_id")
    return list(User.objects.filter(pk__in=held, is_active=True).order_by("full_name", "username"))
