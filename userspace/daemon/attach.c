/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which interfaces are gated, and keeping them so. One function, refresh(),
 * compares what the configuration wants with what the box has and does the
 * difference; start and every netlink event end there. Each second all hooks
 * and our nftables table are checked, and put back where they are not there.
 *
 * What is done to one interface, and in which order, is port.c's. A bridge's
 * own check-only hooks come before its ports'. What guests say to each other
 * across a bridge meets no hook, so its ports are isolated from each other.
 */
#include "daemon/attach.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "daemon/bypass.h"
#include "daemon/network_link.h"
#include "daemon/network_record.h"
#include "daemon/pacing.h"
#include "daemon/port.h"
#include "net/conntrack.h"
#include "net/nft.h"

#define CHECK_NS NSEC_PER_SEC
/* One may be carried again before the gate is closed. */
#define FLOW_ROUNDS 5

struct attach {
	struct loop *loop;
	struct datapath *dp;
	const struct config *config;
	struct attach_handlers handlers;
	struct links *links;
	struct nft *nft;
	struct pacing *pacing;
	struct loop_timer check;
	struct port **port; /* in the order of attach_each() */
	size_t port_count, port_size;
	bool is_unloaded;
	unsigned int flow_rounds; /* since a way past the gate was found */
	/* Logged once, until it is different. */
	char network_problem[CONFIG_NETWORKS_MAX][64];
	bool absent_logged[CONFIG_NETWORKS_MAX];
	/* Where a network's packets come in, as our table has it. */
	char input[CONFIG_NETWORKS_MAX][IFNAMSIZ];
};

static size_t index_of(const struct attach *a, const struct config_network *n)
{
	return n - a->config->networks;
}

/* Ports. */

static struct port *find_port(struct attach *a, int ifindex)
{
	size_t i;

	for (i = 0; i < a->port_count; i++)
		if (a->port[i]->row.ifindex == ifindex)
			return a->port[i];
	return NULL;
}

static void repaired(struct attach *a, const char *name, const char *what)
{
	log_warning("%s: %s", name, what);
	if (a->handlers.repaired)
		a->handlers.repaired(a->handlers.data, name, what);
}

/* What is wanted. */

static struct port *add_port(struct attach *a, const struct link *link)
{
	struct port *port = port_new(a->dp, a->links, link);

	memcpy(port->row.name, link->name, sizeof(port->row.name));
	ARRAY_GROW(a->port, a->port_count, a->port_size);
	a->port[a->port_count++] = port;
	return port;
}

static void want(struct attach *a, const struct config_network *network,
	const struct link *link, bool is_named)
{
	bool is_master = is_named && strcmp(link->kind, "bridge") == 0;
	struct port *port = find_port(a, link->ifindex);

	if (!port)
		port = add_port(a, link);
	else if (port->is_wanted)
		return; /* a port with a network of its own */
	if (port->row.state == ATTACH_STATE_RETIRED)
		port->row.state = ATTACH_STATE_FAILED;
	if (port->row.network &&
		(port->row.network != network || port->is_named != is_named)) {
		/* Its hooks stay on it until they are other ones: it may have
		 * a name by now that our table does not guard. */
		port_close(port);
		port->row.state = ATTACH_STATE_FAILED;
	}
	port->is_wanted = true;
	port->is_named = is_named;
	port->role = is_master ? HOOK_ROLE_MASTER : HOOK_ROLE_PORT;
	port->row.network = network;
	port->row.is_master = is_master;
	memcpy(port->row.name, link->name, sizeof(port->row.name));
}

struct ports_of {
	struct attach *a;
	const struct config_network *network;
	int master;
};

static void want_if_port(void *data, const struct link *link)
{
	const struct ports_of *of = data;

	if (link->master == of->master)
		want(of->a, of->network, link, false);
}

