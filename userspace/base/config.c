/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration file. `settings` below is the one place that names a
 * setting, its type, range and default; defaults are parsed by the same code
 * as the file. Every fault is reported with its line and reading goes on, so
 * that an operator mends a file in one go. Nothing outside the caller's struct
 * is touched. What the box lacks (an interface, a user) is for the programs to
 * say; users are looked up here only to know who the portal would be, because
 * what it may do depends on that.
 *
 * The packaged inih gives handlers no line numbers and stops telling about
 * lines that it does not understand after the first. So the reader below,
 * through which inih gets each line, counts and checks the lines itself.
 */
#include "base/config.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "base/config_reading.h"
#include "base/log.h"
#include "base/role.h"
#include "base/util.h"
#include "gatehouse/ctl.h"

#define OF(field) offsetof(struct config, field)
#define NET(field) offsetof(struct config_network, field)
#define COIN(field) offsetof(struct config_coin, field)
#define PATH_BYTES (PATH_MAX - 1)
/* The daemon binds it as "PATH.new" first. */
#define COIN_SOCKET_BYTES ((int)sizeof(((struct config_coin *)0)->socket) - 5)
#define SOCKET_BYTES ((int)sizeof(((struct sockaddr_un *)0)->sun_path) - 5)

/* clang-format off */
static const struct setting settings[] = {
	{SECTION_GATEHOUSE, "state_dir", VALUE_PATH, OF(state_dir), 1, PATH_BYTES, "/var/lib/gatehouse"},
	{SECTION_GATEHOUSE, "socket", VALUE_PATH, OF(socket), 1, SOCKET_BYTES, CTL_SOCKET_DEFAULT},
	{SECTION_GATEHOUSE, "socket_group", VALUE_WORD, OF(socket_group), 1, 32, "gatehouse"},
	{SECTION_GATEHOUSE, "pin_dir", VALUE_PATH, OF(pin_dir), 1, PATH_BYTES, "/sys/fs/bpf/gatehouse"},
	{SECTION_GATEHOUSE, "hook", VALUE_HOOK, OF(hook), 0, 0, "auto"},
	{SECTION_GATEHOUSE, "shape", VALUE_SHAPE, OF(shape), 0, 0, "auto"},
	{SECTION_GATEHOUSE, "clients_max", VALUE_INT, OF(clients_max), 1024, 4194304, "65536"},
	{SECTION_GATEHOUSE, "token_days", VALUE_INT, OF(token_days), 1, 3650, "3"},
	{SECTION_GATEHOUSE, "voucher_prefix", VALUE_CODE, OF(voucher_prefix), 0, 8, "AJC"},
	{SECTION_GATEHOUSE, "currency", VALUE_CURRENCY, OF(currency), 3, 3, "TZS"},
	{SECTION_GATEHOUSE, "uplink_check", VALUE_TEXT, OF(uplink_check), 0, CONFIG_UPLINKS_TEXT - 1, ""},
	{SECTION_GATEHOUSE, "sweep_seconds", VALUE_INT, OF(sweep_seconds), 1, 60, "10"},

	{SECTION_PORTAL, "user", VALUE_WORD, OF(portal_user), 1, 32, "gatehouse-portal"},
	{SECTION_PORTAL, "http_port", VALUE_INT, OF(portal_http_port), 1, 65535, "80"},
	{SECTION_PORTAL, "https_port", VALUE_INT, OF(portal_https_port), 1, 65535, "443"},
	{SECTION_PORTAL, "name", VALUE_WORD, OF(portal_name), 0, 253, ""},
	{SECTION_PORTAL, "tls_cert", VALUE_PATH, OF(tls_cert), 0, PATH_BYTES, ""},
	{SECTION_PORTAL, "tls_key", VALUE_PATH, OF(tls_key), 0, PATH_BYTES, ""},
	{SECTION_PORTAL, "hsts_days", VALUE_INT, OF(hsts_days), 0, 730, "0"},
	{SECTION_PORTAL, "operator_user", VALUE_WORD, OF(operator_user), 1, 32, "gatehouse-operator"},
	{SECTION_PORTAL, "operator_http_port", VALUE_INT, OF(operator_http_port), 1, 65535, "8080"},
	{SECTION_PORTAL, "operator_https_port", VALUE_INT, OF(operator_https_port), 1, 65535, "8443"},
	{SECTION_PORTAL, "operator_name", VALUE_WORD, OF(operator_name), 0, 253, ""},
	{SECTION_PORTAL, "operator_tls_cert", VALUE_PATH, OF(operator_tls_cert), 0, PATH_BYTES, ""},
	{SECTION_PORTAL, "operator_tls_key", VALUE_PATH, OF(operator_tls_key), 0, PATH_BYTES, ""},
	{SECTION_PORTAL, "second_factor", VALUE_WORD, OF(second_factor), 1, 15, "none"},
	{SECTION_PORTAL, "venue_name", VALUE_TEXT, OF(venue_name), 1, 64, "Guest Wi-Fi"},
	{SECTION_PORTAL, "venue_url", VALUE_URL, OF(venue_url), 0, CONFIG_URL - 1, ""},
	{SECTION_PORTAL, "branding", VALUE_PATH, OF(branding), 0, CONFIG_BRANDING - 1, ""},

	{SECTION_RETENTION, "captive_hours", VALUE_INT, OF(retention.captive_hours), 1, 8760, "24"},
	{SECTION_RETENTION, "access_log_days", VALUE_INT, OF(retention.access_log_days), 1, 3650, "14"},
	{SECTION_RETENTION, "address_days", VALUE_INT, OF(retention.address_days), 1, 3650, "90"},
	{SECTION_RETENTION, "address_log_days", VALUE_INT, OF(retention.address_log_days), 1, 3650, "180"},
	{SECTION_RETENTION, "contact_days", VALUE_INT, OF(retention.contact_days), 1, 3650, "30"},
	{SECTION_RETENTION, "member_days", VALUE_INT, OF(retention.member_days), 1, 3650, "30"},
	{SECTION_RETENTION, "event_days", VALUE_INT, OF(retention.event_days), 1, 3650, "180"},
	{SECTION_RETENTION, "audit_days", VALUE_INT, OF(retention.audit_days), 30, 3650, "730"},
	{SECTION_RETENTION, "sales_days", VALUE_INT, OF(retention.sales_days), 30, 3650, "730"},

	{SECTION_FREE, "plan", VALUE_TEXT, OF(free_plan), 0, 64, ""},
	{SECTION_FREE, "kbps", VALUE_INT, OF(free_kbps), 64, 1000000, "1000"},
	{SECTION_FREE, "random_per_hour", VALUE_INT, OF(free_random_per_hour), 0, 1000000, "60"},

	{SECTION_QR_LOGIN, "guest_plan", VALUE_TEXT, OF(qr_plans[ROLE_NONE]), 1, 64, "Monthly"},
	{SECTION_QR_LOGIN, "staff_plan", VALUE_TEXT, OF(qr_plans[ROLE_STAFF]), 0, 64, ""},
	{SECTION_QR_LOGIN, "supervisor_plan", VALUE_TEXT, OF(qr_plans[ROLE_SUPERVISOR]), 0, 64, ""},
	{SECTION_QR_LOGIN, "manager_plan", VALUE_TEXT, OF(qr_plans[ROLE_MANAGER]), 0, 64, ""},
	{SECTION_QR_LOGIN, "admin_plan", VALUE_TEXT, OF(qr_plans[ROLE_ADMIN]), 0, 64, ""},
	{SECTION_QR_LOGIN, "unknown_guest", VALUE_TEXT, OF(qr_unknown), 1, 64, "refuse"},
	{SECTION_QR_LOGIN, "token_days", VALUE_INT, OF(qr_token_days), 1, 3650, "30"},
	{SECTION_QR_LOGIN, "rotate_days", VALUE_INT, OF(qr_rotate_days), 0, 365, "7"},
	{SECTION_QR_LOGIN, "venue_id", VALUE_TEXT, OF(qr_venue_id), 0, 64, ""},

	{SECTION_TERMS, "file", VALUE_PATH, OF(terms_file), 0, PATH_BYTES, ""},
	{SECTION_TERMS, "version", VALUE_TEXT, OF(terms_version), 0, 40, ""},

	{SECTION_BACKUP, "directory", VALUE_PATH, OF(backup_dir), 0, PATH_BYTES, ""},
	{SECTION_BACKUP, "keep", VALUE_INT, OF(backup_keep), 1, 1000, "7"},
	{SECTION_BACKUP, "public_key", VALUE_TEXT, OF(backup_key), 0, 64, ""},
	{SECTION_BACKUP, "passphrase_file", VALUE_PATH, OF(backup_passphrase), 0, PATH_BYTES, ""},

	{SECTION_NETWORK, "number", VALUE_INT, NET(number), 1, 63, NULL},
	{SECTION_NETWORK, "interface", VALUE_INTERFACE, NET(interface), 1, 15, NULL},
	{SECTION_NETWORK, "portal4", VALUE_ADDR4, NET(portal4), 0, 0, NULL},
	{SECTION_NETWORK, "portal6", VALUE_ADDR6, NET(portal6), 0, 0, NULL},
	{SECTION_NETWORK, "ssid", VALUE_TEXT, NET(ssid), 1, 32, NULL},
	{SECTION_NETWORK, "venue_name", VALUE_TEXT, NET(venue_name), 1, 64, NULL},
	{SECTION_NETWORK, "venue_url", VALUE_URL, NET(venue_url), 0, CONFIG_URL - 1, NULL},
	{SECTION_NETWORK, "branding", VALUE_PATH, NET(branding), 0, CONFIG_BRANDING - 1, NULL},
	{SECTION_NETWORK, "hook", VALUE_HOOK, NET(hook), 0, 0, NULL},
	{SECTION_NETWORK, "block_private", VALUE_BOOL, NET(block_private), 0, 0, "no"},
	{SECTION_NETWORK, "operators", VALUE_BOOL, NET(operators), 0, 0, "no"},
	{SECTION_NETWORK, "qr_login", VALUE_BOOL, NET(qr_login), 0, 0, "no"},
	{SECTION_NETWORK, "isolate", VALUE_BOOL, NET(isolate), 0, 0, "yes"},
	{SECTION_NETWORK, "on_spoof", VALUE_SPOOF, NET(on_spoof), 0, 0, "report"},
	{SECTION_NETWORK, "source_check", VALUE_SOURCE, NET(source_check), 0, 0, NULL},
	{SECTION_NETWORK, "reach", VALUE_REACH, NET(reach), 0, 0, NULL},
	{SECTION_NETWORK, "steer_dns", VALUE_BOOL, NET(steer_dns), 0, 0, "yes"},
	{SECTION_NETWORK, "resolver4", VALUE_ADDR4, NET(resolver4), 0, 0, NULL},
	{SECTION_NETWORK, "resolver6", VALUE_ADDR6, NET(resolver6), 0, 0, NULL},
	{SECTION_NETWORK, "captive_kbps", VALUE_INT, NET(captive_kbps), 1, 1000000, "8"},
	{SECTION_NETWORK, "network_kbps", VALUE_INT, NET(network_kbps), 1, 10000000, "1024"},
	{SECTION_NETWORK, "box_kbps", VALUE_INT, NET(box_kbps), 1, 1000000, "64"},
	{SECTION_NETWORK, "garden", VALUE_GARDEN, NET(garden), 0, 0, NULL},
	{SECTION_NETWORK, "garden_kbps", VALUE_INT, NET(garden_kbps), 1, 10000000, "1024"},
	{SECTION_NETWORK, "garden_network_kbps", VALUE_INT, NET(garden_network_kbps), 1, 10000000, "16384"},
	{SECTION_NETWORK, "garden_keep_seconds", VALUE_INT, NET(garden_keep_seconds), 0, 86400, "300"},

	{SECTION_COIN, "socket", VALUE_PATH, COIN(socket), 1, COIN_SOCKET_BYTES, NULL},
	{SECTION_COIN, "user", VALUE_WORD, COIN(user), 1, 32, NULL},
	{SECTION_COIN, "chip", VALUE_CHIP, COIN(chip), 1, 63, NULL},
	{SECTION_COIN, "line", VALUE_INT, COIN(gpio_line), 0, 1023, NULL},
	{SECTION_COIN, "active_low", VALUE_BOOL, COIN(active_low), 0, 0, "yes"},
	{SECTION_COIN, "inhibit_line", VALUE_INT, COIN(inhibit_line), 0, 1023, NULL},
	{SECTION_COIN, "inhibit_low", VALUE_BOOL, COIN(inhibit_low), 0, 0, "no"},
	{SECTION_COIN, "value", VALUE_INT, COIN(value_minor), 1, 100000000, NULL},
	{SECTION_COIN, "pulse_min_ms", VALUE_INT, COIN(pulse_min_ms), 1, 1000, "10"},
	{SECTION_COIN, "pulse_max_ms", VALUE_INT, COIN(pulse_max_ms), 2, 5000, "200"},
	{SECTION_COIN, "gap_ms", VALUE_INT, COIN(gap_ms), 1, 1000, "15"},
	{SECTION_COIN, "pulses_per_second", VALUE_INT, COIN(pulses_per_second), 1, 1000, "20"},
};
/* clang-format on */

