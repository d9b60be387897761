"""Only what is published is shown: for each "is not shown" there is data that could have been."""

from datetime import date, timedelta

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.rooms.portal.conftest import EVE, words_of
from tests.rooms.reviews import world as worlds
from tests.rooms.reviews.titles import given, happened
from wufei.portal import queries
from wufei.registry.models import Succession
from wufei.reviews import draw as drawing
from wufei.reviews.models import Draw, RoundDocument
from wufei.reviews.services import notices

PAGES = ("/public/", "/public/calls/", "/public/notices/", "/public/register/", "/public/register/ended/",
         "/public/draws/", "/public/cases/", "/public/objections/", "/public/agencies/", "/public/agencies/excluded/")  # fmt: skip


# Everybody may: what each shows and does not show is held here and in `test_objections`.
ROUTES = {
    "portal:home", "portal:calls", "portal:call", "portal:document", "portal:notices", "portal:notice",
    "portal:raise-objection", "portal:objection", "portal:receipt", "portal:register", "portal:ended", "portal:title",
    "portal:draws", "portal:draw", "portal:cases", "portal:agencies", "portal:excluded-agencies",
    "portal:register-small-generator", "portal:small-generator-received", "portal:small-generator-status",
}  # fmt: skip


def document(round_, world, name, *, public):
    return RoundDocument.objects.create(
        round=round_, kind="notice", file_name=name, size=3, sha256="0" * 64, is_public=public,
        stored=ContentFile(b"abc", name), added_at=EVE, added_by=world.people["CITY_INDUSTRY"],
    )  # fmt: skip


def committed(world, round_, seed="开奖号码 0917", *, reveal=False, drawn=()):
    candidates = [drawing.Candidate(f"Z{n:03d}", ("环境管理",)) for n in range(1, 6)]
    drawn = list(drawn) or [each.number for each in drawing.draw(candidates, seed=seed, number=2)]
    by = world.people["CITY_INDUSTRY"]
    return Draw.objects.create(
        round=round_, stage="expert-review", number=2, candidates=drawing.published(candidates),
        excluded=[{"number": "Z099", "reason": "EMPLOYER", "uscc": world.works.uscc}],
        commitment=drawing.commitment(seed), committed_at=EVE, committed_by=by,
        **({"seed": seed, "drawn": drawn, "revealed_at": EVE, "revealed_by": by} if reveal else {}),
    )  # fmt: skip


@pytest.mark.parametrize("page", PAGES)
def test_every_page_is_there_for_everybody_even_with_nothing_on_it(client, db, page):
    assert client.get(page).status_code == 200


def test_the_sign_in_page_leads_there(client, db):
    assert "/public/" in client.get("/sign-in/", follow=True).content.decode()


def test_a_call_is_shown_with_its_public_documents_alone(client, world, round_):
    public, inner = (
        document(round_, world, "通知.pdf", public=True),
        document(round_, world, "内部.pdf", public=False),
    )

    shown = words_of(client.get(f"/public/calls/{round_.pk}/"))

    assert round_.title in words_of(client.get("/public/calls/"))
    assert "通知.pdf" in shown
    assert "内部.pdf" not in shown
    assert client.get(f"/public/calls/{round_.pk}/documents/{public.pk}/").getvalue() == b"abc"
    assert client.get(f"/public/calls/{round_.pk}/documents/{inner.pk}/").status_code == 404


def test_a_round_that_is_not_published_is_nowhere(client, world):
    hidden = worlds.round_of(world, worlds.CHONGQING, publish=False)
    public = document(hidden, world, "征求意见稿.pdf", public=True)
    draw = committed(world, hidden)

    for address in (
        f"/public/calls/{hidden.pk}/",
        f"/public/calls/{hidden.pk}/documents/{public.pk}/",
        f"/public/draws/{draw.pk}/",
    ):
        assert client.get(address).status_code == 404
    for page in PAGES:
        assert hidden.title not in words_of(client.get(page))


def test_an_application_that_nobody_decided_is_nowhere(client, world, round_, two, notice):
    for page in (*PAGES, f"/public/calls/{round_.pk}/", f"/public/notices/{notice.pk}/"):
        shown = client.get(page).content.decode()
        assert "未决水泥有限公司" not in shown
        assert two[0].code not in shown


