/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The packet generator: run by the kernel's test run with live frames, each
 * frame is made another guest's and sent out of an interface. The rest of the
 * frame is as storm_main.c built it, written anew each time: a frame's page
 * comes back as the gateway left it. `sink_xdp` is the far end, `pass_xdp` a
 * hook that does nothing.
 */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

#define FRAME_WORDS 8

/* Set by storm_main.c. */
__u64 frame[FRAME_WORDS];
__u32 first = 0;          /* number of the first guest */
__u32 guests = 1;
__u32 first_addr = 0;     /* of guest 0, host order */
__u32 header_sum = 0;     /* IPv4 header without source and checksum */
int out_ifindex = 0;
__u32 random_state = 1;

SEC("xdp")
int storm_xdp(struct xdp_md *ctx)
{
	unsigned char *data = (void *)(long)ctx->data;
	struct iphdr *ip = (void *)(data + 14);
	__u32 n, addr, sum;

	if (data + sizeof(frame) > (unsigned char *)(long)ctx->data_end)
		return XDP_ABORTED;
	for (int i = 0; i < FRAME_WORDS; i++)
		((__u64 *)data)[i] = frame[i];
	random_state = random_state * 1664525 + 1013904223;
	n = first + (__u32)(((__u64)random_state * guests) >> 32);
	*(__u16 *)(data + 6) = bpf_htons(0x0210);
	*(__u32 *)(data + 8) = bpf_htonl(n);

	addr = first_addr + n;
	sum = header_sum + (addr >> 16) + (addr & 0xffff);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	ip->saddr = bpf_htonl(addr);
	ip->check = bpf_htons(~sum & 0xffff);
	return bpf_redirect(out_ifindex, 0);
}

SEC("xdp")
int sink_xdp(struct xdp_md *ctx)
{
	return XDP_DROP;
}

SEC("xdp.frags")
int pass_xdp(struct xdp_md *ctx)
{
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
