"""The register: titles are given, change hands or names, and end; and who may not apply again."""

from datetime import UTC, date, datetime

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from tests.conftest import NOW
from tests.rooms.reviews import world as worlds
from tests.rooms.reviews.titles import given, happened
from wufei.catalogue.working_days import nth_working_day
from wufei.policies.edition import Kind
from wufei.policies.queries import edition, known_editions
from wufei.registry.models import Organisation, RoleAssignment, Succession
from wufei.registry.queries import NotPermitted
from wufei.registry.services.successions import record_succession, rename_organisation
from wufei.reviews.models import ChangeReport, PublicNotice, Reevaluation, Title, TitleEvent
from wufei.reviews.queries import register as queries
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services import applying
from wufei.reviews.services import register as services

F2024, F2026 = worlds.CHONGQING_FACTORY_2024, worlds.CHONGQING_FACTORY
UNATTENDED = "revocation-1-unattended"
PDF = worlds.PDF
TODAY = date(2026, 7, 1)
AFTER = datetime(2026, 7, 6, 2, tzinfo=UTC)


@pytest.fixture
def world(db):
    return worlds.build(experts=0)


def code_of(call, *args, **said):
    with pytest.raises(ReviewRefused) as refused:
        call(*args, **said)
    return refused.value.code


# ---- giving


@pytest.fixture
def recognised(world):
    world.experts = [worlds.add_expert(world, at) for at in (1, 2, 3)]
    return worlds.advance(world, worlds.handed_in(world, worlds.round_of(world, F2024)))


def grant(world, application, number="CQ-2026-001", **said):
    defaults = {
        "granted_on": TODAY,
        "document": "渝经信〔2026〕1号",
        "by": world.people["CITY_INDUSTRY"],
        "now": NOW,
    }
    return services.grant_title(application=application, number=number, **(defaults | said))


def test_no_title_is_given_before_it_was_decided_and_its_notice_was_over(world, recognised):
    early = "granted_too_early"
    assert code_of(grant, world, recognised, granted_on=date(2026, 6, 30)) == early  # decided on 1 July
    PublicNotice.objects.update(ends_on=date(2026, 7, 3))
    for day in (1, 3):
        assert code_of(grant, world, recognised, granted_on=date(2026, 7, day), now=AFTER) == early
    assert not Title.objects.exists()
    assert grant(world, recognised, granted_on=date(2026, 7, 4), now=AFTER).granted_on == date(2026, 7, 4)


def test_a_recognised_application_is_given_its_title_once(world, recognised):
    title = grant(world, recognised)

    assert (title.name, title.level, title.year, title.name_given, title.valid_to) == (
        "重庆市绿色工厂", "CITY", 2026, world.works.name, None,
    )  # fmt: skip
    [event] = title.events.all()
    assert (event.kind, event.holder, event.on) == ("GRANTED", world.works, TODAY)
    assert code_of(grant, world, recognised, "CQ-2026-002") == "already_decided"
    assert not queries.recognised_without_title(authority=title.authority).exists()


def test_what_is_not_so_is_not_given(world, recognised):
    given(world, number="TAKEN")
    assert code_of(grant, world, recognised, " ") == "number_missing"
    assert code_of(grant, world, recognised, "TAKEN") == "number_taken"
    assert code_of(grant, world, recognised, granted_on=date(2026, 7, 2)) == "granted_in_future"
    with pytest.raises(NotPermitted):
        grant(world, recognised, by=world.people["DISTRICT_INDUSTRY"])
    assert Title.objects.count() == 1
    assert list(queries.recognised_without_title(authority=recognised.round.authority)) == [recognised]


def test_an_application_under_way_is_given_nothing(world):
    application = worlds.handed_in(world, worlds.round_of(world, F2026))

    assert code_of(grant, world, application) == "not_recognised"


def test_a_title_holds_for_the_years_that_the_edition_says(world, recognised, monkeypatch):
    limited = edition(F2024)
    limited = limited.model_copy(
        update={"title_given": limited.title_given.model_copy(update={"validity_years": 3})}
    )
    monkeypatch.setattr("wufei.policies.queries.edition", lambda _: limited)

    assert grant(world, recognised).valid_to == date(2029, 7, 1)


