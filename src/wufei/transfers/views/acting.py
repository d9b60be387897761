"""One page for each act: what has to be filled in for it, then the signature."""

from collections.abc import Sequence
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from wufei.ledger.models import Stream
from wufei.ledger.queries import stores_of
from wufei.ledger.views.desk import Desk, desk
from wufei.registry.access import Permission
from wufei.registry.models import Driver, Vehicle
from wufei.terms.mass import Mass
from wufei.transfers import queries, services
from wufei.transfers.fields import Field, Part, Shape, fields_of
from wufei.transfers.forms import ActForm, ReceivedForm, mass_of
from wufei.transfers.models import Manifest
from wufei.transfers.refusals import TransferRefused
from wufei.transfers.services import LineReceived
from wufei.transfers.states import ACT_LABELS, Act, Party, address_of
from wufei.transfers.views.drafting import manifest_at, tell

MORE: dict[Act, tuple[str, ...]] = {
    Act.ISSUE: ("number", "paper_completed_on"),
    Act.CANCEL: ("reason",),
    Act.STORE: ("place", "reason"),
    Act.DELIVER: ("words",),
    Act.ACCEPT: ("store", "is_reweighed"),
    Act.PARTLY_ACCEPT: ("store", "is_reweighed"),
    Act.TAKE_BACK: ("store", "words"),
}
RECEIVING = (Act.ACCEPT, Act.PARTLY_ACCEPT, Act.REFUSE)
HINTS: dict[Act, str] = {
    Act.ISSUE: "签发后，内容不能直接修改；系统核对接受人的许可证、年度能力、合同和核实记录，并给出联单编号。",
    Act.CANCEL: "作废后不能恢复；占用的许可能力和批准数量随即退还。",
    Act.LOAD: "签署即确认已核实联单和包装，废物从移出人的贮存设施装车起运。",
    Act.HAND_OVER: "签署即确认从前一承运人接到全部废物。",
    Act.STORE: "写明在哪里、为什么暂存；废物仍在这份联单上。",
    Act.RESUME: "签署即确认废物已重新装车，继续运输。",
    Act.DELIVER: "签署即确认废物已交到接受人处；接受人应在五个工作日内确认。",
    Act.ACCEPT: "逐行填写过磅的接受量；与移出量的差异自动记账，超过允差的列为待处理差异。",
    Act.PARTLY_ACCEPT: "逐行填写接受量和退回量；退回的由移出人收回。",
    Act.REFUSE: "全部不接受，由移出人收回；请在意见中写明原因。",
    Act.TAKE_BACK: "签署即确认退回的废物已回到贮存设施。",
}


@require_http_methods(["GET", "POST"])
def act(request: HttpRequest, uscc: str, reference: str, act: str) -> HttpResponse:
    """Do one act on the manifest, for the organisation."""
    wanted = next((each for each in Act if address_of(each) == act), None)
    if wanted is None:
        raise Http404
    at = desk(request, uscc, Permission.SIGN_MANIFESTS)
    row = manifest_at(at, reference)
    posted = request.POST if request.method == "POST" else None
    form = _form(at, row, wanted, posted)
    lines = _line_forms(at, row, wanted, posted)
    are_valid = (
        [each.is_valid() for each in (form, *lines)] if posted is not None else []
    )  # so that all say what is wrong
    if not all(are_valid) and not form.errors:
        form.add_error(None, _("有内容需要更正，请看下面标出的各项。"))
    if posted is not None and all(are_valid):
        try:
            done = _do(at, row, wanted, form, lines)
        except TransferRefused as refused:
            tell(form, refused)
        else:
            return redirect("transfers:manifest", at.uscc, done.reference)
    acts = queries.acts_for(manifest=row, organisation=at.organisation, user=at.user, on=at.today)
    context = at.context(
        row=row, form=form, lines=lines, act=wanted, label=ACT_LABELS[wanted], hint=HINTS[wanted],
        is_possible=wanted in acts, **_suggestions(at, wanted),
    )  # fmt: skip
    return render(request, "transfers/act.html", context, status=422 if form.errors else 200)


def _own(at: Desk, row: Manifest, wanted: Act) -> tuple[Field, ...]:
    asked: dict[str, Any] = {"on": row.issued_on or at.today, "is_hazardous": row.is_hazardous}
    if wanted in (Act.LOAD, Act.HAND_OVER):
        return fields_of(Part.LEG, filled_by=Party.CARRIER, **asked)
    if wanted in RECEIVING:
        rows = fields_of(Part.MANIFEST, filled_by=Party.RECEIVER, **asked)
        return tuple(each for each in rows if each.shape is not Shape.ORGANISATION)
    return ()


