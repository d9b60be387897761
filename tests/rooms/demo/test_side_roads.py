"""The demo shows what is seldom on the road: each state, transfer records, an approval, two carriers, one weighing."""

from datetime import date

import pytest

from tests.rooms.demo.test_demo import demo_store  # noqa: F401 a fixture
from wufei.demo.closings import CLOSES
from wufei.demo.district import district, uscc_of
from wufei.filings.models import FiledPlan
from wufei.ledger.kinds import TransformationKind
from wufei.ledger.models import Balance, MonthClosing, Transformation, WasteClass, WasteReport
from wufei.ledger.queries.books import official_book
from wufei.registry.models import OperatingPermit, Organisation, PermitKind
from wufei.storage.models import Placement
from wufei.terms.day import local_day
from wufei.terms.period import Period
from wufei.transfers.models import Flag, Leg, Manifest, Revision, TransferApproval, WeighedLoad
from wufei.transfers.states import Act, State

_QUARTER = (date(2026, 7, 1), date(2026, 9, 30))


@pytest.mark.slow
@pytest.mark.any_database  # of the command's own store
def test_every_state_of_a_manifest_is_there_and_what_is_seldom_too(demo_store):  # noqa: F811
    _check_manifests()
    _check_papers()
    _check_books()
    _check_store()


def _check_manifests() -> None:
    assert set(Manifest.objects.values_list("state", flat=True)) == set(State)
    general = Manifest.objects.filter(waste_class=WasteClass.GENERAL)
    assert general.filter(state=State.ACCEPTED, issued_on__range=_QUARTER).count() >= 5
    [handed_over] = Manifest.objects.filter(signatures__act=Act.HAND_OVER)
    legs = Leg.objects.filter(manifest=handed_over).order_by("position")
    assert len({leg.carrier_id for leg in legs}) == 2
    assert all(leg.signed_at and leg.ended_at for leg in legs)
    load = WeighedLoad.objects.get()
    assert sum(grams for _number, _position, grams in load.shares) == load.received_g
    assert load.manifests.values("generator").distinct().count() == 2
    [agreed] = Revision.objects.filter(state=Revision.State.AGREED)
    [change] = agreed.changes
    line = agreed.manifest.lines.get(position=change["position"])
    assert (change["field"], line.received_g) == ("received_g", change["to"])
    assert agreed.answered_for_id != agreed.proposed_for_id


def _check_papers() -> None:
    approval = TransferApproval.objects.get()
    assert 0 < approval.used_g < approval.approved_g
    # Only of the receiver in another province no authority here says that its permit is so.
    flagged = Flag.objects.filter(code="permit_unverified").values_list("manifest__receiver", flat=True)
    assert set(flagged) == {approval.receiver_id}
    known = OperatingPermit.objects.exclude(kind=PermitKind.TRANSPORT)
    unverified = known.filter(verified_at=None).values_list("organisation", flat=True)
    assert list(unverified) == [approval.receiver_id]
    filed = FiledPlan.objects.get()
    assert local_day(filed.filed_at) <= date(filed.year, 3, 31)


def _check_books() -> None:
    """The gear works closed its months and declared them; the power station's records of general waste are filled."""
    works, station = _organisation(CLOSES), _organisation("power")
    closed = MonthClosing.objects.filter(organisation=works).order_by("closed_through")
    assert [row.closed_through.month for row in closed] == [7, 8, 9]
    assert all(0 < (local_day(row.closed_at) - row.closed_through).days < 15 for row in closed)
    reports = WasteReport.objects.filter(organisation=works).order_by("first_day")
    assert [row.last_day for row in reports] == [row.closed_through for row in closed]
    assert all(row.content for row in reports)
    for digit in range(3, 8):
        book = official_book(
            organisation=station, form=f"general-{digit}", period=Period(*_QUARTER), most=1000
        )
        assert book.rows, digit


def _check_store() -> None:
    """Drums stand in both zones, and no zone shows what has left."""
    works = _organisation(CLOSES)
    placed = Placement.objects.filter(store__organisation=works)
    assert set(placed.values_list("zone__code", flat=True)) == {"A", "B"}
    there = Balance.objects.filter(place__organisation=works, place__code="K02", mass_g__gt=0)
    assert set(placed.values_list("lot", flat=True)) <= set(there.values_list("lot", flat=True))
    made = set(Transformation.objects.values_list("kind", flat=True))
    assert made >= set(TransformationKind) - {TransformationKind.MIX}


def _organisation(key: str) -> Organisation:
    [serial] = [each["serial"] for each in district()["enterprises"] if each["id"] == key]
    return Organisation.objects.get(uscc=uscc_of(serial))
