"""The order of an authority's recommendation list, and the files that go with a round."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction

from wufei.paper.attachments import examine
from wufei.policies import queries as policy_queries
from wufei.registry.access import Permission
from wufei.registry.models import Organisation, User
from wufei.registry.queries import require
from wufei.registry.services import audit
from wufei.registry.services.storing import store
from wufei.reviews.models import RecommendationPlace, Round, RoundDocument
from wufei.reviews.queries.rounds_recommending import (
    candidates_of,
    in_order,
    judged_before,
    moved,
    ranked_before,
    recommending_stage,
)
from wufei.reviews.refusals import ReviewRefused
from wufei.terms.day import local_day

KINDS = frozenset({"notice", "recommendation", "minutes", "decision", "other"})


@transaction.atomic
def put_in_order(
    *, round_: Round, authority: Organisation, codes: Sequence[str], by: User, now: datetime
) -> list[RecommendationPlace]:
    """
    Put the authority's recommendations in the order given; who is left out is put behind as the experts rank them.

    No codes: the order is the ranking's again.

    :raises NotPermitted, ReviewRefused:
    """
    require(user=by, permission=Permission.RUN_ROUND, organisation=authority, on=local_day(now))
    locked = Round.objects.select_for_update(of=("self",)).get(pk=round_.pk)
    if locked.closed_at is not None:
        raise ReviewRefused("round_closed")
    edition = policy_queries.edition(locked.edition)
    if recommending_stage(edition=edition, authority=authority) is None:
        raise ReviewRefused("not_your_stage")
    known = {row.code: row for row in candidates_of(round_=locked, authority=authority, edition=edition)}
    if len(set(codes)) != len(codes):
        raise ReviewRefused("listed_twice")
    if unknown := [code for code in codes if code not in known]:
        raise ReviewRefused("not_a_candidate", unknown[0])
    RecommendationPlace.objects.filter(round=locked, authority=authority).delete()
    rows = RecommendationPlace.objects.bulk_create(
        RecommendationPlace(
            round=locked, authority=authority, application=known[code], position=at, put_at=now, put_by=by
        )
        for at, code in enumerate(codes, start=1)
    )
    audit(
        by=by, now=now, action="reviews.put_in_order", organisation=authority, object_ref=f"round:{locked.pk}",
        detail={"codes": list(codes)},
    )  # fmt: skip
    return rows


@transaction.atomic
def move_in_order(
    *, round_: Round, authority: Organisation, to: Mapping[str, int], by: User, now: datetime
) -> list[RecommendationPlace]:
    """
    Put some of the authority's recommendations at other places of the whole list, counted from 1.

    The others keep their order around them, so that a row moves from any page to any other.

    :raises NotPermitted, ReviewRefused:
    """
    require(user=by, permission=Permission.RUN_ROUND, organisation=authority, on=local_day(now))
    locked = Round.objects.select_for_update(of=("self",)).get(pk=round_.pk)
    edition = policy_queries.edition(locked.edition)
    stage = recommending_stage(edition=edition, authority=authority)
    if stage is None:
        raise ReviewRefused("not_your_stage")
    candidates = candidates_of(round_=locked, authority=authority, edition=edition)
    code_of = dict(candidates.values_list("pk", "code"))
    ranked = ranked_before(locked, judged_before(edition=edition, stage=stage))
    codes = [code_of[key] for key in in_order(candidates, locked, authority, ranked)]
    return put_in_order(round_=locked, authority=authority, codes=moved(codes, to), by=by, now=now)


@transaction.atomic
def add_document(
    *, round_: Round, authority: Organisation, kind: str, file_name: str, content: bytes, is_public: bool,
    by: User, now: datetime,
) -> RoundDocument:  # fmt: skip
    """
    Keep a file with the round: by who runs it, or an authority's own sealed recommendation.

    :raises NotPermitted, ReviewRefused, EvidenceRefused:
    """
    require(user=by, permission=Permission.RUN_ROUND, organisation=authority, on=local_day(now))
    if kind not in KINDS:
        raise ReviewRefused("field_unknown", kind)
    is_own = authority.pk == round_.authority_id
    edition = policy_queries.edition(round_.edition)
    recommends = recommending_stage(edition=edition, authority=authority) is not None
    if not is_own and (kind != "recommendation" or is_public or not recommends):
        raise ReviewRefused("not_permitted")
    examined = examine(name=file_name, content=content)
    path = store(folder=f"reviews/rounds/{round_.pk}", content=content, kind=examined.kind)
    row = RoundDocument.objects.create(
        round=round_, authority=authority, kind=kind, file_name=examined.file_name, size=examined.size,
        sha256=examined.sha256, stored=path, is_public=is_public, added_at=now, added_by=by,
    )  # fmt: skip
    audit(
        by=by, now=now, action="reviews.add_document", organisation=authority, object_ref=f"round:{round_.pk}",
        detail={"kind": kind, "file_name": row.file_name, "sha256": row.sha256},
    )  # fmt: skip
    return row
