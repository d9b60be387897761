"""Organisations: the list, one's facts and their change, park members, and what was done."""

from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from wufei.catalogue.divisions import path_names
from wufei.catalogue.industries import industry
from wufei.registry import queries, services
from wufei.registry.access import GRANTS, Permission
from wufei.registry.forms import (
    MEMBERSHIP_REFUSALS,
    PERMISSION_LABELS,
    RELATION_LABELS,
    ROLE_LABELS,
    AuditFilter,
    JoinForm,
    LeaveForm,
    MemberFilter,
    OrganisationByOperatorForm,
    OrganisationFilter,
    OrganisationForm,
    RegistrationForm,
    action_label,
)
from wufei.registry.models import AuditEntry, Organisation, ParkMembership
from wufei.registry.views.listing import export, filters, listing, reader, sorted_rows
from wufei.terms.day import local_day

ORGANISATION_SORTS = {
    "name": ("name",),
    "uscc": ("uscc",),
    "kind": ("kind", "name"),
    "division": ("division_code", "name"),
}
MEMBER_SORTS = {
    "name": ("member__name",),
    "uscc": ("member__uscc",),
    "joined_on": ("joined_on",),
    "left_on": ("left_on",),
}
AUDIT_SORTS = {"at": ("at", "pk"), "by": ("by__username", "-at"), "action": ("action", "-at")}


def division_name(code: str) -> str:
    """Return the names of a division from the province down, or the code where there is none."""
    try:
        return "".join(path_names(code)) or code
    except (KeyError, ValueError):
        return code


def industry_name(code: str) -> str:
    """Return an industry's code with its name, of a class that of its group."""
    found = industry(code) or industry(code[:3])
    return f"{code} {found.name}" if found else code


def _page(request: HttpRequest, uscc: str, permission: Permission) -> Organisation:
    return queries.organisation_for(user=reader(request), uscc=uscc, permission=permission, on=_today())


def _today() -> date:
    return local_day(timezone.now())


@require_safe
def organisations(request: HttpRequest) -> HttpResponse:
    """List the organisations that the reader may see."""
    user = reader(request)
    form = OrganisationFilter(request.GET)
    asked = filters(form)
    rows = queries.found_organisations(
        among=queries.visible_organisations(user=user, on=_today()),
        text=asked.get("q", ""), kind=asked.get("kind", ""), division_code=asked.get("division", ""),
    )  # fmt: skip
    if request.GET.get("export") == "xlsx":
        ordered, _sort = sorted_rows(request=request, rows=rows, sorts=ORGANISATION_SORTS, default="name")
        return export(title=_("单位名录"), columns=_organisation_columns(), rows=ordered)
    shown = listing(request=request, rows=rows, sorts=ORGANISATION_SORTS, default_sort="name", form=form)
    context = {
        "listing": shown,
        "rows": [(row, division_name(row.division_code)) for row in shown.page],
        "can_register": queries.holds_as_operator(user=user, permission=Permission.EDIT_ORGANISATION),
    }
    return render(request, "registry/organisations.html", context)


def _organisation_columns() -> list[tuple[str, Any]]:
    return [
        (_("统一社会信用代码"), lambda row: row.uscc),
        (_("单位名称"), lambda row: row.name),
        (_("类型"), lambda row: str(row.get_kind_display())),
        (_("行业代码"), lambda row: row.industry_code),
        (_("行政区划代码"), lambda row: row.division_code),
        (_("行政区划"), lambda row: division_name(row.division_code)),
        (_("详细地址"), lambda row: row.address),
        (_("联系人"), lambda row: row.contact),
        (_("电话"), lambda row: row.phone),
    ]


@require_http_methods(["GET", "POST"])
def register(request: HttpRequest) -> HttpResponse:
    """Enter an organisation; administrators only."""
    user = reader(request)
    queries.require_as_operator(user=user, permission=Permission.EDIT_ORGANISATION)
    form = RegistrationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        said = {name: value for name, value in form.cleaned_data.items() if name != "version"}
        try:
            made = services.register_organisation(**said, by=user, now=timezone.now())
        except services.OrganisationExists:
            form.add_error("uscc", _("这个统一社会信用代码已经登记过了，请在单位名录中查找。"))
        except services.OrganisationRefused as refused:
            _add_errors(form, refused.errors)
        else:
            messages.success(request, _("已登记。下一步可为该单位的人员分配角色。"))
            return redirect("registry:organisation", made.uscc)
    return render(request, "registry/register.html", {"form": form})


