"""R7: a number is the same in the form, the documents, provenance and recomputed from the movements."""

import hashlib
import json
from collections import Counter
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

import pytest
from click.testing import CliRunner
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.office import opened
from tests.pure.cases.reading import docx_tables, row_of, xlsx_rows
from tests.rooms.cases.conftest import ENTERPRISE_EDITION, PARK_EDITION, YEARS
from wufei.cases import queries, services
from wufei.cases.cli import case as case_command
from wufei.cases.models import EvidenceCategory
from wufei.ledger import services as ledger_services
from wufei.ledger.models import Movement
from wufei.registry.models import AuditEntry, ParkMembership


@pytest.fixture
def produced(case, officer, now):
    return services.produce(case=case, by=officer, now=now)


@pytest.fixture
def park_produced(park_case, now):
    return services.produce(case=park_case, by=park_case.created_by, now=now)


def provenance(produced):
    return json.loads(produced.files["provenance.json"])


def leaves(basis):
    """Yield the leaves of a basis, as JSON."""
    for part in basis.get("basis", ()):
        if part["type"] == "figure":
            yield from leaves(part)
        else:
            yield part


def test_the_enterprise_table_is_filled_from_the_ledger(produced):
    content = produced.files["申报书.docx"]

    assert row_of(content, "工业固废产生量（万吨）") == ["0.1000", "0.1010", "0.1020", "0.1030"]
    assert row_of(content, "其中，废物F1") == ["0.1000", "0.1010", "0.1020", "0.1030"]
    assert row_of(content, "废物H1") == ["0.000000500", "0.000000600", "0.000000700", "0.000000800"]
    assert row_of(content, "工业固废综合利用量（万吨）") == ["0.0700", "0.0721", "0.0742", "0.0763"]
    assert row_of(content, "其中，制砖") == ["0.0400", "0.0401", "0.0402", "0.0403"]
    assert row_of(content, "生产水泥") == ["0.0300", "0.0320", "0.0340", "0.0360"]
    assert row_of(content, "工业固废综合利用率（%）") == ["70.00", "71.39", "72.74", "74.08"]
    assert row_of(content, "产值（万元）") == ["3022", "3023", "3024"]
    assert row_of(content, "其中，水泥") == ["80 万吨"] * 3


def test_the_park_table_is_filled_from_its_members(park_produced):
    content = park_produced.files["申报书.docx"]

    assert row_of(content, "园区内工业固废产生量（万吨）") == ["0.3000", "0.3020", "0.3040", "0.3060"]
    # Own use of both, and what the works gave to its neighbour; not what went outside.
    assert row_of(content, "园区内工业固废利用量（万吨）") == ["0.1000", "0.1041", "0.1082", "0.1123"]
    assert row_of(content, "其中，废物F1") == ["0.1000", "0.1041", "0.1082", "0.1123"]
    assert row_of(content, "园区总产值（万元）") == ["8044", "8046", "8048"]
    assert row_of(content, "其中，301 水泥、石灰和石膏制造*（万元）") == ["8044", "8046", "8048"]
    assert row_of(content, "綦江水泥厂")[2:] == ["5025", "0.2030", "0.0763", "37.59"]
    names = [row[0] for table in docx_tables(content) for row in table]
    assert names.index("綦江水泥厂") < names.index("测试企业1")
    assert [r for t in docx_tables(content) for r in t if r[0] == "企业数量"] == [
        ["企业数量", "2", "规上企业数量", ""]
    ]


@pytest.mark.parametrize("which", ["produced", "park_produced"])
def test_every_number_is_listed_and_stands_in_the_document_as_listed(which, request):
    produced = request.getfixturevalue(which)
    listed = provenance(produced)
    content = produced.files["申报书.docx"]
    cells = [text for table in docx_tables(content) for row in table for text in row]

    assert len(listed["numbers"]) == produced.number_count > 40
    for number in listed["numbers"]:
        assert any(number["text"] in cell for cell in cells), number
    for name, document in listed["documents"].items():
        assert hashlib.sha256(produced.files[name]).hexdigest() == document["sha256"]
    assert set(listed["documents"]) == {"申报书.docx", "汇总表.xlsx"}


