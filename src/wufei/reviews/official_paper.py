"""
How does an official paper look?

Pure: words in, .docx out; the same words give the same bytes. The measures stand in `official_layout.yaml`,
which also says that they are not verified. What people typed is text and nothing else.
"""

import io
from collections.abc import Sequence
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml
from docx import Document
from docx.document import Document as DocumentType
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor
from docx.text.paragraph import Paragraph
from pydantic import BaseModel, ConfigDict

from wufei.cases.documents import repacked
from wufei.policies.edition import Number

LAYOUT = Path(__file__).parent / "official_layout.yaml"
Align = Literal["left", "centre", "right", "justify"]
_ALIGN = {
    "left": WD_ALIGN_PARAGRAPH.LEFT, "centre": WD_ALIGN_PARAGRAPH.CENTER, "right": WD_ALIGN_PARAGRAPH.RIGHT,
    "justify": WD_ALIGN_PARAGRAPH.JUSTIFY,
}  # fmt: skip
_EPOCH = datetime(1980, 1, 1, tzinfo=UTC)  # the clock has no place in a paper's hash
_CLEAN = ("author", "last_modified_by", "comments", "keywords", "category", "subject", "content_status")
_NOT_IN_XML = {code: None for code in range(32) if code not in (9, 10, 13)} | {0xFFFE: None, 0xFFFF: None}


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Face(_Frozen):
    font: str
    size_pt: Number


class Page(_Frozen):
    width_mm: int
    height_mm: int
    top_mm: int
    bottom_mm: int
    left_mm: int
    right_mm: int


class Layout(_Frozen):
    source: str
    standard: str
    page: Page
    footer_mm: int
    line_spacing_pt: int
    faces: dict[str, Face]
    latin: str
    fallbacks: dict[str, str]
    indent_characters: int
    signature_right_characters: int
    head_colour: str


@cache
def layout() -> Layout:
    """Return the measures as the data file has them."""
    return Layout.model_validate(yaml.load(LAYOUT.read_text(), yaml.BaseLoader))  # noqa: S506 - text only


def day_words(day: date | None) -> str:
    """
    Return a day as official papers write it; left open, to be filled in when it is sealed.

    >>> day_words(date(2026, 7, 1)), day_words(None)
    ('2026年7月1日', '　　　　年　　月　　日')
    """
    return f"{day.year}年{day.month}月{day.day}日" if day else "　　　　年　　月　　日"


