/* What the record of an attach says: from the request, from the container, from the mount. */
#include "fill.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "attach.h"
#include "made.h"

static enum hv_code new_id(char **ret, struct hv_error *err)
{
	unsigned char bytes[6];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes) ||
		asprintf(ret, "%02x%02x%02x%02x%02x%02x", bytes[0], bytes[1], bytes[2], bytes[3],
			bytes[4], bytes[5]) < 0) {
		*ret = NULL;
		return hv_fail(err, HV_INTERNAL, "no random number for the attachment's ID");
	}
	return HV_OK;
}

/* What the finished record will say, but for what only the mount tells. */
enum hv_code hv_attempt_fill(struct hv_attempt *attempt, struct hv_error *err)
{
	const struct hv_attach_request *request = attempt->request;
	struct hv_record *record = &attempt->record;
	struct hv_attachment *view = &record->view;
	bool is_running = attempt->container.ns.ns_fd >= 0;

	view->volume = strdup(attempt->volume.name);
	view->source = strdup(attempt->volume.source);
	view->container_id = strdup(attempt->container.container.id);
	view->container_name = strdup(attempt->container.container.name);
	view->target = strdup(attempt->target);
	view->since = hv_now();
	view->state = strdup(is_running ? "attached" : "pending");
	view->subpath = attempt->subpath[0] ? strdup(attempt->subpath) : NULL;
	view->read_only = request->read_only || attempt->volume.read_only;
	view->no_suid = request->no_suid == HV_TRUE;
	view->no_dev = request->no_dev;
	view->no_exec = request->no_exec;
	view->persist = request->persist;
	view->required = request->required;
	view->late_ms = HV_LATE_UNKNOWN;
	record->engine = attempt->container.engine ? strdup(attempt->container.engine) : NULL;
	record->mkdir = request->mkdir;
	record->is_own = request->is_own;
	record->may_map = attempt->may_map;
	record->must_map = attempt->must_map;
	record->is_suid_said = request->no_suid != HV_UNSAID;
	if (!view->volume || !view->source || !view->container_id || !view->container_name ||
		!view->target || !view->since || !view->state)
		return hv_fail(err, HV_INTERNAL, "out of memory");
	if (is_running && hv_attempt_fit(attempt, err) != HV_OK)
		return err->code;
	return new_id(&view->id, err);
}

enum hv_code hv_attempt_fill_mount(
	struct hv_attempt *attempt, bool is_mounted, struct hv_error *err)
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
	return record->path && record->made ? HV_OK : hv_fail(err, HV_INTERNAL, "out of memory");
}
