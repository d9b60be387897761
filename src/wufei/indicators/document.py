"""A figure as JSON: the same for the command line, the API and `provenance.json`."""

from collections.abc import Callable, Iterable
from typing import Any

from wufei.indicators.definitions import INDICATORS
from wufei.indicators.figure import Figure, Missing, MovementsBehind, StatedInput, plain

Rows = Callable[[MovementsBehind], Iterable[dict[str, Any]]]


def missing_document(missing: Missing) -> dict[str, str]:
    return {"code": missing.code, "label": missing.label, "where": missing.where, "subject": missing.subject}


def figure_document(figure: Figure, *, movements: Rows | None = None) -> dict[str, Any]:
    """
    Return the figure with its basis, down to movements and stated inputs.

    `movements` is asked for the rows behind each leaf; without it a leaf is its query alone.
    """
    definition = INDICATORS.get(figure.indicator)
    return {
        "type": "figure",
        "id": figure.indicator,
        "name": figure.name,
        "organisation": figure.subject,
        "year": figure.year,
        "period": str(figure.period),
        "stream": figure.stream,
        "dimension": figure.dimension,
        "value": plain(figure.value),
        "unit": figure.unit,
        "formula": figure.formula,
        "source": figure.source,
        "says": definition.source.says if definition else "",
        "reading": definition.reading if definition else "",
        "missing": [missing_document(missing) for missing in figure.missing],
        "basis": [_part(part, movements) for part in figure.basis],
    }


def _part(part: Figure | MovementsBehind | StatedInput, movements: Rows | None) -> dict[str, Any]:
    if isinstance(part, Figure):
        return figure_document(part, movements=movements)
    if isinstance(part, StatedInput):
        value = part.value if isinstance(part.value, str) else plain(part.value)
        return {
            "type": "stated",
            "organisation": part.organisation,
            "item": part.item,
            "label": part.label,
            "year": part.year,
            "value": value,
            "unit": part.unit,
            "source": part.source,
        }
    said: dict[str, Any] = {
        "type": "movements",
        "organisation": part.organisation,
        "kinds": list(part.kinds),
        "first_day": part.period.first_day.isoformat(),
        "last_day": part.period.last_day.isoformat(),
        "stream": part.stream,
        "stream_name": part.stream_name,
        "waste_category": part.waste_category,
        "waste_class": part.waste_class,
        "method": part.method,
        "counterparties": None if part.counterparties is None else list(part.counterparties),
        "sign": part.sign,
        "mass_g": part.mass_g,
        "count": part.count,
    }
    if movements is not None:
        said["movements"] = list(movements(part))
    return said


def line_document(figure: Figure) -> dict[str, Any]:
    """Return the figure as one line of `wufei indicators`."""
    said: dict[str, Any] = {
        "id": figure.indicator,
        "name": figure.name,
        "year": figure.year,
        "stream": figure.stream,
        "value": plain(figure.value),
        "unit": figure.unit,
        "missing": [missing.label for missing in figure.missing],
    }
    if figure.dimension is not None:
        said["dimension"] = figure.dimension
    if not figure.period.is_year:
        said["period"] = str(figure.period)
    return said
