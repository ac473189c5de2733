/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * WIFI: strings. A field is text, with a backslash before what has a meaning.
 * ZXing's paper wants quotes around text that could be hex digits, such as an SSID
 * "CAFE". There are none here: iOS takes them for a part of the text, and Android
 * (since 10) takes the digits for text without them. A password needs them least:
 * hex digits of a length that could be a key (64 for WPA, 10 and 26 for WEP) are
 * one. Only an SSID that is no text is written in digits, as that paper says.
 */
#include "base/wifi_uri.h"

#include <stdint.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"

static bool is_wpa(const char *password, size_t len)
{
	return (len >= 8 && len <= 63) || (len == 64 && text_is_hex(password, 64));
}

static bool is_sae(const char *password, size_t len)
{
	return len >= 1 && len <= WIFI_PASSWORD_MAX;
}

static bool is_wep(const char *password, size_t len)
{
	return len == 5 || len == 13 ||
	       ((len == 10 || len == 26) && text_is_hex(password, len));
}

static bool is_none(const char *password, size_t len)
{
	return !len;
}

static const struct {
	const char *name;
	bool (*may_be)(const char *password, size_t len);
} securities[] = {
	{"WPA", is_wpa},
	{"SAE", is_sae},
	{"WEP", is_wep},
	{"nopass", is_none},
};

static char *put_escaped(char *to, const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (strchr("\\;,:\"", text[i]))
			*to++ = '\\';
		*to++ = text[i];
	}
	return to;
}

static char *put_ssid(char *to, const uint8_t *ssid, size_t len)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t i;

	if (text_is_clean((const char *)ssid, len))
		return put_escaped(to, (const char *)ssid, len);
	for (i = 0; i < len; i++) {
		*to++ = digits[ssid[i] >> 4];
		*to++ = digits[ssid[i] & 15];
	}
	return to;
}

int wifi_uri_format(
	const struct wifi_net *net, char ret_text[static WIFI_URI_SIZE])
{
	size_t len = strlen(net->password), i;
	char *to = ret_text;

	for (i = 0; i < ARRAY_SIZE(securities); i++)
		if (!strcmp(securities[i].name, net->security))
			break;
	if (i == ARRAY_SIZE(securities) || !securities[i].may_be(net->password, len) ||
		!text_is_clean(net->password, len) || !net->ssid_len ||
		net->ssid_len > WIFI_SSID_MAX)
		return -EINVAL;
	to = stpcpy(to, "WIFI:T:");
	to = stpcpy(to, net->security);
	to = stpcpy(to, ";S:");
	to = put_ssid(to, net->ssid, net->ssid_len);
	if (len) {
		to = stpcpy(to, ";P:");
		to = put_escaped(to, net->password, len);
	}
	stpcpy(to, net->hidden ? ";H:true;;" : ";;");
	return 0;
}
