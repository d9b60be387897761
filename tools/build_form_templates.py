"""
Build the document templates of the case files from their published layout.

Annex 2 of 工信厅联节函〔2025〕539号: cover, commitment, body, table 1 (park) or table 2 (enterprise),
attachments. Run after a change of layout: `.venv/bin/python tools/build_form_templates.py`. What is
filled in is named as in `wufei.cases.case_file`; `{{ }}` and `{% %}` are docxtpl's.
"""

import io
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from docx import Document
from docx.document import Document as DocumentType
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor
from docx.table import Table, _Cell
from docx.text.paragraph import Paragraph

from wufei.cases.documents import repacked

TEMPLATES = Path(__file__).resolve().parent.parent / "src/wufei/cases/templates"
LATIN = "Times New Roman"
BODY, HEADING, TITLE, TABLE = "仿宋_GB2312", "黑体", "方正小标宋简体", "宋体"
# What stands in where a machine has not the official face.
FALLBACKS = {
    "仿宋_GB2312": "仿宋",
    "楷体_GB2312": "楷体",
    "方正小标宋简体": "宋体",
    "黑体": "SimHei",
    "宋体": "SimSun",
}
WIDTH = 8844  # of the text, in twentieths of a point: 156 mm
CENTRE, LEFT, RIGHT = WD_ALIGN_PARAGRAPH.CENTER, WD_ALIGN_PARAGRAPH.LEFT, WD_ALIGN_PARAGRAPH.RIGHT


@dataclass(frozen=True)
class Programme:
    id: str
    name: str  # 无废园区
    word: str  # 园区


def write(
    paragraph: Paragraph, text: str, *, font: str = BODY, size: float = 16, bold: bool = False
) -> Paragraph:
    run = paragraph.add_run(text)
    run.font.name, run.font.size, run.font.bold = LATIN, Pt(size), bold
    run.font.color.rgb = RGBColor(0, 0, 0)
    fonts = run._element.get_or_add_rPr().get_or_add_rFonts()
    for side in ("w:ascii", "w:hAnsi", "w:cs"):
        fonts.set(qn(side), LATIN)
    fonts.set(qn("w:eastAsia"), font)
    return paragraph


def line(
    where: DocumentType | _Cell, text: str = "", *, font: str = BODY, size: float = 16, bold: bool = False,
    align: WD_ALIGN_PARAGRAPH = LEFT, indent: bool = False, spacing: float | None = 28, before: float = 0,
    after: float = 0, stays: bool = False, new_page: bool = False,
) -> Paragraph:  # fmt: skip
    """Add a paragraph; `spacing` is the fixed distance of lines in points, as official papers have it."""
    paragraph = where.add_paragraph()
    form = paragraph.paragraph_format
    paragraph.alignment = align
    form.space_before, form.space_after = Pt(before), Pt(after)
    if spacing is not None:
        form.line_spacing = Pt(spacing)
    if indent:
        form.first_line_indent = Pt(2 * size)
    if stays:  # a heading: never alone at a page's foot
        form.keep_with_next = True
    if new_page:
        form.page_break_before = True
    return write(paragraph, text, font=font, size=size, bold=bold) if text else paragraph


def directive(where: DocumentType | _Cell, text: str) -> None:
    """Add a paragraph that docxtpl takes out together with its directive."""
    line(where, text, size=10, spacing=None)


# --- tables -------------------------------------------------------------------------------


def table(document: DocumentType, widths: Sequence[int], *, borders: bool = True) -> Table:
    made = document.add_table(rows=0, cols=len(widths))
    made.autofit = False
    made.alignment = 1
    properties = made._tbl.tblPr
    if borders:
        properties.append(_borders())
    layout = properties.find(qn("w:tblLayout"))
    if layout is None:
        layout = OxmlElement("w:tblLayout")
        properties.append(layout)
    layout.set(qn("w:type"), "fixed")
    for column, width in zip(made._tbl.tblGrid.findall(qn("w:gridCol")), widths, strict=True):
        column.set(qn("w:w"), str(width))
    return made


def _borders() -> "OxmlElement":
    borders = OxmlElement("w:tblBorders")
    for side in ("top", "left", "bottom", "right", "insideH", "insideV"):
        edge = OxmlElement(f"w:{side}")
        for key, value in (("val", "single"), ("sz", "4"), ("space", "0"), ("color", "000000")):
            edge.set(qn(f"w:{key}"), value)
        borders.append(edge)
    return borders


