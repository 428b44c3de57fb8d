/* Sequence of the reader: when the state is open, start the gate and have it follow the roots,
 * those of the store among them; then, as it tells: mark containers that have attachments, and give
 * starts that are held to a worker.  A gate that ends is started again, from 100 ms to 5 s later.
 *
 * A worker attaches what is wanted, and has the gate let the start go.  There are as many workers
 * as there are starts held, up to a limit: file systems may keep each of them.  A few stay. */
#include "daemon/starter.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "mountcore/cleanup.h"
#include "mountcore/core.h"
#include "mountcore/host.h"
#include "wire/clock.h"

#include "held.h"
#include "lock.h"
#include "start/gate.h"
#include "start/roots.h"
#include "workers.h"

enum {
	/* For 256 starts, each of which may wait for a file system of its own: at its set-up, at
	 * the start itself, and after a denial.  Further starts wait for one of them. */
	WORKERS_MAX = 3 * 256,
	WORKERS_KEPT = 2,
	BACK_OFF_MIN_MS = 100,
	BACK_OFF_MAX_MS = 5000,
	STATE_RETRY_MS = 1000,
};

/* A start that waits for a worker. */
struct held {
	struct hv_work work;
	unsigned gate; /* which one holds it */
	struct hv_gate_news news;
};

struct hv_starter {
	struct hv_starter_args args;
	struct hv_workers workers;
	pthread_t reader;
	pthread_mutex_t lock; /* of all that follows */
	pthread_cond_t changed;
	struct hv_texts roots; /* that were learned */
	struct hv_texts seen;  /* the same as they were told */
	struct hv_gate gate;
	unsigned gates; /* how many there were; odd: there is one */
	bool is_ready;
	bool is_stopping;
	bool is_over;     /* the reader has ended */
	char reason[256]; /* why no start is held */
};

static bool has_gate(const struct hv_starter *self)
{
	return self->gates % 2 == 1;
}

/* Returns whether to go on. */
static bool pause_for(struct hv_starter *self, long long ms)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&self->lock);
	long long until_ms = hv_clock_ms() + ms;

	while (!self->is_stopping && hv_wait_until(&self->changed, lock, until_ms))
		continue;
	return !self->is_stopping;
}

static void set_reason(struct hv_starter *self, const char *reason)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&self->lock);

	self->is_ready = !*reason;
	snprintf(self->reason, sizeof(self->reason), "%s", reason);
}

/* --- starts that are held --- */

/* The gate that holds it, unless that has ended.  To refuse a start the first process is killed;
 * crun takes a start without it for one that worked. */
static void answer(
	struct hv_starter *self, const struct held *held, const struct hv_held_result *result)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&self->lock);

	if (self->gates != held->gate)
		return;
	if (result->repaired.refused > 0)
		(void)!hv_gate_refuse(&self->gate, held->news.seq);
	else
		(void)!hv_gate_release(&self->gate, held->news.seq, result->is_early);
}

static void free_held(struct held *held)
{
	mc_close_fd(&held->news.fd);
	free(held);
}

static void work_on(void *context, struct hv_work *work)
{
	struct hv_starter *self = context;
	struct hv_attacher *attacher = self->args.attacher;
	struct held *held = (struct held *)work;
	struct hv_held_result result = {.is_early = false};

	if (held->news.kind == HV_GATE_DENIED) {
		hv_held_deny(attacher, &held->news, self->args.hold_ms, &result);
	} else {
		hv_held_attach(attacher, &held->news, &result);
		answer(self, held, &result);
		if (result.repaired.records > 0)
			hv_attacher_poke(attacher, held->news.id, false);
	}
	hv_held_tell(self->args.log, &held->news, &result);
	free_held(held);
}

static void begin_worker(void *context)
{
	struct hv_starter *self = context;

	(void)!mc_core_lend_thread(self->args.attacher->core); /* else it takes longer */
}

static void hv_holds_init(struct hv_starter *self)
{
	hv_workers_init(&self->workers, &(struct hv_workers_args){
						.max = WORKERS_MAX,
						.kept = WORKERS_KEPT,
						.begin = begin_worker,
						.work = work_on,
						.context = self,
					});
}

static void hv_holds_done(struct hv_starter *self)
{
	struct hv_work *work;

	while ((work = hv_workers_take(&self->workers)))
		free_held((struct held *)work);
	hv_workers_done(&self->workers);
}

static void hv_holds_add(struct hv_starter *self, struct hv_gate_news *news)
{
	struct held *held = malloc(sizeof(*held));

	if (!held) {
		mc_close_fd(&news->fd);
		return;
	}
	held->news = *news;
	held->gate = self->gates; /* which the reader alone changes */
	hv_workers_add(&self->workers, &held->work);
}

/* --- roots --- */

static void follow(struct hv_starter *self, const char *root)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&self->lock);

	if (has_gate(self))
		(void)!hv_gate_follow(&self->gate, root);
}

