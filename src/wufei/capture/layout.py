"""Which sheets and columns has the data workbook? The one place that says; everything else reads it."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, auto

from wufei.ledger.kinds import BY_HAND, LABELS

# The cell that makes a row an example begins with this; nobody's date, year or code does.
EXAMPLE_MARK = "示例（导入时忽略）"
REJECT_COLUMN = "错误"  # what a workbook of rejects adds; ignored when it comes back

MAX_ROWS = 300_000  # of one sheet
MAX_COLUMNS = 60


class CellKind(StrEnum):
    TEXT = auto()
    CODE = auto()  # text that Excel may have turned into a number: 1 for "1"
    DAY = auto()
    YEAR = auto()
    AMOUNT = auto()  # of mass, with its unit in another column
    NUMBER = auto()  # zero or more
    CHOICE = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    name: str
    kind: CellKind = CellKind.TEXT
    required: bool = False
    note: str = ""
    allowed: tuple[str, ...] = ()
    # Only offered in the drop-down list; other words are taken too.
    suggested: tuple[str, ...] = ()
    may_be_negative: bool = False
    max_length: int = 300
    example: str = ""
    width: int = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    name: str
    columns: tuple[Column, ...]
    # The columns that make a row one thing, which a sheet states once; none: rows may be alike.
    key: tuple[str, ...] = ()

    @property
    def by_name(self) -> Mapping[str, Column]:
        return {column.name: column for column in self.columns}


UNITS = ("吨", "千克", "万吨")
YES_NO = ("是", "否")
ANSWERS = ("是", "否", "不适用")
ORGANISATION_KINDS = ("企业", "园区", "利用处置单位", "运输单位")
KIND_LABELS = tuple(LABELS[kind] for kind in BY_HAND)
DECLARATION_ITEMS = (
    "较大及以上污染事故或生态破坏事件",
    "安全生产事故",
    "行政处罚",
    "列入失信企业名单",
    "贮存处置设施符合标准",
    "独立法人资格",
    "强制清洁生产审核全部通过验收",
)
WAYS = ("生产水泥", "制砖", "井下充填", "路基材料", "生产建材", "填埋", "焚烧")

_YEAR = Column(
    name="年份", kind=CellKind.YEAR, required=True, note="四位数字，如 2024。", example="2024", width=30
)

# 单位信息 has its items in rows: each of these is a value of 项目, and what is said of it stands in 内容.
ORGANISATION_ITEMS: tuple[Column, ...] = (
    Column(
        name="单位名称",
        required=True,
        max_length=200,
        note="与营业执照一致的全称。",
        example="重庆某某铝业有限公司",
    ),
    Column(
        name="统一社会信用代码",
        kind=CellKind.CODE,
        required=True,
        max_length=40,
        note="18 位，末位为校验码；单元格设为文本。园区填管委会（运营单位）的代码。",
    ),
    Column(name="单位类型", kind=CellKind.CHOICE, required=True, allowed=ORGANISATION_KINDS, note="四选一。"),
    Column(
        name="行业代码", kind=CellKind.CODE, max_length=20, note="GB/T 4754-2017 中类，3 位数字，如 321。"
    ),
    Column(name="省", required=True, max_length=40, note="如 重庆市。"),
    Column(name="市", required=True, max_length=40, note="如 广州市；直辖市填直辖市名。"),
    Column(name="区县", required=True, max_length=40, note="如 綦江区。"),
    Column(name="详细地址", max_length=300, note="街道、门牌。"),
    Column(name="成立日期", kind=CellKind.DAY, note="如 2010-05-18。"),
    Column(name="负责人", max_length=60, note="法定代表人或主要负责人。"),
    Column(name="联系人", max_length=60, note="环保联系人。"),
    Column(name="电话", kind=CellKind.CODE, max_length=60, note="手机或带区号的座机；单元格设为文本。"),
    Column(name="邮箱", max_length=120, note="电子邮箱。"),
    Column(name="网址", max_length=200, note="单位网站。"),
    Column(name="厂区面积(平方米)", kind=CellKind.NUMBER, note="数字，单位平方米。"),
    Column(name="员工数量", kind=CellKind.NUMBER, note="整数，单位人。"),
    Column(name="所属园区", max_length=200, note="园区名称或其统一社会信用代码；不在园区的不填。"),
)

ORGANISATION = Sheet(
    name="单位信息",
    columns=(
        Column(
            name="项目",
            required=True,
            note="项目名称请勿改动；带“必填”说明的项目必须填写。",
            example="单位名称",
            width=34,
        ),
        Column(
            name="内容",
            note="在此列填写；第一行为示例，导入时忽略。",
            example="重庆某某铝业有限公司",
            width=48,
        ),
    ),
)

OPERATIONS = Sheet(
    name="年度经营",
    key=("年份",),
    columns=(
        _YEAR,
        Column(
            name="产值(万元)", kind=CellKind.NUMBER, note="工业总产值，单位万元。", example="98000", width=16
        ),
        Column(
            name="销售额(万元)", kind=CellKind.NUMBER, note="销售收入，单位万元。", example="95000", width=16
        ),
        Column(
            name="工业增加值(万元)",
            kind=CellKind.NUMBER,
            may_be_negative=True,
            note="单位万元；亏损的可为负数。产生强度以此为分母，未填则产生强度为未知。",
            example="23000",
            width=18,
        ),
    ),
)

PRODUCTS = Sheet(
    name="产品",
    key=("年份", "产品名称"),
    columns=(
        _YEAR,
        Column(
            name="产品名称", required=True, max_length=120, note="如 电解铝。", example="电解铝", width=20
        ),
        Column(name="产能", kind=CellKind.NUMBER, note="年设计产能，单位与产量相同。", example="300000"),
        Column(
            name="产量",
            kind=CellKind.NUMBER,
            required=True,
            note="当年实际产量，数字，不带单位。",
            example="286000",
        ),
        Column(
            name="单位",
            required=True,
            max_length=20,
            note="产品计量单位，如 吨、台、万千瓦时。",
            example="吨",
            width=10,
        ),
        Column(
            name="主产品",
            kind=CellKind.CHOICE,
            allowed=YES_NO,
            note="是或否；不填为否。单位产品产生量按主产品计算，每年一般填一个主产品。",
            example="是",
            width=10,
        ),
    ),
)

STREAMS = Sheet(
    name="废物清单",
    key=("废物编号",),
    columns=(
        Column(
            name="废物编号",
            kind=CellKind.CODE,
            required=True,
            max_length=60,
            note="本单位自编，台账用它指明废物；定后不改。",
            example="W01",
            width=30,
        ),
        Column(
            name="废物名称", required=True, max_length=120, note="如 铝灰。", example="二次铝灰", width=20
        ),
        Column(
            name="废物代码",
            kind=CellKind.CODE,
            required=True,
            max_length=40,
            note="危险废物代码（如 900-249-08）、一般固废九位代码（如 900-001-S17），"
            "或只知类别时填类别（如 SW02）。",
            example="321-024-48",
            width=18,
        ),
        Column(
            name="产生工序",
            required=True,
            max_length=100,
            note="产生该废物的工序。",
            example="熔铸",
            width=18,
        ),
        Column(
            name="物理性状",
            max_length=60,
            suggested=("固态", "液态", "半固态", "气态"),
            note="固态、液态、半固态等。",
            example="固态",
        ),
        Column(
            name="主要成分", max_length=200, note="主要成分或有害成分。", example="氧化铝、氮化铝", width=24
        ),
    ),
)

STORES = Sheet(
    name="贮存设施",
    key=("设施编码",),
    columns=(
        Column(
            name="设施编码",
            kind=CellKind.CODE,
            required=True,
            max_length=120,
            note="如 TS001；台账用它指明设施，定后不改。",
            example="TS001",
            width=30,
        ),
        Column(
            name="设施名称",
            required=True,
            max_length=120,
            note="如 危废暂存间。",
            example="危废暂存间",
            width=20,
        ),
        Column(
            name="类型",
            max_length=60,
            suggested=("贮存库", "贮存场", "贮存池", "贮存罐区", "贮存点"),
            note="贮存设施类型。",
            example="贮存库",
        ),
        Column(name="能力(吨)", kind=CellKind.NUMBER, note="最大贮存量，单位吨；不填为不限。", example="500"),
    ),
)

LEDGER = Sheet(
    name="台账",
    columns=(
        Column(
            name="日期",
            kind=CellKind.DAY,
            required=True,
            note="某一天，如 2024-03-05；按月记账的填当月最后一天。",
            example="2024-03-31",
            width=32,
        ),
        Column(
            name="废物编号",
            kind=CellKind.CODE,
            required=True,
            max_length=60,
            note="废物清单中的编号。",
            example="W01",
        ),
        Column(
            name="环节",
            kind=CellKind.CHOICE,
            required=True,
            allowed=KIND_LABELS,
            note="期初贮存：首年年初已有的往年贮存量。产生、接收、期初贮存、盘盈入库，其余出库。",
            example="产生",
        ),
        Column(
            name="数量",
            kind=CellKind.AMOUNT,
            required=True,
            note="大于零的数字，不用公式；最小到克。",
            example="12.5",
        ),
        Column(
            name="单位",
            kind=CellKind.CHOICE,
            required=True,
            allowed=UNITS,
            note="吨、千克或万吨。",
            example="吨",
            width=10,
        ),
        Column(
            name="方式",
            max_length=60,
            suggested=WAYS,
            note="利用或处置的方式，如 生产水泥、填埋；可填列表以外的方式。",
        ),
        Column(name="对方单位", max_length=200, note="委外利用、委外处置、接收的对方。", width=24),
        Column(
            name="设施编码",
            kind=CellKind.CODE,
            max_length=120,
            note="贮存设施中的编码；不填为第一个设施。",
            example="TS001",
        ),
        Column(
            name="批次编码",
            kind=CellKind.CODE,
            max_length=80,
            note="单独追踪的一批（一桶、一袋）才填；入库时的编码不得重复。",
        ),
        Column(name="经办人", max_length=60, note="经办人姓名。", example="张某某"),
        Column(name="备注", max_length=300, note="其他说明。", width=24),
    ),
)

DECLARATIONS = Sheet(
    name="声明",
    key=("项目", "年份"),
    columns=(
        Column(
            name="项目",
            required=True,
            max_length=120,
            suggested=DECLARATION_ITEMS,
            note="声明事项；事故、处罚、失信类填“是”表示发生过。",
            example="安全生产事故",
            width=48,
        ),
        Column(name="年份", kind=CellKind.YEAR, required=True, note="四位数字，如 2024。", example="2024"),
        Column(
            name="结论",
            kind=CellKind.CHOICE,
            required=True,
            allowed=ANSWERS,
            note="是、否或不适用。",
            example="否",
        ),
        Column(
            name="依据",
            max_length=300,
            note="查询的名录、文件或证明。",
            example="应急管理部门网站查询无记录",
            width=40,
        ),
    ),
)

SHEETS: tuple[Sheet, ...] = (ORGANISATION, OPERATIONS, PRODUCTS, STREAMS, STORES, LEDGER, DECLARATIONS)
SHEET_BY_NAME: Mapping[str, Sheet] = {sheet.name: sheet for sheet in SHEETS}
ORGANISATION_ITEM_BY_NAME: Mapping[str, Column] = {item.name: item for item in ORGANISATION_ITEMS}


def plain_name(text: str) -> str:
    """
    Return a sheet's or a column's name as it is compared: half-width marks, no spaces, no asterisk.

    >>> plain_name(" 产值（万元）* ")
    '产值(万元)'
    """
    return "".join(unicodedata.normalize("NFKC", text).split()).rstrip("*")


def example_row(sheet: Sheet) -> tuple[str, ...]:
    """Return the filled example row of the template, its mark included."""
    first, *rest = (column.example for column in sheet.columns)
    return (f"{EXAMPLE_MARK}{first}", *rest)
