"""Case files over HTTP: drafted, evidenced, produced; the last writer doesn't win."""

import json
import zipfile
from io import BytesIO
from typing import Any
from urllib.parse import unquote

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.rooms.api.world import EDITION, PDF
from wufei.cases.provenance import MovementIndex
from wufei.paper import attachments as evidence_rules


def upload(api: Any, world: Any, name: str, content: bytes, category: str = "PROOF", **said: Any) -> Any:
    body = {"category": category, "file": SimpleUploadedFile(name, content)}
    return api.post(world.address(f"/cases/{world.case.pk}/evidence"), body, **said)


def test_a_case_is_opened_once_for_an_edition_and_a_year(world, officer_api):
    body = {"edition": EDITION, "year": 2024}
    opened = officer_api.post(world.address("/cases"), body)
    assert (opened.status_code, opened.json()["year"], opened.json()["state"]) == (200, 2024, "DRAFT")
    again = officer_api.post(world.address("/cases"), body)
    assert again.json()["id"] == opened.json()["id"]
    assert [row["year"] for row in officer_api.get(world.address("/cases")).json()["cases"]] == [2025, 2024]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"edition": "no-such", "year": 2025}, 409, "edition_unknown"),
        ({"edition": "miit-2025-539-park", "year": 2025}, 409, "subject_kind_differs"),
        ({"edition": EDITION, "year": 2199}, 422, "request_malformed"),
        ({"edition": EDITION, "year": "2025"}, 422, "request_malformed"),
    ],
)
def test_a_case_that_can_not_be_is_refused(world, officer_api, body, status, code):
    response = officer_api.post(world.address("/cases"), body)
    assert (response.status_code, response.json()["code"]) == (status, code)


def test_a_draft_is_saved_by_who_saw_it_last_and_its_length_is_told(world, officer_api):
    path = world.address(f"/cases/{world.case.pk}")
    before = officer_api.get(path).json()
    body = {"version": before["version"], "brief_description": "综合利用率 94.10%", "above_scale_count": 3}
    saved = officer_api.ask("PATCH", path, body)
    told = saved.json()
    assert saved.status_code == 200, told
    assert told["version"] == before["version"] + 1
    assert told["limits"]["brief_description"] == {
        "words": 6,
        "characters": 11,
        "limit": 200,
        "is_over": False,
    }

    stale = officer_api.ask("PATCH", path, body | {"brief_description": "覆盖"})
    assert (stale.status_code, stale.json()["code"]) == (409, "stale_edit")
    assert officer_api.get(path).json()["brief_description"] == "综合利用率 94.10%"


def test_a_case_is_ready_when_all_is_written(world, officer_api):
    path = world.address(f"/cases/{world.case.pk}")
    version = officer_api.get(path).json()["version"]
    refused = officer_api.post(f"{path}/ready", {"version": version})
    assert (refused.status_code, refused.json()["code"]) == (409, "not_ready")
    sections = (
        "title", "brief_description", "plan", "practices", "results", "innovation", "conditions",
        "self_description",
    )  # fmt: skip
    assert sorted(d["where"] for d in refused.json()["details"]) == sorted(sections)
    officer_api.ask("PATCH", path, {"version": version} | dict.fromkeys(sections, "已写"))
    ready = officer_api.post(f"{path}/ready", {"version": version + 1})
    assert (ready.status_code, ready.json()["state"]) == (200, "READY")


def test_evidence_is_kept_listed_and_taken_off(world, officer_api):
    made = upload(officer_api, world, "监测报告.pdf", PDF.replace(b"9", b"8"), "PLAN")
    told = made.json()
    assert (made.status_code, told["file_name"], told["category_label"]) == (201, "监测报告.pdf", "建设方案")
    path = world.address(f"/cases/{world.case.pk}/evidence")
    listed = officer_api.get(path).json()["evidence"]
    assert [row["file_name"] for row in listed] == ["证明.pdf", "监测报告.pdf"]
    assert officer_api.ask("DELETE", f"{path}/{told['id']}").status_code == 204
    assert [row["file_name"] for row in officer_api.get(path).json()["evidence"]] == ["证明.pdf"]
    assert officer_api.ask("DELETE", f"{path}/{told['id']}").status_code == 404


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("空.pdf", b"", "file_empty"),
        ("程序.exe", b"MZ", "type_not_allowed"),
        ("假.pdf", b"PK\x03\x04", "content_does_not_fit_name"),
        ("脚本.pdf", PDF.replace(b"obj<<>>", b"obj<</JavaScript 1>>"), "active_content"),
    ],
)
def test_evidence_that_may_not_be_kept_is_refused(world, officer_api, name, content, code):
    response = upload(officer_api, world, name, content)
    assert (response.status_code, [d["code"] for d in response.json()["details"]]) == (422, [code])


def test_evidence_too_large_is_413(world, officer_api, monkeypatch):
    monkeypatch.setattr(evidence_rules, "MAX_FILE_BYTES", 10)
    response = upload(officer_api, world, "大.pdf", PDF.replace(b"9", b"8"))
    assert (response.status_code, response.json()["code"]) == (413, "file_too_large")


@pytest.mark.parametrize(
    ("document", "name"),
    [
        ("case-file.docx", "申报书.docx"),
        ("summary.xlsx", "汇总表.xlsx"),
        ("provenance.json", "provenance.json"),
    ],
)
def test_the_official_documents_are_produced(world, officer_api, document, name):
    response = officer_api.get(world.address(f"/cases/{world.case.pk}/documents/{document}"))
    assert response.status_code == 200
    assert unquote(response["Content-Disposition"]).endswith(name)
    if document.endswith(".json"):
        assert json.loads(response.content)
    else:
        assert zipfile.ZipFile(BytesIO(response.content)).testzip() is None


def test_a_document_from_a_ledger_that_is_being_posted_to_is_refused_for_now(world, officer_api, monkeypatch):
    """Whoever asks again a moment later gets it."""
    monkeypatch.setattr(MovementIndex, "adds_up_to", lambda *_: False)
    path = world.address(f"/cases/{world.case.pk}/documents/case-file.docx")
    response = officer_api.get(path)
    assert response.status_code == 409
    assert response.json()["code"] == "ledger_changing"
    assert "请稍后再生成一次" in response.json()["message"]


def test_a_document_that_there_is_not_is_refused(world, officer_api):
    path = world.address(f"/cases/{world.case.pk}/documents/secret-key")
    assert officer_api.get(path).status_code == 422
