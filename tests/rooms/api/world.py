"""A small world with somebody in every role, and clients that speak to the API for them."""

import hashlib
import json
import uuid
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.test import Client
from django.utils import timezone

from tests.conftest import NOW, valid_uscc
from tests.rooms.reviews.world import submission_as_if_frozen
from wufei.cases import services as case_services
from wufei.cases.models import Case, Evidence, EvidenceCategory
from wufei.filings import services as filings
from wufei.filings.plan import BY_ID
from wufei.ledger import identifying
from wufei.ledger import services as ledger_services
from wufei.ledger.kinds import Kind, TransformationKind
from wufei.ledger.models import Lot, Place, Stream
from wufei.ledger.posting import Draft
from wufei.ledger.transforming import Input, Output
from wufei.policies import queries as policy_queries
from wufei.registry.api.door import SCOPES
from wufei.registry.models import ApiToken, Organisation, ParkMembership, RoleAssignment, User
from wufei.registry.services import permits
from wufei.registry.services.permits import GroupSaid
from wufei.reviews.models import Application, Consultation, PublicNotice, Round, SiteCheck, Title, TitleEvent
from wufei.reviews.services import consultations, deciding, rounds
from wufei.reviews.services.deciding import Said
from wufei.reviews.stages import Action
from wufei.shopfloor.models import Scale
from wufei.shopfloor.services import register_scale
from wufei.storage import services as storage_services
from wufei.storage.checklists import ItemResult
from wufei.storage.models import StocktakeSheet
from wufei.storage.services import Found, InspectionSaid, LineSaid, ZoneSaid
from wufei.storage.zoning import Rectangle
from wufei.terms.mass import Mass
from wufei.transfers.models import Manifest, ManifestLine
from wufei.transfers.services import record_approval

ROOT = "/api/v1"
EDITION = "miit-2025-539-enterprise"
CALLED = "chongqing-2026-green-factory"  # what the round under way is of
PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\nstartxref\n9\n%%EOF\n"
PLANTED = "机密企业"  # stands in every name of what others may not see


def organisation(
    number: int, name: str, kind: str = "ENTERPRISE", division: str = "500110", branch: str = ""
) -> Organisation:
    return Organisation.objects.create(
        uscc=valid_uscc(f"91500110MA5U{number:05d}"), name=name, kind=kind, division_code=division,
        created_at=NOW, branch=branch,
    )  # fmt: skip


def user(name: str, role: str | None = None, of: Organisation | None = None) -> User:
    made = User.objects.create(username=name, full_name=name)
    if role:
        RoleAssignment.objects.create(user=made, organisation=of, role=role)
    return made


def token(owner: User, *scopes: str, **said: Any) -> str:
    secret = f"wufei_{uuid.uuid4().hex}"
    ApiToken.objects.create(
        user=owner, name="测试", digest=hashlib.sha256(secret.encode()).hexdigest(),
        scopes=list(scopes or SCOPES), created_at=said.pop("created_at", NOW), **said,
    )  # fmt: skip
    return secret


@dataclass
class Api:
    """A client that bears a token and makes a new key for each write, unless it is given one."""

    secret: str | None
    client: Client = field(default_factory=Client)

    def ask(self, method: str, path: str, body: Any = None, *, key: str | None = None, **headers: Any) -> Any:
        sent = {} if self.secret is None else {"Authorization": f"Bearer {self.secret}"}
        if method != "GET":
            sent["Idempotency-Key"] = key or uuid.uuid4().hex
        said: dict[str, Any] = {"headers": sent | headers}
        if isinstance(body, dict) and "file" in body:
            return self.client.generic(method, ROOT + path, **_multipart(body), headers=sent | headers)
        if body is not None:
            text = body if isinstance(body, str | bytes) else json.dumps(body, ensure_ascii=False)
            said |= {"data": text, "content_type": "application/json"}
        return self.client.generic(method, ROOT + path, **said)

    def get(self, path: str, **headers: Any) -> Any:
        return self.ask("GET", path, **headers)

    def post(self, path: str, body: Any = None, **said: Any) -> Any:
        return self.ask("POST", path, body, **said)


