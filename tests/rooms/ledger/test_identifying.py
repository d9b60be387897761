"""Hazard identification: recorded, corrected, never changed; and it warns wherever the waste is used."""

import io
import re
import uuid
from dataclasses import replace
from datetime import date

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.conftest import NOW
from tests.pure.paper.test_attachments import pdf
from wufei.ledger import services
from wufei.ledger.identifying import Basis, Refused, Result, Said
from wufei.ledger.models import Container, HazardIdentification, Lot
from wufei.ledger.queries.identifying import ending_records, standings
from wufei.ledger.services import IdentificationRefused
from wufei.paper.attachments import EvidenceRefused
from wufei.registry.models import AuditEntry
from wufei.registry.queries import NotPermitted

TODAY = date(2026, 7, 1)
SAFE = Said(
    basis=Basis.EXPERT, result=Result.NOT_HAZARDOUS, judged_by="专家组", judged_on=date(2025, 3, 1),
    valid_through=date(2027, 3, 1),
)  # fmt: skip
BAD = replace(SAFE, result=Result.HAZARDOUS, waste_code="900-000-08", properties=("T",))


@pytest.fixture(autouse=True)
def _on_the_first_of_july(monkeypatch, settings):
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


@pytest.fixture
def wastes(ledger):
    ledger.stores(库1=None)
    ledger.streams("渣")
    ledger.streams("油", waste_code="900-249-08")
    return ledger


@pytest.fixture
def record(wastes, organisation, officer):
    def run(said: Said = SAFE, stream: str = "渣", client_id=None, by=None, **more) -> HazardIdentification:
        return services.record_identification(
            organisation=organisation, stream_code=stream, said=said, client_id=client_id or uuid.uuid4(),
            by=by or officer, now=NOW, **more,
        )  # fmt: skip

    return run


def how(organisation) -> dict[str, str]:
    return {
        row.stream.code: row.identified.standing.value
        for row in standings(organisation=organisation, on=TODAY)
    }


def test_what_the_catalogue_lists_is_identified_by_it_and_the_rest_by_a_record(record, organisation):
    assert how(organisation) == {"油": "BY_CATALOGUE", "渣": "MISSING"}

    record()

    assert how(organisation) == {"油": "BY_CATALOGUE", "渣": "VALID"}
    assert AuditEntry.objects.get(action="ledger.record_identification").object_ref == "渣"


def test_the_one_judged_last_holds_however_late_an_earlier_one_is_recorded(record, organisation):
    record(replace(SAFE, judged_on=date(2026, 1, 1)))
    record(replace(BAD, judged_on=date(2020, 1, 1)))

    assert how(organisation)["渣"] == "VALID"


def test_a_correction_takes_the_place_of_what_was_wrong_and_both_stay(record, organisation):
    wrong = record(replace(BAD, judged_on=date(2026, 6, 30)))
    assert how(organisation)["渣"] == "CONTRADICTED"

    record(replaces=wrong.pk, reason="报告属于另一种废物")

    assert how(organisation)["渣"] == "VALID"
    assert HazardIdentification.objects.count() == 2
    for said, code in (
        ({"replaces": wrong.pk, "reason": "再改"}, Refused.REPLACED_ALREADY),
        ({"replaces": wrong.pk, "reason": " "}, Refused.REASON_MISSING),
        ({"replaces": 10**6, "reason": "没有"}, Refused.REPLACED_UNKNOWN),
    ):
        with pytest.raises(IdentificationRefused) as refused:
            record(**said)
        assert refused.value.code is code


def test_the_report_is_kept_by_the_hash_of_its_content(record):
    row = record(replace(SAFE, basis=Basis.TESTS, has_report=True), file_name="报告.pdf", content=pdf())

    assert row.stored.name.endswith(f"{row.sha256}.pdf")
    assert row.stored.open("rb").read() == pdf()
    with pytest.raises(EvidenceRefused):
        record(replace(SAFE, has_report=True), file_name="报告.pdf", content=b"MZ")
    assert HazardIdentification.objects.count() == 1


def test_nothing_recorded_is_changed_or_deleted(record):
    row = record()
    for change in (
        lambda: HazardIdentification.objects.update(result="UNDETERMINED"),
        lambda: HazardIdentification.objects.filter(pk=row.pk).delete(),
    ):
        with pytest.raises(DatabaseError, match="append_only"), transaction.atomic():
            change()


def test_said_twice_it_stands_once_and_other_words_under_the_same_id_are_refused(record):
    client_id = uuid.uuid4()
    assert record(client_id=client_id) == record(client_id=client_id)

    with pytest.raises(IdentificationRefused) as refused:
        record(BAD, client_id=client_id)
    assert refused.value.code is Refused.CLIENT_ID_REUSED


def test_only_who_keeps_the_enterprise_records(record, make_user, organisation, make_organisation):
    for role, where in (("WORKER", organisation), ("ENVIRONMENT_OFFICER", make_organisation())):
        with pytest.raises(NotPermitted):
            record(by=make_user(role, where))


def test_another_ones_stream_is_unknown(record, make_organisation, make_user):
    other = make_organisation()
    with pytest.raises(IdentificationRefused) as refused:
        services.record_identification(
            organisation=other, stream_code="渣", said=SAFE, client_id=uuid.uuid4(),
            by=make_user("ENVIRONMENT_OFFICER", other), now=NOW,
        )  # fmt: skip
    assert refused.value.code is Refused.STREAM_UNKNOWN


