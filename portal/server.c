/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libmicrohttpd in its external mode: we accept, it parses, both on the one
 * loop. It never listens itself, so that one limit of connections holds for
 * all networks and a guest that opens many cannot keep others out (conns.h).
 *
 * Time: libmicrohttpd's own timeout starts anew with each byte, which a client
 * that sends one a second never meets. So each connection has a deadline from
 * the start of a request to its end, and is cut off there.
 *
 * A connection of `conns` belongs to libmicrohttpd's connection of the same
 * socket: made and freed by its notification.
 */
#include "server.h"

#include <fcntl.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/ip.h"
#include "base/log.h"
#include "base/util.h"
#include "certificate.h"
#include "conns.h"
#include "guard.h"
#include "operation.h"
#include "response.h"
#include "routes.h"
#include "refusals.h"

#define LISTENERS_MAX (4 * (CONFIG_NETWORKS_MAX + 1)) /* and loopback */
#define ACCEPT_BATCH  64
#define RUN_BATCH     8
#define DRAIN_STEP_NS (10 * NSEC_PER_MSEC)
/* When there are no descriptors left. */
#define ACCEPT_PAUSE_NS (200 * NSEC_PER_MSEC)

struct listener {
	struct server *server;
	struct loop_fd watch;
	int fd;
	bool secure;
};

/* A libmicrohttpd daemon: one for plain, one for TLS connections. */
struct engine {
	struct MHD_Daemon *mhd;
	struct loop_fd watch;
};

struct server {
	struct portal *portal;
	struct engine plain, tls;
	int listener_count;
	struct listener listeners[LISTENERS_MAX];
	struct conns *conns;
	struct loop_idle idle;
	struct loop_timer tick, again, resume_accept, drain;
	int64_t draining_ns; /* since when */
	void (*drained)(void *data);
	void *data;
};

/* Connections. */

/* libmicrohttpd sees the end of the stream and closes. */
static void conn_cut(struct server *server, struct conn *conn)
{
	shutdown(conn->endpoint.fd, SHUT_RDWR);
	conns_turn(server->conns, conn, true);
	server->portal->http_work = true;
}

static void on_connection(void *cls, struct MHD_Connection *connection,
	void **socket_context, enum MHD_ConnectionNotificationCode code)
{
	struct server *server = cls;
	const union MHD_ConnectionInfo *fd = MHD_get_connection_info(
		connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	const union MHD_ConnectionInfo *daemon =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_DAEMON);
	struct conn *conn;

	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		conn = *socket_context;
		request_free(conn->request);
		conns_remove(server->conns, conn);
		*socket_context = NULL;
	} else {
		*socket_context = conns_add(server->conns, fd->connect_fd,
			daemon->daemon == server->tls.mhd);
	}
}

static struct conn *conn_of(struct MHD_Connection *connection)
{
	return MHD_get_connection_info(
		connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)
		->socket_context;
}

/* Requests. */

/* The request line is there. What cannot be parsed behind it libmicrohttpd
 * answers itself, and does not tell us when that is over: so the connection
 * knows its request, too. */
static void *on_uri(void *cls, const char *uri, struct MHD_Connection *connection)
{
	struct server *server = cls;
	struct conn *conn = conn_of(connection);

	request_free(conn->request);
	conn->request = request_new(
		server->portal, &conn->endpoint, connection, uri);
	return conn->request;
}

static void note_answer(struct request *req)
{
	char peer[IP_TEXT];

	if (req->status >= 400)
		refusals_note(req->portal->refusals, &req->endpoint->peer,
			req->started_ns);
	/* The route, not the path: what a guest typed may be a secret. */
	log_debug("%s %s %s %d %lld us", ip_format(&req->endpoint->peer, peer),
		req->method == METHOD_POST ? "POST" : "GET",
		req->route ? req->route->path : "-", req->status,
		(long long)(clock_mono_ns() - req->started_ns) / 1000);
}

static enum MHD_Result send_answer(struct request *req)
{
	note_answer(req);
	return MHD_queue_response(
		req->connection, (unsigned int)req->status, req->response);
}

/* Runs the handler; the answer may come later. */
static enum MHD_Result dispatch(
	struct server *server, struct conn *conn, struct request *req)
{
	request_end(req);
	if (guard_body(req) == 0)
		req->route->handler(req);
	if (req->response)
		return send_answer(req);
	if (!req->operation) {
		log_error("%s was not answered", req->route->path);
		return MHD_NO;
	}
	req->suspended = true;
	conns_turn(server->conns, conn, true);
	MHD_suspend_connection(req->connection);
	return MHD_YES;
}

/*
 * libmicrohttpd calls this when the headers are in, for each piece of the
 * body, at its end, and again after a suspended connection was resumed.
 */
