/* SPDX-License-Identifier: Apache-2.0 */
/* Fill the record of an attach from the request, the container and the mount. */
#include "mount_op.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "mountcore/host.h"
#include "wire/text.h"

#include "attachments.h"
#include "created_dirs.h"
#include "foreign.h"
#include "lease.h"
#include "present.h"
#include "propagation.h"

enum hv_code hv_mount_op_new_id(char **ret, struct hv_error *err)
{
	unsigned char bytes[6];

	*ret = NULL;
	if (getrandom(bytes, sizeof(bytes), 0) == (ssize_t)sizeof(bytes))
		*ret = hv_text_format("%02x%02x%02x%02x%02x%02x", bytes[0], bytes[1], bytes[2],
			bytes[3], bytes[4], bytes[5]);
	if (*ret)
		return HV_OK;
	return hv_fail(err, HV_INTERNAL, "no random number for an ID");
}

/* The owner to appear: the one that the request says, or the volume. */
static enum hv_code find_as(struct hv_mount_op *attempt, struct hv_error *err)
{
	char text[HV_AS_SIZE];
	struct hv_as as = {0};

	if (hv_volume_as(attempt->attacher->volumes, &attempt->volume, &as, &attempt->keeps_suid,
		    err) != HV_OK)
		return err->code;
	hv_as_format(attempt->as.uid ? &attempt->as : &as, text);
	if (!*text)
		return HV_OK;
	attempt->record.view.as = strdup(text);
	return attempt->record.view.as ? HV_OK : hv_oom(err);
}

enum hv_code hv_mount_op_fill(struct hv_mount_op *attempt, struct hv_error *err)
{
	const struct hv_attach_request *request = attempt->request;
	struct hv_record *record = &attempt->record;
	struct hv_attachment *view = &record->view;
	bool is_running = hv_mount_op_is_running(attempt);
	const char *driver = hv_opts_get(&attempt->volume.opts, "driver");

	view->volume = strdup(attempt->volume.name);
	view->driver = driver ? strdup(driver) : NULL;
	view->source = strdup(attempt->volume.source);
	view->container_id = strdup(attempt->container.container.id);
	view->container_name = strdup(attempt->container.container.name);
	view->target = strdup(attempt->target);
	view->rule = request->rule ? strdup(request->rule) : NULL;
	view->since = hv_time_rfc3339();
	view->state = is_running ? HV_ATTACHED : HV_PENDING;
	view->subpath = attempt->subpath[0] ? strdup(attempt->subpath) : NULL;
	view->read_only = request->read_only || attempt->volume.read_only;
	view->no_suid = request->no_suid == HV_TRUE;
	view->no_dev = request->no_dev;
	view->no_exec = request->no_exec;
	view->persist = request->persist;
	view->required = request->required;
	view->follow = attempt->follow;
	view->is_slave = attempt->is_slave;
	view->late_ms = HV_LATE_UNKNOWN;
	record->engine = attempt->container.engine ? strdup(attempt->container.engine) : NULL;
	record->mkdir = request->mkdir;
	record->from_volume_option = request->from_volume_option;
	record->may_map = attempt->may_map;
	record->must_map = attempt->must_map;
	record->is_suid_explicit = request->no_suid != HV_UNSET;
	if (!view->volume || (driver && !view->driver) || !view->source || !view->container_id ||
		!view->container_name || !view->target || !view->since ||
		(request->rule && !view->rule))
		return hv_oom(err);
	if (find_as(attempt, err) != HV_OK ||
		hv_lease_begin(view, request->lease_seconds, request->grace_seconds, err) != HV_OK)
		return err->code;
	if (is_running && hv_attachment_apply_container(attempt, err) != HV_OK)
		return err->code;
	if (hv_propagation_check(attempt, (struct mc_attr){0}, err) != HV_OK)
		return err->code;
	return hv_mount_op_new_id(&view->id, err);
}

