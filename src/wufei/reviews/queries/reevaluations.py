"""The yearly re-evaluation of titles: scores, the bottom of each year, who is due for removal, who has not answered."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from wufei.indicators.figure import plain
from wufei.policies.edition import Edition
from wufei.reviews.models import Reevaluation, Title, TitleEvent
from wufei.reviews.queries.register import editions_of, titles
from wufei.reviews.reevaluation import OUR_READING, Year, runs, year_of
from wufei.reviews.refusals import ReviewRefused


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A title that is in a year's population."""

    title: Title
    score: Decimal
    rank: int
    in_bottom: bool
    years_in_bottom: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a title stood in one year: the proof of a removal is a row of these."""

    year: int
    population: int
    allowed: int
    cut: Decimal
    score: Decimal
    rank: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A title that is due for removal, and why: `bottom` with its places, or `no_answer` with its warning."""

    title: Title
    reason: str
    places: tuple[Place, ...] = ()
    warned_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Silent:
    """A title of which no score is known: its holder has not answered, or not with all that is needed."""

    title: Title
    answered: bool
    warned_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class YearsResult:
    """A year's re-evaluation under an edition."""

    edition: Edition
    year: int
    share_pct: Decimal
    years_needed: int
    deadline: date | None
    by_year: Mapping[int, Year]  # by the titles' numbers
    lines: list[Line]
    removals_due: list[Due]
    no_answer: list[Silent]

    @property
    def of_year(self) -> Year:
        return self.by_year[self.year]


def reevaluation(edition: Edition, year: int) -> YearsResult:
    """
    Return the year's list with its proof.

    In a year's population are the titles of the programme that were in force on any of its days and whose score
    of that year is known. Titles given within the year need not answer yet; those that do count.

    :raises ReviewRefused: `edition_has_no_bottom_rule`
    """
    share, needed = rule_of(edition, year)
    known = _titles(edition, year)
    answers = _answers(known, year)
    by_year = {
        each: year_of(each, _known(answers.get(each, {})), share_pct=share) for each in {*answers, year}
    }
    running = runs(by_year, through=year)
    warned = _warned(known, year)
    silent = _silent(known, answers.get(year, {}), year, warned)
    due = [
        Due(title=title, reason="bottom", places=_places(by_year, number, year, running[number]))
        for number, title in known.items()
        if running.get(number, 0) >= needed and title.ended_on is None  # type: ignore[attr-defined]
    ]
    due += [
        Due(title=each.title, reason="no_answer", warned_on=each.warned_on)
        for each in silent
        if not each.answered and each.warned_on and each.title.ended_on is None  # type: ignore[attr-defined]
    ]
    return YearsResult(
        edition=edition, year=year, share_pct=share, years_needed=needed, by_year=by_year,
        deadline=deadline_of(edition, year), lines=_lines(known, by_year[year], running), removals_due=due,
        no_answer=silent,
    )  # fmt: skip


def deadline_of(edition: Edition, year: int) -> date | None:
    """Return until when the year's answers are asked for: the edition's first date of that year."""
    return min((each.on for each in edition.dates if each.on.year == year), default=None)


def rule_of(edition: Edition, year: int) -> tuple[Decimal, int]:
    """
    Return the share of a year's population that is its bottom, and in how many years running it takes a title.

    :raises ReviewRefused: `edition_has_no_bottom_rule`
    """
    day = max(date(year, 12, 31), edition.in_force_from)
    said = [edition.parameters.get(name) for name in ("bottom_share_pct", "bottom_years")]
    share, needed = (parameter.on(day) if parameter else None for parameter in said)
    if share is None or needed is None:
        raise ReviewRefused("edition_has_no_bottom_rule", edition.id)
    return share.value, int(needed.value)


def _titles(edition: Edition, year: int) -> dict[str, Title]:
    """Return the titles that the edition's rules go for and that were given by the year's end, by number."""
    rows = titles(at=date.max).filter(
        edition__in=[each.id for each in editions_of(edition)], granted_on__lte=date(year, 12, 31)
    )
    return {row.number: row for row in rows.order_by("number")}


def _is_in_force(title: Title, year: int) -> bool:
    """Return whether the title was in force on any day of the year."""
    first = date(year, 1, 1)
    ended_on: date | None = title.ended_on  # type: ignore[attr-defined]
    return (
        title.granted_on.year <= year
        and (ended_on is None or ended_on >= first)
        and (title.valid_to is None or title.valid_to >= first)
    )


def _known(answers: Mapping[str, Decimal | None]) -> dict[str, Decimal]:
    return {number: score for number, score in answers.items() if score is not None}


