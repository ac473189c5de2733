/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads certificates with GnuTLS. The first one of a chain is the server's
 * own, and the one that ends first is it as a rule.
 */
#include "base/x509.h"

#include <errno.h>
#include <gnutls/x509.h>
#include <string.h>

int x509_read(const char *chain, const char *host, struct x509_facts *ret_facts)
{
	gnutls_datum_t pem = {
		(unsigned char *)chain, (unsigned int)strlen(chain)};
	gnutls_x509_crt_t crt;
	int ret;

	if (gnutls_x509_crt_init(&crt) < 0)
		return -ENOMEM;
	ret = gnutls_x509_crt_import(crt, &pem, GNUTLS_X509_FMT_PEM);
	if (ret >= 0)
		*ret_facts = (struct x509_facts){
			.from_sec = gnutls_x509_crt_get_activation_time(crt),
			.until_sec = gnutls_x509_crt_get_expiration_time(crt),
			.is_own = gnutls_x509_crt_check_issuer(crt, crt) != 0,
			.is_for = !*host ||
				  gnutls_x509_crt_check_hostname(crt, host) != 0,
		};
	gnutls_x509_crt_deinit(crt);
	return ret < 0 ? -EINVAL : 0;
}
