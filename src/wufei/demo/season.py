"""
Play two rounds of review, act by act, through the services that people's pages call.

Each act has its own time in the past, so that the demo shows the same whenever it is built.
"""

import uuid
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from wufei.cases import services as cases
from wufei.catalogue.working_days import nth_working_day
from wufei.demo.district import uscc_of
from wufei.ledger import services as ledger
from wufei.ledger.kinds import Kind
from wufei.ledger.posting import Draft
from wufei.policies import queries as policy_queries
from wufei.policies import services as policies
from wufei.policies.edition import Edition, Scoring, Stage
from wufei.registry import services as registry
from wufei.registry.access import Role
from wufei.registry.models import Organisation, OrganisationKind, User
from wufei.registry.services.successions import rename_organisation
from wufei.reviews import stages
from wufei.reviews.draw import commitment
from wufei.reviews.models import Application, Assignment, Consultation, Expert, PublicNotice, Round, Title
from wufei.reviews.queries.rounds import reported_by
from wufei.reviews.services import (
    agencies,
    applying,
    assignments,
    consultations,
    deciding,
    draws,
    experts,
    notices,
    packages,
    reevaluations,
    register,
    rounds,
    sheets,
    site_checks,
)  # fmt: skip
from wufei.reviews.services.agencies_reporting import Written, attach_report, save_report, submit_report
from wufei.reviews.services.deciding import Said
from wufei.reviews.stages import Action, Outcome
from wufei.terms.day import SHANGHAI
from wufei.terms.mass import Mass

FIRST_SERIAL = 301  # of the applicants' made-up codes
ENDS = {
    Outcome.REFUSED: Action.REFUSE, Outcome.REJECTED: Action.DISAGREE, Outcome.NOT_SELECTED: Action.DISAGREE,
    Outcome.WITHDRAWN: Action.WITHDRAW, Outcome.RECOGNISED: Action.RECOGNISE,
}  # fmt: skip
# Who acts in a role, by the division of the applicant; who approves is not who reviewed (S7).
OFFICERS = {
    "DISTRICT_INDUSTRY": {"500110": "district-industry", "500112": "north-industry"},
    "DISTRICT_ENVIRONMENT": {"500110": "district-environment", "500112": "north-environment"},
    "CITY_INDUSTRY": {"500110": "city", "500112": "city"},
    "CITY_ENVIRONMENT": {"500110": "city-environment", "500112": "city-environment"},
}
APPROVES = "city-chief"


@cache
def season() -> dict[str, Any]:
    """Return what the season says; every scalar a string, so that no number passes through a float."""
    text = files("wufei.demo").joinpath("season.yaml").read_text("utf-8")
    return yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 strings only


def at(day: date, hour: int = 10) -> datetime:
    """Return the instant of a day's hour in China."""
    return datetime.combine(day, time(hour), tzinfo=SHANGHAI)


def play(*, organisations: dict[str, Organisation], password: str, by: User, now: datetime) -> None:
    """Name who takes part, and play the rounds and what became of the titles."""
    said = season()
    for name, branch in said["branches"].items():
        registry.change_organisation(organisation=organisations[name], branch=branch, by=by, now=now)
        organisations[name].refresh_from_db()
    _authorities(organisations, by, now)
    people = _people(organisations, password, by, now)
    _applicants(organisations, by, now)
    _experts(organisations, people, by, now)
    for each in said["rounds"]:
        _Played(each, organisations, people).play()
    _titles(organisations, people)


def _authorities(organisations: dict[str, Organisation], by: User, now: datetime) -> None:
    for each in season()["authorities"]:
        organisations[each["id"]] = registry.register_organisation(
            uscc=uscc_of(each["serial"]), name=each["name"], kind=OrganisationKind.AUTHORITY,
            division_code=each["division"], branch=each["branch"], by=by, now=now,
        )  # fmt: skip


