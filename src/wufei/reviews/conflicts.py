"""
What keeps this expert from that applicant's case?

Pure. One reason is enough; the first of the list is told. Codes are told as the code of the organisation
that is tied as well, so that the exclusion can be checked.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum


class Reason(StrEnum):
    """Why an expert is kept from a case, in the order in which they are told."""

    OWN_EMPLOYER = "OWN_EMPLOYER"  # 本人所在单位
    FORMER_EMPLOYER = "FORMER_EMPLOYER"  # 所在单位与申报单位有更名、合并、分立关系
    EMPLOYER = "EMPLOYER"  # 登记的本单位关系
    ADVISER = "ADVISER"  # 曾为其提供咨询或评价
    GROUP = "GROUP"  # 同一集团
    KIN = "KIN"  # 近亲属任职
    DECLARED = "DECLARED"  # 本人申请回避
    AGENCY = "AGENCY"  # 为其作第三方评价的机构的人员
    ACTED = "ACTED"  # 曾报送、审核或推荐该案例


_TOLD = {reason: place for place, reason in enumerate(Reason)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ties:
    """What an expert is tied to."""

    employers: frozenset[str]  # codes: the employer, and every organisation in which the person has a role
    ties: frozenset[tuple[str, str]] = frozenset()  # (code, kind) as registered and not ended


@dataclass(frozen=True, slots=True, kw_only=True)
class Interests:
    """Who would gain or lose by the case."""

    uscc: str
    lineage: frozenset[str] = frozenset()  # codes of those it came from, and of those that came from it
    agencies: frozenset[str] = frozenset()  # codes of the third parties that evaluated it


@dataclass(frozen=True, slots=True)
class Conflict:
    reason: Reason
    uscc: str  # of the organisation that both are tied to


def conflict(ties: Ties, interests: Interests) -> Conflict | None:
    """Return what keeps the expert from the case; None: nothing does."""
    return min(_all(ties, interests), key=lambda found: (_TOLD[found.reason], found.uscc), default=None)


def _all(ties: Ties, interests: Interests) -> Iterable[Conflict]:
    kindred = interests.lineage | {interests.uscc}
    for uscc in ties.employers & kindred:
        own = uscc == interests.uscc
        yield Conflict(Reason.OWN_EMPLOYER if own else Reason.FORMER_EMPLOYER, uscc)
    for uscc in ties.employers & interests.agencies:
        yield Conflict(Reason.AGENCY, uscc)
    for uscc, kind in ties.ties:
        if uscc in kindred:
            yield Conflict(Reason(kind), uscc)
        elif uscc in interests.agencies and kind == Reason.EMPLOYER:
            yield Conflict(Reason.AGENCY, uscc)


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """The ties of many experts by code, so that twenty thousand cases are asked in one pass."""

    ties: dict[int, Ties]
    by_code: dict[str, frozenset[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, ties: dict[int, Ties]) -> "Index":
        """Index the experts' ties."""
        found: dict[str, set[int]] = {}
        for expert, each in ties.items():
            for code in each.employers | {uscc for uscc, _ in each.ties}:
                found.setdefault(code, set()).add(expert)
        return cls(ties=ties, by_code={code: frozenset(experts) for code, experts in found.items()})

    def conflicts(self, interests: Interests) -> dict[int, Conflict]:
        """Return the experts that are kept from the case, each with the reason."""
        codes = {interests.uscc} | interests.lineage | interests.agencies
        asked = {expert for code in codes for expert in self.by_code.get(code, ())}
        found = {expert: conflict(self.ties[expert], interests) for expert in sorted(asked)}
        return {expert: each for expert, each in found.items() if each is not None}
