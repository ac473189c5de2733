/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's devices as JSON: what is beside the own session, one more, one
 * less (docs/api.md).
 */
#include "api.h"

#include "base/util.h"

void api_guest_devices(struct request *req)
{
	operation_start(req, "guest.devices", json_object(), api_send_outcome);
}

struct device_args {
	char mac[18];
	char pick[CTL_PICK_LEN + 1];
};

static const struct json_arg rows[] = {
	{"mac", JSON_ARG_TEXT, false, offsetof(struct device_args, mac), 1, 17, 0},
	{"pick", JSON_ARG_TEXT, false, offsetof(struct device_args, pick), 1,
		CTL_PICK_LEN, 0},
	{.type = JSON_ARG_END}};

static void send_body(struct request *req, const char *op)
{
	struct device_args in = {.mac = ""};
	json_t *args;

	if (!api_take_body(req, rows, &in))
		return;
	args = json_object();
	if (in.mac[0])
		json_object_set_new(args, "mac", json_string(in.mac));
	if (in.pick[0])
		json_object_set_new(args, "pick", json_string(in.pick));
	operation_start(req, op, args, api_send_outcome);
}

void api_guest_device_add(struct request *req)
{
	send_body(req, "guest.add");
}

void api_guest_device_remove(struct request *req)
{
	send_body(req, "guest.remove");
}
