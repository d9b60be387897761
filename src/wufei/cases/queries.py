"""What reads cases; gathers what a case file is filled from, in a fixed number of queries."""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

from django.db.models import Count, Field, Max, Q, QuerySet

from wufei.cases import counting, documents, freezing, likeness
from wufei.cases.case_file import Attachment, CaseFile, OpenRequirement, Placed
from wufei.cases.counting import LimitCheck
from wufei.cases.differences import Change, differences, number_text
from wufei.cases.dossier import Applicant, Dossier, Figures, FormSpec, Generator, Member, Texts
from wufei.cases.filling import case_file
from wufei.cases.models import Case, Evidence, EvidenceCategory, Submission, SubmittedEvidence
from wufei.cases.provenance import MovementIndex, MovementRow, movement_leaves, number_document
from wufei.indicators import queries as indicator_queries
from wufei.indicators.facts import Product
from wufei.indicators.figure import MovementsBehind
from wufei.indicators.models import AnnualOperation, AnnualProduct
from wufei.ledger.models import Head, Movement, Stream
from wufei.policies import queries as policy_queries
from wufei.policies.criteria import WORDS, Evaluation
from wufei.policies.edition import Edition, SubjectKind
from wufei.registry.access import Permission
from wufei.registry.models import Organisation, OrganisationKind, ParkMembership, User
from wufei.registry.queries import members_of, visible_organisations
from wufei.terms.truth import Truth

SUBJECT_WORDS = {SubjectKind.PARK: "园区", SubjectKind.ENTERPRISE: "企业"}
LARGEST = 10  # 园区产废量前 10 位企业
_YEARS = 4  # 2022—2025, where the edition does not say
ATTEMPTS = 5  # to read a ledger that is being posted to


class NoCaseFile(Exception):
    """The edition asks for no case file, or not of this organisation; `code` says which."""

    def __init__(self, code: str):
        self.code = code  # edition_unknown, edition_has_no_case_file, subject_kind_differs
        super().__init__(code)


class LedgerChanging(Exception):
    """The ledger was posted to again and again while it was being read; nothing was made."""

    def __init__(self) -> None:
        self.code = "ledger_changing"
        super().__init__(self.code)


# --- which cases ---------------------------------------------------------------------------


def visible_cases(*, user: User, on: date) -> QuerySet[Case]:
    """Return the cases that the user may see; a draft is its organisation's own."""
    seen = visible_organisations(user=user, permission=Permission.VIEW_CASE, on=on)
    return Case.objects.filter(organisation__in=seen).select_related("organisation", "updated_by")


def evidence_of(*, case: Case) -> QuerySet[Evidence]:
    """Return what is handed in with the case, in the order of the form's list."""
    return case.evidence.filter(removed_at=None).select_related("uploaded_by").order_by("pk")


# --- what the edition's form asks for -------------------------------------------------------


def editions_for(*, organisation: Organisation) -> list[Edition]:
    """Return the editions for which the organisation can write a case file."""
    known = policy_queries.known_editions().values()
    return [e for e in known if _form_of(e) is not None and suits(edition=e, organisation=organisation)]


def editions_to_open(*, organisation: Organisation) -> list[Edition]:
    """Return the editions under which the organisation can hand in a case, with a form or by its stages alone."""
    known = policy_queries.known_editions().values()
    return [e for e in known if _takes_cases(e) and suits(edition=e, organisation=organisation)]


def suits(*, edition: Edition, organisation: Organisation) -> bool:
    """Return whether the edition is for organisations of that kind."""
    is_park = organisation.kind == OrganisationKind.PARK
    not_applicants = (OrganisationKind.AUTHORITY, OrganisationKind.AGENCY)
    return organisation.kind not in not_applicants and is_park == (edition.subject_kind is SubjectKind.PARK)


def edition_for(*, organisation: Organisation, edition_id: str) -> Edition:
    """
    Return the edition under which the organisation may open a case.

    :raises NoCaseFile: if there is none of that id, it takes no cases, or not of this kind
    """
    try:
        edition = policy_queries.edition(edition_id)
    except policy_queries.UnknownEdition as error:
        raise NoCaseFile("edition_unknown") from error
    if not suits(edition=edition, organisation=organisation):
        raise NoCaseFile("subject_kind_differs")
    if not _takes_cases(edition):
        raise NoCaseFile("edition_has_no_case_file")
    return edition