# ---- as of any day


def states(at, **said):
    return {row.number: (row.holder_name, row.standing) for row in queries.titles(at=at, **said)}


def test_the_register_of_any_day_has_the_holder_the_name_and_the_state_of_that_day(world):
    second = worlds.applicant(world, "承继公司")
    title = given(world, number="A", on=date(2024, 5, 10))
    happened(world, title, "RENAMED", date(2025, 1, 1), holder_name="新名称公司")
    happened(world, title, "REORGANISED", date(2025, 6, 1), second)
    happened(world, title, "REVOKED", date(2026, 3, 10), second, cause=UNATTENDED)

    found = [
        states(day).get("A")
        for day in (
            date(2024, 5, 9), date(2024, 5, 10), date(2024, 12, 31), date(2025, 1, 1), date(2025, 6, 1),
            date(2026, 3, 9), date(2026, 3, 10),
        )
    ]  # fmt: skip

    first = world.works.name
    assert found == [
        None, (first, "IN_FORCE"), (first, "IN_FORCE"), ("新名称公司", "IN_FORCE"), ("承继公司", "IN_FORCE"),
        ("承继公司", "IN_FORCE"), ("承继公司", "REVOKED"),
    ]  # fmt: skip


def test_a_title_expires_after_the_last_day_on_which_it_is_valid(world):
    given(world, number="A", valid_to=date(2026, 5, 10))

    assert states(date(2026, 5, 10))["A"][1] == "IN_FORCE"
    assert states(date(2026, 5, 11))["A"][1] == "EXPIRED"
    removed = given(world, number="B", valid_to=date(2026, 5, 10))
    happened(world, removed, "REMOVED", date(2026, 4, 1), cause=UNATTENDED)
    assert states(date(2026, 5, 11))["B"][1] == "REMOVED"


def test_of_two_events_on_one_day_the_later_one_counts(world):
    title = given(world, number="A")
    happened(world, title, "RENAMED", date(2025, 1, 1), holder_name="先")
    happened(world, title, "RENAMED", date(2025, 1, 1), holder_name="后")

    assert states(TODAY)["A"][0] == "后"


def test_the_register_is_narrowed_and_searched_by_present_and_former_names(world):
    other = worlds.applicant(world, "渝北水泥公司", worlds.OTHER_DISTRICT)
    title = given(world, number="A")
    given(world, other, "B", edition=F2026, on=date(2026, 6, 20))
    given(world, other, "C", edition=worlds.MIIT, authority="MINISTRY_INDUSTRY", level="MINISTRY")
    happened(world, title, "RENAMED", date(2025, 1, 1), holder_name="新名称公司")
    rename_organisation(
        organisation=other, name="渝北新材公司", on=date(2026, 1, 1), document="", now=NOW,
        by=world.people["administrator"],
    )  # fmt: skip

    def numbers(**said):
        return set(states(TODAY, **said))

    assert numbers() == {"A", "B", "C"}
    assert numbers(edition=F2026) == {"B"}
    assert numbers(level="MINISTRY") == {"C"}
    assert numbers(authority=world.authorities["CITY_INDUSTRY"]) == {"A", "B"}
    assert numbers(within=worlds.OTHER_DISTRICT) == {"B", "C"}
    assert numbers(year=2024) == {"A", "C"}
    assert numbers(text=world.works.name) == {"A"} == numbers(text="新名称")
    assert numbers(text="渝北水泥") == {"B", "C"} == numbers(text="渝北新材") == numbers(text=other.uscc)
    happened(world, title, "REMOVED", date(2026, 3, 1), cause=UNATTENDED)
    assert numbers(state="IN_FORCE") == {"B", "C"}
    assert numbers(state="REMOVED") == {"A"}


def test_the_register_asks_once_however_many_titles_there_are(world):
    counts = []
    for number in range(1, 4):
        given(world, number=f"A{number}")
        if number != 2:
            with CaptureQueriesContext(connection) as asked:
                assert len(states(TODAY)) == number
            counts.append(len(asked))
    assert counts == [1, 1]


