"""Hostile workbooks, built here so that each is known to be what its name says."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable

from openpyxl import Workbook

from wufei.capture.template import template

MB = 1024 * 1024
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
SHEET = "xl/worksheets/sheet1.xml"


def honest() -> bytes:
    workbook = Workbook()
    workbook.active.title = "台账"
    workbook.active.append(["日期", "废物编号", "环节", "数量", "单位"])
    stream = io.BytesIO()
    workbook.save(stream)
    return stream.getvalue()


def parts_of(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(parts: dict[str, bytes] | list[tuple[zipfile.ZipInfo | str, bytes]]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items() if isinstance(parts, dict) else parts:
            archive.writestr(name, data)
    return stream.getvalue()


def with_parts(**changed: bytes) -> bytes:
    return packed(parts_of(honest()) | {n.replace("__", "/"): d for n, d in changed.items()})


def with_part(name: str, data: bytes = b"x") -> bytes:
    return packed(parts_of(honest()) | {name: data})


def with_sheet(body: bytes, head: bytes = b"") -> bytes:
    start = b'<?xml version="1.0" encoding="UTF-8"?>' + head
    return with_part(
        SHEET,
        start + b'<worksheet xmlns="%s"><sheetData>' % MAIN.encode() + body + b"</sheetData></worksheet>",
    )


def streamed(name: str, chunk: bytes, times: int, head: bytes = b"", tail: bytes = b"") -> bytes:
    """Pack a huge part without ever holding it."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for part, data in parts_of(honest()).items():
            if part != name:
                archive.writestr(part, data)
        with archive.open(name, "w", force_zip64=False) as out:
            out.write(head)
            for _ in range(times):
                out.write(chunk)
            out.write(tail)
    return stream.getvalue()


def million_rows() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for part, data in parts_of(honest()).items():
            if part != SHEET:
                archive.writestr(part, data)
        with archive.open(SHEET, "w") as out:
            out.write(b'<worksheet xmlns="%s"><sheetData>' % MAIN.encode())
            for first in range(1, 1_000_001, 10_000):
                rows = (
                    f'<row r="{n}"><c r="A{n}"><v>{n}</v></c></row>' for n in range(first, first + 10_000)
                )
                out.write("".join(rows).encode())
            out.write(b"</sheetData></worksheet>")
    return stream.getvalue()


def overlapping() -> bytes:
    """Fifield's trick: two names share the same packed bytes."""
    content = bytearray(honest())
    first = content.find(b"PK\x01\x02")
    second = content.find(b"PK\x01\x02", first + 4)
    content[second + 42 : second + 46] = content[first + 42 : first + 46]
    return bytes(content)


def lying_size(factor: int = 1) -> bytes:
    """The directory says that the sheet unpacks to ten bytes."""
    content = bytearray(streamed(SHEET, b" " * 1000, 1000))
    at = content.rfind(SHEET.encode())
    content[at - 46 + 24 : at - 46 + 28] = struct.pack("<L", 10 * factor)
    return bytes(content)


def lying_name() -> bytes:
    content = honest()
    at = content.find(b"xl/styles.xml")
    return content[:at] + b"xl/stylos.xml" + content[at + 13 :]


def encrypted_flag() -> bytes:
    content = bytearray(honest())
    at = content.rfind(SHEET.encode()) - 46
    content[at + 8] |= 1
    return bytes(content)


def symlink() -> bytes:
    link = zipfile.ZipInfo("xl/media/image1.png")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    return packed([*parts_of(honest()).items(), (link, b"/etc/passwd")])


def duplicate() -> bytes:
    stream = io.BytesIO(honest())
    with zipfile.ZipFile(stream, "a") as archive:
        archive.writestr("XL/WORKSHEETS/SHEET1.XML", b"<worksheet/>")
    return stream.getvalue()


def ole(*names: str) -> bytes:
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
    return head + b"".join(name.encode("utf-16-le") + bytes(64) for name in names)


def bzip2() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_BZIP2) as archive:
        for name, data in parts_of(honest()).items():
            archive.writestr(name, data)
    return stream.getvalue()


def broken_deflate() -> bytes:
    content = bytearray(honest())
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entry = archive.getinfo(SHEET)
    start = entry.header_offset + 30 + len(SHEET)
    content[start : start + entry.compress_size] = b"\xff" * entry.compress_size
    return bytes(content)


