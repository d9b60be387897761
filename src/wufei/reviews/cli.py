"""Commands on reviews: `wufei round …`, `wufei register …`, `wufei draw`."""

import hashlib
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn
from uuid import UUID

import click
from django.db import transaction
from django.utils import timezone
from rich.console import Console
from rich.table import Table
from stdnum.cn import uscc as check_digits

from wufei.policies import queries as policy_queries
from wufei.policies.edition import Edition
from wufei.registry.models import Branch, Organisation, OrganisationKind
from wufei.registry.services import operator, register_organisation
from wufei.reviews import draw as draws
from wufei.reviews.models import Round
from wufei.reviews.queries import reevaluations, register
from wufei.reviews.queries.experts import experts_of, fields_known
from wufei.reviews.queries.ranking import RankedCase, ranking
from wufei.reviews.queries.rounds import counts_of, found_rounds, runs_rounds_of, status_of
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services import messages, packages, rounds
from wufei.reviews.stages import Outcome
from wufei.reviews.telling import OUTCOME_WORDS
from wufei.reviews.wording import words_of
from wufei.terms.day import local_day

AS_JSON = click.option("--json", "as_json", is_flag=True, help="供机器读取的输出。")
DAYS_TO_APPLY = timedelta(days=30)  # where neither the edition nor the operator says until when
# Where nobody stands for an authority yet: the division whose authority runs a round of that level.
_SEATS = {"MINISTRY": "000000"}


@click.group("round")
def round_group() -> None:
    """征集和评审：发起、发布、进度、排名、上报与接收。"""


@round_group.command("open")
@click.argument("edition")
@click.option("--year", type=int, required=True, help="年度。")
@click.option("--authority", help="组织单位的统一社会信用代码；只有一家合适的单位时可以不写。")
@click.option("--deadline", help="申报单位的报送截止日期；不写按政策版本，版本没有的，发布之日起 30 天。")
@click.option("--publish", is_flag=True, help="同时发布通知，开始接收申报。")
@AS_JSON
def open_command(
    edition: str, year: int, authority: str | None, deadline: str | None, publish: bool, as_json: bool
) -> None:
    """按政策版本发起一轮申报。没有写通知正文的，发布时按政策版本拟一段。"""
    now, until, pinned = timezone.now(), _day(deadline) if deadline else None, _edition(edition)
    with _in_words(), transaction.atomic():  # refused anywhere, none of it stays
        if not pinned.stages:
            raise ReviewRefused("edition_has_no_stages", edition)
        known = _named(authority) if authority else _runs(pinned)
        runs_it = known or _placeholder(pinned, now)
        opened = rounds.open_round(edition_id=edition, year=year, authority=runs_it, by=operator(), now=now)
        opened = _completed(opened, pinned, until, publish, now)
        if publish and opened.published_at is None:
            opened = rounds.publish_round(round_=opened, by=operator(), now=now)
    if known is None:
        click.echo(
            f"还没有登记组织单位，已按发文单位建立“{runs_it.name}”，代码 {runs_it.uscc} 是占位的，请在单位信息中更正。",
            err=True,
        )
    _say_round(opened, as_json)


def _completed(opened: Round, edition: Edition, deadline: date | None, publish: bool, now: datetime) -> Round:
    """Put in what was said, and for who publishes at once what a call can't do without."""
    changes: dict[str, Any] = {"submission_deadline": deadline} if deadline else {}
    if publish and opened.published_at is None:
        if not opened.notice_text.strip():
            changes["notice_text"] = rounds.call_text(edition=edition)
        if deadline is None and opened.submission_deadline is None:
            changes["submission_deadline"] = local_day(now) + DAYS_TO_APPLY
            click.echo(f"政策版本没有写截止日期，按发布之日起 {DAYS_TO_APPLY.days} 天。", err=True)
    if not changes:
        return opened
    return rounds.edit_round(round_=opened, version=opened.version, changes=changes, by=operator(), now=now)


