/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `status` says of the portal's processes: how each is confined, as the
 * kernel tells of them and not as they say themselves. Landlock is not among
 * that; the portal's log has it.
 */
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "ctl/print.h"

/* Of /proc/PID/status; -1: not told. */
struct confinement {
	int new_privileges, seccomp;
	long long capabilities, uid;
};

static int read_confinement(json_int_t pid, struct confinement *ret)
{
	char path[64], line[256];
	unsigned long long value;
	FILE *file;

	*ret = (struct confinement){-1, -1, -1, -1};
	snprintf(path, sizeof(path), "/proc/%lld/status", (long long)pid);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "Uid: %llu", &value) == 1)
			ret->uid = (long long)value;
		else if (sscanf(line, "CapPrm: %llx", &value) == 1)
			ret->capabilities = (long long)value;
		else if (sscanf(line, "NoNewPrivs: %llu", &value) == 1)
			ret->new_privileges = !value;
		else if (sscanf(line, "Seccomp: %llu", &value) == 1)
			ret->seccomp = value == 2;
	}
	fclose(file);
	return 0;
}

static void print_process(const json_t *portals, const char *whose)
{
	const json_t *pid = json_object_get(json_object_get(portals, whose), "pid");
	struct confinement is;

	if (!json_is_integer(pid) ||
		read_confinement(json_integer_value(pid), &is))
		return;
	printf("portal for %s: process %lld, uid %lld, %s, %s, %s\n", whose,
		(long long)json_integer_value(pid), is.uid,
		is.capabilities ? "WITH CAPABILITIES" : "no capabilities",
		is.new_privileges ? "NEW PRIVILEGES POSSIBLE" : "no new privileges",
		is.seccomp == 1 ? "seccomp" : "NO SECCOMP");
}

void print_portals(const json_t *reply)
{
	const json_t *portals = json_object_get(reply, "portals");

	print_process(portals, "guests");
	print_process(portals, "operators");
}
