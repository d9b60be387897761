"""`wufei template` and `wufei import`, by the published description of the workbook alone."""

from datetime import date, datetime
from fractions import Fraction

import pytest
from openpyxl import load_workbook

from tests.contract.workbooks import (
    LEDGER,
    STORE,
    enterprise,
    moved,
    save,
    uscc,
    waste,
    workbook,
)

CODE = uscc(1)
KEYS = ["organisation", "posted", "skipped", "notices", "errors"]
ERROR_KEYS = ["sheet", "row", "column", "code", "message"]


def figures(wufei, code, first, last):
    answer = wufei("indicators", code, "--from", first, "--to", last, "--json")
    assert answer.code == 0, answer.err
    return {
        (f["id"], f["year"], f["stream"]): f["value"] for f in answer.json["figures"] if "dimension" not in f
    }


@pytest.fixture
def take(wufei, tmp_path):
    """Save a workbook and import it: `take(book, "--dry-run")` returns the answer."""

    def run(book, *options, name="data.xlsx"):
        path = save(book, tmp_path / name)
        return wufei("import", path, *options, "--json")

    return run


def test_the_template_comes_back_as_it_is_described(wufei, tmp_path):
    path = tmp_path / "模板.xlsx"
    answer = wufei("template", path)
    assert answer.code == 0
    book = load_workbook(path)
    assert book.sheetnames == ["单位信息", "年度经营", "产品", "废物清单", "贮存设施", "台账", "声明"]
    assert [c.value for c in book["台账"][1]] == LEDGER
    assert all(cell.comment for cell in book["台账"][1]), "notes on each column"
    assert book["台账"].data_validations.dataValidation, "drop-down lists"
    assert "示例" in book["台账"]["A2"].value

    # Filled below the example row, which is ignored.
    for row in book["单位信息"].iter_rows(min_row=2):
        if row[0].value in enterprise(CODE):
            row[1].value = enterprise(CODE)[row[0].value]
    book["废物清单"].append(["W01", "炉渣", "SW03", "锅炉"])
    book["贮存设施"].append(["TS001", "渣场"])
    book["台账"].append([date(2024, 1, 31), "W01", "产生", 5, "吨"])
    book.save(path)
    answer = wufei("import", path, "--json")
    assert (answer.code, answer.json["posted"], answer.json["errors"]) == (0, 1, [])


def test_import_answers_with_exactly_what_the_contract_names(take):
    answer = take(workbook(enterprise(CODE), ledger=[moved("2024-03-05", "W01", "产生", 5)]))
    assert (answer.code, list(answer.json)) == (0, KEYS)
    said = answer.json
    assert (said["organisation"], said["posted"], said["skipped"], said["errors"]) == (CODE, 1, 0, [])
    assert all(isinstance(notice, str) for notice in said["notices"])


def test_a_second_import_posts_nothing_and_says_so(take, wufei):
    book = workbook(enterprise(CODE), ledger=[moved("2024-03-05", "W01", "产生", 5)] * 2)
    take(book)
    again = take(book)
    assert (again.code, again.json["posted"], again.json["skipped"]) == (0, 0, 2)
    assert any("没有记账" in notice for notice in again.json["notices"])
    assert wufei("verify", "--json").json["movements"] == 2


def test_a_dry_run_leaves_nothing(take, wufei):
    from wufei.registry.models import Organisation

    answer = take(workbook(enterprise(CODE), ledger=[moved("2024-03-05", "W01", "产生", 5)]), "--dry-run")
    assert (answer.code, answer.json["posted"]) == (0, 1)
    assert not Organisation.objects.exists()
    assert wufei("verify", "--json").json["movements"] == 0
    assert wufei("indicators", CODE, "--from", 2024, "--to", 2024).code == 1


