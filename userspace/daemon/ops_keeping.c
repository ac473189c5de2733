/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Operations about what the box keeps for itself: its jobs and who had which
 * address when; and what was sold and used, in sums.
 */
#include <string.h>

#include "base/clock.h"
#include "base/ip.h"
#include "base/mac.h"
#include "base/util.h"
#include "daemon/client_json.h"
#include "daemon/jobs.h"
#include "daemon/ops_handlers.h"
#include "store/keeping.h"

static double to_ms(int64_t ns)
{
	return (double)ns / NSEC_PER_MSEC;
}

static void add_job(void *data, const struct job_report *report)
{
	json_array_append_new(data,
		json_pack("{s:s, s:o, s:o, s:o, s:s, s:o}", "name", report->name,
			"everySeconds",
			report->every_sec ? json_integer(report->every_sec)
					  : json_null(),
			"lastRun", json_time(report->last_run_sec), "lastMs",
			report->last_run_sec ? json_real(to_ms(report->last_ns))
					     : json_null(),
			"result",
			!report->last_run_sec ? ""
			: report->last_result ? strerror(-report->last_result)
					      : "ok",
			"next", json_time(report->next_sec)));
}

json_t *op_jobs_list(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	json_t *items = json_array();

	jobs_each(g->jobs, add_job, items);
	return reply_fields("{s:o, s:n}", "items", items, "next");
}

/* Somebody waits for a job. */
struct wanted {
	struct gatehoused *g;
	uint64_t ticket;
};

static void on_done(void *data, int result)
{
	struct wanted *wanted = data;

	ctl_server_answer(wanted->g->ctl, wanted->ticket,
		result ? reply_failed("jobs.run", result)
		       : reply_fields("{s:s}", "message", "The job was run."));
	free(wanted);
}

json_t *op_jobs_run(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_name *a = args;
	struct wanted *wanted;
	int ret = audit_now(g, caller, "job run", NULL, a->name);

	if (ret)
		return reply_failed("jobs.run", ret);
	wanted = xcalloc(1, sizeof(*wanted));
	wanted->g = g;
	ret = jobs_run_soon(g->jobs, a->name, on_done, wanted);
	if (!ret) {
		wanted->ticket = ctl_server_defer(g->ctl);
		return NULL;
	}
	free(wanted);
	if (ret == -ENOENT)
		return reply_refuse(CTL_not_found,
			"There is no job \"%s\"; see `gatehousectl jobs`.",
			a->name);
	return reply_refuse(CTL_conflict,
		"Another job is about to be run. Try again in a moment.");
}

static json_t *use_json(const struct address_use *use)
{
	return json_pack("{s:o, s:o, s:s, s:o, s:o}", "address",
		json_ip(&use->ip), "mac", json_mac(&use->mac), "network",
		use->network, "from", json_time(use->from_at), "to",
		json_time(use->to_at));
}

/* Whose, which and when; NULL, or the refusal. */
static json_t *filter_of(const struct args_addresses *a, struct mac *mac,
	struct ipaddr *ip, struct address_filter *ret_filter)
{
	*ret_filter = (struct address_filter){.until = INT64_MAX};
	if (a->of_set && mac_parse(a->of, mac) == 0)
		ret_filter->mac = mac;
	else if (a->of_set && ip_parse(a->of, ip) == 0)
		ret_filter->ip = ip;
	else if (a->of_set)
		return reply_refuse(CTL_bad_request,
			"of is a MAC or an IP address, such as "
			"02:00:5e:10:00:01 or 10.77.0.23.");
	if (!a->at_set)
		return NULL;
	if (time_parse(a->at, &ret_filter->from))
		return reply_refuse(CTL_bad_request,
			"at is a time such as 2026-11-21T04:00:00Z, or "
			"\"2026-11-21 04:00\" of the box's time zone.");
	ret_filter->until = ret_filter->from;
	return NULL;
}

json_t *op_addresses_list(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_addresses *a = args;
	int limit = a->limit_set ? (int)a->limit : OPS_LIST_DEFAULT;
	struct address_use rows[OPS_LIST_MAX];
	struct address_filter filter;
	struct ipaddr ip;
	struct mac mac;
	json_t *items, *refusal = filter_of(a, &mac, &ip, &filter);
	int n, i;

	if (refusal)
		return refusal;
	n = store_address_list(g->store, &filter,
		a->after_set ? a->after : UNLIMITED, rows, limit);
	if (n < 0)
		return reply_failed("addresses.list", n);
	items = json_array();
	for (i = 0; i < n; i++)
		json_array_append_new(items, use_json(&rows[i]));
	return reply_fields("{s:o, s:o}", "items", items, "next",
		n == limit ? json_integer(rows[n - 1].id) : json_null());
}

#define STATISTICS_DAYS 7

static const char *const by_names[] = {
	[STATISTICS_BY_HOUR] = "hour",
	[STATISTICS_BY_DAY] = "day",
	[STATISTICS_BY_MONTH] = "month",
	[STATISTICS_BY_PLAN] = "plan",
	[STATISTICS_BY_NETWORK] = "network",
};

json_t *days_of(const struct args_days *days, int64_t *from, int64_t *until)
{
	int64_t other;

	if (days->from_set && day_parse(days->from, from, &other))
		return reply_refuse(CTL_bad_request,
			"from is a day such as 2026-11-21.");
	if (days->to_set && day_parse(days->to, &other, until))
		return reply_refuse(CTL_bad_request,
			"to is a day such as 2026-11-21.");
	return NULL;
}

json_t *op_statistics_list(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_statistics *a = args;
	int limit = a->limit_set ? (int)a->limit : OPS_LIST_DEFAULT;
	int by = a->by_set ? NAME_INDEX(by_names, a->by) : STATISTICS_BY_DAY;
	struct statistic rows[OPS_LIST_MAX];
	int64_t from = clock_wall_sec() - STATISTICS_DAYS * SEC_PER_DAY;
	int64_t until = INT64_MAX;
	json_t *items, *refusal = days_of(&a->days, &from, &until);
	int n, i;

	if (refusal)
		return refusal;
	if (by < 0)
		return reply_refuse(CTL_bad_request,
			"by is hour, day, month, plan or network.");
	n = store_statistics_list(g->store, (enum statistics_by)by, from, until,
		a->after, rows, limit);
	if (n < 0)
		return reply_failed("statistics.list", n);
	items = json_array();
	for (i = 0; i < n; i++)
		json_array_append_new(items,
			json_pack("{s:o, s:I, s:I, s:I, s:I, s:s}", by_names[by],
				json_name(rows[i].of), "sessions",
				(json_int_t)rows[i].sessions, "bytesUp",
				(json_int_t)rows[i].bytes_up, "bytesDown",
				(json_int_t)rows[i].bytes_down, "revenueMinor",
				(json_int_t)rows[i].revenue_minor, "currency",
				rows[i].currency));
	return reply_fields("{s:o, s:o}", "items", items, "next",
		n == limit ? json_integer(a->after + n) : json_null());
}
