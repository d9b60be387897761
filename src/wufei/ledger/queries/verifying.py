"""Is the ledger still what was posted? Chains, balances, monthly flows, daily roots and their timestamps."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, cast

from django.db import connection
from django.db.models import (
    BigIntegerField,
    Case,
    Count,
    F,
    Max,
    Min,
    OuterRef,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce, TruncMonth

from wufei.ledger.chain import Link, StoredLink, chain_faults, root_of
from wufei.ledger.kinds import SOURCES, Kind
from wufei.ledger.models import (
    Balance,
    DailyRoot,
    Head,
    LineageEdge,
    MonthlyFlow,
    Movement,
    Place,
    RootTimestamp,
    Transformation,
    VerifiedHead,
)
from wufei.ledger.posting import Fault
from wufei.ledger.timestamp import TimestampInvalid, timestamp_of
from wufei.registry.models import Organisation
from wufei.terms.period import Period

SIGNED_MASS = Case(
    When(reverses=None, then=F("mass_g")), default=-F("mass_g"), output_field=BigIntegerField()
)


@dataclass(frozen=True, slots=True)
class Verification:
    movements: int
    faults: tuple[Fault, ...]
    standings: tuple[VerifiedHead, ...] = ()  # of each ledger, to be kept by `services.verify`

    @property
    def is_ok(self) -> bool:
        return not self.faults


# With the key of the organisation whose it is; None: of all; 0: of one that is there no more.
Located = tuple[int | None, Fault]
WEEK = timedelta(days=7)


def verify(*, organisation: Organisation | None = None) -> Verification:
    """
    Recompute chains, balances, monthly flows and daily roots, and name what is wrong.

    Always from the first movement on, whatever was verified before.
    """
    with _one_moment():
        organisations = [organisation] if organisation else list(Organisation.objects.order_by("uscc"))
        heads = {head.organisation_id: head for head in Head.objects.filter(organisation__in=organisations)}
        scope = {} if organisation is None else {"organisation": organisation}
        found: list[Located] = []
        for each in organisations:
            found += ((each.pk, fault) for fault in _chain_faults_of(each, heads.get(each.pk)))
        found += _balance_faults(scope)
        found += _flow_faults(scope)
        found += _reversal_faults(scope)
        found += _transformation_faults(scope)
        found += _root_faults(organisation)
        if organisation is not None:
            found = [(organisation.pk, fault) for _, fault in found]
        counted = dict(
            Movement.objects.filter(**scope).values_list("organisation").annotate(n=Count("pk")).order_by()
        )
    return Verification(
        sum(counted.values()),
        tuple(fault for _, fault in found),
        tuple(_standings(organisations, heads, counted, found)),
    )


def _standings(
    organisations: Iterable[Organisation],
    heads: Mapping[int, Head],
    counted: Mapping[int, int],
    found: Iterable[Located],
) -> Iterator[VerifiedHead]:
    """Yield where each ledger stood and what was found of it; what is of all is found of each."""
    faults: dict[int | None, list[Fault]] = defaultdict(list)
    for whose, fault in found:
        faults[whose].append(fault)
    for each in organisations:
        head, of_it = heads.get(each.pk), faults[each.pk] + faults[None]
        yield VerifiedHead(
            organisation=each, seq=head.seq if head else 0, chain_hash=head.chain_hash if head else "",
            movements=counted.get(each.pk, 0), faults=len(of_it), first_fault=of_it[0].message if of_it else "",
        )  # fmt: skip


def verify_further(*, organisation: Organisation, kept: VerifiedHead | None) -> Verification:
    """
    Verify the ledger from where it was last found sound as a whole; what was found wrong then stays wrong.

    Read are the movements that came after, each with its link in the chain up to the head; the balances of the
    lots and the monthly flows of the months that they moved; their reversals; the daily roots sealed since.
    Not seen before the next `verify` is what was changed, behind the triggers, in the movements before, and in
    balances and flows that nothing moved since. So the whole is read where the last time is no ground to stand
    on: there was none; its last movement isn't there any more as it was; or more than a week lies between.
    """
    if kept is not None and kept.faults:
        return Verification(kept.movements, (Fault(None, "found_before", kept.first_fault),) * kept.faults)
    with _one_moment():
        head = Head.objects.filter(organisation=organisation).first()
        if kept is not None and head is not None and _may_go_on(kept, head):
            return Verification(head.seq, tuple(_faults_since(organisation, kept, head)))
    return verify(organisation=organisation)


def _may_go_on(kept: VerifiedHead, head: Head) -> bool:
    """Return whether the chain still goes through where it was verified to, not too long ago."""
    rows = Movement.objects.filter(organisation=head.organisation_id, seq__in=(kept.seq, head.seq))
    ends = {seq: (own, at) for seq, own, at in rows.values_list("seq", "chain_hash", "posted_at")}
    if kept.seq not in ends or head.seq not in ends:
        return False
    return ends[kept.seq][0] == kept.chain_hash and ends[head.seq][1] - kept.verified_at <= WEEK


def _faults_since(organisation: Organisation, kept: VerifiedHead, head: Head) -> Iterator[Fault]:
    fresh = Movement.objects.filter(organisation=organisation, seq__gt=kept.seq)
    yield from chain_faults(
        uscc=organisation.uscc, algorithm=head.algorithm, rows=chain_rows(organisation=organisation, after=kept.seq),
        head_seq=head.seq, head_hash=head.chain_hash, after=(kept.seq, kept.chain_hash),
    )  # fmt: skip
    days = fresh.aggregate(first=Min("moved_on"), last=Max("moved_on"))
    if days["first"]:
        moved = {"organisation": organisation, "lot__in": fresh.values("lot")}
        months = (
            Period.month(days["first"].year, days["first"].month),
            Period.month(days["last"].year, days["last"].month),
        )
        located = (
            *_balance_faults(moved),
            *_flow_faults({"organisation": organisation}, (months[0].first_day, months[1].last_day)),
            *_reversal_faults({"organisation": organisation, "seq__gt": kept.seq}),
            *_transformation_faults({"organisation": organisation, "first_seq__gt": kept.seq}),
        )
        yield from (fault for _, fault in located)
    yield from (fault for _, fault in _root_faults(organisation, since=kept.verified_at))


@contextmanager
def _one_moment() -> Iterator[None]:
    """
    Let all that is asked within see the store as of one moment; writers go on meanwhile.

    Else what is posted between two questions looks like a fault. Within a transaction its own isolation holds.
    """
    if connection.in_atomic_block:
        yield
        return
    with connection.cursor() as cursor:
        is_postgresql = connection.vendor == "postgresql"
        cursor.execute(
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" if is_postgresql else "BEGIN DEFERRED"
        )
        try:
            yield
        finally:
            cursor.execute("ROLLBACK")


def chain_rows(*, organisation: Organisation, after: int = 0) -> Iterator[StoredLink]:
    """Yield the organisation's movements as the chain sees them, in order; those after a seq."""
    rows = (
        Movement.objects.filter(organisation=organisation, **({"seq__gt": after} if after else {}))
        .order_by("seq")
        .values_list(
            "pk", "previous_hash", "chain_hash", "seq", "kind", "stream__code", "lot__code", "source__code",
            "target__code", "mass_g", "moved_on", "method", "counterparty", "handler", "note", "client_id",
            "fingerprint", "reverses__seq", "reversal_reason", "posted_at", "posted_by__username",
        )
    )  # fmt: skip
    for pk, previous, own, *said in rows.iterator(chunk_size=5000):
        yield StoredLink(pk, previous, own, Link(*cast("tuple[Any, ...]", said)))


