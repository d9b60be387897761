"""Quick entry with a live check, and reversal with its reason."""

import uuid
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from wufei.ledger import posting, queries, services
from wufei.ledger.forms import EntryForm, ReversalForm
from wufei.ledger.identifying import Identified
from wufei.ledger.kinds import INTO_STORE, LABELS, Kind
from wufei.ledger.models import Head, Lot, Movement, Stream
from wufei.ledger.posting import Code, Refusal, lot_code_of
from wufei.ledger.queries.identifying import standings
from wufei.ledger.views.desk import Desk, desk
from wufei.ledger.views.listing import known, outside_parties
from wufei.ledger.views.movements import movement_of, store_of
from wufei.ledger.wording import REFUSAL_TEXT, REVERSAL_TEXT
from wufei.registry.access import Permission
from wufei.terms.mass import Mass

LATEST = 5
KNOWN_LOTS = 200
# What stays from one entry to the next.
KEPT = ("kind", "stream", "store", "moved_on", "unit", "handler")
FIELD_OF: dict[Code, str] = {
    Code.MASS_NOT_POSITIVE: "amount",
    Code.MASS_ABSURD: "amount",
    Code.MOVED_ON_IN_FUTURE: "moved_on",
    Code.MONTH_CLOSED: "moved_on",
    Code.STREAM_UNKNOWN: "stream",
    Code.STORE_UNKNOWN: "store",
    Code.STORE_MISSING: "store",
    Code.GOES_NOWHERE: "store",
    Code.NOT_BY_ITSELF: "store",
    Code.LOT_CODE_RESERVED: "lot",
    Code.LOT_CODE_USED: "lot",
    Code.LOT_UNKNOWN: "lot",
    Code.LOT_OF_ANOTHER_STREAM: "lot",
    Code.SOURCE_OVERDRAWN: "amount",
    Code.TARGET_OVER_CAPACITY: "amount",
}


def _form(at: Desk, said: Any = None, initial: dict[str, Any] | None = None) -> EntryForm:
    streams = list(Stream.objects.filter(organisation=at.organisation).order_by("code"))
    stores = queries.stores_of(organisation=at.organisation)
    return EntryForm(said, streams=streams, stores=stores, initial=initial)


@require_http_methods(["GET", "POST"])
def post(request: HttpRequest, uscc: str) -> HttpResponse:
    """Post one movement; the same form sent twice posts once."""
    at = desk(request, uscc, Permission.POST_MOVEMENTS)
    if request.method != "POST":
        kept = {name: request.GET[name] for name in KEPT if name in request.GET}
        return _entry_page(request, at, _form(at, initial={"moved_on": at.today} | kept))
    form = _form(at, request.POST)
    if not form.is_valid():
        return _entry_page(request, at, form)
    try:
        posted = services.post(organisation=at.organisation, drafts=[form.draft()], by=at.user, now=at.now)
    except services.MovementsRefused as refused:
        for _index, refusals in refused.refusals:
            for refusal in refusals:
                form.add_error(FIELD_OF.get(refusal.code), words(refusal))
        return _entry_page(request, at, form)
    except services.ClientIdReused:
        form.data = request.POST.copy() | {"client_id": str(uuid.uuid4())}
        form.add_error(
            None, _("这张表此前已经记过账，后来又改了内容。先前那一条仍在；确需再记一条，请核对后重新提交。")
        )
        return _entry_page(request, at, form)
    row = posted.select_related("stream")[0]
    messages.success(
        request,
        _("已记账：第 %(seq)d 号，%(kind)s %(name)s %(mass)s 吨。")
        % {
            "seq": row.seq,
            "kind": LABELS[Kind(row.kind)],
            "name": row.stream.name,
            "mass": _plain(row.mass_g),
        },
    )
    if "another" in request.POST:
        kept = {name: form.data[name] for name in KEPT if form.data.get(name)}
        return redirect(f"{request.path}?{urlencode(kept)}")
    return redirect("ledger:movement", at.uscc, row.seq)


