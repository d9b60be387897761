"""
What would these enterprises have written down, day by day?

Pure: reads the made-up district and spreads its yearly masses over days, exactly: the rows of
a year add up to the year. The same file always gives the same rows.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

import yaml
from stdnum.cn import uscc as check

Row = list[Any]
KG_PER_TONNE = 1000
CONTAINER_DAYS = 28  # a drum or a bag of hazardous waste is full about every four weeks
BULK_DAYS = 7
CLEAN_REGISTERS = {
    "较大及以上污染事故或生态破坏事件": "查询重庆市生态环境局突发环境事件登记（演示）",
    "安全生产事故": "查询綦江区应急管理局事故登记（演示）",
    "行政处罚": "查询“信用中国”“国家企业信用信息公示系统”（演示）",
    "列入失信企业名单": "查询“信用中国”失信名单（演示）",
}


@cache
def district() -> dict[str, Any]:
    """Return the made-up district; every scalar a string, so that no number passes through a float."""
    text = files("wufei.demo").joinpath("district.yaml").read_text("utf-8")
    return yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 strings only


def uscc_of(serial: str) -> str:
    """Return a made-up 统一社会信用代码 with a right check digit."""
    stem = f"91500110MADEM{int(serial):04d}"
    return stem + check.calc_check_digit(stem)


@dataclass(frozen=True, slots=True)
class Workbook:
    """The data workbook of one organisation: rows by sheet, each in the order of the sheet's columns."""

    id: str
    name: str
    uscc: str
    sheets: dict[str, list[Row]]


def workbooks() -> list[Workbook]:
    """Return the data workbooks of the park and of all enterprises; the park first, for its members name it."""
    said = district()
    rows = {each["id"]: _ledger_of(each, said) for each in said["enterprises"]}
    for receiver in said["enterprises"]:
        for intake in receiver.get("intakes", ()):
            rows[receiver["id"]] += _intake_rows(receiver, intake, said)
    return [_park_workbook(said)] + [
        _enterprise_workbook(each, rows[each["id"]], said) for each in said["enterprises"]
    ]


def district_totals(year: int) -> dict[str, tuple[Decimal, Decimal]]:
    """Return what the file says of a year: (generation, utilisation) in tonnes by kind, general waste only."""
    said = district()
    at = said["years"].index(str(year))
    totals: dict[str, tuple[Decimal, Decimal]] = {}
    for each in said["enterprises"]:
        for stream in each["streams"]:
            if kind := stream.get("district_kind"):
                made, used = totals.get(kind, (Decimal(0), Decimal(0)))
                out = [d for d in stream["destinations"] if d["kind"].endswith("利用")]
                totals[kind] = (
                    made + Decimal(stream["generation"][at]),
                    used + sum((Decimal(d["tonnes"][at]) for d in out), Decimal(0)),
                )
    return totals


# --- rows of the ledger ----------------------------------------------------------------


def _kg(tonnes: str) -> int:
    return int(Decimal(tonnes) * KG_PER_TONNE)


def _days(year: int, step: int, last_day: date) -> list[date]:
    """Return the days of the year on which something is weighed, every `step` days."""
    end = min(date(year, 12, 30), last_day - timedelta(days=1))
    first = date(year, 1, 1) + timedelta(days=step - 1)
    return [first + timedelta(days=n) for n in range(0, (end - first).days + 1, step)]


