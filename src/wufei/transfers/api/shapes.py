"""What is asked of manifests, and what is answered."""

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from django.utils import timezone
from pydantic import Field, StringConstraints

from wufei.ledger.api.movements import Amount
from wufei.registry.api.door import ApiRequest
from wufei.registry.api.fields import (
    LARGEST,
    Answered,
    Asked,
    Code,
    Day,
    Instant,
    Text60,
    Text120,
    Text200,
    Text300,
    Version,
    WholeNumber,
)
from wufei.registry.models import Organisation
from wufei.terms.mass import Mass
from wufei.transfers import queries
from wufei.transfers.fields import Part
from wufei.transfers.models import Discrepancy, Leg, Manifest, ManifestLine, Revision, WeighedLoad
from wufei.transfers.services import LegSaid, LineReceived, LineSaid
from wufei.transfers.states import LABELS, Act, Party, State
from wufei.transfers.wording import FLAG_TEXT

MOST_LINES, MOST_LEGS, MOST_LOADS = 200, 10, 100
Said = Annotated[
    dict[Annotated[str, StringConstraints(max_length=60)], Annotated[str, StringConstraints(max_length=500)]],
    Field(max_length=40, description="栏目名 → 内容；栏目见 GET /manifest-fields"),
]
Position = Annotated[int, Field(ge=1, le=MOST_LINES)]


class LineIn(Amount):
    """A container by its code alone, or a load of a stream's bulk with its amount."""

    lot: Text300 = Field("", description="容器、批次编码，或扫到的数字识别码、二维码；散装不填")
    stream: Text60 = Field("", description="废物编号；填了容器可不填")
    store: Text120 = ""
    package_count: Annotated[int, Field(ge=-(10**6), le=10**6)] | None = None
    said: Said = Field(default_factory=dict)

    def line(self) -> LineSaid:
        return LineSaid(
            lot=self.lot, stream=self.stream, mass=self.mass(), store=self.store,
            package_count=self.package_count, said=self.said,
        )  # fmt: skip


class LegIn(Asked):
    carrier: Code = Field(description="承运人的统一社会信用代码")
    said: Said = Field(default_factory=dict)


class ManifestDraftIn(Asked):
    receiver: Text60 = Field("", description="接受人的统一社会信用代码")
    said: Said = Field(default_factory=dict)
    legs: Annotated[list[LegIn], Field(max_length=MOST_LEGS)] = []
    lines: Annotated[list[LineIn], Field(max_length=MOST_LINES)] = []

    def arguments(self) -> dict[str, Any]:
        return {
            "receiver": self.receiver, "said": self.said, "lines": [each.line() for each in self.lines],
            "legs": [LegSaid(carrier=each.carrier, said=each.said) for each in self.legs],
        }  # fmt: skip


class NewManifestIn(ManifestDraftIn):
    uid: UUID | None = Field(None, description="由客户端生成；同一编号只建一份")


class ManifestEditIn(ManifestDraftIn):
    version: Version


class ReceivedIn(Asked):
    position: Position
    received_g: WholeNumber
    returned_g: WholeNumber = 0
    count: Annotated[int, Field(ge=0, le=10**6)] | None = None
    mode: Annotated[str, StringConstraints(max_length=8)] = Field("", description="R9、D10…")
    stream: Text60 = Field("", description="记入接受人台账的哪个废物编号；不填按废物代码找")

    def line(self) -> LineReceived:
        return LineReceived(
            position=self.position, received=Mass(self.received_g), returned=Mass(self.returned_g),
            count=self.count, mode=self.mode,
        )  # fmt: skip


class ManifestActIn(Asked):
    """What the act doesn't need stays empty."""

    act: Act
    client_id: UUID | None = Field(None, description="由客户端生成；同一编号只签一次")
    said: Said = Field(default_factory=dict)
    number: Text60 = Field("", description="签发：国家系统或纸质联单已给出的编号；不填由本系统编号")
    paper_completed_on: Day | None = Field(None, description="签发：补录纸质联单时，转移完成的日期")
    words: Text300 = Field("", description="作废、暂存的原因，或附言")
    place: Text200 = Field("", description="暂存的地点")
    lines: Annotated[list[ReceivedIn], Field(max_length=MOST_LINES)] = []
    store: Text120 = Field("", description="接受：入哪个贮存设施；收回：退回哪个贮存设施")
    is_reweighed: bool = Field(False, description="接受：重量相差十倍以上，已经复磅")