@round_group.command("publish")
@click.argument("round_id", metavar="ROUND")
@AS_JSON
def publish_command(round_id: str, as_json: bool) -> None:
    """发布通知，开始接收申报。"""
    with _in_words():
        published = rounds.publish_round(round_=the_round(round_id), by=operator(), now=timezone.now())
    _say_round(published, as_json)


@round_group.command("status")
@click.argument("round_id", metavar="ROUND")
@AS_JSON
def status_command(round_id: str, as_json: bool) -> None:
    """各环节有多少申报。"""
    asked = the_round(round_id)
    status = status_of(round_=asked)
    if as_json:
        stages = [{"id": row.id, "label": row.label, "count": row.count} for row in status.stages]
        said = _about(asked) | {
            "applications": status.applications, "stages": stages, "outcomes": dict(status.outcomes),
        }  # fmt: skip
        click.echo(json.dumps(said, ensure_ascii=False))
        return
    table = Table("环节", "件数", title=f"{asked.title}：共 {status.applications} 件")
    for row in status.stages:
        table.add_row(row.label, str(row.count))
    for outcome, count in status.outcomes.items():
        table.add_row(OUTCOME_WORDS[Outcome(outcome)], str(count))
    Console(markup=False, highlight=False).print(table)


@round_group.command("list")
@AS_JSON
def list_command(as_json: bool) -> None:
    """列出各轮申报，新的在前：轮次号、政策版本、年度、件数。"""
    found = list(found_rounds(among=Round.objects.select_related("authority")))
    counts = counts_of(rounds=found)
    if as_json:
        click.echo(
            json.dumps(
                [_about(one) | {"applications": counts.get(one.pk, 0)} for one in found], ensure_ascii=False
            )
        )
        return
    table = Table("轮次", "名称", "政策版本", "年度", "状态", "件数")
    for one in found:
        state = "已结束" if one.closed_at else "已发布" if one.published_at else "未发布"
        table.add_row(str(one.pk), one.title, one.edition, str(one.year), state, str(counts.get(one.pk, 0)))
    Console(markup=False, highlight=False).print(table)


@round_group.command("remind")
@click.option("--days", type=click.IntRange(0, 60), default=3, show_default=True, help="提前几天提醒。")
@AS_JSON
def remind_command(days: int, as_json: bool) -> None:
    """提醒将到期和已逾期的事项；同一事项不重复提醒，可每天定时运行。"""
    done = messages.remind(by=operator(), now=timezone.now(), days_before=days)
    if as_json:
        said = {
            "reminded": done.total, "applications": done.applications, "consultations": done.consultations,
            "scorings": done.scorings, "deadlines": done.deadlines,
        }  # fmt: skip
        click.echo(json.dumps(said))
        return
    click.echo(
        f"新发 {done.total} 条提醒：办理 {done.applications}，征求意见 {done.consultations}，"
        f"评分 {done.scorings}，报送截止 {done.deadlines}。"
    )


@round_group.command("export")
@click.argument("round_id", metavar="ROUND")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="写到哪个文件。")
@AS_JSON
def export_command(round_id: str, out: Path, as_json: bool) -> None:
    """把本轮推荐的申报写成签名的上报包。"""
    asked, now = the_round(round_id), timezone.now()
    if not (out.absolute().parent.is_dir() and os.access(out.absolute().parent, os.W_OK)):
        raise click.UsageError(f"无法写入 {out}：文件夹不存在，或没有写入的权限。")
    # What could not be written was not sent: the record of the export goes back with it.
    with _in_words(), transaction.atomic():
        sealed = packages.export_round(round_=asked, by=operator(), now=now)
        key = packages.make_key(authority=asked.authority, by=operator(), now=now).public_key
        _write(out, sealed)
    digest = hashlib.sha256(sealed).hexdigest()
    said = {"round": str(asked.uid), "file": str(out), "sha256": digest, "public_key": key}
    click.echo(
        json.dumps(said, ensure_ascii=False) if as_json else f"已写出 {out}，SHA-256 {digest}，公钥 {key}"
    )


