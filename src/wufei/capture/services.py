"""What imports workbooks. Every write is here: a workbook is taken in one transaction, or not at all."""

import gc
import hashlib
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.core.files.base import ContentFile
from django.db import transaction

from wufei.capture import progress as progress_file
from wufei.capture import queries
from wufei.capture.faults import Fault, WorkbookRefused
from wufei.capture.importing import FIELD_OF_ITEM, LedgerRow, WorkbookContent, new_drafts, read_workbook
from wufei.capture.layout import DECLARATIONS, LEDGER, OPERATIONS, ORGANISATION, PRODUCTS, STORES, STREAMS
from wufei.capture.models import Upload, UploadState
from wufei.capture.reading import Progress
from wufei.capture.refusals import ledger_fault, mistaken, overfull_notices
from wufei.capture.rejects import rejects
from wufei.capture.safe_opening import open_safely
from wufei.indicators import services as indicator_services
from wufei.ledger import posting
from wufei.ledger import queries as ledger_queries
from wufei.ledger import services as ledger_services
from wufei.ledger.posting import Draft, Refusal
from wufei.policies import services as policy_services
from wufei.policies.models import Answer
from wufei.registry import services as registry_services
from wufei.registry.access import Permission
from wufei.registry.models import Organisation, OrganisationKind, ParkMembership, User
from wufei.registry.queries import NotPermitted, require
from wufei.registry.rules import RESERVED_FIELDS
from wufei.terms.day import local_day

KIND_OF_LABEL = {str(kind.label): kind.value for kind in OrganisationKind}
ANSWER_OF_LABEL = {str(answer.label): answer.value for answer in Answer}
_ITEM_OF_FIELD = {field: item for item, field in FIELD_OF_ITEM.items()}
REQUIRED_FIELDS = ("name", "division_code")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportResult:
    """What an import did, or in a dry run would do."""

    organisation: str | None = None  # 统一社会信用代码
    posted: int = 0  # rows of 台账
    skipped: int = 0  # rows of 台账 that were imported before
    notices: tuple[str, ...] = ()
    errors: tuple[Fault, ...] = ()
    rejects: bytes | None = None  # the workbook of the rows at fault
    rows: tuple[LedgerRow, ...] = ()  # those posted
    is_taken: bool = False  # something was, or in a dry run would be, written

    def as_dict(self) -> dict[str, Any]:
        """Return the result as the command line prints it."""
        return {
            "organisation": self.organisation,
            "posted": self.posted,
            "skipped": self.skipped,
            "notices": list(self.notices),
            "errors": [fault.as_dict() for fault in self.errors],
        }


class UploadRefused(Exception):
    """The upload may not be confirmed; `code` says why."""

    def __init__(self, code: str) -> None:
        self.code = code  # not_staged
        super().__init__(code)


@dataclass(slots=True)
class _Taking:
    """An import under way."""

    said: WorkbookContent
    by: User
    now: datetime
    progress: Progress
    organisation: Organisation | None = None
    errors: list[Fault] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    skipped: int = 0
    rows: list[LedgerRow] = field(default_factory=list)

    @property
    def today(self) -> date:
        return local_day(self.now)

    @property
    def who(self) -> dict[str, Any]:
        return {"by": self.by, "now": self.now}

    def fault(self, code: str, message: str, item: str = "统一社会信用代码") -> None:
        row = self.said.organisation.rows.get(item)
        self.errors.append(Fault(ORGANISATION.name, row, "内容", code, f"{item}：{message}"))


