"""Numbers are given out once, used once, printed once without a reason; who may not, may not."""

import threading
import uuid
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connection, connections, transaction

from tests.conftest import NOW, valid_uscc
from wufei.labels import queries, services
from wufei.labels.digital_id import DigitalId, DigitalIdRefused
from wufei.labels.digital_id import Fault as IdFault
from wufei.labels.models import DigitalIdBlock, DigitalIdCounter, LabelPrint, Particulars, PrintFormat
from wufei.labels.payload import PayloadRefused
from wufei.labels.pictograms import Hazard
from wufei.labels.refusals import Code, LabelRefused
from wufei.ledger.models import Container, Lot, Stream
from wufei.registry.models import AuditEntry, Organisation, RoleAssignment, User
from wufei.registry.queries import NotPermitted

OIL, SLUDGE = "900-249-08", "336-064-17"
TODAY = date(2026, 7, 1)


@pytest.fixture
def drums(ledger):
    """Three drums of oil, one of sludge, a batch of general waste, and bulk."""
    ledger.stores(库1=None)
    ledger.streams("油", waste_code=OIL)
    ledger.streams("泥", waste_code=SLUDGE)
    ledger.streams("砂", waste_code="SW02")
    ledger.post(
        "2026-06-30 油 产生 0.2 吨 库1 桶-1", "2026-06-30 油 产生 0.2 吨 库1 桶-2", "2026-06-30 油 产生 0.2 吨 库1 桶-3",
        "2026-06-30 泥 产生 1 吨 库1 袋-1", "2026-06-30 砂 产生 3 吨 库1 批-1", "2026-06-30 砂 产生 3 吨 库1 -",
    )  # fmt: skip
    return ledger


@pytest.fixture
def said(organisation, officer):
    return {"organisation": organisation, "by": officer, "now": NOW}


def reserve(said, count=5, waste_code=OIL, on=TODAY, client_id=None, **more) -> DigitalIdBlock:
    return services.reserve_numbers(
        waste_code=waste_code, on=on, count=count, client_id=client_id or uuid.uuid4(), **said | more
    )


def number(said, lot_code: str, **more) -> Container:
    return services.number_container(
        lot_code=lot_code, client_id=uuid.uuid4(), **{"packaging": "DRUM", "volume_ml": 200_000} | said | more
    )


def lot(code: str) -> Lot:
    return Lot.objects.get(code=code)


def print_of(said, *codes: str, **more) -> list[LabelPrint]:
    return services.record_prints(
        lots=[lot(code) for code in codes],
        **{"print_format": PrintFormat.PDF, "count": 1, "client_id": uuid.uuid4()} | said | more,
    )


def refusal(do, *args, **more) -> str:
    with pytest.raises(LabelRefused) as refused:
        do(*args, **more)
    return refused.value.code


# --- numbers


def test_numbers_follow_each_other_and_each_waste_and_day_begins_anew(said):
    got = [
        reserve(said, 5),
        reserve(said, 1),
        reserve(said, 10, SLUDGE),
        reserve(said, 3, on=date(2026, 7, 2)),
    ]
    assert [(block.first, block.last) for block in got] == [(1, 5), (6, 6), (1, 10), (1, 3)]
    assert sorted(block.count for block in queries.blocks(organisation=said["organisation"])) == [1, 3, 5, 10]
    assert AuditEntry.objects.filter(action="labels.reserve_numbers").count() == 4


def test_asked_again_under_the_same_client_id_the_same_numbers_come(said):
    client_id = uuid.uuid4()
    first, again = reserve(said, 5, client_id=client_id), reserve(said, 5, client_id=client_id)
    assert first == again
    assert DigitalIdCounter.objects.get().last == 5
    assert refusal(reserve, said, 6, client_id=client_id) == Code.CLIENT_ID_REUSED
    assert refusal(reserve, said, 5, SLUDGE, client_id=client_id) == Code.CLIENT_ID_REUSED


