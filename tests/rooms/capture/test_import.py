"""A workbook is imported whole or not at all, once or not again, and every fault is named."""

import gc
import io
from datetime import UTC, date, datetime

import pytest
from openpyxl import load_workbook

from tests.conftest import NOW, valid_uscc
from tests.pure.capture.books import USCC, filled, row
from wufei.capture import services
from wufei.ledger import queries as ledger_queries
from wufei.ledger import services as ledger_services
from wufei.ledger.models import Movement, Place, Stream
from wufei.registry.models import AuditEntry, Organisation, ParkMembership
from wufei.registry.queries import NotPermitted

SOUND = [
    row("2024-01-01", "W01", "期初贮存", 10, store="TS001"),
    row("2024-01-31", "W01", "产生", "1,200", "千克", store="TS001"),
    row("2024-02-29", "W01", "委外利用", 11, method="提铝", counterparty="甲再生公司", store="TS001"),
    row("2024-02-29", "W02", "产生", "1.2万吨", "万吨", store="TS002"),
]


@pytest.fixture
def works(make_organisation):
    """The organisation that the workbooks of the tests are of."""
    return make_organisation("重庆试验铝业有限公司", uscc=USCC, industry_code="321")


@pytest.fixture
def officer(make_user, works):
    return make_user("ENVIRONMENT_OFFICER", works)


@pytest.fixture
def take(works, officer):
    """Import for the officer's own organisation, as the web does."""

    def take(content, **said):
        return services.import_workbook(
            **{"content": content, "by": officer, "now": NOW, "expected_organisation": works} | said
        )

    return take


def faults(result) -> list[tuple[str | None, int | None, str | None, str]]:
    return [(f.sheet, f.row, f.column, f.code) for f in result.errors]


def held(organisation) -> dict[str, int]:
    return {s.stream_code: s.mass_g for s in ledger_queries.stock(organisation=organisation)}


def test_a_sound_workbook_is_posted_and_the_ledger_verifies(take, works):
    result = take(filled(ledger=SOUND))

    assert (result.organisation, result.posted, result.skipped, result.errors) == (USCC, 4, 0, ())
    assert held(works) == {"W01": 200_000, "W02": 12_000_000_000}
    assert ledger_queries.verify(organisation=works).is_ok
    assert AuditEntry.objects.get(action="capture.import").detail["posted"] == 4


def test_the_same_workbook_a_second_time_posts_nothing_and_says_so(take):
    take(filled(ledger=SOUND))

    again = take(filled(ledger=list(reversed(SOUND))))

    assert (again.posted, again.skipped, again.errors, again.is_taken) == (0, 4, (), True)
    assert "台账的 4 行此前都已导入，本次没有记账。" in again.notices
    assert Movement.objects.count() == 4


def test_two_rows_alike_are_two_movements_and_a_third_is_one_more(take):
    cart = row("2024-03-05", "W01", "产生", 5)
    assert take(filled(ledger=[cart, cart])).posted == 2
    assert take(filled(ledger=[cart, cart])).posted == 0

    third = take(filled(ledger=[cart, cart, cart]))

    assert (third.posted, third.skipped) == (1, 2)
    assert Movement.objects.count() == 3


def test_what_was_reversed_may_be_imported_again(take, officer):
    take(filled(ledger=[row("2024-03-05", "W01", "产生", 5)]))
    ledger_services.reverse(movement=Movement.objects.get(), reason="记错", by=officer, now=NOW)

    assert take(filled(ledger=[row("2024-03-05", "W01", "产生", 5)])).posted == 1
    assert take(filled(ledger=[row("2024-03-05", "W01", "产生", 5)])).skipped == 1
    assert Movement.objects.effective().count() == 1


def test_one_fault_and_nothing_at_all_is_written(take, works):
    result = take(
        filled(ledger=[*SOUND, row("2024-02-30", "W01", "产生", 1)], organisation={"详细地址": "新地址1号"})
    )

    assert faults(result) == [("台账", 6, "日期", "day_impossible")]
    assert (result.posted, result.is_taken) == (0, False)
    assert (Movement.objects.count(), Stream.objects.count(), Place.objects.count()) == (0, 0, 0)
    works.refresh_from_db()
    assert works.address == ""
    assert not AuditEntry.objects.exists()


def test_all_refusals_of_the_ledger_are_named_by_row_with_what_would_be_right(take, officer, works):
    take(filled(ledger=[row("2024-01-15", "W01", "产生", 1), row("2024-01-15", "W01", "产生", 2, lot="B0")]))
    ledger_services.close_month(organisation=works, through=date(2024, 1, 31), by=officer, now=NOW)

    result = take(
        filled(
            ledger=[
                row("2024-01-20", "W01", "产生", 5),
                row("2024-02-01", "W99", "产生", 5),
                row("2024-02-01", "W01", "产生", 5, store="TS9"),
                row("2024-02-01", "W01", "产生", 5, lot="B0"),
                row("2024-02-01", "W01", "自行利用", 5, lot="B7"),
                row("2024-02-01", "W02", "自行利用", 1, lot="B0"),
                row("2024-02-01", "W01", "自行处置", "1.5"),
            ]
        )
    )

    assert faults(result) == [
        ("台账", 2, "日期", "month_closed"),
        ("台账", 3, "废物编号", "stream_unknown"),
        ("台账", 4, "设施编码", "store_unknown"),
        ("台账", 5, "批次编码", "lot_code_used"),
        ("台账", 6, "批次编码", "lot_unknown"),
        ("台账", 7, "批次编码", "lot_of_another_stream"),
        ("台账", 8, "数量", "source_overdrawn"),
    ]
    assert "废物清单" in result.errors[1].message
    assert "缺 0.5 吨" in result.errors[6].message