def _people(
    organisations: dict[str, Organisation], password: str, by: User, now: datetime
) -> dict[str, User]:
    for each in season()["people"]:
        user = registry.create_user(
            username=each["username"], password=password, full_name=each["name"],
            email=f"{each['username']}@example.invalid", by=by, now=now,
        )  # fmt: skip
        role = Role(each["role"])
        registry.assign_role(user=user, organisation=organisations[each["of"]], role=role, by=by, now=now)
    return {user.username: user for user in User.objects.all()}


def _applicants(organisations: dict[str, Organisation], by: User, now: datetime) -> None:
    """Small enterprises with one waste each, of which the ledger is kept by the operator."""
    for serial, (key, name, division, industry, made, used) in enumerate(
        season()["applicants"], FIRST_SERIAL
    ):
        works = registry.register_organisation(
            uscc=uscc_of(str(serial)), name=name, kind=OrganisationKind.ENTERPRISE, division_code=division,
            industry_code=industry, established_on=date(2012, 4, 1), address="（演示）工业大道", by=by, now=now,
        )  # fmt: skip
        organisations[key] = works
        ledger.declare_store(organisation=works, code="K01", name="固废库", by=by, now=now)
        ledger.declare_stream(
            organisation=works, code="W01", name="生产废渣", waste_code="900-099-S59", process_name="生产线",
            by=by, now=now,
        )  # fmt: skip
        drafts = [
            draft for year, tonnes, out in zip((2023, 2024, 2025), made, used, strict=True)
            for draft in _year(year, Decimal(tonnes), Decimal(out))
        ]  # fmt: skip
        ledger.post(organisation=works, drafts=drafts, by=by, now=now, capacity_binds=False)


def _year(year: int, made: Decimal, used: Decimal) -> Iterator[Draft]:
    for month in range(1, 13):
        day = date(year, month, 25)
        generated, sold = (
            Mass.of(str((total / 12).quantize(Decimal("0.001"))), "吨") for total in (made, used)
        )
        yield Draft(kind=Kind.GENERATION, moved_on=day, stream_code="W01", mass=generated)
        yield Draft(
            kind=Kind.CONTRACTED_UTILISATION, moved_on=day, stream_code="W01", mass=sold, method="再生利用",
            counterparty="重庆循环建材有限公司（演示）",
        )  # fmt: skip


def _experts(
    organisations: dict[str, Organisation], people: dict[str, User], by: User, now: datetime
) -> None:
    for each in season()["experts"]:
        experts.enter_expert(
            pool=organisations["city"], user=people[each["user"]], number=each["number"], fields=each["fields"],
            employer_name=each["employer"], title=each["title"], by=people["city"], now=now,
        )  # fmt: skip
    for each in season()["ties"]:
        experts.declare_tie(
            expert=Expert.objects.get(number=each["number"]), uscc=organisations[each["of"]].uscc,
            kind=each["kind"], note=each["note"], by=people["city"], now=now,
        )  # fmt: skip


