"""Whatever stands in a cell, `wufei import` answers in its own shape: it never breaks, and never posts by halves."""

import random
from datetime import date, datetime, time, timedelta

import pytest

from tests.contract.workbooks import enterprise, moved, save, uscc, waste, workbook
from wufei.ledger.models import Movement

CODE = uscc(1)
ODD = [
    None, "", " ", "　", 0, -1, 1, 1.5, 1e300, -1e-300, 0.1 + 0.2, True, False, "是", "否", "#REF!", "#DIV/0!", "=1+1",
    "=cmd|' /C calc'!A0", "NaN", "inf", "1e999", "９９９", "万吨", "1.2万吨", "[/bold]", "%s%n", "\u202e倒", "\ufeffW01",
    "a" * 5000, "长" * 400, "'; DROP TABLE ledger_movement;--", "<b>x</b>", "😀", "\ud83d".encode("utf-16", "surrogatepass")
    .decode("utf-16", "replace"), date(1900, 1, 1), date(2024, 2, 29), datetime(2024, 2, 29, 23, 59, 59), time(8, 30),
    timedelta(hours=30), date(9999, 12, 31), 20240230, 45000, 2024, "2024", "二〇二四年", "W01", "TS001", "系统", "A:B",
    "BULK:x", CODE, 10**17, "\t制表\n换行", "1,2,3", "+5", "−5", "--5", "٣", "Ⅻ", "½", "²",
]  # fmt: skip


def odd_workbook(seed):
    dice = random.Random(seed)
    book = workbook(
        enterprise(CODE),
        streams=[waste("W01"), waste("W02")],
        ledger=[moved("2024-01-05", "W01", "产生", 5, 批次编码=f"L{n}", 经办人="张") for n in range(4)],
        more={
            "年度经营": [{"年份": 2024, "产值(万元)": 5, "工业增加值(万元)": 100}],
            "产品": [{"年份": 2024, "产品名称": "铝", "产能": 5, "产量": 10, "单位": "吨", "主产品": "是"}],
            "声明": [{"项目": "安全生产事故", "年份": 2024, "结论": "否", "依据": "查"}],
        },
    )
    for page in book.worksheets:
        for row in page.iter_rows():
            for cell in row:
                if dice.random() < (0.02 if cell.row == 1 else 0.12):
                    cell.value = dice.choice(ODD)
    return book


@pytest.mark.parametrize("seed", range(120))
def test_odd_cells_break_nothing(wufei, tmp_path, seed):
    path = save(odd_workbook(seed), tmp_path / "a.xlsx")
    for options in ([], ["--accept-valid"]):
        before = Movement.objects.count()
        answer = wufei("import", path, *options, "--json")
        said = answer.json
        assert answer.code in (0, 1)
        assert Movement.objects.count() - before == said["posted"]
        assert (answer.code == 0 and not options) <= (said["errors"] == [])
        for error in said["errors"]:
            assert any("一" <= c <= "鿿" for c in error["message"]), error
            assert "Traceback" not in error["message"]
    if said["organisation"] and answer.code == 0:
        assert wufei("verify", said["organisation"], "--json").json["ok"]
        assert wufei("indicators", said["organisation"], "--from", 2023, "--to", 2024).code == 0
        path = tmp_path / "a-错误行.xlsx"
        if path.exists():
            assert wufei("import", path, "--json").code in (0, 1)
