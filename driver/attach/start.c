/* SPDX-License-Identifier: Apache-2.0 */
/* A start that is held: the container is set up, its first process waits to execute the program.
 *
 * Sequence: open that process; make sure that it is the one that the runtime told of, and in the
 * container's cgroup, and that it has the container's root; then as for any start (repair.c). */
#include <errno.h>
#include <string.h>

#include "attach/attach.h"
#include "engine/process.h"
#include "volume/explain.h"
#include "wire/clock.h"

#include "attachment.h"
#include "attachments.h"
#include "container.h"
#include "refuse.h"
#include "repair.h"
#include "siblings.h"

enum { SHORT_ID = 12 };

enum hv_code hv_attachments_wanted(struct hv_attacher *attacher, const char *container_id,
	bool *ret, bool *ret_is_required, struct hv_error *err)
{
	hv_auto_records struct hv_records siblings = {0};
	enum hv_code code = hv_siblings_read(attacher, container_id, &siblings, err);

	*ret = *ret_is_required = false;
	for (struct hv_record *record = NULL; (record = hv_records_next(&siblings, record));) {
		if (hv_attachment_has_ended(record)) /* its lease is, since the last start */
			continue;
		*ret = true;
		*ret_is_required |= record->view.required;
	}
	return code;
}

static enum hv_code fail_early(const struct hv_target *target, struct hv_error *err)
{
	return hv_fail(
		err, HV_BUSY, "container '%s' is still being set up", target->container.name);
}

/* Number and time may be told by anybody who can write a file: the cgroup decides.  Of a container
 * that is being set up the kernel told them. */
static enum hv_code check(
	const struct hv_start *start, const struct hv_target *target, struct hv_error *err)
{
	unsigned long long ticks = 0;
	bool is_sure;
	int rc = hv_process_start_ticks(target->container.pid, &ticks);

	if (rc == 0 && ticks != (unsigned long long)start->start_ticks)
		rc = -ESRCH;
	if (rc == 0 && !start->is_set_up)
		rc = hv_process_check(&target->container, &is_sure);
	if (rc == -ESRCH)
		return hv_target_fail_changed(target, err);
	if (rc < 0)
		return hv_fail(err, HV_INTERNAL,
			"the first process of container '%s' cannot be looked at: %s",
			target->container.name, strerrordesc_np(-rc));
	return hv_target_check_alive(target, err);
}

static enum hv_code open_first(struct hv_attacher *attacher, const struct hv_start *start,
	struct hv_target *target, struct hv_error *err)
{
	struct hv_container *container = &target->container;
	struct hv_error_subject names = {0};
	struct mc_err cause = {0};
	int rc;

	/* The Engine's data on it, without asking; the name is the short ID. */
	container->id = strdup(start->container_id);
	names.container = container->name = strndup(start->container_id, SHORT_ID);
	container->is_running = true;
	container->pid = (int)start->pid;
	if (!container->id || !container->name)
		return hv_oom(err);
	rc = mc_ns_open(attacher->core, container->pid, &target->ns, &cause);
	if (rc == -EXDEV)
		return fail_early(target, err);
	if (rc < 0)
		return hv_error_from_mount(err, &cause, &names);
	if (start->is_set_up) /* its runtime has not taken its capabilities yet */
		target->ns.may_mount = false;
	if (check(start, target, err) != HV_OK)
		return err->code;
	rc = mc_ns_has_own_root(attacher->core, container->pid);
	if (rc == 0)
		return fail_early(target, err);
	return rc > 0 ? HV_OK : hv_target_fail_changed(target, err);
}

enum hv_code hv_attachments_start(struct hv_attacher *attacher, const struct hv_start *start,
	struct hv_repaired *ret, struct hv_error *err)
{
	hv_auto_target struct hv_target target = {.ns = MC_NS_NONE,
		.held_since_ms = hv_clock_ms(),
		.held_until_ms = start->held_until_ms,
		.is_set_up = start->is_set_up};

	*ret = (struct hv_repaired){.records = 0};
	if (open_first(attacher, start, &target, err) != HV_OK)
		return err->code;
	return hv_target_repair(attacher, &target, ret, err);
}

/* Kill the first process, unless it has ended. */
static enum hv_code kill_first(
	struct hv_attacher *attacher, const struct hv_start *start, struct hv_error *err)
{
	hv_auto_target struct hv_target target = {.ns = MC_NS_NONE};
	enum hv_code code = open_first(attacher, start, &target, err);
	int rc = code == HV_OK ? mc_ns_kill(&target.ns) : 0;

	if (rc < 0 && rc != -ESRCH)
		return hv_fail(err, HV_INTERNAL, "its first process cannot be killed: %s",
			strerrordesc_np(-rc));
	if (code != HV_NOT_RUNNING && code != HV_CONTAINER_CHANGED)
		return code;
	hv_error_done(err);
	return HV_OK;
}

enum hv_code hv_attachments_denied(struct hv_attacher *attacher, const struct hv_start *start,
	unsigned hold_ms, struct hv_repaired *ret, struct hv_error *err)
{
	hv_auto_error struct hv_error ignored = {0};
	enum hv_code code = kill_first(attacher, start, err), noted;

	*ret = (struct hv_repaired){.records = 0};
	noted = hv_start_note_denied(
		attacher, start->container_id, hold_ms, ret, code == HV_OK ? err : &ignored);
	return code == HV_OK ? noted : code;
}
