"""Labels as they come out: the code is read by a decoder that isn't ours, text is large enough, nothing overflows."""

import io
from dataclasses import replace
from datetime import date

import pypdfium2
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from wufei.labels import batch_label, fields, hazard_label, pdf, shapes, signs, zpl
from wufei.labels.batch_label import BatchLabel
from wufei.labels.digital_id import DigitalId
from wufei.labels.hazard_label import HazardLabel
from wufei.labels.pictograms import Hazard, hazards_of, pictogram
from wufei.labels.png import image, png
from wufei.labels.shapes import HAN_HEIGHT, Colour, Picture, Words, bounds, width_of
from wufei.labels.signs import Sign, SignKind, Waste
from wufei.labels.sizes import BLANK_MM, BORDER_MM, SIZES

LITRES = {25: 100, 50: 100, 51: 150, 450: 150, 1000: 200}


def hazardous(**said) -> HazardLabel:
    return HazardLabel(
        **{
            "digital_id": DigitalId("91110000600037341L", "900-249-08", date(2026, 7, 1), 7),
            "name": "废矿物油（含油抹布）", "category": "HW08", "physical_form": "液态",
            "main_components": "矿物油、金属屑", "harmful_components": "石油烃、多环芳烃",
            "precautions": "远离火源；防止渗漏；装卸时戴防护手套。", "organisation": "重庆綦江精密铸造有限公司",
            "contact": "王建国 023-48660001", "mass_g": 185_500, "hazards": (Hazard.TOXIC, Hazard.FLAMMABLE),
            "volume_ml": 25_000, "lot": "HWCS20260701007",
        }
        | said
    )  # fmt: skip


def batch(**said) -> BatchLabel:
    return BatchLabel(
        **{
            "uscc": "91110000600037341L", "lot": "PC-2026-07-001", "name": "铸造废砂", "waste_code": "900-001-S17",
            "category": "SW17", "process": "落砂清理", "physical_form": "固态",
            "organisation": "重庆綦江精密铸造有限公司", "on": date(2026, 7, 1), "mass_g": 1_250_000,
        }
        | said
    )  # fmt: skip


LONGEST = {
    "name": "废" * 120, "precautions": "注" * 200, "main_components": "主" * 200, "harmful_components": "害" * 200,
    "organisation": "厂" * 200, "contact": "人" * 60 + " " + "1" * 60, "physical_form": "态" * 60, "remarks": "备" * 100,
    "hazards": tuple(Hazard), "lot": "桶" * 80,
}  # fmt: skip
DRAWN = {
    "small": (hazard_label.picture(hazardous()), str(hazardous().payload)),
    "middle": (hazard_label.picture(hazardous(volume_ml=200_000)), str(hazardous(volume_ml=200_000).payload)),
    "large": (hazard_label.picture(hazardous(volume_ml=10**6)), str(hazardous(volume_ml=10**6).payload)),
    "longest": (hazard_label.picture(hazardous(**LONGEST)), str(hazardous(**LONGEST).payload)),
    "batch": (batch_label.picture(batch()), str(batch().payload)),
}


def read(drawn: Image.Image) -> list[str]:
    return [each.text for each in zxingcpp.read_barcodes(drawn, formats=zxingcpp.BarcodeFormat.QRCode)]


def page_sizes(content: bytes) -> list[tuple[float, float]]:
    """Return the pages' width and height in millimetres."""
    document = pypdfium2.PdfDocument(content)
    try:
        return [tuple(round(edge * 25.4 / 72, 2) for edge in page.get_size()) for page in document]
    finally:
        document.close()


def text_of(content: bytes) -> str:
    document = pypdfium2.PdfDocument(content)
    try:
        return document[0].get_textpage().get_text_range()
    finally:
        document.close()


def page_image(content: bytes, dpi: int, page: int = 0) -> Image.Image:
    document = pypdfium2.PdfDocument(content)
    try:
        return document[page].render(scale=dpi / 72).to_pil()
    finally:
        document.close()


