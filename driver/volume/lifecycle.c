/* SPDX-License-Identifier: Apache-2.0 */
#include "lifecycle.h"

#include <errno.h>
#include <string.h>

#include "mountcore/cleanup.h"

#include "kind.h"
#include "mount_table.h"
#include "publish.h"
#include "record.h"
#include "state_dir.h"
#include "trash.h"
#include "users.h"
#include "volumes.h"

enum hv_code hv_volume_undo(
	struct hv_volumes *volumes, const struct hv_volume *volume, struct hv_error *err)
{
	const struct hv_volume_kind *kind = hv_kind_of(volumes, volume);

	if (kind->unmake)
		kind->unmake(volumes, volume);
	if (hv_store_volume_forget(volumes->store, volume->name, err) != HV_OK)
		return err->code;
	hv_volume_changed(volumes, volume->name);
	return HV_OK;
}

/* Undo a volume that waits for an attachment without a record: the attachment will not come. */
static enum hv_code undo_unattached(
	struct hv_volumes *volumes, const struct hv_volume *volume, struct hv_error *err)
{
	bool is_hidden = hv_kind_of(volumes, volume)->is_hidden, is_wanted = true;
	enum hv_code code;

	/* The records are not read: a damaged one costs no other volume.  A rule borrows a hidden
	 * one anew for each attachment. */
	code = is_hidden
		       ? hv_store_volume_is_attached(volumes->store, volume->name, &is_wanted, err)
		       : hv_store_volume_is_wanted(volumes->store, volume->name, &is_wanted, err);
	if (code != HV_OK || is_wanted)
		return code;
	/* A hidden one is never mounted for Docker, and its name may be a path. */
	if (!is_hidden && hv_volume_unpublish(volumes, volume->name, err) != HV_OK)
		return err->code;
	return hv_volume_undo(volumes, volume, err);
}

void hv_volume_stay(struct hv_volumes *volumes, const struct hv_volume *volume)
{
	hv_auto_error struct hv_error ignored = {0};

	(void)!hv_store_volume_set_phase(volumes->store, volume->name, HV_VOLUME_READY, &ignored);
}

static enum hv_code fail_removal(
	struct hv_volumes *volumes, const struct hv_volume *volume, int rc, struct hv_error *err)
{
	if (rc != -ECANCELED) /* which goes on at the next start */
		hv_volume_stay(volumes, volume);
	if (rc == -ESTALE)
		return hv_fail_state_shadowed(volumes, err);
	hv_fail(err, HV_INTERNAL, "the data of volume '%s' in %s cannot be removed: %s",
		volume->name, volume->source, strerrordesc_np(-rc));
	if (rc == -EXDEV && hv_kind_of(volumes, volume)->own_directory)
		hv_hint(err, "mount the file system of volumes/ at %s instead",
			volumes->state_host);
	return err->code;
}

enum hv_code hv_volume_finish_remove(
	struct hv_volumes *volumes, const struct hv_volume *volume, struct hv_error *err)
{
	const struct hv_volume_kind *kind = hv_kind_of(volumes, volume);
	bool is_purge = !kind->own_directory && hv_purge_is_wanted(volumes, volume);
	enum hv_code code = kind->unmount ? kind->unmount(volumes, volume, err) : HV_OK;
	const char *from = hv_opts_get(&volume->opts, "from");
	int rc = 0;

	/* Again: it may be shared, or mounted in, only now. */
	if (code == HV_OK && is_purge && kind->check_removal) {
		mc_auto_mounts host = NULL;

		code = kind->check_removal(volumes, volume, &host, err);
	}
	if (code != HV_OK) { /* Docker forgets one that it cannot get, and would not ask again */
		hv_volume_stay(volumes, volume);
		return code;
	}
	if (kind->remove_data)
		rc = kind->remove_data(volumes, volume);
	if (rc == -ETIME) { /* the thread goes on; for Docker it is gone */
		hv_trash_empty(volumes, hv_volumes_finish_purges);
		return HV_OK;
	}
	if (rc < 0)
		return fail_removal(volumes, volume, rc, err);
	code = hv_store_volume_forget(volumes->store, volume->name, err);
	hv_volume_changed(volumes, volume->name);
	if (kind->own_directory)
		hv_trash_empty(volumes, NULL);
	if (from) /* it may have been the last that had the other's file system in use */
		hv_volume_release_idle(volumes, from);
	return code;
}

enum hv_code hv_volume_settle(
	struct hv_volumes *volumes, const struct hv_volume *volume, struct hv_error *err)
{
	mc_auto_mounts host = NULL;

	if (hv_kind_check(volumes, volume, err) != HV_OK)
		return err->code; /* it stays as it is, for the version that knows */
	switch (volume->phase) {
	case HV_VOLUME_READY:
		return HV_OK;
	case HV_VOLUME_CREATING:
		return hv_volume_undo(volumes, volume, err);
	case HV_ATTACHING:
		return undo_unattached(volumes, volume, err);
	case HV_DAMAGED: /* no code of the store: the others are finished */
		return hv_fail(
			err, HV_INTERNAL, "the record of volume '%s' is damaged", volume->name);
	case HV_REMOVING:
		break;
	}
	if (hv_users_check(volumes, volume, &host, err) != HV_OK) {
		hv_volume_stay(volumes, volume);
		return err->code;
	}
	if (hv_volume_unpublish(volumes, volume->name, err) != HV_OK)
		return err->code;
	return hv_volume_finish_remove(volumes, volume, err);
}

enum hv_code hv_volume_rollback(struct hv_volumes *volumes, const char *name, struct hv_error *err)
{
	hv_auto_volume struct hv_volume volume = {0};

	HV_HOLD(hold, &volumes->locks, name);
	if (hv_store_volume_get(volumes->store, name, &volume, err) != HV_OK)
		return err->code;
	return volume.phase == HV_ATTACHING ? hv_volume_settle(volumes, &volume, err) : HV_OK;
}

/* Of the one of this name, if it is still to be: with the name held, and the record read then. */
static void finish_purge(struct hv_volumes *volumes, const char *name)
{
	hv_auto_error struct hv_error ignored = {0};
	hv_auto_volume struct hv_volume volume = {0};

	HV_HOLD(hold, &volumes->locks, name);
	(void)!hv_volume_find_unfinished(volumes, name, &volume, &ignored);
	if (volume.name && hv_purge_is_begun(volumes, &volume))
		(void)!hv_volume_settle(volumes, &volume, &ignored);
}

void hv_volumes_finish_purges(struct hv_volumes *volumes)
{
	hv_auto_error struct hv_error ignored = {0};
	hv_auto_volume_list struct hv_volume_list list = {0};

	(void)!hv_store_volume_unfinished(volumes->store, &list.items, &list.count, &ignored);
	for (size_t i = 0; i < list.count && !volumes->sweeper.is_stopping; i++)
		if (hv_purge_is_begun(volumes, &list.items[i]))
			finish_purge(volumes, list.items[i].name);
}
