-- SPDX-License-Identifier: GPL-2.0-or-later
-- The session whose guest put this device beside it; NULL: it came by itself.
ALTER TABLE credits ADD COLUMN shared_by INTEGER REFERENCES sessions (id)
	ON DELETE SET NULL;
CREATE INDEX credits_shared_by ON credits (shared_by)
	WHERE shared_by IS NOT NULL;
