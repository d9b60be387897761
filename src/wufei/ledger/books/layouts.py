"""
Which tables do the official ledgers have, and which columns has each?

Data. HJ 1259-2022 附录B was read in its full text; the tables of 公告2021年第82号 were not: their columns are
from memory (standards.md, C) and every page and file says so.
"""

from dataclasses import dataclass, field
from enum import StrEnum, auto


class Cell(StrEnum):
    """What stands in a column."""

    TEXT = auto()
    DAY = auto()
    MASS = auto()  # 吨
    COUNT = auto()


@dataclass(frozen=True, slots=True)
class Column:
    """
    A column; `group` is the heading over it and its neighbours.

    `source` says where what stands in it would come from: it is said of a blank. A column of `by_hand` is
    left free to be signed.
    """

    key: str
    label: str
    group: str = ""
    width: int = 12  # of a sheet, in half-width characters
    cell: Cell = Cell.TEXT
    source: str = ""
    by_hand: bool = False

    @property
    def keeps_whole(self) -> bool:
        """Return whether what stands in it is never broken over two lines: days, numbers and codes."""
        return self.cell is not Cell.TEXT or self.key in ("code", "before", "waste_code", "month")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    id: str
    number: str  # as the norm numbers it
    title: str
    norm: str
    columns: tuple[Column, ...]
    is_verified: bool  # whether the columns were compared with the full text of the norm
    filled: str  # when, as the norm says
    is_mandatory: bool | None = None  # None: the norm makes no difference
    signatures: tuple[str, ...] = ("负责人签字", "填表日期")
    remarks: tuple[str, ...] = ()

    @property
    def is_hazardous(self) -> bool:
        return self.id.startswith("hw-")

    @property
    def sums(self) -> tuple[str, ...]:
        """Return the columns of masses that add up: what stands in store at the ends of months does not."""
        return tuple(each.key for each in self.columns if each.cell is Cell.MASS and each.key != "stock")


UNVERIFIED = "本表栏目凭记忆整理，未与公告2021年第82号附件全文核对；报送前请对照原表。"
GENERAL_NORM = "《一般工业固体废物管理台账制定指南（试行）》（生态环境部公告2021年第82号）"
HAZARDOUS_NORM = "《危险废物管理计划和管理台账制定技术导则》（HJ 1259-2022）附录B"
OWN_CODES = "记录表编号由本单位自编：前缀、日期和当日顺序号。"
ONE_HANDLER = "台账每笔记一名经办人，列在本环节的部门经办人栏；运送（运输）经办人没有记录的留空。"
NOT_RECORDED = "台账没有记录这一项"
CLASS_OF_STREAM = "废物清单没有第Ⅰ类、第Ⅱ类的划分"
HANDLER = "记账时没有填写经办人"
METHOD = "记账时没有填写方式"
COUNTERPARTY = "记账时没有填写对方单位"
CONTAINER = "批次没有容器、包装的登记（散堆没有容器）"
FACILITY = "设施没有编码，也没有名称"
NAMED = "工序和设施没有编码的，列其名称。"
ON_MANIFEST = "台账不记运输单位和车辆，见转移联单"
EARLIER = "散堆不分批次，或此前没有相应环节的记录"


def _general_waste() -> tuple[Column, ...]:
    return (
        Column("waste_code", "一般工业固体废物代码", width=14),
        Column("name", "一般工业固体废物名称", width=16),
    )


def _record(width: int = 18) -> Column:
    return Column("code", "记录表编号", width=width)


