"""What reads the register: titles, who holds them, what became of them, and who may not apply."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import (
    BigIntegerField,
    Case,
    CharField,
    DateField,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from wufei.policies import queries as policy_queries
from wufei.policies.edition import Criterion, Edition, Kind
from wufei.registry.models import Organisation, Succession, User
from wufei.registry.queries import jurisdiction_prefix, lineage_of
from wufei.reviews.models import Application, ChangeReport, Reevaluation, Title, TitleEvent
from wufei.reviews.queries.roles import authority_roles
from wufei.reviews.stages import Outcome

ENDING = (TitleEvent.Kind.REMOVED, TitleEvent.Kind.REVOKED)
HOLDING = (TitleEvent.Kind.GRANTED, TitleEvent.Kind.RENAMED, TitleEvent.Kind.REORGANISED)

IN_FORCE, EXPIRED = "IN_FORCE", "EXPIRED"
STANDINGS = {
    IN_FORCE: _("有效"),
    TitleEvent.Kind.REMOVED.value: _("移出"),
    TitleEvent.Kind.REVOKED.value: _("撤销"),
    EXPIRED: _("到期"),
}
REPORT_IN_WORKING_DAYS = 30  # our reading where an edition sets no time for reporting a change


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """Why an organisation may not apply, and until when."""

    until: date
    title: str
    cause: str
    holder_name: str


def bars(*, organisation: Organisation, edition: Edition, on: date) -> list[Bar]:
    """
    Return what keeps the organisation from applying on the day, the longest first.

    Asked of all that it came from: neither a new name nor a new foundation launders anything. Titles of the
    same programme bar, whichever of its editions gave them.
    """
    rows = TitleEvent.objects.filter(
        holder__in=lineage_of(organisation=organisation), kind__in=ENDING, bars_until__gte=on, on__lte=on
    )
    return [
        Bar(until=row.bars_until, title=row.title.name, cause=row.cause, holder_name=row.holder_name)
        for row in rows.select_related("title").order_by("-bars_until")
        if row.bars_until is not None and is_same_programme(_known(row.title.edition), edition)
    ]


# ---- editions of one programme ----------------------------------------------------------------


def _known(edition_id: str) -> Edition | None:
    return policy_queries.known_editions().get(edition_id)


def programme_of(edition: Edition) -> Edition:
    """Return the edition that the programme goes back to: the furthest it extends that gives the title itself."""
    while (above := _known(edition.extends or "")) is not None and above.title_given is not None:
        edition = above
    return edition


def is_same_programme(one: Edition | None, other: Edition) -> bool:
    """
    Return whether both give titles of one programme: one issuer's, of one level. Our reading.

    An edition that was taken away is of every programme, so that its titles bar as before.
    """
    if one is None or one.id == other.id:
        return True
    first, second = programme_of(one), programme_of(other)
    if first.id == second.id:
        return True
    if first.title_given is None or second.title_given is None:
        return False
    same_level = first.title_given.level == second.title_given.level
    return same_level and first.norm.issuer == second.norm.issuer


def editions_of(edition: Edition) -> list[Edition]:
    """Return the editions at hand whose rules go for titles of this one: of its programme and kind of subject."""
    return [
        each
        for each in policy_queries.known_editions().values()
        if each.subject_kind == edition.subject_kind and is_same_programme(each, edition)
    ]


def number(edition: Edition, parameter: str, *, on: date) -> int | None:
    """Return the edition's parameter on the day, or on its first day before that; None: it has none."""
    known = edition.parameters.get(parameter)
    dated = known.on(max(on, edition.in_force_from)) if known else None
    return int(dated.value) if dated else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """A rule of a title's life for which it may be warned of, removed or revoked."""

    ref: str  # criterion id; with its edition's id before it where that is not the title's
    edition: Edition
    criterion: Criterion

    @property
    def says(self) -> str:
        return f"{self.edition.norm.number}{self.criterion.clause}：{self.criterion.says}"


