"""
What the database itself holds of the ledger, whoever writes to it.

- movements, closings, snapshots, roots and timestamps are append-only;
- a movement continues its organisation's chain, which moves the head: a second writer waits there;
- a closed month takes no movement; places, lot and stream belong to the movement's organisation;
- balances and monthly flows follow from the movements.

PostgreSQL sums a whole statement at once, so that a bulk load stays fast; SQLite has row triggers only,
which are cheap as long as many rows come in one statement. A balance or flow is nearly always there
already: it is updated first, and put in where nothing was.
"""

from django.db import migrations

APPEND_ONLY = (
    "ledger_movement",
    "ledger_monthclosing",
    "ledger_stocksnapshot",
    "ledger_dailyroot",
    "ledger_roottimestamp",
)
SOURCES = "('PROCESS', 'OPENING', 'OUTSIDE', 'DISCREPANCY')"

SQLITE_MOVEMENT_GUARD = """
CREATE TRIGGER ledger_movement_guard BEFORE INSERT ON ledger_movement BEGIN
  UPDATE ledger_head SET seq = NEW.seq, chain_hash = NEW.chain_hash
    WHERE organisation_id = NEW.organisation_id AND seq = NEW.seq - 1 AND chain_hash = NEW.previous_hash
      AND (closed_through IS NULL OR closed_through < NEW.moved_on);
  SELECT RAISE(ABORT, 'month_closed') WHERE changes() = 0 AND EXISTS (
    SELECT 1 FROM ledger_head WHERE organisation_id = NEW.organisation_id AND closed_through >= NEW.moved_on);
  SELECT RAISE(ABORT, 'out_of_chain') WHERE changes() = 0;
  SELECT RAISE(ABORT, 'movement_across_organisations') WHERE NOT EXISTS (
    SELECT 1 FROM ledger_lot l
      JOIN ledger_stream w ON w.id = l.stream_id AND w.organisation_id = NEW.organisation_id
      JOIN ledger_place s ON s.id = NEW.source_id AND s.organisation_id = NEW.organisation_id
      JOIN ledger_place t ON t.id = NEW.target_id AND t.organisation_id = NEW.organisation_id
    WHERE l.id = NEW.lot_id AND l.stream_id = NEW.stream_id);
END
"""

SQLITE_MOVEMENT_MOVES_MASS = f"""
CREATE TRIGGER ledger_movement_moves_mass AFTER INSERT ON ledger_movement BEGIN
  UPDATE ledger_balance SET mass_g = mass_g + NEW.mass_g
    WHERE place_id = NEW.target_id AND lot_id = NEW.lot_id;
  INSERT INTO ledger_balance (place_id, lot_id, mass_g, is_source)
    SELECT id, NEW.lot_id, NEW.mass_g, kind IN {SOURCES} FROM ledger_place
    WHERE changes() = 0 AND id = NEW.target_id;
  UPDATE ledger_balance SET mass_g = mass_g - NEW.mass_g
    WHERE place_id = NEW.source_id AND lot_id = NEW.lot_id;
  INSERT INTO ledger_balance (place_id, lot_id, mass_g, is_source)
    SELECT id, NEW.lot_id, -NEW.mass_g, kind IN {SOURCES} FROM ledger_place
    WHERE changes() = 0 AND id = NEW.source_id;
  UPDATE ledger_monthlyflow
    SET mass_g = mass_g + iif(NEW.reverses_id IS NULL, NEW.mass_g, -NEW.mass_g),
      movement_count = movement_count + 1
    WHERE organisation_id = NEW.organisation_id AND month = date(NEW.moved_on, 'start of month')
      AND stream_id = NEW.stream_id AND kind = NEW.kind AND method = NEW.method
      AND counterparty = NEW.counterparty AND (lot_origin, lot_origin_year) =
        (SELECT origin, coalesce(origin_year, 0) FROM ledger_lot WHERE id = NEW.lot_id);
  INSERT INTO ledger_monthlyflow (organisation_id, stream_id, kind, month, method, counterparty,
      lot_origin, lot_origin_year, mass_g, movement_count)
    SELECT NEW.organisation_id, NEW.stream_id, NEW.kind, date(NEW.moved_on, 'start of month'), NEW.method,
      NEW.counterparty, origin, coalesce(origin_year, 0),
      iif(NEW.reverses_id IS NULL, NEW.mass_g, -NEW.mass_g), 1
    FROM ledger_lot WHERE changes() = 0 AND id = NEW.lot_id;
END
"""