@round_group.command("load")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--round", "round_id", help="接收到哪一轮；只有一轮合适时可以不写。")
@click.option("--trust", help="报送单位的公钥，已另行核对。")
@AS_JSON
def load_command(file: Path, round_id: str | None, trust: str | None, as_json: bool) -> None:
    """接收下级的上报包；改动过一个字节的都不收。"""
    now, package = timezone.now(), file.read_bytes()
    with _in_words(), transaction.atomic():  # a key is trusted only together with what it signed
        manifest = packages.manifest_of(package=package, also=trust or "")
        if trust:
            sender = packages.sender_of(manifest=manifest, now=now)
            packages.trust_key(authority=sender, public_key=trust, by=operator(), now=now)
        into = the_round(round_id) if round_id else _fitting(manifest)
        taken = packages.load_package(round_=into, package=package, by=operator(), now=now)
    said = _about(into) | {"loaded": [row.code for row in taken]}
    click.echo(
        json.dumps(said, ensure_ascii=False) if as_json else f"已接收 {len(taken)} 件到“{into.title}”。"
    )


@round_group.command("rank")
@click.argument("round_id", metavar="ROUND")
@click.option("--stage", default="", help="哪个专家评审环节；不写就是第一个。")
@AS_JSON
def rank_command(round_id: str, stage: str, as_json: bool) -> None:
    """按专家评分排名：原始分、标准化分，同分由哪条规则定先后。"""
    asked = the_round(round_id)
    with _in_words():
        found = ranking(round_=asked, stage=stage)
    if as_json:
        said = _about(asked) | {
            "stage": found.stage, "normalisation": found.scoring.normalisation, "unscored": found.unscored,
            "rows": [_ranked(row) for row in found.rows],
        }  # fmt: skip
        click.echo(json.dumps(said, ensure_ascii=False))
        return
    table = Table(
        "名次",
        "编号",
        "申报单位",
        "标准化得分",
        "原始平均分",
        "同分规则",
        title=f"{asked.title}：{len(found.rows)} 件",
    )
    for row in found.rows:
        rules = "；".join((*row.decided_by, *(f"{says}：数据缺失，排后" for says in row.unknown)))
        shared = "（并列）" if row.is_shared else ""
        table.add_row(
            f"{row.rank}{shared}", row.code, row.organisation, str(row.normalised), str(row.raw), rules
        )
    Console(markup=False, highlight=False).print(table)
    if found.unscored:
        click.echo(f"另有 {found.unscored} 件还没有评分。")


def _ranked(row: RankedCase) -> dict[str, Any]:
    sheets = [
        {"expert": s.expert, "raw": str(s.raw), "normalised": str(s.normalised), "outlier": s.is_outlier}
        for s in row.score.sheets
    ]
    return {
        "rank": row.rank, "code": row.code, "organisation": row.organisation, "raw": str(row.raw),
        "normalised": str(row.normalised), "experts": sheets, "ties": list(row.decided_by),
        "unknown": list(row.unknown), "shared": row.is_shared,
    }  # fmt: skip


