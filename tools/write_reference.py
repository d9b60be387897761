"""Write docs/reference/ from the code and the data themselves; `--check` fails where a page is stale."""

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wufei.web.settings")
os.environ.setdefault("WUFEI_DATA", "/tmp/wufei-reference")

import click
import django

django.setup()

from wufei.collection.wording import REFUSAL_TEXT as COLLECTION_TEXT
from wufei.indicators.definitions import INDICATORS
from wufei.labels.wording import DIGITAL_ID_TEXT, PAYLOAD_TEXT
from wufei.labels.wording import REFUSAL_TEXT as LABEL_TEXT
from wufei.ledger.kinds import LABELS
from wufei.ledger.wording import CLOSING_TEXT, REFUSAL_TEXT, REVERSAL_TEXT, WASTE_REPORT_TEXT
from wufei.policies.edition import Stage
from wufei.policies.queries import known_editions
from wufei.reviews import stage_table, telling
from wufei.reviews.stages import Action
from wufei.shopfloor.wording import READING_TEXT
from wufei.shopfloor.wording import TEXT as SHOPFLOOR_TEXT
from wufei.tracking.wording import POSITION_TEXT
from wufei.tracking.wording import TEXT as TRACKING_TEXT
from wufei.transfers.fields import FIELDS, SIGNING_LABELS, Part
from wufei.transfers.states import ACT_LABELS, MOVES, PARTY_LABELS
from wufei.transfers.states import LABELS as STATES
from wufei.transfers.tolerance import TOLERANCES
from wufei.transfers.wording import FLAG_TEXT
from wufei.transfers.wording import REFUSAL_TEXT as TRANSFER_REFUSALS
from wufei.web.cli import main

FOLDER = Path(__file__).parent.parent / "docs/reference"
MADE = "<!-- Written by tools/write_reference.py: change the code or the data, then `make docs`. -->\n"

SETTINGS = {
    "WUFEI_DATA": ("wufei-data", "内嵌数据库、上传文件、密钥所在的文件夹（命令行 `--data`）"),
    "DATABASE_URL": ("（内嵌 SQLite）", "PostgreSQL 的地址：`postgresql://用户:密码@主机/库`"),
    "WUFEI_EDITIONS": ("", "再加的政策版本文件夹，多个以冒号分隔（命令行 `--editions`）"),
    "WUFEI_SECRET_KEY": ("首次启动时生成，存于数据文件夹", "会话签名密钥；多台机器须相同"),
    "WUFEI_HOSTS": ("localhost,127.0.0.1,[::1],testserver", "网站的域名，逗号分隔"),
    "WUFEI_ORIGINS": ("", "反向代理之后的来源，如 `https://wufei.example`，逗号分隔"),
    "WUFEI_HTTPS": ("0", "`1`：只走 HTTPS（安全 Cookie、跳转、HSTS）；正式使用必须打开"),
    "WUFEI_DEBUG": ("0", "`1`：开发时显示错误详情；正式使用不得打开"),
    "WUFEI_MAIL": (
        "",
        "发邮件的服务器：`smtp://用户:密码@主机:587`（STARTTLS）、`smtps://用户:密码@主机:465`，内网可用 `smtp+plain://主机:25`；不写则只在系统内提醒",
    ),
    "WUFEI_MAIL_FROM": ("wufei@localhost", "邮件的发件人地址"),
    "WUFEI_SITE": ("", "邮件里链接的开头，如 `https://wufei.example`"),
    "WUFEI_BROKER": (
        "",
        "秤和车载终端经 MQTT 发来数据的服务器：`mqtt://用户:密码@主机:1883`，TLS 用 `mqtts://用户:密码@主机:8883`（命令行 `--broker`）",
    ),
    "WUFEI_BROKER_CA": ("", "MQTT 服务器证书的签发者（PEM 文件）；系统不认识时才写"),
    "WUFEI_LOG_LEVEL": ("WARNING", "日志级别"),
}


def cell(text: object) -> str:
    return str(text).replace("|", "\\|").replace("\n", " ")


def table(*heads: str, rows: Iterator[tuple[object, ...]]) -> str:
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    return "\n".join(lines + [f"| {' | '.join(map(cell, row))} |" for row in rows]) + "\n"


