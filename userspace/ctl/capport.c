/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DHCPv4 option 114, DHCPv6 option 103, option 37 of router advertisements
 * (RFC 8910). All of them carry the URL of the API, which has to be https with
 * a name: phones take no other, and a wrong one is worse than none, so without
 * a certificate nothing is printed. One writer for each program; none knows
 * what else is in its configuration, so each prints lines to be added.
 */
#include "ctl/capport.h"

#include <string.h>

#include "base/util.h"
#include "ctl/print.h"

#define API "/.well-known/captive-portal"
#define TEXT_MAX 16384 /* 32 networks */

struct writer {
	char text[TEXT_MAX];
	size_t len;
	const char *url;  /* of the API */
	const char *name; /* of the portal */
};

static void say(struct writer *w, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void say(struct writer *w, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(w->text + w->len, sizeof(w->text) - w->len, fmt, args);
	va_end(args);
	if (len > 0)
		w->len = MIN(w->len + (size_t)len, sizeof(w->text) - 1);
}

static const char *field(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name)) ?: "";
}

/* Both options of a family are there whether or not the box serves it: who has
 * no IPv6 asks for none. */
static void say_dnsmasq(struct writer *w, const json_t *networks)
{
	const json_t *network;
	size_t at;

	say(w, "# dnsmasq: e.g. /etc/dnsmasq.d/gatehouse-capport.conf, then\n"
	       "# systemctl restart dnsmasq\n");
	if (json_array_size(networks) > 1)
		say(w, "localise-queries\n");
	json_array_foreach(networks, at, network) {
		const char *v4 = field(network, "portal4");
		const char *v6 = field(network, "portal6");
		const char *interface = field(network, "interface");

		say(w, "# network %s\nhost-record=%s%s%s%s%s\n",
			field(network, "name"), w->name, *v4 ? "," : "", v4,
			*v6 ? "," : "", v6);
		say(w, "dhcp-option=tag:%s,114,%s\n", interface, w->url);
		say(w, "dhcp-option=tag:%s,option6:103,%s\n", interface, w->url);
	}
	say(w, "# Option 37 of router advertisements is unknown to dnsmasq: IPv6 "
	       "guests ask for\n# option 103 when their dhcp-range says "
	       "ra-stateless.\n");
}

static void say_radvd(struct writer *w, const json_t *networks)
{
	const json_t *network;
	size_t at;

	say(w, "# radvd 2.20 or newer: /etc/radvd.conf, then systemctl restart "
	       "radvd\n# An older one (Debian 12 has 2.19) stops at "
	       "AdvCaptivePortalAPI: leave that line\n# out, and let a DHCPv6 "
	       "server give option 103 to those whom AdvOtherConfigFlag\n# sends "
	       "there.\n");
	json_array_foreach(networks, at, network)
		say(w, "# network %s\ninterface %s\n{\n"
		       "\tAdvSendAdvert on;\n"
		       "\tAdvOtherConfigFlag on;\n"
		       "\tAdvCaptivePortalAPI \"%s\";\n"
		       "\tprefix ::/64 { };\n};\n",
			field(network, "name"), field(network, "interface"),
			w->url);
}

static void say_kea(struct writer *w, const json_t *networks)
{
	static const struct {
		const char *file, *section, *space, *option;
		int code;
	} rows[] = {
		{"kea-dhcp4.conf", "subnet4", "dhcp4", "v4-captive-portal", 114},
		{"kea-dhcp6.conf", "subnet6", "dhcp6", "v6-captive-portal", 103},
	};
	const json_t *network;
	size_t i, at;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		say(w, "// /etc/kea/%s: into the entry of \"%s\" of\n",
			rows[i].file, rows[i].section);
		json_array_foreach(networks, at, network)
			say(w, "// network %s, interface %s\n",
				field(network, "name"),
				field(network, "interface"));
		say(w, "\"option-data\": [ { \"space\": \"%s\", \"name\": \"%s\", "
		       "\"code\": %d,\n  \"data\": \"%s\" } ],\n",
			rows[i].space, rows[i].option, rows[i].code, w->url);
	}
}

static const struct {
	const char *name;
	void (*say)(struct writer *w, const json_t *networks);
} programs[] = {
	{"dnsmasq", say_dnsmasq},
	{"radvd", say_radvd},
	{"kea", say_kea},
};

static json_t *refuse(const char *code, const char *sentence)
{
	return json_pack("{s:b, s:s, s:s}", "success", 0, "error", sentence,
		"code", code);
}

/* All of them, or the one that was named. */
static json_t *choose(const json_t *status, const char *name)
{
	json_t *chosen = json_array(), *network;
	size_t at;

	json_array_foreach(json_object_get(status, "networks"), at, network)
		if (!name || !strcmp(name, field(network, "name")))
			json_array_append(chosen, network);
	return chosen;
}

json_t *capport_make(const json_t *status, const json_t *own)
{
	const json_t *portal = json_object_get(
		json_object_get(status, "portals"), "guests");
	_cleanup_json_ json_t *networks =
		choose(status, json_string_value(json_object_get(own, "network")));
	_cleanup_free_ struct writer *w = xcalloc(1, sizeof(*w));
	const char *base = field(portal, "url"), *program = field(own, "for");
	const char *problem =
		field(json_object_get(portal, "certificate"), "problem");
	char url[512];
	size_t i;

	if (!json_array_size(networks))
		return refuse("not_found", "There is no such network.");
	if (!*base)
		return refuse("conflict",
			"Guests can only be told of a portal with a certificate "
			"and a name: set tls_cert, tls_key and name in [portal] "
			"of gatehouse.conf.");
	snprintf(url, sizeof(url), "%s" API, base);
	w->url = url;
	w->name = field(portal, "name");
	for (i = 0; i < ARRAY_SIZE(programs); i++)
		if (!strcmp(programs[i].name, program))
			break;
	if (i == ARRAY_SIZE(programs))
		return refuse("bad_request", "--for is dnsmasq, radvd or kea.");
	if (*problem)
		say(w, "# MIND THE CERTIFICATE: %s.\n", problem);
	programs[i].say(w, networks);
	return json_pack("{s:b, s:s, s:s, s:O, s:s}", "success", 1, "for",
		program, "url", url, "networks", networks, "text", w->text);
}

void print_capport(const json_t *reply)
{
	fputs(field(reply, "text"), stdout);
}
