"""What all routes of reviews share: the round or application in question, and a refusal in Chinese."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from django.utils import timezone
from ninja import Path
from pydantic import AfterValidator, StringConstraints

from wufei.cases.refusals import sentence
from wufei.catalogue.working_days import YearNotLoaded
from wufei.paper.attachments import EvidenceRefused
from wufei.registry.access import Permission
from wufei.registry.api.door import ApiRequest, Refused, malformed, not_permitted
from wufei.registry.api.fields import storable
from wufei.registry.queries import may
from wufei.reviews.models import Application, Round
from wufei.reviews.queries.applications_seen import application_for
from wufei.reviews.queries.rounds import visible_rounds
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.wording import words_of

KeyInPath = Annotated[int, Path(ge=1, le=2**63 - 1)]
CodeInPath = Annotated[
    str, Path(pattern=r"^[0-9A-Za-z-]{1,40}$", description="申报编号", example="2026-001-00001")
]
Words = Annotated[str, StringConstraints(max_length=5000), AfterValidator(storable)]

# A value in the request that can't be so, and where it stands.
VALUES = {
    "deadline_in_past": "submission_deadline",
    "department_unknown": "departments",
    "edition_has_no_stages": "edition",
    "field_unknown": "quotas",
    "opinion_unknown": "opinion",
    "quota_not_whole": "quotas",
    "scan_missing": "file",
    "words_missing": "words",
    "year_absurd": "year",
}
# Somebody else may, this person not.
PERSONS = frozenset({"acted_before", "not_permitted", "not_your_stage"})


def round_of(request: ApiRequest, round_id: int) -> Round:
    """
    Return the round.

    :raises Refused: 404 if the person may not see it
    """
    found = visible_rounds(user=request.auth, on=timezone.localdate()).filter(pk=round_id).first()
    if found is None:
        raise Refused(404, "round_unknown", "没有这一轮，或尚未发布；请先用 rounds 列出可见的各轮。")
    return found


def run_by(request: ApiRequest, round_id: int) -> Round:
    """
    Return the round for who runs it.

    :raises Refused: 404 if the person may not see it, 403 for others
    """
    found = round_of(request, round_id)
    today = timezone.localdate()
    if not may(user=request.auth, permission=Permission.RUN_ROUND, organisation=found.authority, on=today):
        raise not_permitted(Permission.RUN_ROUND)
    return found


def application_of(request: ApiRequest, code: str) -> Application:
    """
    Return the application.

    :raises Refused: 404 if the person may not see it
    """
    try:
        return application_for(user=request.auth, code=code, on=timezone.localdate())
    except Application.DoesNotExist:
        message = "没有这个编号的申报，或您无权查看；请先用 applications 列出可见的申报。"
        raise Refused(404, "application_unknown", message) from None


@contextmanager
def in_words() -> Iterator[None]:
    """Say in the API's words what a service of reviews refuses."""
    try:
        yield
    except ReviewRefused as refused:
        raise refusal(refused) from None
    except EvidenceRefused as refused_file:
        if refused_file.code in ("file_too_large", "case_too_large"):
            raise Refused(413, refused_file.code, sentence(refused_file.code)) from None
        raise malformed("body.file", refused_file.code, sentence(refused_file.code)) from None
    except YearNotLoaded as unknown:
        raise Refused(409, unknown.code, unknown.message) from None


def refusal(refused: ReviewRefused) -> Refused:
    """Return what is answered: 422 for a value, 403 for the person, 409 where the state of things forbids it."""
    words = words_of(refused)
    if refused.code in VALUES:
        return malformed(f"body.{VALUES[refused.code]}", refused.code, words)
    return Refused(403 if refused.code in PERSONS else 409, refused.code, words)
