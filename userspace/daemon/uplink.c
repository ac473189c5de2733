/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way to the internet. A look asks the kernel for a route, which sends nothing,
 * and begins a TCP connection to each address that the operator named; the next
 * look judges them. An address that refuses has been reached as well. One answer is
 * enough; two looks without any are needed to say that it is gone.
 */
#include "daemon/uplink.h"

#include <poll.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "daemon/alarms.h"

#define LOOKS_TO_BE_DOWN 2

struct uplink {
	int fds[CONFIG_UPLINKS_MAX];
	int count;
	bool is_known, is_up;
	int misses; /* looks without an answer, one after another */
};

/* A socket that is connected to there, or about to be; -1: there is no way. */
static int connect_to(const struct ipaddr *addr, int port, int type)
{
	struct sockaddr_storage sa;
	socklen_t len = ip_to_sockaddr(addr, port, &sa);
	int fd = socket(sa.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&sa, len) &&
		errno != EINPROGRESS)
		fd_close(&fd);
	return fd;
}

/* Of addresses that anybody may use: the one of documentation would do, but some
 * have it routed. */
static bool has_route(void)
{
	static const char *const anywhere[] = {"1.1.1.1", "2606:4700:4700::1111"};
	struct ipaddr addr;
	size_t i;
	int fd;

	for (i = 0; i < ARRAY_SIZE(anywhere); i++) {
		if (ip_parse(anywhere[i], &addr))
			continue;
		/* Of UDP this is a look into the table of routes, no packet. */
		fd = connect_to(&addr, 53, SOCK_DGRAM);
		if (fd >= 0) {
			fd_close(&fd);
			return true;
		}
	}
	return false;
}

static bool has_answered(int fd)
{
	struct pollfd ready = {.fd = fd, .events = POLLOUT};
	int err = 0;
	socklen_t len = sizeof(err);

	if (poll(&ready, 1, 0) != 1 || !ready.revents ||
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len))
		return false;
	return !err || err == ECONNREFUSED;
}

/* What came of the last look; true: somebody answered. Ends it. */
static bool judge(struct uplink *uplink)
{
	bool answered = false;
	int i;

	for (i = 0; i < uplink->count; i++) {
		answered |= has_answered(uplink->fds[i]);
		fd_close(&uplink->fds[i]);
	}
	uplink->count = 0;
	return answered;
}

static void begin(struct uplink *uplink, const struct config *config)
{
	int i, fd;

	for (i = 0; i < config->uplink_count; i++) {
		fd = connect_to(&config->uplinks[i].addr,
			config->uplinks[i].port, SOCK_STREAM);
		if (fd >= 0)
			uplink->fds[uplink->count++] = fd;
	}
}

static void say(struct gatehoused *g, bool is_up)
{
	struct uplink *uplink = g->uplink;

	if (uplink->is_known && uplink->is_up == is_up)
		return;
	if (!is_up)
		alarms_raise(g->alarms, "uplink_down", SEVERITY_HIGH, NULL, NULL,
			0, "the internet is not to be reached from here");
	else if (uplink->is_known)
		log_info("the internet is to be reached again");
	uplink->is_known = true;
	uplink->is_up = is_up;
}

int uplink_look(struct gatehoused *g)
{
	struct uplink *uplink = g->uplink;
	bool was_asked, is_up;

	if (!uplink)
		uplink = g->uplink = xcalloc(1, sizeof(*uplink));
	was_asked = uplink->count > 0;
	is_up = judge(uplink);
	begin(uplink, &g->config);
	/* Without addresses the route is all that is known. */
	if (!g->config.uplink_count)
		is_up = has_route();
	else if (!was_asked && uplink->count)
		return 0; /* the first look */
	uplink->misses = is_up ? 0 : uplink->misses + 1;
	if (is_up || uplink->misses >= LOOKS_TO_BE_DOWN)
		say(g, is_up);
	return 0;
}

void uplink_free(struct uplink *uplink)
{
	if (!uplink)
		return;
	judge(uplink);
	free(uplink);
}

json_t *uplink_json(const struct gatehoused *g)
{
	if (!g->uplink || !g->uplink->is_known)
		return json_null();
	return json_boolean(g->uplink->is_up);
}
