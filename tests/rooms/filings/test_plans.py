"""Management plans: prefilled from the ledger, checked, filed, changed for a reason, compared with what happens."""

from datetime import date

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from tests.conftest import NOW
from wufei.filings import plan, queries, services
from wufei.filings.models import FiledPlan, PlanDraft
from wufei.filings.plan import BY_ID
from wufei.filings.refusals import Code, FilingRefused
from wufei.ledger.services import declare_stream
from wufei.registry.models import AuditEntry, OperatingPermit, PermitGroup
from wufei.registry.queries import NotPermitted

T = 1_000_000
BASIC = {
    column.key: "有" for column in BY_ID["basic"].columns if not column.choices
}  # fmt: skip


@pytest.fixture
def receiver(make_organisation, officer):
    made = make_organisation("处置厂")
    permit = OperatingPermit.objects.create(
        organisation=made, kind="COMPREHENSIVE", number="CQ1", valid_from=date(2024, 1, 1),
        valid_through=date(2028, 1, 1), recorded_at=NOW, recorded_by=officer,
    )  # fmt: skip
    PermitGroup.objects.create(permit=permit, waste_codes=["HW08"], modes=[], capacity_g=100 * T)
    return made


@pytest.fixture
def wastes(ledger, receiver, organisation, officer):
    ledger.stores(库1="500")
    ledger.streams("渣")
    declare_stream(
        organisation=organisation, code="油", name="废油", waste_code="900-249-08", process_name="机加", physical_form="液态",
        main_components="矿物油", by=officer, now=NOW,
    )  # fmt: skip
    ledger.post("2025-02-01 油 产生 12 吨 库1 -", "2025-02-01 渣 产生 90 吨 库1 -")
    ledger.post("2025-06-01 油 委外处置 11 吨 库1 -", counterparty="处置厂", method="D10")
    return ledger


@pytest.fixture
def act(organisation, officer, wastes):
    def run(what, by=None, year=2026, **said):
        return getattr(services, what)(
            organisation=organisation, year=year, by=by or officer, now=NOW, **said
        )

    return run


def complete(content, **tables):
    said = {**content, **tables}
    said["basic"] = [{**BASIC, **{k: v for k, v in content["basic"][0].items() if v}}]
    said["basic"][0]["control_class"] = "SIMPLIFIED"
    said["storage"] = [
        {**row, "store_type": "危废库", "packaging": "桶", "remaining_g": 2 * T} for row in content["storage"]
    ]
    said["measures"] = [{"less_harm": "换用低毒切削液", "measures": "延长换油周期"}]
    said["transfers"] = [{**row, "permit_number": "CQ1"} for row in said["transfers"]]
    return said


@pytest.fixture
def filed(act):
    def run(reason="", **tables) -> FiledPlan:
        draft = act("start_draft")
        saved = act("save_draft", version=draft.version, content=complete(draft.content, **tables))
        return act("file_plan", version=saved.version, reason=reason)

    return run


def refused(run) -> Code:
    with pytest.raises(FilingRefused) as caught:
        run()
    return caught.value.code


def test_a_draft_is_filled_in_from_the_ledger_of_the_year_before(act, organisation, receiver):
    content = act("start_draft").content

    basic = content["basic"][0]
    assert (basic["name"], basic["uscc"], basic["control_class"]) == (
        organisation.name,
        organisation.uscc,
        "SIMPLIFIED",
    )
    [made] = content["generation"]
    assert (made["stream"], made["planned_g"], made["harmful"], made["form"]) == (
        "油",
        12 * T,
        "矿物油",
        "液态",
    )
    [away] = content["transfers"]
    assert (away["receiver"], away["receiver_uscc"], away["mode"], away["planned_g"], away["reach"]) == (
        "处置厂", receiver.uscc, "D10", 11 * T, "WITHIN",
    )  # fmt: skip
    assert content["storage"][0]["remaining_g"] == T


def test_what_was_written_last_year_is_kept_and_what_the_ledger_knows_is_new(act, filed, organisation):
    filed()
    content = act("start_draft", year=2027).content

    assert content["measures"][0]["measures"] == "延长换油周期"
    assert content["basic"][0]["representative"] == "有"
    assert content["generation"][0]["planned_g"] == 0  # the ledger of 2026 has no oil yet
    assert content["transfers"] == []  # nothing of 2026 has gone anywhere yet


def test_only_this_year_and_the_next_are_planned_and_a_second_start_finds_the_draft(act):
    assert refused(lambda: act("start_draft", year=2025)) is Code.YEAR_OUT_OF_RANGE
    assert refused(lambda: act("start_draft", year=2028)) is Code.YEAR_OUT_OF_RANGE
    assert act("start_draft") == act("start_draft")
    assert PlanDraft.objects.count() == 1


def test_a_stale_edit_is_refused_and_an_unchanged_one_changes_nothing(act):
    draft = act("start_draft")
    changed = {**draft.content, "reduction": []}
    assert act("save_draft", version=1, content=draft.content).version == 1
    assert act("save_draft", version=1, content=changed).version == 2
    assert refused(lambda: act("save_draft", version=1, content=draft.content)) is Code.STALE_EDIT
    assert refused(lambda: act("file_plan", version=1)) is Code.STALE_EDIT
    assert refused(lambda: act("save_draft", version=2, content={"x": []})) is Code.CONTENT_UNTIDY