def _takes_cases(edition: Edition) -> bool:
    """Return whether a case can be written: for the edition's form, or to pass its stages without one."""
    return _form_of(edition) is not None or bool(edition.stages)


def _form_of(edition: Edition) -> Any:
    """Return the edition's form for which there is a template, if any: the form's id is the template's."""
    return next((form for form in edition.forms if form.id in documents.templates()), None)


def form_spec(*, edition: Edition, year: int) -> FormSpec:
    """
    Return what the edition's form asks for in the year.

    :raises NoCaseFile: if the edition takes no cases
    """
    form = _form_of(edition)
    if not _takes_cases(edition):
        raise NoCaseFile("edition_has_no_case_file")
    limits = {name: limit for each in edition.forms for name, limit in each.limits.items()}
    count = len(edition.round_years) or _YEARS
    years = tuple(range(year - count + 1, year + 1))
    return FormSpec(
        template=form.id if form else "",
        subject_word=SUBJECT_WORDS[edition.subject_kind],
        is_park=edition.subject_kind is SubjectKind.PARK,
        year=year,
        production_years=years[:-1],
        waste_years=years,
        body_limit=limits.get("body", 0),
        self_description_limit=limits.get("self_statement", 0),
        brief_description_limit=limits.get("brief", 0),
    )


def require_form(*, case: Case) -> None:
    """
    See to it that the case's edition has a form to be printed.

    :raises NoCaseFile: if it has none, or takes no cases
    """
    edition = edition_for(organisation=case.organisation, edition_id=case.edition)
    if not form_spec(edition=edition, year=case.year).template:
        raise NoCaseFile("edition_has_no_case_file")


def limits(*, texts: Texts, spec: FormSpec) -> dict[str, LimitCheck]:
    """Return how the texts stand against the limits of the form, by `body` and field; live while writing."""
    asked = {
        "body": (texts.body, spec.body_limit),
        "self_description": (texts.self_description, spec.self_description_limit),
        "brief_description": (texts.brief_description, spec.brief_description_limit),
    }
    return {name: counting.check(text, limit) for name, (text, limit) in asked.items() if limit}


def texts_of(case: Case) -> Texts:
    """Return what the applicant wrote."""
    return Texts(**{field.name: getattr(case, field.name) for field in fields(Texts)})


# --- the case file --------------------------------------------------------------------------


def case_form(*, case: Case) -> CaseFile:
    """Return the case file as it would be printed now."""
    return case_file(dossier(case=case))


def dossier(*, case: Case) -> Dossier:
    """Gather what the case file is filled from."""
    organisation = case.organisation
    edition = edition_for(organisation=organisation, edition_id=case.edition)
    spec = form_spec(edition=edition, year=case.year)
    first, last = spec.waste_years[0], spec.waste_years[-1]
    common: dict[str, Any] = {
        "spec": spec,
        "applicant": _applicant(organisation),
        "texts": texts_of(case),
        "attachments": tuple(_attachment(row) for row in evidence_of(case=case)),
    }
    if spec.is_park:
        found = indicator_queries.park_figures(park=organisation, from_year=first, to_year=last)
        return Dossier(
            **common,
            figures=Figures(found),
            members=_members(organisation, spec),
            largest=_largest(organisation, last),
        )
    found = indicator_queries.figures(organisation=organisation, from_year=first, to_year=last)
    return Dossier(
        **common,
        figures=Figures(found),
        products=_products(organisation, spec),
        stream_names=dict(Stream.objects.filter(organisation=organisation).values_list("code", "name")),
    )


def _applicant(organisation: Organisation) -> Applicant:
    return Applicant(**{field.name: getattr(organisation, field.name) for field in fields(Applicant)})


def _attachment(row: Evidence) -> Attachment:
    return Attachment(
        category=str(EvidenceCategory(row.category).label), file_name=row.file_name, media_type=row.media_type,
        size=row.size, sha256=row.sha256,
    )  # fmt: skip


def _products(organisation: Organisation, spec: FormSpec) -> dict[int, tuple[Product, ...]]:
    found: dict[int, list[Product]] = {}
    rows = AnnualProduct.objects.filter(organisation=organisation, year__in=spec.production_years)
    for row in rows.order_by("pk"):
        product = Product(
            name=row.name, output=row.output, unit=row.unit, is_main=row.is_main, capacity=row.capacity,
            source=row.source,
        )  # fmt: skip
        found.setdefault(row.year, []).append(product)
    return {year: tuple(made) for year, made in found.items()}


