/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of operations (T1, G6, N13). Protects: every row says who may ask,
 * an operator reaches every row that is not a guest's from the terminal, and
 * what a verb sends is what its row takes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "base/util.h"
#include "ctl/verbs.h"
#include "daemon/ops.h"

static const struct verb *verb_of(const char *op)
{
	const struct verb *verb;

	for (verb = verbs; verb->words; verb++)
		if (verb->op && !strcmp(verb->op, op))
			return verb;
	return NULL;
}

static void test_rows(void **state)
{
	const struct op *op, *other;

	for (op = ops; op->name; op++) {
		if (!op->handler || !op->args || !op->proofs)
			fail_msg("%s: the row has holes", op->name);
		/* A caller without a role must never get in. */
		if (op->proofs & PROOF_DESK && op->least < ROLE_STAFF)
			fail_msg("%s: open to callers without a role", op->name);
		/* Who logged in by the QR code is staff at most. */
		if (op->proofs & PROOF_STAFF && op->least > ROLE_STAFF)
			fail_msg("%s: above staff by QR code", op->name);
		if (op->proofs & PROOF_GUEST && op->rate == RATE_FREE)
			fail_msg("%s: guests have no limit", op->name);
		for (other = op + 1; other->name; other++)
			assert_string_not_equal(op->name, other->name);
		assert_ptr_equal(op_lookup(op->name), op);
	}
	assert_null(op_lookup("nothing"));
}

/* T1: what only the console may, and N13's roles. */
static void test_roles(void **state)
{
	static const struct {
		const char *op;
		enum role least;
		unsigned int proofs;
	} rows[] = {
		{"status", ROLE_STAFF, PROOF_DESK},
		{"clients.allow", ROLE_STAFF, PROOF_DESK | PROOF_STAFF},
		{"clients.move", ROLE_STAFF, PROOF_DESK | PROOF_STAFF},
		{"clients.kick", ROLE_SUPERVISOR, PROOF_DESK},
		{"clients.block", ROLE_SUPERVISOR, PROOF_DESK},
		{"clients.hold", ROLE_SUPERVISOR, PROOF_DESK},
		{"clients.release", ROLE_SUPERVISOR, PROOF_DESK},
		{"clients.pause", ROLE_STAFF, PROOF_DESK | PROOF_STAFF},
		{"clients.resume", ROLE_STAFF, PROOF_DESK | PROOF_STAFF},
		{"clients.set", ROLE_STAFF, PROOF_DESK},
		{"clients.describe", ROLE_STAFF, PROOF_DESK},
		{"clients.limit", ROLE_SUPERVISOR, PROOF_DESK},
		{"clients.exempt", ROLE_MANAGER, PROOF_DESK},
		{"plans.add", ROLE_MANAGER, PROOF_DESK},
		{"plans.set", ROLE_MANAGER, PROOF_DESK},
		{"plans.apply", ROLE_MANAGER, PROOF_DESK},
		{"plans.remove", ROLE_MANAGER, PROOF_DESK},
		{"groups.list", ROLE_STAFF, PROOF_DESK},
		{"groups.add", ROLE_SUPERVISOR, PROOF_DESK},
		{"groups.join", ROLE_SUPERVISOR, PROOF_DESK},
		{"vouchers.create", ROLE_MANAGER, PROOF_DESK},
		{"vouchers.list", ROLE_MANAGER, PROOF_DESK},
		{"vouchers.revoke", ROLE_MANAGER, PROOF_DESK},
		{"vouchers.get", ROLE_STAFF, PROOF_DESK},
		{"vouchers.sell", ROLE_STAFF, PROOF_DESK | PROOF_STAFF},
		{"vouchers.sheet", ROLE_MANAGER, PROOF_DESK},
		{"vouchers.import", ROLE_MANAGER, PROOF_DESK},
		{"batches.list", ROLE_MANAGER, PROOF_DESK},
		{"payments.refund", ROLE_SUPERVISOR, PROOF_DESK},
		{"payments.list", ROLE_STAFF, PROOF_DESK},
		{"payments.sums", ROLE_STAFF, PROOF_DESK},
		{"events.list", ROLE_SUPERVISOR, PROOF_DESK},
		{"jobs.list", ROLE_STAFF, PROOF_DESK},
		{"jobs.run", ROLE_ADMIN, PROOF_DESK},
		{"addresses.list", ROLE_SUPERVISOR, PROOF_DESK},
		{"statistics.list", ROLE_MANAGER, PROOF_DESK},
		{"export", ROLE_ADMIN, PROOF_DESK},
		{"forget", ROLE_ADMIN, PROOF_DESK},
		{"unload", ROLE_ADMIN, PROOF_LOCAL},
		{"operators.list", ROLE_MANAGER, PROOF_DESK},
		{"operators.add", ROLE_MANAGER, PROOF_DESK},
		{"operators.login", ROLE_NONE, PROOF_DOOR},
		{"operators.second", ROLE_NONE, PROOF_DOOR},
		{"operators.totp", ROLE_MANAGER, PROOF_DESK},
		{"operators.totp.off", ROLE_STAFF, PROOF_OPERATOR},
		{"operators.me", ROLE_STAFF, PROOF_OPERATOR},
		{"operators.leave", ROLE_STAFF, PROOF_OPERATOR},
		{"tokens.add", ROLE_MANAGER, PROOF_DESK},
		{"access.list", ROLE_ADMIN, PROOF_DESK},
		{"members.add", ROLE_MANAGER, PROOF_DESK},
		{"members.import", ROLE_MANAGER, PROOF_DESK},
		{"operators.pin", ROLE_MANAGER, PROOF_DESK},
		{"qr.generate", ROLE_ADMIN, PROOF_DESK},
		{"qr.show", ROLE_ADMIN, PROOF_DESK},
		{"qr.login", ROLE_NONE, PROOF_GUEST},
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct op *op = op_lookup(rows[i].op);

		assert_non_null(op);
		assert_int_equal(op->least, rows[i].least);
		assert_int_equal(op->proofs, rows[i].proofs);
	}
}

