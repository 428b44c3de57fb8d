/* SPDX-License-Identifier: Apache-2.0 */
/* Sequence of the watcher: subscribe to events; when the Engine has said that it will tell, have
 * every container with records repaired; from then on those that something happened to.  Each
 * minute those are looked at whose mount tables have changed, and the Engine is asked once for all
 * of them, since an event may be lost.  A container with a lease waits in the queue of looks until
 * its end: then a repairer detaches it.  A stream that ends is subscribed to again, from 100 ms to
 * 5 s later.  The rules are applied to all containers as often; for containers that are created
 * in between there are threads (ruler.c).
 *
 * The watcher looks at containers itself, which asks the kernel only, and never waits.  Repairing,
 * and asking the Engine, may wait for it and for file systems. */
#include "daemon/reconciler.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "attach/rules.h"
#include "engine/events.h"
#include "mountcore/cleanup.h"
#include "mountcore/core.h"
#include "wire/clock.h"

#include "daemon/processes.h"
#include "daemon/queue.h"
#include "daemon/repairers.h"
#include "daemon/restarter.h"
#include "hearer.h"
#include "ruler.h"
#include "tasks.h"

enum {
	BACK_OFF_MIN_MS = 100,
	BACK_OFF_MAX_MS = 5000,
	IDLE_MS = 30000,       /* how long repairers stay that are not needed any more */
	LOOK_MS = 60000,       /* how often mount tables are asked whether they have changed, */
	ASK_MS = 60000,        /* and the Engine which containers run */
	STATE_RETRY_MS = 1000, /* while the state cannot be opened */
	READY_MAX = 64,
	LOOKS_MAX = 32, /* at a time, before events are taken */
	MOUNTS_MS = 10, /* from asking which containers mounts are told of to the next time */
};

/* Of the looks.  After a change of our own a container that was looked at just now rests first: a
 * look costs as much as the container has attachments, and nobody waits for it. */
enum { LOOK, LOOK_OWN };

struct hv_reconciler {
	struct hv_reconciler_args args;
	struct hv_repairers repairers; /* tended by the watcher, once it runs */
	struct hv_queue looks;         /* of the watcher */
	struct hv_tasks tasks;         /* of the repairers */
	struct hv_restarter restarter;
	struct hv_ruler ruler;
	struct hv_hearer hearer;
	pthread_t watcher;
	int wake_fd; /* eventfd: there is something to look at, or the end */
	atomic_bool is_stopping;
	atomic_bool are_mounts_told; /* something was mounted or unmounted in a container */
	atomic_bool is_subscribed;   /* the Engine is there */
	/* The watcher's own. */
	struct hv_events *events;
	int epoll_fd; /* wake_fd with no data, and the processes */
	struct hv_processes processes;
	long long look_all_ms;  /* when to look next at those whose mount tables have changed */
	long long mounts_ms;    /* not before, when mounts are told again */
	long long rest_ms;      /* when a container that changed has rested; 0: none rests */
	long long ask_ms;       /* when to ask the Engine next */
	long long look_one_ms;  /* when to look at one of them next; 0: at none */
	long long subscribe_ms; /* when to subscribe next */
	long long back_off_ms;
	bool is_trying; /* a subscription is under way or stands */
	bool is_news;   /* anything may have happened before it was subscribed */
	bool is_known;  /* that the Engine does not tell was logged */
	bool is_damage_told;
};

static void wake(void *context)
{
	struct hv_reconciler *self = context;
	const uint64_t one = 1;

	/* Cannot fail: the counter would have to overflow. */
	(void)!write(self->wake_fd, &one, sizeof(one));
}

void hv_reconciler_poke(struct hv_reconciler *reconciler, const char *container_id, bool is_undone)
{
	hv_queue_put(&reconciler->looks, 0, container_id);
	if (is_undone)
		hv_queue_put(&reconciler->repairers.queue, HV_TASK_REPAIR, container_id);
	wake(reconciler);
}

static void lend(void *context)
{
	const struct hv_reconciler *self = context;

	if (self->args.core)
		(void)!mc_core_lend_thread(self->args.core); /* else it takes longer */
}

void hv_reconciler_poke_rules(struct hv_reconciler *reconciler)
{
	hv_queue_put(&reconciler->repairers.queue, HV_TASK_RULES, "");
}

/* Of the hearer. */
static void on_mounts(void *context)
{
	struct hv_reconciler *self = context;

	if (!atomic_exchange(&self->are_mounts_told, true))
		wake(self);
}

static bool repair_next(void *context, const struct hv_queued *queued)
{
	struct hv_reconciler *self = context;

	return hv_task_do(&self->tasks, queued);
}

