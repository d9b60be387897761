"""Manifests over the API: what a program reads, writes, and is refused."""

import uuid
from contextlib import contextmanager

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.rooms.api.world import Api, token
from tests.rooms.transfers import world as worlds
from wufei.registry import queries as registry_queries
from wufei.transfers.models import Manifest


@pytest.fixture
def world(db, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: worlds.NOW)
    return worlds.build()


@contextmanager
def statements(monkeypatch):
    """Count every statement, those past Django's cursor too."""
    past: list[str] = []
    real = registry_queries.asked

    def counted(sql, *parameters):
        past.append(sql)
        return real(sql, *parameters)

    for module in (
        "wufei.registry.queries",
        "wufei.ledger.queries.before_posting",
        "wufei.ledger.services.moving",
    ):
        monkeypatch.setattr(f"{module}.asked", counted)
    with CaptureQueriesContext(connection) as seen:
        yield lambda: [each["sql"] for each in seen.captured_queries] + past


def api(user) -> Api:
    return Api(token(user))


def at(organisation, *more) -> str:
    return "/".join([f"/organisations/{organisation.uscc}/manifests", *more])


def body(world, *codes, **said):
    lines = [{"lot": code, "said": worlds.OF_A_LINE} for code in codes]
    legs = [{"carrier": world.carrier.uscc}]
    return {"receiver": world.receiver.uscc, "said": worlds.SAID, "legs": legs, "lines": lines} | said


def created(world, *codes, **said):
    response = api(world.officer).post(at(world.generator), body(world, *codes, **said))
    assert response.status_code == 201, response.content.decode()
    return response.json()["reference"]


def act(user, organisation, reference, name, **said):
    return api(user).post(at(organisation, reference, "acts"), {"act": name} | said)


def test_the_whole_way_over_the_api(world):
    world.drum("A"), world.drum("B")
    reference = created(world, "A", "B")
    issued = act(world.officer, world.generator, reference, "ISSUE")
    assert issued.status_code == 200, issued.content.decode()
    number = issued.json()["number"]
    assert act(world.driver, world.carrier, number, "LOAD", said=worlds.DRIVE).json()["state"] == "IN_TRANSIT"
    assert act(world.driver, world.carrier, number, "DELIVER").json()["state"] == "DELIVERED"
    seen = api(world.taker).get(at(world.receiver, number)).json()
    assert seen["acts"] == ["ACCEPT", "PARTLY_ACCEPT", "REFUSE"]
    lines = [{"position": p, "received_g": 200_000, "mode": "R9"} for p in (1, 2)]
    done = act(world.taker, world.receiver, number, "ACCEPT", lines=lines, said=worlds.TAKEN)
    assert done.status_code == 200, done.content.decode()
    told = done.json()
    assert (told["state"], told["received_g"], told["acts"]) == ("ACCEPTED", 400_000, [])
    assert [s["act"] for s in told["signatures"]] == ["ISSUE", "LOAD", "DELIVER", "ACCEPT"]


def test_a_refusal_points_at_the_part_of_the_body_that_it_is_about(world):
    world.drum("A")
    good = {"lot": "A", "said": worlds.OF_A_LINE}
    for said, where in (
        ({"lines": [good, {"lot": "没有"}]}, "body.lines.1.lot"),
        ({"lines": [{"lot": "没有"}, good]}, "body.lines.0.lot"),
        ({"lines": [good | {"said": {"packaging": "X"}}]}, "body.lines.0.said.packaging"),
        ({"lines": [{"stream": "F1", "mass_g": 0}]}, "body.lines.0"),
        ({"lines": [{"stream": "F1", "mass_g": 10**14 + 1}]}, "body.lines.0"),
        ({"lines": [good | {"package_count": 0}]}, "body.lines.0.package_count"),
        ({"said": worlds.SAID | {"contact": "长" * 400}}, "body.said.contact"),
        ({"said": worlds.SAID | {"colour": "红"}}, "body.said.colour"),
        ({"receiver": world.generator.uscc}, "body.receiver"),
        (
            {"legs": [{"carrier": world.carrier.uscc, "said": {"plate": "不是车牌" * 30}}]},
            "body.legs.0.said.plate",
        ),
    ):
        answer = api(world.officer).post(at(world.generator), body(world, "A", **said))
        assert answer.status_code in (409, 422), (said, answer.content.decode())
        assert where in [each["where"] for each in answer.json()["details"]], (said, answer.json())
    assert not Manifest.objects.exists()


