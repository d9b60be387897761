"""The stock of a moment over the API: whatever clock the moment is told by."""

from urllib.parse import quote

import pytest

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "at", ["2025-06-30T20:23:53+18:43", "2025-06-30T12:00:00-23:59", "2025-06-30T12:00:00+08:00"]
)
def test_a_moment_is_understood_by_any_clock(world, officer_api, at):
    answer = officer_api.get(world.address(f"/inventory?at={quote(at)}"))
    assert answer.status_code == 200
    assert [(row["place"], row["mass_g"]) for row in answer.json()["stock"]] == [("库1", 5_000_000)]


@pytest.mark.parametrize(
    "at", ["0146-03-03T20:23:53+18:43", "0001-01-01T00:00:00+08:00", "9999-12-31T23:59:59-08:00"]
)
def test_a_moment_beyond_all_ledgers_is_refused(world, officer_api, at):
    answer = officer_api.get(world.address(f"/inventory?at={quote(at)}"))
    assert (answer.status_code, answer.json()["details"][0]["code"]) == (422, "year_out_of_range")


def test_a_moment_without_its_zone_is_refused(world, officer_api):
    answer = officer_api.get(world.address("/inventory?at=2025-06-30T12:00:00"))
    assert (answer.status_code, answer.json()["details"][0]["code"]) == (422, "zone_missing")
