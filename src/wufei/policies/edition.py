"""
What does a programme's edition say?

The shape of an edition: norm, criteria with their operands, parameters with values by
date, stages, quotas, deadlines, forms. Frozen, without floats; a key that is not known
here is refused. `loading.py` reads it from YAML.
"""

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator


class Kind(StrEnum):
    """What a rule is for. The first three make the verdict; the others stand beside it."""

    GATE = "gate"  # who may apply, and what is asked of them
    VETO = "veto"  # 一票否决
    INDICATOR = "indicator"  # a figure against a threshold
    SCORE = "score"  # a weighted indicator
    SELECTION = "selection"  # what is weighed or preferred, without deciding by itself
    LIFECYCLE = "lifecycle"  # what happens to a title once given


DECIDING = frozenset({Kind.GATE, Kind.VETO, Kind.INDICATOR})


class Severity(StrEnum):
    MANDATORY = "mandatory"
    IN_PRINCIPLE = "in_principle"  # 原则上: a named officer may grant an exception


class SubjectKind(StrEnum):
    ENTERPRISE = "ENTERPRISE"
    PARK = "PARK"


def _written_plainly(pattern: str, code: str) -> BeforeValidator:
    """Refuse what is not written as the pattern says, before pydantic reads it generously."""

    def check(raw: Any) -> Any:
        if isinstance(raw, str) and not re.fullmatch(pattern, raw):
            raise ValueError(code)
        return raw

    return BeforeValidator(check)


Number = Annotated[Decimal, _written_plainly(r"-?[0-9]{1,18}(\.[0-9]{1,12})?", "not_decimal")]
Whole = Annotated[int, _written_plainly(r"[0-9]{1,9}", "not_whole")]
Day = Annotated[date, _written_plainly(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", "not_a_day")]
Text = Annotated[str, Field(min_length=1, max_length=2000)]
Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,79}$")]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]{0,79}$")]
Division = Annotated[str, Field(pattern=r"^[0-9]{6}$")]


class Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Norm(Frozen):
    number: Text  # 工信厅联节函〔2025〕539号
    title: Text
    issuer: Text
    in_force_from: Day
    in_force_to: Day | None = None
    unverified: str = ""  # what of this is not verified, and why


class DatedValue(Frozen):
    start: Day = Field(alias="from")
    to: Day | None = None
    value: Number
    unit: str = ""
    source: Text  # the clause that sets it
    our_reading: bool = False
    unverified: bool = False


class Parameter(Frozen):
    says: str = ""
    values: tuple[DatedValue, ...] = Field(min_length=1)

    def on(self, day: date) -> DatedValue | None:
        """Return the value in force on the day."""
        for dated in reversed(self.values):
            if dated.start <= day and (dated.to is None or day <= dated.to):
                return dated
        return None


# ---- operands -------------------------------------------------------------------------


class All(Frozen):
    legs: tuple["Operand", ...] = Field(alias="all", min_length=1)


class Any_(Frozen):
    legs: tuple["Operand", ...] = Field(alias="any", min_length=1)


class Not(Frozen):
    leg: "Operand" = Field(alias="not")


class Threshold(Frozen):
    """A number against a parameter."""

    name: Text  # 工业固体废物综合利用率: as it is called in explanations
    at_least: Name | None = None  # id of a parameter
    at_most: Name | None = None
    year_offset: Annotated[int, _written_plainly(r"0|-[0-9]", "not_whole")] = 0


class FigureThreshold(Threshold):
    """
    A figure against a parameter.

    A change over years says which level it compares (`change_of`) and with how many years
    before (`years_back`, id of a parameter), so that another reading is one line of data.
    """

    figure: Name
    change_of: Name | None = None
    years_back: Name | None = None


class StatedThreshold(Threshold):
    stated: Name


class Declared(Frozen):
    """A declaration's answer, for the evaluated year or each year of a window that ends with it."""

    declaration: Text
    expects: Literal["YES", "NO"]
    window: Name | None = None  # id of a parameter: a number of years
    register_to_ask: str = Field(default="", alias="register")  # a NO counts only with its basis
    not_applicable: Literal["met", "unknown"] = "unknown"


