/* SPDX-License-Identifier: Apache-2.0 */
#include "kind.h"

#include <string.h>

#include "volumes.h"

static enum hv_code refuse(const struct hv_volume *volume, struct hv_error *err)
{
	hv_fail(err, HV_UNSUPPORTED,
		"volume '%s' is of the kind '%.64s', which this version of hostvol does not know",
		volume->name, volume->kind);
	return hv_hint(err, "install the version of hostvol that created it, or a later one");
}

static enum hv_code refuse_use(struct hv_volumes *volumes, const struct hv_volume *volume,
	struct hv_volume_ref *ret, struct hv_error *err)
{
	(void)volumes;
	(void)ret;
	return refuse(volume, err);
}

static enum hv_code refuse_removal(struct hv_volumes *volumes, const struct hv_volume *volume,
	struct mc_mounts **host, struct hv_error *err)
{
	(void)volumes;
	(void)host;
	return refuse(volume, err);
}

static const struct hv_volume_kind unknown = {
	.name = "", .acquire = refuse_use, .check_removal = refuse_removal};

const struct hv_volume_kind *hv_kind_of(
	const struct hv_volumes *volumes, const struct hv_volume *volume)
{
	for (const struct hv_volume_kind *const *at = volumes->kinds; at && *at; at++)
		if (strcmp((*at)->name, volume->kind) == 0)
			return *at;
	return &unknown;
}

void hv_kind_unused(struct hv_volumes *volumes, const struct hv_volume *volume)
{
	const struct hv_volume_kind *kind = hv_kind_of(volumes, volume);

	if (kind->unused)
		kind->unused(volumes, volume);
}

enum hv_code hv_kind_check(
	const struct hv_volumes *volumes, const struct hv_volume *volume, struct hv_error *err)
{
	return hv_kind_of(volumes, volume) != &unknown ? HV_OK : refuse(volume, err);
}

const struct hv_volume_kind *hv_kind_choose(
	const struct hv_volumes *volumes, const struct hv_volume_options *options)
{
	for (const struct hv_volume_kind *const *at = volumes->kinds; at && *at; at++)
		if ((*at)->claims(options))
			return *at;
	return NULL;
}
