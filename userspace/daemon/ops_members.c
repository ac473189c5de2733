/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Operations about members (U6, U9): who may log in by the QR code of the house,
 * and what they may have. A change counts for those of them that are online.
 * The audit names a member by its number: who is forgotten leaves nothing there.
 */
#include <ctype.h>
#include <string.h>

#include "base/clock.h"
#include "base/csv.h"
#include "base/role.h"
#include "base/util.h"
#include "daemon/client_json.h"
#include "daemon/ops_handlers.h"
#include "daemon/sync.h"
#include "rules/member.h"

#define COLUMNS_MAX 16

const char *member_role_name(enum role role)
{
	return role == ROLE_NONE ? "guest" : role_name(role);
}

static json_t *member_json(const struct member *m)
{
	json_t *object = json_pack(
		"{s:I, s:s, s:o, s:o, s:s, s:o, s:o, s:I}", "id",
		(json_int_t)m->id, "identity", m->identity, "name",
		json_name(m->name), "email", json_name(m->email), "role",
		member_role_name(m->role), "operator",
		json_name(m->operator_name), "plan", json_name(m->plan_name),
		"devices", (json_int_t)m->devices);
	json_t *more = json_pack("{s:o, s:o, s:o, s:o, s:I, s:o, s:s, s:o}",
		"checkIn", json_time(m->check_in), "checkOut",
		json_time(m->check_out), "proofName", json_name(m->proof_name),
		"proofRoom", json_name(m->proof_room), "online",
		(json_int_t)m->online, "lastUsedAt", json_time(m->last_used_at),
		"createdBy", m->created_by, "createdAt",
		json_time(m->created_at));

	json_object_update(object, more);
	json_decref(more);
	return object;
}

/* What it is now, with a sentence about what became of it. */
static json_t *member_reply(
	struct gatehoused *g, int64_t id, const char *message)
{
	_cleanup_json_ json_t *object = NULL;
	struct member member;
	json_t *reply;
	int ret = store_member_lookup(g->store, id, &member);

	if (ret)
		return reply_failed("reading a member", ret);
	reply = reply_ok();
	object = member_json(&member);
	json_object_update(reply, object);
	if (message)
		json_object_set_new(reply, "message", json_string(message));
	return reply;
}

static int audit(struct gatehoused *g, const struct caller *caller,
	const char *operation, int64_t id)
{
	char detail[32];

	snprintf(detail, sizeof(detail), "member %lld", (long long)id);
	return audit_now(g, caller, operation, NULL, detail);
}

json_t *op_members_list(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_members *a = args;
	int limit = a->limit_set ? (int)MIN(a->limit, OPS_WIDE_MAX)
				 : OPS_WIDE_MAX;
	struct member rows[OPS_WIDE_MAX];
	json_t *items;
	int n, i;

	n = store_member_list(g->store, 0, a->text_set ? a->text : NULL,
		a->after, rows, limit);
	if (n < 0)
		return reply_failed("members.list", n);
	items = json_array();
	for (i = 0; i < n; i++)
		json_array_append_new(items, member_json(&rows[i]));
	return reply_fields("{s:o, s:o}", "items", items, "next",
		n == limit ? json_integer(rows[n - 1].id) : json_null());
}

/* By its number, or else by its identity. NULL, or the refusal; also of who may
 * not handle the account that the member is. */
static json_t *find_member(struct gatehoused *g, const struct caller *caller,
	const struct args_member *a, struct member *ret_member)
{
	int ret;

	if (!a->id_set && !a->identity_set)
		return reply_refuse(CTL_bad_request,
			"id or identity is missing: which member?");
	ret = a->id_set ? store_member_lookup(g->store, a->id, ret_member)
			: store_member_by_identity(
				  g->store, a->identity, ret_member);
	if (ret == -ENOENT)
		return reply_refuse(CTL_not_found,
			"There is no such member; see `gatehousectl member "
			"list`.");
	if (ret)
		return reply_failed("reading a member", ret);
	return ret_member->role <= caller->role ? NULL
						: refuse_above(ret_member->role);
}

json_t *op_members_get(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	struct member member;
	json_t *refusal = find_member(g, caller, args, &member);

	return refusal ? refusal : member_reply(g, member.id, NULL);
}