enum hv_code hv_attachment_set_mount(
	struct hv_mount_op *attempt, bool is_mounted, struct hv_error *err)
{
	const struct mc_attach_info *info = mc_attach_info(attempt->mount);
	struct hv_record *record = &attempt->record;
	const struct mc_made expected = {
		.count = info->to_make,
		.is_file = info->to_make > 0 && !info->is_dir,
	};
	bool is_same_place = attempt->path_before && strcmp(attempt->path_before, info->path) == 0;

	free(record->path);
	free(record->made);
	record->path = strdup(info->path);
	record->made = hv_made_join(
		is_same_place ? attempt->made_before : NULL, is_mounted ? &info->made : &expected);
	record->pid = attempt->container.container.pid;
	record->ns_ino = attempt->container.ns.ino;
	record->mount_id = info->mount_id;
	record->mountinfo_id = info->mountinfo_id;
	record->root_dev = info->source.dev;
	record->root_ino = info->source.ino;
	return record->path && record->made ? HV_OK : hv_oom(err);
}

void hv_mount_op_done(struct hv_mount_op *attempt)
{
	mc_attach_free(attempt->mount);
	hv_volume_release(&attempt->use);
	hv_record_done(&attempt->record);
	hv_texts_done(&attempt->volumes_before);
	free(attempt->made_before);
	free(attempt->path_before);
	hv_volume_done(&attempt->volume);
	hv_records_done(&attempt->read);
	hv_target_close(&attempt->container);
}

enum hv_code hv_mount_op_find_volume(struct hv_mount_op *attempt, struct hv_error *err)
{
	const struct hv_attach_request *request = attempt->request;
	struct hv_volumes *volumes = attempt->attacher->volumes;
	enum hv_code code;

	if (attempt->path[0])
		code = hv_mount_op_borrow_path(attempt, err);
	else
		code = hv_volume_get(volumes, request->volume, &attempt->volume, err);
	if (code == HV_NO_SUCH_VOLUME && !attempt->path[0])
		code = hv_mount_op_borrow_volume(attempt, err);
	return code == HV_OK ? hv_mount_op_decide_follow(attempt, err) : code;
}

enum hv_code hv_mount_op_read_siblings(struct hv_mount_op *attempt, struct hv_error *err)
{
	attempt->siblings = &attempt->read;
	return hv_siblings_read(
		attempt->attacher, attempt->container.container.id, &attempt->read, err);
}

/* Whether to map owners: the container has a user namespace, and no user of it owns the volume's
 * directory.  A directory that such a user owns looks right as it is, and as `docker run -v` shows
 * it. */
static bool is_to_map(const struct hv_mount_op *attempt)
{
	const struct hv_record *record = &attempt->record;
	const struct hv_target *container = &attempt->container;
	struct mc_core *core = attempt->attacher->core;
	struct mc_owner owner;

	if (!record->may_map || container->ns.userns_fd < 0)
		return false;
	if (record->must_map || mc_host_owner(core, attempt->volume.source, &owner, NULL) < 0)
		return true;
	return mc_ns_has_user(core, container->container.pid, (uint32_t)owner.uid) <= 0;
}

void hv_mount_op_decide_map(struct hv_mount_op *attempt)
{
	struct hv_record *record = &attempt->record;

	record->view.is_mapped = is_to_map(attempt);
	/* A mapped set-user-ID file would be root's on the host.  With another owner one that a
	 * user made would be root's in the container, or root's that user's. */
	if (!record->is_suid_explicit)
		record->view.no_suid =
			record->view.is_mapped || (record->view.as && !attempt->keeps_suid);
}

enum hv_code hv_attachment_apply_container(struct hv_mount_op *attempt, struct hv_error *err)
{
	const struct hv_target *container = &attempt->container;
	struct hv_record *record = &attempt->record;

	hv_mount_op_decide_map(attempt);
	free(record->started_at);
	record->started_at = NULL;
	if (!container->container.started_at)
		return HV_OK; /* the Engine's word is yet to come */
	record->started_at = strdup(container->container.started_at);
	return record->started_at ? HV_OK : hv_oom(err);
}
