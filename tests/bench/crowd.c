/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A TCP client of the smallest kind, many times over: one segment out, a few
 * in, in order, then closed. The link is a veth, so loss is rare; a lost frame
 * is sent again after RETRY_NS. Not for use where anything else is on the wire.
 *
 * A slot carries one guest from SYN to reply; there are `at_once` slots.
 */
#include "crowd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "frame.h"

#define RETRY_NS 250000000LL
#define RETRIES 20
#define TICK_MS 20
#define SOCKET_BUFFER (32 << 20)

enum stage { STAGE_FREE, STAGE_SYN, STAGE_ASKED };

struct slot {
	enum stage stage;
	uint32_t i; /* which guest, counted from 0 */
	struct ends ends;
	uint32_t seq, ack;
	int64_t sent_ns;
	int tries;
	char request[CROWD_REQUEST_MAX];
	int request_len;
	char reply[CROWD_REPLY_MAX + 1];
	int reply_len;
};

struct crowd {
	struct crowd_options options;
	int fd;
	uint32_t next; /* guest that starts next */
	uint32_t done;
	struct slot *slots;
	uint32_t *slot_of; /* per guest: its slot + 1, 0: none */
	struct crowd_result *results;
	char complaint[CROWD_REPLY_MAX + 1];
};

/* A TCP frame from the portal, host order. */
struct segment {
	uint32_t guest; /* counted from 0 */
	uint16_t port;  /* the guest's */
	uint32_t seq, ack;
	uint8_t flags;
	const char *data;
	int len;
};

int64_t crowd_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int packet_socket(const char *interface)
{
	struct sockaddr_ll at = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_IP),
		.sll_ifindex = if_nametoindex(interface),
	};
	int size = SOCKET_BUFFER, one = 1;
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd < 0 || !at.sll_ifindex ||
		bind(fd, (struct sockaddr *)&at, sizeof(at)))
		die("packet socket on %s: %s", interface, strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	/* Our own frames do not come back to us. */
	setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one));
	setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one));
	return fd;
}

struct crowd *crowd_open(const struct crowd_options *options)
{
	struct crowd *crowd = calloc(1, sizeof(*crowd));

	if (crowd) {
		crowd->slots = calloc(options->at_once, sizeof(*crowd->slots));
		crowd->slot_of = calloc(options->count, sizeof(*crowd->slot_of));
		crowd->results = calloc(options->count, sizeof(*crowd->results));
	}
	if (!crowd || !crowd->slots || !crowd->slot_of || !crowd->results)
		die("no memory for %u guests", options->count);
	crowd->options = *options;
	crowd->fd = packet_socket(options->interface);
	return crowd;
}

void crowd_close(struct crowd *crowd)
{
	close(crowd->fd);
	free(crowd->slots);
	free(crowd->slot_of);
	free(crowd->results);
	free(crowd);
}

void crowd_send(struct crowd *crowd, const void *frame, uint32_t len)
{
	while (send(crowd->fd, frame, len, 0) < 0)
		if (errno != EAGAIN && errno != ENOBUFS && errno != EINTR)
			die("send: %s", strerror(errno));
}

static void send_segment(struct crowd *crowd, const struct slot *slot,
	uint8_t flags, const char *data, int len)
{
	struct tcp_fields tcp = {slot->seq, slot->ack, flags};
	uint8_t frame[FRAME_MAX];

	crowd_send(crowd, frame, frame_tcp(frame, &slot->ends, &tcp, data, len));
}

static void send_syn(struct crowd *crowd, struct slot *slot)
{
	slot->sent_ns = crowd_now();
	send_segment(crowd, slot, TH_SYN, NULL, 0);
}

static void send_request(struct crowd *crowd, struct slot *slot)
{
	struct crowd_result *result = &crowd->results[slot->i];

	slot->sent_ns = crowd_now();
	if (!result->asked_ns)
		result->asked_ns = slot->sent_ns;
	send_segment(crowd, slot, TH_PUSH | TH_ACK, slot->request,
		slot->request_len);
}

