"""Which programmes there are for the organisation, until when, and how many are taken."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from wufei.ledger.views.desk import desk
from wufei.policies.edition import Edition
from wufei.policies.forms import YearForm
from wufei.policies.views.desks import days_until, editions_for
from wufei.registry.access import Permission
from wufei.registry.views.listing import filters

YEARS = 8


@require_safe
def editions(request: HttpRequest, uscc: str) -> HttpResponse:
    """Offer the editions to be evaluated by, each as a card."""
    at = desk(request, uscc, Permission.VIEW_FIGURES)
    years = range(at.today.year, at.today.year - YEARS, -1)
    form = YearForm(request.GET or {"year": at.today.year - 1}, years=years)
    asked = filters(form).get("year") or at.today.year - 1
    cards = [
        {
            "edition": each,
            "dates": [(due, *days_until(due.on, at.today)) for due in each.dates],
            "decides": sum(criterion.decides for criterion in each.criteria),
            "scores": sum(criterion.score is not None for criterion in each.criteria),
        }
        for each in sorted(editions_for(at.organisation.kind), key=_newest_first)
    ]
    return render(request, "policies/editions.html", at.context(form=form, year=asked, cards=cards))


def _newest_first(edition: Edition) -> tuple[int, str]:
    return -edition.in_force_from.toordinal(), edition.id
