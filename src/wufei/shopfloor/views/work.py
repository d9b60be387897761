"""
The worker's page on the phone, and what it asks and sends: JSON, one entry at a time.

The page is kept on the phone by a service worker; what was entered without a network waits there in order.
"""

import hashlib
import json
from collections.abc import Callable
from functools import cache, wraps
from pathlib import Path
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from wufei.labels.refusals import Code as LabelCode
from wufei.labels.refusals import LabelRefused
from wufei.labels.services import reserve_numbers
from wufei.labels.wording import REFUSAL_TEXT as LABEL_TEXT
from wufei.ledger import services as ledger
from wufei.ledger.models import Container, Lot, WasteClass
from wufei.ledger.queries import stores_of
from wufei.ledger.queries.identifying import unidentified
from wufei.ledger.views.desk import Desk, desk
from wufei.ledger.views.entry import words as ledger_words
from wufei.registry.access import Permission
from wufei.registry.queries import NotPermitted
from wufei.shopfloor import queries, services
from wufei.shopfloor.entry import (
    PACKAGINGS,
    EntryMalformed,
    Generated,
    GivenUp,
    Relocated,
    entry_of,
    numbers_of,
    phone_of,
)
from wufei.shopfloor.reading import Refused
from wufei.shopfloor.refusals import Code, ShopfloorRefused
from wufei.shopfloor.scanned import lot_code_of
from wufei.shopfloor.wording import READING_TEXT, TEXT

# All that the page needs to work without a network.
ASSETS = (
    "mark.svg", "vendor/tabler/tabler.min.css", "vendor/tabler/tabler.min.js", "vendor/htmx/htmx.min.js",
    "vendor/tabler-icons/icons.svg", "wufei.css", "wufei.js", "work.css", "work.js", "work-queue.js",
    "work-scanner.js",
)  # fmt: skip
WORKER = "work-worker.js"
NUMBERS_AT_ONCE = 20  # of the 999 that a waste code has in a day


@require_safe
def work(request: HttpRequest, uscc: str) -> HttpResponse:
    """Show the page; all that it offers without a network stands in it."""
    at = desk(request, uscc, Permission.POST_MOVEMENTS)
    streams = queries.streams_of(organisation=at.organisation)
    stores = stores_of(organisation=at.organisation)
    scales = queries.scales_in_use(organisation=at.organisation)
    warned = unidentified(organisation=at.organisation, on=at.today)
    warnings = {each.stream.pk: each.identified.label for each in warned}
    data = {
        "uscc": at.uscc,
        "owner": f"{at.user.pk}@{at.uscc}",
        "streams": [
            {
                "code": row.code,
                "name": row.name,
                "process": row.process.name,
                "hazardous_code": row.waste_code if row.waste_class == WasteClass.HAZARDOUS else "",
                "warning": warnings.get(row.pk, ""),
            }
            for row in streams
        ],
        "stores": [{"code": row.code, "name": row.name} for row in stores],
        "packagings": [{"code": code, "name": str(Container.Packaging(code).label)} for code in PACKAGINGS],
        "scales": [{"code": row.code, "name": row.name, "store": row.store.code} for row in scales],
        "addresses": _addresses(at),
    }
    is_ready = bool(streams and stores)
    return render(request, "shopfloor/work.html", at.context(data=data, is_ready=is_ready, stores=stores))


def _addresses(at: Desk) -> dict[str, str]:
    names = ("entries", "phone", "numbers", "lots", "worker")
    found = {name: reverse(f"shopfloor:{name}", args=[at.uscc]) for name in names}
    # The page puts a scale's code, or a lot's key, where this stands.
    found["reading"] = reverse("shopfloor:reading", args=[at.uscc, "CODE"])
    found["label"] = reverse("labels:label", args=[at.uscc, 0])
    found["sign_in"] = f"{reverse('registry:sign-in')}?next={reverse('shopfloor:work', args=[at.uscc])}"
    return found


