from datetime import date

import pytest

from tests.pure.paper.test_attachments import pdf, png
from tests.rooms.cases.conftest import ENTERPRISE_EDITION, PARK_EDITION
from wufei.cases import queries, refusals, services
from wufei.cases.models import Case, CaseState, Evidence, EvidenceCategory
from wufei.paper.attachments import EvidenceRefused
from wufei.registry.models import AuditEntry
from wufei.registry.queries import NotPermitted

COMPLETE = dict.fromkeys(("title", "brief_description", "plan", "practices", "results", "innovation", "conditions", "self_description"), "文字")  # fmt: skip


def audited(case):
    rows = AuditEntry.objects.filter(object_ref=f"case:{case.pk}").order_by("pk")
    return list(rows.values_list("action", flat=True))


def test_a_case_is_opened_once(case, works, officer, now):
    again = services.open_case(
        organisation=works, edition_id=ENTERPRISE_EDITION, year=2025, by=officer, now=now
    )

    assert again == case
    assert audited(case) == ["cases.open"]


@pytest.mark.parametrize(
    ("edition", "code"), [(PARK_EDITION, "subject_kind_differs"), ("no-such-edition", "edition_unknown")]
)
def test_a_case_is_opened_only_under_an_edition_for_its_kind(works, officer, now, edition, code):
    with pytest.raises(queries.NoCaseFile) as refused:
        services.open_case(organisation=works, edition_id=edition, year=2025, by=officer, now=now)

    assert refused.value.code == code
    assert refusals.sentence(code)
    assert not Case.objects.exists()


def test_a_case_of_a_year_to_come_is_refused(works, officer, now):
    with pytest.raises(services.DraftRefused, match="year_absurd"):
        services.open_case(organisation=works, edition_id=ENTERPRISE_EDITION, year=2027, by=officer, now=now)


def test_what_was_written_is_kept_and_audited(case, officer, now):
    changes = {
        "title": "耦合消纳\r\n模式",
        "filler_name": " 王 五 ",
        "above_scale_count": "7",
        "filed_on": "2026-03-20",
    }
    saved = services.save_draft(case=case, version=1, changes=changes, by=officer, now=now)
    case.refresh_from_db()

    assert (case.title, case.filler_name, case.above_scale_count, case.filed_on, case.version) == (
        "耦合消纳\n模式", "王 五", 7, date(2026, 3, 20), 2,
    )  # fmt: skip
    assert saved.version == 2
    assert audited(case) == ["cases.open", "cases.save"]


def test_a_stale_edit_is_refused_and_overwrites_nothing(case, officer, now):
    services.save_draft(case=case, version=1, changes={"title": "先到"}, by=officer, now=now)
    with pytest.raises(services.StaleEdit) as stale:
        services.save_draft(case=case, version=1, changes={"title": "后到"}, by=officer, now=now)
    case.refresh_from_db()

    assert (stale.value.seen, stale.value.actual, case.title) == (1, 2, "先到")


def test_saving_the_same_again_writes_nothing(case, officer, now):
    services.save_draft(case=case, version=1, changes={"title": "题目"}, by=officer, now=now)
    again = services.save_draft(case=case, version=2, changes={"title": "题目"}, by=officer, now=now)

    assert again.version == 2
    assert audited(case) == ["cases.open", "cases.save"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"organisation_id": "1"}, "field_unknown"),
        ({"state": "READY"}, "field_unknown"),
        ({"version": "9"}, "field_unknown"),
        ({"plan": "字" * 200_001}, "text_too_long"),
        ({"filler_name": "字" * 61}, "text_too_long"),
        ({"above_scale_count": "三"}, "number_not_whole"),
        ({"filed_on": "2026-02-30"}, "date_impossible"),
    ],
)
def test_what_cannot_be_saved_is_refused_with_its_code(case, officer, now, changes, code):
    with pytest.raises(services.DraftRefused) as refused:
        services.save_draft(case=case, version=1, changes=changes, by=officer, now=now)
    case.refresh_from_db()

    assert refused.value.code == code
    assert refusals.sentence(code)
    assert (case.version, case.state) == (1, CaseState.DRAFT)


def test_a_draft_is_its_organisations_own(case, works, make_organisation, make_user, now):
    other = make_organisation("别的企业")
    strangers = [
        make_user("ENVIRONMENT_OFFICER", other),
        make_user("AUTHORITY_OFFICER", make_organisation("区经信委", kind="AUTHORITY")),
        make_user("WORKER", works),
        make_user(),
    ]
    for stranger in strangers:
        assert not queries.visible_cases(user=stranger, on=now.date()).exists()
        with pytest.raises(NotPermitted):
            services.save_draft(case=case, version=1, changes={"title": "偷改"}, by=stranger, now=now)
        with pytest.raises(NotPermitted):
            services.produce(case=case, by=stranger, now=now)
        with pytest.raises(NotPermitted):
            services.attach_evidence(
                case=case,
                category=EvidenceCategory.PLAN,
                file_name="a.pdf",
                content=pdf(),
                by=stranger,
                now=now,
            )
    assert list(queries.visible_cases(user=case.created_by, on=now.date())) == [case]


