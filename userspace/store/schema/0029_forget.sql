-- SPDX-License-Identifier: GPL-2.0-or-later
-- What is known of one device is found without reading all that is.
CREATE INDEX audit_mac ON audit (mac, id) WHERE mac IS NOT NULL;
CREATE INDEX vouchers_used ON vouchers (used_mac) WHERE used_mac IS NOT NULL;
