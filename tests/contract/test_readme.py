"""What the READMEs tell a stranger to type can be typed as it stands."""

import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
READMES = ("README.md", "README.zh-CN.md")
# These look nothing up in a store.
STORELESS = {"template", "catalogue", "workdays"}


def commands_of(name: str) -> list[list[str]]:
    """Return the words of each `wufei` command in the README's blocks of shell."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / name).read_text("utf-8"), re.DOTALL)
    lines = (shlex.split(line, comments=True) for block in blocks for line in block.splitlines())
    return [words[1:] for words in lines if words and words[0] == ".venv/bin/wufei"]


@pytest.mark.parametrize("name", READMES)
def test_every_command_of_the_readme_is_about_the_store_that_make_demo_makes(name):
    commands = commands_of(name)
    assert len(commands) >= 4
    assert "--data var/demo demo" in (ROOT / "Makefile").read_text("utf-8")
    for words in commands:
        assert words[0] in STORELESS or words[:2] == ["--data", "var/demo"], words


def test_both_readmes_have_the_same_commands():
    english, chinese = ([w for words in commands_of(name) for w in words if w.isascii()] for name in READMES)
    assert [w for w in english if not w.startswith("var/")] == [
        w for w in chinese if not w.startswith("var/")
    ]
