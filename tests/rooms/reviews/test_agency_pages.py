"""Third-party agencies on their pages: the agency's own, the applicant's choice, the authority's judgement."""

from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.template import Context, Template
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from tests.rooms.reviews import world as worlds
from wufei.reviews.models import AgencyExclusion, AgencyMark, AgencyReport, Application, SpotCheck
from wufei.reviews.services import agencies

ITEMS = ("level", "cultivation", "evidence", "demonstration")
# Held here, and not in the table of every route: who may follows from what was assigned, asked and handed in.
ROUTES = frozenset(
    f"reviews:{name}"
    for name in (
        "agencies", "agencies-waiting", "agency", "agency-report-read", "agency-report-file-read", "judge-agency",
        "exclude-agency", "agency-reports", "agency-report", "save-agency-report", "agency-report-file",
        "agency-act", "withdraw-agency", "agency-submitted-file", "choose-agency", "application-agency-report",
    )
)  # fmt: skip


@pytest.fixture
def world(db):
    made = worlds.build(experts=1)
    made.now = timezone.now()
    return made


@pytest.fixture
def round_(world):
    return worlds.round_of(world, worlds.CHONGQING_FACTORY_2024, now=world.now)


@pytest.fixture
def application(world, round_):
    return worlds.handed_in(world, round_, now=world.now)


@pytest.fixture
def report(world, application):
    return assigned(world, application)


def assigned(world, application):
    return agencies.assign_agency(
        application=application, agency=world.agency, by=world.people["CITY_INDUSTRY"], now=world.now
    )


def another(world, round_, name):
    return worlds.handed_in(world, round_, worlds.applicant(world, name), now=world.now)


def form(report, **said):
    report.refresh_from_db()
    whole = {
        "version": report.version,
        "visited_on": "2026-06-30",
        "conclusion": "经现场评价，符合标准。",
        "verdict": "yes",
        **{f"score-{item}": "15.5" for item in ITEMS},
    }
    return whole | said


def own(name, report, **more):
    return reverse(f"reviews:{name}", kwargs={"key": report.pk, **more})


def attach(client, report):
    file = SimpleUploadedFile("评价报告.pdf", worlds.PDF, "application/pdf")
    return client.post(own("agency-report-file", report), {"file": file})


def hand_in(client, world, report, **said):
    client.force_login(world.people["agency"])
    attach(client, report)
    return client.post(own("agency-report", report), form(report, action="submit", **said))


def city(world):
    return world.authorities["CITY_INDUSTRY"].uscc


# ---- the agency ------------------------------------------------------------------------------


def test_the_agency_finds_its_assignment_and_what_was_claimed(client, world, report):
    client.force_login(world.people["agency"])

    assert own("agency-report", report) in client.get(reverse("reviews:agency-reports")).content.decode()
    body = client.get(own("agency-report", report)).content.decode()
    assert "炉渣制砖。" in body
    assert "评价指标水平（优中选优）" in body


@pytest.mark.parametrize(
    "person", ["applicant", "CITY_INDUSTRY", "DISTRICT_INDUSTRY", "expert1", "nobody", "second"]
)
def test_nobody_else_opens_it(client, world, report, person):
    second = worlds.organisation("第二评价公司", "AGENCY", worlds.CITY)
    world.people["second"] = worlds.person("second", "AGENCY_STAFF", second)
    client.force_login(world.people[person])

    assert own("agency-report", report) not in client.get(reverse("reviews:agency-reports")).content.decode()
    assert client.get(own("agency-report", report)).status_code == 404
    for name in (
        "agency-report",
        "save-agency-report",
        "agency-report-file",
        "agency-act",
        "withdraw-agency",
    ):
        assert client.post(own(name, report), form(report)).status_code == 404
    report.refresh_from_db()
    assert (report.conclusion, report.withdrawn_at) == ("", None)


