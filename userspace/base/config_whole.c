/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What settings must be beside each other: networks that share nothing, users
 * with one task, a certificate with its key. And what follows from others.
 */
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "base/config_reading.h"
#include "base/crypto.h"
#include "base/role.h"
#include "base/util.h"

static const struct mark *mark_of(const struct reading *r, int place,
	enum section section, const char *name)
{
	return &r->marks[place][config_setting(section, name)];
}

/* The setting's line, or that of the network's header. */
static int network_line(const struct reading *r, int at, const char *name)
{
	int line = mark_of(r, 1 + at, SECTION_NETWORK, name)->line;

	return line ? line : r->config->networks[at].line;
}

static bool is_bad(const struct reading *r, int at, const char *name)
{
	return mark_of(r, 1 + at, SECTION_NETWORK, name)->bad;
}

/* What no two networks can share. */
static void check_pair(struct reading *r, int at, int other)
{
	const struct config_network *n = &r->config->networks[at];
	const struct config_network *o = &r->config->networks[other];

	if (n->interface[0] && !strcmp(n->interface, o->interface))
		config_fault(r, network_line(r, at, "interface"),
			"interface %s already belongs to network %s",
			n->interface, o->name);
	if (n->number == o->number && !is_bad(r, at, "number") &&
		!is_bad(r, other, "number"))
		config_fault(r, network_line(r, at, "number"),
			"number %d%s already belongs to network %s", n->number,
			mark_of(r, 1 + at, SECTION_NETWORK, "number")->line
				? ""
				: ", by the place of this section,",
			o->name);
	if (!ip_is_zero(&n->portal4) && ip_equal(&n->portal4, &o->portal4))
		config_fault(r, network_line(r, at, "portal4"),
			"the portal address already belongs to network %s",
			o->name);
	if (!ip_is_zero(&n->portal6) && ip_equal(&n->portal6, &o->portal6))
		config_fault(r, network_line(r, at, "portal6"),
			"the portal address already belongs to network %s",
			o->name);
}

/* The portal alone may listen there, to be tried out. */
static void check_reachable(
	struct reading *r, int at, const char *name, const struct ipaddr *addr)
{
	if (r->use == CONFIG_FOR_GATE && ip_is_loopback(addr))
		config_fault(r, network_line(r, at, name),
			"network %s: no guest can reach an address of the "
			"loopback interface",
			r->config->networks[at].name);
}

static void check_network(struct reading *r, int at)
{
	const struct config_network *n = &r->config->networks[at];
	int i;

	if (!n->interface[0] && !is_bad(r, at, "interface"))
		config_fault(
			r, n->line, "network %s has no `interface`", n->name);
	if (ip_is_zero(&n->portal4) && ip_is_zero(&n->portal6) &&
		!is_bad(r, at, "portal4") && !is_bad(r, at, "portal6"))
		config_fault(r, n->line,
			"network %s needs `portal4` or `portal6`, the "
			"gateway's address on it",
			n->name);
	check_reachable(r, at, "portal4", &n->portal4);
	check_reachable(r, at, "portal6", &n->portal6);
	check_reachable(r, at, "resolver4", &n->resolver4);
	check_reachable(r, at, "resolver6", &n->resolver6);
	for (i = 0; i < at; i++)
		check_pair(r, at, i);
}

/* Are they one user? The uid counts: root may have another name. */
static bool is_same_user(const char *a, const char *b)
{
	const struct passwd *pw = getpwnam(a);
	bool has_uid = pw != NULL;
	uid_t uid = pw ? pw->pw_uid : 0;

	if (!strcmp(a, b))
		return true;
	pw = getpwnam(b);
	return has_uid && pw && pw->pw_uid == uid;
}

/* Whose word the portal's is: `setting` names its user. */
static void check_portal_user(
	struct reading *r, const char *setting, const char *user)
{
	const struct config *config = r->config;
	int i;

	if (is_same_user(user, "root")) {
		config_fault(r, mark_of(r, 0, SECTION_PORTAL, setting)->line,
			"the portal must not run as root; give it a user of "
			"its own, who has no other task");
		return;
	}
	for (i = 0; i < config->role_count; i++)
		if (is_same_user(config->roles[i].user, user))
			config_fault(r, config->roles[i].line,
				"%s is the portal's user and must not have a "
				"role",
				config->roles[i].user);
}

static void check_users(struct reading *r)
{
	const struct config *config = r->config;
	int i;

	check_portal_user(r, "user", config->portal_user);
	check_portal_user(r, "operator_user", config->operator_user);
	if (is_same_user(config->portal_user, config->operator_user))
		config_fault(r,
			MAX(mark_of(r, 0, SECTION_PORTAL, "user")->line,
				mark_of(r, 0, SECTION_PORTAL, "operator_user")
					->line),
			"user and operator_user are the same: who takes the "
			"guests' portal over must not have the operators'");
	for (i = 0; i < config->role_count; i++)
		if (!strcmp(config->roles[i].user, "root") &&
			config->roles[i].role != ROLE_ADMIN)
			config_fault(r, config->roles[i].line,
				"root is always admin; leave this line out");
}

