"""The pages of labels: the list, one label, what was printed, reserved numbers, a stream's particulars, signs."""

from typing import Any
from urllib.parse import quote
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from wufei.labels import queries, services, signs
from wufei.labels.digital_id import LAST_SEQUENCE
from wufei.labels.forms import (
    ContainerForm,
    LabelFilter,
    NumbersForm,
    ParticularsForm,
    PrintForm,
    SignForm,
)
from wufei.labels.models import LabelPrint, PrintFormat
from wufei.labels.output import File, file_of
from wufei.labels.png import png
from wufei.labels.refusals import LabelRefused
from wufei.labels.wording import words
from wufei.labels.zpl import DOTS_PER_MM
from wufei.ledger.models import Lot, Stream
from wufei.ledger.queries import stores_of
from wufei.ledger.views.desk import Desk, desk
from wufei.registry.access import Permission
from wufei.registry.views.listing import filters, listing

PREVIEW_DPI = 150
ROWS = 30
MOST_LABELS = 200  # in one file
SORTS = {"code": ("code",), "day": ("born_on", "code"), "stream": ("stream__code", "code")}


@require_safe
def labels(request: HttpRequest, uscc: str) -> HttpResponse:
    """List the containers and batches that bear a label, to be chosen and printed."""
    at = desk(request, uscc)
    streams = Stream.objects.filter(organisation=at.organisation).order_by("code")
    form = LabelFilter(request.GET, streams=streams, stores=stores_of(organisation=at.organisation))
    said = {name: value for name, value in filters(form).items() if value}
    rows = queries.lots(organisation=at.organisation, wanted=queries.Wanted(**said))
    context = at.context(
        listing=listing(
            request=request,
            rows=rows,
            sorts=SORTS,
            default_sort="-day",
            form=form,
            rows_per_page=ROWS,
            keys_first=True,
        ),
        print_form=PrintForm(of_many=True),
    )
    return render(request, "labels/labels.html", context)


@require_POST
def print_labels(request: HttpRequest, uscc: str) -> HttpResponse:
    """Record that labels are printed, and hand over to the page that has their file."""
    at = desk(request, uscc, Permission.POST_MOVEMENTS)
    keys = request.POST.getlist("lot")
    back = (
        redirect("labels:label", uscc, int(keys[0]))
        if _is_of_one(request)
        else redirect("labels:labels", uscc)
    )
    form = PrintForm(request.POST)
    chosen = queries.chosen(organisation=at.organisation, keys=keys)
    if not form.is_valid():
        messages.error(request, "；".join(f"{e}" for errors in form.errors.values() for e in errors))
        return back
    if not 1 <= len(chosen) <= MOST_LABELS:
        messages.error(request, _("请选择 1 至 %(n)d 个容器。") % {"n": MOST_LABELS})
        return back
    try:
        services.record_prints(
            organisation=at.organisation, lots=chosen, count=form.cleaned_data["count"],
            print_format=PrintFormat(form.cleaned_data["print_format"]), reason=form.cleaned_data["reason"],
            client_id=form.cleaned_data["client_id"], by=at.user, now=at.now,
        )  # fmt: skip
    except LabelRefused as refused:
        messages.error(request, _(words(refused)) + (f"（{refused.detail}）" if refused.detail else ""))
        return back
    return redirect("labels:printed", uscc, form.cleaned_data["client_id"])


def _is_of_one(request: HttpRequest) -> bool:
    keys = request.POST.getlist("lot")
    return (
        request.POST.get("from") == "label" and len(keys) == 1 and keys[0].isdecimal() and len(keys[0]) < 19
    )


@require_safe
def printed(request: HttpRequest, uscc: str, client_id: UUID) -> HttpResponse:
    """Show what was printed at one time, with the file to be saved or sent to the printer."""
    at = desk(request, uscc)
    prints = _prints(at, client_id)
    context = at.context(prints=prints, first=prints[0], dpis=sorted(DOTS_PER_MM), sheets=_sheets(prints))
    return render(request, "labels/printed.html", context)


