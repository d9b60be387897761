"""`docs/glossary.md` holds: one identifier for a term, and no word that it forbids."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs/glossary.md").read_text().splitlines()
    if line.startswith("|") and not set(line) <= set("|-: ")
][1:]


def identifiers() -> dict[str, str]:
    """Return every name that our sources bind, and where."""
    found: dict[str, str] = {}
    for path in (ROOT / "src").rglob("*.py"):
        if "migrations" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.arg(arg=name):
                    pass
                case ast.Name(id=name, ctx=ast.Store()):
                    pass
                case _:
                    continue
            found.setdefault(name, f"{path.relative_to(ROOT)}:{node.lineno}")
    return found


def words_of(name: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)}


def test_no_identifier_has_a_word_that_the_glossary_forbids():
    forbidden = {word for row in ROWS for word in re.findall(r"\*\*([\w ]+)\*\*", row[3])}
    assert len(forbidden) > 10
    found = [
        f"{where} {name}"
        for name, where in identifiers().items()
        for word in forbidden
        if set(word.split("_")) <= words_of(name)
    ]
    assert found == []


def test_a_term_has_one_identifier():
    terms = [term.strip() for row in ROWS for term in row[0].split(" / ")]
    assert sorted(t for t in set(terms) if terms.count(t) > 1) == []
    assert all(len(row) == 4 for row in ROWS)
