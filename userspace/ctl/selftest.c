/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The client's place is a namespace on a port of the network's bridge
 * (place.h), with a MAC of its own: what it meets is what guests meet, and
 * nothing of the gate is changed for it. Where the network's interface is no
 * bridge there is no such place on this box: then the gate's own judgement is
 * asked (checks.c), and another machine on that network can be the client, with
 * "here".
 *
 * A check that cannot be made because one before it failed is left out: the
 * first line that failed is the one to mend.
 */
#include "ctl/selftest.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/util.h"
#include "ctl/checks.h"
#include "ctl/ctl_client.h"
#include "ctl/fetch.h"
#include "ctl/lease.h"
#include "ctl/place.h"
#include "ctl/probes.h"

#define TIMEOUT_MS   10000
#define DHCP_SECONDS 10
#define AT_ONCE_MS   1000
#define SILENT_MAX   3
#define API	     "/.well-known/captive-portal"
/* In the internet, for when no name is answered: the gate does not look. */
#define ANYWHERE "203.0.113.1"
#define ANYWHERE6 "2001:db8::1"
#define RA_MS 8000 /* a router's answer, and the address tried out */

struct test {
	const char *portal; /* the URL by TLS that `status` says; "" */
	int64_t http_port;
	bool v6;	    /* the network has a portal by IPv6 */
	const char *ca;	    /* NULL: none but this machine's */
	struct lease lease;
	char web[INET6_ADDRSTRLEN]; /* where probes are sent */
	char page[512];		   /* where the first of them was sent on to */
	int silent; /* probes that had no answer at all */
	json_t *checks;
};

static const char *field(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name)) ?: "";
}

static void check(struct test *test, const char *name, enum result result,
	const char *said, const char *remedy)
{
	checks_add(test->checks, name, result, said, remedy);
}

/* Joining. */

static int settle(const struct lease *lease)
{
	char address[INET_ADDRSTRLEN + 4], router[INET_ADDRSTRLEN];
	const char *const add[] = {
		"ip", "addr", "add", address, "dev", "eth0", NULL};
	const char *const route[] = {
		"ip", "route", "add", "default", "via", router, NULL};
	char text[INET_ADDRSTRLEN];
	int ret;

	snprintf(address, sizeof(address), "%s/%d",
		inet_ntop(AF_INET, &lease->address, text, sizeof(text)),
		__builtin_popcount(lease->mask.s_addr));
	inet_ntop(AF_INET, &lease->router, router, sizeof(router));
	ret = place_command(add);
	return ret ?: place_command(route);
}

static bool join(struct test *test)
{
	char text[INET_ADDRSTRLEN];
	int ret = lease_take("eth0", DHCP_SECONDS, &test->lease);

	if (!ret && (!test->lease.router.s_addr || settle(&test->lease)))
		ret = -EBADMSG;
	if (ret) {
		check(test, "DHCP", RESULT_FAILED,
			ret == -EBADMSG ? "an address without a router"
					: "no answer",
			"A DHCP server must serve the network's interface and "
			"name the box as router: look at its log");
		return false;
	}
	check(test, "DHCP", RESULT_OK,
		inet_ntop(AF_INET, &test->lease.address, text, sizeof(text)), "");
	return true;
}

static void check_option(struct test *test)
{
	char url[600];

	snprintf(url, sizeof(url), "%s" API, test->portal);
	if (!*test->portal)
		check(test, "DHCP option 114", RESULT_LEFT_OUT,
			"the portal has no certificate and name",
			"Phones find it by the redirect; with tls_cert, tls_key "
			"and name they are told at once");
	else
		check(test, "DHCP option 114",
			strcmp(url, test->lease.url) ? RESULT_FAILED : RESULT_OK,
			*test->lease.url ? test->lease.url : "not given",
			"`gatehousectl capport` prints the lines for the DHCP "
			"server");
}