def test_a_failing_first_import_leaves_nothing_at_all(take):
    from wufei.indicators.models import AnnualOperation, AnnualProduct
    from wufei.ledger.models import Lot, Movement, Place, Stream
    from wufei.policies.models import Declaration
    from wufei.registry.models import AuditEntry, Organisation

    book = workbook(
        enterprise(CODE),
        ledger=[moved("2024-03-05", "W01", "产生", 5), moved("2024-03-06", "W01", "自行利用", 6)],
        more={
            "年度经营": [{"年份": 2024, "工业增加值(万元)": 100}],
            "产品": [{"年份": 2024, "产品名称": "铝", "产量": 10, "单位": "吨"}],
            "声明": [{"项目": "安全生产事故", "年份": 2024, "结论": "否"}],
        },
    )
    answer = take(book)
    assert (answer.code, answer.json["posted"]) == (1, 0)
    [error] = answer.json["errors"]
    assert list(error) == ERROR_KEYS
    assert (error["sheet"], error["row"], error["column"]) == ("台账", 3, "数量")
    for model in (Organisation, Stream, Place, Lot, Movement, AnnualOperation, AnnualProduct, Declaration):
        assert not model.objects.exists(), model.__name__
    assert not AuditEntry.objects.exclude(organisation=None).exists()


def test_columns_may_stand_in_any_order_and_extra_ones_are_ignored_with_a_notice(take, wufei):
    book = workbook(
        enterprise(CODE),
        ledger=[moved("2024-03-31", "W01", "产生", 7, 车牌号="渝A12345", 备注="夜班")],
        columns={
            "台账": ["备注", "单位", "车牌号", "数量", "环节", "废物编号", "日期"],
            "废物清单": ["产生工序", "废物代码", "废物名称", "废物编号"],
            "贮存设施": ["设施名称", "设施编码"],
        },
    )
    book.create_sheet("我的草稿").append(["随便"])
    answer = take(book)
    assert (answer.code, answer.json["posted"]) == (0, 1)
    assert any("车牌号" in notice for notice in answer.json["notices"])
    assert any("我的草稿" in notice for notice in answer.json["notices"])
    assert figures(wufei, CODE, 2024, 2024)["generation_t", 2024, "W01"] == "7"


def test_the_least_that_may_be_filled_is_enough(take):
    least = {k: v for k, v in enterprise(CODE).items() if k not in ("行业代码", "成立日期")}
    book = workbook(
        least,
        ledger=[moved("2024-03-31", "W01", "产生", 7)],
        columns={"台账": LEDGER[:5], "废物清单": ["废物编号", "废物名称", "废物代码", "产生工序"]},
    )
    for name in ("年度经营", "产品", "声明"):
        book.create_sheet(name)  # there, but without even a header
    answer = take(book)
    assert (answer.code, answer.json["errors"], answer.json["posted"]) == (0, [], 1)


@pytest.mark.parametrize(
    "day",
    [
        "2024-3-5", "2024/03/05", "2024.3.5", "2024年3月5日", "2024 年 3 月 5 日", "二〇二四年三月五日", "20240305",
        "２０２４年３月５日", "２０２４－０３－０５", "2024年03月05号", "2024-03-05 08:30:00", date(2024, 3, 5),
        datetime(2024, 3, 5, 8, 30), 20240305, "2024．3．5", "2024/3/5 0:00",
    ],
)  # fmt: skip
def test_days_are_read_in_the_usual_chinese_forms(take, day):
    from wufei.ledger.models import Movement

    answer = take(workbook(enterprise(CODE), ledger=[moved(day, "W01", "产生", 7)]))
    assert (answer.code, answer.json["errors"]) == (0, [])
    assert Movement.objects.get().moved_on == date(2024, 3, 5)


@pytest.mark.parametrize(
    "day",
    [
        "2024-02-30",
        "2023年2月29日",
        "2024-13-01",
        "去年三月",
        "03/05/2024",
        "5-3-24",
        "2024-03",
        45356.0,
        3.5,
    ],
)
def test_impossible_or_uncertain_days_are_refused_where_they_stand(take, day):
    answer = take(workbook(enterprise(CODE), ledger=[moved(day, "W01", "产生", 7)]))
    assert answer.code == 1
    [error] = answer.json["errors"]
    assert (error["sheet"], error["row"], error["column"]) == ("台账", 2, "日期")
    assert "日期" in error["message"] or "月最后一天" in error["message"]


