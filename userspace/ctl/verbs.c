/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verb table and the parser that reads it. The parser checks only what
 * belongs to the command line: which words and options there are and that
 * numbers are numbers. Ranges and meaning are the operation's to judge, so
 * that a rule is in one place.
 */
#include "ctl/verbs.h"

#include <string.h>

#include "base/util.h"
#include "ctl/print.h"

#define MAC_ARG {VERB_ARG_TEXT, NULL, "mac", VERB_REQUIRED, "MAC"}

static const struct verb_arg no_args[] = {{}};
static const struct verb_arg mac_args[] = {MAC_ARG, {}};
static const struct verb_arg allow_args[] = {
	MAC_ARG,
	{VERB_ARG_INT, "--minutes", "minutes", VERB_ONE_OF, "N"},
	{VERB_ARG_TEXT, "--plan", "plan", VERB_ONE_OF, "NAME"},
	{VERB_ARG_INT, "--megabytes", "megabytes", VERB_OPTIONAL, "N"},
	{},
};
static const struct verb_arg block_args[] = {
	MAC_ARG,
	{VERB_ARG_FALSE, "--off", "blocked", VERB_OPTIONAL, NULL},
	{},
};
static const struct verb_arg move_args[] = {
	{VERB_ARG_TEXT, NULL, "from", VERB_REQUIRED, "OLD"},
	{VERB_ARG_TEXT, NULL, "to", VERB_REQUIRED, "NEW"},
	{},
};
static const struct verb_arg set_args[] = {
	MAC_ARG,
	{VERB_ARG_TEXT, "--name", "name", VERB_OPTIONAL, "TEXT"},
	{VERB_ARG_TEXT, "--note", "note", VERB_OPTIONAL, "TEXT"},
	{},
};
static const struct verb_arg sessions_args[] = {
	{VERB_ARG_TEXT, "--state", "state", VERB_OPTIONAL,
		"running|paused|held|ended"},
	{},
};
static const struct verb_arg plan_add_args[] = {
	{VERB_ARG_TEXT, NULL, "name", VERB_REQUIRED, "NAME"},
	{VERB_ARG_INT, "--minutes", "minutes", VERB_REQUIRED, "N"},
	{VERB_ARG_INT, "--megabytes", "megabytes", VERB_OPTIONAL, "N"},
	{VERB_ARG_INT, "--up", "upKbps", VERB_OPTIONAL, "KBPS"},
	{VERB_ARG_INT, "--down", "downKbps", VERB_OPTIONAL, "KBPS"},
	{VERB_ARG_INT, "--price", "priceMinor", VERB_OPTIONAL, "MINOR"},
	{VERB_ARG_TEXT, "--currency", "currency", VERB_OPTIONAL, "XXX"},
	{VERB_ARG_INT, "--moves", "moves", VERB_OPTIONAL, "N"},
	{VERB_ARG_INT, "--token-days", "tokenDays", VERB_OPTIONAL, "N"},
	{},
};
static const struct verb_arg voucher_create_args[] = {
	{VERB_ARG_TEXT, "--plan", "plan", VERB_REQUIRED, "NAME"},
	{VERB_ARG_INT, "--count", "count", VERB_OPTIONAL, "N"},
	{VERB_ARG_INT, "--expires-days", "expiresDays", VERB_OPTIONAL, "N"},
	{VERB_ARG_TEXT, "--prefix", "prefix", VERB_OPTIONAL, "TEXT"},
	{},
};
static const struct verb_arg voucher_list_args[] = {
	{VERB_ARG_TEXT, "--batch", "batch", VERB_OPTIONAL, "BATCH"},
	{VERB_ARG_TEXT, "--state", "state", VERB_OPTIONAL, "unused|used|revoked"},
	{},
};
static const struct verb_arg code_args[] = {
	{VERB_ARG_TEXT, NULL, "code", VERB_REQUIRED, "CODE"},
	{},
};
static const struct verb_arg verify_args[] = {
	{VERB_ARG_TRUE, "--repair", "repair", VERB_OPTIONAL, NULL},
	{},
};
static const struct verb_arg unload_args[] = {
	{VERB_ARG_TRUE, "--open", "open", VERB_ONE_OF, NULL},
	{VERB_ARG_FALSE, "--closed", "open", VERB_ONE_OF, NULL},
	{},
};

