"""The inspection's pages as people use them: a worker looks on the phone, an officer reads, who is responsible closes."""

import io
import re
import uuid
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pypdfium2 import PdfDocument

from tests.conftest import NOW
from tests.rooms.storage.test_inspections import picture
from tests.rooms.storage.test_pages import Person, text_of
from wufei.registry.models import Organisation
from wufei.registry.services import operator
from wufei.storage import photos
from wufei.storage.checklists import Facility, ItemResult, known_checklists
from wufei.storage.models import Correction, CorrectiveAction, Inspection, InspectionPhoto
from wufei.storage.services import InspectionSaid, LineSaid, record_inspection

# What one must be allowed to: for tests/rooms/web/test_every_route.py.
ROWS = {
    "storage:inspections": {"GET": "read the ledger"},
    "storage:inspect": {"GET": "post", "POST": "post"},
    "storage:inspection": {"GET": "read the ledger"},
    "storage:inspection-record": {"GET": "read the ledger"},
    "storage:inspection-photo": {"GET": "read the ledger"},
    "storage:corrective-actions": {"GET": "read the ledger"},
    "storage:corrective-action": {"GET": "read the ledger", "POST": "post"},
}


def an_inspection(organisation: Organisation, number: int = 1, by=None, **more) -> Inspection:
    """An inspection of store 1 with one thing to put right, and a picture."""
    officer = by or organisation_person(organisation)
    line = LineSaid(
        requirement="hw-signs", result=ItemResult.NOT_MET, remark=f"标签脱落{number}", due_on=NOW.date() + timedelta(days=7),
        responsible=officer.username, photos=[photos.examined(picture())],
    )  # fmt: skip
    said = {
        "store_code": "库1",
        "facility": Facility.HAZARDOUS_STORE.value,
        "inspected_at": NOW,
        "lines": [line],
    }
    return record_inspection(
        organisation=organisation, said=InspectionSaid(**(said | more)), client_id=uuid.uuid4(), by=by or operator(),
        now=NOW,
    )  # fmt: skip


def organisation_person(organisation: Organisation):
    from wufei.storage.queries import who_can_correct

    return who_can_correct(organisation=organisation)[0]


@pytest.fixture(autouse=True)
def static_folder(settings):
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)


@pytest.fixture
def stock(ledger):
    ledger.stores(库1=None, 库2=None)
    ledger.streams("油", waste_code="900-249-08")
    ledger.post("2026-06-20 油 产生 0.2 吨 库1 桶-1")
    return ledger


@pytest.fixture
def worker(make_user, organisation, stock):
    return make_user("WORKER", organisation, username="甲")


@pytest.fixture
def people(officer, worker, organisation):
    return Person(officer, organisation.uscc), Person(worker, organisation.uscc)