@pytest.mark.parametrize(
    ("amount", "unit", "grams"),
    [
        ("１２．５", "吨", 12_500_000),
        ("１，２００", "吨", 1_200_000_000),
        ("1,200.5", "千克", 1_200_500),
        ("1 200", "吨", 1_200_000_000),
        ("1.2万吨", "万吨", 12_000_000_000),
        ("1.2万吨", None, 12_000_000_000),
        ("3吨", "吨", 3_000_000),
        ("500公斤", None, 500_000),
        ("500 kg", "千克", 500_000),
        ("12.5 t", "吨", 12_500_000),
        (0.1 + 0.2, "吨", 300_000),
        (1.005, "吨", 1_005_000),
        (12.3456, "万吨", 123_456_000_000),
        (0.001, "千克", 1),
        (1e-6, "吨", 1),
        ("1.5E3", "吨", 1_500_000_000),
        (5, "ｔ", 5_000_000),
        (5, "公斤", 5_000),
    ],
)
def test_amounts_are_read_exactly_where_their_meaning_is_certain(take, amount, unit, grams):
    from wufei.ledger.models import Movement

    answer = take(workbook(enterprise(CODE), ledger=[moved("2024-03-05", "W01", "产生", amount, unit)]))
    assert (answer.code, answer.json["errors"]) == (0, [])
    assert Movement.objects.get().mass_g == grams


@pytest.mark.parametrize(
    ("amount", "unit"),
    [
        (-5, "吨"), (0, "吨"), ("零", "吨"), ("约5", "吨"), ("5-6", "吨"), ("1.2万", "吨"), ("5吨", "千克"), (5, "车"),
        (5, None), ("=1+2", "吨"), (100_000_001, "吨"), (10_001, "万吨"), ("1,20", "吨"), ("1.2.3", "吨"), (True, "吨"),
        (0.0000001, "吨"), ("五", "吨"), ("#N/A", "吨"), (None, "吨"), ("5 立方米", "吨"), ("NaN", "吨"),
    ],
)  # fmt: skip
def test_amounts_that_are_not_certain_are_refused_with_a_reason(take, amount, unit):
    answer = take(workbook(enterprise(CODE), ledger=[moved("2024-03-05", "W01", "产生", amount, unit)]))
    assert (answer.code, answer.json["posted"]) == (1, 0)
    [error] = answer.json["errors"]
    assert (error["sheet"], error["row"]) == ("台账", 2)
    assert error["column"] in ("数量", "单位")
    assert any("一" <= c <= "鿿" for c in error["message"])


def test_the_largest_believable_amount_is_taken(take):
    answer = take(workbook(enterprise(CODE), ledger=[moved("2024-03-05", "W01", "产生", 10_000, "万吨")]))
    assert (answer.code, answer.json["posted"]) == (0, 1)


def test_a_monthly_ledger_whose_days_are_month_ends(take, wufei):
    days = [date(2024, m, 31 if m in (1, 3, 5, 7, 8, 10, 12) else 29 if m == 2 else 30) for m in range(1, 13)]
    rows = [moved(day, "W01", "产生", 10) for day in days] + [
        moved(day, "W01", "自行利用", 8) for day in days
    ]
    assert take(workbook(enterprise(CODE), ledger=rows)).json["posted"] == 24
    got = figures(wufei, CODE, 2024, 2024)
    assert (got["generation_t", 2024, None], got["stock_t", 2024, None]) == ("120", "24")


def test_rows_may_stand_in_any_order_of_days(take, wufei):
    rows = [moved("2024-12-31", "W01", "自行利用", 10), moved("2024-01-31", "W01", "产生", 10)]
    assert take(workbook(enterprise(CODE), ledger=rows)).code == 0


