/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A gate to throw frames at: the real objects on maps of their own, one network
 * on the loopback interface (where a test run's frames come from), a client in
 * each standing, and the kernel's test run. Root only; needs no namespace.
 *
 * The network: the box is 10.77.0.1, fd77::1 and fe80::1 with portals on
 * ports 80 and 443; its other network is 10.78/16 and fd78::/64, of which
 * 10.78.0.80 and fd78::80 may be reached on TCP port 80. The garden, once set, is
 * 198.51.100.128/25 and 2001:db8:9::/48, and names of the inside in vain.
 */
#ifndef TESTS_BPF_LIB_GATE_H
#define TESTS_BPF_LIB_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "datapath/datapath.h"
#include "datapath/handle.h"

#define GATE_NETWORK  1
#define GATE_LOOPBACK 1
#define GATE_BOX	"10.77.0.1"
#define GATE_BOX6	"fd77::1"
#define GATE_GARDEN	"198.51.100.129"
#define GATE_GARDEN6	"2001:db8:9::7"

/* Standings of clients; each is a client of its own. */
enum standing {
	RUNNING,
	EXEMPT,
	BLOCKED,
	CLOSED,
	PAUSED,
	HELD,
	EXPIRED,
	OVER_QUOTA,
	ELSEWHERE,
	CAPTIVE,  /* no record, seen before */
	STRANGER, /* no record, a MAC that was never seen */
	STANDINGS,
};
const char *standing_name(enum standing standing);
/* Why a client in this standing gets no access; 0: it does. */
enum gh_reason standing_refusal(enum standing standing);

struct gate {
	char pin_dir[64];
	struct datapath *dp;
	struct gh_network network;
	struct gh_count counts[GH_REASONS]; /* as the last run left them */
	uint32_t strangers;
};

/* Fails the test when the kernel refuses. */
void gate_open(struct gate *g);
void gate_close(struct gate *g);

/* The gate of a test program, and a group's setup and teardown with it. */
extern struct gate gate;
int gate_setup(void **state);
int gate_teardown(void **state);

/* Writes `g->network`, which begins without any limit. */
void gate_set_network(struct gate *g);
/* Writes the garden, with these limits; 0: without. */
void gate_set_garden(struct gate *g, uint32_t kbps, uint32_t network_kbps);
/* Makes the record, or replaces it with zero counters. */
void gate_set_client(struct gate *g, const uint8_t mac[static 6],
	const struct gh_policy *policy);
/* Policy that lets a client run without limits. */
struct gh_policy gate_policy(uint64_t record_id);
struct gh_client gate_client(struct gate *g, const uint8_t mac[static 6]);
/* The client of a standing; STRANGER: another one each time. */
void gate_mac(struct gate *g, enum standing standing, uint8_t ret[static 6]);

struct gate_result {
	int error;  /* of the test run itself: -EINVAL for an empty packet */
	int code;   /* what the program returned */
	bool passed;
	bool dropped; /* neither: answered */
	enum gh_reason reason; /* counted; 0: a check that passes counts none */
	uint64_t packets; /* counted with it */
	uint64_t bytes;
	size_t answer_len; /* what the program left of the frame */
};

struct gate_shape {
	uint32_t gso_size; /* TC only */
	uint32_t mark;
	enum {
		FROM_UPLINK, /* download: forwarded */
		FROM_BOX,    /* made by it */
		FROM_HERE,   /* back to the interface that it came from */
	} from;
	void *answer; /* room for FRAME_MAX bytes, or NULL */
};

/*
 * One frame through one program. Fails the test when it returned what its hook
 * does not know, or when two reasons were counted. `shape` may be NULL.
 */
struct gate_result gate_run(struct gate *g, enum datapath_program program,
	const void *frame, size_t len, const struct gate_shape *shape);

#endif
