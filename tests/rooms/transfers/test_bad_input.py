"""What goes wrong on the shop floor and on the road, by page and API: refused or flagged, and nothing half-done."""

from datetime import date

import pytest
from django.test import Client
from django.urls import reverse

from tests.rooms.api.world import Api, token
from tests.rooms.transfers import world as worlds
from tests.rooms.transfers.test_many_at_once import at_once
from wufei.ledger.models import Movement
from wufei.registry.models import OperatingPermit
from wufei.terms.mass import Mass
from wufei.transfers import queries
from wufei.transfers.models import Flag, Manifest, Revision, Signature


@pytest.fixture
def world(db, monkeypatch):
    made = worlds.build()
    monkeypatch.setattr("django.utils.timezone.now", lambda: made.now)
    return made


def api(user) -> Api:
    return Api(token(user))


def client(user) -> Client:
    made = Client()
    made.force_login(user)
    return made


def address(organisation, *more) -> str:
    return "/".join([f"/organisations/{organisation.uscc}/manifests", *map(str, more)])


def page(route, organisation, **said) -> str:
    return reverse(f"transfers:{route}", kwargs={"uscc": organisation.uscc, **said})


def acting(organisation, reference, act) -> str:
    return page("act-on-manifest", organisation, reference=reference, act=act)


def ids(**said):
    return {"client_id": str(worlds.new_id()), **said}


def body(world, *codes, **said):
    lines = [{"lot": code, "said": worlds.OF_A_LINE} for code in codes]
    legs = [{"carrier": world.carrier.uscc}]
    return {"receiver": world.receiver.uscc, "said": worlds.SAID, "legs": legs, "lines": lines} | said


def draft_form(world, **said):
    return {
        "receiver": world.receiver.uscc, "carrier1": world.carrier.uscc, "version": "0", "uid": str(worlds.new_id()),
        "lines": "0", "scanned": "", **worlds.SAID, **said,
    }  # fmt: skip


def taken(kilograms: str) -> dict[str, str]:
    tonnes = str(Mass.of(kilograms, "千克").tonnes)
    return {**worlds.TAKEN, "line1-received": tonnes, "line1-mode": "R9", "line1-count": "1"}


# --- at the same moment, on both databases


@pytest.fixture
def standing(own_store, monkeypatch):
    made = worlds.build()
    monkeypatch.setattr("django.utils.timezone.now", lambda: made.now)
    return made


def test_forty_drafts_made_at_the_same_moment_over_the_api_are_forty(standing):
    standing.ledger.post("2026-06-20 F2 产生 1 吨 危废库 -")
    said = body(standing, lines=[{"stream": "F2", "mass_g": 1_000, "said": worlds.OF_A_LINE}])
    caller = token(standing.officer)
    codes = at_once(
        [lambda: Api(caller).post(address(standing.generator), said).status_code for _ in range(40)]
    )
    assert codes == [201] * 40
    assert Manifest.objects.count() == len(set(Manifest.objects.values_list("uid", flat=True))) == 40


def test_a_container_issued_from_two_phones_at_the_same_moment_leaves_once(standing):
    standing.drum("X")
    drafts, caller = [standing.draft("X"), standing.draft("X")], token(standing.officer)
    told = at_once(
        [
            lambda each=each: Api(caller).post(
                address(standing.generator, each.uid, "acts"), {"act": "ISSUE"}
            )
            for each in drafts
        ]
    )
    assert sorted(answer.status_code for answer in told) == [200, 409]
    [refused] = [answer.json() for answer in told if answer.status_code == 409]
    assert refused["code"] == "lot_on_another_manifest"
    assert sorted(standing.state(each) for each in drafts) == ["DRAFT", "ISSUED"]
    assert standing.used_g() == 200_000


def test_a_load_signed_on_two_phones_at_the_same_moment_leaves_the_store_once(standing):
    manifest, caller = standing.issued(), token(standing.driver)
    to = address(standing.carrier, manifest.number, "acts")
    told = at_once([lambda: Api(caller).post(to, {"act": "LOAD", "said": worlds.DRIVE}).status_code] * 2)
    assert sorted(told) == [200, 409]
    assert Signature.objects.filter(act="LOAD").count() == 1
    assert standing.ledger.holds("危废库") == Mass(0)


# --- one after the other


