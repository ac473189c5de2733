/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Recovery is one transaction: after a crash in it, it happens once more from
 * the beginning, and what it adds it adds once.
 */
#include "daemon/recover.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "daemon/alarms.h"
#include "daemon/backup.h"
#include "daemon/client_json.h"
#include "rules/recover.h"
#include "store/copy.h"

static int redeemed(void *data, const struct spent_voucher *voucher, int64_t *ret_id)
{
	struct gatehoused *g = data;
	struct moment now = moment_now();

	return recover_voucher(&g->rules, voucher,
		store_spent_last_at(g->store), &now, ret_id);
}

static int replay(struct gatehoused *g)
{
	struct spent_replayed replayed;
	char detail[128];
	int ret = store_spent_replay(g->store, redeemed, g, &replayed);

	if (ret || !(replayed.lines + replayed.damaged))
		return ret;
	snprintf(detail, sizeof(detail),
		"%d lines of spent.log: %d vouchers, %d payments; %lld are missing",
		replayed.lines, replayed.vouchers, replayed.payments,
		(long long)replayed.missing);
	log_warning("the database is older than what was spent: replayed %s", detail);
	return store_audit(g->store, clock_wall_sec(), "gatehoused", "replay",
		NULL, 0, detail);
}

/* The database as a whole. */

bool recover_is_lost(const struct gatehoused *g)
{
	_cleanup_free_ char *db = backup_db_path(&g->config);
	_cleanup_free_ char *copy = backup_copy_path(&g->config);
	struct stat st;

	return access(copy, F_OK) == 0 &&
	       (stat(db, &st) ? errno == ENOENT : st.st_size == 0);
}

static char *suspect_path(const struct gatehoused *g)
{
	return xasprintf("%s/gatehouse.db.suspect", g->config.state_dir);
}

int recover_database(struct gatehoused *g)
{
	_cleanup_free_ char *copy = backup_copy_path(&g->config);
	_cleanup_free_ char *suspect = suspect_path(g);
	_cleanup_free_ char *aside = NULL;
	int ret;

	if (access(copy, F_OK))
		return -EBADMSG;
	ret = backup_set_aside(&g->config, "damaged", &aside);
	if (!ret)
		ret = backup_put_copy(&g->config);
	if (ret) {
		log_error("cannot put %s in the place of the damaged database: %s",
			copy, strerror(-ret));
		return ret;
	}
	unlink(suspect);
	log_error("the database is damaged or gone: going on with the last good "
		  "copy; what was there is %s", aside);
	return 0;
}

void recover_suspect(struct gatehoused *g)
{
	_cleanup_free_ char *path = suspect_path(g);
	_cleanup_fd_ int fd =
		open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		log_error("%s: %s", path, strerror(errno));
	log_error("the database is damaged; starting again to look at it");
}

int recover_examine(struct gatehoused *g)
{
	_cleanup_free_ char *db = backup_db_path(&g->config);
	_cleanup_free_ char *path = suspect_path(g);
	int ret = access(path, F_OK) ? 0 : store_check(db);

	if (!ret)
		unlink(path);
	return ret;
}

/* What happened since the copy. */

struct clients_found {
	struct gatehoused *g;
	struct moment now;
	int64_t record_id, session_id; /* the highest ones */
	int kept;
};

static int64_t limit(uint64_t number, uint64_t none)
{
	return number == none ? UNLIMITED : (int64_t)MIN(number, INT64_MAX - 1);
}

static bool session_state(enum gh_state state, enum session_state *ret_state)
{
	switch (state) {
	case GH_STATE_RUNNING:
		*ret_state = SESSION_RUNNING;
		return true;
	case GH_STATE_PAUSED:
		*ret_state = SESSION_PAUSED;
		return true;
	case GH_STATE_HELD:
		*ret_state = SESSION_HELD;
		return true;
	case GH_STATE_CLOSED:
	case GH_STATE_BLOCKED:
	case GH_STATE_EXEMPT:
		break;
	}
	return false;
}

