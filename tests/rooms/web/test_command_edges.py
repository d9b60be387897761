"""At its edges too a command ends with words and a number, and leaves what is there as it was: never with a stack."""

import pytest
from click.testing import CliRunner
from django.urls import reverse

from tests.conftest import NOW
from wufei.ledger.models import DailyRoot
from wufei.registry.models import Organisation, RoleAssignment, User
from wufei.registry.services import audit
from wufei.web.cli import main

USCC = "91500110MA60ABCD1W"
BOOK = ("ledger-book", USCC, "--form", "general-2", "--out", "台账.xlsx")


@pytest.fixture
def wufei(db, monkeypatch, tmp_path):
    monkeypatch.setenv("WUFEI_STORE_IS_OPEN", "1")
    monkeypatch.chdir(tmp_path)
    Organisation.objects.create(
        uscc=USCC, name="重庆某厂", kind="ENTERPRISE", division_code="500110", created_at=NOW
    )
    return lambda *said: CliRunner().invoke(main, said)


@pytest.mark.parametrize(
    "said",
    [
        ("stock", USCC, "--at", "9999-12-31"),
        ("stock", USCC, "--at", "0001-01-01T00:00+14:00"),
        ("stock", USCC, "--at", "9999-12-31T23:59-12:00"),
        (*BOOK, "--from", "0001-01-01", "--to", "2026-01-01"),
        (*BOOK, "--from", "2026-01-01", "--to", "9999-12-31"),
        ("workdays", "9999-12-31", "1"),
        ("catalogue", "import-workdays", "x.csv", "--year", "99999", "--notice", "x"),
    ],
)
def test_years_that_nothing_is_known_of_are_wrong_use(wufei, said):
    answer = wufei(*said)
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert "1949" in answer.stderr


@pytest.mark.parametrize("day", ["2026/07/01", "20260701", "2026-W09-1", "2026-02-30"])
def test_a_day_is_written_in_one_way(wufei, day):
    for said in (("workdays", day, "1"), (*BOOK, "--from", day, "--to", "2026-12-31")):
        answer = wufei(*said)
        assert answer.exit_code == 2
        assert f"日期“{day}”不对，应如 2026-03-01" in answer.stderr


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (("plan", USCC, "--year", "2026", "--out", "没有/a.pdf"), "没有这个文件夹"),
        (("trace", "DC-1", "--epcis", "没有/a.json"), "没有这个文件夹"),
        (("trace", "DC-1", "--epcis", "."), "是文件夹，这里要文件"),
        (("label", "DC-1", "--out", "没有/a.pdf"), "没有这个文件夹"),
        (("seal", "--request", "没有/a.tsq"), "没有这个文件夹"),
        (("template", "没有/a.xlsx"), "没有这个文件或文件夹"),
    ],
)
def test_a_file_that_cannot_be_written_is_known_before_anything_is_done(wufei, said, reason):
    answer = wufei(*said)
    assert (answer.exit_code, answer.stdout) == (1, "")
    assert reason in answer.stderr
    assert not DailyRoot.objects.exists()


def test_what_no_terminal_should_send_is_wrong_use(wufei):
    answer = wufei("trace", "\udcff")
    assert answer.exit_code == 2
    assert "UTF-8" in answer.stderr


def test_a_folder_of_data_that_cannot_be_is_said_in_words(wufei, monkeypatch):
    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied", "/proc/zz")

    monkeypatch.setattr("wufei.web.cli._open_store", refuse)
    answer = wufei("stock", USCC)
    assert answer.exit_code == 1
    assert "“/proc/zz”不能读写：没有权限" in answer.stderr


def test_an_empty_code_is_not_the_whole_store(wufei):
    answer = wufei("verify", "")
    assert answer.exit_code == 1
    assert "没有统一社会信用代码为" in answer.stderr


def test_a_code_in_small_letters_is_the_same_code(wufei):
    for command in ("verify", "stock"):
        assert wufei(command, f" {USCC.lower()} ").exit_code == 0


@pytest.mark.parametrize("reason", ["", "改" * 201, "a\0b"])
def test_why_a_label_is_printed_again_is_a_line_that_can_be_kept(wufei, reason):
    answer = wufei("label", "DC-1", "--out", "a.pdf", "--reason", reason)
    assert answer.exit_code == 2
    assert "重印原因" in answer.stderr


def test_no_scale_weighs_a_mountain_and_no_site_is_called_nonsense(wufei):
    scale = ("scale", "register", USCC, "--name", "一号", "--store", "库1", "--division", "0.1")
    answer = wufei(*scale, "--capacity", "1e30", "--calibrated-until", "2027-01-01")
    assert (answer.exit_code, "1,000 吨" in answer.stderr) == (2, True)


def test_the_audit_log_is_narrowed_by_any_day_of_the_calendar(client, wufei):
    works = Organisation.objects.get(uscc=USCC)
    officer = User.objects.create(username="officer")
    RoleAssignment.objects.create(user=officer, organisation=works, role="ENVIRONMENT_OFFICER")
    audit(by=officer, now=NOW, action="ledger.post", organisation=works, object_ref="1-1", detail={})
    client.force_login(officer)
    address = reverse("registry:audit-log", args=[USCC])
    for said in ({"through": "9999-12-31"}, {"since": "0001-01-01"}):
        answer = client.get(address, said)
        assert (answer.status_code, "记账" in answer.content.decode()) == (200, True)
