"""The labels' pages and API, as people use them: choose, print, print again with a reason, reserve, make signs."""

import io
import json
import re
import uuid
from datetime import date

import pypdfium2
import pytest
import zxingcpp
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from PIL import Image

from wufei.labels import queries, services
from wufei.labels.models import DigitalIdBlock, LabelPrint, Particulars
from wufei.ledger.models import Container, Lot, Stream

# What one must be allowed to: for tests/rooms/web/test_every_route.py.
ROWS = {
    "labels:labels": {"GET": "read the ledger"},
    "labels:print": {"POST": "post"},
    "labels:printed": {"GET": "read the ledger"},
    "labels:printed-file": {"GET": "post"},
    "labels:label": {"GET": "read the ledger"},
    "labels:preview": {"GET": "read the ledger"},
    "labels:container": {"POST": "post"},
    "labels:numbers": {"GET": "post", "POST": "post"},
    "labels:particulars": {"GET": "edit", "POST": "edit"},
    "labels:signs": {"GET": "read the ledger"},
    "labels:sign": {"GET": "read the ledger"},
}
OIL = "900-249-08"


@pytest.fixture(autouse=True)
def static_folder(settings):
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)


@pytest.fixture
def drums(ledger):
    ledger.stores(库1=None)
    ledger.streams("油", waste_code=OIL)
    ledger.streams("砂", waste_code="SW02")
    ledger.post(
        "2026-06-30 油 产生 0.2 吨 库1 桶-1",
        "2026-06-30 油 产生 0.2 吨 库1 桶-2",
        "2026-06-30 砂 产生 3 吨 库1 批-1",
    )
    return ledger


@pytest.fixture
def person(officer, organisation, drums):
    """Ask for a page of the organisation as its officer."""
    client = Client()
    client.force_login(officer, backend="django.contrib.auth.backends.ModelBackend")

    class Person:
        def get(self, path: str = "", **said):
            return client.get(f"/o/{organisation.uscc}/labels/{path}", said)

        def post(self, path: str, said, follow: bool = False):
            return client.post(f"/o/{organisation.uscc}/labels/{path}", said, follow=follow)

    return Person()


