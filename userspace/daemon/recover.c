/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Recovery is one transaction: after a crash in it, it happens once more from
 * the beginning, and what it adds it adds once.
 */
#include "daemon/recover.h"

#include <string.h>

#include "base/log.h"
#include "daemon/alarms.h"
#include "daemon/client_json.h"
#include "rules/recover.h"

static int redeemed(void *data, const struct spent_voucher *voucher, int64_t *ret_id)
{
	struct gatehoused *g = data;
	struct moment now = moment_now();

	return recover_voucher(&g->rules, voucher,
		store_spent_last_at(g->store), &now, ret_id);
}

static int replay(struct gatehoused *g)
{
	struct spent_replayed replayed;
	char detail[128];
	int ret = store_spent_replay(g->store, redeemed, g, &replayed);

	if (ret)
		return ret;
	snprintf(detail, sizeof(detail),
		"%d lines of spent.log: %d vouchers, %d payments; %d unreadable",
		replayed.lines, replayed.vouchers, replayed.payments,
		replayed.damaged);
	log_warning("the database is older than what was spent: replayed %s", detail);
	return store_audit(g->store, clock_wall_sec(), "gatehoused", "replay",
		NULL, 0, detail);
}

int recover(struct gatehoused *g)
{
	bool is_ahead = false;
	int ret = store_spent_is_ahead(g->store, &is_ahead);

	if (ret || !is_ahead)
		return ret;
	ret = turn_begin(g);
	if (!ret)
		ret = replay(g);
	if (!ret)
		ret = store_commit(g->store);
	if (ret) {
		store_rollback(g->store);
		log_error("cannot bring the database up to date: %s", strerror(-ret));
	}
	g->in_transaction = false;
	return ret;
}
