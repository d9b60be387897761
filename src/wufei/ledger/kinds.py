"""What kinds of place and of movement are there, and which movement goes from where to where?"""

from enum import StrEnum


class PlaceKind(StrEnum):
    PROCESS = "PROCESS"  # 产生工序: makes waste from nothing
    OPENING = "OPENING"  # 期初: where the stock of earlier years comes from
    STORE = "STORE"  # 贮存设施
    OWN_UTILISATION = "OWN_UTILISATION"  # 自行利用设施
    OWN_DISPOSAL = "OWN_DISPOSAL"  # 自行处置设施
    OUTSIDE = "OUTSIDE"  # 外单位
    DISCREPANCY = "DISCREPANCY"  # 盘点差异


# A source may be drawn below zero; nothing else may.
SOURCES = frozenset({PlaceKind.PROCESS, PlaceKind.OPENING, PlaceKind.OUTSIDE, PlaceKind.DISCREPANCY})


class Kind(StrEnum):
    """环节: what a movement does to the waste."""

    OPENING_STOCK = "OPENING_STOCK"  # 期初贮存
    GENERATION = "GENERATION"  # 产生
    OWN_UTILISATION = "OWN_UTILISATION"  # 自行利用
    OWN_DISPOSAL = "OWN_DISPOSAL"  # 自行处置
    CONTRACTED_UTILISATION = "CONTRACTED_UTILISATION"  # 委外利用
    CONTRACTED_DISPOSAL = "CONTRACTED_DISPOSAL"  # 委外处置
    RECEIPT = "RECEIPT"  # 接收
    STOCKTAKE_GAIN = "STOCKTAKE_GAIN"  # 盘盈
    STOCKTAKE_LOSS = "STOCKTAKE_LOSS"  # 盘亏


# From which kind of place to which; one of the two is always a store.
ROUTES: dict[Kind, tuple[PlaceKind, PlaceKind]] = {
    Kind.OPENING_STOCK: (PlaceKind.OPENING, PlaceKind.STORE),
    Kind.GENERATION: (PlaceKind.PROCESS, PlaceKind.STORE),
    Kind.OWN_UTILISATION: (PlaceKind.STORE, PlaceKind.OWN_UTILISATION),
    Kind.OWN_DISPOSAL: (PlaceKind.STORE, PlaceKind.OWN_DISPOSAL),
    Kind.CONTRACTED_UTILISATION: (PlaceKind.STORE, PlaceKind.OUTSIDE),
    Kind.CONTRACTED_DISPOSAL: (PlaceKind.STORE, PlaceKind.OUTSIDE),
    Kind.RECEIPT: (PlaceKind.OUTSIDE, PlaceKind.STORE),
    Kind.STOCKTAKE_GAIN: (PlaceKind.DISCREPANCY, PlaceKind.STORE),
    Kind.STOCKTAKE_LOSS: (PlaceKind.STORE, PlaceKind.DISCREPANCY),
}

INTO_STORE = frozenset(kind for kind, (_, target) in ROUTES.items() if target is PlaceKind.STORE)

LABELS: dict[Kind, str] = {
    Kind.OPENING_STOCK: "期初贮存",
    Kind.GENERATION: "产生",
    Kind.OWN_UTILISATION: "自行利用",
    Kind.OWN_DISPOSAL: "自行处置",
    Kind.CONTRACTED_UTILISATION: "委外利用",
    Kind.CONTRACTED_DISPOSAL: "委外处置",
    Kind.RECEIPT: "接收",
    Kind.STOCKTAKE_GAIN: "盘盈",
    Kind.STOCKTAKE_LOSS: "盘亏",
}
