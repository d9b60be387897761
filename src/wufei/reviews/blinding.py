"""
What of a frozen case may an expert see, who must not know whose it is?

Pure. Only named parts of the content are let through – texts, numbers, verdicts – and in these every known
identifier is blanked, however it is spaced or written in full width: names (also without their place, legal
form or trade), codes, addresses, people, telephones. What looks like a company, a telephone, a mail or a web
address, or a code, is blanked too, whether it is known or not. A document is taken apart and written anew
from its blanked text; pictures and PDF can't be read surely, so they are withheld, and the page says so.
What nobody can blank is a circumlocution that the system does not know; that is said as well.
"""

import io
import re
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property
from typing import Any

import docx
import openpyxl
from docx.document import Document
from docx.oxml.ns import qn

from wufei.catalogue.divisions import divisions
from wufei.registry.exporting import workbook
from wufei.terms.truth import Truth

BLANK = "〔已隐去〕"
TEXTS = ("title", "brief_description", "plan", "practices", "results", "innovation", "conditions",
         "self_description")  # fmt: skip
# What follows the trade name, the longest first.
_LEGAL_FORMS = ("股份有限公司", "有限责任公司", "集团有限公司", "有限公司", "管理委员会", "管委会", "集团公司", "公司", "集团", "总厂", "厂")  # fmt: skip
_TRADES = (
    "新材料", "新能源", "环保科技", "节能环保", "环境科技", "再生资源", "资源再生", "精细化工", "生物科技", "智能制造",
    "工业园区", "经济技术开发区", "高新技术产业开发区", "产业园", "工业园", "园区", "开发区", "汽车零部件", "汽车",
    "化工", "化学", "建材", "水泥", "冶金", "钢铁", "铝业", "铜业", "机械", "电子", "电气", "电力", "能源", "环保", "环境",
    "科技", "技术", "材料", "实业", "工业", "工贸", "贸易", "制造", "发展", "投资", "建设", "食品", "制药", "医药", "药业",
    "纸业", "包装", "塑料", "橡胶", "玻璃", "陶瓷", "纺织", "家具", "矿业", "煤业", "物流", "控股",
)  # fmt: skip
_COMPANY = re.compile(
    r"(?:(?!与|和|及|由|向|从|将|把|给|为|在|的|了|是|对|以|至|到|委托|交)[一-鿿A-Za-z0-9（）()·]){2,30}?"
    r"(?:股份有限公司|有限责任公司|有限公司|集团公司)"
)  # fmt: skip
_WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
_D = "[0-9０-９]"
_PATTERNS = (
    _COMPANY,
    re.compile(
        r"(?<![0-9A-Z])[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}(?![0-9A-Z])", re.IGNORECASE
    ),
    re.compile(r"[A-Za-z0-9_.+-]+[@＠][A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"),
    re.compile(r"(?:https?://|www\.)[^\s，。；、）)]+", re.IGNORECASE),
    re.compile(rf"(?<!{_D})(?:\+?86[- ]?)?1[3-9]{_D}(?:[- ]?{_D}){{8}}(?!{_D})"),
    re.compile(rf"(?<!{_D})(?:[（(]?0{_D}{{2,3}}[)）]?[- －—]?){_D}{{7,8}}(?!{_D})"),
)
_GAP = "[\\s\u200b\u200c\u200d\u2060\ufeff\u00ad·・\\-]*"


def identifiers(
    *, names: Iterable[str] = (), addresses: Iterable[str] = (), others: Iterable[str] = ()
) -> frozenset[str]:
    """
    Return all that gives somebody away: the names with their shorter forms, addresses, codes, people.

    >>> sorted(identifiers(names=["重庆甲乙化工有限公司"]), key=len)
    ['甲乙', '甲乙化工', '重庆甲乙', '重庆甲乙化工', '重庆甲乙化工有限公司']
    """
    found = {each.strip() for each in others}
    for name in names:
        found |= set(short_forms(name))
    for address in addresses:
        address = address.strip()
        found |= {address, *_without_places(address)}
    return frozenset(each for each in found if len(each) >= 2)


def short_forms(name: str) -> Iterator[str]:
    """Yield the name, without its legal form, without its place, and the bare trade name 字号."""
    name = name.strip()
    yield name
    bare = re.sub(r"[（(][^）)]*[）)]", "", name)
    for form in _LEGAL_FORMS:
        if bare.endswith(form) and len(bare) > len(form) + 1:
            bare = bare.removesuffix(form)
            break
    for core in (bare, *_without_places(bare)):
        while core:
            if core not in _TRADES:
                yield core
            core = _without_trade(core)


