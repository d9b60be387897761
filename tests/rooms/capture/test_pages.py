"""The import's pages: hand in, preview, confirm, watch, and read the result."""

import io
import re

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.conftest import NOW
from tests.pure.capture.books import USCC, filled, row
from wufei.capture import progress, services
from wufei.capture.models import Upload
from wufei.ledger.models import Movement
from wufei.registry.models import RoleAssignment

GOOD = [row("2024-01-31", "W01", "产生", 5), row("2024-02-01", "W01", "委外利用", 2)]
BAD = [*GOOD, row("2024-02-30", "W01", "产生", 5)]


@pytest.fixture(autouse=True)
def folders(settings, tmp_path):
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    settings.STORAGES = settings.STORAGES | {
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": tmp_path},
        }
    }


@pytest.fixture
def works(make_organisation):
    return make_organisation("重庆试验铝业有限公司", uscc=USCC, industry_code="321")


@pytest.fixture
def officer(make_user, works):
    return make_user("ENVIRONMENT_OFFICER", works)


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def client(officer):
    return signed_in(officer)


def text_of(response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def hand_in(client, content: bytes, name: str = "台账 2024.xlsx"):
    return client.post(f"/o/{USCC}/import/", {"file": SimpleUploadedFile(name, content)}, follow=True)


def page_of(upload: Upload, then: str = "") -> str:
    return f"/o/{USCC}/import/{upload.pk}/{then}"


def test_a_sound_workbook_is_previewed_confirmed_and_imported(client, works):
    shown = hand_in(client, filled(ledger=GOOD))

    assert "没有发现错误。确认后将记账 2 条。" in text_of(shown)
    assert not Movement.objects.exists()
    upload = Upload.objects.get()
    watched = client.post(page_of(upload, "confirm/"), {"accept": "all"}, follow=True)
    assert "正在导入" in text_of(watched)

    services.run_upload(upload=Upload.objects.get(), now=NOW)
    over = client.get(page_of(upload, "progress/"))
    assert over["HX-Refresh"] == "true"
    assert "已导入：台账记账 2 行" in text_of(client.get(page_of(upload)))
    assert Movement.objects.count() == 2


def test_what_is_wrong_is_shown_by_sheet_row_and_column_and_can_be_taken_home(client, works):
    shown = hand_in(client, filled(ledger=BAD))

    [fault] = shown.context["faults"]
    assert (fault["sheet"], fault["row"], fault["column"]) == ("台账", 4, "日期")
    assert fault["message"] in shown.content.decode()
    assert "只导入正确的 2 行" in text_of(shown)
    answer = client.get(page_of(Upload.objects.get(), "rejects.xlsx"))
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content))["台账"]
    assert sheet.max_row == 2
    assert not Movement.objects.exists()


def test_only_the_sound_rows_are_imported_where_that_was_asked_for(client, works):
    hand_in(client, filled(ledger=BAD))
    upload = Upload.objects.get()

    client.post(page_of(upload, "confirm/"), {"accept": "valid"})
    services.run_upload(upload=Upload.objects.get(), now=NOW)

    shown = text_of(client.get(page_of(upload)))
    assert "已导入：台账记账 2 行" in shown
    assert "另有 1 处错误没有导入" in shown
    assert client.get(page_of(upload, "rejects.xlsx")).status_code == 200
    assert Movement.objects.count() == 2


def test_everything_or_nothing_where_all_was_asked_for(client, works):
    hand_in(client, filled(ledger=BAD))
    upload = Upload.objects.get()

    client.post(page_of(upload, "confirm/"), {"accept": "all"})
    services.run_upload(upload=Upload.objects.get(), now=NOW)

    assert "没有导入，什么也没有记" in text_of(client.get(page_of(upload)))
    assert not Movement.objects.exists()


