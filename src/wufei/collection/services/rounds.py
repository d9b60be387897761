"""
Rounds: planned from what is ready, driven, closed at the scale of the collection point.

Each generator has its own manifest (转移管理办法 art. 16), drafted for it here as its contract with the collector has
it, and signed by itself. At the point each waste is weighed once for all; each line's share is kept to the gram.
The manifests are `transfers`' own: this room drafts, signs and receives through its services only.
"""

import uuid
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Max

from wufei.collection import declared, queries
from wufei.collection.models import CollectionPoint, CollectionRound, Stop
from wufei.collection.queries.declared import habits_of
from wufei.collection.queries.ready import LACK_TEXT, Ready
from wufei.collection.refusals import Code, CollectionRefused
from wufei.ledger import queries as ledger_queries
from wufei.ledger import services as ledger
from wufei.ledger.models import Container, Stream
from wufei.registry.access import Permission
from wufei.registry.models import Organisation, User
from wufei.registry.queries import require
from wufei.registry.services import audit, operator
from wufei.terms.day import local_day
from wufei.terms.mass import Mass
from wufei.transfers import services as transfers
from wufei.transfers.models import Manifest, ManifestLine
from wufei.transfers.refusals import TransferRefused
from wufei.transfers.services import LegSaid, LineReceived, LineSaid
from wufei.transfers.shares import shares
from wufei.transfers.states import Act, State
from wufei.transfers.wording import words as transfer_words

PROCESS = "小微企业收集"  # where a collector's streams come from
MOST_STOPS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """A waste of a generator that shall be fetched; of bulk only so much, where that is said."""

    generator: str  # 统一社会信用代码
    stream_code: str
    mass: Mass | None = None  # None: all that is ready


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighing:
    """What was weighed of one waste of the whole round at the point, and what will become of it."""

    waste_code: str
    received: Mass
    mode: str


def named(refused: TransferRefused, who: str = "") -> CollectionRefused:
    """Return a manifest's refusal in this room's words: the first reason, and whose manifest."""
    said = transfer_words(refused.reasons[0])
    return CollectionRefused(Code.MANIFEST_REFUSED, f"{who}：{said}" if who else said)


# --- planning


@transaction.atomic
def plan_round(
    *,
    organisation: Organisation,
    point: CollectionPoint,
    planned_on: date,
    plate: str,
    driver: str,
    driver_phone: str = "",
    picks: Sequence[Pick],
    uid: uuid.UUID,
    by: User,
    now: datetime,
) -> CollectionRound:
    """
    Plan a round over the generators that were picked, in their order, with a draft manifest for each.

    The same uid again brings the round that stands.

    :raises CollectionRefused, NotPermitted:
    """
    today = local_day(now)
    require(user=by, permission=Permission.HANDLE_MANIFESTS, organisation=organisation, on=today)
    # One planner at a time: what two would both take is ready once.
    Organisation.objects.select_for_update().get(pk=organisation.pk)
    if stands := CollectionRound.objects.filter(uid=uid).first():
        if stands.collector_id != organisation.pk:
            raise CollectionRefused(Code.CLIENT_ID_REUSED, str(uid))
        return stands
    if point.organisation_id != organisation.pk or point.ended_on is not None:
        raise CollectionRefused(Code.POINT_UNKNOWN)
    if planned_on < today:
        raise CollectionRefused(Code.DAY_OUT_OF_RANGE, where="planned_on")
    vehicle = {
        "plate": plate.strip().upper(),
        "driver": driver.strip(),
        "driver_phone": driver_phone.strip() or organisation.phone[:30],
    }
    if not all(vehicle.values()) or not all(map(str.isprintable, vehicle.values())):
        raise CollectionRefused(Code.VEHICLE_MISSING, where="plate")
    chosen = _chosen(organisation, picks, by, today)
    last = CollectionRound.objects.filter(collector=organisation).aggregate(last=Max("number"))["last"]
    made = CollectionRound.objects.create(
        uid=uid, collector=organisation, point=point, number=(last or 0) + 1, planned_on=planned_on, planned_at=now,
        planned_by=by, **{name: text[:most] for (name, text), most in zip(vehicle.items(), (20, 60, 30), strict=True)},
    )  # fmt: skip
    _take_streams(organisation, [row for row, _mass in chosen], by, now)
    _draft_stops(made, chosen, now)
    audit(
        by=by, now=now, organisation=organisation, action="collection.plan_round", object_ref=str(made.number),
        detail={"stops": made.stops.count(), "planned_on": planned_on.isoformat()},
    )  # fmt: skip
    return made