/* Mounts of it came or went by ourselves. */
static void look_again(void *context, const char *container_id)
{
	struct hv_reconciler *self = context;

	hv_queue_put(&self->looks, LOOK_OWN, container_id);
	wake(self);
}

/* --- the watcher --- */

/* Something has happened to it. */
static void put(struct hv_reconciler *self, const char *container_id)
{
	hv_queue_put(&self->looks, LOOK, container_id);
	hv_queue_put(&self->repairers.queue, HV_TASK_REPAIR, container_id);
}

static void on_event(void *context, const struct hv_event *event)
{
	struct hv_reconciler *self = context;

	if (strcmp(event->action, "create") == 0) {
		if (!hv_ruler_meet(&self->ruler, event))
			hv_queue_put(&self->repairers.queue, HV_TASK_RULES, "");
		return;
	}
	if (hv_rules_miss(self->args.attacher, event->container))
		hv_queue_put(&self->repairers.queue, HV_TASK_RULES, "");
	if (strcmp(event->action, "destroy") == 0 || strcmp(event->action, "remove") == 0)
		hv_attacher_container_destroyed(self->args.attacher, event->container);
	/* A keeper has ended: before all else, since it may be pruned next. */
	if (strcmp(event->action, "start") != 0 && event->keeps)
		hv_queue_put(&self->repairers.queue, HV_TASK_KEEP, event->keeps);
	put(self, event->container);
}

/* After a look, which reads the records of its container and leaves damaged ones out. */
static void tell_damage(struct hv_reconciler *self)
{
	hv_auto_error struct hv_error damage = {0};

	if (self->is_damage_told ||
		hv_attachments_tell_damage(self->args.attacher, &damage) == HV_OK)
		return;
	hv_log_line(self->args.log, HV_LOG_ERROR, "%s", hv_error_text(&damage));
	self->is_damage_told = true;
}

/* It has no attachments any more. */
static void unwatch(struct hv_reconciler *self, const char *container_id)
{
	const struct hv_process *process = hv_names_find(&self->processes.containers, container_id);

	if (process && process->pid > 0)
		hv_attachments_unwatch(self->args.attacher, process->pid, process->ns_ino);
}

/* `ret_lease_ms`: of a look that went well, as in struct hv_seen. */
static enum hv_code look_at(struct hv_reconciler *self, const char *container_id,
	long long *ret_lease_ms, struct hv_error *err)
{
	HV_AUTO(hv_seen_done) struct hv_seen seen = HV_SEEN_NONE;
	enum hv_code code;

	if (self->args.open_state(self->args.context, err) != HV_OK)
		return err->code;
	code = hv_attachments_sync(self->args.attacher, container_id, &seen, err);
	tell_damage(self);
	(void)hv_tasks_tell(&self->tasks, &seen.repaired);
	if (seen.pid > 0 && self->args.on_process &&
		!hv_processes_has(&self->processes, container_id, &seen))
		self->args.on_process(self->args.context, (pid_t)seen.pid);
	if (seen.repaired.pending > 0) /* and nobody may have told that it runs again */
		hv_queue_add(&self->repairers.queue, HV_TASK_REPAIR, container_id);
	if (seen.repaired.awaited > 0)
		hv_restarter_add(&self->restarter, container_id);
	if (seen.is_lease_over)
		hv_queue_add(&self->repairers.queue, HV_TASK_EXPIRE, container_id);
	*ret_lease_ms = seen.lease_ms;
	if (code == HV_OK && seen.repaired.records == 0)
		unwatch(self, container_id);
	/* One of its records may have failed, and the process be known by another. */
	if ((code == HV_OK || seen.pid > 0) &&
		hv_processes_set(&self->processes, container_id, &seen) < 0)
		return hv_oom(err);
	return code;
}

/* The looks ask who mounted and unmounted: whatever the kernel has told is to be heard before. */
static void hear(struct hv_reconciler *self)
{
	unsigned others = 0;

	(void)hv_attachments_hear(self->args.attacher, &others);
	if (others > 0)
		self->are_mounts_told = true;
}

static void look_at_some(struct hv_reconciler *self)
{
	struct hv_queued queued;

	hear(self);
	for (int i = 0; i < LOOKS_MAX; i++) {
		hv_auto_error struct hv_error err = {0};
		long long rest_ms, lease_ms = -1, began_us = hv_clock_thread_us();
		enum hv_code code;

		if (!hv_queue_try(&self->looks, &queued, &self->look_one_ms))
			return;
		rest_ms = queued.kind == LOOK_OWN
				  ? hv_processes_rest_ms(&self->processes, queued.name)
				  : 0;
		if (rest_ms > 0) {
			hv_queue_postpone(&self->looks, &queued, rest_ms);
			continue;
		}
		code = look_at(self, queued.name, &lease_ms, &err);
		hv_processes_rest(&self->processes, queued.name, hv_clock_thread_us() - began_us);
		if (code != HV_OK)
			hv_tasks_tell_failure(&self->tasks, queued.name, queued.tries, &err);
		if (code == HV_OK && lease_ms >= 0)
			hv_queue_postpone(&self->looks, &queued, lease_ms);
		else
			hv_queue_finish(&self->looks, &queued, code == HV_OK);
	}
	self->look_one_ms = hv_clock_ms(); /* there may be more */
}

