/* Keep true what is wanted, container by container.
 *
 * First what the kernel knows (look): whose process has ended, what a crash left half done.  Then,
 * with the Engine's word (repair): a container that runs gets what its start lacks, one that no
 * longer exists loses its records.  The start is known by the Engine's StartedAt; for each, once.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inside.h"

/* The volume that was to be removed with the attachment. */
static enum hv_code remove_volume(
	struct hv_attacher *attacher, const char *volume, struct hv_error *err)
{
	enum hv_code code = hv_volume_remove(attacher->volumes, volume, err);

	if (code != HV_NO_SUCH_VOLUME && code != HV_VOLUME_IN_USE)
		return code;
	hv_error_done(err);
	return HV_OK;
}

/* Bring a detach that was begun to its end. */
static enum hv_code end(struct hv_attacher *attacher, struct hv_record *record,
	struct hv_repaired *ret, struct hv_error *err)
{
	enum hv_code code = hv_record_settle_end(attacher, record, ret, err);

	if (code != HV_OK || !record->is_ending_volume)
		return code;
	return remove_volume(attacher, record->view.volume, err);
}

static void count_change(const struct hv_record *record, const char *known, struct hv_repaired *ret)
{
	const char *state = record->view.state;

	if (strcmp(state, known) == 0)
		return;
	if (strcmp(state, "pending") == 0)
		ret->pending++;
	else if (strcmp(known, "pending") == 0)
		ret->adopted++;
	else if (strcmp(state, "attached") != 0)
		ret->drifted++;
}

/* One record as the kernel sees it. */
static enum hv_code look_at(struct hv_attacher *attacher, struct hv_record *record,
	struct hv_repaired *ret, struct hv_error *err)
{
	long long known_pid = record->pid;
	char known[16];
	enum hv_code code;

	if (!record->is_done)
		return hv_record_settle(attacher, record, ret, err);
	if (record->is_ending)
		return end(attacher, record, ret, err);
	snprintf(known, sizeof(known), "%s", record->view.state);
	code = hv_attachment_refresh(attacher, record, err);
	if (code == HV_OK && hv_record_is_over(record)) {
		ret->dropped++;
		return hv_record_drop(attacher, record, err);
	}
	if (code != HV_OK || (strcmp(known, record->view.state) == 0 && known_pid == record->pid))
		return code;
	count_change(record, known, ret);
	return hv_store_attachment_note(attacher->store, record, err);
}

/* Drop what is of an older start that the kernel's numbers did not tell from this one. */
static enum hv_code leave_older_start(struct hv_attacher *attacher, const struct hv_target *target,
	struct hv_record *record, struct hv_error *err)
{
	const char *now = target->container.started_at;

	if (record->pid == 0 || (record->started_at && strcmp(record->started_at, now) == 0))
		return HV_OK;
	if (record->started_at)
		return hv_record_forget_mount(record, err);
	record->started_at = strdup(now); /* its process runs: an older version did not note it */
	if (!record->started_at)
		return hv_fail(err, HV_INTERNAL, "out of memory");
	return hv_store_attachment_note(attacher->store, record, err);
}

/* One pass over the records of a container, which is held. */
struct pass {
	struct hv_attacher *attacher;
	const struct hv_target *target; /* NULL, or one that may not run */
	struct hv_siblings siblings;
	struct hv_repaired *ret;
};

/* It would be hidden as soon as that one is attached, which was tried just before. */
static enum hv_code note_wait(struct hv_attacher *attacher, struct hv_record *record,
	const struct hv_record *outer, struct hv_error *err)
{
	char *known = record->view.problem;
	enum hv_code code;
	bool is_known;

	record->view.problem = NULL;
	code = hv_record_wait_for(record, outer, err);
	is_known = code == HV_OK && known && strcmp(known, record->view.problem) == 0;
	free(known);
	return code == HV_OK && !is_known ? hv_store_attachment_note(attacher->store, record, err)
					  : code;
}

/* One record, now that its container runs. */
static enum hv_code make_true(
	const struct pass *pass, struct hv_record *record, struct hv_error *err)
{
	struct hv_attacher *attacher = pass->attacher;
	const struct hv_target *target = pass->target;
	struct hv_repaired *ret = pass->ret;
	const struct hv_record *outer;
	bool is_of_start =
		strcmp(record->view.state, "pending") != 0 && record->ns_ino == target->ns.ino;
	enum hv_code code = look_at(attacher, record, ret, err);

	if (code != HV_OK || !record->is_done || record->is_ending)
		return code;
	/* Its process has lost its namespaces, and is about to end: see recorded.c. */
	if (is_of_start && record->pid == 0)
		return hv_target_fail_changed(target, err);
	if (hv_record_is_over(record))
		return HV_OK;
	code = leave_older_start(attacher, target, record, err);
	if (code == HV_OK && hv_record_is_over(record)) {
		ret->dropped++;
		return hv_record_drop(attacher, record, err);
	}
	if (code != HV_OK || record->pid > 0)
		return code;
	outer = hv_siblings_find_outer(&pass->siblings, record);
	if (outer)
		return note_wait(attacher, record, outer, err);
	code = hv_attach_again(attacher, target, &pass->siblings, record, err);
	ret->attached += code == HV_OK;
	return code;
}

static enum hv_code learn_name(struct hv_attacher *attacher, const struct hv_container *container,
	struct hv_record *record, struct hv_error *err)
{
	char *name;

	if (!container->name || strcmp(record->view.container_name, container->name) == 0)
		return HV_OK;
	name = strdup(container->name);
	if (!name)
		return hv_fail(err, HV_INTERNAL, "out of memory");
	free(record->view.container_name);
	record->view.container_name = name;
	return hv_store_attachment_note(attacher->store, record, err);
}