_Static_assert(ARRAY_SIZE(settings) <= CONFIG_SETTINGS_MAX, "lines[] fits");

#define fault(r, ...) config_fault(r, (r)->line, __VA_ARGS__)

int config_setting(enum section section, const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(settings); i++)
		if (settings[i].section == section &&
			!strcmp(settings[i].name, name))
			return (int)i;
	return -1;
}

/* Those sections that there may be several of, each with a struct of its own. */
static bool is_repeated(enum section section)
{
	return section == SECTION_NETWORK || section == SECTION_COIN;
}

/* SECTION_NONE: of all that are once in the file. */
static void set_presets(enum section section, void *base)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(settings); i++) {
		const struct setting *row = &settings[i];

		if ((section == SECTION_NONE ? !is_repeated(row->section)
					     : row->section == section) &&
			row->preset)
			setting_read(row, row->preset, base);
	}
}

/* Sections. */

static struct config_network *this_network(struct reading *r)
{
	return r->place == PLACE_SPARE ? &r->spare
				       : &r->config->networks[r->place - 1];
}

/* Is it a network's name, and a new one? */
static bool check_name(struct reading *r, const char *name)
{
	const struct config *config = r->config;
	const struct config_network *other;
	size_t len = strlen(name);

	if (!len || len >= CONFIG_NAME_MAX || setting_check_word(name)) {
		fault(r,
			"a network's name must be 1 to %d letters, digits, "
			"'-', '_' or '.'",
			CONFIG_NAME_MAX - 1);
		return false;
	}
	other = config_network_named(config, name);
	if (other) {
		fault(r, "network %s is already defined on line %d", name,
			other->line);
		return false;
	}
	if (config->network_count == CONFIG_NETWORKS_MAX) {
		if (!r->too_many++)
			fault(r, "too many networks: %d at most",
				CONFIG_NETWORKS_MAX);
		return false;
	}
	return true;
}

