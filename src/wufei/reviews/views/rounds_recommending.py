"""The recommendation list of a district or a city: its order, its quota, and the signed and sealed scan."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from wufei.registry.models import Organisation
from wufei.registry.views.listing import export
from wufei.registry.views.organisations import division_name
from wufei.reviews.forms.rounds import SealedForm
from wufei.reviews.queries.rounds_recommending import Recommended, recommendation_list, recommending_stage
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services.rounds_recommending import put_in_order
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
    found = recommendation_list(round_=of.round, authority=authority)
    if request.GET.get("export") == "xlsx":
        return export(title=_("推荐名单"), columns=_columns(), rows=found.rows)
    scans = of.round.documents.filter(kind="recommendation", authority=authority).select_related("added_by")
    stage = recommending_stage(edition=of.edition, authority=authority)
    context = of.context(
        authority=authority, found=found, scans=scans.order_by("-pk"), form=SealedForm(), stage=stage,
        numbers=range(1, len(found.rows) + 1),
    )  # fmt: skip
    return render(request, "reviews/rounds_recommendations.html", context)


def _ordered(request: HttpRequest, of: RoundDesk, authority: Organisation) -> HttpResponse:
    if request.POST.get("by") == "score":
        codes: list[str] | None = []
    else:
        codes = _codes_in_order(request)
    try:
        if codes is None:
            messages.error(request, _("排序应为不重复的整数。"))
        else:
            put_in_order(round_=of.round, authority=authority, codes=codes, by=of.at.user, now=of.at.now)
            messages.success(request, _("已按评分排序。") if not codes else _("已保存排序。"))
    except ReviewRefused as refused:
        messages.error(request, words_of(refused))
    return redirect("reviews:recommendations", of.round.pk, authority.uscc)


def _codes_in_order(request: HttpRequest) -> list[str] | None:
    """Return the codes by the numbers typed beside them; None where those make no order."""
    typed = {
        name.removeprefix("position-"): value
        for name, value in request.POST.items()
        if name.startswith("position-")
    }
    if not all(str(value).isdecimal() and len(str(value)) < 7 for value in typed.values()):
        return None
    numbers = {code: int(str(value)) for code, value in typed.items()}
    if len(set(numbers.values())) != len(numbers):
        return None
    return sorted(numbers, key=lambda code: numbers[code])


def _columns() -> list[tuple[str, Any]]:
    def over(row: Recommended) -> str:
        return _("超出名额") if row.is_over else ""

    return [
        (_("推荐排序"), lambda row: row.position),
        (_("编号"), lambda row: row.application.code),
        (_("单位名称"), lambda row: row.application.organisation.name),
        (_("统一社会信用代码"), lambda row: row.application.organisation.uscc),
        (_("区县"), lambda row: division_name(row.application.district_code)),
        (_("平均评分"), lambda row: row.score),
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