static void check_name(struct test *test)
{
	const struct probe *probe = probes_at(0);
	struct in_addr address;
	int ret = fetch_resolve(probe->host, test->lease.resolver, &address);

	if (!ret)
		inet_ntop(AF_INET, &address, test->web, sizeof(test->web));
	check(test, "DNS", ret ? RESULT_FAILED : RESULT_OK,
		!ret		   ? test->web
		: ret == -ETIMEDOUT ? "no answer"
				   : "no address",
		"Without names no phone asks its probe: the resolver must answer "
		"guests, and have an uplink");
}

/* Asking. */

static void ask(const struct test *test, const struct probe *probe,
	const char *scheme, struct fetched *ret)
{
	char url[512];
	const struct wanted wanted = {.url = url,
		.agent = probe->agent,
		.address = test->web,
		.ca = test->ca};

	snprintf(url, sizeof(url), "%s://%s%s", scheme, probe->host, probe->path);
	fetch_get(&wanted, ret);
}

static void say(const struct fetched *f, char *text, size_t len)
{
	if (!f->status)
		snprintf(text, len, "%.150s", f->error);
	else if (*f->location)
		snprintf(text, len, "%d, to %.100s", f->status, f->location);
	else
		snprintf(text, len, "%d, %zu bytes", f->status, f->len);
}

static void check_probe(struct test *test, const struct probe *probe)
{
	struct fetched got;
	enum verdict verdict;
	char name[128], said[192];

	ask(test, probe, "http", &got);
	verdict = probes_judge(
		probe, got.status, got.location, got.body, got.len);
	say(&got, said, sizeof(said));
	snprintf(name, sizeof(name), "%s: %s", probe->asker, probe->host);
	check(test, name, verdict == VERDICT_PORTAL ? RESULT_OK : RESULT_FAILED,
		said,
		verdict == VERDICT_INTERNET
			? "This client is online: it has a session, or the host "
			  "is in the garden, or nothing is gated here"
			: "The gate does not answer port 80: look at `gatehousectl "
			  "status` and `gatehousectl explain`");
	test->silent += !got.status;
	if (verdict == VERDICT_PORTAL && !*test->page)
		snprintf(test->page, sizeof(test->page), "%s", got.location);
	fetch_fini(&got);
}

/* What hangs there makes phones wait before they ask their plain probe. */
static void check_refusal(struct test *test)
{
	struct fetched got;
	char said[192];

	ask(test, probes_at(0), "https", &got);
	say(&got, said, sizeof(said));
	check(test, "HTTPS is refused at once",
		got.is_refused && got.ms < AT_ONCE_MS ? RESULT_OK : RESULT_FAILED,
		got.is_refused ? "refused" : said,
		"Something before the gate drops or answers port 443: a firewall "
		"on this box, an access point with a portal of its own");
	fetch_fini(&got);
}

/* The portal. */

/* The host of an URL, without port; "" when it is an address in brackets. */
static void host_of(const char *url, char *host, size_t len)
{
	const char *at = strstr(url, "://");

	at = at ? at + 3 : url;
	snprintf(host, len, "%.*s", *at == '[' ? 0 : (int)strcspn(at, ":/?"), at);
}

static void fetch_page(
	const struct test *test, const char *url, struct fetched *ret)
{
	char host[256], address[INET_ADDRSTRLEN];
	struct wanted wanted = {.url = url,
		.agent = probes_at(0)->agent,
		.ca = test->ca};
	struct in_addr at;

	host_of(url, host, sizeof(host));
	if (*host && inet_pton(AF_INET, host, &at) != 1 &&
		!fetch_resolve(host, test->lease.resolver, &at))
		wanted.address = inet_ntop(AF_INET, &at, address, sizeof(address));
	fetch_get(&wanted, ret);
}

static const char *page_remedy(const struct fetched *got)
{
	if (got->is_untrusted)
		return "Phones refuse the certificate: it must be for the "
		       "portal's name, of a CA that they know, with the whole "
		       "chain in tls_cert";
	if (!got->status)
		return "The portal is not reached: gatehouse-portal must run, and "
		       "its name have the box's address";
	return "Look at the log of gatehouse-portal";
}