static void put_look(void *context, const char *container_id)
{
	struct hv_reconciler *self = context;

	hv_queue_put(&self->looks, LOOK, container_id); /* it may wait for the end of a lease */
}

static void tell_changed(struct hv_reconciler *self)
{
	self->rest_ms = hv_processes_tell_changed(&self->processes, put_look, self);
}

/* Mounts came or went.  The kernel does not tell where, but which tables have changed; also if so
 * many came that it lost some. */
static void look_at_mounts(struct hv_reconciler *self, long long now)
{
	bool is_told = now >= self->mounts_ms && atomic_exchange(&self->are_mounts_told, false);

	if (!is_told && (self->rest_ms == 0 || now < self->rest_ms))
		return;
	self->mounts_ms = now + MOUNTS_MS;
	tell_changed(self);
}

/* All of them, after anything may have happened to them. */
static void put_all(struct hv_reconciler *self, long long now)
{
	hv_auto_error struct hv_error err = {0};
	hv_auto_texts struct hv_texts ids = {0};

	if (self->args.open_state(self->args.context, &err) != HV_OK ||
		hv_attachments_containers(self->args.attacher, &ids, &err) != HV_OK) {
		self->look_all_ms = self->ask_ms = now + STATE_RETRY_MS;
		return;
	}
	for (size_t i = 0; i < ids.count; i++)
		put(self, ids.items[i]);
	for (size_t i = 0; i < self->processes.containers.count; i++) /* that went too */
		hv_queue_add(&self->looks, LOOK, self->processes.containers.items[i]->name);
	hv_queue_add(&self->repairers.queue, HV_TASK_KEEP, "");
	self->look_all_ms = now + self->args.look_ms;
	self->ask_ms = now + self->args.ask_ms;
	self->is_news = false;
}

static void sweep(struct hv_reconciler *self)
{
	long long now = hv_clock_ms();

	look_at_mounts(self, now);
	if (self->is_news) {
		if (now >= self->look_all_ms)
			put_all(self, now);
		return;
	}
	if (now >= self->look_all_ms) {
		self->look_all_ms = now + self->args.look_ms;
		tell_changed(self);
	}
	if (now >= self->ask_ms) {
		self->ask_ms = now + self->args.ask_ms;
		hv_queue_add(&self->repairers.queue, HV_TASK_COMPARE, "");
		hv_queue_add(&self->repairers.queue, HV_TASK_KEEP, "");
		hv_queue_add(&self->repairers.queue, HV_TASK_RULES, "");
	}
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
	hv_rules_set_told(self->args.attacher, false);
	self->is_trying = false;
	self->subscribe_ms = hv_clock_ms() + self->back_off_ms;
	self->back_off_ms *= 2;
	if (self->back_off_ms > BACK_OFF_MAX_MS)
		self->back_off_ms = BACK_OFF_MAX_MS;
}

/* The Engine has said that it will tell. */
static void notice_open(struct hv_reconciler *self)
{
	if (self->is_subscribed || !hv_events_is_open(self->events))
		return;
	hv_log_line(self->args.log, HV_LOG_INFO, "the Docker Engine tells its events");
	self->is_subscribed = true;
	hv_rules_set_told(self->args.attacher, true);
	hv_queue_put(&self->repairers.queue, HV_TASK_RULES, "");
	if (self->args.is_met_late)
		hv_queue_put(&self->repairers.queue, HV_TASK_INTRODUCE, "");
	if (self->args.on_engine)
		self->args.on_engine(self->args.context);
	self->is_known = false;
	self->back_off_ms = BACK_OFF_MIN_MS;
	self->look_all_ms = 0;
	self->is_news = true;
}

static int time_left(const struct hv_reconciler *self)
{
	long long next = self->look_all_ms, now = hv_clock_ms();

	if (self->ask_ms < next)
		next = self->ask_ms;
	if (!self->is_trying && self->subscribe_ms < next)
		next = self->subscribe_ms;
	if (self->look_one_ms > 0 && self->look_one_ms < next)
		next = self->look_one_ms;
	if (self->are_mounts_told && self->mounts_ms < next)
		next = self->mounts_ms;
	if (self->rest_ms > 0 && self->rest_ms < next)
		next = self->rest_ms;
	if (self->repairers.tend_ms > 0 && self->repairers.tend_ms < next)
		next = self->repairers.tend_ms;
	return next > now ? (int)(next - now) : 0;
}

