/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes in hand: a volume's directory is what the volume stands for while somebody has it. */
#include "store/store.h"
#include "volume/volume.h"

#include "kind.h"
#include "volumes.h"

enum hv_code hv_volume_acquire(struct hv_volumes *volumes, const struct hv_volume *volume,
	struct hv_volume_ref *ret, struct hv_error *err)
{
	ret->attr = (struct mc_attr){0};
	if (hv_kind_of(volumes, volume)->acquire(volumes, volume, ret, err) != HV_OK)
		return err->code;
	return hv_volume_as(volumes, volume, &ret->as, &ret->keeps_suid, err);
}

void hv_volume_release(struct hv_volume_ref *use)
{
	if (use->kind)
		use->kind->release(use);
	use->kind = NULL;
}

void hv_volume_release_idle(struct hv_volumes *volumes, const char *name)
{
	hv_auto_volume struct hv_volume volume = {0};
	hv_auto_error struct hv_error ignored = {0};

	if (hv_store_volume_get(volumes->store, name, &volume, &ignored) == HV_OK)
		hv_kind_unused(volumes, &volume);
}
