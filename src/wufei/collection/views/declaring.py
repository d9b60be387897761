"""A small generator's own pages: its months, the declaration on one page, what is fetched when, its signing code."""

from collections.abc import Sequence
from datetime import date

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from wufei.collection import months, queries, rules, services
from wufei.collection.forms import DeclarationForm, SigningCodeForm, WasteDeclaredForm, are_valid
from wufei.collection.models import Declaration, SigningCode, Stop
from wufei.collection.refusals import Code, CollectionRefused
from wufei.collection.views.registering import tell
from wufei.collection.wording import words
from wufei.ledger.views.desk import Desk, desk
from wufei.registry.access import Permission
from wufei.registry.models import Contract
from wufei.registry.queries import contracts_on
from wufei.registry.views.listing import page_at
from wufei.transfers.states import State

ROWS = 12


@require_safe
def declarations(request: HttpRequest, uscc: str) -> HttpResponse:
    """List the months with what is known of each; the one to declare now on top."""
    at = desk(request, uscc)
    rows = queries.months_said(organisation=at.organisation, on=at.today)
    asked = months.asked_for(at.today)
    due = next((row for row in rows if row.month == asked and row.declaration is None), None)
    receiving = contracts_on(organisation=at.organisation, purpose=Contract.Purpose.RECEIVING, on=at.today)
    context = at.context(
        page=page_at(Paginator(rows, ROWS), request.GET.get("page")), due=due,
        is_enrolled=queries.is_small_generator(organisation=at.organisation, on=at.today),
        contracts=receiving.select_related("counterparty").order_by("valid_through"),
        due_rule=rules.known_rules()["declaration_due_day"],
    )  # fmt: skip
    return render(request, "collection/declarations.html", context)


@require_http_methods(["GET", "POST"])
def declare(request: HttpRequest, uscc: str, year: int, month: int) -> HttpResponse:
    """Declare a month, on a phone, in a minute; or correct it."""
    at = desk(request, uscc, Permission.POST_MOVEMENTS)
    day = _first_day(year, month)
    if not queries.is_small_generator(organisation=at.organisation, on=at.today):
        return redirect("collection:home", at.uscc)
    posted = request.POST if request.method == "POST" else None
    form = DeclarationForm(posted)
    wastes = [
        WasteDeclaredForm(posted, waste=each)
        for each in queries.wastes_asked(organisation=at.organisation, month=day)
    ]
    if posted is not None and are_valid([form, *wastes]):
        made = _declared(at, day, form, wastes)
        if made is not None:
            messages.success(request, _("已申报 %(month)s。") % {"month": f"{day:%Y-%m}"})
            return redirect("collection:declarations", at.uscc)
    before = queries.newest_declarations().filter(organisation=at.organisation, month=day).first()
    context = at.context(
        form=form,
        wastes=wastes,
        month=day,
        before=before,
        due_on=months.due_on(day, rules.declaration_due_day()),
    )
    is_wrong = any(each.errors for each in (form, *wastes))
    return render(request, "collection/declare.html", context, status=422 if is_wrong else 200)


def _first_day(year: int, month: int) -> date:
    if not (1949 <= year <= 2200 and 1 <= month <= 12):
        raise Http404
    return date(year, month, 1)


def _declared(
    at: Desk, month: date, form: DeclarationForm, wastes: Sequence[WasteDeclaredForm]
) -> Declaration | None:
    is_nothing: bool = form.cleaned_data["is_nothing"]
    silent = [each for each in wastes if each.is_silent]
    if silent and not is_nothing:
        for each in silent:
            each.add_error("new", _("请填数量；没有新产生的填 0。"))
        return None
    try:
        return services.declare(
            organisation=at.organisation, month=month, is_nothing=is_nothing, client_id=form.cleaned_data["client_id"],
            lines=[each.said(is_nothing=is_nothing) for each in wastes], by=at.user, now=at.now,
        )  # fmt: skip
    except CollectionRefused as refused:
        _tell(form, wastes, refused)
    return None


def _tell(form: DeclarationForm, wastes: Sequence[WasteDeclaredForm], refused: CollectionRefused) -> None:
    """Say what was refused at the waste that it is about."""
    field = "reason" if refused.code is Code.REASON_MISSING else None
    for each in wastes:
        if refused.where == f"lines.{each.waste.stream.code}":
            each.add_error(field, words(refused))
            return
    tell(form, refused)


# --- what is fetched


@require_safe
def pickups(request: HttpRequest, uscc: str) -> HttpResponse:
    """Show what will be fetched when and by whom, to be signed; and what became of it before."""
    at = desk(request, uscc, Permission.SIGN_MANIFESTS)
    return _pickups(request, at, SigningCodeForm())


def _pickups(request: HttpRequest, at: Desk, form: forms.Form, status: int = 200) -> HttpResponse:
    code = SigningCode.objects.filter(organisation=at.organisation).select_related("user").first()
    past = queries.past_pickups_of(generator=at.organisation)
    context = at.context(
        coming=[(stop, stop.manifest.now_in is State.DRAFT) for stop in queries.pickups_for(generator=at.organisation)],
        page=page_at(Paginator(past, ROWS), request.GET.get("page")), form=form, code=code,
    )  # fmt: skip
    return render(request, "collection/pickups.html", context, status=status)


@require_POST
def sign_pickup(request: HttpRequest, uscc: str, stop_id: int) -> HttpResponse:
    """Sign, as the generator, what will be handed over."""
    at = desk(request, uscc, Permission.HANDLE_MANIFESTS)
    own = Stop.objects.filter(generator=at.organisation).select_related("manifest")
    stop = get_object_or_404(own, pk=stop_id)
    try:
        services.sign_as_generator(stop=stop, organisation=at.organisation, by=at.user, now=at.now)
    except CollectionRefused as refused:
        messages.error(request, words(refused))
    else:
        messages.success(request, _("已签字，收运人员可以装车。"))
    return redirect("collection:pickups", at.uscc)


@sensitive_post_parameters("code")
@require_POST
def signing_code(request: HttpRequest, uscc: str) -> HttpResponse:
    """Set one's own signing code."""
    at = desk(request, uscc, Permission.HANDLE_MANIFESTS)
    form = SigningCodeForm(request.POST)
    if form.is_valid():
        try:
            services.set_signing_code(
                organisation=at.organisation, code=form.cleaned_data["code"], by=at.user, now=at.now
            )
        except CollectionRefused as refused:
            tell(form, refused)
        else:
            messages.success(request, _("签收码已设好，原来的不再有效。"))
            return redirect("collection:pickups", at.uscc)
    return _pickups(request, at, form, 422)