@pytest.mark.parametrize("name", DRAWN)
@pytest.mark.parametrize("dpi", [203, 300])
def test_the_code_is_read_by_another_decoder_at_print_resolution(name: str, dpi: int):
    picture, said = DRAWN[name]
    from_png = Image.open(io.BytesIO(png(picture, dpi=dpi)))
    from_pdf = page_image(pdf.single([picture], title="标签"), dpi)
    assert read(from_png) == read(from_pdf) == [said]
    assert read(image(picture, per_mm=zpl.DOTS_PER_MM[dpi], on_stock=True)) == [said]


@pytest.mark.parametrize("angle", [7, 45, 90, 133, 180, 270])
def test_a_turned_label_is_read_too(angle: int):
    picture, said = DRAWN["small"]
    turned = (
        Image.open(io.BytesIO(png(picture, dpi=203)))
        .convert("RGB")
        .rotate(angle, expand=True, fillcolor="white")
    )
    assert read(turned) == [said]


def test_a_label_with_its_code_blotted_out_is_not_read():
    """The control."""
    picture, _ = DRAWN["small"]
    blank = replace(picture, shapes=tuple(s for s in picture.shapes if not isinstance(s, shapes.Modules)))
    assert read(image(blank, per_mm=8)) == []


def test_a_page_is_as_large_as_its_label():
    for litres, side in LITRES.items():
        content = pdf.single([hazard_label.picture(hazardous(volume_ml=litres * 1000))], title="标签")
        assert page_sizes(content) == [(side, side)]
    drawn = Image.open(io.BytesIO(png(DRAWN["small"][0], dpi=300)))
    assert drawn.size == (1181, 1181)
    assert [round(each) for each in drawn.info["dpi"]] == [300, 300]


@pytest.mark.parametrize("litres", LITRES)
@pytest.mark.parametrize("said", [{}, LONGEST], ids=["usual", "longest"])
def test_text_is_never_smaller_than_the_standard_wants(litres: int, said: dict):
    label = hazardous(**said | {"volume_ml": litres * 1000})
    picture = hazard_label.picture(label)
    sizes = [shape.em * HAN_HEIGHT for shape in picture.shapes if isinstance(shape, Words)]
    assert min(sizes) >= label.size.least_text_mm - 1e-9
    assert measured_height(min(shape.em for shape in picture.shapes if isinstance(shape, Words))) >= (
        label.size.least_text_mm - 0.03
    )


def measured_height(em: float) -> float:
    """Return how high a Chinese character really comes out, in millimetres, by its pixels."""
    drawn = image(Picture(width=20, height=20, shapes=(Words(2, 12, "国", em),)), per_mm=40, on_stock=True)
    box = drawn.point(lambda level: 255 - level).getbbox()
    return (box[3] - box[1]) / 40


def overflowing(picture: Picture, border: float) -> list[shapes.Shape]:
    """Return what is beyond the inside of the border, the ground and the border itself left out."""
    inside = (border, border, picture.width - border, picture.height - border)
    found = []
    for shape in picture.shapes:
        left, top, right, bottom = bounds(shape)
        is_ground_or_border = isinstance(shape, shapes.Box) and (left < border or right > inside[2])
        if is_ground_or_border:
            continue
        if (
            left < inside[0] - 0.01
            or top < inside[1] - 0.01
            or right > inside[2] + 0.01
            or bottom > inside[3] + 0.01
        ):
            found.append(shape)
    return found


def overlapping(picture: Picture) -> list[tuple[Words, Words]]:
    words = [shape for shape in picture.shapes if isinstance(shape, Words)]
    found = []
    for at, one in enumerate(words):
        for other in words[at + 1 :]:
            a, b = bounds(one), bounds(other)
            if min(a[2], b[2]) - max(a[0], b[0]) > 0.05 and min(a[3], b[3]) - max(a[1], b[1]) > 0.05:
                found.append((one, other))
    return found


