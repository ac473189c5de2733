/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who asks (T1). Protects: the client is the Ethernet source of the saved SYN
 * and only when the packet behind it comes from the peer's address and all that
 * the box knows by itself agrees; whatever else a descriptor can be is nobody.
 * The real hand-over is tried in tests/portal/test_ctl.py, attacks on it in
 * tests/lab/test_proof.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <arpa/inet.h>
#include <cmocka.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "base/util.h"
#include "daemon/proof.h"

#define ETH "\x02\x00\x00\x00\x00\xfe\x02\x00\x00\x00\x00\x01"
#define ZERO_ETH "\0\0\0\0\0\0\0\0\0\0\0\0"
#define GROUP_ETH "\x02\x00\x00\x00\x00\xfe\x01\x00\x5e\x00\x00\x01"
/* 10.0.0.2 -> 10.0.0.1 */
#define IP4                                                            \
	"\x08\x00\x45\0\0\x3c\0\0\x40\0\x40\x06\0\0\x0a\x00\x00\x02\x0a" \
	"\0\0\x01"
/* fd00::2 -> fd00::1 */
#define ADDR6(last) "\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0" last
#define IP6 "\x86\xdd\x60\0\0\0\0\x28\x06\x40" ADDR6("\x02") ADDR6("\x01")

struct syn_case {
	const char *name;
	const char *bytes;
	size_t len;
	const char *peer;
	int ret;
};

#define BYTES(text) text, sizeof(text) - 1

static const struct syn_case cases[] = {
	{"IPv4", BYTES(ETH IP4), "10.0.0.2", 0},
	{"IPv6", BYTES(ETH IP6), "fd00::2", 0},
	{"one tag", BYTES(ETH "\x81\x00\0\x05" IP4), "10.0.0.2", 0},
	{"two tags", BYTES(ETH "\x88\xa8\0\x05\x81\x00\0\x06" IP6), "fd00::2",
		0},
	{"three tags",
		BYTES(ETH "\x81\x00\0\1\x81\x00\0\2\x81\x00\0\3" IP4),
		"10.0.0.2", -EBADMSG},
	{"another peer", BYTES(ETH IP4), "10.0.0.3", -EBADMSG},
	{"the peer of the other family", BYTES(ETH IP4), "fd00::2", -EBADMSG},
	{"no Ethernet header (TCP_SAVE_SYN=1)", BYTES(IP4), "10.0.0.2",
		-EBADMSG},
	{"loopback", BYTES(ZERO_ETH IP4), "10.0.0.2", -EBADMSG},
	{"source is a group", BYTES(GROUP_ETH IP4), "10.0.0.2", -EBADMSG},
	{"cut in the IP header", ETH IP4, 30, "10.0.0.2", -EBADMSG},
	{"cut in a tag", ETH "\x81\x00\0\x05", 16, "10.0.0.2", -EBADMSG},
	{"cut in Ethernet", ETH, 12, "10.0.0.2", -EBADMSG},
	{"empty", "", 0, "10.0.0.2", -EBADMSG},
	{"ARP", BYTES(ETH "\x08\x06\0\1\x08\0\6\4\0\1"), "10.0.0.2", -EBADMSG},
};

static void test_saved_syn(void **state)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct syn_case *c = &cases[i];
		/* On the heap, so that a sanitiser sees a byte too far. */
		uint8_t *syn = malloc(c->len + 1);
		struct mac mac = {0}, to = {0};
		struct ipaddr peer;
		int ret;

		assert_non_null(syn);
		memcpy(syn, c->bytes, c->len);
		syn = realloc(syn, c->len ? c->len : 1);
		assert_int_equal(ip_parse(c->peer, &peer), 0);
		ret = proof_parse_syn(syn, c->len, &peer, &mac, &to);
		if (ret != c->ret ||
			(!ret && (mac.addr[5] != 1 || to.addr[5] != 0xfe)))
			fail_msg("%s: expected %d, got %d", c->name, c->ret, ret);
		free(syn);
	}
}

/* Network 1 with the portal 10.0.0.1:80, the box's MAC ending in fe and one
 * client, 10.0.0.2 at the MAC ending in 1, told from interface 7. */