@dataclass(frozen=True)
class Box:
    """A cell of a row: its text, over how many columns, how written."""

    text: str
    span: int = 1
    font: str = TABLE
    bold: bool = False
    align: WD_ALIGN_PARAGRAPH = CENTRE
    size: float = 10.5


def row(made: Table, boxes: Sequence[Box], *, header: bool = False, height: float = 22) -> None:
    added = made.add_row()
    added.height = Pt(height)
    properties = added._tr.get_or_add_trPr()
    properties.append(OxmlElement("w:cantSplit"))
    if header:
        properties.append(OxmlElement("w:tblHeader"))
    assert sum(box.span for box in boxes) == len(added.cells), "a row fills its table"
    at = 0
    cells = list(added.cells)
    for box in boxes:
        cell = cells[at]
        if box.span > 1:
            cell = cell.merge(cells[at + box.span - 1])
        cell.vertical_alignment = 1
        paragraph = cell.paragraphs[0]
        paragraph.alignment = box.align
        paragraph.paragraph_format.space_after = Pt(0)
        write(paragraph, box.text, font=box.font, size=box.size, bold=box.bold)
        at += box.span


def loop(made: Table, over: str, boxes: Sequence[Box], *, height: float = 22) -> None:
    """Add rows that are repeated for each of something."""
    columns = len(made.columns)
    row(made, [Box("{%tr for " + over + " %}", columns)])
    row(made, boxes, height=height)
    row(made, [Box("{%tr endfor %}", columns)])


def heading(made: Table, text: str, columns: int) -> None:
    row(made, [Box(text, columns, font=HEADING, bold=True, size=12)], header=True, height=26)


def note(made: Table, text: str, columns: int) -> None:
    row(made, [Box(text, columns, align=LEFT, size=9)])


def gap(document: DocumentType, *, stays: bool = False) -> None:
    """Keep two tables apart without a visible gap; Word joins tables that touch."""
    line(document, spacing=2, stays=stays)


def unbroken(made: Table) -> None:
    """Keep the table on one page where one page holds it; the paragraph after it lets go."""
    for paragraph in made._tbl.iter(qn("w:p")):
        Paragraph(paragraph, made).paragraph_format.keep_with_next = True


# --- page, footer, fonts ------------------------------------------------------------------


def new_document() -> DocumentType:
    document = Document()
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin, section.right_margin = Mm(28), Mm(26)
    section.top_margin, section.bottom_margin = Mm(37), Mm(35)
    section.header_distance, section.footer_distance = Mm(15), Mm(25)
    section.different_first_page_header_footer = True  # the cover has no number
    style = document.styles["Normal"]
    style.font.name, style.font.size = LATIN, Pt(16)
    style.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), BODY)
    style.paragraph_format.space_after = Pt(0)
    _page_number(section.footer.paragraphs[0])
    _set_language(document)
    _add_fallbacks(document)
    package = document.part.package
    for key in [k for k, relation in package.rels.items() if relation.reltype.endswith("/thumbnail")]:
        del package.rels[key]
    properties = document.core_properties
    properties.created = properties.modified = datetime(1980, 1, 1)  # the same at every build
    for name in ("author", "last_modified_by", "title", "comments", "keywords", "category", "subject"):
        setattr(properties, name, "")
    return document


def _set_language(document: DocumentType) -> None:
    language = document.styles.element.find(f".//{qn('w:lang')}")
    if language is not None:
        language.set(qn("w:val"), "zh-CN")
        language.set(qn("w:eastAsia"), "zh-CN")


def _page_number(paragraph: Paragraph) -> None:
    paragraph.alignment = CENTRE
    write(paragraph, "— ", font=TABLE, size=14)
    for kind in ("begin", None, "separate", "text", "end"):
        write(paragraph, "", font=TABLE, size=14)
        run = paragraph.runs[-1]
        if kind is None:
            instruction = OxmlElement("w:instrText")
            instruction.set(qn("xml:space"), "preserve")
            instruction.text = " PAGE "
            run._r.append(instruction)
        elif kind == "text":
            run.text = "1"
        else:
            mark = OxmlElement("w:fldChar")
            mark.set(qn("w:fldCharType"), kind)
            run._r.append(mark)
    write(paragraph, " —", font=TABLE, size=14)


