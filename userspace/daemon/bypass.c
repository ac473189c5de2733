/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A device that leads past a gate is followed upwards, through masters and the
 * devices made on it, to each gated one. Nothing is followed through a device
 * that is gated itself: what comes in there has met the gate already.
 */
#include "daemon/bypass.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "net/flowtable.h"
#include "net/offload.h"

/* Deeper than devices are ever put on top of each other. */
#define DEPTH_MAX 8

struct search {
	const struct links *links;
	struct bypass *gated;
	size_t count;
	/* What is looked at. */
	const struct flowtable *table;
	const struct flowtable_device *device;
	const struct offload_filter *filter;
	/* The device that is followed upwards, where it came from and how far,
	 * and what to do with a gated one. */
	const struct link *lower, *lowest;
	int depth;
	void (*found)(const struct search *search, struct bypass *gated);
};

static struct bypass *find_gated(const struct search *search, int ifindex)
{
	size_t i;

	for (i = 0; i < search->count; i++)
		if (search->gated[i].ifindex == ifindex)
			return &search->gated[i];
	return NULL;
}

/* The first that is found stays: it is mended first. */
static void say(struct bypass *gated, bool by_flow, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void say(struct bypass *gated, bool by_flow, const char *fmt, ...)
{
	va_list args;

	if (gated->text[0])
		return;
	va_start(args, fmt);
	vsnprintf(gated->text, sizeof(gated->text), fmt, args);
	va_end(args);
	gated->by_flow = by_flow;
}

static const char *name_of(const struct search *search, int ifindex)
{
	const struct link *link = links_by_index(search->links, ifindex);

	return link ? link->name : "?";
}

static void follow_up(struct search *search, const struct link *lower);

static void if_upper(void *data, const struct link *link)
{
	struct search *search = data;
	struct bypass *gated;

	if (search->depth == DEPTH_MAX ||
		(link->parent != search->lower->ifindex &&
			link->ifindex != search->lower->master))
		return;
	gated = find_gated(search, link->ifindex);
	if (gated)
		search->found(search, gated);
	else
		follow_up(search, link);
}

static void follow_up(struct search *search, const struct link *lower)
{
	const struct link *below = search->lower;

	search->lower = lower;
	search->depth++;
	links_each(search->links, if_upper, search);
	search->depth--;
	search->lower = below;
}

static struct bypass *gated_below(
	const struct search *search, const struct link *link)
{
	struct bypass *below = NULL;
	int depth;

	for (depth = 0; !below && link && link->parent && depth < DEPTH_MAX;
		depth++) {
		link = links_by_index(search->links, link->parent);
		below = link ? find_gated(search, link->ifindex) : NULL;
	}
	return below;
}

/* Flowtables. */

static bool is_meant(const struct flowtable_device *device, const char *name)
{
	return device->is_prefix
		       ? strncmp(name, device->name, strlen(device->name)) == 0
		       : strcmp(name, device->name) == 0;
}

static void carries_past(const struct search *search, struct bypass *gated)
{
	say(gated, true,
		"flowtable %.40s of table %.40s would carry packets past the "
		"gate of %s: take %s out of it",
		search->table->name, search->table->table,
		name_of(search, gated->ifindex), search->lowest->name);
}

static void if_below(void *data, const struct link *link)
{
	struct search *search = data;

	if (!is_meant(search->device, link->name) ||
		find_gated(search, link->ifindex))
		return;
	search->found = carries_past;
	search->lowest = link;
	follow_up(search, link);
}

static void on_flowtable(void *data, const struct flowtable *table,
	const struct flowtable_device *device)
{
	struct search *search = data;
	size_t i;

	if (table->is_hardware)
		for (i = 0; i < search->count; i++)
			say(&search->gated[i], true,
				"flowtable %.40s of table %.40s is in hardware "
				"(flags offload), where packets meet no gate: "
				"take the flag off",
				table->name, table->table);
	if (!device)
		return;
	search->table = table;
	search->device = device;
	links_each(search->links, if_below, search);
}

/* Hardware. */

static void sends_past(const struct search *search, struct bypass *gated)
{
	const struct offload_filter *filter = search->filter;

	say(gated, true,
		"tc filter (%s) of %s is in hardware and sends packets %s%s "
		"past the gate: put it there with skip_hw",
		filter->kind, name_of(search, filter->ifindex),
		filter->target ? "to " : "on",
		filter->target ? name_of(search, filter->target) : "");
}

/* Of a device with gated ones above, that is one, or is above one. */
static void each_gated_at(struct search *search, int ifindex,
	void (*fn)(const struct search *search, struct bypass *gated))
{
	const struct link *link = links_by_index(search->links, ifindex);
	struct bypass *gated = find_gated(search, ifindex);

	if (!gated && link)
		gated = gated_below(search, link);
	if (gated)
		fn(search, gated);
	else if (link) {
		search->found = fn;
		search->lowest = link;
		follow_up(search, link);
	}
}

static void on_filter(void *data, const struct offload_filter *filter)
{
	struct search *search = data;

	search->filter = filter;
	each_gated_at(search, filter->ifindex, sends_past);
	if (filter->target)
		each_gated_at(search, filter->target, sends_past);
}

static bool is_same_switch(const struct link *a, const struct link *b)
{
	return a->switch_len && a->switch_len == b->switch_len &&
	       memcmp(a->switch_id, b->switch_id, a->switch_len) == 0;
}

static void routes_past(const struct search *search, struct bypass *gated)
{
	say(gated, false,
		"the switch that it is a port of routes to its guests by "
		"itself (ip route shows \"offload\"), past the gate");
}

/* The routes to guests: by an address that is next to one of the box's. */
static void judge_routes(struct search *search)
{
	const struct link_address *address;
	size_t i, n = links_addresses(search->links, &address);

	for (i = 0; i < n; i++) {
		const struct link *link =
			links_by_index(search->links, address[i].ifindex);
		struct ipaddr guest = address[i].prefix.addr;

		guest.addr[sizeof(guest.addr) - 1] ^= 1;
		/* A device above ports has their switch's. */
		if (link && link->switch_len && offload_is_routed(&guest))
			each_gated_at(search, link->ifindex, routes_past);
	}
}

struct ports_of {
	const struct search *search;
	const struct link *port;
	struct bypass *gated;
};

static void if_meeting(void *data, const struct link *link)
{
	struct ports_of *of = data;

	if (!of->gated->note[0] && link->ifindex != of->port->ifindex &&
		link->master == of->port->master &&
		is_same_switch(link, of->port))
		snprintf(of->gated->note, sizeof(of->gated->note),
			"a port of one switch with %s: what guests send to each "
			"other there may not come to the box",
			link->name);
}

static void judge_card(const struct search *search, struct bypass *gated)
{
	const struct link *link = links_by_index(search->links, gated->ifindex);
	struct ports_of of = {search, link, gated};

	if (!link)
		return;
	if (link->card_xdp)
		say(gated, false,
			"XDP program %u in the card sees packets before the "
			"gate: take it off",
			link->card_xdp);
	if (link->master)
		links_each(search->links, if_meeting, &of);
}

/* Devices on each other. */

/* The MAC of the device that it is made on is another way to the box. */
static void judge_shared(const struct search *search, struct bypass *gated)
{
	static const char *const kinds[] = {
		"macvlan", "macvtap", "ipvlan", "ipvtap"};
	const struct link *link = links_by_index(search->links, gated->ifindex);
	size_t i;

	for (i = 0; link && link->parent && i < ARRAY_SIZE(kinds); i++)
		if (strcmp(link->kind, kinds[i]) == 0)
			say(gated, false,
				"it is a %s device, and guests get past it by "
				"%s, which it is made on: name %s instead",
				link->kind, name_of(search, link->parent),
				name_of(search, link->parent));
}

static void judge_below(const struct search *search, struct bypass *gated)
{
	const struct link *link = links_by_index(search->links, gated->ifindex);
	const struct bypass *below = link ? gated_below(search, link) : NULL;

	if (!below)
		return;
	if (below->is_retired)
		say(gated, false,
			"%s below it is closed, because no [network] names it "
			"any more; only gatehousectl unload opens it",
			name_of(search, below->ifindex));
	else
		say(gated, false,
			"its frames meet the gate of %s already: name one of "
			"the two in a [network], not both",
			name_of(search, below->ifindex));
}

int bypass_find(const struct links *links, struct bypass *gated, size_t n)
{
	struct search search = {.links = links, .gated = gated, .count = n};
	int flowtables, filters;
	size_t i;

	for (i = 0; i < n; i++) {
		gated[i].text[0] = '\0';
		gated[i].note[0] = '\0';
		gated[i].by_flow = false;
	}
	for (i = 0; i < n; i++) {
		judge_shared(&search, &gated[i]);
		judge_below(&search, &gated[i]);
		judge_card(&search, &gated[i]);
	}
	judge_routes(&search);
	flowtables = flowtables_each(on_flowtable, &search);
	filters = offload_filters_each(on_filter, &search);
	return flowtables ?: filters;
}
