"""
What a revision of masses does beyond the paper: the ledgers of both, capacity, lineage and discrepancies follow.

Nothing that was posted is edited: it is reversed, and posted again with the mass that both agreed to. A container
goes as a whole: what it held more or less than was declared, the generator's store gained or lost before it left.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django.db.models import F

from wufei.ledger import queries as ledger_queries
from wufei.ledger import services as ledger
from wufei.ledger.kinds import Kind
from wufei.ledger.models import Lot, Movement
from wufei.ledger.posting import Draft, bulk_code
from wufei.ledger.tracing import corrected
from wufei.registry.access import Permission
from wufei.registry.models import Organisation, User
from wufei.registry.queries import lineage_of, may
from wufei.registry.services import audit, operator
from wufei.registry.services.permits import give_back_capacity, take_capacity
from wufei.terms.day import local_day
from wufei.terms.mass import Mass
from wufei.transfers.fields import MASSES
from wufei.transfers.models import Discrepancy, ManifestLine, Revision, TransferApproval
from wufei.transfers.refusals import Code, Reason, refused
from wufei.transfers.services.issuing import stock_faults, take_approved
from wufei.transfers.services.receiving import ends_of, lock_ledgers
from wufei.transfers.services.signing import Held, flag, movement_id, refuse, refused_by_ledger
from wufei.transfers.states import State
from wufei.transfers.tolerance import is_beyond, is_implausible, tolerance_on

__all__ = ["MASSES", "correct_masses", "mass_faults", "masses_of"]


class Masses(NamedTuple):
    """What a line shall say; None: as it does."""

    declared_g: int | None = None
    received_g: int | None = None


def masses_of(changes: Sequence[Mapping[str, Any]]) -> dict[int, Masses]:
    """Return the masses that the changes name, by line."""
    found: dict[int, Masses] = {}
    for each in changes:
        if each["part"] == "line" and each["field"] in MASSES:
            at = each["position"]
            found[at] = found.get(at, Masses())._replace(**{each["field"]: each["to"]})
    return found


def mass_faults(held: Held, masses: Mapping[int, Masses], *, is_reweighed: bool = False) -> list[Reason]:
    """Return what speaks against the masses, as far as it can be known before the ledgers are asked."""
    found = []
    for line in held.lines:
        wanted = masses.get(line.position)
        if wanted is None:
            continue
        where = f"lines.{line.position}"
        if wanted.declared_g is not None and line.returned_g:
            detail = "这一行有退回，差额请以盘点处理"
            found.append(Reason(Code.NOT_REVISABLE, f"{where}.declared_g", detail))
        if wanted.received_g is not None and not line.received_g:
            found.append(Reason(Code.NOT_REVISABLE, f"{where}.received_g", "这一行没有接受"))
        found += _implausible(line, wanted, where) if not is_reweighed else []
    if not found and held.manifest.now_in is State.ISSUED:
        found = _not_in_store(held, masses)
    return found


def _implausible(line: ManifestLine, wanted: Masses, where: str) -> list[Reason]:
    """A mass ten times the other, or ten times what it was, is a slip until somebody has weighed again."""
    kept = (wanted.declared_g or line.declared_g) - line.returned_g
    received = wanted.received_g or line.received_g
    pairs = [(kept, received)] if received else [(line.declared_g, kept)]
    return [
        Reason(
            Code.WEIGHT_IMPLAUSIBLE,
            f"{where}.{'received_g' if wanted.received_g else 'declared_g'}",
            f"{Mass(a).tonnes:f} 吨与 {Mass(b).tonnes:f} 吨",
        )
        for a, b in pairs
        if a > 0 and is_implausible(declared_g=a, received_g=b)
    ]


def _not_in_store(held: Held, masses: Mapping[int, Masses]) -> list[Reason]:
    """Before anything is loaded, what is declared must stand in store: a container as a whole."""
    before = {line.position: line.declared_g for line in held.lines}
    try:
        for line in held.lines:
            line.declared_g = masses.get(line.position, Masses()).declared_g or line.declared_g
        return stock_faults(held)
    finally:
        for line in held.lines:
            line.declared_g = before[line.position]


def correct_masses(held: Held, revision: Revision) -> None:
    """
    Let lines and ledgers say what was agreed to.

    :raises TransferRefused: if stock, capacity or approval do not suffice
    """
    masses = masses_of(revision.changes)
    if not masses:
        return
    refuse(mass_faults(held, masses, is_reweighed=True))  # that it was weighed again both have said
    lines = [line for line in held.lines if line.position in masses]
    before = {line.position: Masses(line.declared_g, line.received_g) for line in lines}
    takers = {line.receipt_lot.organisation for line in _with_receipts(lines) if line.receipt_lot}
    lock_ledgers({held.manifest.generator, *takers})  # before the capacities, everywhere in this order
    for line in lines:
        line.declared_g = masses[line.position].declared_g or line.declared_g
        line.received_g = masses[line.position].received_g or line.received_g
    _correct_capacity(lines, before)
    ManifestLine.objects.bulk_update(lines, ["declared_g", "received_g"])
    row = held.manifest
    row.declared_g = sum(line.declared_g for line in held.lines)
    if row.received_g is not None:
        row.received_g = sum(line.received_g or 0 for line in held.lines)
    row.save(update_fields=["declared_g", "received_g"])
    if row.now_in is not State.ISSUED:
        _correct_generator(held, revision, lines)
        _correct_receivers(held, revision, lines, before)
    if row.confirmed_at is not None:
        _reopen_or_settle(held, revision, lines)
    _flag_odd(held, lines)


def _with_receipts(lines: Sequence[ManifestLine]) -> Sequence[ManifestLine]:
    """Read the receivers' lots of the lines, each with its organisation."""
    keys = [line.receipt_lot_id for line in lines if line.receipt_lot_id]
    lots = Lot.objects.filter(pk__in=keys).select_related("organisation", "stream").in_bulk()
    for line in lines:
        if line.receipt_lot_id:
            line.receipt_lot = lots[line.receipt_lot_id]
    return lines


