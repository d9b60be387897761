"""`wufei evaluate` at the exact boundary of every basic requirement, through a workbook and the command line."""

import pytest

from tests.contract.workbooks import enterprise, moved, save, uscc, waste, workbook

CODE, PARK = uscc(1), uscc(9, prefix="12500110MB")
EDITION, OF_PARK = "miit-2025-539-enterprise", "miit-2025-539-park"
YEARS = (2022, 2023, 2024, 2025)
KEYS = {"edition", "subject", "year", "verdict", "criteria", "score"}
NODE = {"id", "clause", "verdict", "explanation", "figures", "children"}
BASIC = [f"basic-{n}" for n in range(1, 6)]
ACCIDENTS = ("较大及以上污染事故或生态破坏事件", "安全生产事故", "行政处罚", "列入失信企业名单")
CHECKED = "已查询主管部门公布的记录，没有"


def declarations(years=(2023, 2024, 2025)):
    """Return 声明 rows of an organisation without fault."""
    rows = [(item, year, "否", CHECKED) for item in ACCIDENTS for year in years]
    yes = (
        "贮存处置设施符合标准",
        "独立法人资格",
        "强制清洁生产审核全部通过验收",
        "省级及以上工业园区",
        "具有法定边界和范围",
    )
    rows += [(item, 2025, "是", "证明文件") for item in yes]
    return [dict(zip(("项目", "年份", "结论", "依据"), row, strict=True)) for row in rows]


def with_answer(rows, item, year, answer, basis=CHECKED):
    kept = [r for r in rows if (r["项目"], r["年份"]) != (item, year)]
    return kept if answer is None else [*kept, {"项目": item, "年份": year, "结论": answer, "依据": basis}]


def yearly(made_and_used):
    """Return ledger rows: {2022: (100, 60), ...}."""
    rows = []
    for year, (made, used) in made_and_used.items():
        rows.append(moved(f"{year}-06-30", "W01", "产生", made))
        if float(used):
            rows.append(moved(f"{year}-07-31", "W01", "委外利用", used, 对方单位="建材公司"))
    return rows


GOOD = {2022: (100, 90), 2023: (100, 90), 2024: (100, 90), 2025: (80, 72)}


@pytest.fixture
def judge(wufei, tmp_path):
    """Import and evaluate: `judge(yearly(GOOD))` returns the answer, its criteria also by id."""

    def run(
        ledger, said=None, *, output=100, products=None, organisation=None, edition=EDITION, year=2025, **more
    ):
        products = products if products is not None else dict.fromkeys(YEARS, output)
        sheets = {
            "年度经营": [{"年份": y, "产值(万元)": 1000, "工业增加值(万元)": 300} for y in YEARS],
            "产品": [{"年份": y, "产品名称": "铝", "产量": n, "单位": "吨"} for y, n in products.items()],
            "声明": declarations() if said is None else said,
        } | more  # fmt: skip
        path = save(
            workbook(organisation or enterprise(CODE), ledger=ledger, more=sheets), tmp_path / "a.xlsx"
        )
        taken = wufei("import", path, "--json")
        assert (taken.code, taken.json["errors"]) == (0, [])
        return evaluated(wufei, CODE, edition, year)

    return run


def evaluated(wufei, code, edition, year=2025):
    answer = wufei("evaluate", code, "--edition", edition, "--year", year, "--json")
    assert (answer.code, answer.err) == (0, "")
    said = answer.json
    said["by_id"] = {criterion["id"]: criterion for criterion in said["criteria"]}
    return said


def test_the_answer_has_the_keys_of_the_contract(judge):
    said = judge(yearly(GOOD))
    assert set(said) >= KEYS
    assert (said["edition"], said["subject"], said["year"]) == (EDITION, CODE, 2025)
    assert said["score"] is None
    assert [c["id"] for c in said["criteria"] if c["id"].startswith("basic-")] == BASIC

    def walk(node):
        assert set(node) >= NODE
        assert node["verdict"] in ("met", "not_met", "unknown")
        assert node["clause"]
        assert any("一" <= c <= "鿿" for c in node["explanation"])
        assert isinstance(node["figures"], list)
        assert isinstance(node["children"], list)
        for child in node["children"]:
            walk(child)

    for criterion in said["criteria"]:
        walk(criterion)
    assert {f["id"] for f in said["by_id"]["basic-1"]["figures"]} >= {"utilisation_rate_pct"}