class ChangeIn(Asked):
    part: Part
    field: Text60
    position: Annotated[int, Field(ge=0, le=MOST_LINES)] = 0
    to: Annotated[str, StringConstraints(max_length=500)] | Annotated[int, Field(ge=0, le=LARGEST)] = Field(
        description="改成什么；数量以克计"
    )


class RevisionIn(Asked):
    changes: Annotated[list[ChangeIn], Field(min_length=1, max_length=50)]
    reason: Annotated[Text300, StringConstraints(min_length=1)]
    is_reweighed: bool = Field(False, description="更正数量：相差十倍以上的，已经复磅")


class AnswerIn(Asked):
    agrees: bool | None = Field(description="true 同意，false 不同意，null 撤回自己提出的更正")
    answer: Text300 = ""


class ReasonIn(Asked):
    reason: Annotated[Text300, StringConstraints(min_length=1)]


class LoadIn(Amount):
    client_id: UUID | None = Field(None, description="由客户端生成；同一编号只过磅一次")
    manifests: Annotated[list[Code], Field(min_length=1, max_length=MOST_LOADS)]
    mode: Annotated[str, StringConstraints(min_length=1, max_length=8)]
    said: Said = Field(default_factory=dict)
    store: Text120 = ""
    is_reweighed: bool = False


# --- answers


class PartyOut(Answered):
    uscc: str
    name: str


class LineOut(Answered):
    position: int
    lot: str
    stream: str
    waste_code: str
    waste_name: str
    declared_g: int
    received_g: int | None
    returned_g: int
    package_count: int | None
    received_count: int | None
    mode: str
    said: dict[str, Any]


class LegOut(Answered):
    position: int
    carrier: PartyOut
    said: dict[str, Any]
    signed_at: Instant | None
    ended_at: Instant | None


class ManifestRow(Answered):
    reference: str = Field(description="地址中用的编号：联单编号；草稿为 uid")
    uid: UUID
    number: str | None
    waste_class: str
    state: State
    state_label: str
    generator: PartyOut
    receiver: PartyOut | None
    declared_g: int
    received_g: int | None
    issued_on: date | None
    loaded_at: Instant | None
    delivered_at: Instant | None
    confirm_due_on: date | None
    confirmed_at: Instant | None
    version: int
    lines: list[LineOut]
    legs: list[LegOut]


class SignatureOut(Answered):
    seq: int
    act: Act
    party: Party
    organisation: str
    signer: str
    signed_at: Instant
    words: str
    place: str
    content_sha256: str


class RevisionOut(Answered):
    id: int
    state: str
    changes: list[dict[str, Any]]
    reason: str
    proposed_for: str
    proposed_at: Instant
    answered_for: str | None
    answered_at: Instant | None
    answer: str


class DiscrepancyOut(Answered):
    id: int
    position: int
    kind: str
    declared: int
    found: int
    reason: str
    settled_at: Instant | None


class FlagOut(Answered):
    code: str
    message: str
    detail: str
    raised_at: Instant


class ManifestOut(ManifestRow):
    said: dict[str, Any]
    acts: list[Act] = Field(description="您现在可以为本单位办理的")
    signatures: list[SignatureOut]
    revisions: list[RevisionOut]
    discrepancies: list[DiscrepancyOut]
    flags: list[FlagOut]


class Manifests(Answered):
    manifests: list[ManifestRow]
    next: str | None = Field(description="下一页的 cursor；没有下一页时为 null")


class FieldOut(Answered):
    name: str
    label: str
    part: Part
    filled_by: Party
    required_from: str | None
    sealed_from: str
    shape: str
    most: int
    choices: list[tuple[str, str]]
    in_force_from: date
    in_force_through: date | None
    hazardous_only: bool
    clause: str
    is_verified: bool
    help: str


class FieldsOut(Answered):
    fields: list[FieldOut]


class LoadRow(Answered):
    id: int
    received_g: int
    declared_g: int
    mode: str
    plate: str
    weighed_at: Instant
    count: int = Field(description="合并过磅的联单数")


class ShareOut(Answered):
    number: str
    position: int
    share_g: int = Field(description="分摊到这一行的；其后可能更正过，见联单")


