"""Which hazardous wastes does each edition name, and how is a newer table imported?"""

from datetime import date

import pytest

from wufei.catalogue.hazardous_list import (
    hazardous_editions,
    hazardous_tables,
    import_hazardous_table,
    load_hazardous_table,
)
from wufei.catalogue.tables import TableRefused
from wufei.catalogue.waste_codes import read_waste_code

HEADER = "category,category_name,industry,code,name,hazard\n"
GOOD = "HW48,有色金属采选和冶炼废物,常用有色金属冶炼,321-002-48,铜火法冶炼烟尘,T\n"
OTHER = GOOD.replace("321-002-48", "321-003-48")


@pytest.fixture(autouse=True)
def _nothing_imported(monkeypatch):
    monkeypatch.delenv("WUFEI_DATA", raising=False)


@pytest.fixture
def table(tmp_path):
    """Write the rows as a table and return its path."""

    def write(rows: str, header: str = HEADER, encoding: str = "utf-8"):
        path = tmp_path / "名录2025.csv"
        path.write_text(header + rows, encoding=encoding)
        return path

    return write


def refusals(path, edition="2025"):
    with pytest.raises(TableRefused) as caught:
        load_hazardous_table(path, edition)
    return [(fault.line, fault.reason) for fault in caught.value.faults]


def test_the_editions_say_when_they_hold_and_how_many_kinds_they_have():
    old, new = hazardous_editions()

    assert (old.edition, old.kinds, old.is_verified, old.is_in_force(date(2024, 12, 31))) == (
        ("2021", 467, True, True)
    )
    assert (new.edition, new.kinds, new.is_verified, new.is_in_force(date(2024, 12, 31))) == (
        ("2025", 470, False, False)
    )
    assert new.is_in_force(date(2025, 1, 1))
    assert not old.is_in_force(date(2025, 1, 1))


def test_the_rule_changes_of_2025_are_there_with_their_sources_unverified():
    rules = {rule.clause: rule for rule in hazardous_editions()[-1].rules}

    assert set(rules) == {"附表", "第六条第二款", "附表注释"}
    assert "900-000-××" in rules["第六条第二款"].says
    assert "GB 34330" in rules["附表注释"].says
    assert not any(rule.is_verified for rule in rules.values())
    assert all(rule.source for rule in rules.values())


def test_a_sound_table_is_loaded_and_its_count_is_compared_with_the_official_one(table):
    loaded = load_hazardous_table(table(GOOD), "2025")

    assert loaded.count == 1
    assert loaded.entries["321-002-48"].edition == "2025"
    assert not loaded.entries["321-002-48"].is_verified
    assert loaded.notices[0].startswith("国家危险废物名录（2025年版）官方公布为470种，本表有1种")


def test_a_table_saved_by_a_chinese_spreadsheet_is_read(table):
    assert load_hazardous_table(table(GOOD, encoding="gb18030"), "2025").count == 1
    assert load_hazardous_table(table(GOOD, encoding="utf-8-sig"), "2025").count == 1


def test_full_width_commas_between_hazards_are_read(table):
    row = GOOD.replace(",T\n", ",T，R\n")

    assert load_hazardous_table(table(row), "2025").entries["321-002-48"].hazard == "T,R"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (GOOD.replace("321-002-48", "321-2-48"), "代码“321-2-48”的格式不对，应为8位数字，如 900-249-08。"),
        (GOOD.replace("321-002-48", "321-002-47"), "代码“321-002-47”的末两位应与类别 HW48 一致，为 48。"),
        (
            GOOD.replace("HW48", "HW42").replace("002-48", "002-42"),
            "类别“HW42”不在HW01–HW50之内，应如 HW08（无HW41–HW44）。",
        ),
        (OTHER.replace("铜火法冶炼烟尘", ""), "危险废物（name）为空。"),
        (OTHER.replace(",T\n", ",X\n"), "危险特性“X”不对，应由 T、C、I、R、In 以“,”或“/”连接。"),
        (OTHER.replace(",T\n", "\n"), "列数不够，应有6列。"),
        (OTHER.replace("铜", "2,4-"), '列数太多；含逗号的内容应加双引号，如 "2,4-二氯苯酚"。'),
        (OTHER + GOOD, ""),
    ],
)
def test_a_faulty_row_is_refused_with_its_line_and_reason(table, row, reason):
    path = table(GOOD + row)

    if reason:
        assert refusals(path) == [(3, reason)]
    else:
        assert refusals(path) == [(4, "代码 321-002-48 与第2行重复。")]


