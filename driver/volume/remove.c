/* Removing a volume.
 *
 * Sequence: refuse while attachments are recorded, or while any process has mounted what would be
 * deleted; take Docker's mount out; mark the record (first
 * commit: from here on the volume does not exist); move the directory, if it is ours, to the trash;
 * forget the record (lifecycle.c).  A crash in between is finished at the next start.  A
 * thread deletes the content of the trash (trash.c), after the answer.  The data of a `path` volume
 * is touched only with on-remove=purge (purge.c). */

#include "volume/volume.h"

#include "kind.h"
#include "lifecycle.h"
#include "publish.h"
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
	const struct hv_volume_kind *kind;
	struct hv_volume volume = {0};
	enum hv_code code = hv_volume_check_aliases(volumes, name, "be removed", err);

	if (code != HV_OK)
		return code;
	code = hv_store_volume_get(volumes->store, name, &volume, err);
	kind = code == HV_OK ? hv_kind_of(volumes, &volume) : NULL;
	if (kind && kind->check_removal)
		code = kind->check_removal(volumes, &volume, err);
	hv_volume_done(&volume);
	if (code != HV_NO_SUCH_VOLUME)
		return code;
	hv_error_done(err);
	return HV_OK;
}

/* Finish removing a volume that was to go with its attachment: it is in HV_REMOVING by now.  The
 * error stays if it is not. */
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