GENERAL = (
    Layout(
        id="general-1", number="附表1", title="一般工业固体废物产生清单", norm=GENERAL_NORM, is_verified=False,
        is_mandatory=True, filled="按年填写；工艺变化使废物种类改变的及时重填",
        columns=(
            Column("number", "序号", width=5, cell=Cell.COUNT),
            Column("waste_code", "代码", width=14),
            Column("name", "名称", width=18),
            Column("waste_class", "类别（第Ⅰ类、第Ⅱ类、其他）", width=14, source=CLASS_OF_STREAM),
            Column("process", "产生环节", width=16),
            Column("physical_form", "物理性状", width=12, source="废物清单没有填写物理性状"),
            Column("components", "主要成分", width=18, source="废物清单没有填写主要成分"),
            Column("pollution", "污染特性", width=16, source=NOT_RECORDED),
            Column("generated", "产废系数／年产生量（吨）", width=16, cell=Cell.MASS),
        ),
        remarks=(UNVERIFIED, "产生量为所选期间的合计。"),
    ),
    Layout(
        id="general-2", number="附表2", title="一般工业固体废物流向汇总表", norm=GENERAL_NORM, is_verified=False,
        is_mandatory=True, filled="按月填写",
        columns=(
            Column("month", "月份", width=9),
            *_general_waste(),
            Column("waste_class", "类别", width=8, source=CLASS_OF_STREAM),
            Column("generated", "产生量（吨）", width=13, cell=Cell.MASS),
            Column("stored", "贮存量（吨）", width=13, cell=Cell.MASS),
            Column("stock", "累计贮存量（吨）", width=13, cell=Cell.MASS),
            Column("own_utilised_by", "方式", "自行利用", 12, source=METHOD),
            Column("own_utilised", "数量（吨）", "自行利用", 12, Cell.MASS),
            Column("contracted_utilised_by", "方式", "委托利用", 12, source=METHOD),
            Column("contracted_utilised", "数量（吨）", "委托利用", 12, Cell.MASS),
            Column("own_disposed_by", "方式", "自行处置", 12, source=METHOD),
            Column("own_disposed", "数量（吨）", "自行处置", 12, Cell.MASS),
            Column("contracted_disposed_by", "方式", "委托处置", 12, source=METHOD),
            Column("contracted_disposed", "数量（吨）", "委托处置", 12, Cell.MASS),
        ),
        remarks=(
            UNVERIFIED,
            "冲正记入冲正当月，与各月合计和指标一致。",
            "贮存量为当月产生、月末仍未利用处置的数量（产生量减当月利用、处置，不小于零）；累计贮存量为月末各贮存"
            "设施存量。两者的口径为本平台的理解。",
        ),
    ),
    Layout(
        id="general-3", number="附表3", title="一般工业固体废物出厂环节记录表", norm=GENERAL_NORM,
        is_verified=False, is_mandatory=True, filled="按批次填写，每一批出厂时填写",
        columns=(
            _record(),
            *_general_waste(),
            Column("left_on", "出厂时间", width=12, cell=Cell.DAY),
            Column("mass", "出厂数量（吨）", width=13, cell=Cell.MASS),
            Column("handler", "出厂环节经办人", width=12, source=HANDLER),
            Column("carrier", "运输单位", width=16, source=ON_MANIFEST),
            Column("vehicle", "运输信息（车牌、联系方式）", width=16, source=ON_MANIFEST),
            Column("transport", "运输方式", width=10, source=ON_MANIFEST),
            Column("receiver", "接收单位", width=22, source=COUNTERPARTY),
            Column("reach", "流向类型（省内、跨省、越境）", width=12, source=NOT_RECORDED),
        ),
        remarks=(UNVERIFIED, OWN_CODES),
    ),
    Layout(
        id="general-4", number="附表4", title="一般工业固体废物产生环节记录表", norm=GENERAL_NORM,
        is_verified=False, is_mandatory=False, filled="选填，按日、班次或批次",
        columns=(
            _record(),
            Column("facility", "生产设施编号", width=14, source=FACILITY),
            Column("head", "废物产生部门负责人", width=12, by_hand=True),
            *_general_waste(),
            Column("generated_on", "产生时间", width=12, cell=Cell.DAY),
            Column("mass", "产生数量（吨）", width=13, cell=Cell.MASS),
            Column("moved_on", "转移时间", width=12, cell=Cell.DAY),
            Column("goes_to", "转移去向", width=16),
            Column("handler", "产生部门经办人", width=12, source=HANDLER),
            Column("carrier_handler", "运输经办人", width=12, source=NOT_RECORDED),
        ),
        remarks=(UNVERIFIED, OWN_CODES, ONE_HANDLER, NAMED),
    ),
    Layout(
        id="general-5", number="附表5", title="一般工业固体废物贮存环节记录表", norm=GENERAL_NORM,
        is_verified=False, is_mandatory=False, filled="选填，按日、班次或批次",
        columns=(
            _record(),
            Column("facility", "贮存设施编号", width=12),
            Column("head", "贮存部门负责人", width=10, by_hand=True),
            *_general_waste(),
            Column("comes_from", "废物来源", "入库", 14),
            Column("before", "前序表单编号", "入库", 18, source=EARLIER),
            Column("in_on", "入库时间", "入库", 12, Cell.DAY),
            Column("in_mass", "入库数量（吨）", "入库", 13, Cell.MASS),
            Column("in_carrier", "运输经办人", "入库", 10, source=NOT_RECORDED),
            Column("in_handler", "贮存部门经办人", "入库", 10, source=HANDLER),
            Column("out_on", "出库时间", "出库", 12, Cell.DAY),
            Column("out_mass", "出库数量（吨）", "出库", 13, Cell.MASS),
            Column("goes_to", "废物去向", "出库", 14, source=COUNTERPARTY),
            Column("out_handler", "贮存部门经办人", "出库", 10, source=HANDLER),
            Column("out_carrier", "运输经办人", "出库", 10, source=NOT_RECORDED),
        ),
        remarks=(UNVERIFIED, OWN_CODES, ONE_HANDLER),
    ),
    *(
        Layout(
            id=f"general-{digit}", number=f"附表{digit}", title=f"一般工业固体废物自行{word}环节记录表",
            norm=GENERAL_NORM, is_verified=False, is_mandatory=False, filled="选填，按日、班次或批次",
            columns=(
                _record(20),
                Column("facility", f"{word}设施编号", width=14, source=FACILITY),
                Column("head", f"{word}部门负责人", width=12, by_hand=True),
                *_general_waste(),
                Column("comes_from", "废物来源", width=14),
                Column("before", "前序表单编号", width=18, source=EARLIER),
                Column("done_on", f"{word}时间", width=12, cell=Cell.DAY),
                Column("mass", f"{word}数量（吨）", width=13, cell=Cell.MASS),
                Column("method", f"{word}方式", width=14, source=METHOD),
                Column("handler", f"{word}部门经办人", width=12, source=HANDLER),
            ),
            remarks=(UNVERIFIED, OWN_CODES, NAMED),
        )
        for digit, word in ((6, "利用"), (7, "处置"))
    ),
)  # fmt: skip


