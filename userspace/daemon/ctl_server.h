/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's end of the control socket: connections, frames, descriptors,
 * limits. It knows no operation and trusts nothing that a peer sends.
 */
#ifndef DAEMON_CTL_SERVER_H
#define DAEMON_CTL_SERVER_H

#include <sys/types.h>

#include "base/json.h"
#include "base/loop.h"
#include "gatehouse/ctl.h"

#define CTL_PEERS_MAX     256 /* connections */
#define CTL_PEERS_PER_UID 64  /* of one user, root excepted */
#define CTL_REPLIES_MAX   256 /* waiting to be read by one peer */
#define CTL_EVENTS_MAX    128 /* the same, and no event is added: half */
#define CTL_BACKLOG_MAX   16384 /* the same, of events that are to be kept */
#define CTL_FRAMES_TURN   64  /* taken from one peer before others get theirs */

struct ctl_server;

/* One frame as it came. Borrowed for the time of the call. */
struct ctl_frame {
	const char *text; /* `len` bytes, not terminated */
	size_t len;
	uid_t uid; /* of the peer, when it connected */
	pid_t pid; /* of that time: for people only */
	int fd;    /* the attached descriptor, or -1 */
};

/* Returns the reply, which ctl_server_flush() sends; NULL only after
 * ctl_server_defer(). */
typedef json_t *ctl_frame_fn(void *data, const struct ctl_frame *frame);

/* Does somebody answer at `path`? */
bool ctl_server_answers(const char *path);
/*
 * Listens at `path` (mode 0660, group `group` when that exists). The directory
 * is made when it is missing. 0, or the errno of what failed.
 */
int ctl_server_new(struct loop *loop, const char *path, const char *group,
	ctl_frame_fn *fn, void *data, struct ctl_server **ret_server);
/* Begins to accept, with the privileges that the process has from now on; what
 * connected before waits. 0 or a negative errno. */
int ctl_server_start(struct ctl_server *server);
/* Closes every connection; the socket's name is removed. NULL is fine. */
void ctl_server_free(struct ctl_server *server);

/* The process of that user which connected last and still is; 0: none. */
pid_t ctl_server_process_of(const struct ctl_server *server, uid_t uid);

/* From a handler that returns NULL: what to name with the reply, which comes
 * in a later turn. Replies behind it wait for it. */
uint64_t ctl_server_defer(struct ctl_server *server);
/* Takes `reply`. Whoever asked may be gone. */
void ctl_server_answer(struct ctl_server *server, uint64_t ticket, json_t *reply);
/* From a handler: the peer that asks gets every event from here on. */
void ctl_server_subscribe(struct ctl_server *server);
/* Is there anybody to tell? */
bool ctl_server_has_subscribers(const struct ctl_server *server);
/* Takes `event`, an object with a field "event"; sent by ctl_server_flush(). A
 * peer that has `room` (CTL_EVENTS_MAX, CTL_BACKLOG_MAX) to read already loses it,
 * and is told how many it lost. */
void ctl_server_publish(struct ctl_server *server, json_t *event, int room);

/* Replies made since the last flush are not known to their peers yet. This
 * replaces them all: what they promised did not happen. */
void ctl_server_revoke(struct ctl_server *server, json_t *(*make)(void));
/* Sends every reply made so far. */
void ctl_server_flush(struct ctl_server *server);

#endif