@contextmanager
def _no_collecting() -> Iterator[None]:
    """
    Keep the collector of reference cycles out of a piece of work.

    A hundred thousand rows are a million objects and no garbage before the end, but it would look at all of
    them again and again: a tenth of the time.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@_no_collecting()
def import_workbook(
    *,
    content: bytes,
    by: User,
    now: datetime,
    accept_valid: bool = False,
    dry_run: bool = False,
    may_create_organisation: bool = False,
    expected_organisation: Organisation | None = None,
    progress: Progress | None = None,
    source: str = "数据工作簿",
) -> ImportResult:
    """
    Post a workbook: all of it or nothing; with `accept_valid` what is sound, and the rest as rejects.

    Never raises for what stands in the file: that is what `errors` is for.

    :raises NotPermitted: if the person may not import for the organisation
    """
    report = progress or (lambda phase, done, total: None)
    try:
        said = read_workbook(content, today=local_day(now), progress=report)
    except WorkbookRefused as refused:
        return ImportResult(errors=(refused.fault,))
    taking = _Taking(said, by, now, report, errors=list(said.findings.faults))
    posted, is_taken = 0, False
    with transaction.atomic():
        if _find_organisation(taking, expected_organisation, may_create_organisation):
            _take_sheets(taking, source)
            _take_ledger(taking, accept_valid=accept_valid, dry_run=dry_run)
            is_taken = not taking.errors or (accept_valid and _is_anything_sound(taking))
            posted = len(taking.rows) if is_taken else 0
            if is_taken and not dry_run:
                _audit(taking, posted, hashlib.sha256(content).hexdigest())
        if dry_run or not is_taken:
            transaction.set_rollback(True)
    return _result(taking, posted, is_taken=is_taken, dry_run=dry_run)


def _is_anything_sound(taking: _Taking) -> bool:
    said = taking.said
    small = (said.operations, said.products, said.streams, said.stores, said.declarations)
    return bool(taking.rows or taking.skipped or any(small))


def _result(taking: _Taking, posted: int, *, is_taken: bool, dry_run: bool) -> ImportResult:
    said = taking.said
    notices = [*said.findings.notices, *(taking.notices if is_taken else [])]
    order = {name: index for index, name in enumerate(said.tables)}
    taking.errors.sort(key=lambda f: (order.get(f.sheet or "", -1), f.row or 0))
    if taking.skipped and not posted and not taking.errors:
        notices.append(f"台账的 {taking.skipped} 行此前都已导入，本次没有记账。")
    elif taking.skipped:
        notices.append(f"台账有 {taking.skipped} 行此前已导入，未重复记账。")
    if dry_run:
        notices.append("试运行：只检查，没有记账；“posted”是将会记账的行数。")
    return ImportResult(
        organisation=said.organisation.uscc,
        posted=posted,
        skipped=taking.skipped,
        notices=tuple(notices),
        errors=tuple(taking.errors),
        rejects=rejects(said.tables, taking.errors) if taking.errors and said.tables else None,
        rows=tuple(taking.rows) if posted else (),
        is_taken=is_taken,
    )


# --- the organisation


def _find_organisation(taking: _Taking, expected: Organisation | None, may_create: bool) -> bool:
    """Find, or create, whose workbook it is; False where nothing can be taken."""
    info = taking.said.organisation
    if info.uscc is None:
        return False
    if expected is not None and expected.uscc != info.uscc:
        # Nothing is said of whether the other organisation is known here.
        taking.fault(
            "organisation_mismatch",
            f"工作簿是 {info.uscc} 的，不是本单位（{expected.uscc}）的；只能导入本单位的工作簿。",
        )
        return False
    # One import at a time for each organisation.
    found = Organisation.objects.select_for_update().filter(uscc=info.uscc).first()
    if found is not None:
        require(user=taking.by, permission=Permission.IMPORT_WORKBOOK, organisation=found, on=taking.today)
        taking.organisation = found
        return _update_organisation(taking, found)
    if not may_create:
        taking.fault("organisation_unknown", f"{info.uscc} 还没有在系统中登记；请先由管理员登记该单位。")
        return False
    return _create_organisation(taking)


def _create_organisation(taking: _Taking) -> bool:
    info = taking.said.organisation
    if info.kind_label is None or any(name not in info.fields for name in REQUIRED_FIELDS):
        return False  # the faults say what is missing
    assert info.uscc is not None, "asked before"
    try:
        taking.organisation = registry_services.register_organisation(
            uscc=info.uscc, kind=KIND_OF_LABEL[info.kind_label], **info.fields, **taking.who
        )
    except registry_services.OrganisationRefused as refused:
        _organisation_faults(taking, refused)
        return False
    taking.notices.append(f"已登记新单位：{taking.organisation.name}（{info.uscc}）。")
    return True


def _update_organisation(taking: _Taking, organisation: Organisation) -> bool:
    info = taking.said.organisation
    if info.kind_label is not None and KIND_OF_LABEL[info.kind_label] != organisation.kind:
        label = organisation.get_kind_display()
        message = f"“{info.kind_label}”与登记的“{label}”不一致；请改为“{label}”，或请管理员变更登记。"
        taking.fault("kind_contradicted", message, "单位类型")
    changed = {name: value for name, value in info.fields.items() if getattr(organisation, name) != value}
    if not taking.by.is_superuser:
        for name in sorted(changed.keys() & RESERVED_FIELDS):
            del changed[name]
            item = "省、市、区县" if name == "division_code" else _ITEM_OF_FIELD[name]
            taking.notices.append(f"“单位信息”的{item}与登记的不一致，未作更改；变更登记请联系管理员。")
    if changed:
        try:
            registry_services.change_organisation(organisation=organisation, **changed, **taking.who)
        except registry_services.OrganisationRefused as refused:
            _organisation_faults(taking, refused)
        else:
            organisation.refresh_from_db()
            taking.notices.append("已按“单位信息”更新单位的登记内容。")
    return True


def _organisation_faults(taking: _Taking, refused: registry_services.OrganisationRefused) -> None:
    for name, messages in refused.errors.items():
        item = _ITEM_OF_FIELD.get(name, "区县")
        taking.fault("fact_refused", "".join(messages), item)


def _join_park(taking: _Taking, organisation: Organisation) -> None:
    said = taking.said.organisation.park
    if said is None or organisation.kind == OrganisationKind.PARK:
        return
    parks = queries.parks_said(said=said)
    if len(parks) != 1:
        why = (
            "有多个园区叫这个名称，请填园区的统一社会信用代码"
            if parks
            else "还没有在系统中登记，登记后请重新导入"
        )
        taking.notices.append(f"所属园区“{said}”{why}；本次没有加入园区。")
        return
    park = parks[0]
    if ParkMembership.objects.filter(park=park, member=organisation, left_on=None).exists():
        return
    first = min((row.moved_on for row in taking.said.ledger), default=taking.today)
    joined_on = organisation.established_on or first
    try:
        registry_services.join_park(park=park, member=organisation, joined_on=joined_on, **taking.who)
    except NotPermitted:
        taking.notices.append(f"加入园区“{park.name}”须由园区或管理员确认；本次没有加入园区。")
    except registry_services.MembershipRefused:
        taking.notices.append(
            f"曾是园区“{park.name}”的成员，或不能成为其成员；本次没有加入园区，请由园区办理。"
        )
    else:
        taking.notices.append(f"已加入园区“{park.name}”，入园日期 {joined_on}。")


# --- what the sheets declare and state


def _take_sheets(taking: _Taking, source: str) -> None:
    """Write everything but the ledger."""
    organisation = taking.organisation
    assert organisation is not None, "found before"
    _join_park(taking, organisation)
    _declare_stores_and_streams(taking, organisation)
    _state_operations_and_products(taking, organisation, source)
    _declare_answers(taking, organisation, source)


def _declare_stores_and_streams(taking: _Taking, organisation: Organisation) -> None:
    for row in taking.said.stores:
        values = row.values
        with _refusals(taking, STORES.name, row.number, "设施编码"):
            ledger_services.declare_store(
                organisation=organisation,
                code=values["设施编码"],
                name=values["设施名称"],
                store_type=values.get("类型") or "",
                capacity=values.get("能力(吨)"),
                **taking.who,
            )
    for row in taking.said.streams:
        values = row.values
        with _refusals(taking, STREAMS.name, row.number, "废物代码"):
            ledger_services.declare_stream(
                organisation=organisation,
                code=values["废物编号"],
                name=values["废物名称"],
                waste_code=values["废物代码"],
                process_name=values["产生工序"],
                physical_form=values.get("物理性状") or "",
                main_components=values.get("主要成分") or "",
                **taking.who,
            )


def _state_operations_and_products(taking: _Taking, organisation: Organisation, source: str) -> None:
    for row in taking.said.operations:
        values = row.values
        with _refusals(taking, OPERATIONS.name, row.number, None):
            indicator_services.state_operation(
                organisation=organisation,
                year=values["年份"],
                output_value_10k_yuan=values.get("产值(万元)"),
                sales_10k_yuan=values.get("销售额(万元)"),
                value_added_10k_yuan=values.get("工业增加值(万元)"),
                source=f"{source}“{OPERATIONS.name}”",
                **taking.who,
            )
    for row in taking.said.products:
        values = row.values
        with _refusals(taking, PRODUCTS.name, row.number, None):
            indicator_services.state_product(
                organisation=organisation,
                year=values["年份"],
                name=values["产品名称"],
                capacity=values.get("产能"),
                output=values["产量"],
                unit=values["单位"],
                is_main=values.get("主产品") == "是",
                source=f"{source}“{PRODUCTS.name}”",
                **taking.who,
            )


def _declare_answers(taking: _Taking, organisation: Organisation, source: str) -> None:
    for row in taking.said.declarations:
        values = row.values
        with _refusals(taking, DECLARATIONS.name, row.number, None):
            policy_services.declare(
                organisation=organisation,
                item=values["项目"],
                year=values["年份"],
                answer=ANSWER_OF_LABEL[values["结论"]],
                basis=values.get("依据") or "",
                source=f"{source}“{DECLARATIONS.name}”",
                **taking.who,
            )


_REFUSED = (
    ledger_services.DeclarationRefused,
    indicator_services.InputRefused,
    policy_services.StatementRefused,
)


@contextmanager
def _refusals(taking: _Taking, sheet: str, row: int, column: str | None) -> Iterator[None]:
    """Make a fault of what a room below refuses although the row looked sound here."""
    try:
        yield
    except _REFUSED as refused:
        said = refused.detail if any("一" <= c <= "鿿" for c in refused.detail) else ""
        message = said or f"系统没有接受这一行（{refused.code} {refused.detail}）；请检查后改正。"
        taking.errors.append(Fault(sheet, row, column, refused.code, message))


# --- the ledger


def _take_ledger(taking: _Taking, *, accept_valid: bool, dry_run: bool) -> None:
    """
    Post the rows that are new and sound; in a dry run only say which they are.

    Posting examines every row itself, so the ledger is asked beforehand only where nothing is to be posted.
    """
    organisation = taking.organisation
    assert organisation is not None, "found before"
    rows, drafts = _new_rows(taking, organisation)
    if not drafts:
        return
    is_to_post = not dry_run and (accept_valid or not taking.errors)
    is_limited = any(s.capacity_g is not None for s in ledger_queries.stores_of(organisation=organisation))
    book = None
    if is_limited or not is_to_post:
        book = ledger_queries.book(organisation=organisation, drafts=drafts, today=taking.today)
    refused = _post(taking, drafts) if is_to_post or book is None else _examine(drafts, book)
    if book is not None and is_limited:
        found = [refused.get(index, ()) for index in range(len(drafts))]
        taking.notices += overfull_notices(rows, posting.overfull(drafts, book, found))
    taking.rows = rows
    if refused:
        wrong = mistaken(taking.said.tables, taking.errors)
        for index, found_here in refused.items():
            taking.errors += [ledger_fault(rows[index], r, mistaken=wrong) for r in found_here]
        taking.rows = [row for index, row in enumerate(rows) if index not in refused]
        if is_to_post and accept_valid and taking.rows:
            left = _post(taking, [draft for index, draft in enumerate(drafts) if index not in refused])
            assert not left, "they are sound without those that were refused"


def _examine(drafts: Sequence[Draft], book: posting.Book) -> dict[int, tuple[Refusal, ...]]:
    refusals = posting.examine(drafts, book, capacity_binds=False)
    return {index: found for index, found in enumerate(refusals) if found}


def _post(taking: _Taking, drafts: Sequence[Draft]) -> dict[int, tuple[Refusal, ...]]:
    """Post the drafts; or none of them and return why, by their index."""
    organisation, total = taking.organisation, len(drafts)
    assert organisation is not None, "found before"
    taking.progress("posting", 0, total)
    try:
        movements = ledger_services.post(
            organisation=organisation,
            drafts=drafts,
            capacity_binds=False,
            progress=lambda done: taking.progress("posting", done, total),
            **taking.who,
        )
    except ledger_services.MovementsRefused as refused:
        return dict(refused.refusals)
    # What is not there must not be acknowledged.
    assert movements.count() == total, "every row became a movement"
    return {}


def _new_rows(taking: _Taking, organisation: Organisation) -> tuple[list[LedgerRow], list[Draft]]:
    """Leave out what was imported before."""
    said = taking.said.ledger
    if not said:
        return [], []
    first, last = min(row.moved_on for row in said), max(row.moved_on for row in said)
    before = queries.imported_rows(organisation=organisation, first_day=first, last_day=last)
    rows, drafts = new_drafts(said, before=before, uscc=organisation.uscc)
    taking.skipped += len(said) - len(rows)
    return rows, drafts


def _audit(taking: _Taking, posted: int, sha256: str) -> None:
    registry_services.audit(
        organisation=taking.organisation,
        action="capture.import",
        object_ref=sha256[:16],
        detail={
            "sha256": sha256, "posted": posted, "skipped": taking.skipped,
            "errors": len(taking.errors), "sheet": LEDGER.name,
        },
        **taking.who,
    )  # fmt: skip


# --- uploads on the web


def stage_upload(
    *, organisation: Organisation, file_name: str, content: bytes, by: User, now: datetime
) -> Upload:
    """
    Keep a workbook that may be opened, for preview and confirmation; nothing is posted.

    The door asks `safe_opening.check_size` with the stated size before it reads the file.

    :raises WorkbookRefused: if the file is hostile or broken; it is not kept
    :raises NotPermitted: if the person may not import for the organisation
    """
    require(user=by, permission=Permission.IMPORT_WORKBOOK, organisation=organisation, on=local_day(now))
    open_safely(content)
    digest = hashlib.sha256(content).hexdigest()
    with transaction.atomic():
        upload = Upload(
            organisation=organisation,
            # Only shown, never a path; the file is kept under a name of ours.
            file_name=Path(file_name.replace("\\", "/")).name[:200] or "工作簿.xlsx",
            sha256=digest,
            size=len(content),
            created_at=now,
            created_by=by,
        )
        upload.file.save(f"{uuid.uuid4().hex}.xlsx", ContentFile(content), save=False)
        upload.save()
        registry_services.audit(
            organisation=organisation, action="capture.stage_upload", object_ref=str(upload.pk),
            detail={"sha256": digest, "file_name": upload.file_name}, by=by, now=now,
        )  # fmt: skip
    return upload


def preview(*, upload: Upload, by: User, now: datetime) -> ImportResult:
    """Return what would post and what is wrong; nothing is posted."""
    return import_workbook(
        content=_content_of(upload),
        by=by,
        now=now,
        accept_valid=True,
        dry_run=True,
        expected_organisation=upload.organisation,
    )


@transaction.atomic
def confirm(*, upload: Upload, accept_valid: bool, by: User, now: datetime) -> Upload:
    """
    Let the import of a staged upload begin; `tasks.confirm_and_enqueue` does both.

    :raises UploadRefused: if it was confirmed before
    """
    require(
        user=by, permission=Permission.IMPORT_WORKBOOK, organisation=upload.organisation, on=local_day(now)
    )
    confirmed = Upload.objects.filter(pk=upload.pk, state=UploadState.STAGED).update(
        state=UploadState.QUEUED, accept_valid=accept_valid, confirmed_at=now, confirmed_by=by
    )
    if not confirmed:
        raise UploadRefused("not_staged")
    registry_services.audit(
        organisation=upload.organisation, action="capture.confirm_upload", object_ref=str(upload.pk),
        detail={"accept_valid": accept_valid}, by=by, now=now,
    )  # fmt: skip
    upload.refresh_from_db()
    return upload


def run_upload(*, upload: Upload, now: datetime) -> Upload:
    """
    Import a confirmed upload, in the name of who confirmed it; a second run finds all posted.

    Kept apart from the import's own transaction: the state RUNNING is to be seen while it runs.
    """
    assert upload.confirmed_by is not None, "only what somebody confirmed is run"
    Upload.objects.filter(pk=upload.pk).update(state=UploadState.RUNNING)
    kept = Path(upload.file.path)
    try:
        result = import_workbook(
            content=_content_of(upload),
            by=upload.confirmed_by,
            now=now,
            accept_valid=upload.accept_valid,
            expected_organisation=upload.organisation,
            progress=progress_file.Writer(kept),
        )
        _record(upload, result)
    finally:
        progress_file.clear(kept)
    return upload


@transaction.atomic
def _record(upload: Upload, result: ImportResult) -> None:
    upload.refresh_from_db()
    upload.state = UploadState.DONE if result.is_taken else UploadState.REFUSED
    upload.result = result.as_dict()
    if result.is_taken and result.rejects is not None:
        upload.rejects.save(f"{uuid.uuid4().hex}.xlsx", ContentFile(result.rejects), save=False)
    upload.save()


def _content_of(upload: Upload) -> bytes:
    with upload.file.open("rb") as file:
        content: bytes = file.read()
    assert hashlib.sha256(content).hexdigest() == upload.sha256, "the kept file was changed"
    return content


def progress_of(*, upload: Upload) -> progress_file.Step | None:
    """Return how far the import of an upload is; None where it does not run."""
    return progress_file.read(Path(upload.file.path))
