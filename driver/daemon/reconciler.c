/* Sequence of the watcher: subscribe to events; when the Engine has said that it will tell, have
 * every container with records repaired; from then on those that something happened to, and all of
 * them once a minute.  A stream that ends is subscribed to again, from 100 ms to 5 s later. */
#include "daemon/reconciler.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "engine/events.h"

#include "daemon/queue.h"

enum {
	REPAIRERS = 2,
	BACK_OFF_MIN_MS = 100,
	BACK_OFF_MAX_MS = 5000,
	LOOK_MS = 60000,       /* all containers once in this time */
	STATE_RETRY_MS = 1000, /* while the state cannot be opened */
	READY_MAX = 64,
};

struct hv_reconciler {
	struct hv_reconciler_args args;
	struct hv_queue queue;
	pthread_t watcher;
	pthread_t repairers[REPAIRERS];
	unsigned repairers_count;
	int wake_fd; /* eventfd: the set of processes to watch may have changed, or the end */
	atomic_bool is_stopping;
	atomic_bool is_subscribed; /* the Engine is there */
	/* The watcher's own. */
	struct hv_events *events;
	int epoll_fd; /* wake_fd as 0, the process of watched[i] as i + 1 */
	struct hv_watched *watched;
	size_t watched_count;
	long long look_ms;      /* when to look at all next */
	long long subscribe_ms; /* when to subscribe next */
	long long back_off_ms;
	bool is_trying; /* a subscription is under way or stands */
	bool is_known;  /* that the Engine does not tell was logged */
	bool is_stale;  /* `watched` is to be read again */
};

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void wake(struct hv_reconciler *self)
{
	const uint64_t one = 1;

	/* Cannot fail: the counter would have to overflow. */
	(void)!write(self->wake_fd, &one, sizeof(one));
}

void hv_reconciler_poke(struct hv_reconciler *reconciler, const char *container_id)
{
	if (container_id)
		hv_queue_put(&reconciler->queue, container_id);
	else
		wake(reconciler);
}

/* --- repairers --- */