def test_the_first_row_by_day_that_draws_the_store_below_zero_is_blamed(take):
    result = take(
        filled(
            ledger=[
                row("2024-04-30", "W01", "自行利用", 3),
                row("2024-03-31", "W01", "自行利用", 8),
                row("2024-01-31", "W01", "产生", 10),
            ]
        )
    )

    assert faults(result) == [("台账", 2, "数量", "source_overdrawn")]


def test_a_mistake_in_the_list_of_wastes_is_named_where_the_ledger_needs_it(take):
    result = take(
        filled(streams=[["W01", "铝灰", "999-999-99", "熔铸"]], ledger=[row("2024-03-05", "W01", "产生", 5)])
    )

    assert faults(result) == [
        ("废物清单", 2, "废物代码", "waste_code_unknown"),
        ("台账", 2, "废物编号", "stream_unknown"),
    ]
    assert "“废物清单”第2行有错误" in result.errors[1].message


def test_no_store_at_all_is_a_fault(take):
    assert faults(take(filled(stores=[], ledger=[row("2024-03-05", "W01", "产生", 5)]))) == [
        ("台账", 2, "设施编码", "store_missing")
    ]


def test_accept_valid_posts_what_is_sound_and_the_rejects_come_back_corrected(take, works):
    result = take(
        filled(ledger=[*SOUND, row("2024-03-01", "W01", "自行利用", 5, store="TS001")]), accept_valid=True
    )

    assert (result.posted, faults(result)) == (4, [("台账", 6, "数量", "source_overdrawn")])
    book = load_workbook(io.BytesIO(result.rejects))
    assert [r[3].value for r in book["台账"].iter_rows(min_row=2)] == [5]
    book["台账"]["D2"] = "0.2"
    stream = io.BytesIO()
    book.save(stream)
    corrected = take(stream.getvalue())
    assert (corrected.posted, corrected.errors) == (1, ())
    assert held(works) == {"W02": 12_000_000_000}


def test_accept_valid_with_nothing_sound_takes_nothing(take):
    result = take(
        filled(streams=[], stores=[], ledger=[row("2024-03-05", "W01", "产生", 5)]), accept_valid=True
    )

    assert (result.posted, result.is_taken) == (0, False)


def test_a_dry_run_says_what_would_post_and_writes_nothing(take):
    result = take(filled(ledger=SOUND), dry_run=True)

    assert (result.posted, len(result.rows), result.is_taken) == (4, 4, True)
    assert (Movement.objects.count(), Stream.objects.count(), AuditEntry.objects.count()) == (0, 0, 0)


def test_one_organisations_user_cannot_post_for_another(take, make_organisation, officer):
    other = make_organisation("别人的厂", uscc=valid_uscc("91500110MA5U99999"))
    content = filled(organisation={"统一社会信用代码": other.uscc}, ledger=SOUND)

    assert [f.code for f in take(content).errors] == ["organisation_mismatch"]
    with pytest.raises(NotPermitted):
        take(content, expected_organisation=None)
    assert Movement.objects.count() == 0


def test_a_worker_may_not_import(works, make_user, take):
    with pytest.raises(NotPermitted):
        take(filled(ledger=SOUND), by=make_user("WORKER", works))


def test_an_unknown_organisation_is_created_by_the_command_line_alone(operator):
    new = valid_uscc("91500110MA5U77777")
    content = filled(organisation={"统一社会信用代码": new}, ledger=SOUND)
    said = {"content": content, "by": operator, "now": NOW}

    refused = services.import_workbook(**said)
    assert [f.code for f in refused.errors] == ["organisation_unknown"]
    assert not Organisation.objects.filter(uscc=new).exists()

    created = services.import_workbook(**said, may_create_organisation=True)
    assert (created.posted, created.errors) == (4, ())
    assert Organisation.objects.get(uscc=new).division_code == "500110"


def test_what_is_said_of_a_known_organisation_is_kept_up_to_date(take, works):
    take(filled(organisation={"详细地址": "工业路1号", "成立日期": date(1999, 5, 1)}))

    works.refresh_from_db()
    assert (works.address, works.established_on) == ("工业路1号", date(1999, 5, 1))


