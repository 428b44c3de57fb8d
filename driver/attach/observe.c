/* SPDX-License-Identifier: Apache-2.0 */
/* The state of an attachment, from the mount table of its container, read now. */
#include "observe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "attachment.h"
#include "attachments.h"
#include "container.h"
#include "cover.h"
#include "drift.h"
#include "propagation.h"

static const char unmounted[] = "it was unmounted, or its mountpoint was removed";

/* Its mount is not there: someone took it out, or it was only about to be made. */
static enum hv_code judge_absent(
	struct hv_attacher *attacher, struct hv_record *record, struct hv_error *err)
{
	struct mc_watch_event by;
	bool is_seen;

	if (record->is_done && record->view.state == HV_PENDING) {
		hv_attachment_set_pending(record);
		return HV_OK;
	}
	is_seen = hv_witness_find_unmount(&attacher->witness, record->mount_id, &by);
	return hv_record_set_drift(record, HV_MISSING, unmounted, is_seen ? &by : NULL, err);
}

/* For an intent without a mount number: without open_tree an attach learns it once mounted.  Take
 * the mount at the path if it shows the source.  Returns 0 also if it does not. */
static int find_unnumbered(
	struct hv_attacher *attacher, struct hv_record *record, struct mc_mounts *mounts)
{
	char source[PATH_MAX];
	struct mc_mount mount;
	int rc;

	hv_attachment_host_path(&record->view, source);
	rc = mc_mounts_find_at(attacher->core, mounts, record->path, source, &mount);
	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	record->mountinfo_id = mount.id;
	if (!(mc_core_features(attacher->core) & MC_FEATURE_UNIQUE_ID))
		record->mount_id = mount.id;
	return 0;
}

/* Whether the mount is in the table: another one may have its number by now. */
static int find(struct hv_attacher *attacher, const struct hv_sight *sight, uint64_t mountinfo_id,
	uint64_t mount_id, struct mc_mount *ret, bool *ret_found)
{
	*ret_found = mc_mounts_find(sight->mounts, mountinfo_id, ret) == 0;
	return *ret_found ? mc_mount_has_id(attacher->core, sight->ns.ns_fd, mountinfo_id, mount_id,
				    ret_found)
			  : 0;
}

static enum hv_code fail_unseen(const struct hv_record *record, int rc, struct hv_error *err)
{
	return hv_fail(err, HV_INTERNAL, "the mounts of container '%s' cannot be looked at: %s",
		record->view.container_name, strerrordesc_np(-rc));
}

/* Find the mount in the table of the record's container, and judge it. */
static enum hv_code judge(struct hv_attacher *attacher, const struct hv_sight *sight,
	struct hv_record *record, struct hv_error *err)
{
	const struct hv_former *former = &record->former;
	struct mc_mount mount, cover;
	bool found = false, is_covered;
	char *path;
	int rc = 0;

	/* It is replaced just now, and the one before stands on top. */
	if (former->mountinfo_id)
		rc = find(attacher, sight, former->mountinfo_id, former->mount_id, &mount, &found);
	if (rc == 0 && found)
		hv_record_take_former(record);
	if (!record->mountinfo_id && find_unnumbered(attacher, record, sight->mounts) < 0)
		return hv_fail(err, HV_INTERNAL, "the mounts of the host cannot be read");
	if (rc == 0)
		rc = find(attacher, sight, record->mountinfo_id, record->mount_id, &mount, &found);
	if (rc < 0)
		return fail_unseen(record, rc, err);
	if (!found)
		return judge_absent(attacher, record, err);
	is_covered = mc_mounts_find_cover(sight->mounts, record->mountinfo_id, &cover);
	record->is_passed_on =
		is_covered && hv_propagation_is_passed_on(attacher, sight, record, &cover);
	if (is_covered && !record->is_passed_on)
		return hv_record_set_covered(attacher, record, sight->ns.ns_fd, &cover, err);
	if (strcmp(mount.target, record->path) == 0) {
		hv_record_set_attached(record);
		return HV_OK;
	}
	path = strdup(mount.target);
	if (!path)
		return hv_oom(err);
	free(record->path); /* where detach finds it */
	record->path = path;
	hv_record_set_state(record, HV_ATTACHED);
	return hv_record_set_problem(
		record, HV_PROBLEM_RENAMED, err, "its directory was renamed inside the container");
}

static enum hv_code fail_unread(const struct hv_record *record, int rc, struct hv_error *err)
{
	return hv_fail(err, HV_INTERNAL, "the mounts of container '%s' cannot be read: %s",
		record->view.container_name, strerrordesc_np(-rc));
}

void hv_sight_done(struct hv_sight *sight)
{
	mc_mounts_free(sight->mounts);
	free(sight->looks);
	mc_close_fd(&sight->mountinfo);
	mc_ns_close(&sight->ns);
	*sight = HV_SIGHT_NONE;
}

