/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One table of words. "none" is only ever shown: nobody is given that role, so
 * it is not understood either.
 */
#include "base/role.h"

#include "base/util.h"

static const char *const names[] = {
	[ROLE_NONE] = "none",
	[ROLE_STAFF] = "staff",
	[ROLE_SUPERVISOR] = "supervisor",
	[ROLE_MANAGER] = "manager",
	[ROLE_ADMIN] = "admin",
};

const char *role_name(enum role role)
{
	return names[role];
}

int role_parse(const char *name, enum role *ret_role)
{
	int role = NAME_INDEX(names, name);

	if (role <= ROLE_NONE)
		return -EINVAL;
	*ret_role = (enum role)role;
	return 0;
}
