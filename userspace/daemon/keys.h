/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The key file beside the database: voucher codes are sealed, and found, with
 * keys made of it. It is in no backup. So that codes can be used on new iron it
 * can be written down, as text: its 64 hex digits in groups and a check group.
 */
#ifndef DAEMON_KEYS_H
#define DAEMON_KEYS_H

#include "base/config.h"
#include "rules/rules.h"

#define KEYS_TEXT 81

bool keys_are_there(const struct config *config);
/* Loads the file, or makes it, into the rules' keys and one for operators'
 * passwords (CRYPTO_KEY bytes; NULL: not wanted). Logs what fails. */
int keys_load(const struct config *config, struct rules *rules,
	uint8_t *ret_password_key);
/* Was the store used with these keys? In a transaction: a new one is from now
 * on. -EKEYREJECTED: the codes in it are worth nothing with them. */
int keys_check(struct store *store, const struct rules *rules);

/* The file as text; -ENOENT and other errno. */
int keys_text(const struct config *config, char ret_text[static KEYS_TEXT]);
/* Writes the file that the text is of. -EINVAL: it is none, a slip perhaps;
 * -EEXIST: there is another one. */
int keys_put(const struct config *config, const char *text);

#endif
