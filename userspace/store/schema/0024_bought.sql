-- SPDX-License-Identifier: GPL-2.0-or-later
-- What a payment bought, and the credit that this became part of: for a refund.
-- NULL bytes or time: without limit.
ALTER TABLE payments ADD COLUMN credit_id INTEGER
	REFERENCES credits (id) ON DELETE SET NULL;
ALTER TABLE payments ADD COLUMN bought_ns INTEGER;
ALTER TABLE payments ADD COLUMN bought_bytes INTEGER;
CREATE INDEX payments_credit ON payments (credit_id)
	WHERE credit_id IS NOT NULL;
