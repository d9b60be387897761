"""The template is what the facts say, and what is filled in comes back typed, every fault named."""

import io
import re
import zipfile
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from uuid import uuid5

import pytest
from openpyxl import load_workbook

from tests.pure.capture.books import STREAMS, USCC, filled, row
from wufei.capture.faults import Fault
from wufei.capture.importing import CLIENT_IDS, Imported, WorkbookContent, new_drafts, read_workbook
from wufei.capture.layout import DECLARATION_ITEMS, ORGANISATION_ITEMS
from wufei.capture.rejects import rejects
from wufei.capture.template import template
from wufei.ledger.kinds import Kind
from wufei.terms.mass import Mass

TODAY = date(2026, 7, 1)


def read(content: bytes) -> WorkbookContent:
    return read_workbook(content, today=TODAY)


def faults(content: bytes) -> list[tuple[str | None, int | None, str | None, str]]:
    return [(f.sheet, f.row, f.column, f.code) for f in read(content).findings.faults]


def messages(content: bytes) -> list[str]:
    return [f.message for f in read(content).findings.faults]


def with_cell(content: bytes, said: bytes, instead: bytes) -> bytes:
    """Return the workbook with other bytes in its sheets, such as no library writes."""
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(changed, "w") as after:
        for name in before.namelist():
            after.writestr(name, before.read(name).replace(said, instead))
    return changed.getvalue()


# --- the template


def test_the_template_has_exactly_the_sheets_and_columns_of_the_facts():
    workbook = load_workbook(io.BytesIO(template()))

    assert {page.title: [c.value for c in page[1]] for page in workbook} == {
        "单位信息": ["项目", "内容"],
        "年度经营": ["年份", "产值(万元)", "销售额(万元)", "工业增加值(万元)"],
        "产品": ["年份", "产品名称", "产能", "产量", "单位", "主产品"],
        "废物清单": ["废物编号", "废物名称", "废物代码", "产生工序", "物理性状", "主要成分"],
        "贮存设施": ["设施编码", "设施名称", "类型", "能力(吨)"],
        "台账": ["日期", "废物编号", "环节", "数量", "单位", "方式", "对方单位", "设施编码", "批次编码", "经办人", "备注"],
        "声明": ["项目", "年份", "结论", "依据"],
    }  # fmt: skip
    assert [c.value for c in workbook["单位信息"]["A"]][2:] == [
        "单位名称", "统一社会信用代码", "单位类型", "行业代码", "省", "市", "区县", "详细地址", "成立日期", "负责人", "联系人",
        "电话", "邮箱", "网址", "厂区面积(平方米)", "员工数量", "所属园区",
    ]  # fmt: skip


def test_every_column_of_the_template_has_a_note_and_every_sheet_a_frozen_header():
    for page in load_workbook(io.BytesIO(template())):
        assert page.freeze_panes == "A2"
        assert all(cell.comment and cell.comment.text for cell in page[1])


def test_the_template_offers_the_allowed_values():
    workbook = load_workbook(io.BytesIO(template()))
    offered = {str(r.sqref): r.formula1 for r in workbook["台账"].data_validations.dataValidation}

    assert offered["E2:E100000"] == '"吨,千克,万吨"'
    assert offered["C2:C100000"] == '"期初贮存,产生,自行利用,自行处置,委外利用,委外处置,接收,盘盈,盘亏"'


def test_the_template_itself_says_nothing_but_what_must_be_filled():
    said = read(template())

    assert (said.ledger, said.streams, said.operations, said.findings.notices) == ([], [], [], [])
    assert {f.column for f in said.findings.faults} == {i.name for i in ORGANISATION_ITEMS if i.required}


def test_the_facts_name_the_same_declarations():
    facts = Path("/work/shared/facts/workbook.md")
    if not facts.exists():
        pytest.skip("waits for the facts folder")
    for item in DECLARATION_ITEMS:
        assert item in facts.read_text()


# --- examples


def test_rows_below_the_example_are_read_and_the_example_is_not():
    workbook = load_workbook(io.BytesIO(template()))
    workbook["台账"].append(row("2024-03-05", "W01", "产生", 5))

    said = read(_saved(workbook))

    assert [(r.number, r.stream_code) for r in said.ledger] == [(3, "W01")]


def test_real_data_written_over_the_example_is_not_swallowed():
    workbook = load_workbook(io.BytesIO(template()))
    workbook["台账"]["D2"] = 77

    assert ("台账", 2, "日期", "example_changed") in faults(_saved(workbook))


def test_a_stream_that_is_called_example_is_no_example():
    said = read(filled(streams=[["示例1", "铝灰", "321-024-48", "熔铸"]]))

    assert [r.values["废物编号"] for r in said.streams] == ["示例1"]


def _saved(workbook) -> bytes:
    stream = io.BytesIO()
    workbook.save(stream)
    return stream.getvalue()


# --- reading


