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

#define MAC_ARG                                      \
	{VERB_ARG_TEXT, NULL, "mac", VERB_REQUIRED, "MAC", \
		"the device, such as 02:00:5e:10:00:01"}

#define DEVICE_ARG                                      \
	{VERB_ARG_TEXT, NULL, "mac", VERB_REQUIRED, "MAC", \
		"the device, such as 02:00:5e:10:00:01, or its number"}

/* clang-format off */
#define RATE_ARGS(need) \
	{VERB_ARG_INT, "--up", "upKbps", need, "KBPS", \
		"upload, kbit/s, 64 or more; 0: no limit"}, \
	{VERB_ARG_INT, "--down", "downKbps", need, "KBPS", \
		"download, kbit/s, 64 or more; 0: no limit"}, \
	{VERB_ARG_INT, "--slow-up", "slowUpKbps", need, "KBPS", \
		"upload once the megabytes are used up, instead of the end"}, \
	{VERB_ARG_INT, "--slow-down", "slowDownKbps", need, "KBPS", \
		"download then; one alone is for both"}

#define PLAN_ARGS \
	{VERB_ARG_INT, "--megabytes", "megabytes", VERB_OPTIONAL, "N", \
		"bytes that it gives, in 1,000,000; 0, the default: no limit"}, \
	{VERB_ARG_TEXT, "--counts", "counts", VERB_OPTIONAL, "both|up|down", \
		"which bytes those are; default: both, added up"}, \
	RATE_ARGS(VERB_OPTIONAL), \
	{VERB_ARG_INT, "--price", "priceMinor", VERB_OPTIONAL, "MINOR", \
		"in hundredths of the currency: 50000 is 500.00; default: 0"}, \
	{VERB_ARG_TEXT, "--currency", "currency", VERB_OPTIONAL, "XXX", \
		"ISO 4217; default: `currency` of gatehouse.conf"}, \
	{VERB_ARG_INT, "--moves", "moves", VERB_OPTIONAL, "N", \
		"how often guests may take it to another device; default: 0"}, \
	{VERB_ARG_INT, "--devices", "devices", VERB_OPTIONAL, "N", \
		"how many may use a voucher of it at once; default: 1"}, \
	{VERB_ARG_INT, "--token-days", "tokenDays", VERB_OPTIONAL, "N", \
		"how long a browser finds its session again; default: the\n" \
		"plan's time, or `token_days` of gatehouse.conf if longer"}, \
	{VERB_ARG_TEXT, "--network", "networks", VERB_OPTIONAL, "NAME,...", \
		"where it is worth something; any, the default: everywhere"}, \
	{VERB_ARG_TEXT, "--hours", "hours", VERB_OPTIONAL, "HH:MM-HH:MM,...", \
		"when in the day; the clock stands outside; default: any"}, \
	{VERB_ARG_INT, "--idle", "idleMinutes", VERB_OPTIONAL, "N", \
		"minutes without a packet that stop the clock until the next\n" \
		"one; 0, the default: it always runs"}, \
	{VERB_ARG_INT, "--valid-days", "validDays", VERB_OPTIONAL, "N", \
		"days after its start that it ends, whatever is left; 0, the\n" \
		"default: it keeps"}

static const struct verb_arg no_args[] = {{}};
static const struct verb_arg mac_args[] = {MAC_ARG, {}};
static const struct verb_arg device_args[] = {DEVICE_ARG, {}};
static const struct verb_arg allow_args[] = {
	MAC_ARG,
	{VERB_ARG_INT, "--minutes", "minutes", VERB_ONE_OF, "N",
		"minutes to add; below 0: to take away"},
	{VERB_ARG_INT, "--megabytes", "megabytes", VERB_WITH, "N",
		"limit of these minutes, in 1,000,000 bytes"},
	RATE_ARGS(VERB_WITH),
	{VERB_ARG_TEXT, "--plan", "plan", VERB_ONE_OF, "NAME",
		"time and bytes of that plan"},
	{VERB_ARG_INT, "--paid", "paidMinor", VERB_OPTIONAL, "MINOR",
		"taken for it, in hundredths of the currency"},
	{},
};
static const struct verb_arg payments_args[] = {
	{VERB_ARG_TEXT, "--who", "who", VERB_OPTIONAL, "WHO",
		"only what this operator or coin slot took"},
	{VERB_ARG_TEXT, "--from", "from", VERB_OPTIONAL, "DAY",
		"from this day on, such as 2026-11-21"},
	{VERB_ARG_TEXT, "--to", "to", VERB_OPTIONAL, "DAY",
		"to this day, that included"},
	{},
};
static const struct verb_arg rate_args[] = {
	MAC_ARG,
	RATE_ARGS(VERB_OPTIONAL),
	{},
};
static const struct verb_arg block_args[] = {
	MAC_ARG,
	{VERB_ARG_FALSE, "--off", "blocked", VERB_OPTIONAL, NULL,
		"lift the block"},
	{},
};
static const struct verb_arg move_args[] = {
	{VERB_ARG_TEXT, NULL, "from", VERB_REQUIRED, "OLD",
		"MAC of the device that has the session"},
	{VERB_ARG_TEXT, NULL, "to", VERB_REQUIRED, "NEW",
		"MAC of the device that gets it"},
	{},
};
#define DESCRIBE_ARGS \
	{VERB_ARG_TEXT, "--name", "name", VERB_OPTIONAL, "TEXT", \
		"up to 64 bytes; \"\": none"}, \
	{VERB_ARG_TEXT, "--note", "note", VERB_OPTIONAL, "TEXT", \
		"up to 200 bytes; \"\": none"}
