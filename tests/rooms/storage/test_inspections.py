"""Inspections: what was found of each requirement, what is put right by whom until when, and when the next is due."""

import io
import uuid
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.files.storage import default_storage
from django.db import DatabaseError, transaction
from PIL import Image

from tests.conftest import NOW
from wufei.ledger.models import Place
from wufei.registry.models import AuditEntry
from wufei.registry.queries import NotPermitted
from wufei.storage import models, photos, queries, services
from wufei.storage.checklists import Facility, ItemResult, known_checklists
from wufei.storage.models import CorrectiveAction, Inspection, InspectionLine, InspectionPhoto
from wufei.storage.refusals import Code, StorageRefused
from wufei.storage.services import InspectionSaid, LineSaid

TODAY = date(2026, 7, 1)
DUE = date(2026, 7, 8)
LATER = NOW + timedelta(days=3)


def picture(colour="red") -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (30, 20), colour).save(written, "JPEG")
    return written.getvalue()


def photo(colour="red") -> photos.Photo:
    return photos.examined(picture(colour))


@pytest.fixture
def stock(ledger):
    ledger.stores(库1=None, 库2=None)
    ledger.streams("油", waste_code="900-249-08")
    ledger.post("2026-06-20 油 产生 0.2 吨 库1 桶-1")
    return ledger


@pytest.fixture
def worker(make_user, organisation, stock):
    return make_user("WORKER", organisation, username="甲")


def met(name: str, **more) -> LineSaid:
    return LineSaid(requirement=name, result=ItemResult.MET, **more)


def not_met(name: str, **more) -> LineSaid:
    said = {"remark": "标签脱落", "due_on": DUE, "responsible": "甲"} | more
    return LineSaid(requirement=name, result=ItemResult.NOT_MET, **said)


def said(*lines: LineSaid, **more) -> InspectionSaid:
    there = {"store_code": "库1", "facility": Facility.HAZARDOUS_STORE.value, "inspected_at": NOW} | more
    return InspectionSaid(lines=lines or (met("hw-signs"),), **there)


@pytest.fixture
def record(organisation, worker):
    def record(*lines: LineSaid, by=worker, client_id=None, now=NOW, **more) -> Inspection:
        return services.record_inspection(
            organisation=organisation, said=said(*lines, **more), client_id=client_id or uuid.uuid4(), by=by, now=now
        )  # fmt: skip

    return record


@pytest.fixture
def close(worker):
    def close(action: CorrectiveAction, by=worker, client_id=None, now=LATER, **more) -> models.Correction:
        there = {"words": "已补贴标签", "corrected_on": date(2026, 7, 3), "photos": [photo("green")]} | more
        return services.close_corrective_action(
            action=action, client_id=client_id or uuid.uuid4(), by=by, now=now, **there
        )

    return close


def refusal(do, *args, **more) -> str:
    with pytest.raises(StorageRefused) as refused:
        do(*args, **more)
    return refused.value.code


def test_every_requirement_of_the_checklist_stands_in_the_record_in_its_words(record):
    record(met("hw-signs"), LineSaid(requirement="hw-gas", result=ItemResult.NOT_APPLICABLE))
    [row] = queries.inspections(organisation=Inspection.objects.get().organisation)
    found = queries.lines_of(inspection=row)
    known = known_checklists()[Facility.HAZARDOUS_STORE].requirements
    assert [each.line.requirement for each in found] == [each.id for each in known]
    assert {each.line.requirement: each.label for each in found if each.label != "未检查"} == {
        "hw-signs": "符合", "hw-gas": "不适用",
    }  # fmt: skip
    by_name = {each.line.requirement: each for each in found}
    assert (by_name["hw-signs"].source, by_name["hw-signs"].doubt) == ("GB 18597-2023 第 4.6 条", "据转引")
    assert by_name["hw-gas"].doubt == "未核实"
    assert (row.name, row.not_met, row.to_correct, row.inspected_on) == ("检查1", 0, 0, TODAY)


def test_what_is_not_met_opens_a_corrective_action_with_its_pictures(record, worker):
    row = record(
        not_met("hw-signs", photos=[photo(), photo("blue")]),
        not_met("hw-stacking", remark="两桶变形"),
        photos=[photo()],
    )
    actions = list(queries.corrective_actions(organisation=row.organisation).order_by("number"))
    assert [(a.name, a.line.requirement, a.due_on, a.responsible) for a in actions] == [
        ("整改1", "hw-signs", DUE, worker), ("整改2", "hw-stacking", DUE, worker),
    ]  # fmt: skip
    found = {each.line.requirement: each for each in queries.lines_of(inspection=row)}
    assert [len(each.photos) for each in (found["hw-signs"], found["hw-stacking"])] == [2, 0]
    assert found["hw-signs"].action == actions[0]
    [whole] = queries.photos_of_store(inspection=row)
    assert whole.sha256 == found["hw-signs"].photos[0].sha256  # the same content is kept once
    assert {p.stored.name for p in InspectionPhoto.objects.filter(sha256=whole.sha256)} == {
        f"storage/{row.organisation_id}/{whole.sha256}.jpg"
    }
    with default_storage.open(whole.stored.name) as kept:
        assert Image.open(kept).size == (30, 20)
    assert queries.inspections(organisation=row.organisation).get().to_correct == 2


