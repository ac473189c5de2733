/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Terms of use, for every operation at once: the table of operations says by an
 * argument which of them begin something, and no handler knows of it. Who may go
 * on without is a rule (rules/terms.h).
 */
#include "daemon/terms.h"

#include <string.h>

#include "daemon/client_json.h"
#include "daemon/ops_handlers.h"
#include "rules/terms.h"
#include "store/terms.h"

_Static_assert(STORE_TERMS == CTL_TERMS_MAX + 1, "a version is what ctl.h says");
_Static_assert(sizeof(((struct config *)0)->terms_version) == STORE_TERMS,
	"so is the configuration's");

static const struct json_arg *terms_arg(const struct op *op)
{
	const struct json_arg *arg;

	for (arg = op->args; arg->type != JSON_ARG_END; arg++)
		if (!strcmp(arg->name, "terms"))
			return arg;
	return NULL;
}

struct asked {
	const struct caller *caller;
	const char *given;
};

static json_t *judge(struct gatehoused *g, void *data)
{
	const struct asked *asked = data;
	const struct guest guest = {
		&asked->caller->mac, asked->caller->network_name};
	const char *version = g->config.terms_version;
	struct moment now = moment_now();
	bool needed = true, kept = false;
	int ret = terms_needed(&g->rules, guest.mac, version, &needed);

	if (!ret && needed && asked->given[0])
		ret = terms_accept(&g->rules, &guest, version, asked->given,
			&now, &kept);
	if (ret)
		return reply_failed("terms", ret);
	return needed && !kept
		       ? reply_refuse(CTL_terms_required,
				 "Please read and accept the terms of use first.")
		       : reply_ok();
}

json_t *terms_check(struct gatehoused *g, const struct op *op,
	const struct caller *caller, const void *args)
{
	const struct json_arg *arg =
		g->config.terms_version[0] ? terms_arg(op) : NULL;
	struct asked asked = {caller, NULL};
	json_t *reply;

	if (!arg)
		return NULL;
	asked.given = (const char *)args + arg->offset;
	reply = ops_run(g, "terms", judge, &asked);
	if (!reply_is_ok(reply))
		return reply;
	json_decref(reply);
	return NULL;
}

void terms_add(struct gatehoused *g, const struct mac *mac, json_t *reply)
{
	const char *version = g->config.terms_version;
	bool needed = false;
	int ret = terms_needed(&g->rules, mac, version, &needed);

	json_object_set_new(reply, "terms",
		!ret && needed ? json_string(version) : json_null());
}

static json_t *acceptance_json(const struct acceptance *a)
{
	return json_pack("{s:I, s:o, s:s, s:o, s:o}", "id", (json_int_t)a->id,
		"mac", json_mac(&a->mac), "version", a->version, "network",
		json_name(a->network), "acceptedAt", json_time(a->at));
}

json_t *op_terms_list(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_terms *a = args;
	int limit = a->limit_set ? (int)a->limit : OPS_LIST_DEFAULT;
	struct acceptance rows[OPS_LIST_MAX];
	json_t *items;
	int n, i;

	n = store_terms_list(g->store, a->mac_set ? &a->mac : NULL,
		a->after_set ? a->after : UNLIMITED, rows, limit);
	if (n < 0)
		return reply_failed("terms.list", n);
	items = json_array();
	for (i = 0; i < n; i++)
		json_array_append_new(items, acceptance_json(&rows[i]));
	return reply_fields("{s:o, s:o, s:o}", "items", items, "next",
		n == limit ? json_integer(rows[n - 1].id) : json_null(),
		"version", json_name(g->config.terms_version));
}
