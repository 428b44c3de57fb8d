/* Sequence of the watcher: subscribe to events; when the Engine has said that it will tell, have
 * every container with records repaired; from then on those that something happened to, and each
 * minute some of the others, in turn.  A stream that ends is subscribed to again, from 100 ms to 5
 * s later.
 *
 * The watcher looks at containers itself, which asks the kernel only, and never waits.  Repairing
 * may wait for the Engine and for file systems. */
#include "daemon/reconciler.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "engine/events.h"
#include "mountcore/cleanup.h"

#include "daemon/processes.h"
#include "daemon/queue.h"
#include "daemon/restarter.h"

enum {
	REPAIRERS = 8,
	REPAIRERS_MAX = 64, /* when all are held up */
	RETRIERS = 2,       /* of them at most, for what failed before */
	STUCK_MS = 500,     /* how long that may be */
	BACK_OFF_MIN_MS = 100,
	BACK_OFF_MAX_MS = 5000,
	IDLE_MS = 30000,       /* how long those above REPAIRERS stay when they are not needed */
	LOOK_MS = 60000,       /* how often each container is looked at though nothing happened */
	ASK_MS = 60000,        /* how often some are repaired, which asks the Engine, */
	ASK_MAX = 50,          /* and how many of them: it must not be felt */
	STATE_RETRY_MS = 1000, /* while the state cannot be opened */
	READY_MAX = 64,
	LOOKS_MAX = 32, /* at a time, before events are taken; and in a slice */
};

struct repairer {
	struct hv_reconciler *self;
	pthread_t thread;
	bool is_hired; /* ends when it is not needed any more */
	bool is_used;  /* to be joined */
	atomic_bool is_over;
};

/* Containers whose turn comes though nothing has happened to them. */
struct round {
	long long next_ms;
	char last[128]; /* the container whose turn it was; "": begin again */
};

