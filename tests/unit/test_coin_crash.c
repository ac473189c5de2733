/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kill -9 at each step of lock, pulse, credit and start: a child does them on a
 * database in a file and is killed at its nth write or sync, for every n there
 * is. Then the box starts again, the acceptor tells once more what was not
 * acknowledged, and the guest presses the button once more: every coin is there
 * once, and so is the time for it.
 *
 * The system calls of SQLite are this file's own: they count, and kill.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rules/coin.h"

#define COINS 4
#define PESO 100

/* Shared with the child, which may die at any moment. */
static struct shared {
	int64_t left;	     /* steps until it is killed; 0: never */
	int64_t acknowledged; /* the acceptor knows that so many are kept */
	char key[COIN_KEY];  /* the browser's; "": no answer came */
	bool started;	     /* the browser knows */
} *shared;

static void step(void)
{
	if (shared && shared->left && !--shared->left)
		kill(getpid(), SIGKILL);
}

ssize_t pwrite64(int fd, const void *data, size_t len, off64_t at)
{
	step();
	return syscall(SYS_pwrite64, fd, data, len, at);
}

int fdatasync(int fd)
{
	step();
	return (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
	step();
	return (int)syscall(SYS_fsync, fd);
}

static const struct mac mac = {{2, 0, 0, 0, 0, 1}};
static const struct guest guest = {&mac, "lan"};
static const struct moment now = {1000 * NSEC_PER_SEC, 1800000000};

struct box {
	char folder[32], path[64];
	char fresh[64]; /* a database with its plans, and no coin yet */
	struct rules rules;
};

static void open_box(struct box *box)
{
	assert_int_equal(store_open(box->path, &box->rules.store), 0);
	box->rules.token_days = 3;
}

static void begin(struct box *box)
{
	assert_int_equal(store_begin(box->rules.store), 0);
}

static void commit(struct box *box)
{
	assert_int_equal(store_commit(box->rules.store), 0);
}

/* The turns of the daemon, in its order: answers behind the commit. */

static void reserve(struct box *box)
{
	enum outcome outcome = OUTCOME_OK;
	struct coin_lock lock;
	int64_t wait_ns;

	begin(box);
	assert_int_equal(coin_lock(&box->rules, &guest, "main", "PHP", &now,
				 &lock, &wait_ns, &outcome), 0);
	assert_int_equal(outcome, OUTCOME_OK);
	commit(box);
	memcpy(shared->key, lock.key, sizeof(lock.key));
}

static void settle(struct box *box)
{
	begin(box);
	assert_true(coin_settle(&box->rules, &now) >= 0);
	commit(box);
}

static void tell(struct box *box, int64_t seq)
{
	struct coin_pulse pulse = {.slot = "main", .seq = seq, .currency = "PHP",
		.at = now.wall_sec, .at_ns = now.mono_ns, .amount_minor = PESO};
	bool is_new;

	begin(box);
	assert_int_equal(coin_journal(&box->rules, &pulse, &is_new), 0);
	commit(box);
	shared->acknowledged = seq;
	settle(box);
}

static void start(struct box *box)
{
	static const struct coin_claim claim = {UNLIMITED, UNLIMITED, "main"};
	enum outcome outcome = OUTCOME_OK;
	struct coin_started started;

	begin(box);
	assert_int_equal(coin_start(&box->rules, &guest, shared->key, &claim,
				 &now, &started, &outcome), 0);
	assert_int_equal(outcome, OUTCOME_OK);
	commit(box);
	shared->started = true;
}

/* Whatever is still to be done. */
static void go_on(struct box *box)
{
	int64_t seq;

	settle(box);
	if (!shared->key[0])
		reserve(box);
	for (seq = shared->acknowledged + 1; seq <= COINS; seq++)
		tell(box, seq);
	if (!shared->started)
		start(box);
}

static void make_plans(struct box *box)
{
	struct plan plan = {.name = "peso", .seconds = 600, .bytes = UNLIMITED,
		.price_minor = PESO, .currency = "PHP", .is_active = true,
		.token_days = UNLIMITED, .devices = 1, .coin = true};

	open_box(box);
	begin(box);
	assert_int_equal(store_plan_insert(box->rules.store, &plan, NULL), 0);
	commit(box);
	store_close(box->rules.store);
	assert_int_equal(rename(box->path, box->fresh), 0);
}

static void copy_fresh(const struct box *box)
{
	_cleanup_fd_ int from = open(box->fresh, O_RDONLY | O_CLOEXEC);
	_cleanup_fd_ int to =
		open(box->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	char data[65536];
	ssize_t n;

	while ((n = read(from, data, sizeof(data))) > 0)
		assert_int_equal(write(to, data, (size_t)n), n);
	assert_int_equal(n, 0);
}

static void check(struct box *box, bool done)
{
	struct coin_sums sums;
	struct account account;
	struct view view;

	assert_int_equal(store_coin_sums(box->rules.store, &sums), 0);
	assert_true(sums.pulses_minor >= shared->acknowledged * PESO);
	/* What is journalled only is neither yet. */
	assert_true(sums.pulses_minor >= sums.paid_minor + sums.rest_minor);
	if (!done)
		return;
	assert_int_equal(sums.pulses_minor, COINS * PESO);
	assert_int_equal(sums.paid_minor, COINS * PESO);
	assert_int_equal(sums.rest_minor, 0);
	assert_int_equal(account_load(&box->rules, &mac, &now, &account), 0);
	account_view(&account, &now, &view);
	assert_int_equal(view.remaining_ns, COINS * 600 * NSEC_PER_SEC);
	assert_int_equal(account.session.total_paid_minor, COINS * PESO);
}

static void clean(struct box *box)
{
	static const char *const ends[] = {"", "-wal", "-shm", "-journal"};
	char path[80];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ends); i++) {
		snprintf(path, sizeof(path), "%s%s", box->path, ends[i]);
		unlink(path);
	}
}

/* True: the child was killed at its nth step, and everything came right. */
static bool killed_at(struct box *box, int64_t n)
{
	int status = 0;
	pid_t child;

	clean(box);
	memset(shared, 0, sizeof(*shared));
	copy_fresh(box);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		open_box(box);
		shared->left = n;
		go_on(box);
		shared->left = 0;
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	shared->left = 0;
	assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
	open_box(box);
	begin(box);
	check(box, false);
	commit(box);
	go_on(box);
	begin(box);
	check(box, true);
	commit(box);
	store_close(box->rules.store);
	return WIFSIGNALED(status);
}

static void test_killed_at_each_step(void **state)
{
	/* A process dies here, not the machine: memory is as good as a disk. */
	struct box box = {.folder = "/dev/shm/coins.XXXXXX"};
	int64_t n = 1;

	assert_int_equal(crypto_init(), 0);
	assert_non_null(mkdtemp(box.folder));
	snprintf(box.path, sizeof(box.path), "%s/db", box.folder);
	snprintf(box.fresh, sizeof(box.fresh), "%s/fresh", box.folder);
	make_plans(&box);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(shared != MAP_FAILED);
	while (killed_at(&box, n))
		n++;
	print_message("killed at each of %lld steps\n", (long long)n - 1);
	/* Ten turns, each with a write and a sync at least. */
	assert_true(n > 20);
	clean(&box);
	unlink(box.fresh);
	assert_int_equal(rmdir(box.folder), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_killed_at_each_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
