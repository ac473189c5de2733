/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a certificate says of itself; nothing is verified here. */
#ifndef BASE_X509_H
#define BASE_X509_H

#include <stdbool.h>
#include <stdint.h>

struct x509_facts {
	int64_t from_sec, until_sec; /* wall clock */
	bool is_own; /* issued by itself: no phone trusts it */
	bool is_for; /* `host` is one of its names; without a host true */
};

/* Of the first certificate of the PEM text `chain`; `host` may be "". -EINVAL:
 * there is none. */
int x509_read(const char *chain, const char *host, struct x509_facts *ret_facts);

#endif