texts = st.text("废物油液、（）ABC abc 0123456789-;，。Wi", max_size=200)


@settings(max_examples=60, deadline=None)
@given(
    said=st.fixed_dictionaries(
        {"name": texts.filter(str.strip), "main_components": texts, "harmful_components": texts, "precautions": texts,
         "organisation": texts, "contact": texts, "remarks": texts, "physical_form": texts}
    ),
    hazards=st.lists(st.sampled_from(list(Hazard)), unique=True).map(tuple),
    litres=st.sampled_from(list(LITRES)),
)  # fmt: skip
def test_nothing_ever_leaves_the_border_or_covers_another_line(said, hazards, litres):
    picture = hazard_label.picture(hazardous(**said, hazards=hazards, volume_ml=litres * 1000))
    border = BLANK_MM + max(BORDER_MM, picture.width / 100)
    assert overflowing(picture, border) == []
    assert overlapping(picture) == []
    assert words_beyond_the_column(picture) == []


def words_beyond_the_column(picture: Picture) -> list[Words]:
    """Return what is written over the code."""
    [code] = [shape for shape in picture.shapes if isinstance(shape, shapes.Modules)]
    a = bounds(code)
    return [
        shape
        for shape in picture.shapes
        if isinstance(shape, Words)
        and min(a[2], bounds(shape)[2]) - max(a[0], bounds(shape)[0]) > 0
        and min(a[3], bounds(shape)[3]) - max(a[1], bounds(shape)[1]) > 0
    ]


@settings(max_examples=40, deadline=None)
@given(
    st.fixed_dictionaries(
        {"name": texts, "organisation": texts, "process": texts, "physical_form": texts, "remarks": texts,
         "lot": texts.map(lambda text: text.strip()[:80])}
    )
)  # fmt: skip
def test_nothing_leaves_a_batch_label_either(said):
    picture = batch_label.picture(batch(**said))
    assert overflowing(picture, BLANK_MM + 0.8) == []
    assert overlapping(picture) == []
    assert words_beyond_the_column(picture) == []


def test_without_cutting_the_longest_would_overflow(monkeypatch):
    """The control."""

    def as_it_is(blocks, lines, *, height, padding, em):
        heights = fields._heights(blocks, lines, em, padding)
        return fields.Setting(em=em, lines=lines, heights=heights, cut=())

    monkeypatch.setattr(fields, "_cut_to_fit", as_it_is)
    assert overflowing(hazard_label.picture(hazardous(**LONGEST)), 4) != []


def test_what_had_to_be_cut_is_named_and_what_identifies_is_whole():
    picture = DRAWN["longest"][0]
    assert {"废物名称", "注意事项"} <= set(picture.cut)
    assert {"废物代码", "数字识别码", "产生日期", "废物重量"}.isdisjoint(picture.cut)
    written = "".join(shape.text for shape in picture.shapes if isinstance(shape, Words))
    assert "91110000600037341L 90024908 20260701007" in written.replace("20260701 007", "20260701007")
    assert DRAWN["small"][0].cut == DRAWN["middle"][0].cut == DRAWN["large"][0].cut == ()


def test_everything_that_a_label_must_say_is_on_it():
    content = pdf.single([DRAWN["small"][0]], title="标签")
    said = "".join(text_of(content).split())
    for each in ("废物名称：废矿物油（含油抹布）", "废物类别：HW08", "废物代码：900-249-08", "废物形态：液态",
                 "主要成分：矿物油、金属屑", "有害成分：石油烃、多环芳烃", "注意事项：远离火源",
                 "数字识别码：91110000600037341L9002490820260701007", "产生/收集单位：重庆綦江精密铸造有限公司",
                 "联系人和联系方式：王建国023-48660001", "产生日期：2026年7月1日", "废物重量：185.5kg", "备注：",
                 "毒性", "易燃性"):  # fmt: skip
        assert each in said, each


