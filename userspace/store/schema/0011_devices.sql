-- SPDX-License-Identifier: GPL-2.0-or-later
-- How many devices may use a voucher of the plan at once. They share its bytes
-- and rates by a group of its own; each has a credit that names it.
ALTER TABLE plans ADD COLUMN devices INTEGER NOT NULL DEFAULT 1
	CHECK (devices >= 1);
ALTER TABLE groups ADD COLUMN voucher_id INTEGER REFERENCES vouchers (id);
ALTER TABLE groups ADD COLUMN devices_max INTEGER;
ALTER TABLE groups ADD COLUMN slow_up_kbps INTEGER NOT NULL DEFAULT 0
	CHECK (slow_up_kbps >= 0);
ALTER TABLE groups ADD COLUMN slow_down_kbps INTEGER NOT NULL DEFAULT 0
	CHECK (slow_down_kbps >= 0);
CREATE UNIQUE INDEX groups_voucher ON groups (voucher_id)
	WHERE voucher_id IS NOT NULL;
ALTER TABLE credits ADD COLUMN group_id INTEGER REFERENCES groups (id)
	ON DELETE SET NULL;
CREATE INDEX credits_group ON credits (group_id) WHERE group_id IS NOT NULL;
