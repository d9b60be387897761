"""The command line speaks Chinese when it is used wrongly, and says at once where it can't serve."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from wufei.demo.cli import demo
from wufei.web.cli import main
from wufei.web.serving import serve

WUFEI = Path(sys.executable).with_name("wufei")
ENGLISH = re.compile(r"Usage|Try|Error|Missing|No such|Invalid|Got|Did you|require|valid|not |one of|range")


@pytest.fixture
def wufei(db, monkeypatch):
    monkeypatch.setenv("WUFEI_STORE_IS_OPEN", "1")
    return lambda *said: CliRunner().invoke(main, said)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (("nonsense",), "错误：没有命令“nonsense”。"),
        (("import",), "错误：缺少参数 'FILE'."),
        (("import", "a.xlsx", "--jsno"), "错误：没有选项“--jsno”。 是不是要写 '--json'？"),
        (("evaluate", "X"), "错误：缺少选项 '--edition'."),
        (("indicators", "X", "--from", "abc", "--to", "2025"), "错误：'--from' 的值不对：“abc”不是整数。"),
        (("indicators", "X", "--from", "1", "--to", "2"), "错误：'--from' 的值不对：1 不在范围 1949<=x<=2200 之内。"),
        (("catalogue", "search", "x", "--kind", "q"), "“q”不可用，须为其中之一："),
        (("workdays", "1", "2", "3"), "错误：多写了参数：3"),
        (("serve", "--port"), "错误：选项“--port”后面须写一个值。"),
    ],
)  # fmt: skip
def test_wrong_use_is_told_in_chinese(wufei, said, told):
    answer = wufei(*said)

    assert (answer.exit_code, answer.stdout) == (2, "")
    assert told in answer.stderr
    assert not ENGLISH.search(answer.stderr)


def test_help_is_chinese_too(wufei):
    shown = wufei("import", "--help").stdout
    assert shown.startswith("用法:")
    assert "选项:" in shown
    assert "Usage" not in shown


def commands(group: click.Group, path: tuple[str, ...] = ()):
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


def test_every_command_takes_json(monkeypatch):
    monkeypatch.setenv("WUFEI_STORE_IS_OPEN", "1")
    without = [
        path
        for path, command in commands(main)
        # A group that does nothing by itself has nothing to say.
        if not (isinstance(command, click.Group) and not command.invoke_without_command)
        and not any("--json" in each.opts for each in command.params)
    ]
    assert without == []


@pytest.fixture
def taken():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


@pytest.mark.parametrize("command", [serve, demo])
def test_a_taken_port_is_refused_at_once(taken, command, monkeypatch):
    monkeypatch.setattr("wufei.demo.cli._build", lambda console: pytest.fail("the port was looked at first"))

    answer = CliRunner().invoke(command, ["--port", str(taken)])

    assert (answer.exit_code, answer.stdout) == (1, "")
    assert f"不能在 127.0.0.1:{taken} 上启动网站：端口已被别的程序占用。" in answer.stderr
    assert "make demo PORT=" in answer.stderr


@pytest.mark.slow
def test_serve_says_so_when_the_site_answers(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("WUFEI", "DJANGO", "DATABASE"))}
    command = [WUFEI, "--data", tmp_path / "data", "serve", "--port", str(port), "--workers", "1", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as server:
        try:
            told = json.loads(server.stdout.readline())
            assert told == {"address": f"http://127.0.0.1:{port}/"}
            with urllib.request.urlopen(told["address"], timeout=30) as page:
                assert page.status == 200
        finally:
            server.send_signal(signal.SIGTERM)
            rest = server.stdout.read()
    assert (rest, server.returncode) == ("", 0)