/* Of `count` items, or of those before a NULL. */
static bool is_among(const char *const *items, size_t count, const char *root)
{
	for (size_t i = 0; i < count && items[i]; i++)
		if (strcmp(items[i], root) == 0)
			return true;
	return false;
}

/* Returns whether it was not there. */
static bool add(struct hv_starter *self, struct hv_texts *texts, const char *root)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&self->lock);

	return !is_among(hv_roots_usual, SIZE_MAX, root) &&
	       !is_among((const char *const *)texts->items, texts->count, root) &&
	       hv_texts_add(texts, root) == 0;
}

void hv_starter_learn(struct hv_starter *starter, pid_t pid)
{
	struct hv_attacher *attacher = starter->args.attacher;
	char found[PATH_MAX], root[PATH_MAX];
	hv_auto_error struct hv_error err = {0};

	/* Once for each that a runtime was given: where that leads to takes a walk on the host. */
	if (starter->args.hold_ms == 0 || hv_root_find(pid, found) < 0 ||
		!add(starter, &starter->seen, found) ||
		mc_host_resolve(attacher->core, found, root, NULL, NULL) < 0 ||
		!add(starter, &starter->roots, root))
		return;
	follow(starter, root);
	hv_log_line(starter->args.log, HV_LOG_INFO, "starts in %s are held from now on", root);
	if (hv_store_root_add(attacher->store, root, &err) != HV_OK)
		hv_log_line(starter->args.log, HV_LOG_WARN, "%s is not noted: %s", root,
			hv_error_text(&err));
}

static void hv_runtimes_read(struct hv_starter *self)
{
	hv_auto_texts struct hv_texts roots = {0};
	hv_auto_error struct hv_error ignored = {0};

	if (hv_store_root_list(self->args.attacher->store, &roots, &ignored) != HV_OK)
		return;
	for (size_t i = 0; i < roots.count; i++)
		(void)add(self, &self->roots, roots.items[i]);
}

static void hv_runtimes_follow(struct hv_starter *self)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&self->lock);

	for (const char *const *at = hv_roots_usual; *at; at++)
		(void)!hv_gate_follow(&self->gate, *at);
	for (size_t i = 0; i < self->roots.count; i++)
		(void)!hv_gate_follow(&self->gate, self->roots.items[i]);
}

/* --- the reader --- */

/* Tell the gate the containers attached earlier.  It asks about any that it has no room for. */
static void know_all(struct hv_starter *self)
{
	hv_auto_texts struct hv_texts containers = {0};
	hv_auto_error struct hv_error ignored = {0};

	if (hv_attachments_containers(self->args.attacher, &containers, &ignored) != HV_OK)
		return;
	for (size_t i = 0; i < containers.count; i++)
		if (hv_gate_know(&self->gate, containers.items[i]) < 0)
			break;
}

/* Of an error that stays; NULL: it is of resources that may be had later. */
static const char *why_never(int error)
{
	switch (-error) {
	case EINVAL:
		return "this kernel has no CONFIG_FANOTIFY_ACCESS_PERMISSIONS";
	case ENOSYS:
		return "this kernel has no fanotify";
	case EPERM:
		return "fanotify is denied to hostvold: it needs CAP_SYS_ADMIN and CAP_SYS_CHROOT";
	default:
		return NULL;
	}
}

static void mark_if_wanted(struct hv_starter *self, const char *id)
{
	hv_auto_error struct hv_error err = {0};
	bool is_wanted = false, is_required = false;

	if (hv_attachments_wanted(self->args.attacher, id, &is_wanted, &is_required, &err) != HV_OK)
		hv_log_line(self->args.log, HV_LOG_WARN, "start of container %.12s: %s", id,
			hv_error_text(&err));
	else if (is_wanted)
		(void)!hv_gate_mark(&self->gate, id, is_required);
	else
		(void)!hv_gate_forget(&self->gate, id);
}

/* Returns false when there is no use in another gate. */
static bool take_ready(struct hv_starter *self, int error)
{
	const char *never = why_never(error), *reason = never ? never : strerrordesc_np(-error);

	if (error == 0) {
		set_reason(self, "");
		hv_runtimes_follow(self);
		know_all(self);
		return true;
	}
	if (strcmp(self->reason, reason) != 0)
		hv_log_line(self->args.log, HV_LOG_WARN,
			"no start is held: %s; attachments come back by the Engine's events",
			reason);
	set_reason(self, reason);
	return !never;
}

/* Returns false when there is no use in another gate. */
static bool take(struct hv_starter *self, struct hv_gate_news *news)
{
	switch (news->kind) {
	case HV_GATE_READY:
		return take_ready(self, news->error);
	case HV_GATE_CREATED:
		mark_if_wanted(self, news->id);
		break;
	case HV_GATE_SET_UP:
	case HV_GATE_HELD:
	case HV_GATE_DENIED:
		hv_holds_add(self, news);
		break;
	case HV_GATE_EXPIRED:
		hv_log_line(self->args.log, HV_LOG_WARN,
			"start of container %.12s: it was held for %u ms, and goes on before all is attached",
			news->id, self->args.hold_ms);
		break;
	}
	return true;
}

