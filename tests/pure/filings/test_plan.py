"""What a management plan says, what is wrong in it, and how it looks as a file."""

import io
from copy import deepcopy
from dataclasses import replace
from datetime import date

import openpyxl
import pypdfium2
import pytest

from wufei.filings import plan
from wufei.filings.checking import Known, found
from wufei.filings.plan import TABLES, Filed, Untidy, WasteFacts, tables_for
from wufei.filings.plan_documents import write_pdf, write_xlsx
from wufei.filings.refusals import Code
from wufei.filings.wording import REFUSAL_TEXT
from wufei.registry.permits import Group, Permit

T = 1_000_000
ROW = {
    "reach": "WITHIN", "stream": "油", "planned_g": 11 * T, "mode": "R9", "receiver_kind": "PERMIT", "receiver": "处置厂",
    "receiver_uscc": "X", "permit_number": "CQ1",
}  # fmt: skip
BASIC = {
    column.key: "有"
    for table in TABLES
    if table.id == "basic"
    for column in table.columns
    if not column.choices
} | {"control_class": "SIMPLIFIED"}
GOOD = plan.tidy(
    {
        "basic": [BASIC],
        "generation": [
            {"stream": "油", "facility": "机加", "process": "换油", "harmful": "石油类", "form": "液态", "planned_g": 12 * T}
        ],
        "storage": [
            {"store": "库1", "store_type": "危废库", "stream": "油", "packaging": "桶", "remaining_g": 2 * T}
        ],
        "reduction": [{"stream": "油", "reduced_g": T}],
        "measures": [{"less_harm": "换用低毒切削液", "measures": "延长\n换油周期"}],
        "transfers": [ROW],
    }
)  # fmt: skip
KNOWN = Known(
    year=2026, stock_g={"油": T}, generated_g={"油": 12 * T}, names={"油": "废油", "酸": "废酸"},
    codes={"油": "900-249-08", "酸": "900-300-34"}, capacity_g={"库1": 5 * T}, computed_class="SIMPLIFIED",
    permits={"X": [Permit(
        key=1, number="CQ1", valid_from=date(2024, 1, 1), valid_through=date(2028, 1, 1), revoked_on=None, is_verified=True,
        groups=(Group(key=1, waste_codes=("HW08",), modes=(), capacity_g=100 * T),),
    )]},
)  # fmt: skip


def with_(table: str, row: int = 0, **said):
    content = deepcopy(GOOD)
    content[table][row].update(said)
    return content


def faults(content, known=KNOWN) -> list[tuple[str, str]]:
    return [(each.table, each.column) for each in found(content, known) if each.is_fault]


def doubts(content, known=KNOWN) -> list[tuple[str, str]]:
    return [(each.table, each.column) for each in found(content, known) if not each.is_fault]


def test_a_complete_plan_has_no_fault_and_no_doubt():
    assert found(GOOD, KNOWN) == []


@pytest.mark.parametrize(
    ("content", "where", "words"),
    [
        (with_("basic", representative=""), ("basic", "representative"), "没有填写"),
        (with_("generation", planned_g=None), ("generation", "planned_g"), "没有的填 0"),
        (GOOD | {"generation": []}, ("generation", ""), "没有列任何危险废物"),
        (GOOD | {"generation": GOOD["generation"] * 2}, ("generation", "stream"), "已经列过"),
        (with_("transfers", stream="没有"), ("transfers", "stream"), "不是本单位"),
        (with_("transfers", stream="酸"), ("transfers", "stream"), "表A.3 没有列"),
        (with_("transfers", mode="Q9"), ("transfers", "mode"), "没有方式代码"),
        (with_("transfers", permit_number=""), ("transfers", "permit_number"), "许可证编码"),
        (GOOD | {"transfers": [ROW, ROW]}, ("transfers", "receiver"), "合并成一行"),
        (with_("storage", remaining_g=6 * T), ("storage", "remaining_g"), "超过贮存能力 5 吨"),
        (with_("measures", measures=""), ("measures", "measures"), "没有填写"),
        (
            GOOD | {"own": [{"kind": "DISPOSAL", "facility": "Z1", "stream": "油", "mode": "D10", "planned_g": T}]},
            ("basic", "control_class"), "应为重点监管单位",
        ),
    ],
)  # fmt: skip
def test_what_keeps_a_plan_from_being_filed_is_said_where_it_stands(content, where, words):
    assert where in faults(content)
    assert any(words in each.words for each in found(content, KNOWN))


def test_what_was_generated_or_is_in_store_must_be_planned_for():
    for known in (
        replace(KNOWN, generated_g={"油": 12 * T, "酸": T}), replace(KNOWN, stock_g={"油": T, "酸": T})
    ):  # fmt: skip
        assert faults(GOOD, known) == [("generation", "stream")]
        assert "废酸" in found(GOOD, known)[0].words


