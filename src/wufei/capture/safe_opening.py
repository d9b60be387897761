"""
May this file be opened as a workbook?

Asked before anything opens it. First the archive's directory is checked (size, count, ratio,
names), then every part is unpacked in small pieces under a cap, and thrown away again; only the
cells that hold formulas are remembered. Nothing here trusts a length that the file states.
"""

import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path, PurePosixPath
from xml.etree.ElementTree import Element, ParseError
from xml.parsers import expat

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from wufei.capture.faults import WorkbookRefused
from wufei.capture.sheet_scan import (
    CHUNK,
    DAMAGED,
    RESAVE,
    Budget,
    FormulaCell,
    SheetScan,
    Watch,
    check_declarations,
    local_name,
)

MAX_FILE_BYTES = 30 * 1024 * 1024
MAX_UNPACKED_BYTES = 200 * 1024 * 1024
MAX_RATIO = 120  # of what is unpacked to what is packed; honest sheets reach about 20
RATIO_COUNTS_FROM = 5 * 1024 * 1024  # below this a high ratio harms nobody
MAX_ENTRIES = 500
MAX_DIRECTORY_BYTES = 200_000
MAX_STRINGS_BYTES = 64 * 1024 * 1024
MAX_INDEX_BYTES = 1024 * 1024  # of the parts that only list other parts

_END = b"PK\x05\x06"
_ZIP64_LOCATOR = b"PK\x06\x07"
_OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ARCHIVES = (
    ".zip",
    ".xlsx",
    ".xlsm",
    ".xlsb",
    ".docx",
    ".pptx",
    ".rar",
    ".7z",
    ".gz",
    ".bz2",
    ".xz",
    ".tar",
    ".jar",
)
_PROGRAMS = (".exe", ".dll", ".js", ".vbs", ".bat", ".cmd", ".ps1", ".sh", ".html", ".htm", ".svg", ".lnk")
_CARRIERS = (
    "xl/externallinks/", "xl/embeddings/", "xl/activex/", "xl/macrosheets/", "xl/dialogsheets/",
    "xl/querytables/", "xl/model/", "customui/", "xl/webextensions/",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class SafeWorkbook:
    """A file that may be opened, and what was seen on the way."""

    content: bytes
    sheet_names: tuple[str, ...]
    formulas: Mapping[str, tuple[FormulaCell, ...]] = field(default_factory=dict)


def read_file(path: Path) -> bytes:
    """
    Return the content of a file that is not too large.

    :raises WorkbookRefused: if it is missing, no file, or too large
    """
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise WorkbookRefused("file_missing", f"“{path.name}”不是文件；请给出 .xlsx 文件的路径。")
        check_size(size)
        return path.read_bytes()
    except OSError as error:
        raise WorkbookRefused("file_missing", f"读不到文件“{path}”；请检查路径和权限。") from error


def check_size(size: int) -> None:
    """
    Let an upload's stated size through; ask before reading it.

    :raises WorkbookRefused: if it is too large
    """
    if size > MAX_FILE_BYTES:
        limit = MAX_FILE_BYTES // 1024 // 1024
        raise WorkbookRefused("file_too_large", f"文件超过 {limit} MB；请按年份拆成几个工作簿，分别导入。")


def open_safely(content: bytes) -> SafeWorkbook:
    """
    Return the workbook where nothing in it can hurt.

    :raises WorkbookRefused: otherwise, with one reason and what to do
    """
    check_size(len(content))
    _check_beginning(content)
    directory_at = _check_end(content)
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, struct.error, UnicodeDecodeError) as error:
        raise WorkbookRefused("damaged", DAMAGED) from error
    _check_directory(entries, content, directory_at)
    try:
        return _scan(content, {entry.filename: entry for entry in entries})
    except (zlib.error, struct.error, expat.ExpatError, ParseError, DefusedXmlException, ValueError) as error:
        raise WorkbookRefused("damaged", DAMAGED) from error


# --- the file as a whole


