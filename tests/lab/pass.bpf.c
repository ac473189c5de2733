/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * XDP that passes everything. For the guests' ends of veth pairs: XDP_TX
 * towards a veth needs a program on its peer.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

SEC("xdp")
int pass(struct xdp_md *ctx)
{
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
