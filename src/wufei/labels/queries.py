"""What reads labels: which lots bear one, what stands on it, which numbers are out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery, Sum

from wufei.catalogue.waste_codes import read_waste_code
from wufei.labels import batch_label, hazard_label
from wufei.labels.batch_label import BatchLabel
from wufei.labels.digital_id import DigitalId, DigitalIdRefused
from wufei.labels.digital_id import Fault as IdFault
from wufei.labels.hazard_label import HazardLabel
from wufei.labels.models import DigitalIdBlock, LabelPrint, Particulars
from wufei.labels.payload import PREFIX, Payload, PayloadRefused, read_payload
from wufei.labels.pictograms import Hazard, hazards_of
from wufei.labels.precautions import precautions_for
from wufei.labels.refusals import Code, LabelRefused
from wufei.labels.shapes import Picture
from wufei.labels.signs import Waste
from wufei.labels.wording import words
from wufei.ledger.kinds import PlaceKind
from wufei.ledger.models import Balance, Container, Lot, Movement, Place, Stream, WasteClass
from wufei.ledger.queries.above import Scanned, ScanRefused
from wufei.registry.models import Organisation

Label = HazardLabel | BatchLabel
IN_STORE: dict[str, Any] = {"place__kind": PlaceKind.STORE, "mass_g__gt": 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a person asked the list for."""

    text: str = ""  # looked for everywhere, also among what has left
    scope: str = ""  # "": what stands in a store; "all": what has left too
    stream: str = ""
    store: str = ""
    printed: str = ""  # yes, no
    waste_class: str = ""


def lots(*, organisation: Organisation, wanted: Wanted | None = None) -> QuerySet[Lot]:
    """Return the lots that bear a label, each with what its list shows; order is the caller's."""
    born = Movement.objects.filter(
        lot=OuterRef("pk"), kind=OuterRef("origin"), reverses=None, reversal=None
    ).order_by("seq")
    born_g = born.order_by().values("lot").annotate(grams=Sum("mass_g")).values("grams")
    prints = LabelPrint.objects.filter(lot=OuterRef("pk"))
    standing = Balance.objects.filter(lot=OuterRef("pk"), **IN_STORE)
    rows = (
        Lot.objects.filter(organisation=organisation, is_bulk=False)
        .select_related("stream__process", "container", "organisation")
        .annotate(
            born_on=Subquery(born.values("moved_on")[:1]),
            born_g=Subquery(born_g),
            printed=Exists(prints),
            printed_at=Subquery(prints.order_by("-printed_at").values("printed_at")[:1]),
            store_name=Subquery(standing.order_by("pk").values("place__name")[:1]),
        )
    )
    return _narrowed(rows, organisation, wanted) if wanted else rows


def _narrowed(rows: QuerySet[Lot], organisation: Organisation, wanted: Wanted) -> QuerySet[Lot]:
    if wanted.text:
        text = lot_text(wanted.text)
        rows = rows.filter(
            Q(code__icontains=text) | Q(stream__name__icontains=text) | Q(stream__waste_code__icontains=text)
            | Q(container__digital_id__icontains=text.replace(" ", ""))
        )  # fmt: skip
    elif not wanted.scope:
        rows = rows.filter(Exists(Balance.objects.filter(lot=OuterRef("pk"), **IN_STORE)))
    if wanted.stream:
        rows = rows.filter(stream__code=wanted.stream)
    if wanted.store:
        here = Balance.objects.filter(
            lot=OuterRef("pk"), place__organisation=organisation, place__code=wanted.store,
            **IN_STORE,
        )  # fmt: skip
        rows = rows.filter(Exists(here))
    if wanted.printed:
        prints = Exists(LabelPrint.objects.filter(lot=OuterRef("pk")))
        rows = rows.filter(prints if wanted.printed == "yes" else ~prints)
    if wanted.waste_class:
        rows = rows.filter(stream__waste_class=wanted.waste_class)
    return rows


def lot_text(said: str) -> str:
    """Return what to look for: of a scanned QR code its lot or number, of anything else itself."""
    if not said.strip().upper().startswith(f"{PREFIX}/"):
        return said.strip()
    try:
        read = read_payload(said)
    except (PayloadRefused, DigitalIdRefused):
        return said.strip()
    return read.lot or str(read.digital_id or "")


