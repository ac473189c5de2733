/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gatehousectl: the operator's terminal. It turns a verb into one operation
 * on the control socket and shows the reply; it holds no rule and no secret.
 * Lists are fetched page by page. The exit status is the reply's code
 * (gatehouse/ctl.h).
 */
#include <getopt.h>
#include <string.h>

#include "base/util.h"
#include "ctl/ctl_client.h"
#include "ctl/print.h"
#include "ctl/verbs.h"

#define TIMEOUT_MS 30000
#define EXIT_USAGE 2 /* of bad_request too */

struct options {
	const char *socket;
	bool json;
};

static void print_usage(FILE *to)
{
	const struct verb *verb;
	char usage[256];

	fputs("usage: gatehousectl [--socket PATH] [--json] VERB ...\n\n", to);
	for (verb = verbs; verb->words; verb++) {
		verb_usage(verb, usage, sizeof(usage));
		fprintf(to, "  %s\n        %s\n", usage, verb->help);
	}
}

/* Verbs that begin with this word; 0 when there is none. */
static int print_verbs(FILE *to, const char *word)
{
	size_t len = strlen(word);
	const struct verb *verb;
	char usage[256];
	int count = 0;

	for (verb = verbs; verb->words; verb++) {
		if (strncmp(verb->words, word, len) ||
			(verb->words[len] && verb->words[len] != ' '))
			continue;
		verb_usage(verb, usage, sizeof(usage));
		fprintf(to, "%s gatehousectl %s\n",
			count++ ? "      " : "usage:", usage);
	}
	return count;
}

/* A refusal that the daemon did not make; returns the code's exit status. A
 * script that asked for JSON gets JSON whatever happens. */
static int refuse(const struct options *options, const char *code,
	const char *sentence)
{
	_cleanup_json_ json_t *reply = NULL;
	int status = ctl_code_lookup(code)->exit;

	if (!options->json) {
		print_problem(sentence);
		return status;
	}
	reply = json_pack("{s:b, s:s, s:s}", "success", 0, "error", sentence,
		"code", code);
	json_dumpf(reply, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	putchar('\n');
	return status;
}

/* What to do when no reply came. */
static int explain(const struct options *options, int err)
{
	char text[512];

	switch (-err) {
	case ENOENT:
	case ECONNREFUSED:
		snprintf(text, sizeof(text),
			"gatehoused is not running (nothing listens on %s). "
			"The gate stays in force without it. Start it with "
			"`systemctl start gatehoused`, or remove the gate with "
			"`gatehoused --unload open` or `--unload closed`.",
			options->socket);
		return refuse(options, "unavailable", text);
	case EACCES:
		snprintf(text, sizeof(text),
			"You are not allowed to use %s. Run this as root, or "
			"join the group gatehouse and have a role in [roles] "
			"of gatehouse.conf.",
			options->socket);
		return refuse(options, "not_allowed", text);
	case ETIMEDOUT:
		return refuse(options, "unavailable",
			"gatehoused did not answer in time. Look at its log, "
			"and try again.");
	case ECONNRESET:
		return refuse(options, "unavailable",
			"gatehoused went away before it answered. Check "
			"whether it was done, then try again.");
	default:
		return refuse(options, "internal", strerror(-err));
	}
}

/*
 * Calls, and for a list calls on until the last page; the items are gathered
 * in the first reply. A page that is refused takes the place of all of them.
 */
static int call_all(const struct options *options, const char *op,
	json_t *args, json_t **ret_reply)
{
	_cleanup_json_ json_t *all = NULL;

	for (;;) {
		json_t *reply = NULL, *next;
		int ret = ctl_call(
			options->socket, op, args, -1, TIMEOUT_MS, &reply);

		if (ret)
			return ret;
		if (all && !ctl_reply_code(reply)) {
			json_array_extend(json_object_get(all, "items"),
				json_object_get(reply, "items"));
			json_object_set(all, "next",
				json_object_get(reply, "next"));
			json_decref(reply);
		} else {
			json_put(&all);
			all = reply;
		}
		next = json_object_get(all, "next");
		if (!json_is_array(json_object_get(all, "items")) ||
			!json_is_integer(next))
			break;
		json_object_set(args, "after", next);
	}
	json_object_del(all, "next");
	*ret_reply = TAKE_PTR(all);
	return 0;
}

static int show(const struct options *options, const struct verb *verb,
	const json_t *reply)
{
	const struct ctl_code_row *code = ctl_reply_code(reply);

	if (options->json) {
		_cleanup_free_ char *text =
			json_dumps(reply, JSON_INDENT(2) | JSON_PRESERVE_ORDER);

		puts(text ? text : "");
		return code ? code->exit : 0;
	}
	if (!code) {
		verb->print(reply);
		return 0;
	}
	if (json_object_get(reply, "differences"))
		verb->print(reply);
	print_problem(json_string_value(json_object_get(reply, "error"))
			      ?: "The daemon refused.");
	return code->exit;
}

static int call_verb(const struct options *options, const struct verb *verb,
	int argc, char **argv)
{
	_cleanup_json_ json_t *args = NULL, *reply = NULL;
	char err[160];
	int ret;

	ret = verb_parse(verb, argc, argv, &args, err, sizeof(err));
	if (ret) {
		ret = refuse(options, "bad_request", err);
		if (!options->json)
			print_verbs(stderr, verb->words);
		return ret;
	}
	ret = call_all(options, verb->op, args, &reply);
	return ret ? explain(options, ret) : show(options, verb, reply);
}

static int run(const struct options *options, int argc, char **argv)
{
	const struct verb *verb;
	char err[160];
	int ret, used;

	verb = verb_lookup(argc, argv, &used);
	if (verb) {
		ret = call_verb(options, verb, argc - used, argv + used);
	} else {
		snprintf(err, sizeof(err),
			"Unknown verb \"%.60s%s%.60s\"; see `gatehousectl "
			"--help`.",
			argv[0], argc > 1 ? " " : "", argc > 1 ? argv[1] : "");
		ret = refuse(options, "bad_request", err);
		if (!options->json)
			print_verbs(stderr, argv[0]);
	}
	/* A full disk or a closed pipe must not look like success. */
	if (fflush(stdout)) {
		perror("gatehousectl: output");
		return ctl_code_lookup("internal")->exit;
	}
	return ret;
}

/* "--help" behind a verb is about that verb. */
static int help(int argc, char **argv)
{
	if (!argc || !print_verbs(stdout, argv[0]))
		print_usage(stdout);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct option longopts[] = {
		{"socket", required_argument, NULL, 's'},
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{},
	};
	struct options options = {.socket = CTL_SOCKET_DEFAULT};
	bool asks_help = false;
	int i, c, kept = 1;

	/* These are welcome anywhere; getopt must leave the verb's own options
	 * alone. */
	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--json"))
			options.json = true;
		else if (!strcmp(argv[i], "--help"))
			asks_help = true;
		else
			argv[kept++] = argv[i];
	}
	argc = kept;
	argv[argc] = NULL;
	while ((c = getopt_long(argc, argv, "+s:jh", longopts, NULL)) >= 0) {
		if (c == 's') {
			options.socket = optarg;
		} else if (c == 'j') {
			options.json = true;
		} else {
			print_usage(c == 'h' ? stdout : stderr);
			return c == 'h' ? 0 : EXIT_USAGE;
		}
	}
	if (asks_help)
		return help(argc - optind, argv + optind);
	if (optind == argc) {
		print_usage(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[optind], "help"))
		return help(argc - optind - 1, argv + optind + 1);
	return run(&options, argc - optind, argv + optind);
}
