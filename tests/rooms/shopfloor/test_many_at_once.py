"""The same reading over many connections at the same moment, on both engines, really committed."""

import threading
from datetime import date

from django.db import connection

from tests.rooms.shopfloor.conftest import Voice
from tests.tables import LedgerTable
from wufei.ledger.models import Movement
from wufei.registry.models import Organisation, RoleAssignment, User
from wufei.shopfloor import services
from wufei.shopfloor.models import Reading, ReadingUse
from wufei.terms.mass import Mass


def test_one_reading_from_eight_connections_at_once_is_kept_and_posted_once(own_store, now):
    organisation = Organisation.objects.create(
        uscc="91500110MA5U00001P", name="甲厂", kind="ENTERPRISE", division_code="500110", created_at=now
    )
    officer = User.objects.create_user("officer", password="a-long-pass-phrase-1")
    RoleAssignment.objects.create(user=officer, organisation=organisation, role="ENVIRONMENT_OFFICER")
    table = LedgerTable(organisation=organisation, by=officer, now=now)
    table.stores(库1=None)
    table.streams("W1")
    scale, _ = services.register_scale(
        organisation=organisation, name="秤", store="库1", capacity=Mass(60_000), division=Mass(10),
        calibrated_until=date(2026, 12, 31), stream="W1", by=officer, now=now,
    )  # fmt: skip
    voice = Voice(scale, now)
    messages = [voice.signed(voice.said(1000 * n, sequence=n)) for n in (1, 2, 3)]
    answers: list[int | None] = []

    def send() -> None:
        try:
            answers.extend(services.receive(body=body, now=now).movement for body in messages)
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert sorted(answers) == [1] * 8 + [2] * 8 + [3] * 8
    assert Reading.objects.count() == ReadingUse.objects.count() == Movement.objects.count() == 3
