"""
What does an enterprise make public of its waste of a year, and what has changed since it did?

Pure. Masses are whole grams. What the ledger can't know is None, which is shown as 未知 and never as 0: a kind of
which nothing was posted is 0 only where the whole year is closed and the ledger knows the waste.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from wufei.ledger.kinds import LABELS as KIND_LABELS
from wufei.ledger.kinds import Kind

FORMAT = "wufei-waste-disclosure/1"
UNKNOWN = "未知"
# What is said of each waste: the key, its name, and the kind of movement that it sums up.
AMOUNTS: Mapping[str, tuple[str, Kind | None]] = {
    "stock_before_g": ("年初贮存量", None),
    "generated_g": ("产生量", Kind.GENERATION),
    "received_g": ("接收量", Kind.RECEIPT),
    "own_utilised_g": ("自行利用量", Kind.OWN_UTILISATION),
    "own_disposed_g": ("自行处置量", Kind.OWN_DISPOSAL),
    "contracted_utilised_g": ("委外利用量", Kind.CONTRACTED_UTILISATION),
    "contracted_disposed_g": ("委外处置量", Kind.CONTRACTED_DISPOSAL),
    "stock_after_g": ("年末贮存量", None),
}
AWAY = (Kind.CONTRACTED_UTILISATION, Kind.CONTRACTED_DISPOSAL)
OWN = (Kind.OWN_UTILISATION, Kind.OWN_DISPOSAL)
CLASSES = {"HAZARDOUS": "危险废物", "GENERAL": "一般工业固体废物"}

Content = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    says: str
    content: str
    source: str
    confidence: str  # verified, unverified


@cache
def duties() -> tuple[Duty, ...]:
    """Return what an enterprise is asked to make public, as far as we know it."""
    said = yaml.safe_load((Path(__file__).parent / "data" / "duties.yaml").read_text(encoding="utf-8"))
    return tuple(Duty(**row) for row in said["duties"])


class Flow(NamedTuple):
    """What moved of a stream in the year, reversals taken off."""

    stream: str
    kind: str
    method: str
    counterparty: str
    mass_g: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Waste:
    """A stream, and what the ledger knows of it."""

    stream: str
    name: str
    waste_class: str
    waste_code: str
    waste_category: str
    stock_before_g: int
    stock_after_g: int
    is_known: bool  # the ledger has a movement of it in the year or before
    begins_known: bool  # the ledger went back before the year, or says its opening stock


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    code: str
    name: str
    store_type: str
    capacity_g: int | None


def content(
    *, wastes: Iterable[Waste], flows: Iterable[Flow], stores: Iterable[Store], is_closed: bool
) -> Content:
    """Return what is made public; wastes that the ledger has never seen stand there as unknown."""
    of_stream: dict[str, list[Flow]] = defaultdict(list)
    for flow in flows:
        of_stream[flow.stream].append(flow)
    rows = [_row(waste, of_stream[waste.stream], is_closed=is_closed) for waste in wastes]
    return {
        "is_closed": is_closed,
        "wastes": rows,
        "totals": {
            of: {key: _total(row[key] for row in rows if row["waste_class"] == of) for key in AMOUNTS}
            for of in CLASSES
            if any(row["waste_class"] == of for row in rows)
        },
        "stores": [
            {"code": s.code, "name": s.name, "store_type": s.store_type, "capacity_g": s.capacity_g}
            for s in stores
        ],
        "monitoring": None,  # 自行监测: the ledger doesn't know it
    }


def _row(waste: Waste, flows: Sequence[Flow], *, is_closed: bool) -> dict[str, Any]:
    sums: dict[str, int] = defaultdict(int)
    for flow in flows:
        sums[flow.kind] += flow.mass_g
    nothing = 0 if is_closed and waste.is_known else None
    amounts: dict[str, int | None] = {
        key: sums.get(kind.value, nothing) for key, (_, kind) in AMOUNTS.items() if kind is not None
    }
    opening = sums.get(Kind.OPENING_STOCK.value, 0)
    amounts["stock_before_g"] = waste.stock_before_g + opening if waste.begins_known else None
    amounts["stock_after_g"] = waste.stock_after_g if waste.is_known else None
    return {
        "stream": waste.stream, "name": waste.name, "waste_class": waste.waste_class,
        "waste_code": waste.waste_code, "waste_category": waste.waste_category,
        **{key: amounts[key] for key in AMOUNTS}, "flows": _away(flows, AWAY), "own": _away(flows, OWN),
    }  # fmt: skip


def _away(flows: Sequence[Flow], kinds: Sequence[Kind]) -> list[dict[str, Any]]:
    """Return where the waste went, or how it was dealt with on site, the largest first."""
    found: dict[tuple[str, str, str], int] = defaultdict(int)
    for flow in flows:
        if flow.kind in kinds:
            found[flow.kind, flow.counterparty, flow.method] += flow.mass_g
    return [
        {"kind": kind, "receiver": receiver, "method": method, "mass_g": grams}
        for (kind, receiver, method), grams in sorted(found.items(), key=lambda each: (-each[1], each[0]))
        if grams
    ]


def _total(amounts: Iterable[int | None]) -> int | None:
    """Return the sum; one that isn't known makes it unknown."""
    found = list(amounts)
    return None if None in found else sum(amount for amount in found if amount is not None)


def digest(content: Content) -> str:
    """Return the SHA-256 of the content in one fixed way of writing it."""
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure that is another now than when it was published; None is unknown, "" in words: not there."""

    waste: str
    what: str
    before: int | None
    after: int | None
    was_there: bool = True
    is_there: bool = True


def differences(published: Content, now: Content) -> list[Difference]:
    """Return what the ledger says otherwise by now, figure by figure."""
    then, today = _figures(published), _figures(now)
    return [
        Difference(
            waste, what, then.get((waste, what)), today.get((waste, what)), (waste, what) in then,
            (waste, what) in today,
        )
        for waste, what in dict.fromkeys((*then, *today))
        if then.get((waste, what)) != today.get((waste, what))
        or ((waste, what) in then) != ((waste, what) in today)
    ]  # fmt: skip


def _figures(said: Content) -> dict[tuple[str, str], int | None]:
    found: dict[tuple[str, str], int | None] = {}
    for row in said["wastes"]:
        waste = f"{row['stream']} {row['name']} {row['waste_code']}"
        found |= {(waste, label): row[key] for key, (label, _) in AMOUNTS.items()}
        for each in (*row["flows"], *row["own"]):
            words = f"{KIND_LABELS[Kind(each['kind'])]} {each['receiver']} {each['method']}"
            found[waste, " ".join(words.split())] = each["mass_g"]
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A disclosure as it is handed out."""

    uscc: str
    name: str
    year: int
    number: int
    content: Content
    sha256: str
    reason: str
    published_at: str  # ISO 8601
    seq: int
    chain_hash: str
    algorithm: str
    daily_root: str


def document(said: Published) -> dict[str, Any]:
    """Return the disclosure as the JSON document that docs/guides/environment-officer.md describes."""
    return {
        "format": FORMAT,
        "organisation": {"uscc": said.uscc, "name": said.name},
        "year": said.year,
        "number": said.number,
        "reason": said.reason,
        "content": said.content,
        "sha256": said.sha256,
        "published_at": said.published_at,
        "ledger": {
            "seq": said.seq, "chain_hash": said.chain_hash, "algorithm": said.algorithm,
            "daily_root": said.daily_root or None,
        },
    }  # fmt: skip
