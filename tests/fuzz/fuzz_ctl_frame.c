/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames of the control socket, up to the handler: JSON, operation, arguments.
 * What a handler gets must be inside its struct and its refusals be sentences
 * that can be sent as JSON.
 */
#include "base/util.h"
#include "daemon/ops.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_Alignas(16) char args[OP_ARGS_MAX] = {0};
	const struct op *op = NULL;
	char err[256] = "";
	enum ctl_code code;
	json_t *reply;

	if (size > CTL_FRAME_MAX)
		return 0;
	code = ops_parse((const char *)data, size, &op, args, err, sizeof(err));
	if (code == CTL_OK && !op)
		abort();
	if (code == CTL_OK)
		return 0;
	reply = reply_refuse(code, "%s", err);
	if (!json_string_length(json_object_get(reply, "error")))
		abort();
	json_decref(reply);
	return 0;
}
