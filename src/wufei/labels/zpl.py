"""
How does a picture become the language of label printers (ZPL II)?

As one graphic field: a printer has no Chinese typeface that we could count on, and a QR code of whole dots is
as sharp as the printer's own. Printers of one colour print on orange material, so that the ground is left out.
"""

from collections.abc import Iterator

from wufei.labels.png import image
from wufei.labels.shapes import Picture

# A print head has whole dots in a millimetre, whatever its inches are called.
DOTS_PER_MM = {203: 8, 300: 12}
_DARK_BELOW = 140
_TIMES = {n: chr(ord("F") + n) for n in range(1, 20)} | {n * 20: chr(ord("f") + n) for n in range(1, 21)}


def zpl(picture: Picture, *, dpi: int = 203, copies: int = 1) -> bytes:
    """
    Return the label in ZPL II, in ASCII.

    :raises KeyError: if no printer has so many dots
    """
    dots = DOTS_PER_MM[dpi]
    width, height = round(picture.width * dots), round(picture.height * dots)
    row_bytes = (width + 7) // 8
    said = "".join(_compressed(list(_rows(picture, dots, row_bytes))))
    total = row_bytes * height
    return (
        f"^XA^LH0,0^PW{width}^LL{height}^FO0,0^GFA,{total},{total},{row_bytes},{said}^FS^PQ{copies}^XZ\n"
    ).encode("ascii")


def _rows(picture: Picture, dots: int, row_bytes: int) -> Iterator[str]:
    """Yield the rows in hexadecimal, a bit for each dot, dark ones set."""
    grey = image(picture, per_mm=dots, on_stock=True)
    bits = grey.point(lambda level: 255 if level < _DARK_BELOW else 0).convert("1")
    whole = bits.tobytes()
    assert len(whole) == row_bytes * grey.height
    for at in range(0, len(whole), row_bytes):
        yield whole[at : at + row_bytes].hex().upper()


def _compressed(rows: list[str]) -> Iterator[str]:
    """Yield the rows as ZPL shortens them: a repeated row is ":", what is left empty ",", repeats are counted."""
    before = None
    for row in rows:
        yield ":" if row == before else _shortened(row)
        before = row


def _shortened(row: str) -> str:
    body = row.rstrip("0")
    said = []
    at = 0
    while at < len(body):
        end = at
        while end < len(body) and body[end] == body[at]:
            end += 1
        said.append(_times(end - at) + body[at])
        at = end
    return "".join(said) + ("," if len(body) < len(row) else "")


def _times(count: int) -> str:
    """
    Return how ZPL counts repeats: G to Y for 1 to 19, g to z for 20 to 400.

    >>> _times(1), _times(3), _times(40), _times(63), _times(840)
    ('', 'I', 'h', 'iI', 'zzh')
    """
    if count == 1:
        return ""
    most, rest = divmod(count, 400)
    twenties, ones = divmod(rest, 20)
    return "z" * most + _TIMES.get(twenties * 20, "") + _TIMES.get(ones, "")