def test_use_before_generation_is_more_than_the_store_holds(take):
    rows = [moved("2024-01-31", "W01", "自行利用", 10), moved("2024-12-31", "W01", "产生", 10)]
    answer = take(workbook(enterprise(CODE), ledger=rows))
    assert [e["code"] for e in answer.json["errors"]] == ["source_overdrawn"]


def test_every_stage_of_the_ledger_moves_mass_the_way_it_says(take, wufei):
    day = "2024-06-30"
    rows = [
        moved("2024-01-01", "W01", "期初贮存", 100), moved(day, "W01", "产生", 50), moved(day, "W01", "接收", 30),
        moved(day, "W01", "盘盈", 3), moved(day, "W01", "盘亏", 1), moved(day, "W01", "自行利用", 10, 方式="制砖"),
        moved(day, "W01", "自行处置", 11, 方式="填埋"), moved(day, "W01", "委外利用", 12, 对方单位="甲公司"),
        moved(day, "W01", "委外处置", 13, 对方单位="乙公司"),
    ]  # fmt: skip
    answer = take(workbook(enterprise(CODE), ledger=rows))
    assert (answer.json["errors"], answer.json["posted"]) == ([], 9)
    stock = 100 + 50 + 30 + 3 - 1 - 10 - 11 - 12 - 13
    assert Fraction(figures(wufei, CODE, 2024, 2024)["stock_t", 2024, None]) == stock


def test_generation_goes_to_the_first_store_where_none_is_named(take):
    stores = [STORE, {"设施编码": "TS002", "设施名称": "二号"}]
    rows = [
        moved("2024-01-01", "W01", "产生", 10),
        moved("2024-01-02", "W01", "自行利用", 10, 设施编码="TS001"),
    ]
    assert take(workbook(enterprise(CODE), stores=stores, ledger=rows)).code == 0
    wrong = [
        moved("2024-01-03", "W01", "产生", 10),
        moved("2024-01-04", "W01", "自行利用", 10, 设施编码="TS002"),
    ]
    answer = take(workbook(enterprise(CODE), stores=stores, ledger=wrong))
    assert [(e["row"], e["code"]) for e in answer.json["errors"]] == [(3, "source_overdrawn")]


def test_a_labelled_lot_is_put_in_once_and_taken_out_by_its_code(take):
    rows = [
        moved("2024-01-01", "W01", "产生", 1, 批次编码="HWCS20240101001"),
        moved("2024-01-02", "W01", "产生", 2, 批次编码="HWCS20240102001"),
        moved("2024-01-03", "W01", "委外处置", 1, 批次编码="HWCS20240101001", 对方单位="丙公司"),
    ]
    assert take(workbook(enterprise(CODE), ledger=rows)).json["posted"] == 3
    twice = [moved("2024-02-01", "W01", "产生", 1, 批次编码="HWCS20240101001")]
    answer = take(workbook(enterprise(CODE), ledger=twice))
    assert [(e["column"], e["code"]) for e in answer.json["errors"]] == [("批次编码", "lot_code_used")]
    nowhere = [moved("2024-02-01", "W01", "自行利用", 1, 批次编码="没有这一批")]
    answer = take(workbook(enterprise(CODE), ledger=nowhere))
    assert [e["column"] for e in answer.json["errors"]] == ["批次编码"]


def test_codes_that_excel_turned_into_numbers_are_still_the_same_codes(take):
    book = workbook(
        enterprise(CODE, 电话=13800138000, 行业代码=321),
        streams=[waste(1)],
        stores=[{"设施编码": 7, "设施名称": "渣场", "能力(吨)": "500吨"}],
        ledger=[
            moved("2024-01-01", "1", "产生", 5, 设施编码="7"),
            moved("2024-01-02", 1.0, "自行利用", 5, 设施编码=7),
        ],
    )
    answer = take(book)
    assert (answer.json["errors"], answer.json["posted"]) == ([], 2)