def test_a_receiver_whose_permit_does_not_cover_the_waste_is_a_fault_and_an_unknown_one_a_doubt():
    elsewhere = replace(KNOWN, permits={"X": [replace(
        KNOWN.permits["X"][0], groups=(Group(key=1, waste_codes=("HW34",), modes=(), capacity_g=T),)
    )]})  # fmt: skip
    assert faults(GOOD, elsewhere) == [("transfers", "receiver")]
    assert doubts(GOOD, replace(KNOWN, permits={})) == [("transfers", "receiver")]


def test_what_does_not_add_up_another_class_and_another_province_are_doubts():
    assert doubts(with_("transfers", planned_g=9 * T)) == [("generation", "planned_g")]
    assert doubts(with_("transfers", reach="ACROSS")) == [("transfers", "reach")]
    assert doubts(GOOD, replace(KNOWN, computed_class="KEY")) == [("basic", "control_class")]


def test_each_class_fills_in_the_tables_that_the_standard_names():
    numbers = {
        each: [table.number for table in tables_for(each)] for each in ("KEY", "SIMPLIFIED", "REGISTERED")
    }
    assert len(numbers["KEY"]) == 8
    assert numbers["SIMPLIFIED"] == ["表A.1", "表A.3", "表A.4", "表A.6", "表A.6（续）", "表A.7"]
    assert numbers["REGISTERED"] == ["表A.1", "表A.3", "表A.7"]


@pytest.mark.parametrize(
    "said",
    [
        {"没有": []}, {"own": {}}, {"own": [{"没有": 1}]}, {"own": ["x"]}, {"transfers": [{"planned_g": 1.5}]},
        {"transfers": [{"planned_g": -1}]}, {"transfers": [{"planned_g": True}]}, {"transfers": [{"mode": 1}]},
        {"transfers": [{"reach": "X"}]}, {"transfers": [{"receiver": "长" * 201}]}, {"own": [{}] * 201},
        {"basic": [{}, {}]}, {"transfers": [{"receiver": "a\x00b"}]},
    ],
)  # fmt: skip
def test_what_cannot_be_stored_is_refused(said):
    with pytest.raises(Untidy):
        plan.tidy(said)


def test_every_refusal_has_words():
    assert list(REFUSAL_TEXT) == list(Code)


FACTS = [
    WasteFacts(
        stream="油", name="废油", catalogue_name="废矿物油", waste_category="HW08", waste_code="900-249-08", hazards="T,I"
    )
]  # fmt: skip
FILED = Filed(
    uscc="91500110MA5U00001L", name="甲厂", year=2026, number=2, content=plan.with_wastes(GOOD, FACTS), reason="增加接收单位",
    digest="a" * 64, filed_at="2026-03-01T10:00:00+08:00", filed_by="张三", seq=9, chain_hash="b" * 64,
)  # fmt: skip


def test_what_is_generated_by_itself_comes_from_the_row_of_the_stream():
    [row] = plan.full_rows(plan.BY_ID["transfers"], FILED.content)
    assert (row["name"], row["waste_code"], row["harmful"], row["hazards"]) == (
        "废油",
        "900-249-08",
        "石油类",
        "T,I",
    )
    [row] = plan.full_rows(plan.BY_ID["reduction"], FILED.content)
    assert row["planned_g"] == 12 * T


def test_the_digest_does_not_hang_on_the_order_of_keys():
    turned = {key: FILED.content[key] for key in reversed(FILED.content)}
    assert plan.digest(turned) == plan.digest(FILED.content)
    assert plan.digest(GOOD) != plan.digest(FILED.content)


def test_the_workbook_has_the_tables_with_masses_as_numbers_and_says_what_is_unverified():
    out = io.BytesIO()
    write_xlsx(out, FILED)
    book = openpyxl.load_workbook(out)
    assert book.sheetnames == ["表A.1", "表A.3", "表A.4", "表A.6", "表A.6（续）", "表A.7", "说明"]
    cells = [cell for row in book["表A.7"].values for cell in row]
    assert 11 in cells
    assert {"处置厂", "省内转移", "900-249-08", "合计"} <= set(cells)
    assert any("未核实" in str(row[1]) for row in book["说明"].values)


def test_the_pdf_says_which_version_it_is_and_a_draft_says_that_it_is_one():
    out = io.BytesIO()
    pages = write_pdf(out, FILED)
    document = pypdfium2.PdfDocument(out.getvalue())
    text = "".join(page.get_textpage().get_text_bounded() for page in document)
    assert len(document) == pages == 6
    for words in (
        "第 2 版",
        "增加接收单位",
        "未核实",
        "延长",
        "900-249-08",
        "第 1 页，共 6 页",
        "第 6 页，共 6 页",
    ):
        assert words in text

    out = io.BytesIO()
    write_pdf(out, replace(FILED, number=0))
    assert "草稿，未备案" in pypdfium2.PdfDocument(out.getvalue())[0].get_textpage().get_text_bounded()
