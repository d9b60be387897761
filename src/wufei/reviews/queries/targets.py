"""How far is a policy from the number of titles that it wants by the end of a year?"""

from collections import Counter
from dataclasses import dataclass
from datetime import date

from django.db.models import Count

from wufei.policies import queries as policy_queries
from wufei.policies.edition import Edition, Target
from wufei.reviews.queries.register import programme_of, titles


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetStanding:
    """A target, and what counts towards it."""

    target: Target
    reached: int
    is_over: bool  # its year has ended

    @property
    def missing(self) -> int:
        return max(0, self.target.number - self.reached)

    @property
    def percent(self) -> int:
        """Return whole per cents, rounded down: 100 is said only of what is reached."""
        return min(100, self.reached * 100 // self.target.number) if self.target.number else 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """The editions of one norm that share targets: enterprises and parks are counted together."""

    number: str
    title: str
    issuer: str
    editions: tuple[Edition, ...]  # whose titles count
    reached: int
    by_edition: tuple[tuple[Edition, int], ...]
    targets: tuple[TargetStanding, ...]


def programmes_with_targets(*, on: date) -> list[Programme]:
    """
    Return the programmes that have targets, with the titles that stood on the day or ran out by themselves.

    A title counts towards a target until the end of the target's year; one that was removed or revoked does not.
    """
    roots: dict[str, dict[str, Edition]] = {}
    for edition in policy_queries.known_editions().values():
        root = programme_of(edition)
        if root.targets and root.title_given is not None:
            roots.setdefault(root.norm.number, {})[root.id] = root
    wanted = [key for each in roots.values() for key in each]
    rows = titles(at=on).filter(edition__in=wanted, ended_as=None).order_by()
    counts = Counter[tuple[str, int]]()
    for edition_id, year, number in rows.values_list("edition", "granted_on__year").annotate(n=Count("pk")):
        counts[edition_id, year] += number
    return [_programme(tuple(found.values()), counts, on) for found in roots.values()]


def _programme(editions: tuple[Edition, ...], counts: Counter[tuple[str, int]], on: date) -> Programme:
    ids = {edition.id for edition in editions}

    def reached(by: int) -> int:
        return sum(n for (edition, year), n in counts.items() if edition in ids and year <= by)

    targets = {(t.by, t.number): t for edition in editions for t in edition.targets}
    first = editions[0]
    return Programme(
        number=first.norm.number, title=first.norm.title, issuer=first.norm.issuer, editions=editions,
        reached=reached(on.year),
        by_edition=tuple(
            (edition, sum(n for (each, _), n in counts.items() if each == edition.id)) for edition in editions
        ),
        targets=tuple(
            TargetStanding(target=targets[key], reached=reached(min(key[0], on.year)), is_over=on.year > key[0])
            for key in sorted(targets)
        ),
    )  # fmt: skip
