"""What the form will say, what is still open, and the documents themselves."""

from dataclasses import dataclass
from urllib.parse import quote

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from wufei.cases import amounts, blanks, queries, services
from wufei.cases.case_file import CASE_FILE, NOTE, PROVENANCE, SUMMARY, Cell, YearTable
from wufei.cases.refusals import sentence
from wufei.cases.views.desks import CaseDesk, case_desk
from wufei.indicators.figure import Figure
from wufei.indicators.views.tables import figure_address
from wufei.paper.attachments import MEDIA_TYPES
from wufei.policies.criteria import WORDS
from wufei.registry.access import Permission

# What is downloaded, under which name and as what.
DOCUMENTS = {
    "case-file.docx": (CASE_FILE, MEDIA_TYPES["docx"]),
    "summary.xlsx": (SUMMARY, MEDIA_TYPES["xlsx"]),
    "provenance.json": (PROVENANCE, "application/json"),
    "note.txt": (NOTE, "text/plain; charset=utf-8"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A cell of the form as it will be printed, and where its number comes from."""

    text: str
    address: str = ""
    is_unknown: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Entry, ...]], ...]


def _entry(cell: Cell, uscc: str) -> Entry:
    address = figure_address(cell.basis, uscc=uscc) if isinstance(cell.basis, Figure) else ""
    return Entry(cell.text or "—", address, cell.text == amounts.UNKNOWN)


@require_safe
def form(request: HttpRequest, uscc: str, case_id: int) -> HttpResponse:
    """Show the tables as they will be printed now."""
    of = case_desk(request, uscc, case_id)
    filled = queries.case_form(case=of.case)
    table = filled.table
    particulars = [(label, _entry(cell, uscc)) for label, cell in table.particulars.counts]
    years = (filled.quantities, table.production, table.waste) if of.spec.template else (filled.quantities,)
    generators = None
    if filled.park and of.spec.template:
        columns = (
            tuple(column for column, _cell in filled.park.generators[0].cells())
            if filled.park.generators
            else ()
        )
        generators = Table(
            _("主要企业情况（%(year)d 年）") % {"year": filled.park.generators_year},
            tuple(dict.fromkeys(columns)),
            tuple((row.name, _generator(row.cells(), uscc)) for row in filled.park.generators),
        )
    context = of.context(
        tab="form", filled=filled, table=table, particulars=particulars, generators=generators,
        tables=[_of_years(each, uscc) for each in years],
    )  # fmt: skip
    return render(request, "cases/form.html", context)


def _of_years(table: YearTable, uscc: str) -> Table:
    rows = tuple((row.label, tuple(_entry(cell, uscc) for cell in row.cells)) for row in table.rows)
    return Table(table.title, table.columns, rows)


def _generator(cells: object, uscc: str) -> tuple[Entry, ...]:
    """Put several products of one generator into one cell."""
    by_column: dict[str, list[Entry]] = {}
    for column, cell in cells:  # type: ignore[attr-defined]
        by_column.setdefault(column, []).append(_entry(cell, uscc))
    return tuple(
        found[0] if len(found) == 1 else Entry("；".join(each.text for each in found))
        for found in by_column.values()
    )


@require_safe
def check(request: HttpRequest, uscc: str, case_id: int) -> HttpResponse:
    """Show what is empty, too long, unmet or unknown, which stops nothing; and offer the documents."""
    of = case_desk(request, uscc, case_id)
    evaluation = queries.evaluation(case=of.case, on=of.at.today)
    shortcomings = queries.shortcomings(case=of.case)
    context = of.context(
        tab="check", shortcomings=[(each, _shortcoming(each)) for each in shortcomings],
        evaluation=evaluation, verdict_words=WORDS[evaluation.verdict],
        requirements=queries.open_requirements(evaluation), remarks=_remarks(of, shortcomings),
        documents=_offered() if of.spec.template else [],
    )  # fmt: skip
    return render(request, "cases/check.html", context)


def _remarks(of: CaseDesk, shortcomings: list[queries.Shortcoming]) -> list[str]:
    """Return what is unknown or blank in the documents, without what the list of texts says already."""
    if not of.spec.template:  # there are no documents
        return []
    filled, said = queries.case_form(case=of.case), {each.field for each in shortcomings}
    return [*blanks.unknown(filled), *(str(b) for b in blanks.blanks(filled) if b.field not in said)]


def _shortcoming(found: queries.Shortcoming) -> str:
    if found.code == "over_limit":
        return _("“%(label)s”超过字数限制（%(detail)s），请删减。") % {
            "label": found.label,
            "detail": found.detail,
        }
    return _("“%(label)s”还没有写。") % {"label": found.label}


def _offered() -> list[tuple[str, str, str, str]]:
    hints = {
        "case-file.docx": (_("典型案例申报书，附件2"), "file-text"),
        "summary.xlsx": (_("典型案例汇总表，附件3"), "file-spreadsheet"),
        "provenance.json": (_("每个数背后的台账记录，供核对"), "link"),
        "note.txt": (_("未满足、未知事项的说明"), "clipboard-text"),
    }
    return [(document, DOCUMENTS[document][0], *hints[document]) for document in DOCUMENTS]


@require_POST
def ready(request: HttpRequest, uscc: str, case_id: int) -> HttpResponse:
    """Say that the draft is complete."""
    of = case_desk(request, uscc, case_id, Permission.EDIT_CASE)
    said = request.POST.get("version", "")
    try:
        services.mark_ready(
            case=of.case,
            version=int(said) if said.isdecimal() and len(said) < 10 else 0,
            by=of.at.user,
            now=of.at.now,
        )
        messages.success(request, _("已标为待报送。此后再有改动，会回到草稿。"))
    except services.StaleEdit:
        messages.error(request, _("这份草稿刚被改过，请核对后再标。"))
    except services.NotReady:
        messages.error(request, _("还有没写或超过字数的部分，见下面的清单。"))
    return redirect("cases:check", uscc, case_id)


@require_safe
def document(request: HttpRequest, uscc: str, case_id: int, document: str) -> HttpResponse:
    """Write the documents from the ledger as it stands, and hand one out."""
    of = case_desk(request, uscc, case_id)
    if document not in DOCUMENTS:
        raise Http404
    name, media_type = DOCUMENTS[document]
    try:
        produced = services.produce(case=of.case, by=of.at.user, now=of.at.now)
    except queries.NoCaseFile as error:  # the edition has stages, but no form
        raise Http404 from error
    except services.LedgerChanging as refused:
        messages.error(request, sentence(refused.code))
        return redirect("cases:check", uscc, case_id)
    response = HttpResponse(produced.files[name], content_type=media_type)
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(_file_name(of, name))}"
    return response


def _file_name(of: CaseDesk, name: str) -> str:
    """Return the document's name with whose it is: 申报书-重庆某公司-2025.docx."""
    stem, _dot, extension = name.rpartition(".")
    return f"{stem}-{of.at.organisation.name}-{of.case.year}.{extension}"
