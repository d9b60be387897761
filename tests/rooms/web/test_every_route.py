"""
Every page × every role × own, another's, anonymous (promise S1).

The tables here say who may, independently of `registry/access.py`. A route without a row fails.
Who may not see an organisation gets 404, as if it weren't there; who sees it but may not do the thing
gets 403. The other's objects are real.
"""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from hashlib import sha256
from uuid import uuid4

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests.conftest import NOW
from tests.pure.paper.test_attachments import png
from tests.rooms.collection.test_pages import ROUTES as OF_COLLECTION
from tests.rooms.filings.test_pages import PUBLIC as OF_PUBLIC_FILINGS
from tests.rooms.filings.test_pages import ROWS as OF_FILINGS
from tests.rooms.labels.test_pages import ROWS as OF_LABELS
from tests.rooms.ledger.test_trace import ROUTES as OF_TRACES
from tests.rooms.portal.test_published import ROUTES as OF_THE_PUBLIC
from tests.rooms.reviews.test_agency_pages import ROUTES as OF_AGENCIES
from tests.rooms.reviews.test_applications_access import ROWS as OF_REVIEWS
from tests.rooms.reviews.test_consultation_pages import ROUTES as OF_CONSULTATIONS
from tests.rooms.reviews.test_experts_pages import ROUTES as OF_EXPERTS
from tests.rooms.reviews.test_notice_pages import ROUTES as OF_NOTICES
from tests.rooms.reviews.test_site_check_pages import ROUTES as OF_SITE_CHECKS
from tests.rooms.shopfloor.test_pages import ROUTES as OF_THE_SHOP_FLOOR
from tests.rooms.storage.test_inspection_pages import ROWS as OF_INSPECTIONS
from tests.rooms.storage.test_inspection_pages import an_inspection
from tests.rooms.storage.test_pages import ROWS as OF_STORAGE
from tests.rooms.tracking.test_pages import ROUTES as OF_TRACKS
from tests.rooms.transfers.test_pages import ROUTES as OF_MANIFESTS
from tests.tables import LedgerTable
from wufei.capture.models import Upload
from wufei.cases import services as cases
from wufei.cases.models import Case, Evidence, Submission, SubmittedEvidence
from wufei.filings import plan
from wufei.filings.models import FiledPlan, PlanDraft
from wufei.indicators import services as indicators
from wufei.indicators.models import AnnualProduct
from wufei.labels.models import PrintFormat
from wufei.labels.services import record_prints
from wufei.ledger.identifying import Basis, Result
from wufei.ledger.identifying import Said as Identified
from wufei.ledger.kinds import TransformationKind
from wufei.ledger.models import Lot, Place, Stream
from wufei.ledger.services import make_waste_report, record_identification, transform
from wufei.ledger.transforming import Input, Output
from wufei.registry.models import Organisation, ParkMembership, RoleAssignment, User
from wufei.registry.services import operator
from wufei.reviews.models import ChangeReport, Cultivation, Title, TitleEvent
from wufei.storage.models import Zone
from wufei.storage.services import open_sheet
from wufei.terms.mass import Mass
from wufei.terms.period import Period

