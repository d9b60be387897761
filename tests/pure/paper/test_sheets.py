"""An official table on paper: pages, headings on each, lines that wrap, sums and a line to sign on."""

import io

import pypdfium2
import pytest
from PIL import Image

from wufei.paper.sheets import Heading, Picture, Sheet, broken, write_sheets

HEADINGS = (
    Heading("序号", width=6, is_number=True),
    Heading("名称", "废物", 20),
    Heading("数量（吨）", "废物", 14, True),
)


def sheet(rows, **said) -> Sheet:
    given = {
        "number": "表B.1", "title": "产生环节记录表", "facts": [("单位名称", "某厂"), ("期间", "2025-01")],
        "headings": HEADINGS, "rows": rows, "remarks": ["口径说明"], "signatures": ["负责人签字", "填表日期"],
        "footer": "台账第 9 号记录",
    }  # fmt: skip
    return Sheet(**(given | said))


def read(what: Sheet) -> list[str]:
    out = io.BytesIO()
    pages = write_sheets(out, what)
    document = pypdfium2.PdfDocument(out.getvalue())
    assert len(document) == pages
    texts = []
    for page in document:
        assert page.get_width() > page.get_height()
        texts.append(page.get_textpage().get_text_range().replace("\r", "").replace("\n", ""))
    return texts


def test_headings_and_page_numbers_stand_on_every_page_and_the_signature_on_the_last():
    pages = read(sheet([[str(n), f"炉渣{n}", "1.25"] for n in range(1, 121)], totals=["合计", "", "150"]))

    assert len(pages) > 2
    for number, text in enumerate(pages, 1):
        assert "产生环节记录表" in text
        assert "数量（吨）" in text
        assert "台账第 9 号记录" in text
        assert f"第 {number} 页，共 {len(pages)} 页" in text
    assert ["负责人签字" in text for text in pages] == [*[False] * (len(pages) - 1), True]
    assert "合计" in pages[-1]
    assert "注1：口径说明" in pages[-1]
    whole = "".join(pages)
    assert [n for n in range(1, 121) if f"炉渣{n}" not in whole] == []


def test_without_rows_it_says_so():
    [text] = read(sheet([]))

    assert "本期没有记录。" in text
    assert "负责人签字" in text


def test_a_long_text_wraps_and_loses_nothing():
    name = "含油抹布和" * 40
    [text] = read(sheet([["1", name, "2"]]))

    assert name in text


def test_a_text_without_end_is_cut_with_a_mark():
    lines = broken("字" * 1000, 50, 10, most=3)

    assert len(lines) == 3
    assert lines[-1].endswith("…")


def test_a_text_breaks_neither_before_a_stop_nor_after_an_opening_mark():
    assert broken("一二三四。五", 40, 10) == ["一二三四。", "五"]
    assert broken("一二三（四", 40, 10) == ["一二三", "（四"]
    assert broken("", 40, 10) == [""]


def test_what_stands_beneath_the_table_has_a_page_of_its_own_where_the_last_is_full():
    full = next(n for n in range(20, 60) if len(read(sheet([["1", "渣", "2"]] * n))) == 2)
    *_, last = read(sheet([["1", "渣", "2"]] * full))

    assert "负责人签字" in last


def test_the_same_table_is_the_same_file():
    first, second = io.BytesIO(), io.BytesIO()
    write_sheets(first, sheet([["1", "渣", "2"]]))
    write_sheets(second, sheet([["1", "渣", "2"]]))

    assert first.getvalue() == second.getvalue()


@pytest.mark.parametrize("columns", [1, 24])
def test_few_and_many_columns_stay_on_the_page(columns):
    headings = [Heading(f"栏目{n}", width=12) for n in range(columns)]
    [text] = read(sheet([[f"值{n}" for n in range(columns)]], headings=headings))

    assert [n for n in range(columns) if f"值{n}" not in text] == []


def _jpeg(size: tuple[int, int], colour: str) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", size, colour).save(written, "JPEG")
    return written.getvalue()


def test_pictures_follow_six_to_a_page_whole_and_with_their_captions():
    shapes = [((80, 40), "red"), ((40, 80), "blue"), *[((50, 50), "green")] * 5]
    pictures = [Picture(f"第{n}张", _jpeg(*shape)) for n, shape in enumerate(shapes, 1)]
    what = sheet([["1", "炉渣", "1.25"]], pictures=pictures)
    pages = read(what)
    assert len(pages) == 3
    assert ["负责人签字" in text for text in pages] == [True, False, False]
    assert [[n for n in range(1, 8) if f"第{n}张" in text] for text in pages] == [[], [1, 2, 3, 4, 5, 6], [7]]
    assert "第 3 页，共 3 页" in pages[2]
    out = io.BytesIO()
    write_sheets(out, what)
    drawn = pypdfium2.PdfDocument(out.getvalue())[1].render(scale=0.5).to_pil().convert("RGB")
    counted = {colour: n for n, colour in drawn.getcolors(maxcolors=drawn.width * drawn.height)}
    red = sum(n for (r, g, b), n in counted.items() if r > 220 > 60 > max(g, b))
    blue = sum(n for (r, g, b), n in counted.items() if b > 220 > 60 > max(r, g))
    whole = drawn.width * drawn.height
    assert whole // 60 < blue < red < whole // 6
