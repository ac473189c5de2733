-- SPDX-License-Identifier: GPL-2.0-or-later
-- Devices that share bytes and rates: a family, a room. bytes_up and bytes_down
-- are all that its devices used in it; raw_up and raw_down how far the kernel's
-- record of the group is counted in them, as in records.
CREATE TABLE groups (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	name TEXT NOT NULL UNIQUE COLLATE NOCASE,
	bytes INTEGER CHECK (bytes > 0),
	up_kbps INTEGER NOT NULL DEFAULT 0 CHECK (up_kbps >= 0),
	down_kbps INTEGER NOT NULL DEFAULT 0 CHECK (down_kbps >= 0),
	bytes_up INTEGER NOT NULL DEFAULT 0,
	bytes_down INTEGER NOT NULL DEFAULT 0,
	raw_up INTEGER NOT NULL DEFAULT 0,
	raw_down INTEGER NOT NULL DEFAULT 0,
	created_at INTEGER NOT NULL DEFAULT (unixepoch()),
	updated_at INTEGER NOT NULL DEFAULT (unixepoch())
) STRICT;
ALTER TABLE devices ADD COLUMN group_id INTEGER REFERENCES groups (id)
	ON DELETE SET NULL;
CREATE INDEX devices_group ON devices (group_id) WHERE group_id IS NOT NULL;