EDITION = "miit-2025-539-enterprise"
PEOPLE = ("officer", "worker", "park", "district", "admin", "stranger", "far", "expert")
# Who sees the enterprise at all, and the park.
SEES = {
    "enterprise": {"officer", "worker", "park", "district", "admin"},
    "park": {"park", "district", "admin"},
}
MAY = {
    "see": {"officer", "worker", "park", "district", "admin"},
    "read the ledger": {"officer", "worker", "park", "district"},
    "read figures": {"officer", "park", "district"},
    "post": {"officer", "worker"},
    "reverse": {"officer"},
    "close": {"officer"},
    "import": {"officer"},
    "edit": {"officer", "admin"},
    "own case": {"officer"},
    "read what was handed in": {"officer", "district"},
    "judge": {"district"},
    "record a succession": {"district", "admin"},
    "maintain requirements": set(),  # of an enterprise: nobody
    "keep the register": set(),  # of an enterprise: nobody; see tests/rooms/reviews/test_register_pages.py
    "see the park": {"park", "district", "admin"},
    "edit the park": {"park", "admin"},
}
# route -> what one must be allowed to, by method. Of the park where the words say so.
OF_AN_ORGANISATION: dict[str, dict[str, str]] = {
    "organisation-home": {"GET": "see"},
    "flows": {"GET": "read the ledger"},
    "registry:organisation": {"GET": "see"},
    "registry:edit-organisation": {"GET": "edit", "POST": "edit"},
    "registry:history": {"GET": "see"},
    "registry:rename": {"GET": "record a succession", "POST": "record a succession"},
    "registry:succeed": {"GET": "record a succession", "POST": "record a succession"},
    "registry:close": {"GET": "record a succession", "POST": "record a succession"},
    "registry:members": {"GET": "see the park"},
    "registry:join": {"GET": "edit the park", "POST": "edit the park"},
    "registry:leave": {"GET": "edit the park", "POST": "edit the park"},
    "registry:audit-log": {"GET": "edit"},
    "ledger:movements": {"GET": "read the ledger"},
    "ledger:export": {"GET": "read the ledger"},
    "ledger:post": {"GET": "post", "POST": "post"},
    "ledger:check": {"POST": "post"},
    "ledger:movement": {"GET": "read the ledger"},
    "ledger:reverse": {"GET": "reverse", "POST": "reverse"},
    "ledger:stock": {"GET": "read the ledger"},
    "ledger:lots": {"GET": "read the ledger"},
    "ledger:relocate": {"POST": "post"},
    "ledger:transform": {"GET": "post", "POST": "post"},
    "ledger:transformation": {"GET": "read the ledger", "POST": "reverse"},
    "ledger:books": {"GET": "read the ledger"},
    "ledger:book-file": {"GET": "read the ledger"},
    "ledger:waste-report": {"GET": "read the ledger"},
    "ledger:waste-report-file": {"GET": "read the ledger"},
    "ledger:make-waste-report": {"POST": "close"},
    "ledger:months": {"GET": "read the ledger"},
    "ledger:close-month": {"POST": "close"},
    "ledger:streams": {"GET": "read the ledger"},
    "ledger:new-stream": {"GET": "edit", "POST": "edit"},
    "ledger:stream": {"GET": "edit", "POST": "edit"},
    "ledger:identifications": {"GET": "read the ledger"},
    "ledger:identification": {"GET": "read the ledger", "POST": "edit"},
    "ledger:identification-report": {"GET": "read the ledger"},
    "ledger:stores": {"GET": "read the ledger"},
    "ledger:new-store": {"GET": "edit", "POST": "edit"},
    "ledger:store": {"GET": "edit", "POST": "edit"},
    "indicators:figures": {"GET": "read figures"},
    "indicators:latest-stated": {"GET": "read figures"},
    "indicators:stated": {"GET": "read figures", "POST": "edit"},
    "indicators:new-product": {"GET": "edit", "POST": "edit"},
    "indicators:product": {"GET": "edit", "POST": "edit"},
    "indicators:months": {"GET": "read figures"},
    "indicators:figure": {"GET": "read figures"},
    "indicators:figure-movements": {"GET": "read figures"},
    "policies:editions": {"GET": "read figures"},
    "policies:evaluation": {"GET": "read figures"},
    "policies:judge": {"GET": "judge", "POST": "judge"},
    "policies:stated-values": {"GET": "read figures", "POST": "edit"},
    "policies:latest-declarations": {"GET": "read figures"},
    "policies:declarations": {"GET": "read figures", "POST": "edit"},
    "policies:requirements": {"GET": "maintain requirements"},
    "policies:new-requirements": {"GET": "maintain requirements", "POST": "maintain requirements"},
    "cases:cases": {"GET": "own case", "POST": "own case"},
    "cases:case": {"GET": "own case"},
    "cases:save": {"POST": "own case"},
    "cases:count": {"POST": "own case"},
    "cases:form": {"GET": "own case"},
    "cases:evidence": {"GET": "own case", "POST": "own case"},
    "cases:evidence-file": {"GET": "own case"},
    "cases:remove-evidence": {"POST": "own case"},
    "cases:check": {"GET": "own case"},
    "cases:ready": {"POST": "own case"},
    "cases:document": {"GET": "own case"},
    "cases:submissions": {"GET": "read what was handed in"},
    "cases:submission": {"GET": "read what was handed in"},
    "cases:submitted-number": {"GET": "read what was handed in"},
    "cases:submitted-file": {"GET": "read what was handed in"},
    "cases:submitted-case-file": {"GET": "read what was handed in"},
    "cases:difference": {"GET": "read what was handed in"},
    "reviews:self-check": {"GET": "own case"},
    "reviews:register": {"GET": "keep the register"},
    "reviews:title": {"GET": "keep the register"},
    "reviews:end-title": {"GET": "keep the register", "POST": "keep the register"},
    "reviews:warn-holder": {"GET": "keep the register", "POST": "keep the register"},
    "reviews:grant-title": {"GET": "keep the register", "POST": "keep the register"},
    "reviews:changes": {"GET": "keep the register"},
    "reviews:change": {"GET": "keep the register", "POST": "keep the register"},
    "reviews:change-file": {"GET": "keep the register"},
    "reviews:years-reevaluation": {"GET": "keep the register"},
    "reviews:remind-holders": {"POST": "keep the register"},
    "reviews:cultivation": {"GET": "keep the register"},
    "reviews:enter-cultivation": {"GET": "keep the register", "POST": "keep the register"},
    "reviews:move-cultivation": {"GET": "keep the register", "POST": "keep the register"},
    "reviews:credit-facts": {"GET": "keep the register", "POST": "keep the register"},
    "reviews:credit": {"GET": "judge"},
    "reviews:titles": {"GET": "own case"},
    "reviews:own-title": {"GET": "own case"},
    "reviews:answer-reevaluation": {"GET": "own case", "POST": "own case"},
    "reviews:report-change": {"GET": "own case", "POST": "own case"},
    "reviews:own-change-file": {"GET": "own case"},
    "capture:uploads": {"GET": "import", "POST": "import"},
    "capture:template": {"GET": "import"},
    "capture:upload": {"GET": "import"},
    "capture:confirm": {"POST": "import"},
    "capture:progress": {"GET": "import"},
    "capture:rejects": {"GET": "import"},
    **OF_FILINGS,
    **OF_LABELS,
    **OF_STORAGE,
    **OF_INSPECTIONS,
}
OF_THE_OPERATOR = {
    "registry:register", "registry:users", "registry:create-user", "registry:user", "registry:assign-role",
    "registry:remove-role", "registry:set-active", "registry:set-password",
    "registry:remove-users-second-factor", "registry:set-email",
}  # fmt: skip
OF_EVERYBODY_SIGNED_IN = {
    "home", "lookup", "registry:account", "registry:change-password", "registry:change-email", "registry:confirm-email", "registry:enrol-second-factor",
    "registry:remove-second-factor", "registry:renew-recovery-codes", "registry:issue-token",
    "registry:permissions", "registry:organisations",
}  # fmt: skip
OF_ITS_OWNER = {"registry:revoke-token"}
PUBLIC = {"health", "registry:sign-in", "registry:second-factor", "registry:sign-out"}
# Who may do these gets 404 where the request names nothing that is there: no question, no item, no rejects.
ASK_FOR_MORE = {
    "policies:judge", "capture:rejects", "cases:save", "policies:declarations", "policies:stated-values",
}  # fmt: skip
ALLOWED = {200, 302, 400, 405, 409, 422}