def indicators() -> str:
    rows = (
        (f"`{i.id}`", i.name, i.unit or "—", i.formula, f"{i.source.document} {i.source.clause}", i.reading)
        for i in INDICATORS.values()
    )
    return (
        "# 指标\n\n每个指标只算一处。“我们的读法”是原文留有余地、由我们决定之处。未知绝不当作 0。\n\n"
        + table("编号", "名称", "单位", "公式", "出处", "我们的读法", rows=rows)
    )


def criteria() -> str:
    said = "# 各政策版本的要求\n\n政策版本是 `policies/editions/*.yaml`；这里逐条列出。种类：gate 申报条件、veto 一票否决、indicator 指标要求、score 计分、selection 择优参考、lifecycle 称号存续。前三种决定总的结论。\n"
    for edition in known_editions().values():
        said += f"\n## {edition.title}\n\n`{edition.id}` · {edition.norm.number} · 自 {edition.in_force_from}"
        said += f" · 在 `{edition.extends}` 之上\n\n" if edition.extends else "\n\n"
        if edition.dates or edition.quotas:
            said += "".join(f"- {d.label}：{d.on}（{d.clause}）\n" for d in edition.dates)
            said += "".join(f"- {q.says}（{q.clause}）\n" for q in edition.quotas) + "\n"
        said += table(
            "编号", "种类", "条款", "要求", "我们的读法 / 未核对",
            rows=(
                (f"`{c.id}`", c.kind.value, c.clause, c.says, " ".join(filter(None, (c.our_reading, c.unverified))))
                for c in edition.criteria
            ),
        )  # fmt: skip
    return said


def refusals() -> str:
    return (
        "# 台账为什么拒绝\n\n按先后次序；一次列出全部理由，不止第一条。\n\n## 记账\n\n"
        + table("代码", "说明", rows=((f"`{code}`", text) for code, text in REFUSAL_TEXT.items()))
        + "\n## 冲正\n\n"
        + table("代码", "说明", rows=((f"`{code}`", text) for code, text in REVERSAL_TEXT.items()))
        + "\n## 月结\n\n"
        + table("代码", "说明", rows=((f"`{code}`", text) for code, text in CLOSING_TEXT.items()))
        + "\n## 危险废物申报\n\n"
        + table("代码", "说明", rows=((f"`{code}`", text) for code, text in WASTE_REPORT_TEXT.items()))
        + "\n## 标签\n\n"
        + table(
            "代码",
            "说明",
            rows=(
                (f"`{code}`", text)
                for code, text in (*LABEL_TEXT.items(), *DIGITAL_ID_TEXT.items(), *PAYLOAD_TEXT.items())
            ),
        )
        + "\n## 秤和现场作业\n\n"
        + table(
            "代码",
            "说明",
            rows=((f"`{code}`", text) for code, text in (*READING_TEXT.items(), *SHOPFLOOR_TEXT.items())),
        )
        + "\n## 车辆位置和运输提醒\n\n"
        + table(
            "代码",
            "说明",
            rows=((f"`{code}`", text) for code, text in (*POSITION_TEXT.items(), *TRACKING_TEXT.items())),
        )
        + "\n## 小微企业收运\n\n"
        + table("代码", "说明", rows=((f"`{code}`", text) for code, text in COLLECTION_TEXT.items()))
        + "\n## 环节\n\n"
        + table("代码", "名称", rows=((f"`{kind}`", label) for kind, label in LABELS.items()))
    )


def commands() -> str:
    said = "# 命令\n\n成功退出码 0；结论为“否”或输入被拒绝 1；用法不对 2。每条命令都有 `--json`。\n"
    context = click.Context(main, info_name="wufei")
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        assert command is not None
        said += f"\n## wufei {name}\n\n{_help(command, f'wufei {name}')}"
        if isinstance(command, click.Group):
            for sub, each in command.commands.items():
                said += f"\n### wufei {name} {sub}\n\n{_help(each, f'wufei {name} {sub}')}"
    return said


def _help(command: click.Command, name: str) -> str:
    with click.Context(command, info_name=name, terminal_width=100) as context:
        return f"```\n{command.get_help(context)}\n```\n"


def settings() -> str:
    rows = ((f"`{name}`", default or "—", says) for name, (default, says) in SETTINGS.items())
    return "# 设置\n\n全部是环境变量，在 `web/settings.py` 读一次；默认值在一台笔记本上就能用。\n\n" + table(
        "名称", "默认", "说明", rows=rows
    )


