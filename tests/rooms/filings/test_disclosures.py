"""Disclosure: drawn from the ledger, frozen when published, and what differs since is seen."""

from datetime import date

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from tests.conftest import NOW
from wufei.filings import disclosing, queries, services
from wufei.filings.models import Disclosure
from wufei.filings.refusals import Code, FilingRefused
from wufei.ledger.models import DailyRoot, Head, Movement
from wufei.ledger.services import close_month, reverse
from wufei.registry.models import AuditEntry
from wufei.registry.queries import NotPermitted

T = 1_000_000


@pytest.fixture
def wastes(ledger):
    ledger.stores(库1=None)
    ledger.streams("渣")
    ledger.streams("油", "酸", waste_code="900-249-08")
    ledger.post("2024-05-01 油 产生 3 吨 库1 -")
    ledger.post("2025-02-01 油 产生 12 吨 库1 -", "2025-02-01 渣 产生 90 吨 库1 -")
    ledger.post("2025-06-01 油 委外处置 11 吨 库1 -", counterparty="处置厂", method="D10")
    return ledger


@pytest.fixture
def publish(wastes, organisation, officer):
    def run(year=2025, reason="", by=None, now=NOW) -> Disclosure:
        return services.publish_disclosure(
            organisation=organisation, year=year, reason=reason, by=by or officer, now=now
        )

    return run


def refused(run) -> Code:
    with pytest.raises(FilingRefused) as caught:
        run()
    return caught.value.code


def said_of(content, stream: str) -> list[int | None]:
    [row] = [row for row in content["wastes"] if row["stream"] == stream]
    return [None if row[key] is None else row[key] // T for key in disclosing.AMOUNTS]


def test_what_is_not_known_is_unknown_until_the_year_is_closed(wastes, organisation, officer):
    content = queries.current_content(organisation=organisation, year=2025)
    assert said_of(content, "油") == [3, 12, None, None, None, None, 11, 4]
    assert said_of(content, "渣") == [0, 90, None, None, None, None, None, 90]
    assert said_of(content, "酸") == [None] * 8

    close_month(organisation=organisation, through=date(2025, 12, 31), by=officer, now=NOW)

    closed = queries.current_content(organisation=organisation, year=2025)
    assert said_of(closed, "油") == [3, 12, 0, 0, 0, 0, 11, 4]
    assert said_of(closed, "酸") == [None] * 8  # the ledger has never seen it
    assert said_of(queries.current_content(organisation=organisation, year=2024), "油")[0] is None


def test_it_is_frozen_with_the_root_of_the_ledger(publish, organisation):
    made = publish()

    head = Head.objects.get(organisation=organisation)
    assert (made.number, made.seq, made.chain_hash, made.algorithm) == (
        1,
        head.seq,
        head.chain_hash,
        head.algorithm,
    )
    made.refresh_from_db()
    assert disclosing.digest(made.content) == made.sha256
    assert AuditEntry.objects.filter(action="filings.publish_disclosure", object_ref="2025#1").exists()
    for change in (lambda: Disclosure.objects.update(number=9), made.delete):
        with pytest.raises(DatabaseError, match="append_only"), transaction.atomic():
            change()


def test_the_root_of_the_last_sealed_day_is_kept_with_it(publish):
    assert publish().daily_root == ""
    DailyRoot.objects.create(day=date(2026, 6, 30), root="d" * 64, algorithm="sm3", heads=[], sealed_at=NOW)
    assert publish(year=2024).daily_root == "d" * 64


def test_a_later_change_leaves_it_as_it_is_and_is_seen(publish, organisation, officer):
    made = publish()
    wrong = Movement.objects.get(moved_on="2025-06-01")
    reverse(movement=wrong, reason="退货", by=officer, now=NOW)

    made.refresh_from_db()
    now = queries.current_content(organisation=organisation, year=2025)
    found = {each.what: (each.before, each.after) for each in disclosing.differences(made.content, now)}
    assert found["委外处置量"] == (11 * T, 0)
    assert said_of(made.content, "油")[6] == 11
    assert refused(publish) is Code.REASON_MISSING

    second = publish(reason="退货冲正")
    assert (second.number, second.reason) == (2, "退货冲正")
    assert refused(lambda: publish(reason="再来")) is Code.NOTHING_CHANGED
    assert queries.disclosure(uscc=organisation.uscc, year=2025) == second
    assert queries.disclosure(uscc=organisation.uscc, year=2025, number=1) == made


def test_a_year_that_is_not_over_is_not_published(publish):
    assert refused(lambda: publish(year=2026)) is Code.NOT_OVER_YET
    assert refused(lambda: publish(year=1800)) is Code.YEAR_OUT_OF_RANGE


def test_only_the_officer_of_the_enterprise_publishes(publish, make_user, organisation, make_organisation):
    for role, where in (("WORKER", organisation), ("ENVIRONMENT_OFFICER", make_organisation())):
        with pytest.raises(NotPermitted):
            publish(by=make_user(role, where))


def test_the_public_list_has_each_year_once_and_is_found_by_name(publish, organisation, officer):
    first = publish()
    reverse(movement=Movement.objects.get(moved_on="2025-06-01"), reason="退货", by=officer, now=NOW)
    second = publish(reason="退货冲正")
    earlier = publish(year=2024)

    assert set(queries.published()) == {second, earlier}
    assert list(queries.published(year=2024)) == [earlier]
    assert list(queries.published(text="没有")) == []
    assert set(queries.published(text=organisation.uscc)) == {second, earlier}
    assert first not in queries.published()


def test_thirty_streams_take_as_many_queries_as_one(wastes, organisation):
    def counted() -> int:
        with CaptureQueriesContext(connection) as caught:
            queries.current_content(organisation=organisation, year=2025)
        return len(caught)

    few = counted()
    wastes.streams(*(f"渣{n}" for n in range(30)))
    wastes.post(*(f"2025-03-03 渣{n} 产生 1 吨 库1 -" for n in range(30)))

    assert counted() == few