def test_one_who_meets_everything_is_met(judge):
    said = judge(yearly(GOOD))
    assert {c: said["by_id"][c]["verdict"] for c in BASIC} == dict.fromkeys(BASIC, "met")
    assert said["verdict"] == "met"


@pytest.mark.parametrize(
    ("used", "verdict"),
    [("80", "met"), ("79.999999", "not_met"), ("80.000001", "met"), ("100", "met"), ("0", "not_met")],
)
def test_eighty_per_cent_is_eighty(judge, used, verdict):
    ledger = yearly(dict.fromkeys(YEARS, (100, 79)) | {2025: (100, used)})
    assert judge(ledger)["by_id"]["basic-1"]["verdict"] == verdict


@pytest.mark.parametrize(
    ("then", "now", "verdict"),
    [("56.1", "76.1", "met"), ("56.1", "76.099999", "not_met"), ("56.099999", "76.1", "met"), ("0", "20", "met"), ("33.333333", "53.333332", "not_met")],
)  # fmt: skip
def test_twenty_points_are_twenty(judge, then, now, verdict):
    assert (
        judge(yearly(dict.fromkeys(YEARS, (100, then)) | {2025: (100, now)}))["by_id"]["basic-1"]["verdict"]
        == verdict
    )


def test_a_gain_needs_the_third_year_before_and_is_unknown_without(judge):
    said = judge(yearly({2023: (100, 50), 2024: (100, 55), 2025: (100, 75)}))
    first = said["by_id"]["basic-1"]
    assert (first["verdict"], [c["verdict"] for c in first["children"]]) == (
        "unknown",
        ["not_met", "unknown"],
    )
    assert "2022" in first["explanation"]
    assert said["verdict"] == "unknown"


@pytest.mark.parametrize(
    ("output", "verdict"),  # of 2025; 2022 had 100 t over 3 units
    [("3", "met"), ("2.999999", "unknown"), ("3.000001", "met"), ("2", "unknown")],
)
def test_ten_per_cent_less_per_product_is_ten_and_short_of_it_a_person_is_asked(judge, output, verdict):
    ledger = yearly({2022: (100, 90), 2025: (90, 81)})
    second = judge(ledger, products={2022: "3", 2025: output})["by_id"]["basic-2"]
    assert second["verdict"] == verdict
    assert second["children"][0]["verdict"] == ("met" if verdict == "met" else "not_met")
    assert second["children"][1]["verdict"] == "unknown", (
        "whether it is far below its industry is asked of a person"
    )


def test_another_main_product_can_not_be_compared(judge, wufei, tmp_path):
    more = {
        "产品": [
            {"年份": 2022, "产品名称": "铝", "产量": 9, "单位": "吨"},
            {"年份": 2025, "产品名称": "铜", "产量": 90, "单位": "吨"},
        ]
    }
    assert judge(yearly(GOOD), **more)["by_id"]["basic-2"]["verdict"] == "unknown"


@pytest.mark.parametrize("item", ACCIDENTS)
@pytest.mark.parametrize("year", [2023, 2024, 2025])
def test_one_yes_in_one_year_is_a_veto(judge, item, year):
    said = judge(yearly(GOOD), with_answer(declarations(), item, year, "是"))
    assert (said["by_id"]["basic-3"]["verdict"], said["verdict"]) == ("not_met", "not_met")
    assert str(year) in said["by_id"]["basic-3"]["explanation"]


@pytest.mark.parametrize(("answer", "basis"), [(None, ""), ("否", None), ("不适用", CHECKED)])
@pytest.mark.parametrize("year", [2023, 2025])
def test_no_without_a_register_consulted_in_each_year_is_unknown(judge, answer, basis, year):
    said = judge(yearly(GOOD), with_answer(declarations(), "行政处罚", year, answer, basis))
    third = said["by_id"]["basic-3"]
    assert (third["verdict"], said["verdict"]) == ("unknown", "unknown")
    assert "信用中国" in third["explanation"]
    assert str(year) in third["explanation"]


