"""Each doubt with a planted case, and its control without."""

from collections.abc import Iterator

import pytest

from tests.pure.cases.test_differences import PLAN
from wufei.cases import likeness
from wufei.reviews import doubts
from wufei.reviews.doubts import (
    Doubt,
    Earlier,
    File,
    HeadCheck,
    Kind,
    LeafSum,
    Rereading,
    Reversed,
    Severity,
    Tally,
)
from wufei.reviews.doubts_written import Narrative, narratives_alike

USCC = "91500110MA5U00001L"


def number(
    value="1000", *, indicator="generation_t", row="产生量", year=2025, unit="吨", text=None, basis=None
):
    return {
        "where": {"table": "主要量化数据", "row": row, "column": f"{year} 年"}, "text": text or value, "value": value,
        "unit": unit, "indicator": indicator, "year": year, "stream": None, "dimension": None, "basis": basis or {},
    }  # fmt: skip


def content(*numbers, **headline):
    return {"numbers": list(numbers), "headline": headline}


def movements(mass_g: int, sign: int = 1):
    return {"type": "movements", "sign": sign, "mass_g": mass_g}


def figure(id_: str, value: str | None, *basis, unit="吨"):
    return {
        "type": "figure", "id": id_, "name": id_, "year": 2025, "value": value, "unit": unit, "basis": list(basis),
    }  # fmt: skip


def kinds(found: list[Doubt]) -> list[tuple[str, str]]:
    return [(doubt.kind.value, doubt.severity.value) for doubt in found]


def before(*numbers, is_same_case=False) -> Earlier:
    return Earlier(pk=7, name="2024 年度第 1 版", content=content(*numbers), is_same_case=is_same_case)


# ---- restated history -----------------------------------------------------------------------


def test_a_year_that_was_told_otherwise_before_is_a_doubt_with_both_values():
    [found] = doubts.restated(9, content(number("1200", year=2024)), [before(number("1000", year=2024))])

    assert (found.kind, found.severity) == (Kind.RESTATED, Severity.MEDIUM)
    assert [(b.label, b.value, b.leads_to) for b in found.basis] == [
        ("主要量化数据“产生量”2024 年：本次", "1200", ("number", 9, 0)),
        ("主要量化数据“产生量”2024 年：2024 年度第 1 版", "1000", ("number", 7, 0)),
    ]
    assert "2024 年度第 1 版" in found.says


def test_a_corrected_version_of_the_same_case_weighs_little():
    found = doubts.restated(9, content(number("1200")), [before(number("1000"), is_same_case=True)])
    assert kinds(found) == [("RESTATED", "LOW")]


@pytest.mark.parametrize(
    "earlier",
    [
        before(number("1000.0", year=2024)),  # the same, written otherwise
        before(number("999", year=2023)),  # another year
        before(number("999", year=2024, indicator="disposal_t")),  # another figure
        before({**number("999", year=2024), "stream": "F1"}),  # a part only
        before({**number("999", year=2024), "value": None}),  # it was not known
    ],
)
def test_no_doubt_where_nothing_was_restated(earlier):
    assert doubts.restated(9, content(number("1000", year=2024)), [earlier]) == []


# ---- figures that don't follow ---------------------------------------------------------------


def leaf(claimed: int, found: int, missing: tuple[int, ...] = ()) -> LeafSum:
    return LeafSum(
        index=0, label="产生量", organisation=USCC, claimed_g=claimed, found_g=found, missing_seqs=missing
    )


def head(found: str | None, *, is_kept_here=True) -> HeadCheck:
    return HeadCheck(uscc=USCC, seq=5, frozen_hash="a" * 64, found_hash=found, is_kept_here=is_kept_here)


RATE = figure(
    "utilisation_rate_pct", "80", figure("utilisation_t", "800", movements(800_000_000)),
    figure("generation_t", "1000", movements(1_000_000_000)), figure("earlier_years_utilisation_t", "0"), unit="%",
)  # fmt: skip
WRONG_RATE = RATE | {"value": "95"}


@pytest.mark.parametrize(
    ("said", "sums", "heads", "expected"),
    [
        (content(number("80", basis=RATE)), [leaf(5, 5)], [head("a" * 64)], []),
        (content(), [leaf(5, 4)], [head("a" * 64)], [("UNFOUNDED", "HIGH")]),
        (content(), [leaf(5, 5, (3,))], [], [("UNFOUNDED", "HIGH")]),
        (content(), [], [head("b" * 64)], [("UNFOUNDED", "HIGH")]),
        (content(), [], [head(None)], [("UNFOUNDED", "HIGH")]),
        (content(), [], [head(None, is_kept_here=False)], [("UNFOUNDED", "UNKNOWN")]),
        (content(number("95", basis=WRONG_RATE)), [], [], [("UNFOUNDED", "HIGH")]),
        (content(number("95", basis=RATE)), [], [], [("UNFOUNDED", "HIGH")]),
    ],
    ids=["control", "sum", "listed", "hash", "gone", "elsewhere", "figure", "cell"],
)
def test_a_number_that_its_basis_or_the_ledger_does_not_give(said, sums, heads, expected):
    assert kinds(doubts.unfounded(9, said, sums, heads)) == expected


