/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Replies as text for a person: which columns and fields a verb shows is a
 * table below; print_table.c shows them. The younger nouns have files of their
 * own, print_<noun>.c.
 */
#include "ctl/print.h"

#include <inttypes.h>
#include <string.h>

#include "base/util.h"
#include "ctl/print_table.h"

static const struct column status_columns[] = {
	{"version", "version", FORMAT_TEXT},
	{"running for", "uptimeSeconds", FORMAT_SECONDS},
	{"date", "time", FORMAT_TIME},
	{"clock", "clock", FORMAT_TEXT},
	{"internet reached", "internet", FORMAT_YES},
	{"store", "store", FORMAT_TEXT},
	{"sessions running", "sessions", FORMAT_NUMBER},
	{"client records", "records", FORMAT_NUMBER},
	{"room for records", "recordsMax", FORMAT_NUMBER},
	{"table of records", "recordsState", FORMAT_TEXT},
	{"captive clients", "captive", FORMAT_NUMBER},
	{"last sweep, ms", "sweepMs", FORMAT_NUMBER},
	{"its longest part, ms", "sweepLongestMs", FORMAT_NUMBER},
	{"last reconcile, ms", "reconcileMs", FORMAT_NUMBER},
	{"last repair", "repairedAt", FORMAT_TIME},
	{},
};
static const struct column network_columns[] = {
	{"NETWORK", "name", FORMAT_TEXT},
	{"NO", "number", FORMAT_NUMBER},
	{"INTERFACE", "interface", FORMAT_TEXT},
	{"PORTAL", "portal4", FORMAT_TEXT},
	{"PORTAL IPV6", "portal6", FORMAT_TEXT},
	{"SOURCES", "sourceCheck", FORMAT_TEXT},
	{"SPOOFERS", "onSpoof", FORMAT_TEXT},
	{"GATE", "gate", FORMAT_TEXT},
	{"PROBLEM", "problem", FORMAT_TEXT},
	{},
};
static const struct column port_columns[] = {
	{"PORT", "interface", FORMAT_TEXT},
	{"NETWORK", "network", FORMAT_TEXT},
	{"UPLOAD", "upload", FORMAT_TEXT},
	{"DOWNLOAD", "download", FORMAT_TEXT},
	{"PACED UP", "pacedUp", FORMAT_YES},
	{"DOWN", "pacedDown", FORMAT_YES},
	{"STATE", "state", FORMAT_TEXT},
	{"PROBLEM", "problem", FORMAT_TEXT},
	{},
};
static const struct column client_columns[] = {
	{"CLIENT", "mac", FORMAT_TEXT},
	{"STATE", "state", FORMAT_TEXT},
	{"NETWORK", "network", FORMAT_TEXT},
	{"PLAN", "plan", FORMAT_TEXT},
	{"TIME LEFT", "creditSeconds", FORMAT_REST},
	{"BYTES LEFT", "remainingBytes", FORMAT_ROOM},
	{"TIME IN ALL", "remainingSeconds", FORMAT_REST},
	{"UP", "bytesUp", FORMAT_BYTES},
	{"DOWN", "bytesDown", FORMAT_BYTES},
	{"LAST SEEN", "lastSeen", FORMAT_TIME},
	{"NAME", "name", FORMAT_TEXT},
	{},
};
static const struct column one_client_columns[] = {
	{"client", "mac", FORMAT_TEXT},
	{"device id", "id", FORMAT_NUMBER},
	{"name", "name", FORMAT_TEXT},
	{"note", "note", FORMAT_TEXT},
	{"state", "state", FORMAT_TEXT},
	{"held for", "heldFor", FORMAT_TEXT},
	{"held since", "heldAt", FORMAT_TIME},
	{"paused by", "pausedBy", FORMAT_TEXT},
	{"paused since", "pausedAt", FORMAT_TIME},
	{"private address", "randomMac", FORMAT_YES},
	{"blocked", "blocked", FORMAT_YES},
	{"exempt until", "exemptUntil", FORMAT_TIME},
	{"exempt on", "exemptNetwork", FORMAT_TEXT},
	{"own up, kbit/s", "uploadKbps", FORMAT_NUMBER},
	{"own down, kbit/s", "downloadKbps", FORMAT_NUMBER},
	{"network", "network", FORMAT_TEXT},
	{"last seen", "lastSeen", FORMAT_TIME},
	{"kind", "kind", FORMAT_TEXT},
	{"plan", "plan", FORMAT_TEXT},
	{"time left", "creditSeconds", FORMAT_REST},
	{"bytes left", "remainingBytes", FORMAT_ROOM},
	{"group", "group", FORMAT_TEXT},
	{"group used up", "groupUsedUp", FORMAT_YES},
	{"devices", "devices", FORMAT_NUMBER},
	{"of at most", "devicesMax", FORMAT_NUMBER},
	{"at full rate", "fullRateBytes", FORMAT_BYTES},
	{"rate up", "upKbps", FORMAT_RATE},
	{"rate down", "downKbps", FORMAT_RATE},
	{"slow up, kbit/s", "slowUpKbps", FORMAT_NUMBER},
	{"slow down, kbit/s", "slowDownKbps", FORMAT_NUMBER},
	{"only on", "networks", FORMAT_TEXT},
	{"bytes that count", "counts", FORMAT_TEXT},
	{"hours", "hours", FORMAT_TEXT},
	{"hours end", "closesAt", FORMAT_TIME},
	{"hours begin", "opensAt", FORMAT_TIME},
	{"stops after, min", "idleMinutes", FORMAT_NUMBER},
	{"silent", "idle", FORMAT_YES},
	{"valid until", "validUntil", FORMAT_TIME},
	{"time in all", "remainingSeconds", FORMAT_REST},
	{"expires", "expiresAt", FORMAT_TIME},
	{"bytes up", "bytesUp", FORMAT_BYTES},
	{"bytes down", "bytesDown", FORMAT_BYTES},
	{"session", "sessionId", FORMAT_NUMBER},
	{"token handed out", "hasToken", FORMAT_YES},
	{},
};
static const struct column credit_columns[] = {
	{"THEN", "kind", FORMAT_TEXT},
	{"PLAN", "plan", FORMAT_TEXT},
	{"TIME", "seconds", FORMAT_REST},
	{"BYTES", "bytes", FORMAT_ROOM},
	{},
};
static const struct column last_session_columns[] = {
	{"last session", "id", FORMAT_NUMBER},
	{"  plan", "plan", FORMAT_TEXT},
	{"  started", "startedAt", FORMAT_TIME},
	{"  ended", "endedAt", FORMAT_TIME},
	{"  why", "endReason", FORMAT_TEXT},
	{"  bytes up", "bytesUp", FORMAT_BYTES},
	{"  bytes down", "bytesDown", FORMAT_BYTES},
	{},
};
static const struct column address_columns[] = {
	{"ADDRESS", "address", FORMAT_TEXT},
	{"LAST SEEN", "lastSeen", FORMAT_TIME},
	{"LEASED UNTIL", "leaseUntil", FORMAT_TIME},
	{},
};
static const struct column session_columns[] = {
	{"ID", "id", FORMAT_NUMBER},
	{"CLIENT", "mac", FORMAT_TEXT},
	{"STATE", "state", FORMAT_TEXT},
	{"KIND", "kind", FORMAT_TEXT},
	{"PLAN", "plan", FORMAT_TEXT},
	{"TIME LEFT", "creditSeconds", FORMAT_REST},
	{"BYTES LEFT", "remainingBytes", FORMAT_ROOM},
	{"TIME IN ALL", "remainingSeconds", FORMAT_REST},
	{"USED", "bytesUsed", FORMAT_BYTES},
	{"PAID IN ALL", "totalPaidMinor", FORMAT_MONEY},
	{"CUR", "currency", FORMAT_TEXT},
	{"STARTED", "startedAt", FORMAT_TIME},
	{"ENDED", "endedAt", FORMAT_TIME},
	{"WHY", "endReason", FORMAT_TEXT},
	{},
};
static const struct column group_columns[] = {
	{"ID", "id", FORMAT_NUMBER},
	{"GROUP", "name", FORMAT_TEXT},
	{"DEVICES", "devices", FORMAT_NUMBER},
	{"MB", "megabytes", FORMAT_LIMIT},
	{"BYTES LEFT", "remainingBytes", FORMAT_ROOM},
	{"UP", "bytesUp", FORMAT_BYTES},
	{"DOWN", "bytesDown", FORMAT_BYTES},
	{"RATE UP", "upKbps", FORMAT_RATE},
	{"RATE DOWN", "downKbps", FORMAT_RATE},
	{},
};
static const struct column one_group_columns[] = {
	{"group", "name", FORMAT_TEXT},
	{"id", "id", FORMAT_NUMBER},
	{"megabytes", "megabytes", FORMAT_LIMIT},
	{"bytes left", "remainingBytes", FORMAT_ROOM},
	{"used up", "usedUpAt", FORMAT_TIME},
	{"bytes up", "bytesUp", FORMAT_BYTES},
	{"bytes down", "bytesDown", FORMAT_BYTES},
	{"rate up", "upKbps", FORMAT_RATE},
	{"rate down", "downKbps", FORMAT_RATE},
	{"devices", "devices", FORMAT_NUMBER},
	{"of at most", "devicesMax", FORMAT_NUMBER},
	{},
};
static const struct column difference_columns[] = {
	{"CLIENT", "mac", FORMAT_TEXT},
	{"GROUP", "group", FORMAT_TEXT},
	{"FIELD", "field", FORMAT_TEXT},
	{"DATABASE", "expected", FORMAT_TEXT},
	{"KERNEL", "found", FORMAT_TEXT},
	{},
};
static const struct column reason_columns[] = {
	{"REASON", "reason", FORMAT_TEXT},
	{"PACKETS", "packets", FORMAT_NUMBER},
	{"BYTES", "bytes", FORMAT_NUMBER},
	{},
};

