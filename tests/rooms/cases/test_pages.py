"""The pages of cases: writing, counting, conflicts, evidence, what is open, and the documents."""

import hashlib
import io
import json
import re
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.conftest import NOW
from wufei.cases import services
from wufei.cases.models import Case, Evidence

BACKEND = "django.contrib.auth.backends.ModelBackend"
EDITION = "miit-2025-539-enterprise"
PDF = b"%PDF-1.4\n1 0 obj <<>> endobj\nstartxref\n9\n%%EOF\n"


@pytest.fixture(autouse=True)
def today(monkeypatch, settings):
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


@pytest.fixture
def as_officer(client, officer):
    client.force_login(officer, backend=BACKEND)
    return client


@pytest.fixture
def at(case):
    return f"/o/{case.organisation.uscc}/cases/{case.pk}/"


def words_of(response) -> str:
    html = re.sub(r"<(script|style|svg)\b.*?</\1>", "", response.content.decode(), flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def autosaved(client, at, field: str, text: str, *, upon: str = "", **said):
    """Send what the editor sends: the text, and by what it knows the text that it showed."""
    said[f"base-{field}"] = digest(upon)
    return client.post(f"{at}save/", {"field": field, field: text, **said}, headers={"HX-Request": "true"})


def test_a_case_is_opened_once_for_an_edition_and_a_year(as_officer, works):
    said = {"edition": EDITION, "year": 2025}
    first = as_officer.post(f"/o/{works.uscc}/cases/", said)
    again = as_officer.post(f"/o/{works.uscc}/cases/", said)

    assert first.url == again.url
    assert Case.objects.count() == 1
    assert "还没有题目" in words_of(as_officer.get(f"/o/{works.uscc}/cases/"))
    assert (
        as_officer.post(f"/o/{works.uscc}/cases/", said | {"edition": "miit-2025-539-park"}).status_code
        == 422
    )


def test_a_text_saves_itself_and_the_page_knows_what_it_is_upon(as_officer, at, case):
    answer = autosaved(as_officer, at, "plan", "目标\r\n任务")

    assert answer.status_code == 200
    assert "已保存" in words_of(answer)
    assert (
        f'id="base-plan" value="{digest("目标" + chr(10) + "任务")}" hx-swap-oob' in answer.content.decode()
    )
    case.refresh_from_db()
    assert (case.plan, case.version) == ("目标\n任务", 2)
    assert autosaved(as_officer, at, "plan", "目标", upon="目标\n任务").status_code == 200
    assert f'id="base-plan" value="{digest("目标")}"' in as_officer.get(at).content.decode()


def test_a_stale_edit_shows_both_texts_and_loses_none(as_officer, at, case, officer):
    services.save_draft(case=case, version=1, changes={"plan": "别人的文字"}, by=officer, now=NOW)

    conflict = autosaved(as_officer, at, "plan", "我的文字")

    assert conflict.status_code == 409
    assert "我的文字" in words_of(conflict)
    assert "别人的文字" in words_of(conflict)
    case.refresh_from_db()
    assert case.plan == "别人的文字"
    [seen] = re.findall(r'"seen": "(\w+)"', conflict.content.decode())
    assert autosaved(as_officer, at, "plan", "我的文字", seen=seen).status_code == 200
    case.refresh_from_db()
    assert (case.plan, case.version) == ("我的文字", 3)


def test_two_people_in_different_texts_do_not_disturb_each_other_nor_overwrite_what_they_have_not_seen(
    as_officer, at, case, officer
):
    services.save_draft(case=case, version=1, changes={"plan": "别人的文字"}, by=officer, now=NOW)

    assert autosaved(as_officer, at, "results", "我的成效").status_code == 200
    assert autosaved(as_officer, at, "plan", "我的方案").status_code == 409

    case.refresh_from_db()
    assert (case.plan, case.results) == ("别人的文字", "我的成效")


def test_who_takes_the_other_text_gets_it_and_nothing_is_written(as_officer, at, case, officer):
    services.save_draft(case=case, version=1, changes={"plan": "别人的文字"}, by=officer, now=NOW)

    answer = autosaved(as_officer, at, "plan", "我的文字", adopt=1)

    assert "别人的文字</textarea>" in answer.content.decode()
    assert f'value="{digest("别人的文字")}" hx-swap-oob' in answer.content.decode()
    case.refresh_from_db()
    assert case.version == 2


def test_a_conflict_that_was_resolved_on_an_old_view_is_a_conflict_again(as_officer, at, case, officer):
    services.save_draft(case=case, version=1, changes={"plan": "一"}, by=officer, now=NOW)
    services.save_draft(case=case, version=2, changes={"plan": "二"}, by=officer, now=NOW)

    assert autosaved(as_officer, at, "plan", "我的", seen=digest("一")).status_code == 409
    assert autosaved(as_officer, at, "plan", "我的", seen=digest("二")).status_code == 200


def test_a_change_between_reading_and_writing_is_looked_at_again(as_officer, at, case, officer, monkeypatch):
    real, raced = services.save_draft, []

    def raced_once(**said):
        if not raced:
            raced.append(True)
            real(case=case, version=1, changes={"plan": "抢先的文字"}, by=officer, now=NOW)
        return real(**said)

    monkeypatch.setattr("wufei.cases.services.save_draft", raced_once)

    assert autosaved(as_officer, at, "plan", "我的文字").status_code == 409
    case.refresh_from_db()
    assert case.plan == "抢先的文字"


def test_without_scripts_everything_is_saved_at_once_and_a_conflict_keeps_the_words(
    as_officer, at, case, officer
):
    empty = {f"base-{name}": digest("") for name in ("plan", "contact", "results")}
    assert as_officer.post(at, {**empty, "plan": "计划", "contact": "张三", "results": ""}).status_code == 302
    conflict = as_officer.post(at, {**empty, "plan": "另一个计划", "contact": "", "results": "成效"})

    assert conflict.status_code == 409
    assert "另一个计划</textarea>" in conflict.content.decode()
    assert "成效</textarea>" in conflict.content.decode()
    assert 'value="张三"' in conflict.content.decode()
    assert conflict.content.decode().count('class="conflict"') == 1
    case.refresh_from_db()
    assert (case.plan, case.contact, case.results) == ("计划", "张三", "")


def test_what_can_not_be_is_refused_with_words(as_officer, at):
    refused = autosaved(as_officer, at, "filed_on", "2026-02-30")

    assert refused.status_code == 422
    assert "日期不对" in words_of(refused)
    assert autosaved(as_officer, at, "state", "READY").status_code == 404
    assert autosaved(as_officer, at, "above_scale_count", "3").status_code == 404


def test_words_are_counted_as_the_form_counts_them(as_officer, at, case):
    said = {"plan": "综合利用率达到 94.10%，按 GB 18597 执行。", "self_description": "字" * 1001}

    counted = as_officer.post(f"{at}count/", said)

    words = words_of(counted)
    assert "15 字（25）" in words
    assert "1,001 / 1,000 字" in words
    assert "超 1 字" in words
    assert re.search(r'id="count-self_description" class="count over"', counted.content.decode())
    case.refresh_from_db()
    assert (case.plan, case.version) == ("", 1)
    assert "/ 8,000 字" in words_of(as_officer.get(at))
    assert "/ 200 字" in words_of(as_officer.get(at))


def test_the_tables_stand_as_they_will_be_printed_and_lead_to_their_figures(as_officer, at, works):
    shown = as_officer.get(f"{at}form/")

    assert "表2" in words_of(shown)
    assert "2022 年" in words_of(shown)
    html = shown.content.decode()
    assert re.search(rf'<a href="/o/{works.uscc}/figures/generation_t/2025/"[^>]*>0\.1030', html)


def test_the_table_of_a_park_has_its_largest_generators(client, park_case):
    client.force_login(park_case.created_by, backend=BACKEND)
    shown = client.get(f"/o/{park_case.organisation.uscc}/cases/{park_case.pk}/form/")

    assert "表1" in words_of(shown)
    assert "主要企业情况（2025 年）" in words_of(shown)
    assert "綦江水泥厂" in words_of(shown)


def test_the_check_page_names_each_blank_once(as_officer, at):
    words = words_of(as_officer.get(f"{at}check/"))

    assert "网址：未填（表2）。请在“单位信息”填写。" in words
    assert "填表人：未填（表2）。请在“案例草稿”填写。" in words
    assert "附件：未填（随附材料）。" in words
    assert "“主要做法”还没有写。" in words  # among the texts, and so not again below
    assert "（一）主要做法：未填" not in words


def test_the_page_of_the_form_shows_every_particular(as_officer, at, case):
    organisation = case.organisation
    organisation.website, organisation.fax = "www.example.cn", "023-48600002"
    organisation.save()

    words = words_of(as_officer.get(f"{at}form/"))
    assert "网址 www.example.cn" in words
    assert "传真 023-48600002" in words


def test_evidence_is_kept_with_type_size_and_hash_and_taken_off_again(as_officer, at, case):
    said = {"category": "PLAN", "file": SimpleUploadedFile("建设方案.pdf", PDF)}
    assert as_officer.post(f"{at}evidence/", said).status_code == 302

    row = Evidence.objects.get()
    words = words_of(as_officer.get(f"{at}evidence/"))
    assert "建设方案.pdf" in words
    assert row.sha256 in words
    assert f"{len(PDF)} B" in words
    handed = as_officer.get(f"{at}evidence/{row.pk}/")
    assert b"".join(handed.streaming_content) == PDF
    assert handed["Content-Disposition"].startswith("attachment")
    assert as_officer.post(f"{at}evidence/{row.pk}/remove/").status_code == 302
    assert as_officer.get(f"{at}evidence/{row.pk}/").status_code == 404


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [("a.pdf", b"", "文件是空的"), ("a.exe", b"MZ", "只接受"), ("a.png", PDF, "文件内容与扩展名不符")],
)
def test_evidence_that_can_not_be_kept_is_refused_in_words(as_officer, at, name, content, words):
    refused = as_officer.post(
        f"{at}evidence/", {"category": "PLAN", "file": SimpleUploadedFile(name, content)}
    )

    assert refused.status_code == 422
    assert words in words_of(refused)
    assert not Evidence.objects.exists()