static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection,
	const char *url, const char *method, const char *version,
	const char *data, size_t *data_len, void **req_cls)
{
	struct server *server = cls;
	struct conn *conn = conn_of(connection);
	struct request *req = *req_cls;
	enum MHD_Result ret;

	if (!req)
		return MHD_NO;
	if (req->response) {
		conns_turn(server->conns, conn, false);
		return send_answer(req);
	}
	if (!req->begun) {
		request_begin(req, method);
		if (conn->endpoint.proof_used)
			return MHD_NO;
		return guard_headers(req) ? send_answer(req) : MHD_YES;
	}
	if (*data_len) {
		ret = request_add_body(req, data, *data_len) ? MHD_NO : MHD_YES;
		*data_len = 0;
		return ret;
	}
	return dispatch(server, conn, req);
}

static void on_completed(void *cls, struct MHD_Connection *connection,
	void **req_cls, enum MHD_RequestTerminationCode code)
{
	struct server *server = cls;
	struct conn *conn = conn_of(connection);

	*req_cls = NULL;
	if (!conn) /* closed first, and with it the request */
		return;
	request_free(conn->request);
	conn->request = NULL;
	conn->served = true;
	conns_turn(server->conns, conn, false);
}

/* Accepting. */

static void make_room(struct server *server)
{
	struct conn *conn = conns_victim(server->conns);

	if (conn)
		conn_cut(server, conn);
}

static void on_resume_accept(void *data);

static void stop_accept(struct server *server)
{
	int i;

	for (i = 0; i < server->listener_count; i++)
		loop_fd_stop(server->portal->loop, &server->listeners[i].watch);
}

static void pause_accept(struct server *server, int err)
{
	log_warning("cannot accept: %s", strerror(err));
	stop_accept(server);
	loop_timer_start(server->portal->loop, &server->resume_accept,
		ACCEPT_PAUSE_NS, 0, on_resume_accept, server);
}

static void on_acceptable(void *data, int fd, int events)
{
	struct listener *listener = data;
	struct server *server = listener->server;
	struct engine *engine = listener->secure ? &server->tls : &server->plain;
	int i;

	for (i = 0; i < ACCEPT_BATCH; i++) {
		struct sockaddr_storage sa;
		socklen_t len = sizeof(sa);
		int conn = accept4(fd, (struct sockaddr *)&sa, &len,
			SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (conn < 0) {
			if (errno != EAGAIN && errno != ECONNABORTED &&
				errno != EINTR)
				pause_accept(server, errno);
			return;
		}
		if (conns_count(server->conns) >= PORTAL_CONNECTIONS_MAX)
			make_room(server);
		/* Closes `conn` when it refuses: too many of one address. */
		MHD_add_connection(
			engine->mhd, conn, (struct sockaddr *)&sa, len);
		server->portal->http_work = true;
	}
}

static void on_resume_accept(void *data)
{
	struct server *server = data;
	int i;

	for (i = 0; i < server->listener_count; i++)
		loop_fd_start(server->portal->loop, &server->listeners[i].watch,
			server->listeners[i].fd, LOOP_READ, on_acceptable,
			&server->listeners[i]);
}

/* Driving libmicrohttpd. */

static void on_engine(void *data, int fd, int events)
{
	struct server *server = data;

	server->portal->http_work = true;
}

static void on_again(void *data)
{
	struct server *server = data;

	server->portal->http_work = true;
}

/* True when it wants to be called again at once. */
static bool run_engine(struct engine *engine)
{
	MHD_UNSIGNED_LONG_LONG timeout;

	if (!engine->mhd)
		return false;
	MHD_run(engine->mhd);
	return MHD_get_timeout(engine->mhd, &timeout) == MHD_YES && !timeout;
}

/* Once per turn of the loop, however many events there were. */
static void on_idle(void *data)
{
	struct server *server = data;
	int i;

	for (i = 0; server->portal->http_work && i < RUN_BATCH; i++) {
		bool plain, tls;

		server->portal->http_work = false;
		plain = run_engine(&server->plain);
		tls = run_engine(&server->tls);
		if (plain || tls)
			server->portal->http_work = true;
	}
	if (server->portal->http_work)
		loop_timer_start(server->portal->loop, &server->again, 0, 0,
			on_again, server);
}

static void on_tick(void *data)
{
	struct server *server = data;
	int64_t limit = clock_mono_ns() - PORTAL_PATIENCE_NS;
	struct conn *conn;

	while ((conn = conns_late(server->conns, limit)))
		conn_cut(server, conn);
	server->portal->http_work = true;
}

/* libmicrohttpd's own complaints are about what peers sent. */
static void on_log(void *cls, const char *fmt, va_list args)
{
	char text[256];

	vsnprintf(text, sizeof(text), fmt, args);
	text[strcspn(text, "\n")] = '\0';
	log_debug("http: %s", text);
}

static struct MHD_Daemon *start_engine(struct server *server, bool tls)
{
	unsigned int flags = MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET |
			     MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
	struct MHD_OptionItem tls_options[] = {
		{MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (void *)certificate_retrieve},
		{MHD_OPTION_HTTPS_PRIORITIES, 0,
			"NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"},
		{MHD_OPTION_END, 0, NULL}};
	struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};

	/* The log comes first: it is wanted for faults of what follows. */
	return MHD_start_daemon(flags | (tls ? MHD_USE_TLS : 0), 0, NULL, NULL,
		on_request, server, MHD_OPTION_EXTERNAL_LOGGER, on_log, server,
		MHD_OPTION_CONNECTION_LIMIT,
		(unsigned int)PORTAL_CONNECTIONS_MAX + ACCEPT_BATCH,
		MHD_OPTION_PER_IP_CONNECTION_LIMIT,
		(unsigned int)PORTAL_PER_ADDRESS_MAX,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)PORTAL_HEADERS_MAX,
		MHD_OPTION_CONNECTION_TIMEOUT, 0u, MHD_OPTION_STRICT_FOR_CLIENT,
		1, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
		MHD_OPTION_URI_LOG_CALLBACK, on_uri, server,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, server,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,
		MHD_OPTION_ARRAY, tls ? tls_options : none, MHD_OPTION_END);
}

