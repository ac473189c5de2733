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

#include <ctype.h>
#include <ini.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "base/findings.h"
#include "base/log.h"
#include "base/text.h"
#include "base/util.h"
#include "gatehouse/ctl.h"

enum value_type {
	VALUE_TEXT,      /* UTF-8, min to max bytes */
	VALUE_WORD,      /* letters, digits, '-', '_', '.', min to max of them */
	VALUE_CODE,      /* capital letters and digits */
	VALUE_CURRENCY,  /* three capital letters */
	VALUE_INTERFACE, /* name of a network device */
	VALUE_PATH,      /* absolute, at most max bytes; "" when min is 0 */
	VALUE_INT,
	VALUE_BOOL,
	VALUE_ADDR4,
	VALUE_ADDR6,
	VALUE_HOOK,
	VALUE_SHAPE,
	VALUE_SOURCE,
	/* Lists; may be given several times */
	VALUE_REACH,
	VALUE_GARDEN,
};

enum section { SECTION_NONE, SECTION_GATEHOUSE, SECTION_PORTAL,
	SECTION_NETWORK, SECTION_ROLES };

struct setting {
	enum section section;
	const char *name;
	enum value_type type;
	size_t offset; /* into struct config or struct config_network */
	int64_t min, max;
	const char *preset; /* NULL: zero, or derived after reading */
};

#define OF(field) offsetof(struct config, field)
#define NET(field) offsetof(struct config_network, field)
#define PATH_BYTES (PATH_MAX - 1)
/* The daemon binds it as "PATH.new" first. */
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
	{SECTION_GATEHOUSE, "sweep_seconds", VALUE_INT, OF(sweep_seconds), 1, 60, "10"},

	{SECTION_PORTAL, "user", VALUE_WORD, OF(portal_user), 1, 32, "gatehouse-portal"},
	{SECTION_PORTAL, "http_port", VALUE_INT, OF(portal_http_port), 1, 65535, "80"},
	{SECTION_PORTAL, "https_port", VALUE_INT, OF(portal_https_port), 1, 65535, "443"},
	{SECTION_PORTAL, "name", VALUE_WORD, OF(portal_name), 0, 253, ""},
	{SECTION_PORTAL, "tls_cert", VALUE_PATH, OF(tls_cert), 0, PATH_BYTES, ""},
	{SECTION_PORTAL, "tls_key", VALUE_PATH, OF(tls_key), 0, PATH_BYTES, ""},
	{SECTION_PORTAL, "venue_name", VALUE_TEXT, OF(venue_name), 1, 64, "Guest Wi-Fi"},

	{SECTION_NETWORK, "number", VALUE_INT, NET(number), 1, 63, NULL},
	{SECTION_NETWORK, "interface", VALUE_INTERFACE, NET(interface), 1, 15, NULL},
	{SECTION_NETWORK, "portal4", VALUE_ADDR4, NET(portal4), 0, 0, NULL},
	{SECTION_NETWORK, "portal6", VALUE_ADDR6, NET(portal6), 0, 0, NULL},
	{SECTION_NETWORK, "ssid", VALUE_TEXT, NET(ssid), 1, 32, NULL},
	{SECTION_NETWORK, "hook", VALUE_HOOK, NET(hook), 0, 0, NULL},
	{SECTION_NETWORK, "block_private", VALUE_BOOL, NET(block_private), 0, 0, "no"},
	{SECTION_NETWORK, "isolate", VALUE_BOOL, NET(isolate), 0, 0, "yes"},
	{SECTION_NETWORK, "source_check", VALUE_SOURCE, NET(source_check), 0, 0, "report"},
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
};
/* clang-format on */

static const char *const role_names[] = {
	[ROLE_STAFF] = "staff",
	[ROLE_SUPERVISOR] = "supervisor",
	[ROLE_MANAGER] = "manager",
	[ROLE_ADMIN] = "admin",
};

_Static_assert(ARRAY_SIZE(settings) <= CONFIG_SETTINGS_MAX, "lines[] fits");

/* Where settings were found: those of the file, of each network, and of a
 * network that is none because its header is wrong. */
#define PLACE_FILE	0
#define PLACE_SPARE	(1 + CONFIG_NETWORKS_MAX)
#define PLACE_COUNT	(PLACE_SPARE + 1)

