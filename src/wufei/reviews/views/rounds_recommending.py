"""The recommendation list of a district or a city: its order, its quota, and the signed and sealed scan."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from wufei.registry.models import Organisation
from wufei.registry.views.listing import ROWS_PER_PAGE, export, page_at, page_number
from wufei.registry.views.organisations import division_name
from wufei.reviews.forms.rounds import SealedForm
from wufei.reviews.queries.rounds_recommending import (
    Recommended,
    candidates_of,
    recommendation_list,
    recommending_stage,
)
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services.rounds_recommending import move_in_order, put_in_order
from wufei.reviews.views.rounds import keep_file
from wufei.reviews.views.rounds_desk import RoundDesk, round_desk
from wufei.reviews.wording import words_of


def _own(request: HttpRequest, round_id: int, uscc: str) -> tuple[RoundDesk, Organisation]:
    """
    Return the round and the authority that the person works for.

    :raises Http404: if the person doesn't, or the authority recommends nothing in this round
    """
    of = round_desk(request, round_id)
    authority = next((each for each in of.at.authorities() if each.uscc == uscc), None)
    if authority is None or recommending_stage(edition=of.edition, authority=authority) is None:
        raise Http404
    return of, authority


@require_http_methods(["GET", "POST"])
def recommendations(request: HttpRequest, round_id: int, uscc: str) -> HttpResponse:
    """Show the list in its order, and put it in another one."""
    of, authority = _own(request, round_id, uscc)
    if request.method == "POST":
        return _ordered(request, of, authority)
    if request.GET.get("export") == "xlsx":
        whole = recommendation_list(round_=of.round, authority=authority)
        return export(title=_("推荐名单"), columns=_columns(is_judged=whole.is_judged), rows=whole.rows)
    candidates = candidates_of(round_=of.round, authority=authority, edition=of.edition)
    page = page_at(Paginator(range(candidates.count()), ROWS_PER_PAGE), request.GET.get("page"))
    first = max(page.start_index(), 1)
    found = recommendation_list(
        round_=of.round, authority=authority, first=first, number=ROWS_PER_PAGE, total=page.paginator.count
    )
    scans = of.round.documents.filter(kind="recommendation", authority=authority).select_related("added_by")
    stage = recommending_stage(edition=of.edition, authority=authority)
    context = of.context(
        authority=authority, found=found, scans=scans.order_by("-pk"), form=SealedForm(), stage=stage,
        page=page,
    )  # fmt: skip
    return render(request, "reviews/rounds_recommendations.html", context)


def _ordered(request: HttpRequest, of: RoundDesk, authority: Organisation) -> HttpResponse:
    whose: dict[str, Any] = {
        "round_": of.round, "authority": authority, "by": of.at.user, "now": of.at.now
    }  # fmt: skip
    try:
        if request.POST.get("by") == "score":
            put_in_order(codes=[], **whose)
            messages.success(request, _("已按评分排序。"))
        elif (to := _moved(request)) is None:
            messages.error(request, _("排序应为不重复的整数。"))
        else:
            move_in_order(to=to, **whose)
            messages.success(request, _("已保存排序。"))
    except ReviewRefused as refused:
        messages.error(request, words_of(refused))
    page = page_number(request.GET.get("page"))
    address = reverse("reviews:recommendations", args=[of.round.pk, authority.uscc])
    return redirect(f"{address}?page={page}" if page.isdecimal() and page != "1" else address)


def _moved(request: HttpRequest) -> dict[str, int] | None:
    """
    Return the new places of those beside which another number was typed than stood there.

    None where what was typed on the page is no order. What stands on other pages is not said here and keeps its order.
    """
    typed = {
        name.removeprefix("position-"): value
        for name, value in request.POST.items()
        if name.startswith("position-")
    }
    if not all(str(value).isdecimal() and len(str(value)) < 7 for value in typed.values()):
        return None
    numbers = {code: int(str(value)) for code, value in typed.items()}
    if len(set(numbers.values())) != len(numbers) or 0 in numbers.values():
        return None
    return {
        code: number for code, number in numbers.items() if request.POST.get(f"was-{code}") != str(number)
    }


def _columns(*, is_judged: bool) -> list[tuple[str, Any]]:
    def over(row: Recommended) -> str:
        return _("超出名额") if row.is_over else ""

    score = [(_("评审得分"), lambda row: row.score)] if is_judged else []
    return [
        (_("推荐排序"), lambda row: row.position),
        (_("编号"), lambda row: row.application.code),
        (_("单位名称"), lambda row: row.application.organisation.name),
        (_("统一社会信用代码"), lambda row: row.application.organisation.uscc),
        (_("区县"), lambda row: division_name(row.application.district_code)),
        *score,
        (_("状态"), lambda row: _("已推荐") if row.has_passed else _("未推荐")),
        (_("名额"), over),
    ]


@require_POST
def sealed(request: HttpRequest, round_id: int, uscc: str) -> HttpResponse:
    """Keep the signed and sealed scan of the recommendation."""
    of, authority = _own(request, round_id, uscc)
    form = SealedForm(request.POST, request.FILES)
    if form.is_valid():
        keep_file(request, of, authority, "recommendation", form.cleaned_data["file"], is_public=False)
    else:
        messages.error(request, _("请选择盖章扫描件。"))
    return redirect("reviews:recommendations", round_id, uscc)
