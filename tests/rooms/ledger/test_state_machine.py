"""
A law that no sequence of postings, reversals, closings and concurrent writers may break.

Mass is conserved; no store is ever short; balances equal the sum of the movements; the chain
verifies; what was acknowledged is there (promise L4).
"""

import random
import threading
from collections import defaultdict
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.db import connection, connections
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tests.conftest import NOW, valid_uscc
from wufei.ledger import queries, services
from wufei.ledger.kinds import BY_HAND, INTO_STORE, Kind, PlaceKind
from wufei.ledger.models import Balance, Movement
from wufei.ledger.posting import Draft
from wufei.registry.models import Organisation
from wufei.registry.services import operator
from wufei.terms.mass import Mass

STORES = ("库1", "库2")
STREAMS = ("F1", "F2")
FIRST_DAY = date(2025, 1, 1)
DAYS = 120


def open_ledger(number: int) -> Organisation:
    """Return a fresh organisation with two stores and two streams."""
    organisation = Organisation.objects.create(
        uscc=valid_uscc(f"91500110MA6{number:06d}"),
        name=f"企业{number}", kind="ENTERPRISE", division_code="500110", created_at=NOW,
    )  # fmt: skip
    said = {"organisation": organisation, "by": operator(), "now": NOW}
    for store in STORES:
        services.declare_store(code=store, name=store, **said)
    for stream in STREAMS:
        services.declare_stream(code=stream, name=stream, waste_code="SW02", process_name="工序1", **said)
    return organisation


class Model:
    """The plain oracle: what the stores hold day by day, kept in the simplest way there is."""

    def __init__(self):
        self.net: dict[tuple[str, str], dict[date, int]] = defaultdict(lambda: defaultdict(int))
        self.closed_through: date | None = None
        self.acknowledged: dict[int, Draft] = {}  # seq -> what was posted
        self.reversed: set[int] = set()

    def standing(self, key) -> list[int]:
        running, found = 0, []
        for day in sorted(self.net[key]):
            running += self.net[key][day]
            found.append(running)
        return found

    def would_hold(self, drafts: list[Draft], sign: int = 1) -> bool:
        trial: dict[tuple[str, str], dict[date, int]] = defaultdict(lambda: defaultdict(int))
        for draft in drafts:
            for store, grams in legs(draft):
                trial[store, draft.stream_code][draft.moved_on] += sign * grams
        for key, nets in trial.items():
            running = 0
            for day in sorted({*self.net[key], *nets}):
                running += self.net[key].get(day, 0) + nets.get(day, 0)
                if running < 0:
                    return False
        return True

    def apply(self, draft: Draft, sign: int = 1, day: date | None = None) -> None:
        for store, grams in legs(draft):
            self.net[store, draft.stream_code][day or draft.moved_on] += sign * grams


POSTABLE = (*BY_HAND, Kind.RELOCATION)


def legs(draft: Draft) -> list[tuple[str, int]]:
    """Return what the draft does to stores: grams that come in, or go out."""
    grams = draft.mass.grams
    if draft.kind is Kind.RELOCATION:
        return [(draft.store_code, -grams), (draft.other_place, grams)]
    return [(draft.store_code, grams if draft.kind in INTO_STORE else -grams)]


def turn(draft: Draft) -> int:
    return 1 if draft.kind is Kind.RELOCATION else 0 if draft.kind in INTO_STORE else 2


drafts = st.builds(
    Draft,
    kind=st.sampled_from(POSTABLE),
    other_place=st.sampled_from(STORES),
    moved_on=st.integers(0, DAYS).map(lambda n: FIRST_DAY + timedelta(days=n)),
    stream_code=st.sampled_from(STREAMS),
    store_code=st.sampled_from(STORES),
    mass=st.integers(-1, 60).map(Mass),
    lot_code=st.none(), method=st.just(""), counterparty=st.just(""), handler=st.just(""), note=st.just(""),
    client_id=st.none(), fingerprint=st.just(""),
)  # fmt: skip