struct mark {
	int line; /* 0: not in the file */
	bool bad; /* its value was refused: say nothing more about it */
};

struct reading {
	FILE *file;
	struct config *config;
	struct config_network spare; /* is checked, and thrown away */
	struct findings faults;
	enum config_use use;
	int line;
	int too_many; /* networks beyond the last that there is room for */
	bool begun;   /* there was a header, or a fault for lack of one */
	bool lost;    /* a network was meant, or something not understood */
	enum section section;
	int place; /* of `section` */
	struct mark marks[PLACE_COUNT][ARRAY_SIZE(settings)];
};

#define fault_at(r, line, ...) findings_add(&(r)->faults, line, __VA_ARGS__)
#define fault(r, ...) fault_at(r, (r)->line, __VA_ARGS__)

/* Row of the table; -1: none. */
static int setting_index(enum section section, const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(settings); i++)
		if (settings[i].section == section &&
			!strcmp(settings[i].name, name))
			return (int)i;
	return -1;
}

/* Values. Each returns NULL, or what the value must be. */

#define WORD_MARKS "-_."

static bool is_word(const char *value, const char *marks)
{
	const char *c;

	for (c = value; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr(marks, *c))
			return false;
	return true;
}

static const char *check_word(const char *value)
{
	return is_word(value, WORD_MARKS)
		       ? NULL
		       : "may contain only letters, digits, '-', '_' and '.'";
}

static const char *check_interface(const char *value)
{
	if (!strcmp(value, "lo"))
		return "must be the guests' interface; lo is the box itself";
	return is_word(value, WORD_MARKS "@+")
		       ? NULL
		       : "may contain only letters, digits, '-', '_', '.', '@' "
			 "and '+'";
}

static const char *check_text(const char *value, size_t len)
{
	if (!text_is_clean(value, len))
		return "must be UTF-8 text without control characters";
	/* "Cafe #1" is a name. */
	if (strstr(value, " # "))
		return "has a comment behind it, which needs a line of its own";
	return NULL;
}

static const char *check_code(const char *value)
{
	const char *c;

	for (c = value; *c; c++)
		if (!isdigit((unsigned char)*c) && !(*c >= 'A' && *c <= 'Z'))
			return "may contain only capital letters and digits";
	return NULL;
}

static const char *set_currency(const char *value, char *to)
{
	size_t len = strlen(value);

	if (len != 3 || strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != len)
		return "must be three capital letters such as TZS";
	memcpy(to, value, len + 1);
	return NULL;
}

static const char *set_text(
	const struct setting *row, const char *value, char *to)
{
	static char why[64];
	const char *wrong = NULL;
	size_t len = strlen(value);

	if (len < (size_t)row->min || len > (size_t)row->max) {
		if (row->min == row->max)
			snprintf(why, sizeof(why), "must be %lld characters long",
				(long long)row->min);
		else
			snprintf(why, sizeof(why),
				"must be %lld to %lld characters long",
				(long long)row->min, (long long)row->max);
		return why;
	}
	if (row->type == VALUE_PATH && len && value[0] != '/')
		wrong = "must be an absolute path, beginning with /";
	else if (row->type == VALUE_WORD)
		wrong = check_word(value);
	else if (row->type == VALUE_INTERFACE)
		wrong = check_interface(value);
	else if (row->type == VALUE_CODE)
		wrong = check_code(value);
	else
		wrong = check_text(value, len);
	if (!wrong)
		memcpy(to, value, len + 1);
	return wrong;
}

static const char *set_int(const struct setting *row, const char *value, int *to)
{
	static char why[64];
	char *end;
	long long number;

	errno = 0;
	number = strtoll(value, &end, 10);
	if (errno || end == value || *end || number < row->min ||
		number > row->max) {
		snprintf(why, sizeof(why),
			"must be a whole number from %lld to %lld",
			(long long)row->min, (long long)row->max);
		return why;
	}
	*to = (int)number;
	return NULL;
}

static const char *set_bool(const char *value, bool *to)
{
	static const char *const words[][2] = {
		{"no", "yes"}, {"off", "on"}, {"false", "true"}, {"0", "1"}};
	size_t i;
	int flag;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		for (flag = 0; flag < 2; flag++)
			if (!strcmp(value, words[i][flag])) {
				*to = flag;
				return NULL;
			}
	return "must be yes or no";
}

