"""What a round sends upward, and which packages went in and out."""

from django.db.models import QuerySet

from wufei.policies.edition import Edition
from wufei.reviews.models import Application, Package, Round
from wufei.reviews.stages import Outcome


def sent_upward(*, round_: Round, edition: Edition) -> QuerySet[Application]:
    """Return what the round recommends to the level above, in the order of the codes."""
    above = [stage.id for stage in edition.stages if stage.kind == "above"]
    rows = Application.objects.filter(round=round_).order_by("code")
    if above:
        rows = rows.filter(stage__in=above).exclude(outcome=Outcome.WITHDRAWN)
    else:
        rows = rows.filter(outcome=Outcome.RECOGNISED)
    return rows.select_related("organisation", "submission").prefetch_related("submission__files")


def packages_of(*, round_: Round) -> QuerySet[Package]:
    """Return the packages that the round took in or sent out, the newest first."""
    return Package.objects.filter(round=round_).select_related("handled_by").order_by("-pk")
