/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The event loop over libev. It owns nothing but the libev loop; watchers are
 * the caller's memory. Each watcher has its own small trampoline because libev
 * hands over its own struct, which is the first thing ours contain.
 * Callbacks must not block: there is one thread.
 */
#include "base/loop.h"

#include "base/util.h"

struct loop {
	struct ev_loop *ev;
};

struct loop *loop_new(void)
{
	struct ev_loop *ev = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
	struct loop *loop;

	if (!ev)
		return NULL;
	loop = xcalloc(1, sizeof(*loop));
	loop->ev = ev;
	return loop;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	ev_loop_destroy(loop->ev);
	free(loop);
}

void loop_run(struct loop *loop)
{
	ev_run(loop->ev, 0);
}

void loop_quit(struct loop *loop)
{
	ev_break(loop->ev, EVBREAK_ALL);
}

static void on_fd(struct ev_loop *ev, ev_io *io, int revents)
{
	struct loop_fd *w = container_of(io, struct loop_fd, io);
	int events = 0;

	if (revents & EV_READ)
		events |= LOOP_READ;
	if (revents & EV_WRITE)
		events |= LOOP_WRITE;
	w->fn(w->data, io->fd, events);
}

void loop_fd_start(struct loop *loop, struct loop_fd *w, int fd, int events,
	void (*fn)(void *data, int fd, int events), void *data)
{
	int ev_events = 0;

	if (events & LOOP_READ)
		ev_events |= EV_READ;
	if (events & LOOP_WRITE)
		ev_events |= EV_WRITE;
	ev_io_stop(loop->ev, &w->io);
	ev_io_init(&w->io, on_fd, fd, ev_events);
	w->fn = fn;
	w->data = data;
	ev_io_start(loop->ev, &w->io);
}

void loop_fd_stop(struct loop *loop, struct loop_fd *w)
{
	ev_io_stop(loop->ev, &w->io);
}

static void on_timer(struct ev_loop *ev, ev_timer *timer, int revents)
{
	struct loop_timer *t = container_of(timer, struct loop_timer, timer);

	t->fn(t->data);
}

void loop_timer_start(struct loop *loop, struct loop_timer *t, int64_t after_ns,
	int64_t repeat_ns, void (*fn)(void *data), void *data)
{
	ev_timer_stop(loop->ev, &t->timer);
	/* The loop's idea of now may be a whole turn old: a deadline is not. */
	ev_now_update(loop->ev);
	ev_timer_init(&t->timer, on_timer, (double)MAX(after_ns, 0) / 1e9,
		(double)repeat_ns / 1e9);
	t->fn = fn;
	t->data = data;
	ev_timer_start(loop->ev, &t->timer);
}

void loop_timer_stop(struct loop *loop, struct loop_timer *t)
{
	ev_timer_stop(loop->ev, &t->timer);
}

static void on_signal(struct ev_loop *ev, ev_signal *signal, int revents)
{
	struct loop_signal *s = container_of(signal, struct loop_signal, signal);

	s->fn(s->data, signal->signum);
}

void loop_signal_start(struct loop *loop, struct loop_signal *s, int signum,
	void (*fn)(void *data, int signum), void *data)
{
	ev_signal_init(&s->signal, on_signal, signum);
	s->fn = fn;
	s->data = data;
	ev_signal_start(loop->ev, &s->signal);
}

static void on_idle(struct ev_loop *ev, ev_prepare *prepare, int revents)
{
	struct loop_idle *i = container_of(prepare, struct loop_idle, prepare);

	i->fn(i->data);
}

void loop_idle_start(struct loop *loop, struct loop_idle *i,
	void (*fn)(void *data), void *data)
{
	ev_prepare_init(&i->prepare, on_idle);
	i->fn = fn;
	i->data = data;
	ev_prepare_start(loop->ev, &i->prepare);
}
