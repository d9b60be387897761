"""What should be looked at again: for reviewers of an application, and for applicants before they hand in."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from wufei.cases.models import Submission, SubmittedEvidence
from wufei.cases.queries import NoCaseFile, visible_cases
from wufei.cases.refusals import sentence
from wufei.cases.services import LedgerChanging
from wufei.ledger.views.desk import desk as organisations_desk
from wufei.registry.access import Permission
from wufei.registry.queries import visible_organisations
from wufei.reviews import doubts as found_by
from wufei.reviews.doubts import Basis, Doubt
from wufei.reviews.queries.applications import Audience, audience_of
from wufei.reviews.queries.applications_seen import held_roles
from wufei.reviews.queries.doubts import doubts_before, doubts_of
from wufei.reviews.views.rounds_desk import Desk, desk, one_application


@dataclass(frozen=True, slots=True)
class Line:
    """A value under a doubt, as its reader may see it."""

    label: str
    value: str
    address: str


@dataclass(frozen=True, slots=True)
class Shown:
    doubt: Doubt
    lines: tuple[Line, ...]


class _Reader:
    """Whose values a person may see, and where each is looked up; asks the store once for all doubts."""

    def __init__(self, seen: frozenset[str], found: Iterable[Doubt]):
        basis = [each for doubt in found for each in doubt.basis]
        self._seen = seen
        self._numbers = _submissions(_keys(basis, "number"))
        self._files = _files(_keys(basis, "file"))

    def line(self, basis: Basis) -> Line:
        if basis.whose and basis.whose not in self._seen:
            return Line(basis.label, _("（不在您的管辖范围内，不予显示）"), "")
        return Line(basis.label, basis.value, self._address(basis.leads_to))

    def _address(self, leads_to: tuple[str | int, ...]) -> str:
        match leads_to:
            case ("number", int(key), int(index)) if key in self._numbers:
                return reverse("cases:submitted-number", args=[*self._numbers[key], index])
            case ("file", int(key)) if key in self._files:
                return reverse("cases:submitted-file", args=[*self._files[key], key])
            case ("movement", str(uscc), int(seq)) if uscc in self._seen:
                return reverse("ledger:movement", args=[uscc, seq])
        return ""


def _keys(basis: Iterable[Basis], kind: str) -> set[int]:
    return {int(each.leads_to[1]) for each in basis if each.leads_to and each.leads_to[0] == kind}


def _submissions(keys: set[int]) -> Mapping[int, tuple[Any, ...]]:
    rows = Submission.objects.filter(pk__in=keys).exclude(case=None).order_by()
    return {
        row[0]: row[1:] for row in rows.values_list("pk", "case__organisation__uscc", "case_id", "number")
    }


def _files(keys: set[int]) -> Mapping[int, tuple[Any, ...]]:
    rows = SubmittedEvidence.objects.filter(pk__in=keys).exclude(submission__case=None).order_by()
    columns = ("pk", "submission__case__organisation__uscc", "submission__case_id", "submission__number")
    return {row[0]: row[1:] for row in rows.values_list(*columns)}


def _shown(found: list[Doubt], seen: frozenset[str]) -> list[tuple[str, str, list[Shown]]]:
    reader = _Reader(seen, found)
    return [
        (
            rows[0].severity.value,
            words,
            [Shown(doubt, tuple(reader.line(b) for b in doubt.basis)) for doubt in rows],
        )
        for words, rows in found_by.grouped(found)
    ]


def _may_look_into(at: Desk, found: Iterable[Doubt]) -> frozenset[str]:
    """Return into whose cases the reader may look, of those that the doubts are about."""
    named = {each.whose for doubt in found for each in doubt.basis if each.whose}
    named |= {
        str(b.leads_to[1]) for d in found for b in d.basis if b.leads_to and b.leads_to[0] == "movement"
    }
    seen = visible_organisations(user=at.user, permission=Permission.REVIEW_CASE, on=at.today)
    return frozenset(seen.filter(uscc__in=named).values_list("uscc", flat=True))


@require_safe
def doubts(request: HttpRequest, code: str) -> HttpResponse:
    """List what a reviewer should look at again, with the values it rests on."""
    at = desk(request)
    application = one_application(at, code)
    held = held_roles(user=at.user, on=at.today)
    if audience_of(held=held, application=application) is Audience.APPLICANT:
        raise Http404
    found = doubts_of(application=application)
    groups = _shown(found, _may_look_into(at, found))
    context = at.context(application=application, round=application.round, groups=groups, count=_count(found))
    return render(request, "reviews/doubts_page.html", context)


def _count(found: Iterable[Doubt]) -> int:
    return sum(each.severity is not found_by.Severity.UNKNOWN for each in found)


@require_safe
def self_check(request: HttpRequest, uscc: str, case_id: int) -> HttpResponse:
    """Tell the applicant what a reviewer would be told, before the case is handed in."""
    at = organisations_desk(request, uscc, Permission.VIEW_CASE)
    rows = visible_cases(user=at.user, on=at.today).filter(organisation=at.organisation, pk=case_id)
    case = rows.first()
    if case is None:
        raise Http404
    try:
        found = doubts_before(case=case, on=at.today)
    except NoCaseFile as error:
        raise Http404 from error
    except LedgerChanging as refused:
        messages.error(request, sentence(refused.code))
        return redirect("cases:case", uscc, case_id)
    groups = _shown(found, frozenset({at.uscc}))
    context = at.context(case=case, groups=groups, count=_count(found))
    return render(request, "reviews/doubts_self_check.html", context)
