/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Replies of operations: success with fields, or a code and a sentence. */
#ifndef DAEMON_REPLY_H
#define DAEMON_REPLY_H

#include "base/json.h"
#include "gatehouse/ctl.h"

enum ctl_code {
	CTL_OK = 0,
#define CTL_CODE_ENUM(name, http, exit) CTL_##name,
	CTL_CODES(CTL_CODE_ENUM)
#undef CTL_CODE_ENUM
};

/* {"success":true} and the caller's to fill; never NULL. */
json_t *reply_ok(void);
/* As reply_ok(), with the fields of json_pack(); a value that is no JSON text
 * makes it "internal". */
json_t *reply_fields(const char *fmt, ...);
/* A refusal; the sentence is for a person and says what to do. `code` is not
 * CTL_OK. */
json_t *reply_refuse(enum ctl_code code, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* A failure of ours: logs `what` with the errno, tells the caller no details. */
json_t *reply_failed(const char *what, int err);
/* Too many tries: how long to wait, for people and as "retryAfter". */
json_t *reply_slow_down(int64_t wait_ns);
bool reply_is_ok(const json_t *reply);
/* "internal", ... of a reply; NULL when it is a success. */
const char *reply_code(const json_t *reply);

#endif