@pytest.mark.parametrize(
    "founded", ["2010-05-18", "2010年5月18日", date(2010, 5, 18), datetime(2010, 5, 18), "20100518"]
)
def test_the_facts_of_the_organisation_come_in_any_cell_type(take, founded):
    from wufei.registry.models import Organisation

    more = {
        "成立日期": founded, "电话": 2348612345, "厂区面积(平方米)": "12,000.5", "员工数量": "320", "负责人": " 张 三 ",
        "邮箱": "a@example.com", "网址": "http://example.com", "联系人": "李四", "详细地址": "古南街道 1 号", "所属园区": None,
    }  # fmt: skip
    answer = take(workbook(enterprise(CODE, **more)))
    assert (answer.code, answer.json["errors"]) == (0, [])
    made = Organisation.objects.get(uscc=CODE)
    assert (made.established_on, made.phone, made.employee_count) == (date(2010, 5, 18), "2348612345", 320)


def test_a_code_of_the_organisation_that_is_all_digits_and_typed_as_a_number_is_not_guessed(take):
    answer = take(workbook(enterprise(CODE, 统一社会信用代码=911100006000373410)))
    [error] = answer.json["errors"]
    assert (answer.code, error["sheet"], error["column"]) == (1, "单位信息", "内容")
    assert "文本" in error["message"]


@pytest.mark.parametrize(
    "code",
    [
        CODE[:-1] + ("0" if CODE[-1] != "0" else "1"),
        CODE[:-1],
        CODE + "1",
        "I" + CODE[1:],
        "",
        None,
        CODE.lower(),
    ],
)
def test_only_a_right_check_digit_makes_an_organisation(take, code):
    answer = take(
        workbook(enterprise(CODE, 统一社会信用代码=code), ledger=[moved("2024-01-01", "W01", "产生", 5)])
    )
    if code == CODE.lower():  # the same code, written small
        assert answer.json["organisation"] == CODE
        return
    assert (answer.code, answer.json["posted"], answer.json["organisation"]) == (1, 0, None)
    assert any("统一社会信用代码" in e["message"] for e in answer.json["errors"])


@pytest.mark.parametrize("missing", ["单位名称", "统一社会信用代码", "单位类型", "省", "市", "区县"])
def test_each_required_fact_is_asked_for_by_name(take, missing):
    answer = take(workbook({k: v for k, v in enterprise(CODE).items() if k != missing}))
    assert answer.code == 1
    assert any(missing in e["message"] for e in answer.json["errors"])


def test_answers_need_no_basis_and_take_the_three_words(take):
    from wufei.policies.models import Declaration

    rows = [{"项目": "安全生产事故", "年份": 2024, "结论": "否"}, {"项目": "行政处罚", "年份": "2024年", "结论": "是"},
            {"项目": "贮存处置设施符合标准", "年份": "２０２４", "结论": "不适用", "依据": "无设施"}]  # fmt: skip
    answer = take(workbook(enterprise(CODE), more={"声明": rows}))
    assert (answer.code, answer.json["errors"]) == (0, [])
    assert dict(Declaration.objects.values_list("item", "answer")) == {
        "安全生产事故": "NO", "行政处罚": "YES", "贮存处置设施符合标准": "NOT_APPLICABLE",
    }  # fmt: skip


@pytest.mark.parametrize(
    "code", ["900-249-08", "900-001-S17", "SW02", "sw02", "900—249—08", "９００-２４９-０８"]
)
def test_three_kinds_of_waste_codes_are_understood(take, code):
    answer = take(workbook(enterprise(CODE), streams=[waste("W01", waste_code=code)]))
    assert (answer.code, answer.json["errors"]) == (0, [])


