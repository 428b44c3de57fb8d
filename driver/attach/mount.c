/* SPDX-License-Identifier: Apache-2.0 */
/* The mount of an attach: prepare it, make it, explain its failures. */
#include "mount.h"

#include <errno.h>

#include "volume/explain.h"
#include "wire/clock.h"

#include "attachments.h"
#include "cover.h"
#include "propagation.h"
#include "subpath.h"

enum { NS_PER_MS = 1000000 };

/* Attributes only ever add restrictions; the clone keeps those of the source. */
static struct mc_attr attributes(const struct hv_attachment *view, struct mc_attr attr)
{
	const char *const names[] = {view->read_only ? "ro" : NULL, view->no_suid ? "nosuid" : NULL,
		view->no_dev ? "nodev" : NULL, view->no_exec ? "noexec" : NULL};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i])
			(void)!mc_attr_add(&attr, names[i]); /* names of the table */
	return attr;
}

/* Why the mount failed: if the container has ended meanwhile, because of that. */
static enum hv_code explain(
	const struct hv_mount_op *attempt, const struct mc_err *cause, struct hv_error *err)
{
	char fstype[HV_FSTYPE_SIZE];
	struct hv_error_subject names = {.volume = attempt->volume.name,
		.source = attempt->volume.source,
		.container = attempt->container.container.name,
		.target = attempt->target,
		.subpath = attempt->subpath,
		.asked = hv_opts_get(&attempt->volume.opts, "path"),
		.as = attempt->record.view.as};

	if (hv_target_check_alive(&attempt->container, err) != HV_OK)
		return err->code;
	if (names.as && cause->step == MC_STEP_IDMAP) {
		hv_volume_fstype(attempt->attacher->volumes, names.source, fstype);
		names.fstype = fstype;
	}
	hv_error_from_mount(err, cause, &names);
	if (cause->step != MC_STEP_MKDIR || cause->code != -EROFS)
		return err->code;
	return hv_record_fail_read_only(
		attempt->attacher, &attempt->record, &attempt->container.ns, err);
}

static enum mc_replace how_to_replace(const struct hv_mount_op *attempt)
{
	switch (attempt->record.replace) {
	case HV_REPLACE_ATOMIC:
		return MC_REPLACE_ATOMIC;
	case HV_REPLACE_NONATOMIC:
		return MC_REPLACE_ANYHOW;
	case HV_REPLACE_NO:
		break;
	}
	return attempt->is_following ? MC_REPLACE_ATOMIC : MC_REPLACE_NO;
}

/* The source is missing: perhaps its volume was deleted meanwhile, and it with that. */
static enum hv_code explain_missing(const struct hv_mount_op *attempt, struct hv_error *err)
{
	hv_auto_volume struct hv_volume now = {0};
	hv_auto_error struct hv_error other = {0};

	if (hv_mount_op_has_borrowed(attempt))
		return err->code;
	if (hv_store_volume_get(attempt->attacher->store, attempt->volume.name, &now, &other) !=
		HV_NO_SUCH_VOLUME)
		return err->code;
	hv_error_done(err);
	*err = other;
	other = (struct hv_error){0};
	return err->code;
}

/* The owner that the record says. */
static enum hv_code add_as(
	const struct hv_attachment *view, struct mc_attach_args *args, struct hv_error *err)
{
	struct hv_as as;

	if (!view->as)
		return HV_OK;
	if (!hv_as_parse(view->as, &as))
		return hv_fail(err, HV_STATE_UNREADABLE,
			"the record of the attachment at %s has an owner that makes no sense: %.64s",
			view->target, view->as);
	args->as_uid = as.uid;
	args->as_gid = as.gid;
	return HV_OK;
}

enum hv_code hv_mount_op_prepare(struct hv_mount_op *attempt, struct hv_error *err)
{
	const struct hv_attachment *view = &attempt->record.view;
	const struct hv_target *container = &attempt->container;
	struct hv_volumes *volumes = attempt->attacher->volumes;
	hv_auto_free struct mc_own *own = NULL;
	struct mc_err cause = {0};
	struct mc_attach_args args = {
		.source = attempt->volume.source,
		.beneath = hv_volume_allowed_root(volumes, &attempt->volume),
		.subpath = view->subpath,
		.may_be_file = view->subpath != NULL,
		.lock = view->read_only,
		.place = hv_place_of(&container->ns),
		.target = attempt->target,
		.mkdir = attempt->record.mkdir,
		.replace = how_to_replace(attempt),
		.is_slave = view->is_slave,
	};

	if (hv_clock_ms() < container->held_until_ms) /* else it is not held, or not any more */
		args.since_ns = (uint64_t)container->held_since_ms * NS_PER_MS;
	if (hv_volume_check_mount(volumes, &attempt->volume, err) != HV_OK ||
		hv_volume_acquire(volumes, &attempt->volume, &attempt->use, err) != HV_OK ||
		(!attempt->only_check && hv_mount_op_make_subpath(attempt, err) != HV_OK))
		return err->code;
	attempt->keeps_suid = attempt->use.keeps_suid;
	hv_mount_op_decide_map(attempt); /* again: a file system is mounted only now */
	args.idmap = view->is_mapped;
	args.place.pid = (uint64_t)container->container.pid;
	args.group = container->container.id;
	if (add_as(view, &args, err) != HV_OK)
		return err->code;
	args.attr = attributes(view, attempt->use.attr);
	if (hv_propagation_check(attempt, args.attr, err) != HV_OK)
		return err->code;
	/* Only our own mounts in the container may be taken out for it. */
	args.own = own = hv_siblings_own(attempt->siblings, container->ns.ino, &args.own_count);
	if (!own)
		return hv_oom(err);
	if (mc_attach_prepare(attempt->attacher->core, &args, &attempt->mount, &cause) == 0)
		return HV_OK;
	return explain(attempt, &cause, err) == HV_SOURCE_MISSING ? explain_missing(attempt, err)
								  : err->code;
}

void hv_mount_op_unprepare(struct hv_mount_op *attempt)
{
	mc_attach_free(attempt->mount);
	attempt->mount = NULL;
}

enum hv_code hv_mount_op_mount(struct hv_mount_op *attempt, struct hv_error *err)
{
	struct mc_err cause = {0};
	enum hv_code code;

	attempt->is_mounted = mc_attach_commit(attempt->mount, &cause) == 0;
	code = attempt->is_mounted ? hv_attachment_set_mount(attempt, true, err)
				   : explain(attempt, &cause, err);
	hv_mount_op_unprepare(attempt);
	return code;
}
