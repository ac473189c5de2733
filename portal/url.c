/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Judges the URL that somebody put into ?url=, which may be anybody. It is
 * shown as a link that names its host, and so the host that we show must be
 * the host that the browser goes to: everything with room for two readings is
 * refused, not repaired.
 */
#include "url.h"

#include <ctype.h>
#include <stdbool.h>
#include <strings.h>

#include "base/util.h"
#include "ctl/probes.h"

/* "name", "10.0.0.1" or "[fd00::1]", then an optional ":port". */
static bool host_is_plain(const char *host)
{
	const char *rest = host;

	if (*host == '[') {
		rest = host + 1 + strspn(host + 1, "0123456789abcdefABCDEF:.");
		if (*rest != ']' || rest == host + 1)
			return false;
		rest++;
	} else {
		while (isalnum((unsigned char)*rest) || *rest == '-' ||
			*rest == '.' || *rest == '_')
			rest++;
		if (rest == host || *host == '.' || *host == '-')
			return false;
	}
	if (*rest == ':') {
		size_t digits = strspn(rest + 1, "0123456789");

		if (digits < 1 || digits > 5)
			return false;
		rest += 1 + digits;
	}
	return !*rest;
}

static bool tail_is_plain(const char *tail)
{
	for (; *tail; tail++)
		if (*tail <= ' ' || *tail >= 0x7f ||
			strchr("\"'<>\\`^{|}", *tail))
			return false;
	return true;
}

int url_parse(const char *text, struct url *ret_url)
{
	size_t scheme = !strncasecmp(text, "http://", 7)    ? 7
			: !strncasecmp(text, "https://", 8) ? 8
							    : 0;
	size_t len = strlen(text), host_len;
	struct url url;

	if (!scheme || len >= sizeof(url.url))
		return -EINVAL;
	host_len = strcspn(text + scheme, "/?#");
	if (host_len >= sizeof(url.host))
		return -EINVAL;
	memcpy(url.host, text + scheme, host_len);
	url.host[host_len] = '\0';
	if (!host_is_plain(url.host) || probes_is_host(url.host) ||
		!tail_is_plain(text + scheme + host_len))
		return -EINVAL;
	memcpy(url.url, text, len + 1);
	*ret_url = url;
	return 0;
}