@pytest.mark.parametrize("code", ["900-249-99", "SW999", "随便", 900249, "900-249-8", "900-001-S99X"])
def test_an_unknown_waste_code_is_refused(take, code):
    answer = take(workbook(enterprise(CODE), streams=[waste("W01", waste_code=code)]))
    [error] = answer.json["errors"]
    assert (error["sheet"], error["row"], error["column"]) == ("废物清单", 2, "废物代码")


def test_a_stream_or_store_that_is_not_declared_is_refused_by_row_and_column(take):
    rows = [moved("2024-01-01", "W99", "产生", 5), moved("2024-01-01", "W01", "产生", 5, 设施编码="TS9")]
    answer = take(workbook(enterprise(CODE), ledger=rows))
    assert [(e["row"], e["column"]) for e in answer.json["errors"]] == [(2, "废物编号"), (3, "设施编码")]


def test_empty_rows_hidden_rows_and_merged_cells_do_no_harm(take, wufei):
    book = workbook(enterprise(CODE), ledger=[moved("2024-01-01", "W01", "产生", 5)])
    page = book["台账"]
    page.append([None] * 11)
    page.append(["  "] * 11)
    page.append(["2024-02-01", "W01", "产生", 6, "吨"])
    page.row_dimensions[5].hidden = True
    page.column_dimensions["F"].hidden = True
    for row in range(6, 400):
        page.cell(row, 1).number_format = "yyyy-mm-dd"  # formatted, and empty
    page["N1"] = "合并"
    page.merge_cells("N1:P3")
    answer = take(book)
    assert (answer.json["errors"], answer.json["posted"]) == ([], 2)
    assert figures(wufei, CODE, 2024, 2024)["generation_t", 2024, None] == "11"


def test_a_merged_day_over_several_rows_is_asked_for_and_not_guessed(take):
    book = workbook(
        enterprise(CODE), ledger=[moved("2024-01-01", "W01", "产生", 5), moved(None, "W01", "产生", 6)]
    )
    book["台账"].merge_cells("A2:A3")
    answer = take(book)
    assert [(e["row"], e["column"], e["code"]) for e in answer.json["errors"]] == [
        (3, "日期", "value_missing")
    ]


def test_several_thousand_rows_count_one_by_one(take, wufei):
    rows = [
        moved(date(2024, 1 + n % 12, 1 + n % 28), "W01", "产生", 1.25, 经办人=f"工人{n % 7}")
        for n in range(4000)
    ]
    answer = take(workbook(enterprise(CODE), ledger=rows))
    assert (answer.code, answer.json["posted"]) == (0, 4000)
    assert figures(wufei, CODE, 2024, 2024)["generation_t", 2024, None] == "5000"
    assert take(workbook(enterprise(CODE), ledger=rows)).json["posted"] == 0


def test_rejects_corrected_and_imported_again_end_at_the_ledger_of_a_clean_import(take, wufei, tmp_path):
    good = [moved("2024-01-05", "W01", "产生", 10), moved("2024-01-05", "W01", "产生", 10)]
    faulty = [moved("2024-02-30", "W01", "产生", 5), moved("2024-03-05", "W01", "产生", -7),
              moved("2024-04-05", "W02", "产生", 3), moved("2024-05-05", "W01", "自行利用", 21)]  # fmt: skip
    answer = take(workbook(enterprise(CODE), ledger=[*good[:1], *faulty, *good[1:]]), "--accept-valid")
    assert (answer.code, answer.json["posted"]) == (0, 2)
    assert len(answer.json["errors"]) == 4
    path = tmp_path / "data-错误行.xlsx"
    book = load_workbook(path)
    page = book["台账"]
    titles = [cell.value for cell in page[1]]
    assert page.max_row == 5
    assert "错误" in titles
    page.cell(2, titles.index("日期") + 1).value = "2024-02-28"
    page.cell(3, titles.index("数量") + 1).value = 7
    page.cell(4, titles.index("废物编号") + 1).value = "W01"
    book.save(path)
    answer = wufei("import", path, "--json")
    assert (answer.code, answer.json["posted"], answer.json["errors"]) == (0, 4, [])

    clean = [good[0], moved("2024-02-28", "W01", "产生", 5), moved("2024-03-05", "W01", "产生", 7),
             moved("2024-04-05", "W01", "产生", 3), faulty[3], good[1]]  # fmt: skip
    other = uscc(2)
    assert take(workbook(enterprise(other), ledger=clean), name="b.xlsx").json["posted"] == 6
    one, two = figures(wufei, CODE, 2024, 2024), figures(wufei, other, 2024, 2024)
    assert one == two
    assert one["stock_t", 2024, None] == "14"
    # The corrected rows in the first file are the same rows as those that were posted.
    assert take(workbook(enterprise(CODE), ledger=clean)).json["posted"] == 0