struct hv_reconciler {
	struct hv_reconciler_args args;
	struct hv_queue repairs;
	struct hv_queue looks; /* of the watcher */
	struct hv_restarter restarter;
	pthread_t watcher;
	struct repairer repairers[REPAIRERS_MAX]; /* of the watcher, once it runs */
	unsigned repairers_count;
	atomic_llong needed_ms; /* when they were all held up last */
	int wake_fd;            /* eventfd: there is something to look at, or the end */
	atomic_bool is_stopping;
	atomic_bool is_subscribed; /* the Engine is there */
	/* The watcher's own. */
	struct hv_events *events;
	int epoll_fd; /* wake_fd with no data, and the processes */
	struct hv_processes processes;
	struct round looked;
	struct round asked;
	long long hire_ms;      /* when to look whether all repairers are held up; 0: no need */
	long long look_one_ms;  /* when to look at one of them next; 0: at none */
	long long subscribe_ms; /* when to subscribe next */
	long long back_off_ms;
	bool is_trying; /* a subscription is under way or stands */
	bool is_news;   /* anything may have happened before it was subscribed */
	bool is_known;  /* that the Engine does not tell was logged */
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

void hv_reconciler_poke(struct hv_reconciler *reconciler, const char *container_id, bool is_undone)
{
	hv_queue_put(&reconciler->looks, container_id);
	if (is_undone)
		hv_queue_put(&reconciler->repairs, container_id);
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
		{repaired->drifted, HV_LOG_WARN, "unmounted or covered inside"},
		{repaired->refused, HV_LOG_WARN,
			"required and not there: its start was refused (docker hostvol ls tells why)"},
		{repaired->doubted, HV_LOG_WARN,
			"kept, although the Docker Engine does not know it (docker hostvol ls tells why)"},
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (lines[i].count > 0)
			hv_log_line(self->args.log, lines[i].level,
				"container '%s': %u attachment%s %s", repaired->name,
				lines[i].count, lines[i].count == 1 ? "" : "s", lines[i].what);
}

static void tell_failure(const struct hv_reconciler *self, const char *container_id, unsigned tries,
	const struct hv_error *err)
{
	bool is_usual = err->code == HV_CONTAINER_CHANGED || err->code == HV_BUSY;

	hv_log_line(self->args.log, tries == 0 && !is_usual ? HV_LOG_WARN : HV_LOG_DEBUG,
		"attachments of container %.12s: %s", container_id, hv_error_text(err));
}

static unsigned changes(const struct hv_repaired *repaired)
{
	return repaired->attached + repaired->adopted + repaired->pending + repaired->dropped;
}

/* `ret_changes`: how many mounts came or went that the watcher does not know of. */
static enum hv_code repair(struct hv_reconciler *self, const char *container_id,
	unsigned *ret_changes, struct hv_error *err)
{
	struct hv_repaired repaired = {.records = 0};
	enum hv_code code = self->args.open_state(self->args.context, err);

	if (code == HV_OK)
		code = hv_attachments_settle(self->args.attacher, container_id, &repaired, err);
	tell(self, &repaired);
	*ret_changes = changes(&repaired);
	if (code != HV_OK || repaired.records == 0 || !self->is_subscribed)
		return code;
	code = hv_attachments_repair(self->args.attacher, container_id, &repaired, err);
	tell(self, &repaired);
	*ret_changes += changes(&repaired);
	return code;
}

static void repair_next(struct hv_reconciler *self, const char *container_id, unsigned tries)
{
	struct hv_error err = {0};
	unsigned changed;
	enum hv_code code = repair(self, container_id, &changed, &err);

	if (code != HV_OK)
		tell_failure(self, container_id, tries, &err);
	hv_error_done(&err);
	if (changed > 0) {
		hv_queue_put(&self->looks, container_id);
		wake(self);
	}
	hv_queue_finish(&self->repairs, container_id, code == HV_OK);
}

/* Since when it is not needed any more; 0: it stays. */
static long long leaves_ms(const struct repairer *repairer)
{
	return repairer->is_hired ? repairer->self->needed_ms + repairer->self->args.idle_ms : 0;
}

static void *run_repairer(void *argument)
{
	struct repairer *repairer = argument;
	struct hv_reconciler *self = repairer->self;
	const char *container_id;
	unsigned tries;

	for (;;) {
		if (hv_queue_take(&self->repairs, leaves_ms(repairer), &container_id, &tries))
			repair_next(self, container_id, tries);
		else if (self->is_stopping || now_ms() >= leaves_ms(repairer))
			break; /* and not because more were needed meanwhile */
	}
	repairer->is_over = true;
	wake(self);
	return NULL;
}

/* --- the watcher --- */

/* Something has happened to it. */
static void put(struct hv_reconciler *self, const char *container_id)
{
	hv_queue_put(&self->looks, container_id);
	hv_queue_put(&self->repairs, container_id);
}

static void on_event(void *context, const struct hv_event *event)
{
	struct hv_reconciler *self = context;

	if (strcmp(event->action, "destroy") == 0 || strcmp(event->action, "remove") == 0)
		hv_attacher_ended(self->args.attacher, event->container);
	put(self, event->container);
}

static enum hv_code look_at(
	struct hv_reconciler *self, const char *container_id, struct hv_error *err)
{
	struct hv_seen seen = {.pidfd = MC_FD_NONE};
	enum hv_code code = self->args.open_state(self->args.context, err);

	if (code == HV_OK)
		code = hv_attachments_look(self->args.attacher, container_id, &seen, err);
	tell(self, &seen.repaired);
	if (seen.repaired.pending > 0) /* and nobody may have told that it runs again */
		hv_queue_add(&self->repairs, container_id);
	if (seen.repaired.awaited > 0)
		hv_restarter_add(&self->restarter, container_id);
	/* One of its records may have failed, and the process be known by another. */
	if ((code == HV_OK || seen.pid > 0) &&
		hv_processes_set(&self->processes, container_id, &seen) < 0)
		code = hv_fail(err, HV_INTERNAL, "out of memory");
	mc_close_fd(&seen.pidfd);
	return code;
}

static void look_at_some(struct hv_reconciler *self)
{
	struct hv_error err = {0};
	const char *container_id;
	unsigned tries;

	self->look_one_ms = now_ms();
	for (int i = 0; i < LOOKS_MAX; i++) {
		enum hv_code code;

		if (!hv_queue_try(&self->looks, &container_id, &tries, &self->look_one_ms))
			return;
		code = look_at(self, container_id, &err);
		if (code != HV_OK)
			tell_failure(self, container_id, tries, &err);
		hv_error_done(&err);
		hv_queue_finish(&self->looks, container_id, code == HV_OK);
	}
}

/* Put those of the containers that are next in the queue, if that can be read. */
static bool add_next(
	struct hv_reconciler *self, struct round *round, int max, struct hv_queue *queue)
{
	struct hv_error err = {0};
	char **ids = NULL;
	size_t count = 0;
	bool is_read = self->args.open_state(self->args.context, &err) == HV_OK &&
		       hv_attachments_containers(
			       self->args.attacher, round->last, max, &ids, &count, &err) == HV_OK;

