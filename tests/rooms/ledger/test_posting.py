"""What may be posted, told as a ledger."""

import uuid
from datetime import date, timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from tests.conftest import NOW
from wufei.ledger import queries, services
from wufei.ledger.kinds import Kind
from wufei.ledger.models import Balance, Head, Lot, MonthClosing, MonthlyFlow, Movement, Place
from wufei.registry.models import AuditEntry
from wufei.registry.queries import NotPermitted
from wufei.terms.mass import Mass

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _declared(ledger):
    ledger.stores(库1=None, 库2="10")
    ledger.streams("F1", "F2")


def test_a_store_gives_no_more_than_it_holds(ledger):
    ledger.play("""
        2025-01-01  F1  产生      2    吨    库1  -  posted
        2025-01-02  F1  自行利用  1.5  吨    库1  -  posted
        2025-01-03  F1  自行利用  501  千克  库1  -  source_overdrawn
        2025-01-03  F1  自行利用  500  千克  库1  -  posted
        2025-01-03  F1  自行利用  1    克    库1  -  source_overdrawn
        2025-01-03  F2  自行利用  1    克    库1  -  source_overdrawn
        2025-01-03  F1  自行利用  1    克    库2  -  source_overdrawn
    """)

    assert ledger.holds("库1") == Mass(0)


def test_no_store_is_short_on_any_day_in_the_past_either(ledger):
    ledger.play("""
        2025-01-10  F1  产生      5  吨  库1  -  posted
        2025-03-01  F1  自行利用  5  吨  库1  -  posted
        2025-01-05  F1  自行利用  1  吨  库1  -  source_overdrawn
        2025-02-01  F1  自行利用  1  吨  库1  -  source_overdrawn
        2025-01-04  F1  产生      1  吨  库1  -  posted
        2025-02-01  F1  自行利用  1  吨  库1  -  posted
    """)

    assert ledger.holds("库1", on=date(2025, 2, 1)) == Mass.of("5", "吨")


def test_what_comes_in_on_a_day_may_go_out_on_that_day(ledger):
    ledger.post("2025-01-01 F1 委外利用 3 吨 库1 -", "2025-01-01 F1 产生 3 吨 库1 -")

    assert ledger.holds("库1") == Mass(0)


def test_a_store_takes_no_more_than_its_capacity(ledger):
    ledger.play("""
        2025-01-01  F1  产生      10  吨  库2  -  posted
        2025-01-02  F1  产生      1   克  库2  -  target_over_capacity
        2025-01-02  F1  自行处置  1   吨  库2  -  posted
        2025-01-03  F2  产生      1   吨  库2  -  posted
    """)


def test_the_first_store_is_taken_where_none_is_named(ledger):
    ledger.play("2025-01-01  F1  产生  1  吨  -  -  posted")

    assert ledger.holds("库1") == Mass.of("1", "吨")


def test_a_labelled_lot_comes_into_being_once_and_keeps_its_stream(ledger):
    ledger.play("""
        2025-01-01  F1  委外处置  1    吨  库1  P1  lot_unknown
        2025-01-01  F1  产生      1    吨  库1  P1  posted
        2025-01-02  F1  产生      1    吨  库1  P1  lot_code_used
        2025-01-02  F2  委外处置  1    吨  库1  P1  lot_of_another_stream
        2025-01-02  F1  产生      1    吨  库1  散堆-X  lot_code_reserved
        2025-01-02  F1  委外处置  1    吨  库1  P1  posted
        2025-01-03  F1  委外处置  1    克  库1  P1  source_overdrawn
    """)

    assert Lot.objects.get(code="P1").origin_year == 2025


@pytest.mark.parametrize(
    ("row", "codes"),
    [
        ("2025-01-01 F1 产生 0 吨 库1 -", "mass_not_positive"),
        ("2025-01-01 F1 产生 100000000 吨 库1 -", "posted"),
        ("2025-01-01 F1 产生 100000001 吨 库1 -", "mass_absurd"),
        ("2026-07-01 F1 产生 1 吨 库1 -", "posted"),
        ("2026-07-02 F1 产生 1 吨 库1 -", "moved_on_in_future"),
        ("2025-01-01 F9 产生 1 吨 库1 -", "stream_unknown"),
        ("2025-01-01 F1 产生 1 吨 库9 -", "store_unknown"),
        (
            "2026-07-02 F9 产生 0 吨 库9 -",
            "mass_not_positive+moved_on_in_future+stream_unknown+store_unknown",
        ),
    ],
)
def test_every_reason_is_named_in_order_of_precedence(ledger, row, codes):
    assert ledger.result_of(row) == codes


