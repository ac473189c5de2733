/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The certificate that TLS connections are answered with. One per process; it
 * may be changed under connections: those that are there keep theirs.
 */
#ifndef PORTAL_CERTIFICATE_H
#define PORTAL_CERTIFICATE_H

#include <gnutls/abstract.h>

/* PEM texts: a chain and its key. -EINVAL when they are none, or do not belong
 * together; then the one before stays. */
int certificate_set(const char *chain, const char *key);
void certificate_fini(void);

/* As gnutls_certificate_set_retrieve_function2() wants it. */
int certificate_retrieve(gnutls_session_t session,
	const gnutls_datum_t *authorities, int authority_count,
	const gnutls_pk_algorithm_t *algorithms, int algorithm_count,
	gnutls_pcert_st **ret_chain, unsigned int *ret_length,
	gnutls_privkey_t *ret_key);

#endif
