"""What experts and who runs the round do on pages and on the command line, and who may not."""

import io
import json
import re
from decimal import Decimal

import openpyxl
import pytest
from click.testing import CliRunner
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.conftest import NOW
from tests.rooms.reviews import world as worlds
from tests.rooms.reviews.panels import SEED, STAGE, at_experts, drawn, officer, score
from wufei.policies import queries as policy_queries
from wufei.registry.models import User
from wufei.reviews import draw, stages
from wufei.reviews.models import Application, Assignment, Draw, Expert, ExpertTie, ScoreSheet
from wufei.reviews.queries import ranking as rankings
from wufei.reviews.queries.experts import expert_stage
from wufei.reviews.services import assignments
from wufei.web.cli import main

# route -> by whom it is opened (GET), else "-"; POST is of the same, but for draws, which all who see the round read
RUNS, MAINTAINS, EXPERT = "who runs the round", "who keeps the pool", "the expert"
JUDGES = "who runs the round, and who decides with it what the experts judged"
ROUTES: dict[str, str] = {
    "reviews:experts": MAINTAINS, "reviews:new-expert": MAINTAINS, "reviews:expert": MAINTAINS,
    "reviews:expert-tie": MAINTAINS, "reviews:end-expert-tie": MAINTAINS,
    "reviews:draws": "everybody", "reviews:draw": "everybody",
    "reviews:assignments": RUNS, "reviews:replace-expert": RUNS, "reviews:scores": JUDGES,
    "reviews:discussion": RUNS, "reviews:ranking": JUDGES,
    "reviews:scoring": "everybody",  # each sees their own, and most have none
    "reviews:score-sheet": EXPERT, "reviews:save-sheet": EXPERT, "reviews:recuse": EXPERT, "reviews:discuss": EXPERT,
    "reviews:blind-file": EXPERT,
}  # fmt: skip
PEOPLE = ("CITY_INDUSTRY", "CITY_ENVIRONMENT", "DISTRICT_INDUSTRY", "PROVINCE_INDUSTRY", "applicant", "agency",
          "administrator", "nobody", "task", "other task")  # fmt: skip
POSTED_ONLY = {
    "reviews:expert-tie",
    "reviews:end-expert-tie",
    "reviews:save-sheet",
    "reviews:recuse",
    "reviews:discuss",
}


@pytest.fixture(autouse=True)
def open_store(monkeypatch):
    monkeypatch.setenv("WUFEI_STORE_IS_OPEN", "1")


@pytest.fixture
def world(db):
    return worlds.build(experts=6)


@pytest.fixture
def round_(world):
    return worlds.round_of(world)


@pytest.fixture
def cases(world, round_):
    found = at_experts(world, round_, 3)
    drawn(world, round_, 6)
    assignments.assign_cases(round_=round_, by=officer(world), now=NOW)
    return found


def tasks(case) -> list[Assignment]:
    rows = case.assignments.filter(withdrawn_at=None)
    return list(rows.select_related("application__round", "expert__user").order_by("expert__number"))


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def desk(world):
    return signed_in(officer(world))


def text(answer) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", answer.content.decode()))


# ---- who may ----------------------------------------------------------------------------


@pytest.mark.parametrize("route", ROUTES)
def test_each_person_gets_what_the_table_says(world, round_, cases, route):
    task, other = tasks(cases[0])[0], tasks(cases[0])[1]
    tie = ExpertTie.objects.create(
        expert=task.expert, uscc=world.works.uscc, kind="KIN", declared_at=NOW, declared_by=officer(world)
    )
    arguments = {
        "uscc": round_.authority.uscc, "expert_id": task.expert_id, "tie_id": tie.pk, "round_id": round_.pk,
        "draw_id": Draw.objects.get().pk, "assignment_id": task.pk, "code": cases[0].code, "number": 9,
    }  # fmt: skip
    wanted = {name for name in arguments if f"{name}>" in str(route_pattern(route))}
    address = reverse(route, kwargs={name: arguments[name] for name in wanted})
    people = world.people | {"task": task.expert.user, "other task": other.expert.user}
    later = policy_queries.edition(round_.edition).stages
    later = later[[stage.kind for stage in later].index("experts") + 1 :]
    beside = {"CITY_ENVIRONMENT"} & {role for stage in later for role in stages.deciders(stage)}
    allowed = {
        RUNS: {"CITY_INDUSTRY"}, MAINTAINS: {"CITY_INDUSTRY"}, EXPERT: {"task"}, "everybody": set(PEOPLE),
        JUDGES: {"CITY_INDUSTRY", *beside},
    }[ROUTES[route]]  # fmt: skip
    for method in ("get", "post"):
        assert getattr(Client(), method)(address, {}).status_code == 302, f"anonymous {method}"
        for person in PEOPLE:
            got = getattr(signed_in(people[person]), method)(address, {}).status_code
            may = person in allowed
            if method == "post" and route in ("reviews:draws", "reviews:draw"):
                may = person == "CITY_INDUSTRY"
            if method == "get" and route in POSTED_ONLY:
                assert got == 405, f"{person} {method}: {got}"
            elif may and route != "reviews:blind-file":  # there is no ninth file
                assert got in (200, 302, 405, 409, 422), f"{person} {method}: {got}"
            else:
                assert got in (403, 404, 405), f"{person} {method}: {got}"