static const char *set_hook(const char *value, enum config_hook *to)
{
	static const char *const words[] = {
		[CONFIG_HOOK_AUTO] = "auto",
		[CONFIG_HOOK_XDP] = "xdp",
		[CONFIG_HOOK_TC] = "tc",
	};
	int hook = NAME_INDEX(words, value);

	if (hook < 0)
		return "must be auto, xdp or tc";
	*to = (enum config_hook)hook;
	return NULL;
}

static const char *set_shape(const char *value, enum config_shape *to)
{
	static const char *const words[] = {
		[CONFIG_SHAPE_AUTO] = "auto",
		[CONFIG_SHAPE_FOUND] = "found",
		[CONFIG_SHAPE_POLICE] = "police",
	};
	int shape = NAME_INDEX(words, value);

	if (shape < 0)
		return "must be auto, found or police";
	*to = (enum config_shape)shape;
	return NULL;
}

static const char *const source_names[] = {
	[CONFIG_SOURCE_OFF] = "off",
	[CONFIG_SOURCE_REPORT] = "report",
	[CONFIG_SOURCE_DROP] = "drop",
};

const char *config_source_name(enum config_source_check check)
{
	return source_names[check];
}

static const char *set_source(const char *value, enum config_source_check *to)
{
	int check = NAME_INDEX(source_names, value);

	if (check < 0)
		return "must be off, report or drop";
	*to = (enum config_source_check)check;
	return NULL;
}

static const char *set_addr(
	const struct setting *row, const char *value, struct ipaddr *to)
{
	/* This host, link-local, multicast, reserved: no guest can be sent
	 * there, or not with the address alone. */
	static const char *const unfit[] = {"0.0.0.0/8", "169.254.0.0/16",
		"224.0.0.0/3", "::/128", "fe80::/10", "ff00::/8"};
	bool want_v4 = row->type == VALUE_ADDR4;
	struct prefix prefix;
	struct ipaddr addr;
	size_t i;

	if (ip_parse(value, &addr) || ip_is_v4(&addr) != want_v4)
		return want_v4 ? "must be an IPv4 address such as 10.0.0.1"
			       : "must be an IPv6 address such as fd00::1";
	for (i = 0; i < ARRAY_SIZE(unfit); i++)
		if (!prefix_parse(unfit[i], &prefix) &&
			ip_is_v4(&prefix.addr) == want_v4 &&
			prefix_contains(&prefix, &addr))
			return want_v4 ? "must be an address that guests can "
					 "reach, such as 10.0.0.1"
				       : "must be an address that guests can "
					 "reach, such as fd00::1, not a "
					 "link-local one";
	*to = addr;
	return NULL;
}

/* ":8080/tcp" behind the prefix. */
static int parse_port(char *text, struct config_reach *reach)
{
	char *slash = strchr(text, '/'), *end;
	long port;

	if (slash) {
		*slash++ = '\0';
		if (!strcmp(slash, "tcp"))
			reach->proto = IPPROTO_TCP;
		else if (!strcmp(slash, "udp"))
			reach->proto = IPPROTO_UDP;
		else
			return -EINVAL;
	}
	port = strtol(text, &end, 10);
	if (end == text || *end || port < 1 || port > 65535)
		return -EINVAL;
	reach->port = (uint16_t)port;
	return 0;
}

static int parse_reach(const char *value, struct config_reach *ret_reach)
{
	struct config_reach reach = {0};
	char text[96], *port;

	if (snprintf(text, sizeof(text), "%s", value) >= (int)sizeof(text))
		return -EINVAL;
	/* The colons of an IPv6 address end at the "/length", which a port
	 * behind one therefore needs. */
	if (strchr(text, '.')) {
		port = strchr(text, ':');
	} else {
		port = strchr(text, '/');
		port = port ? strchr(port, ':') : NULL;
	}
	if (port) {
		*port++ = '\0';
		if (parse_port(port, &reach))
			return -EINVAL;
	}
	if (prefix_parse(text, &reach.prefix))
		return -EINVAL;
	*ret_reach = reach;
	return 0;
}

/* Entries of lists: -EINVAL, or -ENOSPC when the list is full. */

