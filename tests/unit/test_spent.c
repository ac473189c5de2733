/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * spent.log (I6): what was spent is in the file behind each commit, once and in
 * order, whatever fails; and a database that is older than the file is brought
 * up to date from it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/util.h"
#include "rules/coin.h"
#include "rules/recover.h"
#include "rules/voucher.h"
#include "store/handle.h"
#include "store/payments.h"
#include "store/spent.h"

#include "lib/folder.h"

#define HOUR 3600

struct box {
	char folder[32];
	char db[64], log[64], copy[64];
	struct rules rules;
	struct plan plan;
	char code[VOUCHER_CODE];
};

static const struct moment now = {1000 * NSEC_PER_SEC, 1800000000};
static const struct mac mac = {{2, 0, 0, 0, 0, 1}}, other = {{2, 0, 0, 0, 0, 2}};

static void open_store(struct box *box)
{
	assert_int_equal(store_open(box->db, &box->rules.store), 0);
	assert_int_equal(store_spent_open(box->rules.store, box->log), 0);
}

static int set_up(void **state)
{
	struct box *box = xcalloc(1, sizeof(*box));

	assert_int_equal(crypto_init(), 0);
	memcpy(box->folder, "/tmp/spent.XXXXXX", 18);
	assert_non_null(mkdtemp(box->folder));
	snprintf(box->db, sizeof(box->db), "%s/db", box->folder);
	snprintf(box->log, sizeof(box->log), "%s/spent.log", box->folder);
	snprintf(box->copy, sizeof(box->copy), "%s/copy", box->folder);
	box->rules.token_days = 3;
	box->plan = (struct plan){.name = "Hour", .seconds = HOUR,
		.bytes = UNLIMITED, .currency = "TZS",
		.token_days = UNLIMITED, .devices = 1, .is_active = true};
	open_store(box);
	assert_int_equal(store_begin(box->rules.store), 0);
	assert_int_equal(store_plan_insert(
		box->rules.store, &box->plan, &box->plan.id), 0);
	assert_int_equal(store_commit(box->rules.store), 0);
	*state = box;
	return 0;
}

static int tear_down(void **state)
{
	struct box *box = *state;

	store_close(box->rules.store);
	lib_folder_remove(box->folder);
	free(box);
	return 0;
}

static void note_code(void *data, const char *code)
{
	struct box *box = data;

	snprintf(box->code, sizeof(box->code), "%s", code);
}

/* A code, not used yet, on disk. */
static void make_code(struct box *box)
{
	const struct voucher_batch batch = {.plan = &box->plan, .count = 1,
		.expires_at = UNLIMITED, .prefix = "", .batch = "b",
		.created_by = "uid 0"};

	assert_int_equal(store_begin(box->rules.store), 0);
	assert_int_equal(voucher_create(&box->rules, &batch, note_code, box), 0);
	assert_int_equal(store_commit(box->rules.store), 0);
}

static enum outcome activate(struct box *box, const struct mac *who)
{
	const struct guest guest = {.mac = who};
	struct activated activated;
	enum outcome outcome;

	assert_int_equal(voucher_activate(&box->rules, &guest, box->code, &now,
		&activated, &outcome), 0);
	return outcome;
}

static void redeem(struct box *box)
{
	assert_int_equal(store_begin(box->rules.store), 0);
	assert_int_equal(activate(box, &mac), OUTCOME_OK);
	assert_int_equal(store_commit(box->rules.store), 0);
}

static void pay(struct box *box, const char *reference, int64_t *ret_id)
{
	struct payment payment = {.paid_at = now.wall_sec, .method = "coin",
		.amount_minor = 500, .currency = "TZS", .plan_id = box->plan.id,
		.who = "slot 1"};

	snprintf(payment.reference, sizeof(payment.reference), "%s", reference);
	assert_int_equal(store_begin(box->rules.store), 0);
	assert_int_equal(store_payment_insert(box->rules.store, &payment), 0);
	assert_int_equal(store_commit(box->rules.store), 0);
	if (ret_id)
		*ret_id = payment.id;
}

static void copy_db(struct box *box)
{
	_cleanup_free_ char *sql = xasprintf("VACUUM INTO '%s'", box->copy);

	assert_int_equal(db_script(box->rules.store->db, sql), 0);
}

/* The copy takes the database's place. */
static void put_copy(struct box *box)
{
	store_close(box->rules.store);
	assert_int_equal(rename(box->copy, box->db), 0);
	open_store(box);
}

