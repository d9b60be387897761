"""`wufei demo`: the main job, done and shown."""

import json
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from django.conf import settings
from django.utils import timezone
from rich.console import Console
from rich.table import Table

from wufei.cases.services import open_case, produce, save_draft
from wufei.demo import services
from wufei.demo.district import district, uscc_of
from wufei.policies.criteria import Evaluation
from wufei.policies.queries import evaluation
from wufei.registry.access import Role
from wufei.registry.models import Organisation
from wufei.registry.services import operator
from wufei.terms.truth import Truth
from wufei.web.serving import refuse_taken_port, run, started

HOST = "127.0.0.1"
YEAR = 2025
# The main job, for an enterprise and for the park: which organisation by which edition.
SHOWN = (("power", "chongqing-2026-6-enterprise"), ("park", "chongqing-2026-6-park"))
VERDICTS = {Truth.MET: "满足", Truth.NOT_MET: "不满足", Truth.UNKNOWN: "未知"}
ROLES = {
    Role.ADMINISTRATOR: "系统管理员", Role.ENVIRONMENT_OFFICER: "企业环保专员", Role.WORKER: "班组工人",
    Role.PARK_OFFICER: "园区管委会", Role.AUTHORITY_OFFICER: "主管部门", Role.EXPERT: "评审专家",
    Role.AGENCY_STAFF: "第三方机构",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The main job, done for one organisation."""

    uscc: str
    edition: str
    verdict: Truth
    folder: Path


@click.command()
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="端口。")
@click.option("--no-serve", is_flag=True, help="只造好数据、做完主要工作，不启动网站。")
@click.option("--json", "as_json", is_flag=True, help="做完后输出一行 JSON：网址、账号、结论、申报材料。")
def demo(port: int, no_serve: bool, as_json: bool) -> None:
    """造一个演示区县，做完主要工作（台账→指标→对照政策→申报书），再启动网站。"""
    if not no_serve:
        refuse_taken_port(port=port, host=HOST)
    # What is said on the way goes to standard error where a machine reads the outcome.
    console = Console(stderr=as_json, markup=False, highlight=False, emoji=False)
    try:
        _build(console)
    except services.DemoBroken as broken:
        click.echo(f"演示数据未能导入：{broken}", err=True)
        sys.exit(1)
    done = [_main_job(console, name, edition) for name, edition in SHOWN]
    _accounts(console)
    console.print("申报材料：")
    for each in done:
        console.print(f"  {each.folder}", soft_wrap=True)
    console.print("另开一个终端可以接着试，例如：")
    console.print(f"  {_command(done[0])}", soft_wrap=True)

    def tell(address: str | None) -> None:
        if as_json:
            click.echo(json.dumps(_document(address, done), ensure_ascii=False))
        elif address:
            click.echo(started(address))

    if no_serve:
        tell(None)
    else:
        run(port=port, host=HOST, workers=2, on_ready=tell)


def _command(done: Done) -> str:
    """Return a command that a person can type as it stands, where they started the demo."""
    called = sys.argv[0] if Path(sys.argv[0]).name == "wufei" else "wufei"
    data = settings.DATA
    if data.is_relative_to(Path.cwd()):
        data = data.relative_to(Path.cwd())
    said = [
        called,
        "--data",
        str(data),
        "evaluate",
        done.uscc,
        "--edition",
        done.edition,
        "--year",
        str(YEAR),
    ]
    return shlex.join(said)


def _document(address: str | None, done: list[Done]) -> dict[str, Any]:
    people = [
        {"username": each["username"], "name": each["name"], "role": each["role"], "organisation": each["of"]}
        for each in services.accounts()
    ]
    return {
        "address": address,
        "password": services.PASSWORD,
        "accounts": people,
        "cases": [
            {"organisation": each.uscc, "edition": each.edition, "year": YEAR, "verdict": each.verdict.value,
             "folder": str(each.folder)}
            for each in done
        ],
    }  # fmt: skip


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


def _main_job(console: Console, name: str, edition: str) -> Done:
    """Evaluate, show criterion by criterion, and write the case file."""
    said = district()
    serials = {each["id"]: each["serial"] for each in said["enterprises"]} | {"park": said["park"]["serial"]}
    organisation = Organisation.objects.get(uscc=uscc_of(serials[name]))
    now = timezone.now()
    judged = evaluation(organisation=organisation, edition_id=edition, year=YEAR, on=timezone.localdate())
    # Nothing is cut off: a sentence that does not fit goes on in the next line.
    table = Table(title=f"{organisation.name} · {edition} · {YEAR}", title_justify="left")
    for title, width in (("要求", 12), ("结论", 6), ("说明", 24)):
        table.add_column(title, overflow="fold", min_width=width)
    for found in judged.findings:
        table.add_row(found.criterion.id, VERDICTS[found.verdict], found.node.explanation)
    console.print(table)
    console.print(_overall(organisation, judged), soft_wrap=True)
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
    return Done(uscc=organisation.uscc, edition=edition, verdict=judged.verdict, folder=folder)


def _overall(organisation: Organisation, judged: Evaluation) -> str:
    """Say the verdict of the whole, and how many criteria stand how."""
    deciding = [each.verdict for each in judged.findings if each.criterion.decides]
    counted = "，".join(f"{words} {deciding.count(truth)} 条" for truth, words in VERDICTS.items())
    return f"总的结论：{organisation.name} {VERDICTS[judged.verdict]}（决定结论的 {len(deciding)} 条中{counted}）"


def _accounts(console: Console) -> None:
    table = Table(title=f"演示账号（密码都是 {services.PASSWORD}）", title_justify="left")
    for title in ("账号", "姓名", "角色", "单位"):
        table.add_column(title, overflow="fold")
    for person in services.accounts():
        table.add_row(person["username"], person["name"], ROLES[Role(person["role"])], person["of"])
    console.print(table)
