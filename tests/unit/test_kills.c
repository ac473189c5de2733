/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kill -9 at random moments under load: a process redeems, sells and moves in
 * groups, one commit for each, and says what is answered; it is killed at some
 * moment, and what is on disk is compared with what was answered. Time and money
 * are exact, to the nanosecond and the cent, each code is used once, and
 * spent.log has one line for each thing that was spent. KILLS=500 for more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "base/util.h"
#include "rules/move.h"
#include "rules/voucher.h"
#include "store/handle.h"
#include "store/payments.h"
#include "store/spent.h"

#include "lib/folder.h"

#define CODES	5000
#define CLIENTS 200
#define GROUP	16 /* operations of one commit, at most */
#define HOUR	(3600 * NSEC_PER_SEC)
#define EXTRA	(600 * NSEC_PER_SEC)
#define PRICE	500

struct box {
	char folder[32], db[64], log[64];
	char codes[CODES][VOUCHER_CODE];
	int made;
	int used, paid; /* as answered, over all lives of the process */
};

/* Time stands: what was bought is there. */
static const struct moment now = {1000 * NSEC_PER_SEC, 1800000000};

static struct rules open_rules(const struct box *box)
{
	struct rules rules = {.token_days = 3};

	assert_int_equal(store_open(box->db, &rules.store), 0);
	assert_int_equal(store_spent_open(rules.store, box->log), 0);
	return rules;
}

static void note_code(void *data, const char *code)
{
	struct box *box = data;

	snprintf(box->codes[box->made++], VOUCHER_CODE, "%s", code);
}

