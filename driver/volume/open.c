/* SPDX-License-Identifier: Apache-2.0 */
/* The records of volumes, opened and closed with the state directory that they are in. */
#include "store/store.h"
#include "volume/volume.h"

#include "policy.h"
#include "state_dir.h"
#include "trash.h"

enum hv_code hv_volumes_open(struct hv_volumes *volumes, struct hv_error *err)
{
	if (hv_volumes_check_state(volumes, err) != HV_OK)
		return err->code;
	return hv_store_open(volumes->state_local, &volumes->store, err);
}

void hv_volumes_close(struct hv_volumes *volumes)
{
	hv_trash_stop(volumes);
	hv_allow_done(volumes);
	hv_store_close(volumes->store);
	volumes->store = NULL;
}

struct hv_store *hv_volumes_store(const struct hv_volumes *volumes)
{
	return volumes->store;
}
