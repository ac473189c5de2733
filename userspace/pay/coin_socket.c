/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program that has a coin acceptor, at a Unix socket: lines of JSON both
 * ways. It says {"pulses":1,"seq":17}, and is told {"seq":17,"counted":true}
 * once that is on disk; until then it says it again, and by its number it
 * counts once. It is told when to take coins: {"inhibit":false,"lock":17}.
 *
 * Who connects is known from the kernel: the slot's user, or root; never the
 * portal's. There is one at a time, the newest.
 */
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/util.h"
#include "pay/backend.h"

#define LINE_MAX_BYTES 512
#define PULSES_MAX     100
#define AGE_MAX_MS     600000

struct coin_socket {
	int fd;   /* listens */
	int peer; /* -1: nobody is there */
	struct loop_fd listen_watch, peer_watch;
	size_t len;
	char buf[LINE_MAX_BYTES];
};

static void drop_peer(struct acceptor *acceptor)
{
	struct coin_socket *s = acceptor->own;

	if (s->peer < 0)
		return;
	loop_fd_stop(acceptor->loop, &s->peer_watch);
	fd_close(&s->peer);
	s->len = 0;
}

/* Takes `object`. Who does not read what he is told is not there. */
static void tell(struct acceptor *acceptor, json_t *object)
{
	struct coin_socket *s = acceptor->own;
	_cleanup_free_ char *text = json_dumps(object, JSON_COMPACT);
	char line[LINE_MAX_BYTES];
	int len = snprintf(line, sizeof(line), "%s\n", text ? text : "{}");

	json_decref(object);
	if (s->peer >= 0 &&
		send(s->peer, line, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL) !=
			len)
		drop_peer(acceptor);
}

static json_t *state_json(const struct acceptor *acceptor)
{
	const struct acceptor_state *state = &acceptor->state;
	json_t *object = json_object();

	json_object_set_new(object, "inhibit", json_boolean(state->inhibit));
	json_object_set_new(object, "lock",
		state->lock ? json_integer(state->lock) : json_null());
	json_object_set_new(object, "seconds", json_integer(state->seconds));
	return object;
}

static void show(struct acceptor *acceptor)
{
	tell(acceptor, state_json(acceptor));
}

/* The first line: what it is connected to, and where it left off. */
static void greet(struct acceptor *acceptor)
{
	json_t *object = state_json(acceptor);
	int64_t seq = acceptor->handlers.last_seq(acceptor->handlers.data);

	json_object_set_new(object, "slot", json_string(acceptor->coin->name));
	json_object_set_new(object, "valueMinor",
		json_integer(acceptor->coin->value_minor));
	json_object_set_new(object, "seq",
		seq == UNLIMITED ? json_null() : json_integer(seq));
	tell(acceptor, object);
}

struct report {
	int64_t pulses, seq, age_ms;
	bool pulses_set, seq_set, age_set;
};

static const struct json_arg report_rows[] = {
	{"pulses", JSON_ARG_INT, false, offsetof(struct report, pulses), 1,
		PULSES_MAX, offsetof(struct report, pulses_set)},
	{"seq", JSON_ARG_INT, false, offsetof(struct report, seq), 0,
		INT64_MAX - 1, offsetof(struct report, seq_set)},
	{"ageMs", JSON_ARG_INT, false, offsetof(struct report, age_ms), 0,
		AGE_MAX_MS, offsetof(struct report, age_set)},
	{},
};

/* 0, or the connection is over. */
static int take_report(struct acceptor *acceptor, const struct report *report)
{
	int64_t now = clock_mono_ns(), n = report->pulses_set ? report->pulses : 1;
	const struct acceptor_pulse pulse = {
		.at_ns = now - report->age_ms * NSEC_PER_MSEC,
		.amount_minor = n * acceptor->coin->value_minor,
		.seq = report->seq_set ? report->seq : UNLIMITED,
	};
	bool is_new = false;
	json_t *answer;
	int ret;

	ret = acceptor->handlers.pulse(acceptor->handlers.data, &pulse, &is_new);
	if (ret)
		return ret;
	answer = json_object();
	if (report->seq_set)
		json_object_set_new(answer, "seq", json_integer(report->seq));
	json_object_set_new(answer, "counted", json_true());
	if (!is_new)
		json_object_set_new(answer, "again", json_true());
	tell(acceptor, answer);
	return 0;
}

static int take_line(struct acceptor *acceptor, const char *line, size_t len)
{
	_cleanup_json_ json_t *object = NULL;
	struct report report = {0};
	char err[160] = "A report is one JSON object on a line.";

	if (!len)
		return 0;
	if (json_parse_object(line, len, &object) ||
		json_args(object, report_rows, &report, err, sizeof(err))) {
		tell(acceptor, json_pack("{s:s}", "error", err));
		return 0;
	}
	if (!pulse_has_room(&acceptor->meter, clock_mono_ns())) {
		acceptor->handlers.noise(acceptor->handlers.data,
			"more pulses in a second than pulses_per_second");
		/* Not taken: it may come again, later. */
		return -EBUSY;
	}
	return take_report(acceptor, &report);
}