def text_of(response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def key(code: str) -> int:
    return Lot.objects.get(code=code).pk


def number(person, code: str, litres: str = "200") -> None:
    said = {"packaging": "DRUM", "litres": litres, "client_id": str(uuid.uuid4())}
    assert person.post(f"{key(code)}/container/", said).status_code == 302


def order(*codes: str, **said) -> dict:
    return {
        "lot": [str(key(code)) for code in codes], "print_format": "PDF", "count": "1", "reason": "",
        "client_id": str(uuid.uuid4()),
    } | said  # fmt: skip


def decoded(content: bytes, page: int = 0) -> list[str]:
    document = pypdfium2.PdfDocument(content)
    try:
        drawn = document[page].render(scale=203 / 72).to_pil()
        return [each.text for each in zxingcpp.read_barcodes(drawn, formats=zxingcpp.BarcodeFormat.QRCode)]
    finally:
        document.close()


def pages(content: bytes) -> int:
    document = pypdfium2.PdfDocument(content)
    try:
        return len(document)
    finally:
        document.close()


def test_the_list_says_which_labels_wait_for_a_number_and_which_were_printed(person):
    shown = text_of(person.get())
    assert shown.count("待编号") == 2
    assert "废物砂 SW02 没有危险性判别 2026-06-30 3" in shown
    number(person, "桶-1")
    person.post("print/", order("桶-1"))
    shown = text_of(person.get())
    assert (shown.count("待编号"), shown.count("已打印 2")) == (1, 1)


def test_the_list_is_narrowed_and_paged(person, drums):
    assert "批-1" in text_of(person.get(waste_class="GENERAL"))
    assert "桶-1" not in text_of(person.get(waste_class="GENERAL"))
    assert "没有符合条件的记录" in text_of(person.get(text="没有"))
    drums.post(*(f"2026-06-30 砂 产生 0.1 吨 库1 多-{at:03d}" for at in range(60)))
    assert "共 63 条，本页第 61–63 条" in text_of(person.get(page="3"))


def test_a_page_of_one_row_and_of_thirty_takes_the_same_queries(person, drums, officer, organisation):
    def asked() -> int:
        with CaptureQueriesContext(connection) as seen:
            person.get()
        return len(seen)

    person.get()
    few = asked()
    drums.post(*(f"2026-06-30 油 产生 0.1 吨 库1 多-{at}" for at in range(30)))
    assert asked() == few


def test_a_scanned_code_finds_its_label(person, organisation):
    number(person, "桶-1")
    of = queries.label(queries.lot_with(organisation=organisation, code="桶-1"))
    shown = text_of(person.get(text=str(of.payload)))
    assert "桶-1" in shown
    assert "桶-2" not in shown


def test_a_hazardous_container_is_numbered_on_its_page_and_then_shown(person):
    page = person.get(f"{key('桶-1')}/")
    assert "还没有数字识别码" in text_of(page)
    assert person.get(f"{key('桶-1')}/preview.png").status_code == 404
    number(person, "桶-1", litres="199.5")
    held = Container.objects.get()
    assert (held.volume_ml, held.digital_id[-11:]) == (199_500, "20260630001")
    page = person.get(f"{key('桶-1')}/")
    assert "150×150 mm" in text_of(page)
    assert held.digital_id in text_of(page)
    preview = Image.open(io.BytesIO(person.get(f"{key('桶-1')}/preview.png").content))
    assert preview.size == (886, 886)


def test_a_container_of_nonsense_is_refused_on_the_page(person):
    said = {"packaging": "桶", "litres": "很多", "client_id": str(uuid.uuid4())}
    answer = person.post(f"{key('桶-1')}/container/", said)
    assert answer.status_code == 422
    assert not Container.objects.exists()


def test_chosen_labels_are_printed_on_sheets_and_recorded(person):
    number(person, "桶-1"), number(person, "桶-2", litres="500")
    answer = person.post("print/", order("桶-1", "桶-2", "批-1", print_format="SHEET", count="2"))
    page = person.get(answer.url.split("/labels/")[1])
    assert "已登记打印 3 个标签" in text_of(page)
    assert "共 6 张" in text_of(page)
    file = person.get(answer.url.split("/labels/")[1] + "file")
    assert file["Content-Type"] == "application/pdf"
    found = [text for at in range(pages(file.content)) for text in decoded(file.content, at)]
    # Of the container above 450 L both faces, so twice as many.
    assert (
        sorted(text.split("/")[3] for text in found if "/H/" in text)
        == ["%E6%A1%B6-1"] * 2 + ["%E6%A1%B6-2"] * 4
    )
    assert len([text for text in found if "/G/" in text]) == 2
    assert sorted(LabelPrint.objects.values_list("lot__code", "count", "is_reprint")) == [
        ("批-1", 2, False), ("桶-1", 2, False), ("桶-2", 2, False),
    ]  # fmt: skip


def test_printed_again_only_with_a_reason(person):
    person.post("print/", order("批-1"))
    refused = person.post("print/", order("批-1"), follow=True)
    assert "重印须写明原因" in text_of(refused)
    assert LabelPrint.objects.count() == 1
    person.post("print/", order("批-1", reason="雨淋破损") | {"from": "label"})
    assert "雨淋破损" in text_of(person.get(f"{key('批-1')}/"))
    assert LabelPrint.objects.filter(is_reprint=True, reason="雨淋破损").count() == 1


def test_a_print_that_is_sent_twice_counts_once(person):
    same = order("批-1")
    first, second = person.post("print/", same), person.post("print/", same)
    assert first.url == second.url
    assert LabelPrint.objects.count() == 1


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"lot": []}, "请选择 1 至 200 个容器"),
        ({"lot": ["99999999", "x"]}, "请选择 1 至 200 个容器"),
        ({"count": "0"}, "1"),
        ({"print_format": "DOCX"}, "DOCX"),
    ],
)
def test_an_order_of_nonsense_is_refused_and_nothing_is_recorded(person, said, told):
    answer = person.post("print/", order("批-1") | said, follow=True)
    assert told in text_of(answer)
    assert not LabelPrint.objects.exists()


