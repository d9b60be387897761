"""A new name, a successor, an end: what an organisation's past was stays its past."""

from datetime import date

import pytest

from tests.conftest import NOW
from wufei.registry import queries
from wufei.registry.models import AuditEntry, Organisation, Succession
from wufei.registry.queries import NotPermitted
from wufei.registry.services import StaleEdit, successions
from wufei.registry.services.successions import (
    SuccessionRefused,
    close_organisation,
    record_succession,
    rename_organisation,
)

ON = date(2026, 3, 10)


def renamed(organisation, by, name="新名称有限公司", on=ON, **said):
    return rename_organisation(
        organisation=organisation, name=name, on=on, document="变更通知书", by=by, now=NOW, **said
    )


def succeeded(before, after, by, kind="MERGER", on=ON):
    return record_succession(
        predecessor=before, successor=after, kind=kind, on=on, document="合并协议", by=by, now=NOW
    )


@pytest.fixture(autouse=True)
def _on_the_first_of_july(monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


@pytest.fixture
def district(make_user, authority):
    return make_user("AUTHORITY_OFFICER", authority)


def test_a_new_name_keeps_the_code_and_the_former_name_on_record(organisation, district):
    uscc, former = organisation.uscc, organisation.name

    row = renamed(organisation, district)

    organisation.refresh_from_db()
    assert (organisation.uscc, organisation.name, organisation.version) == (uscc, "新名称有限公司", 2)
    assert (row.kind, row.former_name, row.predecessor, row.successor) == (
        "RENAME", former, organisation, organisation,
    )  # fmt: skip
    assert AuditEntry.objects.get().action == "registry.rename_organisation"


@pytest.mark.parametrize("said", ["测试企业1", "新名称", "第二次"])
def test_an_organisation_is_found_by_every_name_that_it_had(organisation, make_organisation, district, said):
    make_organisation("别家")
    renamed(organisation, district)
    renamed(organisation, district, name="第二次更名公司", on=date(2026, 4, 1))

    found = queries.found_organisations(among=Organisation.objects.all(), text=said)

    assert list(found) == [organisation]


def test_the_name_of_a_day_is_the_one_that_held_on_it(organisation, district):
    former = organisation.name
    renamed(organisation, district)
    renamed(organisation, district, name="第二次更名公司", on=date(2026, 4, 1))
    organisation.refresh_from_db()

    names = [
        queries.name_on(organisation=organisation, day=day)
        for day in (date(2026, 3, 9), ON, date(2026, 3, 31), date(2026, 4, 1), date(2030, 1, 1))
    ]

    assert names == [former, "新名称有限公司", "新名称有限公司", "第二次更名公司", "第二次更名公司"]


@pytest.mark.parametrize(
    ("name", "on", "code"),
    [
        ("  ", ON, "name_missing"),
        ("测试企业1", ON, "name_same"),
        ("新名", date(2026, 7, 2), "day_ahead"),
        ("新名", date(2009, 12, 31), "before_founding"),
    ],
)
def test_an_impossible_new_name_is_refused(make_organisation, district, name, on, code):
    organisation = make_organisation("测试企业1", established_on=date(2010, 1, 1))

    with pytest.raises(SuccessionRefused) as refused:
        renamed(organisation, district, name=name, on=on)

    assert (refused.value.code, Succession.objects.count()) == (code, 0)


def test_a_new_name_comes_after_the_last_one(organisation, district):
    renamed(organisation, district)

    with pytest.raises(SuccessionRefused) as refused:
        renamed(organisation, district, name="更早的名称")

    assert refused.value.code == "before_last_change"


def test_who_began_from_an_older_version_is_told_what_stands(organisation, district):
    renamed(organisation, district, version=1)

    with pytest.raises(StaleEdit):
        renamed(organisation, district, name="别的名称", on=date(2026, 4, 1), version=1)


def test_a_new_name_is_recorded_by_its_authority_or_an_administrator_and_nobody_else(
    organisation, make_organisation, make_user, officer, district, administrator
):
    park = make_user("PARK_OFFICER", make_organisation("园区", kind="PARK"))
    far = make_user(
        "AUTHORITY_OFFICER", make_organisation("外省局", kind="AUTHORITY", division_code="440000")
    )
    for by in (officer, park, far):
        with pytest.raises(NotPermitted):
            renamed(organisation, by)
        with pytest.raises(NotPermitted):
            close_organisation(organisation=organisation, on=ON, by=by, now=NOW)

    renamed(organisation, district)
    renamed(organisation, administrator, name="再次更名", on=date(2026, 4, 1))
    assert Succession.objects.count() == 2


def test_a_successor_has_the_lineage_of_all_that_it_came_from(organisation, make_organisation, district):
    second, third = make_organisation(), make_organisation()
    succeeded(organisation, second, district)
    succeeded(second, third, district, kind="REFOUNDED", on=date(2026, 4, 1))

    assert queries.lineage_of(organisation=third) == {organisation.pk, second.pk, third.pk}
    assert queries.lineage_of(organisation=organisation) == {organisation.pk}


def test_a_lineage_never_goes_in_a_circle(organisation, make_organisation, district):
    second = make_organisation()
    succeeded(organisation, second, district)

    for before, after in ((second, organisation), (organisation, organisation)):
        with pytest.raises(SuccessionRefused) as refused:
            succeeded(before, after, district)
        assert refused.value.code == "goes_in_a_circle"


def test_the_same_succession_is_recorded_once(organisation, make_organisation, district):
    second = make_organisation()
    succeeded(organisation, second, district)

    with pytest.raises(SuccessionRefused) as refused:
        succeeded(organisation, second, district)

    assert (refused.value.code, Succession.objects.count()) == ("recorded_already", 1)


def test_an_authority_puts_no_past_on_those_it_does_not_supervise(organisation, another, district):
    with pytest.raises(NotPermitted):
        succeeded(organisation, another, district)

    assert not Succession.objects.exists()


def test_a_closed_organisation_keeps_what_it_had(organisation, ledger, district):
    ledger.stores(库1=None)
    ledger.streams("F1")
    ledger.post("2025-01-01 F1 产生 2 吨 库1 -")

    closed = close_organisation(organisation=organisation, on=ON, by=district, now=NOW)

    assert closed.closed_on == ON
    visible = queries.visible_organisations(user=ledger.by, on=ON)
    assert organisation in visible
    with pytest.raises(SuccessionRefused) as refused:
        close_organisation(organisation=organisation, on=ON, by=district, now=NOW)
    assert refused.value.code == "closed_already"


# ---- pages


def test_the_page_of_the_history_shows_former_names_and_whom_it_goes_on_in(
    client_of, organisation, make_organisation, district
):
    former = organisation.name
    renamed(organisation, district)
    successor = make_organisation("承继公司")
    succeeded(organisation, successor, district, on=date(2026, 4, 1))

    page = client_of(district).get(f"/o/{organisation.uscc}/history/").content.decode()

    assert former in page
    assert "承继公司" in page
    assert f"/o/{successor.uscc}/history/" in page


def test_the_page_names_a_successor_without_a_link_where_the_reader_may_not_see_it(
    client_of, organisation, another, administrator, officer
):
    succeeded(organisation, another, administrator)

    page = client_of(officer).get(f"/o/{organisation.uscc}/history/").content.decode()

    assert another.name in page
    assert another.uscc not in page
    assert "登记更名" not in page


def test_the_page_of_the_history_asks_the_same_number_of_queries(
    client_of,
    organisation,
    make_organisation,
    district,
):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client = client_of(district)
    counts = []
    for number in range(1, 5):
        succeeded(organisation, make_organisation(), district)
        if number in (1, 4):
            with CaptureQueriesContext(connection) as asked:
                client.get(f"/o/{organisation.uscc}/history/")
            counts.append(len(asked))
    assert counts[0] == counts[1]


def test_a_new_name_is_entered_on_the_page(client_of, organisation, district):
    client = client_of(district)
    address = f"/o/{organisation.uscc}/history/rename/"
    said = {"name": "新名称有限公司", "on": "2026-03-10", "document": "变更通知书", "version": 1}

    refused = client.post(address, said | {"name": organisation.name})
    accepted = client.post(address, said)
    stale = client.post(address, said | {"name": "又一名称", "on": "2026-04-10"})

    assert refused.status_code == 422
    assert "新名称与现名称相同" in refused.content.decode()
    assert (accepted.status_code, accepted["Location"]) == (302, f"/o/{organisation.uscc}/history/")
    assert stale.status_code == 409
    assert "现名称为“新名称有限公司”" in stale.content.decode()


def test_a_successor_and_an_end_are_entered_on_the_page(
    client_of, organisation, make_organisation, another, district
):
    client = client_of(district)
    successor = make_organisation("承继公司")
    said = {"uscc": successor.uscc, "kind": "REFOUNDED", "on": "2026-03-10", "document": "公告"}

    unknown = client.post(f"/o/{organisation.uscc}/history/successor/", said | {"uscc": another.uscc})
    accepted = client.post(f"/o/{organisation.uscc}/history/successor/", said)
    closed = client.post(f"/o/{organisation.uscc}/history/close/", {"on": "2026-03-10"})

    assert unknown.status_code == 422
    assert "没有这个单位" in unknown.content.decode()
    assert (accepted.status_code, closed.status_code) == (302, 302)
    assert Succession.objects.get().successor == successor
    organisation.refresh_from_db()
    assert organisation.closed_on == ON


def test_every_refusal_has_words():
    import re
    from pathlib import Path

    from wufei.registry.forms import SUCCESSION_REFUSALS

    codes = set(re.findall(r'SuccessionRefused\("(\w+)"\)', Path(successions.__file__).read_text()))
    assert codes == set(SUCCESSION_REFUSALS)