/* A connection for guest i; `attempt` makes its port a new one. */
static void slot_connect(struct crowd *crowd, struct slot *slot, int attempt)
{
	const struct crowd_options *o = &crowd->options;
	uint32_t n = o->first_guest + slot->i;

	guest_mac(n, slot->ends.src_mac);
	memcpy(slot->ends.dst_mac, o->gateway_mac, 6);
	slot->ends.src = htonl(ntohl(o->first_addr) + n);
	slot->ends.dst = o->portal;
	slot->ends.src_port = 20000 + (n * 7 + attempt * 13) % 40000;
	slot->ends.dst_port = o->port;
	/* Ticks of 4 us (RFC 9293, 3.4.1): above that of an older connection. */
	slot->seq = crowd_now() >> 12;
	slot->ack = 0;
	slot->reply_len = 0;
	slot->stage = STAGE_SYN;
	send_syn(crowd, slot);
}

static void slot_start(struct crowd *crowd, struct slot *slot)
{
	const struct crowd_options *o = &crowd->options;

	slot->stage = STAGE_FREE;
	if (crowd->next == o->count)
		return;
	slot->i = crowd->next++;
	slot->tries = 0;
	slot->request_len = o->request(o->data, slot->i, slot->request);
	crowd->slot_of[slot->i] = slot - crowd->slots + 1;
	slot_connect(crowd, slot, 0);
}

static void slot_finish(struct crowd *crowd, struct slot *slot)
{
	struct crowd_result *result = &crowd->results[slot->i];

	slot->reply[slot->reply_len] = '\0';
	if (sscanf(slot->reply, "HTTP/1.%*d %d", &result->status) != 1)
		result->status = 0;
	if ((!result->status || result->status >= 400) && !crowd->complaint[0])
		snprintf(crowd->complaint, sizeof(crowd->complaint), "%s",
			slot->reply_len ? slot->reply : "no answer");
	crowd->slot_of[slot->i] = 0;
	crowd->done++;
	slot_start(crowd, slot);
}

/* The whole reply is here: its head, and as much as Content-Length says. */
static bool reply_complete(struct slot *slot)
{
	const char *head, *length;

	slot->reply[slot->reply_len] = '\0';
	head = strstr(slot->reply, "\r\n\r\n");
	length = strcasestr(slot->reply, "\r\nContent-Length:");
	if (!head || !length || length > head)
		return false;
	return slot->reply + slot->reply_len - (head + 4) >=
		strtol(length + 17, NULL, 10);
}

/* For a guest whose connection is over: let the other end close as well. */
static void answer_late(struct crowd *crowd, const struct segment *s)
{
	struct slot ghost = {.i = s->guest};
	const struct crowd_options *o = &crowd->options;
	uint32_t n = o->first_guest + s->guest;

	if (!(s->flags & TH_FIN))
		return;
	guest_mac(n, ghost.ends.src_mac);
	memcpy(ghost.ends.dst_mac, o->gateway_mac, 6);
	ghost.ends.src = htonl(ntohl(o->first_addr) + n);
	ghost.ends.dst = o->portal;
	ghost.ends.src_port = s->port;
	ghost.ends.dst_port = o->port;
	ghost.seq = s->ack;
	ghost.ack = s->seq + s->len + 1;
	send_segment(crowd, &ghost, TH_ACK, NULL, 0);
}

static void take_data(struct crowd *crowd, struct slot *slot,
	const struct segment *s)
{
	int room = CROWD_REPLY_MAX - slot->reply_len;
	int len = s->len < room ? s->len : room;
	bool fin = s->flags & TH_FIN;

	if (s->seq != slot->ack || (!s->len && !fin))
		return;
	if (!slot->reply_len)
		slot->seq += slot->request_len;
	memcpy(slot->reply + slot->reply_len, s->data, len);
	slot->reply_len += len;
	slot->ack += s->len + fin;
	if (!crowd->results[slot->i].replied_ns && reply_complete(slot))
		crowd->results[slot->i].replied_ns = crowd_now();
	/* The portal closes first, as it promised. */
	send_segment(crowd, slot, fin ? TH_FIN | TH_ACK : TH_ACK, NULL, 0);
	if (fin)
		slot_finish(crowd, slot);
}

