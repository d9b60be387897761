"""The repository checks itself."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted(p for p in (ROOT / "src").rglob("*.py") if "migrations" not in p.parts)
TRACKED = [
    ROOT / name
    for name in subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True
    ).stdout.splitlines()
]


def test_terms_is_no_junk_drawer():
    assert len(list((ROOT / "src/wufei/terms").glob("*.py"))) <= 8


def test_no_module_is_a_junk_drawer():
    assert not [p for p in SOURCES if p.stem in {"utils", "util", "helpers", "common", "misc"}]


def test_functions_end_before_seventy_lines_and_modules_before_six_hundred():
    long_functions = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno >= 70
    ]
    long_modules = [str(p.relative_to(ROOT)) for p in SOURCES if p.read_text().count("\n") > 600]
    assert (long_functions, long_modules) == ([], [])


def test_no_room_keeps_floats():
    """Mass, money, shares and scores are exact: `float` is written only where a library asks for it."""
    rooms = ("terms", "ledger", "indicators", "policies", "cases")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in SOURCES
        if path.relative_to(ROOT / "src/wufei").parts[0] in rooms
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(r"\bfloat\(", line)
    ]
    assert found == []


def test_no_file_carries_the_address_of_a_package_index():
    address = re.compile(
        r"--(extra-)?index-url\s+http|\"resolved\":\s*\"http|registry\s*=\s*\"?http|/simple/"
    )
    carrying = [
        str(path.relative_to(ROOT))
        for path in TRACKED
        if path.suffix in {".txt", ".toml", ".json", ".lock", ".cfg", ".yaml", ".yml", ".sh", ""}
        and path.is_file()
        and path != Path(__file__)
        and address.search(path.read_text("utf-8", "replace"))
    ]
    assert carrying == []


def test_every_migration_is_made():
    done = subprocess.run(
        ["django-admin", "makemigrations", "--check", "--dry-run", "--settings", "wufei.web.settings"],
        capture_output=True, text=True, cwd=ROOT,
        env=os.environ | {"PATH": f"{ROOT / '.venv/bin'}:{__import__('os').environ['PATH']}"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("contract", ["lint-imports"])
def test_imports_point_down(contract):
    done = subprocess.run([ROOT / ".venv/bin" / contract], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout


def test_the_reference_pages_say_what_the_code_says():
    done = subprocess.run(
        [sys.executable, ROOT / "tools/write_reference.py", "--check"],
        capture_output=True, text=True, cwd=ROOT, env={**os.environ, "DATABASE_URL": ""},
    )  # fmt: skip
    assert done.returncode == 0, f"run `make docs`: {done.stdout}{done.stderr[-2000:]}"


def test_every_setting_is_documented():
    read = {
        name
        for path in SOURCES
        for name in re.findall(r"environ(?:\.get)?[\[(]\s*\"(WUFEI_\w+|DATABASE_URL)\"", path.read_text())
    } - {"WUFEI_STORE_IS_OPEN"}
    page = (ROOT / "docs/reference/settings.md").read_text()
    assert sorted(name for name in read if f"`{name}`" not in page) == []