static void open_network(struct reading *r, const char *name)
{
	struct config_network *network;

	r->section = SECTION_NETWORK;
	r->lost = true;
	r->place = check_name(r, name) ? ++r->config->network_count
				       : PLACE_SPARE;
	network = this_network(r);
	*network = (struct config_network){.line = r->line};
	memset(r->marks[r->place], 0, sizeof(r->marks[r->place]));
	set_presets(SECTION_NETWORK, network);
	if (r->place != PLACE_SPARE)
		memcpy(network->name, name, strlen(name) + 1);
}

static struct config_coin *this_coin(struct reading *r)
{
	int at = r->place - PLACE_COIN;

	return at < CONFIG_COINS_MAX ? &r->config->coins[at] : &r->spare_coin;
}

/* Is it a slot's name, and a new one? */
static bool check_coin_name(struct reading *r, const char *name)
{
	const struct config *config = r->config;
	size_t len = strlen(name);
	int i;

	if (!len || len >= CONFIG_NAME_MAX || setting_check_word(name)) {
		fault(r,
			"a coin slot's name must be 1 to %d letters, digits, "
			"'-', '_' or '.'",
			CONFIG_NAME_MAX - 1);
		return false;
	}
	for (i = 0; i < config->coin_count; i++)
		if (!strcmp(config->coins[i].name, name)) {
			fault(r, "coin slot %s is already defined on line %d",
				name, config->coins[i].line);
			return false;
		}
	if (config->coin_count == CONFIG_COINS_MAX)
		fault(r, "too many coin slots: %d at most", CONFIG_COINS_MAX);
	return config->coin_count < CONFIG_COINS_MAX;
}

