/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The disk fails, or the power, at every single step of what changes the books:
 * each write, sync, truncation and removal of SQLite's and of spent.log's. What
 * is found afterwards is what was before or what should be then, never anything
 * between; what was answered is there; and spent.log has each line once.
 *
 * The same for a disk that is read-only, a lock that another program has, and a
 * statement that comes to nothing.
 *
 * The steps are seen because this program has functions of these names, which
 * the libraries call in place of libc's, and the store in place of SQLite's.
 */
#undef _FORTIFY_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/util.h"
#include "rules/move.h"
#include "rules/pause.h"
#include "rules/voucher.h"
#include "store/handle.h"
#include "store/payments.h"
#include "store/spent.h"

#include "lib/folder.h"

#define TEXT 8192

/* Faults. */

enum fault {
	FAULT_NONE,
	FAULT_ONCE,  /* an I/O error, at one step only */
	FAULT_FULL,  /* no space from that step on */
	FAULT_READ_ONLY, /* nothing can be written, from that step on */
	FAULT_KILL,  /* the end of the process before it */
	FAULT_TORN,  /* the same, with half of what it writes written */
	FAULT_LOCKED,	   /* another program has the lock, from that one on */
	FAULT_LOCKED_ONCE, /* it has it for a moment */
	FAULT_CALL,	   /* a call of SQLite's gives `call_code`, once */
};

static enum fault fault;
static int steps, fault_at, call_code;

/* Is this the step, or behind it? */
static bool meets(void)
{
	steps++;
	if (fault == FAULT_FULL || fault == FAULT_READ_ONLY || fault == FAULT_LOCKED)
		return steps >= fault_at;
	return steps == fault_at;
}

/* 0, or the errno that the step fails with. */
static int step(void)
{
	if (fault == FAULT_NONE || fault >= FAULT_LOCKED || !meets())
		return 0;
	if (fault == FAULT_KILL)
		kill(getpid(), SIGKILL);
	return fault == FAULT_FULL ? ENOSPC : fault == FAULT_READ_ONLY ? EROFS : EIO;
}

static long refuse(int err)
{
	errno = err;
	return -1;
}

static ssize_t put_bytes(int fd, const void *data, size_t len, off_t at, bool has_at)
{
	int err = step();

	if (err && fault == FAULT_TORN)
		len /= 2;
	else if (err)
		return refuse(err);
	if (has_at)
		len = (size_t)syscall(SYS_pwrite64, fd, data, len, at);
	else
		len = (size_t)syscall(SYS_write, fd, data, len);
	if (err)
		kill(getpid(), SIGKILL);
	return (ssize_t)len;
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t at)
{
	return put_bytes(fd, data, len, at, true);
}

ssize_t pwrite64(int fd, const void *data, size_t len, off64_t at)
{
	return put_bytes(fd, data, len, at, true);
}

ssize_t write(int fd, const void *data, size_t len)
{
	/* What the test says to itself is no step. */
	if (fd <= STDERR_FILENO)
		return syscall(SYS_write, fd, data, len);
	return put_bytes(fd, data, len, 0, false);
}

static int sync_file(long number, int fd)
{
	int err = step();

	return err ? (int)refuse(err) : (int)syscall(number, fd);
}

int fdatasync(int fd)
{
	return sync_file(SYS_fdatasync, fd);
}

int fsync(int fd)
{
	return sync_file(SYS_fsync, fd);
}

int ftruncate(int fd, off_t len)
{
	int err = step();

	return err ? (int)refuse(err) : (int)syscall(SYS_ftruncate, fd, len);
}

int ftruncate64(int fd, off64_t len)
{
	return ftruncate(fd, len);
}

