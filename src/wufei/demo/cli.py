"""`wufei demo`: the main job, done and shown."""

import sys
from pathlib import Path

import click
from django.conf import settings
from django.utils import timezone
from rich.console import Console
from rich.table import Table

from wufei.cases.services import open_case, produce, save_draft
from wufei.demo import services
from wufei.demo.district import district, uscc_of
from wufei.policies.queries import evaluation
from wufei.registry.access import Role
from wufei.registry.models import Organisation
from wufei.registry.services import operator
from wufei.terms.truth import Truth
from wufei.web.serving import serve

YEAR = 2025
# The main job, for an enterprise and for the park: which organisation by which edition.
SHOWN = (("power", "chongqing-2026-6-enterprise"), ("park", "chongqing-2026-6-park"))
VERDICTS = {Truth.MET: "满足", Truth.NOT_MET: "不满足", Truth.UNKNOWN: "未知"}
ROLES = {
    Role.ADMINISTRATOR: "系统管理员", Role.ENVIRONMENT_OFFICER: "企业环保专员", Role.WORKER: "班组工人",
    Role.PARK_OFFICER: "园区管委会", Role.AUTHORITY_OFFICER: "主管部门", Role.EXPERT: "评审专家",
    Role.AGENCY_STAFF: "第三方机构",
}  # fmt: skip


@click.command()
@click.option("--port", default=8000, show_default=True, help="端口。")
@click.option("--no-serve", is_flag=True, help="只造好数据、做完主要工作，不启动网站。")
@click.pass_context
def demo(ctx: click.Context, port: int, no_serve: bool) -> None:
    """造一个演示区县，做完主要工作（台账→指标→对照政策→申报书），再启动网站。"""
    console = Console(markup=False, highlight=False)
    try:
        _build(console)
    except services.DemoBroken as broken:
        click.echo(f"演示数据未能导入：{broken}", err=True)
        sys.exit(1)
    folders = [_main_job(console, name, edition) for name, edition in SHOWN]
    _accounts(console)
    console.print("申报材料：")
    for folder in folders:
        console.print(f"  {folder}", soft_wrap=True)
    if not no_serve:
        ctx.invoke(serve, port=port, host="127.0.0.1", workers=2)


def _build(console: Console) -> None:
    if services.is_built():
        console.print("演示数据已在，不再重建。")
        return
    published = district()["published_2020"]
    console.print("正在造演示区县：单位名称、人名、电话全部虚构。")
    console.print(
        f"2020 年全区一般工业固体废物合计等于公布的数字：产生 {published['generation']} 万吨，"
        f"综合利用率 {published['utilisation_rate_pct']}%（{published['source']}）；2021 年以后由此延续编造。"
    )
    services.build(
        folder=settings.DATA / "demo-workbooks", by=operator(), now=timezone.now(), report=console.print
    )


def _main_job(console: Console, name: str, edition: str) -> Path:
    """Evaluate, show criterion by criterion, and write the case file; return its folder."""
    said = district()
    serials = {each["id"]: each["serial"] for each in said["enterprises"]} | {"park": said["park"]["serial"]}
    organisation = Organisation.objects.get(uscc=uscc_of(serials[name]))
    now = timezone.now()
    judged = evaluation(organisation=organisation, edition_id=edition, year=YEAR, on=timezone.localdate())
    table = Table("要求", "结论", "说明", title=f"{organisation.name} · {edition} · {YEAR}")
    for found in judged.findings:
        table.add_row(found.criterion.id, VERDICTS[found.verdict], found.node.explanation)
    console.print(table)
    draft = open_case(organisation=organisation, edition_id=edition, year=YEAR, by=operator(), now=now)
    if not draft.title:
        draft = save_draft(
            case=draft, version=draft.version, changes=said["cases"][name], by=operator(), now=now
        )
    produced = produce(case=draft, by=operator(), now=now)
    folder = settings.DATA / "case-files" / f"{organisation.name}-{YEAR}"
    folder.mkdir(parents=True, exist_ok=True)
    for file_name, content in produced.files.items():
        (folder / file_name).write_bytes(content)
    return folder


def _accounts(console: Console) -> None:
    table = Table("账号", "姓名", "角色", "单位", title=f"演示账号（密码都是 {services.PASSWORD}）")
    for person in services.accounts():
        table.add_row(person["username"], person["name"], ROLES[Role(person["role"])], person["of"])
    console.print(table)
