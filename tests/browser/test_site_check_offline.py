"""A check on site where there is no network: filled in, the page closed and opened again, sent later, stored once."""

import sqlite3
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.browser.conftest import NARROW
from tests.browser.small_site import small_site
from tests.browser.visiting import PASSWORD, come_in

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# Applications that wait for their check on site, one a test, in a store of their own.
TESTS = 9
PREPARE = f"""
world = worlds.build(experts=0, second_officers=False)
round_ = worlds.round_of(world, now=now)
for number in range({TESTS}):
    handed = worlds.handed_in(world, round_, worlds.applicant(world, f"第{{number}}厂"), now=now)
    print(worlds.advance(world, handed, "site-check", now=now).code)
for name in ("DISTRICT_INDUSTRY", "DISTRICT_ENVIRONMENT"):
    person = world.people[name]
    person.set_password({PASSWORD!r})
    person.save()
"""


@dataclass(frozen=True)
class Field:
    address: str
    code: str
    data: Path

    @property
    def sheet(self) -> str:
        return f"/reviews/site-checks/{self.code}/"

    def stored(self) -> list[tuple[str, str]]:
        return self._rows("SELECT c.participants, c.criteria FROM reviews_sitecheck c")

    def photos(self) -> list[Path]:
        rows = self._rows(
            "SELECT p.stored FROM reviews_sitecheckphoto p JOIN reviews_sitecheck c ON c.id = p.check_made_id"
        )
        return [self.data / "files" / name for (name,) in rows]

    def _rows(self, select: str) -> list[tuple[str, ...]]:
        of = " JOIN reviews_application a ON a.id = c.application_id WHERE a.code = ? ORDER BY c.id"
        with sqlite3.connect(self.data / "wufei.sqlite3") as store:
            return store.execute(select + of, (self.code,)).fetchall()


@pytest.fixture(scope="module")
def fields(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Field]]:
    """Serve a store of our own, with an application for each test."""
    with small_site(tmp_path_factory.mktemp("field"), PREPARE) as site:
        yield [Field(site.address, code, site.data) for code in site.said]


@pytest.fixture
def field(fields: list[Field]) -> Field:
    return fields.pop()


