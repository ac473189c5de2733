/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The portal opens no file once it serves, and yet a certificate is renewed
 * every few weeks. The keeper is a process of its own, started before the cage
 * shuts: it sees nothing of any guest, may do nothing but read files, and sends
 * the portal both texts when either file was changed.
 */
#ifndef PORTAL_KEEPER_H
#define PORTAL_KEEPER_H

#include "base/loop.h"

/* `chain` and `key` are PEM texts, or whatever is in the files. */
typedef void (*keeper_fn)(void *data, const char *chain, const char *key);

struct keeper {
	struct loop *loop;
	struct loop_fd watch;
	int fd;
	keeper_fn fn;
	void *data;
};

/* A file's text, to be freed; -EFBIG beyond KEEPER_PEM_MAX, or the errno of the
 * call that failed. */
#define KEEPER_PEM_MAX (64 * 1024)
int keeper_read(const char *path, char **ret_text);

/*
 * Starts the process, which ends with this one; it becomes `user` (sandbox.h),
 * who must be able to read the files. `fn` is called on the loop.
 */
int keeper_start(struct keeper *keeper, struct loop *loop, const char *user,
	const char *chain_path, const char *key_path, keeper_fn fn, void *data);
void keeper_stop(struct keeper *keeper);

#endif