def routes(resolver: URLResolver, namespace: str = "") -> list[str]:
    """Return the names of all pages; the API has a table of its own."""
    found = []
    for each in resolver.url_patterns:
        if isinstance(each, URLResolver):
            if not str(each.pattern).startswith("api/"):
                found += routes(each, f"{namespace}{each.namespace}:" if each.namespace else namespace)
        elif isinstance(each, URLPattern):
            found.append(f"{namespace}{each.name}")
    return found


def test_every_route_has_a_row():
    # Rounds and applications aren't found by an organisation: their table is held where they are.
    rows = {
        *OF_REVIEWS,
        *OF_AGENCIES,
        *OF_CONSULTATIONS,
        *OF_SITE_CHECKS,
        *OF_NOTICES,
        *OF_THE_PUBLIC,
        *OF_PUBLIC_FILINGS,
        *OF_THE_SHOP_FLOOR,
        *OF_MANIFESTS,
        *OF_TRACKS,
        *OF_COLLECTION,
        *OF_EXPERTS,
        *OF_TRACES,
        *OF_AN_ORGANISATION,
        *OF_THE_OPERATOR,
        *OF_EVERYBODY_SIGNED_IN,
        *OF_ITS_OWNER,
        *PUBLIC,
    }
    assert set(routes(get_resolver())) == rows


