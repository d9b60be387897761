"""Who sends what to whom: a generator with containers in store, a carrier, a receiver with its permit."""

import uuid
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from tests.conftest import NOW, valid_uscc
from tests.tables import LedgerTable
from wufei.registry.models import Contract, OperatingPermit, Organisation, PermitKind, RoleAssignment, User
from wufei.registry.services import permits
from wufei.registry.services.permits import GroupSaid
from wufei.terms.mass import Mass
from wufei.transfers import queries, services
from wufei.transfers.models import Manifest
from wufei.transfers.services import LegSaid, LineReceived, LineSaid
from wufei.transfers.states import Act

OIL = "900-249-08"  # 废矿物油
TODAY = date(2026, 7, 1)
FAR = date(2028, 12, 31)
SAID = {
    "contact": "张三", "contact_phone": "023-48600001", "emergency_phone": "023-48600119",
    "emergency_measures": "围堵、吸附，立即报告", "origin_address": "綦江区古南街道 1 号", "consignor": "GENERATOR",
}  # fmt: skip
OF_A_LINE = {"hazards": "T,I", "physical_form": "LIQUID", "packaging": "DRUM"}
DRIVE = {
    "plate": "渝A12345", "driver": "李师傅", "driver_phone": "13800000001", "starts_at": "綦江", "ends_at": "涪陵",
}  # fmt: skip
TAKEN = {"receiving_contact": "王五", "opinion": "同意接受"}


def organisation(number: int, name: str, kind: str, division: str = "500110") -> Organisation:
    return Organisation.objects.create(
        uscc=valid_uscc(f"91500110MA6T{number:05d}"),
        name=name,
        kind=kind,
        division_code=division,
        created_at=NOW,
    )


def person(role: str, of: Organisation, name: str) -> User:
    made = User.objects.create(username=name, full_name=name)
    RoleAssignment.objects.create(user=made, organisation=of, role=role)
    return made


