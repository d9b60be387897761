"""Which file does a print become?"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from wufei.labels import pdf, png, zpl
from wufei.labels.shapes import Picture


@dataclass(frozen=True, slots=True)
class File:
    content: bytes
    media_type: str
    suffix: str


MEDIA_TYPES = {"PDF": "application/pdf", "SHEET": "application/pdf", "PNG": "image/png", "ZPL": "text/plain"}


def file_of(pictures: Sequence[Picture], *, print_format: str, title: str, dpi: int = 203) -> File:
    """
    Return the pictures in one file; a PNG holds the first alone.

    `dpi` is the printer's, for ZPL.
    """
    match print_format:
        case "PDF":
            content = pdf.single(pictures, title=title)
        case "SHEET":
            content = pdf.sheet(pictures, title=title)
        case "PNG":
            content = png.png(pictures[0])
        case "ZPL":
            content = b"".join(
                zpl.zpl(picture, dpi=dpi, copies=sum(1 for _ in same)) for picture, same in groupby(pictures)
            )
        case _:
            raise ValueError(print_format)
    suffix = "pdf" if print_format == "SHEET" else print_format.lower()
    return File(content, MEDIA_TYPES[print_format], suffix)
