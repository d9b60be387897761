"""The official ledgers, without a database: numbers of records, lines, blanks and remarks."""

from datetime import date
from decimal import Decimal

import pytest

from wufei.ledger.books import lines, summaries
from wufei.ledger.books.codes import (
    GENERAL_PREFIXES,
    HAZARDOUS_PREFIXES,
    KINDS,
    DayRow,
    NotARecordCode,
    RecordCode,
    Series,
    read_record_code,
    serials,
    series_of,
)
from wufei.ledger.books.layouts import LAYOUTS, Blanks, Cell
from wufei.ledger.books.remarks import LeftOut, remarks
from wufei.ledger.kinds import ROUTES, Kind, PlaceKind

DAY = date(2021, 10, 31)


def end(kind: PlaceKind, code: str, name: str = "", store_type: str = "") -> lines.End:
    return lines.End(kind.value, code, name, store_type)


STORE, OTHER = end(PlaceKind.STORE, "TS001", "危废库", "危废贮存库"), end(PlaceKind.STORE, "TS002", "二库")
PROCESS = end(PlaceKind.PROCESS, "process:喷漆", "喷漆")
OUTSIDE = end(PlaceKind.OUTSIDE, "outside:处置厂", "处置厂")
ROAD = end(PlaceKind.TRANSIT, "transit:20215001000001")
OWN = end(PlaceKind.OWN_DISPOSAL, "own_disposal:")


def move(kind: Kind, source: lines.End, target: lines.End, **said) -> lines.Move:
    given = {
        "key": 7, "kind": kind, "moved_on": DAY, "mass_g": 1_250_000, "method": "", "counterparty": "", "handler": "",
        "stream_name": "漆渣", "waste_code": "900-252-12", "waste_category": "HW12", "process": "喷漆",
        "lot_code": "桶1", "is_bulk": False, "source": source, "target": target, "packaging": "", "digital_id": "",
    }  # fmt: skip
    return lines.Move(**(given | said))


def line(form: str, what: lines.Move, serial: int = 1, **numbered) -> dict:
    layout = LAYOUTS[form]
    known = {(series, what.key): serial for series in series_of(what.kind, what.source.kind)} | numbered.get(
        "also", {}
    )
    records = lines.numbered(form, [what], known, is_hazardous=layout.is_hazardous)
    [row] = lines.rows(form, records, {"900-252-12": "名录里的名称"}, start=1)
    return row


# --- codes


@pytest.mark.parametrize("prefixes", [HAZARDOUS_PREFIXES, GENERAL_PREFIXES])
@pytest.mark.parametrize("serial", [1, 42, 999, 1000, 12345])
def test_a_code_is_read_as_it_was_written(prefixes, serial):
    for series in prefixes:
        code = RecordCode(series, prefixes is HAZARDOUS_PREFIXES, DAY, serial)

        assert read_record_code(str(code)) == code


def test_the_longest_prefix_is_read_first():
    assert read_record_code("HWCK20211031001").series is Series.TAKEN_OUT
    assert read_record_code("HWCKLY20211031001").series is Series.EXPORTED_UTILISED
    assert read_record_code("HWCKCZ20211031001").series is Series.EXPORTED_DISPOSED


@pytest.mark.parametrize(
    "text",
    ["", "HWCS", "HWXX20211031001", "HWCS20211331001", "HWCS20211031000", "HWCS2021103101", "HWCS20211031",
     "HWCS202110310001", "hwcs20211031001", "HWCS20211031００1", " HWCS20211031001", "HWCS20211031001 "],
)  # fmt: skip
def test_what_is_no_code_is_refused(text):
    with pytest.raises(NotARecordCode):
        read_record_code(text)


def test_records_are_numbered_day_by_day_and_the_thousandth_has_four_digits():
    rows = [DayRow(n, DAY, "GENERATION", "PROCESS") for n in range(1, 1002)]
    found = serials([*rows, DayRow(2000, date(2021, 11, 1), "GENERATION", "PROCESS")])

    assert (found[Series.GENERATED, 1], found[Series.STORED, 1001], found[Series.GENERATED, 2000]) == (
        1,
        1001,
        1,
    )
    assert str(RecordCode(Series.GENERATED, True, DAY, found[Series.GENERATED, 1000])) == "HWCS202110311000"


def test_what_ends_on_the_road_was_taken_out_at_its_dispatch():
    assert series_of("DISPATCH", "STORE") == [Series.TAKEN_OUT, Series.LEFT]
    assert series_of("CONTRACTED_DISPOSAL", "TRANSIT") == [Series.CONTRACTED_DISPOSED]
    assert series_of("CONTRACTED_DISPOSAL", "STORE") == [
        Series.TAKEN_OUT, Series.CONTRACTED_DISPOSED, Series.LEFT,
    ]  # fmt: skip