def test_what_happened_before_the_window_does_not_count(judge):
    said = judge(yearly(GOOD), with_answer(declarations(), "行政处罚", 2022, "是"))
    assert said["by_id"]["basic-3"]["verdict"] == "met"


@pytest.mark.parametrize(
    ("answer", "verdict"), [("是", "met"), ("否", "not_met"), ("不适用", "met"), (None, "unknown")]
)
def test_stores_to_standard(judge, answer, verdict):
    said = judge(yearly(GOOD), with_answer(declarations(), "贮存处置设施符合标准", 2025, answer))
    assert said["by_id"]["basic-4"]["verdict"] == verdict


def test_a_ledger_that_names_no_receiver_is_unknown_and_says_which(judge):
    ledger = [*yearly(GOOD), moved("2025-08-01", "W01", "委外处置", 1)]
    fifth = judge(ledger)["by_id"]["basic-5"]
    assert (fifth["verdict"], "对方单位" in fifth["explanation"]) == ("unknown", True)


def test_a_year_without_a_ledger_is_unknown_not_failed(judge):
    said = judge(yearly({2022: (100, 90)}))
    assert {c: said["by_id"][c]["verdict"] for c in BASIC} == {
        "basic-1": "unknown", "basic-2": "unknown", "basic-3": "met", "basic-4": "met", "basic-5": "unknown",
    }  # fmt: skip


def test_the_check_of_the_ledger_is_said_in_words(judge):
    fifth = judge(yearly(GOOD))["by_id"]["basic-5"]["explanation"]
    assert "台账校验无误，要求无误" in fifth
    assert "是否" not in fifth


@pytest.mark.parametrize("changed", [{"成立日期": None}, {"单位类型": "园区"}])
def test_who_may_apply_is_asked_too(wufei, tmp_path, changed):
    book = workbook(enterprise(CODE, **changed), ledger=yearly(GOOD), more={"声明": declarations()})
    assert wufei("import", save(book, tmp_path / "a.xlsx"), "--json").code == 0
    verdicts = {
        c["verdict"] for i, c in evaluated(wufei, CODE, EDITION)["by_id"].items() if i.startswith("eligible")
    }
    assert ("not_met" if "单位类型" in changed else "unknown") in verdicts


@pytest.mark.parametrize(
    ("edition", "place", "verdict"),
    [
        ("chongqing-2026-6-enterprise", ("重庆市", "重庆市", "綦江区"), "met"),
        ("chongqing-2026-6-enterprise", ("广东省", "广州市", "天河区"), "not_met"),
        ("guangdong-2026-4-enterprise", ("广东省", "广州市", "天河区"), "met"),
        ("guangdong-2026-4-enterprise", ("重庆市", "重庆市", "綦江区"), "not_met"),
    ],
)
def test_a_province_s_call_is_for_those_who_are_there(judge, edition, place, verdict):
    where = dict(zip(("省", "市", "区县"), place, strict=True))
    said = judge(yearly(GOOD), organisation=enterprise(CODE, **where), edition=edition)
    assert said["by_id"]["eligible-jurisdiction"]["verdict"] == verdict
    assert said["verdict"] == verdict
    assert [c["id"] for c in said["criteria"] if c["id"].startswith("basic-")] == BASIC


def test_an_unknown_edition_names_those_there_are(wufei, judge):
    judge(yearly(GOOD))
    answer = wufei("evaluate", CODE, "--edition", "nothing", "--year", 2025)
    assert (answer.code, answer.out) == (1, "")
    assert EDITION in answer.err


def test_people_read_every_sentence_to_its_end(judge, wufei):
    said = judge(yearly(GOOD))
    out = wufei("evaluate", CODE, "--edition", EDITION, "--year", 2025).out
    assert "…" not in out
    letters = "".join(c for c in out if "一" <= c <= "鿿")
    for character in said["by_id"]["basic-5"]["explanation"]:
        assert character in out
    assert len(letters) > 300


# --- the park


