-- SPDX-License-Identifier: GPL-2.0-or-later
-- What became of a client's last session, without reading two years of them.
CREATE INDEX sessions_last ON sessions (mac, id) WHERE state = 'ended';