/* T1: what operators may do from elsewhere they may do on the box as well; what
 * only the box may is what could lock everybody out or let everybody through. */
static void test_what_is_the_boxes_own(void **state)
{
	static const char *const own[] = {"unload", "watch", "backup", "restore",
		"key.show", "backup.run", "keys.show"};
	const struct op *op;
	size_t i;

	for (op = ops; op->name; op++) {
		bool is_listed = false;

		for (i = 0; i < ARRAY_SIZE(own); i++)
			is_listed |= !strcmp(op->name, own[i]);
		if (op->proofs & PROOF_OPERATOR && is_listed)
			fail_msg("%s is the box's own", op->name);
		if (op->proofs == PROOF_OPERATOR &&
			strncmp(op->name, "operators.", 10))
			fail_msg("%s: not even root may", op->name);
		if (op->proofs & PROOF_DOOR)
			assert_true(!strcmp(op->name, "operators.login") ||
				    !strcmp(op->name, "operators.second"));
	}
}

static void test_every_row_has_a_verb(void **state)
{
	const struct op *op;

	for (op = ops; op->name; op++)
		if (op->proofs & PROOF_LOCAL && !verb_of(op->name))
			fail_msg("%s: gatehousectl has no verb", op->name);
}

static const struct json_arg *argument(const struct op *op, const char *name)
{
	const struct json_arg *row;

	for (row = op->args; row->type != JSON_ARG_END; row++)
		if (!strcmp(row->name, name))
			return row;
	return NULL;
}

/* Both tables speak of the same arguments, and of all of them; the cursor of
 * lists is gatehousectl's own. */
static void test_verbs_fit_the_rows(void **state)
{
	const struct verb *verb;
	const struct verb_arg *arg;
	const struct json_arg *row;

	for (verb = verbs; verb->words; verb++) {
		const struct op *op = verb->op ? op_lookup(verb->op) : NULL;

		if (!verb->op)
			continue;
		if (!op)
			fail_msg("%s: no operation %s", verb->words, verb->op);
		for (arg = verb->args; arg->type != VERB_ARG_END; arg++)
			if (arg->type != VERB_ARG_OWN && !argument(op, arg->field))
				fail_msg("%s: %s is no argument of %s",
					verb->words, arg->field, verb->op);
		for (row = op->args; row->type != JSON_ARG_END; row++) {
			/* A file of members has both, a heading and rows. */
			bool said = !strcmp(row->name, "limit") ||
				    !strcmp(row->name, "after") ||
				    !strcmp(verb->words, "member import");

			for (arg = verb->args; arg->type != VERB_ARG_END; arg++)
				said |= !strcmp(arg->field, row->name);
			if (!said)
				fail_msg("%s cannot say %s", verb->words,
					row->name);
		}
	}
}