static void want_named(struct attach *a, const struct config_network *network)
{
	const struct link *link = links_by_name(a->links, network->interface);
	bool *logged = &a->absent_logged[index_of(a, network)];

	if (link)
		want(a, network, link, true);
	else if (!*logged)
		log_warning("%s: no such interface; network %s waits for it",
			network->interface, network->name);
	*logged = !link;
}

static void want_ports(struct attach *a, const struct config_network *network)
{
	const struct link *link = links_by_name(a->links, network->interface);
	struct ports_of of = {a, network, link ? link->ifindex : 0};

	if (link && strcmp(link->kind, "bridge") == 0)
		links_each(a->links, want_if_port, &of);
}

/* A port that left a bridge is what its owner made of it; an interface that the
 * file no longer names may be a slip of the pen, and stays closed. */
static bool is_to_keep(struct attach *a, const struct port *port)
{
	return port->is_wanted ||
	       (port->is_named && links_by_index(a->links, port->row.ifindex));
}

/* One that was renamed is no longer wanted by its old name. */
static void note_name(struct attach *a, struct port *port)
{
	const struct link *link = links_by_index(a->links, port->row.ifindex);

	if (link)
		memcpy(port->row.name, link->name, sizeof(port->row.name));
}

static void drop_unwanted(struct attach *a)
{
	size_t i, kept = 0;

	for (i = 0; i < a->port_count; i++) {
		struct port *port = a->port[i];

		if (!is_to_keep(a, port)) {
			port_detach(port);
			free(port);
			continue;
		}
		note_name(a, port);
		if (!port->is_wanted)
			port_retire(port);
		a->port[kept++] = port;
	}
	a->port_count = kept;
}

/* Ways round the gate. */

/* A bridge whose port can be passed by is closed as a whole: only the
 * interface that is named has a group that closes it. */
static void spread_bypass(struct attach *a, const struct port *from, const char *text)
{
	size_t i;

	for (i = 0; i < a->port_count; i++) {
		struct port *port = a->port[i];

		if (port->row.network == from->row.network && !port->bypass[0])
			snprintf(port->bypass, sizeof(port->bypass), "%s", text);
	}
}

/* Those that a flowtable carries would not notice that the gate is closed. */
static void end_flows(void)
{
	size_t count = 0;
	int ret = conntrack_end_offloaded(&count);

	if (ret)
		log_error("cannot end connections in a flowtable: %s",
			strerror(-ret));
	else if (count)
		log_warning("ended %zu connections that a flowtable carried "
			    "past the gate",
			count);
}

static void find_bypasses(struct attach *a)
{
	_cleanup_free_ struct bypass *found =
		xcalloc(a->port_count + 1, sizeof(*found));
	bool by_flow = false;
	size_t i;
	int ret;

	for (i = 0; i < a->port_count; i++) {
		a->port[i]->bypass[0] = '\0';
		found[i].ifindex = a->port[i]->row.ifindex;
		found[i].is_retired = !a->port[i]->row.network;
	}
	ret = bypass_find(a->links, found, a->port_count);
	if (ret && ret != -EINTR)
		log_error("cannot look for ways past the gate: %s", strerror(-ret));
	for (i = 0; i < a->port_count; i++) {
		snprintf(a->port[i]->note, sizeof(a->port[i]->note), "%s",
			found[i].note);
		if (!found[i].text[0] || found[i].is_retired)
			continue;
		spread_bypass(a, a->port[i], found[i].text);
		by_flow |= found[i].by_flow;
	}
	/* Not for ever: who is no guest may use that flowtable all the same. */
	a->flow_rounds = by_flow ? a->flow_rounds + 1 : 0;
	if (by_flow && a->flow_rounds <= FLOW_ROUNDS)
		end_flows();
}

