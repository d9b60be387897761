"""What reads score sheets: what an expert may see of a case, and the matrix of all scores."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.core.files.storage import default_storage
from django.db.models import Exists, OuterRef, QuerySet

from wufei.cases.models import SubmittedEvidence
from wufei.ledger.models import Place
from wufei.policies import queries as policy_queries
from wufei.registry.models import Organisation, ParkMembership, RoleAssignment, Succession
from wufei.reviews.blinding import REBUILT, BlindCase, Blinder, NotSurelyBlind, blind, identifiers, rebuilt
from wufei.reviews.models import AgencyReport, Application, Assignment, Discussion, Round, ScoreSheet
from wufei.reviews.queries.experts import expert_stage, scoring_of
from wufei.reviews.scoring import outliers

TEXTS_OF_PEOPLE = ("filler_name", "filler_phone", "head_mobile", "contact", "phone", "email")
# Keys of the form's particulars whose texts say who it is.
TELLING = frozenset(
    {"name", "organisation", "address", "website", "head", "mobile", "fax", "email", "contact", "phone"}
)


# ---- what is blanked --------------------------------------------------------------------


def blinder_of(*, application: Application) -> Blinder:
    """Return what blanks everything that is known of the applicant, its park or members, partners and people."""
    organisations = _around(application.organisation)
    names = {application.submission.name_given} | {each.name for each in organisations}
    keys = [each.pk for each in organisations]
    names |= set(Succession.objects.filter(successor__in=keys).values_list("former_name", flat=True))
    names |= set(Place.objects.filter(organisation__in=keys, kind="OUTSIDE").values_list("name", flat=True))
    names |= set(AgencyReport.objects.filter(organisation__in=keys).values_list("agency__name", flat=True))
    others: set[str] = set()
    for each in organisations:
        others |= {each.uscc, each.head, each.contact, each.phone, each.fax, each.email, each.website}
    people = RoleAssignment.objects.filter(organisation__in=keys).values_list(
        "user__full_name", "user__username", "user__phone", "user__email"
    )
    for said in people:
        others |= set(said)
    others |= _said_of_people(application.submission.content)
    addresses = {each.address for each in organisations if each.address}
    return Blinder(
        identifiers(names=(n for n in names if n), addresses=addresses, others=(o for o in others if o))
    )


def _around(organisation: Organisation) -> list[Organisation]:
    """Return the organisation, what it came from and what came from it, its parks, and a park's members."""
    keys = {organisation.pk}
    for old, new in Succession.objects.values_list("predecessor_id", "successor_id"):
        if organisation.pk in (old, new):
            keys |= {old, new}
    for park, member in ParkMembership.objects.filter(park=organisation.pk).values_list(
        "park_id", "member_id"
    ):
        keys |= {park, member}
    for park in ParkMembership.objects.filter(member=organisation.pk).values_list("park_id", flat=True):
        keys.add(park)
    return list(Organisation.objects.filter(pk__in=keys))


def _said_of_people(content: object) -> set[str]:
    """Return what the form says of people and ways to reach them, from texts and particulars."""
    if not isinstance(content, dict):
        return set()
    texts = content.get("texts") or {}
    found = {str(texts.get(name) or "") for name in TEXTS_OF_PEOPLE}
    ahead: list[object] = [content.get("particulars"), content.get("cover")]
    while ahead:
        said = ahead.pop()
        if isinstance(said, dict):
            found |= {v for k, v in said.items() if k in TELLING and isinstance(v, str)}
            ahead += [v for v in said.values() if isinstance(v, dict | list)]
        elif isinstance(said, list):
            ahead += said
    return {each.strip() for each in found if len(each.strip()) >= 2}


# ---- what an expert sees ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BlindFile:
    """A file of the submission as an expert knows it: by number and category."""

    number: int
    category: str
    kind: str
    is_withheld: bool  # can't be blanked surely: pictures and PDF

    @property
    def name(self) -> str:
        return f"附件{self.number}.{self.kind}"


@dataclass(frozen=True, slots=True)
class Remark:
    speaker: str
    words: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpertView:
    """All that an expert sees of an application: its code, its edition, and what is left of its content."""

    code: str
    case: BlindCase
    files: tuple[BlindFile, ...]
    discussion: tuple[Remark, ...]


def expert_view(*, assignment: Assignment) -> ExpertView:
    """Return what the expert of the assignment sees of the case."""
    application = assignment.application
    blinder = blinder_of(application=application)
    has_scored = ScoreSheet.objects.filter(
        assignment__application=application, assignment__expert=assignment.expert,
        assignment__stage=assignment.stage, submitted_at__isnull=False,
    ).exists()  # fmt: skip
    rows = Discussion.objects.filter(application=application, stage=assignment.stage).order_by("pk")
    return ExpertView(
        code=application.code,
        case=blind(application.submission.content, blinder),
        files=tuple(
            BlindFile(number, row.get_category_display(), row.kind, row.kind not in REBUILT)
            for number, row in enumerate(_files(application), start=1)
        ),
        discussion=tuple(
            Remark(row.speaker, blinder.text(row.words), row.at) for row in (rows if has_scored else ())
        ),
    )