def test_a_weight_ten_times_the_senders_is_asked_again_by_page_and_api(world):
    manifest = world.delivered()
    world.later(hours=1)
    lines = [{"position": 1, "received_g": 2_000_000, "mode": "R9"}]
    to = address(world.receiver, manifest.number, "acts")
    said = {"act": "ACCEPT", "lines": lines, "said": worlds.TAKEN}
    refused = api(world.taker).post(to, said)
    assert (refused.status_code, refused.json()["code"]) == (409, "weight_implausible")
    assert "移出 0.2" in refused.json()["details"][0]["message"]
    on_page = client(world.taker).post(
        acting(world.receiver, manifest.number, "accept"), ids(**taken("2000"))
    )
    assert (on_page.status_code, "请复磅后确认" in on_page.content.decode()) == (422, True)
    assert (world.state(manifest), world.received.holds("接收库")) == ("DELIVERED", Mass(0))
    done = client(world.taker).post(
        acting(world.receiver, manifest.number, "accept"), ids(**taken("2000"), is_reweighed="on")
    )
    assert done.status_code == 302
    told = api(world.officer).get(address(world.generator, manifest.number)).json()
    assert "weight_ten_times" in [flag["code"] for flag in told["flags"]]
    assert [each["found"] for each in told["discrepancies"]] == [2_000_000]


@pytest.mark.parametrize("act", ["issue", "cancel", "load", "deliver", "accept", "refuse", "take-back"])
def test_what_the_wrong_party_signs_is_refused_on_the_page_and_nothing_is_done(world, act):
    """Whoever's turn it is, the receiver's officer signs what is not its own, the generator's the rest."""
    manifest = world.loaded() if act in ("deliver", "accept", "refuse") else world.issued()
    whose = {"accept": world.generator, "refuse": world.generator}.get(act, world.receiver)
    person = world.officer if whose == world.generator else world.taker
    said = ids(**worlds.DRIVE, vehicle_permit="1", reason="车未到", words="", **taken("200"))
    before = (world.state(manifest), Signature.objects.count(), Movement.objects.count())
    response = client(person).post(acting(whose, manifest.number, act), said)
    assert response.status_code == 422
    assert (world.state(manifest), Signature.objects.count(), Movement.objects.count()) == before


def test_a_permit_that_lapses_on_the_road_is_flagged_by_page_and_api_and_the_waste_is_received(world):
    manifest = world.loaded()
    OperatingPermit.objects.filter(pk=world.permit.pk).update(valid_through=date(2026, 7, 1))
    world.later(days=1)
    driver, taker = client(world.driver), client(world.taker)
    assert driver.post(acting(world.carrier, manifest.number, "deliver"), ids(words="")).status_code == 302
    world.later(hours=1)
    done = taker.post(acting(world.receiver, manifest.number, "accept"), ids(**taken("200")))
    assert done.status_code == 302, done.content.decode()
    assert "经营许可证在运输途中到期" in client(world.officer).get(
        page("manifest", world.generator, reference=manifest.number)
    ).content.decode()  # fmt: skip
    told = api(world.officer).get(address(world.generator, manifest.number)).json()
    flags = [(flag["code"], flag["detail"]) for flag in told["flags"]]
    assert flags.count(("permit_lapsed_on_the_road", worlds.OIL)) == 1
    assert told["state"] == "ACCEPTED"
    waiting = api(world.officer).post(address(world.generator, world.draft().uid, "acts"), {"act": "ISSUE"})
    assert (waiting.status_code, waiting.json()["code"]) == (409, "permit_not_in_date")


def test_a_number_that_exists_is_409_over_the_api_and_said_on_the_page(world):
    number = world.issued().number
    draft = world.draft()
    told = api(world.officer).post(
        address(world.generator, draft.uid, "acts"), {"act": "ISSUE", "number": number}
    )
    assert (told.status_code, told.json()["code"]) == (409, "number_taken")
    to = acting(world.generator, draft.uid, "issue")
    response = client(world.officer).post(to, ids(number=number))
    assert (response.status_code, "这个联单编号已经用过" in response.content.decode()) == (422, True)
    assert (world.state(draft), world.used_g()) == ("DRAFT", 200_000)


