"""The site as people meet it: the demo district, served by `wufei serve`, seen in the system's Chromium."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests import stores
from tests.browser.visiting import come_in, prepare

WUFEI = [sys.executable, "-m", "wufei.web.cli"]
# Without these, Chromium looks for hosts outside at every start.
QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


def chromium() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    if os.environ.get("CI") == "true":
        pytest.fail("CI 上没有 Chromium：tools/install_test_system 没有装上")
    pytest.skip("本机没有 Chromium，浏览器测试全部跳过！请装 chromium 后重跑")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def site_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where the site keeps its database and files."""
    return tmp_path_factory.mktemp("site")


@pytest.fixture(scope="session")
def site(site_data: Path, browser: Browser) -> Iterator[str]:
    """Return the address of a site with the demo data, made and started by the commands themselves."""
    stores.copy_demo(site_data)
    environment = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
    environment |= {"WUFEI_DATA": str(site_data)}
    port = free_port()
    server = subprocess.Popen([*WUFEI, "serve", "--port", str(port)], env=environment)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(100):
            try:
                urllib.request.urlopen(f"{address}/healthz", timeout=2)
                break
            except OSError:
                time.sleep(0.3)
        prepare(browser, address)
        yield address
    finally:
        server.terminate()
        server.wait(timeout=30)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = chromium()
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=path, args=QUIET)


@pytest.fixture
def sign_in(site: str, browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open a page as a person: `sign_in("power", viewport=NARROW)`."""
    contexts = []

    def as_person(username: str | None, *, viewport: dict[str, int] = WIDE) -> Page:
        context = browser.new_context(viewport=viewport, locale="zh-CN", base_url=site, accept_downloads=True)
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        if username:
            come_in(page, username)
        return page

    yield as_person
    for context in contexts:
        context.close()
