"""The officer's pages of notices and packages, as somebody works through them; nobody else gets anywhere."""

import re
from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver, reverse

from tests.conftest import NOW
from tests.rooms.reviews import world as worlds
from wufei.reviews.clock import end_of
from wufei.reviews.models import Objection, Package, PublicNotice, SigningKey
from wufei.reviews.package import new_key
from wufei.reviews.services import notices, packages
from wufei.reviews.services.rounds import close_round

EVE = NOW.replace(year=2026, month=9, day=29)
SAID = {"title": "关于拟认定名单的公示", "text": "现予公示。", "contact": "023-00000000"}
OTHERS = ("applicant", "DISTRICT_INDUSTRY", "CITY_ENVIRONMENT", "PROVINCE_INDUSTRY", "expert1", "nobody")

# The routes whose readers are held here and in `test_documents`: asked by each of `OTHERS`, and by nobody.
ROUTES = {
    "reviews:notices", "reviews:put-up-notice", "reviews:notice", "reviews:extend-notice", "reviews:clear-notice",
    "reviews:remove-from-notice", "reviews:notice-paper", "reviews:objection", "reviews:objection-file",
    "reviews:targets", "reviews:packages", "reviews:export-package", "reviews:load-package", "reviews:make-key",
    "reviews:keys", "reviews:papers", "reviews:paper", "reviews:recommendation-paper", "reviews:opinions-paper",
    "reviews:score-paper",
}  # fmt: skip


@pytest.fixture
def clock(monkeypatch):
    def at(now):
        monkeypatch.setattr("django.utils.timezone.now", lambda: now)

    at(EVE)
    return at


@pytest.fixture
def world(db, clock):
    made = worlds.build()
    made.now = EVE
    return made


@pytest.fixture
def round_(world):
    return worlds.round_of(world, worlds.CHONGQING_FACTORY, deadline=date(2026, 12, 1), now=EVE)


def at_notice(world, round_, *names):
    works = [worlds.applicant(world, name) for name in names]
    return [worlds.advance(world, worlds.handed_in(world, round_, w), "public-notice") for w in works]


@pytest.fixture
def two(world, round_):
    return at_notice(world, round_, "綦江建材厂", "綦江铝业有限公司")


@pytest.fixture
def notice(world, two):
    by = world.people["CITY_INDUSTRY"]
    return notices.publish_notice(round_=two[0].round, applications=two, **SAID, by=by, now=EVE)


def client_of(world, person: str) -> Client:
    client = Client()
    client.force_login(world.people[person])
    return client


@pytest.fixture
def officer(world):
    return client_of(world, "CITY_INDUSTRY")


