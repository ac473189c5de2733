/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QR codes into files. What the daemon has to say is in the reply of `qr show`;
 * `qr url` and `qr wifi` need no daemon.
 */
#ifndef CTL_DRAW_H
#define CTL_DRAW_H

#include <stddef.h>

#include "base/json.h"

/* Options of gatehousectl itself (QR_ARGS of verbs.c): whether each is one that
 * can be done. -EINVAL with a sentence in `err`. */
int draw_check(const json_t *own, char *err, size_t err_len);
/* The reply of a verb without an operation: "text" is the code's, of "url" or of
 * "ssid", "security", "password" and "hidden". -EINVAL with a sentence. */
int draw_reply(
	const json_t *own, json_t **ret_reply, char *err, size_t err_len);
/*
 * Writes the files that --png, --svg and --poster name: the code of "loginUrl" or
 * "text", for posters with "venue", "ssid" and "expiresAt" of the reply, unless
 * options say else. Nothing is written that is not whole. Negative errno with a
 * sentence.
 */
int draw_files(
	const json_t *reply, const json_t *own, char *err, size_t err_len);

#endif