def test_a_mass_that_no_ledger_takes_is_no_draft(world):
    answer = api(world.officer).post(
        at(world.generator), body(world, lines=[{"stream": "F1", "mass_g": 10**17, "said": worlds.OF_A_LINE}])
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "mass_absurd")


def test_a_period_that_ends_before_it_begins_is_refused(world):
    answer = api(world.officer).get(at(world.generator) + "?from=2026-10-01&to=2026-01-01")
    assert (answer.status_code, answer.json()["details"][0]["code"]) == (422, "period_reversed")


def test_a_paper_transfer_that_was_completed_tomorrow_is_refused(world):
    world.drum("A")
    reference = created(world, "A")
    answer = act(world.officer, world.generator, reference, "ISSUE", paper_completed_on="2026-07-02")
    assert (answer.status_code, answer.json()["code"]) == (422, "paper_day_in_future")
    assert Manifest.objects.get().state == "DRAFT"
    assert (
        act(world.officer, world.generator, reference, "ISSUE", paper_completed_on="2026-07-01").status_code
        == 200
    )


def test_a_manifest_of_three_containers_takes_at_most_fifteen_statements(world, monkeypatch):
    for code in "ABC":
        world.drum(code)
    caller = api(world.officer)
    with statements(monkeypatch) as seen:
        response = caller.post(at(world.generator), body(world, "A", "B", "C"))
    assert response.status_code == 201
    count = [each for each in seen() if not each.startswith(("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT"))]
    assert len(count) <= 15, count


def test_a_list_takes_as_many_statements_for_one_as_for_thirty(world, monkeypatch):
    def look():
        caller = api(world.officer)
        with statements(monkeypatch) as seen:
            response = caller.get(at(world.generator) + "?limit=200")
        rows = response.json()["manifests"]
        assert len({row["uid"] for row in rows}) == len(rows)
        return len(rows), len(seen())

    world.issued()
    one, few = look()
    for _ in range(29):
        world.issued()
    many, as_few = look()
    assert (one, many) == (1, 30)
    assert as_few == few <= 12


def a_thousand(one: Manifest) -> None:
    """Lay down copies of the one with its line and leg, past the services: they are only read."""
    from wufei.transfers.models import Leg, ManifestLine

    line, leg = one.lines.get(), one.legs.get()
    copies = Manifest.objects.bulk_create(
        Manifest(
            waste_class=one.waste_class, state="DRAFT", generator=one.generator, receiver=one.receiver, said=one.said,
            declared_g=one.declared_g, created_at=one.created_at, created_by=one.created_by,
        )
        for _ in range(999)
    )  # fmt: skip
    ManifestLine.objects.bulk_create(
        ManifestLine(
            manifest=copy, position=1, stream=line.stream, waste_code=line.waste_code, declared_g=line.declared_g,
            waste_category=line.waste_category, waste_name=line.waste_name, said=line.said,
        )
        for copy in copies
    )  # fmt: skip
    Leg.objects.bulk_create(Leg(manifest=copy, position=1, carrier=leg.carrier) for copy in copies)


def test_a_thousand_are_listed_by_the_same_statements_as_one_and_each_once(world, monkeypatch):
    one, caller = world.issued(), api(world.officer)

    def look(query: str):
        with statements(monkeypatch) as seen:
            told = caller.get(at(world.generator) + query).json()
        return told, len(seen())

    _told, few = look("?limit=200")
    a_thousand(one)
    found, cursor = [], ""
    while cursor is not None:
        told, count = look(f"?limit=200{cursor}")
        assert count == few
        found += [row["uid"] for row in told["manifests"]]
        cursor = told["next"] and f"&cursor={told['next']}"
    assert len(found) == len(set(found)) == 1_000


def test_pages_follow_one_another(world):
    for _ in range(5):
        world.issued()
    found, cursor = [], ""
    while True:
        told = api(world.officer).get(at(world.generator) + f"?limit=2{cursor}").json()
        found += [row["number"] for row in told["manifests"]]
        if told["next"] is None:
            break
        cursor = f"&cursor={told['next']}"
    assert found == [f"20265001{n:06}" for n in (5, 4, 3, 2, 1)]


