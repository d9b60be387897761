"""
Is it known whether this waste is hazardous, and does that still hold?

Pure. A stream that the catalogue (国家危险废物名录) lists is identified by it; every other one needs a record, on the
ground of the catalogue, of tests (GB 5085) or of an expert. What is not known warns and never blocks.
"""

import calendar
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from pathlib import Path

import yaml

from wufei.catalogue.waste_codes import Standing as CodeStanding
from wufei.catalogue.waste_codes import read_waste_code

DUE_SOON_DAYS = 60
# What the catalogue keeps for waste that it doesn't list and that was identified as hazardous.
IDENTIFIED_PREFIX = "900-000-"
PROPERTIES = {"T": "毒性", "C": "腐蚀性", "I": "易燃性", "R": "反应性", "In": "感染性"}


class Basis(StrEnum):
    CATALOGUE = "CATALOGUE"
    TESTS = "TESTS"
    EXPERT = "EXPERT"


class Result(StrEnum):
    HAZARDOUS = "HAZARDOUS"
    NOT_HAZARDOUS = "NOT_HAZARDOUS"
    UNDETERMINED = "UNDETERMINED"


class IdentificationStanding(StrEnum):
    """How it stands with a stream's identification; what is worst comes first."""

    CONTRADICTED = "CONTRADICTED"  # found to be what it is not kept as
    MISSING = "MISSING"
    EXPIRED = "EXPIRED"
    UNDETERMINED = "UNDETERMINED"
    DUE_SOON = "DUE_SOON"
    VALID = "VALID"
    BY_CATALOGUE = "BY_CATALOGUE"