@dataclass
class World:
    enterprise: Organisation
    park: Organisation
    arguments: dict[str, object] = field(default_factory=dict)
    clients: dict[str | None, Client] = field(default_factory=dict)

    def ask(self, person: str | None, route: str, method: str, subject: str) -> int:
        organisation = self.park if subject == "park" else self.enterprise
        names = _argument_names(route)
        known = self.arguments | {"uscc": organisation.uscc}
        address = reverse(route, kwargs={name: known[name] for name in names})
        client = self.clients[person]
        return (client.get(address) if method == "GET" else client.post(address, {})).status_code


def _argument_names(route: str) -> list[str]:
    *spaces, name = route.split(":")
    resolver = get_resolver()
    for space in spaces:
        resolver = resolver.namespace_dict[space][1]
    [possibility, *_] = resolver.reverse_dict.getlist(name)
    return possibility[0][0][1]


@pytest.fixture
def world(db, make_organisation, make_user) -> World:
    enterprise, park = make_organisation("甲厂"), make_organisation("园区", kind="PARK")
    ParkMembership.objects.create(park=park, member=enterprise, joined_on=date(2020, 1, 1))
    built = World(enterprise, park)
    roles = {
        "officer": ("ENVIRONMENT_OFFICER", enterprise),
        "worker": ("WORKER", enterprise),
        "park": ("PARK_OFFICER", park),
        "district": ("AUTHORITY_OFFICER", make_organisation("区局", kind="AUTHORITY")),
        "admin": ("ADMINISTRATOR", make_organisation("平台", kind="AGENCY", division_code="310101")),
        "stranger": ("ENVIRONMENT_OFFICER", make_organisation("乙厂")),
        "far": ("AUTHORITY_OFFICER", make_organisation("外省局", kind="AUTHORITY", division_code="440100")),
        "expert": ("EXPERT", make_organisation("专家所在", kind="AUTHORITY", division_code="500000")),
    }
    for person, (role, organisation) in roles.items():
        built.clients[person] = Client()
        built.clients[person].force_login(make_user(role, organisation, username=person))
    built.clients[None] = Client()
    built.arguments = _real_objects(enterprise) | _a_title(enterprise) | {"application_id": 1}
    return built


