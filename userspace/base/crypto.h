/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random bytes, hashes, sealing; crypto.c is the only file that sees libsodium. */
#ifndef BASE_CRYPTO_H
#define BASE_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CRYPTO_HASH 32
#define CRYPTO_KEY  32
#define CRYPTO_SEAL_OVERHEAD 40 /* nonce + tag */

/* Call once per program, before anything else here. */
int crypto_init(void);
void crypto_random(void *buf, size_t len);
/* Uniform below `bound`, without modulo bias. */
uint32_t crypto_random_below(uint32_t bound);
void crypto_sha256(const void *data, size_t len, uint8_t ret[static CRYPTO_HASH]);
/* Keyed lookup hash: equal inputs give equal outputs under one key only. */
void crypto_hmac(const uint8_t key[static CRYPTO_KEY], const void *data,
	size_t len, uint8_t ret[static CRYPTO_HASH]);
/* `ret` has room for len + CRYPTO_SEAL_OVERHEAD. */
void crypto_seal(const uint8_t key[static CRYPTO_KEY], const void *data,
	size_t len, uint8_t *ret);
/* -EBADMSG when it was not sealed under this key. */
int crypto_open(const uint8_t key[static CRYPTO_KEY], const uint8_t *sealed,
	size_t sealed_len, void *ret);
/* Subkey `id` of a master key, so that one file serves several purposes. */
void crypto_derive(const uint8_t master[static CRYPTO_KEY], uint64_t id,
	uint8_t ret[static CRYPTO_KEY]);
/*
 * Argon2id of a password that was peppered with a key: as slow on purpose as
 * 32 MiB and three passes make it, so not for a thread that others wait for.
 * `ret` is text with everything in it that a check needs but the key. -ENOMEM.
 */
#define CRYPTO_PASSWORD 128 /* with the final NUL */
int crypto_password_make(const uint8_t key[static CRYPTO_KEY],
	const char *password, char ret[static CRYPTO_PASSWORD]);
/* As slow. -EACCES: it is another one. */
int crypto_password_check(const uint8_t key[static CRYPTO_KEY],
	const char *password, const char *stored);
/* Overwrites what must not stay in memory. */
void crypto_wipe(void *buf, size_t len);
/* Loads a 32-byte key file (mode 0400), making it when it is not there. */
int crypto_key_file(const char *path, uint8_t ret[static CRYPTO_KEY]);

/* Of a hash, as policies of pages have it; with the final NUL. */
#define CRYPTO_HASH_BASE64 45
void crypto_hash_base64(const uint8_t hash[static CRYPTO_HASH],
	char ret[static CRYPTO_HASH_BASE64]);

void hex_format(const uint8_t *data, size_t len, char *ret_text);
/* Exactly 2 * len hex digits. -EINVAL. */
int hex_parse(const char *text, size_t len, uint8_t *ret);

#endif
