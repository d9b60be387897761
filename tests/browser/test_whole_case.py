"""One case from the call to the public register, through every role's own pages, as `wufei serve` shows them."""

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.pages import CITY, GEAR
from wufei.demo.district import district

pytestmark = [pytest.mark.browser, pytest.mark.slow]

EDITION, TITLE = "chongqing-2026-green-factory", "市级绿色工厂全流程演练"
DATA_YEAR = date.today().year
APPLICANT = next(each["name"] for each in district()["enterprises"] if each["id"] == "gear")
EXPERTS = {"CQ001": "expert", **{f"CQ00{n}": f"expert{n}" for n in range(2, 6)}}  # as in season.yaml
SEED = "全流程-双色球-07-15-22"
PAPER = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n"
    b"trailer<</Root 1 0 R>>\nstartxref\n0\n%%EOF\n"
)
LETTER = {"name": "复函.pdf", "mimeType": "application/pdf", "buffer": PAPER}
WRITTEN = {
    "title": "齿轮厂绿色工厂创建",
    "brief_description": "企业按评价要求完成自评价，指标和佐证材料均可追溯到台账。",
    "self_description": "本厂近年持续开展节能、节水和固体废物综合利用，建立了目标责任制。",
    "plan": "逐条梳理产废环节，制定年度任务和目标。",
    "practices": "从源头减量、过程控制和综合利用三方面开展工作。",
    "results": "综合利用量稳定，填埋量逐年下降。",
    "innovation": "把利用单位的质量要求前移到产废环节控制。",
    "conditions": "适用于周边有利用单位的企业。",
}
Person = Callable[[str | None], Page]


@pytest.fixture
def as_(sign_in: Callable[..., Page]) -> Person:
    """Return a person's page: signed in once, then the same again."""
    pages: dict[str | None, Page] = {}

    def page(person: str | None) -> Page:
        if person not in pages:
            pages[person] = sign_in(person)
        return pages[person]

    return page


def test_a_case_goes_through_all_hands_from_the_call_to_the_public_register(as_: Person, site_data: Path):
    """征集、申报、退回、补正、核实、征求意见、推荐、审查、抽取、评分、公示、异议、认定、列入名单."""
    at_round = call(as_("city"))
    code = hand_in(as_("gear"), at_round)
    told(as_, code, "区县审核中")
    no_button(as_, code, "gear", "city", "district-environment", "north-industry")

    send_back(as_("district-industry"), code)
    told(as_, code, "退回补正")
    correct(as_("gear"), code)
    told(as_, code, "区县审核中")

    decide(as_("district-industry"), code, "同意")
    told(as_, code, "现场核实")
    check_on_site(as_("district-industry"), code)
    decide(as_("district-industry"), code, "同意")
    told(as_, code, "区县审核中")
    consult(as_, code)
    decide(as_("district-industry"), code, "本环节办结")
    no_button(as_, code, "city", "district-environment", "district-tax")
    decide(as_("district-industry"), code, "同意", "列入推荐名单。")
    told(as_, code, "市级审核中")
    no_button(as_, code, "district-industry", "expert")

    decide(as_("city"), code, "同意", "材料齐全，符合要求。")
    told(as_, code, "市级评审中")
    for username in draw_and_assign(as_("city"), at_round):
        score(as_(username), code)
    decide(as_("city"), code, "本环节办结")
    rank(as_("city"), at_round, code)
    decide(as_("city"), code, "同意", "列入拟入围名单。")
    told(as_, code, "市级评审中")  # the shortlist is not told before it is public

    notice_id = put_up_notice(as_("city"), at_round, code)
    told(as_, code, "公示中")
    receipt = object_to(as_(None), notice_id)
    settle(as_("city"), notice_id, receipt)
    ask_what_became_of(as_(None), receipt)
    the_notice_ran_out(site_data, notice_id)
    clear(as_("city"), notice_id)
    told(as_, code, "等待公布")

    nobody_decides_what_they_reviewed(as_("city"), code)
    decide(as_("city-chief"), code, "认定", "同意认定。")
    told(as_, code, "已认定")
    number = enter_title(as_("city-chief"), code)
    the_public_reads(as_(None), number)


def told(as_: Person, code: str, words: str) -> None:
    """The applicant reads these words for where its case is, at its case and in its list."""
    page = as_("gear")
    page.goto(f"/reviews/applications/{code}/")
    expect(page.locator("#about")).to_have_text(words)
    page.goto("/reviews/mine/")
    expect(page.get_by_role("row").filter(has_text=code)).to_contain_text(words)