int unlink(const char *path)
{
	int err = step();

	return err ? (int)refuse(err)
		   : (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

static int open_file(const char *path, int flags, va_list args)
{
	mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;

	if (fault == FAULT_READ_ONLY && flags & (O_WRONLY | O_RDWR | O_CREAT))
		return (int)refuse(EROFS);
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int open(const char *path, int flags, ...)
{
	va_list args;
	int fd;

	va_start(args, flags);
	fd = open_file(path, flags, args);
	va_end(args);
	return fd;
}

int open64(const char *path, int flags, ...)
{
	va_list args;
	int fd;

	va_start(args, flags);
	fd = open_file(path, flags, args);
	va_end(args);
	return fd;
}

/* Locks, and the wait for them. */

static int control(int fd, int command, void *arg)
{
	const struct flock *lock = arg;

	if ((fault == FAULT_LOCKED || fault == FAULT_LOCKED_ONCE) &&
		command == F_SETLK && lock->l_type != F_UNLCK && meets())
		return (int)refuse(EAGAIN);
	return (int)syscall(SYS_fcntl, fd, command, arg);
}

int fcntl(int fd, int command, ...)
{
	va_list args;
	void *arg;

	va_start(args, command);
	arg = va_arg(args, void *);
	va_end(args);
	return control(fd, command, arg);
}

int fcntl64(int fd, int command, ...)
{
	va_list args;
	void *arg;

	va_start(args, command);
	arg = va_arg(args, void *);
	va_end(args);
	return control(fd, command, arg);
}

int usleep(useconds_t us)
{
	return 0;
}

int nanosleep(const struct timespec *wait, struct timespec *rest)
{
	return 0;
}

/* Calls of SQLite's. What ends a transaction always can. */

static bool comes_to_nothing(void)
{
	return fault == FAULT_CALL && meets();
}

int sqlite3_step(sqlite3_stmt *stmt)
{
	static int (*next)(sqlite3_stmt *);
	const char *sql;

	if (!next)
		next = (int (*)(sqlite3_stmt *))dlsym(RTLD_NEXT, "sqlite3_step");
	sql = sqlite3_sql(stmt);
	return (!sql || strcmp(sql, "ROLLBACK") != 0) && comes_to_nothing()
		       ? call_code
		       : next(stmt);
}

int sqlite3_exec(sqlite3 *sqlite, const char *sql,
	int (*fn)(void *, int, char **, char **), void *data, char **ret_error)
{
	static int (*next)(sqlite3 *, const char *,
		int (*)(void *, int, char **, char **), void *, char **);

	if (!next)
		next = (__typeof__(next))dlsym(RTLD_NEXT, "sqlite3_exec");
	return comes_to_nothing() ? call_code
				  : next(sqlite, sql, fn, data, ret_error);
}

int sqlite3_prepare_v3(sqlite3 *sqlite, const char *sql, int len,
	unsigned flags, sqlite3_stmt **ret_stmt, const char **ret_tail)
{
	static int (*next)(sqlite3 *, const char *, int, unsigned,
		sqlite3_stmt **, const char **);

	if (!next)
		next = (__typeof__(next))dlsym(RTLD_NEXT, "sqlite3_prepare_v3");
	return strcmp(sql, "ROLLBACK") != 0 && comes_to_nothing()
		       ? call_code
		       : next(sqlite, sql, len, flags, ret_stmt, ret_tail);
}

/* A place with a database before the fault, and one to try in. */

struct place {
	char folder[32];
	char base[64], db[64], log[64];
	char code[VOUCHER_CODE];
};

static const struct mac first = {{2, 0, 0, 0, 0, 1}}, second = {{2, 0, 0, 0, 0, 2}},
			third = {{2, 0, 0, 0, 0, 3}};
static const struct moment begun = {1000 * NSEC_PER_SEC, 1800000000};
/* A minute later; and when what the first has is over. */
static const struct moment now = {1060 * NSEC_PER_SEC, 1800000060};
static const struct moment later = {9000 * NSEC_PER_SEC, 1800008000};

/* An operation and what the daemon does around it: one transaction. */
struct change {
	const char *name;
	int (*fn)(struct rules *rules, const struct place *place);
	int lines; /* that it adds to spent.log */
};

static int audit(struct rules *rules, const char *what)
{
	return store_audit(rules->store, now.wall_sec, "uid 0", what, &first, 0, "");
}

static int redeem(struct rules *rules, const struct place *place)
{
	const struct guest guest = {.mac = &third};
	struct activated activated;
	enum outcome outcome = OUTCOME_OK;
	int ret = voucher_activate(
		rules, &guest, place->code, &now, &activated, &outcome);

	if (!ret)
		assert_int_equal(outcome, OUTCOME_OK);
	return ret ? ret : audit(rules, "redeem");
}

static int credit(struct rules *rules, const struct place *place)
{
	const struct allowance allowance = {.seconds = 600, .bytes = UNLIMITED};
	struct payment payment = {.paid_at = now.wall_sec, .method = "coin",
		.reference = "slot 1 7", .amount_minor = 500, .currency = "TZS",
		.who = "slot"};
	enum outcome outcome;
	struct account account;
	int ret = session_allow(
		rules, &first, &allowance, &now, &account, &outcome);

	if (!ret)
		ret = store_payment_insert(rules->store, &payment);
	return ret ? ret : audit(rules, "credit");
}

/* Onto a client that has a session as well. */
static int move(struct rules *rules, const struct place *place)
{
	enum outcome outcome;
	int ret = session_move(rules, &first, &second, &now, &outcome);

	return ret ? ret : audit(rules, "move");
}

static int sweep(struct rules *rules, const struct place *place)
{
	struct record record;
	int ret = store_record_of(rules->store, &first, &record);

	if (!ret)
		ret = store_record_fold(rules->store, record.id, 5000, 70000);
	if (!ret)
		ret = store_boot_touch(rules->store, now.mono_ns);
	return ret;
}

static int expire(struct rules *rules, const struct place *place)
{
	struct account account;
	int ret = account_load(rules, &first, &later, &account);

	return ret == -ENOENT ? audit(rules, "expire") : ret;
}

static int suspend(struct rules *rules, const struct place *place)
{
	enum outcome outcome;
	bool changed;
	int ret = session_pause(rules, &first, SESSION_BY_USER, &now, &changed,
		&outcome);

	return ret ? ret : audit(rules, "pause");
}

static const struct change changes[] = {
	{"redeem", redeem, 1},
	{"credit", credit, 1},
	{"move", move, 0},
	{"sweep", sweep, 0},
	{"expire", expire, 0},
	{"pause", suspend, 0},
};

static int run(struct rules *rules, const struct place *place,
	const struct change *change)
{
	int ret = store_begin(rules->store);

	if (!ret)
		ret = change->fn(rules, place);
	if (!ret)
		ret = store_commit(rules->store);
	if (ret)
		store_rollback(rules->store);
	return ret;
}

/* Keys are not the question here. */
static struct rules rules_of(struct store *store)
{
	return (struct rules){.store = store, .token_days = 3};
}

static struct store *open_store(const struct place *place)
{
	struct store *store;

	assert_int_equal(store_open(place->db, &store), 0);
	assert_int_equal(store_spent_open(store, place->log), 0);
	return store;
}

static void note_code(void *data, const char *code)
{
	struct place *place = data;

	snprintf(place->code, sizeof(place->code), "%s", code);
}

static void fill(struct place *place, struct rules *rules)
{
	struct plan plan = {.name = "Hour", .seconds = 3600, .bytes = UNLIMITED,
		.price_minor = 500, .currency = "TZS", .token_days = UNLIMITED,
		.devices = 1, .is_active = true};
	const struct voucher_batch batch = {.plan = &plan, .count = 1,
		.expires_at = UNLIMITED, .prefix = "", .batch = "b",
		.created_by = "uid 0"};
	const struct allowance allowance = {.seconds = 1800, .bytes = 1000000};
	struct record record = {.mac = first};
	enum outcome outcome;
	struct account account;
	bool rebooted;

	assert_int_equal(store_begin(rules->store), 0);
	assert_int_equal(store_boot_enter(
		rules->store, "b", begun.mono_ns, &rebooted), 0);
	assert_int_equal(store_plan_insert(rules->store, &plan, &plan.id), 0);
	assert_int_equal(voucher_create(rules, &batch, note_code, place), 0);
	assert_int_equal(session_allow(
		rules, &second, &allowance, &begun, &account, &outcome), 0);
	assert_int_equal(session_allow(
		rules, &first, &allowance, &begun, &account, &outcome), 0);
	record.session_id = account.session.id;
	record.credit_id = account_in_use(&account)->id;
	assert_int_equal(store_record_insert(rules->store, &record), 0);
	assert_int_equal(store_commit(rules->store), 0);
}

static int set_up(void **state)
{
	struct place *place = xcalloc(1, sizeof(*place));
	struct rules rules;

	assert_int_equal(crypto_init(), 0);
	/* In memory, where there is such a place: 600 times nothing to wait for. */
	snprintf(place->folder, sizeof(place->folder), "%s/faults.XXXXXX",
		access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	assert_non_null(mkdtemp(place->folder));
	snprintf(place->base, sizeof(place->base), "%s/base", place->folder);
	snprintf(place->db, sizeof(place->db), "%s/db", place->folder);
	snprintf(place->log, sizeof(place->log), "%s/spent.log", place->folder);
	rules = rules_of(open_store(place));
	fill(place, &rules);
	/* One file from now on. */
	store_close(rules.store);
	assert_int_equal(rename(place->db, place->base), 0);
	*state = place;
	return 0;
}

static int tear_down(void **state)
{
	struct place *place = *state;

	lib_folder_remove(place->folder);
	free(place);
	return 0;
}

/* As it was before anything. */
static void begin_anew(const struct place *place)
{
	_cleanup_fd_ int from = open(place->base, O_RDONLY | O_CLOEXEC);
	_cleanup_fd_ int to = -1;
	char buf[65536];
	ssize_t n;

	lib_folder_clear(place->folder, "base");
	to = open(place->db, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	while ((n = read(from, buf, sizeof(buf))) > 0)
		assert_int_equal(write(to, buf, (size_t)n), n);
}

struct text {
	char *buf;
	size_t len;
};

static void read_text(struct db_rows *rows, void *ret_row)
{
	struct text *text = ret_row;

	db_text(rows, 0, text->buf, text->len);
}

/* All that money, time and bytes are made of; not what is random. */
static void describe(struct store *store, char ret[static TEXT])
{
	struct text text = {ret, TEXT};

	assert_int_equal(db_one(store->db, read_text, &text,
		"SELECT group_concat(line, char(10)) FROM ("
		"SELECT format('session %d %s %s %d %d %s', id, mac, state,"
		" total_paid_minor, token_handed, end_reason) AS line FROM sessions"
		" UNION ALL SELECT format('credit %d %d %d %s %s %s %d %d', id,"
		" session_id, position, state, left_ns, deadline_ns, bytes_up,"
		" bytes_down) FROM credits"
		" UNION ALL SELECT format('voucher %s %s', state, used_mac)"
		" FROM vouchers"
		" UNION ALL SELECT format('payment %s %d', reference,"
		" amount_minor) FROM payments"
		" UNION ALL SELECT format('record %d %d %d', id, raw_up, raw_down)"
		" FROM records"
		" UNION ALL SELECT format('tokens %d', count(*)) FROM tokens"
		" UNION ALL SELECT format('audit %d', count(*)) FROM audit"
		" UNION ALL SELECT format('boot %d', last_mono_ns) FROM boots)",
		""), 0);
}

/* What there is without any fault. */
static void expect(const struct place *place, const struct change *change,
	char ret_before[static TEXT], char ret_after[static TEXT])
{
	struct rules rules;

	begin_anew(place);
	rules = rules_of(open_store(place));
	describe(rules.store, ret_before);
	assert_int_equal(run(&rules, place, change), 0);
	describe(rules.store, ret_after);
	assert_string_not_equal(ret_before, ret_after);
	store_close(rules.store);
	assert_int_equal(lib_count_lines(place->log), change->lines);
}

/* A process that gets as far as it gets. False: no step had that number. */
static bool die_at(const struct place *place, const struct change *change,
	enum fault how, int at, bool *ret_answered)
{
	int pair[2], status;
	char byte;
	pid_t pid;

	assert_int_equal(pipe(pair), 0);
	pid = fork();
	if (pid == 0) {
		struct rules rules = rules_of(open_store(place));

		fault_at = at;
		fault = how;
		if (run(&rules, place, change) == 0)
			syscall(SYS_write, pair[1], "!", 1);
		/* Closing moves all into one file: once is enough of that. */
		if (change == changes)
			store_close(rules.store);
		_exit(0);
	}
	close(pair[1]);
	*ret_answered = read(pair[0], &byte, 1) == 1;
	close(pair[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status);
}

static void check_after_death(const struct place *place,
	const struct change *change, bool answered, const char *before,
	const char *after)
{
	struct rules rules = rules_of(open_store(place));
	char found[TEXT];
	bool is_after, is_ahead;

	describe(rules.store, found);
	is_after = !strcmp(found, after);
	if (answered || strcmp(found, before) != 0)
		assert_string_equal(found, after);
	/* A line for what happened, none for what did not. */
	assert_int_equal(lib_count_lines(place->log), is_after ? change->lines : 0);
	assert_int_equal(store_spent_is_ahead(rules.store, &is_ahead), 0);
	assert_false(is_ahead);
	/* And it goes on from there. */
	if (!is_after) {
		assert_int_equal(run(&rules, place, change), 0);
		describe(rules.store, found);
		assert_string_equal(found, after);
	}
	store_close(rules.store);
}

static void test_killed_at_every_step(void **state)
{
	struct place *place = *state;
	char before[TEXT], after[TEXT];
	bool answered;
	size_t i;
	int at;

	for (i = 0; i < ARRAY_SIZE(changes); i++) {
		expect(place, &changes[i], before, after);
		for (at = 1;; at++) {
			begin_anew(place);
			if (!die_at(place, &changes[i], FAULT_KILL, at, &answered))
				break;
			check_after_death(place, &changes[i], answered, before, after);
			if (at % 2 && i)
				continue;
			begin_anew(place);
			die_at(place, &changes[i], FAULT_TORN, at, &answered);
			check_after_death(place, &changes[i], answered, before, after);
		}
		print_message("%s: %d steps\n", changes[i].name, at - 1);
		assert_true(at > 3);
	}
}

/* In one process: it is refused and changes nothing, or it is done. */
static bool fail_at(const struct place *place, const struct change *change,
	enum fault how, int at, const char *before, const char *after)
{
	struct rules rules;
	char found[TEXT];
	bool met;
	int ret;

	begin_anew(place);
	rules = rules_of(open_store(place));
	steps = 0;
	fault_at = at;
	fault = how;
	ret = run(&rules, place, change);
	fault = FAULT_NONE;
	met = steps >= at;
	describe(rules.store, found);
	assert_string_equal(found, ret ? before : after);
	/* The disk works again: so does everything. */
	if (ret)
		assert_int_equal(run(&rules, place, change), 0);
	describe(rules.store, found);
	assert_string_equal(found, after);
	assert_int_equal(store_begin(rules.store), 0);
	assert_int_equal(store_commit(rules.store), 0);
	assert_int_equal(store_spent_error(rules.store), 0);
	assert_int_equal(lib_count_lines(place->log), change->lines);
	store_close(rules.store);
	rules = rules_of(open_store(place));
	describe(rules.store, found);
	assert_string_equal(found, after);
	store_close(rules.store);
	return met;
}

static void test_failing_at_every_step(void **state)
{
	struct place *place = *state;
	char before[TEXT], after[TEXT];
	size_t i;
	int at;

	for (i = 0; i < ARRAY_SIZE(changes); i++) {
		expect(place, &changes[i], before, after);
		for (at = 1; fail_at(place, &changes[i], FAULT_ONCE, at, before, after);
			at++)
			if (i == 0 || at % 3 == 0)
				fail_at(place, &changes[i], FAULT_FULL, at, before, after);
		assert_true(at > 3);
	}
}

/* `how` at each step of each change. */
static void fail_everywhere(const struct place *place, enum fault how)
{
	char before[TEXT], after[TEXT];
	size_t i;
	int at;

	for (i = 0; i < ARRAY_SIZE(changes); i++) {
		expect(place, &changes[i], before, after);
		for (at = 1; fail_at(place, &changes[i], how, at, before, after); at++)
			;
		print_message("%s: %d steps\n", changes[i].name, at - 1);
		assert_true(at > 1);
	}
}

static void test_read_only_from_every_step(void **state)
{
	fail_everywhere(*state, FAULT_READ_ONLY);
}

static void test_locked_at_every_lock(void **state)
{
	fail_everywhere(*state, FAULT_LOCKED);
	fail_everywhere(*state, FAULT_LOCKED_ONCE);
}

static void test_every_call_is_busy(void **state)
{
	call_code = SQLITE_BUSY;
	fail_everywhere(*state, FAULT_CALL);
}

static void test_every_call_has_an_io_error(void **state)
{
	call_code = SQLITE_IOERR;
	fail_everywhere(*state, FAULT_CALL);
}

static void test_opened_read_only(void **state)
{
	struct place *place = *state;
	char before[TEXT], after[TEXT], found[TEXT];
	struct store *store;
	struct rules rules;

	expect(place, &changes[0], before, after);
	begin_anew(place);
	fault = FAULT_READ_ONLY;
	fault_at = 1;
	assert_int_equal(store_open(place->db, &store), -EROFS);
	fault = FAULT_NONE;
	rules = rules_of(open_store(place));
	describe(rules.store, found);
	assert_string_equal(found, before);
	assert_int_equal(run(&rules, place, &changes[0]), 0);
	store_close(rules.store);
}

/* Why a transaction is no more, though what is refused behind it says less. */
static void test_the_cause_is_known(void **state)
{
	static const struct {
		enum fault how;
		int err;
	} rows[] = {
		{FAULT_ONCE, -EIO},
		{FAULT_FULL, -ENOSPC},
		{FAULT_READ_ONLY, -EIO}, /* SQLite does not say which */
		{FAULT_LOCKED, -EBUSY},
	};
	struct place *place = *state;
	struct rules rules;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		begin_anew(place);
		rules = rules_of(open_store(place));
		steps = 0;
		fault_at = 1;
		fault = rows[i].how;
		assert_int_not_equal(run(&rules, place, &changes[0]), 0);
		fault = FAULT_NONE;
		assert_int_equal(store_failure(rules.store), rows[i].err);
		/* Nothing written says nothing. */
		assert_int_equal(store_begin(rules.store), 0);
		assert_int_equal(store_failure(rules.store), 0);
		assert_int_equal(store_commit(rules.store), 0);
		assert_false(store_is_written(rules.store));
		assert_int_equal(run(&rules, place, &changes[0]), 0);
		assert_true(store_is_written(rules.store));
		store_close(rules.store);
	}
}

static void test_busy(void **state)
{
	struct place *place = *state;
	char before[TEXT], after[TEXT], found[TEXT];
	struct store *other;
	struct rules rules;

	expect(place, &changes[0], before, after);
	begin_anew(place);
	rules = rules_of(open_store(place));
	assert_int_equal(store_open(place->db, &other), 0);
	assert_int_equal(store_begin(other), 0);
	assert_int_equal(run(&rules, place, &changes[0]), -EBUSY);
	store_rollback(other);
	store_close(other);
	describe(rules.store, found);
	assert_string_equal(found, before);
	assert_int_equal(run(&rules, place, &changes[0]), 0);
	describe(rules.store, found);
	assert_string_equal(found, after);
	store_close(rules.store);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_killed_at_every_step),
		TEST(test_failing_at_every_step),
		TEST(test_read_only_from_every_step),
		TEST(test_locked_at_every_lock),
		TEST(test_every_call_is_busy),
		TEST(test_every_call_has_an_io_error),
		TEST(test_opened_read_only),
		TEST(test_the_cause_is_known),
		TEST(test_busy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
