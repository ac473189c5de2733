/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gatehousectl: the operator's terminal. It turns a verb into one operation
 * on the control socket and shows the reply; it holds no rule and no secret.
 * Lists are fetched page by page. The exit status is the reply's code
 * (gatehouse/ctl.h).
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "ctl/ask.h"
#include "ctl/capport.h"
#include "ctl/ctl_client.h"
#include "ctl/draw.h"
#include "ctl/import.h"
#include "ctl/print.h"
#include "base/sheet.h"
#include "ctl/selftest.h"
#include "ctl/verbs.h"

#define TIMEOUT_MS 120000 /* a million records take a while to verify */

struct options {
	const char *socket;
	bool json, help, version;
	bool lines; /* of JSON: one object a line */
};

static void print_json(const struct options *options, const json_t *json)
{
	/* 15 digits: 0.636 is not to look like 0.63600000000000001. */
	_cleanup_free_ char *text = json_dumps(json,
		(options->lines ? JSON_COMPACT : JSON_INDENT(2)) |
			JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(15));

	puts(text ? text : "");
}

/* One verb in full. */
static void print_verb(const struct verb *verb)
{
	const struct verb_arg *arg;
	char usage[VERB_USAGE], name[64];
	const char *line;
	size_t len;

	verb_usage(verb, usage, sizeof(usage));
	printf("usage: gatehousectl %s\n\n%s\n\n", usage, verb->help);
	for (arg = verb->args; arg->type != VERB_ARG_END; arg++) {
		snprintf(name, sizeof(name), "%s%s%s", verb_arg_name(arg),
			arg->option && arg->hint ? " " : "",
			arg->option && arg->hint ? arg->hint : "");
		for (line = arg->help; *line; line += len + (line[len] == '\n')) {
			len = strcspn(line, "\n");
			printf("  %-18s %.*s\n", name, (int)len, line);
			name[0] = '\0';
		}
	}
	printf("%sexample: gatehousectl %s\n", verb->args->type ? "\n" : "",
		verb->example);
}

static json_t *verb_json(const struct verb *verb)
{
	const struct verb_arg *arg;
	json_t *args = json_array();
	char usage[VERB_USAGE];

	verb_usage(verb, usage, sizeof(usage));
	for (arg = verb->args; arg->type != VERB_ARG_END; arg++)
		json_array_append_new(args,
			json_pack("{s:s, s:s}", "name", verb_arg_name(arg),
				"help", arg->help));
	return json_pack("{s:s, s:s, s:s, s:o, s:s}", "verb", verb->words,
		"usage", usage, "help", verb->help, "arguments", args, "example",
		verb->example);
}

/* The verbs that begin with these words. */
static void print_help(const struct options *options, int argc, char **argv)
{
	_cleanup_json_ json_t *list = json_array(), *reply = NULL;
	const struct verb *verb, *one = NULL;
	char usage[VERB_USAGE];
	int count = 0, used = 0;

	for (verb = verbs; verb->words; verb++) {
		if (!verb_begins(verb, argc, argv))
			continue;
		json_array_append_new(list, verb_json(verb));
		one = verb;
		count++;
	}
	if (options->json) {
		reply = json_pack("{s:b, s:O}", "success", 1, "verbs", list);
		print_json(options, reply);
		return;
	}
	/* "coins" is one, and "coins claim" begins with it. */
	verb = verb_lookup(argc, argv, &used);
	if (verb && used == argc) {
		one = verb;
		count = 1;
	}
	if (count == 1) {
		print_verb(one);
		return;
	}
	puts("usage: gatehousectl [--socket PATH] [--json] VERB ...\n");
	for (verb = verbs; verb->words; verb++) {
		if (!verb_begins(verb, argc, argv))
			continue;
		verb_usage(verb, usage, sizeof(usage));
		printf("  %s\n        %s\n", usage, verb->help);
	}
	puts("\n`gatehousectl VERB --help` explains one; so does gatehousectl(8).");
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
	/* It may repeat what was typed. */
	reply = json_pack("{s:b, s:o, s:s}", "success", 0, "error",
		json_string(sentence)
			?: json_string("What was typed is not UTF-8 text."),
		"code", code);
	print_json(options, reply);
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
			"A gate that is in force stays so without it; after "
			"`unload` there is none. Start it with `systemctl "
			"start gatehoused`, or remove the gate with "
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
			"gatehoused went away. Look at its log; check what was "
			"under way, then try again.");
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

