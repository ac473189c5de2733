/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a guest can put on the wire, through the gate's parser and its rules.
 * The first bytes say how the frame meets the hook (tags beside it, segment
 * size) and who sends it; the rest is the frame. Whatever it is: nothing is
 * read outside of it, what the parser says of a good packet lies inside it,
 * and who may not go outside does not.
 */
#include "../host_bpf.h"

/* clang-format off: in this order */
#include "../../bpf/parse.h"
#include "../../bpf/measure.h"
#include "../../bpf/policy.h"
/* clang-format on */

#include <stdlib.h>
#include <string.h>

#define BOX_MAC 0xfe0000000002ULL

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct choice {
	uint8_t tags;
	uint8_t refusal;
	uint8_t maker;
	uint8_t gso_size[2];
};

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* The box is 10.77.0.1, fd77::1 and fe80::1 on 10.77.0.0/24, fd77::/64. */
static void describe(struct gh_network *n)
{
	*n = (struct gh_network){
		.flags = GH_NETWORK_ACTIVE,
		.portal_ports = {bpf_htons(80), bpf_htons(443)},
		.n4 = 3,
		.n6 = 3,
		.prefix4 = {{.net = bpf_htonl(0x0a4d0001), .mask = ~0U,
				    .place = GH_PLACE_BOX},
			{.net = bpf_htonl(0x0a4d0000),
				.mask = bpf_htonl(0xffffff00),
				.place = GH_PLACE_LINK},
			{.net = bpf_htonl(0x0a4e0050), .mask = ~0U,
				.port = bpf_htons(80), .proto = IPPROTO_TCP,
				.place = GH_PLACE_REACH}},
		.prefix6 = {{.net = {bpf_cpu_to_be64(0xfd77ULL << 48),
				     bpf_cpu_to_be64(1)},
				    .mask = {~0ULL, ~0ULL},
				    .place = GH_PLACE_BOX},
			{.net = {bpf_cpu_to_be64(0xfe80ULL << 48),
				 bpf_cpu_to_be64(1)},
				.mask = {~0ULL, ~0ULL},
				.place = GH_PLACE_BOX},
			{.net = {bpf_cpu_to_be64(0xfd77ULL << 48)},
				.mask = {~0ULL}, .place = GH_PLACE_LINK}},
	};
}

static void check_packet(const struct gh_pkt *pkt, size_t len)
{
	check(pkt->l3 <= len);
	check(pkt->family == 0 || pkt->family == 4 || pkt->family == 6);
	if (!pkt->l4)
		return;
	check(pkt->family != 0 && pkt->l4 >= pkt->l3 + 20);
	/* A TCP header's options are the responder's to look for. */
	check(pkt->l4 + 8U <= len);
	if (pkt->ip_len)
		check(pkt->l4 + pkt->l4_len <= pkt->l3 + pkt->ip_len);
}

static bool is_in_range(enum gh_reason reason)
{
	return (reason > GH_NO_REASON && reason < GH_ANSWERS) ||
	       (reason >= GH_ANSWERS && reason < GH_DROPS) ||
	       (reason >= GH_DROPS && reason < GH_REASONS);
}

static void check_up(const struct gh_pkt *pkt, int fault,
	const struct gh_network *net, int refusal)
{
	struct gh_verdict v = gh_decide_up(pkt, fault, net, BOX_MAC,
		refusal ? GH_STATE_CLOSED : GH_STATE_RUNNING, refusal);

	check(is_in_range(v.reason));
	check(v.charge == (v.reason == GH_PASS_CHARGED));
	check(!(v.charge && (refusal || fault)));
	if (fault)
		check(v.reason >= GH_DROPS);
	if (v.reason >= GH_ANSWERS && v.reason < GH_DROPS)
		check(pkt->family && pkt->l3 && !(pkt->dst & 1));
	if (v.reason == GH_ANSWER_RESET || v.reason == GH_ANSWER_REDIRECT)
		check(pkt->proto == IPPROTO_TCP && pkt->l4);
}

static void check_down(const struct gh_pkt *pkt, int fault,
	const struct gh_network *net, enum gh_maker maker, int refusal)
{
	struct gh_verdict v = gh_decide_down(pkt, fault, net, maker,
		refusal ? GH_STATE_CLOSED : GH_STATE_RUNNING, refusal);

	check(is_in_range(v.reason));
	check(v.reason < GH_ANSWERS || v.reason >= GH_DROPS);
	check(!(v.charge && (refusal || fault)));
	/* What came from elsewhere goes to who may have it, or to a group. */
	if (maker == GH_MAKER_OTHER && (refusal || fault))
		check(v.reason >= GH_DROPS || (!fault && pkt->dst & 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int refusals[] = {0, GH_DROP_CAPTIVE, GH_DROP_EXPIRED,
		GH_DROP_QUOTA, GH_DROP_CLOSED, GH_DROP_BLOCKED};
	struct gh_network net;
	struct gh_pkt pkt = {};
	struct gh_frame f = {.pkt = &pkt, .net = &net, .segments = 1};
	struct choice choice;
	uint8_t *frame;
	size_t len;
	int refusal;

	if (size <= sizeof(choice) || size > 9000)
		return 0;
	memcpy(&choice, data, sizeof(choice));
	len = size - sizeof(choice);
	/* Behind its last byte is nothing. */
	frame = malloc(len);
	memcpy(frame, data + sizeof(choice), len);
	describe(&net);
	f.bytes = len;
	f.fault = gh_parse(frame, frame + len, &pkt, choice.tags % 3);
	check(f.fault == 0 || f.fault == GH_DROP_MALFORMED);
	if (!f.fault)
		f.fault = gh_measure(&f, len,
			choice.gso_size[0] << 8 | choice.gso_size[1]);
	if (!f.fault)
		check_packet(&pkt, len);
	check(f.segments >= 1 && f.segments <= len);
	refusal = refusals[choice.refusal % 6];
	check_up(&pkt, f.fault, &net, refusal);
	check_down(&pkt, f.fault, &net, choice.maker % 3, refusal);
	free(frame);
	return 0;
}
