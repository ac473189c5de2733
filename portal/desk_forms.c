/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The forms of the operators' pages: POST /dashboard/do/OPERATION. The table
 * says which fields become which arguments and where it goes on; whether it may
 * be done is the daemon's to say. What succeeded goes on with a GET, so that
 * loading a page anew does nothing twice, except where the answer has something
 * that must not be in an address, such as a code.
 */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "desk.h"
#include "response.h"

#define PREFIX	   "/dashboard/do/"
#define FIELDS_MAX 12

enum field_type {
	FIELD_TEXT, /* left out when empty */
	FIELD_NOTE, /* also when empty: that takes it away */
	FIELD_INT,
	FIELD_MONEY, /* "12.50" -> 1250 */
	FIELD_TIME,  /* of <input type="datetime-local">; also when empty */
	FIELD_YES,   /* "yes" or something else */
};

struct desk_form {
	const char *op;
	/* Shown again, with the sentence, after a refusal. */
	const struct desk_page *page;
	const char *done; /* after a success: key done_... */
	/* There: the page, with this field in its address. */
	const char *keep_as, *keep;
	/* Instead of all that. */
	operation_fn *show;
	struct {
		const char *field, *arg;
		enum field_type type;
	} fields[FIELDS_MAX];
};

/* clang-format off */
#define MEMBER \
	{{"id", "id", FIELD_INT}, {"identity", "identity", FIELD_TEXT}, \
	{"name", "name", FIELD_NOTE}, {"email", "email", FIELD_NOTE}, \
	{"account", "operator", FIELD_NOTE}, {"plan", "plan", FIELD_NOTE}, \
	{"devices", "devices", FIELD_INT}, {"from", "checkIn", FIELD_TIME}, \
	{"to", "checkOut", FIELD_TIME}, {"last_name", "proofName", FIELD_NOTE}, \
	{"room", "proofRoom", FIELD_NOTE}}
static const struct desk_form forms[] = {
	{"clients.allow", &desk_page_client, "time", "mac", "mac", NULL,
		{{"mac", "mac", FIELD_TEXT}, {"minutes", "minutes", FIELD_INT},
		{"plan", "plan", FIELD_TEXT}, {"paid", "paidMinor", FIELD_MONEY}}},
	{"clients.pause", &desk_page_client, "paused", "mac", "mac", NULL,
		{{"mac", "mac", FIELD_TEXT}}},
	{"clients.resume", &desk_page_client, "resumed", "mac", "mac", NULL,
		{{"mac", "mac", FIELD_TEXT}}},
	{"clients.hold", &desk_page_client, "held", "mac", "mac", NULL,
		{{"mac", "mac", FIELD_TEXT}}},
	{"clients.release", &desk_page_client, "released", "mac", "mac", NULL,
		{{"mac", "mac", FIELD_TEXT}}},
	{"clients.kick", &desk_page_client, "kicked", "mac", "mac", NULL,
		{{"mac", "mac", FIELD_TEXT}}},
	{"clients.block", &desk_page_client, "saved", "mac", "mac", NULL,
		{{"mac", "mac", FIELD_TEXT}, {"blocked", "blocked", FIELD_YES}}},
	{"clients.move", &desk_page_client, "moved", "mac", "to", NULL,
		{{"mac", "from", FIELD_TEXT}, {"to", "to", FIELD_TEXT}}},
	{"clients.describe", &desk_page_client, "saved", "mac", "mac", NULL,
		{{"mac", "mac", FIELD_TEXT}, {"name", "name", FIELD_NOTE},
		{"note", "note", FIELD_NOTE}}},

	{"vouchers.sell", &desk_page_vouchers, NULL, NULL, NULL, desk_show_sold,
		{{"plan", "plan", FIELD_TEXT}, {"code", "code", FIELD_TEXT},
		{"paid", "paidMinor", FIELD_MONEY}}},
	{"vouchers.get", &desk_page_vouchers, NULL, NULL, NULL, desk_show_voucher,
		{{"code", "code", FIELD_TEXT}}},
	{"vouchers.create", &desk_page_vouchers, "created", "name", "batch", NULL,
		{{"plan", "plan", FIELD_TEXT}, {"count", "count", FIELD_INT},
		{"batch", "batch", FIELD_TEXT},
		{"days", "expiresDays", FIELD_INT}}},
	{"vouchers.revoke", &desk_page_vouchers, "revoked", NULL, NULL, NULL,
		{{"code", "code", FIELD_TEXT}, {"batch", "batch", FIELD_TEXT}}},
	{"payments.refund", &desk_page_shift, "refunded", NULL, NULL, NULL,
		{{"id", "id", FIELD_INT}}},

	{"members.add", &desk_page_members, "saved", NULL, NULL, NULL, MEMBER},
	{"members.set", &desk_page_member, "saved", "id", "id", NULL, MEMBER},
	{"members.remove", &desk_page_members, "removed", NULL, NULL, NULL,
		{{"id", "id", FIELD_INT}}},
	{"qr.generate", &desk_page_qr, "qr_made", "id", "qrTokenId", NULL,
		{{"label", "label", FIELD_TEXT}}},
	{"qr.revoke", &desk_page_qr, "qr_revoked", NULL, NULL, NULL,
		{{"id", "id", FIELD_INT}}},
	{"qr.end", &desk_page_qr, "logged_out", NULL, NULL, NULL,
		{{"id", "id", FIELD_INT}}},

	{"operators.password", &desk_page_account, "password", NULL, NULL, NULL,
		{{"old", "oldPassword", FIELD_TEXT}, {"new", "password", FIELD_TEXT}}},
	{"operators.totp.begin", &desk_page_account, NULL, NULL, NULL, desk_show_secret, {{NULL}}},
	{"operators.totp.confirm", &desk_page_account, "totp_on", NULL, NULL, NULL,
		{{"code", "code", FIELD_TEXT}}},
	{"operators.totp.off", &desk_page_account, "totp_off", NULL, NULL, NULL,
		{{"code", "code", FIELD_TEXT}}},
};
/* clang-format on */

