/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Backups: an encrypted file opens with its key only, and only as it was made;
 * a copy of the database that is in use is whole; both find their way back; and
 * the key of voucher codes survives being written down.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/archive.h"
#include "base/log.h"
#include "base/util.h"
#include "daemon/backup.h"
#include "daemon/keys.h"
#include "store/copy.h"
#include "store/handle.h"
#include "store/payments.h"
#include "store/spent.h"

#include "lib/folder.h"

#define BIG (3 * 65536) /* whole chunks: the last one is empty */

struct box {
	struct config config;
	char *db;
	struct store *store;
};

static int set_up(void **state)
{
	struct box *box = xcalloc(1, sizeof(*box));

	assert_int_equal(crypto_init(), 0);
	log_init("test", LOG_LEVEL_ERROR);
	memcpy(box->config.state_dir, "/tmp/backup.XXXXXX", 19);
	assert_non_null(mkdtemp(box->config.state_dir));
	box->config.backup_keep = 2;
	box->db = backup_db_path(&box->config);
	*state = box;
	return 0;
}

static int tear_down(void **state)
{
	struct box *box = *state;
	_cleanup_free_ char *backups =
		xasprintf("%s/backup", box->config.state_dir);

	store_close(box->store);
	lib_folder_remove(backups);
	lib_folder_remove(box->config.state_dir);
	free(box->db);
	free(box);
	return 0;
}

static int file_of(const void *data, size_t len)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	assert_int_equal(write(fd, data, len), (ssize_t)len);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

/* Opens a file of these bytes; the contents are compared when it does. */
static int try_open(const uint8_t *data, size_t len,
	const struct archive_key *key, const uint8_t *want, size_t want_len)
{
	_cleanup_fd_ int from = file_of(data, len), to = file_of("", 0);
	_cleanup_free_ uint8_t *got = xcalloc(1, want_len + 1);
	int ret = archive_open(from, to, key);

	if (ret)
		return ret;
	assert_int_equal(pread(to, got, want_len + 1, 0), (ssize_t)want_len);
	assert_memory_equal(got, want, want_len);
	return 0;
}

static void check_archive(const struct archive_key *lock,
	const struct archive_key *unlock, size_t len)
{
	_cleanup_free_ uint8_t *plain = xcalloc(1, len + 1);
	_cleanup_free_ uint8_t *sealed = xcalloc(1, len + 1000);
	_cleanup_fd_ int from = -1, to = file_of("", 0), other = -1;
	const struct archive_key wrong = {.passphrase = "something else"};
	uint8_t stream_key[CRYPTO_KEY];
	ssize_t n;

	crypto_random(plain, len);
	from = file_of(plain, len);
	assert_int_equal(archive_seal(from, to, lock, stream_key), 0);
	assert_int_equal(archive_compare(to, from, stream_key), 0);
	n = pread(to, sealed, len + 1000, 0);
	assert_true(n > (ssize_t)len);
	assert_int_equal(try_open(sealed, (size_t)n, unlock, plain, len), 0);
	assert_int_equal(try_open(sealed, (size_t)n, &wrong, plain, len), -EBADMSG);
	/* Cut, changed, more. */
	assert_int_equal(
		try_open(sealed, (size_t)n - 1, unlock, plain, len), -EBADMSG);
	sealed[n / 2] ^= 1;
	assert_int_equal(try_open(sealed, (size_t)n, unlock, plain, len), -EBADMSG);
	plain[0] ^= 1;
	other = file_of(plain, MAX(len, 1));
	assert_int_equal(archive_compare(to, other, stream_key), -EBADMSG);
}

static void test_archives(void **state)
{
	const struct archive_key passphrase = {.passphrase = "seven words"};
	struct archive_key public = {0}, secret = {0};
	const size_t sizes[] = {0, 1, 100000, BIG};
	size_t i;

	archive_key_pair(public.key, secret.key);
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		check_archive(&public, &secret, sizes[i]);
	check_archive(&passphrase, &passphrase, 100);
}

static void open_store(struct box *box)
{
	struct rules rules;

	assert_int_equal(store_open(box->db, &box->store), 0);
	assert_int_equal(keys_load(&box->config, &rules, NULL), 0);
	assert_int_equal(store_begin(box->store), 0);
	assert_int_equal(keys_check(box->store, &rules), 0);
	assert_int_equal(store_commit(box->store), 0);
}