def test_nothing_is_posted_when_one_row_of_many_is_refused(ledger):
    before = AuditEntry.objects.count()
    with pytest.raises(services.MovementsRefused) as refused:
        ledger.post("2025-01-01 F1 产生 1 吨 库1 -", "2025-01-02 F1 自行利用 2 吨 库1 -")

    assert [index for index, _ in refused.value.refusals] == [1]
    assert not Movement.objects.exists()
    assert not Balance.objects.exists()
    assert AuditEntry.objects.count() == before


def test_a_closed_month_takes_no_more_postings(ledger, officer):
    ledger.play("2025-01-15  F1  产生  2  吨  库1  -  posted")
    services.close_month(organisation=ledger.organisation, through=date(2025, 1, 31), by=officer, now=NOW)

    ledger.play("""
        2025-01-31  F1  产生  1  吨  库1  -  month_closed
        2025-02-01  F1  产生  1  吨  库1  -  posted
    """)
    [snapshot] = queries.snapshot_of(closing_id=MonthClosing.objects.get().pk).values()
    assert Mass(snapshot) == Mass.of("2", "吨")


@pytest.mark.parametrize(
    ("through", "code"),
    [("2025-01-30", "not_a_month_end"), ("2026-07-31", "not_over_yet"), ("2024-12-31", "already_closed")],
)
def test_a_month_is_closed_at_its_end_once_it_is_over_and_never_twice(ledger, officer, through, code):
    close = {"organisation": ledger.organisation, "by": officer, "now": NOW}
    services.close_month(through=date(2024, 12, 31), **close)

    with pytest.raises(services.ClosingRefused) as refused:
        services.close_month(through=date.fromisoformat(through), **close)
    assert refused.value.code == code


def test_a_mistake_is_reversed_with_a_reason_and_posted_again(ledger, officer):
    [wrong] = ledger.post("2025-01-01 F1 产生 20 吨 库1 -")
    back = services.reverse(movement=wrong, reason="多记一个零", by=officer, now=NOW)
    ledger.post("2025-01-01 F1 产生 2 吨 库1 -")

    assert (back.source_id, back.target_id, back.mass_g) == (wrong.target_id, wrong.source_id, wrong.mass_g)
    assert ledger.holds("库1") == Mass.of("2", "吨")
    assert [m.mass_g for m in Movement.objects.effective()] == [2_000_000]
    assert queries.verify().is_ok
    flow = MonthlyFlow.objects.get()
    assert (flow.mass_g, flow.movement_count) == (2_000_000, 3)


def test_a_reversal_is_refused_where_the_ledger_would_no_longer_be_true(ledger, officer):
    [made] = ledger.post("2025-01-01 F1 产生 2 吨 库1 -")
    [used] = ledger.post("2025-02-01 F1 自行利用 2 吨 库1 -")

    def code_of(movement, **said):
        with pytest.raises(services.ReversalRefused) as refused:
            services.reverse(**({"movement": movement, "reason": "误", "by": officer, "now": NOW} | said))
        return refused.value.code

    assert code_of(made) == "source_overdrawn"
    assert code_of(used, reason=" ") == "reason_missing"
    assert code_of(used, moved_on=date(2025, 1, 31)) == "day_out_of_order"
    services.close_month(organisation=ledger.organisation, through=date(2025, 2, 28), by=officer, now=NOW)
    assert code_of(used) == "month_closed"
    back = services.reverse(movement=used, reason="误", by=officer, now=NOW, moved_on=date(2025, 3, 1))
    assert code_of(used) == "already_reversed"
    assert code_of(back) == "is_a_reversal"
    services.reverse(movement=made, reason="误", by=officer, now=NOW, moved_on=date(2025, 3, 1))
    assert ledger.holds("库1") == Mass(0)


