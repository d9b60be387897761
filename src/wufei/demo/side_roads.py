"""
What happens on the road beside the weekly rounds: seldom, but to everybody some day.

General waste leaves by transfer records, a load crosses a province's border under its approval, one has two carriers
in turn, one is accepted in part, one was weighed wrongly and is put right by both, small loads share a weighing, a
drum is repacked and sludge is treated. Told through the same services, each act at its own hour.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from wufei.demo.district import uscc_of
from wufei.demo.road import FAR, Told, at, cover
from wufei.ledger import services as ledger
from wufei.ledger.kinds import Kind, TransformationKind
from wufei.ledger.posting import Draft
from wufei.ledger.services import ContainerSaid
from wufei.ledger.transforming import Input, Output
from wufei.registry import services as registry
from wufei.registry.access import Role
from wufei.registry.models import Contract, OrganisationKind, PermitKind, User
from wufei.registry.services import permits
from wufei.storage.services import place_lot
from wufei.terms.mass import Mass
from wufei.transfers import queries, services
from wufei.transfers.fields import Part
from wufei.transfers.models import Manifest, ManifestLine, TransferApproval
from wufei.transfers.services import Change, LegSaid, LineReceived, LineSaid
from wufei.transfers.states import Act

NAMES = uuid.UUID("6d1f0f4e-3c0a-4f8e-9b0e-2a7c51d0a003")
TAKEN = {"receiving_contact": "地磅房", "opinion": "同意接受"}
Said = Mapping[str, Any]


@cache
def side_roads() -> dict[str, Any]:
    """Return the data of the seldom ways as strings."""
    text = (Path(__file__).parent / "side_roads.yaml").read_text(encoding="utf-8")
    return yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 strings only


def play(*, told: Told, password: str, by: User, now: datetime) -> None:
    """Let each thing happen on its day, as far as that day is over."""
    said = side_roads()
    _people(told, password, by, now)
    _papers(told)
    for each in said["loads"]:
        if _is_over(each, told):
            _haul(told, each)
    if _is_over(said["pooled"], told):
        _pool(told, said["pooled"])
    for each in said["general"]:
        if _is_over(each, told):
            _general(told, each)
    if _is_over(said["repacked"], told):
        _repack(told, said["repacked"])
    if _is_over(said["waiting"], told):
        _wait(told, said["waiting"])
    if _is_over(said["treated"], told):
        _treat(told, said["treated"])


def _is_over(each: Said, told: Told) -> bool:
    return date.fromisoformat(each["on"]) <= told.last_day


def _people(told: Told, password: str, by: User, now: datetime) -> None:
    for each in side_roads()["organisations"]:
        told.organisations[each["id"]] = registry.register_organisation(
            uscc=uscc_of(each["serial"]), name=each["name"], kind=OrganisationKind(each["kind"]),
            division_code=each["division"], by=by, now=now,
        )  # fmt: skip
    for each in side_roads()["people"]:
        user = told.people[each["username"]] = registry.create_user(
            username=each["username"], password=password, full_name=each["name"],
            email=f"{each['username']}@example.invalid", by=by, now=now,
        )  # fmt: skip
        registry.assign_role(
            user=user, organisation=told.organisations[each["of"]], role=Role(each["role"]), by=by, now=now
        )


def _papers(told: Told) -> None:
    """Permits, contracts, due diligence, and the approval of what crosses the border."""
    said, begun = side_roads(), at(told.first_day, 8)
    permit, approval = said["permit"], said["approval"]
    permits.record_permit(
        kind=PermitKind.COMPREHENSIVE, number=permit["number"], valid_from=date(2024, 1, 1), valid_through=FAR,
        groups=[
            permits.GroupSaid(
                waste_codes=permit["codes"], capacity=Mass.of(permit["capacity"], "吨"), modes=permit["modes"]
            )
        ],
        **_for(told, permit["of"]), now=begun,
    )  # fmt: skip
    relay: dict[str, Any] = {**_for(told, said["vehicle"]["of"]), "now": begun, "valid_through": FAR}
    permits.record_permit(
        kind=PermitKind.TRANSPORT, number=said["transport_permit"]["number"], valid_from=date(2024, 1, 1), **relay
    )  # fmt: skip
    vehicle, driver = said["vehicle"], said["driver"]
    permits.record_vehicle(plate=vehicle["plate"], permit_number=vehicle["permit_number"], **relay)
    permits.record_driver(
        name=driver["name"], phone=driver["phone"], permit_number=driver["permit_number"], **relay
    )
    for of, other, purpose in said["contracts"]:
        mine: dict[str, Any] = {**_for(told, of), "now": begun}
        permits.record_contract(
            counterparty=told.organisations[other], purpose=Contract.Purpose[purpose],
            number=f"演示-{of}-{other}-2026", signed_on=date(2026, 6, 22), valid_through=FAR, **mine,
        )  # fmt: skip
        if purpose == "RECEIVING":
            permits.record_due_diligence(
                subject=told.organisations[other], checked_on=date(2026, 6, 18),
                valid_through=date(2027, 6, 17), is_passed=True, qualification="营业执照、环评和排污许可齐全",
                capability="现场核实生产线正常，有余量", **mine,
            )  # fmt: skip
    services.record_approval(
        receiver=told.organisations[approval["to"]], kind=TransferApproval.Kind.APPROVAL, number=approval["number"],
        waste_code=approval["waste_code"], approved=Mass.of(approval["tonnes"], "吨"),
        valid_from=date.fromisoformat(approval["valid_from"]),
        valid_through=date.fromisoformat(approval["valid_through"]), **_for(told, approval["of"]), now=begun,
    )  # fmt: skip


def _for(told: Told, key: str) -> dict[str, Any]:
    return {"organisation": told.organisations[key], "by": told.people[key]}


# ---- hazardous waste in containers -----------------------------------------------------------------


def _haul(told: Told, each: Said) -> None:
    """One manifest from the store to the receiver's signature, and what comes after it."""
    day = date.fromisoformat(each["on"])
    manifest = _driven(told, each, day)
    if each["how"] == "accept partly":
        _received(told, manifest, each, day, sent_back=1)
        return
    _received(told, manifest, each, day)
    if each["how"] == "correct":
        _corrected(told, manifest, each, at(day, 17))
    _used_up(told, manifest, each, day)