struct line {
	const char *words;
	const char *args; /* JSON, or NULL: wrong use */
};

static const struct line lines[] = {
	{"status", "{}"},
	{"client 02:00:00:00:00:01", "{\"mac\":\"02:00:00:00:00:01\"}"},
	{"client", NULL},
	{"client a b", NULL},
	{"allow m --minutes 5", "{\"mac\":\"m\",\"minutes\":5}"},
	{"allow m --minutes -5 --megabytes 3",
		"{\"mac\":\"m\",\"minutes\":-5,\"megabytes\":3}"},
	{"allow --minutes 5 m", "{\"mac\":\"m\",\"minutes\":5}"},
	{"allow m --minutes=5", "{\"mac\":\"m\",\"minutes\":5}"},
	{"allow m --minutes=-5", "{\"mac\":\"m\",\"minutes\":-5}"},
	{"allow m --minutes=", NULL},
	{"allow m --minutesx=5", NULL},
	{"allow m --minutes 5 --plan Day", NULL},
	{"allow m --plan Day --megabytes 5", NULL},
	{"allow m --megabytes 5", NULL},
	{"limit m --up 64", "{\"mac\":\"m\",\"uploadKbps\":64}"},
	{"exempt m --until 2026-12-24 --network guest",
		"{\"mac\":\"m\",\"exemptUntil\":\"2026-12-24\","
		"\"exemptNetwork\":\"guest\"}"},
	{"exempt m --off", "{\"mac\":\"m\",\"exempt\":false}"},
	{"set m --seconds=-60 --unblock",
		"{\"mac\":\"m\",\"sessionTime\":-60,\"blocked\":false}"},
	{"device add m --with o", "{\"mac\":\"m\",\"with\":\"o\"}"},
	{"describe m --name= --note x", "{\"mac\":\"m\",\"name\":\"\",\"note\":\"x\"}"},
	{"block m --off=yes", NULL},
	{"allow m", NULL},
	{"allow m --minutes", NULL},
	{"allow m --minutes five", NULL},
	{"allow m --minutes 99999999999999999999", NULL},
	{"allow m --minutes 5 --minutes 6", NULL},
	{"allow m --hours 5", NULL},
	{"block m", "{\"mac\":\"m\",\"blocked\":true}"},
	{"block m --off", "{\"mac\":\"m\",\"blocked\":false}"},
	{"move a b", "{\"from\":\"a\",\"to\":\"b\"}"},
	{"move a", NULL},
	{"unload", NULL},
	{"unload --open", "{\"open\":true}"},
	{"unload --closed", "{\"open\":false}"},
	{"unload --open --closed", NULL},
	{"plan add Night --minutes 9", "{\"name\":\"Night\",\"minutes\":9}"},
	{"voucher sell Night", "{\"plan\":\"Night\"}"},
	{"voucher sell --code X --paid 5", "{\"code\":\"X\",\"paidMinor\":5}"},
	{"voucher sell", NULL},
	{"voucher sell Night --code X", NULL},
	{"voucher revoke", NULL},
	{"voucher revoke --batch b", "{\"batch\":\"b\"}"},
	{"plan set Night --hours=22:00-06:00 --idle=5",
		"{\"name\":\"Night\",\"hours\":\"22:00-06:00\",\"idleMinutes\":5}"},
	{"plan", NULL},
	{"voucher create --plan Night --count 3",
		"{\"plan\":\"Night\",\"count\":3}"},
	{"voucher create --plan Night", "{\"plan\":\"Night\"}"},
	{"voucher create --count 2", NULL},
	{"dance", NULL},
};

