"""`wufei indicators` and `wufei figure` against numbers computed by hand, in fractions, from the same ledger."""

import random
from collections import defaultdict
from datetime import date
from fractions import Fraction

import pytest

from tests.contract.workbooks import STORE, enterprise, moved, save, uscc, waste, workbook

CODE = uscc(1)
LINE = {"id", "name", "year", "stream", "value", "unit", "missing"}
NAMED = {
    "generation_t", "utilisation_t", "disposal_t", "stock_t", "utilisation_rate_pct", "disposal_rate_pct",
    "generation_intensity_t_per_10k_yuan", "generation_per_product",
}  # fmt: skip
INTO = {"期初贮存", "产生", "接收", "盘盈"}
USED, DISPOSED = {"自行利用", "委外利用"}, {"自行处置", "委外处置"}


@pytest.fixture
def take(wufei, tmp_path):
    def run(organisation, ledger=(), **said):
        path = save(workbook(organisation, ledger=ledger, **said), tmp_path / "data.xlsx")
        answer = wufei("import", path, "--json")
        assert (answer.code, answer.json["errors"]) == (0, [])

    return run


@pytest.fixture
def ask(wufei):
    def run(code, first, last):
        answer = wufei("indicators", code, "--from", first, "--to", last, "--json")
        assert (answer.code, answer.err) == (0, "")
        lines = [f for f in answer.json["figures"] if "dimension" not in f]
        assert len({(f["id"], f["year"], f["stream"]) for f in lines}) == len(lines), "each figure once"
        return {(f["id"], f["year"], f["stream"]): f for f in lines}

    return run


def number(line):
    return None if line["value"] is None else Fraction(line["value"])


def close(got, wanted):
    """A quotient that does not come out even is written to at least six decimals."""
    return abs(got - wanted) < Fraction(1, 10**12)


# --- what the ledger says, by hand (standards.md, I)


def by_hand(rows, years, streams):
    """Return {(id, year, stream)} of masses and rates; bulk and labelled lots of own waste."""
    found = {}
    born = {r["批次编码"]: r for r in rows if r.get("批次编码") and r["环节"] in INTO}
    for year in years:
        total = defaultdict(Fraction)
        for stream in streams:
            mine = [r for r in rows if r["废物编号"] == stream]
            now = [r for r in mine if int(r["日期"][:4]) == year]

            def mass(kinds, of=now, lots=None):
                return sum(
                    (Fraction(str(r["数量"])) for r in of
                     if r["环节"] in kinds and lots in (None, bool(r.get("批次编码")))), Fraction(0),
                )  # fmt: skip

            until = [r for r in mine if int(r["日期"][:4]) <= year]
            own = {"产": mass({"产生"}), "用": mass(USED), "处": mass(DISPOSED)}
            out = mass(USED | DISPOSED, lots=False)
            excess = max(Fraction(0), out - mass({"产生"}, lots=False))
            share = excess / out if out else Fraction(0)
            old = {"用": share * mass(USED, lots=False), "处": share * mass(DISPOSED, lots=False)}
            for row in now:
                first = born.get(row.get("批次编码"))
                if not first or row["环节"] not in USED | DISPOSED:
                    continue
                if first["环节"] == "期初贮存" or int(first["日期"][:4]) < year:
                    old["用" if row["环节"] in USED else "处"] += Fraction(str(row["数量"]))
            stock = sum(Fraction(str(r["数量"])) * (1 if r["环节"] in INTO else -1) for r in until)
            parts = {
                "产": own["产"],
                "用": own["用"],
                "处": own["处"],
                "旧用": old["用"],
                "旧处": old["处"],
                "存": stock,
            }
            found |= of_parts(parts, year, stream)
            for key, value in parts.items():
                total[key] += value
        found |= of_parts(total, year, None)
    return found