def test_accept_valid_with_nothing_sound_posts_nothing_and_says_no(take):
    answer = take(
        workbook(enterprise(CODE), streams=[], stores=[], ledger=[moved("x", "W01", "产生", 5)]),
        "--accept-valid",
    )
    assert (answer.code, answer.json["posted"]) == (1, 0)


REQUIRED = [
    ("单位信息", "内容"), ("单位信息", "项目"), ("台账", "日期"), ("台账", "废物编号"), ("台账", "环节"), ("台账", "数量"),
    ("台账", "单位"), ("废物清单", "废物编号"), ("废物清单", "废物名称"), ("废物清单", "废物代码"), ("废物清单", "产生工序"),
    ("贮存设施", "设施编码"), ("贮存设施", "设施名称"), ("年度经营", "年份"), ("产品", "年份"), ("产品", "产品名称"),
    ("产品", "产量"), ("产品", "单位"), ("声明", "项目"), ("声明", "年份"), ("声明", "结论"),
]  # fmt: skip
FULL = {
    "年度经营": [{"年份": 2024, "工业增加值(万元)": 100}],
    "产品": [{"年份": 2024, "产品名称": "铝", "产量": 10, "单位": "吨"}],
    "声明": [{"项目": "安全生产事故", "年份": 2024, "结论": "否"}],
}


@pytest.mark.parametrize(("sheet", "column"), REQUIRED)
@pytest.mark.parametrize("options", [(), ("--accept-valid",)])
def test_a_missing_required_column_is_named(take, tmp_path, sheet, column, options):
    book = workbook(enterprise(CODE), ledger=[moved("2024-01-01", "W01", "产生", 5)], more=FULL)
    page = book[sheet]
    next(cell for cell in page[1] if cell.value == column).value = "别的"
    answer = take(book, *options)
    assert any((e["sheet"], e["column"]) == (sheet, column) for e in answer.json["errors"])
    if options and answer.code == 0:  # what could not be read comes back whole, to be filled and imported
        page = load_workbook(tmp_path / "data-错误行.xlsx")[sheet]
        assert column in [cell.value for cell in page[1]]
        assert page.max_row == 2
    else:
        assert (answer.code, answer.json["posted"]) == (1, 0)


@pytest.mark.parametrize(
    ("sheet", "column"), [("台账", "数量"), ("废物清单", "废物代码"), ("贮存设施", "设施编码")]
)
def test_a_column_that_is_there_twice_is_not_guessed(take, sheet, column):
    book = workbook(enterprise(CODE), ledger=[moved("2024-01-01", "W01", "产生", 5)], more=FULL)
    page = book[sheet]
    page.cell(1, page.max_column + 1).value = column
    page.cell(2, page.max_column).value = 999
    answer = take(book, "--accept-valid")
    assert answer.json["posted"] == 0
    assert (sheet, column, "column_twice") in [
        (e["sheet"], e["column"], e["code"]) for e in answer.json["errors"]
    ]