def _add_errors(form: forms.Form | forms.ModelForm, errors: dict[str, list[str]]) -> None:
    for name, found in errors.items():
        form.add_error(name if name in form.fields else None, found)


@require_safe
def organisation(request: HttpRequest, uscc: str) -> HttpResponse:
    """Show an organisation's facts."""
    shown = _page(request, uscc, Permission.VIEW_ORGANISATION)
    held = queries.permissions_for(user=reader(request), organisation=shown, on=_today())
    context = {
        "organisation": shown,
        "division_name": division_name(shown.division_code),
        "industry_name": industry_name(shown.industry_code) if shown.industry_code else "",
        "can_edit": Permission.EDIT_ORGANISATION in held,
    }
    return render(request, "registry/organisation.html", context)


@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, uscc: str) -> HttpResponse:
    """Change an organisation's facts; whoever began from an older version is shown what changed."""
    user, now = reader(request), timezone.now()
    shown = _page(request, uscc, Permission.EDIT_ORGANISATION)
    is_operator = queries.holds_as_operator(user=user, permission=Permission.EDIT_ORGANISATION)
    form_class = OrganisationByOperatorForm if is_operator else OrganisationForm
    if request.method == "GET":
        form = form_class(instance=shown, initial={"version": shown.version})
        return render(request, "registry/edit_organisation.html", {"organisation": shown, "form": form})
    form = form_class(request.POST, instance=Organisation())
    context: dict[str, Any] = {"organisation": shown, "form": form}
    if form.is_valid():
        said = dict(form.cleaned_data)
        try:
            changed = services.change_organisation(
                organisation=shown, by=user, now=now, version=said.pop("version"), **said
            )
        except services.StaleEdit as stale:
            context |= {"differences": _differences(form, stale.current)}
            again = request.POST.copy()  # sent again, it is an answer to what is shown now
            again["version"] = str(stale.current.version)
            form.data = again
            return render(request, "registry/edit_organisation.html", context, status=409)
        except services.OrganisationRefused as refused:
            _add_errors(form, refused.errors)
        else:
            messages.success(request, _("已保存。") if changed else _("没有改动，未保存。"))
            return redirect("registry:organisation", uscc)
    return render(request, "registry/edit_organisation.html", context)


def _differences(form: forms.ModelForm, current: Organisation) -> list[tuple[str, Any, Any]]:
    """Return the fields in which what stands now is not what was typed: label, now, typed."""
    said = form.cleaned_data
    named = [(name, str(form[name].label)) for name in form.fields if name != "version"]
    return [
        (label, getattr(current, name), said[name])
        for name, label in named
        if getattr(current, name) != said[name]
    ]


# --- park members


def _park_page(request: HttpRequest, uscc: str, permission: Permission) -> Organisation:
    park = _page(request, uscc, permission)
    if park.kind != "PARK":
        raise Http404
    return park


@require_safe
def members(request: HttpRequest, uscc: str) -> HttpResponse:
    """List the members of a park."""
    park = _park_page(request, uscc, Permission.VIEW_ORGANISATION)
    user, today = reader(request), _today()
    form = MemberFilter(request.GET)
    asked = filters(form)
    on = None if asked.get("state") == "all" else today
    rows = queries.memberships(park=park, on=on, text=asked.get("q", ""))
    if request.GET.get("export") == "xlsx":
        ordered, _sort = sorted_rows(request=request, rows=rows, sorts=MEMBER_SORTS, default="name")
        return export(title=_("园区成员"), columns=_member_columns(), rows=ordered)
    shown = listing(request=request, rows=rows, sorts=MEMBER_SORTS, default_sort="name", form=form)
    visible = queries.visible_organisations(user=user, on=today)
    held = queries.permissions_for(user=user, organisation=park, on=today)
    context = {
        "organisation": park,
        "listing": shown,
        "visible": set(visible.filter(pk__in=[m.member_id for m in shown.page]).values_list("pk", flat=True)),
        "can_edit": Permission.EDIT_ORGANISATION in held,
    }
    return render(request, "registry/members.html", context)


def _member_columns() -> list[tuple[str, Any]]:
    return [
        (_("统一社会信用代码"), lambda row: row.member.uscc),
        (_("单位名称"), lambda row: row.member.name),
        (_("类型"), lambda row: str(row.member.get_kind_display())),
        (_("入园日期"), lambda row: row.joined_on),
        (_("离园日期"), lambda row: row.left_on),
    ]