static const struct verb_arg describe_args[] = {
	DEVICE_ARG,
	DESCRIBE_ARGS,
	{},
};
static const struct verb_arg set_args[] = {
	DEVICE_ARG,
	DESCRIBE_ARGS,
	{VERB_ARG_INT, "--seconds", "sessionTime", VERB_OPTIONAL, "N",
		"time to add; below 0: to take away"},
	{VERB_ARG_INT, "--up", "uploadKbps", VERB_OPTIONAL, "KBPS",
		"as for `limit`"},
	{VERB_ARG_INT, "--down", "downloadKbps", VERB_OPTIONAL, "KBPS",
		"the same"},
	{VERB_ARG_TRUE, "--block", "blocked", VERB_OPTIONAL, NULL,
		"as `block`"},
	{VERB_ARG_FALSE, "--unblock", "blocked", VERB_OPTIONAL, NULL,
		"as `block --off`"},
	{VERB_ARG_TEXT, "--exempt-until", "exemptUntil", VERB_OPTIONAL, "DATE",
		"as for `exempt`"},
	{VERB_ARG_TEXT, "--exempt-network", "exemptNetwork", VERB_OPTIONAL,
		"NAME", "the same"},
	{VERB_ARG_FALSE, "--not-exempt", "exempt", VERB_OPTIONAL, NULL,
		"as `exempt --off`"},
	{},
};
static const struct verb_arg share_args[] = {
	MAC_ARG,
	{VERB_ARG_TEXT, "--with", "with", VERB_REQUIRED, "OTHER",
		"the device whose session it shares"},
	{},
};
static const struct verb_arg limit_args[] = {
	DEVICE_ARG,
	{VERB_ARG_INT, "--up", "uploadKbps", VERB_OPTIONAL, "KBPS",
		"upload, kbit/s, 64 or more; 0: no limit"},
	{VERB_ARG_INT, "--down", "downloadKbps", VERB_OPTIONAL, "KBPS",
		"download, the same"},
	{},
};
static const struct verb_arg exempt_args[] = {
	DEVICE_ARG,
	{VERB_ARG_TEXT, "--until", "exemptUntil", VERB_ONE_OF, "DATE",
		"the last day, as 2026-12-24, or a time, as\n"
		"2026-12-24T18:00:00Z"},
	{VERB_ARG_TEXT, "--network", "exemptNetwork", VERB_WITH, "NAME",
		"the network that it is for"},
	{VERB_ARG_FALSE, "--off", "exempt", VERB_ONE_OF, NULL,
		"end it"},
	{},
};
static const struct verb_arg clients_args[] = {
	{VERB_ARG_TEXT, "--state", "state", VERB_OPTIONAL,
		"running|paused|held", "only those with such a session"},
	{VERB_ARG_TEXT, "--search", "search", VERB_OPTIONAL, "TEXT",
		"part of a MAC, a name or a note, or an IP address"},
	{},
};
static const struct verb_arg sessions_args[] = {
	{VERB_ARG_TEXT, "--state", "state", VERB_OPTIONAL,
		"running|paused|held|ended", "only those"},
	{},
};
static const struct verb_arg events_args[] = {
	{VERB_ARG_TEXT, "--mac", "mac", VERB_OPTIONAL, "MAC",
		"only this device's"},
	{VERB_ARG_TEXT, "--type", "type", VERB_OPTIONAL, "TYPE",
		"only those, such as rogue_ra"},
	{VERB_ARG_TEXT, "--severity", "severity", VERB_OPTIONAL,
		"INFO|MEDIUM|HIGH|CRITICAL", "only those"},
	{},
};
static const struct verb_arg plan_add_args[] = {
	{VERB_ARG_TEXT, NULL, "name", VERB_REQUIRED, "NAME",
		"up to 64 bytes; capitals make no other name"},
	{VERB_ARG_INT, "--minutes", "minutes", VERB_REQUIRED, "N",
		"minutes that it gives"},
	PLAN_ARGS,
	{VERB_ARG_TRUE, "--coin", "coin", VERB_OPTIONAL, NULL,
		"sold by coin as well, for its price"},
	{},
};
static const struct verb_arg plan_set_args[] = {
	{VERB_ARG_TEXT, NULL, "name", VERB_REQUIRED, "NAME",
		"as `plan list` shows it; capitals do not matter"},
	{VERB_ARG_INT, "--minutes", "minutes", VERB_OPTIONAL, "N",
		"minutes that it gives"},
	PLAN_ARGS,
	{VERB_ARG_TRUE, "--coin", "coin", VERB_OPTIONAL, NULL,
		"sold by coin as well, for its price"},
	{VERB_ARG_FALSE, "--no-coin", "coin", VERB_OPTIONAL, NULL,
		"not sold by coin any more"},
	{},
};
static const struct verb_arg plan_list_args[] = {
	{VERB_ARG_TRUE, "--all", "all", VERB_OPTIONAL, NULL,
		"also those that were removed"},
	{},
};
static const struct verb_arg plan_remove_args[] = {
	{VERB_ARG_TEXT, NULL, "name", VERB_REQUIRED, "NAME",
		"as `plan list` shows it; capitals do not matter"},
	{},
};
#define OPERATOR_ARG \
	{VERB_ARG_TEXT, NULL, "name", VERB_REQUIRED, "NAME", \
		"of the operator; capitals do not matter"}
#define ROLE_ARG \
	{VERB_ARG_TEXT, "--role", "role", VERB_REQUIRED, \
		"staff|supervisor|manager|admin", "not above your own"}
#define PASSWORD_ARG \
	{VERB_ARG_PASSWORD, NULL, "password", VERB_OPTIONAL, "password", \
		"asked for; without a terminal: the first line of the input"}
static const struct verb_arg operator_args[] = {OPERATOR_ARG, {}};
static const struct verb_arg operator_add_args[] = {
	{VERB_ARG_TEXT, NULL, "name", VERB_REQUIRED, "NAME",
		"up to 30 letters, digits, '.', '-', '_' and '@'"},
	ROLE_ARG,
	PASSWORD_ARG,
	{},
};
static const struct verb_arg operator_role_args[] = {OPERATOR_ARG, ROLE_ARG, {}};
static const struct verb_arg operator_passwd_args[] = {
	OPERATOR_ARG, PASSWORD_ARG, {}};
static const struct verb_arg token_add_args[] = {
	OPERATOR_ARG,
	{VERB_ARG_TEXT, "--label", "label", VERB_OPTIONAL, "TEXT",
		"what it is for, up to 64 bytes"},
	{VERB_ARG_INT, "--days", "expiresDays", VERB_OPTIONAL, "N",
		"days that it is good for; default: until it is removed"},
	{},
};
static const struct verb_arg token_args[] = {
	{VERB_ARG_INT, NULL, "id", VERB_REQUIRED, "ID",
		"as `operator token list` shows it"},
	{},
};
static const struct verb_arg operator_pin_args[] = {
	OPERATOR_ARG,
	{VERB_ARG_PASSWORD, NULL, "pin", VERB_OPTIONAL, "PIN",
		"asked for; without a terminal: the first line of the input"},
	{},
};
static const struct verb_arg operator_totp_args[] = {
	OPERATOR_ARG,
	{VERB_ARG_TEXT, NULL, "state", VERB_REQUIRED, "on|off",
		"on: a new secret for the operator's app"},
	{},
};
#define MEMBER_ARG \
	{VERB_ARG_TEXT, NULL, "identity", VERB_REQUIRED, "IDENTITY", \
		"e-mail address, booking reference or staff id; capitals do not\n" \
		"matter"}