# ---- changes


def reported(world, title, **said):
    defaults = {
        "kind": "RENAME", "completed_on": date(2026, 5, 20), "new_name": "新名称公司",
        "by": world.people["applicant"], "now": NOW,
    }  # fmt: skip
    return services.report_change(title=title, **(defaults | said))


def reviewed(world, report, *, agree=True, words="", by="DISTRICT_INDUSTRY", version=1):
    return services.review_change(
        report=report, version=version, agree=agree, words=words, by=world.people[by], now=NOW
    )


def recorded(world, report, *, accept=True, words="", by="CITY_INDUSTRY", version=2, **said):
    return services.record_change(
        report=report, version=version, accept=accept, words=words, by=world.people[by], now=NOW, **said
    )


def test_a_new_name_goes_through_the_district_and_is_recorded_by_the_city(world):
    title, before = given(world), world.works.name

    report = reported(world, title, file_name="变更通知书.pdf", content=PDF)
    assert (report.state, report.file_name) == ("REPORTED", "变更通知书.pdf")
    assert reviewed(world, report).state == "DISTRICT_AGREED"
    assert recorded(world, report, document="渝经信〔2026〕9号").state == "RECORDED"

    event = title.events.get(kind="RENAMED")
    assert (event.on, event.holder, event.holder_name) == (date(2026, 5, 20), world.works, "新名称公司")
    assert states(date(2026, 5, 19))[title.number][0] == before
    world.works.refresh_from_db()
    assert (world.works.name, Succession.objects.count()) == (before, 0)  # that is the registry's to record


def test_a_reorganisation_hands_the_title_to_the_successor(world):
    title, second = given(world), worlds.applicant(world, "承继公司")

    report = reported(world, title, kind="REORGANISATION", new_name="", successor=second)
    recorded(world, reviewed(world, report))

    [row] = queries.titles_held_by(organisation=second, at=TODAY)
    assert (row.pk, row.holder_name) == (title.pk, "承继公司")
    assert not queries.titles_held_by(organisation=world.works, at=TODAY).exists()


def test_a_closure_ends_the_title_for_the_cause_that_the_edition_gives_it(world):
    title = given(world)
    report = reviewed(world, reported(world, title, kind="CLOSURE", new_name=""))

    assert code_of(recorded, world, report, cause="no-such-cause") == "cause_unknown"
    recorded(world, report, cause="revocation-3-terminated")

    ended = title.events.get(kind="REVOKED")
    assert (ended.cause, ended.on, ended.bars_until) == (
        "revocation-3-terminated", date(2026, 5, 20), date(2029, 5, 20),
    )  # fmt: skip


@pytest.mark.parametrize(("reported_on", "late"), [(date(2026, 7, 2), False), (date(2026, 7, 3), True)])
def test_a_change_is_due_after_thirty_working_days_and_late_is_recorded_not_refused(world, reported_on, late):
    # 30 working days after 20 May 2026, counted by hand: 端午 is 19 June, a Friday.
    report = reported(
        world, given(world), now=datetime(reported_on.year, reported_on.month, reported_on.day, 2, tzinfo=UTC)
    )

    assert report.due_on == date(2026, 7, 2) == nth_working_day(date(2026, 5, 20), 30)
    assert services.is_late(report) is late


def test_an_edition_that_sets_no_time_is_read_as_thirty_days_too(world):
    title = given(world, number="M", edition=worlds.MIIT, authority="MINISTRY_INDUSTRY", level="MINISTRY")

    assert queries.report_in_working_days(title=title, on=TODAY) == (30, True)
    assert queries.report_in_working_days(title=given(world), on=TODAY) == (30, False)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"completed_on": date(2026, 7, 2)}, "day_ahead"),
        ({"completed_on": date(2024, 5, 9)}, "before_last_change"),
        ({"new_name": " "}, "new_name_missing"),
        ({"new_name": "綦江建材有限公司"}, "new_name_missing"),
        ({"kind": "REORGANISATION"}, "successor_missing"),
        ({"kind": "OTHER"}, "change_unknown"),
    ],
)
def test_an_impossible_change_is_refused(world, said, code):
    assert code_of(reported, world, given(world), **said) == code
    assert not ChangeReport.objects.exists()