class LoadOut(LoadRow):
    shares: list[ShareOut]
    manifests: list[ManifestRow] = Field(description="各行的 received_g 是分摊所得，其后更正过的是更正后的")


class Loads(Answered):
    total: int
    loads: list[LoadRow]


def _party(row: Organisation) -> PartyOut:
    return PartyOut(uscc=row.uscc, name=row.name)


def row_of(
    row: Manifest, lines: Iterable[ManifestLine] | None = None, legs: Iterable[Leg] | None = None
) -> dict[str, Any]:
    return {
        "reference": row.reference, "uid": row.uid, "number": row.number, "waste_class": row.waste_class,
        "state": row.now_in, "state_label": LABELS[row.now_in], "generator": _party(row.generator),
        "receiver": _party(row.receiver) if row.receiver else None, "declared_g": row.declared_g,
        "received_g": row.received_g, "issued_on": row.issued_on, "loaded_at": row.loaded_at,
        "delivered_at": row.delivered_at, "confirm_due_on": row.confirm_due_on,
        "confirmed_at": row.confirmed_at, "version": row.version,
        "lines": [
            LineOut(
                position=line.position, lot=line.lot_code, stream=line.stream.code, waste_code=line.waste_code,
                waste_name=line.waste_name, declared_g=line.declared_g, received_g=line.received_g,
                returned_g=line.returned_g, package_count=line.package_count,
                received_count=line.received_count, mode=line.mode, said=line.said,
            )
            for line in (row.lines.all() if lines is None else lines)
        ],
        "legs": [
            LegOut(
                position=leg.position, carrier=_party(leg.carrier), said=leg.said, signed_at=leg.signed_at,
                ended_at=leg.ended_at,
            )
            for leg in (row.legs.all() if legs is None else legs)
        ],
    }  # fmt: skip


def load_row(load: WeighedLoad, count: int) -> dict[str, Any]:
    return {
        "id": load.pk, "received_g": load.received_g, "declared_g": load.declared_g, "mode": load.mode,
        "plate": load.plate, "weighed_at": load.weighed_at, "count": count,
    }  # fmt: skip


def load_out(load: WeighedLoad) -> LoadOut:
    rows = queries.listed(Manifest.objects.filter(weighed_load=load)).order_by("number")
    found = [ManifestRow(**row_of(row)) for row in rows]
    shares = [ShareOut(number=number, position=at, share_g=grams) for number, at, grams in load.shares]
    return LoadOut(**load_row(load, len(found)), shares=shares, manifests=found)


def _revision(row: Revision) -> RevisionOut:
    return RevisionOut(
        id=row.pk, state=row.state, changes=row.changes, reason=row.reason, proposed_for=row.proposed_for.name,
        proposed_at=row.proposed_at, answered_for=row.answered_for.name if row.answered_for else None,
        answered_at=row.answered_at, answer=row.answer,
    )  # fmt: skip


def _discrepancy(row: Discrepancy) -> DiscrepancyOut:
    return DiscrepancyOut(
        id=row.pk, position=row.line.position, kind=row.kind, declared=row.declared, found=row.found,
        reason=row.reason, settled_at=row.settled_at,
    )  # fmt: skip


def whole_of(request: ApiRequest, organisation: Organisation, manifest: Manifest) -> ManifestOut:
    row = queries.whole(manifest)
    today = timezone.localdate()
    signatures = [
        SignatureOut(
            seq=s.seq, act=Act(s.act), party=Party(s.party), organisation=s.organisation_name,
            signer=s.signer_name, signed_at=s.signed_at, words=s.words, place=s.place,
            content_sha256=s.content_sha256,
        )
        for s in queries.signatures_of(row)
    ]  # fmt: skip
    flags = [
        FlagOut(code=f.code, message=FLAG_TEXT[f.code], detail=f.detail, raised_at=f.raised_at)
        for f in queries.flags_of(row)
    ]
    acts = queries.acts_for(manifest=row, organisation=organisation, user=request.auth, on=today)
    return ManifestOut(
        **row_of(row), said=row.said, acts=list(acts), signatures=signatures, flags=flags,
        revisions=[_revision(each) for each in queries.revisions_of(row)],
        discrepancies=[_discrepancy(each) for each in queries.discrepancies_of(row)],
    )  # fmt: skip
