"""How a person comes to a page: signs in, and what must have happened before some pages are there."""

import re
from base64 import b32decode
from urllib.parse import urlsplit

from django_otp.oath import totp
from playwright.sync_api import Browser, Page

from tests.browser.pages import MainPage
from wufei.demo.district import workbooks
from wufei.demo.writing import written

PASSWORD = "wufei-demo-2026"
SECOND_STEP = "repair"  # who enrols a second factor, and from then on is asked for it
STAGED = "gear"  # whose workbook waits for confirmation


def come_in(page: Page, person: str) -> None:
    """Sign in; who has a second factor is left at its page."""
    page.goto("/sign-in/")
    page.get_by_label("用户名").fill(person)
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    page.wait_for_url(lambda url: urlsplit(url).path != "/sign-in/")


def address_of(page: Page, wanted: MainPage) -> str:
    """Return where the page is in this store; the person has signed in."""
    if not wanted.link:
        return wanted.path
    page.goto(wanted.path)
    hrefs = page.locator("#content a").evaluate_all("links => links.map(each => each.getAttribute('href'))")
    found = [href for href in hrefs if href and re.match(wanted.link, href)]
    assert found, f"{wanted.name}: no link like {wanted.link} on {wanted.path}"
    return str(found[0])


def prepare(browser: Browser, site: str) -> None:
    """Do once on a new site what some pages need: a workbook staged but not confirmed, a second factor."""
    for person, what in ((STAGED, _stage), (SECOND_STEP, _enrol)):
        context = browser.new_context(locale="zh-CN", base_url=site)
        context.set_default_timeout(30_000)
        page = context.new_page()
        come_in(page, person)
        what(page)
        context.close()


def _stage(page: Page) -> None:
    """Upload a workbook with rows that would post and rows that are wrong."""
    [book] = [each for each in workbooks() if each.id == STAGED]
    day = book.sheets["台账"][-1][0]
    book.sheets["台账"][:] = [
        [day, "W01", "产生", 12.5, "吨", "", "", "K01", "", "黎静", "演示"],
        [day, "W01", "产生", -3, "吨", "", "", "K01", "", "黎静", "负数"],
        ["2025年2月30日", "W01", "产生", 3, "吨", "", "", "K01", "", "黎静", "没有这一天"],
        [day, "W99", "产生", 3, "吨", "", "", "K01", "", "黎静", "没有这种废物"],
    ]
    page.goto(f"/o/{book.uscc}/import/")
    content = {"name": "补充台账.xlsx", "mimeType": "application/octet-stream", "buffer": written(book)}
    page.locator("input[type=file]").set_input_files(content)  # type: ignore[arg-type]
    page.get_by_role("button", name=re.compile("上传")).click()
    page.wait_for_url(re.compile(r"/import/\d+/"))


def _enrol(page: Page) -> None:
    page.goto("/account/second-factor/")
    key = "".join(page.locator("#key").inner_text().split())
    code = totp(b32decode(key + "=" * (-len(key) % 8)))
    page.get_by_label(re.compile("验证码")).fill(f"{code:06d}")
    page.get_by_role("button", name="启用").click()
    page.wait_for_load_state()
