-- SPDX-License-Identifier: GPL-2.0-or-later
-- Who may ask for operations from elsewhere than the box itself, and who asked
-- for what. Secrets are kept by their hash.
CREATE TABLE operators (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	name TEXT NOT NULL UNIQUE COLLATE NOCASE,
	role TEXT NOT NULL
		CHECK (role IN ('staff', 'supervisor', 'manager', 'admin')),
	password TEXT NOT NULL, -- argon2id, peppered with the key file
	created_by TEXT NOT NULL,
	last_login_at INTEGER,
	created_at INTEGER NOT NULL DEFAULT (unixepoch()),
	updated_at INTEGER NOT NULL DEFAULT (unixepoch())
) STRICT;

CREATE TABLE operator_sessions (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	operator_id INTEGER NOT NULL REFERENCES operators (id) ON DELETE CASCADE,
	hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
	address TEXT NOT NULL,
	expires_at INTEGER NOT NULL,
	used_at INTEGER NOT NULL,
	created_at INTEGER NOT NULL DEFAULT (unixepoch()),
	updated_at INTEGER NOT NULL DEFAULT (unixepoch())
) STRICT;
CREATE INDEX operator_sessions_operator ON operator_sessions (operator_id);

CREATE TABLE api_tokens (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	operator_id INTEGER NOT NULL REFERENCES operators (id) ON DELETE CASCADE,
	hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
	label TEXT NOT NULL,
	expires_at INTEGER, -- NULL: when it is removed
	used_at INTEGER,
	created_by TEXT NOT NULL,
	created_at INTEGER NOT NULL DEFAULT (unixepoch()),
	updated_at INTEGER NOT NULL DEFAULT (unixepoch())
) STRICT;
CREATE INDEX api_tokens_operator ON api_tokens (operator_id);

-- From where somebody logged in: others' wrong passwords do not hold them up.
CREATE TABLE operator_addresses (
	operator_id INTEGER NOT NULL REFERENCES operators (id) ON DELETE CASCADE,
	address TEXT NOT NULL,
	used_at INTEGER NOT NULL,
	created_at INTEGER NOT NULL DEFAULT (unixepoch()),
	updated_at INTEGER NOT NULL DEFAULT (unixepoch()),
	PRIMARY KEY (operator_id, address)
) STRICT, WITHOUT ROWID;

-- No arguments: they may be codes, tokens or telephone numbers.
CREATE TABLE access_log (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	at INTEGER NOT NULL,
	operation TEXT NOT NULL,
	who TEXT NOT NULL,
	result TEXT NOT NULL,
	us INTEGER NOT NULL
) STRICT;
CREATE INDEX access_log_at ON access_log (at);