def _real_objects(enterprise: Organisation) -> dict[str, object]:
    """Objects of the enterprise, so that what is not shown could have been shown."""
    said = {"organisation": enterprise, "by": operator(), "now": NOW}
    ledger = LedgerTable(**said)
    ledger.stores(库1=None)
    ledger.streams("F1")
    ledger.post("2025-01-01 F1 产生 2 吨 库1 -", "2025-01-01 F1 产生 1 吨 库1 批-1")
    ledger.post("2025-01-01 F1 产生 1 吨 库1 批-2")
    repacked = transform(
        kind=TransformationKind.REPACK, inputs=[Input("库1", "批-2", Mass.of("1", "吨"))], loss=Mass(0),
        outputs=[Output("库1", "批-3", "F1", Mass.of("1", "吨"))], moved_on=date(2025, 1, 2), client_id=uuid4(),
        **said,
    )  # fmt: skip
    labelled = Lot.objects.get(code="批-1")
    [printed] = record_prints(
        lots=[labelled], print_format=PrintFormat.PDF, count=1, client_id=uuid4(), **said
    )
    open_sheet(store_code="库1", client_id=uuid4(), **said)  # number 1
    zone = Zone.objects.create(
        store=Place.objects.get(kind="STORE"),
        code="A",
        name="甲区",
        x_cm=0,
        y_cm=0,
        width_cm=100,
        depth_cm=100,
    )
    indicators.state_product(
        year=2025,
        name="产品",
        capacity=None,
        output=Decimal(1),
        unit="吨",
        is_main=True,
        source="测试",
        **said,
    )
    _plans(enterprise)
    identification = record_identification(
        stream_code="F1", client_id=uuid4(), file_name="a.png", content=png(),
        said=Identified(
            basis=Basis.TESTS, result=Result.NOT_HAZARDOUS, judged_by="检测所", judged_on=date(2025, 1, 5),
            has_report=True,
        ), **said,
    )  # fmt: skip
    case = cases.open_case(edition_id=EDITION, year=2025, **said)
    evidence = Evidence.objects.create(
        case=case, category="PROOF", file_name="a.pdf", kind="pdf", media_type="application/pdf", size=8,
        sha256="0" * 64, stored=ContentFile(b"%PDF-1.4", "a.pdf"), uploaded_at=NOW, uploaded_by=operator(),
    )  # fmt: skip
    upload = Upload.objects.create(**_upload(enterprise))
    user = User.objects.create_user("somebody")
    assignment = RoleAssignment.objects.create(user=user, organisation=enterprise, role="WORKER")
    return {
        "zone_id": zone.pk, "photo_id": an_inspection(enterprise).photos.get().pk, "identification_id": identification.pk,
        "seq": 1, "first_seq": repacked.first_seq, "year": 2025, "indicator": "generation_t", "leaf": 0, "edition_id": EDITION,
        "criterion_id": "basic-2", "question": "clearly_below_peers", "case_id": case.pk,
        "evidence_id": evidence.pk, "document": "provenance.json", "member_uscc": enterprise.uscc,
        "pk": user.pk, "assignment_pk": assignment.pk, "lot_id": labelled.pk,
        "stream_id": labelled.stream_id, "client_id": printed.client_id, "form": "hw-1", "ending": "xlsx",
        "waste_report_id": make_waste_report(period=Period.month(2025, 1), **said).pk,
        "key": {"stream": Stream.objects.get().pk, "store": Place.objects.get(kind="STORE").pk,
                "product": AnnualProduct.objects.get().pk, "upload": upload.pk},
        **_handed_in(case),
    }  # fmt: skip


def _plans(enterprise: Organisation) -> None:
    """A plan as if filed for 2025, and a draft that changes it."""
    content = plan.tidy({})
    PlanDraft.objects.create(
        organisation=enterprise, year=2025, content=content, changed_at=NOW, changed_by=operator()
    )
    FiledPlan.objects.create(
        organisation=enterprise, year=2025, number=1, content=content | {"wastes": {}}, sha256="0" * 64, seq=0,
        chain_hash="0" * 64, filed_at=NOW, filed_by=operator(),
    )  # fmt: skip


def _handed_in(case: Case) -> dict[str, object]:
    """Two versions of the case as if frozen, the first with a file and a number."""
    number = {
        "where": {"table": "主要量化数据", "row": "产生量", "column": "2025 年"}, "text": "0.0002", "value": "2",
        "unit": "吨", "document": "申报书.docx",
        "basis": {"type": "stated", "inputs": []},
    }  # fmt: skip
    versions = [
        Submission.objects.create(
            case=case, organisation=case.organisation, name_given="甲厂", edition=case.edition, year=case.year,
            number=at, content={"texts": {"title": f"题目{at}"}, "numbers": [number]}, ledger_heads=[],
            content_sha256="0" * 64, case_file=ContentFile(b"PK\x03\x04", f"{at}.docx"), submitted_at=NOW,
            submitted_by=operator(),
        )
        for at in (1, 2)
    ]  # fmt: skip
    file = SubmittedEvidence.objects.create(
        submission=versions[0], category="PROOF", file_name="a.pdf", kind="pdf", size=8, sha256="0" * 64,
        stored=ContentFile(b"%PDF-1.4", "a.pdf"),
    )  # fmt: skip
    return {"number": 1, "index": 0, "file_id": file.pk, "earlier": 1, "later": 2}