def test_a_change_whose_due_day_is_not_known_is_refused_and_not_guessed(world):
    late = datetime(2026, 12, 20, 2, tzinfo=UTC)

    code = code_of(reported, world, given(world), completed_on=date(2026, 12, 15), now=late)

    assert code == "year_not_loaded"


def test_one_change_at_a_time_and_none_of_a_title_that_ended(world):
    title = given(world)
    reported(world, title)
    assert code_of(reported, world, title) == "change_open"
    other = given(world, number="B")
    happened(world, other, "REMOVED", date(2026, 1, 1), cause=UNATTENDED)
    assert code_of(reported, world, other) == "already_decided"


def test_nobody_else_reports_reviews_or_records(world):
    title = given(world)
    for person in ("DISTRICT_INDUSTRY", "CITY_INDUSTRY", "nobody"):
        with pytest.raises(NotPermitted):
            reported(world, title, by=world.people[person])
    report = reported(world, title)
    for person in ("applicant", "OTHER_DISTRICT_INDUSTRY", "DISTRICT_ENVIRONMENT", "CITY_INDUSTRY"):
        assert code_of(reviewed, world, report, by=person) == "not_permitted"
    assert code_of(recorded, world, report, version=1) == "stage_moved_on"  # the district comes first
    report = reviewed(world, report)
    for person in ("applicant", "DISTRICT_INDUSTRY", "PROVINCE_INDUSTRY"):
        with pytest.raises(NotPermitted):
            recorded(world, report, by=person)
    assert not title.events.exclude(kind="GRANTED").exists()


def test_who_reviewed_a_change_for_the_district_does_not_record_it_for_the_city(world):
    both = world.people["DISTRICT_INDUSTRY"]
    RoleAssignment.objects.create(
        user=both, organisation=world.authorities["CITY_INDUSTRY"], role="AUTHORITY_OFFICER"
    )
    report = reviewed(world, reported(world, given(world)))

    assert code_of(recorded, world, report, by="DISTRICT_INDUSTRY") == "acted_before"
    assert recorded(world, report).state == "RECORDED"


def test_a_refusal_needs_words_and_a_stale_edit_is_told_so(world):
    report = reported(world, given(world))

    assert code_of(reviewed, world, report, agree=False, words=" ") == "words_missing"
    assert reviewed(world, report, agree=False, words="材料不全").state == "REFUSED"
    assert code_of(reviewed, world, report) == "stale"
    assert code_of(reviewed, world, report, version=2) == "stage_moved_on"


# ---- the end


def end(world, title, kind="revoke", cause=UNATTENDED, on=date(2026, 3, 10), words="公告。", **said):
    call = services.revoke_title if kind == "revoke" else services.remove_title
    by = said.pop("by", "CITY_INDUSTRY")
    return call(title=title, cause=cause, on=on, words=words, by=world.people[by], now=NOW, **said)


CAUSES_2024 = [c.id for c in edition(F2024).criteria if c.kind is Kind.LIFECYCLE]
CAUSES_2026 = [c.id for c in edition(F2026).criteria if c.kind is Kind.LIFECYCLE]


def test_the_causes_are_those_of_article_17_and_of_the_call():
    ends = {c.id: c.ends_title for each in (F2024, F2026) for c in edition(each).criteria if c.ends_title}
    assert [ends[f"revocation-{n}"] for n in (
        "1-unattended", "2-failed", "3-terminated", "4-false-data", "5-accident", "6-dishonest", "7-other",
    )] == ["revokes"] * 7  # fmt: skip
    assert [ends[cause] for cause in CAUSES_2026] == ["removes"] * 3
    assert len(ends) == 10


def test_article_17_has_seven_causes_and_the_call_of_2026_three():
    assert len([c for c in CAUSES_2024 if c.startswith("revocation-")]) == 7
    assert CAUSES_2026 == ["lifecycle-re-evaluation", "lifecycle-false-data", "lifecycle-bottom"]


