"""
What stands beside the rounds: the ministry's experts, agencies judged, credit, cultivation, a ranking, an open call.

Through the same services as all else. One call is open on the day of building, so that a visitor can hand in.
"""

import csv
import io
import uuid
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from wufei.demo import papers
from wufei.demo.district import uscc_of
from wufei.demo.season import NOTICE, at, score, season
from wufei.policies import queries as policy_queries
from wufei.registry import services as registry
from wufei.registry.models import Organisation, OrganisationKind, User
from wufei.reviews.credit_files import COLUMNS
from wufei.reviews.draw import commitment
from wufei.reviews.models import Application, Assignment, Round
from wufei.reviews.queries.rounds_recommending import candidates_of
from wufei.reviews.services import (
    agencies,
    assignments,
    credit,
    cultivation,
    draws,
    experts,
    rounds,
    rounds_recommending,
    site_checks,
)  # fmt: skip
from wufei.terms.day import local_day


def play(*, organisations: dict[str, Organisation], by: User, now: datetime) -> None:
    """Let each thing happen, on its own day."""
    said, people = season()["beside"], {user.username: user for user in User.objects.all()}
    _ministry(said, organisations, people)
    _agencies(said, organisations, people, by)
    _credit_and_cultivation(said, organisations, people)
    _ranking(said["ranking"], organisations, people)
    _photo(said["photo"], organisations, people)
    _late(said["late"], organisations, people)
    _open_call(said["open"], organisations, people, now)


def _day(said: dict[str, str], name: str = "on") -> datetime:
    return at(date.fromisoformat(said[name]))


def _round(key: str) -> Round:
    said = next(each for each in season()["rounds"] if each["id"] == key)
    return Round.objects.get(edition=said["edition"], year=int(said["year"]))


def _ministry(said: dict[str, Any], organisations: dict[str, Organisation], people: dict[str, User]) -> None:
    """Three experts of its own; both cases are with them, one is scored."""
    by, how = people["ministry"], said["ministry"]
    opened = _day(how, "committed")
    for each in said["ministry_experts"]:
        experts.enter_expert(
            pool=organisations["ministry"], user=people[each["username"]], number=each["number"],
            fields=each["fields"], employer_name=each["employer"], title=each["title"], by=by,
            now=opened - timedelta(days=7),
        )  # fmt: skip
    round_ = Round.objects.get(edition=how["edition"], authority=organisations["ministry"])
    drawn = draws.commit_draw(
        round_=round_, commitment=commitment(how["seed"]), number=len(said["ministry_experts"]), by=by, now=opened
    )  # fmt: skip
    draws.reveal_draw(draw_=drawn, seed=how["seed"], by=by, now=_day(how, "revealed"))
    assignments.assign_cases(round_=round_, by=by, now=_day(how, "revealed") + timedelta(hours=1))
    scoring = policy_queries.edition(round_.edition).scoring
    assert scoring is not None, "the edition has a rubric"
    rows = Assignment.objects.filter(
        application__round=round_, application__organisation=organisations[how["scored_of"]]
    )
    for number, row in enumerate(rows.order_by("pk")):
        score(row, scoring, Decimal(how["points"]) + number * 2 - 2, _day(how, "scored"))


def _agencies(
    said: dict[str, Any], organisations: dict[str, Organisation], people: dict[str, User], by: User
) -> None:
    city, mark, gone = people["city"], said["mark"], said["excluded"]
    agencies.judge_agency(
        authority=organisations["city"], agency=organisations["agency"], year=int(mark["year"]),
        strength=Decimal(mark["strength"]), report_quality=Decimal(mark["report_quality"]),
        process=Decimal(mark["process"]), words=mark["words"], is_recommended=True, by=city, now=_day(mark),
    )  # fmt: skip
    agency = registry.register_organisation(
        uscc=uscc_of(gone["serial"]), name=gone["name"], kind=OrganisationKind.AGENCY, division_code="500112",
        by=by, now=_day(mark),
    )  # fmt: skip
    agencies.exclude_agency(
        authority=organisations["city"], agency=agency, cause=gone["cause"], document=gone["document"], by=city,
        now=_day(gone),
    )  # fmt: skip