def test_the_colours_and_the_border_are_those_of_the_standard():
    drawn = image(DRAWN["small"][0], per_mm=10)
    assert drawn.getpixel((5, 5)) == (255, 150, 0)
    assert drawn.getpixel((BLANK_MM * 10 - 2, 500)) == (255, 150, 0)
    assert {drawn.getpixel((BLANK_MM * 10 + at, 500)) for at in range(BORDER_MM * 10)} == {(0, 0, 0)}


def test_the_same_label_is_the_same_file_every_time():
    pictures = [hazard_label.picture(hazardous()), batch_label.picture(batch())]
    for make in (
        lambda: pdf.single(pictures, title="标签"), lambda: pdf.sheet(pictures, title="标签"),
        lambda: png(pictures[0]), lambda: zpl.zpl(pictures[0]),
    ):  # fmt: skip
        assert make() == make()


def test_a_sheet_holds_as_many_as_fit_and_all_are_read():
    labels = [batch_label.picture(batch(lot=f"PC-{at}")) for at in range(9)]
    content = pdf.sheet(labels, title="标签")
    assert page_sizes(content) == [(210, 297)] * 2
    found = [text.split("/")[3] for page in range(2) for text in read(page_image(content, 203, page))]
    assert sorted(found) == [f"PC-{at}" for at in range(9)]


def test_on_a_sheet_no_label_covers_another_or_leaves_the_page():
    mixed = [
        DRAWN[name][0] for name in ("small", "batch", "large", "middle", "small", "batch", "batch", "small")
    ]
    for page in pdf.arranged(mixed):
        boxes = [(x, y, x + picture.width, y + picture.height) for picture, x, y in page]
        assert all(x >= 4 and y >= 4 and right <= 206 and bottom <= 293 for x, y, right, bottom in boxes)
        for at, a in enumerate(boxes):
            for b in boxes[at + 1 :]:
                assert min(a[2], b[2]) <= max(a[0], b[0]) or min(a[3], b[3]) <= max(a[1], b[1])
    assert sum(len(page) for page in pdf.arranged(mixed)) == len(mixed)


# --- the printer's language


def printed(said: bytes) -> Image.Image:
    """A label printer: read the graphic field as the ZPL manual describes it, and return its dots."""
    text = said.decode("ascii")
    _head, _, data = text.partition("^GFA,")
    whole, total, row_bytes, data = data.split(",", 3)
    data = data[: data.index("^FS")]
    width, rows, row, count, before = int(row_bytes) * 2, [], "", 0, ""
    for letter in data:
        if letter in "ghijklmnopqrstuvwxyz":
            count += (ord(letter) - ord("f")) * 20
        elif letter in "GHIJKLMNOPQRSTUVWXY":
            count += ord(letter) - ord("F")
        elif letter == ":":
            rows.append(before)
        elif letter in ",!":
            rows.append(before := row.ljust(width, "0" if letter == "," else "F"))
            row = ""
        else:
            row += letter * (count or 1)
            count = 0
            if len(row) == width:
                rows.append(before := row)
                row = ""
    assert whole == total == str(len(rows) * int(row_bytes))
    dots = Image.frombytes("1", (int(row_bytes) * 8, len(rows)), bytes.fromhex("".join(rows)))
    return dots.point(lambda level: 0 if level else 255)


