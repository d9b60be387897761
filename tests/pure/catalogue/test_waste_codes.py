"""What does this waste code mean, and may it be used?"""

import csv
from datetime import date
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wufei.catalogue.general_wastes import general_waste_entries, is_industrial, source_kind
from wufei.catalogue.hazardous_list import hazardous_categories, hazardous_tables
from wufei.catalogue.waste_codes import (
    Standing,
    WasteClass,
    WasteCodeFault,
    normal_form,
    read_waste_code,
    waste_entries,
)

TABLE_2021 = hazardous_tables()[0]
CODES_2021 = sorted(TABLE_2021.entries)


@pytest.fixture(autouse=True)
def _nothing_imported(monkeypatch):
    monkeypatch.delenv("WUFEI_DATA", raising=False)


def test_the_2021_edition_is_complete():
    assert (TABLE_2021.count, len(hazardous_categories()), TABLE_2021.notices) == (467, 46, ())


def test_the_solid_waste_list_has_its_35_categories_and_the_codes_at_hand():
    entries = general_waste_entries().values()

    assert sum(entry.is_category for entry in entries) == 35
    assert sum(not entry.is_category for entry in entries) == 14
    assert not any(entry.is_verified for entry in entries)


def test_an_entry_shows_its_edition_its_days_and_that_it_was_verified():
    entry = TABLE_2021.entries["900-249-08"]

    assert (entry.edition, entry.is_verified) == ("2021", True)
    assert (entry.in_force_from, entry.in_force_until) == (date(2021, 1, 1), date(2025, 1, 1))
    assert (entry.category, entry.category_name, entry.hazard) == ("HW08", "废矿物油与含矿物油废物", "T,I")
    assert "部令第15号" in entry.source


@given(st.sampled_from(CODES_2021))
def test_the_last_two_digits_of_a_hazardous_code_are_its_category(code):
    assert f"HW{code[-2:]}" == TABLE_2021.entries[code].category == read_waste_code(code).category


@given(st.sampled_from([entry.code for entry in waste_entries() if not entry.code.startswith("HW")]))
def test_reading_a_code_that_was_read_changes_nothing(code):
    read = read_waste_code(code)

    assert read.code == code
    assert read_waste_code(read.code).code == code


@given(st.text())
def test_whatever_is_written_is_either_read_or_refused_with_a_reason(text):
    read = read_waste_code(text)

    assert (read.code is None) == (read.fault is not None) == bool(read.message) == (not read.is_readable)
    assert (read.standing is None) == (read.fault is not None)


@given(st.text())
@example("\u0339 \u0334")
def test_the_normal_form_of_a_normal_form_is_itself(text):
    assert normal_form(normal_form(text)) == normal_form(text)


@pytest.mark.parametrize(
    "written",
    [
        "900-249-08",
        " 900-249-08\n",
        "９００－２４９－０８",
        "900—249—08",
        "900–249−08",
        "90024908",
        "900-24908",
        "90024908.0",
        "HW08 900-249-08",
        "HW08类 900-249-08",
        "900 249 08",
    ],
)
def test_a_hazardous_code_is_read_however_it_is_written(written):
    read = read_waste_code(written)

    assert (read.code, read.waste_class, read.category) == ("900-249-08", WasteClass.HAZARDOUS, "HW08")
    assert read.entry == TABLE_2021.entries["900-249-08"]


@pytest.mark.parametrize("written", ["900-001-S17", "900001s17", "900-001-SW17", "９００－００１－Ｓ１７"])
def test_a_solid_waste_code_is_read_however_it_is_written(written):
    read = read_waste_code(written)

    assert (read.code, read.waste_class, read.category) == ("900-001-S17", WasteClass.GENERAL, "SW17")
    assert (read.entry.name, read.standing) == ("废钢铁", Standing.LISTED)
    assert read.notices == ("900-001-S17 废钢铁：代码表未核对。",)
    assert not read.is_verified


def test_a_solid_waste_category_stands_alone_where_the_third_level_is_not_known():
    read = read_waste_code("sw02")

    assert (read.code, read.category, read.category_name) == ("SW02", "SW02", "粉煤灰")
    assert (read.waste_class, read.standing) == (WasteClass.GENERAL, Standing.CATEGORY_ONLY)
    assert read.notices == ("只填了类别 SW02 粉煤灰，三级代码未填。",)


