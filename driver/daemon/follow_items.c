/* SPDX-License-Identifier: Apache-2.0 */
#include "follow_items.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "wire/clock.h"

enum {
	REST_MS = 20, /* between two replacements of one attachment */
	RETRY_MAX_MS = 60000,
	BUFFER_SIZE = 4096,
	READS_MAX = 256, /* of a queue at a time */
};

void hv_follow_items_init(struct hv_follow_items *items, int epoll_fd)
{
	*items = (struct hv_follow_items){.epoll_fd = epoll_fd, .inotify = MC_FD_NONE};
}

static struct hv_follow_item *find(const struct hv_follow_items *self, const char *id)
{
	for (size_t i = 0; i < self->count; i++)
		if (strcmp(self->items[i]->what.id, id) == 0)
			return self->items[i];
	return NULL;
}

static bool has_watch(const struct hv_follow_items *self, int wd)
{
	for (size_t i = 0; i < self->count; i++)
		if (hv_links_have(&self->items[i]->links, wd))
			return true;
	return false;
}

void hv_follow_items_leave(
	struct hv_follow_items *items, const struct mc_chain_link *links, unsigned count)
{
	for (unsigned at = 0; at < count; at++)
		if (!has_watch(items, links[at].wd))
			(void)inotify_rm_watch(items->inotify, links[at].wd); /* or it has gone */
}

/* By hand: a helper that was forked meanwhile has a copy of the descriptor. */
static void leave_own(const struct hv_follow_items *self, struct hv_follow_item *item)
{
	if (item->inotify >= 0)
		(void)epoll_ctl(self->epoll_fd, EPOLL_CTL_DEL, item->inotify, NULL);
	mc_close_fd(&item->inotify);
	hv_links_done(&item->own_links);
}

static void free_item(struct hv_follow_items *self, struct hv_follow_item *item)
{
	struct hv_followed_list what = {malloc(sizeof(*what.items)), 1};

	leave_own(self, item);
	hv_follow_items_leave(self, item->links.items, item->links.count);
	hv_links_done(&item->links);
	free(item->real);
	if (what.items) {
		*what.items = item->what;
		hv_followed_list_done(&what);
	}
	free(item);
}

static void remove_at(struct hv_follow_items *self, size_t at)
{
	struct hv_follow_item *item = self->items[at];

	self->items[at] = self->items[--self->count];
	free_item(self, item);
}

void hv_follow_items_done(struct hv_follow_items *items)
{
	while (items->count > 0)
		remove_at(items, items->count - 1);
	mc_close_fd(&items->inotify);
	free(items->items);
}

/* `what` is taken over. */
static struct hv_follow_item *add(struct hv_follow_items *self, struct hv_followed *what)
{
	struct hv_follow_item **items =
		reallocarray(self->items, self->count + 1, sizeof(struct hv_follow_item *));
	struct hv_follow_item *item = items ? calloc(1, sizeof(*item)) : NULL;

	if (items)
		self->items = items;
	if (!item)
		return NULL;
	item->what = *what;
	*what = (struct hv_followed){0};
	item->inotify = MC_FD_NONE;
	item->is_dirty = item->is_told = true;
	items[self->count++] = item;
	return item;
}

static void take_record(struct hv_follow_items *self, struct hv_followed *what)
{
	struct hv_follow_item *item = find(self, what->id);

	if (!item)
		item = add(self, what);
	else if (item->what.state != what->state)
		item->is_dirty = item->is_told = true;
	if (!item)
		return; /* out of memory: it does not follow */
	if (what->id)
		item->what.state = what->state;
	item->is_seen = true;
}

void hv_follow_items_update(
	struct hv_follow_items *items, const char *container_id, struct hv_followed_list *list)
{
	for (size_t i = 0; i < items->count; i++)
		items->items[i]->is_seen =
			container_id &&
			strcmp(items->items[i]->what.container_id, container_id) != 0;
	for (size_t i = 0; i < list->count; i++)
		take_record(items, &list->items[i]);
	for (size_t i = items->count; i-- > 0;)
		if (!items->items[i]->is_seen)
			remove_at(items, i);
}

