/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The caller's side of the control socket. It composes and takes apart frames
 * and knows no operation. The socket is SOCK_SEQPACKET: one packet is one
 * message, so nothing is buffered on the way in.
 *
 * The asynchronous client keeps its requests in the order sent, because that
 * is the order of the replies. A request that was given up stays in the list
 * until its reply came, or every later reply would go to the wrong caller.
 */
#include "ctl/ctl_client.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/util.h"

static const struct ctl_code_row codes[] = {
#define ROW(name, http, exit) {#name, http, exit},
	CTL_CODES(ROW)
#undef ROW
};

static const struct ctl_code_row *code_row(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(codes); i++)
		if (name && !strcmp(codes[i].name, name))
			return &codes[i];
	return NULL;
}

const struct ctl_code_row *ctl_code_lookup(const char *name)
{
	const struct ctl_code_row *row = code_row(name);

	return row ? row : code_row("internal");
}

const struct ctl_code_row *ctl_reply_code(const json_t *reply)
{
	if (json_is_true(json_object_get(reply, "success")))
		return NULL;
	return ctl_code_lookup(
		json_string_value(json_object_get(reply, "code")));
}

/* `timeout_ms` 0: do not block. */
static int connect_to(const char *path, int timeout_ms, int *ret_fd)
{
	struct timeval timeout = {timeout_ms / 1000, timeout_ms % 1000 * 1000};
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	_cleanup_fd_ int fd = -1;

	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	memcpy(addr.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX,
		SOCK_SEQPACKET | SOCK_CLOEXEC | (timeout_ms ? 0 : SOCK_NONBLOCK),
		0);
	if (fd < 0)
		return -errno;
	/* Holds for connect() and sendmsg() of a blocking socket. */
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	/* EAGAIN: the daemon is there but does not keep up. */
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		return errno == EAGAIN ? -EBUSY : -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int compose(const char *op, const json_t *args, const char *token,
	char **ret_text)
{
	_cleanup_json_ json_t *request = json_object();
	_cleanup_free_ char *text = NULL;

	json_object_set_new(request, "op", json_string(op));
	if (args)
		json_object_set(request, "args", (json_t *)args);
	if (token)
		json_object_set_new(request, "token", json_string(token));
	text = json_dumps(request, JSON_COMPACT);
	if (!text)
		return -EINVAL;
	if (strlen(text) > CTL_FRAME_MAX)
		return -EMSGSIZE;
	*ret_text = TAKE_PTR(text);
	return 0;
}

static int send_frame(int sock, const char *text, int fd, int flags)
{
	char control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec iov = {(char *)text, strlen(text)};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	if (fd >= 0) {
		struct cmsghdr *cmsg;

		msg.msg_control = control;
		msg.msg_controllen = sizeof(control);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	}
	if (sendmsg(sock, &msg, flags | MSG_NOSIGNAL) < 0)
		return errno == EPIPE ? -ECONNRESET : -errno;
	return 0;
}

static int receive_frame(int sock, int flags, json_t **ret_reply)
{
	_cleanup_free_ char *buf = malloc(CTL_FRAME_MAX);
	ssize_t len;

	if (!buf)
		return -ENOMEM;
	len = recv(sock, buf, CTL_FRAME_MAX, flags);
	if (len < 0)
		return -errno;
	if (len == 0)
		return -ECONNRESET;
	return json_parse_object(buf, (size_t)len, ret_reply);
}

/* One request and its reply on a new connection. */
static int ask(const char *path, const char *op, const json_t *args, int fd,
	int timeout_ms, int *ret_sock, json_t **ret_reply)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_fd_ int sock = -1;
	struct pollfd pfd;
	int ret;

	ret = compose(op, args, NULL, &text);
	if (ret)
		return ret;
	ret = connect_to(path, timeout_ms, &sock);
	if (ret)
		return ret;
	ret = send_frame(sock, text, fd, 0);
	if (ret)
		return ret;
	pfd = (struct pollfd){.fd = sock, .events = POLLIN};
	do
		ret = poll(&pfd, 1, timeout_ms);
	while (ret < 0 && errno == EINTR);
	if (ret <= 0)
		return ret ? -errno : -ETIMEDOUT;
	ret = receive_frame(sock, 0, ret_reply);
	if (!ret)
		*ret_sock = TAKE_FD(sock);
	return ret;
}

