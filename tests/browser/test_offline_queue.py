"""The worker's page: weigh and save with one tap; thirty containers without a network; conflicts come back."""

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.browser.conftest import NARROW
from tests.browser.small_site import small_site
from tests.browser.test_accessibility import violations
from tests.browser.visiting import PASSWORD, come_in
from wufei.shopfloor.signing import signature
from wufei.shopfloor.simulating import sound

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# A factory for each test, in a store of our own.
TESTS = 11
PREPARE = f"""
from datetime import timedelta
from tests.tables import LedgerTable
from wufei.registry.models import Organisation, RoleAssignment, User
from wufei.shopfloor.services import register_scale
from wufei.terms.mass import Mass
for number in range({TESTS}):
    factory = Organisation.objects.create(
        uscc=conftest.valid_uscc(f"91500110MA5U{{number:05d}}"), name=f"第{{number}}厂", kind="ENTERPRISE",
        division_code="500110", created_at=now,
    )
    officer = User.objects.create_user(f"officer{{number}}", password={PASSWORD!r})
    RoleAssignment.objects.create(user=officer, organisation=factory, role="ENVIRONMENT_OFFICER")
    for name in ("worker", "other"):
        person = User.objects.create_user(f"{{name}}{{number}}", password={PASSWORD!r})
        RoleAssignment.objects.create(user=person, organisation=factory, role="WORKER")
    table = LedgerTable(organisation=factory, by=officer, now=now)
    table.stores(库1="1", 库2=None, 库3=None)
    table.streams("W1", "W2")
    table.streams("H1", waste_code="900-249-08")
    scale, secret = register_scale(
        organisation=factory, name="一号秤", store="库1", capacity=Mass(60_000), division=Mass(10),
        calibrated_until=(now + timedelta(days=300)).date(), by=officer, now=now,
    )
    print(number, factory.uscc, scale.code, secret)
"""


@dataclass(frozen=True)
class Factory:
    address: str
    data: Path
    number: str
    uscc: str
    scale: str
    secret: str

    @property
    def page(self) -> str:
        return f"/o/{self.uscc}/work/"

    def posted(self) -> list[tuple[str, str, int, str]]:
        """Return kind, lot, grams and store of each movement, in the order of the chain."""
        select = (
            "SELECT m.kind, l.code, m.mass_g, p.code FROM ledger_movement m "
            "JOIN registry_organisation o ON o.id = m.organisation_id JOIN ledger_lot l ON l.id = m.lot_id "
            "JOIN ledger_place p ON p.id = m.target_id WHERE o.uscc = ? ORDER BY m.seq"
        )
        return self._rows(select)

    def numbers(self) -> list[tuple[str, str, str]]:
        """Return lot, packaging and 数字识别码 of each container."""
        return self._rows(
            "SELECT l.code, c.packaging, c.digital_id FROM ledger_container c JOIN ledger_lot l ON l.id = c.lot_id "
            "JOIN registry_organisation o ON o.id = l.organisation_id WHERE o.uscc = ? ORDER BY l.code"
        )

    def given_up(self) -> list[tuple[str, str]]:
        return self._rows(
            "SELECT a.reason, a.refusal FROM shopfloor_abandonedentry a "
            "JOIN registry_organisation o ON o.id = a.organisation_id WHERE o.uscc = ?"
        )

    def _rows(self, select: str) -> list[tuple]:
        with sqlite3.connect(self.data / "wufei.sqlite3") as store:
            return store.execute(select, (self.uscc,)).fetchall()

    def weigh(self, sequence: int) -> int:
        """Let the scale send a reading; return its grams."""
        message = sound(self.scale, sequence, datetime.now(UTC))
        request = Request(
            f"{self.address}/api/v1/scales/{self.scale}/readings", data=json.dumps(message.said()).encode(),
            headers={"Content-Type": "application/json", "X-Wufei-Signature": signature(message, self.secret)},
        )  # fmt: skip
        assert urlopen(request, timeout=10).status == 201
        return int(message.net)


@pytest.fixture(scope="module")
def factories(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Factory]]:
    with small_site(tmp_path_factory.mktemp("floor"), PREPARE) as site:
        yield [Factory(site.address, site.data, *line.split()) for line in site.said]


@pytest.fixture
def factory(factories: list[Factory]) -> Factory:
    return factories.pop()


@pytest.fixture
def phone(factory: Factory, browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport=NARROW, locale="zh-CN", base_url=factory.address, has_touch=True)
    context.set_default_timeout(20_000)
    yield context
    context.close()