def _chain_faults_of(organisation: Organisation, head: Head | None) -> Iterable[Fault]:
    rows = chain_rows(organisation=organisation)
    if head is None:
        return [Fault(row.movement, "headless", f"{organisation.uscc}：有记录而无链尾") for row in rows][:1]
    return chain_faults(
        uscc=organisation.uscc,
        algorithm=head.algorithm,
        rows=rows,
        head_seq=head.seq,
        head_hash=head.chain_hash,
    )


def _balance_faults(scope: dict[str, Any]) -> Iterator[Located]:
    """Compare what is kept with the sums of the movements: of all, of an organisation, or of some of its lots."""
    summed: dict[tuple[int, int], int] = defaultdict(int)
    moved = Movement.objects.filter(**scope)
    for end, sign in (("target_id", 1), ("source_id", -1)):
        for place, lot, grams in moved.values_list(end, "lot_id").annotate(g=Sum("mass_g")).order_by():
            summed[place, lot] += sign * grams
    within = {key if key == "lot__in" else f"place__{key}": value for key, value in scope.items()}
    kept: dict[tuple[int, int], int] = {}
    for place, lot, grams, kind, whose in Balance.objects.filter(**within).values_list(
        "place_id", "lot_id", "mass_g", "place__kind", "place__organisation_id"
    ):
        kept[place, lot] = grams
        if grams < 0 and kind not in SOURCES:
            yield whose, Fault(None, "overdrawn", f"场所 {place} 批次 {lot} 的结存为负：{grams} 克")
    wrong = sorted(key for key in summed.keys() | kept.keys() if summed.get(key, 0) != kept.get(key, 0))
    owners = dict(
        Place.objects.filter(pk__in={place for place, _ in wrong}).values_list("pk", "organisation_id")
    )
    for place, lot in wrong:
        said, made = kept.get((place, lot), 0), summed.get((place, lot), 0)
        message = f"场所 {place} 批次 {lot} 的结存为 {said} 克，按记录应为 {made} 克"
        yield owners.get(place, 0), Fault(None, "balance_mismatch", message)


