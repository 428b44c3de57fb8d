/* Removing a volume.
 *
 * Sequence: refuse while attachments are recorded; take Docker's mount out; mark the record (first
 * commit: from here on the volume does not exist); move the directory, if it is ours, to the trash;
 * delete it there; forget the record.  A crash in between is finished at the next start.  The data
 * of a `path` volume is touched only with on-remove=purge (purge.c). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mountcore/cleanup.h"
#include "volume/volume.h"

#include "fs.h"
#include "inside.h"
#include "purge.h"
#include "source.h"
#include "sweep.h"

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

enum hv_code hv_volume_check_aliases(
	struct hv_volumes *volumes, const char *name, struct hv_error *err)
{
	char *alias = NULL;
	enum hv_code code = hv_store_volume_with_opt(volumes->store, "from", name, &alias, err);

	if (code == HV_OK && alias) {
		hv_fail(err, HV_VOLUME_IN_USE,
			"volume '%s' cannot be removed while '%s' is another name for its data",
			name, alias);
		code = hv_hint(err, "docker volume rm %s", alias);
	}
	free(alias);
	return code;
}

enum hv_code hv_volume_check_removal(
	struct hv_volumes *volumes, const char *name, struct hv_error *err)
{
	struct hv_volume volume = {0};
	enum hv_code code = hv_volume_check_aliases(volumes, name, err);

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

/* Returns 0 also when the directory is in the trash already, or was never made. */
static int move_to_trash(struct hv_volumes *volumes, const char *name)
{
	mc_auto_fd top = hv_state_dir(volumes, "volumes");
	mc_auto_fd trash = hv_state_dir(volumes, "trash");

	if (top < 0)
		return top;
	if (trash < 0)
		return trash;
	if (renameat(top, name, trash, name) == 0 || errno == ENOENT)
		return 0;
	if ((errno != EEXIST && errno != ENOTEMPTY) || hv_sweep(trash) < 0)
		return -errno;
	return renameat(top, name, trash, name) == 0 ? 0 : -errno;
}

static int empty_trash(struct hv_volumes *volumes)
{
	mc_auto_fd trash = hv_state_dir(volumes, "trash");

	return trash < 0 ? trash : hv_sweep(trash);
}

enum hv_code hv_volume_finish_remove(
	struct hv_volumes *volumes, const struct hv_volume *volume, struct hv_error *err)
{
	enum hv_code code = hv_fs_unmount(volumes, volume, err);
	struct hv_error ignored = {0};
	int rc = 0;

	if (code != HV_OK) { /* Docker forgets one that it cannot get, and would not ask again */
		(void)!hv_store_volume_set_phase(volumes->store, volume->name, HV_THERE, &ignored);
		hv_error_done(&ignored);
		return code;
	}
	if (hv_purge_is_wanted(volume) && hv_source_is_ours(volume))
		hv_source_unlimit(volumes, volume);
	if (hv_purge_is_wanted(volume))
		rc = hv_source_is_ours(volume) ? move_to_trash(volumes, volume->name)
					       : hv_purge(volumes, volume);
	if (rc < 0) {
		(void)!hv_store_volume_set_phase(volumes->store, volume->name, HV_THERE, &ignored);
		hv_error_done(&ignored);
		return hv_fail(err, HV_INTERNAL,
			"the data of volume '%s' in %s cannot be removed: %s", volume->name,
			volume->source, strerrordesc_np(-rc));
	}
	if (hv_source_is_ours(volume))
		/* What cannot be deleted (an immutable file) waits in the trash for the next time.
		 */
		(void)empty_trash(volumes);
	return hv_store_volume_forget(volumes->store, volume->name, err);
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
