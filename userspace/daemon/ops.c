/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of operations and the way from a frame to a handler: parse, find
 * the row, prove who asks, check role, arguments and rate, run in a savepoint.
 * Every rule about who may ask what is in the table or on this way; handlers
 * only refine (how many minutes staff may give).
 */
#include "daemon/ops.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/role.h"
#include "base/util.h"
#include "daemon/access.h"
#include "daemon/client_json.h"
#include "daemon/operators.h"
#include "daemon/ops_handlers.h"
#include "daemon/session_events.h"
#include "daemon/terms.h"

#define ARG(s, field) offsetof(struct s, field)
/* 0 would be none: such a struct begins with another field. */
#define SET(s, f) (ARG(s, f) * sizeof(char[ARG(s, f) ? 1 : -1]))
#define BYTES(s, field) ((int64_t)sizeof(((struct s *)0)->field) - 1)
#define MINUTES_MAX (10LL * 366 * 24 * 60)
#define MEGABYTES_MAX 100000000LL
#define MONEY_MAX 1000000000000LL /* minor units */

/* clang-format off */
#define ARG_MAC(s, f, name) {name, JSON_ARG_MAC, true, ARG(s, f), 0, 0, 0}
#define ARG_DEVICE(s, f, name) {name, JSON_ARG_DEVICE, true, ARG(s, f), 0, 0, 0}
#define OPT_MAC(s, f, name, set) {name, JSON_ARG_MAC, false, ARG(s, f), 0, 0, SET(s, set)}
#define ARG_TEXT(s, f, name) {name, JSON_ARG_TEXT, true, ARG(s, f), 1, BYTES(s, f), 0}
#define OPT_TEXT(s, f, name, set) {name, JSON_ARG_TEXT, false, ARG(s, f), 1, BYTES(s, f), SET(s, set)}
#define OPT_NOTE(s, f, name, set) {name, JSON_ARG_TEXT, false, ARG(s, f), 0, BYTES(s, f), SET(s, set)}
#define ARG_LINES(s, f, name) {name, JSON_ARG_LINES, true, ARG(s, f), 1, BYTES(s, f), 0}
#define ARG_INT(s, f, name, min, max) {name, JSON_ARG_INT, true, ARG(s, f), min, max, 0}
#define OPT_INT(s, f, name, min, max, set) {name, JSON_ARG_INT, false, ARG(s, f), min, max, SET(s, set)}
#define ARG_BOOL(s, f, name) {name, JSON_ARG_BOOL, true, ARG(s, f), 0, 0, 0}
#define OPT_RATE(s, f, name, min) OPT_INT(s, rates.f, name, min, DATAPATH_KBPS_MAX, rates.f##_set)
#define OPT_RATES(s) \
	OPT_RATE(s, up, "upKbps", 0), OPT_RATE(s, down, "downKbps", 0), \
	OPT_RATE(s, slow_up, "slowUpKbps", DATAPATH_KBPS_MIN), \
	OPT_RATE(s, slow_down, "slowDownKbps", DATAPATH_KBPS_MIN)
#define OPT_DAYS(s) \
	OPT_TEXT(s, days.from, "from", days.from_set), \
	OPT_TEXT(s, days.to, "to", days.to_set)
#define OPT_FLAG(s, f, name, set) {name, JSON_ARG_BOOL, false, ARG(s, f), 0, 0, ARG(s, set)}
/* It begins something: terms.h. */
#define OPT_TERMS(s) {"terms", JSON_ARG_TEXT, false, ARG(s, terms), 1, BYTES(s, terms), 0}
#define OPT_BOOL(s, f, name) {name, JSON_ARG_BOOL, false, ARG(s, f), 0, 0, 0}