static void put(struct box *box, const char *value)
{
	assert_int_equal(store_begin(box->store), 0);
	assert_int_equal(store_setting_put(box->store, "said", value), 0);
	assert_int_equal(store_commit(box->store), 0);
}

static void assert_said(struct box *box, const char *want)
{
	char value[32] = "";

	store_setting_get(box->store, "said", value, sizeof(value));
	assert_string_equal(value, want);
}

static int count_backups(struct box *box)
{
	_cleanup_free_ char *path = xasprintf("%s/backup", box->config.state_dir);
	DIR *dir = opendir(path);
	struct dirent *entry;
	int n = 0;

	while ((entry = readdir(dir)))
		n += strstr(entry->d_name, ".backup") != NULL;
	closedir(dir);
	return n;
}

static void test_there_and_back(void **state)
{
	struct box *box = *state;
	_cleanup_free_ char *secret_path =
		xasprintf("%s/secret", box->config.state_dir);
	uint8_t public[CRYPTO_KEY], secret[CRYPTO_KEY];
	char text[2 * CRYPTO_KEY + 1], value[32];
	struct backup_report report;
	FILE *file;

	open_store(box);
	archive_key_pair(public, secret);
	hex_format(public, sizeof(public), box->config.backup_key);
	hex_format(secret, sizeof(secret), text);
	file = fopen(secret_path, "we");
	fputs(text, file);
	fclose(file);
	put(box, "backed up");
	/* With a transaction open, of which nothing is in the backup. */
	assert_int_equal(store_begin(box->store), 0);
	assert_int_equal(store_setting_put(box->store, "said", "not yet"), 0);
	assert_int_equal(backup_make(&box->config, &report), 0);
	store_rollback(box->store);
	assert_true(report.is_sealed);
	assert_true(report.rows > 0);
	put(box, "later");
	store_close(TAKE_PTR(box->store));
	assert_int_equal(
		backup_restore(&box->config, report.path, NULL), -ENOKEY);
	assert_int_equal(
		backup_restore(&box->config, report.path, "/dev/null"), -ENOKEY);
	open_store(box);
	assert_said(box, "later");
	store_close(TAKE_PTR(box->store));
	assert_int_equal(
		backup_restore(&box->config, report.path, secret_path), 0);
	open_store(box);
	assert_said(box, "backed up");
	assert_int_equal(store_setting_get(box->store, STORE_COPIED_AT, value,
				 sizeof(value)), 0);
	store_close(TAKE_PTR(box->store));
}

static void test_another_box_is_refused(void **state)
{
	struct box *box = *state;
	struct backup_report report;

	open_store(box);
	put(box, "backed up");
	assert_int_equal(backup_make(&box->config, &report), 0);
	put(box, "later");
	assert_int_equal(store_begin(box->store), 0);
	assert_int_equal(
		store_setting_put(box->store, STORE_IDENTITY, "another"), 0);
	assert_int_equal(store_commit(box->store), 0);
	store_close(TAKE_PTR(box->store));
	assert_int_equal(
		backup_restore(&box->config, report.path, NULL), -EEXIST);
	open_store(box);
	assert_said(box, "later");
}

static void test_a_new_box_needs_the_key(void **state)
{
	struct box *box = *state;
	_cleanup_free_ char *dir = xasprintf("%s.old", box->config.state_dir);
	_cleanup_free_ char *path = NULL;
	struct backup_report report;
	char text[KEYS_TEXT];

	open_store(box);
	put(box, "backed up");
	assert_int_equal(backup_make(&box->config, &report), 0);
	assert_int_equal(keys_text(&box->config, text), 0);
	store_close(TAKE_PTR(box->store));
	assert_int_equal(rename(box->config.state_dir, dir), 0);
	path = xasprintf("%s/gatehouse.db.copy", dir);
	assert_int_equal(
		backup_restore(&box->config, path, NULL), -EKEYREJECTED);
	assert_int_equal(rmdir(box->config.state_dir), 0); /* left nothing */
	assert_int_equal(keys_put(&box->config, text), 0);
	assert_int_equal(backup_restore(&box->config, path, NULL), 0);
	open_store(box);
	assert_said(box, "backed up");
	lib_folder_remove(dir);
}

