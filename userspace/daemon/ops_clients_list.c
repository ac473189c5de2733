/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The list of clients: all, those whose session is in a state, or those who are
 * looked for at a desk. It shows rows and counts nothing; a search looks at the
 * newest devices only, so that one stays short however many ever came.
 */
#include <string.h>

#include "base/ip.h"
#include "base/mac.h"
#include "base/util.h"
#include "daemon/client_json.h"
#include "daemon/ops_handlers.h"
#include "datapath/bindings.h"
#include "datapath/clients.h"

/*
 * The list: devices of the store by their id, then clients that only the
 * kernel knows, by their MAC. Cursors of the second part are above this.
 */
#define CAPTIVE_CURSOR (1LL << 48)

static int64_t cursor_of(const struct mac *mac)
{
	int64_t cursor = 1;
	size_t i;

	for (i = 0; i < sizeof(mac->addr); i++)
		cursor = cursor << 8 | mac->addr[i];
	return cursor;
}

/* Those with the lowest MACs above `after`. */
struct captives {
	int64_t after;
	int limit, n;
	struct mac macs[OPS_LIST_MAX];
};

static int keep_captive(void *data, const struct captive *captive)
{
	struct captives *c = data;
	int64_t cursor = cursor_of(&captive->mac);
	int at = c->n;

	if (cursor <= c->after ||
		(c->n == c->limit && cursor >= cursor_of(&c->macs[c->n - 1])))
		return 0;
	if (c->n < c->limit)
		c->n++;
	else
		at--;
	for (; at > 0 && cursor_of(&c->macs[at - 1]) > cursor; at--)
		c->macs[at] = c->macs[at - 1];
	c->macs[at] = captive->mac;
	return 0;
}

static int add_client(
	struct gatehoused *g, const struct mac *mac, json_t *items)
{
	json_t *object;
	int ret = json_client(g, mac, false, &object);

	if (!ret)
		json_array_append_new(items, object);
	/* The kernel forgot it a moment ago. */
	return ret == -ENOENT ? 0 : ret;
}

static int add_captives(struct gatehoused *g, int64_t after, int limit,
	json_t *items, json_int_t *ret_next)
{
	struct captives captives = {.after = after, .limit = limit};
	struct device device;
	int ret = captive_each(g->dp, keep_captive, &captives), i;

	for (i = 0; !ret && i < captives.n; i++) {
		ret = store_device_lookup(g->store, &captives.macs[i], &device);
		/* In the first part already. */
		if (ret == -ENOENT)
			ret = add_client(g, &captives.macs[i], items);
	}
	*ret_next = captives.n == limit ? cursor_of(&captives.macs[limit - 1])
					: -1;
	return ret;
}

static int add_devices(struct gatehoused *g, int64_t after, int limit,
	json_t *items, json_int_t *ret_next)
{
	struct device rows[OPS_LIST_MAX];
	int n = store_device_list(g->store, after, rows, limit), i, ret = 0;

	for (i = 0; !ret && i < n; i++)
		ret = add_client(g, &rows[i].mac, items);
	if (n < 0 || ret)
		return MIN(n, ret);
	if (n == limit) {
		*ret_next = rows[n - 1].id;
		return 0;
	}
	return add_captives(g, CAPTIVE_CURSOR - 1, limit - n, items, ret_next);
}

/* Those with a session in this state, the newest first. */
static int add_sessions(struct gatehoused *g, enum session_state state,
	int64_t before, int limit, json_t *items, json_int_t *ret_next)
{
	struct session rows[OPS_LIST_MAX];
	int n = store_session_list(
		g->store, (int)state, before, rows, limit);
	int i, ret = 0;

	for (i = 0; !ret && i < n; i++)
		ret = add_client(g, &rows[i].mac, items);
	if (n == limit)
		*ret_next = rows[n - 1].id;
	return n < 0 ? n : ret;
}

/* A search under way. */
struct search {
	const char *text; /* part of a MAC, in lower case */
	struct ipaddr ip; /* or whose this is */
	bool is_ip;
	int limit, n;
	struct mac macs[OPS_LIST_MAX];
};

static void found(struct search *search, const struct mac *mac)
{
	int i;

	for (i = 0; i < search->n; i++)
		if (mac_equal(&search->macs[i], mac))
			return;
	if (search->n < search->limit)
		search->macs[search->n++] = *mac;
}

static int look_at_binding(void *data, const struct binding *binding)
{
	struct search *search = data;

	if (ip_equal(&binding->ip, &search->ip))
		found(search, &binding->mac);
	return 0;
}

static int look_at_captive(void *data, const struct captive *captive)
{
	struct search *search = data;
	char text[MAC_TEXT];

	if (strcasestr(mac_format(&captive->mac, text), search->text))
		found(search, &captive->mac);
	return 0;
}

static int add_found(struct gatehoused *g, const char *text, int limit,
	json_t *items)
{
	struct search search = {.text = text, .limit = limit};
	struct device rows[OPS_LIST_MAX];
	int n, i, ret;

	search.is_ip = ip_parse(text, &search.ip) == 0;
	if (search.is_ip) {
		ret = bindings_each(g->dp, look_at_binding, &search);
	} else {
		n = store_device_search(g->store, text, rows, limit);
		for (i = 0; i < n; i++)
			found(&search, &rows[i].mac);
		ret = n < 0 ? n
			    : captive_each(g->dp, look_at_captive, &search);
	}
	for (i = 0; !ret && i < search.n; i++)
		ret = add_client(g, &search.macs[i], items);
	return ret;
}

static int add_all(struct gatehoused *g, int64_t after, int limit,
	json_t *items, json_int_t *ret_next)
{
	return after >= CAPTIVE_CURSOR
		       ? add_captives(g, after, limit, items, ret_next)
		       : add_devices(g, after, limit, items, ret_next);
}

json_t *op_clients_list(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_clients *a = args;
	int limit = a->limit_set ? (int)a->limit : OPS_LIST_DEFAULT;
	enum session_state state = SESSION_RUNNING;
	json_int_t next = -1;
	json_t *items;
	int ret;

	if (a->state_set && (session_state_parse(a->state, &state) ||
				    state == SESSION_ENDED))
		return reply_refuse(CTL_bad_request,
			"state is running, paused or held.");
	if (a->state_set && a->search_set)
		return reply_refuse(CTL_bad_request,
			"Give either a state or what to search for.");
	items = json_array();
	if (a->search_set)
		ret = add_found(g, a->search, limit, items);
	else if (a->state_set)
		ret = add_sessions(g, state,
			a->after_set ? a->after : UNLIMITED, limit, items,
			&next);
	else
		ret = add_all(g, a->after, limit, items, &next);
	if (ret) {
		json_decref(items);
		return reply_failed("clients.list", ret);
	}
	return reply_fields("{s:o, s:o}", "items", items, "next",
		next < 0 ? json_null() : json_integer(next));
}
