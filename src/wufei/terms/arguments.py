"""What commands of all rooms take: a day, a moment, a file to write; and why a file can't be read or written."""

import errno
import os
import re
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import click

from wufei.terms.day import SHANGHAI

FIRST_YEAR, LAST_YEAR = 1949, 2200
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_REASONS = {
    errno.ENOENT: "没有这个文件或文件夹",
    errno.EISDIR: "是文件夹，这里要文件",
    errno.ENOTDIR: "路径中有一段不是文件夹",
    errno.EACCES: "没有权限",
    errno.EPERM: "没有权限",
    errno.EROFS: "所在磁盘只读",
    errno.ENOSPC: "磁盘已满",
    errno.ENAMETOOLONG: "文件名太长",
}


def why(error: OSError) -> str:
    """
    Return in Chinese why a file can't be read or written.

    >>> why(FileNotFoundError(errno.ENOENT, "No such file or directory"))
    '没有这个文件或文件夹'
    """
    return _REASONS.get(error.errno or 0, f"系统错误 {error.errno}")


def _is_known(year: int) -> bool:
    return FIRST_YEAR <= year <= LAST_YEAR


class Day(click.ParamType):
    """A day of the years that Wufei knows, written 2026-03-01."""

    name = "DATE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            day = date.fromisoformat(value) if _DAY.fullmatch(value) else None
        except ValueError:
            day = None
        if day is None:
            self.fail(f"日期“{value}”不对，应如 2026-03-01。", param, ctx)
        if not _is_known(day.year):
            self.fail(f"日期“{value}”不在 {FIRST_YEAR} 至 {LAST_YEAR} 年之间。", param, ctx)
        return day


class Moment(click.ParamType):
    """An instant, or a day: then its end, when all that was moved on it was there. Without a zone it is of China."""

    name = "DATETIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        try:
            read = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"“{value}”不是日期或时刻，应如 2026-06-30 或 2026-06-30T12:00。", param, ctx)
        if not _is_known(read.year):
            self.fail(f"“{value}”不在 {FIRST_YEAR} 至 {LAST_YEAR} 年之间。", param, ctx)
        if _DAY.fullmatch(value):
            return datetime.combine(read.date() + timedelta(days=1), time.min, SHANGHAI)
        return read if read.tzinfo else read.replace(tzinfo=SHANGHAI)


class OutFile(click.ParamType):
    """A file that can be written: known before anything is done, so that nothing is half done."""

    name = "FILE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        out = Path(value)
        if out.is_dir():
            reason = _REASONS[errno.EISDIR]
        elif not out.parent.is_dir():
            reason = "没有这个文件夹"
        elif not os.access(out if out.exists() else out.parent, os.W_OK):
            reason = _REASONS[errno.EACCES]
        else:
            return out
        raise click.ClickException(f"不能写到 {out}：{reason}。")
