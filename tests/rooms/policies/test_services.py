"""What changes declarations, judgements, stated values and requirements: who may, and what is kept."""

from datetime import date
from decimal import Decimal

import pytest

from tests.conftest import NOW
from wufei.policies import queries, services, workability
from wufei.policies.criteria import KINDS
from wufei.policies.models import Declaration, Judgement, RequirementSet, StatedValue
from wufei.policies.services import StatementRefused
from wufei.registry.models import AuditEntry, Branch, OrganisationKind
from wufei.registry.queries import NotPermitted, levels_of

EDITION = "miit-2025-539-enterprise"
FACTORY = "chongqing-2026-green-factory"


@pytest.fixture
def authority(make_organisation):
    return make_organisation("綦江区经信委", kind="AUTHORITY", division_code="500110")


@pytest.fixture
def judge(make_user, authority):
    return make_user("AUTHORITY_OFFICER", authority)


def declare(organisation, by, **said):
    usual = {"item": "行政处罚", "year": 2025, "answer": "NO", "basis": "信用中国", "source": "数据工作簿"}
    return services.declare(organisation=organisation, by=by, now=NOW, **(usual | said))


def test_a_declaration_is_kept_with_its_audit_row_and_said_twice_changes_nothing(organisation, officer):
    assert declare(organisation, officer) is True
    assert declare(organisation, officer) is False
    assert declare(organisation, officer, answer="YES") is True

    row = Declaration.objects.get()
    assert (row.answer, row.basis, row.version) == ("YES", "信用中国", 2)
    assert [(e.action, e.object_ref) for e in AuditEntry.objects.order_by("pk")] == [
        ("policies.declare", "行政处罚:2025"),
        ("policies.declare", "行政处罚:2025"),
    ]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"answer": "MAYBE"}, "answer_unknown"),
        ({"item": " "}, "text_missing"),
        ({"basis": "x" * 301}, "text_too_long"),
        ({"year": 2027}, "year_out_of_range"),
        ({"year": 1900}, "year_out_of_range"),
        ({"expected_version": 3}, "stale_edit"),
    ],
)
def test_a_declaration_that_can_not_be_is_refused(organisation, officer, said, code):
    with pytest.raises(StatementRefused) as refused:
        declare(organisation, officer, **said)

    assert refused.value.code == code
    assert not Declaration.objects.exists()
    assert not AuditEntry.objects.exists()


def test_nobody_declares_for_another_organisation(make_organisation, officer, judge):
    other = make_organisation()
    for person in (officer, judge):
        with pytest.raises(NotPermitted):
            declare(other, person)

    assert not Declaration.objects.exists()


def test_a_stated_value_is_a_decimal(organisation, officer):
    said = {
        "organisation": organisation,
        "item": "water_reuse",
        "year": 2025,
        "basis": "",
        "by": officer,
        "now": NOW,
    }

    assert services.state_value(value=Decimal("91.5"), **said) is True
    for wrong in ("NaN", "1E+20", "0.123456789"):
        with pytest.raises(StatementRefused):
            services.state_value(value=Decimal(wrong), **said)
    assert StatedValue.objects.get().value == Decimal("91.5")


def answer(organisation, by, **said):
    usual = {
        "edition_id": EDITION, "criterion": "basic-2", "question": "significantly_below_industry", "year": 2025,
        "answer": "YES", "reason": "对照行业协会 2025 年数据",
    }  # fmt: skip
    return services.judge(organisation=organisation, by=by, now=NOW, **(usual | said))


def test_an_officer_of_the_jurisdiction_answers_a_question_and_the_latest_answer_counts(organisation, judge):
    answer(organisation, judge)
    answer(organisation, judge, answer="NO", reason="数据更正")

    found = queries.evaluation(organisation=organisation, edition_id=EDITION, year=2025, on=NOW.date())
    node = next(f.node for f in found.findings if f.criterion.id == "basic-2").children[1]

    assert node.verdict == "not_met"
    assert "user1于 2026-07-01 判断为“否”（理由：数据更正）" in node.explanation
    assert Judgement.objects.count() == 2
    assert AuditEntry.objects.filter(action="policies.judge").count() == 2


def test_no_enterprise_judges_itself(organisation, officer):
    with pytest.raises(NotPermitted):
        answer(organisation, officer)
    assert not Judgement.objects.exists()


def test_no_officer_judges_outside_the_jurisdiction(make_organisation, judge):
    elsewhere = make_organisation(division_code="440100")
    with pytest.raises(NotPermitted):
        answer(elsewhere, judge)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"criterion": "basic-9"}, "criterion_unknown"),
        ({"question": "what"}, "question_unknown"),
        ({"reason": "  "}, "text_missing"),
        ({"answer": "PERHAPS"}, "answer_unknown"),
        ({"criterion": "eligible-established", "question": "exception"}, "no_exception_here"),
    ],
)
def test_a_judgement_that_the_edition_does_not_ask_for_is_refused(organisation, judge, said, code):
    with pytest.raises(StatementRefused) as refused:
        answer(organisation, judge, **said)

    assert refused.value.code == code
    assert not Judgement.objects.exists()