def _a_title(enterprise: Organisation) -> dict[str, object]:
    """A title that the enterprise holds, a change of it, and its place in a library."""
    giver = Organisation.objects.filter(kind="AUTHORITY").first()
    said = {"organisation": enterprise, "authority": giver}
    title = Title.objects.create(
        edition="chongqing-2024-4-green-factory", name="重庆市绿色工厂", level="CITY", year=2024, number="CQ-1",
        name_given=enterprise.name, granted_on=date(2024, 5, 10), **said,
    )  # fmt: skip
    TitleEvent.objects.create(
        title=title, kind="GRANTED", on=title.granted_on, holder=enterprise, holder_name=enterprise.name, at=NOW,
        by=operator(),
    )  # fmt: skip
    change = ChangeReport.objects.create(
        title=title, kind="RENAME", completed_on=date(2026, 6, 1), due_on=date(2026, 7, 14), new_name="乙厂",
        file_name="a.pdf", stored=ContentFile(b"%PDF-1.4", "a.pdf"), reported_at=NOW, reported_by=operator(),
    )  # fmt: skip
    row = Cultivation.objects.create(
        programme=title.edition,
        tier="SEED",
        since=date(2026, 1, 1),
        entered_at=NOW,
        entered_by=operator(),
        **said,
    )
    return {"title_id": title.pk, "change_id": change.pk, "cultivation_id": row.pk}


def _upload(enterprise: Organisation) -> dict[str, object]:
    return {
        "organisation": enterprise, "file_name": "a.xlsx", "sha256": sha256(b"PK\x03\x04").hexdigest(), "size": 4,
        "file": ContentFile(b"PK\x03\x04", "a.xlsx"), "created_at": NOW, "created_by": operator(),
    }  # fmt: skip


def _with_key(world: World, route: str) -> None:
    """Each room calls its own object `key`."""
    keys = world.arguments["key"]
    if isinstance(keys, dict):
        of = {"capture": "upload", "indicators": "product"}.get(route.split(":")[0], route.split(":")[-1])
        world.arguments["key"] = keys.get(of, 1)


def leaks(world: World, route: str) -> list[str]:
    """Return where a person got another answer than the table says."""
    _with_key(world, route)
    found = []
    for method, what in OF_AN_ORGANISATION[route].items():
        subject = "park" if "park" in what else "enterprise"
        anonymous = world.ask(None, route, method, subject)
        if anonymous != 302:
            found.append(f"anonymous {method}: {anonymous}")
        for person in PEOPLE:
            got = world.ask(person, route, method, subject)
            if person in MAY[what]:
                right = got in ALLOWED or (got == 404 and route in ASK_FOR_MORE)
            elif person in SEES[subject]:
                right = got == 403
            else:
                right = got == 404
            if not right:
                found.append(f"{person} {method} ({what}): {got}")
    return found


@pytest.mark.parametrize("route", OF_AN_ORGANISATION)
def test_each_person_gets_what_the_table_says(world: World, route: str):
    assert leaks(world, route) == []


@pytest.mark.parametrize("route", sorted(OF_THE_OPERATOR | OF_EVERYBODY_SIGNED_IN))
def test_pages_of_the_platform(world: World, route: str):
    got = {person: world.ask(person, route, "GET", "enterprise") for person in (None, *PEOPLE)}
    assert got.pop(None) == 302
    if route in OF_THE_OPERATOR:
        assert got.pop("admin") in ALLOWED
        assert set(got.values()) <= {403, 405}
        posted = {person: world.ask(person, route, "POST", "enterprise") for person in got}
        assert set(posted.values()) <= {403, 405}
    else:
        assert set(got.values()) <= ALLOWED


def test_a_token_is_revoked_by_its_owner_alone(world: World):
    from wufei.registry.models import ApiToken

    token = ApiToken.objects.create(
        user=User.objects.get(username="officer"), name="t", digest="0" * 64, scopes=[], created_at=NOW
    )
    address = reverse("registry:revoke-token", kwargs={"pk": token.pk})
    for person in ("worker", "stranger", "admin"):
        assert world.clients[person].post(address).status_code == 404
    token.refresh_from_db()
    assert token.revoked_at is None
    assert world.clients["officer"].post(address).status_code == 302
    token.refresh_from_db()
    assert token.revoked_at is not None


def test_without_the_filter_of_visibility_the_same_check_finds_the_leak(world: World, monkeypatch):
    """The control."""
    from wufei.registry import queries

    monkeypatch.setattr(queries, "visible_organisations", lambda **_: Organisation.objects.all())
    assert any("stranger" in found for found in leaks(world, "ledger:movements"))
