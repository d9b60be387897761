"""`wufei round …`: opened, published, asked for, exported, loaded; every key that the issue names."""

import json
from datetime import date
from pathlib import Path

import pytest

from tests.conftest import NOW, valid_uscc
from tests.rooms.reviews import world as worlds
from wufei.policies import queries as policy_queries
from wufei.registry.models import Organisation
from wufei.reviews.models import Application, Package, Round, SigningKey
from wufei.reviews.package import new_key, seal, unseal

ABOUT = {"round", "number", "edition", "year", "title", "authority", "published"}


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    def at(now):
        monkeypatch.setattr("django.utils.timezone.now", lambda: now)

    at(NOW)
    return at


@pytest.fixture
def world(db, settings, tmp_path):
    settings.STORAGES["default"]["OPTIONS"]["location"] = tmp_path / "files"
    return worlds.build()


@pytest.fixture
def city_round(world):
    round_ = worlds.round_of(world, worlds.CHONGQING)
    worlds.advance(world, worlds.handed_in(world, round_), "ministry-decision")
    worlds.handed_in(world, round_, worlds.applicant(world, "綦江水泥有限公司"))
    return round_


@pytest.fixture
def package(wufei, city_round, tmp_path):
    file = tmp_path / "city.wufei"
    assert wufei("round", "export", city_round.pk, "--out", file).code == 0
    return file


# ---- open and publish -----------------------------------------------------------------------


def test_a_round_is_opened_from_an_edition_and_a_year(wufei, world):
    got = wufei("round", "open", worlds.CHONGQING, "--year", 2026, "--json")

    assert got.code == 0
    assert set(got.json) == ABOUT | {"submission_deadline"}
    [round_] = Round.objects.all()
    assert got.json == {
        "round": str(round_.uid), "number": round_.pk, "edition": worlds.CHONGQING, "year": 2026,
        "title": round_.title, "authority": world.authorities["CITY_INDUSTRY"].uscc, "published": False,
        "submission_deadline": round_.submission_deadline and round_.submission_deadline.isoformat(),
    }  # fmt: skip


def test_opening_it_again_opens_no_second_one(wufei, world):
    first = wufei("round", "open", worlds.CHONGQING, "--year", 2026, "--json").json

    assert wufei("round", "open", worlds.CHONGQING, "--year", 2026, "--json").json == first
    assert Round.objects.count() == 1


def test_on_an_empty_store_the_issuer_stands_in_and_it_is_said(wufei, db):
    got = wufei("round", "open", worlds.MIIT, "--year", 2026, "--json")

    assert (got.code, set(got.json)) == (0, ABOUT | {"submission_deadline"})
    [authority] = Organisation.objects.filter(uscc=got.json["authority"])
    assert (authority.kind, authority.division_code) == ("AUTHORITY", "000000")
    assert "占位" in got.err


def test_a_round_is_published_once(wufei, world):
    worlds.round_of(world, worlds.CHONGQING, publish=False)
    [round_] = Round.objects.all()

    got = wufei("round", "publish", round_.pk, "--json")
    again = wufei("round", "publish", round_.uid, "--json")

    assert (got.code, got.json["published"]) == (0, True)
    assert (again.code, again.out) == (1, "")
    assert "通知已经发布" in again.err


def test_it_may_be_opened_and_published_at_once_before_its_deadline(wufei, world, clock):
    late = wufei("round", "open", worlds.MIIT, "--year", 2026, "--publish", "--json")
    clock(NOW.replace(month=1))
    got = wufei("round", "open", worlds.MIIT, "--year", 2026, "--publish", "--json")

    assert (late.code, "日期已经过去" in late.err) == (1, True)
    assert got.json["published"]


def test_every_edition_with_a_round_is_opened_and_published_on_an_empty_store(wufei, db, clock):
    clock(NOW.replace(month=1))
    editions = [each for each in policy_queries.known_editions().values() if each.stages]
    for each in editions:
        got = wufei("round", "open", each.id, "--year", 2026, "--publish", "--json")
        assert (got.code, got.json["published"]) == (0, True), got.err
        round_ = Round.objects.get(uid=got.json["round"])
        first = min((day.on for day in each.dates), default=date(2026, 1, 31))
        assert round_.submission_deadline == first
        assert each.norm.number in round_.notice_text
        assert each.region == round_.authority.division_code
    assert len(editions) == 10


def test_the_operator_says_another_deadline(wufei, world):
    got = wufei(
        "round", "open", worlds.CHONGQING, "--year", 2026, "--deadline", "2026-08-31", "--publish", "--json"
    )

    assert (got.json["published"], got.json["submission_deadline"]) == (True, "2026-08-31")


# ---- status ---------------------------------------------------------------------------------


