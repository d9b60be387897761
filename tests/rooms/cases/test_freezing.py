"""What is handed in is frozen: complete, hashed, kept as it was whatever happens to the ledger and the draft."""

import hashlib
import io
import json
from decimal import Decimal

import docx
import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tables import LedgerTable
from wufei.cases import freezing, likeness, queries, services
from wufei.cases.models import Case, CaseState, EvidenceCategory, Submission, SubmittedEvidence
from wufei.cases.services.submitting import freeze
from wufei.indicators.services import state_operation
from wufei.ledger import services as ledger_services
from wufei.ledger.models import Head, Movement
from wufei.registry.models import AuditEntry
from wufei.registry.queries import NotPermitted

TEXTS = (
    "title",
    "brief_description",
    "plan",
    "practices",
    "results",
    "innovation",
    "conditions",
    "self_description",
)
PDF = b"%PDF-1.4\n1 0 obj <<>> endobj\nstartxref\n9\n%%EOF\n"
GREEN_FACTORY = "chongqing-2026-green-factory"
LONG = "公司以粉煤灰和脱硫石膏就近制备建材，打通电厂、石膏板厂和建筑工地之间的链条，实现就地消纳。" * 3


def written(case: Case, by, now, names=TEXTS) -> Case:
    said = {name: f"{name}：粉煤灰制砖。" for name in names}
    case = services.save_draft(case=case, version=case.version, changes=said, by=by, now=now)
    return services.mark_ready(case=case, version=case.version, by=by, now=now)


def document(text: str) -> bytes:
    out, made = io.BytesIO(), docx.Document()
    made.add_paragraph(text)
    made.save(out)
    return out.getvalue()


def attach(case: Case, by, now, *, name="建设方案.docx", content: bytes | None = None):
    return services.attach_evidence(
        case=case, category=EvidenceCategory.PLAN, file_name=name, content=content or document(LONG), by=by, now=now
    ).evidence  # fmt: skip


@pytest.fixture
def ready(case, officer, now):
    attach(case, officer, now)
    attach(case, officer, now, name="证明.pdf", content=PDF)
    case.refresh_from_db()
    return written(case, officer, now)


@pytest.fixture
def submission(ready, officer, now):
    return freeze(case=ready, by=officer, now=now)


def number(content, row: str, column: str):
    return next(n for n in content["numbers"] if n["where"]["row"] == row and n["where"]["column"] == column)


def kept(submission: Submission) -> tuple:
    """Everything that is kept of a submission, as bytes."""
    row = Submission.objects.get(pk=submission.pk)
    with row.case_file.open("rb") as file:
        printed = file.read()
    files = list(row.files.order_by("pk").values_list("sha256", "file_name", "shingles"))
    return (
        freezing.canonical(row.content), freezing.canonical(row.ledger_heads), row.content_sha256, row.name_given,
        printed, files,
    )  # fmt: skip


# ---- what is frozen ---------------------------------------------------------------------------


def test_a_submission_holds_texts_numbers_evaluation_evidence_and_chain_heads(submission, ready, works):
    content = Submission.objects.get(pk=submission.pk).content
    rate = number(content, "工业固废综合利用率（%）", "2025 年")
    head = Head.objects.get(organisation=works)

    assert (submission.number, submission.name_given, submission.edition) == (1, works.name, ready.edition)
    assert content["texts"]["practices"] == "practices：粉煤灰制砖。"
    assert content["particulars"]["uscc"] == works.uscc
    assert (rate["indicator"], rate["year"], rate["text"], rate["unit"]) == (
        "utilisation_rate_pct",
        2025,
        "74.08",
        "%",
    )
    assert Decimal(rate["value"]).quantize(Decimal("0.01")) == Decimal("74.08")
    assert content["evaluation"]["verdict"] == "not_met"
    criterion = content["evaluation"]["criteria"][0]
    assert {"id", "clause", "verdict", "explanation", "figures", "score_min"} <= set(criterion)
    assert [(e["category"], e["file_name"], e["kind"], e["size"] > 0) for e in content["evidence"]] == [
        ("建设方案", "建设方案.docx", "docx", True), ("建设方案", "证明.pdf", "pdf", True),
    ]  # fmt: skip
    assert submission.ledger_heads == [[works.uscc, head.seq, head.chain_hash]]
    assert content["headline"]["generation_t"] == {
        "2022": "1000.005",
        "2023": "1010.006",
        "2024": "1020.007",
        "2025": "1030.008",
    }
    assert AuditEntry.objects.filter(action="cases.freeze", object_ref=f"case:{ready.pk}").count() == 1


