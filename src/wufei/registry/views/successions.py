"""沿革: what an organisation was called, whom it comes from, and how it ended."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from wufei.registry import queries, services
from wufei.registry.access import Permission
from wufei.registry.forms import SUCCESSION_REFUSALS, CloseForm, RenameForm, SuccessionForm
from wufei.registry.models import Organisation
from wufei.registry.services import successions
from wufei.registry.views.listing import reader
from wufei.terms.day import local_day


def _page(request: HttpRequest, uscc: str) -> Organisation:
    today = local_day(timezone.now())
    return queries.organisation_for(
        user=reader(request), uscc=uscc, permission=Permission.VIEW_ORGANISATION, on=today
    )


def _recorded(request: HttpRequest, uscc: str) -> Organisation:
    """Return the organisation for who may record what became of it."""
    shown = _page(request, uscc)
    today = local_day(timezone.now())
    if not queries.may_record_succession(user=reader(request), organisation=shown, on=today):
        raise queries.NotPermitted(Permission.JUDGE)
    return shown


@require_safe
def history(request: HttpRequest, uscc: str) -> HttpResponse:
    """Show the organisation's history."""
    shown, user = _page(request, uscc), reader(request)
    today = local_day(timezone.now())
    rows = queries.successions_of(organisation=shown)
    named = {each.predecessor_id for each in rows} | {each.successor_id for each in rows}
    visible = queries.visible_organisations(user=user, on=today).filter(pk__in=named)
    context = {
        "organisation": shown,
        "rows": rows,
        "visible": set(visible.values_list("pk", flat=True)),
        "may_record": queries.may_record_succession(user=user, organisation=shown, on=today),
    }
    return render(request, "registry/history.html", context)


@require_http_methods(["GET", "POST"])
def rename(request: HttpRequest, uscc: str) -> HttpResponse:
    """Record a new name."""
    shown = _recorded(request, uscc)
    form = RenameForm(request.POST or None, initial={"version": shown.version})
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            successions.rename_organisation(
                organisation=shown, by=reader(request), now=timezone.now(), **form.cleaned_data
            )
        except services.StaleEdit as stale:
            status = 409
            form.add_error(
                None, _("您打开本页以后，该单位的信息已被修改，现名称为“%(name)s”。请核对后再次提交。")
                % {"name": stale.current.name},
            )  # fmt: skip
            again = request.POST.copy()  # sent again, it is an answer to what is shown now
            again["version"] = str(stale.current.version)
            form.data = again
        except successions.SuccessionRefused as refused:
            form.add_error(None, SUCCESSION_REFUSALS[refused.code])
        else:
            messages.success(request, _("已登记更名。原名称仍可查到，原有称号、限制和案例不变。"))
            return redirect("registry:history", uscc)
    return _form(request, shown, form, _("登记更名"), status)


@require_http_methods(["GET", "POST"])
def succeed(request: HttpRequest, uscc: str) -> HttpResponse:
    """Record in whom the organisation goes on."""
    shown, user, now = _recorded(request, uscc), reader(request), timezone.now()
    among = queries.visible_organisations(user=user, on=local_day(now)).exclude(pk=shown.pk)
    form = SuccessionForm(request.POST or None, among=among)
    if request.method == "POST" and form.is_valid():
        said = dict(form.cleaned_data)
        try:
            successions.record_succession(
                predecessor=shown, successor=said.pop("uscc"), by=user, now=now, **said
            )
        except successions.SuccessionRefused as refused:
            form.add_error(None, SUCCESSION_REFUSALS[refused.code])
        except queries.NotPermitted:
            form.add_error("uscc", _("承继单位不在您的辖区内，请系统管理员登记。"))
        else:
            messages.success(request, _("已登记承继。对原单位的限制，也适用于承继单位。"))
            return redirect("registry:history", uscc)
    return _form(request, shown, form, _("登记承继单位"))


@require_http_methods(["GET", "POST"])
def close(request: HttpRequest, uscc: str) -> HttpResponse:
    """Record that the organisation was closed."""
    shown = _recorded(request, uscc)
    form = CloseForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            successions.close_organisation(
                organisation=shown, on=form.cleaned_data["on"], by=reader(request), now=timezone.now()
            )
        except successions.SuccessionRefused as refused:
            form.add_error(None, SUCCESSION_REFUSALS[refused.code])
        else:
            messages.success(request, _("已登记终止。台账、案例和记录都保留，办理中的案例可由承继单位继续。"))
            return redirect("registry:history", uscc)
    return _form(request, shown, form, _("登记终止"))


def _form(
    request: HttpRequest, shown: Organisation, form: forms.Form, title: str, status: int = 200
) -> HttpResponse:
    context: dict[str, Any] = {"organisation": shown, "form": form, "form_title": title}
    if status == 200 and form.errors:
        status = 422
    return render(request, "registry/succession_form.html", context, status=status)
