/* SPDX-License-Identifier: Apache-2.0 */
/* Sequence of the reader: when the state is open, start the gate and have it follow the roots,
 * those of the store among them; then, as it tells: mark containers that have attachments, and give
 * starts that are held to a worker.  A gate that ends is started again, from 100 ms to 5 s later.
 */
#include "daemon/starter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "attach/rules.h"
#include "mountcore/cleanup.h"
#include "mountcore/host.h"
#include "wire/clock.h"
#include "wire/lock.h"

#include "holds.h"
#include "runtimes.h"

enum {
	BACK_OFF_MIN_MS = 100,
	BACK_OFF_MAX_MS = 5000,
	STATE_RETRY_MS = 1000,
};

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
	else if (is_wanted || hv_rules_may_want(self->args.attacher, id))
		(void)!hv_gate_mark(&self->gate, id, is_required);
	else
		(void)hv_holds_forget(self, id);
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
	mc_auto_fd host_root = mc_host_open(self->args.core, "/");
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
	return self;
}

void hv_starter_look(struct hv_starter *starter, const char *container_id, bool is_undone)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&starter->lock);

	if (!hv_has_gate(starter))
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
	if (hv_has_gate(self))
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