def lot_with(*, organisation: Organisation, code: str) -> Lot:
    """
    Return the lot of a code, of a 数字识别码, or of what a scanner read off a label.

    :raises LabelRefused: if the organisation has none
    :raises DigitalIdRefused: if it is nearly a 数字识别码
    :raises PayloadRefused: if it is a QR code that is none of ours, or torn
    """
    own = lots(organisation=organisation)
    text = code.strip()
    if found := own.filter(Q(code=text) | Q(container__digital_id=text)).first():
        return found
    read = _read(text)
    named = Q(container__digital_id=str(read.digital_id)) if read.digital_id else Q(code=read.lot)
    if found := own.filter(named).first():
        return found
    raise LabelRefused(Code.LOT_UNKNOWN, text[:80])


def lot_of_anybody(*, code: str, uscc: str = "") -> Lot:
    """
    Return the lot of a code, whoever has it, or that of one organisation; for the operator of the machine.

    :raises LabelRefused: if there is none, or several organisations have one of this code
    :raises DigitalIdRefused: if it is nearly a 数字识别码
    :raises PayloadRefused: if it is a QR code that is none of ours, or torn
    """
    text = code.strip()
    named = Lot.objects.filter(Q(code=text) | Q(container__digital_id=text), is_bulk=False)
    if uscc:
        named = named.filter(organisation__uscc=uscc)
    holders = list(Organisation.objects.filter(pk__in=named.values("organisation_id")).order_by("uscc")[:20])
    if len(holders) > 1:
        raise LabelRefused(Code.LOT_AMBIGUOUS, "、".join(f"{each.name} {each.uscc}" for each in holders))
    holder = holders[0] if holders else Organisation.objects.filter(uscc=_read(text).uscc).first()
    if holder is None or uscc not in ("", holder.uscc):
        raise LabelRefused(Code.LOT_UNKNOWN, text[:80])
    return lot_with(organisation=holder, code=text)


def _read(text: str) -> Payload:
    """
    Read what is no lot's code as it stands.

    :raises DigitalIdRefused: if it is nearly a 数字识别码; it says what is wrong with it
    :raises LabelRefused: if it is nothing like one
    """
    try:
        return read_payload(text)
    except DigitalIdRefused as refused:
        if refused.fault is not IdFault.CODE_OF_ANOTHER_SYSTEM:
            raise
        raise LabelRefused(Code.LOT_UNKNOWN, text[:80]) from None


def named_on_label(text: str) -> Scanned | None:
    """
    Return what a scanned text names, for the rooms below; None of what is nothing like a label.

    :raises ScanRefused: if it is torn, or the label of another system
    """
    try:
        read = _read(text)
    except LabelRefused:
        return None
    except (DigitalIdRefused, PayloadRefused) as refused:
        raise ScanRefused(refused.code, words(refused)) from None
    if read.digital_id:
        return Scanned(digital_id=str(read.digital_id))
    return Scanned(uscc=read.uscc, lot=read.lot)


# --- what stands on a label


def container_of(lot: Lot) -> Container | None:
    try:
        return lot.container
    except ObjectDoesNotExist:
        return None


def particulars_of(*, streams: Iterable[Stream]) -> dict[int, Particulars]:
    """Return what the labels of each stream say, by the stream's key; empty ones where nobody wrote any."""
    by_key = {stream.pk: stream for stream in streams}
    found = {row.stream_id: row for row in Particulars.objects.filter(stream__in=by_key)}
    return {key: found.get(key) or Particulars(stream=stream, version=0) for key, stream in by_key.items()}


def hazards_of_stream(stream: Stream, said: Particulars) -> tuple[Hazard, ...]:
    """Return what was said of the stream's hazards, else what the list says of its code."""
    if said.hazards:
        return hazards_of(said.hazards)
    entry = read_waste_code(stream.waste_code).entry
    return hazards_of(entry.hazard) if entry else ()


def label(lot: Lot) -> Label:
    """
    Return what stands on the label of a lot of `lots`.

    :raises LabelRefused: if it is hazardous and has no number
    """
    return labels_of([lot])[0]


def labels_of(found: Sequence[Lot]) -> list[Label]:
    """
    Return what stands on the labels of lots of `lots`, in their order.

    :raises LabelRefused: if one is hazardous and has no number
    """
    said = particulars_of(streams=(lot.stream for lot in found))
    return [
        _hazardous(lot, said[lot.stream_id])
        if lot.stream.waste_class == WasteClass.HAZARDOUS
        else _general(lot, said[lot.stream_id])
        for lot in found
    ]