class Ledger(RuleBasedStateMachine):
    counter = 0

    def __init__(self):
        super().__init__()
        type(self).counter += 1
        self.organisation = open_ledger(type(self).counter)
        self.by = operator()
        self.model = Model()

    @rule(batch=st.lists(drafts, min_size=1, max_size=4))
    def post(self, batch):
        closed = self.model.closed_through
        sound = all(
            d.mass.grams > 0
            and (closed is None or d.moved_on > closed)
            and (d.kind is not Kind.RELOCATION or d.other_place != d.store_code)
            for d in batch
        )
        expected = sound and self.model.would_hold(batch)
        try:
            posted = list(services.post(organisation=self.organisation, drafts=batch, by=self.by, now=NOW))
        except services.MovementsRefused:
            assert not expected
            return
        assert expected
        ordered = sorted(batch, key=lambda d: (turn(d), d.moved_on))
        for movement, draft in zip(posted, ordered, strict=True):
            self.model.acknowledged[movement.seq] = draft
            self.model.apply(draft)

    @rule(pick=st.randoms(use_true_random=False), later=st.integers(0, 20))
    def reverse(self, pick, later):
        if not self.model.acknowledged:
            return
        seq = pick.choice(sorted(self.model.acknowledged))
        draft = self.model.acknowledged[seq]
        day = draft.moved_on + timedelta(days=later)
        holds = True
        for store, grams in legs(draft):
            net = self.model.net[store, draft.stream_code]
            running, nets = 0, net | {day: net.get(day, 0) - grams}
            for each in sorted(nets):
                running += nets[each]
                holds = holds and running >= 0
        closed = self.model.closed_through
        expected = holds and seq not in self.model.reversed and (closed is None or day > closed)
        movement = Movement.objects.get(organisation=self.organisation, seq=seq)
        try:
            services.reverse(movement=movement, reason="误记", by=self.by, now=NOW, moved_on=day)
        except services.ReversalRefused:
            assert not expected
            return
        assert expected
        self.model.reversed.add(seq)
        self.model.apply(draft, sign=-1, day=day)

    @rule(month=st.integers(1, 4))
    def close(self, month):
        through = date(2025, month + 1, 1) - timedelta(days=1)
        try:
            closing = services.close_month(
                organisation=self.organisation, through=through, by=self.by, now=NOW
            )
        except services.ClosingRefused:
            assert self.model.closed_through
            assert through <= self.model.closed_through
            return
        self.model.closed_through = through
        held = queries.held_on(organisation=self.organisation, on=through)
        assert queries.snapshot_of(closing_id=closing.pk) == held

    @rule(amounts=st.lists(st.integers(1, 30), min_size=2, max_size=4))
    def write_at_once(self, amounts):
        """Several writers take from one store at the same moment; together never more than it holds."""
        day = FIRST_DAY + timedelta(days=DAYS)
        if self.model.closed_through and day <= self.model.closed_through:
            return
        done: list[tuple[int, Draft]] = []

        def take(grams: int) -> None:
            draft = Draft(
                kind=Kind.CONTRACTED_UTILISATION, moved_on=day, stream_code="F1", store_code="库1",
                mass=Mass(grams),
            )  # fmt: skip
            try:
                [movement] = services.post(
                    organisation=self.organisation, drafts=[draft], by=self.by, now=NOW
                )
                done.append((movement.seq, draft))
            except services.MovementsRefused:
                pass
            finally:
                connections["default"].close()

        writers = [threading.Thread(target=take, args=(grams,)) for grams in amounts]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        for seq, draft in done:
            self.model.acknowledged[seq] = draft
            self.model.apply(draft)

    @invariant()
    def mass_is_conserved_and_nothing_acknowledged_is_missing(self):
        balances = Balance.objects.filter(place__organisation=self.organisation)
        assert sum(balances.values_list("mass_g", flat=True)) == 0
        held = defaultdict(int)
        for code, lot, grams in balances.filter(place__kind=PlaceKind.STORE).values_list(
            "place__code", "lot__stream__code", "mass_g"
        ):
            assert grams >= 0
            held[code, lot] = grams
        for key in self.model.net:
            standing = self.model.standing(key)
            assert all(grams >= 0 for grams in standing)
            assert held[key] == (standing[-1] if standing else 0)
        seqs = set(
            Movement.objects.filter(organisation=self.organisation, reverses=None).values_list(
                "seq", flat=True
            )
        )
        assert seqs == set(self.model.acknowledged)

    def teardown(self):
        result = queries.verify(organisation=self.organisation)
        assert result.is_ok, result.faults


