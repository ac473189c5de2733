-- SPDX-License-Identifier: GPL-2.0-or-later
-- Why and since when a session is held: the type of a security event, or
-- 'operator'.
ALTER TABLE sessions ADD COLUMN held_for TEXT;
ALTER TABLE sessions ADD COLUMN held_at INTEGER;