@pytest.mark.parametrize(
    ("query", "count"),
    [("?state=ISSUED", 1), ("?state=DRAFT", 1), ("?role=CARRIER", 0), ("?role=GENERATOR", 2), ("?q=涪陵油品", 2),
     ("?q=D001", 1), ("?q=没有", 0), ("?from=2026-07-01&to=2026-07-01", 1), ("?overdue=true", 0)],
)  # fmt: skip
def test_what_is_asked_for(world, query, count):
    world.draft(), world.issued()
    assert len(api(world.officer).get(at(world.generator) + query).json()["manifests"]) == count


def test_a_number_that_exists_is_409_and_one_that_is_none_is_422(world):
    world.issued()
    world.drum("A")
    reference = created(world, "A")
    taken = act(world.officer, world.generator, reference, "ISSUE", number="20265001000001")
    assert (taken.status_code, taken.json()["code"]) == (409, "number_taken")
    none = act(world.officer, world.generator, reference, "ISSUE", number="1")
    assert (none.status_code, none.json()["code"]) == (422, "number_malformed")


@pytest.mark.parametrize("mass", [0, -1])
def test_a_quantity_at_or_below_zero_is_refused(world, mass):
    said = body(world, lines=[{"stream": "F1", "mass_g": mass}])
    response = api(world.officer).post(at(world.generator), said)
    assert (response.status_code, response.json()["code"]) == (422, "mass_not_positive")
    assert not Manifest.objects.exists()


def test_an_edit_from_an_old_version_is_409_and_a_line_left_out_is_gone(world):
    world.drum("A"), world.drum("B")
    reference = created(world, "A", "B")
    caller, address = api(world.officer), at(world.generator, reference)
    edited = caller.ask("PUT", address, body(world, "B") | {"version": 1})
    assert [line["lot"] for line in edited.json()["lines"]] == ["B"]
    stale = caller.ask("PUT", address, body(world, "A") | {"version": 1})
    assert (stale.status_code, stale.json()["code"]) == (409, "stale_edit")


def test_who_is_no_party_can_neither_read_nor_write(world):
    manifest = world.issued()
    other = worlds.organisation(60, "路人", "ENTERPRISE")
    stranger = api(worlds.person("ENVIRONMENT_OFFICER", other, "路人"))
    for address in (at(other, manifest.number), at(world.generator, manifest.number)):
        assert stranger.get(address).status_code == 404
        assert stranger.ask("PUT", address, body(world) | {"version": 1}).status_code == 404
        assert stranger.post(address + "/acts", {"act": "CANCEL", "words": "x"}).status_code == 404
        revision = {"changes": [{"part": "manifest", "field": "contact", "to": "某"}], "reason": "x"}
        assert stranger.post(address + "/revisions", revision).status_code == 404
        assert stranger.post(address + "/revisions/1/answer", {"agrees": True}).status_code == 404
        assert stranger.post(address + "/discrepancies/1/settle", {"reason": "x"}).status_code == 404
    assert world.state(manifest) == "ISSUED"


def test_a_draft_is_not_there_for_those_it_names(world):
    reference = str(world.draft().uid)
    assert api(world.officer).get(at(world.generator, reference)).status_code == 200
    for user, of in ((world.taker, world.receiver), (world.driver, world.carrier)):
        assert api(user).get(at(of, reference)).status_code == 404
        assert api(user).get(at(of)).json()["manifests"] == []


def test_the_wrong_party_is_403_and_nothing_is_done(world):
    manifest = world.issued()
    response = act(world.taker, world.receiver, manifest.number, "LOAD", said=worlds.DRIVE)
    assert (response.status_code, response.json()["code"]) == (403, "wrong_party")
    assert "顺达运输" in response.json()["details"][0]["message"]
    assert world.state(manifest) == "ISSUED"


def test_a_load_of_many_manifests_is_weighed_once(world):
    rows = [world.delivered().number for _ in range(3)]
    said = {"manifests": rows, "mass_g": 600_001, "mode": "R9", "said": worlds.TAKEN}
    world.later(hours=1)
    path = f"/organisations/{world.receiver.uscc}/weighed-loads"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.utils.timezone.now", lambda: world.now)
        told = api(world.taker).post(path, said)
    assert told.status_code == 200, told.content.decode()
    assert [row["received_g"] for row in told.json()["manifests"]] == [200_001, 200_000, 200_000]
    assert [share["share_g"] for share in told.json()["shares"]] == [200_001, 200_000, 200_000]
    listed = api(world.taker).get(path).json()
    assert [(row["received_g"], row["count"]) for row in listed["loads"]] == [(600_001, 3)]
    one = f"{path}/{listed['loads'][0]['id']}"
    assert api(world.taker).get(one).json() == told.json()
    other = f"/organisations/{world.generator.uscc}/weighed-loads"
    assert api(world.officer).get(other).json() == {"total": 0, "loads": []}
    assert api(world.officer).get(f"{other}/{listed['loads'][0]['id']}").status_code == 404
    for wrong in (0, -1):
        refused = api(world.taker).post(path, said | {"mass_g": wrong})
        assert (refused.status_code, refused.json()["code"]) == (422, "mass_not_positive")