def test_a_ledger_row_is_read_as_it_stands():
    content = filled(
        ledger=[row(datetime(2024, 3, 5), "W01", "委外利用", "1.2万吨", None, method="生产水泥", counterparty="甲 厂",
                    store="TS001", lot="B1", handler="张三", note="＋备注")]
    )  # fmt: skip
    [got] = read(content).ledger

    assert got[:11] == (
        2, date(2024, 3, 5), "W01", Kind.CONTRACTED_UTILISATION, Mass.of("1.2", "万吨"), "生产水泥", "甲 厂",
        "TS001", "B1", "张三", "＋备注",
    )  # fmt: skip
    assert re.fullmatch("[0-9a-f]{64}", got.fingerprint)


def test_the_fingerprint_is_of_the_content_not_of_the_row_or_its_writing():
    first, again, other = read(
        filled(
            ledger=[
                row("2024-03-05", "W01", "产生", 5),
                row(datetime(2024, 3, 5), "W01", "产生", "5000", "千克"),
                row("2024-03-05", "W01", "产生", 5, note="另一车"),
            ]
        )
    ).ledger

    assert first.fingerprint == again.fingerprint != other.fingerprint


def test_what_is_one_key_of_a_dict_is_not_one_thing_in_a_cell():
    said = read(
        filled(ledger=[row("2024-03-05", "W01", "产生", 5, note=note) for note in (1, True, 1.0, "1")])
    )

    assert [r.note for r in said.ledger] == ["1", "是", "1", "1"]


def test_a_client_id_is_of_organisation_content_and_count():
    cart = row("2024-03-05", "W01", "产生", 5)
    said = read(filled(ledger=[cart, cart, cart, cart])).ledger
    mark = said[0].fingerprint

    rows, drafts = new_drafts(said, before={mark: Imported(posted=2, reversed=1)}, uscc=USCC)

    assert rows == said[1:]
    assert [d.client_id for d in drafts] == [uuid5(CLIENT_IDS, f"{USCC}/{mark}/{n}") for n in (2, 3, 4)]


@pytest.mark.parametrize(("said", "code"), [(b"NaN", "amount_not_a_number"), (b"inf", "amount_absurd")])
def test_what_is_no_number_is_a_fault_and_comes_back_as_text(said, code):
    content = with_cell(filled(ledger=[row("2024-03-05", "W01", "产生", 123456.5)]), b"123456.5", said)
    found = read(content)

    assert [(f.sheet, f.row, f.column, f.code) for f in found.findings.faults] == [("台账", 2, "数量", code)]
    assert (
        load_workbook(io.BytesIO(rejects(found.tables, found.findings.faults)))["台账"]["D2"].data_type == "s"
    )


def test_the_order_of_columns_is_free_and_others_are_ignored_with_a_notice():
    said = read(
        filled(
            headers={"台账": ["单位", "数量（吨）", "数量*", " 环节 ", "废物编号", "日期"]},
            ledger=[["吨", 9, 5, "产生", "W01", "2024-03-05"]],
            streams=[],
            more={"说明": [["随便"]]},
        )
    )

    assert [r.mass for r in said.ledger] == [Mass.of("5", "吨")]
    assert said.findings.notices == [
        "“台账”的列“数量（吨）”不在模板中，已忽略。",
        "工作表“说明”不在模板中，已忽略。",
    ]


def test_everything_but_the_ledger_is_typed_too():
    said = read(
        filled(
            organisation={"成立日期": "1958年5月1日", "员工数量": 320.0, "厂区面积(平方米)": "12,000.5", "电话": 2348001234.0,
                          "邮箱": "a@b.cn", "所属园区": "试验园区"},
            more={
                "年度经营": [[2024, "98,000", None, -12.5]],
                "产品": [["2024年", "铝锭", 300000, 286000.5, "吨", "是"]],
                "声明": [["安全生产事故", 2024, "无", "已查询"]],
            },
        )
    )  # fmt: skip
    fields = said.organisation.fields

    assert said.findings.faults == []
    assert (said.organisation.uscc, said.organisation.park) == (USCC, "试验园区")
    assert (fields["division_code"], fields["industry_code"]) == ("500110", "321")
    assert (fields["established_on"], fields["employee_count"]) == (date(1958, 5, 1), 320)
    assert (fields["site_area_m2"], fields["phone"]) == (Decimal("12000.5"), "2348001234")
    assert [r.values["工业增加值(万元)"] for r in said.operations] == [Decimal("-12.5")]
    assert [r.values["主产品"] for r in said.products] == ["是"]
    assert [r.values["结论"] for r in said.declarations] == ["否"]
    assert [r.values["废物代码"] for r in said.streams] == ["321-024-48", "SW03"]
    assert [r.values["能力(吨)"] for r in said.stores] == [Mass.of("500", "吨"), None]


