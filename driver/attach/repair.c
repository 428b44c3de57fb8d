/* SPDX-License-Identifier: Apache-2.0 */
/* Restore the wanted attachments, container by container.
 *
 * look.c notes the state that the kernel alone knows.  Here, first settle the work that a crash
 * left half done; then repair, with the Engine's answer: attach to a running container the
 * attachments that its start lacks, and delete the records of a container that no longer exists.
 * The Engine's StartedAt tells the starts apart; each is repaired once. */
#include "repair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mountcore/busy.h"
#include "wire/metrics.h"

#include "attachment.h"
#include "attachments.h"
#include "delete.h"
#include "follow.h"
#include "look.h"
#include "nested.h"
#include "observe.h"
#include "orphan.h"
#include "reattach.h"
#include "refuse.h"
#include "settle.h"
#include "siblings.h"

/* One pass over the records of a container, which is held. */
struct pass {
	struct hv_attacher *attacher;
	const struct hv_target *target; /* may be NULL, or not running */
	struct hv_records *siblings;
	struct hv_repaired *ret;
};

/* Bring a detach that was begun to its end, with the volume that was to be removed with it. */
static enum hv_code end(const struct pass *pass, struct hv_record *record, struct hv_error *err)
{
	struct hv_attacher *attacher = pass->attacher;
	unsigned before = pass->ret->dropped;
	enum hv_code code = hv_record_settle_end(attacher, record, pass->ret, err);

	if (pass->ret->dropped > before)
		hv_record_tell_end(attacher, record);
	if (code != HV_OK || !record->is_ending_volume)
		return code;
	code = hv_volume_remove(attacher->volumes, record->view.volume, false, err);
	if (code != HV_NO_SUCH_VOLUME && code != HV_VOLUME_IN_USE)
		return code;
	hv_error_done(err);
	return HV_OK;
}

/* One record as the kernel sees it.  An attach or detach that was begun and never answered is
 * settled instead: without a target, nothing else is done. */
static enum hv_code look_at(const struct pass *pass, struct hv_record *record, struct hv_error *err)
{
	hv_auto_sight struct hv_sight sight = HV_SIGHT_NONE;

	if (!record->is_done)
		return hv_record_settle(pass->attacher, record, pass->ret, err);
	if (hv_record_settle_follow(pass->attacher, record, err) != HV_OK)
		return err->code;
	if (record->is_ending)
		return end(pass, record, err);
	return pass->target ? hv_record_look(pass->attacher, &sight, record, pass->ret, err)
			    : HV_OK;
}

/* Drop what is of an older start that the kernel's numbers did not tell from this one. */
static enum hv_code leave_older_start(
	const struct pass *pass, struct hv_record *record, struct hv_error *err)
{
	const struct hv_container *container = &pass->target->container;
	const char *now = container->started_at;

	if (!now && record->pid != container->pid) /* it is held: the process tells */
		hv_attachment_set_pending(record);
	if (!now || record->pid == 0 ||
		(record->started_at && strcmp(record->started_at, now) == 0))
		return HV_OK;
	if (record->started_at) {
		hv_attachment_set_pending(record);
		return HV_OK;
	}
	record->started_at = strdup(now); /* its process runs: an older version did not note it */
	if (!record->started_at)
		return hv_oom(err);
	return hv_store_attachment_note(pass->attacher->store, record, err);
}

/* It would be hidden as soon as that one is attached, which was tried just before. */
static enum hv_code note_wait(struct hv_attacher *attacher, struct hv_record *record,
	const struct hv_record *outer, struct hv_error *err)
{
	hv_auto_free char *known = record->view.problem;

	record->view.problem = NULL;
	if (hv_record_wait_for(record, outer, err) != HV_OK)
		return err->code;
	if (known && strcmp(known, record->view.problem) == 0)
		return HV_OK;
	return hv_store_attachment_note(attacher->store, record, err);
}