/* Without the spaces around it that come with copying. */
static void trim(char *text)
{
	size_t len = strlen(text), from = strspn(text, " ");

	while (len > from && text[len - 1] == ' ')
		len--;
	memmove(text, text + from, len - from);
	text[len - from] = '\0';
}

/* Whose account it is. A role is never given here: it is the account's. */
static json_t *take_operator(struct gatehoused *g, const struct caller *caller,
	const struct args_member *a, struct member *member)
{
	struct operator operator;
	json_t *refusal;

	if (a->operator_set && a->operator_name[0]) {
		refusal = find_operator(g, caller, a->operator_name, &operator);
		if (refusal)
			return refusal;
		member->operator_id = operator.id;
		member->role = operator.role;
	} else if (a->operator_set) {
		member->operator_id = 0;
		member->role = ROLE_NONE;
	}
	if (a->role_set && strcmp(a->role, member_role_name(member->role)) != 0)
		return reply_refuse(CTL_bad_request,
			"role is \"%s\": that of the operator's account, or "
			"\"guest\" without one. See `operator` and "
			"`gatehousectl operator role`.",
			member_role_name(member->role));
	return NULL;
}

/* A day begins at midnight for who comes; for who leaves it ends with its last
 * second, so that it is shown as that day and not as the next one's midnight. */
static json_t *take_stay(const struct args_member *a, struct member *member)
{
	static const char wrong[] =
		"%s is a day, as 2026-12-24, or a time, as 2026-12-24 14:00.";
	int64_t begin, end;

	if (a->in_set) {
		member->check_in = 0;
		if (a->in[0] && day_parse(a->in, &member->check_in, &end) &&
			time_parse(a->in, &member->check_in))
			return reply_refuse(CTL_bad_request, wrong, "checkIn");
	}
	if (a->out_set) {
		member->check_out = 0;
		if (day_parse(a->out, &begin, &end) == 0)
			member->check_out = end - 1;
		else if (a->out[0] && time_parse(a->out, &member->check_out))
			return reply_refuse(CTL_bad_request, wrong, "checkOut");
	}
	if (member->check_out && member->check_out <= member->check_in)
		return reply_refuse(CTL_bad_request,
			"checkOut has to be later than checkIn.");
	return NULL;
}

static json_t *take_plan(struct gatehoused *g, const struct args_member *a,
	struct member *member)
{
	struct plan plan;
	json_t *refusal;

	if (!a->plan_set)
		return NULL;
	if (!a->plan[0]) {
		member->plan_id = 0;
		return NULL;
	}
	refusal = find_plan(g, a->plan, &plan);
	if (!refusal) {
		member->plan_id = plan.id;
		return NULL;
	}
	/* It keeps one that was removed since; nobody gets that anew. */
	if (!member->plan_id || strcmp(a->plan, member->plan_name) != 0)
		return refusal;
	json_decref(refusal);
	return NULL;
}

/* What the request says of a member, over what is there. */
static json_t *take_member(struct gatehoused *g, const struct caller *caller,
	const struct args_member *a, struct member *member)
{
	json_t *refusal = take_operator(g, caller, a, member);

	if (!refusal)
		refusal = take_plan(g, a, member);
	if (!refusal)
		refusal = take_stay(a, member);
	if (refusal)
		return refusal;
	if (a->name_set)
		memcpy(member->name, a->name, sizeof(member->name));
	if (a->email_set)
		memcpy(member->email, a->email, sizeof(member->email));
	if (a->devices_set)
		member->devices = a->devices;
	if (a->proof_name_set)
		memcpy(member->proof_name, a->proof_name,
			sizeof(member->proof_name));
	if (a->proof_room_set)
		memcpy(member->proof_room, a->proof_room,
			sizeof(member->proof_room));
	return NULL;
}

static json_t *taken(const struct member *member)
{
	return reply_refuse(CTL_conflict,
		"There is a member \"%s\" already.", member->identity);
}

static json_t *add(struct gatehoused *g, const struct caller *caller,
	const struct args_member *a, int64_t *ret_id)
{
	struct member member = {.devices = MEMBER_DEVICES};
	json_t *refusal = take_member(g, caller, a, &member);
	int ret;

	if (refusal)
		return refusal;
	memcpy(member.identity, a->identity, sizeof(member.identity));
	trim(member.identity);
	if (!member.identity[0])
		return reply_refuse(CTL_bad_request, "identity is empty.");
	memcpy(member.created_by, caller->who, sizeof(caller->who));
	ret = store_member_insert(g->store, &member);
	if (ret == -EEXIST)
		return taken(&member);
	if (!ret)
		ret = audit(g, caller, "member.add", member.id);
	*ret_id = member.id;
	return ret ? reply_failed("members.add", ret) : NULL;
}

