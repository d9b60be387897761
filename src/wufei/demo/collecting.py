"""
Small generators and who collects from them: registered, two months declared, one round closed, one planned.

Told through the same services that they use. One of them never says a word: what it has is unknown.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from wufei.collection import months, queries, services
from wufei.collection.models import CollectionRound, Stop
from wufei.collection.services import Agreed, Pick, RegistrationSaid, Said, WasteSaid, Weighing
from wufei.demo.district import uscc_of
from wufei.ledger.services import declare_store
from wufei.registry import services as registry
from wufei.registry.access import Role
from wufei.registry.models import Organisation, OrganisationKind, PermitKind, User
from wufei.registry.services import permits
from wufei.terms.day import SHANGHAI
from wufei.terms.mass import Mass

NAMES = uuid.UUID(
    "6d1f0f4e-3c0a-4f8e-9b0e-2a7c51d0a002"
)  # of what is posted, so that it is the same each time
FAR = date(2029, 12, 31)
PIN = "704218"


@cache
def collecting() -> dict[str, Any]:
    """Return the data of the collection as strings."""
    text = (Path(__file__).parent / "collecting.yaml").read_text(encoding="utf-8")
    return yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 strings only


def people() -> list[dict[str, str]]:
    """Return who can sign in: username, name, role, and the name of the organisation."""
    said = collecting()
    first = {each["owner"]: each["name"] for each in reversed(said["generators"])}
    own = [each | {"of": said["collector"]["name"]} for each in said["people"]]
    owners = [
        {"username": each["username"], "name": each["name"], "role": "ENVIRONMENT_OFFICER", "of": first[each["username"]]}
        for each in said["owners"]
    ]  # fmt: skip
    return [*own, *owners]


@dataclass
class Told:
    """Who takes part."""

    collector: Organisation
    people: dict[str, User]
    park: Organisation
    shops: dict[str, Organisation] = field(default_factory=dict)  # by serial

    @property
    def mine(self) -> dict[str, Any]:
        return {"organisation": self.collector, "by": self.people["collect"]}


def play(*, organisations: dict[str, Organisation], password: str, by: User, now: datetime) -> None:
    """Let the two months pass."""
    said = collecting()
    begun = _at(date.fromisoformat(said["registered_on"]), 9)
    told = _collector(organisations["park"], password, by, begun)
    _register(told, password, begun)
    for at, month in enumerate(said["months"]):
        first = date.fromisoformat(f"{month}-01")
        _declare(told, first, at, _at(months.month_after(first), 10))
        if at == 0:
            _closed_round(told)
    _planned_round(told)


def _at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), SHANGHAI)


def _collector(park: Organisation, password: str, by: User, now: datetime) -> Told:
    said = collecting()
    own = said["collector"]
    collector = registry.register_organisation(
        uscc=uscc_of(own["serial"]), name=own["name"], kind=OrganisationKind.UTILISER, division_code=own["division"],
        address=own["address"], phone=own["phone"], by=by, now=now,
    )  # fmt: skip
    for each in said["people"]:
        user = registry.create_user(
            username=each["username"], password=password, full_name=each["name"],
            email=f"{each['username']}@example.invalid", by=by, now=now,
        )  # fmt: skip
        registry.assign_role(user=user, organisation=collector, role=Role(each["role"]), by=by, now=now)
    told = Told(collector, {user.username: user for user in User.objects.all()}, park)
    mine: dict[str, Any] = {**told.mine, "now": now}
    permit = said["permit"]
    recorded = permits.record_permit(
        kind=PermitKind.COLLECTION, number=permit["number"], valid_from=date(2025, 1, 1), valid_through=date(2027, 12, 31),
        groups=[
            permits.GroupSaid(
                waste_codes=permit["codes"], capacity=Mass.of(permit["capacity"], "吨"), modes=permit["modes"]
            )
        ],
        **mine,
    )  # fmt: skip
    permits.verify_permit(permit=recorded, by=told.people["city-environment"], now=now)
    permits.record_permit(
        kind=PermitKind.TRANSPORT, number=said["transport_permit"], valid_from=date(2025, 1, 1), valid_through=FAR, **mine
    )  # fmt: skip
    permits.record_vehicle(plate=said["vehicle"], permit_number="渝运证綦241", valid_through=FAR, **mine)
    permits.record_driver(valid_through=FAR, **said["driver"], **mine)
    declare_store(code="SJ1", name="小微收集点", store_type="收集点", capacity=Mass.of("20", "吨"), **mine)
    services.record_point(
        store_code="SJ1", address=own["address"], divisions=[own["division"]], emergency_phone="023-00000119",
        emergency_measures="围堵、吸附收集，立即报告属地生态环境部门", **mine,
    )  # fmt: skip
    return told


def _register(told: Told, password: str, now: datetime) -> None:
    """Register each: by itself or by the park; each owner sets one account, which serves all that are theirs."""
    said = collecting()
    owners = {each["username"]: each for each in said["owners"]}
    for each in said["generators"]:
        owner = owners[each["owner"]]
        agreed = Agreed(
            number=f"XW-2026-{each['serial']}", signed_on=now.date(), valid_through=date(2027, 8, 31)
        )
        asked = _said(told, each, owner)
        if each.get("park"):
            row, receipt = services.register_on_behalf(
                said=asked, organisation=told.park, consent=f"同意书 2026-{each['serial']} 号（演示）", agreed=agreed,
                by=told.people["park"], now=now,
            )  # fmt: skip
        else:
            row, receipt = services.submit(said=asked, now=now)
            services.confirm(registration=row, agreed=agreed, now=now, **told.mine)
        shop = told.shops[each["serial"]] = Organisation.objects.get(uscc=row.uscc)
        username = each["owner"]
        if username in told.people:
            registry.assign_role(
                user=told.people[username], organisation=shop, role=Role.ENVIRONMENT_OFFICER, by=registry.operator(),
                now=now,
            )  # fmt: skip
        else:
            told.people[username] = services.activate(
                receipt=receipt, phone=owner["phone"], username=username, password=password, now=now
            )


def _said(told: Told, each: Mapping[str, Any], owner: Mapping[str, str]) -> RegistrationSaid:
    known = collecting()["wastes"]
    return RegistrationSaid(
        uscc=uscc_of(each["serial"]), name=each["name"], address=f"重庆市綦江区古南街道 {each['serial']} 号（演示）",
        contact=owner["name"], phone=owner["phone"], division_code="500110", collector=told.collector,
        has_checked_collector=True,
        wastes=[
            WasteSaid(
                waste_code=known[kind]["code"], name=known[kind]["name"], form=known[kind]["form"],
                packaging=known[kind]["packaging"], usual=Mass.of(known[kind]["usual"], "千克"),
            )
            for kind in each["wastes"]
        ],
    )  # fmt: skip


def _declare(told: Told, month: date, at: int, now: datetime) -> None:
    for each in collecting()["generators"]:
        if each.get("silent"):
            continue
        lines = [
            Said(stream_code=f"F{n:02}", new=Mass.of(amounts[at], "千克"))
            for n, amounts in enumerate(each["wastes"].values(), 1)
        ]
        services.declare(
            organisation=told.shops[each["serial"]], month=month, lines=lines,
            is_nothing=not any(line.new.grams for line in lines), by=told.people[each["owner"]], now=now,
            client_id=uuid.uuid5(NAMES, f"{each['serial']} {month}"),
        )  # fmt: skip


def _plan(told: Told, said: Mapping[str, Any], now: datetime) -> CollectionRound:
    codes = {each["code"] for each in collecting()["wastes"].values() if "-S" not in each["code"]}
    ready = queries.ready(collector=told.collector, user=told.people["collect"], on=now.date())
    picks = [
        Pick(generator=row.generator.uscc, stream_code=row.stream.code)
        for serial in said["stops"]
        for row in ready
        if row.generator == told.shops[serial] and row.stream is not None and row.stream.waste_code in codes
    ]
    driver = collecting()["driver"]
    point = queries.points_of(organisation=told.collector, on=now.date()).get()
    return services.plan_round(
        point=point, planned_on=date.fromisoformat(said["on"]), plate=collecting()["vehicle"], driver=driver["name"],
        driver_phone=driver["phone"], picks=picks, uid=uuid.uuid5(NAMES, f"round {said['on']}"), now=now, **told.mine,
    )  # fmt: skip


def _closed_round(told: Told) -> None:
    """The October round: most sign on their own phones, one with its code on the driver's, one is not at home."""
    said = collecting()["closed"]
    day, driver = date.fromisoformat(said["on"]), told.people["collect-driver"]
    round_ = _plan(told, said, _at(day, 7))
    services.start_round(round_=round_, by=driver, now=_at(day, 8))
    owners = {
        told.shops[each["serial"]].pk: told.people[each["owner"]] for each in collecting()["generators"]
    }
    for at, stop in enumerate(queries.stops_of(round_)):
        now, owner = _at(day, 9 + at), owners[stop.generator_id]
        if stop.generator == told.shops[said["away"]]:
            services.leave_out(
                stop=stop, reason=Stop.Reason.NOT_AT_HOME, words="店门上锁，电话未接", by=driver, now=now
            )
        elif stop.generator == told.shops[said["on_the_spot"]]:
            services.set_signing_code(organisation=stop.generator, code=PIN, by=owner, now=_at(day, 7, 30))
            services.sign_on_the_spot(stop=stop, code=PIN, by=driver, now=now)
        else:
            services.sign_as_generator(stop=stop, organisation=stop.generator, by=owner, now=_at(day, 7, 40))
            services.load_signed(stop=Stop.objects.get(pk=stop.pk), by=driver, now=now)
    known = collecting()["wastes"]
    weighings = [
        Weighing(
            waste_code=known[kind]["code"], received=Mass.of(kilograms, "千克"), mode=said["modes"][kind]
        )
        for kind, kilograms in said["weighed"].items()
    ]
    services.close_round(round_=round_, weighings=weighings, by=told.people["collect"], now=_at(day, 16))


def _planned_round(told: Told) -> None:
    said = collecting()["planned"]
    _plan(told, said, _at(date.fromisoformat(said["asked_on"]), 15))
