/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sealing and opening by chunks; nothing of a chunk is given on before it is
 * found good.
 */
#include "base/archive.h"

#include <sodium.h>
#include <string.h>

#include "base/util.h"

#define CHUNK  65536
#define STREAM_OVERHEAD crypto_secretstream_xchacha20poly1305_ABYTES
#define STREAM_HEADER	crypto_secretstream_xchacha20poly1305_HEADERBYTES
#define TAG_FINAL	crypto_secretstream_xchacha20poly1305_TAG_FINAL
#define SEALED		(CRYPTO_KEY + crypto_box_SEALBYTES)

_Static_assert(CRYPTO_KEY == crypto_secretstream_xchacha20poly1305_KEYBYTES, "key");
_Static_assert(CRYPTO_KEY == crypto_box_PUBLICKEYBYTES, "public key");
_Static_assert(CRYPTO_KEY == crypto_box_SECRETKEYBYTES, "secret key");
_Static_assert(CRYPTO_KEY + CRYPTO_SEAL_OVERHEAD <= SEALED, "room for both");

struct head {
	char magic[sizeof(ARCHIVE_MAGIC) - 1];
	char mode; /* 'p' or 'k' */
	uint8_t salt[crypto_pwhash_SALTBYTES];
	uint8_t sealed[SEALED]; /* the stream's key */
};

struct chunk {
	uint8_t plain[CHUNK];
	uint8_t sealed[CHUNK + STREAM_OVERHEAD];
};

void archive_key_pair(uint8_t ret_public[static CRYPTO_KEY],
	uint8_t ret_secret[static CRYPTO_KEY])
{
	crypto_box_keypair(ret_public, ret_secret);
}

static int write_all(int fd, const void *data, size_t len)
{
	const char *at = data;
	ssize_t n;

	for (; len; at += n, len -= (size_t)n) {
		n = write(fd, at, len);
		if (n <= 0)
			return n ? -errno : -EIO;
	}
	return 0;
}

/* As many bytes as there are, up to `len`. */
static ssize_t read_all(int fd, void *data, size_t len)
{
	size_t have = 0;
	ssize_t n = 0;

	while (have < len &&
		(n = read(fd, (char *)data + have, len - have)) > 0)
		have += (size_t)n;
	return n < 0 ? -errno : (ssize_t)have;
}

static int key_of(const char *passphrase, const struct head *head,
	uint8_t ret_key[static CRYPTO_KEY])
{
	return crypto_pwhash(ret_key, CRYPTO_KEY, passphrase,
		       strlen(passphrase), head->salt,
		       crypto_pwhash_OPSLIMIT_INTERACTIVE,
		       crypto_pwhash_MEMLIMIT_INTERACTIVE,
		       crypto_pwhash_ALG_ARGON2ID13)
		       ? -ENOMEM
		       : 0;
}

static int lock_key(struct head *head, const struct archive_key *key,
	const uint8_t stream_key[static CRYPTO_KEY])
{
	uint8_t by[CRYPTO_KEY];
	int ret;

	memset(head, 0, sizeof(*head));
	memcpy(head->magic, ARCHIVE_MAGIC, sizeof(head->magic));
	head->mode = key->passphrase ? 'p' : 'k';
	if (!key->passphrase)
		return crypto_box_seal(head->sealed, stream_key, CRYPTO_KEY,
			       key->key)
			       ? -EINVAL
			       : 0;
	randombytes_buf(head->salt, sizeof(head->salt));
	ret = key_of(key->passphrase, head, by);
	if (!ret)
		crypto_seal(by, stream_key, CRYPTO_KEY, head->sealed);
	sodium_memzero(by, sizeof(by));
	return ret;
}

static int unlock_key(const struct head *head, const struct archive_key *key,
	uint8_t ret_stream_key[static CRYPTO_KEY])
{
	uint8_t public[CRYPTO_KEY], by[CRYPTO_KEY];
	int ret;

	if (head->mode != (key->passphrase ? 'p' : 'k'))
		return -EBADMSG;
	if (!key->passphrase) {
		crypto_scalarmult_base(public, key->key);
		return crypto_box_seal_open(ret_stream_key, head->sealed,
			       SEALED, public, key->key)
			       ? -EBADMSG
			       : 0;
	}
	ret = key_of(key->passphrase, head, by);
	if (!ret)
		ret = crypto_open(by, head->sealed,
			CRYPTO_KEY + CRYPTO_SEAL_OVERHEAD, ret_stream_key);
	sodium_memzero(by, sizeof(by));
	return ret;
}

