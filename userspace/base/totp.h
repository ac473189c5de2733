/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One-time codes of an app on a phone (RFC 6238: SHA-1, 6 digits, 30 s), by
 * liboath. Nothing is kept here.
 */
#ifndef BASE_TOTP_H
#define BASE_TOTP_H

#include <stddef.h>
#include <stdint.h>

#define TOTP_SECRET 20 /* bytes, as RFC 4226 section 4 wants them */
#define TOTP_BASE32 33 /* the same as it is typed, with the final NUL */
#define TOTP_CODE   6  /* digits */
#define TOTP_STEP   30 /* seconds that a code is shown */
#define TOTP_URL    384

/* A secret as apps take it when nothing can be scanned. */
void totp_base32(const uint8_t secret[static TOTP_SECRET],
	char ret[static TOTP_BASE32]);
/* The address that a QR code brings into an app; both names are escaped, and cut
 * if they are long. */
void totp_url(const uint8_t secret[static TOTP_SECRET], const char *issuer,
	const char *account, char ret[static TOTP_URL]);
/*
 * The step, the number of 30 s since 1970, that `code` is of: that of now, the
 * one before or the one behind it, because clocks differ; and later than
 * `last_step`, so that one seen over a shoulder is good no more. Spaces in the
 * code do not matter. -EACCES otherwise, in the same time whatever differs.
 */
int64_t totp_step(const uint8_t secret[static TOTP_SECRET], const char *code,
	int64_t now_sec, int64_t last_step);

#endif
