/* SPDX-License-Identifier: Apache-2.0 */
#include "tasks.h"

#include "attach/rules.h"
#include "engine/engine.h"

enum {
	INTRODUCE_MS = 10000,
	INTRODUCE_MAX = 8, /* tries */
};

unsigned hv_tasks_tell(const struct hv_tasks *tasks, const struct hv_repaired *repaired)
{
	const struct hv_log_count counts[] = {
		{repaired->attached, HV_LOG_INFO, "attached again"},
		{repaired->adopted, HV_LOG_INFO, "found attached"},
		{repaired->pending, HV_LOG_INFO, "waiting for its next start"},
		{repaired->expired, HV_LOG_INFO, "detached, with the end of its lease"},
		{repaired->drifted, HV_LOG_WARN, "unmounted or covered inside"},
		{repaired->refused, HV_LOG_WARN, hv_log_refused},
		{repaired->doubted, HV_LOG_WARN,
			"kept, although the Docker Engine does not know it (docker hostvol ls tells why)"},
	};

	hv_log_counts(tasks->args->log, repaired->name, counts, sizeof(counts) / sizeof(counts[0]));
	if (repaired->dropped > 0) /* perhaps the last of a volume that is kept */
		hv_queue_add(tasks->queue, HV_TASK_KEEP, "");
	return repaired->attached + repaired->adopted + repaired->pending + repaired->dropped;
}

void hv_tasks_tell_failure(const struct hv_tasks *tasks, const char *container_id, unsigned tries,
	const struct hv_error *err)
{
	bool is_usual = err->code == HV_CONTAINER_CHANGED || err->code == HV_BUSY;

	hv_log_line(tasks->args->log, tries == 0 && !is_usual ? HV_LOG_WARN : HV_LOG_DEBUG,
		"attachments of container %.12s: %s", container_id, hv_error_text(err));
}

/* `ret_changes`: how many mounts came or went that the watcher does not know of; 0 at first. */
static enum hv_code repair(struct hv_tasks *self, const char *container_id, unsigned *ret_changes,
	struct hv_error *err)
{
	struct hv_repaired repaired = {.records = 0};
	enum hv_code code;

	if (self->args->open_state(self->args->context, err) != HV_OK)
		return err->code;
	code = hv_attachments_settle(self->args->attacher, container_id, &repaired, err);
	*ret_changes = hv_tasks_tell(self, &repaired);
	if (code != HV_OK || repaired.records == 0 || !*self->has_engine)
		return code;
	code = hv_attachments_reconcile(self->args->attacher, container_id, &repaired, err);
	*ret_changes += hv_tasks_tell(self, &repaired);
	return code;
}

static bool repair_one(struct hv_tasks *self, const char *container_id, unsigned tries)
{
	hv_auto_error struct hv_error err = {0};
	unsigned changed = 0;
	enum hv_code code = repair(self, container_id, &changed, &err);

	if (code != HV_OK)
		hv_tasks_tell_failure(self, container_id, tries, &err);
	if (changed > 0)
		self->on_change(self->context, container_id);
	return code == HV_OK;
}

/* Have those repaired of which the Engine says something else than their records. */
static bool compare(struct hv_tasks *self, unsigned tries)
{
	hv_auto_error struct hv_error err = {0};
	hv_auto_texts struct hv_texts ids = {0};

	if (self->args->open_state(self->args->context, &err) != HV_OK ||
		(*self->has_engine && hv_attachments_compare(self->args->attacher, &self->listed,
					      &ids, &err) != HV_OK)) {
		hv_log_line(self->args->log, tries == 0 ? HV_LOG_WARN : HV_LOG_DEBUG, "%s",
			hv_error_text(&err));
		return false;
	}
	for (size_t i = 0; i < ids.count; i++)
		hv_queue_add(self->queue, HV_TASK_REPAIR, ids.items[i]);
	return true;
}

/* `volume`: "" for all.  Returns whether it need not be tried again before the next look at all. */
static bool keep(struct hv_tasks *self, const char *volume, unsigned tries)
{
	struct hv_attacher *attacher = self->args->attacher;
	hv_auto_error struct hv_error err = {0};

	if (self->args->open_state(self->args->context, &err) != HV_OK || !*self->has_engine)
		return true;
	if ((*volume ? hv_keeper_check(attacher, volume, &err)
		     : hv_keepers_check(attacher, &err)) == HV_OK)
		return true;
	hv_log_line(self->args->log, *volume && tries == 0 ? HV_LOG_WARN : HV_LOG_DEBUG,
		"containers that keep attached volumes: %s", hv_error_text(&err));
	return !*volume;
}

/* That one is in use is no failure: the next look has it tried again. */
static bool expire(struct hv_tasks *self, const char *container_id, unsigned tries)
{
	hv_auto_error struct hv_error err = {0};
	struct hv_repaired repaired = {.records = 0};
	enum hv_code code = self->args->open_state(self->args->context, &err);

	if (code == HV_OK)
		code = hv_attachments_expire(self->args->attacher, container_id, &repaired, &err);
	(void)hv_tasks_tell(self, &repaired); /* each detach has told the watcher */
	if (code != HV_OK)
		hv_tasks_tell_failure(self, container_id, tries, &err);
	return code == HV_OK;
}

static enum hv_code try_rules(struct hv_tasks *self, struct hv_error *err)
{
	if (self->args->open_state(self->args->context, err) != HV_OK)
		return err->code;
	hv_rules_end_undone(self->args->attacher);
	return *self->has_engine ? hv_rules_apply(self->args->attacher, err) : HV_OK;
}

static bool apply_rules(struct hv_tasks *self, unsigned tries)
{
	hv_auto_error struct hv_error err = {0};

	if (try_rules(self, &err) == HV_OK)
		return true;
	hv_log_line(self->args->log, tries == 0 ? HV_LOG_WARN : HV_LOG_DEBUG, "rules: %s",
		hv_error_text(&err));
	return false;
}

/* Have the Engine look for a volume that is not there: it asks all drivers for it, and so finds
 * this one.  A Swarm gives no task with a volume to a node whose Engine does not know the driver.
 */
static bool introduce(struct hv_tasks *self, unsigned tries)
{
	hv_auto_engine_volume struct hv_engine_volume none = {0};
	hv_auto_error struct hv_error err = {0};
	enum hv_code code;

	if (!*self->has_engine || tries >= INTRODUCE_MAX)
		return true;
	code = hv_engine_volume(
		self->args->engine, "hostvol-request-none", INTRODUCE_MS, &none, &err);
	return code == HV_OK || code == HV_NO_SUCH_VOLUME;
}

bool hv_task_do(struct hv_tasks *tasks, const struct hv_queued *queued)
{
	switch ((enum hv_task)queued->kind) {
	case HV_TASK_REPAIR:
		return repair_one(tasks, queued->name, queued->tries);
	case HV_TASK_EXPIRE:
		return expire(tasks, queued->name, queued->tries);
	case HV_TASK_COMPARE:
		return compare(tasks, queued->tries);
	case HV_TASK_KEEP:
		return keep(tasks, queued->name, queued->tries);
	case HV_TASK_RULES:
		return apply_rules(tasks, queued->tries);
	case HV_TASK_INTRODUCE:
		return introduce(tasks, queued->tries);
	}
	return true;
}
