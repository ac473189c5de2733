/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The portals' certificates, as far as the daemon watches over them: it reads
 * the files, says until when they are good, and raises an alarm in time.
 */
#ifndef DAEMON_CERTIFICATES_H
#define DAEMON_CERTIFICATES_H

#include "base/json.h"
#include "daemon/gatehoused.h"

/* For `status`: of both instances. */
json_t *certificates_json(const struct gatehoused *g);
/* The daily look: certificate_expires while one of them soon does. */
int certificates_watch(struct gatehoused *g);

#endif
