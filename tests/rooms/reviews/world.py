"""
A small world for reviews: authorities of four levels, an agency, experts, applicants, and rounds.

`build()` makes it; `round_of`, `handed_in` and `advance` play it. `people` are known by what they do:
`CITY_INDUSTRY` decides, `CITY_INDUSTRY_2` is a colleague, for nobody decides twice in a case (S7).
"""

import uuid
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction

from tests.conftest import NOW, valid_uscc
from wufei.cases import freezing
from wufei.cases import services as case_services
from wufei.cases.models import Case, Submission
from wufei.cases.services.comparing import keep_comparable
from wufei.ledger import services as ledger_services
from wufei.ledger.kinds import Kind
from wufei.ledger.posting import Draft
from wufei.policies import queries as policy_queries
from wufei.policies.edition import Edition, Stage
from wufei.registry.models import Organisation, RoleAssignment, User
from wufei.reviews import stages
from wufei.reviews.models import (
    Application,
    Assignment,
    Consultation,
    Expert,
    NoticeItem,
    PublicNotice,
    Round,
    ScoreSheet,
    SiteCheck,
)
from wufei.reviews.queries.rounds import reporting_days
from wufei.reviews.services import deciding, rounds
from wufei.reviews.services.deciding import Said
from wufei.reviews.stages import Action
from wufei.terms.day import local_day
from wufei.terms.mass import Mass

MIIT = "miit-2025-539-enterprise"
CHONGQING = "chongqing-2026-6-enterprise"
CHONGQING_FACTORY = "chongqing-2026-green-factory"
CHONGQING_FACTORY_2024 = "chongqing-2024-4-green-factory"
GUANGDONG = "guangdong-2026-4-enterprise"

COUNTRY, CITY, DISTRICT, OTHER_DISTRICT = "000000", "500000", "500110", "500112"
PROVINCE, PROVINCE_CITY = "440000", "440100"
PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\nstartxref\n9\n%%EOF\n"
FIELDS = ("固体废物利用", "清洁生产", "环境管理", "绿色制造")

# What an authority is called in `World.authorities`: prefix → division, name.
PLACES = {
    "MINISTRY": (COUNTRY, "国家"),
    "CITY": (CITY, "重庆市"),
    "DISTRICT": (DISTRICT, "綦江区"),
    "OTHER_DISTRICT": (OTHER_DISTRICT, "渝北区"),
    "PROVINCE": (PROVINCE, "广东省"),
    "PROVINCE_CITY": (PROVINCE_CITY, "广州市"),
}
BRANCHES = {"INDUSTRY": "经信委", "ENVIRONMENT": "生态环境局"}
DEPARTMENTS = {
    "DEVELOPMENT": "发展改革委",
    "EMERGENCY": "应急管理局",
    "MARKET": "市场监管局",
    "TAX": "税务局",
}


@dataclass
class World:
    authorities: dict[str, Organisation]  # "CITY_INDUSTRY", "OTHER_DISTRICT_ENVIRONMENT", "DISTRICT_TAX"
    people: dict[str, User]  # officers by their authority's key, and "…_2"; "applicant", "agency", "expert1"…
    works: Organisation  # the applicant in 500110
    agency: Organisation
    experts: list[Expert] = field(default_factory=list)
    now: datetime = NOW

    def applicant_of(self, organisation: Organisation) -> User:
        return RoleAssignment.objects.get(organisation=organisation, role="ENVIRONMENT_OFFICER").user

    def officer(self, role: str, division_code: str, *, second: bool = False) -> User:
        """Return who acts in the role towards an applicant of the division."""
        level, branch = role.rsplit("_", 1)
        place = _place(level, division_code)
        return self.people[f"{place}_{branch}" + ("_2" if second else "")]


def _place(level: str, division_code: str) -> str:
    if level == "MINISTRY":
        return "MINISTRY"
    if level == "DISTRICT":
        return "OTHER_DISTRICT" if division_code == OTHER_DISTRICT else "DISTRICT"
    if division_code.startswith("44"):
        return "PROVINCE" if level == "PROVINCE" else "PROVINCE_CITY"
    return "CITY"


_made = 0


def organisation(name: str, kind: str = "ENTERPRISE", division: str = DISTRICT, **said: Any) -> Organisation:
    """Make an organisation with a code of its own."""
    global _made  # codes are unique in the process
    _made += 1
    uscc = valid_uscc(f"91{division}MA5R{_made:05d}")
    return Organisation.objects.create(
        uscc=uscc, name=name, kind=kind, division_code=division, created_at=NOW, **said
    )


