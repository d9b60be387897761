"""
What differs between two versions of a case, place by place?

Pure. Texts are compared sentence by sentence, and word by word where a sentence changed; a Chinese character
is a word. Numbers are compared as they were written and by their exact values; files by their hashes.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Any

from wufei.cases.freezing import numbers_in, place_of, spoken

_SENTENCE = re.compile(r"[^。！？；\n]*[。！？；\n]+|[^。！？；\n]+")
_WORD = re.compile(r"[A-Za-z0-9.%]+|\s+|.", re.DOTALL)
MOST_PAIRS = 4_000_000  # of words compared with each other; a greater block is shown as put in and taken out
VERDICTS = {"met": "满足", "not_met": "不满足", "unknown": "未知"}
PARTICULARS = {
    "name": "单位名称", "industry": "行业", "address": "地址", "website": "网址", "head": "负责人", "mobile": "负责人手机",
    "fax": "传真", "email": "邮箱", "contact": "联系人", "phone": "电话", "filed_on": "申报日期",
}  # fmt: skip


class ChangeKind(StrEnum):
    TEXT = "TEXT"
    PARTICULAR = "PARTICULAR"
    NUMBER = "NUMBER"
    EVIDENCE_ADDED = "EVIDENCE_ADDED"
    EVIDENCE_REMOVED = "EVIDENCE_REMOVED"
    VERDICT = "VERDICT"
    SCORE = "SCORE"


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of text; `op` says whether it stays (=), was taken out (-) or put in (+)."""

    op: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One place that differs; `segments` of a text, in the order of reading."""

    field: str
    label: str
    before: str
    after: str
    kind: ChangeKind
    segments: tuple[Segment, ...] = ()


def differences(
    earlier: Mapping[str, Any], later: Mapping[str, Any], *, labels: Mapping[str, str]
) -> list[Change]:
    """Return every change from one frozen content to another; `labels` says what the texts are called."""
    return [
        *_texts(earlier, later, labels),
        *_particulars(earlier, later),
        *_numbers(earlier, later),
        *_evidence(earlier, later),
        *_verdicts(earlier, later),
    ]


def _texts(
    earlier: Mapping[str, Any], later: Mapping[str, Any], labels: Mapping[str, str]
) -> Iterator[Change]:
    old, new = earlier.get("texts") or {}, later.get("texts") or {}
    for name in dict.fromkeys((*labels, *old, *new)):
        before, after = _said(old.get(name)), _said(new.get(name))
        if before != after:
            yield Change(
                field=name, label=labels.get(name, name), before=before, after=after, kind=ChangeKind.TEXT,
                segments=segments(before, after),
            )  # fmt: skip


def _said(value: object) -> str:
    return "" if value is None else str(value)


def _particulars(earlier: Mapping[str, Any], later: Mapping[str, Any]) -> Iterator[Change]:
    old, new = earlier.get("particulars") or {}, later.get("particulars") or {}
    for name, label in PARTICULARS.items():
        before, after = _said(old.get(name)), _said(new.get(name))
        if before != after:
            yield Change(field=name, label=label, before=before, after=after, kind=ChangeKind.PARTICULAR)


def _numbers(earlier: Mapping[str, Any], later: Mapping[str, Any]) -> Iterator[Change]:
    old = {place_of(row): row for row in numbers_in(earlier)}
    new = {place_of(row): row for row in numbers_in(later)}
    for place in dict.fromkeys((*old, *new)):
        one, other = old.get(place), new.get(place)
        if _number_key(one) != _number_key(other):
            yield Change(
                field="|".join(place), label=spoken(place), before=number_text(one), after=number_text(other),
                kind=ChangeKind.NUMBER,
            )  # fmt: skip


def _number_key(row: Mapping[str, Any] | None) -> tuple[Any, ...] | None:
    return None if row is None else (row["text"], row["value"], row["unit"])


def number_text(row: Mapping[str, Any] | None) -> str:
    """Return a frozen number as it was written, with its exact value where that says more."""
    if row is None:
        return ""
    text, value = str(row["text"]), row["value"]
    is_told = value is None or value in text.split()
    return text if is_told else f"{text}（{value} {row['unit']}）"


def _evidence(earlier: Mapping[str, Any], later: Mapping[str, Any]) -> Iterator[Change]:
    old = {_file_key(row): row for row in earlier.get("evidence") or ()}
    new = {_file_key(row): row for row in later.get("evidence") or ()}
    for key, row in old.items():
        if key not in new:
            yield _file_change(row, ChangeKind.EVIDENCE_REMOVED)
    for key, row in new.items():
        if key not in old:
            yield _file_change(row, ChangeKind.EVIDENCE_ADDED)


def _file_key(row: Mapping[str, Any]) -> tuple[str, str, str]:
    return row["sha256"], row["category"], row["file_name"]


def _file_change(row: Mapping[str, Any], kind: ChangeKind) -> Change:
    told = f"{row['file_name']}（SHA-256 {row['sha256'][:16]}…）"
    is_added = kind is ChangeKind.EVIDENCE_ADDED
    return Change(
        field=row["sha256"], label=row["category"], before="" if is_added else told,
        after=told if is_added else "", kind=kind,
    )  # fmt: skip


def _verdicts(earlier: Mapping[str, Any], later: Mapping[str, Any]) -> Iterator[Change]:
    old, new = earlier.get("evaluation") or {}, later.get("evaluation") or {}
    if old.get("verdict") != new.get("verdict"):
        yield _verdict_change("verdict", "自评结论", old, new)
    before = {row["id"]: row for row in old.get("criteria", ())}
    after = {row["id"]: row for row in new.get("criteria", ())}
    for key in dict.fromkeys((*before, *after)):
        one, other = before.get(key, {}), after.get(key, {})
        if one.get("verdict") != other.get("verdict"):
            told = one or other
            yield _verdict_change(key, f"{told['clause']}　{told['says']}", one, other)
    if _scores(old) != _scores(new):
        yield Change(
            field="score",
            label="自评得分",
            before=_scores(old),
            after=_scores(new),
            kind=ChangeKind.SCORE,
        )


def _verdict_change(field: str, label: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> Change:
    before, after = (VERDICTS.get(each.get("verdict", ""), "") for each in (one, other))
    return Change(field=field, label=label, before=before, after=after, kind=ChangeKind.VERDICT)


def _scores(evaluation: Mapping[str, Any]) -> str:
    least, most = evaluation.get("score_min"), evaluation.get("score_max")
    if least is None or most is None:
        return ""
    return str(least) if least == most else f"{least}—{most}"


# --- texts ----------------------------------------------------------------------------------


def segments(before: str, after: str) -> tuple[Segment, ...]:
    """
    Return the later text with what was put in and taken out.

    >>> [(s.op, s.text) for s in segments("利用率为 94.10%。", "利用率达 95.20%。")]
    [('=', '利用率'), ('-', '为'), ('+', '达'), ('=', ' '), ('-', '94.10%'), ('+', '95.20%'), ('=', '。')]
    """
    old, new = _SENTENCE.findall(before), _SENTENCE.findall(after)
    if len(old) * len(new) > MOST_PAIRS:
        return tuple(_replaced(before, after))
    found: list[Segment] = []
    for op, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        one, other = "".join(old[a:b]), "".join(new[c:d])
        found += [Segment("=", one)] if op == "equal" else _word_by_word(one, other)
    return tuple(_joined(found))


def _word_by_word(before: str, after: str) -> list[Segment]:
    old, new = _WORD.findall(before), _WORD.findall(after)
    if len(old) * len(new) > MOST_PAIRS:
        return _replaced(before, after)
    found: list[Segment] = []
    for op, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        one, other = "".join(old[a:b]), "".join(new[c:d])
        found += [Segment("=", one)] if op == "equal" else _replaced(one, other)
    return found


def _replaced(before: str, after: str) -> list[Segment]:
    return [Segment(op, text) for op, text in (("-", before), ("+", after)) if text]


def _joined(found: Sequence[Segment]) -> Iterator[Segment]:
    """Join neighbours of one kind."""
    at = 0
    while at < len(found):
        end = at
        while end < len(found) and found[end].op == found[at].op:
            end += 1
        yield Segment(found[at].op, "".join(each.text for each in found[at:end]))
        at = end
