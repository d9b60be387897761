"""Which administrative division is this, and does it lie within another?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wufei.catalogue.divisions import (
    DivisionFault,
    Level,
    children_of,
    division_of_code,
    division_of_names,
    divisions,
    divisions_within,
    is_municipality,
    is_within,
    path_names,
    short_code,
)

ALL = sorted(divisions())


def test_the_snapshot_has_31_provinces_342_cities_and_2978_districts():
    levels = [found.level for found in divisions().values()]

    assert [levels.count(level) for level in Level] == [31, 342, 2978]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (("重庆市", "重庆市", "綦江区"), "500110"),
        (("重庆市", "市辖区", "綦江区"), "500110"),
        (("重庆", "", "綦江"), "500110"),
        (("重庆市", "县", "城口县"), "500229"),
        (("重庆市", "重庆市", "城口县"), "500229"),  # under 5002
        (("重庆市", "重庆市", "石柱县"), "500240"),
        (("重庆市", "重庆市", ""), "50"),
        (("重庆市", "市辖区", ""), "5001"),
        (("重庆市",), "50"),
        (("浙江省", "杭州市", "西湖区"), "330106"),
        (("浙江", "杭州", "西湖"), "330106"),
        (("浙江省", "杭州市"), "3301"),
        (("吉林", "吉林", "昌邑"), "220202"),
        (("四川省", "阿坝州", "汶川县"), "513221"),
        (("广西", "南宁", "青秀"), "450103"),
        (("内蒙古自治区", "呼伦贝尔", "鄂伦春自治旗"), "150723"),
        (("河南省", "济源市", ""), "419001"),
        (("河南省", "济源市", "济源市"), "419001"),
        (("海南省", "省直辖县级行政区划", "文昌市"), "469005"),
        (("广东省", "东莞市", "东莞市"), "441900"),
        ((" 重 庆 市", "重庆市", "綦江区 "), "500110"),
    ],
)
def test_a_division_is_found_by_its_names_as_people_write_them(path, code):
    reading = division_of_names(*path)

    assert (reading.division and reading.division.code, reading.fault) == (code, None)


@pytest.mark.parametrize(
    ("path", "fault", "says"),
    [
        (("", "", ""), DivisionFault.PROVINCE_UNKNOWN, "省为空"),
        (("重清市", "", ""), DivisionFault.PROVINCE_UNKNOWN, "没有省“重清市”；相近的有：重庆市（500000）"),
        (("浙江省", "杭洲市", "西湖区"), DivisionFault.CITY_UNKNOWN, "相近的有：杭州市（330100）"),
        (
            ("浙江省", "杭州市", "余航区"),
            DivisionFault.DISTRICT_UNKNOWN,
            "浙江省杭州市中没有区县“余航区”；相近的有：余杭区（330110）。",
        ),
        (("重庆市", "重庆市", "余杭区"), DivisionFault.DISTRICT_UNKNOWN, "它在浙江省/杭州市/余杭区。"),
        (("重庆市", "重庆市", "某某"), DivisionFault.DISTRICT_UNKNOWN, "此后的调整未收入"),
        (("新疆", "伊犁", "伊宁"), DivisionFault.DISTRICT_AMBIGUOUS, "伊宁市（654002）、伊宁县（654021）"),
        (("河南省", "济源市", "洛阳"), DivisionFault.CITY_UNKNOWN, "济源市（419001）"),
    ],
)
def test_a_place_that_is_not_there_says_what_is_near(path, fault, says):
    reading = division_of_names(*path)

    assert (reading.division, reading.fault) == (None, fault)
    assert says in reading.message


def test_near_matches_can_be_offered_for_choice():
    reading = division_of_names("浙江省", "杭州市", "余航区")

    assert [found.code for found in reading.candidates] == ["330110"]


@given(st.sampled_from([code for code in ALL if len(code) == 6]))
def test_every_district_is_found_again_by_its_own_path(code):
    district = divisions()[code]
    city, province = divisions()[code[:4]], divisions()[code[:2]]

    assert division_of_names(province.name, city.name, district.name).division == district


@given(st.sampled_from(ALL))
def test_every_division_lies_within_its_parent_its_province_and_itself(code):
    found = divisions()[code]

    assert is_within(code, code)
    assert is_within(code, code[:2])
    assert not found.parent_code or is_within(code, found.parent_code)


@pytest.mark.parametrize(
    ("code", "ancestor", "answer"),
    [
        ("500110", "50", True),
        ("500110", "500000", True),
        ("500110", "5001", True),
        ("500110", "500100", True),
        ("500229", "5001", False),  # 城口县 is under 5002
        ("500229", "50", True),
        ("50", "500110", False),
        ("441900", "4419", True),
        ("330106", "50", False),
    ],
)
def test_jurisdiction_goes_by_the_prefix_of_the_code(code, ancestor, answer):
    assert is_within(code, ancestor) is answer


@pytest.mark.parametrize("malformed", ["", "5", "5001101", "重庆"])
def test_what_is_no_code_is_in_no_jurisdiction(malformed):
    with pytest.raises(ValueError, match="2, 4 or 6 digits"):
        is_within(malformed, "50")
    with pytest.raises(ValueError, match="2, 4 or 6 digits"):
        is_within("50", malformed)


def test_a_path_is_named_without_the_rows_that_stand_for_no_city():
    assert path_names("500110") == ("重庆市", "綦江区")
    assert path_names("500229") == ("重庆市", "城口县")
    assert path_names("441900") == ("广东省", "东莞市")
    assert path_names("500000") == ("重庆市",)
    with pytest.raises(KeyError):
        path_names("999999")


def test_codes_with_zeros_mean_the_same_as_short_ones():
    assert division_of_code("500100").code == "5001"
    assert division_of_code("441900").level is Level.DISTRICT  # a city without districts
    assert division_of_code("50").six_digits == "500000"
    assert division_of_code("999999") is None
    assert short_code("50") == "50"


def test_the_tree_can_be_walked():
    assert len(children_of("")) == 31
    assert [found.code for found in children_of("500000")] == ["5001", "5002"]
    assert sum(1 for found in divisions_within("50") if found.level is Level.DISTRICT) == 38


def test_four_provinces_are_municipalities():
    assert [found.name for found in children_of("") if is_municipality(found)] == (
        ["北京市", "天津市", "上海市", "重庆市"]
    )