def test_what_the_basis_gives_instead_is_told():
    [found] = doubts.unfounded(9, content(number("95", basis=WRONG_RATE)), [], [])
    assert [b.value for b in found.basis] == ["所报 95 %，按依据重算 80 %"]


# ---- the ledger since -------------------------------------------------------------------------


def test_a_reversal_behind_the_numbers_and_a_number_that_reads_otherwise():
    reversal = Reversed(uscc=USCC, seq=3, by_seq=12, mass_g=2_500_000, reason="重复")
    rereading = Rereading(index=0, label="产生量", claimed="1000", now="997.5")
    found = doubts.ledger_changed(9, [reversal], [rereading])

    assert kinds(found) == [("LEDGER_CHANGED", "HIGH"), ("LEDGER_CHANGED", "MEDIUM")]
    assert found[0].basis[0].value == "2.5 吨，原因：重复"
    assert doubts.ledger_changed(9, [], []) == []


# ---- evidence ---------------------------------------------------------------------------------


def file(text=PLAN, *, sha="1", **said) -> File:
    return File(file_name="方案.docx", kind="docx", sha256=sha * 64, shingles=likeness.sketch(text), **said)


def others(text=PLAN, *, sha="2") -> list[File]:
    return [file(text, sha=sha, whose="9150OTHER", owner="乙厂", key=4)]


def test_the_same_file_of_another_applicant_is_named_with_both_files():
    [found] = doubts.reused([file()], others(sha="1"))

    assert (found.kind, found.severity) == (Kind.EVIDENCE_REUSED, Severity.HIGH)
    assert [(b.label, b.value, b.whose) for b in found.basis] == [
        ("本单位文件", "方案.docx", ""), ("另一申报单位文件", "乙厂：方案.docx", "9150OTHER"),
    ]  # fmt: skip
    assert "乙厂" not in found.says  # the sentence is read by those too who may not know


def test_nearly_the_same_text_is_a_doubt_and_half_of_it_is_none():
    nearly = PLAN.replace("第1项", "第一项")
    half = PLAN[: len(PLAN) // 2]

    assert kinds(doubts.reused([file()], others(nearly))) == [("EVIDENCE_REUSED", "MEDIUM")]
    assert doubts.reused([file()], others(half)) == []


def test_a_file_without_text_is_said_to_be_compared_by_content_only():
    [found] = doubts.reused([file("同意。")], others("同意。"))
    assert (found.severity, found.basis[0].value) == (Severity.UNKNOWN, "方案.docx")


# ---- what can't be ----------------------------------------------------------------------------


def balance(used: str, disposed: str, *, stock: str | None = "50"):
    return {
        "generation_t": {"2024": "900", "2025": "1000"}, "stock_t": {"2024": stock, "2025": "0"},
        "utilisation_t": {"2024": "900", "2025": used}, "disposal_t": {"2024": "0", "2025": disposed},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (content(number("100", unit="%")), 0),
        (content(number("100.01", unit="%")), 1),
        (content(number("-1", unit="%")), 1),
        (content(number("-1")), 1),
        (content(**balance("1000", "50")), 0),
        (content(**balance("1000", "50.1")), 1),
        (content(**balance("1000", "50.1", stock=None)), 0),  # the stock is not known
    ],
    ids=["whole", "over", "below", "negative", "closes", "too much", "unknown"],
)
def test_numbers_that_cannot_be(said, expected):
    found = doubts.impossible(9, said)
    assert kinds(found) == [("IMPOSSIBLE", "HIGH")] * expected


# ---- peers ------------------------------------------------------------------------------------


def rates(*values: str) -> list[dict[str, dict[str, str]]]:
    return [{"utilisation_rate_pct": {"2025": value}} for value in values]


PEERS = rates("70", "72", "74", "76", "78")


@pytest.mark.parametrize(
    ("value", "peers", "expected"),
    [
        ("99", PEERS, [("OUTLIER", "LOW")]),
        ("40", PEERS, [("OUTLIER", "LOW")]),
        ("75", PEERS, []),
        ("99", PEERS[:4], [("OUTLIER", "UNKNOWN")]),
        ("74.5", rates(*["74"] * 9), []),  # all alike: a small difference is no great one
    ],
)
def test_a_rate_far_from_its_peers(value, peers, expected):
    found = doubts.outliers(content(utilisation_rate_pct={"2025": value}), 2025, peers, "“301 水泥”行业")
    assert kinds(found) == expected


def test_median_spread_and_n_are_shown():
    [found] = doubts.outliers(content(utilisation_rate_pct={"2025": "99"}), 2025, PEERS, "“301 水泥”行业")
    assert "n=5，中位数 74±3.7" in found.says
    assert found.says.endswith("请核实。")


