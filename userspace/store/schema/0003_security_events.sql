-- SPDX-License-Identifier: GPL-2.0-or-later
-- What somebody did that guests do not do. The same of one device again is
-- counted in its row, not a row of its own. evidence is JSON.
CREATE TABLE security_events (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	at INTEGER NOT NULL,
	last_at INTEGER NOT NULL,
	count INTEGER NOT NULL DEFAULT 1,
	event_type TEXT NOT NULL,
	severity TEXT NOT NULL CHECK (severity = 'INFO' OR severity = 'MEDIUM'
		OR severity = 'HIGH' OR severity = 'CRITICAL'),
	network TEXT NOT NULL DEFAULT '',
	mac TEXT,
	session_id INTEGER,
	description TEXT NOT NULL,
	evidence TEXT NOT NULL DEFAULT '{}',
	created_at INTEGER NOT NULL DEFAULT (unixepoch()),
	updated_at INTEGER NOT NULL DEFAULT (unixepoch())
) STRICT;
CREATE INDEX security_events_at ON security_events (last_at);
CREATE INDEX security_events_mac ON security_events (mac, id);
