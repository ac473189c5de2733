/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A ring of moves in memory: a hint that is lost costs an event. Whether a MAC
 * is heard, the kernel's own notes say.
 */
#include "daemon/moves.h"

#include "base/clock.h"
#include "base/mac.h"
#include "base/util.h"
#include "daemon/alarms.h"
#include "daemon/client_json.h"

#define MOVES_MAX  256
#define WATCHED_NS (600 * NSEC_PER_SEC)
#define HEARD_NS   (10 * NSEC_PER_SEC) /* that both are, at once */
#define LATE_NS	   (2 * NSEC_PER_SEC)  /* what the old one may still send */

struct move {
	struct mac from, to;
	int64_t at_ns; /* 0: a free place */
};

struct moves {
	struct move list[MOVES_MAX];
	unsigned int next;
};

struct moves *moves_new(void)
{
	return xcalloc(1, sizeof(struct moves));
}

void moves_free(struct moves *moves)
{
	free(moves);
}

void moves_note(struct moves *moves, const struct mac *from, const struct mac *to)
{
	int i;

	/* Whoever has it back has not lost it. */
	for (i = 0; i < MOVES_MAX; i++)
		if (mac_equal(&moves->list[i].from, to))
			moves->list[i].at_ns = 0;
	moves->list[moves->next++ % MOVES_MAX] =
		(struct move){*from, *to, clock_mono_ns()};
}

static bool is_contested(struct gatehoused *g, const struct move *move,
	int64_t now_ns, uint32_t *ret_network)
{
	int64_t old_ns, new_ns;
	uint32_t network;

	client_sight(g, &move->to, &network, &new_ns);
	client_sight(g, &move->from, ret_network, &old_ns);
	return old_ns > move->at_ns + LATE_NS && now_ns - old_ns < HEARD_NS &&
	       now_ns - new_ns < HEARD_NS;
}

int moves_watch(struct gatehoused *g)
{
	int64_t now_ns = clock_mono_ns();
	uint32_t network;
	int i;

	for (i = 0; g->dp && i < MOVES_MAX; i++) {
		struct move *move = &g->moves->list[i];

		if (!move->at_ns)
			continue;
		if (now_ns - move->at_ns > WATCHED_NS)
			move->at_ns = 0;
		else if (is_contested(g, move, now_ns, &network)) {
			move->at_ns = 0;
			alarms_raise(g->alarms, "token_contested",
				SEVERITY_HIGH, &move->from, &move->to, network,
				"its session went to another device by the "
				"token, and both are active");
		}
	}
	return 0;
}