static int add_reach(const char *word, struct config_network *network)
{
	struct config_reach reach;

	if (parse_reach(word, &reach))
		return -EINVAL;
	if (network->reach_count == CONFIG_REACH_MAX)
		return -ENOSPC;
	network->reach[network->reach_count++] = reach;
	return 0;
}

static int add_garden(const char *word, struct config_network *network)
{
	struct config_garden entry = {0};
	size_t len = strlen(word), i;

	if (len >= sizeof(entry.text))
		return -EINVAL;
	for (i = 0; i < len; i++)
		entry.text[i] = (char)tolower((unsigned char)word[i]);
	entry.is_name = text_is_host_name(
		strncmp(entry.text, "*.", 2) ? entry.text : entry.text + 2);
	/* All of IPv4 lies in all of IPv6, in its mapped form. */
	if (!entry.is_name &&
		(prefix_parse(word, &entry.prefix) ||
			(entry.prefix.len < 96 && ip_is_zero(&entry.prefix.addr))))
		return -EINVAL;
	if (network->garden_count == CONFIG_GARDEN_MAX)
		return -ENOSPC;
	network->garden[network->garden_count++] = entry;
	return 0;
}

/* Several entries, apart by spaces or commas. */
struct list {
	int (*add)(const char *word, struct config_network *network);
	int max;
	const char *example;
};

static const struct list reach_list = {
	add_reach, CONFIG_REACH_MAX, "10.0.0.5/32:8080/tcp or fd00::/64"};
static const struct list garden_list = {
	add_garden, CONFIG_GARDEN_MAX,
	"198.51.100.0/24, 2001:db8::/32, example.org or *.example.org"};

static const char *add_list(const struct list *list, const char *value,
	struct config_network *network)
{
	static char why[512];
	char words[256], bad[256] = "", *rest = words, *word;
	int beyond = 0;

	if (snprintf(words, sizeof(words), "%s", value) >= (int)sizeof(words))
		return "is too long; use several lines";
	while ((word = strsep(&rest, " \t,"))) {
		int ret = *word ? list->add(word, network) : 0;

		if (ret == -EINVAL)
			snprintf(bad + strlen(bad), sizeof(bad) - strlen(bad),
				" %s", word);
		else if (ret)
			beyond++;
	}
	if (bad[0])
		snprintf(why, sizeof(why),
			"does not take%s; an entry looks like %s", bad,
			list->example);
	else if (beyond)
		snprintf(why, sizeof(why),
			"has %d entries with this line; a network may have %d",
			list->max + beyond, list->max);
	return bad[0] || beyond ? why : NULL;
}

static const char *set_value(
	const struct setting *row, const char *value, void *base)
{
	void *to = (char *)base + row->offset;
	const char *wrong = NULL;

	switch (row->type) {
	case VALUE_TEXT:
	case VALUE_WORD:
	case VALUE_CODE:
	case VALUE_INTERFACE:
	case VALUE_PATH:
		wrong = set_text(row, value, to);
		break;
	case VALUE_CURRENCY:
		wrong = set_currency(value, to);
		break;
	case VALUE_INT:
		wrong = set_int(row, value, to);
		break;
	case VALUE_BOOL:
		wrong = set_bool(value, to);
		break;
	case VALUE_ADDR4:
	case VALUE_ADDR6:
		wrong = set_addr(row, value, to);
		break;
	case VALUE_HOOK:
		wrong = set_hook(value, to);
		break;
	case VALUE_SHAPE:
		wrong = set_shape(value, to);
		break;
	case VALUE_SOURCE:
		wrong = set_source(value, to);
		break;
	case VALUE_REACH:
		wrong = add_list(&reach_list, value, base);
		break;
	case VALUE_GARDEN:
		wrong = add_list(&garden_list, value, base);
		break;
	}
	return wrong;
}