/* clang-format off */
const struct verb verbs[] = {
	{"status", "status", no_args, NULL, print_status,
		"how the gateway is doing: networks, ports and failed jobs"},
	{"clients", "clients.list", no_args, NULL, print_clients,
		"known devices"},
	{"client", "clients.get", mac_args, NULL, print_client,
		"everything about one device"},
	{"allow", "clients.allow", allow_args, NULL, print_client,
		"give a device time, or take it away (negative minutes)"},
	{"block", "clients.block", block_args, "blocked", print_done,
		"drop all traffic of a device; --off lifts the block"},
	{"kick", "clients.kick", mac_args, NULL, print_done,
		"end a device's session"},
	{"move", "clients.move", move_args, NULL, print_done,
		"move a device's session to another device"},
	{"describe", "clients.set", set_args, NULL, print_client,
		"set a device's name or note"},
	{"sessions", "sessions.list", sessions_args, NULL, print_sessions,
		"sessions, newest first"},
	{"plan list", "plans.list", no_args, NULL, print_plans,
		"plans on sale"},
	{"plan add", "plans.add", plan_add_args, NULL, print_done,
		"add a plan"},
	{"voucher create", "vouchers.create", voucher_create_args, NULL, print_codes,
		"create vouchers and print their codes, one per line"},
	{"voucher list", "vouchers.list", voucher_list_args, NULL, print_vouchers,
		"vouchers and their state"},
	{"voucher revoke", "vouchers.revoke", code_args, NULL, print_done,
		"revoke an unused voucher"},
	{"verify", "verify", verify_args, NULL, print_verify,
		"compare the kernel's records with the database; --repair fixes them"},
	{"reasons", "reasons", no_args, NULL, print_reasons,
		"packets passed, answered and dropped, by reason"},
	{"unload", "unload", unload_args, NULL, print_done,
		"remove the gate: --open lets everyone through, --closed no one"},
	{},
};
/* clang-format on */

/* How many words of `words` the arguments begin with; 0 unless all. */
static int match(const char *words, int argc, char **argv)
{
	char buf[32], *rest = buf, *word;
	int used = 0;

	snprintf(buf, sizeof(buf), "%s", words);
	while ((word = strsep(&rest, " "))) {
		if (used == argc || strcmp(argv[used], word))
			return 0;
		used++;
	}
	return used;
}

const struct verb *verb_lookup(int argc, char **argv, int *ret_used)
{
	const struct verb *verb;
	int used;

	for (verb = verbs; verb->words; verb++) {
		used = match(verb->words, argc, argv);
		if (used) {
			*ret_used = used;
			return verb;
		}
	}
	return NULL;
}

static int set_number(json_t *args, const struct verb_arg *arg,
	const char *value, char *err, size_t err_len)
{
	char *end;
	long long number;

	errno = 0;
	number = strtoll(value, &end, 10);
	if (errno || end == value || *end) {
		snprintf(err, err_len, "%s needs a whole number, not \"%s\".",
			arg->option ? arg->option : arg->hint, value);
		return -EINVAL;
	}
	json_object_set_new(args, arg->field, json_integer(number));
	return 0;
}

static int set_arg(json_t *args, const struct verb_arg *arg, const char *value,
	char *err, size_t err_len)
{
	json_t *text;

	switch (arg->type) {
	case VERB_ARG_TEXT:
		text = json_string(value);
		if (!text) {
			snprintf(err, err_len, "%s must be UTF-8 text.",
				arg->option ? arg->option : arg->hint);
			return -EINVAL;
		}
		json_object_set_new(args, arg->field, text);
		return 0;
	case VERB_ARG_INT:
		return set_number(args, arg, value, err, err_len);
	case VERB_ARG_TRUE:
	case VERB_ARG_FALSE:
		json_object_set_new(args, arg->field,
			json_boolean(arg->type == VERB_ARG_TRUE));
		return 0;
	case VERB_ARG_END:
		break;
	}
	return -EINVAL;
}

