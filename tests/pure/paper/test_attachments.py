"""S3: hostile files are refused before anything opens them, each with its code and Chinese words."""

import io
import struct
import time
import zipfile
import zlib

import pytest

from wufei.cases import refusals
from wufei.paper import attachments
from wufei.paper.attachments import EvidenceRefused, examine

TYPES = b'<Types><Override PartName="/word/document.xml" ContentType="x"/></Types>'


def office(parts=None, main="word/document.xml", types=TYPES, extra=()):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", types)
        archive.writestr(main, b"<document/>")
        for name, content in (parts or {}).items():
            archive.writestr(name, content)
        for entry, content in extra:
            archive.writestr(entry, content)
    return out.getvalue()


def pdf(body=b""):
    return b"%PDF-1.7\n" + body + b"\nstartxref\n9\n%%EOF\n"


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width=2, height=2):
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"x") + chunk(b"IEND", b"")


def jpg(width=2, height=2):
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\x01\x11\x00"
    return b"\xff\xd8\xff\xe0\x00\x04ab" + frame + b"\xff\xda\x00\x02data\xff\xd9"


def link():
    entry = zipfile.ZipInfo("word/link")
    entry.external_attr = 0o120777 << 16
    return entry


def encrypted():
    content = bytearray(office())
    at = content.find(b"PK\x01\x02")
    content[at + 8] |= 1
    return bytes(content)


def lying():
    """The directory says of a part that it is small; it unpacks to 30 MB."""
    content = bytearray(office({"word/media.bin": bytes(30 * 1024 * 1024)}))
    at = content.rfind(b"PK\x01\x02")
    content[at + 24 : at + 28] = struct.pack("<I", 1000)
    return bytes(content)


def overlapping():
    """Many names for one run of bytes."""
    one = office({"word/a.bin": b"\x00" * 4_000_000})
    with zipfile.ZipFile(io.BytesIO(one)) as archive:
        victim = archive.getinfo("word/a.bin")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", TYPES)
        archive.writestr("word/document.xml", b"x")
        archive.writestr("word/a.bin", b"\x00" * 4_000_000)
        offset = archive.getinfo("word/a.bin").header_offset
        for number in range(20):
            entry = zipfile.ZipInfo(f"word/b{number}.bin")
            entry.compress_type, entry.header_offset = zipfile.ZIP_DEFLATED, offset
            entry.compress_size, entry.file_size, entry.CRC = (
                victim.compress_size,
                victim.file_size,
                victim.CRC,
            )
            archive.filelist.append(entry)
    return out.getvalue()