def _spread(total: int, parts: int, chance: random.Random) -> list[int]:
    """Split the total into so many uneven parts that add up to it exactly."""
    weights = [chance.randrange(85, 116) for _ in range(parts)]
    ends = [total * sum(weights[: n + 1]) // sum(weights) for n in range(parts)]
    return [end - start for start, end in zip([0, *ends], ends, strict=False)]


def _ledger_of(each: dict[str, Any], said: dict[str, Any]) -> list[Row]:
    rows: list[Row] = []
    last_day = date.fromisoformat(said["last_day"])
    for stream in each["streams"]:
        chance = random.Random(f"{each['id']} {stream['code']}")  # noqa: S311 the same rows every time
        for at, year in enumerate(said["years"]):
            if stream.get("lots") == "true":
                rows += _lot_rows(each, stream, at, int(year), last_day, chance)
            else:
                rows += _bulk_rows(each, stream, at, int(year), last_day, chance)
    return rows


def _row(
    day: date, code: str, kind: str, kg: int, *, way: str = "", other: str = "", store: str, lot: str = "",
    handler: str,
) -> Row:  # fmt: skip
    unit = "千克" if kg % KG_PER_TONNE or kg < 10 * KG_PER_TONNE else "吨"
    amount = kg if unit == "千克" else kg // KG_PER_TONNE
    return [day, code, kind, amount, unit, way, other, store, lot, handler, ""]


def _other_name(to: str, said: dict[str, Any]) -> str:
    return next((e["name"] for e in said["enterprises"] if e["id"] == to), to)


def _bulk_rows(
    each: dict[str, Any], stream: dict[str, Any], at: int, year: int, last_day: date, chance: random.Random
) -> Iterator[Row]:
    """A heap: weighed in every week, and carted off in step with what has come in."""
    days = _days(year, BULK_DAYS, last_day)
    made = _spread(_kg(stream["generation"][at]), len(days), chance)
    for day, kg in zip(days, made, strict=True):
        if kg:
            yield _row(day, stream["code"], "产生", kg, store=stream["store"], handler=each["contact"])
    for going in stream["destinations"]:
        for day, kg in zip(days, _in_step(_kg(going["tonnes"][at]), made), strict=True):
            if kg:
                yield _going_row(each, stream, going, day + timedelta(days=1), kg)


def _in_step(total: int, made: Sequence[int]) -> list[int]:
    """Split the total as what was made was split: never more gone than has come."""
    whole, ends, running = sum(made) or 1, [], 0
    for kg in made:
        running += kg
        ends.append(total * running // whole)
    return [end - start for start, end in zip([0, *ends], ends, strict=False)]


def _going_row(
    each: dict[str, Any], stream: dict[str, Any], going: dict[str, Any], day: date, kg: int, lot: str = ""
) -> Row:
    return _row(
        day, stream["code"], going["kind"], kg, way=going["method"],
        other=_other_name(going.get("to", ""), district()), store=stream["store"], lot=lot,
        handler=each["contact"],
    )  # fmt: skip


def _lot_rows(
    each: dict[str, Any], stream: dict[str, Any], at: int, year: int, last_day: date, chance: random.Random
) -> Iterator[Row]:
    """Labelled containers: each comes in under its batch code and leaves as a whole or in part."""
    days = _days(year, CONTAINER_DAYS, last_day)
    made = _spread(_kg(stream["generation"][at]), len(days), chance)
    lots = [
        (f"HWCS{day:%Y%m%d}{stream['code'][-2:]}{number:02d}", day, kg)
        for number, (day, kg) in enumerate(zip(days, made, strict=True), 1)
        if kg
    ]
    for lot, day, kg in lots:
        yield _row(day, stream["code"], "产生", kg, store=stream["store"], lot=lot, handler=each["contact"])
    left = [kg for _, _, kg in lots]
    for going in stream["destinations"]:
        wanted = _kg(going["tonnes"][at])
        for number, (lot, day, _) in enumerate(lots):
            kg = min(left[number], wanted)
            if kg:
                left[number] -= kg
                wanted -= kg
                gone_on = min(day + timedelta(days=21), date(year, 12, 31), last_day)
                yield _going_row(each, stream, going, gone_on, kg, lot)


def _intake_rows(receiver: dict[str, Any], intake: dict[str, Any], said: dict[str, Any]) -> Iterator[Row]:
    """What others say that they sent, as the receiver weighed it in, and its use."""
    share = Decimal(intake["used_share"])
    coming: dict[tuple[date, str], int] = {}
    for each in said["enterprises"]:
        for row in _ledger_of(each, said):
            day, code, kind, amount, unit, _, other, *_ = row
            if kind != "委外利用" or other != receiver["name"]:
                continue
            stream = next(s for s in each["streams"] if s["code"] == code)
            if _intake_for(receiver, stream) is intake:
                kg = amount * (KG_PER_TONNE if unit == "吨" else 1)
                coming[day, each["name"]] = coming.get((day, each["name"]), 0) + kg
    handler = receiver["contact"]
    used_by_month: dict[date, int] = {}
    for (day, sender), kg in sorted(coming.items()):
        yield _row(day, intake["code"], "接收", kg, other=sender, store=intake["store"], handler=handler)
        month_end = (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
        used_by_month[month_end] = used_by_month.get(month_end, 0) + int(kg * share)
    for day, kg in used_by_month.items():
        yield _row(
            day, intake["code"], "自行利用", kg, way=intake["method"], store=intake["store"], handler=handler
        )


def _intake_for(receiver: dict[str, Any], stream: dict[str, Any]) -> dict[str, Any]:
    """Return the intake that takes the stream: the one with its waste code, else the first."""
    intakes: list[dict[str, Any]] = receiver["intakes"]
    return next((i for i in intakes if i["waste_code"] == stream["waste_code"]), intakes[0])


# --- sheets ----------------------------------------------------------------------------


def _enterprise_workbook(each: dict[str, Any], ledger: list[Row], said: dict[str, Any]) -> Workbook:
    uscc = uscc_of(each["serial"])
    info = _info(each, uscc, said["park"]["name"] if each["in_park"] == "true" else "")
    streams = [
        [s["code"], s["name"], s["waste_code"], s["process"], s["form"], s["components"]]
        for s in each["streams"]
    ] + [[i["code"], i["name"], i["waste_code"], "外来接收", "", ""] for i in each.get("intakes", ())]
    return Workbook(
        each["id"],
        each["name"],
        uscc,
        {
            "单位信息": info,
            "年度经营": _operation_rows(each, said),
            "产品": _product_rows(each, said),
            "废物清单": streams,
            "贮存设施": [list(store) for store in each["stores"]],
            "台账": sorted(ledger, key=lambda row: (row[0], row[1])),
            "声明": _declaration_rows(each),
        },
    )


def _info(each: dict[str, Any], uscc: str, park: str) -> list[Row]:
    said = {
        "单位名称": each["name"], "统一社会信用代码": uscc, "单位类型": each.get("kind", "企业"),
        "行业代码": each.get("industry", ""), "省": "重庆市", "市": "重庆市", "区县": "綦江区",
        "详细地址": each["address"], "成立日期": each["established_on"], "负责人": each["head"],
        "联系人": each["contact"], "电话": each["phone"], "厂区面积(平方米)": each.get("site_area_m2", ""),
        "员工数量": each.get("employees", ""), "所属园区": park,
    }  # fmt: skip
    return [[item, value] for item, value in said.items() if value != ""]


def _complete_years(said: dict[str, Any]) -> Iterator[tuple[int, str]]:
    """Yield index and year of the years that were over: half a year has no yearly figures yet."""
    last = date.fromisoformat(said["last_day"])
    return ((at, year) for at, year in enumerate(said["years"]) if date(int(year), 12, 31) <= last)


def _operation_rows(each: dict[str, Any], said: dict[str, Any]) -> list[Row]:
    if not (stated := each["operations"]):
        return []
    return [
        [int(year), *(Decimal(stated[key][at]) for key in ("output", "sales", "value_added"))]
        for at, year in _complete_years(said)
    ]


def _product_rows(each: dict[str, Any], said: dict[str, Any]) -> list[Row]:
    return [
        [int(year), p["name"], Decimal(p["capacity"]), Decimal(p["output"][at]), p["unit"], "是"]
        for p in each["products"]
        for at, year in _complete_years(said)
    ]


def _declaration_rows(each: dict[str, Any]) -> list[Row]:
    if each["declarations"] == "none":
        return []
    rows: list[Row] = []
    for item, register in CLEAN_REGISTERS.items():
        for year in (2023, 2024, 2025):
            happened = each["declarations"] == "punished" and item == "行政处罚" and year == 2024
            basis = "渝（綦）环罚〔2024〕000号（演示）" if happened else register
            rows.append([item, year, "是" if happened else "否", basis])
    rows.append(["贮存处置设施符合标准", 2025, "是", "2025 年第三方核查报告（演示）"])
    rows.append(["独立法人资格", 2025, "是", "营业执照（演示）"])
    return rows


def _park_workbook(said: dict[str, Any]) -> Workbook:
    park = said["park"]
    uscc = uscc_of(park["serial"])
    declared = [
        [item, int(year), answer, basis]
        for item, years, answer, basis in park["declarations"]
        for year in years
    ]
    info = _info(park | {"kind": "园区"}, uscc, "")
    return Workbook("park", park["name"], uscc, {"单位信息": info, "声明": declared})
