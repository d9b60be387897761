"""Manifests for machines: drafted, signed in turn, revised; and the table of fields that says who fills what."""

from collections.abc import Callable
from typing import Annotated, Any

from django.utils import timezone
from ninja import Path, Query, Router
from pydantic import Field

from wufei.registry.access import Permission
from wufei.registry.api.door import (
    ApiRequest,
    ErrorDetail,
    Refused,
    answers,
    malformed,
    organisation_of,
    scoped,
)
from wufei.registry.api.fields import (
    Asked,
    Day,
    PageLimit,
    SearchText,
    Uscc,
)
from wufei.registry.api.idempotency import written_once
from wufei.registry.models import Organisation
from wufei.transfers import fields, queries, services
from wufei.transfers.api.shapes import (
    AnswerIn,
    FieldOut,
    FieldsOut,
    ManifestActIn,
    ManifestEditIn,
    ManifestOut,
    ManifestRow,
    Manifests,
    NewManifestIn,
    ReasonIn,
    RevisionIn,
    row_of,
    whole_of,
)
from wufei.transfers.models import Discrepancy, Manifest, Revision
from wufei.transfers.refusals import Code as RefusalCode
from wufei.transfers.refusals import TransferRefused
from wufei.transfers.services import Change
from wufei.transfers.states import Act, Party, State
from wufei.transfers.wording import REFUSAL_TEXT, words

router = Router(tags=["转移联单"])

# What can't be in any manifest; the rest could be, and isn't now.
MALFORMED = frozenset(
    {
        RefusalCode.FIELD_MALFORMED, RefusalCode.FIELD_UNKNOWN, RefusalCode.MASS_NOT_POSITIVE,
        RefusalCode.NUMBER_MALFORMED, RefusalCode.APPROVAL_MALFORMED, RefusalCode.MASS_ABSURD,
        RefusalCode.PAPER_DAY_IN_FUTURE,
    }
)  # fmt: skip


# --- doors


def refused(why: TransferRefused, where: Callable[[str], str] = "body.{}".format) -> Refused:
    """Return the refusal as it is answered; `where` says what part of the body a reason is about."""
    details = [
        ErrorDetail(
            where=where(each.where) if each.where else None, code=each.code.value, message=words(each)
        )
        for each in why.reasons
    ]
    status = 422 if why.code in MALFORMED else 403 if why.code is RefusalCode.WRONG_PARTY else 409
    return Refused(status, why.code.value, REFUSAL_TEXT[why.code], details)


# What of a draft has a place of its own in the body; all else is in `said`.
_OWN = frozenset({"receiver", "lines", "legs", "uid", "version"})
_OWN_OF_A_PART = frozenset({"lot", "stream", "store", "package_count", "carrier"})


def in_draft(where: str) -> str:
    """
    Return where in the body of a draft a reason is: lists count from 0 there, and fields stand in `said`.

    >>> in_draft("lines.1.lot"), in_draft("lines.2.hazards"), in_draft("lines.1.declared_g"), in_draft("contact")
    ('body.lines.0.lot', 'body.lines.1.said.hazards', 'body.lines.0', 'body.said.contact')
    """
    head, *rest = where.split(".")
    if not rest:
        return f"body.{where}" if where in _OWN else f"body.said.{where}"
    at, name = f"body.{head}.{int(rest[0]) - 1}", ".".join(rest[1:])
    if name in ("", "declared_g"):  # it is said as amount and unit, or as mass_g
        return at
    return f"{at}.{name}" if name in _OWN_OF_A_PART else f"{at}.said.{name}"


def in_act(body: ManifestActIn) -> Callable[[str], str]:
    """Return where in the body of an act a reason is: fields that were filled in with it stand in `said`."""

    def where(text: str) -> str:
        head, *rest = text.split(".")
        name = rest[-1] if head == "legs" and rest else text
        if name in body.said:
            return f"body.said.{name}"
        positions = [str(each.position) for each in body.lines]
        if head == "lines" and rest and rest[0] in positions:
            return ".".join(("body.lines", str(positions.index(rest[0])), *rest[1:]))
        return f"body.{text}"

    return where


def manifest_at(request: ApiRequest, organisation: Organisation, reference: str) -> Manifest:
    today = timezone.localdate()
    try:
        return queries.manifest_of(
            organisation=organisation, user=request.auth, reference=reference, on=today
        )
    except Manifest.DoesNotExist:
        message = "没有这份联单，或本单位不是联单的一方；请核对编号。"
        raise Refused(404, "manifest_unknown", message) from None


Reference = Annotated[
    str, Path(min_length=1, max_length=40, pattern=r"^[0-9A-Za-z-]+$", description="联单编号；草稿为 uid")
]
READ, WRITE = scoped("transfers:read"), scoped("transfers:write")


class ManifestFilter(Asked):
    state: State | None = None
    role: Party | None = Field(None, description="本单位是哪一方")
    from_: Day | None = Field(None, alias="from", description="签发日期自（含）")
    to: Day | None = Field(None, description="签发日期至（含）")
    q: SearchText = Field("", description="在编号、单位、废物、容器中查找")
    overdue: bool = Field(False, description="只列逾期未确认的")
    cursor: Annotated[str, Field(pattern=r"^[0-9]{1,18}$")] | None = Field(None, description="上一页的 next")
    limit: PageLimit = 50