static void *run_watcher(void *argument)
{
	struct hv_reconciler *self = argument;

	lend(self);
	while (!self->is_stopping) {
		hv_auto_error struct hv_error err = {0};

		if (!self->is_trying && hv_clock_ms() >= self->subscribe_ms) {
			self->is_trying = true;
			if (hv_events_subscribe(self->events, &err) != HV_OK)
				back_off(self, &err);
		}
		sweep(self);
		look_at_some(self);
		hv_repairers_tend(&self->repairers);
		if (hv_events_wait(self->events, self->epoll_fd, time_left(self), &err) != HV_OK)
			back_off(self, &err);
		notice_open(self);
		take_ready(self);
	}
	return NULL;
}

/* --- from start to stop --- */

static void release(struct hv_reconciler *self)
{
	hv_events_free(self->events);
	hv_processes_done(&self->processes);
	hv_queue_done(&self->restarter.queue);
	hv_ruler_done(&self->ruler);
	hv_hearer_done(&self->hearer);
	hv_queue_done(&self->looks);
	hv_queue_done(&self->repairers.queue);
	mc_close_fd(&self->epoll_fd);
	mc_close_fd(&self->wake_fd);
	free(self);
}

static bool set_up(struct hv_reconciler *self)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};

	self->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	self->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	self->events = hv_events_new(self->args.engine, on_event, self);
	return hv_processes_init(&self->processes, self->epoll_fd) == 0 && self->wake_fd >= 0 &&
	       self->epoll_fd >= 0 && self->events &&
	       epoll_ctl(self->epoll_fd, EPOLL_CTL_ADD, self->wake_fd, &event) == 0;
}

/* By the wall clock, which ThreadSanitizer knows. */
static bool join_all(struct hv_reconciler *self, bool has_watcher, int timeout_ms)
{
	struct timespec until;

	self->is_stopping = true;
	hv_repairers_stop(&self->repairers);
	wake(self);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += timeout_ms / 1000 + 1;
	if (has_watcher && pthread_timedjoin_np(self->watcher, NULL, &until) != 0)
		return false;
	return hv_hearer_stop(&self->hearer, &until) &&
	       hv_ruler_stop(&self->ruler, hv_clock_ms() + timeout_ms) &&
	       hv_restarter_stop(&self->restarter, &until) &&
	       hv_repairers_join(&self->repairers, &until);
}

struct hv_reconciler *hv_reconciler_start(const struct hv_reconciler_args *args)
{
	struct hv_reconciler *self = calloc(1, sizeof(*self));

	if (!self)
		return NULL;
	self->args = *args;
	self->args.look_ms = args->look_ms ? args->look_ms : LOOK_MS;
	self->args.ask_ms = args->ask_ms ? args->ask_ms : ASK_MS;
	self->args.idle_ms = args->idle_ms ? args->idle_ms : IDLE_MS;
	self->back_off_ms = BACK_OFF_MIN_MS;
	self->is_news = true;
	self->wake_fd = self->epoll_fd = -1;
	hv_queue_init(&self->looks, 1);
	hv_repairers_init(&self->repairers,
		&(struct hv_repairers_args){lend, repair_next, wake, self, self->args.idle_ms});
	self->tasks = (struct hv_tasks){
		.args = &self->args,
		.has_engine = &self->is_subscribed,
		.queue = &self->repairers.queue,
		.on_change = look_again,
		.context = self,
	};
	hv_restarter_init(&self->restarter, &self->args, &self->is_subscribed);
	hv_ruler_init(&self->ruler, &self->args);
	hv_hearer_init(&self->hearer, args->attacher, on_mounts, self);
	if (set_up(self) && hv_hearer_start(&self->hearer) &&
		hv_repairers_start(&self->repairers) &&
		pthread_create(&self->watcher, NULL, run_watcher, self) == 0)
		return self;
	(void)join_all(self, false, 1000); /* they have nothing to do yet */
	release(self);
	return NULL;
}

size_t hv_reconciler_queued(struct hv_reconciler *reconciler)
{
	return hv_queue_count(&reconciler->looks) + hv_queue_count(&reconciler->repairers.queue);
}

bool hv_reconciler_stop(struct hv_reconciler *reconciler, int timeout_ms)
{
	if (!join_all(reconciler, true, timeout_ms))
		return false;
	release(reconciler);
	return true;
}
