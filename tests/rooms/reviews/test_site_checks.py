"""A check on site comes from a phone, perhaps late and perhaps twice, and is kept once."""

import struct
import uuid
import zlib
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction

from tests.conftest import NOW
from tests.rooms.reviews import world as worlds
from wufei.reviews.models import SiteCheck, SiteCheckPhoto
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services.site_checks import record_site_check
from wufei.reviews.stages import Action


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


PNG = (
    b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    + _chunk(b"IDAT", zlib.compress(b"\0\xff\0\0")) + _chunk(b"IEND", b"")
)  # fmt: skip


@pytest.fixture
def world(db):
    return worlds.build(experts=0)


@pytest.fixture
def application(world):
    return worlds.advance(world, worlds.handed_in(world, worlds.round_of(world)), "site-check")


def sent(world, application, *, by="DISTRICT_INDUSTRY", now=NOW, **said):
    ordinary = {
        "client_id": uuid.uuid4(), "checked_at": NOW - timedelta(hours=5), "participants": "张三、李四",
        "criteria": {"basic-4": {"seen": "YES", "words": "贮存场所规范。"}},
        "position": (Decimal("29.028"), Decimal("106.651")), "accuracy_m": 12, "photos": [("库房.png", PNG)],
    }  # fmt: skip
    return record_site_check(application=application, by=world.people[by], now=now, **(ordinary | said))


def test_what_the_phone_sent_is_kept_with_place_time_and_photos(world, application):
    made = sent(world, application)

    kept = SiteCheck.objects.get()
    assert (kept, kept.checked_at, kept.received_at) == (made, NOW - timedelta(hours=5), NOW)
    assert (kept.latitude, kept.longitude, kept.accuracy_m) == (Decimal("29.028"), Decimal("106.651"), 12)
    assert kept.criteria == {"basic-4": {"seen": "YES", "words": "贮存场所规范。"}}
    assert [photo.file_name for photo in kept.photos.all()] == ["库房.png"]


def test_the_same_check_sent_again_is_the_same_check(world, application):
    client_id = uuid.uuid4()
    first = sent(world, application, client_id=client_id)

    assert sent(world, application, client_id=client_id, now=NOW + timedelta(hours=1)) == first
    assert (SiteCheck.objects.count(), SiteCheckPhoto.objects.count()) == (1, 1)
    with pytest.raises(ReviewRefused) as why:
        sent(world, application, client_id=client_id, by="DISTRICT_ENVIRONMENT")
    assert why.value.code == "client_id_reused"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"participants": "  "}, "participants_missing"),
        ({"checked_at": NOW + timedelta(minutes=11)}, "clock_ahead"),
        ({"criteria": {"no-such": {"seen": "YES"}}}, "criterion_unknown"),
        ({"criteria": {"basic-4": {"seen": "MAYBE"}}}, "criterion_answer_unknown"),
        ({"criteria": {"basic-4": {"words": "未说"}}}, "criterion_answer_unknown"),
        ({"position": (Decimal(91), Decimal(0))}, "position_impossible"),
        ({"photos": [("a.png", PNG)] * 31}, "too_many_photos"),
        ({"photos": [("a.pdf", worlds.PDF)]}, "photo_type"),
    ],
)
def test_an_unsound_check_is_refused_and_leaves_nothing(world, application, said, code):
    with pytest.raises(ReviewRefused) as why:
        sent(world, application, **said)

    assert why.value.code == code
    assert not SiteCheck.objects.exists()


@pytest.mark.parametrize("person", ["applicant", "OTHER_DISTRICT_INDUSTRY", "CITY_INDUSTRY", "nobody"])
def test_only_who_decides_the_stage_checks_on_site(world, application, person):
    with pytest.raises(ReviewRefused) as why:
        sent(world, application, by=person)

    assert why.value.code == "not_permitted"


def test_the_stage_passes_only_with_a_check_on_record(world, application):
    with pytest.raises(ReviewRefused) as why:
        worlds.act(world, application, "DISTRICT_INDUSTRY", Action.AGREE)
    assert why.value.code == "site_check_missing"

    sent(world, application)
    worlds.act(world, application, "DISTRICT_INDUSTRY", Action.AGREE)
    assert worlds.act(world, application, "DISTRICT_ENVIRONMENT", Action.AGREE).stage == "city-experts"
    with pytest.raises(ReviewRefused) as why:
        sent(world, application)
    assert why.value.code in ("not_permitted", "stage_moved_on")


def test_a_check_never_changes_afterwards(world, application):
    sent(world, application)

    for sql in ("UPDATE reviews_sitecheck SET words = 'x'", "DELETE FROM reviews_sitecheckphoto"):
        with pytest.raises(DatabaseError, match="append_only"), transaction.atomic():
            connection.cursor().execute(sql)
