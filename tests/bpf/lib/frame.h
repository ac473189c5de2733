/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames for the tests of the BPF programs: a description with defaults, so
 * that a table row says only what is special about its frame, lies included.
 */
#ifndef TESTS_BPF_LIB_FRAME_H
#define TESTS_BPF_LIB_FRAME_H

#include <stddef.h>
#include <stdint.h>

#define FRAME_MAX 9216

#define FRAME_GUEST  "02:10:00:00:00:01"
#define FRAME_BOX    "02:00:00:00:00:fe"
#define FRAME_HOST4  "10.77.0.50"
#define FRAME_HOST6  "fd77::50"
#define FRAME_EXTS   8

struct frame_spec {
	/* Ethernet. NULL: from the guest, to the box. */
	const char *src_mac;
	const char *dst_mac;
	uint8_t tags;	    /* 802.1Q; with two or more the outermost is 802.1ad */
	uint16_t ethertype; /* host order; 0: what `to` says */
	/* IP by the address it goes to; NULL: no IP, but `payload` bytes. */
	const char *to;
	const char *from; /* NULL: the guest's */
	uint8_t proto;
	uint8_t ttl;	     /* 0: 64 */
	uint8_t options;     /* bytes of IPv4 options, a multiple of 4 */
	uint16_t offset;     /* IPv4: the field with flags and offset */
	uint8_t exts;	     /* IPv6: how many of ext[] */
	uint8_t ext[FRAME_EXTS]; /* numbers of extension headers, 8 bytes each */
	uint8_t ext_words;   /* more length for each of them, 8 bytes a word */
	/* Above IP: TCP, UDP, ICMP by `proto`, else only payload. */
	uint16_t sport; /* 0: 40000 */
	uint16_t port;
	uint8_t tcp_flags; /* 0: SYN */
	uint8_t type;	   /* ICMP, DHCPv6 */
	uint8_t nd_option; /* number of an option with the sender's MAC */
	uint8_t forged;	   /* it, or the sender's in ARP or DHCP, is another's */
	/* What ARP (sender) or DHCP (ciaddr) calls its own; a DHCP relay. */
	const char *claims;
	const char *relay;
	uint16_t payload;  /* bytes behind the last header */
	uint16_t pad;	   /* bytes behind the IP packet */
	/* Lies, 0: none. */
	int16_t claim;	 /* added to the IP length */
	uint8_t version; /* IP version */
	uint8_t ihl;
	uint8_t doff;
	uint8_t zero_len; /* IP length field is 0 */
};

struct frame {
	uint8_t bytes[FRAME_MAX];
	size_t len;
	size_t l3;     /* where IP begins, or what stands in its place */
	size_t ip_len; /* bytes of the IP packet, lies aside; 0: no IP */
	size_t own_mac; /* where ARP, ND or DHCP repeats it; 0: nowhere */
};

/* Checksums are left 0: the gate leaves them to whoever receives. */
void frame_build(struct frame *ret_frame, const struct frame_spec *spec);
/* Another sender, wherever the frame names it. */
void frame_set_source(struct frame *f, const uint8_t mac[static 6]);

#endif
