-- SPDX-License-Identifier: GPL-2.0-or-later
-- How many sessions are live: to count a million of them takes a second.
CREATE TABLE counters (
	name TEXT PRIMARY KEY,
	value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO counters SELECT 'live_sessions', count(*) FROM sessions
	WHERE state <> 'ended';
CREATE TRIGGER sessions_live_insert AFTER INSERT ON sessions
	WHEN NEW.state <> 'ended'
BEGIN
	UPDATE counters SET value = value + 1 WHERE name = 'live_sessions';
END;
CREATE TRIGGER sessions_live_update AFTER UPDATE OF state ON sessions
	WHEN (OLD.state = 'ended') <> (NEW.state = 'ended')
BEGIN
	UPDATE counters SET value = value + (OLD.state = 'ended')
		- (NEW.state = 'ended') WHERE name = 'live_sessions';
END;
CREATE TRIGGER sessions_live_delete AFTER DELETE ON sessions
	WHEN OLD.state <> 'ended'
BEGIN
	UPDATE counters SET value = value - 1 WHERE name = 'live_sessions';
END;
