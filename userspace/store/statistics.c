/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hourly sums by plan and network (N7). Bytes are added by how far each credit
 * is counted already; sessions and revenue of the hours that something happened
 * in are added up anew. So doing any of it again adds nothing. Sums name nobody
 * and outlive what they are of.
 */
#include <string.h>

#include "base/util.h"
#include "store/handle.h"
#include "store/keeping.h"

#define HOUR "3600"
/* Where a session was, as the address log knows it; the end of a use is written
 * once a minute. */
#define NETWORK_OF(s)                                                   \
	"coalesce((SELECT a.network FROM address_log a WHERE a.mac = " s \
	".mac AND a.to_at >= " s ".started_at - 120 ORDER BY a.id DESC LIMIT 1), '')"
#define COUNTED "c.bytes_up = c.counted_up AND c.bytes_down = c.counted_down"

#define ADD_BYTES(which)                                                    \
	"INSERT INTO statistics (hour, plan, network, currency, bytes_up,"  \
	" bytes_down) SELECT ?1, plan, network, ?2, sum(up), sum(down) FROM" \
	" (SELECT c.plan_name AS plan, " NETWORK_OF("s") " AS network,"     \
	" c.bytes_up - c.counted_up AS up,"                                 \
	" c.bytes_down - c.counted_down AS down FROM sessions s"            \
	" JOIN credits c ON c.session_id = s.id WHERE " which               \
	" AND NOT (" COUNTED ")) WHERE true GROUP BY plan, network"         \
	" ON CONFLICT DO UPDATE SET bytes_up = bytes_up + excluded.bytes_up," \
	" bytes_down = bytes_down + excluded.bytes_down,"                   \
	" updated_at = unixepoch()"
#define SET_COUNTED(which)                                                 \
	"UPDATE credits SET counted_up = bytes_up, counted_down = bytes_down" \
	" WHERE id IN (SELECT c.id FROM sessions s JOIN credits c"         \
	" ON c.session_id = s.id WHERE " which " AND NOT (" COUNTED "))"
#define SOME_LIVE  "s.state <> 'ended' AND s.mac > ?3 AND s.mac <= ?4"
#define THEN_LIVE  "s.state <> 'ended' AND s.mac > ?1 AND s.mac <= ?2"
#define SOME_ENDED "s.state = 'ended' AND s.ended_at >= ?3 AND s.ended_at < ?4"
#define THEN_ENDED "s.state = 'ended' AND s.ended_at >= ?1 AND s.ended_at < ?2"

static int64_t hour_of(int64_t at)
{
	return at - at % 3600;
}

/* The last of the next `max` live ones behind `after`; the highest of all MACs
 * when there are no more. */
static int last_of_some(struct store *store, const struct mac *after, int max,
	struct mac *ret_last, bool *ret_more)
{
	struct db_rows *rows;
	int ret = db_query(store->db, &rows,
		"SELECT mac FROM sessions WHERE state <> 'ended' AND mac > ?"
		" ORDER BY mac LIMIT 1 OFFSET ?",
		"mi", after, (int64_t)max - 1);

	if (ret)
		return ret;
	ret = db_next(rows);
	*ret_more = ret == 1;
	memset(ret_last, 0xff, sizeof(*ret_last));
	if (ret != 1)
		return ret;
	db_mac(rows, 0, ret_last);
	db_done(rows);
	return 0;
}

int store_statistics_live(struct store *store, int64_t now_sec,
	const char *currency, struct mac *place, int max, bool *ret_more)
{
	struct mac last;
	int ret = last_of_some(store, place, max, &last, ret_more);

	if (!ret)
		ret = db_run(store->db, ADD_BYTES(SOME_LIVE), "itmm",
			hour_of(now_sec), currency, place, &last);
	if (!ret)
		ret = db_run(store->db, SET_COUNTED(THEN_LIVE), "mm", place,
			&last);
	if (!ret)
		*place = last;
	return ret;
}

int store_statistics_ended(struct store *store, int64_t now_sec,
	const char *currency, int64_t from, int64_t until)
{
	int ret = db_run(store->db, ADD_BYTES(SOME_ENDED), "itii",
		hour_of(now_sec), currency, from, until);

	return ret ?: db_run(store->db, SET_COUNTED(THEN_ENDED), "ii", from,
			      until);
}

