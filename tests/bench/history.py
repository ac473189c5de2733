# SPDX-License-Identifier: GPL-2.0-or-later
"""A database with a past: sessions that ended, with what belongs to them, as a
busy venue has them after half a year. Written by SQL into a database that
gatehoused made, while it does not run."""

import sqlite3

NUMBERS = """
CREATE TEMP TABLE n AS
    WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c WHERE i + 1 < {count})
    SELECT i, unixepoch() - 86400 - ({count} - i) * 15 AS at,
           printf('06:00:%02x:%02x:%02x:%02x', i / 3 >> 24 & 255, i / 3 >> 16 & 255,
                  i / 3 >> 8 & 255, i / 3 & 255) AS mac FROM c;
"""
TABLES = {
    "devices": """
INSERT INTO devices (mac, first_seen, last_seen) SELECT mac, min(at), max(at) FROM n GROUP BY mac
""",
    "sessions": """
INSERT INTO sessions (id, mac, state, started_at, ended_at, end_reason, total_paid_minor)
    SELECT i + 1000000000, mac, 'ended', at, at + 3600, 'time', 50000 FROM n
""",
    "credits": """
INSERT INTO credits (session_id, position, kind, plan_id, plan_name, state, left_ns, bytes_up,
        bytes_down, counted_up, counted_down, moves_left)
    SELECT i + 1000000000, 1, 1, 1, '1 Hour', 'used', 0, 1000000, 9000000, 1000000, 9000000, 0
    FROM n
""",
    "vouchers": """
INSERT INTO vouchers (id, code_hmac, code_sealed, plan_id, batch, state, session_id, used_at,
        used_mac, created_by)
    SELECT i + 1000000000, randomblob(32), randomblob(48), 1, 'batch-' || i / 1000, 'used',
           i + 1000000000, at, mac, 'root' FROM n WHERE i % 2 = 0
""",
    "payments": """
INSERT INTO payments (paid_at, method, amount_minor, currency, status, plan_id, session_id,
        network, who, updated_at)
    SELECT at, 'cash', 50000, 'TZS', 'paid', 1, i + 1000000000, 'lan', 'operator' || i % 5, at
    FROM n
""",
    "address_log": """
INSERT INTO address_log (mac, network, ip, from_at, to_at)
    SELECT mac, 'lan', printf('10.%d.%d.%d', i >> 16 & 255, i >> 8 & 255, i & 255), at, at + 3600
    FROM n
""",
    "audit": """
INSERT INTO audit (at, who, operation, mac, session_id)
    SELECT at, mac, 'activate', mac, i + 1000000000 FROM n
""",
    "security_events": """
INSERT INTO security_events (at, last_at, event_type, severity, network, mac, description)
    SELECT at, at, 'spoofed', 'HIGH', 'lan', mac, 'x' FROM n WHERE i % 10 = 0
""",
}


def make(path, sessions, sizes=None):
    """`sizes`: gets the bytes that each table with its indices took."""
    with sqlite3.connect(path) as db:
        db.executescript(NUMBERS.format(count=sessions))
        # What follows money in a file of its own has nothing to say of it.
        triggers = db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
                              " AND name LIKE 'spent%'").fetchall()
        for name, _ in triggers:
            db.execute(f"DROP TRIGGER {name}")
        for table, sql in TABLES.items():
            before = pages(db)
            db.execute(sql)
            if sizes is not None:
                sizes[table] = pages(db) - before
        for _, sql in triggers:
            db.execute(sql)
        db.commit()
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def pages(db):
    count, = db.execute("PRAGMA page_count").fetchone()
    free, = db.execute("PRAGMA freelist_count").fetchone()
    size, = db.execute("PRAGMA page_size").fetchone()
    return (count - free) * size
