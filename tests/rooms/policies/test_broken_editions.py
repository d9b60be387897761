"""A bad save of an edition's file breaks no running site, and no command in a traceback."""

import logging
import os
import socket

import pytest
from click.testing import CliRunner

from tests.pure.policies.test_loading import SOUND
from wufei.policies import queries
from wufei.policies.loading import BrokenEditions
from wufei.web.cli import main

BROKEN = SOUND.replace("kind: indicator", "kind: indicators")


@pytest.fixture
def file(tmp_path, settings):
    settings.EDITION_FOLDERS = [tmp_path]
    return tmp_path / "sample.yaml"


@pytest.fixture
def wufei(db, monkeypatch):
    monkeypatch.setenv("WUFEI_STORE_IS_OPEN", "1")
    return lambda *said: CliRunner().invoke(main, said)


def save(file, text):
    """Save it as later than what is there, however fast the test is."""
    before = file.stat().st_mtime_ns if file.exists() else 0
    file.write_text(text, encoding="utf-8")
    os.utime(file, ns=(before + 10**9, before + 10**9))


def test_a_bad_save_leaves_the_last_sound_editions_and_is_logged_once(file, caplog):
    caplog.set_level(logging.ERROR)
    save(file, SOUND)
    assert queries.edition("sample").title == "样例"

    save(file, BROKEN)
    for _ in range(3):
        assert queries.edition("sample").title == "样例"
    [logged] = caplog.messages
    assert f"{file}:12: “indicators”不在可选值之内" in logged

    file.unlink()
    file.symlink_to("nowhere")
    assert queries.edition("sample").title == "样例"
    file.unlink()
    save(file, SOUND.replace("title: 样例\n", "title: 改好\n"))
    assert queries.edition("sample").title == "改好"
    assert len(caplog.messages) == 2


def test_who_never_had_sound_editions_of_the_folder_is_refused(file):
    save(file, BROKEN)

    for _ in range(2):
        with pytest.raises(BrokenEditions):
            queries.known_editions()


def test_pages_go_on_with_the_last_sound_editions(file, client, officer, organisation):
    client.force_login(officer, backend="django.contrib.auth.backends.ModelBackend")
    save(file, SOUND)
    page = f"/o/{organisation.uscc}/evaluation/"
    assert "样例" in client.get(page).text

    save(file, BROKEN)
    answer = client.get(page)

    assert (answer.status_code, "样例" in answer.text) == (200, True)


@pytest.mark.parametrize(
    "said",
    [
        ("editions",), ("round", "open", "sample", "--year", "2025"), ("register", "list", "--edition", "sample"), ("serve",), ("worker",),
        ("evaluate", "91500110MA5U000017", "--edition", "sample", "--year", "2025"),
    ],
)  # fmt: skip
def test_a_command_that_starts_with_a_broken_file_names_it_and_ends(wufei, file, said, organisation):
    save(file, BROKEN)
    if said[0] == "serve":
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            said = (*said, "--port", str(free.getsockname()[1]))
    if said[0] == "evaluate":
        said = (said[0], organisation.uscc, *said[2:])

    answer = wufei(*said)

    assert (answer.exit_code, answer.stdout) == (1, "")
    assert isinstance(answer.exception, SystemExit)
    assert f"{file}:12: “indicators”不在可选值之内" in answer.stderr


def test_other_failures_of_a_command_are_not_taken_for_broken_editions(wufei, monkeypatch):
    def fail():
        raise LookupError("sample")

    monkeypatch.setattr(queries, "known_editions", fail)

    assert isinstance(wufei("editions").exception, LookupError)
