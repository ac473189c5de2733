/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The box itself, as one row: its name, an address, whether it works and how
 * many use it.
 */
#include "base/mac.h"
#include "base/util.h"
#include "store/handle.h"
#include "store/keeping.h"

int store_gateway_put(struct store *store, const struct gateway *gateway)
{
	return db_run(store->db,
		"INSERT INTO gateways (id, name, ip_address, mac_address, status,"
		" last_seen, active_users, load_percent)"
		" VALUES (1, ?, ?, coalesce(?, ''), ?, ?, ?, ?)"
		" ON CONFLICT (id) DO UPDATE SET name = excluded.name,"
		" ip_address = excluded.ip_address,"
		" mac_address = excluded.mac_address, status = excluded.status,"
		" last_seen = excluded.last_seen,"
		" active_users = excluded.active_users,"
		" load_percent = excluded.load_percent,"
		" updated_at = unixepoch()",
		"ttmtiii", gateway->name, gateway->ip,
		mac_is_zero(&gateway->mac) ? NULL : &gateway->mac,
		gateway->is_online ? "online" : "offline", gateway->last_seen,
		gateway->active_users, gateway->load_percent);
}
