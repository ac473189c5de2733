/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Closes descriptors that others had a hand in. The last close of a socket
 * with SO_LINGER, or of a file on FUSE, waits as long as its sender likes: that
 * must not be the loop's time, so a thread of its own does it.
 */
#ifndef DAEMON_CLOSER_H
#define DAEMON_CLOSER_H

struct closer;

#define CLOSER_WAITING 64 /* at most, until they are handed over */

/* A negative errno when there is no thread to be had. The thread gets the
 * capabilities that the caller has now, so give them up first. */
int closer_new(struct closer **ret_closer);
/* What is queued is closed all the same. NULL is fine. */
void closer_free(struct closer *closer);
/* Takes `fd`; a negative one is fine. It is closed soon after closer_flush(), or
 * once CLOSER_WAITING of them were taken. */
void closer_close(struct closer *closer, int fd);
/* At the end of each turn. */
void closer_flush(struct closer *closer);

#endif