def test_an_officer_cannot_move_the_organisation_but_the_rest_is_taken(take, works):
    result = take(filled(organisation={"区县": "渝中区", "详细地址": "工业路1号"}, ledger=SOUND))

    works.refresh_from_db()
    assert (works.division_code, works.address, result.posted) == ("500110", "工业路1号", 4)
    assert any("省、市、区县与登记的不一致，未作更改" in notice for notice in result.notices)


def test_an_officer_cannot_join_a_park_by_a_workbook(take, make_organisation):
    make_organisation("试验园区", kind="PARK")

    result = take(filled(organisation={"所属园区": "试验园区"}, ledger=SOUND))

    assert result.posted == 4
    assert not ParkMembership.objects.exists()
    assert any("须由园区或管理员确认" in notice for notice in result.notices)


def test_an_organisation_cannot_make_itself_another_kind(take):
    assert faults(take(filled(organisation={"单位类型": "园区"}))) == [
        ("单位信息", 4, "内容", "kind_contradicted")
    ]


def test_a_registered_park_is_joined_and_an_unknown_one_is_only_noticed(operator, make_organisation):
    park = make_organisation("试验园区", kind="PARK")
    new = valid_uscc("91500110MA5U77777")
    said = {"by": operator, "now": NOW, "may_create_organisation": True}

    services.import_workbook(
        content=filled(organisation={"统一社会信用代码": new, "所属园区": "没有的园区"}), **said
    )
    assert not ParkMembership.objects.exists()
    content = filled(organisation={"统一社会信用代码": new, "所属园区": "试验园区"}, ledger=SOUND)
    for _ in range(2):
        services.import_workbook(content=content, **said)

    [membership] = ParkMembership.objects.all()
    assert (membership.park, membership.joined_on) == (park, date(2024, 1, 1))


def test_the_other_sheets_are_stored_too(take, works):
    from wufei.indicators.models import AnnualOperation, AnnualProduct
    from wufei.policies.models import Declaration

    take(
        filled(
            more={
                "年度经营": [[2024, 98000, 95000, 23000]],
                "产品": [[2024, "铝锭", None, 286000.5, "吨", "是"]],
                "声明": [["安全生产事故", 2024, "否", "已查询"]],
            }
        )
    )

    assert AnnualOperation.objects.get(organisation=works).value_added_10k_yuan == 23000
    assert AnnualProduct.objects.get(organisation=works).is_main
    assert Declaration.objects.get(organisation=works).answer == "NO"


def test_a_store_fuller_than_it_may_be_is_a_fact_and_a_notice(take):
    result = take(filled(ledger=[row("2024-03-05", "W01", "产生", 501, store="TS001")]))

    assert (result.posted, result.errors) == (1, ())
    assert any("TS001" in n and "超过其贮存能力" in n for n in result.notices)


def test_a_file_that_is_not_opened_is_one_fault_of_the_file(take):
    result = take(b"")

    assert [f.as_dict() for f in result.errors] == [
        {"sheet": None, "row": None, "column": None, "code": "file_empty",
         "message": "文件是空的（0 字节）；请重新保存或重新下载后再提交。"}
    ]  # fmt: skip


def test_the_collector_rests_while_a_workbook_is_taken_and_only_then(take):
    seen = []
    take(filled(ledger=SOUND), progress=lambda *_: seen.append(gc.isenabled()))
    after_an_import = gc.isenabled()
    take(b"")

    assert (set(seen), after_an_import, gc.isenabled()) == ({False}, True, True)


def test_a_row_that_the_ledger_refuses_does_not_keep_the_others_from_being_posted(take, works):
    lines = [*SOUND, row("2024-03-01", "W01", "委外利用", 999, counterparty="甲再生公司", store="TS001")]

    result = take(filled(ledger=lines), accept_valid=True)

    assert (result.posted, faults(result)) == (4, [("台账", 6, "数量", "source_overdrawn")])
    assert [r.number for r in result.rows] == [2, 3, 4, 5]
    assert held(works) == {"W01": 200_000, "W02": 12_000_000_000}
    assert AuditEntry.objects.filter(action="ledger.post").count() == 1


def test_progress_passes_through_the_phases(take):
    seen = []
    take(filled(ledger=SOUND), progress=lambda *step: seen.append(step))

    assert [step[0] for step in seen if step[1] == step[2]] == ["reading", "checking", "posting"]


def test_an_import_of_a_future_day_is_refused(take):
    late = datetime(2024, 3, 4, 15, 59, tzinfo=UTC)  # in China one minute before the 5th

    result = take(filled(ledger=[row("2024-03-05", "W01", "产生", 5)]), now=late)

    assert faults(result) == [("台账", 2, "日期", "day_in_future")]


def test_thousands_of_rows_become_as_many_movements_and_the_chain_verifies(take, works):
    many = [row("2024-03-05", "W01", "产生", 1, note=f"磅单{n}") for n in range(4_100)]

    assert take(filled(ledger=many)).posted == 4_100

    assert Movement.objects.count() == 4_100
    assert held(works) == {"W01": 4_100_000_000}
    assert ledger_queries.verify(organisation=works).is_ok
    assert take(filled(ledger=many)).skipped == 4_100
