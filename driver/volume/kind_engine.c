/* SPDX-License-Identifier: Apache-2.0 */
/* A volume of another driver of the Engine that is attached: one of hostvol's only as long as it is
 * attached.  Its data is at a place on the host, or, for a file system that its driver mounts
 * (option mounted), only while that is mounted there. */
#include <string.h>

#include "mountcore/cleanup.h"
#include "mountcore/mounts.h"

#include "kinds.h"
#include "mount_table.h"
#include "user_dir.h"
#include "volumes.h"

/* Of no volume that is created. */
static bool claims(const struct hv_volume_options *options)
{
	(void)options;
	return false;
}

static enum hv_code fail_unmounted(const char *name, struct hv_error *err)
{
	hv_fail(err, HV_SOURCE_MISSING,
		"volume '%s' is not mounted on the host: its driver mounts it only while a container uses it",
		name);
	return hv_hint(err, "attach it while a container uses it");
}

static enum hv_code check_mounted(
	struct hv_volumes *volumes, const char *name, const char *source, struct hv_error *err)
{
	mc_auto_mounts host = NULL;
	struct mc_mount mount;

	if (hv_table_read_host(volumes, &host, err) != HV_OK)
		return err->code;
	for (size_t at = 0; mc_mounts_next(host, &at, &mount);)
		if (strcmp(mount.target, source) == 0)
			return HV_OK;
	return fail_unmounted(name, err);
}

/* require_mount: the data is there only while it is mounted. */
static enum hv_code resolve(struct hv_volumes *volumes, const char *name,
	const struct hv_volume_options *options, struct hv_source *ret, struct hv_error *err)
{
	if (hv_user_dir_find(volumes, name, options, ret, err) != HV_OK) {
		if (err->code != HV_SOURCE_MISSING || ret->missing == 0)
			return err->code;
		if (options->require_mount)
			return fail_unmounted(name, err);
		return hv_hint(err, "see where its driver has it: docker volume inspect %s", name);
	}
	ret->read_only = options->read_only;
	return options->require_mount ? check_mounted(volumes, name, ret->source, err) : HV_OK;
}

/* Take the attributes of each mount of the volume from option o with bind. */
static enum hv_code acquire(struct hv_volumes *volumes, const struct hv_volume *volume,
	struct hv_volume_ref *ret, struct hv_error *err)
{
	hv_auto_opts struct hv_opts bind = {0};
	struct hv_volume_options options = {0};

	if (hv_opts_get(&volume->opts, "mounted") &&
		check_mounted(volumes, volume->name, volume->source, err) != HV_OK)
		return err->code;
	if (!hv_opts_get(&volume->opts, "o"))
		return HV_OK;
	if (hv_opts_add(&bind, "type", "none") < 0 ||
		hv_opts_add(&bind, "device", volume->source) < 0 ||
		hv_opts_add(&bind, "o", hv_opts_get(&volume->opts, "o")) < 0)
		return hv_oom(err);
	if (hv_volume_read_options(&bind, &options, err) != HV_OK)
		return err->code;
	ret->attr = options.attr;
	return HV_OK;
}

const struct hv_volume_kind hv_kind_engine = {
	.name = "engine",
	.is_hidden = true,
	.claims = claims,
	.resolve = resolve,
	.make = hv_user_dir_make,
	.acquire = acquire,
};