def test_every_figure_of_the_evaluation_says_whose_it_is(submission, works):
    def figures(node):
        yield from node["figures"]
        for child in node["children"]:
            yield from figures(child)

    found = [f for row in submission.content["evaluation"]["criteria"] for f in figures(row)]
    assert len(found) > 5
    assert {f["organisation"] for f in found} == {works.uscc}


def test_every_leaf_lists_the_movements_that_add_up_to_it(submission):
    """The control: one seq less, and the sum is another."""
    rows = {m.seq: m for m in Movement.objects.all()}
    seen = 0
    for each in submission.content["numbers"]:
        for leaf, seqs in freezing.leaves(each["basis"]):
            assert sum(rows[seq].sign * rows[seq].mass_g for seq in seqs) == leaf.mass_g
            assert not seqs or sum(rows[seq].mass_g for seq in seqs[1:]) != leaf.mass_g
            seen += len(seqs)
    assert seen > 50


def test_the_hash_is_over_canonical_json_and_anybody_can_compute_it_again(submission):
    row = Submission.objects.get(pk=submission.pk)
    said = {"content": row.content, "ledger_heads": row.ledger_heads}
    plain = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()

    assert row.content_sha256 == hashlib.sha256(plain).hexdigest()
    assert "." not in {type(v).__name__ for v in _leaves_of(row.content)}
    assert not any(isinstance(v, float) for v in _leaves_of(row.content))


def _leaves_of(said):
    if isinstance(said, dict):
        for value in said.values():
            yield from _leaves_of(value)
    elif isinstance(said, list):
        for value in said:
            yield from _leaves_of(value)
    else:
        yield said


def test_the_same_content_has_the_same_hash_and_another_has_another(ready, officer, now):
    one = freeze(case=ready, by=officer, now=now)
    same = freeze(case=ready, by=officer, now=now)
    changed = services.save_draft(
        case=ready, version=ready.version, changes={"title": "另一个题目"}, by=officer, now=now
    )
    changed = services.mark_ready(case=changed, version=changed.version, by=officer, now=now)
    other = freeze(case=changed, by=officer, now=now)

    assert [one.number, same.number, other.number] == [1, 2, 3]
    assert one.content_sha256 == same.content_sha256 != other.content_sha256
    assert one.case_file.name == same.case_file.name != other.case_file.name


def test_the_form_is_kept_as_printed_under_its_own_hash(submission, ready, officer, now):
    with submission.case_file.open("rb") as file:
        content = file.read()

    assert hashlib.sha256(content).hexdigest() == submission.case_file_sha256
    assert submission.case_file_sha256 in submission.case_file.name
    assert content == services.produce(case=ready, by=officer, now=now).files["申报书.docx"]


def test_files_bear_the_numbers_of_their_text_and_pdf_none(submission):
    word, paper = submission.files.order_by("pk")

    assert word.shingles == likeness.sketch(LONG)
    assert 0 < len(word.shingles) <= likeness.NUMBERS
    assert paper.shingles == []
    with word.stored.open("rb") as file:
        assert hashlib.sha256(file.read()).hexdigest() == word.sha256


