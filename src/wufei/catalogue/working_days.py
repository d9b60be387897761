"""
Is this a working day, and which is the N-th working day after another?

Dated reference data for 2004–2026: holidays, and weekends that are worked instead. A later
year is imported when the State Council's notice is out; until then it is not loaded, and
asking for it says so. A notice may also move the last days of December before its year.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path

from wufei.catalogue import tables

COLUMNS = ("day", "kind", "name", "notice_year")
IMPORT_COLUMNS = ("day", "kind", "name")
NOTICE_COLUMNS = ("year", "notice", "changed_by", "status")
FILE = "working-days.csv"
NOTICE_FILE = "working-day-notices.csv"
PREFIX = "working-days-"
HOLIDAY = "HOLIDAY"
WORKING_WEEKEND = "WORKING_WEEKEND"

_SATURDAY = 5
_FIXED_HOLIDAYS = ((1, 1, "元旦"), (5, 1, "劳动节"), (10, 1, "国庆节"))


class YearNotLoaded(LookupError):
    """The holidays of the year are not loaded; nothing is guessed."""

    code = "year_not_loaded"

    def __init__(self, year: int) -> None:
        self.year = year
        self.message = (
            f"{year}年的节假日安排尚未导入，无法计算工作日；请管理员按国务院办公厅通知导入{year}年工作日表。"
        )
        super().__init__(f"The working days of {year} are not loaded.")


@dataclass(frozen=True, slots=True, kw_only=True)
class HolidayNotice:
    """The State Council's notice that arranges a year."""

    year: int
    notice: str  # 文号, or "unverified"
    changed_by: str  # 文号 of a later notice that changed it; "" where none is known
    status: str  # Chinese: how sure we are of the number


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Every loaded arrangement. Days not named are working days from Monday to Friday."""

    holidays: Mapping[date, str]  # day → holiday
    working_weekends: Mapping[date, str]
    notices: Mapping[int, HolidayNotice]  # the loaded years


def calendar(*, data_dir: Path | None = None) -> Calendar:
    """
    Return the loaded arrangements, shipped and imported; an imported year replaces a shipped one.

    :raises TableRefused: if an imported table was damaged since its import
    """
    folder = tables.imported_folder(data_dir)
    return _calendar(folder, tables.signature(folder, PREFIX))


@cache
def _calendar(folder: Path | None, signature: tables.Signature) -> Calendar:
    days = {}
    for line, row in tables.read_rows(tables.SHIPPED / FILE, COLUMNS):
        days[_day(tables.SHIPPED / FILE, line, row["day"])] = row
    notices = _shipped_notices()
    for name, *_ in signature:
        if folder is not None and (matched := re.fullmatch(rf"{PREFIX}(\d{{4}})\.csv", name)):
            year, rows = int(matched[1]), _imported_rows(folder / name)
            days = {day: row for day, row in days.items() if row["notice_year"] != str(year)} | rows
            notice = next(iter(rows.values()))["notice"]
            notices[year] = HolidayNotice(year=year, notice=notice, changed_by="", status="管理员导入")
    return Calendar(
        holidays={day: row["name"] for day, row in days.items() if row["kind"] == HOLIDAY},
        working_weekends={day: row["name"] for day, row in days.items() if row["kind"] == WORKING_WEEKEND},
        notices=notices,
    )


def _shipped_notices() -> dict[int, HolidayNotice]:
    rows = tables.read_rows(tables.SHIPPED / NOTICE_FILE, NOTICE_COLUMNS)
    return {
        int(row["year"]): HolidayNotice(
            year=int(row["year"]),
            notice=row["notice"],
            changed_by=row["changed_by"],
            status=row["status"],
        )
        for _, row in rows
    }


def _imported_rows(path: Path) -> dict[date, tables.Row]:
    rows = tables.read_rows(path, (*COLUMNS, "notice"))
    return {_day(path, line, row["day"]): row for line, row in rows}


def _day(path: Path, line: int, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise tables.refusal(path, line, f"日期“{text}”不对，应如 2027-01-01。") from error


def import_working_days(path: Path, *, year: int, notice: str, data_dir: Path | None = None) -> Calendar:
    """
    Check the arrangement of one year and keep it in the data directory.

    Columns: day (2027-01-01), kind (HOLIDAY or WORKING_WEEKEND), name (元旦). `notice` is the
    number of the State Council's notice.

    :raises TableRefused: if any row is faulty, a fixed holiday is missing, or no data
        directory is known
    """
    rows = tables.read_rows(path, IMPORT_COLUMNS)
    faults = tuple(_faults(path, rows, year))
    if not notice.strip():
        faults += (tables.TableFault(path.name, 1, "没有通知文号；应如 国办发明电〔2025〕7号。"),)
    folder = tables.imported_folder(data_dir)
    if folder is None:
        faults += (tables.TableFault(path.name, 1, "不知道数据目录；请设置环境变量 WUFEI_DATA。"),)
    if folder is None or faults:
        raise tables.TableRefused(*faults)
    noted = [row | {"notice_year": str(year), "notice": notice.strip()} for _, row in rows]
    tables.store(folder, f"{PREFIX}{year}.csv", tables.to_csv((*COLUMNS, "notice"), noted))
    return _calendar(folder, tables.signature(folder, PREFIX))


def _faults(path: Path, rows: list[tuple[int, tables.Row]], year: int) -> Iterator[tables.TableFault]:
    seen: dict[date, str] = {}
    for line, row in rows:
        try:
            day = date.fromisoformat(row["day"])
        except ValueError:
            yield tables.TableFault(path.name, line, f"日期“{row['day']}”不对，应如 {year}-01-01。")
            continue
        for reason in _day_faults(day, row["kind"], year):
            yield tables.TableFault(path.name, line, reason)
        if day in seen:
            yield tables.TableFault(path.name, line, f"{day} 重复。")
        seen[day] = row["kind"]
    for month, number, name in _FIXED_HOLIDAYS:
        if seen.get(date(year, month, number)) != HOLIDAY:
            yield tables.TableFault(path.name, 1, f"缺少{year}年{month}月{number}日{name}，安排不完整。")


def _day_faults(day: date, kind: str, year: int) -> Iterator[str]:
    if day.year != year and (day.year, day.month) != (year - 1, 12):
        yield f"{day} 不属于{year}年的安排（{year}年，或前一年12月）。"
    if kind not in (HOLIDAY, WORKING_WEEKEND):
        yield f"类型“{kind}”不对，应为 {HOLIDAY}（放假）或 {WORKING_WEEKEND}（周末上班）。"
    if kind == WORKING_WEEKEND and day.weekday() < _SATURDAY:
        yield f"{day} 不是周末，不能列为周末上班。"


def loaded_years(*, data_dir: Path | None = None) -> tuple[int, ...]:
    """Return the years whose arrangement is loaded."""
    return tuple(sorted(calendar(data_dir=data_dir).notices))


def holiday_notice(year: int, *, data_dir: Path | None = None) -> HolidayNotice:
    """
    Return the notice that arranges the year.

    :raises YearNotLoaded: if it is not loaded
    """
    try:
        return calendar(data_dir=data_dir).notices[year]
    except KeyError as error:
        raise YearNotLoaded(year) from error


def is_working_day(day: date, *, data_dir: Path | None = None) -> bool:
    """
    Return whether offices work on the day.

    :raises YearNotLoaded: if its year is not loaded
    """
    return _is_working(calendar(data_dir=data_dir), day)


def _is_working(known: Calendar, day: date) -> bool:
    if day.year not in known.notices:
        raise YearNotLoaded(day.year)
    if day.weekday() >= _SATURDAY:
        return day in known.working_weekends
    return day not in known.holidays


def nth_working_day(start: date, n: int, *, data_dir: Path | None = None) -> date:
    """
    Return the N-th working day after `start`; the day itself does not count.

    >>> nth_working_day(date(2025, 9, 30), 1)
    datetime.date(2025, 10, 9)

    :raises YearNotLoaded: if a year on the way is not loaded
    :raises ValueError: if n is less than 1
    """
    if n < 1:
        raise ValueError(f"The number of working days is at least 1, not {n}.")
    known = calendar(data_dir=data_dir)
    days = (day for day in _days_after(start) if _is_working(known, day))
    return next(day for count, day in enumerate(days, start=1) if count == n)


def _days_after(start: date) -> Iterable[date]:
    day = start
    while True:
        day += timedelta(days=1)
        yield day


def working_days_between(start: date, end: date, *, data_dir: Path | None = None) -> int:
    """
    Return how many working days lie after `start`, through `end`; 0 if `end` is not after it.

    :raises YearNotLoaded: if a year on the way is not loaded
    """
    known = calendar(data_dir=data_dir)
    span = range(1, (end - start).days + 1)
    return sum(_is_working(known, start + timedelta(days=offset)) for offset in span)