@pytest.mark.parametrize(("dpi", "width"), [("203", 800), ("300", 1200)])
def test_a_file_for_a_label_printer_has_its_dots(person, dpi, width):
    answer = person.post("print/", order("批-1", print_format="ZPL"))
    file = person.get(answer.url.split("/labels/")[1] + "file", dpi=dpi)
    assert file.content.startswith(f"^XA^LH0,0^PW{width}^LL{width * 7 // 10}^".encode())


def test_copies_are_the_label_printers_to_make(person):
    answer = person.post("print/", order("批-1", print_format="ZPL", count="7"))
    file = person.get(answer.url.split("/labels/")[1] + "file").content
    assert (file.count(b"^XA"), file.count(b"^PQ7^XZ")) == (1, 1)


def test_a_file_of_many_labels_takes_no_more_queries_than_one_of_one(person, drums):
    drums.post(*(f"2026-06-30 砂 产生 0.1 吨 库1 多-{at}" for at in range(30)))

    def asked(*codes: str) -> int:
        path = person.post("print/", order(*codes)).url.split("/labels/")[1] + "file"
        with CaptureQueriesContext(connection) as seen:
            assert pages(person.get(path).content) == len(codes)
        return len(seen)

    assert asked("多-0") == asked(*(f"多-{at}" for at in range(1, 30)))


def test_what_was_never_printed_has_no_file(person):
    assert person.get(f"prints/{uuid.uuid4()}/").status_code == 404
    assert person.get(f"prints/{uuid.uuid4()}/file").status_code == 404


def test_numbers_are_reserved_on_their_page(person):
    today = timezone.localdate()
    said = {
        "waste_code": OIL,
        "on": today.isoformat(),
        "count": "50",
        "device": "一号手机",
        "client_id": str(uuid.uuid4()),
    }
    for _ in range(2):  # sent twice, reserved once
        assert person.post("numbers/", said).status_code == 302
    shown = text_of(person.get("numbers/"))
    assert "001–050 50 一号手机" in shown
    assert DigitalIdBlock.objects.count() == 1
    refused = person.post("numbers/", said | {"count": "950", "client_id": str(uuid.uuid4())})
    assert refused.status_code == 422
    assert "每天至多 999 个" in text_of(refused)


def test_what_labels_say_of_a_stream_is_kept_and_a_stale_edit_refused(person, organisation):
    stream = Stream.objects.get(code="油")
    said = {
        "hazards": "T,I",
        "harmful_components": "石油烃",
        "precautions": "",
        "contact": "",
        "remarks": "",
        "version": "0",
    }
    assert person.post(f"streams/{stream.pk}/", said).status_code == 302
    stale = person.post(f"streams/{stream.pk}/", said | {"remarks": "晚到"})
    assert (stale.status_code, Particulars.objects.get().remarks) == (422, "")
    wrong = person.post(f"streams/{stream.pk}/", said | {"version": "1", "hazards": "X"})
    assert wrong.status_code == 422
    assert "危险特性只能写" in text_of(wrong)


@pytest.mark.parametrize("kind", ["ZONE", "FACILITY", "GENERAL"])
def test_signs_of_a_store_are_shown_and_handed_out(person, kind):
    asked = {"store": "库1", "kind": kind, "distance_m": "3"}
    page = person.get("signs/", **asked)
    assert "未经核对" in text_of(page)
    assert "mm" in text_of(page)
    assert person.get("signs/sign", **asked, **{"as": "png"})["Content-Type"] == "image/png"
    file = person.get("signs/sign", **asked)
    assert (file["Content-Type"], pages(file.content)) == ("application/pdf", 1)
    assert person.get("signs/sign", store="没有", kind=kind, distance_m="3").status_code == 422