@pytest.mark.parametrize(
    ("lines", "more", "code"),
    [
        ((met("hw-signs"),), {"store_code": "没有"}, Code.STORE_UNKNOWN),
        ((met("hw-signs"),), {"facility": "没有"}, Code.FACILITY_UNKNOWN),
        ((met("gw-rain"),), {}, Code.REQUIREMENT_UNKNOWN),
        ((met("hw-signs"), met("hw-signs")), {}, Code.REQUIREMENT_UNKNOWN),
        ((LineSaid(requirement="hw-signs", result=ItemResult.NOT_LOOKED_AT),), {}, Code.NOTHING_LOOKED_AT),
        ((met("hw-signs"),), {"inspected_at": NOW + timedelta(minutes=11)}, Code.INSPECTED_IN_FUTURE),
        ((met("hw-signs"),), {"inspected_at": NOW - timedelta(days=366)}, Code.INSPECTED_LONG_AGO),
        ((met("hw-signs"),), {"inspected_at": datetime.min.replace(tzinfo=UTC)}, Code.INSPECTED_LONG_AGO),
        ((not_met("hw-signs", remark=" "),), {}, Code.WHAT_IS_WRONG_MISSING),
        ((not_met("hw-signs", due_on=None),), {}, Code.DUE_DAY_WRONG),
        ((not_met("hw-signs", due_on=TODAY - timedelta(days=1)),), {}, Code.DUE_DAY_WRONG),
        ((not_met("hw-signs", due_on=TODAY + timedelta(days=366)),), {}, Code.DUE_DAY_WRONG),
        ((not_met("hw-signs", responsible="陌生人"),), {}, Code.RESPONSIBLE_UNKNOWN),
        ((met("hw-signs", remark="长" * 501),), {}, Code.TEXT_NOT_STORABLE),
        ((met("hw-signs"),), {"remark": "钟\x07"}, Code.TEXT_NOT_STORABLE),
    ],
)
def test_an_inspection_that_cannot_be_so_is_refused_and_nothing_kept(record, lines, more, code):
    assert refusal(record, *lines, **more) == code
    assert not Inspection.objects.exists()
    assert not CorrectiveAction.objects.exists()


def test_too_many_pictures_are_refused(record):
    same = photo()
    assert refusal(record, met("hw-signs", photos=[same] * 16), photos=[same] * 15) == Code.TOO_MANY_PHOTOS


def test_somebody_of_another_organisation_is_not_responsible_and_may_not_inspect(
    record, make_user, make_organisation
):
    stranger = make_user("ENVIRONMENT_OFFICER", make_organisation("乙厂"), username="乙")
    assert refusal(record, not_met("hw-signs", responsible="乙")) == Code.RESPONSIBLE_UNKNOWN
    with pytest.raises(NotPermitted):
        record(by=stranger)
    assert not Inspection.objects.exists()


def test_sent_again_it_is_the_same_inspection_and_changed_it_is_refused(record, officer):
    client_id = uuid.uuid4()
    first = record(not_met("hw-signs"), client_id=client_id)
    assert record(not_met("hw-signs"), client_id=client_id) == first
    assert refusal(record, not_met("hw-signs", remark="别的"), client_id=client_id) == Code.CLIENT_ID_REUSED
    assert refusal(record, not_met("hw-signs"), by=officer, client_id=client_id) == Code.CLIENT_ID_REUSED
    assert (
        refusal(record, not_met("hw-signs"), store_code="库2", client_id=client_id) == Code.CLIENT_ID_REUSED
    )
    assert CorrectiveAction.objects.count() == 1
    assert AuditEntry.objects.filter(action="storage.record_inspection").count() == 1


def test_a_corrective_action_is_closed_with_words_a_day_and_a_picture(record, close, worker):
    record(not_met("hw-signs"))
    action = CorrectiveAction.objects.get()
    correction = close(action)
    assert (correction.words, correction.closed_by, correction.photos.count()) == ("已补贴标签", worker, 1)
    row = queries.inspections(organisation=action.organisation).get()
    assert (row.not_met, row.to_correct) == (1, 0)
    [found] = [each for each in queries.lines_of(inspection=row) if each.action]
    assert found.photos == ()  # those of the correction aren't those of the finding


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"words": " "}, Code.CORRECTION_MISSING),
        ({"photos": []}, Code.PHOTO_MISSING),
        ({"corrected_on": TODAY - timedelta(days=1)}, Code.CORRECTED_ON_WRONG),
        ({"corrected_on": TODAY + timedelta(days=4)}, Code.CORRECTED_ON_WRONG),
    ],
)
def test_a_closing_that_lacks_something_is_refused(record, close, more, code):
    record(not_met("hw-signs"))
    assert refusal(close, CorrectiveAction.objects.get(), **more) == code
    assert not models.Correction.objects.exists()