POSTGRESQL_MOVEMENT_GUARD = """
CREATE FUNCTION ledger_movement_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  fault text;
BEGIN
  -- The head and the rows of this statement stand in one line: each begins where the one before it ends.
  SELECT looked.fault INTO fault FROM (
    SELECT CASE
        WHEN f.moved_on <= h.closed_through THEN 'month_closed'
        WHEN h.organisation_id IS NULL OR f.seq <> lag(f.seq, 1, h.seq) OVER line + 1
          OR f.previous_hash <> lag(f.chain_hash, 1, h.chain_hash) OVER line THEN 'out_of_chain'
        WHEN s.organisation_id IS DISTINCT FROM f.organisation_id
          OR t.organisation_id IS DISTINCT FROM f.organisation_id
          OR w.organisation_id IS DISTINCT FROM f.organisation_id
          OR l.stream_id IS DISTINCT FROM f.stream_id THEN 'movement_across_organisations'
      END AS fault
    FROM fresh f LEFT JOIN ledger_head h ON h.organisation_id = f.organisation_id
      LEFT JOIN ledger_place s ON s.id = f.source_id LEFT JOIN ledger_place t ON t.id = f.target_id
      LEFT JOIN ledger_lot l ON l.id = f.lot_id LEFT JOIN ledger_stream w ON w.id = f.stream_id
    WINDOW line AS (PARTITION BY f.organisation_id ORDER BY f.seq)) AS looked
  WHERE looked.fault IS NOT NULL LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION '%', fault USING ERRCODE = 'check_violation';
  END IF;
  UPDATE ledger_head h SET seq = f.seq, chain_hash = f.chain_hash
    FROM fresh f JOIN (SELECT organisation_id, max(seq) AS seq FROM fresh GROUP BY organisation_id) AS ends
      USING (organisation_id, seq)
    WHERE h.organisation_id = f.organisation_id;
  RETURN NULL;
END $$
"""

POSTGRESQL_MOVEMENT_MOVES_MASS = f"""
CREATE FUNCTION ledger_movement_moves_mass() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  WITH delta AS (
      SELECT place_id, lot_id, sum(grams) AS grams FROM (
        SELECT target_id AS place_id, lot_id, mass_g AS grams FROM fresh
        UNION ALL SELECT source_id, lot_id, -mass_g FROM fresh) AS legs
      GROUP BY place_id, lot_id),
    standing AS (
      UPDATE ledger_balance b SET mass_g = b.mass_g + d.grams FROM delta d
      WHERE b.place_id = d.place_id AND b.lot_id = d.lot_id
      RETURNING b.place_id, b.lot_id)
  INSERT INTO ledger_balance (place_id, lot_id, mass_g, is_source)
    SELECT d.place_id, d.lot_id, d.grams, p.kind IN {SOURCES}
    FROM delta d JOIN ledger_place p ON p.id = d.place_id
    WHERE NOT EXISTS (SELECT 1 FROM standing s WHERE s.place_id = d.place_id AND s.lot_id = d.lot_id);
  INSERT INTO ledger_monthlyflow (organisation_id, stream_id, kind, month, method, counterparty,
      lot_origin, lot_origin_year, mass_g, movement_count)
    SELECT f.organisation_id, f.stream_id, f.kind, date_trunc('month', f.moved_on)::date, f.method,
      f.counterparty, l.origin, coalesce(l.origin_year, 0),
      sum(CASE WHEN f.reverses_id IS NULL THEN f.mass_g ELSE -f.mass_g END), count(*)
    FROM fresh f JOIN ledger_lot l ON l.id = f.lot_id
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
    ON CONFLICT (organisation_id, month, stream_id, kind, method, counterparty, lot_origin, lot_origin_year)
    DO UPDATE SET mass_g = ledger_monthlyflow.mass_g + excluded.mass_g,
      movement_count = ledger_monthlyflow.movement_count + excluded.movement_count;
  RETURN NULL;
END $$
"""


def sqlite_statements():
    for table in APPEND_ONLY:
        for verb in ("UPDATE", "DELETE"):
            yield (
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                "BEGIN SELECT RAISE(ABORT, 'append_only'); END"
            )
    yield SQLITE_MOVEMENT_GUARD
    yield SQLITE_MOVEMENT_MOVES_MASS


def postgresql_statements():
    yield (
        "CREATE FUNCTION ledger_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION 'append_only' USING ERRCODE = 'check_violation'; END $$"
    )
    for table in APPEND_ONLY:
        yield (
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION ledger_append_only()"
        )
    yield POSTGRESQL_MOVEMENT_GUARD
    yield POSTGRESQL_MOVEMENT_MOVES_MASS
    # Triggers of one event fire in the order of their names: first the guard, then the masses.
    for name in ("ledger_movement_guard", "ledger_movement_moves_mass"):
        yield (
            f"CREATE TRIGGER {name} AFTER INSERT ON ledger_movement "
            f"REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
        )


def guard(apps, schema_editor):
    by_vendor = {"sqlite": sqlite_statements, "postgresql": postgresql_statements}
    for statement in by_vendor[schema_editor.connection.vendor]():
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]
    # No way back: a ledger without its guards is not a ledger.
    operations = [migrations.RunPython(guard)]
