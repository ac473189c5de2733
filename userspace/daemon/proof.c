/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Proofs. A guest is proven by its TCP connection: the kernel kept the SYN
 * that opened it (TCP_SAVE_SYN=2 on the portal's listening socket), with the
 * Ethernet header in front, and its source address is the client. It can be
 * read once, so a connection that proved a request cannot prove another.
 *
 * The portal only hands the socket over; it may be hostile. Whatever it hands
 * over (its own connection to itself, a socket that listens, a pipe, what it
 * made in a network namespace of its own) must not become somebody: the
 * connection has to end at a portal of a network, come from another machine,
 * and its client be seen by the datapath there.
 *
 * The guest may be hostile, too, and send a single SYN under another's MAC.
 * So who sent the SYN must be who gets our answers, by the neighbour table.
 * That one can be poisoned; it may say no, but never who it is.
 */
#include "daemon/proof.h"

#include <linux/if_ether.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <pwd.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mac.h"
#include "base/util.h"

#ifndef TCP_SAVED_SYN
#define TCP_SAVED_SYN 28
#endif

#define VLAN_TAGS_MAX 2
#define FORGED_LOG_NS (60 * NSEC_PER_SEC) /* a guest must not fill the log */

static bool find_uid(const char *user, uid_t *ret_uid)
{
	const struct passwd *pw = getpwnam(user);

	*ret_uid = pw ? pw->pw_uid : 0;
	return pw != NULL;
}

void role_table_init(struct role_table *roles, const struct config *config)
{
	int i;

	roles->has_portal = find_uid(config->portal_user, &roles->portal_uid);
	roles->has_door = find_uid(config->operator_user, &roles->door_uid);
	roles->count = 0;
	for (i = 0; i < config->role_count; i++) {
		const struct config_role *role = &config->roles[i];
		const struct passwd *pw = getpwnam(role->user);

		if (!pw) {
			log_warning("[roles] %s: no such user; the line has no "
				    "effect",
				role->user);
			continue;
		}
		roles->rows[roles->count].uid = pw->pw_uid;
		roles->rows[roles->count].role = role->role;
		memcpy(roles->rows[roles->count].user, role->user,
			sizeof(role->user));
		roles->count++;
	}
}

void proof_local(
	const struct role_table *roles, uid_t uid, struct caller *ret_caller)
{
	struct caller caller = {.proof = PROOF_LOCAL, .role = ROLE_NONE};
	int i;

	snprintf(caller.who, sizeof(caller.who), "uid %u", (unsigned int)uid);
	for (i = 0; i < roles->count; i++)
		if (roles->rows[i].uid == uid) {
			caller.role = roles->rows[i].role;
			memcpy(caller.who, roles->rows[i].user,
				sizeof(roles->rows[i].user));
		}
	if (uid == 0) {
		caller.role = ROLE_ADMIN;
		memcpy(caller.who, "root", sizeof("root"));
	}
	/* It parses hostile bytes. Who is root there is admin nowhere. */
	if (roles->has_portal && uid == roles->portal_uid)
		caller.role = ROLE_NONE;
	if (roles->has_door && uid == roles->door_uid) {
		caller.role = ROLE_NONE;
		caller.proof = PROOF_DOOR;
	}
	*ret_caller = caller;
}

static uint16_t be16_at(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

/* The source address of the IP packet at `at`. */
static int ip_source(const uint8_t *at, size_t len, uint16_t ethertype,
	struct ipaddr *ret_addr)
{
	uint32_t v4;

	if (ethertype == ETH_P_IP && len >= sizeof(struct iphdr) &&
		at[0] >> 4 == 4 && at[9] == IPPROTO_TCP) {
		memcpy(&v4, at + offsetof(struct iphdr, saddr), sizeof(v4));
		*ret_addr = ip_from_v4(v4);
		return 0;
	}
	if (ethertype == ETH_P_IPV6 && len >= sizeof(struct ip6_hdr) &&
		at[0] >> 4 == 6) {
		memcpy(ret_addr->addr, at + offsetof(struct ip6_hdr, ip6_src),
			sizeof(ret_addr->addr));
		return 0;
	}
	return -EBADMSG;
}

int proof_parse_syn(const uint8_t *syn, size_t len, const struct ipaddr *peer,
	struct mac *ret_from, struct mac *ret_to)
{
	size_t at = offsetof(struct ethhdr, h_proto);
	struct ipaddr source;
	struct mac from, to;
	int tags = 0;

	if (len < sizeof(struct ethhdr))
		return -EBADMSG;
	memcpy(from.addr, syn + offsetof(struct ethhdr, h_source),
		sizeof(from.addr));
	memcpy(to.addr, syn + offsetof(struct ethhdr, h_dest), sizeof(to.addr));
	while (be16_at(syn + at) == ETH_P_8021Q ||
		be16_at(syn + at) == ETH_P_8021AD) {
		if (++tags > VLAN_TAGS_MAX || len < at + 6)
			return -EBADMSG;
		at += 4;
	}
	if (ip_source(syn + at + 2, len - at - 2, be16_at(syn + at), &source) ||
		!ip_equal(&source, peer))
		return -EBADMSG;
	/* Zero is the loopback interface; a group is nobody. */
	if (mac_is_zero(&from) || from.addr[0] & 1)
		return -EBADMSG;
	*ret_from = from;
	*ret_to = to;
	return 0;
}

/* An established TCP connection, and nothing else that a descriptor can be. */
static bool is_connection(int fd)
{
	struct tcp_info info;
	int domain, protocol;
	socklen_t len = sizeof(domain);

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) ||
		(domain != AF_INET && domain != AF_INET6))
		return false;
	len = sizeof(protocol);
	if (getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len) ||
		protocol != IPPROTO_TCP)
		return false;
	len = sizeof(info);
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len))
		return false;
	return info.tcpi_state == TCP_ESTABLISHED ||
	       info.tcpi_state == TCP_CLOSE_WAIT;
}