int hv_follow_items_watch(struct hv_follow_items *items, const void *data)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = (void *)(uintptr_t)data};

	if (items->inotify >= 0)
		return 0;
	items->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (items->inotify < 0)
		return -errno;
	if (epoll_ctl(items->epoll_fd, EPOLL_CTL_ADD, items->inotify, &event) == 0)
		return 0;
	mc_close_fd(&items->inotify);
	return -ENOMEM;
}

void hv_follow_item_rest(struct hv_follow_item *item, long long ms)
{
	item->tried_ms = hv_clock_ms();
	item->rest_ms = item->tried_ms + ms;
}

/* A failure may be over now; but events that come all the time are not to try it all the time. */
static void tell(struct hv_follow_item *item)
{
	item->is_dirty = item->is_told = true;
	if (item->retry_ms > 0)
		item->rest_ms = item->tried_ms + REST_MS;
	item->retry_ms = 0;
}

static void take_event(struct hv_follow_items *self, const struct inotify_event *event)
{
	for (size_t i = 0; i < self->count; i++)
		if (hv_links_are_met(&self->items[i]->links, event))
			tell(self->items[i]);
}

static void take_own_event(struct hv_follow_item *item, const struct inotify_event *event)
{
	if (!item->own_links.items || hv_links_are_met(&item->own_links, event))
		tell(item);
}

void hv_follow_items_hear(struct hv_follow_items *items, struct hv_follow_item *item)
{
	_Alignas(struct inotify_event) char buffer[BUFFER_SIZE];
	ssize_t size;

	for (int i = 0; i < READS_MAX; i++) {
		size = read(item ? item->inotify : items->inotify, buffer, sizeof(buffer));
		if (size <= 0)
			return;
		for (const char *at = buffer; at < buffer + size;) {
			const struct inotify_event *event = (const void *)at;

			if (item)
				take_own_event(item, event);
			else
				take_event(items, event);
			at += sizeof(*event) + event->len;
		}
	}
}

/* The watches of a job that went over a path that may lead to a server. */
static void take_watches(
	const struct hv_follow_items *self, struct hv_follow_item *item, struct hv_follow_job *job)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = item};

	free(item->real);
	item->real = mc_take_ptr(&job->real);
	item->inotify = mc_take_fd(&job->inotify);
	item->own_links = job->links;
	job->links = (struct hv_links){0};
	if (item->inotify >= 0)
		(void)epoll_ctl(self->epoll_fd, EPOLL_CTL_ADD, item->inotify, &event);
}

static void try_again(struct hv_follow_item *item)
{
	item->retry_ms = item->retry_ms ? 2 * item->retry_ms : HV_FOLLOW_RETRY_MS;
	if (item->retry_ms > RETRY_MAX_MS)
		item->retry_ms = RETRY_MAX_MS;
	hv_follow_item_rest(item, item->retry_ms);
	item->is_dirty = item->is_told = true;
}

const char *hv_follow_items_take(struct hv_follow_items *items, struct hv_follow_job *job)
{
	struct hv_follow_item *item = find(items, job->id);

	/* It may have gone, and come back, since: its watches are not those of this job. */
	if (!item || item->job != job)
		return NULL;
	item->job = NULL;
	item->is_unwatched = job->is_unwatched;
	if (job->is_slow)
		take_watches(items, item, job);
	hv_follow_item_rest(item, REST_MS);
	if (job->is_over) /* the record says so: it goes, or is looked at again */
		item->is_dirty = item->is_told = true;
	if (job->is_failed)
		try_again(item);
	else
		item->retry_ms = 0;
	return job->is_over ? item->what.container_id : NULL;
}
