"""Stating 年度经营 and 产品: upserts that leave a trace, and refuse what can't be true."""

from decimal import Decimal

import pytest

from wufei.indicators.models import AnnualOperation, AnnualProduct
from wufei.indicators.services import InputRefused, state_operation, state_product
from wufei.registry.models import AuditEntry
from wufei.registry.queries import NotPermitted


@pytest.fixture
def state(organisation, officer, now):
    def write(**said) -> bool:
        amounts = {
            "output_value_10k_yuan": Decimal("10"),
            "sales_10k_yuan": None,
            "value_added_10k_yuan": Decimal("4.5"),
        }
        defaults = {"organisation": organisation, "year": 2024, "source": "工作簿", "by": officer, "now": now}
        return state_operation(**(defaults | amounts | said))

    return write


@pytest.fixture
def state_made(organisation, officer, now):
    def write(**said) -> bool:
        defaults = {
            "organisation": organisation, "year": 2024, "name": "砖", "capacity": None, "output": Decimal(5),
            "unit": "万块", "is_main": True, "source": "工作簿", "by": officer, "now": now,
        }  # fmt: skip
        return state_product(**(defaults | said))

    return write


def test_an_operation_is_stated_once_and_changed_in_place(state):
    assert state()
    assert not state(), "the same again is no write"
    assert state(value_added_10k_yuan=Decimal("5"))

    row = AnnualOperation.objects.get()
    assert (row.value_added_10k_yuan, row.version) == (5, 2)
    entries = AuditEntry.objects.order_by("pk")
    assert [entry.action for entry in entries] == ["indicators.state_operation"] * 2
    assert entries[1].detail["before"]["value_added_10k_yuan"] == "4.500000"
    assert entries[1].detail["after"]["value_added_10k_yuan"] == "5"


def test_a_product_is_stated_once_and_changed_in_place(state_made):
    assert state_made()
    assert not state_made(name=" 砖 ")
    assert state_made(output=Decimal(0))
    assert state_made(name="瓦", is_main=False)

    assert list(AnnualProduct.objects.order_by("pk").values_list("name", "output", "version")) == [
        ("砖", 0, 2),
        ("瓦", 5, 1),
    ]


@pytest.mark.parametrize(
    ("said", "code", "field"),
    [
        ({"year": 1948}, "year_out_of_range", "year"),
        ({"year": 2027}, "year_out_of_range", "year"),
        ({"output_value_10k_yuan": Decimal(-1)}, "amount_negative", "output_value_10k_yuan"),
        ({"sales_10k_yuan": Decimal("1e14")}, "amount_absurd", "sales_10k_yuan"),
        ({"sales_10k_yuan": Decimal("NaN")}, "amount_absurd", "sales_10k_yuan"),
        ({"value_added_10k_yuan": Decimal("0.0000001")}, "amount_too_fine", "value_added_10k_yuan"),
        ({"expected_version": 3}, "stale_edit", "version"),
    ],
)
def test_an_operation_that_can_not_be_true_is_refused(state, said, code, field):
    with pytest.raises(InputRefused) as refused:
        state(**said)

    assert (refused.value.code, refused.value.field) == (code, field)
    assert AnnualOperation.objects.count() == AuditEntry.objects.count() == 0


@pytest.mark.parametrize(
    ("said", "code", "field"),
    [
        ({"name": "  "}, "text_missing", "name"),
        ({"unit": ""}, "text_missing", "unit"),
        ({"output": Decimal(-1)}, "amount_negative", "output"),
        ({"capacity": Decimal(-1)}, "amount_negative", "capacity"),
    ],
)
def test_a_product_that_can_not_be_true_is_refused(state_made, said, code, field):
    with pytest.raises(InputRefused) as refused:
        state_made(**said)

    assert (refused.value.code, refused.value.field) == (code, field)
    assert AnnualProduct.objects.count() == 0


def test_value_added_may_be_negative(state):
    assert state(value_added_10k_yuan=Decimal("-3"))


def test_an_edit_of_what_was_read_goes_through(state):
    state()

    assert state(sales_10k_yuan=Decimal(1), expected_version=1)


def test_nobody_states_for_another_organisation(state, state_made, make_user, make_organisation):
    stranger = make_user("ENVIRONMENT_OFFICER", make_organisation())

    with pytest.raises(NotPermitted):
        state(by=stranger)
    with pytest.raises(NotPermitted):
        state_made(by=stranger)
    assert AnnualOperation.objects.count() == AnnualProduct.objects.count() == 0
