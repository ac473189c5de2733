/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A holder is an address with its connections. Holders of one class with the
 * same number are in one list, in the order in which they came to that number;
 * the numbers are few (PORTAL_PER_ADDRESS_MAX), so the longest list that is not
 * empty is soon found. Whether a holder is known is asked when it gets or loses
 * a connection.
 */
#include "conns.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include "address.h"
#include "base/clock.h"
#include "base/ip.h"
#include "base/util.h"

#define ROWS	    1024 /* a power of 2 */
#define LEVELS	    (PORTAL_PER_ADDRESS_MAX + 1)
/* What the known may hold while strangers have to go for them. */
#define KNOWN_SHARE (PORTAL_CONNECTIONS_MAX * 3 / 4)

enum class { STRANGER, KNOWN, CLASSES };

TAILQ_HEAD(conn_list, conn);
TAILQ_HEAD(holder_list, holder);

struct holder {
	struct ipaddr addr;
	int count;
	enum class class;
	struct conn_list conns;
	TAILQ_ENTRY(holder) in_row, in_level;
};

struct conns {
	const struct known *known;
	struct conn_list all;
	int count, of_class[CLASSES];
	struct holder_list rows[ROWS], levels[CLASSES][LEVELS];
};

struct conns *conns_new(const struct known *known)
{
	struct conns *conns = xcalloc(1, sizeof(*conns));
	int i, class;

	conns->known = known;
	TAILQ_INIT(&conns->all);
	for (i = 0; i < ROWS; i++)
		TAILQ_INIT(&conns->rows[i]);
	for (class = 0; class < CLASSES; class++)
		for (i = 0; i < LEVELS; i++)
			TAILQ_INIT(&conns->levels[class][i]);
	return conns;
}

void conns_free(struct conns *conns)
{
	free(conns);
}

/* Holders. */

static struct holder_list *row_of(struct conns *conns, const struct ipaddr *addr)
{
	return &conns->rows[address_hash(addr) & (ROWS - 1)];
}

static struct holder *holder_of(struct conns *conns, const struct ipaddr *addr)
{
	struct holder_list *row = row_of(conns, addr);
	struct holder *holder;

	TAILQ_FOREACH(holder, row, in_row)
		if (ip_equal(&holder->addr, addr))
			return holder;
	holder = xcalloc(1, sizeof(*holder));
	holder->addr = *addr;
	TAILQ_INIT(&holder->conns);
	TAILQ_INSERT_TAIL(row, holder, in_row);
	return holder;
}

static struct holder_list *level_of(struct conns *conns, struct holder *holder)
{
	return &conns->levels[holder->class][MIN(holder->count, LEVELS - 1)];
}

/* One connection more or less; frees a holder of none. */
static void change(struct conns *conns, struct holder *holder, int by)
{
	if (holder->count) {
		TAILQ_REMOVE(level_of(conns, holder), holder, in_level);
		conns->of_class[holder->class] -= holder->count;
	}
	conns->count += by;
	holder->count += by;
	if (!holder->count) {
		TAILQ_REMOVE(row_of(conns, &holder->addr), holder, in_row);
		free(holder);
		return;
	}
	holder->class = known_is(conns->known, &holder->addr, clock_mono_ns())
				? KNOWN
				: STRANGER;
	conns->of_class[holder->class] += holder->count;
	TAILQ_INSERT_TAIL(level_of(conns, holder), holder, in_level);
}

/* Connections. */

struct conn *conns_add(struct conns *conns, int fd, bool secure)
{
	struct conn *conn = xcalloc(1, sizeof(*conn));
	struct sockaddr_storage sa = {0};
	socklen_t len = sizeof(sa);

	conn->endpoint.fd = fd;
	conn->endpoint.secure = secure;
	if (getpeername(fd, (struct sockaddr *)&sa, &len) == 0)
		ip_from_sockaddr(&sa, &conn->endpoint.peer);
	len = sizeof(sa);
	if (getsockname(fd, (struct sockaddr *)&sa, &len) == 0)
		ip_from_sockaddr(&sa, &conn->endpoint.local);
	conn->since_ns = clock_mono_ns();
	conn->holder = holder_of(conns, &conn->endpoint.peer);
	TAILQ_INSERT_TAIL(&conns->all, conn, in_all);
	TAILQ_INSERT_TAIL(&conn->holder->conns, conn, in_holder);
	change(conns, conn->holder, 1);
	return conn;
}

void conns_remove(struct conns *conns, struct conn *conn)
{
	TAILQ_REMOVE(&conns->all, conn, in_all);
	TAILQ_REMOVE(&conn->holder->conns, conn, in_holder);
	change(conns, conn->holder, -1);
	free(conn);
}

void conns_turn(struct conns *conns, struct conn *conn, bool busy)
{
	conn->since_ns = clock_mono_ns();
	conn->busy = busy;
	TAILQ_REMOVE(&conns->all, conn, in_all);
	TAILQ_INSERT_TAIL(&conns->all, conn, in_all);
	TAILQ_REMOVE(&conn->holder->conns, conn, in_holder);
	TAILQ_INSERT_TAIL(&conn->holder->conns, conn, in_holder);
}

int conns_count(const struct conns *conns)
{
	return conns->count;
}

static struct conn *heaviest(struct conns *conns, enum class class)
{
	struct holder *holder;
	struct conn *conn;
	int level;

	for (level = LEVELS - 1; level > 0; level--)
		TAILQ_FOREACH(holder, &conns->levels[class][level], in_level)
			TAILQ_FOREACH(conn, &holder->conns, in_holder)
				if (!conn->busy)
					return conn;
	return NULL;
}

struct conn *conns_victim(struct conns *conns)
{
	enum class first = conns->of_class[KNOWN] > KNOWN_SHARE ? KNOWN : STRANGER;
	struct conn *conn = heaviest(conns, first);

	return conn ?: heaviest(conns, first == KNOWN ? STRANGER : KNOWN);
}

struct conn *conns_late(struct conns *conns, int64_t limit_ns)
{
	struct conn *conn;

	TAILQ_FOREACH(conn, &conns->all, in_all) {
		if (conn->since_ns >= limit_ns)
			return NULL;
		if (!conn->busy)
			return conn;
	}
	return NULL;
}

void conns_each(struct conns *conns, void (*fn)(void *data, struct conn *conn),
	void *data)
{
	struct conn *conn = TAILQ_FIRST(&conns->all), *next;
	int left = conns->count;

	/* A turn that begins puts it to the end. */
	for (; left > 0; left--, conn = next) {
		next = TAILQ_NEXT(conn, in_all);
		fn(data, conn);
	}
}
