"""
Where do the catalogue's tables lie, and how is one read?

Shipped tables lie in `data/`. Tables that an administrator imported lie in the `catalogue`
folder of the data directory. A broken table is refused with file, line and reason.
"""

import csv
import io
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

SHIPPED = Path(__file__).parent / "data"
FOLDER = "catalogue"
MAX_TABLE_BYTES = 10_000_000

Row = dict[str, str]
Signature = tuple[tuple[str, int, int, int], ...]


@dataclass(frozen=True, slots=True)
class TableFault:
    file: str
    line: int  # as an editor counts them; the header is line 1
    reason: str  # Chinese: what is wrong and what would be right

    def __str__(self) -> str:
        return f"{self.file} 第{self.line}行：{self.reason}"


class TableRefused(Exception):
    """The table was not loaded; `faults` says where and why, every one."""

    def __init__(self, *faults: TableFault) -> None:
        assert faults, "a refusal has a reason"
        self.faults = faults
        super().__init__("\n".join(str(fault) for fault in faults))


def refusal(path: Path, line: int, reason: str) -> TableRefused:
    """Return the refusal of a table for one reason."""
    return TableRefused(TableFault(path.name, line, reason))


def imported_folder(data_dir: Path | None) -> Path | None:
    """
    Return the folder of imported tables; None where no data directory is known.

    `data_dir` None means the one that WUFEI_DATA names.
    """
    if data_dir is None:
        named = os.environ.get("WUFEI_DATA")
        if not named:
            return None
        data_dir = Path(named)
    return data_dir / FOLDER


def signature(folder: Path | None, prefix: str) -> Signature:
    """
    Return name, modification time, size and inode of each imported table whose name starts so.

    Loaders are cached under it, so that a new import is seen without a restart.
    """
    if folder is None:
        return ()
    try:
        with os.scandir(folder) as entries:
            found = [entry for entry in entries if entry.name.startswith(prefix)]
            stats = [(entry.name, entry.stat()) for entry in found]
            return tuple(sorted((name, s.st_mtime_ns, s.st_size, s.st_ino) for name, s in stats))
    except FileNotFoundError:
        return ()


def read_text(path: Path) -> str:
    """
    Return the text of a table in UTF-8, or in GB 18030 as a Chinese Excel saves it.

    :raises TableRefused: if the file is not there, too large, or in neither encoding
    """
    try:
        if path.stat().st_size > MAX_TABLE_BYTES:
            raise refusal(path, 1, f"文件超过{MAX_TABLE_BYTES // 1_000_000} MB，不像是一张目录表。")
        content = path.read_bytes()
    except OSError as error:
        raise refusal(path, 1, "文件打不开；请检查路径和权限。") from error
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise refusal(path, 1, "既不是UTF-8也不是GB 18030编码；请另存为“CSV UTF-8”。")


def read_rows(path: Path, columns: tuple[str, ...]) -> list[tuple[int, Row]]:
    """
    Return (line number, row) for each row of a CSV table; other columns are left out.

    Values are stripped. Empty lines are skipped.

    :raises TableRefused: if the file cannot be read, lacks a column, or a row is cut off
    """
    reader = csv.DictReader(io.StringIO(read_text(path), newline=""))
    rows: list[tuple[int, Row]] = []
    try:
        missing = [column for column in columns if column not in (reader.fieldnames or ())]
        if missing:
            raise refusal(path, 1, f"缺少列：{'、'.join(missing)}；应有列：{','.join(columns)}。")
        for row in reader:
            if any(row[column] is None for column in columns):
                raise refusal(path, reader.line_num, f"列数不够，应有{len(columns)}列。")
            if None in row:
                reason = '列数太多；含逗号的内容应加双引号，如 "2,4-二氯苯酚"。'
                raise refusal(path, reader.line_num, reason)
            rows.append((reader.line_num, {column: row[column].strip() for column in columns}))
    except csv.Error as error:
        raise refusal(path, reader.line_num, f"不是有效的CSV（{error}）。") from error
    return rows


def store(folder: Path, name: str, content: str) -> Path:
    """Write an imported table so that a reader sees the old one or the new one, never a part."""
    folder.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".import-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, folder / name)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return folder / name


def to_csv(columns: tuple[str, ...], rows: list[Row]) -> str:
    """Return the rows as CSV text with a header."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()