def test_all_faults_are_seen_at_once(table):
    path = table(GOOD.replace("321-002-48", "x") + GOOD.replace(",T\n", ",\n"))

    assert [line for line, _ in refusals(path)] == [2, 3]


def test_a_table_without_a_column_or_without_rows_is_refused(table, tmp_path):
    assert refusals(table("", header="code,name\n"))[0][1].startswith("缺少列：category、category_name、")
    assert refusals(table("")) == [(1, "表中没有代码。")]
    assert refusals(tmp_path / "不存在.csv") == [(1, "文件打不开；请检查路径和权限。")]
    assert refusals(table(GOOD), edition="2030")[0][1].startswith("不认识《国家危险废物名录》的“2030”年版")


def test_what_is_no_text_is_refused(tmp_path):
    path = tmp_path / "图片.csv"
    path.write_bytes(b"\x89PNG\xff\xff\xff")

    assert refusals(path)[0][1].startswith("既不是UTF-8也不是GB 18030编码")


def test_the_refusal_names_the_file(table):
    with pytest.raises(TableRefused, match=r"名录2025\.csv 第1行：表中没有代码。"):
        load_hazardous_table(table(""), "2025")


def test_an_imported_table_holds_at_once(table, tmp_path):
    before = read_waste_code("900-249-08", data_dir=tmp_path)
    imported = import_hazardous_table(table(GOOD), edition="2025", data_dir=tmp_path)
    after = read_waste_code("321-002-48", data_dir=tmp_path)

    assert before.standing == "successor_not_loaded"
    assert imported.count == 1
    assert (after.standing, after.entry.edition, after.is_verified) == ("listed", "2025", False)
    assert after.entry.source == "管理员导入：名录2025.csv"


def test_the_data_directory_may_come_from_the_environment(table, tmp_path, monkeypatch):
    monkeypatch.setenv("WUFEI_DATA", str(tmp_path))
    import_hazardous_table(table(GOOD), edition="2025")

    assert [t.edition.edition for t in hazardous_tables()] == ["2021", "2025"]


def test_a_second_import_replaces_the_first(table, tmp_path):
    import_hazardous_table(table(GOOD), edition="2025", data_dir=tmp_path)
    other = GOOD.replace("321-002-48", "321-031-48")
    import_hazardous_table(table(other), edition="2025", data_dir=tmp_path)

    assert list(hazardous_tables(data_dir=tmp_path)[-1].entries) == ["321-031-48"]


def test_an_import_that_was_compared_with_the_text_is_verified(table, tmp_path):
    import_hazardous_table(
        table(GOOD), edition="2025", data_dir=tmp_path, verified_against="部令第36号附表，张三"
    )
    read = read_waste_code("321-002-48", data_dir=tmp_path)

    assert read.is_verified
    assert read.entry.source == "管理员导入：名录2025.csv；核对依据：部令第36号附表，张三"


def test_a_table_changed_after_its_verification_is_no_longer_verified(table, tmp_path):
    import_hazardous_table(table(GOOD), edition="2025", data_dir=tmp_path, verified_against="原文")
    stored = tmp_path / "catalogue" / "hazardous-waste-2025.csv"
    stored.write_text(stored.read_text("utf-8").replace("烟尘", "烟灰尘"), "utf-8")

    assert not read_waste_code("321-002-48", data_dir=tmp_path).is_verified

    stored.with_suffix(".json").unlink()
    stored.touch()
    assert not read_waste_code("321-002-48", data_dir=tmp_path).is_verified


def test_a_broken_table_leaves_the_earlier_import_as_it_was(table, tmp_path):
    import_hazardous_table(table(GOOD), edition="2025", data_dir=tmp_path)
    with pytest.raises(TableRefused):
        import_hazardous_table(table("坏\n"), edition="2025", data_dir=tmp_path)

    assert hazardous_tables(data_dir=tmp_path)[-1].count == 1


def test_a_table_damaged_after_its_import_is_refused_not_guessed(table, tmp_path):
    import_hazardous_table(table(GOOD), edition="2025", data_dir=tmp_path)
    (tmp_path / "catalogue" / "hazardous-waste-2025.csv").write_text(HEADER, "utf-8")

    with pytest.raises(TableRefused):
        read_waste_code("321-002-48", data_dir=tmp_path)


def test_the_shipped_edition_cannot_be_replaced(table, tmp_path):
    with pytest.raises(TableRefused, match="已随软件提供"):
        import_hazardous_table(table(GOOD), edition="2021", data_dir=tmp_path)


def test_an_import_needs_a_data_directory(table):
    with pytest.raises(TableRefused, match="WUFEI_DATA"):
        import_hazardous_table(table(GOOD), edition="2025")