def _correct_capacity(lines: Sequence[ManifestLine], before: Mapping[int, Masses]) -> None:
    """What is counted of the permit and of the approval: what was received; until then, what was declared."""

    def counted(masses: Masses) -> int:
        return (masses.declared_g or 0) if masses.received_g is None else masses.received_g

    for line in sorted(lines, key=lambda each: (each.permit_group_id or 0, each.approval_id or 0)):
        more = counted(Masses(line.declared_g, line.received_g)) - counted(before[line.position])
        where = f"lines.{line.position}"
        if more and line.permit_group_id and line.capacity_year:
            said = {"group_id": line.permit_group_id, "year": line.capacity_year}
            if more < 0:
                give_back_capacity(**said, grams=-more)
            elif not take_capacity(**said, grams=more):
                raise refused(Code.CAPACITY_EXHAUSTED, line.waste_name, where)
        if more and line.approval_id:
            if more < 0:
                TransferApproval.objects.filter(pk=line.approval_id).update(used_g=F("used_g") + more)
            elif not take_approved(approval_id=line.approval_id, grams=more):
                raise refused(Code.APPROVAL_EXHAUSTED, line.waste_name, where)


# --- the ledgers


def _poster(held: Held, revision: Revision, organisation: Organisation) -> User:
    """Return who posts for the organisation: who proposed or agreed for it, or the platform where they no longer may."""
    own, today = lineage_of(organisation=organisation), local_day(held.now)
    is_proposer = revision.proposed_for_id in own or organisation.pk in lineage_of(
        organisation=revision.proposed_for
    )
    person = revision.proposed_by if is_proposer else held.by
    needs = (Permission.POST_MOVEMENTS, Permission.REVERSE_MOVEMENTS)
    if all(may(user=person, permission=each, organisation=organisation, on=today) for each in needs):
        return person
    return operator()


def _standing(
    held: Held, organisation: Organisation, lines: Sequence[ManifestLine]
) -> dict[tuple[str, int], Movement]:
    """Return what stands of what the manifest moved of the lines, by what it was and the line."""
    agreed = held.manifest.revisions.filter(state=Revision.State.AGREED).values_list("pk", flat=True)
    suffixes = ["", *(_suffix(each) for each in agreed)]
    ids = {
        movement_id(held, f"{what}:{line.position}{suffix}"): (what, line.position)
        for what in ("dispatch", "gain", "loss", "received", "receipt")
        for line in lines
        for suffix in suffixes
    }
    rows = ledger_queries.movements(organisation=organisation).filter(client_id__in=list(ids), reversal=None)
    return {ids[row.client_id]: row for row in rows}


def _suffix(revision_id: int) -> str:
    return f":r{revision_id}"


def _correct_generator(held: Held, revision: Revision, lines: Sequence[ManifestLine]) -> None:
    generator, suffix = held.manifest.generator, _suffix(revision.pk)
    there = _standing(held, generator, lines)
    back: list[Movement] = []
    again: list[Draft] = []
    for line in lines:
        sent = there["dispatch", line.position]
        is_sent_anew = sent.mass_g != line.declared_g
        if is_sent_anew:
            back.append(sent)
            again += _sent_anew(held, line, sent, suffix)
        if line.received_g is None:
            continue
        stood = {
            what: there[what, line.position]
            for what in ("gain", "loss", "received")
            if (what, line.position) in there
        }
        on = next((each.moved_on for each in stood.values()), local_day(held.now))
        wanted = ends_of(held, line, on=on, suffix=suffix)
        for what in sorted(stood.keys() | wanted.keys()):
            was, shall = stood.get(what), wanted.get(what)
            is_same = was is not None and shall is not None and was.mass_g == shall.mass.grams
            if is_same and not is_sent_anew:  # else the road must be full again before it can be emptied
                continue
            back += [was] if was is not None else []
            again += [shall] if shall is not None else []
    _correct(held, revision, generator, back, again)


