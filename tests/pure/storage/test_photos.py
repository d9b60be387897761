"""Photos: really a picture, of bearable size, upright, and with nothing beside the picture."""

import hashlib
import io
import struct
import zlib

import pytest
from PIL import Image

from wufei.storage import photos
from wufei.storage.refusals import Code, StorageRefused


def picture(size=(40, 20), form="JPEG", mode="RGB", colour="red", **more) -> bytes:
    written = io.BytesIO()
    Image.new(mode, size, colour).save(written, form, **more)
    return written.getvalue()


def refusal(content: bytes) -> Code:
    with pytest.raises(StorageRefused) as refused:
        photos.examined(content)
    return refused.value.code


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def test_where_and_with_what_it_was_taken_is_not_kept():
    exif = Image.Exif()
    exif[0x010F] = "秘密相机"  # Make
    exif.get_ifd(0x8825)[1] = "N"  # GPS
    sent = picture(exif=exif, comment=b"secret words")
    assert b"secret words" in sent
    kept = photos.examined(sent)
    seen = opened(kept.content)
    assert (seen.format, dict(seen.getexif()), seen.info.get("comment")) == ("JPEG", {}, None)
    assert b"secret" not in kept.content
    assert kept.sha256 == hashlib.sha256(kept.content).hexdigest()


def test_a_phone_held_upright_gives_an_upright_picture():
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90°
    kept = photos.examined(picture((40, 20), exif=exif))
    assert (kept.width, kept.height) == opened(kept.content).size == (20, 40)


def test_a_large_picture_is_made_smaller_and_keeps_its_shape():
    kept = photos.examined(picture((5000, 2500)))
    assert (kept.width, kept.height) == (photos.LONGEST_SIDE, photos.LONGEST_SIDE // 2)


def test_what_can_be_seen_through_is_white_in_the_end():
    for form in (
        picture(form="PNG", mode="RGBA", colour=(0, 0, 0, 0)),
        picture(form="PNG", mode="LA", colour=(0, 0)),
    ):
        assert min(opened(photos.examined(form).content).getpixel((5, 5))) >= 250


def test_what_hides_behind_the_picture_is_gone():
    kept = photos.examined(picture() + b"PK\x03\x04 an archive behind it")
    assert b"an archive" not in kept.content


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", Code.PHOTO_TYPE),
        (b"%PDF-1.4 no picture", Code.PHOTO_TYPE),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", Code.PHOTO_TYPE),
        (picture(form="GIF", mode="P", colour=1), Code.PHOTO_TYPE),
        (picture((400, 400))[:-200], Code.PHOTO_DAMAGED),
        (picture((400, 400), form="PNG")[:-40], Code.PHOTO_DAMAGED),
        (b"\xff" * (photos.LARGEST_BYTES + 1), Code.PHOTO_TOO_LARGE),
    ],
)
def test_what_is_no_whole_picture_of_bearable_size_is_refused(content, code):
    assert refusal(content) is code


def test_a_small_file_that_says_it_is_a_huge_picture_is_refused_before_it_is_unpacked():
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    bomb = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )
    assert refusal(bomb) is Code.PHOTO_TOO_MANY_PIXELS
    just_above = struct.pack(">IIBBBBB", 65_001, 1_000, 8, 2, 0, 0, 0)
    assert (
        refusal(bomb.replace(chunk(b"IHDR", head), chunk(b"IHDR", just_above))) is Code.PHOTO_TOO_MANY_PIXELS
    )
