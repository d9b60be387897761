"""Labelled lots in store: found, put elsewhere, split, merged, repacked, mixed, treated."""

import uuid
from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.forms import BaseFormSet, formset_factory
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from wufei.ledger import queries, services
from wufei.ledger.forms import (
    InputForm,
    LotFilter,
    OutputForm,
    RelocationForm,
    ReversalForm,
    TransformationForm,
)
from wufei.ledger.kinds import Kind, TransformationKind
from wufei.ledger.models import Balance, Place, Stream, Transformation
from wufei.ledger.posting import Draft
from wufei.ledger.views.desk import Desk, desk
from wufei.ledger.views.entry import words
from wufei.ledger.wording import REVERSAL_TEXT, TRANSFORMATION_TEXT
from wufei.registry.access import Permission
from wufei.registry.views.listing import page_at
from wufei.terms.mass import Mass

ROWS = 50
MOST_CHOSEN = 50
MOST_OUTPUTS = 20
SEPARATOR = "@"  # between a lot and the store that it is chosen from: no store's code has one
PREFIXES = {"inputs": "in", "outputs": "out"}


@require_safe
def lots(request: HttpRequest, uscc: str) -> HttpResponse:
    """List what labelled lots stand in the stores; chosen ones are put elsewhere or transformed."""
    at = desk(request, uscc)
    streams, stores = _streams(at), queries.stores_of(organisation=at.organisation)
    form = LotFilter(request.GET, streams=streams, stores=stores)
    rows = queries.lots_in_store(organisation=at.organisation)
    if form.is_valid():
        rows = queries.lots_found(rows, **form.cleaned_data)
    page = page_at(Paginator(rows, ROWS), request.GET.get("page"))
    latest = Transformation.objects.filter(organisation=at.organisation).select_related("reversal")
    return render(
        request,
        "ledger/lots.html",
        at.context(
            page=page, filters=form, is_filtered=any(request.GET.get(name) for name in form.fields),
            relocation=RelocationForm(stores=stores, initial={"moved_on": at.today}),
            latest=latest.order_by("-first_seq")[:10],
        ),
    )  # fmt: skip


def _streams(at: Desk) -> Sequence[Stream]:
    return list(Stream.objects.filter(organisation=at.organisation).order_by("code"))


def _chosen(at: Desk, names: Sequence[str]) -> list[Balance]:
    """Return what the chosen lots hold, in the order of choice; what isn't there any more is left out."""
    wanted = [tuple(name.rsplit(SEPARATOR, 1)) for name in names[:MOST_CHOSEN] if SEPARATOR in name]
    rows = queries.lots_in_store(organisation=at.organisation).filter(
        lot__code__in=[lot for lot, _store in wanted]
    )
    by_name = {(row.lot.code, row.place.code): row for row in rows}
    return [by_name[key] for key in wanted if key in by_name]  # type: ignore[index]


@require_POST
def relocate(request: HttpRequest, uscc: str) -> HttpResponse:
    """Put the chosen lots, all that is there of them, into another store."""
    at = desk(request, uscc, Permission.POST_MOVEMENTS)
    stores = queries.stores_of(organisation=at.organisation)
    form = RelocationForm(request.POST, stores=stores)
    chosen = _chosen(at, request.POST.getlist("lot"))
    if not form.is_valid() or not chosen:
        messages.error(request, _("请先勾选批次，再选移入的设施和日期。"))
        return redirect("ledger:lots", uscc)
    said = form.cleaned_data
    drafts = [
        Draft(
            Kind.RELOCATION, said["moved_on"], row.lot.stream.code, Mass(row.mass_g), store_code=row.place.code,
            lot_code=row.lot.code, handler=said["handler"], other_place=said["to"],
        )
        for row in chosen
    ]  # fmt: skip
    try:
        services.post(organisation=at.organisation, drafts=drafts, by=at.user, now=at.now)
    except services.MovementsRefused as refused:
        for index, refusals in refused.refusals:
            messages.error(
                request, f"{drafts[index].lot_code}：{'；'.join(words(each) for each in refusals)}"
            )
    else:
        messages.success(request, _("已移库 %(n)d 个批次。") % {"n": len(drafts)})
    return redirect("ledger:lots", uscc)


@require_http_methods(["GET", "POST"])
def transform(request: HttpRequest, uscc: str) -> HttpResponse:
    """Let the chosen lots become others; the same form sent twice does so once."""
    at = desk(request, uscc, Permission.POST_MOVEMENTS)
    streams, stores = _streams(at), queries.stores_of(organisation=at.organisation)
    if request.method != "POST":
        return _begun(request, at, streams, stores)
    form = TransformationForm(request.POST)
    went_in = _inputs(request.POST)
    came_out = _outputs(streams, stores, request.POST)
    if not (form.is_valid() and went_in.is_valid() and came_out.is_valid()):
        return _transform_page(request, at, form, went_in, came_out)
    try:
        made = services.transform(
            organisation=at.organisation, kind=TransformationKind(form.cleaned_data["kind"]),
            inputs=[each.input() for each in went_in if each.has_changed()],
            outputs=[each.output() for each in came_out if each.has_changed()],
            loss=form.loss_mass(), loss_reason=form.cleaned_data["loss_reason"],
            moved_on=form.cleaned_data["moved_on"], handler=form.cleaned_data["handler"],
            client_id=form.cleaned_data["client_id"], by=at.user, now=at.now,
        )  # fmt: skip
    except services.TransformationRefused as refused:
        for why in refused.refusals:
            detail = f"（{why.detail}）" if why.detail else ""
            form.add_error(None, f"{TRANSFORMATION_TEXT[why.code]}{detail}")
    except services.MovementsRefused as refused:
        for _index, refusals in refused.refusals:
            for each in refusals:
                form.add_error(None, words(each))
    except services.ClientIdReused:
        form.data = request.POST.copy() | {"client_id": str(uuid.uuid4())}
        form.add_error(
            None, _("这张表此前已经办过，后来又改了内容。先前那一次仍在；确需再办，请核对后重新提交。")
        )
    else:
        messages.success(request, _("已记账。"))
        return redirect("ledger:transformation", uscc, made.first_seq)
    return _transform_page(request, at, form, went_in, came_out)


