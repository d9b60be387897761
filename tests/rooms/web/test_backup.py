"""A backup restores (promise L8): the same rows, files and roots; one changed byte, and nothing is touched."""

import json
import os
import random
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import DatabaseError, connection, connections, transaction

from tests import stores
from tests.conftest import NOW, postgresql
from tests.rooms.api.world import World, build
from tests.tables import LedgerTable
from wufei.ledger import queries, services
from wufei.ledger.models import Movement, RootTimestamp
from wufei.registry.services import operator
from wufei.web.backing_up import back_up, heads, root_of_heads, uploads_folder
from wufei.web.backup_file import FORMAT, Backup, BackupRefused, BackupWriter
from wufei.web.backup_rows import _kind, columns, rows_said, tables
from wufei.web.migrating import is_behind
from wufei.web.restoring import restore_from

# What is about the file alone can't differ by database.
on_sqlite = pytest.mark.parametrize("own_store", ["sqlite"], indirect=True)
OTHER = {"sqlite": "postgresql", "postgresql": "sqlite"}


def silent(_phase: str, _done: int, _total: int) -> None:
    return None


@pytest.fixture
def uploads(tmp_path, monkeypatch):
    """Uploaded files of the test's own."""
    monkeypatch.setitem(settings.STORAGES["default"]["OPTIONS"], "location", tmp_path / "files")
    monkeypatch.setattr(default_storage, "_wrapped", FileSystemStorage(tmp_path / "files"))
    return tmp_path / "files"


@pytest.fixture
def filled(own_store, uploads):
    """A store with something in most rooms, files among it."""
    world = build()
    operator()  # who backs up is in the backup then
    (uploads / "证明材料").mkdir(parents=True, exist_ok=True)
    (uploads / "证明材料" / "现场 照片.jpg").write_bytes(os.urandom(5000))
    (uploads / "empty").write_bytes(b"")
    root = services.seal_day(by=world.people["officer"], now=NOW)
    RootTimestamp.objects.create(root=root, response=bytes(range(256)), attached_at=NOW)
    return world


@contextmanager
def an_empty_store(kind: str, tmp_path: Path, *, migrated: bool = True) -> Iterator[None]:
    """Another store, empty, with no uploaded files."""
    number = len(list(tmp_path.glob("empty-*")))
    (tmp_path / f"empty-{number}").mkdir()
    if kind == "sqlite":
        if migrated:
            shutil.copy(stores.sqlite_template(), tmp_path / f"empty-{number}.sqlite3")
        address = f"sqlite:///{tmp_path / f'empty-{number}.sqlite3'}"
    else:
        address = stores.new_database(postgresql(), f"empty_{os.getpid()}_{number}")
    options = settings.STORAGES["default"]["OPTIONS"]
    before = options["location"]
    options["location"] = tmp_path / f"empty-{number}" / "files"
    try:
        with stores.connected_to(stores.described(address)):
            yield
    finally:
        options["location"] = before


def everything() -> dict[str, list[list[Any]]]:
    """Return all rows, but what a backup and a restoring say of themselves."""
    found = {}
    for table, model in tables(apps).items():
        found[table] = list(rows_said(model, using="default"))
    found["registry_auditentry"] = [
        row
        for row in found["registry_auditentry"]
        if not {"store.back_up", "store.restore"} & set(map(str, row))
    ]
    return found


def triggers() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM sqlite_master WHERE type = 'trigger'"
            if connection.vendor == "sqlite"
            else "SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'O'"
        )
        return int(cursor.fetchone()[0])


@pytest.mark.parametrize("into", ["the same kind", "the other kind"])
def test_what_is_restored_is_what_was_there(filled: World, own_store, uploads, tmp_path, into):
    made = back_up(tmp_path / "one.wufei", tell=silent)
    before, files, guards = (
        everything(),
        {p.name: p.read_bytes() for p in uploads.rglob("*") if p.is_file()},
        triggers(),
    )
    assert (made["missing_files"], made["root"]) == ([], root_of_heads(heads()))
    assert sum(map(len, before.values())) > 100
    kind = own_store if into == "the same kind" else OTHER[own_store]

    with an_empty_store(kind, tmp_path):
        guards_there = triggers()
        found = restore_from(tmp_path / "one.wufei", tell=silent)

        assert (found["ok"], found["faults"]) == (True, [])
        assert (found["root"], found["ledgers"]) == (made["root"], made["ledgers"])
        assert found["movements"] == Movement.objects.count() > 0
        assert everything() == before
        assert {p.name: p.read_bytes() for p in uploads_folder().rglob("*") if p.is_file()} == files
        assert triggers() == guards_there
        assert kind != own_store or guards_there == guards
        _goes_on(filled)


