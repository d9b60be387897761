"""Figures and evaluations over HTTP are the same as on the command line, down to the movements."""

import json
from decimal import Decimal

import pytest
from click.testing import CliRunner

from tests.rooms.api.world import EDITION, generation
from wufei.indicators.cli import figure, indicators
from wufei.policies.cli import evaluate


def test_the_figures_are_those_of_the_command_line(world, officer_api):
    told = officer_api.get(world.address("/indicators?from=2024&to=2025")).json()
    printed = CliRunner().invoke(indicators, [world.mine.uscc, "--from", "2024", "--to", "2025", "--json"])
    said = json.loads(printed.stdout)
    plain = [{key: value for key, value in line.items() if value is not None} for line in told["figures"]]
    expected = [{k: v for k, v in line.items() if v is not None} for line in said["figures"]]
    assert (told["organisation"], plain) == (said["organisation"], expected)
    [generated] = [
        line for line in told["figures"]
        if (line["id"], line["year"], line["stream"]) == ("generation_t", 2025, None)
    ]  # fmt: skip
    assert Decimal(generated["value"]) == 5


def test_a_figure_is_told_with_its_basis_and_its_movements_by_page(world, officer_api):
    officer_api.post(world.address("/movements"), {"movements": [generation(str(n)) for n in range(1, 6)]})
    officer_api.post(world.address("/movements/2/reverse"), {"reason": "重复"})
    told = officer_api.get(world.address("/figures/generation_t/2025")).json()
    printed = json.loads(
        CliRunner().invoke(figure, [world.mine.uscc, "generation_t", "2025", "--json"]).stdout
    )
    assert {k: v for k, v in told.items() if k != "basis"} == {
        k: v for k, v in printed.items() if k != "basis"
    }
    assert told["value"] == "19"

    path = world.address("/figures/generation_t/2025/movements")
    pages = [officer_api.get(f"{path}?limit=3&offset={offset}").json() for offset in (0, 3, 6)]
    rows = [row for page in pages for row in page["movements"]]
    assert [page["total"] for page in pages] == [7, 7, 7]
    assert [row["seq"] for row in rows] == list(range(1, 8))
    assert sum(row["mass_g"] for row in rows) == 19_000_000
    assert [row["mass_g"] for row in rows if row["reverses"]] == [-1_000_000]


def test_a_park_sees_the_movements_of_its_members_of_today_only(world):
    officer = world.api("park_officer")
    address = f"/organisations/{world.park.uscc}/figures/park_generation_t/2025/movements"
    told = officer.get(address).json()
    assert (len(told["movements"]), told["withheld"]) == (1, 0)
    from datetime import date

    from wufei.registry.models import ParkMembership

    ParkMembership.objects.update(left_on=date(2025, 12, 31))
    told = officer.get(address).json()
    assert (told["movements"], told["withheld"]) == ([], 1)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/figures/no_such/2025", 404),
        ("/figures/generation_t/2025?stream=S9", 404),
        ("/figures/generation_t/1800", 422),
        ("/indicators?from=2025&to=2024", 422),
        ("/indicators?from=1950&to=2024", 422),
        ("/indicators?from=2025", 422),
        ("/evaluation?edition=no-such&year=2025", 404),
        ("/evaluation?edition=../x&year=2025", 422),
    ],
)
def test_what_there_is_not_is_said(world, officer_api, path, status):
    response = officer_api.get(world.address(path))
    assert response.status_code == status
    assert response.json()["message"].endswith("。")


def test_a_year_without_data_is_unknown_and_says_what_is_missing(world, officer_api):
    told = officer_api.get(world.address("/indicators?from=2019&to=2019")).json()["figures"]
    [rate] = [line for line in told if line["id"] == "utilisation_rate_pct" and line["stream"] is None]
    assert rate["value"] is None
    assert rate["missing"]


def test_the_evaluation_is_that_of_the_command_line(world, officer_api):
    told = officer_api.get(world.address(f"/evaluation?edition={EDITION}&year=2025")).json()
    arguments = [world.mine.uscc, "--edition", EDITION, "--year", "2025", "--json"]
    said = json.loads(CliRunner().invoke(evaluate, arguments).stdout)
    assert (told["edition"], told["subject"], told["verdict"]) == (EDITION, world.mine.uscc, said["verdict"])
    assert [c["id"] for c in told["criteria"]] == [c["id"] for c in said["criteria"]]
    assert [c["explanation"] for c in told["criteria"]] == [c["explanation"] for c in said["criteria"]]
    assert [c["operands"] for c in told["criteria"]] == [c["operands"] for c in said["criteria"]]


def test_editions_are_listed_and_told_with_their_criteria(world, officer_api):
    listed = officer_api.get("/editions").json()["editions"]
    assert EDITION in [edition["id"] for edition in listed]
    told = officer_api.get(f"/editions/{EDITION}").json()
    assert {f"basic-{n}" for n in range(1, 6)} <= {c["id"] for c in told["criteria"]}
    assert officer_api.get("/editions/no-such").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/indicators?from=2025&to=2025",
        "/figures/utilisation_rate_pct/2025",
        f"/evaluation?edition={EDITION}&year=2025",
    ],
)
def test_no_number_with_a_point_is_a_json_float(world, officer_api, path):
    def refuse(text: str) -> None:
        raise AssertionError(f"{text} is a float")

    json.loads(officer_api.get(world.address(path)).content, parse_float=refuse)
