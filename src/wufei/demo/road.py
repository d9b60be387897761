"""
Four months on the shop floor and on the road: containers day by day, a round of manifests each week.

Told through the same services that workers, carriers and receivers use, each act at its own hour. Most manifests
went as they should; the last week's stand in every state there is, one was refused, one is in dispute.
"""

import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from wufei.catalogue.working_days import is_working_day
from wufei.demo import closings, tracks
from wufei.demo.district import uscc_of
from wufei.demo.road_data import road
from wufei.labels.models import PrintFormat
from wufei.labels.services import number_container, record_prints
from wufei.ledger import services as ledger
from wufei.ledger.kinds import Kind, TransformationKind
from wufei.ledger.models import Balance, Lot, Place
from wufei.ledger.posting import Draft
from wufei.ledger.services import ContainerSaid
from wufei.ledger.transforming import Input, Output
from wufei.registry import services as registry
from wufei.registry.access import Role
from wufei.registry.models import Contract, Organisation, OrganisationKind, PermitKind, User
from wufei.registry.services import permits
from wufei.shopfloor.services import accept, register_scale
from wufei.shopfloor.signing import signature
from wufei.shopfloor.simulating import Fault, messages
from wufei.storage.services import ZoneSaid, declare_zone, place_lot
from wufei.storage.zoning import Rectangle
from wufei.terms.day import SHANGHAI
from wufei.terms.mass import Mass
from wufei.transfers import queries, services
from wufei.transfers.fields import Part
from wufei.transfers.models import Manifest
from wufei.transfers.services import LegSaid, LineReceived, LineSaid
from wufei.transfers.states import Act

NAMES = uuid.UUID(
    "6d1f0f4e-3c0a-4f8e-9b0e-2a7c51d0a001"
)  # of what the demo posts, so that it is the same each time
PICK_UP = 4  # Friday
USE_UP = 2  # Wednesday
VERIFIES = "city-environment"  # 市生态环境部门 looks at the receivers' permits
REPACKED = "QY"  # whose drums are poured together and split
FAR = date(2029, 12, 31)


@dataclass
class Line:
    """A stream whose waste is filled into containers and fetched each week."""

    said: dict[str, Any]
    waiting: list[tuple[str, int]] = field(default_factory=list)  # lot, grams
    filled: int = 0
    days: int = 0


@dataclass
class Told:
    """Who takes part, by the words of road.yaml."""

    organisations: dict[str, Organisation]
    people: dict[str, User]
    first_day: date
    last_day: date  # that is over
    chance: random.Random = field(default_factory=lambda: random.Random(2026))  # noqa: S311 made-up weights
    sent: int = 0
    lorries: list[tracks.Lorry] = field(default_factory=list)  # with a tracker, that did not set out yet


def play(*, organisations: dict[str, Organisation], password: str, by: User, now: datetime) -> Told:
    """Let the four months pass, as far as they are over."""
    said = road()
    first_day = date.fromisoformat(said["first_day"])
    last_day = min(date.fromisoformat(said["last_day"]), now.astimezone(SHANGHAI).date() - timedelta(days=1))
    told = Told(organisations, _people(organisations, password, by, now), first_day, last_day)
    _papers(told)
    _open_site(told)
    _equip(told)
    begun = at(first_day, 8)
    told.lorries = tracks.equip(carrier=told.organisations["haul"], by=told.people["haul"], now=begun)
    lines = [Line(each) for each in said["streams"]]
    fridays = [day for day in _working_days(first_day, last_day) if day.weekday() == PICK_UP]
    for day in _working_days(first_day, last_day):
        _fill(told, lines, day)
        if day.weekday() == USE_UP:
            _use_up(told, day)
        if day.weekday() == PICK_UP:
            for line in lines:
                if day.day <= 7 and line.said["prefix"] == REPACKED:
                    _repack(told, line, day)
                _fetch(told, line, day, is_last=day == fridays[-1])
        closings.close_last_month(
            organisation=organisations[closings.CLOSES], day=day, by=told.people[closings.CLOSES]
        )
    _put_into_zones(told, at(last_day, 18))
    return told


def _working_days(first: date, last: date) -> Iterator[date]:
    day = first
    while day <= last:
        if is_working_day(day):
            yield day
        day += timedelta(days=1)


