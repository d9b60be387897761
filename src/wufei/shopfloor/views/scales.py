"""Which scales are there, what did they say? Their list, their form, their readings."""

from datetime import datetime, time, timedelta

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import F, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from wufei.ledger.queries import stores_of
from wufei.ledger.views.desk import Desk, desk
from wufei.registry.access import Permission
from wufei.registry.views.listing import ROWS_PER_PAGE, filters, page_at
from wufei.shopfloor import queries, services
from wufei.shopfloor.forms import ReadingFilter, ReasonForm, ScaleForm, initial_of
from wufei.shopfloor.models import AbandonedEntry, Reading, Scale
from wufei.shopfloor.refusals import Code, ShopfloorRefused
from wufei.shopfloor.wording import TEXT
from wufei.terms.day import SHANGHAI

FIELD_OF = {
    Code.NAME_MISSING: "name",
    Code.CAPACITY_NOT_POSITIVE: "capacity",
    Code.DIVISION_UNFIT: "division",
    Code.STORE_UNKNOWN: "store",
    Code.STREAM_UNKNOWN: "stream",
}


@require_safe
def scales(request: HttpRequest, uscc: str) -> HttpResponse:
    """List the scales, those in use first, with the state of their calibration."""
    at = desk(request, uscc)
    in_use_first = F("retired_at").asc(nulls_first=True)
    ordered = queries.scales(organisation=at.organisation).order_by(in_use_first, "name", "pk")
    page = page_at(Paginator(ordered, ROWS_PER_PAGE), request.GET.get("page"))
    rows = [(row, queries.calibration(scale=row, on=at.today)) for row in page]
    has_stores = bool(stores_of(organisation=at.organisation))
    return render(request, "shopfloor/scales.html", at.context(page=page, rows=rows, has_stores=has_stores))


@never_cache
@require_http_methods(["GET", "POST"])
def new_scale(request: HttpRequest, uscc: str) -> HttpResponse:
    """Register a scale, and show its secret this once."""
    at = desk(request, uscc, Permission.EDIT_ORGANISATION)
    form = _form(at, request, None)
    if request.method == "POST" and form.is_valid():
        try:
            row, secret = services.register_scale(
                organisation=at.organisation, by=at.user, now=at.now, **form.said()
            )
        except ShopfloorRefused as refused:
            form.add_error(FIELD_OF.get(refused.code), _(TEXT[refused.code]))
        else:
            return _secret_page(request, at, row, secret)
    context = at.context(form=form, row=None)
    return render(request, "shopfloor/scale_form.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def edit_scale(request: HttpRequest, uscc: str, code: str) -> HttpResponse:
    """Change what is said of a scale."""
    at = desk(request, uscc, Permission.EDIT_ORGANISATION)
    row = _scale(at, code)
    form = _form(at, request, row)
    if request.method == "POST" and form.is_valid():
        try:
            services.change_scale(
                scale=row, version=form.cleaned_data["version"], by=at.user, now=at.now, **form.said()
            )
        except ShopfloorRefused as refused:
            form.add_error(FIELD_OF.get(refused.code), _(TEXT[refused.code]))
        else:
            messages.success(request, _("已保存“%(name)s”。") % {"name": form.cleaned_data["name"]})
            return redirect("shopfloor:scale", at.uscc, row.code)
    context = at.context(form=form, row=row)
    return render(request, "shopfloor/scale_form.html", context, status=422 if form.errors else 200)


def _form(at: Desk, request: HttpRequest, row: Scale | None) -> ScaleForm:
    return ScaleForm(
        request.POST if request.method == "POST" else None,
        stores=stores_of(organisation=at.organisation),
        streams=queries.streams_of(organisation=at.organisation),
        initial=initial_of(row) if row else None,
    )


def _scale(at: Desk, code: str) -> Scale:
    row = queries.scale_of(organisation=at.organisation, code=code)
    if row is None:
        raise Http404
    return row


def _secret_page(
    request: HttpRequest, at: Desk, row: Scale, secret: str, *, is_renewed: bool = False
) -> HttpResponse:
    context = at.context(row=row, secret=secret, is_renewed=is_renewed)
    return render(request, "shopfloor/scale_secret.html", context)


@never_cache
@require_POST
def renew_secret(request: HttpRequest, uscc: str, code: str) -> HttpResponse:
    """Give the scale another secret, and show it this once."""
    at = desk(request, uscc, Permission.EDIT_ORGANISATION)
    row = _scale(at, code)
    secret = services.renew_secret(scale=row, by=at.user, now=at.now)
    return _secret_page(request, at, row, secret, is_renewed=True)


@require_POST
def retire_scale(request: HttpRequest, uscc: str, code: str) -> HttpResponse:
    at = desk(request, uscc, Permission.EDIT_ORGANISATION)
    row = _scale(at, code)
    try:
        services.retire_scale(scale=row, by=at.user, now=at.now)
    except ShopfloorRefused as refused:
        messages.error(request, _(TEXT[refused.code]))
    else:
        messages.success(request, _("已停用“%(name)s”；它报过的读数都还在。") % {"name": row.name})
    return redirect("shopfloor:scale", at.uscc, row.code)


@require_safe
def scale(request: HttpRequest, uscc: str, code: str) -> HttpResponse:
    """Show a scale and what it said, the latest first."""
    at = desk(request, uscc)
    row = _scale(at, code)
    form = ReadingFilter(request.GET)
    found = _wanted(queries.readings(scale=row), form)
    page = page_at(Paginator(found.order_by("-received_at", "-pk"), ROWS_PER_PAGE), request.GET.get("page"))
    context = at.context(
        row=row, form=form, page=page, calibration=queries.calibration(scale=row, on=at.today),
        is_filtered=any(request.GET.get(name) for name in form.fields),
    )  # fmt: skip
    return render(request, "shopfloor/scale.html", context)


def _wanted(rows: QuerySet[Reading], form: ReadingFilter) -> QuerySet[Reading]:
    said = filters(form)
    rows = queries.in_state(rows, said.get("state", ""))
    if said.get("since"):
        rows = rows.filter(received_at__gte=datetime.combine(said["since"], time(), SHANGHAI))
    if said.get("through"):
        end = datetime.combine(said["through"] + timedelta(days=1), time(), SHANGHAI)
        rows = rows.filter(received_at__lt=end)
    return rows


@require_POST
def set_aside(request: HttpRequest, uscc: str, code: str, sequence: int) -> HttpResponse:
    """Say that a waiting reading weighed no waste."""
    at = desk(request, uscc, Permission.POST_MOVEMENTS)
    row = _scale(at, code)
    form = ReasonForm(request.POST)
    reason = form.cleaned_data["reason"] if form.is_valid() else ""
    try:
        services.set_aside(
            organisation=at.organisation, scale_code=row.code, sequence=sequence, reason=reason, by=at.user,
            now=at.now,
        )  # fmt: skip
    except ShopfloorRefused as refused:
        messages.error(request, _(TEXT[refused.code]))
    else:
        messages.success(request, _("读数 #%(n)s 已作废。") % {"n": sequence})
    return redirect("shopfloor:scale", at.uscc, row.code)


@require_safe
def abandoned(request: HttpRequest, uscc: str) -> HttpResponse:
    """List what workers gave up, with their reasons, the latest first."""
    at = desk(request, uscc)
    rows: QuerySet[AbandonedEntry] = queries.abandoned(organisation=at.organisation)
    page = page_at(Paginator(rows.order_by("-abandoned_at", "-pk"), ROWS_PER_PAGE), request.GET.get("page"))
    return render(request, "shopfloor/abandoned.html", at.context(page=page))
