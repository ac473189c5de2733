/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes the replies of operations. Every reply on the control socket is made
 * here, so "success", "error" and "code" look the same everywhere.
 * A failure of ours is logged here, once, and the peer gets no detail of it.
 */
#include "daemon/reply.h"

#include <stdarg.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"

static const char *const code_names[] = {
	[CTL_OK] = NULL,
#define CODE_NAME(name, http, exit) [CTL_##name] = #name,
	CTL_CODES(CODE_NAME)
#undef CODE_NAME
};

json_t *reply_ok(void)
{
	json_t *reply = json_object();

	json_object_set_new(reply, "success", json_true());
	return reply;
}

json_t *reply_fields(const char *fmt, ...)
{
	json_t *reply = reply_ok(), *fields;
	json_error_t error;
	va_list args;

	va_start(args, fmt);
	fields = json_vpack_ex(&error, 0, fmt, args);
	va_end(args);
	if (!fields) {
		json_decref(reply);
		log_error("reply \"%s\": %s", fmt, error.text);
		return reply_failed("making a reply", -EINVAL);
	}
	json_object_update(reply, fields);
	json_decref(fields);
	return reply;
}

json_t *reply_refuse(enum ctl_code code, const char *fmt, ...)
{
	json_t *reply = json_object(), *sentence;
	char text[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	sentence = json_string(text);
	/* Cut in the middle of a character. */
	if (!sentence)
		sentence = json_string("The request was refused.");
	json_object_set_new(reply, "success", json_false());
	json_object_set_new(reply, "error", sentence);
	json_object_set_new(reply, "code", json_string(code_names[code]));
	return reply;
}

json_t *reply_failed(const char *what, int err)
{
	log_error("%s failed: %s", what, strerror(-err));
	return reply_refuse(CTL_internal,
		"The gateway could not do this; see its log, then try again.");
}

json_t *reply_slow_down(int64_t wait_ns)
{
	int64_t seconds = (wait_ns + NSEC_PER_SEC - 1) / NSEC_PER_SEC;
	json_t *reply = reply_refuse(CTL_slow_down,
		"Too many tries. Please wait %lld second%s and try again.",
		(long long)seconds, seconds == 1 ? "" : "s");

	json_object_set_new(reply, "retryAfter", json_integer(seconds));
	return reply;
}

bool reply_is_ok(const json_t *reply)
{
	return json_is_true(json_object_get(reply, "success"));
}

const char *reply_code(const json_t *reply)
{
	if (reply_is_ok(reply))
		return NULL;
	return json_string_value(json_object_get(reply, "code"));
}