def many_entries(count: int) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for number in range(count):
            archive.writestr(f"xl/worksheets/s{number}.xml", b"")
    return stream.getvalue()


def gap() -> bytes:
    """Another file hidden between two parts, offsets put right."""
    content = honest()
    hidden = b"MZ" + bytes(4000)
    end = content.rfind(b"PK\x05\x06")
    directory = struct.unpack("<L", content[end + 16 : end + 20])[0]
    moved = bytearray(content[:directory] + hidden + content[directory:])
    end += len(hidden)
    moved[end + 16 : end + 20] = struct.pack("<L", directory + len(hidden))
    return bytes(moved)


LAUGHS = b"<!DOCTYPE w [" + b'<!ENTITY a0 "ha">' + b"".join(
    b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 10)
) + b"]>"  # fmt: skip
XXE = b'<!DOCTYPE w [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
_EXTERNAL = (
    b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    b'<Relationship Id="rId1" Type="%s/%s" Target="%s" TargetMode="External"/></Relationships>'
)


def linked(kind: bytes, target: bytes) -> bytes:
    return with_part("xl/worksheets/_rels/sheet1.xml.rels", _EXTERNAL % (REL.encode(), kind, target))


def types_with(text: bytes) -> bytes:
    parts = parts_of(honest())
    types = parts["[Content_Types].xml"].replace(b"</Types>", text + b"</Types>")
    return packed(parts | {"[Content_Types].xml": types})


def varied_depth() -> bytes:
    """Tags that do not pack well, so that no ratio gives them away."""
    names = b"".join(b"<a%x>" % (zlib.crc32(b"%d" % n)) for n in range(300_000))
    return with_sheet(names)


MACRO = b'<Override PartName="/x" ContentType="application/vnd.ms-excel.sheet.macroEnabled.main+xml"/>'

