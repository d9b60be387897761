"""
What the database itself holds of the ledger, whoever writes to it.

- movements, closings, snapshots, roots and timestamps are append-only;
- a closed month takes no movement; places, lot and stream belong to the movement's organisation;
- balances and monthly flows follow from the movements.

PostgreSQL sums a whole statement at once, so that a bulk load stays fast; SQLite has row triggers only.
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
  SELECT RAISE(ABORT, 'month_closed') WHERE EXISTS (
    SELECT 1 FROM ledger_head WHERE organisation_id = NEW.organisation_id AND NEW.moved_on <= closed_through);
  SELECT RAISE(ABORT, 'movement_across_organisations') WHERE
    (SELECT organisation_id FROM ledger_place WHERE id = NEW.source_id) <> NEW.organisation_id
    OR (SELECT organisation_id FROM ledger_place WHERE id = NEW.target_id) <> NEW.organisation_id
    OR (SELECT stream_id FROM ledger_lot WHERE id = NEW.lot_id) <> NEW.stream_id
    OR (SELECT organisation_id FROM ledger_stream WHERE id = NEW.stream_id) <> NEW.organisation_id;
END
"""

SQLITE_MOVEMENT_MOVES_MASS = f"""
CREATE TRIGGER ledger_movement_moves_mass AFTER INSERT ON ledger_movement BEGIN
  INSERT INTO ledger_balance (place_id, lot_id, mass_g, is_source)
    SELECT id, NEW.lot_id, 0, kind IN {SOURCES} FROM ledger_place WHERE id IN (NEW.source_id, NEW.target_id)
    ON CONFLICT (place_id, lot_id) DO NOTHING;
  UPDATE ledger_balance SET mass_g = mass_g + NEW.mass_g
    WHERE place_id = NEW.target_id AND lot_id = NEW.lot_id;
  UPDATE ledger_balance SET mass_g = mass_g - NEW.mass_g
    WHERE place_id = NEW.source_id AND lot_id = NEW.lot_id;
  INSERT INTO ledger_monthlyflow (organisation_id, stream_id, kind, month, method, counterparty,
      lot_origin, lot_origin_year, mass_g, movement_count)
    SELECT NEW.organisation_id, NEW.stream_id, NEW.kind, date(NEW.moved_on, 'start of month'), NEW.method,
      NEW.counterparty, origin, coalesce(origin_year, 0),
      CASE WHEN NEW.reverses_id IS NULL THEN NEW.mass_g ELSE -NEW.mass_g END, 1
    FROM ledger_lot WHERE id = NEW.lot_id
    ON CONFLICT (organisation_id, month, stream_id, kind, method, counterparty, lot_origin, lot_origin_year)
    DO UPDATE SET mass_g = mass_g + excluded.mass_g, movement_count = movement_count + 1;
END
"""

POSTGRESQL_MOVEMENT_GUARD = """
CREATE FUNCTION ledger_movement_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM fresh f JOIN ledger_head h USING (organisation_id)
      WHERE f.moved_on <= h.closed_through) THEN
    RAISE EXCEPTION 'month_closed' USING ERRCODE = 'check_violation';
  END IF;
  IF EXISTS (SELECT 1 FROM fresh f
      JOIN ledger_place s ON s.id = f.source_id JOIN ledger_place t ON t.id = f.target_id
      JOIN ledger_lot l ON l.id = f.lot_id JOIN ledger_stream w ON w.id = f.stream_id
      WHERE s.organisation_id <> f.organisation_id OR t.organisation_id <> f.organisation_id
        OR w.organisation_id <> f.organisation_id OR l.stream_id <> f.stream_id) THEN
    RAISE EXCEPTION 'movement_across_organisations' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$
"""

POSTGRESQL_MOVEMENT_MOVES_MASS = f"""
CREATE FUNCTION ledger_movement_moves_mass() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO ledger_balance (place_id, lot_id, mass_g, is_source)
    SELECT DISTINCT p.id, f.lot_id, 0, p.kind IN {SOURCES}
    FROM fresh f JOIN ledger_place p ON p.id IN (f.source_id, f.target_id)
    ON CONFLICT (place_id, lot_id) DO NOTHING;
  UPDATE ledger_balance b SET mass_g = b.mass_g + d.delta
    FROM (
      SELECT place_id, lot_id, sum(delta) AS delta FROM (
        SELECT target_id AS place_id, lot_id, mass_g AS delta FROM fresh
        UNION ALL SELECT source_id, lot_id, -mass_g FROM fresh) AS legs
      GROUP BY place_id, lot_id) AS d
    WHERE b.place_id = d.place_id AND b.lot_id = d.lot_id;
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
