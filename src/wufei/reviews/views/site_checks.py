"""Checks on site on the phone: what is to be checked, the sheet that works without a network, the photos."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_not_required
from django.contrib.staticfiles import finders
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_aware
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from wufei.cases.refusals import sentence
from wufei.paper.attachments import EvidenceRefused
from wufei.policies import queries as policy_queries
from wufei.registry.views.listing import ROWS_PER_PAGE, page_at
from wufei.registry.views.organisations import division_name
from wufei.reviews import claims
from wufei.reviews.models import Application, SiteCheckPhoto
from wufei.reviews.queries import site_checks as queries
from wufei.reviews.queries.applications import sees_as_officer
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services.site_checks import MAX_PHOTOS, record_site_check
from wufei.reviews.views.rounds import attached
from wufei.reviews.views.rounds_desk import Desk, desk, one_application
from wufei.reviews.wording import words_of

# All that the pages need to work without a network.
ASSETS = (
    "mark.svg", "vendor/tabler/tabler.min.css", "vendor/tabler/tabler.min.js", "vendor/htmx/htmx.min.js",
    "vendor/tabler-icons/icons.svg", "wufei.css", "rooms.css", "wufei.js", "site-check.css", "site-check.js",
)  # fmt: skip
WORKER = "site-check-worker.js"
ANSWERS = (("YES", _("属实")), ("NO", _("不属实")), ("UNSEEN", _("未核查")))


@require_safe
def site_checks(request: HttpRequest) -> HttpResponse:
    """List what the reader has to check on site; each sheet is kept on the phone as the list is opened."""
    at = desk(request)
    page = page_at(
        Paginator(queries.to_check(user=at.user, on=at.today), ROWS_PER_PAGE), request.GET.get("page")
    )
    rows = [(row, division_name(row.district_code)) for row in page]
    return render(request, "reviews/site_checks_list.html", at.context(page=page, rows=rows))


@require_http_methods(["GET", "HEAD", "POST"])
def site_check(request: HttpRequest, code: str) -> HttpResponse:
    """Show the sheet of one application, or keep what a phone sends."""
    at = desk(request)
    application = one_application(at, code)
    if not sees_as_officer(user=at.user, application=application, on=at.today):
        raise Http404
    if request.method == "POST":
        return _keep(request, at, application)
    edition = policy_queries.edition(application.round.edition)
    context = at.context(
        application=application, round=application.round, district=division_name(application.district_code),
        claims=claims.claims(application.submission.content, edition), answers=ANSWERS, max_photos=MAX_PHOTOS,
        may_check=queries.may_check(user=at.user, application=application, on=at.today),
    )  # fmt: skip
    return render(request, "reviews/site_checks_sheet.html", context)


def _keep(request: HttpRequest, at: Desk, application: Application) -> HttpResponse:
    """Answer a phone: stored (again), or the reason why not, in words for the person."""
    try:
        said = _said(request.POST)
    except (ValueError, InvalidOperation, TypeError):
        return _refusal("malformed", _("手机送来的内容不完整，没有保存。请打开这条记录核对后重新提交。"), 422)
    photos = [(file.name or "", file.read()) for file in request.FILES.getlist("photos")[: MAX_PHOTOS + 1]]
    try:
        made = record_site_check(application=application, photos=photos, by=at.user, now=at.now, **said)
    except EvidenceRefused as refused_photo:
        return _refusal(refused_photo.code, sentence(refused_photo.code), 422)
    except ReviewRefused as refused:
        return _refusal(refused.code, words_of(refused), 409 if refused.is_conflict else 422)
    stored = {"stored": made.pk, "received_at": made.received_at.isoformat(), "photos": made.photos.count()}
    return JsonResponse(stored, status=201)


def _refusal(code: str, words: str, status: int) -> HttpResponse:
    return JsonResponse({"code": code, "words": words}, status=status)


def _said(post: Mapping[str, str]) -> dict[str, Any]:
    """
    Read what the phone sent.

    :raises ValueError, InvalidOperation, TypeError: if it makes no sense
    """
    checked_at = parse_datetime(post.get("checked_at", ""))
    if checked_at is None or not is_aware(checked_at):
        raise ValueError("checked_at")
    criteria = json.loads(post.get("criteria") or "{}")
    if not isinstance(criteria, dict) or not all(_is_answer(each) for each in criteria.values()):
        raise TypeError("criteria")
    accuracy = post.get("accuracy_m", "")
    return {
        "client_id": UUID(post.get("client_id", "")), "checked_at": _whole_seconds(checked_at),
        "participants": post.get("participants", "")[:2000], "words": post.get("words", "")[:5000],
        "criteria": criteria, "position": _position(post),
        "accuracy_m": min(int(Decimal(accuracy)), 1_000_000) if accuracy else None,
    }  # fmt: skip


def _is_answer(said: Any) -> bool:
    return isinstance(said, dict) and all(isinstance(v, str) and len(v) <= 2000 for v in said.values())


def _whole_seconds(at: datetime) -> datetime:
    return at.replace(microsecond=0)


def _position(post: Mapping[str, str]) -> tuple[Decimal, Decimal] | None:
    if not post.get("latitude") or not post.get("longitude"):
        return None
    latitude, longitude = Decimal(post["latitude"]), Decimal(post["longitude"])
    if not (latitude.is_finite() and longitude.is_finite()):
        raise ValueError("position")
    return round(latitude, 6), round(longitude, 6)


@require_safe
def photo(request: HttpRequest, photo_id: int) -> HttpResponseBase:
    """Hand out a photo of a check on site, to those who decide."""
    at = desk(request)
    try:
        row = queries.photo_for(user=at.user, key=photo_id, on=at.today)
    except SiteCheckPhoto.DoesNotExist as error:
        raise Http404 from error
    return attached(row.stored, row.file_name)


@login_not_required
@require_safe
def worker(request: HttpRequest) -> HttpResponse:
    """
    Hand out the service worker; it stands beside the pages that it serves, and reaches no others.

    It says nothing of anybody, so a phone whose session has ended still gets its update.
    """
    response = HttpResponse(_worker(), content_type="text/javascript; charset=utf-8")
    response["Cache-Control"] = "no-cache"
    response["X-Content-Type-Options"] = "nosniff"
    return response


@cache
def _worker() -> str:
    """A change of any asset is another version, and the phone fetches all of them anew."""
    code = _source(WORKER).decode()
    digest = hashlib.sha256(code.encode())
    for name in ASSETS:
        digest.update(_source(name))
    head = {
        "VERSION": digest.hexdigest()[:16],
        "SCOPE": reverse("reviews:site-checks"),
        "ASSETS": [static(name) for name in ASSETS],
    }
    return "".join(f"const {name} = {json.dumps(value)};\n" for name, value in head.items()) + code


def _source(name: str) -> bytes:
    found = finders.find(name)
    assert isinstance(found, str), f"{name} is among our static files"
    return Path(found).read_bytes()
