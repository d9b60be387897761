"""Commands on manifests: `wufei manifest show NUMBER`."""

import json
import sys
from datetime import datetime
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from wufei.terms.day import SHANGHAI
from wufei.terms.mass import Mass
from wufei.transfers import queries
from wufei.transfers.models import Manifest
from wufei.transfers.states import ACT_LABELS, LABELS, Act
from wufei.transfers.wording import FLAG_TEXT


@click.group("manifest")
def manifest_group() -> None:
    """转移联单。"""


@manifest_group.command("show")
@click.argument("number")
@click.option("--json", "as_json", is_flag=True, help="供机器读取的输出。")
def show(number: str, as_json: bool) -> None:
    """显示一份联单：各方、废物、签署和更正。"""
    manifest = Manifest.objects.filter(queries.named(number)).first()
    if manifest is None:
        click.echo(f"没有编号为 {number} 的联单。请核对编号。", err=True)
        sys.exit(1)
    row = queries.whole(manifest)
    said = told(row)
    if as_json:
        click.echo(json.dumps(said, ensure_ascii=False))
    else:
        _print(row, said)


def told(row: Manifest) -> dict[str, Any]:
    """Return all that is known of the manifest."""
    lines, legs = queries.lines_of(row), queries.legs_of(row)
    return {
        **queries.document_of(row, lines, legs),
        "state": row.state,
        "declared_g": row.declared_g,
        "received_g": row.received_g,
        "issued_on": row.issued_on.isoformat() if row.issued_on else None,
        "confirm_due_on": row.confirm_due_on.isoformat() if row.confirm_due_on else None,
        "signatures": [
            {
                "seq": s.seq, "act": s.act, "party": s.party, "organisation": s.organisation_name,
                "signer": s.signer_name, "signed_at": s.signed_at.isoformat(), "content_sha256": s.content_sha256,
            }
            for s in queries.signatures_of(row)
        ],
        "revisions": [
            {"state": r.state, "reason": r.reason, "changes": r.changes} for r in queries.revisions_of(row)
        ],
        "discrepancies": [
            {
                "line": d.line.position, "kind": d.kind, "declared": d.declared, "found": d.found,
                "settled": d.settled_at is not None, "reason": d.reason,
            }
            for d in queries.discrepancies_of(row)
        ],
        "flags": [{"code": f.code, "detail": f.detail} for f in queries.flags_of(row)],
    }  # fmt: skip


def _print(row: Manifest, said: dict[str, Any]) -> None:
    console = Console(markup=False, highlight=False)
    console.print(f"{row.number or '草稿'}　{LABELS[row.now_in]}")
    receiver = said["receiver"]["name"] if said["receiver"] else "—"
    console.print(
        f"{said['generator']['name']} → {'、'.join(leg['carrier_name'] for leg in said['legs'])} → {receiver}"
    )
    table = Table("行", "废物", "代码", "容器", "移出量（吨）", "接受量（吨）")
    for line in said["lines"]:
        received = line.get("received_g")
        table.add_row(
            str(line["position"]), line["waste_name"], line["waste_code"], line.get("lot", ""),
            f"{Mass(line['declared_g']).tonnes:f}", "—" if received is None else f"{Mass(received).tonnes:f}",
        )  # fmt: skip
    console.print(table)
    for each in said["signatures"]:
        at = datetime.fromisoformat(each["signed_at"]).astimezone(SHANGHAI)
        console.print(
            f"{each['seq']}. {ACT_LABELS[Act(each['act'])]}　{each['organisation']}　{each['signer']}　{at:%Y-%m-%d %H:%M}"
        )
    for each in said["flags"]:
        console.print(f"⚠ {FLAG_TEXT[each['code']]}{each['detail']}")
