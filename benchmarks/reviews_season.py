"""
A season of 20,000 cases as it stands in its middle: what the list pages of reviews and portal are measured on.

Beside the ministry's round, on which experts score, the same organisations stand in a city's round at every stage
and with every outcome, with the acts, opinions, checks, objections, reports, titles and messages of such a season.
The rows are written past the services, in bulk; the pages read them through views and queries as they are.
"""

import uuid
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

CITY_EDITION = "chongqing-2026-green-factory"
AGENCIES_EDITION = "chongqing-2024-4-green-factory"
CITY, DISTRICT = "500000", "500110"
DISTRICTS = tuple(f"5001{n:02d}" for n in range(1, 20)) + tuple(f"5002{n:02d}" for n in range(29, 44))
OUTCOMES = ("RECOGNISED", "NOT_SELECTED", "REJECTED", "WITHDRAWN")
DEPARTMENTS = ("发展改革", "生态环境", "应急管理", "市场监管", "税务")
OWN = 30  # applicants that one person works for
MANY = 5_000

Rows = Sequence[Any]


def fill(*, ministry_round: Any, now: datetime, by: Any, chance: Random) -> None:
    """Fill the store; everybody can sign in by the name that `PEOPLE` of the pages gives."""
    from wufei.reviews.models import Application

    given = Application.objects.filter(round=ministry_round).select_related("submission", "organisation")
    handed_in = list(given.defer("submission__content").order_by("pk"))
    places = _authorities(ministry_round.authority, now)
    people = _people(places, [each.organisation for each in handed_in[:OWN]])
    round_ = _round(CITY_EDITION, places["city"], now, by)
    applications = _applications(round_, handed_in, now, chance)
    _acts(applications, places, people, now)
    _consultations(applications, places["department"], now, by)
    _site_checks(applications, now, by)
    _notices(round_, applications, now, by, chance)
    _agencies(places, people, handed_in, now, by)
    _titles(places["city"], handed_in, now, by, chance)
    _library(places["city"], handed_in, now, by)
    _credit(handed_in, now, by)
    _messages([people["city"], people["applicant"]], len(handed_in), now)
    _batch(round_, applications, people["city"], now)


def _bulk(model: Any, rows: Iterable[Any]) -> Rows:
    return model.objects.bulk_create(rows, batch_size=MANY)  # type: ignore[no-any-return]


def _authorities(ministry: Any, now: datetime) -> dict[str, Any]:
    from wufei.registry.models import Organisation

    def made(name: str, code: str, division: str, branch: str) -> Any:
        return Organisation.objects.create(
            uscc=code, name=name, kind="AUTHORITY", division_code=division, branch=branch, created_at=now
        )

    return {
        "ministry": ministry,
        "city": made("市经济信息委", "11500000BENCHMARK1", CITY, "INDUSTRY"),
        "district": made("区经济信息委", "11500110BENCHMARK2", DISTRICT, "INDUSTRY"),
        "department": made("市应急局", "11500000BENCHMARK3", CITY, "EMERGENCY"),
    }


def _people(places: dict[str, Any], applicants: Rows) -> dict[str, Any]:
    from wufei.registry.models import RoleAssignment, User

    roles = {
        name: (User.objects.create(username=name), "AUTHORITY_OFFICER", [at]) for name, at in places.items()
    }
    roles["applicant"] = (User.objects.create(username="applicant"), "ENVIRONMENT_OFFICER", list(applicants))
    RoleAssignment.objects.bulk_create(
        RoleAssignment(user=user, role=role, organisation=each)
        for user, role, organisations in roles.values() for each in organisations
    )  # fmt: skip
    return {name: user for name, (user, _, _) in roles.items()}


def _round(edition: str, authority: Any, now: datetime, by: Any) -> Any:
    from wufei.reviews.models import Round

    return Round.objects.create(
        uid=uuid.uuid4(), edition=edition, year=2026, authority=authority, title=f"基准测试 {edition}", opened_at=now,
        opened_by=by, published_at=now, published_by=by,
    )  # fmt: skip


