"""
Whose text is nearly another's?

Pure; a doubt like those of `doubts`: what was seen, in which fields, and never a verdict.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wufei.cases import narrative
from wufei.cases.likeness import runs
from wufei.reviews.doubts import ALIKE, CHECK, Basis, Doubt, Kind, Severity, doubt, percent


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrative:
    """What another applicant wrote, its name taken out, and which submission it is of."""

    whose: str
    owner: str
    submission: str  # what it is called
    texts: Mapping[str, str]


def narratives_alike(own: Mapping[str, str], others: Sequence[Narrative]) -> list[Doubt]:
    """
    Return whose long texts are nearly the same, field by field; names were taken out of both before.

    A text that nobody wrote, or that is too short to compare, is listed as such.
    """
    if not any(runs(said) for said in own.values()):
        says = "申报书各栏文字都很短或未填写，未与其他申报单位比对。"
        return [doubt(Kind.NARRATIVE_ALIKE, Severity.UNKNOWN, says)]
    found = []
    for other in others:
        fields = [each for each in narrative.shared(own, other.texts) if each.share >= ALIKE]
        if fields:
            found.append((max(each.share for each in fields), other, fields))
    return [_alike(other, fields) for _share, other, fields in sorted(found, key=lambda row: -row[0])]


def _alike(other: Narrative, fields: Sequence[narrative.Alike]) -> Doubt:
    named = "、".join(f"“{each.label}”" for each in fields)
    says = f"{named}{len(fields)} 栏的文字，隐去单位名称后与另一申报单位高度相近。{CHECK}"
    whose = Basis(label="另一申报单位", value=f"{other.owner}：{other.submission}", whose=other.whose)
    shares = (
        Basis(
            label=f"{each.label}：两者共有的五字片段", value=f"占两者全部片段的 {percent(each.share * 100)}%"
        )
        for each in fields
    )
    return doubt(Kind.NARRATIVE_ALIKE, Severity.MEDIUM, says, (whose, *shares))