static void watch_engine(struct server *server, struct engine *engine)
{
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(engine->mhd, MHD_DAEMON_INFO_EPOLL_FD);

	loop_fd_start(server->portal->loop, &engine->watch, info->epoll_fd,
		LOOP_READ, on_engine, server);
}

int server_new(struct portal *portal, struct server **ret_server)
{
	struct server *server = xcalloc(1, sizeof(*server));

	server->portal = portal;
	server->conns = conns_new(portal->known);
	server->plain.mhd = start_engine(server, false);
	if (!server->plain.mhd) {
		server_free(server);
		return -ENOMEM;
	}
	if (portal->has_tls)
		server->tls.mhd = start_engine(server, true);
	if (portal->has_tls && !server->tls.mhd) {
		server_free(server);
		return -ENOMEM;
	}
	*ret_server = server;
	return 0;
}

void server_add_listener(struct server *server, int fd, bool secure)
{
	struct listener *listener = &server->listeners[server->listener_count];

	if (server->listener_count == LISTENERS_MAX)
		abort();
	server->listener_count++;
	listener->server = server;
	listener->fd = fd;
	listener->secure = secure;
}

void server_start(struct server *server)
{
	struct loop *loop = server->portal->loop;

	watch_engine(server, &server->plain);
	if (server->tls.mhd)
		watch_engine(server, &server->tls);
	on_resume_accept(server);
	loop_idle_start(loop, &server->idle, on_idle, server);
	loop_timer_start(loop, &server->tick, NSEC_PER_SEC, NSEC_PER_SEC,
		on_tick, server);
}

void server_each_listener(struct server *server, void (*fn)(int fd))
{
	int i;

	for (i = 0; i < server->listener_count; i++)
		fn(server->listeners[i].fd);
}

/* Stopping. */

static void drain_conn(void *data, struct conn *conn)
{
	struct server *server = data;
	int64_t passed = clock_mono_ns() - server->draining_ns;

	if (!conn->request && !conn->busy &&
		(conn->served || passed > PORTAL_DRAIN_QUIET_NS))
		conn_cut(server, conn);
}

static void on_drain(void *data)
{
	struct server *server = data;

	conns_each(server->conns, drain_conn, server);
	if (!conns_count(server->conns) ||
		clock_mono_ns() - server->draining_ns > PORTAL_DRAIN_NS)
		server->drained(server->data);
}

void server_drain(struct server *server, void (*fn)(void *data), void *data)
{
	struct loop *loop = server->portal->loop;

	server->portal->draining = true;
	server->draining_ns = clock_mono_ns();
	server->drained = fn;
	server->data = data;
	loop_timer_stop(loop, &server->resume_accept);
	stop_accept(server);
	loop_timer_start(loop, &server->drain, 0, DRAIN_STEP_NS, on_drain, server);
}

void server_free(struct server *server)
{
	int i;

	if (!server)
		return;
	for (i = 0; i < server->listener_count; i++)
		fd_close(&server->listeners[i].fd);
	if (server->plain.mhd)
		MHD_stop_daemon(server->plain.mhd);
	if (server->tls.mhd)
		MHD_stop_daemon(server->tls.mhd);
	conns_free(server->conns);
	free(server);
}