def _credit_and_cultivation(
    said: dict[str, Any], organisations: dict[str, Organisation], people: dict[str, User]
) -> None:
    fact, entry, city = said["credit"], said["cultivation"], people["city"]
    row = (
        organisations[fact["of"]].uscc, fact["kind"], fact["source"], fact["reference"], fact["on"], fact["words"],
    )  # fmt: skip
    out = io.StringIO()
    csv.writer(out).writerows((COLUMNS, row))
    credit.import_credit_facts(
        authority=organisations["city"], name="信用信息.csv", content=out.getvalue().encode("utf-8-sig"), by=city,
        now=_day(fact, "imported"),
    )  # fmt: skip
    cultivation.enter_cultivation(
        authority=organisations["city"], organisation=organisations[entry["of"]],
        programme="chongqing-2026-green-factory", tier=entry["tier"], since=date.fromisoformat(entry["since"]),
        note=entry["note"], by=city, now=_day(entry),
    )  # fmt: skip


def _ranking(said: dict[str, str], organisations: dict[str, Organisation], people: dict[str, User]) -> None:
    """The city's order of what it may recommend, saved, with the sealed list as it was scanned."""
    round_, city, now = _round(said["round"]), people["city"], _day(said)
    edition = policy_queries.edition(round_.edition)
    rows = candidates_of(round_=round_, authority=organisations["city"], edition=edition)
    codes = [row.code for row in rows.order_by("-code")]
    rounds_recommending.put_in_order(
        round_=round_, authority=organisations["city"], codes=codes, by=city, now=now
    )
    rounds_recommending.add_document(
        round_=round_, authority=organisations["city"], kind="recommendation", is_public=False,
        file_name="推荐名单（盖章扫描件）.pdf", content=papers.agreement("推荐名单", codes), by=city, now=now,
    )  # fmt: skip


def _photo(said: dict[str, str], organisations: dict[str, Organisation], people: dict[str, User]) -> None:
    """A check on site that has not been concluded: with a photograph, and where it was taken."""
    application = Application.objects.get(round=_round("running"), organisation=organisations[said["of"]])
    site_checks.record_site_check(
        application=application, client_id=uuid.uuid5(uuid.NAMESPACE_OID, f"{application.code} photo"),
        checked_at=_day(said), participants="区经信干部、企业环保专员", words="固废库分区、标识齐全，磅单与台账一致。",
        position=(Decimal("29.0287"), Decimal("106.6512")), accuracy_m=12,
        photos=[("固废库.png", papers.sketch("", ()))], by=people["district-industry"],
        now=_day(said) + timedelta(hours=3),
    )  # fmt: skip


def _late(said: dict[str, str], organisations: dict[str, Organisation], people: dict[str, User]) -> None:
    rounds.admit_late(
        round_=_round(said["round"]), organisation=organisations[said["of"]],
        until=date.fromisoformat(said["until"]), reason=said["reason"], by=people["city"], now=_day(said),
    )  # fmt: skip


def _open_call(
    said: dict[str, str], organisations: dict[str, Organisation], people: dict[str, User], now: datetime
) -> None:
    """The only dates that depend on the day of building: who looks at the demo can hand in."""
    edition, by, today = policy_queries.edition(said["edition"]), people["city"], local_day(now)
    round_ = rounds.open_round(
        edition_id=edition.id, year=today.year, authority=organisations["city"], by=by, now=now
    )
    changes = {
        "submission_deadline": today + timedelta(days=int(said["days"])),
        "notice_text": NOTICE.format(title=edition.title),
    }
    round_ = rounds.edit_round(round_=round_, version=round_.version, changes=changes, by=by, now=now)
    rounds.publish_round(round_=round_, by=by, now=now)