def words_of(response) -> str:
    html = re.sub(r"<(script|style|svg)\b.*?</\1>", "", response.content.decode(), flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def objected(notice, words="该厂去年受过处罚。", position=1):
    return notices.object_to(
        item=notice.items.get(position=position), name="李四", contact="13800000000", words=words,
        files=[("证据.pdf", worlds.PDF)], now=EVE,
    )  # fmt: skip


# ---- put up ---------------------------------------------------------------------------------


def test_a_notice_is_chosen_looked_at_and_put_up(officer, world, round_, two):
    address = f"/reviews/rounds/{round_.pk}/notices/new/"
    assert "2 家" in words_of(officer.get(f"/reviews/rounds/{round_.pk}/notices/"))
    assert "綦江铝业有限公司" in words_of(officer.get(address))

    preview = officer.post(address, SAID | {"code": [two[1].code], "step": "preview"})
    assert "至 2026-10-12 24 时" in words_of(preview)
    assert "綦江建材厂" not in words_of(preview)
    assert not PublicNotice.objects.exists()

    done = officer.post(address, SAID | {"code": [two[1].code], "step": "publish"})
    notice = PublicNotice.objects.get()
    assert done.url == f"/reviews/notices/{notice.pk}/"
    assert [item.name_shown for item in notice.items.all()] == ["綦江铝业有限公司"]
    left = officer.get(address).context["rows"]
    assert [row.code for row, _ in left] == [two[0].code]


def test_all_that_waits_is_put_up_from_any_page_but_for_what_was_not_ticked(
    officer, world, round_, monkeypatch
):
    monkeypatch.setattr("wufei.reviews.views.notices.ITEMS", 2)
    five = [each.code for each in at_notice(world, round_, *(f"綦江第{n}铝厂" for n in "一二三四五"))]
    address = f"/reviews/rounds/{round_.pk}/notices/new/"
    page = officer.get(f"{address}?page=2")
    assert [(row.code, ticked) for row, ticked in page.context["rows"]] == [(five[2], True), (five[3], True)]
    assert "全部等待公示的 5 家" in words_of(page)

    said = SAID | {"which": "all", "shown": five[2:4], "code": [five[3]]}
    preview = officer.post(f"{address}?page=2", said | {"step": "preview"})
    assert [row.code for row in preview.context["rows"]] == [five[0], five[1], five[3], five[4]]
    looked_at = {"chosen": preview.context["chosen"], "step": "publish"}

    at_notice(world, round_, "綦江第六铝厂")  # comes in between
    refused = officer.post(address, said | looked_at)
    assert refused.status_code == 422
    assert "请核对后重新选择" in words_of(refused)
    assert not PublicNotice.objects.exists()

    again = officer.post(address, said | {"step": "preview"})
    assert len(again.context["rows"]) == 5
    officer.post(address, said | {"chosen": again.context["chosen"], "step": "publish"})
    listed = PublicNotice.objects.get().items.values_list("application__code", flat=True)
    assert set(listed) >= {five[0], five[1], five[3], five[4]}
    assert five[2] not in listed
    assert [row.code for row, _ in officer.get(address).context["rows"]] == [five[2]]


def test_the_ticks_of_one_page_put_up_what_is_on_it_alone(officer, world, round_, monkeypatch):
    monkeypatch.setattr("wufei.reviews.views.notices.ITEMS", 2)
    three = [each.code for each in at_notice(world, round_, *(f"綦江第{n}铝厂" for n in "一二三"))]
    address = f"/reviews/rounds/{round_.pk}/notices/new/"
    said = SAID | {"which": "page", "shown": three[:2], "code": three[:2]}
    preview = officer.post(address, said | {"step": "preview"})
    assert [row.code for row in preview.context["rows"]] == three[:2]
    officer.post(address, said | {"step": "publish"})
    assert list(PublicNotice.objects.get().items.values_list("application__code", flat=True)) == three[:2]


def test_all_without_what_was_looked_at_is_not_put_up(officer, two, round_):
    refused = officer.post(
        f"/reviews/rounds/{round_.pk}/notices/new/", SAID | {"which": "all", "step": "publish"}
    )
    assert refused.status_code == 422
    assert not PublicNotice.objects.exists()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"code": []}, "请至少选择一个单位"),
        ({"code": ["2026-001-99999"]}, "已不在公示环节"),
        ({"title": ""}, "必填"),
        ({"contact": ""}, "必填"),
    ],
)
def test_an_unsound_notice_is_not_put_up_and_what_was_typed_stays(officer, round_, two, changed, words):
    said = SAID | {"code": [two[0].code], "step": "publish"} | changed

    response = officer.post(f"/reviews/rounds/{round_.pk}/notices/new/", said)

    assert response.status_code == 422
    assert words in words_of(response)
    assert "现予公示。" in words_of(response)
    assert not PublicNotice.objects.exists()


# ---- objections -----------------------------------------------------------------------------


def test_an_objection_is_read_with_its_file_and_decided(officer, notice):
    objection = objected(notice)
    page = f"/reviews/objections/{objection.code}/"
    shown = words_of(officer.get(page))
    assert "李四" in shown
    assert "13800000000" in shown
    file = objection.evidence.get()
    answer = officer.get(f"{page}files/{file.pk}/")
    assert answer.getvalue() == worlds.PDF
    assert answer["Content-Disposition"].startswith("attachment")

    officer.post(page, {"decision": "REMOVE", "words": "处罚属实，不符合申报条件。"})

    objection.refresh_from_db()
    item = notice.items.get(position=1)
    assert (objection.decision, item.removed_reason) == (
        "UPHELD", "异议成立：处罚属实，不符合申报条件。",
    )  # fmt: skip
    again = officer.post(page, {"decision": "DISMISSED", "words": "又不属实。"})
    assert (again.status_code, "已有人先作出处理" in words_of(again)) == (409, True)


def test_a_decision_without_words_is_refused(officer, notice):
    objection = objected(notice)

    response = officer.post(f"/reviews/objections/{objection.code}/", {"decision": "DISMISSED", "words": " "})

    assert response.status_code == 422
    assert Objection.objects.get().decision == ""


# ---- put off, removed, cleared --------------------------------------------------------------


def test_a_notice_is_put_off_thinned_and_cleared(world, officer, notice, clock):
    page = f"/reviews/notices/{notice.pk}/"
    officer.post(f"{page}extend/", {"ends_on": "2026-10-20", "reason": "核实异议"})
    short = officer.post(f"{page}2/remove/", {"words": "申请退出", "confirm": "1"})
    assert (short.status_code, "至少 10 个字" in words_of(short)) == (422, True)
    reason = {"words": "该单位书面申请退出本轮申报。"}
    preview = officer.post(f"{page}2/remove/", reason)
    assert "申报随即办结" in words_of(preview)
    assert notice.items.get(position=2).removed_at is None
    officer.post(f"{page}2/remove/", reason | {"confirm": "1"})
    early = officer.post(f"{page}clear/", follow=True)
    notice.refresh_from_db()
    assert "公示期未满" in words_of(early)
    assert (notice.ends_on, notice.items.get(position=2).removed_reason) == (
        date(2026, 10, 20), reason["words"],
    )  # fmt: skip
    assert "（11 个工作日）" in words_of(officer.get(page))
    assert "11 个工作日，自发布次日起算，已延期" in words_of(officer.get(f"/public/notices/{notice.pk}/"))

    clock(end_of(date(2026, 10, 20)))
    officer = client_of(world, "CITY_INDUSTRY")
    done = officer.post(f"{page}clear/", follow=True)

    assert "进入下一环节" in words_of(done)
    assert notice.items.get(position=1).application.stage == "decision"
    assert "公示已办结" in words_of(officer.get(page))