static void test_command_lines(void **state)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lines); i++) {
		char buf[128], *rest = buf, *argv[16], err[160];
		const struct verb *verb;
		json_t *args = NULL, *want;
		int argc = 0, used = 0, ret = -EINVAL;

		snprintf(buf, sizeof(buf), "%s", lines[i].words);
		while ((argv[argc] = strsep(&rest, " ")))
			argc++;
		verb = verb_lookup(argc, argv, &used);
		if (verb)
			ret = verb_parse(verb, argc - used, argv + used, &args,
				err, sizeof(err));
		if ((ret == 0) != (lines[i].args != NULL))
			fail_msg("%s: got %d", lines[i].words, ret);
		if (ret)
			continue;
		want = json_loads(lines[i].args, 0, NULL);
		if (!json_equal(args, want))
			fail_msg("%s: got %s", lines[i].words,
				json_dumps(args, 0));
		json_decref(want);
		json_decref(args);
	}
}

/* A refusal names what was typed, and only that. */
static void test_sentences(void **state)
{
	static const struct {
		const char *words, *before, *after;
	} rows[] = {
		{"plan add", "priceMinor must be 1", "--price must be 1"},
		{"plan add", "price must be 1", "price must be 1"},
		{"client", "mac must be", "MAC must be"},
		{"move", "from is", "OLD is"},
		{"allow", "minutes", "--minutes"},
		{"status", "mac must be", "mac must be"},
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		char buf[64], words[32], *argv[4], *rest = words;
		int argc = 0, used;

		snprintf(words, sizeof(words), "%s", rows[i].words);
		while ((argv[argc] = strsep(&rest, " ")))
			argc++;
		verb_sentence(verb_lookup(argc, argv, &used), rows[i].before,
			buf, sizeof(buf));
		assert_string_equal(buf, rows[i].after);
	}
}

static void test_help(void **state)
{
	const struct verb_arg *arg;
	const struct verb *verb;
	size_t len;

	for (verb = verbs; verb->words; verb++) {
		len = strlen(verb->words);
		if (!verb->example || strncmp(verb->example, verb->words, len))
			fail_msg("%s: its example is of another", verb->words);
		for (arg = verb->args; arg->type != VERB_ARG_END; arg++) {
			if (!arg->help)
				fail_msg("%s: no help for %s", verb->words,
					verb_arg_name(arg));
			assert_true(arg - verb->args < VERB_ARGS_MAX);
		}
	}
}

struct frame {
	const char *text;
	enum ctl_code code;
};

static const struct frame frames[] = {
	{"{\"op\":\"status\"}", CTL_OK},
	{"{\"op\":\"status\",\"args\":{}}", CTL_OK},
	{"{\"op\":\"plans.list\",\"args\":{\"limit\":50}}", CTL_OK},
	{"{\"op\":\"plans.list\",\"args\":{\"limit\":101}}", CTL_bad_request},
	{"{\"op\":\"nothing\"}", CTL_unknown_operation},
	{"{\"op\":\"status\",\"who\":\"root\"}", CTL_bad_request},
	{"{\"op\":\"status\",\"args\":{\"role\":\"admin\"}}", CTL_bad_request},
	{"{\"op\":\"guest.session\",\"args\":{\"mac\":"
	 "\"02:00:00:00:00:01\"}}",
		CTL_bad_request},
	{"{\"args\":{}}", CTL_bad_request},
	{"[]", CTL_bad_request},
	{"", CTL_bad_request},
};

static void test_frames(void **state)
{
	char err[256];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(frames); i++) {
		struct op_request request = {.op = NULL};
		enum ctl_code code;

		code = ops_parse(frames[i].text, strlen(frames[i].text),
			&request, err, sizeof(err));
		if (code != frames[i].code)
			fail_msg("%s: expected %d, got %d: %s", frames[i].text,
				frames[i].code, code, code ? err : "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_roles),
		cmocka_unit_test(test_what_is_the_boxes_own),
		cmocka_unit_test(test_every_row_has_a_verb),
		cmocka_unit_test(test_verbs_fit_the_rows),
		cmocka_unit_test(test_command_lines),
		cmocka_unit_test(test_sentences),
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_frames),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
