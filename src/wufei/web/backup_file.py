"""
Is this backup whole and unchanged, and what is in it?

One file: a line that names the format, a line with the SHA-256 of all that follows, then a zip archive. In it
`contents.json` lists every table and every uploaded file with size and SHA-256. Members are named by number
or by table, never by a path, so that nothing in the archive can say where it is written.
"""

import hashlib
import json
import os
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any, Self

from wufei.terms.arguments import why

FORMAT = b"WUFEI-BACKUP 1\n"
_HASH_LINE = b"sha256 %s\n"
_BEFORE_ARCHIVE = len(FORMAT) + len(_HASH_LINE % (b"0" * 64))
CONTENTS = "contents.json"
CHUNK = 1024 * 1024

# What is unpacked can never be more than what is listed, nor the list more than this.
MAX_CONTENTS_BYTES = 256 * 1024 * 1024
MAX_MEMBERS = 5_000_000
MAX_UNPACKED_BYTES = 1024**4
MAX_LINE_BYTES = 64 * 1024 * 1024

Tell = Callable[[str, int, int], None]  # phase, done, of how much

TEXT = {
    "not_found": "读不到这个备份文件",
    "not_a_backup": "不是无废的备份文件",
    "archive_damaged": "备份文件的结构已损坏",
    "contents_damaged": "备份文件的目录（contents.json）已损坏",
    "member_changed": "备份中的内容与其哈希不符，被改动或损坏",
    "changed": "备份文件与其首行所记的哈希不符，被改动或损坏",
    "too_large": "备份解开后超过允许的大小或磁盘空间",
    "path_outside": "备份中的文件路径不合规矩",
    "rows_wrong": "备份中的记录不能写入数据库",
    "newer_version": "备份由更新版本的无废所做，请先升级再恢复",
    "not_empty": "只能恢复到空的数据文件夹或空的数据库；现在已有内容",
    "database_ahead": "目标数据库的结构比备份新，请另建一个空库再恢复",
    "exists": "输出文件已存在，不会覆盖",
    "not_writable": "不能写输出文件",
    "store_damaged": "数据库文件本身已损坏，备份没有做成",
}
_UNREADABLE = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, RuntimeError, NotImplementedError,
    OverflowError,
)  # fmt: skip


class BackupRefused(Exception):
    """Nothing was done; `code` says why, `detail` names what."""

    def __init__(self, code: str, detail: str = ""):
        self.code, self.detail = code, detail
        super().__init__(f"{code} {detail}".strip())

    @property
    def words(self) -> str:
        return f"{TEXT[self.code]}：{self.detail}" if self.detail else TEXT[self.code]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    name: str  # in the archive
    title: str  # what people call it: a table, or the path of an uploaded file
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What `contents.json` says."""

    said: dict[str, Any]
    tables: dict[str, Member]
    files: dict[str, Member]  # by path below the folder of uploaded files
    size: int = field(default=0)  # of all members, unpacked

    @property
    def migrations(self) -> set[tuple[str, str]]:
        return {(app, name) for app, name in self.said["migrations"]}


# ---- writing --------------------------------------------------------------------------------------


class _Hashed:
    """Writes on, and keeps size and hash of what it wrote."""

    def __init__(self, out: IO[bytes]):
        self._out, self._hash, self.size = out, hashlib.sha256(), 0

    def write(self, some: bytes) -> None:
        self._out.write(some)
        self._hash.update(some)
        self.size += len(some)

    @property
    def listed(self) -> dict[str, Any]:
        return {"bytes": self.size, "sha256": self._hash.hexdigest()}


class BackupWriter:
    """Writes a backup beside its place, and puts it there only when it is whole."""

    def __init__(self, path: Path):
        self._path, self._part = path, path.with_name(path.name + ".part")
        if path.exists():
            raise BackupRefused("exists", str(path))
        try:
            # It holds the keys of scales and second factors: nobody else may read it.
            made = os.open(self._part, os.O_RDWR | os.O_CREAT | os.O_TRUNC, stat.S_IRUSR | stat.S_IWUSR)
        except OSError as error:
            raise BackupRefused("not_writable", f"{path}（{why(error)}）") from error
        self._file = os.fdopen(made, "w+b")
        self._file.write(b"\0" * _BEFORE_ARCHIVE)
        self._archive = zipfile.ZipFile(
            self._file, "w", zipfile.ZIP_DEFLATED, allowZip64=True, compresslevel=2
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        if failed:
            self._file.close()
            self._part.unlink(missing_ok=True)

    @contextmanager
    def member(self, name: str) -> Iterator[_Hashed]:
        with self._archive.open(name, "w", force_zip64=True) as out:
            yield _Hashed(out)

    def finish(self, contents: dict[str, Any]) -> str:
        """Write the list of contents and the hash of all; return that hash."""
        with self.member(CONTENTS) as out:
            out.write(json.dumps(contents, separators=(",", ":")).encode())
        self._archive.close()
        self._file.seek(_BEFORE_ARCHIVE)
        said = hashlib.file_digest(self._file, "sha256").hexdigest()
        self._file.seek(0)
        self._file.write(FORMAT + _HASH_LINE % said.encode())
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        if self._path.exists():
            raise BackupRefused("exists", str(self._path))
        self._part.rename(self._path)
        _sync_folder(self._path.parent)
        return said


def _sync_folder(folder: Path) -> None:
    """Have the name on the disk too, not only what stands under it."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


# ---- reading --------------------------------------------------------------------------------------


