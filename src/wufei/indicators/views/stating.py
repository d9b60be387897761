"""What the organisation states itself for a year: 年度经营 and 产品."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from wufei.indicators import services
from wufei.indicators.forms import INPUT_REFUSALS, OperationForm, ProductForm
from wufei.indicators.models import AnnualOperation, AnnualProduct
from wufei.indicators.views.tables import address
from wufei.ledger.views.desk import Desk, desk
from wufei.registry.access import Permission

SOURCE = "页面“年度填报”"
_AMOUNTS = ("output_value_10k_yuan", "sales_10k_yuan", "value_added_10k_yuan")
_YEARS_BACK = 8


@require_safe
def latest(request: HttpRequest, uscc: str) -> HttpResponse:
    """Go to the last year that is over."""
    at = desk(request, uscc, Permission.VIEW_FIGURES)
    return redirect("indicators:stated", uscc, at.today.year - 1)


@require_http_methods(["GET", "POST"])
def stated(request: HttpRequest, uscc: str, year: int) -> HttpResponse:
    """Show what is stated of a year, and take the production value."""
    may = Permission.EDIT_ORGANISATION if request.method == "POST" else Permission.VIEW_FIGURES
    at = desk(request, uscc, may)
    _check(year, at.today)
    row = AnnualOperation.objects.filter(organisation=at.organisation, year=year).first()
    form = OperationForm(request.POST or None, initial=_initial(row, _AMOUNTS))
    if request.method == "POST" and form.is_valid() and _kept(request, at, year, form):
        return redirect("indicators:stated", uscc, year)
    stale = row if _is_stale(form) else None
    if stale:
        _show_version(form, stale.version)
    context = at.context(
        year=year, form=form, stale=stale, years=range(at.today.year - _YEARS_BACK, at.today.year + 1),
        products=AnnualProduct.objects.filter(organisation=at.organisation, year=year).order_by("pk"),
        row=row, declarations=address("policies:declarations", uscc, year),
    )  # fmt: skip
    return render(request, "indicators/stated.html", context, status=_status(form))


def _kept(request: HttpRequest, at: Desk, year: int, form: OperationForm) -> bool:
    said = form.cleaned_data
    try:
        changed = services.state_operation(
            organisation=at.organisation, year=year, source=SOURCE, by=at.user, now=at.now,
            expected_version=said["version"], **{name: said[name] for name in _AMOUNTS},
        )  # fmt: skip
    except services.InputRefused as refused:
        _refuse(form, refused)
        return False
    messages.success(request, _("已保存 %d 年度经营。") % year if changed else _("没有改动。"))
    return True


@require_http_methods(["GET", "POST"])
def new_product(request: HttpRequest, uscc: str, year: int) -> HttpResponse:
    """Take a product of the year."""
    return _product_page(request, uscc, year, None)


@require_http_methods(["GET", "POST"])
def product(request: HttpRequest, uscc: str, year: int, key: int) -> HttpResponse:
    """Change what is stated of a product; its name stays."""
    return _product_page(request, uscc, year, key)


def _product_page(request: HttpRequest, uscc: str, year: int, key: int | None) -> HttpResponse:
    at = desk(request, uscc, Permission.EDIT_ORGANISATION)
    _check(year, at.today)
    row = get_object_or_404(AnnualProduct, organisation=at.organisation, year=year, pk=key) if key else None
    fields = ("name", "output", "unit", "capacity", "is_main")
    form = ProductForm(request.POST or None, initial=_initial(row, fields))
    if row:
        form.fields["name"].disabled = True
    if request.method == "POST" and form.is_valid():
        said = {name: form.cleaned_data[name] for name in fields}
        try:
            services.state_product(
                organisation=at.organisation, year=year, source=SOURCE, by=at.user, now=at.now,
                expected_version=form.cleaned_data["version"], **said,
            )  # fmt: skip
        except services.InputRefused as refused:
            _refuse(form, refused)
        else:
            messages.success(request, _("已保存产品“%s”。") % said["name"])
            return redirect("indicators:stated", uscc, year)
    if _is_stale(form):
        row = row or AnnualProduct.objects.filter(
            organisation=at.organisation, year=year, name=form.cleaned_data["name"]
        ).first()  # fmt: skip
        _show_version(form, row.version if row else 0)
    context = at.context(year=year, form=form, row=row, stale=row if _is_stale(form) else None)
    return render(request, "indicators/product.html", context, status=_status(form))


def _initial(row: Any, fields: tuple[str, ...]) -> dict[str, Any]:
    said = {name: getattr(row, name) for name in fields} if row else {}
    said |= {name: _plain(value) for name, value in said.items() if hasattr(value, "normalize")}
    return {"version": row.version if row else 0, **said}


def _plain(value: Any) -> str:
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _refuse(form: OperationForm | ProductForm, refused: services.InputRefused) -> None:
    field = refused.field if refused.field in form.fields and refused.field != "version" else None
    form.add_error(field, INPUT_REFUSALS[refused.code])
    form.is_stale = refused.code == "stale_edit"  # type: ignore[union-attr]


def _show_version(form: OperationForm | ProductForm, version: int) -> None:
    """Let the next save be of the row as it is now: the reader has been shown it."""
    said = form.data.copy()  # type: ignore[attr-defined]  # a QueryDict
    said["version"] = str(version)
    form.data = said


def _is_stale(form: OperationForm | ProductForm) -> bool:
    return getattr(form, "is_stale", False)


def _status(form: OperationForm | ProductForm) -> int:
    if _is_stale(form):
        return 409
    return 422 if form.errors else 200


def _check(year: int, today: date) -> None:
    if not services.FIRST_YEAR <= year <= today.year:
        raise Http404
