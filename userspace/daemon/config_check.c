/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's own look at a configuration that reads well: what can gate
 * nobody is a fault, what this box does not have (yet) a warning, because
 * users, files and interfaces may come later. Nothing is changed here.
 */
#include "daemon/config_check.h"

#include <grp.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"

struct telling {
	const char *path;
	config_report_fn *report;
	void *data;
	int count;
};

static void tell(struct telling *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void tell(struct telling *t, const char *fmt, ...)
{
	char text[PATH_MAX + 128];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	t->count++;
	t->report(t->data, t->path, 0, text);
}

/* The portal alone may listen there, to be tried out. */
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

int config_check(const struct config *config, const char *path,
	config_report_fn *report, void *data)
{
	struct telling t = {path, report, data, 0};
	int i;

	for (i = 0; i < config->network_count; i++) {
		const struct config_network *n = &config->networks[i];

		if (is_loopback(&n->portal4) || is_loopback(&n->portal6))
			tell(&t,
				"network %s: no guest can reach a portal address "
				"of the loopback interface",
				n->name);
	}
	return t.count ? -EINVAL : 0;
}

static void warn_file(struct telling *t, const char *setting, const char *file)
{
	if (file[0] && access(file, R_OK))
		tell(t, "warning: %s %s: %s", setting, file, strerror(errno));
}

static bool has_address(const struct ifaddrs *list, const struct ipaddr *addr)
{
	const struct ifaddrs *at;

	for (at = list; at; at = at->ifa_next) {
		struct sockaddr_storage sa = {0};
		struct ipaddr found;

		if (!at->ifa_addr)
			continue;
		if (at->ifa_addr->sa_family == AF_INET)
			memcpy(&sa, at->ifa_addr, sizeof(struct sockaddr_in));
		else if (at->ifa_addr->sa_family == AF_INET6)
			memcpy(&sa, at->ifa_addr, sizeof(struct sockaddr_in6));
		if (!ip_from_sockaddr(&sa, &found) && ip_equal(&found, addr))
			return true;
	}
	return false;
}

static void warn_address(struct telling *t, const struct ifaddrs *list,
	const struct config_network *network, const struct ipaddr *addr)
{
	char text[IP_TEXT];

	if (!ip_is_zero(addr) && !has_address(list, addr))
		tell(t, "warning: this box does not have the portal's address %s "
			"(network %s) now",
			ip_format(addr, text), network->name);
}

static void warn_networks(struct telling *t, const struct config *config)
{
	struct ifaddrs *list = NULL;
	int i;

	if (getifaddrs(&list))
		return;
	for (i = 0; i < config->network_count; i++) {
		const struct config_network *n = &config->networks[i];

		if (!if_nametoindex(n->interface))
			tell(t,
				"warning: there is no interface %s (network %s) "
				"now; it is gated when it comes",
				n->interface, n->name);
		warn_address(t, list, n, &n->portal4);
		warn_address(t, list, n, &n->portal6);
	}
	freeifaddrs(list);
}

void config_warn(const struct config *config, const char *path,
	config_report_fn *report, void *data)
{
	struct telling t = {path, report, data, 0};
	int i;

	if (!getgrnam(config->socket_group))
		tell(&t, "warning: there is no group %s (socket_group)",
			config->socket_group);
	if (!getpwnam(config->portal_user))
		tell(&t, "warning: there is no user %s ([portal] user)",
			config->portal_user);
	for (i = 0; i < config->role_count; i++)
		if (!getpwnam(config->roles[i].user))
			tell(&t, "warning: there is no user %s ([roles])",
				config->roles[i].user);
	warn_file(&t, "tls_cert", config->tls_cert);
	warn_file(&t, "tls_key", config->tls_key);
	warn_networks(&t, config);
}
