/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guests WHAT INTERFACE GATEWAY_MAC FIRST_ADDR PORTAL PORT FIRST COUNT AT_ONCE
 *        [SINK_NETNS SINK_INTERFACE SINK_ADDR | ROUNDS]
 *
 * Guests FIRST .. FIRST+COUNT-1 ask the portal, AT_ONCE of them at a time:
 *   redeem   POST /api/vouchers/activate, codes from standard input
 *   restore  POST /api/sessions/restore, tokens from standard input
 *   session  GET /api/session
 *   welcome  GET /
 *   static   GET /file, of nginx
 *   first    redeem, and from the request on each guest sends a datagram to
 *            SINK_ADDR every 0.1 ms until one arrives there
 *   probe    GET /generate_204 of a captive phone, to be answered by a 302;
 *            all of them ROUNDS times, and counted so
 *   asked    the same asked of the portal itself, once
 * Prints "ok N failed N seconds S p50 MS p99 MS": latency of the reply, or for
 * `first` the time from the request to the first datagram that got through, for
 * `probe` of the last round.
 * Runs in the guests' network namespace.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "crowd.h"
#include "frame.h"

#define CODE_MAX 80 /* a code or a token, with NUL */
#define PROBE_NS 100000
#define PROBE_PORT 7777
#define DRAIN_NS 60000000000LL /* of a whole run */

struct run {
	struct crowd_options options;
	struct crowd *crowd;
	const char *host; /* the portal's address, as a browser names it */
	int status;       /* what a good reply has */
	uint32_t rounds;
	uint32_t ok; /* good replies, of all rounds */
	int64_t *latency;
	uint32_t last; /* good ones of the last round, so many in `latency` */
	char (*codes)[CODE_MAX];
	/* `first` only */
	int sink;
	uint32_t sink_addr;
	uint32_t probing; /* guest that sends datagrams now */
	int64_t probed_ns;
	int64_t *through_ns; /* per guest */
};

static int request_get(
	const struct run *run, const char *path, char buf[static CROWD_REQUEST_MAX])
{
	return snprintf(buf, CROWD_REQUEST_MAX,
		"GET %s HTTP/1.1\r\nHost: %s\r\n"
		"Connection: close\r\n\r\n", path, run->host);
}

static int request_session(void *data, uint32_t i, char buf[static CROWD_REQUEST_MAX])
{
	return request_get(data, "/api/session", buf);
}

static int request_welcome(void *data, uint32_t i, char buf[static CROWD_REQUEST_MAX])
{
	return request_get(data, "/", buf);
}

static int request_static(void *data, uint32_t i, char buf[static CROWD_REQUEST_MAX])
{
	return request_get(data, "/file", buf);
}

static int request_post(const struct run *run, const char *path,
	const char *field, uint32_t i, char buf[static CROWD_REQUEST_MAX])
{
	char body[CODE_MAX + 16];
	int len = snprintf(
		body, sizeof(body), "{\"%s\":\"%s\"}", field, run->codes[i]);

	return snprintf(buf, CROWD_REQUEST_MAX,
		"POST %s HTTP/1.1\r\nHost: %s\r\n"
		"Content-Type: application/json\r\nContent-Length: %d\r\n"
		"Connection: close\r\n\r\n%s", path, run->host, len, body);
}

static int request_redeem(void *data, uint32_t i, char buf[static CROWD_REQUEST_MAX])
{
	return request_post(data, "/api/vouchers/activate", "code", i, buf);
}

static int request_restore(void *data, uint32_t i, char buf[static CROWD_REQUEST_MAX])
{
	return request_post(data, "/api/sessions/restore", "token", i, buf);
}

static int request_probe(void *data, uint32_t i, char buf[static CROWD_REQUEST_MAX])
{
	return snprintf(buf, CROWD_REQUEST_MAX,
		"GET /generate_204 HTTP/1.1\r\n"
		"Host: connectivitycheck.gstatic.com\r\n"
		"Connection: Keep-Alive\r\n\r\n");
}

