"""What changes inspections: one is recorded with what isn't met, and a corrective action is closed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Max

from wufei.ledger.kinds import PlaceKind
from wufei.ledger.models import Place
from wufei.registry.access import Permission
from wufei.registry.models import Organisation, User
from wufei.registry.queries import may, require
from wufei.registry.services import audit
from wufei.storage import queries
from wufei.storage.checklists import Facility, ItemResult, Requirement, known_checklists
from wufei.storage.models import (
    Correction,
    CorrectiveAction,
    Inspection,
    InspectionLine,
    InspectionPhoto,
)
from wufei.storage.photos import MOST_PHOTOS, Photo
from wufei.storage.refusals import Code, StorageRefused
from wufei.terms.day import local_day

LONGEST_REMARK = 500
CLOCK_AHEAD = timedelta(minutes=10)  # a phone's clock may be that far ahead of ours
LONGEST_AGO = timedelta(days=365)
LONGEST_CORRECTION = timedelta(days=365)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineSaid:
    """What somebody found of a requirement; what isn't met bears a day and who puts it right until then."""

    requirement: str
    result: ItemResult
    remark: str = ""
    due_on: date | None = None
    responsible: str = ""  # username
    photos: Sequence[Photo] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectionSaid:
    """What somebody found in a store. Requirements that aren't named were not looked at."""

    store_code: str
    facility: str
    inspected_at: datetime
    lines: Sequence[LineSaid]
    remark: str = ""
    photos: Sequence[Photo] = ()


@transaction.atomic
def record_inspection(
    *, organisation: Organisation, said: InspectionSaid, client_id: UUID, by: User, now: datetime
) -> Inspection:
    """
    Keep an inspection and open a corrective action for each requirement that isn't met; once for a client id.

    :raises StorageRefused: if it can't be so, or the client id stands for another inspection
    """
    require(user=by, permission=Permission.POST_MOVEMENTS, organisation=organisation, on=local_day(now))
    stores = Place.objects.filter(organisation=organisation, kind=PlaceKind.STORE)
    # Of two that are sent at once the second finds the first, and takes the number after it.
    locked = list(stores.select_for_update(no_key=True).order_by("pk"))
    before = Inspection.objects.filter(organisation=organisation, client_id=client_id).first()
    if before is not None:
        if not _is_same(before, said, by):
            raise StorageRefused(Code.CLIENT_ID_REUSED, str(client_id))
        return before
    store = next((place for place in locked if place.code == said.store_code), None)
    if store is None:
        raise StorageRefused(Code.STORE_UNKNOWN, said.store_code)
    requirements, lines = _checked(said, now)
    responsible = _responsible(organisation, lines)
    own = Inspection.objects.filter(organisation=organisation)
    inspection = Inspection.objects.create(
        organisation=organisation, store=store, number=(own.aggregate(n=Max("number"))["n"] or 0) + 1,
        facility=said.facility, inspected_at=said.inspected_at, inspected_by=by, remark=_remark(said.remark),
        client_id=client_id, recorded_at=now,
    )  # fmt: skip
    kept = _keep_lines(inspection, requirements, lines)
    _open_actions(inspection, kept, lines, responsible)
    _keep_photos(inspection, said.photos)
    for line in kept:
        if line.requirement in lines:
            _keep_photos(inspection, lines[line.requirement].photos, line=line)
    not_met = sorted(name for name, each in lines.items() if each.result is ItemResult.NOT_MET)
    audit(
        by=by, now=now, organisation=organisation, action="storage.record_inspection", object_ref=inspection.name,
        detail={"store": store.code, "facility": said.facility, "not_met": not_met},
    )  # fmt: skip
    return inspection


def _is_same(before: Inspection, said: InspectionSaid, by: User) -> bool:
    found = {
        row.requirement: (row.result, row.remark)
        for row in before.lines.exclude(result=ItemResult.NOT_LOOKED_AT)
    }
    asked = {
        line.requirement: (line.result.value, line.remark.strip())
        for line in said.lines
        if line.result is not ItemResult.NOT_LOOKED_AT
    }
    same_place = (before.store.code, before.facility) == (said.store_code, said.facility)
    return before.inspected_by_id == by.pk and same_place and found == asked


def _checked(said: InspectionSaid, now: datetime) -> tuple[Sequence[Requirement], dict[str, LineSaid]]:
    """Return the requirements of the checklist, and what is said of each."""
    if said.facility not in frozenset(Facility):
        raise StorageRefused(Code.FACILITY_UNKNOWN, said.facility)
    if said.inspected_at > now + CLOCK_AHEAD:
        raise StorageRefused(Code.INSPECTED_IN_FUTURE)
    if said.inspected_at < now - LONGEST_AGO:
        raise StorageRefused(Code.INSPECTED_LONG_AGO)
    requirements = known_checklists()[Facility(said.facility)].requirements
    known = {each.id for each in requirements}
    lines: dict[str, LineSaid] = {}
    for line in said.lines:
        if line.requirement not in known or line.requirement in lines:
            raise StorageRefused(Code.REQUIREMENT_UNKNOWN, line.requirement)
        lines[line.requirement] = line
    if all(line.result is ItemResult.NOT_LOOKED_AT for line in lines.values()):
        raise StorageRefused(Code.NOTHING_LOOKED_AT)
    if len(said.photos) + sum(len(line.photos) for line in lines.values()) > MOST_PHOTOS:
        raise StorageRefused(Code.TOO_MANY_PHOTOS)
    inspected_on = local_day(said.inspected_at)
    for line in lines.values():
        if line.result is not ItemResult.NOT_MET:
            continue
        if not line.remark.strip():
            raise StorageRefused(Code.WHAT_IS_WRONG_MISSING, line.requirement)
        if line.due_on is None or not inspected_on <= line.due_on <= inspected_on + LONGEST_CORRECTION:
            raise StorageRefused(Code.DUE_DAY_WRONG, line.requirement)
    return requirements, lines


