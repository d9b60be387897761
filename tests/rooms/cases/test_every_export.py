"""
LibreOffice opens every file that Wufei hands out, and the sums are the ledger's (promise A2).

All files go through one run of LibreOffice; a file that needs repair is not opened.
"""

import re
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from tests.contract import workbooks
from tests.office import Opened, opened, soffice, total
from tests.rooms.cases.conftest import ENTERPRISE_EDITION
from wufei.capture.services import import_workbook
from wufei.cases import services
from wufei.cases.case_file import CASE_FILE, SUMMARY
from wufei.ledger.models import Movement
from wufei.ledger.services import reverse as reverse_movement

SOURCES = Path(__file__).parents[3] / "src/wufei"
# Where a workbook or document is written, and where a list is offered as one. Whoever adds one opens it below.
WRITERS = {
    "capture/rejects.py", "capture/template.py", "cases/documents.py", "ledger/book_exports.py", "ledger/exports.py",
    "registry/exporting.py",
    "filings/plan_documents.py",  # opened in tests/rooms/filings/test_pages.py
    "reviews/official_paper.py",  # opened in tests/rooms/reviews/test_documents.py
    "reviews/blinding.py",  # rebuilds what experts download: tests/rooms/reviews/test_experts_blind.py
    "demo/papers.py", "demo/writing.py",  # not handed out
}  # fmt: skip
OFFERED = {
    "figures": ("indicators:figures", {}), "months": ("indicators:months", {"year": 2025}),
    "identifications": ("ledger:identifications", {}), "members": ("registry:members", {}), "audit": ("registry:audit-log", {}),
    "organisations": ("registry:organisations", None), "users": ("registry:users", None),
    "public-register": ("portal:register", None), "public-agencies": ("portal:agencies", None),
    "manifests": ("transfers:manifests", {}), "tracks": ("tracking:tracks", {}),
    "ready": ("collection:ready", {}), "small-generators": ("collection:generators", {}),
    "inspections": ("storage:inspections", {}), "corrective-actions": ("storage:corrective-actions", {}),
    "public-excluded": ("portal:excluded-agencies", None),
}  # fmt: skip


def test_no_export_is_left_out():
    sources = {str(path.relative_to(SOURCES)): path.read_text() for path in SOURCES.rglob("*.py")}
    writing = re.compile(r"^(from|import) (xlsxwriter|docxtpl|docx|openpyxl)\b", re.MULTILINE)
    # The lists of reviews are written by the same `registry.views.listing.export` as those opened below.
    listed = {name: text for name, text in sources.items() if not name.startswith("reviews/")}
    offers = sum(len(re.findall(r'get\("export"\) == "xlsx"', text)) for text in listed.values())

    reading = {"capture/reading.py", "capture/sheet_scan.py", "capture/safe_opening.py"}
    assert {name for name, text in sources.items() if writing.search(text)} - reading == WRITERS
    assert offers == len(OFFERED)