def route_pattern(route: str) -> str:
    from django.urls import get_resolver

    resolver = get_resolver().namespace_dict["reviews"][1]
    return next(str(p.pattern) for p in resolver.url_patterns if p.name == route.split(":")[1])


# ---- the pool ---------------------------------------------------------------------------


def test_an_expert_is_entered_changed_and_tied_on_pages(world, desk):
    worlds.person("professor")
    pool = world.authorities["CITY_INDUSTRY"]
    new = reverse("reviews:new-expert", args=[pool.uscc])
    said = {
        "username": "professor",
        "number": "Z100",
        "fields_said": "清洁生产、园区管理",
        "employer_name": "大学",
    }
    assert "没有这个用户名" in text(desk.post(new, said | {"username": "nobody there"}))
    answer = desk.post(new, said, follow=True)
    assert "已入库" in text(answer)
    row = Expert.objects.get(number="Z100")
    page = reverse("reviews:expert", args=[pool.uscc, row.pk])
    changed = said | {"version": "1", "title": "教授"}  # not active any more: the box is left empty
    assert "已保存" in text(desk.post(page, changed, follow=True))
    assert desk.post(page, changed).status_code == 409
    row.refresh_from_db()
    assert (row.title, row.is_active) == ("教授", False)
    tie = reverse("reviews:expert-tie", args=[pool.uscc, row.pk])
    assert desk.post(tie, {"uscc": "123", "kind": "KIN"}).status_code == 422
    assert "此后自动回避" in text(desk.post(tie, {"uscc": world.works.uscc, "kind": "KIN"}, follow=True))
    assert world.works.name in text(desk.get(page))
    made = row.ties.get()
    assert "已解除" in text(
        desk.post(reverse("reviews:end-expert-tie", args=[pool.uscc, row.pk, made.pk]), follow=True)
    )


def test_the_pool_is_found_by_field_and_text_and_exported(world, desk):
    address = reverse("reviews:experts", args=[world.authorities["CITY_INDUSTRY"].uscc])
    found = text(desk.get(address, {"field": "清洁生产"}))
    assert "Z001" in found
    assert "Z002" not in found
    assert "Z003" in text(desk.get(address, {"q": "第3研究"}))
    assert "没有符合条件" in text(desk.get(address, {"q": "无此人"}))
    sheet = openpyxl.load_workbook(io.BytesIO(desk.get(address, {"export": "xlsx"}).content)).active
    assert [row[0].value for row in sheet.iter_rows(min_row=2)] == [f"Z00{n}" for n in range(1, 7)]


# ---- draw, assignment, scores -----------------------------------------------------------


