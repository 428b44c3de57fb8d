/* SPDX-License-Identifier: Apache-2.0 */
#include "ruler.h"

#include <stdlib.h>
#include <string.h>

#include "attach/rules.h"
#include "mountcore/core.h"

enum {
	THREADS_MAX = 8,
	THREADS_KEPT = 2,
	WAITING_MAX = 1024, /* more are found by the list of all containers */
};

struct created {
	struct hv_work work;
	char *id;
	char *name;
	struct hv_opts labels;
};

static void free_created(struct created *created)
{
	free(created->id);
	free(created->name);
	hv_opts_done(&created->labels);
	free(created);
}

static void work_on(void *context, struct hv_work *work)
{
	struct hv_ruler *self = context;
	struct created *created = (struct created *)work;
	hv_auto_error struct hv_error ignored = {0};

	atomic_fetch_sub(&self->waiting, 1);
	/* Without the state the list of all containers is asked for when it is there. */
	if (self->args->open_state(self->args->context, &ignored) == HV_OK)
		hv_rules_apply_created(
			self->args->attacher, created->id, created->name, &created->labels);
	free_created(created);
}

static void begin(void *context)
{
	const struct hv_ruler *self = context;

	if (self->args->core)
		(void)!mc_core_lend_thread(self->args->core); /* else it takes longer */
}

void hv_ruler_init(struct hv_ruler *ruler, const struct hv_reconciler_args *args)
{
	*ruler = (struct hv_ruler){.args = args};
	hv_workers_init(&ruler->workers, &(struct hv_workers_args){
						 .max = THREADS_MAX,
						 .kept = THREADS_KEPT,
						 .begin = begin,
						 .work = work_on,
						 .context = ruler,
					 });
}

/* Takes the labels over either way. */
static bool add(
	struct hv_ruler *ruler, const char *container_id, const char *name, struct hv_opts *labels)
{
	struct created *created = calloc(1, sizeof(*created));

	if (!created) {
		hv_opts_done(labels);
		return false;
	}
	created->labels = *labels;
	*labels = (struct hv_opts){0};
	created->id = strdup(container_id);
	created->name = strdup(name);
	if (!created->id || !created->name || atomic_load(&ruler->waiting) >= WAITING_MAX) {
		free_created(created);
		return false;
	}
	atomic_fetch_add(&ruler->waiting, 1);
	hv_workers_add(&ruler->workers, &created->work);
	return true;
}

bool hv_ruler_meet(struct hv_ruler *ruler, const struct hv_event *event)
{
	struct hv_attacher *attacher = ruler->args->attacher;
	hv_auto_opts struct hv_opts labels = {0};
	const char *name;

	if (!hv_rules_are_any(attacher))
		return true;
	if (hv_event_read_labels(event, &labels, &name) < 0)
		return false;
	return !hv_rules_select(attacher, event->container, &labels) ||
	       add(ruler, event->container, name, &labels);
}

bool hv_ruler_stop(struct hv_ruler *ruler, long long until_ms)
{
	hv_workers_stop(&ruler->workers);
	return hv_workers_wait(&ruler->workers, until_ms);
}

void hv_ruler_done(struct hv_ruler *ruler)
{
	struct hv_work *work;

	while ((work = hv_workers_take(&ruler->workers)))
		free_created((struct created *)work);
	hv_workers_done(&ruler->workers);
}