def _applications(round_: Any, handed_in: Rows, now: datetime, chance: Random) -> Rows:
    """Every stage has its share of the cases; one in seven has an outcome; one in fifty is contested."""
    from wufei.policies import queries as policy_queries
    from wufei.reviews.models import Application

    ids = [stage.id for stage in policy_queries.edition(CITY_EDITION).stages]

    def row(at: int, each: Any) -> Any:
        outcome = OUTCOMES[at % len(OUTCOMES)] if at % 7 == 0 else ""
        stage = ids[-1] if outcome == "RECOGNISED" else ids[at % len(ids)]
        due = None if outcome else now.date() + timedelta(days=chance.randint(-20, 40))
        return Application(
            round=round_, organisation=each.organisation, submission=each.submission, code=f"2026-002-{at:05d}",
            district_code=each.district_code, stage=stage, outcome=outcome, due_on=due, version=at % len(ids),
            stage_since=now - timedelta(days=chance.randint(0, 90)), contested=not outcome and at % 50 == 1,
        )  # fmt: skip

    return _bulk(Application, [row(at, each) for at, each in enumerate(handed_in)])


def _acts(applications: Rows, places: dict[str, Any], people: dict[str, Any], now: datetime) -> None:
    """Each case went from stage to stage, as its edition says; some were sent back on the way."""
    from wufei.policies import queries as policy_queries
    from wufei.reviews import stages
    from wufei.reviews.models import Act

    walk = policy_queries.edition(CITY_EDITION).stages
    ids = [stage.id for stage in walk]

    def acts(at: int, row: Any) -> Iterable[Any]:
        done = [(walk[0], "SUBMIT")]
        for stage in walk[1 : ids.index(row.stage)]:
            action = "AGREE" if stage.kind in stages.VOTED else "CONCLUDE"
            done.append((stage, {"notice": "PUBLISH"}.get(stage.kind, action)))
            if stage.kind == "notice":
                done.append((stage, "CONFIRM"))
        if row.stage == ids[0] and not row.outcome:
            done.append((walk[1], "RETURN"))
        elif row.outcome == "RECOGNISED":
            done.append((walk[-1], "RECOGNISE"))
        elif row.outcome == "WITHDRAWN":
            done.append((walk[ids.index(row.stage)], "WITHDRAW"))
        for seq, (stage, action) in enumerate(done, start=1):
            role = stages.APPLICANT if action in ("SUBMIT", "WITHDRAW") else stages.deciders(stage)[0]
            level = role.split("_")[0].lower()
            who = "applicant" if role == stages.APPLICANT else level
            yield Act(
                application=row, seq=seq, stage=stage.id, action=action, role=role, submission_id=row.submission_id,
                acted_for=places.get(level, row.organisation), words="经审核，材料齐全，同意。", by=people[who],
                at=now - timedelta(days=60 - 3 * seq),
            )  # fmt: skip

    _bulk(Act, [act for at, row in enumerate(applications) for act in acts(at, row)])


def _standing(applications: Rows, *ids: str) -> Rows:
    return [row for row in applications if row.stage in ids and not row.outcome]


def _consultations(applications: Rows, department: Any, now: datetime, by: Any) -> None:
    """Five departments are asked of each; one of them works in the system."""
    from wufei.reviews.models import Consultation

    later = (
        "district-recommendation",
        "conformity-check",
        "expert-review",
        "shortlist",
        "public-notice",
        "decision",
    )
    _bulk(Consultation, [
        Consultation(
            application=row, stage="consultation", department=name, authority=department if name == "应急管理" else None,
            asked_at=now - timedelta(days=20), asked_by=by, due_on=now.date() - timedelta(days=5),
            opinion="" if row.stage == "consultation" else "NO_OBJECTION",
            answered_at=None if row.stage == "consultation" else now, answered_by=None if row.stage == "consultation" else by,
        )
        for row in _standing(applications, "consultation", *later) for name in DEPARTMENTS
    ])  # fmt: skip


def _site_checks(applications: Rows, now: datetime, by: Any) -> None:
    from wufei.reviews.models import SiteCheck

    _bulk(SiteCheck, [
        SiteCheck(
            application=row, stage="site-check", client_id=uuid.uuid4(), checked_at=now, participants="某某", received_at=now,
            by=by,
        )
        for row in _standing(applications, "site-check", "consultation", "expert-review")
    ])  # fmt: skip