def test_what_ends_soon_or_has_ended_is_to_be_done(record, organisation):
    def ending() -> list[date | None]:
        rows = ending_records(organisations=[organisation.pk], on=TODAY)
        return list(rows.values_list("valid_through", flat=True))

    record()
    assert ending() == []
    record(replace(SAFE, judged_on=date(2025, 4, 1), valid_through=date(2026, 8, 30)))
    assert ending() == [date(2026, 8, 30)]
    record(replace(SAFE, judged_on=date(2025, 4, 1), valid_through=date(2026, 6, 1)), stream="油")
    assert ending() == [date(2026, 8, 30)]  # the catalogue says of the oil what it is
    record(replace(SAFE, judged_on=date(2026, 6, 1)))
    assert ending() == []


def test_it_stands_among_what_the_officer_has_to_do(record, person, make_user, organisation):
    record(replace(SAFE, valid_through=date(2026, 6, 30)))

    page = text(person("/reviews/tasks/"))
    assert "待重新判别" in page
    assert "废物渣" in page
    worker = Client()
    worker.force_login(make_user("WORKER", organisation))
    assert "待重新判别" not in text(worker.get("/reviews/tasks/"))


# --- the pages


@pytest.fixture
def person(officer, organisation):
    client = Client()
    client.force_login(officer)

    def ask(path: str, said: dict | None = None):
        address = path if path.startswith("/") else f"/o/{organisation.uscc}/{path}"
        return client.get(address) if said is None else client.post(address, said)

    return ask


def text(response) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


@pytest.fixture
def used(wastes, organisation):
    wastes.post("2026-06-20 渣 产生 1 吨 库1 桶-1", "2026-06-20 油 产生 1 吨 库1 桶-2")
    Container.objects.create(lot=Lot.objects.get(code="桶-1"), packaging="DRUM")
    return wastes


@pytest.mark.parametrize(
    "path",
    [
        "ledger/streams/",
        "ledger/new/",
        "ledger/lots/",
        "labels/",
        "manifests/new/",
        "work/",
        "LABEL",
        "STREAM",
    ],
)
def test_it_warns_wherever_the_waste_is_used_and_no_longer_once_it_is_recorded(used, record, person, path):
    lot = Lot.objects.get(code="桶-1")
    path = {"LABEL": f"labels/{lot.pk}/", "STREAM": f"ledger/streams/{lot.stream_id}/"}.get(path, path)

    before = person(path)
    assert before.status_code == 200, path
    assert "没有危险性判别" in before.content.decode()

    record()
    assert "没有危险性判别" not in person(path).content.decode()


def test_posting_warns_and_does_not_block(used, person):
    said = {
        "kind": "GENERATION", "stream": "渣", "amount": "1", "unit": "吨", "moved_on": "2026-06-21", "store": "库1",
        "client_id": str(uuid.uuid4()),
    }  # fmt: skip
    check = text(person("ledger/new/check/", said))

    assert "可以记账" in check
    assert "没有危险性判别" in check
    assert person("ledger/new/", said).status_code == 302


def test_a_contradiction_is_flagged_with_what_to_do(record, person):
    record(BAD)
    page = text(person("ledger/identifications/"))
    assert "判别与管理相矛盾" in page
    key = HazardIdentification.objects.get().stream_id
    assert "请在废物清单中改为危险废物代码" in text(person(f"ledger/streams/{key}/identification/"))


@pytest.mark.parametrize("path", ["ledger/streams/", "ledger/identifications/", "ledger/lots/", "labels/"])
def test_thirty_rows_take_as_many_queries_as_one(used, record, person, path):
    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            assert person(path).status_code == 200
        return len(caught)

    record()
    few = queries()
    used.streams(*(f"渣{n}" for n in range(30)))
    used.post(*(f"2026-06-20 渣{n} 产生 1 吨 库1 袋-{n}" for n in range(30)))
    for n in range(30):
        record(stream=f"渣{n}")

    assert queries() == few


def test_a_record_is_made_and_corrected_on_the_page(wastes, person, organisation):
    key = wastes.stream("渣").pk
    address = f"ledger/streams/{key}/identification/"
    said = {
        "basis": "TESTS", "result": "HAZARDOUS", "judged_by": "检测所", "judged_on": "2026-03-01", "waste_code": "900-000-08",
        "properties": ["T", "C"], "client_id": str(uuid.uuid4()),
    }  # fmt: skip
    refused = person(address, said)
    assert refused.status_code == 422
    assert "须上传检测报告" in text(refused)

    said["report"] = SimpleUploadedFile("报告.pdf", pdf())
    assert person(address, said).status_code == 302
    row = HazardIdentification.objects.get()
    assert (row.properties, row.file_name, how(organisation)["渣"]) == ("T,C", "报告.pdf", "CONTRADICTED")
    report = person(f"ledger/identifications/{row.pk}/report/")
    assert b"".join(report.streaming_content) == pdf()

    correction = {
        "basis": "EXPERT", "result": "NOT_HAZARDOUS", "judged_by": "专家组", "judged_on": "2026-03-02", "replaces": row.pk,
        "client_id": str(uuid.uuid4()),
    }  # fmt: skip
    assert "更正须写明原因" in text(person(address, correction))
    assert person(address, correction | {"reason": "报告样品有误"}).status_code == 302
    page = text(person(address))
    assert "已更正" in page
    assert "更正：报告样品有误" in page


def test_the_list_is_found_filtered_and_taken_home(wastes, person):
    page = text(person("ledger/identifications/?state=warns"))
    assert "废物渣" in page
    assert "废物油" not in page

    book = openpyxl.load_workbook(
        io.BytesIO(person("ledger/identifications/?export=xlsx&state=warns").content)
    )
    rows = list(book.active.values)
    assert [row[1] for row in rows if row[0] == "渣"] == ["废物渣"]
    assert not any(row[0] == "油" for row in rows)
