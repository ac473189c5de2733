/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A packet made up to be judged (`explain`): the smallest one of its protocol
 * that a device would send.
 */
#ifndef DAEMON_SAMPLE_H
#define DAEMON_SAMPLE_H

#include <stddef.h>

#include "gatehouse/types.h"

#define SAMPLE_MAX 128

enum sample_proto {
	SAMPLE_TCP, /* a SYN */
	SAMPLE_UDP, /* with 20 bytes of data */
	SAMPLE_ICMP, /* an echo request; ICMPv6 by the addresses */
	SAMPLE_ARP,  /* a request: who has `to`; IPv4 only */
};

struct sample {
	enum sample_proto proto;
	struct mac src, dst;
	struct ipaddr from, to; /* of one family */
	uint16_t sport, dport;  /* host order; TCP and UDP */
};

/* "tcp", ...; -EINVAL. */
int sample_proto_parse(const char *text, enum sample_proto *ret_proto);
const char *sample_proto_name(enum sample_proto proto);
/* The frame, padded to Ethernet's least; checksums are right. Returns its
 * length. */
size_t sample_build(const struct sample *sample, uint8_t ret_frame[static SAMPLE_MAX]);

#endif
