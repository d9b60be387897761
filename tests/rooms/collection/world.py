"""A collector with its point, and small generators that it fetches from."""

import uuid
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from tests.conftest import NOW, valid_uscc
from tests.rooms.transfers.world import allow_carrier, organisation, person
from wufei.collection import queries, services
from wufei.collection.models import CollectionPoint, CollectionRound, Declaration, Registration, Stop
from wufei.collection.services import Agreed, Pick, RegistrationSaid, Said, WasteSaid, Weighing
from wufei.ledger.services import declare_store
from wufei.registry.models import Organisation, PermitKind, User
from wufei.registry.services import permits
from wufei.registry.services.permits import GroupSaid
from wufei.terms.mass import Mass

OIL, RAGS, PAPER = "900-249-08", "900-041-49", "900-005-S17"
JUNE, JULY = date(2026, 6, 1), date(2026, 7, 1)
FAR = date(2028, 12, 31)
PASSWORD, PIN = "a-long-pass-phrase-1", "380417"
WASTES = (
    WasteSaid(waste_code=OIL, name="废机油", form="LIQUID", packaging="DRUM", usual=Mass(180_000)),
    WasteSaid(waste_code=RAGS, name="沾油抹布", form="SOLID", packaging="BAG", usual=Mass(10_000)),
)
AGREED = Agreed(number="XW-1", signed_on=date(2026, 1, 1), valid_through=FAR)


@dataclass
class World:
    collector: Organisation
    officer: User
    driver: User
    point: CollectionPoint
    now: datetime = NOW  # 2026-07-01 10:00 in China
    made: int = field(default=0)

    def later(self, **by: float) -> datetime:
        self.now += timedelta(**by)
        return self.now

    def said(self, **more: Any) -> RegistrationSaid:
        self.made += 1
        asked: dict[str, Any] = {
            "uscc": valid_uscc(f"91500110MA7X{self.made:05d}"), "name": f"汽修店{self.made:02d}", "wastes": WASTES,
            "address": f"綦江区古南街道 {self.made} 号", "contact": "周老板", "phone": f"138000{self.made:05d}",
            "division_code": "500110", "collector": self.collector, "has_checked_collector": True,
        }  # fmt: skip
        return RegistrationSaid(**(asked | more))

    def registered(self, **more: Any) -> tuple[Registration, str]:
        return services.submit(said=self.said(**more), now=self.now)

    def generator(self, began_on: date | None = None, **more: Any) -> tuple[Organisation, User]:
        """Register, confirm and activate a small generator, on the day."""
        now = self.now
        if began_on is not None:
            self.now = NOW.replace(year=began_on.year, month=began_on.month, day=began_on.day)
        row, receipt = self.registered(**more)
        services.confirm(
            registration=row, organisation=self.collector, agreed=AGREED, by=self.officer, now=self.now
        )
        user = services.activate(
            receipt=receipt, phone=row.phone, username=f"shop{self.made}", password=PASSWORD, now=self.now
        )
        self.now = now
        return Organisation.objects.get(uscc=row.uscc), user

    def declare(self, of: Organisation, by: User, month: date = JUNE, **more: Any) -> Declaration:
        """Declare kilograms: `declare(shop, owner, F01="50", F02="0")`; `F01="50/45:漏损"` says what stands, and why."""
        client_id = more.pop("client_id", None) or uuid.uuid4()
        is_nothing = more.pop("is_nothing", False)
        lines = [said_of(code, text) for code, text in more.items()]
        return services.declare(
            organisation=of, month=month, lines=lines, is_nothing=is_nothing, client_id=client_id, by=by, now=self.now
        )  # fmt: skip

    def with_waste(self, **more: str) -> tuple[Organisation, User]:
        """Return a generator that declared June."""
        shop, owner = self.generator(date(2026, 6, 3))
        self.declare(shop, owner, **({"F01": "50", "F02": "8"} | more))
        return shop, owner

    def ready(self) -> list[queries.Ready]:
        day = (self.now + timedelta(hours=8)).date()
        return queries.ready(collector=self.collector, user=self.officer, on=day)

    def plan(self, *shops: Organisation, **more: Any) -> CollectionRound:
        picks = [
            Pick(generator=row.generator.uscc, stream_code=row.stream.code)
            for shop in shops
            for row in self.ready()
            if row.generator == shop and row.stream is not None
        ]
        asked: dict[str, Any] = {
            "organisation": self.collector, "point": self.point, "planned_on": date(2026, 7, 2), "plate": "渝A12345",
            "driver": "李师傅", "driver_phone": "13800000001", "picks": picks, "uid": uuid.uuid4(), "by": self.officer,
            "now": self.now,
        }  # fmt: skip
        return services.plan_round(**(asked | more))

    def started(self, *shops: Organisation, **more: Any) -> CollectionRound:
        return services.start_round(round_=self.plan(*shops, **more), by=self.driver, now=self.later(hours=1))

    def stop(self, round_: CollectionRound, shop: Organisation) -> Stop:
        return Stop.objects.select_related("round__collector", "generator", "manifest").get(
            round=round_, generator=shop
        )

    def pin(self, shop: Organisation, owner: User) -> None:
        services.set_signing_code(organisation=shop, code=PIN, by=owner, now=self.now)

    def sign(self, round_: CollectionRound, shop: Organisation, code: str = PIN, **masses: Any) -> Stop:
        return services.sign_on_the_spot(
            stop=self.stop(round_, shop), code=code, by=self.driver, now=self.later(minutes=5), **masses
        )

    def loaded(self, round_: CollectionRound, *shops: tuple[Organisation, User]) -> CollectionRound:
        for shop, owner in shops:
            self.pin(shop, owner)
            self.sign(round_, shop)
        return round_

    def close(self, round_: CollectionRound, **kilograms: str) -> CollectionRound:
        codes = {"oil": OIL, "rags": RAGS, "paper": PAPER}
        weighed = [
            Weighing(waste_code=codes[name], received=Mass.of(text, "千克"), mode="R9" if name == "oil" else "D10")
            for name, text in kilograms.items()
        ]  # fmt: skip
        return services.close_round(
            round_=round_, weighings=weighed, by=self.officer, now=self.later(hours=2)
        )


def said_of(code: str, text: str) -> Said:
    new, _, rest = text.partition("/")
    standing, _, reason = rest.partition(":")
    return Said(
        stream_code=code, new=Mass.of(new, "千克"), standing=Mass.of(standing, "千克") if standing else None, reason=reason
    )  # fmt: skip


def build(*, capacity: str = "50") -> World:
    collector = organisation(11, "綦江小微收集站", "UTILISER")
    officer = person("ENVIRONMENT_OFFICER", collector, "收集站长")
    driver = person("WORKER", collector, "李师傅")
    said: dict[str, Any] = {"organisation": collector, "by": officer, "now": NOW}
    allow_carrier(collector, officer)
    permits.record_permit(
        kind=PermitKind.COLLECTION, number="CQSJ0001", valid_from=date(2024, 1, 1), valid_through=FAR,
        groups=[GroupSaid(waste_codes=["HW08", "HW49"], capacity=Mass.of(capacity, "吨"), modes=["R9", "D10"])], **said,
    )  # fmt: skip
    declare_store(code="SJ1", name="收集点", store_type="收集点", capacity=Mass.of("20", "吨"), **said)
    point = services.record_point(
        store_code="SJ1", address="綦江区桥河工业园 1 号", divisions=["500110"], emergency_phone="023-48600119",
        emergency_measures="围堵、吸附，立即报告", **said,
    )  # fmt: skip
    return World(collector, officer, driver, point)
