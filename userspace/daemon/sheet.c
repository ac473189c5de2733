/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is printed on a voucher. The URL is the portal's as its guests reach it:
 * by its name, which is the same on every network, or by its address there.
 */
#include "daemon/sheet.h"

#include "base/text.h"
#include "base/util.h"
#include "daemon/client_json.h"
#include "daemon/portal_url.h"
#include "rules/voucher.h"

static const struct config_network *network_of(
	const struct config *config, const char *names, const char *name)
{
	const struct config_network *network;
	int i;

	for (i = 0; i < config->network_count; i++) {
		network = &config->networks[i];
		if (portal_is_on(network) &&
			(name ? !strcmp(network->name, name)
			      : !names[0] || text_has_word(names, network->name)))
			return network;
	}
	return NULL;
}

json_t *sheet_reply(
	struct gatehoused *g, const struct plan *plan, const char *network)
{
	const struct config_network *found =
		network_of(&g->config, plan->networks, network);
	const char *ssid = "";
	char url[PORTAL_URL] = "";

	if (!found && network)
		return reply_refuse(CTL_not_found,
			"There is no network %s with a portal; see "
			"`gatehousectl status`.",
			network);
	if (found)
		portal_url(&g->config, found, url);
	/* Its default is a word of the configuration's, which no phone shows. */
	if (found && strcmp(found->ssid, found->name) != 0)
		ssid = found->ssid;
	return reply_fields("{s:s, s:o, s:o, s:[]}", "venue",
		found && found->venue_name[0] ? found->venue_name
					      : g->config.venue_name,
		"portal", json_name(url), "ssid", json_name(ssid), "items");
}

void sheet_add(struct gatehoused *g, json_t *reply,
	const struct voucher *voucher, const struct plan *plan)
{
	char code[VOUCHER_CODE];

	if (voucher_reveal(&g->rules, voucher, code))
		return;
	json_array_append_new(json_object_get(reply, "items"),
		json_pack("{s:s, s:s, s:o, s:o, s:I, s:s, s:I, s:o, s:o}", "code",
			code, "plan", plan->name, "minutes",
			json_limit(plan->seconds == UNLIMITED
					   ? UNLIMITED
					   : plan->seconds / 60),
			"megabytes",
			json_limit(plan->bytes == UNLIMITED
					   ? UNLIMITED
					   : plan->bytes / CTL_MEGABYTE),
			"priceMinor", (json_int_t)plan->price_minor, "currency",
			plan->currency, "devices", (json_int_t)plan->devices,
			"hours", json_name(plan->terms.hours), "expiresAt",
			json_time(voucher->expires_at)));
}
