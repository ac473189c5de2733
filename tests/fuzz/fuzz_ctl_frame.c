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
	struct op_request request = {.op = NULL};
	char err[256] = "";
	enum ctl_code code;
	json_t *reply;

	if (size > CTL_FRAME_MAX)
		return 0;
	code = ops_parse((const char *)data, size, &request, err, sizeof(err));
	if (code == CTL_OK && !request.op)
		abort();
	if (code == CTL_OK)
		return 0;
	reply = reply_refuse(code, "%s", err);
	if (!json_string_length(json_object_get(reply, "error")))
		abort();
	json_decref(reply);
	return 0;
}