static const struct json_arg none_args[] = {{}};
static const struct json_arg list_args[] = {
	OPT_INT(args_list, limit, "limit", 1, OPS_LIST_MAX, limit_set),
	OPT_INT(args_list, after, "after", 0, INT64_MAX, after_set),
	{},
};
static const struct json_arg clients_args[] = {
	OPT_INT(args_clients, limit, "limit", 1, OPS_LIST_MAX, limit_set),
	OPT_INT(args_clients, after, "after", 0, INT64_MAX, after_set),
	OPT_TEXT(args_clients, state, "state", state_set),
	OPT_TEXT(args_clients, search, "search", search_set),
	{},
};
static const struct json_arg sessions_args[] = {
	OPT_INT(args_list, limit, "limit", 1, OPS_LIST_MAX, limit_set),
	OPT_INT(args_list, after, "after", 0, INT64_MAX, after_set),
	OPT_TEXT(args_list, state, "state", state_set),
	{},
};
static const struct json_arg vouchers_args[] = {
	OPT_INT(args_list, limit, "limit", 1, OPS_LIST_MAX, limit_set),
	OPT_INT(args_list, after, "after", 0, INT64_MAX, after_set),
	OPT_TEXT(args_list, state, "state", state_set),
	OPT_TEXT(args_list, batch, "batch", batch_set),
	{},
};
static const struct json_arg events_args[] = {
	OPT_INT(args_events, limit, "limit", 1, OPS_LIST_MAX, limit_set),
	OPT_INT(args_events, after, "after", 0, INT64_MAX, after_set),
	OPT_MAC(args_events, mac, "mac", mac_set),
	OPT_TEXT(args_events, type, "type", type_set),
	OPT_TEXT(args_events, severity, "severity", severity_set),
	{},
};
static const struct json_arg garden_args[] = {
	OPT_INT(args_garden, limit, "limit", 1, OPS_LIST_MAX, limit_set),
	OPT_INT(args_garden, after, "after", 0, INT64_MAX, after_set),
	OPT_TEXT(args_garden, network, "network", network_set),
	{},
};
static const struct json_arg mac_args[] = {
	ARG_MAC(args_mac, mac, "mac"),
	{},
};
static const struct json_arg allow_args[] = {
	ARG_MAC(args_allow, mac, "mac"),
	OPT_INT(args_allow, minutes, "minutes", -MINUTES_MAX, MINUTES_MAX, minutes_set),
	OPT_INT(args_allow, megabytes, "megabytes", 1, MEGABYTES_MAX, megabytes_set),
	OPT_TEXT(args_allow, plan, "plan", plan_set),
	OPT_RATES(args_allow),
	OPT_INT(args_allow, paid_minor, "paidMinor", 0, MONEY_MAX, paid_set),
	{},
};
static const struct json_arg rate_args[] = {
	ARG_MAC(args_rate, mac, "mac"),
	OPT_RATES(args_rate),
	{},
};
static const struct json_arg block_args[] = {
	ARG_MAC(args_block, mac, "mac"),
	ARG_BOOL(args_block, blocked, "blocked"),
	{},
};
static const struct json_arg move_args[] = {
	ARG_MAC(args_move, from, "from"),
	ARG_MAC(args_move, to, "to"),
	{},
};
static const struct json_arg device_args[] = {
	ARG_DEVICE(args_device, device, "mac"),
	{},
};
static const struct json_arg set_args[] = {
	ARG_DEVICE(args_set, device, "mac"),
	OPT_NOTE(args_set, name, "name", name_set),
	OPT_NOTE(args_set, note, "note", note_set),
	OPT_INT(args_set, session_time, "sessionTime", -60 * MINUTES_MAX, 60 * MINUTES_MAX, session_time_set),
	OPT_RATE(args_set, up, "uploadKbps", 0),
	OPT_RATE(args_set, down, "downloadKbps", 0),
	OPT_FLAG(args_set, blocked, "blocked", blocked_set),
	OPT_FLAG(args_set, exempt, "exempt", exempt_set),
	OPT_TEXT(args_set, exempt_network, "exemptNetwork", exempt_network_set),
	OPT_TEXT(args_set, exempt_until, "exemptUntil", exempt_until_set),
	{},
};
/* Parts of the same, each with the role that it needs. */
static const struct json_arg describe_args[] = {
	ARG_DEVICE(args_set, device, "mac"),
	OPT_NOTE(args_set, name, "name", name_set),
	OPT_NOTE(args_set, note, "note", note_set),
	{},
};
static const struct json_arg limit_args[] = {
	ARG_DEVICE(args_set, device, "mac"),
	OPT_RATE(args_set, up, "uploadKbps", 0),
	OPT_RATE(args_set, down, "downloadKbps", 0),
	{},
};
static const struct json_arg exempt_args[] = {
	ARG_DEVICE(args_set, device, "mac"),
	OPT_FLAG(args_set, exempt, "exempt", exempt_set),
	OPT_TEXT(args_set, exempt_network, "exemptNetwork", exempt_network_set),
	OPT_TEXT(args_set, exempt_until, "exemptUntil", exempt_until_set),
	{},
};
/* Of a plan, but its name and minutes. 0 takes a limit away. */
#define PLAN_ARGS(slow_min) \
	OPT_INT(args_plan, megabytes, "megabytes", 0, MEGABYTES_MAX, megabytes_set), \
	OPT_TEXT(args_plan, counts, "counts", counts_set), \
	OPT_RATE(args_plan, up, "upKbps", 0), OPT_RATE(args_plan, down, "downKbps", 0), \
	OPT_RATE(args_plan, slow_up, "slowUpKbps", slow_min), \
	OPT_RATE(args_plan, slow_down, "slowDownKbps", slow_min), \
	OPT_INT(args_plan, price_minor, "priceMinor", 0, MONEY_MAX, price_set), \
	OPT_TEXT(args_plan, currency, "currency", currency_set), \
	OPT_INT(args_plan, moves, "moves", 0, 1000000, moves_set), \
	OPT_INT(args_plan, token_days, "tokenDays", 1, 3650, token_days_set), \
	OPT_INT(args_plan, devices, "devices", 1, GROUP_DEVICES_MAX, devices_set), \
	{"coin", JSON_ARG_BOOL, false, ARG(args_plan, coin), 0, 0, ARG(args_plan, coin_set)}, \
	OPT_TEXT(args_plan, networks, "networks", networks_set), \
	OPT_TEXT(args_plan, hours, "hours", hours_set), \
	OPT_INT(args_plan, idle_minutes, "idleMinutes", 0, 1440, idle_set), \
	OPT_INT(args_plan, valid_days, "validDays", 0, 3650, valid_set)
