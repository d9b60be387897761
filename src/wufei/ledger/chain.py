"""
Which row was tampered with?

Each organisation's movements form a chain: a row's hash covers the hash before it and
everything that the row says. A row that was edited, put in, taken out or moved no longer
fits. A chain that was made anew as a whole does fit: only a timestamp over the daily root,
kept by somebody else, shows that.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from wufei.ledger.posting import Fault

if TYPE_CHECKING:
    from hashlib import _Hash


def preferred_algorithm() -> str:
    """Return SM3 where the machine's OpenSSL has it, else SHA-256."""
    return "sm3" if "sm3" in hashlib.algorithms_available else "sha256"


@cache
def _blank(algorithm: str) -> "_Hash":
    """Return a hash over nothing, to be copied: looking the algorithm up costs more than hashing a row."""
    return hashlib.new(algorithm)


def genesis(*, uscc: str, algorithm: str) -> str:
    """Return the hash before an organisation's first movement."""
    return hashlib.new(algorithm, f"wufei ledger of {uscc}".encode()).hexdigest()


class Link(NamedTuple):
    """A movement as the chain sees it: natural keys only, so that it can be recomputed from an export."""

    seq: int
    kind: str
    stream_code: str
    lot_code: str
    source_code: str
    target_code: str
    mass_g: int
    moved_on: date
    method: str
    counterparty: str
    handler: str
    note: str
    client_id: UUID
    fingerprint: str
    reverses_seq: int | None
    reversal_reason: str
    posted_at: datetime
    posted_by: str


# One encoder for all: json.dumps with options makes a new one at each call.
_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_quoted = lru_cache(4096)(_ENCODE)  # of what row after row says again


def link_hash(*, algorithm: str, previous: str, link: Link) -> str:
    """Return the hash of a movement that follows the one with the hash `previous`."""
    (
        seq, kind, stream, lot, source, target, mass_g, moved_on, method, counterparty, handler, note, client_id,
        fingerprint, reverses_seq, reason, posted_at, posted_by,
    ) = link  # fmt: skip
    # The JSON of the list of these, put together here: a third of what the encoder takes for a list.
    said = (
        f'["{previous}",{seq},{_quoted(kind)},{_quoted(stream)},{_quoted(lot)},{_quoted(source)},'
        f'{_quoted(target)},{mass_g},"{moved_on.isoformat()}",{_quoted(method)},{_quoted(counterparty)},'
        f'{_quoted(handler)},{_quoted(note)},"{client_id.hex}",{_ENCODE(fingerprint)},'
        f'{"null" if reverses_seq is None else reverses_seq},{_quoted(reason)},"{posted_at.isoformat()}",'
        f"{_quoted(posted_by)}]"
    )
    made = _blank(algorithm).copy()
    made.update(said.encode())
    return made.hexdigest()


@dataclass(frozen=True, slots=True)
class StoredLink:
    movement: int  # primary key, to name the row
    previous_hash: str
    chain_hash: str
    link: Link


def chain_faults(
    *,
    uscc: str,
    algorithm: str,
    rows: Iterable[StoredLink],
    head_seq: int,
    head_hash: str,
    after: tuple[int, str] | None = None,
) -> Iterable[Fault]:
    """
    Yield what is wrong with an organisation's chain, row by row, in the order of `seq`.

    From the first row on; or with `after`, a seq and its hash, what follows that row.

    After a row that is wrong the walk goes on from what the row says, so that each
    wrong row is named once and the sound ones after it are not.
    """
    seq_before, previous = after or (0, genesis(uscc=uscc, algorithm=algorithm))
    expected_seq, last = seq_before + 1, None
    for row in rows:
        seq = row.link.seq
        if seq != expected_seq:
            yield Fault(row.movement, "missing", f"{uscc}：第 {expected_seq} 至 {seq - 1} 号记录不见了")
        elif row.previous_hash != previous:
            # The row before was made anew with a hash of its own: this one still tells what stood there.
            if row.chain_hash == link_hash(algorithm=algorithm, previous=row.previous_hash, link=row.link):
                yield Fault(
                    last if last is not None else row.movement,
                    "replaced",
                    f"{uscc}：第 {seq - 1} 号记录被换过，与第 {seq} 号记录所记的前值不符",
                )
            else:
                yield Fault(row.movement, "edited", f"{uscc}：第 {seq} 号记录与前后都不相接")
        if row.previous_hash == previous or seq != expected_seq:
            made = link_hash(algorithm=algorithm, previous=row.previous_hash, link=row.link)
            if made != row.chain_hash:
                yield Fault(row.movement, "edited", f"{uscc}：第 {seq} 号记录的内容与链值不符，被改动过")
        previous, expected_seq, last = row.chain_hash, seq + 1, row.movement
    if expected_seq - 1 != head_seq:
        yield Fault(last, "missing", f"{uscc}：链尾应为第 {head_seq} 号记录，实为第 {expected_seq - 1} 号")
    elif previous != head_hash:
        yield Fault(last, "replaced", f"{uscc}：第 {head_seq} 号记录的链值与链尾不符，被换过")


def root_of(*, algorithm: str, heads: Iterable[tuple[str, int, str]]) -> str:
    """Return one hash over the heads of all chains: (统一社会信用代码, seq, hash), in any order."""
    return hashlib.new(algorithm, _ENCODE(sorted(map(list, heads))).encode()).hexdigest()
