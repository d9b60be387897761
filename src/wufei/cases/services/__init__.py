"""What changes cases. Every write is here, each in one transaction."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Sum

from wufei.cases import blanks, documents, provenance, queries
from wufei.cases.case_file import CASE_FILE, NOTE, PROVENANCE, SUMMARY, OpenRequirement
from wufei.cases.evidence import MAX_CASE_BYTES
from wufei.cases.models import Case, CaseState, Evidence, EvidenceCategory
from wufei.cases.queries import LedgerChanging
from wufei.paper.attachments import EvidenceRefused, examine
from wufei.paper.texts import cleaned, one_line
from wufei.policies.criteria import WORDS
from wufei.registry.access import Permission
from wufei.registry.models import Organisation, User
from wufei.registry.queries import require
from wufei.registry.services import audit
from wufei.registry.services.storing import store
from wufei.terms.day import local_day
from wufei.terms.truth import Truth

__all__ = ["LedgerChanging"]  # raised by `queries.gathered`, and caught where documents are produced

MAX_TEXT = 200_000  # far above any limit of a form: a draft may be too long for a while
LONG_TEXTS = frozenset(
    {
        "title",
        "brief_description",
        "plan",
        "practices",
        "results",
        "innovation",
        "conditions",
        "self_description",
    }
)
SHORT_TEXTS = frozenset(
    {
        "leading_industry", "filler_name", "filler_title", "filler_phone", "head_mobile", "contact", "phone",
        "email",
    }
)  # fmt: skip
FIELDS = LONG_TEXTS | SHORT_TEXTS | {"above_scale_count", "filed_on"}


class StaleEdit(Exception):
    """The draft was changed since it was read; nothing was written."""

    def __init__(self, *, seen: int, actual: int):
        self.code = "stale_edit"
        self.seen, self.actual = seen, actual
        super().__init__(f"version {seen} was edited, {actual} is there")


class DraftRefused(Exception):
    """Nothing was saved; `code` says why and `field` where."""

    def __init__(self, code: str, field: str):
        self.code = code  # field_unknown, text_too_long, number_not_whole, date_impossible, year_absurd
        self.field = field
        super().__init__(f"{code}: {field}")


class NotReady(Exception):
    """The draft is not complete; `shortcomings` says where."""

    def __init__(self, shortcomings: list[queries.Shortcoming]):
        self.code = "not_ready"
        self.shortcomings = shortcomings
        super().__init__(", ".join(f"{s.code}: {s.field}" for s in shortcomings))


@transaction.atomic
def open_case(*, organisation: Organisation, edition_id: str, year: int, by: User, now: datetime) -> Case:
    """
    Open a draft, or return the one that is open.

    :raises NotPermitted, NoCaseFile, DraftRefused:
    """
    _require(Permission.EDIT_CASE, organisation, by, now)
    edition = queries.edition_for(organisation=organisation, edition_id=edition_id)
    if not 1990 <= year <= local_day(now).year:
        raise DraftRefused("year_absurd", "year")
    case, created = Case.objects.get_or_create(
        organisation=organisation,
        edition=edition.id,
        year=year,
        defaults={"created_at": now, "created_by": by, "updated_at": now, "updated_by": by},
    )
    if created:
        _audit(case, "cases.open", by, now, {"edition": edition.id, "year": year})
    return case


@transaction.atomic
def save_draft(*, case: Case, version: int, changes: Mapping[str, Any], by: User, now: datetime) -> Case:
    """
    Save what was written, field by field; unchanged fields write nothing.

    :raises NotPermitted, StaleEdit, DraftRefused:
    """
    _require(Permission.EDIT_CASE, case.organisation, by, now)
    locked = _locked(case)
    if locked.version != version:
        raise StaleEdit(seen=version, actual=locked.version)
    said = {field: _read(field, value) for field, value in changes.items()}
    changed = {field: value for field, value in said.items() if getattr(locked, field) != value}
    if not changed:
        return locked
    for field, value in changed.items():
        setattr(locked, field, value)
    _touch(locked, by, now, *changed)
    _audit(locked, "cases.save", by, now, {"fields": sorted(changed), "version": locked.version})
    return locked


def _read(field: str, value: Any) -> Any:
    if field not in FIELDS:
        raise DraftRefused("field_unknown", field)
    if field == "above_scale_count":
        return _count(field, value)
    if field == "filed_on":
        return _day(field, value)
    if not isinstance(value, str):
        raise DraftRefused("field_unknown", field)
    text = cleaned(value) if field in LONG_TEXTS else one_line(value)
    if len(text) > (Case._meta.get_field(field).max_length or MAX_TEXT):  # type: ignore[union-attr]
        raise DraftRefused("text_too_long", field)
    return text


def _count(field: str, value: Any) -> int | None:
    text = str("" if value is None else value).strip()
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,7}", text):
        raise DraftRefused("number_not_whole", field)
    return int(text)


def _day(field: str, value: Any) -> date | None:
    if value in (None, ""):
        return None
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value).strip())
    except ValueError as error:
        raise DraftRefused("date_impossible", field) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """The evidence; `is_duplicate` where the same content was there already and nothing was written."""

    evidence: Evidence
    is_duplicate: bool


@transaction.atomic
def attach_evidence(
    *, case: Case, category: EvidenceCategory, file_name: str, content: bytes, by: User, now: datetime
) -> Attached:
    """
    Keep a file with the case.

    :raises NotPermitted, EvidenceRefused:
    """
    _require(Permission.EDIT_CASE, case.organisation, by, now)
    examined = examine(name=file_name, content=content)
    locked = _locked(case)
    there = queries.evidence_of(case=locked)
    if same := there.filter(sha256=examined.sha256).first():
        return Attached(evidence=same, is_duplicate=True)
    total = there.aggregate(total=Sum("size"))["total"] or 0
    if total + examined.size > MAX_CASE_BYTES:
        raise EvidenceRefused("case_too_large")
    # Named by its content: a second upload of the same bytes finds the same file.
    path = store(folder=f"evidence/{locked.organisation.uscc}", content=content, kind=examined.kind)
    evidence = Evidence.objects.create(
        case=locked, category=EvidenceCategory(category), file_name=examined.file_name, kind=examined.kind,
        media_type=examined.media_type, size=examined.size, sha256=examined.sha256, stored=path,
        uploaded_at=now, uploaded_by=by,
    )  # fmt: skip
    _touch(locked, by, now)
    detail = {"evidence": evidence.pk, "file_name": evidence.file_name, "sha256": evidence.sha256}
    _audit(locked, "cases.attach", by, now, detail)
    return Attached(evidence=evidence, is_duplicate=False)


@transaction.atomic
def remove_evidence(*, evidence: Evidence, by: User, now: datetime) -> None:
    """
    Take a file off the case; its row and content are kept.

    :raises NotPermitted, EvidenceRefused:
    """
    _require(Permission.EDIT_CASE, evidence.case.organisation, by, now)
    case = _locked(evidence.case)
    row = Evidence.objects.select_for_update().get(pk=evidence.pk)
    if row.removed_at is not None:
        raise EvidenceRefused("evidence_removed")
    row.removed_at, row.removed_by = now, by
    row.save(update_fields=["removed_at", "removed_by"])
    _touch(case, by, now)
    _audit(case, "cases.remove_evidence", by, now, {"evidence": row.pk, "sha256": row.sha256})


@transaction.atomic
def mark_ready(*, case: Case, version: int, by: User, now: datetime) -> Case:
    """
    Say that the draft is complete; requirements that are not met do not stop it.

    :raises NotPermitted, StaleEdit, NotReady:
    """
    _require(Permission.EDIT_CASE, case.organisation, by, now)
    locked = _locked(case)
    if locked.version != version:
        raise StaleEdit(seen=version, actual=locked.version)
    if found := queries.shortcomings(case=locked):
        raise NotReady(found)
    _touch(locked, by, now, state=CaseState.READY)
    _audit(locked, "cases.mark_ready", by, now, {"version": locked.version})
    return locked


@dataclass(frozen=True, slots=True, kw_only=True)
class Produced:
    """The documents of a case, and what the policy still asks."""

    files: Mapping[str, bytes]  # 申报书.docx, 汇总表.xlsx, provenance.json, 说明.txt
    verdict: Truth
    requirements: tuple[OpenRequirement, ...]
    remarks: tuple[str, ...]
    number_count: int


def produce(*, case: Case, by: User, now: datetime) -> Produced:
    """
    Write the documents of the case from the ledger as it stands, without holding up those who post to it.

    :raises NotPermitted, NoCaseFile, LedgerChanging:
    """
    _require(Permission.VIEW_CASE, case.organisation, by, now)
    case = Case.objects.select_related("organisation").get(pk=case.pk)
    queries.require_form(case=case)
    dossier, form, movements = queries.gathered(case=case)
    evaluation = queries.evaluation(case=case, on=local_day(now))
    requirements = queries.open_requirements(evaluation)
    official = {
        CASE_FILE: documents.render(documents.template(dossier.spec.template), form),
        SUMMARY: documents.summary([form.summary]),
    }
    numbers, digests, remarks = list(form.numbers()), queries.digests(official), blanks.remarks(form)
    about = {
        "organisation": case.organisation.uscc, "edition": case.edition, "year": case.year,
        "produced_at": now.isoformat(), "verdict": evaluation.verdict.value,
    }  # fmt: skip
    listed = provenance.document(
        numbers=numbers, movements=movements, files=digests, attachments=form.attachments,
        requirements=requirements, about=about,
    )  # fmt: skip
    note = documents.note(
        organisation=case.organisation.name, edition=evaluation.edition.title, year=case.year,
        verdict=WORDS[evaluation.verdict], requirements=requirements, remarks=remarks,
    )  # fmt: skip
    with transaction.atomic():
        _audit(case, "cases.produce", by, now, {"version": case.version, "sha256": digests})
    return Produced(
        files=official | {PROVENANCE: listed, NOTE: note.encode("utf-8-sig")}, verdict=evaluation.verdict,
        requirements=requirements, remarks=tuple(remarks), number_count=len(numbers),
    )  # fmt: skip


def _require(permission: Permission, organisation: Organisation, by: User, now: datetime) -> None:
    require(user=by, permission=permission, organisation=organisation, on=local_day(now))


def _locked(case: Case) -> Case:
    return Case.objects.select_for_update(of=("self",)).select_related("organisation").get(pk=case.pk)


def _touch(case: Case, by: User, now: datetime, *changed: str, state: CaseState = CaseState.DRAFT) -> None:
    """Save the fields; whatever changes makes the case a draft again."""
    case.version += 1
    case.updated_at, case.updated_by, case.state = now, by, state
    case.save(update_fields=[*changed, "version", "updated_at", "updated_by", "state"])


def _audit(case: Case, action: str, by: User, now: datetime, detail: dict[str, Any]) -> None:
    audit(
        by=by,
        now=now,
        action=action,
        organisation=case.organisation,
        object_ref=f"case:{case.pk}",
        detail=detail,
    )
