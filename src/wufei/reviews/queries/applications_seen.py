"""
Which applications may this person see? The one rule, and refused by default.

An applicant sees its own, but not what a level passed on and has not told it. An authority's officer sees those of
its jurisdiction from the stage on at which its level decides, also once sent back from there, or where it has acted,
has to settle, or was consulted; a district sees its own district only.
Whoever stands in for somebody sees what that person sees. Experts and agencies see what is assigned to them
on pages of their own.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from wufei.policies import queries as policy_queries
from wufei.policies.edition import Edition
from wufei.registry.access import Permission, Relation, Role, granting
from wufei.registry.models import Organisation, OrganisationKind, RoleAssignment, User
from wufei.registry.queries import jurisdiction_prefix, levels_of
from wufei.reviews import stages
from wufei.reviews.models import Act, Application, Consultation, Delegation, Package, Round
from wufei.reviews.stages import Action

_APPLICANTS = frozenset(role for role, relation in granting(Permission.EDIT_CASE) if relation is Relation.OWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A role that acts in reviews, whose it is, and for which organisation."""

    role: str  # "CITY_INDUSTRY"; "APPLICANT"
    organisation: Organisation
    person: User  # the principal, where somebody stands in

    @property
    def is_applicant(self) -> bool:
        return self.role == stages.APPLICANT

    @property
    def level(self) -> str:
        return self.role.split("_")[0]

    def covers(self) -> Q:
        """Return the applications that are within the jurisdiction, or one's own."""
        if self.is_applicant:
            return Q(organisation=self.organisation) & shown_to_applicants()
        return within(self.organisation.division_code)


# What lets the applicant read on: a release, or what is told to everybody.
_TELLING = Q(action=Action.RELEASE) | Q(
    is_pending=False, action__in=(Action.PUBLISH, Action.REMOVE, Action.RECOGNISE, Action.REFUSE)
)


def shown_to_applicants() -> Q:
    """
    Return the applications of which their applicants may know: not what a level passed on and has not told.

    What came in a package shows once the level below has told that it recommended it – known where that level
    works in this store – or this level tells something itself.
    """
    told_here = Act.objects.filter(_TELLING, application=OuterRef("pk"))
    return Q(is_direct=True) | Q(Exists(told_here)) | Q(Exists(_told_below()))


def _told_below() -> QuerySet[Application]:
    """Return from which application of this store the outer one was taken in, if its applicant was told so."""
    let_out = Q(action=Action.RELEASE) | Q(action=Action.PUBLISH, is_pending=False)
    later = Act.objects.filter(let_out, application=OuterRef("application"), seq__gt=OuterRef("seq"))
    held = Act.objects.filter(~Exists(later), application=OuterRef("pk"), is_pending=True)
    taken_in = Package.objects.filter(
        is_incoming=True, round=OuterRef(OuterRef("round")), source_round=OuterRef("round__uid")
    )
    return Application.objects.filter(
        Exists(taken_in), ~Exists(held.exclude(stage__in=_stages_above())),
        submission__organisation=OuterRef("submission__organisation"),
        submission__content_sha256=OuterRef("submission__content_sha256"),
    )  # fmt: skip


def _stages_above() -> list[str]:
    """Return the stages at which an edition records what the level above decides: that isn't its own decision."""
    editions = policy_queries.known_editions().values()
    return sorted({stage.id for each in editions for stage in each.stages if stage.kind == "above"})


def within(division_code: str) -> Q:
    """
    Return the applications of a division, as a range that an index can serve.

    Not so of a province, which most of a store belongs to: SQLite holds any range for narrow, and would go by it
    instead of by the round.
    """
    prefix = jurisdiction_prefix(division_code)
    if not prefix:
        return Q()
    if len(prefix) == 2:
        return Q(district_code__startswith=prefix)
    return Q(district_code__range=(prefix.ljust(6, "0"), prefix.ljust(6, "9")))


def held_roles(*, user: User, on: date) -> list[Held]:
    """Return in which roles the person acts, also as somebody's deputy, in one query."""
    if not user.is_active:
        return []
    principals = Delegation.objects.filter(deputy=user, ended_at=None, from_day__lte=on, to_day__gte=on)
    whose = Q(user=user) | Q(user__in=principals.values("principal_id"), user__is_active=True)
    rows = RoleAssignment.objects.filter(whose).select_related("organisation", "user").order_by("pk")
    return [held for row in rows for held in roles_held(row)]