def _goes_on(world: World) -> None:
    """The guards hold again, and new rows get keys of their own."""
    for change in ("UPDATE ledger_movement SET mass_g = mass_g + 1", "DELETE FROM registry_auditentry"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(change)
    table = LedgerTable(organisation=world.mine, by=world.people["officer"], now=NOW)
    table.stores(新库=None)
    table.streams("新")
    table.post("2026-06-20 新 产生 5 吨 新库 -")
    assert queries.verify().is_ok


def test_it_is_of_one_moment_while_others_go_on_writing(own_store, uploads, tmp_path):
    world = build()
    table = LedgerTable(organisation=world.mine, by=world.people["officer"], now=NOW)
    table.stores(忙=None)
    table.streams("忙")
    stop, posted, failed = threading.Event(), [0], []

    def write() -> None:
        try:
            while not stop.is_set():
                table.post("2026-06-20 忙 产生 1 吨 忙 -")
                posted[0] += 1
        except BaseException as error:
            failed.append(error)
        finally:
            connections["default"].close()

    before = Movement.objects.count()
    writer = threading.Thread(target=write)
    writer.start()
    while posted[0] < 3 and not failed:
        stop.wait(0.01)
    at_begin = posted[0]

    def wait_for_more(phase: str, done: int, _total: int) -> None:
        """In the middle of the rows, hold on until others have written."""
        if phase == "rows" and done >= 1:
            until = posted[0] + 2
            while posted[0] < until and not failed and writer.is_alive():
                stop.wait(0.01)

    made = back_up(tmp_path / "one.wufei", tell=wait_for_more)
    at_end = posted[0]
    stop.set()
    writer.join()

    assert not failed
    assert at_end > at_begin
    with an_empty_store(own_store, tmp_path):
        found = restore_from(tmp_path / "one.wufei", tell=silent)
        assert (found["ok"], found["root"]) == (True, made["root"])
        assert before + at_begin <= found["movements"] <= before + at_end


@pytest.fixture
def backup(filled, tmp_path) -> Path:
    back_up(tmp_path / "one.wufei", tell=silent)
    return tmp_path / "one.wufei"


def restored_into_nothing(path: Path, own_store: str, tmp_path: Path) -> BackupRefused:
    """Try it and return why it was refused; nothing may stand afterwards."""
    with an_empty_store(own_store, tmp_path):
        before = everything()
        with pytest.raises(BackupRefused) as refused:
            restore_from(path, tell=silent)
        assert everything() == before
        assert not list(uploads_folder().parent.rglob("*")), "no files either"
        assert refused.value.words
        return refused.value


@on_sqlite
def test_one_changed_byte_anywhere_is_found(backup: Path, tmp_path):
    """The control of L8. Wherever it is: in the first lines, in a table, in a file, in the archive's directory."""
    sound, chance = backup.read_bytes(), random.Random(8)
    places = [
        *range(0, 90, 9),
        *(chance.randrange(len(sound)) for _ in range(60)),
        *range(len(sound) - 60, len(sound), 6),
    ]
    codes = set()
    for place in places:
        broken = bytearray(sound)
        broken[place] ^= 1 << chance.randrange(8)
        (tmp_path / "broken").write_bytes(broken)
        with pytest.raises(BackupRefused) as refused, Backup(tmp_path / "broken") as opened:
            opened.check(silent)
        codes.add(refused.value.code)
    assert "member_changed" in codes
    assert "changed" in codes


@on_sqlite
def test_the_check_itself_passes_what_is_sound(backup: Path):
    with Backup(backup) as opened:
        assert len(opened.check(silent)) == 64


@on_sqlite
@pytest.mark.parametrize("of", ["tables/ledger_movement.jsonl", "files/1"])
def test_what_is_broken_is_named_and_nothing_is_touched(backup: Path, own_store, tmp_path, of):
    import zipfile

    with Backup(backup) as opened:
        members = {
            m.name: m.title for m in (*opened.contents.tables.values(), *opened.contents.files.values())
        }
    with zipfile.ZipFile(backup) as archive:
        entry = archive.getinfo(of)
    broken = bytearray(backup.read_bytes())
    broken[entry.header_offset + 30 + len(of) + 20 + entry.compress_size // 2] ^= 16
    backup.write_bytes(broken)

    refused = restored_into_nothing(backup, own_store, tmp_path)

    assert (refused.code, refused.detail) == ("member_changed", members[of])


@on_sqlite
@pytest.mark.parametrize("change", ["cut", "longer", "empty", "other"])
def test_a_file_that_is_no_backup_is_refused(backup: Path, own_store, tmp_path, change):
    sound = backup.read_bytes()
    backup.write_bytes(
        {"cut": sound[:-100], "longer": sound + b"x", "empty": b"", "other": b"PK\3\4" + sound}[change]
    )
    refused = restored_into_nothing(backup, own_store, tmp_path)
    assert refused.code == {"cut": "archive_damaged", "longer": "changed"}.get(change, "not_a_backup")


def test_it_goes_only_into_an_empty_store(backup: Path, own_store, uploads, tmp_path):
    with pytest.raises(BackupRefused) as refused:
        restore_from(backup, tell=silent)
    assert refused.value.code == "not_empty"
    with an_empty_store(own_store, tmp_path):
        uploads_folder().mkdir(parents=True)
        (uploads_folder() / "somebody's").write_bytes(b"x")
        with pytest.raises(BackupRefused) as refused:
            restore_from(backup, tell=silent)
        assert (refused.value.code, refused.value.detail) == ("not_empty", str(uploads_folder()))
        assert not Movement.objects.exists()


@on_sqlite
def test_a_backup_never_takes_the_place_of_another(backup: Path, uploads, tmp_path):
    before = backup.read_bytes()
    with pytest.raises(BackupRefused) as refused:
        back_up(backup, tell=silent)
    assert refused.value.code == "exists"
    assert backup.read_bytes() == before
    for there in (tmp_path / "no folder" / "a", uploads / "a"):
        with pytest.raises(BackupRefused) as refused:
            back_up(there, tell=silent)
        assert refused.value.code == "not_writable"
    assert sorted(p.name for p in tmp_path.iterdir() if "wufei" in p.name) == ["one.wufei"]


@on_sqlite
def test_nobody_else_may_read_it(backup: Path):
    assert backup.stat().st_mode & 0o077 == 0


@on_sqlite
def test_a_file_that_the_rows_name_and_the_disk_has_not_is_told(filled: World, uploads, tmp_path):
    named = next(p for p in uploads.rglob("*") if p.is_file() and p.name not in ("empty", "现场 照片.jpg"))
    named.unlink()
    made = back_up(tmp_path / "one.wufei", tell=silent)
    assert made["missing_files"] == [named.relative_to(uploads).as_posix()]


# ---- made by somebody who means harm, with hashes that fit ------------------------------------------


def forged(path: Path, sound: Path, *, members: dict[str, bytes] | None = None, **said: Any) -> Path:
    """Write the backup anew, with other contents and members; all hashes fit."""
    with Backup(sound) as opened, BackupWriter(path) as writer:
        contents = json.loads(json.dumps(opened.contents.said))
        for member in (*opened.contents.tables.values(), *opened.contents.files.values()):
            with writer.member(member.name) as out:
                for some in opened.pieces(member):
                    out.write((members or {}).pop(member.name, some))
            if member.title in contents["tables"]:
                contents["tables"][member.title] |= out.listed
        contents |= said
        writer.finish(contents)
    return path


@on_sqlite
def test_forging_alone_changes_nothing(backup: Path, own_store, tmp_path):
    """That the next ones are refused is for what they forge."""
    copy = forged(tmp_path / "forged", backup)
    assert copy.read_bytes().startswith(FORMAT)
    with an_empty_store(own_store, tmp_path):
        assert restore_from(copy, tell=silent)["ok"]


@on_sqlite
@pytest.mark.parametrize(
    "path", ["../x", "/etc/x", "a/../../x", "a//x", "./x", "C:x", "a\\..\\x", "a\0b", "", "a" * 2000]
)
def test_no_file_is_written_outside_the_folder(backup: Path, own_store, tmp_path, path):
    with Backup(backup) as opened:
        files = [*opened.contents.said["files"]]
    files[0] = files[0] | {"path": path}
    refused = restored_into_nothing(forged(tmp_path / "forged", backup, files=files), own_store, tmp_path)
    assert refused.code == "path_outside"


@on_sqlite
@pytest.mark.parametrize(
    "rows", [b"[1]\n", b"{}\n", b"[[[[", b"[" * 100_000 + b"\n", b'["x",2]\n', b"\xff\n", b"1\n"]
)
def test_rows_that_are_none_are_refused(backup: Path, own_store, tmp_path, rows):
    copy = forged(tmp_path / "forged", backup, members={"tables/ledger_stream.jsonl": rows})
    refused = restored_into_nothing(copy, own_store, tmp_path)
    assert (refused.code, refused.detail.split()[0]) == ("rows_wrong", "ledger_stream")


def test_rows_that_contradict_each_other_are_refused(backup: Path, own_store, tmp_path):
    """A movement of a place that is not there, by foreign key; the triggers are off, the keys are not."""
    copy = forged(tmp_path / "forged", backup, members={"tables/ledger_place.jsonl": b""})
    with Backup(copy) as opened:
        said = opened.contents.said["tables"]
    said["ledger_place"]["rows"] = 0
    copy = forged(tmp_path / "again", copy, tables=said)
    assert restored_into_nothing(copy, own_store, tmp_path).code == "rows_wrong"


@on_sqlite
def test_a_member_that_unpacks_to_more_than_is_listed_is_cut_off(backup: Path, own_store, tmp_path):
    with BackupWriter(tmp_path / "bomb") as writer, Backup(backup) as opened:
        contents = opened.contents.said
        with writer.member("files/0") as out:
            for _ in range(300):
                out.write(bytes(1024 * 1024))
        files = [{"path": "bomb", "bytes": 10, "sha256": "0" * 64}]
        writer.finish(contents | {"tables": {}, "files": files})
    read: list[int] = []
    with Backup(tmp_path / "bomb") as opened, pytest.raises(BackupRefused) as refused:
        opened.check(lambda _phase, done, _total: read.append(done))
    assert refused.value.code == "member_changed"
    assert sum(read) < 1024 * 1024
    huge = forged(tmp_path / "huge", backup, files=[files[0] | {"bytes": 2**60}])
    assert restored_into_nothing(huge, own_store, tmp_path).code == "too_large"


@on_sqlite
def test_a_backup_of_a_newer_version_is_refused(backup: Path, own_store, tmp_path):
    with Backup(backup) as opened:
        migrations = [*opened.contents.said["migrations"], ["ledger", "9999_future"]]
    refused = restored_into_nothing(
        forged(tmp_path / "forged", backup, migrations=migrations), own_store, tmp_path
    )
    assert (refused.code, refused.detail) == ("newer_version", "ledger.9999_future")


@pytest.mark.slow
@on_sqlite
def test_a_backup_of_an_older_version_is_brought_up_to_date(backup: Path, own_store, tmp_path):
    """One from before there were zones: the store is made as it was then, filled, and migrated from there."""
    with Backup(backup) as opened, BackupWriter(tmp_path / "older") as writer:
        contents = json.loads(json.dumps(opened.contents.said))
        there = ("storage_stocktake", "storage_bookline", "storage_explanation")
        later = {
            each for each in contents["tables"] if each.startswith("storage_") and not each.startswith(there)
        }
        assert {"storage_zone", "storage_inspection"} <= later
        for member in (*opened.contents.tables.values(), *opened.contents.files.values()):
            if member.title not in later:
                with writer.member(member.name) as out:
                    for some in opened.pieces(member):
                        out.write(some)
        contents["tables"] = {table: said for table, said in contents["tables"].items() if table not in later}
        contents["migrations"] = [
            each for each in contents["migrations"] if each[0] != "storage" or each[1] < "0003"
        ]
        writer.finish(contents)
    with an_empty_store(own_store, tmp_path):
        with pytest.raises(BackupRefused) as refused:
            restore_from(tmp_path / "older", tell=silent)
        assert refused.value.code == "database_ahead"
    with an_empty_store(own_store, tmp_path, migrated=False):
        found = restore_from(tmp_path / "older", tell=silent)
        assert (found["ok"], found["root"]) == (True, root_of_heads(contents["ledgers"]))
        assert not is_behind()
        assert everything()["storage_zone"] == []


def test_every_kind_of_column_has_a_way_to_be_written():
    for table, model in tables(apps).items():
        assert len(columns(model)) == len([_kind(field) for field in model._meta.local_concrete_fields]), (
            table
        )