/* One record, now that its container runs. */
static enum hv_code make_true(
	const struct pass *pass, struct hv_record *record, struct hv_error *err)
{
	struct hv_attacher *attacher = pass->attacher;
	const struct hv_target *target = pass->target;
	const struct hv_again how = {.siblings = pass->siblings, .mount = hv_nested_mount};
	const struct hv_record *outer;
	bool is_of_start = record->view.state != HV_PENDING &&
			   record->pid == target->container.pid && record->ns_ino == target->ns.ino;

	if (hv_attachment_has_ended(record))
		record->refusal = HV_REFUSAL_NONE; /* it starts without */
	if (look_at(pass, record, err) != HV_OK)
		return err->code;
	if (!record->is_done || record->is_ending)
		return HV_OK;
	if (target->is_set_up && hv_target_late_ms(target) > 0) /* the program may have begun */
		return hv_fail(err, HV_BUSY, "container '%s' begins its program",
			record->view.container_name);
	/* Its process has lost its namespaces, and is about to end: see conflict.c. */
	if (is_of_start && record->pid == 0)
		return hv_target_fail_changed(target, err);
	if (hv_attachment_has_ended(record))
		return HV_OK;
	if (leave_older_start(pass, record, err) != HV_OK)
		return err->code;
	if (hv_attachment_has_ended(record))
		return hv_record_drop_over(attacher, record, pass->ret, err);
	if (record->pid > 0)
		return HV_OK;
	outer = hv_siblings_find_outer(pass->siblings, record);
	if (outer)
		return note_wait(attacher, record, outer, err);
	if (hv_reattach(attacher, target, &how, record, err) != HV_OK)
		return err->code;
	pass->ret->attached++;
	pass->ret->late += record->view.late_ms > 0;
	return HV_OK;
}

static enum hv_code learn_name(
	const struct pass *pass, struct hv_record *record, struct hv_error *err)
{
	const char *known = pass->target->container.name;
	char *name;

	if (!known || strcmp(record->view.container_name, known) == 0)
		return HV_OK;
	name = strdup(known);
	if (!name)
		return hv_oom(err);
	free(record->view.container_name);
	record->view.container_name = name;
	return hv_store_attachment_note(pass->attacher->store, record, err);
}

/* The Engine knows the container: which one it is, and that there is no doubt about it any more. */
static enum hv_code learn_engine(
	const struct pass *pass, struct hv_record *record, struct hv_error *err)
{
	const char *known = pass->target->engine;
	bool is_new = known && (!record->engine || strcmp(record->engine, known) != 0);
	char *engine;

	if (record->problem == HV_PROBLEM_DOUBTED)
		hv_record_set_state(record, record->view.state);
	else if (!is_new)
		return HV_OK;
	if (is_new) {
		engine = strdup(known);
		if (!engine)
			return hv_oom(err);
		free(record->engine);
		record->engine = engine;
	}
	return hv_store_attachment_note(pass->attacher->store, record, err);
}

/* Repair one record; without a target, only settle an unfinished attach or detach. */
static enum hv_code repair_one(
	const struct pass *pass, struct hv_record *record, struct hv_error *err)
{
	const struct hv_target *target = pass->target;
	enum hv_code code = HV_OK;

	if (target && target->held_until_ms == 0)
		code = learn_name(pass, record, err);
	if (target && target->container.started_at && code == HV_OK)
		code = learn_engine(pass, record, err);
	snprintf(pass->ret->name, sizeof(pass->ret->name), "%s", record->view.container_name);
	if (code != HV_OK)
		return code;
	return target && target->ns.ns_fd >= 0 ? make_true(pass, record, err)
					       : look_at(pass, record, err);
}

/* All records of a container, each whatever became of the others; the first failure is told. */
static void repair_each(const struct pass *pass, struct hv_error *err)
{
	const struct hv_records *siblings = pass->siblings;

	for (struct hv_record *record = NULL; (record = hv_records_next(siblings, record));) {
		struct hv_error one = {0};

		if (repair_one(pass, record, &one) == HV_OK || err->code != HV_OK)
			hv_error_done(&one);
		else
			*err = one;
	}
}

static bool is_own_mount(const struct hv_records *siblings, uint64_t id)
{
	for (struct hv_record *record = NULL; (record = hv_records_next(siblings, record));)
		if (record->pid > 0 && record->mountinfo_id == id)
			return true;
	return false;
}

/* crun enters the working directory before anything of it can be held. */
static unsigned count_entered(const struct pass *pass)
{
	const struct hv_records *siblings = pass->siblings;
	unsigned count = 0;
	uint64_t id = 0;

	for (struct hv_record *record = NULL; (record = hv_records_next(siblings, record));)
		count += hv_record_is_mounted(record) &&
			 mc_busy_cwd(pass->attacher->core, pass->target->container.pid,
				 record->path, &id) > 0 &&
			 !is_own_mount(siblings, id);
	return count;
}

