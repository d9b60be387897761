"""
How long do the pages of the shop floor, the stores and the road take at a hundred times the demo's drums and manifests?

The demo is built on a day on which its four months of drums are over. The drums of its gear maker are posted through
the ledger's service as often again, each under a code of its own, and leave where theirs left; manifests are copies laid down
past the services, with their lines and legs. Nothing else is made up: tracks, inspections and plans are the demo's.
"""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.db.models import Max

from benchmarks import manifests, pages
from benchmarks.pages import Page

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
BATCH = 10_000
REQUESTS = 30


def prepare(times: int = 100) -> dict[str, int]:
    """Build the demo, multiply its drums and manifests, and return how many there are."""
    from wufei.demo import services as demo
    from wufei.ledger.models import Container
    from wufei.registry.models import RoleAssignment
    from wufei.registry.services import operator
    from wufei.transfers.models import Manifest

    with TemporaryDirectory() as folder:
        demo.build(folder=Path(folder), by=operator(), now=NOW, report=lambda _said: None)
    gear = RoleAssignment.objects.select_related("organisation").get(user__username="gear").organisation
    _more_drums(gear, times - 1)
    manifests.copy_manifests(times - 1)
    return {"containers": Container.objects.count(), "manifests": Manifest.objects.count()}


def _more_drums(organisation: Any, times: int) -> None:
    """Generate every drum so many times more, say what each is in, and let go as many as the demo let go."""
    from wufei.ledger import services
    from wufei.ledger.kinds import Kind
    from wufei.ledger.models import Balance, Container, Lot, Movement, Place
    from wufei.ledger.posting import Draft
    from wufei.registry.services import operator
    from wufei.terms.mass import Mass

    Place.objects.filter(organisation=organisation).update(capacity_g=None)
    rows = Movement.objects.filter(
        organisation=organisation, kind=Kind.GENERATION, lot__container__isnull=False
    ).effective()
    there = Balance.objects.filter(place__organisation=organisation, place__kind="STORE", mass_g__gt=0)
    standing = set(there.values_list("lot_id", flat=True))
    last_days = dict(
        Movement.objects.filter(organisation=organisation).values_list("lot_id").annotate(Max("moved_on"))
    )
    drums, gone = [], []
    for row in rows.select_related("stream", "target", "lot__container"):
        for copy in range(times):
            made = Draft(
                kind=Kind.GENERATION, moved_on=row.moved_on, stream_code=row.stream.code, mass=Mass(row.mass_g),
                store_code=row.target.code, lot_code=f"{row.lot.code}-{copy}",
            )  # fmt: skip
            drums.append((made, row.lot.container))
            if row.lot_id not in standing:
                day, party = last_days[row.lot_id], "处置场"
                gone.append(made._replace(kind=Kind.CONTRACTED_DISPOSAL, moved_on=day, counterparty=party))
    post = partial(services.post, organisation=organisation, by=operator(), now=NOW)
    for some in _batches(drums):
        post(drafts=[draft._replace(client_id=uuid.uuid4()) for draft, _ in some])
        keys = dict(Lot.objects.filter(organisation=organisation, is_bulk=False).values_list("code", "pk"))
        Container.objects.bulk_create(
            Container(
                lot_id=keys[draft.lot_code or ""], packaging=within.packaging, volume_ml=within.volume_ml
            )
            for draft, within in some
        )
    for left in _batches(gone):
        post(drafts=[draft._replace(client_id=uuid.uuid4()) for draft in left])


def _batches(rows: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(rows), BATCH):
        yield rows[start : start + BATCH]


def _pages() -> Iterator[Page]:
    from django.urls import reverse

    from wufei.ledger.models import Lot
    from wufei.registry.models import RoleAssignment

    rows = RoleAssignment.objects.filter(user__username__in=("gear", "haul", "site", "collect"))
    of = {row.user.username: row.organisation.uscc for row in rows.select_related("user", "organisation")}
    gear = of["gear"]
    for name, user, route in (
        ("labels", "gear", "labels:labels"), ("zones", "gear", "storage:zones"),
        ("storage limits", "gear", "storage:limits"), ("inspections", "gear", "storage:inspections"),
        ("corrective actions", "gear", "storage:corrective-actions"), ("stock-takes", "gear", "storage:stocktakes"),
        ("stock of lots", "gear", "ledger:stock"), ("ledger of lots", "gear", "ledger:movements"),
        ("manifests of the generator", "gear", "transfers:manifests"),
        ("manifests of the carrier", "haul", "transfers:manifests"),
        ("manifests of the receiver", "site", "transfers:manifests"), ("carrying", "haul", "transfers:carrying"),
        ("approvals", "gear", "transfers:approvals"), ("weighed loads", "site", "transfers:weighed-loads"),
        ("tracks", "haul", "tracking:tracks"), ("alerts", "haul", "tracking:alerts"),
        ("trackers", "haul", "tracking:trackers"), ("scales", "gear", "shopfloor:scales"),
        ("small generators", "collect", "collection:generators"), ("ready", "collect", "collection:ready"),
        ("rounds of collection", "collect", "collection:rounds"), ("collection points", "collect", "collection:points"),
        ("plans", "gear", "filings:plans"), ("disclosures", "gear", "filings:disclosures"),
    ):  # fmt: skip
        yield Page(name, user, reverse(route, args=[of[user]]))
    first = Lot.objects.filter(organisation__uscc=gear, is_bulk=False).order_by("pk").first()
    assert first is not None, "the demo has drums"
    yield Page("labels, a text", "gear", reverse("labels:labels", args=[gear]) + f"?text={first.code}")
    yield Page("trace of a drum", "gear", reverse("ledger:trace") + f"?code={first.code}")
    yield Page("a label", "gear", reverse("labels:label", args=[gear, first.pk]))


def measure(requests: int = REQUESTS) -> list[dict[str, Any]]:
    """Ask for each page again and again; return what it takes."""
    return pages.measured(_pages(), requests, warm_up=1)