static int seal_chunks(int from, int to, struct chunk *chunk,
	crypto_secretstream_xchacha20poly1305_state *state,
	const struct head *head)
{
	ssize_t n;
	int ret;

	do {
		n = read_all(from, chunk->plain, CHUNK);
		if (n < 0)
			return (int)n;
		/* A short one is the last; the head belongs to each. */
		crypto_secretstream_xchacha20poly1305_push(state, chunk->sealed,
			NULL, chunk->plain, (size_t)n, (const uint8_t *)head,
			sizeof(*head), n < CHUNK ? TAG_FINAL : 0);
		ret = write_all(to, chunk->sealed, (size_t)n + STREAM_OVERHEAD);
	} while (!ret && n == CHUNK);
	return ret;
}

int archive_seal(int from, int to, const struct archive_key *key,
	uint8_t ret_stream_key[static CRYPTO_KEY])
{
	_cleanup_free_ struct chunk *chunk = xcalloc(1, sizeof(*chunk));
	crypto_secretstream_xchacha20poly1305_state state;
	uint8_t header[STREAM_HEADER];
	struct head head;
	int ret;

	crypto_secretstream_xchacha20poly1305_keygen(ret_stream_key);
	ret = lock_key(&head, key, ret_stream_key);
	crypto_secretstream_xchacha20poly1305_init_push(
		&state, header, ret_stream_key);
	if (!ret)
		ret = write_all(to, &head, sizeof(head));
	if (!ret)
		ret = write_all(to, header, sizeof(header));
	if (!ret)
		ret = seal_chunks(from, to, chunk, &state, &head);
	sodium_memzero(&state, sizeof(state));
	return ret;
}

/* What `fn` gets of the contents, piece by piece. */
typedef int take_fn(int fd, struct chunk *chunk, size_t len);

static int take_to_file(int fd, struct chunk *chunk, size_t len)
{
	return write_all(fd, chunk->plain, len);
}

static int take_compare(int fd, struct chunk *chunk, size_t len)
{
	/* Not needed any more: the space is free. */
	ssize_t n = read_all(fd, chunk->sealed, len);

	if (n < 0)
		return (int)n;
	return (size_t)n != len || memcmp(chunk->sealed, chunk->plain, len)
		       ? -EBADMSG
		       : 0;
}

static int open_chunks(int from, const struct head *head,
	const uint8_t stream_key[static CRYPTO_KEY], take_fn *take, int to)
{
	_cleanup_free_ struct chunk *chunk = xcalloc(1, sizeof(*chunk));
	crypto_secretstream_xchacha20poly1305_state state;
	uint8_t header[STREAM_HEADER];
	unsigned char tag = 0;
	ssize_t n = read_all(from, header, sizeof(header));
	int ret = n < 0 ? (int)n : 0;

	if (!ret && (n != sizeof(header) ||
			    crypto_secretstream_xchacha20poly1305_init_pull(
				    &state, header, stream_key)))
		ret = -EBADMSG;
	while (!ret && tag != TAG_FINAL) {
		n = read_all(from, chunk->sealed, sizeof(chunk->sealed));
		if (n < 0)
			return (int)n;
		if (n < (ssize_t)STREAM_OVERHEAD ||
			crypto_secretstream_xchacha20poly1305_pull(&state,
				chunk->plain, NULL, &tag, chunk->sealed,
				(size_t)n, (const uint8_t *)head, sizeof(*head)))
			return -EBADMSG;
		ret = take(to, chunk, (size_t)n - STREAM_OVERHEAD);
	}
	return ret;
}

static int read_head(int fd, struct head *ret_head)
{
	ssize_t n = read_all(fd, ret_head, sizeof(*ret_head));

	if (n < 0)
		return (int)n;
	return n != sizeof(*ret_head) ||
			       memcmp(ret_head->magic, ARCHIVE_MAGIC,
				       sizeof(ret_head->magic))
		       ? -EBADMSG
		       : 0;
}

int archive_open(int from, int to, const struct archive_key *key)
{
	uint8_t stream_key[CRYPTO_KEY];
	struct head head;
	int ret = read_head(from, &head);

	if (!ret)
		ret = unlock_key(&head, key, stream_key);
	if (!ret)
		ret = open_chunks(from, &head, stream_key, take_to_file, to);
	sodium_memzero(stream_key, sizeof(stream_key));
	return ret;
}

int archive_compare(
	int archive, int plain, const uint8_t stream_key[static CRYPTO_KEY])
{
	struct head head;
	char more;
	int ret;

	if (lseek(archive, 0, SEEK_SET) || lseek(plain, 0, SEEK_SET))
		return -errno;
	ret = read_head(archive, &head);
	if (!ret)
		ret = open_chunks(archive, &head, stream_key, take_compare, plain);
	if (!ret && (read(archive, &more, 1) || read(plain, &more, 1)))
		ret = -EBADMSG;
	return ret;
}