def _in_words(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Answer a refusal with its code and with words for the worker, in JSON."""

    @wraps(view)
    def answered(request: HttpRequest, uscc: str, **named: Any) -> HttpResponse:
        try:
            return view(request, uscc, **named)
        except ShopfloorRefused as refused:
            return _refusal(refused.code, _said_more(refused), 409 if refused.is_conflict else 422)
        except ledger.MovementsRefused as refused:
            [(_index, reasons)] = refused.refusals
            return _refusal(reasons[0].code, " ".join(ledger_words(each) for each in reasons), 409)
        except LabelRefused as refused:
            return _refusal(refused.code, _(LABEL_TEXT[refused.code]), 409)
        except EntryMalformed:
            return _refusal(Code.MALFORMED, _(TEXT[Code.MALFORMED]), 422)
        except NotPermitted:
            return _refusal("not_permitted", _("您没有在该单位记账的权限；请联系环保专员。"), 403)

    return answered


def _said_more(refused: ShopfloorRefused) -> str:
    words = _(TEXT[refused.code])
    if refused.code == Code.CONTAINER_MOVED:
        return _("这个容器现在在 %(store)s。") % {"store": refused.detail} + words
    return words


def _refusal(code: str, words: str, status: int) -> HttpResponse:
    return JsonResponse({"code": code, "words": words}, status=status)


@require_POST
@_in_words
def entries(request: HttpRequest, uscc: str) -> HttpResponse:
    """Take one entry of a phone; sent again, it is answered the same and counted once."""
    at = desk(request, uscc, Permission.POST_MOVEMENTS)
    said = entry_of(request.body)
    by: dict[str, Any] = {"organisation": at.organisation, "by": at.user, "now": at.now}
    handler = str(at.user)[:60]
    if isinstance(said, GivenUp):
        services.abandon(
            client_id=said.client_id, content=said.content, refusal=said.refusal, reason=said.reason,
            made_at=said.made_at, **by,
        )  # fmt: skip
        return JsonResponse({"abandoned": str(said.client_id)}, status=201)
    if isinstance(said, Generated):
        done = services.enter_generation(
            client_id=said.client_id, made_at=said.made_at, stream=said.stream, lot=said.lot, mass=said.mass,
            store=said.store, reading=said.reading, packaging=said.packaging, digital_id=said.digital_id,
            handler=handler, **by,
        )  # fmt: skip
    else:
        assert isinstance(said, Relocated), "there is no other kind"
        done = services.enter_relocation(
            client_id=said.client_id, made_at=said.made_at, scanned=said.scanned, to_store=said.to_store,
            seen_in=said.seen_in, handler=handler, **by,
        )  # fmt: skip
    lot_id = Lot.objects.values_list("pk", flat=True).get(organisation=at.organisation, code=done.lot)
    return JsonResponse(
        {
            "seq": done.seq, "lot": done.lot, "lot_id": lot_id, "store": done.store, "mass_g": done.mass_g,
            "is_replay": done.is_replay, "digital_id": done.digital_id,
            "label_trouble": _(LABEL_TEXT[LabelCode(done.label_refusal)]) if done.label_refusal else "",
        },
        status=201,
    )  # fmt: skip


@require_POST
@_in_words
def phone(request: HttpRequest, uscc: str) -> HttpResponse:
    """Give the phone the number that its lot codes begin with."""
    at = desk(request, uscc, Permission.POST_MOVEMENTS)
    said = phone_of(request.body)
    row = services.register_phone(organisation=at.organisation, client_id=said, by=at.user, now=at.now)
    return JsonResponse({"prefix": f"T{row.number}"}, status=201)


@require_POST
@_in_words
def numbers(request: HttpRequest, uscc: str) -> HttpResponse:
    """Reserve 数字识别码 for the phone, so that it can number containers without a network."""
    at = desk(request, uscc, Permission.POST_MOVEMENTS)
    said = numbers_of(request.body)
    block = reserve_numbers(
        organisation=at.organisation, waste_code=said.waste_code, on=said.on, count=NUMBERS_AT_ONCE,
        device=str(at.user)[:60], client_id=said.client_id, by=at.user, now=at.now,
    )  # fmt: skip
    return JsonResponse({"first": block.first, "last": block.last}, status=201)


@never_cache
@require_safe
@_in_words
def reading(request: HttpRequest, uscc: str, code: str) -> HttpResponse:
    """Say what a worker at the scale would take, or why the last reading can't be taken."""
    at = desk(request, uscc, Permission.POST_MOVEMENTS)
    scale = queries.scale_of(organisation=at.organisation, code=code)
    if scale is None or scale.retired_at is not None:
        raise ShopfloorRefused(Code.SCALE_UNKNOWN, code)
    offered = queries.offered(scale=scale, now=at.now)
    last = queries.last_said(scale=scale, now=at.now)
    trouble = READING_TEXT[Refused(last.refusal)] if last is not None and last.refusal else ""
    said: dict[str, Any] = {"reading": None, "trouble": _(trouble) if trouble else ""}
    if offered is not None and offered.taken_at is not None:
        said["reading"] = {
            "scale": scale.code, "sequence": offered.sequence, "net_g": offered.net_g,
            "taken_at": timezone.localtime(offered.taken_at).isoformat(),
        }  # fmt: skip
    return JsonResponse(said)


@never_cache
@require_safe
@_in_words
def lots(request: HttpRequest, uscc: str) -> HttpResponse:
    """Say what a scanned code names, and where it stands."""
    at = desk(request, uscc, Permission.POST_MOVEMENTS)
    code = lot_code_of(request.GET.get("code", ""))
    found = queries.standing_of(organisation=at.organisation, lot_code=code) if code else None
    if found is None:
        raise ShopfloorRefused(Code.CODE_UNKNOWN, code)
    return JsonResponse(
        {
            "lot": found.lot.code, "lot_id": found.lot.pk, "stream": found.lot.stream.code,
            "stream_name": found.lot.stream.name, "mass_g": found.mass_g,
            "store": found.store.code if found.store else None,
            "store_name": found.store.name if found.store else None,
        }
    )  # fmt: skip


@login_not_required
@require_safe
def worker(request: HttpRequest, uscc: str) -> HttpResponse:
    """
    Hand out the service worker; it stands beside the page that it serves, and reaches no other.

    It says nothing of anybody, so a phone whose session has ended still gets its update.
    """
    scope = reverse("shopfloor:work", args=[uscc])
    response = HttpResponse(
        f"const SCOPE = {json.dumps(scope)};\n{_worker()}", content_type="text/javascript; charset=utf-8"
    )
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
    head = {"VERSION": digest.hexdigest()[:16], "ASSETS": [static(name) for name in ASSETS]}
    return "".join(f"const {name} = {json.dumps(value)};\n" for name, value in head.items()) + code


def _source(name: str) -> bytes:
    found = finders.find(name)
    assert isinstance(found, str), f"{name} is among our static files"
    return Path(found).read_bytes()
