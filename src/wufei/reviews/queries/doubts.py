"""What is looked at for doubts: the ledger, earlier submissions, others' files, peers. A fixed number of queries."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from heapq import nlargest
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from wufei.cases import freezing, narrative
from wufei.cases import queries as case_queries
from wufei.cases.likeness import likeness
from wufei.cases.models import Case, Headline, SketchNumber, Submission, SubmittedEvidence
from wufei.catalogue.industries import industry
from wufei.indicators.figure import MovementsBehind
from wufei.ledger.kinds import Kind
from wufei.ledger.models import Head, Movement
from wufei.registry.models import Organisation, OrganisationKind
from wufei.registry.queries import lineage_of
from wufei.reviews import doubts
from wufei.reviews.doubts import (
    Doubt,
    Earlier,
    File,
    HeadCheck,
    LeafSum,
    Rereading,
    Reversed,
    Tally,
)
from wufei.reviews.doubts_written import Narrative, narratives_alike
from wufei.reviews.models import Application

YEARS_AROUND = 1  # files of submissions of the year before, the same and the next are compared by their text
YEARS_BEFORE = 3  # narratives are compared with those of the years before, and of the year after
WORTH_COMPARING = Decimal("0.2")  # of the sketches of all fields; then the fields are compared whole
MOST_COMPARED = 20  # the most alike of them
MOST_NEAR = 200  # those who share most numbers of a sketch, of whom the sketches are read
# What is weighed; opening stocks and stock-takes are estimates by right.
WEIGHED = frozenset(Kind) - {Kind.OPENING_STOCK, Kind.STOCKTAKE_GAIN, Kind.STOCKTAKE_LOSS}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Looked:
    """What is looked at: a submission, or a case as it would be handed in now."""

    organisation: Organisation
    name: str  # as the texts were written under
    case_id: int | None
    edition: str
    year: int
    content: Mapping[str, Any]
    ledger_heads: Sequence[Sequence[Any]]
    files: Sequence[File]
    submission: Submission | None

    @property
    def pk(self) -> int | None:
        return self.submission.pk if self.submission else None


def doubts_of(*, application: Application) -> list[Doubt]:
    """Return what about the submission that is being judged should be looked at again, the gravest first."""
    submission = application.submission
    looked = _Looked(
        organisation=submission.organisation, name=submission.name_given, case_id=submission.case_id, edition=submission.edition,
        year=submission.year, content=submission.content, ledger_heads=submission.ledger_heads,
        files=[_file(row) for row in submission.files.order_by("pk")], submission=submission,
    )  # fmt: skip
    return doubts.by_weight(_doubts(looked))


def doubts_before(*, case: Case, on: date) -> list[Doubt]:
    """
    Return what a reviewer would be told if the case were handed in now.

    :raises NoCaseFile, LedgerChanging:
    """
    frozen = case_queries.frozen(case=case, on=on)
    looked = _Looked(
        organisation=case.organisation, name=case.organisation.name, case_id=case.pk, edition=case.edition, year=case.year,
        content=frozen.content, ledger_heads=frozen.ledger_heads, submission=None,
        files=[
            File(file_name=e.evidence.file_name, kind=e.evidence.kind, sha256=e.evidence.sha256, shingles=e.shingles)
            for e in frozen.files
        ],
    )  # fmt: skip
    return doubts.by_weight(_doubts(looked))


def _doubts(of: _Looked) -> Iterator[Doubt]:
    lineage = lineage_of(organisation=of.organisation)
    yield from doubts.restated(of.pk, of.content, _earlier(of, lineage))
    yield from _against_the_ledger(of)
    yield from doubts.reused(of.files, _others(of, lineage))
    own = narrative.masked(of.content.get("texts") or {}, of.name)
    yield from narratives_alike(own, _narratives(of, lineage))
    yield from doubts.impossible(of.pk, of.content)
    yield from doubts.outliers(of.content, of.year, *_peers(of, lineage))
    yield from doubts.round_numbers(of.year, _tally(of))


# ---- earlier submissions ----------------------------------------------------------------


def _earlier(of: _Looked, lineage: set[int]) -> list[Earlier]:
    """Return the last version of every other case, and of the same case the version before."""
    rows = Submission.objects.filter(organisation__in=lineage)
    if of.submission is not None:
        rows = rows.filter(pk__lt=of.submission.pk)
    latest: dict[tuple[str, int], int] = {}
    for pk, edition, year in rows.order_by("pk").values_list("pk", "edition", "year"):
        latest[edition, year] = pk
    kept = Submission.objects.filter(pk__in=latest.values()).order_by("-pk")
    return [
        Earlier(
            pk=row.pk, name=f"{row.year} 年度“{row.edition}”第 {row.number} 版（{row.submitted_at:%Y-%m-%d} 报送）",
            content=row.content, is_same_case=(row.edition, row.year) == (of.edition, of.year),
        )
        for row in kept
    ]  # fmt: skip


# ---- the ledger -------------------------------------------------------------------------


def _against_the_ledger(of: _Looked) -> Iterator[Doubt]:
    heads = _heads(of)
    here = {head.uscc for head in heads if head.is_kept_here}
    yield from doubts.unfounded(of.pk, of.content, _sums(of, here), heads)
    if of.submission is not None:
        yield from doubts.ledger_changed(of.pk, _reversed(of), _rereadings(of.submission))


def _heads(of: _Looked) -> list[HeadCheck]:
    seqs = {uscc: seq for uscc, seq, _hash in of.ledger_heads}
    here = set(Head.objects.filter(organisation__uscc__in=seqs).values_list("organisation__uscc", flat=True))
    rows = Movement.objects.filter(organisation__uscc__in=seqs, seq__in=set(seqs.values())).order_by()
    found = {
        (uscc, seq): hash_ for uscc, seq, hash_ in rows.values_list("organisation__uscc", "seq", "chain_hash")
    }
    return [
        HeadCheck(
            uscc=uscc, seq=seq, frozen_hash=hash_, found_hash=found.get((uscc, seq), hash_ if not seq else None),
            is_kept_here=uscc in here or not seq,
        )
        for uscc, seq, hash_ in of.ledger_heads
    ]  # fmt: skip


def _sums(of: _Looked, here: set[str]) -> list[LeafSum]:
    """Return what the ledgers that are kept here, up to the frozen heads, give for each leaf of each number."""
    until = {uscc: seq for uscc, seq, _hash in of.ledger_heads}
    index = case_queries.index_of(
        leaves=[leaf for leaf in freezing.all_leaves(of.content) if leaf.organisation in here]
    )
    found = []
    for at, row in enumerate(freezing.numbers_in(of.content)):
        label = freezing.spoken(freezing.place_of(row))
        for leaf, seqs in freezing.leaves(row.get("basis") or {}):
            if leaf.organisation not in here:
                continue
            rows = [m for m in index.behind(_as_asked(leaf)) if m.seq <= until.get(leaf.organisation, 0)]
            if _is_renamable(leaf):
                rows = [m for m in rows if m.seq in set(seqs)]
            there = {m.seq for m in rows}
            found.append(
                LeafSum(
                    index=at, label=label, organisation=leaf.organisation, claimed_g=leaf.mass_g,
                    found_g=sum(m.signed_g for m in rows),
                    missing_seqs=tuple(seq for seq in seqs if seq not in there),
                )
            )  # fmt: skip
    return found


def _is_renamable(leaf: MovementsBehind) -> bool:
    """Return whether the leaf asks by what may be corrected later: a stream's name, category or class."""
    return any(said is not None for said in (leaf.stream_name, leaf.waste_category, leaf.waste_class))


