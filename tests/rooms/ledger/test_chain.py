"""History can't be changed unseen (promise L5), and a retry never counts twice (L3)."""

import random
import subprocess
import uuid
from datetime import date, timedelta

import pytest
from django.db import DatabaseError, connection

from tests.conftest import NOW
from tests.rooms.ledger.test_state_machine import FIRST_DAY, open_ledger, play_randomly
from wufei.ledger import queries, services
from wufei.ledger.chain import genesis, link_hash, root_of
from wufei.ledger.kinds import Kind
from wufei.ledger.models import DailyRoot, Head, Movement, RootTimestamp
from wufei.ledger.posting import Draft
from wufei.ledger.queries import verifying
from wufei.ledger.timestamp import request_for
from wufei.registry.services import operator
from wufei.terms.mass import Mass


def without_guards(vendor: str) -> None:
    """What an intruder with the rights of the database's owner can do first."""
    with connection.cursor() as cursor:
        if vendor == "postgresql":
            cursor.execute("ALTER TABLE ledger_movement DISABLE TRIGGER USER")
            cursor.execute("ALTER TABLE ledger_dailyroot DISABLE TRIGGER USER")
            return
        for name in ("movement_no_update", "movement_no_delete", "movement_guard", "movement_moves_mass"):
            cursor.execute(f"DROP TRIGGER ledger_{name}")
        cursor.execute("DROP TRIGGER ledger_dailyroot_no_update")


def edit(chance, rows):
    row = chance.choice(rows)
    column = chance.choice(["mass_g", "moved_on", "note", "counterparty", "handler", "method", "kind"])
    changed = {
        "mass_g": row.mass_g + 1,
        "moved_on": row.moved_on + timedelta(days=1),
        "kind": next(k.value for k in Kind if k.value != row.kind),
    }.get(column, "改过的")
    Movement.objects.filter(pk=row.pk).update(**{column: changed})
    return {row.pk}


def delete(chance, rows):
    row = chance.choice([r for r in rows[:-1] if not hasattr(r, "reversal") and r.reverses_id is None])
    Movement.objects.filter(pk=row.pk)._raw_delete("default")
    return {rows[rows.index(row) + 1].pk}  # the row after the hole says that it is there


def reorder(chance, rows):
    index = chance.randrange(len(rows) - 1)
    a, b = rows[index], rows[index + 1]
    Movement.objects.filter(pk=a.pk).update(seq=10**6)
    Movement.objects.filter(pk=b.pk).update(seq=a.seq)
    Movement.objects.filter(pk=a.pk).update(seq=b.seq)
    return {a.pk, b.pk}


def insert(chance, rows):
    """A row put in with a number of its own, the ones after it moved up."""
    index = chance.randrange(len(rows) - 1)
    for row in reversed(rows[index + 1 :]):
        Movement.objects.filter(pk=row.pk).update(seq=row.seq + 1)
    copy = Movement.objects.get(pk=rows[index].pk)
    copy.pk, copy.seq, copy.client_id, copy.reverses_id = None, copy.seq + 1, uuid.uuid4(), None
    copy.reversal_reason = ""
    copy.save(force_insert=True)
    return {copy.pk}


def replace(chance, rows):
    """A row edited and given a fitting hash of its own: the next one still tells."""
    head = Head.objects.get(pk=rows[0].organisation_id)
    index = chance.randrange(len(rows) - 1)
    stored = next(
        r for r in queries.chain_rows(organisation=rows[0].organisation) if r.movement == rows[index].pk
    )
    Movement.objects.filter(pk=stored.movement).update(note="改过的")
    [edited] = [
        r for r in queries.chain_rows(organisation=rows[0].organisation) if r.movement == stored.movement
    ]
    made = link_hash(algorithm=head.algorithm, previous=edited.previous_hash, link=edited.link)
    Movement.objects.filter(pk=stored.movement).update(chain_hash=made)
    return {stored.movement}


