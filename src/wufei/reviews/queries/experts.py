"""What reads experts: the pool, what ties them, who was drawn, and what each was given."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db.models import Count, FilteredRelation, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from wufei.policies import queries as policy_queries
from wufei.policies.edition import Edition, Scoring, Stage
from wufei.registry.access import Role
from wufei.registry.models import Organisation, RoleAssignment, Succession, User
from wufei.reviews.conflicts import Conflict, Index, Interests, Ties
from wufei.reviews.duties import duty_of
from wufei.reviews.models import (
    Act,
    AgencyReport,
    Application,
    Assignment,
    Draw,
    Expert,
    ExpertTie,
    Round,
    ScoreSheet,
)
from wufei.reviews.queries.frozen import TextsOf, texts_in
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.stages import Action


def is_expert(*, user: User) -> bool:
    """Return whether the person is in a pool, or was."""
    return Expert.objects.filter(user=user).exists()


def experts_of(*, pool: Organisation) -> QuerySet[Expert]:
    """Return the experts of the authority's pool, each with the person."""
    return Expert.objects.filter(pool=pool).select_related("user")


def found_experts(
    *, among: QuerySet[Expert], text: str = "", field: str = "", state: str = ""
) -> QuerySet[Expert]:
    """Narrow experts by a part of number, name or employer, by field, by whether they are active."""
    if text:
        among = among.filter(
            Q(number__icontains=text)
            | Q(user__full_name__icontains=text)
            | Q(user__username__icontains=text)
            | Q(employer_name__icontains=text)
        )
    if field:
        having = [pk for pk, fields in among.values_list("pk", "fields") if field in fields]
        among = among.filter(pk__in=having)
    if state:
        among = among.filter(is_active=state == "active")
    return among


def with_load(among: QuerySet[Expert]) -> QuerySet[Expert]:
    """Count beside each expert the live ties and the assignments that were not withdrawn."""
    ties = ExpertTie.objects.filter(expert=OuterRef("pk"), ended_at=None)
    given = Assignment.objects.filter(expert=OuterRef("pk"), withdrawn_at=None)
    return among.annotate(tie_count=_number(ties), assignment_count=_number(given))


def _number(rows: QuerySet[Any]) -> Coalesce:
    """Count by itself what belongs to each row: joined to each other, ties and assignments would multiply."""
    return Coalesce(Subquery(rows.order_by().values("expert").annotate(n=Count("pk")).values("n")), 0)


def expert_stage(*, edition: Edition, stage: str = "") -> Stage:
    """
    Return the stage at which experts score: the one asked for, else the first.

    :raises ReviewRefused: `no_expert_stage`; `expert_stage_unknown`, with those there are
    """
    there = [each for each in edition.stages if each.kind == "experts"]
    if not there:
        raise ReviewRefused("no_expert_stage", edition.id)
    for each in there:
        if stage in ("", each.id):
            return each
    raise ReviewRefused("expert_stage_unknown", "、".join(f"{each.id}（{each.label}）" for each in there))


def scoring_of(*, edition: Edition) -> Scoring:
    """
    Return how experts score.

    :raises ReviewRefused: `edition_has_no_scoring`
    """
    if edition.scoring is None:
        raise ReviewRefused("edition_has_no_scoring", edition.id)
    return edition.scoring


def fields_known(*, pool: Organisation) -> list[str]:
    """Return the fields that editions ask for or experts of the pool have, in order."""
    found = {
        f for e in policy_queries.known_editions().values() if e.scoring for f in e.scoring.expert_fields
    }
    for fields in Expert.objects.filter(pool=pool).values_list("fields", flat=True):
        found |= set(fields)
    return sorted(found)


# ---- conflicts of interest --------------------------------------------------------------


def ties_of(*, experts: Collection[Expert]) -> Index:
    """Return what ties the experts, in two queries."""
    codes: dict[int, set[str]] = {e.pk: {e.employer_uscc} - {""} for e in experts}
    of_user = defaultdict(list)
    for expert in experts:
        of_user[expert.user_id].append(expert.pk)
    roles = RoleAssignment.objects.filter(user__in=list(of_user)).exclude(role=Role.AUTHORITY_OFFICER)
    for user, uscc, kind in roles.values_list("user_id", "organisation__uscc", "organisation__kind"):
        if kind != "AUTHORITY":
            for pk in of_user[user]:
                codes[pk].add(uscc)
    ties: dict[int, set[tuple[str, str]]] = defaultdict(set)
    rows = ExpertTie.objects.filter(expert__in=list(codes), ended_at=None)
    for pk, uscc, kind in rows.values_list("expert_id", "uscc", "kind"):
        ties[pk].add((uscc, kind))
    return Index.of(
        {pk: Ties(employers=frozenset(own), ties=frozenset(ties[pk])) for pk, own in codes.items()}
    )


