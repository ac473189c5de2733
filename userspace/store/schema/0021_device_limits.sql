-- SPDX-License-Identifier: GPL-2.0-or-later
-- What an operator decided for a device itself, whatever session it has. Its
-- rates hold beside those of a plan; 0: no limit. exempt_until is the date that
-- an exemption ends (0: there is none), exempt_deadline_ns the same on the clock
-- of this boot, which the kernel ends it by (0: it is over).
ALTER TABLE devices ADD COLUMN up_kbps INTEGER NOT NULL DEFAULT 0
	CHECK (up_kbps >= 0);
ALTER TABLE devices ADD COLUMN down_kbps INTEGER NOT NULL DEFAULT 0
	CHECK (down_kbps >= 0);
ALTER TABLE devices ADD COLUMN exempt_network TEXT NOT NULL DEFAULT '';
ALTER TABLE devices ADD COLUMN exempt_deadline_ns INTEGER NOT NULL DEFAULT 0;
CREATE INDEX devices_exemption ON devices (exempt_until)
	WHERE exempt_until > 0;
CREATE INDEX devices_exempt ON devices (exempt_deadline_ns)
	WHERE exempt_deadline_ns > 0;
