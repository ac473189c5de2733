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
#define EXIT_USAGE 2

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

/* What to do when no reply came. */
static int explain(const char *socket, int err)
{
	switch (-err) {
	case ENOENT:
	case ECONNREFUSED:
		fprintf(stderr,
			"gatehousectl: gatehoused is not running (nobody "
			"listens at %s).\n"
			"The gate goes on without it. Start it with `systemctl "
			"start gatehoused`, or remove\nthe gate with `gatehoused "
			"--unload open` or `--unload closed`.\n",
			socket);
		return 6;
	case EACCES:
		fprintf(stderr,
			"gatehousectl: you may not use %s: be root, or join "
			"the group gatehouse and\nget a role in [roles] of "
			"gatehouse.conf.\n",
			socket);
		return 4;
	case ETIMEDOUT:
		print_problem("gatehoused did not answer in time; try again, "
			    "and look at its log");
		return 5;
	case ECONNRESET:
		print_problem("gatehoused went away before it answered; see "
			    "whether it was done, then try again");
		return 5;
	default:
		print_problem(strerror(-err));
		return 6;
	}
}

/*
 * Calls, and for a list calls on until the last page; the items are gathered
 * in the first reply.
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
		if (all) {
			json_array_extend(json_object_get(all, "items"),
				json_object_get(reply, "items"));
			json_object_set(all, "next",
				json_object_get(reply, "next"));
			json_decref(reply);
		} else {
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
			    ?: "the daemon refused");
	return code->exit;
}

static int run(const struct options *options, int argc, char **argv)
{
	_cleanup_json_ json_t *args = NULL, *reply = NULL;
	const struct verb *verb;
	char err[160], usage[256];
	int ret, used;

	verb = verb_lookup(argc, argv, &used);
	if (!verb) {
		fprintf(stderr, "gatehousectl: no such verb\n\n");
		print_usage(stderr);
		return EXIT_USAGE;
	}
	ret = verb_parse(
		verb, argc - used, argv + used, &args, err, sizeof(err));
	if (ret) {
		verb_usage(verb, usage, sizeof(usage));
		print_problem(err);
		fprintf(stderr, "usage: gatehousectl %s\n", usage);
		return EXIT_USAGE;
	}
	ret = call_all(options, verb->op, args, &reply);
	if (ret)
		return explain(options->socket, ret);
	ret = show(options, verb, reply);
	/* A full disk or a closed pipe must not look like success. */
	if (fflush(stdout)) {
		perror("gatehousectl: output");
		return 6;
	}
	return ret;
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
	int i, c, kept = 1;

	/* --json is welcome anywhere; getopt must leave the verb's own options
	 * alone. */
	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--json"))
			options.json = true;
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
	if (optind == argc) {
		print_usage(stderr);
		return EXIT_USAGE;
	}
	return run(&options, argc - optind, argv + optind);
}
