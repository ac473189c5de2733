/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Replaying spent.log into a database that is older. Triggers tell of what is
 * replayed once more; those rows are dropped, for the lines are in the file.
 */
#include <string.h>

#include "base/json.h"
#include "base/mac.h"
#include "base/util.h"
#include "store/handle.h"
#include "store/payments.h"
#include "store/spent.h"
#include "store/spent_line.h"

struct replay {
	struct store *store;
	int (*redeemed)(void *data, const struct spent_voucher *voucher,
		int64_t *ret_session_id);
	void *data;
	int64_t known, last;
	struct spent_replayed done;
};

int64_t spent_line_at(const char *object)
{
	_cleanup_json_ json_t *line = NULL;

	return json_parse_object(object, strlen(object), &line)
		       ? 0
		       : spent_number(line, "at");
}

static int voucher_of(struct replay *replay, const json_t *line,
	struct voucher *ret_voucher)
{
	const char *text = spent_word(line, "voucher");
	uint8_t hmac[CRYPTO_HASH];

	if (!text || hex_parse(text, sizeof(hmac), hmac))
		return -EBADMSG;
	return store_voucher_by_hmac(replay->store, hmac, ret_voucher);
}

static int apply_redeem(struct replay *replay, const json_t *line)
{
	const char *mac = spent_word(line, "mac");
	struct spent_voucher spent = {.at = spent_number(line, "at")};
	struct voucher voucher;
	int64_t session_id = 0;
	int ret = voucher_of(replay, line, &voucher);

	/* Without one: it was forgotten, and what it had with it. */
	if (!ret && mac && mac_parse(mac, &spent.mac))
		ret = -EBADMSG;
	if (ret || voucher.state == VOUCHER_USED)
		return ret;
	spent.id = voucher.id;
	spent.plan_id = voucher.plan_id;
	if (replay->redeemed && mac)
		ret = replay->redeemed(replay->data, &spent, &session_id);
	if (!ret)
		ret = db_run(replay->store->db,
			"UPDATE vouchers SET state = 'used', used_at = ?,"
			" used_mac = ?, session_id = nullif(?, 0),"
			" updated_at = unixepoch() WHERE id = ?",
			"imii", spent.at, &spent.mac, session_id, spent.id);
	replay->done.vouchers += !ret;
	return ret;
}

static int apply_revoke(struct replay *replay, const json_t *line)
{
	struct voucher voucher;
	int ret = voucher_of(replay, line, &voucher);

	if (ret || voucher.state != VOUCHER_UNUSED)
		return ret;
	return store_voucher_revoke(replay->store, voucher.id);
}

/* The coins that it was bought with are spent, and its client has the time. */
static int bought_by_coin(struct replay *replay, const json_t *line)
{
	struct spent_voucher spent = {
		.plan_id = spent_number(line, "plan"), .at = spent_number(line, "at")};
	int64_t session_id = 0;
	struct plan plan;
	int ret = spent_coin_pay(replay->store, line, &spent.mac);

	if (!ret)
		ret = store_plan_lookup(replay->store, spent.plan_id, &plan);
	if (ret || !replay->redeemed || !plan.price_minor)
		return ret == -ENOENT ? 0 : ret;
	spent.times = MAX(spent_number(line, "amount") / plan.price_minor, 1);
	ret = replay->redeemed(replay->data, &spent, &session_id);
	if (!ret && session_id)
		ret = db_run(replay->store->db,
			"UPDATE payments SET session_id = ? WHERE id = ?", "ii",
			session_id, spent_number(line, "payment"));
	return ret;
}

/* Under its old number; what it names and is not there any more is not named. */
static int apply_payment(struct replay *replay, const json_t *line)
{
	int ret = db_run(replay->store->db,
		"INSERT OR IGNORE INTO payments (id, paid_at, method, reference,"
		" amount_minor, currency, status, plan_id, session_id,"
		" voucher_id, network, who) VALUES (?, ?, ?, ?, ?, ?, 'paid',"
		" (SELECT id FROM plans WHERE id = ?),"
		" (SELECT id FROM sessions WHERE id = ?),"
		" (SELECT id FROM vouchers WHERE id = ?), ?, ?)",
		"iittitiiitt", spent_number(line, "payment"), spent_number(line, "at"),
		spent_word(line, "method"), spent_word(line, "reference"),
		spent_number(line, "amount"), spent_word(line, "currency"),
		spent_number(line, "plan"), spent_number(line, "session"),
		spent_number(line, "voucher"), spent_word(line, "network"),
		spent_word(line, "who"));

	if (ret || db_changes(replay->store->db) != 1)
		return ret;
	replay->done.payments++;
	return !strcmp(spent_word(line, "method") ?: "", "coin")
		       ? bought_by_coin(replay, line)
		       : 0;
}

