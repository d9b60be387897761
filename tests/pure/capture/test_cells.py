"""What a cell says is read where it is certain, and refused with a reason where it is not."""

from datetime import date, datetime
from decimal import Decimal

import pytest

from wufei.capture import cells
from wufei.capture.cells import Amount, CellFault
from wufei.capture.importing import read_uscc
from wufei.capture.layout import LEDGER, CellKind, Column
from wufei.terms.mass import Mass

TODAY = date(2026, 7, 1)
UNIT = LEDGER.by_name["单位"]
ANSWER = Column(name="结论", kind=CellKind.CHOICE, allowed=("是", "否", "不适用"))


def code_of(call) -> str:
    with pytest.raises(CellFault) as caught:
        call()
    assert caught.value.message.endswith("。"), "a message is a Chinese sentence"
    return caught.value.code


@pytest.mark.parametrize(
    "said",
    [
        date(2024, 3, 5), datetime(2024, 3, 5), "2024-03-05", "2024-3-5", "2024/3/5", "2024/03/05", "2024.3.5",
        "20240305", 20240305.0, "2024年3月5日", "2024年03月05日", "2024 年 3 月 5 日", "2024年3月5号", "2024年3月5",
        "２０２４年３月５日", "２０２４－０３－０５", "２０２４／３／５", " 2024-03-05 ", "2024—03—05", "二〇二四年三月五日",
        "二○二四年三月五日", "2024-03-05 00:00:00",
    ],
)  # fmt: skip
def test_a_day_is_read_in_the_usual_forms(said):
    assert cells.read_day(said, today=TODAY) == (date(2024, 3, 5), False)


@pytest.mark.parametrize("said", [datetime(2024, 3, 5, 14, 30), "2024-03-05 14:30", "2024年3月5日 14:30:00"])
def test_a_time_of_day_is_left_out_and_said(said):
    assert cells.read_day(said, today=TODAY) == (date(2024, 3, 5), True)


@pytest.mark.parametrize(
    ("said", "day"),
    [("二〇二三年十二月三十一日", date(2023, 12, 31)), ("二〇二三年十月二十日", date(2023, 10, 20)),
     ("二〇二三年十一月十日", date(2023, 11, 10))],
)  # fmt: skip
def test_a_day_in_chinese_numerals(said, day):
    assert cells.read_day(said, today=TODAY) == (day, False)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("2024-02-30", "day_impossible"), ("2023年2月29日", "day_impossible"), ("20241301", "day_impossible"),
        ("2024/13/01", "day_impossible"), ("2024年3月", "day_is_a_month"), ("2024-03", "day_is_a_month"),
        ("202403", "day_is_a_month"), (202403.0, "day_is_a_month"), ("3月5日", "day_unreadable"),
        ("24-3-5", "day_unreadable"), ("5/3/2024", "day_unreadable"), ("昨天", "day_unreadable"),
        ("2024-3/5", "day_unreadable"), (45356.0, "day_is_a_number"), (1.5, "day_unreadable"),
        (True, "day_unreadable"), ("#N/A", "cell_error"), ("2026-07-02", "day_in_future"),
        (date(1998, 1, 1), "day_too_early"), ("2024年第3季度", "day_unreadable"),
    ],
)  # fmt: skip
def test_a_day_that_is_not_certain_is_refused(said, code):
    assert code_of(lambda: cells.read_day(said, today=TODAY)) == code


def test_today_is_not_in_the_future():
    assert cells.read_day("2026-07-01", today=TODAY)[0] == TODAY


def test_a_month_alone_is_told_its_last_day():
    with pytest.raises(CellFault, match="2024-02-29"):
        cells.read_day("2024年2月", today=TODAY)


@pytest.mark.parametrize(
    ("said", "unit", "grams"),
    [
        (12.5, "吨", 12_500_000), ("12.5", "吨", 12_500_000), ("１２．５", "吨", 12_500_000),
        ("1,200.5", "吨", 1_200_500_000), ("１，２００", "吨", 1_200_000_000), ("1 200", "吨", 1_200_000_000),
        ("1.2万吨", "万吨", 12_000_000_000), ("1.2万吨", None, 12_000_000_000), ("1.2 万吨", None, 12_000_000_000),
        ("１．２万吨", None, 12_000_000_000), ("300千克", "千克", 300_000), ("300kg", "千克", 300_000),
        ("300公斤", None, 300_000), ("5t", "吨", 5_000_000), ("2万千克", "千克", 20_000_000),
        (1e5, "吨", 100_000_000_000), ("1e5", "吨", 100_000_000_000), (0.1 + 0.2, "吨", 300_000),
        (56.1, "吨", 56_100_000), (1e8, "吨", 10**14), (10000.0, "万吨", 10**14), (0.000001, "吨", 1),
        ("0.001", "千克", 1), ("+5", "吨", 5_000_000), (1234567.891, "吨", 1_234_567_891_000),
    ],
)  # fmt: skip
def test_an_amount_is_read_exactly(said, unit, grams):
    assert cells.mass_of(cells.read_amount(said), unit) == Mass(grams)


