/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/queue.h"

#include <stdlib.h>
#include <string.h>

#include "wire/clock.h"
#include "wire/lock.h"

enum { JUST_HAPPENED = 0 };

struct hv_queue_item {
	struct hv_named named;
	unsigned kind;
	long long due_ms;   /* CLOCK_MONOTONIC, or JUST_HAPPENED */
	long long since_ms; /* since when it is due, also of what has just happened */
	unsigned tries;
	bool is_taken;
	bool is_retry;     /* and taken although it failed before */
	bool is_again;     /* put again while it was taken */
	bool is_postponed; /* nothing is to be done until it is due */
	TAILQ_ENTRY(hv_queue_item) entry;
};

void hv_queue_init(struct hv_queue *queue, unsigned retries_max)
{
	*queue = (struct hv_queue){.retries_max = retries_max};
	TAILQ_INIT(&queue->waiting);
	pthread_mutex_init(&queue->lock, NULL);
	pthread_cond_init(&queue->changed, NULL);
}

static void free_item(struct hv_queue_item *item)
{
	free(item->named.name);
	free(item);
}

void hv_queue_done(struct hv_queue *queue)
{
	for (unsigned kind = 0; kind < HV_QUEUE_KINDS; kind++) {
		struct hv_names *items = &queue->items[kind];

		for (size_t i = 0; i < items->count; i++)
			free_item((struct hv_queue_item *)items->items[i]);
		hv_names_done(items);
	}
	pthread_cond_destroy(&queue->changed);
	pthread_mutex_destroy(&queue->lock);
}

/* After all items due no later.  Search from the end: most new items are due last. */
static void wait_at(struct hv_queue *queue, struct hv_queue_item *item, long long due_ms)
{
	struct hv_queue_item *before = TAILQ_LAST(&queue->waiting, hv_queue_waiting);

	item->due_ms = due_ms;
	item->since_ms = due_ms == JUST_HAPPENED ? hv_clock_ms() : due_ms;
	while (before && before->due_ms > due_ms)
		before = TAILQ_PREV(before, hv_queue_waiting, entry);
	if (before)
		TAILQ_INSERT_AFTER(&queue->waiting, before, item, entry);
	else
		TAILQ_INSERT_HEAD(&queue->waiting, item, entry);
}

static void add_item(struct hv_queue *queue, unsigned kind, const char *name, long long due_ms)
{
	struct hv_queue_item *item = calloc(1, sizeof(*item));

	if (!item)
		return;
	item->kind = kind;
	item->named.name = strdup(name);
	if (item->named.name && hv_names_add(&queue->items[kind], &item->named) == 0)
		wait_at(queue, item, due_ms);
	else
		free_item(item);
}

void hv_queue_put(struct hv_queue *queue, unsigned kind, const char *name)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&queue->lock);
	struct hv_queue_item *item = hv_names_find(&queue->items[kind], name);

	if (!item) {
		add_item(queue, kind, name, JUST_HAPPENED);
	} else if (item->is_taken) {
		item->is_again = true;
	} else if (item->due_ms != JUST_HAPPENED) {
		TAILQ_REMOVE(&queue->waiting, item, entry);
		wait_at(queue, item, JUST_HAPPENED);
	}
	pthread_cond_signal(&queue->changed);
}

void hv_queue_add(struct hv_queue *queue, unsigned kind, const char *name)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&queue->lock);

	if (!hv_names_find(&queue->items[kind], name))
		add_item(queue, kind, name, hv_clock_ms());
	pthread_cond_signal(&queue->changed);
}

static bool is_retry(const struct hv_queue_item *item)
{
	return item->tries > 0 && item->due_ms != JUST_HAPPENED;
}

/* The first that may be worked on, now or later. */
static struct hv_queue_item *find_next(const struct hv_queue *queue)
{
	struct hv_queue_item *item = TAILQ_FIRST(&queue->waiting);

	while (item && is_retry(item) && queue->retries >= queue->retries_max)
		item = TAILQ_NEXT(item, entry);
	return item;
}

/* Take the first that may be worked on now; else `ret_next_ms` is when the next one may be (0: not
 * before something changes). */