def test_a_solid_waste_code_that_our_partial_table_lacks_is_accepted_with_a_notice():
    read = read_waste_code("900-012-S17")

    assert (read.code, read.entry, read.standing) == ("900-012-S17", None, Standing.NOT_IN_TABLE)
    assert read.notices == (
        "900-012-S17 不在本系统的代码表中（三级代码表不全），未核对；类别 SW17 可再生类废物存在。",
    )


def test_a_serial_number_outside_its_range_is_noticed():
    assert read_waste_code("900-100-S17").notices[1] == ("900-100-S17 的顺序码 100 不在001–099之内，请核对。")


def test_household_waste_is_accepted_and_said_not_to_be_industrial():
    household, industrial = read_waste_code("SW64"), read_waste_code("SW02")

    assert household.notices[-1] == "SW64 其他垃圾属于生活垃圾，不是工业固体废物。"
    assert (household.is_industrial, industrial.is_industrial) == (False, True)
    assert read_waste_code("900-249-08").is_industrial is None


@pytest.mark.parametrize(
    ("category", "kind", "industrial"),
    [
        ("SW01", "工业固体废物", True),
        ("SW08", "工业固体废物", False),
        ("SW59", "工业固体废物", True),
        ("SW60", "生活垃圾", False),
        ("SW69", "生活垃圾", False),
        ("SW70", "建筑垃圾", False),
        ("SW80", "农业固体废物", False),
        ("SW90", "其他固体废物", False),
    ],
)
def test_the_range_of_a_category_says_where_it_comes_from(category, kind, industrial):
    assert (source_kind(category), is_industrial(category)) == (kind, industrial)


def test_a_waste_identified_as_hazardous_has_the_code_of_article_6():
    read = read_waste_code("900-000-08")

    assert (read.code, read.category, read.standing) == ("900-000-08", "HW08", Standing.IDENTIFIED)
    assert "2025年版第六条第二款" in read.notices[0]
    assert "2021年版第六条" in read_waste_code("900-000-08", on=date(2024, 12, 31)).notices[0]


@pytest.mark.parametrize(
    ("written", "fault", "says"),
    [
        ("", WasteCodeFault.CODE_MISSING, "废物代码为空；应为危险废物代码（如 900-249-08）"),
        ("  ", WasteCodeFault.CODE_MISSING, "废物代码为空"),
        ("废油", WasteCodeFault.CODE_MALFORMED, "“废油”不是废物代码；应为危险废物代码"),
        ("900-2490-8", WasteCodeFault.CODE_MALFORMED, "不是废物代码"),
        ("7100108", WasteCodeFault.CODE_MALFORMED, "应为 071-001-08，请把单元格设为文本"),
        ("900-249-41", WasteCodeFault.CATEGORY_UNKNOWN, "HW41 不存在；危险废物类别为 HW01–HW40、HW45–HW50"),
        ("HW44", WasteCodeFault.CATEGORY_UNKNOWN, "HW44 不存在"),
        ("900-000-41", WasteCodeFault.CATEGORY_UNKNOWN, "HW41 不存在"),
        ("SW08", WasteCodeFault.CATEGORY_UNKNOWN, "SW01–SW17（无 SW08）和 SW59"),
        ("900-001-S20", WasteCodeFault.CATEGORY_UNKNOWN, "SW20"),
        ("HW09 900-249-08", WasteCodeFault.CATEGORY_CONTRADICTED, "写的类别是 HW09，而代码末两位属于 HW08"),
        ("SW01 900-001-S17", WasteCodeFault.CATEGORY_CONTRADICTED, "属于 SW17"),
        ("HW08", WasteCodeFault.HAZARDOUS_CODE_MISSING, "危险废物须填8位代码，不能只填类别 HW08"),
        ("900-250-08", WasteCodeFault.CODE_UNKNOWN, "相近的有 900-249-08、"),
        ("900-250-08", WasteCodeFault.CODE_UNKNOWN, "请管理员先导入2025年版；"),
        ("900-250-08", WasteCodeFault.CODE_UNKNOWN, "经鉴别为危险废物而未列入名录的，用 900-000-08。"),
    ],
)
def test_a_code_that_cannot_be_used_says_what_would_be_right(written, fault, says):
    read = read_waste_code(written)

    assert read.fault is fault
    assert says in read.message
    assert read.code is None