@pytest.mark.parametrize("name", DRAWN)
@pytest.mark.parametrize("dpi", [203, 300])
def test_a_label_printer_prints_the_label_at_its_size_and_its_code_is_read(name: str, dpi: int):
    picture, said = DRAWN[name]
    written = zpl.zpl(picture, dpi=dpi, copies=2)
    dots = zpl.DOTS_PER_MM[dpi]
    width, height = round(picture.width * dots), round(picture.height * dots)
    assert f"^PW{width}^LL{height}^" in written.decode("ascii")
    assert written.startswith(b"^XA")
    assert written.endswith(b"^PQ2^XZ\n")
    drawn = printed(written)
    assert drawn.size == ((width + 7) // 8 * 8, height)
    assert read(drawn.convert("L")) == [said]
    # What the printer prints is what the screen shows, dark for dark.
    grey = image(picture, per_mm=dots, on_stock=True)
    whole = drawn.crop((0, 0, width, height)).convert("L")
    assert whole.tobytes() == grey.point(lambda level: 0 if level < 140 else 255).tobytes()


def test_an_unknown_resolution_is_an_error():
    with pytest.raises(KeyError):
        zpl.zpl(DRAWN["small"][0], dpi=600)


# --- hazards and signs


@pytest.mark.parametrize("hazard", Hazard)
def test_a_pictogram_stays_within_its_diamond(hazard: Hazard):
    for polygon in pictogram(hazard):
        assert all(abs(x) + abs(y) <= 1.0001 for x, y in polygon.points)
    symbol = pictogram(hazard)[2:]
    assert all(
        abs(x) + abs(y) <= 0.93 for each in symbol if each.fill is Colour.BLACK for x, y in each.points
    )


def test_each_hazard_looks_different():
    drawn = {
        hazard: image(
            Picture(width=10, height=10, shapes=tuple(shapes.placed(pictogram(hazard), x=5, y=5, scale=5))), per_mm=8,
            on_stock=True,
        ).tobytes()
        for hazard in Hazard
    }  # fmt: skip
    assert len(set(drawn.values())) == len(Hazard)


@pytest.mark.parametrize(
    ("said", "letters"),
    [("T", "T"), ("T,I", "T I"), ("T/C/I/R/In", "T C I R In"), ("C，T", "C T"), ("", ""), ("T,T", "T")],
)
def test_the_letters_of_the_list_are_read(said: str, letters: str):
    assert [hazard.value for hazard in hazards_of(said)] == letters.split()


def sign(kind: SignKind, **said) -> Sign:
    from decimal import Decimal

    wastes = tuple(
        Waste(name=f"废物{at}" * 20, waste_code="900-249-08", hazards=tuple(Hazard)) for at in range(9)
    )
    return Sign(
        **{
            "kind": kind, "organisation": "厂" * 200, "store": "库" * 120, "store_code": "TS" * 60, "contact": "人" * 120,
            "distance_m": Decimal("2.5"), "wastes": wastes,
        }
        | said
    )  # fmt: skip


@pytest.mark.parametrize("kind", SignKind)
@pytest.mark.parametrize("metres", ["1", "2.5", "3", "6", "12"])
def test_a_sign_keeps_within_its_edge_whatever_it_says(kind: SignKind, metres: str):
    from decimal import Decimal

    picture = signs.picture(sign(kind, distance_m=Decimal(metres)))
    assert overflowing(picture, picture.height * 0.02) == []
    assert overlapping(picture) == []


def test_signs_grow_with_the_distance():
    from decimal import Decimal

    sides = [
        round(signs.picture(sign(kind, distance_m=Decimal(metres))).width)
        for kind in (SignKind.ZONE, SignKind.FACILITY)
        for metres in ("2.5", "4", "4.1", "11")
    ]
    assert sides == [300, 450, 600, 600, 300, 300, 600, 900]


def test_wrapped_text_says_all_and_is_nowhere_too_wide():
    text = "废矿物油 900-249-08，含 polycyclic-aromatic-hydrocarbons；请勿倒置。"
    for width in (8.0, 15.0, 40.0):
        lines = shapes.wrapped(text, 3.4, width)
        assert "".join(lines).replace(" ", "") == text.replace(" ", "")
        assert all(width_of(line, 3.4) <= width for line in lines)
        assert not any(line[0] in "，；。" for line in lines[1:])


def test_sizes_grow_with_the_volume():
    assert {litres: hazardous(volume_ml=litres * 1000).size.side_mm for litres in LITRES} == LITRES
    assert [size.faces for size in SIZES] == [1, 1, 2]
    assert hazardous(volume_ml=None).size.side_mm == 100
