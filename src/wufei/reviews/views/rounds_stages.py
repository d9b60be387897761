"""For administrators: who may do what at which stage of each edition, as the edition's data say."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from wufei.policies import queries as policy_queries
from wufei.registry.access import Permission
from wufei.registry.queries import require_as_operator
from wufei.reviews import stage_table, telling
from wufei.reviews.stages import Action
from wufei.reviews.views.rounds_desk import desk


@require_safe
def stages(request: HttpRequest) -> HttpResponse:
    """Show the table of one edition."""
    at = desk(request)
    require_as_operator(user=at.user, permission=Permission.MANAGE_USERS)
    editions = [e for e in policy_queries.known_editions().values() if e.stages]
    edition = next((e for e in editions if e.id == request.GET.get("edition")), editions[0])
    roles = stage_table.roles(edition.stages)
    rows = [
        (row, [[telling.ACTION_WORDS[a] for a in Action if a in row.offered.get(role, ())] for role in roles])
        for row in stage_table.table(edition.stages)
    ]
    context = at.context(
        editions=editions, edition=edition, roles=[telling.role_words(role) for role in roles], rows=rows
    )
    return render(request, "reviews/rounds_stages.html", context)
