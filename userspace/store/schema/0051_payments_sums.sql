-- SPDX-License-Identifier: GPL-2.0-or-later
-- What one operator took, without looking at what the others did; and sums of
-- payments, in the order of the quarters of an hour that make a day.
CREATE INDEX payments_who ON payments (who);
CREATE INDEX payments_quarter ON payments (paid_at / 900, who, method, currency,
	amount_minor, paid_at);