def truncated(content):
    return content[: len(content) // 2]


SOUND = {
    "方案.pdf": (pdf(), "pdf"),
    "照片.JPG": (jpg(), "jpg"),
    "照片.jpeg": (jpg() + b"\x00" * 40, "jpg"),
    "图.png": (png(), "png"),
    "方案.docx": (office(), "docx"),
    "台账.xlsx": (office(main="xl/workbook.xml"), "xlsx"),
}

HOSTILE = {
    "empty": ("a.pdf", b"", "file_empty"),
    "too large": ("a.pdf", pdf(bytes(21 * 1024 * 1024)), "file_too_large"),
    "no name": ("", pdf(), "name_missing"),
    "only dots": ("../..", pdf(), "name_missing"),
    "program": ("a.exe", b"MZ", "type_not_allowed"),
    "web page": ("a.html", b"<script>", "type_not_allowed"),
    "svg": ("a.svg", b"<svg onload='x'/>", "type_not_allowed"),
    "macro workbook": ("a.xlsm", office(main="xl/workbook.xml"), "type_not_allowed"),
    "double extension": ("a.pdf.exe", pdf(), "type_not_allowed"),
    "hidden by direction override": ("a\u202efdp.exe", b"MZ", "type_not_allowed"),
    "page called pdf": ("a.pdf", b"<html><script>", "content_does_not_fit_name"),
    "picture called pdf": ("a.pdf", png(), "content_does_not_fit_name"),
    "pdf called picture": ("a.png", pdf(), "content_does_not_fit_name"),
    "png called jpg": ("a.jpg", png(), "content_does_not_fit_name"),
    "workbook called document": ("a.docx", office(main="xl/workbook.xml"), "content_does_not_fit_name"),
    "any archive called document": ("a.docx", office(main="x.txt"), "content_does_not_fit_name"),
    "old format": ("a.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "content_does_not_fit_name"),
    "password": (
        "a.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "encrypted",
    ),
    "encrypted entry": ("a.docx", encrypted(), "encrypted"),
    "encrypted pdf": ("a.pdf", pdf(b"<< /Encrypt 5 0 R >>"), "encrypted"),
    "script in pdf": ("a.pdf", pdf(b"<< /S /JavaScript /JS (app.alert(1)) >>"), "active_content"),
    "launch in pdf": ("a.pdf", pdf(b"<< /S /Launch /F (cmd.exe) >>"), "active_content"),
    "file in pdf": ("a.pdf", pdf(b"<< /EmbeddedFiles 3 0 R >>"), "active_content"),
    "macros": ("a.docx", office({"word/vbaProject.bin": b"x"}), "active_content"),
    "macro type": ("a.docx", office(types=b"application/vnd.ms-word.document.macroEnabled.main+xml"), "active_content"),
    "embedded program": ("a.docx", office({"word/embeddings/oleObject1.bin": b"x"}), "active_content"),
    "external link": ("a.xlsx", office({"xl/externalLinks/externalLink1.xml": b"x"}, "xl/workbook.xml"), "active_content"),
    "truncated pdf": ("a.pdf", truncated(pdf(b"x" * 900)), "damaged"),
    "truncated png": ("a.png", png()[:-6], "damaged"),
    "truncated jpg": ("a.jpg", jpg()[:-6], "damaged"),
    "truncated docx": ("a.docx", truncated(office()), "damaged"),
    "archive behind pdf": ("a.pdf", pdf() + office(), "trailing_content"),
    "archive behind png": ("a.png", png() + office(), "trailing_content"),
    "archive behind jpg": ("a.jpg", jpg() + office(), "trailing_content"),
    "bytes behind docx": ("a.docx", office() + b"x", "trailing_content"),
    "pixel flood png": ("a.png", png(50_000, 50_000), "image_too_large"),
    "pixel flood jpg": ("a.jpg", jpg(60_000, 60_000), "image_too_large"),
    "no pixels": ("a.png", png(0, 5), "damaged"),
    "bomb": ("a.docx", office({"word/a.bin": bytes(60 * 1024 * 1024)}), "archive_unsafe"),
    "nested archive": ("a.docx", office({"word/a.zip": office()}), "archive_unsafe"),
    "slip": ("a.docx", office({"../../etc/passwd": b"x"}), "archive_unsafe"),
    "absolute": ("a.docx", office({"/etc/passwd": b"x"}), "archive_unsafe"),
    "symbolic link": ("a.docx", office(extra=[(link(), b"/etc/passwd")]), "archive_unsafe"),
    "too many parts": ("a.docx", office({f"word/{n}.xml": b"" for n in range(2001)}), "archive_unsafe"),
    "lying header": ("a.docx", lying(), "archive_unsafe"),
    "overlapping parts": ("a.docx", overlapping(), "archive_unsafe"),
}  # fmt: skip


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_file_is_known_by_its_content(name):
    content, kind = SOUND[name]
    found = examine(name=name, content=content)

    assert (found.file_name, found.kind, found.size) == (name, kind, len(content))
    assert found.media_type == attachments.MEDIA_TYPES[kind]


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_file_is_refused_with_its_reason_and_quickly(case):
    name, content, code = HOSTILE[case]
    started = time.perf_counter()
    with pytest.raises(EvidenceRefused) as refused:
        examine(name=name, content=content)

    assert refused.value.code == code
    assert time.perf_counter() - started < 1
    assert refusals.sentence(code)


def test_a_file_keeps_only_the_last_part_of_its_name():
    found = examine(name="C:\\Users\\张三\\..\\方案\n.pdf", content=pdf())

    assert found.file_name == "方案.pdf"


def test_every_code_that_evidence_raises_has_words():
    import inspect
    import re

    raised = set(re.findall(r'"([a-z]+(?:_[a-z]+)+|damaged|encrypted)"\)', inspect.getsource(attachments)))

    assert raised
    assert raised <= set(refusals.REFUSALS)