static void refresh(struct attach *a)
{
	size_t i;
	int n;

	if (a->is_unloaded)
		return;
	for (i = 0; i < a->port_count; i++)
		a->port[i]->is_wanted = false;
	for (n = 0; n < a->config->network_count; n++)
		want_named(a, &a->config->networks[n]);
	for (n = 0; n < a->config->network_count; n++)
		want_ports(a, &a->config->networks[n]);
	drop_unwanted(a);
	find_bypasses(a);
	for (i = 0; i < a->port_count; i++)
		port_refresh(a->port[i]);
}

/* Networks' records. */

static enum address_owner owner_of(const struct attach *a,
	const struct config_network *network, int ifindex)
{
	const struct link *link = links_by_index(a->links, ifindex);
	const struct link *master =
		link && link->master ? links_by_index(a->links, link->master)
				     : NULL;
	int n;

	if (!link)
		return ADDRESS_OWNER_OTHER;
	if (strcmp(link->name, network->interface) == 0 ||
		(master && strcmp(master->name, network->interface) == 0))
		return ADDRESS_OWNER_SELF;
	for (n = 0; n < a->config->network_count; n++)
		if (strcmp(link->name, a->config->networks[n].interface) == 0)
			return ADDRESS_OWNER_GUEST;
	return ADDRESS_OWNER_OTHER;
}

static int set_network(struct attach *a, const struct config_network *network)
{
	_cleanup_free_ struct box_address *addresses = NULL;
	const struct link_address *found;
	size_t i, n = links_addresses(a->links, &found);
	struct gh_network record;
	int ret;

	addresses = xcalloc(n + 1, sizeof(*addresses));
	for (i = 0; i < n; i++) {
		addresses[i].prefix = found[i].prefix;
		addresses[i].owner = owner_of(a, network, found[i].ifindex);
	}
	ret = network_record_make(a->config, network, addresses, n, &record);
	return ret ?: datapath_network_set(a->dp, network->number, &record);
}

static const char *network_problem(int ret)
{
	switch (ret) {
	case -E2BIG:
		return "the box has too many addresses for its rules";
	case -ENAMETOOLONG:
		return "the portal's name is too long for the redirect";
	default:
		return strerror(-ret);
	}
}

const char *attach_network_problem(
	const struct attach *a, const struct config_network *network)
{
	return a->network_problem[index_of(a, network)];
}

/* A record that cannot be made leaves the last one in force: its rules are
 * old, but a network without a record would cut everyone off. */
static void set_networks(struct attach *a)
{
	int i;

	for (i = 0; i < a->config->network_count && !a->is_unloaded; i++) {
		const struct config_network *network = &a->config->networks[i];
		char *logged = a->network_problem[i];
		int ret = set_network(a, network);
		const char *text = ret ? network_problem(ret) : "";

		if (ret && strcmp(logged, text) != 0)
			log_error("network %s: %s", network->name, text);
		snprintf(logged, sizeof(a->network_problem[i]), "%s", text);
	}
}

static int close_old_networks(struct attach *a)
{
	static const struct gh_network none;
	bool used[GH_NETWORKS_MAX] = {false};
	int i, ret = 0;

	for (i = 0; i < a->config->network_count; i++)
		used[a->config->networks[i].number] = true;
	for (i = 1; !ret && i < GH_NETWORKS_MAX; i++)
		if (!used[i])
			ret = datapath_network_set(a->dp, i, &none);
	return ret;
}

/* What an earlier process left. */

/* One that a configuration named: only such are in our group. */
static bool was_named(struct attach *a, const struct link *link)
{
	struct gh_interface entry = {0};

	datapath_interface_lookup(a->dp, link->ifindex, &entry);
	return link->group == GH_DEVICE_GROUP ||
	       entry.flags & GH_INTERFACE_RETIRED;
}

static int clear_stale_hooks(void *data, int ifindex)
{
	struct attach *a = data;
	const struct link *link = links_by_index(a->links, ifindex);
	int ret;

	if (find_port(a, ifindex))
		return 0;
	if (link && was_named(a, link)) {
		struct port *port = add_port(a, link);

		port->is_named = true;
		port_retire(port);
		return 0;
	}
	ret = hooks_detach(a->dp, ifindex);
	if (ret)
		log_warning("interface %d: cannot detach: %s", ifindex,
			strerror(-ret));
	return 0;
}

