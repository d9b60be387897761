import io
import re
import zipfile
from dataclasses import replace

import openpyxl
import pytest
from docx import Document
from docx.oxml.ns import qn

from tests.pure.cases import examples
from tests.pure.cases.reading import docx_tables, docx_text, row_of, xlsx_rows
from wufei.cases import amounts, documents
from wufei.cases.dossier import Texts
from wufei.cases.filling import case_file

DOSSIERS = {
    "enterprise": examples.enterprise(),
    "park": examples.park(),
    "empty enterprise": examples.nothing(examples.ENTERPRISE_SPEC),
    "empty park": examples.nothing(examples.PARK_SPEC),
}


def rendered(dossier):
    return documents.render(documents.template(dossier.spec.template), case_file(dossier))


@pytest.fixture(scope="module")
def files():
    return {name: rendered(dossier) for name, dossier in DOSSIERS.items()}


def test_every_template_is_rendered_here():
    assert {dossier.spec.template for dossier in DOSSIERS.values()} == documents.templates()


@pytest.mark.parametrize("name", DOSSIERS)
def test_nothing_of_the_template_is_left_over(files, name):
    text = docx_text(files[name])

    assert not re.search(r"\{\{|\}\}|\{%|%\}|form\.|None", text)
    assert "典型案例申报书" in text
    assert "我单位申报的所有材料，均真实、完整，如有不实，愿承担相应的责任。" in text


@pytest.mark.parametrize("name", DOSSIERS)
def test_every_number_of_the_form_stands_in_its_row_and_column(files, name):
    """R7: read back from the document, cell by cell."""
    form = case_file(DOSSIERS[name])
    table = form.table
    for rows in (form.quantities, table.production, table.waste):
        for row in rows.rows:
            found = [r[1:] for t in docx_tables(files[name]) for r in t if r[0] == row.label]
            assert [cell.text for cell in row.cells] in found, row.label
    for label, cell in table.particulars.counts:
        assert [r for t in docx_tables(files[name]) for r in t if label in r and cell.text in r], label


def test_the_enterprise_form_has_every_row_of_table_2(files):
    content = files["enterprise"]

    assert row_of(content, "产值（万元）") == ["185000", "192000.5", "201000"]
    assert row_of(content, "销售额（万元）") == ["180000", "未知", "199000"]
    assert row_of(content, "产能（根据实际情况标注单位）") == ["6000000 万千瓦时", "6000000 万千瓦时", "未知"]
    assert row_of(content, "产量（根据实际情况标注单位）") == [
        "5002022 万千瓦时",
        "5002023 万千瓦时",
        "见各产品",
    ]
    assert row_of(content, "其中，上网电量") == ["5002022 万千瓦时", "5002023 万千瓦时", "5002024 万千瓦时"]
    assert row_of(content, "其中，粉煤灰") == ["50.0000", "49.0000", "48.0000", "47.0000"]
    assert row_of(content, "废矿物油") == ["0.000100", "0.000100", "0.000100", "0.0000300"]
    assert row_of(content, "其中，生产水泥") == ["60.0000", "63.0001", "67.0000", "70.0000"]
    assert row_of(content, "制石膏板") == ["0.0000", "1.0000", "1.0000", "0.6700"]
    assert row_of(content, "工业固废综合利用率（%）")[-1] == "94.10"
    assert "废布" not in docx_text(content)  # never generated: no row
    labels = {text for table in docx_tables(content) for row in table for text in row}
    assert {
        "企业名称", "从事行业*", "详细地址", "网    址", "负责人", "手    机", "传    真", "邮    箱",
        "厂区面积（平方米）", "员工数量", "441 电力生产", "652000.5", "1260", "13900000000",
    } <= labels  # fmt: skip


def test_the_park_form_has_every_row_of_table_1(files):
    content = files["park"]

    assert row_of(content, "园区总产值（万元）") == ["1850000", "1920000.5", "未知"]
    assert row_of(content, "其中，421 金属废料和碎屑加工处理*（万元）") == ["10022", "10023", "10024"]
    assert row_of(content, "301 水泥、石灰和石膏制造") == ["5022", "5023", "未知"]
    assert row_of(content, "园区工业固废产生强度*") == ["1.2346", "1.1000", "未知", "0.9877"]
    assert row_of(content, "工业固体废物园区内综合利用率（%）") == ["72.02", "76.83", "83.67", "90.65"]
    assert row_of(content, "园区成员第1有限责任公司") == [
        "441 电力生产", "产品乙 3 台；产品甲 1201 万吨", "1000", "89.9000", "80.0000", "88.89",
    ]  # fmt: skip