def _add_fallbacks(document: DocumentType) -> None:
    """Name in the font table what stands in for each face."""
    fonts = "".join(
        f'<w:font w:name="{name}"><w:altName w:val="{other}"/><w:charset w:val="86"/>'
        f'<w:family w:val="auto"/><w:pitch w:val="default"/></w:font>'
        for name, other in FALLBACKS.items()
    )
    space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    blob = f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<w:fonts xmlns:w="{space}">{fonts}</w:fonts>'
    for relation in document.part.rels.values():
        if relation.reltype.endswith("/fontTable"):
            relation.target_part._blob = blob.encode()


# --- the parts of the case file -----------------------------------------------------------


def cover(document: DocumentType, programme: Programme) -> None:
    line(document, "附件 2", font=HEADING)
    for _ in range(3):
        line(document)
    line(document, "典型案例申报书", font=TITLE, size=32, align=CENTRE, spacing=44)
    line(document, f"（{programme.name}）", font="楷体_GB2312", size=22, align=CENTRE, spacing=36, before=8)
    for _ in range(4):
        line(document)
    fields = (
        ("单位名称：", "{{ form.cover.organisation }}", "（加盖单位公章）"),
        ("地    址：", "{{ form.cover.address }}", ""),
        ("联 系 人：", "{{ form.cover.contact }}", ""),
        ("电    话：", "{{ form.cover.phone }}", ""),
        ("邮    箱：", "{{ form.cover.email }}", ""),
        ("申报日期：", "{{ form.cover.filed_on }}", ""),
    )
    made = table(document, (1900, 4344, 2600), borders=False)
    for label, value, after in fields:
        boxes = (
            Box(label, font=BODY, size=16, align=RIGHT),
            Box(value, font=BODY, size=16),
            Box(after, font=BODY, size=14, align=LEFT),
        )
        row(made, boxes, height=38)
        _underline(made.rows[-1].cells[1])


def _underline(cell: _Cell) -> None:
    borders = OxmlElement("w:tcBorders")
    edge = OxmlElement("w:bottom")
    for key, value in (("val", "single"), ("sz", "6"), ("space", "0"), ("color", "000000")):
        edge.set(qn(f"w:{key}"), value)
    borders.append(edge)
    properties = cell._tc.get_or_add_tcPr()
    width = properties.find(qn("w:tcW"))
    if width is not None:
        width.addnext(borders)
    else:
        properties.insert(0, borders)


def commitment(document: DocumentType) -> None:
    line(
        document,
        "承诺声明",
        font=TITLE,
        size=22,
        align=CENTRE,
        spacing=40,
        before=40,
        after=20,
        new_page=True,
    )
    line(document, "我单位申报的所有材料，均真实、完整，如有不实，愿承担相应的责任。", indent=True)
    line(document, "在不涉及商业机密的情况下，自愿与其他企业分享经验。", indent=True)
    for _ in range(4):
        line(document)
    for text in ("单位名称：{{ form.cover.organisation }}", "（公  章）", "{{ form.cover.filed_on }}"):
        line(document, text, align=RIGHT, before=6).paragraph_format.right_indent = Pt(32)


def typed(where: DocumentType | _Cell, paragraphs: str, *, size: float = 16, spacing: float = 28) -> None:
    """Add what the applicant typed, paragraph by paragraph."""
    directive(where, "{%p for paragraph in " + paragraphs + " %}")
    line(where, "{{ paragraph }}", size=size, spacing=spacing, indent=True)
    directive(where, "{%p endfor %}")


