"""
The round of 500 as people would play it: by a script from a seed, through the services that their doors use.

The ground – organisations, people, cases – is made at one stroke; freezing is stood in for, as in the seasons. From
the call to the register everything else is a service, and where many are decided at once it is the room's batch.
"""

import random
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from unittest import mock

from tests.conftest import NOW, valid_uscc
from tests.rooms.reviews import world as worlds
from tests.rooms.reviews.round_counted import Fate, Line, Sheet
from wufei.cases.models import Case
from wufei.portal import queries as published
from wufei.registry.models import Organisation, RoleAssignment, User
from wufei.reviews import draw
from wufei.reviews.clock import end_of
from wufei.reviews.models import Application, Assignment, BatchItem, Expert, QuotaUse, Round
from wufei.reviews.queries.ranking import ranking
from wufei.reviews.queries.rounds import status_of
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services import (
    applying,
    assignments,
    batches,
    deciding,
    draws,
    notices,
    register,
    rounds,
    sheets,
)
from wufei.reviews.services.deciding import Said
from wufei.reviews.stages import Action
from wufei.terms.day import local_day

EDITION = "made-up-round-of-500"
CASES = 500  # that come in; one more comes too late
CAP = 12  # places of each district; the edition says three
DISTRICTS = {"500110": 200, "500112": 140, "500113": 100, "500114": 61}
EXPERTS, DRAWN = 13, 11
WAYS = Counter(
    {
        "returned": 20, "rejected": 25, "settled for": 10, "settled against": 8, "withdraws": 8,
        "withdraws and comes again": 5, "found wanting": 15, "returned by the city": 12,
        "withdraws when scored": 5,
    }
)  # fmt: skip
RETURNED = {"returned", "returned by the city"}


def script(seed: int) -> list[Fate]:
    """Return what is to happen to each applicant; the last two come late, one of them with leave."""
    rng = random.Random(seed)
    ways = [*WAYS.elements()]
    ways += ["plain"] * (CASES - 1 - len(ways))
    rng.shuffle(ways)
    districts = [code for code, number in DISTRICTS.items() for _ in range(number)]
    rng.shuffle(districts)
    figures = (None, 60, 70, 80, 90)
    return [
        Fate(
            district=district, way=way, figure=rng.choice(figures), wavers=rng.random() < 0.1, lot=rng.random(),
            figure_later=rng.choice(figures[1:]) if way in RETURNED else None,
        )
        for district, way in zip(districts, [*ways, "late with leave", "too late"], strict=True)
    ]  # fmt: skip


