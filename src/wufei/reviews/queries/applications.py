"""What reads applications: lists, what may be done now, and the timeline of what was done."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from enum import StrEnum
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Prefetch, Q, QuerySet

from wufei.catalogue.divisions import children_of, divisions
from wufei.policies import queries as policy_queries
from wufei.policies.edition import Edition, Stage
from wufei.registry.access import Permission
from wufei.registry.models import Organisation, User
from wufei.registry.queries import COUNTRY, MUNICIPALITIES, jurisdiction_prefix, visible_organisations
from wufei.reviews import stages
from wufei.reviews.models import Act, ActDocument, Application
from wufei.reviews.queries.applications_seen import (
    Held,
    application_for,
    held_roles,
    shown_to_applicants,
    visible,
    within,
)
from wufei.reviews.stages import Action, Standing

__all__ = ["application_for", "held_roles", "visible"]

SORTS: Mapping[str, tuple[str, ...]] = {
    "code": ("code",),
    "due": ("due_on", "code"),
    "since": ("stage_since", "code"),
    "district": ("district_code", "code"),
    "name": ("organisation__name", "code"),
}
DEFAULT_SORT = "code"


class Audience(StrEnum):
    """In whose words a page speaks."""

    OFFICER = "OFFICER"
    APPLICANT = "APPLICANT"


# ---- lists ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a person asked the list for."""

    stage: str = ""
    outcome: str = ""
    district: str = ""
    only: str = ""  # contested, overdue, open, returned
    text: str = ""

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> "Wanted":
        """Take what was understood of a filter form."""
        return cls(**{each.name: said[each.name] for each in fields(cls) if said.get(each.name)})

    @property
    def is_filtered(self) -> bool:
        return self != Wanted()


def officers_list(*, user: User, on: date, edition: Edition | None = None) -> QuerySet[Application]:
    """
    Return the applications that the user sees as an officer.

    An applicant's own are left out: it is told of them in other words, and not before it may be.
    """
    own = visible_organisations(user=user, permission=Permission.EDIT_CASE, on=on)
    rows = visible(user=user, on=on, edition=edition)
    keys = list(own.values_list("pk", flat=True))
    return rows.exclude(organisation__in=keys) if keys else rows


def narrowed(
    *, among: QuerySet[Application], wanted: Wanted, on: date, first_stages: Sequence[str] = ()
) -> QuerySet[Application]:
    """Return what is wanted of the applications, in no order."""
    if wanted.stage:
        among = among.filter(stage=wanted.stage, outcome="")
    if wanted.outcome:
        among = among.filter(outcome=wanted.outcome)
    if wanted.district:
        among = among.filter(within(wanted.district))
    if wanted.text:
        text = wanted.text.strip()
        named = Q(organisation__name__icontains=text) | Q(organisation__uscc__iexact=text)
        among = among.filter(named | Q(code__icontains=text))
    conditions = {
        "contested": Q(contested=True),
        "overdue": Q(outcome="", due_on__lt=on),
        "open": Q(outcome=""),
        "returned": Q(outcome="", stage__in=list(first_stages)),
    }
    return among.filter(conditions[wanted.only]) if wanted.only in conditions else among


def sort_of(said: str) -> str:
    """Return the sort that was asked for, else the usual one."""
    return said if said.removeprefix("-") in SORTS else DEFAULT_SORT


def ordered(rows: QuerySet[Application], sort: str) -> QuerySet[Application]:
    """Return the rows with what a list shows, in the order."""
    columns = [f"-{c}" if sort.startswith("-") else c for c in SORTS[sort.removeprefix("-")]]
    return rows.select_related("organisation", "round").defer("organisation__address").order_by(*columns)


def divisions_below(*, held: Iterable[Held]) -> list[str]:
    """Return the divisions by which an officer may narrow a list: those next below its own."""
    codes = {each.organisation.division_code for each in held if not each.is_applicant}
    if COUNTRY in codes:
        return sorted(code.ljust(6, "0") for code in divisions() if len(code) == 2)
    found = {child.code for code in codes for child in children_of(code)}
    # A municipality's districts stand behind 市辖区 and 县, which nobody looks for.
    behind = {code for code in found if len(code) == 4 and code[:2] + "0000" in MUNICIPALITIES}
    found = found - behind | {child.code for code in behind for child in children_of(code)}
    return sorted(code.ljust(6, "0") for code in found)


@dataclass(frozen=True, slots=True)
class Shown:
    """A page of a list: keys are counted and sorted, rows are read for the page alone."""

    page: Page[Any]
    rows: list[Application]
    sort: str