def _flow_faults(scope: dict[str, Any], days: tuple[date, date] | None = None) -> Iterator[Located]:
    """Compare the monthly flows with the sums of the movements: of all, or of the days, which are whole months."""
    moved = Movement.objects.filter(**scope)
    flows = MonthlyFlow.objects.filter(**scope)
    if days is not None:
        moved, flows = moved.within(*days), flows.filter(month__range=days)
    fields = ("organisation_id", "stream_id", "kind", "month", "method", "counterparty")
    summed = {
        (*row[:8],): (row[8], row[9])
        for row in moved.annotate(
            month=TruncMonth("moved_on"), origin_year=Coalesce("lot__origin_year", Value(0))
        )
        .values_list(*fields, "lot__origin", "origin_year")
        .annotate(grams=Sum(SIGNED_MASS), rows=Count("pk"))
        .order_by()
    }
    kept = {
        (*row[:8],): (row[8], row[9])
        for row in flows.values_list(*fields, "lot_origin", "lot_origin_year", "mass_g", "movement_count")
    }
    for key in summed.keys() | kept.keys():
        if summed.get(key) != kept.get(key):
            what = f"{key[3]:%Y-%m} 废物流 {key[1]} {key[2]} 的月度合计"
            message = f"{what}为 {kept.get(key)}，按记录应为 {summed.get(key)}"
            yield key[0], Fault(None, "flow_mismatch", message)


