"""
What may be written of organisations and people?

Pure: which role goes with which kind of organisation, what a token may be for, which facts of an
organisation only the operator changes.
"""

import re
from enum import StrEnum

from stdnum.cn import uscc as check_digits
from stdnum.exceptions import ValidationError

from wufei.registry.access import Role

_WASTE_HANDLERS = frozenset({"ENTERPRISE", "UTILISER", "CARRIER"})
_ANY = _WASTE_HANDLERS | {"PARK", "AUTHORITY", "AGENCY"}

# An authority's role in an enterprise would open its whole district: a role fits its organisation.
KINDS_OF_ROLE: dict[Role, frozenset[str]] = {
    Role.ENVIRONMENT_OFFICER: _WASTE_HANDLERS,
    Role.WORKER: _WASTE_HANDLERS,
    Role.PARK_OFFICER: frozenset({"PARK"}),
    Role.AUTHORITY_OFFICER: frozenset({"AUTHORITY"}),
    Role.EXPERT: _ANY,
    Role.AGENCY_STAFF: frozenset({"AGENCY"}),
    Role.ADMINISTRATOR: _ANY,
}

# An organisation that changed these itself would choose who supervises it.
RESERVED_FIELDS = frozenset({"kind", "division_code", "branch"})
OWN_FIELDS = frozenset(
    {
        "name", "industry_code", "address", "established_on", "head", "contact", "phone", "fax", "email",
        "website", "site_area_m2", "employee_count",
    }
)  # fmt: skip


class Scope(StrEnum):
    """What a token may be used for, within what its owner may do."""

    ORGANISATIONS_READ = "organisations:read"
    ORGANISATIONS_WRITE = "organisations:write"
    LEDGER_READ = "ledger:read"
    LEDGER_WRITE = "ledger:write"
    INDICATORS_READ = "indicators:read"
    EVALUATION_READ = "evaluation:read"
    CASES_READ = "cases:read"
    CASES_WRITE = "cases:write"
    REVIEWS_READ = "reviews:read"
    REVIEWS_WRITE = "reviews:write"
    TRANSFERS_READ = "transfers:read"
    TRANSFERS_WRITE = "transfers:write"


class InvalidUscc(ValueError):
    """The text is not a 统一社会信用代码: length, letters or check digit are wrong."""


def read_uscc(text: str) -> str:
    """
    Return the 统一社会信用代码 in its one spelling.

    >>> read_uscc(" 9111 0000 6000 3734 1l ")
    '91110000600037341L'

    :raises InvalidUscc: if its length, a letter or the check digit is wrong
    """
    compact = re.sub(r"[\s-]", "", text).upper()
    try:
        return check_digits.validate(compact)
    except ValidationError as fault:
        raise InvalidUscc(text) from fault


def role_fits(role: Role, kind: str) -> bool:
    """Return whether the role can be held in an organisation of that kind."""
    return kind in KINDS_OF_ROLE[role]
