"""What comes into being by itself is called as people call it, wherever it is shown."""

from importlib import import_module
from types import SimpleNamespace

import pytest
from django.db.models import F

from wufei.ledger.kinds import PLACE_NAMES, PlaceKind
from wufei.ledger.models import Place

pytestmark = pytest.mark.django_db


@pytest.fixture
def played(ledger):
    ledger.stores(库1=None)
    ledger.streams("A")
    ledger.post(
        "2025-01-01 A 期初贮存 9 吨 库1 -",
        "2025-01-02 A 自行利用 1 吨 库1 -",
        "2025-01-03 A 委外处置 1 吨 库1 -",
    )
    ledger.post("2025-01-03 A 委外利用 1 吨 库1 -", counterparty="砖厂")
    ledger.post("2025-01-04 A 产生 1 吨 库1 桶1", "2025-01-05 A 盘亏 1 吨 库1 -")
    Place.objects.create(
        organisation=ledger.organisation, code="transit:20265001000001", kind="TRANSIT", name=""
    )
    return ledger


NAMED = {
    "opening:": "期初", "own_utilisation:": "自行利用设施", "outside:": "外单位（未写明）", "outside:砖厂": "砖厂",
    "discrepancy:": "差异", "process:工序1": "工序1", "库1": "库1",
}  # fmt: skip


def names() -> dict[str, str]:
    return dict(Place.objects.exclude(kind="TRANSIT").values_list("code", "name"))


def test_no_place_is_called_by_its_code(played):
    assert names() == NAMED


@pytest.mark.parametrize("earlier", ["", F("code")])
def test_those_that_were_there_before_are_named_and_what_people_named_stays(played, earlier):
    by_itself = Place.objects.filter(kind__in=PLACE_NAMES).exclude(name="砖厂")
    by_itself.update(name=earlier)

    migration = import_module("wufei.ledger.migrations.0009_names_of_places")
    migration.name_places(SimpleNamespace(get_model=lambda *_: Place), None)

    assert names() == NAMED
    assert Place.objects.get(kind="TRANSIT").name == "在途（20265001000001）"


def test_the_migration_and_the_ledger_say_the_same():
    migration = import_module("wufei.ledger.migrations.0009_names_of_places")
    said = {PlaceKind(kind): name for kind, name in migration.NAMES.items()}
    assert said == {kind: name for kind, name in PLACE_NAMES.items() if kind is not PlaceKind.TRANSIT}