def confirm(page: Page) -> None:
    page.locator("dialog[open] button[value=yes]").click()


def decide(page: Page, code: str, action: str, words: str = "同意。") -> None:
    page.goto(f"/reviews/applications/{code}/")
    page.get_by_label("意见", exact=True).fill(words)
    page.get_by_role("button", name=action, exact=True).click()
    expect(page.get_by_text(f"已办理：{action}。")).to_be_visible()


# ---- the call and the applicant ----------------------------------------------------------------


def call(page: Page) -> str:
    """Open a round, set its deadline, publish it; return its address."""
    page.goto("/reviews/rounds/")
    page.get_by_role("link", name="发起一轮申报").first.click()
    page.get_by_label("政策版本").select_option(EDITION)
    page.get_by_label("年度").fill(str(DATA_YEAR + 1))
    page.get_by_role("button", name="发起").click()
    page.get_by_label("名称").fill(TITLE)
    page.get_by_label("通知正文").fill("请符合条件的企业自愿申报，如实填报并提供佐证材料。")
    page.get_by_label("报送截止日期").fill((date.today() + timedelta(days=30)).isoformat())
    page.get_by_role("button", name="保存").click()
    page.get_by_role("button", name="发布").click()
    confirm(page)
    expect(page.get_by_text("已发布，开始接收申报。")).to_be_visible()
    return re.sub(r"^.*?(/reviews/)", r"\1", page.url)


def hand_in(page: Page, at_round: str) -> str:
    """Write the case, mark it as ready, hand it in; return its code."""
    page.goto(f"/o/{GEAR}/cases/")
    page.get_by_label("政策").select_option(EDITION)
    page.get_by_label("数据年度").select_option(str(DATA_YEAR))
    page.get_by_role("button", name="打开").click()
    page.wait_for_url(re.compile(r"/cases/\d+/"))
    write(page, WRITTEN)
    page.get_by_role("link", name="检查与下载").click()
    page.get_by_role("button", name="写完了，标为待报送").click()
    expect(page.get_by_text("待报送").first).to_be_visible()
    page.goto("/reviews/mine/")
    page.get_by_role("row").filter(has_text=TITLE).get_by_role("button", name="报送").click()
    confirm(page)
    expect(page.get_by_text("已报送，编号")).to_be_visible()
    return page.url.rstrip("/").rsplit("/", 1)[-1]


def write(page: Page, texts: dict[str, str]) -> None:
    """Type; the page saves by itself, and says when all is saved."""
    for name, words in texts.items():
        page.locator(f"#id-{name}").fill(words)
        page.locator(f"#id-{name}").blur()
    expect(page.locator("[data-all-saved]")).to_have_text("全部已保存。", timeout=20_000)


def correct(page: Page, code: str) -> None:
    """Read what is said of the field, go there, correct it, hand in again; the second version is kept."""
    page.goto(f"/reviews/applications/{code}/")
    expect(page.get_by_text("请写明去向和凭证。").first).to_be_visible()
    page.get_by_role("link", name=re.compile("^去改")).click()
    expect(page).to_have_url(re.compile("#field-results$"))
    write(page, {"results": "综合利用量稳定，去向为两家建材企业，凭证见台账。"})
    page.get_by_role("link", name="检查与下载").click()
    page.get_by_role("button", name="写完了，标为待报送").click()
    expect(page.get_by_text("待报送").first).to_be_visible()
    page.goto(f"/reviews/applications/{code}/")
    page.get_by_role("button", name="重新报送").click()
    confirm(page)
    expect(page.get_by_text("第 2 版").first).to_be_visible()


# ---- the district ------------------------------------------------------------------------------


def no_button(as_: Person, code: str, *people: str) -> None:
    """Whoever's turn it is not finds nothing to decide with, or not even the case."""
    for person in people:
        page = as_(person)
        answer = page.goto(f"/reviews/applications/{code}/")
        assert answer is not None
        assert answer.status in (200, 404)
        assert page.locator("#decide, button[name=act]:not([value^=WITHDRAW])").all_inner_texts() == [], (
            person
        )


