/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The key file: loading, comparing with the store, and as text for people. The
 * key itself stays in this file.
 */
#include "daemon/keys.h"

#include <ctype.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/util.h"

#define GROUP	8
#define CHECKED (CRYPTO_KEY + GROUP / 2) /* bytes that the text has */

static char *key_path(const struct config *config)
{
	return xasprintf("%s/key", config->state_dir);
}

bool keys_are_there(const struct config *config)
{
	_cleanup_free_ char *path = key_path(config);

	return access(path, F_OK) == 0;
}

static const char *what_to_do(int ret)
{
	switch (-ret) {
	case EBADMSG:
		return "it is damaged. Move it away and give its text, as "
		       "`gatehousectl key` showed it, to `gatehoused --set-key`. "
		       "Without that text, a backup of the file, as it was, does "
		       "the same; without either, the database is of no use any "
		       "more: move gatehouse.db away as well to begin anew";
	case EPERM:
		return "others than root may read it, and so every voucher code "
		       "in a copy of the database: `chmod 400` it";
	case ELOOP:
		return "it is a symbolic link: put the file itself there";
	default:
		return strerror(-ret);
	}
}

int keys_load(const struct config *config, struct rules *rules,
	uint8_t *ret_password_key)
{
	_cleanup_free_ char *path = key_path(config);
	uint8_t master[CRYPTO_KEY];
	int ret = crypto_init();

	if (!ret)
		ret = crypto_key_file(path, master);
	if (ret) {
		log_error("cannot use the key file %s: %s", path,
			what_to_do(ret));
		return ret;
	}
	crypto_derive(master, 1, rules->lookup_key);
	crypto_derive(master, 2, rules->seal_key);
	if (ret_password_key)
		crypto_derive(master, 3, ret_password_key);
	explicit_bzero(master, sizeof(master));
	return 0;
}

/* The codes of a database are worth nothing with another key, and would look
 * like ones that do not exist. */
int keys_check(struct store *store, const struct rules *rules)
{
	char want[17], have[sizeof(want)];
	uint8_t hash[CRYPTO_HASH];
	int ret;

	crypto_hmac(rules->lookup_key, "check", 5, hash);
	hex_format(hash, sizeof(want) / 2, want);
	ret = store_setting_get(store, "key_check", have, sizeof(have));
	if (ret == -ENOENT)
		return store_setting_put(store, "key_check", want);
	return !ret && strcmp(want, have) ? -EKEYREJECTED : ret;
}

static void add_check(uint8_t bytes[static CHECKED])
{
	uint8_t hash[CRYPTO_HASH];

	crypto_sha256(bytes, CRYPTO_KEY, hash);
	memcpy(bytes + CRYPTO_KEY, hash, CHECKED - CRYPTO_KEY);
}

int keys_text(const struct config *config, char ret_text[static KEYS_TEXT])
{
	_cleanup_free_ char *path = key_path(config);
	uint8_t bytes[CHECKED];
	char hex[2 * CHECKED + 1];
	int ret = access(path, F_OK) ? -errno : crypto_key_file(path, bytes), i;

	_Static_assert(2 * CHECKED + CHECKED * 2 / GROUP == KEYS_TEXT, "fits");
	if (ret)
		return ret;
	add_check(bytes);
	hex_format(bytes, CHECKED, hex);
	for (i = 0; i < CHECKED * 2 / GROUP; i++)
		snprintf(ret_text + i * (GROUP + 1),
			(size_t)MIN(GROUP + 2, KEYS_TEXT - i * (GROUP + 1)),
			"%.*s ", GROUP, hex + i * GROUP);
	explicit_bzero(bytes, sizeof(bytes));
	return 0;
}

static int write_key(int fd, const uint8_t key[static CRYPTO_KEY])
{
	ssize_t n = write(fd, key, CRYPTO_KEY);

	if (n < 0 || fsync(fd))
		return -errno;
	return n == CRYPTO_KEY ? 0 : -EIO;
}

int keys_put(const struct config *config, const char *text)
{
	_cleanup_free_ char *path = key_path(config);
	uint8_t bytes[CHECKED], given[CHECKED];
	char hex[2 * CHECKED + 1];
	_cleanup_fd_ int fd = -1;
	size_t len = 0;
	int ret;

	for (; *text; text++)
		if (!isspace((unsigned char)*text) && len < sizeof(hex) - 1)
			hex[len++] = *text;
		else if (!isspace((unsigned char)*text))
			return -EINVAL;
	hex[len] = '\0';
	if (hex_parse(hex, CHECKED, given))
		return -EINVAL;
	memcpy(bytes, given, sizeof(bytes));
	add_check(bytes);
	if (memcmp(bytes, given, sizeof(bytes)))
		return -EINVAL;
	/* On a new box it comes before anything else. */
	if (mkdir(config->state_dir, 0700) && errno != EEXIST)
		return -errno;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
	if (fd < 0)
		return -errno;
	ret = write_key(fd, given);
	/* Half a key would be in the way of the next try. */
	if (ret)
		unlink(path);
	explicit_bzero(given, sizeof(given));
	return ret;
}
