/* Listing: each record with its state from the container's mount table, read now. */
#include "list.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mountcore/cleanup.h"
#include "mountcore/mounts.h"

#include "attachment.h"
#include "container.h"
#include "cover.h"
#include "detach.h"
#include "gone.h"
#include "repair.h"
#include "source.h"

/* Its mount is not there: someone took it out, or it was only about to be made. */
static enum hv_code judge_absent(struct hv_record *record, struct hv_error *err)
{
	if (record->is_done && strcmp(record->view.state, "pending") == 0)
		return hv_record_forget_mount(record, err);
	return hv_record_set_state(
		record, "missing", "it was unmounted, or its mountpoint was removed", err);
}

/* The intent of an attach that learns its mount's number only when it is made, without open_tree:
 * what is at the place, if it is the source.  Returns 0 also when it is not. */
static int find_unnumbered(
	struct hv_attacher *attacher, struct hv_record *record, struct mc_mounts *mounts)
{
	char source[PATH_MAX];
	struct mc_mount mount;
	int rc;

	hv_full_source(&record->view, source);
	rc = mc_mounts_find_at(attacher->core, mounts, record->path, source, &mount);
	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	record->mountinfo_id = mount.id;
	if (!(mc_core_features(attacher->core) & MC_FEATURE_UNIQUE_ID))
		record->mount_id = mount.id;
	return 0;
}

/* Find the mount in the table of the record's container; another mount may have its number by now.
 */
static enum hv_code find_mount(struct hv_attacher *attacher, const struct hv_sight *sight,
	struct hv_record *record, struct mc_mount *ret, bool *ret_found, struct hv_error *err)
{
	int rc = 0;

	if (!record->mountinfo_id && find_unnumbered(attacher, record, sight->mounts) < 0)
		return hv_fail(err, HV_INTERNAL, "the mounts of the host cannot be read");
	*ret_found = mc_mounts_find(sight->mounts, record->mountinfo_id, ret) == 0;
	if (*ret_found)
		rc = mc_mount_has_id(attacher->core, sight->ns.ns_fd, record->mountinfo_id,
			record->mount_id, ret_found);
	if (rc < 0)
		return hv_fail(err, HV_INTERNAL,
			"the mounts of container '%s' cannot be looked at: %s",
			record->view.container_name, strerrordesc_np(-rc));
	return HV_OK;
}

static enum hv_code judge(struct hv_attacher *attacher, const struct hv_sight *sight,
	struct hv_record *record, struct hv_error *err)
{
	struct mc_mount mount, cover;
	bool found = false;
	char *path;

	if (find_mount(attacher, sight, record, &mount, &found, err) != HV_OK)
		return err->code;
	if (!found)
		return judge_absent(record, err);
	if (mc_mounts_find_cover(sight->mounts, record->mountinfo_id, &cover))
		return hv_record_set_covered(attacher, record, &cover, err);
	if (strcmp(mount.target, record->path) == 0) /* a doubt is the Engine's to end */
		return hv_record_set_state(record, "attached",
			hv_record_is_doubted(record) ? record->view.problem : NULL, err);
	path = strdup(mount.target);
	if (!path)
		return hv_fail(err, HV_INTERNAL, "out of memory");
	free(record->path); /* where detach finds it */
	record->path = path;
	return hv_record_set_state(
		record, "attached", "its directory was renamed inside the container", err);
}

void hv_sight_done(struct hv_sight *sight)
{
	mc_mounts_free(sight->mounts);
	mc_close_fd(&sight->mountinfo);
	mc_ns_close(&sight->ns);
	*sight = HV_SIGHT_NONE;
}

/* Have the table of the record's container in sight.  Returns as hv_record_open_ns(). */
static enum hv_code look_into(struct hv_attacher *attacher, struct hv_sight *sight,
	const struct hv_record *record, struct hv_error *err)
{
	enum hv_code code;
	int rc;

	if (sight->mounts && sight->pid == record->pid && sight->ns.ino == record->ns_ino)
		return HV_OK;
	hv_sight_done(sight);
	code = hv_record_open_ns(attacher, record, &sight->ns, err);
	if (code != HV_OK)
		return code;
	sight->pid = record->pid;
	rc = mc_mountinfo_open(attacher->core, sight->ns.ns_fd, NULL);
	if (rc >= 0) {
		sight->mountinfo = rc;
		rc = mc_mounts_read_open(sight->mountinfo, &sight->mounts);
	}
	if (rc < 0)
		code = hv_fail(err, HV_INTERNAL, "the mounts of container '%s' cannot be read: %s",
			record->view.container_name, strerrordesc_np(-rc));
	return code;
}

