/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration file. Protects: every fault is told with its line, all of
 * them at once; what is not said has its default; nothing is half taken.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <netinet/in.h>

#include "base/config.h"
#include "base/util.h"

#define NET "[network a]\ninterface = lan0\nportal4 = 10.0.0.1\n"

struct faults {
	int count;
	int lines[16];
	char text[2048];
};

static void gather(void *data, const char *path, int line, const char *text)
{
	struct faults *faults = data;
	size_t at = strlen(faults->text);

	if (faults->count < 16)
		faults->lines[faults->count] = line;
	faults->count++;
	snprintf(faults->text + at, sizeof(faults->text) - at, "%d: %s\n", line,
		text);
}

static int load_for(enum config_use use, const char *text, size_t len,
	struct config *ret_config, struct faults *faults)
{
	char path[] = "/tmp/test_config.XXXXXX";
	int fd = mkstemp(path), ret;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), (ssize_t)len);
	close(fd);
	memset(faults, 0, sizeof(*faults));
	ret = config_load(path, use, ret_config, gather, faults);
	unlink(path);
	return ret;
}

static int load(const char *text, size_t len, struct config *ret_config,
	struct faults *faults)
{
	return load_for(CONFIG_FOR_GATE, text, len, ret_config, faults);
}

static struct config config;
static struct faults faults;

static void test_defaults(void **state)
{
	static const char text[] = NET;

	assert_int_equal(load(text, strlen(text), &config, &faults), 0);
	assert_string_equal(config.state_dir, "/var/lib/gatehouse");
	assert_string_equal(config.socket, "/run/gatehouse/control.sock");
	assert_string_equal(config.pin_dir, "/sys/fs/bpf/gatehouse");
	assert_int_equal(config.clients_max, 65536);
	assert_int_equal(config.token_days, 3);
	assert_string_equal(config.voucher_prefix, "AJC");
	assert_int_equal(config.portal_http_port, 80);
	assert_string_equal(config.venue_name, "Guest Wi-Fi");
	assert_int_equal(config.network_count, 1);
	assert_int_equal(config.networks[0].number, 1);
	assert_string_equal(config.networks[0].ssid, "a");
	assert_false(config.networks[0].block_private);
	assert_int_equal(config.networks[0].captive_kbps, 8);
	assert_true(ip_is_v4(&config.networks[0].portal4));
	assert_true(ip_is_zero(&config.networks[0].portal6));
}

/* T2: the instance for operators shares nothing with the guests'. */
static void test_operators(void **state)
{
	static const char text[] = "[portal]\nname = portal.example\n" NET
				   "operators = yes\n";
	uint16_t ports[CONFIG_PORTAL_PORTS];

	assert_int_equal(load(text, strlen(text), &config, &faults), 0);
	assert_string_equal(config.operator_name, "admin.portal.example");
	assert_int_equal(config_operator_ports(&config, ports), 1);
	assert_int_equal(ports[0], 8080);
	config.networks[0].operators = false;
	assert_int_equal(config_operator_ports(&config, ports), 0);
	config_for_operators(&config);
	assert_string_equal(config.portal_user, "gatehouse-operator");
	assert_string_equal(config.portal_name, "admin.portal.example");
	assert_int_equal(config.portal_http_port, 8080);
}

static const char *const operator_faults[] = {
	"[portal]\noperator_user = gatehouse-portal\n" NET,
	"[portal]\noperator_user = root\n" NET,
	"[roles]\ngatehouse-operator = staff\n" NET,
	"[portal]\noperator_tls_cert = /x\n" NET,
	"[portal]\noperator_http_port = 8443\n" NET,
	"[portal]\noperator_http_port = 80\n" NET "operators = yes\n",
};

static void test_operators_apart(void **state)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(operator_faults); i++) {
		const char *text = operator_faults[i];

		if (load(text, strlen(text), &config, &faults) != -EINVAL ||
			faults.count != 1)
			fail_msg("%s: %s", text, faults.text);
	}
}

