"""
Can a round be run by this edition: is there whoever decides, a first step, a rubric that gives points?

Each complaint says where in the file, as steps of keys and indices, and why.
"""

from collections.abc import Iterator
from typing import Any

from wufei.catalogue.divisions import division_of_code
from wufei.policies.criteria import KINDS
from wufei.policies.edition import Edition, OneOf, Scoring, Stage, StartsWith, YearsSince

Loc = tuple[int | str, ...]
Complaint = tuple[Loc, str]

COUNTRY = "000000"
LEVELS = ("DISTRICT", "CITY", "PROVINCE", "MINISTRY")
BRANCHES = ("INDUSTRY", "ENVIRONMENT", "DEVELOPMENT", "EMERGENCY", "MARKET", "TAX")
# An officer acts as the authority of a level and a branch; the others by what they are in the case.
AUTHORITIES = frozenset(f"{level}_{branch}" for level in LEVELS for branch in BRANCHES)
PARTIES = frozenset({"APPLICANT", "AGENCY", "CONSULTED_DEPARTMENTS", "EXPERT"})

DAYS = frozenset({"established_on"})
FACTS = DAYS | {"kind", "division_code"}  # what a dossier knows of an organisation


def region_faults(edition: Edition) -> Iterator[Complaint]:
    """Yield an error where the issuing authority's division is none."""
    region = edition.region
    if region is not None and region != COUNTRY and division_of_code(region) is None:
        yield ("region",), f"行政区划表中没有“{region}”"


def stage_faults(own: Edition, whole: Edition) -> Iterator[Complaint]:
    """Yield why a case could not pass the stages that the file gives."""
    quotas = {quota.id for quota in whole.quotas}
    for index, stage in enumerate(own.stages):
        here: Loc = ("stages", index)
        if stage.quota is not None and stage.quota not in quotas:
            yield (*here, "quota"), f"没有编号为“{stage.quota}”的名额"
        yield from _role_faults(here, stage)
        for at, department in enumerate(stage.departments):
            if department.branch not in BRANCHES:
                reason = f"不认识的部门“{department.branch}”：须为 {'、'.join(BRANCHES)} 之一"
                yield (*here, "departments", at, "branch"), reason
    if own.stages and (own.stages[0].kind != "self_check" or own.stages[0].decided_by != ("APPLICANT",)):
        reason = "第一个环节须是申报单位自评（kind: self_check，decided_by: [APPLICANT]），否则无人能报送"
        yield ("stages", 0), reason


def _role_faults(here: Loc, stage: Stage) -> Iterator[Complaint]:
    for field, allowed in (
        ("decided_by", AUTHORITIES | PARTIES),
        ("concluded_by", AUTHORITIES),
        ("settled_by", AUTHORITIES),
    ):
        for index, role in enumerate(getattr(stage, field)):
            if role in allowed:
                continue
            others = f"，或 {'、'.join(sorted(PARTIES))}" if field == "decided_by" else ""
            yield (
                (*here, field, index),
                f"没有人能有身份“{role}”：须写作 级别_部门（如 CITY_INDUSTRY；级别 {'、'.join(LEVELS)}；"
                f"部门 {'、'.join(BRANCHES)}）{others}",
            )


def scoring_faults(scoring: Scoring | None, known: frozenset[str] | None) -> Iterator[Complaint]:
    """Yield why experts could not score, or equal scores not be told apart; `known` are the indicators."""
    if scoring is None:
        return
    if scoring.experts_per_case < 1:
        yield ("scoring", "experts_per_case"), "每件至少由一名专家评审"
    items: set[str] = set()
    for index, item in enumerate(scoring.rubric):
        here: Loc = ("scoring", "rubric", index)
        if item.id in items:
            yield (*here, "id"), f"编号“{item.id}”重复"
        items.add(item.id)
        if item.max <= 0:
            yield (*here, "max"), "满分须大于零"
    for index, tie in enumerate(scoring.ties):
        here = ("scoring", "ties", index)
        if (tie.item is None) == (tie.figure is None):
            yield here, "同分规则须且只须写 figure、item 之一"
        if tie.item is not None and tie.item not in items:
            yield (*here, "item"), f"评分表中没有“{tie.item}”"
        if tie.figure is not None and known is not None and tie.figure not in known:
            yield (*here, "figure"), f"不认识的指标“{tie.figure}”"


def fact_faults(at: Loc, leaf: Any) -> Iterator[Complaint]:
    """Yield why a question about the organisation could never be answered, or never with yes."""
    if not isinstance(leaf, OneOf | StartsWith | YearsSince):
        return
    allowed = DAYS if isinstance(leaf, YearsSince) else FACTS - DAYS
    if leaf.fact not in allowed:
        yield (*at, "fact"), f"这里不能问“{leaf.fact}”：须为 {'、'.join(sorted(allowed))} 之一"
    elif isinstance(leaf, OneOf) and leaf.fact == "kind":
        for index, kind in enumerate(leaf.one_of):
            if kind not in KINDS:
                reason = f"不认识的单位类型“{kind}”：须为 {'、'.join(KINDS)} 之一"
                yield (*at, "one_of", index), reason