@pytest.mark.parametrize("which", ["produced", "park_produced"])
def test_every_leaf_lists_the_movements_that_add_up_to_it(which, request):
    """The control: without one movement, its leaves no longer add up (planted by hand in `MovementIndex`)."""
    listed = provenance(request.getfixturevalue(which))
    seen = 0
    for number in listed["numbers"]:
        for leaf in leaves(number["basis"]):
            if leaf["type"] != "movements":
                continue
            rows = (
                [listed["movements"][leaf["organisation"]][str(seq)] for seq in leaf["movements"]]
                if leaf["movements"]
                else []
            )
            assert sum(row["mass_g"] for row in rows) == leaf["mass_g"], number["where"]
            assert leaf["count"] in (None, len(rows))
            seen += len(rows)
    assert seen > 100


def test_every_tonnage_of_provenance_is_recomputed_from_its_movements(produced):
    listed = provenance(produced)
    checked = 0
    for number in listed["numbers"]:
        if number["indicator"] not in ("generation_t", "utilisation_t", "utilisation_by_way_t", "disposal_t"):
            continue
        grams = sum(
            leaf["sign"] * listed["movements"][leaf["organisation"]][str(seq)]["mass_g"]
            for leaf in leaves(number["basis"])
            for seq in leaf["movements"]
        )
        assert Decimal(number["value"]) == Decimal(grams) / 1_000_000
        assert Decimal(number["text"]) == (Decimal(grams) / 10**10).quantize(
            Decimal(number["text"]), ROUND_HALF_UP
        )
        checked += 1
    assert checked == 9 * len(YEARS)  # total twice, 2 streams, utilisation twice, 2 ways, disposal


def test_a_reversal_changes_form_document_and_provenance_alike(case, officer, now):
    wrong = Movement.objects.get(organisation=case.organisation, moved_on="2025-03-31")
    ledger_services.reverse(movement=wrong, reason="重复记账", by=officer, now=now)
    produced = services.produce(case=case, by=officer, now=now)
    where = {
        "table": "表2 工业固废产生与综合利用情况",
        "row": "工业固废综合利用量（万吨）",
        "column": "2025 年",
    }
    [number] = [n for n in provenance(produced)["numbers"] if n["where"] == where]

    assert number["value"] == "403"
    assert (
        row_of(produced.files["申报书.docx"], "工业固废综合利用量（万吨）")[-1] == number["text"] == "0.0403"
    )


def test_documents_are_not_made_from_a_ledger_that_moves_meanwhile(case, officer, now, monkeypatch):
    """The control of the check: a movement that provenance does not find."""
    whole = queries.movement_index

    def without_one(*, numbers):
        index = whole(numbers=numbers)
        next(rows for rows in index._by_key.values() if rows).pop()
        return index

    monkeypatch.setattr(queries, "movement_index", without_one)
    with pytest.raises(services.LedgerChanging):
        services.produce(case=case, by=officer, now=now)
    assert not AuditEntry.objects.filter(action="cases.produce").exists()


def test_unmet_and_unknown_requirements_are_listed_and_stop_nothing(produced):
    note = produced.files["说明.txt"].decode("utf-8-sig")

    assert produced.requirements
    for requirement in produced.requirements:
        assert requirement.says in note
        assert requirement.verdict in ("不满足", "未知")
    assert "basic-1" in {r.id for r in produced.requirements}  # 74.08 % < 80 %
    assert {r["id"] for r in provenance(produced)["open_requirements"]} == {
        r.id for r in produced.requirements
    }


def test_an_organisation_without_any_data_gets_its_forms_too(make_organisation, operator, now):
    empty = make_organisation("新企业")
    case = services.open_case(
        organisation=empty, edition_id=ENTERPRISE_EDITION, year=2025, by=operator, now=now
    )
    produced = services.produce(case=case, by=operator, now=now)
    rows = row_of(produced.files["申报书.docx"], "工业固废产生量（万吨）")

    assert rows == ["未知"] * 4
    assert "需补充：2025 年台账" in produced.files["说明.txt"].decode("utf-8-sig")


def test_evidence_is_listed_in_the_document_and_in_provenance(case, officer, now):
    from tests.pure.paper.test_attachments import pdf

    services.attach_evidence(
        case=case, category=EvidenceCategory.PLAN, file_name="方案.pdf", content=pdf(), by=officer, now=now
    )
    produced = services.produce(case=case, by=officer, now=now)

    assert row_of(produced.files["申报书.docx"], "1") == ["建设方案", "方案.pdf"]
    [attachment] = provenance(produced)["attachments"]
    assert attachment["sha256"] == hashlib.sha256(pdf()).hexdigest()