def test_every_kind_is_in_the_tables_or_is_said_to_be_left_out():
    """A kind that comes into being later is to be thought about here."""
    in_tables = {kind for kinds in KINDS.values() for kind in kinds}

    assert set(ROUTES) - in_tables == {
        Kind.OPENING_STOCK, Kind.STOCKTAKE_GAIN, Kind.STOCKTAKE_LOSS, Kind.TRANSFORMATION_LOSS,
    }  # fmt: skip


# --- lines


def test_every_line_fills_columns_of_its_table_and_no_others():
    moves = {
        Kind.GENERATION: (PROCESS, STORE), Kind.OWN_DISPOSAL: (STORE, OWN), Kind.OWN_UTILISATION: (STORE, OWN),
        Kind.CONTRACTED_DISPOSAL: (STORE, OUTSIDE), Kind.RELOCATION: (STORE, OTHER),
    }  # fmt: skip
    for form, series in lines.SERIES.items():
        kind = next(kind for kind in moves if any(kind in KINDS[each] for each in series))
        keys = {column.key for column in LAYOUTS[form].columns}

        assert set(line(form, move(kind, *moves[kind]))) <= keys, form


def test_what_is_generated_is_put_into_store_by_the_same_movement():
    row = line("hw-2", move(Kind.GENERATION, PROCESS, STORE, handler="张三"), serial=3)

    assert (row["code"], row["before"]) == ("HWRK20211031003", "HWCS20211031003")
    assert (row["facility"], row["store_type"], row["handler"]) == ("TS001", "危废贮存库", "张三")
    assert (row["mass"], row["unit"], row["listed_name"]) == (Decimal("1.25"), "吨", "名录里的名称")


def test_a_container_gives_its_code_and_packaging_and_a_bare_lot_nothing():
    bare = line("hw-1", move(Kind.GENERATION, PROCESS, STORE))
    packed = line("hw-1", move(Kind.GENERATION, PROCESS, STORE, packaging="桶", digital_id="9" * 37))

    assert [bare[key] for key in ("container_code", "packaging", "container_count")] == [None, None, None]
    assert [packed[key] for key in ("container_code", "packaging", "container_count")] == ["9" * 37, "桶", 1]


def test_what_was_contracted_on_the_road_left_the_plant_at_its_dispatch():
    dispatched = date(2021, 10, 28)
    what = move(
        Kind.CONTRACTED_DISPOSAL, ROAD, OUTSIDE, counterparty="处置厂", before_key=5, before_on=dispatched
    )
    row = line("hw-5", what, also={(Series.TAKEN_OUT, 5): 2})

    assert (row["code"], row["left_on"], row["before"]) == (
        "HWWWCZ20211031001",
        dispatched,
        "HWCK20211028002",
    )
    assert (row["permit_holder"], row["permit_number"], row["receiver_type"]) == ("处置厂", None, None)


def test_what_nobody_knows_of_an_earlier_record_stays_blank():
    what = move(Kind.OWN_DISPOSAL, STORE, OWN, is_bulk=True, lot_code="散堆-A")

    assert line("hw-3", what)["before"] is None
    assert line("hw-4", what)["before"] == "HWCK20211031001"  # the same movement took it out


@pytest.mark.parametrize(
    ("what", "said"),
    [
        (move(Kind.RELOCATION, STORE, OTHER), "移入 TS002"),
        (move(Kind.DISPATCH, STORE, ROAD, counterparty="处置厂"), "发运 处置厂（联单 20215001000001）"),
        (move(Kind.CONTRACTED_DISPOSAL, STORE, OUTSIDE, counterparty="处置厂"), "委外处置 处置厂"),
        (move(Kind.CONTRACTED_DISPOSAL, STORE, OUTSIDE), None),
        (move(Kind.OWN_DISPOSAL, STORE, OWN), "自行处置"),
        (move(Kind.TRANSFORMATION_INPUT, STORE, end(PlaceKind.TRANSFORMATION, "transformation:1")), "分装、合并或预处理"),
    ],
)  # fmt: skip
def test_where_what_leaves_a_store_goes(what, said):
    assert line("hw-3", what)["goes_to"] == said


@pytest.mark.parametrize(
    ("what", "said"),
    [
        (move(Kind.GENERATION, PROCESS, STORE), "喷漆"),
        (move(Kind.RECEIPT, OUTSIDE, STORE, counterparty="邻厂"), "外单位 邻厂"),
        (move(Kind.RETURN, ROAD, STORE), "退回（联单 20215001000001）"),
        (move(Kind.TRANSFORMATION_OUTPUT, end(PlaceKind.TRANSFORMATION, "transformation:1"), STORE), "分装、合并或预处理"),
    ],
)  # fmt: skip
def test_where_what_is_stored_comes_from(what, said):
    assert line("general-5", what)["comes_from"] == said


