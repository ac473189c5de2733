/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Logins whose password was right and whose code is still to come: a ticket
 * each, for a few minutes and three tries. Kept in memory; after a restart one
 * begins with the password again.
 */
#ifndef DAEMON_SECOND_STEP_H
#define DAEMON_SECOND_STEP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/ip.h"
#include "base/totp.h"
#include "gatehouse/ctl.h"

#define SECOND_STEP_NS	  (5 * 60 * 1000000000LL)
#define SECOND_STEP_TRIES 3

struct second_step {
	uint8_t hash[CRYPTO_HASH]; /* of the ticket */
	int64_t operator_id;	   /* 0: a free place */
	char password[CRYPTO_PASSWORD]; /* as stored: another one ends it */
	char address[IP_TEXT];
	struct ipaddr ip;
	bool is_known; /* login_throttle.h */
	/* The account has no app yet and needs one: this is its secret. */
	bool enrols;
	uint8_t secret[TOTP_SECRET];
	int64_t until_ns; /* monotonic */
	int tries;
};

struct second_steps;

struct second_steps *second_steps_new(void);
void second_steps_free(struct second_steps *steps);
/* Copies `step`, but for its ticket, which is made, and when it ends. The oldest
 * one makes room. */
void second_steps_add(struct second_steps *steps, const struct second_step *step,
	int64_t now_ns, char ret_ticket[static CTL_TICKET_LEN + 1]);
/* NULL: there is none, or not any more. The steps'. */
struct second_step *second_steps_find(
	struct second_steps *steps, const char *ticket, int64_t now_ns);
/* It is over. */
void second_step_end(struct second_step *step);

#endif
