"""Signing in and out, the second step, and the lock-out."""

from datetime import datetime
from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from axes.helpers import get_client_ip_address
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth import login, logout
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST
from django_otp import login as otp_login

from wufei.registry import queries
from wufei.registry.forms import SECOND_FACTOR_REFUSALS, CodeForm, SignInForm
from wufei.registry.services import signing_in as services
from wufei.registry.views.listing import reader


def _next_page(request: HttpRequest) -> str:
    """Return where the person wanted to go, if that is here."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if is_ours else resolve_url(settings.LOGIN_REDIRECT_URL)


@login_not_required
@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Ask for name and password; the second step, where there is one, follows on its own page."""
    if request.user.is_authenticated:
        return redirect(_next_page(request))
    if request.method == "GET":
        return _ask(request, SignInForm(request))
    was_locked = AxesProxyHandler.is_locked(request, {"username": request.POST.get("username", "")})
    form = SignInForm(request, data=request.POST)
    if not form.is_valid():
        if form.non_field_errors() and not was_locked:
            services.record_refused_sign_in(
                username=form.cleaned_data.get("username", ""),
                address=get_client_ip_address(request) or "",
                is_locked=bool(getattr(request, "axes_locked_out", False)),
                now=timezone.now(),
            )
        return _ask(request, form)
    with transaction.atomic():
        user = form.get_user()
        login(request, user)
        services.record_sign_in(user=user, address=get_client_ip_address(request) or "", now=timezone.now())
    return redirect(_next_page(request))


def _ask(request: HttpRequest, form: SignInForm) -> HttpResponse:
    context = {"form": form, "next": request.POST.get("next") or request.GET.get("next", "")}
    return render(request, "registry/sign_in.html", context)


@login_not_required
def locked_out(
    request: HttpRequest, response: HttpResponse | None, credentials: dict[str, Any] | None
) -> HttpResponse:
    """Say that too many tries failed, and when the next one is read."""
    username = (credentials or {}).get("username") or request.POST.get("username", "")
    tries = AccessAttempt.objects.filter(username=username, ip_address=get_client_ip_address(request))
    last: datetime = tries.aggregate(last=Max("attempt_time"))["last"] or timezone.now()
    until = last + settings.AXES_COOLOFF_TIME
    answer = render(request, "registry/locked_out.html", {"until": until}, status=429)
    answer["Retry-After"] = str(max(0, int((until - timezone.now()).total_seconds())))
    return answer


@never_cache
@require_http_methods(["GET", "POST"])
def second_factor(request: HttpRequest) -> HttpResponse:
    """Ask for the code of the device; until it is right, no other page is shown."""
    user = reader(request)
    if user.is_verified() or queries.second_factor(user=user) is None:  # type: ignore[attr-defined]
        return redirect(_next_page(request))
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            device = services.verify_second_factor(
                user=user, code=form.cleaned_data["code"], now=timezone.now()
            )
        except services.SecondFactorRefused as refused:
            form.add_error("code", SECOND_FACTOR_REFUSALS[refused.code])
            return _ask_for_code(request, form, refused.retry_at)
        otp_login(request, device)
        return redirect(_next_page(request))
    return _ask_for_code(request, form)


def _ask_for_code(request: HttpRequest, form: CodeForm, retry_at: datetime | None = None) -> HttpResponse:
    context = {
        "form": form,
        "next": request.POST.get("next") or request.GET.get("next", ""),
        "retry_at": retry_at,
    }
    return render(request, "registry/second_factor.html", context)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    services.record_sign_out(user=reader(request), now=timezone.now())
    logout(request)
    return redirect(settings.LOGOUT_REDIRECT_URL)
