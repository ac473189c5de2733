/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Our table in nftables: forwarding and input from, and forwarding to, an
 * interface that carries a guest network is dropped until its device group
 * says that our hooks are attached. So an interface that is deleted and made
 * again is closed although nobody noticed yet. The table is `inet gatehouse`;
 * nothing outside it is read or written.
 */
#ifndef NET_NFT_H
#define NET_NFT_H

#include <stddef.h>
#include <stdint.h>

struct nft;

struct nft_error {
	char text[256];
};

/* One per process; connects to nothing yet. */
int nft_open(struct nft **ret_nft);
/* The table stays. NULL is fine. */
void nft_close(struct nft *nft);

/*
 * Puts the table in place, replacing an older one in one transaction: there is
 * no moment without it. `names` are the guest interfaces, bridges by their own
 * name; 0 of them gives an empty table.
 *   -EINVAL  a name that cannot stand in a rule
 *   -EIO     nftables refused; `err` has its words, the table is what it was
 */
int nft_apply(struct nft *nft, const char *const *names, size_t n,
	uint32_t group, struct nft_error *err);

/*
 * Whether the table is still what nft_apply() made: 0 yes, 1 no (apply again),
 * negative errno when the kernel does not answer. Cheap while nobody changes
 * anything in nftables.
 */
int nft_check(struct nft *nft);

/* Removes the table; that it is not there is no error. -EIO as above. */
int nft_remove(struct nft *nft, struct nft_error *err);

#endif
