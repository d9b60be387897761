"""
What of a case is frozen when it is handed in, and what is its hash?

Pure. The content is plain JSON without floats: texts, particulars, every number of the form down to the seqs
of its movements, the evaluation with its reasons, the files by their hashes, and a few headline figures by
which years and peers are compared. Its hash is over canonical JSON, so that anybody can compute it again.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from typing import Any

from wufei.cases import narrative
from wufei.cases.case_file import Attachment, CaseFile, Placed
from wufei.cases.dossier import Dossier, Texts
from wufei.cases.provenance import number_document
from wufei.indicators.document import missing_document
from wufei.indicators.figure import Figure, MovementsBehind, plain
from wufei.indicators.rates import quotient
from wufei.policies.criteria import Evaluation, Explanation
from wufei.policies.explanations import as_json
from wufei.terms.period import Period

NO_FORM = "自评数据"  # the document of numbers where the edition has no form
GRAMS_PER_TONNE = 1_000_000
# Of the whole organisation, by year: what years, peers and the balance of mass are compared by.
HEADLINES = (
    "generation_t", "receipt_t", "stock_t", "utilisation_t", "disposal_t", "utilisation_rate_pct",
    "disposal_rate_pct", "generation_intensity_t_per_10k_yuan",
)  # fmt: skip
_KEPT_OF_FIGURE = ("name", "year", "stream", "dimension", "unit")


def numbers_of(form: CaseFile, *, has_form: bool) -> list[Placed]:
    """Return the numbers that are claimed; without a form of the edition's own the main quantities."""
    if has_form:
        return list(form.numbers())
    table = form.quantities
    return [
        Placed(document=NO_FORM, table=table.title, row=row.label, column=column, cell=cell)
        for row in table.rows
        for column, cell in zip(table.columns, row.cells, strict=True)
    ]


def content(
    *,
    dossier: Dossier,
    form: CaseFile,
    numbers: Iterable[Placed],
    movements: Callable[[MovementsBehind], list[Any]],
    evaluation: Evaluation,
    kinds: Mapping[str, str],
) -> dict[str, Any]:
    """Return what is frozen; `kinds` says each file's kind by its SHA-256."""
    return {
        "texts": texts_document(dossier.texts),
        "particulars": _particulars(dossier, form),
        "numbers": [number_document(number, movements) for number in numbers],
        "headline": _headline(dossier),
        "narrative": narrative.sketch(texts_document(dossier.texts), dossier.applicant.name),
        "evaluation": _evaluation(evaluation),
        "evidence": [_file(each, kinds[each.sha256]) for each in dossier.attachments],
    }


def canonical(said: Any) -> bytes:
    """
    Return the one way to write it as JSON.

    >>> canonical({"b": "固废", "a": [1, None]}).decode()
    '{"a":[1,null],"b":"固废"}'
    """
    return json.dumps(
        said, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    ).encode()


def digest(frozen: Mapping[str, Any], ledger_heads: Sequence[Sequence[Any]]) -> str:
    """Return the SHA-256 over content and ledger heads."""
    said = {"content": frozen, "ledger_heads": [list(head) for head in ledger_heads]}
    return hashlib.sha256(canonical(said)).hexdigest()


def texts_document(texts: Texts) -> dict[str, Any]:
    found = {field.name: getattr(texts, field.name) for field in fields(Texts)}
    return {name: said.isoformat() if isinstance(said, date) else said for name, said in found.items()}


def _particulars(dossier: Dossier, form: CaseFile) -> dict[str, Any]:
    said, cover, filler = form.table.particulars, form.cover, form.table.filler
    applicant = dossier.applicant
    return {
        "uscc": applicant.uscc, "name": said.name, "subject_kind": dossier.spec.subject_word,
        "division_code": applicant.division_code, "industry_code": applicant.industry_code,
        "industry": said.industry, "address": said.address, "website": said.website, "head": said.head,
        "mobile": said.mobile, "fax": said.fax, "email": said.email, "contact": cover.contact,
        "phone": cover.phone, "filed_on": cover.filed_on,
        "filler": {"name": filler.name, "title": filler.title, "phone": filler.phone},
        "counts": [[label, cell.text] for label, cell in said.counts],
    }  # fmt: skip


def _headline(dossier: Dossier) -> dict[str, dict[str, str | None]]:
    prefix = "park_" if dossier.spec.is_park else ""
    found: dict[str, dict[str, str | None]] = {}
    for indicator in HEADLINES:
        figures = ((year, dossier.figures.of(prefix + indicator, year)) for year in dossier.spec.waste_years)
        found[indicator] = {str(year): plain(figure.value) if figure else None for year, figure in figures}
    return found


def _evaluation(evaluation: Evaluation) -> dict[str, Any]:
    said = as_json(evaluation)
    for row, finding in zip(said["criteria"], evaluation.findings, strict=True):
        _with_owners(row, finding.node)
    return said


def _with_owners(row: dict[str, Any], node: Explanation) -> None:
    """Say of each figure whose it is and who has to supply what it lacks: the page is read without us."""
    row["figures"] = [_figure(figure) for figure in node.figures]
    for below, child in zip(row["children"], node.children, strict=True):
        _with_owners(below, child)


