/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is in the garden: the entries of the file, in their order, each name
 * with the addresses that it has by now. Nothing here changes anything.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/util.h"
#include "daemon/client_json.h"
#include "daemon/ops_handlers.h"
#include "daemon/reply.h"
#include "datapath/garden.h"

#define PAGE OPS_LIST_MAX

/* An entry, or one of the addresses of an entry that is a name. */
struct row {
	const struct config_network *network;
	const struct config_garden *entry;
	struct ipaddr addr; /* zero: none */
	int64_t left_ns;
};

struct listing {
	const struct config *config;
	const char *only; /* network; NULL: all */
	int64_t now_ns;
	struct row *rows;
	size_t count, size;
};

static void add_row(struct listing *l, const struct row *row)
{
	ARRAY_GROW(l->rows, l->count, l->size);
	l->rows[l->count++] = *row;
}

static bool is_wanted(const struct listing *l, const struct config_network *n)
{
	return !l->only || !strcmp(l->only, n->name);
}

static const struct config_garden *find_entry(
	const struct config_network *n, const char *name)
{
	int i;

	for (i = 0; i < n->garden_count; i++)
		if (n->garden[i].is_name && !strcmp(n->garden[i].text, name))
			return &n->garden[i];
	return NULL;
}

static int add_learned(void *data, const struct garden_learned *learned)
{
	struct listing *l = data;
	struct row row = {.addr = learned->addr,
		.left_ns = (int64_t)learned->until_ns - l->now_ns};
	int i;

	for (i = 0; row.left_ns > 0 && i < l->config->network_count; i++) {
		row.network = &l->config->networks[i];
		if ((uint32_t)row.network->number != learned->network ||
			!is_wanted(l, row.network))
			continue;
		row.entry = find_entry(row.network, learned->name);
		if (row.entry)
			add_row(l, &row);
	}
	return 0;
}

static bool has_row(
	const struct listing *l, size_t n, const struct config_garden *entry)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (l->rows[i].entry == entry)
			return true;
	return false;
}

/* What is not there with an address. */
static void add_entries(struct listing *l)
{
	size_t learned = l->count;
	int i, j;

	for (i = 0; i < l->config->network_count; i++) {
		const struct config_network *n = &l->config->networks[i];

		for (j = 0; is_wanted(l, n) && j < n->garden_count; j++)
			if (!has_row(l, learned, &n->garden[j]))
				add_row(l, &(struct row){n, &n->garden[j], {{0}}, 0});
	}
}

/* The entries lie in memory as in the file. */
static int compare_rows(const void *a, const void *b)
{
	const struct row *one = a, *other = b;

	if (one->entry != other->entry)
		return one->entry < other->entry ? -1 : 1;
	return memcmp(&one->addr, &other->addr, sizeof(one->addr));
}

static int list_rows(struct gatehoused *g, struct listing *l)
{
	int ret = garden_each_learned(g->dp, add_learned, l);

	if (ret)
		return ret;
	add_entries(l);
	if (l->count)
		qsort(l->rows, l->count, sizeof(*l->rows), compare_rows);
	return 0;
}

static json_t *row_json(const struct row *row)
{
	bool has_address = !ip_is_zero(&row->addr);

	return json_pack("{s:s, s:s, s:b, s:o, s:o}", "network",
		row->network->name, "entry", row->entry->text, "isName",
		row->entry->is_name, "address", json_ip(&row->addr),
		"remainingSeconds",
		has_address ? json_seconds(row->left_ns) : json_null());
}

static int networks_json(
	struct gatehoused *g, const struct listing *l, json_t *list)
{
	int i, ret = 0;

	for (i = 0; !ret && i < l->config->network_count; i++) {
		const struct config_network *n = &l->config->networks[i];
		struct gh_garden_count count = {0};

		if (!is_wanted(l, n))
			continue;
		ret = garden_count(g->dp, (uint32_t)n->number, &count);
		json_array_append_new(list,
			json_pack("{s:s, s:i, s:i, s:i, s:i, s:I, s:I}",
				"network", n->name, "entries", n->garden_count,
				"kbps", n->garden_kbps, "networkKbps",
				n->garden_network_kbps, "keepSeconds",
				n->garden_keep_seconds, "upBytes",
				(json_int_t)count.up_bytes, "downBytes",
				(json_int_t)count.down_bytes));
	}
	return ret;
}

json_t *op_garden_list(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_garden *a = args;
	struct listing l = {.config = &g->config,
		.only = a->network_set ? a->network : NULL,
		.now_ns = clock_mono_ns()};
	size_t at = a->after_set ? (size_t)a->after : 0;
	size_t end = at + (a->limit_set ? (size_t)a->limit : PAGE);
	json_t *networks = json_array(), *items = json_array();
	int ret = networks_json(g, &l, networks);

	if (!ret)
		ret = list_rows(g, &l);
	if (ret || (l.only && !json_array_size(networks))) {
		json_decref(networks);
		json_decref(items);
		free(l.rows);
		return ret ? reply_failed("garden.list", ret)
			   : reply_refuse(CTL_not_found,
				     "There is no such network; see "
				     "`gatehousectl status`.");
	}
	for (; at < l.count && at < end; at++)
		json_array_append_new(items, row_json(&l.rows[at]));
	free(l.rows);
	return reply_fields("{s:o, s:o, s:o}", "networks", networks, "items",
		items, "next",
		at < l.count ? json_integer((json_int_t)at) : json_null());
}