@router.get("/organisations/{uscc}/manifests", response=answers(Manifests), summary="列出联单", **READ)
def list_manifests(request: ApiRequest, uscc: Uscc, asked: Query[ManifestFilter]) -> Manifests:
    """新的在前。草稿只有移出人自己看得到。"""
    organisation = organisation_of(request, uscc, Permission.VIEW_MANIFESTS)
    if asked.from_ and asked.to and asked.from_ > asked.to:
        raise malformed("query.to", "period_reversed", "截止日期早于起始日期；请改正。")
    rows = queries.manifests(organisation=organisation, user=request.auth, on=timezone.localdate())
    said: dict[str, Any] = {
        "state": asked.state, "role": asked.role, "since": asked.from_, "through": asked.to, "text": asked.q,
        "overdue": asked.overdue,
    }  # fmt: skip
    rows = queries.narrowed(rows, organisation, on=timezone.localdate(), **said)
    if asked.cursor is not None:
        rows = rows.filter(pk__lt=int(asked.cursor))
    found = list(queries.listed(rows).order_by("-pk")[: asked.limit + 1])
    page = found[: asked.limit]
    after = str(page[-1].pk) if len(found) > asked.limit else None
    return Manifests(manifests=[ManifestRow(**row_of(row)) for row in page], next=after)


@router.post(
    "/organisations/{uscc}/manifests", response=answers(ManifestRow, status=201, writes=True), summary="新建联单草稿",
    **WRITE,
)  # fmt: skip
@written_once(201)
def create_manifest(request: ApiRequest, uscc: Uscc, body: NewManifestIn) -> ManifestRow:
    """本单位为移出人。有标签的容器只要给出编码，废物、重量、包装从台账带出。"""
    organisation = organisation_of(request, uscc, Permission.HANDLE_MANIFESTS)
    try:
        made = services.draft(
            organisation=organisation, uid=body.uid, by=request.auth, now=timezone.now(), **body.arguments()
        )
    except TransferRefused as why:
        raise refused(why, in_draft) from None
    return ManifestRow(**row_of(*made))


@router.get(
    "/organisations/{uscc}/manifests/{reference}", response=answers(ManifestOut), summary="查看联单", **READ
)
def get_manifest(request: ApiRequest, uscc: Uscc, reference: Reference) -> ManifestOut:
    organisation = organisation_of(request, uscc, Permission.VIEW_MANIFESTS)
    return whole_of(request, organisation, manifest_at(request, organisation, reference))


@router.put(
    "/organisations/{uscc}/manifests/{reference}", response=answers(ManifestOut, writes=True),
    summary="修改联单草稿（整份替换）", **WRITE,
)  # fmt: skip
@written_once(200)
def edit_manifest(request: ApiRequest, uscc: Uscc, reference: Reference, body: ManifestEditIn) -> ManifestOut:
    """没有写进来的行就没有了。version 不是最新的，答复 409。"""
    organisation = organisation_of(request, uscc, Permission.HANDLE_MANIFESTS)
    manifest = manifest_at(request, organisation, reference)
    try:
        edited = services.edit_draft(
            manifest=manifest, organisation=organisation, version=body.version, by=request.auth,
            now=timezone.now(), **body.arguments(),
        )  # fmt: skip
    except TransferRefused as why:
        raise refused(why, in_draft) from None
    return whole_of(request, organisation, edited)


@router.post(
    "/organisations/{uscc}/manifests/{reference}/acts", response=answers(ManifestOut, writes=True),
    summary="签署：签发、起运、接运、暂存、运抵、接受、拒收、收回、作废", **WRITE,
)  # fmt: skip
@written_once(200)
def sign_manifest(request: ApiRequest, uscc: Uscc, reference: Reference, body: ManifestActIn) -> ManifestOut:
    """现在可以办理的，见联单的 acts。不能办理的答复 409，写明原因；一样也不会办。"""
    organisation = organisation_of(request, uscc, Permission.SIGN_MANIFESTS)
    manifest = manifest_at(request, organisation, reference)
    try:
        done = _do(manifest, organisation, body, request)
    except TransferRefused as why:
        raise refused(why, in_act(body)) from None
    return whole_of(request, organisation, done)