def test_a_day_has_999_numbers_and_no_more(said):
    reserve(said, 990)
    with pytest.raises(LabelRefused) as refused:
        reserve(said, 10)
    assert (refused.value.code, refused.value.detail) == (Code.NUMBERS_EXHAUSTED, "还剩 9 个")
    assert reserve(said, 9).last == 999
    assert refusal(reserve, said, 1) == Code.NUMBERS_EXHAUSTED
    assert DigitalIdCounter.objects.get().last == 999


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"count": 0}, Code.COUNT_OUT_OF_RANGE),
        ({"count": 1000}, Code.COUNT_OUT_OF_RANGE),
        ({"waste_code": "900-001-S17"}, Code.WASTE_NOT_HAZARDOUS),
        ({"waste_code": "999-999-99"}, Code.WASTE_NOT_HAZARDOUS),
        ({"on": TODAY + timedelta(days=32)}, Code.DAY_OUT_OF_RANGE),
        ({"on": TODAY - timedelta(days=32)}, Code.DAY_OUT_OF_RANGE),
    ],
)
def test_what_cannot_be_reserved_is_refused_and_nothing_is_kept(said, more, code):
    assert refusal(reserve, said, **more) == code
    assert not DigitalIdBlock.objects.exists()
    assert not DigitalIdCounter.objects.exists()


def test_an_organisation_whose_code_is_wrong_gets_no_numbers(said, make_organisation, make_user):
    wrong = make_organisation(uscc="91500110MA5U999990")
    worker = make_user("WORKER", wrong)
    assert refusal(reserve, said, organisation=wrong, by=worker) == Code.ORGANISATION_HAS_NO_VALID_CODE


def test_blocks_and_prints_cannot_be_changed_or_deleted_in_the_database(said, drums):
    reserve(said)
    number(said, "桶-1")
    print_of(said, "桶-1")
    for model, change in ((DigitalIdBlock, {"device": "x"}), (LabelPrint, {"count": 9})):
        for do in (lambda m=model, c=change: m.objects.update(**c), lambda m=model: m.objects.all().delete()):
            with pytest.raises(DatabaseError, match="append_only"), transaction.atomic():
                do()


def test_overlapping_blocks_are_refused_by_the_database_too(said):
    block = reserve(said)
    copy = DigitalIdBlock.objects.get(pk=block.pk)
    copy.pk, copy.client_id = None, uuid.uuid4()
    with pytest.raises(IntegrityError), transaction.atomic():
        copy.save(force_insert=True)


# --- a number on a container


def test_a_container_gets_the_next_number_of_its_own_day(said, drums):
    first, second = number(said, "桶-1"), number(said, "桶-2")
    uscc = said["organisation"].uscc
    assert [first.digital_id, second.digital_id] == [f"{uscc}9002490820260630{at:03d}" for at in (1, 2)]
    again = number(said, "桶-1", volume_ml=60_000)
    assert (again.digital_id, again.volume_ml) == (first.digital_id, 60_000)
    assert DigitalIdCounter.objects.get().last == 2
    assert number(said, "批-1", packaging="BAG").digital_id is None


def use(said, lot_code: str, digital_id: DigitalId, **more) -> Container:
    return services.use_number(
        lot_code=lot_code, digital_id=digital_id, **{"packaging": "DRUM"} | said | more
    )