def send_back(page: Page, code: str) -> None:
    page.goto("/reviews/tasks/")
    page.get_by_role("link", name=re.compile(code)).or_(page.locator(f"a[href*='{code}']")).first.click()
    page.locator("#comment-results").fill("请写明去向和凭证。")
    page.get_by_label("意见", exact=True).fill("请补正主要成效。")
    page.get_by_role("button", name="退回补正", exact=True).click()
    expect(page.get_by_text("已办理：退回补正。")).to_be_visible()


def check_on_site(page: Page, code: str) -> None:
    page.goto(f"/reviews/applications/{code}/")
    page.get_by_role("link", name="去现场核查").click()
    page.locator("#site-check-form[data-ready]").wait_for()
    page.get_by_label("参加人员").fill("区经信干部两人、企业环保专员")
    page.get_by_label("属实", exact=True).first.check()
    page.get_by_label("核查意见").fill("现场与申报材料一致。")
    page.get_by_role("button", name="完成并上传").click()
    expect(page.locator("#queue")).to_contain_text("已上传")
    page.goto(f"/reviews/applications/{code}/")
    expect(page.get_by_text("现场与申报材料一致。")).to_be_visible()


def consult(as_: Person, code: str) -> None:
    """Two departments answer on their own page; the letters of the others are entered by the district."""
    page = as_("district-industry")
    page.goto(f"/reviews/applications/{code}/")
    page.get_by_role("button", name="发出征求意见").click()
    for person in ("district-environment", "district-tax"):
        own = as_(person)
        own.goto("/reviews/consultations/")
        own.get_by_role("link", name=re.compile(APPLICANT)).first.click()
        own.get_by_label("无意见").check()
        own.get_by_role("button", name="提交意见").click()
    for _number in range(3):
        page.goto(f"/reviews/applications/{code}/")
        page.get_by_role("link", name="登记书面复函").first.click()
        page.get_by_label("无意见").check()
        page.get_by_label(re.compile("盖章复函")).set_input_files(LETTER)  # type: ignore[arg-type]
        page.get_by_role("button", name="提交意见").click()
    page.goto(f"/reviews/applications/{code}/")
    expect(page.get_by_role("link", name="登记书面复函")).to_have_count(0)


# ---- the experts -------------------------------------------------------------------------------


def draw_and_assign(page: Page, at_round: str) -> list[str]:
    """Commit to the seed, reveal it, assign; return who was drawn."""
    page.goto(f"{at_round}draws/")
    page.get_by_label("或直接填写承诺值").fill(sha256(SEED.encode()).hexdigest())
    page.get_by_label("抽取人数").fill("3")
    page.get_by_role("button", name="公布承诺值并固定候选名单").click()
    if not re.search(r"/draws/\d+/$", page.url):
        page.locator("a[href*='/draws/']").filter(has_text="…").first.click()
    page.get_by_role("textbox", name="种子").fill(SEED)
    page.get_by_role("button", name="公布种子并抽取").click()
    confirm(page)
    drawn = page.locator("section[aria-labelledby=drawn] tbody th")
    expect(drawn).to_have_count(3)  # once the page that the button leads to is there
    numbers = drawn.all_inner_texts()
    page.goto(f"{at_round}assignments/")
    page.get_by_role("button", name="分配 1 件").click()
    confirm(page)
    expect(page.get_by_role("button", name=re.compile("分配"))).to_have_count(0)
    return [EXPERTS[number] for number in numbers]


def score(page: Page, code: str) -> None:
    """Score without knowing whose case it is."""
    page.goto("/reviews/scoring/")
    page.get_by_role("link", name=code).click()
    assert APPLICANT not in page.locator("body").inner_text()
    for item, points in (("level", "35"), ("cultivation", "17"), ("evidence", "18"), ("demonstration", "16")):
        page.locator(f"#score-{item}").fill(points)
    page.get_by_label("总体评价").fill("材料真实完整，指标可追溯。")
    expect(page.locator("#sheet-state")).to_contain_text("草稿已自动保存")
    page.wait_for_load_state("networkidle")
    page.get_by_role("button", name="提交评分").click()
    with page.expect_navigation():
        confirm(page)
    page.goto("/reviews/scoring/")
    expect(page.get_by_role("row").filter(has_text=code)).to_contain_text("已提交，86 分")


def rank(page: Page, at_round: str, code: str) -> None:
    page.goto(f"{at_round}ranking/")
    expect(page.get_by_role("row").filter(has_text=code)).to_contain_text("86")


# ---- the notice, the objection, the title ------------------------------------------------------