def _multipart(body: dict[str, Any]) -> dict[str, Any]:
    from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

    return {"data": encode_multipart(BOUNDARY, body), "content_type": MULTIPART_CONTENT}


@dataclass
class World:
    mine: Organisation
    park: Organisation
    elsewhere: Organisation
    people: dict[str, User]
    case: Case
    evidence: Evidence
    other_case: Case
    now: datetime
    authority: Organisation
    round: Round  # published, of `CALLED`
    draft: Round  # not published
    case_round: Round  # published, of the case's edition
    application: Application  # at the consultation
    consultation: Consultation
    notice: PublicNotice
    scale: Scale
    papers: dict[str, int]  # of permits, contracts…, by what an address calls them

    def api(self, person: str, *scopes: str, **said: Any) -> Api:
        return Api(token(self.people[person], *scopes, **said))

    def address(self, path: str = "") -> str:
        return f"/organisations/{self.mine.uscc}{path}"


def generation(mass: str = "2", stream: str = "S1", day: str = "2025-03-20", **said: Any) -> dict[str, Any]:
    return {"kind": "产生", "moved_on": day, "stream": stream, "amount": mass, "unit": "吨", **said}


def keep_ledger(organisation: Organisation, by: User) -> None:
    ledger_services.declare_store(organisation=organisation, code="库1", name="一号库", by=by, now=NOW)
    ledger_services.declare_stream(
        organisation=organisation, code="S1", name=f"炉渣（{organisation.name}）", waste_code="900-002-S03",
        process_name="工序1", by=by, now=NOW,
    )  # fmt: skip
    draft = Draft(kind=Kind.GENERATION, moved_on=date(2025, 1, 10), stream_code="S1", mass=Mass.of("5", "吨"))
    ledger_services.post(organisation=organisation, drafts=[draft], by=by, now=NOW)
    # A batch that nothing was posted of yet: it has a label, and no movement.
    stream = Stream.objects.get(organisation=organisation)
    Lot.objects.create(
        organisation=organisation, stream=stream, code="L-1", origin="GENERATION", origin_year=2025
    )


MANIFEST = "20265001000001"


def an_issued_manifest(mine: Organisation, receiver: Organisation, by: User) -> None:
    """As if it had been issued, with everything that it takes."""
    manifest = Manifest.objects.create(
        number=MANIFEST, waste_class="GENERAL", state="ISSUED", generator=mine, receiver=receiver, declared_g=1_000,
        issued_on=NOW.date(), created_at=NOW, created_by=by, said={"contact": PLANTED},
    )  # fmt: skip
    stream = Stream.objects.get(organisation=mine)
    ManifestLine.objects.create(
        manifest=manifest, position=1, stream=stream, waste_code=stream.waste_code, declared_g=1_000,
        waste_category=stream.waste_category, waste_name=stream.name,
    )  # fmt: skip


def with_a_lot(world: World, said: dict[str, Any]) -> dict[str, Any]:
    """Return what is said, once a labelled lot stands in store to say it of; nobody else's test sees that lot."""
    asked: dict[str, Any] = {"organisation": world.mine, "by": world.people["officer"], "now": NOW}
    if not Lot.objects.filter(organisation=world.mine, code="L-5").exists():
        ledger_services.declare_store(code="库2", name="二号库", **asked)
        lot = Draft(Kind.GENERATION, date(2025, 1, 11), "S1", Mass(1000), store_code="库1", lot_code="L-5")
        ledger_services.post(drafts=[lot], **asked)
    return said


