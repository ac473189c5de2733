-- SPDX-License-Identifier: GPL-2.0-or-later
-- What cannot be unspent (I6): a row for each code that was redeemed or revoked
-- and each payment and refund, in the same transaction. Behind the commit it
-- becomes a line of spent.log, a file that a restored backup is brought up to
-- date from (store/spent.h). Only the last group is kept here.
CREATE TABLE spent (
	seq INTEGER PRIMARY KEY AUTOINCREMENT,
	type TEXT NOT NULL,  -- redeem, revoke: a voucher; payment, refund: a payment
	ref INTEGER NOT NULL, -- its id
	at INTEGER NOT NULL
) STRICT;

CREATE TRIGGER spent_voucher AFTER UPDATE OF state ON vouchers
	WHEN NEW.state <> OLD.state AND NEW.state <> 'unused'
BEGIN
	INSERT INTO spent (type, ref, at) VALUES (
		CASE NEW.state WHEN 'used' THEN 'redeem' ELSE 'revoke' END,
		NEW.id, coalesce(NEW.used_at, unixepoch()));
END;
CREATE TRIGGER spent_payment AFTER INSERT ON payments
BEGIN
	INSERT INTO spent (type, ref, at)
		VALUES ('payment', NEW.id, NEW.paid_at);
END;
CREATE TRIGGER spent_refund AFTER UPDATE OF status ON payments
	WHEN NEW.status = 'refunded' AND OLD.status <> 'refunded'
BEGIN
	INSERT INTO spent (type, ref, at)
		VALUES ('refund', NEW.id, NEW.refunded_at);
END;