def _driven(told: Told, each: Said, day: date) -> Manifest:
    """Fill the containers, issue the manifest, and drive it to the receiver's gate by its carriers in turn."""
    lots = _filled(told, each, day)
    lines = [
        LineSaid(
            lot=lot, said={"hazards": each["hazards"], "physical_form": each["form"], "packaging": each["packaging"]}
        )
        for lot in lots
    ]  # fmt: skip
    return _sent(told, each, lines, day)


def _filled(told: Told, each: Said, day: date) -> list[str]:
    mine = _for(told, each["of"])
    lots = [f"{each['name']}-{n:02d}" for n in range(1, len(each["kilograms"]) + 1)]
    drafts = [
        Draft(
            Kind.GENERATION, day, each["stream"], Mass.of(kilograms, "千克"), store_code=each["store"], lot_code=lot,
            handler="当班班长", client_id=_id(f"filled {lot}"),
        )
        for lot, kilograms in zip(lots, each["kilograms"], strict=True)
    ]  # fmt: skip
    ledger.post(drafts=drafts, now=at(day, 8), **mine)
    containers = [ContainerSaid(lot, each["packaging"], int(each["litres"]) * 1000) for lot in lots]
    ledger.describe_containers(containers=containers, now=at(day, 8, 5), **mine)
    return lots