def body(document: DocumentType, programme: Programme) -> None:
    line(document, "申报材料", font=HEADING, size=16, align=CENTRE, after=10, stays=True, new_page=True)
    line(document, "{{ form.title }}", font=TITLE, size=22, align=CENTRE, spacing=36, after=16, stays=True)
    line(document, f"一、“{programme.name}”建设方案制定情况", font=HEADING, indent=True, stays=True)
    typed(document, "form.sections[0].paragraphs")
    line(document, f"二、“{programme.name}”建设方案实施情况", font=HEADING, indent=True, stays=True)
    directive(document, "{%p for section in form.sections[1:] %}")
    line(document, "{{ section.heading }}", font="楷体_GB2312", indent=True, stays=True)
    directive(document, "{%p for paragraph in section.paragraphs %}")
    line(document, "{{ paragraph }}", indent=True)
    directive(document, "{%p endfor %}")
    directive(document, "{%p endfor %}")
    line(document, "{{ form.quantities.title }}", font=HEADING, size=12, align=CENTRE, before=10, stays=True)
    made = table(document, (3444, 1350, 1350, 1350, 1350))
    head = [Box("指  标", font=HEADING)]
    head += [Box(f"{{{{ form.quantities.columns[{i}] }}}}", font=HEADING) for i in range(4)]
    row(made, head, header=True)
    loop(made, "r in form.quantities.rows", _of_row(4))
    unbroken(made)


def _of_row(years: int, size: float = 10.5) -> list[Box]:
    return [
        Box("{{ r.label }}", size=size),
        *(Box(f"{{{{ r.cells[{i}].text }}}}", size=size) for i in range(years)),
    ]


def table_head(document: DocumentType, number: int, programme: Programme, name: str) -> None:
    line(document, f"表 {number}", font=HEADING, stays=True, new_page=True)
    title = "{{ " + name + ".name }}基本情况表"
    line(document, title, font=TITLE, size=18, align=CENTRE, spacing=32, after=8, stays=True)
    made = table(document, (2948, 2448, 3448), borders=False)
    filler = f"{name}.filler"
    texts = (("填表人：", "name"), ("职务：", "title"), ("联系电话：", "phone"))
    row(made, [Box(f"{label}{{{{ {filler}.{key} }}}}", align=LEFT, size=12) for label, key in texts])
    unbroken(made)
    gap(document, stays=True)


def particulars(document: DocumentType, name: str, labels: tuple[str, str, str, str]) -> None:
    """基本资料: `labels` are heading, name, industry and head."""
    title, of_name, of_industry, of_head = labels
    made = table(document, (2120, 2750, 1490, 2484))
    heading(made, title, 4)
    p = f"{name}.particulars"
    for label, key in (
        (of_name, "name"),
        (of_industry, "industry"),
        ("详细地址", "address"),
        ("网    址", "website"),
    ):
        row(made, [Box(label), Box(f"{{{{ {p}.{key} }}}}", 3)], height=24)
    pairs = ((of_head, "head", "手    机", "mobile"), ("传    真", "fax", "邮    箱", "email"))
    for left, left_key, right, right_key in pairs:
        boxes = [Box(left), Box(f"{{{{ {p}.{left_key} }}}}"), Box(right), Box(f"{{{{ {p}.{right_key} }}}}")]
        row(made, boxes, height=24)
    counts = [
        Box(text)
        for i in range(2)
        for text in (f"{{{{ {p}.counts[{i}][0] }}}}", f"{{{{ {p}.counts[{i}][1].text }}}}")
    ]
    row(made, counts, height=24)
    unbroken(made)


def of_years(
    document: DocumentType, name: str, years: int, title: str, *, notes: Iterable[str] = (), under: str = ""
) -> None:
    """Add a table of rows over years."""
    first = 3144 if years == 3 else 3484
    each = (WIDTH - first) // years
    made = table(document, (WIDTH - years * each, *([each] * years)))
    if title:
        heading(made, title, years + 1)
    if under:
        row(made, [Box(under, years + 1, align=CENTRE, size=9)], header=True)
    columns = [Box(f"{{{{ {name}.columns[{i}] }}}}", font=HEADING) for i in range(years)]
    row(made, [Box(""), *columns], header=True)
    loop(made, f"r in {name}.rows", _of_row(years), height=18)
    for text in notes:
        note(made, text, years + 1)
    unbroken(made)


def self_description(document: DocumentType, name: str, title: str) -> None:
    made = table(document, (WIDTH,))
    row(made, [Box(title, font=HEADING, align=LEFT)], header=True)
    unbroken(made)
    added = made.add_row()
    cell = added.cells[0]
    cell.paragraphs[0].paragraph_format.line_spacing = Pt(4)
    typed(cell, f"{name}.self_description", size=12, spacing=22)
    line(cell, spacing=8)