def test_a_draft_with_faults_is_not_filed(act):
    draft = act("start_draft")

    assert refused(lambda: act("file_plan", version=draft.version)) is Code.FAULTS_LEFT
    assert not FiledPlan.objects.exists()


def test_a_filed_plan_is_frozen_with_its_hash_and_where_the_ledger_ended(filed, organisation):
    made = filed()

    assert (made.number, made.control_class, made.reason, made.seq) == (1, "SIMPLIFIED", "", 3)
    made.refresh_from_db()
    assert plan.digest(made.content) == made.sha256
    assert made.content["wastes"]["油"]["waste_code"] == "900-249-08"
    assert not PlanDraft.objects.exists()
    assert AuditEntry.objects.filter(action="filings.file_plan", object_ref="2026#1").exists()
    for change in (lambda: FiledPlan.objects.update(number=9), made.delete):
        with pytest.raises(DatabaseError, match="append_only"), transaction.atomic():
            change()


def test_a_change_is_a_new_version_with_a_reason_and_the_first_one_stays(act, filed, organisation):
    first = filed()
    reduction = [{"stream": "油", "reduced_g": T}]
    assert refused(lambda: filed()) is Code.NOTHING_CHANGED
    assert refused(lambda: filed(reduction=reduction)) is Code.REASON_MISSING
    assert refused(lambda: filed("一\n二", reduction=reduction)) is Code.REASON_NOT_STORABLE

    second = filed("产量增加", reduction=reduction)

    assert (second.number, second.reason) == (2, "产量增加")
    assert list(queries.filed_plans(organisation=organisation)) == [second, first]
    assert first.content != second.content


def test_a_draft_is_given_up_and_what_was_filed_stays(act, filed):
    filed()
    draft = act("start_draft")
    act("give_up_draft", version=draft.version)
    assert not PlanDraft.objects.exists()
    assert FiledPlan.objects.count() == 1
    assert refused(lambda: act("give_up_draft", version=1)) is Code.DRAFT_MISSING


def test_only_the_officer_of_the_enterprise_plans(act, make_user, organisation, make_organisation):
    for role, where in (("WORKER", organisation), ("ENVIRONMENT_OFFICER", make_organisation())):
        with pytest.raises(NotPermitted):
            act("start_draft", by=make_user(role, where))


def test_planned_stands_beside_what_happened(filed, wastes, organisation):
    assert queries.progress(organisation=organisation, year=2026, on=NOW.date()) == []
    filed()
    wastes.post("2026-02-01 油 产生 13 吨 库1 -")
    wastes.post("2026-06-01 油 委外处置 3 吨 库1 -", counterparty="处置厂", method="D10")
    wastes.post("2026-06-02 油 委外利用 1 吨 库1 -", counterparty="没有列的", method="R9")

    rows = queries.progress(organisation=organisation, year=2026, on=NOW.date())

    assert [(row.what, row.receiver, row.planned_g, row.actual_g, row.is_over) for row in rows] == [
        ("产生", "", 12 * T, 13 * T, True), ("转移", "处置厂", 11 * T, 3 * T, False),
        ("转移", "没有列的", None, T, True),
    ]  # fmt: skip
    assert f"{rows[1].share}" == "27.3"


def test_whether_a_transfer_is_planned(filed, organisation, receiver, make_organisation):
    other = make_organisation("二厂")

    def planned(to=receiver, code="900-249-08", year=2026):
        return queries.is_planned(organisation=organisation, waste_code=code, receiver=to, year=year)

    assert planned() is None  # nothing is filed
    filed()
    assert planned() is True
    assert planned(other) is False
    assert planned(code="900-300-34") is False
    assert planned(year=2027) is None
    found = queries.planned(organisation=organisation, waste_code="900-249-08", year=2026)
    assert (found.number, found.planned_g) == (1, 11 * T)


def test_a_receiver_without_a_code_in_the_plan_is_known_by_its_name(
    act, filed, organisation, make_organisation
):
    draft = act("start_draft")
    filed(transfers=[{**draft.content["transfers"][0], "receiver": "二厂", "receiver_uscc": ""}])

    named, other = make_organisation("二厂"), make_organisation("三厂")
    said = {"organisation": organisation, "waste_code": "900-249-08", "year": 2026}
    assert queries.is_planned(receiver=named, **said) is True
    assert queries.is_planned(receiver=other, **said) is False


def test_thirty_streams_take_as_many_queries_as_one(act, wastes, organisation):
    def counted() -> int:
        with CaptureQueriesContext(connection) as caught:
            content = queries.prefilled(organisation=organisation, year=2026)
            queries.findings(organisation=organisation, year=2026, content=content)
        return len(caught)

    few = counted()
    wastes.streams(*(f"油{n}" for n in range(30)), waste_code="900-249-08")
    wastes.post(*(f"2025-03-03 油{n} 产生 1 吨 库1 -" for n in range(30)))

    assert counted() == few