def _client(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def _content(response) -> bytes:
    assert response.status_code == 200, response
    return b"".join(response) if response.streaming else response.content


def _rejected(operator, now) -> bytes:
    code = workbooks.uscc(7)
    book = BytesIO()
    rows = [workbooks.moved("2025-01-05", "W01", "产生", -1), workbooks.moved("2025-01-06", "W01", "产生", 2)]
    workbooks.workbook(workbooks.enterprise(code), ledger=rows).save(book)
    result = import_workbook(content=book.getvalue(), by=operator, now=now, may_create_organisation=True)
    assert result.rejects is not None
    return result.rejects


@pytest.fixture
def exports(park_case, works, officer, make_user, operator, now) -> dict[str, bytes]:
    """Every file that a person can take home, by name, of a works and a park with four years of ledger."""
    soffice()
    wrong = Movement.objects.get(organisation=works, moved_on="2025-09-30")
    reverse_movement(movement=wrong, reason="=1+1", by=officer, now=now)
    clients = {"park": _client(park_case.created_by), "works": _client(officer)}
    clients["admin"] = _client(make_user("ADMINISTRATOR", works, username="admin"))

    def asked(who: str, route: str, **said) -> bytes:
        return _content(clients[who].get(reverse(route, kwargs=said or None), {"export": "xlsx"}))

    found = {
        "ledger.xlsx": asked("works", "ledger:export", uscc=works.uscc),
        "template.xlsx": asked("works", "capture:template", uscc=works.uscc),
        "rejects.xlsx": _rejected(operator, now),
    }
    for form in ("general-2", "general-5", "hw-5"):
        address = reverse("ledger:book-file", kwargs={"uscc": works.uscc, "form": form, "ending": "xlsx"})
        found[f"{form}.xlsx"] = _content(clients["works"].get(address, {"year": "2024"}))
    for name, (route, said) in OFFERED.items():
        if said is None:
            found[f"{name}.xlsx"] = asked("admin", route)
            continue
        of_park = name == "members"
        uscc = park_case.organisation.uscc if of_park else works.uscc
        found[f"{name}.xlsx"] = asked("park" if of_park else "works", route, uscc=uscc, **said)
    case = services.open_case(
        organisation=works, edition_id=ENTERPRISE_EDITION, year=2025, by=officer, now=now
    )
    for who, each in (("works", case), ("park", park_case)):
        produced = services.produce(case=each, by=each.created_by, now=now)
        found[f"{who}-case.docx"] = produced.files[CASE_FILE]
        found[f"{who}-summary.xlsx"] = produced.files[SUMMARY]
    return found


@pytest.fixture
def shown(exports, tmp_path) -> dict[str, Opened]:
    """The files in LibreOffice, and one that lost its end: the control."""
    damaged = exports["ledger.xlsx"][:-200]
    return opened(exports | {"damaged.xlsx": damaged}, tmp_path)


@pytest.mark.slow
def test_libreoffice_opens_every_export_and_the_sums_are_the_ledgers(exports, shown, works, park):
    assert set(shown) == set(exports)  # and not the damaged one
    _check_sums(shown, works)
    for name, said in {
        "template.xlsx": ("单位信息", "统一社会信用代码", "数量"), "rejects.xlsx": ("错误", "W01"),
        "general-2.xlsx": ("一般工业固体废物流向汇总表", "2024-12", "合计", "负责人签字"),
        "general-5.xlsx": ("贮存环节记录表", "GFRK2024"), "hw-5.xlsx": ("委外利用／处置", "没有记录"),
        "months.xlsx": ("全年", "12月"), "members.xlsx": (works.name, "綦江水泥厂"),
        "organisations.xlsx": (works.name, works.uscc), "users.xlsx": ("admin",), "audit.xlsx": ("操作",),
        "works-case.docx": ("典型案例申报书", works.name, "表2", "随附材料"),
        "park-case.docx": ("典型案例申报书", park.name, "表1", "主要企业情况"),
        "works-summary.xlsx": ("典型案例汇总表", works.name, "企业"),
        "park-summary.xlsx": ("典型案例汇总表", park.name, "园区"),
    }.items():  # fmt: skip
        assert [text for text in said if text not in shown[name].text] == [], name


def _check_sums(shown: dict[str, Opened], works) -> None:
    ledger = Movement.objects.filter(organisation=works).select_related("stream", "lot")
    found = shown["ledger.xlsx"]
    assert total(found.column("数量(吨)")) * 1_000_000 == sum(row.sign * row.mass_g for row in ledger)
    assert found.column("序号") == [str(row.seq) for row in ledger.order_by("moved_on", "seq")]
    assert "=1+1" in found.column("冲正原因")  # as it was typed, not 2

    grams = sum(row.sign * row.mass_g for row in ledger.filter(kind="GENERATION", moved_on__year=2024))
    figures = shown["figures.xlsx"]
    [row] = [row for row in figures.rows if row[1:3] == ["工业固体废物产生量", "吨"]]
    heads = next(row for row in figures.rows if "指标" in row)
    assert Decimal(row[heads.index("2024 年")]) * 1_000_000 == grams > 0
