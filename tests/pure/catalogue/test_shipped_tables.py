"""A broken table is refused with file, line and reason, whoever wrote it; and what is shipped is named."""

import pytest

from wufei.catalogue import (
    disposal_modes,
    divisions,
    exemptions,
    general_wastes,
    hazardous_list,
    industries,
    tables,
)

EXEMPTION_HEADER = ",".join(exemptions.COLUMNS) + "\n"


@pytest.mark.parametrize(
    ("load", "file", "text", "line", "says"),
    [
        (divisions.divisions, divisions.FILE, "code,name,parent\n50,重庆市,\n5101,成都市,50\n", 3, "“5101”"),
        (
            industries.industries,
            industries.FILE,
            "level,section,code,name\ngroup,C,34,通用\n",
            2,
            "“34”与级别",
        ),
        (
            disposal_modes.disposal_modes,
            disposal_modes.FILE,
            "code,label,kind,status\nR1,燃料,?,\n",
            2,
            "“R1”",
        ),
        (
            general_wastes._entries,
            general_wastes.FILE,
            "category,category_name,code,name,industry,status\nSW17,可再生类废物,900-001-S16,废钢铁,,\n",
            2,
            "与类别“SW17”不一致",
        ),
        (
            general_wastes._entries,
            general_wastes.FILE,
            "category,category_name,code,name,industry,status\nSW17,可再生类废物,,,,\nSW17,可再生类废物,,,,\n",
            3,
            "“SW17”重复",
        ),
        (exemptions.exemptions, exemptions.FILE, EXEMPTION_HEADER + "x,HW01,a,收集,b,c\n", 2, "应有序号"),
        (hazardous_list.hazardous_editions, "hazardous-waste-editions.yaml", "editions: 1\n", 1, "editions"),
        (
            divisions.divisions,
            divisions.FILE,
            "code,name,parent\n50,\x00,\n" + "x" * 200_000,
            2,
            "不是有效的CSV",
        ),
    ],
)
def test_a_broken_table_is_refused_with_its_line_and_reason(
    tmp_path, monkeypatch, load, file, text, line, says
):
    (tmp_path / file).write_text(text, "utf-8")
    monkeypatch.setattr(tables, "SHIPPED", tmp_path)

    with pytest.raises(tables.TableRefused) as caught:
        load.__wrapped__()  # past the cache

    (fault,) = caught.value.faults
    assert (fault.file, fault.line) == (file, line)
    assert says in fault.reason


def test_a_table_that_is_far_too_large_is_not_read(tmp_path):
    path = tmp_path / "大.csv"
    with path.open("wb") as file:
        file.truncate(tables.MAX_TABLE_BYTES + 1)

    with pytest.raises(tables.TableRefused, match="文件超过10 MB"):
        tables.read_text(path)


def test_a_table_that_could_not_be_stored_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(*_):
        raise OSError("disk full")

    monkeypatch.setattr(tables.os, "replace", full)
    with pytest.raises(OSError, match="disk full"):
        tables.store(tmp_path, "a.csv", "x")

    assert list(tmp_path.iterdir()) == []


def test_every_shipped_file_says_where_it_comes_from():
    licences = (tables.SHIPPED / "LICENCES.md").read_text("utf-8")
    files = {path.name for path in tables.SHIPPED.iterdir()} - {"LICENCES.md"}

    assert {name for name in files if f"`{name}`" not in licences} == set()
