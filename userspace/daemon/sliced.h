/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Operations that have more to do than others should wait for: a slice is a
 * transaction of its own, with turns of the loop between them, and the reply
 * comes after the last one. What is asked for meanwhile sees a part of it; so it
 * must be fine to begin anew after a failure in the middle.
 */
#ifndef DAEMON_SLICED_H
#define DAEMON_SLICED_H

#include "base/json.h"
#include "daemon/gatehoused.h"

struct sliced_work {
	/* Some milliseconds of it: 1 while there is more, 0 after the last, errno. */
	int (*slice)(struct gatehoused *g, void *data);
	/* After the last one; `ret` is 0 or the errno that ended it. */
	json_t *(*reply)(struct gatehoused *g, void *data, int ret);
};

/* For the end of a handler; takes `data` and frees it. NULL: the reply comes
 * later. Or the refusal, when too many are under way. */
json_t *sliced_start(
	struct gatehoused *g, const struct sliced_work *work, void *data);
/* Without a reply: the daemon ends. */
void sliced_stop(struct gatehoused *g);

#endif