@pytest.mark.slow
def test_no_sequence_of_postings_breaks_the_ledger(own_store):
    run_state_machine_as_test(
        Ledger,
        settings=settings(
            max_examples=12, stateful_step_count=15, deadline=None, database=None, derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip


@pytest.mark.slow
def test_without_the_trigger_balances_no_longer_equal_the_sum_of_movements(own_store):
    """The control of L4: the same check, the database's guard taken away, must fail."""
    organisation = open_ledger(1)
    with connection.cursor() as cursor:
        on = "" if own_store == "sqlite" else " ON ledger_movement"
        cursor.execute(f"DROP TRIGGER ledger_movement_moves_mass{on}")
    draft = Draft(kind=Kind.GENERATION, moved_on=FIRST_DAY, stream_code="F1", store_code="库1", mass=Mass(5))
    services.post(organisation=organisation, drafts=[draft], by=operator(), now=NOW)

    kinds = {fault.kind for fault in queries.verify().faults}
    assert kinds == {"balance_mismatch", "flow_mismatch"}


def play_randomly(organisation: Organisation, *, seed: int, steps: int) -> int:
    """Post and reverse at random for so many steps; return how many were acknowledged."""
    chance = random.Random(seed)
    by, done = operator(), []
    for _ in range(steps):
        draft = Draft(
            kind=chance.choice(POSTABLE), stream_code=chance.choice(STREAMS),
            moved_on=FIRST_DAY + timedelta(days=chance.randrange(DAYS)), store_code=chance.choice(STORES),
            mass=Mass(chance.randrange(1, 10**6)), other_place=chance.choice(STORES),
        )  # fmt: skip
        try:
            if done and chance.random() < 0.1:
                services.reverse(
                    movement=done.pop(chance.randrange(len(done))), reason="误记", by=by, now=NOW
                )
            else:
                done += services.post(organisation=organisation, drafts=[draft], by=by, now=NOW)
        except (services.MovementsRefused, services.ReversalRefused):
            pass
    return len(done)


@pytest.mark.slow
def test_the_past_can_be_asked_exactly(own_store):
    """L6: the replay to any day equals what was held then, added up by hand."""
    organisation = open_ledger(1)
    assert play_randomly(organisation, seed=6, steps=250) > 20
    held_on = added_up_by_hand(organisation)
    chance = random.Random(6)
    for _ in range(100):
        day = FIRST_DAY + timedelta(days=chance.randrange(-5, DAYS + 5))
        assert queries.held_on(organisation=organisation, on=day) == held_on(day)


def added_up_by_hand(organisation: Organisation) -> Callable[[date], dict[tuple[int, int], int]]:
    """Return what tells, in the simplest way there is, what was held on a day."""
    by_hand: dict[tuple[int, int], dict[date, int]] = defaultdict(lambda: defaultdict(int))
    for m in Movement.objects.filter(organisation=organisation).select_related("source", "target"):
        if m.target.kind == PlaceKind.STORE:
            by_hand[m.target_id, m.lot_id][m.moved_on] += m.mass_g
        if m.source.kind == PlaceKind.STORE:
            by_hand[m.source_id, m.lot_id][m.moved_on] -= m.mass_g

    def held_on(day: date) -> dict[tuple[int, int], int]:
        sums = {key: sum(g for d, g in nets.items() if d <= day) for key, nets in by_hand.items()}
        return {key: grams for key, grams in sums.items() if grams}

    return held_on


def play_beside_the_oracle(organisation: Organisation, *, seed: int, steps: int) -> tuple[int, int]:
    """L4 without Hypothesis: post and reverse so many times, each answer as the oracle expects it."""
    chance, by, model = random.Random(seed), operator(), Model()
    standing: list[tuple[Movement, Draft]] = []
    refused = 0
    for step in range(1, steps + 1):
        if standing and chance.random() < 0.1:
            movement, draft = standing.pop(chance.randrange(len(standing)))
            expected = model.would_hold([draft], sign=-1)
            try:
                services.reverse(movement=movement, reason="误记", by=by, now=NOW)
            except services.ReversalRefused:
                assert not expected, (seed, step)
                standing.append((movement, draft))
                refused += 1
            else:
                assert expected, (seed, step)
                model.apply(draft, sign=-1)
        else:
            draft = Draft(
                kind=chance.choice(POSTABLE), stream_code=chance.choice(STREAMS),
                moved_on=FIRST_DAY + timedelta(days=chance.randrange(DAYS)), store_code=chance.choice(STORES),
                mass=Mass(chance.randrange(1, 10**6)), other_place=chance.choice(STORES),
            )  # fmt: skip
            goes = draft.kind is not Kind.RELOCATION or draft.other_place != draft.store_code
            expected = goes and model.would_hold([draft])
            try:
                [movement] = services.post(organisation=organisation, drafts=[draft], by=by, now=NOW)
            except services.MovementsRefused:
                assert not expected, (seed, step)
                refused += 1
            else:
                assert expected, (seed, step)
                model.apply(draft)
                standing.append((movement, draft))
        if step % 1000 == 0 or step == steps:
            mass_is_conserved(organisation, model)
    assert (result := queries.verify(organisation=organisation)).is_ok, result.faults
    assert Movement.objects.filter(organisation=organisation).count() == steps - refused
    return steps - refused, refused


def mass_is_conserved(organisation: Organisation, model: Model) -> None:
    balances = Balance.objects.filter(place__organisation=organisation)
    assert sum(balances.values_list("mass_g", flat=True)) == 0
    held = {
        (store, stream): grams
        for store, stream, grams in balances.filter(place__kind=PlaceKind.STORE).values_list(
            "place__code", "lot__stream__code", "mass_g"
        )
    }
    for key in model.net:
        standing = model.standing(key)
        assert all(grams >= 0 for grams in standing), key
        assert held.get(key, 0) == (standing[-1] if standing else 0), key


@pytest.mark.slow
def test_random_postings_and_reversals_do_what_the_oracle_says(own_store):
    """L4 in small; `python -m benchmarks promises` plays 20 seeds of 10,000 steps."""
    acknowledged, refused = play_beside_the_oracle(open_ledger(1), seed=4, steps=300)

    assert min(acknowledged, refused) > 20
