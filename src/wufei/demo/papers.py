"""Make the small files that a demo case hands in: a plan as .docx, an agreement as .pdf, a sketch as .png."""

import io
import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from docx import Document

from wufei.cases.documents import repacked

MARK = "（演示文件，内容虚构）"
_WIDTH, _HEIGHT = 480, 240
_SHEET, _SOURCE, _USE, _WAY = b"\xff\xff\xff", b"\x1f\x5f\x8b", b"\x2f\x85\x5a", b"\x66\x70\x85"
_BOXES = (
    (20, 90, 120, 150, _SOURCE),
    *((340, top, 460, top + 50, _USE) for top in (20, 95, 170)),
    *((120, y, 340, y + 4, _WAY) for y in (118,)),
    (228, 43, 232, 197, _WAY),
    *((230, y, 340, y + 4, _WAY) for y in (43, 193)),
)  # left, top, right, bottom, colour


def plan(title: str, lines: Sequence[str]) -> bytes:
    """Return a .docx with a heading and paragraphs."""
    document = Document()
    document.add_heading(title + MARK, level=1)
    for line in lines:
        document.add_paragraph(line)
    properties = document.core_properties
    properties.author, properties.comments = "", ""
    properties.created = properties.modified = datetime(2026, 1, 1)  # noqa: DTZ001 the format has no zone
    out = io.BytesIO()
    document.save(out)
    return repacked(out.getvalue())


def agreement(title: str, lines: Sequence[str]) -> bytes:
    """Return a .pdf of one page, in a Chinese face that every reader brings along."""
    shown = [f"<{line.encode('utf-16-be').hex()}> Tj T*" for line in (title + MARK, "", *lines)]
    text = "BT /F1 14 Tf 24 TL 60 770 Td " + " ".join(shown) + " ET"
    objects = (
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        "/Resources << /Font << /F1 5 0 R >> >> >>",
        f"<< /Length {len(text)} >>\nstream\n{text}\nendstream",
        "<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UTF16-H "
        "/DescendantFonts [6 0 R] >>",
        "<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /DW 1000 "
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 4 >> /FontDescriptor 7 0 R >>",
        "<< /Type /FontDescriptor /FontName /STSong-Light /Flags 6 /FontBBox [-25 -254 1000 880] "
        "/ItalicAngle 0 /Ascent 880 /Descent -120 /CapHeight 880 /StemV 93 >>",
    )
    out, starts = b"%PDF-1.5\n", []
    for number, said in enumerate(objects, start=1):
        starts.append(len(out))
        out += f"{number} 0 obj\n{said}\nendobj\n".encode()
    table = "".join(f"{start:010d} 00000 n \n" for start in starts)
    size = len(objects) + 1
    tail = f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n<< /Size {size} /Root 1 0 R >>\n"
    return out + f"{tail}startxref\n{len(out)}\n%%EOF\n".encode()


def sketch(_title: str, _lines: Sequence[str]) -> bytes:
    """Return a .png: one source of waste, three ways out of it."""
    rows = [bytearray(_SHEET * _WIDTH) for _ in range(_HEIGHT)]
    for left, top, right, bottom, colour in _BOXES:
        for y in range(top, bottom):
            rows[y][3 * left : 3 * right] = colour * (right - left)
    pixels = zlib.compress(b"".join(b"\x00" + bytes(row) for row in rows), 9)
    head = struct.pack(">IIBBBBB", _WIDTH, _HEIGHT, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", pixels), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(said)) + kind + said + struct.pack(">I", zlib.crc32(kind + said))
        for kind, said in parts
    )


MAKERS: Mapping[str, Callable[[str, Sequence[str]], bytes]] = {
    "docx": plan, "pdf": agreement, "png": sketch,
}  # fmt: skip