@click.command("draw")
@click.option("--pool", metavar="ID", required=True, help="专家库：主管部门的统一社会信用代码。")
@click.option("--n", "number", metavar="N", type=click.IntRange(1, 1000), required=True, help="抽取人数。")
@click.option("--seed", metavar="SEED", required=True, help="种子：任意文字。")
@click.option("--field", default="", help="只从这个专业领域抽取。")
@AS_JSON
def draw_command(pool: str, number: int, seed: str, field: str, as_json: bool) -> None:
    """按种子从专家库抽取；同一种子在任何机器上抽中同样的专家。方法见 docs/reference/draw.md。"""
    authority = _named(pool.strip().upper())
    if authority.kind != OrganisationKind.AUTHORITY:
        _refuse(f"{authority.name}（{authority.uscc}）不是主管部门，没有专家库。")
    if field and field not in (known := fields_known(pool=authority)):
        _refuse(f"专家库没有这个专业领域。已有的领域：{'、'.join(known)}。")
    rows = experts_of(pool=authority).filter(is_active=True)
    candidates = draws.in_order(draws.Candidate(e.number, tuple(e.fields)) for e in rows)
    try:
        found = draws.draw(candidates, seed=seed, per_field={field: number})
    except draws.NotEnoughCandidates as few:
        _refuse(f"可抽取的专家只有 {few.available} 位，不够 {few.wanted} 位。请减少人数，或补充专家库。")
    if as_json:
        said = {
            "pool": authority.uscc, "seed": seed, "field": field, "commitment": draws.commitment(seed),
            "drawn": [each.number for each in found], "keys": {each.number: each.key for each in found},
            "candidates": draws.published(candidates),
        }  # fmt: skip
        click.echo(json.dumps(said, ensure_ascii=False))
        return
    table = Table("顺序", "专家编号", "抽取键", title=f"{authority.name}：从 {len(candidates)} 位中抽取")
    for at, each in enumerate(found, start=1):
        table.add_row(str(at), each.number, each.key)
    Console(markup=False, highlight=False).print(table)
    click.echo(f"承诺值（种子的 SHA-256）：{draws.commitment(seed)}")


@click.group("register")
def register_group() -> None:
    """名单：任一日的在册称号，年度自评价对标和末位。"""


@register_group.command("list")
@click.option("--edition", "edition_id", metavar="ID", required=True, help="政策版本，见 wufei editions。")
@click.option("--at", metavar="DATE", help="哪一天的名单，如 2026-03-01；不写就是今天。")
@AS_JSON
def register_list(edition_id: str, at: str | None, as_json: bool) -> None:
    """列出一个政策版本的名单：持有人、名称和状态都是那一天的。"""
    day = _day(at) if at else timezone.localdate()
    edition = _edition(edition_id)
    rows = register.titles(at=day, edition=edition.id).order_by("year", "number")
    if as_json:
        found = [register.title_document(row) for row in rows]
        said = {"edition": edition.id, "at": day.isoformat(), "titles": found}
        click.echo(json.dumps(said, ensure_ascii=False))
        return
    table = Table(
        "编号", "持有人", "统一社会信用代码", "年度", "认定日期", "状态", title=f"{edition.title} {day}"
    )
    for row in rows:
        standing = str(register.STANDINGS[row.standing])
        table.add_row(
            row.number, row.holder_name, row.holder_uscc, str(row.year), str(row.granted_on), standing
        )
    Console(markup=False, highlight=False).print(table)


@register_group.command("reevaluate")
@click.option("--edition", "edition_id", metavar="ID", required=True, help="政策版本，见 wufei editions。")
@click.option("--year", type=click.IntRange(1949, 2200), required=True, help="年度。")
@AS_JSON
def register_reevaluate(edition_id: str, year: int, as_json: bool) -> None:
    """一年的自评价对标：得分、后百分之几、应移出的，以及没有开展的。"""
    edition = _edition(edition_id)
    with _in_words():
        result = reevaluations.reevaluation(edition, year)
    said = reevaluations.as_document(result)
    if as_json:
        click.echo(json.dumps(said, ensure_ascii=False))
        return
    due = {row["number"] for row in said["removals_due"]}
    table = Table(
        "名次", "编号", "持有人", "得分", "处于末位（连续年数）", "应移出", title=f"{edition.title} {year}"
    )
    for row in said["scores"]:
        running = f"是（{row['years_in_bottom']}）" if row["in_bottom"] else ""
        is_due = "是" if row["number"] in due else ""
        table.add_row(str(row["rank"]), row["number"], row["holder"], row["score"], running, is_due)
    Console(markup=False, highlight=False).print(table)
    for row in said["no_answer"]:
        click.echo(f"未开展自评价对标：{row['number']} {row['holder']}")
    for row in said["no_score"]:
        click.echo(f"已提交，材料不全，没有得分：{row['number']} {row['holder']}")