static void tell(const struct hv_reconciler *self, const struct hv_repaired *repaired)
{
	const struct {
		unsigned count;
		enum hv_level level;
		const char *what;
	} lines[] = {
		{repaired->attached, HV_LOG_INFO, "attached again"},
		{repaired->adopted, HV_LOG_INFO, "found attached"},
		{repaired->pending, HV_LOG_INFO, "waiting for its next start"},
		{repaired->dropped, HV_LOG_INFO, "ended"},
		{repaired->drifted, HV_LOG_WARN, "unmounted or covered inside"},
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (lines[i].count > 0)
			hv_log_line(self->args.log, lines[i].level,
				"container '%s': %u attachment%s %s", repaired->name,
				lines[i].count, lines[i].count == 1 ? "" : "s", lines[i].what);
}

/* `ret_mounts`: how many mounts there are that were not known. */
static enum hv_code repair(struct hv_reconciler *self, const char *container_id,
	unsigned *ret_mounts, struct hv_error *err)
{
	struct hv_repaired repaired = {.records = 0};
	enum hv_code code = self->args.open_state(self->args.context, err);

	if (code == HV_OK)
		code = hv_attachments_look(self->args.attacher, container_id, &repaired, err);
	tell(self, &repaired);
	*ret_mounts = repaired.adopted;
	if (code != HV_OK || repaired.records == 0 || !self->is_subscribed)
		return code;
	code = hv_attachments_repair(self->args.attacher, container_id, &repaired, err);
	tell(self, &repaired);
	*ret_mounts += repaired.adopted + repaired.attached;
	return code;
}

static void *run_repairer(void *argument)
{
	struct hv_reconciler *self = argument;
	struct hv_error err = {0};
	const char *container_id;
	unsigned tries, mounts;

	while (hv_queue_take(&self->queue, &container_id, &tries)) {
		enum hv_code code = repair(self, container_id, &mounts, &err);

		if (code != HV_OK)
			hv_log_line(self->args.log,
				tries == 0 && code != HV_CONTAINER_CHANGED ? HV_LOG_WARN
									   : HV_LOG_DEBUG,
				"attachments of container %.12s: %s", container_id,
				hv_error_text(&err));
		hv_error_done(&err);
		hv_queue_finish(&self->queue, container_id, code == HV_OK);
		/* Not for what failed: the watcher would find the same process ended, at once. */
		if (code == HV_OK || mounts > 0)
			wake(self);
	}
	return NULL;
}

/* --- the watcher --- */

static void on_event(void *context, const struct hv_event *event)
{
	struct hv_reconciler *self = context;

	if (strcmp(event->action, "destroy") == 0 || strcmp(event->action, "remove") == 0)
		hv_attacher_ended(self->args.attacher, event->container);
	hv_queue_put(&self->queue, event->container);
}

/* Out of epoll by hand: a helper that was forked meanwhile holds a copy of each descriptor, and
 * closing ours would leave it registered. */
static void forget_watched(struct hv_reconciler *self)
{
	for (size_t i = 0; i < self->watched_count; i++)
		if (self->watched[i].pidfd >= 0)
			(void)epoll_ctl(
				self->epoll_fd, EPOLL_CTL_DEL, self->watched[i].pidfd, NULL);
	hv_watched_free(self->watched, self->watched_count);
	self->watched = NULL;
	self->watched_count = 0;
}

/* Read again which containers have records, and watch their processes. */
static void watch_processes(struct hv_reconciler *self)
{
	struct hv_error err = {0};
	struct hv_watched *watched = NULL;
	size_t count = 0;

	if (self->args.open_state(self->args.context, &err) != HV_OK ||
		hv_attachments_watch(self->args.attacher, &watched, &count, &err) != HV_OK) {
		hv_error_done(&err);
		return;
	}
	forget_watched(self);
	self->watched = watched;
	self->watched_count = count;
	self->is_stale = false;
	for (size_t i = 0; i < count; i++) {
		struct epoll_event event = {.events = EPOLLIN, .data.u64 = i + 1};

		if (watched[i].pidfd >= 0)
			(void)epoll_ctl(self->epoll_fd, EPOLL_CTL_ADD, watched[i].pidfd, &event);
		if (watched[i].is_ended)
			hv_queue_add(&self->queue, watched[i].container_id);
	}
}

static void look_at_all(struct hv_reconciler *self)
{
	watch_processes(self);
	self->look_ms = now_ms() + (self->is_stale ? STATE_RETRY_MS : LOOK_MS);
	for (size_t i = 0; i < self->watched_count; i++)
		hv_queue_put(&self->queue, self->watched[i].container_id);
}

static void take_ready(struct hv_reconciler *self)
{
	struct epoll_event ready[READY_MAX];
	int count = epoll_wait(self->epoll_fd, ready, READY_MAX, 0);

	for (int i = 0; i < count; i++) {
		uint64_t value;
		size_t at = ready[i].data.u64;

		if (at == 0) {
			(void)!read(self->wake_fd, &value, sizeof(value));
			self->is_stale = true;
			continue;
		}
		if (at > self->watched_count)
			continue;
		/* It has ended: told once. */
		epoll_ctl(self->epoll_fd, EPOLL_CTL_DEL, self->watched[at - 1].pidfd, NULL);
		hv_queue_put(&self->queue, self->watched[at - 1].container_id);
	}
}

/* The stream has ended, or did not begin. */
static void back_off(struct hv_reconciler *self, const struct hv_error *err)
{
	if (!self->is_known)
		hv_log_line(self->args.log, HV_LOG_WARN, "%s; trying again", hv_error_text(err));
	self->is_known = true;
	self->is_subscribed = false;
	self->is_trying = false;
	self->subscribe_ms = now_ms() + self->back_off_ms;
	self->back_off_ms *= 2;
	if (self->back_off_ms > BACK_OFF_MAX_MS)
		self->back_off_ms = BACK_OFF_MAX_MS;
}

static void subscribe_if_due(struct hv_reconciler *self, struct hv_error *err)
{
	if (self->is_trying || now_ms() < self->subscribe_ms)
		return;
	self->is_trying = true;
	if (hv_events_subscribe(self->events, err) != HV_OK)
		back_off(self, err);
}

/* The Engine has said that it will tell. */
static void notice_open(struct hv_reconciler *self)
{
	if (self->is_subscribed || !hv_events_is_open(self->events))
		return;
	hv_log_line(self->args.log, HV_LOG_INFO, "the Docker Engine tells its events");
	self->is_subscribed = true;
	self->is_known = false;
	self->back_off_ms = BACK_OFF_MIN_MS;
	self->look_ms = 0;
}

static int time_left(const struct hv_reconciler *self)
{
	long long next = self->look_ms, now = now_ms();

	if (!self->is_trying && self->subscribe_ms < next)
		next = self->subscribe_ms;
	return next > now ? (int)(next - now) : 0;
}

static void *run_watcher(void *argument)
{
	struct hv_reconciler *self = argument;
	struct hv_error err = {0};

	while (!self->is_stopping) {
		subscribe_if_due(self, &err);
		if (now_ms() >= self->look_ms)
			look_at_all(self);
		else if (self->is_stale)
			watch_processes(self);
		if (hv_events_wait(self->events, self->epoll_fd, time_left(self), &err) != HV_OK)
			back_off(self, &err);
		notice_open(self);
		take_ready(self);
		hv_error_done(&err);
	}
	return NULL;
}

/* --- from start to stop --- */

static void release(struct hv_reconciler *self)
{
	hv_events_free(self->events);
	hv_watched_free(self->watched, self->watched_count);
	hv_queue_done(&self->queue);
	if (self->epoll_fd >= 0)
		close(self->epoll_fd);
	if (self->wake_fd >= 0)
		close(self->wake_fd);
	free(self);
}

static int set_up(struct hv_reconciler *self)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = 0};

	self->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	self->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	self->events = hv_events_new(self->args.attacher->engine, on_event, self);
	if (self->wake_fd < 0 || self->epoll_fd < 0 || !self->events)
		return -ENOMEM;
	return epoll_ctl(self->epoll_fd, EPOLL_CTL_ADD, self->wake_fd, &event) < 0 ? -ENOMEM : 0;
}