def test_the_status_counts_every_stage(wufei, city_round):
    got = wufei("round", "status", city_round.uid, "--json").json

    assert set(got) == ABOUT | {"applications", "stages", "outcomes"}
    assert (got["applications"], got["outcomes"]) == (2, {})
    assert [set(stage) for stage in got["stages"]] == [{"id", "label", "count"}] * len(got["stages"])
    assert {stage["id"]: stage["count"] for stage in got["stages"] if stage["count"]} == {
        "district-recommendation": 1, "ministry-decision": 1,
    }  # fmt: skip
    assert "区县" in wufei("round", "status", city_round.pk).out


# ---- export and load ------------------------------------------------------------------------


def test_what_was_exported_is_loaded_whole_and_once(wufei, world, city_round, package):
    above = worlds.round_of(world, worlds.MIIT)

    got = wufei("round", "load", package, "--json")
    again = wufei("round", "load", package, "--json")

    assert got.code == 0
    assert set(got.json) == ABOUT | {"loaded"}
    assert got.json["number"] == above.pk
    assert got.json["loaded"] == [a.code for a in above.applications.all()]
    assert (again.code, "已经接收过" in again.err) == (1, True)
    assert above.applications.count() == 1


def test_the_export_says_what_it_wrote(wufei, world, city_round, tmp_path):
    file = tmp_path / "a.wufei"

    got = wufei("round", "export", city_round.pk, "--out", file, "--json").json

    assert set(got) == {"round", "file", "sha256", "public_key"}
    sent = Package.objects.get()
    assert (got["sha256"], got["public_key"]) == (sent.sha256, sent.public_key)


@pytest.mark.parametrize("at", [3, 60, 200, -300, -1])
def test_a_changed_byte_is_refused_and_nothing_is_taken_in(wufei, world, package, at):
    above = worlds.round_of(world, worlds.MIIT)
    changed = bytearray(package.read_bytes())
    changed[at] ^= 1
    package.write_bytes(bytes(changed))

    got = wufei("round", "load", package, "--round", above.pk, "--json")

    assert (got.code, got.out) == (1, "")
    assert "不是完整可信的上报包" in got.err
    assert not above.applications.exists()


def test_a_package_of_another_year_is_refused(wufei, world, package):
    other = worlds.round_of(world, worlds.MIIT, 2027)

    assert "属于另一轮" in wufei("round", "load", package, "--round", other.pk).err
    assert "请用 --round 指明" in wufei("round", "load", package).err
    assert not Application.objects.filter(round=other).exists()


def test_a_stranger_is_trusted_only_by_its_key(wufei, world, package, tmp_path):
    worlds.round_of(world, worlds.MIIT)
    file, public, sender = sealed_by_a_stranger(package, tmp_path)

    refused = wufei("round", "load", file)
    wrong = wufei("round", "load", file, "--trust", "0" * 64)
    taken = wufei("round", "load", file, "--trust", public, "--json")

    assert (refused.code, wrong.code, taken.code) == (1, 1, 0)
    assert len(taken.json["loaded"]) == 1
    assert Organisation.objects.get(uscc=sender["uscc"]).name == "重庆市某厅"


@pytest.mark.parametrize(
    "changes", [{"target_edition": None}, {"year": "abc"}, {"round": "x"}, {"applications": []}]
)
def test_a_trusted_package_that_says_nonsense_is_refused_and_trusts_nobody(
    wufei, world, package, tmp_path, changes
):
    worlds.round_of(world, worlds.MIIT)
    file, public, _ = sealed_by_a_stranger(package, tmp_path, **changes)

    got = wufei("round", "load", file, "--trust", public)

    assert (got.code, got.out) == (1, "")
    assert "不是完整可信的上报包" in got.err
    assert not SigningKey.objects.filter(public_key=public).exists()


# ---- wrong use ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "code", "words"),
    [
        (("open", "none", "--year", "2026"), 1, "没有政策版本 none"),
        (("open", worlds.MIIT, "--year", "1890"), 1, "年度不对"),
        (("open", worlds.MIIT, "--year", "x"), 2, "--year"),
        (("open", worlds.MIIT), 2, "--year"),
        (
            ("open", worlds.MIIT, "--year", "2026", "--authority", "nobody"),
            1,
            "没有统一社会信用代码为 nobody",
        ),
        (("status", "999"), 1, "没有编号为 999"),
        (("status", "abc"), 1, "不是轮次的编号"),
        (("publish", "999"), 1, "没有编号为 999"),
        (("export", "999", "--out", "x"), 1, "没有编号为 999"),
        (("load", "no-such-file"), 2, "no-such-file"),
    ],
)
def test_what_is_asked_wrongly_is_refused_in_words(wufei, world, said, code, words):
    got = wufei("round", *said, "--json")

    assert (got.code, got.out) == (code, "")
    assert words in got.err