def test_a_reserved_number_is_used_once(said, drums):
    block = reserve(said, 2)
    uscc = said["organisation"].uscc
    mine, other = DigitalId(uscc, OIL, TODAY, block.first), DigitalId(uscc, OIL, TODAY, block.last)
    assert use(said, "桶-1", mine).digital_id == str(mine)
    assert use(said, "桶-1", mine).digital_id == str(mine)  # again: nothing changes
    assert refusal(use, said, "桶-2", mine) == Code.NUMBER_USED
    assert refusal(use, said, "桶-1", other) == Code.LOT_NUMBERED_ALREADY
    assert refusal(use, said, "桶-3", DigitalId(uscc, OIL, TODAY, 3)) == Code.NUMBER_NOT_RESERVED
    assert refusal(use, said, "袋-1", other) == Code.NUMBER_OF_ANOTHER_WASTE
    elsewhere = DigitalId(valid_uscc("91500110MA5U90001"), OIL, TODAY, 1)
    assert refusal(use, said, "桶-3", elsewhere) == Code.NUMBER_OF_ANOTHER_ORGANISATION
    assert refusal(use, said, "没有", other) == Code.LOT_UNKNOWN
    assert refusal(use, said, "散堆-砂", other) == Code.LOT_UNKNOWN
    assert [c.lot.code for c in Container.objects.exclude(digital_id=None)] == ["桶-1"]


# --- what stands on a label


def test_a_label_says_what_the_ledger_and_the_list_know(said, drums):
    organisation = said["organisation"]
    Organisation.objects.filter(pk=organisation.pk).update(contact="王建国", phone="023-1")
    number(said, "桶-1", volume_ml=500_000)
    of = queries.label(queries.lot_with(organisation=organisation, code="桶-1"))
    assert (of.name, of.category, of.mass_g, of.contact, of.lot) == (
        "废物油",
        "HW08",
        200_000,
        "王建国 023-1",
        "桶-1",
    )
    assert of.hazards == (Hazard.TOXIC, Hazard.FLAMMABLE)
    assert of.precautions == "远离火源和热源；避免接触皮肤和吸入。"
    assert (str(of.digital_id), of.size.side_mm, queries.faces(of)) == (
        lot("桶-1").container.digital_id,
        200,
        2,
    )
    general = queries.label(queries.lot_with(organisation=organisation, code="批-1"))
    assert (general.lot, general.mass_g, general.on, queries.faces(general)) == (
        "批-1",
        3_000_000,
        date(2026, 6, 30),
        1,
    )


def test_what_was_written_for_the_stream_goes_before_what_the_list_says(said, drums):
    number(said, "桶-1")
    stream = Stream.objects.get(code="油")
    services.keep_particulars(
        stream=stream, version=0, hazards="C, T", harmful_components="石油烃", precautions="轻放", contact="张三",
        remarks="易碎", by=said["by"], now=NOW,
    )  # fmt: skip
    of = queries.label(queries.lot_with(organisation=said["organisation"], code="桶-1"))
    assert of.hazards == (Hazard.CORROSIVE, Hazard.TOXIC)
    assert (of.harmful_components, of.precautions, of.contact, of.remarks) == (
        "石油烃",
        "轻放",
        "张三",
        "易碎",
    )


def test_particulars_of_a_stale_reading_or_of_an_unknown_hazard_are_refused(said, drums):
    stream = Stream.objects.get(code="油")
    keep = {"stream": stream, "by": said["by"], "now": NOW}
    services.keep_particulars(version=0, remarks="一", **keep)
    assert refusal(services.keep_particulars, version=0, remarks="二", **keep) == Code.STALE_EDIT
    assert refusal(services.keep_particulars, version=1, hazards="T,X", **keep) == Code.HAZARD_UNKNOWN
    assert Particulars.objects.get().remarks == "一"


def test_a_lot_is_found_by_its_code_its_number_and_its_scanned_code(said, drums):
    organisation = said["organisation"]
    held = number(said, "桶-1")
    of = queries.label(queries.lot_with(organisation=organisation, code="桶-1"))
    for code in ("桶-1", held.digital_id, of.digital_id.grouped, str(of.payload), f" {of.payload}\n"):
        assert queries.lot_with(organisation=organisation, code=code).code == "桶-1"
        assert queries.lot_of_anybody(code=code).code == "桶-1"
    general = queries.label(queries.lot_with(organisation=organisation, code="批-1"))
    assert queries.lot_with(organisation=organisation, code=str(general.payload)).code == "批-1"


