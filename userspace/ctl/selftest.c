/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The client's place is a namespace on a port of the network's bridge
 * (place.h), with a MAC of its own: what it meets is what guests meet, and
 * nothing of the gate is changed for it. Where the network's interface is no
 * bridge there is no such place on this box; then another machine on that
 * network is the client, with "here".
 *
 * A check that cannot be made because one before it failed is left out: the
 * first line that failed is the one to mend.
 */
#include "ctl/selftest.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "ctl/ctl_client.h"
#include "ctl/fetch.h"
#include "ctl/lease.h"
#include "ctl/place.h"
#include "ctl/print.h"
#include "ctl/print_table.h"
#include "ctl/probes.h"

#define TIMEOUT_MS   10000
#define DHCP_SECONDS 10
#define AT_ONCE_MS   1000
#define SILENT_MAX   3
#define API	     "/.well-known/captive-portal"
/* In the internet, for when no name is answered: the gate does not look. */
#define ANYWHERE "203.0.113.1"

struct test {
	const char *network, *bridge; /* NULL: here */
	const char *portal; /* the URL by TLS that `status` says; "" */
	const char *ca;	    /* NULL: none but this machine's */
	struct lease lease;
	char web[INET_ADDRSTRLEN]; /* where probes are sent */
	char page[512];		   /* where the first of them was sent on to */
	int silent; /* probes that had no answer at all */
	json_t *checks;
};

static const char *field(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name)) ?: "";
}

enum result { RESULT_OK, RESULT_FAILED, RESULT_LEFT_OUT };

static void check(struct test *test, const char *name, enum result result,
	const char *said, const char *remedy)
{
	static const char *const words[] = {"ok", "failed", "left out"};

	json_array_append_new(test->checks,
		json_pack("{s:s, s:s, s:o, s:s}", "check", name, "result",
			words[result], "said",
			json_string(said) ?: json_string("-"), "remedy",
			result == RESULT_OK ? "" : remedy));
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

/* The host of an URL, without port and brackets. */
static void host_of(const char *url, char *host, size_t len)
{
	const char *at = strstr(url, "://");

	at = at ? at + 3 : url;
	snprintf(host, len, "%.*s", (int)strcspn(at, ":/?"), at);
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
	if (inet_pton(AF_INET, host, &at) != 1 &&
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
		return "The portal is not reached: is gatehouse-portal running, "
		       "and does its name have the box's address?";
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

/* In the place, in a process of its own. */
static json_t *run(void *data)
{
	struct test *test = data;

	if (join(test)) {
		check_option(test);
		check_portal(test);
		lease_release("eth0", &test->lease);
	}
	return test->checks;
}

static int count_failed(const json_t *checks)
{
	const json_t *row;
	size_t at;
	int count = 0;

	json_array_foreach(checks, at, row)
		count += !strcmp(field(row, "result"), "failed");
	return count;
}

/* `checks` is taken. */
static json_t *reply_of(const struct test *test, json_t *checks)
{
	int failed = count_failed(checks);
	json_t *reply = json_pack("{s:b, s:s, s:o}", "success", !failed,
		"network", test->network ?: "", "checks", checks);

	if (failed) {
		json_object_set_new(reply, "error",
			json_sprintf("%d of %zu checks failed.", failed,
				json_array_size(checks)));
		json_object_set_new(reply, "code", json_string("differs"));
	}
	return reply;
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

/* On a port of the bridge of the network. */
static json_t *test_network(
	struct test *test, const json_t *status, const char *name)
{
	const json_t *network = choose(status, name);
	json_t *checks = NULL;
	int ret;

	if (!network)
		return refuse("not_found", "There is no such network.");
	test->network = field(network, "name");
	test->bridge = field(network, "interface");
	test->portal = field(
		json_object_get(json_object_get(status, "portals"), "guests"),
		"url");
	if (!place_is_bridge(test->bridge))
		return refuse("conflict",
			"The network's interface is no bridge, so this box has no "
			"place for a client of it. Join the network with another "
			"machine, and run `gatehousectl selftest --here` there.");
	ret = place_run(test->bridge, run, test, &checks);
	if (ret == -EPERM)
		return refuse("not_allowed", "Only root can make a client's place.");
	if (ret)
		return refuse("internal", "The client's place could not be made.");
	return reply_of(test, checks);
}

int selftest_make(const char *socket, const json_t *own, json_t **ret_reply)
{
	_cleanup_json_ json_t *status = NULL;
	const char *ca = field(own, "ca");
	struct test test = {.portal = "", .ca = *ca ? ca : NULL, .web = ANYWHERE};
	int ret;

	test.checks = json_array();
	if (json_object_get(own, "here")) {
		check_portal(&test);
		*ret_reply = reply_of(&test, test.checks);
		return 0;
	}
	ret = ctl_call(socket, "status", NULL, -1, TIMEOUT_MS, &status);
	if (!ret)
		*ret_reply = ctl_reply_code(status)
				     ? json_incref(status)
				     : test_network(&test, status,
					       field(own, "network"));
	json_decref(test.checks);
	return ret;
}

static const struct column check_columns[] = {
	{"CHECK", "check", FORMAT_TEXT},
	{"RESULT", "result", FORMAT_TEXT},
	{"SAID", "said", FORMAT_TEXT},
	{},
};

void print_selftest(const json_t *reply)
{
	const json_t *checks = json_object_get(reply, "checks"), *row;
	const char *last = "";
	size_t at;

	print_table(checks, check_columns);
	json_array_foreach(checks, at, row) {
		const char *remedy = field(row, "remedy");

		if (!strcmp(remedy, last) || !*remedy)
			continue;
		printf("\n%s: %s.\n", field(row, "check"), remedy);
		last = remedy;
	}
}
