/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads the terms of use. Who accepted them, and who must, is the daemon's; this
 * is the text alone, plain, which the template escapes.
 */
#include "terms.h"

#include <limits.h>

#include "base/log.h"
#include "base/text.h"
#include "base/util.h"

static char *own, *translated[I18N_LANGUAGES_MAX];

/* Line by line: text_is_clean() is for one. */
static bool is_text(const char *text, size_t len)
{
	while (len) {
		size_t line = strcspn(text, "\n");

		line = MIN(line, len);
		if (!text_is_clean(text, line))
			return false;
		text += line + (line < len);
		len -= line + (line < len);
	}
	return true;
}

/* As other systems end lines, and tabs, which a page has no use for. */
static void tidy(char *text)
{
	char *to = text;

	for (; *text; text++)
		if (*text != '\r')
			*to++ = *text == '\t' ? ' ' : *text;
	*to = '\0';
}

static int read_text(const char *path, char **ret_text)
{
	_cleanup_free_ char *text = xcalloc(1, TERMS_MAX + 2);
	FILE *file = fopen(path, "re");
	size_t len;
	int err;

	if (!file)
		return -errno;
	errno = 0;
	len = fread(text, 1, TERMS_MAX + 1, file);
	err = ferror(file) ? (errno ? errno : EIO) : 0;
	fclose(file);
	if (err)
		return -err;
	if (len > TERMS_MAX)
		return -E2BIG;
	if (strlen(text) != len)
		return -EBADMSG;
	tidy(text);
	if (!is_text(text, strlen(text)))
		return -EBADMSG;
	*ret_text = text;
	text = NULL;
	return 0;
}

/* terms.txt: terms.sw.txt; without a suffix terms.sw. */
static void name_of(char *name, size_t size, const char *path, const char *code)
{
	const char *slash = strrchr(path, '/'), *dot = strrchr(path, '.');

	if (!dot || (slash && dot < slash))
		dot = path + strlen(path);
	snprintf(name, size, "%.*s.%s%s", (int)(dot - path), path, code, dot);
}

int terms_load(const char *path)
{
	const struct lang *lang;
	char name[PATH_MAX + 16];
	int ret, i;

	if (!*path)
		return 0;
	ret = read_text(path, &own);
	if (ret)
		log_error("%s: %s", path, strerror(-ret));
	for (i = 0; !ret && (lang = i18n_at(i)); i++) {
		name_of(name, sizeof(name), path, lang_code(lang));
		ret = read_text(name, &translated[i]);
		if (ret == -ENOENT)
			ret = 0;
		if (ret)
			log_error("%s: %s", name, strerror(-ret));
	}
	return ret;
}

void terms_fini(void)
{
	size_t i;

	free(own);
	own = NULL;
	for (i = 0; i < ARRAY_SIZE(translated); i++) {
		free(translated[i]);
		translated[i] = NULL;
	}
}

const char *terms_text(const struct lang *lang)
{
	int i;

	/* By its code: with a venue's own texts it is another one. */
	for (i = 0; i18n_at(i); i++)
		if (translated[i] &&
			!strcmp(lang_code(i18n_at(i)), lang_code(lang)))
			return translated[i];
	return own;
}