static int set_up(void **state)
{
	struct box *box = xcalloc(1, sizeof(*box));
	struct plan plan = {.name = "Hour", .seconds = 3600, .bytes = UNLIMITED,
		.price_minor = PRICE, .currency = "TZS", .moves = UNLIMITED,
		.token_days = UNLIMITED, .devices = 1, .is_active = true};
	const struct voucher_batch batch = {.plan = &plan, .count = CODES,
		.expires_at = UNLIMITED, .prefix = "", .batch = "b",
		.created_by = "uid 0"};
	struct rules rules;

	assert_int_equal(crypto_init(), 0);
	/* A killed process leaves the page cache as it is, so memory will do. */
	snprintf(box->folder, sizeof(box->folder), "%s/kills.XXXXXX",
		access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	assert_non_null(mkdtemp(box->folder));
	snprintf(box->db, sizeof(box->db), "%s/db", box->folder);
	snprintf(box->log, sizeof(box->log), "%s/spent.log", box->folder);
	rules = open_rules(box);
	assert_int_equal(store_begin(rules.store), 0);
	assert_int_equal(store_plan_insert(rules.store, &plan, &plan.id), 0);
	assert_int_equal(voucher_create(&rules, &batch, note_code, box), 0);
	assert_int_equal(store_commit(rules.store), 0);
	store_close(rules.store);
	*state = box;
	return 0;
}

static int tear_down(void **state)
{
	struct box *box = *state;

	lib_folder_remove(box->folder);
	free(box);
	return 0;
}

static struct mac some_mac(void)
{
	return (struct mac){{2, 0, 0, 0, 0,
		(uint8_t)crypto_random_below(CLIENTS)}};
}

/* What one commit answers. */
struct answer {
	int used, paid;
};

static int redeem(struct rules *rules, const char *code, struct answer *answer)
{
	const struct mac mac = some_mac();
	const struct guest guest = {.mac = &mac};
	struct activated activated;
	enum outcome outcome;
	int ret = voucher_activate(
		rules, &guest, code, &now, &activated, &outcome);

	answer->used += !ret && outcome == OUTCOME_OK;
	return ret;
}

static int sell(struct rules *rules, struct answer *answer)
{
	const struct allowance allowance = {.seconds = 600, .bytes = UNLIMITED};
	struct payment payment = {.method = "cash", .amount_minor = PRICE,
		.currency = "TZS", .who = "uid 0"};
	const struct mac mac = some_mac();
	enum outcome outcome;
	struct account account;
	int ret = session_allow(
		rules, &mac, &allowance, &now, &account, &outcome);

	if (ret || outcome)
		return ret;
	answer->paid++;
	return store_payment_insert(rules->store, &payment);
}

static int move(struct rules *rules)
{
	const struct mac from = some_mac(), to = some_mac();
	enum outcome outcome;

	if (!memcmp(&from, &to, sizeof(from)))
		return 0;
	return session_move(rules, &from, &to, &now, &outcome);
}

/* One operation in a savepoint, as the daemon runs it. */
static int operate(struct rules *rules, const struct box *box, struct answer *answer)
{
	int ret = store_savepoint(rules->store);

	if (ret)
		return ret;
	switch (crypto_random_below(4)) {
	case 0:
		ret = sell(rules, answer);
		break;
	case 1:
		ret = move(rules);
		break;
	default:
		ret = redeem(rules, box->codes[crypto_random_below(CODES)], answer);
	}
	return ret ? ret : store_release(rules->store);
}

/* Until it is killed. */
static void live(const struct box *box, int out)
{
	struct rules rules = open_rules(box);

	for (;;) {
		struct answer answer = {0};
		int left = 1 + (int)crypto_random_below(GROUP);

		if (store_begin(rules.store))
			_exit(1);
		while (left-- > 0)
			if (operate(&rules, box, &answer))
				_exit(2);
		if (store_commit(rules.store) ||
			write(out, &answer, sizeof(answer)) != sizeof(answer))
			_exit(3);
	}
}

/* Adds the next answer to the box; false when no more comes. */
static bool hear(struct box *box, int in)
{
	struct answer answer;

	if (read(in, &answer, sizeof(answer)) != sizeof(answer))
		return false;
	box->used += answer.used;
	box->paid += answer.paid;
	return true;
}

/* It is killed a random while after its first answers, or while it opens. */
static void run_and_kill(struct box *box)
{
	const struct timespec wait = {.tv_nsec = crypto_random_below(6000000)};
	int answers = (int)crypto_random_below(4), pair[2], status;
	pid_t pid;

	assert_int_equal(pipe(pair), 0);
	pid = fork();
	if (pid == 0) {
		close(pair[0]);
		live(box, pair[1]);
	}
	close(pair[1]);
	while (answers > 0 && hear(box, pair[0]))
		answers--;
	nanosleep(&wait, NULL);
	kill(pid, SIGKILL);
	while (hear(box, pair[0]))
		continue;
	close(pair[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	/* It did not end by itself. */
	assert_true(WIFSIGNALED(status));
}

static int64_t number(struct store *store, const char *sql)
{
	int64_t value;

	assert_int_equal(db_one(store->db, db_read_int, &value, sql, ""), 0);
	return value;
}

static void check_books(struct box *box)
{
	struct rules rules = open_rules(box);
	struct store *store = rules.store;
	int64_t used = number(store,
		"SELECT count(*) FROM vouchers WHERE state = 'used'");
	int64_t paid = number(store, "SELECT count(*) FROM payments");
	bool is_ahead;

	/* What was answered is there; the last commit may not have got so far. */
	assert_in_range(used - box->used, 0, GROUP);
	assert_in_range(paid - box->paid, 0, GROUP);
	box->used = (int)used;
	box->paid = (int)paid;
	assert_int_equal(number(store,
		"SELECT coalesce(sum(coalesce(deadline_ns - 1000000000000,"
		" left_ns)), 0) FROM credits WHERE state <> 'used'"),
		used * HOUR + paid * EXTRA);
	assert_int_equal(number(store,
		"SELECT coalesce(sum(total_paid_minor), 0) FROM sessions"),
		used * PRICE);
	assert_int_equal(number(store,
		"SELECT coalesce(sum(amount_minor), 0) FROM payments"),
		paid * PRICE);
	assert_int_equal(lib_count_lines(box->log), used + paid);
	assert_int_equal(store_spent_is_ahead(store, &is_ahead), 0);
	assert_false(is_ahead);
	store_close(store);
}

static void test_kills(void **state)
{
	const char *wanted = getenv("KILLS");
	int kills = wanted ? (int)strtol(wanted, NULL, 10) : 100, i;
	struct box *box = *state;

	for (i = 0; i < kills; i++) {
		run_and_kill(box);
		check_books(box);
	}
	print_message("%d kills: %d codes used, %d sales\n", kills, box->used,
		box->paid);
	assert_true(box->used + box->paid > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_kills, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