/* Whole lines of what has come; the rest waits. */
static int take_lines(struct acceptor *acceptor)
{
	struct coin_socket *s = acceptor->own;
	char *end;
	int ret = 0;

	while (!ret && s->peer >= 0 &&
		(end = memchr(s->buf, '\n', s->len)) != NULL) {
		size_t len = (size_t)(end - s->buf);

		ret = take_line(acceptor, s->buf, len);
		/* It may have been dropped meanwhile. */
		if (s->len <= len)
			break;
		s->len -= len + 1;
		memmove(s->buf, end + 1, s->len);
	}
	if (!ret && s->len == sizeof(s->buf))
		ret = -E2BIG;
	return ret;
}

static void on_peer(void *data, int fd, int events)
{
	struct acceptor *acceptor = data;
	struct coin_socket *s = acceptor->own;
	ssize_t n = recv(fd, s->buf + s->len, sizeof(s->buf) - s->len,
		MSG_DONTWAIT);
	int ret;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		log_info("coin slot %s: its acceptor has gone",
			acceptor->coin->name);
		drop_peer(acceptor);
		return;
	}
	s->len += (size_t)n;
	ret = take_lines(acceptor);
	if (!ret)
		return;
	/* What was not acknowledged it tells again. */
	log_warning("coin slot %s: its acceptor is dropped: %s",
		acceptor->coin->name,
		ret == -EBUSY	? "more pulses in a second than may be"
		: ret == -E2BIG ? "a line without an end"
				: strerror(-ret));
	drop_peer(acceptor);
}

/* Looked up each time: users come and go. */
static bool may_connect(const struct acceptor *acceptor, uid_t uid)
{
	const char *user = acceptor->coin->user;
	const struct passwd *pw = user[0] ? getpwnam(user) : NULL;

	if (uid == 0)
		return true;
	if (uid == acceptor->portal_uid)
		return false;
	return !user[0] || (pw && pw->pw_uid == uid);
}

static void on_connect(void *data, int fd, int events)
{
	struct acceptor *acceptor = data;
	struct coin_socket *s = acceptor->own;
	struct ucred cred;
	socklen_t len = sizeof(cred);
	_cleanup_fd_ int peer =
		accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (peer < 0 || getsockopt(peer, SOL_SOCKET, SO_PEERCRED, &cred, &len))
		return;
	if (!may_connect(acceptor, cred.uid)) {
		log_warning("coin slot %s: uid %u may not be its acceptor",
			acceptor->coin->name, (unsigned int)cred.uid);
		return;
	}
	drop_peer(acceptor);
	s->peer = TAKE_FD(peer);
	loop_fd_start(acceptor->loop, &s->peer_watch, s->peer, LOOP_READ,
		on_peer, acceptor);
	log_info("coin slot %s: its acceptor is there (uid %u)",
		acceptor->coin->name, (unsigned int)cred.uid);
	greet(acceptor);
}

/* In a directory that hands its group on (packaging/gatehouse.tmpfiles) it has
 * it already: then no power over owners is needed, which the daemon may lack.
 * `name` is the one by which people know it. */
static int give_to_group(const char *path, const char *name)
{
	const struct group *gr = getgrnam(CONFIG_COIN_GROUP);
	struct stat st;

	if (!gr)
		log_warning("no group %s: only root can connect to %s",
			CONFIG_COIN_GROUP, name);
	if (gr && !stat(path, &st) && st.st_gid != gr->gr_gid &&
		chown(path, 0, gr->gr_gid))
		return -errno;
	return chmod(path, 0660) ? -errno : 0;
}

/* Made ready under another name, then renamed. */
static int listen_at(const char *path, int *ret_fd)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	_cleanup_fd_ int fd = -1;
	int ret;

	if (snprintf(addr.sun_path, sizeof(addr.sun_path), "%s.new", path) >=
		(int)sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	unlink(addr.sun_path);
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)))
		return -errno;
	ret = give_to_group(addr.sun_path, path);
	if (ret)
		return ret;
	if (listen(fd, 4) || rename(addr.sun_path, path))
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int open_socket(struct acceptor *acceptor)
{
	struct coin_socket *s = xcalloc(1, sizeof(*s));
	int ret = listen_at(acceptor->coin->socket, &s->fd);

	if (ret) {
		free(s);
		return ret;
	}
	s->peer = -1;
	acceptor->own = s;
	loop_fd_start(acceptor->loop, &s->listen_watch, s->fd, LOOP_READ,
		on_connect, acceptor);
	return 0;
}

static void close_socket(struct acceptor *acceptor)
{
	struct coin_socket *s = acceptor->own;

	drop_peer(acceptor);
	loop_fd_stop(acceptor->loop, &s->listen_watch);
	unlink(acceptor->coin->socket);
	fd_close(&s->fd);
	free(s);
}

static bool is_ready(const struct acceptor *acceptor)
{
	const struct coin_socket *s = acceptor->own;

	return s->peer >= 0;
}

const struct backend backend_socket = {
	.open = open_socket,
	.close = close_socket,
	.show = show,
	.is_ready = is_ready,
};
