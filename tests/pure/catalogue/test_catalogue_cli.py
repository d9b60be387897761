"""`wufei catalogue …` and `wufei workdays`."""

import json
import re

import pytest
from click.testing import CliRunner

from wufei.catalogue.cli import catalogue, workdays

ROW = "HW48,有色金属采选和冶炼废物,常用有色金属冶炼,321-002-48,铜火法冶炼烟尘,T\n"
HEADER = "category,category_name,industry,code,name,hazard\n"


@pytest.fixture(autouse=True)
def data_dir(tmp_path, monkeypatch):
    monkeypatch.setenv("WUFEI_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path / "data"


def run(command, *arguments):
    return CliRunner().invoke(command, arguments)


def answer(command, *arguments):
    result = run(command, *arguments, "--json")
    return result.exit_code, json.loads(result.stdout)


def test_search_answers_scripts_and_people():
    code, found = answer(catalogue, "search", "fmh", "--kind", "waste")
    shown = run(catalogue, "search", "fmh")

    assert (code, found["total"], found["hits"][0]["code"]) == (0, 1, "SW02")
    assert found["hits"][0]["rank"] == "initials"
    assert (shown.exit_code, "粉煤灰" in shown.stdout, "未核对" in shown.stdout) == (0, True, True)


def test_search_by_industry():
    assert answer(catalogue, "search", "--industry", "264")[1]["total"] == 13


def test_search_that_finds_nothing_says_no():
    result = run(catalogue, "search", "不存在的东西", "--json")

    assert (result.exit_code, json.loads(result.stdout)["total"]) == (1, 0)
    assert "没有查到“不存在的东西”" in result.stderr


def test_a_class_that_is_not_loaded_is_answered_with_the_groups_that_are_near():
    result = run(catalogue, "search", "火力发电")

    assert (result.exit_code, result.stdout) == (1, "")
    assert "没有小类" in result.stderr
    assert "名称相近的中类：441 电力生产、" in result.stderr


def test_search_for_nothing_is_wrong_usage():
    result = run(catalogue, "search")

    assert result.exit_code == 2
    assert "请给出要查的代码" in result.stderr


def test_show_tells_all_of_a_waste_code():
    code, shown = answer(catalogue, "show", "９００－２４９－０８")

    assert (code, shown["waste"]["code"], shown["waste"]["category"]) == (0, "900-249-08", "HW08")
    assert shown["waste"]["notices"][0] == "以2021年版为准，2025年版尚未导入，未核对。"
    assert [row["number"] for row in shown["waste"]["exemptions"]] == [8]
    assert shown["waste"]["entry"]["in_force_from"] == "2021-01-01"


def test_show_knows_industries_divisions_and_modes():
    assert answer(catalogue, "show", "342")[1]["industry"]["name"] == "金属加工机械制造"
    assert answer(catalogue, "show", "500110")[1]["division"]["path"] == ["重庆市", "綦江区"]
    assert answer(catalogue, "show", "D10")[1]["disposal_mode"]["label"] == "焚烧"
    assert "粉煤灰" in run(catalogue, "show", "SW02").stdout
    assert "金属加工机械制造" in run(catalogue, "show", "342").stdout


@pytest.mark.parametrize("code", ["900-249-08", "HW08", "SW02", "342", "500110", "D10", "900-003-04"])
def test_show_speaks_chinese_to_people(code):
    shown = run(catalogue, "show", code)

    assert shown.exit_code == 0, shown.stderr
    assert not re.search(r"[a-z]+_[a-z]+|waste|industry|GENERAL|HAZARDOUS|True|False|None", shown.stdout)
    assert "未核对" in shown.stdout
    assert "已核对" not in shown.stdout


def test_a_hazardous_category_is_shown_with_the_notice_of_its_codes():
    code, shown = answer(catalogue, "show", "hw08")

    assert (code, shown["waste"]["code"], shown["waste"]["is_verified"]) == (0, "HW08", False)
    assert shown["waste"]["notices"][0] == "以2021年版为准，2025年版尚未导入，未核对。"


def test_show_of_an_unknown_code_says_what_would_be_right():
    result = run(catalogue, "show", "900-250-08", "--json")

    assert (result.exit_code, json.loads(result.stdout)["fault"]) == (1, "code_unknown")
    assert "900-000-08" in result.stderr
    assert run(catalogue, "show", "废油").exit_code == 1


def test_a_table_is_imported_into_the_data_directory(tmp_path, data_dir):
    table = tmp_path / "2025.csv"
    table.write_text(HEADER + ROW, "utf-8")
    result = run(catalogue, "import-hazardous", str(table), "--edition", "2025")

    assert (result.exit_code, result.stdout) == (0, "已导入国家危险废物名录（2025年版）：1个代码。\n")
    assert "官方公布为470种，本表有1种" in result.stderr
    assert answer(catalogue, "show", "321-002-48")[1]["waste"]["entry"]["edition"] == "2025"
    assert answer(catalogue, "import-hazardous", str(table), "--edition", "2025")[1]["count"] == 1


def test_a_broken_table_is_refused_with_file_line_and_reason(tmp_path, data_dir):
    table = tmp_path / "2025.csv"
    table.write_text(HEADER + ROW.replace("321-002-48", "321-002-47"), "utf-8")
    result = run(catalogue, "import-hazardous", str(table), "--edition", "2025", "--json")

    assert result.exit_code == 1
    assert json.loads(result.stdout)["refused"] == [
        {"file": "2025.csv", "line": 2, "reason": "代码“321-002-47”的末两位应与类别 HW48 一致，为 48。"}
    ]
    assert "2025.csv 第2行：" in result.stderr
    assert not data_dir.exists()


def test_workdays_gives_the_end():
    assert answer(workdays, "2025-09-30", "1") == (
        (0, {"start": "2025-09-30", "working_days": 1, "end": "2025-10-09"})
    )
    assert run(workdays, "2025-09-30", "1").stdout == "2025-09-30 之后第1个工作日：2025-10-09\n"


def test_workdays_of_a_year_not_loaded_are_refused():
    result = run(workdays, "2026-12-28", "20", "--json")

    assert (result.exit_code, json.loads(result.stdout)["year"]) == (1, 2027)
    assert "2027年的节假日安排尚未导入" in result.stderr
    assert run(workdays, "2026-12-28", "20").exit_code == 1


@pytest.mark.parametrize("arguments", [("昨天", "1"), ("2026-01-01", "0"), ("2026-01-01",)])
def test_workdays_asked_wrongly_is_wrong_usage(arguments):
    assert run(workdays, *arguments).exit_code == 2


def test_a_year_of_working_days_is_imported(tmp_path):
    table = tmp_path / "2027.csv"
    table.write_text(
        "day,kind,name\n2027-01-01,HOLIDAY,元旦\n2027-05-01,HOLIDAY,劳动节\n2027-10-01,HOLIDAY,国庆节\n",
        "utf-8",
    )
    arguments = ("import-workdays", str(table), "--year", "2027", "--notice", "国办发明电〔2026〕9号")

    assert run(catalogue, *arguments).exit_code == 0
    assert answer(catalogue, *arguments)[1]["loaded_years"][-1] == 2027
    assert answer(workdays, "2026-12-31", "1")[1]["end"] == "2027-01-04"
    assert run(catalogue, "import-workdays", "无.csv", "--year", "2027", "--notice", "x").exit_code == 1