@pytest.mark.parametrize(
    ("said", "unit", "code"),
    [
        (-5.0, "吨", "amount_negative"), ("－5", "吨", "amount_negative"), (0.0, "吨", "amount_zero"),
        ("0.00", "吨", "amount_zero"), (100_000_000.5, "吨", "amount_absurd"), (10001.0, "万吨", "amount_absurd"),
        (1e30, "千克", "amount_absurd"), (1e-7, "吨", "amount_too_fine"), ("0.0001", "千克", "amount_too_fine"),
        ("1.2万吨", "吨", "unit_contradicted"), ("300kg", "吨", "unit_contradicted"), (5.0, None, "unit_missing"),
        ("1.2万", "吨", "amount_ambiguous"), ("约5", "吨", "amount_not_a_number"), ("5左右", "吨", "amount_not_a_number"),
        ("1,20", "吨", "amount_not_a_number"), ("1.2.3", "吨", "amount_not_a_number"), ("五", "吨", "amount_not_a_number"),
        (">5", "吨", "amount_not_a_number"), ("5立方米", "吨", "amount_not_a_number"), ("", "吨", "amount_not_a_number"),
        (True, "吨", "amount_not_a_number"), (date(2024, 1, 5), "吨", "amount_not_a_number"),
        ("nan", "吨", "amount_not_a_number"), ("inf", "吨", "amount_not_a_number"), ("#REF!", "吨", "cell_error"),
        ("=1+1", "吨", "amount_not_a_number"), ("1_000", "吨", "amount_not_a_number"), ("12%", "吨", "amount_not_a_number"),
        ("1e99999999", "吨", "amount_not_a_number"), ("٣", "吨", "amount_not_a_number"),
    ],
)  # fmt: skip
def test_an_amount_that_is_not_certain_is_refused(said, unit, code):
    assert code_of(lambda: cells.mass_of(cells.read_amount(said), unit)) == code


def test_an_amount_keeps_the_unit_that_its_cell_names():
    assert cells.read_amount("1.2万吨") == Amount(Decimal("1.2"), "万吨")


@pytest.mark.parametrize(
    ("said", "unit"),
    [("吨", "吨"), (" 吨 ", "吨"), ("T", "吨"), ("ｋｇ", "千克"), ("公斤", "千克"), ("万吨", "万吨")],
)
def test_a_unit_is_read(said, unit):
    assert cells.read_choice(said, UNIT, cells.UNIT_WORDS) == unit


@pytest.mark.parametrize("said", ["立方米", "桶", "斤", "克", "吨/年", 5.0])
def test_another_unit_is_refused_and_the_right_ones_are_named(said):
    with pytest.raises(CellFault, match="应为 吨、千克、万吨 之一"):
        cells.read_choice(said, UNIT, cells.UNIT_WORDS)


@pytest.mark.parametrize(
    ("said", "answer"),
    [("是", "是"), ("否", "否"), ("不适用", "不适用"), ("无", "否"), ("有", "是"), ("Ｎ／Ａ", "不适用"),
     ("未发生", "否"), (True, "是"), (False, "否"), ("Yes", "是")],
)  # fmt: skip
def test_an_answer_is_read(said, answer):
    assert cells.read_choice(said, ANSWER, cells.ANSWER_WORDS) == answer


def test_an_answer_that_is_none_of_the_three_is_refused():
    assert code_of(lambda: cells.read_choice("可能", ANSWER, cells.ANSWER_WORDS)) == "choice_unknown"


@pytest.mark.parametrize(
    ("said", "year"), [(2024.0, 2024), ("2024", 2024), ("２０２４年", 2024), ("2024年度", 2024)]
)
def test_a_year_is_read(said, year):
    assert cells.read_year(said, today=TODAY) == year


@pytest.mark.parametrize(
    ("said", "code"),
    [("24", "year_unreadable"), (2024.5, "year_unreadable"), (date(2024, 1, 1), "year_unreadable"),
     (2027.0, "year_out_of_range"), ("1999", "year_out_of_range")],
)  # fmt: skip
def test_another_year_is_refused(said, code):
    assert code_of(lambda: cells.read_year(said, today=TODAY)) == code


def test_a_code_that_excel_took_for_a_number_comes_back_where_nothing_was_lost():
    column = Column(name="废物编号", kind=CellKind.CODE)
    assert cells.read_code(1.0, column) == "1"
    assert cells.read_code("Ｗ０１", column) == "W01"
    assert code_of(lambda: cells.read_code(915001107784712345.0, column)) == "code_is_a_number"
    assert code_of(lambda: cells.read_code(date(2024, 9, 1), column)) == "code_is_a_date"


def test_text_is_one_line_without_what_cannot_be_seen():
    column = Column(name="备注", max_length=10)
    assert cells.read_text(" 甲\n乙\u200b\u202e 丙　丁 ", column) == "甲 乙 丙 丁"
    assert code_of(lambda: cells.read_text("长" * 11, column)) == "text_too_long"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("91110000600037341K", "uscc_check_digit"), ("9111000060003734", "uscc_length"),
        ("A1110000600037341L", "uscc_malformed"), ("91110000600O37341L", "uscc_malformed"),
    ],
)  # fmt: skip
def test_a_wrong_uscc_is_refused(said, code):
    assert code_of(lambda: read_uscc(said)) == code


def test_a_right_uscc_is_read_and_a_wrong_check_digit_names_the_right_one():
    assert read_uscc(" 9111 0000 6000 37341l ") == "91110000600037341L"
    with pytest.raises(CellFault, match="末位应为 L"):
        read_uscc("91110000600037341K")
