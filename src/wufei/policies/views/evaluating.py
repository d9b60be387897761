"""Does the organisation meet what an edition asks? Every criterion with its reasons; and a person's judgement."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from wufei.indicators.figure import Figure, Missing
from wufei.indicators.views import tables
from wufei.ledger.views.desk import Desk, desk
from wufei.policies import queries, services
from wufei.policies.criteria import DECLARATIONS, Evaluation, Explanation, Finding, shown
from wufei.policies.dossier import EXCEPTION, YEARS_BACK
from wufei.policies.edition import Criterion, Edition, Judged, Kind, Severity, leaves
from wufei.policies.forms import STATEMENT_REFUSALS, JudgementForm
from wufei.policies.models import Judgement
from wufei.policies.views.desks import NOT_EVALUATED, edition_or_404
from wufei.registry.access import Permission
from wufei.terms.truth import Truth

KIND_TITLES = {
    Kind.GATE: gettext_lazy("申报条件与基本要求"),
    Kind.VETO: gettext_lazy("一票否决与基本要求"),
    Kind.INDICATOR: gettext_lazy("指标要求"),
    Kind.SCORE: gettext_lazy("评分指标"),
    Kind.SELECTION: gettext_lazy("优先考虑（不计入结论）"),
    Kind.LIFECYCLE: gettext_lazy("获得称号以后（不计入结论）"),
}


@dataclass(frozen=True, slots=True)
class Reason:
    """A node of the explanation as the page shows it."""

    node: Explanation
    compared: str  # value against threshold, in short
    figures: tuple[tuple[Figure, str], ...]  # each with the address of its page
    supply: tuple[tables.Gap, ...]
    judge: str  # where the question is answered
    children: tuple["Reason", ...]


@dataclass(frozen=True, slots=True)
class Shown:
    finding: Finding
    reason: Reason
    grant: str  # where an exception is granted


@require_safe
def evaluation(request: HttpRequest, uscc: str, edition_id: str, year: int) -> HttpResponse:
    """Show the verdict on the whole and on every criterion, with reasons and what to supply."""
    at = desk(request, uscc, Permission.VIEW_FIGURES)
    edition = edition_or_404(at, edition_id, year)
    if at.organisation.kind in NOT_EVALUATED:
        raise Http404
    found = queries.evaluation(organisation=at.organisation, edition_id=edition.id, year=year, on=at.today)
    all_shown = [_shown(finding, found, at) for finding in found.findings]
    groups = [
        (title, of_kind)
        for kind, title in KIND_TITLES.items()
        if (of_kind := [each for each in all_shown if each.finding.criterion.kind is kind])
    ]
    return render(
        request,
        "policies/evaluation.html",
        at.context(
            evaluation=found, edition=edition, year=year, groups=groups, tally=_tally(found),
            score=_score(found) if found.is_scored else None, is_print="print" in request.GET,
            years=range(at.today.year, at.today.year - 8, -1), cases=tables.address("cases:cases", uscc),
            stated_values=bool(edition.stated_items),
        ),
    )  # fmt: skip


def _tally(found: Evaluation) -> dict[str, int]:
    counted = [finding.counts_as for finding in found.findings if finding.criterion.decides]
    return {truth.value: counted.count(truth) for truth in Truth}


def _score(found: Evaluation) -> dict[str, Any]:
    """Return the score's range with where it stands on a bar of a hundred."""
    whole = sum((f.criterion.weight or Decimal(0) for f in found.findings if f.criterion.score), Decimal(0))
    share = Decimal(100) / whole if whole else Decimal(0)
    low, high = found.score_min, found.score_max
    return {
        "low": low, "high": high, "whole": whole, "is_exact": found.score is not None,
        "sure": _css(low * share), "open": _css((high - low) * share),
    }  # fmt: skip


def _css(share: Decimal) -> str:
    return format(share.quantize(Decimal("0.01"), ROUND_HALF_UP), "f")


def _shown(finding: Finding, found: Evaluation, at: Desk) -> Shown:
    criterion = finding.criterion
    may_judge = Permission.JUDGE in at.held
    grant = (
        _judge_address(at, found, criterion, EXCEPTION) if may_judge and finding.exception_required else ""
    )
    return Shown(finding, _reason(finding.node, finding.criterion, found, at), grant)


def _judge_address(at: Desk, found: Evaluation, criterion: Criterion, question: str) -> str:
    return reverse("policies:judge", args=[at.uscc, found.edition.id, found.year, criterion.id, question])


