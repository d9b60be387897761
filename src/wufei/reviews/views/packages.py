"""Signed packages: what goes up, what comes in, and whose keys are trusted."""

import hashlib

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from wufei.registry.access import Permission
from wufei.registry.models import Organisation
from wufei.registry.queries import holds_as_operator, require_as_operator
from wufei.registry.views.listing import page_at
from wufei.reviews.forms.notices import LoadForm, TrustForm
from wufei.reviews.queries import packages as queries
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services import packages as services
from wufei.reviews.views.notices import run_by
from wufei.reviews.views.rounds_desk import desk
from wufei.reviews.wording import words_of

LONGEST_PACKAGE = 200 * 1024 * 1024
LONGEST_BODY = LONGEST_PACKAGE + 1024 * 1024
ROWS = 50


@require_safe
def packages(request: HttpRequest, round_id: int) -> HttpResponse:
    """Show the packages of a round, and the own key."""
    of = run_by(request, round_id)
    page = page_at(Paginator(queries.packages_of(round_=of.round), ROWS), request.GET.get("page"))
    own = queries.own_key(authority=of.round.authority)
    senders = queries.senders_of(packages=page.object_list)
    context = of.context(
        page=page, own_key=own, rows=[(row, senders.get(row.public_key)) for row in page],
        waiting=queries.sent_upward(round_=of.round, edition=of.edition).count(), form=LoadForm(),
        may_trust=holds_as_operator(user=of.at.user, permission=Permission.EDIT_ORGANISATION),
    )  # fmt: skip
    return render(request, "reviews/packages_page.html", context)


@require_POST
def make_key(request: HttpRequest, round_id: int) -> HttpResponse:
    """Make the authority's key, that its public part can be given to the level above before anything is sent."""
    of = run_by(request, round_id)
    services.make_key(authority=of.round.authority, by=of.at.user, now=of.at.now)
    messages.success(request, _("密钥已就绪，请把公钥另行告知上级单位核对。"))
    return redirect("reviews:packages", round_id)


@require_POST
def export(request: HttpRequest, round_id: int) -> HttpResponse:
    """Hand out the signed package of what the round recommends upward."""
    of = run_by(request, round_id)
    try:
        sealed = services.export_round(round_=of.round, by=of.at.user, now=of.at.now)
    except ReviewRefused as refused:
        messages.error(request, words_of(refused))
        return redirect("reviews:packages", round_id)
    name = f"wufei-{of.round.edition}-{of.round.year}-{hashlib.sha256(sealed).hexdigest()[:8]}.wufei"
    response = HttpResponse(sealed, content_type="application/octet-stream")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


@csrf_exempt  # checked below, once we know that the body is worth reading
@require_POST
def load(request: HttpRequest, round_id: int) -> HttpResponse:
    """Take in a package; one that is too large is refused before it is read."""
    try:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        length = 0
    if length > LONGEST_BODY:
        messages.error(request, _("文件超过 200 MB，请改用命令 wufei round load 接收。"))
        return redirect("reviews:packages", round_id)
    return _load(request, round_id)


@csrf_protect
def _load(request: HttpRequest, round_id: int) -> HttpResponse:
    of = run_by(request, round_id)
    form = LoadForm(request.POST, request.FILES)
    if not form.is_valid():
        messages.error(request, _("请选择上报包。"))
        return redirect("reviews:packages", round_id)
    try:
        taken = services.load_package(
            round_=of.round, package=form.cleaned_data["file"].read(), by=of.at.user, now=of.at.now
        )
        messages.success(request, _("签名有效，已接收 %(n)s 件。") % {"n": len(taken)})
    except ReviewRefused as refused:
        messages.error(request, words_of(refused))
    return redirect("reviews:packages", round_id)


@require_http_methods(["GET", "POST"])
def keys(request: HttpRequest) -> HttpResponse:
    """List the trusted keys, and trust another: for the operator, whose trust holds for the whole system."""
    at = desk(request)
    require_as_operator(user=at.user, permission=Permission.EDIT_ORGANISATION)
    form = TrustForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        authority = Organisation.objects.filter(uscc=said["uscc"].strip().upper(), kind="AUTHORITY").first()
        if authority is None:
            form.add_error("uscc", _("没有这个统一社会信用代码的主管部门，请先登记单位。"))
        else:
            try:
                services.trust_key(authority=authority, public_key=said["public_key"], by=at.user, now=at.now)
                messages.success(request, _("已信任%(name)s的公钥。") % {"name": authority.name})
                return redirect("reviews:keys")
            except ReviewRefused as refused:
                form.add_error("public_key", words_of(refused))
    page = page_at(Paginator(queries.keys(), ROWS), request.GET.get("page"))
    context = at.context(form=form, page=page)
    return render(request, "reviews/packages_keys.html", context, status=422 if form.errors else 200)
