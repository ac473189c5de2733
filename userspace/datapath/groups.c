/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Groups' records: made with BPF_NOEXIST, changed by the edit program only, as
 * clients' are and for the same reason (clients.c).
 */
#include "datapath/groups.h"

#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>

#include "datapath/handle.h"

static int edit(struct datapath *dp, uint32_t group, const struct gh_policy *policy)
{
	struct gh_edit edit = {
		.group = group, .replace = 1, .record.policy = *policy};

	return datapath_edit(dp, &edit);
}

int group_put(struct datapath *dp, uint32_t group, const struct gh_policy *policy)
{
	struct gh_client fresh = {.policy = *policy};

	if (!group)
		return -EINVAL;
	fresh.policy.seq = 0;
	if (bpf_map_update_elem(
		    dp->maps[MAP_GROUPS], &group, &fresh, BPF_NOEXIST) == 0)
		return 0;
	if (errno == EEXIST)
		return edit(dp, group, policy);
	/* E2BIG is what the kernel says of a full hash. */
	return errno == E2BIG || errno == ENOMEM ? -ENOSPC : -errno;
}

int group_lookup(
	struct datapath *dp, uint32_t group, struct gh_client *ret_record)
{
	struct gh_client record;

	if (bpf_map_lookup_elem(dp->maps[MAP_GROUPS], &group, &record) < 0)
		return -errno;
	*ret_record = record;
	return 0;
}

int group_remove(struct datapath *dp, uint32_t group)
{
	if (bpf_map_delete_elem(dp->maps[MAP_GROUPS], &group) < 0 &&
		errno != ENOENT)
		return -errno;
	return 0;
}

struct group_walk {
	int (*fn)(void *data, uint32_t group, const struct gh_client *record);
	void *data;
};

static int visit_group(void *data, const void *key, const void *value)
{
	const struct group_walk *walk = data;
	struct gh_client record;
	uint32_t group;

	memcpy(&group, key, sizeof(group));
	memcpy(&record, value, sizeof(record));
	return walk->fn(walk->data, group, &record);
}

int group_each(struct datapath *dp,
	int (*fn)(void *data, uint32_t group, const struct gh_client *record),
	void *data)
{
	struct group_walk walk = {fn, data};

	return map_each(dp->maps[MAP_GROUPS], sizeof(uint32_t),
		sizeof(struct gh_client), visit_group, &walk);
}
