"""Hazard identifications: recorded, and replaced by another where one was wrong; never changed."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from wufei.catalogue.waste_codes import read_waste_code
from wufei.ledger.identifying import LONGEST, Refused, Said, refusal
from wufei.ledger.models import HazardIdentification, Stream
from wufei.paper.attachments import examine
from wufei.registry.access import Permission
from wufei.registry.models import Organisation, User
from wufei.registry.queries import require
from wufei.registry.services import audit
from wufei.registry.services.storing import store
from wufei.terms.day import local_day


class IdentificationRefused(Exception):
    """Nothing was recorded; `code` says why."""

    def __init__(self, code: Refused):
        self.code = code
        super().__init__(code.value)


@transaction.atomic
def record_identification(
    *,
    organisation: Organisation,
    stream_code: str,
    said: Said,
    client_id: UUID,
    file_name: str = "",
    content: bytes | None = None,
    replaces: int | None = None,
    reason: str = "",
    by: User,
    now: datetime,
) -> HazardIdentification:
    """
    Record whether a stream's waste is hazardous; the same client id returns what stands.

    :raises IdentificationRefused: if what is said can't be so
    :raises EvidenceRefused: if the report's file may not be kept
    """
    today = local_day(now)
    require(user=by, permission=Permission.EDIT_ORGANISATION, organisation=organisation, on=today)
    stream = Stream.objects.select_for_update().filter(organisation=organisation, code=stream_code).first()
    if stream is None:
        raise IdentificationRefused(Refused.STREAM_UNKNOWN)
    stands = HazardIdentification.objects.filter(organisation=organisation, client_id=client_id).first()
    if stands:
        return _the_same(stands, stream, said)
    if found := refusal(said, today):
        raise IdentificationRefused(found)
    earlier = _replaced(stream, replaces, reason)
    row = HazardIdentification(
        organisation=organisation, stream=stream, client_id=client_id, replaces=earlier,
        replaced_because=reason.strip() if earlier else "", recorded_at=now, recorded_by=by, **_columns(said),
    )  # fmt: skip
    if content is not None:
        examined = examine(name=file_name, content=content)
        row.file_name, row.media_type = examined.file_name, examined.media_type
        row.size, row.sha256 = examined.size, examined.sha256
        row.stored.name = store(
            folder=f"identifications/{organisation.uscc}", content=content, kind=examined.kind
        )
    row.save(force_insert=True)
    audit(
        by=by, now=now, organisation=organisation, action="ledger.record_identification", object_ref=stream.code,
        detail={"result": said.result.value, "basis": said.basis.value, "sha256": row.sha256, "replaces": replaces},
    )  # fmt: skip
    return row


def _columns(said: Said) -> dict[str, object]:
    return {
        "basis": said.basis.value, "result": said.result.value, "judged_by": said.judged_by.strip(),
        "judged_on": said.judged_on, "valid_through": said.valid_through, "report_number": said.report_number.strip(),
        "waste_code": (read_waste_code(said.waste_code).code or "") if said.waste_code else "",
        "properties": ",".join(said.properties), "note": said.note.strip(),
    }  # fmt: skip


def _the_same(stands: HazardIdentification, stream: Stream, said: Said) -> HazardIdentification:
    """Return what stands, if it says what is said now."""
    is_same = all(getattr(stands, name) == value for name, value in _columns(said).items())
    if stands.stream_id != stream.pk or not is_same:
        raise IdentificationRefused(Refused.CLIENT_ID_REUSED)
    return stands


def _replaced(stream: Stream, key: int | None, reason: str) -> HazardIdentification | None:
    """Return the record that the new one stands in place of, if any; a correction says why."""
    if key is None:
        return None
    if not reason.strip():
        raise IdentificationRefused(Refused.REASON_MISSING)
    if len(reason) > LONGEST["reason"] or not reason.isprintable():
        raise IdentificationRefused(Refused.TEXT_NOT_STORABLE)
    earlier = HazardIdentification.objects.filter(stream=stream, pk=key).first()
    if earlier is None:
        raise IdentificationRefused(Refused.REPLACED_UNKNOWN)
    if HazardIdentification.objects.filter(replaces=earlier).exists():
        raise IdentificationRefused(Refused.REPLACED_ALREADY)
    return earlier
