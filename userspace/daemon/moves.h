/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sessions that a token took to another MAC (P7). A phone that changed its MAC
 * is not heard under the old one any more; who is has lost his session to
 * whoever had his token, or shares it.
 */
#ifndef DAEMON_MOVES_H
#define DAEMON_MOVES_H

#include "daemon/gatehoused.h"

struct moves *moves_new(void);
/* NULL is fine. */
void moves_free(struct moves *moves);

/* A session went from one to the other. Those of the last ten minutes are
 * watched, the newest 256 of them; a restart forgets them. */
void moves_note(struct moves *moves, const struct mac *from, const struct mac *to);

/* Job: raises token_contested where both are heard. */
int moves_watch(struct gatehoused *g);

#endif