def _inputs(said: Any = None, initial: Sequence[dict[str, Any]] = ()) -> BaseFormSet[InputForm]:
    made = formset_factory(
        InputForm, extra=0, min_num=1, validate_min=True, max_num=MOST_CHOSEN, validate_max=True
    )
    return made(said, initial=initial, prefix=PREFIXES["inputs"])


def _outputs(
    streams: Sequence[Stream],
    stores: Sequence[Place],
    said: Any = None,
    initial: Sequence[dict[str, Any]] = (),
) -> BaseFormSet[OutputForm]:
    made = formset_factory(
        OutputForm, extra=0, min_num=1, validate_min=True, max_num=MOST_OUTPUTS, validate_max=True
    )
    kwargs = {"streams": streams, "stores": stores}
    return made(said, initial=initial, prefix=PREFIXES["outputs"], form_kwargs=kwargs)


def _begun(
    request: HttpRequest, at: Desk, streams: Sequence[Stream], stores: Sequence[Place]
) -> HttpResponse:
    """Begin with what was chosen: all of it goes in, and as many lots as asked for come out."""
    chosen = _chosen(at, request.GET.getlist("lot"))
    if not chosen:
        messages.error(request, _("请先勾选要转化的批次。"))
        return redirect("ledger:lots", at.uscc)
    kind = request.GET.get("kind", "")
    kind = kind if kind in set(TransformationKind) else ("SPLIT" if len(chosen) == 1 else "MERGE")
    wanted = request.GET.get("n", "")
    count = min(int(wanted), MOST_OUTPUTS) if wanted.isdecimal() and wanted.isascii() else 0
    count = count or (2 if kind == "SPLIT" else 1)
    first = chosen[0]
    each = {"stream": first.lot.stream.code, "store": first.place.code}
    went_in = _inputs(
        initial=[{"store": r.place.code, "lot": r.lot.code, "amount": _kilograms(r.mass_g)} for r in chosen]
    )
    came_out = _outputs(streams, stores, initial=[each] * count)
    form = TransformationForm(initial={"kind": kind, "moved_on": at.today})
    return _transform_page(request, at, form, went_in, came_out)


def _kilograms(grams: int) -> str:
    text = f"{Decimal(grams).scaleb(-3):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _transform_page(
    request: HttpRequest,
    at: Desk,
    form: TransformationForm,
    went_in: BaseFormSet[InputForm],
    came_out: BaseFormSet[OutputForm],
) -> HttpResponse:
    is_refused = bool(form.errors or went_in.is_bound)
    names = [(each["lot"].value(), each["store"].value()) for each in went_in]
    again = urlencode([("lot", f"{lot}{SEPARATOR}{store}") for lot, store in names])
    context = at.context(
        form=form, inputs=went_in, outputs=came_out, again=again, more=len(came_out.forms) + 1,
        can_add=len(came_out.forms) < MOST_OUTPUTS,
    )  # fmt: skip
    return render(request, "ledger/transform.html", context, status=422 if is_refused else 200)


@require_http_methods(["GET", "POST"])
def transformation(request: HttpRequest, uscc: str, first_seq: int) -> HttpResponse:
    """Show what became of what, and take it back as a whole."""
    is_taking_back = request.method == "POST"
    at = desk(request, uscc, Permission.REVERSE_MOVEMENTS if is_taking_back else Permission.VIEW_LEDGER)
    rows = Transformation.objects.filter(organisation=at.organisation, first_seq=first_seq)
    row = rows.select_related("posted_by", "reversal__reversed_by").first()
    if row is None:
        raise Http404
    form = ReversalForm(request.POST if is_taking_back else None, initial={"moved_on": row.moved_on})
    if is_taking_back and form.is_valid():
        said = form.cleaned_data
        try:
            services.reverse_transformation(
                transformation=row, reason=said["reason"], moved_on=said["moved_on"], by=at.user, now=at.now
            )
        except services.ReversalRefused as refused:
            form.add_error(None, _(REVERSAL_TEXT[refused.code]))
        else:
            messages.success(request, _("已冲正，投入的批次回到原来的设施。"))
            return redirect("ledger:transformation", uscc, first_seq)
    movements = queries.movements(organisation=at.organisation).filter(
        seq__range=(row.first_seq, row.last_seq)
    )
    context = at.context(
        row=row, movements=movements.order_by("seq"), form=form,
        edges=row.edges.select_related("source_lot", "target_lot"),
        is_reversed=hasattr(row, "reversal"),
    )  # fmt: skip
    return render(request, "ledger/transformation.html", context, status=422 if form.errors else 200)