/* Of two settings both are there, or none. */
static void check_pair_of(struct reading *r, enum section section,
	const char *cert_name, const char *key_name, bool has_cert, bool has_key)
{
	const struct mark *cert = mark_of(r, 0, section, cert_name);
	const struct mark *key = mark_of(r, 0, section, key_name);

	if (has_cert != has_key && !cert->bad && !key->bad)
		config_fault(r, has_cert ? cert->line : key->line,
			"%s and %s must be set together", cert_name, key_name);
}

/* Two that would listen at one address. */
static void check_ports(struct reading *r, const char *one, int port,
	const char *other, int other_port)
{
	const struct mark *a = mark_of(r, 0, SECTION_PORTAL, one);
	const struct mark *b = mark_of(r, 0, SECTION_PORTAL, other);

	if (port == other_port && !a->bad && !b->bad)
		config_fault(r, MAX(a->line, b->line), "%s and %s are the same",
			one, other);
}

static void check_all_ports(struct reading *r)
{
	const struct config *c = r->config;
	uint16_t ports[CONFIG_PORTAL_PORTS];

	check_ports(r, "http_port", c->portal_http_port, "https_port",
		c->portal_https_port);
	check_ports(r, "operator_http_port", c->operator_http_port,
		"operator_https_port", c->operator_https_port);
	if (!config_operator_ports(c, ports))
		return;
	check_ports(r, "http_port", c->portal_http_port, "operator_http_port",
		c->operator_http_port);
	check_ports(r, "http_port", c->portal_http_port, "operator_https_port",
		c->operator_https_port);
	check_ports(r, "https_port", c->portal_https_port,
		"operator_http_port", c->operator_http_port);
	check_ports(r, "https_port", c->portal_https_port,
		"operator_https_port", c->operator_https_port);
}

/* "192.0.2.1:53" or "[2001:db8::1]:53", 53 when no port is named. */
static bool read_uplink(char *word, struct config_uplink *ret_uplink)
{
	char *port = strrchr(word, ':'), *end;

	ret_uplink->port = 53;
	if (*word == '[') {
		end = strchr(word, ']');
		if (!end)
			return false;
		*end = '\0';
		word++;
		port = end[1] == ':' ? end + 1 : NULL;
		if (!port && end[1])
			return false;
	} else if (port && strchr(word, ':') != port) {
		port = NULL; /* IPv6 without a port */
	}
	if (port) {
		*port++ = '\0';
		ret_uplink->port = (int)strtol(port, &end, 10);
		if (!*port || *end || ret_uplink->port < 1 ||
			ret_uplink->port > UINT16_MAX)
			return false;
	}
	return ip_parse(word, &ret_uplink->addr) == 0;
}

static void check_uplinks(struct reading *r)
{
	struct config *config = r->config;
	char copy[CONFIG_UPLINKS_TEXT], *rest = copy, *word;
	struct config_uplink uplink;
	int line = mark_of(r, 0, SECTION_GATEHOUSE, "uplink_check")->line;

	memcpy(copy, config->uplink_check, sizeof(copy));
	config->uplink_count = 0;
	while ((word = strsep(&rest, ", "))) {
		if (!*word)
			continue;
		if (config->uplink_count == CONFIG_UPLINKS_MAX)
			config_fault(r, line, "`uplink_check` takes %d addresses at most",
				CONFIG_UPLINKS_MAX);
		else if (!read_uplink(word, &uplink))
			config_fault(r, line,
				"`uplink_check` must be addresses such as "
				"192.0.2.1, 192.0.2.1:443 or [2001:db8::1]:443");
		else
			config->uplinks[config->uplink_count++] = uplink;
	}
}

static void check_second_factor(struct reading *r)
{
	const char *word = r->config->second_factor;
	enum role role;

	if (strcmp(word, "none") != 0 && role_parse(word, &role))
		config_fault(r,
			mark_of(r, 0, SECTION_PORTAL, "second_factor")->line,
			"`second_factor` must be none, staff, supervisor, "
			"manager or admin");
}

static void check_portal(struct reading *r)
{
	const struct config *config = r->config;

	check_pair_of(r, SECTION_PORTAL, "tls_cert", "tls_key",
		config->tls_cert[0], config->tls_key[0]);
	check_pair_of(r, SECTION_TERMS, "file", "version",
		config->terms_file[0], config->terms_version[0]);
	check_pair_of(r, SECTION_PORTAL, "operator_tls_cert", "operator_tls_key",
		config->operator_tls_cert[0], config->operator_tls_key[0]);
	check_all_ports(r);
	check_second_factor(r);
}

