"""Is this a working day, and which is the N-th working day after another?"""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wufei.catalogue.tables import TableRefused
from wufei.catalogue.working_days import (
    YearNotLoaded,
    calendar,
    holiday_notice,
    import_working_days,
    is_working_day,
    loaded_years,
    nth_working_day,
    working_days_between,
)

LOADED_DAYS = st.dates(date(2004, 1, 1), date(2026, 6, 30))
COUNTS = st.integers(1, 60)

GOOD_2027 = (
    "day,kind,name\n2026-12-31,HOLIDAY,元旦\n2027-01-01,HOLIDAY,元旦\n2027-01-03,WORKING_WEEKEND,元旦\n"
    "2027-05-01,HOLIDAY,劳动节\n2027-10-01,HOLIDAY,国庆节\n"
)


@pytest.fixture(autouse=True)
def _nothing_imported(monkeypatch):
    monkeypatch.delenv("WUFEI_DATA", raising=False)


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2026, 2, 14), True),  # a Saturday before Spring Festival, worked
        (date(2026, 2, 16), False),
        (date(2026, 2, 24), True),
        (date(2025, 10, 8), False),
        (date(2025, 10, 11), True),  # a Saturday after National Day, worked
        (date(2025, 10, 12), False),
        (date(2020, 1, 31), False),  # the festival was made longer
        (date(2020, 2, 1), False),
        (date(2015, 9, 3), False),
        (date(2018, 12, 29), True),  # arranged by the notice of 2019
        (date(2024, 2, 9), True),  # the eve of 2024 was left to employers
    ],
)
def test_holidays_and_worked_weekends_are_known(day, works):
    assert is_working_day(day) is works


def test_the_years_2004_to_2026_are_loaded_each_with_its_notice():
    assert loaded_years() == tuple(range(2004, 2027))
    assert holiday_notice(2026).notice == "国办发明电〔2025〕7号"
    assert holiday_notice(2020).changed_by == "国办发明电〔2020〕1号"
    assert holiday_notice(2005).notice == "unverified"


def test_a_worked_weekend_is_a_weekend_and_a_holiday_is_not_worked():
    known = calendar()

    assert {day.weekday() for day in known.working_weekends} == {5, 6}
    assert not set(known.holidays) & set(known.working_weekends)


# The number of worked weekends in each notice, as another reader of the notices counted them.
WORKED_WEEKENDS = {
    2009: 6, 2010: 8, 2011: 5, 2012: 7, 2013: 12, 2014: 5, 2015: 5, 2016: 6, 2017: 5, 2018: 6, 2019: 7,
    2020: 6, 2021: 7, 2022: 7, 2023: 7, 2024: 8, 2025: 5, 2026: 6,
}  # fmt: skip


def test_the_worked_weekends_agree_with_an_independent_count():
    counted = dict.fromkeys(WORKED_WEEKENDS, 0)
    for day, holiday in calendar().working_weekends.items():
        year = day.year + (day.month == 12 and holiday == "元旦")
        if year in counted:
            counted[year] += 1

    assert counted == WORKED_WEEKENDS


@pytest.mark.parametrize(
    ("start", "n", "end"),
    [
        (date(2025, 9, 30), 1, date(2025, 10, 9)),
        (date(2025, 9, 30), 3, date(2025, 10, 11)),
        (date(2026, 3, 2), 5, date(2026, 3, 9)),
        (date(2026, 3, 7), 1, date(2026, 3, 9)),  # from a Saturday
        (date(2025, 12, 31), 1, date(2026, 1, 4)),  # a worked Sunday
    ],
)
def test_the_nth_working_day_is_counted_from_the_day_after(start, n, end):
    assert nth_working_day(start, n) == end


@given(LOADED_DAYS, COUNTS)
def test_the_nth_working_day_is_a_working_day_after_the_start(start, n):
    end = nth_working_day(start, n)

    assert end > start
    assert is_working_day(end)
    assert working_days_between(start, end) == n


@given(LOADED_DAYS, COUNTS)
def test_one_working_day_more_is_later_and_nothing_lies_between(start, n):
    end, later = nth_working_day(start, n), nth_working_day(start, n + 1)

    assert end < later == nth_working_day(end, 1)
    assert working_days_between(end, later) == 1


