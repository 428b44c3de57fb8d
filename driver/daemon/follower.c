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

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "mountcore/cleanup.h"
#include "mountcore/host.h"
#include "mountcore/mounts.h"
#include "wire/clock.h"
#include "wire/lock.h"

#include "follow_items.h"
#include "follow_job.h"
#include "follow_walks.h"
#include "workers.h"

enum {
	SETTLE_MS = 5,
	STATE_RETRY_MS = 1000,
	READY_MAX = 64,
	POKED_MAX = 64, /* more: all are read again */
	THREADS_MAX = 32,
	SLOW_MAX = THREADS_MAX / 2, /* of them for paths that may lead to a server */
	THREADS_KEPT = 1,
};

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