def test_a_draw_is_committed_and_revealed_on_pages_and_anybody_sees_how_to_check(world, round_, desk):
    page = reverse("reviews:draws", args=[round_.pk])
    assert desk.post(page, {"number": "3"}).status_code == 422  # neither seed nor commitment
    answer = desk.post(page, {"seed": " 一颗 种子", "number": "3"}, follow=True)
    row = Draw.objects.get()
    assert row.commitment == draw.commitment(" 一颗 种子")
    assert "一颗" not in json.dumps(list(Draw.objects.values()), default=str)
    assert row.commitment in text(answer)
    one = reverse("reviews:draw", args=[round_.pk, row.pk])
    refused = desk.post(one, {"seed": "一颗 种子"})
    assert (refused.status_code, "种子与公布的承诺值不符" in text(refused)) == (422, True)
    assert desk.post(one, {"seed": " 一颗 种子"}).status_code == 302
    again = desk.post(one, {"seed": " 一颗 种子"})
    assert (again.status_code, "不能再抽" in text(again)) == (409, True)
    row.refresh_from_db()
    for person in ("CITY_INDUSTRY", "applicant", "nobody"):
        seen = text(signed_in(world.people[person]).get(one))
        assert all(number in seen for number in row.drawn)
        assert draw.key(" 一颗 种子", "", row.drawn[0]) in seen
    drawn_name = str(Expert.objects.get(number=row.drawn[0]).user)
    assert drawn_name in text(desk.get(one))
    assert drawn_name not in text(signed_in(world.people["nobody"]).get(one))


def test_cases_are_assigned_and_an_expert_replaced_on_pages(world, round_, desk):
    at_experts(world, round_, 2)
    page = reverse("reviews:assignments", args=[round_.pk])
    none = desk.post(page)
    assert (none.status_code, "先抽取" in text(none)) == (422, True)
    drawn(world, round_, 6)
    assert "每位专家 1 至 1 件" in text(desk.post(page, follow=True))
    row = Assignment.objects.first()
    replace = reverse("reviews:replace-expert", args=[round_.pk, row.pk])
    assert desk.post(replace, {"reason": ""}).status_code == 422
    assert "已改派给" in text(desk.post(replace, {"reason": "出差"}, follow=True))


def test_of_many_experts_the_first_are_shown_and_all_of_them_on_a_page_of_their_own(
    world, round_, desk, monkeypatch
):
    monkeypatch.setattr("wufei.reviews.views.assignments.FIRST", 4)
    at_experts(world, round_, 1)
    numbers = drawn(world, round_, 6).drawn
    page = reverse("reviews:assignments", args=[round_.pk])
    shown, whole = text(desk.get(page)), text(desk.get(page, {"part": "loads"}))
    assert (sum(n in shown for n in numbers), "全部 6 位" in shown) == (4, True)
    assert all(n in whole for n in numbers)
    assert "申报单位" not in whole


def test_an_expert_saves_submits_and_sees_the_sheet_closed(cases):
    task = tasks(cases[0])[0]
    client = signed_in(task.expert.user)
    page = reverse("reviews:score-sheet", args=[task.pk])
    save = reverse("reviews:save-sheet", args=[task.pk])
    said = {
        f"score-{item}": "10"
        for item in ("advancement", "results", "difficulty", "replicability", "material")
    }
    first = client.post(save, {"version": "0", "score-results": "20", "comment-results": "好"})
    assert 'value="1"' in first.content.decode()
    stale = client.post(save, {"version": "0", "score-results": "5"})
    assert (stale.status_code, 'value="1"' in stale.content.decode()) == (409, True)
    assert client.post(save, {"version": "1", "score-results": "31"}).status_code == 422
    assert "好" in client.get(page).content.decode()
    missing = client.post(page, {"version": "1", "action": "submit", "score-results": "20"})
    assert (missing.status_code, "还有评分项没有打分" in text(missing)) == (422, True)
    done = client.post(page, said | {"version": "2", "action": "submit"}, follow=True)
    assert "提交后不能再改" in text(done)
    assert ScoreSheet.objects.get(assignment=task).total == 50
    assert client.post(save, said | {"version": "3"}).status_code == 422
    assert "score-form" not in client.get(page).content.decode()


def test_scores_discussion_and_second_turn_on_pages(world, round_, cases, desk):
    rows = tasks(cases[0])
    for task, points in zip(rows, ("10", "10", "5"), strict=True):
        score(task, points)
    matrix = text(desk.get(reverse("reviews:scores", args=[round_.pk])))
    assert "分歧大" in matrix
    far = text(desk.get(reverse("reviews:scores", args=[round_.pk]), {"only": "outliers"}))
    assert cases[0].code in far
    assert cases[1].code not in far
    page = reverse("reviews:discussion", args=[round_.pk, cases[0].code])
    name = cases[0].organisation.name
    desk.post(page, {"words": f"{name}的数据请再看", "action": "say"})
    assert "二轮" not in text(desk.get(page))
    assert "重新评分" in text(desk.post(page, {"words": "请再评", "action": "second_turn"}, follow=True))
    client = signed_in(rows[2].expert.user)
    seen = text(client.get(reverse("reviews:score-sheet", args=[rows[2].pk])))
    assert "的数据请再看" in seen
    assert name not in seen
    again = Assignment.objects.get(application=cases[0], expert=rows[2].expert, turn=2)
    assert 'value="5"' in client.get(reverse("reviews:score-sheet", args=[again.pk])).content.decode()