static void take_segment(struct crowd *crowd, const struct segment *s)
{
	uint32_t index = crowd->slot_of[s->guest];
	struct slot *slot = index ? &crowd->slots[index - 1] : NULL;

	if (!slot || slot->ends.src_port != s->port) {
		answer_late(crowd, s);
	} else if (s->flags & TH_RST) {
		slot_connect(crowd, slot, ++slot->tries);
	} else if (slot->stage == STAGE_ASKED) {
		take_data(crowd, slot, s);
	} else if ((s->flags & (TH_SYN | TH_ACK)) == (TH_SYN | TH_ACK) &&
		s->ack == slot->seq + 1) {
		slot->seq++;
		slot->ack = s->seq + 1;
		slot->stage = STAGE_ASKED;
		send_request(crowd, slot);
	}
}

/* False: not from the portal to a guest of this run. */
static bool segment_parse(const struct crowd *crowd, const uint8_t *frame,
	int len, struct segment *ret_segment)
{
	const struct iphdr *ip = (const void *)(frame + sizeof(struct ether_header));
	const struct crowd_options *o = &crowd->options;
	int64_t n = guest_of(frame);
	const struct tcphdr *tcp;
	int head;

	if (len < 54 || n < o->first_guest ||
		n >= (int64_t)o->first_guest + o->count ||
		ip->protocol != IPPROTO_TCP || ip->saddr != o->portal)
		return false;
	tcp = (const void *)((const uint8_t *)ip + ip->ihl * 4);
	head = ip->ihl * 4 + tcp->doff * 4;
	if (ntohs(tcp->source) != o->port || ntohs(ip->tot_len) < head)
		return false;
	*ret_segment = (struct segment){
		.guest = n - o->first_guest,
		.port = ntohs(tcp->dest),
		.seq = ntohl(tcp->seq),
		.ack = ntohl(tcp->ack_seq),
		.flags = tcp->th_flags,
		.data = (const char *)ip + head,
		.len = ntohs(ip->tot_len) - head,
	};
	return true;
}

static void receive_all(struct crowd *crowd)
{
	static uint8_t frame[65536 + 64];
	struct segment segment;
	int len;

	while ((len = recv(crowd->fd, frame, sizeof(frame), MSG_DONTWAIT)) > 0)
		if (segment_parse(crowd, frame, len, &segment))
			take_segment(crowd, &segment);
}

static void retry_late(struct crowd *crowd)
{
	int64_t now = crowd_now();

	for (uint32_t i = 0; i < crowd->options.at_once; i++) {
		struct slot *slot = &crowd->slots[i];

		if (slot->stage == STAGE_FREE || now - slot->sent_ns < RETRY_NS)
			continue;
		if (++slot->tries > RETRIES)
			slot_finish(crowd, slot);
		else if (slot->stage == STAGE_SYN)
			send_syn(crowd, slot);
		else if (!slot->reply_len)
			send_request(crowd, slot);
		else
			slot->sent_ns = now;
	}
}

void crowd_run(struct crowd *crowd)
{
	const struct crowd_options *o = &crowd->options;
	struct pollfd pfd = {.fd = crowd->fd, .events = POLLIN};
	int64_t checked = crowd_now();

	crowd->next = crowd->done = 0;
	memset(crowd->results, 0, o->count * sizeof(*crowd->results));
	for (uint32_t i = 0; i < o->at_once; i++)
		slot_start(crowd, &crowd->slots[i]);
	while (crowd->done < o->count) {
		poll(&pfd, 1, o->tick ? 0 : TICK_MS);
		receive_all(crowd);
		if (o->tick)
			o->tick(o->data);
		if (crowd_now() - checked > TICK_MS * 1000000LL) {
			checked = crowd_now();
			retry_late(crowd);
		}
	}
}

const struct crowd_result *crowd_result(const struct crowd *crowd, uint32_t i)
{
	return &crowd->results[i];
}

const char *crowd_complaint(const struct crowd *crowd)
{
	return crowd->complaint;
}