/* sync_quota(), read backwards. */
static void read_quota(uint64_t quota, struct recover_client *known)
{
	known->bytes_left = UNLIMITED;
	if (quota == GH_UNLIMITED)
		return;
	if (quota & GH_QUOTA_UP)
		known->counts = COUNTS_UP;
	else if (quota & GH_QUOTA_DOWN)
		known->counts = COUNTS_DOWN;
	known->bytes_left = MAX((int64_t)(quota & GH_QUOTA_BYTES) -
			counted(known->counts, known->raw_up, known->raw_down), 0);
}

static int take_client(void *data, const struct client *client)
{
	struct clients_found *found = data;
	const struct gh_client *record = &client->record;
	const struct gh_policy *policy = &record->policy;
	struct recover_client known = {
		.mac = client->mac,
		.deadline_ns = limit(policy->expires_ns, GH_NEVER),
		.rates = {datapath_price_rate(policy->up_price),
			datapath_price_rate(policy->down_price),
			datapath_price_rate(policy->slow_up_price),
			datapath_price_rate(policy->slow_down_price)},
		.record_id = (int64_t)policy->record_id,
		.raw_up = (int64_t)record->up.bytes,
		.raw_down = (int64_t)record->down.bytes,
	};

	read_quota(policy->quota_bytes, &known);
	if (!policy->session || !session_state(policy->state, &known.state))
		return 0;
	found->kept++;
	return recover_client(&found->g->rules, &known, &found->now);
}

/* Numbers first: what is made now must not have one that the kernel knows. */
static int note_numbers(void *data, const struct client *client)
{
	struct clients_found *found = data;

	found->record_id = MAX(found->record_id,
		(int64_t)client->record.policy.record_id);
	found->session_id = MAX(found->session_id,
		(int64_t)client->record.policy.session);
	return 0;
}

struct absent {
	struct gatehoused *g;
	struct mac *list;
	size_t count, size;
};

static int note_absent(void *data, const struct holder *holder)
{
	struct absent *absent = data;
	struct gh_client record;
	int ret = clients_lookup(absent->g->dp, &holder->mac, &record);

	if (ret && ret != -ENOENT)
		return ret;
	if (!holder->session.id ||
		(!ret && record.policy.state != GH_STATE_CLOSED))
		return 0;
	ARRAY_GROW(absent->list, absent->count, absent->size);
	absent->list[absent->count++] = holder->mac;
	return 0;
}

static int end_absent(struct gatehoused *g, const struct moment *now)
{
	struct absent absent = {.g = g};
	int ret = store_holder_each(g->store, note_absent, &absent);
	size_t i;

	for (i = 0; !ret && i < absent.count; i++)
		ret = recover_absent(&g->rules, &absent.list[i], now);
	free(absent.list);
	return ret;
}

/* Records that were in force all the time know best. */
static int follow_kernel(struct gatehoused *g, struct clients_found *found)
{
	int ret = store_numbers_above(
		g->store, found->record_id, found->session_id);

	if (!ret)
		ret = clients_each(g->dp, take_client, found);
	if (!ret)
		ret = end_absent(g, &found->now);
	if (!ret)
		log_warning("%d sessions go on as the kernel has them", found->kept);
	return ret;
}

/* Clocks that the copy saw running ran on until the last moment known of. */
static int take_time(struct gatehoused *g, int64_t copied_at)
{
	int64_t sec = store_spent_last_at(g->store) - copied_at;

	if (!g->rebooted || sec <= 0)
		return 0;
	return store_take_time(g->store, sec * NSEC_PER_SEC);
}

/* How old the store is; all false: it is not. */
struct age {
	int64_t copied_at; /* it is a copy; 0: it is none */
	bool is_behind_log; /* spent.log has more */
	bool is_behind_kernel; /* its records are newer */
	bool has_kernel; /* its records were in force all the time */
};

