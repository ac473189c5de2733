/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The gate without its controller: datapath/, net/ and daemon/attach under a
 * loop that obeys lines on stdin, so that the lab can test attaching and pins
 * apart from sessions, and clsact on a kernel that has TCX. Every answer is
 * one JSON object on one line of stdout. It ends at the end of stdin and, like
 * the daemon, leaves the gate working.
 *
 * usage: attach [--clsact] CONFIG
 * lines: rows | clients | groups | reasons | run MAC [SECONDS] |
 *        rate|change MAC KBPS [BYTES SLOW_KBPS] | share MAC GROUP [KBPS] | close MAC | stop |
 *        unload open | unload closed
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mac.h"
#include "base/util.h"
#include "daemon/attach.h"
#include "datapath/clients.h"
#include "datapath/groups.h"
#include "datapath/reasons.h"

struct driver {
	struct config config;
	struct loop *loop;
	struct datapath *dp;
	struct attach *attach;
	struct loop_fd on_stdin;
	uint64_t record_id;
};

static void answer(json_t *json)
{
	json_dumpf(json, stdout, JSON_COMPACT);
	fputc('\n', stdout);
	fflush(stdout);
	json_decref(json);
}

static void report_fault(void *data, const char *path, int line, const char *text)
{
	fprintf(stderr, "%s:%d: %s\n", path, line, text);
}

static void add_row(void *data, const struct attach_row *row)
{
	static const char *const states[] = {
		[ATTACH_STATE_ABSENT] = "absent",
		[ATTACH_STATE_ATTACHED] = "attached",
		[ATTACH_STATE_FAILED] = "failed",
		[ATTACH_STATE_RETIRED] = "retired",
	};

	json_array_append_new(data,
		json_pack("{s:s, s:i, s:b, s:s, s:s, s:s, s:b, s:b, s:i, s:s}",
			"name", row->name, "ifindex", row->ifindex, "master",
			row->is_master, "state", states[row->state], "up",
			row->up, "down", row->down, "pacedUp",
			row->is_up_paced, "pacedDown", row->is_down_paced,
			"repairs", (int)row->repairs, "problem", row->problem));
}

static json_t *counters(const struct gh_client *record)
{
	return json_pack("{s:i, s:I, s:I, s:I, s:I}", "state",
		(int)record->policy.state, "upBytes",
		(json_int_t)record->up.bytes, "downBytes",
		(json_int_t)record->down.bytes, "upPackets",
		(json_int_t)record->up.packets, "downPackets",
		(json_int_t)record->down.packets);
}

static int add_client(void *data, const struct client *client)
{
	char mac[MAC_TEXT];

	return json_object_set_new(
		data, mac_format(&client->mac, mac), counters(&client->record));
}

static void answer_rows(struct driver *d)
{
	json_t *rows = json_array();

	attach_each(d->attach, add_row, rows);
	answer(json_pack("{s:o}", "rows", rows));
}

static int add_group(void *data, uint32_t group, const struct gh_client *record)
{
	char number[16];

	snprintf(number, sizeof(number), "%u", group);
	return json_object_set_new(data, number, counters(record));
}

static void answer_groups(struct driver *d)
{
	json_t *groups = json_object();
	int ret = group_each(d->dp, add_group, groups);

	answer(json_pack("{s:i, s:o}", "error", ret, "groups", groups));
}

static void answer_clients(struct driver *d)
{
	json_t *clients = json_object();
	int ret = clients_each(d->dp, add_client, clients);

	answer(json_pack("{s:i, s:o}", "error", ret, "clients", clients));
}

static void answer_reasons(struct driver *d)
{
	struct gh_count counts[GH_REASONS] = {0};
	json_t *reasons = json_object();
	int i, ret = reasons_read(d->dp, counts);

	for (i = 0; i < GH_REASONS; i++)
		if (counts[i].packets)
			json_object_set_new(reasons, reason_name(i),
				json_integer(counts[i].packets));
	answer(json_pack("{s:i, s:o}", "error", ret, "reasons", reasons));
}

static void run_client(struct driver *d, char *text)
{
	char *seconds = strchr(text, ' ');
	struct gh_policy policy = {
		.state = GH_STATE_RUNNING,
		.expires_ns = seconds ? (uint64_t)clock_mono_ns() +
						strtoul(seconds, NULL, 10) *
							NSEC_PER_SEC
				      : GH_NEVER,
		.quota_bytes = GH_UNLIMITED,
		.networks = ~0ULL,
		.record_id = ++d->record_id,
	};
	struct mac mac;
	int ret;

	if (seconds)
		*seconds = '\0';
	ret = mac_parse(text, &mac);
	answer(json_pack("{s:i}", "error",
		ret ?: clients_put(d->dp, &mac, &policy)));
}

/*
 * MAC KBPS [BYTES SLOW_KBPS]: a client that runs for ever, both ways at this
 * rate; after so many bytes at the slow one. `live`: it is the one that was made
 * last, and only its rates are changed.
 */
static void rate_client(struct driver *d, const char *text, bool live)
{
	long kbps = 0, bytes = 0, slow_kbps = 0;
	struct gh_policy policy = {
		.state = GH_STATE_RUNNING,
		.expires_ns = GH_NEVER,
		.networks = ~0ULL,
	};
	char name[MAC_TEXT];
	struct mac mac;
	int ret;

	if (sscanf(text, "%17s %ld %ld %ld", name, &kbps, &bytes, &slow_kbps) < 2) {
		answer(json_pack("{s:i}", "error", -EINVAL));
		return;
	}
	policy.quota_bytes = bytes ? (uint64_t)bytes : GH_UNLIMITED;
	policy.up_price = policy.down_price = datapath_rate_price(kbps);
	policy.slow_up_price = policy.slow_down_price =
		datapath_rate_price(slow_kbps);
	policy.record_id = live ? d->record_id : ++d->record_id;
	ret = mac_parse(name, &mac);
	if (!ret)
		ret = live ? clients_edit(d->dp, &mac, &policy, NULL)
			   : clients_put(d->dp, &mac, &policy);
	answer(json_pack("{s:i}", "error", ret));
}

