"""Management plans: drafted, saved, filed, and filed anew for a reason."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from wufei.filings import plan, queries
from wufei.filings.models import FiledPlan, PlanDraft
from wufei.filings.refusals import Code, FilingRefused
from wufei.ledger.services.moving import lock_head
from wufei.registry.access import Permission
from wufei.registry.models import Organisation, User
from wufei.registry.queries import require
from wufei.registry.services import audit
from wufei.terms.day import local_day

LONGEST_REASON = 200


@transaction.atomic
def start_draft(*, organisation: Organisation, year: int, by: User, now: datetime) -> PlanDraft:
    """
    Begin the plan of a year, prefilled from the ledger and the plan before; where a draft is there, return it.

    :raises FilingRefused: if the year is neither this nor the next one
    """
    today = local_day(now)
    _require(organisation, by, now)
    if not today.year <= year <= today.year + 1:
        raise FilingRefused(Code.YEAR_OUT_OF_RANGE, str(year))
    lock_head(organisation)  # one at a time
    standing = queries.drafted(organisation=organisation, year=year)
    if standing is not None:
        return standing
    made = PlanDraft.objects.create(
        organisation=organisation, year=year, content=queries.prefilled(organisation=organisation, year=year),
        changed_at=now, changed_by=by,
    )  # fmt: skip
    _audit("filings.start_plan", made, by, now)
    return made


@transaction.atomic
def save_draft(
    *,
    organisation: Organisation,
    year: int,
    content: Mapping[str, Any],
    version: int,
    by: User,
    now: datetime,
) -> PlanDraft:
    """
    Put the content in the place of the draft's.

    :raises FilingRefused: if there is no draft, it was changed since, or the content can't be read
    """
    _require(organisation, by, now)
    draft = _locked(organisation, year, version)
    try:
        tidied = plan.tidy(content)
    except plan.Untidy as untidy:
        where = f"{untidy.table} {untidy.row} {untidy.column}".strip()
        raise FilingRefused(Code.CONTENT_UNTIDY, f"{where}：{untidy.words}") from untidy
    if tidied == draft.content:
        return draft
    draft.content, draft.version = tidied, draft.version + 1
    draft.changed_at, draft.changed_by = now, by
    draft.save()
    _audit("filings.save_plan", draft, by, now)
    return draft


@transaction.atomic
def give_up_draft(*, organisation: Organisation, year: int, version: int, by: User, now: datetime) -> None:
    """Throw the draft away; what was filed stays as it is."""
    _require(organisation, by, now)
    draft = _locked(organisation, year, version)
    _audit("filings.give_up_plan", draft, by, now)
    draft.delete()


@transaction.atomic
def file_plan(
    *, organisation: Organisation, year: int, version: int, reason: str = "", by: User, now: datetime
) -> FiledPlan:
    """
    Freeze the draft as the plan that holds from now on; a second one of the year says why.

    :raises FilingRefused: if faults are left, nothing changed, or a change has no reason
    """
    _require(organisation, by, now)
    head = lock_head(organisation)
    draft = _locked(organisation, year, version)
    facts = queries.waste_facts(organisation=organisation)
    content = plan.with_wastes(plan.tidy(draft.content), facts)
    left = [
        each
        for each in queries.findings(organisation=organisation, year=year, content=content)
        if each.is_fault
    ]
    if left:
        raise FilingRefused(Code.FAULTS_LEFT, f"{len(left)} 处，第一处：{left[0].where}{left[0].words}")
    standing = queries.latest_plan(organisation=organisation, year=year)
    if standing is not None and standing.content == content:
        raise FilingRefused(Code.NOTHING_CHANGED)
    made = FiledPlan.objects.create(
        organisation=organisation, year=year, number=standing.number + 1 if standing else 1,
        control_class=plan.control_class_of(content), content=content, sha256=plan.digest(content),
        reason=storable_reason(reason) if standing else "", seq=head.seq, chain_hash=head.chain_hash,
        filed_at=now, filed_by=by,
    )  # fmt: skip
    audit(
        by=by, now=now, organisation=organisation, action="filings.file_plan", object_ref=f"{year}#{made.number}",
        detail={"sha256": made.sha256, "reason": made.reason},
    )  # fmt: skip
    draft.delete()
    return made


def storable_reason(reason: str) -> str:
    """
    Return why something filed is filed anew.

    :raises FilingRefused: if it says nothing, or can't be kept
    """
    said = reason.strip()
    if not said:
        raise FilingRefused(Code.REASON_MISSING)
    if len(said) > LONGEST_REASON or not said.isprintable():
        raise FilingRefused(Code.REASON_NOT_STORABLE)
    return said


def _require(organisation: Organisation, by: User, now: datetime) -> None:
    require(user=by, permission=Permission.CLOSE_MONTH, organisation=organisation, on=local_day(now))


def _locked(organisation: Organisation, year: int, version: int) -> PlanDraft:
    draft = PlanDraft.objects.select_for_update().filter(organisation=organisation, year=year).first()
    if draft is None:
        raise FilingRefused(Code.DRAFT_MISSING, str(year))
    if draft.version != version:
        raise FilingRefused(Code.STALE_EDIT)
    return draft


def _audit(action: str, draft: PlanDraft, by: User, now: datetime) -> None:
    audit(
        by=by, now=now, organisation=draft.organisation, action=action, object_ref=str(draft.year),
        detail={"version": draft.version},
    )  # fmt: skip