def _check_beginning(content: bytes) -> None:
    if not content:
        raise WorkbookRefused("file_empty", "文件是空的（0 字节）；请重新保存或重新下载后再提交。")
    if content.startswith(_OLE2):
        if (
            "EncryptedPackage".encode("utf-16-le") in content
            or "EncryptionInfo".encode("utf-16-le") in content
        ):
            message = "文件设有打开密码；请在 Excel 或 WPS 中取消密码（文件—信息—保护工作簿）后重新保存。"
            raise WorkbookRefused("encrypted", message)
        raise WorkbookRefused("old_format", f"文件是旧版 .xls 或带密码的工作簿，不能读取；{RESAVE}")
    if not content.startswith(b"PK\x03\x04"):
        raise WorkbookRefused("not_a_workbook", f"文件不是 .xlsx 工作簿；{RESAVE}")


def _check_end(content: bytes) -> int:
    """Return where the directory begins; the archive's end must be the file's end, or it is two files in one."""
    at = content.rfind(_END)
    if at < 0 or at + 22 > len(content):
        raise WorkbookRefused("truncated", f"文件不完整，可能没有传完；请重新复制或下载。若仍不行，{RESAVE}")
    disk, start_disk, _here, count, size, offset, comment = struct.unpack("<4H2LH", content[at + 4 : at + 22])
    if _ZIP64_LOCATOR in content[max(0, at - 20) : at] or 0xFFFF in (disk, start_disk, count):
        raise WorkbookRefused("not_plain", f"文件的压缩格式不常见（ZIP64 或分卷），不能读取；{RESAVE}")
    if comment or at + 22 != len(content):
        raise WorkbookRefused("polyglot", f"文件末尾附有工作簿以外的内容；{RESAVE}")
    if count > MAX_ENTRIES or size > MAX_DIRECTORY_BYTES:
        raise WorkbookRefused("too_many_parts", f"文件内部的部件过多（超过 {MAX_ENTRIES} 个）；{RESAVE}")
    if offset + size != at:
        raise WorkbookRefused("damaged", DAMAGED)
    return int(offset)


# --- the archive's directory


def _check_directory(entries: list[zipfile.ZipInfo], content: bytes, directory_at: int) -> None:
    if len(entries) > MAX_ENTRIES:
        raise WorkbookRefused("too_many_parts", f"文件内部的部件过多（超过 {MAX_ENTRIES} 个）；{RESAVE}")
    names = {entry.filename.casefold() for entry in entries}
    if len(names) < len(entries):
        raise WorkbookRefused("duplicate_parts", f"文件内部有重名的部件；{RESAVE}")
    for entry in entries:
        _check_entry(entry)
    if sum(entry.file_size for entry in entries) > MAX_UNPACKED_BYTES:
        _refuse_bomb()
    if "[content_types].xml" not in names or "xl/workbook.xml" not in names:
        raise WorkbookRefused("not_a_workbook", f"文件是压缩包，但不是 .xlsx 工作簿；{RESAVE}")
    _check_places(entries, content, directory_at)


def _check_entry(entry: zipfile.ZipInfo) -> None:
    name, lower = entry.filename, entry.filename.casefold()
    if (
        name.startswith(("/", "\\"))
        or "\\" in name
        or ":" in name
        or ".." in PurePosixPath(name).parts
        or "\0" in name
    ):
        raise WorkbookRefused("path_slip", f"文件内部有指向外面的路径，可能是恶意文件；{RESAVE}")
    if entry.flag_bits & 0x1:
        raise WorkbookRefused("encrypted", f"文件内部已加密；请取消密码后重新保存。{RESAVE}")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise WorkbookRefused("symbolic_link", f"文件内部有符号链接，可能是恶意文件；{RESAVE}")
    if lower.endswith(("vbaproject.bin", "vbadata.xml")):
        _refuse_macros()
    if lower.startswith("xl/externallinks/") or lower == "xl/connections.xml":
        _refuse_external()
    if lower.endswith(_ARCHIVES):
        raise WorkbookRefused("nested_archive", f"文件内部还有压缩包或别的文档；请删去嵌入的文件。{RESAVE}")
    if lower.startswith(_CARRIERS) or lower.endswith(_PROGRAMS):
        raise WorkbookRefused("embedded_object", f"文件内嵌有对象、控件或程序；请删去后再提交。{RESAVE}")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise WorkbookRefused("not_plain", f"文件的压缩方法不常见，不能读取；{RESAVE}")
    if entry.file_size > RATIO_COUNTS_FROM and entry.file_size > MAX_RATIO * max(entry.compress_size, 1):
        _refuse_bomb()