static const struct json_arg plan_args[] = {
	ARG_TEXT(args_plan, name, "name"),
	ARG_INT(args_plan, minutes, "minutes", 1, MINUTES_MAX),
	PLAN_ARGS(DATAPATH_KBPS_MIN),
	{},
};
static const struct json_arg plan_set_args[] = {
	ARG_TEXT(args_plan, name, "name"),
	OPT_INT(args_plan, minutes, "minutes", 1, MINUTES_MAX, minutes_set),
	PLAN_ARGS(0),
	{},
};
static const struct json_arg plans_args[] = {
	OPT_INT(args_list, limit, "limit", 1, OPS_LIST_MAX, limit_set),
	OPT_INT(args_list, after, "after", 0, INT64_MAX, after_set),
	OPT_BOOL(args_list, all, "all"),
	{},
};
static const struct json_arg name_args[] = {
	ARG_TEXT(args_name, name, "name"),
	{},
};
static const struct json_arg group_args[] = {
	ARG_TEXT(args_group, name, "name"),
	OPT_INT(args_group, megabytes, "megabytes", 0, MEGABYTES_MAX, megabytes_set),
	OPT_RATE(args_group, up, "upKbps", 0),
	OPT_RATE(args_group, down, "downKbps", 0),
	{},
};
static const struct json_arg join_args[] = {
	ARG_TEXT(args_join, name, "name"),
	ARG_MAC(args_join, mac, "mac"),
	{},
};
static const struct json_arg batch_args[] = {
	ARG_TEXT(args_batch, plan, "plan"),
	OPT_INT(args_batch, count, "count", 1, OPS_COUNT_MAX, count_set),
	OPT_INT(args_batch, expires_days, "expiresDays", 1, 3650, expires_set),
	OPT_TEXT(args_batch, prefix, "prefix", prefix_set),
	OPT_TEXT(args_batch, batch, "batch", batch_set),
	{},
};
static const struct json_arg sell_args[] = {
	OPT_TEXT(args_sell, plan, "plan", plan_set),
	OPT_TEXT(args_sell, code, "code", code_set),
	OPT_INT(args_sell, paid_minor, "paidMinor", 0, MONEY_MAX, paid_set),
	OPT_TEXT(args_sell, network, "network", network_set),
	{},
};
static const struct json_arg sheet_args[] = {
	OPT_INT(args_sheet, limit, "limit", 1, OPS_LIST_MAX, limit_set),
	OPT_INT(args_sheet, after, "after", 0, INT64_MAX, after_set),
	ARG_TEXT(args_sheet, batch, "batch"),
	OPT_TEXT(args_sheet, network, "network", network_set),
	{},
};
static const struct json_arg revoke_args[] = {
	OPT_TEXT(args_revoke, code, "code", code_set),
	OPT_TEXT(args_revoke, batch, "batch", batch_set),
	{},
};
static const struct json_arg import_args[] = {
	ARG_TEXT(args_import, plan, "plan"),
	ARG_TEXT(args_import, batch, "batch"),
	ARG_TEXT(args_import, codes, "codes"),
	OPT_INT(args_import, expires_days, "expiresDays", 1, 3650, expires_set),
	{},
};
static const struct json_arg id_args[] = {
	ARG_INT(args_id, id, "id", 1, INT64_MAX),
	{},
};
static const struct json_arg code_args[] = {
	ARG_TEXT(args_code, code, "code"),
	{},
};
static const struct json_arg activate_args[] = {
	ARG_TEXT(args_code, code, "code"),
	OPT_TERMS(args_code),
	{},
};
static const struct json_arg share_args[] = {
	ARG_MAC(args_share, mac, "mac"),
	ARG_MAC(args_share, with, "with"),
	{},
};
static const struct json_arg guest_add_args[] = {
	OPT_MAC(args_guest_add, mac, "mac", mac_set),
	OPT_TEXT(args_guest_add, pick, "pick", pick_set),
	{},
};
static const struct json_arg token_args[] = {
	ARG_TEXT(args_token, token, "token"),
	{},
};
static const struct json_arg payments_args[] = {
	OPT_INT(args_payments, limit, "limit", 1, OPS_LIST_MAX, limit_set),
	OPT_INT(args_payments, after, "after", 0, INT64_MAX, after_set),
	OPT_TEXT(args_payments, who, "who", who_set),
	OPT_DAYS(args_payments),
	{},
};
static const struct json_arg addresses_args[] = {
	OPT_INT(args_addresses, limit, "limit", 1, OPS_LIST_MAX, limit_set),
	OPT_INT(args_addresses, after, "after", 0, INT64_MAX, after_set),
	OPT_TEXT(args_addresses, of, "of", of_set),
	OPT_TEXT(args_addresses, at, "at", at_set),
	{},
};
static const struct json_arg statistics_args[] = {
	OPT_INT(args_statistics, limit, "limit", 1, OPS_LIST_MAX, limit_set),
	OPT_INT(args_statistics, after, "after", 0, INT64_MAX, after_set),
	OPT_TEXT(args_statistics, by, "by", by_set),
	OPT_DAYS(args_statistics),
	{},
};
static const struct json_arg forget_args[] = {
	ARG_TEXT(args_forget, who, "who"),
	{},
};
static const struct json_arg export_args[] = {
	OPT_TEXT(args_export, what, "what", what_set),
	OPT_TEXT(args_export, schema, "schema", schema_set),
	OPT_TEXT(args_export, format, "format", format_set),
	OPT_DAYS(args_export),
	OPT_TEXT(args_export, subject, "subject", subject_set),
	OPT_INT(args_export, after, "after", 0, INT64_MAX, after_set),
	{},
};
static const struct json_arg verify_args[] = {
	OPT_BOOL(args_verify, repair, "repair"),
	{},
};
static const struct json_arg explain_args[] = {
	ARG_MAC(args_explain, mac, "mac"),
	OPT_TEXT(args_explain, to, "to", to_set),
	OPT_TEXT(args_explain, from, "from", from_set),
	OPT_INT(args_explain, port, "port", 1, 65535, port_set),
	OPT_TEXT(args_explain, proto, "proto", proto_set),
	OPT_TEXT(args_explain, network, "network", network_set),
	OPT_BOOL(args_explain, down, "down"),
	{},
};
static const struct json_arg unload_args[] = {
	ARG_BOOL(args_unload, open, "open"),
	{},
};
static const struct json_arg operator_add_args[] = {
	ARG_TEXT(args_operator, name, "name"),
	ARG_TEXT(args_operator, role, "role"),
	ARG_TEXT(args_operator, password, "password"),
	{},
};
static const struct json_arg operator_role_args[] = {
	ARG_TEXT(args_operator, name, "name"),
	ARG_TEXT(args_operator, role, "role"),
	{},
};
static const struct json_arg operator_passwd_args[] = {
	ARG_TEXT(args_operator, name, "name"),
	ARG_TEXT(args_operator, password, "password"),
	{},
};
static const struct json_arg password_args[] = {
	ARG_TEXT(args_password, old_password, "oldPassword"),
	ARG_TEXT(args_password, password, "password"),
	{},
};
static const struct json_arg token_add_args[] = {
	ARG_TEXT(args_token_add, name, "name"),
	OPT_NOTE(args_token_add, label, "label", label_set),
	OPT_INT(args_token_add, expires_days, "expiresDays", 1, 3650, expires_set),
	{},
};
static const struct json_arg login_args[] = {
	ARG_TEXT(args_login, name, "name"),
	ARG_TEXT(args_login, password, "password"),
	ARG_TEXT(args_login, address, "address"),
	{},
};
static const struct json_arg second_args[] = {
	ARG_TEXT(args_second, ticket, "ticket"),
	ARG_TEXT(args_second, code, "code"),
	{},
};
static const struct json_arg totp_set_args[] = {
	ARG_TEXT(args_totp_set, name, "name"),
	ARG_TEXT(args_totp_set, state, "state"),
	{},
};
static const struct json_arg totp_code_args[] = {
	ARG_TEXT(args_totp_code, code, "code"),
	{},
};
static const struct json_arg access_args[] = {
	OPT_INT(args_access, limit, "limit", 1, OPS_LIST_MAX, limit_set),
	OPT_INT(args_access, after, "after", 0, INT64_MAX, after_set),
	OPT_TEXT(args_access, who, "who", who_set),
	OPT_TEXT(args_access, operation, "operation", operation_set),
	OPT_TEXT(args_access, result, "result", result_set),
	{},
};
static const struct json_arg guest_args[] = {
	OPT_BOOL(args_guest, claim, "claim"),
	OPT_TEXT(args_guest, token, "token", token_set),
	{},
};
static const struct json_arg home_args[] = {
	OPT_BOOL(args_home, guest.claim, "claim"),
	OPT_TEXT(args_home, guest.token, "token", guest.token_set),
	OPT_TEXT(args_home, session, "sessionId", session_set),
	OPT_TEXT(args_home, cookie, "cookie", cookie_set),
	{},
};