def test_only_who_is_responsible_or_an_officer_closes_it_and_once(
    record, close, officer, make_user, organisation, make_organisation
):
    record(not_met("hw-signs"), not_met("hw-stacking"))
    one, other = CorrectiveAction.objects.order_by("number")
    colleague = make_user("WORKER", organisation, username="丙")
    stranger = make_user("ENVIRONMENT_OFFICER", make_organisation("乙厂"), username="乙")
    assert refusal(close, one, by=colleague) == Code.NOT_RESPONSIBLE
    with pytest.raises(NotPermitted):
        close(one, by=stranger)
    client_id = uuid.uuid4()
    first = close(one, by=officer, client_id=client_id)
    assert close(one, by=officer, client_id=client_id) == first
    assert refusal(close, one) == Code.CORRECTED_ALREADY
    assert close(other).closed_by.username == "甲"


def test_actions_are_narrowed_by_state_and_words(record, close, organisation):
    record(not_met("hw-signs"), not_met("hw-stacking", remark="两桶变形", due_on=TODAY))
    one, other = CorrectiveAction.objects.order_by("number")

    def names(on=TODAY, **asked) -> list[str]:
        rows = queries.actions_narrowed(
            queries.corrective_actions(organisation=organisation), today=on, **asked
        )
        return [row.name for row in rows.order_by("number")]

    assert names(state="open") == ["整改1", "整改2"]
    assert names(state="overdue") == []
    assert names(date(2026, 7, 2), state="overdue") == ["整改2"]
    assert (names(text="变形"), names(text="陌生")) == (["整改2"], [])
    close(other), close(one)
    assert (names(state="open"), names(state="closed"), names(state="late")) == (
        [],
        ["整改1", "整改2"],
        ["整改2"],
    )


def test_a_store_is_due_again_after_the_interval_of_its_kind(record, organisation):
    def due(on: date) -> list[tuple[str, date | None, bool]]:
        return [
            (each.store.code, each.due_on, each.is_overdue)
            for each in queries.stores_due(organisation=organisation, today=on)
        ]

    assert due(TODAY) == [("库1", None, True), ("库2", None, True)]
    record()
    last = TODAY + timedelta(days=known_checklists()[Facility.HAZARDOUS_STORE].interval.days)
    assert due(TODAY) == [("库2", None, True), ("库1", last, False)]
    assert due(last + timedelta(days=1))[1] == ("库1", last, True)
    record(inspected_at=NOW - timedelta(days=20))  # entered later, of before: the newest counts
    assert due(TODAY)[1] == ("库1", last, False)
    kinds = {
        each.store.code: each.facility for each in queries.stores_due(organisation=organisation, today=TODAY)
    }
    assert kinds == {"库1": Facility.HAZARDOUS_STORE, "库2": Facility.GENERAL_STORE}


def test_what_waits_for_a_person_is_his_own_and_for_an_officer_what_is_overdue(
    record, close, officer, worker, organisation
):
    record(not_met("hw-signs"), not_met("hw-stacking", responsible=officer.username, due_on=TODAY))

    def waiting(user, on, officer_of=()) -> list[str]:
        rows = queries.actions_waiting_for(user=user, officer_of=officer_of, on=on)
        return [row.name for row in rows.order_by("number")]

    assert (waiting(worker, TODAY), waiting(officer, TODAY, [organisation.pk])) == (["整改1"], ["整改2"])
    assert waiting(officer, DUE + timedelta(days=1), [organisation.pk]) == ["整改1", "整改2"]
    assert waiting(worker, DUE + timedelta(days=1)) == ["整改1"]
    close(CorrectiveAction.objects.get(number=1))
    assert waiting(worker, TODAY) == []


def test_records_are_append_only(record, close):
    record(not_met("hw-signs", photos=[photo()]))
    close(CorrectiveAction.objects.get())
    for model in (Inspection, InspectionLine, CorrectiveAction, models.Correction, InspectionPhoto):
        key = model.objects.values_list("pk", flat=True)[0]
        with pytest.raises(DatabaseError, match="append_only"), transaction.atomic():
            model.objects.filter(pk=key).update(id=key)
        with pytest.raises(DatabaseError, match="append_only"), transaction.atomic():
            model.objects.filter(pk=key)._raw_delete("default")


def test_inspections_are_numbered_by_organisation(record, organisation, make_organisation, make_user):
    assert [record().number, record(store_code="库2").number] == [1, 2]
    other = make_organisation("乙厂")
    Place.objects.create(organisation=other, code="库1", name="一号库", kind="STORE")
    by = make_user("WORKER", other, username="乙")
    made = services.record_inspection(organisation=other, said=said(), client_id=uuid.uuid4(), by=by, now=NOW)
    assert made.number == 1
    assert queries.inspections(organisation=organisation).count() == 2