static void test_everything(void **state)
{
	static const char text[] =
		"\xef\xbb\xbf# a comment\r\n"
		"[gatehouse]\r\n"
		"hook = tc ; behind it\n"
		"voucher_prefix =\n"
		"sweep_seconds=1\n"
		"uplink_check = 192.0.2.1, 192.0.2.2:443 [2001:db8::1]:80 2001:db8::2\n"
		"[portal]\n"
		"venue_name = Caf\xc3\xa9 No. 1\n"
		"[roles]\n"
		"anna = manager\n"
		"bo = staff\n"
		"[coin main]\n"
		"value = 500\n"
		"chip = gpiochip0\n"
		"line = 0\n"
		"active_low = no\n"
		"[coin bar]\n"
		"socket = /run/bar\n"
		"value = 100\n"
		"[network a]\n"
		"  interface = lan0\n"
		"portal4 : 10.0.0.1\n"
		"portal6 = fd00::1\n"
		"reach = 10.9.0.5/32:8080/tcp, 10.9.0.6\n"
		"reach = fd00:9::/64 fd00:9::7/128:53/udp\n"
		"block_private = yes\n"
		"garden = 198.51.100.9/24,2001:db8::/32 203.0.113.7\n"
		"garden = 0.0.0.0/0\n"
		"garden = Example.ORG *.cdn-1.example.net\n"
		"garden_keep_seconds = 60\n"
		"garden_kbps = 500\n"
		"[network b]\n"
		"interface = lan1\n"
		"portal4 = 10.0.1.1\n"
		"number = 7\n"
		"venue_name = The \xc3\xa9lan bar\n"
		"venue_url = https://bar.example/?from=wifi\n"
		"hook = xdp\n";
	const struct config_network *n = &config.networks[0];

	if (load(text, strlen(text), &config, &faults))
		fail_msg("%s", faults.text);
	assert_int_equal(config.hook, CONFIG_HOOK_TC);
	assert_string_equal(config.voucher_prefix, "");
	assert_int_equal(config.uplink_count, 4);
	assert_int_equal(config.uplinks[0].port, 53);
	assert_int_equal(config.uplinks[1].port, 443);
	assert_int_equal(config.uplinks[2].port, 80);
	assert_false(ip_is_v4(&config.uplinks[2].addr));
	assert_int_equal(config.uplinks[3].port, 53);
	assert_string_equal(config.venue_name, "Caf\xc3\xa9 No. 1");
	assert_int_equal(config.role_count, 2);
	assert_int_equal(config.roles[0].role, ROLE_MANAGER);
	assert_int_equal(config.coin_count, 2);
	assert_string_equal(config.coins[0].name, "main");
	assert_int_equal(config.coins[0].gpio_line, 0);
	assert_int_equal(config.coins[0].inhibit_line, -1);
	assert_false(config.coins[0].active_low);
	assert_int_equal(config.coins[0].pulse_max_ms, 200);
	assert_string_equal(config.coins[1].socket, "/run/bar");
	assert_true(config.coins[1].active_low);
	assert_int_equal(config_line(&config, NULL, "socket"), 0);
	assert_string_equal(n->venue_name, config.venue_name);
	assert_string_equal(n->venue_url, "");
	assert_string_equal(n[1].venue_url, "https://bar.example/?from=wifi");
	assert_string_equal(n[1].venue_name, "The \xc3\xa9lan bar");
	assert_int_equal(n->hook, CONFIG_HOOK_TC);
	assert_true(n->block_private);
	assert_int_equal(n->reach_count, 4);
	assert_int_equal(n->reach[0].port, 8080);
	assert_int_equal(n->reach[0].proto, IPPROTO_TCP);
	assert_int_equal(n->reach[1].port, 0);
	assert_int_equal(n->reach[1].prefix.len, 128);
	assert_int_equal(n->reach[2].prefix.len, 64);
	assert_int_equal(n->reach[3].proto, IPPROTO_UDP);
	assert_int_equal(n->garden_count, 6);
	assert_int_equal(n->garden[0].prefix.len, 120);
	assert_int_equal(n->garden[1].prefix.len, 32);
	assert_int_equal(n->garden[2].prefix.len, 128);
	assert_int_equal(n->garden[3].prefix.len, 96);
	assert_string_equal(n->garden[0].text, "198.51.100.9/24");
	assert_false(n->garden[0].is_name);
	assert_string_equal(n->garden[4].text, "example.org");
	assert_true(n->garden[4].is_name);
	assert_string_equal(n->garden[5].text, "*.cdn-1.example.net");
	assert_true(n->garden[5].is_name);
	assert_int_equal(n->garden_keep_seconds, 60);
	assert_int_equal(config.networks[1].garden_keep_seconds, 300);
	assert_int_equal(n->garden_kbps, 500);
	assert_int_equal(n->garden_network_kbps, 16384);
	assert_int_equal(config.networks[1].garden_count, 0);
	assert_int_equal(config.networks[1].number, 7);
	assert_int_equal(config.networks[1].hook, CONFIG_HOOK_XDP);
}

