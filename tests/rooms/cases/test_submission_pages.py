"""The pages of what was handed in: versions, one as frozen, a number's way back, two compared; and who may read."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.conftest import NOW
from tests.rooms.cases.test_freezing import attach, document, written
from wufei.cases import queries, services
from wufei.cases.differences import ChangeKind
from wufei.cases.services.submitting import freeze
from wufei.ledger import services as ledger_services
from wufei.ledger.models import Movement
from wufei.registry.services import issue_token

BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture(autouse=True)
def today(monkeypatch, settings):
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


@pytest.fixture
def ready(case, officer, now):
    attach(case, officer, now)
    case.refresh_from_db()
    return written(case, officer, now)


@pytest.fixture
def at(ready):
    return f"/o/{ready.organisation.uscc}/cases/{ready.pk}/"


@pytest.fixture
def reads(client):
    def get(user, address):
        client.force_login(user, backend=BACKEND)
        return client.get(address)

    return get


@pytest.fixture
def authority(make_user, make_organisation):
    return make_user("AUTHORITY_OFFICER", make_organisation("区局", kind="AUTHORITY", branch="INDUSTRY"))


def words_of(response) -> str:
    html = re.sub(r"<(script|style|svg)\b.*?</\1>", "", response.content.decode(), flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def second_version(case, by, now):
    changes = {"practices": "practices：粉煤灰和炉渣制砖。"}
    case = services.save_draft(case=case, version=case.version, changes=changes, by=by, now=now)
    [old] = queries.evidence_of(case=case)
    services.remove_evidence(evidence=old, by=by, now=now)
    attach(case, by, now, name="新方案.docx", content=document("新的方案" * 30))
    row = Movement.objects.get(kind="CONTRACTED_DISPOSAL", moved_on__year=2025)
    ledger_services.reverse(movement=row, reason="填错", by=by, now=now)
    case.refresh_from_db()
    case = services.mark_ready(case=case, version=case.version, by=by, now=now)
    return freeze(case=case, by=by, now=now)


def test_before_anything_was_handed_in_the_list_says_so(reads, officer, at):
    assert "还没有报送过" in words_of(reads(officer, f"{at}submissions/"))


def test_a_version_shows_what_was_frozen_and_not_what_the_draft_says_now(reads, officer, at, ready, now):
    submission = freeze(case=ready, by=officer, now=now)
    services.save_draft(
        case=ready, version=ready.version, changes={"title": "改过的题目"}, by=officer, now=now
    )
    said = words_of(reads(officer, f"{at}submissions/1/"))

    assert "title：粉煤灰制砖。" in said
    assert "改过的题目" not in said
    assert submission.content_sha256 in said
    assert "74.08" in said
    assert "报送以后没有再记账。" in said
    assert "建设方案.docx" in said


def test_what_changed_in_the_ledger_since_is_told_number_by_number(reads, officer, at, ready, now):
    freeze(case=ready, by=officer, now=now)
    row = Movement.objects.get(kind="CONTRACTED_DISPOSAL", moved_on__year=2025)
    ledger_services.reverse(movement=row, reason="填错", by=officer, now=now)
    said = words_of(reads(officer, f"{at}submissions/1/"))

    assert "又记了 1 条，其中冲正 1 条" in said
    assert "主要量化数据“工业固废处置量（万吨）”2025 年 0.00500（50 吨） 0.0000（0 吨）" in said


def test_a_frozen_number_leads_back_to_the_records_that_were_listed_with_it(reads, officer, at, ready, now):
    submission = freeze(case=ready, by=officer, now=now)
    numbers = submission.content["numbers"]
    index = next(i for i, n in enumerate(numbers) if n["indicator"] == "generation_t" and n["year"] == 2025)
    answer = reads(officer, f"{at}submissions/1/numbers/{index}/")
    links = {int(seq) for seq in re.findall(r"/ledger/(\d+)/", answer.content.decode())}

    assert links == set(
        Movement.objects.filter(kind="GENERATION", moved_on__year=2025).values_list("seq", flat=True)
    )
    assert "1030.008 吨" in words_of(answer)
    assert reads(officer, f"{at}submissions/1/numbers/{len(numbers)}/").status_code == 404


def test_files_are_handed_out_as_they_came_in(reads, officer, at, ready, now):
    submission = freeze(case=ready, by=officer, now=now)
    file = submission.files.get()
    with file.stored.open("rb") as stored:
        content = stored.read()
    answer = reads(officer, f"{at}submissions/1/files/{file.pk}/")

    assert b"".join(answer.streaming_content) == content
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"
    printed = reads(officer, f"{at}submissions/1/case-file/")
    assert b"".join(printed.streaming_content)[:2] == b"PK"


def test_two_versions_are_compared_place_by_place(reads, officer, at, ready, now):
    one = freeze(case=ready, by=officer, now=now)
    other = second_version(ready, officer, now)
    changes = queries.difference(earlier=one, later=other)
    answer = reads(officer, f"{at}differences/1/2/")

    assert {c.kind for c in changes} >= {
        ChangeKind.TEXT, ChangeKind.NUMBER, ChangeKind.EVIDENCE_ADDED, ChangeKind.EVIDENCE_REMOVED,
    }  # fmt: skip
    assert [c.label for c in changes if c.kind is ChangeKind.TEXT] == ["主要做法"]
    assert "和炉渣</ins>" in answer.content.decode()
    assert "新方案.docx" in words_of(answer)
    assert reads(officer, f"{at}differences/2/1/").status_code == 404
    assert queries.difference(earlier=other, later=other) == []


def test_a_list_asks_as_many_questions_for_one_version_as_for_three(reads, officer, at, ready, now):
    freeze(case=ready, by=officer, now=now)
    reads(officer, f"{at}submissions/")
    with CaptureQueriesContext(connection) as few:
        reads(officer, f"{at}submissions/")
    for _ in range(2):
        freeze(case=ready, by=officer, now=now)
    with CaptureQueriesContext(connection) as many:
        answer = reads(officer, f"{at}submissions/")
    assert "共 3 版" in words_of(answer)
    assert len(many) == len(few)


# ---- who may read ------------------------------------------------------------------------------

PAGES = ("", "form/", "evidence/", "check/", "documents/case-file.docx")


@pytest.mark.parametrize("page", PAGES)
def test_an_officer_sees_no_page_of_a_draft_handed_in_or_not(reads, authority, officer, at, ready, now, page):
    assert reads(authority, f"{at}{page}").status_code == 403
    freeze(case=ready, by=officer, now=now)
    assert reads(authority, f"{at}{page}").status_code == 403
    assert reads(officer, f"{at}{page}").status_code == 200


def test_an_officer_reads_what_was_handed_in_and_nothing_before(reads, authority, officer, at, ready, now):
    assert reads(authority, f"{at}submissions/").status_code == 404
    freeze(case=ready, by=officer, now=now)
    services.save_draft(case=ready, version=ready.version, changes={"title": "还在写的"}, by=officer, now=now)

    for address in ("submissions/", "submissions/1/", "submissions/1/numbers/0/"):
        answer = reads(authority, f"{at}{address}")
        assert answer.status_code == 200
        assert "还在写的" not in answer.content.decode()
        assert "粉煤灰制砖" in answer.content.decode() or address != "submissions/1/"


@pytest.mark.parametrize("address", ["cases", "cases/{case}", "cases/{case}/evidence"])
def test_an_officer_is_told_nothing_of_a_draft_over_the_api(client, authority, officer, ready, now, address):
    for user, expected in ((authority, 403), (officer, 200)):
        _row, token = issue_token(
            user=user, name="t", scopes=["cases:read"], expires_at=None, by=user, now=now
        )
        path = f"/api/v1/organisations/{ready.organisation.uscc}/{address.format(case=ready.pk)}"
        assert client.get(path, headers={"Authorization": f"Bearer {token}"}).status_code == expected


def test_a_supervisor_of_another_district_and_a_stranger_find_nothing(
    reads, make_user, make_organisation, officer, at, ready, now
):
    freeze(case=ready, by=officer, now=now)
    far = make_user(
        "AUTHORITY_OFFICER", make_organisation("外区局", kind="AUTHORITY", division_code="500112")
    )
    stranger = make_user("ENVIRONMENT_OFFICER", make_organisation())
    for user in (far, stranger):
        for address in ("submissions/", "submissions/1/", "submissions/1/case-file/"):
            assert reads(user, f"{at}{address}").status_code == 404


def test_a_file_of_another_version_or_case_is_not_handed_out(reads, officer, at, ready, now):
    freeze(case=ready, by=officer, now=now)
    other = second_version(ready, officer, now)
    assert reads(officer, f"{at}submissions/1/files/{other.files.get().pk}/").status_code == 404


# ---- an edition without a form ------------------------------------------------------------------


def test_the_pages_of_a_case_without_a_form_offer_no_documents(reads, works, officer, now):
    case = services.open_case(
        organisation=works, edition_id="chongqing-2026-green-factory", year=2025, by=officer, now=now
    )
    at = f"/o/{works.uscc}/cases/{case.pk}/"

    assert "申报书.docx" not in words_of(reads(officer, f"{at}check/"))
    assert reads(officer, f"{at}documents/case-file.docx").status_code == 404
    form = words_of(reads(officer, f"{at}form/"))
    assert "主要量化数据" in form
    assert "表2" not in form
    assert reads(officer, at).status_code == 200
    assert "绿色工厂" in words_of(reads(officer, f"/o/{works.uscc}/cases/"))
