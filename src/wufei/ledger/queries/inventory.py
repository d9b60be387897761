"""
What stood in the stores at a moment, and since which day without a gap?

A ledger keeps days, not hours. At a moment of a day there stood what was moved on the days before, whenever
that was written down, and of the day itself what had been posted by then: within a day the time of posting is
the only time there is. What is on the road stands in no store.

Three ways lead to the stock of a moment: back from the balances of now, forward from what was held at a month's
closing (which nothing changes any more), the one before or the one after. Each reads the movements between, by
their day, and the one over the fewest days is taken. Where months are closed, no moment is further than half a
month from a closing; where none is, the ledger's own beginning stands for one.

`since` takes each standing lot's own movements, by their index: a handful for a labelled lot, for a heap all of
its own. A gap is a day that ended with nothing there.
"""

import json
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from operator import itemgetter
from typing import Any, NamedTuple

from django.db import connection

from wufei.ledger.models import MonthClosing, Movement
from wufei.registry.models import Organisation
from wufei.terms.day import SHANGHAI, local_day


class Standing(NamedTuple):
    """A lot, or part of one, in a store."""

    place: str
    stream: str
    lot: str
    mass_g: int
    since: date


class _Way(NamedTuple):
    """Where a reckoning begins: the statement of what is held there, and the movements to add or take off."""

    base: str
    parameters: tuple[Any, ...]
    between: str  # a condition on movements
    named: tuple[Any, ...]
    sign: str  # "" adds what was moved, "-" takes it off


# Either end of the ledger by day.
WAYS = (("moved_on", "seq"), ("-moved_on", "-seq"))
_STORES = "(SELECT id FROM ledger_place WHERE organisation_id = %s AND kind = 'STORE')"
_NOW = f"SELECT place_id, lot_id, mass_g FROM ledger_balance WHERE mass_g > 0 AND place_id IN {_STORES}"  # noqa: S608
_CLOSED = "SELECT place_id, lot_id, mass_g FROM ledger_stocksnapshot WHERE closing_id = %s"
# By then: of the days before all, of the day itself what had been posted.
_BY_THEN = "(m.moved_on < %s OR m.moved_on = %s AND m.posted_at <= %s)"
_AFTERWARDS = "m.moved_on >= %s AND (m.moved_on > %s OR m.posted_at > %s)"


def inventory(*, organisation: Organisation, at: datetime | None = None) -> list[Standing]:
    """Return what the stores hold now, or held at the moment, by store, stream and lot."""
    held = _rows(*((_NOW, (organisation.pk,)) if at is None else _held_at(organisation, at)))
    if not held:
        return []
    grams = {(place, lot): int(mass) for place, lot, mass in held}
    rows = [
        Standing(place_code, stream, lot_code, grams[place, lot], _day(since))
        for place, lot, place_code, stream, lot_code, since in _since(list(grams), at)
    ]
    return sorted(rows)


def standing_since(*, held: Iterable[tuple[int, int]]) -> dict[tuple[int, int], date]:
    """Return since which day each of the places has held of the lot without a gap; of however many organisations."""
    pairs = list(held)
    rows = _since(pairs, None) if pairs else []
    return {(place, lot): _day(since) for place, lot, _place, _stream, _lot, since in rows}


def held_by_stream(*, organisation: Organisation, on: date, waste_class: str) -> dict[str, int]:
    """Return what the stores held at the end of the day of each stream of the class, in grams."""
    midnight = datetime.combine(on + timedelta(days=1), time.min, SHANGHAI)
    held, parameters = _held_at(organisation, midnight)
    rows = _rows(
        f"""SELECT w.code, sum(h.mass_g) FROM ({held}) AS h JOIN ledger_lot l ON l.id = h.lot_id
        JOIN ledger_stream w ON w.id = l.stream_id WHERE w.waste_class = %s GROUP BY w.code""",  # noqa: S608
        (*parameters, waste_class),
    )
    return {code: int(grams) for code, grams in rows}