def test_what_came_and_went_on_a_later_day_does_not_hinder_a_reversal(ledger, officer):
    [wrong] = ledger.post("2025-01-01 F1 产生 2 吨 库1 -")
    ledger.post("2025-02-01 F1 产生 5 吨 库1 -", "2025-02-01 F1 自行利用 5 吨 库1 -")

    services.reverse(movement=wrong, reason="误", by=officer, now=NOW)

    assert ledger.holds("库1") == Mass(0)


def test_the_label_of_a_reversed_lot_may_be_used_again_for_the_same_thing(ledger, officer):
    [made] = ledger.post("2025-01-01 F1 产生 2 吨 库1 P1")
    services.reverse(movement=made, reason="误", by=officer, now=NOW)

    ledger.play("""
        2025-01-01  F2  产生  1  吨  库1  P1  lot_code_used
        2025-01-01  F1  产生  1  吨  库1  P1  posted
    """)


def test_the_same_client_id_never_counts_twice(ledger):
    client_id = uuid.uuid4()
    first = ledger.post("2025-01-01 F1 产生 2 吨 库1 -", client_id=client_id)
    again = ledger.post("2025-01-01 F1 产生 2 吨 库1 -", client_id=client_id)

    assert again == first
    assert ledger.holds("库1") == Mass.of("2", "吨")
    with pytest.raises(services.ClientIdReused):
        ledger.post("2025-01-01 F1 产生 3 吨 库1 -", client_id=client_id)
    assert Movement.objects.count() == 1


def test_text_that_no_ledger_keeps_is_refused(ledger):
    for said in ({"note": "长" * 301}, {"handler": "a\x00b"}):
        with pytest.raises(services.MovementsRefused) as refused:
            ledger.post("2025-01-01 F1 产生 2 吨 库1 -", **said)
        assert refused.value.refusals[0][1][0].code == "text_not_storable"


def test_what_is_written_down_late_counts_from_its_own_day_on(ledger):
    """Days after the draft's own are asked about only where something moved then: the same answer either way."""
    ledger.play("""
        2025-01-10  F1  产生      5  吨  库1  -  posted
        2025-01-10  F1  自行利用  5  吨  库1  -  posted
        2025-01-09  F1  自行利用  1  克  库1  -  source_overdrawn
        2025-01-10  F1  自行利用  1  克  库1  -  source_overdrawn
        2025-01-08  F1  产生      2  吨  库1  -  posted
        2025-01-11  F2  产生      9  吨  库2  -  posted
        2025-01-05  F1  产生      2  吨  库2  -  posted
        2025-01-05  F1  自行利用  2  吨  库2  -  posted
        2025-01-11  F1  产生      2  吨  库2  -  target_over_capacity
        2025-01-10  F1  自行利用  2  吨  库1  -  posted
    """)
    assert queries.verify().is_ok


def test_only_those_who_may_post_post(ledger, make_user, make_organisation):
    other = make_user("ENVIRONMENT_OFFICER", make_organisation())
    worker = make_user("WORKER", ledger.organisation)
    draft = ledger.draft("2025-01-01 F1 产生 2 吨 库1 -")
    with pytest.raises(NotPermitted):
        services.post(organisation=ledger.organisation, drafts=[draft], by=other, now=NOW)
    [made] = services.post(organisation=ledger.organisation, drafts=[draft], by=worker, now=NOW)
    with pytest.raises(NotPermitted):
        services.reverse(movement=made, reason="误", by=worker, now=NOW)