int ctl_call(const char *path, const char *op, const json_t *args, int fd,
	int timeout_ms, json_t **ret_reply)
{
	_cleanup_fd_ int sock = -1;

	return ask(path, op, args, fd, timeout_ms, &sock, ret_reply);
}

int ctl_watch(const char *path, const char *op, const json_t *args,
	int timeout_ms, int (*fn)(void *data, const json_t *event), void *data,
	json_t **ret_reply)
{
	_cleanup_json_ json_t *reply = NULL;
	_cleanup_fd_ int sock = -1;
	int ret = ask(path, op, args, -1, timeout_ms, &sock, &reply);

	if (!ret && ctl_reply_code(reply)) {
		*ret_reply = TAKE_PTR(reply);
		return 0;
	}
	while (!ret) {
		_cleanup_json_ json_t *event = NULL;

		ret = receive_frame(sock, 0, &event);
		if (!ret)
			ret = fn(data, event);
		else if (ret == -EINTR)
			ret = 0;
	}
	return ret;
}

/* One request of the asynchronous client. */
struct pending {
	struct pending *next;
	uint64_t id;
	int64_t deadline_ns;
	ctl_reply_fn *fn; /* NULL: nobody waits any more */
	void *data;
	char *text; /* until it is sent */
	int fd;     /* ours while `text` is set, else -1 */
};

struct ctl_client {
	struct loop *loop;
	char *path;
	int64_t timeout_ns;
	int sock; /* -1: not connected */
	uint64_t last_id;
	int count;
	struct pending *first, **last;
	struct loop_fd readable, writable;
	struct loop_timer timer; /* runs while somebody waits */
	bool timing;
};

static void pending_free(struct pending *p)
{
	free(p->text);
	fd_close(&p->fd);
	free(p);
}

struct ctl_client *ctl_client_new(
	struct loop *loop, const char *path, int64_t timeout_ns)
{
	struct ctl_client *client = xcalloc(1, sizeof(*client));

	client->loop = loop;
	client->path = xstrdup(path);
	client->timeout_ns = timeout_ns;
	client->sock = -1;
	client->last = &client->first;
	return client;
}

static struct pending *pop(struct ctl_client *client)
{
	struct pending *p = client->first;

	client->first = p->next;
	if (!client->first)
		client->last = &client->first;
	client->count--;
	return p;
}

static void answer(struct pending *p, int err, const json_t *reply)
{
	ctl_reply_fn *fn = TAKE_PTR(p->fn);

	if (fn)
		fn(p->data, err, reply);
}

static void disconnect(struct ctl_client *client)
{
	if (client->sock < 0)
		return;
	loop_fd_stop(client->loop, &client->readable);
	loop_fd_stop(client->loop, &client->writable);
	fd_close(&client->sock);
}

void ctl_client_free(struct ctl_client *client)
{
	if (!client)
		return;
	disconnect(client);
	if (client->timing)
		loop_timer_stop(client->loop, &client->timer);
	while (client->first)
		pending_free(pop(client));
	free(client->path);
	free(client);
}

/* The connection is over: everybody who waits learns it. The list is taken
 * first, because a callback may send anew. */
static void fail_all(struct ctl_client *client, int err)
{
	struct pending *list = client->first, *next;

	disconnect(client);
	client->first = NULL;
	client->last = &client->first;
	client->count = 0;
	for (; list; list = next) {
		next = list->next;
		answer(list, err, NULL);
		pending_free(list);
	}
}

static void on_readable(void *data, int fd, int events)
{
	struct ctl_client *client = data;

	while (client->sock == fd) {
		_cleanup_json_ json_t *reply = NULL;
		struct pending *p;
		int ret = receive_frame(fd, MSG_DONTWAIT, &reply);

		if (ret == -EAGAIN || ret == -EINTR)
			return;
		/* A reply that nobody asked for: we lost count. */
		if (ret || !client->first || client->first->text) {
			fail_all(client, ret ? ret : -EBADMSG);
			return;
		}
		p = pop(client);
		answer(p, 0, reply);
		pending_free(p);
	}
}

