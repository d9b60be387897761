"""What differs between two frozen versions, and how alike two texts are."""

import io

import docx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from wufei.cases import likeness
from wufei.cases.differences import ChangeKind, Segment, differences, segments

LABELS = {"title": "题目", "practices": "主要做法"}


def number(row="综合利用率（%）", text="74.08", value="74.0776", unit="%", column="2025 年"):
    where = {"table": "主要量化数据", "row": row, "column": column}
    return {"where": where, "text": text, "value": value, "unit": unit}


def content(**said):
    basis = {
        "texts": {"title": "粉煤灰制砖", "practices": "就近消纳。建成两条线。"},
        "particulars": {"contact": "李四"},
        "numbers": [number()],
        "evaluation": {
            "verdict": "unknown", "score_min": "60", "score_max": "70",
            "criteria": [{"id": "rate", "clause": "二、1", "says": "综合利用率不低于 70%。", "verdict": "met"}],
        },
        "evidence": [{"category": "证明材料", "file_name": "证明.pdf", "sha256": "a" * 64}],
    }  # fmt: skip
    return basis | said


def rates(verdict: str):
    return content()["evaluation"] | {
        "criteria": [content()["evaluation"]["criteria"][0] | {"verdict": verdict}]
    }


@pytest.mark.parametrize(
    ("later", "expected"),
    [
        (content(), []),
        (
            content(texts={"title": "脱硫石膏制砖", "practices": "就近消纳。建成两条线。"}),
            [(ChangeKind.TEXT, "题目", "粉煤灰制砖", "脱硫石膏制砖")],
        ),
        (content(particulars={"contact": "王五"}), [(ChangeKind.PARTICULAR, "联系人", "李四", "王五")]),
        (
            content(numbers=[number(text="75.00", value="75")]),
            [(ChangeKind.NUMBER, "主要量化数据“综合利用率（%）”2025 年", "74.08（74.0776 %）", "75.00（75 %）")],
        ),
        (
            content(numbers=[number(), number("产生量", "0.1", "1000", "吨")]),
            [(ChangeKind.NUMBER, "主要量化数据“产生量”2025 年", "", "0.1（1000 吨）")],
        ),
        (
            content(evidence=[]),
            [(ChangeKind.EVIDENCE_REMOVED, "证明材料", "证明.pdf（SHA-256 aaaaaaaaaaaaaaaa…）", "")],
        ),
        (
            content(evaluation=rates("not_met")),
            [(ChangeKind.VERDICT, "二、1　综合利用率不低于 70%。", "满足", "不满足")],
        ),
        (
            content(evaluation=content()["evaluation"] | {"verdict": "met", "score_min": "70"}),
            [(ChangeKind.VERDICT, "自评结论", "未知", "满足"), (ChangeKind.SCORE, "自评得分", "60—70", "70")],
        ),
    ],
    ids=["nothing", "text", "particular", "number", "new number", "file removed", "verdict", "whole"],
)  # fmt: skip
def test_each_change_is_named_with_what_was_and_what_is(later, expected):
    found = differences(content(), later, labels=LABELS)
    assert [(c.kind, c.label, c.before, c.after) for c in found] == expected


def test_a_file_that_was_replaced_is_removed_and_added():
    later = content(evidence=[{"category": "证明材料", "file_name": "证明.pdf", "sha256": "b" * 64}])
    found = differences(content(), later, labels=LABELS)
    assert [c.kind for c in found] == [ChangeKind.EVIDENCE_REMOVED, ChangeKind.EVIDENCE_ADDED]


def test_a_long_text_shows_only_the_sentence_that_changed_word_by_word():
    before = "就近消纳。" * 300 + "利用率 94.10%。" + "建成两条线。" * 300
    after = before.replace("94.10%", "95.20%")
    found = segments(before, after)

    assert [s for s in found if s.op != "="] == [Segment("-", "94.10%"), Segment("+", "95.20%")]


@given(st.text("综合利用。！\n ab1.%", max_size=60), st.text("综合利用。！\n ab1.%", max_size=60))
def test_segments_give_back_both_texts(before, after):
    found = segments(before, after)
    assert "".join(s.text for s in found if s.op != "+") == before
    assert "".join(s.text for s in found if s.op != "-") == after


def test_texts_of_absurd_length_are_shown_as_replaced_at_once():
    found = segments("甲。" * 100_000, "乙。" * 100_000)
    assert [s.op for s in found] == ["-", "+"]


# ---- likeness -----------------------------------------------------------------------------------

PLAN = "".join(
    f"第{n}项工程改造{chr(0x4E00 + n * 37 % 20000)}号生产线，年消纳粉煤灰{n * 13 % 97}万吨，投资{n * 7 % 83}百万元，"
    f"由{chr(0x5000 + n * 91 % 15000)}部负责，{n % 12 + 1}月完工。"
    for n in range(60)
)


def word(text: str) -> bytes:
    out, made = io.BytesIO(), docx.Document()
    made.add_paragraph(text)
    made.save(out)
    return out.getvalue()


def workbook(text: str) -> bytes:
    out, made = io.BytesIO(), Workbook()
    made.active["A1"] = text
    made.save(out)
    return out.getvalue()


def exact(one: str, other: str) -> float:
    runs = [{t[i : i + 5] for i in range(len(t) - 4)} for t in (one, other)]
    return len(runs[0] & runs[1]) / len(runs[0] | runs[1])


@pytest.mark.parametrize(
    ("kind", "made"), [("docx", word(PLAN)), ("xlsx", workbook(PLAN)), ("txt", PLAN.encode())]
)
def test_text_is_read_out_of_documents(kind, made):
    assert likeness.text_of(kind, made).strip() == PLAN


@pytest.mark.parametrize("kind", ["pdf", "jpg", "png", "docx", "xlsx"])
def test_what_cannot_be_read_has_no_text_and_is_like_nothing(kind):
    assert likeness.text_of(kind, b"%PDF-1.4 not a document") == ""
    assert likeness.likeness([], likeness.sketch(PLAN)) == 0


@pytest.mark.parametrize("share", [0, 20, 50, 80, 90, 100])
def test_the_sketch_estimates_what_the_texts_share(share):
    other = PLAN[: len(PLAN) * share // 100] + "".join(
        chr(0x6000 + i * 17 % 9000) for i in range(len(PLAN) * (100 - share) // 100)
    )
    found = float(likeness.likeness(likeness.sketch(PLAN), likeness.sketch(other)))
    assert abs(found - exact(PLAN, other)) < 0.2


def test_spaces_width_and_case_make_no_other_text():
    assert likeness.sketch(PLAN) == likeness.sketch(PLAN.replace("，", "， \n"))


def test_every_machine_makes_the_same_sketch():
    assert likeness.sketch("一般工业固体废物综合利用" * 6)[:3] == [
        1576958679500,
        3605292505210,
        49613283409871,
    ]