def _without_trade(core: str) -> str:
    """Return what stands before the trade that the name ends with; "" where no name would be left."""
    trade = next((t for t in _TRADES if core.endswith(t)), "") or (core[-2:] if core.endswith("业") else "")
    left = core.removesuffix(trade)
    return left if trade and len(left) >= 2 else ""


def _without_places(name: str) -> Iterator[str]:
    """Yield what is left behind each place that the name begins with: province, city, district."""
    while place := next((name[:n] for n in range(12, 1, -1) if name[:n] in _places()), ""):
        name = name.removeprefix(place)
        if len(name) < 2:
            return
        yield name


@cache
def _places() -> frozenset[str]:
    """Return the names of all divisions, with and without what kind of division they are."""
    names = {each.name for each in divisions().values()}
    short = {re.sub("(省|市|区|县|(?:[一-鿿]{1,3}族)*自治[区州县]|地区|盟|旗)$", "", name) for name in names}
    return frozenset(name for name in names | short | {"中国"} if len(name) >= 2)


@dataclass(frozen=True)
class Blinder:
    """Blanks what it knows of, and what looks as if it gave somebody away."""

    identifiers: frozenset[str]

    @cached_property
    def _known(self) -> re.Pattern[str] | None:
        ordered = sorted(self.identifiers, key=lambda each: (-len(each), each))
        return re.compile("|".join(map(_loosely, ordered)), re.IGNORECASE) if ordered else None

    def text(self, said: str) -> str:
        """Return the text with what gives somebody away blanked."""
        if self._known:
            said = self._known.sub(BLANK, said)
        for pattern in _PATTERNS:
            said = pattern.sub(BLANK, said)
        return re.sub(f"(?:{re.escape(BLANK)}[\\s、，和与及（）()]*)+{re.escape(BLANK)}", BLANK, said)

    def is_clean(self, said: str) -> bool:
        """Return whether nothing known is in the text, by another way of looking than the one that blanks."""
        squeezed = _squeezed(said.replace(BLANK, ""))
        return not any(_squeezed(each) in squeezed for each in self.identifiers)


def _loosely(identifier: str) -> str:
    """Return a pattern of the identifier in whatever width and spacing."""
    letters = [c for c in unicodedata.normalize("NFKC", identifier) if not c.isspace()]
    return _GAP.join(f"[{re.escape(c)}{re.escape(c.translate(_WIDE))}]" for c in letters)