static const struct json_arg coin_args[] = {
	OPT_TEXT(args_coin, slot, "slot", slot_set),
	OPT_TEXT(args_coin, lock, "lockId", lock_set),
	{},
};
static const struct json_arg lock_args[] = {
	OPT_TEXT(args_coin, slot, "slot", slot_set),
	OPT_TEXT(args_coin, lock, "lockId", lock_set),
	OPT_TERMS(args_coin),
	{},
};
static const struct json_arg free_args[] = {
	OPT_TERMS(args_free),
	{},
};
static const struct json_arg terms_args[] = {
	OPT_MAC(args_terms, mac, "mac", mac_set),
	OPT_INT(args_terms, limit, "limit", 1, OPS_LIST_MAX, limit_set),
	OPT_INT(args_terms, after, "after", 0, INT64_MAX, after_set),
	{},
};
static const struct json_arg start_args[] = {
	OPT_INT(args_start, minutes, "minutes", 0, MINUTES_MAX, minutes_set),
	OPT_INT(args_start, pesos, "pesos", 0, 1000000000, pesos_set),
	OPT_TEXT(args_start, slot, "slot", slot_set),
	ARG_TEXT(args_start, lock, "lockId"),
	OPT_TERMS(args_start),
	{},
};
static const struct json_arg claim_args[] = {
	ARG_INT(args_claim, id, "id", 1, INT64_MAX),
	ARG_MAC(args_claim, mac, "mac"),
	{},
};

/* Of a member, but which one; "" takes away. */
#define MEMBER_ARGS \
	OPT_NOTE(args_member, name, "name", name_set), \
	OPT_NOTE(args_member, email, "email", email_set), \
	OPT_TEXT(args_member, role, "role", role_set), \
	OPT_NOTE(args_member, operator_name, "operator", operator_set), \
	OPT_NOTE(args_member, plan, "plan", plan_set), \
	OPT_INT(args_member, devices, "devices", 1, MEMBER_DEVICES_MAX, devices_set), \
	OPT_NOTE(args_member, in, "checkIn", in_set), \
	OPT_NOTE(args_member, out, "checkOut", out_set), \
	OPT_NOTE(args_member, proof_name, "proofName", proof_name_set), \
	OPT_NOTE(args_member, proof_room, "proofRoom", proof_room_set)
static const struct json_arg member_args[] = {
	ARG_TEXT(args_member, identity, "identity"),
	MEMBER_ARGS,
	{},
};
static const struct json_arg member_set_args[] = {
	OPT_INT(args_member, id, "id", 1, INT64_MAX, id_set),
	OPT_TEXT(args_member, identity, "identity", identity_set),
	MEMBER_ARGS,
	{},
};
static const struct json_arg member_which_args[] = {
	OPT_INT(args_member, id, "id", 1, INT64_MAX, id_set),
	OPT_TEXT(args_member, identity, "identity", identity_set),
	{},
};
static const struct json_arg members_args[] = {
	OPT_INT(args_members, limit, "limit", 1, OPS_LIST_MAX, limit_set),
	OPT_INT(args_members, after, "after", 0, INT64_MAX, after_set),
	OPT_TEXT(args_members, text, "text", text_set),
	{},
};
static const struct json_arg member_import_args[] = {
	ARG_TEXT(args_member_import, header, "header"),
	ARG_LINES(args_member_import, rows, "rows"),
	{},
};
static const struct json_arg pin_args[] = {
	ARG_TEXT(args_pin, name, "name"),
	ARG_TEXT(args_pin, pin, "pin"),
	{},
};
static const struct json_arg label_args[] = {
	OPT_NOTE(args_label, label, "label", label_set),
	{},
};
static const struct json_arg qr_login_args[] = {
	ARG_TEXT(args_qr_login, token, "token"),
	ARG_TEXT(args_qr_login, user_id, "userId"),
	OPT_NOTE(args_qr_login, secret, "secret", secret_set),
	OPT_NOTE(args_qr_login, agent, "userAgent", agent_set),
	OPT_TERMS(args_qr_login),
	{},
};
static const struct json_arg qr_session_args[] = {
	ARG_TEXT(args_qr_session, session, "sessionId"),
	OPT_NOTE(args_qr_session, cookie, "cookie", cookie_set),
	{},
};

/* name, accepted proofs, least role of an operator, rate of a guest,
 * arguments, handler */
