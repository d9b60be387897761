"""What was handed in: the versions, one of them as it was frozen, a number's way back, and two versions compared."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from wufei.cases import amounts, freezing, queries
from wufei.cases.differences import PARTICULARS, ChangeKind
from wufei.cases.models import Case, Submission
from wufei.cases.views.producing import Entry, Table
from wufei.ledger.kinds import LABELS, Kind
from wufei.ledger.views.desk import Desk, desk
from wufei.paper.attachments import MEDIA_TYPES
from wufei.policies import queries as policy_queries
from wufei.registry.access import Permission
from wufei.registry.queries import NotPermitted

MOST_SEQS = 200  # of one leaf, shown as links
KINDS = {
    ChangeKind.TEXT: gettext_lazy("文字"),
    ChangeKind.PARTICULAR: gettext_lazy("基本信息"),
    ChangeKind.NUMBER: gettext_lazy("数据"),
    ChangeKind.EVIDENCE_ADDED: gettext_lazy("新增材料"),
    ChangeKind.EVIDENCE_REMOVED: gettext_lazy("撤去材料"),
    ChangeKind.VERDICT: gettext_lazy("结论"),
    ChangeKind.SCORE: gettext_lazy("得分"),
}
_READS = frozenset({Permission.VIEW_CASE, Permission.REVIEW_CASE})


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionsDesk:
    at: Desk
    case: Case

    def context(self, **more: Any) -> dict[str, Any]:
        edition = policy_queries.known_editions().get(self.case.edition)
        return self.at.context(
            case_id=self.case.pk, year=self.case.year, edition_title=edition.title if edition else self.case.edition,
            is_own=Permission.VIEW_CASE in self.at.held, **more,
        )  # fmt: skip


def submissions_desk(request: HttpRequest, uscc: str, case_id: int) -> SubmissionsDesk:
    """
    Return a case whose versions may be read: one's own, or of an organisation that one supervises.

    A draft that was never handed in isn't there for whoever supervises; and of one that was, its draft isn't shown.

    :raises Http404: if there is none
    """
    at = desk(request, uscc, Permission.VIEW_ORGANISATION)
    if not at.held & _READS:
        raise NotPermitted(Permission.VIEW_CASE)
    case = Case.objects.filter(organisation=at.organisation, pk=case_id).first()
    is_own = Permission.VIEW_CASE in at.held
    if case is None or not (is_own or case.submissions.exists()):
        raise Http404
    return SubmissionsDesk(at=at, case=case)


def _one(of: SubmissionsDesk, number: int) -> Submission:
    rows = of.case.submissions.select_related("case__organisation", "submitted_by")
    found = rows.filter(number=number).first()
    if found is None:
        raise Http404
    return found


@require_safe
def submissions(request: HttpRequest, uscc: str, case_id: int) -> HttpResponse:
    """List the versions that were handed in, the newest first."""
    of = submissions_desk(request, uscc, case_id)
    rows = list(queries.submissions_of(case=of.case))
    return render(request, "cases/submissions_list.html", of.context(rows=rows, case=of.case))


@require_safe
def submission(request: HttpRequest, uscc: str, case_id: int, number: int) -> HttpResponse:
    """Show a version as it was frozen, and what has changed in the ledgers since."""
    of = submissions_desk(request, uscc, case_id)
    found = _one(of, number)
    content = found.content
    evaluation = content.get("evaluation") or {}
    criteria = [row for row in evaluation.get("criteria", ()) if row.get("decides") or row.get("weight")]
    context = of.context(
        submission=found, texts=_texts(content), tables=_tables(of, found), evaluation=evaluation, criteria=criteria,
        files=[(row, amounts.file_size(row.size)) for row in found.files.order_by("pk")],
        since=queries.changed_since(submission=found), particulars=_particulars(content),
    )  # fmt: skip
    return render(request, "cases/submissions_one.html", context)


def _texts(content: Mapping[str, Any]) -> list[tuple[str, str]]:
    said = content.get("texts") or {}
    return [(queries.label_of(name), str(text)) for name, text in said.items() if text not in (None, "")]


def _particulars(content: Mapping[str, Any]) -> list[tuple[str, str]]:
    said = content.get("particulars") or {}
    return [(label, said[name]) for name, label in PARTICULARS.items() if said.get(name)]


def _tables(of: SubmissionsDesk, found: Submission) -> list[Table]:
    """Return the frozen numbers in the tables in which they stood; each leads to where it came from."""
    rows: dict[str, dict[str, dict[str, Entry]]] = {}
    for index, number in enumerate(freezing.numbers_in(found.content)):
        table, row, column = freezing.place_of(number)
        address = reverse("cases:submitted-number", args=[of.at.uscc, of.case.pk, found.number, index])
        entry = Entry(number["text"], address, number["value"] is None)
        cells = rows.setdefault(table, {}).setdefault(row, {})
        cells[column] = Entry(f"{cells[column].text}；{entry.text}") if column in cells else entry
    found_tables = []
    for table, by_row in rows.items():
        columns = tuple(dict.fromkeys(column for cells in by_row.values() for column in cells))
        shown = tuple(
            (row, tuple(cells.get(c, Entry("—")) for c in columns)) for row, cells in by_row.items()
        )
        found_tables.append(Table(table, tuple(column or _("数值") for column in columns), shown))
    return found_tables


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a frozen number's way back."""

    kind: str  # figure, stated, movements
    name: str
    value: str
    formula: str = ""
    missing: tuple[str, ...] = ()
    seqs: tuple[int, ...] = ()
    more: int = 0
    whose: str = ""
    children: tuple["Step", ...] = ()