def _as_asked(leaf: MovementsBehind) -> MovementsBehind:
    if not _is_renamable(leaf):
        return leaf
    return MovementsBehind(
        organisation=leaf.organisation, kinds=leaf.kinds, period=leaf.period, stream=leaf.stream,
        method=leaf.method, counterparties=leaf.counterparties,
    )  # fmt: skip


def _reversed(of: _Looked) -> list[Reversed]:
    behind = freezing.seqs_behind(of.content)
    columns = ("organisation__uscc", "reverses__seq", "seq", "mass_g", "reversal_reason")
    return [
        Reversed(uscc=uscc, seq=seq, by_seq=by_seq, mass_g=mass_g, reason=reason)
        for moved in case_queries.moved_after(ledger_heads=of.ledger_heads)
        for uscc, seq, by_seq, mass_g, reason in moved.exclude(reverses=None)
        .order_by("organisation__uscc", "seq")
        .values_list(*columns)
        if seq in behind.get(uscc, ())
    ]


def _rereadings(submission: Submission) -> list[Rereading]:
    since = case_queries.changed_since(submission=submission)
    return [
        Rereading(index=each.index, label=each.label, claimed=each.claimed, now=each.now or "不再列出")
        for each in since.numbers
    ]


def _tally(of: _Looked) -> Tally:
    """Return how round the year's records are, up to the frozen heads, without what was reversed."""
    count = whole = 0
    digits: dict[int, int] = {}
    for moved in case_queries.moved_until(ledger_heads=of.ledger_heads):
        rows = moved.filter(
            kind__in=WEIGHED,
            moved_on__year=of.year,
            reverses=None,
            reversal=None,
        )
        grouped = rows.annotate(digit=F("mass_g") / 100_000 % 10, rest=F("mass_g") % freezing.GRAMS_PER_TONNE)
        for digit, all_, from_one, round_ in (
            grouped.order_by()
            .values("digit")
            .annotate(
                all_=Count("pk"),
                from_one=Count("pk", filter=Q(mass_g__gte=freezing.GRAMS_PER_TONNE)),
                round_=Count("pk", filter=Q(rest=0)),
            )
            .values_list("digit", "all_", "from_one", "round_")
        ):
            count, whole = count + all_, whole + round_
            digits[int(digit)] = digits.get(int(digit), 0) + from_one
    return Tally(count=count, whole_tonnes=whole, digits=digits)


