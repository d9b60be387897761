"""A driver's phone reports where it is: only from the button on, and what was seen without a network comes later."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import NARROW
from tests.browser.small_site import small_site
from tests.browser.visiting import PASSWORD, come_in

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PREPARE = f"""
from datetime import timedelta
from tests.rooms.transfers import world as transfers
world = transfers.build()
world.now = now - timedelta(hours=1)
manifest = world.loaded()
world.driver.username = "driver"
world.driver.set_password({PASSWORD!r})
world.driver.save()
print(world.carrier.uscc)
print(manifest.number)
"""
PLACES = ((29.028, 106.651), (29.031, 106.655))


@dataclass(frozen=True)
class Road:
    address: str
    data: Path
    page: str

    def kept(self) -> list[tuple[int, int]]:
        with sqlite3.connect(self.data / "wufei.sqlite3") as store:
            rows = store.execute(
                "SELECT latitude_udeg, longitude_udeg FROM tracking_position WHERE refusal = '' ORDER BY sequence"
            )
            return rows.fetchall()


@pytest.fixture(scope="module")
def road(tmp_path_factory) -> Iterator[Road]:
    with small_site(tmp_path_factory.mktemp("road"), PREPARE) as site:
        uscc, number = site.said[-2:]
        yield Road(site.address, site.data, f"/o/{uscc}/tracks/{number}/report/")


def test_a_phone_reports_from_the_button_on_and_later_what_it_saw_without_a_network(road, browser: Browser):
    context = browser.new_context(
        viewport=NARROW, locale="zh-CN", base_url=road.address, permissions=["geolocation"],
        geolocation={"latitude": PLACES[0][0], "longitude": PLACES[0][1]},
    )  # fmt: skip
    context.set_default_timeout(15_000)
    page = context.new_page()
    faults: list[str] = []
    page.on("console", lambda each: faults.append(each.text) if "Content Security" in each.text else None)
    come_in(page, "driver")
    page.goto(road.page)
    expect(page.locator("#report-state")).to_have_text("没有上报。")
    page.wait_for_timeout(4000)
    assert road.kept() == []

    page.click("#report-begin")
    expect(page.locator("#report-sent")).to_have_text("1", timeout=30_000)
    assert road.kept() == [(29_028_000, 106_651_000)]

    context.set_offline(True)
    page.wait_for_timeout(11_000)  # the phone is asked every ten seconds at most
    context.set_geolocation({"latitude": PLACES[1][0], "longitude": PLACES[1][1]})
    expect(page.locator("#report-waiting")).not_to_have_text("0")
    page.click("#report-end")
    expect(page.locator("#report-state")).to_contain_text("没有网络")
    context.set_offline(False)
    expect(page.locator("#report-waiting")).to_have_text("0", timeout=30_000)
    assert road.kept()[-1] == (29_031_000, 106_655_000)
    assert faults == []
    context.close()
