/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers, money, times and dates as a language writes them. How that is
 * stands in the language's file (portal/lang/en.txt explains it), so that a
 * new language needs no code. Digits are 0 to 9 in every language: codes,
 * clocks and price boards have them too, and they can be typed.
 *
 * All results are the arena's. A value that no key formats is a fault of ours.
 */
#ifndef PORTAL_LOCALE_H
#define PORTAL_LOCALE_H

#include <time.h>

#include "arena.h"
#include "i18n.h"

/* "12,500" */
const char *lang_number(
	struct arena *arena, const struct lang *lang, long long number);
/* "1.4 GB"; decimal units, as plans are sold. */
const char *lang_bytes(
	struct arena *arena, const struct lang *lang, long long bytes);
/* "512 kbit/s", "1.5 Mbit/s" */
const char *lang_rate(
	struct arena *arena, const struct lang *lang, long long kbps);
/* "TSh 1,000", "₱7.50"; `minor`: hundredths of the currency, which is its
 * ISO 4217 code. One without a sign that guests know is named by its code. */
const char *lang_money(struct arena *arena, const struct lang *lang,
	long long minor, const char *currency);
/* The same with "{n}" for the amount: what a script puts figures into. */
const char *lang_money_pattern(
	struct arena *arena, const struct lang *lang, const char *currency);
/* "1 minute", "5 minutes": the text `key`.CATEGORY for that many, by the
 * plural rule of the language; at `key`.other without such a text. */
const char *lang_count(struct arena *arena, const struct lang *lang,
	const char *key, long long n);
/* All forms of it for a script: {"one":"{n} minute","other":"{n} minutes"}. */
const char *lang_forms(
	struct arena *arena, const struct lang *lang, const char *key);
/* The two largest units: "2 days 3 hours", "1 hour 30 minutes", "5 minutes";
 * seconds below a minute. */
const char *lang_duration(
	struct arena *arena, const struct lang *lang, long long seconds);
/* "Sat 21 Nov", or with its year where that is not the one of `now`; by the
 * clock of the box. */
const char *lang_date(struct arena *arena, const struct lang *lang, time_t at,
	time_t now);
/* The same with the time: "Sat 21 Nov, 14:30". */
const char *lang_date_time(struct arena *arena, const struct lang *lang,
	time_t at, time_t now);

/* The category (CLDR) of a whole number by the rule called `rule`; "other"
 * for a rule that is not known. */
const char *plural_category(const char *rule, long long n);
/* Is there such a rule? */
bool plural_is_known(const char *rule);

#endif
