"""Ledgers, parks and statements for the tests of figures."""

from datetime import date
from decimal import Decimal

import pytest

from tests.tables import LedgerTable
from wufei.indicators.services import state_operation, state_product
from wufei.registry.models import ParkMembership


@pytest.fixture
def play(operator, now):
    """Post a table for an organisation: `play(org, '2023-01-31 A 产生 5 吨 - -', method=…)`; store 库1."""

    def post(organisation, table: str, **said) -> LedgerTable:
        ledger = LedgerTable(organisation=organisation, by=operator, now=now)
        ledger.stores(库1=None)
        rows = [line.strip() for line in table.splitlines() if line.strip()]
        ledger.streams(*sorted({row.split()[1] for row in rows}))
        drafts = []
        for row in rows:
            words = row.split()
            method, counterparty = ([*words[7:], "-", "-"])[:2]
            extra = {"method": method.strip("-"), "counterparty": counterparty.strip("-")}
            drafts.append(ledger.draft(row, **(extra | said)))
        from wufei.ledger.services import post as post_drafts  # app ready

        post_drafts(organisation=organisation, drafts=drafts, by=operator, now=now)
        return ledger

    return post


@pytest.fixture
def join():
    def add(park, member, joined_on=date(2015, 1, 1), left_on=None) -> ParkMembership:
        return ParkMembership.objects.create(park=park, member=member, joined_on=joined_on, left_on=left_on)

    return add


@pytest.fixture
def operation(operator, now):
    def state(organisation, year: int, *, value_added=None, output=None, sales=None) -> bool:
        amounts = [None if a is None else Decimal(a) for a in (output, sales, value_added)]
        return state_operation(
            organisation=organisation, year=year, output_value_10k_yuan=amounts[0],
            sales_10k_yuan=amounts[1], value_added_10k_yuan=amounts[2], source="测试", by=operator, now=now,
        )  # fmt: skip

    return state


@pytest.fixture
def made(operator, now):
    def state(organisation, year: int, name: str, output: str, unit: str = "吨", *, is_main=True) -> bool:
        return state_product(
            organisation=organisation, year=year, name=name, capacity=None, output=Decimal(output), unit=unit,
            is_main=is_main, source="测试", by=operator, now=now,
        )  # fmt: skip

    return state