def _reason(node: Explanation, criterion: Criterion, found: Evaluation, at: Desk) -> Reason:
    span = found.edition.years_back(found.on) or YEARS_BACK
    may_judge = Permission.JUDGE in at.held and node.op == "judged"
    return Reason(
        node=node,
        compared=_compared(node),
        figures=tuple((f, tables.figure_address(f, uscc=at.uscc, span=span)) for f in node.figures),
        supply=tuple(_gap(missing, found, at) for missing in node.supply),
        judge=_judge_address(at, found, criterion, node.operands["question"]) if may_judge else "",
        children=tuple(_reason(child, criterion, found, at) for child in node.children),
    )


def _compared(node: Explanation) -> str:
    said = node.operands
    if node.op not in ("at_least", "at_most"):
        return ""
    relation = "≥" if node.op == "at_least" else "≤"
    bound = Decimal(said["bound"]) if said["bound"] is not None else None
    value = shown(Decimal(said["value"]), bound) if said["value"] is not None else _("未知")
    return _("取值 %(value)s，门槛 %(relation)s %(bound)s") % {
        "value": value, "relation": relation, "bound": shown(bound) if bound is not None else _("未定"),
    }  # fmt: skip


def _gap(missing: Missing, found: Evaluation, at: Desk) -> tables.Gap:
    """Return where the missing thing is supplied: the statement, the declaration, the import, the judgement."""
    named = re.search(r"(\d{4}) 年", missing.label)
    year = min(int(named[1]), at.today.year) if named else found.year
    if missing.subject in ("", at.uscc):
        if missing.where == DECLARATIONS:
            query = f"?edition={found.edition.id}"
            return tables.Gap(
                missing, reverse("policies:declarations", args=[at.uscc, year]) + query, _("去声明")
            )
        if missing.where == "自评价填报":
            address = reverse("policies:stated-values", args=[at.uscc, found.edition.id, year])
            return tables.Gap(missing, address, _("去填报"))
        if missing.where == "数据工作簿“单位信息”":
            return tables.Gap(missing, tables.address("registry:organisation", at.uscc), _("去补单位信息"))
    return tables.gap(missing, uscc=at.uscc, held=at.held)


# ---- a person's judgement -------------------------------------------------------------


@require_http_methods(["GET", "POST"])
def judge(
    request: HttpRequest, uscc: str, edition_id: str, year: int, criterion_id: str, question: str
) -> HttpResponse:
    """Answer a question that the rules put to a person, or grant an exception, with the reason."""
    at = desk(request, uscc, Permission.JUDGE)
    edition = edition_or_404(at, edition_id, year)
    criterion = next((each for each in edition.criteria if each.id == criterion_id), None)
    asks = dict(_questions(criterion)).get(question) if criterion else None
    if criterion is None or asks is None:
        raise Http404
    is_exception = question == EXCEPTION
    form = JudgementForm(request.POST or None, is_exception=is_exception)
    if (
        request.method == "POST"
        and form.is_valid()
        and _judged(form, at, edition, criterion_id, question, year)
    ):
        messages.success(request, _("已记下您的结论，评价已按它重算。"))
        return redirect(f"{reverse('policies:evaluation', args=[uscc, edition.id, year])}#{criterion_id}")
    found = queries.evaluation(organisation=at.organisation, edition_id=edition.id, year=year, on=at.today)
    finding = next(each for each in found.findings if each.criterion.id == criterion_id)
    earlier = Judgement.objects.filter(
        organisation=at.organisation, edition=edition.id, criterion=criterion_id, year=year, question=question
    )
    context = at.context(
        form=form, edition=edition, criterion=criterion, year=year, asks=asks, is_exception=is_exception,
        finding=finding, reason=_reason(finding.node, criterion, found, at),
        earlier=earlier.select_related("judged_by").order_by("-pk")[:20],
    )  # fmt: skip
    return render(request, "policies/judge.html", context, status=422 if form.errors else 200)


def _judged(
    form: JudgementForm, at: Desk, edition: Edition, criterion_id: str, question: str, year: int
) -> bool:
    try:
        services.judge(
            organisation=at.organisation, edition_id=edition.id, criterion=criterion_id, question=question,
            year=year, answer=form.cleaned_data["answer"], reason=form.cleaned_data["reason"], by=at.user,
            now=at.now,
        )  # fmt: skip
    except services.StatementRefused as refused:
        form.add_error(
            refused.field if refused.field in form.fields else None, STATEMENT_REFUSALS[refused.code]
        )
        return False
    return True


def _questions(criterion: Criterion) -> Iterator[tuple[str, str]]:
    """Yield each question of the criterion with its words."""
    for leaf in leaves(criterion.test) if criterion.test else ():
        if isinstance(leaf, Judged):
            yield leaf.judgement, leaf.asks
    if criterion.score and criterion.score.judged:
        yield criterion.score.key, criterion.score.judged
    if criterion.severity is Severity.IN_PRINCIPLE:
        yield EXCEPTION, _("对“原则上”的这一条，是否准予例外？")
