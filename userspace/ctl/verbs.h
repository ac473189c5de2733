/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verbs of gatehousectl: which operation each one calls, what its words
 * and options mean, and how the reply is shown. One table serves parsing, the
 * help text and the test that every operation has a verb.
 */
#ifndef CTL_VERBS_H
#define CTL_VERBS_H

#include "base/json.h"

enum verb_arg_type {
	VERB_ARG_END = 0,
	VERB_ARG_TEXT,
	VERB_ARG_INT,
	VERB_ARG_TRUE,  /* an option without a value: its presence is true */
	VERB_ARG_FALSE, /* ... is false */
	VERB_ARG_PASSWORD, /* on no command line: it is asked for */
	VERB_ARG_OWN,   /* text for gatehousectl itself: it is not sent */
};

enum verb_need {
	VERB_OPTIONAL = 0,
	VERB_REQUIRED,
	VERB_ONE_OF, /* exactly one of the verb's rows that say so must be given */
	VERB_WITH,   /* may go with the VERB_ONE_OF row before it, no other */
};

#define VERB_ARGS_MAX 24

struct verb_arg {
	enum verb_arg_type type;
	const char *option; /* "--minutes"; NULL: by its place */
	const char *field;  /* name of the operation's argument */
	enum verb_need need;
	const char *hint;   /* "MAC", "N" */
	const char *help;   /* meaning and unit */
};

struct verb {
	const char *words; /* "plan add" */
	const char *op; /* NULL: gatehousectl does it alone (ctl/draw.h) */
	const struct verb_arg *args;
	const char *preset; /* field that is true unless an option says else */
	void (*print)(const json_t *reply); /* print_event: of each event */
	const char *help;
	const char *example; /* behind "gatehousectl " */
};

/* Ends with a row without words. */
extern const struct verb verbs[];

/* The verb that the first words name; *ret_used of them. NULL: none. */
const struct verb *verb_lookup(int argc, char **argv, int *ret_used);
/* Whether the verb's words begin with all of these. */
bool verb_begins(const struct verb *verb, int argc, char **argv);
/*
 * Arguments of the operation from the words behind the verb. -EINVAL with a
 * sentence in `err`.
 */
int verb_parse(const struct verb *verb, int argc, char **argv,
	json_t **ret_args, char *err, size_t err_len);
/* Takes what is not to be sent out of `args`; owned by the caller. */
json_t *verb_take_own(const struct verb *verb, json_t *args);
#define VERB_USAGE 640 /* the longest fits */
/* "allow MAC {--minutes N [--megabytes N] | --plan NAME}" */
void verb_usage(const struct verb *verb, char *buf, size_t len);
/* The argument that is to be asked for; NULL: none. */
const struct verb_arg *verb_password(const struct verb *verb);
/* What the command line calls the row: "--minutes", "MAC". */
const char *verb_arg_name(const struct verb_arg *arg);
/*
 * The daemon's sentences name an argument by its field, as the first word; for
 * who typed a command it is the option.
 */
void verb_sentence(
	const struct verb *verb, const char *sentence, char *buf, size_t len);

#endif
