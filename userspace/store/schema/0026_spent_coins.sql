-- SPDX-License-Identifier: GPL-2.0-or-later
-- A coin that belongs to a lock is a line of spent.log, too (0018).
CREATE TRIGGER spent_coin AFTER UPDATE OF lock_id ON coin_pulses
	WHEN OLD.lock_id IS NULL AND NEW.lock_id IS NOT NULL
BEGIN
	INSERT INTO spent (type, ref, at) VALUES ('coin', NEW.id, NEW.at);
END;