const struct op ops[] = {
	{"status", PROOF_DESK, ROLE_STAFF, RATE_FREE, none_args, op_status},
	{"verify", PROOF_DESK, ROLE_STAFF, RATE_FREE, verify_args, op_verify},
	{"reasons", PROOF_DESK, ROLE_STAFF, RATE_FREE, none_args, op_reasons},
	{"explain", PROOF_DESK, ROLE_STAFF, RATE_FREE, explain_args, op_explain},
	{"watch", PROOF_LOCAL, ROLE_STAFF, RATE_FREE, none_args, op_watch},
	{"events.list", PROOF_DESK, ROLE_SUPERVISOR, RATE_FREE, events_args, op_events_list},
	{"garden.list", PROOF_DESK, ROLE_STAFF, RATE_FREE, garden_args, op_garden_list},
	{"backup", PROOF_LOCAL, ROLE_ADMIN, RATE_FREE, none_args, op_backup},
	{"key.show", PROOF_LOCAL, ROLE_ADMIN, RATE_FREE, none_args, op_key_show},
	{"unload", PROOF_LOCAL, ROLE_ADMIN, RATE_FREE, unload_args, op_unload},

	{"clients.list", PROOF_DESK | PROOF_STAFF, ROLE_STAFF, RATE_FREE, clients_args, op_clients_list},
	{"clients.get", PROOF_DESK | PROOF_STAFF, ROLE_STAFF, RATE_FREE, device_args, op_clients_get},
	{"clients.allow", PROOF_DESK | PROOF_STAFF, ROLE_STAFF, RATE_FREE, allow_args, op_clients_allow},
	{"clients.block", PROOF_DESK, ROLE_SUPERVISOR, RATE_FREE, block_args, op_clients_block},
	{"clients.kick", PROOF_DESK, ROLE_SUPERVISOR, RATE_FREE, mac_args, op_clients_kick},
	{"clients.hold", PROOF_DESK, ROLE_SUPERVISOR, RATE_FREE, mac_args, op_clients_hold},
	{"clients.release", PROOF_DESK, ROLE_SUPERVISOR, RATE_FREE, mac_args, op_clients_release},
	{"clients.pause", PROOF_DESK | PROOF_STAFF, ROLE_STAFF, RATE_FREE, mac_args, op_clients_pause},
	{"clients.resume", PROOF_DESK | PROOF_STAFF, ROLE_STAFF, RATE_FREE, mac_args, op_clients_resume},
	{"clients.move", PROOF_DESK | PROOF_STAFF, ROLE_STAFF, RATE_FREE, move_args, op_clients_move},
	{"clients.rate", PROOF_DESK, ROLE_SUPERVISOR, RATE_FREE, rate_args, op_clients_rate},
	{"clients.set", PROOF_DESK, ROLE_STAFF, RATE_FREE, set_args, op_clients_set},
	{"clients.describe", PROOF_DESK, ROLE_STAFF, RATE_FREE, describe_args, op_clients_set},
	{"clients.limit", PROOF_DESK, ROLE_SUPERVISOR, RATE_FREE, limit_args, op_clients_set},
	{"clients.exempt", PROOF_DESK, ROLE_MANAGER, RATE_FREE, exempt_args, op_clients_set},

	{"devices.list", PROOF_DESK, ROLE_STAFF, RATE_FREE, mac_args, op_devices_list},
	{"devices.add", PROOF_DESK, ROLE_STAFF, RATE_FREE, share_args, op_devices_add},
	{"devices.remove", PROOF_DESK, ROLE_STAFF, RATE_FREE, mac_args, op_devices_remove},

	{"sessions.list", PROOF_DESK, ROLE_STAFF, RATE_FREE, sessions_args, op_sessions_list},
	{"sessions.restore", PROOF_GUEST, ROLE_NONE, RATE_GUESS, token_args, op_sessions_restore},

	{"plans.list", PROOF_DESK | PROOF_STAFF, ROLE_STAFF, RATE_FREE, plans_args, op_plans_list},
	{"plans.add", PROOF_DESK, ROLE_MANAGER, RATE_FREE, plan_args, op_plans_add},
	{"plans.set", PROOF_DESK, ROLE_MANAGER, RATE_FREE, plan_set_args, op_plans_set},
	{"plans.apply", PROOF_DESK, ROLE_MANAGER, RATE_FREE, name_args, op_plans_apply},
	{"plans.remove", PROOF_DESK, ROLE_MANAGER, RATE_FREE, name_args, op_plans_remove},

	{"groups.list", PROOF_DESK, ROLE_STAFF, RATE_FREE, list_args, op_groups_list},
	{"groups.get", PROOF_DESK, ROLE_STAFF, RATE_FREE, name_args, op_groups_get},
	{"groups.add", PROOF_DESK, ROLE_SUPERVISOR, RATE_FREE, group_args, op_groups_add},
	{"groups.set", PROOF_DESK, ROLE_SUPERVISOR, RATE_FREE, group_args, op_groups_set},
	{"groups.join", PROOF_DESK, ROLE_SUPERVISOR, RATE_FREE, join_args, op_groups_join},
	{"groups.leave", PROOF_DESK, ROLE_SUPERVISOR, RATE_FREE, mac_args, op_groups_leave},
	{"groups.remove", PROOF_DESK, ROLE_SUPERVISOR, RATE_FREE, name_args, op_groups_remove},

	{"vouchers.create", PROOF_DESK, ROLE_MANAGER, RATE_FREE, batch_args, op_vouchers_create},
	{"vouchers.list", PROOF_DESK, ROLE_MANAGER, RATE_FREE, vouchers_args, op_vouchers_list},
	{"vouchers.get", PROOF_DESK, ROLE_STAFF, RATE_FREE, code_args, op_vouchers_get},
	{"vouchers.sell", PROOF_DESK | PROOF_STAFF, ROLE_STAFF, RATE_FREE, sell_args, op_vouchers_sell},
	{"vouchers.sheet", PROOF_DESK, ROLE_MANAGER, RATE_FREE, sheet_args, op_vouchers_sheet},
	{"vouchers.import", PROOF_DESK, ROLE_MANAGER, RATE_FREE, import_args, op_vouchers_import},
	{"vouchers.revoke", PROOF_DESK, ROLE_MANAGER, RATE_FREE, revoke_args, op_vouchers_revoke},
	{"batches.list", PROOF_DESK, ROLE_MANAGER, RATE_FREE, list_args, op_batches_list},
	{"vouchers.activate", PROOF_GUEST, ROLE_NONE, RATE_GUESS, activate_args, op_vouchers_activate},

	{"payments.list", PROOF_DESK, ROLE_STAFF, RATE_FREE, payments_args, op_payments_list},
	{"payments.sums", PROOF_DESK, ROLE_STAFF, RATE_FREE, payments_args, op_payments_sums},
	{"payments.refund", PROOF_DESK, ROLE_SUPERVISOR, RATE_FREE, id_args, op_payments_refund},

	{"jobs.list", PROOF_DESK, ROLE_STAFF, RATE_FREE, none_args, op_jobs_list},
	{"jobs.run", PROOF_DESK, ROLE_ADMIN, RATE_FREE, name_args, op_jobs_run},
	{"terms.list", PROOF_DESK, ROLE_SUPERVISOR, RATE_FREE, terms_args, op_terms_list},
	{"addresses.list", PROOF_DESK, ROLE_SUPERVISOR, RATE_FREE, addresses_args, op_addresses_list},
	{"statistics.list", PROOF_DESK, ROLE_MANAGER, RATE_FREE, statistics_args, op_statistics_list},
	{"export", PROOF_DESK, ROLE_ADMIN, RATE_FREE, export_args, op_export},
	{"forget", PROOF_DESK, ROLE_ADMIN, RATE_FREE, forget_args, op_forget},
	{"operators.list", PROOF_DESK, ROLE_MANAGER, RATE_FREE, list_args, op_operators_list},
	{"operators.add", PROOF_DESK, ROLE_MANAGER, RATE_FREE, operator_add_args, op_operators_add},
	{"operators.remove", PROOF_DESK, ROLE_MANAGER, RATE_FREE, name_args, op_operators_remove},
	{"operators.role", PROOF_DESK, ROLE_MANAGER, RATE_FREE, operator_role_args, op_operators_role},
	{"operators.passwd", PROOF_DESK, ROLE_MANAGER, RATE_FREE, operator_passwd_args, op_operators_passwd},
	{"operators.logout", PROOF_DESK, ROLE_MANAGER, RATE_FREE, name_args, op_operators_logout},
	{"operators.login", PROOF_DOOR, ROLE_NONE, RATE_FREE, login_args, op_operators_login},
	{"operators.second", PROOF_DOOR, ROLE_NONE, RATE_FREE, second_args, op_operators_second},
	{"operators.totp", PROOF_DESK, ROLE_MANAGER, RATE_FREE, totp_set_args, op_operators_totp},
	{"operators.totp.begin", PROOF_OPERATOR, ROLE_STAFF, RATE_FREE, none_args, op_totp_begin},
	{"operators.totp.confirm", PROOF_OPERATOR, ROLE_STAFF, RATE_FREE, totp_code_args, op_totp_confirm},
	{"operators.totp.off", PROOF_OPERATOR, ROLE_STAFF, RATE_FREE, totp_code_args, op_totp_off},
	{"operators.password", PROOF_OPERATOR, ROLE_STAFF, RATE_FREE, password_args, op_operators_password},
	{"operators.me", PROOF_OPERATOR, ROLE_STAFF, RATE_FREE, none_args, op_operators_me},
	{"operators.leave", PROOF_OPERATOR, ROLE_STAFF, RATE_FREE, none_args, op_operators_leave},
	{"operators.pin", PROOF_DESK, ROLE_MANAGER, RATE_FREE, pin_args, op_operators_pin},
	{"members.list", PROOF_DESK, ROLE_MANAGER, RATE_FREE, members_args, op_members_list},
	{"members.get", PROOF_DESK, ROLE_MANAGER, RATE_FREE, member_which_args, op_members_get},
	{"members.add", PROOF_DESK, ROLE_MANAGER, RATE_FREE, member_args, op_members_add},
	{"members.set", PROOF_DESK, ROLE_MANAGER, RATE_FREE, member_set_args, op_members_set},
	{"members.remove", PROOF_DESK, ROLE_MANAGER, RATE_FREE, member_which_args, op_members_remove},
	{"members.import", PROOF_DESK, ROLE_MANAGER, RATE_FREE, member_import_args, op_members_import},
	{"qr.generate", PROOF_DESK, ROLE_ADMIN, RATE_FREE, label_args, op_qr_generate},
	{"qr.show", PROOF_DESK, ROLE_ADMIN, RATE_FREE, id_args, op_qr_show},
	{"qr.list", PROOF_DESK, ROLE_ADMIN, RATE_FREE, list_args, op_qr_list},
	{"qr.revoke", PROOF_DESK, ROLE_ADMIN, RATE_FREE, id_args, op_qr_revoke},
	{"qr.sessions", PROOF_DESK, ROLE_ADMIN, RATE_FREE, list_args, op_qr_sessions},
	{"qr.end", PROOF_DESK, ROLE_ADMIN, RATE_FREE, id_args, op_qr_end},
	{"qr.login", PROOF_GUEST, ROLE_NONE, RATE_GUESS, qr_login_args, op_qr_login},
	{"qr.session", PROOF_GUEST, ROLE_NONE, RATE_GUEST, qr_session_args, op_qr_session},
	{"qr.logout", PROOF_GUEST, ROLE_NONE, RATE_GUEST, qr_session_args, op_qr_logout},
	{"tokens.list", PROOF_DESK, ROLE_MANAGER, RATE_FREE, list_args, op_tokens_list},
	{"tokens.add", PROOF_DESK, ROLE_MANAGER, RATE_FREE, token_add_args, op_tokens_add},
	{"tokens.remove", PROOF_DESK, ROLE_MANAGER, RATE_FREE, id_args, op_tokens_remove},
	{"access.list", PROOF_DESK, ROLE_ADMIN, RATE_FREE, access_args, op_access_list},
	{"coins.list", PROOF_DESK, ROLE_STAFF, RATE_FREE, list_args, op_coins_list},
	{"coins.claim", PROOF_DESK, ROLE_SUPERVISOR, RATE_FREE, claim_args, op_coins_claim},
	{"coins.lock", PROOF_GUEST, ROLE_NONE, RATE_CHANGE, lock_args, op_coins_lock},
	{"coins.status", PROOF_GUEST, ROLE_NONE, RATE_GUEST, coin_args, op_coins_status},
	{"coins.done", PROOF_GUEST, ROLE_NONE, RATE_CHANGE, coin_args, op_coins_done},
	{"sessions.start", PROOF_GUEST, ROLE_NONE, RATE_CHANGE, start_args, op_sessions_start},

	{"guest.devices", PROOF_GUEST, ROLE_NONE, RATE_GUEST, none_args, op_guest_devices},
	{"guest.add", PROOF_GUEST, ROLE_NONE, RATE_GUESS, guest_add_args, op_guest_add},
	{"guest.remove", PROOF_GUEST, ROLE_NONE, RATE_CHANGE, mac_args, op_guest_remove},
	{"guest.free", PROOF_GUEST, ROLE_NONE, RATE_CHANGE, free_args, op_guest_free},
	{"guest.session", PROOF_GUEST, ROLE_NONE, RATE_GUEST, guest_args, op_guest_session},
	{"qr.home", PROOF_GUEST, ROLE_NONE, RATE_GUEST, home_args, op_qr_home},
	{"guest.plans", PROOF_GUEST, ROLE_NONE, RATE_GUEST, none_args, op_guest_plans},
	{"guest.pause", PROOF_GUEST, ROLE_NONE, RATE_CHANGE, none_args, op_guest_pause},
	{"guest.resume", PROOF_GUEST, ROLE_NONE, RATE_CHANGE, none_args, op_guest_resume},
	{},
};
/* clang-format on */

