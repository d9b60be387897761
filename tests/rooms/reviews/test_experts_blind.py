"""
R8: what is blind stays blind. Twenty planted names are found nowhere an expert can reach.

Every page that the expert may open is opened by following what the routes offer, and every file is taken
apart: its text, its properties, its name.
"""

import io
import re
import zipfile
from datetime import date
from urllib.parse import unquote

import docx
import openpyxl
import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse

from tests.conftest import NOW
from tests.rooms.reviews import world as worlds
from tests.rooms.reviews.panels import STAGE, drawn, officer, score
from wufei.cases.models import SubmittedEvidence
from wufei.ledger.models import Place
from wufei.registry.models import Organisation, ParkMembership, RoleAssignment, Succession, User
from wufei.reviews import blinding
from wufei.reviews.models import AgencyReport, Application
from wufei.reviews.queries import sheets as queries
from wufei.reviews.services import assignments

PLANTED = {
    "name": "重庆璧渊化工有限公司",
    "name_given": "重庆旧璧化工厂",
    "former_name": "璧渊助剂总厂",
    "predecessor": "南璧染料有限公司",
    "park": "璧南河工业园区管理委员会",
    "address": "重庆市綦江区三角镇璧渊路88号",
    "head": "璧国栋",
    "contact": "司徒璧",
    "phone": "023-48611234",
    "fax": "023-48615678",
    "email": "office@biyuan.example",
    "website": "www.biyuan.example",
    "counterparty": "铜梁璧利砖业有限公司",
    "agency": "渝璧评价技术有限公司",
    "officer_name": "欧阳璧",
    "officer_login": "ouyangbi",
    "officer_phone": "13912345678",
    "filler": "璧填表",
    "mobile": "13887654321",
    "stranger": "成都未知邻居有限公司",  # nobody registered it: known by its shape alone
}
# Shorter forms that give away as well.
SHORT = ("璧渊化工", "璧渊", "旧璧", "南璧染料", "璧南河", "璧利")
_GONE = re.compile(r"[\s\u200b·-]+")


def leaks_in(text: str, uscc: str) -> list[str]:
    said = _GONE.sub("", text)
    return [name for name in (*PLANTED.values(), *SHORT, uscc) if _GONE.sub("", name) in said]


def everything_in(content: bytes) -> str:
    """Return all that a file says, in any part of it, names of parts included."""
    if not content.startswith(b"PK"):
        return content.decode("utf-8", "replace")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = [archive.read(name).decode("utf-8", "replace") for name in archive.namelist()]
        names = "\n".join(archive.namelist())
    plain = [re.sub(r"<[^>]+>", "", part) for part in parts]
    return "\n".join([names, *parts, *plain])


def telling_docx() -> bytes:
    made = docx.Document()
    made.core_properties.author = PLANTED["officer_name"]
    made.core_properties.title = PLANTED["name"]
    made.core_properties.comments = PLANTED["head"]
    made.sections[0].footer.paragraphs[0].text = PLANTED["name"]
    for name in PLANTED.values():
        made.add_paragraph(f"说明{name}。")
    table = made.add_table(rows=1, cols=1)
    table.cell(0, 0).text = PLANTED["counterparty"]
    written = io.BytesIO()
    made.save(written)
    return written.getvalue()


def telling_xlsx() -> bytes:
    made = openpyxl.Workbook()
    made.properties.creator = PLANTED["officer_name"]
    made.properties.company = PLANTED["name"]
    made.active.title = "璧渊化工"
    for name in PLANTED.values():
        made.active.append([name, 1])
    written = io.BytesIO()
    made.save(written)
    return written.getvalue()


def telling_content() -> dict:
    text = "；".join(f"我方{name}综合利用炉渣" for name in (*PLANTED.values(), *SHORT))
    spaced = " ".join(PLANTED["name"]) + "，璧\u3000渊化工，" + PLANTED["mobile"].translate(blinding._WIDE)
    names = ("title", "brief_description", "plan", "practices", "results", "innovation", "conditions",
             "self_description")  # fmt: skip
    texts = dict.fromkeys(names, f"{text}；{spaced}")
    texts |= {"filler_name": PLANTED["filler"], "head_mobile": PLANTED["mobile"], "contact": PLANTED["contact"],
              "leading_industry": "化工"}  # fmt: skip
    numbers = [
        {"document": "申报书.docx", "where": {"table": f"表1 {PLANTED['park']}", "row": name, "column": "2025 年"},
         "text": "12.5", "value": "12.5", "unit": "万吨", "indicator": "generation_t", "year": 2025,
         "stream": None, "dimension": None, "basis": {"type": "stated", "inputs": [{"organisation": name}]}}
        for name in PLANTED.values()
    ]  # fmt: skip
    criteria = [{"id": "a", "clause": "一", "says": f"{PLANTED['name']}应当", "verdict": "met",
                 "explanation": PLANTED["name"]}]  # fmt: skip
    return {
        "texts": texts, "numbers": numbers, "evaluation": {"subject": PLANTED["name"], "criteria": criteria},
        "evidence": [{"file_name": PLANTED["name"] + ".docx"}],
        "particulars": {"name": PLANTED["name"], "head": PLANTED["head"], "website": PLANTED["website"]},
    }  # fmt: skip