/* Have the namespace of the record's container in sight.  Returns as hv_record_open_ns(). */
static enum hv_code look_into(struct hv_attacher *attacher, struct hv_sight *sight,
	const struct hv_record *record, struct hv_error *err)
{
	const bool is_watched = sight->is_watched;
	enum hv_code code;
	int rc;

	if (sight->ns.ns_fd >= 0 && sight->pid == record->pid && sight->ns.ino == record->ns_ino)
		return HV_OK;
	hv_sight_done(sight);
	sight->is_watched = is_watched;
	code = hv_record_open_ns(attacher, record, &sight->ns, err);
	if (code != HV_OK)
		return code;
	sight->pid = record->pid;
	if (!is_watched)
		return HV_OK;
	/* Before anything is read: no change is missed in between. */
	hv_witness_add(&attacher->witness, sight->ns.ns_fd);
	rc = mc_mountinfo_open(attacher->core, sight->ns.ns_fd, NULL);
	if (rc < 0)
		return fail_unread(record, rc, err);
	sight->mountinfo = rc;
	return HV_OK;
}

/* Have its table in sight, also if the open one was taken. */
static enum hv_code read_table(struct hv_attacher *attacher, struct hv_sight *sight,
	const struct hv_record *record, struct hv_error *err)
{
	int rc = 0;

	if (!sight->mounts && sight->mountinfo >= 0)
		rc = mc_mounts_read_open(sight->mountinfo, &sight->mounts);
	else if (!sight->mounts)
		rc = mc_mounts_read(attacher->core, sight->ns.ns_fd, &sight->mounts, NULL);
	return rc < 0 ? fail_unread(record, rc, err) : HV_OK;
}

enum hv_code hv_sight_open(struct hv_attacher *attacher, struct hv_sight *sight,
	const struct hv_record *record, struct hv_error *err)
{
	enum hv_code code = look_into(attacher, sight, record, err);

	return code == HV_OK ? read_table(attacher, sight, record, err) : code;
}

/* Whether a look at the mount itself will do.  Where the kernel has no unique numbers the table
 * tells mounts apart, and which of two that one replaces the other; and for a list, whether a slave
 * has a master still. */
static bool is_for_look(const struct hv_sight *sight, const struct hv_record *record)
{
	return record->pid == sight->pid && record->ns_ino == sight->ns.ino &&
	       record->mountinfo_id && record->mount_id != record->mountinfo_id &&
	       !record->former.mountinfo_id && (sight->is_watched || !record->view.is_slave);
}

static struct hv_record *find_running(struct hv_record *const *records, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (records[i]->pid > 0)
			return records[i];
	return NULL;
}

void hv_sight_look(struct hv_attacher *attacher, struct hv_sight *sight,
	struct hv_record *const *records, size_t count)
{
	hv_auto_error struct hv_error ignored = {0}; /* the record's own look tells it */
	const struct hv_record *running = find_running(records, count);

	if (!running || look_into(attacher, sight, running, &ignored) != HV_OK)
		return;
	free(sight->looks);
	sight->look_count = 0;
	sight->looks = calloc(count, sizeof(*sight->looks));
	if (!sight->looks)
		return; /* the table tells it too */
	for (size_t i = 0; i < count; i++)
		if (is_for_look(sight, records[i]))
			sight->looks[sight->look_count++] = (struct mc_mount_look){
				.mount_id = records[i]->mount_id, .path = records[i]->path};
	mc_mounts_look(attacher->core, sight->ns.ns_fd, sight->looks, sight->look_count);
}

static enum mc_mount_is find_look(const struct hv_sight *sight, const struct hv_record *record)
{
	for (size_t i = 0; !sight->mounts && i < sight->look_count; i++)
		if (sight->looks[i].mount_id == record->mount_id)
			return sight->looks[i].is;
	return MC_MOUNT_UNSURE;
}

enum hv_code hv_attachment_refresh_in(struct hv_attacher *attacher, struct hv_sight *sight,
	struct hv_record *record, struct hv_error *err)
{
	enum hv_code code;

	if (record->pid == 0)
		return HV_OK; /* pending, and why is known from then */
	code = look_into(attacher, sight, record, err);
	if (code == HV_NOT_RUNNING) {
		hv_attachment_set_pending(record);
		return HV_OK;
	}
	if (code != HV_OK)
		return code;
	switch (find_look(sight, record)) {
	case MC_MOUNT_THERE:
		hv_record_set_attached(record);
		return HV_OK;
	case MC_MOUNT_GONE:
		return judge_absent(attacher, record, err);
	case MC_MOUNT_UNSURE:
		break;
	}
	code = read_table(attacher, sight, record, err);
	return code == HV_OK ? judge(attacher, sight, record, err) : code;
}

enum hv_code hv_sight_has_former(struct hv_attacher *attacher, const struct hv_sight *sight,
	const struct hv_record *record, bool *ret_has_new, bool *ret_has_former,
	struct hv_error *err)
{
	const struct hv_former *former = &record->former;
	struct mc_mount mount;
	int rc = find(attacher, sight, record->mountinfo_id, record->mount_id, &mount, ret_has_new);

	if (rc == 0)
		rc = find(attacher, sight, former->mountinfo_id, former->mount_id, &mount,
			ret_has_former);
	return rc == 0 ? HV_OK : fail_unseen(record, rc, err);
}

enum hv_code hv_attachment_refresh(
	struct hv_attacher *attacher, struct hv_record *record, struct hv_error *err)
{
	hv_auto_sight struct hv_sight sight = HV_SIGHT_NONE;

	return hv_attachment_refresh_in(attacher, &sight, record, err);
}
