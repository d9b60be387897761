"""What changes stated inputs: 年度经营 and 产品. Each write in one transaction, with its audit row."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from wufei.indicators.models import AnnualOperation, AnnualProduct
from wufei.registry.access import Permission
from wufei.registry.models import Organisation, User
from wufei.registry.queries import require
from wufei.registry.services import audit

FIRST_YEAR = 1949
LARGEST = Decimal(10) ** 13  # above this an amount is a slip of the unit, not a fact
STEP = Decimal("0.000001")  # what is kept of an amount


class InputRefused(Exception):
    """The amount was not written; `code` says why, `field` where."""

    def __init__(self, code: str, field: str, detail: str = ""):
        self.code = code  # year_out_of_range, amount_negative, amount_absurd, amount_too_fine, text_missing, stale_edit
        self.field = field
        self.detail = detail
        super().__init__(f"{code} {field} {detail}".strip())


@transaction.atomic
def state_operation(
    *,
    organisation: Organisation,
    year: int,
    output_value_10k_yuan: Decimal | None,
    sales_10k_yuan: Decimal | None,
    value_added_10k_yuan: Decimal | None,
    source: str,
    by: User,
    now: datetime,
    expected_version: int | None = None,
) -> bool:
    """
    State an organisation's production value of a year; return whether anything changed.

    Value added may be negative (a loss); output value and sales may not.

    :raises InputRefused: if an amount can't be true, or the row was changed since it was read
    :raises NotPermitted: if the person may not edit the organisation
    """
    today = _allowed(organisation, by, now)
    _check_year(year, today)
    said = {
        "output_value_10k_yuan": _amount("output_value_10k_yuan", output_value_10k_yuan),
        "sales_10k_yuan": _amount("sales_10k_yuan", sales_10k_yuan),
        "value_added_10k_yuan": _amount("value_added_10k_yuan", value_added_10k_yuan, may_be_negative=True),
    }
    rows = AnnualOperation.objects.select_for_update().filter(organisation=organisation, year=year)
    new = AnnualOperation(organisation=organisation, year=year, source=source, **said)
    return _upsert(rows.first(), new, said, source, expected_version, by, now)


@transaction.atomic
def state_product(
    *,
    organisation: Organisation,
    year: int,
    name: str,
    capacity: Decimal | None,
    output: Decimal,
    unit: str,
    is_main: bool,
    source: str,
    by: User,
    now: datetime,
    expected_version: int | None = None,
) -> bool:
    """
    State what an organisation made of a product in a year; return whether anything changed.

    :raises InputRefused: if an amount can't be true, or the row was changed since it was read
    :raises NotPermitted: if the person may not edit the organisation
    """
    today = _allowed(organisation, by, now)
    _check_year(year, today)
    name, unit = name.strip(), unit.strip()
    for field, text in (("name", name), ("unit", unit)):
        if not text:
            raise InputRefused("text_missing", field)
    said = {
        "capacity": _amount("capacity", capacity),
        "output": _amount("output", output),
        "unit": unit,
        "is_main": is_main,
    }
    rows = AnnualProduct.objects.select_for_update().filter(organisation=organisation, year=year, name=name)
    new = AnnualProduct(organisation=organisation, year=year, name=name, source=source, **said)
    return _upsert(rows.first(), new, said, source, expected_version, by, now)


def _allowed(organisation: Organisation, by: User, now: datetime) -> date:
    today = timezone.localdate(now)
    require(user=by, permission=Permission.EDIT_ORGANISATION, organisation=organisation, on=today)
    return today


def _check_year(year: int, today: date) -> None:
    if not FIRST_YEAR <= year <= today.year:
        raise InputRefused("year_out_of_range", "year", str(year))


def _amount(field: str, amount: Decimal | None, *, may_be_negative: bool = False) -> Decimal | None:
    if amount is None:
        return None
    if not amount.is_finite() or abs(amount) > LARGEST:
        raise InputRefused("amount_absurd", field, str(amount))
    if amount < 0 and not may_be_negative:
        raise InputRefused("amount_negative", field, str(amount))
    if amount != amount.quantize(STEP):
        raise InputRefused("amount_too_fine", field, str(amount))
    return amount


def _upsert(
    stored: AnnualOperation | AnnualProduct | None,
    new: AnnualOperation | AnnualProduct,
    said: dict[str, Any],
    source: str,
    expected_version: int | None,
    by: User,
    now: datetime,
) -> bool:
    """Write the row unless it already says the same; where it came from is not a change by itself."""
    if expected_version is not None and expected_version != (stored.version if stored else 0):
        raise InputRefused("stale_edit", "version", str(stored.version if stored else 0))
    if stored is None:
        new.save()
        row, before = new, {}
    else:
        before = {field: getattr(stored, field) for field in said}
        if before == said:
            return False
        for field, value in said.items():
            setattr(stored, field, value)
        stored.source = source
        stored.version += 1
        stored.save()
        row = stored
    what = "operation" if isinstance(row, AnnualOperation) else "product"
    audit(
        by=by,
        now=now,
        action=f"indicators.state_{what}",
        organisation=row.organisation,
        object_ref=f"{what}:{row.year}" + (f":{row.name}" if isinstance(row, AnnualProduct) else ""),
        detail={"before": _texts(before), "after": _texts(said), "source": source},
    )
    return True


def _texts(said: dict[str, Any]) -> dict[str, Any]:
    return {field: str(value) if isinstance(value, Decimal) else value for field, value in said.items()}
