"""One's own account: password, second factor, tokens for machines."""

from base64 import b32encode
from datetime import datetime, timedelta
from urllib.parse import urlencode

import segno
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_otp import login as otp_login

from wufei.registry import queries, services
from wufei.registry.access import Role
from wufei.registry.forms import (
    ACCOUNT_REFUSALS,
    ROLE_LABELS,
    SCOPE_LABELS,
    SECOND_FACTOR_REFUSALS,
    TOKEN_REFUSALS,
    EnrolForm,
    OwnEmailForm,
    PasswordAgainForm,
    PasswordForm,
    TokenForm,
)
from wufei.registry.models import User
from wufei.registry.rules import Scope
from wufei.registry.services import emails, signing_in
from wufei.registry.tasks import mail_confirmation
from wufei.registry.views.listing import reader


@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """Show what one holds: roles, second factor, tokens."""
    user = reader(request)
    tokens = [
        {"token": t, "scopes": [SCOPE_LABELS[Scope(s)] for s in t.scopes]}
        for t in queries.tokens_of(user=user)
    ]
    context = {
        "roles": [(held.organisation, ROLE_LABELS[Role(held.role)]) for held in queries.roles_of(user=user)],
        "second_factor": queries.second_factor(user=user),
        "recovery_codes_left": queries.recovery_codes_left(user=user),
        "tokens": tokens,
        "now": timezone.now(),
    }
    return render(request, "registry/account.html", context)


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def change_password(request: HttpRequest) -> HttpResponse:
    """Change one's password; this session goes on, the others end."""
    user = reader(request)
    form = PasswordForm(user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.change_password(
                user=user, password=form.cleaned_data["new_password1"], by=user, now=timezone.now()
            )
        except services.PasswordRefused as refused:
            form.add_error("new_password1", refused.reasons)
        else:
            update_session_auth_hash(request, user)
            messages.success(request, _("密码已修改，其他设备上的登录已退出。"))
            return redirect("registry:account")
    return render(request, "registry/change_password.html", {"form": form})


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "POST"])
def change_email(request: HttpRequest) -> HttpResponse:
    """Change where one is mailed to; a new address has to be proved, where mail goes out at all."""
    user = reader(request)
    form = OwnEmailForm(request.POST or None, initial={"email": user.email})
    if request.method == "POST" and form.is_valid():
        if not user.check_password(form.cleaned_data["password"]):
            form.add_error("password", _("密码不对。"))
        else:
            try:
                _take_email(request, user, form.cleaned_data["email"], timezone.now())
            except services.AccountRefused as refused:
                form.add_error("email", ACCOUNT_REFUSALS[refused.code])
            else:
                return redirect("registry:account")
    context = {"form": form, "is_proved": settings.MAIL_IS_ON}
    return render(request, "registry/change_email.html", context)


def _take_email(request: HttpRequest, user: User, email: str, now: datetime) -> None:
    """Keep an address at once, or send the link that proves it."""
    if not email or not settings.MAIL_IS_ON:
        emails.set_email(user=user, email=email, by=user, now=now)
        messages.success(request, _("邮箱已保存。") if email else _("邮箱已清除，今后只在系统内提醒。"))
        return
    token = emails.confirmation(user=user, email=email, now=now)
    path = f"{reverse('registry:confirm-email')}?{urlencode({'token': token})}"
    link = f"{settings.SITE_ADDRESS}{path}" if settings.SITE_ADDRESS else request.build_absolute_uri(path)
    mail_confirmation.enqueue(email, link)
    messages.success(
        request, _("确认邮件已发往 %(email)s。24 小时内打开其中的链接，新邮箱才生效。") % {"email": email}
    )


@never_cache
@require_http_methods(["GET", "POST"])
def confirm_email(request: HttpRequest) -> HttpResponse:
    """Let the owner of an account confirm the address to which the link came."""
    user, token, now = reader(request), request.GET.get("token", ""), timezone.now()
    try:
        email = emails.email_to_confirm(user=user, token=token, now=now)
        if request.method == "POST":
            emails.confirm_email(user=user, token=token, by=user, now=now)
            messages.success(request, _("邮箱已确认。"))
            return redirect("registry:account")
    except services.AccountRefused as refused:
        messages.error(request, ACCOUNT_REFUSALS[refused.code])
        return redirect("registry:account")
    return render(request, "registry/confirm_email.html", {"email": email})


