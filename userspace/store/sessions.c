/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sessions and holders: who may use the net. That a client has one session
 * that is not ended is the table's own rule (sessions_live), not a promise of
 * the callers.
 */
#include <string.h>

#include "base/util.h"
#include "store/handle.h"

#define COLUMNS                                                             \
	"id, mac, state, token_handed, started_at, ended_at, end_reason,"   \
	" total_paid_minor, held_for, held_at, paused_at, paused_by"

static const char *const state_names[] = {
	[SESSION_RUNNING] = "running",
	[SESSION_PAUSED] = "paused",
	[SESSION_HELD] = "held",
	[SESSION_ENDED] = "ended",
};

const char *session_state_name(enum session_state state)
{
	return state_names[state];
}

int session_state_parse(const char *name, enum session_state *ret_state)
{
	int state = NAME_INDEX(state_names, name);

	if (state < 0)
		return state;
	*ret_state = (enum session_state)state;
	return 0;
}

static void read_session(struct db_rows *rows, void *ret_row)
{
	struct session *s = ret_row;

	memset(s, 0, sizeof(*s));
	s->id = db_int(rows, 0);
	db_mac(rows, 1, &s->mac);
	/* What the table cannot contain must not read as "running". */
	s->state = DB_NAME(rows, 2, state_names, SESSION_HELD);
	s->token_handed = db_int(rows, 3);
	s->started_at = db_int(rows, 4);
	s->ended_at = db_int(rows, 5);
	db_text(rows, 6, s->end_reason, sizeof(s->end_reason));
	s->total_paid_minor = db_int(rows, 7);
	db_text(rows, 8, s->held_for, sizeof(s->held_for));
	s->held_at = db_int(rows, 9);
	s->paused_at = db_int(rows, 10);
	db_text(rows, 11, s->paused_by, sizeof(s->paused_by));
}

int store_session_insert(struct store *store, struct session *session)
{
	int ret = db_run(store->db,
		"INSERT INTO sessions (mac, state, token_handed, started_at,"
		" ended_at, end_reason, total_paid_minor, held_for, held_at,"
		" paused_at, paused_by) VALUES (?, ?, ?, ?, nullif(?, 0),"
		" nullif(?, ''), ?, nullif(?, ''), nullif(?, 0), nullif(?, 0),"
		" nullif(?, ''))",
		"mtiiititiit", &session->mac, state_names[session->state],
		(int64_t)session->token_handed, session->started_at,
		session->ended_at, session->end_reason,
		session->total_paid_minor, session->held_for, session->held_at,
		session->paused_at, session->paused_by);

	if (!ret)
		session->id = db_last_id(store->db);
	return ret;
}

int store_session_update(struct store *store, const struct session *session)
{
	return db_run(store->db,
		"UPDATE sessions SET mac = ?, state = ?, token_handed = ?,"
		" ended_at = nullif(?, 0), end_reason = nullif(?, ''),"
		" total_paid_minor = ?, held_for = nullif(?, ''),"
		" held_at = nullif(?, 0), paused_at = nullif(?, 0),"
		" paused_by = nullif(?, ''), updated_at = unixepoch()"
		" WHERE id = ?",
		"mtiititiiti", &session->mac, state_names[session->state],
		(int64_t)session->token_handed, session->ended_at,
		session->end_reason, session->total_paid_minor,
		session->held_for, session->held_at, session->paused_at,
		session->paused_by, session->id);
}

int store_session_lookup(
	struct store *store, int64_t id, struct session *ret_session)
{
	return db_one(store->db, read_session, ret_session,
		"SELECT " COLUMNS " FROM sessions WHERE id = ?", "i", id);
}

int store_session_of(struct store *store, const struct mac *mac,
	struct session *ret_session)
{
	return db_one(store->db, read_session, ret_session,
		"SELECT " COLUMNS " FROM sessions WHERE mac = ?"
		" AND state <> 'ended'",
		"m", mac);
}