# ---- the ranking ------------------------------------------------------------------------


def scored(round_, cases, *points: tuple[str, ...]) -> None:
    for case, given in zip(cases, points, strict=True):
        for task, each in zip(tasks(case), given, strict=True):
            score(task, *each.split())


def test_the_ranking_counts_the_last_turn_and_no_withdrawn_sheet(world, round_, cases):
    scored(round_, cases, ("10", "10", "10"), ("9", "9", "9"), ("8", "8", "8"))
    raw = {row.code: row.raw for row in rankings.ranking(round_=round_).rows}
    assert raw == {cases[0].code: 50, cases[1].code: 45, cases[2].code: 40}
    again = assignments.second_turn(application=cases[2], words="再评", by=officer(world), now=NOW)
    score(Assignment.objects.select_related("application__round", "expert__user").get(pk=again[0].pk), "10")
    gone = tasks(cases[1])[0]
    assignments.replace_expert(assignment=gone, reason="回避", by=officer(world), now=NOW)
    found = {row.code: row for row in rankings.ranking(round_=round_).rows}
    assert found[cases[2].code].raw == Decimal("43.3333")
    assert len(found[cases[1].code].score.sheets) == 2


def test_equal_scores_are_settled_by_the_editions_rules_which_are_named(world, round_):
    numbers = [{"indicator": "generation_t", "year": 2025, "value": "900", "stream": None, "dimension": None},
               {"indicator": "generation_t", "year": 2025, "value": "7", "stream": "S1", "dimension": None}]  # fmt: skip
    empty = {"texts": {}, "numbers": [], "evaluation": {}}
    unknown = at_experts(world, round_, 1, content=empty)
    known = at_experts(world, round_, 1, content=empty | {"numbers": numbers})
    drawn(world, round_, 3)
    assignments.assign_cases(round_=round_, by=officer(world), now=NOW)
    scored(round_, unknown + known, ("10", "10", "10"), ("10", "10", "10"))
    first, second = rankings.ranking(round_=round_).rows
    assert (first.code, second.code) == (known[0].code, unknown[0].code)
    assert first.decided_by == second.decided_by == ("产生量大者优先",)
    assert (first.unknown, second.unknown) == ((), ("产生量大者优先",))
    assert (first.rank, second.rank) == (1, 2)


def test_the_ranking_page_tries_a_cut_off_and_is_exported(round_, cases, desk):
    scored(round_, cases, ("10", "10", "10"), ("9", "9", "9"), ("8", "8", "8"))
    page = reverse("reviews:ranking", args=[round_.pk])
    assert "本轮名额 5" in text(desk.get(page))
    assert "入围 2 件" in text(desk.get(page, {"number": "2"}))
    assert "名额内有" in text(desk.get(page, {"number": "3", "at_least": "47"}))
    sheet = openpyxl.load_workbook(io.BytesIO(desk.get(page, {"export": "xlsx"}).content)).active
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[0][:5] == ("名次", "编号", "申报单位", "标准化得分", "原始平均分")
    assert [row[1] for row in rows[1:]] == [case.code for case in cases]


def test_the_same_numbers_on_the_page_in_the_workbook_and_on_the_command_line(round_, cases, desk):
    """R7, of the ranking; recomputed here from the sheets."""
    scored(round_, cases, ("10 9", "10", "7"), ("9", "9", "6"), ("8 1", "8", "8"))
    answer = CliRunner().invoke(main, ["round", "rank", str(round_.uid), "--json"])
    assert answer.exit_code == 0, answer.output
    said = json.loads(answer.output)["rows"]
    totals = {
        case.code: [s.total for s in ScoreSheet.objects.filter(assignment__application=case)]
        for case in cases
    }
    assert {row["code"]: Decimal(row["raw"]) for row in said} == {
        code: (sum(given) / 3).quantize(Decimal("0.0001")) for code, given in totals.items()
    }
    page = text(desk.get(reverse("reviews:ranking", args=[round_.pk])))
    sheet = openpyxl.load_workbook(
        io.BytesIO(desk.get(reverse("reviews:ranking", args=[round_.pk]), {"export": "xlsx"}).content)
    ).active
    exported = {row[1]: row for row in sheet.iter_rows(min_row=2, values_only=True)}
    for row in said:
        assert f"{Decimal(row['normalised']):.4f}" in page
        assert Decimal(str(exported[row["code"]][3])) == Decimal(row["normalised"])


