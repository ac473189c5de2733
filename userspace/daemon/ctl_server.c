/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket. It owns the listening socket and the connections, takes
 * frames off them and keeps their replies until the turn's transaction is on
 * disk (ctl_server_flush). It must never block, never let one peer take all
 * memory or turns, and never leave a descriptor of a peer open: what a peer
 * attaches is closed in its turn, in a way that cannot make the loop wait
 * (closer.h).
 *
 * Every request gets exactly one reply, in order; the callers count on it.
 */
#include "daemon/ctl_server.h"

#include <fcntl.h>
#include <grp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/log.h"
#include "base/util.h"
#include "daemon/closer.h"
#include "daemon/reply.h"

struct queued {
	struct queued *next;
	json_t *json;	 /* NULL: it is still to come */
	uint64_t ticket; /* of one that is or was to come; 0: none */
	bool fresh; /* made since the last flush */
	bool is_event; /* not a reply: it happened, whatever the turn comes to */
};

struct peer {
	struct peer *next;
	struct ctl_server *server;
	int fd;
	uid_t uid;
	pid_t pid;
	struct loop_fd watch;
	int watched;  /* LOOP_* that `watch` waits for */
	bool closing; /* freed at the next flush: its frames are being read */
	int replies;
	bool subscribed;
	json_int_t lost; /* events, since the last one that was queued */
	struct queued *first, **last;
};

struct ctl_server {
	struct loop *loop;
	struct closer *closer;
	int fd;
	struct loop_fd watch;
	struct loop_timer pause; /* after accept() ran out of descriptors */
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	ctl_frame_fn *fn;
	void *data;
	struct peer *peers;
	struct peer *asking; /* while its frame is handled */
	uint64_t ticket;     /* the newest */
	int count;
	char frame[CTL_FRAME_MAX];
};

/* Connections. */

static void watch_peer(struct peer *peer)
{
	int want = 0;

	if (peer->replies < CTL_REPLIES_MAX)
		want |= LOOP_READ;
	if (peer->first && peer->first->json && !peer->first->fresh)
		want |= LOOP_WRITE;
	if (want == peer->watched)
		return;
	loop_fd_stop(peer->server->loop, &peer->watch);
	peer->watched = want;
	if (want)
		loop_fd_start(peer->server->loop, &peer->watch, peer->fd, want,
			peer->watch.fn, peer);
}

static void peer_free(struct peer *peer)
{
	loop_fd_stop(peer->server->loop, &peer->watch);
	/* There may be descriptors in its queue. */
	closer_close(peer->server->closer, peer->fd);
	while (peer->first) {
		struct queued *queued = peer->first;

		peer->first = queued->next;
		json_decref(queued->json);
		free(queued);
	}
	peer->server->count--;
	free(peer);
}

static void queue(struct peer *peer, json_t *json, bool is_event)
{
	struct queued *queued = xcalloc(1, sizeof(*queued));

	queued->json = json;
	queued->ticket = json ? 0 : peer->server->ticket;
	queued->fresh = true;
	queued->is_event = is_event;
	*peer->last = queued;
	peer->last = &queued->next;
	peer->replies++;
}

static void queue_reply(struct peer *peer, json_t *reply)
{
	queue(peer, reply, false);
}

/* Frames. */

/* scm_fp_list of the kernel: descriptors of one message at most. */
#define SCM_MAX_FD 253

/* Takes the descriptors out of a message: 0 with at most one in *ret_fd, or
 * -EINVAL, and then all of them are closed. */
static int take_fds(struct closer *closer, struct msghdr *msg, int *ret_fd)
{
	struct cmsghdr *cmsg;
	int kept = -1, total = 0;

	for (cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		size_t i, n = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (cmsg->cmsg_level != SOL_SOCKET ||
			cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		for (i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof(int),
				sizeof(fd));
			if (total++ == 0)
				kept = fd;
			else
				closer_close(closer, fd);
		}
	}
	if (total > 1 || msg->msg_flags & MSG_CTRUNC) {
		closer_close(closer, kept);
		return -EINVAL;
	}
	*ret_fd = kept;
	return 0;
}

/* One frame: its reply queued, or -EAGAIN when there is none, or another
 * errno when the connection is over. */
