"""What a round sends upward, and which packages went in and out."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Case, Prefetch, QuerySet, Value, When

from wufei.cases.models import SubmittedEvidence
from wufei.policies.edition import Edition
from wufei.registry.models import Organisation
from wufei.reviews import telling
from wufei.reviews.models import Application, Package, Round, SigningKey
from wufei.reviews.stages import Action, Outcome


def sent_upward(*, round_: Round, edition: Edition) -> QuerySet[Application]:
    """Return what the round recommends to the level above, in the order of the codes."""
    above = [stage.id for stage in edition.stages if stage.kind == "above"]
    rows = Application.objects.filter(round=round_).order_by("code")
    if above:
        rows = rows.filter(stage__in=above).exclude(outcome=Outcome.WITHDRAWN)
    else:
        rows = rows.filter(outcome=Outcome.RECOGNISED)
    files = Prefetch("submission__files", SubmittedEvidence.objects.order_by("pk"))
    return rows.select_related("organisation", "submission").prefetch_related(files)


def taken_in_of(application: Application) -> QuerySet[Application]:
    """Return what rounds of this store took in of the application: the same claim of the same applicant."""
    taken_in = Package.objects.filter(is_incoming=True, source_round=application.round.uid)
    return Application.objects.filter(
        round__in=taken_in.values("round"), is_direct=False,
        submission__organisation=application.submission.organisation_id,
        submission__content_sha256=application.submission.content_sha256,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Below:
    """What was done with a case at a level below, as the signed package says it."""

    stage: str
    action: str
    role: str
    authority: str
    at: datetime
    words: str


def course_below(application: Application) -> list[Below]:
    """Return what was done with the application before it came in a package, in its order."""
    return [
        Below(
            stage=said.get("stage_label") or said["stage"], action=telling.ACTION_WORDS[Action(said["action"])],
            role=telling.role_words(said["role"]), authority=said["authority"],
            at=datetime.fromisoformat(said["at"]), words=said["words"],
        )
        for said in (application.came_with or {}).get("acts", ())
    ]  # fmt: skip


def packages_of(*, round_: Round) -> QuerySet[Package]:
    """Return the packages that the round took in or sent out, the newest first."""
    return Package.objects.filter(round=round_).select_related("handled_by").order_by("-pk")


def own_key(*, authority: Organisation) -> SigningKey | None:
    """Return the authority's newest key of its own; None: there is none yet."""
    rows = SigningKey.objects.filter(authority=authority).exclude(private_key="")
    return rows.defer("private_key").order_by("-pk").first()


def senders_of(*, packages: Iterable[Package]) -> dict[str, str]:
    """Return whose the keys of the packages are, by public key."""
    rows = SigningKey.objects.filter(public_key__in={row.public_key for row in packages})
    return dict(rows.values_list("public_key", "authority__name"))


def keys() -> QuerySet[SigningKey]:
    """Return all keys that are trusted, without their private parts; `is_own`: this system signs with it."""
    rows = SigningKey.objects.select_related("authority", "trusted_by").defer("private_key")
    return rows.annotate(is_own=Case(When(private_key="", then=Value(False)), default=Value(True))).order_by(
        "authority__name", "-pk"
    )