def test_a_park_names_the_chain_of_every_member_behind_its_numbers(park_case, works, now):
    by = park_case.created_by
    submission = freeze(case=written(park_case, by, now), by=by, now=now)

    heads = Head.objects.order_by("organisation__uscc").values_list("organisation__uscc", "seq", "chain_hash")
    assert submission.ledger_heads == [list(head) for head in heads]
    assert len(submission.ledger_heads) == 2
    assert submission.content["headline"]["generation_t"]["2025"] == "3060.016"


# ---- refusals ---------------------------------------------------------------------------------


def test_a_draft_that_is_not_complete_is_not_frozen(case, officer, now):
    with pytest.raises(services.NotReady) as refused:
        freeze(case=case, by=officer, now=now)

    assert {s.code for s in refused.value.shortcomings} == {"section_empty"}
    assert not Submission.objects.exists()


def test_a_complete_draft_must_be_marked_ready_first(ready, officer, now):
    changed = services.save_draft(
        case=ready, version=ready.version, changes={"title": "改"}, by=officer, now=now
    )
    with pytest.raises(services.NotReady) as refused:
        freeze(case=changed, by=officer, now=now)

    assert [s.code for s in refused.value.shortcomings] == ["not_marked_ready"]


def test_nobody_else_hands_it_in(ready, make_user, make_organisation, now):
    stranger = make_user("ENVIRONMENT_OFFICER", make_organisation())
    with pytest.raises(NotPermitted):
        freeze(case=ready, by=stranger, now=now)


def test_a_ledger_that_goes_on_changing_is_not_frozen_half(ready, officer, ledger, now, monkeypatch):
    ends = iter(range(100))
    monkeypatch.setattr(queries, "_heads_around", lambda _organisation: {"x": (next(ends), "")})
    with pytest.raises(services.LedgerChanging):
        freeze(case=ready, by=officer, now=now)

    assert not Submission.objects.exists()
    assert not SubmittedEvidence.objects.exists()


# ---- an edition without a form ----------------------------------------------------------------


def test_a_green_factory_is_handed_in_without_a_printed_form(works, officer, now):
    case = services.open_case(organisation=works, edition_id=GREEN_FACTORY, year=2025, by=officer, now=now)
    case = written(case, officer, now, ("title", "brief_description", "self_description"))
    submission = freeze(case=case, by=officer, now=now)

    assert (submission.case_file.name, submission.case_file_sha256) == ("", "")
    assert {n["document"] for n in submission.content["numbers"]} == {freezing.NO_FORM}
    assert number(submission.content, "工业固废综合利用率（%）", "2025 年")["text"] == "74.08"
    assert len(submission.content["evaluation"]["criteria"]) > 10
    with pytest.raises(queries.NoCaseFile, match="edition_has_no_case_file"):
        services.produce(case=case, by=officer, now=now)


def test_an_edition_without_a_form_is_opened_but_stands_not_among_those_with_one(works):
    with_form = {e.id for e in queries.editions_for(organisation=works)}
    to_open = {e.id for e in queries.editions_to_open(organisation=works)}

    assert GREEN_FACTORY in to_open - with_form
    assert "miit-2025-539-enterprise" in with_form & to_open
    assert "gbt-36132-2025-green-factory" not in to_open  # it has neither a form nor stages


# ---- frozen for good --------------------------------------------------------------------------


@pytest.mark.parametrize("write", ["update", "delete"])
@pytest.mark.parametrize("model", [Submission, SubmittedEvidence])
def test_the_database_itself_refuses_to_change_what_was_handed_in(submission, model, write):
    said = {"name_given": "别名"} if model is Submission else {"sha256": "0" * 64}
    rows = model.objects.all()
    change = (lambda: rows.update(**said)) if write == "update" else (lambda: rows._raw_delete("default"))
    with pytest.raises(IntegrityError, match="append_only"), transaction.atomic():
        change()


ACTIONS = ("post", "reverse", "state", "write", "attach", "remove", "rename", "freeze")


@settings(
    max_examples=15, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(steps=st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(1, 12)), min_size=1, max_size=6))
