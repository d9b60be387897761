"""
Ask Lighthouse for the accessibility score of every main page, for docs/accessibility.md (promise A1).

Lighthouse is no Python package, so it is installed apart: `npm install lighthouse` in a folder of your own, then
`tools/measure_accessibility.py --lighthouse FOLDER/node_modules/.bin/lighthouse`. Exits 1 where a page is below 95.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from playwright.sync_api import Page, sync_playwright
from take_screenshots import wait_for

from tests.browser.conftest import QUIET, WUFEI, chromium, free_port
from tests.browser.pages import PAGES, MainPage
from tests.browser.visiting import address_of, come_in, prepare

REPORT = ROOT / "docs/accessibility.md"
PROMISED = 95
FORMS = {"desktop": ["--preset=desktop"], "mobile": ["--form-factor=mobile"]}
ONLY_ACCESSIBILITY = [
    "--only-categories=accessibility", "--output=json", "--quiet", "--no-enable-error-reporting",
    "--disable-storage-reset", "--disable-full-page-screenshot",
]  # fmt: skip


class NotMeasured(Exception):
    """Lighthouse did not see the page that was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    page: MainPage
    form: str
    points: int
    failed: tuple[str, ...]  # audits, also those without weight
    by: str


def main() -> int:
    said = _arguments()
    pages = [page for page in PAGES if not said.page or page.name in said.page]
    scores = []
    with _site() as site:
        for score in _measure(site, pages, said.lighthouse):
            print(f"{score.points:3} {score.form:7} {score.page.name}", *score.failed, flush=True)
            scores.append(score)
    if not said.page:
        REPORT.write_text(_report(scores))
    return 1 if any(score.points < PROMISED for score in scores) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lighthouse", type=Path, required=True, help="the command that npm installed")
    parser.add_argument(
        "--page",
        action="append",
        choices=[page.name for page in PAGES],
        help="only this one, and write nothing",
    )
    said = parser.parse_args()
    if not said.lighthouse.exists():
        parser.error(f"there is no {said.lighthouse}")
    return said


@contextmanager
def _site() -> Iterator[str]:
    """Serve the demo district from a folder that is thrown away."""
    with tempfile.TemporaryDirectory(prefix="wufei-accessibility-", ignore_cleanup_errors=True) as data:
        environment = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
        environment |= {"WUFEI_DATA": data}
        subprocess.run([*WUFEI, "demo", "--no-serve"], env=environment, check=True, stdout=subprocess.DEVNULL)
        port = free_port()
        server = subprocess.Popen([*WUFEI, "serve", "--port", str(port)], env=environment)
        try:
            wait_for(f"http://127.0.0.1:{port}/healthz")
            with sync_playwright() as playwright:
                prepare(
                    playwright.chromium.launch(executable_path=chromium(), args=QUIET),
                    f"http://127.0.0.1:{port}",
                )
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(timeout=30)


def _measure(site: str, pages: Sequence[MainPage], lighthouse: Path) -> Iterator[Score]:
    for person in dict.fromkeys(page.person for page in pages):
        with _browser_of(site, person) as (port, tab):
            for page in (page for page in pages if page.person == person):
                address = address_of(tab, page)
                for form in FORMS:
                    yield _score(site, page, address, form, lighthouse, port)


@contextmanager
def _browser_of(site: str, person: str | None) -> Iterator[tuple[int, Page]]:
    """Open a browser in which the person is signed in; return the port by which Lighthouse joins it, and a page of ours."""
    port = free_port()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile, sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile,
            executable_path=chromium(),
            args=[*QUIET, f"--remote-debugging-port={port}"],
            locale="zh-CN",
            base_url=site,
        )
        tab = context.new_page()
        if person:
            come_in(tab, person)
        try:
            yield port, tab
        finally:
            context.close()


def _score(site: str, page: MainPage, address: str, form: str, lighthouse: Path, port: int) -> Score:
    command = [str(lighthouse), site + address, f"--port={port}", *FORMS[form], *ONLY_ACCESSIBILITY]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180)
    if done.returncode:
        raise NotMeasured(f"{page.name}: {done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    # Who may not see a page is sent to the sign-in, which has a fine score of its own.
    if urlsplit(found["finalDisplayedUrl"]).path != urlsplit(address).path:
        raise NotMeasured(f"{page.name}: sent on to {found['finalDisplayedUrl']}")
    category = found["categories"]["accessibility"]
    if category["score"] is None:
        raise NotMeasured(f"{page.name}: an audit broke down")
    audits = (found["audits"][each["id"]] for each in category["auditRefs"])
    return Score(
        page=page,
        form=form,
        points=round(category["score"] * 100),
        failed=tuple(audit["id"] for audit in audits if audit["score"] is not None and audit["score"] < 1),
        by=f"Lighthouse {found['lighthouseVersion']}, {found['environment']['hostUserAgent'].split()[-2]}",
    )


def _report(scores: Sequence[Score]) -> str:
    lines = [
        "# Accessibility",
        "",
        "Written by `tools/measure_accessibility.py`: the accessibility score of Lighthouse for every page of",
        f"`tests/browser/pages.py`, with the demo district, as the person named. Promised (A1): at least {PROMISED}",
        "everywhere, and nothing serious for axe, which `tests/browser/test_accessibility.py` holds in `make test`.",
        "",
        f"Measured on {date.today()} with {scores[0].by}. Lowest score: {min(s.points for s in scores)}.",
        "",
        f"| page | person | {' | '.join(FORMS)} | failed audits |",
        f"|---|---|{'--:|' * len(FORMS)}---|",
    ]
    for page in dict.fromkeys(score.page for score in scores):
        own = [score for score in scores if score.page == page]
        failed = ", ".join(dict.fromkeys(f"`{audit}`" for score in own for audit in score.failed))
        points = " | ".join(str(score.points) for score in own)
        lines.append(f"| {page.name} | {page.person or '—'} | {points} | {failed or '—'} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
