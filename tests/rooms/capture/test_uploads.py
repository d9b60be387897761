"""On the web a workbook is staged, previewed, confirmed, and imported by a worker."""

from pathlib import Path

import pytest
from django.db import connection, transaction

from tests.conftest import NOW
from tests.pure.capture.books import USCC, filled, row
from tests.pure.capture.hostile import HOSTILE
from wufei.capture import progress, queries, services, tasks
from wufei.capture.faults import WorkbookRefused
from wufei.capture.models import Upload
from wufei.ledger.models import Movement
from wufei.registry.queries import NotPermitted

TODAY = NOW.date()
LEDGER = [row("2024-01-31", "W01", "产生", 5), row("2024-02-30", "W01", "产生", 5)]


@pytest.fixture
def works(make_organisation):
    return make_organisation("重庆试验铝业有限公司", uscc=USCC, industry_code="321")


@pytest.fixture
def officer(make_user, works):
    return make_user("ENVIRONMENT_OFFICER", works)


@pytest.fixture
def stage(works, officer, settings, tmp_path):
    settings.STORAGES = settings.STORAGES | {
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": tmp_path},
        }
    }

    def stage(content, **said):
        return services.stage_upload(
            **{
                "organisation": works,
                "file_name": "../台账.xlsx",
                "content": content,
                "by": officer,
                "now": NOW,
            }
            | said
        )

    return stage


def test_a_staged_upload_is_previewed_and_posts_nothing(stage, officer):
    upload = stage(filled(ledger=LEDGER))

    result = services.preview(upload=upload, by=officer, now=NOW)

    assert (upload.file_name, upload.state) == ("台账.xlsx", "STAGED")
    assert [r.number for r in result.rows] == [2]
    assert [f.code for f in result.errors] == ["day_impossible"]
    assert not Movement.objects.exists()


def test_a_hostile_upload_is_not_kept(stage, tmp_path):
    for name in ("empty", "billion laughs", "macros", "bomb of blanks"):
        with pytest.raises(WorkbookRefused):
            stage(HOSTILE[name][0]())

    assert not Upload.objects.exists()
    assert list(tmp_path.rglob("*.xlsx")) == []


def test_a_confirmed_upload_is_imported_and_its_result_kept(stage, officer):
    upload = stage(filled(ledger=LEDGER))
    services.confirm(upload=upload, accept_valid=True, by=officer, now=NOW)

    services.run_upload(upload=upload, now=NOW)

    upload = Upload.objects.get()
    assert (upload.state, upload.result["posted"]) == ("DONE", 1)
    assert Path(upload.rejects.path).read_bytes().startswith(b"PK")
    assert services.progress_of(upload=upload) is None


def test_without_accept_valid_a_fault_refuses_the_whole(stage, officer):
    upload = stage(filled(ledger=LEDGER))
    services.confirm(upload=upload, accept_valid=False, by=officer, now=NOW)

    services.run_upload(upload=upload, now=NOW)

    assert (Upload.objects.get().state, Movement.objects.count()) == ("REFUSED", 0)


def test_an_upload_is_confirmed_once(stage, officer):
    upload = stage(filled())
    services.confirm(upload=upload, accept_valid=False, by=officer, now=NOW)

    with pytest.raises(services.UploadRefused):
        services.confirm(upload=upload, accept_valid=True, by=officer, now=NOW)


def test_a_confirmed_upload_is_handed_to_a_worker(stage, officer, settings):
    settings.TASKS = {"default": {"BACKEND": "django_tasks.backends.immediate.ImmediateBackend"}}
    upload = stage(filled(ledger=LEDGER[:1]))

    tasks.confirm_and_enqueue(upload=upload, accept_valid=False, by=officer, now=NOW)

    assert Upload.objects.get().state == "DONE"
    assert Movement.objects.count() == 1


def test_progress_is_seen_while_the_transaction_is_open(stage):
    upload = stage(filled())
    with transaction.atomic():
        assert connection.in_atomic_block
        progress.Writer(Path(upload.file.path))("posting", 3, 9)

        assert services.progress_of(upload=upload) == progress.Step("posting", 3, 9)


def test_others_can_neither_stage_nor_see_nor_confirm(stage, make_user, make_organisation):
    stranger = make_user("ENVIRONMENT_OFFICER", make_organisation())
    upload = stage(filled())

    with pytest.raises(NotPermitted):
        stage(filled(), by=stranger)
    with pytest.raises(NotPermitted):
        services.confirm(upload=upload, accept_valid=False, by=stranger, now=NOW)
    with pytest.raises(NotPermitted):
        services.preview(upload=upload, by=stranger, now=NOW)
    assert list(queries.uploads(user=stranger, on=TODAY)) == []
    assert list(queries.uploads(user=upload.created_by, on=TODAY)) == [upload]
