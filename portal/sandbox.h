/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the portal gives up once its sockets are open (docs/design.md T3). The
 * three steps go in this order; each is for good.
 */
#ifndef PORTAL_SANDBOX_H
#define PORTAL_SANDBOX_H

/*
 * Becomes `user` with its groups when started as root; otherwise stays who it
 * is. Drops every capability, also of the bounding set. -ENOENT: no such user;
 * or the errno of the call that failed.
 */
int sandbox_drop(const char *user);

/*
 * Landlock: no file may be opened, made or run, no TCP port bound or connected
 * to, as far as the kernel has it: *ret_abi says how far, 0 is not at all. 0,
 * also then: seccomp below says the same.
 */
int sandbox_landlock(int *ret_abi);

/*
 * seccomp: the system calls of a server whose descriptors are open. No execve,
 * fork, ptrace, opening of files, executable memory; sockets only AF_UNIX.
 * Anything else fails with EPERM.
 */
int sandbox_seccomp(void);

/* In place of both, for the certificate's keeper: files may be read, what it
 * has open may be written to, and nothing else. */
int sandbox_keeper(void);

#endif
