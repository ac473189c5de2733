/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A hash table of entries, chained, growing by doubling. It knows nothing of
 * the kernel or the store. Entries never move, so lists may point at them.
 *
 * All entries are also on a ring, in the order in which a sweep met them last.
 * The kernel's table hardly changes its order, so the next sweep finds nearly
 * each entry behind the one before: a search among 100,000 costs two misses of
 * the cache, and those were half of a sweep.
 */
#include "daemon/record_cache.h"

#include "base/mac.h"
#include "base/util.h"

#define SLOTS_MIN 1024
#define PART	  1024 /* slots */

struct record_cache {
	struct cached_record **slots;
	size_t size; /* power of two */
	size_t count;
	struct cached_record *at; /* on the ring: followed last; NULL: it is empty */
};

struct record_cache *record_cache_new(void)
{
	struct record_cache *cache = xcalloc(1, sizeof(*cache));

	cache->size = SLOTS_MIN;
	cache->slots = xcalloc(cache->size, sizeof(*cache->slots));
	return cache;
}

void record_cache_free(struct record_cache *cache)
{
	size_t i;

	if (!cache)
		return;
	for (i = 0; i < cache->size; i++)
		while (cache->slots[i])
			record_cache_remove(cache, cache->slots[i]);
	free(cache->slots);
	free(cache);
}

static struct cached_record **slot_of(struct record_cache *cache, const struct mac *mac)
{
	return &cache->slots[mac_hash(mac) & (cache->size - 1)];
}

static void grow(struct record_cache *cache)
{
	struct cached_record **old = cache->slots;
	size_t size = cache->size, i;

	cache->size = size * 2;
	cache->slots = xcalloc(cache->size, sizeof(*cache->slots));
	for (i = 0; i < size; i++)
		while (old[i]) {
			struct cached_record *entry = old[i];
			struct cached_record **slot = slot_of(cache, &entry->mac);

			old[i] = entry->hash_next;
			entry->hash_next = *slot;
			*slot = entry;
		}
	free(old);
}

struct cached_record *record_cache_find(struct record_cache *cache, const struct mac *mac)
{
	struct cached_record *entry = *slot_of(cache, mac);

	while (entry && !mac_equal(&entry->mac, mac))
		entry = entry->hash_next;
	return entry;
}

/* The ring. */

static void ring_insert(struct record_cache *cache, struct cached_record *entry)
{
	struct cached_record *at = cache->at ? cache->at : entry;

	entry->order_prev = at;
	entry->order_next = cache->at ? at->order_next : entry;
	entry->order_next->order_prev = entry;
	at->order_next = entry;
	cache->at = entry;
}

static void ring_remove(struct record_cache *cache, struct cached_record *entry)
{
	if (cache->at == entry)
		cache->at = entry->order_prev;
	if (cache->at == entry)
		cache->at = NULL;
	entry->order_prev->order_next = entry->order_next;
	entry->order_next->order_prev = entry->order_prev;
}

struct cached_record *record_cache_follow(struct record_cache *cache, const struct mac *mac)
{
	struct cached_record *entry = cache->at ? cache->at->order_next : NULL;

	if (!entry)
		return NULL;
	if (!mac_equal(&entry->mac, mac)) {
		entry = record_cache_find(cache, mac);
		if (!entry)
			return NULL;
		ring_remove(cache, entry);
		ring_insert(cache, entry);
	}
	cache->at = entry;
	__builtin_prefetch(entry->order_next);
	__builtin_prefetch(&entry->order_next->raw_up);
	return entry;
}

struct cached_record *record_cache_get(struct record_cache *cache, const struct mac *mac)
{
	struct cached_record *entry = record_cache_find(cache, mac), **slot;

	if (entry)
		return entry;
	if (cache->count >= cache->size)
		grow(cache);
	entry = xcalloc(1, sizeof(*entry));
	entry->mac = *mac;
	entry->raw_up = entry->raw_down = -1;
	slot = slot_of(cache, mac);
	entry->hash_next = *slot;
	*slot = entry;
	ring_insert(cache, entry);
	cache->count++;
	return entry;
}

void record_cache_remove(struct record_cache *cache, struct cached_record *entry)
{
	struct cached_record **at = slot_of(cache, &entry->mac);

	while (*at != entry)
		at = &(*at)->hash_next;
	*at = entry->hash_next;
	ring_remove(cache, entry);
	cache->count--;
	free(entry);
}

size_t record_cache_count(const struct record_cache *cache)
{
	return cache->count;
}

bool record_cache_some(struct record_cache *cache, size_t *position,
	void (*fn)(void *data, struct cached_record *entry), void *data)
{
	size_t end = MIN(*position + PART, cache->size);
	struct cached_record *entry, *next;

	for (; *position < end; (*position)++)
		for (entry = cache->slots[*position]; entry; entry = next) {
			next = entry->hash_next;
			fn(data, entry);
		}
	return end < cache->size;
}

void record_cache_each(struct record_cache *cache,
	void (*fn)(void *data, struct cached_record *entry), void *data)
{
	size_t position = 0;

	while (record_cache_some(cache, &position, fn, data))
		;
}
