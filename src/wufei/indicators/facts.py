"""What is known of an organisation, as plain rows: what the indicators are computed from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from wufei.ledger.kinds import Kind

UTILISATION = (Kind.OWN_UTILISATION, Kind.CONTRACTED_UTILISATION)
DISPOSAL = (Kind.OWN_DISPOSAL, Kind.CONTRACTED_DISPOSAL)
CONTRACTED = (Kind.CONTRACTED_UTILISATION, Kind.CONTRACTED_DISPOSAL)
OUTFLOWS = (*UTILISATION, *DISPOSAL)
# What is on the road is still the stock of who sent it; relocation and dispatch change nothing here.
INTO_STORE = (
    Kind.OPENING_STOCK, Kind.GENERATION, Kind.RECEIPT, Kind.STOCKTAKE_GAIN, Kind.TRANSFORMATION_OUTPUT,
)  # fmt: skip
OUT_OF_STORE = (*OUTFLOWS, Kind.STOCKTAKE_LOSS, Kind.TRANSFORMATION_INPUT)
COUNTED = frozenset({*INTO_STORE, *OUT_OF_STORE})


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamFacts:
    code: str
    name: str
    waste_code: str = ""
    waste_category: str  # HW08, SW17
    waste_class: str  # GENERAL, HAZARDOUS
    process: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """What moved of a stream in a month (a year, a day), signed: a reversal takes away."""

    stream: str
    kind: Kind
    on: date  # the first day of the month (or year, where months aren't asked for), or the day itself
    mass_g: int
    method: str = ""
    counterparty: str = ""
    lot_origin: str = ""  # of a labelled lot; "" and 0 of bulk
    lot_origin_year: int = 0
    count: int = 1

    @property
    def is_bulk(self) -> bool:
        return not self.lot_origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """年度经营 as stated, in 万元."""

    output_value: Decimal | None = None
    sales: Decimal | None = None
    value_added: Decimal | None = None
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    name: str
    output: Decimal
    unit: str
    is_main: bool = False
    capacity: Decimal | None = None
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    uscc: str
    name: str = ""
    keeps_ledger: bool = True  # a carrier or an agency need not
    industry_code: str = ""
    streams: Mapping[str, StreamFacts] = field(default_factory=dict)
    flows: tuple[Flow, ...] = ()
    operations: Mapping[int, Operation] = field(default_factory=dict)
    products: Mapping[int, tuple[Product, ...]] = field(default_factory=dict)