#define FITS(s) _Static_assert(sizeof(struct s) <= OP_ARGS_MAX, #s)
FITS(args_list);
FITS(args_clients);
FITS(args_events);
FITS(args_garden);
FITS(args_allow);
FITS(args_rate);
FITS(args_set);
FITS(args_explain);
FITS(args_plan);
FITS(args_group);
FITS(args_batch);
FITS(args_token);
FITS(args_coin);
FITS(args_start);
FITS(args_payments);
FITS(args_addresses);
FITS(args_terms);
FITS(args_statistics);
FITS(args_export);
FITS(args_operator);
FITS(args_password);
FITS(args_token_add);
FITS(args_login);
FITS(args_access);
FITS(args_sell);
FITS(args_sheet);
FITS(args_import);
FITS(args_guest);
FITS(args_home);
FITS(args_member);
FITS(args_members);
FITS(args_member_import);
FITS(args_qr_login);
FITS(args_qr_session);

const struct op *op_lookup(const char *name)
{
	const struct op *op;

	for (op = ops; op->name; op++)
		if (!strcmp(op->name, name))
			return op;
	return NULL;
}

/* The envelope: "op" and, if there are any, "args" and "token", and nothing
 * else. */
static enum ctl_code parse_envelope(const json_t *frame, const char **ret_name,
	const json_t **ret_args, struct op_request *ret, char *err, size_t err_len)
{
	const json_t *name = json_object_get(frame, "op");
	const json_t *args = json_object_get(frame, "args");
	const json_t *token = json_object_get(frame, "token");

	if (!json_is_string(name) || (args && !json_is_object(args)) ||
		(token && !json_is_string(token)) ||
		json_object_size(frame) !=
			1U + (args != NULL) + (token != NULL)) {
		snprintf(err, err_len,
			"A request is {\"op\":\"name\",\"args\":{...}}.");
		return CTL_bad_request;
	}
	/* What is cut is too long all the same, and nobody's. */
	if (token)
		snprintf(ret->token, sizeof(ret->token), "%s",
			json_string_length(token) ? json_string_value(token)
						  : "-");
	*ret_name = json_string_value(name);
	*ret_args = args;
	return CTL_OK;
}

