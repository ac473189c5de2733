/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The order on an interface is what keeps it closed: map entry, isolation,
 * hooks, and only then the device group that our nftables table waits for;
 * backwards when it is given up or a hook is found missing.
 */
#include "daemon/port.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"

struct port *port_new(
	struct datapath *dp, struct links *links, const struct link *link)
{
	struct port *port = xcalloc(1, sizeof(*port));
	struct gh_interface left = {0};

	port->dp = dp;
	port->links = links;
	port->row.ifindex = link->ifindex;
	port->row.state = ATTACH_STATE_FAILED;
	/* By an earlier process. */
	datapath_interface_lookup(dp, link->ifindex, &left);
	port->we_isolated = left.flags & GH_INTERFACE_ISOLATED;
	return port;
}

/* One line for a problem however often it is met again. */
static void fail(struct port *port, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void fail(struct port *port, const char *fmt, ...)
{
	char text[sizeof(port->row.problem)];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (strcmp(text, port->row.problem) != 0)
		log_error("%s: closed: %s", port->row.name, text);
	memcpy(port->row.problem, text, sizeof(text));
	port->row.state = ATTACH_STATE_FAILED;
	port->hooks = (struct hook_state){HOOK_WAY_NONE, HOOK_WAY_NONE};
}

/*
 * Only interfaces that the configuration names are guarded by nftables; a port
 * is guarded by the hooks of its bridge.
 */
static int set_group(const struct port *port, bool is_open)
{
	const struct link *link = links_by_index(port->links, port->row.ifindex);
	uint32_t group = is_open ? GH_DEVICE_GROUP : 0;

	/* What the table says of the group may be of a moment ago. */
	if (!port->is_named || !link)
		return 0;
	return links_set_group(port->links, port->row.ifindex, group);
}

/* A port that is there because its bridge is named. */
static bool is_meeting(const struct port *port)
{
	return !port->is_named && !port->row.network->isolate;
}

static int set_interface(const struct port *port)
{
	const struct link *link = links_by_index(port->links, port->row.ifindex);
	const struct link *box = link;
	struct gh_interface interface = {
		.network = port->row.network->number,
		.flags = (port->row.is_master ? GH_INTERFACE_MASTER : 0) |
			 (port->we_isolated ? GH_INTERFACE_ISOLATED : 0) |
			 (is_meeting(port) ? GH_INTERFACE_MEET : 0) |
			 port->pace.flags,
		.paced_packets = port->pace.packets,
	};

	if (!link)
		return -ENODEV;
	/* Behind a port the box answers from its bridge's address. */
	if (!port->is_named)
		box = links_by_index(port->links, link->master);
	if (!box)
		return -ENODEV;
	memcpy(interface.mac, box->mac.addr, sizeof(interface.mac));
	return datapath_interface_set(port->dp, port->row.ifindex, &interface);
}

/* Noted in the map before it is done, so that it is undone whatever happens. */
static int set_isolated(struct port *port, bool is_isolated)
{
	int ret = 0;

	if (is_isolated) {
		port->we_isolated = true;
		ret = set_interface(port);
	}
	if (!ret)
		ret = links_set_isolated(
			port->links, port->row.ifindex, is_isolated);
	if (!ret && !is_isolated) {
		port->we_isolated = false;
		ret = set_interface(port);
	}
	return ret;
}

/* Only ports that are there because their bridge is named. */
static int keep_isolated(struct port *port)
{
	const struct link *link = links_by_index(port->links, port->row.ifindex);
	bool is_wanted = port->row.network->isolate && !port->is_named;
	int ret = 0;

	if (!link)
		return -ENODEV;
	if (is_wanted && !link->is_isolated)
		ret = set_isolated(port, true);
	else if (!is_wanted && port->we_isolated)
		ret = set_isolated(port, false);
	port->row.is_isolated = is_wanted || link->is_isolated;
	return ret;
}

static void note_vlan(void *data, const struct link *link)
{
	int *parent = data;

	if (link->parent == *parent)
		*parent = 0;
}

/* Whether devices are made on it: tags matter then, and XDP sees none that a
 * network card has taken off, nor can it put one on an answer. */
static bool carries_vlans(const struct port *port)
{
	int parent = port->row.ifindex;

	links_each(port->links, note_vlan, &parent);
	return !parent;
}

/* On drivers of virtual devices XDP costs more than it saves (docs/design.md 4.1). */
static enum hook_mode mode_of(const struct port *port, const struct link *link)
{
	switch (port->row.network->hook) {
	case CONFIG_HOOK_XDP:
		return HOOK_MODE_XDP;
	case CONFIG_HOOK_TC:
		return HOOK_MODE_TC;
	case CONFIG_HOOK_AUTO:
		break;
	}
	return link->kind[0] || carries_vlans(port) ? HOOK_MODE_TC : HOOK_MODE_AUTO;
}

static void describe(struct port *port)
{
	snprintf(port->row.up, sizeof(port->row.up), "%s",
		hook_way_name(port->hooks.up));
	snprintf(port->row.down, sizeof(port->row.down), "%s",
		hook_way_name(port->hooks.down));
}

/* The hooks stay: what does come to them shall meet them. */
static void close_bypassed(struct port *port)
{
	struct hook_state hooks = port->hooks;

	set_group(port, false);
	fail(port, "%s", port->bypass);
	port->hooks = hooks;
	describe(port);
}

/* What is the operator's own stays; but what an XDP program takes never comes
 * to us. */
static void note_others(struct port *port)
{
	uint32_t id = hooks_xdp_before(port->row.ifindex, &port->hooks);
	char text[sizeof(port->row.problem)] = "";

	if (id)
		snprintf(text, sizeof(text),
			"XDP program %u runs before the gate: what it redirects "
			"or answers is not gated",
			id);
	else if (port->row.network->isolate)
		snprintf(text, sizeof(text), "%s", port->note);
	if (text[0] && strcmp(text, port->row.problem) != 0)
		log_warning("%s: %s", port->row.name, text);
	memcpy(port->row.problem, text, sizeof(text));
}

static void attach_port(struct port *port)
{
	const struct link *link = links_by_index(port->links, port->row.ifindex);
	struct datapath_error err;
	int ret;

	if (!link)
		return;
	ret = set_interface(port);
	if (ret) {
		fail(port, "cannot write its map entry: %s", strerror(-ret));
		return;
	}
	ret = keep_isolated(port);
	if (ret) {
		fail(port, "cannot isolate it from other ports: %s", strerror(-ret));
		return;
	}
	port->mode = mode_of(port, link);
	ret = hooks_attach(port->dp, port->row.ifindex, port->role, port->mode,
		&err, &port->hooks);
	if (ret) {
		set_group(port, false);
		/* ENODEV: netlink is about to say that it went. */
		if (ret != -ENODEV)
			fail(port, "%s", err.text);
		describe(port);
		return;
	}
	if (port->bypass[0]) {
		close_bypassed(port);
		return;
	}
	ret = set_group(port, true);
	if (ret) {
		fail(port, "cannot set its device group: %s", strerror(-ret));
		return;
	}
	if (port->row.state != ATTACH_STATE_ATTACHED)
		log_info("%s: network %s: %s, up %s, down %s", port->row.name,
			port->row.network->name,
			port->row.is_master ? "bridge" : "gated",
			hook_way_name(port->hooks.up),
			hook_way_name(port->hooks.down));
	describe(port);
	port->row.state = ATTACH_STATE_ATTACHED;
	port->row.problem[0] = '\0';
	note_others(port);
}

void port_clear_entry(struct datapath *dp, int ifindex)
{
	static const struct gh_interface none;
	int ret = datapath_interface_set(dp, ifindex, &none);

	if (ret && ret != -ERANGE)
		log_warning("cannot clear interface %d: %s", ifindex,
			strerror(-ret));
}

void port_detach(struct port *port)
{
	const struct link *link = links_by_index(port->links, port->row.ifindex);
	int ret;

	if (link) {
		log_warning("%s: no longer part of network %s: detaching",
			port->row.name, port->row.network->name);
		set_group(port, false);
	}
	ret = hooks_detach(port->dp, port->row.ifindex);
	if (ret)
		log_warning("%s: cannot detach: %s", port->row.name,
			strerror(-ret));
	if (link && link->master && port->we_isolated)
		set_isolated(port, false);
	port_clear_entry(port->dp, port->row.ifindex);
}

void port_retire(struct port *port)
{
	const struct gh_interface closed = {.flags = GH_INTERFACE_RETIRED};
	int ret;

	if (port->row.state != ATTACH_STATE_RETIRED)
		log_warning("%s: in no [network] any more: it stays closed; "
			    "only gatehousectl unload opens it",
			port->row.name);
	ret = datapath_interface_set(port->dp, port->row.ifindex, &closed);
	if (ret)
		log_error("%s: cannot close it: %s", port->row.name,
			strerror(-ret));
	set_group(port, false);
	port->row.network = NULL;
	port->row.state = ATTACH_STATE_RETIRED;
	snprintf(port->row.problem, sizeof(port->row.problem),
		"no longer configured; closed until it is or until an unload");
}

void port_refresh(struct port *port)
{
	const struct link *link = links_by_index(port->links, port->row.ifindex);

	if (port->row.state == ATTACH_STATE_RETIRED)
		return;
	if (port->row.state != ATTACH_STATE_ATTACHED || set_interface(port) ||
		keep_isolated(port) || (link && mode_of(port, link) != port->mode))
		attach_port(port);
	/* Attached, but somebody took it out of our group. */
	else if (port->is_named && link && link->group != GH_DEVICE_GROUP &&
		 hooks_check(port->dp, port->row.ifindex, port->role,
			 &port->hooks) == HOOK_FAULT_NONE)
		set_group(port, true);
}

void port_pace(struct port *port, struct pace pace)
{
	bool changed = port->pace.flags != pace.flags ||
		       port->pace.packets != pace.packets;

	port->pace = pace;
	if (changed && set_interface(port))
		port->pace = (struct pace){0}; /* tried again */
	port->row.is_down_paced = port->pace.flags & GH_INTERFACE_PACED_DOWN;
	port->row.is_up_paced = port->pace.flags & GH_INTERFACE_PACED_UP &&
				port->hooks.up != HOOK_WAY_XDP;
}

static const char *fault_text(enum hook_fault fault)
{
	switch (fault) {
	case HOOK_FAULT_NONE:
		break;
	case HOOK_FAULT_GONE:
		return "a hook had been removed and was put back";
	case HOOK_FAULT_BEHIND:
		return "another program ran before ours, which was put first";
	case HOOK_FAULT_OTHER:
		return "a hook had another program and was put right";
	}
	return "";
}

const char *port_check(struct port *port)
{
	enum hook_fault fault;

	if (port->row.state == ATTACH_STATE_RETIRED)
		return NULL;
	if (port->row.state != ATTACH_STATE_ATTACHED || port->bypass[0]) {
		attach_port(port);
		return NULL;
	}
	/* The interface is gone and netlink has not said so yet: not a fault. */
	if (!links_by_index(port->links, port->row.ifindex))
		return NULL;
	fault = hooks_check(
		port->dp, port->row.ifindex, port->role, &port->hooks);
	if (fault == HOOK_FAULT_NONE) {
		note_others(port);
		return NULL;
	}
	/* Closed while it is repaired; a program cannot be moved forward. */
	set_group(port, false);
	if (fault == HOOK_FAULT_BEHIND)
		hooks_detach(port->dp, port->row.ifindex);
	port->row.state = ATTACH_STATE_FAILED;
	attach_port(port);
	if (port->row.state != ATTACH_STATE_ATTACHED)
		return NULL;
	port->row.repairs++;
	return fault_text(fault);
}

int port_close(struct port *port)
{
	int ret = set_group(port, false);

	/* Gone without a notification yet: nothing passes there. */
	return ret == -ENODEV ? 0 : ret;
}

int port_unload(struct port *port)
{
	const struct link *link = links_by_index(port->links, port->row.ifindex);
	int detached = hooks_detach(port->dp, port->row.ifindex);
	int ret = 0;

	if (detached)
		log_error("%s: cannot detach: %s", port->row.name,
			strerror(-detached));
	if (link && link->master && port->we_isolated)
		ret = set_isolated(port, false);
	port_clear_entry(port->dp, port->row.ifindex);
	return detached ?: ret;
}
