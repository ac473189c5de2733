-- SPDX-License-Identifier: GPL-2.0-or-later
-- Which database this is: a backup of it says the same, another box's does not.
INSERT INTO settings (key, value) VALUES ('identity', lower(hex(randomblob(16))));