def test_the_report_saves_itself_and_says_upon_which_version(client, world, report):
    client.force_login(world.people["agency"])

    answer = client.post(own("save-agency-report", report), form(report, **{"score-level": "30"}))
    assert answer.json() == {"version": 2}
    stale = client.post(own("save-agency-report", report), form(report, version=1, conclusion="别的"))
    assert stale.status_code == 409
    assert "没有自动保存" in stale.json()["words"]
    wrong = client.post(own("save-agency-report", report), form(report, **{"score-level": "41"}))
    assert wrong.status_code == 422
    report.refresh_from_db()
    assert (report.scores["level"], report.conclusion) == ("30", "经现场评价，符合标准。")


def test_handing_in_passes_the_case_on_by_its_conclusion(client, world, application, report):
    assert hand_in(client, world, report).status_code == 302

    report.refresh_from_db()
    assert report.submitted_by == world.people["agency"]
    application.refresh_from_db()
    assert application.stage == "district-review"
    assert "15.5 / 40" in client.get(own("agency-report", report)).content.decode()


def test_an_incomplete_report_keeps_what_was_typed_and_says_what_is_open(client, world, application, report):
    client.force_login(world.people["agency"])

    answer = client.post(own("agency-report", report), form(report, action="submit", **{"score-level": ""}))

    body = answer.content.decode()
    assert answer.status_code == 422
    assert "评价指标水平（优中选优）、评价报告文件" in body
    assert "经现场评价，符合标准。" in body
    report.refresh_from_db()
    assert f'value="{report.version}"' in body
    assert report.submitted_at is None
    attach(client, report)
    assert client.post(own("agency-report", report), form(report, action="submit")).status_code == 302


def test_the_agency_sends_the_case_back(client, world, application, report):
    client.force_login(world.people["agency"])
    said = {"action": "return", "version": application.version, "words": "缺能源台账。"}

    client.post(own("agency-act", report), said | {"words": " "})
    application.refresh_from_db()
    assert application.stage == "third-party"
    client.post(own("agency-act", report), said)
    application.refresh_from_db()
    assert application.stage == "self-check"


def test_the_agency_declines(client, world, application, report):
    client.force_login(world.people["agency"])

    client.post(own("withdraw-agency", report), {"reason": "曾为其提供咨询"})

    report.refresh_from_db()
    assert report.withdrawn_reason == "曾为其提供咨询"


def test_an_excluded_agency_s_page_says_so_and_takes_nothing(client, world, application, report):
    agencies.exclude_agency(
        authority=world.authorities["CITY_INDUSTRY"],
        agency=world.agency,
        cause="弄虚作假",
        by=world.people["CITY_INDUSTRY"],
        now=world.now,
    )
    client.force_login(world.people["agency"])

    body = client.get(own("agency-report", report)).content.decode()
    assert "评价资格已被取消" in body
    assert 'id="agency-report"' not in body
    assert client.post(own("save-agency-report", report), form(report)).status_code == 422


# ---- the applicant ---------------------------------------------------------------------------


def choose(application):
    return reverse("reviews:choose-agency", args=[application.code])


def test_the_applicant_chooses_and_takes_the_choice_back(client, world, application):
    client.force_login(world.people["applicant"])
    assert world.agency.name in client.get(choose(application)).content.decode()

    assert client.post(choose(application), {"agency": world.agency.uscc}).status_code == 302
    assert AgencyReport.objects.get().assigned_by == world.people["applicant"]

    client.post(choose(application), {"action": "withdraw", "reason": "改选"})
    assert AgencyReport.objects.get().withdrawn_reason == "改选"


def test_a_tied_agency_is_refused_with_the_reason(client, world, application):
    worlds.RoleAssignment.objects.create(user=world.people["agency"], organisation=world.works, role="WORKER")
    client.force_login(world.people["applicant"])

    answer = client.post(choose(application), {"agency": world.agency.uscc})

    assert answer.status_code == 422
    assert "利害关系" in answer.content.decode()
    assert not AgencyReport.objects.exists()


@pytest.mark.parametrize("person", ["CITY_INDUSTRY", "agency", "OTHER_DISTRICT_INDUSTRY", "nobody"])
def test_nobody_else_opens_the_applicant_s_choice(client, world, application, person):
    client.force_login(world.people[person])

    assert client.post(choose(application), {"agency": world.agency.uscc}).status_code == 404
    assert not AgencyReport.objects.exists()


