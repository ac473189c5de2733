/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GnuTLS asks for the certificate at each handshake and keeps pointers to it
 * until the handshake is over. So the last few are kept: a handshake has 8 s
 * (PORTAL_PATIENCE_NS), and the keeper tells of a change every 4 s at most.
 */
#include "certificate.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

#define CHAIN_MAX 16
#define KEPT	  4

struct certificate {
	gnutls_pcert_st chain[CHAIN_MAX];
	unsigned int length;
	gnutls_privkey_t key;
};

static struct certificate *kept[KEPT];
static unsigned int current;

/* NULL is fine. */
static void certificate_free(struct certificate *certificate)
{
	unsigned int i;

	if (!certificate)
		return;
	for (i = 0; i < certificate->length; i++)
		gnutls_pcert_deinit(&certificate->chain[i]);
	if (certificate->key)
		gnutls_privkey_deinit(certificate->key);
	free(certificate);
}

static gnutls_datum_t datum_of(const char *text)
{
	return (gnutls_datum_t){
		(unsigned char *)text, (unsigned int)strlen(text)};
}

/* Credentials are not made with a key that is another certificate's. */
static bool is_pair(const gnutls_datum_t *chain, const gnutls_datum_t *key)
{
	gnutls_certificate_credentials_t both;
	int ret = gnutls_certificate_allocate_credentials(&both);

	if (ret)
		return false;
	ret = gnutls_certificate_set_x509_key_mem(
		both, chain, key, GNUTLS_X509_FMT_PEM);
	gnutls_certificate_free_credentials(both);
	return ret >= 0;
}

static int load(struct certificate *certificate, const gnutls_datum_t *chain,
	const gnutls_datum_t *key)
{
	unsigned int length = CHAIN_MAX;

	if (gnutls_pcert_list_import_x509_raw(certificate->chain, &length, chain,
		    GNUTLS_X509_FMT_PEM, 0) < 0)
		return -EINVAL;
	certificate->length = length;
	if (gnutls_privkey_init(&certificate->key) < 0 ||
		gnutls_privkey_import_x509_raw(certificate->key, key,
			GNUTLS_X509_FMT_PEM, NULL, 0) < 0)
		return -EINVAL;
	return 0;
}

int certificate_set(const char *chain, const char *key)
{
	gnutls_datum_t chain_text = datum_of(chain), key_text = datum_of(key);
	struct certificate *fresh;

	if (!is_pair(&chain_text, &key_text))
		return -EINVAL;
	fresh = xcalloc(1, sizeof(*fresh));
	if (load(fresh, &chain_text, &key_text)) {
		certificate_free(fresh);
		return -EINVAL;
	}
	current = (current + 1) % KEPT;
	certificate_free(kept[current]);
	kept[current] = fresh;
	return 0;
}

void certificate_fini(void)
{
	size_t i;

	for (i = 0; i < KEPT; i++) {
		certificate_free(kept[i]);
		kept[i] = NULL;
	}
}

int certificate_retrieve(gnutls_session_t session,
	const gnutls_datum_t *authorities, int authority_count,
	const gnutls_pk_algorithm_t *algorithms, int algorithm_count,
	gnutls_pcert_st **ret_chain, unsigned int *ret_length,
	gnutls_privkey_t *ret_key)
{
	*ret_chain = kept[current]->chain;
	*ret_length = kept[current]->length;
	*ret_key = kept[current]->key;
	return 0;
}