class Paper:
    """A paper that is written from top to bottom."""

    def __init__(self, *, title: str, is_landscape: bool = False) -> None:
        self._layout = layout()
        self._document: DocumentType = Document()
        self._set_page(is_landscape)
        self._set_styles()
        self._title = title

    # ---- what stands in it ----

    def head(self, issuer: str, *, number: str = "", is_letter: bool = False) -> None:
        """Write the red head: whose paper it is, its number, the red line; a letter 函 bears the name alone."""
        red = self._layout.head_colour
        self._line(
            issuer if is_letter else f"{issuer}文件",
            face="head",
            align="centre",
            after=18,
            colour=red,
            spacing=None,
        )
        line = self._line(number or "　　〔　　　　〕　　号", align="centre", after=18)
        _rule_below(line, red)

    def title(self, text: str, *, before: float = 0) -> None:
        self._line(text, face="title", align="centre", before=before, after=18, spacing=32, stays=True)

    def heading(self, text: str) -> None:
        self._line(text, face="heading", stays=True, indent=True)

    def addressees(self, names: Sequence[str]) -> None:
        """Write to whom it is sent; nothing where to nobody by name."""
        if names:
            self._line(f"{'，'.join(names).rstrip('：:')}：")

    def paragraphs(self, texts: Sequence[str]) -> None:
        for text in texts:
            self._line(text, align="justify", indent=True)

    def signature(self, issuers: Sequence[str], day: date | None) -> None:
        """Write who issues it, and the day; the seals come over it by hand."""
        self._line("", stays=True)
        gap = float(self._layout.signature_right_characters * self._layout.faces["body"].size_pt)
        for text in (*issuers, day_words(day)):
            line = self._line(text, align="right", stays=text in issuers)
            line.paragraph_format.right_indent = Pt(gap)

    def facts(self, pairs: Sequence[tuple[str, str]], *, widths: tuple[int, int] = (38, 118)) -> None:
        """Write a table of two columns: what, and what of it."""
        made = self._table(widths)
        for label, text in pairs:
            self._row(made, (label, text), aligns=("centre", "left"), is_bold=(True, False))
        self._line("", spacing=10)

    def table(
        self, headings: Sequence[str], rows: Sequence[Sequence[str]], *, widths: Sequence[int], left: Sequence[int] = (),
    ) -> None:  # fmt: skip
        """Write a table; `widths` in millimetres, `left` says which columns are no figures but words."""
        made = self._table(widths)
        self._row(made, headings, is_bold=(True,) * len(headings), is_heading=True)
        aligns: list[Align] = ["left" if at in left else "centre" for at in range(len(headings))]
        for row in rows:
            self._row(made, row, aligns=aligns)
        self._line("", spacing=10)

    def new_page(self) -> None:
        self._line("", spacing=2).paragraph_format.page_break_before = True

    def bytes(self) -> bytes:
        """Return the .docx; its properties say nothing but its title."""
        properties = self._document.core_properties
        for name in _CLEAN:
            setattr(properties, name, "")
        properties.title = self._title
        properties.created = properties.modified = _EPOCH.replace(tzinfo=None)
        properties.revision = 1
        out = io.BytesIO()
        self._document.save(out)
        return repacked(out.getvalue())

    # ---- how ----

    def _line(
        self, text: str, *, face: str = "body", align: Align = "left", indent: bool = False, before: float = 0,
        after: float = 0, spacing: float | None = 0, stays: bool = False, colour: str = "",
    ) -> Paragraph:  # fmt: skip
        paragraph = self._document.add_paragraph()
        paragraph.alignment = _ALIGN[align]
        form = paragraph.paragraph_format
        form.space_before, form.space_after = Pt(before), Pt(after)
        if spacing is not None:
            form.line_spacing = Pt(spacing or self._layout.line_spacing_pt)
        if indent:
            size = float(self._layout.faces[face].size_pt)
            form.first_line_indent = Pt(size * self._layout.indent_characters)
        form.keep_with_next = stays
        if text:
            self._write(paragraph, text, face, colour=colour)
        return paragraph

    def _write(
        self, paragraph: Paragraph, text: str, face: str, *, is_bold: bool = False, colour: str = ""
    ) -> Any:
        of = self._layout.faces[face]
        run = paragraph.add_run(text.translate(_NOT_IN_XML))
        run.font.name, run.font.size, run.font.bold = self._layout.latin, Pt(float(of.size_pt)), is_bold
        run.font.color.rgb = RGBColor.from_string(colour or "000000")
        fonts = run._element.get_or_add_rPr().get_or_add_rFonts()
        for side in ("w:ascii", "w:hAnsi", "w:cs"):
            fonts.set(qn(side), self._layout.latin)
        fonts.set(qn("w:eastAsia"), of.font)
        return run

    def _table(self, widths: Sequence[int]) -> Any:
        made = self._document.add_table(rows=0, cols=len(widths))
        made.autofit = False
        made.alignment = 1
        borders = OxmlElement("w:tblBorders")
        for side in ("top", "left", "bottom", "right", "insideH", "insideV"):
            edge = OxmlElement(f"w:{side}")
            for key, value in (("val", "single"), ("sz", "4"), ("space", "0"), ("color", "000000")):
                edge.set(qn(f"w:{key}"), value)
            borders.append(edge)
        made._tbl.tblPr.append(borders)
        for column, width in zip(made.columns, widths, strict=True):
            column.width = Mm(width)
        return made

    def _row(
        self, made: Any, texts: Sequence[str], *, aligns: Sequence[Align] = (), is_bold: Sequence[bool] = (),
        is_heading: bool = False,
    ) -> None:  # fmt: skip
        row = made.add_row()
        row.height = Pt(24)
        properties = row._tr.get_or_add_trPr()
        properties.append(OxmlElement("w:cantSplit"))
        if is_heading:
            properties.append(OxmlElement("w:tblHeader"))
        for at, (cell, text) in enumerate(zip(row.cells, texts, strict=True)):
            cell.width = made.columns[at].width
            cell.vertical_alignment = 1
            paragraph = cell.paragraphs[0]
            paragraph.alignment = _ALIGN[aligns[at] if aligns else "centre"]
            paragraph.paragraph_format.space_after = Pt(0)
            self._write(paragraph, text, "table", is_bold=bool(is_bold and is_bold[at]))

    def _set_page(self, is_landscape: bool) -> None:
        page, section = self._layout.page, self._document.sections[0]
        width, height = (page.height_mm, page.width_mm) if is_landscape else (page.width_mm, page.height_mm)
        section.page_width, section.page_height = Mm(width), Mm(height)
        section.top_margin, section.bottom_margin = Mm(page.top_mm), Mm(page.bottom_mm)
        section.left_margin, section.right_margin = Mm(page.left_mm), Mm(page.right_mm)
        section.footer_distance = Mm(self._layout.footer_mm)
        self._number(section.footer.paragraphs[0])

    def _number(self, paragraph: Paragraph) -> None:
        paragraph.alignment = _ALIGN["centre"]
        self._write(paragraph, "— ", "page_number")
        for kind in ("begin", None, "end"):
            run = self._write(paragraph, "", "page_number")
            mark = OxmlElement("w:instrText" if kind is None else "w:fldChar")
            if kind is None:
                mark.set(qn("xml:space"), "preserve")
                mark.text = " PAGE "
            else:
                mark.set(qn("w:fldCharType"), kind)
            run._r.append(mark)
        self._write(paragraph, " —", "page_number")

    def _set_styles(self) -> None:
        body, document = self._layout.faces["body"], self._document
        style = document.styles["Normal"]
        style.font.name, style.font.size = self._layout.latin, Pt(float(body.size_pt))
        style.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), body.font)
        style.paragraph_format.space_after = Pt(0)
        language = document.styles.element.find(f".//{qn('w:lang')}")
        if language is not None:
            language.set(qn("w:val"), "zh-CN")
            language.set(qn("w:eastAsia"), "zh-CN")
        _name_fallbacks(document, self._layout.fallbacks)
        package = document.part.package
        for key in [k for k, each in package.rels.items() if each.reltype.endswith("/thumbnail")]:
            del package.rels[key]


def _rule_below(paragraph: Paragraph, colour: str) -> None:
    borders = OxmlElement("w:pBdr")
    edge = OxmlElement("w:bottom")
    for key, value in (("val", "single"), ("sz", "18"), ("space", "8"), ("color", colour)):
        edge.set(qn(f"w:{key}"), value)
    borders.append(edge)
    properties = paragraph._p.get_or_add_pPr()
    properties.insert_element_before(
        borders, "w:shd", "w:tabs", "w:spacing", "w:ind", "w:jc", "w:rPr", "w:sectPr"
    )


def _name_fallbacks(document: DocumentType, fallbacks: dict[str, str]) -> None:
    """Name in the font table what stands in for each face."""
    fonts = "".join(
        f'<w:font w:name="{name}"><w:altName w:val="{other}"/><w:charset w:val="86"/>'
        f'<w:family w:val="auto"/><w:pitch w:val="default"/></w:font>'
        for name, other in fallbacks.items()
    )
    space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    table = f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<w:fonts xmlns:w="{space}">{fonts}</w:fonts>'
    for relation in document.part.rels.values():
        if relation.reltype.endswith("/fontTable"):
            relation.target_part._blob = table.encode()