def _chosen(
    organisation: Organisation, picks: Sequence[Pick], by: User, today: date
) -> list[tuple[Ready, Mass | None]]:
    """Return what is ready of each pick; everything that was picked must be, and the collector may take it."""
    if not picks or len(picks) > MOST_STOPS:
        raise CollectionRefused(Code.NOTHING_CHOSEN, where="picks")
    there = {
        (row.generator.uscc, row.stream.code): row
        for row in queries.ready(collector=organisation, user=by, on=today)
        if row.stream is not None
    }
    served = {uscc for uscc, _code in there}
    found: dict[tuple[str, str], tuple[Ready, Mass | None]] = {}
    for at, pick in enumerate(picks):
        where, key = f"picks.{at}", (pick.generator, pick.stream_code)
        row = there.get(key)
        if row is None:
            code = Code.NOT_READY if pick.generator in served else Code.NOT_SERVED
            raise CollectionRefused(code, pick.generator[:18], where)
        if row.lacks:
            raise CollectionRefused(Code.NOT_COVERED, f"{row.generator.name}：{LACK_TEXT[row.lacks]}", where)
        wanted = pick.mass.grams if pick.mass is not None else row.mass_g
        if not row.mass_g or not wanted or not 0 < wanted <= row.mass_g:
            raise CollectionRefused(Code.NOT_READY, row.generator.name, where)
        found[key] = (row, pick.mass)
    return list(found.values())


def _take_streams(organisation: Organisation, rows: Sequence[Ready], by: User, now: datetime) -> None:
    """Let the collector's own ledger have a stream for each waste that it fetches."""
    own = set(Stream.objects.filter(organisation=organisation).values_list("waste_code", flat=True))
    for row in rows:
        assert row.stream is not None, "what is unknown was not chosen"
        if row.stream.waste_code not in own:
            own.add(row.stream.waste_code)
            ledger.declare_stream(
                organisation=organisation, code=f"SJ-{row.stream.waste_code}", name=row.stream.name,
                waste_code=row.stream.waste_code, process_name=PROCESS, physical_form=row.stream.physical_form,
                by=by, now=now,
            )  # fmt: skip


def _draft_stops(round_: CollectionRound, chosen: Sequence[tuple[Ready, Mass | None]], now: datetime) -> None:
    """Draft a manifest for each generator; what may not stand on one (hazardous with general) makes two stops."""
    groups: dict[tuple[int, str], list[tuple[Ready, Mass | None]]] = {}
    for row, mass in chosen:
        assert row.stream is not None, "what is unknown was not chosen"
        groups.setdefault((row.generator.pk, row.stream.waste_class), []).append((row, mass))
    for at, ((_key, waste_class), rows) in enumerate(groups.items(), 1):
        generator = rows[0][0].generator
        manifest = _draft(round_, generator, waste_class, rows, now)
        Stop.objects.create(round=round_, position=at, generator=generator, manifest=manifest)


