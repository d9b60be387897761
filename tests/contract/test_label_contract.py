"""`wufei label CODE [--format pdf|zpl|png] --out FILE [--json]`."""

import json
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest
import zxingcpp
from click.testing import CliRunner
from PIL import Image

from tests.conftest import NOW
from tests.tables import LedgerTable
from wufei.labels.models import LabelPrint
from wufei.labels.services import number_container
from wufei.ledger.models import Container
from wufei.web.cli import main

STARTS = {"pdf": b"%PDF-", "zpl": b"^XA", "png": b"\x89PNG"}


@pytest.fixture
def wufei(db, monkeypatch):
    monkeypatch.setenv("WUFEI_STORE_IS_OPEN", "1")
    return lambda *said: CliRunner().invoke(main, [str(each) for each in said])


@pytest.fixture
def drum(ledger, organisation, officer) -> Container:
    ledger.stores(库1=None)
    ledger.streams("油", waste_code="900-249-08")
    ledger.post("2026-06-30 油 产生 0.2 吨 库1 桶-1", "2026-06-30 油 产生 0.2 吨 库1 桶-2")
    return number_container(
        organisation=organisation, lot_code="桶-1", packaging="DRUM", volume_ml=20_000, client_id=uuid.uuid4(), by=officer,
        now=datetime(2026, 7, 1, tzinfo=UTC),
    )  # fmt: skip


@pytest.mark.parametrize("print_format", STARTS)
def test_a_label_is_written_in_each_format_and_recorded(wufei, drum, tmp_path: Path, print_format: str):
    out = tmp_path / f"a.{print_format}"
    answer = wufei("label", "桶-1", "--format", print_format, "--out", out, "--json")
    assert (answer.exit_code, answer.stderr) == (0, "")
    assert json.loads(answer.stdout) == {
        "lot": "桶-1", "digital_id": drum.digital_id, "format": print_format, "file": str(out), "is_reprint": False,
    }  # fmt: skip
    assert out.read_bytes().startswith(STARTS[print_format])
    assert LabelPrint.objects.get().format == print_format.upper()


def test_without_a_format_it_is_a_pdf_and_again_it_is_a_reprint(wufei, drum, tmp_path: Path):
    for _ in range(2):
        answer = wufei("label", drum.digital_id, "--out", tmp_path / "a.pdf")
        assert answer.exit_code == 0
    assert "重印，已登记" in answer.stdout
    assert [row.is_reprint for row in LabelPrint.objects.order_by("pk")] == [False, True]


def test_what_is_written_can_be_scanned_and_given_to_the_command_again(wufei, drum, tmp_path: Path):
    wufei("label", "桶-1", "--format", "png", "--out", tmp_path / "a.png")
    [code] = zxingcpp.read_barcodes(Image.open(tmp_path / "a.png"), formats=zxingcpp.BarcodeFormat.QRCode)
    assert drum.digital_id in code.text
    again = wufei("label", code.text, "--out", tmp_path / "b.pdf", "--json")
    assert json.loads(again.stdout)["lot"] == "桶-1"


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("没有", "没有这个编码的容器或批次"),
        ("桶-2", "还没有数字识别码"),
        ("91110000600037341L9002490820260701", "数字识别码不完整"),
        ("91110000600037341M9002490820260701001", "校验位不对"),
        ("https://example.org/x", "其他系统的二维码"),
        ("WF1/H/9111", "二维码的内容不完整"),
        ("", "没有读到编码"),
    ],
)
def test_what_is_no_label_is_refused_in_chinese_and_nothing_is_written(
    wufei, drum, tmp_path: Path, code, told
):
    answer = wufei("label", code, "--out", tmp_path / "a.pdf")
    assert (answer.exit_code, answer.stdout) == (1, "")
    assert told in answer.stderr
    assert not (tmp_path / "a.pdf").exists()
    assert not LabelPrint.objects.exists()


def test_of_a_code_of_two_organisations_the_one_is_named(wufei, drum, make_organisation, make_user, tmp_path):
    other = make_organisation(name="别家")
    table = LedgerTable(organisation=other, by=make_user("ENVIRONMENT_OFFICER", other), now=NOW)
    table.stores(库=None)
    table.streams("砂", waste_code="SW02")
    table.post("2026-06-30 砂 产生 1 吨 库 桶-1")
    out = tmp_path / "a.pdf"

    asked_back = wufei("label", "桶-1", "--out", out)
    assert asked_back.exit_code == 1
    for told in ("--organisation", other.uscc, drum.lot.organisation.uscc):
        assert told in asked_back.stderr
    answer = wufei("label", "桶-1", "--out", out, "--organisation", drum.lot.organisation.uscc, "--json")
    assert json.loads(answer.stdout)["digital_id"] == drum.digital_id
    assert wufei("label", "桶-1", "--out", out, "--organisation", other.uscc).exit_code == 0
    for code, uscc in (("桶-2", other.uscc), (drum.digital_id, other.uscc), ("桶-1", "没有")):
        refused = wufei("label", code, "--out", out, "--organisation", uscc)
        assert (refused.exit_code, "没有这个编码" in refused.stderr) == (1, True), code


def test_a_file_that_cannot_be_written_is_said_and_not_recorded(wufei, drum, tmp_path: Path):
    answer = wufei("label", "桶-1", "--out", tmp_path / "no" / "a.pdf")
    assert (answer.exit_code, "不能写到" in answer.stderr) == (1, True)
    assert not LabelPrint.objects.exists()


def test_wrong_use_ends_with_two(wufei, drum, tmp_path: Path):
    for said in (("label", "桶-1"), ("label", "桶-1", "--out", tmp_path / "a", "--format", "doc"),
                 ("label", "桶-1", "--out", tmp_path / "a", "--reason", " ")):  # fmt: skip
        assert wufei(*said).exit_code == 2
