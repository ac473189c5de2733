/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A frame with what the hooks find out about it, and how many packets and bytes
 * of the wire it stands for. No maps, no helpers: compiles on the host as well.
 */
#ifndef GH_MEASURE_H
#define GH_MEASURE_H

/*
 * One frame on its way through a hook. No pointer to it may leave inlined
 * code, so that the compiler can keep the fields in registers: in memory,
 * they cost a quarter of the whole decision.
 */
struct gh_frame {
	struct gh_pkt *pkt;
	struct gh_network *net;
	__u64 box_mac;
	__u32 network;
	__u32 interface; /* enum gh_interface_flag */
	__u32 bytes; /* IP bytes on the wire, each segment with its headers */
	__u32 segments;
	int fault; /* what the parser said, or GH_DROP_NETWORK */
	__u64 now_ns;
};

/*
 * How much to charge for a parsed frame; 0 or GH_DROP_MALFORMED. A GSO
 * super-packet stands for several packets: `gso_size` bytes of payload each,
 * all with the same headers (skb->wire_len is unusable at ingress, gso_segs
 * can be 0; this is exact on 6.1, 6.12 and 6.18).
 */
static __always_inline int gh_measure(
	struct gh_frame *f, __u32 frame_len, __u32 gso_size)
{
	__u32 headers, payload;

	if (!f->pkt->family)
		return 0;
	if (f->pkt->l3 + f->pkt->ip_len > frame_len)
		return GH_DROP_MALFORMED;
	f->bytes = f->pkt->ip_len;
	if (!gso_size)
		return f->bytes ? 0 : GH_DROP_MALFORMED;
	f->bytes = frame_len - f->pkt->l3;
	headers = f->pkt->l4 - f->pkt->l3 + f->pkt->l4_len;
	/* BIG TCP: a jumbogram's hop-by-hop header is not sent with segments. */
	if (!f->pkt->ip_len && f->pkt->flags & GH_PKT_HOPBYHOP) {
		f->bytes -= 8;
		headers -= 8;
	}
	if (!f->pkt->l4 || f->bytes <= headers)
		return 0;
	payload = f->bytes - headers;
	f->segments = (payload + gso_size - 1) / gso_size;
	f->bytes += (f->segments - 1) * headers;
	return 0;
}

#endif
