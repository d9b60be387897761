"""
What was computed from ledgers is kept while nothing that it was computed from has changed.

In the memory of one process. The stamp is everything that figures are computed from, but for the flows,
which stand as the heads of their chains: whoever asks compares the whole of it, so that a number is never
older than what it is asked of.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

Thing = TypeVar("Thing")


class Kept(Generic[Thing]):
    """The things last used, each with the stamp of what it was made from."""

    def __init__(self, most: int):
        self._most = most
        self._things: OrderedDict[Hashable, tuple[object, Thing]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, stamp: object, make: Callable[[], Thing]) -> Thing:
        """Return what is kept under the key if it has the stamp; else make it anew and keep it."""
        with self._lock:
            known = self._things.get(key)
            if known is not None and known[0] == stamp:
                self._things.move_to_end(key)
                return known[1]
        made = make()  # outside the lock: two may make the same, which is the same
        with self._lock:
            self._things[key] = (stamp, made)
            self._things.move_to_end(key)
            while len(self._things) > self._most:
                self._things.popitem(last=False)
        return made

    def clear(self) -> None:
        with self._lock:
            self._things.clear()