def roles_held(row: RoleAssignment) -> Iterator[Held]:
    """Yield the roles in which whoever holds the assignment acts in reviews."""
    own = row.organisation
    if Role(row.role) in _APPLICANTS:
        yield Held(role=stages.APPLICANT, organisation=own, person=row.user)
    if Role(row.role) is Role.AUTHORITY_OFFICER and own.kind == OrganisationKind.AUTHORITY and own.branch:
        for level in sorted(levels_of(own.division_code)):
            yield Held(role=f"{level}_{own.branch}", organisation=own, person=row.user)


def visible(*, user: User, on: date, edition: Edition | None = None) -> QuerySet[Application]:
    """Return the applications that the user may see; those of one edition alone are found faster."""
    if not user.is_active:
        return Application.objects.none()
    if user.is_superuser:  # only the operator behind the command line, who can't sign in
        return Application.objects.all()
    return visible_to(held_roles(user=user, on=on), edition=edition)


def visible_to(held: Iterable[Held], *, edition: Edition | None = None) -> QuerySet[Application]:
    """Return what those roles see together."""
    condition = Q(pk__in=[])
    authorities: dict[Organisation, list[Held]] = {}
    for each in held:
        if each.is_applicant:
            condition |= each.covers()
        else:
            authorities.setdefault(each.organisation, []).append(each)
    for organisation, roles in authorities.items():
        condition |= within(organisation.division_code) & _seen_by_authority(organisation, roles, edition)
    rows = Application.objects.filter(condition)
    return rows if edition is None else rows.filter(round__in=_rounds_of(edition))


def _rounds_of(edition: Edition) -> list[int]:
    return list(Round.objects.filter(edition=edition.id).values_list("pk", flat=True))


def _seen_by_authority(organisation: Organisation, roles: Sequence[Held], only: Edition | None) -> Q:
    """By its stage first: what is asked of acts and consultations is asked of the few others, once."""
    found, returned = Q(pk__in=[]), Q(pk__in=[])
    for edition in [only] if only else policy_queries.known_editions().values():
        of_it = Q() if only else Q(round__edition=edition.id)
        ids = [stage.id for stage in edition.stages]
        firsts = [first for held in roles if (first := _first_stage(edition, held)) is not None]
        if firsts:
            there = Q(stage__in=ids[min(firsts) :])
            found |= of_it & there
            returned |= there if only else there & Q(application__round__edition=edition.id)
        named = {held.role for held in roles}
        settles = [stage.id for stage in edition.stages if named.intersection(stage.settled_by)]
        if settles:
            found |= of_it & Q(stage__in=settles, contested=True)
    consulted = Consultation.objects.filter(authority=organisation).values("application_id")
    # Who had it on its desk goes on reading what was sent back, and why, whoever sent it.
    sent_back = Act.objects.filter(returned, action=Action.RETURN).values("application_id")
    back = Q(pk__in=_came_back(organisation)) | Q(pk__in=sent_back)
    return found | back | Q(pk__in=consulted)


# After these an application may stand at an earlier stage than one at which somebody acted.
_TURNING = (Action.RETURN, Action.WITHDRAW, Action.SETTLE_FOR, Action.SETTLE_AGAINST)


def _came_back(organisation: Organisation) -> QuerySet[Act, Any]:
    """Return the applications on which the authority acted, and that may stand before its stages again."""
    own = Act.objects.filter(application=OuterRef("application"), acted_for=organisation)
    return Act.objects.filter(Exists(own), action__in=_TURNING).values("application_id")


def _first_stage(edition: Edition, held: Held) -> int | None:
    """Return the first stage at which the level decides; None where the branch has no part in the edition."""
    if held.role not in stages.roles_that_act(edition.stages):
        return None
    for index, stage in enumerate(edition.stages):
        if any(role.startswith(f"{held.level}_") for role in (*stage.decided_by, *stages.deciders(stage))):
            return index
    return None


def application_for(*, user: User, code: str, on: date) -> Application:
    """
    Return the application for a page.

    :raises Application.DoesNotExist: if there is none that the user may see, so that none is given away
    """
    rows = visible(user=user, on=on).select_related(
        "round__authority", "organisation", "submission__case", "case"
    )
    return rows.get(code=code)