def _sent(told: Told, each: Said, lines: Sequence[LineSaid], day: date) -> Manifest:
    mine, carriers = _for(told, each["of"]), each["carriers"]
    manifest = services.create_draft(
        receiver=told.organisations[each["to"]].uscc, lines=lines, said=cover(told.organisations[each["of"]]),
        legs=[LegSaid(carrier=told.organisations[key].uscc) for key in carriers],
        uid=_id(f"manifest {each['of']} {each['stream']} {each['on']}"), now=at(day, 9), **mine,
    )  # fmt: skip
    services.issue(manifest=manifest, now=at(day, 9, 10), **mine)
    stops = ["綦江", *(["巴南"] * (len(carriers) - 1)), each["ends_at"]]
    for turn, key in enumerate(carriers):
        plate, driver, phone = side_roads()["drivers"][key]
        sign = services.hand_over if turn else services.load
        sign(
            manifest=manifest, now=at(day, 10 + turn),
            said={
                "plate": plate, "driver": driver, "driver_phone": phone, "starts_at": stops[turn],
                "ends_at": stops[turn + 1],
            }, **_for(told, key),
        )  # fmt: skip
    services.deliver(manifest=manifest, now=at(day, 13), **_for(told, carriers[-1]))
    return manifest


def _received(
    told: Told, manifest: Manifest, each: Said, day: date, *, sent_back: int = 0, store: str = ""
) -> None:
    """Let the receiver sign; the first `sent_back` lines wait there to be taken back."""
    lines = [
        LineReceived(
            position=row.position, received=Mass(0 if row.position <= sent_back else row.declared_g),
            returned=Mass(row.declared_g if row.position <= sent_back else 0),
            mode="" if row.position <= sent_back else each["mode"],
        )
        for row in queries.lines_of(manifest)
    ]  # fmt: skip
    opinion = {"opinion": "第一桶桶盖破损渗漏，退回；其余接受"} if sent_back else {}
    services.receive(
        manifest=manifest, act=Act.PARTLY_ACCEPT if sent_back else Act.ACCEPT, lines=lines, said=TAKEN | opinion,
        stream_codes={line.position: each["into"] for line in lines} if "into" in each else {}, store_code=store,
        now=at(day, 15), **_for(told, each["to"]),
    )  # fmt: skip


def _corrected(told: Told, manifest: Manifest, each: Said, now: datetime) -> None:
    """The receiver proposes the mass that was meant, and the generator agrees."""
    said = side_roads()["correction"]
    revision = services.propose_revision(
        manifest=manifest, reason=said["reason"], now=now, **_for(told, each["to"]),
        changes=[
            Change(
                part=Part.LINE, position=1, field="received_g", to=Mass.of(said["kilograms"], "千克").grams
            )
        ],
    )  # fmt: skip
    services.answer_revision(
        revision=revision, agrees=True, answer=said["answer"], now=now + timedelta(hours=1),
        **_for(told, each["of"]),
    )  # fmt: skip


def _used_up(told: Told, manifest: Manifest, each: Said, day: date, store: str = "K01") -> None:
    """What was received is used or disposed of two days later, where the receiver keeps its ledger here."""
    ways = {"D9": (Kind.OWN_DISPOSAL, "物理化学处理"), "R9": (Kind.OWN_UTILISATION, "废油再提炼")}
    kind, method = ways.get(each["mode"], (Kind.OWN_UTILISATION, each.get("method", "")))
    rows = ManifestLine.objects.filter(manifest=manifest).exclude(receipt_lot=None)
    drafts = [
        Draft(
            kind, day + timedelta(days=2), stream, Mass(grams or 0), store_code=store, lot_code=lot, method=method,
            handler="当班班长", client_id=_id(f"used {lot}"),
        )
        for lot, stream, grams in rows.order_by("position").values_list(
            "receipt_lot__code", "receipt_lot__stream__code", "received_g"
        )
    ]  # fmt: skip
    if drafts and day + timedelta(days=2) <= told.last_day:
        ledger.post(drafts=drafts, now=at(day + timedelta(days=2), 16), **_for(told, each["to"]))


def _pool(told: Told, said: Said) -> None:
    """Small loads of several generators on one lorry have their share of one weighing."""
    day = date.fromisoformat(said["on"])
    loads = [{**side_roads()["drum"], **each, "to": said["to"], "on": said["on"]} for each in said["loads"]]
    manifests = [_driven(told, each, day) for each in loads]
    services.receive_load(
        manifests=manifests, received=Mass.of(said["kilograms"], "千克"), mode=said["mode"], said=TAKEN,
        store_code="K01", client_id=_id("pooled"), now=at(day, 15), **_for(told, said["to"]),
    )  # fmt: skip
    for each, manifest in zip(loads, manifests, strict=True):
        _used_up(told, manifest, each | {"mode": said["mode"]}, day)