json_t *op_members_add(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	int64_t id = 0;
	json_t *refusal = add(g, caller, args, &id);

	return refusal ? refusal
		       : member_reply(g, id,
				 "The member can log in by the QR code now.");
}

static void touch(void *data, const struct mac *mac)
{
	struct gatehoused *g = data;

	sync_touch(g->sync, mac);
}

static json_t *set(struct gatehoused *g, const struct caller *caller,
	const struct args_member *a, struct member *member)
{
	struct moment now = moment_now();
	json_t *refusal = take_member(g, caller, a, member);
	int ret;

	if (refusal)
		return refusal;
	if (a->id_set && a->identity_set) {
		memcpy(member->identity, a->identity, sizeof(member->identity));
		trim(member->identity);
	}
	ret = store_member_put(g->store, member);
	if (ret == -EEXIST)
		return taken(member);
	if (!ret)
		ret = member_settle(&g->rules, member, false, &now, touch, g);
	if (!ret)
		ret = audit(g, caller, "member.set", member->id);
	return ret ? reply_failed("members.set", ret) : NULL;
}

json_t *op_members_set(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	struct member member;
	json_t *refusal = find_member(g, caller, args, &member);

	if (!refusal)
		refusal = set(g, caller, args, &member);
	return refusal ? refusal
		       : member_reply(g, member.id,
				 "It holds for devices that are online, too.");
}

static int leave(struct gatehoused *g, const struct member *member)
{
	struct moment now = moment_now();
	int ret = member_settle(&g->rules, member, true, &now, touch, g);

	return ret ?: store_member_remove(g->store, member->id);
}

json_t *op_members_remove(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	struct member member;
	json_t *refusal = find_member(g, caller, args, &member);
	int ret;

	if (refusal)
		return refusal;
	ret = leave(g, &member);
	if (!ret)
		ret = audit(g, caller, "member.remove", member.id);
	if (ret)
		return reply_failed("members.remove", ret);
	return reply_fields("{s:I, s:s}", "id", (json_int_t)member.id, "message",
		"The member is removed, and has nothing of the network any "
		"more.");
}

int members_leave(struct gatehoused *g, int64_t operator_id)
{
	struct member rows[OPS_WIDE_MAX];
	int n, i, ret = 0;

	do {
		n = store_member_list(
			g->store, operator_id, NULL, 0, rows, OPS_WIDE_MAX);
		for (i = 0; !ret && i < n; i++)
			ret = leave(g, &rows[i]);
	} while (!ret && n == OPS_WIDE_MAX);
	return n < 0 ? n : ret;
}

/* Import: a line is a member, new or changed; an empty cell says nothing. */

static const struct {
	const char *column, *field;
} columns[] = {
	{"identity", "identity"}, {"name", "name"}, {"email", "email"},
	{"role", "role"}, {"operator", "operator"}, {"plan", "plan"},
	{"devices", "devices"}, {"check_in", "checkIn"},
	{"check_out", "checkOut"}, {"proof_name", "proofName"},
	{"proof_room", "proofRoom"},
};

/* Which field a heading is of; "Check-in" is check_in as well. */
static const char *field_of(const char *heading)
{
	size_t i, at;

	heading += strncmp(heading, "\xef\xbb\xbf", 3) ? 0 : 3;
	for (i = 0; i < ARRAY_SIZE(columns); i++) {
		const char *name = columns[i].column;

		for (at = 0; name[at]; at++)
			if (tolower((unsigned char)heading[at]) != name[at] &&
				!(name[at] == '_' && heading[at] &&
					strchr(" -", heading[at])))
				break;
		if (!name[at] && !heading[at])
			return columns[i].field;
	}
	return NULL;
}

/* Part of a cell that has line breaks, or what was no text in the file. */
static bool is_torn(const char *line)
{
	size_t quotes = 0;

	for (; *line; line++)
		quotes += *line == '"';
	return quotes % 2;
}

/* Cells take their meaning from where they stand: who is let in by a line that
 * was read wrongly might be anybody. NULL, or the refusal. */