static int is_copy(struct gatehoused *g, int64_t *ret_copied_at)
{
	char value[24] = "";
	int ret = store_setting_get(
		g->store, STORE_COPIED_AT, value, sizeof(value));

	*ret_copied_at = strtoll(value, NULL, 10);
	return ret == -ENOENT ? 0 : ret;
}

/*
 * Which maps the store was for last. A copy that comes to another box finds maps
 * there that never knew its guests, so what is not in them says nothing.
 */
#define GATE "gate"
#define GATE_NAME 17

/* The maps there are, and those that were noted; "": none were. */
static int read_gate(struct gatehoused *g, char ret_name[static GATE_NAME],
	char ret_noted[static GATE_NAME])
{
	int ret;

	snprintf(ret_name, GATE_NAME, "%016llx",
		(unsigned long long)datapath_meta(g->dp)->generation);
	ret_noted[0] = '\0';
	ret = store_setting_get(g->store, GATE, ret_noted, GATE_NAME);
	return ret == -ENOENT ? 0 : ret;
}

static int is_gate_known(struct gatehoused *g, bool *ret_known)
{
	char name[GATE_NAME], noted[GATE_NAME];
	int ret = read_gate(g, name, noted);

	*ret_known = !noted[0] || !strcmp(name, noted) ||
		     datapath_carried_over(g->dp);
	return ret;
}

static int note_gate(struct gatehoused *g)
{
	char name[GATE_NAME], noted[GATE_NAME];
	int ret = read_gate(g, name, noted);

	if (ret || !strcmp(name, noted))
		return ret;
	ret = store_begin(g->store);
	if (!ret)
		ret = store_setting_put(g->store, GATE, name);
	if (!ret)
		ret = store_commit(g->store);
	if (ret)
		store_rollback(g->store);
	return ret;
}

static int find_age(struct gatehoused *g, struct clients_found *found,
	struct age *ret_age)
{
	bool is_known = false;
	int64_t newest = 0;
	int ret = is_copy(g, &ret_age->copied_at);

	ret_age->has_kernel =
		datapath_adopted(g->dp) || datapath_carried_over(g->dp);
	if (!ret)
		ret = store_spent_is_ahead(g->store, &ret_age->is_behind_log);
	if (!ret)
		ret = store_record_newest(g->store, &newest);
	if (!ret && ret_age->has_kernel)
		ret = clients_each(g->dp, note_numbers, found);
	if (!ret)
		ret = is_gate_known(g, &is_known);
	/* A record's row is on disk before the kernel has the record. */
	ret_age->is_behind_kernel = found->record_id > newest;
	/* After a reboot the maps are others, and their records newer. */
	ret_age->has_kernel &= is_known || ret_age->is_behind_kernel;
	return ret;
}

static int bring_up_to_date(struct gatehoused *g, const struct age *age,
	struct clients_found *found)
{
	int ret = age->copied_at ? take_time(g, age->copied_at) : 0;

	if (!ret)
		ret = replay(g);
	if (!ret && age->has_kernel)
		ret = follow_kernel(g, found);
	if (!ret)
		ret = store_setting_remove(g->store, STORE_COPIED_AT);
	if (!ret)
		ret = store_commit(g->store);
	return ret;
}

int recover(struct gatehoused *g)
{
	struct clients_found found = {.g = g, .now = moment_now()};
	struct age age = {0};
	int ret = find_age(g, &found, &age);

	if (!ret && !age.copied_at && !age.is_behind_log && !age.is_behind_kernel)
		return note_gate(g);
	if (!ret)
		ret = store_begin(g->store);
	if (!ret)
		ret = bring_up_to_date(g, &age, &found);
	if (ret) {
		store_rollback(g->store);
		log_error("cannot bring the database up to date: %s", strerror(-ret));
		return ret;
	}
	alarms_raise(g->alarms, "database_restored", SEVERITY_CRITICAL, NULL,
		NULL, 0, "gatehoused started with a database older than its last stop");
	return note_gate(g);
}