def test_what_is_open_is_listed_and_stops_no_download(as_officer, at, works):
    shown = as_officer.get(f"{at}check/")
    assert "“主要做法”还没有写。" in words_of(shown)
    assert shown.context["requirements"]

    files = {name: as_officer.get(f"{at}documents/{name}") for name in
             ("case-file.docx", "summary.xlsx", "provenance.json", "note.txt")}  # fmt: skip

    assert {response.status_code for response in files.values()} == {200}
    assert "word/document.xml" in zipfile.ZipFile(io.BytesIO(files["case-file.docx"].content)).namelist()
    assert json.loads(files["provenance.json"].content)["movements"]
    assert "filename*=UTF-8''%E7%94%B3%E6%8A%A5%E4%B9%A6" in files["case-file.docx"]["Content-Disposition"]
    assert as_officer.get(f"{at}documents/other.docx").status_code == 404


def test_a_case_is_ready_when_everything_is_written(as_officer, at, case):
    assert as_officer.post(f"{at}ready/", {"version": 1}).status_code == 302
    case.refresh_from_db()
    assert case.state == "DRAFT"
    texts = ("title", "brief_description", "plan", "practices", "results", "innovation", "conditions",
             "self_description")  # fmt: skip
    as_officer.post(at, dict.fromkeys(texts, "字") | {f"base-{name}": digest("") for name in texts})
    assert "标为待报送" in words_of(as_officer.get(f"{at}check/"))

    as_officer.post(f"{at}ready/", {"version": 2})

    case.refresh_from_db()
    assert case.state == "READY"