def test_an_open_objection_is_said_to_hold_it_back(world, notice, clock):
    objected(notice)
    clock(end_of(notice.ends_on))
    officer = client_of(world, "CITY_INDUSTRY")

    assert "还有异议未办结" in words_of(officer.get(f"/reviews/notices/{notice.pk}/"))
    refused = officer.post(f"/reviews/notices/{notice.pk}/clear/", follow=True)
    assert "还有异议没有处理完毕" in words_of(refused)


def test_an_end_that_is_no_later_is_refused(officer, notice):
    page = f"/reviews/notices/{notice.pk}/"
    refused = officer.post(f"{page}extend/", {"ends_on": "2026-10-01", "reason": "x"}, follow=True)

    assert "日期已经过去" in words_of(refused)
    assert not notice.extensions.exists()


# ---- nobody else ----------------------------------------------------------------------------


@pytest.mark.parametrize("person", OTHERS)
def test_nobody_else_sees_or_does_any_of_it(world, round_, notice, person):
    objection = objected(notice)
    client = client_of(world, person)
    file = objection.evidence.get()

    for address in (
        f"/reviews/notices/{notice.pk}/", f"/reviews/notices/{notice.pk}/1/remove/",
        f"/reviews/objections/{objection.code}/", f"/reviews/objections/{objection.code}/files/{file.pk}/",
        f"/reviews/notices/{notice.pk}/paper/",
    ):  # fmt: skip
        assert client.get(address).status_code == 404, address
    for address in (f"/reviews/rounds/{round_.pk}/{at}/" for at in ("notices", "notices/new", "packages")):
        assert client.get(address).status_code == 403, address
    for address in (
        f"/reviews/notices/{notice.pk}/extend/", f"/reviews/notices/{notice.pk}/clear/",
        f"/reviews/objections/{objection.code}/", f"/reviews/rounds/{round_.pk}/packages/export/",
        f"/reviews/rounds/{round_.pk}/packages/load/", f"/reviews/rounds/{round_.pk}/packages/key/",
    ):  # fmt: skip
        said = {"ends_on": "2026-10-20", "reason": "x", "decision": "DISMISSED", "words": "x"}
        assert client.post(address, said).status_code in (403, 404), address
    objection.refresh_from_db()
    assert (objection.decision, notice.extensions.count(), SigningKey.objects.count()) == ("", 0, 0)


def test_who_has_not_signed_in_is_led_to_the_sign_in_page_from_all_of_it(world, notice):
    known = {
        "round_id": notice.round_id, "notice_id": notice.pk, "position": 1, "code": objected(notice).code,
        "file_id": 1, "paper": "list", "uscc": world.works.uscc, "assignment_id": 1,
    }  # fmt: skip
    for route in ROUTES:
        [possibility, *_] = get_resolver().namespace_dict["reviews"][1].reverse_dict.getlist(route[8:])
        names = possibility[0][0][1]
        address = reverse(route, kwargs={name: known[name] for name in names})
        for answer in (Client().get(address), Client().post(address)):
            assert (answer.status_code, answer.url.split("?")[0]) == (302, "/sign-in/"), route


# ---- packages -------------------------------------------------------------------------------


@pytest.fixture
def city_round(world):
    found = worlds.round_of(world, worlds.CHONGQING, deadline=date(2026, 12, 1))
    worlds.advance(world, worlds.handed_in(world, found), "ministry-decision")
    return found


def test_a_package_goes_up_and_comes_in_over_the_pages(officer, world, city_round):
    above = worlds.round_of(world, worlds.MIIT, deadline=date(2026, 12, 1))
    page = f"/reviews/rounds/{city_round.pk}/packages/"
    assert "1 件可以上报" in words_of(officer.get(page))
    officer.post(f"{page}key/")
    sent = officer.post(f"{page}export/")
    assert sent["Content-Disposition"].endswith('.wufei"')

    ministry = client_of(world, "MINISTRY_INDUSTRY")
    upload = SimpleUploadedFile("a.wufei", sent.content)
    taken = ministry.post(f"/reviews/rounds/{above.pk}/packages/load/", {"file": upload}, follow=True)

    assert "已接收 1 件" in words_of(taken)
    assert world.authorities["CITY_INDUSTRY"].name in words_of(taken)
    assert sorted(Package.objects.values_list("is_incoming", flat=True)) == [False, True]
    key = SigningKey.objects.get()
    assert key.public_key in words_of(officer.get(page))
    assert key.private_key not in officer.get(page).content.decode()