class Judged(Frozen):
    """A question that the rule puts to a person."""

    judgement: Name
    asks: Text
    expects: Literal["YES", "NO"] = "YES"
    benchmark: tuple[Name, ...] = ()  # figures shown beside the question
    who: str = "主管部门"


class OneOf(Frozen):
    fact: Name
    name: Text
    one_of: tuple[Text, ...] = Field(min_length=1)


class StartsWith(Frozen):
    fact: Name
    name: Text
    starts_with: tuple[Text, ...] = Field(min_length=1)


class YearsSince(Frozen):
    fact: Name
    name: Text
    years_at_least: Name  # id of a parameter


Leaf = FigureThreshold | StatedThreshold | Declared | Judged | OneOf | StartsWith | YearsSince

_MARKS: dict[str, type[Frozen]] = {
    "all": All,
    "any": Any_,
    "not": Not,
    "figure": FigureThreshold,
    "stated": StatedThreshold,
    "declaration": Declared,
    "judgement": Judged,
    "one_of": OneOf,
    "starts_with": StartsWith,
    "years_at_least": YearsSince,
}
OPERAND_MARKS = tuple(_MARKS)


def _operand_mark(raw: Any) -> str | None:
    if isinstance(raw, dict):
        found = [mark for mark in _MARKS if mark in raw]
        return found[0] if len(found) == 1 else None
    return next((mark for mark, made in _MARKS.items() if type(raw) is made), None)


Operand = Annotated[
    Annotated[All, Tag("all")]
    | Annotated[Any_, Tag("any")]
    | Annotated[Not, Tag("not")]
    | Annotated[FigureThreshold, Tag("figure")]
    | Annotated[StatedThreshold, Tag("stated")]
    | Annotated[Declared, Tag("declaration")]
    | Annotated[Judged, Tag("judgement")]
    | Annotated[OneOf, Tag("one_of")]
    | Annotated[StartsWith, Tag("starts_with")]
    | Annotated[YearsSince, Tag("years_at_least")],
    Discriminator(_operand_mark),
]
for _group in (All, Any_, Not):
    _group.model_rebuild()


def leaves(operand: Any) -> Iterator[Leaf]:
    """Yield the leaves of an operand tree, left to right."""
    match operand:
        case All() | Any_():
            for leg in operand.legs:
                yield from leaves(leg)
        case Not():
            yield from leaves(operand.leg)
        case _:
            yield operand


class Scored(Frozen):
    """
    How a weighted indicator is scored.

    Linear between the baseline and the leading value, which an industry's requirement
    set gives under `key`, or this edition by its own parameters; or judged by a person.
    """

    key: Name
    name: Text
    unit: str = ""
    figure: Name | None = None
    stated: Name | None = None
    judged: Text | None = None  # the question, where evidence is judged (定性)
    better: Literal["higher", "lower"] = "higher"
    baseline: Name | None = None  # ids of parameters
    leading: Name | None = None


class Criterion(Frozen):
    id: Id
    kind: Kind
    severity: Severity = Severity.MANDATORY
    clause: Text
    says: Text
    document: str = ""  # by default the norm of the file that states it
    our_reading: str = ""
    unverified: str = ""  # why it is not verified
    replaces: bool = False
    parameters: dict[Name, Parameter] = Field(default_factory=dict)
    ends_title: Literal["revokes", "removes", ""] = ""  # what befalls a title for it; "": nothing by itself
    test: Operand | None = None
    weight: Number | None = None
    score: Scored | None = None

    @property
    def decides(self) -> bool:
        return self.kind in DECIDING


# ---- what surrounds the criteria ------------------------------------------------------


class Deadline(Frozen):
    """
    A day by which something is done.

    `stage`: those who decide it report to the level above by that day. Who applies to them has to be earlier, or
    the same day at the latest.
    """

    id: Id
    label: Text
    on: Day
    stage: Id | None = None
    clause: Text