/* Sends what waits for room in the socket. */
static void on_writable(void *data, int fd, int events)
{
	struct ctl_client *client = data;
	struct pending *p;
	int ret;

	for (p = client->first; p; p = p->next) {
		if (!p->text)
			continue;
		ret = send_frame(fd, p->text, p->fd, MSG_DONTWAIT);
		if (ret == -EAGAIN)
			return;
		if (ret) {
			fail_all(client, ret);
			return;
		}
		free(TAKE_PTR(p->text));
		fd_close(&p->fd);
	}
	loop_fd_stop(client->loop, &client->writable);
}

static void on_timer(void *data)
{
	struct ctl_client *client = data;
	int64_t now = clock_mono_ns();
	struct pending *p = client->first;

	/* All wait equally long, so the first ones are the oldest. A callback
	 * may change the list: start anew after each. */
	while (p) {
		if (p->fn && now >= p->deadline_ns) {
			answer(p, -ETIMEDOUT, NULL);
			p = client->first;
			continue;
		}
		p = p->next;
	}
	if (!client->first) {
		loop_timer_stop(client->loop, &client->timer);
		client->timing = false;
	}
}

static int ensure_connected(struct ctl_client *client)
{
	int ret;

	if (client->sock >= 0)
		return 0;
	ret = connect_to(client->path, 0, &client->sock);
	if (ret)
		return ret;
	loop_fd_start(client->loop, &client->readable, client->sock, LOOP_READ,
		on_readable, client);
	return 0;
}

/* Sends, unless there is no room or others already wait for it. */
static int send_now(
	struct ctl_client *client, const char *text, int fd, bool *ret_wait)
{
	struct pending *newest =
		client->first ? container_of(client->last, struct pending, next)
			      : NULL;
	int ret = newest && newest->text
			  ? -EAGAIN
			  : send_frame(client->sock, text, fd, MSG_DONTWAIT);

	if (ret && ret != -EAGAIN)
		return ret;
	*ret_wait = ret == -EAGAIN;
	return 0;
}

static void start_timer(struct ctl_client *client)
{
	int64_t step = MAX(client->timeout_ns / 8, NSEC_PER_MSEC);

	if (client->timing)
		return;
	client->timing = true;
	loop_timer_start(client->loop, &client->timer, step, step, on_timer,
		client);
}

int ctl_client_send(struct ctl_client *client, const char *op,
	const json_t *args, const struct ctl_proof *proof, ctl_reply_fn *fn,
	void *data, uint64_t *ret_id)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_fd_ int copy = -1;
	struct pending *p;
	bool wait = false;
	int fd = proof->fd, ret;

	if (client->count >= CTL_CLIENT_PENDING_MAX)
		return -EBUSY;
	ret = compose(op, args, proof->token, &text);
	if (ret)
		return ret;
	ret = ensure_connected(client);
	if (ret)
		return ret;
	ret = send_now(client, text, fd, &wait);
	if (ret == -ECONNRESET && !client->first) {
		/* The daemon was restarted since the last request. */
		disconnect(client);
		ret = ensure_connected(client);
		if (!ret)
			ret = send_now(client, text, fd, &wait);
	}
	if (ret)
		return ret;
	if (wait && fd >= 0) {
		copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		if (copy < 0)
			return -errno;
	}
	/* The caller's descriptor may be gone when it is our turn, hence the
	 * copy above. */
	p = xcalloc(1, sizeof(*p));
	p->id = ++client->last_id;
	p->deadline_ns = clock_mono_ns() + client->timeout_ns;
	p->fn = fn;
	p->data = data;
	p->text = wait ? TAKE_PTR(text) : NULL;
	p->fd = TAKE_FD(copy);
	*client->last = p;
	client->last = &p->next;
	client->count++;
	start_timer(client);
	if (wait)
		loop_fd_start(client->loop, &client->writable, client->sock,
			LOOP_WRITE, on_writable, client);
	if (ret_id)
		*ret_id = p->id;
	return 0;
}

void ctl_client_cancel(struct ctl_client *client, uint64_t id)
{
	struct pending *p;

	for (p = client->first; p; p = p->next)
		if (p->id == id)
			p->fn = NULL;
}