def _check_places(entries: list[zipfile.ZipInfo], content: bytes, directory_at: int) -> None:
    """Each part lies by itself, from the first byte on, under the name that the directory gives."""
    at = 0
    for entry in sorted(entries, key=lambda e: e.header_offset):
        _check_next(at, entry.header_offset)
        at = _data_offset(entry, content) + entry.compress_size
    _check_next(at, directory_at)


def _check_next(end: int, begin: int) -> None:
    # A data descriptor of up to 24 bytes may stand between two parts.
    if not end <= begin <= end + 24:
        raise WorkbookRefused("overlapping_parts", f"文件内部的部件互相重叠或夹有别的内容；{RESAVE}")


def _data_offset(entry: zipfile.ZipInfo, content: bytes) -> int:
    header = content[entry.header_offset : entry.header_offset + 30]
    if len(header) < 30 or not header.startswith(b"PK\x03\x04"):
        raise WorkbookRefused("damaged", DAMAGED)
    flags, method = struct.unpack("<HH", header[6:10])
    name_length, extra_length = struct.unpack("<HH", header[26:30])
    name = content[entry.header_offset + 30 : entry.header_offset + 30 + name_length]
    said = name.decode("utf-8" if flags & 0x800 else "cp437", "replace")
    if said != entry.orig_filename or method != entry.compress_type or flags & 0x1:
        raise WorkbookRefused("lying_headers", f"文件内部的目录与内容不一致，可能是恶意文件；{RESAVE}")
    return entry.header_offset + 30 + name_length + extra_length


# --- what is inside, in small pieces


def _pieces(entry: zipfile.ZipInfo, content: bytes, budget: Budget) -> Iterator[bytes]:
    """Yield the unpacked part; a stated length that is not true is refused."""
    start = _data_offset(entry, content)
    packed = memoryview(content)[start : start + entry.compress_size]
    if len(packed) != entry.compress_size:
        raise WorkbookRefused("truncated", DAMAGED)
    got = 0
    for piece in _inflated(packed) if entry.compress_type == zipfile.ZIP_DEFLATED else _stored(packed):
        got += len(piece)
        budget.unpacked += len(piece)
        if got > entry.file_size:
            raise WorkbookRefused("lying_headers", f"文件内部的目录与内容不一致，可能是恶意文件；{RESAVE}")
        if budget.unpacked > MAX_UNPACKED_BYTES:
            _refuse_bomb()
        yield piece
    if got != entry.file_size:
        raise WorkbookRefused("lying_headers", f"文件内部的目录与内容不一致，可能是恶意文件；{RESAVE}")


def _stored(packed: memoryview) -> Iterator[bytes]:
    for at in range(0, len(packed), CHUNK):
        yield bytes(packed[at : at + CHUNK])


def _inflated(packed: memoryview) -> Iterator[bytes]:
    unpacker = zlib.decompressobj(-15)
    left: bytes | memoryview = packed
    while not unpacker.eof:
        piece = unpacker.decompress(left, CHUNK)
        left = unpacker.unconsumed_tail
        if piece:
            yield piece
        elif not left:
            break
    if not unpacker.eof or unpacker.unused_data:
        raise WorkbookRefused("damaged", DAMAGED)


