/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Languages. A file is lines of "key = text"; '#' opens a comment. A text is
 * plain text, never HTML: the template escapes it. "{name}" in it is replaced
 * by a value of the page, escaped as well.
 */
#include "i18n.h"

#include <strings.h>

#include "base/embed.h"
#include "base/log.h"
#include "base/util.h"

#define DEFAULT_CODE "en"
#define TEXTS_MAX    1024
/* Ranges in one Accept-Language header that are looked at. */
#define RANGES_MAX 16

struct text {
	const char *key, *text;
};

struct lang {
	char code[8];
	char *file; /* `texts` point into it */
	int count;
	struct text texts[TEXTS_MAX];
};

static struct lang *languages[I18N_LANGUAGES_MAX];
static int language_count;
static const struct lang *fallback;

static int by_key(const void *a, const void *b)
{
	return strcmp(
		((const struct text *)a)->key, ((const struct text *)b)->key);
}

static char *trim(char *text)
{
	char *end;

	text += strspn(text, " \t");
	end = text + strlen(text);
	while (end > text && strchr(" \t\r", end[-1]))
		*--end = '\0';
	return text;
}

static int read_file(struct lang *lang)
{
	char *rest = lang->file, *line, *equals;

	while ((line = strsep(&rest, "\n"))) {
		line = trim(line);
		if (!*line || *line == '#')
			continue;
		equals = strchr(line, '=');
		if (!equals || lang->count == TEXTS_MAX) {
			log_error("language %s: cannot take \"%s\"", lang->code,
				line);
			return -EBADMSG;
		}
		*equals = '\0';
		lang->texts[lang->count++] =
			(struct text){trim(line), trim(equals + 1)};
	}
	qsort(lang->texts, (size_t)lang->count, sizeof(lang->texts[0]), by_key);
	return 0;
}

static int add_language(const struct embed *file, size_t code_len)
{
	struct lang *lang;

	if (language_count == I18N_LANGUAGES_MAX ||
		code_len >= sizeof(lang->code))
		return -EBADMSG;
	lang = xcalloc(1, sizeof(*lang));
	memcpy(lang->code, file->name, code_len);
	lang->file = xstrdup(file->data);
	languages[language_count++] = lang;
	return read_file(lang);
}

int i18n_init(void)
{
	const struct embed *file;
	int ret;

	for (file = embed_portal; file->name; file++) {
		const char *dot = strrchr(file->name, '.');

		if (!dot || strcmp(dot, ".txt"))
			continue;
		ret = add_language(file, (size_t)(dot - file->name));
		if (ret)
			return ret;
	}
	fallback = i18n_lookup(DEFAULT_CODE);
	return fallback ? 0 : -EBADMSG;
}

void i18n_fini(void)
{
	while (language_count) {
		struct lang *lang = languages[--language_count];

		free(lang->file);
		free(lang);
	}
	fallback = NULL;
}

const struct lang *i18n_at(int index)
{
	return index < language_count ? languages[index] : NULL;
}

const struct lang *i18n_lookup(const char *code)
{
	int i;

	for (i = 0; i < language_count; i++)
		if (!strcasecmp(languages[i]->code, code))
			return languages[i];
	return NULL;
}

/* Names that browsers send for a language that we call otherwise. */
static const char *primary_code(const char *code)
{
	if (!strcasecmp(code, "tl"))
		return "fil";
	if (!strcasecmp(code, "in"))
		return "id";
	return code;
}

/* "q=0.8" as thousandths; 1000 without one. */
static int quality(const char *params)
{
	const char *q = strstr(params, "q=");
	int value, digit;

	if (!q || (q[2] != '0' && q[2] != '1'))
		return 1000;
	value = (q[2] - '0') * 1000;
	if (q[3] == '.')
		for (digit = 0; digit < 3; digit++) {
			static const int weight[] = {100, 10, 1};

			if (q[4 + digit] < '0' || q[4 + digit] > '9')
				break;
			value += (q[4 + digit] - '0') * weight[digit];
		}
	return value;
}

const struct lang *i18n_pick(const char *accept)
{
	const struct lang *best = fallback;
	int best_quality = 0, n;

	for (n = 0; accept && *accept && n < RANGES_MAX; n++) {
		char range[40];
		size_t len = strcspn(accept, ","), code_len;
		const struct lang *lang;
		int q;

		snprintf(range, sizeof(range), "%.*s",
			(int)MIN(len, sizeof(range) - 1), accept);
		accept += len + (accept[len] == ',');
		memmove(range, range + strspn(range, " \t"),
			strlen(range + strspn(range, " \t")) + 1);
		q = quality(range);
		code_len = strcspn(range, "-;_ \t");
		range[code_len] = '\0';
		lang = i18n_lookup(primary_code(range));
		if (lang && q > best_quality) {
			best = lang;
			best_quality = q;
		}
	}
	return best;
}

const char *lang_code(const struct lang *lang)
{
	return lang->code;
}

bool lang_is_rtl(const struct lang *lang)
{
	return !strcmp(lang_text(lang, "direction"), "rtl");
}

const char *lang_own_text(const struct lang *lang, const char *key)
{
	const struct text want = {.key = key};
	const struct text *found = bsearch(
		&want, lang->texts, (size_t)lang->count, sizeof(want), by_key);

	return found ? found->text : NULL;
}

const char *lang_text(const struct lang *lang, const char *key)
{
	return lang_own_text(lang, key) ?: lang_own_text(fallback, key);
}
