/* SPDX-License-Identifier: Apache-2.0 */
/* Creating a volume.
 *
 * Sequence: clear the name of what came to nothing; find the source; record the volume, as one that
 * is being made if directories are; make them; record that they are made.  A failure is undone
 * at once, a crash at the next start (lifecycle.c). */
#include <string.h>

#include "volume/volume.h"

#include "borrow.h"
#include "kind.h"
#include "lifecycle.h"
#include "options.h"
#include "overlap.h"
#include "record.h"
#include "source.h"
#include "trash.h"
#include "volumes.h"

/* Record it; with directories to be made, first that they are made for it. */
static enum hv_code make(struct hv_volumes *volumes, struct hv_volume *volume, struct hv_error *err)
{
	enum hv_phase end = hv_opts_get(&volume->opts, "attach") ? HV_ATTACHING : HV_VOLUME_READY;
	hv_auto_error struct hv_error ignored = {0};

	volume->phase =
		volume->missing > 0 || hv_source_is_owned(&volume->opts) ? HV_VOLUME_CREATING : end;
	if (hv_store_volume_add(volumes->store, volume, err) != HV_OK)
		return err->code;
	/* Again, now that a removal that deletes a directory sees this record. */
	if (hv_overlap_check(volumes, volume, err) != HV_OK) {
		(void)!hv_store_volume_set_phase(
			volumes->store, volume->name, HV_VOLUME_CREATING, &ignored);
		(void)!hv_store_volume_forget(volumes->store, volume->name, &ignored);
		return err->code;
	}
	if (volume->phase != HV_VOLUME_CREATING)
		return HV_OK;
	if (hv_kind_of(volumes, volume)->make(volumes, volume, err) == HV_OK) {
		volume->phase = end;
		if (hv_store_volume_made(volumes->store, volume, err) == HV_OK)
			return HV_OK;
	}
	(void)hv_volume_undo(volumes, volume, &ignored);
	return err->code;
}

static enum hv_code record(struct hv_volumes *volumes, const char *name, const struct hv_opts *opts,
	const struct hv_volume_options *options, struct hv_error *err)
{
	const struct hv_volume_kind *kind = hv_kind_choose(volumes, options);
	hv_auto_volume struct hv_volume volume = {0};
	struct hv_source found = {0};

	if (!kind)
		return hv_fail(err, HV_BAD_REQUEST,
			"the options of volume '%s' are those of no kind of volume", name);
	volume.name = strdup(name);
	volume.kind = strdup(kind->name);
	volume.created_at = hv_time_rfc3339();
	if (!volume.name || !volume.kind || !volume.created_at)
		return hv_oom(err);
	for (size_t i = 0; i < opts->count; i++)
		if (hv_opts_add(&volume.opts, opts->items[i].key, opts->items[i].value) < 0)
			return hv_oom(err);
	if (kind->resolve(volumes, name, options, &found, err) != HV_OK)
		return err->code;
	volume.missing = found.missing;
	volume.read_only = options->read_only || found.read_only;
	volume.source = strdup(found.source);
	if (!volume.source)
		return hv_oom(err);
	if (hv_volume_check_mount(volumes, &volume, err) != HV_OK)
		return err->code;
	if (make(volumes, &volume, err) != HV_OK)
		return err->code;
	hv_volume_changed(volumes, name);
	return HV_OK;
}

/* Finish what of a volume that came to nothing, or went, is left; but not the deletion of a user's
 * directory, which may take long. */
static enum hv_code clear_name(struct hv_volumes *volumes, const char *name, struct hv_error *err)
{
	hv_auto_volume struct hv_volume volume = {0};

	if (hv_volume_find_unfinished(volumes, name, &volume, err) != HV_OK)
		return err->code;
	if (!volume.name)
		return HV_OK;
	if (!hv_purge_is_begun(volumes, &volume))
		return hv_volume_settle(volumes, &volume, err);
	hv_trash_empty(volumes, hv_volumes_finish_purges);
	hv_fail(err, HV_BUSY,
		"the directory %s of the volume '%s' before this one is still being deleted",
		volume.source, name);
	return hv_hint(err, "try again when the directory is deleted");
}

/* The caller holds the name, and the name in option from. */
static enum hv_code create_held(struct hv_volumes *volumes, const char *name,
	const struct hv_opts *opts, const struct hv_volume_options *options, struct hv_error *err)
{
	hv_auto_volume struct hv_volume existing = {0};
	enum hv_code code = hv_store_volume_get(volumes->store, name, &existing, err);
	bool is_free = code == HV_NO_SUCH_VOLUME;

	if (code == HV_OK && hv_volume_is_borrowed(volumes, &existing)) {
		code = hv_borrowed_clear(volumes, &existing, err);
		is_free = code == HV_OK;
	}
	if (is_free) {
		hv_error_done(err);
		if (clear_name(volumes, name, err) != HV_OK)
			return err->code;
		return record(volumes, name, opts, options, err);
	}
	if (code != HV_OK || hv_opts_is_equal(opts, &existing.opts))
		return code;
	hv_fail(err, HV_VOLUME_EXISTS, "volume '%s' exists already with other options", name);
	return hv_hint(
		err, "choose another name, or remove the volume first: docker volume rm %s", name);
}

enum hv_code hv_volume_create(struct hv_volumes *volumes, const char *name,
	const struct hv_opts *opts, struct hv_error *err)
{
	struct hv_volume_options options = {0};
	const char *first = name, *second;

	if (hv_volume_check_name(name, err) != HV_OK ||
		hv_volume_read_options(opts, &options, err) != HV_OK)
		return err->code;
	second = options.from;
	if (second && strcmp(second, name) == 0)
		return hv_fail(
			err, HV_BAD_REQUEST, "volume '%s' cannot be another name for itself", name);
	if (second && strcmp(second, first) < 0) { /* always in this order */
		first = second;
		second = name;
	}
	HV_HOLD(hold, &volumes->locks, first);
	if (!second)
		return create_held(volumes, name, opts, &options, err);
	HV_HOLD(hold_other, &volumes->locks, second);
	return create_held(volumes, name, opts, &options, err);
}
