/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the daemon may still do once it has started. */
#ifndef DAEMON_PRIVILEGE_H
#define DAEMON_PRIVILEGE_H

/*
 * Gives up every capability but CAP_NET_ADMIN, CAP_BPF and CAP_PERFMON, for
 * this process and all it could ever execute. 0, or the errno of the first
 * call that failed, -EPERM when those three are not there to keep.
 */
int privilege_drop(void);

#endif