class Quota(Frozen):
    id: Id
    number: Whole
    per: Literal["province", "city", "district", "country"]
    severity: Severity = Severity.MANDATORY
    clause: Text
    says: Text


StageKind = Literal[
    "self_check", "third_party", "review", "site_check", "consultation", "experts", "shortlist", "notice",
    "decision", "above",
]  # fmt: skip
_KIND_OF_DECIDER: dict[str, StageKind] = {
    "APPLICANT": "self_check",
    "AGENCY": "third_party",
    "CONSULTED_DEPARTMENTS": "consultation",
    "EXPERT": "experts",
}


class Department(Frozen):
    """A department whose opinion is asked: as it is called, and the branch of authority that it is."""

    name: Text
    branch: Text


class Stage(Frozen):
    """
    A stage that a case passes.

    `decided_by` says their part; where others move the case on (experts score, departments reply), those
    stand in `concluded_by`. More than one decider decide jointly; `settled_by` settles what they disagree on.
    """

    id: Id
    kind: StageKind = "review"
    label: Text  # for officers
    applicant_label: Text
    decided_by: tuple[Text, ...] = Field(min_length=1)
    concluded_by: tuple[Text, ...] = ()
    settled_by: tuple[Text, ...] = ()
    departments: tuple[Department, ...] = ()  # of a consultation
    due_working_days: Whole | None = None  # to act in, from the day the case came
    working_days: Whole | None = None  # of a public notice
    quota: Id | None = None  # that a case counts towards once it passes
    is_held: bool = Field(default=False, alias="held")  # told to applicants only when it is released
    clause: Text
    our_reading: bool = False

    @model_validator(mode="before")
    @classmethod
    def _kind_by_decider(cls, raw: Any) -> Any:
        if isinstance(raw, dict) and "kind" not in raw and raw.get("decided_by"):
            # What is no text is refused by its own field.
            kinds = {_KIND_OF_DECIDER.get(role) for role in raw["decided_by"] if isinstance(role, str)}
            if len(kinds) == 1 and (kind := kinds.pop()):
                return {**raw, "kind": kind}
        return raw


class RubricItem(Frozen):
    """What experts give points for."""

    id: Name
    label: Text
    max: Number
    says: Text = "按材料和台账评分"
    our_reading: bool = False


class TieRule(Frozen):
    """What decides between equal scores, in the order of the rules: a figure, or an item of the rubric."""

    says: Text
    figure: Name | None = None
    item: Name | None = None
    better: Literal["higher", "lower"] = "higher"
    our_reading: bool = False


class Scoring(Frozen):
    """How experts score: how many a case, by which rubric, made comparable how, ties decided by what."""

    experts_per_case: Whole
    rubric: tuple[RubricItem, ...] = Field(min_length=1)
    normalisation: Literal["none", "z_score"] = "z_score"
    outlier_points: Number = Decimal(15)  # a sheet that far from the median of the others is shown
    ties: tuple[TieRule, ...] = ()
    expert_fields: tuple[Text, ...] = ()
    our_reading: bool = True

    @property
    def full_marks(self) -> Decimal:
        return sum((item.max for item in self.rubric), Decimal(0))


class TitleGiven(Frozen):
    """What a recognised case is given."""

    name: Text
    level: Literal["DISTRICT", "CITY", "PROVINCE", "MINISTRY"]
    validity_years: Whole | None = None
    clause: Text


class Target(Frozen):
    """How many titles the policy wants by the end of a year."""

    by: Whole
    number: Whole
    clause: Text
    says: Text


class Form(Frozen):
    id: Id
    label: Text
    clause: Text
    limits: dict[Name, Whole] = Field(default_factory=dict)  # characters


class StatedItem(Frozen):
    id: Name
    name: Text
    unit: str = ""
    evidence: tuple[Text, ...] = ()


