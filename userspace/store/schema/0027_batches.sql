-- SPDX-License-Identifier: GPL-2.0-or-later
-- Vouchers that were made together. What became of them is counted as it
-- happens: a million vouchers are too many to be counted while somebody waits.
CREATE TABLE batches (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	name TEXT NOT NULL UNIQUE,
	plan_id INTEGER NOT NULL REFERENCES plans (id),
	created_by TEXT NOT NULL,
	expires_at INTEGER, -- of the first one
	unused INTEGER NOT NULL DEFAULT 0,
	used INTEGER NOT NULL DEFAULT 0,
	revoked INTEGER NOT NULL DEFAULT 0,
	sold INTEGER NOT NULL DEFAULT 0,
	sold_minor INTEGER NOT NULL DEFAULT 0,
	created_at INTEGER NOT NULL DEFAULT (unixepoch()),
	updated_at INTEGER NOT NULL DEFAULT (unixepoch())
) STRICT;

INSERT INTO batches (name, plan_id, created_by, expires_at, unused, used, revoked,
	created_at)
SELECT batch, plan_id, created_by, expires_at, sum(state = 'unused'),
	sum(state = 'used'), sum(state = 'revoked'), min(created_at)
FROM vouchers GROUP BY batch ORDER BY min(id);
UPDATE batches SET (sold, sold_minor) = (
	SELECT count(*), coalesce(sum(m.amount_minor), 0)
	FROM payments m JOIN vouchers v ON v.id = m.voucher_id
	WHERE v.batch = batches.name AND m.status = 'paid');

CREATE TRIGGER batches_voucher_made AFTER INSERT ON vouchers BEGIN
	INSERT INTO batches (name, plan_id, created_by, expires_at, unused)
	VALUES (new.batch, new.plan_id, new.created_by, new.expires_at, 1)
	ON CONFLICT (name) DO UPDATE SET unused = unused + 1;
END;
CREATE TRIGGER batches_voucher_changed AFTER UPDATE OF state ON vouchers BEGIN
	UPDATE batches SET
		unused = unused - (old.state = 'unused') + (new.state = 'unused'),
		used = used - (old.state = 'used') + (new.state = 'used'),
		revoked = revoked - (old.state = 'revoked') + (new.state = 'revoked')
	WHERE name = new.batch;
END;
CREATE TRIGGER batches_voucher_sold AFTER INSERT ON payments
WHEN new.voucher_id IS NOT NULL BEGIN
	UPDATE batches SET sold = sold + 1, sold_minor = sold_minor + new.amount_minor
	WHERE name = (SELECT batch FROM vouchers WHERE id = new.voucher_id);
END;
CREATE TRIGGER batches_voucher_given_back AFTER UPDATE OF status ON payments
WHEN new.voucher_id IS NOT NULL AND old.status = 'paid' AND new.status = 'refunded'
BEGIN
	UPDATE batches SET sold = sold - 1, sold_minor = sold_minor - new.amount_minor
	WHERE name = (SELECT batch FROM vouchers WHERE id = new.voucher_id);
END;