	for (size_t i = 0; i < count; i++)
		hv_queue_add(queue, ids[i]);
	if (is_read)
		snprintf(round->last, sizeof(round->last), "%s",
			count == (size_t)max ? ids[count - 1] : "");
	hv_error_done(&err);
	hv_attachments_containers_free(ids, count);
	return is_read;
}

/* As many slices as it takes to have all of them in the time. */
static long long slice_ms(const struct hv_reconciler *self, size_t containers)
{
	return self->args.look_ms / (long long)(containers / LOOKS_MAX + 1);
}

static void sweep_if_due(struct hv_reconciler *self)
{
	long long now = now_ms();

	if (now >= self->looked.next_ms)
		self->looked.next_ms =
			now + (add_next(self, &self->looked, LOOKS_MAX, &self->looks)
					      ? slice_ms(self, self->processes.containers.count)
					      : STATE_RETRY_MS);
	if (now >= self->asked.next_ms)
		self->asked.next_ms = now + (add_next(self, &self->asked, ASK_MAX, &self->repairs)
							    ? ASK_MS
							    : STATE_RETRY_MS);
}

/* All of them, after anything may have happened to them. */
static void put_all(struct hv_reconciler *self)
{
	struct hv_error err = {0};
	char **ids = NULL;
	size_t count = 0;
	long long now = now_ms();

	if (self->args.open_state(self->args.context, &err) == HV_OK &&
		hv_attachments_containers(self->args.attacher, "", INT_MAX, &ids, &count, &err) ==
			HV_OK) {
		for (size_t i = 0; i < count; i++)
			put(self, ids[i]);
		for (size_t i = 0; i < self->processes.containers.count; i++) /* that went too */
			hv_queue_add(&self->looks, self->processes.containers.items[i]->name);
		self->looked = (struct round){.next_ms = now + slice_ms(self, count)};
		self->asked = (struct round){.next_ms = now + ASK_MS};
		self->is_news = false;
	} else {
		self->looked.next_ms = self->asked.next_ms = now + STATE_RETRY_MS;
	}
	hv_error_done(&err);
	hv_attachments_containers_free(ids, count);
}

static void sweep(struct hv_reconciler *self)
{
	if (!self->is_news)
		sweep_if_due(self);
	else if (now_ms() >= self->looked.next_ms)
		put_all(self);
}

static void take_ready(struct hv_reconciler *self)
{
	struct epoll_event ready[READY_MAX];
	int count = epoll_wait(self->epoll_fd, ready, READY_MAX, 0);

	for (int i = 0; i < count; i++) {
		struct hv_process *process = ready[i].data.ptr;
		uint64_t value;

		if (process) {
			hv_processes_ended(&self->processes, process);
			put(self, process->container.name);
		} else {
			(void)!read(self->wake_fd, &value, sizeof(value));
		}
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
	if (self->args.on_engine)
		self->args.on_engine(self->args.context);
	self->is_known = false;
	self->back_off_ms = BACK_OFF_MIN_MS;
	self->looked.next_ms = 0;
	self->is_news = true;
}

static bool start_repairer(struct hv_reconciler *self, struct repairer *repairer, bool is_hired)
{
	repairer->self = self;
	repairer->is_hired = is_hired;
	repairer->is_over = false;
	repairer->is_used = pthread_create(&repairer->thread, NULL, run_repairer, repairer) == 0;
	self->repairers_count += repairer->is_used;
	return repairer->is_used;
}

static bool start_repairers(struct hv_reconciler *self, unsigned count, bool is_hired)
{
	for (size_t i = 0; count > 0 && i < REPAIRERS_MAX; i++) {
		if (self->repairers[i].is_used)
			continue;
		if (!start_repairer(self, &self->repairers[i], is_hired))
			return false;
		count--;
	}
	return true;
}

/* Those that were not needed any more. */
static void join_those_over(struct hv_reconciler *self)
{
	for (size_t i = 0; i < REPAIRERS_MAX; i++) {
		struct repairer *repairer = &self->repairers[i];

		if (!repairer->is_used || !repairer->is_over)
			continue;
		pthread_join(repairer->thread, NULL);
		repairer->is_used = false;
		self->repairers_count--;
	}
}

/* Each of them may wait for a file system of its own, while something is to be done that needs
 * none of those. */
static void hire_if_stuck(struct hv_reconciler *self)
{
	long long since = hv_queue_stuck_since(&self->repairs);

	self->hire_ms = since > 0 ? since + STUCK_MS : 0;
	if (since == 0 || now_ms() < self->hire_ms)
		return;
	self->needed_ms = now_ms();
	self->hire_ms = self->needed_ms + STUCK_MS;
	(void)start_repairers(self, self->repairers_count, true); /* else those that are must do */
}

static int time_left(const struct hv_reconciler *self)
{
	long long next = self->looked.next_ms, now = now_ms();

	if (self->asked.next_ms < next)
		next = self->asked.next_ms;
	if (!self->is_trying && self->subscribe_ms < next)
		next = self->subscribe_ms;
	if (self->look_one_ms > 0 && self->look_one_ms < next)
		next = self->look_one_ms;
	if (self->hire_ms > 0 && self->hire_ms < next)
		next = self->hire_ms;
	return next > now ? (int)(next - now) : 0;
}

static void *run_watcher(void *argument)
{
	struct hv_reconciler *self = argument;
	struct hv_error err = {0};

	while (!self->is_stopping) {
		subscribe_if_due(self, &err);
		sweep(self);
		look_at_some(self);
		hire_if_stuck(self);
		join_those_over(self);
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
	hv_processes_done(&self->processes);
	hv_restarter_done(&self->restarter);
	hv_queue_done(&self->looks);
	hv_queue_done(&self->repairs);
	if (self->epoll_fd >= 0)
		close(self->epoll_fd);
	if (self->wake_fd >= 0)
		close(self->wake_fd);
	free(self);
}

static int set_up(struct hv_reconciler *self)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};

	self->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	self->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	self->processes.epoll_fd = self->epoll_fd;
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

	self->is_stopping = true;
	hv_queue_stop(&self->repairs);
	wake(self);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += timeout_ms / 1000 + 1;
	if (has_watcher)
		all = join(self->watcher, &until);
	all = all && hv_restarter_stop(&self->restarter, &until);
	for (size_t i = 0; all && i < REPAIRERS_MAX; i++)
		if (self->repairers[i].is_used)
			all = join(self->repairers[i].thread, &until);
	return all;
}

static bool start_threads(struct hv_reconciler *self)
{
	return start_repairers(self, REPAIRERS, false) &&
	       pthread_create(&self->watcher, NULL, run_watcher, self) == 0;
}

struct hv_reconciler *hv_reconciler_start(const struct hv_reconciler_args *args)
{
	struct hv_reconciler *self = calloc(1, sizeof(*self));

	if (!self)
		return NULL;
	self->args = *args;
	if (self->args.look_ms == 0)
		self->args.look_ms = LOOK_MS;
	if (self->args.idle_ms == 0)
		self->args.idle_ms = IDLE_MS;
	self->back_off_ms = BACK_OFF_MIN_MS;
	self->is_news = true;
	self->wake_fd = self->epoll_fd = -1;
	hv_queue_init(&self->looks, 1);
	hv_queue_init(&self->repairs, RETRIERS);
	hv_restarter_init(&self->restarter, &self->args, &self->is_subscribed);
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
