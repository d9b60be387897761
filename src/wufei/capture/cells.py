"""
What does this cell say?

Each function takes what calamine read (str, float, bool, date, datetime, ...) and returns the
value, or raises `CellFault` with a code and, in Chinese, what was wrong and what would be right.
Where the meaning is not certain, nothing is guessed.
"""

import calendar
import re
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from math import isnan
from typing import NamedTuple

from wufei.capture.layout import Column
from wufei.ledger.posting import ABSURD_MASS
from wufei.terms.mass import InexactMass, Mass

Raw = object  # str, float, int, bool, date, datetime, time, timedelta

EARLIEST_YEAR = 2000
_ERRORS = ("#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!")
_ABSURD_NUMBER = ABSURD_MASS.tonnes * 1000  # kilograms are the smallest unit
_DAY_HINT = "应为日期，如 2024-03-05 或 2024年3月5日"

UNIT_WORDS = {
    "吨": "吨", "t": "吨", "公吨": "吨", "千克": "千克", "公斤": "千克", "kg": "千克", "万吨": "万吨",
}  # fmt: skip
ANSWER_WORDS = {
    "是": "是", "有": "是", "发生": "是", "y": "是", "yes": "是", "true": "是", "√": "是", "✓": "是",
    "否": "否", "无": "否", "未发生": "否", "没有": "否", "n": "否", "no": "否", "false": "否", "×": "否",
    "不适用": "不适用", "n/a": "不适用", "na": "不适用",
}  # fmt: skip
KIND_WORDS = {"委托利用": "委外利用", "委托处置": "委外处置", "期初": "期初贮存", "期初库存": "期初贮存"}

_CHINESE_DIGITS = {c: str(n) for n, c in enumerate("〇一二三四五六七八九")} | {"零": "0", "○": "0"}
_DAY = re.compile(
    r"(\d{4})(?:年(\d{1,2})月(\d{1,2})[日号]?|([-/.])(\d{1,2})\4(\d{1,2})|(\d{2})(\d{2}))", re.ASCII
)
_TIME = re.compile(r"[ T]?(\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)$", re.ASCII)
_MONTH = re.compile(r"(\d{4})(?:年(\d{1,2})月份?|[-/.](\d{1,2})|(\d{2}))", re.ASCII)
_NUMBER = re.compile(r"([+-]?)(\d{1,3}(?:,\d{3})+|\d+)(\.\d+)?(?:[eE]([+-]?\d{1,2}))?", re.ASCII)
_AMOUNT_UNIT = re.compile(r"(万?)(吨|t|公吨|千克|公斤|kg)?", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060\ufeff]")


class CellFault(Exception):
    """The cell does not say what its column asks for."""

    def __init__(self, code: str, message: str) -> None:
        self.code, self.message = code, message
        super().__init__(f"{code}: {message}")


class Amount(NamedTuple):
    number: Decimal
    unit: str | None  # where the cell itself names it: 1.2万吨


def shown(raw: Raw) -> str:
    """Return a cell as a message quotes it."""
    text = str(int(raw)) if isinstance(raw, float) and raw.is_integer() and abs(raw) < 1e15 else str(raw)
    return text if len(text) <= 40 else f"{text[:40]}…"


def half_width(text: str) -> str:
    """
    Return the text with half-width digits, letters and marks, without spaces at its ends.

    >>> half_width(" １，２００．５ ")
    '1,200.5'
    """
    return unicodedata.normalize("NFKC", text).strip()


def read_text(raw: Raw, column: Column) -> str:
    """Return the text of a cell in one line; a number as it is displayed."""
    if isinstance(raw, float):
        text = _number_text(raw)
    elif isinstance(raw, bool):
        text = "是" if raw else "否"
    elif isinstance(raw, datetime):
        text = raw.date().isoformat() if raw.time() == time() else raw.isoformat(" ")
    else:
        text = str(raw)
    text = " ".join(_CONTROL.sub("", text).split())
    _check_error(text)
    if len(text) > column.max_length:
        message = f"{column.name}有 {len(text)} 个字，超过 {column.max_length} 个字；请缩短。"
        raise CellFault("text_too_long", message)
    return text


def read_code(raw: Raw, column: Column) -> str:
    """Return a code in half-width characters; what Excel turned into a number comes back as digits."""
    if isinstance(raw, datetime | date | time | timedelta):
        message = f"“{shown(raw)}”被表格软件当成了日期；请把单元格设为文本后重新填写{column.name}。"
        raise CellFault("code_is_a_date", message)
    if isinstance(raw, float) and (not raw.is_integer() or abs(raw) >= 1e15):
        message = f"{column.name}被表格软件当成了数字，末几位可能已丢失；请把单元格设为文本后重新填写。"
        raise CellFault("code_is_a_number", message)
    return half_width(read_text(raw, column))


def _number_text(number: float) -> str:
    return format(Decimal(format(number, ".15g")), "f")


def _check_error(text: str) -> None:
    if text in _ERRORS:
        raise CellFault("cell_error", f"单元格是错误值 {text}；请填写实际内容。")


