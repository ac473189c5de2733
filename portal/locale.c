/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Formats from the keys of a language's file. Every value becomes a pattern
 * with names in braces that are filled in here; nothing is asked of the C
 * library's locales, which a small box does not have.
 */
#include "locale.h"

#include "base/json.h"
#include "base/util.h"

/* Non-breaking: an amount and its unit stay on one line. */
#define NBSP "\u00a0"

/* What guests call their money; anything else goes by its code. */
static const struct {
	const char *code, *sign;
} currencies[] = {
	{"AED", "د.إ"},
	{"BRL", "R$"},
	{"EGP", "E£"},
	{"EUR", "€"},
	{"GBP", "£"},
	{"GHS", "GH₵"},
	{"IDR", "Rp"},
	{"INR", "₹"},
	{"KES", "KSh"},
	{"MXN", "$"},
	{"MYR", "RM"},
	{"NGN", "₦"},
	{"PHP", "₱"},
	{"RWF", "FRw"},
	{"THB", "฿"},
	{"TZS", "TSh"},
	{"UGX", "USh"},
	{"USD", "$"},
	{"VND", "₫"},
	{"XAF", "FCFA"},
	{"XOF", "FCFA"},
	{"ZAR", "R"},
};

/* A value of a pattern. */
struct slot {
	const char *name, *value;
};

/* `pattern` with each {name} of `slots` filled in; others stay. */
static const char *fill(struct arena *arena, const char *pattern,
	const struct slot *slots, size_t count)
{
	char text[256];
	size_t len = 0, i;

	while (*pattern && len + 1 < sizeof(text)) {
		size_t name_len = strcspn(pattern, "}");

		for (i = 0; *pattern == '{' && i < count; i++)
			if (strlen(slots[i].name) == name_len - 1 &&
				!strncmp(pattern + 1, slots[i].name,
					name_len - 1))
				break;
		if (*pattern != '{' || i == count) {
			text[len++] = *pattern++;
			continue;
		}
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s",
			slots[i].value);
		len = MIN(len, sizeof(text) - 1);
		pattern += name_len + (pattern[name_len] == '}');
	}
	return arena_copy(arena, text, len);
}

/* "1234567" with the language's separators. `digits` are digits only. */
static void put_grouped(struct arena *arena, const struct lang *lang,
	const char *digits, char *text, size_t size)
{
	const char *group = lang_text(lang, "group");
	size_t count = strlen(digits), i, len = 0;

	if (!strcmp(group, "space"))
		group = NBSP;
	for (i = 0; i < count; i++)
		len += (size_t)snprintf(text + len, size - len, "%s%c",
			i && (count - i) % 3 == 0 ? group : "", digits[i]);
}

static const char *grouped(
	struct arena *arena, const struct lang *lang, unsigned long long number)
{
	char digits[24], text[96] = "";

	snprintf(digits, sizeof(digits), "%llu", number);
	put_grouped(arena, lang, digits, text, sizeof(text));
	return arena_copy(arena, text, strlen(text));
}

static unsigned long long magnitude(long long number)
{
	return number < 0 ? 0 - (unsigned long long)number
			  : (unsigned long long)number;
}

const char *lang_number(
	struct arena *arena, const struct lang *lang, long long number)
{
	return arena_printf(arena, "%s%s", number < 0 ? "-" : "",
		grouped(arena, lang, magnitude(number)));
}

/* Word `at` of the text `key`, counted from 0; "" beyond. */
static const char *word(
	struct arena *arena, const struct lang *lang, const char *key, size_t at)
{
	const char *text = lang_text(lang, key);

	while (at-- && *text) {
		text += strcspn(text, " ");
		text += strspn(text, " ");
	}
	return arena_copy(arena, text, strcspn(text, " "));
}

const char *lang_bytes(
	struct arena *arena, const struct lang *lang, long long bytes)
{
	double value = (double)bytes;
	long long tenths;
	size_t unit = 0;

	/* As it is rounded below. */
	while (value >= 999.5 && unit < 4) {
		value /= 1000;
		unit++;
	}
	if (!unit || value >= 99.95)
		return arena_printf(arena, "%.0f %s", value,
			word(arena, lang, "bytes", unit));
	tenths = (long long)(value * 10 + 0.5);
	return arena_printf(arena, "%lld%s%lld %s", tenths / 10,
		lang_text(lang, "decimal"), tenths % 10,
		word(arena, lang, "bytes", unit));
}

const char *lang_rate(
	struct arena *arena, const struct lang *lang, long long kbps)
{
	bool is_mega = kbps >= 1000 && kbps % 100 == 0;
	const char *unit = word(arena, lang, "rates", is_mega);

	if (!is_mega || kbps % 1000 == 0)
		return arena_printf(arena, "%s %s",
			lang_number(arena, lang, is_mega ? kbps / 1000 : kbps),
			unit);
	return arena_printf(arena, "%s%s%lld %s",
		lang_number(arena, lang, kbps / 1000),
		lang_text(lang, "decimal"), kbps % 1000 / 100, unit);
}