def test_a_relocation_is_two_records_of_the_storage_table():
    what = move(Kind.RELOCATION, STORE, OTHER)
    known = {(Series.STORED, 7): 1, (Series.TAKEN_OUT, 7): 4}
    out = lines.rows("general-5", lines.numbered("general-5", [what], known, is_hazardous=False), {}, start=1)

    assert [(row["code"], row["facility"]) for row in out] == [
        ("GFRK20211031001", "TS002"), ("GFCK20211031004", "TS001"),
    ]  # fmt: skip
    assert "out_mass" not in out[0]
    assert "in_mass" not in out[1]


# --- blanks, sums, remarks


def test_a_blank_is_missing_only_where_it_should_be_filled():
    blanks = Blanks(LAYOUTS["general-5"])
    blanks.look_at({"code": "X", "head": None, "in_on": DAY, "in_carrier": None, "before": ""})
    blanks.look_at({"code": "Y", "in_carrier": None})

    assert {each.column.key: each.count for each in blanks.missing} == {"before": 1, "in_carrier": 2}


def test_every_column_that_may_be_blank_says_where_it_would_come_from():
    always = {"code", "number", "unit", "mass", "name", "waste_code", "waste_category", "facility"}
    for layout in LAYOUTS.values():
        for column in layout.columns:
            assert column.source or column.by_hand or column.key in always or column.cell in (Cell.DAY, Cell.MASS) or (
                column.key in ("process", "goes_to", "comes_from", "month", "exempt_unit", "foreign_unit",
                               "export_approval")
            ), (layout.id, column.key)  # fmt: skip


def test_what_was_not_read_in_full_says_so():
    for layout in LAYOUTS.values():
        assert layout.is_verified is layout.is_hazardous
        assert (
            any("未与公告2021年第82号附件全文核对" in text for text in layout.remarks)
            is not layout.is_verified
        )


STREAM = summaries.StreamFacts("A", "炉渣", "SW03", "锅炉", "", "")


def test_the_whereabouts_of_a_month_and_what_stands_at_its_end():
    january, february, march = (date(2025, month, 1) for month in (1, 2, 3))
    moved = [
        summaries.Moved(january, "A", "GENERATION", "", 30_000_000, 30_000_000),
        summaries.Moved(january, "A", "OWN_UTILISATION", "回炉", 4_000_000, -4_000_000),
        summaries.Moved(january, "A", "OWN_UTILISATION", "", 1_000_000, -1_000_000),
        summaries.Moved(february, "A", "DISPATCH", "", 20_000_000, -20_000_000),
        summaries.Moved(february, "A", "CONTRACTED_DISPOSAL", "填埋", 12_000_000, 0),
    ]
    rows = list(summaries.whereabouts_rows([STREAM], moved, {"A": 2_000_000}, [january, february, march]))

    assert [(row["month"], row["generated"], row["stored"], row["stock"]) for row in rows] == [
        ("2025-01", 30, 25, 27), ("2025-02", 0, 0, 7), ("2025-03", 0, 0, 7),
    ]  # fmt: skip
    assert (rows[0]["own_utilised"], rows[0]["own_utilised_by"]) == (5, "回炉")
    assert (rows[1]["contracted_disposed"], rows[1]["contracted_disposed_by"]) == (12, "填埋")
    assert summaries.totals(rows, ["generated", "contracted_disposed"]) == {
        "generated": 30,
        "contracted_disposed": 12,
    }


def test_a_stream_without_movement_or_stock_has_no_line():
    assert list(summaries.whereabouts_rows([STREAM], [], {}, [date(2025, 1, 1)])) == []


def test_what_is_no_record_of_a_table_is_said_beneath_it():
    left = LeftOut(
        {Kind.STOCKTAKE_LOSS: 500_000, Kind.OPENING_STOCK: 0}, reversed_outside=1, reversals_of_outside=2
    )
    said = "".join(remarks(LAYOUTS["hw-2"], left))

    assert "盘亏 0.5 吨" in said
    assert "期初贮存" not in said
    assert "1 笔记录后来在期外冲正" in said
    assert "2 笔冲正针对期外" in said
    assert "期外冲正" not in "".join(remarks(LAYOUTS["general-2"], left))
    assert "含接收的外单位废物" in "".join(remarks(LAYOUTS["general-2"], LeftOut({Kind.RECEIPT: 1})))
