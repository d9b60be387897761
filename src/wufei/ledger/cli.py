"""Commands on the ledger: `wufei verify`, `wufei seal`, `wufei stock`, `wufei ledger-book`."""

import json
import sys
from datetime import date, datetime
from pathlib import Path
from typing import NoReturn

import click
from django.utils import timezone
from rich.console import Console
from rich.table import Table

from wufei.ledger import book_exports, queries, services, tracing
from wufei.ledger.books.layouts import LAYOUTS
from wufei.ledger.epcis import epcis_document
from wufei.ledger.models import DailyRoot, Head, RootTimestamp
from wufei.ledger.posting import Fault
from wufei.ledger.queries.books import BookTooLong, OfficialBook, official_book
from wufei.ledger.queries.inventory import inventory
from wufei.ledger.timestamp import TimestampInvalid, request_for, timestamp_of
from wufei.registry.models import Organisation
from wufei.registry.services import operator
from wufei.terms.arguments import Day, Moment, OutFile, why
from wufei.terms.day import local_day
from wufei.terms.mass import Mass
from wufei.terms.period import Period


@click.command()
@click.argument("uscc", required=False)
@click.option(
    "--authority",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="时间戳机构的证书（PEM）。",
)
@click.option("--json", "as_json", is_flag=True, help="供机器读取的输出。")
def verify(uscc: str | None, authority: Path | None, as_json: bool) -> None:
    """重算哈希链、结存、月度合计和日根，指出第一处不对的记录。"""
    organisation = None if uscc is None else _organisation(uscc)
    result = services.verify(organisation=organisation, by=operator(), now=timezone.now())
    if authority and not RootTimestamp.objects.exists():
        click.echo("没有保存的可信时间戳，没有可以用这个证书核对的。", err=True)
    faults = [*result.faults, *(queries.timestamp_faults(authority.read_bytes()) if authority else ())]
    if as_json:
        said = {
            "movements": result.movements,
            "ok": not faults,
            "faults": [{"movement": f.movement, "kind": f.kind, "message": f.message} for f in faults],
        }
        click.echo(json.dumps(said, ensure_ascii=False))
    else:
        _show(result.movements, faults)
    sys.exit(1 if faults else 0)


def _show(movements: int, faults: list[Fault]) -> None:
    console = Console(markup=False, highlight=False)
    if not faults:
        console.print(f"{movements} 条记录，链、结存、月度合计、日根全部相符。")
        return
    table = Table("记录", "类型", "说明")
    for fault in faults:
        table.add_row(str(fault.movement or "—"), fault.kind, fault.message)
    console.print(table)


@click.command()
@click.option("--request", type=OutFile(), help="把时间戳请求（.tsq）写到这个文件。")
@click.option(
    "--response",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="收下时间戳机构的答复（.tsr）。",
)
@click.option(
    "--authority",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="时间戳机构的证书（PEM）。",
)
@click.option("--json", "as_json", is_flag=True, help="供机器读取的输出。")
def seal(request: Path | None, response: Path | None, authority: Path | None, as_json: bool) -> None:
    """给今天各单位的链尾加一个总的哈希（日根），并可加盖可信时间戳。"""
    if response and not authority:
        raise click.UsageError("收下答复须同时给出 --authority 证书，以便核对。")
    now = timezone.now()
    if response and authority:
        root = DailyRoot.objects.order_by("-day").first()
        if root is None:
            click.echo("还没有日根。请先运行 wufei seal --request FILE。", err=True)
            sys.exit(1)
        try:
            timestamp_of(root=root.root, response=response.read_bytes(), authority_pem=authority.read_bytes())
        except TimestampInvalid as invalid:
            click.echo(f"时间戳答复与 {root.day} 的日根不符，未收下：{invalid}", err=True)
            sys.exit(1)
        services.attach_timestamp(root=root, response=response.read_bytes(), by=operator(), now=now)
    else:
        root = services.seal_day(by=operator(), now=now)
        if request:
            request.write_bytes(request_for(root.root))
    said = {
        "day": root.day.isoformat(),
        "root": root.root,
        "algorithm": root.algorithm,
        "chains": len(root.heads),
    }
    click.echo(
        json.dumps(said, ensure_ascii=False)
        if as_json
        else f"{root.day} 日根 {root.root}（{len(root.heads)} 条链）"
    )


@click.command()
@click.argument("code")
@click.option("--organisation", "uscc", default="", help="几个单位有同一编码时，指明单位的统一社会信用代码。")
@click.option("--epcis", type=OutFile(), help="把全过程写成 GS1 EPCIS 2.0（JSON-LD）文件。")
@click.option("--json", "as_json", is_flag=True, help="供机器读取的输出。")
def trace(code: str, uscc: str, epcis: Path | None, as_json: bool) -> None:
    """追溯一个批次：由哪些工序和批次而来，又到了哪里；CODE 是批次编码、数字识别码或扫到的二维码内容。"""
    now = timezone.now()
    try:
        lot = queries.lot_coded(code, uscc=uscc, seen_by=operator(), on=local_day(now))
    except queries.LotNotFound:
        click.echo(f"没有编码为“{code}”的批次。请核对批次编码或标签上的数字识别码。", err=True)
        sys.exit(1)
    except queries.ScanRefused as refused:
        click.echo(refused.words, err=True)
        sys.exit(1)
    except queries.LotAmbiguous as several:
        whose = "、".join(f"{each.name}（{each.uscc}）" for each in several.organisations)
        click.echo(f"几个单位都有“{code}”：{whose}。请用 --organisation 指明单位。", err=True)
        sys.exit(1)
    found = queries.trace(lot=lot, seen_by=operator(), on=local_day(now))
    if epcis:
        said = epcis_document(found, created_at=now)
        epcis.write_text(json.dumps(said, ensure_ascii=False, indent=1), encoding="utf-8")
    if as_json:
        click.echo(json.dumps(tracing.document(found), ensure_ascii=False))
    else:
        _show_trace(found)