#define MEMBER_ID_ARG(help) \
	{VERB_ARG_INT, "--id", "id", VERB_OPTIONAL, "N", help}
static const struct verb_arg member_which_args[] = {
	{VERB_ARG_TEXT, NULL, "identity", VERB_OPTIONAL, "IDENTITY",
		"e-mail address, booking reference or staff id; capitals do not\n"
		"matter"},
	MEMBER_ID_ARG("its number, instead"),
	{},
};
#define MEMBER_ARGS \
	{VERB_ARG_TEXT, "--name", "name", VERB_OPTIONAL, "TEXT", \
		"what the person is called; \"\" takes it away, as the others"}, \
	{VERB_ARG_TEXT, "--email", "email", VERB_OPTIONAL, "ADDRESS", \
		"where the identity is none"}, \
	{VERB_ARG_TEXT, "--operator", "operator", VERB_OPTIONAL, "NAME", \
		"whose account it is: gives its role, and asks for its PIN"}, \
	{VERB_ARG_TEXT, "--role", "role", VERB_OPTIONAL, "ROLE", \
		"refused unless it is that of the account, or guest"}, \
	{VERB_ARG_TEXT, "--plan", "plan", VERB_OPTIONAL, "NAME", \
		"default: that of the role in [qr_login] of gatehouse.conf"}, \
	{VERB_ARG_INT, "--devices", "devices", VERB_OPTIONAL, "N", \
		"how many at once, up to 64; default: 5"}, \
	{VERB_ARG_TEXT, "--check-in", "checkIn", VERB_OPTIONAL, "DATE", \
		"from then on, such as 2026-12-24 or \"2026-12-24 14:00\""}, \
	{VERB_ARG_TEXT, "--check-out", "checkOut", VERB_OPTIONAL, "DATE", \
		"until then; a day is included"}, \
	{VERB_ARG_TEXT, "--proof-name", "proofName", VERB_OPTIONAL, "TEXT", \
		"last name that a guest has to type as well"}, \
	{VERB_ARG_TEXT, "--proof-room", "proofRoom", VERB_OPTIONAL, "TEXT", \
		"room, the same; with a name, both have to be typed"}
static const struct verb_arg member_add_args[] = {MEMBER_ARG, MEMBER_ARGS, {}};
static const struct verb_arg member_set_args[] = {
	{VERB_ARG_TEXT, NULL, "identity", VERB_OPTIONAL, "IDENTITY",
		"which one; with --id its new identity"},
	MEMBER_ID_ARG("the number of the one to change"),
	MEMBER_ARGS,
	{},
};
static const struct verb_arg member_list_args[] = {
	{VERB_ARG_TEXT, NULL, "text", VERB_OPTIONAL, "TEXT",
		"only those with it in identity, name or e-mail address"},
	{},
};
static const struct verb_arg member_import_args[] = {
	{VERB_ARG_OWN, NULL, "codes", VERB_REQUIRED, "FILE",
		"CSV with a heading: identity, name, email, role, operator, plan,\n"
		"devices, check_in, check_out, proof_name, proof_room; -: the input"},
	{},
};
static const struct verb_arg access_args[] = {
	{VERB_ARG_TEXT, "--who", "who", VERB_OPTIONAL, "WHO",
		"only theirs: root, a user, \"operator NAME\", a MAC"},
	{VERB_ARG_TEXT, "--operation", "operation", VERB_OPTIONAL, "NAME",
		"only that one, such as clients.allow"},
	{VERB_ARG_TEXT, "--result", "result", VERB_OPTIONAL, "WORD",
		"ok, or the code of a refusal, such as wrong_password"},
	{},
};
#define GROUP_ARG \
	{VERB_ARG_TEXT, NULL, "name", VERB_REQUIRED, "NAME", \
		"of the group; capitals do not matter"}
static const struct verb_arg group_args[] = {
	GROUP_ARG,
	{VERB_ARG_INT, "--megabytes", "megabytes", VERB_OPTIONAL, "N",
		"for all devices together, up and down, in 1,000,000 bytes;\n"
		"0, the default: no limit"},
	{VERB_ARG_INT, "--up", "upKbps", VERB_OPTIONAL, "KBPS",
		"upload of all together, kbit/s, 64 or more; 0: no limit"},
	{VERB_ARG_INT, "--down", "downKbps", VERB_OPTIONAL, "KBPS",
		"download, the same"},
	{},
};
static const struct verb_arg group_name_args[] = {GROUP_ARG, {}};
static const struct verb_arg group_join_args[] = {
	GROUP_ARG,
	{VERB_ARG_TEXT, NULL, "mac", VERB_REQUIRED, "MAC",
		"the device, such as 02:00:5e:10:00:01"},
	{},
};
static const struct verb_arg voucher_create_args[] = {
	{VERB_ARG_TEXT, "--plan", "plan", VERB_REQUIRED, "NAME",
		"what a code is worth"},
	{VERB_ARG_INT, "--count", "count", VERB_OPTIONAL, "N",
		"how many, up to 1000; default: 1"},
	{VERB_ARG_INT, "--expires-days", "expiresDays", VERB_OPTIONAL, "N",
		"days until unused codes are worthless; default: never"},
	{VERB_ARG_TEXT, "--prefix", "prefix", VERB_OPTIONAL, "TEXT",
		"up to 8 capital letters and digits; default:\n"
		"`voucher_prefix` of gatehouse.conf"},
	{VERB_ARG_TEXT, "--batch", "batch", VERB_OPTIONAL, "NAME",
		"name of all of them together; default: the time"},
	{},
};
#define PAPER_ARGS \
	{VERB_ARG_OWN, "--paper", "paper", VERB_OPTIONAL, "a4|80mm|58mm", \
		"what it is printed on"}, \
	{VERB_ARG_OWN, "--lang", "lang", VERB_OPTIONAL, "ar|en|es|fil|fr|id|sw", \
		"language of what is printed; default: en"}, \
	{VERB_ARG_TEXT, "--network", "network", VERB_OPTIONAL, "NAME", \
		"whose portal is opened; default: the first with a portal"}, \
	{VERB_ARG_OWN, "--out", "out", VERB_OPTIONAL, "FILE", \
		"HTML for a browser to print; default: the standard output"}
