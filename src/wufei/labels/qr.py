"""What does the QR code of a payload look like?"""

from functools import lru_cache

import segno

from wufei.labels.shapes import Box, Colour, Modules, Shape

QUIET = 4  # modules that are left free on each side
CORRECTION = "M"  # 15 % may be lost


@lru_cache(maxsize=256)
def modules(said: str) -> tuple[tuple[bool, ...], ...]:
    """Return the modules row by row, True where dark."""
    code = segno.make(said, error=CORRECTION, micro=False, boost_error=False, encoding="utf-8")
    return tuple(tuple(bool(cell) for cell in row) for row in code.matrix)


def drawn(said: str, *, x: float, y: float, side: float) -> list[Shape]:
    """Return the code on its white ground, the quiet zone within the side."""
    rows = modules(said)
    free = side * QUIET / (len(rows) + 2 * QUIET)
    return [Box(x, y, side, side, Colour.WHITE), Modules(x + free, y + free, side - 2 * free, rows)]