def test_the_signed_report_is_read_by_the_applicant_and_those_who_decide(client, world, application, report):
    address = reverse("reviews:application-agency-report", args=[application.code])
    client.force_login(world.people["applicant"])
    assert client.get(address).status_code == 404  # not handed in yet
    hand_in(client, world, report)

    got = {}
    for person in ("applicant", "DISTRICT_INDUSTRY", "OTHER_DISTRICT_INDUSTRY", "expert1", "nobody"):
        client.force_login(world.people[person])
        got[person] = client.get(address).status_code
    assert got == {
        "applicant": 200,
        "DISTRICT_INDUSTRY": 200,
        "OTHER_DISTRICT_INDUSTRY": 404,
        "expert1": 404,
        "nobody": 404,
    }
    request = RequestFactory().get("/")
    template = Template('{% include "reviews/_agency_report.html" %}')
    body = template.render(Context({"application": application, "request": request}))
    assert "评价合格" in body
    assert address in body


# ---- the authority ---------------------------------------------------------------------------


def test_the_list_has_work_and_marks_and_is_exported(client, world, report):
    hand_in(client, world, report)
    client.force_login(world.people["CITY_INDUSTRY"])
    page = reverse("reviews:agencies", args=[city(world)])
    marks = {
        "year": 2026,
        "strength": "90",
        "report_quality": "85.5",
        "process": "88",
        "is_recommended": "on",
    }
    judge = reverse("reviews:judge-agency", args=[city(world), world.agency.uscc])
    assert client.post(judge, marks).status_code == 302

    body = client.get(page).content.decode()
    assert "87.83" in body
    assert "推荐名单" in body
    sheet = load_workbook(BytesIO(client.get(page, {"export": "xlsx"}).content)).active
    lines = [[cell.value for cell in row] for row in sheet.iter_rows()]
    [line] = [line for line in lines if world.agency.name in line]
    assert line[1:5] == [world.agency.uscc, 1, 1, 0]
    assert [float(each) for each in line[7:11]] == [90, 85.5, 88, 87.83]


@pytest.mark.parametrize(("state", "shown"), [("recommended", 0), ("unmarked", 1), ("excluded", 0), ("", 1)])
def test_the_list_is_narrowed_by_how_they_were_judged(client, world, state, shown):
    client.force_login(world.people["CITY_INDUSTRY"])

    page = client.get(reverse("reviews:agencies", args=[city(world)]), {"state": state})

    assert (world.agency.name in page.content.decode()) == bool(shown)


def test_the_list_asks_the_database_as_often_for_three_as_for_one(client, world, django_assert_num_queries):
    client.force_login(world.people["CITY_INDUSTRY"])
    page = reverse("reviews:agencies", args=[city(world)])
    client.get(page)
    with CaptureQueriesContext(connection) as one:
        client.get(page)
    for name in ("第二评价公司", "第三评价公司"):
        worlds.person(name, "AGENCY_STAFF", worlds.organisation(name, "AGENCY", worlds.CITY))
    with django_assert_num_queries(len(one)):
        assert client.get(page).content.decode().count('<th scope="row">') == 3


def test_an_agency_s_own_list_asks_as_often_for_three_as_for_one(
    client, world, round_, report, django_assert_num_queries
):
    client.force_login(world.people["agency"])
    page = reverse("reviews:agency-reports")
    client.get(page)
    with CaptureQueriesContext(connection) as one:
        client.get(page)
    for name in ("乙厂", "丙厂"):
        assigned(world, another(world, round_, name))
    with django_assert_num_queries(len(one)):
        assert client.get(page).content.decode().count('<th scope="row">') == 3


def test_an_authority_gives_an_agency_to_who_has_none(client, world, application):
    client.force_login(world.people["DISTRICT_INDUSTRY"])
    page = reverse("reviews:agencies-waiting", args=[world.authorities["DISTRICT_INDUSTRY"].uscc])
    assert application.code in client.get(page).content.decode()

    said = {"code": application.code, "agency": world.agency.uscc}
    assert client.post(page, said).status_code == 302

    assert AgencyReport.objects.get().assigned_by == world.people["DISTRICT_INDUSTRY"]
    assert application.code not in client.get(page).content.decode()


