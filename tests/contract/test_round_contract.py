"""`wufei round …`: opened, published, asked for, exported, loaded; every key that the issue names."""

import json

import pytest
from click.testing import CliRunner

from wufei.web.cli import wufei


@pytest.fixture
def run(transactional_db, monkeypatch):
    monkeypatch.setenv("WUFEI_STORE_IS_OPEN", "1")

    def _run(*arguments, code=0):
        result = CliRunner().invoke(wufei, arguments)
        assert result.exit_code == code, result.output + result.stderr
        return result

    return _run
