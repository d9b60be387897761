"""
What in the documents is blank or unknown, and where is it written?

A text that nobody wrote is blank, a number that nobody knows is 未知; both are said in the cover note,
neither stops anything.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from wufei.cases import amounts
from wufei.cases.case_file import NO_DAY, CaseFile, ParkTable
from wufei.indicators.figure import Figure

REGISTRY, DRAFT, EVIDENCE = "单位信息", "案例草稿", "随附材料"
_TYPED = ("plan", "practices", "results", "innovation", "conditions")


@dataclass(frozen=True, slots=True, kw_only=True)
class Blank:
    """An entry of the documents that was left empty."""

    label: str
    places: tuple[str, ...]  # the parts of the documents where it is empty
    supply: str  # what to do about it
    field: str = ""  # of the draft, where it is written there

    def __str__(self) -> str:
        return f"{self.label}：未填（{'、'.join(self.places)}）。{self.supply}"


def remarks(form: CaseFile) -> list[str]:
    """Return what is unknown and what is blank, once each, as the cover note says it."""
    return [*unknown(form), *map(str, blanks(form))]


def unknown(form: CaseFile) -> list[str]:
    """Return the numbers that are unknown and what would have to be supplied."""
    found: dict[str, None] = {}
    for placed in form.numbers():
        cell = placed.cell
        if cell.text == amounts.UNKNOWN:
            lacking = cell.basis.missing if isinstance(cell.basis, Figure) else ()
            said = "；".join(f"{m.label}（{m.where}）" if m.where else m.label for m in lacking)
            where = " ".join(part for part in (placed.table, placed.row, placed.column) if part)
            found[f"{where}：未知。" + (f"需补充：{said}。" if said else "")] = None
    return list(found)


def blanks(form: CaseFile) -> list[Blank]:
    """Return the entries that are empty, in the order of the documents."""
    return [*_of_the_cover(form), *_of_the_body(form), *_of_the_table(form), *_of_the_rest(form)]


def _in(source: str) -> str:
    return f"请在“{source}”填写。"


def _blank(label: str, places: tuple[str, ...], source: str, field: str = "") -> Blank:
    return Blank(label=label, places=places, supply=_in(source), field=field)


def _of_the_cover(form: CaseFile) -> Iterator[Blank]:
    cover, table = form.cover, form.table.title
    if not cover.address:
        yield _blank("地址", ("封面", table), REGISTRY)
    if not cover.contact:
        yield _blank("联系人", ("封面", "汇总表"), DRAFT, "contact")
    if not cover.phone:
        yield _blank("电话", ("封面", "汇总表"), DRAFT, "phone")
    if not cover.email:
        yield _blank("邮箱", ("封面", table), DRAFT, "email")
    if cover.filed_on == NO_DAY:
        supply = f"{_in(DRAFT)}也可在盖章时手写。"
        yield Blank(label="申报日期", places=("封面", "承诺声明"), supply=supply, field="filed_on")


def _of_the_body(form: CaseFile) -> Iterator[Blank]:
    if not form.title:
        yield _blank("题目（典型案例名称）", ("申报材料", "汇总表"), DRAFT, "title")
    for section, field in zip(form.sections, _TYPED, strict=True):
        if not section.paragraphs:
            yield _blank(section.heading, ("申报材料",), DRAFT, field)


def _of_the_table(form: CaseFile) -> Iterator[Blank]:
    table, where = form.table, (form.table.title,)
    filler, particulars = table.filler, table.particulars
    is_park = isinstance(table, ParkTable)
    head = "园区负责人" if is_park else "负责人"
    for label, text, source, field in (
        ("填表人", filler.name, DRAFT, "filler_name"),
        ("职务", filler.title, DRAFT, "filler_title"),
        ("联系电话", filler.phone, DRAFT, "filler_phone"),
        ("网址", particulars.website, REGISTRY, ""),
        (head, particulars.head, REGISTRY, ""),
        ("手机", particulars.mobile, DRAFT, "head_mobile"),
        ("传真", particulars.fax, REGISTRY, ""),
    ):
        if not text:
            yield _blank(label, where, source, field)
    if not particulars.industry:
        label = "主导产业" if is_park else "从事行业"
        yield _blank(label, (*where, "汇总表"), DRAFT, "leading_industry")
    for label, cell in particulars.counts:
        if not cell.text:
            in_draft = label.startswith("规上")
            yield _blank(
                label, where, DRAFT if in_draft else REGISTRY, "above_scale_count" if in_draft else ""
            )
    if isinstance(table, ParkTable):
        yield from _of_the_generators(table)
    if not table.self_description:
        yield _blank("园区自述" if is_park else "企业自述", where, DRAFT, "self_description")


def _of_the_generators(table: ParkTable) -> Iterator[Blank]:
    where = (f"{table.title} 主要企业情况",)
    if not table.generators:
        yield Blank(label="主要企业", places=where, supply="没有成员企业的台账。")
    for generator in table.generators:
        if not generator.industry:
            yield _blank(f"{generator.name}的行业", where, REGISTRY)
        if not generator.products:
            yield _blank(f"{generator.name}的主要产品及产量", where, "数据工作簿“产品”")


def _of_the_rest(form: CaseFile) -> Iterator[Blank]:
    if not form.attachments:
        supply = "请在“随附材料”附上建设方案、建设管理机构设置情况、建设方案落实情况等。"
        yield Blank(label="附件", places=(EVIDENCE,), supply=supply)
    if not form.summary.province:
        yield _blank("省份", ("汇总表",), REGISTRY)
    if not form.summary.brief_description:
        yield _blank("案例简要描述", ("汇总表",), DRAFT, "brief_description")