static const struct column explain_columns[] = {
	{"client", "state", FORMAT_TEXT},
	{"verdict", "verdict", FORMAT_TEXT},
	{"reason", "reason", FORMAT_TEXT},
	{"meaning", "meaning", FORMAT_TEXT},
	{"charged", "charged", FORMAT_BYTES},
	{},
};
static const struct column packet_columns[] = {
	{"packet", "direction", FORMAT_TEXT}, /* up: of the device; down: to it */
	{"  network", "network", FORMAT_TEXT},
	{"  interface", "interface", FORMAT_TEXT},
	{"  hook", "hook", FORMAT_TEXT},
	{"  protocol", "proto", FORMAT_TEXT},
	{"  from", "from", FORMAT_TEXT},
	{"  to", "to", FORMAT_TEXT},
	{"  server port", "port", FORMAT_NUMBER},
	{},
};
static const struct column record_columns[] = {
	{"record", "state", FORMAT_TEXT},
	{"  number", "recordId", FORMAT_NUMBER},
	{"  session", "sessionId", FORMAT_NUMBER},
	{"  time left", "remainingSeconds", FORMAT_REST},
	{"  byte limit", "quotaBytes", FORMAT_ROOM},
	{"  of", "quotaCounts", FORMAT_TEXT},
	{"  bytes up", "bytesUp", FORMAT_BYTES},
	{"  bytes down", "bytesDown", FORMAT_BYTES},
	{"  used up", "exhausted", FORMAT_YES},
	{"  networks", "networks", FORMAT_TEXT},
	{"  rate up", "upKbps", FORMAT_RATE},
	{"  rate down", "downKbps", FORMAT_RATE},
	{"  then up, kbit/s", "slowUpKbps", FORMAT_NUMBER}, /* behind the limit */
	{"  then down, kbit/s", "slowDownKbps", FORMAT_NUMBER},
	{},
};

