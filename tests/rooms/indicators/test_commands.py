"""`wufei indicators` and `wufei figure`."""

import json
from datetime import datetime

import pytest
from click.testing import CliRunner

from wufei.indicators import cli
from wufei.ledger.models import Movement

TABLE = """
    2023-01-31 A 产生     90 吨 - -
    2023-02-28 A 自行利用 30 吨 - - 制砖
    2023-03-31 B 产生      9 吨 - -
"""


@pytest.fixture
def run():
    def invoke(command, *args: str):
        return CliRunner().invoke(command, list(args))

    return invoke


def test_indicators_as_json(run, organisation, play):
    play(organisation, TABLE)

    answer = run(cli.indicators, organisation.uscc, "--from", "2022", "--to", "2023", "--json")

    assert answer.exit_code == 0
    said = json.loads(answer.output)
    assert said["organisation"] == organisation.uscc
    lines = {(f["id"], f["year"], f["stream"]): f for f in said["figures"] if "dimension" not in f}
    assert len(lines) == len([f for f in said["figures"] if "dimension" not in f]), "each figure once"
    assert lines["generation_t", 2023, None]["value"] == "99"
    assert lines["generation_t", 2023, "B"]["value"] == "9"
    assert lines["utilisation_rate_pct", 2023, "A"]["value"].startswith("33.333333")
    assert lines["generation_t", 2023, None]["unit"] == "吨"
    assert lines["generation_t", 2022, None]["value"] is None
    assert lines["generation_t", 2022, None]["missing"] == ["2022 年台账"]
    assert lines["generation_per_product", 2023, None]["missing"] == ["2023 年主产品产量"]


def test_the_ways_of_an_indicator_are_told_apart_by_their_names(run, organisation, play):
    play(organisation, TABLE + "2023-04-30 A 自行利用 5 吨 - - 筑路")

    answer = run(cli.indicators, organisation.uscc, "--from", "2023", "--to", "2023", "--json")

    ways = [
        f
        for f in json.loads(answer.output)["figures"]
        if f["id"] == "utilisation_by_way_t" and not f["stream"]
    ]
    assert {f["name"].rpartition("：")[2]: f["dimension"] for f in ways} == {"制砖": "制砖", "筑路": "筑路"}
    assert len({f["name"] for f in ways}) == len(ways)


@pytest.mark.parametrize("option", ["--months", "--by-category", "--integrity"])
def test_further_figures_come_when_asked_for(run, organisation, play, option):
    play(organisation, TABLE)
    asked = (cli.indicators, organisation.uscc, "--from", "2023", "--to", "2023", "--json")

    few, more = (json.loads(run(*asked, *extra).output)["figures"] for extra in ((), (option,)))

    assert len(more) > len(few)
    assert more[: len(few) // 2] == few[: len(few) // 2]


def test_a_figure_goes_down_to_its_movements(run, organisation, play):
    play(organisation, TABLE)

    answer = run(cli.figure, organisation.uscc, "utilisation_rate_pct", "2023", "--json")

    said = json.loads(answer.output)
    assert (answer.exit_code, said["id"], said["unit"]) == (0, "utilisation_rate_pct", "%")
    used, generated, _ = said["basis"]
    assert [m["mass_g"] for m in generated["basis"][0]["movements"]] == [90_000_000, 9_000_000]
    movement = used["basis"][0]["basis"][0]["movements"][0]
    posted = Movement.objects.get(kind="OWN_UTILISATION")
    assert (movement["id"], movement["seq"], movement["kind"]) == (posted.pk, posted.seq, posted.kind)
    assert movement["date"] == "2023-02-28"
    assert (movement["stream"], movement["mass_g"], movement["lot"]) == ("A", 30_000_000, "散堆-A")
    assert datetime.fromisoformat(movement["posted_at"])


def test_a_figure_of_a_year_without_data_is_null_and_says_what_is_missing(run, organisation):
    answer = run(cli.figure, organisation.uscc, "generation_t", "2019", "--json")

    said = json.loads(answer.output)
    assert (answer.exit_code, said["value"]) == (0, None)
    assert [m["label"] for m in said["missing"]] == ["2019 年台账"]


@pytest.mark.parametrize(
    "command", [(cli.indicators, "--from", "2023", "--to", "2023"), (cli.figure, "stock_t", "2023")]
)
def test_an_unknown_organisation_is_refused(run, db, command):
    answer = run(command[0], "91500110MA5U000000", *command[1:])

    assert (answer.exit_code, answer.stdout) == (1, "")
    assert "没有统一社会信用代码为 91500110MA5U000000 的单位" in answer.stderr


def test_wrong_use_is_told(run, organisation):
    back = run(cli.indicators, organisation.uscc, "--from", "2024", "--to", "2023")
    unknown = run(cli.figure, organisation.uscc, "no_such", "2023")
    no_stream = run(cli.figure, organisation.uscc, "generation_t", "2023", "--stream", "Z")

    assert (back.exit_code, unknown.exit_code, no_stream.exit_code) == (2, 2, 1)
    assert "起始年份 2024 晚于截止年份 2023" in back.stderr
    assert "没有指标“no_such”" in unknown.stderr
    assert "废物编号 Z" in no_stream.stderr


def test_people_read_tables_and_trees(run, organisation, play, operation):
    play(organisation, TABLE)
    operation(organisation, 2023, value_added="10")

    table = run(cli.indicators, organisation.uscc, "--from", "2023", "--to", "2023")
    tree = run(cli.figure, organisation.uscc, "generation_intensity_t_per_10k_yuan", "2023")
    unknown = run(cli.figure, organisation.uscc, "generation_t", "2019")

    assert (table.exit_code, tree.exit_code) == (0, 0)
    assert "#1 2023-01-31 产生 A 90 吨" in tree.output
    assert "工业增加值 2023：10" in tree.output
    assert "缺：2019 年台账" in unknown.output


def test_a_park_has_both_ids(run, make_organisation, play, join):
    park, member = make_organisation("园区", kind="PARK"), make_organisation()
    play(member, TABLE)
    join(park, member)

    answer = run(cli.indicators, park.uscc, "--from", "2023", "--to", "2023", "--json")

    values = {f["id"]: f["value"] for f in json.loads(answer.output)["figures"] if "dimension" not in f}
    assert values["generation_t"] == values["park_generation_t"] == "99"
    assert values["generation_per_product"] is None