@pytest.mark.slow
@pytest.mark.parametrize("tamper", [edit, delete, reorder, insert, replace])
def test_a_tampered_row_is_named(own_store, tamper):
    organisation = open_ledger(1)
    play_randomly(organisation, seed=5, steps=60)
    without_guards(own_store)
    assert queries.verify().is_ok
    tamper_and_be_named(organisation, tamper, seeds=range(10))


def tamper_and_be_named(organisation, tamper, *, seeds) -> None:
    rows = list(Movement.objects.order_by("seq").select_related("reversal", "organisation"))
    kept = {row.pk: row for row in Movement.objects.all()}
    for seed in seeds:
        expected = tamper(random.Random(seed), rows)
        named = [f.movement for f in verifying._chain_faults_of(organisation, Head.objects.get())]
        assert named[0] in expected, (seed, expected, named)
        assert expected <= set(named), (seed, expected, named)
        # A row put in gives all after it another number, so they are wrong too; else no sound row is named.
        assert tamper is insert or set(named) <= expected | neighbours(rows, expected), (seed, named)
        restore(kept)
        assert queries.verify().is_ok


def neighbours(rows: list[Movement], pks: set[int]) -> set[int]:
    """The row after a wrong one, which no longer fits to it, and the row that reverses it by its number."""
    order = [row.pk for row in rows]
    return {row.pk for row in rows if row.reverses_id in pks} | {
        order[order.index(pk) + 1] for pk in pks if pk in order[:-1]
    }


def restore(kept: dict[int, Movement]) -> None:
    Movement.objects.exclude(pk__in=kept)._raw_delete("default")
    for number, row in enumerate(kept.values()):
        if Movement.objects.filter(pk=row.pk).update(seq=2 * 10**6 + number) == 0:
            row.seq, seq = 2 * 10**6 + number, row.seq
            Movement.objects.bulk_create([row])
            row.seq = seq
    for row in kept.values():
        row.save(force_update=True)


def re_chain(organisation) -> None:
    """Change the first movement and make the whole chain anew, head and daily roots included."""
    Movement.objects.filter(organisation=organisation, seq=1).update(note="改过的")
    head = Head.objects.get(organisation=organisation)
    previous = genesis(uscc=organisation.uscc, algorithm=head.algorithm)
    for row in list(queries.chain_rows(organisation=organisation)):
        own = link_hash(algorithm=head.algorithm, previous=previous, link=row.link)
        Movement.objects.filter(pk=row.movement).update(previous_hash=previous, chain_hash=own)
        previous = own
    Head.objects.filter(pk=head.pk).update(chain_hash=previous)


def test_a_chain_made_anew_as_a_whole_is_caught_by_the_daily_root_and_the_root_by_its_timestamp(
    own_store, tmp_path
):
    organisation = open_ledger(1)
    play_randomly(organisation, seed=5, steps=30)
    root = services.seal_day(by=operator(), now=NOW)
    authority = LocalAuthority(tmp_path)
    response = authority.answer(request_for(root.root))
    services.attach_timestamp(root=root, response=response, by=operator(), now=NOW)
    assert queries.verify().is_ok
    assert list(queries.timestamp_faults(authority.certificate)) == []

    without_guards(own_store)
    re_chain(organisation)
    assert {f.kind for f in queries.verify().faults} == {"root_mismatch"}

    # Who can write everything makes the root anew as well: our own check then finds nothing ...
    head = Head.objects.get()
    heads = [[organisation.uscc, head.seq, head.chain_hash]]
    made_anew = root_of(algorithm=root.algorithm, heads=[tuple(h) for h in heads])
    DailyRoot.objects.update(heads=heads, root=made_anew)
    assert queries.verify().is_ok
    # ... and only the timestamp, signed by somebody else, tells.
    assert [f.kind for f in queries.timestamp_faults(authority.certificate)] == ["timestamp_invalid"]