def _edition(edition_id: str) -> Edition:
    try:
        return policy_queries.edition(edition_id)
    except policy_queries.UnknownEdition:
        _refuse(f"没有政策版本 {edition_id}。请用 wufei editions 查看有哪些版本。")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise click.UsageError(f"日期“{text}”不对，应如 2026-03-01。") from error


def _fitting(manifest: dict[str, Any]) -> Round:
    fitting = list(
        Round.objects.filter(edition=manifest["target_edition"], year=manifest["year"], closed_at=None)[:2]
    )
    if len(fitting) != 1:
        _refuse(
            f"接收 {manifest['target_edition']} {manifest['year']} 年度的轮次有 {len(fitting)} 个，请用 --round 指明。"
        )
    return fitting[0]


def _write(out: Path, content: bytes) -> None:
    try:
        out.write_bytes(content)
    except OSError as fault:
        raise click.UsageError(f"无法写入 {out}：{fault.strerror}") from fault


def the_round(said: str) -> Round:
    """Return the round of that number or uid, or refuse."""
    rows = Round.objects.select_related("authority")
    try:
        found = rows.filter(pk=int(said)) if said.isdecimal() else rows.filter(uid=UUID(said))
    except ValueError:
        _refuse(f"“{said}”不是轮次的编号。编号见 wufei round open 的输出。")
    if (row := found.first()) is None:
        _refuse(f"没有编号为 {said} 的轮次。")
    return row


def _named(uscc: str) -> Organisation:
    found = Organisation.objects.filter(uscc=uscc).first()
    if found is None:
        _refuse(f"没有统一社会信用代码为 {uscc} 的单位。")
    return found


def _runs(edition: Edition) -> Organisation | None:
    """Return the authority that runs a round of the edition, where only one does; None: there is none yet."""
    _, _, branch = edition.run_by.partition("_")
    rows = Organisation.objects.filter(kind=OrganisationKind.AUTHORITY, branch=branch, closed_on=None)
    fitting = [row for row in rows if runs_rounds_of(edition=edition, authority=row)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        names = "、".join(f"{row.name}（{row.uscc}）" for row in fitting)
        _refuse(f"有多家单位可以组织这一轮，请用 --authority 指明：{names}。")
    return None


def _placeholder(edition: Edition, now: datetime) -> Organisation:
    """Register the issuer under a made-up code: the operator's door may, and says so."""
    level, _, branch = edition.run_by.partition("_")
    division = edition.region or _SEATS.get(level, "")
    name = edition.norm.issuer.split("、")[0]
    digits = f"{int(hashlib.sha256(name.encode()).hexdigest(), 16) % 10**9:09d}"
    code = f"11{division}{digits}"[:17]
    uscc = code + check_digits.calc_check_digit(code)
    return register_organisation(
        uscc=uscc, name=name, kind=OrganisationKind.AUTHORITY, division_code=division,
        branch=Branch(branch or Branch.INDUSTRY), by=operator(), now=now,
    )  # fmt: skip


def _about(asked: Round) -> dict[str, Any]:
    return {
        "round": str(asked.uid), "number": asked.pk, "edition": asked.edition, "year": asked.year, "title": asked.title,
        "authority": asked.authority.uscc, "published": asked.published_at is not None,
    }  # fmt: skip


def _say_round(opened: Round, as_json: bool) -> None:
    if as_json:
        deadline = opened.submission_deadline
        click.echo(
            json.dumps(
                _about(opened) | {"submission_deadline": deadline and deadline.isoformat()},
                ensure_ascii=False,
            )
        )
        return
    state = "已发布" if opened.published_at else "未发布"
    click.echo(f"第 {opened.pk} 轮：{opened.title}（{state}，组织单位 {opened.authority.name}）")


@contextmanager
def _in_words() -> Iterator[None]:
    """Put what is refused into words, on standard error, and end with 1."""
    try:
        yield
    except ReviewRefused as refused:
        _refuse(words_of(refused))


def _refuse(words: str) -> NoReturn:
    click.echo(words, err=True)
    sys.exit(1)