def _transformation_faults(scope: dict[str, Any]) -> Iterator[Located]:
    """What went in equals what came out and was lost, and every gram that came out has its place in the lineage."""
    within = Movement.objects.filter(
        organisation=OuterRef("organisation"), seq__range=(OuterRef("first_seq"), OuterRef("last_seq"))
    ).order_by()
    signed = Case(
        When(kind=Kind.TRANSFORMATION_INPUT, then=F("mass_g")),
        default=-F("mass_g"),
        output_field=BigIntegerField(),
    )
    left = within.values("organisation").annotate(g=Sum(signed)).values("g")
    joined = LineageEdge.objects.filter(transformation=OuterRef("pk")).order_by()
    traced = joined.values("transformation").annotate(g=Sum("mass_g")).values("g")
    crooked = (
        Transformation.objects.filter(**scope)
        .annotate(left=Subquery(left), traced=Subquery(traced))
        .exclude(left=0, traced=F("input_g") - F("loss_g"))
    )
    for row in crooked.order_by("organisation", "first_seq"):
        message = (
            f"第 {row.first_seq}–{row.last_seq} 号转化投入 {row.input_g} 克、损耗 {row.loss_g} 克：记录相差 {row.left} 克，"
            f"来龙去脉合计 {row.traced} 克"
        )
        yield row.organisation_id, Fault(row.first_seq, "transformation_unbalanced", message)


def _reversal_faults(scope: dict[str, Any]) -> Iterator[Located]:
    crooked = (
        Movement.objects.filter(**scope, reverses__isnull=False)
        .exclude(
            reverses__mass_g=F("mass_g"),
            reverses__source=F("target"),
            reverses__target=F("source"),
            reverses__lot=F("lot"),
            reverses__kind=F("kind"),
        )
        .values_list("organisation_id", "pk", "seq")
    )
    for whose, pk, seq in crooked:
        yield whose, Fault(pk, "reversal_mismatch", f"第 {seq} 号记录与它所冲正的记录不对称")


def _root_faults(organisation: Organisation | None, since: datetime | None = None) -> Iterator[Located]:
    """Yield where a chain no longer says what a daily root, of all or of those sealed since, recorded of it."""
    claimed: dict[tuple[str, int], tuple[str, date]] = {}
    roots = DailyRoot.objects.order_by("day")
    for root in roots if since is None else roots.filter(sealed_at__gt=since):
        heads = [tuple(head) for head in root.heads]
        if root_of(algorithm=root.algorithm, heads=heads) != root.root:
            yield None, Fault(None, "root_mismatch", f"{root.day} 的日根与其所列各链不符")
        for uscc, seq, chain_hash in heads:
            if organisation is None or organisation.uscc == uscc:
                claimed[uscc, seq] = (chain_hash, root.day)
    if not claimed:
        return
    seqs = {seq for _, seq in claimed}
    rows = Movement.objects.filter(organisation__uscc__in={uscc for uscc, _ in claimed})
    if len(seqs) <= 500:
        rows = rows.filter(seq__in=seqs)
    standing = {
        (uscc, seq): (pk, own)
        for uscc, seq, pk, own in rows.values_list("organisation__uscc", "seq", "pk", "chain_hash")
    }
    owners = dict(
        Organisation.objects.filter(uscc__in={uscc for uscc, _ in claimed}).values_list("uscc", "pk")
    )
    for (uscc, seq), (chain_hash, day) in sorted(claimed.items()):
        pk, own = standing.get((uscc, seq), (None, None))
        if own != chain_hash:
            message = f"{uscc}：第 {seq} 号记录与 {day} 日根所记不符，其后的链被重造过"
            yield owners.get(uscc, 0), Fault(pk, "root_mismatch", message)


def timestamp_faults(authority_pem: bytes) -> Iterator[Fault]:
    """Yield the daily roots that have timestamps, none of which is by the authority over the root as it stands."""
    stamped: dict[DailyRoot, list[str]] = defaultdict(list)
    for stamp in RootTimestamp.objects.select_related("root").order_by("pk"):
        try:
            timestamp_of(root=stamp.root.root, response=bytes(stamp.response), authority_pem=authority_pem)
        except TimestampInvalid as why:
            stamped[stamp.root].append(str(why))
        else:
            stamped[stamp.root] = []
    for root, faults in stamped.items():
        if faults:
            yield Fault(None, "timestamp_invalid", f"{root.day} 的日根与可信时间戳不符：{faults[-1]}")
