/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing spent.log: opening, the lines of a commit, full files. What the
 * lines mean is spent_replay.c's.
 */
#include "store/spent.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/util.h"
#include "store/handle.h"
#include "store/spent_line.h"

#define SEQ_DIGITS 18
#define TAIL_BYTES 65536

static int sync_folder(const char *path)
{
	_cleanup_free_ char *folder = xstrdup(path);
	_cleanup_fd_ int fd = -1;
	char *slash = strrchr(folder, '/');

	if (slash)
		*slash = '\0';
	fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || fsync(fd) ? -errno : 0;
}

void spent_line_sum(int64_t seq, const char *object, char ret[static SPENT_SUM])
{
	_cleanup_free_ char *text = xasprintf("%lld %s", (long long)seq, object);
	uint8_t hash[CRYPTO_HASH];

	crypto_sha256(text, strlen(text), hash);
	hex_format(hash, SPENT_SUM / 2, ret);
}

int spent_line_parse(char *line, int64_t *ret_seq, char **ret_object)
{
	char want[SPENT_SUM], *sum, *end = strchr(line, '\n');
	int64_t seq = strtoll(line, &sum, 10);

	if (!end || seq <= 0 || *sum++ != ' ' ||
		strlen(sum) < SPENT_SUM || sum[SPENT_SUM - 1] != ' ')
		return -EBADMSG;
	*end = '\0';
	spent_line_sum(seq, sum + SPENT_SUM, want);
	if (memcmp(sum, want, SPENT_SUM - 1))
		return -EBADMSG;
	*ret_seq = seq;
	*ret_object = sum + SPENT_SUM;
	return 0;
}

/* The file's last good line; half a line at its end is cut off. */
static int mend_tail(struct spent_log *log)
{
	_cleanup_free_ char *tail = xcalloc(1, TAIL_BYTES + 1);
	off_t size = lseek(log->fd, 0, SEEK_END), from;
	char *at, *object;
	ssize_t len;

	from = MAX(size - TAIL_BYTES, 0);
	len = size < 0 ? -1 : pread(log->fd, tail, TAIL_BYTES, from);
	if (len < 0)
		return -errno;
	while (len > 0 && tail[len - 1] != '\n')
		len--;
	if (from + len < size && ftruncate(log->fd, from + len))
		return -errno;
	tail[len] = '\0';
	while (len > 0) {
		for (at = tail + len - 1; at > tail && at[-1] != '\n'; at--)
			;
		if (spent_line_parse(at, &log->written, &object) == 0) {
			log->last_at = spent_line_at(object);
			return 0;
		}
		len = at - tail;
	}
	return 0;
}

int spent_full_files(const char *path, int64_t **ret_seqs)
{
	_cleanup_free_ char *folder = xstrdup(path);
	char *name = strrchr(folder, '/'), *end;
	struct dirent *entry;
	size_t count = 0, size = 0;
	int64_t *seqs = NULL;
	DIR *dir;

	if (!name)
		return -EINVAL;
	*name++ = '\0';
	dir = opendir(folder);
	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		const char *rest = entry->d_name + strlen(name);
		int64_t seq;

		if (strncmp(entry->d_name, name, strlen(name)) || *rest != '.' ||
			strlen(rest) != SEQ_DIGITS + 1)
			continue;
		seq = strtoll(rest + 1, &end, 10);
		if (*end)
			continue;
		ARRAY_GROW(seqs, count, size);
		seqs[count++] = seq;
	}
	closedir(dir);
	*ret_seqs = seqs;
	return (int)count;
}

char *spent_full_name(const char *path, int64_t seq)
{
	return xasprintf("%s.%0*lld", path, SEQ_DIGITS, (long long)seq);
}

static int open_log(struct spent_log *log, const char *path)
{
	_cleanup_free_ int64_t *full = NULL;
	int ret, n, i;

	log->fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (log->fd < 0)
		return -errno;
	log->path = xstrdup(path);
	ret = mend_tail(log);
	if (!ret)
		ret = sync_folder(path);
	n = ret ? ret : spent_full_files(path, &full);
	for (i = 0; i < n; i++)
		log->written = MAX(log->written, full[i]);
	return MIN(n, 0);
}

int store_spent_open(struct store *store, const char *path)
{
	struct spent_log *log = &store->spent;
	int ret;

	spent_log_close(log);
	ret = open_log(log, path);
	if (!ret) {
		spent_log_flush(store);
		return 0;
	}
	spent_log_close(log);
	/* Lines that are not written from now on are told of. */
	log->error = ret;
	return ret;
}

void spent_log_close(struct spent_log *log)
{
	if (log->path)
		fd_close(&log->fd);
	free(log->path);
	*log = (struct spent_log){.fd = -1};
}

/* No phone number: what is to be forgotten must not be in a file of lines. */
#define OBJECT                                                                  \
	"CASE WHEN type IN ('redeem', 'revoke') THEN (SELECT json_object("       \
	"'type', s.type, 'at', s.at, 'voucher', lower(hex(v.code_hmac)),"        \
	" 'mac', v.used_mac, 'session', v.session_id)"                           \
	" FROM vouchers v WHERE v.id = s.ref)"                                    \
	" WHEN type = 'payment' THEN (SELECT json_object("                       \
	"'type', s.type, 'at', s.at, 'payment', p.id, 'method', p.method,"       \
	" 'reference', p.reference, 'amount', p.amount_minor,"                   \
	" 'currency', p.currency, 'plan', p.plan_id, 'session', p.session_id,"   \
	" 'voucher', p.voucher_id, 'network', p.network, 'who', p.who)"          \
	" FROM payments p WHERE p.id = s.ref)"                                    \
	" WHEN type = 'coin' THEN (SELECT json_object("                          \
	"'type', s.type, 'at', s.at, 'pulse', c.id, 'slot', c.slot,"             \
	" 'seq', c.seq, 'amount', c.amount_minor, 'currency', c.currency,"       \
	" 'lock', l.id, 'mac', l.mac) FROM coin_pulses c"                        \
	" JOIN coin_locks l ON l.id = c.lock_id WHERE c.id = s.ref)"             \
	" ELSE (SELECT json_object("                                             \
	"'type', s.type, 'at', s.at, 'payment', p.id, 'who', p.refunded_by)"     \
	" FROM payments p WHERE p.id = s.ref) END"

