"""
What reads management plans: the draft, what was filed, what the ledger says of it, and what a plan foresees.

A page of a plan takes the same few queries however many streams, stores and receivers it has.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet, Sum
from django.utils import timezone

from wufei.catalogue.divisions import path_names
from wufei.catalogue.industries import industry
from wufei.catalogue.waste_codes import read_waste_code
from wufei.filings import checking, plan
from wufei.filings.checking import Found, Known
from wufei.filings.models import FiledPlan, PlanDraft
from wufei.filings.plan import Content, Filed, WasteFacts
from wufei.labels.models import Particulars
from wufei.ledger.kinds import Kind
from wufei.ledger.models import MonthlyFlow, Stream, WasteClass
from wufei.ledger.queries import stores_of
from wufei.ledger.queries.inventory import held_by_stream
from wufei.ledger.queries.waste_reports import control_class, report_content
from wufei.registry.models import OperatingPermit, Organisation
from wufei.registry.permits import Permit
from wufei.registry.queries import WASTE_PERMITS, read_permit
from wufei.terms.mass import Mass
from wufei.terms.period import Period

HAZARDOUS = WasteClass.HAZARDOUS.value


def drafted(*, organisation: Organisation, year: int) -> PlanDraft | None:
    """Return the year's draft, if one is being written."""
    rows = PlanDraft.objects.filter(organisation=organisation, year=year)
    return rows.select_related("changed_by").first()


def filed_plans(*, organisation: Organisation, year: int | None = None) -> QuerySet[FiledPlan]:
    """Return what was filed, the newest year and version first."""
    rows = FiledPlan.objects.filter(organisation=organisation).select_related("filed_by")
    return (rows if year is None else rows.filter(year=year)).order_by("-year", "-number")


def latest_plan(*, organisation: Organisation, year: int) -> FiledPlan | None:
    """Return the plan that holds for the year."""
    return filed_plans(organisation=organisation, year=year).first()


def plan_handed_out(row: FiledPlan, *, organisation: Organisation) -> Filed:
    """Return a filed version as documents say it: under the name that the plan gives."""
    return Filed(
        uscc=organisation.uscc, name=str(row.content["basic"][0].get("name") or organisation.name), year=row.year,
        number=row.number, content=row.content, reason=row.reason, digest=row.sha256, filed_by=str(row.filed_by),
        seq=row.seq, chain_hash=row.chain_hash,
        filed_at=timezone.localtime(row.filed_at).isoformat(timespec="seconds"),
    )  # fmt: skip


def draft_handed_out(draft: PlanDraft, *, organisation: Organisation) -> Filed:
    """Return a draft as documents say it; each says that it is one."""
    content = plan.with_wastes(draft.content, waste_facts(organisation=organisation))
    return Filed(uscc=organisation.uscc, name=organisation.name, year=draft.year, number=0, content=content)


# --- what a plan is compared with, and filled in from


def _streams(organisation: Organisation) -> list[Stream]:
    rows = Stream.objects.filter(organisation=organisation, waste_class=HAZARDOUS)
    return list(rows.select_related("process").order_by("code"))


def known_of(*, organisation: Organisation, year: int, content: Content) -> Known:
    """Return what the ledger and the registry know that the plan is compared with."""
    streams = _streams(organisation)
    classified = control_class(organisation=organisation, year=year, on=date(year - 1, 12, 31))
    uscc = {row["receiver_uscc"] for row in content["transfers"] if row["receiver_uscc"]}
    return Known(
        year=year, stock_g=_stock(organisation, year), generated_g=_generated(organisation, year - 1),
        names={each.code: each.name for each in streams}, codes={each.code: each.waste_code for each in streams},
        capacity_g={s.code: s.capacity_g for s in stores_of(organisation=organisation) if s.capacity_g},
        permits=_permits(uscc), computed_class=classified.control_class.value if classified.control_class else "",
    )  # fmt: skip


def _stock(organisation: Organisation, year: int) -> dict[str, int]:
    return held_by_stream(organisation=organisation, on=date(year - 1, 12, 31), waste_class=HAZARDOUS)


def _generated(organisation: Organisation, year: int) -> dict[str, int]:
    rows = MonthlyFlow.objects.filter(
        organisation=organisation, stream__waste_class=HAZARDOUS, kind=Kind.GENERATION.value, month__year=year
    )
    grouped = rows.values_list("stream__code").annotate(grams=Sum("mass_g")).order_by()
    return {str(code): int(grams) for code, grams in grouped}


