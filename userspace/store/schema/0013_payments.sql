-- SPDX-License-Identifier: GPL-2.0-or-later
-- What was paid, for which session or voucher, to whom: one row for each sale
-- over the desk, each coin credit and, later, each payment by phone. A refund
-- changes the status; the row and its amount stay.
CREATE TABLE payments (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	paid_at INTEGER NOT NULL,
	method TEXT NOT NULL, -- cash, coin
	reference TEXT,       -- the payer's side of it; unique for its method
	amount_minor INTEGER NOT NULL CHECK (amount_minor >= 0),
	currency TEXT NOT NULL CHECK (length(currency) = 3),
	status TEXT NOT NULL CHECK (status = 'paid' OR status = 'refunded'),
	plan_id INTEGER REFERENCES plans (id),
	session_id INTEGER REFERENCES sessions (id) ON DELETE SET NULL,
	voucher_id INTEGER REFERENCES vouchers (id) ON DELETE SET NULL,
	network TEXT,
	phone TEXT,
	who TEXT NOT NULL, -- took it: an operator, or a coin slot
	refunded_at INTEGER,
	refunded_by TEXT,
	created_at INTEGER NOT NULL DEFAULT (unixepoch()),
	updated_at INTEGER NOT NULL DEFAULT (unixepoch()),
	CHECK ((status = 'refunded') = (refunded_at IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX payments_reference ON payments (method, reference)
	WHERE reference IS NOT NULL;
CREATE INDEX payments_at ON payments (paid_at);
CREATE INDEX payments_session ON payments (session_id)
	WHERE session_id IS NOT NULL;
CREATE INDEX payments_voucher ON payments (voucher_id)
	WHERE voucher_id IS NOT NULL;