def _figure(figure: Figure) -> dict[str, Any]:
    return {
        "id": figure.indicator, "organisation": figure.subject, "period": str(figure.period),
        "value": plain(figure.value), "missing": [missing_document(missing) for missing in figure.missing],
        **{name: getattr(figure, name) for name in _KEPT_OF_FIGURE},
    }  # fmt: skip


def _file(attachment: Attachment, kind: str) -> dict[str, Any]:
    return {
        "category": attachment.category, "file_name": attachment.file_name, "kind": kind,
        "size": attachment.size, "sha256": attachment.sha256,
    }  # fmt: skip


# --- reading it again -----------------------------------------------------------------------


Place = tuple[str, str, str]  # table, row, column


def place_of(number: Mapping[str, Any]) -> Place:
    where = number["where"]
    return where["table"], where["row"], where["column"]


def spoken(place: Place) -> str:
    """
    Return the place of a number as one says it.

    >>> spoken(("表2 生产经营情况", "产值（万元）", "2024 年"))
    '表2 生产经营情况“产值（万元）”2024 年'
    """
    table, row, column = place
    return f"{table}“{row}”{column}"


def numbers_in(frozen: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the frozen numbers that say where they stand; a foreign content may hold others."""
    rows = frozen.get("numbers")
    return [row for row in (rows if isinstance(rows, list) else ()) if isinstance(row.get("where"), dict)]


def leaves(basis: Mapping[str, Any]) -> Iterator[tuple[MovementsBehind, list[int]]]:
    """Yield what of movements a frozen basis rests on, with the seqs that were listed."""
    for part in basis.get("basis", ()):
        if part["type"] == "figure":
            yield from leaves(part)
        elif part["type"] == "movements":
            yield leaf_of(part), list(part.get("movements", ()))


def leaf_of(part: Mapping[str, Any]) -> MovementsBehind:
    """Return the question to the ledger that a frozen leaf says."""
    others = part["counterparties"]
    return MovementsBehind(
        organisation=part["organisation"], kinds=tuple(part["kinds"]), stream=part["stream"],
        period=Period(date.fromisoformat(part["first_day"]), date.fromisoformat(part["last_day"])),
        stream_name=part["stream_name"], waste_category=part["waste_category"],
        waste_class=part["waste_class"], method=part["method"], sign=part["sign"], mass_g=part["mass_g"],
        counterparties=None if others is None else tuple(others), count=part["count"],
    )  # fmt: skip


def all_leaves(frozen: Mapping[str, Any]) -> list[MovementsBehind]:
    """Return every question to the ledger that the frozen numbers rest on, each once."""
    found = (leaf for row in numbers_in(frozen) for leaf, _seqs in leaves(row.get("basis") or {}))
    return list(dict.fromkeys(found))


def seqs_behind(frozen: Mapping[str, Any]) -> dict[str, set[int]]:
    """Return the movements that the frozen numbers list, by organisation."""
    found: dict[str, set[int]] = {}
    for row in numbers_in(frozen):
        for leaf, seqs in leaves(row.get("basis") or {}):
            found.setdefault(leaf.organisation, set()).update(seqs)
    return found


# What of a mass is the sum of what stands below it, deductions with their sign.
_SUMS = frozenset(
    {
        "generation_t", "receipt_t", "own_utilisation_t", "contracted_utilisation_t", "utilisation_t",
        "utilisation_by_way_t", "own_disposal_t", "contracted_disposal_t", "disposal_t", "stock_t", "storage_t",
    }
)  # fmt: skip
_SHARES = frozenset({"utilisation_rate_pct", "disposal_rate_pct"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Recomputed:
    """A frozen figure that its own basis does not give."""

    id: str
    name: str
    year: int
    claimed: str
    found: str


def not_following(basis: Mapping[str, Any]) -> list[Recomputed]:
    """Return which figures of a frozen basis differ from what they are said to be computed from."""
    if basis.get("type") != "figure":
        return []
    found = [fault for part in basis["basis"] for fault in not_following(part)]
    value = _value(basis)
    expected = _expected(basis)
    if value is not None and expected is not None and value != expected:
        found.append(
            Recomputed(
                id=basis["id"], name=basis["name"], year=basis["year"], claimed=f"{basis['value']} {basis['unit']}",
                found=f"{plain(expected)} {basis['unit']}",
            )
        )  # fmt: skip
    return found


def _value(part: Mapping[str, Any]) -> Decimal | None:
    return None if part.get("value") is None else Decimal(part["value"])


def _expected(basis: Mapping[str, Any]) -> Decimal | None:
    """Return what the parts give; None where they give nothing, or by a rule that is not recomputed here."""
    plain_id, parts = basis["id"], basis["basis"]
    if plain_id in _SUMS:
        return _sum(parts)
    if plain_id in _SHARES and len(parts) == 3 and all(part["type"] == "figure" for part in parts):
        part, generated, earlier = map(_value, parts)
        if part is None or generated is None or earlier is None or generated + earlier <= 0:
            return None
        return quotient(part, generated + earlier, scale=100)
    return None


def _sum(parts: Iterable[Mapping[str, Any]]) -> Decimal | None:
    total = Decimal(0)
    for part in parts:
        if part["type"] == "movements":
            total += part["sign"] * Decimal(part["mass_g"]) / GRAMS_PER_TONNE
        elif part["type"] == "figure" and part["value"] is not None:
            total += Decimal(part["value"])
        else:
            return None
    return total
