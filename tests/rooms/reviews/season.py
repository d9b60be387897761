"""
A whole season played with a seeded clock: two rounds, some ten cases, and all that goes wrong in a year.

Late ones with leave and without, returns that suspend clocks, withdrawals, disagreements, silent departments,
tied experts, an officer who is an expert as well, too few places, notices over holidays, objections, applicants
that pass on to a successor, and people who try what isn't theirs. Only services are called; what they refuse
is counted and changes nothing. `faults` then judges what was left behind by rules of its own.
"""

import hashlib
import json
import random
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from unittest import mock

from django.core.management.color import no_style
from django.db import connection, transaction

from tests.conftest import NOW
from tests.rooms.reviews import world as worlds
from tests.rooms.reviews.world import World
from wufei.cases.models import Case
from wufei.policies import queries as policy_queries
from wufei.policies.edition import Stage
from wufei.registry.models import Organisation, RoleAssignment, Succession, User
from wufei.reviews import draw, models, stages
from wufei.reviews.models import Application, Assignment, Expert, ExpertTie, Objection, PublicNotice, Round
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services import (
    applying,
    assignments,
    consultations,
    deciding,
    draws,
    notices,
    rounds,
    sheets,
    site_checks,
)
from wufei.reviews.services.deciding import Said
from wufei.reviews.stages import Action, Outcome
from wufei.terms.day import SHANGHAI, local_day

EDITIONS = (worlds.CHONGQING_FACTORY, worlds.CHONGQING)
CASES = 8
EXPERTS = 9
TICKS = 1500
LONGEST = timedelta(days=95)
# Seasons begin so that most notices run over the Spring Festival, May Day, the Dragon Boat or the National Day.
BEGINNINGS = (
    date(2025, 1, 2), date(2025, 3, 24), date(2025, 4, 28), date(2025, 8, 28), date(2026, 1, 12),
    date(2026, 3, 30), date(2026, 5, 18), date(2026, 8, 17), date(2026, 9, 1),
)  # fmt: skip
# By these days the districts report, so no stage of theirs is due later in a round that was opened before: as
# 渝经信发〔2026〕6号 and the municipal green-factory call say, and not as the editions' files do.
REPORT_DAYS = {
    worlds.CHONGQING: (date(2026, 4, 13), {"district-recommendation", "site-check"}),
    worlds.CHONGQING_FACTORY: (
        date(2026, 7, 24),
        {"district-review", "site-check", "consultation", "district-recommendation"},
    ),
}
# What is done through services of its own, or by whoever runs the round for a whole list.
NOT_BY_HAND = {Action.SUBMIT, Action.PUBLISH, Action.CONFIRM, Action.REMOVE, Action.PASS_ON}


@dataclass
class Entry:
    """An applicant's part in the season."""

    works: Organisation
    officer: User
    successor: Organisation
    heir: User
    kept_away: frozenset[str] = frozenset()  # experts with an interest, by user name
    case: Case | None = None
    round: Round | None = None
    application: int | None = None
    begins: datetime = NOW
    has_no_room: bool = False
    is_done: bool = False
    due_when_returned: date | None = None
    silent: frozenset[str] = frozenset()


@dataclass
class Ground:
    """What all seasons of a process share: people and organisations, made once."""

    world: World
    entries: list[Entry]
    names: dict[int, str]  # user → a name that is the same in every process


def people() -> Ground:
    """Make the world that every season is played in, and taken back to."""
    world = worlds.build(experts=EXPERTS)
    for key in ("CITY_INDUSTRY", "DISTRICT_INDUSTRY", "OTHER_DISTRICT_INDUSTRY"):
        world.people[f"{key}_3"] = worlds.person(f"{key}_3", "AUTHORITY_OFFICER", world.authorities[key])
    both = world.people["expert1"]  # is an officer of the district as well
    RoleAssignment.objects.create(
        user=both, organisation=world.authorities["DISTRICT_INDUSTRY"], role="AUTHORITY_OFFICER"
    )
    entries = []
    names = {user.pk: key for key, user in world.people.items()}
    for at in range(CASES):
        division = worlds.DISTRICT if at % 3 else worlds.OTHER_DISTRICT
        works = worlds.applicant(world, f"第{at}建材厂", division)
        successor = worlds.applicant(world, f"第{at}新材料公司", division)
        entry = Entry(works, world.applicant_of(works), successor, world.applicant_of(successor))
        names |= {entry.officer.pk: f"officer{at}", entry.heir.pk: f"heir{at}"}
        entries.append(entry)
    _tie(world, entries)
    return Ground(world, entries, names)


