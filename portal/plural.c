/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which form of a word goes with a number: the rules of Unicode CLDR for whole
 * numbers, by the family of languages that has them. A language names its rule
 * in its file (plural = english).
 */
#include "base/util.h"
#include "locale.h"

/* "5 hari": one form for all. */
static const char *none(long long n)
{
	return "other";
}

/* Also Spanish, Swahili, German, Hausa. */
static const char *english(long long n)
{
	return n == 1 ? "one" : "other";
}

static const char *french(long long n)
{
	return n == 0 || n == 1 ? "one" : "other";
}

static const char *arabic(long long n)
{
	long long rest = n % 100;

	if (n >= 0 && n <= 2)
		return n == 0 ? "zero" : n == 1 ? "one" : "two";
	return rest >= 3 && rest <= 10 ? "few" : rest >= 11 ? "many" : "other";
}

/* 2 to 4, but not 12 to 14. */
static bool is_few(long long n)
{
	return n % 10 >= 2 && n % 10 <= 4 && (n % 100 < 12 || n % 100 > 14);
}

/* Also Ukrainian. */
static const char *russian(long long n)
{
	if (n % 10 == 1 && n % 100 != 11)
		return "one";
	return is_few(n) ? "few" : "many";
}

static const char *polish(long long n)
{
	return n == 1 ? "one" : is_few(n) ? "few" : "many";
}

/* Also Slovak. */
static const char *czech(long long n)
{
	return n == 1 ? "one" : n >= 2 && n <= 4 ? "few" : "other";
}

static const struct {
	const char *name;
	const char *(*category)(long long n);
} rules[] = {
	{"none", none},
	{"english", english},
	{"french", french},
	{"arabic", arabic},
	{"russian", russian},
	{"polish", polish},
	{"czech", czech},
};

bool plural_is_known(const char *rule)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rules); i++)
		if (!strcmp(rules[i].name, rule))
			return true;
	return false;
}

const char *plural_category(const char *rule, long long n)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rules); i++)
		if (!strcmp(rules[i].name, rule))
			return rules[i].category(n);
	return "other";
}
