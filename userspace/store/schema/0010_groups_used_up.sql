-- SPDX-License-Identifier: GPL-2.0-or-later
-- When the bytes of a group were found used up, UTC seconds; NULL: there are
-- some.
ALTER TABLE groups ADD COLUMN used_up_at INTEGER;
