"""`wufei label`."""

import json
import sys
import uuid
from pathlib import Path

import click
from django.utils import timezone

from wufei.labels import queries, services
from wufei.labels.digital_id import DigitalIdRefused
from wufei.labels.models import LabelPrint, PrintFormat
from wufei.labels.output import file_of
from wufei.labels.payload import PayloadRefused
from wufei.labels.refusals import Code, LabelRefused
from wufei.labels.wording import words
from wufei.registry.services import operator
from wufei.terms.arguments import OutFile, why

AGAIN = "命令行重新生成"
LONGEST_REASON = LabelPrint._meta.get_field("reason").max_length or 0


@click.command()
@click.argument("code")
@click.option(
    "--format", "print_format", type=click.Choice(["pdf", "zpl", "png"]), default="pdf", show_default=True,
    help="pdf 原尺寸，zpl 标签打印机，png 图片（300 dpi）。",
)  # fmt: skip
@click.option("--out", type=OutFile(), required=True, help="写到这个文件。")
@click.option(
    "--dpi", type=click.Choice(["203", "300"]), default="203", show_default=True, help="打印机每英寸点数。"
)
@click.option("--reason", default=AGAIN, help="打印过的标签再印的原因。")
@click.option("--organisation", "uscc", default="", help="几个单位有同一编码时，指明单位的统一社会信用代码。")
@click.option("--json", "as_json", is_flag=True, help="以 JSON 输出。")
def label(code: str, uscc: str, print_format: str, out: Path, dpi: str, reason: str, as_json: bool) -> None:
    """生成一个容器或批次的标签；CODE 为批次编码、数字识别码或扫到的二维码内容。"""
    if not reason.strip() or len(reason) > LONGEST_REASON or not reason.isprintable():
        raise click.UsageError(f"重印原因应为 1 至 {LONGEST_REASON} 个可见的字。")
    try:
        lot = queries.lot_of_anybody(code=code, uscc=uscc.strip())
        of = queries.label(lot)
        file = file_of(
            [queries.picture(of)] * queries.faces(of),
            print_format=print_format.upper(),
            title=lot.code,
            dpi=int(dpi),
        )
        _write(out, file.content)
        [row] = services.record_prints(
            organisation=lot.organisation, lots=[lot], print_format=PrintFormat(print_format.upper()), count=1,
            reason=reason, client_id=uuid.uuid4(), by=operator(), now=timezone.now(),
        )  # fmt: skip
    except (LabelRefused, DigitalIdRefused, PayloadRefused) as refused:
        detail = f"（{refused.detail}）" if refused.detail else ""
        click.echo(f"{words(refused)}{detail}", err=True)
        if refused.code == Code.LOT_AMBIGUOUS:
            click.echo("也可以用 --organisation 指明单位。", err=True)
        sys.exit(1)
    _say(row, out, as_json)


def _write(out: Path, content: bytes) -> None:
    try:
        out.write_bytes(content)
    except OSError as error:
        click.echo(f"写不了文件“{out}”：{why(error)}；请检查文件夹和权限。", err=True)
        sys.exit(1)


def _say(row: LabelPrint, out: Path, as_json: bool) -> None:
    if as_json:
        said = {
            "lot": row.lot.code, "digital_id": row.digital_id or None, "format": row.format.lower(), "file": str(out),
            "is_reprint": row.is_reprint,
        }  # fmt: skip
        click.echo(json.dumps(said, ensure_ascii=False))
    else:
        click.echo(
            f"已写出 {row.lot.code} 的标签：{out}"
            + ("（重印，已登记）" if row.is_reprint else "（已登记打印）")
        )