def test_a_notice_shows_its_list_and_the_working_days_left(client, world, notice, monkeypatch):
    shown = words_of(client.get(f"/public/notices/{notice.pk}/"))
    assert "綦江建材有限公司" in shown
    assert "2026-09-29 至 2026-10-12" in shown
    assert "含今日还有 5 个工作日" in shown

    monkeypatch.setattr("django.utils.timezone.now", lambda: EVE + timedelta(days=11))  # the worked Saturday
    assert "含今日还有 2 个工作日" in words_of(client.get(f"/public/notices/{notice.pk}/"))
    monkeypatch.setattr("django.utils.timezone.now", lambda: EVE + timedelta(days=14))
    over = client.get(f"/public/notices/{notice.pk}/")
    assert "已结束" in words_of(over)
    assert "提出异议" not in words_of(over)
    assert notice.title in words_of(client.get("/public/notices/", {"state": "past"}))
    assert notice.title not in words_of(client.get("/public/notices/", {"state": "running"}))


def test_who_objected_and_why_one_was_removed_is_nowhere(client, world, notice):
    objection = notices.object_to(
        item=notice.items.get(position=1),
        name="举报人甲",
        contact="13812345678",
        words="举报内容机密",
        now=EVE,
    )
    notices.decide_objection(
        objection=objection, is_upheld=True, words="举报人甲反映的情况属实", removes=True,
        by=world.people["CITY_INDUSTRY"], now=EVE,
    )  # fmt: skip

    for page in (*PAGES, f"/public/notices/{notice.pk}/", f"/public/notices/{notice.pk}/1/objection/"):
        shown = client.get(page).content.decode()
        for secret in ("举报人甲", "13812345678", "举报内容机密", objection.code):
            assert secret not in shown
    assert "已移出公示名单" in words_of(client.get(f"/public/notices/{notice.pk}/"))


def test_the_register_of_a_day_finds_present_and_former_names(client, world):
    title = given(world, number="A-1")
    given(world, worlds.organisation("别的公司"), "B-1")
    Succession.objects.create(
        predecessor=world.works, successor=world.works, kind="RENAME", on=date(2025, 3, 1), former_name="旧名建材厂",
        recorded_at=EVE, recorded_by=world.people["CITY_INDUSTRY"],
    )  # fmt: skip
    happened(world, title, "RENAMED", date(2025, 3, 1), holder_name="新名建材有限公司")

    def listed(**asked):
        rows = client.get("/public/register/", asked).context["rows"]
        return [(row.number, row.holder_name) for row, _, _ in rows]

    assert listed() == [("A-1", "新名建材有限公司"), ("B-1", "别的公司")]
    assert listed(q="旧名") == listed(q="新名") == listed(q="A-1") == [("A-1", "新名建材有限公司")]
    assert listed(at="2024-12-31", q="A-1") == [("A-1", "綦江建材有限公司")]
    assert listed(at="2999-01-01") == listed()
    assert listed(state="REVOKED") == []


def test_an_end_is_shown_with_its_cause_when_it_was_announced_and_warnings_never(client, world):
    title = given(world, number="A-1")
    other = given(world, worlds.organisation("别的公司"), "B-1")
    happened(world, title, "WARNED", date(2025, 1, 2), words="限期整改的内部意见", cause="x")
    happened(
        world, title, "REVOKED", date(2025, 6, 1), cause="x", words="现撤销其称号。", bars_until=date(2028, 6, 1),
        announced_at=EVE, document="渝经信〔2025〕9号",
    )  # fmt: skip
    happened(world, other, "REMOVED", date(2025, 6, 2), cause="尚未公布的事由", words="尚未公布的说明")

    shown = words_of(client.get(f"/public/register/{title.pk}/"))
    assert "撤销" in shown
    assert "现撤销其称号。" in shown
    assert "2028-06-01 及以前不得申报" in shown
    assert "限期整改" not in shown
    hidden = words_of(client.get(f"/public/register/{other.pk}/"))
    assert "尚未公布" not in hidden
    announced = words_of(client.get("/public/register/ended/"))
    assert "綦江建材有限公司" in announced
    assert "别的公司" not in announced


def test_a_draw_shows_what_a_stranger_needs_and_no_more(client, world, round_):
    draw = committed(world, round_)
    before = words_of(client.get(f"/public/draws/{draw.pk}/"))
    assert draw.commitment in before
    assert "抽取时公布" in before
    assert "Z005" in before
    for secret in ("Z099", world.works.uscc, "第1研究院", "expert1"):
        assert secret not in before

    done = committed(world, round_, reveal=True)
    page = client.get(f"/public/draws/{done.pk}/")
    assert page.context["agrees"]
    assert [each.number for each in page.context["redone"]] == done.drawn
    wrong = committed(world, round_, reveal=True, drawn=done.drawn[::-1])
    assert not client.get(f"/public/draws/{wrong.pk}/").context["agrees"]


