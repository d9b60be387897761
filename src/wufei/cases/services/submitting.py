"""Handing in: what is claimed is frozen."""

import hashlib
from datetime import datetime

from django.db import transaction
from django.db.models import Max

from wufei.cases import freezing, queries
from wufei.cases.models import Case, CaseState, Submission, SubmittedEvidence
from wufei.cases.queries import FrozenFile, Shortcoming
from wufei.cases.services import NotReady
from wufei.cases.services.comparing import keep_comparable
from wufei.registry.access import Permission
from wufei.registry.models import User
from wufei.registry.queries import require
from wufei.registry.services import audit
from wufei.registry.services.storing import store
from wufei.terms.day import local_day


@transaction.atomic
def freeze(*, case: Case, by: User, now: datetime) -> Submission:
    """
    Freeze the case as it stands: texts, numbers with their movements, evaluation, evidence, chain heads.

    :raises NotPermitted, NoCaseFile, NotReady, LedgerChanging:
    """
    today = local_day(now)
    require(user=by, permission=Permission.EDIT_CASE, organisation=case.organisation, on=today)
    locked = Case.objects.select_for_update(of=("self",)).select_related("organisation").get(pk=case.pk)
    if found := _not_ready(locked):
        raise NotReady(found)
    frozen = queries.frozen(case=locked, on=today)
    last = Submission.objects.filter(case=locked).aggregate(last=Max("number"))["last"] or 0
    file_digest = hashlib.sha256(frozen.case_file).hexdigest() if frozen.case_file else ""
    submission = Submission.objects.create(
        case=locked, organisation=locked.organisation, name_given=locked.organisation.name,
        edition=locked.edition, year=locked.year, number=last + 1, content=frozen.content,
        ledger_heads=frozen.ledger_heads,
        content_sha256=freezing.digest(frozen.content, frozen.ledger_heads),
        case_file=_kept(locked, frozen.case_file), case_file_sha256=file_digest,
        submitted_at=now, submitted_by=by,
    )  # fmt: skip
    if locked.returned:
        locked.returned = {}
        locked.save(update_fields=["returned"])
    SubmittedEvidence.objects.bulk_create(_submitted(submission, each) for each in frozen.files)
    keep_comparable(submissions=[submission])
    detail = {"number": submission.number, "sha256": submission.content_sha256, "version": locked.version}
    audit(
        by=by, now=now, action="cases.freeze", organisation=locked.organisation, object_ref=f"case:{locked.pk}",
        detail=detail,
    )  # fmt: skip
    return submission


def _not_ready(case: Case) -> list[Shortcoming]:
    found = queries.shortcomings(case=case)
    if not found and case.state != CaseState.READY:
        found = [Shortcoming(code="not_marked_ready", field="state", label=str(CaseState.READY.label))]
    return found


def _kept(case: Case, document: bytes) -> str:
    """Keep the document: what was handed in twice is kept once."""
    return (
        store(folder=f"submissions/{case.organisation.uscc}", content=document, kind="docx")
        if document
        else ""
    )


def _submitted(submission: Submission, file: FrozenFile) -> SubmittedEvidence:
    row = file.evidence
    return SubmittedEvidence(
        submission=submission, category=row.category, file_name=row.file_name, kind=row.kind, size=row.size,
        sha256=row.sha256, stored=row.stored.name, shingles=file.shingles,
    )  # fmt: skip