static void open_coin(struct reading *r, const char *name)
{
	struct config_coin *coin;

	r->section = SECTION_COIN;
	r->place = PLACE_COIN + (check_coin_name(r, name)
						? r->config->coin_count++
						: CONFIG_COINS_MAX);
	coin = this_coin(r);
	/* All of it: a reload compares. */
	memset(coin, 0, sizeof(*coin));
	coin->line = r->line;
	memset(r->marks[r->place], 0, sizeof(r->marks[r->place]));
	set_presets(SECTION_COIN, coin);
	coin->gpio_line = coin->inhibit_line = -1;
	if (coin != &r->spare_coin)
		memcpy(coin->name, name, strlen(name) + 1);
}

static void open_section(struct reading *r, const char *name)
{
	r->begun = true;
	r->place = PLACE_FILE;
	if (!strcmp(name, "gatehouse")) {
		r->section = SECTION_GATEHOUSE;
	} else if (!strcmp(name, "portal")) {
		r->section = SECTION_PORTAL;
	} else if (!strcmp(name, "retention")) {
		r->section = SECTION_RETENTION;
	} else if (!strcmp(name, "backup")) {
		r->section = SECTION_BACKUP;
	} else if (!strcmp(name, "free")) {
		r->section = SECTION_FREE;
	} else if (!strcmp(name, "qr_login")) {
		r->section = SECTION_QR_LOGIN;
	} else if (!strcmp(name, "terms")) {
		r->section = SECTION_TERMS;
	} else if (!strcmp(name, "roles")) {
		r->section = SECTION_ROLES;
	} else if (!strncmp(name, "network ", 8)) {
		name += 8;
		open_network(r, name + strspn(name, " \t"));
	} else if (!strncmp(name, "coin ", 5)) {
		name += 5;
		open_coin(r, name + strspn(name, " \t"));
	} else {
		r->section = SECTION_NONE;
		r->lost = true;
		fault(r,
			"unknown section [%s]; the sections are [gatehouse], "
			"[portal], [retention], [backup], [free], [qr_login], [terms], "
			"[network NAME], [coin NAME] and [roles]. What it sets was not checked",
			name);
	}
}