static int request_asked(void *data, uint32_t i, char buf[static CROWD_REQUEST_MAX])
{
	return snprintf(buf, CROWD_REQUEST_MAX,
		"GET /generate_204 HTTP/1.1\r\n"
		"Host: connectivitycheck.gstatic.com\r\n"
		"Connection: close\r\n\r\n");
}

/* What needs no more than the kind of request and the status of a good reply. */
static const struct kind {
	const char *what;
	int (*request)(void *data, uint32_t i, char buf[static CROWD_REQUEST_MAX]);
	int status;
	bool codes; /* from standard input */
} kinds[] = {
	{"redeem", request_redeem, 200, true},
	{"restore", request_restore, 200, true},
	{"session", request_session, 200, false},
	{"welcome", request_welcome, 200, false},
	{"static", request_static, 200, false},
	{"first", request_redeem, 200, true},
	{"probe", request_probe, 302, false},
	{"asked", request_asked, 302, false},
};

static void read_codes(struct run *run)
{
	run->codes = calloc(run->options.count, CODE_MAX);
	if (!run->codes)
		die("no memory for codes");
	for (uint32_t i = 0; i < run->options.count; i++)
		if (scanf("%79s", run->codes[i]) != 1)
			die("only %u codes for %u guests", i, run->options.count);
}

/* A packet socket in another network namespace. */
static int sink_open(const char *netns, const char *interface)
{
	struct sockaddr_ll at = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_IP),
	};
	char path[128];
	int here, there, fd;

	snprintf(path, sizeof(path), "/run/netns/%s", netns);
	here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	there = open(path, O_RDONLY | O_CLOEXEC);
	if (here < 0 || there < 0 || setns(there, CLONE_NEWNET))
		die("%s: %s", path, strerror(errno));
	at.sll_ifindex = if_nametoindex(interface);
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)))
		die("sink on %s: %s", interface, strerror(errno));
	if (setns(here, CLONE_NEWNET))
		die("cannot come back: %s", strerror(errno));
	close(here);
	close(there);
	return fd;
}

static void probe(struct run *run, uint32_t i)
{
	uint32_t n = run->options.first_guest + i;
	struct ends ends = {
		.src = htonl(ntohl(run->options.first_addr) + n),
		.dst = run->sink_addr,
		.src_port = PROBE_PORT,
		.dst_port = PROBE_PORT,
	};
	uint8_t frame[FRAME_MAX];

	guest_mac(n, ends.src_mac);
	memcpy(ends.dst_mac, run->options.gateway_mac, 6);
	crowd_send(run->crowd, frame, frame_udp(frame, &ends, &i, sizeof(i)));
}

/* Datagrams that arrived: the first of each guest is what counts. */
static void look_at_sink(struct run *run)
{
	uint8_t frame[FRAME_MAX];
	uint16_t port;
	uint32_t i;
	int len;

	while ((len = recv(run->sink, frame, sizeof(frame), 0)) > 0) {
		memcpy(&port, frame + 36, sizeof(port));
		memcpy(&i, frame + 42, sizeof(i));
		if (len >= 46 && frame[23] == IPPROTO_UDP &&
			port == htons(PROBE_PORT) && i < run->options.count &&
			!run->through_ns[i])
			run->through_ns[i] = crowd_now();
	}
}