struct lan {
	int seen_on;
	uint8_t box, answered; /* last byte of a MAC; 0: none */
	uint32_t ifindex;
};

static int seen_on(void *data, const struct mac *mac)
{
	const struct lan *lan = data;

	return lan->seen_on;
}

static bool is_ours(void *data, const struct config_network *network,
	const struct mac *mac)
{
	const struct lan *lan = data;

	return network->number == 1 && mac->addr[5] == lan->box;
}

static int answers_to(void *data, const struct config_network *network,
	const struct ipaddr *addr, uint32_t scope, struct mac *ret_mac)
{
	const struct lan *lan = data;

	if (!lan->answered || (scope && scope != lan->ifindex))
		return -ENOENT;
	*ret_mac = (struct mac){{2, 0, 0, 0, 0, lan->answered}};
	return 0;
}

struct judge_case {
	const char *name;
	struct lan lan;
	uint64_t netns;
	uint16_t port;
	const char *local, *peer;
	uint32_t scope;
	enum ctl_code code;
};

#define LAN {1, 0xfe, 1, 7}

static const struct judge_case judge_cases[] = {
	{"a guest", LAN, 9, 80, "10.0.0.1", "10.0.0.2", 0, CTL_OK},
	{"by link-local address", LAN, 9, 80, "10.0.0.1", "10.0.0.2", 7, CTL_OK},
	{"made in another network namespace", LAN, 8, 80, "10.0.0.1",
		"10.0.0.2", 0, CTL_not_a_guest},
	{"at no portal's address", LAN, 9, 80, "10.0.0.9", "10.0.0.2", 0,
		CTL_not_a_guest},
	{"at no portal's port", LAN, 9, 8080, "10.0.0.1", "10.0.0.2", 0,
		CTL_not_a_guest},
	{"HTTPS without a certificate", LAN, 9, 443, "10.0.0.1", "10.0.0.2", 0,
		CTL_not_a_guest},
	{"the SYN of another connection", LAN, 9, 80, "10.0.0.1", "10.0.0.3",
		0, CTL_not_a_guest},
	{"a SYN to another interface's MAC", {1, 0xfd, 1, 7}, 9, 80,
		"10.0.0.1", "10.0.0.2", 0, CTL_not_a_guest},
	{"seen on another network", {2, 0xfe, 1, 7}, 9, 80, "10.0.0.1",
		"10.0.0.2", 0, CTL_not_a_guest},
	{"never seen", {0, 0xfe, 1, 7}, 9, 80, "10.0.0.1", "10.0.0.2", 0,
		CTL_not_a_guest},
	{"another gets the answers", {1, 0xfe, 2, 7}, 9, 80, "10.0.0.1",
		"10.0.0.2", 0, CTL_no_client},
	{"nobody gets the answers", {1, 0xfe, 0, 7}, 9, 80, "10.0.0.1",
		"10.0.0.2", 0, CTL_no_client},
	{"by another link's local address", LAN, 9, 80, "10.0.0.1", "10.0.0.2",
		6, CTL_no_client},
};

static void set_config(struct config *config, const char *portal)
{
	memset(config, 0, sizeof(*config));
	config->portal_http_port = 80;
	config->portal_https_port = 443;
	config->network_count = 1;
	config->networks[0].number = 1;
	assert_int_equal(ip_parse(portal, &config->networks[0].portal4), 0);
}

static void test_judgement(void **state)
{
	static struct config config;
	size_t i;

	set_config(&config, "10.0.0.1");
	for (i = 0; i < ARRAY_SIZE(judge_cases); i++) {
		const struct judge_case *c = &judge_cases[i];
		struct lan lan = c->lan;
		struct proof_box box = {&config, 9, seen_on, is_ours,
			answers_to, &lan, 0};
		struct proof_connection connection = {.netns = c->netns,
			.local_port = c->port,
			.peer_scope = c->scope,
			.syn_len = sizeof(ETH IP4) - 1};
		struct caller caller = {.network = 0};
		const char *why = NULL;
		enum ctl_code code;

		memcpy(connection.syn, ETH IP4, connection.syn_len);
		assert_int_equal(ip_parse(c->local, &connection.local), 0);
		assert_int_equal(ip_parse(c->peer, &connection.peer), 0);
		code = proof_judge(&box, &connection, &caller, &why);
		if (code != c->code || !why != !code ||
			caller.network != (code ? 0 : 1) ||
			(!code && strcmp(caller.who, "02:00:00:00:00:01")))
			fail_msg("%s: expected %d, got %d", c->name, c->code,
				code);
		/* Once a minute in the log, and only when there are two. */
		assert_int_equal(box.logged_ns != 0,
			code == CTL_no_client && lan.answered && !c->scope);
		connection.syn_len = 0;
		if (!code)
			assert_int_equal(proof_judge(&box, &connection, &caller,
						 &why),
				CTL_no_client);
	}
}