def _notices(round_: Any, applications: Rows, now: datetime, by: Any, chance: Random) -> None:
    """Thirty notices, the newest of them long; one item in ten is objected to."""
    from wufei.reviews.models import NoticeItem, Objection, PublicNotice

    listed = _standing(applications, "public-notice", "decision")
    notices = _bulk(PublicNotice, [
        PublicNotice(
            round=round_, stage="public-notice", title=f"第 {n} 批公示", text="公示", working_days=5, published_at=now,
            begins_on=date(2026, 6, 1) + timedelta(days=n), ends_on=date(2026, 6, 8) + timedelta(days=n), published_by=by,
        )
        for n in range(30)
    ])  # fmt: skip
    half = len(listed) // 2
    items = _bulk(NoticeItem, [
        NoticeItem(
            notice=notices[-1] if at < half else notices[at % 29], application=row, position=at + 1,
            name_shown=row.organisation.name,
        )
        for at, row in enumerate(listed)
    ])  # fmt: skip
    _bulk(Objection, [
        Objection(
            item=each, code=f"Y{at:06d}", objector_name="某某", objector_contact=f"1380000{at:04d}", words="数据不实。",
            received_at=now, **({"decision": "DISMISSED", "decided_at": now, "decided_by": by} if at % 20 else {}),
        )
        for at, each in enumerate(items) if at % 10 == 0
    ])  # fmt: skip


def _agencies(
    places: dict[str, Any], people: dict[str, Any], handed_in: Rows, now: datetime, by: Any
) -> None:
    """A hundred agencies share the reports of all cases; an older round waits for agencies to be named."""
    from wufei.registry.models import Organisation, RoleAssignment, User
    from wufei.reviews.models import AgencyMark, AgencyReport, Application, SpotCheck

    agencies = _bulk(Organisation, [
        Organisation(
            uscc=f"91500110A{n:09d}", name=f"第{n}评价机构", kind="AGENCY", division_code=DISTRICT, created_at=now
        )
        for n in range(100)
    ])  # fmt: skip
    staff = _bulk(User, [User(username=f"agency{n}", password="!") for n in range(100)])
    _bulk(RoleAssignment, [
        RoleAssignment(user=user, role="AGENCY_STAFF", organisation=each)
        for user, each in zip(staff, agencies, strict=True)
    ])  # fmt: skip
    round_ = _round(AGENCIES_EDITION, places["city"], now, by)
    applications = _bulk(Application, [
        Application(
            round=round_, organisation=each.organisation, submission=each.submission, code=f"2026-003-{at:05d}",
            district_code=each.district_code, stage="third-party", stage_since=now,
        )
        for at, each in enumerate(handed_in)
    ])  # fmt: skip
    reports = _bulk(AgencyReport, [
        AgencyReport(
            agency=agencies[at % 100], organisation=row.organisation, edition=AGENCIES_EDITION, year=now.year,
            application=row, assigned_at=now, assigned_by=by,
            **({"submitted_at": now, "submitted_by": by, "is_positive": True} if at % 3 else {}),
        )
        for at, row in enumerate(applications) if at % 4
    ])  # fmt: skip
    _bulk(
        SpotCheck,
        [SpotCheck(report=row, result="SOUND", words="属实", at=now, by=by) for row in reports[::7]],
    )
    _bulk(AgencyMark, [
        AgencyMark(
            authority=places["city"], agency=each, year=now.year, strength=80, report_quality=80, process=80,
            is_recommended=True, at=now, by=by,
        )
        for each in agencies
    ])  # fmt: skip


def _titles(city: Any, handed_in: Rows, now: datetime, by: Any, chance: Random) -> None:
    """A title for each, given over five years; one in ten was renamed, one in twenty ended."""
    from wufei.policies import queries as policy_queries
    from wufei.reviews.models import ChangeReport, Reevaluation, Title, TitleEvent

    given = policy_queries.edition(CITY_EDITION).title_given
    assert given is not None
    titles = _bulk(Title, [
        Title(
            edition=CITY_EDITION, name="绿色工厂", level="CITY", year=2021 + at % 5, number=f"渝绿厂-{at:06d}",
            organisation=each.organisation, name_given=each.organisation.name, authority=city,
            granted_on=date(2021 + at % 5, 9, 1), document="渝经信〔2021〕1号",
        )
        for at, each in enumerate(handed_in)
    ])  # fmt: skip

    def events(at: int, title: Any) -> Iterable[Any]:
        said = {"title": title, "holder": title.organisation, "at": now, "by": by}
        yield TitleEvent(kind="GRANTED", on=title.granted_on, holder_name=title.name_given, **said)
        if at % 10 == 0:
            yield TitleEvent(kind="RENAMED", on=date(2026, 3, 1), holder_name=f"新{title.name_given}", **said)
        if at % 20 == 1:
            yield TitleEvent(
                kind="REMOVED", on=date(2026, 4, 1), holder_name=title.name_given, cause="bottom_three_years",
                announced_at=now, **said,
            )  # fmt: skip

    _bulk(TitleEvent, [event for at, title in enumerate(titles) for event in events(at, title)])
    _bulk(ChangeReport, [
        ChangeReport(
            title=title, kind="RENAME", completed_on=date(2026, 6, 1), due_on=date(2026, 7, 10), new_name="新名", reported_at=now,
            reported_by=by, state="DISTRICT_AGREED" if at % 2 else "REPORTED",
            **({"district_at": now, "district_by": by} if at % 2 else {}),
        )
        for at, title in enumerate(titles[::10])
    ])  # fmt: skip
    _bulk(Reevaluation, [
        Reevaluation(
            title=title, edition=CITY_EDITION, year=year, score=chance.randint(4000, 10000) / 100, verdict="TRUE",
            answered_at=now, answered_by=by,
        )
        for title in titles for year in (2024, 2025)
    ])  # fmt: skip