def test_a_file_that_is_no_package_is_refused(wufei, world, tmp_path):
    file = tmp_path / "a.txt"
    file.write_text(json.dumps({"format": 1}))

    assert (wufei("round", "load", file).code, Application.objects.count()) == (1, 0)


def test_who_recommends_nothing_has_nothing_to_export(wufei, world, tmp_path):
    round_ = worlds.round_of(world, worlds.CHONGQING)
    file = tmp_path / "a.wufei"

    got = wufei("round", "export", round_.pk, "--out", file)

    assert (got.code, file.exists()) == (1, False)
    assert "没有可以上报的推荐" in got.err


# ---- refused: nothing stays behind ----------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "code", "words"),
    [
        (("--deadline", "2026-01-05"), 1, "日期已经过去"),
        (("--deadline", "abc"), 2, "日期“abc”不对"),
        (("--publish",), 1, "日期已经过去"),
    ],
)
def test_a_refused_opening_leaves_no_round_behind_and_no_stand_in(wufei, db, said, code, words):
    got = wufei("round", "open", worlds.MIIT, "--year", 2026, *said, "--json")

    assert (got.code, got.out) == (code, "")
    assert words in got.err
    assert "占位" not in got.err
    assert not Round.objects.exists()
    assert not Organisation.objects.exists()


def test_an_edition_without_stages_is_refused_before_anybody_is_registered(wufei, db):
    got = wufei("round", "open", "gbt-36132-2025-green-factory", "--year", 2026, "--json")

    assert (got.code, got.out) == (1, "")
    assert "没有办理环节" in got.err
    assert not Organisation.objects.exists()


def sealed_by_a_stranger(package, tmp_path, **changes):
    """Return what the city sent, as another authority would sign it, and that one's public key."""
    private, public = new_key()
    trusted = frozenset(SigningKey.objects.values_list("public_key", flat=True))
    opened = unseal(package.read_bytes(), trusted=trusted)
    sender = {"uscc": valid_uscc("11500000MA5R99999"), "name": "重庆市某厅", "division_code": "500000"}
    manifest = {key: value for key, value in opened.manifest.items() if key != "files"}
    file = tmp_path / "stranger.wufei"
    file.write_bytes(
        seal(manifest=manifest | {"authority": sender} | changes, files=opened.files, private_key=private)
    )
    return file, public, sender


def test_a_refused_loading_trusts_nobody(wufei, world, package, tmp_path):
    above = worlds.round_of(world, worlds.MIIT)
    file, public, sender = sealed_by_a_stranger(package, tmp_path, year=2025)

    got = wufei("round", "load", file, "--round", above.pk, "--trust", public)

    assert (got.code, "属于另一轮" in got.err) == (1, True)
    assert not SigningKey.objects.filter(public_key=public).exists()
    assert not Organisation.objects.filter(uscc=sender["uscc"]).exists()


@pytest.mark.parametrize("place", ["nowhere/x.wufei", "file/x.wufei"])
def test_where_nothing_can_be_written_nothing_is_exported(wufei, city_round, tmp_path, place):
    (tmp_path / "file").write_text("no folder")

    got = wufei("round", "export", city_round.pk, "--out", tmp_path / place)

    assert (got.code, got.out) == (2, "")
    assert "无法写入" in got.err
    assert not Package.objects.exists()


def test_a_file_that_cannot_be_written_after_all_takes_the_export_back(
    wufei, city_round, tmp_path, monkeypatch
):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)

    got = wufei("round", "export", city_round.pk, "--out", tmp_path / "x.wufei")

    assert (got.code, "无法写入" in got.err) == (2, True)
    assert not Package.objects.exists()


# ---- list -----------------------------------------------------------------------------------


def test_rounds_are_listed_with_their_number_and_how_many_applied(wufei, city_round):
    assert wufei("round", "list", "--json").json == [
        {
            "round": str(city_round.uid), "number": city_round.pk, "edition": worlds.CHONGQING, "year": city_round.year,
            "title": city_round.title, "authority": city_round.authority.uscc, "published": True, "applications": 2,
        }
    ]  # fmt: skip
    assert city_round.title[:6] in wufei("round", "list").out


def test_the_table_of_a_status_tells_outcomes_in_words(wufei, world, city_round):
    withdrawn = worlds.handed_in(world, city_round, worlds.applicant(world, "綦江铝业有限公司"))
    Application.objects.filter(pk=withdrawn.pk).update(outcome="WITHDRAWN")
    said = wufei("round", "status", city_round.pk).out
    assert "已撤回" in said
    assert "WITHDRAWN" not in said
