"""An evaluation verifies what came after the last whole verification; `wufei verify` always reads everything."""

import json
import threading
import uuid
from datetime import timedelta

import pytest
from click.testing import CliRunner
from django.db import connection, connections
from django.db.models import F

from tests.conftest import NOW
from tests.rooms.ledger.test_chain import re_chain, without_guards
from tests.rooms.ledger.test_state_machine import FIRST_DAY, open_ledger, play_randomly
from wufei.ledger import chain, queries, services
from wufei.ledger.cli import verify as verify_command
from wufei.ledger.kinds import Kind, PlaceKind
from wufei.ledger.models import Balance, Head, MonthlyFlow, Movement, VerifiedHead
from wufei.ledger.posting import Draft
from wufei.ledger.queries import verifying
from wufei.registry.models import AuditEntry
from wufei.registry.services import operator
from wufei.terms.mass import Mass

LAST_DAY = FIRST_DAY + timedelta(days=400)  # of another month than all that was played


def post(organisation, stream="F1", now=NOW) -> Movement:
    draft = Draft(
        kind=Kind.GENERATION, moved_on=LAST_DAY, stream_code=stream, store_code="库1", mass=Mass(7),
        client_id=uuid.uuid4(),
    )  # fmt: skip
    [made] = services.post(organisation=organisation, drafts=[draft], by=operator(), now=now)
    return made


def verified(organisation):
    services.verify(organisation=organisation, by=operator(), now=NOW)
    return kept(organisation)


def kept(organisation) -> VerifiedHead:
    return VerifiedHead.objects.get(organisation=organisation)


def further(organisation) -> list[str]:
    found = queries.verify_further(organisation=organisation, kept=kept(organisation))
    return [fault.kind for fault in found.faults]


def seqs_read(monkeypatch) -> list[int]:
    read: list[int] = []
    really = chain.link_hash

    def hashed(*, algorithm, previous, link):
        read.append(link.seq)
        return really(algorithm=algorithm, previous=previous, link=link)

    monkeypatch.setattr(chain, "link_hash", hashed)
    return read


def unguarded() -> None:
    connection.check_constraints()  # else PostgreSQL has something left to do for the table
    without_guards(connection.vendor)


@pytest.fixture
def played(db):
    return play()


def play():
    organisation = open_ledger(1)
    play_randomly(organisation, seed=5, steps=40)
    return organisation


def test_only_what_came_after_is_read_again(played, monkeypatch):
    before = verified(played)
    read = seqs_read(monkeypatch)

    assert (before.seq, before.faults) == (Head.objects.get().seq, 0)
    assert further(played) == []
    fresh = post(played)
    assert further(played) == []
    assert read == [fresh.seq] == [before.seq + 1]


@pytest.mark.parametrize(
    ("change", "faults"),
    [
        ({"note": "改过的"}, ["edited"]),
        ({"previous_hash": "0" * 64}, ["edited"]),
        ({"chain_hash": "0" * 64}, ["edited", "replaced"]),
        ({"mass_g": 8}, ["edited", "balance_mismatch", "balance_mismatch", "flow_mismatch"]),
    ],
)
def test_a_movement_changed_after_the_last_whole_verification_shows_at_once(played, change, faults):
    verified(played)
    fresh = post(played)
    unguarded()
    Movement.objects.filter(pk=fresh.pk).update(**change)

    assert further(played) == faults


def test_a_movement_taken_out_after_the_last_whole_verification_shows_at_once(played):
    verified(played)
    gone, _ = post(played), post(played)
    unguarded()
    Movement.objects.filter(pk=gone.pk)._raw_delete("default")

    assert "missing" in further(played)


def test_what_was_changed_before_shows_with_the_next_whole_verification_and_until_one_finds_it_mended(played):
    verified(played)
    post(played)
    unguarded()
    row = Movement.objects.get(seq=3)
    Movement.objects.filter(pk=row.pk).update(note="改过的")

    assert further(played) == []  # which is what `verify_further` says that it doesn't see
    assert not queries.verify(organisation=played).is_ok
    assert verified(played).first_fault.endswith("第 3 号记录的内容与链值不符，被改动过")
    assert further(played) == ["found_before"]
    Movement.objects.filter(pk=row.pk).update(note=row.note)
    assert further(played) == ["found_before"]
    assert verified(played).faults == 0
    assert further(played) == []