/* What follows from other settings. */
static void complete(struct config *config)
{
	char name[sizeof(config->operator_name)];

	if (!config->portal_name[0] || config->operator_name[0])
		return;
	snprintf(name, sizeof(name), "admin.%.247s", config->portal_name);
	memcpy(config->operator_name, name, sizeof(name));
}

/* What no two coin slots can share. */
static void check_coin_pair(struct reading *r, int at, int other)
{
	const struct config_coin *c = &r->config->coins[at];
	const struct config_coin *o = &r->config->coins[other];

	if (c->socket[0] && !strcmp(c->socket, o->socket))
		config_fault(r, c->line,
			"coin slot %s: its socket already belongs to slot %s",
			c->name, o->name);
	if (c->chip[0] && !strcmp(c->chip, o->chip) &&
		(c->gpio_line == o->gpio_line ||
			c->gpio_line == o->inhibit_line ||
			c->inhibit_line == o->gpio_line ||
			(c->inhibit_line >= 0 &&
				c->inhibit_line == o->inhibit_line)))
		config_fault(r, c->line,
			"coin slot %s: a line of its chip already belongs to "
			"slot %s",
			c->name, o->name);
}

static void check_coin(struct reading *r, int at)
{
	const struct config_coin *c = &r->config->coins[at];
	const struct mark *marks = r->marks[PLACE_COIN + at];
	bool is_bad = false;
	int i;

	for (i = 0; i < CONFIG_SETTINGS_MAX; i++)
		is_bad |= marks[i].bad;
	for (i = 0; i < at; i++)
		check_coin_pair(r, at, i);
	if (is_bad)
		return;
	if (!c->socket[0] == !(c->chip[0] && c->gpio_line >= 0))
		config_fault(r, c->line,
			"coin slot %s needs either `socket`, or `chip` and "
			"`line`",
			c->name);
	if (!c->value_minor)
		config_fault(r, c->line,
			"coin slot %s needs `value`, what a pulse is worth in "
			"hundredths of the currency",
			c->name);
	if (c->pulse_min_ms >= c->pulse_max_ms)
		config_fault(r, c->line,
			"coin slot %s: pulse_max_ms must be more than "
			"pulse_min_ms",
			c->name);
	if (c->gpio_line >= 0 && c->gpio_line == c->inhibit_line)
		config_fault(r, c->line,
			"coin slot %s: line and inhibit_line are the same",
			c->name);
	/* It parses what guests send: it must not be able to make money. */
	if (!strcmp(c->user, r->config->portal_user))
		config_fault(r, c->line,
			"coin slot %s: the portal's user must not be its "
			"acceptor's",
			c->name);
}

static void check_backup(struct reading *r)
{
	const struct mark *key = mark_of(r, 0, SECTION_BACKUP, "public_key");
	const char *text = r->config->backup_key;
	uint8_t bytes[CRYPTO_KEY];

	if (text[0] && hex_parse(text, sizeof(bytes), bytes))
		config_fault(r, key->line,
			"`public_key` must be 64 hex digits, as gatehoused "
			"--backup-key prints them");
	if (text[0] && r->config->backup_passphrase[0])
		config_fault(r, key->line,
			"backups are encrypted with public_key or with "
			"passphrase_file; leave one of them out");
}

void config_check_whole(struct reading *r)
{
	struct config *config = r->config;
	int i;

	check_uplinks(r);
	for (i = 0; i < config->network_count; i++) {
		struct config_network *n = &config->networks[i];

		if (!n->number)
			n->number = i + 1;
		if (!n->ssid[0])
			memcpy(n->ssid, n->name, sizeof(n->name));
		if (!n->venue_name[0])
			memcpy(n->venue_name, config->venue_name,
				sizeof(n->venue_name));
		if (!mark_of(r, 1 + i, SECTION_NETWORK, "venue_url")->line)
			memcpy(n->venue_url, config->venue_url,
				sizeof(n->venue_url));
		if (!mark_of(r, 1 + i, SECTION_NETWORK, "branding")->line)
			memcpy(n->branding, config->branding,
				sizeof(n->branding));
		if (!mark_of(r, 1 + i, SECTION_NETWORK, "hook")->line)
			n->hook = config->hook;
		if (!mark_of(r, 1 + i, SECTION_NETWORK, "source_check")->line)
			n->source_check = n->on_spoof == CONFIG_SPOOF_REPORT
						  ? CONFIG_SOURCE_REPORT
						  : CONFIG_SOURCE_DROP;
		check_network(r, i);
	}
	if (!config->network_count && !r->lost)
		config_fault(r, 0, "there is no [network NAME]: nothing to gate");
	for (i = 0; i < config->coin_count; i++)
		check_coin(r, i);
	check_users(r);
	check_portal(r);
	complete(config);
	check_backup(r);
}