def causes(*, title: Title) -> list[Cause]:
    """Return the rules of life of the title's edition, then those of the other editions of its programme."""
    own = _known(title.edition)
    if own is None:
        return []
    others = sorted(
        (each for each in editions_of(own) if each.id != own.id),
        key=lambda each: (each.in_force_from, each.id),
        reverse=True,
    )
    return [
        Cause(
            ref=criterion.id if each is own else f"{each.id}/{criterion.id}",
            edition=each,
            criterion=criterion,
        )
        for each in (own, *others)
        for criterion in each.criteria
        if criterion.kind is Kind.LIFECYCLE
    ]


def ending_causes(*, title: Title) -> list[Cause]:
    """Return the rules for which the title is revoked or removed: each says which of the two."""
    return [cause for cause in causes(title=title) if cause.criterion.ends_title]


def cause_of(*, title: Title, ref: str) -> Cause | None:
    """Return the cause that is written so; a warning's has the year behind a #."""
    return next((cause for cause in causes(title=title) if cause.ref == ref.partition("#")[0]), None)


# ---- titles -----------------------------------------------------------------------------------


def titles(
    *,
    at: date,
    edition: str = "",
    level: str = "",
    authority: Organisation | None = None,
    within: str = "",
    state: str = "",
    text: str = "",
    year: int | None = None,
) -> QuerySet[Any]:
    """
    Return the titles that had been given by the day, as they stood on it.

    Each has `holder_now` (key), `holder_uscc`, `holder_name`, `holder_division`, `standing` (see `STANDINGS`),
    `ended_on` and `ended_for`. All of it follows from the events, in SQL. `text` finds present and former
    names, numbers and codes; `within` a division's titles.
    """
    past = TitleEvent.objects.filter(title=OuterRef("pk"), on__lte=at).order_by("-on", "-pk")
    held, ended = past.filter(kind__in=HOLDING), past.filter(kind__in=ENDING)
    rows = Title.objects.filter(granted_on__lte=at).annotate(
        holder_now=Coalesce(
            Subquery(held.values("holder_id")[:1]), F("organisation_id"), output_field=BigIntegerField()
        ),
        holder_uscc=Coalesce(Subquery(held.values("holder__uscc")[:1]), F("organisation__uscc")),
        holder_division=Coalesce(
            Subquery(held.values("holder__division_code")[:1]), F("organisation__division_code")
        ),
        holder_name=Coalesce(Subquery(held.values("holder_name")[:1]), F("name_given")),
        ended_as=Subquery(ended.values("kind")[:1], output_field=CharField()),
        ended_on=Subquery(ended.values("on")[:1], output_field=DateField()),
        ended_for=Subquery(ended.values("cause")[:1], output_field=CharField()),
    )
    rows = rows.annotate(
        standing=Case(
            When(ended_as__isnull=False, then=F("ended_as")),
            When(valid_to__lt=at, then=Value(EXPIRED)),
            default=Value(IN_FORCE),
            output_field=CharField(),
        )
    )
    said = {"edition": edition, "level": level, "authority": authority, "year": year}
    rows = rows.filter(**{name: value for name, value in said.items() if value})
    if state:
        rows = rows.filter(_stood(state, at))
    if within:
        rows = rows.filter(_ever_held_in(within), holder_division__startswith=jurisdiction_prefix(within))
    if text:
        rows = rows.filter(_named(text))
    return rows.select_related("authority")


def _stood(state: str, at: date) -> Q:
    """Return the titles with that `standing` on the day, found by their ends, of which a title has one at most."""
    ends = TitleEvent.objects.filter(kind__in=ENDING, on__lte=at)
    if state not in (IN_FORCE, EXPIRED):
        return Q(pk__in=ends.filter(kind=state).values("title_id"))
    has_expired = Q(valid_to__isnull=False, valid_to__lt=at)
    return ~Q(pk__in=ends.values("title_id")) & (has_expired if state == EXPIRED else ~has_expired)


def _ever_held_in(division_code: str) -> Q:
    """Return what was ever held in the division: what is held there now is asked only of these few."""
    own = Organisation.objects.filter(division_code__startswith=jurisdiction_prefix(division_code))
    held = TitleEvent.objects.filter(kind__in=HOLDING, holder__in=own.values("pk"))
    return Q(organisation__in=own.values("pk")) | Q(pk__in=held.values("title_id"))