def _scan(content: bytes, entries: dict[str, zipfile.ZipInfo]) -> SafeWorkbook:
    budget = Budget()
    by_lower = {name.casefold(): entry for name, entry in entries.items()}
    types = _index(by_lower["[content_types].xml"], content, budget)
    if any("macroEnabled" in (e.get("ContentType") or "") for e in types.iter()):
        _refuse_macros()
    sheets = _sheet_parts(by_lower, content, budget)
    formulas: dict[str, tuple[FormulaCell, ...]] = {}
    for name, entry in entries.items():
        lower = name.casefold()
        if lower in sheets:
            scan = SheetScan(budget)
            scan.read(_pieces(entry, content, budget))
            if scan.formulas:
                formulas[sheets[lower]] = tuple(scan.formulas)
        elif lower.endswith(".rels"):
            _check_links(_index(entry, content, budget))
        elif lower.endswith(".xml") and lower not in ("[content_types].xml", "xl/workbook.xml"):
            _check_xml(entry, content, budget)
        else:
            _check_other(entry, content, budget)
    return SafeWorkbook(content=content, sheet_names=tuple(sheets.values()), formulas=formulas)


def _index(entry: zipfile.ZipInfo, content: bytes, budget: Budget) -> Element:
    """Return a small part as a tree; no declarations, no entities."""
    if entry.file_size > MAX_INDEX_BYTES:
        _refuse_bomb()
    whole = b"".join(_pieces(entry, content, budget))
    check_declarations(whole)
    Watch().read(iter([whole]))
    tree: Element = fromstring(whole, forbid_dtd=True)
    return tree


def _sheet_parts(by_lower: dict[str, zipfile.ZipInfo], content: bytes, budget: Budget) -> dict[str, str]:
    """Return each worksheet's part and its name, in the order of the workbook."""
    rels = by_lower.get("xl/_rels/workbook.xml.rels")
    if rels is None:
        raise WorkbookRefused("damaged", DAMAGED)
    targets = {e.get("Id"): e.get("Target") or "" for e in _index(rels, content, budget).iter()}
    found: dict[str, str] = {}
    for element in _index(by_lower["xl/workbook.xml"], content, budget).iter():
        if local_name(element.tag) != "sheet":
            continue
        relation = next((v for k, v in element.attrib.items() if local_name(k) == "id"), None)
        target = targets.get(relation, "")
        part = (target.lstrip("/") if target.startswith("/") else f"xl/{target}").casefold()
        name = element.get("name") or ""
        if part not in by_lower or part in found or name in found.values():
            raise WorkbookRefused("damaged", DAMAGED)
        found[part] = name
    if not found:
        raise WorkbookRefused("no_sheets", "工作簿里没有工作表；请用 wufei template 生成的模板填写。")
    return found


def _check_links(relations: Element) -> None:
    """Nothing but a hyperlink may point outside."""
    for element in relations.iter():
        kind = (element.get("Type") or "").rsplit("/", 1)[-1]
        if element.get("TargetMode") == "External" and kind != "hyperlink":
            _refuse_external()
        if kind in ("vbaProject", "xlMacrosheet"):
            _refuse_macros()


def _check_xml(entry: zipfile.ZipInfo, content: bytes, budget: Budget) -> None:
    """A part that we read but do not understand here: no declarations, no absurd depth."""
    if "sharedstrings" in entry.filename.casefold() and entry.file_size > MAX_STRINGS_BYTES:
        _refuse_bomb()
    Watch().read(_pieces(entry, content, budget))


def _check_other(entry: zipfile.ZipInfo, content: bytes, budget: Budget) -> None:
    """A picture or printer settings: never opened, but unpacked under the cap, and no archive."""
    for index, piece in enumerate(_pieces(entry, content, budget)):
        if index == 0 and piece.startswith(
            (b"PK\x03\x04", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b", b"MZ", _OLE2)
        ):
            raise WorkbookRefused("nested_archive", f"文件内部还有压缩包或程序；请删去嵌入的文件。{RESAVE}")


def _refuse_bomb() -> None:
    message = f"文件解压后过大（压缩炸弹或大量空白格式）；请删去多余的空行、空列和格式。{RESAVE}"
    raise WorkbookRefused("zip_bomb", message)


def _refuse_macros() -> None:
    raise WorkbookRefused("macros", f"文件含有宏，不能接收；{RESAVE}")


def _refuse_external() -> None:
    message = f"文件链接了外部的工作簿或数据；请断开链接（数据—编辑链接—断开）并粘贴为数值。{RESAVE}"
    raise WorkbookRefused("external_links", message)
