-- SPDX-License-Identifier: GPL-2.0-or-later
-- What was given back is counted on the day and for the operator of that, and
-- what became of a voucher is told by the audit rows of its session.
CREATE INDEX payments_refunded ON payments (refunded_at)
	WHERE refunded_at IS NOT NULL;
CREATE INDEX audit_session ON audit (session_id, id)
	WHERE session_id IS NOT NULL;
