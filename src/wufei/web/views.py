"""The few pages that belong to no room: where one lands, and whether the server is well."""

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_safe

from wufei.registry import queries
from wufei.registry.access import Role
from wufei.terms.day import local_day


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Send everybody to where their work begins."""
    assert request.user.is_authenticated  # LoginRequiredMiddleware saw to it
    roles = queries.roles_of(user=request.user)
    at_work = [held for held in roles if held.role != Role.ADMINISTRATOR]
    if not roles:
        return redirect("registry:account")
    if not at_work:
        return redirect("registry:users")
    # Experts and agencies see what a review assigns to them, not their own organisation's pages.
    seen = queries.visible_organisations(user=request.user, on=local_day(timezone.now()))
    open_to = set(seen.filter(pk__in=[held.organisation_id for held in at_work]).values_list("pk", flat=True))
    first = next((held.organisation for held in at_work if held.organisation_id in open_to), None)
    return redirect("organisation-home", first.uscc) if first else redirect("registry:account")


@login_not_required
@require_safe
def health(request: HttpRequest) -> HttpResponse:
    """Answer whether the store can be read."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return JsonResponse({"status": "store unreachable"}, status=503)
    return JsonResponse({"status": "ok"})
