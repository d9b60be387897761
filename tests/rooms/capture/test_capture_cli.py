"""`wufei template` and `wufei import`, as a person or a script calls them."""

import json

import pytest
from click.testing import CliRunner
from openpyxl import load_workbook

from tests.conftest import valid_uscc
from tests.pure.capture.books import filled, row
from wufei.capture.cli import import_command, template
from wufei.ledger.models import Movement

NEW = {"统一社会信用代码": valid_uscc("91500110MA5U66666")}
LEDGER = [row("2024-01-31", "W01", "产生", 5), row("2024-02-29", "W01", "自行利用", 5)]


@pytest.fixture
def run(db):
    return lambda command, *said: CliRunner().invoke(command, [str(s) for s in said])


def test_template_writes_a_workbook(tmp_path, run):
    path = tmp_path / "模板.xlsx"

    got = run(template, path, "--json")

    assert (got.exit_code, json.loads(got.stdout)) == (0, {"file": str(path)})
    assert load_workbook(path).sheetnames[0] == "单位信息"


def test_import_answers_as_the_contract_says(tmp_path, run):
    path = tmp_path / "a.xlsx"
    path.write_bytes(filled(organisation=NEW, streams=[["W01", "矸石", "SW04", "采选"]], ledger=LEDGER))

    first, again = run(import_command, path, "--json"), run(import_command, path, "--json")

    said = json.loads(first.stdout)
    assert (first.exit_code, again.exit_code) == (0, 0)
    assert list(said) == ["organisation", "posted", "skipped", "notices", "errors"]
    assert (said["organisation"], said["posted"], said["errors"]) == (NEW["统一社会信用代码"], 2, [])
    assert (json.loads(again.stdout)["posted"], json.loads(again.stdout)["skipped"]) == (0, 2)


def test_import_with_a_fault_exits_1_and_posts_nothing(tmp_path, run):
    path = tmp_path / "a.xlsx"
    path.write_bytes(filled(organisation=NEW, ledger=[*LEDGER, row("2024-03-05", "W01", "自行利用", 1)]))

    got = run(import_command, path, "--json")

    [error] = json.loads(got.stdout)["errors"]
    assert (got.exit_code, json.loads(got.stdout)["posted"], Movement.objects.count()) == (1, 0, 0)
    assert list(error) == ["sheet", "row", "column", "code", "message"]
    assert (error["sheet"], error["row"], error["column"]) == ("台账", 4, "数量")
    for_people = run(import_command, path)
    assert (for_people.exit_code, "数量" in for_people.stderr) == (1, True)


def test_import_accept_valid_writes_the_rejects_beside_the_file(tmp_path, run):
    path = tmp_path / "a.xlsx"
    path.write_bytes(filled(organisation=NEW, ledger=[*LEDGER, row("2024-02-30", "W01", "产生", 1)]))

    got = run(import_command, path, "--accept-valid", "--json")

    said = json.loads(got.stdout)
    assert (got.exit_code, said["posted"], said["rejects"]) == (0, 2, str(tmp_path / "a-错误行.xlsx"))
    assert "day_impossible" not in json.dumps(load_workbook(said["rejects"]).sheetnames)
    assert load_workbook(said["rejects"])["台账"]["A2"].value == "2024-02-30"


def test_import_dry_run_posts_nothing(tmp_path, run):
    path = tmp_path / "a.xlsx"
    path.write_bytes(filled(organisation=NEW, ledger=LEDGER))

    got = run(import_command, path, "--dry-run", "--json")

    assert (got.exit_code, json.loads(got.stdout)["posted"], Movement.objects.count()) == (0, 2, 0)


@pytest.mark.parametrize(
    ("content", "code"), [(b"", "file_empty"), (b"a,b", "not_a_workbook"), (None, "file_missing")]
)
def test_import_of_what_cannot_be_opened_exits_1(tmp_path, run, content, code):
    path = tmp_path / "a.xlsx"
    if content is not None:
        path.write_bytes(content)

    got = run(import_command, path, "--json")

    [error] = json.loads(got.stdout)["errors"]
    assert (got.exit_code, error["code"], error["sheet"], error["row"]) == (1, code, None, None)
