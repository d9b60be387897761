"""
How alike are two documents' texts?

Pure. A text becomes 64 numbers: of the hashes of all its runs of five characters the 64 smallest (a MinHash
sketch of one function, "bottom-k"). What two sketches share estimates what the texts share (Jaccard), exactly
where a text is short. The hash is seeded, so that every machine makes the same sketch. Text is taken out of
docx, xlsx and txt; there is none of PDF and pictures, whose sketch is empty and who are never called alike.
"""

import hashlib
import re
import unicodedata
import zipfile
from collections.abc import Sequence
from decimal import Decimal
from heapq import nsmallest
from io import BytesIO
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring
from python_calamine import CalamineError, CalamineWorkbook

NUMBERS = 64
RUN = 5
LEAST_CHARACTERS = 60  # a shorter text is alike by chance: a form's empty page, a seal's line
MOST_CHARACTERS = 300_000
_SEED = b"wufei-shingles-1"
_BYTES = 6  # a hash of 48 bits stays exact in every reader of JSON
_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
READ = frozenset({"docx", "xlsx", "txt"})


def text_of(kind: str, content: bytes) -> str:
    """Return the text of a file; "" where it has none that can be read."""
    if kind == "docx":
        return _of_docx(content)
    if kind == "xlsx":
        return _of_xlsx(content)
    return content.decode("utf-8", errors="replace") if kind == "txt" else ""


def _of_docx(content: bytes) -> str:
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            root = fromstring(archive.read("word/document.xml"))
    except (zipfile.BadZipFile, KeyError, ParseError, DefusedXmlException):
        return ""
    return "\n".join(
        "".join(run.text or "" for run in paragraph.iter(f"{_WORD}t")) for paragraph in root.iter(f"{_WORD}p")
    )


def _of_xlsx(content: bytes) -> str:
    try:
        book = CalamineWorkbook.from_filelike(BytesIO(content))
        sheets = [book.get_sheet_by_name(name).to_python() for name in book.sheet_names]
    except CalamineError:
        return ""
    return "\n".join(" ".join(str(cell) for cell in row) for sheet in sheets for row in sheet)


def sketch(text: str) -> list[int]:
    """
    Return the text's numbers, smallest first; none of a text too short to be compared.

    >>> sketch("同意。"), len(sketch("一般工业固体废物综合利用" * 9))
    ([], 12)
    """
    return nsmallest(NUMBERS, {_hash(run) for run in runs(text)})


def runs(text: str) -> set[str]:
    """Return the runs of characters of a text, without its spaces; none of a text too short to be compared."""
    plain = re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).lower()[:MOST_CHARACTERS]
    if len(plain) < LEAST_CHARACTERS:
        return set()
    return {plain[at : at + RUN] for at in range(len(plain) - RUN + 1)}


def _hash(run: str) -> int:
    return int.from_bytes(
        hashlib.blake2b(run.encode("utf-8", "replace"), digest_size=_BYTES, key=_SEED).digest()
    )


def likeness(one: Sequence[int], other: Sequence[int]) -> Decimal:
    """
    Return which share of both texts together is in both, as the sketches say; 0 where one has no text.

    >>> likeness([1, 2, 3], [1, 2, 3]), likeness([1, 2], [3, 4]), likeness([], [])
    (Decimal('1'), Decimal('0'), Decimal('0'))
    """
    if not one or not other:
        return Decimal(0)
    together = nsmallest(NUMBERS, {*one, *other})
    shared = set(one) & set(other)
    return Decimal(sum(number in shared for number in together)) / len(together)
