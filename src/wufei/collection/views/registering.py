"""Registrations: listed, confirmed or declined, said on somebody's behalf; and what a generator agrees itself."""

from collections.abc import Sequence

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from wufei.catalogue.waste_codes import waste_entries
from wufei.collection import queries, services
from wufei.collection.forms import (
    AgreedForm,
    AgreementForm,
    DecisionForm,
    OnBehalfForm,
    RegistrationForm,
    WasteForm,
    are_valid,
    waste_forms,
)
from wufei.collection.models import Registration
from wufei.collection.refusals import Code, CollectionRefused
from wufei.collection.services.registering import CONFIRMS
from wufei.collection.wording import words
from wufei.ledger.views.desk import Desk, desk
from wufei.registry.access import Permission
from wufei.registry.models import Organisation, OrganisationKind
from wufei.registry.queries import own_organisations, require
from wufei.registry.views.listing import page_at, reader
from wufei.registry.views.organisations import division_name

ROWS = 50


def tell(form: forms.Form, refused: CollectionRefused) -> None:
    """Say what was refused, at its field where the form has it."""
    form.add_error(refused.where if refused.where in form.fields else None, words(refused))


def parks() -> list[Organisation]:
    return list(Organisation.objects.filter(kind=OrganisationKind.PARK, closed_on=None).order_by("name"))


def _desk(request: HttpRequest, uscc: str) -> Desk:
    """Return the desk of who may confirm for the organisation."""
    at = desk(request, uscc, Permission.VIEW_ORGANISATION)
    permission = CONFIRMS.get(OrganisationKind(at.organisation.kind), Permission.HANDLE_MANIFESTS)
    require(user=at.user, permission=permission, organisation=at.organisation, on=at.today)
    return at


@require_safe
def registrations(request: HttpRequest, uscc: str) -> HttpResponse:
    """List the registrations that wait for the organisation, and those that it decided."""
    at = _desk(request, uscc)
    rows = queries.registrations_for(organisation=at.organisation)
    pending = rows.filter(state=Registration.State.PENDING)
    shown = (
        pending if request.GET.get("state") != "decided" else rows.exclude(state=Registration.State.PENDING)
    )
    page = page_at(Paginator(shown, ROWS), request.GET.get("page"))
    context = at.context(
        page=page, waiting=pending.count(), is_decided=request.GET.get("state") == "decided",
        rows=[(row, division_name(row.division_code)) for row in page],
    )  # fmt: skip
    return render(request, "collection/registrations.html", context)


@require_safe
def find(request: HttpRequest, registration_id: int) -> HttpResponse:
    """Lead to a registration at the one of the reader's own organisations that may confirm it."""
    own = own_organisations(user=reader(request))
    row = queries.pending_for(organisations=own).filter(pk=registration_id).first()
    if row is None:
        raise Http404
    whose = next(
        each for each in own if each in (row.collector, row.park) or each.kind == OrganisationKind.AUTHORITY
    )
    return redirect("collection:registration", whose.uscc, row.pk)


@require_http_methods(["GET", "POST"])
def registration(request: HttpRequest, uscc: str, registration_id: int) -> HttpResponse:
    """Show a registration; confirm it, decline it, or give out a new receipt."""
    at = _desk(request, uscc)
    row = queries.registrations_for(organisation=at.organisation).filter(pk=registration_id).first()
    if row is None:
        raise Http404
    posted = request.POST if request.method == "POST" else None
    agreed, decision = AgreedForm(posted), DecisionForm(posted)
    receipt = ""
    if posted is not None and agreed.is_valid() and decision.is_valid():
        try:
            receipt = _decide(at, row, posted.get("what", ""), agreed, decision)
        except CollectionRefused as refused:
            tell(decision if refused.where == "reason" else agreed, refused)
        else:
            if not receipt:
                return redirect("collection:registration", at.uscc, row.pk)
    context = at.context(
        row=row, agreed=agreed, decision=decision, receipt=receipt, division=division_name(row.division_code),
        is_collector=row.collector == at.organisation, may_renew=row.decided_for == at.organisation,
    )  # fmt: skip
    return render(
        request,
        "collection/registration.html",
        context,
        status=422 if agreed.errors or decision.errors else 200,
    )


