-- SPDX-License-Identifier: GPL-2.0-or-later
-- Since when a session is paused, and by whom: 'user' or 'operator'.
ALTER TABLE sessions ADD COLUMN paused_at INTEGER;
ALTER TABLE sessions ADD COLUMN paused_by TEXT;
