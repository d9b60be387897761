"""A small generator registers itself, asks what became of it, and sets its own account once it is confirmed."""

from collections.abc import Sequence

from django.contrib.auth.decorators import login_not_required
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from wufei.catalogue.waste_codes import waste_entries
from wufei.collection import queries, services
from wufei.collection.forms import (
    ActivationForm,
    LookUpForm,
    RegistrationForm,
    WasteForm,
    are_valid,
    waste_forms,
)
from wufei.collection.models import Registration
from wufei.collection.refusals import CollectionRefused
from wufei.collection.wording import words
from wufei.portal.services import TooOften, note_attempt
from wufei.portal.views.notices import TRAP
from wufei.portal.views.visiting import address_digest, body_length, today
from wufei.registry.forms import ACCOUNT_REFUSALS
from wufei.registry.models import Organisation, OrganisationKind
from wufei.registry.services import AccountRefused, PasswordRefused

LONGEST_BODY = 64 * 1024
RECEIPT, RECEIPT_SECONDS = "wufei.portal.small-generator", 60 * 60


@csrf_exempt  # checked below, once we know that the body is worth reading
@login_not_required
@require_http_methods(["GET", "POST"])
def register(request: HttpRequest) -> HttpResponse:
    """Take in a registration; how long it is and how often the address tries is asked before it is read."""
    if request.method == "POST":
        if body_length(request) > LONGEST_BODY:
            return _refused(request, _("填写的内容过长，请精简后重新提交。"), 413)
        if (refused := _too_often(request, "registration")) is not None:
            return refused
    return _register(request)


def _too_often(request: HttpRequest, kind: str) -> HttpResponse | None:
    """Count the attempt; return what is answered to who has tried too often in this hour."""
    try:
        note_attempt(kind=kind, address_digest=address_digest(request), now=timezone.now())
    except TooOften:
        return _refused(request, _("提交过于频繁，请一小时后再试，或请收集单位、园区代为登记。"), 429)
    return None


def _refused(request: HttpRequest, said: str, status: int) -> HttpResponse:
    return render(request, "portal/refused.html", {"words": said}, status=status)


@csrf_protect
def _register(request: HttpRequest) -> HttpResponse:
    posted = request.POST if request.method == "POST" else None
    known = [organisation for organisation, _codes in queries.collectors(on=today())]
    parks = Organisation.objects.filter(kind=OrganisationKind.PARK, closed_on=None).order_by("name")
    form = RegistrationForm(posted, collectors=known, parks=list(parks))
    wastes = waste_forms(posted)
    if posted is not None and posted.get(TRAP):
        form.add_error(None, _("提交未被接受：请不要使用自动填写，清空表单后重新填写。"))
    if posted is not None and are_valid([form, *wastes]) and (receipt := _taken(form, wastes)):
        token = signing.dumps(receipt, salt=RECEIPT)
        return redirect(f"{reverse('portal:small-generator-received')}?t={token}")
    permits = queries.permits_shown(organisations=known, on=today())
    context = {
        "form": form, "wastes": wastes, "known": waste_entries(), "trap": TRAP,
        "serving": [(each, permits[each.pk]) for each in known],
    }  # fmt: skip
    return render(
        request, "portal/register_small_generator.html", context, status=200 if posted is None else 422
    )


def _taken(form: RegistrationForm, wastes: Sequence[WasteForm]) -> str:
    """Hand the registration in; what is refused is said at its field."""
    try:
        return services.submit(said=form.said(wastes), now=timezone.now())[1]
    except CollectionRefused as refused:
        form.add_error(refused.where if refused.where in form.fields else None, words(refused))
    return ""


@login_not_required
@never_cache
@require_safe
def received(request: HttpRequest) -> HttpResponse:
    """Show the receipt, to whoever has just registered."""
    try:
        receipt = signing.loads(request.GET.get("t", ""), salt=RECEIPT, max_age=RECEIPT_SECONDS)
    except signing.BadSignature as error:
        raise Http404 from error
    return render(request, "portal/small_generator_received.html", {"receipt": receipt})


@login_not_required
@never_cache
@sensitive_post_parameters("password", "receipt")
@require_http_methods(["GET", "POST"])
def status(request: HttpRequest) -> HttpResponse:
    """Say what became of a registration to who knows its receipt and phone; set the account of a confirmed one."""
    posted = request.POST if request.method == "POST" else None
    form, account = LookUpForm(posted), ActivationForm()
    found: Registration | None = None
    user = None
    if posted is not None:
        if (refused := _too_often(request, "activation")) is not None:
            return refused
        found = _found(form)
        if found is not None and posted.get("what") == "activate":
            account = ActivationForm(posted)
            user = _activated(form, account)
    context = {"form": form, "account": account, "found": found, "user_made": user}
    is_wrong = bool(form.errors or account.errors)
    return render(request, "portal/small_generator_status.html", context, status=422 if is_wrong else 200)


def _found(form: LookUpForm) -> Registration | None:
    if not form.is_valid():
        return None
    try:
        return services.look_up(**form.cleaned_data)
    except CollectionRefused as refused:
        form.add_error(None, words(refused))
    return None


def _activated(form: LookUpForm, account: ActivationForm) -> str:
    """Set the account; return its name."""
    if not account.is_valid():
        return ""
    try:
        return services.activate(**form.cleaned_data, **account.cleaned_data, now=timezone.now()).username
    except AccountRefused as refused:
        account.add_error("username", ACCOUNT_REFUSALS[refused.code])
    except PasswordRefused as weak:
        for reason in weak.reasons:
            account.add_error("password", reason)
    except CollectionRefused as refused:
        account.add_error(None, words(refused))
    return ""
