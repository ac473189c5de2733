/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The text of a QR code by which a phone joins a Wi-Fi:
 * WIFI:T:WPA;S:cafe;P:secret;H:true;; as ZXing wrote it down ("Barcode Contents")
 * and the cameras of Android and iOS read it.
 */
#ifndef BASE_WIFI_URI_H
#define BASE_WIFI_URI_H

#include <stdbool.h>
#include <stddef.h>

#define WIFI_SSID_MAX 32      /* bytes, IEEE 802.11 9.4.2.2 */
#define WIFI_PASSWORD_MAX 128 /* bytes; SAE has no limit of its own */
#define WIFI_URI_SIZE 512     /* the longest, each byte escaped, with its NUL */

struct wifi_net {
	const void *ssid; /* any bytes, 1 to WIFI_SSID_MAX */
	size_t ssid_len;
	const char *security; /* WPA (all of WPA, WPA2, WPA3 with WPA2), SAE, WEP, nopass */
	const char *password; /* "" with nopass */
	bool hidden; /* the network does not tell its name */
};

/*
 * -EINVAL: SSID without a byte or too long, a security of another name, a
 * password with control characters or of a length that this security does not
 * have: WPA 8 to 63 bytes or 64 hex digits, SAE 1 to 128 bytes, WEP 5 or 13 bytes
 * or 10 or 26 hex digits, nopass none.
 */
int wifi_uri_format(
	const struct wifi_net *net, char ret_text[static WIFI_URI_SIZE]);

#endif