enum ctl_code ops_parse(const char *text, size_t len, struct op_request *ret,
	char *err, size_t err_len)
{
	_cleanup_json_ json_t *frame = NULL, *empty = json_object();
	const json_t *given = NULL;
	const char *name = NULL;
	enum ctl_code code;

	if (json_parse_object(text, len, &frame)) {
		snprintf(err, err_len,
			"The request is not a JSON object, or is nested too deeply.");
		return CTL_bad_request;
	}
	code = parse_envelope(frame, &name, &given, ret, err, err_len);
	if (code)
		return code;
	ret->op = op_lookup(name);
	if (!ret->op) {
		snprintf(err, err_len, "There is no such operation.");
		return CTL_unknown_operation;
	}
	if (json_args(given ? given : empty, ret->op->args, ret->args, err,
		    err_len))
		return CTL_bad_request;
	return CTL_OK;
}

static json_t *prove_guest(struct gatehoused *g, const struct op *op,
	const struct ctl_frame *frame, struct caller *ret_caller)
{
	const char *why = NULL;
	enum ctl_code code;

	/* Before the saved SYN is read: it can be read only once. */
	if (!(op->proofs & PROOF_GUEST))
		return reply_refuse(CTL_not_allowed,
			"Guests cannot do this; ask at the desk.");
	code = proof_guest(&g->proof_box, frame->fd, ret_caller, &why);
	return code ? reply_refuse(code, "%s", why) : NULL;
}

static json_t *refuse_role(const struct op *op, const struct caller *caller)
{
	if (caller->role >= op->least)
		return NULL;
	return reply_refuse(CTL_not_allowed, "This needs the role %s; yours is %s.",
		role_name(op->least), role_name(caller->role));
}

static json_t *prove_operator(struct gatehoused *g, const struct op *op,
	const char *token, struct caller *ret_caller)
{
	enum ctl_code code = operators_prove(g, token, ret_caller);

	if (code == CTL_not_logged_in)
		return reply_refuse(code,
			"Please log in. A login ends after 7 days, after 12 "
			"hours without use, and when password or role change.");
	if (code)
		return reply_refuse(code, "Please try again.");
	if (!(op->proofs & PROOF_OPERATOR))
		return reply_refuse(CTL_not_allowed,
			"This can be done on the gateway itself only, with "
			"gatehousectl.");
	return refuse_role(op, ret_caller);
}

/* A guest's connection that is staff's as well. Who is not told so stays the
 * guest. */
static json_t *prove_staff(struct gatehoused *g,
	const struct op_request *request, const struct ctl_frame *frame,
	struct caller *ret_caller)
{
	const char *why = NULL;
	enum ctl_code code;
	int64_t wait;

