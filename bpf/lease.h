/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose an address is by DHCP: read from the acknowledgements (RFC 2131) that
 * the box itself sends, on their way out. What is not plain teaches nothing.
 * gh_lease_read() has no maps and no helpers: compiles on the host as well.
 */
#ifndef GH_LEASE_H
#define GH_LEASE_H

#define GH_DHCP_REPLY    2
#define GH_DHCP_ETHERNET 1
#define GH_DHCP_ACK      5
#define GH_DHCP_COOKIE   bpf_htonl(0x63825363)

#define GH_DHCP_PAD   0
#define GH_DHCP_LEASE 51
#define GH_DHCP_TYPE  53
#define GH_DHCP_END   255

/* Options looked at: servers put type and lease first, and send at least the
 * 300 bytes of a BOOTP reply. */
#define GH_DHCP_OPTIONS     60
#define GH_DHCP_OPTIONS_MAX 12
#define GH_DHCP_MASK        63

#define GH_LEASE_DEFAULT 3600           /* seconds, of an answer that says none */
#define GH_LEASE_MAX     (30 * 86400)   /* "for ever" is not */

/* As it is in the packet, with room for options that run over. */
struct gh_dhcp {
	__u8 op, hardware, hardware_len, hops;
	__be32 xid;
	__be16 secs, flags;
	__be32 client_ip, your_ip, server_ip, relay_ip;
	__u8 client_mac[16];
	__u8 server_name[64], file[128];
	__be32 cookie;
	__u8 options[GH_DHCP_OPTIONS];
};
#define GH_DHCP_BYTES sizeof(struct gh_dhcp)

/* Where it is read to; `at`, `lease` and `type` go through memory, so that the
 * verifier does not follow every value that they can have. */
struct gh_lease {
	union {
		struct gh_dhcp dhcp;
		__u8 bytes[320];
	};
	__u32 at;    /* in the options */
	__u32 lease; /* seconds */
	__u32 type;
	__u32 reserved;
};

static __always_inline __u32 gh_lease_byte(
	const struct gh_lease *lease, __u32 at)
{
	asm volatile("" : "+r"(at));
	return lease->bytes[offsetof(struct gh_dhcp, options) +
			    (at & GH_DHCP_MASK)];
}

/* True: an acknowledgement that gives `dhcp.your_ip` for `lease` seconds. */
__weak __noinline int gh_lease_read(struct gh_lease *lease)
{
	const struct gh_dhcp *dhcp;

	if (!lease)
		return 0;
	dhcp = &lease->dhcp;
	if (dhcp->op != GH_DHCP_REPLY || dhcp->hardware != GH_DHCP_ETHERNET ||
		dhcp->hardware_len != 6 || dhcp->cookie != GH_DHCP_COOKIE ||
		!dhcp->your_ip)
		return 0;
	lease->at = 0;
	lease->type = 0;
	lease->lease = GH_LEASE_DEFAULT;
	for (__u32 i = 0; i < GH_DHCP_OPTIONS_MAX; i++) {
		__u32 at = lease->at, code, len;

		if (at >= GH_DHCP_OPTIONS - 6)
			break;
		code = gh_lease_byte(lease, at);
		if (code == GH_DHCP_END)
			break;
		if (code == GH_DHCP_PAD) {
			lease->at = at + 1;
			continue;
		}
		len = gh_lease_byte(lease, at + 1);
		if (code == GH_DHCP_TYPE && len == 1)
			lease->type = gh_lease_byte(lease, at + 2);
		if (code == GH_DHCP_LEASE && len == 4)
			lease->lease = gh_lease_byte(lease, at + 2) << 24 |
				       gh_lease_byte(lease, at + 3) << 16 |
				       gh_lease_byte(lease, at + 4) << 8 |
				       gh_lease_byte(lease, at + 5);
		lease->at = at + 2 + len;
	}
	if (lease->lease > GH_LEASE_MAX)
		lease->lease = GH_LEASE_MAX;
	return lease->type == GH_DHCP_ACK;
}

#endif