def test_a_zones_sign_names_the_hazardous_waste_that_stands_there(organisation, drums):
    from wufei.ledger.models import Place

    [waste] = queries.wastes_in(store=Place.objects.get(code="库1"))
    assert (waste.name, waste.waste_code, [h.value for h in waste.hazards]) == ("废物油", OIL, ["T", "I"])


# --- for machines


@pytest.fixture
def ask(officer, organisation, drums):
    from tests.rooms.api.world import Api, token

    api = Api(token(officer))

    def do(method: str, path: str, body=None):
        answer = api.ask(method, f"/organisations/{organisation.uscc}/labels/{path}", body)
        return answer.status_code, answer

    return do


def told(answer) -> dict:
    return json.loads(answer.content)


def test_a_program_reserves_prints_and_reads(ask, organisation, officer):
    today = timezone.localdate().isoformat()
    body = {"waste_code": OIL, "on": today, "count": 3, "device": "手机", "client_id": str(uuid.uuid4())}
    status, answer = ask("POST", "numbers", body)
    assert (status, told(answer)["first"], told(answer)["last"]) == (201, 1, 3)
    assert told(answer)["last_digital_id"] == f"{organisation.uscc}90024908{today.replace('-', '')}003"
    assert told(ask("POST", "numbers", body)[1])["first_digital_id"] == told(answer)["first_digital_id"]
    status, answer = ask("POST", "numbers", body | {"count": 998, "client_id": str(uuid.uuid4())})
    assert (status, told(answer)["code"]) == (409, "numbers_exhausted")

    assert (ask("GET", "label?code=桶-1")[0], told(ask("GET", "label?code=桶-1")[1])["code"]) == (
        409,
        "lot_without_number",
    )
    services.number_container(
        organisation=organisation, lot_code="桶-1", packaging="DRUM", volume_ml=60_000, client_id=uuid.uuid4(), by=officer,
        now=timezone.now(),
    )  # fmt: skip
    label = told(ask("GET", "label?code=桶-1")[1])
    assert (label["width_mm"], label["hazards"], label["mass_g"], label["prints"]) == (
        150,
        ["T", "I"],
        200_000,
        [],
    )
    for media, start in (("pdf", b"%PDF"), ("png", b"\x89PNG"), ("zpl", b"^XA")):
        status, file = ask("GET", f"file?code={label['digital_id']}&format={media}")
        assert (status, file.content[: len(start)]) == (200, start)
    order = {"code": label["payload"], "format": "PDF", "client_id": str(uuid.uuid4())}
    assert [p["is_reprint"] for p in told(ask("POST", "prints", order)[1])["prints"]] == [False]
    status, answer = ask("POST", "prints", order | {"client_id": str(uuid.uuid4())})
    assert (status, told(answer)["code"]) == (409, "reprint_without_reason")
    status, answer = ask("POST", "prints", order | {"client_id": str(uuid.uuid4()), "reason": "破损"})
    assert [p["reason"] for p in told(answer)["prints"]] == ["破损", ""]


@pytest.mark.parametrize(
    ("code", "status", "said"),
    [
        ("没有", 404, "lot_unknown"),
        ("https://example.org", 409, "payload_of_another_system"),
        ("WF1/H/91", 409, "payload_torn"),
        ("91110000600037341L900249082026070100", 409, "code_torn"),
        ("91110000600037341M9002490820260701001", 409, "check_digit_wrong"),
    ],
)
def test_a_code_that_is_none_is_refused_by_name(ask, code, status, said):
    from urllib.parse import quote

    for path in ("label", "file"):
        got, answer = ask("GET", f"{path}?code={quote(code)}")
        assert (got, told(answer)["code"]) == (status, said)


def test_the_day_of_a_block_is_the_persons_to_choose(ask):
    body = {"waste_code": OIL, "on": date(2020, 1, 1).isoformat(), "count": 3, "client_id": str(uuid.uuid4())}
    assert told(ask("POST", "numbers", body)[1])["code"] == "day_out_of_range"
