"""Labelled lots on screen: found, put elsewhere, transformed, taken back."""

import uuid

import pytest
from django.test import Client

from tests.conftest import NOW
from wufei.ledger import queries
from wufei.ledger.models import LineageEdge, Movement, Transformation

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _stocked(ledger):
    ledger.stores(库1=None, 库2="0.5")
    ledger.streams("F1", "F2")
    ledger.post(
        "2025-01-01 F1 产生 600 千克 库1 A",
        "2025-01-02 F1 产生 400 千克 库1 B",
        "2025-01-02 F2 产生 1 吨 库1 -",
    )


@pytest.fixture
def ask(ledger, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    client = Client()
    client.force_login(ledger.by)

    def asked(path: str, said=None, **query):
        address = f"/o/{ledger.organisation.uscc}/ledger/{path}"
        return client.get(address, query) if said is None else client.post(address, said, follow=True)

    return asked


def stock(ledger) -> dict[tuple[str, str], int]:
    rows = queries.stock(organisation=ledger.organisation)
    return {(row.store_code, row.lot_code): row.mass_g // 1000 for row in rows if not row.is_bulk}


def split(*outputs: tuple[str, str], loss="", **said):
    form = {
        "kind": "SPLIT", "moved_on": "2025-03-01", "loss": loss, "loss_reason": "", "handler": "张三",
        "client_id": str(uuid.uuid4()), "in-TOTAL_FORMS": "1", "in-INITIAL_FORMS": "0", "in-0-lot": "A",
        "in-0-store": "库1", "in-0-amount": "600", "out-TOTAL_FORMS": str(len(outputs)), "out-INITIAL_FORMS": "0",
    }  # fmt: skip
    for n, (lot, amount) in enumerate(outputs):
        form |= {
            f"out-{n}-lot": lot,
            f"out-{n}-stream": "F1",
            f"out-{n}-store": "库1",
            f"out-{n}-amount": amount,
        }
        form |= {f"out-{n}-packaging": "DRUM", f"out-{n}-litres": "200"}
    return form | said


def test_only_labelled_lots_that_are_there_are_listed_and_found(ask):
    text = ask("lots/").content.decode()
    assert "选 A" in text
    assert "选 B" in text
    assert "散堆" not in text
    found = ask("lots/", text="B").content.decode()
    assert "选 B" in found
    assert "选 A" not in found
    assert "没有符合条件的记录" in ask("lots/", text="没有").content.decode()


def test_the_list_takes_as_many_queries_for_thirty_lots_as_for_two(ask, ledger, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as two:
        ask("lots/")
    ledger.post(*(f"2025-01-03 F1 产生 1 千克 库1 N{n}" for n in range(30)))
    with django_assert_num_queries(len(two)):
        assert "选 N29" in ask("lots/").content.decode()


def test_chosen_lots_begin_the_form_with_all_that_is_there(ask):
    text = ask("lots/transform/", lot="A@库1", kind="SPLIT").content.decode()
    assert 'value="600"' in text
    assert text.count("第 1 个") == text.count("第 2 个") == 1
    assert ask("lots/transform/").status_code == 302


def test_a_lot_is_split_and_taken_back_on_screen(ask, ledger):
    done = ask("lots/transform/", split(("A1", "250.5"), ("A2", "349.5")))
    row = Transformation.objects.get()
    assert done.redirect_chain[-1][0].endswith(f"/transformations/{row.first_seq}/")
    assert stock(ledger) == {("库1", "A1"): 250, ("库1", "A2"): 349, ("库1", "B"): 400}
    assert sorted(LineageEdge.objects.values_list("mass_g", flat=True)) == [250_500, 349_500]

    back = ask(f"transformations/{row.first_seq}/", {"reason": "分错了", "moved_on": "2025-03-01"})
    assert "分错了" in back.content.decode()
    assert stock(ledger) == {("库1", "A"): 600, ("库1", "B"): 400}


def test_what_does_not_balance_is_said_and_nothing_is_posted(ask):
    before = Movement.objects.count()
    answer = ask("lots/transform/", split(("A1", "250"), ("A2", "300")))
    assert answer.status_code == 422
    assert "投入不等于产出加损耗" in answer.content.decode()
    assert "50000 g" in answer.content.decode()
    assert Movement.objects.count() == before


def test_the_same_form_sent_twice_transforms_once(ask):
    form = split(("A1", "250"), ("A2", "350"))
    ask("lots/transform/", form)
    ask("lots/transform/", form)
    assert Transformation.objects.count() == 1
    assert ask("lots/transform/", form | {"out-0-lot": "A9"}).status_code == 422


def test_chosen_lots_are_put_into_another_store_or_all_stay(ask, ledger):
    said = {"lot": ["A@库1", "B@库1"], "to": "库2", "moved_on": "2025-03-01", "handler": ""}
    told = ask("lots/relocate/", said).content.decode()
    assert "超出" in told
    assert stock(ledger) == {("库1", "A"): 600, ("库1", "B"): 400}
    assert "已移库 1 个批次" in ask("lots/relocate/", said | {"lot": ["B@库1"]}).content.decode()
    assert stock(ledger) == {("库1", "A"): 600, ("库2", "B"): 400}


def test_another_organisation_s_transformation_is_not_found(ask, make_organisation, make_user):
    ask("lots/transform/", split(("A1", "250"), ("A2", "350")))
    row = Transformation.objects.get()
    elsewhere = make_organisation()
    client = Client()
    client.force_login(make_user("ENVIRONMENT_OFFICER", elsewhere))
    assert client.get(f"/o/{elsewhere.uscc}/ledger/transformations/{row.first_seq}/").status_code == 404
