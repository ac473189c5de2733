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
#include "daemon/entries.h"

#include "base/mac.h"
#include "base/util.h"

#define SLOTS_MIN 1024

struct entries {
	struct entry **slots;
	size_t size; /* power of two */
	size_t count;
	struct entry *at; /* on the ring: followed last; NULL: it is empty */
};

struct entries *entries_new(void)
{
	struct entries *entries = xcalloc(1, sizeof(*entries));

	entries->size = SLOTS_MIN;
	entries->slots = xcalloc(entries->size, sizeof(*entries->slots));
	return entries;
}

void entries_free(struct entries *entries)
{
	size_t i;

	if (!entries)
		return;
	for (i = 0; i < entries->size; i++)
		while (entries->slots[i])
			entries_remove(entries, entries->slots[i]);
	free(entries->slots);
	free(entries);
}

static struct entry **slot_of(struct entries *entries, const struct mac *mac)
{
	return &entries->slots[mac_hash(mac) & (entries->size - 1)];
}

static void grow(struct entries *entries)
{
	struct entry **old = entries->slots;
	size_t size = entries->size, i;

	entries->size = size * 2;
	entries->slots = xcalloc(entries->size, sizeof(*entries->slots));
	for (i = 0; i < size; i++)
		while (old[i]) {
			struct entry *entry = old[i];
			struct entry **slot = slot_of(entries, &entry->mac);

			old[i] = entry->hash_next;
			entry->hash_next = *slot;
			*slot = entry;
		}
	free(old);
}

struct entry *entries_find(struct entries *entries, const struct mac *mac)
{
	struct entry *entry = *slot_of(entries, mac);

	while (entry && !mac_equal(&entry->mac, mac))
		entry = entry->hash_next;
	return entry;
}

/* The ring. */

static void ring_insert(struct entries *entries, struct entry *entry)
{
	struct entry *at = entries->at ? entries->at : entry;

	entry->order_prev = at;
	entry->order_next = entries->at ? at->order_next : entry;
	entry->order_next->order_prev = entry;
	at->order_next = entry;
	entries->at = entry;
}

static void ring_remove(struct entries *entries, struct entry *entry)
{
	if (entries->at == entry)
		entries->at = entry->order_prev;
	if (entries->at == entry)
		entries->at = NULL;
	entry->order_prev->order_next = entry->order_next;
	entry->order_next->order_prev = entry->order_prev;
}

struct entry *entries_follow(struct entries *entries, const struct mac *mac)
{
	struct entry *entry = entries->at ? entries->at->order_next : NULL;

	if (!entry)
		return NULL;
	if (!mac_equal(&entry->mac, mac)) {
		entry = entries_find(entries, mac);
		if (!entry)
			return NULL;
		ring_remove(entries, entry);
		ring_insert(entries, entry);
	}
	entries->at = entry;
	__builtin_prefetch(entry->order_next);
	__builtin_prefetch(&entry->order_next->raw_up);
	return entry;
}

struct entry *entries_get(struct entries *entries, const struct mac *mac)
{
	struct entry *entry = entries_find(entries, mac), **slot;

	if (entry)
		return entry;
	if (entries->count >= entries->size)
		grow(entries);
	entry = xcalloc(1, sizeof(*entry));
	entry->mac = *mac;
	entry->raw_up = entry->raw_down = -1;
	slot = slot_of(entries, mac);
	entry->hash_next = *slot;
	*slot = entry;
	ring_insert(entries, entry);
	entries->count++;
	return entry;
}

void entries_remove(struct entries *entries, struct entry *entry)
{
	struct entry **at = slot_of(entries, &entry->mac);

	while (*at != entry)
		at = &(*at)->hash_next;
	*at = entry->hash_next;
	ring_remove(entries, entry);
	entries->count--;
	free(entry);
}

size_t entries_count(const struct entries *entries)
{
	return entries->count;
}

void entries_each(struct entries *entries,
	void (*fn)(void *data, struct entry *entry), void *data)
{
	struct entry *entry, *next;
	size_t i;

	for (i = 0; i < entries->size; i++)
		for (entry = entries->slots[i]; entry; entry = next) {
			next = entry->hash_next;
			fn(data, entry);
		}
}