def test_an_unknown_code_still_tells_its_category():
    read = read_waste_code("900-250-08")

    assert (read.waste_class, read.category) == (WasteClass.HAZARDOUS, "HW08")


# --- editions


def write_2025_table(path: Path, *, without: str = "", with_code: str = "", name: str = "") -> Path:
    """The 2021 rows, one left out, one added: how a newer edition differs."""
    columns = ("category", "category_name", "industry", "code", "name", "hazard")
    rows = [
        {column: getattr(entry, column) for column in columns}
        for code, entry in TABLE_2021.entries.items()
        if code != without
    ]
    if with_code:
        row = rows[0] | {"category": f"HW{with_code[-2:]}", "code": with_code, "name": name}
        rows.append(row)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture
def with_2025(tmp_path):
    """A data directory into which a 2025 table was imported: 900-249-08 is gone, 999-001-48 is new."""
    from wufei.catalogue.hazardous_list import import_hazardous_table

    table = write_2025_table(
        tmp_path / "2025.csv", without="900-249-08", with_code="999-001-48", name="新增渣"
    )
    import_hazardous_table(table, edition="2025", data_dir=tmp_path)
    return tmp_path


def test_a_code_of_2021_says_that_its_successor_is_not_loaded():
    read = read_waste_code("900-249-08")

    assert read.standing is Standing.SUCCESSOR_NOT_LOADED
    assert read.notices == ("以2021年版为准，2025年版尚未导入，未核对。",)
    assert not read.is_verified


def test_on_a_day_of_the_2021_edition_its_codes_need_no_notice():
    read = read_waste_code("900-249-08", on=date(2024, 12, 31))

    assert (read.standing, read.notices, read.is_verified) == (Standing.LISTED, (), True)
    assert read_waste_code("900-249-08", on=date(2025, 1, 1)).standing is Standing.SUCCESSOR_NOT_LOADED
    assert read_waste_code("900-249-08", on=date(2019, 1, 1)).standing is Standing.LISTED


def test_a_code_that_the_loaded_edition_retired_is_still_understood(with_2025):
    read = read_waste_code("900-249-08", data_dir=with_2025)

    assert (read.code, read.standing, read.entry.edition) == ("900-249-08", Standing.RETIRED, "2021")
    assert read.notices == (
        "900-249-08 是国家危险废物名录（2021年版）的代码，自2025-01-01起施行的2025年版已无此代码"
        "（已停用）；请按2025年版重新归类。",
    )


def test_a_code_of_the_loaded_edition_needs_no_notice(with_2025):
    kept = read_waste_code("900-214-08", data_dir=with_2025)
    new = read_waste_code("999-001-48", data_dir=with_2025)

    assert (kept.standing, kept.entry.edition, kept.notices) == (Standing.LISTED, "2025", ())
    assert (new.standing, new.entry.name) == (Standing.LISTED, "新增渣")


def test_a_code_of_a_later_edition_was_not_in_force_before(with_2025):
    read = read_waste_code("999-001-48", on=date(2024, 6, 30), data_dir=with_2025)

    assert read.standing is Standing.NOT_YET_IN_FORCE
    assert "自2025-01-01起施行，当日尚未施行" in read.notices[0]


def test_with_both_editions_loaded_nobody_is_told_to_import(with_2025):
    message = read_waste_code("900-250-08", data_dir=with_2025).message

    assert "国家危险废物名录（2021年版）、国家危险废物名录（2025年版）" in message
    assert "请管理员" not in message


def test_the_list_of_entries_has_new_and_retired_codes_once(with_2025):
    codes = [entry.code for entry in waste_entries(data_dir=with_2025)]

    assert len(codes) == len(set(codes))
    assert {"900-249-08", "999-001-48", "HW08", "SW02"} <= set(codes)