def _people(
    organisations: dict[str, Organisation], password: str, by: User, now: datetime
) -> dict[str, User]:
    said = road()
    for each in said["organisations"]:
        organisations[each["id"]] = registry.register_organisation(
            uscc=uscc_of(each["serial"]), name=each["name"], kind=OrganisationKind(each["kind"]),
            division_code=each["division"], by=by, now=now,
        )  # fmt: skip
    for person in said["people"]:
        user = registry.create_user(
            username=person["username"], password=password, full_name=person["name"],
            email=f"{person['username']}@example.invalid", by=by, now=now,
        )  # fmt: skip
        registry.assign_role(
            user=user, organisation=organisations[person["of"]], role=Role(person["role"]), by=by, now=now
        )
    return {user.username: user for user in User.objects.all()}


def _papers(told: Told) -> None:
    """Permits of the receivers and the carrier, and each generator's contracts and due diligence."""
    said, begun = road(), at(date.fromisoformat(road()["first_day"]), 8)
    haul = told.organisations["haul"]
    for each in said["permits"]:
        permit = permits.record_permit(
            organisation=told.organisations[each["of"]], kind=PermitKind.COMPREHENSIVE, number=each["number"],
            valid_from=date(2024, 1, 1), valid_through=FAR, by=told.people[each["of"]], now=begun,
            groups=[
                permits.GroupSaid(
                    waste_codes=each["codes"], capacity=Mass.of(each["capacity"], "吨"), modes=each["modes"]
                )
            ],
        )  # fmt: skip
        permits.verify_permit(permit=permit, by=told.people[VERIFIES], now=begun + timedelta(hours=2))
    by_haul: dict[str, Any] = {"organisation": haul, "by": told.people["haul"], "now": begun}
    permits.record_permit(
        kind=PermitKind.TRANSPORT, number=said["transport_permit"], valid_from=date(2024, 1, 1), valid_through=FAR,
        **by_haul,
    )  # fmt: skip
    for n, plate in enumerate([*said["vehicles"], *said["tracked_vehicles"]], 1):
        permits.record_vehicle(plate=plate, permit_number=f"渝运证綦231-{n}", valid_through=FAR, **by_haul)
    permits.record_driver(valid_through=FAR, **said["driver"], **by_haul)
    pairs = dict.fromkeys((each["of"], each["to"]) for each in said["streams"])
    for generator in dict.fromkeys(of for of, _ in pairs):
        _contract(told, generator, "haul", Contract.Purpose.TRANSPORT, begun)
    for generator, receiver in pairs:
        _contract(told, generator, receiver, Contract.Purpose.RECEIVING, begun)
        permits.record_due_diligence(
            organisation=told.organisations[generator], subject=told.organisations[receiver],
            checked_on=date(2026, 6, 15), valid_through=date(2027, 6, 14), is_passed=True,
            qualification="许可证在有效期内，类别相符", capability="现场核实设施运行正常，余量充足",
            by=told.people[generator], now=begun,
        )  # fmt: skip


def _open_site(told: Told) -> None:
    """Declare where the disposal site puts what it receives, and under which wastes."""
    said, begun = road(), at(date.fromisoformat(road()["first_day"]), 8)
    store = said["receiving_store"]
    site: dict[str, Any] = {
        "organisation": told.organisations[store["of"]], "by": told.people[store["of"]], "now": begun
    }  # fmt: skip
    ledger.declare_store(
        code=store["code"],
        name=store["name"],
        store_type="库房",
        capacity=Mass.of(store["tonnes"], "吨"),
        **site,
    )
    for each in said["received"]:
        if "name" in each:
            ledger.declare_stream(
                code=each["stream"], name=each["name"], waste_code=each["waste_code"], process_name="外来接收",
                physical_form=each["form"], **site,
            )  # fmt: skip


def _use_up(told: Told, day: date) -> None:
    """Use or dispose of what was received and still stands, each lot by itself."""
    for each in road()["received"]:
        organisation = told.organisations[each["of"]]
        standing = Balance.objects.filter(
            lot__organisation=organisation, lot__stream__code=each["stream"], lot__is_bulk=False,
            place__code=each["store"], mass_g__gt=0,
        )  # fmt: skip
        drafts = [
            Draft(
                Kind(each["kind"]), day, each["stream"], Mass(grams), store_code=each["store"], lot_code=lot,
                method=each["method"], handler="当班班长", client_id=uuid.uuid5(NAMES, f"used {each['of']} {lot}"),
            )
            for lot, grams in standing.order_by("lot__code").values_list("lot__code", "mass_g")
        ]  # fmt: skip
        if drafts:
            ledger.post(organisation=organisation, drafts=drafts, by=told.people[each["of"]], now=at(day, 16))


