"""An authority's pool of experts: the list, one expert, what ties the expert."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from wufei.ledger.views.desk import Desk
from wufei.ledger.views.desk import desk as organisation_desk
from wufei.registry.access import Permission
from wufei.registry.models import Organisation, User
from wufei.registry.views.listing import ROWS_PER_PAGE, export, filters, page_at
from wufei.reviews.forms.experts import ExpertFilter, ExpertForm, TieForm
from wufei.reviews.models import Expert, ExpertTie
from wufei.reviews.queries import experts as queries
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services import experts as services
from wufei.reviews.wording import words_of

FIELD_OF = {
    "number_taken": "number", "number_missing": "number", "uscc_wrong": "employer_uscc", "field_missing": "fields_said",
    "employer_missing": "employer_name", "expert_there": "username", "user_unknown": "username",
}  # fmt: skip


def _desk(request: HttpRequest, uscc: str) -> Desk:
    return organisation_desk(request, uscc, Permission.MAINTAIN_EXPERTS)


@require_safe
def experts(request: HttpRequest, uscc: str) -> HttpResponse:
    """List the pool."""
    at = _desk(request, uscc)
    known = queries.fields_known(pool=at.organisation)
    form = ExpertFilter(request.GET, known=known)
    said = filters(form)
    rows = queries.found_experts(
        among=queries.experts_of(pool=at.organisation), text=said.get("q", ""), field=said.get("field", ""),
        state=said.get("state", ""),
    )  # fmt: skip
    ordered = queries.with_load(rows).order_by("number")
    if request.GET.get("export") == "xlsx":
        return _exported(ordered)
    page = page_at(Paginator(ordered, ROWS_PER_PAGE), request.GET.get("page"))
    is_filtered = any(request.GET.get(name) for name in form.fields)
    context = at.context(form=form, page=page, listing={"is_filtered": is_filtered, "form": form})
    return render(request, "reviews/experts_list.html", context)


def _exported(rows: Any) -> HttpResponse:
    return export(
        title=_("专家库"), rows=rows,
        columns=(
            (_("专家编号"), lambda e: e.number), (_("姓名"), lambda e: str(e.user)),
            (_("专业领域"), lambda e: "、".join(e.fields)), (_("职称"), lambda e: e.title),
            (_("工作单位"), lambda e: e.employer_name), (_("统一社会信用代码"), lambda e: e.employer_uscc),
            (_("状态"), lambda e: _("在库") if e.is_active else _("已出库")),
        ),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
def new(request: HttpRequest, uscc: str) -> HttpResponse:
    """Enter an expert."""
    at = _desk(request, uscc)
    form = ExpertForm(request.POST or None, known=queries.fields_known(pool=at.organisation))
    if request.method == "POST" and form.is_valid():
        user = User.objects.filter(username=form.cleaned_data["username"].strip(), is_superuser=False).first()
        if user is None:
            form.add_error("username", _("没有这个用户名，请核对，或请系统管理员先建立账号。"))
        else:
            try:
                made = services.enter_expert(
                    pool=at.organisation, user=user, by=at.user, now=at.now, **form.changes()
                )
                messages.success(request, _("已入库。"))
                return redirect("reviews:expert", uscc, made.pk)
            except ReviewRefused as refused:
                form.add_error(FIELD_OF.get(refused.code), words_of(refused))
    context = at.context(form=form)
    return render(request, "reviews/experts_form.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def expert(request: HttpRequest, uscc: str, expert_id: int) -> HttpResponse:
    """Show an expert, and take changes."""
    at = _desk(request, uscc)
    row = _one(at.organisation, expert_id)
    known = queries.fields_known(pool=at.organisation)
    form = ExpertForm(request.POST or None, expert=row, known=known)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                services.change_expert(
                    expert=row, version=form.cleaned_data["version"] or 0, changes=form.changes(), by=at.user,
                    now=at.now,
                )  # fmt: skip
                messages.success(request, _("已保存。"))
                return redirect("reviews:expert", uscc, row.pk)
            except ReviewRefused as refused:
                form.add_error(FIELD_OF.get(refused.code), words_of(refused))
                status = 409 if refused.is_conflict else 422
    return _shown(request, at, row, form, TieForm(), status)


def _shown(
    request: HttpRequest, at: Desk, row: Expert, form: ExpertForm, tie_form: TieForm, status: int
) -> HttpResponse:
    ties = list(row.ties.select_related("declared_by").order_by("ended_at", "-pk"))
    names = dict(Organisation.objects.filter(uscc__in=[t.uscc for t in ties]).values_list("uscc", "name"))
    context = at.context(
        expert=row, form=form, tie_form=tie_form, ties=[(tie, names.get(tie.uscc, "")) for tie in ties]
    )
    return render(request, "reviews/experts_form.html", context, status=status)


def _one(pool: Organisation, expert_id: int) -> Expert:
    row = queries.experts_of(pool=pool).select_related("pool").filter(pk=expert_id).first()
    if row is None:
        raise Http404
    return row


@require_POST
def tie(request: HttpRequest, uscc: str, expert_id: int) -> HttpResponse:
    """Note what ties the expert."""
    at = _desk(request, uscc)
    row = _one(at.organisation, expert_id)
    form = TieForm(request.POST)
    if form.is_valid():
        try:
            services.declare_tie(expert=row, by=at.user, now=at.now, **form.cleaned_data)
            messages.success(request, _("已登记，此后自动回避。"))
            return redirect("reviews:expert", uscc, row.pk)
        except ReviewRefused as refused:
            form.add_error("uscc" if refused.code == "uscc_wrong" else None, words_of(refused))
    known = queries.fields_known(pool=at.organisation)
    return _shown(request, at, row, ExpertForm(expert=row, known=known), form, 422)


@require_POST
def end_tie(request: HttpRequest, uscc: str, expert_id: int, tie_id: int) -> HttpResponse:
    """End a tie."""
    at = _desk(request, uscc)
    row = _one(at.organisation, expert_id)
    found = ExpertTie.objects.select_related("expert__pool").filter(expert=row, pk=tie_id).first()
    if found is None:
        raise Http404
    try:
        services.end_tie(tie=found, by=at.user, now=at.now)
        messages.success(request, _("已解除。"))
    except ReviewRefused as refused:
        messages.error(request, words_of(refused))
    return redirect("reviews:expert", uscc, row.pk)
