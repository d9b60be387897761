"""
May what a whole moved be corrected? Nothing is edited: it is reversed, and posted again as it shall be.

Pure. A store, and what is on the road, holds no less than nothing at the end of any day, the past's too.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from wufei.ledger.kinds import INTERNAL, INTO_STORE, SOURCES, PlaceKind
from wufei.ledger.posting import Book, Draft, lot_code_of

Held = tuple[str, str]  # (store or transit, lot)


class Short(NamedTuple):
    store: str
    lot: str
    on: date
    grams: int  # how much is missing


def day_for(moved_on: Sequence[date], *, closed_through: date | None, today: date) -> date | None:
    """
    Return on which day all is corrected; None: each on its own.

    Where one of the months is closed all is corrected today: half of it in the past would leave the road short.
    """
    is_closed = closed_through is not None and any(day <= closed_through for day in moved_on)
    return today if is_closed else None


def changes(reversed_: Sequence[Draft], instead: Sequence[Draft]) -> Mapping[Held, Mapping[date, int]]:
    """Return what the correction changes of what is held, net, by day; each draft names its store."""
    found: dict[Held, dict[date, int]] = defaultdict(lambda: defaultdict(int))
    for drafts, sign in ((reversed_, -1), (instead, 1)):
        for draft in drafts:
            assert draft.store_code is not None, "what stands is somewhere"
            source, target = _ends(draft)
            for place, way in ((source, -1), (target, 1)):
                if place is not None:
                    found[place, lot_code_of(draft)][draft.moved_on] += sign * way * draft.mass.grams
    return found


def _ends(draft: Draft) -> tuple[str | None, str | None]:
    other = draft.other_place if draft.kind in INTERNAL else None
    return (other, draft.store_code) if draft.kind in INTO_STORE else (draft.store_code, other)


def shortfalls(book: Book, changed: Mapping[Held, Mapping[date, int]]) -> Iterator[Short]:
    """Yield where the changes would leave less than nothing, and on which day first."""
    for (store, lot), by_day in changed.items():
        net: dict[date, int] = defaultdict(int)
        for day, grams in book.later.get((store, lot), ()):
            net[day] += grams
        for day, grams in by_day.items():
            net[day] += grams
        running = book.held.get((store, lot), 0)
        for day in sorted(net):
            running += net[day]
            if running < 0:
                yield Short(store, lot, day, -running)
                break


def turn(source: PlaceKind, target: PlaceKind, *, is_reversal: bool) -> tuple[int, bool]:
    """
    Return when its turn is among those posted together, so that no balance dips on the way.

    What comes from outside goes first, then what goes from place to place (taken back before it is done again),
    then what leaves.
    """
    if source in SOURCES:
        return 0, not is_reversal
    return (2 if target in SOURCES else 1), not is_reversal
