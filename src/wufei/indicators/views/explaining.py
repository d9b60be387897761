"""从哪里来: a figure down to what was stated and to the single movements."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from wufei.indicators import change, queries
from wufei.indicators.definitions import INDICATORS
from wufei.indicators.figure import Basis, Figure, MovementsBehind, StatedInput
from wufei.indicators.forms import FigureQuestion
from wufei.indicators.services import FIRST_YEAR
from wufei.indicators.views import tables
from wufei.ledger.kinds import LABELS, Kind
from wufei.ledger.models import Movement
from wufei.ledger.views.desk import Desk, desk
from wufei.registry.access import Permission
from wufei.registry.models import Organisation
from wufei.registry.queries import organisation_for, visible_organisations
from wufei.registry.views.listing import ROWS_PER_PAGE, page_at
from wufei.terms.period import Period

MOST_PARTS = 20  # of one figure on its page, the largest; the others are a page of their own


@dataclass(frozen=True, slots=True)
class Node:
    """One step of the way back: a figure, a statement, or the movements that were summed."""

    figure: Figure | None = None
    stated: StatedInput | None = None
    movements: MovementsBehind | None = None
    words: str = ""  # of movements: what was asked of the ledger
    leaf: int = 0
    may_read: bool = True
    who: str = ""  # whose, where it is another's
    address: str = ""
    children: tuple["Node", ...] = ()
    parts: int = 0  # how many children there are, shown or not
    path: str = ""  # where it stands below the figure of the page: "0.12"

    @property
    def has_more(self) -> bool:
        return self.parts > len(self.children)

    @property
    def places(self) -> int | str:
        return tables.places_of(self.figure) if self.figure else ""


@require_safe
def figure(request: HttpRequest, uscc: str, indicator: str, year: int) -> HttpResponse:
    """Show a figure: value, formula, source, our reading, and what it was computed from."""
    at = desk(request, uscc, Permission.VIEW_FIGURES)
    found = _asked(request, at, indicator, year)
    context = at.context(
        figure=found,
        definition=INDICATORS[indicator],
        gaps=tables.gaps([found], uscc=uscc, held=at.held),
        places=tables.places_of(found),
        stream_name=_stream_name(found),
        cut=_cut(request),
    )
    if "part" in request.GET:
        part, parts = _part(found, request.GET["part"])
        page = page_at(Paginator(parts, MOST_PARTS), request.GET.get("page"))
        shown = _nodes(found, at, list(page))
        return render(
            request, "indicators/figure_part.html", context | {"part": part, "page": page, "nodes": shown}
        )
    parts = _parts(found.basis)
    context |= {"nodes": _nodes(found, at, parts[:MOST_PARTS]), "parts": len(parts)}
    return render(request, "indicators/figure.html", context)


@dataclass(frozen=True, slots=True)
class _Part:
    """What a figure rests on, with its place below the figure of the page and the number of its first leaf."""

    of: Basis
    path: str
    leaf: int


def _parts(basis: Sequence[Basis], path: str = "", leaf: int = 0) -> list[_Part]:
    """Return the parts of a figure; of many the largest first, so that none that matters is on a later page."""
    found = []
    for number, each in enumerate(basis):
        found.append(_Part(each, f"{path}.{number}" if path else str(number), leaf))
        leaf += len(_movements_behind(each))
    return sorted(found, key=_by_size) if len(found) > MOST_PARTS else found


def _by_size(part: _Part) -> tuple[bool, Decimal]:
    value = part.of.value if isinstance(part.of, Figure) else Decimal(0)
    return value is None, -abs(value or Decimal(0))


def _movements_behind(part: Basis) -> list[MovementsBehind]:
    leaves = part.leaves() if isinstance(part, Figure) else [part]
    return [leaf for leaf in leaves if isinstance(leaf, MovementsBehind)]


def _part(found: Figure, path: str) -> tuple[Figure, list[_Part]]:
    """Return the figure at that place below, and its parts; "" is the figure itself."""
    parts = {part.path: part for part in _parts(found.basis)}
    steps = path.split(".") if path else []
    for depth in range(1, len(steps) + 1):
        part = parts.get(".".join(steps[:depth]))
        if part is None or not isinstance(part.of, Figure):
            raise Http404
        found = part.of
        parts = {each.path: each for each in _parts(found.basis, part.path, part.leaf)}
    return found, list(parts.values())


def _cut(request: HttpRequest) -> str:
    """Return which cut of the figure is looked at, as its other pages are asked."""
    said = request.GET.copy()
    for name in ("part", "page"):
        said.pop(name, None)
    return said.urlencode()


def _asked(request: HttpRequest, at: Desk, indicator: str, year: int) -> Figure:
    form = FigureQuestion(request.GET)
    if indicator not in INDICATORS or not FIRST_YEAR <= year <= at.today.year or not form.is_valid():
        raise Http404
    said = {name: value for name, value in form.cleaned_data.items() if value}
    try:
        if month := said.pop("month", None):
            return _of_month(at, indicator, Period.month(year, month), **said)
        return queries.figure(organisation=at.organisation, indicator=indicator, year=year, **said)
    except queries.UnknownIndicator as error:
        raise Http404 from error


def _of_month(
    at: Desk, indicator: str, month: Period, *, stream: str | None = None, dimension: str | None = None,
    span: int = change.SPAN,
) -> Figure:  # fmt: skip
    year = month.first_day.year
    found = queries.figures(
        organisation=at.organisation, from_year=year, to_year=year, months=True, span=span
    )
    column = tables.Column("", month, month.first_day.month)
    for each in found:
        if (each.indicator, each.stream, each.dimension) == (indicator, stream, dimension) and column.shows(
            each
        ):
            return each
    raise queries.UnknownIndicator(indicator)


def _nodes(found: Figure, at: Desk, parts: Sequence[_Part]) -> tuple[Node, ...]:
    """Return those parts of the figure with what they rest on, every movement query numbered as it is read."""
    subjects = {leaf.organisation for leaf in found.leaves()}
    named = dict(Organisation.objects.filter(uscc__in=subjects).values_list("uscc", "name"))
    readable = visible_organisations(user=at.user, permission=Permission.VIEW_LEDGER, on=at.today)
    may_read = set(readable.filter(uscc__in=subjects).values_list("uscc", flat=True))

    def walk(part: _Part) -> Node:
        of = part.of
        whose = of.subject if isinstance(of, Figure) else of.organisation
        who = "" if whose == at.uscc else named.get(whose, whose)
        if isinstance(of, Figure):
            address = tables.figure_address(of, uscc=at.uscc) if of.period.is_year else ""
            below = _parts(of.basis, part.path, part.leaf)
            return Node(
                figure=of, who=who, address=address, children=tuple(map(walk, below[:MOST_PARTS])),
                parts=len(below), path=part.path,
            )  # fmt: skip
        if isinstance(of, StatedInput):
            return Node(stated=of, who=who)
        return Node(movements=of, words=asked_words(of), leaf=part.leaf, who=who, may_read=whose in may_read)

    return tuple(map(walk, parts))


def asked_words(behind: MovementsBehind) -> str:
    """Return what was asked of the ledger, in words."""
    kinds = "全部环节" if len(behind.kinds) == len(Kind) else "、".join(LABELS[Kind(k)] for k in behind.kinds)
    said = [kinds, _span(behind.period)]
    classes = {"GENERAL": "一般工业固体废物", "HAZARDOUS": "危险废物"}
    said += [
        f"{label}“{value}”"
        for label, value in (
            ("废物编号", behind.stream), ("废物名称", behind.stream_name), ("废物类别", behind.waste_category),
            ("方式", behind.method),
        )
        if value is not None
    ]  # fmt: skip
    if behind.waste_class:
        said.append(classes[behind.waste_class])
    if behind.counterparties is not None:
        said.append("对方单位为" + "、".join(behind.counterparties))
    return "，".join(said)


def _span(period: Period) -> str:
    if period.is_year:
        return f"{period.first_day.year} 年"
    if period.is_month:
        return f"{period.first_day.year} 年 {period.first_day.month} 月"
    return f"{period.first_day} 至 {period.last_day}"


def _stream_name(found: Figure) -> str:
    return f"废物编号 {found.stream}" if found.stream else ""


class _Counted(Paginator[Movement]):
    """Pages of movements that were counted when the figure was computed."""

    def __init__(self, rows: QuerySet[Movement], counted: int | None):
        super().__init__(rows, ROWS_PER_PAGE)
        if counted is not None:
            self.__dict__["count"] = counted


@require_safe
def movements(request: HttpRequest, uscc: str, indicator: str, year: int, leaf: int) -> HttpResponse:
    """List the movements that one leaf of a figure sums, each with its own page."""
    at = desk(request, uscc, Permission.VIEW_FIGURES)
    found = _asked(request, at, indicator, year)
    behind = _movements_behind(found)
    if leaf >= len(behind):
        raise Http404
    part = behind[leaf]
    whose = organisation_for(
        user=at.user, uscc=part.organisation, permission=Permission.VIEW_LEDGER, on=at.today
    )
    page = page_at(_Counted(queries.movements_behind(part), part.count), request.GET.get("page"))
    context: dict[str, Any] = {
        "figure": found, "part": part, "page": page, "whose": whose, "words": asked_words(part),
        "back": tables.figure_address(found, uscc=uscc, month=_month_of(request)), "labels": LABELS,
    }  # fmt: skip
    return render(request, "indicators/movements.html", at.context(**context))


def _month_of(request: HttpRequest) -> int | None:
    said = request.GET.get("month", "")
    return int(said) if said.isdecimal() else None
