-- SPDX-License-Identifier: GPL-2.0-or-later
-- When slow jobs ran last, so that one that was missed runs at start.
CREATE TABLE jobs (
	name TEXT PRIMARY KEY,
	last_run_at INTEGER NOT NULL,
	took_ns INTEGER NOT NULL DEFAULT 0,
	result INTEGER NOT NULL DEFAULT 0, -- 0 or a negative errno
	created_at INTEGER NOT NULL DEFAULT (unixepoch()),
	updated_at INTEGER NOT NULL DEFAULT (unixepoch())
) STRICT, WITHOUT ROWID;
INSERT INTO jobs (name, last_run_at)
	SELECT substr(key, 5), CAST(value AS INTEGER) FROM settings
	WHERE key LIKE 'job.%';
DELETE FROM settings WHERE key LIKE 'job.%';

-- Who had which address when: from_at is the first use, to_at the last one.
-- IPv4 in its own form. The newest row of an address is its owner's.
CREATE TABLE address_log (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	mac TEXT NOT NULL CHECK (length(mac) = 17),
	network TEXT NOT NULL,
	ip TEXT NOT NULL,
	from_at INTEGER NOT NULL,
	to_at INTEGER NOT NULL,
	created_at INTEGER NOT NULL DEFAULT (unixepoch()),
	updated_at INTEGER NOT NULL DEFAULT (unixepoch())
) STRICT;
CREATE INDEX address_log_ip ON address_log (ip, id);
CREATE INDEX address_log_mac ON address_log (mac, id);
CREATE INDEX address_log_to ON address_log (to_at);

-- What was sold and used in each hour (UTC seconds of its beginning). sessions
-- and revenue_minor are what began and was paid in it.
CREATE TABLE statistics (
	hour INTEGER NOT NULL CHECK (hour % 3600 = 0),
	plan TEXT NOT NULL,
	network TEXT NOT NULL,
	currency TEXT NOT NULL, -- '': nothing was paid
	sessions INTEGER NOT NULL DEFAULT 0,
	bytes_up INTEGER NOT NULL DEFAULT 0,
	bytes_down INTEGER NOT NULL DEFAULT 0,
	revenue_minor INTEGER NOT NULL DEFAULT 0,
	created_at INTEGER NOT NULL DEFAULT (unixepoch()),
	updated_at INTEGER NOT NULL DEFAULT (unixepoch()),
	PRIMARY KEY (hour, plan, network, currency)
) STRICT, WITHOUT ROWID;
-- How far a credit's bytes are in the statistics; both in one transaction.
ALTER TABLE credits ADD COLUMN counted_up INTEGER NOT NULL DEFAULT 0;
ALTER TABLE credits ADD COLUMN counted_down INTEGER NOT NULL DEFAULT 0;
UPDATE credits SET counted_up = bytes_up, counted_down = bytes_down;
CREATE INDEX sessions_started ON sessions (started_at);
CREATE INDEX payments_updated ON payments (updated_at);

-- One row: this box, as the job "gateway" found it last.
CREATE TABLE gateways (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	name TEXT NOT NULL,
	ip_address TEXT NOT NULL DEFAULT '',
	mac_address TEXT NOT NULL DEFAULT '',
	location TEXT NOT NULL DEFAULT '',
	status TEXT NOT NULL CHECK (status = 'online' OR status = 'offline'),
	last_seen INTEGER NOT NULL,
	signal_strength INTEGER, -- of a radio; this box has none of its own
	active_users INTEGER NOT NULL DEFAULT 0,
	load_percent INTEGER NOT NULL DEFAULT 0,
	created_at INTEGER NOT NULL DEFAULT (unixepoch()),
	updated_at INTEGER NOT NULL DEFAULT (unixepoch())
) STRICT;
CREATE INDEX payments_phone ON payments (phone, paid_at)
	WHERE phone IS NOT NULL;
