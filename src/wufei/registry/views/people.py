"""People and their roles; for administrators."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from wufei.registry import queries, services
from wufei.registry.access import Permission, Role
from wufei.registry.forms import (
    ACCOUNT_REFUSALS,
    ROLE_LABELS,
    SECOND_FACTOR_REFUSALS,
    NewPasswordForm,
    RoleForm,
    UserEmailForm,
    UserFilter,
    UserForm,
)
from wufei.registry.models import User
from wufei.registry.services import emails, signing_in
from wufei.registry.views.listing import export, filters, listing, reader, sorted_rows

USER_SORTS = {
    "username": ("username",),
    "full_name": ("full_name", "username"),
    "last_login": ("last_login",),
}


def _administrator(request: HttpRequest) -> User:
    user = reader(request)
    queries.require_as_operator(user=user, permission=Permission.MANAGE_USERS)
    return user


def _person(pk: int) -> User:
    found = queries.found_users().filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def _roles(user: User) -> list[tuple[Any, str]]:
    return [(held, str(ROLE_LABELS[Role(held.role)])) for held in user.role_assignments.all()]


@require_safe
def users(request: HttpRequest) -> HttpResponse:
    """List the people who may sign in."""
    _administrator(request)
    form = UserFilter(request.GET)
    asked = filters(form)
    is_active = {"active": True, "inactive": False}.get(asked.get("state", ""))
    rows = queries.found_users(text=asked.get("q", ""), role=asked.get("role", ""), is_active=is_active)
    if request.GET.get("export") == "xlsx":
        ordered, _sort = sorted_rows(request=request, rows=rows, sorts=USER_SORTS, default="username")
        return export(title=_("用户"), columns=_user_columns(), rows=ordered)
    shown = listing(request=request, rows=rows, sorts=USER_SORTS, default_sort="username", form=form)
    lines = [(row, _roles(row)) for row in shown.page]
    return render(request, "registry/users.html", {"listing": shown, "lines": lines})


def _user_columns() -> list[tuple[str, Any]]:
    def roles(user: User) -> str:
        return "；".join(f"{held.organisation.name} {label}" for held, label in _roles(user))

    return [
        (_("用户名"), lambda row: row.username),
        (_("姓名"), lambda row: row.full_name),
        (_("电话"), lambda row: row.phone),
        (_("邮箱"), lambda row: row.email),
        (_("角色"), roles),
        (_("状态"), lambda row: _("可登录") if row.is_active else _("已停用")),
        (_("上次登录"), lambda row: row.last_login and timezone.localtime(row.last_login)),
    ]


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Make an account."""
    by = _administrator(request)
    form = UserForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.create_user(**form.cleaned_data, by=by, now=timezone.now())
        except services.AccountRefused as refused:
            field = "email" if refused.code == "email_malformed" else "username"
            form.add_error(field, ACCOUNT_REFUSALS[refused.code])
        except services.PasswordRefused as refused:
            form.add_error("password", refused.reasons)
        else:
            messages.success(request, _("账号已建立。请分配角色，否则登录后看不到任何单位。"))
            return redirect("registry:user", made.pk)
    return render(request, "registry/create_user.html", {"form": form})


def _show(
    request: HttpRequest,
    person: User,
    role_form: RoleForm,
    password_form: NewPasswordForm,
    email_form: UserEmailForm | None = None,
) -> HttpResponse:
    context = {
        "person": person,
        "roles": _roles(person),
        "second_factor": queries.second_factor(user=person),
        "role_form": role_form,
        "password_form": password_form,
        "email_form": email_form or UserEmailForm(initial={"email": person.email}),
    }
    return render(request, "registry/user.html", context)


@require_safe
def user(request: HttpRequest, pk: int) -> HttpResponse:
    """Show an account and its roles."""
    _administrator(request)
    return _show(request, _person(pk), RoleForm(), NewPasswordForm())


@require_POST
def assign_role(request: HttpRequest, pk: int) -> HttpResponse:
    by, person = _administrator(request), _person(pk)
    form = RoleForm(request.POST)
    if form.is_valid():
        role = Role(form.cleaned_data["role"])
        try:
            services.assign_role(
                user=person, organisation=form.cleaned_data["uscc"], role=role, by=by, now=timezone.now()
            )
        except services.AccountRefused as refused:
            form.add_error("role", ACCOUNT_REFUSALS[refused.code])
        else:
            messages.success(request, _("已分配角色。"))
            return redirect("registry:user", pk)
    return _show(request, person, form, NewPasswordForm())


@require_POST
def remove_role(request: HttpRequest, pk: int, assignment_pk: int) -> HttpResponse:
    by, person = _administrator(request), _person(pk)
    held = next((h for h in person.role_assignments.all() if h.pk == assignment_pk), None)
    if held is None:
        raise Http404
    try:
        services.remove_role(
            user=person, organisation=held.organisation, role=Role(held.role), by=by, now=timezone.now()
        )
    except services.AccountRefused as refused:
        messages.error(request, ACCOUNT_REFUSALS[refused.code])
    else:
        messages.success(request, _("已移除角色。"))
    return redirect("registry:user", pk)


@require_POST
def set_active(request: HttpRequest, pk: int) -> HttpResponse:
    by, person = _administrator(request), _person(pk)
    is_active = request.POST.get("is_active") == "1"
    try:
        services.set_active(user=person, is_active=is_active, by=by, now=timezone.now())
    except services.AccountRefused as refused:
        messages.error(request, ACCOUNT_REFUSALS[refused.code])
    else:
        messages.success(request, _("账号已启用。") if is_active else _("账号已停用，现有登录立即失效。"))
    return redirect("registry:user", pk)


@sensitive_post_parameters("password")
@require_POST
def set_password(request: HttpRequest, pk: int) -> HttpResponse:
    by, person = _administrator(request), _person(pk)
    form = NewPasswordForm(request.POST)
    if form.is_valid():
        try:
            services.change_password(
                user=person, password=form.cleaned_data["password"], by=by, now=timezone.now()
            )
        except services.PasswordRefused as refused:
            form.add_error("password", refused.reasons)
        else:
            messages.success(request, _("新密码已设置，请当面或电话告知本人。"))
            return redirect("registry:user", pk)
    return _show(request, person, RoleForm(), form)


@require_POST
def set_email(request: HttpRequest, pk: int) -> HttpResponse:
    by, person = _administrator(request), _person(pk)
    form = UserEmailForm(request.POST)
    if form.is_valid():
        try:
            emails.set_email(user=person, email=form.cleaned_data["email"], by=by, now=timezone.now())
        except services.AccountRefused as refused:
            form.add_error("email", ACCOUNT_REFUSALS[refused.code])
        else:
            messages.success(request, _("邮箱已保存。"))
            return redirect("registry:user", pk)
    return _show(request, person, RoleForm(), NewPasswordForm(), form)


@require_POST
def remove_second_factor(request: HttpRequest, pk: int) -> HttpResponse:
    by, person = _administrator(request), _person(pk)
    try:
        signing_in.remove_second_factor(user=person, by=by, now=timezone.now())
    except signing_in.SecondFactorRefused as refused:
        messages.error(request, SECOND_FACTOR_REFUSALS[refused.code])
    else:
        messages.success(request, _("已停用该用户的两步验证，请提醒本人重新启用。"))
    return redirect("registry:user", pk)
