/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words for operators' roles: in the configuration, the store and JSON. */
#ifndef BASE_ROLE_H
#define BASE_ROLE_H

#include "gatehouse/types.h"

/* "staff", ...; "none" for ROLE_NONE. */
const char *role_name(enum role role);
/* A role that somebody can have. -EINVAL. */
int role_parse(const char *name, enum role *ret_role);

#define ROLE_WORDS "staff, supervisor, manager or admin"

#endif