def test_whatever_is_posted_and_edited_later_a_submission_stays_what_it_was(
    submission, ready, officer, now, steps
):
    before = kept(submission)
    with transaction.atomic():
        for action, at in steps:
            case = Case.objects.select_related("organisation").get(pk=ready.pk)
            _go_on(action, at, case, officer, now)
            assert kept(submission) == before
        transaction.set_rollback(True)
    assert kept(submission) == before


def _go_on(action: str, at: int, case: Case, by, now) -> None:
    works = case.organisation
    if action == "post":
        LedgerTable(organisation=works, by=by, now=now).post(f"2025-{at:02d}-15 F1 产生 {at} 吨 库1 -")
    elif action == "reverse":
        rows = (
            Movement.objects.effective()
            .filter(organisation=works, kind="CONTRACTED_UTILISATION")
            .order_by("seq")
        )
        for row in rows[:1]:
            ledger_services.reverse(movement=row, reason="重复", by=by, now=now)
    elif action == "state":
        state_operation(
            organisation=works, year=2025, output_value_10k_yuan=Decimal(at), sales_10k_yuan=None,
            value_added_10k_yuan=None, source="改", by=by, now=now,
        )  # fmt: skip
    elif action == "write":
        services.save_draft(case=case, version=case.version, changes={"title": f"题目{at}"}, by=by, now=now)
    elif action == "attach":
        attach(case, by, now, name=f"{at}.docx", content=document(f"{at}{LONG}"))
    elif action == "remove":
        for row in queries.evidence_of(case=case)[:1]:
            services.remove_evidence(evidence=row, by=by, now=now)
    elif action == "rename":
        works.name = f"新名{at}"
        works.save(update_fields=["name"])
    elif case.state == CaseState.READY:
        freeze(case=case, by=by, now=now)


# ---- how many questions -----------------------------------------------------------------------


def questions(case, by, now) -> int:
    with CaptureQueriesContext(
        connection,
    ) as asked:
        freeze(case=case, by=by, now=now)
    return len(asked)


def test_freezing_asks_as_many_questions_for_one_file_as_for_five(ready, officer, now):
    freeze(case=ready, by=officer, now=now)  # what is kept in memory is warm now
    few = questions(ready, officer, now)
    for at in range(3):
        attach(ready, officer, now, name=f"{at}.docx", content=document(f"{at}{LONG}"))
    ready.refresh_from_db()
    again = services.mark_ready(case=ready, version=ready.version, by=officer, now=now)
    assert questions(again, officer, now) == few


# ---- what changed since -----------------------------------------------------------------------


def test_nothing_changed_where_nothing_was_posted(submission):
    since = queries.changed_since(submission=submission)
    assert (since.ledgers, since.numbers, since.is_known) == ((), (), True)


def test_what_was_posted_since_and_how_the_numbers_would_read_is_told(submission, ledger, works):
    end = submission.ledger_heads[0][1]
    ledger.post("2025-12-01 F1 产生 100 吨 库1 -")
    row = Movement.objects.get(organisation=works, kind="CONTRACTED_DISPOSAL", moved_on__year=2025)
    ledger_services.reverse(movement=row, reason="填错", by=ledger.by, now=ledger.now)
    since = queries.changed_since(submission=submission)

    [posted] = since.ledgers
    assert (posted.uscc, posted.seq, posted.until_seq, posted.count, posted.reversals) == (
        works.uscc,
        end,
        end + 2,
        2,
        1,
    )
    told = {each.label: (each.claimed, each.now) for each in since.numbers}
    assert told["主要量化数据“工业固废产生量（万吨）”2025 年"] == (
        "0.1030（1030.008 吨）",
        "0.1130（1130.008 吨）",
    )
    assert told["主要量化数据“工业固废处置量（万吨）”2025 年"] == ("0.00500（50 吨）", "0.0000（0 吨）")
    assert not any("2024" in label for label in told)
