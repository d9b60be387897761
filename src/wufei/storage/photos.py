"""
May this picture be kept, and what is kept of it?

Pure. A picture is decoded whole, turned upright and written anew as JPEG: what the camera wrote beside it – where,
when, with what – and whatever else hid in the file stays outside.
"""

import hashlib
import io
import warnings
from dataclasses import dataclass

from PIL import Image, ImageOps, UnidentifiedImageError

from wufei.storage.refusals import Code, StorageRefused

MOST_PHOTOS = 30  # of one inspection
LARGEST_BYTES = 20 * 1024 * 1024
MOST_PIXELS = 65_000_000  # 64 megapixels and what is around them; as PNG some 200 MB of memory
LONGEST_SIDE = 2_000  # of what is kept
QUALITY = 82
FORMATS = ("JPEG", "PNG")


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    """A picture that may be kept."""

    content: bytes  # JPEG, without metadata
    sha256: str  # of `content`
    width: int
    height: int


def examined(content: bytes) -> Photo:
    """
    Return what is kept of the picture.

    :raises StorageRefused: if it is too large, or no whole JPEG or PNG picture
    """
    if len(content) > LARGEST_BYTES:
        raise StorageRefused(Code.PHOTO_TOO_LARGE)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", Image.DecompressionBombWarning
            )  # our own limit is the one that counts
            with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
                if picture.width * picture.height > MOST_PIXELS:
                    raise StorageRefused(Code.PHOTO_TOO_MANY_PIXELS, f"{picture.width}×{picture.height}")
                picture.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))  # a large JPEG is decoded at a fraction
                return _written_anew(picture)
    except StorageRefused:
        raise
    except Image.DecompressionBombError:
        raise StorageRefused(Code.PHOTO_TOO_MANY_PIXELS) from None
    except UnidentifiedImageError:
        raise StorageRefused(Code.PHOTO_TYPE) from None
    except (OSError, SyntaxError, ValueError):
        raise StorageRefused(Code.PHOTO_DAMAGED) from None


def _written_anew(picture: Image.Image) -> Photo:
    picture.load()
    upright = ImageOps.exif_transpose(picture)
    upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    if upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info:
        layer = upright.convert("RGBA")
        upright = Image.new("RGB", layer.size, "white")
        upright.paste(layer, mask=layer.getchannel("A"))
    written = io.BytesIO()
    clean = upright.convert("RGB")
    clean.info = {}
    clean.save(written, "JPEG", quality=QUALITY, optimize=True)
    kept = written.getvalue()
    return Photo(
        content=kept, sha256=hashlib.sha256(kept).hexdigest(), width=clean.width, height=clean.height
    )
