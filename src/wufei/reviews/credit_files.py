"""
What facts of credit does this file bring, and what in it is wrong?

Pure. A table (.csv or .xlsx) with one heading row; every fault is named by row and column, and a file with a
fault brings nothing.
"""

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from python_calamine import CalamineError, CalamineWorkbook
from stdnum.cn import uscc as check_digits
from stdnum.exceptions import ValidationError

from wufei.paper.attachments import EvidenceRefused, examine

COLUMNS = ("统一社会信用代码", "类别", "来源", "文号", "日期", "内容")
LONGEST = {"类别": 40, "来源": 120, "文号": 120, "内容": 500}
OPTIONAL = frozenset({"文号"})
MOST_ROWS = 50_000
MOST_BYTES = 20 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A fact of credit as the file says it."""

    uscc: str
    kind: str
    source: str
    reference: str
    on: date
    words: str

    @property
    def fingerprint(self) -> str:
        """Return what is the same for the same fact, in whichever file it comes."""
        said = (self.uscc, self.kind, self.source, self.reference, self.on.isoformat(), self.words)
        return hashlib.sha256("\x1f".join(said).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong, where; row 1 is that of the headings, "" is the whole row or file."""

    row: int
    column: str
    message: str

    def __str__(self) -> str:
        where = f"第 {self.row} 行" + (f"“{self.column}”" if self.column else "")
        return f"{where}：{self.message}"


class FileRefused(Exception):
    """The file brings nothing; `faults` says why."""

    def __init__(self, faults: Sequence[Fault]):
        self.faults = tuple(faults)
        super().__init__("; ".join(map(str, faults)))


def read(*, name: str, content: bytes, today: date) -> list[Fact]:
    """
    Return the facts that the file brings.

    :raises FileRefused: with every fault
    """
    rows = _xlsx(name, content) if name.lower().endswith(".xlsx") else _csv(name, content)
    headings = [_text(cell) for cell in next(rows, [])]
    missing = [column for column in COLUMNS if column not in headings]
    if missing:
        raise _refused(1, f"缺少列：{'、'.join(missing)}。表头应为：{'、'.join(COLUMNS)}。")
    places = {column: headings.index(column) for column in COLUMNS}
    facts, faults = [], []
    for number, cells in enumerate(rows, start=2):
        if number > MOST_ROWS + 1:
            raise _refused(number, f"超过 {MOST_ROWS} 行，请拆成几个文件。")
        said = {column: cells[at] if at < len(cells) else "" for column, at in places.items()}
        if not any(_text(cell) for cell in said.values()):
            continue
        found = list(_faults(number, said, today))
        faults += found
        if not found:
            facts.append(_fact(said))
    if not facts and not faults:
        raise _refused(1, "表头以下没有内容。")
    if faults:
        raise FileRefused(faults)
    return facts


def _refused(row: int, message: str) -> FileRefused:
    return FileRefused([Fault(row=row, column="", message=message)])


def _csv(name: str, content: bytes) -> Iterator[Sequence[object]]:
    if not name.lower().endswith(".csv"):
        raise _refused(1, "只接受 .csv 或 .xlsx 文件。")
    if len(content) > MOST_BYTES:
        raise _refused(1, "文件超过 20 MB，请拆成几个文件。")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" in text:
            break
        return iter(list(csv.reader(io.StringIO(text, newline=""))))
    raise _refused(1, "不是文本文件，请另存为 UTF-8 的 .csv，或用 .xlsx。")


def _xlsx(name: str, content: bytes) -> Iterator[Sequence[object]]:
    try:
        examine(name=name, content=content)  # bombs and macros are refused before anything is opened
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0)
    except (EvidenceRefused, CalamineError) as refused:
        raise _refused(1, "不是完好的 .xlsx 文件，或含有宏；请用 Office 或 WPS 另存后再上传。") from refused
    return iter(sheet.to_python(nrows=MOST_ROWS + 2))


def _text(cell: object) -> str:
    """Return a cell as text; a code that a spreadsheet took for a number is written out."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip() if cell is not None else ""


def _faults(row: int, said: dict[str, object], today: date) -> Iterable[Fault]:
    for column in COLUMNS:
        if not _text(said[column]) and column not in OPTIONAL:
            yield Fault(row=row, column=column, message="没有填写。")
    for column, most in LONGEST.items():
        if len(_text(said[column])) > most:
            yield Fault(row=row, column=column, message=f"超过 {most} 字。")
    code, day = _text(said["统一社会信用代码"]), _text(said["日期"])
    if code and _uscc(code) is None:
        yield Fault(
            row=row,
            column="统一社会信用代码",
            message=f"“{code[:30]}”不是有效的代码：须为 18 位，且校验码要对得上。",
        )
    if day:
        on = _day(said["日期"])
        if on is None:
            yield Fault(row=row, column="日期", message=f"“{day[:30]}”不是日期，应如 2026-03-01。")
        elif on > today:
            yield Fault(row=row, column="日期", message=f"{on} 晚于今天。")


def _uscc(text: str) -> str | None:
    try:
        return str(check_digits.validate(text))
    except ValidationError:
        return None


def _day(cell: object) -> date | None:
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    try:
        return date.fromisoformat(_text(cell).replace("/", "-"))
    except ValueError:
        return None


def _fact(said: dict[str, object]) -> Fact:
    uscc, on = _uscc(_text(said["统一社会信用代码"])), _day(said["日期"])
    assert uscc is not None, "looked into by `_faults`"
    assert on is not None, "looked into by `_faults`"
    return Fact(
        uscc=uscc, kind=_text(said["类别"]), source=_text(said["来源"]), reference=_text(said["文号"]), on=on,
        words=_text(said["内容"]),
    )  # fmt: skip
