/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who asks (docs/design.md T1), derived from what the kernel says and from
 * nothing that was sent.
 */
#ifndef DAEMON_PROOF_H
#define DAEMON_PROOF_H

#include <sys/types.h>

#include "base/config.h"
#include "daemon/reply.h"
#include "gatehouse/types.h"

enum proof {
	PROOF_LOCAL = 1 << 0, /* the uid at the other end of the control socket */
	PROOF_GUEST = 1 << 1, /* an accepted TCP connection of the portal */
};

/* The proven asker. */
struct caller {
	enum proof proof;
	enum role role;    /* ROLE_NONE: a guest, or a user without a role */
	char who[40];      /* for the audit: "root", "uid 1001", a MAC */
	struct mac mac;    /* guest only, as the next three */
	struct ipaddr ip;
	int network;       /* number */
	const char *network_name; /* the configuration's; borrowed */
};

/* Roles of local users, looked up by name once. */
struct role_table {
	int count;
	struct {
		uid_t uid;
		enum role role;
		char user[33];
	} rows[CONFIG_ROLES_MAX];
};
/* A user that does not exist is logged and left out. */
void role_table_init(struct role_table *roles, const struct config *config);

void proof_local(const struct role_table *roles, uid_t uid,
	struct caller *ret_caller);

/* What the datapath says about a MAC: the number of the network where it was
 * last seen, 0 when it was never seen. */
typedef int proof_seen_fn(void *data, const struct mac *mac);

/*
 * The guest at the other end of `fd`. CTL_OK, or CTL_bad_request (no TCP
 * connection), CTL_no_client (no saved SYN: the connection was made by a SYN
 * cookie or has proven a request before), CTL_not_a_guest; then `ret_why` is a
 * sentence for a person.
 */
enum ctl_code proof_guest(const struct config *config, int fd,
	proof_seen_fn *seen, void *data, struct caller *ret_caller,
	const char **ret_why);

/*
 * The Ethernet source of a saved SYN of `len` bytes, when what follows is an
 * IP packet from `peer` (0 to 2 VLAN tags between). -EBADMSG otherwise, also
 * for a source that no client can have.
 */
int proof_parse_syn(const uint8_t *syn, size_t len, const struct ipaddr *peer,
	struct mac *ret_mac);

#endif