def test_typical_cases_count_towards_the_targets_until_they_are_taken_off(client, world):
    said = {"edition": worlds.MIIT, "authority": "MINISTRY_INDUSTRY", "name": "典型案例", "level": "MINISTRY"}
    first = given(world, number="M-1", on=date(2026, 8, 1), **said)
    given(world, worlds.organisation("园区管委会", "PARK"), "M-2", on=date(2026, 8, 1),
          **said | {"edition": "miit-2025-539-park"})  # fmt: skip
    given(world, worlds.organisation("市级工厂"), "C-1")

    page = client.get("/public/cases/")
    assert [row.number for row, _ in page.context["rows"]] == ["M-1", "M-2"]
    [programme] = page.context["programmes"]
    assert [(t.target.by, t.target.number, t.reached, t.missing) for t in programme.targets] == [
        (2027, 30, 2, 28), (2030, 60, 2, 58),
    ]  # fmt: skip

    happened(world, first, "REVOKED", date(2026, 9, 1), cause="x", announced_at=EVE)
    [programme] = client.get("/public/cases/").context["programmes"]
    assert programme.reached == 1


def test_a_typical_case_is_shown_with_its_own_title_and_without_what_was_handed_in_beside_it(client, world):
    round_ = worlds.round_of(world, worlds.MIIT, deadline=date(2026, 12, 1))
    texts = {"title": "炉渣制砖的案例", "practices": "内部做法", "contact": "王五", "phone": "13911112222"}
    application = worlds.handed_in(world, round_, content={"texts": texts, "numbers": []})
    given(
        world, number="M-1", edition=worlds.MIIT, authority="MINISTRY_INDUSTRY", level="MINISTRY",
        application=application,
    )  # fmt: skip

    shown = words_of(client.get("/public/cases/"))

    assert "炉渣制砖的案例" in shown
    assert [each for each in ("内部做法", "王五", "13911112222") if each in shown] == []


def test_a_title_given_after_a_targets_year_counts_for_the_later_one_alone(client, world, monkeypatch):
    said = {"edition": worlds.MIIT, "authority": "MINISTRY_INDUSTRY", "level": "MINISTRY"}
    given(world, number="M-1", on=date(2028, 1, 1), **said)
    monkeypatch.setattr("django.utils.timezone.now", lambda: EVE.replace(year=2029))

    [programme] = client.get("/public/cases/").context["programmes"]

    assert [(t.reached, t.is_over) for t in programme.targets] == [(0, True), (1, False)]


def test_the_pages_ask_the_same_few_questions_however_long_they_are(client, world, round_, two, notice):
    def asked() -> dict[str, int]:
        found = {}
        for page in (*PAGES, f"/public/calls/{round_.pk}/", f"/public/notices/{notice.pk}/"):
            with CaptureQueriesContext(connection) as captured:
                assert client.get(page).status_code == 200
            found[page] = len(captured)
        return found

    given(world, number="A-1")
    given(world, world.works, "M-1", edition=worlds.MIIT, level="MINISTRY", authority="MINISTRY_INDUSTRY")
    committed(world, round_, reveal=True)
    document(round_, world, "通知.pdf", public=True)
    happened(world, given(world, number="E-1"), "REMOVED", date(2025, 1, 1), cause="x", announced_at=EVE)
    one = asked()
    for n in range(2, 5):
        holder = worlds.organisation(f"企业{n}")
        given(world, holder, f"A-{n}")
        given(world, holder, f"M-{n}", edition=worlds.MIIT, level="MINISTRY", authority="MINISTRY_INDUSTRY")
        committed(world, round_, str(n), reveal=True)
        document(round_, world, f"附件{n}.pdf", public=True)
        ended = given(world, holder, f"E-{n}")
        happened(world, ended, "REMOVED", date(2025, 1, n), cause="x", announced_at=EVE)
        worlds.noticed(world, two[0], _notice_stage(), now=EVE)
    worlds.round_of(world, worlds.CHONGQING)

    assert asked() == one
    assert max(one.values()) <= 9


def _notice_stage():
    from wufei.policies import queries as policy_queries

    edition = policy_queries.edition(worlds.CHONGQING_FACTORY)
    return next(stage for stage in edition.stages if stage.kind == "notice")


def test_the_control_that_shows_unpublished_rounds_is_caught(client, world, monkeypatch):
    """The control: without the filter, the check above finds the leak."""
    from wufei.reviews.models import Round

    hidden = worlds.round_of(world, worlds.CHONGQING, publish=False)
    monkeypatch.setattr(
        queries, "calls", lambda **_: Round.objects.select_related("authority").order_by("pk")
    )

    assert hidden.title in words_of(client.get("/public/calls/"))