def test_what_can_not_be_ranked_is_said_on_the_command_line(world, round_):
    run = CliRunner().invoke
    assert json.loads(run(main, ["round", "rank", str(round_.pk), "--json"]).output)["rows"] == []
    assert run(main, ["round", "rank", "999"]).exit_code == 1
    refused = run(main, ["round", "rank", str(round_.pk), "--stage", "nowhere"])
    assert refused.exit_code == 1
    stage = expert_stage(edition=policy_queries.edition(round_.edition))
    assert f"{stage.id}（{stage.label}）" in refused.output


# ---- the draw on the command line -------------------------------------------------------


def test_wufei_draw_draws_the_same_for_the_same_seed(world):
    asked = ["draw", "--pool", world.authorities["CITY_INDUSTRY"].uscc, "--n", "3", "--seed", SEED, "--json"]
    first, second = (CliRunner().invoke(main, asked) for _ in range(2))
    assert first.exit_code == 0
    assert first.output == second.output
    said = json.loads(first.output)
    numbers = [each["number"] for each in said["candidates"]]
    assert said["drawn"] == sorted(numbers, key=lambda n: draw.commitment(f"{SEED}||{n}"))[:3]
    assert said["commitment"] == draw.commitment(SEED)


@pytest.mark.parametrize(("pool", "n", "code"), [("nobody", "1", 1), (None, "7", 1), (None, "0", 2)])
def test_wufei_draw_refuses_what_can_not_be_drawn(world, pool, n, code):
    pool = pool or world.authorities["CITY_INDUSTRY"].uscc
    assert CliRunner().invoke(main, ["draw", "--pool", pool, "--n", n, "--seed", "x"]).exit_code == code


def test_wufei_draw_says_what_was_asked_wrongly(world):
    def said(pool, *more, seed="x"):
        got = CliRunner().invoke(main, ["draw", "--pool", pool, "--n", "1", "--seed", seed, *more])
        assert got.exception is None or isinstance(got.exception, SystemExit), got.exception
        return got.exit_code, got.stderr

    city = world.authorities["CITY_INDUSTRY"].uscc
    for pool, seed in ((city, "\udcff"), ("\udcff", "x")):
        code, words = said(pool, seed=seed)
        assert (code, "UTF-8" in words) == (2, True)
    code, words = said(world.works.uscc)
    assert (code, "不是主管部门" in words) == (1, True)
    code, words = said(city, "--field", "炼金术")
    assert (code, "绿色制造、" in words) == (1, True)
    assert said(city, "--field", "绿色制造")[0] == 0


# ---- as many queries for one as for many ------------------------------------------------


def queries_of(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


def test_lists_ask_as_often_for_one_row_as_for_several(world, round_, desk):
    [one] = at_experts(world, round_, 1)
    drawn(world, round_, 3)
    assignments.assign_cases(round_=round_, by=officer(world), now=NOW)
    for task in tasks(one):
        score(task, "10")
    expert = signed_in(tasks(one)[0].expert.user)
    pages = [(desk, reverse(f"reviews:{name}", args=[round_.pk]))
             for name in ("draws", "assignments", "scores", "ranking")]  # fmt: skip
    pages += [(expert, reverse("reviews:scoring")),
              (desk, reverse("reviews:experts", args=[round_.authority.uscc]))]  # fmt: skip
    before = [queries_of(*page) for page in pages]
    more = at_experts(world, round_, 2)
    worlds.add_expert(world, 7)
    assignments.assign_cases(round_=round_, by=officer(world), now=NOW)
    for at, case in enumerate(more):
        for task in tasks(case):
            score(task, f"{8 - at}")  # not tied: a tie rule asks once more
    assert [queries_of(*page) for page in pages] == before
    assert Application.objects.filter(stage=STAGE).count() == 3
