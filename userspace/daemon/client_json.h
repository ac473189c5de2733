/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Clients and sessions as the fields of a reply; refusals of rules as replies. */
#ifndef DAEMON_CLIENT_JSON_H
#define DAEMON_CLIENT_JSON_H

#include "daemon/gatehoused.h"
#include "rules/kinds.h"
#include "rules/session.h"

/* By both clocks. */
struct moment moment_now(void);

/* "AA:BB:..", as guests are shown it (docs/design.md P5). */
json_t *json_mac(const struct mac *mac);
/* RFC 3339; null for 0 and UNLIMITED. */
json_t *json_time(int64_t wall_sec);
/* null for UNLIMITED. */
json_t *json_limit(int64_t value);
/* Whole seconds, the one that has begun included. */
json_t *json_seconds(int64_t ns);

/* Words with a space between as an array; null for "". */
json_t *json_words(const char *words);
/* null for "". */
json_t *json_name(const char *name);
/* null for the zero address. */
json_t *json_ip(const struct ipaddr *addr);

/* The name of a network number; NULL: it has none. */
const char *network_name_of(struct gatehoused *g, uint32_t number);
/* The same; null for 0. */
json_t *json_network(struct gatehoused *g, uint32_t number);
/* Where and when the kernel saw a client last; 0: never. */
void client_sight(struct gatehoused *g, const struct mac *mac,
	uint32_t *ret_network, int64_t *ret_seen_ns);

/* The group that holds for a client now, counted: of the voucher in use, or the
 * device's. `account` NULL: no session; id 0: in none. */
int client_group(struct gatehoused *g, const struct device *device,
	struct account *account, struct group *ret_group);
/* That of its session, "captive", "blocked" or "exempt"; or why a session does not help:
 * "elsewhere" (what it uses is not for the guest's network), "group_used_up",
 * "out_of_hours". */
const char *client_state(const struct device *device, const struct guest *guest,
	struct account *account, const struct group *group,
	const struct moment *now);
/* The same, looked up. */
int client_state_at(struct gatehoused *g, const struct guest *guest,
	const char **ret_state);
/* Adds group and what is left in it (groupBytes, groupUsedUp), whatever the
 * client's session has; how many share a voucher (devices, devicesMax).
 * `object` has what json_add_account() adds. */
void json_add_group(json_t *object, const struct group *group);
/* Adds kind, plan, creditSeconds, remainingBytes (of the credit in use),
 * remainingSeconds (of all), bytesUp, bytesDown, expiresAt; `account` NULL: a
 * client without a session. */
void json_add_account(json_t *object, const struct account *account,
	const struct moment *now);
/* Why and since when it is held or paused (nulls: it is not, or there is none),
 * and whether it may be paused now. */
void json_add_stops(json_t *object, const struct account *account);
/* Adds credits: what is not used up, the one in use first. */
void json_add_credits(json_t *object, const struct account *account,
	const struct moment *now);

/*
 * Everything about one client: device row, session, where the kernel sees it;
 * `whole`: with its credits, for which a page of many has no room. -ENOENT when
 * nobody knows it. Owned by the caller.
 */
int json_client(struct gatehoused *g, const struct mac *mac, bool whole,
	json_t **ret_json);

/* "addresses": those that the source check takes for the client's. Reads the
 * whole table, so for one client only. */
int json_add_addresses(struct gatehoused *g, const struct mac *mac, json_t *object);

/* A refusal in words; `outcome` is not OUTCOME_OK. */
json_t *reply_outcome(enum outcome outcome);

/* The device's row, made when there is none. An operator's word about it is no
 * sight of it: last_seen is what the kernel knows. */
int device_known(struct gatehoused *g, const struct mac *mac,
	struct device *ret_device);
/* The same with last_seen now. */
int device_seen(struct gatehoused *g, const struct mac *mac,
	struct device *ret_device);
/* NULL, or the refusal that there is no room for a record of this client. */
json_t *refuse_without_room(struct gatehoused *g, const struct mac *mac);
/* The same for a client that takes over what another one has. */
json_t *refuse_without_room_to_move(
	struct gatehoused *g, const struct mac *mac);

#endif