def listed(*, rows: QuerySet[Application], sort: str, page: str | None, per_page: int) -> Shown:
    """Return a page of the rows in the order, in the same few queries however many there are."""
    columns = [f"-{c}" if sort.startswith("-") else c for c in SORTS[sort.removeprefix("-")]]
    shown = Paginator(rows.order_by(*columns).values_list("pk", flat=True), per_page).get_page(page)
    keys = list(shown.object_list)
    found = {row.pk: row for row in Application.objects.filter(pk__in=keys).select_related("organisation")}
    return Shown(page=shown, rows=[found[key] for key in keys], sort=sort)


def own_applications(*, user: User, on: date) -> list[Application]:
    """Return the applications of the organisations for which the user hands in cases, the newest first."""
    whose = {held.organisation.pk for held in held_roles(user=user, on=on) if held.is_applicant}
    rows = Application.objects.filter(shown_to_applicants(), organisation__in=whose).select_related(
        "round__authority", "organisation", "case"
    )
    acts = Act.objects.order_by("seq").select_related("acted_for", "by", "on_behalf_of")
    return list(rows.prefetch_related(Prefetch("acts", acts)).order_by("-pk"))


# ---- where an application stands, and what may be done ---------------------------------------


def edition_of(application: Application) -> Edition:
    """Return the edition that the round pins."""
    return policy_queries.edition(application.round.edition)


def starts_at(application: Application, edition: Edition) -> str:
    """Return the stage at which a package from below put the application; "" where its applicant handed it in."""
    return "" if application.is_direct else stages.entered_from_below(edition.stages)


def standing_by(application: Application, edition: Edition, acts: Sequence[Act]) -> Standing:
    """Return where the application stands after those of its acts."""
    return stages.replay(edition.stages, acts, starts_at=starts_at(application, edition))


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Where an application stands in the applicant's words, after what the applicant was told of."""

    label: str
    standing: Standing
    is_returned: bool
    version: int  # counts what it was told of, and so moves with nothing else

    @property
    def outcome(self) -> str:
        return self.standing.outcome.value if self.standing.outcome else ""


def told(application: Application, acts: Sequence[Act]) -> Told:
    """Return what the applicant may know of where its application stands."""
    edition = edition_of(application)
    known = stages.told(acts)
    standing = standing_by(application, edition, known)
    stage = stages.stage_of(edition.stages, standing.stage)
    is_returned = standing.outcome is None and bool(standing.returned_from) and stage == edition.stages[0]
    version = len(_told_of(application, edition, known))
    return Told(label=stage.applicant_label, standing=standing, is_returned=is_returned, version=version)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What a person may do with an application now, in one of its roles."""

    role: str
    organisation: Organisation
    on_behalf_of: User | None
    actions: tuple[Action, ...]


def offers_to(
    *, user: User, held: Sequence[Held], application: Application, edition: Edition, standing: Standing
) -> list[Offer]:
    """Return what the stage offers the person, role by role; its own roles come before a principal's."""
    found: list[Offer] = []
    for each in sorted(held, key=lambda h: h.person != user):
        if not _is_towards(each, application):
            continue
        actions = stages.offers(edition.stages, standing, role=each.role)
        if not application.is_direct:
            actions -= {Action.WITHDRAW}  # its applicant withdraws where it applied
        if actions and all(offer.role != each.role for offer in found):
            behalf = None if each.person == user else each.person
            found.append(
                Offer(
                    role=each.role, organisation=each.organisation, on_behalf_of=behalf,
                    actions=tuple(action for action in Action if action in actions),
                )
            )  # fmt: skip
    return found


def _is_towards(held: Held, application: Application) -> bool:
    if held.is_applicant:
        return held.organisation.pk == application.organisation_id
    from_, through = _range(held.organisation.division_code)
    return from_ <= application.district_code <= through


def _range(division_code: str) -> tuple[str, str]:
    prefix = jurisdiction_prefix(division_code)
    return prefix.ljust(6, "0"), prefix.ljust(6, "9")


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """What one of those who decide jointly has said; None: nothing yet."""

    role: str
    action: Action | None
    act: Act | None


def votes_at(stage: Stage, standing: Standing, acts: Sequence[Act]) -> list[Vote]:
    """Return who has said what at the stage, in the order in which the edition names them."""
    found = []
    for role in stages.deciders(stage):
        said = standing.votes.get(role)
        act = next((a for a in reversed(acts) if a.role == role and a.stage == stage.id), None)
        found.append(Vote(role=role, action=said, act=act if said else None))
    return found


