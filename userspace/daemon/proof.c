/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Proofs. A guest is proven by its TCP connection: the kernel kept the SYN
 * that opened it (TCP_SAVE_SYN=2 on the portal's listening socket), with the
 * Ethernet header in front, and its source address is the client. It can be
 * read once, so a connection that proved a request cannot prove another.
 *
 * The portal only hands the socket over; it may be hostile. Whatever it hands
 * over (its own connection to itself, a socket that listens, a pipe) must not
 * become somebody: the connection has to end at a portal address of a network,
 * come from another machine, and its client be seen by the datapath there.
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

#include "base/log.h"
#include "base/mac.h"
#include "base/util.h"

#ifndef TCP_SAVED_SYN
#define TCP_SAVED_SYN 28
#endif

#define VLAN_TAGS_MAX 2
#define SYN_BYTES_MAX 512 /* 14 + 2 * 4 + the largest IP and TCP headers */

void role_table_init(struct role_table *roles, const struct config *config)
{
	int i;

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
	struct mac *ret_mac)
{
	size_t at = offsetof(struct ethhdr, h_proto);
	struct ipaddr source;
	struct mac mac;
	int tags = 0;

	if (len < sizeof(struct ethhdr))
		return -EBADMSG;
	memcpy(mac.addr, syn + offsetof(struct ethhdr, h_source),
		sizeof(mac.addr));
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
	if (mac_is_zero(&mac) || mac.addr[0] & 1)
		return -EBADMSG;
	*ret_mac = mac;
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

static int addresses(int fd, struct ipaddr *ret_local, struct ipaddr *ret_peer)
{
	struct sockaddr_storage local, peer;
	socklen_t local_len = sizeof(local), peer_len = sizeof(peer);

	if (getsockname(fd, (struct sockaddr *)&local, &local_len) ||
		getpeername(fd, (struct sockaddr *)&peer, &peer_len))
		return -errno;
	return ip_from_sockaddr(&local, ret_local)
		       ?: ip_from_sockaddr(&peer, ret_peer);
}

static const struct config_network *network_at(
	const struct config *config, const struct ipaddr *local)
{
	int i;

	for (i = 0; i < config->network_count; i++) {
		const struct config_network *network = &config->networks[i];

		if (!ip_is_zero(local) &&
			(ip_equal(local, &network->portal4) ||
				ip_equal(local, &network->portal6)))
			return network;
	}
	return NULL;
}

enum ctl_code proof_guest(const struct config *config, int fd,
	proof_seen_fn *seen, void *data, struct caller *ret_caller,
	const char **ret_why)
{
	struct caller caller = {.proof = PROOF_GUEST, .role = ROLE_NONE};
	uint8_t syn[SYN_BYTES_MAX];
	socklen_t len = sizeof(syn);
	const struct config_network *network;
	struct ipaddr local;

	if (!is_connection(fd) || addresses(fd, &local, &caller.ip)) {
		*ret_why = "The descriptor is not an open TCP connection.";
		return CTL_bad_request;
	}
	network = network_at(config, &local);
	if (!network) {
		*ret_why = "This connection does not end at the portal of a "
			   "guest network.";
		return CTL_not_a_guest;
	}
	if (getsockopt(fd, IPPROTO_TCP, TCP_SAVED_SYN, syn, &len) || len == 0) {
		*ret_why = "Your device could not be recognised this time. "
			   "Please try again.";
		return CTL_no_client;
	}
	if (proof_parse_syn(syn, len, &caller.ip, &caller.mac)) {
		*ret_why = "This connection does not come from a device on a "
			   "guest network.";
		return CTL_not_a_guest;
	}
	if (seen(data, &caller.mac) != network->number) {
		*ret_why = "Your device is not on the network of this portal. "
			   "Join the guest Wi-Fi and try again.";
		return CTL_not_a_guest;
	}
	caller.network = network->number;
	caller.network_name = network->name;
	mac_format(&caller.mac, caller.who);
	*ret_caller = caller;
	return CTL_OK;
}