static void add_role(struct reading *r, const char *user, const char *value)
{
	struct config *config = r->config;
	struct config_role *role = &config->roles[config->role_count];
	enum role found;
	int i;

	for (i = 0; i < config->role_count; i++)
		if (!strcmp(config->roles[i].user, user)) {
			fault(r, "%s already has a role on line %d", user,
				config->roles[i].line);
			return;
		}
	if (config->role_count == CONFIG_ROLES_MAX) {
		fault(r, "too many roles: %d at most", CONFIG_ROLES_MAX);
		return;
	}
	if (strlen(user) >= sizeof(role->user) || setting_check_word(user)) {
		fault(r, "%s is not a valid user name", user);
		return;
	}
	if (role_parse(value, &found)) {
		fault(r, "a role must be " ROLE_WORDS);
		return;
	}
	snprintf(role->user, sizeof(role->user), "%s", user);
	role->role = found;
	role->line = r->line;
	config->role_count++;
}

/* The struct that this section's settings go into. */
static void *this_base(struct reading *r)
{
	if (r->section == SECTION_NETWORK)
		return this_network(r);
	return r->section == SECTION_COIN ? (void *)this_coin(r)
					  : (void *)r->config;
}

static void add_setting(struct reading *r, const char *name, const char *value)
{
	int at = config_setting(r->section, name);
	struct mark *mark;
	const char *wrong;

	if (at < 0) {
		fault(r, "unknown setting `%s` in this section", name);
		return;
	}
	mark = &r->marks[r->place][at];
	if (mark->line && !setting_is_list(&settings[at])) {
		fault(r, "`%s` is already set on line %d", name, mark->line);
		return;
	}
	mark->line = r->line;
	wrong = setting_read(&settings[at], value, this_base(r));
	if (!wrong)
		return;
	mark->bad = true;
	fault(r, "`%s` %s", name, wrong);
}

/* inih's handler; sections are tracked by the reader, see on top. */
static int on_value(
	void *data, const char *section, const char *name, const char *value)
{
	struct reading *r = data;

	if (r->section == SECTION_ROLES)
		add_role(r, name, value);
	else if (r->section != SECTION_NONE)
		add_setting(r, name, value);
	return 1;
}

/* Lines. */

/* Takes note of sections and says whether inih shall see the line. */
static bool check_line(struct reading *r, char *line, size_t len, int room)
{
	char *start = line + strspn(line, " \t"), *end;

	if (memchr(line, '\0', len)) {
		fault(r, "this line contains a NUL byte");
		return false;
	}
	if (r->line == 1 && !strncmp(start, "\xef\xbb\xbf", 3))
		start += 3;
	start[strcspn(start, "\r\n")] = '\0';
	if (!*start || *start == ';' || *start == '#')
		return false;
	if (len >= (size_t)room) {
		fault(r, "this line is longer than %d characters", room - 1);
		return false;
	}
	if (*start == '[') {
		end = strchr(start, ']');
		if (end)
			*end = '\0';
		else
			fault(r, "`]` is missing");
		open_section(r, start + 1);
		return false;
	}
	end = start + strcspn(start, "=:");
	if (!*end || end == start) {
		r->lost = true;
		fault(r, "expected `name = value` or `[section]`");
		return false;
	}
	if (!r->begun)
		fault(r,
			"this setting comes before any [section]; it and what "
			"follows it up to one was not checked");
	r->begun = true;
	return true;
}