def _permits(uscc: Iterable[str]) -> dict[str, list[Permit]]:
    """Return the permits of several receivers at once, by their 统一社会信用代码."""
    rows = OperatingPermit.objects.filter(organisation__uscc__in=list(uscc), kind__in=WASTE_PERMITS)
    found: dict[str, list[Permit]] = defaultdict(list)
    for row in rows.select_related("organisation").prefetch_related("groups"):
        found[row.organisation.uscc].append(read_permit(row))
    return dict(found)


def findings(*, organisation: Organisation, year: int, content: Content) -> list[Found]:
    """Return what is wrong or doubtful in the content of a plan."""
    known = known_of(organisation=organisation, year=year, content=content)
    return checking.found(content, known)


def waste_facts(*, organisation: Organisation) -> list[WasteFacts]:
    """Return what is kept of each hazardous stream."""
    hazards = dict(
        Particulars.objects.filter(stream__organisation=organisation).values_list("stream_id", "hazards")
    )
    return [_facts(each, hazards.get(each.pk, "")) for each in _streams(organisation)]


def _facts(stream: Stream, hazards: str) -> WasteFacts:
    entry = read_waste_code(stream.waste_code).entry
    return WasteFacts(
        stream=stream.code, name=stream.name, catalogue_name=entry.name if entry else "",
        waste_category=stream.waste_category, waste_code=stream.waste_code,
        hazards=hazards or (entry.hazard if entry else ""),
    )  # fmt: skip


def prefilled(*, organisation: Organisation, year: int) -> Content:
    """
    Return a plan to begin with: what was filed for the year; else drawn from the ledger of the year before, with
    what people wrote into the plan before.
    """
    standing = latest_plan(organisation=organisation, year=year)
    if standing is not None:
        return plan.tidy({table.id: standing.content[table.id] for table in plan.TABLES})
    earlier = FiledPlan.objects.filter(organisation=organisation, year__lt=year).order_by("-year", "-number")
    return _drawn(organisation, year, earlier.first())


def _drawn(organisation: Organisation, year: int, earlier: FiledPlan | None) -> Content:
    before = earlier.content if earlier else plan.empty()
    reported = report_content(organisation=organisation, period=Period.year(year - 1))
    of_stream = {row["stream"]: row for row in reported}
    streams = _streams(organisation)
    stores = list(stores_of(organisation=organisation))
    receivers = _receivers(reported)
    said = {
        "basic": [_basic(organisation, year, before)],
        "facilities": before["facilities"],
        "generation": _generation(organisation, streams, of_stream, stores, before),
        "storage": _storage(streams, of_stream, stores, before),
        "own": _own(of_stream),
        "reduction": [{"stream": each.code, "reduced_g": 0} for each in streams],
        "measures": before["measures"],
        "transfers": [
            row for stream in streams if stream.code in of_stream
            for row in _transfers(organisation, of_stream[stream.code], receivers, before)
        ],
    }  # fmt: skip
    return plan.tidy(said)


def _basic(organisation: Organisation, year: int, before: Content) -> dict[str, Any]:
    """What the registry knows goes before what was written last time."""
    classified = control_class(organisation=organisation, year=year, on=date(year - 1, 12, 31))
    found = industry(organisation.industry_code) if organisation.industry_code else None
    known = {
        "name": organisation.name, "registered_address": "", "site_address": organisation.address,
        "division": _division(organisation.division_code), "industry": found.name if found else "",
        "industry_code": organisation.industry_code, "uscc": organisation.uscc,
        "control_class": classified.control_class.value if classified.control_class else "",
        "technician": organisation.contact, "technician_phone": organisation.phone,
    }  # fmt: skip
    last = before["basic"][0] if before["basic"] else {}
    return {**last, **{key: value for key, value in known.items() if value}}


def _division(code: str) -> str:
    try:
        return "".join(path_names(code))
    except (KeyError, ValueError):
        return ""


