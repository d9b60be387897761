"""Any code, scanned anywhere, tells its history: as far as the person may see it."""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from wufei.ledger import queries, tracing
from wufei.ledger.epcis import epcis_document
from wufei.ledger.models import Lot
from wufei.registry.models import Organisation, User
from wufei.terms.day import local_day

MOST_CHARACTERS = 400  # of a QR code; a lot's code has 80


@require_safe
def trace(request: HttpRequest) -> HttpResponse:
    """Ask for a code, or show its whole way."""
    code, uscc = _asked(request)
    context: dict[str, Any] = {"code": code, "uscc": uscc}
    status = 200
    if code:
        found, several, refused = _found(request, code, uscc)
        if found is not None:
            context |= _told(request, found)
        else:
            context |= {"several": several, "refused": refused}
            status = 200 if several else 404
    return render(request, "ledger/trace.html", context, status=status)


@require_safe
def epcis(request: HttpRequest) -> HttpResponse:
    """Download the way as GS1 EPCIS 2.0."""
    found, _several, refused = _found(request, *_asked(request))
    if found is None:
        context = {"code": _asked(request)[0], "several": [], "refused": refused}
        return render(request, "ledger/trace.html", context, status=404)
    now = timezone.now()
    told = queries.trace(lot=found, seen_by=_user(request), on=local_day(now))
    body = json.dumps(epcis_document(told, created_at=now), ensure_ascii=False)
    answer = HttpResponse(body, content_type="application/ld+json")
    answer["Content-Disposition"] = f'attachment; filename="epcis-{found.pk}.jsonld"'
    return answer


def _asked(request: HttpRequest) -> tuple[str, str]:
    code = request.GET.get("code", "").strip()[:MOST_CHARACTERS]
    return code.replace("\x00", ""), request.GET.get("of", "").strip()[:18].replace("\x00", "")


def _user(request: HttpRequest) -> User:
    assert request.user.is_authenticated  # LoginRequiredMiddleware saw to it
    return request.user


def _found(request: HttpRequest, code: str, uscc: str) -> tuple[Lot | None, list[Organisation], str]:
    """Return the lot, or of whom there are several, or why the scanned text is no label of ours."""
    on = local_day(timezone.now())
    try:
        return queries.lot_coded(code, uscc=uscc, seen_by=_user(request), on=on), [], ""
    except queries.LotNotFound:
        return None, [], ""
    except queries.LotAmbiguous as several:
        return None, several.organisations, ""
    except queries.ScanRefused as torn:
        return None, [], torn.words


def _told(request: HttpRequest, lot: Lot) -> dict[str, Any]:
    told = queries.trace(lot=lot, seen_by=_user(request), on=local_day(timezone.now()))
    return {
        "lot": lot,
        "is_open": any(node.lot == told.code and node.is_open for node in told.nodes),
        "trace": told,
        "rows": [(isinstance(each, tracing.Edge), each) for each in tracing.in_order(told)],
        "option": tracing.drawing(told),
        "unseen": sum(not node.is_open for node in told.nodes),
    }