/* In the words of who typed the command. */
static void reword(const struct verb *verb, json_t *reply)
{
	const char *error = json_string_value(json_object_get(reply, "error"));
	char text[512];

	if (!error)
		return;
	verb_sentence(verb, error, text, sizeof(text));
	json_object_set_new(reply, "error", json_string(text));
}

static int show(const struct options *options, const struct verb *verb,
	const json_t *reply)
{
	const struct ctl_code_row *code = ctl_reply_code(reply);

	if (options->json) {
		print_json(options, reply);
		return code ? code->exit : 0;
	}
	if (!code) {
		verb->print(reply);
		return 0;
	}
	if (json_object_get(reply, "differences") ||
		json_object_get(reply, "checks"))
		verb->print(reply);
	print_problem(json_string_value(json_object_get(reply, "error"))
			      ?: "The daemon refused.");
	return code->exit;
}

struct stream {
	const struct options *options;
	const struct verb *verb;
};

/* A line at once, or whoever waits for it in a pipe waits for many. */
static int show_event(void *data, const json_t *event)
{
	const struct stream *stream = data;

	if (stream->options->json)
		print_json(stream->options, event);
	else
		stream->verb->print(event);
	return fflush(stdout) ? -errno : 0;
}

static int add_password(
	const struct verb *verb, json_t *args, char *err, size_t err_len)
{
	const struct verb_arg *arg = verb_password(verb);
	char password[130] = "";
	json_t *text;
	int ret;

	if (!arg)
		return 0;
	ret = ask_new_password(
		arg->hint, password, sizeof(password), err, err_len);
	text = ret ? NULL : json_string(password);
	explicit_bzero(password, sizeof(password));
	if (!ret && !text) {
		snprintf(err, err_len, "The password must be UTF-8 text.");
		return -EINVAL;
	}
	if (!ret)
		json_object_set_new(args, arg->field, text);
	return ret;
}

struct importing {
	const struct options *options;
	const char *op;
};

/* For import_codes() and import_members(). */
static int call_import(void *data, json_t *args, json_t **ret_reply)
{
	const struct importing *importing = data;

	return ctl_call(importing->options->socket, importing->op, args, -1,
		TIMEOUT_MS, ret_reply);
}

/* The batch of codes that name none: the file's, so that a second try finds
 * what is in already. */
static void name_batch(const char *path, json_t *args)
{
	const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	size_t len = strlen(name);

	if (json_object_get(args, "batch"))
		return;
	if (len > 4 && !strcasecmp(name + len - 4, ".csv"))
		len -= 4;
	/* As much as a batch's name has, and no half of a character. */
	len = MIN(len, 39U);
	while (len && (name[len] & 0xc0) == 0x80)
		len--;
	json_object_set_new(args, "batch",
		strcmp(path, "-") ? json_stringn(name, len)
				  : json_string("import"));
}

static bool is_import(const struct verb *verb)
{
	return verb->print == print_import || verb->print == print_member_import;
}

static int import_file(const struct options *options, const struct verb *verb,
	const char *path, json_t *args, json_t **ret_reply)
{
	struct importing importing = {options, verb->op};
	bool is_input = !strcmp(path, "-");
	FILE *file = is_input ? stdin : fopen(path, "re");
	int ret;

	if (!file)
		return -errno;
	if (verb->print == print_import) {
		name_batch(path, args);
		ret = import_codes(
			file, args, call_import, &importing, ret_reply);
	} else {
		ret = import_members(
			file, args, call_import, &importing, ret_reply);
	}
	if (!is_input)
		fclose(file);
	return ret;
}

/* What gatehousectl is to do itself, before anything is asked for. A sentence
 * in `err`; *ret_out is where the output goes, -1: where it always does. */
