/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A certificate that has ended shuts every phone out of the portal, and nobody
 * looks at it until then. The keys are none of the daemon's business: it reads
 * the certificates only, anew each time, for they are renewed under it.
 */
#include "daemon/certificates.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "base/x509.h"
#include "daemon/alarms.h"
#include "daemon/client_json.h"

#define FILE_MAX (64 * 1024)
/* Let's Encrypt renews 30 days before the end: here it was to happen. */
#define SOON_DAYS 21
#define LATE_DAYS 7

/* Of one instance. */
struct place {
	const char *path, *name;
	int http_port, port;
};

static struct place place_of(const struct config *c, bool of_operators)
{
	if (of_operators)
		return (struct place){c->operator_tls_cert, c->operator_name,
			c->operator_http_port, c->operator_https_port};
	return (struct place){c->tls_cert, c->portal_name, c->portal_http_port,
		c->portal_https_port};
}

static int read_facts(const struct place *place, struct x509_facts *ret_facts)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	FILE *file = fopen(place->path, "re");
	int ret = 0;

	if (!file)
		return -errno;
	text = xcalloc(1, FILE_MAX + 1);
	len = fread(text, 1, FILE_MAX, file);
	if (!len)
		ret = ferror(file) ? -EIO : -EINVAL;
	fclose(file);
	return ret ?: x509_read(text, place->name, ret_facts);
}

static int64_t days_left(const struct x509_facts *facts)
{
	int64_t left = facts->until_sec - clock_wall_sec();

	/* Downwards also below 0: what ended an hour ago has not 0 days. */
	return left < 0 ? -1 - (-left / SEC_PER_DAY) : left / SEC_PER_DAY;
}

/* What is wrong with it, in a sentence; "": nothing. */
static const char *problem_of(int ret, const struct x509_facts *facts)
{
	if (ret == -EINVAL)
		return "the file has no certificate in it";
	if (ret)
		return "the file cannot be read by gatehoused";
	if (facts->until_sec <= clock_wall_sec())
		return "it has ended: phones refuse the portal; renew it";
	if (facts->from_sec > clock_wall_sec())
		return "it does not begin before a later date; is the clock right?";
	if (!facts->is_for)
		return "it is not for the portal's `name`";
	if (days_left(facts) < SOON_DAYS)
		return "it ends soon; renew it";
	if (facts->is_own)
		return "it is issued by itself: no phone trusts it";
	return "";
}

static json_t *certificate_json(const struct place *place)
{
	struct x509_facts facts = {0};
	int ret;

	if (!*place->path)
		return json_null();
	ret = read_facts(place, &facts);
	return json_pack("{s:s, s:o, s:o, s:s}", "path", place->path,
		"expiresAt", ret ? json_null() : json_time(facts.until_sec),
		"daysLeft", ret ? json_null() : json_integer(days_left(&facts)),
		"problem", problem_of(ret, &facts));
}

/* Where it is by TLS; null without a name, for it is another address in each
 * network, or without a certificate. */
static json_t *url_of(const struct place *place)
{
	if (!*place->path || !*place->name)
		return json_null();
	if (place->port == 443)
		return json_sprintf("https://%s", place->name);
	return json_sprintf("https://%s:%d", place->name, place->port);
}

static json_t *place_json(const struct place *place, pid_t pid)
{
	return json_pack("{s:s, s:i, s:o, s:o, s:o}", "name", place->name,
		"httpPort", place->http_port, "url", url_of(place),
		"certificate", certificate_json(place), "pid",
		pid ? json_integer(pid) : json_null());
}

static pid_t process_of(const struct gatehoused *g, bool has_user, uid_t uid)
{
	return has_user ? ctl_server_process_of(g->ctl, uid) : 0;
}

json_t *certificates_json(const struct gatehoused *g)
{
	const struct role_table *roles = &g->roles;
	struct place guests = place_of(&g->config, false);
	struct place operators = place_of(&g->config, true);

	return json_pack("{s:o, s:o}", "guests",
		place_json(&guests, process_of(g, roles->has_portal,
					    roles->portal_uid)),
		"operators",
		place_json(&operators,
			process_of(g, roles->has_door, roles->door_uid)));
}

static void watch(struct gatehoused *g, bool of_operators)
{
	struct place place = place_of(&g->config, of_operators);
	struct x509_facts facts;
	int64_t days;

	if (!*place.path || read_facts(&place, &facts))
		return;
	days = days_left(&facts);
	if (days >= SOON_DAYS)
		return;
	if (days < 0)
		log_error("the certificate %s has ended", place.path);
	else
		log_warning("the certificate %s ends in %lld day%s", place.path,
			(long long)days, days == 1 ? "" : "s");
	alarms_raise(g->alarms, "certificate_expires",
		days < LATE_DAYS ? SEVERITY_HIGH : SEVERITY_MEDIUM, NULL, NULL,
		0,
		of_operators ? "the certificate of the operators' pages ends soon "
			       "or has ended"
			     : "the portal's certificate ends soon or has ended");
}

int certificates_watch(struct gatehoused *g)
{
	watch(g, false);
	watch(g, true);
	return 0;
}