static const struct desk_form *form_of(const char *op)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(forms); i++)
		if (!strcmp(forms[i].op, op))
			return &forms[i];
	return NULL;
}

/* "12", "12.5", "12,50" -> 1200, 1250, 1250; something else stays text. */
static json_t *money(const char *text)
{
	size_t whole = strspn(text, "0123456789"), part = 0;
	long long minor = 0;
	size_t i;

	if (text[whole] == '.' || text[whole] == ',')
		part = strspn(text + whole + 1, "0123456789");
	if (!whole || whole > 12 || part > 2 ||
		text[whole + (part ? part + 1 : 0)])
		return json_string(text);
	for (i = 0; i < whole; i++)
		minor = minor * 10 + (text[i] - '0');
	for (i = 0; i < 2; i++)
		minor = minor * 10 + (i < part ? text[whole + 1 + i] - '0' : 0);
	return json_integer(minor);
}

/* "2026-11-21T14:00" -> "2026-11-21 14:00", as the daemon reads times. */
static json_t *moment(const char *text)
{
	char buf[32];
	char *between;

	snprintf(buf, sizeof(buf), "%s", text);
	between = strchr(buf, 'T');
	if (between)
		*between = ' ';
	return json_string(buf);
}

static json_t *arg_of(enum field_type type, const char *text)
{
	char *end;
	long long number;

	switch (type) {
	case FIELD_INT:
		number = strtoll(text, &end, 10);
		/* The daemon says what is wrong with what is no number. */
		return *end ? json_string(text) : json_integer(number);
	case FIELD_MONEY:
		return money(text);
	case FIELD_TIME:
		return moment(text);
	case FIELD_YES:
		return json_boolean(!strcmp(text, "yes"));
	case FIELD_TEXT:
	case FIELD_NOTE:
		break;
	}
	return json_string(text);
}

static json_t *args_of(struct request *req, const struct desk_form *form)
{
	json_t *args = json_object();
	size_t i;

	for (i = 0; i < FIELDS_MAX && form->fields[i].field; i++) {
		enum field_type type = form->fields[i].type;
		const char *text = form_get(&req->form, form->fields[i].field);

		if (!text || (!*text && type != FIELD_NOTE && type != FIELD_TIME))
			continue;
		json_object_set_new(
			args, form->fields[i].arg, arg_of(type, text));
	}
	return args;
}

static void on_done(struct request *req, const struct outcome *outcome)
{
	const struct desk_form *form = req->data;
	const char *keep;

	if (outcome->code) {
		desk_show_refused(req, form->page, outcome);
		return;
	}
	if (form->show) {
		form->show(req, outcome);
		return;
	}
	/* What it is called may be new, and then the reply says so. */
	keep = form->keep ? form_get(&req->form, form->keep) : NULL;
	if (form->keep && (!keep || !*keep))
		keep = json_string_value(
			json_object_get(outcome->reply, form->keep));
	response_redirect(req, 303,
		keep ? arena_printf(&req->arena, "%s?%s=%s&done=%s",
			       form->page->path, form->keep_as,
			       form_escape(&req->arena, keep), form->done)
		     : arena_printf(&req->arena, "%s?done=%s", form->page->path,
			       form->done));
}

void desk_do(struct request *req)
{
	const struct desk_form *form = form_of(req->path + strlen(PREFIX));

	if (!form) {
		page_error(req, 404, "not_found", "There is no such page here.");
		return;
	}
	if (!request_operator_token(req)) {
		page_log_in(req);
		return;
	}
	req->data = form;
	desk_ask(req, form->op, args_of(req, form), on_done);
}