/* Descriptors that are no guest, whoever sends them. */
static void test_other_descriptors(void **state)
{
	struct sockaddr_in addr = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(addr);
	static struct config config;
	struct lan lan = LAN;
	struct proof_box box = {
		&config, 0, seen_on, is_ours, answers_to, &lan, 0};
	struct caller caller = {.role = ROLE_NONE};
	const char *why = NULL;
	int file = open("/dev/null", O_RDONLY), pair[2], i;
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int client = socket(AF_INET, SOCK_STREAM, 0), accepted;
	int udp = socket(AF_INET, SOCK_DGRAM, 0);
	int idle = socket(AF_INET6, SOCK_STREAM, 0);

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&addr, len), 0);
	assert_int_equal(listen(listener, 1), 0);
	getsockname(listener, (struct sockaddr *)&addr, &len);
	assert_int_equal(connect(client, (struct sockaddr *)&addr, len), 0);
	accepted = accept(listener, NULL, NULL);

	const int none[] = {file, pair[0], udp, idle, listener, -1, 9999};

	for (i = 0; i < (int)ARRAY_SIZE(none); i++)
		assert_int_equal(proof_guest(&box, none[i], &caller, &why),
			CTL_bad_request);
	assert_int_equal(
		proof_guest(&box, accepted, &caller, &why), CTL_not_a_guest);
	/* Even a loopback connection to what is configured as a portal. */
	set_config(&config, "127.0.0.1");
	config.portal_http_port = ntohs(addr.sin_port);
	assert_int_equal(
		proof_guest(&box, accepted, &caller, &why), CTL_not_a_guest);
	assert_int_equal(proof_own_netns(&box.netns), 0);
	assert_int_equal(
		proof_guest(&box, accepted, &caller, &why), CTL_no_client);
	assert_int_equal(caller.proof, 0);
	assert_non_null(why);
	for (i = 0; i < 5; i++)
		close(none[i]);
	close(pair[1]);
	close(client);
	close(accepted);
}

static void test_local(void **state)
{
	struct role_table roles = {.count = 1};
	struct caller caller;

	roles.rows[0].uid = 1001;
	roles.rows[0].role = ROLE_STAFF;
	memcpy(roles.rows[0].user, "anna", 5);
	proof_local(&roles, 0, &caller);
	assert_int_equal(caller.role, ROLE_ADMIN);
	proof_local(&roles, 1001, &caller);
	assert_int_equal(caller.role, ROLE_STAFF);
	assert_string_equal(caller.who, "anna");
	proof_local(&roles, 1002, &caller);
	assert_int_equal(caller.role, ROLE_NONE);
	assert_string_equal(caller.who, "uid 1002");
}

/* Whatever the configuration and the table of users say. */
static void test_portal_has_no_role(void **state)
{
	struct role_table roles = {.has_portal = true, .count = 1};
	struct caller caller;

	proof_local(&roles, 0, &caller);
	assert_int_equal(caller.role, ROLE_NONE);
	roles.portal_uid = roles.rows[0].uid = 1001;
	roles.rows[0].role = ROLE_ADMIN;
	proof_local(&roles, 1001, &caller);
	assert_int_equal(caller.role, ROLE_NONE);
	proof_local(&roles, 0, &caller);
	assert_int_equal(caller.role, ROLE_ADMIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_saved_syn),
		cmocka_unit_test(test_judgement),
		cmocka_unit_test(test_other_descriptors),
		cmocka_unit_test(test_local),
		cmocka_unit_test(test_portal_has_no_role),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