def test_confirmed_twice_is_imported_once(client, works):
    hand_in(client, filled(ledger=GOOD))
    upload = Upload.objects.get()
    client.post(page_of(upload, "confirm/"), {"accept": "all"})

    again = client.post(page_of(upload, "confirm/"), {"accept": "valid"}, follow=True)

    assert "已经确认过" in text_of(again)
    assert Upload.objects.get().accept_valid is False


def test_progress_says_how_far_it_is(client, works):
    hand_in(client, filled(ledger=GOOD))
    upload = Upload.objects.get()
    client.post(page_of(upload, "confirm/"), {"accept": "all"})
    progress.write(type(upload).objects.get().file.path, progress.Step("posting", 1_000, 4_000))

    shown = client.get(page_of(upload, "progress/"))

    assert "记账 1,000 ／ 4,000" in text_of(shown)
    assert 'value="25"' in shown.content.decode()
    assert "HX-Refresh" not in shown


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.xlsx", b"", "空"),
        ("a.xlsx", b"not a workbook", "xlsx"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "xlsx"),
    ],
)
def test_a_file_that_is_no_workbook_is_refused_with_what_to_do(client, works, name, content, words):
    answer = hand_in(client, content, name)

    assert answer.status_code == 422
    assert words in answer.context["form"].errors["file"][0]
    assert not Upload.objects.exists()


def test_no_file_at_all_is_said(client, works):
    answer = client.post(f"/o/{USCC}/import/", {})

    assert answer.context["form"].errors["file"] == ["请选择一个 .xlsx 文件。"]


def test_another_organisations_workbook_is_not_taken(client, works):
    other = filled(organisation={"统一社会信用代码": "91500110MA5U000017"}, ledger=GOOD)
    shown = hand_in(client, other)

    assert "没有可以导入的内容" in text_of(shown)
    assert "确认导入" not in shown.content.decode().replace("<li>确认导入</li>", "")


def test_another_organisations_people_find_no_upload_of_ours(client, works, make_user, make_organisation):
    hand_in(client, filled(ledger=BAD))
    upload = Upload.objects.get()
    own = make_organisation()
    stranger = signed_in(make_user("ENVIRONMENT_OFFICER", own))

    for then in ("", "progress/", "rejects.xlsx"):
        assert stranger.get(page_of(upload, then)).status_code == 404
        # Nor under their own address.
        assert stranger.get(f"/o/{own.uscc}/import/{upload.pk}/{then}").status_code == 404
    assert stranger.post(page_of(upload, "confirm/")).status_code == 404
    assert stranger.get(f"/o/{USCC}/import/").status_code == 404
    assert Upload.objects.get().state == "STAGED"


def test_a_worker_may_not_import(works, make_user):
    worker = signed_in(make_user("WORKER", works))

    assert worker.get(f"/o/{USCC}/import/").status_code == 403
    assert hand_in(worker, filled(ledger=GOOD)).status_code == 403
    assert not Upload.objects.exists()


def test_the_empty_workbook_is_handed_out(client, works):
    answer = client.get(f"/o/{USCC}/import/template.xlsx")

    assert "台账" in openpyxl.load_workbook(io.BytesIO(answer.content)).sheetnames


def test_uploads_are_listed_the_latest_first(client, works):
    hand_in(client, filled(ledger=GOOD), "先.xlsx")
    hand_in(client, filled(ledger=BAD), "<b>后</b>.xlsx")

    shown = client.get(f"/o/{USCC}/import/")

    assert [upload.file_name for upload in shown.context["page"]][1] == "先.xlsx"
    assert "<b>后" not in shown.content.decode()


def test_an_upload_stands_under_its_own_organisations_address_only(client, works, officer, make_organisation):
    hand_in(client, filled(ledger=BAD))
    second = make_organisation()
    RoleAssignment.objects.create(user=officer, organisation=second, role="ENVIRONMENT_OFFICER")

    assert client.get(page_of(Upload.objects.get())).status_code == 200
    assert client.get(f"/o/{second.uscc}/import/{Upload.objects.get().pk}/").status_code == 404