def _generation(
    organisation: Organisation, streams: Sequence[Stream], of_stream: Mapping[str, Any], stores: Sequence[Any],
    before: Content,
) -> list[dict[str, Any]]:  # fmt: skip
    harmful = dict(
        Particulars.objects.filter(stream__organisation=organisation).values_list(
            "stream__code", "harmful_components"
        )
    )
    written = {row["stream"]: row for row in before["generation"]}
    codes = "、".join(store.code for store in stores)
    capacities = "、".join(f"{plan.tonnes(store.capacity_g)} 吨" for store in stores if store.capacity_g)
    found = []
    for stream in streams:
        known = {
            "stream": stream.code, "facility": stream.process.name, "process": stream.process.name,
            "harmful": harmful.get(stream.code, "") or stream.main_components, "form": stream.physical_form,
            "planned_g": _grams(of_stream.get(stream.code, {}).get("generated_t")),
            "store": codes[: plan.LONGEST], "store_capacity": capacities[: plan.LONGEST],
        }  # fmt: skip
        last = written.get(stream.code, {})
        found.append({**last, **{key: value for key, value in known.items() if value not in ("", None)}})
    return found


def _grams(tonnes: str | None) -> int | None:
    return Mass.of(Decimal(tonnes), "吨").grams if tonnes is not None else None


def _storage(
    streams: Sequence[Stream], of_stream: Mapping[str, Any], stores: Sequence[Any], before: Content
) -> list[dict[str, Any]]:
    """Where a stream remains is written by people; at first all of it in the first store."""
    written = {(row["stream"], row["store"]): row for row in before["storage"]}
    first = stores[0] if stores else None
    found = []
    for stream in streams:
        last: dict[str, Any] = next((row for (code, _), row in written.items() if code == stream.code), {})
        known = {
            "stream": stream.code, "store": last.get("store") or (first.code if first else ""),
            "store_type": last.get("store_type") or (first.store_type if first else ""),
            "packaging": last.get("packaging", ""),
            "remaining_g": _grams(of_stream.get(stream.code, {}).get("stock_after_t", "0")),
        }  # fmt: skip
        found.append(known)
    return found


def _own(of_stream: Mapping[str, Any]) -> list[dict[str, Any]]:
    ways = (("UTILISATION", "own_utilised_t"), ("DISPOSAL", "own_disposed_t"))
    return [
        {"kind": kind, "stream": stream, "planned_g": _grams(row[key]), "facility": "", "mode": ""}
        for stream, row in of_stream.items()
        for kind, key in ways
        if row[key] != "0"
    ]


def _receivers(reported: Iterable[Mapping[str, Any]]) -> dict[str, Organisation]:
    """Return those of the receivers that are registered, by name; two of one name are neither."""
    names = {each["receiver"] for row in reported for each in row["contracted"] if each["receiver"]}
    found: dict[str, list[Organisation]] = defaultdict(list)
    for row in Organisation.objects.filter(name__in=names):
        found[row.name].append(row)
    return {name: rows[0] for name, rows in found.items() if len(rows) == 1}


def _transfers(
    organisation: Organisation, row: Mapping[str, Any], receivers: Mapping[str, Organisation], before: Content
) -> list[dict[str, Any]]:
    written = {(each["stream"], each["receiver"]): each for each in before["transfers"]}
    found = []
    for each in row["contracted"]:
        known = receivers.get(each["receiver"])
        last = written.get((row["stream"], each["receiver"]), {})
        is_near = known is None or known.division_code[:2] == organisation.division_code[:2]
        found.append(
            {
                "reach": last.get("reach") or ("WITHIN" if is_near else "ACROSS"), "stream": row["stream"],
                "planned_g": _grams(each["mass_t"]), "mode": each["mode"],
                "receiver_kind": last.get("receiver_kind") or "PERMIT", "receiver": each["receiver"],
                "receiver_uscc": known.uscc if known else "", "permit_number": last.get("permit_number", ""),
            }
        )  # fmt: skip
    return found


