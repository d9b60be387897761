"""What reads messages, hand-overs, and who is to be told or reminded."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from wufei.cases.models import Case
from wufei.registry.access import Permission, Relation, granting
from wufei.registry.models import Organisation, RoleAssignment, User
from wufei.registry.queries import jurisdiction_prefix
from wufei.reviews.models import Application, Assignment, Consultation, Delegation, Message, Round
from wufei.reviews.queries.applications_seen import Held, roles_held

_APPLICANTS = [r.value for r, relation in granting(Permission.EDIT_CASE) if relation is Relation.OWN]


def inbox(*, user: User, only_unread: bool = False) -> QuerySet[Message]:
    """Return the person's messages, the newest first."""
    rows = Message.objects.filter(to=user)
    return (rows.filter(read_at=None) if only_unread else rows).order_by("-pk")


def delegations_of(*, user: User) -> list[Delegation]:
    """Return the hand-overs from and to the person, the newest first."""
    rows = Delegation.objects.filter(Q(principal=user) | Q(deputy=user))
    return list(rows.select_related("principal", "deputy", "made_by").order_by("-pk"))


def colleagues_of(*, user: User) -> list[User]:
    """Return who could stand in for the person: who holds each of its roles too."""
    own = list(RoleAssignment.objects.filter(user=user).values_list("organisation_id", "role"))
    rows = User.objects.filter(is_active=True).exclude(pk=user.pk)
    for organisation, role in own:
        held = RoleAssignment.objects.filter(user=OuterRef("pk"), organisation=organisation, role=role)
        rows = rows.filter(Exists(held))
    return list(rows.order_by("full_name", "username")) if own else []


def applicants_of(organisation: Organisation) -> list[User]:
    """Return who hands in the organisation's cases."""
    return list(_of_organisations([organisation.pk], _APPLICANTS))


def _of_organisations(keys: Iterable[int], roles: Iterable[str]) -> QuerySet[User]:
    held = RoleAssignment.objects.filter(
        user=OuterRef("pk"), organisation__in=list(keys), role__in=list(roles)
    )
    return User.objects.filter(Exists(held), is_active=True).order_by("pk")


@dataclass(frozen=True, slots=True)
class Officers:
    """All officers of authorities, each with the roles in which it acts."""

    held: tuple[Held, ...]

    def towards(self, roles: Iterable[str], division_code: str) -> list[User]:
        """Return who acts in one of the roles towards an applicant of the division, each once."""
        wanted = set(roles)
        found = {
            each.person.pk: each.person
            for each in self.held
            if each.role in wanted
            and division_code.startswith(jurisdiction_prefix(each.organisation.division_code))
        }
        return list(found.values())


def officers() -> Officers:
    """Return all officers of authorities, in one query."""
    rows = RoleAssignment.objects.filter(role="AUTHORITY_OFFICER", user__is_active=True)
    found = rows.select_related("organisation", "user").order_by("pk")
    return Officers(tuple(held for row in found for held in roles_held(row)))


def officers_in(roles: Iterable[str], division_code: str) -> list[User]:
    """Return who acts in one of the roles towards an applicant of the division."""
    return officers().towards(roles, division_code)


# ---- what is due -----------------------------------------------------------------------------


def applications_due(*, on: date, within_days: int) -> list[Application]:
    """Return the open applications whose stage is due within the days, or overdue."""
    rows = Application.objects.filter(
        outcome="", due_on__lte=on + timedelta(days=within_days), round__closed_at=None
    )
    return list(rows.select_related("round", "organisation").order_by("due_on", "pk"))


def consultations_due(*, on: date, within_days: int) -> Iterator[tuple[Consultation, list[User]]]:
    """Yield the consultations without reply that are due within the days or overdue, with who is to reply."""
    rows = Consultation.objects.filter(
        answered_at=None, closed_unanswered_at=None, due_on__lte=on + timedelta(days=within_days),
        authority__isnull=False, application__outcome="",
    )  # fmt: skip
    found = list(rows.select_related("application__organisation").order_by("due_on", "pk"))
    of: dict[int, list[User]] = {}
    held = RoleAssignment.objects.filter(
        role="AUTHORITY_OFFICER", organisation__in={row.authority_id for row in found}, user__is_active=True
    )
    for each in held.select_related("user"):
        of.setdefault(each.organisation_id, []).append(each.user)
    for row in found:
        assert row.authority_id is not None, "only those in the system are reminded by it"
        yield row, of.get(row.authority_id, [])


def assignments_due(*, on: date, within_days: int) -> list[Assignment]:
    """Return the scorings that are due within the days, or overdue."""
    rows = Assignment.objects.filter(
        withdrawn_at=None, due_on__lte=on + timedelta(days=within_days), application__outcome=""
    ).exclude(sheet__submitted_at__isnull=False)
    return list(rows.select_related("expert__user", "application").order_by("due_on", "pk"))


def drafts_not_handed_in(*, on: date, within_days: int) -> Iterator[tuple[Round, User]]:
    """Yield who has a draft for a round that takes no more cases soon, and has not handed it in."""
    rounds = Round.objects.filter(
        published_at__isnull=False, closed_at=None,
        submission_deadline__range=(on, on + timedelta(days=within_days)),
    )  # fmt: skip
    by_edition: dict[str, list[Round]] = {}
    for round_ in rounds.order_by("pk"):
        by_edition.setdefault(round_.edition, []).append(round_)
    cases = list(
        Case.objects.filter(edition__in=by_edition).values_list("pk", "edition", "year", "organisation_id")
    )
    handed_in = set(
        Application.objects.filter(round__in=rounds, case__isnull=False).values_list("round_id", "case_id")
    )
    people: dict[int, list[User]] = {}
    held = RoleAssignment.objects.filter(organisation__in={case[3] for case in cases}, role__in=_APPLICANTS)
    for each in held.filter(user__is_active=True).select_related("user"):
        people.setdefault(each.organisation_id, []).append(each.user)
    for pk, edition, year, organisation in cases:
        for round_ in by_edition[edition]:
            if (round_.pk, pk) not in handed_in and year in (round_.year, round_.year - 1):
                for user in people.get(organisation, ()):
                    yield round_, user