def _do(manifest: Manifest, organisation: Organisation, body: ManifestActIn, request: ApiRequest) -> Manifest:
    said: dict[str, Any] = {
        "manifest": manifest, "organisation": organisation, "by": request.auth, "now": timezone.now(),
        "client_id": body.client_id,
    }  # fmt: skip
    match body.act:
        case Act.ISSUE:
            return services.issue(**said, number=body.number, paper_completed_on=body.paper_completed_on)
        case Act.CANCEL:
            return services.cancel(**said, reason=body.words)
        case Act.LOAD:
            return services.load(**said, said=body.said)
        case Act.HAND_OVER:
            return services.hand_over(**said, said=body.said)
        case Act.STORE:
            return services.store_on_the_way(**said, place=body.place, reason=body.words)
        case Act.RESUME:
            return services.resume(**said)
        case Act.DELIVER:
            return services.deliver(**said, words=body.words)
        case Act.TAKE_BACK:
            return services.take_back(**said, store_code=body.store, words=body.words)
        case Act.ACCEPT | Act.PARTLY_ACCEPT | Act.REFUSE:
            return services.receive(
                **said, act=body.act, lines=[each.line() for each in body.lines], said=body.said,
                stream_codes={each.position: each.stream for each in body.lines if each.stream},
                store_code=body.store, is_reweighed=body.is_reweighed,
            )  # fmt: skip


@router.post(
    "/organisations/{uscc}/manifests/{reference}/revisions",
    response=answers(ManifestOut, status=201, writes=True), summary="提出更正", **WRITE,
)  # fmt: skip
@written_once(201)
def propose_revision(request: ApiRequest, uscc: Uscc, reference: Reference, body: RevisionIn) -> ManifestOut:
    """签署之后，内容只能以更正修改；对方同意后才生效，前后各版都保留。更正数量的，双方台账随之冲正重记。"""
    organisation = organisation_of(request, uscc, Permission.HANDLE_MANIFESTS)
    manifest = manifest_at(request, organisation, reference)
    changes = [
        Change(part=each.part, field=each.field, position=each.position, to=each.to) for each in body.changes
    ]
    try:
        services.propose_revision(
            manifest=manifest, organisation=organisation, changes=changes, reason=body.reason,
            is_reweighed=body.is_reweighed, by=request.auth, now=timezone.now(),
        )  # fmt: skip
    except TransferRefused as why:
        raise refused(why) from None
    return whole_of(request, organisation, manifest)


NumberInPath = Annotated[int, Path(ge=1, le=2**62)]


@router.post(
    "/organisations/{uscc}/manifests/{reference}/revisions/{revision_id}/answer",
    response=answers(ManifestOut, writes=True), summary="答复或撤回更正", **WRITE,
)  # fmt: skip
@written_once(200)
def answer_revision(
    request: ApiRequest, uscc: Uscc, reference: Reference, revision_id: NumberInPath, body: AnswerIn
) -> ManifestOut:
    organisation = organisation_of(request, uscc, Permission.HANDLE_MANIFESTS)
    manifest = manifest_at(request, organisation, reference)
    revision = Revision.objects.filter(manifest=manifest, pk=revision_id).first()
    if revision is None:
        raise Refused(404, "revision_unknown", "这份联单没有这项更正；请核对。")
    said: dict[str, Any] = {
        "revision": revision, "organisation": organisation, "by": request.auth, "now": timezone.now(),
    }  # fmt: skip
    try:
        if body.agrees is None:
            services.withdraw_revision(**said)
        else:
            services.answer_revision(**said, agrees=body.agrees, answer=body.answer)
    except TransferRefused as why:
        raise refused(why) from None
    return whole_of(request, organisation, manifest)


@router.post(
    "/organisations/{uscc}/manifests/{reference}/discrepancies/{discrepancy_id}/settle",
    response=answers(ManifestOut, writes=True), summary="处理接收差异", **WRITE,
)  # fmt: skip
@written_once(200)
def settle_discrepancy(
    request: ApiRequest, uscc: Uscc, reference: Reference, discrepancy_id: NumberInPath, body: ReasonIn
) -> ManifestOut:
    organisation = organisation_of(request, uscc, Permission.HANDLE_MANIFESTS)
    manifest = manifest_at(request, organisation, reference)
    discrepancy = Discrepancy.objects.filter(manifest=manifest, pk=discrepancy_id).first()
    if discrepancy is None:
        raise Refused(404, "discrepancy_unknown", "这份联单没有这项差异；请核对。")
    try:
        services.settle_discrepancy(
            discrepancy=discrepancy, organisation=organisation, reason=body.reason, by=request.auth,
            now=timezone.now(),
        )  # fmt: skip
    except TransferRefused as why:
        raise refused(why) from None
    return whole_of(request, organisation, manifest)


@router.get("/manifest-fields", response=answers(FieldsOut, named=False), summary="联单的栏目表", **READ)
def list_manifest_fields(request: ApiRequest) -> FieldsOut:
    """谁填、从哪次签署起必填、从哪次签署起封存、自何日施行、依据哪一条。"""
    rows = [
        FieldOut(
            name=f.name, label=f.label, part=f.part, filled_by=f.filled_by,
            required_from=f.required_from.name if f.required_from else None, sealed_from=f.sealed_from.name,
            shape=f.shape.value, most=f.most, choices=list(f.choices), in_force_from=f.in_force_from,
            in_force_through=f.in_force_through, hazardous_only=f.hazardous_only, clause=f.clause,
            is_verified=f.is_verified, help=f.help,
        )
        for f in fields.FIELDS
    ]  # fmt: skip
    return FieldsOut(fields=rows)