def largest(document: DocumentType) -> None:
    made = table(document, (1950, 1294, 1700, 1000, 1000, 1000, 900))
    heading(made, "主要企业情况", 7)
    under = (
        "（园区产废量前 10 位企业 {{ form.park.generators_year }} 年情况，从事行业参考《国民经济行业分类》）"
    )
    row(made, [Box(under, 7, size=9)], header=True)
    heads = ("企业名称", "行业", "主要产品及产量（根据实际情况标注单位）", "产值（万元）", "工业固废产生量（万吨）",
             "工业固废利用量（万吨）", "利用率（%）")  # fmt: skip
    row(made, [Box(head, font=HEADING, size=9) for head in heads], header=True)
    products = "{% for p in g.products %}{{ p.text }}{% if not loop.last %}；{% endif %}{% endfor %}"
    texts = ("{{ g.name }}", "{{ g.industry }}", products, "{{ g.output_value.text }}", "{{ g.generation.text }}",
             "{{ g.utilisation.text }}", "{{ g.rate.text }}")  # fmt: skip
    loop(made, "g in form.park.generators", [Box(text, size=9) for text in texts])


def attachments(document: DocumentType) -> None:
    line(document, "随附材料", font=HEADING, size=16, align=CENTRE, after=10, stays=True, new_page=True)
    made = table(document, (844, 3000, 5000))
    row(
        made,
        [Box("序号", font=HEADING), Box("材料类别", font=HEADING), Box("文件", font=HEADING)],
        header=True,
    )
    texts = ("{{ loop.index }}", "{{ a.category }}", "{{ a.file_name }}")
    loop(made, "a in form.attachments", [Box(text) for text in texts])


def park(programme: Programme) -> DocumentType:
    document = _front(programme)
    table_head(document, 1, programme, "form.park")
    particulars(document, "form.park", ("基本资料", "园区名称", "主导产业*", "园区负责人"))
    gap(document)
    of_industries = "注：产业分类参考《国民经济行业分类》中类，例：342 金属加工机械制造。"
    of_years(document, "form.park.production", 3, "生产经营总体情况", notes=(of_industries,))
    gap(document)
    of_intensity = "注：工业固废产生强度=工业固体废物产生量（吨）/工业增加值（万元）"
    under = "（填写园区企业产生和园区企业利用的，不含外运。可根据实际情况调整行数）"
    of_years(document, "form.park.waste", 4, "工业固废产生与利用总体情况", notes=(of_intensity,), under=under)
    gap(document)
    largest(document)
    gap(document)
    about = "园区自述（主要内容：园区发展历史、相关荣誉、生产经营总体情况、信息化系统建设运行情况等）（1000字以内）："
    self_description(document, "form.park", about)
    attachments(document)
    return document


def enterprise(programme: Programme) -> DocumentType:
    document = _front(programme)
    table_head(document, 2, programme, "form.enterprise")
    particulars(document, "form.enterprise", ("基本情况", "企业名称", "从事行业*", "负责人"))
    gap(document)
    of_industry = "注：从事行业参考《国民经济行业分类》中类，例：342 金属加工机械制造。"
    of_years(
        document, "form.enterprise.production", 3, "生产经营及工业固废综合利用情况", notes=(of_industry,)
    )
    gap(document)
    of_years(document, "form.enterprise.waste", 4, "")
    gap(document)
    about = "企业自述（主要内容：发展历史、相关荣誉、生产经营总体情况、固体废物管理信息化平台建设运行情况等）（1000字以内）："
    self_description(document, "form.enterprise", about)
    attachments(document)
    return document


def _front(programme: Programme) -> DocumentType:
    document = new_document()
    cover(document, programme)
    commitment(document)
    body(document, programme)
    return document


BUILDERS = {
    Programme("case-file-park", "无废园区", "园区"): park,
    Programme("case-file-enterprise", "无废企业", "企业"): enterprise,
}


def main() -> int:
    for programme, build in BUILDERS.items():
        folder = TEMPLATES / programme.id
        folder.mkdir(parents=True, exist_ok=True)
        out = io.BytesIO()
        build(programme).save(out)
        (folder / "case-file.docx").write_bytes(repacked(out.getvalue()))
        print(folder / "case-file.docx")
    return 0


if __name__ == "__main__":
    sys.exit(main())