static const struct column event_columns[] = {
	{"ID", "id", FORMAT_NUMBER},
	{"LAST", "lastAt", FORMAT_TIME},
	{"TIMES", "count", FORMAT_NUMBER},
	{"SEVERITY", "severity", FORMAT_TEXT},
	{"TYPE", "type", FORMAT_TEXT},
	{"NETWORK", "network", FORMAT_TEXT},
	{"CLIENT", "mac", FORMAT_TEXT},
	{"WHAT", "description", FORMAT_TEXT},
	{},
};

static const struct column garden_columns[] = {
	{"NETWORK", "network", FORMAT_TEXT},
	{"ENTRIES", "entries", FORMAT_NUMBER},
	{"A GUEST", "kbps", FORMAT_RATE},
	{"ALL GUESTS", "networkKbps", FORMAT_RATE},
	{"UP", "upBytes", FORMAT_BYTES},
	{"DOWN", "downBytes", FORMAT_BYTES},
	{},
};
static const struct column garden_entry_columns[] = {
	{"NETWORK", "network", FORMAT_TEXT},
	{"ENTRY", "entry", FORMAT_TEXT},
	{"ADDRESS", "address", FORMAT_TEXT},
	{"TIME LEFT", "remainingSeconds", FORMAT_SECONDS},
	{},
};