def _decide(at: Desk, row: Registration, what: str, agreed: AgreedForm, decision: DecisionForm) -> str:
    """Do what was asked; return a new receipt where that was it."""
    if what == "decline":
        services.decline(
            registration=row,
            organisation=at.organisation,
            reason=decision.cleaned_data["reason"],
            by=at.user,
            now=at.now,
        )
    elif what == "renew":
        return services.renew_receipt(registration=row, organisation=at.organisation, by=at.user, now=at.now)
    else:
        services.confirm(
            registration=row, organisation=at.organisation, agreed=agreed.said(), by=at.user, now=at.now
        )
    return ""


@require_http_methods(["GET", "POST"])
def register(request: HttpRequest, uscc: str) -> HttpResponse:
    """Register a generator for it, with its written consent."""
    at = _desk(request, uscc)
    posted = request.POST if request.method == "POST" else None
    known = [organisation for organisation, _codes in queries.collectors(on=at.today)]
    form = RegistrationForm(
        posted, collectors=known, parks=parks(), initial={"division_code": at.organisation.division_code}
    )
    is_collector = at.organisation in known
    for name in ("park", *(("collector",) if is_collector else ())):
        del form.fields[name]
    consent, agreed, wastes = OnBehalfForm(posted), AgreedForm(posted), waste_forms(posted)
    done = None
    if posted is not None and are_valid([form, consent, agreed, *wastes]):
        done = _registered(at, form, consent, agreed, wastes)
    context = at.context(
        form=form, consent=consent, agreed=agreed, wastes=wastes, known=waste_entries(), done=done,
        is_collector=is_collector,
    )  # fmt: skip
    is_wrong = posted is not None and done is None
    return render(request, "collection/register.html", context, status=422 if is_wrong else 200)


def _registered(
    at: Desk, form: RegistrationForm, consent: OnBehalfForm, agreed: AgreedForm, wastes: Sequence[WasteForm]
) -> tuple[Registration, str] | None:
    try:
        return services.register_on_behalf(
            said=form.said(wastes), organisation=at.organisation, consent=consent.cleaned_data["consent"],
            agreed=agreed.said(), by=at.user, now=at.now,
        )  # fmt: skip
    except CollectionRefused as refused:
        where = {"consent": consent, "agreed": agreed}.get(refused.where, form)
        tell(where, refused)
    return None


@require_POST
def enrol(request: HttpRequest, uscc: str) -> HttpResponse:
    """Let an organisation that is here already declare month by month."""
    at = desk(request, uscc, Permission.HANDLE_MANIFESTS)
    try:
        services.enrol(organisation=at.organisation, by=at.user, now=at.now)
    except CollectionRefused as refused:
        messages.error(request, words(refused))
    else:
        messages.success(request, _("已开通月度申报。"))
    return redirect("collection:home", at.uscc)


@require_http_methods(["GET", "POST"])
def agree(request: HttpRequest, uscc: str) -> HttpResponse:
    """Record the contract with a collector, and that one has looked at who it is."""
    at = desk(request, uscc, Permission.HANDLE_MANIFESTS)
    serving = [
        organisation
        for organisation, codes in queries.collectors(on=at.today)
        if queries.serves(codes, at.organisation.division_code) and organisation != at.organisation
    ]
    form = AgreementForm(request.POST if request.method == "POST" else None, collectors=serving)
    if request.method == "POST" and form.is_valid():
        try:
            services.agree(
                organisation=at.organisation, collector=form.known[form.cleaned_data["collector"]], agreed=form.said(),
                has_checked_collector=form.cleaned_data["has_checked_collector"], by=at.user, now=at.now,
            )  # fmt: skip
        except CollectionRefused as refused:
            if refused.code is Code.CONTRACT_MALFORMED:
                form.add_error("number", words(refused))
            else:
                tell(form, refused)
        else:
            messages.success(request, _("已登记收集合同。"))
            return redirect("collection:home", at.uscc)
    permits = queries.permits_shown(organisations=serving, on=at.today)
    context = at.context(form=form, serving=[(each, permits[each.pk]) for each in serving])
    return render(request, "collection/agree.html", context, status=422 if form.errors else 200)