def test_headers_with_asterisks_and_full_width_brackets_are_the_same_headers(take, wufei):
    book = workbook(
        enterprise(CODE), ledger=[moved("2024-01-01", "W01", "产生", 5)],
        more={"年度经营": [{"年份": 2024, "工业增加值(万元)": "1,000万元"}]},
    )  # fmt: skip
    for page in book.worksheets:
        for cell in page[1]:
            cell.value = f" {str(cell.value).replace('(', '（').replace(')', '）')}* "
    answer = take(book)
    assert (answer.json["errors"], answer.json["posted"]) == ([], 1)
    got = figures(wufei, CODE, 2024, 2024)
    assert Fraction(got["generation_intensity_t_per_10k_yuan", 2024, None]) == Fraction(5, 1000)


def test_a_day_in_a_closed_month_is_refused(take):
    from django.utils import timezone

    from wufei.ledger.services import close_month
    from wufei.registry.models import Organisation
    from wufei.registry.services import operator

    take(workbook(enterprise(CODE), ledger=[moved("2024-01-15", "W01", "产生", 5)]))
    organisation = Organisation.objects.get(uscc=CODE)
    close_month(organisation=organisation, through=date(2024, 1, 31), by=operator(), now=timezone.now())
    answer = take(workbook(enterprise(CODE), ledger=[moved("2024-01-20", "W01", "产生", 5)]))
    assert [(e["column"], e["code"]) for e in answer.json["errors"]] == [("日期", "month_closed")]
    again = take(workbook(enterprise(CODE), ledger=[moved("2024-01-15", "W01", "产生", 5)]))
    assert (again.code, again.json["skipped"]) == (0, 1)


def test_what_people_read_goes_to_them_and_errors_to_standard_error(wufei, tmp_path):
    path = save(
        workbook(enterprise(CODE), ledger=[moved("2024-02-30", "W01", "产生", 5)]), tmp_path / "a.xlsx"
    )
    answer = wufei("import", path)
    assert answer.code == 1
    assert "2024-02-30" in answer.err
    assert "日期" in answer.err
    assert "2024-02-30" not in answer.out


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04", b"not a workbook", b"%PDF-1.7", b"\xd0\xcf\x11\xe0" * 200]
)
def test_what_is_no_workbook_is_refused_in_the_same_shape(wufei, tmp_path, content):
    path = tmp_path / "a.xlsx"
    path.write_bytes(content)
    answer = wufei("import", path, "--json")
    assert (answer.code, list(answer.json)) == (1, KEYS)
    [error] = answer.json["errors"]
    assert list(error) == ERROR_KEYS


def test_a_file_that_is_not_there_is_refused_not_a_crash(wufei, tmp_path):
    answer = wufei("import", tmp_path / "没有.xlsx", "--json")
    assert (answer.code, answer.json["errors"][0]["code"]) == (1, "file_missing")
    assert wufei("import", tmp_path, "--json").code == 1


def test_wrong_use_exits_2(wufei, tmp_path):
    for said in (["import"], ["import", "a.xlsx", "--nonsense"], ["template"], ["nonsense"], ["indicators", CODE],
                 ["evaluate", CODE], ["case", CODE], ["figure", CODE], ["editions", "check"],
                 ["indicators", CODE, "--from", "abc", "--to", "2024"]):  # fmt: skip
        assert wufei(*said).code == 2, said


def test_template_where_nothing_can_be_written_exits_1(wufei, tmp_path):
    answer = wufei("template", tmp_path / "no" / "such" / "a.xlsx")
    assert (answer.code, answer.out) == (1, "")
    assert "写不了" in answer.err


def test_an_enterprise_named_in_a_park_becomes_its_member(take, wufei):
    park = uscc(9, prefix="12500110MB")
    assert (
        take(
            workbook(enterprise(park, 单位名称="合同园区", 单位类型="园区"), streams=[], stores=[]),
            name="p.xlsx",
        ).code
        == 0
    )
    answer = take(
        workbook(enterprise(CODE, 所属园区="合同园区"), ledger=[moved("2024-01-01", "W01", "产生", 5)])
    )
    assert answer.code == 0
    assert figures(wufei, park, 2024, 2024)["generation_t", 2024, None] == "5"