@given(LOADED_DAYS, COUNTS)
def test_a_later_start_never_ends_earlier(start, n):
    assert nth_working_day(start, n) <= nth_working_day(start + timedelta(days=1), n)


def test_no_day_is_counted_backwards():
    assert working_days_between(date(2026, 3, 9), date(2026, 3, 2)) == 0
    with pytest.raises(ValueError, match="at least 1"):
        nth_working_day(date(2026, 3, 2), 0)


@pytest.mark.parametrize("year", [2003, 2027])
def test_a_year_that_is_not_loaded_is_said_never_guessed(year):
    with pytest.raises(YearNotLoaded) as caught:
        is_working_day(date(year, 6, 1))

    assert caught.value.year == year
    assert f"{year}年的节假日安排尚未导入" in caught.value.message


def test_a_deadline_that_runs_into_a_year_not_loaded_is_not_given():
    with pytest.raises(YearNotLoaded, match="2027"):
        nth_working_day(date(2026, 12, 28), 20)
    with pytest.raises(YearNotLoaded):
        working_days_between(date(2026, 12, 28), date(2027, 1, 5))
    with pytest.raises(YearNotLoaded):
        holiday_notice(2027)


@pytest.fixture
def table(tmp_path):
    def write(text: str):
        path = tmp_path / "2027.csv"
        path.write_text(text, "utf-8")
        return path

    return write


def test_an_imported_year_holds_at_once_and_may_move_the_last_days_before(table, tmp_path):
    import_working_days(table(GOOD_2027), year=2027, notice="国办发明电〔2026〕9号", data_dir=tmp_path)

    assert loaded_years(data_dir=tmp_path)[-1] == 2027
    assert holiday_notice(2027, data_dir=tmp_path).notice == "国办发明电〔2026〕9号"
    assert nth_working_day(date(2026, 12, 30), 1, data_dir=tmp_path) == date(2027, 1, 3)
    assert is_working_day(date(2026, 12, 31))  # without the import it was an ordinary Thursday


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (GOOD_2027 + "2027-13-01,HOLIDAY,x\n", 7, "日期“2027-13-01”不对，应如 2027-01-01。"),
        (GOOD_2027 + "2028-01-01,HOLIDAY,x\n", 7, "2028-01-01 不属于2027年的安排"),
        (GOOD_2027 + "2027-06-01,REST,x\n", 7, "类型“REST”不对，应为 HOLIDAY（放假）"),
        (GOOD_2027 + "2027-06-01,WORKING_WEEKEND,x\n", 7, "2027-06-01 不是周末，不能列为周末上班。"),
        (GOOD_2027 + "2027-10-01,HOLIDAY,x\n", 7, "2027-10-01 重复。"),
        (GOOD_2027.replace("2027-10-01", "2027-10-02"), 1, "缺少2027年10月1日国庆节，安排不完整。"),
        ("day,name\n2027-01-01,元旦\n", 1, "缺少列：kind"),
    ],
)
def test_a_faulty_table_is_refused_with_its_line_and_reason(table, tmp_path, text, line, says):
    with pytest.raises(TableRefused) as caught:
        import_working_days(table(text), year=2027, notice="文号", data_dir=tmp_path)

    (fault,) = caught.value.faults
    assert (fault.line, fault.file) == (line, "2027.csv")
    assert says in fault.reason
    assert loaded_years(data_dir=tmp_path)[-1] == 2026


def test_an_import_needs_the_notice_and_a_data_directory(table):
    with pytest.raises(TableRefused) as caught:
        import_working_days(table(GOOD_2027), year=2027, notice=" ")

    assert [fault.reason[:6] for fault in caught.value.faults] == ["没有通知文号", "不知道数据目"]


def test_an_imported_table_damaged_later_is_refused(table, tmp_path):
    import_working_days(table(GOOD_2027), year=2027, notice="文号", data_dir=tmp_path)
    stored = tmp_path / "catalogue" / "working-days-2027.csv"
    stored.write_text(stored.read_text("utf-8").replace("2027-05-01", "五一"), "utf-8")

    with pytest.raises(TableRefused, match="第5行"):
        is_working_day(date(2026, 1, 5), data_dir=tmp_path)
