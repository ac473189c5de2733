-- SPDX-License-Identifier: GPL-2.0-or-later
-- What else a plan may say, and the credits that came of it: which bytes count;
-- in which hours of the day it is worth something; after how long a silence
-- its clock stands (0: never); how many days after its start it ends, whatever
-- is left.
ALTER TABLE plans ADD COLUMN counts TEXT NOT NULL DEFAULT 'both'
	CHECK (counts = 'both' OR counts = 'up' OR counts = 'down');
ALTER TABLE plans ADD COLUMN hours TEXT NOT NULL DEFAULT '';
ALTER TABLE plans ADD COLUMN idle_seconds INTEGER NOT NULL DEFAULT 0
	CHECK (idle_seconds >= 0);
ALTER TABLE plans ADD COLUMN valid_days INTEGER CHECK (valid_days > 0);
ALTER TABLE groups ADD COLUMN counts TEXT NOT NULL DEFAULT 'both';
ALTER TABLE credits ADD COLUMN counts TEXT NOT NULL DEFAULT 'both';
ALTER TABLE credits ADD COLUMN hours TEXT NOT NULL DEFAULT '';
ALTER TABLE credits ADD COLUMN idle_seconds INTEGER NOT NULL DEFAULT 0;
ALTER TABLE credits ADD COLUMN valid_days INTEGER;
-- UTC seconds, from the start of the credit on.
ALTER TABLE credits ADD COLUMN valid_until INTEGER;
-- When the wall clock ends or begins its hours, or ends it: on the kernel's
-- clock, of the newest boot, as far as is known. is_resting: outside them.
ALTER TABLE credits ADD COLUMN turn_ns INTEGER;
ALTER TABLE credits ADD COLUMN is_resting INTEGER NOT NULL DEFAULT 0;
-- Of a clock that stands in silence, on the kernel's clock: until then it has
-- run, or (is_idle) stood.
ALTER TABLE credits ADD COLUMN heard_ns INTEGER NOT NULL DEFAULT 0;
ALTER TABLE credits ADD COLUMN is_idle INTEGER NOT NULL DEFAULT 0;
CREATE INDEX credits_turn ON credits (turn_ns) WHERE turn_ns IS NOT NULL;
CREATE INDEX credits_plan ON credits (plan_id) WHERE state <> 'used';
