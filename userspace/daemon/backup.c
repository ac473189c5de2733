/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Making a backup and putting one back. A file gets its name when it is whole
 * and on disk; until then it is called otherwise, and is no backup.
 */
#include "daemon/backup.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <time.h>

#include "base/archive.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "daemon/keys.h"
#include "store/copy.h"

#define SUFFIX ".backup"
#define PLAIN  "SQLite format 3"

char *backup_db_path(const struct config *config)
{
	return xasprintf("%s/gatehouse.db", config->state_dir);
}

char *backup_copy_path(const struct config *config)
{
	return xasprintf("%s/gatehouse.db.copy", config->state_dir);
}

static char *folder_of(const struct config *config)
{
	return config->backup_dir[0] ? xstrdup(config->backup_dir)
				     : xasprintf("%s/backup", config->state_dir);
}

static void format_time(int64_t at, char ret[static 20])
{
	time_t t = (time_t)at;
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(ret, 20, "%Y%m%dT%H%M%SZ", &tm);
}

static int sync_folder(const char *path)
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || fsync(fd) ? -errno : 0;
}

static int failed(const char *what, int ret)
{
	log_error("%s: %s", what,
		ret == -EBADMSG ? "it is damaged" : strerror(-ret));
	return ret;
}

/* Keys. */

/* The first line; without a file name, of standard input. */
static int read_line(const char *path, char *buf, size_t len)
{
	FILE *file = !strcmp(path, "-") ? stdin : fopen(path, "re");
	char *line = NULL;
	int ret = 0;

	if (!file)
		return -errno;
	line = fgets(buf, (int)len, file);
	if (!line || strlen(buf) == len - 1)
		ret = -EINVAL;
	else
		buf[strcspn(buf, "\r\n")] = '\0';
	if (file != stdin)
		fclose(file);
	return ret ? ret : buf[0] ? 0 : -EINVAL;
}

/* As configured. -ENOENT: nothing is to be encrypted. */
static int sealing_key(const struct config *config, char *line, size_t len,
	struct archive_key *ret_key)
{
	int ret;

	*ret_key = (struct archive_key){0};
	if (config->backup_key[0])
		return hex_parse(config->backup_key, CRYPTO_KEY, ret_key->key);
	if (!config->backup_passphrase[0])
		return -ENOENT;
	ret = read_line(config->backup_passphrase, line, len);
	ret_key->passphrase = line;
	return ret ? failed(config->backup_passphrase, ret) : 0;
}

/* Making. */

/* Backups by name, the oldest first; how many. */
static int list_backups(const char *folder, struct dirent ***ret_list)
{
	return scandir(folder, ret_list, NULL, alphasort);
}

/* The number in a backup's name; -1: it is none. */
static int64_t number_of(const char *name)
{
	const char *dash = strrchr(name, '-');
	char *end;
	int64_t number;

	if (strncmp(name, "gatehouse-", 10) || !dash)
		return -1;
	number = strtoll(dash + 1, &end, 10);
	return strcmp(end, SUFFIX) ? -1 : number;
}

/* All but the newest ones go; those that stay say which lines are needed. */
static int thin_out(const struct config *config, const char *folder,
	struct backup_report *report)
{
	struct dirent **list = NULL;
	int n = list_backups(folder, &list), kept = 0, i;

	for (i = n - 1; i >= 0; i--) {
		_cleanup_free_ char *path =
			xasprintf("%s/%s", folder, list[i]->d_name);
		int64_t number = number_of(list[i]->d_name);

		free(list[i]);
		if (number < 0)
			continue;
		if (kept++ < config->backup_keep)
			report->needed = MIN(report->needed, number);
		else if (unlink(path))
			failed(path, -errno);
	}
	free(list);
	return MIN(n, 0);
}

