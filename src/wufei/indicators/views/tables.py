"""
Which figures stand in which row of a table, to how many decimals, and where does each lead?

Values are rounded for the eye only; the page of a figure shows them in full.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from wufei.indicators import change
from wufei.indicators.definitions import INDICATORS, park_id
from wufei.indicators.figure import Figure, Missing
from wufei.indicators.stated import OPERATIONS, PRODUCTS
from wufei.registry.access import Permission
from wufei.registry.models import OrganisationKind
from wufei.terms.period import Period

Group = tuple[str | Promise, tuple[str, ...]]

_GROUPS: tuple[Group, ...] = (
    (_("产生"), ("generation_t", "general_generation_t", "hazardous_generation_t", "receipt_t")),
    (
        _("利用"),
        (
            "utilisation_t", "own_utilisation_t", "contracted_utilisation_t", "utilisation_by_way_t",
            "earlier_years_utilisation_t", "received_utilisation_t",
        ),
    ),
    (_("处置"), ("disposal_t", "own_disposal_t", "contracted_disposal_t", "earlier_years_disposal_t")),
    (_("贮存"), ("stock_t", "hazardous_stock_t", "storage_t", "mass_balance_gap_t")),
    (
        _("比率"),
        (
            "utilisation_rate_pct", "utilisation_rate_gain_pp", "general_utilisation_rate_pct",
            "hazardous_utilisation_rate_pct", "disposal_rate_pct",
        ),
    ),
    (
        _("强度"),
        (
            "generation_intensity_t_per_10k_yuan", "generation_intensity_reduction_pct", "generation_per_product",
            "generation_per_product_reduction_pct", "value_added_10k_yuan", "output_value_10k_yuan",
            "main_product_output",
        ),
    ),
    (_("台账"), ("ledger_movements_count", "ledger_destination_named_pct")),
)  # fmt: skip
_PARK_ONLY: dict[str, tuple[str, ...]] = {
    "utilisation_t": ("park_sent_out_utilisation_t",),
    "generation_t": ("park_generation_by_waste_t",),
    "park_sent_out_utilisation_t": ("park_utilisation_by_waste_t",),
}
# Parts of the row above them: set in.
PARTS = frozenset(
    {
        "general_generation_t", "hazardous_generation_t", "own_utilisation_t", "contracted_utilisation_t",
        "utilisation_by_way_t", "own_disposal_t", "contracted_disposal_t", "hazardous_stock_t",
        "general_utilisation_rate_pct", "hazardous_utilisation_rate_pct", "park_generation_by_waste_t",
        "park_utilisation_by_waste_t",
    }
)  # fmt: skip
# What a chart draws: (title, unit, indicators).
CHARTS: tuple[tuple[str | Promise, str, tuple[str, ...]], ...] = (
    (_("产生、利用、处置与年末贮存"), "吨", ("generation_t", "utilisation_t", "disposal_t", "stock_t")),
    (_("综合利用率与处置率"), "%", ("utilisation_rate_pct", "disposal_rate_pct")),
    (_("产生强度"), "吨/万元", ("generation_intensity_t_per_10k_yuan",)),
)


def places_of(figure: Figure) -> int | str:
    """Return to how many decimals a table shows the figure; "": as many as it has."""
    if figure.unit in ("%", "个百分点"):
        return 2
    return 4 if figure.unit.startswith("吨/") else ""


@dataclass(frozen=True, slots=True)
class Cell:
    figure: Figure | None
    address: str = ""  # of the figure's own page

    @property
    def places(self) -> int | str:
        return places_of(self.figure) if self.figure else ""

    @property
    def lacking(self) -> str:
        """What is missing, in words; of many the first."""
        labels = [each.label for each in self.figure.missing] if self.figure else []
        some = "、".join(labels[:3])
        return (
            some if len(labels) <= 3 else _("%(some)s等 %(count)d 项") % {"some": some, "count": len(labels)}
        )


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    unit: str
    is_part: bool
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Section:
    title: str | Promise
    rows: tuple[Row, ...]


def groups_for(kind: str) -> Iterator[Group]:
    """Yield the indicators of an enterprise, or their counterparts over the members of a park."""
    if kind != OrganisationKind.PARK:
        yield from _GROUPS
        return
    for title, indicators in _GROUPS:
        found: list[str] = []
        for indicator in indicators:
            of_park = park_id(indicator)
            found += [of_park] if of_park in INDICATORS else []
            for more in _PARK_ONLY.get(indicator, ()):
                found += [more, *_PARK_ONLY.get(more, ())]
        yield title, tuple(found)


def for_kind(indicator: str, kind: str) -> str:
    return park_id(indicator) if kind == OrganisationKind.PARK else indicator


def figure_address(figure: Figure, *, uscc: str, span: int = change.SPAN, month: int | None = None) -> str:
    """Return where a figure of the organisation is explained; "" of another's."""
    if figure.subject != uscc:
        return ""
    said: dict[str, Any] = {"stream": figure.stream, "dimension": figure.dimension, "month": month}
    said["span"] = span if span != change.SPAN else None
    query = urlencode({name: value for name, value in said.items() if value is not None})
    path = reverse("indicators:figure", args=[uscc, figure.indicator, figure.year])
    return f"{path}?{query}" if query else path


@dataclass(frozen=True, slots=True)
class Column:
    heading: str
    period: Period  # of masses
    month: int | None = None

    def shows(self, figure: Figure) -> bool:
        """A month shows its masses, and the rates that accumulate from January through it."""
        if figure.period == self.period:
            return True
        if self.month is None or figure.unit != "%":
            return False
        return figure.period == Period(self.period.first_day.replace(month=1, day=1), self.period.last_day)