def _held_at(organisation: Organisation, at: datetime) -> tuple[str, tuple[Any, ...]]:
    """Return the statement of what each store held of each lot at the moment."""
    way = _shortest_way(organisation, at)
    moved = f"""
      SELECT m.{{end}}_id, m.lot_id, {{sign}}m.mass_g FROM ledger_movement m
      WHERE m.organisation_id = %s AND {way.between} AND m.{{end}}_id IN {_STORES}"""  # noqa: S608  # our own words only
    came = moved.format(end="target", sign=way.sign)
    went = moved.format(end="source", sign="" if way.sign else "-")
    named = (organisation.pk, *way.named, organisation.pk)
    statement = f"""SELECT place_id, lot_id, sum(mass_g) AS mass_g
      FROM ({way.base} UNION ALL {came} UNION ALL {went}) AS legs
      GROUP BY place_id, lot_id HAVING sum(mass_g) <> 0"""  # noqa: S608
    return statement, (*way.parameters, *named, *named)


def _shortest_way(organisation: Organisation, at: datetime) -> _Way:
    """Return the way to the moment's stock that leads over the fewest days."""
    day = local_day(at)
    on, then = _adapted(day), connection.ops.adapt_datetimefield_value(at)
    ledger = Movement.objects.filter(organisation=organisation)
    first, last = (ledger.order_by(*way).values_list("moved_on", flat=True).first() or day for way in WAYS)
    closings = MonthClosing.objects.filter(organisation=organisation).values_list("closed_through", "pk")
    before = closings.filter(closed_through__lt=day).order_by("-closed_through").first()
    after = closings.filter(closed_through__gte=day).order_by("closed_through").first()
    # Of no closing: nothing was held on the day before the first.
    begins, closing = before or (first - timedelta(days=1), 0)
    forward = f"m.moved_on > %s AND m.moved_on <= %s AND {_BY_THEN}"
    ways = [
        (last - day, _Way(_NOW, (organisation.pk,), _AFTERWARDS, (on, on, then), "-")),
        (day - begins, _Way(_CLOSED, (closing,), forward, (_adapted(begins), on, on, on, then), "")),
    ]
    if after:
        back = f"m.moved_on <= %s AND {_AFTERWARDS}"
        ways.append((after[0] - day, _Way(_CLOSED, after[1:], back, (_adapted(after[0]), on, on, then), "-")))
    return min(ways, key=itemgetter(0))[1]


def _since(held: list[tuple[int, int]], at: datetime | None) -> list[tuple[Any, ...]]:
    """Return of each (place, lot) its codes and the last day before which there was nothing."""
    by_then: str = ""
    named: tuple[Any, ...] = ()
    if at is not None:
        day = _adapted(local_day(at))
        by_then, named = f"AND {_BY_THEN}", (day, day, connection.ops.adapt_datetimefield_value(at))
    asked, pairs = _pairs(held)
    return _rows(
        f"""SELECT r.place_id, r.lot_id, p.code, w.code, l.code, r.since FROM (
          SELECT place_id, lot_id, max(moved_on) AS since FROM (
            SELECT place_id, lot_id, moved_on, net,
              sum(net) OVER (PARTITION BY place_id, lot_id ORDER BY moved_on) AS held
            FROM (
              SELECT s.place_id, s.lot_id, m.moved_on,
                sum(CASE WHEN m.target_id = s.place_id THEN m.mass_g ELSE -m.mass_g END) AS net
              FROM {asked} JOIN ledger_movement m ON m.lot_id = s.lot_id
              WHERE (m.target_id = s.place_id OR m.source_id = s.place_id) {by_then}
              GROUP BY s.place_id, s.lot_id, m.moved_on) AS days) AS running
          WHERE held - net = 0 GROUP BY place_id, lot_id) AS r
        JOIN ledger_place p ON p.id = r.place_id JOIN ledger_lot l ON l.id = r.lot_id
        JOIN ledger_stream w ON w.id = l.stream_id""",  # noqa: S608
        (*pairs, *named),
    )


def _pairs(held: list[tuple[int, int]]) -> tuple[str, tuple[Any, ...]]:
    """Return the places and lots as a table `s`, however many, in one parameter or two."""
    if connection.vendor == "postgresql":
        places, lots = [place for place, _ in held], [lot for _, lot in held]
        return "unnest(%s::bigint[], %s::bigint[]) AS s(place_id, lot_id)", (places, lots)
    pairs = "(SELECT json_extract(value, '$[0]') AS place_id, json_extract(value, '$[1]') AS lot_id"
    return f"{pairs} FROM json_each(%s)) AS s", (json.dumps(held),)


def _rows(statement: str, parameters: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall()


def _adapted(day: date) -> Any:
    return connection.ops.adapt_datefield_value(day)


def _day(said: date | str) -> date:
    return date.fromisoformat(said) if isinstance(said, str) else said  # SQLite keeps days as text