def _files(application: Application) -> QuerySet[SubmittedEvidence]:
    return SubmittedEvidence.objects.filter(submission=application.submission).order_by("pk")


def blind_file(*, assignment: Assignment, number: int) -> tuple[BlindFile, bytes]:
    """
    Return a file of the case, written anew from its blanked text.

    :raises LookupError: if there is none of that number
    :raises NotSurelyBlind: if it can't be blanked surely
    """
    rows = list(_files(assignment.application))
    if not 1 <= number <= len(rows):
        raise LookupError(number)
    row = rows[number - 1]
    if row.kind not in REBUILT:
        raise NotSurelyBlind(row.kind)
    with default_storage.open(str(row.stored.name)) as stored:
        content = stored.read()
    made = rebuilt(row.kind, content, blinder_of(application=assignment.application))
    return BlindFile(number, row.get_category_display(), row.kind, False), made


def earlier_sheets(*, application: Application, stage: str) -> list[ScoreSheet]:
    """Return the sheets that were handed in for a submission before the one that is being judged."""
    rows = ScoreSheet.objects.filter(
        assignment__application=application, assignment__stage=stage, submitted_at__isnull=False,
        assignment__withdrawn_at__isnull=False,
        assignment__assigned_at__lt=application.submission.submitted_at,
    )  # fmt: skip
    found = rows.select_related("assignment__expert__user")
    return list(found.order_by("submitted_at", "assignment__turn", "assignment__expert__number"))


# ---- the matrix -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Mark:
    """One expert's sheet of a case in the matrix; `total` is None while it is not submitted."""

    assignment: int
    expert: str
    turn: int
    total: Decimal | None
    is_outlier: bool = False


@dataclass(frozen=True, slots=True)
class MatrixRow:
    application: int
    code: str
    organisation: str
    version: int
    is_open: bool  # stands at the stage
    marks: tuple[Mark, ...]

    @property
    def has_outlier(self) -> bool:
        return any(mark.is_outlier for mark in self.marks)

    @property
    def is_complete(self) -> bool:
        return bool(self.marks) and all(mark.total is not None for mark in self.marks)

    @property
    def has_second_turn(self) -> bool:
        return any(mark.turn == 2 for mark in self.marks)


def scored_keys(*, round_: Round, stage: str) -> QuerySet[Any]:
    """Return the keys of the applications that somebody was given to score at the stage, by code."""
    given = Assignment.objects.filter(application=OuterRef("pk"), stage=stage, withdrawn_at=None)
    rows = Application.objects.filter(Exists(given), round=round_)
    return rows.order_by("code").values_list("pk", flat=True)


def matrix(*, round_: Round, stage: str = "", applications: Iterable[Application]) -> list[MatrixRow]:
    """Return the scores of these applications, in one query: who gave what, and what lies far from the rest."""
    edition = policy_queries.edition(round_.edition)
    at, scoring = expert_stage(edition=edition, stage=stage), scoring_of(edition=edition)
    rows = Assignment.objects.filter(application__in=applications, stage=at.id, withdrawn_at=None)
    by_case: dict[int, list[Mark]] = defaultdict(list)
    for pk, case, number, turn, total, submitted in rows.order_by("turn", "expert__number").values_list(
        "pk", "application_id", "expert__number", "turn", "sheet__total", "sheet__submitted_at"
    ):
        by_case[case].append(Mark(pk, number, turn, total if submitted else None))
    return [
        MatrixRow(
            each.pk, each.code, each.organisation.name, each.version, not each.outcome and each.stage == at.id,
            tuple(_marked(by_case[each.pk], scoring.outlier_points)),
        )
        for each in applications
    ]  # fmt: skip


def _marked(marks: list[Mark], points: Decimal) -> list[Mark]:
    """Mark what lies far from the median of the others of its turn."""
    found = []
    for turn in (1, 2):
        of_turn = [mark for mark in marks if mark.turn == turn]
        given = [mark for mark in of_turn if mark.total is not None]
        far = outliers([mark.total for mark in given if mark.total is not None], points)
        is_far = {mark.assignment: flag for mark, flag in zip(given, far, strict=True)}
        found += [
            Mark(m.assignment, m.expert, m.turn, m.total, is_far.get(m.assignment, False)) for m in of_turn
        ]
    return found