def _members(park: Organisation, spec: FormSpec) -> dict[int, tuple[Member, ...]]:
    """Return who was in the park at the end of each year, with the output values stated."""
    by_year = {
        year: list(members_of(park=park, on=date(year, 12, 31)).order_by("pk")) for year in spec.waste_years
    }
    keys = {member.pk for members in by_year.values() for member in members}
    rows = AnnualOperation.objects.filter(organisation__in=keys, year__in=spec.production_years)
    values: dict[int, dict[int, Any]] = {}
    for row in rows:
        if row.output_value_10k_yuan is not None:
            values.setdefault(row.organisation_id, {})[row.year] = row.output_value_10k_yuan
    return {
        year: tuple(
            Member(
                uscc=m.uscc, name=m.name, industry_code=m.industry_code, output_values=values.get(m.pk, {})
            )
            for m in members
        )
        for year, members in by_year.items()
    }


def _largest(park: Organisation, year: int) -> tuple[Generator, ...]:
    found = indicator_queries.top_generators(park=park, year=year, limit=LARGEST)
    return tuple(
        Generator(
            uscc=row.uscc,
            name=row.name,
            industry_code=row.industry_code,
            products=row.products,
            output_value=row.output_value_10k_yuan,
            generation=row.generation,
            utilisation=row.utilisation,
            rate=row.utilisation_rate,
        )
        for row in found.rows
    )


# --- what it rests on, and what is open -----------------------------------------------------


def movement_index(*, numbers: Iterable[Placed]) -> MovementIndex:
    """Return the movements that any of the numbers may rest on, in one query."""
    return index_of(leaves=movement_leaves(numbers))


def index_of(*, leaves: Collection[MovementsBehind]) -> MovementIndex:
    """Return the movements that the leaves may be about, in one query."""
    if not leaves:
        return MovementIndex(())
    rows = (
        Movement.objects.filter(
            organisation__uscc__in={leaf.organisation for leaf in leaves},
            kind__in={kind for leaf in leaves for kind in leaf.kinds},
        )
        .within(min(leaf.period.first_day for leaf in leaves), max(leaf.period.last_day for leaf in leaves))
        .order_by("organisation", "seq")
        .values_list(
            "organisation__uscc", "seq", "pk", "moved_on", "kind", "stream__code", "stream__name",
            "stream__waste_category", "stream__waste_class", "lot__code", "method", "counterparty", "mass_g",
            "reverses_id", "chain_hash",
        )
    )  # fmt: skip
    return MovementIndex(_movement(row) for row in rows.iterator(chunk_size=5000))


def gathered(*, case: Case) -> tuple[Dossier, CaseFile, MovementIndex]:
    """
    Return a form and the movements behind it that agree: none was posted between the two readings.

    :raises NoCaseFile, LedgerChanging:
    """
    for _ in range(ATTEMPTS):
        found = dossier(case=case)
        form = case_file(found)
        numbers = list(form.numbers())
        movements = movement_index(numbers=numbers)
        if movements.adds_up_to(numbers):
            return found, form, movements
    raise LedgerChanging


def _movement(row: tuple[Any, ...]) -> MovementRow:
    (uscc, seq, pk, day, kind, stream, name, category, waste_class, lot, method, counterparty, mass_g, reverses,
     chain_hash) = row  # fmt: skip
    return MovementRow(
        organisation=uscc, seq=seq, id=pk, moved_on=day, kind=kind, stream=stream, stream_name=name,
        waste_category=category, waste_class=waste_class, lot=lot, method=method, counterparty=counterparty,
        mass_g=mass_g, is_reversal=reverses is not None, chain_hash=chain_hash,
    )  # fmt: skip