def test_what_was_scanned_and_is_nothing_of_ours_is_refused_with_the_reason(said, drums):
    organisation = said["organisation"]
    whole = number(said, "桶-1").digital_id
    assert refusal(queries.lot_with, organisation=organisation, code="没有") == Code.LOT_UNKNOWN
    assert refusal(queries.lot_of_anybody, code="没有") == Code.LOT_UNKNOWN
    assert refusal(queries.lot_with, organisation=organisation, code=f"{whole[:-3]}999") == Code.LOT_UNKNOWN
    for torn in (whole[:-1], whole[:25]):
        with pytest.raises(DigitalIdRefused) as refused:
            queries.lot_with(organisation=organisation, code=torn)
        assert refused.value.fault is IdFault.CODE_TORN
    for scanned in ("https://example.org/1", "WF1/H/9150", "WF7/x"):
        with pytest.raises(PayloadRefused):
            queries.lot_with(organisation=organisation, code=scanned)


def test_a_code_that_two_organisations_use_is_not_guessed(said, drums, make_organisation, make_user):
    from tests.tables import LedgerTable

    other = make_organisation("乙厂")
    theirs = LedgerTable(organisation=other, by=make_user("WORKER", other), now=NOW)
    theirs.by = make_user("ENVIRONMENT_OFFICER", other)
    theirs.stores(库1=None)
    theirs.streams("油", waste_code=OIL)
    theirs.post("2026-06-30 油 产生 0.2 吨 库1 桶-1")
    assert refusal(queries.lot_of_anybody, code="桶-1") == Code.LOT_AMBIGUOUS
    assert queries.lot_with(organisation=other, code="桶-1").organisation == other
    assert queries.lot_of_anybody(code=number(said, "桶-1").digital_id).organisation == said["organisation"]


# --- prints


def test_the_first_print_needs_no_reason_and_every_further_one_does(said, drums):
    number(said, "桶-1")
    [first] = print_of(said, "桶-1", reason="没有用的话")
    assert (first.is_reprint, first.reason, first.digital_id) == (False, "", lot("桶-1").container.digital_id)
    assert refusal(print_of, said, "桶-1") == Code.REPRINT_WITHOUT_REASON
    assert refusal(print_of, said, "桶-1", reason="  ") == Code.REPRINT_WITHOUT_REASON
    [again] = print_of(said, "桶-1", reason="破损", print_format=PrintFormat.ZPL, count=2)
    assert (again.is_reprint, again.reason, again.count) == (True, "破损", 2)
    assert LabelPrint.objects.count() == 2


def test_a_print_that_is_sent_again_counts_once(said, drums):
    client_id = uuid.uuid4()
    once = print_of(said, "批-1", client_id=client_id)
    assert print_of(said, "批-1", client_id=client_id) == once
    number(said, "桶-1")
    assert refusal(print_of, said, "桶-1", client_id=client_id) == Code.CLIENT_ID_REUSED
    assert LabelPrint.objects.count() == 1


def test_of_many_labels_only_those_printed_before_are_reprints(said, drums):
    number(said, "桶-1"), number(said, "桶-2")
    print_of(said, "桶-1")
    assert refusal(print_of, said, "桶-1", "桶-2", "批-1") == Code.REPRINT_WITHOUT_REASON
    rows = print_of(said, "桶-1", "桶-2", "批-1", reason="换纸")
    assert {row.lot.code: (row.is_reprint, row.reason) for row in rows} == {
        "桶-1": (True, "换纸"), "桶-2": (False, ""), "批-1": (False, ""),
    }  # fmt: skip
    assert AuditEntry.objects.filter(action="labels.print").count() == 4


