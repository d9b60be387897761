"""Nothing serious for axe on any main page, wide and narrow; nothing wider than the screen (promise A1)."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import NARROW, WIDE
from tests.browser.pages import PAGES, MainPage
from tests.browser.visiting import address_of

pytestmark = [pytest.mark.browser, pytest.mark.slow]
AXE = Path(__file__).parent / "vendor/axe/axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# Fields and buttons that run past the right edge of their card; what scrolls sideways on purpose may.
SPILLED = """() => [...document.querySelectorAll('.card :is(input, select, textarea, button, .btn)')]
  .filter(each => each.offsetParent && !each.closest('.table-responsive, [role=tablist], .visually-hidden')
    && each.getBoundingClientRect().width > 2
    && each.getBoundingClientRect().right > each.closest('.card').getBoundingClientRect().right + 1)
  .map(each => `spilled: ${each.outerHTML.slice(0, 100)}`)"""
PEOPLE = list(dict.fromkeys(page.person for page in PAGES))


def violations(page: Page) -> list[str]:
    # Evaluated by the browser's debugger, so the site's content policy needs no exception.
    page.evaluate(AXE.read_text())
    found = page.evaluate(
        "rules => axe.run(document, {runOnly: {type: 'tag', values: rules}}).then(r => r.violations)", RULES
    )
    return [
        f"{v['impact']} {v['id']}: {v['nodes'][0]['html'][:120]} ({len(v['nodes'])})"
        for v in found
        if v["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("person", PEOPLE)
@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
def test_pages_are_accessible(sign_in: Callable[..., Page], person: str | None, viewport):
    page = sign_in(person, viewport=viewport)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    faults: dict[str, list[str]] = {}
    for each in (p for p in PAGES if p.person == person):
        faults[each.name] = _faults(page, each, viewport) + errors
        errors.clear()
    assert {name: found for name, found in faults.items() if found} == {}


def _faults(page: Page, each: MainPage, viewport: dict[str, int]) -> list[str]:
    answer = page.goto(address_of(page, each))
    if answer is None or answer.status != 200:
        return [f"status {answer and answer.status}"]
    page.wait_for_timeout(300)
    found = violations(page)
    width = page.evaluate("document.documentElement.scrollWidth")
    if width > viewport["width"] + 1:
        found.append(f"{width} px wide on a screen of {viewport['width']}")
    return found + page.evaluate(SPILLED)


def test_axe_finds_what_is_wrong(sign_in: Callable[..., Page]):
    """The control: an unlabelled field is found."""
    page = sign_in(None)
    page.goto("/sign-in/")
    assert violations(page) == []
    page.evaluate("document.querySelectorAll('label').forEach(label => label.remove())")
    page.evaluate(
        "document.querySelectorAll('input').forEach(i => {i.removeAttribute('aria-label'); i.placeholder = ''})"
    )
    assert any("label" in found for found in violations(page))