@pytest.fixture
def phone(field: Field, browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(
        viewport=NARROW, locale="zh-CN", base_url=field.address, permissions=["geolocation"], has_touch=True,
        geolocation={"latitude": 29.028, "longitude": 106.651, "accuracy": 12},
    )  # fmt: skip
    context.set_default_timeout(20_000)
    yield context
    context.close()


def opened(phone: BrowserContext, field: Field) -> Page:
    page = phone.new_page()
    page.goto(field.sheet)
    page.locator("#site-check-form[data-ready]").wait_for()
    return page


def visited(phone: BrowserContext, field: Field) -> Page:
    """Sign in and open the sheet once, with a network, until all of it is kept on the phone."""
    page = phone.new_page()
    come_in(page, "DISTRICT_INDUSTRY")
    page.goto(field.sheet)
    page.locator("#site-check[data-kept]").wait_for()
    return page


def picture(width: int = 3000, height: int = 2000) -> bytes:
    """Return a PNG as large as a camera's."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    row = b"\0" + bytes(x % 251 for x in range(width * 3))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(row * height, 1))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + body + chunk(b"IEND", b"")


def size_of_jpeg(content: bytes) -> tuple[int, int]:
    """Return width and height as the frame's header says."""
    assert content.startswith(b"\xff\xd8\xff")
    at = 2
    while content[at + 1] not in (0xC0, 0xC1, 0xC2):
        at += 2 + int.from_bytes(content[at + 2 : at + 4], "big")
    height, width = struct.unpack(">HH", content[at + 5 : at + 9])
    return width, height


def fill(page: Page) -> None:
    page.get_by_label("参加人员").fill("张三、李四")
    first = page.locator("[data-criterion]").first
    first.get_by_text("不属实", exact=True).tap()
    first.locator("textarea").fill("没有标识。")
    page.locator("#album").set_input_files({"name": "库房.png", "mimeType": "image/png", "buffer": picture()})
    expect(page.locator("#photos img")).to_have_count(1)
    page.get_by_role("button", name="定位").tap()
    expect(page.locator("#position")).to_contain_text("29.028000, 106.651000")


def hand_in(page: Page) -> None:
    page.get_by_role("button", name="完成并上传").tap()


def wait_for(page: Page, truth: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not truth() and time.monotonic() < until:
        page.wait_for_timeout(200)  # lets the browser's events come in
    assert truth()


def test_what_was_filled_in_without_a_network_is_stored_once_when_it_is_back(
    phone: BrowserContext, field: Field
):
    visited(phone, field).close()
    phone.set_offline(True)

    page = opened(phone, field)  # from the phone alone
    expect(page.locator("#network")).to_contain_text("没有网络")
    fill(page)
    expect(page.locator("#kept")).to_contain_text("已存到本机")
    page.close()

    page = opened(phone, field)  # the phone was put away half-way
    expect(page.get_by_label("参加人员")).to_have_value("张三、李四")
    expect(page.locator("#photos img")).to_have_count(1)
    hand_in(page)
    expect(page.locator("#queue li[data-state=queued]")).to_contain_text("待上传")
    page.close()
    assert field.stored() == []

    page = opened(phone, field)
    expect(page.locator("#queue li[data-state=queued]")).to_have_count(1)
    phone.set_offline(False)
    expect(page.locator("#queue li[data-state=sent]")).to_contain_text("已上传")
    page.reload()
    expect(page.locator("#queue li[data-state=sent]")).to_have_count(1)

    [(participants, criteria)] = field.stored()
    assert participants == "张三、李四"
    assert '"seen": "NO"' in criteria
    [photo] = field.photos()
    assert size_of_jpeg(photo.read_bytes()) == (1600, 1067)


def test_an_answer_that_is_lost_on_the_way_makes_no_second_check(phone: BrowserContext, field: Field):
    page = visited(phone, field)
    lost = []

    def lose(route: Route) -> None:
        if route.request.method == "POST" and not lost:
            lost.append(route.fetch().status)  # the server has it; the phone hears nothing
            route.abort()
        else:
            route.continue_()

    page.route(f"**{field.sheet}", lose)
    fill(page)
    hand_in(page)
    expect(page.locator("#queue li[data-state=queued]")).to_have_count(1)
    wait_for(page, lambda: bool(lost) and len(field.stored()) == 1)
    assert lost == [201]

    page.evaluate("window.dispatchEvent(new Event('online'))")
    expect(page.locator("#queue li[data-state=sent]")).to_have_count(1)
    assert len(field.stored()) == 1
    assert len(field.photos()) == 1


def test_a_refusal_comes_back_with_its_reason_and_the_entry_stays_to_be_mended(
    phone: BrowserContext, field: Field
):
    page = visited(phone, field)
    page.get_by_label("参加人员").fill("张三")
    refused = []

    def refuse(route: Route) -> None:
        if route.request.method == "POST" and not refused:
            refused.append(1)
            route.fulfill(status=422, json={"code": "clock_ahead", "words": "手机时间比系统时间快。"})
        else:
            route.continue_()

    page.route(f"**{field.sheet}", refuse)
    hand_in(page)
    entry = page.locator("#queue li[data-state=refused]")
    expect(entry).to_contain_text("手机时间比系统时间快。")

    entry.get_by_role("button", name="打开修改").tap()
    expect(page.get_by_label("参加人员")).to_have_value("张三")
    page.get_by_label("参加人员").fill("张三、王五")
    hand_in(page)
    expect(page.locator("#queue li[data-state=sent]")).to_have_count(1)
    assert [participants for participants, _ in field.stored()] == ["张三、王五"]


def test_who_was_signed_out_meanwhile_signs_in_again_and_loses_nothing(phone: BrowserContext, field: Field):
    page = visited(phone, field)
    page.get_by_label("参加人员").fill("张三")
    phone.clear_cookies()
    hand_in(page)
    expect(page.locator("#queue li[data-state=queued]")).to_contain_text("登录已过期")
    assert field.stored() == []

    come_in(page, "DISTRICT_INDUSTRY")
    page.goto(field.sheet)
    expect(page.locator("#queue li[data-state=sent]")).to_have_count(1)
    assert len(field.stored()) == 1


def test_another_person_on_the_same_phone_neither_sees_nor_sends_it(phone: BrowserContext, field: Field):
    page = visited(phone, field)
    phone.set_offline(True)
    page.get_by_label("参加人员").fill("张三")
    hand_in(page)
    expect(page.locator("#queue li[data-state=queued]")).to_have_count(1)
    page.close()
    phone.clear_cookies()
    phone.set_offline(False)

    page = phone.new_page()
    come_in(page, "DISTRICT_ENVIRONMENT")
    page.goto(field.sheet)
    page.locator("#site-check[data-kept]").wait_for()

    expect(page.locator("#queue li")).to_have_count(0)
    expect(page.get_by_label("参加人员")).to_have_value("")
    assert field.stored() == []


def test_every_button_of_the_sheet_is_large_enough_for_a_thumb(phone: BrowserContext, field: Field):
    page = visited(phone, field)
    boxes = [
        each.bounding_box()
        for each in page.locator("#site-check .btn, #site-check .answers label").all()
        if each.is_visible()
    ]

    assert boxes
    assert min(box["height"] for box in boxes if box) >= 44
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]


# ---- a slow phone: written before the script is there ----------------------------------------


class LateScript:
    """The page is there, its script isn't yet."""

    def __init__(self, page: Page) -> None:
        self.held: list[Route] = []
        page.route("**/site-check*.js", lambda route: self.held.append(route))

    def arrive(self, page: Page) -> None:
        wait_for(page, lambda: bool(self.held))
        for route in self.held:
            route.continue_()
        page.unroute("**/site-check*.js")  # from now on it comes at once
        page.locator("#site-check-form[data-ready]").wait_for()


def opened_without_script(phone: BrowserContext, field: Field) -> tuple[Page, LateScript]:
    page = phone.new_page()
    late = LateScript(page)
    page.goto(field.sheet, wait_until="commit")
    return page, late


def test_what_was_written_before_the_script_came_stays_and_is_kept(phone: BrowserContext, field: Field):
    come_in(phone.new_page(), "DISTRICT_INDUSTRY")
    page, late = opened_without_script(phone, field)
    page.get_by_label("参加人员").fill("张三")
    first = page.locator("[data-criterion]").first
    first.get_by_text("不属实", exact=True).tap()
    first.locator("textarea").fill("没有标识。")
    page.locator("#album").set_input_files({"name": "库房.png", "mimeType": "image/png", "buffer": picture()})
    expect(page.get_by_role("button", name="完成并上传")).to_be_disabled()  # it would send nothing yet
    late.arrive(page)

    expect(page.get_by_label("参加人员")).to_have_value("张三")
    expect(first.get_by_label("不属实")).to_be_checked()
    expect(first.locator("textarea")).to_have_value("没有标识。")
    expect(page.locator("#photos img")).to_have_count(1)
    expect(page.locator("#kept")).to_contain_text("已存到本机")
    hand_in(page)
    expect(page.locator("#queue li[data-state=sent]")).to_have_count(1)
    [(participants, criteria)] = field.stored()
    assert participants == "张三"
    assert '"seen": "NO"' in criteria
    assert len(field.photos()) == 1


def test_a_draft_is_completed_by_what_was_written_before_the_script_came(phone: BrowserContext, field: Field):
    page = visited(phone, field)
    page.get_by_label("参加人员").fill("张三")
    page.get_by_label("核查意见").fill("昨天的意见")
    expect(page.locator("#kept")).to_contain_text("已存到本机")
    page.evaluate(  # a worker would bring the script from the phone at once
        "navigator.serviceWorker.getRegistration().then((each) => each.unregister())"
    )
    page.close()

    page, late = opened_without_script(phone, field)
    page.get_by_label("核查意见").fill("今天的意见")
    late.arrive(page)

    expect(page.get_by_label("参加人员")).to_have_value("张三")
    expect(page.get_by_label("核查意见")).to_have_value("今天的意见")
    expect(page.locator("#kept")).to_contain_text("已存到本机")
    page.reload()
    page.locator("#site-check-form[data-ready]").wait_for()
    expect(page.get_by_label("核查意见")).to_have_value("今天的意见")


def test_what_was_handed_in_does_not_come_back_with_the_page(phone: BrowserContext, field: Field):
    """The control: a browser that fills in again what stood in the fields brings back nothing."""
    page = visited(phone, field)
    page.get_by_label("参加人员").fill("张三")
    hand_in(page)
    expect(page.locator("#queue li[data-state=sent]")).to_have_count(1)
    page.goto("/reviews/site-checks/")
    page.go_back()
    page.locator("#site-check-form[data-ready]").wait_for()
    expect(page.get_by_label("参加人员")).to_have_value("")