static bool take_due(struct hv_queue *queue, struct hv_queued *ret, long long *ret_next_ms)
{
	struct hv_queue_item *item = find_next(queue);
	long long now = hv_clock_ms();

	*ret_next_ms = item ? item->due_ms : 0;
	if (!item || item->due_ms > now)
		return false;
	TAILQ_REMOVE(&queue->waiting, item, entry);
	item->is_taken = true;
	item->is_retry = is_retry(item);
	queue->retries += item->is_retry;
	queue->moved_ms = now;
	*ret = (struct hv_queued){item->kind, item->named.name, item->tries};
	return true;
}

long long hv_queue_stuck_since(struct hv_queue *queue)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&queue->lock);
	const struct hv_queue_item *item = find_next(queue);

	if (!item || item->due_ms > hv_clock_ms())
		return 0;
	return item->since_ms > queue->moved_ms ? item->since_ms : queue->moved_ms;
}

static size_t count_due(const struct hv_names *items, long long now)
{
	size_t count = 0;

	for (size_t i = 0; i < items->count; i++) {
		const struct hv_queue_item *item = (const struct hv_queue_item *)items->items[i];

		count += !item->is_postponed || item->due_ms <= now;
	}
	return count;
}

size_t hv_queue_count(struct hv_queue *queue)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&queue->lock);
	long long now = hv_clock_ms();
	size_t count = 0;

	for (unsigned kind = 0; kind < HV_QUEUE_KINDS; kind++)
		count += count_due(&queue->items[kind], now);
	return count;
}

bool hv_queue_take(struct hv_queue *queue, long long until_ms, struct hv_queued *ret)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&queue->lock);
	long long next_ms;

	while (!queue->is_stopped) {
		if (take_due(queue, ret, &next_ms))
			return true;
		if (until_ms > 0 && hv_clock_ms() >= until_ms)
			return false;
		if (until_ms > 0 && (next_ms == 0 || next_ms > until_ms))
			next_ms = until_ms;
		if (next_ms > 0)
			(void)hv_wait_until(&queue->changed, lock, next_ms);
		else
			pthread_cond_wait(&queue->changed, lock);
	}
	return false;
}

bool hv_queue_try(struct hv_queue *queue, struct hv_queued *ret, long long *ret_next_ms)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&queue->lock);

	return take_due(queue, ret, ret_next_ms);
}

static long long retry_ms(unsigned tries)
{
	long long delay = HV_QUEUE_RETRY_MIN_MS;

	for (; tries > 1 && delay < HV_QUEUE_RETRY_MAX_MS; tries--)
		delay *= 2;
	return delay < HV_QUEUE_RETRY_MAX_MS ? delay : HV_QUEUE_RETRY_MAX_MS;
}

/* It is not taken any more. */
static struct hv_queue_item *give_back(struct hv_queue *queue, const struct hv_queued *queued)
{
	struct hv_queue_item *item = hv_names_find(&queue->items[queued->kind], queued->name);

	if (!item) /* cannot be: a taken item stays in the list */
		abort();
	queue->retries -= item->is_retry;
	queue->moved_ms = hv_clock_ms();
	item->is_taken = item->is_retry = item->is_postponed = false;
	return item;
}

static void wait_again(struct hv_queue *queue, struct hv_queue_item *item, long long delay_ms)
{
	wait_at(queue, item, item->is_again ? JUST_HAPPENED : hv_clock_ms() + delay_ms);
	item->is_again = false;
}

void hv_queue_postpone(struct hv_queue *queue, const struct hv_queued *queued, long long delay_ms)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&queue->lock);
	struct hv_queue_item *item = give_back(queue, queued);

	item->is_postponed = !item->is_again;
	wait_again(queue, item, delay_ms);
	pthread_cond_broadcast(&queue->changed);
}

void hv_queue_finish(struct hv_queue *queue, const struct hv_queued *queued, bool is_well)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&queue->lock);
	struct hv_queue_item *item = give_back(queue, queued);

	item->tries = is_well ? 0 : item->tries + 1;
	if (is_well && !item->is_again) {
		hv_names_remove(&queue->items[item->kind], item->named.name);
		free_item(item);
	} else {
		wait_again(queue, item, retry_ms(item->tries));
	}
	pthread_cond_broadcast(&queue->changed); /* a timed wait may be too long now */
}

void hv_queue_stop(struct hv_queue *queue)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&queue->lock);

	queue->is_stopped = true;
	pthread_cond_broadcast(&queue->changed);
}
