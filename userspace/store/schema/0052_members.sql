-- SPDX-License-Identifier: GPL-2.0-or-later
-- Who may log in by the QR code of the house (U1 to U9): members, who are known
-- by an e-mail address, a booking's reference or a staff id; the codes; and the
-- logins. Whoever is more than a guest is a link to an operator's account, and
-- goes with it.
ALTER TABLE operators ADD COLUMN pin TEXT; -- argon2id, peppered; NULL: none

CREATE TABLE members (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	identity TEXT NOT NULL UNIQUE COLLATE NOCASE,
	name TEXT NOT NULL DEFAULT '',
	email TEXT NOT NULL DEFAULT '' COLLATE NOCASE,
	operator_id INTEGER REFERENCES operators (id) ON DELETE CASCADE,
	plan_id INTEGER REFERENCES plans (id), -- NULL: that of the role
	devices INTEGER NOT NULL DEFAULT 5 CHECK (devices > 0),
	check_in INTEGER, -- UTC seconds; NULL: at any time
	check_out INTEGER,
	proof_name TEXT NOT NULL DEFAULT '',
	proof_room TEXT NOT NULL DEFAULT '',
	-- The first credit of its plan, and until when there is no other if the
	-- bytes of that one are used up.
	given_credit_id INTEGER,
	given_until INTEGER,
	last_used_at INTEGER,
	created_by TEXT NOT NULL,
	created_at INTEGER NOT NULL DEFAULT (unixepoch()),
	updated_at INTEGER NOT NULL DEFAULT (unixepoch()),
	CHECK (check_in IS NULL OR check_out IS NULL OR check_in < check_out)
) STRICT;
CREATE INDEX members_email ON members (email) WHERE email <> '';
CREATE INDEX members_operator ON members (operator_id) WHERE operator_id IS NOT NULL;
CREATE INDEX members_check_out ON members (check_out) WHERE check_out IS NOT NULL;

-- By the hash, and sealed so that the poster can be shown again.
CREATE TABLE qr_tokens (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
	sealed BLOB NOT NULL,
	label TEXT NOT NULL DEFAULT '',
	expires_at INTEGER NOT NULL,
	revoked_at INTEGER,
	next_id INTEGER, -- what was made to take its place
	logins INTEGER NOT NULL DEFAULT 0,
	created_by TEXT NOT NULL,
	created_at INTEGER NOT NULL DEFAULT (unixepoch()),
	updated_at INTEGER NOT NULL DEFAULT (unixepoch())
) STRICT;

CREATE TABLE qr_sessions (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
	cookie_hash BLOB UNIQUE CHECK (length(cookie_hash) = 32), -- above guest
	token_id INTEGER REFERENCES qr_tokens (id) ON DELETE SET NULL,
	member_id INTEGER REFERENCES members (id) ON DELETE CASCADE, -- NULL: unknown
	identity TEXT NOT NULL COLLATE NOCASE, -- as it was typed
	email TEXT NOT NULL DEFAULT '' COLLATE NOCASE,
	mac TEXT CHECK (length(mac) = 17),
	network TEXT NOT NULL,
	ip TEXT NOT NULL,
	user_agent TEXT NOT NULL DEFAULT '',
	expires_at INTEGER NOT NULL,
	used_at INTEGER NOT NULL, -- last
	created_at INTEGER NOT NULL DEFAULT (unixepoch()), -- and first
	updated_at INTEGER NOT NULL DEFAULT (unixepoch())
) STRICT;
CREATE INDEX qr_sessions_expiry ON qr_sessions (expires_at);
CREATE INDEX qr_sessions_member ON qr_sessions (member_id);
CREATE INDEX qr_sessions_identity ON qr_sessions (identity);
CREATE INDEX qr_sessions_mac ON qr_sessions (mac);

-- Whose plan it is of; and whose session it was (N6).
ALTER TABLE credits ADD COLUMN member_id INTEGER REFERENCES members (id)
	ON DELETE SET NULL;
CREATE INDEX credits_member ON credits (member_id) WHERE member_id IS NOT NULL;
ALTER TABLE sessions ADD COLUMN member_id INTEGER REFERENCES members (id)
	ON DELETE SET NULL;
CREATE INDEX sessions_member ON sessions (member_id) WHERE member_id IS NOT NULL;
