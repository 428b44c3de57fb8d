/* SPDX-License-Identifier: Apache-2.0 */
/* Sequence of the watcher: wait for inotify, the host's mount table, news of attachments and
 * results of the workers; let a burst of changes settle for 5 ms; walk the paths that something
 * happened to, which watches them again; hand those that may lead elsewhere to a worker.  A worker
 * replaces the mount (attach/follow.c).
 *
 * A path over a file system that may not answer is walked by its worker, with an inotify instance
 * of its own: the shared one is the watcher's alone, so that a watch is removed only if no walk
 * just adds it.  A failure is tried again, from 100 ms to 60 s later. */
#include "daemon/follower.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include "mountcore/chain.h"
#include "mountcore/cleanup.h"
#include "mountcore/host.h"
#include "mountcore/mounts.h"
#include "mountcore/path.h"
#include "wire/clock.h"
#include "wire/lock.h"
#include "wire/text.h"

#include "workers.h"

enum {
	SETTLE_MS = 5,
	STATE_RETRY_MS = 1000,
	READY_MAX = 64,
	POKED_MAX = 64, /* more: all are read again */
	THREADS_MAX = 32,
	SLOW_MAX = THREADS_MAX / 2, /* of them for paths that may lead to a server */
	THREADS_KEPT = 1,
	REST_MS = 20, /* between two replacements of one attachment */
	RETRY_MIN_MS = 100,
	RETRY_MAX_MS = 60000,
	BUFFER_SIZE = 4096,
	READS_MAX = 256, /* of a queue at a time */
};

struct hv_links {
	struct mc_chain_link *items; /* NULL: not known, for want of memory, or there is no walk */
	unsigned count;
};

struct hv_follow_job {
	struct hv_work work;
	STAILQ_ENTRY(hv_follow_job) entry;
	char *id;
	char *path;
	bool is_slow;
	int watched; /* 0, or why the path cannot be watched */
	bool was_unwatched;
	int old_inotify; /* of the item: is closed here */
	/* Out. */
	int inotify;
	struct hv_links links; /* of that */
	char *real;
	bool is_over;
	bool is_failed;
	bool is_unwatched;
};

/* Where a path led to when it was walked last. */
struct hv_follow_known {
	int found;
	struct mc_file_id id;
	uint64_t waits_at;
	uint64_t mounts; /* a hash of the mounts on the way to it and below it */
};

struct hv_follow_item {
	struct hv_followed what; /* owned */
	struct hv_links links;
	int inotify; /* of its own; MC_FD_NONE: the shared one has all of its watches */
	struct hv_links own_links; /* of that one */
	char *real;                /* NULL: it led nowhere, or was never walked */
	struct hv_follow_known known;
	bool is_dirty;                   /* it is to be walked */
	bool is_told;                    /* and followed, whatever the walk says */
	bool is_unwatched;               /* this was noted as its problem */
	bool is_seen;                    /* in the records that were just read */
	const struct hv_follow_job *job; /* that a worker has for it; NULL: none */
	long long tried_ms;              /* when something was done for it last */
	long long rest_ms;               /* not before then */
	long long retry_ms;
};

struct hv_follow_items {
	int epoll_fd; /* borrowed; the data of an item's instance is the item */
	int inotify;  /* shared, owned; MC_FD_NONE: there is none */
	struct hv_follow_item **items;
	size_t count;
};

struct hv_follow_walks {
	struct mc_core *core;
	struct hv_follow_items *items;
	struct hv_workers *workers;
	unsigned slow_max;        /* of the workers for paths that may lead to a server */
	unsigned slow_count;      /* jobs */
	const void *events;       /* the data of the shared instance */
	struct mc_mounts *mounts; /* NULL: to be read again */
};

/* --- links --- */

static struct hv_links hv_links_copy(const struct mc_chain *chain)
{
	size_t size = chain->count * sizeof(*chain->links);
	struct hv_links copy = {malloc(size + 1), chain->count};

	if (!copy.items)
		return (struct hv_links){0};
	memcpy(copy.items, chain->links, size);
	return copy;
}

static void hv_links_done(struct hv_links *links)
{
	free(links->items);
	*links = (struct hv_links){0};
}

static bool hv_links_have(const struct hv_links *links, int wd)
{
	for (unsigned at = 0; at < links->count; at++)
		if (links->items[at].wd == wd)
			return true;
	return false;
}

static bool hv_links_are_met(const struct hv_links *links, const struct inotify_event *event)
{
	if (event->mask & IN_Q_OVERFLOW)
		return true;
	for (unsigned at = 0; at < links->count; at++)
		if (links->items[at].wd == event->wd &&
			(event->len == 0 || strcmp(links->items[at].name, event->name) == 0))
			return true;
	return false;
}

