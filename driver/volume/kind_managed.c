/* SPDX-License-Identifier: Apache-2.0 */
/* A directory of hostvol's own, volumes/NAME/_data. */
#include "directory.h"
#include "kinds.h"
#include "managed_dir.h"
#include "purge.h"
#include "record.h"
#include "trash.h"

static bool claims(const struct hv_volume_options *options)
{
	(void)options; /* no other kind has claimed them */
	return true;
}

static enum hv_code resolve(struct hv_volumes *volumes, const char *name,
	const struct hv_volume_options *options, struct hv_source *ret, struct hv_error *err)
{
	if (options->size_bytes > 0 && hv_managed_check_empty(volumes, name, "size", err) != HV_OK)
		return err->code;
	return hv_managed_find(volumes, name, ret, err);
}

static enum hv_code make(struct hv_volumes *volumes, struct hv_volume *volume, struct hv_error *err)
{
	if (hv_managed_make(volumes, volume->name, err) != HV_OK ||
		hv_source_limit(volumes, volume, err) != HV_OK)
		return err->code;
	hv_managed_settle(volumes, volume);
	return hv_volume_own(volumes, volume, err);
}

static void unmake(struct hv_volumes *volumes, const struct hv_volume *volume)
{
	hv_source_unlimit(volumes, volume);
	hv_managed_unmake(volumes, volume->name);
}

static enum hv_code acquire(struct hv_volumes *volumes, const struct hv_volume *volume,
	struct hv_volume_ref *ret, struct hv_error *err)
{
	(void)ret;
	(void)err;
	hv_managed_settle(volumes, volume);
	return HV_OK;
}

static int remove_data(struct hv_volumes *volumes, const struct hv_volume *volume)
{
	hv_auto_error struct hv_error ignored = {0};
	int rc;

	hv_source_unlimit(volumes, volume); /* by its path: not in the trash */
	rc = hv_purge_is_wanted(volumes, volume) ? hv_trash_put(volumes, volume->name)
						 : hv_managed_keep(volumes, volume->name);
	if (rc < 0)
		(void)!hv_source_limit(volumes, volume, &ignored);
	return rc;
}

const struct hv_volume_kind hv_kind_managed = {
	.name = "managed",
	.own_directory = true,
	.may_be_in_state = true,
	.claims = claims,
	.resolve = resolve,
	.make = make,
	.unmake = unmake,
	.acquire = acquire,
	.check_removal = hv_purge_check_own,
	.remove_data = remove_data,
};