def test_a_line_left_out_of_an_edit_is_gone_by_page_and_api(world):
    for code in "ABC":
        world.drum(code)
    manifest = world.draft("A", "B", "C")
    edited = api(world.officer).ask(
        "PUT", address(world.generator, manifest.uid), body(world, "B", "C") | {"version": 1}
    )
    assert [line["lot"] for line in edited.json()["lines"]] == ["B", "C"]
    form = draft_form(world, version="2", uid=str(manifest.uid), lines="1")
    form |= {"line0-lot": "C", "line0-stream": "F1", "line0-store": "危废库", "line0-tonnes": "0.2"}
    saved = client(world.officer).post(page("edit-manifest", world.generator, reference=manifest.uid), form)
    assert saved.status_code == 302, saved.content.decode()
    assert [line.lot_code for line in queries.lines_of(manifest)] == ["C"]
    assert api(world.officer).get(address(world.generator, manifest.uid)).json()["declared_g"] == 200_000


@pytest.mark.parametrize("tonnes", ["0", "-0.1", "0,5", "一吨"])
def test_a_quantity_that_cant_be_is_refused_on_the_page(world, tonnes):
    form = draft_form(world, lines="1", **{"line0-stream": "F1", "line0-tonnes": tonnes})
    response = client(world.officer).post(page("new-manifest", world.generator), form)
    assert response.status_code == 422, response.content.decode()
    assert not Manifest.objects.exists()
    manifest = world.delivered()
    said = ids(**(taken("200") | {"line1-received": tonnes}))
    assert (
        client(world.taker).post(acting(world.receiver, manifest.number, "accept"), said).status_code == 422
    )
    assert world.state(manifest) == "DELIVERED"


@pytest.mark.parametrize("grams", [0, -1])
def test_nothing_and_less_than_nothing_is_not_received_over_the_api(world, grams):
    manifest = world.delivered()
    lines = [{"position": 1, "received_g": grams, "mode": "R9"}]
    said = {"act": "ACCEPT", "lines": lines, "said": worlds.TAKEN}
    response = api(world.taker).post(address(world.receiver, manifest.number, "acts"), said)
    assert (response.status_code, response.json()["code"]) == (422, "mass_not_positive")
    assert world.state(manifest) == "DELIVERED"


@pytest.mark.parametrize(
    ("scanned", "code", "words"),
    [("https://example.org/label/1", "scan_foreign", "不是本系统的标签"), ("WF1/H/torn", "scan_torn", "没有读全或读错"),
     ("别处-0001", "lot_unknown", "没有这个容器或批次")],
)  # fmt: skip
def test_a_code_from_elsewhere_and_a_torn_one_are_refused_by_page_and_api(world, scanned, code, words):
    told = api(world.officer).post(address(world.generator), body(world, scanned))
    assert (told.status_code, told.json()["code"]) == (409, code)
    response = client(world.officer).post(
        page("new-manifest", world.generator), draft_form(world, scanned=scanned)
    )
    assert (response.status_code, words in response.content.decode()) == (422, True)
    assert not Manifest.objects.exists()


def test_who_is_no_party_neither_reads_nor_writes_by_page_or_api(world):
    manifest = world.receive(world.delivered(), "100")
    open_one = world.issued()
    other = worlds.organisation(60, "路人", "UTILISER")
    user = worlds.person("ENVIRONMENT_OFFICER", other, "路人")
    stranger, caller = client(user), api(user)
    before = (Signature.objects.count(), Revision.objects.count(), Flag.objects.count())
    for of in (other, world.generator, world.receiver, world.carrier):
        for number in (manifest.number, open_one.number):
            for route in ("manifest", "manifest-pdf", "edit-manifest", "revise-manifest"):
                assert stranger.get(page(route, of, reference=number)).status_code == 404, (of, route)
            for act in ("cancel", "load", "accept", "take-back"):
                response = stranger.post(acting(of, number, act), ids(reason="x", **taken("200")))
                assert response.status_code == 404
            assert (
                stranger.post(page("revise-manifest", of, reference=number), {"reason": "x"}).status_code
                == 404
            )
            assert caller.get(address(of, number)).status_code == 404
            assert (
                caller.post(address(of, number, "acts"), {"act": "CANCEL", "words": "x"}).status_code == 404
            )
        weighed = {"manifests": [manifest.number], "mass_g": 1, "mode": "R9"}
        assert caller.post(f"/organisations/{of.uscc}/weighed-loads", weighed).status_code == 404
    listed = stranger.get(page("manifests", other)).content.decode()
    assert manifest.number not in listed
    assert caller.get(address(other)).json()["manifests"] == []
    assert (Signature.objects.count(), Revision.objects.count(), Flag.objects.count()) == before
    assert world.state(open_one) == "ISSUED"
