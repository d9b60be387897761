"""
May this file be kept beside a record, and what is it?

Pure. The type is what the content says, not what the name says; both must agree. Nothing is opened:
headers and the archive's directory are read, and archives are unpacked in small pieces under a cap.
"""

import hashlib
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO

from wufei.paper.texts import file_name

MAX_FILE_BYTES = 20 * 1024 * 1024
MAX_PIXELS = 100_000_000
MAX_PARTS = 2_000
MAX_UNPACKED_BYTES = 100 * 1024 * 1024
MAX_RATIO = 200
RATIO_COUNTS_FROM = 5 * 1024 * 1024
_CHUNK = 256 * 1024

MEDIA_TYPES: Mapping[str, str] = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "jpg": "image/jpeg",
    "png": "image/png",
}
_EXTENSIONS = {**{kind: kind for kind in MEDIA_TYPES}, "jpeg": "jpg"}
_MAIN_PARTS = {"docx": "word/document.xml", "xlsx": "xl/workbook.xml"}
_ARCHIVES = (".zip", ".rar", ".7z", ".gz", ".bz2", ".xz", ".tar", ".jar", ".docx", ".xlsx", ".docm", ".xlsm")
_LIVE_PARTS = ("vbaproject", "/activex/", "macrosheets/", "/embeddings/oleobject", "externallinks/")
_LIVE_PDF = re.compile(rb"/(JavaScript|Launch|EmbeddedFiles?|RichMedia)[\s/<>\[\(]")


REFUSAL_TEXT: Mapping[str, str] = {
    "file_empty": "文件是空的（0 字节）；请重新选择文件。",
    "file_too_large": "文件超过 20 MB；请压缩图片或拆成几个文件后再上传。",
    "type_not_allowed": "只接受 pdf、docx、xlsx、jpg、png 文件；请另存为其中一种后再上传。",
    "content_does_not_fit_name": "文件内容与扩展名不符；请用原来的软件打开并另存为正确的格式。",
    "damaged": "文件不完整或已损坏；请重新导出或重新扫描后再上传。",
    "encrypted": "文件设有密码；请取消密码后再上传。",
    "active_content": "文件含有宏、脚本或内嵌程序；请另存为不含宏的文件，或打印为 PDF 后再上传。",
    "archive_unsafe": "文件内部结构异常（内容过多、压缩比过高或路径不安全）；请用 Office 或 WPS 另存后再上传。",
    "image_too_large": "图片尺寸过大（超过 1 亿像素）；请缩小后再上传。",
    "trailing_content": "文件末尾附有其他内容；请重新导出后再上传。",
    "name_missing": "文件没有名称；请改名后再上传。",
}


class EvidenceRefused(Exception):
    """The file was not kept; `code` says why."""

    def __init__(self, code: str):
        self.code = code
        super().__init__(code)


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """A file that may be kept."""

    file_name: str
    kind: str  # "pdf"
    size: int
    sha256: str

    @property
    def media_type(self) -> str:
        return MEDIA_TYPES[self.kind]


def examine(*, name: str, content: bytes) -> Examined:
    """
    Return what the file is.

    :raises EvidenceRefused: if it may not be kept
    """
    check_size(len(content))
    name = file_name(name)
    stem, _, extension = name.rpartition(".")
    if not stem:
        raise EvidenceRefused("name_missing" if not extension else "type_not_allowed")
    kind = _EXTENSIONS.get(extension.lower())
    if kind is None:
        raise EvidenceRefused("type_not_allowed")
    _CHECKS[kind](content)
    return Examined(file_name=name, kind=kind, size=len(content), sha256=hashlib.sha256(content).hexdigest())


def check_size(size: int) -> None:
    """
    Let a file's stated size through; ask before reading it.

    :raises EvidenceRefused: if it is empty or too large
    """
    if size <= 0:
        raise EvidenceRefused("file_empty")
    if size > MAX_FILE_BYTES:
        raise EvidenceRefused("file_too_large")


def _must(holds: bool, code: str) -> None:
    if not holds:
        raise EvidenceRefused(code)


# --- PDF and images -----------------------------------------------------------------------


def _check_pdf(content: bytes) -> None:
    _must(re.match(rb"%PDF-[12]\.\d", content) is not None, "content_does_not_fit_name")
    end = content.rfind(b"%%EOF")
    _must(end >= 0 and b"startxref" in content[max(0, end - 2048) : end], "damaged")
    _must(not content[end + 5 :].strip(b"\r\n\t \x00"), "trailing_content")
    _must(re.search(rb"/Encrypt[\s/<>\[]", content) is None, "encrypted")
    _must(_LIVE_PDF.search(content) is None, "active_content")


def _check_png(content: bytes) -> None:
    _must(content.startswith(b"\x89PNG\r\n\x1a\n"), "content_does_not_fit_name")
    at, seen_end = 8, False
    while at + 8 <= len(content) and not seen_end:
        length, kind = struct.unpack(">I4s", content[at : at + 8])
        if at == 8:
            _must(kind == b"IHDR" and length == 13, "damaged")
            _check_pixels(*struct.unpack(">II", content[16:24]))
        at += 12 + length
        seen_end = kind == b"IEND"
    _must(seen_end and at <= len(content), "damaged")
    _must(at == len(content), "trailing_content")


