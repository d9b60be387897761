"""
What all tests share: the database that they run on, and people and organisations.

`WUFEI_TEST_DATABASE=postgresql` runs the whole suite on a PostgreSQL from a wheel; tests that are
about the store itself run on both by themselves (`own_store`).
"""

import os
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_DATA = Path(tempfile.mkdtemp(prefix="wufei-tests-"))
os.environ["WUFEI_DATA"] = str(_DATA)
os.environ.pop("DATABASE_URL", None)
os.environ.setdefault("XDG_RUNTIME_DIR", str(_DATA))
# Playwright leaves an event loop in the process; Django would take every later test for asynchronous.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


def postgresql() -> Any:
    """Start the PostgreSQL of this test process, once, and return it."""
    global _postgresql  # one server for the process
    if _postgresql is None:
        _postgresql = stores.start_postgresql(_DATA / "pg")
    return _postgresql


_postgresql = None

import hypothesis  # noqa: E402
import pytest  # noqa: E402

from tests import stores  # noqa: E402

# How fast a machine is, is no property of ours: benchmarks/ shows speed.
hypothesis.settings.register_profile(
    "on any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("on any machine")


def _use_a_store_of_our_own() -> None:
    """pytest-django has read the settings before this file: point them to the data of this test process."""
    from django.conf import settings
    from django.db import connections

    settings.DATA = _DATA
    settings.STATIC_ROOT = _DATA / "static"
    # People are made in nearly every test; the real hash is slow on purpose.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.STATIC_ROOT.mkdir(exist_ok=True)  # WhiteNoise warns where it is missing
    settings.STORAGES["default"]["OPTIONS"]["location"] = _DATA / "files"
    on_postgresql = os.environ.get("WUFEI_TEST_DATABASE") == "postgresql"
    address = postgresql().get_uri() if on_postgresql else f"sqlite:///{_DATA / 'wufei.sqlite3'}"
    settings.DATABASES["default"] = stores.described(address)
    connections.settings = connections.configure_settings(settings.DATABASES)
    if hasattr(connections._connections, "default"):
        del connections["default"]


_use_a_store_of_our_own()

NOW = datetime(2026, 7, 1, 2, 0, tzinfo=UTC)


def valid_uscc(stem: str) -> str:
    """Return the 统一社会信用代码 that begins with the 17 characters."""
    from stdnum.cn import uscc  # slow import

    return stem + uscc.calc_check_digit(stem)


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment, django_db_blocker):
    """In place of pytest-django's: the store of the tests is a copy of the kept one, migrated already."""
    from django.db import connections

    connection = connections["default"]
    with django_db_blocker.unblock():
        if connection.vendor == "postgresql":
            stores.new_database(postgresql(), "tests")
            connection.settings_dict["NAME"] = "tests"
            yield
        else:
            # In memory, and the same for the other threads of a test; it is there while a connection is.
            connection.settings_dict["NAME"] = "file:tests?mode=memory&cache=shared"
            connection.ensure_connection()
            stores.fill_from_template(connection.connection)
            yield


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def operator(db):
    from wufei.registry.services import operator as the_operator

    return the_operator()


@pytest.fixture
def make_organisation(db):
    """Make an organisation: `make_organisation(name="...", kind="PARK")`."""
    from wufei.registry.models import Organisation

    made = 0

    def make(name: str | None = None, **said):
        nonlocal made
        made += 1
        defaults = {
            "uscc": valid_uscc(f"91500110MA5U{made:05d}"),
            "name": name or f"测试企业{made}",
            "kind": "ENTERPRISE",
            "division_code": "500110",
            "created_at": NOW,
        }
        return Organisation.objects.create(**(defaults | said))

    return make


@pytest.fixture
def make_user(db):
    """Make a person with a role: `make_user("ENVIRONMENT_OFFICER", organisation)`."""
    from wufei.registry.models import RoleAssignment, User

    made = 0

    def make(role: str | None = None, organisation=None, *, username: str | None = None):
        nonlocal made
        made += 1
        user = User.objects.create_user(username or f"user{made}", password="a-long-pass-phrase-1")
        if role:
            RoleAssignment.objects.create(user=user, organisation=organisation, role=role)
        return user

    return make


@pytest.fixture
def organisation(make_organisation):
    return make_organisation()


@pytest.fixture
def officer(make_user, organisation):
    return make_user("ENVIRONMENT_OFFICER", organisation)


@pytest.fixture
def ledger(organisation, officer):
    """A ledger to play: see `tests.tables.LedgerTable`."""
    from tests.tables import LedgerTable

    return LedgerTable(organisation=organisation, by=officer, now=NOW)


@pytest.fixture(params=["sqlite", "postgresql"])
def own_store(request, tmp_path, django_db_setup, django_db_blocker):
    """
    A database of the test's own, on both engines in turn, where everything is really committed.

    Threads of the test connect to it too.
    """
    if request.param == "sqlite":
        shutil.copy(stores.sqlite_template(), tmp_path / "own.sqlite3")
        address = f"sqlite:///{tmp_path / 'own.sqlite3'}"
    else:
        name = f"own_{os.getpid()}_{abs(hash(request.node.nodeid)) % 10**10}"
        address = stores.new_database(postgresql(), name)
    with django_db_blocker.unblock(), stores.connected_to(stores.described(address)):
        yield request.param


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "any_database: what it says can't differ by database; the pass on PostgreSQL leaves it out"
    )


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """
    Browser tests share one server and one browser: keep them on one worker.

    What runs on both engines by itself need not do so in each pass.
    """
    for item in items:
        if "own_store" in getattr(item, "fixturenames", ()):
            item.add_marker("any_database")
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.xdist_group("browser"))
