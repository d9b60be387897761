"""Exemptions, industries and ways of disposal."""

import pytest

from wufei.catalogue.disposal_modes import ModeKind, disposal_mode, disposal_modes, disposal_modes_named
from wufei.catalogue.exemptions import exemptions, exemptions_by_origin, exemptions_for
from wufei.catalogue.industries import (
    groups_of,
    industries,
    industries_named,
    industry,
    read_industry_code,
)


def test_the_exemption_list_has_57_rows_under_32_numbers():
    rows = exemptions()

    assert (len(rows), {row.number for row in rows}) == (57, set(range(1, 33)))
    assert {row.edition for row in rows} == {"2021"}


def test_a_code_has_the_exemptions_that_name_it():
    (row,) = exemptions_for("900-249-08")

    assert (row.number, row.stages, row.exempt_content) == (8, ("利用",), "利用过程不按危险废物管理。")
    assert row.waste == "废铁质油桶（不包括900-041-49类）"


@pytest.mark.parametrize(
    ("code", "numbers"),
    [
        ("900-006-09", {9}),  # the second of two codes in one row
        ("252-017-11", {10}),
        ("321-026-48", {22}),
        ("900-300-34", {20}),  # by its category
        ("841-001-01", {2, 3}),  # by both
        ("900-214-08", set()),
        ("900-250-08", set()),  # no such code
        ("SW02", set()),
        ("废油", set()),
    ],
)
def test_exemptions_hold_by_code_and_by_category(code, numbers):
    assert {row.number for row in exemptions_for(code)} == numbers


def test_a_category_has_its_own_exemptions_and_those_of_its_codes():
    assert {row.number for row in exemptions_for("HW08")} == {7, 8, 9}
    assert {row.number for row in exemptions_for("HW34")} == {20}


def test_some_exemptions_hold_by_origin_whatever_the_code():
    assert {row.number for row in exemptions_by_origin()} == {1, 25, 26, 32}
    assert {stage for row in exemptions() for stage in row.stages} == (
        {"收集", "运输", "利用", "处置", "全部环节"}
    )


def test_the_industries_are_97_divisions_and_473_groups():
    levels = [found.level for found in industries().values()]

    assert (levels.count("division"), levels.count("group"), len(levels)) == (97, 473, 570)


def test_an_industry_is_found_by_code():
    found = industry("342")

    assert (found.name, found.level, found.division_code) == ("金属加工机械制造", "group", "34")
    assert industry("34").level == "division"
    assert industry("000") is None
    assert not found.is_verified


@pytest.mark.parametrize("written", ["342", " ３４２ ", "C342"])
def test_an_industry_code_is_read_however_it_is_written(written):
    assert read_industry_code(written).industry == industry("342")


def test_of_a_class_only_the_group_is_known_and_it_says_so():
    read = read_industry_code("3421")

    assert read.industry == industry("342")
    assert read.notices == ("本系统只有大类和中类；小类 3421 未核对，按中类 342 金属加工机械制造处理。",)


@pytest.mark.parametrize(
    ("written", "fault", "says"),
    [
        ("机械", "code_malformed", "3位数字，如 342（金属加工机械制造）"),
        ("349x", "code_malformed", "不是行业代码"),
        ("340", "code_unknown", "同大类的有：341 锅炉及原动设备制造、342 "),
        ("A342", "code_unknown", "没有行业代码“A342”"),
        ("000", "code_unknown", "01–97"),
    ],
)
def test_an_industry_code_that_is_not_there_says_what_would_be_right(written, fault, says):
    read = read_industry_code(written)

    assert (read.industry, read.fault) == (None, fault)
    assert says in read.message


def test_industries_are_found_by_division_and_by_name():
    assert [found.code for found in groups_of("34")][:2] == ["341", "342"]
    assert next(found.code for found in industries_named("农业")) == "01"
    assert industries_named("") == ()


def test_the_disposal_modes_are_those_of_annex_f():
    assert len(disposal_modes()) == 26
    assert disposal_mode("R9").kind is ModeKind.UTILISATION
    assert disposal_mode(" d10 ").label == "焚烧"
    assert disposal_mode("C1").kind is ModeKind.DISPOSAL
    assert disposal_mode("R99") is None
    assert not disposal_mode("D1").is_verified
    assert [mode.code for mode in disposal_modes_named("填埋")] == ["D1", "D9"]
    assert disposal_modes_named("") == ()
