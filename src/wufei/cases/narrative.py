"""
How is what an applicant wrote compared with what another wrote?

Pure. The long texts of a case as it was handed in, with the applicant's own name taken out, so that a text in
which only the name was swapped reads the same. Their sketch is frozen with the case, and finds who is worth
comparing; the fields are then compared whole.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from wufei.cases import likeness

# Field → what it is called, where no form of the edition says otherwise.
FIELDS: Mapping[str, str] = {
    "plan": "建设方案制定情况",
    "practices": "主要做法",
    "results": "取得的成效",
    "innovation": "创新点",
    "conditions": "推广应用的条件",
    "self_description": "自述",
    "brief_description": "案例简要描述",
}
NAMELESS = "本单位"
LEAST_OF_A_NAME = 4  # shorter is a word of the trade
_LEGAL_FORM = re.compile(r"(股份有限公司|有限责任公司|有限公司|集团公司|管理委员会|公司|集团|厂)$")
_NOTE = re.compile(r"（[^（）]*）|\([^()]*\)")


def names_in(name: str) -> list[str]:
    """
    Return how an organisation may be named in its texts, the longest first.

    >>> names_in("重庆綦岳铸造有限公司")
    ['重庆綦岳铸造有限公司', '重庆綦岳铸造', '綦岳铸造']
    """
    bare = _NOTE.sub("", name).strip()
    core = _LEGAL_FORM.sub("", bare)
    local = re.sub(r"^\w{2}[省市]|^(重庆|北京|上海|天津|广东)市?", "", core)
    kept = [each for each in (name.strip(), bare, core, local) if len(each) >= LEAST_OF_A_NAME]
    return sorted(dict.fromkeys(kept), key=len, reverse=True)


def masked(texts: Mapping[str, Any], name: str) -> dict[str, str]:
    """Return the fields that have a text, with the name taken out."""
    names = "|".join(re.escape(each) for each in names_in(name))
    found = {}
    for field in FIELDS:
        said = texts.get(field)
        if isinstance(said, str) and said.strip():
            found[field] = re.sub(names, NAMELESS, said) if names else said
    return found


def sketch(texts: Mapping[str, Any], name: str) -> list[int]:
    """Return the sketch of all of the fields together."""
    return likeness.sketch("\n".join(masked(texts, name).values()))


@dataclass(frozen=True, slots=True)
class Alike:
    """A field that two applicants wrote: which share of the five-character runs of both is in both."""

    field: str
    share: Decimal

    @property
    def label(self) -> str:
        return FIELDS[self.field]


def shared(one: Mapping[str, str], other: Mapping[str, str]) -> list[Alike]:
    """Return how alike two masked narratives are, field by field; short texts are alike by chance."""
    found = []
    for field in FIELDS:
        mine, theirs = (likeness.runs(each.get(field, "")) for each in (one, other))
        if mine and theirs:
            found.append(Alike(field, Decimal(len(mine & theirs)) / len(mine | theirs)))
    return found
