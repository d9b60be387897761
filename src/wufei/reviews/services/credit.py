"""Facts of credit and penalties: imported with their source and date, never changed."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from wufei.registry.access import Permission
from wufei.registry.models import Organisation, User
from wufei.registry.queries import require
from wufei.registry.services import audit
from wufei.reviews import credit_files
from wufei.reviews.models import CreditFact
from wufei.terms.day import local_day


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What came of an import."""

    fresh: int
    known: int  # were there already, from whichever file
    unregistered: int  # of the fresh: nobody has that code here, yet


@transaction.atomic
def import_credit_facts(
    *, authority: Organisation, name: str, content: bytes, by: User, now: datetime
) -> Imported:
    """
    Take in the facts of a .csv or .xlsx; the same fact is taken once, and a file with a fault brings nothing.

    :raises NotPermitted, FileRefused:
    """
    require(user=by, permission=Permission.RUN_ROUND, organisation=authority, on=local_day(now))
    said = {
        fact.fingerprint: fact for fact in credit_files.read(name=name, content=content, today=local_day(now))
    }
    rows = [
        CreditFact(
            uscc=fact.uscc, kind=fact.kind, source=fact.source, reference=fact.reference, on=fact.on,
            words=fact.words, fingerprint=fingerprint, imported_at=now, imported_by=by,
        )
        for fingerprint, fact in said.items()
    ]  # fmt: skip
    known = _known(list(said))
    fresh = [row for row in rows if row.fingerprint not in known]
    CreditFact.objects.bulk_create(
        fresh, batch_size=500, ignore_conflicts=True
    )  # somebody may do the same now
    registered = set(Organisation.objects.values_list("uscc", flat=True)) if fresh else set()
    made = Imported(
        fresh=len(fresh),
        known=len(rows) - len(fresh),
        unregistered=sum(row.uscc not in registered for row in fresh),
    )
    audit(
        by=by, now=now, organisation=authority, action="reviews.import_credit_facts", object_ref=name[:120],
        detail={"fresh": made.fresh, "known": made.known},
    )  # fmt: skip
    return made


def _known(fingerprints: list[str]) -> set[str]:
    found: set[str] = set()
    for start in range(0, len(fingerprints), 10_000):  # SQLite takes no more parameters at once
        some = CreditFact.objects.filter(fingerprint__in=fingerprints[start : start + 10_000])
        found.update(some.values_list("fingerprint", flat=True))
    return found