static void check_page(struct test *test)
{
	struct fetched got, next;
	char said[192], page[512];
	bool is_html;

	if (!*test->page)
		return;
	fetch_page(test, test->page, &got);
	/* From plain to TLS. */
	if (got.status >= 300 && got.status < 400 && *got.location) {
		snprintf(page, sizeof(page), "%s", got.location);
		fetch_page(test, page, &next);
		fetch_fini(&got);
		got = next;
	}
	is_html = got.status == 200 && !strncmp(got.type, "text/html", 9);
	say(&got, said, sizeof(said));
	check(test, "sign-in page", is_html ? RESULT_OK : RESULT_FAILED, said,
		page_remedy(&got));
	fetch_fini(&got);
}

static void check_api(struct test *test)
{
	_cleanup_json_ json_t *said = NULL;
	struct fetched got;
	char url[600], text[192];
	bool is_good;

	if (!*test->page)
		return;
	if (*test->portal)
		snprintf(url, sizeof(url), "%s" API, test->portal);
	else
		snprintf(url, sizeof(url), "%.*s" API,
			(int)(strcspn(strstr(test->page, "://") + 3, "/") + 3 +
				(size_t)(strstr(test->page, "://") - test->page)),
			test->page);
	fetch_page(test, url, &got);
	said = json_loadb(got.body ?: "", got.len, 0, NULL);
	is_good = got.status == 200 &&
		  !strncmp(got.type, "application/captive+json", 24) &&
		  json_is_true(json_object_get(said, "captive"));
	say(&got, text, sizeof(text));
	check(test, "RFC 8908 API", is_good ? RESULT_OK : RESULT_FAILED, text,
		page_remedy(&got));
	fetch_fini(&got);
}

static void check_portal(struct test *test)
{
	const struct probe *probe;
	int i;

	check_name(test);
	check_refusal(test);
	/* The others would hear nothing either. */
	for (i = 0; test->silent < SILENT_MAX && (probe = probes_at(i)); i++)
		check_probe(test, probe);
	check_page(test);
	check_api(test);
}

/* The first address of the internet's; false: there is none yet. */
static bool has_address6(char text[INET6_ADDRSTRLEN])
{
	const struct sockaddr_in6 *sa;
	struct ifaddrs *list = NULL, *row;
	bool found = false;

	if (getifaddrs(&list))
		return false;
	for (row = list; row && !found; row = row->ifa_next) {
		sa = (const struct sockaddr_in6 *)row->ifa_addr;
		if (!sa || sa->sin6_family != AF_INET6 ||
			IN6_IS_ADDR_LINKLOCAL(&sa->sin6_addr) ||
			IN6_IS_ADDR_LOOPBACK(&sa->sin6_addr))
			continue;
		found = inet_ntop(AF_INET6, &sa->sin6_addr, text,
			INET6_ADDRSTRLEN) != NULL;
	}
	freeifaddrs(list);
	return found;
}

/* The other family, by one probe: the gate reads MACs. */
static void check_ipv6(struct test *test)
{
	int64_t until = clock_mono_ns() + RA_MS * NSEC_PER_MSEC;
	const struct timespec moment = {.tv_nsec = 50 * NSEC_PER_MSEC};
	char text[INET6_ADDRSTRLEN] = "";
	struct probe probe = *probes_at(0);

	while (!has_address6(text) && clock_mono_ns() < until)
		nanosleep(&moment, NULL);
	check(test, "IPv6 address", *text ? RESULT_OK : RESULT_FAILED,
		*text ? text : "no router advertisement",
		"The network has portal6: something must announce its prefix, with "
		"the box as router");
	if (!*text)
		return;
	probe.asker = "IPv6, Android";
	snprintf(test->web, sizeof(test->web), "[" ANYWHERE6 "]");
	test->page[0] = '\0';
	check_probe(test, &probe);
	check_page(test);
}