static int give(void *data, const struct spent_voucher *voucher, int64_t *ret_id)
{
	struct box *box = data;

	return recover_voucher(&box->rules, voucher, voucher->at + 600, &now, ret_id);
}

static struct spent_replayed replay(struct box *box)
{
	struct spent_replayed replayed;

	assert_int_equal(store_begin(box->rules.store), 0);
	assert_int_equal(
		store_spent_replay(box->rules.store, give, box, &replayed), 0);
	assert_int_equal(store_commit(box->rules.store), 0);
	return replayed;
}

static bool is_ahead(struct box *box)
{
	bool ahead;

	assert_int_equal(store_spent_is_ahead(box->rules.store, &ahead), 0);
	return ahead;
}

static void drop_coin(struct box *box, int64_t seq, int64_t at_ns)
{
	struct coin_pulse pulse = {.slot = "main", .seq = seq, .at = now.wall_sec,
		.at_ns = at_ns, .amount_minor = 500, .currency = "TZS"};
	bool is_new;

	assert_int_equal(store_begin(box->rules.store), 0);
	assert_int_equal(coin_journal(&box->rules, &pulse, &is_new), 0);
	assert_int_equal(store_commit(box->rules.store), 0);
	assert_int_equal(store_begin(box->rules.store), 0);
	assert_int_equal(coin_settle(&box->rules, &now), 1);
	assert_int_equal(store_commit(box->rules.store), 0);
}

static void reserve(struct box *box, const struct mac *who, struct coin_lock *ret_lock)
{
	const struct guest guest = {.mac = who};
	enum outcome outcome = OUTCOME_OK;
	int64_t wait_ns;

	assert_int_equal(store_begin(box->rules.store), 0);
	assert_int_equal(coin_lock(&box->rules, &guest, "main", "TZS", &now,
				 ret_lock, &wait_ns, &outcome), 0);
	assert_int_equal(outcome, OUTCOME_OK);
	assert_int_equal(store_commit(box->rules.store), 0);
}

/* Coins of which the backup knows nothing: bought with, left over, nobody's. */
static void test_coins(void **state)
{
	static const struct coin_claim none = {UNLIMITED, UNLIMITED, ""};
	struct box *box = *state;
	const struct guest guest = {.mac = &mac};
	struct plan coins = {.name = "Coin hour", .seconds = HOUR,
		.bytes = UNLIMITED, .price_minor = 1000, .currency = "TZS",
		.token_days = UNLIMITED, .devices = 1, .is_active = true,
		.coin = true};
	struct coin_started started;
	enum outcome outcome = OUTCOME_OK;
	struct coin_sums before, after;
	struct coin_lock lock;
	struct account account;
	struct view view;
	int i;

	assert_int_equal(store_begin(box->rules.store), 0);
	assert_int_equal(store_plan_insert(box->rules.store, &coins, NULL), 0);
	assert_int_equal(store_commit(box->rules.store), 0);
	copy_db(box);
	/* Before anybody has the slot. */
	drop_coin(box, 1, now.mono_ns - 60 * NSEC_PER_SEC);
	reserve(box, &mac, &lock);
	for (i = 0; i < 5; i++)
		drop_coin(box, 2 + i, now.mono_ns);
	assert_int_equal(store_begin(box->rules.store), 0);
	assert_int_equal(coin_start(&box->rules, &guest, lock.key, &none, &now,
				 &started, &outcome), 0);
	assert_int_equal(outcome, OUTCOME_OK);
	assert_int_equal(started.paid_minor, 2000);
	assert_int_equal(store_commit(box->rules.store), 0);
	assert_int_equal(store_coin_sums(box->rules.store, &before), 0);

	put_copy(box);
	assert_true(is_ahead(box));
	assert_int_equal(replay(box).payments, 1);
	assert_int_equal(store_coin_sums(box->rules.store, &after), 0);
	assert_memory_equal(&before, &after, sizeof(before));
	assert_int_equal(after.rest_minor, 1000);
	assert_int_equal(store_coin_lock_lookup(box->rules.store, lock.id, &lock), 0);
	assert_int_equal(lock.credited_minor - lock.spent_minor, 500);
	assert_int_equal(
		account_load(&box->rules, &mac, &now, &account), 0);
	account_view(&account, &now, &view);
	assert_int_equal(view.kind, KIND_COIN);
	assert_int_equal(view.remaining_ns, (2 * HOUR - 600) * NSEC_PER_SEC);
	/* Told again by the acceptor, it is known. */
	drop_coin(box, 99, now.mono_ns);
	assert_int_equal(replay(box).lines, 0);
	/* What is left is the client's, wherever it begins again. */
	reserve(box, &mac, &lock);
	assert_int_equal(lock.credited_minor, 500);
}