static enum hv_code repair_all(struct hv_attacher *attacher, const char *container_id,
	const struct hv_target *target, struct hv_repaired *ret, struct hv_error *err)
{
	hv_auto_records struct hv_records siblings = {0};
	const struct pass pass = {attacher, target, &siblings, ret};
	bool is_running = target && target->ns.ns_fd >= 0;

	*ret = (struct hv_repaired){0};
	HV_HOLD(hold, &attacher->locks, container_id);
	/* A start that ended while we waited says nothing of the records of a newer one. */
	if (is_running && hv_target_check_alive(target, err) != HV_OK)
		return err->code;
	if (hv_siblings_read(attacher, container_id, &siblings, err) != HV_OK)
		return err->code;
	ret->records = (unsigned)siblings.count;
	repair_each(&pass, err);
	if (ret->late > 0)
		hv_counter_add(HV_COUNT_LATE_STARTS);
	if (is_running && !target->container.started_at && !target->is_set_up &&
		hv_target_late_ms(target) == 0 &&
		!hv_start_refuse(attacher, &target->ns, &siblings, ret))
		ret->entered = count_entered(&pass);
	return err->code;
}

enum hv_code hv_target_repair(struct hv_attacher *attacher, const struct hv_target *target,
	struct hv_repaired *ret, struct hv_error *err)
{
	return repair_all(attacher, target->container.id, target, ret, err);
}

enum hv_code hv_attachments_settle(struct hv_attacher *attacher, const char *container_id,
	struct hv_repaired *ret, struct hv_error *err)
{
	return repair_all(attacher, container_id, NULL, ret, err);
}

/* The Engine does not know its container: drop it if that is gone; else note once why it stays. */
static enum hv_code drop_if_gone(struct hv_attacher *attacher, struct hv_record *record,
	struct hv_repaired *ret, struct hv_error *err)
{
	hv_auto_error struct hv_error doubt = {0};
	const char *text;
	enum hv_code code = hv_orphan_check(attacher, record, HV_ENGINE_TIMEOUT_WHO_MS, &doubt);

	if (code == HV_OK)
		return hv_record_drop_over(attacher, record, ret, err);
	if (code != HV_VOLUME_IN_USE) {
		*err = doubt;
		doubt = (struct hv_error){0};
		return code;
	}
	text = hv_error_text(&doubt); /* no failure: only time or the Engine can tell */
	if (record->view.problem && strcmp(record->view.problem, text) == 0)
		return HV_OK;
	if (hv_record_set_problem(record, HV_PROBLEM_DOUBTED, err, "%s", text) != HV_OK ||
		hv_store_attachment_note(attacher->store, record, err) != HV_OK)
		return err->code;
	ret->doubted++;
	return HV_OK;
}

/* The Engine does not know the container. */
static enum hv_code drop_all(struct hv_attacher *attacher, const char *container_id,
	struct hv_repaired *ret, struct hv_error *err)
{
	const struct hv_record_filter filter = {.container_id = container_id};
	hv_auto_records struct hv_records records = {0};

	HV_HOLD(hold, &attacher->locks, container_id);
	if (hv_records_list(attacher, &filter, &records, err) != HV_OK)
		return err->code;
	for (struct hv_record *record = NULL; (record = hv_records_next(&records, record));) {
		snprintf(ret->name, sizeof(ret->name), "%s", record->view.container_name);
		if (drop_if_gone(attacher, record, ret, err) != HV_OK)
			return err->code;
	}
	return HV_OK;
}

enum hv_code hv_attachments_reconcile(struct hv_attacher *attacher, const char *container_id,
	struct hv_repaired *ret, struct hv_error *err)
{
	hv_auto_target struct hv_target target = {.ns = MC_NS_NONE};
	enum hv_code code = hv_target_open(attacher, container_id, &target, err);

	*ret = (struct hv_repaired){.records = 0};
	if ((code == HV_OK || code == HV_NOT_RUNNING) &&
		strcmp(target.container.id, container_id) != 0)
		code = HV_NO_SUCH_CONTAINER; /* another one is named like that */
	if (code != HV_OK && code != HV_NOT_RUNNING && code != HV_NO_SUCH_CONTAINER)
		return code;
	hv_error_done(err);
	if (code == HV_NO_SUCH_CONTAINER)
		return drop_all(attacher, container_id, ret, err);
	return repair_all(attacher, container_id, &target, ret, err);
}