/* inih's reader, with the ways of fgets(). */
static char *read_line(char *buf, int room, void *stream)
{
	struct reading *r = stream;
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	ssize_t len = getline(&line, &size, r->file);

	if (len < 0)
		return NULL;
	r->line++;
	if (check_line(r, line, (size_t)len, room))
		snprintf(buf, (size_t)room, "%s\n",
			line + strspn(line, " \t\xef\xbb\xbf"));
	else
		snprintf(buf, (size_t)room, "\n");
	return buf;
}

/* The file as a whole. */

int config_line(const struct config *config,
	const struct config_network *network, const char *name)
{
	int place = network ? 1 + (int)(network - config->networks) : PLACE_FILE;
	int line = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(settings); i++)
		if ((network ? settings[i].section == SECTION_NETWORK
			     : !is_repeated(settings[i].section)) &&
			!strcmp(settings[i].name, name))
			line = config->lines[place][i];
	return line || !network ? line : network->line;
}

const struct config_network *config_network_named(
	const struct config *config, const char *name)
{
	int i;

	for (i = 0; i < config->network_count; i++)
		if (!strcmp(config->networks[i].name, name))
			return &config->networks[i];
	return NULL;
}

const struct config_network *config_network_numbered(
	const struct config *config, uint32_t number)
{
	int i;

	for (i = 0; i < config->network_count; i++)
		if ((uint32_t)config->networks[i].number == number)
			return &config->networks[i];
	return NULL;
}

void config_report(void *data, const char *path, int line, const char *text)
{
	char where[PATH_MAX + 16];

	if (line)
		snprintf(where, sizeof(where), "%s:%d", path, line);
	else
		snprintf(where, sizeof(where), "%s", path);
	if (data)
		fprintf(data, "%s: %s\n", where, text);
	else
		log_error("%s: %s", where, text);
}

int config_portal_ports(const struct config *config,
	uint16_t ret_ports[static CONFIG_PORTAL_PORTS])
{
	int n = 0;

	ret_ports[n++] = config->portal_http_port;
	if (config->tls_cert[0])
		ret_ports[n++] = config->portal_https_port;
	return n;
}

int config_operator_ports(const struct config *config,
	uint16_t ret_ports[static CONFIG_PORTAL_PORTS])
{
	int i, n = 0;

	for (i = 0; i < config->network_count; i++)
		if (config->networks[i].operators)
			break;
	if (i == config->network_count)
		return 0;
	ret_ports[n++] = config->operator_http_port;
	if (config->operator_tls_cert[0])
		ret_ports[n++] = config->operator_https_port;
	return n;
}

void config_for_operators(struct config *config)
{
	memcpy(config->portal_user, config->operator_user,
		sizeof(config->portal_user));
	memcpy(config->portal_name, config->operator_name,
		sizeof(config->portal_name));
	memcpy(config->tls_cert, config->operator_tls_cert,
		sizeof(config->tls_cert));
	memcpy(config->tls_key, config->operator_tls_key,
		sizeof(config->tls_key));
	config->portal_http_port = config->operator_http_port;
	config->portal_https_port = config->operator_https_port;
}

/* For config_line(). */
static void keep_lines(const struct reading *r)
{
	size_t place, at;

	for (place = 0; place <= CONFIG_NETWORKS_MAX; place++)
		for (at = 0; at < ARRAY_SIZE(settings); at++)
			r->config->lines[place][at] = r->marks[place][at].line;
}

int config_load(const char *path, enum config_use use,
	struct config *ret_config, finding_fn *report, void *data)
{
	_cleanup_free_ struct config *config = xcalloc(1, sizeof(*config));
	_cleanup_free_ struct reading *r = xcalloc(1, sizeof(*r));
	int err;

	*r = (struct reading){.config = config, .use = use};
	r->file = fopen(path, "re");
	if (!r->file)
		return -errno;
	set_presets(SECTION_NONE, config);
	errno = 0;
	ini_parse_stream(read_line, r, on_value, r);
	err = ferror(r->file) ? (errno ? errno : EIO) : 0;
	fclose(r->file);
	if (err) {
		findings_clear(&r->faults);
		return -err;
	}
	config_check_whole(r);
	if (r->faults.count) {
		findings_tell(&r->faults, path, report, data);
		return -EINVAL;
	}
	keep_lines(r);
	*ret_config = *config;
	return 0;
}