def _step(part: Mapping[str, Any]) -> Step:
    if part["type"] == "figure":
        return Step(
            kind="figure", name=f"{part['period']} {part['name']}", value=_valued(part), formula=part["formula"],
            missing=tuple(missing["label"] for missing in part["missing"]),
            children=tuple(_step(each) for each in part["basis"]),
        )  # fmt: skip
    if part["type"] == "stated" and "inputs" in part:
        return Step(
            kind="figure",
            name=_("填报"),
            value="",
            children=tuple(_step({**i, "type": "stated"}) for i in part["inputs"]),
        )
    if part["type"] == "stated":
        return Step(
            kind="stated",
            name=f"{part['year']} 年 {part['label']}",
            value=_valued(part),
            formula=part["source"],
        )
    seqs = part.get("movements", ())
    kinds = "、".join(LABELS[Kind(kind)] for kind in part["kinds"])
    tonnes = amounts.stated(Decimal(part["mass_g"]) / freezing.GRAMS_PER_TONNE)
    return Step(
        kind="movements", name=f"{part['first_day']} 至 {part['last_day']} {kinds}",
        value=f"{'−' if part['sign'] < 0 else ''}{tonnes} 吨", seqs=tuple(seqs[:MOST_SEQS]),
        more=max(0, len(seqs) - MOST_SEQS), whose=part["organisation"],
    )  # fmt: skip


def _valued(part: Mapping[str, Any]) -> str:
    return amounts.UNKNOWN if part["value"] is None else f"{part['value']} {part['unit']}"


@require_safe
def submitted_number(request: HttpRequest, uscc: str, case_id: int, number: int, index: int) -> HttpResponse:
    """Show where a frozen number came from, down to the movements that were listed with it."""
    of = submissions_desk(request, uscc, case_id)
    found = _one(of, number)
    numbers = freezing.numbers_in(found.content)
    if index >= len(numbers):
        raise Http404
    claimed = numbers[index]
    context = of.context(
        submission=found, claimed=claimed, place=freezing.spoken(freezing.place_of(claimed)),
        step=_step(claimed["basis"]) if claimed.get("basis") else None,
    )  # fmt: skip
    return render(request, "cases/submissions_number.html", context)


@require_safe
def submitted_file(
    request: HttpRequest, uscc: str, case_id: int, number: int, file_id: int
) -> HttpResponseBase:
    """Hand out a file of the version as it came in, always as a download."""
    found = _one(submissions_desk(request, uscc, case_id), number)
    row = found.files.filter(pk=file_id).first()
    if row is None:
        raise Http404
    return _download(row.stored, row.file_name, MEDIA_TYPES.get(row.kind, "application/octet-stream"))


@require_safe
def case_file(request: HttpRequest, uscc: str, case_id: int, number: int) -> HttpResponseBase:
    """Hand out the form as it was printed for the version."""
    found = _one(submissions_desk(request, uscc, case_id), number)
    if not found.case_file:
        raise Http404
    name = f"申报书-{found.name_given}-{found.year}-第{found.number}版.docx"
    return _download(found.case_file, name, MEDIA_TYPES["docx"])


def _download(stored: Any, name: str, media_type: str) -> FileResponse:
    response = FileResponse(stored.open("rb"), content_type=media_type)
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    response["X-Content-Type-Options"] = "nosniff"
    return response


@require_safe
def difference(request: HttpRequest, uscc: str, case_id: int, earlier: int, later: int) -> HttpResponse:
    """Show what differs between two versions, place by place."""
    of = submissions_desk(request, uscc, case_id)
    if earlier >= later:
        raise Http404
    one, other = _one(of, earlier), _one(of, later)
    changes = queries.difference(earlier=one, later=other)
    groups = [
        (title, [change for change in changes if change.kind is kind])
        for kind, title in KINDS.items()
        if any(change.kind is kind for change in changes)
    ]
    context = of.context(earlier=one, later=other, groups=groups)
    return render(request, "cases/submissions_difference.html", context)
