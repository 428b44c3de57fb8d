/* Removing a volume.
 *
 * Sequence: refuse while attachments are recorded, or while any process has mounted what would be
 * deleted; take Docker's mount out; mark the record (first
 * commit: from here on the volume does not exist); move the directory, if it is ours, to the trash;
 * forget the record.  A crash in between is finished at the next start.  What is in the trash is
 * deleted by a thread (trash.c), after the answer.  The data of a `path` volume is touched only
 * with on-remove=purge (purge.c). */
#include <errno.h>
#include <string.h>

#include "volume/volume.h"

#include "directory.h"
#include "fs.h"
#include "inside.h"
#include "managed_dir.h"
#include "publish.h"
#include "purge.h"
#include "record.h"
#include "source.h"
#include "state_dir.h"
#include "trash.h"
#include "users.h"
#include "volumes.h"

static enum hv_code refuse_attached(
	struct hv_volumes *volumes, const char *name, struct hv_error *err)
{
	const struct hv_record_filter filter = {.volume = name};
	struct hv_record *records = NULL;
	size_t count = 0;
	enum hv_code code =
		hv_store_attachment_list(volumes->store, &filter, &records, &count, err);

	if (code == HV_OK && count > 0) {
		const struct hv_attachment *first;
		size_t at = 0;

		while (at + 1 < count && records[at].is_own) /* the others are in the way */
			at++;
		first = &records[at].view;
		hv_fail(err, HV_VOLUME_IN_USE, "volume '%s' is attached to container '%s' at %s",
			name, first->container_name, first->target);
		code = hv_hint(
			err, "docker hostvol detach %s:%s", first->container_name, first->target);
	}
	hv_records_free(records, count);
	return code;
}

enum hv_code hv_volume_check_removal(
	struct hv_volumes *volumes, const char *name, struct hv_error *err)
{
	struct hv_volume volume = {0};
	enum hv_code code = hv_volume_check_aliases(volumes, name, "be removed", err);

	if (code != HV_OK)
		return code;
	code = hv_store_volume_get(volumes->store, name, &volume, err);
	if (code == HV_OK)
		code = hv_purge_check(volumes, &volume, err);
	hv_volume_done(&volume);
	if (code != HV_NO_SUCH_VOLUME)
		return code;
	hv_error_done(err);
	return HV_OK;
}

/* What becomes of a directory of ours.  That of a file system has nothing in it but a mountpoint.
 */
static int remove_ours(struct hv_volumes *volumes, const struct hv_volume *volume)
{
	struct hv_error ignored = {0};
	int rc;

	if (strcmp(volume->kind, "filesystem") == 0) {
		hv_source_unmake(volumes, volume);
		return 0;
	}
	hv_source_unlimit(volumes, volume); /* by its path: not in the trash */
	rc = hv_purge_is_wanted(volume) ? hv_trash_put(volumes, volume->name)
					: hv_managed_keep(volumes, volume->name);
	if (rc < 0)
		(void)!hv_source_limit(volumes, volume, &ignored);
	hv_error_done(&ignored);
	return rc;
}

void hv_volume_stay(struct hv_volumes *volumes, const struct hv_volume *volume)
{
	struct hv_error ignored = {0};

	(void)!hv_store_volume_set_phase(volumes->store, volume->name, HV_THERE, &ignored);
	hv_error_done(&ignored);
}

static enum hv_code fail_removal(
	struct hv_volumes *volumes, const struct hv_volume *volume, int rc, struct hv_error *err)
{
	if (rc != -ECANCELED) /* which goes on at the next start */
		hv_volume_stay(volumes, volume);
	if (rc == -ESTALE)
		return hv_fail_view(volumes, err);
	hv_fail(err, HV_INTERNAL, "the data of volume '%s' in %s cannot be removed: %s",
		volume->name, volume->source, strerrordesc_np(-rc));
	if (rc == -EXDEV && hv_source_is_ours(volume))
		hv_hint(err, "volumes/ is a file system of its own there: have it at %s instead",
			volumes->state_host);
	return err->code;
}

enum hv_code hv_volume_finish_remove(
	struct hv_volumes *volumes, const struct hv_volume *volume, struct hv_error *err)
{
	bool is_purge = !hv_source_is_ours(volume) && hv_purge_is_wanted(volume);
	enum hv_code code = hv_fs_unmount(volumes, volume, err);
	const char *from = hv_opts_get(&volume->opts, "from");
	int rc = 0;

	if (code == HV_OK && is_purge) /* again: it may be shared, or mounted in, only now */
		code = hv_purge_check(volumes, volume, err);
	if (code != HV_OK) { /* Docker forgets one that it cannot get, and would not ask again */
		hv_volume_stay(volumes, volume);
		return code;
	}
	if (hv_source_is_ours(volume))
		rc = remove_ours(volumes, volume);
	else if (is_purge)
		rc = hv_purge(volumes, volume);
	if (rc == -ETIME) { /* the thread goes on; for Docker it is gone */
		hv_trash_start(volumes, hv_volumes_finish_purges);
		return HV_OK;
	}
	if (rc < 0)
		return fail_removal(volumes, volume, rc, err);
	code = hv_store_volume_forget(volumes->store, volume->name, err);
	if (hv_source_is_ours(volume))
		hv_trash_empty(volumes);
	if (from) /* it may have been the last that had the other's file system in use */
		hv_volume_unused(volumes, from);
	return code;
}

/* What was to be removed with its attachment is in HV_REMOVING by now.  The error stays if not. */
static enum hv_code finish_begun(struct hv_volumes *volumes, const char *name, struct hv_error *err)
{
	struct hv_error cause = {0};
	bool was = false;
	enum hv_code code = hv_volume_finish_named(volumes, name, &was, &cause);

	if (!was && code == HV_OK)
		return err->code;
	hv_error_done(err);
	*err = cause;
	return code;
}

enum hv_code hv_volume_remove(struct hv_volumes *volumes, const char *name, struct hv_error *err)
{
	struct hv_volume volume = {0};
	enum hv_code code;

	HV_HOLD(hold, &volumes->locks, name);
	code = hv_store_volume_get(volumes->store, name, &volume, err);
	if (code == HV_OK)
		code = hv_volume_check_removal(volumes, name, err);
	if (code == HV_OK)
		code = refuse_attached(volumes, name, err);
	if (code == HV_OK)
		code = hv_users_check(volumes, &volume, err);
	if (code == HV_OK)
		code = hv_volume_unpublish(volumes, name, err);
	if (code == HV_OK)
		code = hv_store_volume_set_phase(volumes->store, name, HV_REMOVING, err);
	if (code == HV_OK)
		code = hv_volume_finish_remove(volumes, &volume, err);
	if (code == HV_NO_SUCH_VOLUME)
		code = finish_begun(volumes, name, err);
	hv_volume_done(&volume);
	return code;
}
