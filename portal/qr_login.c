/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The token of the poster, the arguments of a login, and the cookie that keeps
 * it. Whose login it is, and what it may do, is the daemon's to say.
 */
#include "qr_login.h"

#include <ctype.h>

#include "base/text.h"
#include "base/util.h"
#include "response.h"

#define COOKIE_AGE SEC_PER_DAY /* as long as the daemon keeps a login */

bool qr_cookie_read(struct request *req, struct qr_cookie *ret_cookie)
{
	const char *text = request_cookie(req, COOKIE_QR);
	struct qr_cookie cookie = {.session = ""};
	size_t len = text ? strcspn(text, ".") : 0;

	if (len != CTL_TOKEN_LEN)
		return false;
	memcpy(cookie.session, text, len);
	text += len + (text[len] == '.');
	if (*text && !text_is_hex(text, CTL_TOKEN_LEN))
		return false;
	snprintf(cookie.secret, sizeof(cookie.secret), "%s", text);
	if (!text_is_hex(cookie.session, CTL_TOKEN_LEN))
		return false;
	*ret_cookie = cookie;
	return true;
}

void qr_cookie_put(const struct qr_cookie *cookie, json_t *args)
{
	json_object_set_new(args, "sessionId", json_string(cookie->session));
	if (cookie->secret[0])
		json_object_set_new(args, "cookie", json_string(cookie->secret));
}

static void set_cookie(struct request *req, const char *value, long long age)
{
	response_header(req, "Set-Cookie",
		arena_printf(&req->arena,
			COOKIE_QR "=%s; Max-Age=%lld; Path=/; HttpOnly; "
				  "SameSite=Lax%s",
			value, age, req->endpoint->secure ? "; Secure" : ""));
}

static const char *hex_of(const json_t *reply, const char *name)
{
	const char *text = json_string_value(json_object_get(reply, name));

	return text && text_is_hex(text, CTL_TOKEN_LEN) ? text : NULL;
}

void qr_cookie_keep(struct request *req, const json_t *reply)
{
	const char *session = hex_of(reply, "sessionId");
	const char *secret = hex_of(reply, "cookie");
	const char *token = hex_of(reply, "token");

	if (token)
		response_set_token(req, token);
	if (session)
		set_cookie(req,
			secret ? arena_printf(&req->arena, "%s.%s", session, secret)
			       : session,
			COOKIE_AGE);
}

void qr_cookie_delete(struct request *req)
{
	set_cookie(req, "", 0);
}

const char *qr_token(struct request *req, const char *text)
{
	static const char field[] = "token=";
	const char *at = text ? strstr(text, field) : NULL;
	char *token, *c;

	if (!text)
		return NULL;
	at = at ? at + strlen(field) : text + strspn(text, " ");
	token = arena_printf(&req->arena, "%.*s", (int)strcspn(at, "&# "), at);
	for (c = token; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return text_is_hex(token, CTL_QR_LEN) ? token : NULL;
}

/* Longer ones are cut; one that is not clean text is not kept at all. */
static void add_agent(struct request *req, json_t *args)
{
	const char *agent = request_header(req, "User-Agent");
	size_t len = agent ? strlen(agent) : 0;

	if (len > CTL_AGENT_MAX)
		for (len = CTL_AGENT_MAX; len && (agent[len] & 0xc0) == 0x80;)
			len--;
	if (len)
		json_object_set_new(args, "userAgent", json_stringn(agent, len));
}

json_t *qr_login_args(struct request *req, const char *token, const char *id,
	const char *secret)
{
	json_t *args = json_pack("{s:s, s:s}", "token", token, "userId", id);

	if (secret && *secret)
		json_object_set_new(args, "secret", json_string(secret));
	add_agent(req, args);
	return args;
}
