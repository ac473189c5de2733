/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's life: what is started in which order, undone in reverse, and
 * what happens at the end of each turn of the loop. Records are right before
 * hooks are attached, and counters are read before records are touched, so
 * that neither a start nor a crash costs a paying guest a packet or a byte.
 */
#include "daemon/gatehoused.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "daemon/access.h"
#include "daemon/accounting.h"
#include "daemon/address_log.h"
#include "daemon/alarms.h"
#include "daemon/backup_job.h"
#include "daemon/coins.h"
#include "daemon/counters.h"
#include "daemon/exemptions.h"
#include "daemon/garden_apply.h"
#include "daemon/group_records.h"
#include "daemon/jobs.h"
#include "daemon/keeping.h"
#include "daemon/keys.h"
#include "daemon/login_throttle.h"
#include "daemon/second_step.h"
#include "daemon/moves.h"
#include "daemon/notify.h"
#include "daemon/ops.h"
#include "daemon/passwords.h"
#include "daemon/privilege.h"
#include "daemon/recover.h"
#include "daemon/session_events.h"
#include "daemon/sliced.h"
#include "daemon/statistics.h"
#include "daemon/store_health.h"
#include "daemon/sync.h"
#include "daemon/uplink.h"
#include "daemon/wall_clock.h"
#include "daemon/watch.h"
#include "daemon/witness.h"
#include "rules/plan_defaults.h"
#include "store/spent.h"

static void on_turn_end(void *data)
{
	struct gatehoused *g = data;

	turn_commit(g);
	coins_follow(g);
	if (g->ending)
		loop_quit(g->loop);
}

/* Events of the kernel: hints only. */

/* First sights are in `captive`, and the expiry timer is as fast as the event. */
static void on_event(void *data, const struct gh_event *event)
{
	struct gatehoused *g = data;
	struct mac mac;

	if (event->type == GH_EVENT_GROUP_EXHAUSTED) {
		groups_take(g, event);
		return;
	}
	watch_event(g, event);
	if (event->type >= GH_EVENT_SUSPICIOUS)
		alarms_take(g->alarms, event);
	if (event->type != GH_EVENT_EXHAUSTED)
		return;
	/* The next credit, if there is one, takes over. */
	memcpy(mac.addr, event->mac.addr, sizeof(mac.addr));
	if (turn_begin(g) == 0)
		sync_touch(g->sync, &mac);
}

/* The descriptor says nothing of what a full batch has left: a timer does. */
static void take_events(void *data)
{
	struct gatehoused *g = data;

	if (events_dispatch(g->events) == EVENTS_BATCH)
		loop_timer_start(
			g->loop, &g->events_rest, 0, 0, take_events, g);
}

static void on_events(void *data, int fd, int events)
{
	take_events(data);
}

static void stop_events(struct gatehoused *g)
{
	if (!g->events)
		return;
	loop_timer_stop(g->loop, &g->events_rest);
	loop_fd_stop(g->loop, &g->events_watch);
	events_close(g->events);
	g->events = NULL;
}

/* Start. */

static int make_state_dir(struct gatehoused *g)
{
	const char *dir = g->config.state_dir;

	if (mkdir(dir, 0700) && errno != EEXIST) {
		log_error("%s: %s", dir, strerror(errno));
		return -errno;
	}
	g->lock = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (g->lock < 0 || flock(g->lock, LOCK_EX | LOCK_NB)) {
		int err = errno;

		log_error("%s: %s", dir,
			err == EWOULDBLOCK ? "another gatehoused is running"
					   : strerror(err));
		fd_close(&g->lock);
		return -err;
	}
	return 0;
}

/* Another state directory with the same socket would take its name away. */
static int check_socket(struct gatehoused *g)
{
	if (!ctl_server_answers(g->config.socket))
		return 0;
	log_error("%s: another gatehoused answers there", g->config.socket);
	return -EADDRINUSE;
}

static void set_rules(struct gatehoused *g)
{
	g->rules.token_days = g->config.token_days;
	memcpy(g->rules.voucher_prefix, g->config.voucher_prefix,
		sizeof(g->rules.voucher_prefix));
}

