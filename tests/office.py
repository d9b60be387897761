"""Documents as LibreOffice opens them: a promise about exports is tested by opening them."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest
from lxml import html


@dataclass(frozen=True)
class Opened:
    """A document as LibreOffice showed it."""

    text: str  # without any space
    rows: list[list[str]]  # of all its tables; a number of a workbook as it is stored, unrounded

    def column(self, heading: str) -> list[str]:
        """Return what stands under a heading, in the table that has it."""
        [start, *_] = [at for at, row in enumerate(self.rows) if heading in row]
        at = self.rows[start].index(heading)
        below = self.rows[start + 1 :]
        return [row[at] for row in below if len(row) == len(self.rows[start])]


def soffice() -> str:
    """Return the program; where there is none, skip and say so, but never in CI."""
    for name in ("soffice", "libreoffice"):
        if found := shutil.which(name):
            return found
    if os.environ.get("CI") == "true":
        pytest.fail("CI 上没有 LibreOffice：tools/install_test_system 没有装上")
    pytest.skip("本机没有 LibreOffice，“导出的文件都能打开”没有验证！请运行 tools/install_test_system 后重跑")


def opened(files: Mapping[str, bytes], folder: Path) -> dict[str, Opened]:
    """Return each file that LibreOffice opens without repair, by name; all in one run of it."""
    program, out = soffice(), folder / "opened"
    for name, content in files.items():
        (folder / name).write_bytes(content)
    assert len({Path(name).stem for name in files}) == len(files), "one result for each"
    paths = [str(folder / name) for name in files]
    profile = f"-env:UserInstallation=file://{folder}/profile"
    done = subprocess.run(
        [program, profile, "--headless", "--norestore", "--convert-to", "html", "--outdir", str(out), *paths],
        capture_output=True, timeout=180, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    shown = {name: out / f"{Path(name).stem}.html" for name in files}
    return {name: _read(path.read_bytes()) for name, path in shown.items() if path.is_file()}


def _read(content: bytes) -> Opened:
    page = html.fromstring(content.decode("utf-8-sig").encode(), parser=html.HTMLParser(encoding="utf-8"))
    rows = [[_cell(cell) for cell in row.xpath("./td|./th")] for row in page.iter("tr")]
    return Opened("".join(page.text_content().split()), rows)


def _cell(cell: html.HtmlElement) -> str:
    stored = cell.get("sdval")
    return stored if stored is not None else re.sub(r"\s+", " ", cell.text_content()).strip()


def total(cells: list[str]) -> Decimal:
    """Return the exact sum of the cells that hold a number."""
    return sum((Decimal(cell) for cell in cells if cell), Decimal(0))
