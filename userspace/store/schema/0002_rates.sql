-- SPDX-License-Identifier: GPL-2.0-or-later
-- Fair use: past its bytes a credit goes on at these rates. 0: it ends there.
ALTER TABLE plans ADD COLUMN slow_up_kbps INTEGER NOT NULL DEFAULT 0
	CHECK (slow_up_kbps >= 0);
ALTER TABLE plans ADD COLUMN slow_down_kbps INTEGER NOT NULL DEFAULT 0
	CHECK (slow_down_kbps >= 0);
ALTER TABLE credits ADD COLUMN slow_up_kbps INTEGER NOT NULL DEFAULT 0;
ALTER TABLE credits ADD COLUMN slow_down_kbps INTEGER NOT NULL DEFAULT 0;