/* --- jobs --- */

static void hv_follow_job_free(struct hv_follow_job *job)
{
	hv_links_done(&job->links);
	mc_close_fd(&job->inotify);
	mc_close_fd(&job->old_inotify);
	free(job->id);
	free(job->path);
	free(job->real);
	free(job);
}

static struct hv_follow_job *hv_follow_job_new(const char *id, const char *path)
{
	struct hv_follow_job *job = calloc(1, sizeof(*job));

	if (!job)
		return NULL;
	job->inotify = job->old_inotify = MC_FD_NONE;
	job->id = strdup(id);
	job->path = strdup(path);
	if (job->id && job->path)
		return job;
	hv_follow_job_free(job);
	return NULL;
}

/* Watch a path that may lead to a server, with an instance of its own. */
static int walk_slowly(const struct hv_follower_args *args, struct hv_follow_job *job)
{
	hv_auto_free struct mc_chain *chain = malloc(sizeof(*chain));
	int rc;

	mc_close_fd(&job->old_inotify);
	job->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (!chain || job->inotify < 0) {
		job->watched = chain ? -errno : -ENOMEM;
		return job->watched;
	}
	rc = mc_chain_walk(args->core,
		&(struct mc_chain_args){
			.path = job->path, .inotify = job->inotify, .may_wait = true},
		chain, NULL);
	if (rc < 0)
		return rc;
	job->watched = chain->watched;
	job->links = hv_links_copy(chain);
	job->real = chain->found == 0 ? strdup(chain->real) : NULL;
	return 0;
}

static char *describe_unwatched(const struct hv_follow_job *job)
{
	if (job->watched == -ENOSPC)
		return hv_text_format(
			"%s is not watched: there are no more inotify watches; raise fs.inotify.max_user_watches",
			job->path);
	if (job->watched == -EMFILE)
		return hv_text_format(
			"%s is not watched: there are no more inotify instances; raise fs.inotify.max_user_instances",
			job->path);
	return hv_text_format(
		"%s cannot be watched: %s", job->path, strerrordesc_np(-job->watched));
}

static void note_watched(const struct hv_follower_args *args, struct hv_follow_job *job)
{
	hv_auto_error struct hv_error err = {0};
	hv_auto_free char *text = NULL;

	if (job->watched == 0 && !job->was_unwatched)
		return;
	job->is_unwatched = job->watched < 0;
	if (job->is_unwatched) {
		text = describe_unwatched(job);
		if (!job->was_unwatched)
			hv_log_line(args->log, HV_LOG_WARN, "attachment %s: %s", job->id,
				text ? text : "");
		if (!text)
			return;
	}
	(void)!hv_attachment_note_unwatched(args->attacher, job->id, text, &err);
}

static void hv_follow_job_do(const struct hv_follower_args *args, struct hv_follow_job *job)
{
	hv_auto_error struct hv_error err = {0};
	enum hv_follow_is is = HV_FOLLOW_OVER;

	if (job->is_slow && walk_slowly(args, job) < 0) {
		job->is_failed = true;
		note_watched(args, job);
		return;
	}
	if (hv_attachment_follow(args->attacher, job->id, &is, &err) != HV_OK) {
		job->is_failed = true;
		hv_log_line(args->log, HV_LOG_DEBUG, "attachment %s does not follow %s: %s",
			job->id, job->path, hv_error_text(&err));
		return;
	}
	if (is == HV_FOLLOW_DONE)
		hv_log_line(
			args->log, HV_LOG_DEBUG, "attachment %s follows %s", job->id, job->path);
	job->is_over = is == HV_FOLLOW_OVER;
	job->is_failed = is == HV_FOLLOW_DEAD || job->watched < 0;
	note_watched(args, job);
}

/* --- items --- */

static void hv_follow_items_init(struct hv_follow_items *items, int epoll_fd)
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