/* One fault each: the line that must be blamed and a word of the sentence. */
struct fault_case {
	const char *text;
	int line;
	const char *word;
};

static const struct fault_case fault_cases[] = {
	{"", 0, "network"},
	{NET "colour = red\n", 4, "colour"},
	{NET "[colour]\nx = 1\n", 4, "colour"},
	{"x = 1\n" NET, 1, "section"},
	{NET "ssid = \xff\n", 4, "UTF-8"},
	{NET "[terms]\nfile = /t\n", 5, "together"},
	{NET "[terms]\nversion = 1\n", 5, "together"},
	{"[gatehouse]\nuplink_check = example.org\n" NET, 2, "uplink_check"},
	{"[gatehouse]\nuplink_check = 192.0.2.1:0\n" NET, 2, "uplink_check"},
	{"[gatehouse]\nuplink_check = [2001:db8::1]x\n" NET, 2, "uplink_check"},
	{"[gatehouse]\nuplink_check = 1.1.1.1 1.1.1.2 1.1.1.3 1.1.1.4 1.1.1.5\n" NET,
		2, "at most"},
	{NET "[coin ]\nvalue = 1\nsocket = /s\n", 4, "slot's name"},
	{NET "[coin a]\nvalue = 1\n", 4, "socket"},
	{NET "[coin a]\nsocket = /s\n", 4, "value"},
	{NET "[coin a]\nvalue = 0\nsocket = /s\n", 5, "value"},
	{NET "[coin a]\nvalue = 1\nchip = gpiochip0\n", 4, "line"},
	{NET "[coin a]\nvalue = 1\nchip = a b\nline = 1\n", 6, "chip"},
	{NET "[coin a]\nvalue = 1\nchip = c\nline = 1\nsocket = /s\n", 4,
		"either"},
	{NET "[coin a]\nvalue = 1\nchip = c\nline = 1\ninhibit_line = 1\n", 4,
		"same"},
	{NET "[coin a]\nvalue = 1\nsocket = /s\npulse_min_ms = 300\n", 4,
		"pulse_max_ms"},
	{NET "[coin a]\nvalue = 1\nsocket = /s\nuser = gatehouse-portal\n", 4,
		"portal"},
	{NET "[coin a]\nvalue = 1\nsocket = /s\n"
	     "[coin b]\nvalue = 1\nsocket = /s\n", 7, "slot a"},
	{NET "[coin a]\nvalue = 1\nsocket = /s\n"
	     "[coin a]\nvalue = 1\nsocket = /t\n", 7, "line 4"},
	{NET "number = 64\n", 4, "63"},
	{NET "number = 1x\n", 4, "number"},
	{NET "number =\n", 4, "number"},
	{NET "number = 99999999999999999999\n", 4, "number"},
	{NET "block_private = maybe\n", 4, "yes or no"},
	{NET "hook = ebpf\n", 4, "auto, xdp or tc"},
	{NET "portal6 = 10.0.0.1\n", 4, "IPv6"},
	{NET "portal4 = 10.0.0.2\n", 4, "line 3"},
	{NET "reach = 10.0.0.5/33\n", 4, "reach"},
	{NET "reach = 10.0.0.5:0/tcp\n", 4, "reach"},
	{NET "reach = 10.0.0.5:80/sctp\n", 4, "reach"},
	{NET "interface\n", 4, "name = value"},
	{NET "= 3\n", 4, "name = value"},
	{NET "[gatehouse\n", 4, "]"},
	{NET "[network a]\ninterface = lan1\n", 4, "line 1"},
	{NET "[network x y]\n", 4, "name"},
	{NET "[network ]\n", 4, "name"},
	{NET "[network b]\ninterface = lan0\nportal4 = 10.0.1.1\n", 5, "lan0"},
	{NET "[network b]\ninterface = lan1\nportal4 = 10.0.0.1\n", 6,
		"address"},
	{NET "[network b]\ninterface = lan1\n", 4, "portal4"},
	{NET "[network b]\nportal4 = 10.0.1.1\n", 4, "interface"},
	{"[network a]\ninterface = lan/0\nportal4 = 10.0.0.1\n", 2,
		"interface"},
	{NET "[gatehouse]\nclients_max = 1\n", 5, "1024"},
	{NET "[gatehouse]\nsocket = run/x\n", 5, "/"},
	{NET "[gatehouse]\ncurrency = tzs\n", 5, "three capital letters"},
	{NET "[gatehouse]\ncurrency = TZSS\n", 5, "three capital letters"},
	{NET "[gatehouse]\ncurrency = T2S\n", 5, "three capital letters"},
	{NET "[portal]\ntls_cert = /a\n", 5, "tls_key"},
	{NET "[portal]\ntls_key = /a\ntls_cert =\n", 5, "tls_key"},
	{NET "[portal]\nhttp_port = 443\n", 5, "same"},
	{"[portal]\nhttps_port = 80\n\nhttp_port = 80\n" NET, 4, "same"},
	{NET "number = 2\n[network b]\ninterface = lan1\nportal4 = 10.0.1.1\n",
		5, "number 2, by the place of this section, already"},
	{NET "reach = 10.0.0.5\nreach = fd00::1 10.0.0.6/33 10.0.0.7 x\n", 5,
		"does not take 10.0.0.6/33 x;"},
	{NET "reach = 10.0.0.1,10.0.0.2,10.0.0.3,10.0.0.4,10.0.0.5\n"
	     "reach = 10.0.0.6 10.0.0.7 10.0.0.8 10.0.0.9\n",
		5, "has 9 entries with this line; a network may have 8"},
	{NET "[portal]\nuser = root\n", 5, "must not run as root"},
	{NET "[roles]\nanna = staff\nbo = staff\nanna = admin\n", 7, "line 5"},
	{"[network a]\ninterface = lan0\nportal6 = ::1\n", 3, "loopback"},
	{"[network a]\ninterface = lan0\nportal4 = 127.0.0.1\n", 3,
		"loopback"},
	/* What a wrong header is above is checked all the same. */
	{NET "[network a]\nnumber = 64\n", 5, "63"},
	{NET "[network x/y]\n\ncolour = red\n", 6, "colour"},
	{NET "[portal\nhttp_port = x\n", 5, "http_port"},
	{NET "[colour]\nx = 1\n", 4, "was not checked"},
	{NET "[roles]\nanna = king\n", 5, "staff"},
	{NET "[roles]\nanna = staff\nanna = admin\n", 6, "already"},
	{NET "[roles]\ngatehouse-portal = admin\n", 5, "portal's user"},
	{NET "[roles]\nweb = staff\n[portal]\nuser = web\n", 5,
		"portal's user"},
	{NET "[roles]\nroot = staff\n", 5, "always admin"},
	{"[network a]\ninterface = lo\nportal4 = 10.0.0.1\n", 2, "box itself"},
	{"[network a]\ninterface = lan0\nportal4 = 0.0.0.0\n", 3, "guests can reach"},
	{"[network a]\ninterface = lan0\nportal4 = 224.0.0.1\n", 3,
		"guests can reach"},
	{NET "portal6 = fe80::1\n", 4, "link-local"},
	{NET "portal6 = ::\n", 4, "guests can reach"},
	{NET "portal6 = ff02::1\n", 4, "guests can reach"},
	{NET "ssid = Guests # not shown\n", 4, "line of its own"},
	{NET "venue_url = bar.example\n", 4, "must begin with https"},
	{NET "venue_url = https://\n", 4, "must begin with https"},
	{NET "venue_url = https://a b\n", 4, "only what a URL may"},
	{NET "resolver4 = 127.0.0.53\n", 4, "loopback"},
	{NET "resolver6 = fe80::1\n", 4, "link-local"},
	{NET "steer_dns = maybe\n", 4, "yes or no"},
	{NET "garden = 10.0.0.5:80\n", 4, "198.51.100.0/24"},
	{NET "garden = ::/0 10.0.0.1\n", 4, "does not take ::/0;"},
	{NET "garden = 10.0.0.256\n", 4, "198.51.100.0/24"},
	{NET "garden = example.org.\n", 4, "*.example.org"},
	{NET "garden = example\n", 4, "*.example.org"},
	{NET "garden = *example.org\n", 4, "*.example.org"},
	{NET "garden = a..example.org\n", 4, "*.example.org"},
	{NET "garden = http://example.org\n", 4, "*.example.org"},
	{NET "garden = *.*.org\n", 4, "*.example.org"},
	{NET "garden_kbps = 0\n", 4, "1"},
};