@require_safe
def printed_file(request: HttpRequest, uscc: str, client_id: UUID) -> HttpResponse:
    """Hand out the file of one time of printing."""
    at = desk(request, uscc, Permission.POST_MOVEMENTS)
    prints = _prints(at, client_id)
    dpi = 300 if request.GET.get("dpi") == "300" else 203
    found = {
        lot.pk: lot for lot in queries.chosen(organisation=at.organisation, keys=[p.lot_id for p in prints])
    }
    pictures = []
    for each, of in zip(prints, queries.labels_of([found[p.lot_id] for p in prints]), strict=True):
        pictures += [queries.picture(of)] * (each.count * queries.faces(of))
    title = _("标签") + (f" {prints[0].lot.code}" if len(prints) == 1 else f" {len(prints)}")
    return _attached(file_of(pictures, print_format=prints[0].format, title=title, dpi=dpi), title)


def _prints(at: Desk, client_id: UUID) -> list[LabelPrint]:
    rows = LabelPrint.objects.filter(organisation=at.organisation, client_id=client_id)
    found = list(rows.select_related("lot__stream", "printed_by").order_by("lot__code"))
    if not found:
        raise Http404
    return found


def _sheets(prints: list[LabelPrint]) -> int:
    return sum(each.count for each in prints)


def _attached(file: File, stem: str) -> HttpResponse:
    name = quote(f"{stem}.{file.suffix}", safe="")
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
    return HttpResponse(file.content, content_type=file.media_type, headers=headers)


# --- one label


@require_safe
def label(request: HttpRequest, uscc: str, lot_id: int) -> HttpResponse:
    """Show one label as it will be printed, and when it was."""
    at = desk(request, uscc)
    return _label_page(request, at, _lot(at, lot_id), None)


def _label_page(request: HttpRequest, at: Desk, lot: Lot, form: ContainerForm | None) -> HttpResponse:
    refusal, of, drawn = "", None, None
    try:
        of = queries.label(lot)
        drawn = queries.picture(of)
    except LabelRefused as refused:
        refusal = _(words(refused))
    prints = list(queries.prints_of(lot=lot)[:50])
    container = queries.container_of(lot)
    context = at.context(
        lot=lot, label=of, drawn=drawn, refusal=refusal, prints=prints, container=container,
        faces=queries.faces(of) if of else 1,
        print_form=PrintForm(initial={"print_format": "PDF"}),
        container_form=form or ContainerForm(container=container),
    )  # fmt: skip
    return render(request, "labels/label.html", context, status=422 if form else 200)


@require_safe
def preview(request: HttpRequest, uscc: str, lot_id: int) -> HttpResponse:
    """Draw the label for the screen."""
    at = desk(request, uscc)
    try:
        drawn = queries.picture(queries.label(_lot(at, lot_id)))
    except LabelRefused:
        raise Http404 from None
    return HttpResponse(png(drawn, dpi=PREVIEW_DPI), content_type="image/png")


@require_POST
def container(request: HttpRequest, uscc: str, lot_id: int) -> HttpResponse:
    """Say what the lot is in; hazardous waste gets its number."""
    at = desk(request, uscc, Permission.POST_MOVEMENTS)
    lot = _lot(at, lot_id)
    form = ContainerForm(request.POST)
    if not form.is_valid():
        return _label_page(request, at, lot, form)
    try:
        services.number_container(
            organisation=at.organisation, lot_code=lot.code, packaging=form.cleaned_data["packaging"],
            volume_ml=form.volume_ml, client_id=form.cleaned_data["client_id"], by=at.user, now=at.now,
        )  # fmt: skip
    except LabelRefused as refused:
        form.add_error(None, _(words(refused)))
        return _label_page(request, at, lot, form)
    messages.success(request, _("已保存容器“%(code)s”。") % {"code": lot.code})
    return redirect("labels:label", uscc, lot.pk)


def _lot(at: Desk, key: int) -> Lot:
    return get_object_or_404(queries.lots(organisation=at.organisation), pk=key)


# --- numbers, particulars


