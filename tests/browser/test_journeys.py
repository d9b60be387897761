"""A person's whole job, in the browser."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NARROW
from tests.browser.pages import PARK, POWER
from wufei.demo.district import district, workbooks
from wufei.demo.writing import written

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_figure_leads_down_to_a_single_movement(sign_in: Callable[..., Page]):
    """从哪里来: from the rate to the movement."""
    page = sign_in("power")
    page.goto(f"/o/{POWER}/figures/utilisation_rate_pct/2025/")
    expect(page.locator("body")).to_contain_text("98.12")
    expect(page.locator("body")).to_contain_text("综合利用往年贮存量")
    page.get_by_role("link", name=re.compile("条记录")).first.click()
    page.get_by_role("link", name=re.compile(r"^#\d+")).first.click()
    expect(page).to_have_url(re.compile(r"/ledger/\d+/"))
    expect(page.locator("h1")).to_contain_text("吨")


def test_an_officer_sees_why_each_requirement_is_met_and_downloads_the_case_file(
    sign_in: Callable[..., Page], tmp_path: Path
):
    page = sign_in("power")
    page.goto(f"/o/{POWER}/evaluation/chongqing-2026-6-enterprise/2025/")
    expect(page.locator("body")).to_contain_text("工信厅联节函〔2025〕539号")
    expect(page.locator("body")).to_contain_text("98.120")
    page.goto(f"/o/{POWER}/cases/")
    page.get_by_role("link", name=re.compile("三路消纳")).click()
    expect(page.locator("body")).to_contain_text("8,000")
    page.get_by_role("link", name="检查与下载").click()
    said = {}
    for name in ("申报书.docx", "汇总表.xlsx", "provenance.json"):
        with page.expect_download() as download:
            page.get_by_role("link", name=re.compile(re.escape(name))).first.click()
        said[name] = tmp_path / name
        download.value.save_as(said[name])
    assert said["申报书.docx"].read_bytes()[:2] == b"PK"
    assert len(json.loads(said["provenance.json"].read_text())["numbers"]) > 50


def test_a_worker_enters_what_was_weighed_on_a_phone_and_reads_why_too_much_is_refused(
    sign_in: Callable[..., Page],
):
    page = sign_in("power-worker", viewport=NARROW)
    page.goto(f"/o/{POWER}/ledger/new/")
    page.get_by_label("环节").select_option(label="自行利用")
    page.get_by_label("废物").select_option(index=1)
    page.get_by_label("数量").fill("99999999")
    page.get_by_role("button", name=re.compile("再记一笔")).click()
    expect(page.locator("body")).to_contain_text("库存不足")
    page.get_by_label("数量").fill("1.5")
    page.get_by_role("button", name=re.compile("再记一笔")).click()
    expect(page.locator("body")).to_contain_text(re.compile("已记账|记好|已记"))
    page.goto(f"/o/{POWER}/ledger/")
    expect(page.locator("body")).to_contain_text("1.5")


def test_a_workbook_is_previewed_then_posted_and_a_second_time_posts_nothing(
    sign_in: Callable[..., Page], tmp_path: Path
):
    smelter = next(w for w in workbooks() if w.id == "smelter")
    page = sign_in("smelter")
    path = tmp_path / "补充.xlsx"
    smelter.sheets["台账"].append(
        [smelter.sheets["台账"][-1][0], "W01", "产生", 12.5, "吨", "", "", "K01", "", "邓小琴", "补记"]
    )
    path.write_bytes(written(smelter))
    for expected in ("1", "0"):
        page.goto(f"/o/{smelter.uscc}/import/")
        page.locator("input[type=file]").set_input_files(path)
        page.get_by_role("button", name=re.compile("上传")).click()
        page.wait_for_url(re.compile(r"/import/\d+/"), timeout=60_000)
        confirm = page.get_by_role("button", name=re.compile("导入"))
        if expected == "1":
            confirm.first.click()
            expect(page.locator("body")).to_contain_text(re.compile("已导入|导入完成|完成"), timeout=60_000)
        else:
            expect(page.locator("body")).to_contain_text(re.compile("已导入过|没有新|不再记账|0"))


def test_the_park_sees_its_members_and_its_largest_generators(sign_in: Callable[..., Page]):
    page = sign_in("park")
    page.goto(f"/o/{PARK}/")
    members = [each["name"] for each in district()["enterprises"] if each["in_park"] == "true"]
    for name in members:
        expect(page.locator("body")).to_contain_text(name)
    expect(page.locator("body")).to_contain_text("92.18")


def test_a_stranger_sees_nothing_of_another_enterprise(sign_in: Callable[..., Page]):
    page = sign_in("gear")
    answer = page.goto(f"/o/{POWER}/ledger/")
    assert answer is not None
    assert answer.status == 404


def test_everything_on_the_sign_in_page_is_reached_by_keyboard(sign_in: Callable[..., Page]):
    page = sign_in(None)
    page.goto("/sign-in/")
    page.get_by_label("用户名").focus()
    page.keyboard.type("power")
    page.keyboard.press("Tab")
    page.keyboard.type("wufei-demo-2026")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "sign-in" not in url)
    page.keyboard.press("Tab")
    focused = page.evaluate("document.activeElement.textContent.trim()")
    assert focused.startswith("跳")  # the way past the navigation comes first
