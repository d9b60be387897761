"""Whatever goes wrong is said in one shape; the document and its page describe what there is."""

import json
from collections import Counter
from collections.abc import Iterator
from enum import Enum
from typing import Any, get_args

import pytest
from django.test import Client

from tests.rooms.api.test_access import routes
from tests.rooms.api.world import ROOT, generation
from wufei.registry.api import door
from wufei.registry.api.fields import Answered, Asked
from wufei.web import api as web_api


def is_error(response: Any, status: int, code: str) -> None:
    assert response.status_code == status, response.content.decode()
    told = response.json()
    assert sorted(told) == ["code", "details", "message"]
    assert told["code"] == code
    assert told["message"].endswith("。")
    assert not told["message"].isascii()


def test_an_unknown_address_is_404_in_json(world):
    for path in ("/", "/nothing", "/organisations/a/b/c"):
        is_error(Client().get(ROOT + path), 404, "route_unknown")
        is_error(Client(enforce_csrf_checks=True).post(ROOT + path), 404, "route_unknown")


def test_a_method_that_the_address_does_not_take_is_405(world, officer_api):
    response = officer_api.ask("DELETE", world.address())
    is_error(response, 405, "method_unknown")
    assert sorted(response["Allow"].split(", ")) == ["GET", "PATCH"]


def test_nobody_is_401_and_told_how_to_come_in(world):
    response = Client().get(f"{ROOT}/organisations")
    is_error(response, 401, "not_authenticated")
    assert response["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("header", ["Basic abc", "Bearer", "Bearer ", "wufei_x", "Bearer \xff"])
def test_a_bad_header_is_401_even_beside_a_good_session(world, header):
    client = Client()
    client.force_login(world.people["officer"], backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(f"{ROOT}/organisations").status_code == 200
    is_error(client.get(f"{ROOT}/organisations", headers={"Authorization": header}), 401, "not_authenticated")


def test_a_signed_in_browser_reads_and_writes_with_its_csrf_token_only(world):
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.people["officer"], backend="django.contrib.auth.backends.ModelBackend")
    path = f"{ROOT}{world.address('/movements')}"
    body = json.dumps({"movements": [generation()]})
    said = {"data": body, "content_type": "application/json"}
    assert client.get(path).status_code == 200
    is_error(client.post(path, **said, headers={"Idempotency-Key": "k"}), 403, "csrf_failed")
    client.cookies["csrftoken"] = "a" * 32
    headers = {"Idempotency-Key": "k", "X-CSRFToken": "a" * 32}
    assert client.post(path, **said, headers=headers).status_code == 201


def test_a_session_without_its_second_factor_is_nobody(world):
    from django_otp.plugins.otp_totp.models import TOTPDevice

    officer = world.people["officer"]
    client = Client()
    client.force_login(officer, backend="django.contrib.auth.backends.ModelBackend")
    TOTPDevice.objects.create(user=officer, name="totp", confirmed=True)
    is_error(client.get(f"{ROOT}/organisations"), 401, "not_authenticated")
    assert world.api("officer").get("/organisations").status_code == 200  # a token is for machines


def test_a_body_that_is_no_json_is_400(world, officer_api):
    for body in ("{", b"\xff\xfe", "[" * 100_000, "1" * 10_000):
        response = officer_api.ask("POST", world.address("/movements"), body)
        assert response.status_code in (400, 422), response.content
    is_error(officer_api.ask("POST", world.address("/movements"), "{"), 400, "not_readable")


def test_a_body_that_is_too_large_is_413(world, officer_api):
    body = json.dumps({"movements": [], "x": "a" * web_api.MAX_BODY_BYTES})
    is_error(officer_api.ask("POST", world.address("/movements"), body), 413, "body_too_large")
    lying = officer_api.client.post(
        f"{ROOT}{world.address('/movements')}", "{}", content_type="application/json",
        headers={"Authorization": f"Bearer {officer_api.secret}", "Idempotency-Key": "k"},
        CONTENT_LENGTH="many",
    )  # fmt: skip
    assert lying.status_code == 400


def test_another_media_type_is_415(world, officer_api):
    response = officer_api.client.post(
        f"{ROOT}{world.address('/movements')}", "{}", content_type="text/plain",
        headers={"Authorization": f"Bearer {officer_api.secret}", "Idempotency-Key": "k"},
    )  # fmt: skip
    is_error(response, 415, "media_type_wrong")


def test_an_upload_that_is_cut_off_is_refused(world, officer_api):
    response = officer_api.client.generic(
        "POST", f"{ROOT}{world.address(f'/cases/{world.case.pk}/evidence')}", b"--x\r\nContent-Dispo",
        content_type="multipart/form-data; boundary=", headers={
            "Authorization": f"Bearer {officer_api.secret}", "Idempotency-Key": "k",
        },
    )  # fmt: skip
    is_error(response, 400, "not_readable")


def test_a_program_gone_wild_is_stopped_for_a_while(world, officer_api, monkeypatch):
    monkeypatch.setattr(door, "REQUESTS_PER_MINUTE", 2)
    statuses = [officer_api.get("/editions") for _ in range(6)]
    stopped = statuses[-1]
    is_error(stopped, 429, "too_many_requests")
    assert 0 < int(stopped["Retry-After"]) <= 60


def test_the_document_names_every_status_of_every_route():
    schema = routes()
    for route, said in schema.items():
        statuses = {int(status) for status in said["responses"]}
        assert {400, 401, 403, 422, 429} < statuses, route
        if not route.startswith("GET"):
            assert {409, 413, 415} < statuses, route
        if "{" in route:
            assert 404 in statuses, route
        for status, answer in said["responses"].items():
            if int(status) >= 400:
                name = answer["content"]["application/json"]["schema"]["$ref"]
                assert name == "#/components/schemas/Error", route
        assert not said["summary"].isascii(), route


def test_the_document_and_its_page_are_open_and_load_nothing_from_elsewhere(world):
    document = Client().get(f"{ROOT}/openapi.json")
    assert (document.status_code, document.json()["openapi"][:2]) == (200, "3.")
    page = Client().get(f"{ROOT}/docs")
    text = page.content.decode()
    assert page.status_code == 200
    assert "<script" not in text
    assert "http" not in text.replace(str(document.json()["info"]), "")
    for said in routes().values():
        assert f'id="{said["operationId"]}"' in text


def test_the_reference_page_lists_every_route_and_scope():
    from pathlib import Path

    text = (Path(__file__).parents[3] / "docs/reference/api.md").read_text()
    for route, said in routes().items():
        method, path = route.split(" ")
        assert f"| `{method}` | `{path}` | `{said['x-scope']}` |" in text, route


def test_no_two_shapes_of_the_document_bear_one_name():
    """The later one would silently stand for both."""

    def below(shape: type) -> Iterator[type]:
        for each in shape.__subclasses__():
            yield each
            yield from below(each)

    def choices(said: Any) -> Iterator[type]:
        if isinstance(said, type) and issubclass(said, Enum):
            yield said
        for each in get_args(said):
            yield from choices(each)

    shapes = [each for shape in (Answered, Asked) for each in below(shape)]
    fields = [field.annotation for shape in shapes for field in shape.model_fields.values()]
    named = {*shapes, *(each for said in fields for each in choices(said))}
    names = Counter(each.__name__ for each in named)
    assert [name for name, number in names.items() if number > 1] == []