def _tie(world: World, entries: list[Entry]) -> None:
    """Two experts have an interest in some applicant: one is employed there, one advised it."""
    by = world.people["CITY_INDUSTRY"]
    for at, entry in enumerate(entries[:4]):
        employed, adviser = world.experts[2 + at % 2], world.experts[4 + at % 3]
        if at < 2:
            Expert.objects.filter(pk=employed.pk).update(employer_uscc=entry.works.uscc)
        else:
            ExpertTie.objects.create(
                expert=employed,
                uscc=entry.works.uscc,
                kind=ExpertTie.Kind.KIN,
                declared_at=NOW,
                declared_by=by,
            )
        ExpertTie.objects.create(
            expert=adviser,
            uscc=entry.works.uscc,
            kind=ExpertTie.Kind.ADVISER,
            declared_at=NOW,
            declared_by=by,
        )
        entry.kept_away = frozenset({employed.user.username, adviser.user.username})


@contextmanager
def taken_back() -> Iterator[None]:
    """Play within it, and nothing is left; on PostgreSQL keys begin again where they began."""
    if connection.vendor == "postgresql":
        made = [each for each in vars(models).values() if hasattr(each, "_meta")] + [Case]
        with connection.cursor() as cursor:
            for said in connection.ops.sequence_reset_sql(no_style(), made):
                cursor.execute(said)
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@dataclass
class Season:
    stage: Ground
    seed: int
    counts: Counter[str] = field(default_factory=Counter)
    clock_faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.world = self.stage.world
        day = self.rng.choice(BEGINNINGS) + timedelta(days=self.rng.randrange(10))
        self.now = datetime.combine(day, time(9, self.rng.randrange(60)), tzinfo=SHANGHAI)
        self.entries = [
            Entry(e.works, e.officer, e.successor, e.heir, e.kept_away) for e in self.stage.entries
        ]

    # ---- how it is played --------------------------------------------------------------------

    def play(self) -> "Season":
        begun = self.now
        with mock.patch.object(applying, "freeze", self._freeze):
            self.rounds = [self._open(edition) for edition in EDITIONS]
            for at, entry in enumerate(self.rng.sample(self.entries, len(self.entries))):
                self._prepare(entry, self.rounds[at % 2])
            for _ in range(TICKS):
                left = [entry for entry in self.entries if not entry.is_done]
                if not left or self.now > begun + LONGEST:
                    break
                self._step(self.rng.choice(left))
                self.now += timedelta(minutes=self.rng.randrange(10, 420))
            for round_ in self.rounds:
                self._end(round_)
        return self

    def _freeze(self, *, case: Case, by: User, now: datetime) -> Any:
        return worlds.submission_as_if_frozen(
            case, case.organisation, edition_id=case.edition, by=by, now=now
        )

    def _open(self, edition_id: str) -> Round:
        by, authority = self.world.people["CITY_INDUSTRY"], self.world.authorities["CITY_INDUSTRY"]
        year = self.now.year
        made = rounds.open_round(edition_id=edition_id, year=year, authority=authority, by=by, now=self.now)
        Round.objects.filter(pk=made.pk).update(uid=uuid.UUID(int=self.rng.getrandbits(128)))
        latest = local_day(self.now) + timedelta(days=self.rng.randrange(8, 16))
        if (report := reported_by(made, "district-recommendation")) is not None:
            latest = min(latest, report)
        changes: dict[str, Any] = {
            "submission_deadline": latest,
            "notice_text": "请于截止日前报送。",
        }
        if policy_queries.edition(edition_id).quotas:
            changes["quotas"] = {"per-province": self.rng.randrange(1, 4)}
        made = rounds.edit_round(round_=made, version=made.version, changes=changes, by=by, now=self.now)
        rounds.publish_round(round_=made, by=by, now=self.now)
        seed = f"seed {self.seed}"
        drawn = draws.commit_draw(
            round_=made, commitment=draw.commitment(seed), number=EXPERTS - 1, by=by, now=self.now
        )
        self._try(draws.reveal_draw, draw_=drawn, seed=f"{seed}!", by=by)  # not what was committed to
        draws.reveal_draw(draw_=drawn, seed=seed, by=by, now=self.now)
        return Round.objects.select_related("authority").get(pk=made.pk)

    def _prepare(self, entry: Entry, round_: Round) -> None:
        entry.round = round_
        entry.case = Case.objects.create(
            organisation=entry.works, edition=round_.edition, year=round_.year - 1, state="READY",
            created_at=self.now, created_by=entry.officer, updated_at=self.now, updated_by=entry.officer,
        )  # fmt: skip
        assert round_.submission_deadline is not None
        days = (round_.submission_deadline - local_day(self.now)).days
        entry.begins = self.now + timedelta(days=self.rng.randrange(0, days + 5))
        departments = [d.name for s in self._stages(entry) for d in s.departments]
        entry.silent = frozenset(name for name in departments if self.rng.random() < 0.2)

    def _stages(self, entry: Entry) -> Sequence[Stage]:
        assert entry.round is not None
        return policy_queries.edition(entry.round.edition).stages

    def _try(self, do: Callable[..., Any], **said: Any) -> Any:
        """Do it now; what is refused is counted by its code, and nothing has changed."""
        try:
            done = do(**said, now=self.now)
        except ReviewRefused as refused:
            self.counts[f"refused {refused.code}"] += 1
            return None
        self.counts[do.__name__] += 1
        return done

    def _act(
        self, application: Application, action: Action, by: User, role: str = "", words: str = "如上。"
    ) -> Any:
        done = self._try(
            deciding.decide, application=application, version=application.version, action=action,
            said=Said(words=words), role=role, by=by,
        )  # fmt: skip
        self.counts[action.value] += done is not None
        return done

    def _officer(self, role: str, application: Application) -> User:
        key = next(
            k for k, user in self.world.people.items()
            if user == self.world.officer(role, application.district_code)
        )  # fmt: skip
        names = [key, f"{key}_2"] + ([f"{key}_3"] if role.startswith("DISTRICT_INDUSTRY") else [])
        if key == "DISTRICT_INDUSTRY":
            names.append("expert1")
        return self.world.people[self.rng.choice(names)]

    def _runner(self) -> User:
        return self.world.people[self.rng.choice(("CITY_INDUSTRY", "CITY_INDUSTRY_2"))]

    # ---- what is done next with a case -------------------------------------------------------

    def _step(self, entry: Entry) -> None:
        application = self._application(entry)
        if application is None or application.outcome == Outcome.WITHDRAWN:
            self._hand_in(entry, application)
            return
        if application.outcome:
            entry.is_done = True
            return
        if self.rng.random() < 0.10:
            self._mischief(application)
            return
        if self.rng.random() < 0.01 and application.organisation_id == entry.works.pk:
            self._pass_on(entry, application)
            return
        stage = stages.stage_of(self._stages(entry), application.stage)
        if self.rng.random() < 0.01 and stage.kind in stages.WITHDRAWABLE:
            self._act(application, Action.WITHDRAW, self._applicant(entry, application))
            return
        getattr(self, f"_{stage.kind}")(entry, application, stage)

    def _application(self, entry: Entry) -> Application | None:
        if entry.application is None:
            return None
        rows = Application.objects.select_related("round__authority", "organisation")
        return rows.get(pk=entry.application)

    def _applicant(self, entry: Entry, application: Application | None) -> User:
        passed_on = application is not None and application.organisation_id == entry.successor.pk
        return entry.heir if passed_on else entry.officer

    def _hand_in(self, entry: Entry, application: Application | None) -> None:
        if self.now < entry.begins:
            return
        if application is not None and self.rng.random() < 0.3:
            entry.is_done = True  # it stays withdrawn
            return
        assert entry.round is not None
        assert entry.case is not None
        Case.objects.filter(pk=entry.case.pk).update(updated_at=self.now)
        entry.case.refresh_from_db()
        made = self._try(
            applying.submit, round_=entry.round, case=entry.case, by=self._applicant(entry, application)
        )
        if made is not None:
            entry.application = made.pk
            self._check_clock(entry, application, made)
        elif local_day(self.now) > (entry.round.submission_deadline or date.max):
            if self.rng.random() < 0.5:
                entry.is_done = True  # it gives up
                return
            self._try(
                rounds.admit_late, round_=entry.round, organisation=entry.works, reason="系统故障",
                until=local_day(self.now) + timedelta(days=2), by=self._runner(),
            )  # fmt: skip

    def _check_clock(self, entry: Entry, before: Application | None, made: Application) -> None:
        """A clock that a return had suspended goes on with the working days that were left."""
        if before is None or before.outcome or entry.due_when_returned is None:
            return
        returned = made.acts.filter(action=Action.RETURN).order_by("-seq").first()
        assert returned is not None
        left = max(1, working_days(local_day(returned.at), entry.due_when_returned))
        expected = nth_working_day_after(local_day(self.now), left)
        assert entry.round is not None
        if (report := reported_by(entry.round, made.stage)) is not None:
            expected = min(expected, report)  # the district's report waits for nobody's correction
        self.counts["clocks that went on"] += 1
        if made.due_on != expected:
            self.clock_faults.append(f"{made.code}: due {made.due_on}, not {expected}")

    def _mischief(self, application: Application) -> None:
        """Let somebody try something, or come too late with what was seen before."""
        person = self.rng.choice([*self.world.people.values(), *(entry.officer for entry in self.entries)])
        action = self.rng.choice([a for a in Action if a not in NOT_BY_HAND])
        if self.rng.random() < 0.3:
            application.version -= 1
        self._act(application, action, person)

    def _pass_on(self, entry: Entry, application: Application) -> None:
        by = self._runner()
        done = self._try(
            deciding.pass_on, application=application, successor=entry.successor, words="吸收合并。", by=by
        )
        if done is None:
            return
        Succession.objects.create(
            predecessor=entry.works, successor=entry.successor, kind=Succession.Kind.MERGER,
            on=local_day(self.now), former_name=entry.works.name, recorded_at=self.now, recorded_by=by,
        )  # fmt: skip
        Case.objects.filter(pk=application.case_id).update(organisation=entry.successor)
        assert entry.case is not None
        entry.case.refresh_from_db()

    # ---- each kind of stage ------------------------------------------------------------------

    def _self_check(self, entry: Entry, application: Application, stage: Stage) -> None:
        if self.rng.random() < 0.1:
            self._act(application, Action.WITHDRAW, self._applicant(entry, application))
            return
        self._hand_in_again(entry, application)

    def _hand_in_again(self, entry: Entry, application: Application) -> None:
        assert entry.round is not None
        assert entry.case is not None
        by = self._applicant(entry, application)
        made = self._try(applying.submit, round_=entry.round, case=entry.case, by=by)
        if made is not None:
            self.counts["handed in again"] += 1
            self._check_clock(entry, application, made)

    def _review(self, entry: Entry, application: Application, stage: Stage) -> None:
        standing = deciding.standing_of(application, policy_queries.edition(application.round.edition))
        if standing.is_contested and self.rng.random() < 0.6:
            self._settle(application, stage)
            return
        deciders = stages.deciders(stage)
        silent = [role for role in deciders if role not in standing.votes]
        role = self.rng.choice(deciders if standing.is_contested else silent)
        [action] = self.rng.choices((Action.AGREE, Action.DISAGREE, Action.RETURN), (91, 4, 5))
        if entry.has_no_room:
            action = Action.DISAGREE
        elif stage.kind == "shortlist" and action is Action.RETURN:
            action = Action.AGREE
        due = application.due_on
        done = self._act(application, action, self._officer(role, application), role)
        if done is not None and action is Action.RETURN:
            entry.due_when_returned = due

    def _settle(self, application: Application, stage: Stage) -> None:
        [action] = self.rng.choices((Action.SETTLE_FOR, Action.SETTLE_AGAINST), (75, 25))
        role = stage.settled_by[0]
        before = self.counts["refused quota_used_up"]
        self._act(application, action, self._officer(role, application), role)
        if self.counts["refused quota_used_up"] > before:
            self._act(application, Action.SETTLE_AGAINST, self._officer(role, application), role)

    def _site_check(self, entry: Entry, application: Application, stage: Stage) -> None:
        if not application.site_checks.exists() and self.rng.random() < 0.8:
            self._try(
                site_checks.record_site_check, application=application,
                client_id=uuid.UUID(int=self.rng.getrandbits(128)), checked_at=self.now, participants="张三",
                by=self._officer("DISTRICT_INDUSTRY", application),
            )  # fmt: skip
        else:
            self._review(entry, application, stage)

    def _consultation(self, entry: Entry, application: Application, stage: Stage) -> None:
        by = self._officer(stage.concluded_by[0], application)
        asked = list(
            application.consultations.filter(stage=stage.id).select_related("authority").order_by("pk")
        )
        waiting = [row for row in asked if row.answered_at is None and row.closed_unanswered_at is None]
        if not asked:
            self._try(consultations.consult, application=application, by=by)
        elif self.rng.random() < 0.06:
            due = application.due_on
            if self._act(application, Action.RETURN, by, stage.concluded_by[0]) is not None:
                entry.due_when_returned = due
        elif waiting:
            row = self.rng.choice(waiting)
            replier = RoleAssignment.objects.filter(organisation=row.authority).order_by("pk").first()
            if row.department in entry.silent or replier is None or self.rng.random() < 0.2:
                self._try(consultations.close_unanswered, consultation=row, by=by)
            else:
                opinion = self.rng.choice(("NO_OBJECTION", "NO_OBJECTION", "REMARKS", "OBJECTION"))
                self._try(
                    consultations.reply, consultation=row, opinion=opinion, words="已核。", by=replier.user
                )
        if self.rng.random() < (0.1 if waiting or not asked else 0.9):
            fresh = Application.objects.get(pk=application.pk)
            self._act(fresh, Action.CONCLUDE, by, stage.concluded_by[0])

    def _experts(self, entry: Entry, application: Application, stage: Stage) -> None:
        given = Assignment.objects.filter(application=application, stage=stage.id, withdrawn_at=None)
        live = list(given.select_related("expert__user", "sheet").order_by("pk"))
        open_ = [row for row in live if not hasattr(row, "sheet")]
        if len(live) < 3:
            self._try(assignments.assign_cases, round_=application.round, by=self._runner())
        elif open_ and self.rng.random() < 0.95:
            row = self.rng.choice(open_)
            if self.rng.random() < 0.04:
                self._try(assignments.recuse, assignment=row, reason="有往来", by=row.expert.user)
            else:
                self._score(row)
        else:
            self._act(application, Action.CONCLUDE, self._runner(), stage.concluded_by[0])

    def _score(self, row: Assignment) -> None:
        scoring = policy_queries.edition(row.application.round.edition).scoring
        assert scoring is not None
        scores = {item.id: str(self.rng.randrange(int(item.max) + 1)) for item in scoring.rubric}
        by = row.expert.user
        self._try(sheets.save_sheet, assignment=row, version=0, scores=scores, comments={}, by=by)
        if self._try(sheets.submit_sheet, assignment=row, version=1, by=by) is None:
            models.ScoreSheet.objects.filter(assignment=row).delete()
            self._try(assignments.recuse, assignment=row, reason="有往来", by=by)

    def _shortlist(self, entry: Entry, application: Application, stage: Stage) -> None:
        before = self.counts["refused quota_used_up"]
        self._review(entry, application, stage)
        entry.has_no_room |= self.counts["refused quota_used_up"] > before
        if entry.has_no_room and self.rng.random() < 0.2:
            fewer = {"quotas": {"per-province": 0}}
            by, round_ = self._runner(), Round.objects.get(pk=application.round_id)
            self._try(rounds.edit_round, round_=round_, version=round_.version, changes=fewer, by=by)

    def _notice(self, entry: Entry, application: Application, stage: Stage) -> None:
        rows = application.notice_items.filter(removed_at=None).select_related("notice__round__authority")
        item, by = rows.last(), self._runner()
        if item is None:
            if self.rng.random() < 0.15:
                self._put_up(application, stage, by)
            return
        open_ = Objection.objects.filter(item=item, decision="").order_by("pk").first()
        lot = self.rng.random()
        if lot < 0.12:
            self._try(notices.object_to, item=item, name="李四", contact="1", words="不实。")
        elif lot < 0.16:
            longer = item.notice.ends_on + timedelta(days=self.rng.randrange(-1, 4))
            self._try(notices.extend_notice, notice=item.notice, ends_on=longer, reason="补充", by=by)
        elif open_ is not None and lot < 0.35:
            upheld = self.rng.random() < 0.4
            self._try(
                notices.decide_objection, objection=open_, is_upheld=upheld, words="已现场核查，情况记录在案。",
                removes=upheld and self.rng.random() < 0.7, by=by,
            )  # fmt: skip
        elif lot < 0.8:
            self._try(notices.clear_notice, notice=item.notice, by=by)

    def _put_up(self, application: Application, stage: Stage, by: User) -> None:
        waiting = Application.objects.filter(
            round=application.round, stage=stage.id, outcome="", notice_items=None
        )
        rows = list(waiting.select_related("round", "organisation").order_by("code"))
        self._try(
            notices.publish_notice,
            round_=application.round,
            applications=rows,
            title="公示",
            text="如下。",
            by=by,
        )

    def _decision(self, entry: Entry, application: Application, stage: Stage) -> None:
        [action] = self.rng.choices((Action.RECOGNISE, Action.REFUSE), (85, 15))
        key = self.rng.choice(("CITY_INDUSTRY", "CITY_INDUSTRY_2", "CITY_INDUSTRY_3"))
        self._act(application, action, self.world.people[key])

    _above = _decision

    def _end(self, round_: Round) -> None:
        by = self.world.people["CITY_INDUSTRY"]
        for application in round_.applications.order_by("code"):
            self._act(application, Action.RELEASE, by)
        if all(entry.is_done for entry in self.entries):
            assert self._try(rounds.close_round, round_=round_, by=by), "nothing is open any more"

    # ---- what it came to -----------------------------------------------------------------------

    def digest(self) -> str:
        """Return one hash of all that happened, in names that are the same in every process."""
        name = self.stage.names
        told: list[Any] = []
        for round_ in self.rounds:
            for at, row in enumerate(round_.applications.order_by("pk")):
                acts = row.acts.order_by("seq").values_list("seq", "stage", "action", "role", "at", "by_id")
                told += [(at, *act[:4], act[4].isoformat(), name[act[5]]) for act in acts]
                told.append((at, row.stage, row.outcome, row.version, str(row.due_on)))
                given = (
                    Assignment.objects.filter(application=row)
                    .order_by("pk")
                    .select_related("expert", "sheet")
                )
                told += [(a.expert.number, str(a.sheet.total) if hasattr(a, "sheet") else "") for a in given]
            for notice in PublicNotice.objects.filter(round=round_).order_by("pk"):
                told.append((str(notice.begins_on), str(notice.ends_on), notice.items.count()))
        told.append(sorted(self.counts.items()))
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()


