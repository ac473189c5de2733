/* SPDX-License-Identifier: GPL-2.0-or-later */
// The portal's whole way of a request, but for its cage: libmicrohttpd, guard,
// routes, handlers, templates, answers. The input is
//
//   I [N] LF          instance: g(uests), o(perators); pieces it is sent in
//   REQUEST           bytes as a browser sends them
//   LF %% LF JSON     what the daemon answers; several: one operation each,
//                     the last one again and again
//
// No answer is a fault of ours (500; 503 unless the daemon said so), nothing of
// the input becomes a script, nothing is logged as an error, and each
// connection ends.
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "assets.h"
#include "base/log.h"
#include "base/util.h"
#include "known.h"
#include "operation.h"
#include "refusals.h"
#include "server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ANSWER_MAX (256 * 1024)
#define TURNS	   4
#define MARK	   "\n%%\n"
#define MARK_LEN   (sizeof(MARK) - 1)

static const char settings[] =
	"[gatehouse]\nvoucher_prefix = WIFI\n"
	"[portal]\nname = portal.test\nvenue_name = Cafe <Test>\n"
	"[network guest]\ninterface = eth1\nportal4 = 10.77.0.1\n"
	"portal6 = fd77::1\noperators = yes\nvenue_url = https://bar.example/\n"
	"[coin main]\nvalue = 100\nsocket = /run/coin.sock\n";

static struct run {
	struct portal portal;
	struct server *server;
	struct sockaddr_un addr;
	socklen_t addr_len;
} runs[2]; /* guests, operators */

/* The daemon: the control client's functions, without a socket. */

static struct {
	const char *at, *end; /* the answers that are left */
	bool refused;	      /* it said no, or nothing that can be read */
	ctl_reply_fn *fn;     /* who waits */
	void *data;
} its_daemon;

struct ctl_client {
	struct loop *loop;
	struct loop_timer soon;
};

static const struct ctl_code_row codes[] = {
#define ROW(name, http, exit) {#name, http, exit},
	CTL_CODES(ROW)
#undef ROW
};

const struct ctl_code_row *ctl_code_lookup(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(codes) - 1; i++)
		if (name && !strcmp(codes[i].name, name))
			break;
	return &codes[i]; /* the last one is "internal" */
}

const struct ctl_code_row *ctl_reply_code(const json_t *reply)
{
	if (json_is_true(json_object_get(reply, "success")))
		return NULL;
	return ctl_code_lookup(
		json_string_value(json_object_get(reply, "code")));
}

struct ctl_client *ctl_client_new(
	struct loop *loop, const char *path, int64_t timeout_ns)
{
	struct ctl_client *client = xcalloc(1, sizeof(*client));

	client->loop = loop;
	return client;
}

void ctl_client_free(struct ctl_client *client)
{
	free(client);
}

static json_t *next_answer(void)
{
	static const char captive[] = "{\"success\":true,\"state\":\"captive\"}";
	const char *text = its_daemon.at, *end;
	json_t *reply = NULL;

	if (text) {
		end = memmem(text, (size_t)(its_daemon.end - text), MARK, MARK_LEN);
		its_daemon.at = end ? end + MARK_LEN : text;
		end = end ?: its_daemon.end;
	} else {
		text = captive;
		end = text + strlen(text);
	}
	json_parse_object(text, (size_t)(end - text), &reply);
	return reply;
}

static void on_soon(void *data)
{
	ctl_reply_fn *fn = TAKE_PTR(its_daemon.fn);
	json_t *reply;

	if (!fn)
		return;
	reply = next_answer();
	if (!reply || ctl_reply_code(reply))
		its_daemon.refused = true;
	fn(its_daemon.data, reply ? 0 : -EBADMSG, reply);
	json_decref(reply);
}

int ctl_client_send(struct ctl_client *client, const char *op,
	const json_t *args, const struct ctl_proof *proof, ctl_reply_fn *fn,
	void *data, uint64_t *ret_id)
{
	if (its_daemon.fn)
		return -EBUSY;
	its_daemon.fn = fn;
	its_daemon.data = data;
	*ret_id = 1;
	loop_timer_start(client->loop, &client->soon, 0, 0, on_soon, client);
	return 0;
}

void ctl_client_cancel(struct ctl_client *client, uint64_t id)
{
	its_daemon.fn = NULL;
}

/* The log: an error is one of ours. */
void log_init(const char *program, enum log_level max)
{
}

void log_at(enum log_level level, const char *fmt, ...)
{
	if (level == LOG_LEVEL_ERROR) {
		fprintf(stderr, "error: %s\n", fmt);
		abort();
	}
}

/* The browser. */

static struct {
	struct loop *loop;
	struct loop_fd watch;
	struct loop_timer more, patience;
	int fd;
	const char *at, *end;
	size_t piece;
	int turns; /* since all of it was sent */
	char answer[ANSWER_MAX + 1];
	size_t len;
} browser;

/* The end of the stream comes by itself, after the request was read: with
 * the last bytes libmicrohttpd would not see it. */
static void on_more(void *data)
{
	size_t len = MIN(browser.piece, (size_t)(browser.end - browser.at));

	/* The portal may have had enough. */
	if (len && send(browser.fd, browser.at, len, MSG_NOSIGNAL) < 0)
		return;
	browser.at += len;
	if (browser.at == browser.end && ++browser.turns == TURNS)
		shutdown(browser.fd, SHUT_WR);
	else
		loop_timer_start(
			browser.loop, &browser.more, 0, 0, on_more, NULL);
}