def test_producing_is_audited_with_the_hashes_of_the_documents(case, produced):
    entry = AuditEntry.objects.get(action="cases.produce")

    assert entry.detail["sha256"] == {k: v["sha256"] for k, v in provenance(produced)["documents"].items()}


def query_count(case):
    with CaptureQueriesContext(connection) as captured:
        form = queries.case_form(case=case)
        queries.movement_index(numbers=list(form.numbers()))
    return len(captured)


def test_a_form_takes_as_many_queries_for_three_members_as_for_two(park_case, park, make_organisation):
    before = query_count(park_case)
    third = make_organisation("第三家", industry_code="321")
    ParkMembership.objects.create(park=park, member=third, joined_on=date(2021, 1, 1))

    assert query_count(park_case) == before <= 32


# --- the command ---------------------------------------------------------------------------


def run(*arguments):
    return CliRunner().invoke(case_command, list(arguments))


def test_the_command_writes_the_files_and_says_what_is_open(works, tmp_path):
    result = run(
        works.uscc,
        "--edition",
        ENTERPRISE_EDITION,
        "--year",
        "2025",
        "--out",
        str(tmp_path / "案例"),
        "--json",
    )
    said = json.loads(result.stdout)

    assert result.exit_code == 0
    assert set(said["files"]) == {"申报书.docx", "汇总表.xlsx", "provenance.json", "说明.txt"}
    assert sorted(p.name for p in (tmp_path / "案例").iterdir()) == sorted(said["files"])
    assert said["verdict"] == "not_met"
    assert said["numbers"] > 40
    for requirement in said["open_requirements"]:
        assert requirement["id"] in result.stderr


def test_the_command_uses_the_texts_of_the_draft(case, officer, now, tmp_path):
    services.save_draft(case=case, version=1, changes={"title": "耦合消纳模式"}, by=officer, now=now)
    run(case.organisation.uscc, "--edition", ENTERPRISE_EDITION, "--year", "2025", "--out", str(tmp_path))

    assert xlsx_rows((tmp_path / "汇总表.xlsx").read_bytes())[4][4] == "耦合消纳模式"


@pytest.mark.parametrize(
    ("edition", "said"), [(PARK_EDITION, "不符"), ("no-such", "没有版本"), ("", "没有版本")]
)
def test_the_command_refuses_an_edition_that_does_not_fit(works, tmp_path, edition, said):
    result = run(works.uscc, "--edition", edition, "--year", "2025", "--out", str(tmp_path / "a"))

    assert result.exit_code == 1
    assert said in result.stderr
    assert not (tmp_path / "a").exists()


def test_the_command_refuses_an_organisation_that_does_not_exist(db, tmp_path):
    result = run(
        "91500110MA5U99999X", "--edition", ENTERPRISE_EDITION, "--year", "2025", "--out", str(tmp_path)
    )

    assert (result.exit_code, "没有统一社会信用代码为" in result.stderr) == (1, True)


# --- LibreOffice ----------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("which", ["produced", "park_produced"])
def test_libreoffice_opens_every_document_and_shows_every_number(which, request, tmp_path):
    """A2."""
    produced = request.getfixturevalue(which)
    names = ("申报书.docx", "汇总表.xlsx")
    shown = opened({name: produced.files[name] for name in names}, tmp_path)

    assert set(shown) == set(names)
    listed = provenance(produced)["numbers"]
    cells = Counter(cell for row in shown["申报书.docx"].rows for cell in row)
    tonnages = Counter(n["text"] for n in listed if n["unit"] == "吨" and n["value"])
    in_one_cell = {text: count for text, count in cells.items() if text in tonnages}
    assert all("".join(number["text"].split()) in shown["申报书.docx"].text for number in listed)
    assert sum(Decimal(t) * min(in_one_cell[t], n) for t, n in tonnages.items()) == sum(
        Decimal(t) * n for t, n in tonnages.items()
    )
    assert "典型案例汇总表" in shown["汇总表.xlsx"].text
