"""Score sheets: written in drafts that save themselves, submitted once, and never changed afterwards."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation

from django.db import transaction

from wufei.policies import queries as policy_queries
from wufei.policies.edition import Scoring
from wufei.registry.models import User
from wufei.registry.services import audit
from wufei.reviews.duties import Duty
from wufei.reviews.models import Assignment, ScoreSheet
from wufei.reviews.queries.acting import other_duty
from wufei.reviews.queries.experts import conflict_with, scoring_of
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.scoring import total_of

PLACES = 2  # of a score
LONGEST_WORDS = 5_000


@transaction.atomic
def save_sheet(
    *,
    assignment: Assignment,
    version: int,
    scores: Mapping[str, str],
    comments: Mapping[str, str],
    words: str = "",
    by: User,
    now: datetime,
) -> ScoreSheet:
    """
    Keep a draft: items may still be open, points that are given lie within the item's.

    `version` is that of the sheet as it was seen; 0 where there was none yet.

    :raises ReviewRefused: `stale`, `sheet_final`, `score_wrong` with the item, `not_permitted`, `stage_moved_on`
    """
    locked, scoring = _locked(assignment, by)
    sheet = _sheet(locked, version)
    sheet.scores = points_given(scores, scoring)
    known = {item.id for item in scoring.rubric}
    if unknown := set(comments) - known:
        raise ReviewRefused("field_unknown", ", ".join(sorted(unknown)))
    sheet.comments = {item: said.strip()[:LONGEST_WORDS] for item, said in comments.items() if said.strip()}
    sheet.words = words.strip()[:LONGEST_WORDS]
    sheet.saved_at = now
    sheet.version = version + 1
    sheet.save()
    return sheet


@transaction.atomic
def submit_sheet(*, assignment: Assignment, version: int, by: User, now: datetime) -> ScoreSheet:
    """
    Submit the sheet as it was saved: every item scored. It never changes afterwards.

    :raises ReviewRefused: `score_missing` with the items, `stale`, `sheet_final`, `conflict_of_interest`,
        `acted_before`
    """
    locked, scoring = _locked(assignment, by)
    sheet = _sheet(locked, version)
    edition = policy_queries.edition(locked.application.round.edition)
    if conflict_with(expert=locked.expert, application=locked.application):
        raise ReviewRefused("conflict_of_interest")  # not which: that would tell whose case it is
    if had := other_duty(locked.application, edition, by, Duty.SCORE):
        raise ReviewRefused("acted_before", had)
    missing = [item.label for item in scoring.rubric if item.id not in sheet.scores]
    if missing:
        raise ReviewRefused("score_missing", "、".join(missing))
    given = {item: Decimal(said) for item, said in sheet.scores.items()}
    sheet.total = total_of(given, {item.id: item.max for item in scoring.rubric})
    sheet.submitted_at = sheet.saved_at = now
    sheet.version = version + 1
    sheet.save()
    audit(
        by=by, now=now, organisation=locked.application.round.authority, action="reviews.submit_sheet",
        object_ref=f"application:{locked.application.code}",
        detail={"expert": locked.expert.number, "turn": locked.turn, "total": str(sheet.total)},
    )  # fmt: skip
    return sheet


def _locked(assignment: Assignment, by: User) -> tuple[Assignment, Scoring]:
    rows = Assignment.objects.select_for_update(of=("self",)).select_related(
        "application__round__authority", "application__organisation", "expert"
    )
    locked = rows.get(pk=assignment.pk)
    if locked.expert.user_id != by.pk:
        raise ReviewRefused("not_permitted")
    if locked.withdrawn_at is not None:
        raise ReviewRefused("assignment_withdrawn")
    application = locked.application
    if application.round.closed_at is not None:
        raise ReviewRefused("round_closed")
    if application.outcome or application.stage != locked.stage:
        raise ReviewRefused("stage_moved_on")
    return locked, scoring_of(edition=policy_queries.edition(application.round.edition))


def _sheet(assignment: Assignment, version: int) -> ScoreSheet:
    """Return the sheet as it was seen; a new one where there was none."""
    there = ScoreSheet.objects.filter(assignment=assignment).first()
    if there is not None and there.submitted_at is not None:
        raise ReviewRefused("sheet_final")
    if (there.version if there else 0) != version:
        raise ReviewRefused("stale", str(there.version if there else 0))
    return there or ScoreSheet(assignment=assignment)


def points_given(said: Mapping[str, str], scoring: Scoring) -> dict[str, str]:
    """
    Return the points by item of the rubric, as exact decimal text; an item left open is left out.

    :raises ReviewRefused: `field_unknown`, `score_wrong` with the item
    """
    items = {item.id: item for item in scoring.rubric}
    found = {}
    for item, text in said.items():
        if item not in items:
            raise ReviewRefused("field_unknown", item)
        if not text.strip():
            continue
        try:
            points = Decimal(text.strip())
        except InvalidOperation as error:
            raise ReviewRefused("score_wrong", items[item].label) from error
        exponent = points.as_tuple().exponent
        if not isinstance(exponent, int) or exponent < -PLACES or not 0 <= points <= items[item].max:
            raise ReviewRefused("score_wrong", items[item].label)
        found[item] = format(points, "f")
    return found