static void test_faults(void **state)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(fault_cases); i++) {
		const struct fault_case *c = &fault_cases[i];
		bool found = false;
		int ret = load(c->text, strlen(c->text), &config, &faults), j;

		for (j = 0; j < MIN(faults.count, 16); j++)
			found |= faults.lines[j] == c->line;
		if (ret != -EINVAL || !found || !strstr(faults.text, c->word))
			fail_msg("<<%s>>: expected line %d about \"%s\", got "
				 "%d: %s",
				c->text, c->line, c->word, ret, faults.text);
	}
}

static void test_all_faults_at_once(void **state)
{
	static const char text[] = "[gatehouse]\n"
				   "clients_max = many\n"
				   "nonsense\n"
				   "hook = ebpf\n" NET "colour = red\n";
	static const int lines[] = {2, 3, 4, 8};
	size_t i;

	assert_int_equal(
		load(text, strlen(text), &config, &faults), -EINVAL);
	assert_int_equal(faults.count, ARRAY_SIZE(lines));
	for (i = 0; i < ARRAY_SIZE(lines); i++)
		assert_int_equal(faults.lines[i], lines[i]);
}

/* One cause, one sentence. */
static void test_no_fault_of_a_fault(void **state)
{
	static const char *const texts[] = {
		"[networks guest]\n",
		"[network a/b]\ninterface = lan0\nportal4 = 10.0.0.1\n",
		"network a\n",
	};
	char text[16384];
	size_t at = 0, i;

	for (i = 0; i < ARRAY_SIZE(texts); i++) {
		assert_int_equal(load(texts[i], strlen(texts[i]), &config,
					 &faults),
			-EINVAL);
		if (faults.count != 1 || faults.lines[0] != 1)
			fail_msg("<<%s>>: %s", texts[i], faults.text);
	}
	for (i = 0; i < 2 * CONFIG_NETWORKS_MAX; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at,
			"[network n%zu]\ninterface = lan%zu\n"
			"portal4 = 10.0.%zu.1\n",
			i, i, i);
	assert_int_equal(load(text, at, &config, &faults), -EINVAL);
	if (faults.count != 1)
		fail_msg("%s", faults.text);
}

