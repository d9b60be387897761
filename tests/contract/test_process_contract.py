"""The installed command, as a process on a data folder of its own, on SQLite and on PostgreSQL."""

import json
import sqlite3
from contextlib import closing
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from docx import Document
from openpyxl import load_workbook

from tests import stores
from tests.conftest import postgresql
from tests.contract.workbooks import enterprise, moved, save, uscc, waste, workbook

pytestmark = pytest.mark.slow

CODE = uscc(1)
EDITION = "miit-2025-539-enterprise"
YEARS = (2022, 2023, 2024, 2025)


def book():
    rows = []
    for year in YEARS:
        rows += [
            moved(f"{year}-03-31", "W01", "产生", 123_456.789 + year), moved(f"{year}-05-31", "W02", "产生", 1_234.5),
            moved(f"{year}-06-30", "W01", "自行利用", 100_000.5, 方式="生产水泥"),
            moved(f"{year}-07-31", "W01", "委外处置", 7_777.7, 方式="填埋", 对方单位="处置公司"),
        ]  # fmt: skip
    more = {
        "年度经营": [
            {"年份": y, "产值(万元)": 9000, "销售额(万元)": 8000, "工业增加值(万元)": 3000} for y in YEARS
        ],
        "产品": [{"年份": y, "产品名称": "铝", "产量": 7000, "单位": "吨"} for y in YEARS],
    }
    return workbook(
        enterprise(CODE), ledger=rows, streams=[waste("W01"), waste("W02", "铝灰", "321-024-48")], more=more
    )