def upload(content: bytes | None = None, name: str = "现场.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, picture() if content is None else content, content_type="image/jpeg")


def moment(**before) -> str:
    return timezone.localtime(timezone.now() - timedelta(**before)).strftime("%Y-%m-%dT%H:%M")


def sheet(facility: Facility = Facility.HAZARDOUS_STORE, **found: str) -> dict[str, object]:
    """The form as a browser sends it: `hw_signs="NOT_MET 标签脱落"`."""
    due = (timezone.localdate() + timedelta(days=5)).isoformat()
    said: dict[str, object] = {
        "client_id": str(uuid.uuid4()),
        "inspected_at": moment(minutes=5),
        "remark": "",
    }
    for each in known_checklists()[facility].requirements:
        result, _, remark = found.get(each.id.replace("-", "_"), "NOT_LOOKED_AT ").partition(" ")
        said |= {
            f"result-{each.id}": result, f"remark-{each.id}": remark, f"due-{each.id}": due,
            f"responsible-{each.id}": "甲",
        }  # fmt: skip
    return said


def due_day() -> str:
    return (timezone.localdate() + timedelta(days=5)).isoformat()


def test_a_worker_inspects_on_the_phone_and_what_is_wrong_is_his_task_until_he_closes_it(people, worker):
    officer, one = people
    page = text_of(one.get("inspections/new/"))
    assert "1. 按类别、形态和性质分类存放" in page
    assert "据转引" in page
    assert "未核实" in page
    answer = one.post(
        "inspections/new/?store=库1", follow=True, **sheet(hw_signs="NOT_MET 标签脱落", hw_shelter="MET"),
        **{"photos-hw-signs": [upload(), upload(picture("blue"))], "photos": [upload()]},
    )  # fmt: skip
    shown = text_of(answer)
    assert "已保存检查1" in shown
    assert "1 项不符合，1 项整改未办结" in shown
    assert f"整改1 ：{due_day()} 前由甲整改" in shown
    assert "没有检查的 16 项" in shown
    assert InspectionPhoto.objects.count() == 3
    task = text_of(one.client.get("/reviews/tasks/"))
    assert "贮存设施检查，待整改" in task
    assert "整改1：标签脱落" in task
    assert "整改1" not in text_of(officer.client.get("/reviews/tasks/"))
    closed = one.post(
        "corrective-actions/1/", follow=True, words="已补贴", corrected_on=timezone.localdate().isoformat(),
        client_id=str(uuid.uuid4()), photos=[upload()],
    )  # fmt: skip
    assert "整改1已办结" in text_of(closed)
    assert "已补贴" in text_of(closed)
    assert "整改1" not in text_of(one.client.get("/reviews/tasks/"))
    assert "整改未办结" in text_of(officer.get("inspections/1/"))
    assert "0 项整改未办结" in text_of(officer.get("inspections/1/"))


def test_what_lacks_its_words_or_has_a_bad_photo_comes_back_filled_in(people):
    _, one = people
    said = sheet(hw_signs="NOT_MET ", hw_stacking="NOT_MET 两桶变形", hw_zones="MET")
    answer = one.post("inspections/new/?store=库1", **said)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert page.count("不符合的项须写明哪里不符合") == 1
    assert "两桶变形" in page
    assert re.search(r'value="NOT_MET"[^>]*checked[^>]*>', page)
    for content, words in ((b"no picture", "只接受 JPEG 和 PNG"), (picture()[:-60], "照片文件损坏")):
        filled = sheet(hw_signs="NOT_MET 脱落")
        answer = one.post("inspections/new/?store=库1", **filled, **{"photos-hw-signs": [upload(content)]})
        assert answer.status_code == 422
        assert words in text_of(answer)
        assert "请重新选择照片" in text_of(answer)
    late = sheet(hw_signs="NOT_MET 脱落") | {"due-hw-signs": "2020-01-01"}
    answer = one.post("inspections/new/?store=库1", **late)
    assert (answer.status_code, "整改期限应不早于检查日" in text_of(answer)) == (422, True)
    answer = one.post("inspections/new/?store=库1", **sheet())
    assert (answer.status_code, "一项也没有检查" in text_of(answer)) == (422, True)
    assert not Inspection.objects.exists()
    assert one.get("inspections/new/", store="没有").status_code == 404


def test_the_same_form_sent_twice_is_one_inspection(people):
    _, one = people
    said = sheet(hw_signs="MET")
    assert {one.post("inspections/new/?store=库1", **said).status_code for _ in range(2)} == {302}
    assert Inspection.objects.count() == 1


def test_the_checklist_is_that_of_the_kind_of_store(people):
    _, one = people
    page = text_of(one.get("inspections/new/", store="库2"))
    assert "GB 18599-2020" in page
    assert "不受雨淋" in page
    point = text_of(one.get("inspections/new/", store="库2", facility="HAZARDOUS_POINT"))
    assert "实时贮存量不超过 3 吨" in point
    rain = sheet(Facility.GENERAL_STORE, gw_rain="MET")
    assert one.post("inspections/new/?store=库2&facility=GENERAL_STORE", **rain).status_code == 302
    assert Inspection.objects.get().facility == "GENERAL_STORE"


def test_stores_that_are_due_stand_first_and_are_marked(people):
    one = people[1]
    assert "有 2 个设施没有检查过" in text_of(one.get("inspections/"))
    one.post("inspections/new/?store=库1", **sheet(hw_signs="MET") | {"inspected_at": moment(days=9)})
    page = text_of(one.get("inspections/"))
    assert "有 2 个设施没有检查过，或超过了检查间隔" in page
    assert "超过间隔" in page
    one.post("inspections/new/?store=库1", **sheet(hw_signs="MET"))
    assert "有 1 个设施" in text_of(one.get("inspections/"))


def test_somebody_else_may_read_and_not_close(people, make_user, organisation, officer):
    an_inspection(organisation, by=officer)
    colleague = Person(make_user("WORKER", organisation, username="丙"), organisation.uscc)
    page = colleague.get("corrective-actions/1/")
    assert "由责任人或环保专员办结" in text_of(page)
    answer = colleague.post(
        "corrective-actions/1/", words="好了", corrected_on=timezone.localdate().isoformat(),
        client_id=str(uuid.uuid4()), photos=[upload()],
    )  # fmt: skip
    assert (answer.status_code, "由责任人或环保专员办结" in text_of(answer)) == (422, True)
    officer_page = people[0]
    bare = officer_page.post(
        "corrective-actions/1/", words="好了", corrected_on="2020-01-01", client_id=str(uuid.uuid4())
    )
    assert (bare.status_code, "须附整改后的照片" in text_of(bare)) == (422, True)
    assert not Correction.objects.exists()


def test_what_is_overdue_is_the_officers_task_too(people, organisation, officer, worker):
    line = LineSaid(
        requirement="hw-signs",
        result=ItemResult.NOT_MET,
        remark="标签脱落",
        due_on=NOW.date(),
        responsible="甲",
    )
    an_inspection(organisation, by=worker, lines=[line])
    task = text_of(people[0].client.get("/reviews/tasks/"))
    assert "整改1：标签脱落" in task
    assert "已逾期" in task
    assert "有 1 项整改已逾期" in text_of(people[0].get("inspections/"))
    assert "整改1" in text_of(people[0].get("corrective-actions/", state="overdue"))
    assert "没有符合条件的记录" in text_of(people[0].get("corrective-actions/", state="closed"))


def test_a_photo_is_shown_as_a_picture_to_who_may_and_to_no_other(
    people, organisation, officer, make_user, make_organisation
):
    key = an_inspection(organisation, by=officer).photos.get().pk
    answer = people[0].get(f"inspection-photos/{key}/")
    assert answer["Content-Type"] == "image/jpeg"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert b"".join(answer.streaming_content).startswith(b"\xff\xd8\xff")
    other = make_organisation("乙厂")
    stranger = Person(make_user("ENVIRONMENT_OFFICER", other, username="乙"), other.uscc)
    assert stranger.get(f"inspection-photos/{key}/").status_code == 404
    assert stranger.client.get(f"{people[0].root}inspection-photos/{key}/").status_code == 404


def test_the_record_on_paper_says_all_that_was_found(people, organisation, officer, worker):
    an_inspection(organisation, by=officer, remark="雨后检查")
    closing = {
        "words": "换了标签",
        "corrected_on": timezone.localdate().isoformat(),
        "client_id": str(uuid.uuid4()),
    }
    assert people[0].post("corrective-actions/1/", **closing, photos=[upload()]).status_code == 302
    answer = people[0].get("inspections/1/record.pdf")
    assert answer["Content-Type"] == "application/pdf"
    document = PdfDocument(io.BytesIO(answer.content))
    said = "".join(page.get_textpage().get_text_range() for page in document)
    plain = re.sub(r"\s", "", said)
    photo = InspectionPhoto.objects.filter(correction=None).get()
    for words in (
        "贮存设施检查记录", organisation.uscc, "标签脱落1", photo.sha256[:8], "换了标签", "雨后检查", "据转引", "未核实",
        "共18项，检查了1项",
    ):  # fmt: skip
        assert words in plain, words


def test_lists_are_found_paged_and_ask_as_much_for_one_row_as_for_thirty(people, organisation, officer):
    def asked(path: str) -> int:
        with CaptureQueriesContext(connection) as seen:
            assert people[0].get(path).status_code == 200
        return len(seen)

    paths = ("inspections/", "corrective-actions/")
    an_inspection(organisation, by=officer)
    [asked(path) for path in paths]
    few = [asked(path) for path in paths]
    for number in range(2, 56):
        an_inspection(organisation, number, by=officer)
    assert [asked(path) for path in paths] == few
    assert "共 55 条，本页第 51–55 条" in text_of(people[0].get("inspections/", page="2"))
    assert "共 1 条" in text_of(people[0].get("inspections/", q="标签脱落37"))
    assert "共 1 条" in text_of(people[0].get("corrective-actions/", q="标签脱落37"))
    assert "共 55 条" in text_of(people[0].get("inspections/", store="库1", state="waiting"))
    assert "没有符合条件的记录" in text_of(people[0].get("inspections/", store="库2"))
    assert CorrectiveAction.objects.count() == 55
    for path in paths:
        answer = people[0].get(path, export="xlsx")
        assert answer["Content-Type"].endswith("spreadsheetml.sheet")


def test_one_inspection_asks_as_much_with_one_finding_as_with_all(people, organisation, officer):
    def asked(number: int) -> int:
        with CaptureQueriesContext(connection) as seen:
            assert people[0].get(f"inspections/{number}/").status_code == 200
        return len(seen)

    an_inspection(organisation, by=officer)
    due = NOW.date()
    lines = [
        LineSaid(
            requirement=each.id, result=ItemResult.NOT_MET, remark="不合", due_on=due, responsible=officer.username,
            photos=[photos.examined(picture())],
        )
        for each in known_checklists()[Facility.HAZARDOUS_STORE].requirements
    ]  # fmt: skip
    an_inspection(organisation, by=officer, lines=lines)
    asked(1)
    assert asked(2) == asked(1)


def test_without_a_store_the_pages_say_what_comes_first(officer, organisation):
    person = Person(officer, organisation.uscc)
    assert "还没有申报贮存设施" in text_of(person.get("inspections/"))
    assert "还没有申报贮存设施" in text_of(person.get("inspections/new/"))
