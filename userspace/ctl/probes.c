/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The probes. A system may ask several, in turn or at once; each that is seen
 * in the wild has a row of its own, because a garden or a resolver may treat
 * one name unlike the other.
 *
 * Probes over TLS (Android's second one) are not here: what a portal can do
 * about them is to refuse the connection at once, and the gate does that to
 * all of port 443. PlayStation and Xbox have none that is known and plain; an
 * Xbox asks as Windows does.
 */
#include "ctl/probes.h"

#include <string.h>
#include <strings.h>

#include "base/util.h"

#define PLAIN "text/plain; charset=utf-8"
#define HTML  "text/html; charset=utf-8"

#define ANDROID                                                       \
	"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, " \
	"like Gecko) Chrome/60.0.3112.32 Safari/537.36"
#define CHROME                                                             \
	"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, " \
	"like Gecko) Chrome/126.0.0.0 Safari/537.36"
#define FIREFOX \
	"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
#define APPLE_SUCCESS \
	"<HTML><HEAD><TITLE>Success</TITLE></HEAD><BODY>Success</BODY></HTML>"
#define FIREFOX_PAGE                          \
	"<meta http-equiv=\"refresh\" content=\"0;" \
	"url=https://support.mozilla.org/kb/captive-portal\"/>"
#define KINDLE_MARK "81ce4465-7167-4dcb-835b-dcc9e44c112a"
#define NM_ONLINE   "NetworkManager is online"

/* clang-format off */
static const struct probe probes[] = {
	{"Android", ANDROID, "connectivitycheck.gstatic.com", "/generate_204", 204, PLAIN, ""},
	{"Android", ANDROID, "www.google.com", "/gen_204", 204, PLAIN, ""},
	{"Android", ANDROID, "play.googleapis.com", "/generate_204", 204, PLAIN, ""},
	{"Android 5", "Dalvik/2.1.0 (Linux; U; Android 5.1)", "connectivitycheck.android.com", "/generate_204", 204, PLAIN, ""},
	{"Android 4", "Dalvik/1.6.0 (Linux; U; Android 4.4.2)", "clients3.google.com", "/generate_204", 204, PLAIN, ""},
	{"GrapheneOS", ANDROID, "connectivitycheck.grapheneos.network", "/generate_204", 204, PLAIN, ""},
	{"Xiaomi", ANDROID, "connect.rom.miui.com", "/generate_204", 204, PLAIN, ""},
	{"Huawei, HarmonyOS", ANDROID, "connectivitycheck.platform.hicloud.com", "/generate_204", 204, PLAIN, ""},
	{"Oppo", ANDROID, "conn1.oppomobile.com", "/generate_204", 204, PLAIN, ""},
	{"vivo", ANDROID, "wifi.vivo.com.cn", "/generate_204", 204, PLAIN, ""},
	{"Amazon Fire", "Dalvik/2.1.0 (Linux; U; Android 9; KFTRWI)", "fireoscaptiveportal.com", "/generate_204", 204, PLAIN, ""},
	{"Kindle", "Mozilla/5.0 (Linux; U; en-US) AppleWebKit/528.5+ Kindle/3.0+", "spectrum.s3.amazonaws.com", "/kindle-wifi/wifistub.html", 200, HTML, KINDLE_MARK},
	{"ChromeOS, Chrome", CHROME, "www.gstatic.com", "/generate_204", 204, PLAIN, ""},
	{"iPhone, iPad", "CaptiveNetworkSupport-443.120.1 wispr", "captive.apple.com", "/hotspot-detect.html", 200, HTML, APPLE_SUCCESS},
	{"macOS", "CaptiveNetworkSupport-467.100.10 wispr", "captive.apple.com", "/hotspot-detect.html", 200, HTML, APPLE_SUCCESS},
	{"iOS 6", "CaptiveNetworkSupport-183 wispr", "www.apple.com", "/library/test/success.html", 200, HTML, APPLE_SUCCESS},
	{"Windows, Xbox", "Microsoft NCSI", "www.msftconnecttest.com", "/connecttest.txt", 200, PLAIN, "Microsoft Connect Test"},
	{"Windows, IPv6", "Microsoft NCSI", "ipv6.msftconnecttest.com", "/connecttest.txt", 200, PLAIN, "Microsoft Connect Test"},
	{"Windows 8", "Microsoft NCSI", "www.msftncsi.com", "/ncsi.txt", 200, PLAIN, "Microsoft NCSI"},
	{"Edge", CHROME " Edg/126.0.0.0", "edge-http.microsoft.com", "/captiveportal/generate_204", 204, PLAIN, ""},
	{"Firefox", FIREFOX, "detectportal.firefox.com", "/canonical.html", 200, HTML, FIREFOX_PAGE},
	{"Firefox", FIREFOX, "detectportal.firefox.com", "/success.txt", 200, PLAIN, "success\n"},
	{"GNOME", NULL, "nmcheck.gnome.org", "/check_network_status.txt", 200, PLAIN, NM_ONLINE "\n"},
	{"Debian", NULL, "network-test.debian.org", "/nm", 200, PLAIN, NM_ONLINE "\n"},
	{"Fedora", NULL, "fedoraproject.org", "/static/hotspot.txt", 200, PLAIN, "OK"},
	{"Ubuntu", NULL, "connectivity-check.ubuntu.com", "/", 204, PLAIN, ""},
	{"Arch", NULL, "ping.archlinux.org", "/nm-check.txt", 200, PLAIN, NM_ONLINE "\n"},
	{"openSUSE", NULL, "conncheck.opensuse.org", "/", 200, PLAIN, NM_ONLINE "\n"},
	{"KDE", NULL, "networkcheck.kde.org", "/", 200, PLAIN, "OK\n"},
	{"Steam Deck", "Valve/Steam HTTP Client 1.0", "test.steampowered.com", "/204", 204, PLAIN, ""},
	{"Nintendo Switch", NULL, "ctest.cdn.nintendo.net", "/", 200, PLAIN, "ok"},
	{"Nintendo 3DS, Wii U", NULL, "conntest.nintendowifi.net", "/", 200, HTML, "HTML Page"},
};
/* clang-format on */

/* Asked by machines as well, in older versions. */
static const char *const more_hosts[] = {"ipv6.msftncsi.com",
	"msftconnecttest.com", "www.airport.us", "www.thinkdifferent.us",
	"www.ibook.info", "www.itools.info", "www.appleiphonecell.com"};

/* Of the hosts above: people want their pages. */
static const char *const sites[] = {
	"www.google.com", "www.apple.com", "fedoraproject.org"};

/* Android 10 and later: an answer of so few bytes is a broken proxy's. */
#define LEAST_PAGE 5

const struct probe *probes_at(int index)
{
	return index >= 0 && index < (int)ARRAY_SIZE(probes) ? &probes[index]
							     : NULL;
}

const struct probe *probes_lookup(const char *path)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(probes); i++)
		if (path[1] && !strcmp(probes[i].path, path))
			return &probes[i];
	return NULL;
}

static bool is_one_of(const char *host, const char *const *list, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (!strcasecmp(list[i], host))
			return true;
	return false;
}

bool probes_is_host(const char *host)
{
	size_t i;

	if (is_one_of(host, sites, ARRAY_SIZE(sites)))
		return false;
	for (i = 0; i < ARRAY_SIZE(probes); i++)
		if (!strcasecmp(probes[i].host, host))
			return true;
	return is_one_of(host, more_hosts, ARRAY_SIZE(more_hosts));
}

enum verdict probes_judge(const struct probe *probe, int status,
	const char *location, const char *body, size_t len)
{
	size_t want = strlen(probe->body);

	if (status == probe->status &&
		(want ? body && memmem(body, len, probe->body, want) : !len))
		return VERDICT_INTERNET;
	if (status >= 300 && status < 400)
		return location && (!strncasecmp(location, "http://", 7) ||
					   !strncasecmp(location, "https://", 8))
			       ? VERDICT_PORTAL
			       : VERDICT_NONE;
	return status == 200 && len >= LEAST_PAGE ? VERDICT_PORTAL : VERDICT_NONE;
}