# ---- the calendar, counted by hand ---------------------------------------------------------------


def _days(year: int, said: str) -> set[date]:
    """Read "1-28..2-4 4-4..4-6"."""
    found = set()
    for part in said.split():
        first, _, last = part.partition("..")
        day, end = (date(year, *map(int, each.split("-"))) for each in (first, last or first))
        while day <= end:
            found.add(day)
            day += timedelta(days=1)
    return found


OFF = _days(2025, "1-1 1-28..2-4 4-4..4-6 5-1..5-5 5-31..6-2 10-1..10-8") | _days(
    2026, "1-1..1-3 2-15..2-23 4-4..4-6 5-1..5-5 6-19..6-21 9-25..9-27 10-1..10-7"
)
WORKED = _days(2025, "1-26 2-8 4-27 9-28 10-11") | _days(2026, "1-4 2-14 2-28 5-9 9-20 10-10")


def is_working(day: date) -> bool:
    return day in WORKED or (day.weekday() < 5 and day not in OFF)


def working_days(after: date, through: date) -> int:
    """Count the working days after the one day, through the other."""
    return sum(is_working(after + timedelta(days=n)) for n in range(1, (through - after).days + 1))


def reported_by(round_: Round, stage: str) -> date | None:
    day, bound = REPORT_DAYS[round_.edition]
    is_bound = stage in bound and round_.year == day.year and local_day(round_.opened_at) <= day
    return day if is_bound else None


def nth_working_day_after(day: date, number: int) -> date:
    while number:
        day += timedelta(days=1)
        number -= is_working(day)
    return day
