"""What changes declarations, judgements, stated values and requirement sets; each write with its audit row."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.utils import timezone

from wufei.catalogue.industries import industry
from wufei.policies.dossier import EXCEPTION
from wufei.policies.edition import Criterion, Edition, Judged, Kind, Severity, leaves
from wufei.policies.models import Answer, Declaration, Judgement, RequirementSet, StatedValue
from wufei.policies.queries import edition as edition_of
from wufei.registry.access import Permission
from wufei.registry.models import Organisation, OrganisationKind, User
from wufei.registry.queries import require
from wufei.registry.services import audit

FIRST_YEAR = 1949
LARGEST = Decimal(10) ** 16 - Decimal(1)
STEP = Decimal("0.00000001")
_DECIMAL = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,12})?")


class Code(StrEnum):
    """Why something was not written."""

    YEAR_OUT_OF_RANGE = "year_out_of_range"
    ANSWER_UNKNOWN = "answer_unknown"
    TEXT_MISSING = "text_missing"
    TEXT_TOO_LONG = "text_too_long"
    CRITERION_UNKNOWN = "criterion_unknown"
    QUESTION_UNKNOWN = "question_unknown"
    NO_EXCEPTION_HERE = "no_exception_here"
    ITEM_UNKNOWN = "item_unknown"
    VALUE_NOT_DECIMAL = "value_not_decimal"
    INDUSTRY_UNKNOWN = "industry_unknown"
    KEY_UNKNOWN = "key_unknown"
    RANGE_WRONG_WAY = "range_wrong_way"
    NOT_AN_AUTHORITY = "not_an_authority"
    ALREADY_MAINTAINED = "already_maintained"
    STALE_EDIT = "stale_edit"


class StatementRefused(Exception):
    """It was not written; `code` says why, `field` where."""

    def __init__(self, code: Code, field: str, detail: str = ""):
        self.code, self.field, self.detail = code, field, detail
        super().__init__(f"{code} {field} {detail}".strip())


@transaction.atomic
def declare(
    *,
    organisation: Organisation,
    item: str,
    year: int,
    answer: str,
    basis: str,
    source: str,
    by: User,
    now: datetime,
    expected_version: int | None = None,
) -> bool:
    """
    Record an organisation's answer to an item for a year; return whether anything changed.

    :raises StatementRefused: if the year, the answer or a text can't be, or the row was changed meanwhile
    :raises NotPermitted: if the person may not edit the organisation
    """
    _allowed(organisation, Permission.EDIT_ORGANISATION, by, now, year)
    item = _text("item", item, 120)
    said = {"answer": _answer(answer), "basis": _text("basis", basis, 300, may_be_empty=True)}
    row = Declaration(organisation=organisation, item=item, year=year, source=source[:120], **said)
    return _upsert(row, said, expected_version, by, now)


@transaction.atomic
def state_value(
    *,
    organisation: Organisation,
    item: str,
    year: int,
    value: Decimal,
    basis: str,
    by: User,
    now: datetime,
    expected_version: int | None = None,
) -> bool:
    """
    Record a number that a self-assessment asks for, with its evidence; return whether anything changed.

    :raises StatementRefused: if the year or the value can't be, or the row was changed meanwhile
    :raises NotPermitted: if the person may not edit the organisation
    """
    _allowed(organisation, Permission.EDIT_ORGANISATION, by, now, year)
    item = _text("item", item, 80)
    finite = value.is_finite() and abs(value) <= LARGEST
    if not finite or value != value.quantize(STEP):
        raise StatementRefused(Code.VALUE_NOT_DECIMAL, "value", str(value))
    said = {"value": value, "basis": _text("basis", basis, 300, may_be_empty=True)}
    row = StatedValue(organisation=organisation, item=item, year=year, **said)
    return _upsert(row, said, expected_version, by, now)


@transaction.atomic
def judge(
    *,
    organisation: Organisation,
    edition_id: str,
    criterion: str,
    question: str,
    year: int,
    answer: str,
    reason: str,
    by: User,
    now: datetime,
) -> Judgement:
    """
    Record a named officer's answer to a question of the edition, or an exception (`question="exception"`).

    :raises UnknownEdition: if there is none of that id
    :raises StatementRefused: if the edition asks no such question there, or the reason is missing
    :raises NotPermitted: if the person may not judge the organisation
    """
    _allowed(organisation, Permission.JUDGE, by, now, year)
    _check_question(edition_of(edition_id), criterion, question)
    row = Judgement.objects.create(
        organisation=organisation,
        edition=edition_id,
        criterion=criterion,
        year=year,
        question=question,
        answer=_answer(answer),
        reason=_text("reason", reason, 500),
        judged_at=now,
        judged_by=by,
    )
    detail = {"year": year, "answer": row.answer, "reason": row.reason}
    audit(
        by=by, now=now, action="policies.judge", organisation=organisation,
        object_ref=f"{edition_id}:{criterion}:{question}"[:120], detail=detail,
    )  # fmt: skip
    return row


@transaction.atomic
def maintain_requirements(
    *,
    authority: Organisation,
    edition_id: str,
    industry_code: str,
    name: str,
    in_force_from: date,
    values: Mapping[str, Mapping[str, str]],
    source: str,
    is_illustrative: bool,
    by: User,
    now: datetime,
) -> RequirementSet:
    """
    Record an industry's baseline and leading values, `{"water_reuse": {"baseline": "60", "leading": "90"}}`.

    A set in force is not rewritten: a change is another set from another day.

    :raises UnknownEdition: if there is none of that id
    :raises StatementRefused: if a key, a value or the industry is unknown, or the day is taken
    :raises NotPermitted: if the person maintains no requirements for the authority
    """
    require(
        user=by,
        permission=Permission.MAINTAIN_REQUIREMENTS,
        organisation=authority,
        on=timezone.localdate(now),
    )
    if authority.kind != OrganisationKind.AUTHORITY:
        raise StatementRefused(Code.NOT_AN_AUTHORITY, "authority", authority.uscc)
    if industry(industry_code) is None:
        raise StatementRefused(Code.INDUSTRY_UNKNOWN, "industry_code", industry_code)
    _check_ranges(edition_of(edition_id), values)
    of_day = {"edition": edition_id, "industry_code": industry_code, "in_force_from": in_force_from}
    if RequirementSet.objects.filter(**of_day).exists():
        raise StatementRefused(Code.ALREADY_MAINTAINED, "in_force_from", in_force_from.isoformat())
    row = RequirementSet.objects.create(
        **of_day,
        name=_text("name", name, 120),
        values={key: {"baseline": v["baseline"], "leading": v["leading"]} for key, v in values.items()},
        is_illustrative=is_illustrative,
        source=_text("source", source, 200),
        maintained_by=by,
        maintained_at=now,
    )
    audit(
        by=by, now=now, action="policies.maintain_requirements", organisation=authority,
        object_ref=f"{edition_id}:{industry_code}:{in_force_from}"[:120],
        detail={"values": row.values, "source": source, "is_illustrative": is_illustrative},
    )  # fmt: skip
    return row


def _allowed(organisation: Organisation, permission: Permission, by: User, now: datetime, year: int) -> None:
    today = timezone.localdate(now)
    require(user=by, permission=permission, organisation=organisation, on=today)
    if not FIRST_YEAR <= year <= today.year:
        raise StatementRefused(Code.YEAR_OUT_OF_RANGE, "year", str(year))


def _answer(answer: str) -> str:
    if answer not in Answer.values:
        raise StatementRefused(Code.ANSWER_UNKNOWN, "answer", answer)
    return answer


def _text(field: str, text: str, length_max: int, *, may_be_empty: bool = False) -> str:
    text = text.strip()
    if not text and not may_be_empty:
        raise StatementRefused(Code.TEXT_MISSING, field)
    if len(text) > length_max:
        raise StatementRefused(Code.TEXT_TOO_LONG, field, str(length_max))
    return text


def _check_question(edition: Edition, criterion_id: str, question: str) -> None:
    criterion = next((c for c in edition.criteria if c.id == criterion_id), None)
    if criterion is None:
        raise StatementRefused(Code.CRITERION_UNKNOWN, "criterion", criterion_id)
    if question == EXCEPTION:
        if criterion.severity != Severity.IN_PRINCIPLE:
            raise StatementRefused(Code.NO_EXCEPTION_HERE, "question", criterion_id)
    elif question not in _questions(criterion):
        raise StatementRefused(Code.QUESTION_UNKNOWN, "question", question)


def _questions(criterion: Criterion) -> set[str]:
    asked = {leaf.judgement for leaf in leaves(criterion.test) if isinstance(leaf, Judged)}
    if criterion.score and criterion.score.judged:
        asked.add(criterion.score.key)
    return asked


def _check_ranges(edition: Edition, values: Mapping[str, Mapping[str, str]]) -> None:
    scored = {c.score.key: c.score for c in edition.criteria if c.kind == Kind.SCORE and c.score}
    for key, given in values.items():
        if key not in scored or scored[key].judged or scored[key].baseline:
            raise StatementRefused(Code.KEY_UNKNOWN, "values", key)
        numbers = [given.get("baseline", ""), given.get("leading", "")]
        for text in numbers:
            if not isinstance(text, str) or not _DECIMAL.fullmatch(text):
                raise StatementRefused(Code.VALUE_NOT_DECIMAL, f"values.{key}", str(text))
        baseline, leading = map(Decimal, numbers)
        wrong = baseline > leading if scored[key].better == "higher" else baseline < leading
        if wrong:
            raise StatementRefused(Code.RANGE_WRONG_WAY, f"values.{key}", f"{baseline} {leading}")


def _upsert(
    new: Declaration | StatedValue,
    said: dict[str, Any],
    expected_version: int | None,
    by: User,
    now: datetime,
) -> bool:
    """Write the row unless it already says the same; where it came from is not a change by itself."""
    model = type(new)
    stored = (
        model._default_manager.select_for_update()
        .filter(organisation=new.organisation, item=new.item, year=new.year)
        .first()
    )
    if expected_version is not None and expected_version != (stored.version if stored else 0):
        raise StatementRefused(Code.STALE_EDIT, "version", str(stored.version if stored else 0))
    before: dict[str, Any] = {}
    if stored is None:
        new.save()
    else:
        before = {field: getattr(stored, field) for field in said}
        if before == said:
            return False
        new.pk, new.version = stored.pk, stored.version + 1
        new.save(force_update=True)
    what = "declare" if isinstance(new, Declaration) else "state_value"
    audit(
        by=by, now=now, action=f"policies.{what}", organisation=new.organisation,
        object_ref=f"{new.item}:{new.year}"[:120],
        detail={"before": _texts(before), "after": _texts(said)},
    )  # fmt: skip
    return True


def _texts(said: dict[str, Any]) -> dict[str, str]:
    return {field: str(value) for field, value in said.items()}