def _squeezed(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(_GAP.removesuffix("*"), "", plain)


# ---- the content of a submission --------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BlindTable:
    """Numbers of one table of the form: rows over columns, as they are printed."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class BlindCriterion:
    clause: str
    says: str
    verdict: Truth


@dataclass(frozen=True, slots=True, kw_only=True)
class BlindCase:
    """What an expert sees of a case. Nothing else of it may reach a page."""

    texts: tuple[tuple[str, str], ...]  # (name of the field, blanked text)
    tables: tuple[BlindTable, ...]
    criteria: tuple[BlindCriterion, ...]


def blind(content: Mapping[str, Any], blinder: Blinder) -> BlindCase:
    """Return what is left of a submission's content."""
    texts = content.get("texts") or {}
    return BlindCase(
        texts=tuple(
            (name, blinder.text(said))
            for name in TEXTS
            if isinstance(said := texts.get(name), str) and said.strip()
        ),
        tables=tuple(_tables(content.get("numbers") or (), blinder)),
        criteria=tuple(_criteria(content.get("evaluation") or {}, blinder)),
    )


def _tables(numbers: Any, blinder: Blinder) -> Iterator[BlindTable]:
    """Yield the tables of the form; what a number rests on stays behind, for it names who and whom."""
    tables: dict[str, dict[str, dict[str, str]]] = {}
    for number in numbers if isinstance(numbers, list | tuple) else ():
        where = number.get("where") or {}
        row = tables.setdefault(str(where.get("table", "")), {}).setdefault(str(where.get("row", "")), {})
        row[str(where.get("column", ""))] = str(number.get("text") or "")
    for title, rows in tables.items():
        columns = tuple(dict.fromkeys(column for row in rows.values() for column in row))
        yield BlindTable(
            blinder.text(title),
            tuple(blinder.text(column) for column in columns),
            tuple(
                (
                    _numbered(label, at, blinder),
                    tuple(blinder.text(row.get(column, "")) for column in columns),
                )
                for at, (label, row) in enumerate(rows.items(), start=1)
            ),
        )


def _numbered(label: str, at: int, blinder: Blinder) -> str:
    """Return the row's label; rows that were told apart by a name alone still are."""
    said = blinder.text(label)
    return said.replace(BLANK, f"{BLANK}{at}") if BLANK in said else said


def _criteria(evaluation: Any, blinder: Blinder) -> Iterator[BlindCriterion]:
    known = {truth.value: truth for truth in Truth}
    for each in evaluation.get("criteria") or () if isinstance(evaluation, Mapping) else ():
        verdict = known.get(each.get("verdict"), Truth.UNKNOWN)
        says = blinder.text(str(each.get("says", "")))
        yield BlindCriterion(blinder.text(str(each.get("clause", ""))), says, verdict)


# ---- files ------------------------------------------------------------------------------

REBUILT = frozenset({"docx", "xlsx"})
_A_DAY = datetime(2000, 1, 1)  # noqa: DTZ001 - says nothing of when or where
MAX_PARTS = 200_000  # paragraphs or cells that are taken over


class NotSurelyBlind(Exception):
    """The file can't be blanked with certainty; it is withheld."""


def rebuilt(kind: str, content: bytes, blinder: Blinder) -> bytes:
    """
    Return a document of the blanked text: nothing of the old file is in it but that.

    :raises NotSurelyBlind:
    """
    try:
        made = {"docx": _rebuilt_docx, "xlsx": _rebuilt_xlsx}[kind](content, blinder)
    except Exception as fault:  # whatever a hostile or odd file does to a reader, it is withheld
        raise NotSurelyBlind(kind) from fault
    if not blinder.is_clean(_all_text(made)):
        raise NotSurelyBlind(kind)
    return made


def _rebuilt_docx(content: bytes, blinder: Blinder) -> bytes:
    old, new = docx.Document(io.BytesIO(content)), docx.Document()
    for number, block in enumerate(old.iter_inner_content()):
        if number > MAX_PARTS:
            raise NotSurelyBlind("docx")
        if hasattr(block, "rows"):
            rows = [[cell.text for cell in row.cells] for row in block.rows]
            _add_table(new, rows, blinder)
        elif text := _text_of(block):
            new.add_paragraph(blinder.text(text))
    return _clean(new)


def _text_of(block: Any) -> str:
    """Return the paragraph's text with that of links and fields, which python-docx leaves out at times."""
    return "".join(
        node.text or "" if node.tag == qn("w:t") else "\t"
        for node in block._p.iter(qn("w:t"), qn("w:tab"))
        if node.tag == qn("w:t") or node.getparent().tag == qn("w:r")
    )


def _add_table(new: Document, rows: list[list[str]], blinder: Blinder) -> None:
    if not rows:
        return
    table = new.add_table(rows=len(rows), cols=max(map(len, rows)))
    for row, texts in zip(table.rows, rows, strict=True):
        for cell, text in zip(row.cells, texts, strict=False):
            cell.text = blinder.text(text)


def _clean(new: Document) -> bytes:
    about = new.core_properties
    for name in ("author", "last_modified_by", "title", "subject", "keywords", "comments", "category",
                 "content_status", "identifier", "language", "version"):  # fmt: skip
        setattr(about, name, "")
    about.created = about.modified = about.last_printed = _A_DAY
    about.revision = 1
    written = io.BytesIO()
    new.save(written)
    return written.getvalue()


def _rebuilt_xlsx(content: bytes, blinder: Blinder) -> bytes:
    """Write the cells of all sheets below each other: sheets have names, and names give away."""
    old = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    rows: list[list[str]] = []
    for number, sheet in enumerate(old.worksheets, start=1):
        rows.append([f"第{number}张表"])
        for row in sheet.iter_rows(values_only=True):
            if len(rows) * max(1, len(row)) > MAX_PARTS:
                raise NotSurelyBlind("xlsx")
            rows.append(["" if cell is None else blinder.text(str(cell)) for cell in row])
    return workbook(title="附件", headings=("内容",), rows=rows)


def _all_text(made: bytes) -> str:
    """Return everything that the new file says, of any part of it, properties too."""
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        parts = [archive.read(name).decode("utf-8", "replace") for name in archive.namelist()
                 if name.endswith((".xml", ".rels"))]  # fmt: skip
    return "\n".join(
        re.sub(r"<[^>]*>", "", part) + "".join(re.findall(r'="([^"]*)"', part)) for part in parts
    )