def _container() -> tuple[Column, ...]:
    return (
        Column("container_code", "容器／包装编码", width=14, source=CONTAINER),
        Column("packaging", "容器／包装类型", width=8, source=CONTAINER),
        Column("container_count", "容器／包装数量", width=7, cell=Cell.COUNT, source=CONTAINER),
    )


def _hazardous_waste() -> tuple[Column, ...]:
    return (
        Column("name", "行业俗称／单位内部名称", "危险废物名称", 12),
        Column(
            "listed_name", "国家危险废物名录名称", "危险废物名称", 18, source="名录中没有查到该代码的名称"
        ),
        Column("waste_category", "危险废物类别", width=7),
        Column("waste_code", "危险废物代码", width=12),
    )


_UNIT = Column("unit", "计量单位", width=5)
_NUMBER = Column("number", "序号", width=5, cell=Cell.COUNT)


def _store() -> tuple[Column, ...]:
    return (
        Column("facility", "贮存设施编码", width=11),
        Column("store_type", "贮存设施类型", width=11, source="贮存设施没有填写类型"),
    )


def _permit(key: str, label: str, group: str, width: int = 12) -> Column:
    return Column(key, label, group, width, source="接收单位没有登记当日有效的许可证，见转移联单")


HAZARDOUS = (
    Layout(
        id="hw-1", number="表B.1", title="危险废物产生环节记录表", norm=HAZARDOUS_NORM, is_verified=True,
        filled="按容器、包装逐一记录；管道输送的按日",
        columns=(
            _NUMBER,
            Column("code", "产生批次编码", width=18),
            Column("generated_on", "产生时间", width=11, cell=Cell.DAY),
            *_hazardous_waste(),
            Column("mass", "产生量", width=12, cell=Cell.MASS),
            _UNIT,
            *_container(),
            Column("facility", "产生危险废物设施编码", width=14, source=FACILITY),
            Column("handler", "产生部门经办人", width=10, source=HANDLER),
            Column("goes_to", "去向", width=14),
        ),
        remarks=(NAMED,),
    ),
    Layout(
        id="hw-2", number="表B.2", title="危险废物入库环节记录表", norm=HAZARDOUS_NORM, is_verified=True,
        filled="入库时",
        columns=(
            _NUMBER,
            Column("code", "入库批次编码", width=18),
            Column("in_on", "入库时间", width=11, cell=Cell.DAY),
            *_container(),
            *_hazardous_waste(),
            Column("mass", "入库量", width=12, cell=Cell.MASS),
            _UNIT,
            *_store(),
            Column("carrier_handler", "运送部门经办人", width=10, source=NOT_RECORDED),
            Column("handler", "贮存部门经办人", width=10, source=HANDLER),
            Column("before", "产生批次编码", width=18, source=EARLIER),
        ),
        remarks=(ONE_HANDLER,),
    ),
    Layout(
        id="hw-3", number="表B.3", title="危险废物出库环节记录表", norm=HAZARDOUS_NORM, is_verified=True,
        filled="出库时",
        columns=(
            _NUMBER,
            Column("code", "出库批次编码", width=18),
            Column("out_on", "出库时间", width=11, cell=Cell.DAY),
            *_container(),
            *_hazardous_waste(),
            Column("mass", "出库量", width=12, cell=Cell.MASS),
            _UNIT,
            *_store(),
            Column("handler", "出库部门经办人", width=10, source=HANDLER),
            Column("carrier_handler", "运送部门经办人", width=10, source=NOT_RECORDED),
            Column("before", "入库批次编码", width=18, source=EARLIER),
            Column("goes_to", "去向", width=16, source=COUNTERPARTY),
        ),
        remarks=(ONE_HANDLER,),
    ),
    Layout(
        id="hw-4", number="表B.4", title="危险废物自行利用／处置环节记录表", norm=HAZARDOUS_NORM,
        is_verified=True, filled="自行利用、处置时",
        columns=(
            _NUMBER,
            Column("code", "自行利用／处置批次编码", width=20),
            Column("done_on", "自行利用／处置时间", width=11, cell=Cell.DAY),
            *_container(),
            *_hazardous_waste(),
            Column("mass", "自行利用／处置量", width=12, cell=Cell.MASS),
            _UNIT,
            Column("facility", "自行利用／处置设施编码", width=12, source=FACILITY),
            Column("method", "自行利用／处置方式", width=12, source=METHOD),
            Column("finished_on", "自行利用／处置完毕时间", width=11, cell=Cell.DAY, source=NOT_RECORDED),
            Column("handler", "自行利用／处置部门经办人", width=10, source=HANDLER),
            Column("before", "产生批次编码／出库批次编码", width=18, source=EARLIER),
        ),
        remarks=(NAMED,),
    ),
    Layout(
        id="hw-5", number="表B.5", title="危险废物委外利用／处置记录表", norm=HAZARDOUS_NORM, is_verified=True,
        filled="委外利用、处置时",
        columns=(
            _NUMBER,
            Column("code", "委外利用／处置批次编码", width=20),
            Column("left_on", "出厂时间", width=11, cell=Cell.DAY, source=EARLIER),
            *_container(),
            *_hazardous_waste(),
            Column("mass", "委外利用／处置量", width=12, cell=Cell.MASS),
            _UNIT,
            Column("method", "利用／处置方式", width=10, source=METHOD),
            _permit("receiver_type", "接收单位类型", "", 8),
            Column("permit_holder", "单位名称", "危险废物经营许可证持有单位", 14, source=COUNTERPARTY),
            _permit("permit_number", "许可证编码", "危险废物经营许可证持有单位"),
            Column("exempt_unit", "单位名称", "危险废物利用处置环节豁免管理单位", 12),
            Column("foreign_unit", "单位名称", "境外单位", 10),
            Column("export_approval", "出口核准通知单编号", "境外单位", 10),
            Column("before", "产生批次编码／出库批次编码", width=18, source=EARLIER),
        ),
        remarks=(
            "台账只记接收单位名称，列在“危险废物经营许可证持有单位”栏；许可证编码取自接收单位在本平台登记、当日有效的许可"
            "证，没有登记的留空。属豁免管理单位或境外单位的，请改列相应栏。",
            "按利用处置或接收的日期归入期间；经联单发运的，出厂时间是发运日。",
        ),
    ),
)  # fmt: skip

LAYOUTS: dict[str, Layout] = {layout.id: layout for layout in (*GENERAL, *HAZARDOUS)}


@dataclass(frozen=True, slots=True)
class Missing:
    """A column in which something is blank that should not be."""

    column: Column
    count: int


Row = dict[str, object]  # by column key; a key that is not there: not for this row; None: nobody recorded it


@dataclass(slots=True)
class Blanks:
    """Counts what is blank, row by row."""

    layout: Layout
    _counts: dict[str, int] = field(default_factory=dict)

    def look_at(self, row: Row) -> None:
        for column in self.layout.columns:
            if column.key in row and row[column.key] in (None, "") and not column.by_hand:
                self._counts[column.key] = self._counts.get(column.key, 0) + 1

    @property
    def missing(self) -> list[Missing]:
        return [
            Missing(column, self._counts[column.key])
            for column in self.layout.columns if column.key in self._counts
        ]  # fmt: skip