static const char *sign_of(const char *currency)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(currencies); i++)
		if (!strcmp(currencies[i].code, currency))
			return currencies[i].sign;
	return currency;
}

static bool is_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static const char *money(struct arena *arena, const struct lang *lang,
	const char *currency, const char *amount)
{
	const char *sign = sign_of(currency);
	size_t len = strlen(sign);
	/* "$5", but "Rp 5000". */
	const char *space = len && is_letter(sign[len - 1]) ? NBSP : "";
	const struct slot slots[] = {
		{"sign", sign}, {"amount", amount}, {"space", space}};

	return fill(arena, lang_text(lang, "money"), slots, ARRAY_SIZE(slots));
}

const char *lang_money(struct arena *arena, const struct lang *lang,
	long long minor, const char *currency)
{
	unsigned long long value = magnitude(minor);
	const char *amount = grouped(arena, lang, value / 100);

	if (value % 100)
		amount = arena_printf(arena, "%s%s%02llu", amount,
			lang_text(lang, "decimal"), value % 100);
	if (minor < 0)
		amount = arena_printf(arena, "-%s", amount);
	return money(arena, lang, currency, amount);
}

const char *lang_money_pattern(
	struct arena *arena, const struct lang *lang, const char *currency)
{
	return money(arena, lang, currency, "{n}");
}

const char *lang_count(struct arena *arena, const struct lang *lang,
	const char *key, long long n)
{
	const char *category = plural_category(lang_text(lang, "plural"), n);
	const char *pattern = lang_own_text(
		lang, arena_printf(arena, "%s.%s", key, category));
	const struct slot slot = {"n", lang_number(arena, lang, n)};

	if (!pattern)
		pattern = lang_text(lang, arena_printf(arena, "%s.other", key));
	return fill(arena, pattern ?: "{n}", &slot, 1);
}

const char *lang_forms(
	struct arena *arena, const struct lang *lang, const char *key)
{
	static const char *const categories[] = {
		"zero", "one", "two", "few", "many", "other"};
	json_t *forms = json_object();
	_cleanup_free_ char *text = NULL;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(categories); i++) {
		const char *form = lang_own_text(lang,
			arena_printf(arena, "%s.%s", key, categories[i]));

		if (form)
			json_object_set_new(
				forms, categories[i], json_string(form));
	}
	text = json_dumps(forms, JSON_COMPACT);
	json_decref(forms);
	return arena_printf(arena, "%s", text ?: "{}");
}

const char *lang_duration(
	struct arena *arena, const struct lang *lang, long long seconds)
{
	static const struct {
		const char *key;
		long long seconds;
	} units[] = {
		{"days", SEC_PER_DAY}, {"hours", 3600}, {"minutes", 60}, {"seconds", 1}};
	struct slot slots[2];
	size_t i = 0;

	while (i + 1 < ARRAY_SIZE(units) && seconds < units[i].seconds)
		i++;
	slots[0] = (struct slot){"first",
		lang_count(arena, lang, units[i].key, seconds / units[i].seconds)};
	seconds %= units[i].seconds;
	/* "1 minute 5 seconds" says more than anybody asks. */
	if (++i >= 3 || seconds < units[i].seconds)
		return slots[0].value;
	slots[1] = (struct slot){"second",
		lang_count(arena, lang, units[i].key, seconds / units[i].seconds)};
	return fill(arena, lang_text(lang, "duration"), slots, 2);
}

const char *lang_date(struct arena *arena, const struct lang *lang, time_t at,
	time_t now)
{
	struct tm tm, today;
	struct slot slots[4];

	localtime_r(&at, &tm);
	localtime_r(&now, &today);
	slots[0] = (struct slot){"weekday",
		word(arena, lang, "weekdays", (size_t)tm.tm_wday)};
	slots[1] = (struct slot){"day", arena_printf(arena, "%d", tm.tm_mday)};
	slots[2] = (struct slot){
		"month", word(arena, lang, "months", (size_t)tm.tm_mon)};
	slots[3] = (struct slot){
		"year", arena_printf(arena, "%d", tm.tm_year + 1900)};
	return fill(arena,
		lang_text(lang,
			tm.tm_year == today.tm_year ? "date" : "date_year"),
		slots, ARRAY_SIZE(slots));
}

const char *lang_date_time(struct arena *arena, const struct lang *lang,
	time_t at, time_t now)
{
	struct slot slots[2];
	char clock[8];
	struct tm tm;

	localtime_r(&at, &tm);
	strftime(clock, sizeof(clock), "%H:%M", &tm);
	slots[0] = (struct slot){"date", lang_date(arena, lang, at, now)};
	slots[1] = (struct slot){"time", clock};
	return fill(arena, lang_text(lang, "date_time"), slots, 2);
}