def _entry_page(request: HttpRequest, at: Desk, form: EntryForm) -> HttpResponse:
    mine = queries.movements(organisation=at.organisation).filter(posted_by=at.user)
    lots = Lot.objects.filter(organisation=at.organisation, is_bulk=False).order_by("-pk")
    return render(
        request,
        "ledger/entry.html",
        at.context(
            form=form,
            latest=mine.order_by("-seq")[:LATEST],
            parties=outside_parties(at.organisation),
            methods=known(at.organisation, "method"),
            lots=lots.values_list("code", flat=True)[:KNOWN_LOTS],
            is_ready=len(form.fields["store"].choices) > 0 and len(form.fields["stream"].choices) > 1,  # type: ignore[attr-defined]
        ),
        status=422 if form.errors else 200,
    )


@require_POST
def check(request: HttpRequest, uscc: str) -> HttpResponse:
    """Say what the ledger would say, while the form is being filled; nothing is posted."""
    at = desk(request, uscc, Permission.POST_MOVEMENTS)
    form = _form(at, request.POST)
    if not form.is_valid():
        return render(request, "ledger/_check.html", {"is_incomplete": True})
    draft = form.draft()
    book = queries.book(organisation=at.organisation, drafts=[draft], today=at.today)
    [refusals] = posting.examine([draft], book)
    store, lot = draft.store_code or book.first_store or "", lot_code_of(draft)
    free = posting.can_be_taken(book=book, store_code=store, lot_code=lot, on=draft.moved_on)
    after = free + (draft.mass.grams if draft.kind in INTO_STORE else -draft.mass.grams)
    return render(
        request,
        "ledger/_check.html",
        {
            "refusals": [words(refusal) for refusal in refusals], "free": max(free, 0), "after": after,
            "identified": _identified(at, draft.stream_code),
        },
    )  # fmt: skip


def _identified(at: Desk, stream_code: str) -> Identified | None:
    """Return how the chosen stream stands with its hazard identification."""
    chosen = Stream.objects.filter(organisation=at.organisation, code=stream_code)
    found = standings(organisation=at.organisation, on=at.today, streams=chosen)
    return found[0].identified if found else None


def words(refusal: Refusal) -> str:
    """Return what a person reads; where the ledger said how much, so do we."""
    said = _(REFUSAL_TEXT[refusal.code])
    first = refusal.detail.partition(" ")[0]
    if refusal.code is Code.SOURCE_OVERDRAWN and first.isdecimal():
        return _("差 %(mass)s 吨。") % {"mass": _plain(int(first))} + said
    if refusal.code is Code.TARGET_OVER_CAPACITY and first.isdecimal():
        return _("超出 %(mass)s 吨。") % {"mass": _plain(int(first))} + said
    if refusal.code is Code.MONTH_CLOSED:
        return _("已结账至 %(day)s。") % {"day": refusal.detail} + said
    return said


def _plain(grams: int) -> str:
    text = f"{Mass(grams).tonnes:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


@require_http_methods(["GET", "POST"])
def reverse(request: HttpRequest, uscc: str, seq: int) -> HttpResponse:
    """Take a movement back, with the reason, after it was shown once more."""
    at = desk(request, uscc, Permission.REVERSE_MOVEMENTS)
    row = movement_of(at, seq)
    form = ReversalForm(
        request.POST if request.method == "POST" else None, initial={"moved_on": _open_day(at, row)}
    )
    if request.method == "POST" and form.is_valid():
        try:
            reversal = services.reverse(
                movement=row,
                reason=form.cleaned_data["reason"],
                moved_on=form.cleaned_data["moved_on"],
                by=at.user,
                now=at.now,
            )
        except services.ReversalRefused as refused:
            form.add_error(None, _(REVERSAL_TEXT[refused.code]))
        else:
            messages.success(
                request, _("已冲正第 %(seq)d 号，冲正记录为第 %(by)d 号。") % {"seq": seq, "by": reversal.seq}
            )
            return redirect("ledger:movement", at.uscc, seq)
    context = at.context(row=row, store=store_of(row), form=form)
    return render(request, "ledger/reversal.html", context, status=422 if form.errors else 200)


def _open_day(at: Desk, row: Movement) -> date:
    """Return the movement's own day, or the first open one after it."""
    head = Head.objects.filter(organisation=at.organisation).first()
    closed = head.closed_through if head else None
    return row.moved_on if closed is None or row.moved_on > closed else closed + timedelta(days=1)
