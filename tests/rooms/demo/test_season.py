"""The rounds that the demo plays: one finished, one with cases in every state, one that went to the ministry."""

from collections import Counter
from datetime import date, timedelta

import pytest

from tests.conftest import NOW
from wufei.demo import services
from wufei.demo.district import district, uscc_of
from wufei.demo.season import season
from wufei.policies import queries as policy_queries
from wufei.portal import queries as portal_queries
from wufei.registry.models import Organisation, User
from wufei.registry.services import operator
from wufei.reviews.models import (
    AgencyExclusion,
    AgencyMark,
    Application,
    Assignment,
    CreditFact,
    Cultivation,
    Expert,
    LateAdmission,
    Objection,
    RecommendationPlace,
    Reevaluation,
    Round,
    RoundDocument,
    ScoreSheet,
    SiteCheckPhoto,
    TitleEvent,
)
from wufei.reviews.queries.doubts import doubts_of
from wufei.reviews.queries.register import bars
from wufei.reviews.services.deciding import standing_of
from wufei.reviews.stages import Outcome
from wufei.terms.day import local_day


@pytest.mark.slow
def test_the_demo_shows_a_finished_round_one_in_every_state_and_what_becomes_of_titles(db, tmp_path):
    services.build(folder=tmp_path, by=operator(), now=NOW, report=lambda _: None)

    rounds = {
        each["id"]: Round.objects.get(edition=each["edition"], year=each["year"])
        for each in season()["rounds"]
    }
    _check_finished(rounds["finished"])
    _check_running(rounds["running"])
    _check_sent(rounds["zero-waste"])
    _check_titles()
    _check_standings()
    _check_beside(rounds)
    _check_narratives(rounds["running"])


def _check_finished(finished: Round) -> None:
    assert finished.closed_at is not None
    assert Counter(finished.applications.values_list("outcome", flat=True)) == {
        Outcome.RECOGNISED: 5, Outcome.REFUSED: 1, Outcome.REJECTED: 1,
    }  # fmt: skip


def _check_running(running: Round) -> None:
    """Every stage has a case, every way out has been taken, and a notice runs with an objection open."""
    edition = policy_queries.edition(running.edition)
    open_ = set(running.applications.filter(outcome="").values_list("stage", flat=True))
    assert open_ == {stage.id for stage in edition.stages}
    assert set(running.applications.exclude(outcome="").values_list("outcome", flat=True)) == {
        Outcome.RECOGNISED, Outcome.REMOVED, Outcome.NOT_SELECTED, Outcome.REJECTED, Outcome.WITHDRAWN,
    }  # fmt: skip
    running_notice = running.notices.order_by("begins_on").last()
    assert (running_notice.begins_on, running_notice.ends_on) == (date(2026, 11, 16), date(2026, 11, 23))
    assert Objection.objects.filter(item__notice=running_notice, decision="").count() == 1


def _check_sent(sent: Round) -> None:
    above = Round.objects.get(edition="miit-2025-539-enterprise", year=sent.year)
    carried = set(above.applications.values_list("organisation_id", "stage"))
    recommended = sent.applications.filter(stage="ministry-decision")
    assert carried == {(row.organisation_id, "ministry-experts") for row in recommended}
    assert len(carried) == 2
    assert sent.applications.filter(contested=True).count() == 1


def _check_titles() -> None:
    events = Counter(TitleEvent.objects.values_list("kind", flat=True))
    assert events == {"GRANTED": 5, "RENAMED": 1, "REVOKED": 1}
    said = season()["titles"]["revoked"]
    revoked = TitleEvent.objects.get(kind="REVOKED")
    edition = policy_queries.edition("chongqing-2026-green-factory")
    [bar] = bars(organisation=revoked.holder, edition=edition, on=date.fromisoformat(said["on"]))
    assert bar.until > date(2029, 1, 1)
    scores = Reevaluation.objects.values_list("score", flat=True)
    assert len(scores) == len(set(scores)) == 3
    assert None not in scores, "the page of the bottom 5 % has something to rank"
    assert Organisation.objects.filter(name=season()["titles"]["renamed"]["new_name"]).exists()


def _check_standings() -> None:
    """What lists show is what follows from the acts."""
    for row in Application.objects.select_related("round"):
        standing = standing_of(row, policy_queries.edition(row.round.edition))
        assert (row.stage, row.outcome) == (standing.stage, standing.outcome or "")


def _check_beside(rounds: dict[str, Round]) -> None:
    above = Round.objects.get(edition="miit-2025-539-enterprise", year=2026)
    assert Expert.objects.filter(pool=above.authority).count() == 3
    sheets = ScoreSheet.objects.filter(assignment__application__round=above)
    assert (Assignment.objects.filter(application__round=above).count(), sheets.count()) == (6, 3)
    assert AgencyMark.objects.filter(is_recommended=True).count() == 1
    assert AgencyExclusion.objects.exclude(agency=AgencyMark.objects.get().agency).count() == 1
    assert [CreditFact.objects.count(), Cultivation.objects.count(), LateAdmission.objects.count()] == [
        1,
        1,
        1,
    ]
    assert RecommendationPlace.objects.filter(round=rounds["zero-waste"]).exists()
    assert RoundDocument.objects.filter(kind="recommendation").count() == 1
    assert SiteCheckPhoto.objects.exclude(check_made__latitude=None).count() == 1
    today = local_day(NOW)
    [open_] = portal_queries.calls(on=today, only_open=True)
    assert open_.submission_deadline == today + timedelta(days=45)
    # A small generator's own account has a telephone instead.
    reached = User.objects.filter(role_assignments__isnull=False).exclude(phone__startswith="1")
    assert not reached.filter(email="").exists()


def _check_narratives(running: Round) -> None:
    """One narrative is nearly another's, and shows as such; the others are their own."""
    alike = {
        row.organisation.name
        for row in running.applications.select_related("organisation", "submission")
        if any(d.kind == "NARRATIVE_ALIKE" and d.severity != "UNKNOWN" for d in doubts_of(application=row))
    }
    assert alike == {"重庆綦兴包装材料有限公司", "重庆綦江线缆有限公司"}


def test_no_organisation_of_the_season_takes_the_code_of_another():
    said = season()
    serials = [
        each["serial"]
        for each in (*district()["enterprises"], *district()["authorities"], *said["authorities"])
    ]
    serials.append(said["beside"]["excluded"]["serial"])
    serials += [str(serial) for serial, _ in enumerate(said["applicants"], 301)]

    assert len({uscc_of(serial) for serial in serials}) == len(serials)