def with_a_plan(world: World, *, ready: bool = False) -> dict[str, Any]:
    """Return the version of this year's draft of a management plan; `ready`: it may be filed."""
    asked: dict[str, Any] = {"organisation": world.mine, "by": world.people["officer"], "now": timezone.now()}
    ledger_services.declare_stream(
        code="油", name="废油", waste_code="900-249-08", process_name="机加", **asked
    )
    draft = filings.start_draft(year=timezone.localdate().year, **asked)
    if ready:
        draft = filings.save_draft(
            year=draft.year, version=draft.version, content=PLAN | {"own": []}, **asked
        )
    return {"version": draft.version}


PLAN = {
    "basic": [
        {
            column.key: "REGISTERED" if column.choices else "有" for column in BY_ID["basic"].columns
        }
    ],
    "generation": [
        {"stream": "油", "facility": "机床", "process": "换油", "harmful": "石油类", "form": "液态", "planned_g": 10**6}
    ],
}  # fmt: skip


def with_a_transformation(world: World, said: dict[str, Any]) -> dict[str, Any]:
    """Return what is said, once a part of the lot was put into another: movements 3 and 4."""
    with_a_lot(world, said)
    if not Lot.objects.filter(organisation=world.mine, code__in=("L-6", "L-9")).exists():
        ledger_services.transform(
            organisation=world.mine, kind=TransformationKind.REPACK, inputs=[Input("库1", "L-5", Mass(400))],
            outputs=[Output("库1", "L-6", "S1", Mass(400))], loss=Mass(0), moved_on=date(2025, 1, 12),
            client_id=uuid.uuid4(), by=world.people["officer"], now=NOW,
        )  # fmt: skip
    return said


def keep_stores(mine: Organisation, by: User) -> None:
    """A zone, an open stock-taking sheet and an inspection of store 1, with something to put right."""
    said: dict[str, Any] = {"by": by, "now": NOW}
    store = Place.objects.select_related("organisation").get(organisation=mine, code="库1")
    storage_services.declare_zone(
        store=store, said=ZoneSaid(code="A", name="甲区", place=Rectangle(0, 0, 100, 100)), **said
    )
    storage_services.open_sheet(organisation=mine, store_code="库1", client_id=uuid.uuid4(), **said)
    line = LineSaid(
        requirement="gw-rain",
        result=ItemResult.NOT_MET,
        remark=PLANTED,
        due_on=date(2026, 7, 8),
        responsible=by.username,
    )
    inspected = InspectionSaid(store_code="库1", facility="GENERAL_STORE", inspected_at=NOW, lines=[line])
    storage_services.record_inspection(organisation=mine, said=inspected, client_id=uuid.uuid4(), **said)


def counted(world: World, said: Any = None) -> Any:
    """Return what is said, once the worker has counted less in store 1 than the books say."""
    sheet = StocktakeSheet.objects.get(organisation=world.mine, number=1)
    if not sheet.counts.exists() and not hasattr(sheet, "closing"):
        found = Found(lot_code="散堆-S1", method="WEIGHED", mass=Mass(4_000_000))
        storage_services.count_lot(
            sheet=sheet, found=found, client_id=uuid.uuid4(), by=world.people["worker"], now=timezone.now()
        )
    return said


def closed(world: World, said: Any = None) -> Any:
    """Return what is said, once that sheet is closed."""
    counted(world)
    sheet = StocktakeSheet.objects.get(organisation=world.mine, number=1)
    storage_services.close_sheet(sheet=sheet, by=world.people["worker"], now=timezone.now())
    return said


