/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lines that make a DHCP server or router daemon tell guests where the
 * portal's API is (RFC 8910), ready to be pasted.
 */
#ifndef CTL_CAPPORT_H
#define CTL_CAPPORT_H

#include "base/json.h"

/*
 * From the reply of `status` and the options "for" and "network" in `own`: a
 * reply with "text", or a refusal that says what is missing. Owned by the
 * caller.
 */
json_t *capport_make(const json_t *status, const json_t *own);

#endif
