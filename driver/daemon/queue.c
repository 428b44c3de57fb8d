#include "daemon/queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct hv_queue_item {
	char *name;
	long long due_ms; /* CLOCK_MONOTONIC */
	unsigned tries;
	bool is_taken;
	bool is_again; /* put again while it was taken */
	struct hv_queue_item *next;
};

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void hv_queue_init(struct hv_queue *queue)
{
	pthread_condattr_t attr;

	*queue = (struct hv_queue){.items = NULL};
	pthread_mutex_init(&queue->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&queue->changed, &attr);
	pthread_condattr_destroy(&attr);
}

static void free_item(struct hv_queue_item *item)
{
	free(item->name);
	free(item);
}

void hv_queue_done(struct hv_queue *queue)
{
	while (queue->items) {
		struct hv_queue_item *item = queue->items;

		queue->items = item->next;
		free_item(item);
	}
	pthread_cond_destroy(&queue->changed);
	pthread_mutex_destroy(&queue->lock);
}

/* Where the item of this name hangs, or the end of the list. */
static struct hv_queue_item **find(struct hv_queue *queue, const char *name)
{
	struct hv_queue_item **at = &queue->items;

	while (*at && strcmp((*at)->name, name) != 0)
		at = &(*at)->next;
	return at;
}

static struct hv_queue_item *new_item(const char *name)
{
	struct hv_queue_item *item = calloc(1, sizeof(*item));

	if (!item)
		return NULL;
	item->name = strdup(name);
	if (item->name)
		return item;
	free(item);
	return NULL;
}

void hv_queue_put(struct hv_queue *queue, const char *name)
{
	struct hv_queue_item **at;

	pthread_mutex_lock(&queue->lock);
	at = find(queue, name);
	if (!*at)
		*at = new_item(name); /* at the end */
	else if ((*at)->is_taken)
		(*at)->is_again = true;
	else
		(*at)->due_ms = 0;
	pthread_cond_signal(&queue->changed);
	pthread_mutex_unlock(&queue->lock);
}

void hv_queue_add(struct hv_queue *queue, const char *name)
{
	struct hv_queue_item **at;

	pthread_mutex_lock(&queue->lock);
	at = find(queue, name);
	if (!*at)
		*at = new_item(name);
	pthread_cond_signal(&queue->changed);
	pthread_mutex_unlock(&queue->lock);
}

/* The first that is due now; else NULL, and when the next one is (0: there is none). */
static struct hv_queue_item *find_due(struct hv_queue *queue, long long *ret_next_ms)
{
	long long now = now_ms();

	*ret_next_ms = 0;
	for (struct hv_queue_item *item = queue->items; item; item = item->next) {
		if (item->is_taken)
			continue;
		if (item->due_ms <= now)
			return item;
		if (*ret_next_ms == 0 || item->due_ms < *ret_next_ms)
			*ret_next_ms = item->due_ms;
	}
	return NULL;
}

static void wait_until(struct hv_queue *queue, long long until_ms)
{
	const struct timespec until = {
		.tv_sec = until_ms / 1000,
		.tv_nsec = until_ms % 1000 * 1000000,
	};

	if (until_ms > 0)
		(void)pthread_cond_timedwait(&queue->changed, &queue->lock, &until);
	else
		pthread_cond_wait(&queue->changed, &queue->lock);
}

bool hv_queue_take(struct hv_queue *queue, const char **ret_name, unsigned *ret_tries)
{
	struct hv_queue_item *item = NULL;
	long long next_ms;

	pthread_mutex_lock(&queue->lock);
	while (!queue->is_stopped && !(item = find_due(queue, &next_ms)))
		wait_until(queue, next_ms);
	if (!queue->is_stopped) {
		item->is_taken = true;
		*ret_name = item->name;
		*ret_tries = item->tries;
	} else {
		item = NULL;
	}
	pthread_mutex_unlock(&queue->lock);
	return item;
}

static long long retry_ms(unsigned tries)
{
	long long delay = HV_QUEUE_RETRY_MIN_MS;

	for (; tries > 1 && delay < HV_QUEUE_RETRY_MAX_MS; tries--)
		delay *= 2;
	return delay < HV_QUEUE_RETRY_MAX_MS ? delay : HV_QUEUE_RETRY_MAX_MS;
}

void hv_queue_finish(struct hv_queue *queue, const char *name, bool is_well)
{
	struct hv_queue_item **at, *item;

	pthread_mutex_lock(&queue->lock);
	at = find(queue, name);
	item = *at;
	if (!item) /* cannot be: what is taken stays in the list */
		abort();
	item->is_taken = false;
	item->tries = is_well ? 0 : item->tries + 1;
	item->due_ms = item->is_again ? 0 : now_ms() + retry_ms(item->tries);
	if (is_well && !item->is_again) {
		*at = item->next;
		free_item(item);
	} else {
		item->is_again = false;
	}
	pthread_cond_broadcast(&queue->changed); /* who waits for a time may wait too long */
	pthread_mutex_unlock(&queue->lock);
}

void hv_queue_stop(struct hv_queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	queue->is_stopped = true;
	pthread_cond_broadcast(&queue->changed);
	pthread_mutex_unlock(&queue->lock);
}