def _draft(
    round_: CollectionRound,
    generator: Organisation,
    waste_class: str,
    rows: Sequence[tuple[Ready, Mass | None]],
    now: datetime,
) -> Manifest:
    collector, habits = round_.collector, habits_of(generator)
    described = set(
        Container.objects.filter(
            lot__organisation=generator,
            lot__code__in=[part.lot_code for row, _mass in rows for part in row.parts],
        ).values_list("lot__code", flat=True)
    )
    lines = [line for row, mass in rows for line in _lines(row, mass, habits, described)]
    try:
        return transfers.create_draft(
            organisation=generator, receiver=collector.uscc, said=_cover(round_, generator), lines=lines,
            legs=[LegSaid(carrier=collector.uscc, said={"plate": round_.plate, "driver": round_.driver})],
            uid=uuid.uuid5(round_.uid, f"{generator.uscc}:{waste_class}"), by=operator(), now=now,
        )  # fmt: skip
    except TransferRefused as why:
        raise named(why, generator.name) from why


def _cover(round_: CollectionRound, generator: Organisation) -> dict[str, str]:
    """Return the generator's part: who it is stands in the registry; the collector consigns (托运人) and stands by."""
    point = round_.point
    return {
        "contact": generator.contact[:60], "contact_phone": generator.phone[:30],
        "emergency_phone": point.emergency_phone, "emergency_measures": point.emergency_measures,
        "origin_address": generator.address[:200], "consignor": "RECEIVER",
        "planned_on": round_.planned_on.isoformat(), "remark": f"小微企业收集，第 {round_.number} 轮次",
    }  # fmt: skip


def _lines(
    row: Ready, mass: Mass | None, habits: Mapping[str, tuple[int | None, str]], described: Set[str]
) -> list[LineSaid]:
    """Return the lines of a waste: each labelled lot as a whole, then of the bulk as much as is wanted."""
    assert row.stream is not None, "what is unknown was not chosen"
    assert row.mass_g is not None, "what is unknown was not chosen"
    left = mass.grams if mass is not None else row.mass_g
    usual_g, packaging = habits.get(row.stream.waste_code, (None, ""))
    said = {"packaging": packaging} if packaging else {}
    found = []
    for part in sorted(row.parts, key=lambda each: (each.lot_code == "", each.store_code, each.lot_code)):
        if part.lot_code and part.grams <= left:
            own = {} if part.lot_code in described else said  # what is known of the container holds
            found.append(LineSaid(lot=part.lot_code, store=part.store_code, said=own))
            left -= part.grams
        elif not part.lot_code and left:
            grams = min(part.grams, left)
            left -= grams
            found.append(
                LineSaid(
                    stream=row.stream.code, mass=Mass(grams), store=part.store_code, said=said,
                    package_count=declared.packages(grams=grams, usual_g=usual_g),
                )
            )  # fmt: skip
    if left:
        raise CollectionRefused(Code.NOT_READY, f"{row.generator.name}：有标签的容器须整个收取", "picks")
    return found


# --- driving


@transaction.atomic
def start_round(*, round_: CollectionRound, by: User, now: datetime) -> CollectionRound:
    """Set out."""
    row = held(round_, by, now)
    if row.state != CollectionRound.State.PLANNED:
        raise CollectionRefused(Code.ROUND_NOT_NOW, str(row.get_state_display()))
    row.state, row.started_at = CollectionRound.State.UNDER_WAY, now
    row.save(update_fields=["state", "started_at"])
    note(row, "collection.start_round", by, now)
    return row


@transaction.atomic
def reorder(*, round_: CollectionRound, order: Sequence[int], by: User, now: datetime) -> None:
    """Put the stops into another order, by hand: each of them once."""
    row = held(round_, by, now)
    if row.state not in (CollectionRound.State.PLANNED, CollectionRound.State.UNDER_WAY):
        raise CollectionRefused(Code.ROUND_NOT_NOW, str(row.get_state_display()))
    stops = {each.pk: each for each in Stop.objects.filter(round=row)}
    if sorted(order) != sorted(stops):
        raise CollectionRefused(Code.ORDER_MALFORMED, where="order")
    for at, key in enumerate(order, 1):
        stops[key].position = at
    Stop.objects.bulk_update(stops.values(), ["position"])
    note(row, "collection.reorder", by, now)