@never_cache
@require_http_methods(["GET", "POST"])
def enrol_second_factor(request: HttpRequest) -> HttpResponse:
    """Show the QR code for the app, and put the second factor in force with its first code."""
    user = reader(request)
    now = timezone.now()
    form = EnrolForm(request.POST or None)
    if queries.second_factor(user=user):
        return redirect("registry:account")
    if request.method == "POST" and form.is_valid():
        try:
            device, codes = signing_in.confirm_second_factor(
                user=user, code=form.cleaned_data["code"], by=user, now=now
            )
        except signing_in.SecondFactorRefused as refused:
            form.add_error("code", SECOND_FACTOR_REFUSALS[refused.code])
        else:
            otp_login(request, device)
            messages.success(request, _("两步验证已启用。下次登录时要输入验证码。"))
            return render(request, "registry/recovery_codes.html", {"codes": codes})
    device = signing_in.begin_second_factor(user=user, by=user, now=now)
    drawing = segno.make(device.config_url, error="m").svg_data_uri(scale=6, border=2)
    context = {"form": form, "qr": drawing, "key": _grouped(device.bin_key)}
    return render(request, "registry/enrol_second_factor.html", context)


def _grouped(key: bytes) -> str:
    """Write the key as people type it into an app that can't scan."""
    letters = b32encode(key).decode()
    return " ".join(letters[i : i + 4] for i in range(0, len(letters), 4))


@require_POST
def renew_recovery_codes(request: HttpRequest) -> HttpResponse:
    """Show fresh recovery codes once."""
    user = reader(request)
    try:
        codes = signing_in.renew_recovery_codes(user=user, by=user, now=timezone.now())
    except signing_in.SecondFactorRefused as refused:
        messages.error(request, SECOND_FACTOR_REFUSALS[refused.code])
        return redirect("registry:account")
    return render(request, "registry/recovery_codes.html", {"codes": codes})


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def remove_second_factor(request: HttpRequest) -> HttpResponse:
    """Give up the second factor, after the password was given again."""
    user = reader(request)
    form = PasswordAgainForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if not user.check_password(form.cleaned_data["password"]):
            form.add_error("password", _("密码不对。"))
        else:
            try:
                signing_in.remove_second_factor(user=user, by=user, now=timezone.now())
            except signing_in.SecondFactorRefused as refused:
                messages.error(request, SECOND_FACTOR_REFUSALS[refused.code])
            else:
                messages.success(request, _("两步验证已停用。"))
            return redirect("registry:account")
    return render(request, "registry/remove_second_factor.html", {"form": form})


@never_cache
@require_http_methods(["GET", "POST"])
def issue_token(request: HttpRequest) -> HttpResponse:
    """Make a token and show its secret, this once."""
    user = reader(request)
    form = TokenForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        said, now = form.cleaned_data, timezone.now()
        try:
            token, secret = services.issue_token(
                user=user, name=said["name"], scopes=said["scopes"], by=user, now=now,
                expires_at=now + timedelta(days=said["days"]),
            )  # fmt: skip
        except services.TokenRefused as refused:
            form.add_error("scopes", TOKEN_REFUSALS[refused.code])
        else:
            return render(request, "registry/token_secret.html", {"token": token, "secret": secret})
    return render(request, "registry/issue_token.html", {"form": form})


@require_POST
def revoke_token(request: HttpRequest, pk: int) -> HttpResponse:
    """End one of one's own tokens."""
    user = reader(request)
    token = queries.tokens_of(user=user).filter(pk=pk).first()
    if token is None:
        raise Http404
    try:
        services.revoke_token(token=token, by=user, now=timezone.now())
    except services.TokenRefused as refused:
        messages.error(request, TOKEN_REFUSALS[refused.code])
    else:
        messages.success(request, _("令牌已撤销，用它的程序不能再访问。"))
    return redirect("registry:account")
