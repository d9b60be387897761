"""Baseline and leading values by industry and date: what an authority maintains for scored editions."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from wufei.catalogue.industries import industry
from wufei.ledger.views.desk import Desk, desk
from wufei.policies import queries, services
from wufei.policies.edition import Edition, Scored
from wufei.policies.forms import STATEMENT_REFUSALS, RequirementsForm
from wufei.policies.models import RequirementSet
from wufei.policies.views.desks import edition_or_404
from wufei.registry.access import Permission


@require_safe
def requirements(request: HttpRequest, uscc: str) -> HttpResponse:
    """List the requirement sets, the newest of an industry first."""
    at = desk(request, uscc, Permission.MAINTAIN_REQUIREMENTS)
    known = queries.known_editions()
    kept = RequirementSet.objects.select_related("maintained_by")
    sets = [
        {
            "set": row,
            "edition": known.get(row.edition),
            "industry": found.name if (found := industry(row.industry_code)) else "",
            "ranges": _ranges(row, known.get(row.edition)),
            "is_ahead": row.in_force_from > at.today,
        }
        for row in kept.order_by("edition", "industry_code", "-in_force_from")
    ]
    asking = [each for each in known.values() if each.industry_requirements]
    return render(request, "policies/requirements.html", at.context(sets=sets, asking=asking))


def _ranges(row: RequirementSet, edition: Edition | None) -> list[tuple[str, str, str, str]]:
    named = {each.key: each for each in scored_by_industry(edition)} if edition else {}
    return [
        (named[key].name if key in named else key, named[key].unit if key in named else "", said["baseline"],
         said["leading"])
        for key, said in row.values.items()
    ]  # fmt: skip


def scored_by_industry(edition: Edition) -> list[Scored]:
    """Return the weighted indicators whose range an industry's requirement set gives."""
    scored = [each.score for each in edition.criteria if each.score]
    return [each for each in scored if not each.judged and not each.baseline]


@require_http_methods(["GET", "POST"])
def new(request: HttpRequest, uscc: str, edition_id: str) -> HttpResponse:
    """Take an industry's requirement set from a day on; one in force is never rewritten."""
    at = desk(request, uscc, Permission.MAINTAIN_REQUIREMENTS)
    edition = edition_or_404(at, edition_id)
    if not edition.industry_requirements:
        raise Http404
    scored = scored_by_industry(edition)
    initial = _initial(request.GET.get("from", ""), edition)
    form = RequirementsForm(request.POST or None, scored=scored, initial=initial)
    if request.method == "POST" and form.is_valid() and _maintained(form, at, edition):
        messages.success(request, _("已保存，自施行日期起用于评分。"))
        return redirect("policies:requirements", uscc)
    rows = [(each, form[f"baseline_{each.key}"], form[f"leading_{each.key}"]) for each in scored]
    head = [form[name] for name in ("industry_code", "name", "in_force_from", "source", "is_illustrative")]
    context = at.context(form=form, edition=edition, rows=rows, head=head)
    return render(request, "policies/new_requirements.html", context, status=422 if form.errors else 200)


def _initial(key: str, edition: Edition) -> dict[str, Any]:
    row = RequirementSet.objects.filter(pk=key).first() if key.isdecimal() and len(key) < 19 else None
    if row is None:
        return {}
    said = {"industry_code": row.industry_code, "name": row.name, "is_illustrative": row.is_illustrative}
    ends = {f"{end}_{name}": value for name, ends in row.values.items() for end, value in ends.items()}
    return said | ends


def _maintained(form: RequirementsForm, at: Desk, edition: Edition) -> bool:
    names = ("industry_code", "name", "in_force_from", "source", "is_illustrative")
    try:
        services.maintain_requirements(
            authority=at.organisation, edition_id=edition.id, values=form.values(), by=at.user, now=at.now,
            **{name: form.cleaned_data[name] for name in names},
        )  # fmt: skip
    except services.StatementRefused as refused:
        where = refused.field.replace("values.", "leading_")
        form.add_error(where if where in form.fields else None, STATEMENT_REFUSALS[refused.code])
        return False
    return True
