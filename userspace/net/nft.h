/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Our table in nftables: forwarding and input from, and forwarding to, an
 * interface that carries a guest network is dropped until its device group
 * says that our hooks are attached. So an interface that is deleted and made
 * again is closed although nobody noticed yet. And a portal answers on its own
 * network only, whatever else the box is connected to. The table is
 * `inet gatehouse`; nothing outside it is read or written.
 */
#ifndef NET_NFT_H
#define NET_NFT_H

#include <stddef.h>
#include <stdint.h>

#include "gatehouse/types.h"

#define NFT_PORTS_MAX 4

struct nft;

struct nft_network {
	const char *interface; /* as configured; guarded by its group */
	const char *input; /* where its packets come in: that, or its bridge */
	struct ipaddr portal4, portal6; /* zero: none */
};

struct nft_wish {
	const struct nft_network *networks;
	size_t network_count;
	uint16_t ports[NFT_PORTS_MAX]; /* of portals and operators, host order */
	int port_count;
	uint32_t group; /* of interfaces that are gated */
};

struct nft_error {
	char text[256];
};

/* One per process; connects to nothing yet. */
int nft_open(struct nft **ret_nft);
/* The table stays. NULL is fine. */
void nft_close(struct nft *nft);

/*
 * Puts the table in place, replacing an older one in one transaction: there is
 * no moment without it. Without a network it is empty.
 *   -EINVAL  a name that cannot stand in a rule
 *   -EIO     nftables refused; `err` has its words, the table is what it was
 */
int nft_apply(
	struct nft *nft, const struct nft_wish *wish, struct nft_error *err);

/*
 * Whether the table is still what nft_apply() made: 0 yes, 1 no (apply again),
 * negative errno when the kernel does not answer. Cheap while nobody changes
 * anything in nftables.
 */
int nft_check(struct nft *nft);

/* Removes the table; that it is not there is no error. -EIO as above. */
int nft_remove(struct nft *nft, struct nft_error *err);

#endif