@pytest.fixture
def world(db):
    return worlds.build(experts=4)


@pytest.fixture
def case(world) -> Application:
    """A case full of names, before its experts."""
    works = worlds.applicant(
        world, PLANTED["name_given"], address=PLANTED["address"], head=PLANTED["head"], contact=PLANTED["contact"],
        phone=PLANTED["phone"], fax=PLANTED["fax"], email=PLANTED["email"], website=PLANTED["website"],
    )  # fmt: skip
    by = worlds.World.applicant_of(world, works)
    User.objects.filter(pk=by.pk).update(full_name=PLANTED["officer_name"], phone=PLANTED["officer_phone"])
    RoleAssignment.objects.create(
        user=worlds.person(PLANTED["officer_login"]), organisation=works, role="WORKER"
    )
    before = worlds.organisation(PLANTED["predecessor"])
    for old, kind, name in ((before, "MERGER", before.name), (works, "RENAME", PLANTED["former_name"])):
        Succession.objects.create(
            predecessor=old, successor=works, kind=kind, on=date(2024, 1, 1), former_name=name, recorded_at=NOW,
            recorded_by=by,
        )  # fmt: skip
    park = worlds.organisation(PLANTED["park"], "PARK")
    ParkMembership.objects.create(park=park, member=works, joined_on=date(2020, 1, 1))
    Place.objects.create(organisation=works, kind="OUTSIDE", code="外:1", name=PLANTED["counterparty"])
    agency = worlds.organisation(PLANTED["agency"], "AGENCY")
    AgencyReport.objects.create(
        agency=agency,
        organisation=works,
        edition=worlds.CHONGQING,
        year=2026,
        assigned_at=NOW,
        assigned_by=by,
    )
    round_ = worlds.round_of(world)
    made = worlds.advance(world, worlds.handed_in(world, round_, works, content=telling_content()), STAGE)
    Organisation.objects.filter(pk=works.pk).update(name=PLANTED["name"])  # renamed since
    submission = made.submission
    for kind, content in (("docx", telling_docx()), ("xlsx", telling_xlsx()), ("pdf", worlds.PDF)):
        SubmittedEvidence.objects.create(
            submission=submission, category="PROOF", file_name=f"{PLANTED['name']}.{kind}", kind=kind,
            size=len(content), sha256="0" * 64, stored=ContentFile(content, f"{PLANTED['officer_login']}.{kind}"),
        )  # fmt: skip
    drawn(world, round_, 4)
    assignments.assign_cases(round_=round_, by=officer(world), now=NOW)
    return made


@pytest.fixture
def task(case):
    case.refresh_from_db()
    return case.assignments.select_related("application__round", "expert__user").first()


def routes(resolver: URLResolver, namespace: str = ""):
    for each in resolver.url_patterns:
        if isinstance(each, URLResolver):
            yield from routes(each, f"{namespace}{each.namespace}:" if each.namespace else namespace)
        elif isinstance(each, URLPattern) and each.name:
            yield f"{namespace}{each.name}", list(each.pattern.converters)


def addresses(case: Application, task) -> list[str]:
    """Return the address of every route that there is, with every argument that could lead to the case."""
    known: dict[str, list[object]] = {
        "uscc": [case.organisation.uscc, task.expert.pool.uscc], "round_id": [case.round_id], "code": [case.code],
        "assignment_id": list(case.assignments.values_list("pk", flat=True)), "number": [1, 2, 3, 4],
        "draw_id": list(case.round.draws.values_list("pk", flat=True)), "case_id": [case.case_id],
        "expert_id": [task.expert_id], "file_id": list(case.submission.files.values_list("pk", flat=True)),
        "application_id": [case.pk], "member_uscc": [case.organisation.uscc], "year": [2025, 2026],
        "edition_id": [case.round.edition], "seq": [1], "indicator": ["generation_t"],
    }  # fmt: skip
    found = []
    for route, names in routes(get_resolver()):
        combinations: list[dict[str, object]] = [{}]
        for name in names:
            combinations = [
                c | {name: v} for c in combinations for v in sorted(set(known.get(name, [1, case.pk])))
            ]
        for arguments in combinations:
            try:
                found.append(reverse(route, kwargs=arguments))
            except NoReverseMatch:
                continue
    return found