def on_postgresql(request, process, *, migrated):
    name = f"contract_{abs(hash(request.node.nodeid)) % 10**10}"
    address = stores.new_database(postgresql(), name, migrated=migrated)
    return lambda *said, **more: process(*said, database=address, **more)


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request, process, on_a_store):
    """The command on a store of its own: `store("import", …)`."""
    return on_a_store if request.param == "sqlite" else on_postgresql(request, process, migrated=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def new_store(request, process):
    """The command where there is no store yet."""
    return process if request.param == "sqlite" else on_postgresql(request, process, migrated=False)


def test_the_main_job_end_to_end(store, tmp_path):
    path = save(book(), tmp_path / "data.xlsx")
    dry = store("import", path, "--dry-run", "--json")
    assert (dry.code, dry.json["posted"], dry.err) == (0, 16, "")
    assert store("verify", "--json").json == {"movements": 0, "ok": True, "faults": []}

    first, again = (store("import", path, "--json") for _ in range(2))
    assert (first.code, first.json["posted"], first.json["errors"], first.err) == (0, 16, [], "")
    assert (again.code, again.json["posted"], again.json["skipped"]) == (0, 0, 16)
    assert store("verify", CODE, "--json").json == {"movements": 16, "ok": True, "faults": []}

    answer = store("indicators", CODE, "--from", 2022, "--to", 2025, "--json")
    figures = {
        (f["id"], f["year"], f["stream"]): f["value"] for f in answer.json["figures"] if "dimension" not in f
    }
    for n, year in enumerate(YEARS, start=1):
        made = Fraction("123456.789") + year + Fraction("1234.5")
        assert Fraction(figures["generation_t", year, None]) == made
        assert Fraction(figures["utilisation_t", year, None]) == Fraction("100000.5")
        assert Fraction(figures["disposal_t", year, None]) == Fraction("7777.7")
        stock = sum(Fraction("123456.789") + y + Fraction("1234.5") for y in YEARS[:n]) - n * Fraction(
            "107778.2"
        )
        assert Fraction(figures["stock_t", year, None]) == stock
        assert abs(
            Fraction(figures["utilisation_rate_pct", year, None]) - 100 * Fraction("100000.5") / made
        ) < Fraction(1, 10**12)
    said = store("evaluate", CODE, "--edition", EDITION, "--year", 2025, "--json")
    assert (said.code, said.json["verdict"], said.err) == (0, "not_met", "")
    assert (
        store("figure", CODE, "generation_t", 2025, "--json").json["value"]
        == figures["generation_t", 2025, None]
    )

    out = tmp_path / "案例" / "2025"
    case = store("case", CODE, "--edition", EDITION, "--year", 2025, "--out", out)
    assert case.code == 0, case.err
    assert {"申报书.docx", "汇总表.xlsx", "provenance.json"} <= {p.name for p in out.iterdir()}
    unmet = [c for c in said.json["criteria"] if c["id"].startswith("basic-") and c["verdict"] != "met"]
    assert unmet
    for criterion in unmet:
        assert criterion["id"] in case.err
    document = Document(out / "申报书.docx")
    cells = {cell.text.strip() for table in document.tables for row in table.rows for cell in row.cells}
    for year in YEARS:  # amounts in 万吨, rounded once
        for name in ("generation_t", "utilisation_t"):
            amount = Decimal(figures[name, year, None]) / 10_000
            wanted = {str(amount.quantize(Decimal(1).scaleb(-n), ROUND_HALF_UP)) for n in (2, 3, 4)}
            wanted |= {text.rstrip("0").rstrip(".") for text in wanted}
            assert wanted & cells, (name, year, wanted)
    assert json.loads((out / "provenance.json").read_text(encoding="utf-8"))
    assert load_workbook(out / "汇总表.xlsx").worksheets


def test_a_failing_first_import_leaves_nothing(new_store, tmp_path):
    bad = workbook(
        enterprise(CODE),
        ledger=[moved("2024-01-01", "W01", "产生", 5), moved("2024-01-02", "W01", "自行利用", 6)],
    )
    answer = new_store("import", save(bad, tmp_path / "bad.xlsx"), "--json")
    assert (answer.code, answer.json["posted"], len(answer.json["errors"])) == (1, 0, 1)
    assert new_store("indicators", CODE, "--from", 2024, "--to", 2024).code == 1


def test_verify_names_the_row_that_was_changed_behind_its_back(on_a_store, tmp_path):
    assert on_a_store("import", save(book(), tmp_path / "data.xlsx"), "--json").code == 0
    [file] = (tmp_path / "data").glob("*.sqlite3")
    with closing(sqlite3.connect(file)) as database:
        [table] = [
            name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type='table' AND name LIKE '%movement%'")
            if "mass_g" in [column[1] for column in database.execute(f"PRAGMA table_info({name})")]
        ]  # fmt: skip
        with pytest.raises(sqlite3.DatabaseError):
            database.execute(f"UPDATE {table} SET mass_g = mass_g + 1 WHERE id = 5")
        with pytest.raises(sqlite3.DatabaseError):
            database.execute(f"DELETE FROM {table} WHERE id = 5")
        database.rollback()
        for (trigger,) in database.execute(
            "SELECT name FROM sqlite_master WHERE type='trigger' AND tbl_name=?", [table]
        ).fetchall():
            database.execute(f'DROP TRIGGER "{trigger}"')
        [number] = database.execute(f"SELECT id FROM {table} ORDER BY id LIMIT 1 OFFSET 4").fetchone()
        database.execute(f"UPDATE {table} SET mass_g = mass_g + 1 WHERE id = ?", [number])
        database.commit()
    answer = on_a_store("verify", CODE, "--json")
    assert (answer.code, answer.json["ok"], answer.json["movements"]) == (1, False, 16)
    assert answer.json["faults"][0]["movement"] == number
    assert set(answer.json["faults"][0]) == {"movement", "kind", "message"}
    assert on_a_store("verify").code == 1
    # And the evaluation no longer calls the ledger sound.
    said = on_a_store("evaluate", CODE, "--edition", EDITION, "--year", 2025, "--json").json
    assert [c["verdict"] for c in said["criteria"] if c["id"] == "basic-5"] == ["not_met"]


def test_wrong_use_exits_2_and_says_nothing_on_standard_output(on_a_store):
    for said in (["import"], ["import", "a.xlsx", "--bad"], ["evaluate", CODE], ["nonsense"]):
        answer = on_a_store(*said)
        assert (answer.code, answer.out) == (2, ""), said
        assert "Traceback" not in answer.err