def _answers(known: Mapping[str, Title], year: int) -> dict[int, dict[str, Decimal | None]]:
    """Return by year and number what was answered, with the score where it is known."""
    rows = Reevaluation.objects.filter(title__in=[each.pk for each in known.values()], year__lte=year)
    found: dict[int, dict[str, Decimal | None]] = {}
    for number, of, score in rows.values_list("title__number", "year", "score"):
        if _is_in_force(known[number], of):
            found.setdefault(of, {})[number] = score
    return found


def _warned(known: Mapping[str, Title], year: int) -> dict[int, date]:
    rows = TitleEvent.objects.filter(
        title__in=[each.pk for each in known.values()],
        kind=TitleEvent.Kind.WARNED,
        cause__endswith=f"#{year}",
    )
    return dict(rows.values_list("title_id", "on"))


def _silent(
    known: Mapping[str, Title], answers: Mapping[str, Decimal | None], year: int, warned: Mapping[int, date]
) -> list[Silent]:
    """Return who was asked and of whom no score is known; a title that ended within the year is not asked."""
    return [
        Silent(title=title, answered=number in answers, warned_on=warned.get(title.pk))
        for number, title in known.items()
        if answers.get(number) is None and (number in answers or _is_asked(title, year))
    ]


def _is_asked(title: Title, year: int) -> bool:
    last = date(year, 12, 31)
    ended_on: date | None = title.ended_on  # type: ignore[attr-defined]
    is_standing = ended_on is None or ended_on > last
    return title.granted_on.year < year and is_standing and _is_in_force(title, year)


def _lines(known: Mapping[str, Title], of_year: Year, running: Mapping[str, int]) -> list[Line]:
    ranks = of_year.ranks
    found = [
        Line(
            title=known[number], score=score, rank=ranks[number], in_bottom=number in of_year.bottom,
            years_in_bottom=running.get(number, 0),
        )
        for number, score in of_year.scores.items()
    ]  # fmt: skip
    return sorted(found, key=lambda line: (line.rank, line.title.number))


def _places(by_year: Mapping[int, Year], number: str, year: int, count: int) -> tuple[Place, ...]:
    found = []
    for each in range(year - count + 1, year + 1):
        of = by_year[each]
        assert of.cut is not None, "the title is in the bottom"
        found.append(
            Place(
                year=each, population=len(of.scores), allowed=of.allowed, cut=of.cut, score=of.scores[number],
                rank=of.ranks[number],
            )
        )  # fmt: skip
    return tuple(found)


# ---- as plain data, for machines ---------------------------------------------------------------


def as_document(result: YearsResult) -> dict[str, Any]:
    """Return the year's list with its proof as plain data; scores are decimal strings."""
    return {
        "edition": result.edition.id,
        "year": result.year,
        "population": len(result.of_year.scores),
        "share_pct": plain(result.share_pct),
        "years_needed": result.years_needed,
        "deadline": result.deadline and result.deadline.isoformat(),
        "allowed": result.of_year.allowed,
        "cut": plain(result.of_year.cut),
        "tied_at": plain(result.of_year.tied_at),
        "our_reading": OUR_READING,
        "scores": [
            _named(line.title)
            | {
                "score": plain(line.score), "rank": line.rank, "in_bottom": line.in_bottom,
                "years_in_bottom": line.years_in_bottom,
            }
            for line in result.lines
        ],
        "bottom": sorted(result.of_year.bottom),
        "removals_due": [
            _named(due.title) | {"reason": due.reason, "proof": _proof(due)} for due in result.removals_due
        ],
        "no_answer": [_without_score(each) for each in result.no_answer if not each.answered],
        "no_score": [_without_score(each) for each in result.no_answer if each.answered],
        "years": [_year(result.by_year[year]) for year in sorted(result.by_year)],
    }  # fmt: skip


def _without_score(each: Silent) -> dict[str, Any]:
    warned_on = each.warned_on and each.warned_on.isoformat()
    return _named(each.title) | {"answered": each.answered, "warned_on": warned_on}


def _named(title: Any) -> dict[str, Any]:
    return {"number": title.number, "organisation": title.holder_uscc, "holder": title.holder_name}


def _proof(due: Due) -> dict[str, Any]:
    if due.reason == "no_answer":
        return {"warned_on": due.warned_on and due.warned_on.isoformat()}
    years = [
        {
            "year": each.year, "population": each.population, "allowed": each.allowed, "cut": plain(each.cut),
            "score": plain(each.score), "rank": each.rank,
        }
        for each in due.places
    ]  # fmt: skip
    return {"years": years}


def _year(of: Year) -> dict[str, Any]:
    """Return a year's whole population, the lowest score first, so that anybody can count again."""
    ordered = sorted(of.scores.items(), key=lambda pair: (pair[1], pair[0]))
    return {
        "year": of.year, "population": len(of.scores), "allowed": of.allowed, "cut": plain(of.cut),
        "tied_at": plain(of.tied_at), "bottom": sorted(of.bottom),
        "scores": [{"number": number, "score": plain(score)} for number, score in ordered],
    }  # fmt: skip