# ---- others -----------------------------------------------------------------------------


def _file(row: SubmittedEvidence) -> File:
    return File(file_name=row.file_name, kind=row.kind, sha256=row.sha256, shingles=row.shingles, key=row.pk)


def _others(of: _Looked, lineage: set[int]) -> list[File]:
    """Return others' files that are the same, or share much of their text; each once for an organisation."""
    hashes = {file.sha256 for file in of.files}
    if not hashes:
        return []
    years = (of.year - YEARS_AROUND, of.year + YEARS_AROUND)
    near = [
        pk for file in of.files if file.shingles for pk in _near(file.shingles, doubts.ALIKE, whose="file")
    ]
    rows = SubmittedEvidence.objects.exclude(submission__organisation__in=lineage)
    found: dict[tuple[int, str], File] = {}
    for row in _with_owner(rows.filter(Q(sha256__in=hashes) | Q(pk__in=near, submission__year__range=years))):
        key, name, sha256, kind, shingles, owner_pk, uscc, owner = row
        if (owner_pk, sha256) not in found:
            found[owner_pk, sha256] = File(
                file_name=name, kind=kind, sha256=sha256, shingles=shingles, whose=uscc, owner=owner, key=key
            )
    return list(found.values())


def _narratives(of: _Looked, lineage: set[int]) -> list[Narrative]:
    """Return what others wrote that is most like this one's: each organisation's last version of a case."""
    own = narrative.sketch(of.content.get("texts") or {}, of.name)
    years = (of.year - YEARS_BEFORE, of.year + YEARS_AROUND)
    if not own:
        return []
    near = _near(own, WORTH_COMPARING, whose="submission")
    later = Submission.objects.filter(
        organisation=OuterRef("organisation"), edition=OuterRef("edition"), year=OuterRef("year"), pk__gt=OuterRef("pk")
    )  # fmt: skip
    last = Submission.objects.filter(~Exists(later), pk__in=near, year__range=years).exclude(
        organisation__in=lineage
    )
    sketched = last.order_by("pk").values_list("content__narrative", "pk")
    shares = ((likeness(own, sketch or ()), pk) for sketch, pk in sketched)
    close = nlargest(MOST_COMPARED, (each for each in shares if each[0] >= WORTH_COMPARING))
    found = Submission.objects.filter(pk__in=[pk for _share, pk in close]).order_by("-pk")
    named = ("organisation__uscc", "name_given", "edition", "year", "number", "content__texts")
    return [
        Narrative(
            whose=uscc, owner=name, submission=f"{year} 年度“{edition}”第 {number} 版",
            texts=narrative.masked(texts or {}, name),
        )
        for uscc, name, edition, year, number, texts in found.values_list(*named)
    ]  # fmt: skip


def _near(sketch: Sequence[int], least: Decimal, *, whose: str) -> list[int]:
    """
    Return the files, or the submissions, whose sketch may be as like this one as `least`, the nearest of them.

    What both sketches share is counted of at least as many numbers as this one has (`likeness`), so who shares
    fewer than that part of them can't be as like.
    """
    rows = SketchNumber.objects.filter(number__in=sketch, file__isnull=whose == "submission")
    shared = rows.values(whose).annotate(shared=Count("pk")).filter(shared__gte=least * len(sketch))
    return list(shared.order_by("-shared", f"-{whose}").values_list(whose, flat=True)[:MOST_NEAR])


def _with_owner(rows: QuerySet[SubmittedEvidence]) -> QuerySet[SubmittedEvidence, tuple[Any, ...]]:
    return rows.order_by("-pk").values_list(
        "pk", "file_name", "sha256", "kind", "shingles", "submission__organisation_id",
        "submission__organisation__uscc", "submission__name_given",
    )  # fmt: skip


def _peers(of: _Looked, lineage: set[int]) -> tuple[list[Mapping[str, Any]], str]:
    """Return the headlines of the others of the industry group (中类) that handed in for the year, and its name."""
    rows = Headline.objects.filter(year=of.year).exclude(organisation__in=lineage)
    if of.organisation.kind == OrganisationKind.PARK:
        rows, group = rows.filter(organisation__kind=OrganisationKind.PARK), "园区中"
    else:
        code = of.organisation.industry_code[:3]
        if not code:
            return [], ""
        known = industry(code)
        group = f"“{code} {known.name if known else ''}”行业".replace(" ”", "”")
        rows = rows.filter(organisation__industry_code__startswith=code)
        rows = rows.exclude(organisation__kind=OrganisationKind.PARK)
    latest = dict(rows.order_by("pk").values_list("organisation_id", "figures"))
    return [headline for headline in latest.values() if headline], group