/* The copy, encrypted, into a file without a name yet. */
static int seal(const struct archive_key *key, const char *from, const char *to,
	int64_t *ret_bytes)
{
	_cleanup_fd_ int plain = open(from, O_RDONLY | O_CLOEXEC);
	_cleanup_fd_ int sealed = open(to,
		O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	uint8_t stream_key[CRYPTO_KEY];
	struct stat st;
	int ret;

	if (plain < 0 || sealed < 0)
		return -errno;
	ret = archive_seal(plain, sealed, key, stream_key);
	if (!ret && (fsync(sealed) || fstat(sealed, &st)))
		ret = -errno;
	if (!ret)
		ret = archive_compare(sealed, plain, stream_key);
	if (!ret)
		*ret_bytes = (int64_t)st.st_size;
	explicit_bzero(stream_key, sizeof(stream_key));
	return ret;
}

static int make_sealed(const struct config *config, const char *copy,
	const struct archive_key *key, int64_t at, struct backup_report *report)
{
	_cleanup_free_ char *folder = folder_of(config);
	_cleanup_free_ char *part = xasprintf("%s/backup.part", folder);
	char when[20];
	int ret = 0;

	format_time(at, when);
	if (mkdir(folder, 0700) && errno != EEXIST)
		return failed(folder, -errno);
	snprintf(report->path, sizeof(report->path), "%s/gatehouse-%s-%lld%s",
		folder, when, (long long)report->needed, SUFFIX);
	ret = seal(key, copy, part, &report->bytes);
	if (!ret && rename(part, report->path))
		ret = -errno;
	if (!ret)
		ret = sync_folder(folder);
	if (ret) {
		unlink(part);
		return failed(report->path, ret);
	}
	report->is_sealed = true;
	return thin_out(config, folder, report);
}

static int make_copy(const struct config *config, int64_t at,
	struct backup_report *report)
{
	_cleanup_free_ char *db = backup_db_path(config);
	_cleanup_free_ char *copy = backup_copy_path(config);
	_cleanup_free_ char *part = xasprintf("%s.part", copy);
	struct store_copied copied;
	struct stat st;
	int ret;

	if (unlink(part) && errno != ENOENT)
		return failed(part, -errno);
	ret = store_copy(db, part, at, &copied);
	if (ret)
		return failed(db, ret);
	if (rename(part, copy) || stat(copy, &st))
		return failed(copy, -errno);
	snprintf(report->path, sizeof(report->path), "%s", copy);
	report->bytes = (int64_t)st.st_size;
	report->rows = copied.rows;
	report->needed = copied.spent;
	return sync_folder(config->state_dir);
}

int backup_make(const struct config *config, struct backup_report *ret_report)
{
	_cleanup_free_ char *lock_path =
		xasprintf("%s/backup.lock", config->state_dir);
	_cleanup_free_ char *copy = backup_copy_path(config);
	_cleanup_fd_ int lock =
		open(lock_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	struct backup_report report = {.is_sealed = false};
	char passphrase[512] = "";
	int64_t at = clock_wall_sec();
	struct archive_key key;
	int ret;

	if (lock < 0)
		return failed(lock_path, -errno);
	if (flock(lock, LOCK_EX | LOCK_NB))
		return failed("another backup is under way", -EBUSY);
	ret = make_copy(config, at, &report);
	if (ret)
		return ret;
	ret = sealing_key(config, passphrase, sizeof(passphrase), &key);
	if (!ret)
		ret = make_sealed(config, copy, &key, at, &report);
	else if (ret == -ENOENT)
		ret = 0;
	explicit_bzero(passphrase, sizeof(passphrase));
	if (!ret)
		*ret_report = report;
	return ret;
}

/* Putting back. */

int backup_set_aside(
	const struct config *config, const char *why, char **ret_name)
{
	static const char *const parts[] = {"-wal", "-shm", ""};
	_cleanup_free_ char *db = backup_db_path(config);
	char when[20];
	size_t i;

	format_time(clock_wall_sec(), when);
	*ret_name = xasprintf("%s.%s-%s", db, why, when);
	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		_cleanup_free_ char *from = xasprintf("%s%s", db, parts[i]);
		_cleanup_free_ char *to = xasprintf("%s%s", *ret_name, parts[i]);

		if (rename(from, to) && errno != ENOENT)
			return -errno;
	}
	return sync_folder(config->state_dir);
}

/* `from` from its place, all of it. */
static int pour(int from, int to)
{
	ssize_t n;

	while ((n = sendfile(to, from, NULL, 1 << 20)) > 0)
		;
	return n < 0 ? -errno : 0;
}

static int put(const struct config *config, const char *part)
{
	_cleanup_free_ char *db = backup_db_path(config);

	return rename(part, db) ? -errno : sync_folder(config->state_dir);
}

int backup_put_copy(const struct config *config)
{
	_cleanup_free_ char *copy = backup_copy_path(config);
	_cleanup_free_ char *part =
		xasprintf("%s/gatehouse.db.restoring", config->state_dir);
	_cleanup_fd_ int from = open(copy, O_RDONLY | O_CLOEXEC);
	_cleanup_fd_ int to = -1;
	int ret;

	if (from < 0)
		return -errno;
	to = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ret = to < 0 ? -errno : pour(from, to);
	if (!ret && fsync(to))
		ret = -errno;
	if (!ret)
		ret = store_check(part);
	return ret ? ret : put(config, part);
}

/* The secret key's digits, or a passphrase. */
static int opening_key(const char *key_file, char mode, char *line, size_t len,
	struct archive_key *ret_key)
{
	int ret = key_file ? read_line(key_file, line, len) : -ENOKEY;

	*ret_key = (struct archive_key){.passphrase = mode == 'p' ? line : NULL};
	if (!ret && mode == 'k')
		ret = hex_parse(line, CRYPTO_KEY, ret_key->key);
	if (ret == -ENOKEY)
		log_error("the backup is encrypted: name the file with the %s "
			  "by --with FILE, or --with - to type it",
			mode == 'k' ? "secret key" : "passphrase");
	else if (ret)
		failed(key_file, ret);
	return ret ? -ENOKEY : 0;
}

static int unpack(int from, int to, const char *key_file)
{
	char line[512] = "", head[sizeof(ARCHIVE_MAGIC)] = "";
	struct archive_key key;
	int ret;

	if (pread(from, head, sizeof(head), 0) != sizeof(head))
		return -EBADMSG;
	if (!memcmp(head, PLAIN, sizeof(PLAIN)))
		return pour(from, to);
	if (memcmp(head, ARCHIVE_MAGIC, sizeof(head) - 1))
		return -EBADMSG;
	ret = opening_key(
		key_file, head[sizeof(head) - 1], line, sizeof(line), &key);
	if (!ret)
		ret = archive_open(from, to, &key);
	explicit_bzero(line, sizeof(line));
	explicit_bzero(&key, sizeof(key));
	return ret;
}

/* Whole, of a version that we know, and of our key? */
static int examine(const struct config *config, const char *path)
{
	struct rules rules;
	struct store *store = NULL;
	int ret = store_check(path);

	/* Made now it would only be in the right one's way. */
	if (!ret && !keys_are_there(config))
		ret = -EKEYREJECTED;
	if (!ret)
		ret = keys_load(config, &rules, NULL);
	if (!ret)
		ret = store_open(path, &store);
	if (!ret)
		ret = keys_check(store, &rules);
	store_close(store);
	if (ret == -EKEYREJECTED)
		log_error("the key of its voucher codes is not in %s: put it there "
			  "first (gatehoused --set-key)",
			config->state_dir);
	return ret;
}

static int read_identity(const char *path, char *value, size_t len)
{
	struct store *store = NULL;
	int ret = access(path, F_OK) ? -ENOENT : store_open(path, &store);

	if (!ret)
		ret = store_setting_get(store, STORE_IDENTITY, value, len);
	store_close(store);
	return ret;
}

/*
 * Where another database was in use, spent.log and the kernel know nothing of
 * the backup's: its guests would be taken for gone. What cannot be read is ours.
 */
static int refuse_stranger(const struct config *config, const char *part)
{
	_cleanup_free_ char *db = backup_db_path(config);
	char ours[40], theirs[40];

	if (read_identity(db, ours, sizeof(ours)) ||
		read_identity(part, theirs, sizeof(theirs)) ||
		!strcmp(ours, theirs))
		return 0;
	log_error("it is of another box, or from before the database here was begun. "
		  "To go on with it, first remove the gate (gatehoused --unload "
		  "closed) and move %s away", config->state_dir);
	return -EEXIST;
}

static int restore(const struct config *config, const char *path,
	const char *key_file)
{
	_cleanup_free_ char *part =
		xasprintf("%s/gatehouse.db.restoring", config->state_dir);
	_cleanup_fd_ int from = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_fd_ int to =
		open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	_cleanup_free_ char *aside = NULL;
	int ret;

	if (from < 0)
		return failed(path, -errno);
	if (to < 0)
		return failed(part, -errno);
	ret = unpack(from, to, key_file);
	if (!ret && fsync(to))
		ret = -errno;
	if (!ret)
		ret = refuse_stranger(config, part);
	if (!ret)
		ret = examine(config, part);
	if (!ret)
		ret = backup_set_aside(config, "before-restore", &aside);
	if (!ret)
		ret = put(config, part);
	if (ret) {
		unlink(part);
		if (ret == -EBADMSG)
			log_error("%s: it is damaged, no backup, or encrypted "
				  "with another key", path);
		else if (ret != -ENOKEY && ret != -EKEYREJECTED && ret != -EEXIST)
			failed(path, ret);
		return ret;
	}
	printf("%s is in place", path);
	if (!access(aside, F_OK))
		printf("; what was there is %s", aside);
	puts(".\nThe next start of gatehoused adds what spent.log and the kernel "
	     "know besides.");
	return 0;
}

int backup_restore(const struct config *config, const char *path,
	const char *key_file)
{
	_cleanup_fd_ int lock = -1;

	if (mkdir(config->state_dir, 0700) && errno != EEXIST)
		return failed(config->state_dir, -errno);
	lock = open(config->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (lock < 0)
		return failed(config->state_dir, -errno);
	if (flock(lock, LOCK_EX | LOCK_NB)) {
		log_error("gatehoused is running: stop it first; guests who are "
			  "online stay so");
		return -EBUSY;
	}
	return restore(config, path, key_file);
}