enum hv_code hv_attachment_refresh_in(struct hv_attacher *attacher, struct hv_sight *sight,
	struct hv_record *record, struct hv_error *err)
{
	enum hv_code code;

	if (record->pid == 0)
		return HV_OK; /* pending, and why is known from then */
	code = look_into(attacher, sight, record, err);
	if (code == HV_NOT_RUNNING)
		return hv_record_forget_mount(record, err);
	return code == HV_OK ? judge(attacher, sight, record, err) : code;
}

enum hv_code hv_attachment_refresh(
	struct hv_attacher *attacher, struct hv_record *record, struct hv_error *err)
{
	struct hv_sight sight = HV_SIGHT_NONE;
	enum hv_code code = hv_attachment_refresh_in(attacher, &sight, record, err);

	hv_sight_done(&sight);
	return code;
}

void hv_attachments_free(struct hv_attachment *attachments, size_t count)
{
	for (size_t i = 0; i < count; i++)
		hv_attachment_done(&attachments[i]);
	free(attachments);
}

/* The container may be given by name, ID or prefix, or not at all: of those that are recorded, so
 * that one that no longer exists can be asked for. */
static bool is_listed(const struct hv_record *record, const char *container)
{
	const struct hv_attachment *view = &record->view;

	return record->is_done &&
	       (!container || strcmp(view->container_name, container) == 0 ||
		       strncmp(view->container_id, container, strlen(container)) == 0);
}

/* The state of now; where it is another than was known, the reconciler learns of it.  That of a
 * container that cannot be looked at stays the last known one, and says why: the others' are wanted
 * all the same. */
static void refresh_and_tell(
	struct hv_attacher *attacher, struct hv_sight *sight, struct hv_record *record)
{
	struct hv_error err = {0}, ignored = {0};
	char known[16];

	snprintf(known, sizeof(known), "%s", record->view.state);
	if (hv_attachment_refresh_in(attacher, sight, record, &err) != HV_OK)
		(void)!hv_record_set_state(record, known, hv_error_text(&err), &ignored);
	else if (strcmp(known, record->view.state) != 0)
		hv_attacher_poke(attacher, record->view.container_id, false);
	if (err.code == HV_OK && strcmp(record->view.state, "attached") == 0 &&
		hv_record_note_source(attacher, sight, record, &err) != HV_OK)
		(void)!hv_record_set_state(
			record, record->view.state, hv_error_text(&err), &ignored);
	hv_error_done(&err);
	hv_error_done(&ignored);
}

static int compare_containers(const void *a, const void *b)
{
	const struct hv_record *const *one = a, *const *two = b;

	return strcmp((*one)->view.container_id, (*two)->view.container_id);
}

/* Bring those that were asked for up to now, container by container, each of which is read once. */
static enum hv_code refresh_all(struct hv_attacher *attacher, struct hv_record *records,
	size_t count, const char *container, struct hv_error *err)
{
	struct hv_record **sorted = calloc(count + 1, sizeof(struct hv_record *));
	struct hv_sight sight = HV_SIGHT_NONE;
	size_t used = 0;

	if (!sorted)
		return hv_fail(err, HV_INTERNAL, "out of memory");
	for (size_t i = 0; i < count; i++)
		if (is_listed(&records[i], container))
			sorted[used++] = &records[i];
	qsort(sorted, used, sizeof(struct hv_record *), compare_containers);
	for (size_t i = 0; i < used; i++)
		refresh_and_tell(attacher, &sight, sorted[i]);
	hv_sight_done(&sight);
	free(sorted);
	return HV_OK;
}