def open_requirements(evaluation: Evaluation) -> tuple[OpenRequirement, ...]:
    """Return what the edition asks and is not met or not known, in its order."""
    return tuple(
        OpenRequirement(
            id=finding.criterion.id,
            clause=f"{finding.criterion.document or evaluation.edition.norm.number} {finding.criterion.clause}",
            verdict=WORDS[finding.counts_as],
            says=finding.criterion.says,
            explanation=finding.node.explanation,
            supply=tuple(
                f"{missing.label}（{missing.where}）" if missing.where else missing.label
                for missing in finding.node.supply
            ),
        )
        for finding in evaluation.findings
        if finding.criterion.decides and finding.counts_as is not Truth.MET
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortcoming:
    """What stands between a draft and its hand-in; requirements of the policy do not."""

    code: str  # "section_empty", "over_limit", "not_marked_ready"
    field: str
    label: str
    detail: str = ""


_REQUIRED = (
    "title", "brief_description", "plan", "practices", "results", "innovation", "conditions", "self_description",
)  # fmt: skip
_REQUIRED_WITHOUT_FORM = ("title", "brief_description", "self_description")


def shortcomings(*, case: Case) -> list[Shortcoming]:
    """Return which sections are still empty and which are too long."""
    edition = edition_for(organisation=case.organisation, edition_id=case.edition)
    spec = form_spec(edition=edition, year=case.year)
    labels = {name: label_of(name) for name in _REQUIRED}
    found = [
        Shortcoming(code="section_empty", field=name, label=labels[name])
        for name in (_REQUIRED if spec.template else _REQUIRED_WITHOUT_FORM)
        if not getattr(case, name).strip()
    ]
    checks = limits(texts=texts_of(case), spec=spec)
    labels["body"] = "申报材料"
    for name, check in checks.items():
        if check.is_over:
            detail = f"{check.length.words} / {check.limit} 字"
            found.append(Shortcoming(code="over_limit", field=name, label=labels[name], detail=detail))
    return found


def label_of(field: str) -> str:
    """Return what a field of the draft is called on the page."""
    found = Case._meta.get_field(field)
    assert isinstance(found, Field), "the draft's fields are plain ones"
    return str(found.verbose_name)


def evaluation(*, case: Case, on: date) -> Evaluation:
    """Judge the case by the edition that it was opened under."""
    return policy_queries.evaluation(
        organisation=case.organisation, edition_id=case.edition, year=case.year, on=on
    )


def digests(files: Mapping[str, bytes]) -> dict[str, str]:
    """Return the SHA-256 of each file by name."""
    return {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}


# --- what was handed in ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenFile:
    """A file as it is handed in, with the numbers by which one alike is found."""

    evidence: Evidence
    shingles: list[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """A case as it would be frozen now."""

    content: dict[str, Any]
    ledger_heads: list[list[Any]]  # [[uscc, seq, chain hash]]
    case_file: bytes  # b"" where the edition has no form
    files: tuple[FrozenFile, ...]


def frozen(*, case: Case, on: date) -> Frozen:
    """
    Return the case as it would be frozen now: numbers, evaluation and ledger heads of one moment.

    :raises NoCaseFile, LedgerChanging:
    """
    for _ in range(ATTEMPTS):
        heads = _heads_around(case.organisation)
        found, form, movements = gathered(case=case)
        judged = evaluation(case=case, on=on)
        if _heads_around(case.organisation) == heads:
            break
    else:
        raise LedgerChanging
    numbers = freezing.numbers_of(form, has_form=bool(found.spec.template))
    behind = sorted({leaf.organisation for leaf in movement_leaves(numbers)})
    rows = list(evidence_of(case=case))
    return Frozen(
        content=freezing.content(
            dossier=found, form=form, numbers=numbers, movements=movements.seqs_behind, evaluation=judged,
            kinds={row.sha256: row.kind for row in rows},
        ),
        ledger_heads=[[uscc, *heads.get(uscc, (0, ""))] for uscc in behind],
        case_file=documents.render(documents.template(found.spec.template), form) if found.spec.template else b"",
        files=tuple(_sketched(rows)),
    )  # fmt: skip


def _heads_around(organisation: Organisation) -> dict[str, tuple[int, str]]:
    """Return where the chains end: the organisation's, and those of all that ever were its members."""
    members = ParkMembership.objects.filter(park=organisation).values("member")
    rows = Head.objects.filter(Q(organisation=organisation) | Q(organisation__in=members))
    return {
        uscc: (seq, hash_) for uscc, seq, hash_ in rows.values_list("organisation__uscc", "seq", "chain_hash")
    }


def _sketched(rows: list[Evidence]) -> list[FrozenFile]:
    """Return the files with their sketches; a content that was handed in before is not read again."""
    there = SubmittedEvidence.objects.filter(sha256__in={row.sha256 for row in rows}).order_by()
    known = dict(there.values_list("sha256", "shingles"))
    return [FrozenFile(evidence=row, shingles=known.get(row.sha256) or _sketch(row)) for row in rows]


def _sketch(row: Evidence) -> list[int]:
    if row.kind not in likeness.READ:
        return []
    with row.stored.open("rb") as file:
        return likeness.sketch(likeness.text_of(row.kind, file.read()))


def submissions_of(*, case: Case) -> QuerySet[Submission]:
    """Return the versions that were handed in, the newest first, without their content."""
    rows = case.submissions.select_related("submitted_by").defer("content", "ledger_heads")
    return rows.annotate(file_count=Count("files")).order_by("-number")


def difference(*, earlier: Submission, later: Submission) -> list[Change]:
    """Return what differs between two versions, place by place."""
    labels = {field.name: label_of(field.name) for field in fields(Texts)}
    return differences(earlier.content, later.content, labels=labels)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostedSince:
    """What was posted to one of the ledgers behind a submission after it was frozen."""

    uscc: str
    name: str
    seq: int  # where the ledger ended
    until_seq: int
    count: int
    reversals: int
    last_posted_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberSince:
    """A claimed number, and how it would read today; `now` is None where it would not be there."""

    index: int  # among the frozen numbers
    label: str
    claimed: str
    now: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedSince:
    ledgers: tuple[PostedSince, ...]
    numbers: tuple[NumberSince, ...]  # that read differently
    is_known: bool  # False: the case is not kept in this system, or its edition was taken away


def changed_since(*, submission: Submission) -> ChangedSince:
    """Return what was posted after the frozen heads, and which claimed numbers would read differently today."""
    ledgers = tuple(posted_since(ledger_heads=submission.ledger_heads))
    try:
        today = _numbers_today(submission)
    except NoCaseFile:
        today = None
    if today is None:
        return ChangedSince(ledgers=ledgers, numbers=(), is_known=False)
    found = []
    for index, row in enumerate(submission.content.get("numbers") or ()):
        place = freezing.place_of(row)
        now = today.get(place)
        if now is None or (now["text"], now["value"]) != (row["text"], row["value"]):
            found.append(
                NumberSince(
                    index=index, label=freezing.spoken(place), claimed=number_text(row),
                    now=None if now is None else number_text(now),
                )
            )  # fmt: skip
    return ChangedSince(ledgers=ledgers, numbers=tuple(found), is_known=True)


def _numbers_today(submission: Submission) -> dict[freezing.Place, dict[str, Any]] | None:
    if submission.case is None:
        return None
    found = dossier(case=submission.case)
    numbers = freezing.numbers_of(case_file(found), has_form=bool(found.spec.template))
    documents_ = (number_document(number) for number in numbers)
    return {freezing.place_of(row): row for row in documents_}


MOST_HEADS = 300  # in one question: SQLite takes no more than a thousand conditions


def moved_after(*, ledger_heads: Sequence[Sequence[Any]]) -> list[QuerySet[Movement]]:
    """Return the movements posted after the heads: one query for up to 300 ledgers."""
    return [Movement.objects.filter(each) for each in _by_heads(ledger_heads, "seq__gt")]


def moved_until(*, ledger_heads: Sequence[Sequence[Any]]) -> list[QuerySet[Movement]]:
    """Return the movements posted up to the heads: one query for up to 300 ledgers."""
    return [Movement.objects.filter(each) for each in _by_heads(ledger_heads, "seq__lte")]


def _by_heads(ledger_heads: Sequence[Sequence[Any]], comparison: str) -> list[Q]:
    found = []
    for start in range(0, len(ledger_heads), MOST_HEADS):
        part = Q(pk__in=[])
        for uscc, seq, _hash in ledger_heads[start : start + MOST_HEADS]:
            part |= Q(organisation__uscc=uscc, **{comparison: seq})
        found.append(part)
    return found


def posted_since(*, ledger_heads: Sequence[Sequence[Any]]) -> list[PostedSince]:
    """Return what was posted to each ledger after the heads; a ledger without postings is left out."""
    heads = {uscc: seq for uscc, seq, _hash in ledger_heads}
    rows = [
        row
        for moved in moved_after(ledger_heads=ledger_heads)
        for row in moved.values("organisation__uscc", "organisation__name")
        .annotate(
            until_seq=Max("seq"), count=Count("pk"), reversals=Count("reverses"),
            last_posted_at=Max("posted_at"),
        )
        .order_by("organisation__uscc")
    ]  # fmt: skip
    return [
        PostedSince(
            uscc=row["organisation__uscc"], name=row["organisation__name"],
            seq=heads[row["organisation__uscc"]], until_seq=row["until_seq"], count=row["count"],
            reversals=row["reversals"], last_posted_at=row["last_posted_at"],
        )
        for row in rows
    ]  # fmt: skip
