"""The yearly re-evaluation as the authority sees it: the list with its proof, reminders, warnings."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from wufei.indicators.figure import plain
from wufei.ledger.views.desk import Desk
from wufei.policies.edition import Edition
from wufei.registry.models import Organisation
from wufei.registry.views.listing import ROWS_PER_PAGE, export, page_at
from wufei.reviews.forms.register import WarnForm, YearFilter
from wufei.reviews.queries import register as register_queries
from wufei.reviews.queries.reevaluations import YearsResult, reevaluation
from wufei.reviews.queries.reevaluations_paged import YearPaged
from wufei.reviews.reevaluation import OUR_READING
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services import reevaluations as services
from wufei.reviews.services import register as register_services
from wufei.reviews.views.register import authority_desk, editions_with_titles, one_title
from wufei.reviews.wording import words_of

FIRST = 20  # of those due and of those without a score, beside the scores


def _editions() -> list[Edition]:
    """Return the editions that have the rule of the bottom share."""
    return [each for each in editions_with_titles() if "bottom_share_pct" in each.parameters]


def _asked(request: HttpRequest, at: Desk) -> tuple[YearFilter, Edition | None, int]:
    editions = _editions()
    data = request.GET if request.GET.get("edition") else None
    first = _first_with_titles(editions, at) if data is None else None
    initial: dict[str, Any] = {"edition": first.id if first else "", "year": at.today.year}
    form = YearFilter(data, editions=editions, initial=initial)
    said = form.cleaned_data if data and form.is_valid() else initial
    edition = next((each for each in editions if each.id == said["edition"]), None)
    return form, edition, said["year"]


def _first_with_titles(editions: list[Edition], at: Desk) -> Edition | None:
    """Return the edition that the page opens on: the first whose rules go for a title that the authority works with."""
    seen = register_queries.titles_seen_by(authority=at.organisation, at=at.today)
    held = set(seen.order_by().values_list("edition", flat=True).distinct())
    found = (each for each in editions if held & {other.id for other in register_queries.editions_of(each)})
    return next(found, editions[0] if editions else None)


@require_safe
def year(request: HttpRequest, uscc: str) -> HttpResponse:
    """Show a year's scores, its bottom with the proof, who is due for removal, and who has not answered."""
    at = authority_desk(request, uscc)
    form, edition, of_year = _asked(request, at)
    if edition is None:
        return render(request, "reviews/register_year.html", at.context(form=form))
    if request.GET.get("export") == "xlsx":
        result = reevaluation(edition, of_year)
        seen = register_queries.titles_seen_by(authority=at.organisation, at=date.max)
        keys = set(seen.values_list("pk", flat=True))
        lines = [line for line in result.lines if line.title.pk in keys]
        return export(title=_("自评价对标"), columns=_columns(result), rows=lines)
    found = YearPaged(edition=edition, year=of_year, authority=at.organisation)
    context = at.context(
        form=form, result=found, our_reading=OUR_READING, chosen=edition, year=of_year,
        **_parts(request, found, at.organisation),
    )  # fmt: skip
    return render(request, "reviews/register_year.html", context)


def _parts(request: HttpRequest, found: YearPaged, authority: Organisation) -> dict[str, Any]:
    """Return the first of those due and of those without a score, and a page of the scores; or a page of one of them."""
    part = request.GET.get("part", "")
    due_keys, silent_count = found.due_keys(), found.silent_count()
    counts = {"due": len(due_keys), "silent": silent_count, "": found.line_count()}
    part = part if part in counts else ""
    page = page_at(Paginator(range(counts[part]), ROWS_PER_PAGE), request.GET.get("page"))
    start = max(page.start_index(), 1)
    shown: dict[str, Any] = {
        "part": part,
        "page": page,
        "due_count": len(due_keys),
        "silent_count": silent_count,
    }
    if part in ("", "due"):
        at, number = (start, ROWS_PER_PAGE) if part else (1, FIRST)
        rows = found.due(due_keys[at - 1 : at - 1 + number]) if due_keys else []
        shown["due"] = [(each, each.title.authority_id == authority.pk) for each in rows]
    if part in ("", "silent"):
        at, number = (start, ROWS_PER_PAGE) if part else (1, FIRST)
        silent = found.silent(at, number) if silent_count else []
        shown["silent"] = [(each, each.title.authority_id == authority.pk) for each in silent]
    if not part:
        shown["lines"] = found.lines(start, ROWS_PER_PAGE)
    return shown


def _columns(result: YearsResult) -> list[tuple[str, Any]]:
    due = {each.title.pk for each in result.removals_due}
    return [
        (_("名次"), lambda row: row.rank),
        (_("编号"), lambda row: row.title.number),
        (_("持有人"), lambda row: row.title.holder_name),
        (_("统一社会信用代码"), lambda row: row.title.holder_uscc),
        (_("得分"), lambda row: plain(row.score)),
        (_("处于末位"), lambda row: _("是") if row.in_bottom else ""),
        (_("连续年数"), lambda row: row.years_in_bottom),
        (_("应移出"), lambda row: _("是") if row.title.pk in due else ""),
    ]


@require_POST
def remind(request: HttpRequest, uscc: str, edition_id: str, year: int) -> HttpResponse:
    """Remind the holders that have not answered."""
    at = authority_desk(request, uscc)
    if edition_id not in {each.id for each in _editions()}:
        raise Http404
    told = services.remind(
        authority=at.organisation, edition_id=edition_id, year=year, by=at.user, now=at.now
    )
    messages.success(
        request,
        _("已提醒 %(told)d 人。") % {"told": told} if told else _("今天都已提醒过，或没有需要提醒的人。"),
    )
    return redirect(_back(uscc, edition_id, year))


def _back(uscc: str, edition_id: str, year: int) -> str:
    return f"{reverse('reviews:years-reevaluation', args=[uscc])}?edition={edition_id}&year={year}"


@require_http_methods(["GET", "POST"])
def warn(request: HttpRequest, uscc: str, title_id: int, year: int) -> HttpResponse:
    """Warn a holder that has not answered."""
    at = authority_desk(request, uscc)
    found = one_title(at, title_id)
    if found.authority_id != at.organisation.pk:
        raise Http404
    form = WarnForm(request.POST or None, causes=register_queries.causes(title=found))
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                register_services.warn_holder(
                    title=found, year=year, by=at.user, now=at.now, **form.cleaned_data
                )
            except ReviewRefused as refused:
                form.add_error(None, words_of(refused))
                status = 409 if refused.is_conflict else 422
            else:
                messages.success(request, _("已发出限期整改。到期仍未开展的，列入应移出名单。"))
                return redirect("reviews:title", uscc, found.pk)
    context = at.context(form=form, title=found, year=year)
    return render(request, "reviews/register_warn.html", context, status=status)
