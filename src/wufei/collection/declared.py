"""
What does a declaration post?

Pure. What is new is generation of its month; said anew it posts the difference: more is generated, or the whole is
posted once more and what was posted before is taken back. What stands there is compared with the books afterwards.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """A generation of that month that stands, by its place in the chain."""

    seq: int
    grams: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """What is to be done of one waste: post so much, then take these back."""

    generate_g: int = 0
    take_back: Sequence[int] = field(default_factory=tuple)  # by seq


def steps(*, wanted_g: int, stands: Sequence[Posted]) -> Steps:
    """
    Return how the month's generation becomes what is said now.

    Of what was posted as little as possible is taken back, the newest first; what is posted anew goes before it,
    so that the store holds enough when something was collected meanwhile.

    >>> steps(wanted_g=30, stands=[Posted(seq=1, grams=20)])
    Steps(generate_g=10, take_back=())
    >>> steps(wanted_g=25, stands=[Posted(seq=1, grams=20), Posted(seq=4, grams=10)])
    Steps(generate_g=5, take_back=(4,))
    """
    assert wanted_g >= 0, "the service refuses it"
    standing = sum(each.grams for each in stands)
    back: list[int] = []
    for each in sorted(stands, key=lambda one: -one.seq):
        if standing <= wanted_g:
            break
        standing -= each.grams
        back.append(each.seq)
    return Steps(generate_g=wanted_g - standing, take_back=tuple(back))


def packages(*, grams: int, usual_g: int | None) -> int:
    """
    Return how many containers a mass is, by the usual weight of one; at least one.

    >>> packages(grams=101, usual_g=50), packages(grams=10, usual_g=None)
    (3, 1)
    """
    return max(1, -(-grams // usual_g)) if usual_g else 1