#define QR_ARGS \
	{VERB_ARG_OWN, "--png", "png", VERB_OPTIONAL, "FILE", \
		"the code as a PNG picture"}, \
	{VERB_ARG_OWN, "--svg", "svg", VERB_OPTIONAL, "FILE", \
		"the same as SVG, for print of any size"}, \
	{VERB_ARG_OWN, "--poster", "poster", VERB_OPTIONAL, "FILE", \
		"a page of HTML, A4, for a browser to print"}, \
	{VERB_ARG_OWN, "--logo", "logo", VERB_OPTIONAL, "PNG", \
		"a picture in the middle of the code; makes the level H"}, \
	{VERB_ARG_OWN, "--level", "level", VERB_OPTIONAL, "L|M|Q|H", \
		"how much dirt it bears; default: M, on posters always Q"}, \
	{VERB_ARG_OWN, "--pixels", "pixels", VERB_OPTIONAL, "N", \
		"side of the PNG at least, up to 4096; default: 512"}, \
	{VERB_ARG_OWN, "--venue", "venue", VERB_OPTIONAL, "TEXT", \
		"headline of the poster"}, \
	{VERB_ARG_OWN, "--langs", "langs", VERB_OPTIONAL, "en,sw,...", \
		"languages of the poster, the first large; default: en"}
#define JOIN_ARGS \
	{VERB_ARG_OWN, "--password", "password", VERB_OPTIONAL, "TEXT", \
		"of the Wi-Fi; whoever scans the code can read it"}, \
	{VERB_ARG_OWN, "--security", "security", VERB_OPTIONAL, \
		"WPA|SAE|WEP|nopass", \
		"default: WPA with a password, nopass without"}
static const struct verb_arg qr_url_args[] = {
	{VERB_ARG_OWN, NULL, "url", VERB_REQUIRED, "URL",
		"what the code opens"},
	QR_ARGS,
	{VERB_ARG_OWN, "--ssid", "ssid", VERB_OPTIONAL, "SSID",
		"a second code on the poster joins this Wi-Fi"},
	JOIN_ARGS,
	{},
};
static const struct verb_arg qr_generate_args[] = {
	{VERB_ARG_TEXT, "--label", "label", VERB_OPTIONAL, "TEXT",
		"where it hangs, up to 64 bytes"},
	QR_ARGS,
	JOIN_ARGS,
	{},
};
#define QR_ID_ARG \
	{VERB_ARG_INT, NULL, "id", VERB_REQUIRED, "ID", \
		"as `qr list` shows it"}