# ---- general waste, in bulk ------------------------------------------------------------------------


def _general(told: Told, each: Said) -> None:
    """What was made came into store; some is used on the spot, some leaves by a transfer record."""
    day, mine = date.fromisoformat(each["on"]), _for(told, each["of"])

    def draft(kind: Kind, tonnes: str, method: str = "") -> Draft:
        return Draft(
            kind, day, each["stream"], Mass.of(tonnes, "吨"), store_code=each["store"], method=method,
            handler="当班班长", client_id=_id(f"{kind} {each['of']} {each['stream']} {day}"),
        )  # fmt: skip

    drafts = [draft(Kind.GENERATION, each["made"])]
    if "own" in each:
        kind, method, tonnes = each["own"]
        drafts.append(draft(Kind(kind), tonnes, method))
    ledger.post(drafts=drafts, now=at(day, 8), **mine)
    if "to" not in each:
        return
    leaving = {**each, "carriers": ["haul"], "ends_at": "綦江", "mode": "利用"}
    line = LineSaid(
        stream=each["stream"], store=each["store"], mass=Mass.of(each["tonnes"], "吨"),
        said={"physical_form": each["form"], "packaging": "BULK"},
    )  # fmt: skip
    manifest = _sent(told, leaving, [line], day)
    _received(told, manifest, leaving, day, store=each["their_store"])
    _used_up(told, manifest, leaving, day, each["their_store"])


# ---- in the store ----------------------------------------------------------------------------------


def _repack(told: Told, said: Said) -> None:
    """A drum that leaks is emptied into a sound one."""
    day, mass = date.fromisoformat(said["on"]), Mass.of(said["kilograms"], "千克")
    _filled(told, {**said, "name": said["lot"][:-3], "kilograms": [said["kilograms"]]}, day)
    ledger.transform(
        kind=TransformationKind.REPACK, inputs=[Input(said["store"], said["lot"], mass)], loss=Mass(0),
        outputs=[_output(said, mass)], moved_on=day, handler="当班班长", client_id=_id("repacked"),
        now=at(day, 10), **_for(told, said["of"]),
    )  # fmt: skip
    _placed(told, said, [said["into"]], at(day, 10, 10))


def _wait(told: Told, said: Said) -> None:
    """Full drums stand in their zone until a lorry comes."""
    day = date.fromisoformat(said["on"])
    _placed(told, said, _filled(told, said, day), at(day, 8, 30))


def _placed(told: Told, said: Said, lots: Sequence[str], now: datetime) -> None:
    for lot in lots:
        place_lot(
            store_code=said["store"], lot_code=lot, zone_code=said["zone"], client_id=_id(f"zone {lot}"), now=now,
            **_for(told, said["of"]),
        )  # fmt: skip


def _treat(told: Told, said: Said) -> None:
    """Sludge loses water: what is gone is declared with its reason."""
    day, mass = date.fromisoformat(said["on"]), Mass.of(said["kilograms"], "千克")
    masses = {lot: Mass.of(kilograms, "千克") for lot, kilograms in said["lots"].items()}
    _filled(told, {**said, "name": said["into"][:-3], "kilograms": list(said["lots"].values())}, day)
    ledger.transform(
        kind=TransformationKind.TREAT, inputs=[Input(said["store"], lot, each) for lot, each in masses.items()],
        outputs=[_output(said, mass)], loss=Mass(sum(each.grams for each in masses.values()) - mass.grams),
        loss_reason=said["reason"], moved_on=day, handler="当班班长", client_id=_id("treated"), now=at(day, 14),
        **_for(told, said["of"]),
    )  # fmt: skip


def _output(said: Said, mass: Mass) -> Output:
    volume_ml = int(said["litres"]) * 1000
    return Output(said["store"], said["into"], said["stream"], mass, said["packaging"], volume_ml)


def _id(what: str) -> uuid.UUID:
    return uuid.uuid5(NAMES, what)