def build() -> World:
    mine = organisation(1, f"{PLANTED}甲")
    elsewhere = organisation(2, f"{PLANTED}乙", division="440100")
    park = organisation(3, "园区", kind="PARK")
    other_park = organisation(4, "别的园区", kind="PARK", division="440100")
    authority = organisation(5, "区经信委", kind="AUTHORITY", branch="INDUSTRY")
    other_authority = organisation(6, "别处经信委", kind="AUTHORITY", division="440100")
    agency = organisation(7, "第三方", kind="AGENCY", division="440100")
    ParkMembership.objects.create(park=park, member=mine, joined_on=date(2020, 1, 1))
    people = {
        "officer": user("officer", "ENVIRONMENT_OFFICER", mine),
        "worker": user("worker", "WORKER", mine),
        "park_officer": user("park_officer", "PARK_OFFICER", park),
        "authority": user("authority", "AUTHORITY_OFFICER", authority),
        "administrator": user("administrator", "ADMINISTRATOR", authority),
        "officer_elsewhere": user("officer_elsewhere", "ENVIRONMENT_OFFICER", elsewhere),
        "worker_elsewhere": user("worker_elsewhere", "WORKER", elsewhere),
        "park_officer_elsewhere": user("park_officer_elsewhere", "PARK_OFFICER", other_park),
        "authority_elsewhere": user("authority_elsewhere", "AUTHORITY_OFFICER", other_authority),
        "expert": user("expert", "EXPERT", mine),
        "agency_staff": user("agency_staff", "AGENCY_STAFF", agency),
        "nobody": user("nobody"),
    }
    keep_ledger(mine, people["officer"])
    keep_ledger(elsewhere, people["officer_elsewhere"])
    keep_stores(mine, people["officer"])
    an_issued_manifest(mine, elsewhere, people["officer"])
    case = case_services.open_case(
        organisation=mine, edition_id=EDITION, year=2025, by=people["officer"], now=NOW
    )
    evidence = case_services.attach_evidence(
        case=case, category=EvidenceCategory.PROOF, file_name="证明.pdf", content=PDF, by=people["officer"],
        now=NOW,
    ).evidence  # fmt: skip
    ledger_services.record_identification(
        organisation=mine, stream_code="S1", client_id=uuid.UUID(int=1), file_name="报告.pdf", content=PDF,
        said=identifying.Said(
            basis=identifying.Basis.TESTS, result=identifying.Result.NOT_HAZARDOUS, judged_by="检测所", judged_on=date(2025, 1, 5),
            has_report=True,
        ), by=people["officer"], now=NOW,
    )  # fmt: skip
    other_case = case_services.open_case(
        organisation=elsewhere, edition_id=EDITION, year=2025, by=people["officer_elsewhere"], now=NOW
    )
    case.refresh_from_db()
    city = organisation(9, "市经信委", kind="AUTHORITY", division="500000", branch="INDUSTRY")
    RoleAssignment.objects.create(user=people["authority"], organisation=city, role="AUTHORITY_OFFICER")
    reviewed = reviews(mine, city, people)
    scale, _ = register_scale(
        organisation=mine, name="一号秤", store="库1", capacity=Mass(60_000), division=Mass(10),
        calibrated_until=date(2030, 12, 31), by=people["officer"], now=NOW,
    )  # fmt: skip
    filed = papers(mine, elsewhere, people["officer"])
    return World(
        mine, park, elsewhere, people, case, evidence, other_case, NOW, city, *reviewed, scale, filed
    )


def papers(mine: Organisation, other: Organisation, by: User) -> dict[str, int]:
    """Record one of each paper, and return their keys by what an address calls them."""
    asked: dict[str, Any] = {"organisation": mine, "by": by, "now": NOW}
    first, last = date(2026, 1, 1), date(2028, 12, 31)
    permit = permits.record_permit(
        kind="COLLECTION", number=f"{PLANTED}证", valid_from=first, valid_through=last,
        groups=[GroupSaid(waste_codes=["HW08"], capacity=Mass(1_000_000))], **asked,
    )  # fmt: skip
    contract = permits.record_contract(
        counterparty=other,
        purpose="RECEIVING",
        number=f"{PLANTED}合同",
        signed_on=first,
        valid_through=last,
        **asked,
    )
    found = permits.record_due_diligence(
        subject=other, checked_on=first, valid_through=last, is_passed=True, qualification=PLANTED,
        capability="正常", **asked,
    )  # fmt: skip
    vehicle = permits.record_vehicle(plate="渝A99999", permit_number=PLANTED, valid_through=last, **asked)
    driver = permits.record_driver(name=PLANTED, valid_through=last, **asked)
    approval = record_approval(
        receiver=other, kind="APPROVAL", number=PLANTED, waste_code="900-249-08", approved=Mass(1_000),
        valid_from=first, valid_through=date(2026, 12, 31), **asked,
    )  # fmt: skip
    return {
        "permit_id": permit.pk, "contract_id": contract.pk, "record_id": found.pk, "vehicle_id": vehicle.pk,
        "driver_id": driver.pk, "approval_id": approval.pk,
    }  # fmt: skip


