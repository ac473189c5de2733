-- SPDX-License-Identifier: GPL-2.0-or-later
-- Which device had its free time on which local day (20261121); kept for two
-- days.
CREATE TABLE free_uses (
	mac TEXT NOT NULL CHECK (length(mac) = 17),
	day INTEGER NOT NULL,
	network TEXT NOT NULL,
	is_random INTEGER NOT NULL CHECK (is_random IN (0, 1)),
	at INTEGER NOT NULL,
	PRIMARY KEY (mac, day)
) STRICT, WITHOUT ROWID;
CREATE INDEX free_uses_at ON free_uses (at);
