/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Operations for the day when the box is lost: a backup now, and the key of
 * voucher codes, shown once so that it can be written down.
 */
#include <string.h>

#include "base/util.h"
#include "daemon/backup_job.h"
#include "daemon/keys.h"
#include "daemon/ops_handlers.h"
#include "daemon/reply.h"

#define SHOWN "key_shown"

json_t *op_backup(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	int ret = audit_now(g, caller, "backup", NULL, "");

	if (!ret)
		ret = backup_begin(g);
	if (ret)
		return reply_failed("backup", ret);
	backup_wait(g, ctl_server_defer(g->ctl));
	return NULL;
}

json_t *op_key_show(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	char text[KEYS_TEXT], by[64];
	json_t *reply;
	int ret = store_setting_get(g->store, SHOWN, by, sizeof(by));

	if (!ret)
		return reply_refuse(CTL_conflict,
			"The key was shown already, to %s. If that paper is "
			"lost, copy the file `key` of the state directory.", by);
	if (ret == -ENOENT)
		ret = keys_text(&g->config, text);
	if (!ret)
		ret = store_setting_put(g->store, SHOWN, caller->who);
	if (!ret)
		ret = audit_now(g, caller, "key.show", NULL, "");
	if (ret)
		return reply_failed("key.show", ret);
	reply = reply_fields("{s:s}", "key", text);
	explicit_bzero(text, sizeof(text));
	return reply;
}
