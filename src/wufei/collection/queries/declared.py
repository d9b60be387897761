"""What small generators said of their months, and who is silent."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Exists, OuterRef, Q, QuerySet, Sum

from wufei.collection import months, rules
from wufei.collection.models import Declaration, DeclarationLine, SmallGenerator
from wufei.collection.months import Word
from wufei.ledger.kinds import PlaceKind
from wufei.ledger.models import Balance, Stream
from wufei.registry.access import Permission
from wufei.registry.models import Organisation, User
from wufei.registry.queries import visible_organisations


def small_generators(*, on: date) -> QuerySet[SmallGenerator]:
    """Return those that declare on the day."""
    return SmallGenerator.objects.filter(Q(ended_on=None) | Q(ended_on__gt=on), began_on__lte=on)


def is_small_generator(*, organisation: Organisation, on: date) -> bool:
    return small_generators(on=on).filter(organisation=organisation).exists()


def overseen(*, user: User, on: date) -> QuerySet[SmallGenerator]:
    """Return the small generators whose ledger the person may see: its own, its park's, those of its division."""
    seen = visible_organisations(user=user, permission=Permission.VIEW_LEDGER, on=on)
    return small_generators(on=on).filter(organisation__in=seen).select_related("organisation")


def newest_declarations() -> QuerySet[Declaration]:
    """Return what holds of each month: what was said of it last."""
    later = Declaration.objects.filter(
        organisation=OuterRef("organisation"), month=OuterRef("month"), number__gt=OuterRef("number")
    )
    return Declaration.objects.filter(~Exists(later))


def silent(*, on: date) -> QuerySet[SmallGenerator]:
    """Return who said nothing of the newest month whose day has passed: what they have is unknown."""
    month = months.latest_due(on, rules.declaration_due_day())
    said = Declaration.objects.filter(organisation=OuterRef("organisation"), month=month)
    return small_generators(on=on).filter(~Exists(said), began_on__lte=months.last_day_of(month))


def to_declare(*, on: date) -> QuerySet[SmallGenerator]:
    """Return who has said nothing yet of the month that ended last: to be reminded, in time or late."""
    month = months.asked_for(on)
    said = Declaration.objects.filter(organisation=OuterRef("organisation"), month=month)
    return small_generators(on=on).filter(~Exists(said), began_on__lte=months.last_day_of(month))


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthSaid:
    """What is known of one month of a generator; `new_g` is None where it is unknown."""

    month: date
    word: Word
    due_on: date
    new_g: int | None
    declaration: Declaration | None


def months_said(*, organisation: Organisation, on: date) -> list[MonthSaid]:
    """Return what is known of each month since the registration, the newest first."""
    row = SmallGenerator.objects.filter(organisation=organisation).first()
    if row is None:
        return []
    newest = newest_declarations().filter(organisation=organisation).annotate(new_g=Sum("lines__new_g"))
    said = {each.month: each for each in newest.select_related("declared_by")}
    due_day, found = rules.declaration_due_day(), []
    for month in months.months_between(months.month_of(row.began_on), months.month_of(on)):
        declaration = said.get(month)
        word = months.word_on(
            month, said=None if declaration is None else not declaration.is_nothing, began_on=row.began_on,
            today=on, due_day=due_day,
        )  # fmt: skip
        new_g = None if declaration is None else (declaration.new_g or 0)  # type: ignore[attr-defined]
        found.append(
            MonthSaid(
                month=month,
                word=word,
                due_on=months.due_on(month, due_day),
                new_g=new_g,
                declaration=declaration,
            )
        )
    return found[::-1]


def words_of(
    *, generators: Sequence[SmallGenerator], month: date, on: date
) -> dict[int, tuple[Word, Declaration | None]]:
    """Return what is known of that month of each generator, in one query."""
    keys = [each.organisation_id for each in generators]
    rows = (
        newest_declarations().filter(organisation__in=keys, month=month).annotate(new_g=Sum("lines__new_g"))
    )
    said = {each.organisation_id: each for each in rows}
    due_day = rules.declaration_due_day()
    return {
        each.organisation_id: (
            months.word_on(
                month, said=None if (d := said.get(each.organisation_id)) is None else not d.is_nothing,
                began_on=each.began_on, today=on, due_day=due_day,
            ),
            said.get(each.organisation_id),
        )
        for each in generators
    }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class WasteAsked:
    """One waste on the page of a declaration: what stands in the books, and what was said before."""

    stream: Stream
    held_g: int  # in the books now
    before: DeclarationLine | None  # what was said of this month already
    last: DeclarationLine | None  # what was said of the month before it
    usual_g: int | None
    packaging: str

    @property
    def suggested(self) -> DeclarationLine | None:
        return self.before or self.last


def wastes_asked(*, organisation: Organisation, month: date) -> list[WasteAsked]:
    """Return the wastes that a declaration of the month speaks of, each with what is known."""
    streams = list(Stream.objects.filter(organisation=organisation).order_by("code"))
    held = held_by_stream(organisations=[organisation.pk])
    lines = DeclarationLine.objects.filter(
        declaration__in=newest_declarations().filter(organisation=organisation, month__lte=month)
    )
    said: dict[int, dict[date, DeclarationLine]] = defaultdict(dict)
    for line in lines.select_related("declaration"):
        said[line.stream_id][line.declaration.month] = line
    habits = habits_of(organisation)
    found = []
    for stream in streams:
        by_month = said[stream.pk]
        earlier = [each for each in by_month if each < month]
        last = by_month[max(earlier)] if earlier else None
        usual, packaging = habits.get(stream.waste_code, (None, ""))
        newest_usual = next(
            (each.usual_g for each in (by_month.get(month), last) if each and each.usual_g), None
        )
        found.append(
            WasteAsked(
                stream=stream, held_g=held.get(stream.pk, 0), before=by_month.get(month), last=last,
                usual_g=newest_usual or usual, packaging=packaging,
            )
        )  # fmt: skip
    return found


def habits_of(organisation: Organisation) -> dict[str, tuple[int | None, str]]:
    """Return, by waste code, the usual weight of a container and what it is, as the registration said."""
    row = SmallGenerator.objects.filter(organisation=organisation).select_related("registration").first()
    wastes = row.registration.wastes if row is not None and row.registration is not None else []
    return {each["waste_code"]: (each.get("usual_g"), each.get("packaging", "")) for each in wastes}


def held_by_stream(*, organisations: Iterable[int]) -> dict[int, int]:
    """Return what the stores of these organisations hold now, by stream."""
    rows = Balance.objects.filter(
        place__organisation__in=list(organisations), place__kind=PlaceKind.STORE, mass_g__gt=0
    )
    return dict(rows.values_list("lot__stream").annotate(grams=Sum("mass_g")).order_by())