static int clear_stale(
	void *data, int ifindex, const struct gh_interface *interface)
{
	struct attach *a = data;
	const struct link *link = links_by_index(a->links, ifindex);

	if (find_port(a, ifindex))
		return 0;
	if (link && link->master && interface->flags & GH_INTERFACE_ISOLATED)
		links_set_isolated(a->links, ifindex, false);
	port_clear_entry(a->dp, ifindex);
	return 0;
}

/* The table in nftables. */

/* True when the table does not know it yet. */
static bool note_inputs(struct attach *a)
{
	bool changed = false;
	int i;

	for (i = 0; i < a->config->network_count; i++) {
		const struct config_network *network = &a->config->networks[i];
		const struct link *link = network_link(a->links, network);
		const char *name = link ? link->name : network->interface;

		changed |= strcmp(a->input[i], name) != 0;
		snprintf(a->input[i], sizeof(a->input[i]), "%s", name);
	}
	return changed;
}

static int apply_nft(struct attach *a)
{
	struct nft_network networks[CONFIG_NETWORKS_MAX];
	struct nft_wish wish = {.networks = networks, .group = GH_DEVICE_GROUP};
	struct nft_error err;
	int i, ret;

	note_inputs(a);
	for (i = 0; i < a->config->network_count; i++)
		networks[i] = (struct nft_network){
			.interface = a->config->networks[i].interface,
			.input = a->input[i],
			.portal4 = a->config->networks[i].portal4,
			.portal6 = a->config->networks[i].portal6};
	wish.network_count = a->config->network_count;
	wish.port_count = config_portal_ports(a->config, wish.ports);
	wish.port_count += config_operator_ports(
		a->config, wish.ports + wish.port_count);
	ret = nft_apply(a->nft, &wish, &err);
	if (ret)
		log_error("nftables: %s",
			err.text[0] ? err.text : strerror(-ret));
	return ret;
}

static void check_nft(struct attach *a)
{
	if (nft_check(a->nft) == 1 && apply_nft(a) == 0)
		repaired(a, "nftables",
			"our table had been changed or removed "
			"and was put back");
}

/* Pacing. */

static void pace(struct attach *a)
{
	size_t i;

	pacing_check(a->pacing);
	for (i = 0; i < a->port_count; i++) {
		struct port *port = a->port[i];

		if (port->row.state == ATTACH_STATE_ATTACHED &&
			!port->row.is_master)
			port_pace(port,
				pacing_of(a->pacing, port->row.ifindex));
	}
}

/* The check each second. */

static void on_check(void *data)
{
	struct attach *a = data;
	size_t i;

	if (a->is_unloaded)
		return;
	check_nft(a);
	find_bypasses(a);
	for (i = 0; i < a->port_count; i++) {
		const char *what = port_check(a->port[i]);

		if (what)
			repaired(a, a->port[i]->row.name, what);
	}
	pace(a);
}

/* Netlink. */

static void on_link(void *data, enum link_event event, const struct link *link)
{
	struct attach *a = data;

	refresh(a);
	/* Which network an address belongs to depends on names and masters. */
	set_networks(a);
	if (!a->is_unloaded && note_inputs(a))
		apply_nft(a);
}

static void on_addresses(void *data)
{
	set_networks(data);
}

static void on_lost(void *data, int err)
{
	log_error("cannot follow the interfaces: %s", strerror(-err));
}

/* Life. */

static int begin(struct attach *a)
{
	int ret;

	/* Closed first: the table waits for groups that are not set yet. */
	ret = apply_nft(a);
	if (ret)
		return ret;
	set_networks(a);
	refresh(a);
	ret = hooks_each(a->dp, clear_stale_hooks, a);
	if (!ret)
		ret = datapath_interface_each(a->dp, clear_stale, a);
	if (!ret)
		ret = close_old_networks(a);
	if (ret)
		log_error("cannot clear what an earlier process left: %s",
			strerror(-ret));
	return ret;
}

