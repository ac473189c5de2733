/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines and files of spent.log; for spent*.c only. */
#ifndef STORE_SPENT_LINE_H
#define STORE_SPENT_LINE_H

#include "base/json.h"
#include "store/store.h"

#define SPENT_SUM    9 /* with NUL */
#define SPENT_OBJECT 4096

void spent_line_sum(int64_t seq, const char *object, char ret[static SPENT_SUM]);
/* Cuts the line into its parts; -EBADMSG when it is not whole. */
int spent_line_parse(char *line, int64_t *ret_seq, char **ret_object);
/* Its time; 0: it has none. */
int64_t spent_line_at(const char *object);

/* A field of a line; 0 or NULL: it has none of that type. */
static inline int64_t spent_number(const json_t *line, const char *name)
{
	return json_integer_value(json_object_get(line, name));
}
static inline const char *spent_word(const json_t *line, const char *name)
{
	return json_string_value(json_object_get(line, name));
}

/* Lines of coins, in spent_coins.c: a pulse, once; and what a payment by coin
 * took from its lock, whose client it was. -ENOENT: not known. */
int spent_coin_apply(struct store *store, const json_t *line);
int spent_coin_pay(struct store *store, const json_t *line, struct mac *ret_mac);

/* The last lines' numbers of all full files, in no order; how many. Free them. */
int spent_full_files(const char *path, int64_t **ret_seqs);
char *spent_full_name(const char *path, int64_t seq);

#endif
