/* SPDX-License-Identifier: GPL-2.0-or-later */
// WIFI: strings of any SSID and password: a phone reads what went in. The first
// byte chooses the security and how long the SSID is; the password follows.
#include <stdint.h>
#include <stdlib.h>

#include "base/text.h"
#include "base/util.h"
#include "base/wifi_uri.h"
#include "../unit/lib/wifi_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const securities[] = {"WPA", "SAE", "WEP", "nopass"};
	char password[200] = "", text[WIFI_URI_SIZE];
	struct wifi_net net = {.password = password};
	struct wifi_read back;

	if (!size)
		return 0;
	net.security = securities[data[0] & 3];
	net.hidden = data[0] & 4;
	net.ssid_len = MIN((size_t)(data[0] >> 3) + 2, size - 1);
	net.ssid = data + 1;
	data += 1 + net.ssid_len;
	size -= 1 + net.ssid_len;
	memcpy(password, data, MIN(size, sizeof(password) - 1));
	if (wifi_uri_format(&net, text))
		return 0;
	if (!wifi_read(text, &back) || strcmp(back.password, password) ||
		strcmp(back.security, net.security) ||
		strcmp(back.hidden, net.hidden ? "true" : ""))
		abort();
	if (text_is_clean(net.ssid, net.ssid_len)
			? strlen(back.ssid) != net.ssid_len ||
				  memcmp(back.ssid, net.ssid, net.ssid_len)
			: !text_is_hex(back.ssid, 2 * net.ssid_len))
		abort();
	return 0;
}