/* The first transaction: which boot this is, and plans on a first start. */
static int enter(struct gatehoused *g)
{
	char boot_id[BOOT_ID_TEXT];
	int ret = clock_boot_id(boot_id);

	if (!ret)
		ret = store_begin(g->store);
	if (ret)
		return ret;
	ret = keys_check(g->store, &g->rules);
	if (!ret)
		ret = store_boot_enter(
			g->store, boot_id, clock_mono_ns(), &g->rebooted);
	if (!ret)
		ret = plan_defaults(&g->rules, g->config.currency);
	if (!ret)
		ret = store_commit(g->store);
	if (ret)
		store_rollback(g->store);
	if (!ret && g->rebooted)
		log_info("the box was rebooted: sessions continue with the "
			 "time and bytes they had left");
	return ret;
}

static const char *why_not_opened(int ret)
{
	switch (-ret) {
	case EBADMSG:
		return "the database is damaged: restore a backup, or move it "
		       "away to start with an empty one";
	case EPROTO:
		return "it was made by a newer gatehouse: install that version";
	case EKEYREJECTED:
		return "it was made with another key: put the right key file "
		       "beside it (gatehoused --set-key makes it of what "
		       "`gatehousectl key` showed), or move the database away";
	default:
		return store_health_problem(ret);
	}
}

/* A damaged one is not the end: there is a copy. */
static int open_database(struct gatehoused *g, const char *path)
{
	int ret = recover_is_lost(g) ? -EBADMSG : recover_examine(g);

	if (!ret)
		ret = store_open(path, &g->store);
	if (ret != -EBADMSG)
		return ret;
	ret = recover_database(g);
	return ret ? ret : store_open(path, &g->store);
}

static int open_spent(struct gatehoused *g)
{
	char path[PATH_MAX + 16];
	int ret;

	snprintf(path, sizeof(path), "%s/spent.log", g->config.state_dir);
	ret = store_spent_open(g->store, path);
	if (ret)
		log_error("%s: %s", path, strerror(-ret));
	return ret;
}

static int open_store(struct gatehoused *g)
{
	char path[PATH_MAX + 16];
	int ret = keys_load(&g->config, &g->rules, g->password_key);

	if (ret)
		return ret;
	snprintf(path, sizeof(path), "%s/gatehouse.db", g->config.state_dir);
	ret = open_database(g, path);
	g->rules.store = g->store;
	set_rules(g);
	if (!ret)
		ret = wall_clock_start(g);
	if (!ret)
		ret = open_spent(g);
	if (!ret)
		ret = enter(g);
	if (ret)
		log_error("%s: %s", path, why_not_opened(ret));
	return ret;
}

static int open_datapath(struct gatehoused *g)
{
	struct datapath_options options = {.pin_dir = g->config.pin_dir,
		.clients_max = (uint32_t)g->config.clients_max};
	struct datapath_error err = {""};
	int ret = datapath_open(&options, &err, &g->dp);

	if (ret == -ESTALE) {
		/* Another boot's pins: nothing of them can be in force. */
		log_warning("%s was left by an earlier boot: making new maps",
			g->config.pin_dir);
		ret = datapath_unload(g->config.pin_dir, &err);
		if (!ret)
			ret = datapath_open(&options, &err, &g->dp);
	}
	if (ret) {
		log_error("%s: %s%s%s", g->config.pin_dir,
			ret == -EBUSY ? "another gatehoused is running"
				      : strerror(-ret),
			err.text[0] ? ": " : "", err.text);
		return ret;
	}
	log_info("%s the maps in %s",
		datapath_carried_over(g->dp) ? "carried over"
		: datapath_adopted(g->dp)    ? "adopted"
					     : "made",
		g->config.pin_dir);
	if (datapath_meta(g->dp)->clients_max != options.clients_max)
		log_warning("clients_max stays %u: the kernel's table has more "
			    "than %u clients in it",
			datapath_meta(g->dp)->clients_max, options.clients_max);
	return 0;
}

static void on_repaired(void *data, const char *name, const char *what)
{
	struct gatehoused *g = data;

	g->repaired_sec = clock_wall_sec();
	watch_repair(g, name, what);
}

static int start_attach(struct gatehoused *g)
{
	const struct attach_handlers handlers = {
		.repaired = on_repaired, .data = g};
	int ret;

	/* A garden that fails is no reason to leave a gate open. */
	garden_apply(g->dp, &g->config);
	ret = attach_start(
		g->loop, g->dp, &g->config, &handlers, &g->attach);

	if (ret)
		log_error("cannot attach to the guest networks: %s", strerror(-ret));
	return ret;
}

