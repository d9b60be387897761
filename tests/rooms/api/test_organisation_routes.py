"""Organisations over HTTP: found, read, and changed only by who saw them last."""

import threading
from typing import Any

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from tests.rooms.api.world import Api, build, organisation, token
from wufei.registry.models import AuditEntry


def test_an_organisation_is_told_as_it_stands(world, officer_api):
    assert officer_api.get(world.address()).json() == {
        "uscc": world.mine.uscc, "name": "机密企业甲", "kind": "ENTERPRISE", "kind_label": "企业",
        "industry_code": "", "division_code": "500110", "address": "", "established_on": None, "head": "",
        "contact": "", "phone": "", "fax": "", "email": "", "website": "", "site_area_m2": None,
        "employee_count": None, "version": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("?q=甲", ["机密企业甲"]),
        ("?kind=PARK", ["园区", "别的园区"]),
        ("?division=440000&kind=ENTERPRISE", ["机密企业乙", "称号持有单位"]),
        ("?division=440106", []),
        ("?limit=1&offset=1", ["机密企业乙"]),
        ("?offset=99", []),
    ],
)
def test_organisations_are_found_by_name_kind_and_division(world, query, names):
    told = world.api("administrator").get(f"/organisations{query}").json()
    assert [row["name"] for row in told["organisations"]] == names


def test_a_change_is_kept_with_its_audit_row(world, officer_api):
    said = {"version": 1, "contact": "张三", "site_area_m2": "12000.5", "established_on": "2001-02-03"}
    response = officer_api.ask("PATCH", world.address(), said)
    told = response.json()
    assert response.status_code == 200, told
    assert (told["version"], told["contact"], told["site_area_m2"], told["established_on"]) == (
        2, "张三", "12000.50", "2001-02-03",
    )  # fmt: skip
    entry = AuditEntry.objects.filter(action="registry.change_organisation").get()
    assert (entry.by, entry.organisation) == (world.people["officer"], world.mine)


def test_a_stale_edit_is_refused_and_changes_nothing(world, officer_api):
    officer_api.ask("PATCH", world.address(), {"version": 1, "contact": "张三"})
    stale = officer_api.ask("PATCH", world.address(), {"version": 1, "contact": "李四", "phone": "1"})
    assert (stale.status_code, stale.json()["code"]) == (409, "stale_edit")
    told = officer_api.get(world.address()).json()
    assert (told["contact"], told["phone"], told["version"]) == ("张三", "", 2)


@pytest.mark.parametrize(
    "said",
    [
        {"contact": "没有版本"},
        {"version": 1, "kind": "AUTHORITY"},  # who supervises an organisation is not its own to choose
        {"version": 1, "division_code": "440100"},
        {"version": 1, "name": ""},
        {"version": 1, "name": None},
        {"version": 1, "head": "a\x00"},
        {"version": 1, "employee_count": -1},
        {"version": 1, "employee_count": 2**31},
        {"version": 1, "employee_count": 2**70},
        {"version": 1, "employee_count": True},
        {"version": 1, "site_area_m2": "1.234"},
        {"version": 2**63},
    ],
)
def test_what_can_not_be_so_is_refused(world, officer_api, said):
    assert officer_api.ask("PATCH", world.address(), said).status_code == 422
    assert officer_api.get(world.address()).json()["version"] == 1


def test_of_two_edits_at_the_same_moment_one_is_stale(own_store):
    world = build()
    secret = token(world.people["officer"])
    statuses: list[int] = []
    barrier = threading.Barrier(2)

    def edit(contact: str) -> None:
        caller = Api(secret)
        try:
            barrier.wait()
            response = caller.ask("PATCH", world.address(), {"version": 1, "contact": contact})
            statuses.append(response.status_code)
        finally:
            connections["default"].close()

    threads = [threading.Thread(target=edit, args=(name,)) for name in ("甲", "乙")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, 409]


def test_the_list_takes_as_many_queries_for_a_hundred_as_for_one(world):
    administrator = world.api("administrator")

    def queries() -> Any:
        with CaptureQueriesContext(connection) as seen:
            told = administrator.get("/organisations?limit=200").json()
        return len(seen), told["total"]

    administrator.get("/organisations")
    before, _ = queries()
    for number in range(100, 200):
        organisation(number, f"企业{number}")
    assert queries() == (before, 109)