# --- days and years


def read_day(raw: Raw, *, today: date, earliest_year: int = EARLIEST_YEAR) -> tuple[date, bool]:
    """Return the day, and whether a time of day was left out."""
    day, had_time = _day_of(raw)
    if day.year < earliest_year:
        message = f"日期 {day.isoformat()} 早于 {earliest_year} 年；请检查年份，{_DAY_HINT}。"
        raise CellFault("day_too_early", message)
    if day > today:
        message = f"日期 {day.isoformat()} 晚于今天（{today.isoformat()}）；应为已经发生的日期。"
        raise CellFault("day_in_future", message)
    return day, had_time


def _day_of(raw: Raw) -> tuple[date, bool]:
    if isinstance(raw, datetime):
        return raw.date(), raw.time() != time()
    if isinstance(raw, date):
        return raw, False
    if isinstance(raw, float):
        return _day_of_number(raw), False
    if isinstance(raw, str):
        return _day_of_text(raw)
    raise CellFault("day_unreadable", f"“{shown(raw)}”不是日期；{_DAY_HINT}。")


def _day_of_number(number: float) -> date:
    if number.is_integer() and 1000_01_01 <= number <= 9999_12_31:
        return _day_of_text(str(int(number)))[0]
    if number.is_integer() and 1000_01 <= number <= 9999_12:
        return _day_of_text(str(int(number)))[0]
    if 30_000 <= number <= 60_000:
        guess = date(1899, 12, 30) + timedelta(days=int(number))
        message = f"“{shown(number)}”可能是日期的序号（{guess.isoformat()}）；请把单元格格式设为日期，使它显示为日期。"
        raise CellFault("day_is_a_number", message)
    raise CellFault("day_unreadable", f"“{shown(number)}”不是日期；{_DAY_HINT}。")


def _day_of_text(text: str) -> tuple[date, bool]:
    plain = _CONTROL.sub("", half_width(text))
    _check_error(plain)
    timed = _TIME.search(plain)
    without_time = plain[: timed.start()] if timed and timed.start() >= 8 else plain
    compact = _arabic("".join(without_time.split())).replace("—", "-").replace("–", "-").replace("−", "-")
    if matched := _DAY.fullmatch(compact):
        year, *parts = matched.groups()
        month, day = (p for p in (parts[0], parts[1], parts[3], parts[4], parts[5], parts[6]) if p)
        try:
            read = date(int(year), int(month), int(day))
        except ValueError:
            message = f"“{shown(text)}”不是存在的日期；请检查月和日，{_DAY_HINT}。"
            raise CellFault("day_impossible", message) from None
        return read, without_time != plain and timed is not None and set(timed[1]) - set("0:.") != set()
    if matched := _MONTH.fullmatch(compact):
        year, month = int(matched[1]), int(matched[2] or matched[3] or matched[4])
        if 1 <= month <= 12 and year >= 1000:
            last = date(year, month, calendar.monthrange(year, month)[1])
            message = f"“{shown(text)}”只到月；按月记账的请填当月最后一天，如 {last.isoformat()}。"
            raise CellFault("day_is_a_month", message)
    raise CellFault("day_unreadable", f"“{shown(text)}”不是能确定的日期；{_DAY_HINT}。")


def _arabic(text: str) -> str:
    """
    Return a date written in Chinese numerals with digits.

    >>> _arabic("二〇二四年十二月二十一日")
    '2024年12月21日'
    """
    if not any(c in _CHINESE_DIGITS or c == "十" for c in text):
        return text
    text = re.sub(r"([一二三四五六七八九])?十([一二三四五六七八九])?", _tens, text)
    return "".join(_CHINESE_DIGITS.get(c, c) for c in text)


def _tens(matched: re.Match[str]) -> str:
    return _CHINESE_DIGITS.get(matched[1] or "", "1") + _CHINESE_DIGITS.get(matched[2] or "", "0")


def read_year(raw: Raw, *, today: date) -> int:
    """Return a year with four digits, not in the future."""
    text = str(int(raw)) if isinstance(raw, float) and raw.is_integer() else half_width(str(raw))
    matched = re.fullmatch(r"([0-9]{4})年?度?", text)
    if matched is None:
        raise CellFault("year_unreadable", f"“{shown(raw)}”不是年份；应为四位数字，如 2024。")
    year = int(matched[1])
    if not EARLIEST_YEAR <= year <= today.year:
        message = f"年份 {year} 不在 {EARLIEST_YEAR} 至 {today.year} 之间；请检查。"
        raise CellFault("year_out_of_range", message)
    return year


# --- numbers and masses


def _decimal(text: str) -> Decimal | None:
    """Return a number as people write it, or None."""
    matched = _NUMBER.fullmatch(text)
    if matched is None:
        return None
    sign, whole, fraction, exponent = matched.groups()
    return Decimal(f"{sign}{whole.replace(',', '')}{fraction or ''}E{exponent or 0}")