def test_what_is_kept_of_the_last_time_says_nothing_to_a_whole_verification(played):
    """Who can write everything can also write that all was verified: the command reads everything none the less."""
    verified(played)
    unguarded()
    Movement.objects.filter(seq=3).update(note="改过的")
    VerifiedHead.objects.update(verified_at=NOW + timedelta(days=1), faults=0)

    said = CliRunner().invoke(verify_command, ["--json"])

    assert said.exit_code == 1
    assert [fault["kind"] for fault in json.loads(said.stdout)["faults"]] == ["edited"]
    assert kept(played).faults == 1


def test_balances_and_flows_of_what_moved_since_are_verified_and_the_others_by_the_whole(played):
    verified(played)
    post(played, stream="F1")
    others = Balance.objects.filter(lot__stream__code="F2", place__kind=PlaceKind.STORE)

    others.update(mass_g=F("mass_g") + 1)
    MonthlyFlow.objects.filter(month__lt=LAST_DAY.replace(day=1)).update(mass_g=F("mass_g") + 1)
    assert further(played) == []
    assert {f.kind for f in queries.verify().faults} == {"balance_mismatch", "flow_mismatch"}

    post(played, stream="F2")
    assert set(further(played)) == {"balance_mismatch"}
    MonthlyFlow.objects.filter(month=LAST_DAY.replace(day=1)).update(mass_g=F("mass_g") + 1)
    assert set(further(played)) == {"balance_mismatch", "flow_mismatch"}


def test_a_chain_that_no_longer_goes_through_where_it_was_verified_is_read_as_a_whole(played, monkeypatch):
    services.seal_day(by=operator(), now=NOW)
    verified(played)
    unguarded()
    re_chain(played)

    read = seqs_read(monkeypatch)
    assert further(played) == ["root_mismatch"]
    assert read[0] == 1


def test_a_whole_verification_of_more_than_a_week_before_is_no_ground_to_stand_on(played, monkeypatch):
    verified(played)
    post(played, now=NOW + timedelta(days=7))
    read = seqs_read(monkeypatch)
    assert further(played) == []
    assert len(read) == 1

    last = post(played, now=NOW + timedelta(days=7, seconds=1))
    read.clear()
    assert further(played) == []
    assert read == list(range(1, last.seq + 1))


def test_without_a_whole_verification_the_whole_is_read(played):
    unguarded()
    Movement.objects.filter(seq=3).update(note="改过的")

    found = queries.verify_further(organisation=played, kept=None)

    assert [fault.kind for fault in found.faults] == ["edited"]


def test_what_is_posted_in_the_middle_of_a_verification_is_no_fault(own_store, monkeypatch):
    played = play()
    really = verifying._chain_faults_of

    def posted_meanwhile(organisation, head):
        def elsewhere():
            post(played)
            connections["default"].close()

        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        return really(organisation, head)

    monkeypatch.setattr(verifying, "_chain_faults_of", posted_meanwhile)
    before = Head.objects.get().seq

    assert verified(played).faults == 0
    assert (kept(played).seq, Head.objects.get().seq) == (before, before + 1)
    post(played)
    assert further(played) == []


def test_a_fault_is_kept_of_the_ledger_that_it_is_in_and_the_verification_is_on_record(played):
    sound, empty = open_ledger(2), open_ledger(3)
    post(sound)
    unguarded()
    Movement.objects.filter(organisation=played, seq=3).update(note="改过的")

    services.verify(organisation=None, by=operator(), now=NOW)

    assert dict(VerifiedHead.objects.values_list("organisation", "faults")) == {
        played.pk: 1, sound.pk: 0, empty.pk: 0,
    }  # fmt: skip
    assert further(sound) == []
    assert queries.verify_further(organisation=empty, kept=kept(empty)).is_ok
    entry = AuditEntry.objects.get(action="ledger.verify")
    assert entry.detail == {"movements": Movement.objects.count(), "faults": 1}