static int read_frame(struct peer *peer)
{
	struct ctl_server *server = peer->server;
	/* Room for all that can come: what does not fit the kernel closes, in
	 * our time. */
	char control[CMSG_SPACE(SCM_MAX_FD * sizeof(int))];
	struct iovec iov = {server->frame, sizeof(server->frame)};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control)};
	struct ctl_frame frame;
	ssize_t len;
	int fd = -1;

	len = recvmsg(peer->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (len < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	if (take_fds(server->closer, &msg, &fd)) {
		queue_reply(peer, reply_refuse(CTL_bad_request,
			"A request may carry one descriptor at most."));
		return 0;
	}
	frame = (struct ctl_frame){.text = server->frame, .len = (size_t)len,
		.uid = peer->uid, .pid = peer->pid, .fd = fd};
	server->asking = peer;
	if (msg.msg_flags & MSG_TRUNC)
		queue_reply(peer, reply_refuse(CTL_bad_request,
			"A request may have %d bytes at most.", CTL_FRAME_MAX));
	else if (len > 0)
		queue_reply(peer, server->fn(server->data, &frame));
	server->asking = NULL;
	closer_close(server->closer, fd);
	/* An empty packet looks like this too: there is no such request. */
	return len > 0 ? 0 : -ECONNRESET;
}

/* Sends what is not fresh, up to one that is still to come. */
static void send_replies(struct peer *peer)
{
	while (!peer->closing && peer->first && peer->first->json &&
		!peer->first->fresh) {
		struct queued *queued = peer->first;
		_cleanup_free_ char *text =
			json_dumps(queued->json, JSON_COMPACT);
		size_t len = text ? strlen(text) : 0;

		if (!text || len > CTL_FRAME_MAX) {
			json_decref(queued->json);
			queued->json = reply_failed("sending a reply",
				text ? -EMSGSIZE : -EINVAL);
			continue;
		}
		if (send(peer->fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
			if (errno != EAGAIN && errno != EINTR)
				peer->closing = true;
			break;
		}
		peer->first = queued->next;
		if (!peer->first)
			peer->last = &peer->first;
		peer->replies--;
		json_decref(queued->json);
		free(queued);
	}
	if (!peer->closing)
		watch_peer(peer);
}

static void on_peer(void *data, int fd, int events)
{
	struct peer *peer = data;
	int i, ret = 0;

	if (events & LOOP_READ)
		for (i = 0; !ret && i < CTL_FRAMES_TURN &&
			peer->replies < CTL_REPLIES_MAX;
			i++)
			ret = read_frame(peer);
	if (ret && ret != -EAGAIN) {
		/* What it asked for is done all the same. */
		peer->closing = true;
		loop_fd_stop(peer->server->loop, &peer->watch);
		return;
	}
	if (events & LOOP_WRITE)
		send_replies(peer);
	else
		watch_peer(peer);
}

/* Accepting. */

static bool uid_has_room(const struct ctl_server *server, uid_t uid)
{
	const struct peer *peer;
	int count = 0;

	if (uid == 0)
		return true;
	for (peer = server->peers; peer; peer = peer->next)
		count += peer->uid == uid;
	return count < CTL_PEERS_PER_UID;
}

static void add_peer(struct ctl_server *server, int fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);
	struct peer *peer;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) ||
		server->count >= CTL_PEERS_MAX ||
		!uid_has_room(server, cred.uid)) {
		close(fd);
		return;
	}
	peer = xcalloc(1, sizeof(*peer));
	peer->server = server;
	peer->fd = fd;
	peer->uid = cred.uid;
	peer->pid = cred.pid;
	peer->last = &peer->first;
	peer->watch.fn = on_peer;
	peer->next = server->peers;
	server->peers = peer;
	server->count++;
	watch_peer(peer);
}

static void on_connect(void *data, int fd, int events);

static void on_pause_over(void *data)
{
	struct ctl_server *server = data;

	loop_fd_start(server->loop, &server->watch, server->fd, LOOP_READ,
		on_connect, server);
}

static void on_connect(void *data, int fd, int events)
{
	struct ctl_server *server = data;
	int client;

	while ((client = accept4(fd, NULL, NULL,
			SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
		add_peer(server, client);
	if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) {
		/* The connection stays in the queue; do not spin on it. */
		log_warning("control socket: cannot accept a connection: %s",
			strerror(errno));
		loop_fd_stop(server->loop, &server->watch);
		loop_timer_start(server->loop, &server->pause, NSEC_PER_SEC, 0,
			on_pause_over, server);
	}
}

/* Start and stop. */

static int make_directory(const char *path)
{
	char dir[sizeof(((struct sockaddr_un *)0)->sun_path)];
	char *slash;

	memcpy(dir, path, strlen(path) + 1);
	slash = strrchr(dir, '/');
	if (!slash || slash == dir)
		return 0;
	*slash = '\0';
	/* Whatever the umask: the portal's user must get there. */
	if (mkdir(dir, 0755) == 0)
		return chmod(dir, 0755) ? -errno : 0;
	return errno == EEXIST ? 0 : -errno;
}

/* Bound under another name, made ready, then renamed: whoever sees the name
 * may connect, and an old socket's name is replaced without a gap. */
static int listen_at(const char *path, const char *group, int *ret_fd)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	const struct group *gr = getgrnam(group);
	_cleanup_fd_ int fd = -1;

	if (snprintf(addr.sun_path, sizeof(addr.sun_path), "%s.new", path) >=
		(int)sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	unlink(addr.sun_path);
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)))
		return -errno;
	if (!gr)
		log_warning("no group %s: only root can connect to %s",
			group, path);
	if ((gr && chown(addr.sun_path, 0, gr->gr_gid)) ||
		chmod(addr.sun_path, 0660) || listen(fd, 128) ||
		rename(addr.sun_path, path))
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