def _sent_anew(held: Held, line: ManifestLine, sent: Movement, suffix: str) -> list[Draft]:
    """Return the dispatch as it shall be; and of a container, what its store had more or less of it than it said."""
    draft = ledger.drafted(sent, on=sent.moved_on, mass=Mass(line.declared_g))
    draft = draft._replace(client_id=movement_id(held, f"dispatch:{line.position}{suffix}"))
    found, more = [draft], line.declared_g - sent.mass_g
    if line.lot_id is not None:
        found.append(
            draft._replace(
                kind=Kind.STOCKTAKE_GAIN if more > 0 else Kind.STOCKTAKE_LOSS, mass=Mass(abs(more)),
                counterparty="", handler="", other_place=None, note=f"联单 {held.manifest.number} 更正移出量",
                client_id=movement_id(held, f"container:{line.position}{suffix}"),
            )
        )  # fmt: skip
    return found


def _correct_receivers(
    held: Held, revision: Revision, lines: Sequence[ManifestLine], before: Mapping[int, Masses]
) -> None:
    """Correct what came in, in the ledger that it came into, and how much of one lot became the other."""
    came: dict[Organisation, list[ManifestLine]] = {}
    for line in lines:
        if line.receipt_lot is not None and line.received_g != before[line.position].received_g:
            came.setdefault(line.receipt_lot.organisation, []).append(line)
    for taker, theirs in came.items():
        there = _standing(held, taker, theirs)
        suffix, back, again = _suffix(revision.pk), [], []
        for line in theirs:
            was = there["receipt", line.position]
            back.append(was)
            shall = ledger.drafted(was, on=was.moved_on, mass=Mass(line.received_g or 0))
            again.append(shall._replace(client_id=movement_id(held, f"receipt:{line.position}{suffix}")))
        poster = _correct(held, revision, taker, back, again)
        _record_lineage(held, revision, theirs, poster)


def _record_lineage(held: Held, revision: Revision, lines: Sequence[ManifestLine], by: User) -> None:
    bulk = [bulk_code(line.stream.code) for line in lines if line.lot_id is None]
    heaps = {
        lot.code: lot.pk for lot in Lot.objects.filter(organisation=held.manifest.generator, code__in=bulk)
    }
    became = [
        ledger.Became(
            line.lot_id or heaps[bulk_code(line.stream.code)], line.receipt_lot.pk, Mass(line.received_g or 0)
        )
        for line in lines
        if line.receipt_lot is not None
    ]
    document = corrected(str(held.manifest.number), revision.pk)
    ledger.record_lineage(document=document, became=became, by=by, now=held.now)


def _correct(
    held: Held, revision: Revision, organisation: Organisation, back: list[Movement], again: list[Draft]
) -> User:
    poster = _poster(held, revision, organisation)
    try:
        ledger.correct(
            organisation=organisation, standing=back, instead=again, by=poster, now=held.now,
            reason=f"联单 {held.manifest.number} 更正：{revision.reason}"[:300],
        )  # fmt: skip
    except ledger.MovementsRefused as why:
        raise refused_by_ledger(organisation, why, is_by_line=False) from why
    return poster


# --- the differences


def _reopen_or_settle(held: Held, revision: Revision, lines: Sequence[ManifestLine]) -> None:
    """A difference that the revision takes away is settled by it; one that it leaves, or makes, is open."""
    assert held.manifest.confirmed_at is not None, "what arrived was confirmed"
    tolerance = tolerance_on(local_day(held.manifest.confirmed_at))
    known = {
        each.line_id: each
        for each in Discrepancy.objects.select_for_update().filter(
            line__in=[line.pk for line in lines], kind=Discrepancy.Kind.MASS
        )
    }
    for line in lines:
        kept, received = line.declared_g - line.returned_g, line.received_g or 0
        task = known.get(line.pk)
        if kept and is_beyond(declared_g=kept, received_g=received, tolerance=tolerance):
            task = task or Discrepancy(
                manifest=held.manifest, line=line, kind=Discrepancy.Kind.MASS, opened_at=held.now
            )
            if task.settled_at is not None:
                _audit(held, "reopen_discrepancy", line, task)
            task.declared, task.found = kept, received
            task.settled_at, task.settled_by, task.reason = None, None, ""
            task.save()
        elif task is not None and task.settled_at is None:
            task.declared, task.found = kept, received
            task.settled_at, task.settled_by = held.now, held.by
            task.reason = f"更正后在允差以内：{revision.reason}"[:300]
            task.save()
            _audit(held, "settle_discrepancy", line, task)


def _audit(held: Held, what: str, line: ManifestLine, task: Discrepancy) -> None:
    audit(
        by=held.by, now=held.now, organisation=held.organisation, action=f"transfers.{what}",
        object_ref=held.manifest.reference,
        detail={"line": line.pk, "kind": task.kind, "declared": task.declared, "found": task.found, "reason": task.reason},
    )  # fmt: skip


def _flag_odd(held: Held, lines: Sequence[ManifestLine]) -> None:
    odd = [
        f"第 {line.position} 行"
        for line in lines
        if line.received_g
        and line.declared_g > line.returned_g
        and is_implausible(declared_g=line.declared_g - line.returned_g, received_g=line.received_g)
    ]
    if odd:
        flag(held, "weight_ten_times", "、".join(odd))