def test_a_draft_is_ready_when_every_section_is_written_within_its_limit(case, officer, now):
    with pytest.raises(services.NotReady) as refused:
        services.mark_ready(case=case, version=1, by=officer, now=now)
    assert {s.code for s in refused.value.shortcomings} == {"section_empty"}
    assert len(refused.value.shortcomings) == len(COMPLETE)

    too_long = COMPLETE | {
        "brief_description": "字" * 201,
        "plan": "字" * 8000,
        "self_description": "字" * 1001,
    }
    services.save_draft(case=case, version=1, changes=too_long, by=officer, now=now)
    with pytest.raises(services.NotReady) as refused:
        services.mark_ready(case=case, version=2, by=officer, now=now)
    assert {(s.field, s.detail) for s in refused.value.shortcomings} == {
        ("body", "8010 / 8000 字"), ("self_description", "1001 / 1000 字"), ("brief_description", "201 / 200 字"),
    }  # fmt: skip

    services.save_draft(case=case, version=2, changes=COMPLETE, by=officer, now=now)
    ready = services.mark_ready(case=case, version=3, by=officer, now=now)
    assert ready.state == CaseState.READY

    changed = services.save_draft(case=case, version=4, changes={"title": "改了"}, by=officer, now=now)
    assert changed.state == CaseState.DRAFT


def test_evidence_is_kept_by_its_content(case, officer, now, files):
    attached = services.attach_evidence(
        case=case,
        category=EvidenceCategory.PLAN,
        file_name="../建设方案.PDF",
        content=pdf(),
        by=officer,
        now=now,
    )
    row = attached.evidence

    assert not attached.is_duplicate
    assert (row.file_name, row.kind, row.media_type, row.size) == (
        "建设方案.PDF",
        "pdf",
        "application/pdf",
        len(pdf()),
    )
    assert row.stored.read() == pdf()
    row.stored.close()
    assert (files / row.stored.name).is_file()
    assert row.sha256 in row.stored.name
    assert audited(case) == ["cases.open", "cases.attach"]


def test_the_same_content_is_kept_once_and_said_so(case, officer, now):
    said = {"case": case, "category": EvidenceCategory.PROOF, "content": pdf(), "by": officer, "now": now}
    first = services.attach_evidence(file_name="a.pdf", **said)
    second = services.attach_evidence(file_name="b.pdf", **said)

    assert (second.is_duplicate, second.evidence) == (True, first.evidence)
    assert Evidence.objects.count() == 1


def test_removed_evidence_no_longer_counts_and_can_come_back(case, officer, now):
    said = {
        "case": case,
        "category": EvidenceCategory.PICTURE,
        "file_name": "图.png",
        "content": png(),
        "by": officer,
    }
    row = services.attach_evidence(now=now, **said).evidence
    services.remove_evidence(evidence=row, by=officer, now=now)
    assert not queries.evidence_of(case=case).exists()
    with pytest.raises(EvidenceRefused, match="evidence_removed"):
        services.remove_evidence(evidence=row, by=officer, now=now)

    again = services.attach_evidence(now=now, **said)
    assert list(queries.evidence_of(case=case)) == [again.evidence]


def test_evidence_of_a_case_has_an_upper_bound(case, officer, now, monkeypatch):
    monkeypatch.setattr(services, "MAX_CASE_BYTES", len(pdf()) + len(png()) - 1)
    said = {"case": case, "category": EvidenceCategory.OTHER, "by": officer, "now": now}
    services.attach_evidence(file_name="a.pdf", content=pdf(), **said)
    with pytest.raises(EvidenceRefused, match="case_too_large"):
        services.attach_evidence(file_name="b.png", content=png(), **said)


def test_limits_are_those_of_the_edition(case):
    spec = queries.dossier(case=case).spec

    assert (spec.body_limit, spec.self_description_limit, spec.brief_description_limit) == (8000, 1000, 200)
    assert (spec.production_years, spec.waste_years) == ((2022, 2023, 2024), (2022, 2023, 2024, 2025))
    assert set(queries.limits(texts=queries.texts_of(case), spec=spec)) == {
        "body",
        "self_description",
        "brief_description",
    }
