/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How full the kernel's table of clients is. Who has a record keeps it; who
 * has none is refused when there is no room, before anything is sold to it.
 * The log warns in time, and once: a table that stays near a mark would fill
 * it, so a mark is armed again only when the table is well below it.
 */
#include "base/log.h"
#include "daemon/sync_state.h"

#define LOW_PERCENT   80
#define REARM_PERCENT 5 /* below its mark */

static size_t percent(const struct sync *sync)
{
	return record_cache_count(sync->cache) * 100 /
	       datapath_meta(sync->g->dp)->clients_max;
}

bool sync_has_room(struct sync *sync, const struct mac *mac)
{
	const struct cached_record *entry = record_cache_find(sync->cache, mac);

	return (entry && entry->record_id) ||
	       record_cache_count(sync->cache) <
		       datapath_meta(sync->g->dp)->clients_max;
}

bool sync_has_room_to_move(struct sync *sync, const struct mac *mac)
{
	return sync_has_room(sync, mac) ||
	       record_cache_count(sync->cache) <
		       datapath_records_max(sync->g->dp);
}

enum sync_room sync_room(const struct sync *sync)
{
	if (percent(sync) >= 100)
		return SYNC_ROOM_FULL;
	return percent(sync) >= LOW_PERCENT ? SYNC_ROOM_LOW : SYNC_ROOM_OK;
}

const char *sync_room_name(enum sync_room room)
{
	static const char *const names[] = {
		[SYNC_ROOM_OK] = "ok",
		[SYNC_ROOM_LOW] = "low",
		[SYNC_ROOM_FULL] = "full",
	};

	return names[room];
}

void sync_watch_room(struct sync *sync)
{
	enum sync_room room;

	if (!sync->g->dp)
		return;
	room = sync_room(sync);
	if (room > sync->room_logged) {
		sync->room_logged = room;
		log_warning("the kernel's table of clients is %zu %% full (%zu "
			    "of %u)%s; raise clients_max",
			percent(sync), record_cache_count(sync->cache),
			datapath_meta(sync->g->dp)->clients_max,
			room == SYNC_ROOM_FULL
				? ": new logins are refused, who is online "
				  "stays so"
				: "");
	} else if (percent(sync) < LOW_PERCENT - REARM_PERCENT) {
		sync->room_logged = SYNC_ROOM_OK;
	} else if (percent(sync) < 100 - REARM_PERCENT) {
		sync->room_logged = MIN(sync->room_logged, SYNC_ROOM_LOW);
	}
}