def _check_jpg(content: bytes) -> None:
    _must(content.startswith(b"\xff\xd8\xff"), "content_does_not_fit_name")
    at, has_frame = 2, False
    while at + 4 <= len(content):
        _must(content[at] == 0xFF, "damaged")
        mark = content[at + 1]
        if mark == 0xFF:  # fill byte
            at += 1
            continue
        (length,) = struct.unpack(">H", content[at + 2 : at + 4])
        if mark in range(0xC0, 0xD0) and mark not in (0xC4, 0xC8, 0xCC):
            _must(at + 9 <= len(content), "damaged")
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            _check_pixels(width, height)
            has_frame = True
        if mark == 0xDA:
            break
        at += 2 + length
    end = content.rfind(b"\xff\xd9")
    _must(has_frame and end > at, "damaged")
    # Cameras pad with zeros; an archive behind the picture is refused.
    _must(not content[end + 2 :].strip(b"\x00\xff\r\n"), "trailing_content")


def _check_pixels(width: int, height: int) -> None:
    _must(width > 0 and height > 0, "damaged")
    _must(width * height <= MAX_PIXELS, "image_too_large")


# --- Office files -------------------------------------------------------------------------


def _check_office(kind: str) -> Callable[[bytes], None]:
    def check(content: bytes) -> None:
        if content.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
            protected = "EncryptedPackage".encode("utf-16-le") in content
            raise EvidenceRefused("encrypted" if protected else "content_does_not_fit_name")
        _must(content.startswith(b"PK\x03\x04"), "content_does_not_fit_name")
        try:
            with zipfile.ZipFile(BytesIO(content)) as archive:
                entries = archive.infolist()
                comment = archive.comment
        except (zipfile.BadZipFile, ValueError, NotImplementedError, struct.error) as error:
            raise EvidenceRefused("damaged") from error
        end = content.rfind(b"PK\x05\x06")
        _must(end + 22 == len(content) and not comment, "trailing_content")
        _check_directory(entries, len(content))
        names = {entry.filename for entry in entries}
        _must({"[Content_Types].xml", _MAIN_PARTS[kind]} <= names, "content_does_not_fit_name")
        _unpack(entries, content)

    return check


def _check_directory(entries: list[zipfile.ZipInfo], size: int) -> None:
    _must(0 < len(entries) <= MAX_PARTS, "archive_unsafe")
    _must(len({entry.filename for entry in entries}) == len(entries), "archive_unsafe")
    for entry in entries:
        name = entry.filename
        unsafe = name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/")
        _must(not unsafe and not stat.S_ISLNK(entry.external_attr >> 16), "archive_unsafe")
        _must(not entry.flag_bits & 0x1, "encrypted")
        lower = f"/{name.lower()}"
        _must(not any(part in lower for part in _LIVE_PARTS), "active_content")
        _must(not lower.endswith(_ARCHIVES), "archive_unsafe")
    # Parts that overlap say more packed bytes than the file has: each is counted once for real.
    _must(sum(entry.compress_size for entry in entries) <= size, "archive_unsafe")
    unpacked = sum(entry.file_size for entry in entries)
    _must(unpacked <= MAX_UNPACKED_BYTES, "archive_unsafe")
    _must(unpacked <= max(RATIO_COUNTS_FROM, MAX_RATIO * size), "archive_unsafe")


def _unpack(entries: list[zipfile.ZipInfo], content: bytes) -> None:
    """Unpack every part under what the directory said, and throw it away: a header that lies is found."""
    for entry in entries:
        head = content[entry.header_offset : entry.header_offset + 30]
        _must(len(head) == 30 and head.startswith(b"PK\x03\x04"), "damaged")
        name_length, extra_length = struct.unpack("<HH", head[26:30])
        start = entry.header_offset + 30 + name_length + extra_length
        packed = content[start : start + entry.compress_size]
        if entry.compress_type == zipfile.ZIP_STORED:
            _must(len(packed) == entry.file_size, "damaged")
        else:
            _must(entry.compress_type == zipfile.ZIP_DEFLATED, "archive_unsafe")
            _inflate(packed, entry.file_size)
        if entry.filename == "[Content_Types].xml":
            _check_types(packed, entry)


def _inflate(packed: bytes, stated: int) -> None:
    unpacker, got = zlib.decompressobj(-15), 0
    try:
        while packed and not unpacker.eof:
            got += len(unpacker.decompress(packed, _CHUNK))
            packed = unpacker.unconsumed_tail
            _must(got <= stated, "archive_unsafe")
    except zlib.error as error:
        raise EvidenceRefused("damaged") from error
    _must(unpacker.eof and got == stated, "damaged")


def _check_types(packed: bytes, entry: zipfile.ZipInfo) -> None:
    """A document that says of itself that it bears macros is not a plain one."""
    stored = entry.compress_type == zipfile.ZIP_STORED
    said = packed if stored else zlib.decompressobj(-15).decompress(packed, 1024 * 1024)
    _must(b"macroenabled" not in said.lower() and b"vbaproject" not in said.lower(), "active_content")


_CHECKS: Mapping[str, Callable[[bytes], None]] = {
    "pdf": _check_pdf,
    "docx": _check_office("docx"),
    "xlsx": _check_office("xlsx"),
    "jpg": _check_jpg,
    "png": _check_png,
}