WARNS = frozenset(
    {
        IdentificationStanding.CONTRADICTED,
        IdentificationStanding.MISSING,
        IdentificationStanding.EXPIRED,
        IdentificationStanding.UNDETERMINED,
    }
)
BASIS_LABELS = {Basis.CATALOGUE: "名录排查", Basis.TESTS: "GB 5085 检测", Basis.EXPERT: "专家判断"}
RESULT_LABELS = {
    Result.HAZARDOUS: "属于危险废物",
    Result.NOT_HAZARDOUS: "不属于危险废物",
    Result.UNDETERMINED: "不能确定",
}
STANDING_LABELS = {
    IdentificationStanding.CONTRADICTED: "判别与管理相矛盾",
    IdentificationStanding.MISSING: "没有危险性判别",
    IdentificationStanding.EXPIRED: "危险性判别已过期",
    IdentificationStanding.UNDETERMINED: "危险性不能确定",
    IdentificationStanding.DUE_SOON: "危险性判别即将到期",
    IdentificationStanding.VALID: "已判别",
    IdentificationStanding.BY_CATALOGUE: "按名录",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Validity:
    """How long identifications on this ground hold."""

    basis: Basis
    months: int | None
    source: str
    confidence: str  # verified, unverified


@cache
def known_validities() -> dict[Basis, Validity]:
    """Return the rules that we ship."""
    said = yaml.safe_load(
        (Path(__file__).parent / "data" / "identification.yaml").read_text(encoding="utf-8")
    )
    rows = (Validity(**row | {"basis": Basis(row["basis"])}) for row in said["validity"])
    return {row.basis: row for row in rows}


@dataclass(frozen=True, slots=True, kw_only=True)
class Waste:
    """What is kept of a stream."""

    is_hazardous: bool
    waste_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The identification of a stream that holds."""

    basis: Basis
    result: Result
    judged_on: date
    valid_through: date | None  # as the record says it; None: no end is said
    waste_code: str = ""  # of a hazardous result


@dataclass(frozen=True, slots=True, kw_only=True)
class Identified:
    """How a stream stands, and until when."""

    standing: IdentificationStanding
    through: date | None
    words: str  # what is wrong and what to do; "" where nothing is

    @property
    def warns(self) -> bool:
        return self.standing in WARNS

    @property
    def label(self) -> str:
        return STANDING_LABELS[self.standing]


def is_listed(waste_code: str) -> bool:
    """
    Return whether the catalogue itself says that the waste is hazardous.

    >>> is_listed("900-249-08"), is_listed("900-000-08"), is_listed("SW02")
    (True, False, False)
    """
    if waste_code.startswith(IDENTIFIED_PREFIX):
        return False
    read = read_waste_code(waste_code)
    is_hazardous = read.entry is not None and (read.category or "").startswith("HW")
    return is_hazardous and read.standing is not CodeStanding.RETIRED


def last_day(finding: Finding) -> date | None:
    """Return the last day on which the finding holds: what the rule or the record says, whichever is first."""
    months = known_validities()[finding.basis].months
    ends = [finding.valid_through] if finding.valid_through else []
    if months is not None:
        at = finding.judged_on.year * 12 + finding.judged_on.month - 1 + months
        year, month = at // 12, at % 12 + 1
        ends.append(date(year, month, min(finding.judged_on.day, calendar.monthrange(year, month)[1])))
    return min(ends, default=None)


def identified(waste: Waste, finding: Finding | None, on: date) -> Identified:
    """Return how a stream stands on a day, by the record that holds for it."""
    if waste.is_hazardous and is_listed(waste.waste_code):
        return Identified(standing=IdentificationStanding.BY_CATALOGUE, through=None, words="")
    if finding is None:
        return _said(IdentificationStanding.MISSING, None)
    through = last_day(finding)
    if (
        finding.result is Result.HAZARDOUS
    ) != waste.is_hazardous and finding.result is not Result.UNDETERMINED:
        words = _TO_HAZARDOUS if finding.result is Result.HAZARDOUS else _TO_GENERAL
        return Identified(
            standing=IdentificationStanding.CONTRADICTED,
            through=through,
            words=words.format(code=finding.waste_code or "—"),
        )
    if through is not None and through < on:
        return _said(IdentificationStanding.EXPIRED, through)
    if finding.result is Result.UNDETERMINED:
        return _said(IdentificationStanding.UNDETERMINED, through)
    is_soon = through is not None and (through - on).days <= DUE_SOON_DAYS
    return _said(IdentificationStanding.DUE_SOON if is_soon else IdentificationStanding.VALID, through)


_TO_HAZARDOUS = (
    "判别结果为危险废物（{code}），却按一般固废管理。请在废物清单中改为危险废物代码，"
    "按危险废物贮存、转移，并更正管理计划。"
)
_TO_GENERAL = (
    "判别结果为不属于危险废物，却按名录未列的危险废物（900-000-××）管理。请核对报告，再更正废物代码。"
)
_WORDS = {
    IdentificationStanding.MISSING: "名录没有列入这种废物，也没有判别记录。请登记名录排查、GB 5085 检测或专家判断的结论。",
    IdentificationStanding.EXPIRED: "判别已于 {through} 到期。请重新判别并登记。",
    IdentificationStanding.UNDETERMINED: "判别结果为不能确定。请补充检测或请专家判断，再登记结论。",
    IdentificationStanding.DUE_SOON: "判别将于 {through} 到期，请及早重新判别。",
}


def _said(standing: IdentificationStanding, through: date | None) -> Identified:
    return Identified(
        standing=standing, through=through, words=_WORDS.get(standing, "").format(through=through)
    )


# --- may a record be kept?


class Refused(StrEnum):
    """Why an identification was not recorded."""

    STREAM_UNKNOWN = "stream_unknown"
    CODE_MISSING = "code_missing"
    CODE_NOT_HAZARDOUS = "code_not_hazardous"
    CODE_NOT_ASKED = "code_not_asked"
    PROPERTIES_MISSING = "properties_missing"
    PROPERTIES_NOT_ASKED = "properties_not_asked"
    JUDGE_MISSING = "judge_missing"
    REPORT_MISSING = "report_missing"
    DAY_IN_FUTURE = "day_in_future"
    ENDS_BEFORE_BEGIN = "ends_before_begin"
    REASON_MISSING = "reason_missing"
    REPLACED_ALREADY = "replaced_already"
    REPLACED_UNKNOWN = "replaced_unknown"
    CLIENT_ID_REUSED = "client_id_reused"
    TEXT_NOT_STORABLE = "text_not_storable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What is to be recorded of a stream."""

    basis: Basis
    result: Result
    judged_by: str
    judged_on: date
    valid_through: date | None = None
    waste_code: str = ""
    properties: tuple[str, ...] = ()
    report_number: str = ""
    note: str = ""
    has_report: bool = False


LONGEST = {"judged_by": 120, "report_number": 80, "note": 300, "reason": 200}


def refusal(said: Said, today: date) -> Refused | None:
    """Return what is wrong with a record that is to be made; None: nothing."""
    checks = (
        (not said.judged_by.strip(), Refused.JUDGE_MISSING),
        (said.judged_on > today, Refused.DAY_IN_FUTURE),
        (
            said.valid_through is not None and said.valid_through < said.judged_on,
            Refused.ENDS_BEFORE_BEGIN,
        ),
        (said.basis is Basis.TESTS and not said.has_report, Refused.REPORT_MISSING),
        (any(len(getattr(said, name)) > LONGEST[name] for name in _TEXTS), Refused.TEXT_NOT_STORABLE),
        (any(not getattr(said, name).isprintable() for name in _TEXTS), Refused.TEXT_NOT_STORABLE),
    )
    found = next((code for is_wrong, code in checks if is_wrong), None)
    return found or _wrong_result(said)


_TEXTS = ("judged_by", "report_number", "note")


def _wrong_result(said: Said) -> Refused | None:
    """A hazardous result names its code and properties, another one none."""
    if said.result is not Result.HAZARDOUS:
        if said.waste_code:
            return Refused.CODE_NOT_ASKED
        return Refused.PROPERTIES_NOT_ASKED if said.properties else None
    if not said.waste_code:
        return Refused.CODE_MISSING
    read = read_waste_code(said.waste_code)
    if read.fault or not (read.category or "").startswith("HW"):
        return Refused.CODE_NOT_HAZARDOUS
    is_known = said.properties and set(said.properties) <= set(PROPERTIES)
    return None if is_known else Refused.PROPERTIES_MISSING