def opened(phone: BrowserContext, factory: Factory) -> Page:
    page = phone.new_page()
    page.goto(factory.page)
    page.locator("#work[data-begun]").wait_for()
    return page


def visited(phone: BrowserContext, factory: Factory, person: str = "worker") -> Page:
    """Sign in and open the page once, with a network, until it is kept on the phone; choose the stream."""
    page = phone.new_page()
    come_in(page, f"{person}{factory.number}")
    page.goto(factory.page)
    page.locator("#work[data-kept]").wait_for()
    page.locator("label.choice", has_text="废物W1").tap()  # offered at once, the first time
    expect(page.locator("#stream-said")).to_contain_text("废物W1")  # shown once it is remembered
    return page


def type_weight(page: Page, text: str) -> None:
    if page.locator("#type-instead").is_visible():
        page.locator("#type-instead").tap()
    for key in text:
        page.locator(f"[data-key='{key}']").tap()


def save(page: Page) -> None:
    page.get_by_role("button", name="保存").tap()


def wait_for(page: Page, truth: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not truth() and time.monotonic() < until:
        page.wait_for_timeout(200)  # lets the browser's events come in
    assert truth()


def test_thirty_containers_without_a_network_are_posted_once_in_order_when_it_is_back(
    phone: BrowserContext, factory: Factory
):
    visited(phone, factory).close()
    phone.set_offline(True)

    page = opened(phone, factory)  # from the phone alone
    expect(page.locator("#network")).to_contain_text("没有网络")
    expect(page.locator("#stream-said")).to_contain_text("废物W1")  # remembered
    for number in range(1, 31):
        type_weight(page, f"{number}.5")
        save(page)
        expect(page.locator("#waiting")).to_have_text(f"待上传 {number} 条")
    page.close()
    assert factory.posted() == []

    page = opened(phone, factory)  # the phone was put away meanwhile
    expect(page.locator("#waiting")).to_have_text("待上传 30 条")
    phone.set_offline(False)
    expect(page.locator("#waiting")).to_have_text("待上传 0 条", timeout=60_000)
    page.reload()
    page.locator("#work[data-begun]").wait_for()
    page.get_by_role("button", name="记录").tap()
    expect(page.locator("#queue li[data-state=sent]")).to_have_count(30)

    assert factory.posted() == [
        ("GENERATION", f"T1-{number:06d}", number * 1000 + 500, "库1") for number in range(1, 31)
    ]


def test_with_a_scale_the_usual_case_is_one_tap_and_no_typing(phone: BrowserContext, factory: Factory):
    page = visited(phone, factory)
    expect(page.locator("#weight-source")).to_contain_text("等 一号秤 的读数")
    for sequence in (1, 2):
        grams = factory.weigh(sequence)
        expect(page.locator("#weight")).to_have_text(f"{grams / 1000:g}")
        save(page)
        expect(page.locator("#done-state")).to_contain_text(f"已记账，第 {sequence} 号")
        assert factory.posted()[-1] == ("GENERATION", f"T1-{sequence:06d}", grams, "库1")
        expect(page.locator("#weight")).to_have_text("—")  # a reading is taken once

    expect(page.locator("#print")).to_be_visible()
    assert len(factory.posted()) == 2


def test_hazardous_containers_bear_numbers_without_a_network(phone: BrowserContext, factory: Factory):
    page = visited(phone, factory)
    page.locator("summary", has_text="废物").tap()
    with page.expect_response("**/work/numbers/"), page.expect_response("**/work/numbers/"):  # two days'
        page.locator("label.choice", has_text="废物H1").tap()
    page.locator("summary", has_text="包装").tap()
    page.locator("label.choice", has_text="袋").tap()
    phone.set_offline(True)
    expect(page.locator("#network")).to_contain_text("没有网络")
    shown = []
    for weight in ("20", "21"):
        type_weight(page, weight)
        save(page)
        expect(page.locator("#done-words")).to_contain_text(f"{weight} 千克")
        expect(page.locator("#done-number")).to_contain_text("数字识别码")
        shown.append(page.locator("#done-number").inner_text().removeprefix("数字识别码").replace(" ", ""))
    assert len(set(shown)) == 2
    assert all(len(number) == 37 and number.startswith(factory.uscc) for number in shown)
    phone.set_offline(False)
    expect(page.locator("#waiting")).to_have_text("待上传 0 条")
    assert factory.numbers() == [("T1-000001", "BAG", shown[0]), ("T1-000002", "BAG", shown[1])]


def test_an_answer_that_is_lost_on_the_way_posts_nothing_twice(phone: BrowserContext, factory: Factory):
    page = visited(phone, factory)
    lost = []

    def lose(route: Route) -> None:
        if not lost:
            lost.append(route.fetch().status)  # the server has it; the phone hears nothing
            route.abort()
        else:
            route.continue_()

    page.route("**/work/entries/", lose)
    type_weight(page, "12")
    save(page)
    wait_for(page, lambda: lost == [201] and len(factory.posted()) == 1)
    expect(page.locator("#waiting")).to_have_text("待上传 1 条")
    page.evaluate("window.dispatchEvent(new Event('online'))")
    expect(page.locator("#waiting")).to_have_text("待上传 0 条")
    assert factory.posted() == [("GENERATION", "T1-000001", 12_000, "库1")]


def test_a_full_store_comes_back_to_the_worker_who_mends_one_and_gives_one_up(
    phone: BrowserContext, factory: Factory
):
    page = visited(phone, factory)
    phone.set_offline(True)
    expect(page.locator("#network")).to_contain_text("没有网络")
    for weight in ("900", "200", "300", "50"):  # 库1 takes 1000
        type_weight(page, weight)
        save(page)
    expect(page.locator("#waiting")).to_have_text("待上传 4 条")
    phone.set_offline(False)
    page.get_by_role("button", name="记录").tap()
    refused = page.locator("#queue li[data-state=refused]")
    expect(refused).to_have_count(2)
    expect(refused.first).to_contain_text("超出 0.1 吨")
    expect(page.locator("#refused-said")).to_contain_text("有 2 条没有收下")

    refused.first.get_by_role("button", name="改后重交").tap()
    expect(page.locator("#weight")).to_have_text("200")
    page.locator("summary", has_text="入库").tap()
    page.locator("[data-chooses=store] label.choice", has_text="库2").tap()
    page.get_by_role("button", name="重新提交").tap()
    page.get_by_role("button", name="记录").tap()
    expect(refused).to_have_count(1)
    refused.get_by_role("button", name="放弃并说明原因").tap()
    page.get_by_label("原因").fill("称错了桶")
    page.get_by_role("button", name="放弃", exact=True).tap()
    expect(page.locator("#queue li[data-state=abandoned]")).to_have_count(1)

    assert factory.posted() == [
        ("GENERATION", "T1-000001", 900_000, "库1"), ("GENERATION", "T1-000004", 50_000, "库1"),
        ("GENERATION", "T1-000002", 200_000, "库2"),
    ]  # fmt: skip
    [(reason, refusal)] = factory.given_up()
    assert reason == "称错了桶"
    assert "超出" in refusal


def test_a_worker_who_types_on_while_the_phone_still_writes_loses_no_digit(
    phone: BrowserContext, factory: Factory
):
    page = visited(phone, factory)
    phone.set_offline(True)
    expect(page.locator("#network")).to_contain_text("没有网络")
    type_weight(page, "12")
    quick = "document.getElementById('save').click(); document.querySelector('[data-key=\"7\"]').click()"
    page.evaluate(f"{quick}; {quick}")  # both saved before either is written down
    expect(page.locator("#waiting")).to_have_text("待上传 2 条")
    expect(page.locator("#weight")).to_have_text("7")
    save(page)
    phone.set_offline(False)
    expect(page.locator("#waiting")).to_have_text("待上传 0 条")
    assert [grams for _, _, grams, _ in factory.posted()] == [12_000, 7_000, 7_000]


def scan(page: Page, text: str) -> None:
    page.keyboard.type(text)  # as a hand scanner does
    page.keyboard.press("Enter")


def test_a_container_moved_from_two_phones_is_moved_once_and_the_second_hears_of_it(
    phone: BrowserContext, factory: Factory, browser: Browser
):
    page = visited(phone, factory)
    type_weight(page, "20")
    save(page)
    expect(page.locator("#done-state")).to_contain_text("已记账")
    another = browser.new_context(viewport=NARROW, locale="zh-CN", base_url=factory.address, has_touch=True)
    second = visited(another, factory, "other")
    second.get_by_role("button", name="扫码移库").first.tap()
    expect(second.locator("#scan")).to_be_focused()
    scan(second, "T1-000001")
    expect(second.locator("#scanned")).to_contain_text("T1-000001 废物W1 20 千克（库1）")
    another.set_offline(True)
    scan(second, "库2")
    expect(second.locator("#move-done")).to_contain_text("移入 库2")
    expect(second.locator("#waiting")).to_have_text("待上传 1 条")

    page.locator("#to-store").tap()
    page.locator("#move label.choice", has_text="库3").tap()
    wait_for(page, lambda: len(factory.posted()) == 2)
    another.set_offline(False)
    second.get_by_role("button", name="记录").tap()
    refused = second.locator("#queue li[data-state=refused]")
    expect(refused).to_contain_text("这个容器现在在 库3。")
    assert factory.posted()[1:] == [("RELOCATION", "T1-000001", 20_000, "库3")]

    refused.get_by_role("button", name="改后重交").tap()
    expect(second.locator("#scanned")).to_contain_text("（库3）")
    second.locator("#move label.choice", has_text="库2").tap()
    expect(second.locator("#move-done")).to_contain_text("移入 库2")
    wait_for(second, lambda: len(factory.posted()) == 3)
    assert factory.posted()[2] == ("RELOCATION", "T1-000001", 20_000, "库2")
    another.close()


def test_who_was_signed_out_meanwhile_signs_in_again_and_loses_nothing(
    phone: BrowserContext, factory: Factory
):
    page = visited(phone, factory)
    phone.clear_cookies()
    type_weight(page, "12.5")
    save(page)
    expect(page.locator("#signed-out")).to_contain_text("登录已过期")
    expect(page.locator("#waiting")).to_have_text("待上传 1 条")
    assert factory.posted() == []

    come_in(page, f"worker{factory.number}")
    page.goto(factory.page)
    expect(page.locator("#waiting")).to_have_text("待上传 0 条")
    wait_for(page, lambda: len(factory.posted()) == 1)


def test_signing_out_with_entries_waiting_says_so_and_another_person_sends_none_of_them(
    phone: BrowserContext, factory: Factory
):
    page = visited(phone, factory)
    page.route("**/work/entries/", lambda route: route.abort())
    type_weight(page, "7")
    save(page)
    expect(page.locator("#waiting")).to_have_text("待上传 1 条")
    page.get_by_role("button", name="用户菜单").tap()
    page.get_by_role("button", name="退出登录").tap()
    expect(page.locator("#ask")).to_contain_text("还有 1 条待上传")
    page.locator("#ask").get_by_role("button", name="确定").tap()
    page.wait_for_url("**/sign-in/**")

    other = visited(phone, factory, "other")
    expect(other.locator("#waiting")).to_have_text("待上传 0 条")
    other.get_by_role("button", name="记录").tap()
    expect(other.locator("#others-said")).to_contain_text("1 条是别人填的")
    other.evaluate("window.dispatchEvent(new Event('online'))")
    other.wait_for_timeout(1500)
    assert factory.posted() == []


def test_everything_that_is_touched_is_large_enough_for_a_thumb(phone: BrowserContext, factory: Factory):
    page = visited(phone, factory)
    page.locator("#type-instead").tap()
    seen = 0
    for part in ("称重入库", "扫码移库", "记录"):
        page.locator(".tabs").get_by_role("button", name=part).tap()
        for each in page.locator(".work .btn, .work summary, .work .choice, .work input[type=text]").all():
            if each.is_visible() and (box := each.bounding_box()):
                seen += 1
                assert box["height"] >= 44, each.inner_text()
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    assert seen > 20


def test_every_part_of_the_page_and_the_scales_pages_are_accessible(phone: BrowserContext, factory: Factory):
    page = visited(phone, factory)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    type_weight(page, "2000")
    save(page)  # more than the store takes: it comes back
    page.get_by_role("button", name="记录").tap()
    expect(page.locator("#queue li[data-state=refused]")).to_have_count(1)
    faults = {"waits": violations(page)}
    page.get_by_role("button", name="放弃并说明原因").tap()
    faults["give up"] = violations(page)
    page.get_by_role("button", name="不放弃").tap()
    for part in ("称重入库", "扫码移库"):
        page.locator(".tabs").get_by_role("button", name=part).tap()
        for details in page.locator("#work details:visible").all():
            details.evaluate("each => { each.open = true }")
        faults[part] = violations(page)
    factory.weigh(1)
    phone.clear_cookies()
    come_in(page, f"officer{factory.number}")
    for path in ("scales/", "scales/new/", f"scales/{factory.scale}/", "abandoned-entries/"):
        page.goto(f"/o/{factory.uscc}/{path}")
        faults[path] = violations(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"], path
    assert {where: found for where, found in faults.items() if found} == {}
    assert errors == []
