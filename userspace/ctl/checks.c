/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lines, and those that can be had without a client: the daemon asks the
 * gate's own programs what becomes of a packet (`explain`), which changes
 * nothing. That says what the gate does, not what arrives.
 */
#include "ctl/checks.h"

#include <string.h>

#include "base/util.h"
#include "ctl/ctl_client.h"
#include "ctl/print.h"
#include "ctl/print_table.h"

#define TIMEOUT_MS 10000
/* Nobody's: locally administered, and of this name (g, h). */
#define STRANGER "02:67:68:00:00:01"
#define OUTSIDE4 "203.0.113.1"
#define OUTSIDE6 "2001:db8::1"

static const char *field(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name)) ?: "";
}

void checks_add(json_t *checks, const char *name, enum result result,
	const char *said, const char *remedy)
{
	static const char *const words[] = {"ok", "failed", "left out"};

	json_array_append_new(checks,
		json_pack("{s:s, s:s, s:o, s:s}", "check", name, "result",
			words[result], "said",
			json_string(said) ?: json_string("-"), "remedy",
			result == RESULT_OK ? "" : remedy));
}

json_t *checks_reply(const json_t *checks, const char *network)
{
	json_t *reply = json_pack("{s:b, s:s, s:O}", "success", 1, "network",
		network, "checks", checks);
	const json_t *row;
	size_t at;
	int failed = 0;

	json_array_foreach(checks, at, row)
		failed += !strcmp(field(row, "result"), "failed");
	if (!failed)
		return reply;
	json_object_set_new(reply, "success", json_false());
	json_object_set_new(reply, "error",
		json_sprintf("%d of %zu checks failed.", failed,
			json_array_size(checks)));
	json_object_set_new(reply, "code", json_string("differs"));
	return reply;
}

/* What a stranger's packet must meet. */
static const struct {
	const char *name;
	const char *to4, *to6; /* NULL: the portal */
	int port;
	const char *proto, *reason;
} verdicts[] = {
	{"the gate answers port 80", OUTSIDE4, OUTSIDE6, 80, "tcp", "answer_syn"},
	{"the gate refuses port 443", OUTSIDE4, OUTSIDE6, 443, "tcp",
		"answer_reset"},
	{"the gate lets ask for names", NULL, NULL, 53, "udp", "pass_dns"},
	{"the gate lets to the portal", NULL, NULL, 80, "tcp", "pass_portal"},
};

static int add_verdict(json_t *checks, const char *socket,
	const json_t *network, size_t at, bool v6)
{
	const char *portal = field(network, v6 ? "portal6" : "portal4");
	const char *to = (v6 ? verdicts[at].to6 : verdicts[at].to4) ?: portal;
	_cleanup_json_ json_t *args = json_pack("{s:s, s:s, s:s, s:i, s:s}",
		"mac", STRANGER, "network", field(network, "name"), "to", to,
		"port", verdicts[at].port, "proto", verdicts[at].proto);
	_cleanup_json_ json_t *reply = NULL;
	const char *reason;
	char name[64];
	int ret = ctl_call(socket, "explain", args, -1, TIMEOUT_MS, &reply);

	if (ret)
		return ret;
	reason = field(reply, "reason");
	snprintf(name, sizeof(name), "%s%s", verdicts[at].name,
		v6 ? ", IPv6" : "");
	checks_add(checks, name,
		strcmp(reason, verdicts[at].reason) ? RESULT_FAILED : RESULT_OK,
		*reason ? reason : field(reply, "error"),
		"`gatehousectl status` says how the network is gated, `gatehousectl "
		"explain` what its packets meet");
	return 0;
}

int checks_by_verdict(
	json_t *checks, const char *socket, const json_t *network)
{
	size_t at;
	int v6, ret = 0;

	for (v6 = 0; v6 < 2; v6++) {
		if (!*field(network, v6 ? "portal6" : "portal4"))
			continue;
		for (at = 0; at < ARRAY_SIZE(verdicts) && !ret; at++)
			ret = add_verdict(checks, socket, network, at, v6);
	}
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