static bool takes_value(const struct verb_arg *arg)
{
	return arg->type == VERB_ARG_TEXT || arg->type == VERB_ARG_INT;
}

/* The row that an option names, or that the next bare word belongs to. */
static const struct verb_arg *row_of(
	const struct verb *verb, const char *word, int *place)
{
	bool is_option = !strncmp(word, "--", 2);
	const struct verb_arg *arg;
	int at = 0;

	for (arg = verb->args; arg->type != VERB_ARG_END; arg++) {
		if (is_option && arg->option && !strcmp(arg->option, word))
			return arg;
		if (!is_option && !arg->option && at++ == *place) {
			(*place)++;
			return arg;
		}
	}
	return NULL;
}

/* The rows that may not be left out. */
static int check_needs(const struct verb *verb, const json_t *args, char *err,
	size_t err_len)
{
	const struct verb_arg *arg;
	bool asked = false, given = false;
	char choices[96] = "";

	for (arg = verb->args; arg->type != VERB_ARG_END; arg++) {
		bool here = json_object_get(args, arg->field);

		if (arg->need == VERB_REQUIRED && !here) {
			snprintf(err, err_len, "%s is missing.",
				arg->option ? arg->option : arg->hint);
			return -EINVAL;
		}
		if (arg->need != VERB_ONE_OF)
			continue;
		asked = true;
		given |= here;
		snprintf(choices + strlen(choices),
			sizeof(choices) - strlen(choices), "%s%s",
			choices[0] ? " or " : "", arg->option);
	}
	if (asked && !given) {
		snprintf(err, err_len, "Give %s.", choices);
		return -EINVAL;
	}
	return 0;
}

int verb_parse(const struct verb *verb, int argc, char **argv,
	json_t **ret_args, char *err, size_t err_len)
{
	_cleanup_json_ json_t *args = json_object();
	int i, ret, place = 0;

	for (i = 0; i < argc; i++) {
		const struct verb_arg *arg = row_of(verb, argv[i], &place);
		const char *value = argv[i];

		if (!arg) {
			snprintf(err, err_len, "Unexpected argument \"%s\".",
				argv[i]);
			return -EINVAL;
		}
		if (json_object_get(args, arg->field)) {
			snprintf(err, err_len, "%s is given twice.", argv[i]);
			return -EINVAL;
		}
		if (arg->option && takes_value(arg)) {
			if (++i == argc) {
				snprintf(err, err_len, "%s needs a value.",
					arg->option);
				return -EINVAL;
			}
			value = argv[i];
		}
		ret = set_arg(args, arg, value, err, err_len);
		if (ret)
			return ret;
	}
	ret = check_needs(verb, args, err, err_len);
	if (ret)
		return ret;
	if (verb->preset && !json_object_get(args, verb->preset))
		json_object_set_new(args, verb->preset, json_true());
	*ret_args = TAKE_PTR(args);
	return 0;
}

void verb_usage(const struct verb *verb, char *buf, size_t len)
{
	const struct verb_arg *arg;
	bool in_choice = false;
	size_t at = (size_t)snprintf(buf, len, "%s", verb->words);

	for (arg = verb->args; arg->type != VERB_ARG_END && at < len; arg++) {
		bool choice = arg->need == VERB_ONE_OF;
		bool last = choice && arg[1].need != VERB_ONE_OF;
		const char *before = arg->need == VERB_OPTIONAL ? " ["
				     : !choice			? " "
				     : in_choice		? " | "
								: " {";

		at += (size_t)snprintf(buf + at, len - at, "%s%s%s%s%s", before,
			arg->option ? arg->option : "",
			arg->option && arg->hint ? " " : "",
			arg->hint ? arg->hint : "",
			arg->need == VERB_OPTIONAL ? "]"
			: last			   ? "}"
						   : "");
		in_choice = choice;
	}
}
