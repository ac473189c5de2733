/* SPDX-License-Identifier: GPL-2.0-or-later */
/* XDP that passes everything: XDP_TX towards a veth needs one on its peer. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

SEC("xdp")
int pass(struct xdp_md *ctx)
{
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