int store_session_last(struct store *store, const struct mac *mac,
	struct session *ret_session)
{
	return db_one(store->db, read_session, ret_session,
		"SELECT " COLUMNS " FROM sessions WHERE mac = ?"
		" AND state = 'ended' ORDER BY id DESC LIMIT 1",
		"m", mac);
}

int store_session_list(struct store *store, int state, int64_t before,
	struct session *rows, int max)
{
	const char *name = state < 0 ? NULL : state_names[state];

	/* Few of a million are live, and an index has those. */
	if (state >= 0 && state != SESSION_ENDED)
		return db_list(store->db, read_session, rows, sizeof(*rows),
			max, "SELECT " COLUMNS " FROM sessions WHERE id < ?1"
			" AND state <> 'ended' AND state = ?2"
			" ORDER BY id DESC LIMIT ?3",
			"iti", before, name, (int64_t)max);
	return db_list(store->db, read_session, rows, sizeof(*rows), max,
		"SELECT " COLUMNS " FROM sessions WHERE id < ?1"
		" AND (?2 IS NULL OR state = ?2) ORDER BY id DESC LIMIT ?3",
		"iti", before, name, (int64_t)max);
}

int store_session_count(struct store *store, int64_t *ret_live)
{
	return db_one(store->db, db_read_int, ret_live,
		"SELECT value FROM counters WHERE name = 'live_sessions'", "");
}

/* Of the device's row, where there is one. */
#define DEVICE                                                               \
	"d.up_kbps, d.down_kbps, d.exempt_deadline_ns, d.exempt_network"

/* Only what a grant needs of session and credit. */
#define HOLDER                                                              \
	"c.id, c.deadline_ns, c.bytes, c.bytes_up, c.bytes_down, c.up_kbps," \
	" c.down_kbps, c.slow_up_kbps, c.slow_down_kbps,"                   \
	" coalesce(d.blocked, 0), coalesce(d.exempt_until, 0),"              \
	" r.id, r.session_id, r.credit_id, r.raw_up, r.raw_down, c.networks," \
	" d.group_id, c.group_id, " DEVICE                                  \
	", c.counts, c.turn_ns, c.is_resting, c.idle_seconds, c.is_idle,"    \
	" c.heard_ns, c.left_ns"

static void read_holder(struct db_rows *rows, struct holder *ret_holder)
{
	struct holder h = {0};
	char counts[8];

	db_text(rows, 26, counts, sizeof(counts));
	db_mac(rows, 0, &h.mac);
	h.session.id = db_int(rows, 1);
	h.session.mac = h.mac;
	h.session.state = DB_NAME(rows, 2, state_names, SESSION_ENDED);
	h.credit.id = db_int(rows, 3);
	h.credit.session_id = h.session.id;
	h.credit.state = CREDIT_IN_USE;
	h.credit.deadline_ns = db_limit(rows, 4);
	h.credit.bytes = db_limit(rows, 5);
	h.credit.bytes_up = db_int(rows, 6);
	h.credit.bytes_down = db_int(rows, 7);
	h.credit.rates.up = db_int(rows, 8);
	h.credit.rates.down = db_int(rows, 9);
	h.credit.rates.slow_up = db_int(rows, 10);
	h.credit.rates.slow_down = db_int(rows, 11);
	h.blocked = db_int(rows, 12);
	h.exemption.until = db_int(rows, 13);
	h.record.mac = h.mac;
	h.record.id = db_int(rows, 14);
	h.record.session_id = db_int(rows, 15);
	h.record.credit_id = db_int(rows, 16);
	h.record.raw_up = db_int(rows, 17);
	h.record.raw_down = db_int(rows, 18);
	db_text(rows, 19, h.credit.networks, sizeof(h.credit.networks));
	h.group_id = db_int(rows, 20);
	h.credit.group_id = db_int(rows, 21);
	h.rates.up = db_int(rows, 22);
	h.rates.down = db_int(rows, 23);
	h.exemption.deadline_ns = db_int(rows, 24);
	db_text(rows, 25, h.exemption.network, sizeof(h.exemption.network));
	(void)counts_parse(counts, &h.credit.terms.counts);
	h.credit.turn_ns = db_int(rows, 27);
	h.credit.is_resting = db_int(rows, 28);
	h.credit.terms.idle_sec = db_int(rows, 29);
	h.credit.is_idle = db_int(rows, 30);
	h.credit.heard_ns = db_int(rows, 31);
	h.credit.left_ns = db_limit(rows, 32);
	*ret_holder = h;
}