def test_a_case_is_its_organisations_own(client, at, case, make_user, make_organisation, works):
    paths = ["", "form/", "evidence/", "check/", "documents/case-file.docx"]
    other = make_organisation()
    client.force_login(make_user("ENVIRONMENT_OFFICER", other), backend=BACKEND)
    assert {client.get(f"{at}{path}").status_code for path in paths} == {404}
    assert client.get(f"/o/{other.uscc}/cases/{case.pk}/").status_code == 404
    assert (
        client.post(f"/o/{other.uscc}/cases/{case.pk}/save/", {"field": "plan", "plan": "x"}).status_code
        == 404
    )

    authority = make_organisation("綦江区经信委", kind="AUTHORITY")
    client.force_login(make_user("AUTHORITY_OFFICER", authority), backend=BACKEND)
    assert {client.get(f"{at}{path}").status_code for path in paths} == {403}
    client.force_login(make_user("WORKER", works), backend=BACKEND)
    assert client.get(at).status_code == 403


def test_the_number_of_queries_does_not_grow_with_the_rows(as_officer, at, case, ledger):
    def asked(path: str) -> int:
        as_officer.get(path)
        with CaptureQueriesContext(connection) as captured:
            as_officer.get(path)
        return len(captured)

    paths = [at, f"{at}form/", f"{at}evidence/", f"{at}check/", f"/o/{case.organisation.uscc}/cases/"]
    before = [asked(path) for path in paths]
    ledger.streams("F2", "F3")
    ledger.post(
        *(f"2025-10-{day:02} {stream} 产生 1 吨 库1 -" for day in range(1, 21) for stream in ("F2", "F3"))
    )
    for number in range(5):
        services.attach_evidence(
            case=case, category="PLAN", file_name=f"{number}.pdf", by=case.created_by, now=NOW,
            content=PDF.replace(b"<<>>", f"<</N {number}>>".encode()),
        )  # fmt: skip
    for year in (2023, 2024):
        services.open_case(
            organisation=case.organisation, edition_id=EDITION, year=year, by=case.created_by, now=NOW
        )

    assert [asked(path) for path in paths] == before