@transaction.atomic
def leave_out(*, stop: Stop, reason: str, words: str = "", by: User, now: datetime) -> Stop:
    """
    Leave a stop out with its reason: its manifest is cancelled, and what is there is ready again.

    :raises CollectionRefused, NotPermitted:
    """
    row = held(stop.round, by, now)
    found = waiting(row, stop)
    if reason not in Stop.Reason.values:
        raise CollectionRefused(Code.REASON_MISSING, where="reason")
    if len(words) > 200 or not words.isprintable():
        raise CollectionRefused(Code.TEXT_NOT_STORABLE, where="words")
    _leave_out(row, found, reason, words.strip(), by, now)
    return found


def _leave_out(round_: CollectionRound, stop: Stop, reason: str, words: str, by: User, now: datetime) -> None:
    label = f"{Stop.Reason(reason).label}：{words}" if words else str(Stop.Reason(reason).label)
    if State(stop.manifest.state) is not State.CANCELLED:
        try:
            transfers.cancel(
                manifest=stop.manifest, organisation=stop.generator, reason=f"收集单位未收：{label}"[:300], by=operator(),
                now=now,
            )  # fmt: skip
        except TransferRefused as why:
            raise named(why, stop.generator.name) from why
    stop.state, stop.reason, stop.words = Stop.State.LEFT_OUT, reason, words
    stop.settled_at, stop.settled_by = now, by
    stop.save()
    note(round_, "collection.leave_out", by, now, stop=stop, detail={"reason": reason})


@transaction.atomic
def cancel_round(*, round_: CollectionRound, words: str = "", by: User, now: datetime) -> CollectionRound:
    """Call a round off before it set out: all of its stops are ready again."""
    row = held(round_, by, now, Permission.HANDLE_MANIFESTS)
    if row.state != CollectionRound.State.PLANNED:
        raise CollectionRefused(Code.ROUND_NOT_NOW, str(row.get_state_display()))
    for stop in Stop.objects.filter(round=row, state=Stop.State.WAITING).select_related(
        "generator", "manifest"
    ):
        _leave_out(row, stop, Stop.Reason.PLAN_CHANGED, words.strip()[:200], by, now)
    return _close(row, CollectionRound.State.CANCELLED, "collection.cancel_round", by, now)


# --- at the point


@transaction.atomic
def close_round(
    *,
    round_: CollectionRound,
    weighings: Sequence[Weighing],
    is_reweighed: bool = False,
    by: User,
    now: datetime,
) -> CollectionRound:
    """
    Unload at the point: each waste was weighed once; each generator's share of it is kept to the gram.

    :param is_reweighed: a weight ten times the declared one was weighed again, and is so
    :raises CollectionRefused, NotPermitted:
    """
    row = held(round_, by, now)
    if row.state != CollectionRound.State.UNDER_WAY:
        raise CollectionRefused(Code.ROUND_NOT_NOW, str(row.get_state_display()))
    stops = queries.stops_of(row)
    if any(each.state == Stop.State.WAITING for each in stops):
        raise CollectionRefused(Code.STOPS_OPEN)
    loaded = [each for each in stops if each.state == Stop.State.LOADED]
    by_code = {each.waste_code: each for each in weighings}
    missing = [name for code, (name, _g) in queries.loads_of(loaded).items() if code not in by_code]
    if missing or any(each.received.grams <= 0 or not each.mode for each in weighings):
        raise CollectionRefused(Code.WEIGHING_MISSING, "、".join(missing), "weighings")
    parts = _parts(loaded, by_code)
    _lock_ledgers(row, loaded)
    for stop in sorted(loaded, key=lambda each: each.manifest_id):
        _receive(row, stop, parts, is_reweighed, by, now)
    return _close(row, CollectionRound.State.CLOSED, "collection.close_round", by, now)


