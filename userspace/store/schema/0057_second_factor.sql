-- SPDX-License-Identifier: GPL-2.0-or-later
-- The app that an operator shows a code of besides the password.
CREATE TABLE operator_totp (
	operator_id INTEGER PRIMARY KEY REFERENCES operators (id) ON DELETE CASCADE,
	secret BLOB NOT NULL, -- sealed with a key derived from the key file
	is_on INTEGER NOT NULL CHECK (is_on IN (0, 1)), -- 0: no code was shown yet
	last_step INTEGER NOT NULL, -- that of the last code: it is good once
	created_at INTEGER NOT NULL DEFAULT (unixepoch()),
	updated_at INTEGER NOT NULL DEFAULT (unixepoch())
) STRICT;
