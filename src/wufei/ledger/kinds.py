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
    TRANSIT = "TRANSIT"  # 在途: on the road under a manifest
    TRANSFORMATION = "TRANSFORMATION"  # 转化: lots go in, others come out, nothing stays


# What people call a place that comes into being by itself. What an outside party or a process is called, people say.
PLACE_NAMES: dict[PlaceKind, str] = {
    PlaceKind.OPENING: "期初",
    PlaceKind.OWN_UTILISATION: "自行利用设施",
    PlaceKind.OWN_DISPOSAL: "自行处置设施",
    PlaceKind.OUTSIDE: "外单位（未写明）",
    PlaceKind.DISCREPANCY: "差异",
    PlaceKind.TRANSIT: "在途",
    PlaceKind.TRANSFORMATION: "转化",
}

# A source may be drawn below zero; nothing else may. What goes through a transformation changes its lot, so
# that the place is below zero of what came out as much as it is above of what went in.
SOURCES = frozenset(
    {
        PlaceKind.PROCESS, PlaceKind.OPENING, PlaceKind.OUTSIDE, PlaceKind.DISCREPANCY,
        PlaceKind.TRANSFORMATION,
    }
)  # fmt: skip
# Where waste waits, counted by the lot: what a draft calls its store.
HOLDERS = frozenset({PlaceKind.STORE, PlaceKind.TRANSIT})


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
    RELOCATION = "RELOCATION"  # 移库
    DISPATCH = "DISPATCH"  # 发运
    RETURN = "RETURN"  # 退回
    TRANSFORMATION_INPUT = "TRANSFORMATION_INPUT"  # 转化投入
    TRANSFORMATION_OUTPUT = "TRANSFORMATION_OUTPUT"  # 转化产出
    TRANSFORMATION_LOSS = "TRANSFORMATION_LOSS"  # 转化损耗


class TransformationKind(StrEnum):
    """What is done to lots that go in so that others come out."""

    SPLIT = "SPLIT"  # 分装
    MERGE = "MERGE"  # 合并
    REPACK = "REPACK"  # 换装
    MIX = "MIX"  # 混合
    TREAT = "TREAT"  # 预处理


# From which kind of place to which. One of the two is a store, but for a loss in a transformation. What is on
# the road may end as what is in a store may: CONTRACTED_… and STOCKTAKE_… go from or to a transit place too.
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
    Kind.RELOCATION: (PlaceKind.STORE, PlaceKind.STORE),
    Kind.DISPATCH: (PlaceKind.STORE, PlaceKind.TRANSIT),
    Kind.RETURN: (PlaceKind.TRANSIT, PlaceKind.STORE),
    Kind.TRANSFORMATION_INPUT: (PlaceKind.STORE, PlaceKind.TRANSFORMATION),
    Kind.TRANSFORMATION_OUTPUT: (PlaceKind.TRANSFORMATION, PlaceKind.STORE),
    Kind.TRANSFORMATION_LOSS: (PlaceKind.TRANSFORMATION, PlaceKind.DISCREPANCY),
}

# Between two places where waste waits: what is held stays as much.
INTERNAL = frozenset({Kind.RELOCATION, Kind.DISPATCH, Kind.RETURN})
# Those that put into what a draft calls its store; a relocation takes from it.
INTO_STORE = frozenset(
    kind for kind, (_, target) in ROUTES.items() if target is PlaceKind.STORE and kind is not Kind.RELOCATION
)
TRANSFORMING = frozenset({Kind.TRANSFORMATION_INPUT, Kind.TRANSFORMATION_OUTPUT, Kind.TRANSFORMATION_LOSS})
# What a person may post by itself; the rest is part of a manifest, of a transformation, of a scan into store.
BY_HAND = tuple(kind for kind in Kind if kind not in INTERNAL | TRANSFORMING)

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
    Kind.RELOCATION: "移库",
    Kind.DISPATCH: "发运",
    Kind.RETURN: "退回",
    Kind.TRANSFORMATION_INPUT: "转化投入",
    Kind.TRANSFORMATION_OUTPUT: "转化产出",
    Kind.TRANSFORMATION_LOSS: "转化损耗",
}

TRANSFORMATION_LABELS: dict[TransformationKind, str] = {
    TransformationKind.SPLIT: "分装",
    TransformationKind.MERGE: "合并",
    TransformationKind.REPACK: "换装",
    TransformationKind.MIX: "混合",
    TransformationKind.TREAT: "预处理",
}
