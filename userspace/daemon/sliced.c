/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slices of long operations: begun by a timer, as a handler's own turn has a
 * transaction already; how much a slice does is the operation's to say.
 */
#include "daemon/sliced.h"

#include "base/clock.h"
#include "base/util.h"
#include "daemon/ctl_server.h"
#include "daemon/reply.h"

#define WORKS_MAX 8
#define PAUSE_NS  NSEC_PER_MSEC

struct sliced {
	struct sliced *next;
	struct gatehoused *g;
	const struct sliced_work *work;
	void *data;
	uint64_t ticket;
	bool has_more;
	struct loop_timer timer;
};

static void sliced_free(struct sliced *s)
{
	struct sliced **at = &s->g->sliced;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	loop_timer_stop(s->g->loop, &s->timer);
	free(s->data);
	free(s);
}

static int slice(struct gatehoused *g, void *data)
{
	struct sliced *s = data;
	int ret = s->work->slice(g, s->data);

	s->has_more = ret == 1;
	return MIN(ret, 0);
}

static void go_on(void *data)
{
	struct sliced *s = data;
	int ret = turn_alone(s->g, slice, s);

	if (!ret && s->has_more) {
		loop_timer_start(s->g->loop, &s->timer, PAUSE_NS, 0, go_on, s);
		return;
	}
	ctl_server_answer(
		s->g->ctl, s->ticket, s->work->reply(s->g, s->data, ret));
	sliced_free(s);
}

json_t *sliced_start(
	struct gatehoused *g, const struct sliced_work *work, void *data)
{
	struct sliced *s;
	int count = 0;

	for (s = g->sliced; s; s = s->next)
		count++;
	if (count >= WORKS_MAX) {
		free(data);
		return reply_refuse(CTL_conflict,
			"Too many long operations are under way. Try again when "
			"they are done.");
	}
	s = xcalloc(1, sizeof(*s));
	*s = (struct sliced){.next = g->sliced, .g = g, .work = work,
		.data = data, .ticket = ctl_server_defer(g->ctl)};
	g->sliced = s;
	loop_timer_start(g->loop, &s->timer, 0, 0, go_on, s);
	return NULL;
}

void sliced_stop(struct gatehoused *g)
{
	while (g->sliced)
		sliced_free(g->sliced);
}
