/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Jobs that look at what happened and write down sums of it. Live sessions are
 * gone through a thousand at a time, with turns of the loop between; what a
 * slice counts is one transaction with the mark that it is counted.
 */
#include "daemon/statistics.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/ip.h"
#include "base/log.h"
#include "base/util.h"
#include "daemon/alarms.h"
#include "daemon/network_link.h"
#include "store/keeping.h"

#define AT_ONCE	  1000
#define PAUSE_NS  NSEC_PER_MSEC
#define FIRST_SEC (7 * SEC_PER_DAY) /* so far back the first run looks */
#define LATE_SEC  120 /* what may have been under way at the last run */
#define WATCH_SEC 1800

struct statistics {
	struct gatehoused *g;
	struct loop_timer timer;
	struct mac place;
};

static int count_live(struct statistics *statistics, bool *ret_more)
{
	struct gatehoused *g = statistics->g;
	int ret = turn_begin(g);

	return ret ?: store_statistics_live(g->store, clock_wall_sec(),
			      g->config.currency, &statistics->place, AT_ONCE,
			      ret_more);
}

static void on_more(void *data)
{
	struct statistics *statistics = data;
	bool more = false;
	int ret = count_live(statistics, &more);

	if (ret)
		log_warning("statistics: %s", strerror(-ret));
	if (ret || !more)
		statistics_stop(statistics->g);
	else
		loop_timer_start(statistics->g->loop, &statistics->timer,
			PAUSE_NS, 0, on_more, statistics);
}

/* Since when there may be news. The clock may have been ahead. */
static int64_t since(struct gatehoused *g, int64_t now)
{
	struct job_run last;

	if (store_job_lookup(g->store, "statistics", &last))
		return now - FIRST_SEC;
	return MIN(last.last_run_at, now) - LATE_SEC;
}

int statistics_count(struct gatehoused *g)
{
	int64_t now = clock_wall_sec(), from = since(g, now);
	const char *currency = g->config.currency;
	int ret;

	if (g->statistics)
		return 0;
	ret = turn_begin(g);
	if (!ret)
		ret = store_statistics_sessions(g->store, currency, from);
	if (!ret)
		ret = store_statistics_revenue(g->store, from);
	if (!ret)
		ret = store_statistics_ended(
			g->store, now, currency, from, INT64_MAX);
	if (ret)
		return ret;
	g->statistics = xcalloc(1, sizeof(*g->statistics));
	g->statistics->g = g;
	on_more(g->statistics);
	return 0;
}

void statistics_stop(struct gatehoused *g)
{
	if (!g->statistics)
		return;
	loop_timer_stop(g->loop, &g->statistics->timer);
	free(TAKE_PTR(g->statistics));
}

/* More than so many in half an hour are no accident. */
static const struct {
	const char *type;
	int64_t most;
	const char *alarm;
	const char *description;
} watched[] = {
	{"two_networks", 3, "many_clones",
		"many devices with another one's MAC in half an hour"},
	{"two_systems", 3, "many_clones",
		"many devices with another one's MAC in half an hour"},
	{"token_contested", 3, "many_contested_tokens",
		"many sessions went to other devices by their tokens"},
	{"spoofed", 50, "many_spoofed",
		"many packets with another one's address in half an hour"},
	{"login_refused", 10, "many_refused_logins",
		"many logins of operators were refused in half an hour"},
	{"guessing", 10, "much_guessing",
		"many wrong voucher codes in half an hour"},
	{"coin_noise", 10, "much_coin_noise",
		"a coin slot sent many pulses that are no coins"},
};

int statistics_watch_events(struct gatehoused *g)
{
	int64_t from = clock_wall_sec() - WATCH_SEC, sum;
	size_t i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(watched); i++) {
		ret = store_security_event_sum(
			g->store, watched[i].type, from, &sum);
		if (ret)
			return ret;
		if (sum > watched[i].most)
			alarms_raise(g->alarms, watched[i].alarm, SEVERITY_HIGH,
				NULL, NULL, 0, watched[i].description);
	}
	return 0;
}

static void name_it(struct gatehoused *g, struct gateway *gateway)
{
	const struct config_network *network = &g->config.networks[0];
	const struct ipaddr *addr = ip_is_zero(&network->portal4)
					    ? &network->portal6
					    : &network->portal4;
	const struct link *link =
		g->attach ? network_link(attach_links(g->attach), network) : NULL;

	if (gethostname(gateway->name, sizeof(gateway->name) - 1))
		gateway->name[0] = '\0';
	if (!ip_is_zero(addr))
		ip_format(addr, gateway->ip);
	if (link)
		gateway->mac = link->mac;
}

int statistics_note_gateway(struct gatehoused *g)
{
	struct gateway gateway = {
		.is_online = g->dp != NULL,
		.last_seen = clock_wall_sec(),
	};
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	double loads[2];
	int ret = turn_begin(g);

	name_it(g, &gateway);
	if (getloadavg(loads, 2) == 2 && cpus > 0)
		gateway.load_percent = (int64_t)(loads[1] * 100 / (double)cpus);
	if (!ret)
		ret = store_session_count(g->store, &gateway.active_users);
	return ret ?: store_gateway_put(g->store, &gateway);
}