@dataclass
class World:
    generator: Organisation
    carrier: Organisation
    receiver: Organisation
    officer: User  # of the generator
    driver: User  # a worker of the carrier
    taker: User  # an officer of the receiver
    permit: OperatingPermit
    ledger: LedgerTable
    received: LedgerTable
    now: datetime = NOW
    made: int = field(default=0)

    def later(self, **by: float) -> datetime:
        self.now += timedelta(**by)
        return self.now

    def drum(self, code: str, kilograms: str = "200", stream: str = "F1") -> str:
        """Put a drum into the generator's store."""
        self.ledger.post(f"2026-06-20 {stream} 产生 {kilograms} 千克 危废库 {code}")
        return code

    def draft(self, *codes: str, lines: list[LineSaid] | None = None, **said: Any) -> Manifest:
        self.made += 1
        if lines is None:
            codes = codes or (self.drum(f"D{self.made:03}"),)
            lines = [LineSaid(lot=code, said=OF_A_LINE) for code in codes]
        asked: dict[str, Any] = {
            "organisation": self.generator, "receiver": self.receiver.uscc, "lines": lines, "by": self.officer,
            "legs": [LegSaid(carrier=self.carrier.uscc)], "said": SAID, "now": self.now,
        }  # fmt: skip
        return services.create_draft(**(asked | said))

    def issue(self, manifest: Manifest, **said: Any) -> Manifest:
        asked = {"organisation": self.generator, "by": self.officer, "now": self.now}
        return services.issue(manifest=manifest, **(asked | said))

    def issued(self, *codes: str, **said: Any) -> Manifest:
        return self.issue(self.draft(*codes, **said))

    def load(self, manifest: Manifest, **said: Any) -> Manifest:
        asked = {
            "organisation": self.carrier,
            "by": self.driver,
            "now": self.later(minutes=10),
            "said": DRIVE,
        }
        return services.load(manifest=manifest, **(asked | said))

    def deliver(self, manifest: Manifest, **said: Any) -> Manifest:
        asked = {"organisation": self.carrier, "by": self.driver, "now": self.later(hours=2)}
        return services.deliver(manifest=manifest, **(asked | said))

    def loaded(self, *codes: str, **said: Any) -> Manifest:
        return self.load(self.issued(*codes, **said))

    def delivered(self, *codes: str, **said: Any) -> Manifest:
        return self.deliver(self.loaded(*codes, **said))

    def receive(self, manifest: Manifest, *kilograms: str, act: Act = Act.ACCEPT, **said: Any) -> Manifest:
        """Receive the lines with these weights; "150-50": of which 50 go back."""
        lines = []
        for at, text in enumerate(kilograms, 1):
            received, _, returned = text.partition("-")
            lines.append(
                LineReceived(
                    position=at, received=Mass.of(received, "千克"), returned=Mass.of(returned or "0", "千克"),
                    mode="R9" if received != "0" else "",
                )
            )  # fmt: skip
        asked: dict[str, Any] = {
            "organisation": self.receiver, "by": self.taker, "now": self.later(hours=1), "said": TAKEN,
            "lines": lines, "act": act,
        }  # fmt: skip
        return services.receive(manifest=manifest, **(asked | said))

    def accepted(self, *codes: str) -> Manifest:
        manifest = self.delivered(*codes)
        weights = [str(line.declared_g // 1000) for line in queries.lines_of(manifest)]
        return self.receive(manifest, *weights)

    def used_g(self) -> int:
        [group] = self.permit.groups.all()
        use = group.uses.filter(year=2026).first()
        return use.used_g if use else 0

    def state(self, manifest: Manifest) -> str:
        return Manifest.objects.values_list("state", flat=True).get(pk=manifest.pk)


def build(
    *, capacity: str = "1000", receiver_keeps_ledger: bool = True, receiver_division: str = "500102"
) -> World:
    generator = organisation(1, "綦江齿轮", "ENTERPRISE")
    carrier = organisation(2, "顺达运输", "CARRIER")
    receiver = organisation(3, "涪陵油品再生", "UTILISER", receiver_division)
    officer = person("ENVIRONMENT_OFFICER", generator, "张三")
    driver = person("WORKER", carrier, "李师傅")
    dispatcher = person("ENVIRONMENT_OFFICER", carrier, "调度")
    taker = person("ENVIRONMENT_OFFICER", receiver, "王五")
    ledger = LedgerTable(organisation=generator, by=officer, now=NOW)
    ledger.stores(危废库=None)
    ledger.streams("F1", "F2", waste_code=OIL)
    received = LedgerTable(organisation=receiver, by=taker, now=NOW)
    if receiver_keeps_ledger:
        received.stores(接收库=None)
        received.streams("R1", waste_code=OIL)
    permit = permits.record_permit(
        organisation=receiver, kind=PermitKind.COMPREHENSIVE, number="CQ5001020001", valid_from=date(2024, 1, 1),
        valid_through=FAR, groups=[GroupSaid(waste_codes=["HW08"], capacity=Mass.of(capacity, "吨"), modes=["R9"])],
        by=taker, now=NOW,
    )  # fmt: skip
    contract(generator, receiver, Contract.Purpose.RECEIVING, officer)
    contract(generator, carrier, Contract.Purpose.TRANSPORT, officer)
    checked(generator, receiver, officer)
    allow_carrier(carrier, dispatcher)
    return World(generator, carrier, receiver, officer, driver, taker, permit, ledger, received)


def contract(generator: Organisation, other: Organisation, purpose: str, by: User) -> Contract:
    return permits.record_contract(
        organisation=generator, counterparty=other, purpose=purpose, number=f"HT-{purpose}",
        signed_on=date(2026, 1, 1), valid_through=FAR, by=by, now=NOW,
    )  # fmt: skip


def checked(generator: Organisation, subject: Organisation, by: User, **said: Any) -> None:
    """Due diligence of the one by the other."""
    asked: dict[str, Any] = {
        "checked_on": date(2026, 1, 5), "valid_through": FAR, "is_passed": True, "capability": "设施运行正常",
    }  # fmt: skip
    permits.record_due_diligence(
        organisation=generator, subject=subject, qualification="许可证齐全", by=by, now=NOW, **(asked | said)
    )


def allow_carrier(carrier: Organisation, by: User) -> None:
    """The carrier's permit, vehicle and driver."""
    said: dict[str, Any] = {"organisation": carrier, "by": by, "now": NOW}
    permits.record_permit(
        kind=PermitKind.TRANSPORT,
        number="渝交运危0001",
        valid_from=date(2024, 1, 1),
        valid_through=FAR,
        **said,
    )
    permits.record_vehicle(plate="渝A12345", permit_number="渝运证1", valid_through=FAR, **said)
    permits.record_driver(name="李师傅", phone="13800000001", valid_through=FAR, **said)


def the_other_way(world: World) -> World:
    """The receiver sends to the generator what it has itself."""
    world.received.stores(危废库=None)
    world.received.streams("F1", waste_code=OIL)
    permit = permits.record_permit(
        organisation=world.generator, kind=PermitKind.COMPREHENSIVE, number="CQ5001100001",
        valid_from=date(2024, 1, 1), valid_through=FAR, by=world.officer, now=NOW,
        groups=[GroupSaid(waste_codes=["HW08"], capacity=Mass.of("1000", "吨"))],
    )  # fmt: skip
    contract(world.receiver, world.generator, Contract.Purpose.RECEIVING, world.taker)
    contract(world.receiver, world.carrier, Contract.Purpose.TRANSPORT, world.taker)
    checked(world.receiver, world.generator, world.taker)
    return World(
        world.receiver, world.carrier, world.generator, world.taker, world.driver, world.officer, permit,
        world.received, world.ledger, made=500,
    )  # fmt: skip


def new_id() -> uuid.UUID:
    return uuid.uuid4()
