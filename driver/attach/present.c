/* SPDX-License-Identifier: Apache-2.0 */
#include "present.h"

#include <stdlib.h>
#include <string.h>

#include "attachments.h"

/* Before the directories are made that a check does not make there is nothing to be found. */
static bool is_to_make(const struct hv_mount_op *attempt)
{
	return attempt->only_check && attempt->volume.missing > 0;
}

enum hv_code hv_mount_op_decide_follow(struct hv_mount_op *attempt, struct hv_error *err)
{
	struct hv_volumes *volumes = attempt->attacher->volumes;

	if (hv_volume_follows(volumes, &attempt->volume, &attempt->follow, err) != HV_OK)
		return err->code;
	attempt->follow |= attempt->request->follow;
	if (!attempt->follow || is_to_make(attempt))
		return HV_OK;
	return hv_volume_follow(volumes, &attempt->volume, false, err);
}

enum hv_code hv_mount_op_find_present(struct hv_mount_op *attempt, struct hv_error *err)
{
	struct hv_attachment *view = &attempt->record.view;
	char *source;

	if (!view->follow)
		return HV_OK;
	if (hv_volume_follow(attempt->attacher->volumes, &attempt->volume, false, err) != HV_OK)
		return err->code;
	source = strdup(attempt->volume.source);
	if (!source)
		return hv_oom(err);
	free(view->source);
	view->source = source;
	return HV_OK;
}