#define SESSION_HOLDERS                                                     \
	"SELECT s.mac, s.id, s.state, " HOLDER " FROM sessions s"            \
	" LEFT JOIN credits c ON c.session_id = s.id AND c.state = 'in_use'" \
	" LEFT JOIN devices d ON d.mac = s.mac"                              \
	" LEFT JOIN records r ON r.mac = s.mac"                              \
	" WHERE s.state <> 'ended'"
#define DEVICE_HOLDERS                                                       \
	"SELECT d.mac, 0, 'ended', 0, NULL, NULL, 0, 0, 0, 0, 0, 0,"         \
	" d.blocked, d.exempt_until, r.id, r.session_id, r.credit_id,"       \
	" r.raw_up, r.raw_down, NULL, d.group_id, NULL, " DEVICE \
	", NULL, NULL, NULL, NULL, NULL, NULL, NULL"                         \
	" FROM devices d"                                                    \
	" LEFT JOIN records r ON r.mac = d.mac"                              \
	" WHERE (d.blocked OR d.exempt_until > 0) AND NOT EXISTS ("          \
	"SELECT 1 FROM sessions s WHERE s.mac = d.mac"                       \
	" AND s.state <> 'ended')"

/* Calls `fn` for each of `rows`, until it returns other than 0; how many. */
static int each_holder(struct db_rows *rows,
	int (*fn)(void *data, const struct holder *holder), void *data,
	struct mac *ret_last)
{
	struct holder holder;
	int ret, count = 0;

	while ((ret = db_next(rows)) == 1) {
		read_holder(rows, &holder);
		*ret_last = holder.mac;
		count++;
		ret = fn(data, &holder);
		if (ret) {
			db_done(rows);
			return ret;
		}
	}
	return ret ? ret : count;
}

int store_holder_each(struct store *store,
	int (*fn)(void *data, const struct holder *holder), void *data)
{
	struct db_rows *rows;
	struct mac last;
	int ret = db_query(store->db, &rows,
		SESSION_HOLDERS " UNION ALL " DEVICE_HOLDERS, "");

	if (!ret)
		ret = each_holder(rows, fn, data, &last);
	return MIN(ret, 0);
}

int store_holder_some(struct store *store, struct holder_place *at, int max,
	int (*fn)(void *data, const struct holder *holder), void *data)
{
	struct db_rows *rows;
	int ret = at->in_devices
			  ? db_query(store->db, &rows,
				    DEVICE_HOLDERS
				    " AND d.mac > ? ORDER BY d.mac LIMIT ?",
				    "mi", &at->mac, (int64_t)max)
			  : db_query(store->db, &rows,
				    SESSION_HOLDERS
				    " AND s.mac > ? ORDER BY s.mac LIMIT ?",
				    "mi", &at->mac, (int64_t)max);

	if (!ret)
		ret = each_holder(rows, fn, data, &at->mac);
	if (ret < 0 || ret == max)
		return MIN(ret, 0);
	at->is_end = at->in_devices;
	at->in_devices = true;
	at->mac = (struct mac){0};
	return 0;
}

static void read_one_holder(struct db_rows *rows, void *ret_row)
{
	read_holder(rows, ret_row);
}

int store_holder_lookup(
	struct store *store, const struct mac *mac, struct holder *ret_holder)
{
	return db_one(store->db, read_one_holder, ret_holder,
		SESSION_HOLDERS " AND s.mac = ?1 UNION ALL " DEVICE_HOLDERS
				" AND d.mac = ?1", "m", mac);
}
