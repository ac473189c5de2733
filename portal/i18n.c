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
#include "locale.h"

#define DEFAULT_CODE "en"
#define TEXTS_MAX    2000
/* Ranges in one Accept-Language header that are looked at. */
#define RANGES_MAX 16

struct text {
	const char *key, *text;
};

struct lang {
	char code[8];
	const struct lang *base; /* what is not in it is there; or NULL */
	char *file;		 /* `texts` point into it */
	size_t count;
	struct text *texts;
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

/* What a reading of a file's lines carries along. */
struct reading {
	struct lang *lang;
	i18n_fault_fn *fn; /* or NULL: no judgement, faults are logged */
	void *data;
	int line;
	int faults;
};

static void fault(struct reading *r, const char *format, const char *what)
	__attribute__((format(printf, 2, 0)));
static void fault(struct reading *r, const char *format, const char *what)
{
	char text[200];

	snprintf(text, sizeof(text), format, what);
	r->faults++;
	if (r->fn)
		r->fn(r->data, r->line, text);
	else
		log_error("language %s, line %d: %s", r->lang->code, r->line,
			text);
}

/* The text of English that `key` stands for: "days.few" is one of days. */
static const char *original(const char *key)
{
	const char *text = lang_own_text(fallback, key);
	const char *dot = strchr(key, '.');
	char other[64];

	if (text || !dot)
		return text;
	snprintf(other, sizeof(other), "%.*s.other", (int)(dot - key), key);
	return lang_own_text(fallback, other);
}

/* Are all {values} of `text` in the original, too? Money and dates have ways
 * of their own. */
static bool has_known_values(const char *key, const char *text)
{
	const char *known = original(key);
	char name[64];

	if (!strncmp(key, "date", 4) || !strcmp(key, "money"))
		return true;
	while ((text = strchr(text, '{'))) {
		size_t len = strcspn(text, "}");

		if (!text[len] || len + 2 > sizeof(name))
			return false;
		snprintf(name, sizeof(name), "%.*s", (int)len + 1, text);
		if (!strstr(known, name))
			return false;
		text += len;
	}
	return true;
}

static void judge(struct reading *r, const struct text *text)
{
	if (!original(text->key))
		fault(r, "there is no text called \"%s\"", text->key);
	else if (!has_known_values(text->key, text->text))
		fault(r, "\"%s\" has a {value} that the English text has not",
			text->key);
	else if (!strcmp(text->key, "plural") && !plural_is_known(text->text))
		fault(r, "there is no plural rule called \"%s\"", text->text);
}

static void read_line(struct reading *r, char *line)
{
	struct text text;
	char *equals;

	line = trim(line);
	if (!*line || *line == '#')
		return;
	equals = strchr(line, '=');
	if (!equals) {
		fault(r, "\"%.60s\" is not \"key = text\"", line);
		return;
	}
	*equals = '\0';
	text = (struct text){trim(line), trim(equals + 1)};
	if (r->fn)
		judge(r, &text);
	r->lang->texts[r->lang->count++] = text;
}

static int read_lines(struct reading *r)
{
	struct lang *lang = r->lang;
	char *rest = lang->file, *line;
	size_t count = 1;

	for (line = rest; (line = strchr(line, '\n')); line++)
		count++;
	if (count > TEXTS_MAX) {
		fault(r, "%s has too many lines", lang->code);
		return -EBADMSG;
	}
	lang->texts = xcalloc(count, sizeof(lang->texts[0]));
	while ((line = strsep(&rest, "\n"))) {
		r->line++;
		read_line(r, line);
	}
	qsort(lang->texts, lang->count, sizeof(lang->texts[0]), by_key);
	return r->faults ? -EBADMSG : 0;
}

static struct lang *lang_new(const char *code, size_t code_len, const char *text)
{
	struct lang *lang = xcalloc(1, sizeof(*lang));

	memcpy(lang->code, code, code_len);
	lang->file = xstrdup(text);
	return lang;
}

void lang_free(struct lang *lang)
{
	if (!lang)
		return;
	free(lang->texts);
	free(lang->file);
	free(lang);
}

static int add_language(const char *code, size_t code_len, const char *text,
	i18n_fault_fn *fn, void *data)
{
	struct reading r = {.fn = fn, .data = data};

	if (language_count == I18N_LANGUAGES_MAX || code_len < 2 ||
		code_len >= sizeof(r.lang->code))
		return -EBADMSG;
	r.lang = lang_new(code, code_len, text);
	languages[language_count++] = r.lang;
	return read_lines(&r);
}

int i18n_add(const char *code, const char *text, i18n_fault_fn *fn, void *data)
{
	return add_language(code, strlen(code), text, fn, data);
}

int i18n_change(const struct lang *base, const char *text, i18n_fault_fn *fn,
	void *data, struct lang **ret_lang)
{
	struct reading r = {.fn = fn, .data = data};

	r.lang = lang_new(base->code, strlen(base->code), text);
	r.lang->base = base;
	*ret_lang = r.lang;
	return read_lines(&r);
}

int i18n_init(void)
{
	const struct embed *file;
	int ret;

	for (file = embed_portal; file->name; file++) {
		const char *dot = strrchr(file->name, '.');

		if (!dot || strcmp(dot, ".txt"))
			continue;
		ret = add_language(file->name, (size_t)(dot - file->name),
			file->data, NULL, NULL);
		if (ret)
			return ret;
	}
	fallback = i18n_lookup(DEFAULT_CODE);
	return fallback ? 0 : -EBADMSG;
}

void i18n_fini(void)
{
	while (language_count)
		lang_free(languages[--language_count]);
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
		&want, lang->texts, lang->count, sizeof(want), by_key);

	if (found)
		return found->text;
	return lang->base ? lang_own_text(lang->base, key) : NULL;
}

const char *lang_text(const struct lang *lang, const char *key)
{
	return lang_own_text(lang, key) ?: lang_own_text(fallback, key);
}