static void on_answer(void *data, int fd, int events)
{
	/* Of many answers the first ones are looked at. */
	static char rest[64 * 1024];
	bool room = browser.len < ANSWER_MAX;
	ssize_t len = room ? recv(fd, browser.answer + browser.len,
				     ANSWER_MAX - browser.len, MSG_DONTWAIT)
			   : recv(fd, rest, sizeof(rest), MSG_DONTWAIT);

	if (len < 0 && errno == EAGAIN)
		return;
	if (len > 0) {
		browser.len += room ? (size_t)len : 0;
		return;
	}
	loop_fd_stop(browser.loop, &browser.watch);
	loop_timer_stop(browser.loop, &browser.more);
	loop_quit(browser.loop);
}

static void on_patience(void *data)
{
	fputs("the connection does not end\n", stderr);
	abort();
}

static void ask(struct run *run, const char *text, size_t len, int pieces)
{
	browser.loop = run->portal.loop;
	browser.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	browser.at = text;
	browser.end = text + len;
	browser.piece = len / (size_t)pieces + 1;
	browser.len = 0;
	browser.turns = 0;
	if (connect(browser.fd, (struct sockaddr *)&run->addr, run->addr_len))
		abort();
	loop_fd_start(browser.loop, &browser.watch, browser.fd, LOOP_READ,
		on_answer, NULL);
	loop_timer_start(browser.loop, &browser.patience, 20 * NSEC_PER_SEC, 0,
		on_patience, NULL);
	on_more(NULL);
	loop_run(browser.loop);
	loop_timer_stop(browser.loop, &browser.patience);
	close(browser.fd);
	browser.answer[browser.len] = '\0';
}

/* What an answer may not be; of several the first is looked at closely. */

static void check_answer(void)
{
	const char *at = browser.answer, *type, *length;
	unsigned long len;
	char *body;
	int status;

	if (!browser.len)
		return;
	if (sscanf(at, "HTTP/1.%*c %d", &status) != 1)
		abort();
	if (status == 500 && !its_daemon.refused)
		abort();
	if (status > 500 && status < 505 && status != 501 && !its_daemon.refused)
		abort();
	body = strstr(at, "\r\n\r\n");
	if (!body)
		return;
	*body = '\0';
	body += 4;
	type = strcasestr(at, "Content-Type: text/html");
	length = strcasestr(at, "Content-Length: ");
	/* In anything else it is text. */
	if (!type || !length)
		return;
	len = strtoul(length + 16, NULL, 10);
	if (len < browser.len - (size_t)(body - browser.answer))
		body[len] = '\0';
	if (strcasestr(body, "=\"javascript:"))
		abort();
	while ((body = strcasestr(body, "<script"))) {
		body += strlen("<script");
		if (strncmp(body, " src=\"/assets/", 14))
			abort();
	}
}

/* The two instances. */

static void load_config(struct config *config)
{
	int fd = memfd_create("config", 0);
	char path[64];

	if (fd < 0 || write(fd, settings, sizeof(settings) - 1) < 0)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (config_load(path, CONFIG_FOR_PORTAL, config, config_report, NULL))
		abort();
	close(fd);
}

static int listen_unix(struct run *run, const char *name)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int len = snprintf(run->addr.sun_path + 1, sizeof(run->addr.sun_path) - 1,
		"gatehouse-fuzz-%s-%d", name, getpid());

	run->addr.sun_family = AF_UNIX;
	run->addr_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
				    (size_t)len);
	if (bind(fd, (struct sockaddr *)&run->addr, run->addr_len) ||
		listen(fd, 16))
		abort();
	return fd;
}

static void start(struct run *run, enum instance instance, const char *name)
{
	struct portal *portal = &run->portal;

	load_config(&portal->config);
	portal->instance = instance;
	if (instance == INSTANCE_OPERATOR)
		config_for_operators(&portal->config);
	portal->loop = loop_new();
	portal->refusals = refusals_new();
	portal->known = known_new(instance == INSTANCE_OPERATOR);
	portal->ctl = ctl_client_new(portal->loop, "", 0);
	portal->door = ctl_client_new(portal->loop, "", 0);
	portal->operations = operations_new(portal);
	if (server_new(portal, &run->server))
		abort();
	server_add_listener(run->server, listen_unix(run, name), false);
	server_start(run->server);
}

static void start_all(void)
{
	signal(SIGPIPE, SIG_IGN);
	if (crypto_init() || i18n_init())
		abort();
	assets_init();
	start(&runs[0], INSTANCE_GUEST, "guest");
	start(&runs[1], INSTANCE_OPERATOR, "operator");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static unsigned int count;
	const char *text = (const char *)data, *request, *mark;
	struct run *run;
	int pieces = 1;

	if (!count++)
		start_all();
	request = memchr(text, '\n', MIN(size, (size_t)8));
	if (!request)
		return -1;
	run = &runs[*text == 'o'];
	if (request > text + 1 && text[1] > '0' && text[1] <= '9')
		pieces = text[1] - '0';
	request++;
	size -= (size_t)(request - text);
	mark = memmem(request, size, MARK, MARK_LEN);
	its_daemon.at = mark ? mark + MARK_LEN : NULL;
	its_daemon.end = request + size;
	/* They all come from one address. */
	if (count % 16 == 0) {
		refusals_free(run->portal.refusals);
		run->portal.refusals = refusals_new();
	}
	size = mark ? (size_t)(mark - request) : size;
	/* A poster of an address that is none is a fault of the daemon's. */
	its_daemon.refused = memmem(request, size, "/qr/poster", 10) != NULL;
	ask(run, request, size, pieces);
	check_answer();
	return 0;
}