@pytest.mark.parametrize("cause", [c for c in CAUSES_2024 if c.startswith("revocation-")])
def test_each_cause_of_article_17_revokes_announces_and_bars_for_three_years(world, cause):
    event = end(world, given(world), cause=cause)

    assert (event.kind, event.cause, event.bars_until) == ("REVOKED", cause, date(2029, 3, 10))
    assert (event.words, event.announced_at) == ("公告。", NOW)


@pytest.mark.parametrize("cause", CAUSES_2026)
@pytest.mark.parametrize("given_under", [F2024, F2026])
def test_each_cause_of_the_call_of_2026_removes_also_titles_given_before_it(world, cause, given_under):
    ref = cause if given_under == F2026 else f"{F2026}/{cause}"

    event = end(world, given(world, edition=given_under), "remove", ref)

    assert (event.kind, event.cause, event.bars_until) == ("REMOVED", ref, date(2029, 3, 10))


def test_a_rule_that_is_none_of_a_titles_life_is_no_cause(world):
    title = given(world)
    for cause in ("article-7-1", "lifecycle-bottom", f"{worlds.MIIT}/basic-2", "", f"{UNATTENDED}#2026"):
        assert code_of(end, world, title, cause=cause) == "cause_unknown"


def test_an_edition_without_revocation_only_removes(world):
    title = given(world, edition=F2026)

    assert code_of(end, world, title, cause="lifecycle-false-data") == "cause_removes"


@pytest.mark.parametrize("cause", [c for c in CAUSES_2024 if c.startswith("revocation-")])
def test_what_revokes_is_no_removal(world, cause):
    assert code_of(end, world, given(world), "remove", cause) == "cause_revokes"


@pytest.mark.parametrize("cause", CAUSES_2026)
def test_what_removes_is_no_revocation_of_a_title_given_before_either(world, cause):
    assert code_of(end, world, given(world), "revoke", f"{F2026}/{cause}") == "cause_removes"


@pytest.mark.parametrize("cause", ["lifecycle-yearly-report", "lifecycle-changes"])
@pytest.mark.parametrize("kind", ["revoke", "remove"])
def test_a_duty_of_articles_16_and_19_ends_no_title_by_itself(world, cause, kind):
    title = given(world)

    assert cause not in {each.ref for each in queries.ending_causes(title=title)}
    assert code_of(end, world, title, kind, cause) == "cause_unknown"


def test_a_title_ends_once_in_words_by_who_gave_it_from_what_was_seen(world):
    title = given(world)
    with pytest.raises(NotPermitted):
        end(world, title, by="DISTRICT_INDUSTRY")
    assert code_of(end, world, title, words=" ") == "words_missing"
    assert code_of(end, world, title, on=date(2026, 7, 2)) == "day_ahead"
    assert code_of(end, world, title, on=date(2024, 5, 9)) == "before_last_change"
    assert code_of(end, world, title, events_seen=0) == "stale"
    end(world, title, events_seen=1)
    for kind in ("revoke", "remove"):
        assert code_of(end, world, title, kind) == "already_decided"
    assert title.events.exclude(kind="GRANTED").count() == 1


# ---- the bar


def barred(organisation, on, edition_id=F2026):
    return [bar.until for bar in queries.bars(organisation=organisation, edition=edition(edition_id), on=on)]


LAST = date(2029, 3, 10)
AROUND = [(date(2029, 3, 9), [LAST]), (LAST, [LAST]), (date(2029, 3, 11), [])]


@pytest.mark.parametrize(("on", "until"), AROUND)
def test_the_bar_holds_through_its_last_day(world, on, until):
    end(world, given(world))

    assert barred(world.works, on) == until


@pytest.mark.parametrize(("on", "until"), AROUND)
def test_a_removed_unit_is_barred_where_the_call_says_so(world, on, until):
    end(world, given(world, edition=F2026), "remove", "lifecycle-false-data")

    assert barred(world.works, on) == until


@pytest.mark.parametrize(("on", "until"), AROUND)
def test_a_revoked_unit_that_was_renamed_is_barred(world, on, until):
    title = given(world)
    by = world.people["administrator"]
    end(world, title)
    rename_organisation(organisation=world.works, name="焕然一新公司", on=TODAY, document="", by=by, now=NOW)

    assert barred(Organisation.objects.get(name="焕然一新公司"), on) == until


