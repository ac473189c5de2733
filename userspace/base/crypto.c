/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The edge over libsodium: random numbers, SHA-256, keyed lookup hashes
 * (HMAC-SHA-512-256), sealing (XSalsa20-Poly1305) and the key file. Nothing
 * here chooses what is secret; it only keeps it so.
 */
#include "base/crypto.h"

#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>

#include "base/util.h"

_Static_assert(CRYPTO_HASH == crypto_hash_sha256_BYTES, "sha256");
_Static_assert(CRYPTO_HASH == crypto_auth_BYTES, "hmac");
_Static_assert(CRYPTO_KEY == crypto_auth_KEYBYTES, "hmac key");
_Static_assert(CRYPTO_KEY == crypto_secretbox_KEYBYTES, "seal key");
_Static_assert(CRYPTO_KEY == crypto_kdf_KEYBYTES, "master key");
_Static_assert(CRYPTO_PASSWORD == crypto_pwhash_STRBYTES, "password");
_Static_assert(CRYPTO_SEAL_OVERHEAD ==
	crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES, "seal");

int crypto_init(void)
{
	return sodium_init() < 0 ? -EIO : 0;
}

void crypto_random(void *buf, size_t len)
{
	randombytes_buf(buf, len);
}

uint32_t crypto_random_below(uint32_t bound)
{
	return randombytes_uniform(bound);
}

void crypto_sha256(const void *data, size_t len, uint8_t ret[static CRYPTO_HASH])
{
	crypto_hash_sha256(ret, data, len);
}

void crypto_hmac(const uint8_t key[static CRYPTO_KEY], const void *data,
	size_t len, uint8_t ret[static CRYPTO_HASH])
{
	crypto_auth(ret, data, len, key);
}

void crypto_seal(const uint8_t key[static CRYPTO_KEY], const void *data,
	size_t len, uint8_t *ret)
{
	randombytes_buf(ret, crypto_secretbox_NONCEBYTES);
	crypto_secretbox_easy(ret + crypto_secretbox_NONCEBYTES, data, len, ret, key);
}

int crypto_open(const uint8_t key[static CRYPTO_KEY], const uint8_t *sealed,
	size_t sealed_len, void *ret)
{
	if (sealed_len < CRYPTO_SEAL_OVERHEAD)
		return -EBADMSG;
	if (crypto_secretbox_open_easy(ret, sealed + crypto_secretbox_NONCEBYTES,
		    sealed_len - crypto_secretbox_NONCEBYTES, sealed, key) != 0)
		return -EBADMSG;
	return 0;
}

void crypto_derive(const uint8_t master[static CRYPTO_KEY], uint64_t id,
	uint8_t ret[static CRYPTO_KEY])
{
	crypto_kdf_derive_from_key(ret, CRYPTO_KEY, id, "gatehous", master);
}

static int key_read(const char *path, uint8_t ret[static CRYPTO_KEY])
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	uint8_t key[CRYPTO_KEY + 1];
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (st.st_mode & 077)
		return -EPERM;
	if (read(fd, key, sizeof(key)) != CRYPTO_KEY)
		return -EBADMSG;
	memcpy(ret, key, CRYPTO_KEY);
	sodium_memzero(key, sizeof(key));
	return 0;
}

/*
 * A key that is lost loses every voucher, so it is on the disk before anything
 * is sealed with it; link() never replaces a key that somebody else just made.
 */
static int key_make(const char *path)
{
	_cleanup_free_ char *tmp = xasprintf("%s.%d", path, (int)getpid());
	_cleanup_fd_ int fd = -1;
	uint8_t key[CRYPTO_KEY];
	int err = 0;

	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
	if (fd < 0)
		return -errno;
	crypto_random(key, sizeof(key));
	if (write(fd, key, sizeof(key)) != sizeof(key) || fsync(fd) < 0)
		err = -EIO;
	else if (link(tmp, path) < 0 && errno != EEXIST)
		err = -errno;
	unlink(tmp);
	sodium_memzero(key, sizeof(key));
	return err;
}

int crypto_key_file(const char *path, uint8_t ret[static CRYPTO_KEY])
{
	int err = key_read(path, ret);

	if (err != -ENOENT)
		return err;
	err = key_make(path);
	return err < 0 ? err : key_read(path, ret);
}

#define PASSWORD_PASSES 3
#define PASSWORD_BYTES	(32UL << 20)

int crypto_password_make(const uint8_t key[static CRYPTO_KEY],
	const char *password, char ret[static CRYPTO_PASSWORD])
{
	uint8_t peppered[CRYPTO_HASH];
	int err;

	crypto_hmac(key, password, strlen(password), peppered);
	err = crypto_pwhash_str_alg(ret, (const char *)peppered,
		sizeof(peppered), PASSWORD_PASSES, PASSWORD_BYTES,
		crypto_pwhash_ALG_ARGON2ID13);
	sodium_memzero(peppered, sizeof(peppered));
	return err ? -ENOMEM : 0;
}

int crypto_password_check(const uint8_t key[static CRYPTO_KEY],
	const char *password, const char *stored)
{
	uint8_t peppered[CRYPTO_HASH];
	int err;

	crypto_hmac(key, password, strlen(password), peppered);
	err = crypto_pwhash_str_verify(
		stored, (const char *)peppered, sizeof(peppered));
	sodium_memzero(peppered, sizeof(peppered));
	return err ? -EACCES : 0;
}

void crypto_wipe(void *buf, size_t len)
{
	sodium_memzero(buf, len);
}

void crypto_hash_base64(const uint8_t hash[static CRYPTO_HASH],
	char ret[static CRYPTO_HASH_BASE64])
{
	sodium_bin2base64(ret, CRYPTO_HASH_BASE64, hash, CRYPTO_HASH,
		sodium_base64_VARIANT_ORIGINAL);
}

void hex_format(const uint8_t *data, size_t len, char *ret_text)
{
	sodium_bin2hex(ret_text, 2 * len + 1, data, len);
}

int hex_parse(const char *text, size_t len, uint8_t *ret)
{
	size_t got;

	if (strlen(text) != 2 * len)
		return -EINVAL;
	if (sodium_hex2bin(ret, len, text, 2 * len, NULL, &got, NULL) != 0 || got != len)
		return -EINVAL;
	return 0;
}
