-- SPDX-License-Identifier: GPL-2.0-or-later
-- Times are UTC seconds (_at), durations nanoseconds (_ns) or seconds; NULL
-- means "no limit" or "no end". Money is integer minor units. MACs are text in
-- lower case, so that a person with the sqlite3 shell can read them.
-- States are checked with OR: IN with more than two values makes a temporary
-- table each time a row is written.

CREATE TABLE settings (
	key TEXT PRIMARY KEY,
	value TEXT NOT NULL,
	created_at INTEGER NOT NULL DEFAULT (unixepoch()),
	updated_at INTEGER NOT NULL DEFAULT (unixepoch())
) STRICT, WITHOUT ROWID;

-- Deadlines of running credits are CLOCK_MONOTONIC of the newest boot;
-- last_mono_ns is how far its clock is known to have come.
CREATE TABLE boots (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	boot_id TEXT NOT NULL UNIQUE,
	last_mono_ns INTEGER NOT NULL,
	created_at INTEGER NOT NULL DEFAULT (unixepoch()),
	updated_at INTEGER NOT NULL DEFAULT (unixepoch())
) STRICT;

CREATE TABLE plans (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	name TEXT NOT NULL UNIQUE,
	seconds INTEGER CHECK (seconds > 0),
	bytes INTEGER CHECK (bytes > 0),
	up_kbps INTEGER NOT NULL DEFAULT 0 CHECK (up_kbps >= 0),
	down_kbps INTEGER NOT NULL DEFAULT 0 CHECK (down_kbps >= 0),
	price_minor INTEGER NOT NULL DEFAULT 0 CHECK (price_minor >= 0),
	currency TEXT NOT NULL CHECK (length(currency) = 3),
	moves INTEGER CHECK (moves >= 0),
	token_days INTEGER CHECK (token_days > 0),
	is_active INTEGER NOT NULL DEFAULT 1 CHECK (is_active IN (0, 1)),
	created_at INTEGER NOT NULL DEFAULT (unixepoch()),
	updated_at INTEGER NOT NULL DEFAULT (unixepoch())
) STRICT;

CREATE TABLE devices (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	mac TEXT NOT NULL UNIQUE CHECK (length(mac) = 17),
	name TEXT NOT NULL DEFAULT '',
	note TEXT NOT NULL DEFAULT '',
	blocked INTEGER NOT NULL DEFAULT 0 CHECK (blocked IN (0, 1)),
	exempt_until INTEGER NOT NULL DEFAULT 0,
	first_seen INTEGER NOT NULL,
	last_seen INTEGER NOT NULL,
	created_at INTEGER NOT NULL DEFAULT (unixepoch()),
	updated_at INTEGER NOT NULL DEFAULT (unixepoch())
) STRICT;
CREATE INDEX devices_special ON devices (mac) WHERE blocked OR exempt_until > 0;

CREATE TABLE sessions (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	mac TEXT NOT NULL CHECK (length(mac) = 17),
	state TEXT NOT NULL CHECK (state = 'running' OR state = 'paused'
		OR state = 'held' OR state = 'ended'),
	token_handed INTEGER NOT NULL DEFAULT 0 CHECK (token_handed IN (0, 1)),
	started_at INTEGER NOT NULL,
	ended_at INTEGER,
	end_reason TEXT,
	total_paid_minor INTEGER NOT NULL DEFAULT 0,
	created_at INTEGER NOT NULL DEFAULT (unixepoch()),
	updated_at INTEGER NOT NULL DEFAULT (unixepoch()),
	CHECK ((state = 'ended') = (ended_at IS NOT NULL))
) STRICT;
-- One session per client that is not over.
CREATE UNIQUE INDEX sessions_live ON sessions (mac) WHERE state <> 'ended';
CREATE INDEX sessions_ended ON sessions (ended_at) WHERE state = 'ended';