def _contract(told: Told, generator: str, other: str, purpose: str, now: datetime) -> None:
    permits.record_contract(
        organisation=told.organisations[generator], counterparty=told.organisations[other], purpose=purpose,
        number=f"演示-{generator}-{other}-2026", signed_on=date(2026, 6, 20), valid_through=FAR,
        by=told.people[generator], now=now,
    )  # fmt: skip


def at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), SHANGHAI)


# ---- scales and zones -----------------------------------------------------------------------------

ZONES = (("A", "废切削液区", "W02", 0, 600), ("B", "废矿物油区", "W03", 700, 500))


def _equip(told: Told) -> None:
    """Give the gear works two scales, one of them soon to be calibrated, and two zones of its hazardous store."""
    works, by = told.organisations["gear"], told.people["gear"]
    begun = at(date.fromisoformat(road()["first_day"]), 8)
    for name, until in (("危废间台秤", date(2027, 5, 31)), ("机加车间地上衡", date(2026, 11, 30))):
        scale, secret = register_scale(
            organisation=works, name=name, store="K02", capacity=Mass.of("1", "吨"), division=Mass(500),
            calibrated_until=until, by=by, now=begun,
        )  # fmt: skip
        for fault in (None, Fault.UNSTABLE):
            [message] = messages(
                scale=scale.code, first=1 if fault is None else 2, count=1, fault=fault, now=begun
            )
            accept(message=message, signature=signature(message, secret), now=begun)
    store = Place.objects.get(organisation=works, code="K02")
    for code, name, stream, x_cm, width_cm in ZONES:
        declare_zone(
            store=store, by=by, now=begun,
            said=ZoneSaid(
                code=code, name=name, permitted=(stream,), capacity=Mass.of("20", "吨"), containers=120,
                place=Rectangle(x_cm, 0, width_cm, 400),
            ),
        )  # fmt: skip


def _put_into_zones(told: Told, now: datetime) -> None:
    """Put the drums that stand there at the end, also those on a manifest that did not leave, into their zones."""
    works = told.organisations["gear"]
    for zone, _name, stream, _x, _width in ZONES:
        standing = Balance.objects.filter(
            place__organisation=works, place__code="K02", lot__stream__code=stream, lot__container__isnull=False,
            mass_g__gt=0,
        )  # fmt: skip
        for lot in standing.order_by("lot__code").values_list("lot__code", flat=True):
            place_lot(
                organisation=works, store_code="K02", lot_code=lot, zone_code=zone,
                client_id=uuid.uuid5(NAMES, f"zone {lot}"), by=told.people["gear"], now=now,
            )  # fmt: skip


# ---- on the shop floor ----------------------------------------------------------------------------


def _fill(told: Told, lines: list[Line], day: date) -> None:
    """Fill the day's containers, each weighed, labelled and in store at once."""
    for line in lines:
        said = line.said
        line.days += 1
        count = int(said["a_day"]) if "a_day" in said else int(line.days % int(said["every"]) == 0)
        least, most = (int(each) for each in said["kilograms"])
        drafts = []
        for _ in range(count):
            line.filled += 1
            lot, grams = f"{said['prefix']}-{line.filled:04d}", told.chance.randint(least, most) * 1000
            line.waiting.append((lot, grams))
            drafts.append(
                Draft(
                    Kind.GENERATION, day, said["stream"], Mass(grams), store_code=_store_of(line), lot_code=lot,
                    handler="当班班长", client_id=uuid.uuid5(NAMES, f"{said['of']} {lot}"),
                )
            )  # fmt: skip
        if drafts:
            asked: dict[str, Any] = {
                "organisation": told.organisations[said["of"]], "by": told.people[said["of"]]
            }  # fmt: skip
            ledger.post(drafts=drafts, now=at(day, 17), **asked)
            lots, volume = [draft.lot_code or "" for draft in drafts], int(said["litres"]) * 1000
            if day >= date.fromisoformat(said.get("labelled_from", "9999-12-31")):
                _label(lots, said["packaging"], volume, at(day, 17, 5), asked)
            else:
                containers = [ContainerSaid(lot, said["packaging"], volume) for lot in lots]
                ledger.describe_containers(containers=containers, now=at(day, 17, 5), **asked)


