/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands that need no daemon: each prints what a person wants to know, or one
 * JSON object that the daemon reads.
 */
#include "daemon/offline.h"

#include <string.h>

#include "base/archive.h"
#include "base/json.h"
#include "base/log.h"
#include "base/util.h"
#include "daemon/backup.h"
#include "daemon/keys.h"

static int make_backup(const struct config *config)
{
	struct backup_report report;
	int ret = backup_make(config, &report);
	_cleanup_json_ json_t *json = NULL;

	if (ret)
		return ret;
	json = json_pack("{s:s, s:b, s:I, s:I, s:I}", "path", report.path,
		"encrypted", report.is_sealed, "bytes",
		(json_int_t)report.bytes, "rows", (json_int_t)report.rows,
		"needed", (json_int_t)report.needed);
	json_dumpf(json, stdout, 0);
	putchar('\n');
	return 0;
}

static int print_key_pair(void)
{
	uint8_t public[CRYPTO_KEY], secret[CRYPTO_KEY];
	char text[2 * CRYPTO_KEY + 1];

	archive_key_pair(public, secret);
	hex_format(public, sizeof(public), text);
	printf("For gatehouse.conf:\n\n  [backup]\n  public_key = %s\n\n", text);
	hex_format(secret, sizeof(secret), text);
	printf("Secret key, to be kept away from this box; without it no backup "
	       "can be read:\n\n  %s\n", text);
	explicit_bzero(secret, sizeof(secret));
	explicit_bzero(text, sizeof(text));
	return 0;
}

static int set_key(const struct config *config)
{
	char line[512] = "";
	int ret;

	fputs("The key, as `gatehousectl key` showed it: ", stderr);
	if (!fgets(line, sizeof(line), stdin))
		return -EINVAL;
	ret = keys_put(config, line);
	explicit_bzero(line, sizeof(line));
	if (ret == -EINVAL)
		log_error("this is not a key; is there a slip in it?");
	else if (ret == -EEXIST)
		log_error("there is a key file in %s already; if it is of no "
			  "use, move it away first", config->state_dir);
	else if (ret)
		log_error("cannot write the key file in %s: %s",
			config->state_dir, strerror(-ret));
	else
		puts("The key file is in place.");
	return ret;
}

int offline_run(const struct config *config, const struct offline_args *args)
{
	int ret = crypto_init();

	if (ret)
		return 1;
	switch (args->what) {
	case OFFLINE_NONE:
		break;
	case OFFLINE_BACKUP:
		ret = make_backup(config);
		break;
	case OFFLINE_RESTORE:
		ret = backup_restore(config, args->path, args->with);
		break;
	case OFFLINE_BACKUP_KEY:
		ret = print_key_pair();
		break;
	case OFFLINE_SET_KEY:
		ret = set_key(config);
		break;
	}
	return ret ? 1 : 0;
}