def interests_of(
    *, applications: QuerySet[Application], tied_to: Collection[str] | None = None
) -> dict[int, Interests]:
    """
    Return who would gain or lose by each of the applications, in three queries.

    With `tied_to` only of those in which one of these codes has a part: of the others nothing follows.
    """
    rows = applications.order_by("pk").values_list("pk", "organisation_id", "organisation__uscc")
    kin = _kindred()
    agencies: dict[int, set[str]] = defaultdict(set)
    reports = AgencyReport.objects.filter(organisation__in=applications.order_by().values("organisation_id"))
    if tied_to is not None:
        evaluating = Organisation.objects.filter(pk__in=AgencyReport.objects.values("agency_id"))
        reports = reports.filter(
            agency__uscc__in=set(evaluating.values_list("uscc", flat=True)) & set(tied_to)
        )
    for organisation, uscc in reports.values_list("organisation_id", "agency__uscc"):
        agencies[organisation].add(uscc)
    if tied_to is not None and not kin and not agencies:
        rows = rows.filter(organisation__uscc__in=list(tied_to))  # nobody has a part through somebody else
    nobody: frozenset[str] = frozenset()
    return {
        pk: Interests(
            uscc=uscc,
            lineage=kin.get(organisation, nobody),
            agencies=frozenset(agencies.get(organisation, ())),
        )
        for pk, organisation, uscc in rows
        if tied_to is None or uscc in tied_to or organisation in kin or organisation in agencies
    }


def _kindred() -> dict[int, frozenset[str]]:
    """Return the codes of all that an organisation came from, and of all that came from it."""
    beside: dict[int, set[int]] = defaultdict(set)
    codes: dict[int, str] = {}
    rows = Succession.objects.values_list(
        "predecessor_id", "successor_id", "predecessor__uscc", "successor__uscc"
    )
    for old, new, old_code, new_code in rows:
        beside[old].add(new)
        beside[new].add(old)
        codes |= {old: old_code, new: new_code}
    found: dict[int, frozenset[str]] = {}
    for start in beside:
        if start in found:
            continue
        family, ahead = {start}, [start]
        while ahead:
            fresh = beside[ahead.pop()] - family
            family |= fresh
            ahead += fresh
        found |= dict.fromkeys(family, frozenset(codes[each] for each in family))
    return found


def conflict_with(*, expert: Expert, application: Application) -> Conflict | None:
    """Return what keeps the expert from the case; None: nothing does."""
    [interests] = interests_of(applications=Application.objects.filter(pk=application.pk)).values()
    return ties_of(experts=[expert]).conflicts(interests).get(expert.pk)


def acted(
    *, applications: QuerySet[Application], experts: Collection[Expert], edition: Edition
) -> dict[int, set[int]]:
    """Return by application the experts who handed it in, recommended or approved it (S7)."""
    kinds = {stage.id: stage.kind for stage in edition.stages}
    of_user: dict[int, list[int]] = defaultdict(list)
    for expert in experts:
        of_user[expert.user_id].append(expert.pk)
    people = list(of_user)
    rows = Act.objects.filter(
        Q(by__in=people) | Q(on_behalf_of__in=people), application__in=applications.order_by().values("pk")
    )
    found: dict[int, set[int]] = defaultdict(set)
    for pk, stage, action, by, behalf in rows.values_list(
        "application_id", "stage", "action", "by_id", "on_behalf_of_id"
    ):
        if duty_of(kinds[stage], Action(action)) is not None:
            for user in (by, behalf):
                found[pk].update(of_user.get(user, ()))
    reports = AgencyReport.objects.filter(
        submitted_by__in=people, application__in=applications.order_by().values("pk")
    )
    for pk, user in reports.values_list("application_id", "submitted_by_id"):
        found[pk].update(of_user.get(user, ()))
    return found


# ---- draws ------------------------------------------------------------------------------


def draws_of(*, round_: Round, stage: str = "") -> QuerySet[Draw]:
    """Return the draws of the round, the newest first."""
    rows = Draw.objects.filter(round=round_).select_related("committed_by", "revealed_by")
    return (rows.filter(stage=stage) if stage else rows).order_by("-pk")


def _drawn(round_: Round, stage: str) -> set[str]:
    draws = Draw.objects.filter(round=round_, stage=stage).values_list("drawn", flat=True)
    return {number for drawn in draws for number in drawn}


def drawn_experts(*, round_: Round, stage: str) -> list[Expert]:
    """Return the experts who were drawn for the stage, by number."""
    rows = Expert.objects.filter(pool=round_.authority, number__in=_drawn(round_, stage)).select_related(
        "user"
    )
    return list(rows.order_by("number"))


@dataclass(frozen=True, slots=True)
class Excluded:
    """Who may not be drawn, and why."""

    number: str
    reason: str
    uscc: str = ""


_NOBODY: frozenset[int] = frozenset()