static int get_netns(int fd, uint64_t *ret_netns)
{
	socklen_t len = sizeof(*ret_netns);

	return getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, ret_netns, &len)
		       ? -errno
		       : 0;
}

int proof_own_netns(uint64_t *ret_netns)
{
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return fd < 0 ? -errno : get_netns(fd, ret_netns);
}

static int get_addresses(int fd, struct proof_connection *c)
{
	union {
		struct sockaddr any;
		struct sockaddr_storage storage;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} local, peer;
	socklen_t local_len = sizeof(local), peer_len = sizeof(peer);
	bool is_v6;

	if (getsockname(fd, &local.any, &local_len) ||
		getpeername(fd, &peer.any, &peer_len))
		return -errno;
	is_v6 = peer.any.sa_family == AF_INET6;
	c->local_port = ntohs(is_v6 ? local.v6.sin6_port : local.v4.sin_port);
	c->peer_scope = is_v6 ? peer.v6.sin6_scope_id : 0;
	return ip_from_sockaddr(&local.storage, &c->local)
		       ?: ip_from_sockaddr(&peer.storage, &c->peer);
}

static void get_syn(int fd, struct proof_connection *c)
{
	socklen_t len = sizeof(c->syn);

	c->syn_len = getsockopt(fd, IPPROTO_TCP, TCP_SAVED_SYN, c->syn, &len)
			     ? 0
			     : len;
}

static const struct config_network *network_at(
	const struct config *config, const struct ipaddr *local, uint16_t port)
{
	uint16_t ports[CONFIG_PORTAL_PORTS];
	int i, n = config_portal_ports(config, ports);

	while (n > 0 && ports[n - 1] != port)
		n--;
	for (i = 0; n > 0 && i < config->network_count; i++) {
		const struct config_network *network = &config->networks[i];

		if (!ip_is_zero(local) &&
			(ip_equal(local, &network->portal4) ||
				ip_equal(local, &network->portal6)))
			return network;
	}
	return NULL;
}

static void log_forged(struct proof_box *box, const struct caller *caller,
	const struct mac *answered)
{
	int64_t now = clock_mono_ns();
	char from[MAC_TEXT], to[MAC_TEXT], ip[IP_TEXT];

	if (box->logged_ns && now - box->logged_ns < FORGED_LOG_NS)
		return;
	box->logged_ns = now;
	log_warning("network %s: refused a request: its connection was opened "
		    "under the MAC %s, but answers to %s go to %s, who may be "
		    "posing as the other",
		caller->network_name, mac_format(&caller->mac, from),
		ip_format(&caller->ip, ip), mac_format(answered, to));
}

/* Does the sender of the SYN get our answers? */
static bool is_answered(struct proof_box *box, const struct proof_connection *c,
	const struct config_network *network, const struct caller *caller)
{
	struct mac mac;

	if (box->answers_to(box->data, network, &c->peer, c->peer_scope, &mac))
		return false;
	if (mac_equal(&mac, &caller->mac))
		return true;
	log_forged(box, caller, &mac);
	return false;
}

enum ctl_code proof_judge(struct proof_box *box,
	const struct proof_connection *c, struct caller *ret_caller,
	const char **ret_why)
{
	const struct config_network *network =
		network_at(box->config, &c->local, c->local_port);
	struct caller caller = {.proof = PROOF_GUEST, .role = ROLE_NONE};
	struct mac to;

	if (!network || c->netns != box->netns) {
		*ret_why = "This connection does not end at the portal of a "
			   "guest network.";
		return CTL_not_a_guest;
	}
	if (c->syn_len == 0) {
		*ret_why = "Your device could not be recognised this time. "
			   "Please try again.";
		return CTL_no_client;
	}
	caller.ip = c->peer;
	caller.network = network->number;
	caller.network_name = network->name;
	if (proof_parse_syn(
		    c->syn, c->syn_len, &c->peer, &caller.mac, &to) ||
		!box->is_ours(box->data, network, &to)) {
		*ret_why = "This connection does not come from a device on a "
			   "guest network.";
		return CTL_not_a_guest;
	}
	if (box->seen_on(box->data, &caller.mac) != network->number) {
		*ret_why = "Your device is not on the network of this portal. "
			   "Join the guest Wi-Fi and try again.";
		return CTL_not_a_guest;
	}
	if (!is_answered(box, c, network, &caller)) {
		*ret_why = "Your device could not be told from another one. "
			   "Please try again.";
		return CTL_no_client;
	}
	mac_format(&caller.mac, caller.who);
	*ret_caller = caller;
	return CTL_OK;
}

enum ctl_code proof_guest(struct proof_box *box, int fd,
	struct caller *ret_caller, const char **ret_why)
{
	struct proof_connection c;

	if (!is_connection(fd) || get_netns(fd, &c.netns) ||
		get_addresses(fd, &c)) {
		*ret_why = "The descriptor is not an open TCP connection.";
		return CTL_bad_request;
	}
	get_syn(fd, &c);
	return proof_judge(box, &c, ret_caller, ret_why);
}