def test_another_district_sees_none_of_those_waiting(client, world, application):
    client.force_login(world.people["OTHER_DISTRICT_INDUSTRY"])
    page = reverse("reviews:agencies-waiting", args=[world.authorities["OTHER_DISTRICT_INDUSTRY"].uscc])

    assert application.code not in client.get(page).content.decode()
    said = {"code": application.code, "agency": world.agency.uscc}
    assert client.post(page, said).status_code == 404


def test_a_spot_check_is_entered_on_the_report_s_page(client, world, report):
    hand_in(client, world, report)
    client.force_login(world.people["CITY_INDUSTRY"])
    page = reverse("reviews:agency-report-read", args=[city(world), report.pk])

    assert client.post(page, {"result": "FALSE", "words": ""}).status_code == 422
    assert client.post(page, {"result": "FALSE", "words": "与台账不符。"}).status_code == 302

    assert SpotCheck.objects.get().by == world.people["CITY_INDUSTRY"]
    assert "与台账不符。" in client.get(page).content.decode()
    file = reverse("reviews:agency-report-file-read", args=[city(world), report.pk])
    assert b"".join(client.get(file).streaming_content) == worlds.PDF


def test_a_draft_is_nobody_s_but_the_agency_s(client, world, report):
    client.force_login(world.people["agency"])
    client.post(own("save-agency-report", report), form(report))
    client.force_login(world.people["CITY_INDUSTRY"])

    body = client.get(reverse("reviews:agency-report-read", args=[city(world), report.pk])).content.decode()

    assert "经现场评价" not in body
    file = reverse("reviews:agency-report-file-read", args=[city(world), report.pk])
    assert client.get(file).status_code == 404


def test_exclusion_is_entered_once_and_shown(client, world, report):
    client.force_login(world.people["CITY_INDUSTRY"])
    exclude = reverse("reviews:exclude-agency", args=[city(world), world.agency.uscc])

    assert client.post(exclude, {"cause": " "}).status_code == 422
    assert client.post(exclude, {"cause": "弄虚作假"}).status_code == 302
    assert client.post(exclude, {"cause": "弄虚作假"}).status_code == 422

    assert AgencyExclusion.objects.count() == 1
    page = reverse("reviews:agency", args=[city(world), world.agency.uscc])
    assert "取消评价资格：弄虚作假" in client.get(page).content.decode()


AUTHORITY_PAGES = ("agencies", "agencies-waiting", "agency", "agency-report-read")


@pytest.mark.parametrize("name", AUTHORITY_PAGES)
@pytest.mark.parametrize(
    "person", ["DISTRICT_INDUSTRY", "CITY_TAX", "applicant", "agency", "expert1", "nobody"]
)
def test_the_pages_of_an_authority_are_its_own_officers_(client, world, report, name, person):
    more = {"agency": [world.agency.uscc], "agency-report-read": [report.pk]}.get(name, [])
    client.force_login(world.people[person])

    assert client.get(reverse(f"reviews:{name}", args=[city(world), *more])).status_code in (403, 404)


def test_an_authority_that_is_none_of_industry_or_environment_may_look_and_not_judge(client, world, report):
    client.force_login(world.people["CITY_TAX"])
    uscc = world.authorities["CITY_TAX"].uscc
    marks = {"year": 2026, "strength": "90", "report_quality": "85", "process": "88"}

    body = client.get(reverse("reviews:agency", args=[uscc, world.agency.uscc])).content.decode()
    assert "保存评估" not in body
    judge = client.post(reverse("reviews:judge-agency", args=[uscc, world.agency.uscc]), marks)
    assert judge.status_code == 422
    assert not AgencyMark.objects.exists()


def test_the_report_of_another_province_is_not_there(client, world, report):
    client.force_login(world.people["PROVINCE_INDUSTRY"])
    uscc = world.authorities["PROVINCE_INDUSTRY"].uscc

    page = reverse("reviews:agency-report-read", args=[uscc, report.pk])
    assert client.get(page).status_code == 404
    assert Application.objects.exists()
