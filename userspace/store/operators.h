/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Operators: accounts, their sessions and API tokens, and from where they
 * logged in; and the log of who asked for what. As store.h: 0 or a negative
 * errno, and lists return how many rows there are.
 */
#ifndef STORE_OPERATORS_H
#define STORE_OPERATORS_H

#include "base/crypto.h"
#include "base/ip.h"
#include "store/store.h"

#define OPERATOR_NAME 31 /* with the final NUL */

struct operator {
	int64_t id;
	char name[OPERATOR_NAME];
	enum role role;
	char password[CRYPTO_PASSWORD];
	char pin[CRYPTO_PASSWORD]; /* for QR login; "": none */
	char created_by[40];
	int64_t created_at, last_login_at; /* seconds; 0: never */
	int64_t sessions, tokens; /* how many there are; of lists only */
};

/* -EEXIST: the name is taken, whatever its capitals. */
int store_operator_insert(struct store *store, struct operator *operator);
/* -ENOENT. */
int store_operator_by_name(
	struct store *store, const char *name, struct operator *ret_operator);
int store_operator_lookup(
	struct store *store, int64_t id, struct operator *ret_operator);
/* Role, password, PIN and last login. */
int store_operator_put(struct store *store, const struct operator *operator);
/* With sessions, tokens and addresses. */
int store_operator_remove(struct store *store, int64_t id);
/* By id, those above `after`. */
int store_operator_list(
	struct store *store, int64_t after, struct operator *rows, int max);

struct operator_session {
	int64_t id, operator_id;
	uint8_t hash[CRYPTO_HASH];
	char address[IP_TEXT];
	int64_t created_at, used_at, expires_at; /* seconds */
};
int store_operator_session_insert(
	struct store *store, const struct operator_session *session);
int store_operator_session_lookup(struct store *store,
	const uint8_t hash[static CRYPTO_HASH],
	struct operator_session *ret_session);
int store_operator_session_use(struct store *store, int64_t id, int64_t now_sec);
int store_operator_session_remove(struct store *store, int64_t id);
/* All of one operator's but the newest `keep`; *ret_count of them. */
int store_operator_sessions_remove(struct store *store, int64_t operator_id,
	int keep, int64_t *ret_count);
/* Those that ended by one of the two. */
int store_operator_sessions_clean(
	struct store *store, int64_t expired_at, int64_t used_before);

struct api_token {
	int64_t id, operator_id;
	char operator_name[OPERATOR_NAME]; /* read only */
	enum role role; /* the operator's; read only */
	uint8_t hash[CRYPTO_HASH];
	char label[STORE_NAME];
	char created_by[40];
	int64_t created_at, used_at; /* seconds; 0: never */
	int64_t expires_at; /* UNLIMITED: never */
};
int store_api_token_insert(struct store *store, struct api_token *token);
int store_api_token_by_hash(struct store *store,
	const uint8_t hash[static CRYPTO_HASH], struct api_token *ret_token);
int store_api_token_lookup(
	struct store *store, int64_t id, struct api_token *ret_token);
int store_api_token_use(struct store *store, int64_t id, int64_t now_sec);
int store_api_token_remove(struct store *store, int64_t id);
/* By id, those above `after`. */
int store_api_token_list(
	struct store *store, int64_t after, struct api_token *rows, int max);

/* `address` as ip_format() writes it. */
int store_operator_address_put(struct store *store, int64_t operator_id,
	const char *address, int64_t now_sec);
int store_operator_address_is_known(struct store *store, int64_t operator_id,
	const char *address, int64_t used_since, bool *ret_known);

#define OPERATOR_SEALED 64
/* The app that shows an operator's codes. */
struct operator_totp {
	int64_t operator_id;
	uint8_t sealed[OPERATOR_SEALED];
	size_t sealed_len;
	bool is_on; /* a code of it was shown */
	int64_t last_step; /* totp.h; 0: none was used */
};
/* -ENOENT. */
int store_totp_lookup(struct store *store, int64_t operator_id,
	struct operator_totp *ret_totp);
int store_totp_put(struct store *store, const struct operator_totp *totp);
/* Also when there is none. */
int store_totp_remove(struct store *store, int64_t operator_id);

struct access {
	int64_t id;
	int64_t at; /* seconds */
	char operation[32];
	char who[40];
	char result[32]; /* "ok", or a code */
	int64_t us; /* from the request to the answer */
};
int store_access_insert(struct store *store, const struct access *access);
struct access_filter {
	const char *who, *operation, *result; /* NULL: all */
};
/* The newest first, those below `before`. */
int store_access_list(struct store *store, const struct access_filter *filter,
	int64_t before, struct access *rows, int max);

#endif
