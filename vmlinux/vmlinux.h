/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel types that bpf/ uses. What is user-space ABI (contexts, protocol
 * headers) comes from the kernel's own UAPI headers; what is not is declared
 * here with just the fields used, and relocated to the running kernel's layout
 * when the programs are loaded (CO-RE). So no dump of one kernel is kept.
 */
#ifndef __VMLINUX_H__
#define __VMLINUX_H__

#include <stdbool.h>
#include <stddef.h>

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <linux/tcp.h>
#include <linux/types.h>
#include <linux/udp.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* include/linux/skbuff.h: 3 is CHECKSUM_PARTIAL */
struct sk_buff {
	__u8 ip_summed : 2;
	__u16 csum_start; /* from head */
	__u16 csum_offset;
	unsigned char *head;
	unsigned char *data;
};

#pragma clang attribute pop

#endif
