/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of `selftest`: what was looked at, how it is, what to do. */
#ifndef CTL_CHECKS_H
#define CTL_CHECKS_H

#include "base/json.h"

enum result { RESULT_OK, RESULT_FAILED, RESULT_LEFT_OUT };

/* Appends to the array; `remedy` counts unless it is ok. */
void checks_add(json_t *checks, const char *name, enum result result,
	const char *said, const char *remedy);
/* The reply with them: a success, or `differs` when one failed. Owned by the
 * caller. */
json_t *checks_reply(const json_t *checks, const char *network);

/*
 * Without a client, by the gate's own judgement (`explain`): ports 80 and 443,
 * names, the portal. `network` is of `status`. A negative errno of ctl_call().
 */
int checks_by_verdict(
	json_t *checks, const char *socket, const json_t *network);

#endif
