-- SPDX-License-Identifier: GPL-2.0-or-later
-- Coins. Each pulse of an acceptor is journalled before anything is made of it;
-- then it belongs to a lock: of the client that had reserved the slot, or, with
-- none, to one without a MAC, which keeps it for whoever an operator says. What
-- a lock has not spent yet is its client's, whenever that comes back. Always:
-- sum of pulses = sum of payments by coin + sum of (credited - spent).
-- from_ns and until_ns are of the newest boot's monotonic clock, as at_ns.
CREATE TABLE coin_locks (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	key TEXT NOT NULL UNIQUE, -- lockId
	slot TEXT NOT NULL,
	mac TEXT CHECK (length(mac) = 17), -- NULL: nobody's, unclaimed
	state TEXT NOT NULL CHECK (state = 'open' OR state = 'done'
		OR state = 'taken' OR state = 'over' OR state = 'unclaimed'),
	from_ns INTEGER NOT NULL,
	until_ns INTEGER NOT NULL,
	coins INTEGER NOT NULL DEFAULT 0, -- that fell into it
	coin_ns INTEGER NOT NULL DEFAULT 0, -- last pulse
	credited_minor INTEGER NOT NULL DEFAULT 0,
	spent_minor INTEGER NOT NULL DEFAULT 0,
	currency TEXT NOT NULL CHECK (length(currency) = 3),
	session_id INTEGER REFERENCES sessions (id) ON DELETE SET NULL,
	created_at INTEGER NOT NULL DEFAULT (unixepoch()),
	updated_at INTEGER NOT NULL DEFAULT (unixepoch()),
	CHECK (spent_minor >= 0 AND spent_minor <= credited_minor)
) STRICT;
CREATE INDEX coin_locks_slot ON coin_locks (slot, id);
CREATE INDEX coin_locks_mac ON coin_locks (mac, id);
CREATE INDEX coin_locks_open ON coin_locks (until_ns) WHERE state = 'open';
CREATE INDEX coin_locks_rest ON coin_locks (id) WHERE credited_minor > spent_minor;

CREATE TABLE coin_pulses (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	slot TEXT NOT NULL,
	seq INTEGER, -- the acceptor's own number; NULL: it has none
	at INTEGER NOT NULL,
	at_ns INTEGER NOT NULL,
	amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
	currency TEXT NOT NULL CHECK (length(currency) = 3),
	lock_id INTEGER REFERENCES coin_locks (id), -- NULL: journalled only
	created_at INTEGER NOT NULL DEFAULT (unixepoch()),
	updated_at INTEGER NOT NULL DEFAULT (unixepoch())
) STRICT;
CREATE UNIQUE INDEX coin_pulses_seq ON coin_pulses (slot, seq) WHERE seq IS NOT NULL;
CREATE INDEX coin_pulses_at ON coin_pulses (at);
CREATE INDEX coin_pulses_lock ON coin_pulses (lock_id) WHERE lock_id IS NOT NULL;
CREATE INDEX coin_pulses_new ON coin_pulses (id) WHERE lock_id IS NULL;

-- Sold by coin.
ALTER TABLE plans ADD COLUMN coin INTEGER NOT NULL DEFAULT 0 CHECK (coin IN (0, 1));
