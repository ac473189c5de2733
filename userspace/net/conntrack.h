/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's connections, as far as a flowtable carries them. */
#ifndef NET_CONNTRACK_H
#define NET_CONNTRACK_H

#include <stddef.h>

/*
 * Ends every connection that a flowtable carries: forgotten, it takes the way
 * through the rules again. Others are left alone. Says in `ret_count` how many
 * there were. Negative errno when the kernel does not answer.
 */
int conntrack_end_offloaded(size_t *ret_count);

#endif