void print_done(const json_t *reply)
{
	const char *message =
		json_string_value(json_object_get(reply, "message"));

	print_line(message ? message : "done");
}

/* Jobs that do what they should are no news. */
static void print_failed_jobs(const json_t *jobs)
{
	const json_t *job;
	size_t at;

	json_array_foreach(jobs, at, job) {
		json_int_t result =
			json_integer_value(json_object_get(job, "result"));

		if (result)
			printf("\njob %s failed: %s\n",
				json_string_value(json_object_get(job, "name"))
					?: "?",
				strerror((int)-result));
	}
}

void print_status(const json_t *reply)
{
	json_int_t lost = json_integer_value(json_object_get(reply, "eventsLost"));
	json_int_t skipped =
		json_integer_value(json_object_get(reply, "eventsSkipped"));

	print_store(reply);
	print_fields(reply, status_columns);
	print_portals(reply);
	putchar('\n');
	print_table(json_object_get(reply, "networks"), network_columns);
	if (json_array_size(json_object_get(reply, "ports"))) {
		putchar('\n');
		print_table(json_object_get(reply, "ports"), port_columns);
	}
	print_failed_jobs(json_object_get(reply, "jobs"));
	if (lost)
		printf("\n%" PRId64 " events of the kernel were lost: too many "
		       "at once\n",
			(int64_t)lost);
	if (skipped)
		printf("\n%" PRId64 " security events were not written: too "
		       "many new ones in a minute\n",
			(int64_t)skipped);
}

void print_clients(const json_t *reply)
{
	print_items(reply, client_columns, "no clients");
}

/* The first credit is in use: the fields say all of it. `message`: it follows. */
static void print_waiting(const json_t *credits, const char *message)
{
	_cleanup_json_ json_t *rest = json_copy((json_t *)credits);

	if (json_array_remove(rest, 0) || !json_array_size(rest))
		return;
	putchar('\n');
	print_table(rest, credit_columns);
	if (message)
		putchar('\n');
}

#define CLIENT_WIDTH 16 /* of the widest title */

void print_client(const json_t *reply)
{
	const char *message =
		json_string_value(json_object_get(reply, "message"));

	print_fields(reply, one_client_columns);
	print_waiting(json_object_get(reply, "credits"), message);
	if (json_is_null(json_object_get(reply, "sessionId")))
		print_fields_wide(json_object_get(reply, "lastSession"),
			last_session_columns, CLIENT_WIDTH);
	if (json_array_size(json_object_get(reply, "addresses"))) {
		putchar('\n');
		print_table(json_object_get(reply, "addresses"), address_columns);
	}
	if (message)
		print_line(message);
}