def test_revision_and_discrepancy_over_the_api(world, monkeypatch):
    manifest = world.receive(world.delivered(), "100")
    monkeypatch.setattr("django.utils.timezone.now", lambda: world.now)
    address = at(world.generator, manifest.number)
    change = {"part": "manifest", "field": "contact_phone", "to": "023-48609999"}
    told = api(world.officer).post(address + "/revisions", {"changes": [change], "reason": "写错"})
    assert told.status_code == 201, told.content.decode()
    [revision], [task] = told.json()["revisions"], told.json()["discrepancies"]
    answer = at(world.receiver, manifest.number, "revisions", str(revision["id"]), "answer")
    agreed = api(world.taker).post(answer, {"agrees": True})
    assert agreed.json()["said"]["contact_phone"] == "023-48609999"
    settled = api(world.officer).post(f"{address}/discrepancies/{task['id']}/settle", {"reason": "蒸发"})
    assert settled.json()["discrepancies"][0]["reason"] == "蒸发"
    again = api(world.officer).post(f"{address}/discrepancies/{task['id']}/settle", {"reason": "蒸发"})
    assert (again.status_code, again.json()["code"]) == (409, "already_settled")
    for path in ("revisions/999999/answer", "discrepancies/999999/settle"):
        said = {"agrees": None} if "answer" in path else {"reason": "x"}
        assert api(world.officer).post(f"{address}/{path}", said).status_code == 404


def test_a_mass_is_corrected_over_the_api_in_grams(world, monkeypatch):
    manifest = world.receive(world.delivered(), "170")
    monkeypatch.setattr("django.utils.timezone.now", lambda: world.now)
    change = {"part": "line", "position": 1, "field": "received_g", "to": 2_000_000}
    said = {"changes": [change], "reason": "磅单抄错"}
    address = at(world.receiver, manifest.number, "revisions")
    refused = api(world.taker).post(address, said)
    assert (refused.status_code, refused.json()["code"]) == (409, "weight_implausible")
    change["to"] = 180_000
    told = api(world.taker).post(address, said)
    assert told.status_code == 201, told.content.decode()
    [revision] = told.json()["revisions"]
    answer = at(world.generator, manifest.number, "revisions", str(revision["id"]), "answer")
    agreed = api(world.officer).post(answer, {"agrees": True}).json()
    assert (agreed["received_g"], agreed["lines"][0]["received_g"]) == (180_000, 180_000)
    assert world.received.holds("接收库").grams == 180_000
    for wrong in (0, -1, 10**18, "180000", None):
        change["to"] = wrong
        assert api(world.taker).post(address, said).status_code == 422, wrong


def test_a_retry_signs_once(world):
    manifest, key = world.issued(), uuid.uuid4().hex
    caller, address = api(world.driver), at(world.carrier, manifest.number, "acts")
    first = caller.post(address, {"act": "LOAD", "said": worlds.DRIVE}, key=key)
    again = caller.post(address, {"act": "LOAD", "said": worlds.DRIVE}, key=key)
    assert (first.status_code, again.status_code) == (200, 200)
    assert again["Idempotent-Replay"] == "true"


def test_the_table_of_fields_is_told_as_it_is(world):
    from wufei.transfers.fields import FIELDS

    told = api(world.officer).get("/manifest-fields").json()["fields"]
    assert [row["name"] for row in told] == [each.name for each in FIELDS]


@pytest.mark.parametrize("amount", ["1,5", "1.5.0", "-1", "一吨", "1e3"])
def test_an_amount_that_is_no_number_is_refused(world, amount):
    said = body(world, lines=[{"stream": "F1", "amount": amount, "unit": "吨"}])
    response = api(world.officer).post(at(world.generator), said)
    assert (response.status_code, response.json()["code"]) == (422, "request_malformed")
