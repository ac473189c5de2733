/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finds embedded files by name. The table of types is also the list of what
 * may be given out: a template or a language file has no row and so no URL.
 * A name is compared as a whole; there is no directory to walk out of.
 */
#include "assets.h"

#include <stdbool.h>

#include "base/crypto.h"
#include "base/embed.h"
#include "base/util.h"

static const struct {
	const char *suffix, *type;
} types[] = {
	{".css", "text/css; charset=utf-8"},
	{".js", "text/javascript; charset=utf-8"},
	{".svg", "image/svg+xml"},
	{".png", "image/png"},
};

static char version[ASSETS_VERSION_TEXT];
static char style[CRYPTO_HASH_BASE64];

static const char *type_of(const char *name)
{
	const char *dot = strrchr(name, '.');
	size_t i;

	for (i = 0; dot && i < ARRAY_SIZE(types); i++)
		if (!strcmp(dot, types[i].suffix))
			return types[i].type;
	return NULL;
}

/* The styles that head.html has in each page. */
static void hash_style(void)
{
	uint8_t hash[CRYPTO_HASH];
	struct asset css;

	if (assets_lookup(ASSETS_STYLE, &css))
		abort();
	crypto_sha256(css.data, css.len, hash);
	crypto_hash_base64(hash, style);
}

void assets_init(void)
{
	uint8_t sum[2 * CRYPTO_HASH] = {0};
	const struct embed *file;

	/* A chain: the hash of each file joins that of those before. */
	for (file = embed_portal; file->name; file++) {
		if (!type_of(file->name))
			continue;
		crypto_sha256(file->data, file->len, sum + CRYPTO_HASH);
		crypto_sha256(sum, sizeof(sum), sum);
	}
	hex_format(sum, (ASSETS_VERSION_TEXT - 1) / 2, version);
	hash_style();
}

const char *assets_style_hash(void)
{
	return style;
}

const char *assets_version(void)
{
	return version;
}

int assets_lookup(const char *name, struct asset *ret_asset)
{
	const struct embed *file;

	for (file = embed_portal; file->name; file++)
		if (!strcmp(file->name, name) && type_of(name)) {
			*ret_asset = (struct asset){file->name, type_of(name),
				file->data, file->len};
			return 0;
		}
	return -ENOENT;
}