def person(name: str, role: str = "", of: Organisation | None = None) -> User:
    """Make a person who can be signed in with `client.force_login`."""
    user = User.objects.create(username=name, full_name=name, email=f"{name.lower()}@example.com")
    if role:
        RoleAssignment.objects.create(user=user, organisation=of, role=role)
    return user


def build(*, experts: int = 4, second_officers: bool = True) -> World:
    """Make the authorities with their officers, an applicant with its officer, an agency, experts."""
    authorities, people = {}, {}
    keys = [
        (f"{p}_{b}", division, f"{name}{word}", b)
        for p, (division, name) in PLACES.items()
        for b, word in BRANCHES.items()
    ]
    keys += [(f"DISTRICT_{b}", DISTRICT, f"綦江区{word}", b) for b, word in DEPARTMENTS.items()]
    keys += [(f"CITY_{b}", CITY, f"重庆市{word}", b) for b, word in DEPARTMENTS.items()]
    for key, division, name, branch in keys:
        authorities[key] = organisation(name, "AUTHORITY", division, branch=branch)
        people[key] = person(key, "AUTHORITY_OFFICER", authorities[key])
        if second_officers and branch in BRANCHES:
            people[f"{key}_2"] = person(f"{key}_2", "AUTHORITY_OFFICER", authorities[key])
    works = organisation("綦江建材有限公司", industry_code="3011")
    people["applicant"] = person("applicant", "ENVIRONMENT_OFFICER", works)
    agency = organisation("绿色评价有限公司", "AGENCY", CITY)
    people["agency"] = person("agency", "AGENCY_STAFF", agency)
    people["administrator"] = person("administrator", "ADMINISTRATOR", authorities["CITY_INDUSTRY"])
    people["nobody"] = person("nobody")
    world = World(authorities=authorities, people=people, works=works, agency=agency)
    world.experts = [add_expert(world, at) for at in range(1, experts + 1)]
    return world


def add_expert(world: World, number: int, *, pool: str = "CITY_INDUSTRY", **said: Any) -> Expert:
    """Enter an expert in an authority's pool; the person is `people["expert1"]`."""
    employer = organisation(f"第{number}研究院", "ENTERPRISE", CITY)
    user = person(f"expert{number}", "EXPERT", employer)
    world.people[f"expert{number}"] = user
    defaults = {
        "number": f"Z{number:03d}",
        "fields": [FIELDS[number % len(FIELDS)]],
        "employer_name": employer.name,
        "employer_uscc": employer.uscc,
        "entered_at": NOW,
        "entered_by": world.people[pool],
    }
    return Expert.objects.create(pool=world.authorities[pool], user=user, **(defaults | said))


def applicant(world: World, name: str, division: str = DISTRICT, **said: Any) -> Organisation:
    """Make another applicant with its officer."""
    made = organisation(name, division=division, **said)
    person(f"officer of {made.uscc}", "ENVIRONMENT_OFFICER", made)
    return made


# ---- a case that is ready -------------------------------------------------------------------


