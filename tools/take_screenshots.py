"""Take the pictures of the main pages, wide and phone-narrow, for docs/screens/; of those named, or of all."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from playwright.sync_api import sync_playwright

from tests.browser.conftest import NARROW, QUIET, WIDE, WUFEI, chromium, free_port
from tests.browser.pages import PAGES
from tests.browser.visiting import address_of, come_in, prepare

SCREENS = ROOT / "docs/screens"


def main() -> None:
    data = tempfile.mkdtemp(prefix="wufei-screens-")
    environment = os.environ | {"WUFEI_DATA": data}
    subprocess.run([*WUFEI, "demo", "--no-serve"], env=environment, check=True, stdout=subprocess.DEVNULL)
    port = free_port()
    server = subprocess.Popen([*WUFEI, "serve", "--port", str(port)], env=environment)
    try:
        wait_for(f"http://127.0.0.1:{port}/healthz")
        take(f"http://127.0.0.1:{port}")
    finally:
        server.terminate()
        server.wait(timeout=30)
        shutil.rmtree(data, ignore_errors=True)


def wait_for(address: str) -> None:
    for _ in range(400):
        try:
            urllib.request.urlopen(address, timeout=2)
            return
        except OSError:
            time.sleep(0.3)
    raise SystemExit(f"{address} 没有答复。")


def take(site: str) -> None:
    SCREENS.mkdir(parents=True, exist_ok=True)
    wanted = set(sys.argv[1:])
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=QUIET)
        prepare(browser, site)
        for person in dict.fromkeys(p.person for p in PAGES if not wanted or p.name in wanted):
            for size, viewport in (("wide", WIDE), ("phone", NARROW)):
                context = browser.new_context(viewport=viewport, locale="zh-CN", base_url=site)
                tab = context.new_page()
                if person:
                    come_in(tab, person)
                for page in PAGES:
                    if page.person == person and (not wanted or page.name in wanted):
                        tab.goto(address_of(tab, page), wait_until="networkidle")
                        tab.wait_for_timeout(700)  # charts draw themselves
                        tab.screenshot(path=SCREENS / f"{page.name}-{size}.png")
                context.close()


if __name__ == "__main__":
    main()