@pytest.mark.parametrize(("on", "until"), AROUND)
@pytest.mark.parametrize("kind", ["REFOUNDED", "MERGER"])
def test_a_revoked_unit_that_was_refounded_is_barred_by_its_predecessor(world, on, until, kind):
    end(world, given(world))
    between, refounded = worlds.applicant(world, "中间公司"), worlds.applicant(world, "另起炉灶公司")
    for before, after in ((world.works, between), (between, refounded)):
        record_succession(
            predecessor=before, successor=after, kind=kind, on=TODAY, document="",
            by=world.people["administrator"], now=NOW,
        )  # fmt: skip

    assert barred(refounded, on) == until
    assert barred(worlds.applicant(world, "无关公司"), on) == []


def test_the_holder_that_was_handed_the_title_is_barred_and_the_first_is_not(world):
    title, second = given(world), worlds.applicant(world, "承继公司")
    happened(world, title, "REORGANISED", date(2025, 6, 1), second)
    end(world, title)

    assert (barred(second, TODAY), barred(world.works, TODAY)) == ([LAST], [])


def test_a_bar_is_of_its_programme(world):
    end(world, given(world))

    assert barred(world.works, TODAY, F2024) == [LAST]
    assert barred(world.works, TODAY, "chongqing-2026-green-park") == [LAST]
    assert barred(world.works, TODAY, worlds.CHONGQING) == barred(world.works, TODAY, worlds.MIIT) == []


def test_the_zero_waste_calls_of_two_provinces_lead_to_one_title():
    one, two, above = (edition(each) for each in (worlds.CHONGQING, worlds.GUANGDONG, worlds.MIIT))

    assert queries.is_same_programme(one, two)
    assert queries.is_same_programme(one, above)
    assert not queries.is_same_programme(one, edition(F2026))
    assert all(queries.is_same_programme(each, each) for each in known_editions().values())


def test_who_is_barred_is_told_so_when_it_applies(world):
    end(world, given(world))
    round_ = worlds.round_of(world, F2026)
    case = worlds.handed_in(world, round_, worlds.applicant(world, "别家")).case
    case.organisation = world.works
    case.pk = None
    case.save()

    code = code_of(applying.submit, round_=round_, case=case, by=world.people["applicant"], now=NOW)

    assert code == "barred"


# ---- warned; what never changes


def test_a_warning_is_given_once_a_year_and_leaves_the_title_in_force(world):
    title = given(world)
    said = {
        "cause": f"{F2026}/lifecycle-re-evaluation", "year": 2026, "words": "请于30日内完成。",
        "by": world.people["CITY_INDUSTRY"], "now": NOW,
    }  # fmt: skip

    event = services.warn_holder(title=title, **said)

    assert event.cause == f"{F2026}/lifecycle-re-evaluation#2026"
    assert queries.cause_of(title=title, ref=event.cause).criterion.id == "lifecycle-re-evaluation"
    assert states(TODAY)[title.number][1] == "IN_FORCE"
    assert code_of(services.warn_holder, title=title, **said) == "already_decided"


@pytest.mark.parametrize("model", [Title, TitleEvent, Reevaluation])
def test_titles_events_and_answers_never_change(world, model):
    from tests.rooms.reviews.titles import answered

    answered(world, given(world), 2025, "80")
    row = model.objects.get()
    for change in (row.delete, lambda: model.objects.filter(pk=row.pk).update(id=row.pk)):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    assert model.objects.filter(pk=row.pk).exists()


def test_the_history_of_a_title_has_all_that_happened_to_it_in_order(world):
    title = given(world)
    report = reported(world, title)
    recorded(world, reviewed(world, report))
    end(world, title, on=date(2026, 6, 1))

    with CaptureQueriesContext(connection) as asked:
        found = queries.history(title)

    assert [event.kind for event in found.events] == ["GRANTED", "RENAMED", "REVOKED"]
    assert [change.state for change in found.changes] == ["RECORDED"]
    assert (found.reevaluations, len(asked)) == ([], 3)