def stages() -> str:
    said = (
        "# 环节：谁在什么状态下能做什么\n\n由政策版本的数据决定；没有列出的角色和动作，一律不允许。同一人在同一案中只能承担"
        "申报、推荐、评分、认定之一。“告知申报单位”和“转由承继单位”由组织单位办理，不改变环节。\n\n"
        "联合审核的一方表态后，不再重复表同一个态；本环节办结前可以改变意见，也可以单独退回补正，退回后各方重新表态。\n\n"
        "申报单位能不能撤回，看它已被告知的环节，不看尚未告知的决定：决定尚未告知时，撤回与没有决定时一样照办，未告知的决定留存"
        "在案，不再告知；上级已接收的同一案随之撤回，上级接收的不能单独撤回。已登记称号的、已公示的不能撤回。\n"
    )
    for edition in known_editions().values():
        if not edition.stages:
            continue
        said += f"\n## {edition.title}\n\n`{edition.id}`\n\n"
        said += table("环节", "申报单位看到的", "状态", "谁能做什么", rows=_stage_rows(edition.stages))
    return said


def _stage_rows(all_stages: Sequence[Stage]) -> Iterator[tuple[object, ...]]:
    for row in stage_table.table(all_stages):
        offered = "；".join(
            f"{telling.role_words(role)}：{'、'.join(telling.ACTION_WORDS[a] for a in Action if a in actions)}"
            for role, actions in row.offered.items()
        )
        yield f"{row.stage.label}（`{row.stage.id}`）", row.stage.applicant_label, row.state, offered or "—"


def manifests() -> str:
    """The one table of fields, the one table of changes, and why an act is refused."""
    parts = {Part.MANIFEST: "联单", Part.LINE: "每种废物", Part.LEG: "每个承运人"}
    said = (
        "# 转移联单\n\n由 `transfers/fields.py`、`transfers/states.py` 生成：接口、页面、PDF 和本页用的是同一张表。"
        "依据《危险废物转移管理办法》（部令第23号，2022-01-01 施行）。"
        "生态环境部另行制定的联单格式（第六条）不在本系统的资料中；办法没有写到的栏目标为未核对。\n\n## 栏目\n"
    )
    for part, title in parts.items():
        rows = (
            (
                f"`{f.name}`",
                f.label,
                PARTY_LABELS[f.filled_by],
                SIGNING_LABELS[f.required_from] if f.required_from else "可不填",
                SIGNING_LABELS[f.sealed_from],
                f.in_force_from,
                "危险废物" if f.hazardous_only else "全部",
                f.clause if f.is_verified else f"{f.clause} 未核对".strip(),
            )
            for f in FIELDS
            if f.part is part
        )
        heads = ("栏目", "名称", "谁填", "签署前必填", "签署后封存", "施行", "适用", "依据")
        said += f"\n### {title}\n\n{table(*heads, rows=rows)}"
    moves = ((STATES[m.source], ACT_LABELS[m.act], PARTY_LABELS[m.party], STATES[m.target]) for m in MOVES)
    said += "\n## 状态\n\n没有列出的，一律不能办理。\n\n" + table("状态", "动作", "谁", "到", rows=moves)
    said += "\n## 允差\n\n" + "".join(f"- 自 {t.in_force_from}：{t.says}\n" for t in TOLERANCES)
    said += "\n## 为什么拒绝\n\n"
    said += table("代码", "说明", rows=((f"`{code}`", text) for code, text in TRANSFER_REFUSALS.items()))
    flags = ((f"`{code}`", text) for code, text in FLAG_TEXT.items())
    return said + "\n## 不拒绝但标出\n\n" + table("代码", "说明", rows=flags)


PAGES = {
    "manifests.md": manifests,
    "stages.md": stages,
    "indicators.md": indicators,
    "criteria.md": criteria,
    "refusals.md": refusals,
    "commands.md": commands,
    "settings.md": settings,
}


def stale() -> list[str]:
    """Return the pages that no longer say what the code says."""
    return [
        name
        for name, make in PAGES.items()
        if not (FOLDER / name).exists() or (FOLDER / name).read_text() != MADE + make()
    ]


if __name__ == "__main__":
    if "--check" in sys.argv:
        found = stale()
        print("\n".join(found) or "reference is fresh")
        sys.exit(1 if found else 0)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for page, write in PAGES.items():
        (FOLDER / page).write_text(MADE + write())
