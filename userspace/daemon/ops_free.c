/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Free time, for the guest that asks (rules/free.h): whether there is some, and
 * taking it.
 */
#include "daemon/ops_free.h"

#include "daemon/client_json.h"
#include "daemon/ops_handlers.h"
#include "daemon/sync.h"

static struct free_terms terms_of(const struct config *config)
{
	return (struct free_terms){config->free_plan, config->free_kbps,
		config->free_random_per_hour};
}

json_t *op_guest_free(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	struct free_terms terms = terms_of(&g->config);
	const struct guest guest = {&caller->mac, caller->network_name};
	struct moment now = moment_now();
	enum outcome outcome = OUTCOME_OK;
	json_t *reply = refuse_without_room(g, &caller->mac);
	struct freed freed;
	int ret;

	if (reply)
		return reply;
	sync_touch(g->sync, &caller->mac);
	ret = free_take(&g->rules, &guest, &terms, &now, &freed, &outcome);
	if (!ret && !outcome)
		ret = device_seen(g, &caller->mac, NULL);
	if (!ret && !outcome)
		ret = store_audit(g->store, now.wall_sec, caller->who, "free",
			&caller->mac, freed.account.session.id,
			terms.plan);
	if (ret)
		return reply_failed("guest.free", ret);
	if (outcome)
		return reply_outcome(outcome);
	reply = reply_ok();
	json_object_set_new(reply, "token", json_string(freed.token));
	json_add_own(reply, caller, &freed.account, &now);
	return reply;
}

void json_add_free(struct gatehoused *g, const struct guest *guest,
	const struct moment *now, json_t *reply)
{
	struct free_terms terms = terms_of(&g->config);
	enum outcome outcome = OUTCOME_FREE_NOT_NEEDED;
	struct plan plan;
	int ret = 0;

	if (guest)
		ret = free_offer(
			&g->rules, guest, &terms, now, &plan, &outcome);

	json_object_set_new(reply, "freeMinutes",
		ret || outcome || plan.seconds == UNLIMITED
			? json_null()
			: json_integer(plan.seconds / 60));
}
