"""The editor of a case with one person in it: whatever is typed and pressed in whatever order, nothing clashes."""

import re
import sqlite3
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import APIResponse, Browser, Page, Response, Route, expect

from tests.browser.conftest import WIDE
from tests.browser.small_site import SmallSite, small_site
from tests.browser.visiting import PASSWORD, come_in

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PREPARE = f"""
from wufei.cases import services
world = worlds.build(experts=0, second_officers=False)
person = world.people["applicant"]
person.set_password({PASSWORD!r})
person.save()
case = services.open_case(
    organisation=world.works, edition_id=worlds.CHONGQING, year=2025, by=person, now=now
)
print(f"/o/{{world.works.uscc}}/cases/{{case.pk}}/")
"""


@pytest.fixture(scope="module")
def site_with_a_case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallSite]:
    with small_site(tmp_path_factory.mktemp("editor"), PREPARE) as site:
        yield site


@pytest.fixture
def refused() -> list[str]:
    """Collect what the server refused."""
    return []


@pytest.fixture
def page(site_with_a_case: SmallSite, browser: Browser, refused: list[str]) -> Iterator[Page]:
    context = browser.new_context(viewport=WIDE, locale="zh-CN", base_url=site_with_a_case.address)
    context.set_default_timeout(15_000)
    opened = context.new_page()
    come_in(opened, "applicant")

    def note(answer: Response) -> None:
        if answer.status >= 400:
            refused.append(f"{answer.status} {answer.request.method} {answer.url}")

    opened.on("response", note)
    opened.goto(site_with_a_case.said[0])
    yield opened
    context.close()


@pytest.fixture
def stored(site_with_a_case: SmallSite) -> Callable[[str], str]:
    def of(field: str) -> str:
        with sqlite3.connect(site_with_a_case.data / "wufei.sqlite3") as store:
            [(text,)] = store.execute(f"SELECT {field} FROM cases_case").fetchall()
        return str(text)

    return of


class Held:
    """Autosaves that reached the server, and whose answers are still on their way."""

    def __init__(self, page: Page) -> None:
        self.answers: list[tuple[Route, APIResponse]] = []
        self.is_holding = True
        page.route("**/save/", self._take)

    def _take(self, route: Route) -> None:
        if self.is_holding:
            self.answers.append((route, route.fetch()))
        else:
            route.continue_()

    def let_go(self) -> None:
        self.is_holding = False
        for route, answer in self.answers:
            route.fulfill(response=answer)


def save_all(page: Page) -> None:
    page.get_by_role("button", name="全部保存").click()


def test_saving_all_waits_for_the_autosave_that_is_on_its_way(
    page: Page, stored: Callable[[str], str], refused: list[str]
):
    held = Held(page)
    box = page.get_by_label("主要做法")
    box.press_sequentially("一期")
    page.wait_for_timeout(2_000)  # the autosave left, the server has it
    assert [answer.status for _, answer in held.answers] == [200]
    box.press_sequentially("和二期")
    save_all(page)
    page.wait_for_timeout(400)
    held.let_go()

    expect(page.get_by_text("已保存。", exact=True)).to_be_visible()
    expect(box).to_have_value("一期和二期")
    assert stored("practices") == "一期和二期"
    assert refused == []


def test_saving_all_right_after_typing_never_clashes_with_oneself(
    page: Page, stored: Callable[[str], str], refused: list[str]
):
    for turn in range(6):
        page.get_by_label("建设方案制定情况").fill(f"计划{turn}")
        page.get_by_label("取得的成效").fill(f"成效{turn}")
        page.get_by_label("建设方案制定情况").press_sequentially("。")
        # Not expect_navigation: htmx's own history entry counts as one, and the texts are not saved by then.
        with page.expect_response(lambda answer: answer.request.is_navigation_request()) as whole:
            save_all(page)
        assert whole.value.status == 302
        page.wait_for_load_state()
        expect(page.get_by_text("已保存。", exact=True)).to_be_visible()
        assert (stored("plan"), stored("results")) == (f"计划{turn}。", f"成效{turn}")
    assert refused == []


def test_a_second_press_while_waiting_saves_once(page: Page, refused: list[str]):
    held = Held(page)
    page.get_by_label("主要做法").press_sequentially("三期")
    page.wait_for_timeout(2_000)
    sent: list[str] = []
    page.on("request", lambda request: request.is_navigation_request() and sent.append(request.method))
    save_all(page)
    save_all(page)
    page.wait_for_timeout(400)
    held.let_go()

    expect(page.get_by_text("已保存。", exact=True)).to_be_visible()
    assert sent == ["POST", "GET"]
    assert refused == []


def test_another_persons_change_is_still_shown_and_nothing_is_lost(
    page: Page, site_with_a_case: SmallSite, stored: Callable[[str], str]
):
    """The control: waiting does not mean overwriting."""
    other = page.context.new_page()
    other.goto(site_with_a_case.said[0])
    other.get_by_label("创新点").fill("别人的文字")
    save_all(other)
    expect(other.get_by_text("已保存。", exact=True)).to_be_visible()

    page.get_by_label("创新点").fill("我的文字")
    save_all(page)

    expect(page.locator("#conflict-innovation")).to_contain_text(re.compile("没有保存.*两份文字都在"))
    expect(page.get_by_label("创新点")).to_have_value("我的文字")
    assert stored("innovation") == "别人的文字"