static int prepare(const json_t *own, int *ret_out, char *err, size_t err_len)
{
	const char *paper = json_string_value(json_object_get(own, "paper"));
	const char *lang = json_string_value(json_object_get(own, "lang"));
	const char *out = json_string_value(json_object_get(own, "out"));
	const char *codes = json_string_value(json_object_get(own, "codes"));
	const char *path = codes ?: out;

	*ret_out = -1;
	if (draw_check(own, err, err_len))
		return -EINVAL;
	if (paper && !sheet_has_paper(paper))
		snprintf(err, err_len, "--paper is a4, 80mm or 58mm.");
	else if (lang && !sheet_has_language(lang))
		snprintf(err, err_len, "--lang is ar, en, es, fil, fr, id or sw.");
	else if (codes && strcmp(codes, "-") != 0 && access(codes, R_OK))
		snprintf(err, err_len, "%.80s: %s.", path, strerror(errno));
	else if (out)
		*ret_out = open(out, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (out && !err[0] && *ret_out < 0)
		snprintf(err, err_len, "%.80s: %s.", path, strerror(errno));
	return err[0] ? -EINVAL : 0;
}

/* What is there goes only when there is something to write. */
static int to_file(int out)
{
	struct stat st;

	/* Codes are money: nobody else may read them, also in a file that was
	 * there. A pipe or a device is not ours. */
	if (fstat(out, &st) == 0 && S_ISREG(st.st_mode) && fchmod(out, 0600)) {
		perror("gatehousectl: output");
		return -errno;
	}
	if (ftruncate(out, 0) == 0 && dup2(out, STDOUT_FILENO) >= 0)
		return 0;
	perror("gatehousectl: output");
	return -errno;
}

/* The same as show(), into a file when one was named. */
static int show_in(const struct options *options, const struct verb *verb,
	json_t *reply, json_t *own, int out)
{
	char err[200] = "";
	int status;

	if (verb->print == print_qr && !ctl_reply_code(reply) &&
		draw_files(reply, own, err, sizeof(err)))
		return refuse(options, "bad_request", err);
	if (!options->json)
		json_object_set(reply, "own", own);
	if (out < 0 || ctl_reply_code(reply))
		return show(options, verb, reply);
	if (to_file(out))
		return ctl_code_lookup("internal")->exit;
	status = show(options, verb, reply);
	if (!status && !options->json && fflush(stdout) == 0)
		fprintf(stderr, "%s is written.\n",
			json_string_value(json_object_get(own, "out")));
	return status;
}

/*
 * Calls for page after page and shows each at once: there may be more of them
 * than memory. --json means the format then.
 */
static int call_export(const struct options *options, const struct verb *verb,
	json_t *args, int out)
{
	bool is_first = true;

	if (options->json)
		json_object_set_new(args, "format", json_string("json"));
	do {
		_cleanup_json_ json_t *reply = NULL;
		int ret = ctl_call(options->socket, verb->op, args, -1,
			TIMEOUT_MS, &reply);

		if (ret)
			return explain(options, ret);
		if (ctl_reply_code(reply)) {
			reword(verb, reply);
			return show(options, verb, reply);
		}
		if (is_first && out >= 0 && to_file(out))
			return ctl_code_lookup("internal")->exit;
		is_first = false;
		verb->print(reply);
		json_object_set(args, "after", json_object_get(reply, "next"));
	} while (!json_is_null(json_object_get(args, "after")) &&
		 !ferror(stdout));
	return 0;
}

/* A verb without an operation: all that was typed is its own. */
static int call_nobody(const struct options *options, const struct verb *verb,
	json_t *args, json_t *own)
{
	_cleanup_json_ json_t *reply = NULL;
	char err[200] = "";

	json_object_update(own, args);
	if (verb->print == print_selftest) {
		int ret = selftest_make(options->socket, own, &reply);

		return ret ? explain(options, ret) : show(options, verb, reply);
	}
	if (draw_reply(own, &reply, err, sizeof(err)))
		return refuse(options, "bad_request", err);
	return show_in(options, verb, reply, own, -1);
}

static void replace(json_t **reply, json_t *with)
{
	json_decref(*reply);
	*reply = with;
}

static int call_verb(struct options *options, const struct verb *verb,
	int argc, char **argv)
{
	_cleanup_json_ json_t *args = NULL, *reply = NULL, *own = NULL;
	struct stream stream = {options, verb};
	char err[160] = "", usage[VERB_USAGE];
	_cleanup_fd_ int out = -1;
	int ret;

	options->lines = verb->print == print_event;
	ret = verb_parse(verb, argc, argv, &args, err, sizeof(err));
	if (!ret)
		ret = add_password(verb, args, err, sizeof(err));
	if (ret) {
		ret = refuse(options, "bad_request", err);
		verb_usage(verb, usage, sizeof(usage));
		if (!options->json)
			fprintf(stderr, "usage: gatehousectl %s\n", usage);
		return ret;
	}
	own = verb_take_own(verb, args);
	if (prepare(own, &out, err, sizeof(err)))
		return refuse(options, "bad_request", err);
	if (!verb->op)
		return call_nobody(options, verb, args, own);
	if (verb->print == print_export)
		return call_export(options, verb, args, out);
	if (options->lines)
		ret = ctl_watch(options->socket, verb->op, args, TIMEOUT_MS,
			show_event, &stream, &reply);
	else if (is_import(verb))
		ret = import_file(options, verb,
			json_string_value(json_object_get(own, "codes")), args,
			&reply);
	else
		ret = call_all(options, verb->op, args, &reply);
	if (ret)
		return explain(options, ret);
	if (verb->print == print_capport && !ctl_reply_code(reply))
		replace(&reply, capport_make(reply, own));
	reword(verb, reply);
	return show_in(options, verb, reply, own, out);
}

/* Of one verb or more. */
static bool is_start(int argc, char **argv)
{
	const struct verb *verb;

	for (verb = verbs; verb->words; verb++)
		if (verb_begins(verb, argc, argv))
			return true;
	return false;
}

/* The words name no verb: what could stand there instead. */
static int refuse_words(const struct options *options, int argc, char **argv)
{
	const struct verb *verb;
	char choices[256] = "", err[400];
	size_t at = 0;

	for (verb = verbs; verb->words; verb++)
		if (argc && at < sizeof(choices) && verb_begins(verb, 1, argv))
			at += (size_t)snprintf(choices + at,
				sizeof(choices) - at, "%s%s", at ? " or " : "",
				verb->words + strlen(argv[0]) + 1);
	if (!argc)
		snprintf(err, sizeof(err), "Which verb? See `gatehousectl --help`.");
	else if (!at)
		snprintf(err, sizeof(err),
			"There is no verb \"%.60s\"; see `gatehousectl --help`.",
			argv[0]);
	else
		snprintf(err, sizeof(err), "Behind \"%s\" comes %s%s%.60s%s.",
			argv[0], choices, argc > 1 ? ", not \"" : "",
			argc > 1 ? argv[1] : "", argc > 1 ? "\"" : "");
	return refuse(options, "bad_request", err);
}

static int run(struct options *options, int argc, char **argv)
{
	_cleanup_json_ json_t *reply = NULL;
	const struct verb *verb;
	int used = 0;

	if (options->version) {
		reply = json_pack("{s:b, s:s}", "success", 1, "version",
			GATEHOUSE_VERSION);
		if (options->json)
			print_json(options, reply);
		else
			puts("gatehousectl " GATEHOUSE_VERSION);
		return 0;
	}
	verb = verb_lookup(argc, argv, &used);
	if (options->help && (verb || is_start(argc, argv))) {
		print_help(options, verb ? used : argc, argv);
		return 0;
	}
	if (!verb)
		return refuse_words(options, argc, argv);
	return call_verb(options, verb, argc - used, argv + used);
}

/*
 * Takes the options that are no verb's out of argv; they are welcome anywhere.
 * Returns how many words are left; a sentence in `err` when something is wrong.
 */
static int take_options(int argc, char **argv, struct options *options,
	char *err, size_t err_len)
{
	int i, kept = 0;

	for (i = 1; i < argc; i++) {
		const char *word = argv[i];

		if (!strcmp(word, "--json")) {
			options->json = true;
		} else if (!strcmp(word, "--help") || !strcmp(word, "-h")) {
			options->help = true;
		} else if (!strcmp(word, "--version")) {
			options->version = true;
		} else if (!strncmp(word, "--socket=", 9)) {
			options->socket = word + 9;
		} else if (!strcmp(word, "--socket")) {
			options->socket = i + 1 < argc ? argv[++i] : "";
		} else if (!kept && word[0] == '-') {
			snprintf(err, err_len,
				"There is no option \"%.60s\"; see "
				"`gatehousectl --help`.",
				word);
		} else if (!kept && !strcmp(word, "help")) {
			options->help = true;
		} else {
			argv[kept++] = argv[i];
		}
	}
	argv[kept] = NULL;
	if (!options->socket[0])
		snprintf(err, err_len, "--socket needs a path.");
	return kept;
}

int main(int argc, char **argv)
{
	struct options options = {.socket = CTL_SOCKET_DEFAULT};
	char err[160] = "";
	int left = take_options(argc, argv, &options, err, sizeof(err)), ret;

	ret = err[0] ? refuse(&options, "bad_request", err)
		     : run(&options, left, argv);
	/* A full disk or a closed pipe must not look like success. */
	if (fflush(stdout) || ferror(stdout)) {
		errno = errno ?: EIO;
		perror("gatehousectl: output");
		return ctl_code_lookup("internal")->exit;
	}
	return ret;
}
