"""The draft: who, what, how much; containers by scanning their codes, bulk by its mass."""

from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from wufei.ledger.models import Stream
from wufei.ledger.views.desk import Desk, desk
from wufei.registry.access import Permission
from wufei.registry.models import Contract, Organisation
from wufei.registry.queries import contracts_on
from wufei.terms.mass import Mass
from wufei.transfers import queries, services
from wufei.transfers.fields import Field, Part, fields_of
from wufei.transfers.forms import MOST_CARRIERS, MOST_LINES, DraftForm, LineForm, mass_of
from wufei.transfers.models import Leg, Manifest, ManifestLine
from wufei.transfers.refusals import TransferRefused
from wufei.transfers.services import LegSaid, LineSaid
from wufei.transfers.states import Party, State
from wufei.transfers.wording import words

EMPTY_ROWS = 2  # for bulk


def manifest_at(at: Desk, reference: str) -> Manifest:
    """Return the manifest of the address; what isn't there for the person is not there at all."""
    try:
        return queries.manifest_of(
            organisation=at.organisation, user=at.user, reference=reference, on=at.today
        )
    except Manifest.DoesNotExist:
        raise Http404 from None


def tell(form: forms.Form, refused: TransferRefused) -> None:
    """Put each reason at its field, or above the form."""
    for reason in refused.reasons:
        places = (reason.where, reason.where.rpartition(".")[2])  # of the only leg that an act fills in
        field = next((each for each in places if each in form.fields), None)
        form.add_error(field, words(reason))


@require_http_methods(["GET", "POST"])
def draft(request: HttpRequest, uscc: str, reference: str | None = None) -> HttpResponse:
    """Make a draft, or change one."""
    at = desk(request, uscc, Permission.HANDLE_MANIFESTS)
    manifest = manifest_at(at, reference) if reference else None
    if manifest is not None and manifest.now_in is not State.DRAFT:
        return redirect("transfers:manifest", at.uscc, manifest.reference)
    posted = request.POST if request.method == "POST" else None
    form = _form(at, manifest, posted)
    lines = _line_forms(at, manifest, posted)
    are_valid = (
        [each.is_valid() for each in (form, *lines)] if posted is not None else []
    )  # so that all say what is wrong
    if not all(are_valid) and not form.errors:
        form.add_error(None, _("有内容需要更正，请看下面标出的各项。"))
    if posted is not None and all(are_valid):
        try:
            saved = _save(at, manifest, form, lines)
        except TransferRefused as refused:
            tell(form, refused)
        else:
            to = "transfers:manifest" if "done" in posted else "transfers:edit-manifest"
            return redirect(to, at.uscc, saved.reference)
    context = at.context(form=form, lines=lines, manifest=manifest, carriers=_carrier_fields(form))
    return render(request, "transfers/draft.html", context, status=422 if form.errors else 200)


def _carrier_fields(form: DraftForm) -> list[forms.BoundField]:
    return [form[f"carrier{at}"] for at in range(1, MOST_CARRIERS + 1)]


def _form(at: Desk, manifest: Manifest | None, posted: Any) -> DraftForm:
    own = fields_of(Part.MANIFEST, on=at.today, is_hazardous=True, filled_by=Party.GENERATOR)
    initial: dict[str, Any] = {
        "contact": str(at.user)[:60], "contact_phone": at.user.phone or at.organisation.phone,
        "origin_address": at.organisation.address, "consignor": "GENERATOR",
    }  # fmt: skip
    legs: list[Leg] = []
    if manifest is not None:
        legs = queries.legs_of(manifest)
        initial = {**manifest.said, "version": manifest.version, "uid": manifest.uid}
        initial["receiver"] = manifest.receiver.uscc if manifest.receiver else ""
    for number, leg in enumerate(legs, 1):
        initial[f"carrier{number}"] = leg.carrier.uscc
    return DraftForm(
        posted, receivers=_contracted(at, Contract.Purpose.RECEIVING, manifest.receiver if manifest else None),
        carriers=_contracted(at, Contract.Purpose.TRANSPORT, *(leg.carrier for leg in legs)), own=own,
        initial=initial,
    )  # fmt: skip


def _contracted(at: Desk, purpose: str, *more: Organisation | None) -> list[Organisation]:
    """Return those with whom there is a contract, and those who stand on the draft already."""
    rows = contracts_on(organisation=at.organisation, purpose=purpose, on=at.today)
    keys = {*rows.values_list("counterparty_id", flat=True), *(each.pk for each in more if each)}
    return list(Organisation.objects.filter(pk__in=keys).order_by("name"))


def _own_fields(at: Desk) -> tuple[Field, ...]:
    return fields_of(Part.LINE, on=at.today, is_hazardous=True, filled_by=Party.GENERATOR)


def _line_forms(at: Desk, manifest: Manifest | None, posted: Any) -> list[LineForm]:
    streams = list(Stream.objects.filter(organisation=at.organisation).order_by("code"))
    said: dict[str, Any] = {"streams": streams, "own": _own_fields(at)}
    rows = queries.lines_of(manifest) if manifest else []
    if posted is not None:
        count = min(int(posted.get("lines", "0")) if posted.get("lines", "0").isdecimal() else 0, MOST_LINES)
        return [LineForm(posted, prefix=f"line{at_}", **said) for at_ in range(count)]
    filled = [LineForm(prefix=f"line{at_}", initial=_initial(row), **said) for at_, row in enumerate(rows)]
    empty = [LineForm(prefix=f"line{len(rows) + at_}", **said) for at_ in range(EMPTY_ROWS)]
    return filled + empty


def _initial(row: ManifestLine) -> dict[str, Any]:
    return {
        **row.said, "lot": row.lot_code, "stream": row.stream.code, "store": row.store_code,
        "tonnes": Mass(row.declared_g).tonnes, "package_count": row.package_count,
    }  # fmt: skip


def _save(at: Desk, manifest: Manifest | None, form: DraftForm, lines: list[LineForm]) -> Manifest:
    kept = [_line(each) for each in lines if each.is_filled]
    known = {each.lot for each in kept if each.lot}
    kept += [LineSaid(lot=code) for code in form.codes() if code not in known]
    said: dict[str, Any] = {
        "organisation": at.organisation, "receiver": form.cleaned_data["receiver"], "said": form.said(),
        "legs": [LegSaid(carrier=each) for each in form.carriers()], "lines": kept, "by": at.user, "now": at.now,
    }  # fmt: skip
    if manifest is None:
        return services.create_draft(uid=form.cleaned_data["uid"], **said)
    return services.edit_draft(manifest=manifest, version=form.cleaned_data["version"], **said)


def _line(each: LineForm) -> LineSaid:
    said = each.cleaned_data
    return LineSaid(
        lot=said["lot"], stream=said["stream"], mass=mass_of(said["tonnes"]), store=said["store"],
        package_count=said["package_count"], said=each.said(),
    )  # fmt: skip
