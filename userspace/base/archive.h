/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An encrypted file, for backups that leave the box: to a passphrase (argon2id)
 * or to a public key, so that the box itself cannot read what it made. Contents
 * are a secretstream (XChaCha20-Poly1305) of 64 KiB chunks: a file that was cut,
 * changed or put together anew does not open.
 *
 *   "gatehouse backup 1\n"  'p' or 'k'  salt (16)  sealed key (80)  stream
 *
 * Errors are negative errno; -EBADMSG: not such a file, damaged, or another key.
 */
#ifndef BASE_ARCHIVE_H
#define BASE_ARCHIVE_H

#include "base/crypto.h"

#define ARCHIVE_MAGIC "gatehouse backup 1\n"

/* One of them. */
struct archive_key {
	const char *passphrase; /* NULL: the other one */
	uint8_t key[CRYPTO_KEY]; /* public to seal; secret to open */
};

/* A new pair of keys. */
void archive_key_pair(uint8_t ret_public[static CRYPTO_KEY],
	uint8_t ret_secret[static CRYPTO_KEY]);

/* The whole of `from`, sealed, to `to`. */
int archive_seal(int from, int to, const struct archive_key *key,
	uint8_t ret_stream_key[static CRYPTO_KEY]);
/* And back. */
int archive_open(int from, int to, const struct archive_key *key);
/* Is the archive what `plain` is, byte by byte? -EBADMSG: it is not. For who
 * has just made it. */
int archive_compare(
	int archive, int plain, const uint8_t stream_key[static CRYPTO_KEY]);

#endif
