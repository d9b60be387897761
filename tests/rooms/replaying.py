"""A line that brings every request and loses answers: what promise L3 is shown with at every writing door."""

import random
from collections.abc import Callable, Sequence
from typing import TypeVar

Heard = TypeVar("Heard")
DROPPED = 0.3
TIMES = 3


def replayed(sends: Sequence[Callable[[], Heard]], *, seed: int) -> tuple[list[list[Heard]], int]:
    """
    Send each three times, all in a random order, and again whenever the answer was lost, as three of ten are.

    Return what was heard of each, and how often anything was sent.
    """
    chance, heard, sent = random.Random(seed), [[] for _ in sends], 0
    order = list(range(len(sends))) * TIMES
    chance.shuffle(order)
    for which in order:
        while True:
            answer = sends[which]()
            sent += 1
            if chance.random() >= DROPPED:
                heard[which].append(answer)
                break
    return heard, sent