	if (!(request->op->proofs & PROOF_STAFF))
		return reply_refuse(CTL_not_allowed,
			"This can be done at the operators' portal only.");
	code = proof_guest(&g->proof_box, frame->fd, ret_caller, &why);
	if (code)
		return reply_refuse(code, "%s", why);
	wait = throttle_check(g->throttle, RATE_GUEST, &ret_caller->mac,
		ret_caller->network, clock_mono_ns());
	if (wait)
		return reply_slow_down(wait);
	code = operators_prove_staff(g, request->token, ret_caller);
	if (code == CTL_not_logged_in)
		return reply_refuse(code,
			"Please log in by the QR code, on this device.");
	if (code)
		return reply_refuse(code, "Please try again.");
	return refuse_role(request->op, ret_caller);
}

static json_t *prove_local(struct gatehoused *g, const struct op *op,
	const struct ctl_frame *frame, struct caller *ret_caller)
{
	proof_local(&g->roles, frame->uid, ret_caller);
	if (op->proofs & PROOF_DOOR && ret_caller->proof == PROOF_DOOR)
		return NULL;
	if (!(op->proofs & PROOF_LOCAL))
		return reply_refuse(CTL_not_allowed,
			op->proofs & PROOF_GUEST
				? "Only a guest's own connection can ask for "
				  "this."
				: "Only the operators' portal can ask for "
				  "this.");
	if (ret_caller->role == ROLE_NONE && op->least > ROLE_NONE)
		return reply_refuse(CTL_not_allowed,
			"You have no role; see [roles] in gatehouse.conf.");
	return refuse_role(op, ret_caller);
}

/* Who asks, and whether the row lets them. NULL, or the refusal. */
static json_t *prove(struct gatehoused *g, const struct op_request *request,
	const struct ctl_frame *frame, struct caller *ret_caller)
{
	if (frame->fd >= 0 && request->token[0])
		return prove_staff(g, request, frame, ret_caller);
	if (frame->fd >= 0)
		return prove_guest(g, request->op, frame, ret_caller);
	if (request->token[0])
		return prove_operator(
			g, request->op, request->token, ret_caller);
	return prove_local(g, request->op, frame, ret_caller);
}

json_t *ops_run(struct gatehoused *g, const char *name,
	json_t *(*fn)(struct gatehoused *g, void *data), void *data)
{
	size_t mark = session_events_mark(g->session_events);
	const char *code;
	json_t *reply;
	int ret;

	ret = turn_begin(g);
	if (!ret)
		ret = store_savepoint(g->store);
	if (ret)
		return reply_failed(name, ret);
	reply = fn(g, data);
	if (g->ending)
		return reply;
	code = reply_code(reply);
	/* "differs" is an answer, and what it repaired stays repaired. */
	if (!code || !strcmp(code, "differs")) {
		ret = store_release(g->store);
	} else {
		ret = store_rollback_to(g->store);
		session_events_rewind(g->session_events, mark);
	}
	if (ret) {
		json_decref(reply);
		reply = reply_failed(name, ret);
	}
	return reply;
}

struct handling {
	const struct op *op;
	const struct caller *caller;
	const void *args;
};

static json_t *call_handler(struct gatehoused *g, void *data)
{
	const struct handling *h = data;

	return h->op->handler(g, h->caller, h->args);
}

static json_t *run_handler(struct gatehoused *g, const struct op *op,
	const struct caller *caller, const void *args)
{
	struct handling handling = {op, caller, args};

	return ops_run(g, op->name, call_handler, &handling);
}

/*
 * A refusal is shown on a page, and the connection proves no second request:
 * which device it is, because the desk will ask, and what the guest has all the
 * same.
 */
static void add_for_page(struct gatehoused *g, const struct op *op,
	const struct caller *caller, json_t *reply)
{
	static const struct args_guest nothing_shown;

	json_object_set_new(reply, "mac", json_mac(&caller->mac));
	if (op->handler != op_guest_session)
		json_object_set_new(reply, "session",
			run_handler(g, op_lookup("guest.session"), caller,
				&nothing_shown));
}

void ops_answered(struct gatehoused *g, const struct op *op,
	const struct caller *caller, json_t *reply)
{
	if (caller->proof != PROOF_GUEST)
		return;
	if (reply_code(reply))
		add_for_page(g, op, caller, reply);
	else if (op->rate != RATE_GUEST)
		throttle_changed(g->throttle, &caller->mac, clock_mono_ns());
}

/* What came of it, for those who look later. That guests look at their page is
 * not worth a row; a reply that comes later makes its own. */
static void note(struct gatehoused *g, const struct op *op,
	const struct caller *caller, const json_t *reply, int64_t begun)
{
	const char *code = reply_code(reply), *name = op ? op->name : "?";
	const char *who = caller->who[0] ? caller->who : "?";

	log_debug("%s %s: %s, %lld us", name, who, code ? code : "ok",
		(long long)((clock_mono_ns() - begun) / 1000));
	if (reply && (code || !op || op->rate != RATE_GUEST))
		access_log_note(g->access_log, name, caller, code, begun);
}

json_t *ops_handle(void *data, const struct ctl_frame *frame)
{
	struct op_request request = {.op = NULL};
	struct gatehoused *g = data;
	struct caller caller = {0};
	const struct op *op;
	int64_t begun = clock_mono_ns(), wait;
	char err[256] = "";
	enum ctl_code code;
	json_t *reply;

	if (g->ending)
		return reply_refuse(CTL_conflict,
			"gatehoused is shutting down. Try again when it is running.");
	code = ops_parse(frame->text, frame->len, &request, err, sizeof(err));
	op = request.op;
	/* Who may not ask learns nothing about what could be asked. */
	reply = op && (code == CTL_OK || frame->fd < 0)
			? prove(g, &request, frame, &caller)
			: NULL;
	if (!reply && code)
		reply = reply_refuse(code, "%s", err);
	if (!reply && caller.proof == PROOF_GUEST) {
		wait = throttle_check(g->throttle, op->rate, &caller.mac,
			caller.network, begun);
		if (wait)
			reply = reply_slow_down(wait);
	}
	if (!reply && caller.proof == PROOF_GUEST)
		reply = terms_check(g, op, &caller, request.args);
	if (!reply)
		reply = run_handler(g, op, &caller, request.args);
	if (reply)
		ops_answered(g, op, &caller, reply);
	note(g, op, &caller, reply, begun);
	crypto_wipe(&request, sizeof(request)); /* there may be a password in it */
	return reply;
}
