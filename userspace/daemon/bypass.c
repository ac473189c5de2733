/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A device of a flowtable is followed upwards, through masters and the devices
 * made on it, until one is gated. Nothing is followed through a device that is
 * gated itself: what comes in there has met the gate before any flowtable.
 */
#include "daemon/bypass.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "net/flowtable.h"

/* Deeper than devices are ever put on top of each other. */
#define DEPTH_MAX 8

struct search {
	const struct links *links;
	struct bypass *gated;
	size_t count;
	const struct flowtable *table;
	const struct flowtable_device *device;
	/* The device that is followed upwards, and how far it came. */
	const struct link *lower;
	int depth;
	const struct link *found;
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

static void follow_up(struct search *search, const struct link *lower);

static void if_upper(void *data, const struct link *link)
{
	struct search *search = data;

	if (search->found || search->depth == DEPTH_MAX ||
		(link->parent != search->lower->ifindex &&
			link->ifindex != search->lower->master))
		return;
	if (find_gated(search, link->ifindex))
		search->found = link;
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

static bool is_meant(const struct flowtable_device *device, const char *name)
{
	return device->is_prefix
		       ? strncmp(name, device->name, strlen(device->name)) == 0
		       : strcmp(name, device->name) == 0;
}

static void if_below(void *data, const struct link *link)
{
	struct search *search = data;

	if (!is_meant(search->device, link->name) ||
		find_gated(search, link->ifindex))
		return;
	search->found = NULL;
	follow_up(search, link);
	if (search->found)
		say(find_gated(search, search->found->ifindex), true,
			"flowtable %.40s of table %.40s would carry packets "
			"past the gate of %s: take %s out of it",
			search->table->name, search->table->table,
			search->found->name, link->name);
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

static const struct bypass *gated_below(
	const struct search *search, const struct link *link)
{
	const struct bypass *below = NULL;
	int depth;

	for (depth = 0; !below && link && link->parent && depth < DEPTH_MAX;
		depth++) {
		link = links_by_index(search->links, link->parent);
		below = link ? find_gated(search, link->ifindex) : NULL;
	}
	return below;
}

static void judge_below(const struct search *search, struct bypass *gated)
{
	const struct link *link = links_by_index(search->links, gated->ifindex);
	const struct bypass *below = link ? gated_below(search, link) : NULL;

	if (!below)
		return;
	link = links_by_index(search->links, below->ifindex);
	if (below->is_retired)
		say(gated, false,
			"%s below it is closed, because no [network] names it "
			"any more; only gatehousectl unload opens it",
			link->name);
	else
		say(gated, false,
			"its frames meet the gate of %s already: name one of "
			"the two in a [network], not both",
			link->name);
}

int bypass_find(const struct links *links, struct bypass *gated, size_t n)
{
	struct search search = {.links = links, .gated = gated, .count = n};
	size_t i;

	for (i = 0; i < n; i++) {
		gated[i].text[0] = '\0';
		gated[i].by_flow = false;
	}
	for (i = 0; i < n; i++)
		judge_below(&search, &gated[i]);
	return flowtables_each(on_flowtable, &search);
}