def _parts(loaded: Sequence[Stop], weighings: Mapping[str, Weighing]) -> dict[int, LineReceived]:
    """Share each weighing out over the lines of its waste, to the gram; by line."""
    lines: dict[str, list[ManifestLine]] = {}
    for stop in loaded:
        for line in stop.manifest.lines.all():
            lines.setdefault(line.waste_code, []).append(line)
    found: dict[int, LineReceived] = {}
    for code, own in lines.items():
        weighed = weighings[code]
        own.sort(key=lambda line: (line.manifest_id, line.position))
        grams = shares(weighed.received.grams, [line.declared_g for line in own])
        for line, part in zip(own, grams, strict=True):
            found[line.pk] = LineReceived(
                position=line.position, received=Mass(part), mode=weighed.mode, count=line.package_count
            )
    return found


def _lock_ledgers(round_: CollectionRound, loaded: Sequence[Stop]) -> None:
    """Take the chains in one order, as `transfers` does: no two rounds wait for one another."""
    organisations = {each.generator for each in loaded} | {round_.collector}
    for each in sorted(organisations, key=lambda one: one.pk):
        ledger_queries.locked_head(organisation=each)


def _receive(
    round_: CollectionRound,
    stop: Stop,
    parts: Mapping[int, LineReceived],
    is_reweighed: bool,
    by: User,
    now: datetime,
) -> None:
    mine: dict[str, Any] = {
        "manifest": stop.manifest, "organisation": round_.collector, "by": by, "now": now,
    }  # fmt: skip
    try:
        if (
            State(Manifest.objects.values_list("state", flat=True).get(pk=stop.manifest_id))
            is not State.DELIVERED
        ):
            transfers.deliver(
                **mine,
                words=f"第 {round_.number} 轮次",
                client_id=uuid.uuid5(round_.uid, f"deliver:{stop.pk}"),
            )
        transfers.receive(
            **mine, act=Act.ACCEPT, lines=[parts[line.pk] for line in stop.manifest.lines.all()],
            said={"receiving_contact": str(by)[:60], "opinion": f"同意接受，第 {round_.number} 轮次合并过磅，按移出量分摊"},
            store_code=round_.point.store.code, is_reweighed=is_reweighed,
            client_id=uuid.uuid5(round_.uid, f"receive:{stop.pk}"),
        )  # fmt: skip
    except TransferRefused as why:
        raise named(why, stop.generator.name) from why


# --- what they share


def held(
    round_: CollectionRound, by: User, now: datetime, permission: Permission = Permission.SIGN_MANIFESTS
) -> CollectionRound:
    """Lock the round, for who may act for its collector."""
    require(user=by, permission=permission, organisation=round_.collector, on=local_day(now))
    rows = CollectionRound.objects.select_for_update(of=("self",))
    return rows.select_related("collector", "point__store").get(pk=round_.pk)


def waiting(round_: CollectionRound, stop: Stop) -> Stop:
    """Return the stop of the round that is still to be settled."""
    found = (
        Stop.objects.select_related("generator", "manifest", "manifest__generator", "round")
        .filter(round=round_, pk=stop.pk)
        .first()
    )
    if found is None:
        raise CollectionRefused(Code.STOP_UNKNOWN)
    if found.state != Stop.State.WAITING:
        raise CollectionRefused(Code.STOP_SETTLED, str(found.get_state_display()))
    return found


def _close(round_: CollectionRound, state: str, action: str, by: User, now: datetime) -> CollectionRound:
    round_.state, round_.closed_at, round_.closed_by = state, now, by
    round_.save(update_fields=["state", "closed_at", "closed_by"])
    note(round_, action, by, now)
    return round_


def note(
    round_: CollectionRound,
    action: str,
    by: User,
    now: datetime,
    *,
    stop: Stop | None = None,
    detail: dict[str, Any] | None = None,
) -> None:
    """Record it for the collector, and for the generator whose stop it was."""
    said: dict[str, Any] = {"by": by, "now": now, "action": action, "detail": detail}
    audit(organisation=round_.collector, object_ref=f"{round_.number}", **said)
    if stop is not None:
        audit(organisation=stop.generator, object_ref=f"{round_.collector.uscc}#{round_.number}", **said)
