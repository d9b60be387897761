"""What the organisation declares for a year, and the numbers that a self-assessment asks for."""

from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from wufei.ledger.views.desk import Desk, desk
from wufei.policies import loading, services
from wufei.policies.forms import STATEMENT_REFUSALS, DeclarationForm, StatementForm, ValueForm
from wufei.policies.models import Answer, Declaration, StatedValue
from wufei.policies.services import FIRST_YEAR
from wufei.policies.views.desks import NOT_EVALUATED, edition_or_404, editions_for
from wufei.registry.access import Permission

SOURCE = "页面“声明”"
YEARS_BACK = 8


@dataclass(frozen=True, slots=True)
class Line:
    """One item of the page: its form, what is kept, and what was said about the last save."""

    number: int
    item: str
    label: str
    hint: str
    form: StatementForm
    row: Declaration | StatedValue | None
    state: str = ""  # saved, stale, refused


@require_safe
def latest(request: HttpRequest, uscc: str) -> HttpResponse:
    """Go to the last year that is over."""
    at = desk(request, uscc, Permission.VIEW_FIGURES)
    return redirect("policies:declarations", uscc, at.today.year - 1)


@require_http_methods(["GET", "POST"])
def declarations(request: HttpRequest, uscc: str, year: int) -> HttpResponse:
    """Show what is declared of a year item by item, and save one item."""
    at = _desk(request, uscc, year)
    known = editions_for(at.organisation.kind)
    asked = next((each for each in known if each.id == request.GET.get("edition")), None)
    items = loading.declaration_items([asked] if asked else known)
    rows = {row.item: row for row in Declaration.objects.filter(organisation=at.organisation, year=year)}
    kept = {} if asked else {item: () for item in rows if item not in items}
    lines = [
        Line(
            number, item, item, "、".join(registers), _declaration_form(item, rows.get(item)), rows.get(item)
        )
        for number, (item, registers) in enumerate({**items, **kept}.items(), 1)
    ]
    context = {"year": year, "editions": known, "asked": asked, "is_declaration": True}
    if request.method == "POST":
        return _save(request, at, lines, year, context)
    return _page(request, at, lines, context)


def _declaration_form(item: str, row: Declaration | None, data: Any = None) -> DeclarationForm:
    initial = {"item": item, "version": row.version if row else 0}
    initial |= {"answer": row.answer, "basis": row.basis} if row else {}
    return DeclarationForm(data, initial=initial, auto_id=False)


@require_http_methods(["GET", "POST"])
def values(request: HttpRequest, uscc: str, edition_id: str, year: int) -> HttpResponse:
    """Show the numbers that the edition's self-assessment asks for, and save one."""
    at = _desk(request, uscc, year)
    edition = edition_or_404(at, edition_id, year)
    if not edition.stated_items:
        raise Http404
    rows = {row.item: row for row in StatedValue.objects.filter(organisation=at.organisation, year=year)}
    lines = [
        Line(
            number, each.id, f"{each.name}（{each.unit}）" if each.unit else each.name, "、".join(each.evidence),
            _value_form(each.id, rows.get(each.id)), rows.get(each.id),
        )
        for number, each in enumerate(edition.stated_items, 1)
    ]  # fmt: skip
    context = {"year": year, "edition": edition, "is_declaration": False}
    if request.method == "POST":
        return _save(request, at, lines, year, context)
    return _page(request, at, lines, context)


def _value_form(item: str, row: StatedValue | None, data: Any = None) -> ValueForm:
    initial: dict[str, Any] = {"item": item, "version": row.version if row else 0}
    if row:
        text = format(row.value, "f")
        initial |= {"value": text.rstrip("0").rstrip(".") if "." in text else text, "basis": row.basis}
    return ValueForm(data, initial=initial, auto_id=False)


def _desk(request: HttpRequest, uscc: str, year: int) -> Desk:
    may = Permission.EDIT_ORGANISATION if request.method == "POST" else Permission.VIEW_FIGURES
    at = desk(request, uscc, may)
    if not FIRST_YEAR <= year <= at.today.year or at.organisation.kind in NOT_EVALUATED:
        raise Http404
    return at


def _save(
    request: HttpRequest, at: Desk, lines: list[Line], year: int, context: dict[str, Any]
) -> HttpResponse:
    """Save one line; answer with that line alone where htmx asks, else with the page."""
    line = next((each for each in lines if each.item == request.POST.get("item")), None)
    if line is None:
        raise Http404
    saved, status = _saved(request, at, line, year, is_declaration=context["is_declaration"])
    if request.headers.get("HX-Request"):
        return render(request, "policies/_statement.html", at.context(line=saved, **context), status=status)
    if saved.state == "saved":
        return redirect(f"{request.get_full_path()}#item-{line.number}")
    shown = [saved if each.item == line.item else each for each in lines]
    return _page(request, at, shown, context, status)


def _saved(
    request: HttpRequest, at: Desk, line: Line, year: int, *, is_declaration: bool
) -> tuple[Line, int]:
    make: Any = _declaration_form if is_declaration else _value_form
    form = make(line.item, line.row, request.POST)
    row, state, status = line.row, "refused", 422
    if form.is_valid():
        said = dict(form.cleaned_data)
        version = said.pop("version")
        common: dict[str, Any] = {"organisation": at.organisation, "year": year, "by": at.user, "now": at.now}
        try:
            if is_declaration:
                services.declare(**common, **said, source=SOURCE, expected_version=version)
            else:
                services.state_value(**common, **said, expected_version=version)
            state, status = "saved", 200
            row = _again(line.item, at, year, is_declaration=is_declaration)
            form = make(line.item, row)
        except services.StatementRefused as refused:
            row = _again(line.item, at, year, is_declaration=is_declaration)
            form.add_error(refused.field if refused.field in ("answer", "basis", "value") else None,
                           STATEMENT_REFUSALS[refused.code])  # fmt: skip
            if refused.code == services.Code.STALE_EDIT:
                state, status = "stale", 409
                form.data = form.data.copy()
                form.data["version"] = str(row.version if row else 0)
    return Line(line.number, line.item, line.label, line.hint, form, row, state), status


def _again(item: str, at: Desk, year: int, *, is_declaration: bool) -> Declaration | StatedValue | None:
    model: Any = Declaration if is_declaration else StatedValue
    found: Declaration | StatedValue | None = model.objects.filter(
        organisation=at.organisation, item=item, year=year
    ).first()
    return found


def _page(
    request: HttpRequest, at: Desk, lines: list[Line], context: dict[str, Any], status: int = 200
) -> HttpResponse:
    done = sum(line.row is not None for line in lines)
    shown = at.context(
        lines=lines, done=done, years=range(at.today.year - YEARS_BACK, at.today.year + 1), route="declarations",
        answers=Answer.choices, **context,
    )  # fmt: skip
    template = "policies/declarations.html" if context["is_declaration"] else "policies/values.html"
    return render(request, template, shown, status=status)
