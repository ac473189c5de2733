/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a configuration without a fault names and this box does not have (yet).
 * These are warnings, because users, files and interfaces may come later.
 * Nothing is changed here.
 */
#include "daemon/config_check.h"

#include <grp.h>
#include <ifaddrs.h>
#include <linux/magic.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pwd.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/util.h"

/* "warning: ..." at the line that names what is not there. */
#define warn(w, line, fmt, ...) \
	findings_add(w, line, "warning: " fmt, __VA_ARGS__)

static void warn_file(struct findings *w, const struct config *config,
	const char *setting, const char *file)
{
	if (file[0] && access(file, R_OK))
		warn(w, config_line(config, NULL, setting), "%s %s: %s", setting,
			file, strerror(errno));
}

/* Becomes the directory that it is in; "/" at last. */
static void go_up(char *path)
{
	char *slash = strrchr(path, '/');

	slash[slash == path] = '\0';
}

/* The daemon makes a directory, but not the one that it is in. */
static void warn_place(struct findings *w, const struct config *config,
	const char *setting, const char *dir)
{
	char parent[PATH_MAX];

	snprintf(parent, sizeof(parent), "%s", dir);
	go_up(parent);
	if (access(dir, F_OK) && access(parent, F_OK))
		warn(w, config_line(config, NULL, setting),
			"there is no directory %s for %s (%s)", parent, dir,
			setting);
}

/* The usual place gets its usual mount from the daemon. */
static void warn_pins(struct findings *w, const struct config *config)
{
	static const char usual[] = "/sys/fs/bpf/";
	char dir[PATH_MAX];
	struct statfs fs = {0};

	if (!strncmp(config->pin_dir, usual, strlen(usual)))
		return;
	snprintf(dir, sizeof(dir), "%s", config->pin_dir);
	while (statfs(dir, &fs) && dir[1])
		go_up(dir);
	if (fs.f_type != BPF_FS_MAGIC)
		warn(w, config_line(config, NULL, "pin_dir"),
			"pin_dir %s is not in a BPF file system; gatehoused "
			"does not start until one is mounted there "
			"(mount -t bpf bpf DIR)",
			config->pin_dir);
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

static void warn_address(struct findings *w, const struct ifaddrs *list,
	const struct config_network *network, const struct ipaddr *addr,
	int line)
{
	char text[IP_TEXT];

	if (!ip_is_zero(addr) && !has_address(list, addr))
		warn(w, line,
			"this box does not have the portal's address %s "
			"(network %s) now",
			ip_format(addr, text), network->name);
}

/* Ports of one host share cookies. */
static void warn_operators(struct findings *w, const struct config *config)
{
	int i;

	for (i = 0; i < config->network_count; i++) {
		const struct config_network *n = &config->networks[i];

		if (!n->operators)
			continue;
		if (!config->operator_name[0])
			warn(w, config_line(config, n, "operators"),
				"operators log in at %s's portal address; "
				"without a `name` in [portal] their browsers "
				"show the login to the guests' portal, too",
				n->name);
		if (!config->operator_tls_cert[0])
			warn(w, config_line(config, n, "operators"),
				"without operator_tls_cert passwords are sent "
				"in the clear on network %s",
				n->name);
	}
}

static void warn_networks(struct findings *w, const struct config *config)
{
	struct ifaddrs *list = NULL;
	int i;

	if (getifaddrs(&list))
		return;
	for (i = 0; i < config->network_count; i++) {
		const struct config_network *n = &config->networks[i];

		if (!if_nametoindex(n->interface))
			warn(w, config_line(config, n, "interface"),
				"there is no interface %s (network %s) now; it "
				"is gated when it comes",
				n->interface, n->name);
		warn_address(w, list, n, &n->portal4,
			config_line(config, n, "portal4"));
		warn_address(w, list, n, &n->portal6,
			config_line(config, n, "portal6"));
	}
	freeifaddrs(list);
}

void config_warn(const struct config *config, const char *path,
	finding_fn *report, void *data)
{
	struct findings warnings = {0}, *w = &warnings;
	char dir[PATH_MAX];
	int i;

	if (!getgrnam(config->socket_group))
		warn(w, config_line(config, NULL, "socket_group"),
			"there is no group %s (socket_group)",
			config->socket_group);
	if (!getpwnam(config->portal_user))
		warn(w, config_line(config, NULL, "user"),
			"there is no user %s ([portal] user)",
			config->portal_user);
	if (!getpwnam(config->operator_user))
		warn(w, config_line(config, NULL, "operator_user"),
			"there is no user %s ([portal] operator_user)",
			config->operator_user);
	for (i = 0; i < config->role_count; i++)
		if (!getpwnam(config->roles[i].user))
			warn(w, config->roles[i].line,
				"there is no user %s ([roles])",
				config->roles[i].user);
	warn_file(w, config, "tls_cert", config->tls_cert);
	warn_file(w, config, "tls_key", config->tls_key);
	warn_file(w, config, "operator_tls_cert", config->operator_tls_cert);
	warn_file(w, config, "operator_tls_key", config->operator_tls_key);
	warn_place(w, config, "state_dir", config->state_dir);
	snprintf(dir, sizeof(dir), "%s", config->socket);
	go_up(dir);
	warn_place(w, config, "socket", dir);
	warn_pins(w, config);
	warn_networks(w, config);
	warn_operators(w, config);
	findings_tell(w, path, report, data);
}
