"""A driver's phone says where it is: only of a load that is under way, and only when the driver pressed the button."""

import json
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_POST, require_safe

from wufei.ledger.views.desk import Desk, desk
from wufei.registry.access import Permission
from wufei.tracking import queries, services
from wufei.tracking.limits import LONGEST_BATCH
from wufei.tracking.positions import MOST_BYTES, Unreadable, parsed
from wufei.tracking.refusals import Code, TrackingRefused
from wufei.tracking.wording import POSITION_TEXT, TEXT, words, words_of_answer
from wufei.transfers.models import Manifest

EVERY_SECONDS = 30
AT_ONCE = 100


def _manifest(at: Desk, reference: str) -> Manifest:
    try:
        return queries.manifest_of(
            organisation=at.organisation, user=at.user, reference=reference, on=at.today
        )
    except Manifest.DoesNotExist:
        raise Http404 from None


@never_cache
@ensure_csrf_cookie
@require_safe
def report(request: HttpRequest, uscc: str, reference: str) -> HttpResponse:
    """Show the driver the button."""
    at = desk(request, uscc, Permission.SIGN_MANIFESTS)
    manifest = _manifest(at, reference)
    leg = queries.carried_by(organisation=at.organisation, manifest=manifest)
    data = {
        "address": reverse("tracking:positions", args=[at.uscc, manifest.reference]), "every_ms": EVERY_SECONDS * 1000,
        "at_once": min(AT_ONCE, LONGEST_BATCH), "key": f"{at.uscc} {manifest.reference} {at.user.pk}",
    }  # fmt: skip
    context = at.context(
        row=manifest, leg=leg, is_under_way=leg is not None and leg.ended_at is None, data=data
    )
    return render(request, "tracking/report.html", context)


@require_POST
def positions(request: HttpRequest, uscc: str, reference: str) -> HttpResponse:
    """Take what the phone saw; say what became of it."""
    at = desk(request, uscc, Permission.SIGN_MANIFESTS)
    manifest = _manifest(at, reference)
    if len(request.body) > MOST_BYTES:
        return _refused(413, Code.NOT_READABLE)
    try:
        batch, _signature = parsed(request.body)
        phone = UUID(batch.tracker)
    except (Unreadable, ValueError):
        return _refused(422, Code.NOT_READABLE)
    try:
        answer = services.accept_from_phone(
            manifest=manifest, organisation=at.organisation, phone=phone, batch=batch, by=at.user, now=at.now
        )
    except TrackingRefused as refused:
        return _refused(409 if refused.is_conflict else 422, refused.code, words(refused))
    refusals = [
        {"sequence": number, "code": why.value, "message": _(POSITION_TEXT[why])}
        for number, why in sorted(answer.refusals.items())
    ]
    said: dict[str, Any] = {
        "accepted": answer.accepted, "refused": refusals, "message": words_of_answer(answer.refusals, answer.outliers)
    }  # fmt: skip
    return _answer(said, 200)


def _refused(status: int, code: Code, message: str = "") -> HttpResponse:
    return _answer({"code": code.value, "message": _(message or TEXT[code])}, status)


def _answer(said: dict[str, Any], status: int) -> HttpResponse:
    return JsonResponse(
        said, status=status, json_dumps_params={"ensure_ascii": False}, encoder=json.JSONEncoder
    )
