"""The few pages that belong to no room: where one lands, and whether the server is well."""

import sys

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.http import require_safe

from wufei.registry import queries
from wufei.registry.access import Role
from wufei.terms.day import local_day

AGAIN_SECONDS = 5  # after which who asked may ask again, where the database was away


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


def broken(request: HttpRequest) -> HttpResponse:
    """
    Answer where a page failed: 503 while the database is away, so that who asked asks again, else 500.

    Nothing is read here: what failed may fail again. Nothing of the request was saved.
    """
    is_away = isinstance(sys.exc_info()[1], OperationalError | InterfaceError)
    status = 503 if is_away else 500
    if request.path.startswith("/api/"):
        code = "database_away" if is_away else "internal_error"
        said = {"code": code, "message": BROKEN[status], "details": []}
        response: HttpResponse = JsonResponse(said, status=status, json_dumps_params={"ensure_ascii": False})
    else:
        response = HttpResponse(render_to_string(f"{status}.html"), status=status)
    if is_away:
        response["Retry-After"] = str(AGAIN_SECONDS)
    return response


BROKEN = {
    500: "系统出错，没有保存；请稍后再试，仍然出错请把时间和请求告诉系统管理员。",
    503: "数据库暂时不可用，没有保存；请按 Retry-After 所示的秒数后重发同一请求（同一 Idempotency-Key 不会重复记账）。",
}