class Edition(Frozen):
    id: Id
    title: Text
    subject_kind: SubjectKind
    norm: Norm
    region: Division | None = None  # the division whose authority issued it; None: it says none
    in_force_from: Day
    extends: Id | None = None
    addressees: tuple[Text, ...] = ()
    round_years: tuple[Whole, ...] = ()  # the years whose data the form asks for
    third_party_report: Literal["required", "not_required", ""] = ""
    industry_requirements: bool = False  # baseline and leading values come from a requirement set
    dates: tuple[Deadline, ...] = ()
    quotas: tuple[Quota, ...] = ()
    stages: tuple[Stage, ...] = ()
    scoring: Scoring | None = None
    title_given: TitleGiven | None = None
    targets: tuple[Target, ...] = ()
    forms: tuple[Form, ...] = ()
    stated_items: tuple[StatedItem, ...] = ()
    parameters: dict[Name, Parameter] = Field(default_factory=dict)
    notes: tuple[Text, ...] = ()
    criteria: tuple[Criterion, ...] = ()

    def parameter(self, criterion: Criterion, name: str) -> Parameter:
        """Return the criterion's own parameter of the name, else the edition's."""
        return criterion.parameters.get(name) or self.parameters[name]

    @property
    def run_by(self) -> str:
        """Return the role of the authority that runs its rounds: who ends them, as CITY_INDUSTRY; "": it has none."""
        return (self.stages[-1].concluded_by or self.stages[-1].decided_by)[0] if self.stages else ""

    def reported_by(self, stage_id: str, *, year: int, since: date) -> Deadline | None:
        """
        Return by when those below who have a case at the stage report to who runs the round; None: no day binds.

        A day that was over before the round was opened (`since`) binds nobody, nor one of another year.
        """
        ids = [stage.id for stage in self.stages]
        at = ids.index(stage_id)
        found = [
            each
            for each in self.reporting_days(year=year, since=since)
            if each.stage is not None and 1 <= at <= ids.index(each.stage)
        ]
        return min(found, key=lambda each: each.on, default=None)

    def reporting_days(self, *, year: int, since: date) -> list[Deadline]:
        """Return the days by which those below report to who runs a round of the year, the first day first."""
        own = {stage.id for stage in self.stages if self.run_by not in stage.decided_by}
        found = [
            each for each in self.dates if each.stage in own and each.on.year == year and each.on >= since
        ]
        return sorted(found, key=lambda each: each.on)

    def years_back(self, day: date) -> int | None:
        """Return with how many years before the edition compares a change; None: it compares none."""
        for criterion in self.criteria:
            for leaf in leaves(criterion.test) if criterion.test else ():
                if isinstance(leaf, FigureThreshold) and leaf.years_back:
                    dated = self.parameter(criterion, leaf.years_back).on(max(day, self.in_force_from))
                    return int(dated.value) if dated else None
        return None


def extended(parent: Edition, child: Edition) -> Edition:
    """Return the child with all that it takes over from the edition it extends."""
    replaced = {c.id: c for c in child.criteria}
    criteria = [replaced.pop(c.id, c) for c in parent.criteria]
    return child.model_copy(
        update={
            "region": child.region or parent.region,
            "addressees": child.addressees or parent.addressees,
            "round_years": child.round_years or parent.round_years,
            "third_party_report": child.third_party_report or parent.third_party_report,
            "industry_requirements": child.industry_requirements or parent.industry_requirements,
            "dates": _by_id(parent.dates, child.dates),
            "quotas": _by_id(parent.quotas, child.quotas),
            "stages": child.stages or parent.stages,
            "scoring": child.scoring or parent.scoring,
            "title_given": child.title_given or parent.title_given,
            "targets": child.targets or parent.targets,
            "forms": child.forms or parent.forms,
            "stated_items": _by_id(parent.stated_items, child.stated_items),
            "parameters": {**parent.parameters, **child.parameters},
            "notes": parent.notes + child.notes,
            "criteria": (*criteria, *(c for c in child.criteria if c.id in replaced)),
        }
    )


def _by_id(parents: tuple[Any, ...], children: tuple[Any, ...]) -> tuple[Any, ...]:
    own = {row.id: row for row in children}
    kept = [own.pop(row.id, row) for row in parents]
    return (*kept, *(row for row in children if row.id in own))