class _Played:
    """One round, played."""

    def __init__(self, said: dict[str, Any], organisations: dict[str, Organisation], people: dict[str, User]):
        self.said, self.organisations, self.people = said, organisations, people
        self.edition: Edition = policy_queries.edition(said["edition"])
        self.order = [stage.id for stage in self.edition.stages]
        opened = date.fromisoformat(said["opened"])
        self.round: Round = rounds.open_round(
            edition_id=said["edition"], year=int(said["year"]), authority=organisations["city"],
            by=people["city"], now=at(opened),
        )  # fmt: skip
        self.deadline = date.fromisoformat(said["deadline"])
        changes = {
            "submission_deadline": self.deadline,
            "notice_text": NOTICE.format(title=self.edition.title),
        }
        self.round = rounds.edit_round(
            round_=self.round, version=self.round.version, changes=changes, by=people["city"], now=at(opened)
        )
        self.round = rounds.publish_round(round_=self.round, by=people["city"], now=at(opened, 15))

    def play(self) -> None:
        """Let every application pass the stages, one stage after the other, as far as it is to come."""
        rows = {
            each["of"]: self._handed_in(each, number) for number, each in enumerate(self.said["applications"])
        }
        for stage, day in self._days():
            here = {
                each["of"]: each for each in self.said["applications"] if self._is_at(rows[each["of"]], stage)
            }
            self._pass(stage, here, rows, day)
        if "sent_to" in self.said:
            self._send(self.said["sent_to"])
        if "closed" in self.said:
            closed = date.fromisoformat(self.said["closed"])
            rounds.close_round(round_=self.round, by=self.people["city"], now=at(closed))

    def _days(self) -> Iterator[tuple[Stage, date]]:
        """Yield the stages with the day of each: those below are done by when they report, the others after it."""
        end, report = date.fromisoformat(self.said["done"]), None
        below: list[Stage] = []
        others: list[Stage] = []
        for stage in self.edition.stages[1:]:
            day = reported_by(round_=self.round, edition=self.edition, stage=stage.id)
            report = day.on if day else report
            (below if day else others).append(stage)
        if report is not None:
            days = (report - self.deadline).days
            for number, stage in enumerate(below, start=1):
                yield stage, self.deadline + timedelta(days=days * number // (len(below) + 1))
        begin = report or self.deadline
        parts = len(others) + (1 if report else 2)
        for number, stage in enumerate(others, start=1):
            yield stage, begin + timedelta(days=(end - begin).days * number // parts)

    def _send(self, said: dict[str, str]) -> None:
        """Send what is recommended to the level above, whose own round takes it in."""
        opened, on = date.fromisoformat(said["opened"]), date.fromisoformat(said["on"])
        above = self.people[said["authority"]]
        taking = rounds.open_round(
            edition_id=said["edition"], year=self.round.year, by=above, now=at(opened),
            authority=self.organisations[said["authority"]],
        )  # fmt: skip
        changes = {
            "notice_text": NOTICE.format(title=policy_queries.edition(said["edition"]).title),
        }
        taking = rounds.edit_round(
            round_=taking, version=taking.version, changes=changes, by=above, now=at(opened)
        )
        taking = rounds.publish_round(round_=taking, by=above, now=at(opened, 15))
        package = packages.export_round(round_=self.round, by=self.people["city"], now=at(on))
        packages.load_package(round_=taking, package=package, by=above, now=at(on, 16))

    def _is_at(self, application: Application, stage: Stage) -> bool:
        application.refresh_from_db()
        return application.stage == stage.id and not application.outcome

    def _handed_in(self, each: dict[str, Any], number: int) -> Application:
        works = self.organisations[each["of"]]
        by, day = registry.operator(), self.deadline - timedelta(days=20 - number)
        case = cases.open_case(
            organisation=works,
            edition_id=self.edition.id,
            year=int(self.said["data_year"]),
            by=by,
            now=at(day),
        )
        texts = {name: f"{works.name}{words}" for name, words in TEXTS.items()} | {
            "title": f"{works.name}绿色工厂创建",
            "practices": season()["practices"][each["of"]],
            "brief_description": "企业按评价要求完成自评价，指标和佐证材料均可追溯到台账。",
            "self_description": f"{works.name}近年持续开展节能、节水和固体废物综合利用，建立了目标责任制。",
        }
        case = cases.save_draft(case=case, version=case.version, changes=texts, by=by, now=at(day))
        case = cases.mark_ready(case=case, version=case.version, by=by, now=at(day))
        return applying.submit(round_=self.round, case=case, by=by, now=at(day, 16))

    def _pass(
        self, stage: Stage, here: Mapping[str, dict[str, Any]], rows: dict[str, Application], day: date
    ) -> None:
        if stage.kind == "experts" and here:
            self._experts(stage, here, rows, day)
        if stage.kind == "notice" and here:
            self._notices(here, rows)
            return
        for key, each in here.items():
            application = Application.objects.select_related("organisation", "round__authority").get(
                pk=rows[key].pk
            )
            if self._ends_here(each, stage, application, day):
                continue
            self._before(stage, application, day, each)
            if each["until"] == stage.id:
                self._disagree(each, stage, application, day)
                continue
            for role in stages.deciders(stage):
                action = {"consultation": Action.CONCLUDE, "experts": Action.CONCLUDE}.get(
                    stage.kind, Action.RECOGNISE if stage.kind in ("decision", "above") else Action.AGREE
                )
                term = 8 if stage.kind == "consultation" else 3  # departments have their time
                self._act(application, role, action, at(day + timedelta(days=term)), stage)

    def _disagree(self, each: dict[str, Any], stage: Stage, application: Application, day: date) -> None:
        """Leave a joint stage contested: one agrees, the other does not."""
        if "contested" in each:
            first, second = stages.deciders(stage)
            self._act(application, first, Action.AGREE, at(day), stage)
            said = Said(words="贮存场所防渗漏措施存疑，建议整改后再报。")
            self._act(application, second, Action.DISAGREE, at(day, 15), stage, said)

    def _ends_here(self, each: dict[str, Any], stage: Stage, application: Application, day: date) -> bool:
        until = each["until"]
        if until == "RETURNED" and each["at"] == stage.id:
            said = Said(words=each["words"], comments=each["comments"])
            self._act(application, stages.deciders(stage)[0], Action.RETURN, at(day), stage, said)
            return True
        if until not in set(Outcome) or until == Outcome.RECOGNISED:
            return False
        action = ENDS.get(Outcome(until))
        offered = stages.OFFERED[stage.kind]
        if until == Outcome.WITHDRAWN:
            self._act(
                application, stages.APPLICANT, Action.WITHDRAW, at(day), stage, Said(words=each["words"])
            )
            return True
        at_stage = each.get("at") or {Outcome.NOT_SELECTED: "shortlist", Outcome.REFUSED: "decision"}.get(
            Outcome(until), ""
        )
        if action is None or action not in offered or stage.id != at_stage:
            return False
        for role in stages.deciders(stage):
            self._act(application, role, action, at(day), stage, Said(words=each["words"]))
        return True

    def _before(self, stage: Stage, application: Application, day: date, each: dict[str, Any]) -> None:
        """What the act of a stage needs."""
        if stage.kind == "third_party":
            self._agency(application, day)
        elif stage.kind == "site_check" and each["until"] != stage.id:
            site_checks.record_site_check(
                application=application, client_id=uuid.uuid5(uuid.NAMESPACE_OID, application.code),
                checked_at=at(day, 14), participants="区经信干部、区生态环境干部、企业环保专员",
                words="现场与申报材料一致，台账、磅单可查。", position=(Decimal("29.028"), Decimal("106.651")),
                accuracy_m=15, by=self._officer(stages.deciders(stage)[0], application), now=at(day, 18),
            )  # fmt: skip
        elif stage.kind == "consultation":
            self._consultation(stage, application, day, is_open=each["until"] == stage.id)

    def _consultation(self, stage: Stage, application: Application, day: date, *, is_open: bool) -> None:
        by = self._officer(stages.deciders(stage)[0], application)
        rows = consultations.consult(application=application, by=by, now=at(day))
        over = at(nth_working_day(day, (stage.due_working_days or 5)) + timedelta(days=1))
        for number, row in enumerate(rows):
            if is_open and number >= 2:
                return
            if number == len(rows) - 1:
                consultations.close_unanswered(consultation=row, by=by, now=over)
            else:
                self._reply(row, by, at(day + timedelta(days=2)))

    def _reply(self, row: Consultation, by: User, now: datetime) -> None:
        consultations.reply(
            consultation=row, opinion=Consultation.Opinion.NO_OBJECTION, words="经查询，无意见。",
            document=("复函.pdf", PAPER), by=by, now=now,
        )  # fmt: skip

    def _agency(self, application: Application, day: date) -> None:
        staff = self.people["agency"]
        report = agencies.assign_agency(
            application=application, agency=self.organisations["agency"], by=self.people["city"], now=at(day)
        )
        assert self.edition.scoring is not None, "the edition has a rubric"
        written = Written(
            visited_on=day,
            scores={item.id: str(item.max * 9 // 10) for item in self.edition.scoring.rubric},
            conclusion="经现场评价，指标和佐证材料符合要求。",
            is_positive=True,
        )
        report = save_report(
            report=report, version=report.version, written=written, by=staff, now=at(day, 15)
        )
        report = attach_report(
            report=report,
            version=report.version,
            name="评价报告.pdf",
            content=PAPER,
            by=staff,
            now=at(day, 16),
        )
        submit_report(report=report, version=report.version, by=staff, now=at(day, 17))

    def _experts(
        self, stage: Stage, here: Mapping[str, dict[str, Any]], rows: dict[str, Application], day: date
    ) -> None:
        city, seed = self.people["city"], self.said["seed"]
        drawn = draws.commit_draw(
            round_=self.round, commitment=commitment(seed), number=4, stage=stage.id, by=city,
            now=at(day - timedelta(days=4)),
        )  # fmt: skip
        draws.reveal_draw(draw_=drawn, seed=seed, by=city, now=at(day - timedelta(days=3)))
        assignments.assign_cases(round_=self.round, stage=stage.id, by=city, now=at(day - timedelta(days=2)))
        scoring = self.edition.scoring
        assert scoring is not None, "the edition has a rubric"
        for key, each in here.items():
            if "score" in each:
                for number, row in enumerate(
                    Assignment.objects.filter(application=rows[key], stage=stage.id).order_by("pk")
                ):
                    score(row, scoring, Decimal(each["score"]) + number * 2 - 2, at(day - timedelta(days=1)))

    def _notices(self, here: Mapping[str, dict[str, Any]], rows: dict[str, Application]) -> None:
        city = self.people["city"]
        for number, said in enumerate(self.said["notices"], start=1):
            listed = [key for key, each in here.items() if int(each.get("notice", "1")) == number]
            day = date.fromisoformat(said["on"])
            notice = notices.publish_notice(
                round_=self.round, applications=[Application.objects.get(pk=rows[key].pk) for key in listed],
                title=f"关于{self.round.title}拟入围名单的公示", text=said["text"],
                contact="市经信委节能与综合利用处（演示）023-00000000", by=city, now=at(day),
            )  # fmt: skip
            for key in listed:
                self._objection(here[key], notice, rows[key], day)
            if not any(here[key]["until"] == notice.stage for key in listed):
                notices.clear_notice(notice=notice, by=city, now=at(notice.ends_on + timedelta(days=1)))

    def _objection(
        self, each: dict[str, Any], notice: PublicNotice, application: Application, day: date
    ) -> None:
        if "objection" not in each:
            return
        objection = notices.object_to(
            item=notice.items.get(application=application), name="王某（演示）", contact="138****0000",
            words=each["objection"], now=at(day + timedelta(days=1)),
        )  # fmt: skip
        if each["until"] == Outcome.REMOVED:
            notices.decide_objection(
                objection=objection, is_upheld=True, words=each["words"], removes=True, by=self.people["city"],
                now=at(day + timedelta(days=3)),
            )  # fmt: skip

    def _officer(self, role: str, application: Application) -> User:
        return self.people[OFFICERS[role][application.district_code]]

    def _act(
        self,
        application: Application,
        role: str,
        action: Action,
        now: datetime,
        stage: Stage,
        said: Said = Said(words="同意。"),  # noqa: B008 - frozen
    ) -> None:
        fresh = Application.objects.get(pk=application.pk)
        if role == stages.APPLICANT:
            by = registry.operator()
        elif role == "AGENCY":
            by = self.people["agency"]
        else:
            by = self.people[APPROVES] if stage.kind in ("decision", "above") else self._officer(role, fresh)
        deciding.decide(
            application=fresh, version=fresh.version, action=action, said=said, role=role, by=by, now=now
        )


def score(row: Assignment, scoring: Scoring, points: Decimal, now: datetime) -> None:
    """Let an expert hand in a sheet: of each item the share that the points are of the full marks."""
    scores = {
        item.id: str((item.max * points / scoring.full_marks).quantize(Decimal("0.1")))
        for item in scoring.rubric
    }
    by = row.expert.user
    sheet = sheets.save_sheet(
        assignment=row,
        version=0,
        scores=scores,
        comments={},
        words="材料真实完整，指标可追溯。",
        by=by,
        now=now,
    )
    sheets.submit_sheet(assignment=row, version=sheet.version, by=by, now=now)


def _titles(organisations: dict[str, Organisation], people: dict[str, User]) -> None:
    """The finished round's titles, and what became of them: one renamed, one revoked."""
    said, chief = season()["titles"], people[APPROVES]
    granted_on = date.fromisoformat(said["granted_on"])
    finished = Application.objects.filter(round__year=granted_on.year, outcome=Outcome.RECOGNISED)
    for number, application in enumerate(finished.order_by("code"), start=1):
        register.grant_title(
            application=application, number=f"CQ-GF-{granted_on.year}-{number:03d}", granted_on=granted_on,
            document=said["document"], by=chief, now=at(granted_on),
        )  # fmt: skip
    renamed, revoked = said["renamed"], said["revoked"]
    reported = date.fromisoformat(renamed["reported"])
    completed_on = date.fromisoformat(renamed["completed_on"])
    rename_organisation(
        organisation=organisations[renamed["of"]], name=renamed["new_name"], on=completed_on,
        document="登记机关变更通知书（演示）", by=registry.operator(), now=at(reported, 9),
    )  # fmt: skip
    report = register.report_change(
        title=_title(organisations[renamed["of"]]), kind="RENAME", words="营业执照已变更登记。",
        completed_on=completed_on, new_name=renamed["new_name"],
        file_name="变更通知书.pdf", content=PAPER, by=registry.operator(), now=at(reported),
    )  # fmt: skip
    report = register.review_change(
        report=report, version=report.version, agree=True, words="情况属实。", by=people["district-industry"],
        now=at(reported + timedelta(days=5)),
    )  # fmt: skip
    register.record_change(
        report=report, version=report.version, accept=True, words="同意调整。", by=chief,
        now=at(reported + timedelta(days=12)),
    )  # fmt: skip
    again = said["reevaluated"]
    for key, answer in again["of"].items():
        policies.judge(
            organisation=organisations[key], edition_id=again["edition"], criterion="score-12-green-design",
            question="green_design", year=int(again["year"]) - 1, answer=answer, reason="已核对绿色设计案例材料。",
            by=people["district-industry"], now=at(date.fromisoformat(again["on"]), 9),
        )  # fmt: skip
        reevaluations.record_reevaluation(
            title=_title(organisations[key]), edition_id=again["edition"], year=int(again["year"]),
            by=registry.operator(), now=at(date.fromisoformat(again["on"])),
        )  # fmt: skip
    on = date.fromisoformat(revoked["on"])
    register.revoke_title(
        title=_title(organisations[revoked["of"]]), cause=revoked["cause"], on=on, words=revoked["words"],
        document=revoked["document"], by=chief, now=at(on),
    )  # fmt: skip


def _title(organisation: Organisation) -> Title:
    return Title.objects.get(organisation=organisation)


TEXTS = {
    "plan": "按建设指南逐条梳理产废环节，制定年度任务和目标。",
    "results": "综合利用量稳定，填埋量逐年下降；具体数字由台账计算，见附表。",
    "innovation": "把利用单位的质量要求前移到产废环节控制。",
    "conditions": "适用于周边有建材、冶炼等利用单位的企业。",
}
NOTICE = "现组织开展{title}申报工作。请符合条件的单位自愿申报，如实填报并提供佐证材料。（演示）"
PAPER = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n"
    b"trailer<</Root 1 0 R>>\nstartxref\n0\n%%EOF\n"
)
