import io

import docx
import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wufei.reviews.blinding import (
    BLANK,
    Blinder,
    NotSurelyBlind,
    _all_text,
    blind,
    identifiers,
    rebuilt,
    short_forms,
)

NAME = "重庆綦江甲乙化工有限公司"
KNOWN = identifiers(
    names=[NAME, "綦江桥河工业园区管理委员会"], addresses=["重庆市綦江区古南街道金龙大道12号"],
    others=["张三丰", "91500110MA5U000017", "zhang@jiayi.example"],
)  # fmt: skip
BLINDER = Blinder(KNOWN)


@pytest.mark.parametrize(
    ("said", "left"),
    [
        (f"{NAME}的炉渣", f"{BLANK}的炉渣"),
        ("甲乙化工的炉渣", f"{BLANK}的炉渣"),
        ("甲 乙\u3000化\n工的炉渣", f"{BLANK}的炉渣"),
        ("甲\u200b乙化工", BLANK),
        ("桥河工业园区内", f"{BLANK}内"),
        ("位于古南街道金龙大道１２号。", f"位于{BLANK}。"),
        ("联系人张三丰，13800001111。", f"联系人{BLANK}。"),  # one after another are one
        ("联系人张 三 丰", f"联系人{BLANK}"),
        ("ＺＨＡＮＧ＠ＪＩＡＹＩ．ＥＸＡＭＰＬＥ", BLANK),
        ("代码91500110MA5U000017", f"代码{BLANK}"),
        ("代码 9150 0110 MA5U 0000 17", f"代码 {BLANK}"),
    ],
)
def test_what_is_known_is_blanked_however_it_is_written(said, left):
    assert BLINDER.text(said) == left
    assert not BLINDER.is_clean(said)
    assert BLINDER.is_clean(left)


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("由上海宝钢集团有限公司利用", f"由{BLANK}利用"),
        ("电话023-48612345", f"电话{BLANK}"),
        ("电话（023）48612345", f"电话{BLANK}"),
        ("手机 138 0000 1111", f"手机 {BLANK}"),
        ("见 https://jiayi.example/about。", f"见 {BLANK}。"),
        ("见www.jiayi.example", f"见{BLANK}"),
        ("邮箱a.b@c.example", f"邮箱{BLANK}"),
        ("代码91110000600037341L", f"代码{BLANK}"),
    ],
)
def test_what_looks_like_somebody_is_blanked_though_it_is_not_known(said, left):
    assert Blinder(frozenset()).text(said) == left


@pytest.mark.parametrize(
    "said",
    [
        "2025年产生固体废物12345678.90吨",
        "综合利用率由56.1%提高到76.1%",
        "900-002-S03 炉渣",
        "GB/T 36132-2025",
        "2022—2025年",
    ],
)
def test_what_is_judged_stays(said):
    assert BLINDER.text(said) == said


def test_a_name_gives_its_shorter_forms():
    assert set(short_forms(NAME)) >= {NAME, "重庆綦江甲乙化工", "甲乙化工", "甲乙"}
    assert "化工" not in set(short_forms(NAME))
    assert "长安" in set(short_forms("重庆长安汽车股份有限公司"))
    assert "汽车" not in set(short_forms("重庆长安汽车股份有限公司"))
    assert "建材" not in set(short_forms("綦江建材有限公司"))


@given(st.text(max_size=60), st.sampled_from(sorted(KNOWN)), st.text(max_size=60))
def test_whatever_stands_around_it_nothing_known_is_left(before, name, after):
    assert BLINDER.is_clean(BLINDER.text(f"{before}{name}{after}"))


def test_only_named_parts_of_a_submission_come_through():
    content = {
        "texts": {"title": f"{NAME}案例", "contact": "张三丰", "filler_name": "李四", "practices": " "},
        "particulars": {"name": NAME, "head": "张三丰"},
        "numbers": [
            {"where": {"table": "表1 主要企业情况", "row": "甲乙化工", "column": "产值"}, "text": "5",
             "basis": {"organisation": "91500110MA5U000017"}},
            {"where": {"table": "表1 主要企业情况", "row": "桥河工业园区", "column": "产值"}, "text": "6"},
        ],
        "evaluation": {"subject": "91500110MA5U000017", "criteria": [
            {"clause": "一", "says": "要求", "verdict": "met", "explanation": f"{NAME}符合"}]},
        "evidence": [{"file_name": f"{NAME}.pdf"}],
    }  # fmt: skip
    seen = blind(content, BLINDER)
    assert seen.texts == (("title", f"{BLANK}案例"),)
    [table] = seen.tables
    assert table.rows == ((f"{BLANK}1", ("5",)), (f"{BLANK}2", ("6",)))
    [criterion] = seen.criteria
    assert (criterion.clause, criterion.says, criterion.verdict) == ("一", "要求", "met")
    assert BLINDER.is_clean(repr(seen))
    assert "李四" not in repr(seen)


def docx_with_names() -> bytes:
    made = docx.Document()
    made.core_properties.author = "张三丰"
    made.core_properties.title = NAME
    made.sections[0].header.paragraphs[0].text = NAME
    split = made.add_paragraph("说明：甲")
    split.add_run("乙").bold = True
    split.add_run("化工制砖")
    table = made.add_table(rows=1, cols=2)
    table.cell(0, 0).text, table.cell(0, 1).text = NAME, "100 吨"
    written = io.BytesIO()
    made.save(written)
    return written.getvalue()


def xlsx_with_names() -> bytes:
    made = openpyxl.Workbook()
    made.properties.creator = "张三丰"
    sheet = made.active
    sheet.title = "甲乙化工"
    sheet.append(["单位", NAME, 100])
    sheet["A1"].comment = openpyxl.comments.Comment("张三丰批注", "张三丰")
    made.defined_names["甲乙"] = openpyxl.workbook.defined_name.DefinedName("甲乙", attr_text="甲乙化工!$A$1")
    written = io.BytesIO()
    made.save(written)
    return written.getvalue()


@pytest.mark.parametrize(("kind", "content"), [("docx", docx_with_names()), ("xlsx", xlsx_with_names())])
def test_a_document_is_written_anew_without_a_name_in_any_part_of_it(kind, content):
    assert not BLINDER.is_clean(_all_text(content))
    made = rebuilt(kind, content, BLINDER)
    said = _all_text(made)
    assert BLINDER.is_clean(said)
    assert BLANK in said
    assert "100" in said


def test_the_words_that_are_judged_are_still_there():
    made = docx.Document(io.BytesIO(rebuilt("docx", docx_with_names(), BLINDER)))
    assert made.paragraphs[0].text == f"说明：{BLANK}制砖"
    assert made.tables[0].cell(0, 1).text == "100 吨"
    about = made.core_properties
    assert (about.author, about.title, about.last_modified_by, about.comments) == ("", "", "", "")


@pytest.mark.parametrize("kind", ["docx", "xlsx"])
def test_what_can_not_be_read_is_withheld(kind):
    with pytest.raises(NotSurelyBlind):
        rebuilt(kind, b"PK\x03\x04 not a document", BLINDER)


def test_a_document_that_is_still_not_clean_is_withheld():
    """The second look does not trust the first: here the first blanks nothing at all."""

    class Lazy(Blinder):
        def text(self, said: str) -> str:
            return said

    with pytest.raises(NotSurelyBlind):
        rebuilt("docx", docx_with_names(), Lazy(KNOWN))
