/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who asks (docs/design.md T1), derived from what the kernel says and from
 * nothing that was sent.
 */
#ifndef DAEMON_PROOF_H
#define DAEMON_PROOF_H

#include <stddef.h>
#include <sys/types.h>

#include "base/config.h"
#include "daemon/reply.h"
#include "gatehouse/types.h"

enum proof {
	PROOF_LOCAL = 1 << 0, /* the uid at the other end of the control socket */
	PROOF_GUEST = 1 << 1, /* an accepted TCP connection of the portal */
	PROOF_OPERATOR = 1 << 2, /* the token of an operator */
	PROOF_DOOR = 1 << 3, /* the operators' portal, of nobody yet: to log in */
	/* A guest's connection with the cookie of a login by QR code that was
	 * made from that device by PIN: staff, and no more than that. */
	PROOF_STAFF = 1 << 4,
};
/* What operators may do from wherever they are. What stays PROOF_LOCAL needs
 * an account on the box itself. */
#define PROOF_DESK (PROOF_LOCAL | PROOF_OPERATOR)

/* The proven asker. */
struct caller {
	enum proof proof;
	enum role role;    /* ROLE_NONE: a guest, or a user without a role */
	char who[40];      /* for the audit: "root", "uid 1001", a MAC,
			    * "operator anna" */
	struct mac mac;    /* guest only, as the next three */
	struct ipaddr ip;
	int network;       /* number */
	const char *network_name; /* the configuration's; borrowed */
	int64_t operator_id; /* PROOF_OPERATOR and _STAFF; the next two not */
	int64_t operator_session; /* 0: an API token */
	int64_t operator_expires_at; /* seconds, or UNLIMITED */
};

/* Roles of local users, looked up by name once. */
struct role_table {
	/* The portal's two instances: they have no role, whoever they are. */
	bool has_portal, has_door;
	uid_t portal_uid, door_uid;
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

/* What the box itself knows: what a connection must agree with (witness.c). */
struct proof_box {
	const struct config *config;
	uint64_t netns; /* the daemon's own, see proof_own_netns() */
	/* The number of the network where the gate last saw a MAC; 0: never. */
	int (*seen_on)(void *data, const struct mac *mac);
	/* Is it the box's own on an interface of that network? */
	bool (*is_ours)(void *data, const struct config_network *network,
		const struct mac *mac);
	/* The MAC that gets what the box sends to `addr` there; -errno: none.
	 * `scope`: the interface of a link-local address, otherwise 0. */
	int (*answers_to)(void *data, const struct config_network *network,
		const struct ipaddr *addr, uint32_t scope, struct mac *ret_mac);
	void *data;
	int64_t logged_ns; /* the last warning of a forged SYN; 0: never */
};

/* The kernel's name for the network namespace of this process. */
int proof_own_netns(uint64_t *ret_netns);

#define PROOF_SYN_MAX 512 /* 14 + 2 * 4 + the largest IP and TCP headers */

/* What the kernel says of a TCP connection. */
struct proof_connection {
	uint64_t netns;
	struct ipaddr local, peer;
	uint16_t local_port; /* host order */
	uint32_t peer_scope; /* as for answers_to() */
	size_t syn_len; /* 0: made by a SYN cookie, or its SYN was read before */
	uint8_t syn[PROOF_SYN_MAX];
};

/*
 * The guest at the other end of `fd`. CTL_OK, or CTL_bad_request (no TCP
 * connection), CTL_no_client (no saved SYN, or its sender is not who gets our
 * answers), CTL_not_a_guest; then `ret_why` is a sentence for a person.
 */
enum ctl_code proof_guest(struct proof_box *box, int fd,
	struct caller *ret_caller, const char **ret_why);

/* The same of a connection that was read already: the rules alone. */
enum ctl_code proof_judge(struct proof_box *box,
	const struct proof_connection *connection, struct caller *ret_caller,
	const char **ret_why);

/*
 * Who sent a saved SYN of `len` bytes to whom, when what follows the Ethernet
 * header is an IP packet from `peer` (0 to 2 VLAN tags between). -EBADMSG
 * otherwise, also for a source that no client can have.
 */
int proof_parse_syn(const uint8_t *syn, size_t len, const struct ipaddr *peer,
	struct mac *ret_from, struct mac *ret_to);

#endif