def sections(
    figures: Iterable[Figure], *, kind: str, uscc: str, columns: Sequence[Column], stream: str | None = None
) -> list[Section]:
    """Return the table, a column for each period; rows without a figure are left out."""
    by_key: dict[tuple[str, str | None], dict[Column, Figure]] = {}
    for figure in figures:
        if figure.stream == stream:
            for column in columns:
                if column.shows(figure):
                    by_key.setdefault((figure.indicator, figure.dimension), {})[column] = figure
    found = []
    for title, indicators in groups_for(kind):
        keys = [key for indicator in indicators for key in by_key if key[0] == indicator]
        if keys:
            rows = tuple(_row(by_key[key], uscc=uscc, columns=columns) for key in keys)
            found.append(Section(title, rows))
    return found


def _row(known: dict[Column, Figure], *, uscc: str, columns: Sequence[Column]) -> Row:
    first = next(iter(known.values()))
    cells = tuple(
        Cell(known[column], figure_address(known[column], uscc=uscc, month=column.month))
        if column in known
        else Cell(None)
        for column in columns
    )
    return Row(first.dimension or first.name, _unit(known.values()), first.indicator in PARTS, cells)


def with_months(found: Iterable[Section]) -> list[Section]:
    """Leave out what is known of the whole year only, which is the last column."""
    kept = [
        Section(part.title, tuple(row for row in part.rows if any(cell.figure for cell in row.cells[:-1])))
        for part in found
    ]
    return [part for part in kept if part.rows]


def _unit(figures: Iterable[Figure]) -> str:
    units = list(dict.fromkeys(figure.unit for figure in figures if figure.value is not None))
    return " / ".join(units)


@dataclass(frozen=True, slots=True)
class Gap:
    """What is missing, and where it is supplied."""

    missing: Missing
    address: str
    action: str | Promise


def gaps(figures: Iterable[Figure], *, uscc: str, held: Collection[Permission]) -> list[Gap]:
    """Return what is missing for any of the figures, once each: first what the organisation itself can supply."""
    lacking = dict.fromkeys(
        missing for figure in figures if figure.value is None for missing in figure.missing
    )
    in_turn = sorted(lacking, key=lambda each: each.subject not in ("", uscc))
    return [gap(each, uscc=uscc, held=held) for each in in_turn]


def gap(missing: Missing, *, uscc: str, held: Collection[Permission]) -> Gap:
    if missing.subject not in ("", uscc):
        return Gap(missing, "", "")
    year = missing.label[:4]
    if missing.where in (OPERATIONS, PRODUCTS) and year.isdecimal():
        return Gap(missing, reverse("indicators:stated", args=[uscc, int(year)]), _("去填报"))
    if missing.code in ("ledger", "counterparty") and Permission.IMPORT_WORKBOOK in held:
        return Gap(missing, address("capture:uploads", uscc), _("去导入"))
    if missing.code == "members":
        return Gap(missing, address("registry:members", uscc), _("看成员"))
    return Gap(missing, "", "")


def address(route: str, *arguments: Any) -> str:
    """Return the address of a page of a room that stands above, "" where it is not mounted."""
    try:
        return reverse(route, args=arguments)
    except NoReverseMatch:
        return ""


def charts(
    figures: Iterable[Figure], *, kind: str, years: Sequence[int], stream: str | None
) -> list[dict[str, Any]]:
    """Return the trends as ECharts options; an unknown year is a gap in the line, never a 0."""
    by_key = {
        (figure.indicator, figure.year): figure
        for figure in figures
        if figure.stream == stream and figure.dimension is None and figure.period.is_year
    }
    found: list[dict[str, Any]] = []
    for title, unit, indicators in CHARTS:
        series = []
        for number, indicator in enumerate(for_kind(each, kind) for each in indicators):
            values = [_plotted(by_key.get((indicator, year))) for year in years]
            if any(value is not None for value in values):
                series.append(_line(INDICATORS[indicator].name, values, number))
        if series:
            found.append(
                {
                    "id": f"chart-{len(found)}",
                    "title": title,
                    "unit": unit,
                    "option": _option(series, years, unit),
                }
            )
    return found


def _plotted(figure: Figure | None) -> str | None:
    return None if figure is None or figure.value is None else format(round(figure.value, 6), "f")


_SYMBOLS = ("circle", "rect", "triangle", "diamond")
_DASHES = ("solid", "dashed", "dotted", [8, 3, 2, 3])


def _line(name: str, values: list[str | None], number: int) -> dict[str, Any]:
    """Lines differ by mark and dash too, not by colour alone."""
    return {
        "type": "line", "name": name, "data": values, "symbol": _SYMBOLS[number % 4], "symbolSize": 8,
        "lineStyle": {"type": _DASHES[number % 4], "width": 2},
    }  # fmt: skip


def _option(series: list[dict[str, Any]], years: Sequence[int], unit: str) -> dict[str, Any]:
    return {
        "grid": {"left": 8, "right": 24, "top": 36, "bottom": 44, "containLabel": True},
        "legend": {"bottom": 0, "itemWidth": 32},
        "tooltip": {"trigger": "axis"},
        "xAxis": {"type": "category", "data": [str(year) for year in years], "boundaryGap": True},
        "yAxis": {"type": "value", "name": unit, "scale": unit == "%", "nameTextStyle": {"align": "left"}},
        "series": series,
    }


def years_shown(
    *, since: int | None, through: int | None, today: date, usual: int = 6, most: int = 12
) -> range:
    """Return the years of a table, the latest last."""
    last = through or today.year
    first = since or last - usual + 1
    first = min(max(first, last - most + 1), last)
    return range(first, last + 1)