/* A client without limits, in a group with this rate both ways, or none. */
static void share_client(struct driver *d, char *text)
{
	char *number = strchr(text, ' ');
	char *kbps = number ? strchr(number + 1, ' ') : NULL;
	struct gh_policy policy = {
		.state = GH_STATE_RUNNING,
		.expires_ns = GH_NEVER,
		.quota_bytes = GH_UNLIMITED,
		.networks = ~0ULL,
	};
	uint32_t group = number ? (uint32_t)strtoul(number, NULL, 10) : 0;
	struct mac mac;
	int ret;

	if (number)
		*number = '\0';
	ret = mac_parse(text, &mac);
	policy.record_id = group;
	policy.up_price = policy.down_price =
		datapath_rate_price(kbps ? strtol(kbps, NULL, 10) : 0);
	if (!ret)
		ret = group_put(d->dp, group, &policy);
	policy.up_price = policy.down_price = 0;
	policy.record_id = ++d->record_id;
	policy.group = group;
	answer(json_pack("{s:i}", "error",
		ret ?: clients_put(d->dp, &mac, &policy)));
}

static void close_client(struct driver *d, const char *text)
{
	struct client row = {0};
	int ret = mac_parse(text, &row.mac);

	answer(json_pack(
		"{s:i}", "error", ret ?: clients_remove(d->dp, &row, 1)));
}

static void unload(struct driver *d, bool open)
{
	struct datapath_error err = {0};
	int ret = attach_unload(d->attach, open);

	attach_stop(d->attach);
	d->attach = NULL;
	datapath_close(d->dp);
	d->dp = NULL;
	if (!ret)
		ret = datapath_unload(d->config.pin_dir, &err);
	answer(json_pack("{s:i, s:s}", "error", ret, "text", err.text));
	loop_quit(d->loop);
}

static void obey(struct driver *d, char *line)
{
	if (strcmp(line, "rows") == 0)
		answer_rows(d);
	else if (strcmp(line, "clients") == 0)
		answer_clients(d);
	else if (strcmp(line, "reasons") == 0)
		answer_reasons(d);
	else if (strncmp(line, "run ", 4) == 0)
		run_client(d, line + 4);
	else if (strncmp(line, "rate ", 5) == 0)
		rate_client(d, line + 5, false);
	else if (strncmp(line, "change ", 7) == 0)
		rate_client(d, line + 7, true);
	else if (strncmp(line, "share ", 6) == 0)
		share_client(d, line + 6);
	else if (strcmp(line, "groups") == 0)
		answer_groups(d);
	else if (strncmp(line, "close ", 6) == 0)
		close_client(d, line + 6);
	else if (strcmp(line, "unload open") == 0)
		unload(d, true);
	else if (strcmp(line, "unload closed") == 0)
		unload(d, false);
	else
		loop_quit(d->loop);
}

/* The test sends one line and waits for its answer. */
static void on_line(void *data, int fd, int events)
{
	struct driver *d = data;
	char line[128];
	ssize_t n = read(fd, line, sizeof(line) - 1);

	if (n <= 0) {
		loop_quit(d->loop);
		return;
	}
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	obey(d, line);
}

/* Names start where the kernel's records end, as the store's would. */
static int last_record(void *data, const struct client *client)
{
	struct driver *d = data;

	d->record_id = MAX(d->record_id, client->record.policy.record_id);
	return 0;
}

static int start(struct driver *d, bool without_tcx)
{
	const struct datapath_options options = {
		.pin_dir = d->config.pin_dir,
		.clients_max = d->config.clients_max,
		.without_tcx = without_tcx,
	};
	const struct attach_handlers handlers = {0};
	struct datapath_error err;
	int ret = datapath_open(&options, &err, &d->dp);

	if (ret) {
		answer(json_pack("{s:i, s:s}", "error", ret, "text", err.text));
		return ret;
	}
	d->loop = loop_new();
	ret = clients_each(d->dp, last_record, d);
	if (!ret)
		ret = attach_start(
			d->loop, d->dp, &d->config, &handlers, &d->attach);
	answer(json_pack(
		"{s:i, s:b}", "error", ret, "adopted", datapath_adopted(d->dp)));
	return ret;
}

int main(int argc, char **argv)
{
	_cleanup_free_ struct driver *d = xcalloc(1, sizeof(*d));
	bool without_tcx = argc == 3 && strcmp(argv[1], "--clsact") == 0;
	int ret;

	if (argc < 2 ||
		config_load(argv[argc - 1], CONFIG_FOR_GATE, &d->config, report_fault,
			NULL) < 0)
		return 2;
	log_init("attach", LOG_LEVEL_INFO);
	ret = start(d, without_tcx);
	if (!ret) {
		loop_fd_start(d->loop, &d->on_stdin, STDIN_FILENO, LOOP_READ,
			on_line, d);
		loop_run(d->loop);
		loop_fd_stop(d->loop, &d->on_stdin);
	}
	attach_stop(d->attach);
	datapath_close(d->dp);
	if (d->loop)
		loop_free(d->loop);
	return ret < 0;
}
