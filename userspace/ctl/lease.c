/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DHCPv4 (RFC 2131), a client's half of it: discover, offer, request, ack, and
 * release. By a UDP socket bound to the interface: broadcasts are asked for, so
 * that answers arrive before there is an address. What a server sends is
 * bounded by the message, option by option.
 */
#include "ctl/lease.h"

#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/util.h"

#define FIXED	    240 /* up to the options */
#define MESSAGE_MAX 1500
#define TRY_MS	    2000
#define COOKIE	    "\x63\x82\x53\x63"

enum {
	OPTION_MASK = 1,
	OPTION_ROUTER = 3,
	OPTION_DNS = 6,
	OPTION_REQUESTED = 50,
	OPTION_TYPE = 53,
	OPTION_SERVER = 54,
	OPTION_WANTED = 55,
	OPTION_CAPPORT = 114,
	OPTION_END = 255,
};
enum { DISCOVER = 1, OFFER = 2, REQUEST = 3, ACK = 5, RELEASE = 7 };

struct message {
	uint8_t bytes[576];
	size_t len;
};

static void put_option(
	struct message *m, int option, const void *data, size_t len)
{
	m->bytes[m->len++] = (uint8_t)option;
	m->bytes[m->len++] = (uint8_t)len;
	memcpy(&m->bytes[m->len], data, len);
	m->len += len;
}

static void make(struct message *m, int type, const uint8_t mac[6],
	const struct lease *lease)
{
	static const uint8_t wanted[] = {
		OPTION_MASK, OPTION_ROUTER, OPTION_DNS, OPTION_CAPPORT};
	uint8_t kind = (uint8_t)type;

	*m = (struct message){.len = FIXED};
	m->bytes[0] = 1; /* a request */
	m->bytes[1] = 1; /* over Ethernet */
	m->bytes[2] = 6;
	memcpy(&m->bytes[4], &lease->id, 4);
	if (type == RELEASE)
		memcpy(&m->bytes[12], &lease->address, 4);
	else
		m->bytes[10] = 0x80; /* answer by broadcast */
	memcpy(&m->bytes[28], mac, 6);
	memcpy(&m->bytes[236], COOKIE, 4);
	put_option(m, OPTION_TYPE, &kind, 1);
	if (type == REQUEST)
		put_option(m, OPTION_REQUESTED, &lease->address, 4);
	if (type != DISCOVER)
		put_option(m, OPTION_SERVER, &lease->server, 4);
	if (type != RELEASE)
		put_option(m, OPTION_WANTED, wanted, sizeof(wanted));
	m->bytes[m->len++] = OPTION_END;
}

static void take_option(
	struct lease *lease, int *type, int option, const uint8_t *data, size_t len)
{
	struct in_addr *address = option == OPTION_MASK	    ? &lease->mask
				  : option == OPTION_ROUTER ? &lease->router
				  : option == OPTION_DNS    ? &lease->resolver
				  : option == OPTION_SERVER ? &lease->server
							    : NULL;

	if (address && len >= 4)
		memcpy(address, data, 4);
	else if (option == OPTION_TYPE && len == 1)
		*type = *data;
	else if (option == OPTION_CAPPORT && len < sizeof(lease->url)) {
		memcpy(lease->url, data, len);
		lease->url[len] = '\0';
	}
}

int lease_parse(const uint8_t *message, size_t len, uint32_t id,
	struct lease *ret_lease, int *ret_type)
{
	struct lease lease = {.id = id};
	size_t at = FIXED;
	int type = 0;

	if (len < FIXED || message[0] != 2 ||
		memcmp(&message[4], &id, 4) != 0 ||
		memcmp(&message[236], COOKIE, 4) != 0)
		return -EBADMSG;
	memcpy(&lease.address, &message[16], 4);
	while (at < len && message[at] != OPTION_END) {
		size_t size;

		if (!message[at]) {
			at++;
			continue;
		}
		if (at + 2 > len || at + 2 + message[at + 1] > len)
			return -EBADMSG;
		size = message[at + 1];
		take_option(&lease, &type, message[at], &message[at + 2], size);
		at += 2 + size;
	}
	if (!type)
		return -EBADMSG;
	*ret_lease = lease;
	*ret_type = type;
	return 0;
}

static int open_socket(const char *interface, uint8_t ret_mac[6])
{
	struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(68)};
	struct ifreq request = {0};
	_cleanup_fd_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int on = 1;

	if (fd < 0)
		return -errno;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", interface);
	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface,
		    (socklen_t)strlen(interface)) ||
		setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)) ||
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
		ioctl(fd, SIOCGIFHWADDR, &request) ||
		bind(fd, (struct sockaddr *)&here, sizeof(here)))
		return -errno;
	memcpy(ret_mac, request.ifr_hwaddr.sa_data, 6);
	return TAKE_FD(fd);
}

static void send_to(int fd, const struct message *m, struct in_addr to)
{
	struct sockaddr_in there = {.sin_family = AF_INET,
		.sin_port = htons(67),
		.sin_addr = to};

	(void)sendto(fd, m->bytes, m->len, 0, (struct sockaddr *)&there,
		sizeof(there));
}

/* The first answer of that type within `ms`. */
static int hear(int fd, int type, int ms, struct lease *lease)
{
	int64_t until = clock_mono_ns() + ms * NSEC_PER_MSEC;
	uint8_t bytes[MESSAGE_MAX];
	struct lease heard;
	int64_t left;
	int said;

	while ((left = until - clock_mono_ns()) > 0) {
		struct pollfd wait = {.fd = fd, .events = POLLIN};
		ssize_t len;

		if (poll(&wait, 1, (int)(left / NSEC_PER_MSEC) + 1) != 1)
			continue;
		len = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		if (len > 0 &&
			!lease_parse(bytes, (size_t)len, lease->id, &heard, &said) &&
			said == type) {
			*lease = heard;
			return 0;
		}
	}
	return -ETIMEDOUT;
}

int lease_take(const char *interface, int seconds, struct lease *ret_lease)
{
	const struct in_addr all = {INADDR_BROADCAST};
	struct lease lease = {0};
	struct message m;
	uint8_t mac[6];
	_cleanup_fd_ int fd = open_socket(interface, mac);
	int ret = -ETIMEDOUT, tries;

	if (fd < 0)
		return fd;
	crypto_random(&lease.id, sizeof(lease.id));
	for (tries = seconds * 1000 / TRY_MS; ret && tries > 0; tries--) {
		make(&m, DISCOVER, mac, &lease);
		send_to(fd, &m, all);
		ret = hear(fd, OFFER, TRY_MS, &lease);
		if (ret)
			continue;
		make(&m, REQUEST, mac, &lease);
		send_to(fd, &m, all);
		ret = hear(fd, ACK, TRY_MS, &lease);
	}
	if (!ret)
		*ret_lease = lease;
	return ret;
}

void lease_release(const char *interface, const struct lease *lease)
{
	struct message m;
	uint8_t mac[6];
	_cleanup_fd_ int fd = open_socket(interface, mac);

	if (fd < 0)
		return;
	make(&m, RELEASE, mac, lease);
	send_to(fd, &m, lease->server);
}
