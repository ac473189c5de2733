/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a client may have right now: the value that the datapath receives. */
#ifndef RULES_GRANT_H
#define RULES_GRANT_H

#include "rules/rules.h"

enum grant_state {
	GRANT_NONE = 0, /* no record in the kernel: captive */
	GRANT_RUNNING,
	GRANT_PAUSED,
	GRANT_HELD,
	GRANT_BLOCKED,
	GRANT_EXEMPT, /* reserved, see store.h */
};

struct grant {
	enum grant_state state;
	int64_t session_id, credit_id; /* 0: none */
	/* CLOCK_MONOTONIC; of a session whose clock stands (paused, held), what
	 * is left: for who makes the store anew. UNLIMITED: no end. */
	int64_t expires_ns;
	/* From what is counted by now; UNLIMITED. Below 0: so many past the
	 * bytes that were to go at the full rate. */
	int64_t bytes_left;
	enum counts counts; /* which bytes */
	/* A silence so long stops its clock, if it does; see rules/standing.h */
	int64_t idle_sec, heard_ns;
	bool is_idle;
	struct rates rates;
	char networks[STORE_NETWORKS]; /* names; "": all */
	int64_t group_id; /* whose limits hold as well; 0: none */
};

/* Same holder and moment, same grant: start, change and `verify` all use it. */
struct grant grant_of(const struct holder *holder, const struct moment *now);

#endif