static int start_sync(struct gatehoused *g)
{
	int ret;

	g->sync = sync_new(g);
	g->rules.fold = sync_fold;
	g->rules.seen = sync_seen;
	g->rules.data = g->sync;
	g->rules.happened = session_events_note;
	g->rules.listener = g->session_events;
	ret = sync_start(g->sync);
	if (ret)
		log_error("cannot bring the clients' records up to date: %s",
			strerror(-ret));
	return ret;
}

static int start_events(struct gatehoused *g)
{
	int ret = events_open(g->dp, on_event, g, &g->events);

	if (ret) {
		log_error("cannot read the kernel's events: %s", strerror(-ret));
		return ret;
	}
	loop_fd_start(g->loop, &g->events_watch, events_fd(g->events),
		LOOP_READ, on_events, g);
	return 0;
}

static int start_witness(struct gatehoused *g)
{
	int ret = witness_start(g);

	if (ret)
		log_error("cannot read the neighbour table: %s", strerror(-ret));
	return ret;
}

static int start_ctl(struct gatehoused *g)
{
	int ret = ctl_server_new(g->loop, g->config.socket,
		g->config.socket_group, ops_handle, g, &g->ctl);

	if (ret)
		log_error("cannot listen at %s: %s", g->config.socket,
			strerror(-ret));
	return ret;
}

static int start_passwords(struct gatehoused *g)
{
	int ret = passwords_new(g->loop, g->password_key, &g->passwords);

	if (ret)
		log_error("cannot start a thread: %s", strerror(-ret));
	return ret;
}

static int serve_ctl(struct gatehoused *g)
{
	int ret = ctl_server_start(g->ctl);

	if (ret)
		log_error("cannot start a thread: %s", strerror(-ret));
	return ret;
}

static void on_watchdog(void *data)
{
	notify_send("WATCHDOG=1");
}

static int drop_privilege(struct gatehoused *g)
{
	int ret = privilege_drop();

	if (ret)
		log_error("cannot drop capabilities: %s", strerror(-ret));
	return ret;
}

static const struct {
	const char *name;
	int (*start)(struct gatehoused *g);
	bool needs_store; /* without it the gate at least is closed */
} steps[] = {
	/* Before anything else: the others must not run twice. */
	{"state directory", make_state_dir, false},
	{"socket's name", check_socket, false},
	{"store", open_store, true},
	{"datapath", open_datapath, false},
	{"recovery", recover, true},
	/* Before the hooks: nobody who paid is captive for a moment. */
	{"records", start_sync, true},
	{"networks", start_attach, false},
	{"events", start_events, false},
	{"neighbours", start_witness, false},
	{"coin slots", coins_start, false},
	{"control socket", start_ctl, false},
	{"privilege", drop_privilege, false},
	{"passwords", start_passwords, false},
	{"service", serve_ctl, false},
};

/* After a reboot there is no gate yet: a damaged database or a full disk must
 * not mean that everybody gets through. Who is online stays so. */
static void close_gate(struct gatehoused *g)
{
	if (!g->dp && open_datapath(g))
		return;
	if (start_attach(g) == 0)
		log_error("shutting down; the gate is in force, but nobody new "
			  "gets in");
}

int gatehoused_start(struct gatehoused *g)
{
	int64_t watchdog = notify_watchdog_ns();
	size_t i;
	int ret;

	g->lock = -1;
	g->started_ns = clock_mono_ns();
	g->loop = loop_new();
	if (!g->loop)
		return -ENOMEM;
	g->throttle = throttle_new();
	g->login_throttle = login_throttle_new();
	g->second_steps = second_steps_new();
	g->qr_tries = counters_new();
	g->access_log = access_log_new();
	g->alarms = alarms_new(g);
	g->moves = moves_new();
	g->session_events = session_events_new(g);
	role_table_init(&g->roles, &g->config);
	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		log_debug("start: %s", steps[i].name);
		ret = steps[i].start(g);
		if (ret) {
			if (steps[i].needs_store)
				close_gate(g);
			gatehoused_stop(g);
			return ret;
		}
	}
	g->jobs = jobs_start(g);
	loop_idle_start(g->loop, &g->turn_end, on_turn_end, g);
	/* Dates may have come while the box was off. */
	if (exemptions_settle(g))
		log_warning("cannot look at exemptions; the next look is in a "
			    "minute");
	if (watchdog)
		loop_timer_start(g->loop, &g->watchdog, watchdog, watchdog,
			on_watchdog, g);
	log_info("ready: %d network%s", g->config.network_count,
		g->config.network_count == 1 ? "" : "s");
	notify_send("READY=1");
	return 0;
}

void gatehoused_run(struct gatehoused *g)
{
	loop_run(g->loop);
}