def _named(text: str) -> Q:
    formerly = Succession.objects.filter(former_name__icontains=text).values("successor_id")
    events = TitleEvent.objects.filter(title=OuterRef("pk")).filter(
        Q(holder_name__icontains=text)
        | Q(holder__name__icontains=text)
        | Q(holder__uscc__icontains=text)
        | Q(holder__in=formerly)
    )
    return Q(number__icontains=text) | Q(name_given__icontains=text) | Q(Exists(events))


def titles_seen_by(*, authority: Organisation, at: date, **narrowed: Any) -> QuerySet[Any]:
    """Return the titles that the authority works with: those that it gave, and those held in its jurisdiction."""
    held = Q(holder_division__startswith=jurisdiction_prefix(authority.division_code))
    within = _ever_held_in(authority.division_code) & held
    return titles(at=at, **narrowed).filter(Q(authority=authority) | within)


def titles_held_by(*, organisation: Organisation, at: date) -> QuerySet[Any]:
    """Return the titles whose holder the organisation is on the day."""
    return titles(at=at).filter(holder_now=organisation.pk)


def title_document(title: Any) -> dict[str, Any]:
    """Return a title of `titles` as plain data."""
    return {
        "number": title.number,
        "title": title.name,
        "edition": title.edition,
        "level": title.level,
        "year": title.year,
        "organisation": title.holder_uscc,
        "holder": title.holder_name,
        "name_given": title.name_given,
        "authority": title.authority.name,
        "document": title.document,
        "granted_on": title.granted_on.isoformat(),
        "valid_to": title.valid_to and title.valid_to.isoformat(),
        "state": title.standing,
        "ended_on": title.ended_on and title.ended_on.isoformat(),
        "cause": title.ended_for or "",
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What happened to a title, what was reported of it, and how it scored."""

    events: list[TitleEvent]
    changes: list[ChangeReport]
    reevaluations: list[Reevaluation]


def history(title: Title) -> History:
    """Return the title's history, the first event first."""
    changes = title.change_reports.select_related("reported_by", "district_by", "city_by", "successor")
    return History(
        events=list(title.events.select_related("holder", "by").order_by("on", "pk")),
        changes=list(changes.order_by("pk")),
        reevaluations=list(title.reevaluations.select_related("answered_by").order_by("year")),
    )


def recognised_without_title(*, authority: Organisation) -> QuerySet[Application]:
    """Return the recognised applications of the authority's rounds that no title was entered for."""
    rows = Application.objects.filter(
        round__authority=authority, outcome=Outcome.RECOGNISED.value, title__isnull=True
    )
    return rows.select_related("round", "organisation").order_by("round_id", "code")


# ---- changes ----------------------------------------------------------------------------------


def report_in_working_days(*, title: Title, on: date) -> tuple[int, bool]:
    """Return within how many working days a change is reported, and whether that is our reading."""
    own = _known(title.edition)
    for each in [own, *editions_of(own)] if own else []:
        if each is not None and (found := number(each, "change_report_working_days", on=on)) is not None:
            return found, False
    return REPORT_IN_WORKING_DAYS, True


def changes_seen_by(*, authority: Organisation, state: str = "", text: str = "") -> QuerySet[ChangeReport]:
    """Return the reported changes that the authority works with, the latest first."""
    seen = titles_seen_by(authority=authority, at=date.max).values("pk")
    rows = ChangeReport.objects.filter(title__in=seen)
    if state:
        rows = rows.filter(state=state)
    if text:
        rows = rows.filter(
            Q(new_name__icontains=text)
            | Q(title__number__icontains=text)
            | Q(title__name_given__icontains=text)
        )
    return rows.select_related("title", "successor", "reported_by").order_by("-pk")


def reviews_changes(*, user: User, division_code: str) -> Organisation | None:
    """Return the district's authority for industry for which the person reviews changes; None: for none."""
    held = dict(authority_roles(user=user, division_code=division_code))
    return held.get("DISTRICT_INDUSTRY")