int attach_start(struct loop *loop, struct datapath *dp,
	const struct config *config, const struct attach_handlers *handlers,
	struct attach **ret_attach)
{
	struct attach *a = xcalloc(1, sizeof(*a));
	struct link_handlers link_handlers = {on_link, on_addresses, on_lost, a};
	int ret;

	a->loop = loop;
	a->dp = dp;
	a->config = config;
	a->handlers = *handlers;
	ret = links_open(loop, &link_handlers, &a->links);
	if (ret)
		log_error("cannot read the interfaces: %s", strerror(-ret));
	if (!ret) {
		ret = nft_open(&a->nft);
		if (ret)
			log_error("nftables: %s", strerror(-ret));
	}
	if (!ret)
		ret = begin(a);
	if (ret) {
		attach_stop(a);
		return ret;
	}
	a->pacing = pacing_open(config, a->links);
	pace(a);
	loop_timer_start(loop, &a->check, CHECK_NS, CHECK_NS, on_check, a);
	*ret_attach = a;
	return 0;
}

void attach_stop(struct attach *a)
{
	size_t i;

	if (!a)
		return;
	loop_timer_stop(a->loop, &a->check);
	pacing_close(a->pacing);
	if (a->links)
		links_close(a->links);
	nft_close(a->nft);
	for (i = 0; i < a->port_count; i++)
		free(a->port[i]);
	free(a->port);
	free(a);
}

/* Not the first failure shall end an unload: what can be undone is. */
static void keep_first(int *first, int ret)
{
	if (!*first)
		*first = ret;
}

/* The groups go first, so the table drops before the hooks are off. Open: the
 * table goes last, so nothing passes half gated meanwhile. */
int attach_unload(struct attach *a, bool open)
{
	struct nft_error err;
	size_t i;
	int ret = 0;

	a->is_unloaded = true;
	if (!open)
		ret = apply_nft(a);
	for (i = 0; i < a->port_count; i++)
		keep_first(&ret, port_close(a->port[i]));
	/* Without hooks and without the table everybody would get through. */
	if (ret && !open)
		return ret;
	for (i = 0; i < a->port_count; i++)
		keep_first(&ret, port_unload(a->port[i]));
	pacing_remove(a->pacing);
	if (open)
		keep_first(&ret, nft_remove(a->nft, &err));
	return ret;
}

const struct links *attach_links(const struct attach *a)
{
	return a->links;
}

/* Rows. */

static void each_row_of(struct attach *a, const struct config_network *network,
	void (*fn)(void *data, const struct attach_row *row), void *data)
{
	bool any = false;
	size_t i;
	int named;

	for (named = 1; named >= 0; named--)
		for (i = 0; i < a->port_count; i++)
			if (a->port[i]->row.network == network &&
				a->port[i]->is_named == named) {
				fn(data, &a->port[i]->row);
				any = true;
			}
	if (!any) {
		struct attach_row absent = {.network = network};

		memcpy(absent.name, network->interface, sizeof(absent.name));
		snprintf(absent.up, sizeof(absent.up), "none");
		snprintf(absent.down, sizeof(absent.down), "none");
		snprintf(absent.problem, sizeof(absent.problem),
			"no such interface");
		fn(data, &absent);
	}
}

void attach_each(struct attach *a,
	void (*fn)(void *data, const struct attach_row *row), void *data)
{
	size_t i;
	int n;

	for (n = 0; n < a->config->network_count; n++)
		each_row_of(a, &a->config->networks[n], fn, data);
	for (i = 0; i < a->port_count; i++)
		if (!a->port[i]->row.network)
			fn(data, &a->port[i]->row);
}