def _library(city: Any, handed_in: Rows, now: datetime, by: Any) -> None:
    from wufei.reviews.models import Cultivation

    tiers = ("SEED", "DISTRICT", "CITY", "NATION")
    _bulk(Cultivation, [
        Cultivation(
            authority=city, organisation=each.organisation, programme=CITY_EDITION, tier=tiers[at % 4], since=date(2025, 1, 1),
            until=date(2026, 1, 1) if at % 6 == 0 else None, entered_at=now, entered_by=by,
        )
        for at, each in enumerate(handed_in)
    ])  # fmt: skip


def _credit(handed_in: Rows, now: datetime, by: Any) -> None:
    from wufei.reviews.models import CreditFact

    _bulk(CreditFact, [
        CreditFact(
            uscc=each.organisation.uscc, kind=("行政处罚", "失信被执行人", "环保信用")[at % 3], source="信用中国",
            reference=f"渝罚〔2025〕{at}号", on=date(2025, 1, 1) + timedelta(days=at % 365), words="罚款一万元。",
            fingerprint=f"{at:064d}", imported_at=now, imported_by=by,
        )
        for at, each in enumerate(handed_in)
    ])  # fmt: skip


def _messages(people: Rows, number: int, now: datetime) -> None:
    from wufei.reviews.models import Message

    _bulk(Message, [
        Message(
            to=person, subject=f"有新的申报待办理 {at}", text="请办理。", link="/reviews/tasks/", key=f"m{at}",
            sent_at=now - timedelta(minutes=at), read_at=now if at % 3 else None,
        )
        for person in people for at in range(number)
    ])  # fmt: skip


def _batch(round_: Any, applications: Rows, by: Any, now: datetime) -> None:
    from wufei.reviews.models import Batch, BatchItem

    batch = Batch.objects.create(round=round_, action="AGREE", role="CITY_INDUSTRY", made_at=now, made_by=by)
    at_check = _standing(applications, "conformity-check")
    _bulk(BatchItem, [
        BatchItem(batch=batch, position=at, application=row, version=row.version, foreseen_stage="expert-review")
        for at, row in enumerate(at_check, start=1)
    ])  # fmt: skip


# ---- the pages --------------------------------------------------------------------------