def test_a_changed_byte_is_refused_in_words(officer, world, city_round):
    above = worlds.round_of(world, worlds.MIIT, deadline=date(2026, 12, 1))
    sealed = bytearray(packages.export_round(round_=city_round, by=world.people["CITY_INDUSTRY"], now=EVE))
    sealed[-20] ^= 1

    refused = client_of(world, "MINISTRY_INDUSTRY").post(
        f"/reviews/rounds/{above.pk}/packages/load/", {"file": SimpleUploadedFile("a", bytes(sealed))}, follow=True
    )  # fmt: skip

    assert "不是完整可信的上报包" in words_of(refused)
    assert not above.applications.exists()


def test_a_package_that_is_too_large_is_refused_before_it_is_read(world, city_round):
    class Unread:
        def read(self, *_):
            raise AssertionError("the body was read")

        readline = read

    strict = Client(enforce_csrf_checks=True)
    strict.force_login(world.people["CITY_INDUSTRY"])
    address = f"/reviews/rounds/{city_round.pk}/packages/load/"
    said = {"content_type": "multipart/form-data; boundary=x", "CONTENT_LENGTH": str(300 * 1024 * 1024)}
    response = strict.generic("POST", address, b"", **said, **{"wsgi.input": Unread()})

    assert response.status_code == 302
    assert strict.post(address, {"file": SimpleUploadedFile("a", b"x")}).status_code == 403  # no token


def test_the_operator_alone_trusts_anothers_key(world, city_round):
    authority, (_private, public) = world.authorities["PROVINCE_INDUSTRY"], new_key()
    said = {"uscc": authority.uscc, "public_key": " ".join((public[:32], public[32:].upper()))}
    for person in (*OTHERS, "CITY_INDUSTRY"):
        assert client_of(world, person).post("/reviews/keys/", said).status_code == 403
    operator = client_of(world, "administrator")

    assert "公钥应为 64 位" in words_of(operator.post("/reviews/keys/", said | {"public_key": "abc"}))
    assert "没有这个" in words_of(operator.post("/reviews/keys/", said | {"uscc": world.works.uscc}))
    done = operator.post("/reviews/keys/", said, follow=True)

    assert SigningKey.objects.get().authority == authority
    assert "外部系统" in words_of(done)


def test_a_closed_round_takes_nothing_in(world):
    above = worlds.round_of(world, worlds.MIIT, deadline=date(2026, 12, 1))
    close_round(round_=above, by=world.people["MINISTRY_INDUSTRY"], now=EVE)
    ministry = client_of(world, "MINISTRY_INDUSTRY")

    assert "本轮已经结束" in words_of(ministry.get(f"/reviews/rounds/{above.pk}/packages/"))


def test_the_progress_towards_the_targets_is_there_for_who_works_here(world):
    assert "到 2027 年 30 个" in words_of(client_of(world, "MINISTRY_INDUSTRY").get("/reviews/targets/"))
    assert Client().get("/reviews/targets/").status_code == 302


# ---- speed ----------------------------------------------------------------------------------


def test_the_pages_ask_the_same_few_questions_however_long_they_are(officer, world, round_, notice):
    def asked():
        found = {}
        for address in (
            f"/reviews/rounds/{round_.pk}/notices/", f"/reviews/rounds/{round_.pk}/notices/new/",
            f"/reviews/notices/{notice.pk}/", f"/reviews/objections/{first.code}/",
            f"/reviews/rounds/{round_.pk}/packages/",
        ):  # fmt: skip
            with CaptureQueriesContext(connection) as captured:
                assert officer.get(address).status_code == 200
            found[address] = len(captured)
        return found

    def sent() -> None:
        Package.objects.create(
            round=round_, is_incoming=False, source_round=round_.uid, sha256="0" * 64, public_key="0" * 64,
            application_count=1, handled_at=EVE, handled_by=world.people["CITY_INDUSTRY"],
        )  # fmt: skip

    first = objected(notice)
    at_notice(world, round_, "新一厂")
    sent()
    one = asked()
    for n in range(3):
        objected(notice, f"另一件 {n}", position=2)
        sent()
    late = at_notice(world, round_, "新二厂", "新三厂", "新四厂")
    by = world.people["CITY_INDUSTRY"]
    notices.publish_notice(round_=late[0].round, applications=late[:1], **SAID, by=by, now=EVE)

    assert asked() == one