def _remark(said: str) -> str:
    """Return it as it is kept; line breaks are meant, other signs that can't be printed are not."""
    text = said.strip().replace("\r\n", "\n")
    if len(text) > LONGEST_REMARK or not text.replace("\n", "").isprintable():
        raise StorageRefused(Code.TEXT_NOT_STORABLE, text[:20])
    return text


def _responsible(organisation: Organisation, lines: dict[str, LineSaid]) -> dict[str, User]:
    people = {each.username: each for each in queries.who_can_correct(organisation=organisation)}
    for line in lines.values():
        if line.result is ItemResult.NOT_MET and line.responsible not in people:
            raise StorageRefused(Code.RESPONSIBLE_UNKNOWN, line.responsible)
    return people


def _keep_lines(
    inspection: Inspection, requirements: Sequence[Requirement], lines: dict[str, LineSaid]
) -> list[InspectionLine]:
    rows = []
    for position, each in enumerate(requirements, 1):
        found = lines.get(each.id) or LineSaid(requirement=each.id, result=ItemResult.NOT_LOOKED_AT)
        rows.append(
            InspectionLine(
                inspection=inspection, position=position, requirement=each.id, says=each.says, standard=each.standard,
                clause=each.clause, confidence=each.confidence, result=found.result, remark=_remark(found.remark),
            )
        )  # fmt: skip
    return InspectionLine.objects.bulk_create(rows)


def _open_actions(
    inspection: Inspection,
    kept: Sequence[InspectionLine],
    lines: dict[str, LineSaid],
    responsible: dict[str, User],
) -> None:
    own = CorrectiveAction.objects.filter(organisation=inspection.organisation_id)
    last = own.aggregate(n=Max("number"))["n"] or 0
    rows = []
    for number, line in enumerate((each for each in kept if each.result == ItemResult.NOT_MET), last + 1):
        said = lines[line.requirement]
        assert said.due_on is not None  # `_checked` refuses what is not met without a day
        rows.append(
            CorrectiveAction(
                organisation=inspection.organisation, number=number, line=line, due_on=said.due_on,
                responsible=responsible[said.responsible],
            )
        )  # fmt: skip
    CorrectiveAction.objects.bulk_create(rows)


def _keep_photos(
    inspection: Inspection,
    photos: Sequence[Photo],
    *,
    line: InspectionLine | None = None,
    correction: Correction | None = None,
) -> None:
    """Keep each picture under the hash of its content, so that the same content is kept once."""
    for photo in photos:
        path = f"storage/{inspection.organisation_id}/{photo.sha256}.jpg"
        if not default_storage.exists(path):
            path = default_storage.save(path, ContentFile(photo.content))
        InspectionPhoto.objects.create(
            inspection=inspection, line=line, correction=correction, stored=path, sha256=photo.sha256,
            size=len(photo.content), width=photo.width, height=photo.height,
        )  # fmt: skip


@transaction.atomic
def close_corrective_action(
    *,
    action: CorrectiveAction,
    words: str,
    corrected_on: date,
    photos: Sequence[Photo],
    client_id: UUID,
    by: User,
    now: datetime,
) -> Correction:
    """
    Say that it is put right, how, on which day and with pictures; sent again by the same client, return the same.

    :raises StorageRefused: if it is closed, the person is neither responsible nor an officer, or something is missing
    """
    today = local_day(now)
    organisation = action.organisation
    require(user=by, permission=Permission.POST_MOVEMENTS, organisation=organisation, on=today)
    CorrectiveAction.objects.select_for_update(no_key=True).get(pk=action.pk)
    action = CorrectiveAction.objects.select_related("line__inspection", "correction").get(pk=action.pk)
    if hasattr(action, "correction"):
        stands = action.correction
        if (stands.client_id, stands.closed_by_id, stands.words) != (client_id, by.pk, words.strip()):
            raise StorageRefused(Code.CORRECTED_ALREADY, action.name)
        return stands
    is_officer = may(user=by, permission=Permission.EDIT_ORGANISATION, organisation=organisation, on=today)
    if by.pk != action.responsible_id and not is_officer:
        raise StorageRefused(Code.NOT_RESPONSIBLE)
    inspection = action.line.inspection
    text = _remark(words)
    if not text:
        raise StorageRefused(Code.CORRECTION_MISSING)
    if not photos:
        raise StorageRefused(Code.PHOTO_MISSING)
    if len(photos) > MOST_PHOTOS:
        raise StorageRefused(Code.TOO_MANY_PHOTOS)
    if not inspection.inspected_on <= corrected_on <= today:
        raise StorageRefused(Code.CORRECTED_ON_WRONG, corrected_on.isoformat())
    correction = Correction.objects.create(
        corrective_action=action, corrected_on=corrected_on, words=text, client_id=client_id, closed_at=now,
        closed_by=by,
    )  # fmt: skip
    _keep_photos(inspection, photos, line=action.line, correction=correction)
    audit(
        by=by, now=now, organisation=organisation, action="storage.close_corrective_action",
        object_ref=action.name, detail={"corrected_on": corrected_on.isoformat(), "photos": len(photos)},
    )  # fmt: skip
    return correction
