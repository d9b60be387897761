"""How large is a label or a sign, and how large must its text be? Of HJ 1276-2022, with where each number is from."""

from dataclasses import dataclass
from decimal import Decimal

ML_PER_LITRE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSize:
    """Of HJ 1276: by the volume of the container. A secondary source; the standard's own text isn't at hand."""

    side_mm: int
    least_text_mm: int  # height of a Chinese character
    faces: int  # on so many opposite faces
    above_ml: int  # of containers above this volume

    @property
    def words(self) -> str:
        return f"{self.side_mm}×{self.side_mm} mm"


# ssffurnace.cn/wenjianxiazai_2025_3355: it prints "≥450" for the largest, which overlaps the one before it.
SIZES: tuple[LabelSize, ...] = (
    LabelSize(side_mm=100, least_text_mm=3, faces=1, above_ml=0),
    LabelSize(side_mm=150, least_text_mm=5, faces=1, above_ml=50 * ML_PER_LITRE),
    LabelSize(side_mm=200, least_text_mm=6, faces=2, above_ml=450 * ML_PER_LITRE),
)
SMALLEST = SIZES[0]
BORDER_MM = 1  # at least
BLANK_MM = 3  # outside the border, at least


def size_for(volume_ml: int | None) -> LabelSize:
    """
    Return the size of the label of a container; without a volume the smallest that is allowed at all.

    >>> size_for(50_000).side_mm, size_for(50_001).side_mm, size_for(450_000).side_mm, size_for(450_001).side_mm
    (100, 150, 150, 200)
    """
    return next(size for size in reversed(SIZES) if (volume_ml or 1) > size.above_ml)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignSize:
    """Of HJ 1276, from memory: **unverified**."""

    side_mm: int
    above_m: Decimal  # seen from farther away than this
    through_m: Decimal | None  # and no farther than this


SIGN_SIZES: tuple[SignSize, ...] = (
    SignSize(side_mm=300, above_m=Decimal(0), through_m=Decimal("2.5")),
    SignSize(side_mm=450, above_m=Decimal("2.5"), through_m=Decimal(4)),
    SignSize(side_mm=600, above_m=Decimal(4), through_m=None),
)


def sign_size_for(distance_m: Decimal) -> SignSize:
    """
    Return the size of a sign that is to be read from a distance.

    >>> sign_size_for(Decimal("2.5")).side_mm, sign_size_for(Decimal(4)).side_mm, sign_size_for(Decimal(9)).side_mm
    (300, 450, 600)
    """
    return next(size for size in reversed(SIGN_SIZES) if distance_m > size.above_m or not size.above_m)