def walk(case, task) -> tuple[list[str], set[str]]:
    """Open everything; return where names were found, and what opened."""
    client = Client()
    client.force_login(task.expert.user)
    found, opened = [], set()
    uscc = case.organisation.uscc
    for address in addresses(case, task):
        if "sign-out" in address or address.startswith("/api/"):  # the API wants a token; see tests/rooms/api
            continue
        for query in ("", "?export=xlsx"):
            answer = client.get(address + query)
            content = b"".join(answer.streaming_content) if answer.streaming else answer.content
            if answer.status_code == 200:
                opened.add(address)
            said = everything_in(content) + unquote(str(answer.headers))
            no_hint = {uscc} if uscc in address else set()  # what the asker typed himself tells him nothing
            if address == reverse("portal:register-small-generator"):
                no_hint = {PLANTED["park"], "璧南河"}  # it names every park to everybody
            found += [f"{address}: {name}" for name in leaks_in(said, uscc) if name not in no_hint]
    return found, opened


@pytest.fixture
def everything(case, task):
    """The widest that an expert ever sees: his sheet is in, there was a discussion that named names."""
    score(task, "10")
    for name in PLANTED.values():
        assignments.discuss(application=case, words=f"这是{name}吧", by=officer(case_world(case)), now=NOW)
    return case, task


def case_world(case):
    class Officer:
        people = {"CITY_INDUSTRY": User.objects.get(username="CITY_INDUSTRY")}

    return Officer


def test_twenty_planted_names_are_found_nowhere_an_expert_can_reach(everything):
    case, task = everything
    assert len(PLANTED) == 20
    found, opened = walk(case, task)
    assert found == []
    for route, arguments in (
        ("reviews:scoring", {}), ("reviews:score-sheet", {"assignment_id": task.pk}),
        ("reviews:blind-file", {"assignment_id": task.pk, "number": 1}),
        ("reviews:blind-file", {"assignment_id": task.pk, "number": 2}), ("reviews:tasks", {}),
    ):  # fmt: skip
        assert reverse(route, kwargs=arguments) in opened
    assert (
        reverse("reviews:blind-file", kwargs={"assignment_id": task.pk, "number": 3}) not in opened
    )  # the PDF


def test_without_the_blinder_the_same_walk_finds_them_all(everything, monkeypatch):
    """The control."""
    monkeypatch.setattr(queries, "blinder_of", lambda **_: blinding.Blinder(frozenset()))
    monkeypatch.setattr(blinding, "_PATTERNS", ())
    found, _ = walk(*everything)
    assert {name for name in PLANTED.values() if any(name in each for each in found)} == set(PLANTED.values())


def test_a_form_that_fails_tells_no_name_either(case, task):
    client = Client()
    client.force_login(task.expert.user)
    uscc = case.organisation.uscc
    for route in ("score-sheet", "save-sheet", "recuse", "discuss"):
        answer = client.post(
            reverse(f"reviews:{route}", args=[task.pk]), {"version": "9", "score-results": "999"}
        )
        assert answer.status_code in (409, 422)
        assert leaks_in(answer.content.decode(), uscc) == []


def test_files_are_named_by_number(task):
    client = Client()
    client.force_login(task.expert.user)
    answer = client.get(reverse("reviews:blind-file", args=[task.pk, 1]))
    assert unquote(answer["Content-Disposition"]) == "attachment; filename*=UTF-8''附件1.docx"


def test_another_experts_task_is_not_there(case, task):
    other = case.assignments.exclude(pk=task.pk).first()
    outsider = Client()
    outsider.force_login(task.expert.user)
    for route in ("score-sheet", "save-sheet", "recuse", "discuss"):
        assert outsider.post(reverse(f"reviews:{route}", args=[other.pk])).status_code == 404
    assert outsider.get(reverse("reviews:score-sheet", args=[other.pk])).status_code == 404
    assert outsider.get(reverse("reviews:blind-file", args=[other.pk, 1])).status_code == 404


def test_who_stepped_back_sees_the_case_no_more(task):
    client = Client()
    client.force_login(task.expert.user)
    answer = client.post(reverse("reviews:recuse", args=[task.pk]), {"reason": "曾任顾问"}, follow=True)
    assert "已申请回避" in answer.content.decode()
    assert client.get(reverse("reviews:score-sheet", args=[task.pk])).status_code == 404


def test_an_organisation_without_particulars_is_blanked_by_its_name(world):
    round_ = worlds.round_of(world)
    made = worlds.handed_in(world, round_, worlds.applicant(world, "重庆孤舟材料有限公司"))
    assert queries.blinder_of(application=made).text("孤舟材料制砖") == f"{blinding.BLANK}制砖"
    assert Organisation.objects.filter(name__contains="孤舟").count() == 1
