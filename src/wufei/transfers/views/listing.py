"""Which manifests are there? The list with its export, and the driver's own."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from wufei.ledger.views.desk import Desk, desk
from wufei.registry.access import Permission
from wufei.registry.views.listing import export, filters, listing, sorted_rows
from wufei.terms.mass import Mass
from wufei.transfers import queries
from wufei.transfers.forms import ManifestFilter
from wufei.transfers.models import Manifest
from wufei.transfers.states import ACT_LABELS, LABELS, ON_THE_ROAD, Act, Party, State, address_of

SORTS = {
    "number": ("number",),
    "issued": ("issued_on",),
    "state": ("state", "-pk"),
    "mass": ("declared_g",),
    "newest": ("pk",),
}
NAMES_SHOWN = 3


@require_safe
def manifests(request: HttpRequest, uscc: str) -> HttpResponse:
    """List the manifests to which the organisation is a party."""
    at = desk(request, uscc, Permission.VIEW_MANIFESTS)
    form = ManifestFilter(request.GET)
    rows = _asked(at, filters(form))
    if request.GET.get("export") == "xlsx":
        ordered, _sort = sorted_rows(
            request=request, rows=queries.listed(rows), sorts=SORTS, default="-newest"
        )
        return export(title=_("转移联单"), columns=_columns(), rows=ordered)
    shown = listing(
        request=request,
        rows=queries.listed(rows),
        sorts=SORTS,
        default_sort="-newest",
        form=form,
        keys_first=True,
    )
    late = queries.late(
        rows=queries.manifests(organisation=at.organisation, user=at.user, on=at.today), on=at.today
    )
    context = at.context(
        listing=shown,
        rows=[(row, wastes(row), _is_late(row, at)) for row in shown.page],
        late=late.count(),
        receives=Manifest.objects.filter(receiver=at.organisation).exists(),
        tasks=queries.open_discrepancies(organisation=at.organisation)[:20],
    )
    return render(request, "transfers/manifests.html", context)


def _asked(at: Desk, said: dict[str, Any]) -> QuerySet[Manifest]:
    rows = queries.manifests(organisation=at.organisation, user=at.user, on=at.today)
    return queries.narrowed(
        rows, at.organisation, on=at.today, state=said.get("state"), role=said.get("role"), since=said.get("since"),
        through=said.get("through"), text=said.get("q", ""), overdue=bool(said.get("overdue")),
    )  # fmt: skip


def wastes(row: Manifest) -> str:
    """Return the names of what is on the manifest, each once, the first few."""
    names = list(dict.fromkeys(line.waste_name for line in row.lines.all()))
    more = f"等 {len(names)} 种" if len(names) > NAMES_SHOWN else ""
    return "、".join(names[:NAMES_SHOWN]) + more


def _is_late(row: Manifest, at: Desk) -> bool:
    due = row.confirm_due_on
    return row.now_in is State.DELIVERED and due is not None and due < at.today


def _columns() -> list[tuple[str, Any]]:
    def local(instant: Any) -> Any:
        return timezone.localtime(instant) if instant else None

    return [
        (_("联单编号"), lambda row: row.number or ""),
        (_("状态"), lambda row: LABELS[row.now_in]),
        (_("废物属性"), lambda row: str(row.get_waste_class_display())),
        (_("移出人"), lambda row: row.generator.name),
        (_("承运人"), lambda row: "、".join(leg.carrier.name for leg in row.legs.all())),
        (_("接受人"), lambda row: row.receiver.name if row.receiver else ""),
        (_("废物代码"), lambda row: "、".join(dict.fromkeys(line.waste_code for line in row.lines.all()))),
        (_("废物名称"), lambda row: "、".join(dict.fromkeys(line.waste_name for line in row.lines.all()))),
        (_("移出量（吨）"), lambda row: Mass(row.declared_g).tonnes),
        (_("接受量（吨）"), lambda row: None if row.received_g is None else Mass(row.received_g).tonnes),
        (_("签发日期"), lambda row: row.issued_on),
        (_("起运时间"), lambda row: local(row.loaded_at)),
        (_("运抵时间"), lambda row: local(row.delivered_at)),
        (_("确认时间"), lambda row: local(row.confirmed_at)),
    ]


@require_safe
def carrying(request: HttpRequest, uscc: str) -> HttpResponse:
    """Show a driver what waits to be loaded, and what is on the road: large, for a phone."""
    at = desk(request, uscc, Permission.SIGN_MANIFESTS)
    rows = queries.manifests(organisation=at.organisation, user=at.user, on=at.today)
    rows = queries.in_role(rows, at.organisation, Party.CARRIER)
    asked = request.GET.get("number", "").strip()
    if asked:
        rows = rows.filter(queries.named(asked))
    waiting = rows.filter(state__in=[State.ISSUED, *ON_THE_ROAD])
    shown = [_card(row, at) for row in queries.listed(waiting).order_by("pk")[:50]]
    context = at.context(cards=[card for card in shown if card["acts"]], asked=asked)
    return render(request, "transfers/carrying.html", context)


def _card(row: Manifest, at: Desk) -> dict[str, Any]:
    legs = list(row.legs.all())
    coming, running = queries.next_leg(legs), queries.running_leg(legs)
    own = at.organisation.pk
    acts: list[Act] = []
    if coming is not None and coming.carrier_id == own:
        acts.append(Act.LOAD if row.now_in is State.ISSUED else Act.HAND_OVER)
    if running is not None and running.carrier_id == own:
        if row.now_in is State.STORED_ON_THE_WAY:
            acts.append(Act.RESUME)
        elif coming is None:
            acts += [Act.DELIVER, Act.STORE]
        else:
            acts.append(Act.STORE)
    return {"row": row, "wastes": wastes(row), "acts": [(address_of(act), ACT_LABELS[act]) for act in acts]}