/* In the place, in a process of its own. */
static json_t *run(void *data)
{
	struct test *test = data;

	if (join(test)) {
		check_option(test);
		check_portal(test);
		if (test->v6)
			check_ipv6(test);
		lease_release("eth0", &test->lease);
	}
	return test->checks;
}

static json_t *refuse(const char *code, const char *sentence)
{
	return json_pack("{s:b, s:s, s:s}", "success", 0, "error", sentence,
		"code", code);
}

static const json_t *choose(const json_t *status, const char *name)
{
	const json_t *network;
	size_t at;

	json_array_foreach(json_object_get(status, "networks"), at, network)
		if (!*name || !strcmp(name, field(network, "name")))
			return network;
	return NULL;
}

/* From the box itself, which is nobody's guest: only whether it is served, and
 * by a certificate that is trusted. */
static void check_served(struct test *test, const json_t *network)
{
	struct fetched got;
	char url[600], said[192];

	if (*test->portal)
		snprintf(url, sizeof(url), "%s/", test->portal);
	else
		snprintf(url, sizeof(url), "http://%s:%" PRId64 "/",
			field(network, "portal4"), test->http_port);
	fetch_page(test, url, &got);
	say(&got, said, sizeof(said));
	check(test, "the portal is served", got.status ? RESULT_OK : RESULT_FAILED,
		said, page_remedy(&got));
	fetch_fini(&got);
}

static int test_without_place(
	struct test *test, const char *socket, const json_t *network)
{
	int ret = checks_by_verdict(test->checks, socket, network);

	if (ret)
		return ret;
	if (*test->portal || *field(network, "portal4"))
		check_served(test, network);
	check(test, "the probes themselves", RESULT_LEFT_OUT,
		"the interface is no bridge: no place for a client",
		"Join the network with another machine, and run `gatehousectl "
		"selftest --here` there");
	return 0;
}

/* On a port of the bridge of the network. */
static int test_in_place(struct test *test, const char *bridge, json_t **ret_refusal)
{
	json_t *checks = NULL;
	int ret = place_run(bridge, run, test, &checks);

	if (ret) {
		*ret_refusal = refuse(ret == -EPERM ? "not_allowed" : "internal",
			ret == -EPERM
				? "Only root can make a client's place."
				: "The client's place could not be made.");
		return 0;
	}
	json_decref(test->checks);
	test->checks = checks;
	return 0;
}

static int test_network(struct test *test, const char *socket,
	const json_t *status, const char *name, json_t **ret_reply)
{
	const json_t *network = choose(status, name);
	const json_t *guests = json_object_get(
		json_object_get(status, "portals"), "guests");
	const char *interface = field(network, "interface");
	json_t *refusal = NULL;
	int ret;

	if (!network) {
		*ret_reply = refuse("not_found", "There is no such network.");
		return 0;
	}
	test->portal = field(guests, "url");
	test->http_port =
		json_integer_value(json_object_get(guests, "httpPort"));
	test->v6 = *field(network, "portal6") != '\0';
	ret = place_is_bridge(interface)
		      ? test_in_place(test, interface, &refusal)
		      : test_without_place(test, socket, network);
	if (!ret)
		*ret_reply = refusal ?: checks_reply(
			test->checks, field(network, "name"));
	return ret;
}

int selftest_make(const char *socket, const json_t *own, json_t **ret_reply)
{
	_cleanup_json_ json_t *status = NULL;
	const char *ca = field(own, "ca");
	struct test test = {.portal = "", .ca = *ca ? ca : NULL, .web = ANYWHERE};
	int ret = 0;

	test.checks = json_array();
	if (json_object_get(own, "here")) {
		check_portal(&test);
		*ret_reply = checks_reply(test.checks, "");
	} else {
		ret = ctl_call(socket, "status", NULL, -1, TIMEOUT_MS, &status);
		if (!ret && ctl_reply_code(status))
			*ret_reply = json_incref(status);
		else if (!ret)
			ret = test_network(&test, socket, status,
				field(own, "network"), ret_reply);
	}
	json_decref(test.checks);
	return ret;
}