# ---- the timeline ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An act as its reader may know it: person, time, opinion, documents."""

    act: Act
    number: int  # among what the reader is told of, so that none shows by a gap that it was left out
    stage: str  # label, in the reader's words
    words: str
    comments: Mapping[str, str] = field(default_factory=dict)
    documents: Sequence[ActDocument] = ()
    is_untold: bool = False  # the applicant doesn't know of it yet
    shows_person: bool = True


def acts_of(application: Application) -> list[Act]:
    """Return all acts with person, authority and documents, in their order."""
    rows = application.acts.select_related("by", "on_behalf_of", "acted_for", "submission").order_by("seq")
    return list(rows.prefetch_related("documents"))


# The words behind these are meant for the applicant; others are between those who decide.
_WORDS_TO_APPLICANT = frozenset(
    {
        Action.RETURN, Action.DISAGREE, Action.SETTLE_AGAINST, Action.REFUSE, Action.REMOVE, Action.RELEASE,
        Action.RECOGNISE, Action.PASS_ON,
    }
)  # fmt: skip


def timeline(
    application: Application, audience: Audience, *, acts: Sequence[Act] | None = None
) -> list[Entry]:
    """
    Return every act in the reader's words.

    An applicant reads what it was told of: not what is held back, nor single votes of those who decide jointly.
    """
    acts = acts_of(application) if acts is None else acts
    edition = edition_of(application)
    known = stages.told(acts)
    if audience is Audience.OFFICER:
        seqs = {act.seq for act in known}
        return [_for_officers(edition, act, act.seq not in seqs) for act in acts]
    return _for_applicant(application, edition, known)


def _for_officers(edition: Edition, act: Act, is_untold: bool) -> Entry:
    stage = stages.stage_of(edition.stages, act.stage)
    return Entry(
        act=act, number=act.seq, stage=stage.label, words=act.words, comments=act.comments, documents=list(act.documents.all()),
        is_untold=is_untold,
    )  # fmt: skip


def _for_applicant(application: Application, edition: Edition, known: Sequence[Act]) -> list[Entry]:
    return [
        _told_entry(edition, act, number)
        for number, act in enumerate(_told_of(application, edition, known), start=1)
    ]


def _told_of(application: Application, edition: Edition, known: Sequence[Act]) -> list[Act]:
    """Return what the applicant reads of: what moved the case and its own, not single votes of several."""
    found = []
    start = starts_at(application, edition)
    standing = Standing(stage=start) if start else stages.begin(edition.stages)
    for act in known:
        then = stages.after_act(edition.stages, standing, act)
        is_move = (then.stage, then.outcome, then.is_in_notice) != (
            standing.stage,
            standing.outcome,
            standing.is_in_notice,
        )
        if is_move or act.role == stages.APPLICANT or act.action in (Action.RELEASE, Action.PASS_ON):
            found.append(act)
        standing = then
    return found


def _told_entry(edition: Edition, act: Act, number: int) -> Entry:
    is_own = act.role == stages.APPLICANT
    is_theirs = is_own or act.action in _WORDS_TO_APPLICANT
    return Entry(
        act=act, number=number, stage=stages.stage_of(edition.stages, act.stage).applicant_label,
        words=act.words if is_theirs else "", comments=act.comments if is_theirs else {},
        documents=list(act.documents.all()) if is_theirs else (), shows_person=is_own,
    )  # fmt: skip


def returned_comments(acts: Sequence[Act]) -> dict[str, str]:
    """Return what was said of single fields when the case was last sent back."""
    last = next((act for act in reversed(acts) if act.action in (Action.RETURN, Action.SUBMIT)), None)
    return dict(last.comments) if last is not None and last.action == Action.RETURN else {}


def document_for(*, application: Application, document_id: int, audience: Audience) -> ActDocument:
    """
    Return a file that stands with an act, if the reader may see it.

    :raises ActDocument.DoesNotExist: otherwise
    """
    for entry in timeline(application, audience):
        for document in entry.documents:
            if document.pk == document_id:
                return document
    raise ActDocument.DoesNotExist


def audience_of(*, held: Sequence[Held], application: Application) -> Audience:
    """Return in whose words the person reads: whoever hands in the case reads as its applicant."""
    is_own = any(each.is_applicant and _is_towards(each, application) for each in held)
    return Audience.APPLICANT if is_own else Audience.OFFICER


def sees_as_officer(*, user: User, application: Application, on: date) -> bool:
    """Return whether the user sees the application, and as one of those who decide."""
    held = held_roles(user=user, on=on)
    if audience_of(held=held, application=application) is Audience.APPLICANT:
        return False
    return visible(user=user, on=on).filter(pk=application.pk).exists()