/* Guests ask one after another here; each probes until it is through. */
static void first_tick(void *data)
{
	struct run *run = data;
	int64_t now = crowd_now();

	look_at_sink(run);
	while (run->probing < run->options.count &&
		run->through_ns[run->probing])
		run->probing++;
	if (run->probing < run->options.count &&
		crowd_result(run->crowd, run->probing)->asked_ns &&
		now - run->probed_ns >= PROBE_NS) {
		run->probed_ns = now;
		probe(run, run->probing);
	}
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Adds up a round; `latency` is of the last one. */
static void collect(struct run *run)
{
	run->last = 0;
	for (uint32_t i = 0; i < run->options.count; i++) {
		const struct crowd_result *r = crowd_result(run->crowd, i);
		int64_t end = run->through_ns ? run->through_ns[i]
					      : r->replied_ns;

		if (r->status == run->status && end)
			run->latency[run->last++] = end - r->asked_ns;
	}
	run->ok += run->last;
}

static void print_result(struct run *run, int64_t took_ns)
{
	uint32_t all = run->options.count * run->rounds, n = run->last;

	qsort(run->latency, n, sizeof(*run->latency), by_value);
	printf("ok %u failed %u seconds %.6f p50 %.4f p99 %.4f\n", run->ok,
		all - run->ok, took_ns / 1e9, n ? run->latency[n / 2] / 1e6 : 0,
		n ? run->latency[(uint64_t)n * 99 / 100] / 1e6 : 0);
	if (run->ok < all)
		fprintf(stderr, "first bad reply: %s\n",
			crowd_complaint(run->crowd));
}

static void parse_options(struct run *run, char **argv)
{
	struct crowd_options *o = &run->options;

	o->interface = argv[0];
	run->host = argv[3];
	mac_of(argv[1], o->gateway_mac);
	if (!inet_pton(AF_INET, argv[2], &o->first_addr) ||
		!inet_pton(AF_INET, argv[3], &o->portal))
		die("bad address");
	o->port = strtoul(argv[4], NULL, 10);
	o->first_guest = strtoul(argv[5], NULL, 10);
	o->count = strtoul(argv[6], NULL, 10);
	o->at_once = strtoul(argv[7], NULL, 10);
	o->data = run;
	if (!o->count || !o->at_once)
		die("no guests");
}

static void prepare_first(struct run *run, char **argv)
{
	run->sink = sink_open(argv[0], argv[1]);
	if (!inet_pton(AF_INET, argv[2], &run->sink_addr))
		die("bad address %s", argv[2]);
	run->through_ns = calloc(run->options.count, sizeof(*run->through_ns));
	if (!run->through_ns)
		die("no memory");
	run->options.at_once = 1;
	run->options.tick = first_tick;
}

static const struct kind *find_kind(const char *what)
{
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
		if (!strcmp(kinds[k].what, what))
			return &kinds[k];
	return NULL;
}

/* What kind of request, of guests that are told by `what`. */
static void prepare(struct run *run, const struct kind *kind, char **more)
{
	const char *what = kind->what;

	run->options.request = kind->request;
	run->status = kind->status;
	run->rounds = strcmp(what, "probe") ? 1 : strtoul(more[0], NULL, 10);
	if (kind->codes)
		read_codes(run);
	if (!strcmp(what, "first"))
		prepare_first(run, more);
	run->latency = calloc(run->options.count, sizeof(*run->latency));
	if (!run->latency)
		die("no memory for the result");
	run->crowd = crowd_open(&run->options);
}

int main(int argc, char **argv)
{
	struct run run = {.sink = -1};
	const struct kind *kind = find_kind(argc > 1 ? argv[1] : "");
	bool first = kind && !strcmp(kind->what, "first");
	bool probe = kind && !strcmp(kind->what, "probe");
	int64_t start;

	if (!kind || argc != (first ? 13 : probe ? 11 : 10))
		die("usage: guests redeem|restore|session|welcome|static|first|"
		    "probe|asked INTERFACE GATEWAY_MAC FIRST_ADDR PORTAL PORT FIRST COUNT AT_ONCE "
		    "[SINK_NETNS SINK_INTERFACE SINK_ADDR | ROUNDS]");
	parse_options(&run, argv + 2);
	prepare(&run, kind, argv + 10);
	start = crowd_now();
	for (uint32_t round = 0; round < run.rounds; round++) {
		crowd_run(run.crowd);
		/* The last guest's datagram may still be on its way. */
		while (first && run.probing < run.options.count &&
			crowd_now() - start < DRAIN_NS)
			first_tick(&run);
		collect(&run);
	}
	print_result(&run, crowd_now() - start);
	crowd_close(run.crowd);
	free(run.through_ns);
	free(run.latency);
	free(run.codes);
	return 0;
}
