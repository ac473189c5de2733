/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One setting of the configuration file: what its value must be, and where it
 * goes. For config*.c; the table of them is in config.c.
 */
#ifndef BASE_SETTING_H
#define BASE_SETTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum value_type {
	VALUE_TEXT,	/* UTF-8, min to max bytes */
	VALUE_WORD,	/* letters, digits, '-', '_', '.', min to max of them */
	VALUE_CODE,	/* capital letters and digits */
	VALUE_CURRENCY, /* three capital letters */
	VALUE_INTERFACE, /* name of a network device */
	VALUE_URL,	 /* of the web, at most max bytes; "" when min is 0 */
	VALUE_PATH,	 /* absolute, at most max bytes; "" when min is 0 */
	VALUE_CHIP,	 /* a GPIO chip: its name in /dev, or its path */
	VALUE_INT,
	VALUE_BOOL,
	/* One of some words, see `choices`; an enum */
	VALUE_HOOK,
	VALUE_SHAPE,
	VALUE_SPOOF,
	VALUE_SOURCE,
	VALUE_ADDR4,
	VALUE_ADDR6,
	/* Lists; may be given several times */
	VALUE_REACH,
	VALUE_GARDEN,
};

enum section {
	SECTION_NONE,
	SECTION_GATEHOUSE,
	SECTION_PORTAL,
	SECTION_RETENTION,
	SECTION_BACKUP,
	SECTION_FREE,
	SECTION_QR_LOGIN,
	SECTION_TERMS,
	SECTION_NETWORK,
	SECTION_COIN,
	SECTION_ROLES
};

struct setting {
	enum section section;
	const char *name;
	enum value_type type;
	size_t offset; /* into struct config, config_network or config_coin */
	int64_t min, max;
	const char *preset; /* NULL: zero, or derived after reading */
};

/* Reads `value` into `base`, the struct that the row's offset is into. Returns
 * NULL, or what the value must be (until the next call). */
const char *setting_read(
	const struct setting *row, const char *value, void *base);

/* May several lines give it? */
bool setting_is_list(const struct setting *row);

/* Letters, digits, '-', '_' and '.': NULL, or that. */
const char *setting_check_word(const char *value);

#endif
