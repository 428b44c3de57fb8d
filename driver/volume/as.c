/* SPDX-License-Identifier: Apache-2.0 */
#include "as.h"

#include "mountcore/attr.h"
#include "store/store.h"

#include "kind.h"
#include "options.h"
#include "volumes.h"

/* The options of one volume, where they say more than those of the volume that it is another name
 * for. */
static enum hv_code add(const struct hv_volumes *volumes, const struct hv_volume *volume,
	struct hv_as *as, bool *keeps_suid, struct hv_error *err)
{
	struct hv_volume_options options = {0};
	const char *o = hv_opts_get(&volume->opts, "o");

	if (!hv_opts_get(&volume->opts, "as") && !o)
		return HV_OK;
	if (hv_kind_of(volumes, volume)->is_hidden) { /* with options of another driver's */
		*keeps_suid |= hv_volume_o_has(o, "suid");
		return HV_OK;
	}
	if (hv_kind_check(volumes, volume, err) != HV_OK ||
		hv_volume_read_options(&volume->opts, &options, err) != HV_OK)
		return err->code;
	if (!as->uid)
		*as = options.as;
	*keeps_suid |= options.keeps_suid;
	return HV_OK;
}

enum hv_code hv_volume_as(struct hv_volumes *volumes, const struct hv_volume *volume,
	struct hv_as *ret, bool *ret_keeps_suid, struct hv_error *err)
{
	hv_auto_volume struct hv_volume other = {0};
	struct hv_as as = {0};
	bool keeps_suid = false;

	for (const struct hv_volume *at = volume; at;)
		if (add(volumes, at, &as, &keeps_suid, err) != HV_OK ||
			hv_volume_step(volumes, &at, &other, err) != HV_OK)
			return err->code;
	*ret = as;
	*ret_keeps_suid = keeps_suid;
	return HV_OK;
}

static enum hv_code add_remapped(uint64_t id, uint32_t remap, uint64_t *ret, struct hv_error *err)
{
	*ret = id ? id + remap : 0;
	if (*ret <= UINT32_MAX)
		return HV_OK;
	return hv_fail(err, HV_BAD_REQUEST,
		"option as: the Docker Engine's containers have no user or group %llu",
		(unsigned long long)id - 1);
}

enum hv_code hv_as_apply(const struct hv_volumes *volumes, const struct hv_volume_ref *use,
	struct mc_attach_args *args, struct hv_error *err)
{
	if (!use->as.uid)
		return HV_OK;
	if (!use->keeps_suid && mc_attr_add(&args->attr, "nosuid") < 0)
		return hv_fail(err, HV_INTERNAL, "mount attribute 'nosuid' is unknown");
	if (add_remapped(use->as.uid, volumes->remap_uid, &args->as_uid, err) != HV_OK)
		return err->code;
	return add_remapped(use->as.gid, volumes->remap_gid, &args->as_gid, err);
}
