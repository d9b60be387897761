"""Public notices, what is said against what stands in them, and what became of it."""

from django.contrib.auth.decorators import login_not_required
from django.core import signing
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_safe

from wufei.cases.refusals import sentence
from wufei.paper.attachments import EvidenceRefused
from wufei.portal import queries
from wufei.portal.forms import LookupForm, NoticeFilter, ObjectionForm, SearchForm
from wufei.portal.services import TooOften, note_attempt
from wufei.portal.views.visiting import address_digest, body_length, today
from wufei.registry.views.listing import filters, page_at
from wufei.registry.views.organisations import division_name
from wufei.reviews.clock import end_of
from wufei.reviews.models import NoticeItem, Objection
from wufei.reviews.queries.notices import working_days_of
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services.notices import object_to
from wufei.reviews.wording import words_of

ROWS = 30
ITEMS = 100
LONGEST_BODY = 41 * 1024 * 1024
RECEIPT = "wufei.portal.receipt"
RECEIPT_SECONDS = 24 * 60 * 60
TRAP = "website"  # a field that nobody sees; who fills it in is a program


@login_not_required
@require_safe
def notices(request: HttpRequest) -> HttpResponse:
    """List the notices, those that run first."""
    day, form = today(), NoticeFilter(request.GET)
    asked = filters(form)
    rows = queries.notices(on=day, state=asked.get("state", ""), text=asked.get("q", ""))
    page = page_at(Paginator(rows, ROWS), request.GET.get("page"))
    context = {
        "today": day, "form": form, "page": page,
        "rows": [(row, queries.days_left(row, on=day)) for row in page],
        "listing": {"is_filtered": any(request.GET.get(name) for name in form.fields)},
    }  # fmt: skip
    return render(request, "portal/notices.html", context)


@login_not_required
@require_safe
def notice(request: HttpRequest, notice_id: int) -> HttpResponse:
    """Show a notice with all that stands in it."""
    found = queries.notice(pk=notice_id)
    if found is None:
        raise Http404
    day, form = today(), SearchForm(request.GET)
    rows = queries.items(of=found, text=filters(form).get("q", ""))
    page = page_at(Paginator(rows, ITEMS), request.GET.get("page"))
    context = {
        "notice": found, "working_days": working_days_of(found), "form": form, "page": page, "left": queries.days_left(found, on=day),
        "is_running": timezone.now() < end_of(found.ends_on),
        "rows": [(row, division_name(row.application.district_code)) for row in page],
        "listing": {"is_filtered": bool(request.GET.get("q"))},
    }  # fmt: skip
    return render(request, "portal/notice.html", context)


@csrf_exempt  # checked below, once we know that the body is worth reading
@login_not_required
@require_http_methods(["GET", "POST"])
def raise_objection(request: HttpRequest, notice_id: int, position: int) -> HttpResponse:
    """Take in an objection; how long it is and how often the address tries is asked before it is read."""
    if request.method == "POST":
        if body_length(request) > LONGEST_BODY:
            return _refused(request, _("材料合计超过 40 MB，请压缩后重新提交。"), 413)
        try:
            note_attempt(kind="objection", address_digest=address_digest(request), now=timezone.now())
        except TooOften:
            return _refused(request, _("提交过于频繁，请一小时后再试，或按公示上的联系方式反映。"), 429)
    return _objection_form(request, notice_id, position)


def _refused(request: HttpRequest, words: str, status: int) -> HttpResponse:
    """Say so on a page, without having read anything of the body."""
    return render(request, "portal/refused.html", {"words": words}, status=status)


@csrf_protect
def _objection_form(request: HttpRequest, notice_id: int, position: int) -> HttpResponse:
    found = queries.item(notice_id=notice_id, position=position)
    if found is None:
        raise Http404
    is_running = found.removed_at is None and timezone.now() < end_of(found.notice.ends_on)
    posted = request.method == "POST"
    form = ObjectionForm(request.POST, request.FILES) if posted else ObjectionForm()
    if posted and request.POST.get(TRAP):
        form.add_error(None, _("提交未被接受：请不要使用自动填写，清空表单后重新填写。"))
    if posted and form.is_valid() and (taken := _taken(found, form)) is not None:
        token = signing.dumps(taken.code, salt=RECEIPT)
        return redirect(f"{reverse('portal:receipt')}?t={token}")
    context = {"item": found, "form": form, "is_running": is_running, "trap": TRAP}
    return render(request, "portal/objection_form.html", context, status=422 if posted else 200)


def _taken(item: NoticeItem, form: ObjectionForm) -> Objection | None:
    """Hand the objection in; what is refused is said at the form."""
    said = form.cleaned_data
    try:
        return object_to(
            item=item, name=said["name"], contact=said["contact"], words=said["words"],
            files=[(each.name or "", each.read()) for each in said["papers"]], now=timezone.now(),
        )  # fmt: skip
    except ReviewRefused as refused:
        form.add_error(None, words_of(refused))
    except EvidenceRefused as refused_file:
        form.add_error("papers", sentence(refused_file.code))
    return None


@login_not_required
@require_safe
def receipt(request: HttpRequest) -> HttpResponse:
    """Show under which number an objection was taken in: to whoever has just handed it in."""
    try:
        code = signing.loads(request.GET.get("t", ""), salt=RECEIPT, max_age=RECEIPT_SECONDS)
    except signing.BadSignature as error:
        raise Http404 from error
    return render(request, "portal/receipt.html", {"code": code})


@login_not_required
@require_http_methods(["GET", "POST"])
def objection(request: HttpRequest) -> HttpResponse:
    """Say what became of an objection, to whoever knows its number and the contact given with it."""
    form = LookupForm(request.POST or None)
    found = None
    if request.method == "POST":
        try:
            note_attempt(kind="lookup", address_digest=address_digest(request), now=timezone.now())
        except TooOften:
            return _refused(request, _("查询过于频繁，请一小时后再试。"), 429)
        if form.is_valid():
            found = queries.objection(code=form.cleaned_data["code"], contact=form.cleaned_data["contact"])
            if found is None:
                form.add_error(None, _("没有找到：受理编号或联系方式不对，请核对。"))
    status = 422 if request.method == "POST" and found is None else 200
    return render(request, "portal/objection_state.html", {"form": form, "found": found}, status=status)