@require_http_methods(["GET", "POST"])
def join(request: HttpRequest, uscc: str) -> HttpResponse:
    """Enter a member of the park."""
    park = _park_page(request, uscc, Permission.EDIT_ORGANISATION)
    user, now = reader(request), timezone.now()
    form = JoinForm(request.POST or None, joinable=queries.joinable(user=user, park=park), today=_today())
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            services.join_park(park=park, member=said["uscc"], joined_on=said["joined_on"], by=user, now=now)
        except services.MembershipRefused as refused:
            form.add_error(None, MEMBERSHIP_REFUSALS[refused.code])
        else:
            messages.success(request, _("已登记入园。"))
            return redirect("registry:members", uscc)
    return render(request, "registry/join.html", {"organisation": park, "form": form})


@require_http_methods(["GET", "POST"])
def leave(request: HttpRequest, uscc: str, member_uscc: str) -> HttpResponse:
    """End a membership."""
    park = _park_page(request, uscc, Permission.EDIT_ORGANISATION)
    user, now = reader(request), timezone.now()
    membership = queries.memberships(park=park).filter(member__uscc=member_uscc, left_on=None).first()
    if membership is None:
        raise Http404
    form = LeaveForm(request.POST or None, initial={"left_on": _today()})
    if request.method == "POST" and form.is_valid():
        try:
            services.leave_park(
                park=park, member=membership.member, left_on=form.cleaned_data["left_on"], by=user, now=now
            )
        except services.MembershipRefused as refused:
            form.add_error(None, MEMBERSHIP_REFUSALS[refused.code])
        else:
            messages.success(request, _("已登记离园。"))
            return redirect("registry:members", uscc)
    context: dict[str, Organisation | ParkMembership | LeaveForm] = {
        "organisation": park, "membership": membership, "form": form
    }  # fmt: skip
    return render(request, "registry/leave.html", context)


# --- what was done


@require_safe
def audit_log(request: HttpRequest, uscc: str) -> HttpResponse:
    """List what was done with an organisation, by whom."""
    shown = _page(request, uscc, Permission.EDIT_ORGANISATION)
    form = AuditFilter(request.GET, actions=queries.audited_actions(organisation=shown))
    asked = filters(form)
    rows = queries.audit_entries(
        organisation=shown, text=asked.get("q", ""), action=asked.get("action", ""),
        since=asked.get("since"), through=asked.get("through"),
    )  # fmt: skip
    if request.GET.get("export") == "xlsx":
        ordered, _sort = sorted_rows(request=request, rows=rows, sorts=AUDIT_SORTS, default="-at")
        return export(title=_("操作记录"), columns=_audit_columns(), rows=ordered)
    found = listing(request=request, rows=rows, sorts=AUDIT_SORTS, default_sort="-at", form=form)
    lines = [(row, action_label(row.action), detail_lines(row)) for row in found.page]
    return render(
        request, "registry/audit_log.html", {"organisation": shown, "listing": found, "lines": lines}
    )


def _audit_columns() -> list[tuple[str, Any]]:
    return [
        (_("时间"), lambda row: timezone.localtime(row.at)),
        (_("人员"), lambda row: str(row.by)),
        (_("操作"), lambda row: action_label(row.action)),
        (_("对象"), lambda row: row.object_ref),
        (_("内容"), lambda row: "；".join(detail_lines(row))),
    ]


def detail_lines(entry: AuditEntry) -> list[str]:
    """Return what an audit row says, as people read it."""
    lines = []
    for name, (before, after) in entry.detail.get("changed", {}).items():
        label = getattr(Organisation._meta.get_field(name), "verbose_name", name)
        lines.append(f"{label}：{before or '（空）'} → {after or '（空）'}")
    if role := entry.detail.get("role"):
        lines.append(str(ROLE_LABELS.get(role, role)))
    for name, label in (("joined_on", _("入园日期")), ("left_on", _("离园日期")), ("name", _("名称"))):
        if value := entry.detail.get(name):
            lines.append(f"{label}：{value}")
    return lines


@require_safe
def permissions(request: HttpRequest) -> HttpResponse:
    """Show who may do what: the one table that decides it."""
    columns = [(role, relation) for role, relation in GRANTS]
    context = {
        "columns": [(ROLE_LABELS[role], RELATION_LABELS[relation]) for role, relation in columns],
        "rows": [
            (label, [permission in GRANTS[c] for c in columns])
            for permission, label in PERMISSION_LABELS.items()
        ],
        "can_see_stages": queries.holds_as_operator(user=reader(request), permission=Permission.MANAGE_USERS),
    }
    return render(request, "registry/permissions.html", context)