/* The lines that are not in the file yet, as one text. */
static int gather(struct store *store, char **ret_text, size_t *ret_len,
	int64_t *ret_last)
{
	char object[SPENT_OBJECT], sum[SPENT_SUM];
	struct db_rows *rows;
	FILE *text = NULL;
	int ret = db_query(store->db, &rows,
		"SELECT seq, " OBJECT ", at FROM spent s"
		" WHERE seq > ? ORDER BY seq", "i",
		store->spent.written);

	if (ret)
		return ret;
	while ((ret = db_next(rows)) == 1) {
		int64_t seq = db_int(rows, 0);

		db_text(rows, 1, object, sizeof(object));
		spent_line_sum(seq, object, sum);
		if (!text)
			text = open_memstream(ret_text, ret_len);
		if (text)
			fprintf(text, "%lld %s %s\n", (long long)seq, sum, object);
		*ret_last = seq;
		store->spent.last_at = db_int(rows, 2);
	}
	if (text)
		fclose(text);
	return ret;
}

/* All of it, or nothing that a reader would take for a line. */
static int append(struct spent_log *log, const char *text, size_t len)
{
	off_t size = lseek(log->fd, 0, SEEK_END);
	size_t done = 0;
	ssize_t n = 0;
	int ret;

	/* A failure left something behind. */
	if (log->is_torn && ftruncate(log->fd, log->size))
		return -errno;
	log->size = log->is_torn ? log->size : size;
	log->is_torn = true;
	while (done < len && (n = write(log->fd, text + done, len - done)) > 0)
		done += (size_t)n;
	ret = done == len && fdatasync(log->fd) == 0 ? 0
	      : done < len && n == 0		     ? -EIO
						     : -errno;
	/* If not even that, the next time begins with it. */
	if (!ret || ftruncate(log->fd, log->size) == 0)
		log->is_torn = false;
	return ret;
}

void spent_log_flush(struct store *store)
{
	struct spent_log *log = &store->spent;
	_cleanup_free_ char *text = NULL;
	int64_t last = 0;
	size_t len = 0;

	/* What is not committed has not happened. */
	if (!log->path || store_is_begun(store))
		return;
	log->error = gather(store, &text, &len, &last);
	if (!log->error && text)
		log->error = append(log, text, len);
	if (log->error || !text)
		return;
	/* Numbers have no gaps to speak of. */
	log->groups.commits++;
	log->groups.lines += last - log->written;
	log->groups.largest = MAX(log->groups.largest, last - log->written);
	log->written = last;
}

int spent_log_trim(struct store *store)
{
	if (!store->spent.path)
		return 0;
	/* With a group that comes: a write for this alone is none worth. */
	return db_run(store->db,
		"DELETE FROM spent WHERE seq <= ?1"
		" AND (SELECT max(seq) FROM spent) > ?1",
		"i", store->spent.written);
}

struct spent_groups store_spent_groups(const struct store *store)
{
	return store->spent.groups;
}

int store_spent_error(const struct store *store)
{
	return store->spent.error;
}

int64_t store_spent_last_at(const struct store *store)
{
	return store->spent.last_at;
}

int store_spent_known(struct store *store, int64_t *ret_seq)
{
	return db_one(store->db, db_read_int, ret_seq,
		"SELECT coalesce((SELECT seq FROM sqlite_sequence"
		" WHERE name = 'spent'), 0)",
		"");
}

int store_spent_is_ahead(struct store *store, bool *ret_is_ahead)
{
	int64_t known;
	int ret = store_spent_known(store, &known);

	if (!ret)
		*ret_is_ahead = store->spent.written > known;
	return ret;
}

static int begin_file(struct spent_log *log)
{
	_cleanup_free_ char *name = spent_full_name(log->path, log->written);
	int fd;

	if (rename(log->path, name))
		return -errno;
	fd = open(log->path,
		O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		int ret = -errno;

		/* The old one goes on, under its old name. */
		return rename(name, log->path) ? -EIO : ret;
	}
	close(log->fd);
	log->fd = fd;
	return sync_folder(log->path);
}

int store_spent_rotate(struct store *store, int64_t needed, int64_t before)
{
	struct spent_log *log = &store->spent;
	_cleanup_free_ int64_t *full = NULL;
	struct stat st;
	int n, ret = 0;

	if (!log->path)
		return 0;
	if (lseek(log->fd, 0, SEEK_END) >= SPENT_FULL_BYTES)
		ret = begin_file(log);
	n = ret ? ret : spent_full_files(log->path, &full);
	while (n > 0) {
		int64_t seq = full[--n];
		_cleanup_free_ char *name = spent_full_name(log->path, seq);

		if (seq <= needed && stat(name, &st) == 0 &&
			st.st_mtime < before && unlink(name))
			ret = -errno;
	}
	return n < 0 ? n : ret;
}