int store_statistics_sessions(
	struct store *store, const char *currency, int64_t since)
{
	int ret = db_run(store->db,
		"UPDATE statistics SET sessions = 0 WHERE hour >= ?", "i",
		hour_of(since));

	return ret ?: db_run(store->db,
		"INSERT INTO statistics (hour, plan, network, currency,"
		" sessions) SELECT hour, plan, network, ?2, count(*) FROM"
		" (SELECT s.started_at - s.started_at % " HOUR " AS hour,"
		" coalesce((SELECT c.plan_name FROM credits c"
		"  WHERE c.session_id = s.id ORDER BY c.position LIMIT 1), '')"
		" AS plan, " NETWORK_OF("s") " AS network FROM sessions s"
		" WHERE s.started_at >= ?1) WHERE true"
		" GROUP BY hour, plan, network ON CONFLICT DO UPDATE SET"
		" sessions = excluded.sessions, updated_at = unixepoch()",
		"it", hour_of(since), currency);
}

/* Hours in which something was paid that was written since. */
#define PAID_HOURS                                                        \
	"(SELECT DISTINCT paid_at - paid_at % " HOUR " AS hour FROM payments" \
	" WHERE updated_at >= ?1)"

int store_statistics_revenue(struct store *store, int64_t since)
{
	int ret = db_run(store->db,
		"UPDATE statistics SET revenue_minor = 0 WHERE hour IN"
		" " PAID_HOURS, "i", since);

	return ret ?: db_run(store->db,
		"INSERT INTO statistics (hour, plan, network, currency,"
		" revenue_minor) SELECT hour, plan, network, currency,"
		" sum(amount_minor) FROM (SELECT h.hour AS hour,"
		" coalesce((SELECT " PLAN_NAME("n.name") " FROM plans n"
		"  WHERE n.id = p.plan_id), '') AS plan,"
		" coalesce(p.network, (SELECT " NETWORK_OF("s")
		"  FROM sessions s WHERE s.id = p.session_id), '') AS network,"
		" p.currency AS currency, p.amount_minor AS amount_minor"
		" FROM " PAID_HOURS " h CROSS JOIN payments p"
		"  INDEXED BY payments_at ON p.paid_at >= h.hour"
		"  AND p.paid_at < h.hour + " HOUR
		" WHERE p.status = 'paid') WHERE true"
		" GROUP BY hour, plan, network, currency"
		" ON CONFLICT DO UPDATE SET"
		" revenue_minor = excluded.revenue_minor,"
		" updated_at = unixepoch()",
		"i", since);
}

static void read_sum(struct db_rows *rows, void *ret_row)
{
	struct statistic *sum = ret_row;

	db_text(rows, 0, sum->of, sizeof(sum->of));
	db_text(rows, 1, sum->currency, sizeof(sum->currency));
	sum->sessions = db_int(rows, 2);
	sum->bytes_up = db_int(rows, 3);
	sum->bytes_down = db_int(rows, 4);
	sum->revenue_minor = db_int(rows, 5);
}

#define SUMS(of, order)                                                     \
	"SELECT " of " AS of, currency, sum(sessions), sum(bytes_up),"      \
	" sum(bytes_down), sum(revenue_minor) FROM statistics"              \
	" WHERE hour >= ?1 AND hour < ?2 GROUP BY of, currency"             \
	" HAVING sum(sessions) + sum(bytes_up) + sum(bytes_down)"           \
	" + sum(revenue_minor) > 0 ORDER BY " order " LIMIT ?3 OFFSET ?4"
#define LOCAL(fmt) "strftime('" fmt "', hour, 'unixepoch', 'localtime')"

static const char *const sums_by[] = {
	[STATISTICS_BY_HOUR] = SUMS(LOCAL("%Y-%m-%d %H:00"), "of DESC, currency"),
	[STATISTICS_BY_DAY] = SUMS(LOCAL("%Y-%m-%d"), "of DESC, currency"),
	[STATISTICS_BY_MONTH] = SUMS(LOCAL("%Y-%m"), "of DESC, currency"),
	[STATISTICS_BY_PLAN] = SUMS("plan", "of, currency"),
	[STATISTICS_BY_NETWORK] = SUMS("network", "of, currency"),
};

int store_statistics_list(struct store *store, enum statistics_by by,
	int64_t from, int64_t until, int64_t skip, struct statistic *rows, int max)
{
	return db_list(store->db, read_sum, rows, sizeof(*rows), max,
		sums_by[by], "iiii", from, until, (int64_t)max, skip);
}
