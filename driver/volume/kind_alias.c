/* SPDX-License-Identifier: Apache-2.0 */
/* Another name for the data of a volume, its origin (option from): a use is passed on to the kind
 * of the origin. */
#include <stdio.h>

#include "directory.h"
#include "fs_check.h"
#include "kinds.h"
#include "volumes.h"

static bool claims(const struct hv_volume_options *options)
{
	return options->from != NULL;
}

/* The volume that the options name; `ret` is zeroed, and to be freed. */
static enum hv_code find_other(struct hv_volumes *volumes, const char *name,
	const struct hv_volume_options *options, struct hv_volume *ret, struct hv_error *err)
{
	enum hv_code code = hv_volume_find(volumes, options->from, ret, err);

	if (code == HV_NO_SUCH_VOLUME) {
		hv_error_done(err);
		hv_fail(err, code, "there is no volume '%s' that '%s' could be another name for",
			options->from, name);
		return hv_hint(err, "list the volumes and their drivers: docker volume ls");
	}
	if (code != HV_OK || ret->phase == HV_VOLUME_READY)
		return code;
	hv_fail(err, HV_BUSY, "volume '%s' is just being created", options->from);
	return hv_hint(err, "try again when it exists"); /* it may come to nothing */
}

/* The directory of a file system is empty while nobody uses it, and root's. */
static enum hv_code check_options(const char *name, const struct hv_volume_options *options,
	const struct hv_volume_kind *origin, struct hv_error *err)
{
	if (!origin->mounted_while_used)
		return HV_OK;
	if (hv_fs_check_owner(name, options->from, &options->owner, err) != HV_OK)
		return err->code;
	if (!options->subpath)
		return HV_OK;
	hv_fail(err, HV_BAD_REQUEST,
		"option subpath cannot name a directory of volume '%s', whose file system is mounted only while it is used",
		options->from);
	return hv_hint(err,
		"give the subpath when the volume is used: docker hostvol attach --subpath, or docker run --mount with volume-subpath");
}

/* Both names are held. */
static enum hv_code resolve(struct hv_volumes *volumes, const char *name,
	const struct hv_volume_options *options, struct hv_source *ret, struct hv_error *err)
{
	const struct hv_volume_kind *kind;
	hv_auto_volume struct hv_volume other = {0};

	if (find_other(volumes, name, options, &other, err) != HV_OK ||
		hv_volume_data_kind(volumes, &other, &kind, err) != HV_OK ||
		check_options(name, options, kind, err) != HV_OK)
		return err->code;
	snprintf(ret->source, sizeof(ret->source), "%s", other.source);
	ret->read_only = other.read_only;
	return options->subpath ? hv_source_find_inside(volumes, name, options, ret, err) : HV_OK;
}

static enum hv_code make(struct hv_volumes *volumes, struct hv_volume *volume, struct hv_error *err)
{
	return hv_volume_own(volumes, volume, err);
}

static enum hv_code acquire(struct hv_volumes *volumes, const struct hv_volume *volume,
	struct hv_volume_ref *ret, struct hv_error *err)
{
	hv_auto_volume struct hv_volume origin = {0};

	if (hv_volume_origin(volumes, volume, &origin, err) != HV_OK)
		return err->code;
	return hv_kind_of(volumes, &origin)->acquire(volumes, &origin, ret, err);
}

static void unused(struct hv_volumes *volumes, const struct hv_volume *volume)
{
	hv_auto_volume struct hv_volume origin = {0};
	hv_auto_error struct hv_error ignored = {0};

	if (hv_volume_origin(volumes, volume, &origin, &ignored) == HV_OK)
		hv_kind_unused(volumes, &origin);
}

const struct hv_volume_kind hv_kind_alias = {
	.name = "alias",
	.may_be_in_state = true,
	.claims = claims,
	.resolve = resolve,
	.make = make,
	.acquire = acquire,
	.unused = unused,
};