def read_amount(raw: Raw) -> Amount:
    """Return a number, and the unit where the cell itself names one: 1.2万吨."""
    if isinstance(raw, float) and not isnan(raw):
        return Amount(Decimal(format(raw, ".15g")), None)
    if not isinstance(raw, str):
        raise CellFault("amount_not_a_number", f"“{shown(raw)}”不是数量；应为数字，如 12.5。")
    text = _CONTROL.sub("", half_width(raw))
    _check_error(text)
    # Spaces part thousands too: 1 200
    text = re.sub(r"(?<=\d) (?=\d{3}(?:\D|$))", "", text).replace(" ", "")
    matched = re.fullmatch(r"([+-]?[\d,.]+(?:[eE][+-]?\d{1,2})?)(\D*)", text, re.ASCII)
    number = _decimal(matched[1]) if matched else None
    unit = _AMOUNT_UNIT.fullmatch(matched[2]) if matched else None
    if number is None or unit is None:
        message = f"“{shown(raw)}”不能确定为数量；应为数字，如 12.5，单位填在“单位”列。"
        raise CellFault("amount_not_a_number", message)
    ten_thousand, word = unit.groups()
    said = UNIT_WORDS[word.lower()] if word else None
    if not ten_thousand:
        return Amount(number, said)
    if said == "吨":
        return Amount(number, "万吨")
    if said == "千克":
        return Amount(number * 10_000, "千克")
    message = f"“{shown(raw)}”里的“万”后面没有单位，不能确定是万吨还是万千克；请写成数字，单位填在“单位”列。"
    raise CellFault("amount_ambiguous", message)


def mass_of(amount: Amount, unit: str | None) -> Mass:
    """Return the mass where the cell and the column agree on its unit."""
    number, own_unit = amount
    if unit is None and own_unit is None:
        raise CellFault("unit_missing", "没有单位；应为 吨、千克或万吨。")
    if unit is not None and own_unit is not None and unit != own_unit:
        message = f"数量里写的单位是“{own_unit}”，单位列是“{unit}”，两者不一致；请改为一致。"
        raise CellFault("unit_contradicted", message)
    named = unit or own_unit
    assert named is not None, "one of them is given"
    if number < 0:
        message = (
            f"数量 {number:f}{named} 是负数；应大于零。记错的请在系统中冲正，盘点差额用环节“盘盈”“盘亏”。"
        )
        raise CellFault("amount_negative", message)
    if number == 0:
        raise CellFault("amount_zero", "数量是零；应大于零，没有发生的请删去这一行。")
    if number > _ABSURD_NUMBER:
        raise _absurd(number, named)
    try:
        mass = Mass.of(number, named)
    except InexactMass:
        message = f"数量 {number:f}{named} 小于 1 克的部分不能记账；请保留到克（吨最多 6 位小数，千克最多 3 位小数）。"
        raise CellFault("amount_too_fine", message) from None
    if mass.grams > ABSURD_MASS.grams:
        raise _absurd(number, named)
    return mass


def _absurd(number: Decimal, unit: str) -> CellFault:
    return CellFault("amount_absurd", f"数量 {number:f}{unit} 超过 1 亿吨；请检查单位是否填错。")


def read_number(raw: Raw, column: Column, *, places: int, below: Decimal) -> Decimal:
    """Return a number, of zero or more unless the column says otherwise; the unit may be repeated as the column's name has it."""
    if isinstance(raw, float) and not isnan(raw):
        number: Decimal | None = Decimal(format(raw, ".15g"))
    elif isinstance(raw, str):
        text = half_width(raw)
        _check_error(text)
        unit = re.search(r"\((.+)\)$", column.name)
        text = text.removesuffix(unit[1]) if unit else text
        number = _decimal(re.sub(r"(?<=\d) (?=\d{3}(?:\D|$))", "", text).replace(" ", ""))
    else:
        number = None
    if number is None:
        message = f"“{shown(raw)}”不能确定为数字；{column.name}应为数字，如 1200.5，不带单位。"
        raise CellFault("number_unreadable", message)
    if number < 0 and not column.may_be_negative:
        raise CellFault("number_negative", f"{column.name} {number:f} 是负数；应为零或正数。")
    if abs(number) >= below:
        raise CellFault("number_absurd", f"{column.name} {number:f} 过大；请检查单位（应小于 {below:f}）。")
    number = number.normalize()
    if -int(number.as_tuple().exponent) > places:
        what = f"最多 {places} 位小数" if places else "应为整数"
        raise CellFault("number_too_fine", f"{column.name} {number:f} 小数位过多；{what}。")
    return number


# --- choices


def read_choice(raw: Raw, column: Column, words: Mapping[str, str]) -> str:
    """Return the allowed value that the cell means."""
    text = "".join(half_width(read_text(raw, column)).split())
    if text in column.allowed:
        return text
    meant = words.get(text.lower())
    if meant in column.allowed:
        return meant
    message = f"“{shown(raw)}”不在可选项中；{column.name}应为 {'、'.join(column.allowed)} 之一。"
    raise CellFault("choice_unknown", message)
