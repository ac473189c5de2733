-- SPDX-License-Identifier: GPL-2.0-or-later
-- Where a plan is worth something: names of networks, a space between. '': on
-- all of them.
ALTER TABLE plans ADD COLUMN networks TEXT NOT NULL DEFAULT '';
ALTER TABLE credits ADD COLUMN networks TEXT NOT NULL DEFAULT '';
