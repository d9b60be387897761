"""The pages of management plans and disclosures, and what the public reads."""

import io
import json
import re

import openpyxl
import pypdfium2
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.conftest import NOW
from tests.office import opened
from tests.rooms.filings.test_plans import complete, receiver, wastes  # noqa: F401  # fixtures
from wufei.filings import services
from wufei.filings.models import Disclosure, FiledPlan, PlanDraft
from wufei.ledger.models import Movement
from wufei.ledger.services import reverse

# What one must be allowed to: for tests/rooms/web/test_every_route.py.
ROWS = {
    "filings:plans": {"GET": "read the ledger"},
    "filings:plan": {"GET": "read the ledger"},
    "filings:start-plan": {"POST": "close"},
    "filings:edit-plan": {"GET": "close", "POST": "close"},
    "filings:give-up-plan": {"POST": "close"},
    "filings:file-plan": {"POST": "close"},
    "filings:plan-file": {"GET": "read the ledger"},
    "filings:disclosures": {"GET": "read the ledger"},
    "filings:disclosure": {"GET": "read the ledger"},
    "filings:publish-disclosure": {"POST": "close"},
}
PUBLIC = {"filings:public-disclosures", "filings:public-disclosure", "filings:public-disclosure-file"}


@pytest.fixture(autouse=True)
def _on_the_first_of_july(monkeypatch, settings):
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


@pytest.fixture
def person(officer, organisation, wastes):  # noqa: F811
    client = Client()
    client.force_login(officer)

    def ask(path: str, said: dict | None = None):
        address = path if path.startswith("/") else f"/o/{organisation.uscc}/{path}"
        return client.get(address) if said is None else client.post(address, said)

    return ask


def text(response) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def content(response) -> bytes:
    return b"".join(response.streaming_content)


@pytest.fixture
def filed(organisation, officer, wastes):  # noqa: F811
    said = {"organisation": organisation, "year": 2026, "by": officer, "now": NOW}
    draft = services.start_draft(**said)
    saved = services.save_draft(version=1, content=complete(draft.content), **said)
    return services.file_plan(version=saved.version, **said)


def fields_of(page) -> dict[str, str]:
    """Return what the form on the page would send."""
    from lxml import html

    form = html.fromstring(page.content.decode()).xpath("//form[@method='post'][.//button[@name='done']]")[0]
    return dict.fromkeys(filter(None, (field.get("name") for field in form.inputs)), "") | dict(
        form.form_values()
    )


def test_a_plan_is_begun_written_checked_and_filed(person, organisation):
    assert "还没有备案" in text(person("plans/"))
    assert person("plans/2026/start/", {}).status_code == 302
    page = person("plans/2026/")
    assert "改正后才能备案" in text(page)
    assert "表A.1“法定代表人”：没有填写" in text(page)

    said = fields_of(person("plans/2026/edit/"))
    assert said["generation0-planned_g"] == "12"
    for name, value in said.items():
        if name.startswith("basic0-") and not value:
            said[name] = "有"
    said |= {
        "storage0-store_type": "危废库", "storage0-packaging": "桶", "storage0-remaining_g": "2", "transfers0-permit_number": "CQ1",
        "measures0-less_harm": "换用低毒切削液", "measures0-measures": "延长换油周期",
    }  # fmt: skip
    wrong = person("plans/2026/edit/", said | {"generation0-planned_g": "十二"})
    assert wrong.status_code == 422
    assert person("plans/2026/edit/", said | {"done": "1"}).status_code == 302
    page = person("plans/2026/")
    assert "没有错误，可以备案" in text(page)

    version = PlanDraft.objects.get().version
    assert person("plans/2026/file/", {"version": version}).status_code == 302
    assert FiledPlan.objects.get().number == 1
    assert "计划和实际" in text(person("plans/2026/"))


def test_a_row_is_dropped_and_one_is_added_on_the_page(person):
    person("plans/2026/start/", {})
    said = fields_of(person("plans/2026/edit/"))
    said |= {"transfers0-drop": "on", "reduction1-stream": "油", "reduction1-reduced_g": "0.5"}
    assert person("plans/2026/edit/", said).status_code == 302

    saved = PlanDraft.objects.get().content
    assert saved["transfers"] == []
    assert saved["reduction"][1] == {"stream": "油", "reduced_g": 500_000}


def test_a_change_asks_for_its_reason_and_two_people_do_not_overwrite_each_other(person, filed):
    person("plans/2026/start/", {})
    said = fields_of(person("plans/2026/edit/")) | {"generation0-planned_g": "13"}
    assert person("plans/2026/edit/", said).status_code == 302
    stale = person("plans/2026/edit/", said | {"generation0-planned_g": "14"})
    assert "已被他人修改" in text(stale)

    version = PlanDraft.objects.get().version
    refused = person("plans/2026/file/", {"version": version, "reason": ""})
    assert refused.status_code == 422
    assert "变更须写明原因" in text(refused)
    assert person("plans/2026/file/", {"version": version, "reason": "产量增加"}).status_code == 302
    assert FiledPlan.objects.count() == 2


