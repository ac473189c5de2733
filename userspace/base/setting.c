/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The values of settings. Each reader takes the text of one value and returns
 * NULL, or what the value must be: "must be a whole number from 1 to 60".
 */
#include "base/setting.h"

#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "base/text.h"
#include "base/util.h"

#define WORD_MARKS "-_."

static bool is_word(const char *value, const char *marks)
{
	const char *c;

	for (c = value; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr(marks, *c))
			return false;
	return true;
}

const char *setting_check_word(const char *value)
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

static const char *check_url(const char *value)
{
	size_t scheme = strncmp(value, "https://", 8) == 0  ? 8
			: strncmp(value, "http://", 7) == 0 ? 7
							    : 0;
	const char *c;

	for (c = value; *c; c++)
		if (!isgraph((unsigned char)*c) || strchr("\"<>\\^`{|}", *c))
			return "may contain only what a URL may";
	return !*value || (scheme && value[scheme])
		       ? NULL
		       : "must begin with https:// or http://, and go on";
}

static const char *check_chip(const char *value)
{
	return is_word(value, WORD_MARKS "/")
		       ? NULL
		       : "must be a GPIO chip such as gpiochip0, or its path";
}

static const char *set_currency(const char *value, char *to)
{
	size_t len = strlen(value);

	if (len != 3 || strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != len)
		return "must be three capital letters such as TZS";
	memcpy(to, value, len + 1);
	return NULL;
}

static const char *set_text(const struct setting *row, const char *value, char *to)
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
		wrong = setting_check_word(value);
	else if (row->type == VALUE_INTERFACE)
		wrong = check_interface(value);
	else if (row->type == VALUE_CODE)
		wrong = check_code(value);
	else if (row->type == VALUE_URL)
		wrong = check_url(value);
	else if (row->type == VALUE_CHIP)
		wrong = check_chip(value);
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

static const char *const hook_words[] = {
	[CONFIG_HOOK_AUTO] = "auto",
	[CONFIG_HOOK_XDP] = "xdp",
	[CONFIG_HOOK_TC] = "tc",
	NULL,
};
static const char *const shape_words[] = {
	[CONFIG_SHAPE_AUTO] = "auto",
	[CONFIG_SHAPE_FOUND] = "found",
	[CONFIG_SHAPE_POLICE] = "police",
	NULL,
};
static const char *const spoof_words[] = {
	[CONFIG_SPOOF_REPORT] = "report",
	[CONFIG_SPOOF_HOLD] = "hold",
	[CONFIG_SPOOF_DROP] = "drop",
	NULL,
};
static const char *const source_words[] = {
	[CONFIG_SOURCE_OFF] = "off",
	[CONFIG_SOURCE_REPORT] = "report",
	[CONFIG_SOURCE_DROP] = "drop",
	NULL,
};

static const char *const *const choices[] = {
	[VALUE_HOOK] = hook_words,
	[VALUE_SHAPE] = shape_words,
	[VALUE_SPOOF] = spoof_words,
	[VALUE_SOURCE] = source_words,
};

const char *config_spoof_name(enum config_on_spoof on_spoof)
{
	return spoof_words[on_spoof];
}

const char *config_source_name(enum config_source_check check)
{
	return source_words[check];
}

/* What the words are: "auto, xdp or tc". */
static const char *one_of(const char *const *words)
{
	static char why[64];
	size_t i, at;

	at = (size_t)snprintf(why, sizeof(why), "must be %s", words[0]);
	for (i = 1; words[i] && at < sizeof(why); i++)
		at += (size_t)snprintf(why + at, sizeof(why) - at, "%s%s",
			words[i + 1] ? ", " : " or ", words[i]);
	return why;
}

static const char *set_choice(
	const struct setting *row, const char *value, unsigned int *to)
{
	const char *const *words = choices[row->type];
	unsigned int i;

	for (i = 0; words[i]; i++)
		if (!strcmp(value, words[i])) {
			*to = i;
			return NULL;
		}
	return one_of(words);
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
	if (!entry.is_name && (prefix_parse(word, &entry.prefix) ||
				      (entry.prefix.len < 96 &&
					      ip_is_zero(&entry.prefix.addr))))
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
static const struct list garden_list = {add_garden, CONFIG_GARDEN_MAX,
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

const char *setting_read(const struct setting *row, const char *value, void *base)
{
	void *to = (char *)base + row->offset;
	const char *wrong = NULL;

	switch (row->type) {
	case VALUE_TEXT:
	case VALUE_WORD:
	case VALUE_CODE:
	case VALUE_INTERFACE:
	case VALUE_URL:
	case VALUE_PATH:
	case VALUE_CHIP:
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
	case VALUE_SHAPE:
	case VALUE_SPOOF:
	case VALUE_SOURCE:
		wrong = set_choice(row, value, to);
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

bool setting_is_list(const struct setting *row)
{
	return row->type == VALUE_REACH || row->type == VALUE_GARDEN;
}
