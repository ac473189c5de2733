/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The address log is what the source check knows, written down: an address
 * belongs to the client that uses it and to no other (docs/design.md 4.14), so
 * what is logged is what was let through. Only where sources are not checked
 * the log has what was heard, which a client may have made up.
 *
 * The kernel's table outlives the daemon, and so an address that is still in it
 * after a restart has been its owner's all the time. Like the sweep, a look
 * goes in slices with turns of the loop between them.
 */
#include "daemon/address_log.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "daemon/client_json.h"
#include "datapath/bindings.h"
#include "store/keeping.h"

#define GAP_SEC	 3600 /* unused so long: another use (as bindings_clean()) */
#define GROW_SEC 60   /* the end is written so often */
#define IDLE_NS	 (30 * NSEC_PER_SEC) /* then the end is written as it is */
#define SLICE_NS (10 * NSEC_PER_MSEC)
#define PAUSE_NS NSEC_PER_MSEC

struct address_log {
	struct gatehoused *g;
	struct loop_timer timer;
	struct bindings_walk *walk; /* NULL: no look is under way */
	struct moment now;
	int64_t gap_sec, grow_sec;
	int64_t seen_ns; /* what was seen until then is in the log */
	int64_t next_seen_ns;
};

/* How long nobody looked, at most. After a reboot the kernel's table begins
 * empty, but over a restart it goes on. */
static int64_t away_sec(struct gatehoused *g, int64_t now_sec)
{
	int64_t last_sec;

	if (!datapath_adopted(g->dp) ||
		store_address_last(g->store, &last_sec) || last_sec > now_sec)
		return 0;
	return now_sec - last_sec;
}

static struct address_log *log_of(struct gatehoused *g)
{
	if (!g->address_log) {
		g->address_log = xcalloc(1, sizeof(*g->address_log));
		g->address_log->g = g;
		g->address_log->gap_sec =
			GAP_SEC + away_sec(g, clock_wall_sec());
	}
	return g->address_log;
}

/* What DHCP gave and nobody used yet is somebody's as well. */
static int note(void *data, const struct binding *binding)
{
	struct address_log *log = data;
	const struct config_network *network =
		config_network_numbered(&log->g->config, binding->network);
	struct address_use use = {.mac = binding->mac, .ip = binding->ip};
	int64_t ago = log->now.mono_ns - (int64_t)binding->seen_ns;

	if (!network)
		return 0;
	if (!binding->seen_ns)
		ago = 0;
	else if ((int64_t)binding->seen_ns < log->seen_ns)
		return 0;
	memcpy(use.network, network->name, sizeof(network->name));
	use.to_at = log->now.wall_sec - ago / NSEC_PER_SEC;
	use.from_at = use.to_at;
	return store_address_note(log->g->store, &use, log->gap_sec,
		ago > IDLE_NS ? 0 : log->grow_sec);
}

static int note_unchecked(void *data, const struct binding *binding)
{
	struct address_log *log = data;
	const struct config_network *network =
		config_network_numbered(&log->g->config, binding->network);

	if (!network || network->source_check != CONFIG_SOURCE_OFF)
		return 0;
	return note(data, binding);
}

static bool has_unchecked(const struct config *config)
{
	int i;

	for (i = 0; i < config->network_count; i++)
		if (config->networks[i].source_check == CONFIG_SOURCE_OFF)
			return true;
	return false;
}

static void begin(struct address_log *log, int64_t grow_sec)
{
	log->now = moment_now();
	log->next_seen_ns = log->now.mono_ns;
	log->grow_sec = grow_sec;
	log->walk = bindings_walk_new(log->g->dp);
}

static void end(struct address_log *log, bool is_whole)
{
	loop_timer_stop(log->g->loop, &log->timer);
	bindings_walk_free(TAKE_PTR(log->walk));
	if (!is_whole)
		return;
	/* An end that was not worth writing is looked at once more; what the
	 * kernel notes is true to a second. */
	log->seen_ns = log->next_seen_ns - (GROW_SEC + 2) * NSEC_PER_SEC;
	log->gap_sec = GAP_SEC;
}

/* One transaction. */
static int slice(struct address_log *log, bool *ret_more)
{
	int64_t begun = clock_mono_ns();
	int ret = turn_begin(log->g);

	*ret_more = true;
	while (!ret && *ret_more && clock_mono_ns() - begun < SLICE_NS)
		ret = bindings_walk_next(log->walk, note, log, ret_more);
	if (!ret && !*ret_more && has_unchecked(&log->g->config))
		ret = sightings_each(log->g->dp, note_unchecked, log);
	return ret ?: turn_commit(log->g);
}

static int go_on(struct address_log *log);

static void on_pause_over(void *data)
{
	int ret = go_on(data);

	if (ret)
		log_warning("the address log: %s", strerror(-ret));
}

static int go_on(struct address_log *log)
{
	bool more;
	int ret = slice(log, &more);

	if (ret || !more)
		end(log, !ret);
	else
		loop_timer_start(log->g->loop, &log->timer, PAUSE_NS, 0,
			on_pause_over, log);
	return ret;
}

int address_log_take(struct gatehoused *g)
{
	struct address_log *log;

	if (!g->dp)
		return 0;
	log = log_of(g);
	if (log->walk)
		return 0;
	begin(log, GROW_SEC);
	return go_on(log);
}

int address_log_note(struct gatehoused *g, const struct mac *mac)
{
	struct address_log *log = log_of(g);
	int64_t grow_sec = log->grow_sec;
	int ret;

	log->now = moment_now();
	log->grow_sec = 0;
	ret = bindings_of(g->dp, mac, note, log);
	log->grow_sec = grow_sec;
	return ret;
}

int address_log_take_whole(struct gatehoused *g)
{
	struct address_log *log;
	bool more = true;
	int ret = 0;

	if (!g->dp)
		return 0;
	log = log_of(g);
	end(log, false);
	begin(log, 0);
	while (!ret && more)
		ret = slice(log, &more);
	end(log, false);
	return ret;
}

void address_log_stop(struct gatehoused *g)
{
	if (!g->address_log)
		return;
	end(g->address_log, false);
	free(TAKE_PTR(g->address_log));
}