@pytest.mark.parametrize("count", [0, -1, 21])
def test_a_print_of_none_or_of_far_too_many_is_refused(said, drums, count):
    assert refusal(print_of, said, "批-1", count=count) == Code.PRINT_COUNT_OUT_OF_RANGE


def test_no_more_is_printed_at_once_than_a_file_may_hold(said, drums):
    drums.post(*(f"2026-06-30 砂 产生 0.1 吨 库1 多-{at}" for at in range(21)))
    codes = [f"多-{at}" for at in range(21)]
    assert refusal(print_of, said, *codes, count=20) == Code.PRINT_COUNT_OUT_OF_RANGE
    assert len(print_of(said, *codes[:20], count=20)) == 20


def test_hazardous_waste_without_a_number_gets_no_label(said, drums):
    assert refusal(print_of, said, "批-1", "桶-1") == Code.LOT_WITHOUT_NUMBER
    assert (
        refusal(queries.label, queries.lot_with(organisation=said["organisation"], code="桶-1"))
        == Code.LOT_WITHOUT_NUMBER
    )
    assert not LabelPrint.objects.exists()


def test_who_may_not_post_may_neither_reserve_nor_number_nor_print(said, drums, make_organisation, make_user):
    park = make_user("PARK_OFFICER", make_organisation(kind="PARK"))
    stranger = make_user("ENVIRONMENT_OFFICER", make_organisation())
    worker = make_user("WORKER", said["organisation"])
    for person in (park, stranger):
        for do in (
            lambda p=person: reserve(said, by=p), lambda p=person: number(said, "桶-1", by=p),
            lambda p=person: print_of(said, "批-1", by=p),
            lambda p=person: use(said, "桶-1", DigitalId(said["organisation"].uscc, OIL, TODAY, 1), by=p),
        ):  # fmt: skip
            with pytest.raises(NotPermitted):
                do()
    with pytest.raises(NotPermitted):
        services.keep_particulars(stream=Stream.objects.get(code="油"), version=0, by=worker, now=NOW)
    assert reserve(said, by=worker).first == 1
    number(said, "桶-1", by=worker)
    assert print_of(said, "桶-1", by=worker)[0].printed_by == worker


def test_a_lot_of_another_organisation_is_not_printed(said, drums, make_organisation, make_user):
    other = make_organisation()
    officer = make_user("ENVIRONMENT_OFFICER", other)
    assert refusal(print_of, said, "批-1", organisation=other, by=officer) == Code.LOT_UNKNOWN


def test_the_list_is_read_in_the_same_few_queries_however_many(said, drums, django_assert_num_queries):
    def shown() -> list[str]:
        rows = queries.lots(organisation=said["organisation"], wanted=queries.Wanted(waste_class="HAZARDOUS"))
        return [f"{r.code} {r.stream.process.name} {queries.container_of(r)} "
                f"{r.store_name} {r.printed}" for r in rows.order_by("code")]  # fmt: skip

    with django_assert_num_queries(1):
        assert len(shown()) == 4
    drums.post(*(f"2026-06-30 油 产生 0.1 吨 库1 多-{at}" for at in range(30)))
    with django_assert_num_queries(1):
        assert len(shown()) == 34


@pytest.mark.parametrize(
    ("wanted", "codes"),
    [
        ({"text": "桶"}, "桶-1 桶-2 桶-3"),
        ({"text": "废物泥"}, "袋-1"),
        ({"stream": "砂"}, "批-1"),
        ({"store": "库1", "waste_class": "GENERAL"}, "批-1"),
        ({"store": "没有"}, ""),
        ({"printed": "yes"}, "桶-1"),
        ({"printed": "no", "waste_class": "HAZARDOUS"}, "桶-2 桶-3 袋-1"),
    ],
)
def test_the_list_is_narrowed_by_what_is_asked(said, drums, wanted, codes):
    number(said, "桶-1")
    print_of(said, "桶-1")
    rows = queries.lots(organisation=said["organisation"], wanted=queries.Wanted(**wanted))
    assert sorted(row.code for row in rows) == codes.split()