def _show_trace(found: tracing.Trace) -> None:
    table = Table()
    for title, width in (
        ("日期", 10),
        ("环节、批次", 12),
        ("从 → 到", 16),
        ("数量（克）", 10),
        ("何人、单据", 12),
    ):
        table.add_column(title, overflow="fold", min_width=width)
    for each in tracing.in_order(found):
        way, grams = f"{each.source} → {each.target}", "—" if each.mass_g is None else f"{each.mass_g:,}"
        if isinstance(each, tracing.Edge):
            table.add_row(str(local_day(each.at)), each.label, way, grams, each.document)
        else:
            who = "\n".join(said for said in (each.organisation, each.person, each.document) if said)
            table.add_row(str(each.on), f"{each.label}\n{each.lot}", way, grams, who)
    Console(markup=False, highlight=False).print(table)
    if found.is_cut:
        click.echo("批次或记录过多，只列出其中一部分。", err=True)


# --- the official ledgers, and what stands in store


def _organisation(uscc: str) -> Organisation:
    organisation = Organisation.objects.filter(uscc=uscc.strip().upper()).first()
    if organisation is None:
        _refuse(f"没有统一社会信用代码为 {uscc} 的单位。请核对代码，或先用 wufei import 导入。")
    return organisation


def _refuse(why: str) -> NoReturn:
    click.echo(why, err=True)
    sys.exit(1)


@click.command()
@click.argument("uscc")
@click.option("--at", type=Moment(), help="过去的时刻，如 2026-06-30T12:00；只写日期的为当日终。缺省为现在。")
@click.option("--json", "as_json", is_flag=True, help="供机器读取的输出。")
def stock(uscc: str, at: datetime | None, as_json: bool) -> None:
    """列出各贮存设施现在或过去某一时刻的存量，以及从哪一天起一直存放。"""
    rows = inventory(organisation=_organisation(uscc), at=at)
    if as_json:
        said = [row._asdict() | {"since": row.since.isoformat()} for row in rows]
        click.echo(json.dumps(said, ensure_ascii=False))
        return
    table = Table("设施", "废物编号", "批次", "数量（吨）", "存放自")
    for row in rows:
        table.add_row(
            row.place, row.stream, row.lot, f"{Mass(row.mass_g).tonnes.normalize():,f}", row.since.isoformat()
        )
    Console(markup=False, highlight=False).print(table if rows else "没有存量。")


@click.command("ledger-book")
@click.argument("uscc")
@click.option("--form", type=click.Choice(list(LAYOUTS)), required=True, help="哪一张官方台账。")
@click.option("--from", "first", type=Day(), required=True, help="起始日期。")
@click.option("--to", "last", type=Day(), required=True, help="截止日期（含）。")
@click.option(
    "--out", type=OutFile(), required=True, help="写到这个 .xlsx 或 .pdf 文件。",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="供机器读取的输出。")
def ledger_book(uscc: str, form: str, first: date, last: date, out: Path, as_json: bool) -> None:
    """按官方格式写出一张台账：一般固废附表 1–7，危险废物表 B.1–B.5。"""
    ending = out.suffix.lower().removeprefix(".")
    if ending not in book_exports.ENDINGS:
        raise click.BadParameter(f"文件应以 .xlsx 或 .pdf 结尾，“{out.name}”不是。", param_hint="--out")
    if first > last:
        raise click.UsageError(f"起始日期 {first} 晚于截止日期 {last}。")
    organisation = _organisation(uscc)
    period = Period(first, last)
    most = book_exports.MOST_LINES[ending]
    try:
        book = official_book(organisation=organisation, form=form, period=period, most=most)
    except BookTooLong as long:
        _refuse(f"期间有 {long.records} 行，一个 {ending} 文件最多 {long.most} 行；请缩短期间分别导出。")
    keeper = _keeper(organisation)
    try:
        with out.open("wb") as file:
            book_exports.WRITERS[ending](file, book, keeper)
    except OSError as cannot:
        _refuse(f"不能写到 {out}：{why(cannot)}。")
    _tell(book, organisation, out, as_json=as_json)


def _keeper(organisation: Organisation) -> book_exports.Keeper:
    head = Head.objects.filter(organisation=organisation).first()
    return book_exports.Keeper(
        name=organisation.name, uscc=organisation.uscc, made_by=str(operator()),
        made_at=timezone.localtime().replace(tzinfo=None), head_seq=head.seq if head else 0,
        head_hash=head.chain_hash if head else "",
    )  # fmt: skip


def _tell(book: OfficialBook, organisation: Organisation, out: Path, *, as_json: bool) -> None:
    lacking = book_exports.missing_lines(book.missing)
    if not as_json:
        click.echo(f"{book.layout.number} {book.layout.title}：{len(book.rows)} 行，写到 {out}。")
        for text in [*book.remarks, *lacking]:
            click.echo(f"  {text}")
        return
    said = {
        "form": book.layout.id,
        "title": book.layout.title,
        "organisation": organisation.uscc,
        "from": book.period.first_day.isoformat(),
        "to": book.period.last_day.isoformat(),
        "file": str(out),
        "rows": len(book.rows),
        "totals": {key: f"{value:f}" for key, value in book.totals.items()},
        "missing": [
            {"column": each.column.key, "label": book_exports.label_of(each.column), "rows": each.count,
             "source": each.column.source}
            for each in book.missing
        ],
        "remarks": book.remarks,
        "is_verified": book.layout.is_verified,
    }  # fmt: skip
    click.echo(json.dumps(said, ensure_ascii=False))
