"""
Does a written evaluation follow from its own leaves?

Reads nothing but the JSON: no edition, no store, none of the code that judged it. So
whoever is handed an evaluation can check it offline.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

MET, NOT_MET, UNKNOWN = "met", "not_met", "unknown"
_OPPOSITE = {MET: NOT_MET, NOT_MET: MET, UNKNOWN: UNKNOWN}


def recompute(explanation: Mapping[str, Any]) -> str:
    """Return the verdict of a whole evaluation, or of one node, from its leaves alone."""
    if "criteria" in explanation:
        return _every(_counts_as(row) for row in explanation["criteria"] if row["decides"])
    return _node(explanation)


def recompute_score(evaluation: Mapping[str, Any]) -> tuple[Decimal, Decimal]:
    """Return the lowest and the highest score that the leaves allow."""
    ranges = [_points(row) for row in evaluation["criteria"] if row["kind"] == "score"]
    return sum((low for low, _ in ranges), Decimal(0)), sum((high for _, high in ranges), Decimal(0))


def contradictions(evaluation: Mapping[str, Any]) -> list[str]:
    """Return the ids of what states another verdict than its leaves give; "" is the whole."""
    wrong = [""] if recompute(evaluation) != evaluation["verdict"] else []
    stack = list(evaluation["criteria"])
    while stack:
        node = stack.pop()
        if _node(node) != node["verdict"]:
            wrong.append(node["id"])
        stack += node["children"]
    return wrong


def _counts_as(row: Mapping[str, Any]) -> str:
    verdict = _node(row)
    granted = row["exception"] is not None and row["exception"]["answer"] == "YES"
    return MET if verdict == NOT_MET and row["severity"] == "in_principle" and granted else verdict


def _every(verdicts: Any) -> str:
    found = set(verdicts)
    return NOT_MET if NOT_MET in found else UNKNOWN if UNKNOWN in found else MET


def _some(verdicts: Any) -> str:
    found = set(verdicts)
    return MET if MET in found else UNKNOWN if UNKNOWN in found else NOT_MET


def _node(node: Mapping[str, Any]) -> str:
    given = node["operands"]
    match node["op"]:
        case "all":
            return _every(_node(child) for child in node["children"])
        case "any":
            return _some(_node(child) for child in node["children"])
        case "not":
            return _OPPOSITE[_node(node["children"][0])]
        case "at_least":
            return _compare(given["bound"], given["value"])
        case "at_most":
            return _compare(given["value"], given["bound"])
        case "declared":
            return _every(_declared(given, row) for row in given["answers"])
        case "judged":
            if given["answer"] not in ("YES", "NO"):
                return UNKNOWN
            return MET if given["answer"] == given["expects"] else NOT_MET
        case "one_of":
            return _truth(given["value"], given["value"] in given["wanted"])
        case "starts_with":
            return _truth(given["value"], str(given["value"]).startswith(tuple(given["wanted"])))
        case "years_since":
            return _years(given)
        case "linear":
            if None in (given["baseline"], given["leading"]):
                return UNKNOWN
            is_higher = given["better"] == "higher"
            low, high = (
                (given["baseline"], given["value"]) if is_higher else (given["value"], given["baseline"])
            )
            return _compare(low, high)
        case other:
            raise ValueError(f"unknown operation {other}")


def _truth(value: str | None, holds: bool) -> str:
    return UNKNOWN if value is None else MET if holds else NOT_MET


def _compare(lower: str | None, upper: str | None) -> str:
    if lower is None or upper is None:
        return UNKNOWN
    return MET if Decimal(lower) <= Decimal(upper) else NOT_MET


def _declared(given: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    answer = row["answer"]
    if answer is None or (answer == "NOT_APPLICABLE" and given["not_applicable"] != "met"):
        return UNKNOWN
    if answer == "NOT_APPLICABLE":
        return MET
    if answer != given["expects"]:
        return NOT_MET
    return UNKNOWN if given["needs_basis"] and not row["basis"].strip() else MET


def _years(given: Mapping[str, Any]) -> str:
    if given["value"] is None or given["years"] is None:
        return UNKNOWN
    since, on = date.fromisoformat(given["value"]), date.fromisoformat(given["on"])
    anniversary = (since.year + given["years"], since.month, since.day)
    return MET if anniversary <= (on.year, on.month, on.day) else NOT_MET


def _points(row: Mapping[str, Any]) -> tuple[Decimal, Decimal]:
    weight, verdict, given = Decimal(row["weight"]), _node(row), row["operands"]
    if verdict == UNKNOWN:
        return Decimal(0), weight
    if verdict == NOT_MET:
        return Decimal(0), Decimal(0)
    if row["op"] == "judged":
        return weight, weight
    value, low, high = (Decimal(given[k]) for k in ("value", "baseline", "leading"))
    share = Decimal(1) if low == high else min(Decimal(1), (value - low) / (high - low))
    return share * weight, share * weight
