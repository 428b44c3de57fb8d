/* SPDX-License-Identifier: Apache-2.0 */
/* A worker attaches what is wanted, and has the gate let the start go.  There are as many workers
 * as there are starts held, up to a limit: file systems may keep each of them.  A few stay then. */
#include "holds.h"

#include <stdlib.h>

#include "attach/rules.h"
#include "mountcore/cleanup.h"
#include "mountcore/core.h"
#include "wire/clock.h"
#include "wire/lock.h"
#include "wire/metrics.h"

#include "held.h"

enum {
	/* For 256 starts, each of which may wait for a file system of its own: at its set-up, at
	 * the start itself, and after a denial.  Further starts wait for one of them. */
	WORKERS_MAX = 3 * 256,
	WORKERS_KEPT = 2,
	RULES_WAIT_MS = 300, /* for the event that a container was created */
	RULES_SPARE_MS = 100,
};

/* A start that waits for a worker. */
struct held {
	struct hv_work work;
	unsigned gate;      /* which one holds it */
	long long since_us; /* CLOCK_MONOTONIC: since when that is known here */
	struct hv_gate_news news;
};

/* It goes on by now, or went on when its time was over. */
static void measure(const struct held *held)
{
	long long now_us = hv_clock_us(), until_us = held->news.until_ms * 1000;

	hv_timing_add(HV_TIME_HOLD, (now_us < until_us ? now_us : until_us) - held->since_us);
}

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

/* Whether anything is wanted in the container, now that the rules were applied to it: without rules
 * only such a start is held. */
static bool is_wanted(const struct hv_starter *self, const struct hv_gate_news *news)
{
	struct hv_attacher *attacher = self->args.attacher;
	hv_auto_error struct hv_error ignored = {0};
	long long until_ms = hv_clock_ms() + RULES_WAIT_MS;
	bool is_wanted = true, is_required = false;

	if (!hv_rules_are_any(attacher))
		return true;
	if (until_ms > news->until_ms - RULES_SPARE_MS)
		until_ms = news->until_ms - RULES_SPARE_MS;
	hv_rules_wait(attacher, news->id, until_ms);
	return hv_attachments_wanted(attacher, news->id, &is_wanted, &is_required, &ignored) !=
		       HV_OK ||
	       is_wanted;
}

/* Orders to the gate that holds it, unless that has ended. */
static void release(struct hv_starter *self, const struct held *held)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&self->lock);

	if (self->gates == held->gate)
		(void)!hv_gate_release(&self->gate, held->news.seq, false);
}

static void forget(struct hv_starter *self, const char *id)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&self->lock);

	if (hv_has_gate(self))
		(void)!hv_gate_forget(&self->gate, id);
}

static void mark(struct hv_starter *self, const char *id, bool is_required)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&self->lock);

	if (hv_has_gate(self))
		(void)!hv_gate_mark(&self->gate, id, is_required);
}

bool hv_holds_forget(struct hv_starter *self, const char *id)
{
	hv_auto_error struct hv_error ignored = {0};
	bool is_wanted = false, is_required = false;

	forget(self, id);
	if (hv_attachments_wanted(self->args.attacher, id, &is_wanted, &is_required, &ignored) ==
			HV_OK &&
		!is_wanted)
		return true;
	mark(self, id, is_required);
	return false;
}

static void work_on(void *context, struct hv_work *work)
{
	struct hv_starter *self = context;
	struct hv_attacher *attacher = self->args.attacher;
	struct held *held = (struct held *)work;
	struct hv_held_result result = {.is_early = false};

	if (held->news.kind == HV_GATE_DENIED) {
		hv_held_deny(attacher, &held->news, self->args.hold_ms, &result);
	} else if (!is_wanted(self, &held->news) && hv_holds_forget(self, held->news.id)) {
		release(self, held); /* its further starts are none of ours */
	} else {
		hv_held_attach(attacher, &held->news, &result);
		answer(self, held, &result);
		measure(held);
		if (result.repaired.records > 0)
			hv_attacher_notify(attacher, held->news.id, false);
	}
	hv_held_tell(self->args.log, &held->news, &result);
	free_held(held);
}

static void begin_worker(void *context)
{
	struct hv_starter *self = context;

	(void)!mc_core_lend_thread(self->args.core); /* else it takes longer */
}

void hv_holds_init(struct hv_starter *self)
{
	hv_workers_init(&self->workers, &(struct hv_workers_args){
						.max = WORKERS_MAX,
						.kept = WORKERS_KEPT,
						.begin = begin_worker,
						.work = work_on,
						.context = self,
					});
}

void hv_holds_done(struct hv_starter *self)
{
	struct hv_work *work;

	while ((work = hv_workers_take(&self->workers)))
		free_held((struct held *)work);
	hv_workers_done(&self->workers);
}

void hv_holds_add(struct hv_starter *self, struct hv_gate_news *news)
{
	struct held *held = malloc(sizeof(*held));

	if (!held) {
		mc_close_fd(&news->fd);
		return;
	}
	held->news = *news;
	held->gate = self->gates; /* which the reader alone changes */
	held->since_us = hv_clock_us();
	if (news->kind == HV_GATE_DENIED) /* its process waits for ever, and so may this */
		hv_workers_add(&self->workers, &held->work);
	else if (!hv_workers_try(&self->workers, &held->work))
		free_held(held); /* the hold ends by its deadline */
}