/* In reverse order; each part knows how to stop half started or not at all. */
void gatehoused_stop(struct gatehoused *g)
{
	notify_send("STOPPING=1");
	if (g->jobs && g->dp && accounting_sweep_whole(g) == 0) {
		alarms_flush(g->alarms);
		address_log_take_whole(g);
		access_log_write(g);
		turn_commit(g);
	}
	jobs_stop(g->jobs);
	backup_stop(g);
	address_log_stop(g);
	keeping_stop(g);
	statistics_stop(g);
	sliced_stop(g);
	passwords_free(g->passwords);
	ctl_server_free(g->ctl);
	coins_stop(g);
	witness_stop(g);
	stop_events(g);
	alarms_free(g->alarms);
	moves_free(g->moves);
	session_events_free(g->session_events);
	attach_stop(g->attach);
	sync_free(g->sync);
	explain_free(g->explain);
	datapath_close(g->dp);
	store_close(g->store);
	uplink_free(g->uplink);
	throttle_free(g->throttle);
	login_throttle_free(g->login_throttle);
	second_steps_free(g->second_steps);
	counters_free(g->qr_tries);
	access_log_free(g->access_log);
	fd_close(&g->lock);
	loop_free(g->loop);
}

/* While it runs. */

/* Whatever line of the file they are on. */
static bool same_coins(const struct config *a, const struct config *b)
{
	const size_t from = offsetof(struct config_coin, name);
	int i, differ = a->coin_count != b->coin_count;

	for (i = 0; !differ && i < a->coin_count; i++)
		differ = memcmp((const char *)&a->coins[i] + from,
			(const char *)&b->coins[i] + from,
			sizeof(a->coins[i]) - from);
	return !differ;
}

/* What is only read at start. */
static bool needs_restart(const struct config *a, const struct config *b)
{
	return strcmp(a->state_dir, b->state_dir) ||
	       strcmp(a->socket, b->socket) ||
	       strcmp(a->socket_group, b->socket_group) ||
	       strcmp(a->pin_dir, b->pin_dir) ||
	       a->clients_max != b->clients_max ||
	       !same_coins(a, b);
}

void gatehoused_reload(struct gatehoused *g)
{
	_cleanup_free_ struct config *config = xcalloc(1, sizeof(*config));
	int ret = config_load(g->config_path, CONFIG_FOR_GATE, config,
		config_report, NULL);

	if (ret) {
		log_error("%s is not applied: %s", g->config_path,
			ret == -EINVAL ? "it has faults, see above" : strerror(-ret));
		return;
	}
	if (needs_restart(config, &g->config)) {
		log_error("%s is not applied: state_dir, socket, socket_group, "
			  "pin_dir, clients_max and coin slots need a restart",
			g->config_path);
		return;
	}
	/* Hooks stay in force meanwhile and are taken over. */
	attach_stop(g->attach);
	g->attach = NULL;
	g->config = *config;
	set_rules(g);
	role_table_init(&g->roles, &g->config);
	if (start_attach(g)) {
		log_error("shutting down, to be restarted; the gate stays in "
			  "force");
		g->ending = true;
		return;
	}
	sync_renumber(g->sync);
	jobs_stop(g->jobs);
	g->jobs = jobs_start(g);
	log_info("applied %s: %d network%s", g->config_path,
		g->config.network_count,
		g->config.network_count == 1 ? "" : "s");
}

int gatehoused_unload(struct gatehoused *g, bool open)
{
	struct datapath_error err = {""};
	int ret, swept, removed = 0;

	stop_events(g);
	ret = attach_unload(g->attach, open);
	/* The last counters: nothing counts any more, and the maps are there. */
	swept = accounting_sweep_whole(g);
	if (!swept)
		swept = turn_commit(g);
	if (swept)
		log_error("cannot store the last counters: %s", strerror(-swept));
	attach_stop(g->attach);
	g->attach = NULL;
	explain_free(TAKE_PTR(g->explain));
	datapath_close(g->dp);
	g->dp = NULL;
	g->ending = true;
	/* Hooks that are left may be all that keeps the gate closed. */
	if (!ret || open)
		removed = datapath_unload(g->config.pin_dir, &err);
	if (!ret)
		ret = removed;
	if (ret)
		log_error("unload: %s%s%s", strerror(-ret),
			err.text[0] ? ": " : "", err.text);
	else
		log_info("the gate is removed: %s",
			open ? "everybody gets through" : "nobody gets through");
	return ret;
}