static void test_lines_follow_the_commit(void **state)
{
	struct box *box = *state;
	struct stat st;
	int64_t id;

	make_code(box);
	assert_int_equal(lib_count_lines(box->log), 0);
	redeem(box);
	assert_int_equal(lib_count_lines(box->log), 1);
	pay(box, "a", &id);
	assert_int_equal(store_begin(box->rules.store), 0);
	assert_int_equal(
		store_payment_refund(box->rules.store, id, 1, "uid 0"), 0);
	assert_int_equal(lib_count_lines(box->log), 2);
	store_rollback(box->rules.store);
	assert_int_equal(lib_count_lines(box->log), 2);
	assert_int_equal(stat(box->log, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_false(is_ahead(box));
}

static void test_a_backup_is_brought_up_to_date(void **state)
{
	struct box *box = *state;
	struct spent_replayed replayed;
	struct payment rows[4];
	struct account account;
	int64_t id;

	make_code(box);
	pay(box, "before", NULL);
	copy_db(box);
	redeem(box);
	pay(box, "kept", NULL);
	pay(box, "given back", &id);
	assert_int_equal(store_begin(box->rules.store), 0);
	assert_int_equal(
		store_payment_refund(box->rules.store, id, 5, "uid 0"), 0);
	assert_int_equal(store_commit(box->rules.store), 0);
	put_copy(box);
	assert_true(is_ahead(box));
	replayed = replay(box);
	assert_int_equal(replayed.lines, 4);
	assert_int_equal(replayed.vouchers, 1);
	assert_int_equal(replayed.payments, 2);
	assert_int_equal(replayed.damaged, 0);
	/* The code is used; its guest has what is left of it. */
	assert_int_equal(store_begin(box->rules.store), 0);
	assert_int_equal(activate(box, &other), OUTCOME_VOUCHER_USED);
	assert_int_equal(account_load(&box->rules, &mac, &now, &account), 0);
	assert_int_equal(credit_time_left(account_in_use(&account), now.mono_ns),
		(HOUR - 600) * NSEC_PER_SEC);
	store_rollback(box->rules.store);
	assert_int_equal(store_payment_list(box->rules.store,
		&(struct payment_filter){.until = UNLIMITED}, UNLIMITED, rows, 4), 3);
	assert_int_equal(rows[0].status, PAYMENT_REFUNDED);
	assert_int_equal(rows[1].status, PAYMENT_PAID);
	assert_string_equal(rows[1].reference, "kept");
	/* Once is enough, and the numbers go on. */
	assert_false(is_ahead(box));
	assert_int_equal(replay(box).lines, 0);
	pay(box, "after", NULL);
	assert_int_equal(lib_count_lines(box->log), 6);
	store_close(box->rules.store);
	open_store(box);
	assert_false(is_ahead(box));
	assert_int_equal(lib_count_lines(box->log), 6);
}

static void test_what_a_crash_kept_from_the_file_follows(void **state)
{
	struct box *box = *state;

	pay(box, "a", NULL);
	/* Between the commit and the file, and in the middle of a line. */
	spent_log_close(&box->rules.store->spent);
	assert_int_equal(truncate(box->log, 40), 0);
	pay(box, "b", NULL);
	store_close(box->rules.store);
	open_store(box);
	assert_int_equal(lib_count_lines(box->log), 2);
	assert_false(is_ahead(box));
}

static void test_a_file_that_fails_is_tried_again(void **state)
{
	struct box *box = *state;
	struct spent_log *log = &box->rules.store->spent;
	int good = log->fd;

	log->fd = open("/dev/full", O_RDWR | O_CLOEXEC);
	pay(box, "a", NULL);
	assert_int_equal(store_spent_error(box->rules.store), -ENOSPC);
	close(log->fd);
	log->fd = good;
	assert_int_equal(lib_count_lines(box->log), 0);
	pay(box, "b", NULL);
	assert_int_equal(store_spent_error(box->rules.store), 0);
	assert_int_equal(lib_count_lines(box->log), 2);
}

static void test_a_damaged_line_keeps_no_other_out(void **state)
{
	struct box *box = *state;
	struct spent_replayed replayed;
	int fd;

	copy_db(box);
	pay(box, "a", NULL);
	pay(box, "b", NULL);
	fd = open(box->log, O_RDWR | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "X", 1, 30), 1);
	close(fd);
	put_copy(box);
	replayed = replay(box);
	assert_int_equal(replayed.damaged, 1);
	assert_int_equal(replayed.missing, 1);
	assert_int_equal(replayed.payments, 1);
	assert_int_equal(replay(box).lines, 0);
}

static void test_full_files_stay_until_no_backup_needs_them(void **state)
{
	struct box *box = *state;
	_cleanup_free_ char *full = xasprintf("%s.%018d", box->log, 1);
	int64_t known;

	copy_db(box);
	pay(box, "a", NULL);
	assert_int_equal(store_spent_rotate(box->rules.store, 0, INT64_MAX), 0);
	assert_int_equal(access(full, F_OK), -1);
	/* Never mind that the rest of it is no line. */
	assert_int_equal(truncate(box->log, SPENT_FULL_BYTES), 0);
	assert_int_equal(store_spent_rotate(box->rules.store, 0, INT64_MAX), 0);
	assert_int_equal(access(full, F_OK), 0);
	pay(box, "b", NULL);
	assert_int_equal(lib_count_lines(box->log), 1);
	put_copy(box);
	assert_int_equal(replay(box).payments, 2);
	/* Too young. */
	assert_int_equal(store_spent_rotate(box->rules.store, 1, 0), 0);
	assert_int_equal(access(full, F_OK), 0);
	assert_int_equal(store_spent_rotate(box->rules.store, 1, INT64_MAX), 0);
	assert_int_equal(access(full, F_OK), -1);
	/* An empty file goes on behind the full ones. */
	assert_int_equal(truncate(box->log, 0), 0);
	assert_int_equal(rename(box->log, full), 0);
	store_close(box->rules.store);
	open_store(box);
	pay(box, "c", NULL);
	assert_int_equal(lib_count_lines(box->log), 1);
	assert_int_equal(store_spent_known(box->rules.store, &known), 0);
	assert_int_equal(known, 3);
}

static int forget(struct box *box, const struct mac *whom)
{
	int64_t after = 0;
	int ret;

	while ((ret = store_spent_forget(box->rules.store, whom, &after)) == 1)
		;
	return ret;
}

static void test_a_device_is_forgotten(void **state)
{
	struct box *box = *state;
	struct spent_replayed replayed;
	struct account account;
	char text[512] = "";
	FILE *file;

	make_code(box);
	copy_db(box);
	redeem(box);
	pay(box, "a", NULL);
	assert_int_equal(forget(box, &other), 0);
	assert_int_equal(store_begin(box->rules.store), 0);
	assert_int_equal(store_payment_insert(box->rules.store,
		&(struct payment){.method = "cash", .currency = "TZS",
			.who = "uid 0"}), 0);
	assert_int_equal(forget(box, &mac), 0);
	store_rollback(box->rules.store);
	assert_int_equal(lib_count_lines(box->log), 2);
	pay(box, "b", NULL);
	file = fopen(box->log, "re");
	assert_true(fread(text, 1, sizeof(text) - 1, file) > 0);
	fclose(file);
	assert_null(strstr(text, "02:00:00:00:00:01"));
	assert_int_equal(lib_count_lines(box->log), 3);
	/* Spent is spent. */
	put_copy(box);
	replayed = replay(box);
	assert_int_equal(replayed.damaged, 0);
	assert_int_equal(replayed.vouchers, 1);
	assert_int_equal(replayed.payments, 2);
	assert_int_equal(store_begin(box->rules.store), 0);
	assert_int_equal(activate(box, &other), OUTCOME_VOUCHER_USED);
	assert_int_equal(
		account_load(&box->rules, &mac, &now, &account), -ENOENT);
	store_rollback(box->rules.store);
}

static void test_a_file_that_cannot_be_opened(void **state)
{
	struct box *box = *state;
	struct store *store = box->rules.store;

	assert_int_equal(store_spent_open(store, "/nowhere/spent.log"), -ENOENT);
	assert_int_equal(store_spent_error(store), -ENOENT);
	assert_int_equal(store_spent_open(store, box->log), 0);
	assert_int_equal(store_spent_error(store), 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_file_that_cannot_be_opened),
		TEST(test_lines_follow_the_commit),
		TEST(test_coins),
		TEST(test_a_backup_is_brought_up_to_date),
		TEST(test_what_a_crash_kept_from_the_file_follows),
		TEST(test_a_file_that_fails_is_tried_again),
		TEST(test_a_damaged_line_keeps_no_other_out),
		TEST(test_a_device_is_forgotten),
		TEST(test_full_files_stay_until_no_backup_needs_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
