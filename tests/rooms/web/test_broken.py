"""What a person and a program are told while the database is away, and where a page itself is at fault."""

from unittest import mock

import pytest
from django.db import InterfaceError, OperationalError
from django.test import Client

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
AWAY = "django.db.backends.utils.CursorWrapper.execute"


@pytest.fixture
def asking() -> Client:
    return Client(raise_request_exception=False)


@pytest.mark.parametrize("why", [OperationalError("server closed the connection"), InterfaceError("closed")])
def test_while_the_database_is_away_a_person_and_a_program_are_told_to_ask_again(asking, why):
    with mock.patch(AWAY, side_effect=why):
        page = asking.get("/public/notices/")
        answer = asking.get("/api/v1/organisations", headers={"authorization": "Bearer x"})
    assert (page.status_code, page["Retry-After"]) == (503, "5")
    assert "数据库暂时不可用" in page.content.decode()
    assert (answer.status_code, answer["Retry-After"], answer.json()["code"]) == (503, "5", "database_away")
    assert asking.get("/public/notices/").status_code == 200


def test_a_fault_of_our_own_is_no_invitation_to_ask_again(asking):
    with mock.patch(AWAY, side_effect=ZeroDivisionError):
        page = asking.get("/public/notices/")
        answer = asking.get("/api/v1/organisations", headers={"authorization": "Bearer x"})
    assert (page.status_code, page.has_header("Retry-After")) == (500, False)
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "没有保存" in page.content.decode()
    assert "没有保存" in answer.json()["message"]
