-- SPDX-License-Identifier: GPL-2.0-or-later
-- How much time a credit was given in all, so that a page can show how much of it
-- is left; NULL: it has no end, or nobody wrote it down.
ALTER TABLE credits ADD COLUMN full_ns INTEGER;
-- Which device accepted which version of the terms of use, the first time.
CREATE TABLE terms_acceptances (
	id INTEGER PRIMARY KEY,
	mac TEXT NOT NULL CHECK (length(mac) = 17),
	version TEXT NOT NULL CHECK (version <> ''),
	network TEXT NOT NULL,
	accepted_at INTEGER NOT NULL,
	created_at INTEGER NOT NULL DEFAULT (unixepoch()),
	updated_at INTEGER NOT NULL DEFAULT (unixepoch()),
	UNIQUE (mac, version)
) STRICT;
CREATE INDEX terms_acceptances_at ON terms_acceptances (accepted_at);