-- Tokens by their SHA-256. A session has one for each time that one was handed
-- out: a link that a guest saved before a top-up works until its own end.
CREATE TABLE tokens (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
	session_id INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
	expires_at INTEGER NOT NULL,
	created_at INTEGER NOT NULL DEFAULT (unixepoch()),
	updated_at INTEGER NOT NULL DEFAULT (unixepoch())
) STRICT;
CREATE INDEX tokens_session ON tokens (session_id, id);
CREATE INDEX tokens_expiry ON tokens (expires_at);

CREATE TABLE credits (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	session_id INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
	position INTEGER NOT NULL,
	kind INTEGER NOT NULL,
	plan_id INTEGER REFERENCES plans (id),
	plan_name TEXT NOT NULL,
	state TEXT NOT NULL CHECK (state = 'waiting' OR state = 'in_use'
		OR state = 'used'),
	-- time left, while the credit's clock stands; deadline_ns while it runs
	left_ns INTEGER,
	deadline_ns INTEGER,
	bytes INTEGER,
	bytes_up INTEGER NOT NULL DEFAULT 0,
	bytes_down INTEGER NOT NULL DEFAULT 0,
	up_kbps INTEGER NOT NULL DEFAULT 0,
	down_kbps INTEGER NOT NULL DEFAULT 0,
	moves_left INTEGER,
	token_days INTEGER,
	created_at INTEGER NOT NULL DEFAULT (unixepoch()),
	updated_at INTEGER NOT NULL DEFAULT (unixepoch())
) STRICT;
CREATE INDEX credits_session ON credits (session_id, position);
CREATE UNIQUE INDEX credits_in_use ON credits (session_id) WHERE state = 'in_use';
CREATE INDEX credits_deadline ON credits (deadline_ns) WHERE deadline_ns IS NOT NULL;

CREATE TABLE vouchers (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	code_hmac BLOB NOT NULL UNIQUE CHECK (length(code_hmac) = 32),
	code_sealed BLOB NOT NULL,
	plan_id INTEGER NOT NULL REFERENCES plans (id),
	batch TEXT NOT NULL,
	state TEXT NOT NULL DEFAULT 'unused' CHECK (state = 'unused'
		OR state = 'used' OR state = 'revoked'),
	expires_at INTEGER,
	session_id INTEGER REFERENCES sessions (id) ON DELETE SET NULL,
	used_at INTEGER,
	used_mac TEXT,
	created_by TEXT NOT NULL,
	created_at INTEGER NOT NULL DEFAULT (unixepoch()),
	updated_at INTEGER NOT NULL DEFAULT (unixepoch()),
	CHECK ((state = 'used') = (used_at IS NOT NULL))
) STRICT;
CREATE INDEX vouchers_batch ON vouchers (batch);
CREATE INDEX vouchers_session ON vouchers (session_id);

-- The kernel's client records, by the id that is written into them. raw_up and
-- raw_down are how far their counters are already counted in the credit; both
-- change in one transaction, so nothing is counted twice whatever crashes.
CREATE TABLE records (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	mac TEXT NOT NULL UNIQUE,
	session_id INTEGER,
	credit_id INTEGER,
	raw_up INTEGER NOT NULL DEFAULT 0,
	raw_down INTEGER NOT NULL DEFAULT 0,
	created_at INTEGER NOT NULL DEFAULT (unixepoch()),
	updated_at INTEGER NOT NULL DEFAULT (unixepoch())
) STRICT;

CREATE TABLE audit (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	at INTEGER NOT NULL,
	who TEXT NOT NULL,
	operation TEXT NOT NULL,
	mac TEXT,
	session_id INTEGER,
	detail TEXT NOT NULL DEFAULT '',
	created_at INTEGER NOT NULL DEFAULT (unixepoch()),
	updated_at INTEGER NOT NULL DEFAULT (unixepoch())
) STRICT;
CREATE INDEX audit_at ON audit (at);