static const struct verb_arg qr_show_args[] = {
	QR_ID_ARG,
	QR_ARGS,
	JOIN_ARGS,
	{},
};
static const struct verb_arg qr_id_args[] = {QR_ID_ARG, {}};
static const struct verb_arg qr_end_args[] = {
	{VERB_ARG_INT, NULL, "id", VERB_REQUIRED, "ID",
		"as `qr sessions` shows it"},
	{},
};
static const struct verb_arg qr_wifi_args[] = {
	{VERB_ARG_OWN, NULL, "ssid", VERB_REQUIRED, "SSID",
		"name of the Wi-Fi, up to 32 bytes"},
	JOIN_ARGS,
	{VERB_ARG_TRUE, "--hidden", "hidden", VERB_OPTIONAL, NULL,
		"the Wi-Fi does not tell its name"},
	QR_ARGS,
	{},
};
static const struct verb_arg voucher_sell_args[] = {
	{VERB_ARG_TEXT, NULL, "plan", VERB_ONE_OF, "PLAN",
		"a new voucher of this plan"},
	{VERB_ARG_TEXT, "--code", "code", VERB_ONE_OF, "CODE",
		"one that was made before, of a batch"},
	{VERB_ARG_INT, "--paid", "paidMinor", VERB_OPTIONAL, "MINOR",
		"in hundredths of the currency; default: the plan's price"},
	PAPER_ARGS,
	{},
};
static const struct verb_arg voucher_print_args[] = {
	{VERB_ARG_TEXT, NULL, "batch", VERB_REQUIRED, "BATCH",
		"as `batch list` shows it; what is used is left out"},
	PAPER_ARGS,
	{},
};
static const struct verb_arg voucher_export_args[] = {
	{VERB_ARG_TEXT, "--batch", "batch", VERB_OPTIONAL, "BATCH",
		"only those made together"},
	{VERB_ARG_TEXT, "--state", "state", VERB_OPTIONAL,
		"unused|used|revoked", "only those"},
	{VERB_ARG_OWN, "--out", "out", VERB_OPTIONAL, "FILE",
		"default: the standard output"},
	{},
};
static const struct verb_arg voucher_import_args[] = {
	{VERB_ARG_OWN, NULL, "codes", VERB_REQUIRED, "FILE",
		"one code a line, or a column \"code\"; -: standard input"},
	{VERB_ARG_TEXT, "--plan", "plan", VERB_REQUIRED, "NAME",
		"what a code is worth"},
	{VERB_ARG_TEXT, "--batch", "batch", VERB_OPTIONAL, "NAME",
		"name of all of them together; default: the file's"},
	{VERB_ARG_INT, "--expires-days", "expiresDays", VERB_OPTIONAL, "N",
		"days until unused codes are worthless; default: never"},
	{},
};
static const struct verb_arg voucher_revoke_args[] = {
	{VERB_ARG_TEXT, NULL, "code", VERB_ONE_OF, "CODE", "as it is printed"},
	{VERB_ARG_TEXT, "--batch", "batch", VERB_ONE_OF, "BATCH",
		"all unused ones that were made together"},
	{},
};
static const struct verb_arg refund_args[] = {
	{VERB_ARG_INT, NULL, "id", VERB_REQUIRED, "PAYMENT",
		"its number in `payments`"},
	{},
};
static const struct verb_arg voucher_list_args[] = {
	{VERB_ARG_TEXT, "--batch", "batch", VERB_OPTIONAL, "BATCH",
		"only those made together"},
	{VERB_ARG_TEXT, "--state", "state", VERB_OPTIONAL,
		"unused|used|revoked", "only those"},
	{},
};
static const struct verb_arg code_args[] = {
	{VERB_ARG_TEXT, NULL, "code", VERB_REQUIRED, "CODE",
		"as it is printed"},
	{},
};
static const struct verb_arg job_args[] = {
	{VERB_ARG_TEXT, NULL, "name", VERB_REQUIRED, "JOB",
		"as `jobs` shows it"},
	{},
};
static const struct verb_arg terms_args[] = {
	{VERB_ARG_TEXT, NULL, "mac", VERB_OPTIONAL, "MAC", "only this device's"},
	{},
};
static const struct verb_arg addresses_args[] = {
	{VERB_ARG_TEXT, NULL, "of", VERB_OPTIONAL, "MAC|IP",
		"only this device's, or who had this address"},
	{VERB_ARG_TEXT, "--at", "at", VERB_OPTIONAL, "TIME",
		"only at that time: 2026-11-21T04:00:00Z, or\n"
		"\"2026-11-21 04:00\" of the box's time zone"},
	{},
};
static const struct verb_arg statistics_args[] = {
	{VERB_ARG_TEXT, "--by", "by", VERB_OPTIONAL,
		"hour|day|month|plan|network", "default: day"},
	{VERB_ARG_TEXT, "--from", "from", VERB_OPTIONAL, "DAY",
		"from this day on, such as 2026-11-21; default: a week ago"},
	{VERB_ARG_TEXT, "--to", "to", VERB_OPTIONAL, "DAY",
		"to this day, that included"},
	{},
};
static const struct verb_arg capport_args[] = {
	{VERB_ARG_OWN, "--for", "for", VERB_REQUIRED, "dnsmasq|radvd|kea",
		"the program that is to tell guests"},
	{VERB_ARG_OWN, "--network", "network", VERB_OPTIONAL, "NAME",
		"only this one; default: all"},
	{},
};
static const struct verb_arg selftest_args[] = {
	{VERB_ARG_TEXT, "--network", "network", VERB_OPTIONAL, "NAME",
		"which one to join; default: the first"},
	{VERB_ARG_TRUE, "--here", "here", VERB_OPTIONAL, NULL,
		"this machine is the client: on any that has joined, without\n"
		"a session"},
	{VERB_ARG_TEXT, "--ca", "ca", VERB_OPTIONAL, "FILE",
		"trust certificates of this CA, PEM, instead of the usual ones"},
	{},
};
static const struct verb_arg claim_args[] = {
	{VERB_ARG_INT, NULL, "id", VERB_REQUIRED, "ID",
		"the number that `coins` shows"},
	MAC_ARG,
	{},
};
static const struct verb_arg forget_args[] = {
	{VERB_ARG_TEXT, NULL, "who", VERB_REQUIRED, "MAC|PHONE|MEMBER",
		"a device, a telephone number that was paid from, or a member's\n"
		"identity or e-mail address"},
	{},
};
static const struct verb_arg export_args[] = {
	{VERB_ARG_TEXT, NULL, "what", VERB_OPTIONAL, "TABLE",
		"sessions, usage, payments, addresses, devices, vouchers,\n"
		"events, terms or audit; may be left out with --subject"},
	{VERB_ARG_TEXT, "--format", "format", VERB_OPTIONAL, "csv|json",
		"default: csv; of a person as a whole: json"},
	{VERB_ARG_TEXT, "--from", "from", VERB_OPTIONAL, "DAY",
		"from this day on, such as 2026-11-21"},
	{VERB_ARG_TEXT, "--to", "to", VERB_OPTIONAL, "DAY",
		"to this day, that included"},
	{VERB_ARG_TEXT, "--subject", "subject", VERB_OPTIONAL, "MAC|PHONE|MEMBER",
		"only what is of this person"},
	{VERB_ARG_TEXT, "--schema", "schema", VERB_OPTIONAL, "netflow",
		"tables as that has them: users, routers, packages,\n"
		"sessions, payments, system_settings"},
	{VERB_ARG_OWN, "--out", "out", VERB_OPTIONAL, "FILE",
		"default: the standard output"},
	{},
};
static const struct verb_arg verify_args[] = {
	{VERB_ARG_TRUE, "--repair", "repair", VERB_OPTIONAL, NULL,
		"mend what differs"},
	{},
};
static const struct verb_arg explain_args[] = {
	MAC_ARG,
	{VERB_ARG_TEXT, "--to", "to", VERB_OPTIONAL, "IP",
		"where the packet goes; default: somewhere in the internet"},
	{VERB_ARG_TEXT, "--from", "from", VERB_OPTIONAL, "IP",
		"where it comes from; default: the device's last address"},
	{VERB_ARG_INT, "--port", "port", VERB_OPTIONAL, "N",
		"the server's port; default: 443"},
	{VERB_ARG_TEXT, "--proto", "proto", VERB_OPTIONAL, "tcp|udp|icmp|arp",
		"default: tcp"},
	{VERB_ARG_TEXT, "--network", "network", VERB_OPTIONAL, "NAME",
		"default: where the device was seen last"},
	{VERB_ARG_TRUE, "--down", "down", VERB_OPTIONAL, NULL,
		"a packet to the device; --from and --to change places"},
	{},
};
static const struct verb_arg garden_args[] = {
	{VERB_ARG_TEXT, "--network", "network", VERB_OPTIONAL, "NAME",
		"only this network's"},
	{},
};
static const struct verb_arg unload_args[] = {
	{VERB_ARG_TRUE, "--open", "open", VERB_ONE_OF, NULL,
		"every client gets through then, paid or not"},
	{VERB_ARG_FALSE, "--closed", "open", VERB_ONE_OF, NULL,
		"no client does, until gatehoused is started"},
	{},
};