def put_up_notice(page: Page, at_round: str, code: str) -> str:
    page.goto(f"{at_round}notices/new/")
    page.get_by_label("标题").fill(f"关于{TITLE}拟入围名单的公示")
    page.get_by_label("正文").fill("现将拟入围名单予以公示，欢迎监督。")
    page.get_by_label("联系方式").fill("市经信委（演示）023-00000000")
    page.locator(f"#code-{code}").check()
    page.get_by_role("button", name="预览").click()
    page.get_by_role("button", name="发布公示").click()
    page.wait_for_url(re.compile(r"/reviews/notices/\d+/"))
    return page.url.rstrip("/").rsplit("/", 1)[-1]


def object_to(page: Page, notice_id: str) -> str:
    """A stranger objects on the public page, and keeps the number of the receipt."""
    page.goto(f"/public/notices/{notice_id}/")
    page.get_by_role("link", name="提出异议").click()
    page.get_by_label("姓名或单位名称").fill("张某")
    page.get_by_label("联系方式").fill("13900000000")
    page.get_by_label("异议内容").fill("该厂夜间噪声扰民，请查实。")
    page.get_by_role("button", name="提交").click()
    return page.locator(".receipt-code").inner_text().strip()


def settle(page: Page, notice_id: str, receipt: str) -> None:
    page.goto(f"/reviews/notices/{notice_id}/")
    assert page.get_by_role("button", name="公示期满，进入下一环节").count() == 0
    page.get_by_role("link", name=receipt).click()
    page.get_by_label("异议不成立").check()
    page.get_by_label("处理意见").fill("经现场监测，噪声达标。")
    page.get_by_role("button", name="作出处理").click()
    confirm(page)
    expect(page.get_by_role("row").filter(has_text=receipt)).to_contain_text("异议不成立")


def ask_what_became_of(page: Page, receipt: str) -> None:
    page.goto("/public/objections/")
    page.get_by_label("受理编号").fill(receipt)
    page.get_by_label("联系方式").fill("13900000000")
    page.get_by_role("button", name="查询").click()
    expect(page.get_by_text("经现场监测，噪声达标。")).to_be_visible()


def the_notice_ran_out(site_data: Path, notice_id: str) -> None:
    """
    Put the notice two weeks back, in the database itself.

    Its five working days must pass, and no part of the product lets anybody move the clock.
    """
    with closing(sqlite3.connect(site_data / "wufei.sqlite3", timeout=30)) as database, database:
        changed = database.execute(
            "UPDATE reviews_publicnotice SET begins_on = date(begins_on, '-14 days'),"
            " ends_on = date(ends_on, '-14 days'), published_at = datetime(published_at, '-14 days')"
            " WHERE id = ?",
            [int(notice_id)],
        )
        assert changed.rowcount == 1


def clear(page: Page, notice_id: str) -> None:
    page.goto(f"/reviews/notices/{notice_id}/")
    page.get_by_role("button", name="公示期满，进入下一环节").click()
    confirm(page)
    expect(page.get_by_text("公示已办结。")).to_be_visible()


def nobody_decides_what_they_reviewed(page: Page, code: str) -> None:
    """Promise S7: who reviewed for the city reads why the decision is another officer's."""
    page.goto(f"/reviews/applications/{code}/")
    expect(page.get_by_role("button", name="认定", exact=True)).to_be_disabled()
    expect(page.get_by_text("申报、推荐、评分、认定不得由同一人办理")).to_be_visible()


def enter_title(page: Page, code: str) -> str:
    number = f"CQ-GF-{DATA_YEAR + 1}-001"
    page.goto(f"/o/{CITY}/register/")
    page.get_by_role("listitem").filter(has_text=code).get_by_role("link").click()
    page.get_by_label("编号").fill(number)
    page.get_by_label("认定日期").fill(date.today().isoformat())
    page.locator("form button[type=submit]").last.click()
    expect(page.locator("body")).to_contain_text(number)
    return number


def the_public_reads(page: Page, number: str) -> None:
    page.goto("/public/")
    page.get_by_label("单位现名称或原名称、编号、信用代码").fill(number)
    page.get_by_role("button", name="查找").click()
    row = page.get_by_role("row").filter(has_text=number)
    expect(row).to_contain_text(APPLICANT)
    row.get_by_role("link").first.click()
    expect(page.locator("body")).to_contain_text("重庆市绿色工厂")
