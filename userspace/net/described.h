/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every object of traffic control is told by: its kind, and options that
 * only the kind understands. Of actions, too, whose attributes have the same
 * numbers.
 */
#ifndef NET_DESCRIBED_H
#define NET_DESCRIBED_H

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

struct described {
	const char *kind;
	const struct nlattr *options;
};

static inline int parse_described(const struct nlattr *attr, void *data)
{
	struct described *is = data;

	if (mnl_attr_get_type(attr) == TCA_KIND &&
		mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
		is->kind = mnl_attr_get_str(attr);
	if (mnl_attr_get_type(attr) == TCA_OPTIONS)
		is->options = attr;
	return MNL_CB_OK;
}

#endif
