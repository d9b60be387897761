"""
PostgreSQL's triggers on movements take a short way where a statement inserts one row.

Most postings are single ones, and to sum one row as if it were a hundred thousand took longer than all the
rest of them. What is held is the same; a row that the short way doesn't take goes the long one, which names
the fault.
"""

from importlib import import_module

from django.db import migrations

guards = import_module("wufei.ledger.migrations.0002_guards")

GUARD_ONE = """
DECLARE
  fault text;
BEGIN
  IF (SELECT count(*) FROM fresh) = 1 THEN
    UPDATE ledger_head h SET seq = f.seq, chain_hash = f.chain_hash FROM fresh f
      JOIN ledger_lot l ON l.id = f.lot_id AND l.stream_id = f.stream_id
      JOIN ledger_stream w ON w.id = f.stream_id AND w.organisation_id = f.organisation_id
      JOIN ledger_place s ON s.id = f.source_id AND s.organisation_id = f.organisation_id
      JOIN ledger_place t ON t.id = f.target_id AND t.organisation_id = f.organisation_id
    WHERE h.organisation_id = f.organisation_id AND h.seq = f.seq - 1 AND h.chain_hash = f.previous_hash
      AND (h.closed_through IS NULL OR h.closed_through < f.moved_on);
    IF FOUND THEN
      RETURN NULL;
    END IF;
  END IF;
"""

MOVE_ONE = """
DECLARE
  one record;
BEGIN
  IF (SELECT count(*) FROM fresh) = 1 THEN
    SELECT m.*, date_trunc('month', m.moved_on)::date AS month, l.origin, coalesce(l.origin_year, 0) AS year,
        CASE WHEN m.reverses_id IS NULL THEN m.mass_g ELSE -m.mass_g END AS flow
      INTO one FROM fresh m JOIN ledger_lot l ON l.id = m.lot_id;
    UPDATE ledger_balance SET mass_g = mass_g + one.mass_g WHERE place_id = one.target_id AND lot_id = one.lot_id;
    IF NOT FOUND THEN
      INSERT INTO ledger_balance (place_id, lot_id, mass_g, is_source)
        SELECT id, one.lot_id, one.mass_g, kind IN {sources} FROM ledger_place WHERE id = one.target_id;
    END IF;
    UPDATE ledger_balance SET mass_g = mass_g - one.mass_g WHERE place_id = one.source_id AND lot_id = one.lot_id;
    IF NOT FOUND THEN
      INSERT INTO ledger_balance (place_id, lot_id, mass_g, is_source)
        SELECT id, one.lot_id, -one.mass_g, kind IN {sources} FROM ledger_place WHERE id = one.source_id;
    END IF;
    UPDATE ledger_monthlyflow SET mass_g = mass_g + one.flow, movement_count = movement_count + 1
      WHERE organisation_id = one.organisation_id AND month = one.month AND stream_id = one.stream_id
        AND kind = one.kind AND method = one.method AND counterparty = one.counterparty
        AND lot_origin = one.origin AND lot_origin_year = one.year;
    IF NOT FOUND THEN
      INSERT INTO ledger_monthlyflow (organisation_id, stream_id, kind, month, method, counterparty,
          lot_origin, lot_origin_year, mass_g, movement_count)
        VALUES (one.organisation_id, one.stream_id, one.kind, one.month, one.method, one.counterparty,
          one.origin, one.year, one.flow, 1);
    END IF;
    RETURN NULL;
  END IF;
"""


def shortened(function: str, beginning: str) -> str:
    """Return the statement that has the function begin with the short way."""
    head, body = function.split("BEGIN\n", 1)
    head = head.split("DECLARE")[0].replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")
    return f"{head}{beginning.lstrip()}{body}"


def shorten(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    move_one = MOVE_ONE.replace("{sources}", guards.SOURCES)
    for function, beginning in (
        (guards.POSTGRESQL_MOVEMENT_GUARD, GUARD_ONE),
        (guards.POSTGRESQL_MOVEMENT_MOVES_MASS, move_one),
    ):
        schema_editor.execute(shortened(function, beginning), params=None)


class Migration(migrations.Migration):
    dependencies = [("ledger", "0003_movement_by_mass")]
    operations = [migrations.RunPython(shorten)]