def candidates_for(*, round_: Round, stage: str) -> tuple[list[Expert], list[Excluded]]:
    """
    Return whom the pool offers for the stage, and who is left out with the reason.

    Left out is who was drawn for it already, and who is in conflict with any case that is still open.
    """
    pool = list(experts_of(pool=round_.authority).filter(is_active=True).order_by("number"))
    drawn = _drawn(round_, stage)
    reasons: dict[int, Conflict] = {}
    index = ties_of(experts=pool)
    open_ = Application.objects.filter(round=round_, outcome="")
    for interests in interests_of(applications=open_, tied_to=index.by_code).values():
        codes = {interests.uscc} | interests.lineage | interests.agencies
        if any(not index.by_code.get(code, _NOBODY) <= reasons.keys() for code in codes):
            for expert, reason in index.conflicts(interests).items():
                reasons.setdefault(expert, reason)
    candidates, excluded = [], []
    for each in pool:
        if each.number in drawn:
            excluded.append(Excluded(each.number, "drawn_already"))
        elif why := reasons.get(each.pk):
            excluded.append(Excluded(each.number, why.reason, why.uscc))
        else:
            candidates.append(each)
    return candidates, excluded


# ---- assignments ------------------------------------------------------------------------


def own_assignments(*, user: User) -> QuerySet[Assignment]:
    """Return what the person was given to score and was not withdrawn, whichever pool it comes from."""
    rows = Assignment.objects.filter(expert__user=user, withdrawn_at=None)
    return rows.select_related("application__round", "expert", "sheet").order_by(
        "sheet__submitted_at", "due_on", "application__code", "turn"
    )


def assignment_for(*, user: User, pk: int) -> Assignment:
    """
    Return the expert's own assignment.

    :raises Assignment.DoesNotExist: if it is another's, or was withdrawn, so that none is given away
    """
    rows = Assignment.objects.filter(expert__user=user, withdrawn_at=None)
    return rows.select_related("application__round__authority", "application__submission", "expert").get(
        pk=pk
    )


def assignments_of(*, round_: Round, stage: str) -> QuerySet[Assignment]:
    """Return the live assignments of the stage."""
    return Assignment.objects.filter(application__round=round_, stage=stage, withdrawn_at=None)


@dataclass(frozen=True, slots=True)
class Load:
    """How much one of the drawn experts has, and how far it is done."""

    expert: Expert
    given: int
    submitted: int

    @property
    def left(self) -> int:
        return self.given - self.submitted


def loads_of(*, round_: Round, stage: str) -> list[Load]:
    """Return the loads of the drawn experts, by number."""
    found = _kept_loads(round_, round_.uid, stage, scored_so_far())
    return [Load(e, *found.get(e.pk, (0, 0))) for e in drawn_experts(round_=round_, stage=stage)]


def scored_so_far() -> tuple[int, int, int]:
    """
    Return how many assignments were ever made, how many withdrawn, and how many sheets handed in.

    None of them is ever undone: where all three are what they were, so is all that follows from them.
    """
    return (
        Assignment.objects.count(),
        Assignment.objects.filter(withdrawn_at__isnull=False).count(),
        ScoreSheet.objects.filter(submitted_at__isnull=False).count(),
    )


@lru_cache(maxsize=16)
def _kept_loads(
    round_: Round, _uid: UUID, stage: str, _so_far: tuple[int, int, int]
) -> Mapping[int, tuple[int, int]]:
    submitted = FilteredRelation("sheet", condition=Q(sheet__submitted_at__isnull=False))
    rows = assignments_of(round_=round_, stage=stage).order_by().annotate(submitted=submitted)
    counted = rows.values_list("expert_id").annotate(n=Count("pk"), done=Count("submitted"))
    return {pk: (n, done) for pk, n, done in counted}


def unassigned(*, round_: Round, stage: str, per_case: int) -> QuerySet[Any]:
    """Return the applications at the stage that fewer experts have than are asked for."""
    live = Count("assignments", filter=Q(assignments__stage=stage, assignments__turn=1,
                                         assignments__withdrawn_at=None))  # fmt: skip
    rows = Application.objects.filter(round=round_, stage=stage, outcome="")
    return rows.annotate(live=live).filter(live__lt=per_case)


def submitted_sheets(*, round_: Round, stage: str) -> QuerySet[ScoreSheet]:
    """Return the submitted sheets of the stage that were not withdrawn, of whichever turn."""
    return ScoreSheet.objects.filter(
        assignment__application__round=round_, assignment__stage=stage, assignment__withdrawn_at=None,
        submitted_at__isnull=False,
    )  # fmt: skip


def named_fields(*, texts: Iterable[str], known: Iterable[str]) -> frozenset[str]:
    """
    Return the fields that the texts speak of: where they name one, or each part of it that 与 joins.

    >>> sorted(named_fields(texts=["建材行业的固体废物资源化"], known=["固体废物资源化", "冶金与建材", "信息化"]))
    ['冶金与建材', '固体废物资源化']
    """
    said = "\n".join(texts)
    return frozenset(field for field in known if any(part and part in said for part in field.split("与")))


def fields_of(*, applications: QuerySet[Application], known: Iterable[str]) -> Mapping[int, frozenset[str]]:
    """Return the fields of each application by its frozen texts, in one query."""
    known = tuple(known)
    if not known:
        return {}
    said = TextsOf("title", "brief_description", "leading_industry")
    rows = applications.order_by().annotate(said=said).values_list("pk", "said")
    return {pk: named_fields(texts=texts_in(texts), known=known) for pk, texts in rows}