static int apply_refund(struct replay *replay, const json_t *line)
{
	return store_payment_refund(replay->store, spent_number(line, "payment"),
		spent_number(line, "at"), spent_word(line, "who"));
}

static int apply_coin(struct replay *replay, const json_t *line)
{
	return spent_coin_apply(replay->store, line);
}

static const struct {
	const char *type;
	int (*apply)(struct replay *replay, const json_t *line);
} types[] = {
	{"redeem", apply_redeem},
	{"revoke", apply_revoke},
	{"payment", apply_payment},
	{"coin", apply_coin},
	{"refund", apply_refund},
};

/* What the line names may be younger than the backup: then there is nothing to
 * spend (-ENOENT). One that says nonsense must not keep the others out. */
static int apply(struct replay *replay, const char *object)
{
	_cleanup_json_ json_t *line = NULL;
	int ret = json_parse_object(object, strlen(object), &line);
	const char *type = ret ? NULL : spent_word(line, "type");
	size_t i;

	if (!type)
		return -EBADMSG;
	for (i = 0; i < ARRAY_SIZE(types); i++)
		if (!strcmp(type, types[i].type))
			return types[i].apply(replay, line);
	return -EBADMSG;
}

static int replay_line(struct replay *replay, char *line)
{
	int64_t seq = 0;
	char *object;
	int ret = spent_line_parse(line, &seq, &object);

	if (!ret && seq <= MAX(replay->known, replay->last))
		return 0;
	if (!ret)
		ret = apply(replay, object);
	if (ret == -EBADMSG || ret == -EINVAL)
		replay->done.damaged++;
	else if (ret && ret != -ENOENT)
		return ret;
	else
		replay->done.lines++;
	if (seq > 0) {
		replay->done.missing +=
			seq - MAX(replay->known, replay->last) - 1;
		replay->last = seq;
	}
	return 0;
}

static int replay_file(struct replay *replay, const char *path)
{
	_cleanup_free_ char *line = NULL;
	FILE *file = fopen(path, "re");
	size_t size = 0;
	int ret = 0;

	if (!file)
		return errno == ENOENT ? 0 : -errno;
	while (!ret && getline(&line, &size, file) > 0)
		ret = replay_line(replay, line);
	if (!ret && ferror(file))
		ret = -EIO;
	fclose(file);
	return ret;
}

static int by_number(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

static int replay_files(struct replay *replay, const char *path)
{
	_cleanup_free_ int64_t *full = NULL;
	int n = spent_full_files(path, &full), ret = MIN(n, 0), i;

	if (n > 1)
		qsort(full, (size_t)n, sizeof(*full), by_number);
	for (i = 0; !ret && i < n; i++) {
		_cleanup_free_ char *name = spent_full_name(path, full[i]);

		if (full[i] > replay->known)
			ret = replay_file(replay, name);
	}
	return ret ? ret : replay_file(replay, path);
}

/* The numbers go on behind those of the file. */
static int set_known(struct db *db, int64_t seq)
{
	int ret = db_run(db, "DELETE FROM spent", "");

	if (!ret)
		ret = db_run(db,
			"UPDATE sqlite_sequence SET seq = ? WHERE name = 'spent'",
			"i", seq);
	if (!ret && db_changes(db) == 0)
		ret = db_run(db,
			"INSERT INTO sqlite_sequence (name, seq)"
			" VALUES ('spent', ?)",
			"i", seq);
	return ret;
}

int store_spent_replay(struct store *store,
	int (*redeemed)(void *data, const struct spent_voucher *voucher,
		int64_t *ret_session_id),
	void *data, struct spent_replayed *ret_replayed)
{
	struct replay replay = {
		.store = store, .redeemed = redeemed, .data = data};
	int ret = store_spent_known(store, &replay.known);

	if (!ret && store->spent.path)
		ret = replay_files(&replay, store->spent.path);
	if (!ret && replay.last)
		ret = set_known(store->db, MAX(replay.last, replay.known));
	if (!ret)
		*ret_replayed = replay.done;
	return ret;
}
