from datetime import date

import pytest

from wufei.registry.permits import Group, Permit, category_of, cover, covers

DAY = date(2026, 7, 1)


def permit(
    key=1, *, codes=("HW08",), since=date(2024, 1, 1), through=date(2026, 12, 31), revoked=None
) -> Permit:
    group = Group(key=key * 10, waste_codes=tuple(codes), modes=("R9",), capacity_g=10**9)
    return Permit(
        key=key, number=f"CQ{key}", valid_from=since, valid_through=through, revoked_on=revoked, is_verified=True,
        groups=(group,),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("code", "category"),
    [("900-249-08", "HW08"), ("HW08", "HW08"), ("hw49", "HW49"), ("900-002-S17", "SW17"), ("SW17", "SW17")],
)
def test_a_code_ends_in_its_category(code, category):
    assert category_of(code) == category


def test_a_permit_names_codes_or_categories():
    assert covers(["HW08"], "900-249-08")
    assert covers(["900-249-08"], "900-249-08")
    assert not covers(["900-249-08"], "900-250-08")
    assert not covers(["HW09"], "900-249-08")


@pytest.mark.parametrize(
    ("permits", "lacks"),
    [
        ([], "missing"),
        ([permit(through=date(2026, 6, 30))], "not_in_date"),
        ([permit(since=date(2026, 7, 2))], "not_in_date"),
        ([permit(revoked=DAY)], "not_in_date"),
        ([permit(codes=("HW09",))], "code"),
        ([permit(through=DAY)], ""),
        ([permit(since=DAY)], ""),
        ([permit(revoked=date(2026, 7, 2))], ""),
    ],
)
def test_why_a_waste_is_not_covered(permits, lacks):
    found = cover(permits, waste_code="900-249-08", on=DAY)
    assert found.lacks == lacks
    assert (found.group is None) == bool(lacks)


def test_of_several_permits_the_one_that_lasts_longest_counts():
    short, long = permit(1), permit(2, through=date(2029, 1, 1))
    assert cover([short, long], waste_code="900-249-08", on=DAY).permit is long
    other = permit(3, codes=("HW09",), through=date(2030, 1, 1))
    assert cover([other, short], waste_code="900-249-08", on=DAY).permit is short