@pytest.mark.parametrize("sql", ["UPDATE ledger_movement SET mass_g = 1", "DELETE FROM ledger_movement"])
def test_the_database_itself_refuses_to_change_history(ledger, sql):
    ledger.post("2025-01-01 F1 产生 2 吨 库1 -")

    with (
        pytest.raises(DatabaseError, match="append_only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql)
    assert Movement.objects.get().mass_g == 2_000_000


@pytest.mark.parametrize("before", [0, 1], ids=["one row", "the second of two rows"])
def test_the_database_itself_refuses_an_overdrawn_store_a_closed_month_and_a_foreign_place(
    ledger, officer, make_organisation, before
):
    [made] = ledger.post("2025-01-01 F1 产生 2 吨 库1 -")
    stranger = make_organisation()
    raw = {f.attname: getattr(made, f.attname) for f in Movement._meta.fields if f.attname != "id"}

    def following(**said):
        seq = said["seq"]
        chained = {"previous_hash": f"{seq - 1:064}", "chain_hash": f"{seq:064}", "client_id": uuid.uuid4()}
        return Movement(**(raw | chained | said))

    def refused(**said):
        first = {"previous_hash": made.chain_hash}
        sound = [following(seq=2, mass_g=1, **first)][:before]
        last = {"seq": 2 + before} | ({} if before else first) | said
        with pytest.raises(DatabaseError) as why, transaction.atomic():
            Movement.objects.bulk_create([*sound, following(**last)])
        return str(why.value)

    assert "ledger_balance_not_overdrawn" in refused(
        source_id=made.target_id, target_id=made.source_id, mass_g=2_000_001 + before
    )
    refused(mass_g=0)
    refused(target_id=made.source_id)
    for nowhere in ("source_id", "target_id", "lot_id", "stream_id"):
        assert "movement_across_organisations" in refused(**{nowhere: 10**6})
    assert "movement_across_organisations" in refused(target_id=place_of(stranger))
    assert "out_of_chain" in refused(organisation_id=stranger.pk)
    assert "out_of_chain" in refused(seq=4)
    assert "out_of_chain" in refused(previous_hash="f" * 64)
    assert "client_id" in refused(client_id=made.client_id)
    services.close_month(organisation=ledger.organisation, through=date(2025, 1, 31), by=officer, now=NOW)
    assert "month_closed" in refused()
    assert Movement.objects.count() == 1


def place_of(organisation) -> int:
    return Place.objects.create(organisation=organisation, code="库1", name="库1", kind="STORE").pk


def test_the_database_moves_the_end_of_the_chain_by_itself(ledger):
    ledger.post("2025-01-01 F1 产生 2 吨 库1 -", "2025-01-02 F1 产生 2 吨 库1 -")
    [last] = ledger.post("2025-01-03 F1 产生 2 吨 库1 -")
    head = Head.objects.get()

    assert (head.seq, head.chain_hash) == (3, last.chain_hash)


def test_a_place_or_lot_that_something_moved_through_is_never_deleted(ledger):
    """Movements have no foreign keys of their own: those of the balances and flows hold what they name."""
    [made] = ledger.post("2025-01-01 F1 产生 2 吨 库1 -")
    for table, pk in (
        ("ledger_place", made.source_id),
        ("ledger_place", made.target_id),
        ("ledger_lot", made.lot_id),
        ("ledger_stream", made.stream_id),
        ("registry_organisation", made.organisation_id),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            delete_by_hand(table, pk)


def delete_by_hand(table: str, pk: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table} WHERE id = %s", [pk])
        connection.check_constraints()


def test_a_posting_takes_the_same_number_of_queries_for_one_row_and_for_a_hundred(
    ledger, django_assert_max_num_queries
):
    ledger.post("2025-01-01 F1 产生 1 吨 库1 -", "2025-01-01 F1 委外利用 1 千克 库1 -")
    rows = [f"2025-01-{1 + i % 28:02d} F1 产生 1 吨 库1 -" for i in range(100)]
    with django_assert_max_num_queries(20):
        ledger.post(rows[0])
    with django_assert_max_num_queries(20):
        ledger.post(*rows)


def test_stock_of_any_day_is_the_replay_of_the_movements(ledger):
    ledger.post("2025-01-01 F1 产生 2 吨 库1 -", "2025-01-03 F1 委外利用 1 吨 库1 -")
    day, held = date(2024, 12, 31), []
    for _ in range(4):
        held.append(ledger.holds("库1", on=day).tonnes)
        day += timedelta(days=1)
    assert held == [0, 2, 2, 1]
    assert ledger.kinds() == [Kind.GENERATION, Kind.CONTRACTED_UTILISATION]


def test_two_long_names_of_other_parties_are_two_places(ledger):
    names = ["长" * 199 + tail for tail in "甲乙"]
    ledger.post("2025-01-01 F1 产生 2 吨 库1 -")
    made = [ledger.post("2025-01-02 F1 委外利用 1 吨 库1 -", counterparty=name)[0] for name in names]

    assert len({movement.target_id for movement in made}) == 2
    assert [movement.target.name for movement in made] == names