@pytest.fixture
def judge_park(wufei, tmp_path):
    """A park of two members; `ledgers` are theirs, `added` the park's value added by year."""

    def run(*ledgers, added=None, said=None):
        added = added or dict.fromkeys(YEARS, 300)
        park = enterprise(PARK, 单位名称="合同园区", 单位类型="园区")
        sheets = {
            "年度经营": [{"年份": y, "工业增加值(万元)": n} for y, n in added.items()],
            "声明": declarations() if said is None else said,
        }  # fmt: skip
        books = [workbook(park, streams=[], stores=[], more=sheets)]
        for n, ledger in enumerate(ledgers, start=1):
            member = enterprise(uscc(20 + n), 单位名称=f"成员{n}公司", 所属园区="合同园区")
            books.append(workbook(member, streams=[waste("W01")], ledger=ledger))
        for book in books:
            taken = wufei("import", save(book, tmp_path / "p.xlsx"), "--json")
            assert (taken.code, taken.json["errors"]) == (0, [])
        return evaluated(wufei, PARK, OF_PARK)

    return run


def member(made_and_used, receiver="成员2公司"):
    return [r | {"对方单位": receiver} if r["环节"] == "委外利用" else r for r in yearly(made_and_used)]


OTHER = dict.fromkeys(YEARS, (0.001, 0))


@pytest.mark.parametrize(("used", "verdict"), [("90", "met"), ("89.999999", "not_met"), ("90.000001", "met")])
def test_ninety_per_cent_inside_the_park_is_ninety(judge_park, used, verdict):
    # Both members together made exactly 100 t of each year.
    one = member(dict.fromkeys(YEARS, ("99.999", 89)) | {2025: ("99.999", used)})
    said = judge_park(one, yearly(OTHER))
    assert said["by_id"]["basic-1"]["verdict"] == verdict


def test_what_is_used_outside_does_not_count(judge_park):
    said = judge_park(member(dict.fromkeys(YEARS, (100, 95)), "园外公司"), yearly(OTHER))
    assert said["by_id"]["basic-1"]["verdict"] == "not_met"


@pytest.mark.parametrize(
    ("then", "now", "verdict"), [("56.1", "76.1", "met"), ("56.1", "76.099999", "not_met")]
)
def test_twenty_points_of_a_park(judge_park, then, now, verdict):
    one = member(dict.fromkeys(YEARS, ("99.999", then)) | {2025: ("99.999", now)})
    assert judge_park(one, yearly(OTHER))["by_id"]["basic-1"]["verdict"] == verdict


@pytest.mark.parametrize(
    ("added", "verdict"),  # of 2025; 2022 had 100 t over 300, a third
    [("300", "met"), ("299.999999", "not_met"), ("300.000001", "met"), (None, "unknown"), ("0", "unknown")],
)
def test_ten_per_cent_of_a_park_s_intensity_is_ten(judge_park, added, verdict):
    one = member({2022: ("99.999", 95), 2025: ("89.999", 85)})
    said = judge_park(one, yearly(OTHER), added={2022: 300, 2025: added})
    assert said["by_id"]["basic-2"]["verdict"] == verdict


def test_a_park_of_good_members_is_met(judge_park):
    one = member(dict.fromkeys(YEARS, (100, 95)) | {2025: (80, 76)})
    said = judge_park(one, yearly(OTHER))
    assert {c: said["by_id"][c]["verdict"] for c in BASIC} == dict.fromkeys(BASIC, "met")
    assert said["verdict"] == "met"


@pytest.mark.parametrize(("answer", "verdict"), [("否", "not_met"), ("不适用", "met"), (None, "unknown")])
def test_cleaner_production_audits_of_a_park(judge_park, answer, verdict):
    said = with_answer(declarations(), "强制清洁生产审核全部通过验收", 2025, answer)
    one = member(dict.fromkeys(YEARS, (100, 95)))
    assert judge_park(one, said=said)["by_id"]["basic-4"]["verdict"] == verdict


def test_a_park_of_nobody_is_unknown(judge_park):
    said = judge_park()
    assert {said["by_id"][c]["verdict"] for c in ("basic-1", "basic-2", "basic-5")} == {"unknown"}


def test_editions_are_listed(wufei):
    answer = wufei("editions", "--json")
    assert (answer.code, answer.err) == (0, "")
    assert {e["id"] for e in answer.json} >= {
        EDITION,
        OF_PARK,
        "chongqing-2026-6-park",
        "guangdong-2026-4-park",
    }
    assert wufei("editions").code == 0
