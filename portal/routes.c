/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of routes: read this first. A row names who may be asked for it
 * (instance), how it is guarded (kind, see guard.c) and who answers. A new page
 * is a row here, a page_<noun>.c, a template and its texts.
 */
#include "routes.h"

#include "api.h"
#include "base/util.h"
#include "captive.h"
#include "desk.h"
#include "pages.h"
#include "wispr.h"

/* clang-format off */
static const struct route routes[] = {
	{METHOD_GET,  "/",                        INSTANCE_GUEST, ROUTE_PAGE,  page_welcome},
	{METHOD_POST, "/activate",                INSTANCE_GUEST, ROUTE_FORM,  page_activate},
	{METHOD_POST, "/restore",                 INSTANCE_GUEST, ROUTE_FORM,  page_restore},
	{METHOD_GET,  "/r",                       INSTANCE_GUEST, ROUTE_PAGE,  page_resume},
	{METHOD_POST, "/leave",                   INSTANCE_GUEST, ROUTE_FORM,  page_leave},
	{METHOD_POST, "/pause",                   INSTANCE_GUEST, ROUTE_FORM,  page_pause},
	{METHOD_POST, "/go-on",                   INSTANCE_GUEST, ROUTE_FORM,  page_go_on},
	{METHOD_GET,  "/coins",                   INSTANCE_GUEST, ROUTE_PAGE,  page_coins},
	{METHOD_POST, "/coins/lock",              INSTANCE_GUEST, ROUTE_FORM,  page_coins_lock},
	{METHOD_POST, "/coins/done",              INSTANCE_GUEST, ROUTE_FORM,  page_coins_done},
	{METHOD_POST, "/coins/start",             INSTANCE_GUEST, ROUTE_FORM,  page_coins_start},
	{METHOD_GET,  "/devices",                 INSTANCE_GUEST, ROUTE_PAGE,  page_devices},
	{METHOD_POST, "/devices/add",             INSTANCE_GUEST, ROUTE_FORM,  page_device_add},
	{METHOD_POST, "/devices/remove",          INSTANCE_GUEST, ROUTE_FORM,  page_device_remove},
	{METHOD_POST, "/free",                    INSTANCE_GUEST, ROUTE_FORM,  page_free},
	{METHOD_GET,  "/plans",                   INSTANCE_GUEST, ROUTE_PAGE,  page_plans},
	{METHOD_GET,  "/terms",                   INSTANCE_GUEST, ROUTE_PAGE,  page_terms_text},
	{METHOD_GET,  "/help",                    INSTANCE_GUEST, ROUTE_PAGE,  page_help},
	{METHOD_POST, "/wispr/login",             INSTANCE_GUEST, ROUTE_FORM,  wispr_login},
	{METHOD_GET,  "/wispr/abort",             INSTANCE_GUEST, ROUTE_PAGE,  wispr_abort},
	{METHOD_GET,  "/login",                   INSTANCE_GUEST, ROUTE_PAGE,  page_qr_login},
	{METHOD_POST, "/login",                   INSTANCE_GUEST, ROUTE_FORM,  page_qr_enter},
	{METHOD_POST, "/logout",                  INSTANCE_GUEST, ROUTE_FORM,  page_qr_logout},
	{METHOD_GET,  "/guest/concierge",         INSTANCE_GUEST, ROUTE_PAGE,  page_concierge},
	{METHOD_GET,  "/staff/dashboard",         INSTANCE_GUEST, ROUTE_PAGE,  page_staff},
	{METHOD_GET,  "/staff/client",            INSTANCE_GUEST, ROUTE_PAGE,  page_staff_client},
	{METHOD_POST, "/staff/client/time",       INSTANCE_GUEST, ROUTE_FORM,  page_staff_time},
	{METHOD_POST, "/staff/client/pause",      INSTANCE_GUEST, ROUTE_FORM,  page_staff_pause},
	{METHOD_POST, "/staff/client/go-on",      INSTANCE_GUEST, ROUTE_FORM,  page_staff_go_on},
	{METHOD_POST, "/staff/client/move",       INSTANCE_GUEST, ROUTE_FORM,  page_staff_move},
	{METHOD_GET,  "/staff/sell",              INSTANCE_GUEST, ROUTE_PAGE,  page_staff_plans},
	{METHOD_POST, "/staff/sell",              INSTANCE_GUEST, ROUTE_FORM,  page_staff_sell},

	{METHOD_GET,  "/api/session",             INSTANCE_GUEST, ROUTE_API,   api_session},
	{METHOD_POST, "/api/vouchers/activate",   INSTANCE_GUEST, ROUTE_API,   api_activate},
	{METHOD_POST, "/api/sessions/restore",    INSTANCE_GUEST, ROUTE_API,   api_restore},
	{METHOD_POST, "/api/sessions/pause",      INSTANCE_GUEST, ROUTE_API,   api_pause},
	{METHOD_POST, "/api/sessions/resume",     INSTANCE_GUEST, ROUTE_API,   api_resume},
	{METHOD_POST, "/api/free",                INSTANCE_GUEST, ROUTE_API,   api_free},
	{METHOD_GET,  "/api/plans",               INSTANCE_GUEST, ROUTE_API,   api_plans},
	{METHOD_GET,  "/api/session/devices",     INSTANCE_GUEST, ROUTE_API,   api_guest_devices},
	{METHOD_POST, "/api/session/devices/add", INSTANCE_GUEST, ROUTE_API,   api_guest_device_add},
	{METHOD_POST, "/api/session/devices/remove", INSTANCE_GUEST, ROUTE_API, api_guest_device_remove},
	{METHOD_POST, "/api/sessions/start",      INSTANCE_GUEST, ROUTE_API,   api_start},
	{METHOD_POST, "/api/coins/lock",          INSTANCE_GUEST, ROUTE_API,   api_coins_lock},
	{METHOD_GET,  "/api/coins/status",        INSTANCE_GUEST, ROUTE_API,   api_coins_status},
	{METHOD_POST, "/api/coins/done",          INSTANCE_GUEST, ROUTE_API,   api_coins_done},
	{METHOD_POST, "/api/qr/universal/validate", INSTANCE_GUEST, ROUTE_API, api_qr_validate},
	{METHOD_POST, "/api/qr/universal/session/validate", INSTANCE_GUEST, ROUTE_API, api_qr_session},
	{METHOD_POST, "/api/qr/universal/session/logout", INSTANCE_GUEST, ROUTE_API, api_qr_logout},
	{METHOD_POST, "/api/qr/validate",         INSTANCE_GUEST, ROUTE_API,   api_qr_validate},
	{METHOD_POST, "/api/qr/checkin",          INSTANCE_GUEST, ROUTE_API,   api_qr_validate},
	{METHOD_POST, "/api/qr/checkout",         INSTANCE_GUEST, ROUTE_API,   api_qr_logout},

	{METHOD_GET,  "/dashboard*",              INSTANCE_GUEST, ROUTE_PAGE,  page_to_operators},

	{METHOD_GET,  "/",                        INSTANCE_OPERATOR, ROUTE_PAGE, desk_home},
	{METHOD_GET,  "/dashboard/clients",       INSTANCE_OPERATOR, ROUTE_PAGE, desk_clients},
	{METHOD_GET,  "/dashboard/clients/client", INSTANCE_OPERATOR, ROUTE_PAGE, desk_client},
	{METHOD_GET,  "/dashboard/vouchers",      INSTANCE_OPERATOR, ROUTE_PAGE, desk_vouchers},
	{METHOD_GET,  "/dashboard/vouchers/batch", INSTANCE_OPERATOR, ROUTE_PAGE, desk_batch},
	{METHOD_GET,  "/dashboard/vouchers/sheet", INSTANCE_OPERATOR, ROUTE_PAGE, desk_sheet},
	{METHOD_GET,  "/dashboard/supervisor",    INSTANCE_OPERATOR, ROUTE_PAGE, desk_supervisor},
	{METHOD_GET,  "/dashboard/manager",       INSTANCE_OPERATOR, ROUTE_PAGE, desk_manager},
	{METHOD_GET,  "/dashboard/members",       INSTANCE_OPERATOR, ROUTE_PAGE, desk_members},
	{METHOD_GET,  "/dashboard/members/member", INSTANCE_OPERATOR, ROUTE_PAGE, desk_member},
	{METHOD_POST, "/dashboard/members/import", INSTANCE_OPERATOR, ROUTE_FORM, desk_members_import},
	{METHOD_GET,  "/dashboard/admin/qr",      INSTANCE_OPERATOR, ROUTE_PAGE, desk_qr},
	{METHOD_GET,  "/dashboard/admin/qr/image", INSTANCE_OPERATOR, ROUTE_PAGE, desk_qr_image},
	{METHOD_GET,  "/dashboard/admin/qr/poster", INSTANCE_OPERATOR, ROUTE_PAGE, desk_qr_poster},
	{METHOD_GET,  "/api/qr/universal/generate", INSTANCE_OPERATOR, ROUTE_API, api_qr_list},
	{METHOD_POST, "/api/qr/universal/generate", INSTANCE_OPERATOR, ROUTE_API, api_qr_generate},
	{METHOD_GET,  "/dashboard/account",       INSTANCE_OPERATOR, ROUTE_PAGE, desk_account},
	{METHOD_POST, "/dashboard/do/*",          INSTANCE_OPERATOR, ROUTE_FORM, desk_do},
	{METHOD_GET,  "/dashboard*",              INSTANCE_OPERATOR, ROUTE_PAGE, desk_home},
	{METHOD_GET,  "/login",                   INSTANCE_OPERATOR, ROUTE_PAGE, desk_home},
	{METHOD_POST, "/login",                   INSTANCE_OPERATOR, ROUTE_FORM, page_login},
	{METHOD_POST, "/login/code",              INSTANCE_OPERATOR, ROUTE_FORM, page_login_code},
	{METHOD_POST, "/logout",                  INSTANCE_OPERATOR, ROUTE_FORM, page_logout},
	{METHOD_POST, "/api/login",               INSTANCE_OPERATOR, ROUTE_API, api_login},
	{METHOD_POST, "/api/logout",              INSTANCE_OPERATOR, ROUTE_API, api_logout},
	{METHOD_GET,  "/api/me",                  INSTANCE_OPERATOR, ROUTE_API, api_me},
	{METHOD_GET,  "/api/devices",             INSTANCE_OPERATOR, ROUTE_API, api_devices},
	{METHOD_GET,  "/api/devices/*",           INSTANCE_OPERATOR, ROUTE_API, api_device},
	{METHOD_PUT,  "/api/devices/*",           INSTANCE_OPERATOR, ROUTE_API, api_device_put},
	{METHOD_POST, "/api/operator/*",          INSTANCE_OPERATOR, ROUTE_API, api_operator},

	{METHOD_GET,  "/.well-known/captive-portal", INSTANCE_GUEST, ROUTE_PROBE, captive_api},
	{METHOD_GET,  "/generate_204",            INSTANCE_GUEST, ROUTE_PROBE, captive_probe},
	{METHOD_GET,  "/gen_204",                 INSTANCE_GUEST, ROUTE_PROBE, captive_probe},
	{METHOD_GET,  "/captiveportal/generate_204", INSTANCE_GUEST, ROUTE_PROBE, captive_probe},
	{METHOD_GET,  "/204",                     INSTANCE_GUEST, ROUTE_PROBE, captive_probe},
	{METHOD_GET,  "/hotspot-detect.html",     INSTANCE_GUEST, ROUTE_PROBE, captive_probe},
	{METHOD_GET,  "/library/test/success.html", INSTANCE_GUEST, ROUTE_PROBE, captive_probe},
	{METHOD_GET,  "/connecttest.txt",         INSTANCE_GUEST, ROUTE_PROBE, captive_probe},
	{METHOD_GET,  "/ncsi.txt",                INSTANCE_GUEST, ROUTE_PROBE, captive_probe},
	{METHOD_GET,  "/redirect",                INSTANCE_GUEST, ROUTE_PROBE, captive_redirect},
	{METHOD_GET,  "/canonical.html",          INSTANCE_GUEST, ROUTE_PROBE, captive_probe},
	{METHOD_GET,  "/success.txt",             INSTANCE_GUEST, ROUTE_PROBE, captive_probe},
	{METHOD_GET,  "/check_network_status.txt", INSTANCE_GUEST, ROUTE_PROBE, captive_probe},
	{METHOD_GET,  "/nm",                      INSTANCE_GUEST, ROUTE_PROBE, captive_probe},
	{METHOD_GET,  "/nm-check.txt",            INSTANCE_GUEST, ROUTE_PROBE, captive_probe},
	{METHOD_GET,  "/static/hotspot.txt",      INSTANCE_GUEST, ROUTE_PROBE, captive_probe},
	{METHOD_GET,  "/kindle-wifi/wifistub.html", INSTANCE_GUEST, ROUTE_PROBE, captive_probe},

	{METHOD_GET,  "/assets/*",                INSTANCE_BOTH, ROUTE_ASSET, page_asset},
	{METHOD_GET,  "/venue/images/*",          INSTANCE_BOTH, ROUTE_ASSET, page_venue_image},
	{METHOD_GET,  "/venue/*",                 INSTANCE_BOTH, ROUTE_PAGE, page_venue},
	{METHOD_GET,  "/favicon.ico",             INSTANCE_BOTH, ROUTE_ASSET, page_icon},
};
/* clang-format on */

static bool path_fits(const char *pattern, const char *path)
{
	size_t len = strlen(pattern);

	if (pattern[len - 1] == '*')
		return !strncmp(pattern, path, len - 1);
	return !strcmp(pattern, path);
}

int routes_lookup(enum instance instance, enum method method, const char *path,
	const struct route **ret_route)
{
	int ret = -ENOENT;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(routes); i++) {
		if (!(routes[i].instance & instance) ||
			!path_fits(routes[i].path, path))
			continue;
		*ret_route = &routes[i];
		if (routes[i].method == method)
			return 0;
		ret = -EOPNOTSUPP;
	}
	return ret;
}

const struct route *routes_at(int index)
{
	return index < (int)ARRAY_SIZE(routes) ? &routes[index] : NULL;
}
