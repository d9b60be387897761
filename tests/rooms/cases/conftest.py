"""A works and a park with ledgers of 2022 to 2025, small enough to add up by hand."""

from decimal import Decimal

import pytest

from tests.tables import LedgerTable
from wufei.cases import services
from wufei.indicators.services import state_operation, state_product
from wufei.registry.models import ParkMembership

ENTERPRISE_EDITION = "miit-2025-539-enterprise"
PARK_EDITION = "miit-2025-539-park"
YEARS = (2022, 2023, 2024, 2025)


@pytest.fixture(autouse=True)
def files(tmp_path, settings):
    """Evidence goes to a folder of the test's own."""
    described = {**settings.STORAGES["default"], "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = {**settings.STORAGES, "default": described}
    return tmp_path


def fill(ledger: LedgerTable, *, counterparty: str = "綦江水泥厂", first: int = 1000) -> None:
    """Post four years: fly ash generated, used in two ways, the rest disposed of; one row reversed."""
    ledger.stores(库1=None)
    ledger.streams("F1", waste_code="SW02")
    ledger.streams("H1", waste_code="900-249-08")
    for at, year in enumerate(YEARS):
        ledger.post(
            f"{year}-01-31 F1 产生 {first + 10 * at} 吨 库1 -", f"{year}-02-28 H1 产生 {5 + at} 千克 库1 -"
        )
        ledger.post(f"{year}-03-31 F1 自行利用 {300 + 20 * at} 吨 库1 -", method="生产水泥")
        ledger.post(f"{year}-06-30 F1 委外利用 {400 + at} 吨 库1 -", method="制砖", counterparty=counterparty)
        ledger.post(f"{year}-09-30 F1 委外处置 {50} 吨 库1 -", method="填埋", counterparty="填埋场")


def state(organisation, by, now, *, scale: int = 1) -> None:
    for year in YEARS:
        state_operation(
            organisation=organisation, year=year, output_value_10k_yuan=Decimal(1000 * scale + year),
            sales_10k_yuan=Decimal("900.5"), value_added_10k_yuan=Decimal(500 + year), source="测试", by=by, now=now,
        )  # fmt: skip
        state_product(
            organisation=organisation, year=year, name="水泥", capacity=Decimal(100), output=Decimal(80), unit="万吨",
            is_main=True, source="测试", by=by, now=now,
        )  # fmt: skip


@pytest.fixture
def works(organisation, ledger, officer, now):
    organisation.industry_code, organisation.contact = "301", "李四"
    organisation.employee_count = 120
    organisation.save()
    fill(ledger)
    state(organisation, officer, now)
    return organisation


@pytest.fixture
def case(works, officer, now):
    return services.open_case(
        organisation=works, edition_id=ENTERPRISE_EDITION, year=2025, by=officer, now=now
    )


@pytest.fixture
def park(works, make_organisation, make_user, now):
    """Two members since 2020; what the works gives to its neighbour for use stays inside."""
    from datetime import date

    park = make_organisation("綦江工业园区", kind="PARK")
    neighbour = make_organisation("綦江水泥厂", industry_code="301")
    by = make_user("ENVIRONMENT_OFFICER", neighbour)
    fill(LedgerTable(organisation=neighbour, by=by, now=now), counterparty="外地砖厂", first=2000)
    state(neighbour, by, now, scale=3)
    for member in (works, neighbour):
        ParkMembership.objects.create(park=park, member=member, joined_on=date(2020, 1, 1))
    return park


@pytest.fixture
def park_case(park, make_user, now):
    by = make_user("PARK_OFFICER", park)
    return services.open_case(organisation=park, edition_id=PARK_EDITION, year=2025, by=by, now=now)