#define DEVICE "02:00:5e:10:00:01"
const struct verb verbs[] = {
	{"status", "status", no_args, NULL, print_status,
		"how the gateway is doing: networks, ports and failed jobs",
		"status"},
	{"clients", "clients.list", clients_args, NULL, print_clients,
		"known devices", "clients"},
	{"client", "clients.get", device_args, NULL, print_client,
		"everything about one device", "client " DEVICE},
	{"allow", "clients.allow", allow_args, NULL, print_client,
		"give a device time, or take it away (negative minutes)",
		"allow " DEVICE " --minutes 120"},
	{"block", "clients.block", block_args, "blocked", print_done,
		"drop all traffic of a device; --off lifts the block",
		"block " DEVICE},
	{"kick", "clients.kick", mac_args, NULL, print_done,
		"end a device's session", "kick " DEVICE},
	{"hold", "clients.hold", mac_args, NULL, print_done,
		"hold a device's session until its token is shown",
		"hold " DEVICE},
	{"release", "clients.release", mac_args, NULL, print_done,
		"let a session that is held go on", "release " DEVICE},
	{"pause", "clients.pause", mac_args, NULL, print_done,
		"stop the clock of a device's session", "pause " DEVICE},
	{"resume", "clients.resume", mac_args, NULL, print_done,
		"let a session that is paused go on", "resume " DEVICE},
	{"move", "clients.move", move_args, NULL, print_done,
		"move a device's session to another device",
		"move " DEVICE " 02:00:5e:10:00:02"},
	{"rate", "clients.rate", rate_args, NULL, print_client,
		"change the rates of a device's session while it runs",
		"rate " DEVICE " --down 2000"},
	{"set", "clients.set", set_args, NULL, print_client,
		"several things about a device at once: all of them, or none",
		"set " DEVICE " --name \"Room 12\" --seconds 3600 --down 2000"},
	{"describe", "clients.describe", describe_args, NULL, print_client,
		"set a device's name or note",
		"describe " DEVICE " --name \"Room 12\""},
	{"limit", "clients.limit", limit_args, NULL, print_client,
		"rates of a device itself, which stay over its sessions",
		"limit " DEVICE " --down 2000"},
	{"exempt", "clients.exempt", exempt_args, NULL, print_client,
		"let a device through without a session, until a date",
		"exempt " DEVICE " --until 2026-12-24 --network guest"},
	{"device list", "devices.list", mac_args, NULL, print_devices,
		"what was put beside a device's session",
		"device list " DEVICE},
	{"device add", "devices.add", share_args, NULL, print_client,
		"put a device without a page beside another one's session",
		"device add 02:00:5e:10:00:02 --with " DEVICE},
	{"device remove", "devices.remove", mac_args, NULL, print_done,
		"take away a device that was put beside another",
		"device remove 02:00:5e:10:00:02"},
	{"sessions", "sessions.list", sessions_args, NULL, print_sessions,
		"sessions, newest first", "sessions --state running"},
	{"plan list", "plans.list", plan_list_args, NULL, print_plans,
		"plans on sale", "plan list"},
	{"plan add", "plans.add", plan_add_args, NULL, print_done,
		"add a plan",
		"plan add \"2 Hours\" --minutes 120 --price 100000"},
	{"plan set", "plans.set", plan_set_args, NULL, print_done,
		"change a plan, for who begins with it from now on",
		"plan set \"2 Hours\" --hours 08:00-22:00"},
	{"plan apply", "plans.apply", plan_remove_args, NULL, print_done,
		"give rates, networks, hours and idle time of a plan to running sessions",
		"plan apply \"2 Hours\""},
	{"plan remove", "plans.remove", plan_remove_args, NULL, print_done,
		"take a plan off sale; what was sold of it keeps working",
		"plan remove \"2 Hours\""},
	{"group list", "groups.list", no_args, NULL, print_groups,
		"groups of devices that share bytes and rates", "group list"},
	{"group show", "groups.get", group_name_args, NULL, print_group,
		"one group with its devices", "group show \"Room 12\""},
	{"group add", "groups.add", group_args, NULL, print_group,
		"add a group, for a family or a room",
		"group add \"Room 12\" --megabytes 5000 --down 20000"},
	{"group change", "groups.set", group_args, NULL, print_group,
		"change a group's limits at once; what is not named stays",
		"group change \"Room 12\" --megabytes 10000"},
	{"group join", "groups.join", group_join_args, NULL, print_group,
		"put a device into a group", "group join \"Room 12\" " DEVICE},
	{"group leave", "groups.leave", mac_args, NULL, print_group,
		"take a device out of its group", "group leave " DEVICE},
	{"group remove", "groups.remove", group_name_args, NULL, print_done,
		"remove a group; its devices keep their own sessions",
		"group remove \"Room 12\""},
	{"voucher create", "vouchers.create", voucher_create_args, NULL, print_codes,
		"create vouchers and print their codes, one per line",
		"voucher create --plan Daily --count 10"},
	{"voucher list", "vouchers.list", voucher_list_args, NULL, print_vouchers,
		"vouchers and their state", "voucher list --state used"},
	{"voucher sell", "vouchers.sell", voucher_sell_args, NULL, print_sale,
		"sell one voucher: make it, or take it from a batch, and write down "
		"what was paid",
		"voucher sell Daily --paper 58mm --out voucher.html"},
	{"voucher show", "vouchers.get", code_args, NULL, print_voucher,
		"one voucher and all that happened to it",
		"voucher show AJC7KMW3PXQ9"},
	{"voucher print", "vouchers.sheet", voucher_print_args, NULL, print_sheet,
		"a sheet of a batch's unused vouchers, with QR codes",
		"voucher print summer --paper a4 --out sheet.html"},
	{"voucher export", "vouchers.list", voucher_export_args, NULL,
		print_voucher_csv, "vouchers as a CSV file for a spreadsheet",
		"voucher export --batch summer --out summer.csv"},
	{"voucher import", "vouchers.import", voucher_import_args, NULL,
		print_import, "take codes in that were made elsewhere",
		"voucher import codes.csv --plan Daily"},
	{"voucher revoke", "vouchers.revoke", voucher_revoke_args, NULL, print_done,
		"revoke an unused voucher, or a batch of them",
		"voucher revoke AJC7KMW3PXQ9"},
	{"qr url", NULL, qr_url_args, NULL, print_qr,
		"a QR code of any address, as picture, poster or in the terminal",
		"qr url http://10.77.0.1/ --poster poster.html --langs en,sw"},
	{"qr wifi", NULL, qr_wifi_args, NULL, print_qr,
		"a QR code by which a phone joins a Wi-Fi",
		"qr wifi \"Cafe Baraka\" --password karibu-sana --png wifi.png"},
	{"batch list", "batches.list", no_args, NULL, print_batches,
		"vouchers by batch: how many there are, sold and used",
		"batch list"},
	{"payments", "payments.list", payments_args, NULL, print_payments,
		"what was paid, newest first", "payments --from 2026-11-21"},
	{"refund", "payments.refund", refund_args, NULL, print_done,
		"give a payment back; what it bought is worthless then",
		"refund 17"},
	{"sales", "payments.sums", payments_args, NULL, print_sales,
		"what each operator took and gave back, by day",
		"sales --from 2026-11-01 --to 2026-11-30"},
	{"capport", "status", capport_args, NULL, print_capport,
		"the lines for a DHCP server that tell guests of the portal",
		"capport --for dnsmasq"},
	{"selftest", NULL, selftest_args, NULL, print_selftest,
		"join a network as a phone does, and ask what each system asks",
		"selftest --network guest"},
	{"jobs", "jobs.list", no_args, NULL, print_jobs,
		"the box's own jobs: when each ran, how it ended, when it is next",
		"jobs"},
	{"job run", "jobs.run", job_args, NULL, print_done,
		"run a job now", "job run clean-up"},
	{"terms", "terms.list", terms_args, NULL, print_terms,
		"who accepted which version of the terms of use, newest first",
		"terms " DEVICE},
	{"addresses", "addresses.list", addresses_args, NULL, print_addresses,
		"which device had which IP address, and when, newest first",
		"addresses 10.77.0.23 --at \"2026-11-21 04:00\""},
	{"statistics", "statistics.list", statistics_args, NULL, print_statistics,
		"sessions, bytes and revenue in sums",
		"statistics --by plan --from 2026-11-01"},
	{"coins claim", "coins.claim", claim_args, NULL, print_done,
		"give a device what fell into a coin slot and was not used",
		"coins claim 17 " DEVICE},
	{"coins", "coins.list", no_args, NULL, print_coins,
		"coin slots, and money in them that was not used", "coins"},
	{"forget", "forget", forget_args, NULL, print_forget,
		"remove what is known of a person; sums and money stay, nameless",
		"forget " DEVICE},
	{"export", "export", export_args, NULL, print_export,
		"a table as CSV or JSON",
		"export payments --from 2026-11-01 --out payments.csv"},
	{"verify", "verify", verify_args, NULL, print_verify,
		"compare the kernel's records with the database; --repair fixes them",
		"verify"},
	{"reasons", "reasons", no_args, NULL, print_reasons,
		"packets passed, answered and dropped, by reason", "reasons"},
	{"explain", "explain", explain_args, NULL, print_explain,
		"what the gate would do with a packet of a device, and why",
		"explain " DEVICE " --to 192.0.2.80 --port 80"},
	{"watch", "watch", no_args, NULL, print_event,
		"what happens, as it happens, one line each; end it with ^C",
		"watch"},
	{"events", "events.list", events_args, NULL, print_events,
		"what looked like an attack, newest first",
		"events --severity HIGH"},
	{"operator list", "operators.list", no_args, NULL, print_operators,
		"who may log in at the operators' portal, and their roles",
		"operator list"},
	{"operator add", "operators.add", operator_add_args, NULL, print_operator,
		"make an account; the password is asked for",
		"operator add anna --role supervisor"},
	{"operator role", "operators.role", operator_role_args, NULL, print_operator,
		"give another role; ends the operator's logins",
		"operator role anna --role manager"},
	{"operator passwd", "operators.passwd", operator_passwd_args, NULL, print_operator,
		"set another password, which is asked for; ends the operator's logins",
		"operator passwd anna"},
	{"operator pin", "operators.pin", operator_pin_args, NULL, print_operator,
		"set the PIN, which is asked for, to log in by the QR code",
		"operator pin anna"},
	{"operator totp", "operators.totp", operator_totp_args, NULL, print_totp,
		"codes of an app besides the password: a new secret, or none",
		"operator totp anna on"},
	{"operator logout", "operators.logout", operator_args, NULL, print_operator,
		"end the operator's logins", "operator logout anna"},
	{"operator remove", "operators.remove", operator_args, NULL, print_done,
		"remove the account with its logins and API tokens",
		"operator remove anna"},
	{"operator token add", "tokens.add", token_add_args, NULL, print_token,
		"make a token by which a program may do what the operator may",
		"operator token add anna --label reception-screen"},
	{"operator token list", "tokens.list", no_args, NULL, print_tokens,
		"API tokens, and when they were used", "operator token list"},
	{"operator token remove", "tokens.remove", token_args, NULL, print_done,
		"make an API token worth nothing", "operator token remove 3"},
	{"member list", "members.list", member_list_args, NULL, print_members,
		"who may log in by the QR code of the house", "member list smith"},
	{"member show", "members.get", member_which_args, NULL, print_member,
		"one of them, and what is known", "member show R-1042"},
	{"member add", "members.add", member_add_args, NULL, print_member,
		"let somebody log in by the QR code",
		"member add R-1042 --name \"J. Smith\" --check-out 2026-12-24"},
	{"member set", "members.set", member_set_args, NULL, print_member,
		"change it, also for devices that are online",
		"member set R-1042 --check-out 2026-12-25"},
	{"member remove", "members.remove", member_which_args, NULL, print_done,
		"remove it; its devices are offline then",
		"member remove R-1042"},
	{"member import", "members.import", member_import_args, NULL,
		print_member_import,
		"take members in from a file; who is there already is changed",
		"member import arrivals.csv"},
	{"qr generate", "qr.generate", qr_generate_args, NULL, print_qr,
		"make a QR code for logging in, for the whole house",
		"qr generate --label lobby --poster poster.html"},
	{"qr show", "qr.show", qr_show_args, NULL, print_qr,
		"the code again, as picture, poster or in the terminal",
		"qr show 1 --png qr.png"},
	{"qr list", "qr.list", no_args, NULL, print_qr_codes,
		"the codes, until when they are good, how many logged in by them",
		"qr list"},
	{"qr revoke", "qr.revoke", qr_id_args, NULL, print_done,
		"nobody logs in by this code any more", "qr revoke 1"},
	{"qr sessions", "qr.sessions", no_args, NULL, print_qr_sessions,
		"who is logged in by a QR code", "qr sessions"},
	{"qr end", "qr.end", qr_end_args, NULL, print_done,
		"end a login by a QR code", "qr end 12"},
	{"access", "access.list", access_args, NULL, print_access,
		"who asked for what, newest first", "access --who \"operator anna\""},
	{"garden", "garden.list", garden_args, NULL, print_garden,
		"what guests reach without a session, and what names have taught",
		"garden --network guest"},
	{"backup", "backup", no_args, NULL, print_backup,
		"back the database up now, encrypted where [backup] says how",
		"backup"},
	{"key", "key.show", no_args, NULL, print_key,
		"show the key of voucher codes, once, to be written down",
		"key"},
	{"unload", "unload", unload_args, NULL, print_done,
		"remove the gate: --open lets everyone through, --closed no one",
		"unload --closed"},
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

bool verb_begins(const struct verb *verb, int argc, char **argv)
{
	const char *rest = verb->words;
	int i;

	for (i = 0; i < argc; i++) {
		size_t len = strcspn(rest, " ");

		if (!len || strlen(argv[i]) != len || memcmp(argv[i], rest, len))
			return false;
		rest += len + (rest[len] == ' ');
	}
	return true;
}

const char *verb_arg_name(const struct verb_arg *arg)
{
	return arg->option ? arg->option : arg->hint;
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
	if (end == value || *end) {
		/* The help begins with the unit. */
		snprintf(err, err_len,
			"%s needs a whole number, not \"%.40s\": %.*s.",
			verb_arg_name(arg), value,
			(int)strcspn(arg->help, ";"), arg->help);
		return -EINVAL;
	}
	if (errno) {
		snprintf(err, err_len, "%s: %.40s is too large a number.",
			verb_arg_name(arg), value);
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
	case VERB_ARG_OWN:
		text = json_string(value);
		if (!text) {
			snprintf(err, err_len, "%s must be UTF-8 text.",
				verb_arg_name(arg));
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
	case VERB_ARG_PASSWORD:
	case VERB_ARG_END:
		break;
	}
	return -EINVAL;
}

static bool takes_value(const struct verb_arg *arg)
{
	return arg->type == VERB_ARG_TEXT || arg->type == VERB_ARG_INT ||
	       arg->type == VERB_ARG_OWN;
}

/* "--minutes" and "--minutes=10", whose value *ret_value then is. */
static bool is_option(
	const char *word, const char *option, const char **ret_value)
{
	size_t len = strlen(option);

	if (strncmp(word, option, len) || (word[len] && word[len] != '='))
		return false;
	*ret_value = word[len] ? word + len + 1 : NULL;
	return true;
}

/* The row that a word names, or, by its place, belongs to; -1: none. *ret_value
 * is what the word says of it, NULL: the next word may. */
static int row_of(const struct verb *verb, const char *word,
	const bool *given, const char **ret_value)
{
	bool named = !strncmp(word, "--", 2);
	const struct verb_arg *arg;
	int at;

	for (at = 0; verb->args[at].type != VERB_ARG_END; at++) {
		arg = &verb->args[at];
		if (named && arg->option &&
			is_option(word, arg->option, ret_value))
			return at;
		if (!named && !arg->option && !given[at] &&
			arg->type != VERB_ARG_PASSWORD) {
			*ret_value = word;
			return at;
		}
	}
	return -1;
}

/* What may not be left out, and what goes together. */
static int check_needs(
	const struct verb *verb, const bool *given, char *err, size_t err_len)
{
	const struct verb_arg *arg, *choice = NULL;
	int at, chosen = 0;
	bool asked = false, with = false;
	char choices[96] = "";

	for (at = 0; verb->args[at].type != VERB_ARG_END; at++) {
		arg = &verb->args[at];
		if (arg->need == VERB_REQUIRED && !given[at]) {
			snprintf(err, err_len, "%s is missing.",
				verb_arg_name(arg));
			return -EINVAL;
		}
		if (arg->need == VERB_ONE_OF) {
			choice = arg;
			with = given[at];
			chosen += with;
			snprintf(choices + strlen(choices),
				sizeof(choices) - strlen(choices), "%s%s",
				asked ? " or " : "", verb_arg_name(arg));
			asked = true;
		}
		if (arg->need == VERB_WITH && given[at] && !with) {
			snprintf(err, err_len, "%s goes with %s only.",
				arg->option, choice->option);
			return -EINVAL;
		}
	}
	if (asked && chosen != 1) {
		snprintf(err, err_len, "Give %s%s.", choices,
			chosen ? ", not both" : "");
		return -EINVAL;
	}
	return 0;
}

/* One word, or an option with the next one; *ret_used of them. */
static int take_words(const struct verb *verb, char **argv, bool *given,
	json_t *args, int *ret_used, char *err, size_t err_len)
{
	const char *value = NULL;
	int at = row_of(verb, argv[0], given, &value);
	const struct verb_arg *arg;

	if (at < 0) {
		snprintf(err, err_len, "Unexpected argument \"%s\".", argv[0]);
		return -EINVAL;
	}
	arg = &verb->args[at];
	*ret_used = 1;
	if (given[at]) {
		snprintf(err, err_len, "%s is given twice.", arg->option);
		return -EINVAL;
	}
	if (takes_value(arg) && !value) {
		value = argv[1];
		*ret_used = 2;
	}
	if (takes_value(arg) != (value != NULL)) {
		snprintf(err, err_len, "%s %s value.", arg->option,
			takes_value(arg) ? "needs a" : "takes no");
		return -EINVAL;
	}
	given[at] = true;
	return set_arg(args, arg, value, err, err_len);
}

int verb_parse(const struct verb *verb, int argc, char **argv,
	json_t **ret_args, char *err, size_t err_len)
{
	_cleanup_json_ json_t *args = json_object();
	bool given[VERB_ARGS_MAX] = {false};
	int i = 0, used, ret = 0;

	/* argv ends with a NULL. */
	while (i < argc) {
		ret = take_words(
			verb, argv + i, given, args, &used, err, err_len);
		if (ret)
			return ret;
		i += used;
	}
	ret = check_needs(verb, given, err, err_len);
	if (ret)
		return ret;
	if (verb->preset && !json_object_get(args, verb->preset))
		json_object_set_new(args, verb->preset, json_true());
	*ret_args = TAKE_PTR(args);
	return 0;
}

json_t *verb_take_own(const struct verb *verb, json_t *args)
{
	const struct verb_arg *arg;
	json_t *own = json_object();

	for (arg = verb->args; arg->type != VERB_ARG_END; arg++) {
		json_t *value = json_object_get(args, arg->field);

		if (arg->type != VERB_ARG_OWN || !value)
			continue;
		json_object_set(own, arg->field, value);
		json_object_del(args, arg->field);
	}
	return own;
}

void verb_usage(const struct verb *verb, char *buf, size_t len)
{
	const struct verb_arg *arg;
	bool in_choice = false;
	size_t at = (size_t)snprintf(buf, len, "%s", verb->words);

	for (arg = verb->args; arg->type != VERB_ARG_END && at < len; arg++) {
		bool choice = arg->need == VERB_ONE_OF;
		bool option = arg->need == VERB_OPTIONAL || arg->need == VERB_WITH;
		bool last = (in_choice || choice) && arg[1].need != VERB_ONE_OF &&
			    arg[1].need != VERB_WITH;
		const char *before = option		? " ["
				     : !choice		? " "
				     : in_choice	? " | "
							: " {";

		if (arg->type == VERB_ARG_PASSWORD)
			continue;
		at += (size_t)snprintf(buf + at, len - at, "%s%s%s%s%s%s", before,
			arg->option ? arg->option : "",
			arg->option && arg->hint ? " " : "",
			arg->hint ? arg->hint : "", option ? "]" : "",
			last ? "}" : "");
		in_choice = (in_choice || choice) && !last;
	}
}

const struct verb_arg *verb_password(const struct verb *verb)
{
	const struct verb_arg *arg;

	for (arg = verb->args; arg->type != VERB_ARG_END; arg++)
		if (arg->type == VERB_ARG_PASSWORD)
			return arg;
	return NULL;
}

void verb_sentence(
	const struct verb *verb, const char *sentence, char *buf, size_t len)
{
	const struct verb_arg *arg;
	size_t word = strcspn(sentence, " ");

	for (arg = verb->args; arg->type != VERB_ARG_END; arg++)
		if (strlen(arg->field) == word &&
			!memcmp(sentence, arg->field, word)) {
			snprintf(buf, len, "%s%s", verb_arg_name(arg),
				sentence + word);
			return;
		}
	snprintf(buf, len, "%s", sentence);
}