def test_what_has_left_is_listed_only_where_it_is_asked_for(said, drums):
    drums.post("2026-07-01 油 委外利用 0.2 吨 库1 桶-1", counterparty="綦岭水泥")

    def oil(**wanted) -> list[str]:
        rows = queries.lots(organisation=said["organisation"], wanted=queries.Wanted(stream="油", **wanted))
        return sorted(row.code for row in rows)

    assert oil() == ["桶-2", "桶-3"]
    assert oil(scope="all") == oil(text="桶") == ["桶-1", "桶-2", "桶-3"]


# --- at the same moment

THREADS, ROUNDS = 8, 6


def _world() -> tuple[Organisation, User]:
    organisation = Organisation.objects.create(
        uscc=valid_uscc("91500110MA5U00001"), name="甲厂", kind="ENTERPRISE", division_code="500110",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    user = User.objects.create(username="worker")
    RoleAssignment.objects.create(user=user, organisation=organisation, role="WORKER")
    return organisation, user


def _race(do) -> list[Exception]:
    """Let every thread do it a few times at the same moment; return what went wrong."""
    start, wrong = threading.Barrier(THREADS), []

    def run(who: int) -> None:
        try:
            start.wait()
            for at in range(ROUNDS):
                do(who, at)
        except Exception as error:  # shown by the assertion
            wrong.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(who,)) for who in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return wrong


def _overlaps(blocks: list[tuple[int, int]]) -> bool:
    taken = [at for first, last in blocks for at in range(first, last + 1)]
    return len(taken) != len(set(taken))


def test_blocks_reserved_at_the_same_moment_never_overlap(own_store):
    organisation, user = _world()
    said = {"organisation": organisation, "by": user, "now": NOW}
    assert _race(lambda who, at: reserve(said, count=who + at + 1)) == []
    blocks = list(DigitalIdBlock.objects.values_list("first", "last"))
    assert len(blocks) == THREADS * ROUNDS
    assert not _overlaps(blocks)
    assert max(last for _, last in blocks) == sum(last - first + 1 for first, last in blocks)


def test_a_request_sent_again_at_the_same_moment_gets_the_same_numbers(own_store):
    organisation, user = _world()
    said = {"organisation": organisation, "by": user, "now": NOW}
    client_ids = [uuid.uuid4() for _ in range(ROUNDS)]
    assert _race(lambda _, at: reserve(said, count=3, client_id=client_ids[at])) == []
    assert DigitalIdBlock.objects.count() == ROUNDS
    assert DigitalIdCounter.objects.get().last == 3 * ROUNDS


def test_the_last_numbers_of_a_day_are_given_to_one_alone(own_store):
    organisation, user = _world()
    said = {"organisation": organisation, "by": user, "now": NOW}
    reserve(said, count=989)
    refused = []

    def take(who: int, at: int) -> None:
        try:
            reserve(said, count=4)
        except LabelRefused as why:
            refused.append(why.code)

    assert _race(take) == []
    assert DigitalIdCounter.objects.get().last == 997
    assert refused == [Code.NUMBERS_EXHAUSTED] * (THREADS * ROUNDS - 2)


def test_who_reads_and_then_writes_gives_the_same_numbers_out_twice(own_store):
    """The control: without the conditional update the same race makes overlapping blocks."""
    organisation, _ = _world()
    DigitalIdCounter.objects.create(organisation=organisation, waste_code=OIL, on=TODAY)
    given, between = [], threading.Barrier(THREADS)

    def careless(_who: int, _at: int) -> None:
        last = DigitalIdCounter.objects.get().last
        between.wait()
        DigitalIdCounter.objects.update(last=last + 5)
        given.append((last + 1, last + 5))

    assert _race(careless) == []
    assert _overlaps(given)
    assert connection.vendor == own_store