static void hv_follow_items_leave(
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

static void hv_follow_items_done(struct hv_follow_items *items)
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

static void hv_follow_items_update(
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

static int hv_follow_items_watch(struct hv_follow_items *items, const void *data)
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

static void hv_follow_item_rest(struct hv_follow_item *item, long long ms)
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

static void hv_follow_items_hear(struct hv_follow_items *items, struct hv_follow_item *item)
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
	item->retry_ms = item->retry_ms ? 2 * item->retry_ms : RETRY_MIN_MS;
	if (item->retry_ms > RETRY_MAX_MS)
		item->retry_ms = RETRY_MAX_MS;
	hv_follow_item_rest(item, item->retry_ms);
	item->is_dirty = item->is_told = true;
}

static const char *hv_follow_items_take(struct hv_follow_items *items, struct hv_follow_job *job)
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

/* --- walks --- */

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
	hv_follow_item_rest(item, RETRY_MIN_MS);
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

static void walk_item(struct hv_follow_walks *self, struct hv_follow_item *item)
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
		hv_follow_item_rest(item, RETRY_MIN_MS);
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

static int hv_follow_walks_go(struct hv_follow_walks *walks)
{
	const struct hv_follow_items *items = walks->items;
	long long now = hv_clock_ms(), next = -1;

	for (size_t i = 0; i < items->count; i++) {
		struct hv_follow_item *item = items->items[i];

		if (item->is_dirty && !item->job && item->rest_ms <= now)
			walk_item(walks, item);
		if (item->is_dirty && !item->job && (next < 0 || item->rest_ms < next))
			next = item->rest_ms;
	}
	if (next < 0)
		return -1;
	return next > now ? (int)(next - now) : 0;
}

static void hv_follow_walks_renew(struct hv_follow_walks *walks)
{
	mc_mounts_free(walks->mounts);
	walks->mounts = NULL;
	for (size_t i = 0; i < walks->items->count; i++)
		walks->items->items[i]->is_dirty = true;
}

struct hv_follower {
	struct hv_follower_args args;
	struct hv_workers workers;
	pthread_t watcher;
	int wake_fd;
	atomic_bool is_stopping;
	pthread_mutex_t lock; /* of the three that follow */
	struct hv_texts poked;
	bool is_all_poked;
	STAILQ_HEAD(hv_follow_jobs, hv_follow_job) done;
	/* The watcher's own. */
	int epoll_fd;
	int mountinfo;
	struct hv_follow_items items;
	struct hv_follow_walks walks;
};

static const char shared_events, table_events; /* in epoll's data, beside items */

static int add_fd(const struct hv_follower *self, int fd, uint32_t events, const void *data)
{
	struct epoll_event event = {.events = events, .data.ptr = (void *)(uintptr_t)data};

	return fd < 0 ? -1 : epoll_ctl(self->epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

static void wake(struct hv_follower *self)
{
	const uint64_t one = 1;

	/* Cannot fail: the counter would have to overflow. */
	(void)!write(self->wake_fd, &one, sizeof(one));
}

/* --- workers --- */

static void work_on(void *context, struct hv_work *work)
{
	struct hv_follower *self = context;
	struct hv_follow_job *job = (struct hv_follow_job *)work;

	hv_follow_job_do(&self->args, job);
	pthread_mutex_lock(&self->lock);
	STAILQ_INSERT_TAIL(&self->done, job, entry);
	pthread_mutex_unlock(&self->lock);
	wake(self);
}

static void begin(void *context)
{
	const struct hv_follower *self = context;

	(void)!mc_core_lend_thread(self->args.core); /* else it takes longer */
}

static void take_results(struct hv_follower *self)
{
	struct hv_follow_jobs done = STAILQ_HEAD_INITIALIZER(done);
	struct hv_follow_job *job;

	pthread_mutex_lock(&self->lock);
	STAILQ_CONCAT(&done, &self->done);
	pthread_mutex_unlock(&self->lock);
	while ((job = STAILQ_FIRST(&done))) {
		const char *container_id;

		STAILQ_REMOVE_HEAD(&done, entry);
		self->walks.slow_count -= job->is_slow;
		container_id = hv_follow_items_take(&self->items, job);
		if (container_id)
			hv_follower_poke(self, container_id);
		hv_follow_job_free(job);
	}
}

/* --- news --- */

/* Read the records of a container, or of all (NULL). */
static bool read_records(struct hv_follower *self, const char *container_id)
{
	hv_auto_followed_list struct hv_followed_list list = {0};
	hv_auto_error struct hv_error err = {0};

	if (self->args.open_state(self->args.context, &err) != HV_OK ||
		hv_attachments_followed(self->args.attacher, container_id, &list, &err) != HV_OK)
		return false;
	hv_follow_items_update(&self->items, container_id, &list);
	return true;
}

static void take_pokes(struct hv_follower *self)
{
	hv_auto_texts struct hv_texts poked = {0};
	bool is_all, ok = true;

	pthread_mutex_lock(&self->lock);
	poked = self->poked;
	self->poked = (struct hv_texts){0};
	is_all = self->is_all_poked;
	self->is_all_poked = false;
	pthread_mutex_unlock(&self->lock);
	if (is_all)
		ok = read_records(self, NULL);
	for (size_t i = 0; !is_all && ok && i < poked.count; i++)
		ok = read_records(self, poked.items[i]);
	if (ok)
		return;
	pthread_mutex_lock(&self->lock);
	self->is_all_poked = true;
	pthread_mutex_unlock(&self->lock);
}

/* --- the watcher --- */

static void sleep_ms(long ms)
{
	const struct timespec time = {.tv_nsec = ms * 1000000L};

	nanosleep(&time, NULL);
}

static void take_ready(struct hv_follower *self, const struct epoll_event *ready, int count)
{
	uint64_t value;

	for (int i = 0; i < count; i++) {
		void *of = ready[i].data.ptr;

		if (!of)
			(void)!read(self->wake_fd, &value, sizeof(value));
		else if (of == &shared_events)
			hv_follow_items_hear(&self->items, NULL);
		else if (of == &table_events)
			hv_follow_walks_renew(&self->walks);
		else
			hv_follow_items_hear(&self->items, of);
	}
}

static void *run(void *argument)
{
	struct hv_follower *self = argument;
	struct epoll_event ready[READY_MAX];
	int wait_ms = 0;

	begin(self);
	while (!self->is_stopping) {
		int count = epoll_wait(self->epoll_fd, ready, READY_MAX, wait_ms);
		bool is_waiting;

		if (count > 0)
			sleep_ms(SETTLE_MS);
		take_ready(self, ready, count); /* before items go that it names */
		take_results(self);
		take_pokes(self);
		wait_ms = hv_follow_walks_go(&self->walks);
		pthread_mutex_lock(&self->lock);
		is_waiting = self->is_all_poked; /* for the state */
		pthread_mutex_unlock(&self->lock);
		if (is_waiting && (wait_ms < 0 || wait_ms > STATE_RETRY_MS))
			wait_ms = STATE_RETRY_MS;
	}
	return NULL;
}

/* --- from start to stop --- */

static void release(struct hv_follower *self)
{
	struct hv_work *work;

	while ((work = hv_workers_take(&self->workers)))
		hv_follow_job_free((struct hv_follow_job *)work);
	take_results(self);
	hv_follow_items_done(&self->items);
	hv_workers_done(&self->workers);
	hv_texts_done(&self->poked);
	mc_mounts_free(self->walks.mounts);
	mc_close_fd(&self->mountinfo);
	mc_close_fd(&self->epoll_fd);
	mc_close_fd(&self->wake_fd);
	pthread_mutex_destroy(&self->lock);
	free(self);
}

static bool set_up(struct hv_follower *self)
{
	self->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	self->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	self->mountinfo = mc_host_mountinfo_open(self->args.core, NULL);
	hv_follow_items_init(&self->items, self->epoll_fd);
	self->walks = (struct hv_follow_walks){
		.core = self->args.core,
		.items = &self->items,
		.workers = &self->workers,
		.slow_max = SLOW_MAX,
		.events = &shared_events,
	};
	return add_fd(self, self->wake_fd, EPOLLIN, NULL) == 0 &&
	       add_fd(self, self->mountinfo, EPOLLPRI, &table_events) == 0;
}

struct hv_follower *hv_follower_start(const struct hv_follower_args *args)
{
	struct hv_follower *self = calloc(1, sizeof(*self));

	if (!self)
		return NULL;
	self->args = *args;
	self->wake_fd = self->epoll_fd = self->mountinfo = MC_FD_NONE;
	pthread_mutex_init(&self->lock, NULL);
	STAILQ_INIT(&self->done);
	self->is_all_poked = true;
	hv_workers_init(&self->workers, &(struct hv_workers_args){
						.max = THREADS_MAX,
						.kept = THREADS_KEPT,
						.begin = begin,
						.work = work_on,
						.context = self,
					});
	if (set_up(self) && pthread_create(&self->watcher, NULL, run, self) == 0)
		return self;
	release(self);
	return NULL;
}

void hv_follower_poke(struct hv_follower *follower, const char *container_id)
{
	{
		hv_auto_unlock pthread_mutex_t *lock = hv_lock(&follower->lock);
		bool is_known = follower->is_all_poked;

		for (size_t i = 0; !is_known && i < follower->poked.count; i++)
			is_known = strcmp(follower->poked.items[i], container_id) == 0;
		if (!is_known && (follower->poked.count == POKED_MAX ||
					 hv_texts_add(&follower->poked, container_id) < 0))
			follower->is_all_poked = true;
	}
	wake(follower);
}

bool hv_follower_stop(struct hv_follower *follower, int timeout_ms)
{
	struct timespec until;

	follower->is_stopping = true;
	wake(follower);
	hv_workers_stop(&follower->workers);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += timeout_ms / 1000 + 1;
	if (pthread_timedjoin_np(follower->watcher, NULL, &until) != 0 ||
		!hv_workers_wait(&follower->workers, hv_clock_ms() + timeout_ms))
		return false;
	release(follower);
	return true;
}
