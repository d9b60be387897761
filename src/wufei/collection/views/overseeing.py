"""Where one begins, and who declared what: for parks, authorities and collectors."""

from datetime import date
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from wufei.collection import months, queries, rules
from wufei.collection.forms import GeneratorFilter
from wufei.collection.models import SmallGenerator
from wufei.collection.months import Word
from wufei.collection.wording import WORD_TEXT
from wufei.ledger.views.desk import Desk, desk
from wufei.registry.access import Permission
from wufei.registry.models import OrganisationKind
from wufei.registry.views.listing import export, filters, page_at
from wufei.terms.mass import Mass

ROWS = 50
MONTHS_SHOWN = 4
LOOKS_ON = (OrganisationKind.PARK, OrganisationKind.AUTHORITY)


@require_safe
def home(request: HttpRequest, uscc: str) -> HttpResponse:
    """Lead to what the organisation has to do with small generators; where that is nothing yet, say what could be."""
    at = desk(request, uscc, Permission.VIEW_ORGANISATION)
    if at.organisation.kind in LOOKS_ON:
        return redirect("collection:generators", at.uscc)
    if Permission.VIEW_LEDGER in at.held and queries.is_small_generator(
        organisation=at.organisation, on=at.today
    ):
        return redirect("collection:declarations", at.uscc)
    if Permission.SIGN_MANIFESTS in at.held and queries.is_collector(
        organisation=at.organisation, on=at.today
    ):
        return redirect("collection:ready", at.uscc)
    return render(request, "collection/home.html", at.context())


@require_safe
def generators(request: HttpRequest, uscc: str) -> HttpResponse:
    """List the small generators of a park, a division or a collector, with what is known of their last months."""
    at = desk(request, uscc, Permission.VIEW_ORGANISATION)
    form = GeneratorFilter(request.GET)
    asked = filters(form)
    rows = _narrowed(_generators(at), asked, at.today)
    latest = months.latest_due(at.today, rules.declaration_due_day())
    shown_months = months.months_between(_months_back(months.month_of(at.today)), months.month_of(at.today))
    if request.GET.get("export") == "xlsx":
        return _exported(list(rows), latest, at)
    page = page_at(Paginator(rows, ROWS), request.GET.get("page"))
    found = list(page)
    words = [queries.words_of(generators=found, month=month, on=at.today) for month in shown_months]
    context = at.context(
        form=form, page=page, latest=latest, months=shown_months,
        rows=[
            (
                each,
                [
                    (month, *_cell(said[each.organisation_id]))
                    for month, said in zip(shown_months, words, strict=True)
                ],
            )
            for each in found
        ],
        silent=_narrowed(_generators(at), {"standing": "silent"}, at.today).count(),
        due_rule=rules.known_rules()["declaration_due_day"], is_collector=at.organisation.kind not in LOOKS_ON,
        listing={"is_filtered": any(request.GET.get(name) for name in form.fields)},
    )  # fmt: skip
    return render(request, "collection/generators.html", context)


def _months_back(month: date) -> date:
    for _each in range(MONTHS_SHOWN - 1):
        month = months.month_before(month)
    return month


def _cell(said: tuple[Word, Any]) -> tuple[Word, int | None]:
    word, declaration = said
    return word, None if declaration is None else (declaration.new_g or 0)


def _generators(at: Desk) -> QuerySet[SmallGenerator]:
    """Return those that the reader may see as this organisation: the park's, the division's, the collector's own."""
    if at.organisation.kind in LOOKS_ON:
        rows = queries.overseen(user=at.user, on=at.today)
        return rows.filter(organisation__in=queries.within(organisation=at.organisation, on=at.today))
    return queries.contracted(collector=at.organisation, user=at.user, on=at.today)


def _narrowed(rows: QuerySet[SmallGenerator], asked: dict[str, Any], today: date) -> QuerySet[SmallGenerator]:
    if text := asked.get("q"):
        rows = rows.filter(Q(organisation__name__icontains=text) | Q(organisation__uscc__icontains=text))
    silent = queries.silent(on=today).values("pk")
    if asked.get("standing") == "silent":
        rows = rows.filter(pk__in=silent)
    elif asked.get("standing") == "spoken":
        rows = rows.exclude(pk__in=silent)
    return rows.order_by("organisation__name", "pk")


def _exported(rows: list[SmallGenerator], month: date, at: Desk) -> HttpResponse:
    words = queries.words_of(generators=rows, month=month, on=at.today)
    columns: list[tuple[str, Any]] = [
        (_("单位"), lambda row: row.organisation.name),
        (_("统一社会信用代码"), lambda row: row.organisation.uscc),
        (_("电话"), lambda row: row.organisation.phone),
        (_("月份"), lambda row: f"{month:%Y-%m}"),
        (_("申报"), lambda row: WORD_TEXT[words[row.organisation_id][0]]),
        (_("新产生（吨）"), lambda row: _tonnes(words[row.organisation_id])),
    ]
    return export(title=_("小微企业申报"), columns=columns, rows=rows)


def _tonnes(said: tuple[Word, Any]) -> Any:
    grams = _cell(said)[1]
    return None if grams is None else Mass(grams).tonnes
