/* SPDX-License-Identifier: Apache-2.0 */
/* A directory of the host that is attached by its path: a volume only as long as it is attached. */
#include "kinds.h"
#include "user_dir.h"

/* Of no volume that is created. */
static bool claims(const struct hv_volume_options *options)
{
	(void)options;
	return false;
}

static enum hv_code resolve(struct hv_volumes *volumes, const char *name,
	const struct hv_volume_options *options, struct hv_source *ret, struct hv_error *err)
{
	enum hv_code code = hv_user_dir_find(volumes, name, options, ret, err);

	if (code == HV_SOURCE_MISSING && ret->missing > 0)
		hv_hint(err, "create it first, or attach with --mkdir");
	return code;
}

static enum hv_code acquire(struct hv_volumes *volumes, const struct hv_volume *volume,
	struct hv_volume_ref *ret, struct hv_error *err)
{
	(void)volumes;
	(void)volume;
	(void)ret;
	(void)err;
	return HV_OK;
}

const struct hv_volume_kind hv_kind_host = {
	.name = "host",
	.is_hidden = true,
	.claims = claims,
	.resolve = resolve,
	.make = hv_user_dir_make,
	.unmake = hv_user_dir_unmake,
	.acquire = acquire,
};