static void test_old_ones_go(void **state)
{
	struct box *box = *state;
	struct backup_report report;
	int i;

	open_store(box);
	memset(box->config.backup_key, '0', 63);
	box->config.backup_key[63] = '9';
	for (i = 0; i < 4; i++) {
		struct payment payment = {.method = "cash", .currency = "TZS"};

		assert_int_equal(store_begin(box->store), 0);
		assert_int_equal(store_payment_insert(box->store, &payment), 0);
		assert_int_equal(store_commit(box->store), 0);
		assert_int_equal(backup_make(&box->config, &report), 0);
	}
	assert_int_equal(count_backups(box), 2);
	/* The older of the two knows three payments. */
	assert_int_equal(report.needed, 3);
}

static void test_a_damaged_database_is_no_backup(void **state)
{
	struct box *box = *state;
	_cleanup_free_ char *copy = backup_copy_path(&box->config);
	_cleanup_free_ char *aside = NULL;
	struct backup_report report;
	int64_t rows;
	char junk[4096];
	struct stat st;
	int fd;

	open_store(box);
	put(box, "good");
	assert_int_equal(backup_make(&box->config, &report), 0);
	assert_false(report.is_sealed);
	/* Nothing stays in memory. */
	assert_int_equal(db_script(box->store->db,
		"PRAGMA wal_checkpoint(TRUNCATE); PRAGMA shrink_memory"), 0);
	memset(junk, 'x', sizeof(junk));
	fd = open(box->db, O_RDWR | O_CLOEXEC);
	assert_int_equal(fstat(fd, &st), 0);
	for (off_t at = 4096; at < st.st_size; at += 4096)
		assert_int_equal(pwrite(fd, junk, sizeof(junk), at), 4096);
	close(fd);
	/* Who has it open finds out when it reads. */
	assert_false(store_is_damaged(box->store));
	assert_int_equal(db_one(box->store->db, db_read_int, &rows,
		"SELECT count(*) FROM settings WHERE value LIKE 'g%'", ""), -EBADMSG);
	assert_true(store_is_damaged(box->store));
	store_close(TAKE_PTR(box->store));
	assert_int_equal(store_open(box->db, &box->store), -EBADMSG);
	assert_int_equal(backup_make(&box->config, &report), -EBADMSG);
	assert_int_equal(access(copy, F_OK), 0);
	assert_int_equal(backup_set_aside(&box->config, "damaged", &aside), 0);
	assert_int_equal(access(aside, F_OK), 0);
	assert_int_equal(access(box->db, F_OK), -1);
	assert_int_equal(backup_put_copy(&box->config), 0);
	open_store(box);
	assert_said(box, "good");
}

static void test_the_key_on_paper(void **state)
{
	struct box *box = *state;
	_cleanup_free_ char *path = xasprintf("%s/key", box->config.state_dir);
	char text[KEYS_TEXT], again[KEYS_TEXT];
	struct rules before, after;

	assert_int_equal(keys_text(&box->config, text), -ENOENT);
	assert_int_equal(keys_load(&box->config, &before, NULL), 0);
	assert_int_equal(keys_text(&box->config, text), 0);
	assert_int_equal(keys_put(&box->config, text), -EEXIST);
	assert_int_equal(unlink(path), 0);
	text[5] = text[5] == '0' ? '1' : '0';
	assert_int_equal(keys_put(&box->config, text), -EINVAL);
	assert_int_equal(keys_put(&box->config, "00"), -EINVAL);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(keys_load(&box->config, &after, NULL), 0);
	assert_memory_not_equal(before.seal_key, after.seal_key, CRYPTO_KEY);
	assert_int_equal(keys_text(&box->config, text), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(keys_put(&box->config, text), 0);
	assert_int_equal(keys_text(&box->config, again), 0);
	assert_string_equal(text, again);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_archives),
		TEST(test_there_and_back),
		TEST(test_another_box_is_refused),
		TEST(test_a_new_box_needs_the_key),
		TEST(test_old_ones_go),
		TEST(test_a_damaged_database_is_no_backup),
		TEST(test_the_key_on_paper),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