# name -> (how it is built, the code that refuses it)
HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "file_empty"),
    "larger than the limit": (lambda: b"PK\x03\x04" + bytes(30 * MB), "file_too_large"),
    "text": (lambda: "日期,数量\n2024-01-01,5\n".encode(), "not_a_workbook"),
    "html under the name of a workbook": (lambda: b"<html><table></table></html>", "not_a_workbook"),
    "pdf before a workbook": (lambda: b"%PDF-1.7\n" + honest(), "not_a_workbook"),
    "old xls": (lambda: ole("Workbook"), "old_format"),
    "with a password": (lambda: ole("EncryptionInfo", "EncryptedPackage"), "encrypted"),
    "encrypted entry": (encrypted_flag, "encrypted"),
    "half a file": (lambda: template()[: len(template()) // 2], "truncated"),
    "without its last bytes": (lambda: honest()[:-5], "truncated"),
    "first bytes only": (lambda: b"PK\x03\x04", "truncated"),
    "with a program after its end": (lambda: honest() + b"MZ" + bytes(100_000), "polyglot"),
    "with a page after its end": (lambda: honest() + b"<script>alert(1)</script>", "polyglot"),
    "with a comment of the archive": (
        lambda: honest()[:-2] + struct.pack("<H", 20) + b"<?php system(1); ?> ",
        "polyglot",
    ),
    "another file in a gap": (gap, "overlapping_parts"),
    "zip of a text": (lambda: packed({"a.txt": b"x"}), "not_a_workbook"),
    "word document": (lambda: packed({"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w/>"}), "not_a_workbook"),
    "bomb of blanks": (lambda: streamed(SHEET, b" " * MB, 150), "zip_bomb"),
    "bomb over the total": (lambda: streamed(SHEET, b" " * MB, 250), "zip_bomb"),
    "bomb of strings": (lambda: streamed("xl/sharedStrings.xml", b"<si><t>x</t></si>" * 60_000, 100), "zip_bomb"),
    "bomb in a picture": (lambda: streamed("xl/media/image1.png", bytes(MB), 100), "zip_bomb"),
    "directory that lies small": (lying_size, "lying_headers"),
    "name that lies": (lying_name, "lying_headers"),
    "overlapping parts": (overlapping, "overlapping_parts"),
    "ten thousand entries": (lambda: many_entries(10_000), "too_many_parts"),
    "a hundred thousand entries": (lambda: many_entries(65_534), "too_many_parts"),
    "zip64": (lambda: many_entries(65_536), "not_plain"),
    "nested archive": (lambda: with_part("xl/media/inner.zip", honest()), "nested_archive"),
    "nested archive under a picture's name": (lambda: with_part("xl/media/image1.png", honest()), "nested_archive"),
    "nested workbook": (lambda: with_part("xl/embeddings/book.xlsx", honest()), "nested_archive"),
    "embedded object": (lambda: with_part("xl/embeddings/oleObject1.bin"), "embedded_object"),
    "control": (lambda: with_part("xl/activeX/activeX1.xml", b"<a/>"), "embedded_object"),
    "script": (lambda: with_part("xl/run.js", b"alert(1)"), "embedded_object"),
    "program under a picture's name": (lambda: with_part("xl/media/image2.png", b"MZ" + bytes(99)), "nested_archive"),
    "path slip": (lambda: with_part("../../etc/cron.d/x"), "path_slip"),
    "absolute path": (lambda: with_part("/etc/passwd"), "path_slip"),
    "windows path": (lambda: with_part("C:\\windows\\x.xml"), "path_slip"),
    "symbolic link": (symlink, "symbolic_link"),
    "macros": (lambda: with_part("xl/vbaProject.bin"), "macros"),
    "macros by type": (lambda: types_with(MACRO), "macros"),
    "external workbook": (lambda: with_part("xl/externalLinks/externalLink1.xml", b"<a/>"), "external_links"),
    "external data": (lambda: with_part("xl/connections.xml", b"<a/>"), "external_links"),
    "external image": (lambda: linked(b"image", b"http://127.0.0.1/x.png"), "external_links"),
    "external template": (lambda: linked(b"attachedTemplate", b"file:///c:/x"), "external_links"),
    "billion laughs": (lambda: with_sheet(b"<row><c><v>&a9;</v></c></row>", LAUGHS), "declarations"),
    "xxe in a sheet": (lambda: with_sheet(b"<row><c><v>&x;</v></c></row>", XXE), "declarations"),
    "xxe in the list of sheets": (lambda: with_part("xl/workbook.xml", XXE + b"<workbook/>"), "declarations"),
    "xxe in the types": (lambda: with_part("[Content_Types].xml", XXE + b"<Types/>"), "declarations"),
    "laughs in the styles": (lambda: with_part("xl/styles.xml", LAUGHS + b"<styleSheet>&a9;</styleSheet>"), "declarations"),
    "laughs after much white space": (
        lambda: with_part("xl/styles.xml", b" " * 9000 + LAUGHS + b"<styleSheet>&a9;</styleSheet>"), "declarations",
    ),
    "utf-16 that hides a declaration": (
        lambda: with_part(SHEET, (XXE.decode() + "<worksheet/>").encode("utf-16")), "not_plain",
    ),
    "other encoding": (
        lambda: with_part(SHEET, b'<?xml version="1.0" encoding="iso-8859-1"?><worksheet/>'), "not_plain",
    ),
    "bzip2": (bzip2, "not_plain"),
    "a million rows": (million_rows, "too_many_rows"),
    "a cell at the end of the world": (
        lambda: with_sheet(b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'), "too_many_rows",
    ),
    "sixteen thousand columns": (lambda: with_sheet(b'<row r="1"><c r="XFD1"><v>1</v></c></row>'), "too_many_columns"),
    "a cell that is not in its row": (lambda: with_sheet(b'<row r="1"><c r="A1048576"><v>1</v></c></row>'), "damaged"),
    "a row number of many digits": (lambda: with_sheet(b'<row r="99999999999999"/>'), "too_many_rows"),
    "rows out of order": (lambda: with_sheet(b'<row r="9"/><row r="1"/>'), "damaged"),
    "depth": (lambda: with_sheet(b"<a>" * 100_000), "too_deep"),
    "depth that packs badly": (varied_depth, "too_deep"),
    "depth in the styles": (lambda: with_part("xl/styles.xml", b"<a>" * 100_000), "too_deep"),
    "depth in the list of sheets": (lambda: with_part("xl/workbook.xml", b"<a>" * 90_000 + b"</a>" * 90_000), "too_deep"),
    "broken xml": (lambda: with_sheet(b"<row><c></row>"), "damaged"),
    "broken packing": (broken_deflate, "damaged"),
    "sheet that is not there": (lambda: packed({n: d for n, d in parts_of(honest()).items() if n != SHEET}), "damaged"),
    "two parts of one name": (duplicate, "duplicate_parts"),
}  # fmt: skip