/* A value that was refused is not said to be missing, or to clash. */
static void test_no_echo(void **state)
{
	static const char *const texts[] = {
		"[network a]\ninterface = lan/0\nportal4 = 10.0.0.1\n",
		"[network a]\nportal4 = 10.0.0.256\ninterface = lan0\n",
		"[network a]\nnumber = 64\ninterface = lan0\n"
		"portal4 = 10.0.0.1\n[network b]\nnumber = 1\n"
		"interface = lan1\nportal4 = 10.0.1.1\n",
		"[portal]\nhttps_port = x\nhttp_port = 443\n" NET,
		"[portal]\ntls_key = a.key\ntls_cert = /a.crt\n" NET,
		"[portal]\nuser = root\n[roles]\nroot = admin\n" NET,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(texts); i++)
		if (load(texts[i], strlen(texts[i]), &config, &faults) !=
				-EINVAL ||
			faults.count != 1 || faults.lines[0] > 2)
			fail_msg("<<%s>>: %s", texts[i], faults.text);
}

/* Whatever the order in which they are found. */
static void test_faults_by_line(void **state)
{
	static const char text[] = "[portal]\n"
				   "http_port = 443\n"
				   "tls_key = /key\n"
				   "[network a]\n"
				   "[roles]\n"
				   "anna = king\n"
				   "[network b]\n"
				   "interface = lan0\n"
				   "portal4 = 127.0.0.1\n";
	static const int lines[] = {2, 3, 4, 4, 6, 9};
	size_t i;

	assert_int_equal(load(text, strlen(text), &config, &faults), -EINVAL);
	if (faults.count != ARRAY_SIZE(lines))
		fail_msg("%s", faults.text);
	for (i = 0; i < ARRAY_SIZE(lines); i++)
		assert_int_equal(faults.lines[i], lines[i]);
}