/* Join within what is left of the time.  By the wall clock, which ThreadSanitizer knows. */
static bool join(pthread_t thread, const struct timespec *until)
{
	return pthread_timedjoin_np(thread, NULL, until) == 0;
}

static bool join_all(struct hv_reconciler *self, bool has_watcher, int timeout_ms)
{
	struct timespec until;
	bool all = true;

	hv_queue_stop(&self->queue);
	self->is_stopping = true;
	wake(self);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += timeout_ms / 1000 + 1;
	if (has_watcher)
		all = join(self->watcher, &until);
	for (unsigned i = 0; all && i < self->repairers_count; i++)
		all = join(self->repairers[i], &until);
	return all;
}

static bool start_threads(struct hv_reconciler *self)
{
	for (; self->repairers_count < REPAIRERS; self->repairers_count++)
		if (pthread_create(
			    &self->repairers[self->repairers_count], NULL, run_repairer, self) != 0)
			return false;
	return pthread_create(&self->watcher, NULL, run_watcher, self) == 0;
}

struct hv_reconciler *hv_reconciler_start(const struct hv_reconciler_args *args)
{
	struct hv_reconciler *self = calloc(1, sizeof(*self));

	if (!self)
		return NULL;
	self->args = *args;
	self->back_off_ms = BACK_OFF_MIN_MS;
	self->wake_fd = self->epoll_fd = -1;
	hv_queue_init(&self->queue);
	if (set_up(self) == 0) {
		if (start_threads(self))
			return self;
		(void)join_all(self, false, 1000); /* they have nothing to do yet */
	}
	release(self);
	return NULL;
}

bool hv_reconciler_stop(struct hv_reconciler *reconciler, int timeout_ms)
{
	if (!join_all(reconciler, true, timeout_ms))
		return false;
	release(reconciler);
	return true;
}
