/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket: what gatehoused, gatehouse-portal and gatehousectl agree
 * on. SOCK_SEQPACKET; one packet is one JSON object of at most CTL_FRAME_MAX
 * bytes; each request gets exactly one reply, in order.
 *
 * Request  {"op":"clients.get","args":{"mac":"02:00:00:00:00:01"}}
 * Reply    {"success":true, ...}
 *      or  {"success":false,"error":"<sentence for a person>",
 *           "code":"<stable_word>"}
 *
 * After a success of "watch" the connection also carries events, among replies
 * if more is asked on it; they have "event" and no "success":
 * Event    {"event":"first_seen","time":"...","mac":"...","network":"lan"}
 *
 * Who asks is derived by the daemon from exactly one proof, never from a field
 * of the request (docs/design.md T1):
 *   local  no file descriptor attached: the peer credentials of the socket,
 *          uid -> role by the configuration, root is admin;
 *   guest  the accepted TCP socket attached with SCM_RIGHTS: the client is the
 *          MAC in the Ethernet header of the connection's saved SYN. The
 *          saved SYN can be read once, so a connection proves one request;
 *   operator  "token" beside "op": 64 hex digits, of a login or of the API.
 * A request with a descriptor is a guest's and nothing else, whoever sent it,
 * and one with a token an operator's. With both it is a guest's who logged in by
 * the QR code with a PIN, the token being the cookie of that login: then the
 * guest is staff, on that device and no other.
 */
#ifndef GATEHOUSE_CTL_H
#define GATEHOUSE_CTL_H

#define GATEHOUSE_VERSION "0.1.0"
#define CTL_FRAME_MAX (64 * 1024)
#define CTL_SOCKET_DEFAULT "/run/gatehouse/control.sock"
#define CTL_CONFIG_DEFAULT "/etc/gatehouse/gatehouse.conf"

/* Lengths of arguments in bytes; what is longer is a bad_request. */
#define CTL_NAME_MAX  64  /* a plan's, a client's */
#define CTL_NETWORKS_MAX 255 /* names of networks in one argument */
#define CTL_PICK_LEN  16  /* a device that was offered: hex digits */
#define CTL_CODE_MAX  64  /* a voucher's code as it is typed */
#define CTL_TICKET_LEN 32 /* of a login that waits for its second step: hex */
#define CTL_TOKEN_LEN 64  /* a session token: hex digits */
#define CTL_TERMS_MAX 40  /* a version of the terms of use */
#define CTL_TOKEN_MAX 128 /* whatever is shown as one: refused in its own words */
#define CTL_QR_LEN    48  /* the token of a poster: hex digits */
#define CTL_URL_MAX   512 /* the address on a poster */
#define CTL_IDENTITY_MAX 254 /* e-mail, booking reference, staff number */
#define CTL_SECRET_MAX 128 /* PIN, last name and room */
#define CTL_AGENT_MAX 200 /* what a browser says it is */

/* The unit of `megabytes`. */
#define CTL_MEGABYTE 1000000LL

/*
 * Every code that a reply can carry, with the HTTP status that the portal
 * sends and the exit status of gatehousectl. X(code, http, exit).
 * Exit: 1 refused or differs, 2 wrong use, 3 not found, 4 not allowed,
 * 5 try again later, 6 the daemon failed. `unavailable` is what callers say
 * when the daemon is away; it is in no reply.
 */
#define CTL_CODES(X)                        \
	X(bad_request, 400, 2)              \
	X(unknown_operation, 404, 2)        \
	X(not_allowed, 403, 4)              \
	X(not_logged_in, 401, 4)            \
	X(wrong_password, 401, 4)           \
	X(no_client, 503, 5)                \
	X(not_a_guest, 403, 4)              \
	X(not_found, 404, 3)                \
	X(conflict, 409, 1)                 \
	X(voucher_unknown, 404, 3)          \
	X(voucher_used, 409, 1)             \
	X(voucher_expired, 410, 1)          \
	X(voucher_revoked, 403, 1)          \
	X(session_unknown, 404, 3)          \
	X(token_expired, 401, 1)            \
	X(session_used_up, 401, 1)          \
	X(not_transferable, 403, 1)         \
	X(client_blocked, 403, 1)           \
	X(other_network, 403, 1)            \
	X(session_held, 403, 1)             \
	X(not_pausable, 409, 1)             \
	X(devices_full, 409, 1)             \
	X(has_session, 409, 1)              \
	X(not_shareable, 409, 1)            \
	X(device_taken, 409, 1)             \
	X(free_off, 404, 3)                 \
	X(free_used, 409, 1)                \
	X(free_full, 429, 5)                \
	X(free_not_needed, 409, 1)          \
	X(slot_busy, 409, 5)                \
	X(slot_offline, 503, 5)             \
	X(lock_unknown, 404, 3)             \
	X(amount_differs, 409, 1)           \
	X(amount_small, 409, 1)             \
	X(qr_unknown, 404, 3)               \
	X(qr_expired, 401, 1)               \
	X(qr_revoked, 401, 1)               \
	X(second_factor_required, 401, 1)   \
	X(identity_unknown, 403, 1)         \
	X(outside_stay, 403, 1)             \
	X(not_on_site, 403, 1)              \
	X(terms_required, 403, 1)           \
	X(slow_down, 429, 5)                \
	X(table_full, 503, 5)               \
	X(unavailable, 503, 5)              \
	X(differs, 409, 1)                  \
	X(internal, 500, 6)

#endif