def _general(lot: Lot, said: Particulars) -> BatchLabel:
    stream, container = lot.stream, container_of(lot)
    return BatchLabel(
        uscc=lot.organisation.uscc, lot=lot.code, name=stream.name, waste_code=stream.waste_code,
        category=stream.waste_category, process=stream.process.name, physical_form=stream.physical_form,
        organisation=lot.organisation.name, on=born_on(lot), mass_g=born_g(lot),
        volume_ml=container.volume_ml if container else None, remarks=said.remarks,
    )  # fmt: skip


def _hazardous(lot: Lot, said: Particulars) -> HazardLabel:
    stream, container = lot.stream, container_of(lot)
    if container is None or not container.digital_id:
        raise LabelRefused(Code.LOT_WITHOUT_NUMBER, lot.code)
    hazards = hazards_of_stream(stream, said)
    return HazardLabel(
        digital_id=DigitalId.read(container.digital_id), name=stream.name, category=stream.waste_category,
        physical_form=stream.physical_form, main_components=stream.main_components,
        harmful_components=said.harmful_components, precautions=said.precautions or precautions_for(hazards),
        organisation=lot.organisation.name, contact=said.contact or contact_of(lot.organisation), mass_g=born_g(lot),
        hazards=hazards, volume_ml=container.volume_ml, remarks=said.remarks, lot=lot.code,
    )  # fmt: skip


def born_on(lot: Lot) -> date | None:
    """Return the day on which a lot of `lots` came to be; None where what made it was reversed."""
    day: date | None = lot.born_on  # type: ignore[attr-defined]  # annotated
    return day


def born_g(lot: Lot) -> int | None:
    """Return the mass that a lot of `lots` came to be with."""
    grams: int | None = lot.born_g  # type: ignore[attr-defined]  # annotated
    return grams


def contact_of(organisation: Organisation) -> str:
    return " ".join(filter(None, (organisation.contact or organisation.head, organisation.phone)))


def picture(of: Label) -> Picture:
    return hazard_label.picture(of) if isinstance(of, HazardLabel) else batch_label.picture(of)


def faces(of: Label) -> int:
    """Return on how many faces of its container the label must be: so often it is printed."""
    return of.size.faces if isinstance(of, HazardLabel) else 1


def prints_of(*, lot: Lot) -> QuerySet[LabelPrint]:
    return LabelPrint.objects.filter(lot=lot).select_related("printed_by").order_by("-printed_at", "-pk")


# --- numbers


def blocks(*, organisation: Organisation) -> QuerySet[DigitalIdBlock]:
    rows = DigitalIdBlock.objects.filter(organisation=organisation).select_related("reserved_by")
    return rows.order_by("-reserved_at", "-pk")


def is_reserved(*, number: DigitalId, organisation: Organisation) -> bool:
    return DigitalIdBlock.objects.filter(
        organisation=organisation, waste_code=number.waste_code, on=number.on, first__lte=number.sequence,
        last__gte=number.sequence,
    ).exists()  # fmt: skip


def hazardous_codes(*, organisation: Organisation) -> list[tuple[str, str]]:
    """Return the waste codes that numbers may be reserved for, each with a name."""
    rows = Stream.objects.filter(organisation=organisation, waste_class=WasteClass.HAZARDOUS)
    found: dict[str, str] = {}
    for code, name in rows.order_by("waste_code", "code").values_list("waste_code", "name"):
        found.setdefault(code, name)
    return list(found.items())


# --- signs


def wastes_in(*, store: Place) -> list[Waste]:
    """Return which hazardous wastes stand in a store now, by waste code."""
    streams = Stream.objects.filter(
        waste_class=WasteClass.HAZARDOUS,
        pk__in=Balance.objects.filter(place=store, mass_g__gt=0).values("lot__stream"),
    ).order_by("waste_code", "code")
    said = particulars_of(streams=streams)
    return [
        Waste(name=s.name, waste_code=s.waste_code, hazards=hazards_of_stream(s, said[s.pk])) for s in streams
    ]


def chosen(*, organisation: Organisation, keys: Iterable[Any]) -> Sequence[Lot]:
    """Return the lots of the organisation with these keys, by code."""
    numbers = {int(key) for key in keys if str(key).isdecimal() and len(str(key)) < 19}
    return list(lots(organisation=organisation).filter(pk__in=numbers).order_by("code"))