def of_parts(p, year, stream):
    used, disposed = p["产"] + p["旧用"], p["产"] + p["旧处"]
    return {
        ("generation_t", year, stream): p["产"],
        ("utilisation_t", year, stream): p["用"],
        ("disposal_t", year, stream): p["处"],
        ("stock_t", year, stream): p["存"],
        ("utilisation_rate_pct", year, stream): 100 * p["用"] / used if used else None,
        ("disposal_rate_pct", year, stream): 100 * p["处"] / disposed if disposed else None,
    }


def random_ledger(seed):
    """Return a ledger over three years that never overdraws its store."""
    dice = random.Random(seed)
    rows, bulk, lots = [], defaultdict(Fraction), {}
    for stream in ("W01", "W02"):
        opening = Fraction(dice.randrange(0, 500_000), 1000)
        if opening:
            rows.append(moved("2021-01-01", stream, "期初贮存", float(opening)))
            bulk[stream] = opening
    for month in range(36):
        day = date(2021 + month // 12, 1 + month % 12, dice.randrange(2, 28)).isoformat()
        for stream in ("W01", "W02"):
            made = Fraction(dice.randrange(1, 100_000), 1000)
            if dice.random() < 0.8:
                if dice.random() < 0.4:
                    code = f"B{stream}{month}"
                    rows.append(moved(day, stream, "产生", float(made), 批次编码=code))
                    lots[code] = (stream, made)
                else:
                    rows.append(moved(day, stream, "产生", float(made)))
                    bulk[stream] += made
            later = day[:8] + "28"
            for kind in ("自行利用", "委外处置", "委外利用", "盘亏"):
                if bulk[stream] > 0 and dice.random() < 0.4:
                    part = Fraction(dice.randrange(1, 1000), 1000) * bulk[stream]
                    part = Fraction(int(part * 1000), 1000)
                    if part:
                        rows.append(
                            moved(later, stream, kind, float(part), 对方单位="甲" if "委外" in kind else None)
                        )
                        bulk[stream] -= part
            for code in [c for c, (s, _) in lots.items() if s == stream and dice.random() < 0.3]:
                rows.append(
                    moved(
                        later,
                        stream,
                        dice.choice(["自行利用", "委外处置"]),
                        float(lots.pop(code)[1]),
                        批次编码=code,
                    )
                )
    return rows


@pytest.mark.parametrize("seed", range(8))
def test_masses_stock_and_rates_are_those_computed_by_hand(take, ask, seed):
    rows = random_ledger(seed)
    take(enterprise(CODE), rows, streams=[waste("W01"), waste("W02", "铝灰", "321-024-48")])
    got = ask(CODE, 2021, 2023)
    wanted = by_hand(rows, (2021, 2022, 2023), ("W01", "W02"))
    for key, value in wanted.items():
        line = got[key]
        if value is None:
            assert (line["value"], line["missing"] != []) == (None, True), key
        elif key[0].endswith("_t"):
            assert number(line) == value, key
        else:
            # Earlier years' stock is apportioned in whole grams.
            assert abs(number(line) - value) < Fraction(1, 10**4), key


def test_a_line_of_indicators_has_the_keys_and_types_of_the_contract(take, ask):
    take(enterprise(CODE), [moved("2024-01-05", "W01", "产生", 3), moved("2024-01-06", "W01", "自行利用", 1)])
    got = ask(CODE, 2023, 2024)
    assert {key[0] for key in got if key[1] == 2024 and key[2] is None} >= NAMED
    for line in got.values():
        assert set(line) == LINE
        assert isinstance(line["year"], int)
        assert line["value"] is None or isinstance(line["value"], str)
        assert isinstance(line["missing"], list)
        assert all(isinstance(m, str) for m in line["missing"])
        assert line["value"] is not None or line["missing"], "unknown says what is missing"
    rate = got["utilisation_rate_pct", 2024, None]["value"]
    assert rate.startswith("33.333333")
    assert "E" not in rate


def test_a_year_without_data_is_unknown_and_never_zero(take, ask):
    take(enterprise(CODE), [moved("2024-01-05", "W01", "产生", 3)])
    got = ask(CODE, 2022, 2024)
    for name in NAMED:
        for year in (2022, 2023):
            line = got[name, year, None]
            assert line["value"] is None, (name, year)
            assert line["missing"]
    assert got["utilisation_t", 2024, None]["value"] == "0", "a ledger without use has used nothing"


def test_published_bulk_example_of_earlier_years_stock(take, ask):
    rows = [
        moved("2022-01-01", "W01", "期初贮存", 100), moved("2022-06-30", "W01", "产生", 60),
        moved("2022-07-31", "W01", "自行利用", 90), moved("2022-08-31", "W01", "委外处置", 30, 对方单位="甲"),
    ]  # fmt: skip
    take(enterprise(CODE), rows)
    got = ask(CODE, 2022, 2022)
    # 120 left, 60 were made: 60 of earlier years, 45 of them used and 15 disposed of.
    assert close(number(got["utilisation_rate_pct", 2022, None]), Fraction(90, 60 + 45) * 100)
    assert close(number(got["disposal_rate_pct", 2022, None]), Fraction(30, 60 + 15) * 100)
    assert number(got["earlier_years_utilisation_t", 2022, None]) == 45


def test_a_labelled_lot_counts_by_the_year_it_was_made(take, ask):
    rows = [
        moved("2022-12-31", "W01", "产生", 10, 批次编码="A"), moved("2023-01-05", "W01", "产生", 20, 批次编码="B"),
        moved("2023-02-05", "W01", "自行利用", 10, 批次编码="A"), moved("2023-03-05", "W01", "自行利用", 5, 批次编码="B"),
    ]  # fmt: skip
    take(enterprise(CODE), rows)
    got = ask(CODE, 2022, 2023)
    # In bulk the fifteen would have come out of the year's own twenty.
    assert number(got["utilisation_rate_pct", 2023, None]) == Fraction(15, 30) * 100
    assert number(got["stock_t", 2022, None]) == 10
    assert number(got["utilisation_rate_pct", 2022, None]) == 0


def test_intensity_and_per_product_are_of_what_was_stated(take, ask):
    take(
        enterprise(CODE), [moved("2024-01-05", "W01", "产生", 100)],
        more={
            "年度经营": [{"年份": 2024, "产值(万元)": 900, "工业增加值(万元)": 300}],
            "产品": [{"年份": 2024, "产品名称": "铝", "产量": 70, "单位": "吨", "主产品": "是"},
                     {"年份": 2024, "产品名称": "棒", "产量": 5, "单位": "吨", "主产品": "否"}],
        },
    )  # fmt: skip
    got = ask(CODE, 2024, 2024)
    assert close(number(got["generation_intensity_t_per_10k_yuan", 2024, None]), Fraction(100, 300))
    assert close(number(got["generation_per_product", 2024, None]), Fraction(100, 70))
    assert got["generation_intensity_t_per_10k_yuan", 2024, None]["unit"] == "吨/万元"
    assert len(got["generation_per_product", 2024, None]["value"].split(".")[1]) >= 6


@pytest.mark.parametrize("added", [0, -5, None])
def test_over_no_value_added_intensity_is_unknown(take, ask, added):
    take(
        enterprise(CODE), [moved("2024-01-05", "W01", "产生", 100)],
        more={"年度经营": [{"年份": 2024, "产值(万元)": 9, "工业增加值(万元)": added}]},
    )  # fmt: skip
    line = ask(CODE, 2024, 2024)["generation_intensity_t_per_10k_yuan", 2024, None]
    assert line["value"] is None
    assert line["missing"]


def test_gains_over_three_years_compare_with_the_third_year_before(take, ask):
    rows = []
    for year, made, used in ((2022, 100, 60), (2023, 100, 90), (2024, 100, 95), (2025, 90, 76.5)):
        rows += [moved(f"{year}-06-30", "W01", "产生", made), moved(f"{year}-07-31", "W01", "自行利用", used)]
    take(
        enterprise(CODE), rows,
        more={
            "年度经营": [{"年份": y, "工业增加值(万元)": 300} for y in (2022, 2025)],
            "产品": [{"年份": y, "产品名称": "铝", "产量": 70, "单位": "吨"} for y in (2022, 2025)],
        },
    )  # fmt: skip
    got = ask(CODE, 2022, 2025)
    assert got["utilisation_rate_gain_pp", 2025, None]["value"] == "25"
    # A third and three tenths: the levels do not come out even, what lies between them does.
    assert got["generation_intensity_reduction_pct", 2025, None]["value"] == "10"
    assert got["generation_per_product_reduction_pct", 2025, None]["value"] == "10"
    assert got["utilisation_rate_gain_pp", 2024, None]["value"] is None


@pytest.mark.parametrize("divisor", [3, 7, 11, 13, 97, 333, 7919])
def test_ten_per_cent_less_is_ten_whatever_the_levels_look_like(take, ask, divisor):
    take(
        enterprise(CODE), [moved("2022-06-30", "W01", "产生", 100), moved("2025-06-30", "W01", "产生", 90)],
        more={
            "年度经营": [{"年份": y, "工业增加值(万元)": divisor} for y in (2022, 2025)],
            "产品": [{"年份": y, "产品名称": "铝", "产量": divisor, "单位": "吨"} for y in (2022, 2025)],
        },
    )  # fmt: skip
    got = ask(CODE, 2025, 2025)
    for name in ("generation_intensity_reduction_pct", "generation_per_product_reduction_pct"):
        assert got[name, 2025, None]["value"] == "10"


@pytest.mark.parametrize(
    ("made", "then", "now"), [(12, 1, "3.4"), (84, 7, "23.8"), (30, "0.1", "6.1"), (3, 1, "1.6")]
)
def test_twenty_points_more_are_twenty_whatever_the_levels_look_like(take, ask, made, then, now):
    rows = [
        moved("2022-06-01", "W01", "产生", made), moved("2022-07-01", "W01", "自行利用", then),
        moved("2025-06-01", "W01", "产生", made), moved("2025-07-01", "W01", "自行利用", now),
    ]  # fmt: skip
    take(enterprise(CODE), rows)
    assert ask(CODE, 2025, 2025)["utilisation_rate_gain_pp", 2025, None]["value"] == "20"


PARK = uscc(9, prefix="12500110MB")
MEMBERS = [uscc(n) for n in (11, 12)]
OUTSIDE = uscc(13)


@pytest.fixture
def park(take):
    """A park of two members that trade with each other and with others outside."""
    take(enterprise(PARK, 单位名称="合同园区", 单位类型="园区"), streams=[], stores=[],
         more={"年度经营": [{"年份": 2024, "工业增加值(万元)": 1000}]})  # fmt: skip
    first, second = (
        enterprise(code, 单位名称=name, 所属园区="合同园区")
        for code, name in zip(MEMBERS, "甲乙", strict=True)
    )
    first["单位名称"], second["单位名称"] = "甲（重庆）公司", "乙公司"
    take(first, [
        moved("2024-01-31", "W01", "产生", 100), moved("2024-02-28", "W01", "自行利用", 20),
        moved("2024-03-31", "W01", "委外利用", 30, 对方单位="乙公司"),
        moved("2024-04-30", "W01", "委外利用", 10, 对方单位="园外公司"),
        moved("2024-05-31", "W01", "委外处置", 15, 对方单位="园外公司"),
    ])  # fmt: skip
    take(second, [
        moved("2024-01-31", "W02", "产生", 50), moved("2024-03-31", "W01", "接收", 30, 对方单位="甲(重庆)公司"),
        moved("2024-04-30", "W01", "自行利用", 30), moved("2024-04-30", "W02", "委外利用", 40, 对方单位=MEMBERS[0]),
        moved("2024-06-30", "W01", "接收", 500, 对方单位="园外公司"), moved("2024-07-31", "W01", "自行利用", 500),
    ], streams=[waste("W01"), waste("W02", "石膏", "SW06")])  # fmt: skip
    take(enterprise(OUTSIDE, 单位名称="园外公司"), [moved("2024-01-31", "W01", "产生", 7000)])
    return PARK


def test_a_park_counts_what_members_made_and_what_was_used_inside(park, ask):
    got = ask(park, 2024, 2024)
    made, used, disposed = 100 + 50, 20 + 30 + 40, 15
    assert number(got["generation_t", 2024, None]) == made
    assert number(got["utilisation_t", 2024, None]) == used
    assert number(got["disposal_t", 2024, None]) == disposed
    assert number(got["stock_t", 2024, None]) == 25 + 10
    assert close(number(got["utilisation_rate_pct", 2024, None]), Fraction(100 * used, made))
    assert close(number(got["disposal_rate_pct", 2024, None]), Fraction(100 * disposed, made))
    assert close(number(got["generation_intensity_t_per_10k_yuan", 2024, None]), Fraction(made, 1000))
    assert got["generation_per_product", 2024, None]["value"] is None


def movements_of(document):
    """Yield the rows behind a figure, each with the sign that it counts with."""
    for part in document["basis"]:
        if part["type"] == "figure":
            yield from movements_of(part)
        elif part["type"] == "movements":
            yield from part["movements"]


def test_a_figure_goes_down_to_its_movements_and_adds_up(take, wufei):
    rows = [moved("2024-01-05", "W01", "产生", 3), moved("2024-02-06", "W01", "自行利用", 1),
            moved("2024-02-07", "W01", "委外利用", 1.5, 对方单位="甲")]  # fmt: skip
    take(enterprise(CODE), rows)
    answer = wufei("figure", CODE, "utilisation_t", 2024, "--json")
    assert answer.code == 0
    said = answer.json
    assert (said["value"], said["unit"], said["missing"]) == ("2.5", "吨", [])
    behind = {row["id"]: row["mass_g"] for row in movements_of(said)}
    assert sum(behind.values()) == 2_500_000
    rate = wufei("figure", CODE, "utilisation_rate_pct", 2024, "--json").json
    assert {row["kind"] for row in movements_of(rate)} == {
        "GENERATION",
        "OWN_UTILISATION",
        "CONTRACTED_UTILISATION",
    }


def test_a_figure_of_an_unknown_year_or_name(take, wufei):
    take(enterprise(CODE), [moved("2024-01-05", "W01", "产生", 3)])
    unknown = wufei("figure", CODE, "generation_t", 2019, "--json")
    assert (unknown.code, unknown.json["value"]) == (0, None)
    assert unknown.json["missing"]
    nonsense = wufei("figure", CODE, "no_such_indicator", 2024)
    assert (nonsense.code, nonsense.out) == (2, "")


@pytest.mark.parametrize("command", ["indicators", "figure", "evaluate", "case", "verify"])
def test_an_organisation_that_is_not_there_is_a_no(wufei, command, tmp_path):
    said = {
        "indicators": [OUTSIDE, "--from", 2024, "--to", 2024], "figure": [OUTSIDE, "generation_t", 2024],
        "evaluate": [OUTSIDE, "--edition", "miit-2025-539-enterprise", "--year", 2025], "verify": [OUTSIDE],
        "case": [OUTSIDE, "--edition", "miit-2025-539-enterprise", "--year", 2025, "--out", tmp_path / "out"],
    }[command]  # fmt: skip
    answer = wufei(command, *said)
    assert (answer.code, answer.out) == (1, "")
    assert OUTSIDE in answer.err


def test_what_people_typed_is_shown_as_typed(take, wufei):
    rows = [
        moved("2024-01-05", "W01", "产生", 3),
        moved("2024-02-06", "W01", "自行利用", 1, 方式="制砖[/bold]"),
    ]
    take(enterprise(CODE, 单位名称="[red]公司[/red]"), rows, streams=[waste("W01", "灰[/i]")], stores=[STORE])
    assert "[/bold]" in wufei("indicators", CODE, "--from", 2024, "--to", 2024).out
    assert "制砖[/bold]" in wufei("figure", CODE, "utilisation_t", 2024).out
    answer = wufei("evaluate", CODE, "--edition", "miit-2025-539-enterprise", "--year", 2024)
    assert (answer.code, "[red]公司[/red]" in answer.out) == (0, True)