def _form(at: Desk, row: Manifest, wanted: Act, posted: Any) -> ActForm:
    initial: dict[str, Any] = {}
    if wanted in (Act.LOAD, Act.HAND_OVER):
        leg = queries.next_leg(queries.legs_of(row))
        initial = {"starts_at": row.said.get("origin_address", ""), **(leg.said if leg else {})}
        initial.setdefault("ends_at", row.receiver.address if row.receiver else "")
        initial |= _usual(at)
    elif wanted in RECEIVING:
        initial = {
            "receiving_contact": str(at.user)[:60],
            "opinion": "" if wanted is Act.REFUSE else "同意接受",
        }
    stores = stores_of(organisation=at.organisation)
    more = [name for name in MORE.get(wanted, ()) if name != "store" or stores]
    form = ActForm(posted, own=_own(at, row, wanted), more=more, stores=stores, initial=initial)
    for name, suggestions in (("plate", "known-plates"), ("driver", "known-drivers")):
        if name in form.fields:
            form.fields[name].widget.attrs |= {"list": suggestions, "autocomplete": "off"}
    return form


def _usual(at: Desk) -> dict[str, str]:
    """Return the carrier's vehicle and driver where it has one of each: nothing is left to type."""
    vehicles = list(Vehicle.objects.filter(organisation=at.organisation, ended_on=None)[:2])
    drivers = list(Driver.objects.filter(organisation=at.organisation, ended_on=None)[:2])
    found: dict[str, str] = {}
    if len(vehicles) == 1:
        found |= {"plate": vehicles[0].plate, "vehicle_permit": vehicles[0].permit_number}
    if len(drivers) == 1:
        found |= {"driver": drivers[0].name, "driver_phone": drivers[0].phone}
    return {name: value for name, value in found.items() if value}


def _suggestions(at: Desk, wanted: Act) -> dict[str, Any]:
    if wanted not in (Act.LOAD, Act.HAND_OVER):
        return {}
    mine: dict[str, Any] = {"organisation": at.organisation, "ended_on": None}
    return {
        "plates": Vehicle.objects.filter(**mine).order_by("plate")[:200],
        "drivers": Driver.objects.filter(**mine).order_by("name")[:200],
    }


def _line_forms(at: Desk, row: Manifest, wanted: Act, posted: Any) -> list[ReceivedForm]:
    if wanted not in (Act.ACCEPT, Act.PARTLY_ACCEPT):
        return []
    streams = list(Stream.objects.filter(organisation=at.organisation).order_by("code"))
    return [
        ReceivedForm(
            posted, line=line, streams=streams, is_hazardous=row.is_hazardous, prefix=f"line{line.position}",
            # The weight is left empty: what was declared is no answer to what arrived.
            initial={"count": line.package_count},
        )
        for line in queries.lines_of(row)
    ]  # fmt: skip


def _do(at: Desk, row: Manifest, wanted: Act, form: ActForm, lines: Sequence[ReceivedForm]) -> Manifest:
    given = form.cleaned_data
    said: dict[str, Any] = {
        "manifest": row, "organisation": at.organisation, "by": at.user, "now": at.now,
        "client_id": given["client_id"],
    }  # fmt: skip
    match wanted:
        case Act.ISSUE:
            return services.issue(
                **said, number=given["number"], paper_completed_on=given["paper_completed_on"]
            )
        case Act.CANCEL:
            return services.cancel(**said, reason=given["reason"])
        case Act.LOAD:
            return services.load(**said, said=form.said())
        case Act.HAND_OVER:
            return services.hand_over(**said, said=form.said())
        case Act.STORE:
            return services.store_on_the_way(**said, place=given["place"], reason=given["reason"])
        case Act.RESUME:
            return services.resume(**said)
        case Act.DELIVER:
            return services.deliver(**said, words=given["words"])
        case Act.TAKE_BACK:
            return services.take_back(**said, store_code=given.get("store", ""), words=given["words"])
        case Act.ACCEPT | Act.PARTLY_ACCEPT | Act.REFUSE:
            return services.receive(
                **said, act=wanted, lines=[_received(each) for each in lines], said=form.said(),
                stream_codes={e.line.position: e.cleaned_data["stream"] for e in lines if e.cleaned_data["stream"]},
                store_code=given.get("store", ""), is_reweighed=given.get("is_reweighed", False),
            )  # fmt: skip


def _received(each: ReceivedForm) -> LineReceived:
    said = each.cleaned_data
    return LineReceived(
        position=each.line.position, received=mass_of(said["received"]) or Mass(0),
        returned=mass_of(said["returned"]) or Mass(0), count=said["count"], mode=said["mode"],
    )  # fmt: skip
