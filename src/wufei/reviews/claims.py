"""
What does a frozen submission say, ready to be read side by side with what is judged?

Pure: takes the submission's content as it was frozen; what an older or foreign one lacks is left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from wufei.policies.edition import Edition

_LONG = (
    "title", "plan", "practices", "results", "innovation", "conditions", "self_description", "brief_description",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure as it was claimed; `id` and `year` say where the applicant's is explained as it is now."""

    id: str
    name: str
    year: int
    stream: str
    value: str  # "" where it is not known
    unit: str
    missing: tuple[str, ...]

    @property
    def shown(self) -> str:
        """
        Return the value to two decimals, a small one to four digits; `value` has all of them.

        >>> [Figure(id="", name="", year=2025, stream="", unit="%", missing=(), value=each).shown
        ...  for each in ("98.1203007518796992", "0.047619047", "12345.5", "0", "", "有")]
        ['98.12', '0.04762', '12,345.5', '0', '', '有']
        """
        try:
            exact = Decimal(self.value)
        except InvalidOperation:
            return self.value
        places = 2 if abs(exact) >= 1 or not exact else 3 - exact.adjusted()
        text = f"{exact.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP):,f}"
        return text.rstrip("0").rstrip(".") if "." in text else text


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A criterion with its verdict at submission, and the figures that it rests on."""

    id: str
    clause: str
    says: str
    kind: str
    verdict: str  # "" where the submission holds no evaluation
    explanation: str
    figures: tuple[Figure, ...]
    missing: tuple[str, ...]


def claims(content: Mapping[str, Any], edition: Edition) -> list[Claim]:
    """Return each criterion of the edition as the submission was judged by it when it was frozen."""
    evaluation = content.get("evaluation") or {}
    judged = {row["id"]: row for row in evaluation.get("criteria", ())}
    found = []
    for criterion in edition.criteria:
        if criterion.kind.value == "lifecycle":
            continue
        row: Mapping[str, Any] = judged.get(criterion.id, {})
        found.append(
            Claim(
                id=criterion.id, clause=criterion.clause, says=criterion.says, kind=criterion.kind.value,
                verdict=row.get("verdict", ""), explanation=row.get("explanation", ""),
                figures=tuple(_figures(row)), missing=tuple(_labels(row.get("missing", ()))),
            )
        )  # fmt: skip
    return found


def _figures(node: Mapping[str, Any]) -> list[Figure]:
    """Return the figures of a node and of those below it, each once."""
    found = {
        (f["id"], f["year"], f.get("stream") or ""): Figure(
            id=f["id"], name=f["name"], year=f["year"], stream=f.get("stream") or "", value=f.get("value") or "",
            unit=f.get("unit", ""), missing=tuple(f.get("missing", ())),
        )
        for f in node.get("figures", ())
    }  # fmt: skip
    for child in node.get("children", ()):
        found |= {(f.id, f.year, f.stream): f for f in _figures(child)}
    return list(found.values())


def _labels(missing: Sequence[Mapping[str, str]]) -> list[str]:
    return [f"{each['label']}（{each['where']}）" if each.get("where") else each["label"] for each in missing]


def texts(content: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the texts of the submission by field: the long ones in the form's order, then the others."""
    said: Mapping[str, Any] = content.get("texts") or {}
    known = [name for name in _LONG if name in said]
    others = sorted(name for name in said if name not in _LONG)
    return [(name, str(said[name])) for name in (*known, *others) if said[name] not in (None, "")]