class Backup:
    """A backup that is read; `check` it before anything of it is used."""

    def __init__(self, path: Path):
        self.path = path
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise BackupRefused("not_found", f"{path}（{why(error)}）") from error
        try:
            if self._file.read(len(FORMAT)) != FORMAT:
                raise BackupRefused("not_a_backup", path.name)
            self._stated = self._file.read(_BEFORE_ARCHIVE - len(FORMAT))
            self._archive = self._opened()
            self.contents = self._read_contents()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def _opened(self) -> zipfile.ZipFile:
        try:
            archive = zipfile.ZipFile(self._file)
            names = archive.namelist()
        except _UNREADABLE as error:
            raise BackupRefused("archive_damaged", str(error)) from error
        if len(names) > MAX_MEMBERS:
            raise BackupRefused("too_large", f"{len(names)} 项")
        if len(set(names)) != len(names):
            raise BackupRefused("archive_damaged", "有重名的项")
        return archive

    def _read_contents(self) -> Contents:
        try:
            with self._archive.open(CONTENTS) as member:
                read = member.read(MAX_CONTENTS_BYTES + 1)
            if len(read) > MAX_CONTENTS_BYTES:
                raise BackupRefused("too_large", CONTENTS)
            return _contents(json.loads(read))
        except (*_UNREADABLE, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise BackupRefused("contents_damaged", str(error)) from error

    def check(self, tell: Tell) -> str:
        """
        Hash every member and the file as a whole; return the hash of the whole.

        :raises BackupRefused: naming the first that differs
        """
        members = [*self.contents.tables.values(), *self.contents.files.values()]
        listed = {member.name for member in members} | {CONTENTS}
        if odd := listed.symmetric_difference(self._archive.namelist()):
            raise BackupRefused("archive_damaged", f"目录与所含各项不符：{min(odd)}")
        done, whole = 0, self.contents.size
        for member in members:
            for some in self.pieces(member):
                done += len(some)
                tell("checking", done, whole)
        self._file.seek(_BEFORE_ARCHIVE)
        said = hashlib.file_digest(self._file, "sha256").hexdigest()
        if self._stated != _HASH_LINE % said.encode():
            raise BackupRefused("changed", "各表和各文件完好，坏的是首行或归档的结构")
        return said

    def pieces(self, member: Member) -> Iterator[bytes]:
        """
        Yield a member piece by piece, never more than is listed.

        :raises BackupRefused: at the end, if it is not what is listed
        """
        made, size = hashlib.sha256(), 0
        try:
            with self._archive.open(member.name) as opened:
                while some := opened.read(min(CHUNK, member.size - size + 1)):
                    size += len(some)
                    made.update(some)
                    if size > member.size:
                        break
                    yield some
        except (*_UNREADABLE, KeyError) as error:
            raise BackupRefused("member_changed", member.title) from error
        if (size, made.hexdigest()) != (member.size, member.sha256):
            raise BackupRefused("member_changed", member.title)

    def rows(self, member: Member) -> Iterator[list[Any]]:
        """Yield the rows of a table, one JSON list a line."""
        left = b""
        try:
            for some in self.pieces(member):
                *lines, left = (left + some).split(b"\n")
                if len(left) > MAX_LINE_BYTES:
                    raise BackupRefused("too_large", member.title)
                for line in lines:
                    yield json.loads(line)
        except (ValueError, RecursionError) as error:
            raise BackupRefused("rows_wrong", member.title) from error
        if left:
            raise BackupRefused("rows_wrong", member.title)

    def put_files(self, folder: Path, tell: Tell) -> None:
        """Write the uploaded files below the folder, which must not be there yet."""
        folder.mkdir(parents=True)
        free, needed = shutil.disk_usage(folder).free, sum(each.size for each in self.contents.files.values())
        if needed > free:
            raise BackupRefused("too_large", f"需要 {needed:,} 字节，磁盘只剩 {free:,} 字节")
        for done, (path, member) in enumerate(self.contents.files.items(), start=1):
            target = folder.joinpath(*PurePosixPath(path).parts)
            target.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
                for some in self.pieces(member):
                    out.write(some)
                out.flush()
                os.fsync(out.fileno())
            tell("files", done, len(self.contents.files))


def _contents(said: dict[str, Any]) -> Contents:
    tables = {
        name: Member(
            name=f"tables/{name}.jsonl", title=name, size=_size(each["bytes"]), sha256=each["sha256"]
        )
        for name, each in said["tables"].items()
    }
    files = {
        _safe(each["path"]): Member(
            name=f"files/{number}", title=each["path"], size=_size(each["bytes"]), sha256=each["sha256"]
        )
        for number, each in enumerate(said["files"])
    }
    size = sum(each.size for each in (*tables.values(), *files.values()))
    if size > MAX_UNPACKED_BYTES:
        raise BackupRefused("too_large", f"{size:,} 字节")
    found = Contents(said=said, tables=tables, files=files, size=size)
    if len(files) != len(said["files"]) or not found.migrations:
        raise ValueError("said twice, or of no version")
    for table in said["tables"].values():
        if not all(isinstance(column, str) for column in table["columns"]):
            raise TypeError("columns")
    return found


def _size(said: Any) -> int:
    if type(said) is not int or said < 0:
        raise ValueError("size")
    return said


def _safe(path: str) -> str:
    """Return the path where it stays below its folder, whatever system wrote it."""
    parts = path.split("/")
    odd = any(part in ("", ".", "..") or any(c in part for c in "\\:\0\n\r") for part in parts)
    if odd or len(path.encode(errors="surrogateescape")) > 1000:
        raise BackupRefused("path_outside", repr(path[:200]))
    return path