@require_http_methods(["GET", "POST"])
def numbers(request: HttpRequest, uscc: str) -> HttpResponse:
    """Reserve numbers for who labels without a network, and list what is reserved."""
    at = desk(request, uscc, Permission.POST_MOVEMENTS)
    codes = queries.hazardous_codes(organisation=at.organisation)
    form = NumbersForm(request.POST if request.method == "POST" else None, codes=codes, today=at.today)
    if request.method == "POST" and form.is_valid():
        try:
            block = services.reserve_numbers(
                organisation=at.organisation, by=at.user, now=at.now, **form.cleaned_data
            )
        except LabelRefused as refused:
            form.add_error(None, _(words(refused)))
        else:
            said = {"code": block.waste_code, "first": f"{block.first:03d}", "last": f"{block.last:03d}"}
            messages.success(request, _("已预留 %(code)s 的 %(first)s～%(last)s 号。") % said)
            return redirect("labels:numbers", uscc)
    rows = queries.blocks(organisation=at.organisation)
    context = at.context(
        form=form, codes=codes, most=LAST_SEQUENCE,
        listing=listing(request=request, rows=rows, sorts={"at": ("reserved_at",)}, default_sort="-at"),
    )  # fmt: skip
    return render(request, "labels/numbers.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def particulars(request: HttpRequest, uscc: str, stream_id: int) -> HttpResponse:
    """Keep what only the labels of a stream say."""
    at = desk(request, uscc, Permission.EDIT_ORGANISATION)
    own = Stream.objects.select_related("organisation").filter(organisation=at.organisation)
    stream = get_object_or_404(own, pk=stream_id)
    row = queries.particulars_of(streams=[stream])[stream.pk]
    names = ("hazards", "harmful_components", "precautions", "contact", "remarks", "version")
    initial: dict[str, Any] = {name: getattr(row, name) for name in names}
    form = ParticularsForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            services.keep_particulars(stream=stream, by=at.user, now=at.now, **form.cleaned_data)
        except LabelRefused as refused:
            form.add_error("hazards" if refused.code == "hazard_unknown" else None, _(words(refused)))
        else:
            messages.success(request, _("已保存“%(name)s”的标签内容。") % {"name": stream.name})
            return redirect("labels:labels", uscc)
    context = at.context(form=form, stream=stream, listed=queries.hazards_of_stream(stream, row))
    return render(request, "labels/particulars.html", context, status=422 if form.errors else 200)


# --- signs


@require_safe
def signs_page(request: HttpRequest, uscc: str) -> HttpResponse:
    """Choose a sign of a store."""
    at = desk(request, uscc)
    stores = list(stores_of(organisation=at.organisation))
    form = SignForm(request.GET if "store" in request.GET else None, stores=stores)
    is_chosen = form.is_bound and form.is_valid()
    drawn = _sign(at, form) if is_chosen else None
    context = at.context(form=form, stores=stores, drawn=drawn, are_verified=signs.ARE_VERIFIED)
    return render(request, "labels/signs.html", context)


@require_safe
def sign(request: HttpRequest, uscc: str) -> HttpResponse:
    """Hand out one sign: a PDF at its true size, or a picture for the screen."""
    at = desk(request, uscc)
    form = SignForm(request.GET, stores=stores_of(organisation=at.organisation))
    if not form.is_valid():
        return HttpResponse(status=422)
    drawn = _sign(at, form)
    if request.GET.get("as") == "png":
        return HttpResponse(png(drawn, dpi=50), content_type="image/png")
    title = f"{signs.TITLES[signs.SignKind(form.cleaned_data['kind'])]} {form.cleaned_data['store']}"
    return _attached(file_of([drawn], print_format="PDF", title=title), title)


def _sign(at: Desk, form: SignForm) -> Any:
    store = next(s for s in stores_of(organisation=at.organisation) if s.code == form.cleaned_data["store"])
    return signs.picture(
        signs.Sign(
            kind=signs.SignKind(form.cleaned_data["kind"]), organisation=at.organisation.name, store=store.name,
            store_code=store.code, contact=queries.contact_of(at.organisation),
            distance_m=form.cleaned_data["distance_m"], wastes=tuple(queries.wastes_in(store=store)),
        )
    )  # fmt: skip