class Play:
    """The round; `sheets` are what the experts gave, for who counts anew."""

    def __init__(self, seed: int):
        self.fates = script(seed)
        self.rng = random.Random(seed + 1)
        self.sheets: dict[tuple[int, str], Sheet] = {}
        self.refused: Counter[str] = Counter()
        self.now = NOW
        self._ground()

    # ---- the ground --------------------------------------------------------------------------

    def _ground(self) -> None:
        world = self.world = worlds.build(experts=EXPERTS)
        for code in list(DISTRICTS)[2:]:
            for branch in ("INDUSTRY", "ENVIRONMENT"):
                key = f"{code}_{branch}"
                world.authorities[key] = worlds.organisation(f"{key}局", "AUTHORITY", code, branch=branch)
                world.people[key] = worlds.person(key, "AUTHORITY_OFFICER", world.authorities[key])
        at = range(len(self.fates))
        self.works = Organisation.objects.bulk_create(
            Organisation(
                uscc=valid_uscc(f"92{fate.district}MA5R{case:05d}"), name=f"第{case}厂", kind="ENTERPRISE",
                division_code=fate.district, created_at=NOW,
            )
            for case, fate in enumerate(self.fates)
        )  # fmt: skip
        self.officers = User.objects.bulk_create(
            User(username=f"works{case}", full_name=f"works{case}") for case in at
        )
        RoleAssignment.objects.bulk_create(
            RoleAssignment(
                user=self.officers[case], organisation=self.works[case], role="ENVIRONMENT_OFFICER"
            )
            for case in at
        )
        self.cases = Case.objects.bulk_create(
            Case(
                organisation=self.works[case], edition=EDITION, year=2025, state="READY", created_at=NOW,
                created_by=self.officers[case], updated_at=NOW, updated_by=self.officers[case],
            )
            for case in at
        )  # fmt: skip
        self.case_of = {works.pk: case for case, works in enumerate(self.works)}
        # One of the pool is employed by an applicant.
        Expert.objects.filter(pk=world.experts[0].pk).update(employer_uscc=self.works[0].uscc)

    def _freeze(self, *, case: Case, by: User, now: datetime) -> Any:
        fate, is_first = self.fates[self.case_of[case.organisation_id]], not case.submissions.exists()
        value = fate.figure if is_first or fate.figure_later is None else fate.figure_later
        said = {"indicator": "utilisation_rate_pct", "year": case.year, "stream": None, "dimension": None}
        content = {
            "texts": {"title": f"{case.organisation.name}的案例", "practices": "炉渣制砖。"},
            "numbers": [said | {"value": None if value is None else str(value)}],
            "evaluation": {}, "evidence": [], "particulars": {},
        }  # fmt: skip
        return worlds.submission_as_if_frozen(
            case, case.organisation, edition_id=EDITION, year=case.year, by=by, now=now, content=content
        )

    # ---- the round ---------------------------------------------------------------------------

    def play(self) -> "Play":
        with mock.patch.object(applying, "freeze", self._freeze):
            self._call()
            self._hand_in()
            self._first_review()
            self._conformity()
        self._experts()
        self.first_ranking = self.lines()
        self._recommend()
        self._countersign()
        self._notice()
        self._decide()
        rounds.close_round(round_=self.round, by=self.city, now=self.now)
        return self

    def _call(self) -> None:
        self.city = self.world.people["CITY_INDUSTRY"]
        made = rounds.open_round(
            edition_id=EDITION, year=2026, authority=self.world.authorities["CITY_INDUSTRY"], by=self.city,
            now=self.now,
        )  # fmt: skip
        changes = {
            "submission_deadline": local_day(self.now) + timedelta(days=10), "quotas": {"per-district": CAP},
            "notice_text": "请于截止日前报送。",
        }  # fmt: skip
        made = rounds.edit_round(
            round_=made, version=made.version, changes=changes, by=self.city, now=self.now
        )
        self._refuse(applying.submit, round_=made, case=self.cases[0], by=self.officers[0])  # no call yet
        rounds.publish_round(round_=made, by=self.city, now=self.now)
        # The seed of the assignment is the round's identity.
        Round.objects.filter(pk=made.pk).update(uid=uuid.UUID(int=self.rng.getrandbits(128)))
        called = published.call(pk=made.pk)
        assert called is not None
        self.round: Round = called

    def _hand_in(self) -> None:
        *in_time, with_leave, too_late = range(len(self.fates))
        for case in in_time:
            self._submit(case)
        for case in self._of("withdraws", "withdraws and comes again"):
            self._act(case, Action.WITHDRAW, self.officers[case])
        for case in self._of("withdraws and comes again"):
            self._submit(case)
        assert self.round.submission_deadline is not None
        self.now = end_of(self.round.submission_deadline) + timedelta(hours=9)
        for case in (with_leave, too_late):
            self._refuse(applying.submit, round_=self.round, case=self.cases[case], by=self.officers[case])
        rounds.admit_late(
            round_=self.round, organisation=self.works[with_leave], until=local_day(self.now), reason="停电",
            by=self.city, now=self.now,
        )  # fmt: skip
        self._submit(with_leave)
        self._refuse(
            applying.submit, round_=self.round, case=self.cases[too_late], by=self.officers[too_late]
        )

    def _first_review(self) -> None:
        for district in DISTRICTS:
            key = {worlds.DISTRICT: "DISTRICT", worlds.OTHER_DISTRICT: "OTHER_DISTRICT"}.get(
                district, district
            )
            industry, environment = (self.world.people[f"{key}_{b}"] for b in ("INDUSTRY", "ENVIRONMENT"))

            def mine(*ways: str, here: str = district) -> list[int]:
                return [case for case in self._of(*ways) if self.fates[case].district == here]

            returned = mine("returned")
            self._batch("RETURN", "DISTRICT_ENVIRONMENT", environment, returned)
            for case in returned:
                self._submit(case)
            against, contested = mine("rejected"), mine("settled for", "settled against")
            gone = {*mine("withdraws", "too late"), *against, *contested}
            good = [case for case in mine() if case not in gone]
            # Whoever comes first: the one district's industry, the other's environment.
            sides = [
                ("DISTRICT_INDUSTRY", industry, good + contested, against),
                ("DISTRICT_ENVIRONMENT", environment, good, against + contested),
            ]
            for role, by, agreed, disagreed in sides if district < "500113" else reversed(sides):
                self._batch("AGREE", role, by, agreed)
                self._batch("DISAGREE", role, by, disagreed)
        assert status_of(round_=self.round).contested == WAYS["settled for"] + WAYS["settled against"]
        for way, action in (("settled for", Action.SETTLE_FOR), ("settled against", Action.SETTLE_AGAINST)):
            for case in self._of(way):
                self._act(case, action, self.city)

    def _conformity(self) -> None:
        returned = self._of("returned by the city")
        self._batch("RETURN", "CITY_INDUSTRY", self.city, returned)
        for case in returned:
            self._submit(case)
        self._batch("DISAGREE", "CITY_INDUSTRY", self.city, self._of("found wanting"))
        self._batch("AGREE", "CITY_INDUSTRY", self.city, self._at("conformity"))

    def _experts(self) -> None:
        said = {"by": self.city, "now": self.now}
        seed = "五百件"
        drawn = draws.commit_draw(round_=self.round, commitment=draw.commitment(seed), number=DRAWN, **said)
        self._refuse(draws.reveal_draw, draw_=drawn, seed=f"{seed}！", by=self.city)
        draws.reveal_draw(draw_=drawn, seed=seed, **said)
        given = assignments.assign_cases(round_=self.round, **said)
        assert given.is_even
        assert given.largest_load - given.smallest_load <= 1
        steps_back = self._live()[7]
        assignments.recuse(assignment=steps_back, reason="有往来", by=steps_back.expert.user, now=self.now)
        self._refuse_conclusion()
        self._score(self._live())
        for case in self._of("withdraws when scored"):
            self._act(case, Action.WITHDRAW, self.officers[case])
        self._score_again(self._at("experts")[5])
        self._batch("CONCLUDE", "CITY_INDUSTRY", self.city, self._at("experts"))

    def _live(self) -> list[Assignment]:
        rows = Assignment.objects.filter(application__round=self.round, withdrawn_at=None, sheet=None)
        return list(
            rows.select_related("application__round", "expert__user").order_by("application__code", "pk")
        )

    def _score(self, live: Sequence[Assignment]) -> None:
        panels: dict[int, list[Assignment]] = defaultdict(list)
        for row in live:
            panels[self.case_of[row.application.organisation_id]].append(row)
        for case, totals in self._points(panels).items():
            for row in panels[case]:
                self._sheet(case, row, totals[row.expert.number])

    def _points(self, panels: dict[int, list[Assignment]]) -> dict[int, dict[str, Sheet]]:
        """
        Return what each expert gives, some strict and some generous.

        In each panel three more are given the same as one: a lower level with better evidence, and twice the very
        same, for ties that the level, the figure, and nothing decides.
        """
        bias = {e.number: self.rng.randrange(-12, 13) for e in self.world.experts}
        by_panel: dict[tuple[str, ...], list[int]] = defaultdict(list)
        found: dict[int, dict[str, Sheet]] = {}
        for case, rows in panels.items():
            numbers = tuple(sorted(row.expert.number for row in rows))
            by_panel[numbers].append(case)
            worth = self.rng.randrange(52, 80)
            found[case] = {}
            for number in numbers:
                total = worth + bias[number] + self.rng.randrange(-5, 6)
                found[case][number] = Sheet(total, min(60, total - self.rng.randrange(15, 30)))
        for alike in by_panel.values():
            first, *others = sorted(alike, key=lambda case: (self.fates[case].figure_later is None, case))[:4]
            for at, case in enumerate(others):
                lower = 1 if at == 0 else 0
                found[case] = {n: Sheet(s.total, s.level - lower) for n, s in found[first].items()}
        return found

    def _sheet(self, case: int, row: Assignment, given: Sheet) -> None:
        by = row.expert.user
        scores = {"level": str(given.level), "evidence": str(given.total - given.level)}
        saved = sheets.save_sheet(assignment=row, version=0, scores=scores, comments={}, by=by, now=self.now)
        sheets.submit_sheet(assignment=row, version=saved.version, by=by, now=self.now)
        self.sheets[case, row.expert.number] = given

    def _score_again(self, case: int) -> None:
        """After discussion the same two give a case other scores; the last ones count."""
        again = assignments.second_turn(
            application=self._application(case), words="分歧较大，请再议。", by=self.city, now=self.now
        )
        self._refuse_conclusion(case)
        for at, row in enumerate(again):
            self._sheet(case, row, Sheet(71 + at, 45))

    def _recommend(self) -> None:
        """The best of each district in their order: who comes too late for its places is refused, one by one."""
        first = self._recommended()
        for case in first:
            if self.fates[case].wavers:
                self._act(case, Action.WITHDRAW, self.officers[case])
        # Their places are free again; what is left is ranked without them.
        self._recommended()
        self._batch("DISAGREE", "CITY_INDUSTRY", self.city, self._at("recommendation"))

    def _recommended(self) -> list[int]:
        best, seen = [], Counter[str]()
        for case in self._in_order("recommendation"):
            seen[self.fates[case].district] += 1
            if seen[self.fates[case].district] <= CAP + 4:
                best.append(case)
        return self._batch("AGREE", "CITY_INDUSTRY", self.city, best, may_refuse="quota_used_up")

    def _in_order(self, stage: str) -> list[int]:
        """Return who stands at the stage, in the order of the ranking."""
        there = set(self._at(stage))
        return [line.case for line in self.lines() if line.case in there]

    def _countersign(self) -> None:
        self.used = dict(QuotaUse.objects.filter(round=self.round).values_list("scope", "used"))
        self.recommended = self._in_order("countersign")
        self._batch("AGREE", "CITY_ENVIRONMENT", self.world.people["CITY_ENVIRONMENT"], self.recommended)

    def _notice(self) -> None:
        """One is objected to rightly and taken off, another wrongly; nothing goes on before the end."""
        rows = {self._case(row): row for row in self._rows(stage="public-notice", outcome="")}
        listed = [rows[case] for case in self.recommended]
        notice = notices.publish_notice(
            round_=self.round,
            applications=listed,
            title="公示",
            text="公示如下。",
            by=self.city,
            now=self.now,
        )
        removed, dismissed = sorted(self.recommended, key=lambda case: self.fates[case].lot)[:2]
        for case, is_right in ((removed, True), (dismissed, False)):
            item = notice.items.get(application=rows[case])
            objection = notices.object_to(
                item=item, name="李四", contact="13900000000", words="与事实不符。", now=self.now
            )
            self._refuse(notices.clear_notice, notice=notice, by=self.city)
            notices.decide_objection(
                objection=objection, is_upheld=is_right, removes=is_right, words="已现场核查，情况记录在案。", by=self.city,
                now=self.now,
            )  # fmt: skip
        self.notice_days = (notice.begins_on, notice.ends_on)
        self.now = end_of(notice.ends_on) - timedelta(minutes=1)
        self._refuse(notices.clear_notice, notice=notice, by=self.city)
        self.now += timedelta(hours=9)
        notices.clear_notice(notice=notice, by=self.city, now=self.now)

    def _decide(self) -> None:
        """A colleague approves (S7); the titles are numbered in the order of the ranking."""
        approves = self.world.people["CITY_INDUSTRY_2"]
        left = self._in_order("decision")
        refused = max(left, key=lambda case: self.fates[case].lot)
        self._refuse_act(left[0], Action.RECOGNISE, self.city)
        for case in left:
            self._act(case, Action.REFUSE if case == refused else Action.RECOGNISE, approves)
        given = [case for case in left if case != refused]
        for number, case in enumerate(given, start=1):
            register.grant_title(
                application=self._application(case), number=f"LS-2026-{number:03d}", document="测试〔2026〕501号",
                granted_on=local_day(self.now), by=self.city, now=self.now,
            )  # fmt: skip

    # ---- what it came to, as the product says it ---------------------------------------------

    def lines(self) -> list[Line]:
        case_of = {row.pk: self._case(row) for row in self._rows()}
        return [
            Line(row.rank, case_of[row.application], row.raw, row.normalised, row.is_shared)  # type: ignore[arg-type]
            for row in ranking(round_=self.round).rows
        ]

    def decided_by(self) -> Counter[str]:
        """Return how often each tie rule parted cases, and a figure that is not known lost."""
        rows = ranking(round_=self.round).rows
        said = Counter(rule for row in rows for rule in row.decided_by)
        return said + Counter(unknown=sum(bool(row.unknown) for row in rows))

    def outcomes(self) -> dict[int, str]:
        return {self._case(row): row.outcome for row in self._rows()}

    def published_list(self) -> list[int]:
        """Return who stands in the public register, in the order of the numbers."""
        rows = published.titles(at=local_day(self.now), edition=EDITION)
        return [self.case_of[title.organisation_id] for title in sorted(rows, key=lambda t: t.number)]

    # ---- small things ------------------------------------------------------------------------

    def _case(self, row: Application) -> int:
        return self.case_of[row.organisation_id]

    def _rows(self, **narrowed: Any) -> list[Application]:
        rows = Application.objects.filter(round=self.round, **narrowed)
        return list(rows.select_related("round", "organisation").order_by("code"))

    def _application(self, case: int) -> Application:
        return Application.objects.select_related("round__authority").get(
            round=self.round, organisation=self.works[case]
        )

    def _at(self, stage: str) -> list[int]:
        return [self._case(row) for row in self._rows(stage=stage, outcome="")]

    def _of(self, *ways: str) -> list[int]:
        """Return who fares so; nothing said: everybody."""
        return [case for case, fate in enumerate(self.fates) if not ways or fate.way in ways]

    def _submit(self, case: int) -> None:
        applying.submit(round_=self.round, case=self.cases[case], by=self.officers[case], now=self.now)

    def _act(self, case: int, action: Action, by: User) -> None:
        row = self._application(case)
        deciding.decide(
            application=row,
            version=row.version,
            action=action,
            said=Said(words="如上。"),
            by=by,
            now=self.now,
        )

    def _batch(
        self, action: str, role: str, by: User, cases: Iterable[int], *, may_refuse: str = ""
    ) -> list[int]:
        """Do it to all through the room's batch, which must do exactly what it foresaw; return to whom it did."""
        keys = {self.works[case].pk: at for at, case in enumerate(cases)}
        rows = sorted(
            (row for row in self._rows() if row.organisation_id in keys),
            key=lambda row: keys[row.organisation_id],
        )
        assert len(rows) == len(keys)
        if not rows:
            return []
        plan = batches.plan_batch(
            round_=self.round, codes=[row.code for row in rows], action=Action(action), role=role, words="如上。",
            by=by, now=self.now,
        )  # fmt: skip
        batches.confirm_batch(batch=plan, by=by, now=self.now)
        done = batches.run_batch(batch=plan, clock=lambda: self.now)
        found = []
        for item in done.items.select_related("application").order_by("position"):
            assert item.refusal == item.foreseen_refusal
            if item.state == BatchItem.State.DONE:
                assert (item.application.stage, item.application.outcome) == (
                    item.foreseen_stage, item.foreseen_outcome,
                )  # fmt: skip
                found.append(self._case(item.application))
            else:
                assert item.refusal == may_refuse
                self.refused[item.refusal] += 1
        return found

    def _refuse(self, do: Callable[..., Any], **said: Any) -> None:
        """What must not be done isn't; its code is counted."""
        try:
            do(**said, now=self.now)
        except ReviewRefused as refused:
            self.refused[refused.code] += 1
        else:
            raise AssertionError(f"{do.__name__} should have been refused")

    def _refuse_act(self, case: int, action: Action, by: User) -> None:
        row = self._application(case)
        self._refuse(
            deciding.decide,
            application=row,
            version=row.version,
            action=action,
            said=Said(words="如上。"),
            by=by,
        )

    def _refuse_conclusion(self, case: int | None = None) -> None:
        """Nothing is concluded while a sheet is missing."""
        self._refuse_act(self._at("experts")[0] if case is None else case, Action.CONCLUDE, self.city)