def keep_ledger(world: World, works: Organisation, *, tonnes: int = 100) -> None:
    """Post four years of one stream: generated, and four fifths used."""
    by = world.applicant_of(works)
    ledger_services.declare_store(organisation=works, code="库1", name="一号库", by=by, now=NOW)
    ledger_services.declare_stream(
        organisation=works,
        code="S1",
        name="炉渣",
        waste_code="900-002-S03",
        process_name="工序1",
        by=by,
        now=NOW,
    )
    for year in range(2022, 2026):
        drafts = [
            Draft(
                kind=kind,
                moved_on=date(year, month, 10),
                stream_code="S1",
                mass=Mass.of(str(part), "吨"),
                method=method,
                counterparty=party,
            )
            for kind, month, part, method, party in (
                (Kind.GENERATION, 1, tonnes, "", ""),
                (Kind.CONTRACTED_UTILISATION, 6, tonnes * 4 // 5, "制砖", "砖厂"),
            )
        ]
        ledger_services.post(organisation=works, drafts=drafts, by=by, now=NOW)


def ready_case(world: World, works: Organisation, *, edition_id: str = CHONGQING, year: int = 2025) -> Case:
    """Write a case through the services, every section a sentence, and mark it ready."""
    by = world.applicant_of(works)
    case = case_services.open_case(organisation=works, edition_id=edition_id, year=year, by=by, now=NOW)
    said = {
        name: f"{works.name}的{name}。"
        for name in (
            "title",
            "brief_description",
            "plan",
            "practices",
            "results",
            "innovation",
            "conditions",
            "self_description",
        )
    }
    case = case_services.save_draft(case=case, version=case.version, changes=said, by=by, now=NOW)
    return case_services.mark_ready(case=case, version=case.version, by=by, now=NOW)


def submission_as_if_frozen(
    case: Case | None,
    organisation: Organisation,
    *,
    edition_id: str = CHONGQING,
    year: int = 2025,
    by: User,
    now: datetime = NOW,
    content: dict[str, Any] | None = None,
    **more: Any,
) -> Submission:
    """Make a submission's row directly, for tests that don't concern what freezing puts in it."""
    texts = {"title": f"{organisation.name}的案例", "practices": "炉渣制砖。"}
    said = content or {"texts": texts, "numbers": [], "evaluation": {}, "evidence": [], "particulars": {}}
    number = Submission.objects.filter(case=case).count() + 1 if case else 1
    submission = Submission.objects.create(
        case=case,
        organisation=organisation,
        name_given=organisation.name,
        edition=edition_id,
        year=year,
        number=number,
        content=said,
        submitted_at=now,
        submitted_by=by,
        content_sha256=freezing.digest(said, []),
        **more,
    )
    keep_comparable(submissions=[submission])
    return submission


# ---- rounds and applications ----------------------------------------------------------------


def runs(world: World, edition_id: str) -> str:
    """Return the key of the authority that runs a round of the edition."""
    if edition_id.startswith("chongqing"):
        return "CITY_INDUSTRY"
    return "PROVINCE_INDUSTRY" if edition_id.startswith("guangdong") else "MINISTRY_INDUSTRY"


def round_of(
    world: World,
    edition_id: str = CHONGQING,
    year: int = 2026,
    *,
    deadline: date | None = None,
    now: datetime = NOW,
    publish: bool = True,
) -> Round:
    """Open and publish a round; without `deadline` it takes cases for a month."""
    key = runs(world, edition_id)
    by = world.people[key]
    made = rounds.open_round(
        edition_id=edition_id, year=year, authority=world.authorities[key], by=by, now=now
    )
    report = [day.on for day in reporting_days(round_=made)]
    changes = {
        "submission_deadline": deadline or min([local_day(now) + timedelta(days=30), *report]),
        "notice_text": "请于截止日前报送。",
    }
    made = rounds.edit_round(round_=made, version=made.version, changes=changes, by=by, now=now)
    return rounds.publish_round(round_=made, by=by, now=now) if publish else made


@transaction.atomic
def handed_in(
    world: World,
    round_: Round,
    works: Organisation | None = None,
    *,
    now: datetime = NOW,
    content: dict[str, Any] | None = None,
    **more: Any,
) -> Application:
    """Hand in a case of the applicant; its submission is made directly, its first act is recorded as always."""
    works = works or world.works
    by = world.applicant_of(works)
    case, _ = Case.objects.get_or_create(
        organisation=works,
        edition=round_.edition,
        year=round_.year - 1,
        defaults={"created_at": now, "created_by": by, "updated_at": now, "updated_by": by, "state": "READY"},
    )
    submission = submission_as_if_frozen(
        case, works, edition_id=round_.edition, year=case.year, by=by, now=now, content=content, **more
    )
    edition = policy_queries.edition(round_.edition)
    there = Application.objects.filter(round=round_, case=case).first()
    if there is None:
        there = Application.objects.create(
            round=round_,
            case=case,
            organisation=works,
            submission=submission,
            code=f"{round_.year}-{round_.pk:03d}-{round_.applications.count() + 1:05d}",
            district_code=works.division_code,
            stage=edition.stages[0].id,
            stage_since=now,
        )
    return deciding.submit_again(deciding.lock(there), submission, edition, by, now)


def act(
    world: World,
    application: Application,
    role: str,
    action: Action | str,
    *,
    words: str = "已阅，意见如上。",
    second: bool = False,
    by: User | None = None,
    now: datetime | None = None,
    **said: Any,
) -> Application:
    """
    Let whoever has the role do it, on the application as it stands.

    What has a service of its own, like the notice, is done as that service does it, without its rows.
    """
    if by is None and role == stages.APPLICANT:
        by = world.applicant_of(application.organisation)
    fresh = Application.objects.get(pk=application.pk)
    do = deciding.carry_out if Action(action) in deciding.HAS_OWN_SERVICE else deciding.decide
    return do(
        application=fresh,
        version=fresh.version,
        action=Action(action),
        said=Said(words=words, **said),
        role=role,
        by=by or world.officer(role, fresh.district_code, second=second),
        now=now or world.now,
    )


def advance(
    world: World, application: Application, to_stage: str = "", *, now: datetime | None = None
) -> Application:
    """
    Play acts by the right people until the application stands at the stage; "": until it is recognised.

    What acts need – a check on site, replies, sheets, a notice – is made beforehand.
    """
    edition = policy_queries.edition(application.round.edition)
    application = Application.objects.get(pk=application.pk)
    while application.outcome == "" and application.stage != to_stage:
        stage = stages.stage_of(edition.stages, application.stage)
        application = pass_stage(world, application, edition, stage, now or world.now)
    assert to_stage == "" or application.stage == to_stage, f"never at {to_stage}: {application.outcome}"
    return application


def pass_stage(
    world: World, application: Application, edition: Edition, stage: Stage, now: datetime
) -> Application:
    """Let the application pass one stage."""
    match stage.kind:
        case "third_party":
            return _as_agency(world, application, edition, now)
        case "site_check":
            site_checked(world, application, stage.id, now=now)
        case "consultation":
            consulted(world, application, stage, now=now)
        case "experts":
            scored(world, application, stage.id, now=now)
        case "notice":
            noticed(world, application, stage, now=now)
            act(world, application, stage.decided_by[0], Action.PUBLISH, now=now)
    action = {
        "consultation": Action.CONCLUDE,
        "experts": Action.CONCLUDE,
        "notice": Action.CONFIRM,
        "decision": Action.RECOGNISE,
        "above": Action.RECOGNISE,
    }.get(stage.kind, Action.AGREE)
    for role in stages.deciders(stage):
        second = stage.kind in ("decision", "above")  # S7: who recommended does not approve
        application = act(world, application, role, action, now=now, second=second)
    return application


@transaction.atomic
def _as_agency(world: World, application: Application, edition: Edition, now: datetime) -> Application:
    locked = deciding.lock(application)
    before = deciding.standing_of(locked, edition)
    then = stages.after(edition.stages, before, action=Action.AGREE, role="AGENCY")
    return deciding.record(
        locked,
        edition,
        before,
        then,
        action=Action.AGREE,
        role="AGENCY",
        acted_for=world.agency,
        said=Said(words="评价合格。"),
        by=world.people["agency"],
        now=now,
    )


def site_checked(world: World, application: Application, stage: str, *, now: datetime = NOW) -> SiteCheck:
    """Make the row of a check on site."""
    return SiteCheck.objects.create(
        application=application,
        stage=stage,
        client_id=uuid.uuid4(),
        checked_at=now,
        received_at=now,
        participants="张三、李四",
        words="与材料一致。",
        by=world.officer("DISTRICT_INDUSTRY", application.district_code),
    )


def consulted(world: World, application: Application, stage: Stage, *, now: datetime = NOW) -> None:
    """Make the rows of departments that were asked and have no objection."""
    by = world.people["CITY_INDUSTRY"]
    for department in stage.departments:
        Consultation.objects.create(
            application=application,
            stage=stage.id,
            department=department.name,
            asked_at=now,
            asked_by=by,
            due_on=local_day(now) + timedelta(days=7),
            opinion="NO_OBJECTION",
            answered_at=now,
            answered_by=by,
        )


def scored(
    world: World, application: Application, stage: str, *, total: Decimal = Decimal(80), now: datetime = NOW
) -> None:
    """Make submitted sheets of as many of the world's experts as the edition asks for."""
    scoring = policy_queries.edition(application.round.edition).scoring
    assert scoring is not None
    for expert in world.experts[: scoring.experts_per_case]:
        assignment = Assignment.objects.create(
            application=application,
            expert=expert,
            stage=stage,
            assigned_at=now,
            assigned_by=world.people["CITY_INDUSTRY"],
        )
        ScoreSheet.objects.create(assignment=assignment, total=total, saved_at=now, submitted_at=now)


def noticed(world: World, application: Application, stage: Stage, *, now: datetime = NOW) -> NoticeItem:
    """Make the rows of a notice in which the application stands, and that is over."""
    today = local_day(now)
    notice = PublicNotice.objects.create(
        round=application.round,
        stage=stage.id,
        title="公示",
        text="公示如下。",
        working_days=stage.working_days or 5,
        begins_on=today - timedelta(days=9),
        ends_on=today - timedelta(days=1),
        published_at=now - timedelta(days=9),
        published_by=application.round.opened_by,
    )
    return NoticeItem.objects.create(
        notice=notice, application=application, position=1, name_shown=application.organisation.name
    )