/* The Engine knows the container: which one it is, and that there is no doubt about it any more. */
static enum hv_code learn_engine(struct hv_attacher *attacher, const struct hv_target *target,
	struct hv_record *record, struct hv_error *err)
{
	bool is_new =
		target->engine && (!record->engine || strcmp(record->engine, target->engine) != 0);
	char *engine;

	if (hv_record_is_doubted(record)) {
		free(record->view.problem);
		record->view.problem = NULL;
	} else if (!is_new) {
		return HV_OK;
	}
	if (is_new) {
		engine = strdup(target->engine);
		if (!engine)
			return hv_fail(err, HV_INTERNAL, "out of memory");
		free(record->engine);
		record->engine = engine;
	}
	return hv_store_attachment_note(attacher->store, record, err);
}

static enum hv_code repair_one(
	const struct pass *pass, struct hv_record *record, struct hv_error *err)
{
	const struct hv_target *target = pass->target;
	enum hv_code code = HV_OK;

	if (target)
		code = learn_name(pass->attacher, &target->container, record, err);
	if (target && code == HV_OK)
		code = learn_engine(pass->attacher, target, record, err);
	snprintf(pass->ret->name, sizeof(pass->ret->name), "%s", record->view.container_name);
	if (code != HV_OK)
		return code;
	if (target && target->ns.ns_fd >= 0)
		return make_true(pass, record, err);
	return look_at(pass->attacher, record, pass->ret, err);
}

/* All records of a container, each whatever became of the others; the first failure is told. */
static enum hv_code repair_each(const struct pass *pass, struct hv_error *err)
{
	const struct hv_siblings *siblings = &pass->siblings;

	for (size_t i = 0; i < siblings->count; i++) {
		struct hv_error one = {0};

		if (repair_one(pass, &siblings->records[i], &one) == HV_OK || err->code != HV_OK)
			hv_error_done(&one);
		else
			*err = one;
	}
	return err->code;
}

static enum hv_code repair_all(struct hv_attacher *attacher, const char *container_id,
	const struct hv_target *target, struct hv_repaired *ret, struct hv_error *err)
{
	struct pass pass = {.attacher = attacher, .target = target, .ret = ret};
	enum hv_code code;

	HV_HOLD(hold, &attacher->locks, container_id);
	/* A start that ended while we waited says nothing of records that a newer one has by now.
	 */
	if (target && target->ns.ns_fd >= 0 && hv_target_check_alive(target, err) != HV_OK)
		return err->code;
	code = hv_siblings_read(attacher, container_id, &pass.siblings, err);
	ret->records = (unsigned)pass.siblings.count;
	if (code == HV_OK)
		code = repair_each(&pass, err);
	hv_siblings_done(&pass.siblings);
	return code;
}

/* Note why a record stays, once. */
static void note_doubt(struct hv_attacher *attacher, struct hv_record *record, const char *problem)
{
	struct hv_error ignored = {0};
	bool is_known = record->view.problem && strcmp(record->view.problem, problem) == 0;

	if (!is_known &&
		hv_record_set_state(record, record->view.state, problem, &ignored) == HV_OK)
		(void)!hv_store_attachment_note(attacher->store, record, &ignored);
	hv_error_done(&ignored);
}

static enum hv_code drop_if_gone(struct hv_attacher *attacher, struct hv_record *record,
	struct hv_repaired *ret, struct hv_error *err)
{
	enum hv_code code = hv_record_check_gone(attacher, record, HV_ENGINE_TIMEOUT_WHO_MS, err);

	if (code == HV_VOLUME_IN_USE)
		note_doubt(attacher, record, hv_error_text(err));
	if (code != HV_OK)
		return code;
	code = hv_record_drop(attacher, record, err);
	ret->dropped += code == HV_OK;
	return code;
}

/* The Engine does not know the container. */
static enum hv_code drop_all(struct hv_attacher *attacher, const char *container_id,
	struct hv_repaired *ret, struct hv_error *err)
{
	const struct hv_record_filter filter = {.container_id = container_id};
	struct hv_record *records = NULL;
	size_t count = 0;
	enum hv_code code;

	HV_HOLD(hold, &attacher->locks, container_id);
	code = hv_store_attachment_list(attacher->store, &filter, &records, &count, err);
	for (size_t i = 0; code == HV_OK && i < count; i++) {
		snprintf(ret->name, sizeof(ret->name), "%s", records[i].view.container_name);
		code = drop_if_gone(attacher, &records[i], ret, err);
	}
	hv_records_free(records, count);
	return code;
}

enum hv_code hv_attachments_look(struct hv_attacher *attacher, const char *container_id,
	struct hv_repaired *ret, struct hv_error *err)
{
	*ret = (struct hv_repaired){0};
	return repair_all(attacher, container_id, NULL, ret, err);
}

enum hv_code hv_attachments_repair(struct hv_attacher *attacher, const char *container_id,
	struct hv_repaired *ret, struct hv_error *err)
{
	struct hv_target target = {.ns = MC_NS_NONE};
	enum hv_code code = hv_target_open(attacher, container_id, &target, err);

	*ret = (struct hv_repaired){.records = 0};
	if ((code == HV_OK || code == HV_NOT_RUNNING) &&
		strcmp(target.container.id, container_id) != 0)
		code = HV_NO_SUCH_CONTAINER; /* another one is named like that */
	if (code == HV_NO_SUCH_CONTAINER) {
		hv_error_done(err);
		code = drop_all(attacher, container_id, ret, err);
	} else if (code == HV_OK || code == HV_NOT_RUNNING) {
		hv_error_done(err);
		code = repair_all(attacher, container_id, &target, ret, err);
	}
	hv_target_close(&target);
	return code;
}