void print_sessions(const json_t *reply)
{
	json_t *item;
	size_t at;

	/* Up and down are two figures too many for a line. */
	json_array_foreach(json_object_get(reply, "items"), at, item)
		json_object_set_new(item, "bytesUsed",
			json_integer(json_integer_value(
					     json_object_get(item, "bytesUp")) +
				     json_integer_value(json_object_get(
					     item, "bytesDown"))));
	print_items(reply, session_columns, "no sessions");
}

void print_groups(const json_t *reply)
{
	print_items(reply, group_columns, "no groups");
}

void print_group(const json_t *reply)
{
	const char *message =
		json_string_value(json_object_get(reply, "message"));
	const json_t *mac;
	size_t at;

	print_fields(reply, one_group_columns);
	json_array_foreach(json_object_get(reply, "macs"), at, mac)
		print_line(json_string_value(mac));
	if (message)
		print_line(message);
}

/* One per line and nothing else: made to be piped. */
void print_codes(const json_t *reply)
{
	const json_t *code;
	size_t at;

	json_array_foreach(json_object_get(reply, "codes"), at, code)
		print_line(json_string_value(code));
}

/* Of a success, and of a reply with the code "differs". */
void print_verify(const json_t *reply)
{
	const json_t *differences = json_object_get(reply, "differences");
	json_int_t checked =
		json_integer_value(json_object_get(reply, "checked"));

	if (json_array_size(differences)) {
		print_table(differences, difference_columns);
		if (json_is_true(json_object_get(reply, "repaired")))
			print_line("All of them were repaired.");
	} else {
		printf("The kernel and the database agree: %" PRId64
		       " client record%s checked.\n",
			(int64_t)checked, checked == 1 ? "" : "s");
	}
}

void print_reasons(const json_t *reply)
{
	print_items(reply, reason_columns, "no packets yet");
}

void print_garden(const json_t *reply)
{
	print_table(json_object_get(reply, "networks"), garden_columns);
	putchar('\n');
	print_items(reply, garden_entry_columns, "nothing in the garden");
}

#define EXPLAIN_WIDTH 13

void print_explain(const json_t *reply)
{
	const json_t *packet = json_object_get(reply, "packet");
	const json_t *record = json_object_get(reply, "record");

	print_fields_wide(reply, explain_columns, EXPLAIN_WIDTH);
	putchar('\n');
	print_fields_wide(packet, packet_columns, EXPLAIN_WIDTH);
	if (json_is_true(json_object_get(packet, "addressGuessed")))
		print_line("  (the device's address is not known: one was made up)");
	putchar('\n');
	if (json_is_null(record))
		print_line("record         none: the device has no session");
	else
		print_fields_wide(record, record_columns, EXPLAIN_WIDTH);
}

/* Time, name and device have columns; what else there is follows by name. */
void print_event(const json_t *event)
{
	static const char *const placed[] = {"time", "event", "mac"};
	static const int widths[] = {19, 17, 17};
	const json_t *value;
	char cell[CELL_BYTES];
	const char *key;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(placed); i++) {
		print_cell(cell, json_object_get(event, placed[i]),
			i ? FORMAT_TEXT : FORMAT_TIME);
		print_padded(cell, widths[i] + 2);
	}
	json_object_foreach((json_t *)event, key, value) {
		if (NAME_INDEX(placed, key) >= 0 || json_is_null(value))
			continue;
		print_cell(cell, value, FORMAT_TEXT);
		printf("%s %s  ", key, cell);
	}
	putchar('\n');
}

void print_events(const json_t *reply)
{
	print_items(reply, event_columns, "no events");
}