def _label(lots: list[str], packaging: str, volume_ml: int, now: datetime, asked: dict[str, Any]) -> None:
    for lot in lots:
        number_container(
            lot_code=lot, packaging=packaging, volume_ml=volume_ml, client_id=uuid.uuid5(NAMES, f"number {lot}"),
            now=now, **asked,
        )  # fmt: skip
    record_prints(
        lots=list(Lot.objects.filter(organisation=asked["organisation"], code__in=lots)),
        print_format=PrintFormat.PDF, count=1, client_id=uuid.uuid5(NAMES, f"print {lots[0]}"), now=now, **asked,
    )  # fmt: skip


def _repack(told: Told, line: Line, day: date) -> None:
    """Once a month two half-empty drums are poured into one, and one is split in two."""
    lots, line.waiting = line.waiting[:3], line.waiting[3:]
    if len(lots) < 3:
        line.waiting = lots
        return
    (one, one_g), (other, other_g), (full, full_g) = lots
    name, half = f"{line.said['prefix']}-{day:%m}", full_g // 2
    store, stream = _store_of(line), line.said["stream"]
    said: dict[str, Any] = {
        "organisation": told.organisations[line.said["of"]], "by": told.people[line.said["of"]], "moved_on": day,
        "now": at(day, 8, 30), "handler": "当班班长",
    }  # fmt: skip
    ledger.transform(
        kind=TransformationKind.MERGE, inputs=[Input(store, one, Mass(one_g)), Input(store, other, Mass(other_g))],
        outputs=[Output(store, f"{name}-并", stream, Mass(one_g + other_g - 2000), "DRUM", 400_000)],
        loss=Mass(2000), loss_reason="桶壁残留", client_id=uuid.uuid5(NAMES, f"merge {name}"), **said,
    )  # fmt: skip
    ledger.transform(
        kind=TransformationKind.SPLIT, inputs=[Input(store, full, Mass(full_g))], loss=Mass(0),
        outputs=[
            Output(store, f"{name}-分{n}", stream, Mass(grams), "DRUM", 100_000)
            for n, grams in ((1, half), (2, full_g - half))
        ],
        client_id=uuid.uuid5(NAMES, f"split {name}"), **said,
    )  # fmt: skip
    made = [(f"{name}-并", one_g + other_g - 2000), (f"{name}-分1", half), (f"{name}-分2", full_g - half)]
    line.waiting = made + line.waiting


STORES = {("gear", "W02"): "K02", ("gear", "W03"): "K02", ("repair", "W01"): "K01"}


def _store_of(line: Line) -> str:
    return STORES.get((line.said["of"], line.said["stream"]), "K04")


# ---- on the road ----------------------------------------------------------------------------------


def _fetch(told: Told, line: Line, day: date, *, is_last: bool) -> None:
    """Send what waits, a full load at a time; of the last week's loads each stops at another point."""
    size = int(line.said["a_manifest"])
    while len(line.waiting) >= size:
        load, line.waiting = line.waiting[:size], line.waiting[size:]
        told.sent += 1
        ends = LAST_WEEK[told.sent % len(LAST_WEEK)] if is_last else ENDS.get(told.sent, "accepted")
        _send(told, line, load, day, ends)


# What became of some along the way, and of the last week's in turn.
ENDS = {
    17: "refused and returned",
    43: "partly returned",
    88: "short",
    120: "cancelled",
    151: "reweighed short",
}
LAST_WEEK = (
    "accepted", "draft", "issued", "on the road", "delivered", "accepted", "refused", "short", "stored", "revision",
)  # fmt: skip


def _send(told: Told, line: Line, load: list[tuple[str, int]], day: date, ends: str) -> None:
    said = line.said
    generator, receiver = told.organisations[said["of"]], told.organisations[said["to"]]
    mine: dict[str, Any] = {"organisation": generator, "by": told.people[said["of"]]}
    hour = 9 + told.sent % 5
    manifest = services.create_draft(
        receiver=receiver.uscc, legs=[LegSaid(carrier=told.organisations["haul"].uscc)], said=cover(generator),
        lines=[
            LineSaid(
                lot=lot,
                said={"hazards": said["hazards"], "physical_form": said["form"], "packaging": said["packaging"]},
            )
            for lot, _grams in load
        ],
        uid=uuid.uuid5(NAMES, f"manifest {told.sent}"), now=at(day, hour), **mine,
    )  # fmt: skip
    if ends == "draft":
        return
    services.issue(manifest=manifest, now=at(day, hour, 10), **mine)
    if ends == "cancelled":
        services.cancel(manifest=manifest, reason="车辆故障，改日另行安排", now=at(day, hour, 40), **mine)
        line.waiting = load + line.waiting
    elif ends != "issued":
        _drive(told, line, manifest, load, day, hour + 1, ends)