# Annex 2 of 工信厅联节函〔2025〕539号, line by line; what a filled form replaces stands in the empty one.
COVER = (
    "典型案例申报书", "单位名称：", "（加盖单位公章）", "地址：", "联系人：", "电话：", "邮箱：", "申报日期：", "承诺声明",
    "我单位申报的所有材料，均真实、完整，如有不实，愿承担相应的责任。", "在不涉及商业机密的情况下，自愿与其他企业分享经验。",
    "（公章）", "申报材料", "随附材料", "填表人：", "职务：", "联系电话：", "详细地址", "网址", "手机", "传真", "邮箱",
)  # fmt: skip
TABLE_1 = (
    "表1", "基本资料", "园区名称", "主导产业*", "园区负责人", "企业数量", "规上企业数量", "生产经营总体情况", "园区总产值（万元）",
    "注：产业分类参考《国民经济行业分类》中类，例：342金属加工机械制造。", "工业固废产生与利用总体情况",
    "（填写园区企业产生和园区企业利用的，不含外运。可根据实际情况调整行数）", "园区工业固废产生强度*",
    "园区内工业固废产生量（万吨）", "园区内工业固废利用量（万吨）", "工业固体废物园区内综合利用率（%）",
    "注：工业固废产生强度=工业固体废物产生量（吨）/工业增加值（万元）", "主要企业情况",
    "（园区产废量前10位企业2025年情况，从事行业参考《国民经济行业分类》）", "企业名称", "行业",
    "主要产品及产量（根据实际情况标注单位）", "产值（万元）", "工业固废产生量（万吨）", "工业固废利用量（万吨）", "利用率",
    "园区自述（主要内容：园区发展历史、相关荣誉、生产经营总体情况、信息化系统建设运行情况等）（1000字以内）：",
)  # fmt: skip
TABLE_2 = (
    "表2", "基本情况", "企业名称", "从事行业*", "负责人", "厂区面积（平方米）", "员工数量", "生产经营及工业固废综合利用情况",
    "产值（万元）", "销售额（万元）", "产能（根据实际情况标注单位）", "产量（根据实际情况标注单位）",
    "注：从事行业参考《国民经济行业分类》中类，例：342金属加工机械制造。", "工业固废产生量（万吨）", "工业固废综合利用量（万吨）",
    "工业固废综合利用率（%）",
    "企业自述（主要内容：发展历史、相关荣誉、生产经营总体情况、固体废物管理信息化平台建设运行情况等）（1000字以内）：",
)  # fmt: skip
PRINTED = {
    "empty park": (
        "其中，产业1*（万元）（请将“产业X”修改为产业实际名称，下同）", "其中，固废1（请将“固废X”修改为实际的固废名称，下同）",
        "其中，固废1",
    ),
    "empty enterprise": (
        "其中，产品1（请将产品X修改为实际产品名称，下同）", "其中，固废1（请将固废X修改为实际产生的固废名称，下同）",
        "其中，方式1（请将方式X修改为实际产生的固废名称，下同）",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DOSSIERS)
def test_every_row_and_note_of_annex_2_stands_in_the_form(files, name):
    said = {re.sub(r"\s", "", line) for line in docx_text(files[name]).split("\n")}
    asked = (*COVER, *(TABLE_1 if "park" in name else TABLE_2), *PRINTED.get(name, ()))

    assert [line for line in asked if not any(one.startswith(line) for one in said)] == []


@pytest.mark.parametrize("name", DOSSIERS)
def test_no_heading_stands_alone_at_a_pages_foot(files, name):
    """Where the next thing is empty, the heading stays with what follows that."""
    document = Document(io.BytesIO(files[name]))
    stays = {p.text for p in document.paragraphs if p.paragraph_format.keep_with_next}
    starts = [p.text for p in document.paragraphs if p.paragraph_format.page_break_before]

    form = case_file(DOSSIERS[name])
    parts = [section.heading for section in form.sections[1:]]
    assert {*parts, form.quantities.title, "申报材料", "随附材料"} <= stays
    assert len([text for text in stays if re.match("[一二]、“无废..”建设方案", text)]) == 2
    assert starts == ["承诺声明", "申报材料", form.table.title.replace("表", "表 "), "随附材料"]


@pytest.mark.parametrize("name", DOSSIERS)
def test_a_table_is_not_broken_where_a_page_holds_it(files, name):
    """Each row is tied to the next; Word lets go where a table is longer than a page."""
    tables = Document(io.BytesIO(files[name])).tables
    heads = {table.rows[0].cells[0].text: table for table in tables}
    whole = [
        table for head, table in heads.items() if not re.search("自述|主要企业|材料|单位名称|序号", head)
    ]

    assert len(whole) >= 4
    for table in whole:
        assert all(row.cells[0].paragraphs[0].paragraph_format.keep_with_next for row in table.rows)


@pytest.mark.parametrize("name", ["empty enterprise", "empty park"])
def test_what_is_unknown_is_never_written_as_zero(files, name):
    form = case_file(DOSSIERS[name])
    texts = {placed.cell.text for placed in form.numbers() if placed.row != "企业数量"}

    assert texts == {amounts.UNKNOWN}


def test_the_same_form_gives_the_same_bytes():
    assert rendered(DOSSIERS["park"]) == rendered(DOSSIERS["park"])


@pytest.mark.parametrize("name", DOSSIERS)
def test_the_properties_name_nobody_but_the_applicant(files, name):
    """R8."""
    properties = Document(io.BytesIO(files[name])).core_properties
    said = {properties.author, properties.last_modified_by, properties.comments, properties.keywords}

    assert said == {DOSSIERS[name].applicant.name, ""}
    with zipfile.ZipFile(io.BytesIO(files[name])) as archive:
        parts = [
            archive.read(n).decode()
            for n in archive.namelist()
            if n.startswith("docProps/") and n.endswith("xml")
        ]
    assert parts
    assert not [part for part in parts if "python-docx" in part or "张三" in part]


@pytest.mark.parametrize("name", DOSSIERS)
def test_it_is_set_like_an_official_paper(files, name):
    document = Document(io.BytesIO(files[name]))
    [section] = document.sections
    footer = section.footer._element.xml

    assert (round(section.page_width.mm), round(section.page_height.mm)) == (210, 297)
    assert " PAGE " in footer
    faces = {f.get(qn("w:eastAsia")) for f in document.element.iter(qn("w:rFonts"))}
    assert faces <= {"仿宋_GB2312", "楷体_GB2312", "黑体", "宋体", "方正小标宋简体"}
    headers = list(document.element.iter(qn("w:tblHeader")))
    assert len(headers) >= 6
    with zipfile.ZipFile(io.BytesIO(files[name])) as archive:
        assert 'w:altName w:val="仿宋"' in archive.read("word/fontTable.xml").decode()


HOSTILE = (
    "{{ 7*7 }}", "{% for x in ().__class__.__bases__ %}x{% endfor %}", "{{ form.cover }}", "<w:p/>", "</w:t></w:r>",
    "&lt;&amp;<!--", "]]>", "\x00\x07\x0b\x0c控制", "{%p endfor %}", "{%tr endfor %}", "{#注释#}", "=1+1", "\ud800尾",
)  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_what_people_type_stays_text(text):
    """No template, mark-up or control character of a user's takes effect."""
    said = {name: text for name, kind in Texts.__annotations__.items() if kind is str}
    dossier = examples.enterprise(
        texts=Texts(**said),
        applicant=replace(examples.APPLICANT, name=text, address=text),
        stream_names={"F1": text},
    )
    content = rendered(dossier)
    plain = re.sub(r"[\x00-\x1f\ud800-\udfff]", "", text)

    assert plain in docx_text(content)
    assert "49" not in [p.text for p in Document(io.BytesIO(content)).paragraphs]
    assert len(docx_tables(content)) == len(docx_tables(rendered(DOSSIERS["enterprise"])))


def test_line_breaks_become_paragraphs():
    content = rendered(
        examples.enterprise(texts=replace(examples.TEXTS, plan="第一段\r\n第二段\n\n　　第三段"))
    )
    paragraphs = [p.text for p in Document(io.BytesIO(content)).paragraphs]
    at = paragraphs.index("第一段")

    assert paragraphs[at : at + 3] == ["第一段", "第二段", "第三段"]


def test_a_name_that_the_template_does_not_know_fails_instead_of_printing_nothing():
    from jinja2 import UndefinedError

    made = Document(io.BytesIO(documents.template("case-file-park")))
    made.add_paragraph("{{ form.no_such_thing }}")
    out = io.BytesIO()
    made.save(out)

    with pytest.raises(UndefinedError):
        documents.render(out.getvalue(), case_file(DOSSIERS["park"]))


def test_the_summary_has_the_columns_of_annex_3():
    rows = xlsx_rows(documents.summary([case_file(DOSSIERS["enterprise"]).summary]))

    assert rows[1][0] == "典型案例汇总表"
    assert str(rows[2][0]).startswith("报送单位名称：")
    assert rows[3] == [
        "序号", "省份", "单位属性", "单位名称", "典型案例名称", "主导产业", "案例简要描述\n（不超过200字）", "单位联系人", "电话",
    ]  # fmt: skip
    assert rows[4] == [
        1, "重庆", "企业", "綦江渝南火电有限公司", examples.TEXTS.title, "441 电力生产", examples.TEXTS.brief_description,
        "李四", "023-48600001",
    ]  # fmt: skip
    assert [row[0] for row in rows[5:9]] == [2, 3, 4, 5]
    assert str(rows[9][0]).startswith("报送单位联系人：")


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", '=HYPERLINK("http://x","y")', "http://x.example"],
)
def test_the_summary_has_no_live_formula(text):
    """S4."""
    row = replace(case_file(DOSSIERS["enterprise"]).summary, title=text, brief_description=text)
    content = documents.summary([row])
    sheet = openpyxl.load_workbook(io.BytesIO(content)).active

    assert [sheet.cell(5, column).value for column in (5, 7)] == [text, text]
    assert {cell.data_type for line in sheet.iter_rows() for cell in line} <= {"s", "n"}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        xml = archive.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in xml
    assert "hyperlink" not in xml.lower()


def test_the_summary_prints_on_a4_landscape():
    sheet = openpyxl.load_workbook(io.BytesIO(documents.summary([]))).active

    assert (sheet.page_setup.paperSize, sheet.page_setup.orientation) == (9, "landscape")
    assert {str(r) for r in sheet.merged_cells.ranges} == {"A2:I2", "A3:I3", "A10:I10"}
    assert sheet["A4"].border.left.style == "thin"
