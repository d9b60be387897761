"""An applicant's side: its applications, and handing in, first or again."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from wufei.cases.models import Case, CaseState
from wufei.cases.queries import visible_cases
from wufei.cases.refusals import sentence
from wufei.cases.services import LedgerChanging, NotReady
from wufei.reviews import telling
from wufei.reviews.models import Round
from wufei.reviews.queries import applications as queries
from wufei.reviews.queries.rounds import visible_rounds
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services.applying import submit
from wufei.reviews.views.rounds_desk import Desk, desk
from wufei.reviews.wording import words_of


@require_safe
def mine(request: HttpRequest) -> HttpResponse:
    """List the applications of the reader's organisations in their words, and the cases that could be handed in."""
    at = desk(request)
    rows = []
    found = queries.own_applications(user=at.user, on=at.today)
    for row in found:
        told = queries.told(row, list(row.acts.all()))
        outcome = telling.OUTCOME_WORDS[told.standing.outcome] if told.standing.outcome else ""
        rows.append((row, told, outcome))
    context = at.context(rows=rows, ready=_could_hand_in(at, {(r.round_id, r.case_id) for r in found}))
    return render(request, "reviews/applications_mine.html", context)


def _could_hand_in(at: Desk, handed_in: set[tuple[int, int | None]]) -> list[tuple[Round, Case, bool]]:
    """Return the cases for which a round is open, and whether each is ready."""
    rounds: dict[str, list[Round]] = {}
    open_ones = visible_rounds(user=at.user, on=at.today).filter(published_at__isnull=False, closed_at=None)
    for row in open_ones.order_by("-year", "-pk"):
        rounds.setdefault(row.edition, []).append(row)
    cases: Any = visible_cases(user=at.user, on=at.today).filter(edition__in=rounds).order_by("-year", "pk")
    return [
        (row, case, case.state == CaseState.READY)
        for case in cases
        for row in rounds[case.edition]
        if (row.pk, case.pk) not in handed_in and case.year in (row.year, row.year - 1)
    ]


@require_POST
def hand_in(request: HttpRequest, round_id: int, case_id: int) -> HttpResponse:
    """Hand in a case, first or again: it is frozen as it stands."""
    at = desk(request)
    round_ = visible_rounds(user=at.user, on=at.today).filter(pk=round_id).first()
    case = visible_cases(user=at.user, on=at.today).filter(pk=case_id).first()
    if round_ is None or case is None:
        raise Http404
    try:
        application = submit(round_=round_, case=case, by=at.user, now=at.now)
    except ReviewRefused as refused:
        messages.error(request, words_of(refused))
    except NotReady:
        messages.error(
            request,
            _("申报书还没标为待报送：请在本页补齐没写或超过字数的部分，点“写完了，标为待报送”，再来报送。"),
        )
        return redirect("cases:check", case.organisation.uscc, case.pk)
    except LedgerChanging as changing:
        messages.error(request, sentence(changing.code))
    else:
        messages.success(request, _("已报送，编号 %(code)s。") % {"code": application.code})
        return redirect("reviews:application", application.code)
    return redirect("reviews:mine")