def test_every_fault_is_named_not_only_the_first():
    content = filled(
        organisation={"统一社会信用代码": "91110000600037341K", "区县": "没有区", "单位类型": "公司"},
        streams=[["W01", "铝灰", "999-999-99", "熔铸"], ["W02", None, "SW03", "锅炉"], *STREAMS],
        ledger=[
            row("2024-02-30", "W01", "产生", -5),
            row("2024年3月", "W01", "生产", "五", "桶"),
            [None, "W01", "产生", 5, None],
        ],
    )

    assert faults(content) == [
        ("单位信息", 3, "内容", "uscc_check_digit"),
        ("单位信息", 4, "内容", "choice_unknown"),
        ("单位信息", 8, "内容", "division_unknown"),
        ("废物清单", 2, "废物代码", "waste_code_unknown"),
        ("废物清单", 3, "废物名称", "value_missing"),
        ("废物清单", 4, "废物编号", "row_twice"),
        ("废物清单", 5, "废物编号", "row_twice"),
        ("台账", 2, "日期", "day_impossible"),
        ("台账", 2, "数量", "amount_negative"),
        ("台账", 3, "日期", "day_is_a_month"),
        ("台账", 3, "环节", "choice_unknown"),
        ("台账", 3, "数量", "amount_not_a_number"),
        ("台账", 3, "单位", "choice_unknown"),
        ("台账", 4, "日期", "value_missing"),
        ("台账", 4, "单位", "unit_missing"),
    ]


def test_a_formula_is_refused_with_its_place_and_the_way_out():
    content = filled(
        ledger=[row("2024-03-05", "W01", "产生", "=2+3"), row("2024-03-05", "W01", "产生", 5, note="=A1")]
    )

    assert faults(content) == [("台账", 2, "数量", "formula"), ("台账", 3, "备注", "formula")]
    assert "粘贴为数值" in messages(content)[0]
    assert read(content).ledger == []


def test_a_formula_in_a_column_of_ones_own_harms_nobody():
    content = filled(
        headers={"台账": ["日期", "废物编号", "环节", "数量", "单位", "小计"]},
        ledger=[["2024-03-05", "W01", "产生", 5, "吨", "=D2*2"]],
    )

    assert len(read(content).ledger) == 1


def test_a_missing_sheet_and_missing_columns_are_named():
    content = filled(headers={"台账": ["日期", "废物编号", "环节"]}, ledger=[["2024-03-05", "W01", "产生"]])
    assert faults(content) == [("台账", 1, "数量", "column_missing"), ("台账", 1, "单位", "column_missing")]

    workbook = load_workbook(io.BytesIO(filled()))
    del workbook["单位信息"]
    assert faults(_saved(workbook)) == [("单位信息", None, None, "sheet_missing")]


def test_empty_rows_between_are_nothing_and_row_numbers_are_those_of_excel():
    content = filled(ledger=[[None], row("2024-03-05", "W01", "产生", 5), [" "], row("x", "W01", "产生", 5)])

    assert [r.number for r in read(content).ledger] == [3]
    assert ("台账", 5, "日期", "day_unreadable") in faults(content)


# --- rejects


def test_rejects_are_text_never_formulas_and_come_back_when_corrected():
    evil = ['=cmd|" /C calc"!A0', "+1", "-1", "@SUM(1)", "\t=1", '=HYPERLINK("http://x")', "http://x.cn"]
    content = filled(ledger=[row("2024-02-30", "W01", "产生", 5, note=None, handler=None)])
    said = read(content)
    [(number, cells)] = said.tables["台账"].rows
    cells[6:11] = evil[:5]
    cells[5] = evil[5]
    said.findings.faults.append(Fault("台账", number, "备注", "x", evil[0]))

    book = rejects(said.tables, said.findings.faults)

    page = load_workbook(io.BytesIO(book))["台账"]
    assert [c.data_type for c in page[2] if c.value is not None and c.column not in (4,)] == ["s"] * 11
    assert [page.cell(2, at).value for at in range(6, 12)] == [evil[5], *evil[:5]]
    assert page.cell(1, 12).value == "错误"
    assert not any(cell.hyperlink for cell in page[2])
    workbook = load_workbook(io.BytesIO(book))
    workbook["台账"]["A2"] = "2024-02-29"
    for column in "FGHIJK":
        workbook["台账"][f"{column}2"] = None
    corrected = read(_saved(workbook))
    assert (corrected.findings.faults, corrected.findings.notices) == ([], [])
    assert [r.moved_on for r in corrected.ledger] == [date(2024, 2, 29)]


def test_rejects_hold_only_the_rows_at_fault_and_no_uncertain_value_of_a_formula():
    content = filled(
        ledger=[
            row("2024-03-05", "W01", "产生", 5),
            row("2024-03-05", "W01", "产生", "=2+3"),
            row("x", "W01", "产生", 7),
        ]
    )
    said = read(content)

    page = load_workbook(io.BytesIO(rejects(said.tables, said.findings.faults)))["台账"]

    assert [(r[0].value, r[3].value) for r in page.iter_rows(min_row=2)] == [("2024-03-05", None), ("x", 7)]
