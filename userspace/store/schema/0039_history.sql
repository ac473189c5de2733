-- SPDX-License-Identifier: GPL-2.0-or-later
-- The few of a million that are live or unused are found without the others.
CREATE INDEX sessions_by_state ON sessions (state, id) WHERE state <> 'ended';
CREATE INDEX vouchers_by_state ON vouchers (state, id);
-- A session that goes asks what names it.
CREATE INDEX coin_locks_session ON coin_locks (session_id)
	WHERE session_id IS NOT NULL;