def test_without_an_industry_nothing_is_compared_and_that_is_said():
    found = doubts.outliers(content(utilisation_rate_pct={"2025": "99"}), 2025, PEERS, "")
    assert kinds(found) == [("OUTLIER", "UNKNOWN")]


# ---- round numbers ----------------------------------------------------------------------------


def tally(count: int, whole: int, digits: list[int]) -> Tally:
    return Tally(count=count, whole_tonnes=whole, digits=dict(enumerate(digits)))


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (tally(100, 10, [10] * 10), []),
        (tally(100, 50, [10] * 10), []),
        (tally(100, 51, [10] * 10), [("ROUND_NUMBERS", "LOW")]),
        (tally(100, 10, [37, 7, 7, 7, 7, 7, 7, 7, 7, 7]), [("ROUND_NUMBERS", "LOW")]),
        (tally(100, 10, [20, 5, 12, 8, 10, 11, 9, 10, 8, 7]), []),
        (tally(19, 19, [19] + [0] * 9), [("ROUND_NUMBERS", "UNKNOWN")] * 2),
    ],
    ids=["even", "half", "whole tonnes", "digits", "by chance", "too few"],
)
def test_records_rounder_than_weighing_gives(said, expected):
    assert kinds(doubts.round_numbers(2025, said)) == expected


# ---- what was written ---------------------------------------------------------------------------

WRITTEN = "".join(chr(0x4E00 + n) for n in range(100))  # a hundred different characters: 96 runs


def wrote(text: str, field: str = "plan") -> Narrative:
    return Narrative(whose=USCC, owner="乙厂", submission="第 1 版", texts={field: text})


@pytest.mark.parametrize(
    ("own", "other", "expected"),
    [
        ({"plan": WRITTEN}, wrote(WRITTEN), [("NARRATIVE_ALIKE", "MEDIUM")]),
        ({"plan": WRITTEN}, wrote(WRITTEN[:81]), [("NARRATIVE_ALIKE", "MEDIUM")]),  # 77 of 96 runs: 80.2 %
        ({"plan": WRITTEN}, wrote(WRITTEN[:80]), []),  # 76 of 96: 79.2 %
        ({"plan": WRITTEN}, wrote(WRITTEN, "results"), []),
        ({"plan": WRITTEN[:59]}, wrote(WRITTEN[:59]), [("NARRATIVE_ALIKE", "UNKNOWN")]),
        ({}, wrote(WRITTEN), [("NARRATIVE_ALIKE", "UNKNOWN")]),
    ],
    ids=["the same", "just alike", "just not", "another field", "too short", "nothing written"],
)
def test_texts_are_compared_field_by_field(own, other, expected):
    assert kinds(narratives_alike(own, [other])) == expected


def test_whose_text_is_most_alike_is_named_first():
    found = narratives_alike({"plan": WRITTEN}, [wrote(WRITTEN[:90]), wrote(WRITTEN)])
    assert [each.basis[1].value for each in found] == ["占两者全部片段的 100%", "占两者全部片段的 90%"]


# ---- all of them ------------------------------------------------------------------------------


def every_doubt() -> Iterator[Doubt]:
    yield from doubts.restated(9, content(number("1200")), [before(number("1000"))])
    yield from doubts.unfounded(9, content(number("95", basis=WRONG_RATE)), [leaf(5, 4)], [head("b" * 64)])
    reversal = Reversed(uscc=USCC, seq=3, by_seq=12, mass_g=1, reason="重复")
    yield from doubts.ledger_changed(9, [reversal], [Rereading(index=0, label="甲", claimed="1", now="2")])
    yield from doubts.reused([file(), file("同意。", sha="3")], others(sha="1"))
    yield from narratives_alike({"plan": WRITTEN}, [wrote(WRITTEN)])
    yield from doubts.impossible(9, content(number("101", unit="%"), number("-1"), **balance("1000", "51")))
    yield from doubts.outliers(content(utilisation_rate_pct={"2025": "99"}), 2025, PEERS, "行业")
    yield from doubts.round_numbers(2025, tally(100, 90, [91] + [1] * 9))


def test_a_doubt_asks_to_check_and_never_judges():
    found = list(every_doubt())

    assert {doubt.kind for doubt in found} == set(Kind)
    for doubt in found:
        if doubt.severity is not Severity.UNKNOWN:
            assert "请核实。" in doubt.says
        assert not any(word in doubt.says for word in ("造假", "虚假", "不实", "作弊", "违规"))


def test_the_gravest_come_first_and_what_was_not_compared_last():
    found = [doubt.severity for doubt in doubts.by_weight(every_doubt())]
    assert found == sorted(found, key=list(Severity).index)
    assert [words for words, _rows in doubts.grouped(list(every_doubt()))] == [
        "重点核实", "建议核实", "提请留意", "未能核对",
    ]  # fmt: skip


def test_of_many_values_ten_are_named_and_the_others_counted():
    numbers = [number("101", unit="%", row=f"比率{at}") for at in range(14)]
    [found] = doubts.impossible(9, content(*numbers))

    assert len(found.basis) == 10
    assert "另有 4 项" in found.says
