from datetime import date

from wufei.transfers.deadlines import confirmation_due, paper_due


def test_the_receiver_has_five_working_days():
    assert confirmation_due(date(2026, 7, 1)).on == date(2026, 7, 8)  # Wednesday to Wednesday


def test_holidays_do_not_count():
    assert confirmation_due(date(2025, 9, 30)).on == date(2025, 10, 14)  # 1–8 October; 11 October is worked
    assert paper_due(date(2026, 7, 1)).on == date(2026, 7, 15)


def test_a_year_that_is_not_loaded_is_said_and_not_guessed():
    due = confirmation_due(date(2031, 5, 6))
    assert (due.on, due.unknown_year) == (None, 2031)
