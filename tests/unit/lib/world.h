/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Five clients with rules over a store in memory. The kernel is played by a
 * record per client: it counts against the credit that it was bound to last, and
 * refuses a packet that the quota has no room for, as the datapath does.
 */
#ifndef TESTS_UNIT_LIB_WORLD_H
#define TESTS_UNIT_LIB_WORLD_H

#include "rules/session.h"
#include "rules/token.h"
#include "rules/voucher.h"

#define HOUR	(3600 * NSEC_PER_SEC)
#define MEGA	1000000LL
#define CLIENTS 5
#define DAY	86400

struct world {
	struct rules rules;
	struct moment now;
	struct mac macs[CLIENTS];
	struct record records[CLIENTS];
	int64_t raw_up[CLIENTS], raw_down[CLIENTS];
	bool exhausted[CLIENTS];
	char code[VOUCHER_CODE]; /* the last one made */
	const char *network; /* where guests show things; NULL: not known */
};

int world_set_up(void **state);
int world_tear_down(void **state);

/* What the daemon does after each change: the record of each client counts
 * against the credit in use. */
void sync_records(struct world *w);
void wait_ns(struct world *w, int64_t ns);

/* On sale, for one device; and one of an hour for several. */
struct plan make_plan(struct world *w, const char *name, int64_t seconds,
	int64_t bytes, int64_t moves);
struct plan make_shared_plan(struct world *w, int64_t devices);
/* The code stays in `w` until the next one is made. */
const char *make_code(
	struct world *w, const struct plan *plan, int64_t expires_at);

/* What somebody asks for, and then the records follow, as in the daemon. */
enum outcome activate(struct world *w, int client, const char *code,
	struct activated *ret_activated);
enum outcome restore(struct world *w, int client, const char *token,
	struct restored *ret_restored);
enum outcome allow(struct world *w, int client, int64_t seconds, int64_t bytes);
enum outcome move(struct world *w, int from, int to);
/* `expect`: does it change anything? */
void hold(struct world *w, int client, bool expect);

/* False: captive. */
bool look(struct world *w, int client, struct view *ret_view);
/* All that is left; 0: captive. */
void assert_seconds(struct world *w, int client, int64_t seconds);

#endif