/* From its start to its end.  Returns false when there is no use in another one. */
static bool serve_gate(struct hv_starter *self, int host_root)
{
	struct hv_gate gate;
	struct hv_gate_news news;
	bool is_useful = true;
	int rc = hv_gate_start(host_root, self->args.hold_ms, &gate);

	if (rc < 0) {
		set_reason(self, strerrordesc_np(-rc));
		return true;
	}
	pthread_mutex_lock(&self->lock);
	self->gate = gate;
	self->gates++;
	if (self->is_stopping)
		shutdown(gate.socket, SHUT_RDWR);
	pthread_mutex_unlock(&self->lock);
	while (is_useful && hv_gate_read(&gate, &news) == 0)
		is_useful = take(self, &news);
	pthread_mutex_lock(&self->lock);
	self->gates++;
	pthread_mutex_unlock(&self->lock);
	hv_gate_end(&gate);
	if (is_useful && self->is_ready)
		set_reason(self, "the process that holds starts has ended; it is started again");
	return is_useful;
}

static void run_gates(struct hv_starter *self)
{
	mc_auto_fd host_root = mc_host_open(self->args.attacher->core, "/");
	long long back_off_ms = BACK_OFF_MIN_MS;

	if (host_root < 0) {
		set_reason(self, strerrordesc_np(-host_root));
		return;
	}
	do {
		long long begin_ms = hv_clock_ms();

		if (!serve_gate(self, host_root))
			return;
		if (hv_clock_ms() - begin_ms > BACK_OFF_MAX_MS)
			back_off_ms = BACK_OFF_MIN_MS;
		else if (back_off_ms < BACK_OFF_MAX_MS)
			back_off_ms *= 2;
	} while (pause_for(self, back_off_ms));
}

static bool wait_for_state(struct hv_starter *self)
{
	hv_auto_error struct hv_error ignored = {0};

	while (self->args.open_state(self->args.context, &ignored) != HV_OK)
		if (!pause_for(self, STATE_RETRY_MS))
			return false;
	return true;
}

static void *run_reader(void *argument)
{
	struct hv_starter *self = argument;

	if (wait_for_state(self)) {
		hv_runtimes_read(self);
		run_gates(self);
	}
	pthread_mutex_lock(&self->lock);
	self->is_over = true;
	pthread_cond_broadcast(&self->changed);
	pthread_mutex_unlock(&self->lock);
	return NULL;
}

/* --- the whole --- */

static void done(struct hv_starter *self)
{
	hv_holds_done(self);
	hv_texts_done(&self->roots);
	hv_texts_done(&self->seen);
	pthread_cond_destroy(&self->changed);
	pthread_mutex_destroy(&self->lock);
	free(self);
}

struct hv_starter *hv_starter_start(const struct hv_starter_args *args)
{
	struct hv_starter *self = calloc(1, sizeof(*self));

	if (!self)
		return NULL;
	self->args = *args;
	self->is_over = args->hold_ms == 0;
	pthread_mutex_init(&self->lock, NULL);
	pthread_cond_init(&self->changed, NULL);
	hv_holds_init(self);
	set_reason(self, self->is_over ? "HOSTVOL_HOLD_MS is 0" : "hostvold has just begun");
	if (self->is_over)
		return self;
	if (pthread_create(&self->reader, NULL, run_reader, self) != 0) {
		done(self);
		return NULL;
	}
	hv_workers_begin(&self->workers);
	return self;
}

void hv_starter_look(struct hv_starter *starter, const char *container_id, bool is_undone)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&starter->lock);

	if (!has_gate(starter))
		return;
	(void)!hv_gate_know(&starter->gate, container_id);
	if (is_undone)
		(void)!hv_gate_look(&starter->gate, container_id);
}

void hv_starter_tell(struct hv_starter *starter, struct hv_starts *ret)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&starter->lock);

	ret->hold_ms = starter->args.hold_ms;
	ret->are_held = starter->is_ready;
	snprintf(ret->reason, sizeof(ret->reason), "%s", starter->reason);
}

/* Returns whether it has ended. */
static bool end_reader(struct hv_starter *self, long long until_ms)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&self->lock);

	self->is_stopping = true;
	if (has_gate(self))
		shutdown(self->gate.socket, SHUT_RDWR);
	pthread_cond_broadcast(&self->changed);
	while (!self->is_over && hv_wait_until(&self->changed, lock, until_ms))
		continue;
	return self->is_over;
}

bool hv_starter_stop(struct hv_starter *starter, int timeout_ms)
{
	long long until_ms = hv_clock_ms() + timeout_ms;
	bool is_over = end_reader(starter, until_ms);

	hv_workers_stop(&starter->workers);
	if (!is_over || !hv_workers_wait(&starter->workers, until_ms))
		return false;
	if (starter->args.hold_ms > 0)
		pthread_join(starter->reader, NULL);
	done(starter);
	return true;
}
