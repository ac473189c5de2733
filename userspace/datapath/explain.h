/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the gate would do with a packet, asked of the gate's own programs: this
 * build's object loaded a second time, on maps that hold copies of what the
 * client has. So the answer is the programs' own, limits, quota and responder
 * included, and nothing of it is counted, charged or remembered.
 */
#ifndef DATAPATH_EXPLAIN_H
#define DATAPATH_EXPLAIN_H

#include <stddef.h>

#include "datapath/datapath.h"

#define EXPLAIN_ANSWER_MAX 2048

enum explain_hook {
	EXPLAIN_UP_XDP,
	EXPLAIN_UP_TC,
	EXPLAIN_DOWN,
};

struct explain_question {
	enum explain_hook hook;
	int ifindex;      /* where the frame is, gated */
	int from_ifindex; /* download: where it came in; 0: made by the box */
	struct mac client;
	const void *frame;
	size_t len;
};

struct explain_verdict {
	enum gh_reason reason;
	uint64_t charged;     /* bytes that the client's record would have paid */
	bool has_record;
	struct gh_client record; /* as it is; not changed by the question */
	size_t answer_len;    /* bytes of `answer`, if the gate answers */
	uint8_t answer[EXPLAIN_ANSWER_MAX];
};

struct explain;

/*
 * Judges one frame. *explain is NULL at first and made when it is needed: the
 * kernel verifies the programs once for each kind of hook, which takes up to a
 * second. Errors: -ENODEV without such an interface; -EPROTO when the programs
 * are not the very ones that `dp` has at its hooks; else what the kernel says,
 * with the part's name in `err`.
 */
int explain_frame(struct datapath *dp, struct explain **explain,
	const struct explain_question *question,
	struct explain_verdict *ret_verdict, struct datapath_error *err);
/* Before datapath_close(). NULL is fine. */
void explain_free(struct explain *explain);

/*
 * The address that the client used last, as far as the kernel remembers; of
 * IPv6 (not a link-local one) or of IPv4. -ENOENT.
 */
int explain_address(struct datapath *dp, const struct mac *mac, bool is_v6,
	struct ipaddr *ret_addr);

/*
 * For the test that each map of the object has its row in explain.c: calls
 * `fn` with the name of each that has none. Returns how many maps there are.
 */
int explain_check_maps(void (*fn)(void *data, const char *name), void *data);

#endif
