/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Texts of the pages (portal/lang/CODE.txt, embedded). English is complete; a
 * key that another language lacks is shown in English.
 */
#ifndef PORTAL_I18N_H
#define PORTAL_I18N_H

#include <stdbool.h>

#define I18N_LANGUAGES_MAX 16

struct lang;

/* Reads the embedded files. -EBADMSG after a fault, which is logged; call once
 * before the rest. */
int i18n_init(void);
void i18n_fini(void);

/* What is wrong in a text of the operator's; `line` from 1. */
typedef void i18n_fault_fn(void *data, int line, const char *text);

/*
 * One more language, of the lines of such a file; what it lacks is shown in
 * English. -EBADMSG after faults, each of which was told: the language is
 * there all the same, without what is no line, unless there are too many or
 * its code is too long. Lines beyond the keys of English are faults.
 */
int i18n_add(const char *code, const char *text, i18n_fault_fn *fn, void *data);
/*
 * `base` with some texts of its own; the caller's, to be given to lang_free()
 * before i18n_fini(). -EBADMSG as above; there is a language in any case.
 */
int i18n_change(const struct lang *base, const char *text, i18n_fault_fn *fn,
	void *data, struct lang **ret_lang);
/* NULL is fine. */
void lang_free(struct lang *lang);

/* 0 to count - 1, by code; NULL beyond. */
const struct lang *i18n_at(int index);
/* The language called `code` ("en"), or NULL. */
const struct lang *i18n_lookup(const char *code);
/* The best one for an Accept-Language header (RFC 9110 section 12.5.4; NULL:
 * none sent); English when nothing fits. */
const struct lang *i18n_pick(const char *accept);

const char *lang_code(const struct lang *lang);
/* Is it written from right to left? Its text `direction` says so. */
bool lang_is_rtl(const struct lang *lang);
/* NULL when English has no such key either: a fault of ours. */
const char *lang_text(const struct lang *lang, const char *key);
/* The same without English in its place: NULL when the language has it not. */
const char *lang_own_text(const struct lang *lang, const char *key);

#endif
