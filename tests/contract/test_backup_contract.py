"""`wufei backup --out FILE` and `wufei restore FILE`, as processes: from SQLite to PostgreSQL and back."""

import pytest

from tests import stores
from tests.conftest import postgresql
from tests.contract.workbooks import enterprise, moved, save, uscc, waste, workbook

pytestmark = pytest.mark.slow

CODE = uscc(1)


def book():
    rows = [moved(f"2025-{month:02}-11", "W01", "产生", 12.345) for month in range(1, 11)]
    return workbook(enterprise(CODE), ledger=rows, streams=[waste("W01")])


def test_there_and_back_again(on_a_store, tmp_path):
    assert on_a_store("import", save(book(), tmp_path / "data.xlsx"), "--json").code == 0
    one, two = tmp_path / "one.wufei", tmp_path / "two.wufei"
    made = on_a_store("backup", "--out", one, "--json")
    assert (made.code, made.err) == (0, "")
    assert set(made.json) == {
        "file", "bytes", "sha256", "made_at", "rows", "tables", "files", "missing_files", "root", "ledgers",
    }  # fmt: skip
    [ledger] = made.json["ledgers"]
    assert (ledger["uscc"], ledger["seq"], set(ledger)) == (CODE, 10, {"uscc", "seq", "algorithm", "hash"})

    address = stores.new_database(postgresql(), "contract_backup")
    elsewhere = {"database": address, "options": ("--data", tmp_path / "other")}
    found = on_a_store("restore", one, "--json", **elsewhere)
    assert (found.code, found.err) == (0, "")
    assert set(found.json) == {
        "file", "sha256", "made_at", "rows", "files", "missing_files", "movements", "ok", "faults", "root", "ledgers",
    }  # fmt: skip
    assert (found.json["root"], found.json["sha256"]) == (made.json["root"], made.json["sha256"])
    assert (found.json["ok"], found.json["movements"]) == (True, 10)
    assert on_a_store("verify", "--json", **elsewhere).json == {"movements": 10, "ok": True, "faults": []}

    assert on_a_store("backup", "--out", two, "--json", **elsewhere).json["root"] == made.json["root"]
    back = on_a_store("restore", two, options=("--data", tmp_path / "third"))
    assert back.code == 0, back.err
    assert made.json["root"] in back.out
    assert ledger["hash"] in back.out
    assert "10 条记录，链、结存、月度合计、日根全部相符" in back.out
    assert (tmp_path / "third" / "wufei.sqlite3").exists()


def test_what_is_refused_exits_1_and_says_why(on_a_store, tmp_path):
    assert on_a_store("import", save(book(), tmp_path / "data.xlsx"), "--json").code == 0
    one = tmp_path / "one.wufei"
    told = on_a_store("backup", "--out", one)
    assert (told.code, one.exists()) == (0, True)
    again = on_a_store("backup", "--out", one)
    assert (again.code, again.out) == (1, "")
    assert "输出文件已存在" in again.err

    here = on_a_store("restore", one)
    assert (here.code, here.out) == (1, "")
    assert "只能恢复到空的" in here.err

    broken = bytearray(one.read_bytes())
    broken[len(broken) // 2] ^= 1
    one.write_bytes(broken)
    refused = on_a_store("restore", one, options=("--data", tmp_path / "other"))
    assert (refused.code, refused.out) == (1, "")
    assert "被改动或损坏：" in refused.err
    missing = on_a_store("restore", tmp_path / "none", options=("--data", tmp_path / "other"))
    assert (missing.code, missing.out) == (1, "")
    for said in (["backup"], ["restore"], ["backup", "--out"]):
        assert on_a_store(*said).code == 2