bool ctl_server_answers(const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	_cleanup_fd_ int fd = -1;

	if (strlen(path) >= sizeof(addr.sun_path))
		return false;
	memcpy(addr.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	/* EAGAIN: it is there, and its queue is full. */
	return fd >= 0 &&
	       (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0 ||
		       errno == EAGAIN);
}

int ctl_server_new(struct loop *loop, const char *path, const char *group,
	ctl_frame_fn *fn, void *data, struct ctl_server **ret_server)
{
	struct ctl_server *server;
	int fd = -1, ret;

	if (strlen(path) >= sizeof(server->path))
		return -ENAMETOOLONG;
	ret = make_directory(path);
	if (ret)
		return ret;
	ret = listen_at(path, group, &fd);
	if (ret)
		return ret;
	server = xcalloc(1, sizeof(*server));
	server->loop = loop;
	server->fd = fd;
	memcpy(server->path, path, strlen(path) + 1);
	server->fn = fn;
	server->data = data;
	*ret_server = server;
	return 0;
}

int ctl_server_start(struct ctl_server *server)
{
	int ret = closer_new(&server->closer);

	if (!ret)
		loop_fd_start(server->loop, &server->watch, server->fd,
			LOOP_READ, on_connect, server);
	return ret;
}

void ctl_server_free(struct ctl_server *server)
{
	if (!server)
		return;
	loop_fd_stop(server->loop, &server->watch);
	loop_timer_stop(server->loop, &server->pause);
	while (server->peers) {
		struct peer *peer = server->peers;

		server->peers = peer->next;
		peer_free(peer);
	}
	unlink(server->path);
	fd_close(&server->fd);
	closer_free(server->closer);
	free(server);
}

void ctl_server_revoke(struct ctl_server *server, json_t *(*make)(void))
{
	struct peer *peer;
	struct queued *queued;

	for (peer = server->peers; peer; peer = peer->next)
		for (queued = peer->first; queued; queued = queued->next)
			if (queued->json && queued->fresh && !queued->is_event) {
				json_decref(queued->json);
				queued->json = make();
			}
}

uint64_t ctl_server_defer(struct ctl_server *server)
{
	return ++server->ticket;
}

void ctl_server_answer(struct ctl_server *server, uint64_t ticket, json_t *reply)
{
	struct peer *peer;
	struct queued *queued;

	for (peer = server->peers; peer; peer = peer->next)
		for (queued = peer->first; queued; queued = queued->next)
			if (queued->ticket == ticket && !queued->json) {
				queued->json = reply;
				queued->fresh = true;
				return;
			}
	json_decref(reply);
}

void ctl_server_subscribe(struct ctl_server *server)
{
	server->asking->subscribed = true;
}

/* Who does not read loses events, and is told how many. */
static void queue_event(struct peer *peer, json_t *event, int room)
{
	if (peer->replies >= room) {
		peer->lost++;
		return;
	}
	if (peer->lost)
		queue(peer,
			json_pack("{s:s, s:I}", "event", "lost", "count",
				peer->lost),
			true);
	peer->lost = 0;
	queue(peer, json_incref(event), true);
}

void ctl_server_publish(struct ctl_server *server, json_t *event, int room)
{
	struct peer *peer;

	for (peer = server->peers; peer; peer = peer->next)
		if (peer->subscribed && !peer->closing)
			queue_event(peer, event, room);
	json_decref(event);
}

bool ctl_server_has_subscribers(const struct ctl_server *server)
{
	const struct peer *peer;

	for (peer = server->peers; peer; peer = peer->next)
		if (peer->subscribed)
			return true;
	return false;
}

void ctl_server_flush(struct ctl_server *server)
{
	struct peer **at = &server->peers;

	while (*at) {
		struct peer *peer = *at;
		struct queued *queued;

		for (queued = peer->first; queued; queued = queued->next)
			queued->fresh = false;
		send_replies(peer);
		if (peer->closing) {
			*at = peer->next;
			peer_free(peer);
		} else {
			at = &peer->next;
		}
	}
	if (server->closer)
		closer_flush(server->closer);
}

pid_t ctl_server_process_of(const struct ctl_server *server, uid_t uid)
{
	const struct peer *peer;

	/* The newest is the first. */
	for (peer = server->peers; peer; peer = peer->next)
		if (peer->uid == uid && !peer->closing)
			return peer->pid;
	return 0;
}
