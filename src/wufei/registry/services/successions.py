"""
How an organisation goes on: under another name, in another organisation, or not at all.

What its past was stays its past. Recorded by an administrator, or by the authority that supervises it, which
judges the papers (`Permission.JUDGE`); never by the organisation itself, which would choose its own record.
"""

from datetime import date, datetime

from django.db import IntegrityError, transaction

from wufei.registry import queries
from wufei.registry.access import Permission
from wufei.registry.models import Organisation, Succession, User
from wufei.registry.services import StaleEdit, audit
from wufei.terms.day import local_day


class SuccessionRefused(Exception):
    """It can't be recorded so; `code` says why."""

    def __init__(self, code: str):
        # name_missing, name_same, day_ahead, before_last_change, goes_in_a_circle, recorded_already,
        # kind_unfit, closed_already, before_founding
        self.code = code
        super().__init__(code)


@transaction.atomic
def rename_organisation(
    *,
    organisation: Organisation,
    name: str,
    on: date,
    document: str,
    by: User,
    now: datetime,
    version: int | None = None,
) -> Succession:
    """
    Give the organisation its new name from the day on; its code, past and open cases stay.

    :param version: the version that the edit began from; None where the last writer may win
    :raises StaleEdit, SuccessionRefused, NotPermitted:
    """
    current = _locked(organisation, by, now)
    name = name.strip()
    if version is not None and version != current.version:
        raise StaleEdit(current)
    if not name or len(name) > 200:
        raise SuccessionRefused("name_missing")
    if name == current.name:
        raise SuccessionRefused("name_same")
    _check_day(current, on, now)
    before = Succession.objects.filter(successor=current, kind=Succession.Kind.RENAME)
    if before.filter(on__gte=on).exists():
        raise SuccessionRefused("before_last_change")
    row = _record(current, current, Succession.Kind.RENAME, on, document, by, now)
    current.name = name
    current.version += 1
    current.save(update_fields=["name", "version"])
    _audit("registry.rename_organisation", current, by, now, {"changed": {"name": [row.former_name, name]}})
    return row


@transaction.atomic
def record_succession(
    *,
    predecessor: Organisation,
    successor: Organisation,
    kind: str,
    on: date,
    document: str,
    by: User,
    now: datetime,
) -> Succession:
    """
    Put on record that one organisation goes on in another: what bars the one bars the other from now on.

    :raises SuccessionRefused, NotPermitted: if `by` may not judge both
    """
    if kind not in (Succession.Kind.MERGER, Succession.Kind.REFOUNDED):
        raise SuccessionRefused("kind_unfit")
    # In one order, so that two who record it at once do not wait for each other.
    rows = {each.pk: _locked(each, by, now) for each in sorted((predecessor, successor), key=lambda o: o.pk)}
    before, after = rows[predecessor.pk], rows[successor.pk]
    if after.pk in queries.lineage_of(organisation=before):
        raise SuccessionRefused("goes_in_a_circle")
    _check_day(before, on, now)
    row = _record(before, after, kind, on, document, by, now)
    for each, other in ((before, after), (after, before)):
        audit(
            by=by, now=now, organisation=each, action="registry.record_succession", object_ref=other.uscc,
            detail={"kind": kind, "on": str(on), "former_name": before.name},
        )  # fmt: skip
    return row


@transaction.atomic
def close_organisation(*, organisation: Organisation, on: date, by: User, now: datetime) -> Organisation:
    """
    Put on record that the organisation was closed; its past and its open cases stay as they are.

    :raises SuccessionRefused, NotPermitted:
    """
    current = _locked(organisation, by, now)
    if current.closed_on is not None:
        raise SuccessionRefused("closed_already")
    _check_day(current, on, now)
    current.closed_on = on
    current.version += 1
    current.save(update_fields=["closed_on", "version"])
    _audit("registry.close_organisation", current, by, now, {"closed_on": str(on)})
    return current


def _locked(organisation: Organisation, by: User, now: datetime) -> Organisation:
    if not queries.holds_as_operator(user=by, permission=Permission.EDIT_ORGANISATION):
        queries.require(user=by, permission=Permission.JUDGE, organisation=organisation, on=local_day(now))
    return Organisation.objects.select_for_update().get(pk=organisation.pk)


def _check_day(organisation: Organisation, on: date, now: datetime) -> None:
    if on > local_day(now):
        raise SuccessionRefused("day_ahead")
    if organisation.established_on and on < organisation.established_on:
        raise SuccessionRefused("before_founding")


def _record(
    predecessor: Organisation,
    successor: Organisation,
    kind: str,
    on: date,
    document: str,
    by: User,
    now: datetime,
) -> Succession:
    try:
        with transaction.atomic():
            return Succession.objects.create(
                predecessor=predecessor, successor=successor, kind=kind, on=on, former_name=predecessor.name,
                document=document.strip()[:200], recorded_at=now, recorded_by=by,
            )  # fmt: skip
    except IntegrityError as twice:
        raise SuccessionRefused("recorded_already") from twice


def _audit(
    action: str, organisation: Organisation, by: User, now: datetime, detail: dict[str, object]
) -> None:
    audit(
        by=by, now=now, organisation=organisation, action=action, object_ref=organisation.uscc, detail=detail
    )