def test_the_files_of_a_plan(person, filed, organisation):
    book = openpyxl.load_workbook(io.BytesIO(content(person("plans/2026/1.xlsx"))))
    assert "表A.7" in book.sheetnames
    said = json.loads(content(person("plans/2026/1.json")))
    assert (said["format"], said["number"], said["sha256"]) == (
        "wufei-hazardous-waste-management-plan/1", 1, filed.sha256,
    )  # fmt: skip
    assert said["tables"]["transfers"][0]["waste_code"] == "900-249-08"
    assert content(person("plans/2026/1.pdf")).startswith(b"%PDF")
    assert person("plans/2026/0.pdf").status_code == 404  # no draft
    assert person("plans/2026/2.pdf").status_code == 404
    assert person("plans/2026/1.exe").status_code == 404


@pytest.mark.slow
def test_libreoffice_opens_the_workbook_and_its_sum_is_the_plans(person, filed, tmp_path):
    shown = opened({"plan.xlsx": content(person("plans/2026/1.xlsx"))}, tmp_path)["plan.xlsx"]
    *_, transferred = [row for row in shown.rows if "合计" in row]  # of table A.7, the last one
    assert "11" in transferred
    assert "未核实" in shown.text


def test_a_plan_page_takes_as_many_queries_for_many_streams(person, filed, wastes):  # noqa: F811
    def counted() -> int:
        with CaptureQueriesContext(connection) as caught:
            assert person("plans/2026/").status_code == 200
        return len(caught)

    few = counted()
    wastes.streams(*(f"油{n}" for n in range(30)), waste_code="900-249-08")
    wastes.post(*(f"2026-03-03 油{n} 产生 1 吨 库1 -" for n in range(30)))
    assert counted() == few


# --- disclosure


def test_it_is_previewed_published_and_read_by_anybody(person, organisation):
    page = person("disclosures/2025/")
    assert "预览，尚未公开" in text(page)
    assert "未知" in text(page)
    assert (
        f"/o/{organisation.uscc}/ledger/?stream=%E6%B2%B9&amp;kind=GENERATION&amp;since=2025-01-01"
        in page.content.decode()
    )
    anybody = Client()
    address = f"/public/disclosures/{organisation.uscc}/2025/"
    assert anybody.get(address).status_code == 404

    assert person("disclosures/2025/publish/", {}).status_code == 302

    read = anybody.get(address)
    assert read.status_code == 200
    assert "处置厂" in text(read)
    assert f"/o/{organisation.uscc}/ledger/" not in read.content.decode()
    assert Disclosure.objects.get().chain_hash in text(read)
    assert organisation.name in text(anybody.get("/public/disclosures/"))
    assert "还没有单位公开" not in text(anybody.get("/public/disclosures/?year=2025"))


def test_a_change_in_the_ledger_is_shown_to_the_officer_and_not_to_the_public(person, organisation, officer):
    person("disclosures/2025/publish/", {})
    before = Client().get(f"/public/disclosures/{organisation.uscc}/2025/")
    reverse(movement=Movement.objects.get(moved_on="2025-06-01"), reason="退货", by=officer, now=NOW)

    assert "处不同" in text(person("disclosures/2025/"))
    assert text(Client().get(f"/public/disclosures/{organisation.uscc}/2025/")) == text(before)
    assert person("disclosures/2025/publish/", {"reason": ""}).status_code == 422
    assert person("disclosures/2025/publish/", {"reason": "退货"}).status_code == 302
    read = Client().get(f"/public/disclosures/{organisation.uscc}/2025/?version=1")
    assert "这是较早的一版" in text(read)
    assert "变更原因：退货" in text(Client().get(f"/public/disclosures/{organisation.uscc}/2025/"))


def test_the_public_takes_the_files_home(person, organisation):
    person("disclosures/2025/publish/", {})
    address = f"/public/disclosures/{organisation.uscc}/2025/1"
    said = json.loads(content(Client().get(f"{address}.json")))
    row = Disclosure.objects.get()
    assert (said["sha256"], said["ledger"]["chain_hash"], said["content"]) == (
        row.sha256,
        row.chain_hash,
        row.content,
    )
    pages = pypdfium2.PdfDocument(content(Client().get(f"{address}.pdf")))
    assert "未知" in pages[0].get_textpage().get_text_bounded()
    assert Client().get(f"{address}.exe").status_code == 404


def test_content_that_was_tampered_with_is_not_shown_as_sound(person, organisation, monkeypatch):
    person("disclosures/2025/publish/", {})
    monkeypatch.setattr("wufei.filings.views.public.disclosing.digest", lambda _: "0" * 64)
    assert "请勿采信" in text(Client().get(f"/public/disclosures/{organisation.uscc}/2025/"))