static void test_a_portal_alone(void **state)
{
	static const char text[] =
		"[network a]\ninterface = lan0\nportal4 = 127.0.0.1\n";

	assert_int_equal(load_for(CONFIG_FOR_PORTAL, text, strlen(text),
				 &config, &faults),
		0);
	assert_int_equal(config_line(&config, config.networks, "portal4"), 3);
	assert_int_equal(config_line(&config, config.networks, "portal6"), 1);
	assert_int_equal(config_line(&config, NULL, "socket"), 0);
}

static void test_names_with_a_hash(void **state)
{
	static const char text[] =
		NET "ssid = Cafe #1\n[roles]\nroot = admin\n";

	if (load(text, strlen(text), &config, &faults))
		fail_msg("%s", faults.text);
	assert_string_equal(config.networks[0].ssid, "Cafe #1");
}

static void test_bytes(void **state)
{
	static const char nul[] = "[network a]\ninter\0face = lan0\n";
	char text[4096];

	assert_int_equal(
		load(nul, sizeof(nul) - 1, &config, &faults), -EINVAL);
	assert_int_equal(faults.lines[faults.count - 1], 2);
	/* A line beyond the parser's buffer is blamed, never cut in two. */
	memset(text, 'x', sizeof(text));
	memcpy(text, NET "ssid = ", strlen(NET) + 7);
	assert_int_equal(load(text, sizeof(text), &config, &faults), -EINVAL);
	assert_int_equal(faults.count, 1);
	assert_int_equal(faults.lines[0], 4);
}

static void test_untouched_after_faults(void **state)
{
	static const char good[] = NET, bad[] = NET "[gatehouse]\nhook = x\n";

	assert_int_equal(load(good, strlen(good), &config, &faults), 0);
	config.token_days = 77;
	assert_int_equal(load(bad, strlen(bad), &config, &faults), -EINVAL);
	assert_int_equal(config.token_days, 77);
	assert_int_equal(
		config_load("/nonexistent", CONFIG_FOR_GATE, &config, gather, &faults), -ENOENT);
	assert_int_equal(config_load("/", CONFIG_FOR_GATE, &config, gather, &faults), -EISDIR);
}

/* The installed example shows every default as a comment, "#name = value":
 * with the marks taken away it must be a configuration without a fault. */
static void test_packaged_example(void **state)
{
	FILE *file = fopen("packaging/gatehouse.conf", "re");
	char line[256], text[16384];
	size_t at = 0;

	if (!file) {
		print_message("packaging/gatehouse.conf is not here\n");
		skip();
	}
	while (fgets(line, sizeof(line), file)) {
		bool shown = line[0] == '#' && line[1] != ' ' && line[1] != '\n';

		at += (size_t)snprintf(
			text + at, sizeof(text) - at, "%s", line + shown);
		assert_true(at < sizeof(text));
	}
	fclose(file);
	if (load(text, at, &config, &faults))
		fail_msg("%s", faults.text);
	assert_int_equal(config.network_count, 1);
	assert_int_equal(config.role_count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_operators),
		cmocka_unit_test(test_operators_apart),
		cmocka_unit_test(test_everything),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_all_faults_at_once),
		cmocka_unit_test(test_no_fault_of_a_fault),
		cmocka_unit_test(test_no_echo),
		cmocka_unit_test(test_faults_by_line),
		cmocka_unit_test(test_a_portal_alone),
		cmocka_unit_test(test_names_with_a_hash),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_untouched_after_faults),
		cmocka_unit_test(test_packaged_example),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
