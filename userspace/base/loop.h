/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The event loop: a thin edge over libev, one loop per process. Callbacks run
 * on the loop's thread and must not block. Handles belong to the caller
 * (embedded in its structs) and must stay where they are while started.
 */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include <ev.h>

struct loop;

enum { LOOP_READ = 1, LOOP_WRITE = 2 };

struct loop_fd {
	ev_io io;
	void (*fn)(void *data, int fd, int events);
	void *data;
};
struct loop_timer {
	ev_timer timer;
	void (*fn)(void *data);
	void *data;
};
struct loop_signal {
	ev_signal signal;
	void (*fn)(void *data, int signum);
	void *data;
};
/* Runs once per turn, after all ready events and before the loop sleeps. */
struct loop_idle {
	ev_prepare prepare;
	void (*fn)(void *data);
	void *data;
};

struct loop *loop_new(void);
void loop_free(struct loop *loop);
void loop_run(struct loop *loop);
/* Makes loop_run() return after the current turn. */
void loop_quit(struct loop *loop);

void loop_fd_start(struct loop *loop, struct loop_fd *w, int fd, int events,
	void (*fn)(void *data, int fd, int events), void *data);
void loop_fd_stop(struct loop *loop, struct loop_fd *w);
/* `repeat_ns` 0: once. Starting a started timer sets it anew. */
void loop_timer_start(struct loop *loop, struct loop_timer *t, int64_t after_ns,
	int64_t repeat_ns, void (*fn)(void *data), void *data);
void loop_timer_stop(struct loop *loop, struct loop_timer *t);
void loop_signal_start(struct loop *loop, struct loop_signal *s, int signum,
	void (*fn)(void *data, int signum), void *data);
void loop_idle_start(struct loop *loop, struct loop_idle *i,
	void (*fn)(void *data), void *data);

#endif