def test_an_exception_is_granted_by_name_and_with_a_reason(organisation, judge, officer):
    declare(organisation, officer, item="贮存处置设施符合标准", answer="NO")
    answer(organisation, judge, criterion="basic-4", question="exception", reason="新库年内建成")

    found = queries.evaluation(organisation=organisation, edition_id=EDITION, year=2025, on=NOW.date())
    basic = next(f for f in found.findings if f.criterion.id == "basic-4")

    assert (basic.verdict, basic.exception_granted) == ("not_met", True)
    assert (basic.exception.judged_by, basic.exception.reason) == ("user1", "新库年内建成")


VALUES = {
    "water_reuse": {"baseline": "60", "leading": "90"},
    "energy_intensity": {"baseline": "30", "leading": "20"},
}


def maintain(authority, by, **said):
    usual = {
        "edition_id": FACTORY, "industry_code": "301", "name": "水泥、石灰和石膏制造", "values": VALUES,
        "in_force_from": date(2026, 6, 1), "source": "演示数据", "is_illustrative": True,
    }  # fmt: skip
    return services.maintain_requirements(authority=authority, by=by, now=NOW, **(usual | said))


def test_an_authority_maintains_the_requirements_of_an_industry(
    authority, judge, make_organisation, make_user
):
    maintain(authority, judge)
    enterprise = make_organisation(industry_code="301")
    person = make_user("ENVIRONMENT_OFFICER", enterprise)
    services.state_value(
        organisation=enterprise,
        item="water_reuse",
        year=2025,
        value=Decimal(75),
        basis="205-4",
        by=person,
        now=NOW,
    )

    found = queries.evaluation(organisation=enterprise, edition_id=FACTORY, year=2025, on=date(2026, 7, 1))
    score = next(f for f in found.findings if f.criterion.id == "score-07-water-reuse")

    assert (score.score_min, score.score_max) == (4, 4)
    assert any("示意数据" in note for note in found.notes)


def test_requirements_count_from_their_first_day_and_for_their_industry(authority, judge, make_organisation):
    maintain(authority, judge)
    maintain(authority, judge, in_force_from=date(2026, 9, 1), name="第二版")
    edition = queries.edition(FACTORY)

    def held(industry_code, on):
        organisation = make_organisation(industry_code=industry_code)
        found = queries.dossier(organisation=organisation, edition=edition, year=2025, on=on).requirements
        return found and found.name

    assert held("301", date(2026, 5, 31)) is None
    assert held("301", date(2026, 6, 1)) == "水泥、石灰和石膏制造"
    assert held("301", date(2026, 9, 1)) == "第二版"
    assert held("342", date(2026, 9, 1)) is None
    assert held("", date(2026, 9, 1)) is None


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"values": {"nothing": {"baseline": "1", "leading": "2"}}}, "key_unknown"),
        ({"values": {"green_design": {"baseline": "1", "leading": "2"}}}, "key_unknown"),
        ({"values": {"water_reuse": {"baseline": "1"}}}, "value_not_decimal"),
        ({"values": {"water_reuse": {"baseline": "1e3", "leading": "2"}}}, "value_not_decimal"),
        ({"values": {"water_reuse": {"baseline": "90", "leading": "60"}}}, "range_wrong_way"),
        ({"values": {"energy_intensity": {"baseline": "20", "leading": "30"}}}, "range_wrong_way"),
        ({"industry_code": "999"}, "industry_unknown"),
        ({"source": ""}, "text_missing"),
    ],
)
def test_requirements_that_can_not_be_are_refused(authority, judge, said, code):
    with pytest.raises(StatementRefused) as refused:
        maintain(authority, judge, **said)

    assert refused.value.code == code
    assert not RequirementSet.objects.exists()


def test_a_requirement_set_in_force_is_not_rewritten(authority, judge):
    maintain(authority, judge)

    with pytest.raises(StatementRefused) as refused:
        maintain(authority, judge, name="改写")

    assert refused.value.code == "already_maintained"


def test_only_an_authoritys_officer_maintains_requirements(authority, officer, organisation):
    with pytest.raises(NotPermitted):
        maintain(authority, officer)
    with pytest.raises(NotPermitted):
        maintain(organisation, officer)


def test_the_roles_and_kinds_that_an_edition_may_name_are_those_that_people_have():
    levels = {
        level for code in ("000000", "500000", "510000", "440100", "500110") for level in levels_of(code)
    }

    assert set(workability.LEVELS) == levels
    assert tuple(Branch.values) == workability.BRANCHES
    assert set(KINDS) == set(OrganisationKind.values)