static json_t *split_row(char *line, char **cells, int count, int *ret_count)
{
	int n, i;

	if (is_torn(line))
		return reply_refuse(CTL_bad_request,
			"A cell does not end on its line, or this is no text "
			"in UTF-8.");
	n = csv_split(line, cells, COLUMNS_MAX + 1);
	for (i = count; i < n; i++)
		if (cells[i][strspn(cells[i], " ")])
			return reply_refuse(CTL_bad_request,
				"There are more cells than in the first line; "
				"one with a comma stands in quotes.");
	*ret_count = MIN(n, count);
	return NULL;
}

/* A line as the arguments of members.add. NULL, or the refusal. */
static json_t *read_row(char *const *fields, int count, char *line,
	struct args_member *ret_args)
{
	_cleanup_json_ json_t *object = json_object();
	char *cells[COLUMNS_MAX + 1], err[256], *end;
	json_t *refusal;
	long devices;
	int n = 0, i;

	refusal = split_row(line, cells, count, &n);
	if (refusal)
		return refusal;
	for (i = 0; i < n; i++) {
		trim(cells[i]);
		if (!cells[i][0])
			continue;
		devices = strtol(cells[i], &end, 10);
		json_object_set_new(object, fields[i],
			!strcmp(fields[i], "devices") && !*end
				? json_integer(devices)
				: json_string(cells[i]));
	}
	memset(ret_args, 0, sizeof(*ret_args));
	if (json_args(object, op_lookup("members.add")->args, ret_args, err,
		    sizeof(err)))
		return reply_refuse(CTL_bad_request, "%s", err);
	trim(ret_args->identity);
	return NULL;
}

/* NULL, or the refusal of this row. */
static json_t *import_row(struct gatehoused *g, const struct caller *caller,
	char *const *fields, int count, char *line, int64_t *added,
	int64_t *changed)
{
	struct args_member a;
	struct member member;
	int64_t id;
	json_t *refusal = read_row(fields, count, line, &a);
	int ret;

	if (refusal)
		return refusal;
	ret = store_member_by_identity(g->store, a.identity, &member);
	if (ret && ret != -ENOENT)
		return reply_failed("members.import", ret);
	if (!ret && member.role > caller->role)
		return refuse_above(member.role);
	refusal = ret ? add(g, caller, &a, &id) : set(g, caller, &a, &member);
	if (!refusal)
		++*(ret ? added : changed);
	return refusal;
}

/* NULL, or the refusal; `fields` of the heading's cells. */
static json_t *read_header(char *header, char **fields, int *ret_count)
{
	char *cells[COLUMNS_MAX];
	bool has_identity = false;
	int i;

	*ret_count = csv_split(header, cells, COLUMNS_MAX);
	for (i = 0; i < *ret_count; i++) {
		const char *field = field_of(cells[i]);

		if (!field)
			return reply_refuse(CTL_bad_request,
				"header has a column \"%s\", which is none of "
				"identity, name, email, role, operator, plan, "
				"devices, check_in, check_out, proof_name, "
				"proof_room, with commas between them.",
				cells[i]);
		has_identity |= !strcmp(field, "identity");
		fields[i] = (char *)field;
	}
	return has_identity ? NULL
			    : reply_refuse(CTL_bad_request,
				      "header has no column \"identity\".");
}

json_t *op_members_import(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	struct args_member_import a = *(const struct args_member_import *)args;
	char *fields[COLUMNS_MAX], *line, *rest = a.rows;
	int64_t added = 0, changed = 0;
	json_t *failed, *refusal;
	int count, row;

	refusal = read_header(a.header, fields, &count);
	if (refusal)
		return refusal;
	failed = json_array();
	for (row = 1; (line = strsep(&rest, "\n")); row++) {
		if (!line[strspn(line, " ,")])
			continue;
		refusal = import_row(
			g, caller, fields, count, line, &added, &changed);
		if (refusal && !strcmp(reply_code(refusal), "internal")) {
			json_decref(failed);
			return refusal;
		}
		if (refusal)
			json_array_append_new(failed,
				json_pack("{s:i, s:O}", "row", row, "error",
					json_object_get(refusal, "error")));
		json_decref(refusal);
	}
	return reply_fields("{s:I, s:I, s:o}", "added", (json_int_t)added,
		"changed", (json_int_t)changed, "failed", failed);
}