# --- planned and actual


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What a plan foresees and what the ledger has by now, of one stream: as a whole, or to one receiver."""

    stream: str
    name: str
    what: str  # 产生, 自行利用、处置, 转移
    receiver: str = ""
    planned_g: int | None = None  # None: not in the plan
    actual_g: int = 0
    kinds: tuple[str, ...] = ()  # of the movements behind it

    @property
    def share(self) -> Decimal | None:
        return plan.share(self.actual_g, self.planned_g or 0)

    @property
    def is_over(self) -> bool:
        return self.actual_g > (self.planned_g or 0)


def progress(*, organisation: Organisation, year: int, on: date) -> list[Progress]:
    """Return planned against actual through the day, by stream; what moved without being planned stands there too."""
    filed = latest_plan(organisation=organisation, year=year)
    if filed is None:
        return []
    period = Period(date(year, 1, 1), min(date(year, 12, 31), max(on, date(year, 1, 1))))
    actual = {row["stream"]: row for row in report_content(organisation=organisation, period=period)}
    content = filed.content
    names = {code: each["name"] for code, each in content["wastes"].items()}
    names |= {code: row["name"] for code, row in actual.items()}
    found = []
    for stream in dict.fromkeys((*(row["stream"] for row in content["generation"]), *actual)):
        found += _progress_of(stream, names.get(stream, ""), content, actual.get(stream))
    return found


def _progress_of(
    stream: str, name: str, content: Content, actual: Mapping[str, Any] | None
) -> list[Progress]:
    def planned_in(table: str) -> list[dict[str, Any]]:
        return [row for row in content[table] if row["stream"] == stream]

    def done(*keys: str) -> int:
        return sum(_grams(actual[key]) or 0 for key in keys) if actual else 0

    made = planned_in("generation")
    found = [
        Progress(
            stream=stream, name=name, what="产生", actual_g=done("generated_t"), kinds=(Kind.GENERATION.value,),
            planned_g=sum(row["planned_g"] or 0 for row in made) if made else None,
        )
    ]  # fmt: skip
    own = planned_in("own")
    if own or done("own_utilised_t", "own_disposed_t"):
        found.append(
            Progress(
                stream=stream, name=name, what="自行利用、处置", actual_g=done("own_utilised_t", "own_disposed_t"),
                planned_g=sum(row["planned_g"] or 0 for row in own) if own else None,
                kinds=(Kind.OWN_UTILISATION.value, Kind.OWN_DISPOSAL.value),
            )
        )  # fmt: skip
    planned_to: dict[str, int] = defaultdict(int)
    for row in planned_in("transfers"):
        planned_to[row["receiver"]] += row["planned_g"] or 0
    went_to: dict[str, int] = defaultdict(int)
    for each in actual["contracted"] if actual else ():
        went_to[each["receiver"]] += _grams(each["mass_t"]) or 0
    found += [
        Progress(
            stream=stream, name=name, what="转移", receiver=receiver, planned_g=planned_to.get(receiver),
            actual_g=went_to[receiver],
            kinds=(Kind.CONTRACTED_UTILISATION.value, Kind.CONTRACTED_DISPOSAL.value),
        )
        for receiver in dict.fromkeys((*planned_to, *went_to))
    ]  # fmt: skip
    return found


# --- for the check of a transfer (转移管理办法 第十四条)


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What the filed plan of a year foresees of a transfer."""

    number: int | None  # of the plan that holds; None: none is filed
    rows: Sequence[Mapping[str, Any]] = field(default_factory=tuple)  # of table A.7

    @property
    def planned_g(self) -> int | None:
        """Return how much is planned; None where nothing of it is."""
        return sum(row["planned_g"] or 0 for row in self.rows) if self.rows else None


def planned(
    *, organisation: Organisation, waste_code: str, year: int, receiver: Organisation | None = None
) -> Planned:
    """
    Return what the plan that holds for the year foresees of a waste, to anybody or to one receiver.

    A receiver is known by its 统一社会信用代码; where the plan gives none, by its name. One query.
    """
    filed = latest_plan(organisation=organisation, year=year)
    if filed is None:
        return Planned(number=None)
    codes = {code: each["waste_code"] for code, each in filed.content["wastes"].items()}
    rows = [
        row
        for row in filed.content["transfers"]
        if codes.get(row["stream"]) == waste_code and (receiver is None or _is_to(row, receiver))
    ]
    return Planned(number=filed.number, rows=tuple(rows))


def _is_to(row: Mapping[str, Any], receiver: Organisation) -> bool:
    said = row["receiver_uscc"]
    return bool(said == receiver.uscc if said else row["receiver"] == receiver.name)


def is_planned(
    *, organisation: Organisation, waste_code: str, receiver: Organisation, year: int
) -> bool | None:
    """
    Return whether the filed plan of the year foresees sending this hazardous waste to the receiver.

    转移管理办法 第十四条: a manifest follows the filed management plan. None: no plan of the year is filed, so that
    nothing can be said. What is planned and how much of it, `planned` says. One query.
    """
    found = planned(organisation=organisation, waste_code=waste_code, year=year, receiver=receiver)
    return None if found.number is None else bool(found.rows)
