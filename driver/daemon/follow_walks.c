/* SPDX-License-Identifier: Apache-2.0 */
#include "follow_walks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "mountcore/cleanup.h"
#include "mountcore/mounts.h"
#include "mountcore/path.h"
#include "wire/clock.h"
#include "wire/text.h"

static uint64_t add_hash(uint64_t hash, uint64_t value)
{
	return (hash ^ value) * 1099511628211U;
}

/* Of the mounts on the way to `path` and below it; 0 if they cannot be read. */
static uint64_t hash_mounts(struct hv_follow_walks *self, const char *path)
{
	uint64_t hash = 14695981039346656037U;
	struct mc_mount mount;

	if (!path || (!self->mounts && mc_mounts_read_host(self->core, &self->mounts) < 0))
		return 0;
	for (size_t at = 0; mc_mounts_next(self->mounts, &at, &mount);)
		if (mc_path_is_below(path, mount.target) || mc_path_is_below(mount.target, path))
			hash = add_hash(add_hash(hash, mount.id), mount.dev);
	return hash;
}

static bool is_same(const struct hv_follow_known *a, const struct hv_follow_known *b)
{
	return a->found == b->found && a->id.dev == b->id.dev && a->id.ino == b->id.ino &&
	       a->waits_at == b->waits_at && a->mounts == b->mounts;
}

/* The watches of the walk are those of the item from now on. */
static int take_links(
	struct hv_follow_items *items, struct hv_follow_item *item, const struct mc_chain *chain)
{
	struct hv_links old = item->links;

	item->links = hv_links_copy(chain);
	hv_follow_items_leave(items, old.items, old.count);
	hv_links_done(&old);
	if (!item->links.items)
		hv_follow_items_leave(items, chain->links, chain->count);
	return item->links.items ? chain->watched : -ENOMEM;
}

static void hand_over(struct hv_follow_walks *self, struct hv_follow_item *item, int watched)
{
	bool is_slow = item->known.waits_at != 0;
	struct hv_follow_job *job = is_slow && self->slow_count >= self->slow_max
					    ? NULL
					    : hv_follow_job_new(item->what.id, item->what.path);

	item->is_dirty = true; /* if there is no memory, or no worker */
	item->is_told = true;
	hv_follow_item_rest(item, HV_FOLLOW_RETRY_MS);
	if (!job)
		return;
	job->is_slow = is_slow;
	self->slow_count += is_slow;
	job->watched = watched;
	job->was_unwatched = item->is_unwatched;
	if (item->inotify >= 0)
		(void)epoll_ctl(self->items->epoll_fd, EPOLL_CTL_DEL, item->inotify, NULL);
	job->old_inotify = mc_take_fd(&item->inotify);
	hv_links_done(&item->own_links);
	item->is_dirty = item->is_told = false;
	item->job = job;
	hv_workers_add(self->workers, &job->work);
}

static void walk(struct hv_follow_walks *self, struct hv_follow_item *item)
{
	hv_auto_free struct mc_chain *chain = malloc(sizeof(*chain));
	struct hv_follow_known known = {0};
	int missing = hv_follow_items_watch(self->items, self->events), watched, rc = -ENOMEM;

	if (chain)
		rc = mc_chain_walk(self->core,
			&(struct mc_chain_args){
				.path = item->what.path, .inotify = self->items->inotify},
			chain, NULL);
	item->is_dirty = rc < 0;
	if (rc < 0) {
		hv_follow_item_rest(item, HV_FOLLOW_RETRY_MS);
		return;
	}
	watched = take_links(self->items, item, chain);
	watched = missing ? missing : watched;
	known.waits_at = chain->waits_at;
	if (!known.waits_at) {
		free(item->real);
		item->real = chain->found == 0 ? strdup(chain->real) : NULL;
		known.found = chain->found;
		known.id = chain->id;
	}
	known.mounts = hash_mounts(self, item->real);
	if (!item->is_told && is_same(&known, &item->known))
		return;
	item->known = known;
	hand_over(self, item, watched);
}

int hv_follow_walks_go(struct hv_follow_walks *walks)
{
	const struct hv_follow_items *items = walks->items;
	long long now = hv_clock_ms(), next = -1;

	for (size_t i = 0; i < items->count; i++) {
		struct hv_follow_item *item = items->items[i];

		if (item->is_dirty && !item->job && item->rest_ms <= now)
			walk(walks, item);
		if (item->is_dirty && !item->job && (next < 0 || item->rest_ms < next))
			next = item->rest_ms;
	}
	if (next < 0)
		return -1;
	return next > now ? (int)(next - now) : 0;
}

void hv_follow_walks_renew(struct hv_follow_walks *walks)
{
	mc_mounts_free(walks->mounts);
	walks->mounts = NULL;
	for (size_t i = 0; i < walks->items->count; i++)
		walks->items->items[i]->is_dirty = true;
}
