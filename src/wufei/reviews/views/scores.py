"""For who runs a round: all scores with what lies far off, one case's discussion, the ranking and its cut-off."""

from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from wufei.policies.edition import Edition
from wufei.registry.views.listing import ROWS_PER_PAGE, export, filters, page_at
from wufei.reviews.forms.experts import CutForm, WordsForm
from wufei.reviews.models import Application, Discussion, ScoreSheet
from wufei.reviews.queries import ranking as rankings
from wufei.reviews.queries import sheets as queries
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services import assignments as services
from wufei.reviews.services.rounds import quota_number
from wufei.reviews.views.experts_desk import ScoredRound, scored_round
from wufei.reviews.wording import words_of


@require_safe
def scores(request: HttpRequest, round_id: int) -> HttpResponse:
    """Show the matrix; `?only=outliers` those where an expert lies far from the rest."""
    of = scored_round(request, round_id, deciders_may=True)
    only = request.GET.get("only") == "outliers"
    keys: Any = queries.scored_keys(round_=of.round, stage=of.stage.id)
    if only:
        far = [
            row
            for row in rankings.ranking_shown(round_=of.round, stage=of.stage.id).rows
            if row.score.has_outlier
        ]
        keys = [row.application for row in sorted(far, key=lambda row: row.code)]
    page = page_at(Paginator(keys, ROWS_PER_PAGE), request.GET.get("page"))
    shown = Application.objects.filter(pk__in=list(page.object_list)).select_related("organisation")
    rows = queries.matrix(round_=of.round, stage=of.stage.id, applications=shown.order_by("code"))
    return render(request, "reviews/scores_matrix.html", of.context(page=page, rows=rows, only=only))


@require_http_methods(["GET", "POST"])
def discussion(request: HttpRequest, round_id: int, code: str) -> HttpResponse:
    """Show one case's sheets and what was said; say something, or let it be scored again."""
    of = scored_round(request, round_id)
    rows = Application.objects.select_related("organisation", "round__authority", "submission")
    row = rows.filter(round=of.round, code=code).first()
    if row is None:
        raise Http404
    form, status = WordsForm(request.POST or None), 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            words = form.cleaned_data["words"]
            try:
                if request.POST.get("action") == "second_turn":
                    services.second_turn(application=row, words=words, by=of.at.user, now=of.at.now)
                    messages.success(request, _("已请原专家重新评分，以第二轮得分为准。"))
                else:
                    services.discuss(application=row, words=words, by=of.at.user, now=of.at.now)
                    messages.success(request, _("已发言。"))
                return redirect("reviews:discussion", round_id, code)
            except ReviewRefused as refused:
                form.add_error(None, words_of(refused))
                status = 409 if refused.is_conflict else 422
    return render(request, "reviews/scores_case.html", of.context(form=form, **_case(of, row)), status=status)


def _case(of: ScoredRound, row: Application) -> dict[str, Any]:
    sheets = ScoreSheet.objects.filter(
        assignment__application=row, assignment__stage=of.stage.id, assignment__withdrawn_at=None,
        submitted_at__isnull=False,
    ).select_related("assignment__expert").order_by("assignment__turn", "assignment__expert__number")  # fmt: skip
    shown = [
        (sheet, [(i, sheet.scores.get(i.id, ""), sheet.comments.get(i.id, "")) for i in of.scoring.rubric])
        for sheet in sheets
    ]
    [marks] = queries.matrix(round_=of.round, stage=of.stage.id, applications=[row])
    said = Discussion.objects.filter(application=row, stage=of.stage.id).order_by("pk")
    earlier = queries.earlier_sheets(application=row, stage=of.stage.id)
    return {"application": row, "sheets": shown, "earlier": earlier, "marks": marks, "said": said}


@require_safe
def ranking(request: HttpRequest, round_id: int) -> HttpResponse:
    """Show the ranking, and what a cut-off would select."""
    of = scored_round(request, round_id, deciders_may=True)
    if request.GET.get("export") == "xlsx":
        return _exported(rankings.ranking(round_=of.round, stage=of.stage.id))
    found = rankings.ranking_shown(round_=of.round, stage=of.stage.id)
    quota = _quota(of)
    form = CutForm(request.GET or None, initial={"number": quota})
    asked = filters(form) if form.is_bound else {}
    number = asked.get("number") if form.is_bound and "number" in request.GET else quota
    cut = found.cut(number=number, at_least=asked.get("at_least"))
    page = page_at(Paginator(found.rows, ROWS_PER_PAGE), request.GET.get("page"))
    page.object_list = rankings.named_today(list(page.object_list))
    context = of.context(
        ranking=found, page=page, form=form, cut=cut, quota=quota, first_row=page.start_index(),
        is_cut=number is not None or asked.get("at_least") is not None,
    )  # fmt: skip
    return render(request, "reviews/scores_ranking.html", context)


def _quota(of: ScoredRound) -> int | None:
    """Return the number of the next stage's quota; None where it has none."""
    edition: Edition = of.of.edition
    behind = edition.stages[[s.id for s in edition.stages].index(of.stage.id) + 1 :]
    with_quota = next((stage for stage in behind if stage.quota), None)
    return quota_number(of.round, with_quota.quota) if with_quota and with_quota.quota else None


def _exported(found: rankings.Ranking) -> HttpResponse:
    most = max((len(row.score.sheets) for row in found.rows), default=0)
    columns: list[tuple[str, Any]] = [
        (_("名次"), lambda row: row.rank), (_("编号"), lambda row: row.code),
        (_("申报单位"), lambda row: row.organisation), (_("标准化得分"), lambda row: row.normalised),
        (_("原始平均分"), lambda row: row.raw),
    ]  # fmt: skip
    for at in range(most):
        columns.append((_("专家%(n)s") % {"n": at + 1}, _sheet_cell(at, "expert")))
        columns.append((_("原始分%(n)s") % {"n": at + 1}, _sheet_cell(at, "raw")))
        columns.append((_("标准化分%(n)s") % {"n": at + 1}, _sheet_cell(at, "normalised")))
    columns.append((_("同分规则"), lambda row: "；".join(row.decided_by)))
    columns.append((_("数据缺失"), lambda row: "；".join(row.unknown)))
    return export(title=_("评审排名"), columns=columns, rows=found.rows)


def _sheet_cell(at: int, name: str) -> Any:
    def cell(row: rankings.RankedCase) -> str | Decimal | None:
        return getattr(row.score.sheets[at], name) if at < len(row.score.sheets) else None

    return cell
