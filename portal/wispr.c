/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * WISPr 1.0 (Wi-Fi Alliance, 2003, annex D): XML in a comment of the pages,
 * for programs that log in without a person. The page that a captive client is
 * sent to says where (100), and the answer to the login whether (120).
 *
 * A voucher's code is the user name; a program that knows only passwords may
 * send it there. There is no logoff: time that was bought is not ended by a
 * GET that anything may repeat, and the reply names no LogoffURL, which the
 * standard leaves open. Nothing is decided here.
 */
#include "wispr.h"

#include "base/text.h"
#include "base/util.h"
#include "gatehouse/ctl.h"
#include "operation.h"
#include "pages.h"
#include "response.h"

enum message {
	MESSAGE_REDIRECT = 100,
	MESSAGE_LOGIN_REPLY = 120,
	MESSAGE_ABORT_REPLY = 150,
};

enum reply {
	REPLY_NONE = 0,
	REPLY_LOGGED_IN = 50,
	REPLY_REJECTED = 100,
	REPLY_ABORTED = 151,
	REPLY_GATEWAY_ERROR = 255,
};

/* Nothing of `text` can end the comment: there is no ">" in it. */
static void put(struct buf *body, const char *name, const char *text)
{
	buf_puts(body, "<");
	buf_puts(body, name);
	buf_puts(body, ">");
	buf_put_html(body, text, strlen(text));
	buf_puts(body, "</");
	buf_puts(body, name);
	buf_puts(body, ">\n");
}

static void put_code(struct buf *body, const char *name, int code)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", code);
	put(body, name, text);
}

static void begin(struct buf *body, const char *kind)
{
	buf_puts(body, "<!--\n<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		       "<WISPAccessGatewayParam>\n<");
	buf_puts(body, kind);
	buf_puts(body, ">\n");
}

static void end(
	struct buf *body, const char *kind, enum message message, enum reply reply)
{
	put_code(body, "MessageType", message);
	put_code(body, "ResponseCode", reply);
	buf_puts(body, "</");
	buf_puts(body, kind);
	buf_puts(body, ">\n</WISPAccessGatewayParam>\n-->\n");
}

/* Reads no comments, and its first page is to come in one round trip. */
static bool is_browser(const struct request *req)
{
	static const char mozilla[] = "Mozilla/5.0";
	const char *agent = request_header(req, "User-Agent");

	return agent && !strncmp(agent, mozilla, strlen(mozilla));
}

void wispr_put_redirect(struct request *req, struct buf *body)
{
	const struct config_network *network = request_network(req);
	const char *base = request_base_url(req);

	if (!req->portal->has_tls || is_browser(req))
		return;
	begin(body, "Redirect");
	put(body, "AccessProcedure", "1.0");
	put(body, "AccessLocation", network->name);
	put(body, "LocationName", network->venue_name);
	put(body, "LoginURL",
		arena_printf(&req->arena, "%s/wispr/login", base));
	put(body, "AbortLoginURL",
		arena_printf(&req->arena, "%s/wispr/abort", base));
	end(body, "Redirect", MESSAGE_REDIRECT, REPLY_NONE);
}

/* A program reads the comment; a person who came here sees the sentence. */
static void answer(struct request *req, const char *kind, enum message message,
	enum reply reply, const char *sentence)
{
	const char *venue = request_network(req)->venue_name;
	struct buf body = {0};

	buf_puts(&body, "<!DOCTYPE html><html><head><meta charset=\"utf-8\"><title>");
	buf_put_html(&body, venue, strlen(venue));
	buf_puts(&body, "</title></head><body><p>");
	buf_put_html(&body, sentence, strlen(sentence));
	buf_puts(&body, "</p>\n");
	begin(&body, kind);
	if (reply != REPLY_LOGGED_IN)
		put(&body, "ReplyMessage", sentence);
	end(&body, kind, message, reply);
	buf_puts(&body, "</body></html>\n");
	response_buf(req, 200, "text/html; charset=utf-8", &body);
}

static void on_activated(struct request *req, const struct outcome *outcome)
{
	const char *token =
		json_string_value(json_object_get(outcome->reply, "token"));
	enum reply reply = outcome->status >= 500 ? REPLY_GATEWAY_ERROR
						  : REPLY_REJECTED;

	if (!outcome->code ||
		json_is_true(json_object_get(outcome->reply, "yours"))) {
		if (token && text_is_hex(token, CTL_TOKEN_LEN))
			response_set_token(req, token);
		answer(req, "AuthenticationReply", MESSAGE_LOGIN_REPLY,
			REPLY_LOGGED_IN, lang_text(req->lang, "online"));
		return;
	}
	answer(req, "AuthenticationReply", MESSAGE_LOGIN_REPLY, reply,
		page_sentence(req, outcome->code, outcome->error));
}

void wispr_login(struct request *req)
{
	const char *name = form_get(&req->form, "UserName");
	const char *password = form_get(&req->form, "Password");
	const char *code = name && *name ? name : password ?: "";
	json_t *args;

	if (!*code || strlen(code) > CTL_CODE_MAX) {
		answer(req, "AuthenticationReply", MESSAGE_LOGIN_REPLY,
			REPLY_REJECTED,
			lang_text(req->lang,
				*code ? "error_voucher_unknown"
				      : "error_code_missing"));
		return;
	}
	args = json_object();
	json_object_set_new(args, "code", json_string(code));
	operation_start(req, "vouchers.activate", args, on_activated);
}

void wispr_abort(struct request *req)
{
	answer(req, "AbortLoginReply", MESSAGE_ABORT_REPLY, REPLY_ABORTED,
		lang_text(req->lang, "enter_code"));
}