static void set_presets(enum section section, bool networks, void *base)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(settings); i++) {
		const struct setting *row = &settings[i];

		if ((row->section == SECTION_NETWORK) == networks &&
			(section == SECTION_NONE || row->section == section) &&
			row->preset)
			set_value(row, row->preset, base);
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
	size_t len = strlen(name);
	int i;

	if (!len || len >= CONFIG_NAME_MAX || check_word(name)) {
		fault(r,
			"a network's name must be 1 to %d letters, digits, "
			"'-', '_' or '.'",
			CONFIG_NAME_MAX - 1);
		return false;
	}
	for (i = 0; i < config->network_count; i++)
		if (!strcmp(config->networks[i].name, name)) {
			fault(r, "network %s is already defined on line %d",
				name, config->networks[i].line);
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
	set_presets(SECTION_NETWORK, true, network);
	if (r->place != PLACE_SPARE)
		memcpy(network->name, name, strlen(name) + 1);
}

static void open_section(struct reading *r, const char *name)
{
	r->begun = true;
	r->place = PLACE_FILE;
	if (!strcmp(name, "gatehouse")) {
		r->section = SECTION_GATEHOUSE;
	} else if (!strcmp(name, "portal")) {
		r->section = SECTION_PORTAL;
	} else if (!strcmp(name, "roles")) {
		r->section = SECTION_ROLES;
	} else if (!strncmp(name, "network ", 8)) {
		name += 8;
		open_network(r, name + strspn(name, " \t"));
	} else {
		r->section = SECTION_NONE;
		r->lost = true;
		fault(r,
			"unknown section [%s]; the sections are [gatehouse], "
			"[portal], [network NAME] and [roles]. What it sets "
			"was not checked",
			name);
	}
}

static void add_role(struct reading *r, const char *user, const char *value)
{
	struct config *config = r->config;
	struct config_role *role = &config->roles[config->role_count];
	int i, found;

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
	if (strlen(user) >= sizeof(role->user) || check_word(user)) {
		fault(r, "%s is not a valid user name", user);
		return;
	}
	found = NAME_INDEX(role_names, value);
	if (found < 0) {
		fault(r, "a role must be staff, supervisor, manager or admin");
		return;
	}
	snprintf(role->user, sizeof(role->user), "%s", user);
	role->role = (enum role)found;
	role->line = r->line;
	config->role_count++;
}

static void add_setting(struct reading *r, const char *name, const char *value)
{
	int at = setting_index(r->section, name);
	struct mark *mark;
	const char *wrong;

	if (at < 0) {
		fault(r, "unknown setting `%s` in this section", name);
		return;
	}
	mark = &r->marks[r->place][at];
	if (mark->line && settings[at].type != VALUE_REACH &&
		settings[at].type != VALUE_GARDEN) {
		fault(r, "`%s` is already set on line %d", name, mark->line);
		return;
	}
	mark->line = r->line;
	wrong = set_value(&settings[at], value,
		r->section == SECTION_NETWORK ? (void *)this_network(r)
					      : (void *)r->config);
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

static const struct mark *mark_of(
	const struct reading *r, int place, enum section section, const char *name)
{
	return &r->marks[place][setting_index(section, name)];
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
		fault_at(r, network_line(r, at, "interface"),
			"interface %s already belongs to network %s",
			n->interface, o->name);
	if (n->number == o->number && !is_bad(r, at, "number") &&
		!is_bad(r, other, "number"))
		fault_at(r, network_line(r, at, "number"),
			"number %d%s already belongs to network %s", n->number,
			mark_of(r, 1 + at, SECTION_NETWORK, "number")->line
				? ""
				: ", by the place of this section,",
			o->name);
	if (!ip_is_zero(&n->portal4) && ip_equal(&n->portal4, &o->portal4))
		fault_at(r, network_line(r, at, "portal4"),
			"the portal address already belongs to network %s",
			o->name);
	if (!ip_is_zero(&n->portal6) && ip_equal(&n->portal6, &o->portal6))
		fault_at(r, network_line(r, at, "portal6"),
			"the portal address already belongs to network %s",
			o->name);
}

static bool is_loopback(const struct ipaddr *addr)
{
	static const char *const loopbacks[] = {"127.0.0.0/8", "::1/128"};
	struct prefix prefix;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(loopbacks); i++)
		if (!prefix_parse(loopbacks[i], &prefix) &&
			prefix_contains(&prefix, addr))
			return true;
	return false;
}

/* The portal alone may listen there, to be tried out. */
static void check_reachable(struct reading *r, int at, const char *name,
	const struct ipaddr *addr)
{
	if (r->use == CONFIG_FOR_GATE && is_loopback(addr))
		fault_at(r, network_line(r, at, name),
			"network %s: no guest can reach an address of the "
			"loopback interface",
			r->config->networks[at].name);
}

static void check_network(struct reading *r, int at)
{
	const struct config_network *n = &r->config->networks[at];
	int i;

	if (!n->interface[0] && !is_bad(r, at, "interface"))
		fault_at(r, n->line, "network %s has no `interface`", n->name);
	if (ip_is_zero(&n->portal4) && ip_is_zero(&n->portal6) &&
		!is_bad(r, at, "portal4") && !is_bad(r, at, "portal6"))
		fault_at(r, n->line,
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

/* Whose word the portal's is. The uid counts: root may have another name. */
static void check_users(struct reading *r)
{
	const struct config *config = r->config;
	const char *portal = config->portal_user;
	const struct passwd *pw = getpwnam(portal);
	bool has_uid = pw != NULL;
	uid_t uid = pw ? pw->pw_uid : 0;
	bool is_root = !strcmp(portal, "root") || (has_uid && !uid);
	int i;

	if (is_root)
		fault_at(r, mark_of(r, 0, SECTION_PORTAL, "user")->line,
			"the portal must not run as root; give it a user of "
			"its own, who has no other task");
	for (i = 0; i < config->role_count; i++) {
		const struct config_role *role = &config->roles[i];

		pw = getpwnam(role->user);
		if (!is_root && (!strcmp(role->user, portal) ||
					(has_uid && pw && pw->pw_uid == uid)))
			fault_at(r, role->line,
				"%s is the portal's user and must not have a "
				"role",
				role->user);
		if (!strcmp(role->user, "root") && role->role != ROLE_ADMIN)
			fault_at(r, role->line,
				"root is always admin; leave this line out");
	}
}

static void check_portal(struct reading *r)
{
	const struct mark *cert = mark_of(r, 0, SECTION_PORTAL, "tls_cert");
	const struct mark *key = mark_of(r, 0, SECTION_PORTAL, "tls_key");
	const struct mark *http = mark_of(r, 0, SECTION_PORTAL, "http_port");
	const struct mark *https = mark_of(r, 0, SECTION_PORTAL, "https_port");
	bool has_cert = r->config->tls_cert[0], has_key = r->config->tls_key[0];

	if (has_cert != has_key && !cert->bad && !key->bad)
		fault_at(r, has_cert ? cert->line : key->line,
			"tls_cert and tls_key must be set together");
	if (r->config->portal_http_port == r->config->portal_https_port &&
		!http->bad && !https->bad)
		fault_at(r, MAX(http->line, https->line),
			"http_port and https_port are the same");
}

static void check_file(struct reading *r)
{
	struct config *config = r->config;
	int i, at;

	for (i = 0; i < config->network_count; i++) {
		struct config_network *n = &config->networks[i];

		if (!n->number)
			n->number = i + 1;
		if (!n->ssid[0])
			memcpy(n->ssid, n->name, sizeof(n->name));
		if (!mark_of(r, 1 + i, SECTION_NETWORK, "hook")->line)
			n->hook = config->hook;
		check_network(r, i);
	}
	if (!config->network_count && !r->lost)
		fault_at(r, 0, "there is no [network NAME]: nothing to gate");
	check_users(r);
	check_portal(r);
	for (i = 0; i <= CONFIG_NETWORKS_MAX; i++)
		for (at = 0; at < (int)ARRAY_SIZE(settings); at++)
			config->lines[i][at] = r->marks[i][at].line;
}

int config_line(const struct config *config,
	const struct config_network *network, const char *name)
{
	int place = network ? 1 + (int)(network - config->networks) : PLACE_FILE;
	int line = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(settings); i++)
		if ((settings[i].section == SECTION_NETWORK) == !!network &&
			!strcmp(settings[i].name, name))
			line = config->lines[place][i];
	return line || !network ? line : network->line;
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
	set_presets(SECTION_NONE, false, config);
	errno = 0;
	ini_parse_stream(read_line, r, on_value, r);
	err = ferror(r->file) ? (errno ? errno : EIO) : 0;
	fclose(r->file);
	if (err) {
		findings_clear(&r->faults);
		return -err;
	}
	check_file(r);
	if (r->faults.count) {
		findings_tell(&r->faults, path, report, data);
		return -EINVAL;
	}
	*ret_config = *config;
	return 0;
}