def reviews(
    mine: Organisation, authority: Organisation, people: dict[str, User]
) -> tuple[Round, Round, Round, Application, Consultation, PublicNotice]:
    """Open rounds of the city, and bring an application to where departments are asked."""
    by, applicant = people["authority"], people["officer"]
    opened = []
    said = {"notice_text": "现予征集。", "submission_deadline": timezone.localdate() + timedelta(days=30)}
    for edition, year in ((CALLED, 2025), ("chongqing-2024-4-green-factory", 2026)):
        made = rounds.open_round(edition_id=edition, year=year, authority=authority, by=by, now=NOW)
        opened.append(rounds.edit_round(round_=made, version=made.version, changes=said, by=by, now=NOW))
    round_, draft = opened
    round_ = rounds.publish_round(round_=round_, by=by, now=NOW)
    case_round = Round.objects.create(  # the ministry's, which is not here: one of its cases is to be handed in
        edition=EDITION, year=2025, authority=authority, title="案例征集", opened_at=NOW, opened_by=by,
        published_at=NOW, published_by=by,
    )  # fmt: skip
    application = at_consultation(round_, mine, applicant, by)
    [asked] = consultations.consult(application=application, names=["发展改革部门"], by=by, now=NOW)
    notice = PublicNotice.objects.create(
        round=round_, stage="public-notice", title="公示", text="现予公示。", working_days=5,
        begins_on=date(2026, 6, 1), ends_on=date(2026, 6, 8), published_at=NOW, published_by=by,
    )  # fmt: skip
    holder = organisation(8, "称号持有单位", division="440100")
    title = Title.objects.create(
        edition=CALLED, name="重庆市绿色工厂", level="CITY", year=2025, number="CQ-1", organisation=holder,
        name_given=holder.name, authority=authority, granted_on=date(2025, 12, 1),
    )  # fmt: skip
    TitleEvent.objects.create(
        title=title,
        kind="GRANTED",
        on=title.granted_on,
        holder=holder,
        holder_name=holder.name,
        at=NOW,
        by=by,
    )
    return round_, draft, case_round, application, asked, notice


@transaction.atomic
def at_consultation(round_: Round, works: Organisation, applicant: User, by: User) -> Application:
    submission = submission_as_if_frozen(None, works, edition_id=CALLED, by=applicant)
    application = Application.objects.create(
        round=round_, organisation=works, submission=submission, code=f"2025-{round_.pk:03d}-00001",
        district_code=works.division_code, stage="self-check", stage_since=NOW,
    )  # fmt: skip
    edition = policy_queries.edition(CALLED)
    application = deciding.submit_again(deciding.lock(application), submission, edition, applicant, NOW)
    SiteCheck.objects.create(
        application=application, stage="site-check", client_id=uuid.uuid4(), checked_at=NOW, received_at=NOW,
        participants="张三", by=by,
    )  # fmt: skip
    while application.stage != "consultation":
        application = deciding.decide(
            application=application,
            version=application.version,
            action=Action.AGREE,
            said=Said(words="经审查，同意。"),
            by=by,
            now=NOW,
        )
    return application


def expired(now: datetime) -> dict[str, datetime]:
    return {"created_at": now - timedelta(days=2), "expires_at": now - timedelta(days=1)}