def pages() -> Iterable[tuple[str, str, str]]:
    """Yield each list page that is measured: what it is called, who reads it, its address."""
    from django.urls import reverse

    from wufei.registry.models import Organisation, RoleAssignment
    from wufei.reviews.models import Application, Batch, PublicNotice, Round, Title

    rounds = {row.edition: row.pk for row in Round.objects.order_by("pk")}
    city_round, ministry_round = rounds[CITY_EDITION], min(rounds.values())
    own = {
        row.user.username: row.organisation.uscc
        for row in RoleAssignment.objects.select_related("user", "organisation")
    }
    notice = PublicNotice.objects.latest("pk").pk
    agency = Organisation.objects.filter(kind="AGENCY").earliest("pk").uscc

    def to(route: str, *arguments: Any) -> str:
        return reverse(route, args=arguments)

    listed = to("reviews:applications", city_round)
    for name, query in (
        ("", ""), (", a stage", "?stage=conformity-check"), (", overdue", "?only=overdue"), (", a district", "?district=500110"),
        (", a text", "?q=%E7%AC%AC77%E5%8E%82"), (", by name", "?sort=name"), (", page 300", "?page=300"),
    ):  # fmt: skip
        yield f"applications{name}", "city", listed + query
    yield "applications of a district", "district", listed
    yield "applications of the ministry", "ministry", to("reviews:applications", ministry_round)
    for name, who in (("city", "city"), ("district", "district"), ("ministry", "ministry"), ("expert", "expert0"),
                      ("department", "department"), ("agency", "agency0"), ("applicant", "applicant")):  # fmt: skip
        yield f"tasks of the {name}", who, to("reviews:tasks")
    yield "messages", "city", to("reviews:messages")
    yield "messages, unread", "city", to("reviews:messages") + "?only=unread"
    yield "delegations", "city", to("reviews:delegations")
    yield "own applications", "applicant", to("reviews:mine")
    yield "rounds", "city", to("reviews:rounds")
    yield "a round", "city", to("reviews:round", city_round)
    yield "a round, to a district", "district", to("reviews:round", city_round)
    yield "statistics of a round", "city", to("reviews:round", city_round) + "?part=statistics"
    yield (
        "recommendation list of a district",
        "district",
        to("reviews:recommendations", city_round, own["district"]),
    )
    yield "recommendation list of the city", "city", to("reviews:recommendations", city_round, own["city"])
    yield "a batch", "city", to("reviews:batch", Batch.objects.earliest("pk").pk)
    yield "experts", "ministry", to("reviews:experts", own["ministry"])
    yield (
        "experts, a field",
        "ministry",
        to("reviews:experts", own["ministry"]) + "?field=%E4%BF%A1%E6%81%AF%E5%8C%96",
    )
    yield "draws of a round", "ministry", to("reviews:draws", ministry_round)
    yield "assignments", "ministry", to("reviews:assignments", ministry_round)
    yield "sheets", "ministry", to("reviews:scores", ministry_round)
    yield "sheets, outliers", "ministry", to("reviews:scores", ministry_round) + "?only=outliers"
    yield "ranking", "ministry", to("reviews:ranking", ministry_round)
    yield "an expert's sheets", "expert0", to("reviews:scoring")
    yield "notices of a round", "city", to("reviews:notices", city_round)
    yield "a notice", "city", to("reviews:notice", notice)
    yield "putting up a notice", "city", to("reviews:put-up-notice", city_round)
    yield "consultations", "department", to("reviews:consultations")
    yield "consultations, all", "department", to("reviews:consultations") + "?state="
    yield "site checks", "district", to("reviews:site-checks")
    yield "agencies", "city", to("reviews:agencies", own["city"])
    yield "agencies waited for", "city", to("reviews:agencies-waiting", own["city"])
    yield "an agency", "city", to("reviews:agency", own["city"], agency)
    yield "an agency's reports", "agency0", to("reviews:agency-reports")
    yield "register", "city", to("reviews:register", own["city"])
    yield "register, by holder", "city", to("reviews:register", own["city"]) + "?sort=holder"
    yield "register, removed", "city", to("reviews:register", own["city"]) + "?state=REMOVED"
    yield "register of a district", "district", to("reviews:register", own["district"])
    yield "changes", "city", to("reviews:changes", own["city"])
    yield (
        "re-evaluation of a year",
        "city",
        to("reviews:years-reevaluation", own["city"]) + f"?edition={CITY_EDITION}&year=2025",
    )
    yield "cultivation", "city", to("reviews:cultivation", own["city"])
    yield "credit", "city", to("reviews:credit-facts", own["city"])
    yield "credit of a district", "district", to("reviews:credit-facts", own["district"])
    yield "own titles", "applicant", to("reviews:titles", Title.objects.earliest("pk").organisation.uscc)
    application = Application.objects.filter(round=city_round, stage="conformity-check", outcome="").earliest(
        "pk"
    )
    yield "an application", "city", to("reviews:application", application.code)
    yield "doubts of an application", "city", to("reviews:doubts", application.code)
    yield "targets", "city", to("reviews:targets")
    for name, address in (
        ("portal", to("portal:home")), ("public calls", to("portal:calls")), ("public notices", to("portal:notices")),
        ("public notices, a text", to("portal:notices") + "?q=%E7%AC%AC77%E5%8E%82"), ("a public notice", to("portal:notice", notice)),
        ("public register", to("portal:register")), ("public register, a text", to("portal:register") + "?q=%E7%AC%AC77%E5%8E%82"),
        ("public register, by holder", to("portal:register") + "?sort=holder"),
        ("public register, in force", to("portal:register") + "?state=IN_FORCE"),
        ("titles ended", to("portal:ended")), ("typical cases", to("portal:cases")), ("public draws", to("portal:draws")),
    ):  # fmt: skip
        yield name, "", address
