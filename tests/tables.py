"""Test data as people would write it."""

from dataclasses import dataclass
from datetime import date, datetime

from wufei.ledger import queries, services
from wufei.ledger.kinds import LABELS, Kind
from wufei.ledger.models import Movement, Stream
from wufei.ledger.posting import Draft
from wufei.registry.models import Organisation, User
from wufei.terms.mass import Mass

KINDS = {label: kind for kind, label in LABELS.items()}


@dataclass
class LedgerTable:
    """
    A ledger that is played from a table and compared row by row.

    Columns: day, stream, 环节, amount, unit, store (库1→库2 of what goes between two), lot (or -), then what is
    expected: `posted`, or the codes of all refusals.
    """

    organisation: Organisation
    by: User
    now: datetime

    def stores(self, **capacities: str | None) -> None:
        """Declare stores by name with their capacity in 吨, or None."""
        for code, tonnes in capacities.items():
            services.declare_store(
                organisation=self.organisation, code=code, name=code, by=self.by, now=self.now,
                capacity=Mass.of(tonnes, "吨") if tonnes else None,
            )  # fmt: skip

    def streams(self, *codes: str, waste_code: str = "SW02") -> None:
        for code in codes:
            services.declare_stream(
                organisation=self.organisation, code=code, name=f"废物{code}", waste_code=waste_code,
                process_name="工序1", by=self.by, now=self.now,
            )  # fmt: skip

    def draft(self, row: str, **said) -> Draft:
        day, stream, kind, amount, unit, where, lot = row.split()[:7]
        store, _, other_place = where.partition("→")
        return Draft(
            kind=KINDS[kind],
            moved_on=date.fromisoformat(day),
            stream_code=stream,
            mass=Mass.of(amount, unit),
            store_code=None if store == "-" else store,
            lot_code=None if lot == "-" else lot,
            other_place=other_place or None,
            **said,
        )

    def post(self, *rows: str, **said) -> list[Movement]:
        drafts = [self.draft(row, **said) for row in rows]
        return list(services.post(organisation=self.organisation, drafts=drafts, by=self.by, now=self.now))

    def result_of(self, row: str) -> str:
        try:
            self.post(row)
        except services.MovementsRefused as refused:
            return "+".join(r.code for _, refusals in refused.refusals for r in refusals)
        return "posted"

    def play(self, table: str) -> None:
        for line in filter(None, map(str.strip, table.splitlines())):
            row, expected = line.rsplit(None, 1)
            assert self.result_of(row) == expected, line

    def holds(self, store: str, on: date | None = None) -> Mass:
        rows = queries.stock(organisation=self.organisation, on=on)
        return Mass(sum(row.mass_g for row in rows if row.store_code == store))

    def kinds(self) -> list[Kind]:
        return [Kind(m.kind) for m in queries.movements(organisation=self.organisation).order_by("seq")]

    def stream(self, code: str) -> Stream:
        return Stream.objects.get(organisation=self.organisation, code=code)