class LocalAuthority:
    """A timestamp authority on this machine, made with openssl; its answers pass `openssl ts -verify`."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "tsa.cnf").write_text(
            "[tsa]\ndefault_tsa = t\n[t]\nserial = serial\ncrypto_device = builtin\nsigner_digest = sha256\n"
            "default_policy = 1.2.3.4.1\ndigests = sha256\naccuracy = secs:1\nordering = yes\n"
            "tsa_name = no\ness_cert_id_chain = no\ness_cert_id_alg = sha256\n"
            "[req]\ndistinguished_name = dn\nprompt = no\n[dn]\nCN = Test TSA\n"
            "[ca]\nbasicConstraints = critical,CA:TRUE\nkeyUsage = critical,keyCertSign\n"
            "subjectKeyIdentifier = hash\n"
            "[ts]\nbasicConstraints = CA:FALSE\nkeyUsage = critical,digitalSignature\n"
            "extendedKeyUsage = critical,timeStamping\nsubjectKeyIdentifier = hash\n"
            "authorityKeyIdentifier = keyid\n"
        )
        (folder / "serial").write_text("01")
        self.run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem",
                 "-days", "3650", "-config", "tsa.cnf", "-extensions", "ca")  # fmt: skip
        self.run(
            "req",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-keyout",
            "ts.key",
            "-out",
            "ts.csr",
            "-config",
            "tsa.cnf",
        )
        self.run("x509", "-req", "-in", "ts.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                 "-out", "ts.pem", "-days", "3650", "-extfile", "tsa.cnf", "-extensions", "ts")  # fmt: skip
        self.certificate = (folder / "ca.pem").read_bytes()

    def run(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)

    def answer(self, request: bytes) -> bytes:
        (self.folder / "r.tsq").write_bytes(request)
        self.run("ts", "-reply", "-queryfile", "r.tsq", "-signer", "ts.pem", "-inkey", "ts.key", "-config",
                 "tsa.cnf", "-section", "t", "-out", "r.tsr")  # fmt: skip
        self.run(
            "ts",
            "-verify",
            "-queryfile",
            "r.tsq",
            "-in",
            "r.tsr",
            "-CAfile",
            "ca.pem",
            "-untrusted",
            "ts.pem",
        )
        return (self.folder / "r.tsr").read_bytes()


def test_every_request_replayed_three_times_counts_once(own_store):
    """L3, over the service: the same drafts three times, in any order."""
    organisation, chance = open_ledger(1), random.Random(3)
    asked = [
        Draft(
            kind=Kind.GENERATION, moved_on=FIRST_DAY, stream_code="F1", store_code="库1", mass=Mass(1 + n),
            client_id=uuid.UUID(int=chance.getrandbits(128)),
        )
        for n in range(40)
    ]  # fmt: skip
    for draft in chance.sample(asked * 3, k=120):
        services.post(organisation=organisation, drafts=[draft], by=operator(), now=NOW)

    assert Movement.objects.count() == 40
    assert sum(Movement.objects.values_list("mass_g", flat=True)) == sum(range(1, 41))
    assert queries.verify().is_ok


def test_without_the_unique_client_id_a_raw_retry_would_count_twice(own_store):
    """The control of L3: what refuses the second row is the constraint, and nothing else."""
    organisation = open_ledger(1)
    draft = Draft(
        kind=Kind.GENERATION, moved_on=FIRST_DAY, stream_code="F1", store_code="库1", mass=Mass(7),
        client_id=uuid.uuid4(),
    )  # fmt: skip
    [made] = services.post(organisation=organisation, drafts=[draft], by=operator(), now=NOW)
    made.pk, made.seq, made.previous_hash = None, 2, made.chain_hash
    with pytest.raises(DatabaseError, match="client_id"):
        Movement.objects.bulk_create([made])
    # The same retry against a table that is alike but for its constraints.
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE loose AS SELECT * FROM ledger_movement")
        cursor.execute("INSERT INTO loose SELECT * FROM ledger_movement")
        cursor.execute("SELECT count(*), sum(mass_g) FROM loose")
        assert cursor.fetchone() == (2, 14)


def test_a_root_of_the_day_is_sealed_once(db, operator):
    assert services.seal_day(by=operator, now=NOW).pk == services.seal_day(by=operator, now=NOW).pk
    assert DailyRoot.objects.get().day == date(2026, 7, 1)
    assert not RootTimestamp.objects.exists()
