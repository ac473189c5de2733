/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Payments: what was paid for a session or a voucher, how, and to whom.
 */
#include "store/payments.h"

#include <string.h>

#include "base/util.h"
#include "store/handle.h"

#define COLUMNS                                                              \
	"id, paid_at, method, reference, amount_minor, currency, status,"    \
	" plan_id, session_id, voucher_id, network, phone, who, refunded_at," \
	" refunded_by, credit_id, bought_ns, bought_bytes"

static const char *const status_names[] = {
	[PAYMENT_PAID] = "paid",
	[PAYMENT_REFUNDED] = "refunded",
};

const char *payment_status_name(enum payment_status status)
{
	return status_names[status];
}

static void read_payment(struct db_rows *rows, void *ret_row)
{
	struct payment *p = ret_row;

	memset(p, 0, sizeof(*p));
	p->id = db_int(rows, 0);
	p->paid_at = db_int(rows, 1);
	db_text(rows, 2, p->method, sizeof(p->method));
	db_text(rows, 3, p->reference, sizeof(p->reference));
	p->amount_minor = db_int(rows, 4);
	db_text(rows, 5, p->currency, sizeof(p->currency));
	/* Unreadable money is not given back twice. */
	p->status = DB_NAME(rows, 6, status_names, PAYMENT_REFUNDED);
	p->plan_id = db_int(rows, 7);
	p->session_id = db_int(rows, 8);
	p->voucher_id = db_int(rows, 9);
	db_text(rows, 10, p->network, sizeof(p->network));
	db_text(rows, 11, p->phone, sizeof(p->phone));
	db_text(rows, 12, p->who, sizeof(p->who));
	p->refunded_at = db_int(rows, 13);
	db_text(rows, 14, p->refunded_by, sizeof(p->refunded_by));
	p->credit_id = db_int(rows, 15);
	p->bought_ns = db_limit(rows, 16);
	p->bought_bytes = db_limit(rows, 17);
}

static const char *or_null(const char *text)
{
	return text[0] ? text : NULL;
}

int store_payment_insert(struct store *store, struct payment *payment)
{
	int ret = db_run(store->db,
		"INSERT INTO payments (paid_at, method, reference,"
		" amount_minor, currency, status, plan_id, session_id,"
		" voucher_id, network, phone, who, credit_id, bought_ns,"
		" bought_bytes) VALUES (?, ?, ?, ?, ?, 'paid', nullif(?, 0),"
		" nullif(?, 0), nullif(?, 0), ?, ?, ?, nullif(?, 0), ?, ?)",
		"ittitiiitttill", payment->paid_at, payment->method,
		or_null(payment->reference), payment->amount_minor,
		payment->currency, payment->plan_id, payment->session_id,
		payment->voucher_id, or_null(payment->network),
		or_null(payment->phone), payment->who, payment->credit_id,
		payment->bought_ns, payment->bought_bytes);

	if (!ret)
		payment->id = db_last_id(store->db);
	return ret;
}

int store_payment_refund(
	struct store *store, int64_t id, int64_t at, const char *who)
{
	int ret = db_run(store->db,
		"UPDATE payments SET status = 'refunded', refunded_at = ?,"
		" refunded_by = ?, updated_at = unixepoch()"
		" WHERE id = ? AND status = 'paid'",
		"iti", at, who, id);

	if (!ret && db_changes(store->db) != 1)
		ret = -ENOENT;
	return ret;
}

int store_payment_lookup(
	struct store *store, int64_t id, struct payment *ret_payment)
{
	return db_one(store->db, read_payment, ret_payment,
		"SELECT " COLUMNS " FROM payments WHERE id = ?", "i", id);
}

/* Four queries: with conditions that may be left out, no index would be
 * used. */
int store_payment_list(struct store *store,
	const struct payment_filter *filter, int64_t before,
	struct payment *rows, int max)
{
	int64_t id = filter->voucher_id ? filter->voucher_id
					: filter->session_id;

#define LIST(by)                                                             \
	db_list(store->db, read_payment, rows, sizeof(*rows), max,           \
		"SELECT " COLUMNS " FROM payments WHERE id < ?1 AND " by     \
		" AND paid_at >= ?3 AND paid_at < ?4"                        \
		" AND (?5 IS NULL OR who = ?5) ORDER BY id DESC LIMIT ?6",   \
		"iiiiti", before, id, filter->from, filter->until,           \
		filter->who, (int64_t)max)
	if (filter->voucher_id)
		return LIST("voucher_id = ?2");
	if (filter->session_id)
		return LIST("session_id = ?2");
	if (filter->who)
		return LIST("?2 = 0 AND who = ?5");
	return LIST("?2 = 0");
#undef LIST
}

int store_payment_bind(struct store *store, int64_t voucher_id,
	const struct payment *bought)
{
	return db_run(store->db,
		"UPDATE payments SET session_id = ?, credit_id = nullif(?, 0),"
		" bought_ns = ?, bought_bytes = ?, updated_at = unixepoch()"
		" WHERE voucher_id = ? AND status = 'paid'",
		"iilli", bought->session_id, bought->credit_id,
		bought->bought_ns, bought->bought_bytes, voucher_id);
}

int store_payment_rebind(struct store *store, int64_t from_id, int64_t to_id)
{
	return db_run(store->db,
		"UPDATE payments SET session_id = ?, updated_at = unixepoch()"
		" WHERE session_id = ?",
		"ii", to_id, from_id);
}

static void read_sum(struct db_rows *rows, void *ret_row)
{
	struct payment_sum *sum = ret_row;

	db_text(rows, 0, sum->day, sizeof(sum->day));
	db_text(rows, 1, sum->who, sizeof(sum->who));
	db_text(rows, 2, sum->method, sizeof(sum->method));
	db_text(rows, 3, sum->currency, sizeof(sum->currency));
	sum->taken = db_int(rows, 4);
	sum->taken_minor = db_int(rows, 5);
	sum->refunded = db_int(rows, 6);
	sum->refunded_minor = db_int(rows, 7);
}

/* A sale and its refund are two things that happened, maybe to two operators
 * on two days: each drawer shows its own. What is added up first are quarters of
 * an hour, of which every time zone has whole ones: an index has them in order,
 * and what day it was is asked for few. */
int store_payment_sums(struct store *store, const struct payment_filter *filter,
	int64_t skip, struct payment_sum *rows, int max)
{
	return db_list(store->db, read_sum, rows, sizeof(*rows), max,
		"SELECT date(quarter * 900, 'unixepoch', 'localtime') AS day,"
		" who, method, currency, sum(taken), sum(taken_minor),"
		" sum(given), sum(given_minor)"
		" FROM (SELECT paid_at / 900 AS quarter, who, method, currency,"
		"  count(*) AS taken, sum(amount_minor) AS taken_minor,"
		"  0 AS given, 0 AS given_minor FROM payments"
		"  WHERE paid_at / 900 >= ?1 / 900 AND paid_at / 900 < ?2 / 900"
		"  GROUP BY paid_at / 900, who, method, currency"
		" UNION ALL SELECT refunded_at / 900, refunded_by, method,"
		"  currency, 0, 0, count(*), sum(amount_minor) FROM payments"
		"  WHERE refunded_at >= ?1 AND refunded_at < ?2"
		"  GROUP BY 1, 2, 3, 4)"
		" WHERE ?3 IS NULL OR who = ?3"
		" GROUP BY day, who, method, currency"
		" ORDER BY day DESC, who, method, currency LIMIT ?4 OFFSET ?5",
		"iitii", filter->from, filter->until, filter->who, (int64_t)max,
		skip);
}