enum hv_code hv_attachments_list(struct hv_attacher *attacher,
	const struct hv_list_request *request, struct hv_attachment **ret, size_t *ret_count,
	struct hv_error *err)
{
	const struct hv_record_filter filter = {.volume = request->volume};
	struct hv_record *records = NULL;
	struct hv_attachment *list = NULL;
	size_t count = 0, used = 0;
	enum hv_code code =
		hv_store_attachment_list(attacher->store, &filter, &records, &count, err);

	if (code == HV_OK)
		code = refresh_all(attacher, records, count, request->container, err);
	if (code == HV_OK) {
		list = calloc(count + 1, sizeof(*list));
		if (!list)
			code = hv_fail(err, HV_INTERNAL, "out of memory");
	}
	for (size_t i = 0; list && i < count; i++) {
		if (!is_listed(&records[i], request->container) || hv_record_is_over(&records[i]))
			continue;
		list[used++] = records[i].view;
		records[i].view = (struct hv_attachment){0};
	}
	hv_records_free(records, count);
	if (code != HV_OK)
		return code;
	*ret = list;
	*ret_count = used;
	return HV_OK;
}

/* Detach what came with the volume: strictly, so that a busy one keeps the volume. */
static enum hv_code end_own(
	struct hv_attacher *attacher, const struct hv_record *record, struct hv_error *err)
{
	enum hv_code code;

	if (!record->is_done)
		return HV_OK; /* an intent: hv_volume_remove() has the last word */
	code = hv_detach_with_volume(attacher, record->view.id, err);
	if (code != HV_NO_SUCH_ATTACHMENT)
		return code;
	hv_error_done(err); /* someone else was quicker */
	return HV_OK;
}

/* Forget an attachment that has ended, but not one that is just being made or ended. */
static enum hv_code drop_ended(
	struct hv_attacher *attacher, const struct hv_record *record, struct hv_error *err)
{
	HV_HOLD(hold, &attacher->locks, record->view.container_id);
	return hv_record_drop_over(attacher, record, err);
}

/* Forget an attachment that is in nobody's way any more; count one that is. */
static enum hv_code release(struct hv_attacher *attacher, struct hv_record *record,
	size_t *ret_others, struct hv_error *err)
{
	const struct hv_attachment *view = &record->view;
	struct hv_container container = {0};
	enum hv_code code = hv_attachment_refresh(attacher, record, err);

	if (code == HV_OK && hv_record_is_over(record))
		return drop_ended(attacher, record, err);
	hv_error_done(err); /* one that cannot be looked at is not over */
	code = hv_container_find(
		attacher, view->container_id, HV_ENGINE_TIMEOUT_REMOVE_MS, &container, err);
	hv_container_done(&container);
	*ret_others += code == HV_OK;
	if (code == HV_OK)
		return HV_OK;
	if (code == HV_NO_SUCH_CONTAINER) {
		hv_error_done(err);
		code = hv_record_check_gone(attacher, record, HV_ENGINE_TIMEOUT_REMOVE_MS, err);
		if (code == HV_OK)
			return drop_ended(attacher, record, err);
		if (code == HV_VOLUME_IN_USE)
			return code;
	}
	hv_fail(err, HV_VOLUME_IN_USE,
		"volume '%s' is attached to container '%s' at %s, and the Docker Engine does not say whether that still exists",
		view->volume, view->container_name, view->target);
	return hv_hint(err, "try again when the Engine answers");
}

enum hv_code hv_attachments_release(
	struct hv_attacher *attacher, const char *volume, struct hv_error *err)
{
	const struct hv_record_filter filter = {.volume = volume};
	struct hv_record *records = NULL;
	size_t count = 0, others = 0;
	enum hv_code code =
		hv_store_attachment_list(attacher->store, &filter, &records, &count, err);

	for (size_t i = 0; code == HV_OK && i < count; i++)
		code = records[i].is_own ? HV_OK : release(attacher, &records[i], &others, err);
	/* The volume's own go last, and only if nothing else keeps the volume. */
	for (size_t i = 0; code == HV_OK && others == 0 && i < count; i++)
		code = records[i].is_own ? end_own(attacher, &records[i], err) : HV_OK;
	hv_records_free(records, count);
	return code;
}