def cover(generator: Organisation) -> dict[str, str]:
    return {
        "contact": generator.contact or generator.head or "环保专员", "contact_phone": generator.phone or "023-00000000",
        "emergency_phone": "023-00000119", "emergency_measures": "围堵、吸附收集，立即报告属地生态环境部门",
        "origin_address": generator.address or "重庆市綦江区（演示）", "consignor": "GENERATOR",
    }  # fmt: skip


def _drive(
    told: Told, line: Line, manifest: Manifest, load: list[tuple[str, int]], day: date, hour: int, ends: str
) -> None:
    road_said = road()
    haul: dict[str, Any] = {"organisation": told.organisations["haul"], "by": told.people["driver"]}
    plate = road_said["vehicles"][told.sent % len(road_said["vehicles"])]
    lorry = told.lorries.pop(0) if ends == "on the road" and told.lorries else None
    if lorry is not None:
        plate = lorry.plate
        tracks.plan(manifest=manifest, now=at(day, hour), **haul)
    services.load(
        manifest=manifest, now=at(day, hour),
        said={
            "plate": plate, "driver": road_said["driver"]["name"], "driver_phone": road_said["driver"]["phone"],
            "starts_at": "綦江", "ends_at": "长寿" if line.said["to"] == "site" else "綦江",
        }, **haul,
    )  # fmt: skip
    if lorry is not None:
        tracks.drive(lorry=lorry, manifest=manifest)
    if ends == "stored":
        services.store_on_the_way(
            manifest=manifest,
            place="江津临时停放场（演示）",
            reason="高速封闭",
            now=at(day, hour, 50),
            **haul,
        )
    if ends in ("on the road", "stored"):
        return
    services.deliver(manifest=manifest, now=at(day, hour + 2), **haul)
    if ends != "delivered":
        _receive(told, line, manifest, load, at(day, hour + 3), ends)


def _receive(
    told: Told, line: Line, manifest: Manifest, load: list[tuple[str, int]], now: datetime, ends: str
) -> None:
    said = line.said
    theirs: dict[str, Any] = {"organisation": told.organisations[said["to"]], "by": told.people[said["to"]]}
    words = {"receiving_contact": "地磅房", "opinion": "同意接受"}
    mine: dict[str, Any] = {"organisation": told.organisations[said["of"]], "by": told.people[said["of"]]}
    if ends.startswith("refused"):
        refusal = {"receiving_contact": "地磅房", "opinion": "抽检热值与合同约定不符，拒收"}
        services.receive(manifest=manifest, act=Act.REFUSE, said=refusal, now=now, **theirs)
        if ends == "refused and returned":
            services.take_back(
                manifest=manifest, store_code=_store_of(line), now=now + timedelta(hours=3), **mine
            )
            line.waiting = load + line.waiting
        return
    is_short, is_partly = "short" in ends, ends == "partly returned"
    lines = []
    for row in queries.lines_of(manifest):
        goes_back = row.declared_g if is_partly and row.position == 1 else 0
        lacking = row.declared_g // 12 if is_short and row.position == 1 else 0
        lines.append(
            LineReceived(
                position=row.position, received=Mass(row.declared_g - goes_back - lacking),
                returned=Mass(goes_back), mode="" if goes_back else said["mode"],
            )
        )  # fmt: skip
    act = Act.PARTLY_ACCEPT if is_partly else Act.ACCEPT
    services.receive(
        manifest=manifest, act=act, lines=lines, said=words, now=now,
        stream_codes={each.position: said["into"] for each in lines} if "into" in said else {}, **theirs,
    )  # fmt: skip
    if is_partly:
        services.take_back(
            manifest=manifest, store_code=_store_of(line), now=now + timedelta(hours=3), **mine
        )
        line.waiting.append(load[0])
    if ends == "revision":
        services.propose_revision(
            manifest=manifest, changes=[services.Change(part=Part.MANIFEST, field="contact_phone", to="023-00000110")],
            reason="联系电话变更", now=now + timedelta(hours=4), **mine,
        )  # fmt: skip
